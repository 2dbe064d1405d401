"""The listener's ASGI app: reads a request within limits, verifies, stores and answers it."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..secret import Secret
from ..serving.bodies import read_body
from ..serving.credentials import mask_header, mask_query
from ..serving.host_check import Refusal
from ..signatures.bodies import parse_json
from ..signatures.timestamps import TOLERANCE, unix_seconds
from ..signatures.verdict import decide
from ..text import printable
from .handlers import Handler, HandlerResponse, call_handler, is_status
from .store import Received, RequestStore, StoreFullError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

_log = logging.getLogger("cstar_explore.listener")


_SETTINGS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "status": ("an integer from 200 to 599", is_status),
    "seconds": ("a number from 0 to below 3600", lambda value: isinstance(value, int | float) and 0 <= value < 3600),
    "handler": ("a function or None", lambda value: value is None or callable(value)),
}


@dataclass
class ResponseSettings:
    """How the listener responds.

    Attributes:
        status: The status of the response to a delivery, from 200 to 599.
        seconds: Delay before the response, in wall-clock time, at least 0 and below 3600.
        handler: Called with the event of each delivery; see `Listener`.
    """

    status: int = 200
    seconds: float = 0.0
    handler: Handler | None = None

    def __setattr__(self, name: str, value: object) -> None:
        expected, fits = _SETTINGS.get(name, ("", lambda _: True))
        if not fits(value):
            message = f"{name} must be {expected}, not {printable(repr(value), 80)}."
            raise ConfigurationError(message, advice=f"Set another {name}.")
        super().__setattr__(name, value)


@dataclass(eq=False)
class ListenerApp:
    """ASGI app that stores, verifies and answers deliveries.

    Args:
        store: Where requests are stored.
        secrets: Trusted secrets. If empty, nothing is verified.
        path: The URL path to serve; others are answered 404.
        now: Returns the current time, for checking the age of signatures.
        settings: How to respond.
        on_change: Called when a request has been stored, and again before it is answered.
    """

    store: RequestStore
    secrets: list[Secret]
    path: str
    now: Callable[[], datetime]
    settings: ResponseSettings
    on_change: Callable[[], None]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        is_path = scope["path"] == self.path
        body = await read_body(receive) if is_path else _wrong_path(scope["path"], self.path)
        if isinstance(body, Refusal):
            self.store_refused(scope, body)
            if body.status is not None:
                await _respond(send, HandlerResponse(body.status, _RESPONSE_TEXTS[body.cause]))
            return
        try:
            request = self.store.add(self._received(scope, body))
            stored_at = time.monotonic()
            self.on_change()
            response = await self._handle(request)
            seconds = time.monotonic() - stored_at
            self.store.set_response(request.id, response.status, response.error, seconds)
        except ConfigurationError as error:
            self.store.not_stored[error.message] += 1
            _log.error("A request could not be stored: %s", error)
            status = 507 if isinstance(error, StoreFullError) else 503
            response = HandlerResponse(status, b"The listener could not store the request.")
        self.on_change()
        await _respond(send, response)

    def store_refused(self, scope: "Scope", refusal: Refusal) -> None:
        """Stores a request that was refused before its body was read, or counts it if that is not possible."""
        try:
            if refusal.cause == "busy":  # many at a time
                self.store.not_stored[f"answered 503, because {refusal.reason}"] += 1
            else:
                self.store.add(self._received(scope, refusal))
        except ConfigurationError as error:
            self.store.not_stored[error.message] += 1
        self.on_change()

    def _received(self, scope: "Scope", body: bytes | Refusal) -> Received:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        now = self.now()
        if isinstance(body, Refusal):
            content: dict[str, Any] = {"cause": body.cause, "answered": body.status, "error": body.reason}
        else:
            parsed = parse_json(body)
            event = parsed if isinstance(parsed, dict) else {}
            ids = {"event_id": _storable(event.get("id")), "event": _storable(event.get("type"))}
            signature = next((value for name, value in headers if name == "x-signature"), None)
            content = {"body": body, "cause": self._verify(body, signature, now), **ids}
        return Received(
            id=0,
            received_at=now,
            method=scope["method"],
            path=scope["path"],
            headers=tuple((name, mask_header(name, value)) for name, value in headers),
            query=mask_query(scope["query_string"].decode("latin-1")),
            **content,
        )

    def _verify(self, body: bytes, signature: str | None, now: datetime) -> str | None:
        """The `cause` to store: "ok", the check that failed, or None without secrets."""
        if not self.secrets:
            return None
        return decide(body, signature or "", self.secrets, max_age=TOLERANCE, now=unix_seconds(now)).cause

    async def _handle(self, request: Received) -> HandlerResponse:
        settings = self.settings
        if settings.seconds:
            await asyncio.sleep(settings.seconds)
        if request.cause not in (None, "ok"):
            return HandlerResponse(401, str(request.cause).encode())
        if settings.handler is None:
            return HandlerResponse(settings.status)
        return await asyncio.to_thread(call_handler, settings.handler, request.body, settings.status)


_RESPONSE_TEXTS = {
    "wrong_path": b"There is no listener at this path.",  # does not reveal the right one
    "body_too_slow": b"The body took too long.",
    "body_too_long": b"The body is too long.",
}


def _wrong_path(path: str, expected: str) -> Refusal:
    if path.rstrip("/") == expected:
        return Refusal(404, "wrong_path", "The URL ends with a slash, and the listener's does not.")
    return Refusal(404, "wrong_path", f"The path '{printable(path, 80)}' is not that of the listener's URL.")


def _storable(value: object) -> str | None:
    """Text that SQLite can store: unpaired surrogates are escaped. None for what is not text."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else None


async def _respond(send: "Send", response: HandlerResponse) -> None:
    status, body, headers = response.status, response.body, list(response.headers)
    if not body and not 200 <= status < 300:
        body = b"The handler failed." if response.error else b"The listener's answer.status or handler set this status."
    if status < 200 or status in (204, 304):  # RFC 9110, section 6.4.1
        body = b""
    else:
        headers.append((b"content-length", str(len(body)).encode()))
    if body and not response.headers:
        headers.append((b"content-type", b"text/plain; charset=utf-8"))
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the request body is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
