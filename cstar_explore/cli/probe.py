"""`cstar-explore probe`: finds out how cStar behaves where its pages do not say, and compares the answers with a recording."""

import argparse
import contextlib
import sys
from typing import Any

from ..api.environment import connect
from ..errors import ConfigurationError
from ..listener import Listener
from ..probing import ProbePlan, probe
from ..recordings import Recording
from ..text import plural
from .secrets import secret_in

DRIFTED, INVALID = 1, 2


def run(options: argparse.Namespace) -> int:
    """Runs the probe, prints the result and returns the exit code."""
    if options.fail_on and options.baseline is None:
        raise ConfigurationError("--fail-on drift needs a recording to compare with.", advice="Pass --baseline FILE.")
    baseline = None if options.baseline is None else Recording.load(options.baseline)
    with contextlib.ExitStack() as closing:
        with contextlib.redirect_stdout(sys.stderr):
            client = closing.enter_context(connect())
        listener = None
        if options.listen is not None:
            listener = closing.enter_context(Listener(port=options.listen, allowed_hosts=options.allow_host))
            print(f"Listening at {listener.url}", file=sys.stderr)
        result = probe(
            client,
            listener,
            publishable_key=secret_in(options.publishable_key_env) if options.publishable_key_env else None,
            fire=options.fire,
            payloads=options.payloads,
            wait=options.wait,
            confirm=options.confirm,
        )
    if isinstance(result, ProbePlan):
        print(repr(result).replace("confirm=True", "--confirm"))
        return 0
    for path, write in ((options.save, result.save), (options.html, result.to_html)):
        if path is not None:
            write(path)
    print(_answers(result.to_frame().to_dict("records")))
    print(f"\n{result!r}")
    if baseline is None:
        return 0
    drift = baseline.drift(result).to_dict("records")
    print(f"\n{plural(len(drift), 'change')} since {baseline.recorded_on}.")
    for row in drift:
        print(f"  {row['text']}: {row['before']} → {row['after']}")
    return DRIFTED if drift and options.fail_on else 0


def _answers(rows: list[dict[Any, Any]]) -> str:
    """The answers, one per line, with those that differ from the sandbox first."""
    lines = []
    for verdict in ("different", "as assumed", "as documented"):
        of_verdict = [row for row in rows if row["verdict"] == verdict]
        lines += [f"{verdict} ({len(of_verdict)})", *(f"  {row['text']}: {row['observed']}" for row in of_verdict)]
    return "\n".join(lines)
