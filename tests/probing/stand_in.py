"""A stand-in for cStar, written from its webhook API reference alone: it shares no code with the sandbox.

For each open question it has a switch with every answer. It also plays the faults of networks and servers, logs requests, and calls a
hook at each, so that a test can kill the process that sent it.
"""

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit, urlunsplit

from tests.probing.stand_in_deliveries import DATA, Deliveries, Target

Answer = str | tuple[str, ...]
Reply = tuple[int, dict[str, Any]]

TEAM = "3f1c9f52-5f0e-4d6c-9a51-7a3c0b8f2d10"
SECRET_KEY = "sk_test_standin0secret0key000000000000"
LIVE_KEY = "sk_live_standin0live0key00000000000000"
PUBLISHABLE_KEY = "pk_test_standin0public0key00000000000"
ANOTHER_SIZE = 8  # webhooks on a page, for "another number"
UNHEARD_OF = "shard"  # a field that no page has

DEFAULTS: Mapping[str, Answer] = {
    "list_fields": ("id", "name", "url", "events", "isActive", "createdAt"),
    "get_fields": ("id", "name", "url", "events", "isActive", "createdAt", "updatedAt"),
    "create_fields": ("id", "name", "url", "events", "secret", "isActive", "createdAt"),
    "update_fields": ("id", "name", "url", "events", "isActive", "updatedAt"),
    "field_casing": "camelCase",
    "request_id": ("meta.requestId",),
    "rate_limit_headers": ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Window"),
    "date_header": "present",
    "unknown_id": "404",
    "other_kind_of_id": "404",
    "error_404": ("type", "code", "message", "request_id"),
    "code_404": "RESOURCE_MISSING",
    "type_404": "not_found_error",
    "error_401": ("type", "code", "message", "doc_url", "request_id"),
    "code_401": "authentication_required",
    "type_401": "authentication_error",
    "error_400": ("type", "code", "message", "param", "request_id"),
    "code_400": "PARAMETER_INVALID",
    "type_400": "validation_error",
    "list_pages": "complete",
    "page_size": "ignored",
    "pagination": "nowhere",
    "publishable_list": "403",
    "publishable_get": "403",
    "unknown_type": "refused",
    "wildcard_resource": "literal",
    "wildcard_all": "literal",
    "wildcard_action": "literal",
    "events_array": "accepted",
    "empty_events": "refused",
    "patch_events": "replaced",
    "http_url": "refused",
    "url_form": (),
    "duplicate_name": "accepted",
    "duplicate_url": "accepted",
    "name_limit": "255",
    "unchanged_update": "moved",
    "second_delete": "404",
    "replay_create": "with secret",
    "replay_other_body": "first response",
    "replay_update": "first response",
    "fired_fields": ("event", "eventId", "test", "deliveries"),
    "delivery_fields": (),
    "fire_unknown_type": "refused",
    "fire_subscriptions": "all",
    "arrival": "after the response",
    "test_mark": (),
    "delivery_headers": (
        *("Content-Type", "User-Agent", "X-Signature", "X-Event-Type", "X-Event-ID", "X-Webhook-ID"),
        *("X-Timestamp", "X-Delivery-Attempt", "x-cstar-request-id"),
    ),
    "envelope": ("id", "type", "created_at", "team_id", "data"),
    "event_id": "equal",
    "fired_event_id": "equal",
    "body_bytes": (),
    "signature_form": "t,v1",
    "signature_key": "whole secret",
    "redirects": "not followed",
    "retry_steps": ("30", "120", "600", "3600", "21600", "86400"),
    "receiver_timeout": ("10",),
    "retry_signature": "anew",
}


@dataclass
class Webhook:
    """A webhook of the team."""

    name: str
    url: str
    events: list[str]
    id: str = field(default_factory=lambda: f"whk_{secrets.token_hex(6)}")
    secret: str = field(default_factory=lambda: f"whsec_{secrets.token_urlsafe(24)}", repr=False)
    active: bool = True
    created: float = field(default_factory=time.time)
    updated: float = field(default_factory=time.time)

    def shown(self, names: Iterable[str]) -> dict[str, Any]:
        """The fields that have these names."""
        values: dict[str, Any] = {"id": self.id, "name": self.name, "url": self.url, "events": list(self.events)}
        values |= dict.fromkeys(("secret", "signingSecret", "signing_secret"), self.secret)
        values |= dict.fromkeys(("isActive", "is_active"), self.active)
        values |= dict.fromkeys(("createdAt", "created_at"), _stamp(self.created))
        values |= dict.fromkeys(("updatedAt", "updated_at"), _stamp(self.updated))
        values |= dict.fromkeys(("teamId", "team_id"), TEAM)
        values["description"] = None
        return {UNHEARD_OF if name == "*" else name: values.get(name, "eu-1") for name in names}


@dataclass
class Request:
    """A request that arrived, and the status it got: 0 for a lost response."""

    number: int
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int = 0
    fault: str = ""

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class RefusedError(Exception):
    """An error that the API reports."""

    def __init__(self, status: int, kind: str, message: str, param: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.message, self.param = status, kind, message, param


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class StandIn:
    """A server on the loopback interface that behaves as the answers say; a context manager.

    Args:
        answers: What differs from `DEFAULTS`.
        existing: How many webhooks the team has.
        routes: Where deliveries for a host go, as (host, port). All other hosts are unreachable.
        forward_to: A URL that gets each test event as well, as with `cstar listen --forward-to`.
        fault: Called with each request; names the fault to play, or is empty.
        hook: Called with each request and "before" or "after": before or after its effect.
        limit: Requests that a key has.
        refuses: Hosts with one of these endings are refused.
        planted: A text in what the API says about an error, and in fields that no page has.
        newest_first: Whether the list begins with the newest webhook.
        unknown: Published event types that it does not know.
        strict: Whether loopback URLs are treated as all others. By default they may be http, as tests have no other receivers.
    """

    def __init__(
        self,
        answers: Mapping[str, Answer] | None = None,
        *,
        existing: int = 2,
        routes: Mapping[str, tuple[str, int]] | None = None,
        forward_to: str = "",
        payloads: Mapping[str, Any] | None = None,
        fault: Callable[[Request], str] = lambda _: "",
        hook: Callable[[Request, str], object] = lambda _request, _when: None,
        limit: int = 1000,
        refuses: tuple[str, ...] = (),
        planted: str = "",
        newest_first: bool = False,
        strict: bool = False,
        unknown: tuple[str, ...] = (),
    ) -> None:
        assert set(answers or {}) <= set(DEFAULTS)
        self.answers = {**DEFAULTS, **(answers or {})}
        self.fault, self.hook, self.limit, self.refuses = fault, hook, limit, refuses
        self.planted, self.newest_first, self.strict = planted, newest_first, strict
        self.webhooks = [
            Webhook(f"Existing {number}", f"https://existing-{number}.example.com/hooks", ["ticket.created"])
            for number in range(existing)
        ]
        self.before = [webhook.id for webhook in self.webhooks]
        self.deliveries = Deliveries(self.answers, routes or {}, forward_to, payloads or {}, TEAM)
        self.requests: list[Request] = []
        self.types = [event for event in DATA if event not in unknown]
        self.made: list[Webhook] = []
        self._deleted: set[str] = set()
        self._replies: dict[tuple[str, str], tuple[Any, Reply]] = {}
        self._used: dict[str, int] = {}
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.deliveries.stop()
        self._server.shutdown()
        self._server.server_close()

    @property
    def left(self) -> list[Webhook]:
        """The webhooks that were made since the start."""
        return [webhook for webhook in self.webhooks if webhook.id not in self.before]

    # One request

    def receive(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> bytes:
        """Handles a request; returns the response, empty if it is lost."""
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            body = json.loads(content) if content else None
        except ValueError:
            body = content
        with self._lock:
            request = Request(len(self.requests) + 1, method, parts.path, query, headers, body)
            self.requests.append(request)
        request.fault = self.fault(request)
        self.hook(request, "before")
        if request.fault in _WITHOUT_EFFECT:
            response = self._foreign(request)
        else:
            response = self._written(request, *self._reply(request))
            if request.fault == "502 after":
                response = self._foreign(request)
        self.hook(request, "after")
        if request.fault in ("lost", "lost before"):
            request.status, response = 0, b""
        return response

    def _reply(self, request: Request) -> Reply:
        try:
            return self._routed(request)
        except RefusedError as refused:
            return refused.status, {"success": False, "error": self._error(refused)}

    def _routed(self, request: Request) -> Reply:
        publishable = self._authenticated(request)
        prefix = f"/api/v1/teams/{TEAM}/webhooks"
        if request.path == "/api/v1/auth/whoami":
            return 200, {"success": True, "data": {"teamId": TEAM, "teamName": "Owls", "keyType": "secret"}}
        if not request.path.startswith(prefix):
            raise RefusedError(404, "404", "Not found")
        tail = request.path.removeprefix(prefix).strip("/")
        if publishable and request.method != "GET":
            raise RefusedError(403, "403", "Secret key required for this endpoint")
        if publishable:
            self._publishable("publishable_get" if tail else "publishable_list")
        if request.method == "GET":
            return self._get(tail) if tail else self._list(request.query)
        if request.method == "DELETE":
            return self._delete(tail)
        if not isinstance(request.body, dict):
            raise RefusedError(400, "400", "The body is not a JSON object")
        if tail == "trigger-test":
            return self._fire(request.body)
        with self._lock:
            return self._once(request, lambda: self._update(request.body, tail) if tail else self._create(request.body))

    def _authenticated(self, request: Request) -> bool:
        if request.key not in (SECRET_KEY, LIVE_KEY, PUBLISHABLE_KEY):
            raise RefusedError(401, "401", "Invalid or expired API key")
        with self._lock:
            self._used[request.key] = self._used.get(request.key, 0) + 1
            if self._used[request.key] > self.limit:
                raise RefusedError(429, "429", "Rate limit exceeded. Try again in 60 seconds")
        return request.key == PUBLISHABLE_KEY

    def _publishable(self, question: str) -> None:
        answer = self.answers[question]
        if answer != "allowed":
            raise RefusedError(int(str(answer)), str(answer), "Secret key required for this endpoint")

    def _once(self, request: Request, call: Callable[[], Reply]) -> Reply:
        """What a request with an Idempotency-Key gets: the first response, a refusal, or a call."""
        key = request.headers.get("idempotency-key", "")
        if not key:
            return call()
        stored = self._replies.get((f"{request.method} {request.path}", key))
        update = request.method == "PATCH"
        how = str(self.answers["replay_update" if update else "replay_create"])
        if stored and not update and stored[0] != request.body:
            how = str(self.answers["replay_other_body"])
        if stored and how in ("409", "400", "422"):
            raise RefusedError(int(how), "409", "This Idempotency-Key was used before")
        if stored and how == "without secret":
            status, reply = stored[1]
            kept = {name: value for name, value in reply["data"].items() if "ecret" not in name}
            return status, {**reply, "data": kept}
        if stored and how in ("with secret", "first response"):
            return stored[1]
        reply_now = call()
        if not stored:
            self._replies[f"{request.method} {request.path}", key] = (request.body, reply_now)
        return reply_now

    # Calls

    def _list(self, query: Mapping[str, str]) -> Reply:
        with self._lock:
            every = self.webhooks[::-1] if self.newest_first else list(self.webhooks)
        size = {"complete": len(every) or 1, "20": 20}.get(str(self.answers["list_pages"]), ANOTHER_SIZE)
        if self.answers["page_size"] == "honoured" and query.get("pageSize", "").isdigit():
            size = min(100, int(query["pageSize"]))
        page = int(query.get("page", "1"))
        if self.answers["list_pages"] == "complete" and "pageSize" not in query:
            page = 1
        shown = every[(page - 1) * size : page * size]
        reply: dict[str, Any] = {"success": True, "data": [each.shown(self.answers["list_fields"]) for each in shown]}
        pagination = {"total": len(every), "page": page, "pageSize": size, "totalPages": -(-len(every) // size)}
        if self.answers["pagination"] == "top":
            reply["pagination"] = pagination
        if self.answers["pagination"] == "meta":
            reply["meta"] = {"pagination": pagination}
        return 200, reply

    def _get(self, webhook_id: str) -> Reply:
        return 200, {"success": True, "data": self._found(webhook_id).shown(self.answers["get_fields"])}

    def _create(self, body: dict[str, Any]) -> Reply:
        name, url, events = self._name(body.get("name")), self._url(body.get("url")), self._events(body.get("events"))
        self._unique(name, url)
        webhook = Webhook(name, url, events)
        self.webhooks.append(webhook)
        self.made.append(webhook)
        return 201, {"success": True, "data": webhook.shown(self.answers["create_fields"])}

    def _update(self, body: dict[str, Any], webhook_id: str) -> Reply:
        webhook = self._found(webhook_id)
        was = (webhook.name, webhook.url, webhook.events, webhook.active)
        name = self._name(body["name"]) if "name" in body else webhook.name
        url = self._url(body["url"]) if "url" in body else webhook.url
        self._unique(name, url, webhook)
        if "events" in body:
            added = webhook.events if self.answers["patch_events"] == "added" else []
            webhook.events = list(dict.fromkeys([*added, *self._events(body["events"])]))
        webhook.name, webhook.url = name, url
        webhook.active = bool(body.get("isActive", body.get("is_active", webhook.active)))
        if self.answers["unchanged_update"] == "moved" or was != (name, url, webhook.events, webhook.active):
            webhook.updated = time.time()
        return 200, {"success": True, "data": webhook.shown(self.answers["update_fields"])}

    def _delete(self, webhook_id: str) -> Reply:
        with self._lock:
            again = self.answers["second_delete"]
            if webhook_id in self._deleted and again != "404":
                if again == "200":
                    return 200, {"success": True, "data": {"deleted": True}}
                raise RefusedError(int(str(again)), "404", "Webhook not found")
            if webhook_id in self._deleted:
                raise RefusedError(404, "404", "Webhook not found")
            self.webhooks.remove(self._found(webhook_id))
            self._deleted.add(webhook_id)
        return 200, {"success": True, "data": {"deleted": True}}

    def _fire(self, body: dict[str, Any]) -> Reply:
        event = body.get("event")
        if event not in self.types and (self.answers["fire_unknown_type"] == "refused" or not isinstance(event, str)):
            raise RefusedError(400, "400", f"Unknown event type: {event}", "event")
        with self._lock:
            targets = [
                Target(each.id, each.url, each.secret, self._still(each))
                for each in self.webhooks
                if self._gets(each, event)
            ]
        return 200, {"success": True, "data": self.deliveries.fire(str(event), targets)}

    def _gets(self, webhook: Webhook, event: str) -> bool:
        subscribed = {event, "*", f"{event.partition('.')[0]}.*", f"*.{event.partition('.')[2]}"}
        return webhook.active and (
            self.answers["fire_subscriptions"] == "all" or bool(subscribed & set(webhook.events))
        )

    def _still(self, webhook: Webhook) -> Callable[[], bool]:
        return lambda: webhook.active and webhook in self.webhooks

    # Values

    def _found(self, webhook_id: str) -> Webhook:
        for webhook in self.webhooks:
            if webhook.id == webhook_id:
                return webhook
        question = "unknown_id" if webhook_id.startswith("whk_") else "other_kind_of_id"
        status = 404 if webhook_id in self._deleted else int(str(self.answers[question]))
        raise RefusedError(status, "404", "Webhook not found")

    def _name(self, name: Any) -> str:
        if not isinstance(name, str) or not name:
            raise RefusedError(400, "400", "A name is required", "name")
        limit = str(self.answers["name_limit"])
        if limit == "cut":
            return name[:90]
        if len(name) > int(limit):
            raise RefusedError(400, "400", "The name is too long", "name")
        return name

    def _url(self, url: Any) -> str:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if parts.scheme not in ("http", "https") or not parts.hostname or " " in url:
            raise RefusedError(400, "400", f"Invalid URL: {self.planted}", "url")
        if parts.hostname.endswith(self.refuses):
            raise RefusedError(400, "400", "This host cannot be resolved", "url")
        scheme, strict = parts.scheme, parts.hostname != "127.0.0.1" or self.strict
        if strict and scheme == "http" and self.answers["http_url"] == "refused":
            raise RefusedError(400, "400", "The URL must be HTTPS", "url")
        if strict and scheme == "http" and self.answers["http_url"] == "https":
            scheme = "https"
        form, host, path, fragment = self.answers["url_form"], parts.netloc, parts.path, parts.fragment
        if "host in lower case" in form:
            host = host.lower()
        if "default port removed" in form:
            host = host.removesuffix(":443" if scheme == "https" else ":80")
        if "final slash added" in form and not path:
            path = "/"
        if "fragment removed" in form:
            fragment = ""
        return urlunsplit((scheme, host, path, parts.query, fragment))

    def _events(self, events: Any) -> list[str]:
        if isinstance(events, list) and self.answers["events_array"] == "accepted":
            asked = [str(event) for event in events]
        elif isinstance(events, str):
            asked = [event.strip() for event in events.split(",") if event.strip()]
        else:
            raise RefusedError(400, "400", "events must be a string", "events")
        if not asked and self.answers["empty_events"] == "refused":
            raise RefusedError(400, "400", "events is required", "events")
        return list(dict.fromkeys(kept for event in asked for kept in self._subscribed(event)))

    def _subscribed(self, event: str) -> list[str]:
        if event in self.types:
            return [event]
        if "*" not in event:
            answer, matching = self.answers["unknown_type"], []
        elif event == "*":
            answer, matching = self.answers["wildcard_all"], list(self.types)
        elif event.endswith(".*"):
            answer, matching = (
                self.answers["wildcard_resource"],
                [each for each in self.types if each.startswith(event[:-1])],
            )
        else:
            answer, matching = (
                self.answers["wildcard_action"],
                [each for each in self.types if each.endswith(event[1:])],
            )
        if answer == "refused":
            raise RefusedError(400, "400", f"Unknown event type: {event}", "events")
        return [event] if answer in ("kept", "literal") else matching

    def _unique(self, name: str, url: str, besides: Webhook | None = None) -> None:
        others = [webhook for webhook in self.webhooks if webhook is not besides]
        if self.answers["duplicate_name"] == "refused" and name in [other.name for other in others]:
            raise RefusedError(409, "400", "A webhook with this name exists", "name")
        if self.answers["duplicate_url"] == "refused" and url in [other.url for other in others]:
            raise RefusedError(409, "400", "A webhook with this URL exists", "url")

    # Responses

    def _error(self, refused: RefusedError) -> Any:
        kind = refused.kind if refused.kind in ("404", "401") else "400"
        names = self.answers[f"error_{kind}"]
        code, error_type = str(self.answers[f"code_{kind}"]), str(self.answers[f"type_{kind}"])
        if refused.kind in ("403", "409", "429"):
            code, error_type = {
                "403": ("insufficient_permissions", "authorization_error"),
                "409": ("idempotency_conflict", "validation_error"),
                "429": ("rate_limit_exceeded", "rate_limit_error"),
            }[refused.kind]
        if names == ("only a text",):
            return refused.message
        values = {
            "type": f"peculiar_{self.planted}" if error_type == "another type" else error_type,
            "code": f"E1042{self.planted}" if code == "another code" else code,
            "message": f"{refused.message} {self.planted}",
            "param": refused.param,
            "field": refused.param,
            "retryAfter": 60,
            "details": [],
            **dict.fromkeys(("doc_url", "docUrl"), "https://www.cstar.help/developers/api-reference#errors"),
            **dict.fromkeys(("request_id", "requestId"), f"req_{secrets.token_hex(6)}"),
        }
        return {UNHEARD_OF if name == "*" else name: values.get(name, self.planted) for name in names}

    def _written(self, request: Request, status: int, reply: dict[str, Any]) -> bytes:
        request_id, names = f"req_{secrets.token_hex(6)}", self.answers["request_id"]
        reply["meta"] = {**reply.get("meta", {}), "timestamp": _stamp(time.time())}
        if "meta.requestId" in names and reply["success"]:
            reply["meta"]["requestId"] = request_id
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers |= {name: request_id for name in names if name != "meta.requestId"}
        left = max(0, self.limit - self._used.get(request.key, 0))
        for name in self.answers["rate_limit_headers"]:
            reset = 3600 if name.startswith("Rate") else int(time.time()) + 3600
            values = {"Limit": self.limit, "Remaining": left, "Reset": reset, "Window": 3600}
            headers[name] = str(values.get(name.rpartition("-")[2], f"{self.limit};w=3600"))
        if self.answers["date_header"] == "present":
            headers["Date"] = formatdate(usegmt=True)
        if status == 429:
            headers["Retry-After"] = "60"
        return _http(request, status, headers, json.dumps(reply, ensure_ascii=False).encode())

    def _foreign(self, request: Request) -> bytes:
        status, headers, body = _FOREIGN[request.fault]
        return _http(request, status, {"Date": formatdate(usegmt=True), **headers}, body)


_HTML = b"<!DOCTYPE html><html><body><h1>Sign in to the guest network</h1></body></html>"
_PAGE = {"Content-Type": "text/html"}
_JSON = {"Content-Type": "application/json"}
_LIMITED = (
    b'{"success": false, "error": {"type": "rate_limit_error", "code": "rate_limit_exceeded", "message": "Slow down"}}'
)
_FAILED = b'{"success": false, "error": {"type": "api_error", "code": "internal", "message": "Something went wrong"}}'
_FOREIGN: Mapping[str, tuple[int, Mapping[str, str], bytes]] = {
    "429": (429, {**_JSON, "Retry-After": "0"}, _LIMITED),
    "429 for 1 s": (429, {**_JSON, "Retry-After": "1"}, _LIMITED),
    "500": (500, _JSON, _FAILED),
    "502 after": (502, _PAGE, _HTML),
    "lost before": (0, {}, b""),
    "page": (200, _PAGE, _HTML),
    "page 403": (403, _PAGE, _HTML),
    "page 404": (404, _PAGE, _HTML),
    "page 400": (400, _PAGE, _HTML),
    "json": (200, _JSON, b'{"status": "ok", "version": 3}'),
    "json 404": (404, _JSON, b'{"message": "no Route matched with those values"}'),
    "json 403": (403, _JSON, b'{"error": "forbidden", "reason": "policy"}'),
    "json error": (404, _JSON, b'{"error": {"code": "NoSuchRoute", "message": "unknown host", "status": 404}}'),
    "redirect": (302, {"Location": "https://login.example.net/?next=%2F"}, b""),
}
FAULTS = (*_FOREIGN, "lost")
_WITHOUT_EFFECT = frozenset(_FOREIGN) - {"502 after"}


def _http(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    request.status = status
    lines = [
        f"HTTP/1.1 {status} -",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client leaves a broken connection: this is expected."""


def _handler(stand_in: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            line = self.rfile.readline(65537)
            if not line:
                self.close_connection = True
                return
            method, target, _ = line.decode("latin-1").split(" ", 2)
            headers: dict[str, str] = {}
            while (header := self.rfile.readline(65537).decode("latin-1").strip()) != "":
                name, _, value = header.partition(":")
                headers[name.lower()] = value.strip()
            content = self.rfile.read(int(headers.get("content-length", "0")))
            response = stand_in.receive(method, target, headers, content)
            self.close_connection = not response or headers.get("connection", "").lower() == "close"
            if not response:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.connection.sendall(response)

    return Handler
