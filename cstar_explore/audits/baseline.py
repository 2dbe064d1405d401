"""An audit as a JSON file: small and sorted, with one webhook per line, so that a diff shows what changed.

It contains no secrets. Of URLs it shows what is known to be harmless; six digits of a keyed digest show whether the rest changed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..files import read_saved
from ..serving.times import iso
from .redaction import masked_keys, masked_text, masked_url
from .result import AuditResult

_HEAD = {"kind": "cstar_explore audit", "version": 2}
_COLUMNS = {
    "accounts": ("account", "team_id", "environment", "state", "error"),
    "webhooks": ("account", "id", "name", "url", "events", "is_active", "created_at"),
    "findings": ("account", "severity", "rule", "webhook_id", "name", "evidence"),
}

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Baseline:
    """The parts of an audit that are saved.

    Attributes:
        mask_key: The key of the digests in its masks. Those of two baselines can be compared if the keys are equal.
    """

    taken: str
    mask_key: str
    accounts: tuple[Row, ...]
    webhooks: tuple[Row, ...]
    findings: tuple[Row, ...]


def baseline_of(audit: AuditResult, mask_key: str | None = None) -> Baseline:
    """The baseline of this audit, with the masks of another baseline if its key is given."""
    from ..frames import records

    key = audit.mask_key if mask_key is None else mask_key
    frames = {"accounts": audit.accounts, "webhooks": audit.webhooks, "findings": audit.to_frame()}
    rows = {name: records(frame[list(_COLUMNS[name])]) for name, frame in frames.items()}
    rows["webhooks"] = [_without_secrets(row, key) for row in rows["webhooks"]]
    return Baseline(iso(audit.taken), key, **{name: _sorted(part) for name, part in rows.items()})


def baseline_text(audit: AuditResult) -> str:
    """The baseline as JSON."""
    baseline = baseline_of(audit)
    head = {**_HEAD, "taken": baseline.taken, "mask_key": baseline.mask_key}
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in head.items()]
    for name in _COLUMNS:
        lines = ",\n".join(json.dumps(row) for row in getattr(baseline, name))
        parts.append(f'"{name}": [\n{lines}\n]' if lines else f'"{name}": []')
    return "{" + ",\n".join(parts) + "}\n"


def read_baseline(path: str | Path) -> Baseline:
    """Reads a baseline file. Raises ConfigurationError if the file cannot be read or is not a baseline of this version."""

    def read(content: Any) -> Baseline:
        rows = {name: _checked(content[name], columns) for name, columns in _COLUMNS.items()}
        return Baseline(str(content["taken"]), str(content["mask_key"]), **rows)

    return read_saved(path, "baseline", _HEAD, read)


def _without_secrets(row: dict[str, Any], key: str) -> dict[str, Any]:
    """A webhook as JSON, with its time in cStar's format."""
    return row | {
        "url": row["url"] and masked_url(row["url"], key),
        "name": row["name"] and masked_text(row["name"], key),
        "events": row["events"] and tuple(map(masked_keys, row["events"])),
        "created_at": row["created_at"] and iso(row["created_at"]),
    }


def _sorted(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: json.dumps(list(row.values()), default=str)))


def _checked(rows: Any, names: Iterable[str]) -> tuple[Row, ...]:
    """These columns of each row, if every cell has its type or is null."""
    checked = tuple({name: row[name] for name in names} for row in rows)
    cells = (cell for row in checked for cell in row.items())
    if not isinstance(rows, list) or not all(_is_valid(name, value) for name, value in cells):
        raise TypeError("Expected a list of rows whose cells have their types.")
    return checked


def _is_valid(name: str, value: Any) -> bool:
    if value is None:
        return True
    if name == "events":
        return isinstance(value, list) and all(isinstance(part, str) for part in value)
    return isinstance(value, bool if name == "is_active" else str)
