"""Plans as files: JSON with one change per line, readable by its owner only."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ConfigurationError
from ..files import read_saved, replace_file, unreadable, write_new_file
from ..text import printable
from .change import Change, State

_HEAD = {"kind": "cstar_explore plan", "version": 1}


class PlanFile(NamedTuple):
    """The content of a file.

    Attributes:
        plan_id: The same for all files of one plan.
        target: Team, environment and base URL.
        changes: One for each webhook.
        existing_ids: The webhooks that existed when the plan was made.
        created_ids: The webhooks that it created, by the index of their change. The only part that changes.
    """

    plan_id: str
    target: Mapping[str, Any]
    changes: Sequence[Change]
    existing_ids: frozenset[str]
    created_ids: dict[int, str]

    def write_new(self, path: str | Path) -> None:
        """Writes a new file, and syncs it to disk.

        Raises:
            ConfigurationError: The path exists, or cannot be written.
        """
        write_new_file(path, _text_of(self), existing="it may be needed to undo an earlier plan")

    def record(self, path: Path) -> None:
        """Adds the IDs of created webhooks to the file of this plan, and syncs it to disk.

        Takes over those in the file: another process may have recorded what it created.

        Raises:
            ConfigurationError: The file is not of this plan any more, or cannot be written.
        """
        written = read_plan(path)
        if written.plan_id != self.plan_id:
            raise ConfigurationError(
                f"{printable(path, 200)} is the file of another plan now, so progress cannot be recorded there.",
                advice="Save this plan under another name, and apply it again.",
            )
        for index, webhook_id in written.created_ids.items():
            self.created_ids.setdefault(index, webhook_id)
        replace_file(path, _text_of(self), private=True)


def read_plan(path: str | Path) -> PlanFile:
    """Reads a plan.

    Raises:
        ConfigurationError: The file is not a plan of this version.
    """

    def read(content: Any) -> PlanFile:
        changes = [_change(entry) for entry in content["changes"]]
        existing_ids = frozenset(map(_text, content["known"]))
        created_ids = {int(index): _text(webhook_id) for index, webhook_id in content["created"].items()}
        if not all(index in range(len(changes)) and changes[index].before is None for index in created_ids):
            raise unreadable(path, "a webhook that it created belongs to none of its changes")
        target = {name: content.get(name) for name in ("team_id", "environment", "base_url")}
        return PlanFile(_text(content["plan"]), target, changes, existing_ids, created_ids)

    return read_saved(path, "plan", _HEAD, read)


def _text_of(file: PlanFile) -> str:
    lines = ",\n".join(json.dumps(_entry(change)) for change in file.changes)
    created = {str(index): webhook_id for index, webhook_id in sorted(file.created_ids.items())}
    content = {**_HEAD, "plan": file.plan_id, **file.target, "known": sorted(file.existing_ids), "created": created}
    head = json.dumps(content)
    return f'{head[:-1]}, "changes": [\n{lines}\n]}}\n'


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
