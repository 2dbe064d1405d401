"""The deliveries of the stand-in for cStar: what a body and its headers look like, how they are signed, and when they are sent."""

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

Answers = Mapping[str, str | tuple[str, ...]]

_TYPES = """
    ticket.created ticket.updated ticket.closed ticket.message_added ticket.deleted ticket.assigned
    customer.created customer.updated customer.deleted customer_group.created customer_group.updated customer_group.deleted
    article.created article.published article.updated article.deleted team.preferences_updated agent.preferences_updated
    boss.spawned boss.damaged boss.defeated player.level_up player.achievement_unlocked player.xp_gained player.quest_completed
    player.streak_milestone social.one_up_sent social.high_five_sent community_post.created community_post.updated
    community_post.status_changed community_post.commented community_post.deleted community_post.voted survey.submitted
"""
_TICKET = {
    "id": "tkt_8f2k",
    "prefixed_id": "CST-1024",
    "title": "Déjà vu / again",
    "status": "new",
    "priority": "normal",
}
DATA: dict[str, Any] = {
    event: {event.partition(".")[0]: {"id": f"{event[:3]}_7h2m", "title": "Überprüfung / Test"}}
    for event in _TYPES.split()
}
DATA["ticket.created"] = {
    "ticket": {**_TICKET, "channel": "widget", "customer_id": "cus_9d1", "created_at": "2026-05-01T09:30:00Z"},
    "customer": {"id": "cus_9d1", "name": "Zoë Müller", "email": "zoe@example.com"},
}
DATA["ticket.updated"] = {"ticket": _TICKET, "changes": {"status": {"from": "new", "to": "open"}}}


@dataclass(frozen=True)
class Target:
    """A webhook that gets an event, and whether it still exists and is active."""

    id: str
    url: str
    secret: str
    wanted: Callable[[], bool]


@dataclass(frozen=True)
class Event:
    """A fired event."""

    id: str
    type: str
    body: bytes


class Deliveries:
    """Sends events to webhooks and repeats what failed."""

    def __init__(
        self,
        answers: Answers,
        routes: Mapping[str, tuple[str, int]],
        forward_to: str,
        payloads: Mapping[str, Any],
        team: str,
    ) -> None:
        self._answers, self._routes, self._team = answers, dict(routes), team
        self._data = {**DATA, **payloads}
        self._command_line = [Target("whk_cli", forward_to, f"whsec_{secrets.token_urlsafe(24)}", lambda: True)]
        self._command_line = self._command_line if forward_to else []
        self._stopped = threading.Event()
        self._pool = ThreadPoolExecutor(16)
        self.delay = 0.05  # seconds until a delivery is sent, if it is sent after the response
        self.sent: list[tuple[str, int, int]] = []  # host, attempt, status: 0 if it could not be reached

    def route(self, name: str, host: str, port: int) -> None:
        """From now on, deliveries for this host go there."""
        self._routes[name] = (host, port)

    def stop(self) -> None:
        """Ends all retries."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def fire(self, event_type: str, targets: list[Target]) -> dict[str, Any]:
        """Sends an event, now or in a moment; returns what the response says about it."""
        event = Event(f"evt_{secrets.token_hex(8)}", event_type, b"")
        event = Event(event.id, event_type, self._body(event))
        targets = [*targets, *self._command_line]
        results: list[tuple[int, int]] = [(0, 0)] * len(targets)
        if self._answers["arrival"] == "before the response":
            results = list(self._pool.map(lambda target: self._attempts(event, target), targets))
        else:
            for target in targets:
                threading.Timer(self.delay, self._attempts, (event, target)).start()
        event_id = event.id if self._answers["fired_event_id"] != "different" else f"trg_{secrets.token_hex(8)}"
        entries = [self._entry(event, *each) for each in zip(targets, results, strict=True)]
        values: dict[str, Any] = {"event": event_type, "test": True, "deliveries": entries}
        values |= dict.fromkeys(("eventId", "event_id"), event_id)
        values |= dict.fromkeys(("deliveredTo", "delivered_to"), len(targets))
        return _named(self._answers["fired_fields"], values)

    def _entry(self, event: Event, target: Target, result: tuple[int, int]) -> dict[str, Any]:
        values: dict[str, Any] = {"webhookId": target.id, "event": event.type, "url": target.url, "eventId": event.id}
        values |= dict.fromkeys(("deliveryId", "id"), f"del_{secrets.token_hex(6)}")
        values |= {"success": result[0] // 100 == 2, "status": result[0], "responseTimeMs": result[1], "attempt": 1}
        return _named(self._answers["delivery_fields"], {**values, "error": None if result[0] else "unreachable"})

    # Attempts

    def _attempts(self, event: Event, target: Target, attempt: int = 1, first_signature: str = "") -> tuple[int, int]:
        """One attempt, after which the next one is planned if it failed."""
        if self._stopped.is_set() or not target.wanted():
            return 0, 0
        headers = self._headers(event, target, attempt)
        signature = headers.get("X-Signature", "")
        if first_signature and signature and self._answers["retry_signature"] == "same":
            headers["X-Signature"] = first_signature
        began = time.monotonic()
        status = self._sent(target.url, headers, event.body)
        self.sent.append((urlsplit(target.url).netloc, attempt, status))
        steps = self._answers["retry_steps"]
        if status // 100 != 2 and attempt <= len(steps):
            pause = int(steps[attempt - 1]) - (time.monotonic() - began)
            rest = (event, target, attempt + 1, first_signature or signature)
            timer = threading.Timer(max(0, pause), self._attempts, rest)
            timer.daemon = True
            timer.start()
        return status, round((time.monotonic() - began) * 1000)

    def _sent(self, url: str, headers: Mapping[str, str], body: bytes, redirects: int = 3) -> int:
        parts = urlsplit(url)
        host, port = self._routes.get(parts.netloc.lower(), ("", 0))
        if not host and parts.hostname == "127.0.0.1":
            host, port = parts.hostname, parts.port or 80
        if not host:
            return 0
        connection = http.client.HTTPConnection(host, port, timeout=int(self._answers["receiver_timeout"][0]))
        try:
            connection.putrequest(
                "POST", f"{parts.path or '/'}?{parts.query}", skip_host=True, skip_accept_encoding=True
            )
            for name, value in {
                "Host": parts.netloc,
                **_TRANSPORT,
                **headers,
                "Content-Length": str(len(body)),
            }.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()
        location = response.headers.get("Location", "")
        if (
            self._answers["redirects"] == "followed"
            and response.status in (301, 302, 307, 308)
            and location
            and redirects
        ):
            target = location if "://" in location else f"{parts.scheme}://{parts.netloc}{location}"
            return self._sent(target, headers, body, redirects - 1)
        return response.status

    # What is sent

    def _body(self, event: Event) -> bytes:
        created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        values: dict[str, Any] = {"id": event.id, "type": event.type, "data": self._data.get(event.type, {})}
        values |= dict.fromkeys(("created_at", "createdAt"), created) | dict.fromkeys(("team_id", "teamId"), self._team)
        values |= {"api_version": "2026-03-01", "test": True, "livemode": False}
        form = self._answers["body_bytes"]
        separators = (", ", ": ") if "spaces" in form else (",", ":")
        layout: dict[str, Any] = {"indent": 2} if "indented" in form else {"separators": separators}
        text = json.dumps(_named(self._answers["envelope"], values), ensure_ascii="escaped letters" in form, **layout)
        text = text.replace("/", "\\/") if "escaped slashes" in form else text
        return (text + ("\n" if "final newline" in form else "")).encode()

    def _headers(self, event: Event, target: Target, attempt: int) -> dict[str, str]:
        """In title case, apart from the names of the table, whose casing does not matter."""
        now = time.time()
        values = {
            "Content-Type": "application/json",
            "User-Agent": "cStar-Webhooks/1.0",
            "X-Event-Type": event.type,
            "X-Event-ID": event.id if self._answers["event_id"] != "different" else f"hdr_{event.id}",
            "X-Webhook-ID": target.id,
            "X-Timestamp": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "X-Delivery-Attempt": str(attempt),
            "x-cstar-request-id": f"req_{secrets.token_hex(6)}",
            "x-cstar-signature": "v0=unpublished",
            "X-Test": "true",
            "X-Signature": self._signature(event.body, target.secret, int(now)),
        }
        return {
            "X-Shard" if name == "*" else name: values.get(name, "eu-1") for name in self._answers["delivery_headers"]
        }

    def _signature(self, body: bytes, secret: str, now: int) -> str:
        tail = secret.removeprefix("whsec_")
        key = {
            "whole secret": secret.encode(),
            "without prefix": tail.encode(),
            "decoded": base64.urlsafe_b64decode(tail),
            "none of these": b"an unpublished key",
        }[str(self._answers["signature_key"])]
        form = self._answers["signature_form"]
        signed = f"{now}.".encode() + body if form == "t,v1" else body
        digest = hmac.new(key, signed, hashlib.sha256).hexdigest()
        return {"t,v1": f"t={now},v1={digest}", "sha256": f"sha256={digest}"}.get(str(form), f"v0:{digest}")


# What a tunnel and its proxies add to a request.
_TRANSPORT = {
    "Accept": "*/*",
    "Accept-Encoding": "gzip, br",
    "Connection": "close",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Host": "tunnel.example",
    "X-Forwarded-Proto": "https",
}


def _named(names: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"shard" if name == "*" else name: values.get(name, "eu-1") for name in names}
