"""The sandbox's API: a table of routes, and handlers that answer as the API reference does.

A handler takes a `Call` and returns a status and the `data` of the envelope, or raises `Refused`. What is the same for
every call (key, rate limit, team, Idempotency-Key, envelope, headers) happens around it, in `Api.__call__`.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from . import answers
from .answers import Refused
from .clock import Clock, Ids, http_date, iso
from .fields import body_of, event_to_fire, to_create, to_update
from .keys import TEAM_NAMES, Key, key_in
from .limits import Limits
from .seeds import new_secret
from .store import Store, StoredWebhook

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

# The same key within 24 hours answers as the first time (API reference, idempotency).
_REPLAY_WINDOW = timedelta(hours=24)

Handled = tuple[int, Any]


@dataclass(frozen=True)
class Call:
    """One request, as a handler sees it."""

    key: Key
    raw: bytes
    webhook_id: str = ""


class Api:
    """The ASGI app."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, limits: Limits) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.limits = limits
        team = "/api/v1/teams/{team_id}/webhooks"
        self._routes = [
            _route("GET", "/api/v1/auth/whoami", self.whoami),
            _route("GET", team, self.list_webhooks),
            _route("POST", team, self.create_webhook),
            _route("POST", f"{team}/trigger-test", self.trigger_test),
            _route("GET", f"{team}/{{webhook_id}}", self.get_webhook),
            _route("PATCH", f"{team}/{{webhook_id}}", self.update_webhook),
            _route("DELETE", f"{team}/{{webhook_id}}", self.delete_webhook),
        ]

    # --- the calls of the reference --------------------------------------------------------------------------------

    async def whoami(self, call: Call) -> Handled:
        name = TEAM_NAMES[call.key.team_id]
        kind = "publishable" if call.key.publishable else "secret"
        slug = name.lower().replace(" ", "-")
        return 200, {
            "teamId": call.key.team_id,
            "teamName": name,
            "teamSlug": slug,
            "keyType": kind,
            "environment": call.key.environment,
        }

    async def list_webhooks(self, call: Call) -> Handled:
        listed = self.store.webhooks(call.key.team_id, call.key.environment)
        return 200, [_shown(webhook, "createdAt") for webhook in listed]

    async def get_webhook(self, call: Call) -> Handled:
        return 200, _shown(self._found(call), "createdAt", "updatedAt")

    async def create_webhook(self, call: Call) -> Handled:
        wanted = to_create(body_of(call.raw))
        now = self.clock.step()
        webhook = StoredWebhook(
            id=f"whk_{self.ids.next('webhook')}",
            team_id=call.key.team_id,
            environment=call.key.environment,
            name=wanted["name"],
            url=wanted["url"],
            events=wanted["events"],
            secret=new_secret(self.ids),
            is_active=True,
            created_at=now,
            updated_at=now,
        )
        self.store.add(webhook)
        return 201, _shown(webhook, "secret", "createdAt")

    async def update_webhook(self, call: Call) -> Handled:
        webhook = self._found(call)
        wanted = to_update(body_of(call.raw))
        if "isActive" in wanted:
            wanted["is_active"] = wanted.pop("isActive")
        webhook = replace(webhook, **wanted, updated_at=self.clock.step())
        self.store.change(webhook)
        return 200, _shown(webhook, "updatedAt")

    async def delete_webhook(self, call: Call) -> Handled:
        self.store.remove(self._found(call).id)
        self.clock.step()
        return 200, {"deleted": True}

    async def trigger_test(self, call: Call) -> Handled:
        event = event_to_fire(body_of(call.raw))
        self.clock.step()
        return 200, {"event": event, "eventId": f"evt_{self.ids.next('event')}", "test": True, "deliveries": []}

    def _found(self, call: Call) -> StoredWebhook:
        webhook = self.store.webhook(call.key.team_id, call.key.environment, call.webhook_id)
        if webhook is None:
            raise Refused(answers.NO_WEBHOOK)
        return webhook

    # --- around every call -----------------------------------------------------------------------------------------

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope, receive)
        raw = await request.body()
        request_id = f"req_{self.ids.next('request')}"
        now = self.clock.now
        key = key_in(request.headers.get("authorization"))
        headers = {} if key is None else self.limits.count(key)
        try:
            with self.store.writing():
                status, content = await self._answer(request, key, raw, request_id)
                self.store.keep("now", self.clock.now.isoformat())
                self.store.keep("ids", self.ids.used)
        except Refused as refused:
            status, content = refused.refusal.status, _json(refused.refusal.body(request_id, iso(now)))
        headers |= {"Date": http_date(now)}
        if status == 429 and key is not None:
            headers["Retry-After"] = str(self.limits.seconds_left(key))
        await Response(content, status, headers, "application/json")(scope, receive, send)

    async def _answer(self, request: Request, key: Key | None, raw: bytes, request_id: str) -> tuple[int, str]:
        handler, params = self._routed(request)
        if key is None:
            raise Refused(answers.BAD_KEY)
        self.limits.check(key)
        if params.get("team_id", key.team_id) != key.team_id:
            raise Refused(answers.OTHER_TEAM)
        if key.publishable and request.method != "GET":
            raise Refused(answers.SECRET_KEY_REQUIRED)
        call = Call(key, raw, params.get("webhook_id", ""))
        repeat_key = request.headers.get("idempotency-key") if request.method in ("POST", "PATCH") else None
        if repeat_key is None:
            return await self._enveloped(handler, call, request_id)
        # How far a key reaches is not documented. Here: one API key, one method, one path.
        scope = _digest(key.secret.reveal(), request.method, request.url.path, repeat_key)
        known = self.store.replay(scope, self.clock.now - _REPLAY_WINDOW)
        if known is not None:
            if known[0] != _digest(raw.decode("utf-8", "replace")):
                raise Refused(answers.KEY_REUSED)
            return known[1], known[2]
        status, content = await self._enveloped(handler, call, request_id)
        self.store.remember(scope, _digest(raw.decode("utf-8", "replace")), status, content, self.clock.now)
        return status, content

    async def _enveloped(
        self, handler: Callable[[Call], Awaitable[Handled]], call: Call, request_id: str
    ) -> tuple[int, str]:
        timestamp = iso(self.clock.now)
        status, data = await handler(call)
        return status, _json(answers.success(data, request_id, timestamp))

    def _routed(self, request: Request) -> tuple[Callable[[Call], Awaitable[Handled]], dict[str, str]]:
        partial = False
        for route in self._routes:
            match, child = route.matches(request.scope)
            if match is Match.FULL:
                return route.endpoint, child["path_params"]
            partial = partial or match is Match.PARTIAL
        raise Refused(answers.NO_METHOD if partial else answers.NO_ROUTE)


def _route(method: str, path: str, handler: Callable[[Call], Awaitable[Handled]]) -> Route:
    # Starlette's routes match and read paths here; the handlers are called by us, with a `Call`.
    route = Route(path, _never, methods=[method])
    route.endpoint = handler
    return route


def _never(request: Request) -> Response:
    raise NotImplementedError


def _shown(webhook: StoredWebhook, *also: str) -> dict[str, Any]:
    """A webhook as the reference prints it; each call prints another choice of the last three fields."""
    shown: dict[str, Any] = {"id": webhook.id, "name": webhook.name, "url": webhook.url, "events": webhook.events}
    if "secret" in also:
        shown["secret"] = webhook.secret
    shown["isActive"] = webhook.is_active
    if "createdAt" in also:
        shown["createdAt"] = iso(webhook.created_at)
    if "updatedAt" in also:
        shown["updatedAt"] = iso(webhook.updated_at)
    return shown


def _json(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
