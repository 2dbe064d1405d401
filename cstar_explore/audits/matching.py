"""Matches the webhooks of two sides, and finds the fields in which they differ."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_FIELDS = ("name", "url", "events", "is_active")

Row = Mapping[str, Any]


def differences(before: Iterable[Row], after: Iterable[Row], by: str) -> Iterator[tuple[str, Row, Row]]:
    """Each field that differs, and the webhook on both sides. One that is on one side only differs in `url`; the other is empty."""
    old, new = _by_key(before, by), _by_key(after, by)
    for key, row in old.items():
        if key not in new:
            yield "url", row, {}
            continue
        changed = (name for name in _FIELDS if _comparable(row, name) != _comparable(new[key], name))
        yield from ((name, row, new[key]) for name in changed)
    yield from (("url", {}, row) for key, row in new.items() if key not in old)


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
