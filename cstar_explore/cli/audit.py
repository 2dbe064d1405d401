"""`cstar-explore audit`: findings on stdout, words on stderr, and an exit code that a nightly run can go by."""

import argparse
import io
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..text import printable

if TYPE_CHECKING:
    from ..audits import Audit

FOUND, PARTLY_READ, INTERRUPTED = 3, 4, 130

_HELP = """\
exit codes:
    0  done; nothing found at or above --fail-on (with --baseline: nothing new)
    1  it could not be done: no key, a file that cannot be used, or no account could be read
    2  misspelled
    3  something was found at or above --fail-on
    4  some accounts could not be read; what was read is printed
  130  interrupted; what was read is printed

Without --accounts, the team of CSTAR_KEY (and CSTAR_TEAM_ID, CSTAR_BASE_URL) is audited. Nothing but GET is sent.
"""


def add_to(commands: Any) -> None:
    """Adds the command to the parser's."""
    parser = commands.add_parser(
        "audit",
        help="say what is wrong with the webhooks of one team, or of many; changes nothing",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument(
        "--accounts",
        type=Path,
        metavar="FILE",
        help="a CSV file with account, team_id, key_env (the NAME of a variable) and base_url",
    )
    whose.add_argument(
        "--sandbox", action="store_true", help="audit a sandbox of three neglected teams instead, to see how it looks"
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="a TOML file with thresholds and ignores")
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE", help="an earlier audit (--format json), to be compared with"
    )
    parser.add_argument(
        "--fail-on", choices=("high", "medium", "low", "info"), metavar="SEVERITY", help="high, medium, low or info"
    )
    parser.add_argument(
        "--format", choices=("table", "json", "csv", "html"), default="table", help="json is what --baseline reads"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Audits, prints, and says by its code how it went."""
    from ..audits import RULES, Audit, compare
    from ..audits.baseline import read_baseline
    from ..audits.settings import read_settings

    # A file that cannot be used is told before the work, not after it.
    baseline = None if options.baseline is None else read_baseline(options.baseline)
    if options.settings is not None:
        read_settings(options.settings, RULES)
    with _interruptible() as interrupted:
        audit: Audit = _audited(options, interrupted)
    if not (audit.accounts["state"] == "read").any() and not interrupted.is_set():
        _say_unread(audit)
        raise ConfigurationError("No account could be read.", advice="See the reasons above.")
    changed = None if baseline is None else compare(baseline, audit)
    _write(_FORMATS[options.format](audit), for_people=options.format == "table")
    if changed is not None and options.format == "table":
        print("\nSince the baseline:")
        print(_aligned(changed, ["what", "account", "name", "field", "before", "after"]) or "nothing changed")
    for note in audit.notes:
        print(printable(note), file=sys.stderr)
    print(audit.summary(), file=sys.stderr)
    if changed is not None:
        counts = ", ".join(f"{count} {what}" for what, count in changed["what"].value_counts().items())
        print(f"Since the baseline: {counts or 'nothing changed'}.", file=sys.stderr)
    _say_unread(audit)
    return _code(audit, changed, options.fail_on, interrupted=interrupted.is_set())


def _write(text: str, *, for_people: bool) -> None:
    """A table in the terminal's own encoding, as far as that goes; files in UTF-8, whatever the terminal speaks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        if for_people:
            sys.stdout.reconfigure(errors="backslashreplace")
        else:
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogatepass")
    sys.stdout.write(text)


def _audited(options: argparse.Namespace, interrupted: threading.Event) -> "Audit":
    from ..api.environment import connect
    from ..audits import Accounts, audit

    settings = options.settings
    if options.sandbox:
        from ..sandbox import Sandbox

        with Sandbox(neglected=True) as sandbox:
            sandbox.export_keys()
            return audit(Accounts(sandbox.accounts()), settings=settings, stopped=interrupted.is_set)
    if options.accounts is not None:
        return audit(Accounts(options.accounts), settings=settings, stopped=interrupted.is_set)
    with redirect_stdout(sys.stderr):
        client = connect(write=False)
    with client:
        return audit(client, settings=settings)


def _code(audit: "Audit", changed: Any, fail_on: str | None, *, interrupted: bool) -> int:
    if interrupted:
        print("Interrupted: this is what had been read.", file=sys.stderr)
        return INTERRUPTED
    if not audit.complete:
        return PARTLY_READ
    if fail_on is None:
        return 0
    frame = audit.to_frame()
    severe = frame[frame["severity"].isin(_up_to(fail_on))]
    if changed is not None:
        new = changed[changed["what"] == "new finding"]
        fresh = set(zip(new["account"], new["id"].fillna(""), new["field"], new["after"], strict=True))
        rows = zip(severe["account"], severe["webhook_id"].fillna(""), severe["rule"], severe["evidence"], strict=True)
        severe = severe[[row in fresh for row in rows]]
    return FOUND if len(severe) else 0


def _up_to(severity: str) -> tuple[str, ...]:
    from ..audits import SEVERITIES

    return tuple(SEVERITIES[: SEVERITIES.index(severity) + 1])


@contextmanager
def _interruptible() -> Iterator[threading.Event]:
    """Inside of it the first Ctrl+C asks for an end; a second one is the usual interrupt."""
    asked = threading.Event()

    def ask(*_: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        print("Stopping …", file=sys.stderr)

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)


def _say_unread(audit: "Audit") -> None:
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
    """Columns of text, the last one as long as it is."""
    rows = [[printable(cell, 200) for cell in row] for row in frame[names].fillna("").to_numpy().tolist()]
    if not rows:
        return ""
    table = [names, *rows]
    widths = [min(40, max(len(row[place]) for row in table)) for place in range(len(names) - 1)]
    lines = (
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in table
    )
    return "\n".join(line.rstrip() for line in lines)
