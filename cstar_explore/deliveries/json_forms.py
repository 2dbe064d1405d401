"""JSON that contains deliveries: HAR, exports of webhook.site, ngrok, Pipedream and Postman, AWS events, a listener's rows."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from . import http_text
from .losses import Loss
from .model import Delivery, HeaderFields, unreadable

_DEEPEST = 20
_MOST_ENTRIES = 100_000

BODIES = ("rawBody", "raw_body", "bodyRaw", "body_raw", "body", "content", "payload", "data")
_TIMES = ("received_at", "startedDateTime", "created_at", "start", "timestamp", "time")
_SUBSECONDS = re.compile(r"(\.\d{6})\d+")


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
    request = value.get("request")
    if isinstance(request, Mapping):
        return (
            _ngrok(value, request) or _har(value, request) or _postman(request) or _plain(request, _received_at(value))
        )
    if isinstance(value.get("postData"), Mapping):
        return _har(value, value)  # a request of HAR without its entry
    return _plain(value, _received_at(value))


def _ngrok(value: Mapping[Any, Any], request: Mapping[Any, Any]) -> Delivery | None:
    raw = request.get("raw")
    if not isinstance(raw, str):
        return None
    read = http_text.read(_from_base64(raw), is_text=False)
    return Delivery(read.body, read.headers, "ngrok's inspector", (), _received_at(value), read.method, read.url)


def _har(value: Mapping[Any, Any], request: Mapping[Any, Any]) -> Delivery | None:
    data = request.get("postData")
    if not isinstance(request.get("headers"), list) or "header" in request or not isinstance(data, Mapping | None):
        return None
    data = data or {}
    comment = str(data.get("comment", "")).lower()
    is_base64 = (
        data.get("encoding", data.get("_encoding")) == "base64" or bool(data.get("_base64")) or "base64" in comment
    )
    text = data.get("text")
    if text is None and isinstance(data.get("_base64"), str):
        text = data["_base64"]
    body, losses = _body(text, is_base64=is_base64)
    if not is_base64:
        losses = (Loss.LINE_ENDINGS, *losses)
    pairs = [entry for entry in request["headers"] if isinstance(entry, Mapping) and str(entry.get("name"))[:1] != ":"]
    return Delivery(body, HeaderFields(pairs), "HAR", losses, _received_at(value), *_target(request))


def _postman(request: Mapping[Any, Any]) -> Delivery | None:
    headers, body = request.get("header"), request.get("body")
    if not isinstance(headers, list) or not isinstance(body, Mapping | None):
        return None
    content, losses = _body((body or {}).get("raw"), is_base64=False)
    pairs = [entry for entry in headers if isinstance(entry, Mapping) and not entry.get("disabled")]
    losses = (Loss.FINAL_NEWLINE, Loss.LINE_ENDINGS, *losses)
    return Delivery(content, HeaderFields(pairs), "a Postman collection", losses, None, *_target(request))


def _plain(value: Mapping[Any, Any], received_at: datetime | None) -> Delivery | None:
    """An object with headers and body side by side, the format of most tools and gateways."""
    headers = value["headers"] if value.get("headers") is not None else value.get("multiValueHeaders")
    name = next((name for name in BODIES if value.get(name) is not None), None)
    has_body = name is not None or any(other in value for other in BODIES)
    if not isinstance(headers, Mapping | list | tuple | str) or not (has_body or "requestContext" in value):
        return None
    is_base64 = value.get("isBase64Encoded") is True or value.get("encoding") == "base64"
    body, losses = _body(value.get(name) if name else None, is_base64=is_base64)
    return Delivery(body, HeaderFields(headers), _tool(value), losses, received_at, *_target(value))


def _tool(value: Mapping[Any, Any]) -> str:
    if "isBase64Encoded" in value or "requestContext" in value:
        return "an AWS event"
    if "uuid" in value and "content" in value:
        return "webhook.site"
    if "received_at" in value and "duplicate_of" in value:
        return "a listener's row"
    if "client_ip" in value or "inferred_body_type" in value:
        return "RequestBin"
    return "JSON with headers and body"


def _target(request: Mapping[Any, Any]) -> tuple[str, str | None]:
    context = request.get("requestContext")
    http = context.get("http") if isinstance(context, Mapping) else None
    inner = http if isinstance(http, Mapping) else {}
    method = request.get("method") or request.get("httpMethod") or inner.get("method") or "POST"
    url = request.get("url") or request.get("rawPath") or request.get("path")
    if isinstance(url, Mapping):
        url = url.get("raw")
    return str(method).upper(), url if isinstance(url, str) else None


def _body(value: Any, *, is_base64: bool) -> tuple[bytes, tuple[Loss, ...]]:
    if value is None:
        return b"", ()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value), ()
    if isinstance(value, str):
        return (_from_base64(value), ()) if is_base64 else (value.encode("utf-8", "surrogatepass"), (Loss.ENCODING,))
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


def _received_at(value: Mapping[Any, Any]) -> datetime | None:
    return next(filter(None, map(_moment, _times(value))), None)


def _times(value: Mapping[Any, Any]) -> Iterator[Any]:
    context = value.get("requestContext")
    if isinstance(context, Mapping):
        yield from (context.get("timeEpoch"), context.get("requestTimeEpoch"))
    yield from (value.get(name) for name in _TIMES)


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1_000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            value = datetime.fromisoformat(_SUBSECONDS.sub(r"\1", value[:60].strip()))
        if not isinstance(value, datetime):
            return None
        return value.replace(tzinfo=UTC) if value.utcoffset() is None else value.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
