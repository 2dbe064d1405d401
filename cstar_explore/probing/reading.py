"""The questions that GET can answer."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from ..behaviours import QUESTIONS
from ..secret import Secret
from .answers import Observation, Observations, error_form, names_in, one_of
from .replies import NotAnsweredError, Reply
from .session import Session

_SNAKE_CASE = ("is_active", "created_at", "updated_at", "signing_secret")
_CAMEL_CASE = ("isActive", "createdAt", "updatedAt", "signingSecret")


def responses(session: Session) -> Observations:
    """Metadata and headers of responses, and the fields of a webhook."""
    reply = session.get()
    items = _entries(reply)
    meta = reply.envelope.get("meta")
    places = {"meta.requestId": isinstance(meta, dict) and bool(meta.get("requestId"))}
    places |= {name: name.lower() in reply.headers for name in ("X-Request-ID", "x-cstar-request-id")}
    yield names_in("request_id", (place for place, there in places.items() if there), reply.evidence)
    limits = (name for name in QUESTIONS["rate_limit_headers"].answers if name.lower() in reply.headers)
    yield names_in("rate_limit_headers", limits, reply.evidence)
    yield Observation("date_header", "present" if "date" in reply.headers else "absent", reply.evidence)
    yield names_in("list_fields", {name for item in items for name in item}, reply.evidence)
    one = session.get(items[0]["id"])
    yield names_in("get_fields", one.webhook, one.evidence)
    snake, camel = (any(name in one.webhook for name in names) for names in (_SNAKE_CASE, _CAMEL_CASE))
    if snake or camel:
        casing = "both" if snake and camel else "snake_case" if snake else "camelCase"
        yield Observation("field_casing", casing, one.evidence)


def unknown_ids(session: Session) -> Observations:
    """An ID that does not exist, and the error for it."""
    unknown = session.get(f"whk_{uuid.uuid4().hex[:12]}")
    yield one_of("unknown_id", str(unknown.status), unknown.evidence)
    yield from error_form(404, unknown)


def other_ids(session: Session) -> Observations:
    """An ID that is not a webhook's."""
    other = session.get(f"tkt_{uuid.uuid4().hex[:12]}")
    yield one_of("other_kind_of_id", str(other.status), other.evidence)


def false_key(session: Session) -> Observations:
    """A key that does not exist."""
    yield from error_form(401, session.get(key=Secret(f"sk_test_{secrets.token_urlsafe(24)}")))


def pages(session: Session) -> Observations:
    """How a long list is paginated."""
    reply = session.get()
    first = _entries(reply)
    second = session.get("?page=2")
    known = {item["id"] for item in first}
    further = second.ok and any(item["id"] not in known for item in second.webhooks)
    if not further and len(first) <= 20:
        raise NotAnsweredError("the team has no more than 20 webhooks")
    length = "20" if len(first) == 20 else "another number"
    yield Observation("list_pages", length if further else "complete", f"{len(first)} webhooks; {second.evidence}")
    meta = reply.envelope.get("meta")
    place = "top" if "pagination" in reply.envelope else "meta" if "pagination" in (meta or {}) else "nowhere"
    yield Observation("pagination", place, reply.evidence)
    size = 4 if len(first) == 5 else 5
    short = session.get(f"?page=1&pageSize={size}")
    lengths = {size: "honoured", len(first): "ignored"}
    yield one_of("page_size", lengths.get(len(_entries(short)), ""), short.evidence)


def publishable(session: Session) -> Observations:
    """What a publishable key may read."""
    for question, path in (("publishable_list", ""), ("publishable_get", _entries(session.get())[0]["id"])):
        reply = session.get(path, key=session.options.publishable_key)
        yield one_of(question, "allowed" if reply.ok else str(reply.status), f"{reply.evidence}, publishable key")


def _entries(reply: Reply) -> list[Mapping[str, Any]]:
    """The webhooks in the response to list. It raises NotAnsweredError if there are none, or it cannot be read."""
    if not reply.webhooks:
        raise NotAnsweredError("the team has no webhooks")
    return reply.webhooks
