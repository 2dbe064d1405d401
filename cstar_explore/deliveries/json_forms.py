"""JSON that contains deliveries: HAR, exports of webhook.site, ngrok, Pipedream and Postman, AWS events, a listener's rows."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from . import http_text
from .losses import Loss
from .model import Delivery, HeaderFields, unreadable

_DEEPEST = 20
_MOST_ENTRIES = 100_000

BODIES = ("rawBody", "raw_body", "bodyRaw", "body_raw", "body", "content", "payload", "data")
_BODY_NAMES = frozenset((*BODIES, "postData", "requestContext"))
# Names that only this tool's requests have.
_TOOLS = {
    "HAR": {"postData", "bodySize"},
    "a Postman collection": {"header"},
    "an AWS event": {"isBase64Encoded", "requestContext"},
    "webhook.site": {"uuid"},
    "a listener's row": {"duplicate_of"},
    "RequestBin": {"client_ip", "inferred_body_type"},
}
_TIMES = ("received_at", "startedDateTime", "created_at", "start", "timestamp", "time")


def find(value: Any) -> list[Delivery]:
    """All requests in parsed JSON, in order.

    Raises:
        ValidationError: It has too many entries, or an entry's base64 is not valid.
    """
    found: list[Delivery] = []
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for entry in level:
            if isinstance(entry, Mapping) and (read := _read(entry)):
                found.append(read)
            elif isinstance(entry, Mapping | list):
                inner += entry.values() if isinstance(entry, Mapping) else entry
            if len(inner) + len(found) > _MOST_ENTRIES:
                raise unreadable(f"The JSON has more than {_MOST_ENTRIES:,} entries.", "Pass one delivery.")
        level = inner
    return found


def _read(value: Mapping[Any, Any]) -> Delivery | None:
    """The delivery in an object that has headers and a body, or whose `request` has them."""
    nested = value.get("request")
    request = nested if isinstance(nested, Mapping) else value
    if request is nested and isinstance(request.get("raw"), str):
        read = http_text.read(_from_base64(request["raw"]), is_text=False)
        return replace(read, source="ngrok's inspector", losses=(), received_at=_received_at(value))
    names = ("headers", "multiValueHeaders", "header") if request is nested else ("headers", "multiValueHeaders")
    headers = next((request[name] for name in names if request.get(name) is not None), None)
    is_list = isinstance(headers, list)
    # HAR and Postman, which list headers, have requests without a body too.
    has_body = not _BODY_NAMES.isdisjoint(request) or (request is nested and is_list)
    if not has_body or not isinstance(headers, Mapping | list | tuple | str):
        return None
    if is_list:
        headers = [field for field in headers if not (isinstance(field, Mapping) and field.get("disabled"))]
    body, losses = _body(request)
    source = next((tool for tool, own in _TOOLS.items() if own & request.keys()), "JSON with headers and body")
    return Delivery(body, HeaderFields(headers), source, losses, _received_at(value), *_target(request))


def _body(request: Mapping[Any, Any]) -> tuple[bytes, tuple[Loss, ...]]:
    data = request.get("postData")
    if isinstance(data, Mapping):
        text = next((data[name] for name in ("text", "_base64") if isinstance(data.get(name), str)), None)
        notes = " ".join(str(data.get(name)) for name in ("encoding", "_encoding", "comment"))
        is_base64 = "base64" in notes.lower() or bool(data.get("_base64"))
        return _encoded(text, Loss.LINE_ENDINGS, is_base64=is_base64)
    content = next((request[name] for name in BODIES if request.get(name) is not None), None)
    if "header" in request and isinstance(content, Mapping):
        return _encoded(content.get("raw"), Loss.FINAL_NEWLINE, Loss.LINE_ENDINGS)
    is_base64 = request.get("isBase64Encoded") is True or request.get("encoding") == "base64"
    return _encoded(content, is_base64=is_base64)


def _encoded(value: Any, *lost: Loss, is_base64: bool = False) -> tuple[bytes, tuple[Loss, ...]]:
    """The body as bytes, and what is not preserved of it: `lost`, if it is text, and what JSON loses."""
    if isinstance(value, bytes | bytearray | memoryview | None):
        return bytes(value or b""), ()
    if isinstance(value, str):
        if is_base64:
            return _from_base64(value), ()
        return value.encode("utf-8", "surrogatepass"), (*lost, Loss.ENCODING)
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError):
        raise unreadable(
            f"The body is an object of type {type(value).__name__}, not text or bytes.",
            "Pass cx.delivery((body, headers)) with the raw bytes.",
        ) from None
    return text.encode("utf-8", "surrogatepass"), (Loss.JSON_FORMAT, Loss.FINAL_NEWLINE)


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise unreadable("The body is declared to be base64, but cannot be decoded.", "Copy it as a whole.") from None


def _target(request: Mapping[Any, Any]) -> tuple[str, str | None]:
    http = _mapping(_mapping(request.get("requestContext")).get("http"))
    method = request.get("method") or request.get("httpMethod") or http.get("method") or "POST"
    url = request.get("url") or request.get("rawPath") or request.get("path")
    url = _mapping(url).get("raw", url)
    return str(method).upper(), url if isinstance(url, str) else None


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, Mapping) else {}


def _received_at(value: Mapping[Any, Any]) -> datetime | None:
    context = _mapping(value.get("requestContext"))
    times = (context.get("timeEpoch"), context.get("requestTimeEpoch"), *map(value.get, _TIMES))
    return next(filter(None, map(_moment, times)), None)


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1_000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            value = datetime.fromisoformat(value[:60].strip())
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
