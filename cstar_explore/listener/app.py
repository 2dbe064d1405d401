"""The listener's ASGI app: reads a request within limits, verifies, stores and answers it."""

import asyncio
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, SignatureError
from ..secret import Secret
from ..signatures.signing import parse_json, verify
from ..text import printable
from .store import Received, RequestStore

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Handler = Callable[[dict[str, Any]], object]


@dataclass
class ResponseSettings:
    """How the listener responds.

    Attributes:
        status: The status of the response to a delivery, from 200 to 599.
        seconds: Delay before the response, in wall-clock time, at least 0 and below 3600.
        handler: Called with the event of each delivery. If it raises, the status is 500; it may return an int as the status.
    """

    status: int = 200
    seconds: float = 0.0
    handler: Handler | None = None

    def __setattr__(self, name: str, value: object) -> None:
        expected = None
        if name == "status" and not (isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600):
            expected = "an integer from 200 to 599"
        if name == "seconds" and not (isinstance(value, int | float) and 0 <= value < 3600):
            expected = "a number of at least 0 and below 3600"
        if expected:
            raise ConfigurationError(
                f"{name} must be {expected}, not {printable(repr(value), 80)}.", advice=f"Set another {name}."
            )
        super().__setattr__(name, value)


class ListenerApp:
    """ASGI app that stores, verifies and answers deliveries.

    Args:
        store: Where requests are stored.
        secrets: Trusted secrets. If empty, nothing is verified.
        path: The URL path to serve; others are answered 404.
        now: Returns the current time, for checking the age of signatures.
        settings: How to respond.
        max_body: Maximum length of a body, in bytes.
        body_timeout: Maximum time for receiving a body, in seconds.
        on_change: Called when a request has been stored, and again before it is answered.
    """

    def __init__(
        self,
        store: RequestStore,
        secrets: list[Secret],
        path: str,
        *,
        now: Callable[[], datetime],
        settings: ResponseSettings,
        max_body: int,
        body_timeout: float,
        on_change: Callable[[], None],
    ) -> None:
        self._store = store
        self._secrets = secrets
        self._path = path
        self._now = now
        self._settings = settings
        self._max_body = max_body
        self._body_timeout = body_timeout
        self._on_change = on_change

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["path"] != self._path:
            await _respond(send, 404, "There is no listener at this path.")
            return
        try:
            async with asyncio.timeout(self._body_timeout):
                body = await self._read_body(receive)
        except TimeoutError:
            await _respond(send, 408, f"The body took longer than {self._body_timeout:g} s.")
            return
        if body is None:
            await _respond(send, 413, f"The body is longer than {self._max_body:,} bytes.")
            return
        request = self._store.add(self._received(scope, body))
        self._on_change()
        status, error = await self._handle(request)
        self._store.set_response(request.id, status, error)
        self._on_change()
        await _respond(send, status, "" if 200 <= status < 300 else (request.cause or "status set by the listener"))

    async def _read_body(self, receive: "Receive") -> bytes | None:
        """The body, or None if it is too long."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise TimeoutError
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_body:
                return None
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)

    def _received(self, scope: "Scope", body: bytes) -> Received:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        signature = next((value for name, value in headers if name == "x-signature"), None)
        now = self._now()
        parsed = parse_json(body)
        event = parsed if isinstance(parsed, dict) else {}
        return Received(
            id=0,
            received_at=now,
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            body=body,
            cause=self._verify(body, signature, now),
            event_id=_storable(event.get("id")),
            event=_storable(event.get("type")),
            duplicate_of=None,
            answered=None,
            error=None,
        )

    def _verify(self, body: bytes, signature: str | None, now: datetime) -> str | None:
        """The `cause` to store: "ok", the check that failed, or None without secrets."""
        if not self._secrets:
            return None
        try:
            verify(body, signature, self._secrets, now=now)
        except SignatureError as error:
            return error.cause
        return "ok"

    async def _handle(self, request: Received) -> tuple[int, str | None]:
        """The status of the response, and the traceback if the handler raised."""
        settings = self._settings
        if settings.seconds:
            await asyncio.sleep(settings.seconds)
        if request.cause not in (None, "ok"):
            return 401, None
        if settings.handler is None:
            return settings.status, None
        return await asyncio.to_thread(call_handler, settings.handler, request.body, settings.status)


def call_handler(handler: Handler, body: bytes, default: int = 200) -> tuple[int, str | None]:
    """Calls a handler with the parsed body.

    Returns:
        The status that the handler returned, else the default, and None; if it raised, 500 and the traceback.
    """
    try:
        result = handler(json.loads(body))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a handler may raise anything
        # Leaves this function out of the traceback.
        frames = error.__traceback__.tb_next if error.__traceback__ else None
        return 500, _storable("".join(traceback.format_exception(type(error), error, frames)).rstrip())
    if isinstance(result, int) and not isinstance(result, bool) and 100 <= result < 600:
        return result, None
    return default, None


def _storable(value: object) -> str | None:
    """Text that SQLite can store: unpaired surrogates are escaped. None for what is not text."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else None


async def _respond(send: "Send", status: int, text: str) -> None:
    may_have_body = status >= 200 and status not in (204, 304)  # RFC 9110, section 6.4.1
    body = text.encode() if may_have_body else b""
    headers = [(b"content-type", b"text/plain; charset=utf-8")] if body else []
    if may_have_body:
        headers.append((b"content-length", str(len(body)).encode()))
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # the rest of the request body is not read
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
