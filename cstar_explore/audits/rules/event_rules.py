"""Rules about the event types that webhooks subscribe to."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ...events import FORMER_NAMES, NAMES, is_wildcard, matching_types, unknown_type_warning
from ...plans import State
from ...text import few, printable
from ..inventory import Hook, Inventory, Team
from ..redaction import masked_text
from .registry import Fix, Match, pause, team_rule, webhook_rule

_KNOWN = frozenset((*NAMES, *FORMER_NAMES))
_SHOWN = 4  # event types in a sentence
_MAX_HINTS = 500  # unknown types for which the nearest published one is sought: 0.3 ms each
_MAX_NAME = 200  # characters of a type that are compared


@team_rule("medium")
def delivers_twice(team: Team) -> Iterator[Match]:
    """Overlapping subscriptions at one receiver.

    Both webhooks deliver the event to the same receiver, which processes it twice unless it checks the event's id.

    Remedy: Subscribe one webhook to all the events and pause the other. The two have different signing secrets.
    """
    for hooks in _same_receiver(team):
        kept: dict[Hook, Hook] = {}  # by a webhook that is merged, the one that receives its events
        for hook, other, types in _overlaps(hooks):
            kept[hook] = kept.get(other, other)
            verb = "is" if len(types) == 1 else "are"
            evidence = f"{_listed(types)} {verb} also delivered to this receiver by {_named(other, team)}."
            yield Match(hook, evidence, _merge(kept[hook], hook))


@team_rule("low")
def same_url(team: Team) -> Iterator[Match]:
    """Two webhooks with the same URL.

    Two webhooks with the same URL are easily confused: a change to one leaves the other as it was.

    Remedy: Subscribe one webhook to all the events and pause the other. The two have different signing secrets.
    """
    for hooks in _same_receiver(team):
        overlaps = list(_overlaps(hooks))
        reported = {hook for hook, _, _ in overlaps}
        # These get the events of others by the fix of `delivers_twice`, so they must not be paused by this one.
        kept = {other for _, other, _ in overlaps}
        active = [hook for hook in hooks if hook.active]
        for hook in active[1:]:
            if hook not in reported:
                fixes = () if hook in kept else _merge(active[0], hook)
                yield Match(hook, f"{_named(active[0], team)} has the same URL.", fixes)


@webhook_rule("medium")
def everything(hook: Hook, team: Team) -> str | None:
    """Subscribed to nearly all event types.

    Many events carry customer data that the receiver may not need. A wildcard also matches types that cStar adds later.

    Remedy: Subscribe only to the event types that the receiver uses.
    """
    if "*" in (hook.state.events or ()):
        return "Subscribes to *, which cStar does not document. If cStar accepts it, it matches every present and future type."
    count = len(hook.covered_types)
    if count / len(NAMES) < team.inventory.thresholds.everything:
        return None
    return f"Subscribes to {count} of the {len(NAMES)} event types."


@webhook_rule("low")
def wildcard(hook: Hook, team: Team) -> str | None:
    """Wildcard subscription.

    A wildcard matches more types when cStar adds some. cStar documents its syntax only indirectly.

    Remedy: List the event types, unless you also want future ones.
    """
    patterns = [name for name in hook.state.events or () if is_wildcard(name) and matching_types(name)]
    if not patterns or everything(hook, team):
        return None
    return f"Subscribes to {_listed(patterns)}."


@webhook_rule("medium")
def unknown_event(hook: Hook, team: Team) -> str | None:
    """Unknown event type.

    An unpublished event type is probably a typo, and nothing is ever delivered for it.

    Remedy: Correct the event type.
    """
    unknown = [
        name for name in dict.fromkeys(hook.state.events or ()) if name not in _KNOWN and not matching_types(name)
    ]
    sentences = [_unknown_type(name, team.inventory) for name in unknown[:_SHOWN]]
    if len(unknown) > _SHOWN:
        sentences.append(f"{len(unknown) - _SHOWN:,} more are not published either.")
    return " ".join(sentences)


def _use_new_names(state: State) -> State:
    return replace(state, events=tuple(dict.fromkeys(FORMER_NAMES.get(name, name) for name in state.events or ())))


@webhook_rule("medium", fix=_use_new_names)
def former_event(hook: Hook, _: Team) -> str | None:
    """Renamed event type.

    cStar renamed the event type and does not document whether the old name still works.

    Remedy: Subscribe to the new name.
    """
    return " ".join(unknown_type_warning(name) or "" for name in hook.state.events or () if name in FORMER_NAMES)


def _pause_without_events(state: State) -> State:
    """Another rule's fix may have given it event types since."""
    return state if state.events else pause(state)


@webhook_rule("medium", fix=_pause_without_events)
def no_events(hook: Hook, _: Team) -> str | None:
    """No event types.

    An active webhook without event types looks as if it worked, but receives no real event.

    Remedy: Subscribe it to event types, or delete it.
    """
    return "Subscribes to no event type." if hook.active and hook.state.events == () else None


@team_rule("medium")
def unreceived_event(team: Team) -> Iterator[Match]:
    """Events without a receiver.

    These events were wanted, but no active webhook receives them.

    Remedy: Resume the webhook, or subscribe an active one to the events. Delete it if they are no longer needed.
    """
    received = frozenset[str]().union(*(hook.covered_types for hook in team.hooks if hook.active))
    for hook in team.hooks:
        missed = [] if hook.active else [name for name in NAMES if name in hook.covered_types - received]
        if missed:
            yield Match(hook, f"Paused, and no active webhook receives {_listed(missed)}.")
    expected = team.inventory.thresholds.expected_events
    missed = [name for name in expected if not received.issuperset(matching_types(name) or (name,))]
    if missed:
        yield Match(None, f"No active webhook receives {_listed(missed)}.")


def _same_receiver(team: Team) -> list[list[Hook]]:
    """Groups of webhooks with the same URL, query included, oldest first."""
    groups: dict[tuple[str, ...], list[Hook]] = defaultdict(list)
    for hook in team.hooks:
        if hook.parsed_url is not None:
            groups[hook.parsed_url.normalized].append(hook)
    latest = datetime.max.replace(tzinfo=UTC)
    return [sorted(hooks, key=lambda hook: hook.created_at or latest) for hooks in groups.values() if len(hooks) > 1]


def _overlaps(hooks: list[Hook]) -> Iterator[tuple[Hook, Hook, list[str]]]:
    """Each active webhook that shares event types with an older one; the older one; the types. `hooks` are oldest first."""
    active = [hook for hook in hooks if hook.active]
    types = [hook.covered_types.union(hook.state.events or ()) for hook in active]
    for index, hook in enumerate(active):
        older = next((number for number in range(index) if types[number] & types[index]), None)
        if older is not None:
            yield hook, active[older], sorted(types[older] & types[index])


def _merge(kept: Hook, hook: Hook) -> Sequence[tuple[Hook, Fix]]:
    """Adds the event types of `hook` to `kept`, and pauses `hook`. Nothing if the event types of one of them are unknown."""
    if kept.state.events is None or hook.state.events is None:
        return ()

    def add_events(state: State) -> State:
        return replace(state, events=tuple(dict.fromkeys((*(state.events or ()), *(hook.state.events or ())))))

    return [(kept, add_events), (hook, pause)]


def _unknown_type(name: str, inventory: Inventory) -> str:
    """Why the type is unknown. Only the first types of an audit are compared with the published ones, which takes a while."""
    sentences = inventory.unknown_types
    if name not in sentences and len(sentences) < _MAX_HINTS:
        sentences[name] = unknown_type_warning(name[:_MAX_NAME]) or ""
    return sentences.get(name) or f"'{printable(name, 80)}' is not among the {len(NAMES)} published event types."


def _named(hook: Hook, team: Team) -> str:
    name = masked_text(hook.state.name or hook.id, team.inventory.mask_key)
    return f"'{printable(name, 80)}' ({printable(hook.id, 80)})"


def _listed(names: list[str]) -> str:
    return few([printable(name, 80) for name in names], _SHOWN)
