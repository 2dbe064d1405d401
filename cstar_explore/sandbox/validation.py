"""Parses request bodies. Written from the API reference; shares nothing with the client.

Where cStar's pages do not say what happens, `behaviours` does.
"""

import json
from collections.abc import Collection, Mapping
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from ..behaviours import Answer
from ..events import FORMER_NAMES, NAMES
from ..hosts import is_allowed
from .error_responses import INVALID_JSON, ApiError, invalid, missing

_CUT = 255  # characters that remain of a name, where long ones are cut


class RequestParser:
    """Reads the fields of a request, or raises an `ApiError`.

    Args:
        hosts: Hosts to which http URLs are accepted.
        behaviours: An answer to each question in `behaviours.py`.
    """

    def __init__(self, hosts: Collection[str], behaviours: Mapping[str, Answer]) -> None:
        self._hosts = hosts
        self._behaviours = behaviours
        self._parsers = {"name": self._name, "url": self._url, "events": self._events, "isActive": _is_active}

    def create(self, content: bytes) -> dict[str, Any]:
        """The name, url and events of a new webhook."""
        body = _json_object(content)
        required = ("name", "url") if self._behaviours["empty_events"] == "accepted" else ("name", "url", "events")
        for field in required:
            if body.get(field) in (None, "", []):
                raise missing(field)
        return {field: self._parsers[field](body.get(field, "")) for field in ("name", "url", "events")}

    def update(self, content: bytes) -> dict[str, Any]:
        """The given ones of name, url, events and is_active. Other fields are ignored."""
        body = _json_object(content)
        parsed = {field: parse(body[field]) for field, parse in self._parsers.items() if field in body}
        return {"is_active" if field == "isActive" else field: value for field, value in parsed.items()}

    def trigger_test(self, content: bytes) -> str:
        """The event type to fire, which is not a wildcard."""
        event = _json_object(content).get("event")
        if not event:
            raise missing("event")
        known = event in NAMES or (isinstance(event, str) and self._behaviours["fire_unknown_type"] == "fired")
        if not known:
            raise invalid("event", f"Unknown event type: {event}")
        return str(event)

    def _name(self, value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise invalid("name", "name must be text")
        limit = self._behaviours["name_limit"]
        if limit == "cut":
            return value[:_CUT]
        if limit != "1000" and len(value) > int(str(limit)):
            raise invalid("name", f"name must have at most {limit} characters")
        return value

    def _url(self, value: Any) -> str:
        scheme, host = _scheme_and_host(value) if isinstance(value, str) else ("", "")
        if not host or scheme not in ("http", "https"):
            raise invalid("url", "url must be an HTTPS URL")
        url = str(value)
        if scheme == "http" and not is_allowed(host, self._hosts):
            if self._behaviours["http_url"] == "refused":
                raise invalid(
                    "url",
                    "url must be HTTPS (this sandbox also takes http to loopback and to its allowed_hosts, which cStar"
                    " itself would refuse)",
                )
            if self._behaviours["http_url"] == "https":
                url = f"https{url[4:]}"
        return _in_form(url, self._behaviours["url_form"])

    def _events(self, value: Any) -> list[str]:
        """The reference's comma-separated string, or the array that the SDK's page shows."""
        is_array = isinstance(value, list) and all(isinstance(part, str) for part in value)
        if not isinstance(value, str) and not (is_array and self._behaviours["events_array"] == "accepted"):
            raise invalid("events", "events must be a comma-separated string of event types")
        parts = value.split(",") if isinstance(value, str) else value
        types = dict.fromkeys(name for part in parts if part.strip() for name in self._subscribed(part.strip()))
        if not types and self._behaviours["empty_events"] == "refused":
            raise missing("events")
        return list(types)

    def _subscribed(self, name: str) -> tuple[str, ...]:
        """What a webhook that asks for this type or wildcard subscribes to."""
        if name in NAMES or name in FORMER_NAMES:
            return (name,)
        matching = tuple(event for event in NAMES if _is_wildcard(name) and fnmatchcase(event, name))
        match self._behaviours[_question(name) if matching else "unknown_type"]:
            case "literal" | "kept":
                return (name,)
            case "expanded":
                return matching
            case "dropped":
                return ()
            case _:
                raise invalid("events", f"Unknown event type: {name}")


def subscribes(patterns: list[str], event: str) -> bool:
    """Whether one of these types and wildcards matches the event type."""
    return any(event == name or (_is_wildcard(name) and fnmatchcase(event, name)) for name in patterns)


def _is_wildcard(name: str) -> bool:
    return name == "*" or (name.count("*") == 1 and (name.startswith("*.") or name.endswith(".*")))


def _question(wildcard: str) -> str:
    if wildcard == "*":
        return "wildcard_all"
    return "wildcard_resource" if wildcard.endswith("*") else "wildcard_action"


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
        # JSON can escape an unpaired surrogate (\ud800); UTF-8 cannot encode one.
        json.dumps(body, ensure_ascii=False).encode()
        if isinstance(body, dict):
            return body
    except (ValueError, RecursionError):
        pass
    raise ApiError(INVALID_JSON)


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a number
    except ValueError:
        return "", ""
    return parts.scheme, parts.hostname or ""


def _in_form(url: str, changes: Answer) -> str:
    """The URL with these changes of the question `url_form`."""
    if not changes:
        return url
    scheme, address, path, query, fragment = urlsplit(url)
    user, at, host = address.rpartition("@")
    if "host in lower case" in changes:
        host = host.lower()
    if "default port removed" in changes:
        host = host.removesuffix(":443" if scheme == "https" else ":80")
    if "final slash added" in changes:
        path = path or "/"
    if "fragment removed" in changes:
        fragment = ""
    return urlunsplit((scheme, f"{user}{at}{host}", path, query, fragment))


def _is_active(value: Any) -> bool:
    if not isinstance(value, bool):
        raise invalid("isActive", "isActive must be true or false")
    return value
