"""The sandbox's database: webhooks, responses to replay, deliveries and their attempts."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..serving.database import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS webhooks (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, team_id TEXT NOT NULL, environment TEXT NOT NULL,
    name TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL, is_active INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS replays (
    scope TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, webhook_id TEXT NOT NULL, webhook_name TEXT NOT NULL,
    url TEXT NOT NULL, event_id TEXT NOT NULL, event TEXT NOT NULL, body BLOB NOT NULL, request_id TEXT NOT NULL,
    state TEXT NOT NULL, next_attempt_at TEXT, fault TEXT
);
CREATE INDEX IF NOT EXISTS due ON deliveries (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS attempts (
    delivery_id TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL, status INTEGER, response_time_ms INTEGER,
    error TEXT, fault TEXT, url TEXT NOT NULL, expected TEXT, as_expected INTEGER, sent_headers TEXT, sent_body BLOB,
    response_headers TEXT, response_body BLOB, elapsed_ms REAL
);
CREATE INDEX IF NOT EXISTS deliveries_of_event ON deliveries (event_id);
CREATE INDEX IF NOT EXISTS attempts_of_delivery ON attempts (delivery_id);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_COLUMNS = "id, team_id, environment, name, url, events, secret, is_active, created_at, updated_at"


@dataclass
class StoredWebhook:
    """A webhook. `environment` is "test" or "live"; the two have separate data, as at cStar."""

    id: str
    team_id: str
    environment: str
    name: str
    url: str
    events: list[str]
    secret: str
    is_active: bool
    created_at: datetime
    updated_at: datetime


class Store(Database):
    """The sandbox's tables, except for deliveries and attempts: see `Outbox`."""

    def __init__(self, path: str | Path | None = None) -> None:
        super().__init__(path, _SCHEMA, b"cStr")

    def webhooks(self, team_id: str, environment: str) -> list[StoredWebhook]:
        """A team's webhooks in one environment, oldest first."""
        return self._webhooks("team_id = ? AND environment = ?", team_id, environment)

    def webhook(self, team_id: str, environment: str, webhook_id: str) -> StoredWebhook | None:
        """One of these by its id, or None."""
        matches = self._webhooks("team_id = ? AND environment = ? AND id = ?", team_id, environment, webhook_id)
        return matches[0] if matches else None

    def webhook_by_id(self, webhook_id: str) -> StoredWebhook | None:
        """A webhook of any team, or None."""
        matches = self._webhooks("id = ?", webhook_id)
        return matches[0] if matches else None

    def add(self, webhook: StoredWebhook) -> None:
        """Adds a new webhook at the end."""
        values = vars(webhook) | {
            "events": json.dumps(webhook.events),
            "created_at": webhook.created_at.isoformat(),
            "updated_at": webhook.updated_at.isoformat(),
        }
        self.run(f"INSERT INTO webhooks ({_COLUMNS}) VALUES ({'?, ' * 9}?)", *values.values())  # noqa: S608 - constant column names

    def update(self, webhook: StoredWebhook) -> None:
        """Saves a webhook's fields that can change."""
        self.run(
            "UPDATE webhooks SET name = ?, url = ?, events = ?, is_active = ?, updated_at = ? WHERE id = ?",
            *(webhook.name, webhook.url, json.dumps(webhook.events), webhook.is_active),
            *(webhook.updated_at.isoformat(), webhook.id),
        )

    def remove(self, webhook_id: str) -> None:
        """Removes a webhook."""
        self.run("DELETE FROM webhooks WHERE id = ?", webhook_id)

    def replay(self, scope: str, since: datetime) -> tuple[str, int, str] | None:
        """The fingerprint of the request, the status and the text of a stored response, if not older than `since`."""
        rows = self.run(
            "SELECT request, status, body FROM replays WHERE scope = ? AND at >= ?", scope, since.isoformat()
        )
        return rows[0] if rows else None

    def save_replay(self, key: tuple[str, str], status: int, text: str, at: datetime) -> None:
        """Stores a response for repeats of its request. The key is the scope and the fingerprint of the request."""
        values = (*key, status, text, at.isoformat())
        self.run("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?)", *values)

    def state(self, name: str) -> Any:
        """A value saved by `save_state`, or None."""
        rows = self.run("SELECT value FROM state WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def save_state(self, name: str, value: Any) -> None:
        """Saves a JSON value across restarts."""
        self.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name, json.dumps(value))

    def _webhooks(self, where: str, *values: Any) -> list[StoredWebhook]:
        rows = self.run(f"SELECT {_COLUMNS} FROM webhooks WHERE {where} ORDER BY position", *values)  # noqa: S608 - constants
        return [_webhook(row) for row in rows]


def _webhook(row: tuple[Any, ...]) -> StoredWebhook:
    fields = dict(zip(_COLUMNS.split(", "), row, strict=True))
    times = {name: datetime.fromisoformat(fields[name]) for name in ("created_at", "updated_at")}
    parsed = {"events": json.loads(fields["events"]), "is_active": bool(fields["is_active"])}
    return StoredWebhook(**(fields | times | parsed))
