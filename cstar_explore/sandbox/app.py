"""The sandbox's API: a Starlette application with the calls of the API reference.

A call passes through `CallMiddleware`, the router, `Api._checked` and its endpoint, in this order.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ..behaviours import Answer
from ..serving.times import iso
from .deliverer import Deliverer
from .error_responses import METHOD_NOT_ALLOWED, PATH_NOT_FOUND, WEBHOOK_NOT_FOUND, ApiError, invalid
from .fields import named
from .idempotency import replayed
from .keys import TEAM_NAMES, Key
from .middleware import CallMiddleware, check_key, read_whole_body
from .pages import paginated
from .rate_limit import RateLimiter
from .seeds import new_secret
from .store import StoredWebhook
from .validation import RequestParser, subscribes

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(eq=False, kw_only=True)
class Api:
    """The endpoints of the API. `app` is the ASGI application.

    Args:
        deliverer: Has the store, clock, ids, faults and behaviours of the sandbox.
    """

    deliverer: Deliverer
    rate_limiter: RateLimiter

    def __post_init__(self) -> None:
        self.store, self.clock, self.ids = self.deliverer.store, self.deliverer.clock, self.deliverer.ids
        self.behaviours = self.deliverer.behaviours
        self._parser = RequestParser(self.deliverer.allowed_hosts, self.behaviours)
        webhooks = "/api/v1/teams/{team_id}/webhooks"
        paths: Mapping[str, Mapping[str, Endpoint]] = {
            "/api/v1/auth/whoami": {"GET": self.whoami},
            webhooks: {"GET": self.list_webhooks, "POST": self.create_webhook},
            f"{webhooks}/trigger-test": {"POST": self.trigger_test},
            f"{webhooks}/{{webhook_id}}": {
                "GET": self.get_webhook,
                "PATCH": self.update_webhook,
                "DELETE": self.delete_webhook,
            },
        }
        app = Starlette(
            routes=[Route(path, self._checked(calls), methods=list(calls)) for path, calls in paths.items()],
            exception_handlers={ApiError: _error_response, HTTPException: _error_response},
        )
        app.router.redirect_slashes = False
        self.app = CallMiddleware(app, self.deliverer, self.rate_limiter)

    def _checked(self, calls: Mapping[str, Endpoint]) -> Endpoint:
        """Runs the method's endpoint once the key is checked and `request.state.body` is read, unless its response is replayed."""

        async def run(request: Request) -> Response:
            check_key(request, self.rate_limiter)
            body = request.state.body = await read_whole_body(request)
            endpoint = calls["GET" if request.method == "HEAD" else request.method]
            return replayed(request, body, self.store, self.clock.now) or await endpoint(request)

        return run

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
        webhooks, pagination = paginated(request, self._webhooks(request))
        async with self._transaction(request, pagination) as respond:
            return respond([_fields(webhook, self.behaviours["list_fields"]) for webhook in webhooks])

    async def get_webhook(self, request: Request) -> Response:
        async with self._transaction(request) as respond:
            return respond(_fields(self._webhook(request), self.behaviours["get_fields"]))

    async def create_webhook(self, request: Request) -> Response:
        fields = self._parser.create(request.state.body)
        self._refuse_duplicate(request, fields)
        key: Key = request.state.key
        async with self._transaction(request) as respond:
            now = self.clock.step()
            webhook = StoredWebhook(
                id=f"whk_{self.ids.next('webhook')}",
                team_id=key.team_id,
                environment=key.environment,
                **fields,
                secret=new_secret(self.ids),
                is_active=True,
                created_at=now,
                updated_at=now,
            )
            self.store.save(webhook)
            return respond(_fields(webhook, self.behaviours["create_fields"]), 201)

    async def update_webhook(self, request: Request) -> Response:
        webhook = self._webhook(request)
        fields = self._parser.update(request.state.body)
        self._refuse_duplicate(request, fields, webhook)
        if "events" in fields and self.behaviours["patch_events"] == "added":
            fields["events"] = list(dict.fromkeys([*webhook.events, *fields["events"]]))
        async with self._transaction(request) as respond:
            now = self.clock.step()
            changed = replace(webhook, **fields)
            if changed != webhook or self.behaviours["unchanged_update"] == "moved":
                changed.updated_at = now
            self.store.save(changed)
            return respond(_fields(changed, self.behaviours["update_fields"]))

    async def delete_webhook(self, request: Request) -> Response:
        async with self._transaction(request) as respond:
            try:
                self.store.remove(self._webhook(request).id)
                self.clock.step()
            except ApiError:
                if self.behaviours["second_delete"] != "200":
                    raise
            return respond({"deleted": True})

    async def trigger_test(self, request: Request) -> Response:
        event = self._parser.trigger_test(request.state.body)
        receivers = [webhook for webhook in self._webhooks(request) if webhook.is_active]
        if self.behaviours["fire_subscriptions"] != "all":
            receivers = [webhook for webhook in receivers if subscribes(webhook.events, event)]
        event_id = f"evt_{self.ids.next('event')}"
        wait = self.behaviours["arrival"] == "before the response"
        async with self._transaction(request, deliver=wait) as respond:
            ids = {"team_id": request.state.key.team_id, "request_id": request.state.request_id}
            self.deliverer.enqueue(receivers, event_id, event, **ids)
            self.clock.step()
            # Saved for a repeat of the request during the deliveries, which fires nothing.
            respond(self._fired(event, event_id, []))
        if wait:
            await self.deliverer.wait_for(event_id)
        response = respond(self._fired(event, event_id, receivers))
        response.background = None if wait else BackgroundTask(self.deliverer.run_due)
        return response

    def _fired(self, event: str, event_id: str, receivers: list[StoredWebhook]) -> dict[str, Any]:
        """The `data` of the response to trigger-test."""
        names = self.behaviours["delivery_fields"]
        results = self.store.results(event_id) if receivers and names else []
        values = {
            "event": event,
            "event_id": event_id if self.behaviours["fired_event_id"] == "equal" else f"{event_id}0",
            "test": True,
            "deliveries": [{name: result.get(name) for name in names} for result in results],
            "delivered_to": len(receivers),
            "*": None,
        }
        return named(values, self.behaviours["fired_fields"])

    def _refuse_duplicate(self, request: Request, fields: Mapping[str, Any], own: StoredWebhook | None = None) -> None:
        for field in ("name", "url"):
            if self.behaviours[f"duplicate_{field}"] == "refused" and field in fields:
                others = (webhook for webhook in self._webhooks(request) if own is None or webhook.id != own.id)
                if any(getattr(webhook, field) == fields[field] for webhook in others):
                    raise invalid(field, f"another webhook has this {field}")

    def _webhooks(self, request: Request) -> list[StoredWebhook]:
        key: Key = request.state.key
        return self.store.webhooks(key.team_id, key.environment)

    def _webhook(self, request: Request) -> StoredWebhook:
        key: Key = request.state.key
        webhook_id: str = request.path_params["webhook_id"]
        webhook = self.store.webhook(webhook_id)
        if webhook is not None and (webhook.team_id, webhook.environment) == (key.team_id, key.environment):
            return webhook
        question = "unknown_id" if webhook_id.startswith("whk_") else "other_kind_of_id"
        question = {"GET": question, "DELETE": "second_delete"}.get(request.method, "")
        raise ApiError(replace(WEBHOOK_NOT_FOUND, status=int(str(self.behaviours.get(question, "404")))))

    @asynccontextmanager
    async def _transaction(
        self, request: Request, pagination: Mapping[str, int] | None = None, *, deliver: bool = True
    ) -> AsyncIterator[Callable[..., Response]]:
        """Commits an endpoint's writes with the response to replay, the clock and the ids; then makes the due deliveries.

        Yields `respond(data, status=200)`, which creates the response. Nothing is locked during the deliveries.
        """
        in_meta = "meta.requestId" in self.behaviours["request_id"]
        meta: dict[str, Any] = {"requestId": request.state.request_id} if in_meta else {}
        meta["timestamp"] = iso(self.clock.now)
        envelope: dict[str, Any] = {"success": True, "meta": meta}
        if pagination is not None and self.behaviours["pagination"] != "nowhere":
            (envelope if self.behaviours["pagination"] == "top" else meta)["pagination"] = pagination

        def respond(data: Any, status: int = 200) -> Response:
            text = json.dumps({"success": True, "data": data, **envelope}, ensure_ascii=False)
            if request.state.replay_key is not None:
                self.store.save_replay(request.state.replay_key, status, text, self.clock.now)
            return Response(text, status, media_type="application/json")

        with self.store.writing():
            yield respond
            self.store.save_state(clock=self.clock.save(), ids=self.ids.used)
        if request.method != "GET" and deliver:
            await self.deliverer.run_due()


async def _error_response(request: Request, error: Exception) -> Response:
    match error:
        case ApiError():
            return error.response.render(request)
        case HTTPException(status_code=405, headers={"Allow": methods}):
            return METHOD_NOT_ALLOWED.render(request, {"Allow": ", ".join(sorted(methods.split(", ")))})
        case _:
            return PATH_NOT_FOUND.render(request)


def _fields(webhook: StoredWebhook, names: Answer) -> dict[str, Any]:
    """The fields of a webhook that a call responds with."""
    times = {"created_at": iso(webhook.created_at), "updated_at": iso(webhook.updated_at)}
    others = {"signing_secret": webhook.secret, "description": "", "*": None}
    return named({**vars(webhook), **times, **others}, names)
