"""The listener's ASGI app: reads a request within its limits, keeps it, verifies it, answers as told."""

import asyncio
import json
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, SignatureError
from ..secret import Secret
from ..signatures.signing import json_in, verify
from ..text import printable
from .store import Captures, Received

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

Handler = Callable[[dict[str, Any]], object]


@dataclass
class Behaviour:
    """How the listener answers.

    Attributes:
        status: What a delivery is answered with.
        seconds: How long that takes, on the wall clock.
        handler: Called with the event of each verified delivery; what it raises becomes a 500. It may return a status.
    """

    status: int = 200
    seconds: float = 0.0
    handler: Handler | None = None

    def __setattr__(self, name: str, value: object) -> None:
        if name == "status" and not (isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600):
            raise ConfigurationError(
                f"{printable(repr(value), 80)} is no status to answer with.", advice="Give one from 200 to 599."
            )
        if name == "seconds" and not (isinstance(value, int | float) and 0 <= value < 3600):
            raise ConfigurationError(
                f"{printable(repr(value), 80)} is no time to take.", advice="Give seconds, less than an hour."
            )
        super().__setattr__(name, value)


class ListenerApp:
    """Receives.

    Args:
        captures: Where requests are kept.
        secrets: Whom to believe; without any, nothing is judged.
        path: The one path that is listened on.
        now: The present, by which signatures are young or old.
        heard: Called after each request was kept, and again after it was answered.
    """

    def __init__(
        self,
        captures: Captures,
        secrets: list[Secret],
        path: str,
        *,
        now: Callable[[], datetime],
        behaviour: Behaviour,
        max_body: int,
        body_timeout: float,
        heard: Callable[[], None],
    ) -> None:
        self._captures = captures
        self._secrets = secrets
        self._path = path
        self._now = now
        self._behaviour = behaviour
        self._max_body = max_body
        self._body_timeout = body_timeout
        self._heard = heard

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["path"] != self._path:
            await _answer(send, 404, "Nobody listens at this path.")
            return
        try:
            async with asyncio.timeout(self._body_timeout):
                body = await self._read(receive)
        except TimeoutError:
            await _answer(send, 408, f"The body took longer than {self._body_timeout:g} s.")
            return
        if body is None:
            await _answer(send, 413, f"The body is longer than {self._max_body:,} bytes.")
            return
        kept = self._captures.keep(self._judged(scope, body))
        self._heard()
        status, error = await self._handle(kept)
        self._captures.answered(kept.id, status, error)
        self._heard()
        await _answer(send, status, "" if 200 <= status < 300 else (kept.cause or "told to"))

    async def _read(self, receive: "Receive") -> bytes | None:
        """The body, or None where it is too long."""
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

    def _judged(self, scope: "Scope", body: bytes) -> Received:
        headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
        signature = next((value for name, value in headers if name == "x-signature"), None)
        now = self._now()
        told = json_in(body)
        event = told if isinstance(told, dict) else {}
        return Received(
            id=0,
            received_at=now,
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            body=body,
            cause=self._cause(body, signature, now),
            event_id=_text(event.get("id")),
            event=_text(event.get("type")),
            duplicate_of=None,
            answered=None,
            error=None,
        )

    def _cause(self, body: bytes, signature: str | None, now: datetime) -> str | None:
        if not self._secrets:
            return None
        try:
            verify(body, signature, self._secrets, now=now)
        except SignatureError as error:
            return error.cause
        return "ok"

    async def _handle(self, request: Received) -> tuple[int, str | None]:
        """The status to answer with, and the traceback of a handler that raised."""
        behaviour = self._behaviour
        if behaviour.seconds:
            await asyncio.sleep(behaviour.seconds)
        if request.cause not in (None, "ok"):
            return 401, None
        if behaviour.handler is None:
            return behaviour.status, None
        return await asyncio.to_thread(handled, behaviour.handler, request.body, behaviour.status)


def handled(handler: Handler, body: bytes, status: int = 200) -> tuple[int, str | None]:
    """What a handler makes of a body: the status it returns, or the given one; 500 and a traceback where it raises."""
    try:
        told = handler(json.loads(body))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's own code raises
        # Without our own frame above it.
        below = error.__traceback__.tb_next if error.__traceback__ else None
        return 500, _text("".join(traceback.format_exception(type(error), error, below)).rstrip())
    return (
        (told, None) if isinstance(told, int) and not isinstance(told, bool) and 100 <= told < 600 else (status, None)
    )


def _text(value: object) -> str | None:
    """Text that a database can keep."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else None


async def _answer(send: "Send", status: int, words: str) -> None:
    # Answers of these statuses have no body, by HTTP.
    body = b"" if status < 200 or status in (204, 304) else words.encode()
    headers = (
        [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())] if body else []
    )
    if status in (408, 413):
        headers.append((b"connection", b"close"))  # what is left of the body is not waited for
    if not body and status >= 200 and status not in (204, 304):
        headers.append((b"content-length", b"0"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
