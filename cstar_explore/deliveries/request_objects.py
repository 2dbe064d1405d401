"""Requests as objects of Python frameworks and clients, recognized by their attributes; none of them is imported."""

from typing import Any

from ..errors import ValidationError
from . import json_forms
from .losses import TEXT
from .model import Delivery, HeaderFields, unreadable


def read(source: Any) -> Delivery | None:
    """The delivery in a request, a listener's `Received` or row, or a pair of body and headers; None if it is none of them."""
    if isinstance(source, tuple) and len(source) == 2 and isinstance(source[0], str | bytes | bytearray | memoryview):
        body, headers = source
        if isinstance(body, str):
            content = body.encode("utf-8", "surrogatepass")
            return Delivery(content, HeaderFields(headers), "a text and its headers", TEXT)
        return Delivery(bytes(body), HeaderFields(headers), "a body and its headers")
    for as_mapping in ("_asdict", "to_dict"):  # a row of `itertuples` or `iterrows`
        if callable(getattr(source, as_mapping, None)) and not hasattr(source, "environ"):
            return next(iter(json_forms.find(getattr(source, as_mapping)())), None)
    if hasattr(source, "received_at") and hasattr(source, "headers"):
        return next(iter(json_forms.find(vars(source))), None)
    if callable(getattr(source, "prepare", None)) and hasattr(source, "headers"):
        source = source.prepare()  # `requests.Request`
    headers = getattr(source, "headers", getattr(source, "META", None))
    if headers is None:
        return None
    body = _body(source)
    url = getattr(source, "url", None) or getattr(source, "path", None)
    method = str(getattr(source, "method", None) or "POST")
    name = f"a request object ({type(source).__module__.partition('.')[0]})"
    return Delivery(body, HeaderFields(headers), name, (), None, method, None if url is None else str(url))


def _body(request: Any) -> bytes:
    """The body that the request object has already read, or can read without waiting."""
    for name in ("_body", "_read_bytes", "content", "get_data", "body"):
        try:
            value = getattr(request, name, None)
            if name == "get_data" and callable(value):
                value = value()
        except Exception:  # noqa: BLE001 - frameworks raise their own errors for a stream that was consumed
            raise _unread(request) from None
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)
        if isinstance(value, str):
            return value.encode("utf-8", "surrogatepass")
    if getattr(request, "body", _unread) is None:
        return b""  # `requests` has None for an empty body
    raise _unread(request)


def _unread(request: Any) -> ValidationError:
    read = next((name for name, has in _READS.items() if hasattr(request, has)), "request.body")
    return unreadable(
        f"The body of the request object ({type(request).__module__.partition('.')[0]}) has not been read, or was read in parts.",
        f"Read it first, as a whole: {read}. Then pass the request again.",
    )


# How the body is read, by an attribute that only this framework's requests have.
_READS = {
    "await request.read()": "_read_bytes",  # aiohttp
    "await request.body()": "receive",  # Starlette, FastAPI
    "request.read()": "extensions",  # httpx
}
