"""Receives deliveries inside the kernel: each request with its exact bytes, its verdict, and what became of it."""

import logging
import secrets as random_secrets
import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from ..errors import ConfigurationError, NotReceivedError
from ..secret import Secret
from ..serving.cells import replaces_its_cell
from ..serving.server import Server
from ..signatures.diagnosis import Explanation, explain
from ..signatures.signing import SecretLike
from ..text import printable
from .app import Behaviour, Handler, ListenerApp
from .replay import Edit, replayed
from .store import Captures, Received

if TYPE_CHECKING:
    import pandas as pd


_log = logging.getLogger("cstar_explore.listener")


class HasNow(Protocol):
    """Anything that tells the time, such as a sandbox's clock."""

    @property
    def now(self) -> datetime: ...


class _WallClock:
    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


class Listener:
    """Listens on loopback, on a path that nobody can guess, as soon as it is made. Running its notebook cell again replaces it.

    Args:
        secrets: The signing secrets of the webhooks that point here. Without any, nothing is verified.
        handler: Called with the event of each verified delivery, on a thread of its own. What it raises is answered 500, with
            the traceback kept in the row; an int that it returns is the status.
        path: A file to keep what arrives in, readable by its owner only, which outlives the kernel; without it, in memory.
        clock: By which signatures are young or old; `sandbox.listener()` gives the sandbox's. By default the wall's.
        max_body: Bytes; a longer body is answered 413.
        body_timeout: Seconds for a whole body; a slower one is answered 408.
        max_connections: More at once are answered 503.
        port: On 127.0.0.1; by default a free one.

    Attributes:
        url: Where a webhook points to.
        answer: How it answers: `answer.status`, `answer.seconds`, `answer.handler` can be set at any time.

    With secrets, what does not verify is answered 401 and not handed to the handler. Every request is kept before it is answered.
    """

    def __init__(
        self,
        secrets: Iterable[SecretLike] = (),
        *,
        handler: Handler | None = None,
        path: str | Path | None = None,
        clock: HasNow | None = None,
        max_body: int = 2**20,
        body_timeout: float = 10.0,
        max_connections: int = 200,
        port: int = 0,
    ) -> None:
        replaces_its_cell(self)
        self._secrets = [
            _secret(secret) for secret in ([secrets] if isinstance(secrets, str | bytes | Secret) else secrets)
        ]
        self._clock = clock or _WallClock()
        self._captures = Captures(None if path is None else Path(path))
        self._arrived = threading.Condition()
        self._watching: list[Callable[[], None]] = []
        self._closing: list[Callable[[], None]] = []
        self.answer = Behaviour(handler=handler)
        hook = f"/hooks/{random_secrets.token_urlsafe(16)}"
        listener = ListenerApp(
            self._captures,
            self._secrets,
            hook,
            now=lambda: self._clock.now,
            behaviour=self.answer,
            max_body=max_body,
            body_timeout=body_timeout,
            heard=self._heard,
        )
        self._server = Server(
            listener, name="listener", port=port, max_connections=max_connections + 1
        )  # uvicorn counts the one it refuses
        self.url = f"{self._server.url}{hook}"

    def trust(self, secret: SecretLike) -> None:
        """Believes this signing secret too, from now on; needed because cStar tells it only once the webhook exists."""
        self._secrets.append(_secret(secret))

    def wait_for(self, wanted: str, timeout: float = 5.0) -> Received:
        """The newest delivery of this event type or event id; waits for it to arrive, if need be.

        Args:
            wanted: `ticket.created`, or the `event_id` of a fired event, which is the surer of the two.
            timeout: Seconds on the wall clock.

        Raises:
            NotReceivedError: It did not arrive; the message says what did.
        """
        deadline = time.monotonic() + timeout
        with self._arrived:
            while (found := self._captures.newest(wanted)) is None:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._arrived.wait(left)
        if found is not None:
            return found
        events = [f"{request.event} ({request.event_id})" for request in self._captures.all(newest=5)]
        others = f"What arrived last: {printable(', '.join(events), 400)}." if events else "Nothing has arrived at all."
        raise NotReceivedError(
            f"No '{printable(wanted, 80)}' arrived within {timeout:g} s. {others}",
            advice="Check that an active webhook points to this listener's url, and that the event was fired after that.",
        )

    def __getitem__(self, number: int) -> Received:
        """One request by its id, counted from 1."""
        found = self._captures.get(number)
        if found is None:
            raise IndexError(f"There is no request {number}.")
        return found

    def requests(self, newest: int | None = None) -> list[Received]:
        """All requests, or the newest so many, in the order in which they came."""
        return self._captures.all(newest)

    def to_frame(self) -> "pd.DataFrame":
        """A row per request, in the order in which they came.

        Columns: `id` (int64), `received_at` (datetime64[us, UTC]), `event`, `event_id`, `webhook_id` (str), `attempt`
        (Int64), `verified` (boolean; missing where no secret is known), `cause` ("ok", or the check that failed),
        `duplicate_of` (Int64: the verified request that came before with this event id), `answered` (Int64), `error`
        (str: the handler's traceback), `method`, `path` (str), `headers` (dict), `body` (the exact bytes).
        """
        return self._captures.to_frame()

    def explain(self, number: int) -> Explanation:
        """Why a request verifies or not, by the clock at the time it arrived."""
        request = self[number]
        if not self._secrets:
            raise ConfigurationError(
                "This listener knows no secret to explain by.", advice="Give it one: listener.trust(secret)."
            )
        return explain(request.body, request.headers, self._secrets, now=request.received_at)

    def replay(
        self,
        rows: "pd.DataFrame | Iterable[Any]",
        to: "str | Handler",
        *,
        secret: SecretLike | None = None,
        edit: Edit | None = None,
    ) -> "pd.DataFrame":
        """Sends captured deliveries again, one after the other, and compares what came of each with what came of it then.

        Args:
            rows: A selection of `to_frame()`, or ids.
            to: A URL, or a function that is called with the event.
            secret: Signs each anew, by the present; without it, a delivery goes out with the signature it came with.
            edit: Takes the event and returns the one to send instead. To a URL, give a secret with it.

        Returns:
            A row per delivery: `id` (int64), `event`, `event_id` (str), `was_answered` (Int64), `was_error` (str),
            `answered` (Int64), `error` (str), `changed` (boolean).
        """
        wanted: Iterable[Any] = getattr(rows, "id", rows)
        requests = [self[int(getattr(row, "id", row))] for row in wanted]
        signed_with = None if secret is None else _secret(secret)
        return self._server.run(replayed(requests, to, secret=signed_with, now=lambda: self._clock.now, edit=edit))

    def on_arrival(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Calls the watcher after each change, on the listener's thread. Returns what ends it."""
        self._watching.append(watcher)
        return lambda: self._watching.remove(watcher) if watcher in self._watching else None

    def on_close(self, callback: Callable[[], None]) -> None:
        """Calls back once, after the listener has been closed."""
        self._closing.append(callback)

    def close(self) -> None:
        """Stops listening. A second call does nothing."""
        self._server.close()
        self._captures.close()
        while self._closing:
            self._closing.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Listener({self.url})"

    def _heard(self) -> None:
        with self._arrived:
            self._arrived.notify_all()
        for watcher in list(self._watching):
            try:
                watcher()
            except Exception:  # noqa: BLE001 - what watches must not change what is answered
                _log.exception("A callback of on_arrival raised.")


def _secret(secret: SecretLike) -> Secret:
    if isinstance(secret, Secret):
        return secret
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    if not isinstance(text, str) or not text:
        raise ConfigurationError("A signing secret is text, and not empty.", advice="Give the whsec_… of the webhook.")
    return Secret(text)
