"""The `Listener`: an endpoint inside the kernel that stores, verifies and answers deliveries."""

import inspect
import logging
import math
import secrets as random_secrets
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from ..errors import ConfigurationError, NotReceivedError
from ..hosts import host_names
from ..secret import Secret
from ..serving import loops
from ..serving.cells import close_on_rerun, close_previous
from ..serving.server import Server
from ..serving.threads import in_thread
from ..serving.times import checked_seconds
from ..signatures.diagnosis import Explanation, explain
from ..signatures.keys import SecretLike, as_secret, as_secrets, require_secrets
from ..signatures.timestamps import unix_seconds
from ..text import printable
from .app import ListenerApp, ResponseSettings
from .handlers import Handler
from .lost import newest_of_lost
from .replay import Edit, check_replay, replay_requests, request_ids
from .store import Received, RequestStore

if TYPE_CHECKING:
    import pandas as pd

MAX_CONNECTIONS = 200
MAX_WAIT = 86_400.0  # seconds of `wait_for`

_log = logging.getLogger("cstar_explore.listener")


class ClockLike(Protocol):
    """Anything with the current time, such as a sandbox's clock."""

    @property
    def now(self) -> datetime: ...


class Listener:
    """Receives deliveries on 127.0.0.1 at an unguessable URL, until it is closed. Rerunning its notebook cell replaces it.

    Args:
        secrets: The signing secrets of the webhooks that point here. If empty, nothing is verified.
        handler: Called with the event of each delivery, on a worker thread. An async function runs in a new event loop of that
            thread. It returns None for `answer.status`, a status from 200 to 599, `(status, text)` or a Starlette `Response`.
            If it raises or returns anything else, the response is 500, and the request's `error` has the traceback or reason.
        path: A file to store the requests in, readable only by its owner. By default they are in memory. One process can open
            it at a time.
        clock: The clock for checking the age of signatures; `sandbox.listener()` passes the sandbox's. By default the
            system clock.
        port: The port on 127.0.0.1; by default a free one.
        allowed_hosts: Host names besides loopback that requests may have in `Host`, such as a tunnel's, and that `replay` may
            send to over plain http.

    Attributes:
        url: The URL to give to a webhook.
        answer: The response to a delivery. Set `answer.status`, `answer.seconds` or `answer.handler` at any time.

    Every request is stored before it is answered. With secrets, a delivery that does not verify is answered 401 and not passed
    to the handler. What cannot be stored is never answered 2xx: 507 if the listener is full, 503 if its file cannot be written.
    Credentials in headers and query are masked before they are stored.

    Limits: a body of more than 1 MiB is answered 413, a body that takes more than 10 s is answered 408, and a request beyond
    200 at the same time is answered 503. A connection without a complete head is closed after 10 s, or earlier if it is the
    oldest of more than 200. Refused requests are stored without their body, the newest 500 of them. All requests may take
    256 MiB. `wait_for` reports what was refused, dropped or not stored.

    Raises:
        ConfigurationError: An argument cannot be used, the port is in use, or the file is not a listener's, damaged or in use.
    """

    def __init__(
        self,
        secrets: Iterable[SecretLike] = (),
        *,
        handler: Handler | None = None,
        path: str | Path | None = None,
        clock: ClockLike | None = None,
        port: int = 0,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        secrets = as_secrets(secrets)  # under the same name, so that none is in a variable in clear
        if secrets:
            require_secrets(secrets)
        self._secrets: list[Secret] = list(secrets)
        self._allowed_hosts = host_names(allowed_hosts)
        self._now: Callable[[], datetime] = partial(datetime.now, UTC) if clock is None else lambda: clock.now
        self._changed = threading.Condition()
        self._watchers: list[Callable[[], object]] = []
        self._close_callbacks: list[Callable[[], None]] = []
        self.answer = ResponseSettings(handler=handler)
        close_previous(type(self))
        self._store = RequestStore(path)
        url_path = f"/hooks/{random_secrets.token_urlsafe(16)}"
        app = ListenerApp(self._store, self._secrets, url_path, self._now, self.answer, self._notify)
        try:
            self._server = Server(
                app,
                name="listener",
                port=port,
                max_connections=MAX_CONNECTIONS,
                allowed_hosts=self._allowed_hosts,
                on_refused=app.store_refused,
            )
        except BaseException:
            self._store.close()
            raise
        self.url = f"{self._server.url}{url_path}"
        close_on_rerun(self)

    def trust(self, secret: SecretLike) -> None:
        """Adds a signing secret. A webhook's secret is known only once the webhook, with this listener's URL, exists."""
        secret = as_secret(secret)  # under the same name, so that none is in a variable in clear
        require_secrets([secret])
        self._secrets.append(secret)

    def wait_for(self, wanted: str, timeout: float = 5.0) -> Received:
        """Returns the newest delivery with this event type or event id, and waits for one if there is none yet.

        If the listener has secrets, only a verified delivery counts.

        Args:
            wanted: An event type such as `ticket.created`, or the `event_id` of a fired event, which is unambiguous.
            timeout: Seconds of wall-clock time, at most a day.

        Raises:
            NotReceivedError: None arrived in time. The message names the newest deliveries, and what was refused and why.
            ConfigurationError: The timeout is not valid, or the listener is closed or runs in another process.
        """
        checked_seconds("timeout", timeout, zero=True, most=MAX_WAIT)
        self._server.check_process()
        with self._changed:
            request = self._changed.wait_for(
                lambda: self._store.find_newest(wanted, verified=bool(self._secrets)), timeout
            )
        if request is not None:
            return request
        received, refused = self._report()
        raise NotReceivedError(
            f"No '{printable(wanted, 80)}' arrived within {timeout:g} s. {received}{refused}",
            advice="See .to_frame() for what was refused, and correct the sender or this listener's settings."
            if refused
            else "Check that an active webhook has this listener's url, and that the event was fired after it was created.",
        )

    def _report(self) -> tuple[str, str]:
        """What was received, and what was refused, dropped or not stored, in sentences."""
        newest = self._store.newest_by_cause()
        accepted = "ok" if self._secrets else None
        events = ", ".join(
            f"{request.event or 'a body without an event type'} ({request.event_id or 'no ID'})"
            for request in reversed(self._store.all(newest=5))
            if request.cause == accepted
        )
        received = f"Last received: {printable(events, 400)}." if events else "Nothing was received."
        refused = ""
        for count, request in newest:
            if request.refused:
                status = f"answered {request.answered}" if request.answered else "not answered"
                refused += f" {count:,} refused, {status}, {request.cause}: {printable(request.error, 200)}"
            elif request.cause != accepted:
                event = printable(f"{request.event} ({request.event_id})", 120)
                why = f"failed verification, {request.cause}" if request.cause else "arrived before the first secret"
                refused += f" {count:,} {why}: {event}."
        for reason, count in self._store.not_stored.most_common(5):
            refused += f" {count:,} not stored: {printable(reason.rstrip('.'), 200)}."
        return received, refused

    def __getitem__(self, number: int) -> Received:
        """The request with this id, counted from 1."""
        request = self._store.get(number)
        if request is None:
            raise IndexError(f"There is no request {number}.")
        return request

    def requests(self, newest: int | None = None) -> list[Received]:
        """All requests, refused ones included, or only the `newest` ones, oldest first."""
        return self._store.all(newest)

    def to_frame(self) -> "pd.DataFrame":
        """A row per request, oldest first.

        Columns: `id` (int64), `received_at` (datetime64[us, UTC]), `event`, `event_id`, `webhook_id` (str), `attempt`
        (Int64), `verified` (boolean; missing if the listener has no secret), `cause` (str: "ok", the check that failed, or
        why the request was refused), `duplicate_of` (Int64: the first verified request with this event id), `answered`
        (Int64), `error` (str: the handler's traceback, what was wrong with its result, or why the request was refused),
        `method`, `path` (str), `headers` (dict; credentials are masked), `body` (the exact bytes; missing if refused), `query`
        (str; credentials are masked).
        """
        return self._store.to_frame()

    def lost(self, since: datetime | None = None) -> "pd.DataFrame":
        """The events without a 2xx response and without a pending retry, ready for `replay`.

        A row per event, with the columns of `to_frame()`: its newest request, oldest first. If the listener has secrets, only
        requests that verify with them count, whatever the age of the signature and also if the secret was added later. Refused
        requests and requests without an event id are left out.

        A retry is pending for 30 s, 2 m, 10 m, 1 h, 6 h or 24 h after the attempt before, by the listener's clock, and for 10 s
        more; none is after the seventh attempt. cStar publishes these steps, and does not document what each is counted from.
        Without `X-Delivery-Attempt`, attempts are counted as they arrive.

        Args:
            since: Only events whose newest request arrived at this time or later, as a datetime with a time zone.

        Raises:
            ValidationError: `since` is a datetime without a time zone, or not a time.
            ConfigurationError: The listener is closed.
        """
        start = -math.inf if since is None else unix_seconds(since)
        lost = newest_of_lost(self._store.failed(), self._secrets, self._now())
        return self._store.to_frame(request for request in lost if request.received_at.timestamp() >= start)

    def explain(self, number: int) -> Explanation:
        """Explains why a request does or does not verify, as of the time it arrived.

        Raises:
            ConfigurationError: The listener has no secret, or the request was refused before its body was read.
        """
        request = self[number]
        if request.refused:
            raise ConfigurationError(
                f"Request {number} was refused before its body was read: {request.error}",
                advice="Correct the sender or this listener's settings, and send it again.",
            )
        if not self._secrets:
            message = "This listener has no signing secret."
            raise ConfigurationError(message, advice="Add one with listener.trust(secret).")
        return explain(request.body, request.headers, self._secrets, now=request.received_at)

    def replay(
        self,
        rows: "pd.DataFrame | Iterable[Any]",
        to: "str | Handler",
        *,
        secret: SecretLike | None = None,
        edit: Edit | None = None,
        include_delivered: bool = False,
    ) -> "pd.DataFrame":
        """Sends stored deliveries again, one after the other, and compares the results with the original ones.

        A request that failed is left out if another one of its event was answered 2xx, so that no event is handled twice.

        Args:
            rows: Rows of `to_frame()` or `lost()`, requests or ids.
            to: A URL, or a function to call with the event, as a handler. Plain http is for loopback and `allowed_hosts` only.
                A URL receives the body, the content type and cStar's own headers.
            secret: Signs each delivery again, with the current time. By default, the original signature is sent.
            edit: Takes an event and returns the one to send instead. With a URL, pass `secret` too.
            include_delivered: Whether to send also what would be left out.

        Returns:
            A row per delivery sent: `id` (int64), `event`, `event_id` (str), `was_answered` (Int64), `was_error` (str),
            `answered` (Int64), `error` (str), `changed` (boolean).

        Raises:
            IndexError: There is no request with one of the ids. Nothing is sent.
            ValidationError: One of the rows has no id of a request, or was refused before its body was read; nothing is sent.
                Or a delivery cannot be edited.
            ConfigurationError: `to` is neither a function nor an allowed URL, or the listener is closed. Nothing is sent.
        """
        signing_secret = None if secret is None else as_secret(secret)
        secret = None  # so that none is in a variable in clear
        if signing_secret is not None:
            require_secrets([signing_secret])
        requests = [self[number] for number in request_ids(rows)]
        check_replay(requests, to, self._allowed_hosts)
        if not include_delivered and not all(request.accepted for request in requests):
            delivered = self._store.accepted_events()
            requests = [request for request in requests if request.accepted or request.event_id not in delivered]
        return self._server.run(replay_requests(requests, to, secret=signing_secret, now=self._now, edit=edit))

    def on_arrival(self, watcher: Callable[[], object]) -> Callable[[], None]:
        """Calls `watcher` when a request arrives and again when it is answered or refused, on the listener's thread.

        An async function runs in a new event loop of a worker thread. What it returns is ignored. What it raises is logged and
        does not change the response.

        Returns:
            A function that ends the calls.
        """
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def _on_close(self, callback: Callable[[], None]) -> None:
        """Calls `callback` once, when the listener is closed. For the widget that displays it."""
        self._close_callbacks.append(callback)

    def close(self) -> None:
        """Stops listening. In a forked process and at a second call, does nothing."""
        # First, because the widget may be about to read the requests.
        while self._close_callbacks:
            self._close_callbacks.pop()()
        self._server.close()
        self._store.close()
        with self._changed:
            self._changed.notify_all()  # ends `wait_for`

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Listener({vars(self).get('url', 'not started')})"

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()
        for watcher in list(self._watchers):
            try:
                result = watcher()
                if inspect.isawaitable(result):
                    in_thread(loops.run, result).add_done_callback(_log_failure)
            except Exception:  # noqa: BLE001 - a failing watcher must not change the response
                _log.exception("A callback of on_arrival raised.")


def _log_failure(watcher: "Future[object]") -> None:
    if watcher.exception() is not None:
        _log.error("A callback of on_arrival raised.", exc_info=watcher.exception())
