"""What surrounds every call: request id, headers and faults; then the key and the body.

`CallMiddleware` surrounds the router. `check_key` and `read_whole_body` are called before each endpoint and not before the router,
because an unknown path or method is reported before a bad key, and a body is read only from a caller with a valid key.
"""

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..serving.bodies import MAX_BODY, read_body
from ..serving.host_check import Refusal
from . import error_responses
from .deliverer import Deliverer
from .error_responses import ApiError, ErrorResponse
from .faults import Fault, truncate
from .keys import Key, find_key
from .rate_limit import RateLimiter

_HTML = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"


@dataclass(eq=False)
class CallMiddleware:
    """Sets `request.state`, adds the headers that every response has, and applies the next queued fault.

    `request.state` gets `request_id`, `now` (when the call arrived), `key` (None unless it is valid) and `behaviours`. A call
    without a valid key takes no fault.

    Args:
        deliverer: Has the clock, ids, faults and behaviours of the sandbox.
    """

    app: ASGIApp
    deliverer: Deliverer
    rate_limiter: RateLimiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        behaviours = request.state.behaviours = self.deliverer.behaviours
        request_id = request.state.request_id = f"req_{self.deliverer.ids.next('request')}"
        now = request.state.now = self.deliverer.clock.now
        key = request.state.key = find_key(request.headers.get("authorization"))
        counted = {} if key is None else self.rate_limiter.count(key)
        headers = {name: value for name, value in counted.items() if name in behaviours["rate_limit_headers"]}
        if behaviours["date_header"] == "present":
            headers["Date"] = format_datetime(now, usegmt=True)
        headers |= {name: request_id for name in behaviours["request_id"] if name != "meta.requestId"}
        if not _is_short(request):
            headers["Connection"] = "close"  # otherwise the server reads on to the end of the body

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        app, send_response = await self._with_fault(request, send_with_headers)
        await app(scope, receive, send_response)

    async def _with_fault(self, request: Request, send: Send) -> tuple[ASGIApp, Send]:
        match self.deliverer.faults.take("api") if request.state.key else None:
            case Fault(name="slow", settings=settings):
                await asyncio.sleep(settings["seconds"])
            case Fault(name="rate_limit", settings={"retry_after": seconds}):
                return error_responses.rate_limited(seconds or 60, seconds).render(request), send
            case Fault(name="fail", settings=settings):
                return error_responses.server_error(settings["status"]).render(request), send
            case Fault(name="html"):
                return Response(_HTML, 502, media_type="text/html"), send
            case Fault(name="cut_off"):
                return self.app, truncate(send, 0.5)
            case Fault(name="lose_answer"):
                return self.app, truncate(send, 0)
        return self.app, send


def check_key(request: Request, rate_limiter: RateLimiter) -> None:
    """Requires a valid key (401), within its rate limit (429), of this team, and secret for a write (403)."""
    key: Key | None = request.state.key
    if key is None:
        raise ApiError(error_responses.INVALID_KEY)
    rate_limiter.check(key)
    if request.path_params.get("team_id", key.team_id) != key.team_id:
        raise ApiError(error_responses.OTHER_TEAM)
    if not key.publishable:
        return
    if request.method not in ("GET", "HEAD"):
        raise ApiError(error_responses.SECRET_KEY_REQUIRED)
    if "team_id" in request.path_params:
        question = "publishable_get" if "webhook_id" in request.path_params else "publishable_list"
        refused = {"401": error_responses.INVALID_KEY, "403": error_responses.SECRET_KEY_REQUIRED}.get(
            str(request.state.behaviours[question])
        )
        if refused is not None:
            raise ApiError(refused)


async def read_whole_body(request: Request) -> bytes:
    """The body, up to a size and within a time that no call needs. Otherwise an `ApiError`."""
    body = await read_body(request.receive)
    if isinstance(body, Refusal):
        # Without a status, the sender has disconnected, and receives nothing.
        raise ApiError(ErrorResponse(body.status or 408, "invalid_request_error", body.cause, body.reason))
    return body


def _is_short(request: Request) -> bool:
    """Whether the head of a request announces a body that may be read, or none."""
    length = int(request.headers.get("content-length", "0"))  # the server takes only numbers
    return "transfer-encoding" not in request.headers and length <= MAX_BODY
