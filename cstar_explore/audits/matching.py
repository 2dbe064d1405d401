"""Matches the webhooks of two sides, and finds the fields in which they differ."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_FIELDS = ("name", "url", "events", "is_active")

Row = Mapping[str, Any]


def rows_by_key(rows: Iterable[Row], by: str) -> dict[tuple[Any, ...], Row]:
    """Webhooks by the key that matches them. Webhooks with the same key are numbered."""
    keyed: dict[tuple[Any, ...], Row] = {}
    counts: dict[Any, int] = defaultdict(int)
    for row in rows:
        key = (row["account"], row["id"]) if by == "id" else (row["name"],)
        counts[key] += 1
        keyed[(*key, counts[key])] = row
    return keyed


def changed_fields(row: Row, current: Row) -> Iterator[str]:
    """The fields in which two webhooks differ."""
    return (name for name in _FIELDS if _comparable(row, name) != _comparable(current, name))


def _comparable(row: Row, name: str) -> Any:
    return frozenset(row[name] or ()) if name == "events" else row[name]
