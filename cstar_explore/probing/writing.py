"""The questions that need webhooks of the probe's own, or test events. Each webhook differs from an ordinary one in one respect."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..behaviours import QUESTIONS
from ..schema import parse_value
from .answers import Observation, Observations, error_form, first_of, names_in, one_of, signing_secret
from .replies import NotAnsweredError, Reply
from .session import DOMAINS, UNKNOWN_TYPE, Session

Ask = Callable[[Session], Observations]


def ordinary(session: Session) -> Observations:
    """Creates an ordinary webhook, which exists until the end. Unless it is accepted, refusals of others prove nothing."""
    for domain in DOMAINS:
        session.domain = domain
        created = session.create(paused=False)
        if created.ok or created.status not in (400, 422):
            break
    yield names_in("create_fields", created.webhook, created.evidence)
    session.ordinary = created
    paused = session.pause(created)
    yield names_in("update_fields", paused.webhook, paused.evidence)


def invalid_value(session: Session) -> Observations:
    """The error for an invalid value."""
    created = session.create(url="not a URL")
    with session.removing(created):
        yield from error_form(400, created)


def tried(question: str, answer: Callable[[Session, Reply], str], **fields: Any) -> Ask:
    """Whether a webhook with these fields is accepted, and if so, the `answer` that it gives."""

    def ask(session: Session) -> Observations:
        created = session.create(**fields)
        if not created.ok and not created.refused:
            raise NotAnsweredError(created.evidence)
        with session.removing(created):
            found = "refused" if created.refused else answer(session, created)
            yield one_of(question, found, created.evidence)

    return ask


def by_events(answers: Mapping[tuple[str, ...], str]) -> Callable[[Session, Reply], str]:
    """The answer of the events that a webhook has, in alphabetical order."""
    return lambda session, created: answers.get(tuple(sorted(set(_events(session, created)))), "")


def wildcard(question: str, pattern: str) -> Ask:
    """Whether a wildcard is accepted."""

    def answer(session: Session, created: Reply) -> str:
        events = _events(session, created)
        if events == [pattern]:
            return "literal"
        return "expanded" if events and not any("*" in event for event in events) else ""

    return tried(question, answer, events=pattern)


unknown_type = tried(
    "unknown_type",
    by_events({("ticket.created",): "dropped", (UNKNOWN_TYPE, "ticket.created"): "kept"}),
    events=f"ticket.created,{UNKNOWN_TYPE}",
)
events_array = tried(
    "events_array",
    by_events({("ticket.closed", "ticket.created"): "accepted"}),
    events=["ticket.created", "ticket.closed"],
)
empty_events = tried("empty_events", lambda *_: "accepted", events="")


def replaced_events(session: Session) -> Observations:
    """Whether new events replace the old ones."""
    with session.webhook() as created:
        updated = session.update(created, events="ticket.closed").require_success()
        answer = by_events({("ticket.closed",): "replaced", ("ticket.closed", "ticket.created"): "added"})
        yield one_of("patch_events", answer(session, session.get(created.webhook["id"])), updated.evidence)


def http_url(session: Session) -> Observations:
    """Whether an http URL is accepted."""

    def answer(session: Session, created: Reply) -> str:
        scheme = urlsplit(str(_current(session, created, "url"))).scheme.lower()
        return {"http": "accepted", "https": "https"}.get(scheme, "")

    return tried("http_url", answer, url=session.url().replace("https:", "http:"))(session)


def url_form(session: Session) -> Observations:
    """How a URL is normalized."""
    url = f"{session.url()}:443#fragment".replace("probe", "Probe")
    with session.webhook(url=url) as created:
        kept = str(_current(session, created, "url"))
        changes = {
            "host in lower case": "Probe" not in kept,
            "default port removed": ":443" not in kept,
            "final slash added": urlsplit(kept).path == "/",
            "fragment removed": "#fragment" not in kept,
        }
        yield names_in("url_form", (change for change, made in changes.items() if made), created.evidence)


def duplicates(field: str) -> Ask:
    """Whether two webhooks may have the same name, or the same URL."""

    def ask(session: Session) -> Observations:
        fields = {"name": session.new_name(), "url": session.url()}
        with session.webhook(**fields):
            yield from tried(f"duplicate_{field}", lambda *_: "accepted", **{field: fields[field]})(session)

    return ask


def name_limit(session: Session) -> Observations:
    """The maximum length of a name."""
    name = session.new_name()
    with session.webhook(name=name) as created:
        for limit in filter(str.isdigit, QUESTIONS["name_limit"].answers):
            long_name = name.ljust(int(limit), "x")
            updated = session.update(created, name=long_name)
            if not updated.refused:
                break
        kept = _current(session, updated.require_success(), "name") == long_name
        yield Observation("name_limit", limit if kept else "cut", f"{updated.evidence}, {limit} characters")


def unchanged_update(session: Session) -> Observations:
    """Whether an update that changes nothing sets `updatedAt`."""
    name = session.new_name()
    with session.webhook(name=name) as created:
        before = _updated_at(session, created)
        time.sleep(1.1)  # times may be in whole seconds
        updated = session.update(created, name=name).require_success()
        after = _updated_at(session, created)
        yield Observation("unchanged_update", "kept" if before == after else "moved", updated.evidence)


def second_delete(session: Session) -> Observations:
    """The status of a second delete."""
    with session.webhook() as created:
        first = session.delete(created).require_success()
        if not isinstance(first.data, dict) or first.data.get("deleted") is not True:
            raise NotAnsweredError(f"{first.evidence}: the first delete was not confirmed")
        second = session.delete(created)
        yield one_of("second_delete", "200" if second.ok else str(second.status), second.evidence)


def replayed(question: str) -> Ask:
    """Two creates with one idempotency key, and with one body or two."""
    return lambda session: iter([_replayed(session, question)])


def replayed_update(session: Session) -> Observations:
    """An update that is repeated with its idempotency key after another update."""
    name, key = session.new_name(), str(uuid.uuid4())
    with session.webhook(name=name) as created:
        session.update(created, name=f"{name} A", idempotency_key=key).require_success()
        session.update(created, name=f"{name} B").require_success()
        repeated = session.update(created, name=f"{name} A", idempotency_key=key)
        answer = str(repeated.status)
        if repeated.ok:
            current = _current(session, session.get(created.webhook["id"]), "name")
            answer = {f"{name} A": "again", f"{name} B": "first response"}.get(str(current), "")
        yield one_of("replay_update", answer, repeated.evidence)


def _replayed(session: Session, question: str) -> Observation:
    key, fields = str(uuid.uuid4()), {"name": session.new_name(), "url": session.url()}
    with session.webhook(**fields, idempotency_key=key) as first:
        if question == "replay_other_body":
            fields = {"name": session.new_name(), "url": session.url()}
        second = session.create(**fields, idempotency_key=key, paused=False)
        if not second.ok:
            return one_of(question, str(second.status), second.evidence)
        if second.webhook["id"] != first.webhook["id"]:
            with session.removing(second):
                session.pause(second)
                return Observation(question, "another", second.evidence)
        if question == "replay_other_body":
            return Observation(question, "first response", second.evidence)
        answer = "with secret" if signing_secret(second.webhook) else "without secret"
        return Observation(question, answer, second.evidence)


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


def fire_unknown_type(session: Session) -> Observations:
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


def _current(session: Session, reply: Reply, *names: str) -> Any:
    """A field of the webhook in a reply or, if it lacks it, in the response to get. It raises NotAnsweredError if both do."""
    webhook = reply.webhook
    value = first_of(webhook, *names)
    if value is None:
        value = first_of(session.get(webhook["id"]).webhook, *names)
    if value is None:
        raise NotAnsweredError(f"{reply.evidence}: no response has the field {names[0]}")
    return value


def _events(session: Session, reply: Reply) -> list[str]:
    events = parse_value(_current(session, reply, "events"), "events")
    if events is None:
        raise NotAnsweredError(f"{reply.evidence}: no events in it")
    return list(events)


def _updated_at(session: Session, created: Reply) -> Any:
    return _current(session, session.get(created.webhook["id"]), "updatedAt", "updated_at")
