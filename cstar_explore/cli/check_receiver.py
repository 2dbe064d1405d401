"""`cstar-explore check-receiver`: prints the faults of a webhook receiver, with an exit code for continuous integration."""

import argparse
import json

from ..receivers import ReceiverCheck, check_receiver
from .secrets import secret_in

WRONG, INVALID, INTERRUPTED = 1, 2, 130


def run(options: argparse.Namespace) -> int:
    """Runs the check, prints the result and returns the exit code."""
    check = check_receiver(
        options.url, secret=secret_in(options.secret_env), acted=options.acted, allow_host=options.allow_host
    )
    for path, write in ((options.html, check.to_html), (options.junit, check.to_junit)):
        if path is not None:
            write(path)
    print(_text(check) if options.format == "text" else _json(check))
    if check.interrupted:
        return INTERRUPTED
    return WRONG if not check.ok or (options.strict and check.verdict == "incomplete") else 0


def _text(check: ReceiverCheck) -> str:
    """The faults and notes, and then a line for each check."""
    lines = [check.verdict.upper() + (f" (likely framework: {check.framework})" if check.framework else "")]
    for cause in check.causes:
        lines += ["", f"{'Note' if cause.is_note else 'Wrong'}: {cause.sentence}", f"       {cause.remedy}"]
    lines += [line for text in check.untested() for line in ("", text)]
    lines.append("")
    lines += [f"  {group:<20}{verdict}" for group, verdict in check.groups().items()]
    return "\n".join([*lines, "", check.summary()])


def _json(check: ReceiverCheck) -> str:
    rows = check.to_frame().to_dict("records")
    found = [{"cause": each.sentence, "remedy": each.remedy, "is_note": each.is_note} for each in check.causes]
    return json.dumps({"verdict": check.verdict, "ok": check.ok, "causes": found, "checks": rows}, indent=2)
