"""Replays responses to requests with the same Idempotency-Key, for 24 hours (API reference, idempotency)."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from .clock import Clock
from .error_responses import IDEMPOTENCY_KEY_REUSED, ApiError
from .store import Store

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_REPLAY_WINDOW = timedelta(hours=24)


@dataclass(eq=False)
class IdempotencyMiddleware:
    """Replays the stored response. Without one, sets `request.state.replay_key`, under which the endpoint stores its own.

    cStar does not document the scope of an Idempotency-Key. Here it is one API key, method and path.
    """

    app: "ASGIApp"
    store: Store
    clock: Clock

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope, receive)
        request.state.replay_key = None
        app = self.app
        given = request.headers.get("idempotency-key")
        if given and request.method in ("POST", "PATCH"):
            replay_scope = _digest(request.state.key.secret.reveal(), request.method, request.url.path, given)
            fingerprint = _digest((await request.body()).decode("utf-8", "replace"))
            request.state.replay_key = (replay_scope, fingerprint)
            # From here to the endpoint's commit nothing is awaited that suspends: two equal requests cannot both miss.
            stored = self.store.replay(replay_scope, self.clock.now - _REPLAY_WINDOW)
            if stored is not None and (answer := _answer(request, same_body=stored[0] == fingerprint)) not in _ANEW:
                _, status, text = stored
                if answer.isdecimal():
                    raise ApiError(replace(IDEMPOTENCY_KEY_REUSED, status=int(answer)))
                if answer == "without secret":
                    text = _without_secret(text)
                app = Response(text, status, media_type="application/json")
        await app(scope, receive, send)


_ANEW = ("another", "again")


def _answer(request: Request, *, same_body: bool) -> str:
    """What a repeated key leads to. A test event's is always the first response: cStar documents no key for it."""
    behaviours = request.state.behaviours
    if not same_body:
        return str(behaviours["replay_other_body"])
    if request.method == "PATCH":
        return str(behaviours["replay_update"])
    return "with secret" if request.url.path.endswith("/trigger-test") else str(behaviours["replay_create"])


def _without_secret(text: str) -> str:
    body = json.loads(text)
    body["data"] = {name: value for name, value in body["data"].items() if "secret" not in name.lower()}
    return json.dumps(body, ensure_ascii=False)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
