"""`cstar-explore probe`: finds out how cStar behaves where its pages do not say, and compares the answers with a recording."""

import argparse
import contextlib
import sys
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..text import plural
from .options import option, secret_in

if TYPE_CHECKING:
    from ..listener import Listener

DRIFTED, INVALID = 1, 2

_HELP = """\
Uses CSTAR_KEY (and CSTAR_TEAM_ID, CSTAR_BASE_URL). Without --confirm, sends one GET to find the key's team, and prints what it would do.

exit codes:
    0  done
    1  with --fail-on drift: an answer has changed since the baseline
    2  invalid command line, key or file
  130  interrupted; the webhooks that it created are removed

Example: cstar-explore probe --confirm --save cstar-2026-11.json
"""


def add_to(commands: Any) -> None:
    about = "find out how cStar behaves where its documentation does not say; leaves nothing behind"
    parser = commands.add_parser("probe", help=about, epilog=_HELP)
    option(parser, "--confirm", "run the probe; without it, print what it would do")
    option(parser, "--save FILE", "write the recording")
    option(parser, "--html FILE", "write a report as an HTML page")
    option(parser, "--baseline FILE", "print which answers have changed since this recording")
    option(parser, "--fail-on", "exit with 1 if an answer has changed since the baseline", choices=("drift",))
    key = "the NAME of the environment variable with a publishable key, to find out what it may read"
    option(parser, "--publishable-key-env NAME", key)
    option(parser, "--fire", "fire test events, which reach all active webhooks of the team")
    port = "receive test events on this port of 127.0.0.1, for `cstar listen --forward-to` or a tunnel"
    option(parser, "--listen PORT", port)
    option(parser, "--allow-host HOST", "with --listen: the tunnel's host name", action="append", default=[])
    option(parser, "--payloads", "with --fire and --listen: fire each event type, and learn the shape of its data")
    wait = "how long to wait for retries; cStar's first comes after 30 s"
    option(parser, "--wait SECONDS", f"with --fire and --listen: {wait}", default=0)


def run(options: argparse.Namespace) -> int:
    """Runs the probe, prints the result and returns the exit code."""
    from ..api.environment import connect
    from ..probing import ProbePlan, probe
    from ..recordings import Recording

    if options.fail_on and options.baseline is None:
        raise ConfigurationError("--fail-on drift needs a recording to compare with.", advice="Pass --baseline FILE.")
    baseline = None if options.baseline is None else Recording.load(options.baseline)
    with contextlib.ExitStack() as closing:
        with contextlib.redirect_stdout(sys.stderr):
            client = closing.enter_context(connect())
        listener = None if options.listen is None else closing.enter_context(_listener(options))
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


def _listener(options: argparse.Namespace) -> "Listener":
    from ..listener import Listener

    listener = Listener(port=options.listen, allowed_hosts=options.allow_host)
    print(f"Listening at {listener.url}", file=sys.stderr)
    return listener


def _answers(rows: list[dict[Any, Any]]) -> str:
    """The answers, one per line, with those that differ from the sandbox first."""
    lines = []
    for verdict in ("different", "as assumed", "as documented"):
        of_verdict = [row for row in rows if row["verdict"] == verdict]
        lines += [f"{verdict} ({len(of_verdict)})", *(f"  {row['text']}: {row['observed']}" for row in of_verdict)]
    return "\n".join(lines)
