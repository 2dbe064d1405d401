"""The tables of deliveries and their attempts."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ..packaged import read_table
from ..serving.posting import AttemptResult
from .faults import Expectation, meets
from .store import Store, StoredWebhook

COLUMNS: Mapping[str, str] = read_table(__file__)  # of `Sandbox.deliveries`


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
    event_id: str
    event: str
    body: bytes
    request_id: str
    fault: str | None
    attempt: int
    due_at: datetime


class Outbox(Store):
    """The sandbox's tables, with deliveries and attempts."""

    def add(self, delivery_id: str, webhook: StoredWebhook, due_at: datetime, **event: str | bytes) -> None:
        """Adds a pending delivery. `event` has `event_id`, `event` (its type), `body` and `request_id`."""
        to = {"webhook_id": webhook.id, "webhook_name": webhook.name, "url": webhook.url}
        schedule = {"state": "pending", "next_attempt_at": due_at.isoformat()}
        self.insert("deliveries", id=delivery_id, **to, **event, **schedule)

    def next_due(self, until: datetime, in_progress: Collection[str]) -> DueDelivery | None:
        """The earliest delivery that is due by then and not in progress."""
        rows = self.run(
            "SELECT id, webhook_id, event_id, event, body, request_id, fault, next_attempt_at AS due_at,"
            " (SELECT COUNT(*) FROM attempts WHERE delivery_id = id AND attempts.fault IS NOT 'duplicate') + 1 AS attempt"
            " FROM deliveries WHERE next_attempt_at <= ? ORDER BY next_attempt_at, position LIMIT ?",
            until.isoformat(),
            len(in_progress) + 1,
        )
        for row in rows:
            if row["id"] not in in_progress:
                return DueDelivery(**dict(row) | {"due_at": datetime.fromisoformat(row["due_at"])})
        return None

    def postpone(self, delivery_id: str, due_at: datetime, fault: str) -> None:
        """Moves the next attempt, because of a fault."""
        self.run(
            "UPDATE deliveries SET next_attempt_at = ?, fault = ? WHERE id = ?", due_at.isoformat(), fault, delivery_id
        )

    def add_attempt(
        self,
        due: DueDelivery,
        url: str,
        at: datetime,
        result: AttemptResult,
        *,
        sent: Sent | None = None,
        took_ms: int = 0,
        fault: str | None = None,
    ) -> None:
        """Adds an attempt, with its fault or the one that postponed it. `sent` is None for a withheld delivery."""
        details: dict[str, Any] = {}
        if sent is not None:
            details = {
                "expected": sent.expected,
                "as_expected": meets(sent.expected, result.status),
                "sent_headers": json.dumps(dict(sent.headers)),
                "sent_body": sent.body,
                "elapsed_ms": result.seconds * 1000,
            }
        if result.status is not None:
            details |= {"response_headers": json.dumps(dict(result.headers)), "response_body": result.body}
        attempt = {"delivery_id": due.id, "number": due.attempt, "at": at.isoformat(), "url": url}
        outcome = {"status": result.status, "response_time_ms": took_ms, "error": result.error}
        self.insert("attempts", fault=fault or due.fault, **attempt, **outcome, **details)
        self.run("UPDATE deliveries SET fault = NULL WHERE id = ?", due.id)

    def set_state(self, delivery_id: str, state: str, next_attempt_at: datetime | None = None) -> None:
        """Sets `delivered`, `failed`, `withheld`, `dropped`, or `pending` until the next attempt."""
        at = None if next_attempt_at is None else next_attempt_at.isoformat()
        self.run("UPDATE deliveries SET state = ?, next_attempt_at = ? WHERE id = ?", state, at, delivery_id)

    def first_signature(self, delivery_id: str) -> str | None:
        """The `X-Signature` of a delivery's first attempt; None before it."""
        rows = self.run("SELECT sent_headers FROM attempts WHERE delivery_id = ? AND number = 1", delivery_id)
        return None if not rows or rows[0][0] is None else json.loads(rows[0][0]).get("X-Signature")

    def results(self, event_id: str) -> list[dict[str, Any]]:
        """The deliveries in the response to trigger-test.

        The API reference shows only an empty list. The fields are those of the closest published shape: the response to the
        test of a single webhook, on the SDK's page.
        """
        rows = self.run(
            "SELECT id AS deliveryId, event, deliveries.url AS url, number IS NOT NULL AND error IS NULL AS success, status,"
            " response_time_ms AS responseTimeMs, iif(number IS NULL, 'held back: not delivered yet', error) AS error"
            " FROM deliveries LEFT JOIN attempts ON delivery_id = id AND attempts.fault IS NOT 'duplicate'"
            " WHERE event_id = ? ORDER BY position",
            event_id,
        )
        return [{**row, "success": bool(row["success"])} for row in rows]

    def rows(self, ahead: timedelta) -> list[dict[str, Any]]:
        """A row per attempt, or per delivery without one, with the columns of `COLUMNS`.

        Args:
            ahead: How far the schedule is ahead of the clock.
        """
        rows = self.run(
            "SELECT id, webhook_id, webhook_name AS webhook, event_id, event, number AS attempt, at,"
            " iif(number IS NULL, NULL, error IS NULL) AS success, status, response_time_ms, error AS cause,"
            " COALESCE(attempts.fault, deliveries.fault) AS fault, state, next_attempt_at,"
            " COALESCE(attempts.url, deliveries.url) AS url, expected, as_expected, sent_headers, sent_body,"
            " response_headers, response_body, elapsed_ms"
            " FROM deliveries LEFT JOIN attempts ON delivery_id = id ORDER BY deliveries.position, attempts.rowid"
        )
        return [_row(dict(row), ahead) for row in rows]


def _row(row: dict[str, Any], ahead: timedelta) -> dict[str, Any]:
    for name in ("sent_headers", "response_headers"):
        if row[name] is not None:
            row[name] = json.loads(row[name])
    if row["next_attempt_at"] is not None:
        row["next_attempt_at"] = datetime.fromisoformat(row["next_attempt_at"]) - ahead
    return row
