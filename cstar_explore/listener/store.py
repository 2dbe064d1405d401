"""Stores each request that a listener receives, with its exact bytes, before it is answered."""

import json
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from ..packaged import read_table
from ..serving.database import Database

if TYPE_CHECKING:
    import pandas as pd

_SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    id INTEGER PRIMARY KEY, received_at TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, headers TEXT NOT NULL,
    body BLOB NOT NULL, cause TEXT, event_id TEXT, event TEXT, duplicate_of INTEGER, answered INTEGER, error TEXT,
    query TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS durations (id INTEGER PRIMARY KEY, seconds REAL NOT NULL);
CREATE INDEX IF NOT EXISTS claims ON requests (event_id) WHERE cause = 'ok' AND duplicate_of IS NULL;
"""

_COLUMNS: Mapping[str, str] = read_table(__file__, "columns.json")["requests"]

_SELECT = "SELECT requests.*, seconds FROM requests LEFT JOIN durations USING (id)"

_ACCEPTED = "SELECT DISTINCT event_id FROM requests WHERE answered BETWEEN 200 AND 299 AND event_id IS NOT NULL"

# The causes of requests that were refused before their body was read to its end.
REFUSED = ("invalid_http", "foreign_host", "web_page", "wrong_path", "body_too_long", "body_too_slow", "aborted")
_IS_REFUSED = f"cause IN {REFUSED}"

MAX_STORED = 256 * 2**20  # bytes; by default they are in the kernel's memory
MAX_REFUSED = 500  # they have no bodies, but up to 64 kB of headers each


class StoreFullError(ConfigurationError):
    """The store has reached its maximum size. Nothing was stored."""


@dataclass(frozen=True)
class Received:
    """A request that a listener received.

    Attributes:
        id: Counted from 1.
        received_at: In UTC.
        method, path: As received.
        headers: Pairs in the order received, with lower-case names. The values of headers with credentials are masked.
        body: The exact bytes; empty if the request was refused.
        cause: "ok" or the check that failed; None if the listener has no secret. Of a refused request, the reason, one of
            `invalid_http`, `foreign_host`, `web_page`, `wrong_path`, `body_too_long`, `body_too_slow` and `aborted`.
        event_id, event: `id` and `type` in the body; None if missing or not text.
        duplicate_of: The id of the first verified request with this event id; None for the first itself.
        answered: The status of the response; None until the request has been handled.
        error: The traceback, if the handler raised; else what was wrong with its result, or why the request was refused.
        query: The query string, with credentials masked.
        seconds: The wall-clock time from its end to the response; None until the request has been handled.
    """

    id: int
    received_at: datetime
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    cause: str | None = None
    event_id: str | None = None
    event: str | None = None
    duplicate_of: int | None = None
    answered: int | None = None
    error: str | None = None
    query: str = ""
    seconds: float | None = None

    @property
    def refused(self) -> bool:
        """Whether the request was refused before its body was read."""
        return self.cause in REFUSED

    @property
    def accepted(self) -> bool:
        """Whether it was answered 2xx."""
        return self.answered is not None and 200 <= self.answered < 300

    @property
    def attempt(self) -> int | None:
        """The number in `X-Delivery-Attempt`, counted from 1; None if there is none."""
        value = self.header("x-delivery-attempt")
        return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 10 else None

    def header(self, name: str) -> str | None:
        """The first header with this name, in any case."""
        return next((value for other, value in self.headers if other == name.lower()), None)


class RequestStore(Database):
    """The table of requests.

    Args:
        path: The file; None keeps the requests in memory.

    Attributes:
        not_stored: How many requests are not or no longer stored, by reason.
    """

    def __init__(self, path: str | Path | None) -> None:
        super().__init__(path, _SCHEMA, b"cLsn")
        self.not_stored: Counter[str] = Counter()
        size = "length(body) + length(CAST(headers AS BLOB)) + length(path) + length(query)"
        [[self._stored]] = self.run(f"SELECT coalesce(sum({size}), 0) FROM requests")  # noqa: S608 - constants
        refused = self.run(f"SELECT id, {size} FROM requests WHERE {_IS_REFUSED} ORDER BY id")  # noqa: S608 - constants
        self._refused: deque[tuple[int, int]] = deque(map(tuple, refused))

    def add(self, request: Received) -> Received:
        """Commits a request, and returns it with its id. Of more refused ones than MAX_REFUSED, the oldest is dropped and counted.

        Only a verified request claims its event id, so a forged request cannot make the genuine one a duplicate.

        Raises:
            StoreFullError: The store has reached its maximum size.
            ConfigurationError: The file cannot be written.
        """
        headers = json.dumps(request.headers)
        size = len(request.body) + len(headers) + len(request.path) + len(request.query)
        with self._locked():
            if self._stored + size > MAX_STORED:
                message = f"The listener has stored {self._stored:,} of {MAX_STORED:,} bytes, and is full."
                raise StoreFullError(message, advice="Close it and open a new one with another path.")
            [[request_id, duplicate_of]] = self.run(
                "INSERT INTO requests"
                " (received_at, method, path, headers, body, cause, event_id, event, duplicate_of, answered, error, query)"
                " VALUES (:received_at, :method, :path, :headers, :body, :cause, :event_id, :event, (SELECT id FROM requests"
                " WHERE event_id = :event_id AND cause = 'ok' AND duplicate_of IS NULL AND :cause = 'ok'),"
                " :answered, :error, :query) RETURNING id, duplicate_of",
                **vars(request) | {"received_at": request.received_at.isoformat(), "headers": headers},
            )
            self._stored += size
            if request.refused:
                self._refused.append((request_id, size))
            if len(self._refused) > MAX_REFUSED:
                oldest, freed = self._refused.popleft()
                self.run("DELETE FROM requests WHERE id = ?", oldest)
                self._stored -= freed
                self.not_stored[f"only the newest {MAX_REFUSED} refused requests are kept"] += 1
        return replace(request, id=request_id, duplicate_of=duplicate_of)

    def set_response(self, request_id: int, status: int, error: str | None, seconds: float) -> None:
        """Stores the status of the response, the handler's traceback, and how long it took."""
        with self.writing():
            self.run("UPDATE requests SET answered = ?, error = ? WHERE id = ?", status, error, request_id)
            self.run("INSERT OR REPLACE INTO durations VALUES (?, ?)", request_id, seconds)

    def get(self, request_id: int) -> Received | None:
        """The request with this id."""
        if not 0 < request_id < 2**63:  # the range of SQLite's integers
            return None
        return next(iter(self._select("WHERE id = ?", request_id)), None)

    def all(self, newest: int | None = None) -> list[Received]:
        """All requests or the newest `newest`, oldest first."""
        return self._select("ORDER BY id DESC LIMIT ?", -1 if newest is None else newest)[::-1]

    def find_newest(self, event: str, *, verified: bool) -> Received | None:
        """The newest delivery with this event type or event id; only a verified one, or any that was not refused."""
        accepted = "cause = 'ok'" if verified else "(cause IS NULL OR cause = 'ok')"
        newest = f"WHERE ? IN (event, event_id) AND {accepted} ORDER BY id DESC LIMIT 1"
        return next(iter(self._select(newest, event)), None)

    def newest_by_cause(self) -> list[tuple[int, Received]]:
        """For each cause, how many requests have it, and the newest one. The newest cause is first."""
        rows = self.run("SELECT count(*), max(id) FROM requests GROUP BY cause ORDER BY max(id) DESC")
        newest = [(count, self.get(request_id)) for count, request_id in rows]
        return [(count, request) for count, request in newest if request is not None]

    def accepted_events(self) -> set[str]:
        """The event ids of which a request was answered 2xx."""
        return {event_id for [event_id] in self.run(_ACCEPTED)}

    def failed(self) -> list[Received]:
        """All requests with an event id of which none was answered 2xx, oldest first. Refused requests have no event id."""
        return self._select(f"WHERE event_id IS NOT NULL AND event_id NOT IN ({_ACCEPTED}) ORDER BY id")

    def _select(self, which: str, *values: Any) -> list[Received]:
        return [_from_row(dict(row)) for row in self.run(f"{_SELECT} {which}", *values)]

    def to_frame(self, requests: Iterable[Received] | None = None) -> "pd.DataFrame":
        """The frame of `Listener.to_frame`, with all requests or these."""
        from ..frames import from_rows

        rows = [
            {
                **vars(request),
                "headers": dict(request.headers),
                "body": None if request.refused else request.body,
                "webhook_id": request.header("x-webhook-id"),
                "attempt": request.attempt,
                "verified": None if request.cause is None else request.cause == "ok",
            }
            for request in (self.all() if requests is None else requests)
        ]
        return from_rows(rows, _COLUMNS)


def _from_row(row: dict[str, Any]) -> Received:
    try:
        row["received_at"] = datetime.fromisoformat(row["received_at"])
        row["headers"] = tuple((name, value) for name, value in json.loads(row["headers"]))
        return Received(**row)
    except (ValueError, TypeError):
        message = f"Request {row['id']} in the listener's file cannot be read."
        raise ConfigurationError(message, advice="The file is damaged: choose another path.") from None
