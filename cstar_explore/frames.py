"""cStar's JSON objects → DataFrames, column by column, with the fields declared in `schema`. pandas is imported here.

Columns are in snake_case, the ID first: times in UTC with microseconds, nullable flags and counts, and events as tuples, so that
`explode`, `merge` and `drop_duplicates` work. An empty frame has the same columns and dtypes. Undeclared fields become further
columns. A value that does not fit its column is kept in `<column>_raw`.

pandas lets MathJax typeset `$…$` in HTML tables, but webhook names are untrusted text. There is no setting for a single frame, so
the first frame created here sets `display.html.use_mathjax` to False for the process.
"""

import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from .schema import DELIVERY_FIELDS, FIRED_FIELDS, SECRET_KEYS, WEBHOOK_FIELDS, Field, Kind, parse_value

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

# The documented form of times. Other forms are parsed one by one, as in the models.
_PUBLISHED_TIMES = re.compile(r"(?:[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z(?:\n(?!\Z)|\Z))+", re.ASCII)


def from_rows(rows: Sequence[Any], dtypes: Mapping[str, str]) -> pd.DataFrame:
    """A frame with these columns and dtypes, from tuples or dicts. Times may be datetimes or ISO 8601 text."""
    _disable_mathjax()
    frame = pd.DataFrame(rows, columns=list(dtypes), dtype="object")
    for name, dtype in dtypes.items():
        if dtype == TIME:
            frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601").dt.as_unit("us")
    return frame.astype(dict(dtypes))


@cache
def _disable_mathjax() -> None:
    pd.set_option("display.html.use_mathjax", False)


def webhooks_frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per webhook; see `WebhookList.to_frame`."""
    return _frame(items, WEBHOOK_FIELDS)


def subscriptions_frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per webhook and subscribed event type; a webhook without events has no row."""
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
        columns[_unused_name(snake_case(key), columns)] = _undeclared([value] * rows)
    return pd.DataFrame(columns)


def is_missing(value: object) -> bool:
    """Whether a cell is None, NaN, NaT or NA."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with plain Python values, and None for missing ones."""
    objects = frame.astype("object")
    return objects.where(frame.notna(), None)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of `plain` as dicts, by column name."""
    return [{str(name): value for name, value in row.items()} for row in plain(frame).to_dict("records")]


def _frame(items: Sequence[Item], fields: Iterable[Field]) -> pd.DataFrame:
    _disable_mathjax()
    # Distinct tuples of keys, instead of the keys of every object: most objects of a list have the same keys.
    shapes = dict.fromkeys(map(tuple, items))
    present = dict.fromkeys(key for shape in shapes for key in shape if key not in SECRET_KEYS)
    columns: dict[str, Column] = {}
    misfits: dict[str, Column] = {}
    for field in fields:
        keys = [key for key in field.keys if key in present]
        columns[field.name], misfit = _column(_raw_values(items, keys), field.kind)
        if misfit is not None:
            misfits[field.name] = misfit
        for number, key in enumerate(keys):
            # If an object has a field in both spellings, the second becomes a column of its own below.
            if not any(key in shape and not set(keys[:number]).isdisjoint(shape) for shape in shapes):
                del present[key]
    for key in present:
        columns[_unused_name(snake_case(key), columns)] = _undeclared([item.get(key) for item in items])
    for name, misfit in misfits.items():
        columns[_unused_name(f"{name}_raw", columns)] = misfit
    return pd.DataFrame(columns, index=pd.RangeIndex(len(items)), copy=False)


def _unused_name(name: str, taken: Mapping[str, object]) -> str:
    """The name, with a number if it is taken."""
    numbered = (f"{name}_{number}" for number in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def snake_case(name: str) -> str:
    """`isActive` → `is_active`. Names that are not identifiers are unchanged."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower() if name.isidentifier() else name


def _raw_values(items: Sequence[Item], keys: Sequence[str]) -> list[Any]:
    if not keys:
        return [None] * len(items)
    if len(keys) == 1:
        key = keys[0]
        return [item.get(key) for item in items]
    return [next((item[key] for key in keys if key in item), None) for item in items]


def _column(raw: list[Any], kind: Kind) -> tuple[Column, Column | None]:
    """The values as their kind; and, if some do not fit, a column of those as received."""
    column = _fast_column(raw, kind)
    if column is not None:
        return column, None
    values = [parse_value(value, kind) for value in raw]
    misfits = [original if value is None else None for original, value in zip(raw, values, strict=True)]
    any_misfit = any(value is not None for value in misfits)
    return _array(values, kind), _objects(misfits) if any_misfit else None


def _fast_column(raw: list[Any], kind: Kind) -> Column | None:
    """The whole column in one call if every value has the documented form, else None."""
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
            # numpy reads this form except for the Z, and the pattern admits no other zone.
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
