"""The sandbox's state: webhooks, what was answered under an Idempotency-Key, deliveries and their attempts."""

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
    error TEXT, fault TEXT, url TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_COLUMNS = "id, team_id, environment, name, url, events, secret, is_active, created_at, updated_at"


@dataclass
class StoredWebhook:
    """A row of the table of webhooks. `environment` keeps test and live apart, as cStar does."""

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
    """Everything that the sandbox remembers."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path, _SCHEMA, b"cStr")

    def webhooks(self, team_id: str, environment: str) -> list[StoredWebhook]:
        """All of one team and environment, oldest first."""
        return self._webhooks("team_id = ? AND environment = ?", team_id, environment)

    def webhook(self, team_id: str, environment: str, webhook_id: str) -> StoredWebhook | None:
        """One of them by its id."""
        found = self._webhooks("team_id = ? AND environment = ? AND id = ?", team_id, environment, webhook_id)
        return found[0] if found else None

    def webhook_by_id(self, webhook_id: str) -> StoredWebhook | None:
        """One of any team's."""
        found = self._webhooks("id = ?", webhook_id)
        return found[0] if found else None

    def add(self, webhook: StoredWebhook) -> None:
        """Puts a new one at the end."""
        values = vars(webhook) | {
            "events": json.dumps(webhook.events),
            "created_at": webhook.created_at.isoformat(),
            "updated_at": webhook.updated_at.isoformat(),
        }
        self.run(f"INSERT INTO webhooks ({_COLUMNS}) VALUES ({'?, ' * 9}?)", *values.values())  # noqa: S608 - our own words

    def change(self, webhook: StoredWebhook) -> None:
        """Replaces what can change of one."""
        self.run(
            "UPDATE webhooks SET name = ?, url = ?, events = ?, is_active = ?, updated_at = ? WHERE id = ?",
            webhook.name,
            webhook.url,
            json.dumps(webhook.events),
            webhook.is_active,
            webhook.updated_at.isoformat(),
            webhook.id,
        )

    def remove(self, webhook_id: str) -> None:
        """Forgets one."""
        self.run("DELETE FROM webhooks WHERE id = ?", webhook_id)

    def replay(self, scope: str, since: datetime) -> tuple[str, int, str] | None:
        """The request, status and body remembered under an Idempotency-Key, if not older than `since`."""
        rows = self.run(
            "SELECT request, status, body FROM replays WHERE scope = ? AND at >= ?", scope, since.isoformat()
        )
        return rows[0] if rows else None

    def remember(self, scope: str, request: str, status: int, body: str, at: datetime) -> None:
        """Keeps an answer for repeats of its request."""
        self.run("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?)", scope, request, status, body, at.isoformat())

    def state(self, name: str) -> Any:
        """A value kept by `keep`, or None."""
        rows = self.run("SELECT value FROM state WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def keep(self, name: str, value: Any) -> None:
        """Keeps a small value across restarts."""
        self.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name, json.dumps(value))

    def _webhooks(self, where: str, *values: Any) -> list[StoredWebhook]:
        rows = self.run(f"SELECT {_COLUMNS} FROM webhooks WHERE {where} ORDER BY position", *values)  # noqa: S608 - our own words
        return [_webhook(*row) for row in rows]


def _webhook(id: str, team: str, environment: str, name: str, url: str, events: str, *rest: Any) -> StoredWebhook:  # noqa: A002, PLR0917
    secret, is_active, created_at, updated_at = rest
    return StoredWebhook(
        id,
        team,
        environment,
        name,
        url,
        json.loads(events),
        secret,
        bool(is_active),
        datetime.fromisoformat(created_at),
        datetime.fromisoformat(updated_at),
    )
