"""cStar's 35 event types, in seven groups.

Source: cStar's article `webhook-events`. A description attributed to cStar is from that article or from an older capture of
the guide; the others only spell out the name.
"""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from ..recordings import Recording


class EventType(NamedTuple):
    """One event type.

    Attributes:
        name: As in a subscription, `resource.action`.
        group: One of the seven published groups.
        description: What happened.
        described_by: "cStar" for a published description, "cstar_explore" for ours.
        payload: "cStar" if the fields of the payload are published, "cstar_explore" if the sample is ours.
    """

    name: str
    group: str
    description: str
    described_by: str
    payload: str


_CSTAR, _OURS = "cStar", "cstar_explore"

# The payloads printed in the articles `webhook-events` and `webhooks-overview`.
_PUBLISHED_PAYLOADS = frozenset({"ticket.created", "ticket.updated"})

EVENT_TYPES: tuple[EventType, ...] = tuple(
    EventType(name, group, description, source, _CSTAR if name in _PUBLISHED_PAYLOADS else _OURS)
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

NAMES: tuple[str, ...] = tuple(event.name for event in EVENT_TYPES)

# Renamed between two captures of cStar's pages. cStar does not document whether the old name still works.
FORMER_NAMES: Mapping[str, str] = {"achievement.unlocked": "player.achievement_unlocked"}


def groups() -> dict[str, tuple[str, ...]]:
    """The event types by group, in the published order."""
    grouped: dict[str, tuple[str, ...]] = {}
    for event in EVENT_TYPES:
        grouped[event.group] = (*grouped.get(event.group, ()), event.name)
    return grouped


def catalogue(*, like: "Recording | str | Path | None" = None) -> "pd.DataFrame":
    """The 35 event types as a DataFrame.

    Columns, all str: `event`, `group`, `description`, `described_by` and `payload` ("cStar" if published, "cstar_explore" if
    ours), `former_name` (missing for most).

    Args:
        like: A `cx.Recording` or the path of a saved one. `payload` is "observed" for the event types
            whose shape it has.

    Raises:
        ConfigurationError: `like` is not a recording.
    """
    from ..frames import from_rows

    former = {new: old for old, new in FORMER_NAMES.items()}
    names = ("event", "group", "description", "described_by", "payload", "former_name")
    observed: Container[str] = ()
    if like is not None:
        from ..recordings import as_recording

        observed = as_recording(like).payloads
    events = (event._replace(payload="observed") if event.name in observed else event for event in EVENT_TYPES)
    return from_rows([(*event, former.get(event.name)) for event in events], dict.fromkeys(names, "str"))
