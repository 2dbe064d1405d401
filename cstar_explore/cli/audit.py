"""`cstar-explore audit`: the result on stdout, messages on stderr, and an exit code for scheduled runs."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stdout
from io import TextIOWrapper
from typing import Any

from ..api.environment import connect
from ..audits import RULES, SEVERITIES, Accounts, Audit, audit, compare
from ..audits.auditor import AuditInterruptedError
from ..audits.baseline import Baseline, read_baseline
from ..audits.comparison import uncompared
from ..csv_files import csv_text
from ..errors import ConfigurationError
from ..files import replace_file
from ..sandbox import Sandbox
from ..text import printable

FINDINGS, INCOMPLETE, INTERRUPTED = 3, 4, 130


def run(options: argparse.Namespace) -> int:
    """Runs the audit, prints the result and returns the exit code."""
    # Reports an invalid file before the audit, not after it.
    baseline = None if options.baseline is None else read_baseline(options.baseline)
    interrupted = False
    try:
        checked = _audit(options)
    except AuditInterruptedError as interruption:
        checked, interrupted = interruption.audit, True
    if not (checked.accounts["state"] == "read").any() and not interrupted:
        print(*checked.unread(), sep="\n", file=sys.stderr)
        raise ConfigurationError("No account could be read.", advice="The errors are above.")
    differences = None if baseline is None else compare(baseline, checked)
    result = _FORMATS[options.format](checked)
    if differences is not None and options.format == "table":
        changes = _aligned(differences, ["what", "account", "name", "field", "before", "after"]) or "no changes\n"
        result += f"\nSince the baseline:\n{changes}"
    if options.output is None:
        if options.format != "table" and isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")
        sys.stdout.write(result)
    else:
        replace_file(options.output, result)
    messages = [*map(printable, checked.notes), checked.summary()]
    if differences is not None:
        counts = ", ".join(f"{count} {what}" for what, count in differences["what"].value_counts().items())
        messages.append(f"Since the baseline: {counts or 'no changes'}.")
    print(*messages, *checked.unread(), sep="\n", file=sys.stderr)
    if interrupted:
        print("Interrupted. The result is partial: it covers the accounts read so far.", file=sys.stderr)
        return INTERRUPTED
    return _exit_code(checked, baseline, differences, options.fail_on)


def _audit(options: argparse.Namespace) -> Audit:
    accounts = options.accounts
    with ExitStack() as closing:
        if options.sandbox:
            sandbox = closing.enter_context(Sandbox(neglected=True))
            accounts = sandbox.accounts()
            for variable in accounts["key_env"]:
                os.environ.pop(variable, None)  # this process needs no real keys
            sandbox.export_keys()
        if accounts is not None:
            return audit(Accounts(accounts, allow_hosts=options.allow_host), settings=options.settings)
        with redirect_stdout(sys.stderr):
            client = closing.enter_context(connect(write=False))
        return audit(client, settings=options.settings)


def _exit_code(audit: Audit, baseline: Baseline | None, differences: Any, fail_on: str | None) -> int:
    """The exit code of an audit that was not interrupted. Without `fail_on`, findings do not matter."""
    if not audit.complete:
        return INCOMPLETE
    if fail_on is None:
        return 0
    levels = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    findings = audit.to_frame()
    severe = _keys(findings[findings["severity"].isin(levels)], "webhook_id", "rule", "evidence")
    unseen = {} if baseline is None else uncompared(baseline, audit)
    for account, why in unseen.items():
        print(f"{printable(account, 80)}: not compared. {printable(why, 300)}", file=sys.stderr)
    if baseline is not None:
        new = _keys(differences[differences["what"] == "new finding"], "id", "field", "after")
        # A gate fails closed: what the baseline has not seen counts as new.
        severe = {key for key in severe if key in new or key[0] in unseen}
    if severe:
        return FINDINGS
    if unseen or (baseline is not None and not baseline.accounts):
        print("The gate cannot pass: take a baseline in which every account was read.", file=sys.stderr)
        return INCOMPLETE
    # This rule alone may not have checked every webhook.
    return INCOMPLETE if audit.unchecked and RULES["inactive_long"].severity in levels else 0


def _keys(frame: Any, *columns: str) -> set[tuple[str, ...]]:
    """What identifies a finding: its account and these columns."""
    return set(frame[["account", *columns]].fillna("").itertuples(index=False, name=None))


_FORMATS: Mapping[str, Callable[[Audit], str]] = {
    "table": lambda audit: _aligned(audit.to_frame(), ["severity", "rule", "account", "name", "evidence"]),
    "json": lambda audit: audit.to_json(),
    "csv": lambda audit: csv_text(audit.to_frame()),
    "html": lambda audit: audit.to_html(),
}


def _aligned(frame: Any, names: list[str]) -> str:
    """The frame as aligned columns of text. The last column has no fixed width."""
    rows = [[printable(cell, 200) for cell in row] for row in frame[names].fillna("").to_numpy().tolist()]
    table = [names, *rows] if rows else []
    widths = [min(40, max(map(len, column))) for column in zip(*table, strict=True)][:-1]
    lines = ("  ".join([*map(str.ljust, row, widths), row[-1]]) for row in table)
    return "".join(f"{line.rstrip()}\n" for line in lines)
