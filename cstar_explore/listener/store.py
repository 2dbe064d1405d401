"""Stores each request that a listener receives, with its exact bytes, before it is answered."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..serving.database import Database

if TYPE_CHECKING:
    import pandas as pd

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, received_at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL, cause TEXT, event_id TEXT, event TEXT, duplicate_of INTEGER, answered INTEGER, error TEXT
);
CREATE INDEX IF NOT EXISTS claims ON requests (event_id) WHERE cause = 'ok' AND duplicate_of IS NULL;
"""

_COLUMNS = {
    "id": "int64",
    "received_at": "datetime64[us, UTC]",
    "event": "str",
    "event_id": "str",
    "webhook_id": "str",
    "attempt": "Int64",
    "verified": "boolean",
    "cause": "str",
    "duplicate_of": "Int64",
    "answered": "Int64",
    "error": "str",
    "method": "str",
    "path": "str",
    "headers": "object",
    "body": "object",
}

_SELECT = (
    "SELECT id, received_at, method, path, headers, body, cause, event_id, event, duplicate_of, answered, error"
    " FROM requests"
)


@dataclass(frozen=True)
class Received:
    """A request that a listener received.

    Attributes:
        id: Counted from 1.
        received_at: In UTC.
        method, path: As received.
        headers: Pairs in the order received, with lower-case names.
        body: The exact bytes.
        cause: "ok" or the check that failed; None if the listener has no secret.
        event_id, event: `id` and `type` in the body; None if missing or not text.
        duplicate_of: The id of the first verified request with this event id; None for the first itself.
        answered: The status of the response; None until the request has been handled.
        error: The traceback, if the handler raised.
    """

    id: int
    received_at: datetime
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cause: str | None
    event_id: str | None
    event: str | None
    duplicate_of: int | None
    answered: int | None
    error: str | None

    def header(self, name: str) -> str | None:
        """The first header with this name, in any case."""
        return next((value for other, value in self.headers if other == name.lower()), None)


class RequestStore(Database):
    """The table of requests."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _SCHEMA, b"cLsn")

    def add(self, request: Received) -> Received:
        """Commits a request, and returns it with its id.

        Only a verified request claims its event id, so a forged request cannot make the genuine one a duplicate.
        """
        # A single statement, so that no other request can claim the event id in between.
        [[request_id, duplicate_of]] = self.run(
            "INSERT INTO requests (received_at, method, path, headers, body, cause, event_id, event, duplicate_of)"
            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, CASE WHEN ?6 = 'ok' THEN"
            " (SELECT id FROM requests WHERE event_id = ?7 AND cause = 'ok' AND duplicate_of IS NULL) END)"
            " RETURNING id, duplicate_of",
            request.received_at.isoformat(),
            request.method,
            request.path,
            json.dumps(request.headers),
            request.body,
            request.cause,
            request.event_id,
            request.event,
        )
        return replace(request, id=request_id, duplicate_of=duplicate_of)

    def set_response(self, request_id: int, status: int, error: str | None) -> None:
        """Stores the status of the response, and the handler's traceback."""
        self.run("UPDATE requests SET answered = ?, error = ? WHERE id = ?", status, error, request_id)

    def get(self, request_id: int) -> Received | None:
        """The request with this id."""
        if not 0 < request_id < 2**63:  # the range of SQLite's integers
            return None
        rows = self.run(f"{_SELECT} WHERE id = ?", request_id)
        return _from_row(rows[0]) if rows else None

    def all(self, newest: int | None = None) -> list[Received]:
        """All requests or the newest `newest`, oldest first."""
        rows = self.run(f"{_SELECT} ORDER BY id DESC LIMIT ?", -1 if newest is None else newest)
        return [_from_row(row) for row in reversed(rows)]

    def find_newest(self, event: str) -> Received | None:
        """The newest request with this event type or event id."""
        rows = self.run(f"{_SELECT} WHERE event = ? OR event_id = ? ORDER BY id DESC LIMIT 1", event, event)
        return _from_row(rows[0]) if rows else None

    def to_frame(self) -> "pd.DataFrame":
        """See `Listener.to_frame`."""
        from ..frames import from_rows

        rows = [
            {
                **vars(request),
                "headers": dict(request.headers),
                "webhook_id": request.header("x-webhook-id"),
                "attempt": _attempt(request.header("x-delivery-attempt")),
                "verified": None if request.cause is None else request.cause == "ok",
            }
            for request in self.all()
        ]
        return from_rows(rows, _COLUMNS)


def _attempt(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 10 else None


def _from_row(row: tuple[Any, ...]) -> Received:
    request_id, received_at, method, path, headers, *rest = row
    pairs = tuple((name, value) for name, value in json.loads(headers))
    return Received(request_id, datetime.fromisoformat(received_at), method, path, pairs, *rest)
