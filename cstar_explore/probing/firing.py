"""The questions that need a test event, which reaches all active webhooks of the team."""

from .answers import Observation, Observations, names_in
from .replies import NotAnsweredError, Reply
from .session import UNKNOWN_TYPE, Session


def fired(session: Session) -> Observations:
    """The response to trigger-test while an active webhook subscribes to the event."""
    with session.webhook(paused=False):
        reply = session.fire("ticket.created")
        data = fired_data(reply)
        yield names_in("fired_fields", data, reply.evidence)
        entries = data.get("deliveries")
        if not isinstance(entries, list):
            raise NotAnsweredError(f"{reply.evidence}: no list of deliveries in the response")
        names = {str(name) for entry in entries if isinstance(entry, dict) for name in entry}
        yield names_in("delivery_fields", names, reply.evidence)


def unknown_type(session: Session) -> Observations:
    """Whether an event type that does not exist can be fired."""
    reply = session.fire(UNKNOWN_TYPE)
    if not reply.ok and not reply.refused:
        raise NotAnsweredError(reply.evidence)
    yield Observation("fire_unknown_type", "fired" if reply.ok else "refused", reply.evidence)


def fired_data(reply: Reply) -> dict[str, object]:
    """`data` of a response to trigger-test. It raises NotAnsweredError if the event was not fired."""
    if not reply.ok or not isinstance(reply.data, dict):
        raise NotAnsweredError(reply.evidence)
    return reply.data
