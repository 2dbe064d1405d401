"""An audit as a file: small JSON, sorted, a webhook on each line, so that a code host shows what changed.

It holds no secrets: what is secret in a URL is masked, and four digits of a digest show whether it changed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..files import read_text, unreadable
from .redaction import fingerprint, shown_url, without_keys

if TYPE_CHECKING:
    from .result import AuditResult

_KIND = "cstar_explore audit"
_WEBHOOK = ("account", "id", "name", "url", "events", "is_active", "created_at")
_FINDING = ("account", "severity", "rule", "webhook_id", "name", "evidence")
_ACCOUNT = ("account", "team_id", "environment", "state", "error")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """What is kept of an audit."""

    taken: str
    accounts: tuple[Row, ...]
    webhooks: tuple[Row, ...]
    findings: tuple[Row, ...]


def baseline_of(audit: "AuditResult") -> Baseline:
    """What would be kept of this audit."""
    return Baseline(
        _iso(audit.taken),
        _sorted(_records(audit.accounts, _ACCOUNT)),
        _sorted(_kept(row) for row in _records(audit.webhooks, _WEBHOOK)),
        _sorted(_records(audit.to_frame(), _FINDING)),
    )


def baseline_text(audit: "AuditResult") -> str:
    """The baseline as JSON."""
    kept = baseline_of(audit)
    parts = [f'"kind": {json.dumps(_KIND)}', '"version": 1', f'"taken": {json.dumps(kept.taken)}']
    for name in ("accounts", "webhooks", "findings"):
        lines = ",\n".join(json.dumps(row) for row in getattr(kept, name))
        parts.append(f'"{name}": [\n{lines}\n]' if lines else f'"{name}": []')
    return "{" + ",\n".join(parts) + "}\n"


def read_baseline(path: str | Path) -> Baseline:
    """Reads one back.

    Raises:
        ConfigurationError: The file is no baseline of this version.
    """
    try:
        kept = json.loads(read_text(path))
        if (kept["kind"], kept["version"]) != (_KIND, 1):
            raise unreadable(path, "it is no baseline of this version")
        return Baseline(
            str(kept["taken"]),
            _checked(kept["accounts"], _ACCOUNT),
            _checked(kept["webhooks"], _WEBHOOK),
            _checked(kept["findings"], _FINDING),
        )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise unreadable(path, "it is no baseline") from None


def kept_url(url: str | None) -> str | None:
    """The URL as it is kept: without what is secret, and with a digest where something was masked."""
    if url is None:
        return None
    shown = shown_url(url)
    return url if shown == url else f"{shown} #{fingerprint(url)}"


def _kept(row: dict[str, Any]) -> Row:
    return {**row, "url": kept_url(row["url"]), "name": row["name"] and without_keys(row["name"])}


def _records(frame: Any, names: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The rows as plain JSON: what is missing is null, times as cStar writes them."""
    from ..frames import records

    for row in records(frame[list(names)]):
        yield {name: _iso(value) if hasattr(value, "isoformat") else value for name, value in row.items()}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: json.dumps(list(row.values()), default=str)))


def _checked(rows: Any, names: Iterable[str]) -> tuple[Row, ...]:
    """Rows that have these columns, each text, a list of text, a flag or null."""
    if not isinstance(rows, list):
        raise TypeError("A table is a list.")
    checked = []
    for row in rows:
        read = {name: row[name] for name in names}
        if not all(value is None or _fits(name, value) for name, value in read.items()):
            raise TypeError("A cell is not what it should be.")
        checked.append(read)
    return tuple(checked)


def _fits(name: str, value: Any) -> bool:
    if name == "events":
        return isinstance(value, list) and all(isinstance(part, str) for part in value)
    return isinstance(value, bool if name == "is_active" else str)
