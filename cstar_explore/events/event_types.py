"""cStar's 35 event types, in the seven groups of `event_types.json`.

Source: cStar's article `webhook-events`. A description attributed to cStar is from that article or from an older capture of
the guide; the others only spell out the name.
"""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..packaged import read_table

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


# The payloads printed in the articles `webhook-events` and `webhooks-overview`.
_PUBLISHED_PAYLOADS = frozenset({"ticket.created", "ticket.updated"})

_GROUPS = read_table(__file__)
EVENT_TYPES: tuple[EventType, ...] = tuple(
    EventType(name, group, description, source, "cStar" if name in _PUBLISHED_PAYLOADS else "cstar_explore")
    for group, types in _GROUPS.items()
    for name, description, source in types
)

NAMES: tuple[str, ...] = tuple(event.name for event in EVENT_TYPES)

# Renamed between two captures of cStar's pages. cStar does not document whether the old name still works.
FORMER_NAMES: Mapping[str, str] = {"achievement.unlocked": "player.achievement_unlocked"}


def groups() -> dict[str, tuple[str, ...]]:
    """The event types by group, in the published order."""
    return {group: tuple(name for name, *_ in types) for group, types in _GROUPS.items()}


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
