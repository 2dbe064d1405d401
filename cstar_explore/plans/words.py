"""What a plan does, in the words of a reader who decides whether to apply it."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..text import plural, printable
from .change import Change, State, format_difference

_LABELS = {"name": "Name", "url": "URL", "is_active": "Active"}
_PAST = {"create": "created", "update": "changed", "pause": "paused", "resume": "resumed", "delete": "deleted"}


def action_of(change: Change) -> str:
    """`create`, `update`, `pause`, `resume` or `delete`."""
    if change.what == "update" and change.after is not None:
        values = {difference.field: difference.after for difference in change.differences}
        if [*values] == ["is_active"]:
            return "resume" if values["is_active"] else "pause"
    return change.what


def change_words(change: Change) -> str:
    """What a change writes: `Name: One → Two; Active: yes → no`. For a create or a delete, the whole webhook."""
    if change.what == "update":
        return "; ".join(difference_words(*difference) for difference in change.differences)
    state = change.after or change.before or State()
    paused = "paused" if state.is_active is False else ""
    return "; ".join(filter(None, [printable(state.url or "", 2_000), _names(state.events or ()), paused]))


def change_note(change: Change) -> str:
    """What to know before applying it; for a create or a delete only what is not true of every one."""
    if change.what == "delete" or (change.what == "create" and change.id is None):
        return change.doubts
    return change.note


def plan_summary(changes: Iterable[Change]) -> str:
    """`20 webhooks: 12 created, 5 changed, 3 deleted`."""
    kinds = Counter(map(action_of, changes))
    counts = ", ".join(f"{kinds[kind]:,} {past}" for kind, past in _PAST.items() if kinds[kind])
    return f"{plural(kinds.total(), 'webhook')}: {counts}" if counts else "No webhook is changed"


def difference_words(field: str, before: Any, after: Any) -> str:
    """What an update writes to a field: `URL: https://a → https://b`."""
    if field != "events":
        text = format_difference(field, before, after)
        return f"{_LABELS[field]}{text[text.index(':') :]}"
    if before is None:
        return f"Events: unknown → {_names(after)}"
    added = [f"+{printable(event, 80)}" for event in after if event not in before]
    removed = [f"−{printable(event, 80)}" for event in before if event not in after]  # noqa: RUF001 - a minus sign
    return ", ".join([*added, *removed])


def _names(events: Iterable[str]) -> str:
    return ", ".join(printable(event, 80) for event in events)
