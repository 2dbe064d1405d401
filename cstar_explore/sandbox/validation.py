"""Parses request bodies. Written from the API reference; shares nothing with the client."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ..events import FORMER_NAMES, NAMES, matching_types
from .allowed_hosts import AllowedHosts
from .error_responses import INVALID_JSON, ApiError, invalid, missing


def parse_create(content: bytes, hosts: AllowedHosts) -> dict[str, Any]:
    """The name, url and events of a new webhook."""
    body = _json_object(content)
    for field in ("name", "url", "events"):
        if body.get(field) in (None, "", []):
            raise ApiError(missing(field))
    return {"name": _name(body["name"]), "url": _url(body["url"], hosts), "events": _events(body["events"])}


def parse_update(content: bytes, hosts: AllowedHosts) -> dict[str, Any]:
    """The given ones of name, url, events and is_active. Other fields are ignored."""
    body = _json_object(content)
    parsers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "name": ("name", _name),
        "url": ("url", partial(_url, hosts=hosts)),
        "events": ("events", _events),
        "isActive": ("is_active", _is_active),
    }
    return {attribute: parse(body[field]) for field, (attribute, parse) in parsers.items() if field in body}


def parse_trigger_test(content: bytes) -> str:
    """The event type to fire: a published one, not a wildcard."""
    event = _json_object(content).get("event")
    if not event:
        raise ApiError(missing("event"))
    if event not in NAMES:
        raise ApiError(invalid("event", f"Unknown event type: {event}"))
    return str(event)


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
        # JSON can escape an unpaired surrogate (\ud800); UTF-8 cannot encode one.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiError(INVALID_JSON) from None
    if not isinstance(body, dict):
        raise ApiError(INVALID_JSON)
    return body


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ApiError(invalid("name", "name must be text"))
    return value


def _url(value: Any, hosts: AllowedHosts) -> str:
    scheme, host = _scheme_and_host(value) if isinstance(value, str) else ("", "")
    if not host or scheme not in ("http", "https"):
        raise ApiError(invalid("url", "url must be an HTTPS URL"))
    if scheme == "http" and host not in hosts:
        raise ApiError(
            invalid(
                "url",
                "url must be HTTPS (this sandbox also takes http to loopback and to its allowed_hosts, which cStar itself"
                " would refuse)",
            )
        )
    return str(value)


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a number
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _events(value: Any) -> list[str]:
    """The reference's comma-separated string, or the array that the SDK's page shows."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise ApiError(invalid("events", "events must be a comma-separated string of event types"))
    types = list(dict.fromkeys(part.strip() for part in parts if part.strip()))
    if not types:
        raise ApiError(missing("events"))
    for name in types:
        # cStar does not document what it does with an unknown type here. The sandbox refuses it, as trigger-test does.
        if not matching_types(name) and name not in FORMER_NAMES:
            raise ApiError(invalid("events", f"Unknown event type: {name}"))
    return types


def _is_active(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ApiError(invalid("isActive", "isActive must be true or false"))
    return value
