"""What was added, removed and changed between two audits, and which findings are new or resolved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ValidationError
from ..plans import shown
from ..text import printable
from .baseline import Baseline, baseline_of, read_baseline
from .result import AuditResult

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("account", "what", "id", "name", "field", "before", "after")
_FIELDS = ("name", "url", "events", "is_active")

Row = Mapping[str, Any]
Line = tuple[str | None, ...]


def compare(
    before: "AuditResult | Baseline | str | Path",
    after: "AuditResult | Baseline | str | Path",
    by: Literal["id", "name"] = "id",
) -> "pd.DataFrame":
    """What differs between two audits.

    Args:
        before, after: Audits, or baselines or their paths.
        by: How webhooks are paired: by account and id; or by name alone, to compare one account with another, such as
            production with staging.

    Returns:
        A row per difference; columns, all str: `account`, `what` (added, removed, changed, new finding, resolved finding,
        not compared), `id`, `name`, `field` (of a finding, its rule), `before`, `after`. An account that was not read on one
        side is not compared, and says so.

    Raises:
        ConfigurationError: A file is no baseline.
        ValidationError: `by` is something else.
    """
    from ..frames import from_rows

    if by not in ("id", "name"):
        raise ValidationError(f"by='{printable(by, 80)}' cannot be.", param="by", advice="Give 'id' or 'name'.")
    was, now = _baseline(before), _baseline(after)
    unread = _unread(was) | _unread(now)
    # Paired by name, what stands on one side only may stand in an account of the other that was not read.
    untold = {
        *(("added", "new finding") if by == "name" and _unread(was) else ()),
        *(("removed", "resolved finding") if by == "name" and _unread(now) else ()),
    }
    lines: list[Line] = [(account, "not compared", None, None, None, None, why) for account, why in unread.items()]
    was, now = _without(was, unread), _without(now, unread)
    lines += [line for line in (*_webhooks(was, now, by), *_findings(was, now, by)) if line[1] not in untold]
    return from_rows(lines, dict.fromkeys(_COLUMNS, "str"))


def _baseline(side: "AuditResult | Baseline | str | Path") -> Baseline:
    if isinstance(side, AuditResult):
        return baseline_of(side)
    return side if isinstance(side, Baseline) else read_baseline(side)


def _unread(side: Baseline) -> dict[str, str]:
    return {
        row["account"]: f"It was {'not tried' if row['state'] == 'not tried' else 'not read'}: {row['error']}"
        for row in side.accounts
        if row["state"] != "read"
    }


def _without(side: Baseline, unread: Mapping[str, str]) -> Baseline:
    kept = ([row for row in rows if row["account"] not in unread] for rows in (side.webhooks, side.findings))
    return Baseline(side.taken, side.accounts, *map(tuple, kept))


def _webhooks(was: Baseline, now: Baseline, by: str) -> Iterator[Line]:
    before, after = _keyed(was.webhooks, by), _keyed(now.webhooks, by)
    for key, row in before.items():
        if key not in after:
            yield _line(row, "removed", "url", row["url"], None)
        else:
            other = after[key]
            for name in _FIELDS:
                if _value(row, name) != _value(other, name):
                    yield _line(other, "changed", name, shown(row[name]), shown(other[name]))
    for key, row in after.items():
        if key not in before:
            yield _line(row, "added", "url", None, row["url"])


def _findings(was: Baseline, now: Baseline, by: str) -> Iterator[Line]:
    def keyed(rows: Iterable[Row]) -> dict[tuple[Any, ...], Row]:
        about = ("account", "webhook_id") if by == "id" else ("name",)
        # What is about a whole team is told apart by what was seen.
        return {
            (row["rule"], *(row[name] for name in about), None if row["webhook_id"] else row["evidence"]): row
            for row in rows
        }

    before, after = keyed(was.findings), keyed(now.findings)
    for row in (before[key] for key in before if key not in after):
        yield (row["account"], "resolved finding", row["webhook_id"], row["name"], row["rule"], row["evidence"], None)
    for row in (after[key] for key in after if key not in before):
        yield (row["account"], "new finding", row["webhook_id"], row["name"], row["rule"], None, row["evidence"])


def _keyed(rows: Iterable[Row], by: str) -> dict[tuple[Any, ...], Row]:
    """Rows by what pairs them; of several with one name, the first with the first."""
    found: dict[tuple[Any, ...], Row] = {}
    seen: dict[Any, int] = defaultdict(int)
    for row in rows:
        key = (row["account"], row["id"]) if by == "id" else (row["name"],)
        seen[key] += 1
        found[(*key, seen[key])] = row
    return found


def _value(row: Row, name: str) -> Any:
    return frozenset(row[name] or ()) if name == "events" else row[name]


def _line(row: Row, what: str, field: str, before: str | None, after: str | None) -> Line:
    return (row["account"], what, row["id"], row["name"], field, before, after)
