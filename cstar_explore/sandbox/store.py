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
        found = "SELECT * FROM webhooks WHERE team_id = ? AND environment = ? ORDER BY position"
        return [_webhook(dict(row)) for row in self.run(found, team_id, environment)]

    def webhook(self, webhook_id: str) -> StoredWebhook | None:
        """A webhook of any team, or None."""
        rows = self.run("SELECT * FROM webhooks WHERE id = ?", webhook_id)
        return _webhook(dict(rows[0])) if rows else None

    def save(self, webhook: StoredWebhook) -> None:
        """Adds a new webhook at the end, or updates the fields that can change of an existing one."""
        times = {name: getattr(webhook, name).isoformat() for name in ("created_at", "updated_at")}
        self.run(
            "INSERT INTO webhooks (id, team_id, environment, name, url, events, secret, is_active, created_at, updated_at)"
            " VALUES (:id, :team_id, :environment, :name, :url, :events, :secret, :is_active, :created_at, :updated_at)"
            " ON CONFLICT (id) DO UPDATE SET name = :name, url = :url, events = :events, is_active = :is_active,"
            " updated_at = :updated_at",
            **vars(webhook) | times | {"events": json.dumps(webhook.events)},
        )

    def remove(self, webhook_id: str) -> None:
        """Removes a webhook."""
        self.run("DELETE FROM webhooks WHERE id = ?", webhook_id)

    def replay(self, scope: str, since: datetime) -> tuple[str, int, str] | None:
        """The fingerprint of the request, the status and the text of a stored response, if not older than `since`."""
        rows = self.run(
            "SELECT request, status, body FROM replays WHERE scope = ? AND at >= ?", scope, since.isoformat()
        )
        return tuple(rows[0]) if rows else None

    def save_replay(self, key: tuple[str, str], status: int, text: str, at: datetime) -> None:
        """Stores a response for repeats of its request. The key is the scope and the fingerprint of the request."""
        values = (*key, status, text, at.isoformat())
        self.run("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?)", *values)

    def state(self, name: str) -> Any:
        """A value saved by `save_state`, or None."""
        rows = self.run("SELECT value FROM state WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def save_state(self, **values: Any) -> None:
        """Saves JSON values across restarts."""
        for name, value in values.items():
            self.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name, json.dumps(value))


def _webhook(row: dict[str, Any]) -> StoredWebhook:
    del row["position"]
    times = {name: datetime.fromisoformat(row[name]) for name in ("created_at", "updated_at")}
    return StoredWebhook(**row | times | {"events": json.loads(row["events"]), "is_active": bool(row["is_active"])})
