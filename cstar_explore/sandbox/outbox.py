"""The deliveries that are to be made, and the attempts that were: their tables, and the frame of both.

The schedule of retries is published (cStar: webhook-troubleshooting): up to six, after 30 s, 2 m, 10 m, 1 h, 6 h and 24 h.
From what each is counted is not; here, from the attempt before it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..serving.posting import Outcome
from .store import Store, StoredWebhook

RETRY_AFTER = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)

COLUMNS = {
    "id": "str",
    "webhook_id": "str",
    "webhook": "str",
    "event_id": "str",
    "event": "str",
    "attempt": "Int64",
    "at": "datetime64[us, UTC]",
    "success": "boolean",
    "status": "Int64",
    "response_time_ms": "Int64",
    "cause": "str",
    "fault": "str",
    "state": "str",
    "next_attempt_at": "datetime64[us, UTC]",
    "url": "str",
}


@dataclass(frozen=True)
class Due:
    """A delivery whose next attempt has come."""

    id: str
    webhook_id: str
    url: str
    event_id: str
    event: str
    body: bytes
    request_id: str
    fault: str | None
    number: int
    at: datetime


class Outbox:
    """The tables of deliveries and attempts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(
        self, delivery_id: str, webhook: StoredWebhook, event: tuple[str, str, bytes], request_id: str, at: datetime
    ) -> None:
        """A new delivery, to be attempted at a time. `event` is its id, type and body."""
        event_id, event_type, body = event
        self._store.run(
            "INSERT INTO deliveries (id, webhook_id, webhook_name, url, event_id, event, body, request_id, state, next_attempt_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
            *(
                delivery_id,
                webhook.id,
                webhook.name,
                webhook.url,
                event_id,
                event_type,
                body,
                request_id,
                at.isoformat(),
            ),
        )

    def next_due(self, until: datetime, busy: set[str]) -> Due | None:
        """The earliest delivery due by then that is not being attempted already."""
        rows = self._store.run(
            "SELECT id, webhook_id, url, event_id, event, body, request_id, fault, next_attempt_at,"
            " (SELECT COUNT(*) FROM attempts WHERE delivery_id = id AND attempts.fault IS NOT 'duplicate') + 1"
            " FROM deliveries WHERE next_attempt_at <= ? ORDER BY next_attempt_at, position LIMIT ?",
            until.isoformat(),
            len(busy) + 1,
        )
        for row in rows:
            if row[0] not in busy:
                *values, at, number = row
                return Due(*values, number, datetime.fromisoformat(at))  # type: ignore[call-arg] # eight columns as above
        return None

    def postpone(self, delivery_id: str, at: datetime, fault: str) -> None:
        """Its next attempt comes later, for this fault."""
        self._store.run(
            "UPDATE deliveries SET next_attempt_at = ?, fault = ? WHERE id = ?", at.isoformat(), fault, delivery_id
        )

    def record(self, due: Due, url: str, at: datetime, outcome: Outcome, *, took_ms: int, fault: str | None) -> None:
        """Keeps an attempt, with the fault that held it back before, if there was one."""
        values = (due.id, due.number, at.isoformat(), outcome.status, took_ms, outcome.error, fault or due.fault, url)
        self._store.run("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values)
        self._store.run("UPDATE deliveries SET fault = NULL WHERE id = ?", due.id)

    def conclude(self, delivery_id: str, state: str, retry_at: datetime | None = None) -> None:
        """What has become of it: `delivered`, `failed`, `withheld`, `dropped`, or `pending` until its next attempt."""
        at = None if retry_at is None else retry_at.isoformat()
        self._store.run("UPDATE deliveries SET state = ?, next_attempt_at = ? WHERE id = ?", state, at, delivery_id)

    def deliveries_of(self, event_id: str) -> list[str]:
        """The ids of an event's deliveries."""
        return [row[0] for row in self._store.run("SELECT id FROM deliveries WHERE event_id = ?", event_id)]

    def told(self, event_id: str) -> list[dict[str, Any]]:
        """The deliveries of an event as trigger-test tells them.

        The API reference shows only an empty list. The fields are those of the closest published shape: the answer to the
        test of a single webhook, on the SDK's page.
        """
        rows = self._store.run(
            "SELECT id, event, deliveries.url, status, response_time_ms, error, number FROM deliveries"
            " LEFT JOIN attempts ON delivery_id = id AND attempts.fault IS NOT 'duplicate' WHERE event_id = ? ORDER BY position",
            event_id,
        )
        return [
            {
                "deliveryId": delivery_id,
                "event": event,
                "url": url,
                "success": number is not None and error is None,
                "status": status,
                "responseTimeMs": took_ms,
                "error": error if number is not None else "held back: not delivered yet",
            }
            for delivery_id, event, url, status, took_ms, error, number in rows
        ]

    def rows(self) -> list[tuple[Any, ...]]:
        """A row per attempt, or per delivery without one, with the columns of `COLUMNS`."""
        return self._store.run(
            "SELECT id, webhook_id, webhook_name, event_id, event, number, at,"
            " CASE WHEN number IS NOT NULL THEN error IS NULL END, status, response_time_ms, error,"
            " COALESCE(attempts.fault, deliveries.fault), state, next_attempt_at, COALESCE(attempts.url, deliveries.url)"
            " FROM deliveries LEFT JOIN attempts ON delivery_id = id ORDER BY deliveries.position, attempts.rowid"
        )
