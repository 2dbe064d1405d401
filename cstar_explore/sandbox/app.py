"""The sandbox's API: a Starlette application with the calls of the API reference.

A call passes through `CallMiddleware`, `FaultMiddleware`, the router, `AuthorizationMiddleware`, `BodyMiddleware`,
`IdempotencyMiddleware` and its endpoint, in this order.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..events import matching_types
from .allowed_hosts import AllowedHosts
from .clock import Clock, Ids, iso
from .deliverer import Deliverer
from .error_responses import METHOD_NOT_ALLOWED, PATH_NOT_FOUND, WEBHOOK_NOT_FOUND, ApiError
from .faults import Faults
from .idempotency import IdempotencyMiddleware
from .keys import TEAM_NAMES, Key
from .middleware import AuthorizationMiddleware, BodyMiddleware, CallMiddleware, FaultMiddleware
from .rate_limit import RateLimiter
from .seeds import new_secret
from .store import Store, StoredWebhook
from .validation import parse_create, parse_trigger_test, parse_update


class Api:
    """The endpoints of the API. `app` is the ASGI application."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        *,
        rate_limiter: RateLimiter,
        faults: Faults,
        deliverer: Deliverer,
        allowed_hosts: AllowedHosts,
        follow_subscriptions: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._deliverer = deliverer
        self._allowed_hosts = allowed_hosts
        self._follow_subscriptions = follow_subscriptions
        webhooks = "/api/v1/teams/{team_id}/webhooks"
        routes = (
            ("GET", "/api/v1/auth/whoami", self.whoami),
            ("GET", webhooks, self.list_webhooks),
            ("POST", webhooks, self.create_webhook),
            ("POST", f"{webhooks}/trigger-test", self.trigger_test),
            ("GET", f"{webhooks}/{{webhook_id}}", self.get_webhook),
            ("PATCH", f"{webhooks}/{{webhook_id}}", self.update_webhook),
            ("DELETE", f"{webhooks}/{{webhook_id}}", self.delete_webhook),
        )
        around_endpoint = [
            Middleware(AuthorizationMiddleware, rate_limiter),
            Middleware(BodyMiddleware),
            Middleware(IdempotencyMiddleware, store, clock),
        ]
        self.app = Starlette(
            routes=[Route(path, run, methods=[method], middleware=around_endpoint) for method, path, run in routes],
            middleware=[Middleware(CallMiddleware, clock, ids, rate_limiter), Middleware(FaultMiddleware, faults)],
            exception_handlers={ApiError: _error_response, HTTPException: _error_response},
        )
        self.app.router.redirect_slashes = False

    async def whoami(self, request: Request) -> Response:
        key: Key = request.state.key
        name = TEAM_NAMES[key.team_id]
        identity = {
            "teamId": key.team_id,
            "teamName": name,
            "teamSlug": name.lower().replace(" ", "-"),
            "keyType": "publishable" if key.publishable else "secret",
            "environment": key.environment,
        }
        async with self._transaction(request) as respond:
            return respond(identity)

    async def list_webhooks(self, request: Request) -> Response:
        async with self._transaction(request) as respond:
            return respond([_fields(webhook, "createdAt") for webhook in self._webhooks(request)])

    async def get_webhook(self, request: Request) -> Response:
        async with self._transaction(request) as respond:
            return respond(_fields(self._webhook(request), "createdAt", "updatedAt"))

    async def create_webhook(self, request: Request) -> Response:
        fields = parse_create(await request.body(), self._allowed_hosts)
        key: Key = request.state.key
        async with self._transaction(request) as respond:
            now = self._clock.step()
            webhook = StoredWebhook(
                id=f"whk_{self._ids.next('webhook')}",
                team_id=key.team_id,
                environment=key.environment,
                **fields,
                secret=new_secret(self._ids),
                is_active=True,
                created_at=now,
                updated_at=now,
            )
            self._store.add(webhook)
            return respond(_fields(webhook, "secret", "createdAt"), 201)

    async def update_webhook(self, request: Request) -> Response:
        webhook = self._webhook(request)
        fields = parse_update(await request.body(), self._allowed_hosts)
        async with self._transaction(request) as respond:
            webhook = replace(webhook, **fields, updated_at=self._clock.step())
            self._store.update(webhook)
            return respond(_fields(webhook, "updatedAt"))

    async def delete_webhook(self, request: Request) -> Response:
        async with self._transaction(request) as respond:
            self._store.remove(self._webhook(request).id)
            self._clock.step()
            return respond({"deleted": True})

    async def trigger_test(self, request: Request) -> Response:
        event = parse_trigger_test(await request.body())
        # The reference says "to all active webhooks" and does not mention their subscriptions.
        receivers = [
            webhook
            for webhook in self._webhooks(request)
            if webhook.is_active and (not self._follow_subscriptions or _subscribes(webhook, event))
        ]
        event_id = f"evt_{self._ids.next('event')}"
        fired = {"event": event, "eventId": event_id, "test": True, "deliveries": []}
        async with self._transaction(request) as respond:
            self._deliverer.enqueue(receivers, event_id, event, request.state.request_id)
            self._clock.step()
            respond(fired)  # saved for a repeat of the request during the deliveries, which fires nothing
        await self._deliverer.wait_for(event_id)
        return respond(fired | {"deliveries": self._deliverer.outbox.results(event_id)})

    def _webhooks(self, request: Request) -> list[StoredWebhook]:
        key: Key = request.state.key
        return self._store.webhooks(key.team_id, key.environment)

    def _webhook(self, request: Request) -> StoredWebhook:
        key: Key = request.state.key
        webhook = self._store.webhook(key.team_id, key.environment, request.path_params["webhook_id"])
        if webhook is None:
            raise ApiError(WEBHOOK_NOT_FOUND)
        return webhook

    @asynccontextmanager
    async def _transaction(self, request: Request) -> AsyncIterator[Callable[..., Response]]:
        """Commits an endpoint's writes with the response to replay, the clock and the ids; then makes the due deliveries.

        Yields `respond(data, status=200)`, which creates the response. Nothing is locked during the deliveries.
        """
        meta = {"requestId": request.state.request_id, "timestamp": iso(self._clock.now)}

        def respond(data: Any, status: int = 200) -> Response:
            text = json.dumps({"success": True, "data": data, "meta": meta}, ensure_ascii=False)
            if request.state.replay_key is not None:
                self._store.save_replay(request.state.replay_key, status, text, self._clock.now)
            return Response(text, status, media_type="application/json")

        with self._store.writing():
            yield respond
            self._store.save_state("clock", self._clock.save())
            self._store.save_state("ids", self._ids.used)
        if request.method != "GET":
            await self._deliverer.run_due()


async def _error_response(request: Request, error: Exception) -> Response:
    match error:
        case ApiError():
            return error.response.render(request, error.headers)
        case HTTPException(status_code=405):
            return METHOD_NOT_ALLOWED.render(request, {"Allow": ", ".join(_methods(request))})
        case _:
            return PATH_NOT_FOUND.render(request)


def _methods(request: Request) -> list[str]:
    """The methods of all routes with this path; the router knows only those of the first."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = {method for route in routes if route.path_regex.match(request.url.path) for method in route.methods or ()}
    return sorted(found)


def _fields(webhook: StoredWebhook, *optional: str) -> dict[str, Any]:
    """A webhook as the reference prints it. Each call has other ones of the three optional fields."""
    fields = {
        "id": webhook.id,
        "name": webhook.name,
        "url": webhook.url,
        "events": webhook.events,
        "secret": webhook.secret,
        "isActive": webhook.is_active,
        "createdAt": iso(webhook.created_at),
        "updatedAt": iso(webhook.updated_at),
    }
    omitted = {"secret", "createdAt", "updatedAt"}.difference(optional)
    return {name: value for name, value in fields.items() if name not in omitted}


def _subscribes(webhook: StoredWebhook, event: str) -> bool:
    return any(event in matching_types(pattern) for pattern in webhook.events)
