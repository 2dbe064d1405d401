"""The sandbox's state, in SQLite: in memory, or in a file that outlives the kernel and only its owner can read."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError

# Written into the file's header, by which a sandbox's file is told from any other: "cStr".
_APPLICATION = 0x63537472

_SCHEMA = """
CREATE TABLE IF NOT EXISTS webhooks (
    position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, team_id TEXT NOT NULL, environment TEXT NOT NULL,
    name TEXT NOT NULL, url TEXT NOT NULL, events TEXT NOT NULL, secret TEXT NOT NULL, is_active INTEGER NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS replays (
    scope TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL
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


class Store:
    """Everything that the sandbox remembers. One connection, one writer at a time, a commit before each answer."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            _make_private(path)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
        self._db.executescript(_SCHEMA)
        # So that the file's own header says whose it is, and not only the log beside it.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing of what happens inside."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def webhooks(self, team_id: str, environment: str) -> list[StoredWebhook]:
        """All of one team and environment, oldest first."""
        return self._webhooks("team_id = ? AND environment = ?", team_id, environment)

    def webhook(self, team_id: str, environment: str, webhook_id: str) -> StoredWebhook | None:
        """One of them by its id."""
        found = self._webhooks("team_id = ? AND environment = ? AND id = ?", team_id, environment, webhook_id)
        return found[0] if found else None

    def add(self, webhook: StoredWebhook) -> None:
        """Puts a new one at the end."""
        values = vars(webhook) | {
            "events": json.dumps(webhook.events),
            "created_at": webhook.created_at.isoformat(),
            "updated_at": webhook.updated_at.isoformat(),
        }
        self._run(f"INSERT INTO webhooks ({_COLUMNS}) VALUES ({'?, ' * 9}?)", *values.values())  # noqa: S608 - our own words

    def change(self, webhook: StoredWebhook) -> None:
        """Replaces what can change of one."""
        self._run(
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
        self._run("DELETE FROM webhooks WHERE id = ?", webhook_id)

    def replay(self, scope: str, since: datetime) -> tuple[str, int, str] | None:
        """The request, status and body remembered under an Idempotency-Key, if not older than `since`."""
        rows = self._run(
            "SELECT request, status, body FROM replays WHERE scope = ? AND at >= ?", scope, since.isoformat()
        )
        return rows[0] if rows else None

    def remember(self, scope: str, request: str, status: int, body: str, at: datetime) -> None:
        """Keeps an answer for repeats of its request."""
        self._run("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?, ?)", scope, request, status, body, at.isoformat())

    def state(self, name: str) -> Any:
        """A value kept by `keep`, or None."""
        rows = self._run("SELECT value FROM state WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else None

    def keep(self, name: str, value: Any) -> None:
        """Keeps a small value across restarts."""
        self._run("INSERT OR REPLACE INTO state VALUES (?, ?)", name, json.dumps(value))

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def _webhooks(self, where: str, *values: Any) -> list[StoredWebhook]:
        rows = self._run(f"SELECT {_COLUMNS} FROM webhooks WHERE {where} ORDER BY position", *values)  # noqa: S608 - our own words
        return [_webhook(*row) for row in rows]

    def _run(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


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


def _make_private(path: Path) -> None:
    """The file exists, is a sandbox's or empty, and is its owner's alone. SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_size and _application_of(path) != _APPLICATION:
            raise ConfigurationError(
                f"{path} is not a sandbox's file, and was left as it is.", advice="Give another path."
            )
        path.chmod(0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be opened: {error.strerror}.", advice="Give a path in a folder you may write to."
        ) from None


def _application_of(path: Path) -> int:
    """SQLite's `application_id`: four bytes at place 68 of the file (its file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(72)
    return int.from_bytes(header[68:72], "big") if header.startswith(b"SQLite format 3\0") else 0
