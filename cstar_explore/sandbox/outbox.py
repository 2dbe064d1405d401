"""The tables of deliveries and their attempts."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..serving.posting import AttemptResult
from .faults import Expectation, meets
from .store import Store, StoredWebhook

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
    "expected": "str",
    "as_expected": "boolean",
    "sent_headers": "object",
    "sent_body": "object",
    "response_headers": "object",
    "response_body": "object",
    "elapsed_ms": "Float64",
}


class Sent(NamedTuple):
    """What an attempt sends, and what a correct receiver does with it."""

    headers: Mapping[str, str]
    body: bytes
    expected: Expectation


@dataclass(frozen=True)
class DueDelivery:
    """A delivery whose next attempt is due. `fault` is the one that postponed it."""

    id: str
    webhook_id: str
    url: str
    event_id: str
    event: str
    body: bytes
    request_id: str
    fault: str | None
    attempt: int
    due_at: datetime


class Outbox:
    """Reads and writes deliveries and attempts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self, delivery_id: str, webhook: StoredWebhook, event: tuple[str, str, bytes], request_id: str, due_at: datetime
    ) -> None:
        """Adds a pending delivery. `event` is its id, type and body."""
        event_id, event_type, body = event
        self._store.run(
            "INSERT INTO deliveries (id, webhook_id, webhook_name, url, event_id, event, body, request_id, state, next_attempt_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'pending', ?)",
            *(delivery_id, webhook.id, webhook.name, webhook.url),
            *(event_id, event_type, body, request_id, due_at.isoformat()),
        )

    def next_due(self, until: datetime, in_progress: Collection[str]) -> DueDelivery | None:
        """The earliest delivery that is due by then and not in progress."""
        rows = self._store.run(
            "SELECT id, webhook_id, url, event_id, event, body, request_id, fault,"
            " (SELECT COUNT(*) FROM attempts WHERE delivery_id = id AND attempts.fault IS NOT 'duplicate') + 1, next_attempt_at"
            " FROM deliveries WHERE next_attempt_at <= ? ORDER BY next_attempt_at, position LIMIT ?",
            until.isoformat(),
            len(in_progress) + 1,
        )
        for row in rows:
            if row[0] not in in_progress:
                return replace(DueDelivery(*row), due_at=datetime.fromisoformat(row[-1]))
        return None

    def postpone(self, delivery_id: str, due_at: datetime, fault: str) -> None:
        """Moves the next attempt, because of a fault."""
        self._store.run(
            "UPDATE deliveries SET next_attempt_at = ?, fault = ? WHERE id = ?", due_at.isoformat(), fault, delivery_id
        )

    def add_attempt(
        self,
        due: DueDelivery,
        url: str,
        at: datetime,
        sent: Sent | None,
        result: AttemptResult,
        *,
        took_ms: int,
        fault: str | None,
    ) -> None:
        """Adds an attempt, with its fault or the one that postponed it. `sent` is None for a withheld delivery."""
        values = (due.id, due.attempt, at.isoformat(), result.status, took_ms, result.error, fault or due.fault, url)
        details: tuple[Any, ...] = (None,) * 7
        if sent is not None:
            as_expected = meets(sent.expected, result.status)
            response = (None, None) if result.status is None else (json.dumps(dict(result.headers)), result.body)
            details = (
                sent.expected,
                as_expected,
                json.dumps(dict(sent.headers)),
                sent.body,
                *response,
                result.seconds * 1000,
            )
        self._store.run("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *values, *details)
        self._store.run("UPDATE deliveries SET fault = NULL WHERE id = ?", due.id)

    def set_state(self, delivery_id: str, state: str, next_attempt_at: datetime | None = None) -> None:
        """Sets `delivered`, `failed`, `withheld`, `dropped`, or `pending` until the next attempt."""
        at = None if next_attempt_at is None else next_attempt_at.isoformat()
        self._store.run("UPDATE deliveries SET state = ?, next_attempt_at = ? WHERE id = ?", state, at, delivery_id)

    def first_signature(self, delivery_id: str) -> str | None:
        """The `X-Signature` of a delivery's first attempt; None before it."""
        rows = self._store.run("SELECT sent_headers FROM attempts WHERE delivery_id = ? AND number = 1", delivery_id)
        return None if not rows or rows[0][0] is None else json.loads(rows[0][0]).get("X-Signature")

    def ids(self, event_id: str) -> list[str]:
        """The ids of an event's deliveries."""
        return [row[0] for row in self._store.run("SELECT id FROM deliveries WHERE event_id = ?", event_id)]

    def results(self, event_id: str) -> list[dict[str, Any]]:
        """The deliveries in the response to trigger-test.

        The API reference shows only an empty list. The fields are those of the closest published shape: the response to the
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
                "success": attempt is not None and error is None,
                "status": status,
                "responseTimeMs": took_ms,
                "error": error if attempt is not None else "held back: not delivered yet",
            }
            for delivery_id, event, url, status, took_ms, error, attempt in rows
        ]

    def rows(self, ahead: timedelta) -> list[dict[str, Any]]:
        """A row per attempt, or per delivery without one, with the columns of `COLUMNS`.

        Args:
            ahead: How far the schedule is ahead of the clock.
        """
        rows = self._store.run(
            "SELECT id, webhook_id, webhook_name, event_id, event, number, at,"
            " CASE WHEN number IS NOT NULL THEN error IS NULL END, status, response_time_ms, error,"
            " COALESCE(attempts.fault, deliveries.fault), state, next_attempt_at, COALESCE(attempts.url, deliveries.url),"
            " expected, as_expected, sent_headers, sent_body, response_headers, response_body, elapsed_ms"
            " FROM deliveries LEFT JOIN attempts ON delivery_id = id ORDER BY deliveries.position, attempts.rowid"
        )
        return [_row(dict(zip(COLUMNS, row, strict=True)), ahead) for row in rows]

    def lost(self, ahead: timedelta) -> list[dict[str, Any]]:
        """For each event and URL without a 2xx and without a pending attempt, the last row. Withheld deliveries are not lost."""
        last: dict[str, dict[str, Any]] = {}
        arrived = set()  # ids of deliveries
        for row in self.rows(ahead):
            last[row["id"]] = row
            if row["success"]:
                arrived.add(row["id"])
        settled = {
            (row["event_id"], row["url"])
            for row in last.values()
            if row["id"] in arrived or row["state"] in ("pending", "withheld")
        }
        lost = {(row["event_id"], row["url"]): row for row in last.values()}
        return [row for receiver, row in lost.items() if receiver not in settled]


def _row(row: dict[str, Any], ahead: timedelta) -> dict[str, Any]:
    for name in ("sent_headers", "response_headers"):
        if row[name] is not None:
            row[name] = json.loads(row[name])
    if row["as_expected"] is not None:
        row["as_expected"] = bool(row["as_expected"])
    if row["next_attempt_at"] is not None:
        row["next_attempt_at"] = datetime.fromisoformat(row["next_attempt_at"]) - ahead
    return row
