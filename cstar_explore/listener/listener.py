"""The `Listener`: an endpoint inside the kernel that stores, verifies and answers deliveries."""

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
from ..serving.cells import close_on_rerun
from ..serving.server import Server
from ..signatures.diagnosis import Explanation, explain
from ..signatures.signing import SecretLike
from ..text import printable
from .app import Handler, ListenerApp, ResponseSettings
from .replay import Edit, replay_requests
from .store import Received, RequestStore

if TYPE_CHECKING:
    import pandas as pd

MAX_BODY = 2**20  # bytes
BODY_TIMEOUT = 10.0  # seconds for the whole body
MAX_CONNECTIONS = 200

_log = logging.getLogger("cstar_explore.listener")


class ClockLike(Protocol):
    """Anything with the current time, such as a sandbox's clock."""

    @property
    def now(self) -> datetime: ...


class _SystemClock:
    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


class Listener:
    """Receives deliveries on 127.0.0.1 at an unguessable URL, until it is closed. Rerunning its notebook cell replaces it.

    Args:
        secrets: The signing secrets of the webhooks that point here. If empty, nothing is verified.
        handler: Called with the event of each delivery, on a worker thread. If it raises, the response is 500 and the
            traceback is stored with the request. If it returns an int, that is the status.
        path: A file to store the requests in, readable only by its owner. By default they are in memory.
        clock: The clock for checking the age of signatures; `sandbox.listener()` passes the sandbox's. By default the
            system clock.
        port: The port on 127.0.0.1; by default a free one.

    Attributes:
        url: The URL to give to a webhook.
        answer: The response to a delivery. Set `answer.status`, `answer.seconds` or `answer.handler` at any time.

    Every request is stored before it is answered. With secrets, a delivery that does not verify is answered 401 and not passed
    to the handler.

    Limits: a body of more than 1 MiB is answered 413, a body that takes more than 10 s is answered 408, and a connection
    beyond 200 at the same time is answered 503. None of these is stored.
    """

    def __init__(
        self,
        secrets: Iterable[SecretLike] = (),
        *,
        handler: Handler | None = None,
        path: str | Path | None = None,
        clock: ClockLike | None = None,
        port: int = 0,
    ) -> None:
        close_on_rerun(self)
        self._secrets = [
            _as_secret(secret) for secret in ([secrets] if isinstance(secrets, str | bytes | Secret) else secrets)
        ]
        self._clock = clock or _SystemClock()
        self._store = RequestStore(None if path is None else Path(path))
        self._changed = threading.Condition()
        self._watchers: list[Callable[[], None]] = []
        self._close_callbacks: list[Callable[[], None]] = []
        self.answer = ResponseSettings(handler=handler)
        url_path = f"/hooks/{random_secrets.token_urlsafe(16)}"
        app = ListenerApp(
            self._store,
            self._secrets,
            url_path,
            now=lambda: self._clock.now,
            settings=self.answer,
            max_body=MAX_BODY,
            body_timeout=BODY_TIMEOUT,
            on_change=self._notify,
        )
        # uvicorn refuses the connection that reaches its limit.
        self._server = Server(app, name="listener", port=port, max_connections=MAX_CONNECTIONS + 1)
        self.url = f"{self._server.url}{url_path}"

    def trust(self, secret: SecretLike) -> None:
        """Adds a signing secret. A webhook's secret is known only once the webhook, with this listener's URL, exists."""
        self._secrets.append(_as_secret(secret))

    def wait_for(self, wanted: str, timeout: float = 5.0) -> Received:
        """Returns the newest delivery with this event type or event id, and waits for one if there is none yet.

        Args:
            wanted: An event type such as `ticket.created`, or the `event_id` of a fired event, which is unambiguous.
            timeout: Seconds of wall-clock time.

        Raises:
            NotReceivedError: None arrived in time. The message names the newest deliveries.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while (request := self._store.find_newest(wanted)) is None:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
        if request is not None:
            return request
        events = ", ".join(f"{other.event} ({other.event_id})" for other in self._store.all(newest=5))
        received = f"Last received: {printable(events, 400)}." if events else "Nothing was received."
        raise NotReceivedError(
            f"No '{printable(wanted, 80)}' arrived within {timeout:g} s. {received}",
            advice="Check that an active webhook has this listener's url, and that the event was fired after it was created.",
        )

    def __getitem__(self, number: int) -> Received:
        """The request with this id, counted from 1."""
        request = self._store.get(number)
        if request is None:
            raise IndexError(f"There is no request {number}.")
        return request

    def requests(self, newest: int | None = None) -> list[Received]:
        """All requests, or only the `newest` ones, oldest first."""
        return self._store.all(newest)

    def to_frame(self) -> "pd.DataFrame":
        """A row per request, oldest first.

        Columns: `id` (int64), `received_at` (datetime64[us, UTC]), `event`, `event_id`, `webhook_id` (str), `attempt`
        (Int64), `verified` (boolean; missing if the listener has no secret), `cause` (str: "ok" or the check that failed),
        `duplicate_of` (Int64: the first verified request with this event id), `answered` (Int64), `error` (str: the
        handler's traceback), `method`, `path` (str), `headers` (dict), `body` (the exact bytes).
        """
        return self._store.to_frame()

    def explain(self, number: int) -> Explanation:
        """Explains why a request does or does not verify, as of the time it arrived.

        Raises:
            ConfigurationError: The listener has no secret.
        """
        request = self[number]
        if not self._secrets:
            raise ConfigurationError(
                "This listener has no signing secret.", advice="Add one with listener.trust(secret)."
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
        """Sends stored deliveries again, one after the other, and compares the results with the original ones.

        Args:
            rows: Rows of `to_frame()`, requests or ids.
            to: A URL, or a function to call with the event.
            secret: Signs each delivery anew, with the current time. By default the original signature is sent.
            edit: Takes an event and returns the one to send instead. With a URL, pass `secret` too.

        Returns:
            A row per delivery: `id` (int64), `event`, `event_id` (str), `was_answered` (Int64), `was_error` (str),
            `answered` (Int64), `error` (str), `changed` (boolean).

        Raises:
            IndexError: There is no request with one of the ids. Nothing is sent.
            ValidationError: A delivery cannot be edited.
        """
        items: Iterable[Any] = getattr(rows, "id", rows)
        requests = [self[int(getattr(item, "id", item))] for item in items]
        signing_secret = None if secret is None else _as_secret(secret)
        return self._server.run(
            replay_requests(requests, to, secret=signing_secret, now=lambda: self._clock.now, edit=edit)
        )

    def on_arrival(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Calls `watcher` when a request arrives and again when it is answered, on the listener's thread.

        Returns:
            A function that ends the calls.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def _on_close(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once, after the listener has been closed. For the widget that displays it."""
        self._close_callbacks.append(callback)

    def close(self) -> None:
        """Stops listening. A second call does nothing."""
        self._server.close()
        self._store.close()
        while self._close_callbacks:
            self._close_callbacks.pop()()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Listener({self.url})"

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
        for watcher in list(self._watchers):
            try:
                watcher()
            except Exception:  # noqa: BLE001 - a failing watcher must not change the response
                _log.exception("A callback of on_arrival raised.")


def _as_secret(secret: SecretLike) -> Secret:
    if isinstance(secret, Secret):
        return secret
    text = secret.decode("utf-8", "surrogateescape") if isinstance(secret, bytes) else secret
    if not isinstance(text, str) or not text:
        raise ConfigurationError("A signing secret must be non-empty text.", advice="Pass the whsec_… of the webhook.")
    return Secret(text)
