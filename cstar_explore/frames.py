"""Objects of cStar's JSON → DataFrames, column by column, under the fields declared in `schema`. pandas is imported here.

Columns are snake_case, with the id first, times in UTC with microseconds, nullable flags and counts, and events as tuples, on which
`explode`, `merge` and `drop_duplicates` work. A frame has the same columns and dtypes with no rows as with many. An undeclared
field becomes one more column. A value that does not fit its column is kept in `<column>_raw`.

pandas lets MathJax typeset `$…$` in HTML tables, and names of webhooks are foreign text. It has no setting for a single frame, so
the first frame made here sets `display.html.use_mathjax` to False for the process.
"""

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from .schema import DELIVERY_FIELDS, FIRED_FIELDS, SECRET_KEYS, WEBHOOK_FIELDS, Field, Kind, readable

TIME = "datetime64[us, UTC]"

DTYPES: Mapping[Kind, str] = {
    "text": "str",
    "flag": "boolean",
    "integer": "Int64",
    "time": TIME,
    "events": "object",
}

Item = Mapping[str, Any]
Column = Any  # an array of pandas or numpy

# The published form of times. Other forms go one by one through the reader that the models use.
_PUBLISHED_TIMES = re.compile(r"(?:[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z(?:\n(?!\Z)|\Z))+", re.ASCII)


def from_rows(rows: Sequence[Any], dtypes: Mapping[str, str]) -> pd.DataFrame:
    """A frame of tuples or dicts with these columns and dtypes. Times may be datetimes or ISO 8601 text."""
    _show_dollars_as_text()
    frame = pd.DataFrame(rows, columns=list(dtypes), dtype="object")
    for name, dtype in dtypes.items():
        if dtype == TIME:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").dt.as_unit("us")
    return frame.astype(dict(dtypes))


@cache
def _show_dollars_as_text() -> None:
    pd.set_option("display.html.use_mathjax", False)


def webhooks_frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per webhook; see `WebhookList.to_frame`."""
    return _frame(items, WEBHOOK_FIELDS)


def subscriptions_frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per webhook and event it subscribes to; a webhook without events has no row."""
    frame = webhooks_frame(items)[["id", "name", "url", "events", "is_active"]]
    rows = frame.explode("events").dropna(subset=["events"]).rename(columns={"events": "event"})
    return rows.astype({"event": "str"})[["id", "name", "url", "event", "is_active"]].reset_index(drop=True)


def fired_frame(event: Item, deliveries: Sequence[Item], extra: Item) -> pd.DataFrame:
    """A row per reported delivery, or one row for the event; see `FiredEvent.to_frame`."""
    rows = len(deliveries) or 1
    left = _frame([event] * rows, FIRED_FIELDS)[["event_id", "event", "test", "delivered_to"]]
    right = _frame(deliveries or [{}], DELIVERY_FIELDS).rename(columns={"event": "delivery_event"})
    if right["delivery_event"].isna().all() or right["delivery_event"].equals(left["event"].rename("delivery_event")):
        right = right.drop(columns="delivery_event")  # it repeats the event
    columns: dict[str, Any] = {str(name): column for part in (left, right) for name, column in part.items()}
    for key, value in extra.items():
        columns[_free(snake_case(key), columns)] = _undeclared([value] * rows)
    return pd.DataFrame(columns)


def is_missing(value: object) -> bool:
    """Whether a cell is None, NaN, NaT or NA."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with plain Python values in its cells, and None where one is missing."""
    objects = frame.astype("object")
    return objects.where(frame.notna(), None)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `plain`, each by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in plain(frame).to_dict("records")]


def _frame(items: Sequence[Item], fields: Iterable[Field]) -> pd.DataFrame:
    _show_dollars_as_text()
    # The keys of each kind of object, and not of each object: mostly all objects of a list have the same.
    kinds = dict.fromkeys(map(tuple, items))
    present = dict.fromkeys(key for kind in kinds for key in kind if key not in SECRET_KEYS)
    columns: dict[str, Column] = {}
    misfits: dict[str, Column] = {}
    for known in fields:
        keys = [key for key in known.keys if key in present]
        columns[known.name], misfit = _column(_raw_values(items, keys), known.kind)
        if misfit is not None:
            misfits[known.name] = misfit
        for number, key in enumerate(keys):
            # An object that spells a field in both ways keeps the second under its own name, further down.
            if not any(key in kind and not set(keys[:number]).isdisjoint(kind) for kind in kinds):
                del present[key]
    for key in present:
        columns[_free(snake_case(key), columns)] = _undeclared([item.get(key) for item in items])
    for name, misfit in misfits.items():
        columns[_free(f"{name}_raw", columns)] = misfit
    return pd.DataFrame(columns, index=pd.RangeIndex(len(items)), copy=False)


def _free(name: str, taken: Mapping[str, object]) -> str:
    """The name, or the name with the first number that makes it a new one."""
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def snake_case(name: str) -> str:
    """`isActive` → `is_active`; a name that has no such humps stays as it is."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if name.isidentifier() else name


def _raw_values(items: Sequence[Item], keys: Sequence[str]) -> list[Any]:
    if not keys:
        return [None] * len(items)
    if len(keys) == 1:
        key = keys[0]
        return [item.get(key) for item in items]
    return [next((item[key] for key in keys if key in item), None) for item in items]


def _column(raw: list[Any], kind: Kind) -> tuple[Column, Column | None]:
    """The values as their kind; and, where some could not be read so, those as they came."""
    column = _at_once(raw, kind)
    if column is not None:
        return column, None
    values = [readable(value, kind) for value in raw]
    misfits = [was if now is None else None for was, now in zip(raw, values, strict=True)]
    unread = any(value is not None for value in misfits)
    return _array(values, kind), _objects(misfits) if unread else None


def _at_once(raw: list[Any], kind: Kind) -> Column | None:
    """The whole column in one call where every value has the published form; None where one has not."""
    types = set(map(type, raw)) - {type(None)}
    if kind == "events" and types <= {list}:
        parts = set(map(type, itertools.chain.from_iterable(filter(None, raw))))
        return _array([None if value is None else tuple(value) for value in raw], kind) if parts <= {str} else None
    if (kind, types) == ("flag", {bool}) and None not in raw:
        values = np.array(raw, dtype=bool)
        return pd.arrays.BooleanArray(values, np.zeros_like(values))
    if (kind, types) in (("text", {str}), ("flag", {bool})) or not types:
        return _array(raw, kind)
    if kind == "time" and types == {str} and _PUBLISHED_TIMES.fullmatch("\n".join(filter(None, raw))):
        try:
            # numpy reads the published form as it is, but for the Z; no other zone has passed.
            return _utc(np.array(["NaT" if value is None else value[:-1] for value in raw], dtype="datetime64[us]"))
        except ValueError:
            return None
    return None


def _array(values: list[Any], kind: Kind) -> Column:
    if kind == "events":
        return _objects([float("nan") if value is None else value for value in values])
    if kind == "time" and not any(values):
        return _utc(np.full(len(values), "NaT", dtype="datetime64[us]"))
    return pd.array(values, dtype=DTYPES[kind])  # type: ignore[call-overload] # one of five names


def _utc(moments: Any) -> Column:
    return pd.DatetimeIndex(moments).tz_localize("UTC").array


def _objects(values: list[Any]) -> Column:
    return np.fromiter(values, dtype=object, count=len(values))


def _undeclared(values: list[Any]) -> Column:
    types = set(map(type, values)) - {type(None)}
    if types == {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return pd.array(values, dtype="Int64")
    dtype = {bool: "boolean", str: "str", float: "float64"}.get(next(iter(types), object)) if len(types) == 1 else None
    return _objects(values) if dtype is None else pd.Series(values, dtype=dtype).array
