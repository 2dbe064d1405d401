"""What a subscription contains and which event types it matches.

Source: cStar's guide says that subscriptions may use wildcards. `ticket.*` is shown only on the SDK's realtime page, which says
that webhooks take the same; a bare `*` is shown nowhere. The client sends both as given and leaves the decision to cStar.
"""

import difflib
import inspect
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from ..errors import ValidationError
from ..text import printable
from .event_types import FORMER_NAMES, NAMES

Receiver = TypeVar("Receiver")


class UnknownEventWarning(UserWarning):
    """An event type is not in the catalogue. It is sent as given: cStar decides."""


def split_events(events: str | Iterable[str]) -> tuple[str, ...]:
    """Splits a list or a comma-separated string into event types: trimmed, without duplicates, in the given order."""
    parts = (part.strip() for item in ([events] if isinstance(events, str) else events) for part in item.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def parse_events(events: str | Iterable[str]) -> tuple[str, ...]:
    """Splits event types that are about to be sent, and validates them.

    Raises:
        ValidationError: An entry is not text, or contains a space or control character.
    """
    try:
        items = [events] if isinstance(events, str) else list(events)
    except TypeError:  # also NumPy's array without dimensions, which a pandas assignment makes
        raise ValidationError(
            f"events must be a list or a string, not {printable(repr(events), 80)}.", param="events"
        ) from None
    for item in items:
        if not isinstance(item, str):
            raise ValidationError(f"An event type must be text, not {printable(repr(item), 80)}.", param="events")
    names = split_events(items)
    for name in names:
        if any(character.isspace() or not character.isprintable() for character in name):
            raise ValidationError(
                f"The event type '{printable(name, 80)}' contains a space or control character.", param="events"
            )
    return names


def is_wildcard(name: str) -> bool:
    """Whether the subscription is a pattern: `*` or `resource.*`."""
    return name == "*" or (name.endswith(".*") and name.count("*") == 1)


def matching_types(pattern: str) -> tuple[str, ...]:
    """The published types that a subscription matches: itself, those of its resource, or all for `*`."""
    if pattern == "*":
        return NAMES
    if is_wildcard(pattern):
        return tuple(name for name in NAMES if name.startswith(pattern[:-1]))
    return (pattern,) if pattern in NAMES else ()


def received_types(events: Iterable[str]) -> tuple[str, ...]:
    """The published types that these subscriptions match, without duplicates; and those that match none, as they are."""
    return tuple(dict.fromkeys(name for pattern in events for name in matching_types(pattern) or (pattern,)))


def receivers_by_type(subscriptions: Iterable[tuple[Receiver, Iterable[str]]]) -> dict[str, list[Receiver]]:
    """The receivers of each published type, without duplicates, in the given order. Wildcards are resolved."""
    receivers: dict[str, list[Receiver]] = {name: [] for name in NAMES}
    for receiver, patterns in subscriptions:
        for name in {name for pattern in patterns for name in matching_types(pattern)}:
            receivers[name].append(receiver)
    return receivers


def unknown_type_warning(name: str) -> str | None:
    """Why this may not be the intended type, in one sentence; None for a published type or a wildcard that matches one."""
    if name in NAMES or matching_types(name):
        return None
    if name in FORMER_NAMES:
        return f"'{name}' is the former name of '{FORMER_NAMES[name]}'; cStar does not document whether it still works."
    meant = meant_type(name)
    hint = f" Did you mean '{meant}'?" if meant else ""
    return f"'{printable(name, 80)}' is not among the {len(NAMES)} published event types.{hint}"


def meant_type(name: str) -> str | None:
    """The published type that is spelled most like this, or the only one that contains it; None if there is none."""
    near = difflib.get_close_matches(name.lower(), (*NAMES, *FORMER_NAMES), n=1)
    containing = [published for published in NAMES if name.lower() in published]
    return near[0] if near else containing[0] if len(containing) == 1 else None


_silenced: ContextVar[bool] = ContextVar("_silenced", default=False)


@contextmanager
def without_unknown_type_warnings() -> Iterator[None]:
    """Silences `warn_about_unknown_types` for a form, which shows the same sentence beside its field."""
    token = _silenced.set(True)
    try:
        yield
    finally:
        _silenced.reset(token)


def warn_about_unknown_types(names: Iterable[str]) -> None:
    """Warns once for each unknown type."""
    for name in () if _silenced.get() else names:
        if sentence := unknown_type_warning(name):
            warnings.warn(
                f"{sentence} It is sent as given; cStar decides.",
                UnknownEventWarning,
                stacklevel=_stacklevel_of_caller(),
            )


def _stacklevel_of_caller() -> int:
    """The stack level of the first frame outside this package: the user's own line."""
    package = __name__.partition(".")[0]
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(f"{package}."):
        frame, level = frame.f_back, level + 1
    return level
