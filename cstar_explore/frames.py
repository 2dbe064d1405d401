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
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from .errors import ValidationError
from .hosts import host_of
from .schema import DELIVERY_FIELDS, FIRED_FIELDS, SECRET_KEYS, WEBHOOK_FIELDS, Field, Kind, parse_value
from .text import printable, redacted

TIME = "datetime64[us, UTC]"

# `str`, stored as Python objects whether or not pyarrow is installed: pyarrow cannot hold unpaired surrogates, JSON can.
TEXT: Any = pd.StringDtype("python", na_value=np.nan)

# Excel stores times without a zone. The column's name has the zone instead.
UTC_SUFFIX = "_utc"

DTYPES: Mapping[Kind, Any] = {
    "text": TEXT,
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
    return frame.astype({name: TEXT if dtype == "str" else dtype for name, dtype in dtypes.items()})


@cache
def _disable_mathjax() -> None:
    pd.set_option("display.html.use_mathjax", False)


def webhooks_frame(items: Sequence[Item]) -> pd.DataFrame:
    """A row per webhook; see `WebhookList.to_frame`."""
    return _frame(items, WEBHOOK_FIELDS)


def with_host(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column `host` (str): the host of `url` in lower case, missing where the URL has none."""
    return _with_column(
        frame, "host", pd.array([(isinstance(url, str) and host_of(url)) or None for url in frame["url"]], dtype=TEXT)
    )


def with_age(frame: pd.DataFrame, now: datetime | None) -> pd.DataFrame:
    """The frame with a column `age_days` (Int64): whole days since `created_at`; missing if either time is unknown."""
    days = (pd.Timestamp(now) - frame["created_at"]).dt.days if now is not None else pd.Series([pd.NA] * len(frame))
    return _with_column(frame, "age_days", days.astype("Int64").array)


def _with_column(frame: pd.DataFrame, name: str, values: Column) -> pd.DataFrame:
    """The frame with one more column. A column of this name that cStar sent gets a number."""
    if name in frame.columns:
        frame = frame.rename(columns={name: _unused_name(name, dict.fromkeys(frame.columns))})
    return frame.assign(**{name: values})


def subscriptions_frame(
    items: Sequence[Item], resolve: Callable[[tuple[str, ...]], tuple[str, ...]] | None = None
) -> pd.DataFrame:
    """A row per webhook and subscribed event type; a webhook without events has no row.

    Args:
        items: cStar's objects.
        resolve: Turns the events of a webhook into the types that they match.
    """
    frame = webhooks_frame(items)[["id", "name", "url", "events", "is_active"]]
    if resolve is not None:
        frame["events"] = _objects([resolve(cell) if isinstance(cell, tuple) else cell for cell in frame["events"]])
    rows = frame.explode("events").dropna(subset=["events"]).rename(columns={"events": "event"})
    return rows.astype({"event": TEXT})[["id", "name", "url", "event", "is_active"]].reset_index(drop=True)


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
    return _from_columns(columns, rows)


def as_frame(table: Any) -> pd.DataFrame:
    """A table of webhooks, from any library and through any file format, with the columns of `WebhookList.to_frame`.

    An index `id` becomes a column, arrays (Parquet) become lists, and times of `to_excel` get their zone back. The given table
    is not changed.

    Args:
        table: A DataFrame of pandas or polars, a Table of pyarrow, a relation of DuckDB, or another table with `to_pandas()`.

    Raises:
        ValidationError: It is not a table, its library cannot convert it, or two columns have the same name.
    """
    frame = table if isinstance(table, pd.DataFrame) else _converted(table)
    if frame.index.name == "id" and "id" not in frame.columns:
        frame = frame.reset_index()
    if len(set(map(str, frame.columns))) < len(frame.columns):
        raise ValidationError("Two columns have the same name.", advice="Drop one of them.")
    for name in ("created_at", "updated_at"):
        if f"{name}{UTC_SUFFIX}" in frame.columns and name not in frame.columns:
            frame = frame.rename(columns={f"{name}{UTC_SUFFIX}": name})
            times = pd.to_datetime(frame[name], utc=True, format="ISO8601", errors="coerce").dt.as_unit("us")
            frame = frame.assign(**{name: times})
    arrays = [name for name in frame.columns if any(_is_array(cell) for cell in frame[name])]
    return frame.assign(**{
        name: _objects([cell.tolist() if _is_array(cell) else cell for cell in frame[name]]) for name in arrays
    })  # fmt: skip


def for_excel(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with plain Python values and times without zone, in UTC, in columns whose names end in `_utc`."""
    zoned = [name for name in frame.columns if isinstance(frame[name].dtype, pd.DatetimeTZDtype)]
    naive = {name: frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned}
    objects = frame.assign(**naive).astype("object")
    return objects.where(objects.notna(), None).rename(columns={name: f"{name}{UTC_SUFFIX}" for name in zoned})


def _converted(table: Any) -> pd.DataFrame:
    frame = None
    try:
        if hasattr(table, "to_dicts"):  # polars; the values are Python's
            frame = pd.DataFrame(table.to_dicts(), columns=list(table.columns), dtype="object")
        elif hasattr(table, "to_pylist"):  # pyarrow
            frame = pd.DataFrame(table.to_pylist(), columns=list(table.column_names), dtype="object")
        elif hasattr(table, "to_pandas"):
            frame = table.to_pandas()
        elif hasattr(table, "to_df"):  # DuckDB
            frame = table.to_df()
    except Exception:  # noqa: BLE001, S110 - another library's, of any type
        pass
    if isinstance(frame, pd.DataFrame):
        return frame
    raise ValidationError(
        f"Expected a DataFrame, not {printable(redacted(repr(table)), 80)}.",
        advice="Pass a DataFrame of pandas or polars, a Table of pyarrow, or a relation of DuckDB.",
    )


def _is_array(cell: object) -> bool:
    return isinstance(cell, np.ndarray) and cell.ndim == 1


def is_missing(value: object) -> bool:
    """Whether a cell is None, NaN, NaT or NA."""
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dicts, by column name, with plain Python values, and None for missing ones. The frame may be another program's."""
    rows = frame.astype("object").to_dict("records")
    return [{str(name): None if is_missing(value) else value for name, value in row.items()} for row in rows]


def _frame(items: Sequence[Item], fields: Iterable[Field]) -> pd.DataFrame:
    _disable_mathjax()
    # Distinct tuples of keys, instead of the keys of every object: mostly, all objects of a list have the same keys.
    are_alike = set(map(len, items)) == {len(set().union(*items))}
    shapes = dict.fromkeys(map(tuple, items[:1] if are_alike else items))
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
    return _from_columns(columns, len(items))


def _from_columns(columns: Mapping[str, Any], rows: int) -> pd.DataFrame:
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=pd.RangeIndex(rows), copy=False)
    frame.columns = pd.Index(list(columns), dtype=TEXT)
    return frame


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
        cells = [float("nan") if value is None else tuple(value) for value in raw]
        return _objects(cells) if parts <= {str} else None
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
    return pd.array(values, dtype=DTYPES[kind])


def _utc(moments: Any) -> Column:
    return pd.DatetimeIndex(moments).tz_localize("UTC").array


def _objects(values: list[Any]) -> Column:
    return np.fromiter(values, dtype=object, count=len(values))


def _undeclared(values: list[Any]) -> Column:
    types = set(map(type, values)) - {type(None)}
    if types == {int} and all(abs(value) < 2**63 for value in values if value is not None):
        return pd.array(values, dtype="Int64")
    dtype = {bool: "boolean", str: TEXT, float: "float64"}.get(next(iter(types), object)) if len(types) == 1 else None
    return _objects(values) if dtype is None else pd.Series(values, dtype=dtype).array
