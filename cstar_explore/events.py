"""cStar's event types: what exists, what it used to be called, what a subscription matches.

Source: the catalogue of 35 types in seven groups is cStar's article `webhook-events`. The descriptions
called cStar's are from it or from an older capture of the guide. That subscriptions may use wildcards is in the guide;
`ticket.*` is shown only on the SDK's realtime page, which says that webhooks take the same. A bare `*` is shown nowhere. Both are passed through; the server decides.
"""

import difflib
import inspect
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .errors import ValidationError
from .text import printable

if TYPE_CHECKING:
    import pandas as pd

Who = TypeVar("Who")


class EventType(NamedTuple):
    """One type of event.

    Attributes:
        name: As it is subscribed to, `resource.action`.
        group: One of the seven published groups.
        description: What it tells.
        described_by: "cStar" where the description follows a published one, "cstar_explore" where none was found and the
            sentence only unfolds the name.
    """

    name: str
    group: str
    description: str
    described_by: str


_CSTAR, _OURS = "cStar", "cstar_explore"

CATALOGUE: tuple[EventType, ...] = tuple(
    EventType(name, group, description, source)
    for group, rows in {
        "Tickets": (
            ("ticket.created", "A ticket was opened, by app, widget, API or email", _CSTAR),
            ("ticket.updated", "Status, priority, assignment, tags, title, notes or custom fields changed", _CSTAR),
            ("ticket.closed", "A ticket was resolved or closed", _CSTAR),
            ("ticket.message_added", "A message was added to a ticket", _CSTAR),
            ("ticket.deleted", "A ticket was deleted", _OURS),
            ("ticket.assigned", "A ticket was assigned", _OURS),
        ),
        "Customers": (
            ("customer.created", "A customer was created", _CSTAR),
            ("customer.updated", "A customer's details were modified", _CSTAR),
            ("customer.deleted", "A customer was deleted", _OURS),
            ("customer_group.created", "A customer group was created", _OURS),
            ("customer_group.updated", "A customer group was modified", _OURS),
            ("customer_group.deleted", "A customer group was deleted", _OURS),
        ),
        "Articles": (
            ("article.created", "A Library article was created", _CSTAR),
            ("article.published", "An article was put in the Public Library", _CSTAR),
            ("article.updated", "An article's content or metadata was modified", _CSTAR),
            ("article.deleted", "An article was deleted", _OURS),
        ),
        "Team": (
            ("team.preferences_updated", "The team's preferences changed", _OURS),
            ("agent.preferences_updated", "An agent's preferences changed", _OURS),
        ),
        "Gamification": (
            ("boss.spawned", "A boss appeared for the team", _CSTAR),
            ("boss.damaged", "A boss took damage", _OURS),
            ("boss.defeated", "The team beat a boss", _CSTAR),
            ("player.level_up", "A player reached a new level", _CSTAR),
            ("player.achievement_unlocked", "A player unlocked an achievement", _OURS),
            ("player.xp_gained", "A player gained experience", _OURS),
            ("player.quest_completed", "A player completed a quest", _OURS),
            ("player.streak_milestone", "A player's streak reached a milestone", _OURS),
            ("social.one_up_sent", "A player sent a one-up", _OURS),
            ("social.high_five_sent", "A player sent a high five", _OURS),
        ),
        "Community": (
            ("community_post.created", "A community post was created", _OURS),
            ("community_post.updated", "A community post was modified", _OURS),
            ("community_post.status_changed", "A community post's status changed", _OURS),
            ("community_post.commented", "A community post was commented on", _OURS),
            ("community_post.deleted", "A community post was deleted", _OURS),
            ("community_post.voted", "A community post was voted for", _OURS),
        ),
        "Surveys": (("survey.submitted", "A customer sent a satisfaction response", _CSTAR),),
    }.items()
    for name, description, source in rows
)

NAMES: tuple[str, ...] = tuple(event.name for event in CATALOGUE)

# Renamed between two captures of cStar's pages; none says whether the old name is still accepted or sent.
FORMER: Mapping[str, str] = {"achievement.unlocked": "player.achievement_unlocked"}


class UnknownEventWarning(UserWarning):
    """An event type is not in the catalogue. It is sent all the same: cStar decides."""


def catalogue() -> "pd.DataFrame":
    """The 35 types as a frame.

    Columns, all str: `event`, `group`, `description`, `described_by` and `payload` ("cStar" where the words, or the fields
    of the sample, are published; "cstar_explore" where they are ours), `former_name` (missing for most).
    """
    from .samples import PUBLISHED  # noqa: PLC0415 - samples are made of this catalogue
    from .tabular import pd  # noqa: PLC0415 - loaded when a frame is asked for

    former = {new: old for old, new in FORMER.items()}
    rows = [(*event, _CSTAR if event.name in PUBLISHED else _OURS, former.get(event.name)) for event in CATALOGUE]
    names = ("event", "group", "description", "described_by", "payload", "former_name")
    return pd.DataFrame(rows, columns=names, dtype="str")


def sample(
    event: str,
    *,
    id: str | None = None,  # noqa: A002 - cStar's own word
    created_at: str | None = None,
    team_id: str | None = None,
    **overrides: Any,
) -> bytes:
    """The body of a delivery of this type, in the published envelope; the same each time.

    Args:
        event: A type of the catalogue, or a former name of one.
        id, created_at, team_id: The envelope's own fields.
        overrides: Fields of `data`: by their name where only one object has it (`title="Hello"`), as a path
            (`ticket__title="Hello"`), or as a part of an object (`ticket={"title": "Hello"}`).

    Raises:
        ValidationError: There is no such type, or the sample has no such field, or more than one; nothing is passed over.
    """
    from .samples import body  # noqa: PLC0415 - samples are made of this catalogue

    return body(
        FORMER.get(event, event) if isinstance(event, str) else event,
        {"id": id, "created_at": created_at, "team_id": team_id},
        overrides,
    )


def groups() -> dict[str, tuple[str, ...]]:
    """The names of the 35 types by group, in the published order."""
    grouped: dict[str, tuple[str, ...]] = {}
    for event in CATALOGUE:
        grouped[event.group] = (*grouped.get(event.group, ()), event.name)
    return grouped


def split(events: str | Iterable[str]) -> tuple[str, ...]:
    """Event types as a tuple, from a list or a comma-separated string: trimmed, each once, in the order given."""
    parts = (part.strip() for item in ([events] if isinstance(events, str) else events) for part in item.split(","))
    return tuple(dict.fromkeys(part for part in parts if part))


def listed(events: str | Iterable[str]) -> tuple[str, ...]:
    """`split`, for what is about to be sent.

    Raises:
        ValidationError: An entry is not text, or has a space or control character inside it.
    """
    if not isinstance(events, Iterable):
        raise ValidationError(f"Event types are a list or a string, not {printable(repr(events), 80)}.", param="events")
    items = [events] if isinstance(events, str) else list(events)
    for item in items:
        if not isinstance(item, str):
            raise ValidationError(f"An event type is text, not {printable(repr(item), 80)}.", param="events")
    names = split(items)
    for name in names:
        if any(character.isspace() or not character.isprintable() for character in name):
            raise ValidationError(
                f"The event type '{printable(name, 80)}' has a space or control character in it.", param="events"
            )
    return names


def doubt(name: str) -> str | None:
    """Why a type may not be what was meant, in one sentence; None for a known type or a wildcard that matches one."""
    if name in NAMES or matched(name):
        return None
    if name in FORMER:
        return f"'{name}' is the former name of '{FORMER[name]}'; cStar does not say whether it still works."
    near = difflib.get_close_matches(name.lower(), (*NAMES, *FORMER), n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    return f"'{printable(name, 80)}' is not among the {len(NAMES)} published event types.{hint}"


_shown_elsewhere: ContextVar[bool] = ContextVar("_shown_elsewhere", default=False)


@contextmanager
def doubts_shown_elsewhere() -> Iterator[None]:
    """Inside of it `warn_of_doubts` is silent: a form shows the same words beside its field."""
    token = _shown_elsewhere.set(True)
    try:
        yield
    finally:
        _shown_elsewhere.reset(token)


def warn_of_doubts(names: Iterable[str]) -> None:
    """Warns once for each type with a `doubt`."""
    for name in () if _shown_elsewhere.get() else names:
        if sentence := doubt(name):
            warnings.warn(
                f"{sentence} It is sent as it is; cStar decides.", UnknownEventWarning, stacklevel=_callers_level()
            )


def _callers_level() -> int:
    """How many frames up the first one is that is not this package's: the line that the warning is about."""
    frame, level = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").startswith(f"{__package__}."):
        frame, level = frame.f_back, level + 1
    return level


def is_wildcard(name: str) -> bool:
    """Whether the subscription is a pattern: `*`, or `resource.*`."""
    return name == "*" or (name.endswith(".*") and name.count("*") == 1)


def receivers(subscriptions: Iterable[tuple[Who, Iterable[str]]]) -> dict[str, list[Who]]:
    """For each published type those who receive it, each once, in the order given; wildcards are resolved."""
    found: dict[str, list[Who]] = {name: [] for name in NAMES}
    for who, patterns in subscriptions:
        for name in {name for pattern in patterns for name in matched(pattern)}:
            found[name].append(who)
    return found


def matched(pattern: str) -> tuple[str, ...]:
    """The published types that a subscription covers: itself, those of its resource, or all for `*`.

    `ticket.*` is documented indirectly and `*` nowhere (see the module's docstring).
    """
    if pattern == "*":
        return NAMES
    if is_wildcard(pattern):
        return tuple(name for name in NAMES if name.startswith(pattern[:-1]))
    return (pattern,) if pattern in NAMES else ()
