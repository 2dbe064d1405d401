"""Makes deliveries: signs, posts, and retries on the sandbox's clock.

One after the other, oldest first, so that two runs are the same. It runs in the server's event loop and holds nothing while
it waits for a receiver: a receiver may call back into the sandbox, or move its clock.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from ..events import sample
from ..serving.loopback import is_loopback_url
from ..serving.posting import Outcome, Post
from ..signatures.signing import legacy_digest, sign
from .clock import STEP, Clock, Ids, iso
from .faults import Fault, Faults
from .outbox import RETRY_AFTER, Due, Outbox
from .store import Store, StoredWebhook


class Deliverer:
    """Posts what is due.

    Args:
        allowed_hosts: Hosts besides loopback that may be posted to.
        timeout: Seconds a receiver has for its answer.
    """

    def __init__(
        self, store: Store, clock: Clock, ids: Ids, faults: Faults, *, allowed_hosts: Iterable[str], timeout: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._allowed = frozenset(host.lower() for host in allowed_hosts)
        self._post = Post(timeout)
        self._took_ms = int(timeout * 1000)
        self._busy: set[str] = set()
        self._until = clock.now
        self.outbox = Outbox(store)

    def announce(self, webhooks: Iterable[StoredWebhook], event_id: str, event: str, request_id: str) -> None:
        """Puts a delivery of this event for each webhook into the outbox, due now. To be called while writing."""
        now = self._clock.now
        for webhook in webhooks:
            body = sample(event, id=event_id, created_at=iso(now), team_id=webhook.team_id)
            self.outbox.put(f"dlv_{self._ids.next('delivery')}", webhook, (event_id, event, body), request_id, now)

    async def run_due(self, until: datetime | None = None) -> None:
        """Makes all attempts that are due by then, each at its own time; the clock moves along.

        While another call is at it (a receiver may move the clock, and so may another thread), the time to reach is left
        to that one: attempts are made in the order of time, and not by two at once.
        """
        if until is not None:
            self._until = max(self._until, until)
            if self._busy:
                return
        while due := self.outbox.next_due(max(self._clock.now, self._until), self._busy):
            self._busy.add(due.id)
            try:
                self._clock.set(due.at)
                await self._attempt(due)
            finally:
                self._busy.discard(due.id)
        if not self._busy:
            self._clock.set(self._until)

    async def settle(self, event_id: str) -> None:
        """Waits for the deliveries of an event that another call's `run_due` is making."""
        mine = set(self.outbox.deliveries_of(event_id))
        while not mine.isdisjoint(self._busy):  # noqa: ASYNC110 - rare, short, and there is nobody who could tell
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Closes the connections to receivers."""
        await self._post.close()

    async def _attempt(self, due: Due) -> None:
        webhook = self._store.webhook_by_id(due.webhook_id)
        now = self._clock.now
        if webhook is None or not webhook.is_active:
            # What cStar does with retries for a webhook that is gone is not documented.
            self.outbox.conclude(due.id, "dropped")
            return
        if not self._may_post_to(webhook.url):
            withheld = Outcome(None, "withheld: the sandbox posts to loopback only, and to hosts in allowed_hosts")
            with self._store.writing():
                self.outbox.record(due, webhook.url, now, withheld, took_ms=0, fault=None)
                self.outbox.conclude(due.id, "withheld")
            return
        fault = self._faults.take("delivery") or Fault("", 1)
        if fault.name in ("reorder", "delay"):
            # The next event comes one step of the clock from now; half a step more is after it.
            self.outbox.postpone(
                due.id,
                due.at + timedelta(seconds=fault.settings.get("seconds", 1.5 * STEP.total_seconds())),
                fault.name,
            )
            return
        await self._post_once(due, webhook, now, fault)
        if fault.name == "duplicate":
            await self._post_once(due, webhook, now, fault, again=True)

    async def _post_once(
        self, due: Due, webhook: StoredWebhook, now: datetime, fault: Fault, *, again: bool = False
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
            "X-Delivery-Attempt": str(due.number),
            "x-cstar-request-id": due.request_id,
        }
        outcome = await self._post(webhook.url, sent, headers)
        # On the sandbox's clock, which stands still meanwhile, an answer takes no time; waiting for none takes all of it.
        took_ms = self._took_ms if outcome.error and outcome.error.startswith("timeout") else 0
        with self._store.writing():
            shown = None if fault.name == "duplicate" and not again else fault.name or None
            self.outbox.record(due, webhook.url, now, outcome, took_ms=took_ms, fault=shown)
            if not again:
                self._conclude(due, now, outcome)

    def _conclude(self, due: Due, now: datetime, outcome: Outcome) -> None:
        if outcome.success:
            self.outbox.conclude(due.id, "delivered")
        elif due.number <= len(RETRY_AFTER):
            self.outbox.conclude(due.id, "pending", now + RETRY_AFTER[due.number - 1])
        else:
            self.outbox.conclude(due.id, "failed")

    def _may_post_to(self, url: str) -> bool:
        return is_loopback_url(url) or (urlsplit(url).hostname or "").lower() in self._allowed


def _bodies(body: bytes, fault: Fault) -> tuple[bytes, bytes]:
    """What is signed, and what is sent."""
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
