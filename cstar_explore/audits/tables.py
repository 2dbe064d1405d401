"""Fetch results as frames, and frames of webhooks as fetch results."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from .. import frames
from ..csv_files import parse_flag, parse_list
from ..errors import ValidationError
from ..events import split_events
from ..models import WebhookList
from ..text import printable
from .fetching import FetchResult
from .redaction import masked_text

_ACCOUNT_COLUMNS = ("account", "team_id", "environment")
# `WebhookList.to_excel` writes times without zone: Excel has none.
_EXCEL_NAMES = {f"{name}{frames.UTC_SUFFIX}": name for name in ("created_at", "updated_at")}


def webhooks_frame(fetched: Sequence[FetchResult]) -> pd.DataFrame:
    """Every webhook of every account; see `Audit.webhooks`."""
    read = [(result, result.items) for result in fetched if result.items]
    frame = frames.webhooks_frame([item for _, items in read for item in items])
    accounts: dict[str, pd.Series[Any]] = {
        name: pd.Series([getattr(result, name) for result, items in read for _ in items], dtype="str")
        for name in _ACCOUNT_COLUMNS
    }
    # A field of these names in cStar's own webhooks keeps its column, renamed.
    frame = frame.rename(columns={name: f"{name}_told" for name in _ACCOUNT_COLUMNS})
    return pd.concat([pd.DataFrame(accounts), frame], axis=1)


def accounts_frame(fetched: Sequence[FetchResult]) -> pd.DataFrame:
    """A row per account; see `Audit.accounts`."""
    rows = [
        (
            *(getattr(result, name) for name in _ACCOUNT_COLUMNS),
            result.state,
            None if result.items is None else len(result.items),
            "The audit was stopped before this account."
            if result.state == "not tried"
            else result.error and masked_text(str(result.error)),
        )
        for result in fetched
    ]
    names = [*_ACCOUNT_COLUMNS, "state", "webhooks", "error"]
    return frames.from_rows(rows, dict.fromkeys(names, "str") | {"webhooks": "Int64"})


def results_from_frame(frame: pd.DataFrame) -> list[FetchResult]:
    """A frame of webhooks, of one account or several, as if they had just been fetched.

    Raises:
        ValidationError: It is not a frame of webhooks.
    """
    if not isinstance(frame, pd.DataFrame):
        raise ValidationError(
            f"An audit needs a client, accounts or webhooks, not {printable(repr(frame), 80)}.",
            advice="Give a Client, cx.Accounts(…), a WebhookList or its frame.",
        )
    for name in ("id", "url", "events"):
        if name not in frame.columns:
            raise ValidationError(
                f"The frame has no column '{name}'.",
                param=name,
                advice="Use a frame like that of webhooks.list().to_frame().",
            )
    if not frame.columns.is_unique:
        raise ValidationError("The frame has two columns with the same name.", advice="Drop one of them.")
    names = {old: new for old, new in _EXCEL_NAMES.items() if new not in frame.columns}
    frame = frame.rename(columns=names)
    columns = [
        frame[name].fillna("").map(str) if name in frame.columns else [""] * len(frame) for name in _ACCOUNT_COLUMNS
    ]
    teams: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    items = WebhookList(_items(frame))._items  # noqa: SLF001 - without the secrets that a frame of others may have
    for account, team_id, environment, item in zip(*columns, items, strict=True):
        teams.setdefault((account or team_id, team_id, environment), []).append(item)
    return [FetchResult(*key, tuple(items)) for key, items in teams.items()] or [FetchResult("", "", "", ())]


def _items(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Each row as an object of cStar's JSON, without its missing cells."""
    names = [str(name) for name in frame.columns if name not in _ACCOUNT_COLUMNS]
    for row in frame[names].astype("object").to_dict("records"):
        item = {str(name): value for name, value in row.items() if not frames.is_missing(value)}
        yield {name: _PARSERS.get(name, _plain)(value) for name, value in item.items()}


def _plain(value: Any) -> Any:
    """Plain JSON: times as text, arrays and dicts of other libraries as lists and dicts."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def _events(value: Any) -> Any:
    try:
        value = parse_list(value)
    except ValueError:
        return value
    is_text = isinstance(value, str) or (
        isinstance(value, list | tuple) and all(isinstance(part, str) for part in value)
    )
    return list(split_events(value)) if is_text else value


def _flag(value: Any) -> Any:
    flag = parse_flag(value)
    return value if flag is None else flag


_PARSERS: Mapping[str, Callable[[Any], Any]] = {"events": _events, "is_active": _flag, "id": str}
