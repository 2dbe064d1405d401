"""Readings as frames, and frames of webhooks as readings."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from .. import frames
from ..csv_files import flag_in, list_in
from ..errors import ValidationError
from ..events import split_events
from ..text import printable
from .fetching import Reading

_WHOSE = ("account", "team_id", "environment")


def webhooks_frame(readings: Sequence[Reading]) -> pd.DataFrame:
    """Every webhook of every account; see `Audit.webhooks`."""
    read = [(reading, reading.items) for reading in readings if reading.items]
    frame = frames.webhooks_frame([item for _, items in read for item in items])
    whose: dict[str, pd.Series[Any]] = {
        name: pd.Series([getattr(reading, name) for reading, items in read for _ in items], dtype="str")
        for name in _WHOSE
    }
    # Should cStar's own webhooks have a field of that name, it keeps its place behind, under another one.
    frame = frame.rename(columns={name: f"{name}_told" for name in _WHOSE})
    return pd.concat([pd.DataFrame(whose), frame], axis=1)


def accounts_frame(readings: Sequence[Reading]) -> pd.DataFrame:
    """What came of each account; see `Audit.accounts`."""
    rows = [
        (
            *(getattr(reading, name) for name in _WHOSE),
            reading.state,
            None if reading.items is None else len(reading.items),
            "Stopped before it." if reading.state == "not tried" else reading.error and str(reading.error),
        )
        for reading in readings
    ]
    names = [*_WHOSE, "state", "webhooks", "error"]
    return frames.from_rows(rows, dict.fromkeys(names, "str") | {"webhooks": "Int64"})


def readings_in(frame: pd.DataFrame) -> list[Reading]:
    """A frame of webhooks, of one account or several, as if they had just been read.

    Raises:
        ValidationError: It is none.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ValidationError(
            f"An audit is of a client, of accounts, or of webhooks, not of {printable(repr(frame), 80)}.",
            advice="Give a Client, cx.Accounts(…), a WebhookList or its frame.",
        )
    for name in ("id", "url", "events"):
        if name not in frame.columns:
            raise ValidationError(
                f"A frame of webhooks has a column '{name}'.", param=name, advice="webhooks.list().to_frame() is one."
            )
    if not frame.columns.is_unique:
        raise ValidationError("Two columns of the frame have one name.", advice="Drop one of them.")
    whose = [frame[name].fillna("").map(str) if name in frame.columns else [""] * len(frame) for name in _WHOSE]
    teams: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for account, team_id, environment, item in zip(*whose, _items(frame), strict=True):
        teams.setdefault((account or team_id, team_id, environment), []).append(item)
    return [Reading(*key, tuple(items)) for key, items in teams.items()] or [Reading("", "", "", ())]


def _items(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Each row as an object of cStar's JSON: what is missing is left out."""
    names = [str(name) for name in frame.columns if name not in _WHOSE]
    for row in frame[names].astype("object").to_dict("records"):
        item = {str(name): value for name, value in row.items() if isinstance(value, list | tuple) or pd.notna(value)}
        yield {name: _READ.get(name, _plain)(value) for name, value in item.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, pd.Timestamp) else value


def _events(value: Any) -> Any:
    try:
        value = list_in(value)
    except ValueError:
        return value
    fits = isinstance(value, str) or (isinstance(value, list | tuple) and all(isinstance(part, str) for part in value))
    return list(split_events(value)) if fits else value


def _flag(value: Any) -> Any:
    read = flag_in(value)
    return value if read is None else read


_READ: Mapping[str, Callable[[Any], Any]] = {"events": _events, "is_active": _flag, "id": str}
