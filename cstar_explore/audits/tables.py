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
from .fetching import FetchResult
from .redaction import masked_text

_ACCOUNT_COLUMNS = ("account", "team_id", "environment")


def webhooks_frame(fetched: Sequence[FetchResult]) -> pd.DataFrame:
    """Every webhook of every account; see `Audit.webhooks`."""
    read = [(result, item) for result in fetched for item in result.items or ()]
    frame = frames.webhooks_frame([item for _, item in read])
    accounts = frames.from_rows([vars(result) for result, _ in read], dict.fromkeys(_ACCOUNT_COLUMNS, "str"))
    # A field of these names in cStar's own webhooks keeps its column, renamed.
    frame = frame.rename(columns={name: f"{name}_told" for name in _ACCOUNT_COLUMNS})
    return pd.concat([accounts, frame], axis=1)


def accounts_frame(fetched: Sequence[FetchResult]) -> pd.DataFrame:
    """A row per account; see `Audit.accounts`."""
    rows = []
    for result in fetched:
        if result.items is not None:
            outcome: tuple[str, int | None, str | None] = ("read", len(result.items), None)
        elif result.error is not None:
            outcome = ("failed", None, masked_text(str(result.error)))
        else:
            outcome = ("not tried", None, "The audit was stopped before this account.")
        rows.append((result.account, result.team_id, result.environment, *outcome))
    names = [*_ACCOUNT_COLUMNS, "state", "webhooks", "error"]
    return frames.from_rows(rows, dict.fromkeys(names, "str") | {"webhooks": "Int64"})


def results_from_frame(frame: Any) -> list[FetchResult]:
    """A frame of webhooks, of one account or several and of any library, as if they had just been fetched.

    Raises:
        ValidationError: It is not a frame of webhooks.
    """
    frame = frames.as_frame(frame)
    for name in ("id", "url", "events"):
        if name not in frame.columns:
            raise ValidationError(
                f"The frame has no column '{name}'.",
                param=name,
                advice="Use a frame like that of webhooks.list().to_frame().",
            )
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
    for row in frames.records(frame.drop(columns=[*_ACCOUNT_COLUMNS], errors="ignore")):
        yield {name: _PARSERS.get(name, _plain)(value) for name, value in row.items() if value is not None}


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
    parts = [value] if isinstance(value, str) else value
    is_text = isinstance(parts, list | tuple) and all(isinstance(part, str) for part in parts)
    return list(split_events(parts)) if is_text else value


def _flag(value: Any) -> Any:
    flag = parse_flag(value)
    return value if flag is None else flag


_PARSERS: Mapping[str, Callable[[Any], Any]] = {"events": _events, "is_active": _flag, "id": str}
