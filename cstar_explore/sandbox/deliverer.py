"""Makes deliveries: signs, posts and retries them on the sandbox's clock.

One attempt at a time, earliest first, so that every run is the same. It runs in the server's event loop and holds no lock while a
receiver responds: a receiver may call the sandbox or advance its clock.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ..events import sample
from ..serving.loopback import is_loopback_url
from ..serving.posting import AttemptResult, DeliveryClient
from ..signatures.signing import legacy_digest, sign
from .clock import STEP, Clock, Ids, iso
from .faults import Fault, Faults
from .outbox import RETRY_AFTER, DueDelivery, Outbox
from .store import Store, StoredWebhook


class Deliverer:
    """Makes the deliveries that are due.

    Args:
        allowed_hosts: Hosts besides loopback that may be posted to.
        timeout: Seconds that a receiver has to respond.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, faults: Faults, *, allowed_hosts: Iterable[str], timeout: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self._client = DeliveryClient(timeout)
        self._timeout_ms = int(timeout * 1000)
        self._in_progress: set[str] = set()
        self._target = clock.now
        self.outbox = Outbox(store)

    def enqueue(self, webhooks: Iterable[StoredWebhook], event_id: str, event: str, request_id: str) -> None:
        """Adds a delivery of this event for each webhook, due now. Call it inside a transaction."""
        now = self._clock.now
        for webhook in webhooks:
            body = sample(event, id=event_id, created_at=iso(now), team_id=webhook.team_id)
            self.outbox.add(f"dlv_{self._ids.next('delivery')}", webhook, (event_id, event, body), request_id, now)

    async def run_due(self, until: datetime | None = None) -> None:
        """Makes all attempts that are due by then and advances the clock, to each one's time and in the end to `until`.

        If a delivery is in progress, the call that makes it also makes these attempts, so that they stay in order.
        """
        if until is not None:
            self._target = max(self._target, until)
            if self._in_progress:
                return
        while due := self.outbox.next_due(max(self._clock.now, self._target), self._in_progress):
            self._in_progress.add(due.id)
            try:
                self._clock.set(due.due_at)
                await self._attempt(due)
            finally:
                self._in_progress.discard(due.id)
        if not self._in_progress:
            self._clock.set(self._target)

    async def wait_for(self, event_id: str) -> None:
        """Waits for an event's deliveries that another call has in progress."""
        deliveries = set(self.outbox.ids(event_id))
        while not deliveries.isdisjoint(self._in_progress):  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Closes the connections to receivers."""
        await self._client.close()

    async def _attempt(self, due: DueDelivery) -> None:
        webhook = self._store.webhook_by_id(due.webhook_id)
        now = self._clock.now
        if webhook is None or not webhook.is_active:
            # cStar does not document what happens to the retries of a deleted or inactive webhook.
            self.outbox.set_state(due.id, "dropped")
            return
        if not self._may_post_to(webhook.url):
            result = AttemptResult(None, "withheld: the sandbox posts to loopback only, and to hosts in allowed_hosts")
            with self._store.writing():
                self.outbox.add_attempt(due, webhook.url, now, result, took_ms=0, fault=None)
                self.outbox.set_state(due.id, "withheld")
            return
        fault = self._faults.take("delivery") or Fault("", 1)
        if fault.name in ("reorder", "delay"):
            # The next event is at least one clock step later; one and a half steps put this delivery behind it.
            seconds = fault.settings.get("seconds", 1.5 * STEP.total_seconds())
            self.outbox.postpone(due.id, due.due_at + timedelta(seconds=seconds), fault.name)
            return
        await self._post(due, webhook, now, fault)
        if fault.name == "duplicate":
            await self._post(due, webhook, now, fault, repeated=True)

    async def _post(
        self, due: DueDelivery, webhook: StoredWebhook, now: datetime, fault: Fault, *, repeated: bool = False
    ) -> None:
        signed, sent = _bodies(due.body, fault)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "cStar-Webhooks/1.0",
            "X-Signature": _signature(signed, webhook.secret, now, fault),
            "X-Event-Type": due.event,
            "X-Event-ID": due.event_id,
            "X-Webhook-ID": webhook.id,
            "X-Timestamp": iso(now),
            "X-Delivery-Attempt": str(due.attempt),
            "x-cstar-request-id": due.request_id,
        }
        result = await self._client.post(webhook.url, sent, headers)
        # The sandbox's clock stands still meanwhile: a response takes no time, a timeout all of it.
        took_ms = self._timeout_ms if result.error and result.error.startswith("timeout") else 0
        reported_fault = None if fault.name == "duplicate" and not repeated else fault.name or None
        with self._store.writing():
            self.outbox.add_attempt(due, webhook.url, now, result, took_ms=took_ms, fault=reported_fault)
            if repeated:
                return
            if result.success:
                self.outbox.set_state(due.id, "delivered")
            elif due.attempt <= len(RETRY_AFTER):
                self.outbox.set_state(due.id, "pending", now + RETRY_AFTER[due.attempt - 1])
            else:
                self.outbox.set_state(due.id, "failed")

    def _may_post_to(self, url: str) -> bool:
        return is_loopback_url(url) or (urlsplit(url).hostname or "").lower() in self._allowed_hosts


def _bodies(body: bytes, fault: Fault) -> tuple[bytes, bytes]:
    """The body that is signed, and the one that is sent."""
    if fault.name == "oversize":
        padded = json.loads(body) | {"padding": "x" * fault.settings["size"]}
        body = json.dumps(padded, ensure_ascii=False, separators=(",", ":")).encode()
    if fault.name == "reencode":
        return body, json.dumps(json.loads(body)).encode()
    return body, body


def _signature(body: bytes, secret: str, now: datetime, fault: Fault) -> str:
    match fault.name:
        case "legacy_signature":
            return f"sha256={legacy_digest(secret.encode(), body)}"
        case "wrong_signature":
            return sign(body, "whsec_SANDBOXanotherwebhookssecret", now)
        case "stale":
            return sign(body, secret, now - timedelta(seconds=fault.settings["seconds"]))
        case _:
            return sign(body, secret, now)
