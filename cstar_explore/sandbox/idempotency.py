"""Replays responses to requests with the same Idempotency-Key, for 24 hours (API reference, idempotency)."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from .error_responses import IDEMPOTENCY_KEY_REUSED, ApiError
from .store import Store

_REPLAY_WINDOW = timedelta(hours=24)
_ANEW = ("another", "again")


def replayed(request: Request, body: bytes, store: Store, now: datetime) -> Response | None:
    """The stored response. Without one, sets `request.state.replay_key`, under which the endpoint stores its own.

    cStar does not document the scope of an Idempotency-Key. Here it is one API key, method and path. From here to the endpoint's
    commit nothing is awaited that suspends: two equal requests cannot both miss.
    """
    request.state.replay_key = None
    given = request.headers.get("idempotency-key")
    if not given or request.method not in ("POST", "PATCH"):
        return None
    scope = _digest(request.state.key.secret.reveal(), request.method, request.url.path, given)
    fingerprint = _digest(body.decode("utf-8", "replace"))
    request.state.replay_key = (scope, fingerprint)
    stored = store.replay(scope, now - _REPLAY_WINDOW)
    if stored is None:
        return None
    first, status, text = stored
    answer = _answer(request, same_body=first == fingerprint)
    if answer in _ANEW:
        return None
    if answer.isdecimal():
        raise ApiError(replace(IDEMPOTENCY_KEY_REUSED, status=int(answer)))
    text = _without_secret(text) if answer == "without secret" else text
    return Response(text, status, media_type="application/json")


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
