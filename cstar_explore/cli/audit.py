"""`cstar-explore audit`: the result on stdout, messages on stderr, and an exit code for scheduled runs."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..files import replace_file
from ..text import printable
from .options import option

if TYPE_CHECKING:
    from ..audits import Audit
    from ..audits.baseline import Baseline

FINDINGS, INCOMPLETE, INTERRUPTED = 3, 4, 130

_HELP = """\
exit codes:
    0  done; no findings at or above --fail-on (with --baseline: no new ones)
    1  failed: no key, an invalid file, or no account could be read
    2  invalid command line
    3  findings at or above --fail-on (with --baseline: new ones, or in an account that the baseline has not seen)
    4  not everything was checked: an account could not be read or, with --fail-on, not compared; the rest is printed
  130  interrupted; the accounts read so far are printed

Without --accounts, audits the team of CSTAR_KEY (and CSTAR_TEAM_ID, CSTAR_BASE_URL). Sends only GET requests.
"""


def add_to(commands: Any) -> None:
    parser = commands.add_parser("audit", help="check the webhooks of one or many teams; changes nothing", epilog=_HELP)
    target = parser.add_mutually_exclusive_group()
    columns = "account, team_id, key_env (the NAME of an environment variable) and base_url"
    option(target, "--accounts FILE", f"a CSV file with the columns {columns}")
    keys = "with --accounts: a host other than cStar's and loopback to which keys may be sent; may be repeated"
    option(parser, "--allow-host HOST", keys, action="append", default=[])
    option(target, "--sandbox", "audit a sandbox with three teams and many findings, to try the command")
    option(parser, "--settings FILE", "a TOML file with thresholds and ignores")
    option(parser, "--baseline FILE", "compare with an earlier audit (--format json)")
    levels = ("high", "medium", "low", "info")
    severe = "exit with 3 if there are findings of at least this severity: high, medium, low or info"
    option(parser, "--fail-on SEVERITY", severe, choices=levels)
    forms = ("table", "json", "csv", "html")
    option(parser, "--format", "output format (default: table); --baseline reads json", choices=forms, default="table")
    whole = "an existing file is replaced as a whole or not at all"
    option(parser, "--output FILE", f"write the result to this file instead of stdout; {whole}")


def run(options: argparse.Namespace) -> int:
    """Runs the audit, prints the result and returns the exit code."""
    from ..audits import RULES, Audit, compare
    from ..audits.baseline import read_baseline
    from ..audits.settings import read_settings

    # Reports an invalid file before the audit, not after it.
    baseline = None if options.baseline is None else read_baseline(options.baseline)
    if options.settings is not None:
        read_settings(options.settings, RULES)
    interrupted = threading.Event()
    audit: Audit = _audit(options, interrupted)
    if not (audit.accounts["state"] == "read").any() and not interrupted.is_set():
        _print_unread(audit)
        raise ConfigurationError("No account could be read.", advice="The errors are above.")
    differences = None if baseline is None else compare(baseline, audit)
    result = _FORMATS[options.format](audit)
    if differences is not None and options.format == "table":
        changes = _aligned(differences, ["what", "account", "name", "field", "before", "after"]) or "no changes"
        result += f"\nSince the baseline:\n{changes}\n"
    if options.output is None:
        if options.format != "table" and isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")
        sys.stdout.write(result)
    else:
        replace_file(options.output, result)
    for note in audit.notes:
        print(printable(note), file=sys.stderr)
    print(audit.summary(), file=sys.stderr)
    if differences is not None:
        counts = ", ".join(f"{count} {what}" for what, count in differences["what"].value_counts().items())
        print(f"Since the baseline: {counts or 'no changes'}.", file=sys.stderr)
    _print_unread(audit)
    if interrupted.is_set():
        print("Interrupted. The result is partial: it covers the accounts read so far.", file=sys.stderr)
        return INTERRUPTED
    return _exit_code(audit, baseline, differences, options.fail_on)


def _audit(options: argparse.Namespace, interrupted: threading.Event) -> "Audit":
    from ..api.environment import connect
    from ..audits import Accounts, audit

    settings = options.settings
    if options.sandbox:
        from ..sandbox import Sandbox

        with Sandbox(neglected=True) as sandbox:
            accounts = sandbox.accounts()
            for variable in accounts["key_env"]:
                os.environ.pop(variable, None)  # this process needs no real keys
            sandbox.export_keys()
            with _interruptible(interrupted):
                return audit(Accounts(accounts), settings=settings, stopped=interrupted.is_set)
    if options.accounts is not None:
        listed = Accounts(options.accounts, allow_hosts=options.allow_host)
        with _interruptible(interrupted):
            return audit(listed, settings=settings, stopped=interrupted.is_set)
    with redirect_stdout(sys.stderr):
        client = connect(write=False)
    with client:
        return audit(client, settings=settings)


def _exit_code(audit: "Audit", baseline: "Baseline | None", differences: Any, fail_on: str | None) -> int:
    """The exit code of an audit that was not interrupted. Without `fail_on`, findings do not matter."""
    from ..audits.comparison import uncompared

    if not audit.complete:
        return INCOMPLETE
    if fail_on is None:
        return 0
    if baseline is None:
        return FINDINGS if _severe(audit, fail_on) else _unchecked(audit, fail_on)
    unseen = uncompared(baseline, audit)
    for account, why in unseen.items():
        print(f"{printable(account, 80)}: not compared. {printable(why, 300)}", file=sys.stderr)
    new = differences[differences["what"] == "new finding"]
    new_keys = set(zip(new["account"], new["id"].fillna(""), new["field"], new["after"], strict=True))
    # A gate fails closed: what the baseline has not seen counts as new.
    if any(key[0] in unseen or key in new_keys for key in _severe(audit, fail_on)):
        return FINDINGS
    if unseen or not baseline.accounts:
        print("The gate cannot pass: take a baseline in which every account was read.", file=sys.stderr)
        return INCOMPLETE
    return _unchecked(audit, fail_on)


def _severe(audit: "Audit", fail_on: str) -> list[tuple[str, str, str, str]]:
    """Account, webhook id, rule and evidence of each finding of at least this severity."""
    frame = audit.to_frame()
    severe = frame[frame["severity"].isin(_at_least(fail_on))]
    columns = (severe[name].fillna("") for name in ("account", "webhook_id", "rule", "evidence"))
    return list(zip(*columns, strict=True))


def _unchecked(audit: "Audit", fail_on: str) -> int:
    """INCOMPLETE if a rule of at least this severity could not check every webhook."""
    from ..audits import RULES

    is_concerned = RULES["inactive_long"].severity in _at_least(fail_on)
    return INCOMPLETE if audit.unchecked and is_concerned else 0


def _at_least(severity: str) -> tuple[str, ...]:
    from ..audits import SEVERITIES

    return tuple(SEVERITIES[: SEVERITIES.index(severity) + 1])


@contextmanager
def _interruptible(requested: threading.Event) -> Iterator[None]:
    """Sets the event on the first Ctrl+C. A second one raises KeyboardInterrupt."""

    def request_stop(*_: object) -> None:
        if requested.is_set():
            raise KeyboardInterrupt
        requested.set()
        print("Stopping …", file=sys.stderr)

    previous = signal.signal(signal.SIGINT, request_stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _print_unread(audit: "Audit") -> None:
    for row in audit.accounts[audit.accounts["state"] != "read"].to_dict("records"):
        print(f"{printable(row['account'], 80)}: {row['state']}. {printable(row['error'])}", file=sys.stderr)


def _table(audit: "Audit") -> str:
    text = _aligned(audit.to_frame(), ["severity", "rule", "account", "name", "evidence"])
    return f"{text}\n" if text else ""


def _csv(audit: "Audit") -> str:
    from ..csv_files import csv_text

    return csv_text(audit.to_frame())


_FORMATS: Mapping[str, Any] = {
    "table": _table,
    "json": lambda audit: audit.to_json(),
    "csv": _csv,
    "html": lambda audit: audit.to_html(),
}


def _aligned(frame: Any, names: list[str]) -> str:
    """The frame as aligned columns of text. The last column has no fixed width."""
    rows = [[printable(cell, 200) for cell in row] for row in frame[names].fillna("").to_numpy().tolist()]
    if not rows:
        return ""
    table = [names, *rows]
    widths = [min(40, max(len(row[index]) for row in table)) for index in range(len(names) - 1)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in table
    )
    return "\n".join(line.rstrip() for line in lines)
