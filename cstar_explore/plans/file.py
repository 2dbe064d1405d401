"""Plans as files: JSON with one change per line, readable by its owner only."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..files import read_text, unreadable
from ..text import printable
from .change import Change, State

_KIND = "cstar_explore plan"


def write_plan(
    path: str | Path, target: Mapping[str, Any], changes: Iterable[Change], existing_ids: Sequence[str]
) -> None:
    """Writes a new file, and syncs it to disk.

    Raises:
        ConfigurationError: The path exists, or cannot be written.
    """
    lines = ",\n".join(json.dumps(_entry(change)) for change in changes)
    head = json.dumps({"kind": _KIND, "version": 1, **target, "known": existing_ids})
    text = f'{head[:-1]}, "changes": [\n{lines}\n]}}\n'
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{printable(path, 200)} exists and was not overwritten: it may be needed to undo an earlier plan.",
            advice="Choose another name.",
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{printable(path, 200)} cannot be written: {getattr(error, 'strerror', None) or error}.",
            advice="Choose a path in a folder that you can write to.",
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_plan(path: str | Path) -> tuple[dict[str, Any], list[Change], list[str]]:
    """The file's content, its changes, and the IDs that existed when the plan was made.

    Raises:
        ConfigurationError: The file is not a plan of this version.
    """
    try:
        content = json.loads(read_text(path))
        if (content["kind"], content["version"]) != (_KIND, 1):
            raise unreadable(path, "it is not a plan of this version")
        changes = [_change(entry) for entry in content["changes"]]
        existing_ids = [_text(webhook_id) for webhook_id in content["known"]]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise unreadable(path, "it is not a plan") from None
    return content, changes, existing_ids


def _entry(change: Change) -> dict[str, Any]:
    entry = asdict(change)
    entry["remade"] = entry.pop("recreated")
    return entry


def _change(entry: Mapping[str, Any]) -> Change:
    webhook_id, before, after = entry["id"], _state(entry["before"]), _state(entry["after"])
    if (before is None and after is None) or (webhook_id is None and before is not None and after is not None):
        raise ValueError("A change needs a state, and an update needs an id.")
    return Change(None if webhook_id is None else _text(webhook_id), before, after, entry["remade"] is True)


def _state(entry: Mapping[str, Any] | None) -> State | None:
    if entry is None:
        return None
    events, active = entry["events"], entry["is_active"]
    if active not in (True, False, None) or isinstance(events, str):
        raise TypeError("events must be a list, and is_active a flag.")
    name, url = (None if entry[key] is None else _text(entry[key]) for key in ("name", "url"))
    return State(name, url, None if events is None else tuple(map(_text, events)), active)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("Expected text.")
    return value
