"""One webhook's change, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ..errors import CStarError
from ..events import unknown_type_warning
from ..models import Webhook
from ..text import printable

What = Literal["create", "update", "delete"]
Outcome = Literal["done", "unchanged", "failed", "unknown", "not tried"]

EDITABLE = ("name", "url", "events", "is_active")


@dataclass(frozen=True, slots=True)
class State:
    """What can be changed of a webhook. None is what cStar did not tell; it differs from nothing."""

    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    is_active: bool | None = None

    @classmethod
    def of(cls, webhook: Webhook) -> "State":
        """What a webhook is."""
        return cls(webhook.name, webhook.url, webhook.events, webhook.is_active)


class Difference(NamedTuple):
    """A field that is not the same in two states."""

    field: str
    before: Any
    after: Any


def differences(before: State, after: State) -> list[Difference]:
    """The fields that are told of both and differ; the order of events does not count."""
    return [known for known in to_write(before, after) if known.before is not None]


def to_write(before: State, after: State) -> list[Difference]:
    """The fields that are told of `after` and are not known to be so already."""
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in EDITABLE]
    return [
        Difference(name, was, now)
        for name, was, now in pairs
        if now is not None and was != now and not (name == "events" and was is not None and set(was) == set(now))
    ]


def worded(field: str, before: Any, after: Any) -> str:
    """A difference in words: `url: https://a → https://b`."""
    if field == "events":
        lost = [f"- {printable(event, 80)}" for event in before or () if event not in after]
        gained = [f"+ {printable(event, 80)}" for event in after if event not in (before or ())]
        return f"events: {', '.join([*lost, *gained]) or 'another order'}"
    if field == "is_active":
        return f"active: {_ACTIVE[before]} → {_ACTIVE[after]}"
    return f"{field}: {printable('not told' if before is None else before, 200)} → {printable(after, 200)}"


def shown(value: Any) -> str | None:
    """The value of a field in a cell: events with commas between, `active` or `paused`."""
    if isinstance(value, bool):
        return "active" if value else "paused"
    return ", ".join(value) if isinstance(value, list | tuple) else value


_ACTIVE: Mapping[bool | None, str] = {True: "yes", False: "no", None: "not told"}


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of one webhook.

    Attributes:
        id: Its id; of a webhook to be created, the id that it had before it was deleted, if it had one.
        before, after: What it is and what it shall be; None where it is not there.
        remade: Whether it may meanwhile have been deleted and created anew, under an id that is not known.
    """

    id: str | None
    before: State | None
    after: State | None
    remade: bool = False

    @property
    def what(self) -> What:
        """Create, update or delete."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    @property
    def name(self) -> str | None:
        """The webhook's name, as it was."""
        return (self.before or self.after or State()).name

    @property
    def differences(self) -> list[Difference]:
        """The fields that change; all that are told where the webhook comes or goes."""
        if self.before is not None and self.after is not None:
            return to_write(self.before, self.after)
        state = self.before or self.after or State()
        told = ((name, getattr(state, name)) for name in EDITABLE[1:])
        gone = self.after is None
        return [
            Difference(name, *((value, None) if gone else (None, value))) for name, value in told if value is not None
        ]

    @property
    def note(self) -> str:
        """What is to be known before it is carried out, in a sentence; mostly nothing."""
        if self.what == "delete":
            return "Its id and its signing secret go with it."
        if self.what == "create" and self.id:
            return "It was deleted: its id and its signing secret will be new ones."
        if self.what == "create":
            return "Its signing secret is told once: .webhook.secret of its step."
        new = [
            event
            for known in self.differences
            if known.field == "events"
            for event in known.after
            if event not in (known.before or ())
        ]
        return " ".join(filter(None, map(unknown_type_warning, new)))

    def inverted(self) -> "Change":
        """The change that takes it back."""
        return replace(self, before=self.after, after=self.before, remade=self.what == "create" and self.id is not None)

    @property
    def makes(self) -> tuple[str | None, str | None, frozenset[str]] | None:
        """What tells the webhook that it makes, or takes away again, from others; None if it makes none."""
        state = self.after if self.what == "create" else self.before if self.id is None or self.remade else None
        return None if state is None else (state.name, state.url, frozenset(state.events or ()))


@dataclass(frozen=True)
class Step:
    """What became of one change.

    Attributes:
        change: What was to be done.
        outcome: `done` was seen by reading back; `unchanged` was so already; `failed` was not done; `unknown` may have been
            done and could not be read back; `not tried` was not begun.
        detail: The reason, in a sentence.
        webhook: The webhook as it was last read. A created one has its `.secret`, if cStar told it.
        error: What went wrong.
    """

    change: Change
    outcome: Outcome
    detail: str = ""
    webhook: Webhook | None = None
    error: CStarError | None = None
