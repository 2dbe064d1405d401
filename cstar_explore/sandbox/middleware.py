"""What surrounds every call: request id, headers, faults, authorization, and the body.

`CallMiddleware` and `FaultMiddleware` surround the router. `AuthorizationMiddleware` and `BodyMiddleware` surround each endpoint,
because an unknown path or method is reported before a bad key, and a body is read only from a caller with a valid key.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response

from ..behaviours import Answer
from ..serving.bodies import BodyTooLongError, DisconnectedError, read_body
from .clock import Clock, Ids, http_date
from .error_responses import (
    BODY_TOO_LONG,
    BODY_TOO_SLOW,
    INVALID_KEY,
    OTHER_TEAM,
    SECRET_KEY_REQUIRED,
    ApiError,
    rate_limited,
    server_error,
)
from .faults import Fault, Faults, truncate
from .keys import Key, find_key
from .rate_limit import RateLimiter

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 2**20  # bytes
BODY_TIMEOUT = 10.0  # seconds for the whole body

_HTML = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


@dataclass(eq=False)
class CallMiddleware:
    """Sets `request.state` and adds the headers that every response has.

    `request.state` gets `request_id`, `now` (when the call arrived), `key` (None unless it is valid) and `behaviours`.
    """

    app: "ASGIApp"
    clock: Clock
    ids: Ids
    rate_limiter: RateLimiter
    behaviours: Mapping[str, Answer]

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope)
        request.state.behaviours = self.behaviours
        request_id = request.state.request_id = f"req_{self.ids.next('request')}"
        now = request.state.now = self.clock.now
        key = request.state.key = find_key(request.headers.get("authorization"))
        headers = {} if key is None else self._rate_limit_headers(key)
        if self.behaviours["date_header"] == "present":
            headers["Date"] = http_date(now)
        headers |= {name: request_id for name in self.behaviours["request_id"] if name != "meta.requestId"}
        if not _is_short(request):
            headers["Connection"] = "close"  # otherwise the server reads on to the end of the body

        async def send_with_headers(message: "Message") -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _rate_limit_headers(self, key: Key) -> dict[str, str]:
        counted = self.rate_limiter.count(key)
        counted |= {name.removeprefix("X-"): value for name, value in counted.items()}
        counted["RateLimit-Policy"] = f"{counted['RateLimit-Limit']};w={counted.pop('RateLimit-Window')}"
        return {name: value for name, value in counted.items() if name in self.behaviours["rate_limit_headers"]}


@dataclass(eq=False)
class FaultMiddleware:
    """Applies the next queued fault to a call with a valid key."""

    app: "ASGIApp"
    faults: Faults

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope)
        app = self.app
        match self.faults.take("api") if request.state.key else None:
            case Fault(name="slow", settings=settings):
                await asyncio.sleep(settings["seconds"])
            case Fault(name="rate_limit", settings={"retry_after": seconds}):
                app = rate_limited(seconds or 60, seconds).render(request)
            case Fault(name="fail", settings=settings):
                app = server_error(settings["status"]).render(request)
            case Fault(name="html"):
                app = Response(_HTML, 502, media_type="text/html")
            case Fault(name="cut_off"):
                send = truncate(send, 0.5)
            case Fault(name="lose_answer"):
                send = truncate(send, 0)
        await app(scope, receive, send)


@dataclass(eq=False)
class AuthorizationMiddleware:
    """Requires a valid key (401), within its rate limit (429), of this team, and secret for a write (403)."""

    app: "ASGIApp"
    rate_limiter: RateLimiter

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope)
        key: Key | None = request.state.key
        if key is None:
            raise ApiError(INVALID_KEY)
        self.rate_limiter.check(key)
        if request.path_params.get("team_id", key.team_id) != key.team_id:
            raise ApiError(OTHER_TEAM)
        if key.publishable:
            if request.method not in ("GET", "HEAD"):
                raise ApiError(SECRET_KEY_REQUIRED)
            if "team_id" in request.path_params:
                question = "publishable_get" if "webhook_id" in request.path_params else "publishable_list"
                match request.state.behaviours[question]:
                    case "401":
                        raise ApiError(INVALID_KEY)
                    case "403":
                        raise ApiError(SECRET_KEY_REQUIRED)
        await self.app(scope, receive, send)


@dataclass(eq=False)
class BodyMiddleware:
    """Reads the whole body, up to a size and within a time that no call needs."""

    app: "ASGIApp"

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        try:
            body = await read_body(receive, MAX_BODY, BODY_TIMEOUT)
        except BodyTooLongError:
            raise ApiError(BODY_TOO_LONG, close=True) from None
        except TimeoutError:
            raise ApiError(BODY_TOO_SLOW, close=True) from None
        except DisconnectedError:
            return

        async def receive_body() -> "Message":
            return {"type": "http.request", "body": body}

        await self.app(scope, receive_body, send)


def _is_short(request: Request) -> bool:
    """Whether the head of a request announces a body that may be read, or none."""
    length = request.headers.get("content-length", "0")
    return (
        "transfer-encoding" not in request.headers
        and length.isdecimal()
        and len(length) < 10
        and int(length) <= MAX_BODY
    )
