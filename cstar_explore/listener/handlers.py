"""Calls a user's handler and understands what it returns."""

import asyncio
import inspect
import json
import re
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..serving import loops
from ..text import printable

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import Message

Handler = Callable[[dict[str, Any]], object]

MAX_RESPONSE = 2**20  # bytes of a Starlette response's body, which is sent in one piece
MAX_ERROR = 20_000  # characters of a stored traceback

_EXPECTED = "Return None, a status from 200 to 599, (status, text) or a Starlette Response"
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2
_OWN_FILES = (__file__, loops.__file__, asyncio.__path__[0])


@dataclass(frozen=True)
class HandlerResponse:
    """The response that a handler leads to, and the reason if it is a 500 because the handler failed."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    error: str | None = None


class _InvalidResultError(Exception):
    """What the handler returned is not a response."""


def call_handler(handler: Handler, body: bytes, default: int = 200) -> HandlerResponse:
    """Calls a handler with the parsed body, and runs it to its end. Call it on a worker thread.

    An async handler runs in a new event loop of this thread, so that it may block: neither the listener nor the caller waits in
    that loop.

    Returns:
        The response, with the default status if the handler returned None. If it raised or returned anything else than
        documented, a 500 with the reason.
    """
    try:
        result = handler(json.loads(body))
        if inspect.isawaitable(result) or _is_starlette_response(result):
            return loops.run(_finish(result, default))
        return _plain_response(result, default)
    except _InvalidResultError as error:
        return HandlerResponse(500, error=str(error))
    except BaseException as error:  # noqa: BLE001 - a handler may raise anything, and the sender waits for a response
        lines = traceback.format_exception(type(error), error, _without_own_frames(error.__traceback__))
        return HandlerResponse(500, error=_stored("".join(lines).rstrip()))


async def _finish(result: object, default: int) -> HandlerResponse:
    if inspect.isawaitable(result):
        result = await result
    if _is_starlette_response(result):
        return await _starlette_response(result)  # type: ignore[arg-type] # checked
    return _plain_response(result, default)


def _plain_response(result: object, default: int) -> HandlerResponse:
    match result:
        case None:
            return HandlerResponse(default)
        case int() if is_status(result):
            return HandlerResponse(int(result))
        case (int(status), str(text)) if isinstance(result, tuple) and is_status(status):
            return HandlerResponse(int(status), text.encode("utf-8", "backslashreplace"))
    raise _InvalidResultError(
        f"The handler returned {printable(_shown(result), 200)} ({type(result).__name__}). {_EXPECTED}."
    )


async def _starlette_response(response: "Response") -> HandlerResponse:
    """Runs the response, which may be streamed or read from a file, and its background task."""
    if not is_status(response.status_code):
        raise _InvalidResultError(f"The handler returned a Response with status {response.status_code!r}. {_EXPECTED}.")
    messages: list[Message] = []

    receive: Any = asyncio.Event().wait  # the sender does not disconnect

    async def send(message: "Message") -> None:
        messages.append(message)
        if sum(len(part.get("body", b"")) for part in messages) > MAX_RESPONSE:
            raise _InvalidResultError(f"The handler returned a Response of more than {MAX_RESPONSE:,} bytes.")

    scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "method": "POST", "headers": []}
    await response(scope, receive, send)
    start, *parts = messages
    headers = tuple((name, value) for name, value in start["headers"] if name not in _CONNECTION_HEADERS)
    if not all(_TOKEN.fullmatch(name) and not set(value) & set(b"\r\n\0") for name, value in headers):
        raise _InvalidResultError("The handler returned a Response with an invalid header.")
    return HandlerResponse(start["status"], b"".join(part.get("body", b"") for part in parts), headers)


# The listener's own connection sets these.
_CONNECTION_HEADERS = frozenset({b"content-length", b"transfer-encoding", b"connection", b"keep-alive", b"upgrade"})


def _is_starlette_response(result: object) -> bool:
    responses = sys.modules.get("starlette.responses")  # imported already if there is one
    return responses is not None and isinstance(result, responses.Response)


def is_status(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 600


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a foreign repr
        return "an object"


def _without_own_frames(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from the handler's own first frame on."""
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OWN_FILES):
        frames = frames.tb_next
    return frames


def _stored(text: str) -> str:
    """Text that SQLite can store, of limited length: the beginning and the end, where the error is."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= MAX_ERROR else f"{text[: MAX_ERROR // 2]}\n…\n{text[-MAX_ERROR // 2 :]}"
