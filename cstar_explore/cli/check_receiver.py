"""`cstar-explore check-receiver`: prints the faults of a webhook receiver, with an exit code for continuous integration."""

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from ..files import replace_file
from .options import option, secret_in

if TYPE_CHECKING:
    from ..receivers import ReceiverCheck

WRONG, INVALID, INTERRUPTED = 1, 2, 130

_HELP = """\
exit codes:
    0  nothing is wrong
    1  something is wrong or, with --strict, not tested
    2  invalid command line, secret, URL, --acted or file
  130  interrupted; the results until then are printed

Example: cstar-explore check-receiver http://localhost:8000/hook --secret-env WEBHOOK_SECRET --acted "cat acted.txt"
"""


def add_to(commands: Any) -> None:
    about = "send right and wrong deliveries to a running webhook receiver, and name its faults"
    parser = commands.add_parser("check-receiver", help=about, epilog=_HELP)
    parser.add_argument("url", metavar="URL", help="the receiver, such as http://localhost:8000/hook")
    name = "the NAME of the environment variable with the signing secret that the receiver has"
    option(parser, "--secret-env NAME", name, required=True)
    option(
        parser,
        "--acted COMMAND",
        "a shell command that prints the IDs of the events that the receiver acted on, one per line, or their number;"
        " without it, duplicates are not tested",
    )
    hosts = "a host other than loopback that may be checked; may be repeated"
    option(parser, "--allow-host HOST", hosts, action="append", default=[])
    option(parser, "--strict", "also exit with 1 if something was not tested")
    option(parser, "--format", "output format (default: text)", choices=("text", "json"), default="text")
    option(parser, "--html FILE", "also write a report as an HTML page")
    option(parser, "--junit FILE", "also write JUnit XML")


def run(options: argparse.Namespace) -> int:
    """Runs the check, prints the result and returns the exit code."""
    from ..receivers import check_receiver

    try:
        check = check_receiver(
            options.url,
            secret=secret_in(options.secret_env),
            acted=options.acted,
            allow_host=options.allow_host,
            progress=_show_progress if sys.stderr.isatty() else None,
        )
    finally:
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)
    if options.html is not None:
        replace_file(options.html, check.to_html() or "")
    if options.junit is not None:
        replace_file(options.junit, check.to_junit() or "")
    print(_text(check) if options.format == "text" else _json(check))
    if check.interrupted:
        return INTERRUPTED
    return WRONG if not check.ok or (options.strict and check.verdict == "incomplete") else 0


def _show_progress(done: int, total: int) -> None:
    print(f"\r{done} of {total} checks", end="", file=sys.stderr, flush=True)


def _text(check: "ReceiverCheck") -> str:
    """The faults and notes, and then a line for each check."""
    lines = [check.verdict.upper() + (f" (likely framework: {check.framework})" if check.framework else "")]
    for cause in check.causes:
        lines += ["", f"{'Note' if cause.is_note else 'Wrong'}: {cause.sentence}", f"       {cause.remedy}"]
    lines += [line for text in check.untested() for line in ("", text)]
    lines.append("")
    lines += [f"  {group:<20}{verdict}" for group, verdict in check.groups().items()]
    return "\n".join([*lines, "", check.summary()])


def _json(check: "ReceiverCheck") -> str:
    rows = check.to_frame().to_dict("records")
    found = [{"cause": each.sentence, "remedy": each.remedy, "is_note": each.is_note} for each in check.causes]
    return json.dumps({"verdict": check.verdict, "ok": check.ok, "causes": found, "checks": rows}, indent=2)
