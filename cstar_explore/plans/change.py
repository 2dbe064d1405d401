"""The change of one webhook, and its result."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from ..errors import CStarError
from ..events import unknown_type_warning
from ..models import Webhook
from ..text import printable
from .meaning import meaning, same_meaning, same_value

What = Literal["create", "update", "delete"]
Outcome = Literal["done", "unchanged", "failed", "unknown", "not tried"]

EDITABLE = ("name", "url", "events", "is_active")


@dataclass(frozen=True, slots=True)
class State:
    """The editable fields of a webhook. None means unknown (cStar did not send it); it differs from nothing."""

    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    is_active: bool | None = None

    @classmethod
    def of(cls, webhook: Webhook) -> "State":
        """The state of a webhook."""
        return cls(webhook.name, webhook.url, webhook.events, webhook.is_active)

    @property
    def content_key(self) -> tuple[Any, ...]:
        """Equal for two states with the same name, URL and events, in any spelling."""
        return meaning("name", self.name), meaning("url", self.url), meaning("events", self.events or ())


class Difference(NamedTuple):
    """A field whose value differs between two states."""

    field: str
    before: Any
    after: Any


def differences(before: State, after: State) -> list[Difference]:
    """The fields that are known in both states and differ in meaning: another spelling of a URL or of events is none."""
    return [
        difference
        for difference in fields_to_write(before, after)
        if difference.before is not None and not same_meaning(*difference)
    ]


def respelled(desired: State, stored: State) -> str:
    """How the server spells what means the same, in a sentence; empty if it is stored as desired."""
    pairs = [
        f"{name} {format_value(old)!r} as {format_value(new)!r}"
        for name, old, new in fields_to_write(desired, stored)
        if old is not None and same_meaning(name, old, new)
    ]
    return f"cStar stores {printable('; '.join(pairs), 1_000)}, which means the same." if pairs else ""


def fields_to_write(before: State, after: State) -> list[Difference]:
    """The fields that are set in `after` and differ from `before`, or are unknown there. The order of events does not matter."""
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in EDITABLE]
    return [Difference(name, old, new) for name, old, new in pairs if new is not None and not same_value(old, new)]


def format_difference(field: str, before: Any, after: Any) -> str:
    """A difference as text: `url: https://a → https://b`."""
    if field == "events":
        removed = [f"- {printable(event, 80)}" for event in before or () if event not in after]
        added = [f"+ {printable(event, 80)}" for event in after if event not in (before or ())]
        return f"events: {', '.join([*removed, *added]) or 'different order'}"
    if field == "is_active":
        return f"active: {_ACTIVE[before]} → {_ACTIVE[after]}"
    return f"{field}: {printable('unknown' if before is None else before, 200)} → {printable(after, 200)}"


def format_value(value: Any) -> str | None:
    """The value of a field as cell text: events joined by commas, `active` or `paused`."""
    if isinstance(value, bool):
        return "active" if value else "paused"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


_ACTIVE: Mapping[bool | None, str] = {True: "yes", False: "no", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Change:
    """The planned change of one webhook.

    Attributes:
        id: The webhook's ID. For a create, the ID it had before it was deleted, if any.
        before, after: The state before and after the change; None where the webhook does not exist.
        recreated: Whether it may have been deleted and recreated since, with an unknown ID.
    """

    id: str | None
    before: State | None
    after: State | None
    recreated: bool = False

    @property
    def what(self) -> What:
        """`create`, `update` or `delete`."""
        if self.before is None:
            return "create"
        return "delete" if self.after is None else "update"

    @property
    def name(self) -> str | None:
        """The webhook's name before the change; for a create, the new name."""
        return self._state.name

    @property
    def _state(self) -> State:
        return self.before or self.after or State()

    @property
    def label(self) -> str:
        """What to call the webhook on one line: its name in quotes, or its ID if it has none."""
        if self.name is None and self.id is not None:
            return printable(self.id, 80)
        return f"'{printable(self.name or '', 80)}'"

    @property
    def differences(self) -> list[Difference]:
        """The fields that change. For a create or delete, all known fields except the name."""
        if self.before is not None and self.after is not None:
            return fields_to_write(self.before, self.after)
        created = [field for field in fields_to_write(State(), self._state) if field.field != "name"]
        return [Difference(name, value, None) for name, _, value in created] if self.after is None else created

    @property
    def note(self) -> str:
        """What to know before applying the change, in a sentence or more; often empty."""
        if self.what == "delete":
            return "Its ID and signing secret are lost."
        if self.what == "update":
            return self.doubts
        secret = (
            "It was deleted: it gets a new ID and a new signing secret."
            if self.id
            else "Its signing secret is returned only once: plan.secrets() keeps it."
        )
        return f"{self.doubts} {secret}".strip()

    @property
    def doubts(self) -> str:
        """A warning for each added event type that is not published; often empty."""
        return " ".join(filter(None, map(unknown_type_warning, self.added_events)))

    @property
    def added_events(self) -> list[str]:
        """The event types that the webhook has after the change, and not before."""
        before = (self.before and self.before.events) or ()
        return [event for event in (self.after and self.after.events) or () if event not in before]

    def inverted(self) -> "Change":
        """The change that undoes this one."""
        return replace(
            self, before=self.after, after=self.before, recreated=self.what == "create" and self.id is not None
        )

    @property
    def content_key(self) -> tuple[Any, ...] | None:
        """Name, URL and events, used to find the webhook if its ID may be unknown; None if the ID is known."""
        state = self.after if self.what == "create" else self.before if self.id is None or self.recreated else None
        return None if state is None else state.content_key


@dataclass(frozen=True)
class Step:
    """The result of one change.

    Attributes:
        change: The planned change.
        outcome: `done`: confirmed by reading back. `unchanged`: no change was needed. `failed`: not done. `unknown`: may have
            been done, but could not be read back. `not tried`: not started.
        detail: The reason, in a sentence.
        webhook: The webhook as last read. A created one has its `.secret`, if cStar returned it.
        error: The error, if there was one.
    """

    change: Change
    outcome: Outcome
    detail: str = ""
    webhook: Webhook | None = None
    error: CStarError | None = None

    @property
    def webhook_id(self) -> str | None:
        """The webhook's ID; of a created one, its new ID."""
        return self.webhook.id if self.webhook is not None else self.change.id
