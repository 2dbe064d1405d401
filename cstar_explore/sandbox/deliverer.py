"""Makes deliveries: signs, posts and retries them on the sandbox's clock.

In order and earliest first, so that every run is the same; but a receiver that has not responded after `HEAD_START` delays no other
delivery that is due at the same time. It runs in the server's event loop and holds no lock while a receiver responds: a receiver may
call the sandbox or advance its clock.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urljoin

from ..behaviours import ASSUMED, Answer
from ..hosts import is_allowed_url
from ..recordings import Recording
from ..serving.posting import AttemptResult, DeliveryClient
from ..serving.schedule import retry_at
from ..serving.times import iso
from .clock import STEP, Clock, Ids
from .content import DeliveryWriter
from .faults import Fault, Faults
from .outbox import DueDelivery, Outbox
from .store import StoredWebhook

POLL = 0.25  # seconds; in real time, a delivery is at most this late
HEAD_START = 0.1  # seconds
MAX_WAITING = 10  # receivers

_log = logging.getLogger("cstar_explore.sandbox")


@dataclass(eq=False, kw_only=True)
class Deliverer:
    """Makes the deliveries that are due.

    Args:
        allowed_hosts: Hosts besides loopback that may be posted to.
        timeout: Seconds that a receiver has to respond.
        behaviours: An answer to each question in `behaviours.py`.
        like: Has the shapes of payloads, if any were observed.
    """

    store: Outbox
    clock: Clock
    ids: Ids
    faults: Faults
    allowed_hosts: Collection[str]
    timeout: float
    behaviours: Mapping[str, Answer]
    like: Recording | None

    def __post_init__(self) -> None:
        self._writer = DeliveryWriter(self.behaviours, self.like)
        self._client = DeliveryClient(self.timeout)
        self._in_progress: dict[str, str] = {}  # the events of deliveries, by the delivery's id
        self._sending = asyncio.Semaphore(MAX_WAITING)
        self._target = self.clock.scheduled
        self._polling: asyncio.Task[None] | None = None

    def enqueue(
        self, webhooks: Iterable[StoredWebhook], event_id: str, event: str, *, team_id: str, request_id: str
    ) -> None:
        """Adds a delivery of this event for each webhook of a team, due now. Call it inside a transaction."""
        due_at = self.clock.scheduled
        body = self._writer.body(event, event_id, iso(self.clock.now), team_id)
        content: dict[str, str | bytes] = {"event_id": event_id, "event": event, "body": body, "request_id": request_id}
        for webhook in webhooks:
            self.store.add(f"dlv_{self.ids.next('delivery')}", webhook, due_at, **content)

    async def run_due(self, until: datetime | None = None) -> None:
        """Makes all attempts that are due by then and advances the clock, to each one's time and in the end to `until`.

        If a delivery is in progress, the call that makes it also makes these attempts, so that they stay in order.
        """
        if until is not None:
            self._target = max(self._target, until)
            if self._in_progress:
                return
        while due := self.store.next_due(max(self.clock.scheduled, self._target), self._in_progress):
            self.clock.set(due.due_at)
            await self._attempt_together(due)
        if not self._in_progress:
            self.clock.set(self._target)

    async def keep_running(self) -> None:
        """From now on, makes attempts when they become due by the clock."""
        self._polling = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(POLL)
            if self._in_progress:
                continue  # the call that makes the delivery also makes the others
            try:
                await self.run_due()
            except Exception:  # noqa: BLE001 - the next attempt may succeed, for example when the disk is not full any more
                _log.exception("The deliveries that are due could not be made.")

    async def wait_for(self, event_id: str) -> None:
        """Waits for an event's deliveries that another call has in progress."""
        while event_id in self._in_progress.values():  # noqa: ASYNC110 - rare and short
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Makes no further attempts when they become due, and closes the connections to receivers."""
        if self._polling is not None:
            self._polling.cancel()
        await self._client.aclose()

    async def _attempt_together(self, first: DueDelivery) -> None:
        """Makes an attempt, and then those that are due by its time. What was sent is recorded before an error is raised."""
        due: DueDelivery | None = first
        attempts: list[asyncio.Task[None]] = []
        while due is not None:
            self._in_progress[due.id] = due.event_id
            attempts.append(asyncio.create_task(self._attempt(due)))
            ended, _ = await asyncio.wait(attempts[-1:], timeout=HEAD_START)
            has_failed = any(attempt.exception() for attempt in ended)  # the disk is full, for example
            due = None if has_failed else self.store.next_due(first.due_at, self._in_progress)
        for failure in filter(None, await asyncio.gather(*attempts, return_exceptions=True)):
            raise failure

    async def _attempt(self, due: DueDelivery) -> None:
        try:
            await self._attempt_once(due)
        finally:
            del self._in_progress[due.id]

    async def _attempt_once(self, due: DueDelivery) -> None:
        webhook = self.store.webhook(due.webhook_id)
        if webhook is None or not webhook.is_active:
            # cStar does not document what happens to the retries of a deleted or inactive webhook.
            self.store.set_state(due.id, "dropped")
            return
        if not is_allowed_url(webhook.url, self.allowed_hosts):
            result = AttemptResult(None, "withheld: the sandbox posts to loopback only, and to hosts in allowed_hosts")
            with self.store.writing():
                self.store.add_attempt(due, webhook.url, self.clock.now, result)
                self.store.set_state(due.id, "withheld")
            return
        fault = self.faults.take("delivery") or Fault("", 1)
        if fault.name in ("reorder", "delay"):
            # The next event is at least one clock step later; one and a half steps put this delivery behind it.
            seconds = fault.settings.get("seconds", 1.5 * STEP.total_seconds())
            self.store.postpone(due.id, due.due_at + timedelta(seconds=seconds), fault.name)
            return
        async with self._sending:
            await self._post(due, webhook, fault)
            if fault.name == "duplicate":
                await self._post(due, webhook, fault, repeated=True)

    async def _post(self, due: DueDelivery, webhook: StoredWebhook, fault: Fault, *, repeated: bool = False) -> None:
        now, scheduled = self.clock.now, self.clock.scheduled
        first = self.store.first_signature(due.id) if self.behaviours["retry_signature"] == "same" else None
        sent = self._writer.sent(due, webhook, now, fault, first)
        result = await self._client.post(webhook.url, sent.body, sent.headers)
        if self.behaviours["redirects"] == "followed" and result.status in (301, 302, 307, 308):
            target = urljoin(webhook.url, dict(result.headers).get("location", ""))
            if is_allowed_url(target, self.allowed_hosts):
                result = await self._client.post(target, sent.body, sent.headers)
        if self.clock.is_real:
            took_ms = round(result.seconds * 1000)
        else:  # the clock stands still meanwhile: a response takes no time, a timeout all of it
            took_ms = int(self.timeout * 1000) if (result.error or "").startswith("timeout") else 0
        shown_fault = None if fault.name == "duplicate" and not repeated else fault.name or None
        next_attempt_at = self._retry_at(due.attempt, scheduled) if result.error else None
        with self.store.writing():
            self.store.add_attempt(due, webhook.url, now, result, sent=sent, took_ms=took_ms, fault=shown_fault)
            if not repeated:
                state = "pending" if next_attempt_at else "failed" if result.error else "delivered"
                self.store.set_state(due.id, state, next_attempt_at)

    def _retry_at(self, attempt: int, at: datetime) -> datetime | None:
        """When a failed attempt is retried: after the observed step, or else the published one."""
        steps = self.behaviours["retry_steps"]
        if steps != ASSUMED["retry_steps"] and attempt <= len(steps):
            return at + timedelta(seconds=int(steps[attempt - 1]))
        return retry_at(attempt, at)
