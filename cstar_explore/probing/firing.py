"""The questions that take a test event, which reaches all active webhooks of the team."""

from .answers import Observation, Observations, names_in
from .replies import NotAnsweredError, Reply
from .session import Session

_UNKNOWN_TYPE = "probe.not_a_type"


def fired(session: Session) -> Observations:
    """The response to trigger-test, with an active webhook that subscribes to the event."""
    with session.webhook(paused=False):
        reply = session.fire("ticket.created")
        data = fired_data(reply)
        yield names_in("fired_fields", data, reply.evidence)
        entries = data.get("deliveries")
        if not isinstance(entries, list):
            raise NotAnsweredError(f"{reply.evidence}: no list of deliveries in it")
        names = {str(name) for entry in entries if isinstance(entry, dict) for name in entry}
        yield names_in("delivery_fields", names, reply.evidence)


def unknown_type(session: Session) -> Observations:
    """Firing a type that does not exist."""
    reply = session.fire(_UNKNOWN_TYPE)
    if not reply.ok and not reply.refused:
        raise NotAnsweredError(reply.evidence)
    yield Observation("fire_unknown_type", "fired" if reply.ok else "refused", reply.evidence)


def fired_data(reply: Reply) -> dict[str, object]:
    """`data` of a response to trigger-test.

    Raises:
        NotAnsweredError: The event was not fired.
    """
    if not reply.ok or not isinstance(reply.data, dict):
        raise NotAnsweredError(reply.evidence)
    return reply.data
