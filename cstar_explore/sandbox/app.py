"""The sandbox's API: a table of routes, and handlers that answer as the API reference does.

A handler takes a `Call` and returns a status and the `data` of the envelope, or raises `Refused`. What is the same for
every call (key, rate limit, team, Idempotency-Key, envelope, headers) happens around it, in `Api.__call__`.
"""

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from ..events import matching_types
from . import error_responses
from .clock import Clock, Ids, http_date, iso
from .deliverer import Deliverer
from .error_responses import Refused
from .faults import Fault, Faults, cut
from .keys import TEAM_NAMES, Key, key_in
from .rate_limit import Limits
from .seeds import new_secret
from .store import Store, StoredWebhook
from .validation import body_of, event_to_fire, to_create, to_update

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

# The same key within 24 hours answers as the first time (API reference, idempotency).
_REPLAY_WINDOW = timedelta(hours=24)

_HTML = "<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>"

Handled = tuple[int, Any]


@dataclass(frozen=True)
class Call:
    """One request, as a handler sees it."""

    key: Key
    raw: bytes
    request_id: str
    webhook_id: str = ""


class Api:
    """The ASGI app."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        limits: Limits,
        faults: Faults,
        deliverer: Deliverer,
        follow_subscriptions: bool,
    ) -> None:
        self.store = store
        self.clock = clock
        self.ids = ids
        self.limits = limits
        self.faults = faults
        self.deliverer = deliverer
        self._follow_subscriptions = follow_subscriptions
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

    def whoami(self, call: Call) -> Handled:
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

    def list_webhooks(self, call: Call) -> Handled:
        listed = self.store.webhooks(call.key.team_id, call.key.environment)
        return 200, [_shown(webhook, "createdAt") for webhook in listed]

    def get_webhook(self, call: Call) -> Handled:
        return 200, _shown(self._found(call), "createdAt", "updatedAt")

    def create_webhook(self, call: Call) -> Handled:
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

    def update_webhook(self, call: Call) -> Handled:
        webhook = self._found(call)
        wanted = to_update(body_of(call.raw))
        if "isActive" in wanted:
            wanted["is_active"] = wanted.pop("isActive")
        webhook = replace(webhook, **wanted, updated_at=self.clock.step())
        self.store.change(webhook)
        return 200, _shown(webhook, "updatedAt")

    def delete_webhook(self, call: Call) -> Handled:
        self.store.remove(self._found(call).id)
        self.clock.step()
        return 200, {"deleted": True}

    def trigger_test(self, call: Call) -> Handled:
        event = event_to_fire(body_of(call.raw))
        listed = self.store.webhooks(call.key.team_id, call.key.environment)
        # "To all active webhooks", says the reference, and nothing of what they subscribe to.
        reached = [
            webhook
            for webhook in listed
            if webhook.is_active and (not self._follow_subscriptions or _subscribes(webhook, event))
        ]
        event_id = f"evt_{self.ids.next('event')}"
        self.deliverer.announce(reached, event_id, event, call.request_id)
        self.clock.step()
        return 200, {"event": event, "eventId": event_id, "test": True, "deliveries": []}

    def _found(self, call: Call) -> StoredWebhook:
        webhook = self.store.webhook(call.key.team_id, call.key.environment, call.webhook_id)
        if webhook is None:
            raise Refused(error_responses.NO_WEBHOOK)
        return webhook

    # --- around every call -----------------------------------------------------------------------------------------

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        request = Request(scope, receive)
        raw = await request.body()
        request_id = f"req_{self.ids.next('request')}"
        now = self.clock.now
        key = key_in(request.headers.get("authorization"))
        headers = {} if key is None else self.limits.count(key)
        fault = None if key is None else self.faults.take("api")
        try:
            await self._spoil(fault)
            status, body = await self._answer(request, key, raw, request_id)
        except Refused as refused:
            status, body = refused.refusal.status, refused.refusal.body(request_id, iso(now))
        headers |= {"Date": http_date(now)}
        if status == 429 and key is not None:
            headers |= self._retry_after(fault, key)
        if fault is not None and fault.name == "html":
            await Response(_HTML, 502, headers, "text/html")(scope, receive, send)
            return
        answer = Response(json.dumps(body, ensure_ascii=False), status, headers, "application/json")
        await answer(scope, receive, cut(send, fault))

    async def _answer(self, request: Request, key: Key | None, raw: bytes, request_id: str) -> tuple[int, Any]:
        handler, params = self._routed(request)
        if key is None:
            raise Refused(error_responses.BAD_KEY)
        self.limits.check(key)
        if params.get("team_id", key.team_id) != key.team_id:
            raise Refused(error_responses.OTHER_TEAM)
        if key.publishable and request.method != "GET":
            raise Refused(error_responses.SECRET_KEY_REQUIRED)
        memory = _Memory(self.store, request, key, raw)
        known = memory.recalled(self.clock.now)
        if known is not None:
            return known
        timestamp = iso(self.clock.now)
        with self.store.writing():
            status, data = handler(Call(key, raw, request_id, params.get("webhook_id", "")))
            body = error_responses.success(data, request_id, timestamp)
            memory.keep(status, body, self.clock.now)
            self.store.keep("now", self.clock.now.isoformat())
            self.store.keep("ids", self.ids.used)
        if request.method != "GET":
            # Time has passed: what is due is delivered before the answer, and nothing is held while receivers take theirs.
            await self.deliverer.run_due()
        if isinstance(data, dict) and "deliveries" in data:
            await self.deliverer.settle(data["eventId"])
            data["deliveries"] = self.deliverer.outbox.told(data["eventId"])
            memory.keep(status, body, self.clock.now)
        return status, body

    async def _spoil(self, fault: Fault | None) -> None:
        """What a fault does before the call is looked at."""
        match fault:
            case Fault(name="slow", settings=settings):
                await asyncio.sleep(settings["seconds"])
            case Fault(name="rate_limit", settings=settings):
                raise Refused(error_responses.rate_limited(settings["retry_after"] or 60))
            case Fault(name="fail", settings=settings):
                raise Refused(error_responses.failing(settings["status"]))
            case Fault(name="html"):
                raise Refused(error_responses.failing(502))

    def _retry_after(self, fault: Fault | None, key: Key) -> dict[str, str]:
        if fault is None or fault.name != "rate_limit":
            return {"Retry-After": str(self.limits.seconds_left(key))}
        seconds = fault.settings["retry_after"]
        return {} if seconds is None else {"Retry-After": str(seconds)}

    def _routed(self, request: Request) -> tuple[Callable[[Call], Handled], dict[str, str]]:
        partial = False
        for route in self._routes:
            match, child = route.matches(request.scope)
            if match is Match.FULL:
                return route.endpoint, child["path_params"]
            partial = partial or match is Match.PARTIAL
        raise Refused(error_responses.NO_METHOD if partial else error_responses.NO_ROUTE)


def _route(method: str, path: str, handler: Callable[[Call], Handled]) -> Route:
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


def _subscribes(webhook: StoredWebhook, event: str) -> bool:
    return any(event in matching_types(pattern) for pattern in webhook.events)


class _Memory:
    """What was answered under an Idempotency-Key, for a day.

    How far a key reaches is not documented. Here: one API key, one method, one path.
    """

    def __init__(self, store: Store, request: Request, key: Key, raw: bytes) -> None:
        given = request.headers.get("idempotency-key") if request.method in ("POST", "PATCH") else None
        self._store = store
        self._scope = given and _digest(key.secret.reveal(), request.method, request.url.path, given)
        self._request = _digest(raw.decode("utf-8", "replace"))

    def recalled(self, now: datetime) -> tuple[int, Any] | None:
        """The first answer, if this request repeats one."""
        known = self._store.replay(self._scope, now - _REPLAY_WINDOW) if self._scope else None
        if known is None:
            return None
        if known[0] != self._request:
            raise Refused(error_responses.KEY_REUSED)
        return known[1], json.loads(known[2])

    def keep(self, status: int, body: Any, now: datetime) -> None:
        """Remembers an answer."""
        if self._scope:
            self._store.remember(self._scope, self._request, status, json.dumps(body), now)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
