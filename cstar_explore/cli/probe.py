"""`cstar-explore probe`: finds out how cStar behaves where its pages do not say, and compares the answers with a recording."""

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..text import plural
from .variables import secret_in

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
    """Adds the `probe` command."""
    parser = commands.add_parser(
        "probe",
        help="find out how cStar behaves where its documentation does not say; leaves nothing behind",
        epilog=_HELP,
    )
    parser.add_argument("--confirm", action="store_true", help="run the probe; without it, print what it would do")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the recording")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a report as an HTML page")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="print which answers have changed since this recording"
    )
    parser.add_argument("--fail-on", choices=("drift",), help="exit with 1 if an answer has changed since the baseline")
    parser.add_argument(
        "--publishable-key-env",
        metavar="NAME",
        help="the NAME of the environment variable with a publishable key, to find out what it may read",
    )
    parser.add_argument(
        "--fire", action="store_true", help="fire test events, which reach all active webhooks of the team"
    )
    parser.add_argument(
        "--listen",
        type=int,
        metavar="PORT",
        help="receive test events on this port of 127.0.0.1, for `cstar listen --forward-to` or a tunnel",
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="with --listen: the tunnel's host name"
    )
    parser.add_argument(
        "--payloads",
        action="store_true",
        help="with --fire and --listen: fire each event type, and learn the shape of its data",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="with --fire and --listen: how long to wait for retries; cStar's first comes after 30 s",
    )


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
