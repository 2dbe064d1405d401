"""What a webhook is sent."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from ...events import FORMER_NAMES, NAMES, is_wildcard, matching_types, unknown_type_warning
from ...plans import State
from ...text import printable
from ..inventory import Hook, Team
from .registry import Found, Mend, each, paused, rule


@rule(
    "medium",
    why="Both receive the same event, so the receiver does everything twice, unless it looks at the event's id.",
    remedy="Let one webhook have all the events, and pause the other. They are signed with different secrets.",
)
def delivers_twice(team: Team) -> Iterator[Found]:
    """Overlapping subscriptions that deliver twice."""
    for hooks in _by(team, "receiver"):
        for hook, first, shared in _twice(hooks):
            evidence = f"{_told(shared)} also {'reaches' if len(shared) == 1 else 'reach'} the same address by {_named(first)}."
            yield Found(hook, evidence, _merged(first, hook))


@rule(
    "low",
    why="Two webhooks with one address are easily taken for one: a change to the one leaves the other as it was.",
    remedy="Let one webhook have all the events, and pause the other. They are signed with different secrets.",
)
def same_url(team: Team) -> Iterator[Found]:
    """The same URL twice."""
    twice = {hook.id for hooks in _by(team, "receiver") for hook, _, _ in _twice(hooks)}
    for hooks in _by(team, "same"):
        active = [hook for hook in hooks if hook.active]
        for hook in active[1:]:
            if hook.id not in twice:
                yield Found(hook, f"{_named(active[0])} has the same URL.", _merged(active[0], hook))


@each(
    "medium",
    why="Many events carry customers' data: what is not needed should not be sent, and what cStar adds is sent as well.",
    remedy="Subscribe to the event types that the receiver acts on.",
)
def everything(hook: Hook, team: Team) -> str | None:
    """A subscription to nearly everything."""
    if "*" in (hook.state.events or ()):
        return "It subscribes to *, which no page of cStar's shows; taken, it is every event type there is and will be."
    share = len(hook.covered) / len(NAMES)
    if share < team.thresholds.everything:
        return None
    return f"It subscribes to {len(hook.covered)} of the {len(NAMES)} event types."


@each(
    "low",
    why="What a wildcard covers changes as cStar adds types; its syntax is documented only indirectly.",
    remedy="Write the types out, unless future ones are meant as well.",
)
def wildcard(hook: Hook, team: Team) -> str | None:
    """A wildcard."""
    patterns = [name for name in hook.state.events or () if is_wildcard(name) and matching_types(name)]
    if not patterns or everything(hook, team):
        return None
    return f"It subscribes to {_told(patterns)}."


@each(
    "medium",
    why="A type that is not published is probably a slip of the pen, and then nothing is ever sent for it.",
    remedy="Correct the event type.",
)
def unknown_event(hook: Hook, _: Team) -> str | None:
    """An unknown event type."""
    return " ".join(
        sentence
        for name in hook.state.events or ()
        if name not in FORMER_NAMES and (sentence := unknown_type_warning(name))
    )


@each(
    "medium",
    why="The type was renamed, and cStar does not say whether the old name still works.",
    remedy="Subscribe to the new name.",
    mend=lambda state: replace(
        state, events=tuple(dict.fromkeys(FORMER_NAMES.get(name, name) for name in state.events or ()))
    ),
)
def former_event(hook: Hook, _: Team) -> str | None:
    """A former event type."""
    return " ".join(
        filter(None, (unknown_type_warning(name) for name in hook.state.events or () if name in FORMER_NAMES))
    )


@each(
    "medium",
    why="A webhook without events receives no real event, while somebody may think that it does.",
    remedy="Choose the event types, or delete it.",
    mend=paused,
)
def no_events(hook: Hook, _: Team) -> str | None:
    """No events at all."""
    return "It subscribes to no event type." if hook.active and hook.state.events == () else None


@rule(
    "medium",
    why="Somebody wanted these events, and nobody is told of them.",
    remedy="Resume the webhook, or subscribe an active one to them; delete it if they are no longer wanted.",
)
def unreceived_event(team: Team) -> Iterator[Found]:
    """Events that nobody receives."""
    received = team.received()
    for hook in team.hooks:
        missed = [] if hook.active else [name for name in NAMES if name in hook.covered - received]
        if missed:
            yield Found(hook, f"It is paused, and no active webhook receives {_told(missed)}.")
    expected = [
        name for name in team.thresholds.expected_events if not set(matching_types(name) or (name,)) <= received
    ]
    if expected:
        yield Found(None, f"No active webhook receives {_told(expected)}.")


def _by(team: Team, what: str) -> list[list[Hook]]:
    """The webhooks that share an address, oldest first, where there is more than one."""
    groups: dict[tuple[str, ...], list[Hook]] = defaultdict(list)
    for hook in team.hooks:
        if hook.address is not None:
            groups[getattr(hook.address, what)].append(hook)
    latest = datetime.max.replace(tzinfo=UTC)
    return [sorted(hooks, key=lambda hook: hook.created_at or latest) for hooks in groups.values() if len(hooks) > 1]


def _twice(hooks: list[Hook]) -> Iterator[tuple[Hook, Hook, list[str]]]:
    """Of webhooks with one receiver, oldest first: each that shares events with an older one, which, and what they share."""
    active = [hook for hook in hooks if hook.active]
    for place, hook in enumerate(active):
        for first in active[:place]:
            shared = (hook.covered & first.covered) | (set(hook.state.events or ()) & set(first.state.events or ()))
            if shared:
                yield hook, first, sorted(shared)
                break


def _merged(first: Hook, hook: Hook) -> list[tuple[Hook, Mend]]:
    def with_all(state: State) -> State:
        return replace(state, events=tuple(dict.fromkeys((*(state.events or ()), *(hook.state.events or ())))))

    return [(first, with_all), (hook, paused)]


def _named(hook: Hook) -> str:
    return f"'{printable(hook.state.name or hook.id, 80)}' ({printable(hook.id, 80)})"


def _told(names: list[str]) -> str:
    shown = ", ".join(printable(name, 80) for name in names[:4])
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
