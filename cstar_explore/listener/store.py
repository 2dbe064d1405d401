"""What a listener has received: every request with its exact bytes, kept before it is answered."""

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

_FIELDS = "id, received_at, method, path, headers, body, cause, event_id, event, duplicate_of, answered, error"


@dataclass(frozen=True)
class Received:
    """A request that arrived.

    Attributes:
        id: Counted from 1.
        received_at: UTC.
        method, path: As they came.
        headers: Pairs, in their order, names in lower case.
        body: The exact bytes.
        cause: "ok", or the check that failed; None where the listener knows no secret.
        event_id, event: From the body, as far as it tells them.
        duplicate_of: The verified request that claimed this event id before; None for the first.
        answered: The status it was answered with; None while it is being handled.
        error: The traceback of the handler, if it raised.
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
        """The first header of this name."""
        return next((value for known, value in self.headers if known == name.lower()), None)


class Captures(Database):
    """The table of requests."""

    def __init__(self, path: Path | None) -> None:
        super().__init__(path, _SCHEMA, b"cEar")

    def keep(self, request: Received) -> Received:
        """Commits a request as it arrived, and returns it with its id.

        Only a verified delivery claims its event id, so that a forgery cannot shadow the real one.
        """
        # One statement, so one commit: nothing can come between the look for an earlier claim and this one.
        [[number, first]] = self.run(
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
        return replace(request, id=number, duplicate_of=first)

    def answered(self, number: int, status: int, error: str | None) -> None:
        """Keeps what a request was answered with."""
        self.run("UPDATE requests SET answered = ?, error = ? WHERE id = ?", status, error, number)

    def get(self, number: int) -> Received | None:
        """One request by its id."""
        if not 0 < number < 2**63:  # SQLite has no larger numbers
            return None
        rows = self.run(f"SELECT {_FIELDS} FROM requests WHERE id = ?", number)  # noqa: S608 - our own words
        return _received(rows[0]) if rows else None

    def all(self, newest: int | None = None) -> list[Received]:
        """All requests, or the newest so many, in the order in which they came."""
        rows = self.run(f"SELECT {_FIELDS} FROM requests ORDER BY id DESC LIMIT ?", -1 if newest is None else newest)  # noqa: S608
        return [_received(row) for row in reversed(rows)]

    def newest(self, wanted: str) -> Received | None:
        """The newest request of this event type or event id."""
        query = f"SELECT {_FIELDS} FROM requests WHERE event = ? OR event_id = ? ORDER BY id DESC LIMIT 1"  # noqa: S608
        rows = self.run(query, wanted, wanted)
        return _received(rows[0]) if rows else None

    def to_frame(self) -> "pd.DataFrame":
        """See `Listener.to_frame`."""
        from ..frames import from_rows

        rows = [
            {
                **vars(request),
                "headers": dict(request.headers),
                "webhook_id": request.header("x-webhook-id"),
                "attempt": _number(request.header("x-delivery-attempt")),
                "verified": None if request.cause is None else request.cause == "ok",
            }
            for request in self.all()
        ]
        return from_rows(rows, _COLUMNS)


def _number(value: str | None) -> int | None:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 10 else None


def _received(row: tuple[Any, ...]) -> Received:
    number, at, method, path, headers, *rest = row
    pairs = tuple((name, value) for name, value in json.loads(headers))
    return Received(number, datetime.fromisoformat(at), method, path, pairs, *rest)
