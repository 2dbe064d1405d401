"""Reads the bodies that clients send. Written from the API reference, and sharing nothing with our own client."""

import json
from typing import Any
from urllib.parse import urlsplit

from ..events import FORMER_NAMES, NAMES, matching_types
from ..serving.loopback import is_loopback
from .error_responses import BAD_JSON, Refused, invalid, missing

CREATE_REQUIRES = ("name", "url", "events")


def body_of(raw: bytes) -> dict[str, Any]:
    """The JSON object in a body."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise Refused(BAD_JSON) from None
    if not isinstance(body, dict) or _has_half_a_character(body):
        raise Refused(BAD_JSON)
    return body


def to_create(body: dict[str, Any]) -> dict[str, Any]:
    """What to create: all of name, url and events, checked."""
    for field in CREATE_REQUIRES:
        if body.get(field) in (None, "", []):
            raise Refused(missing(field))
    return {"name": _name(body["name"]), "url": _url(body["url"]), "events": _events(body["events"])}


def to_update(body: dict[str, Any]) -> dict[str, Any]:
    """What to change: any of name, url, events and isActive, checked. Other fields are passed over."""
    readers = {"name": _name, "url": _url, "events": _events, "isActive": _flag}
    return {field: read(body[field]) for field, read in readers.items() if field in body}


def event_to_fire(body: dict[str, Any]) -> str:
    """The type to fire: one of the catalogue's, no wildcard."""
    event = body.get("event")
    if not event:
        raise Refused(missing("event"))
    if event not in NAMES:
        raise Refused(invalid("event", f"Unknown event type: {event}"))
    return str(event)


def _has_half_a_character(body: dict[str, Any]) -> bool:
    """Whether an escape like \\ud800 stands alone: JSON can write it, and UTF-8 cannot."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Refused(invalid("name", "name must be text"))
    return value


def _url(value: Any) -> str:
    scheme, host = _parts(value) if isinstance(value, str) else ("", "")
    if not host or scheme not in ("http", "https"):
        raise Refused(invalid("url", "url must be an HTTPS URL"))
    if scheme == "http" and not is_loopback(host):
        raise Refused(
            invalid(
                "url", "url must be HTTPS (this sandbox also takes http to loopback, which cStar itself would refuse)"
            )
        )
    return str(value)


def _parts(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _events(value: Any) -> list[str]:
    """The reference's comma-separated string, or the array that the SDK's page shows."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise Refused(invalid("events", "events must be a comma-separated string of event types"))
    types = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    for name in types:
        # cStar does not say what it does with an unknown type here. The sandbox refuses, as trigger-test is documented to.
        if not matching_types(name) and name not in FORMER_NAMES:
            raise Refused(invalid("events", f"Unknown event type: {name}"))
    return types


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(invalid("isActive", "isActive must be true or false"))
    return value
