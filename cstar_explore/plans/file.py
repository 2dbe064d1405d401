"""A plan as a file: small JSON, a change on each line, its owner's alone."""

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


def write_plan(path: str | Path, where: Mapping[str, Any], changes: Iterable[Change], known: Sequence[str]) -> None:
    """Writes a new file; it is on the disk when this returns.

    Raises:
        ConfigurationError: The path exists, or cannot be written to.
    """
    lines = ",\n".join(json.dumps(asdict(change)) for change in changes)
    head = json.dumps({"kind": _KIND, "version": 1, **where, "known": known})
    text = f'{head[:-1]}, "changes": [\n{lines}\n]}}\n'
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"{printable(path, 200)} exists, and was left as it is: it may be what takes an earlier change back.",
            advice="Give another name.",
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{printable(path, 200)} cannot be written: {getattr(error, 'strerror', None) or error}.",
            advice="Give a path in a folder you may write to.",
        ) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def read_plan(path: str | Path) -> tuple[dict[str, Any], list[Change], list[str]]:
    """What a plan is for, its changes, and the ids that were known to it.

    Raises:
        ConfigurationError: The file is no plan of this version.
    """
    try:
        plan = json.loads(read_text(path))
        if (plan["kind"], plan["version"]) != (_KIND, 1):
            raise unreadable(path, "it is no plan of this version")
        changes = [_change(entry) for entry in plan["changes"]]
        known = [_text(identity) for identity in plan["known"]]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise unreadable(path, "it is no plan") from None
    return plan, changes, known


def _change(entry: Mapping[str, Any]) -> Change:
    identity, before, after = entry["id"], _state(entry["before"]), _state(entry["after"])
    if (before is None and after is None) or (identity is None and before is not None and after is not None):
        raise ValueError("A change has nothing to change.")
    return Change(None if identity is None else _text(identity), before, after, entry["remade"] is True)


def _state(entry: Mapping[str, Any] | None) -> State | None:
    if entry is None:
        return None
    events, active = entry["events"], entry["is_active"]
    if active not in (True, False, None) or isinstance(events, str):
        raise TypeError("A state is not one.")
    name, url = (None if entry[key] is None else _text(entry[key]) for key in ("name", "url"))
    return State(name, url, None if events is None else tuple(map(_text, events)), active)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("Text was expected.")
    return value
