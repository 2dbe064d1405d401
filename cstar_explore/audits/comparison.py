"""Differences between two audits: webhooks added, removed and changed, and findings new and resolved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ValidationError
from ..plans import format_value
from ..text import printable
from .baseline import Baseline, baseline_of, read_baseline
from .result import AuditResult

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("account", "what", "id", "name", "field", "before", "after")
_FIELDS = ("name", "url", "events", "is_active")

Row = Mapping[str, Any]
Difference = tuple[str | None, ...]  # one value per column


def compare(
    before: "AuditResult | Baseline | str | Path",
    after: "AuditResult | Baseline | str | Path",
    by: Literal["id", "name"] = "id",
) -> "pd.DataFrame":
    """Compares two audits.

    Args:
        before, after: An audit, a baseline, or the path of a baseline file.
        by: How webhooks are matched: "id", by account and id; or "name", by name alone, to compare two accounts such as
            production and staging.

    Returns:
        A row per difference. Columns, all str: `account`, `what` (added, removed, changed, new finding, resolved finding,
        not compared), `id`, `name`, `field` (for a finding, its rule), `before`, `after`. An account that was not read in
        either audit has one row, "not compared", with the reason in `after`.

    Raises:
        ConfigurationError: A file cannot be read or is not a baseline.
        ValidationError: `by` is neither "id" nor "name".
    """
    from ..frames import from_rows

    if by not in ("id", "name"):
        raise ValidationError(f"by must be 'id' or 'name', not '{printable(by, 80)}'.", param="by")
    old, new = _baseline(before), _baseline(after)
    unread = _unread(old) | _unread(new)
    # By name, a webhook that seems to be on one side only may be in an account that was not read on the other.
    uncertain = {
        *(("added", "new finding") if by == "name" and _unread(old) else ()),
        *(("removed", "resolved finding") if by == "name" and _unread(new) else ()),
    }
    rows: list[Difference] = [(account, "not compared", None, None, None, None, why) for account, why in unread.items()]
    old, new = _without(old, unread), _without(new, unread)
    rows += [row for row in (*_webhooks(old, new, by), *_findings(old, new, by)) if row[1] not in uncertain]
    return from_rows(rows, dict.fromkeys(_COLUMNS, "str"))


def _baseline(side: "AuditResult | Baseline | str | Path") -> Baseline:
    if isinstance(side, AuditResult):
        return baseline_of(side)
    return side if isinstance(side, Baseline) else read_baseline(side)


def _unread(side: Baseline) -> dict[str, str]:
    """The accounts that were not read, each with the reason."""
    return {
        row["account"]: f"{'Not tried' if row['state'] == 'not tried' else 'Not read'}: {row['error']}"
        for row in side.accounts
        if row["state"] != "read"
    }


def _without(side: Baseline, unread: Mapping[str, str]) -> Baseline:
    kept = ([row for row in rows if row["account"] not in unread] for rows in (side.webhooks, side.findings))
    return Baseline(side.taken, side.accounts, *map(tuple, kept))


def _webhooks(old: Baseline, new: Baseline, by: str) -> Iterator[Difference]:
    before, after = _by_key(old.webhooks, by), _by_key(new.webhooks, by)
    for key, row in before.items():
        if key not in after:
            yield _difference(row, "removed", "url", row["url"], None)
        else:
            current = after[key]
            for name in _FIELDS:
                if _comparable(row, name) != _comparable(current, name):
                    yield _difference(current, "changed", name, format_value(row[name]), format_value(current[name]))
    for key, row in after.items():
        if key not in before:
            yield _difference(row, "added", "url", None, row["url"])


def _findings(old: Baseline, new: Baseline, by: str) -> Iterator[Difference]:
    def by_key(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
        columns = ("account", "webhook_id") if by == "id" else ("name",)
        # The findings of one rule about a whole team differ only in their evidence.
        return {
            (row["rule"], *(row[name] for name in columns), None if row["webhook_id"] else row["evidence"]): row
            for row in rows
        }

    before, after = by_key(old.findings), by_key(new.findings)
    for row in (before[key] for key in before if key not in after):
        yield (row["account"], "resolved finding", row["webhook_id"], row["name"], row["rule"], row["evidence"], None)
    for row in (after[key] for key in after if key not in before):
        yield (row["account"], "new finding", row["webhook_id"], row["name"], row["rule"], None, row["evidence"])


def _by_key(rows: Iterable[Row], by: str) -> dict[tuple[Any, ...], Row]:
    """Webhooks by the key that matches them. Webhooks with the same key are numbered."""
    keyed: dict[tuple[Any, ...], Row] = {}
    counts: dict[Any, int] = defaultdict(int)
    for row in rows:
        key = (row["account"], row["id"]) if by == "id" else (row["name"],)
        counts[key] += 1
        keyed[(*key, counts[key])] = row
    return keyed


def _comparable(row: Row, name: str) -> Any:
    return frozenset(row[name] or ()) if name == "events" else row[name]


def _difference(row: Row, what: str, field: str, before: str | None, after: str | None) -> Difference:
    return (row["account"], what, row["id"], row["name"], field, before, after)
