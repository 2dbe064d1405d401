"""Connections of a server: a deadline for each request's head, and a limit that idle connections do not use up."""

import asyncio
from typing import Any, cast

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .host_check import OnRefused, Refusal

IDLE_TIME = 1.0  # seconds in which a connection that is to send a request does so
SPARE = 100  # connections beyond the limit, for a burst of senders that get a 503
# Seconds from accepting a connection, or from its last response, until the next request's head is complete.
HEAD_TIMEOUT = 10.0


class Connection(H11Protocol):
    """One connection. uvicorn itself waits forever for a first request, and counts idle connections as busy.

    Args:
        max_connections: Maximum number of requests in progress, beyond which a request is answered with 503; may be infinite.
            With more connections than this, a new one replaces the one that has been idle for longest.
        on_refused: Called with each request that is answered with 503, or with 400 because its head is not HTTP.
    """

    def __init__(self, *, max_connections: float, on_refused: OnRefused, **options: Any) -> None:
        super().__init__(**options)
        self._max_connections = max_connections
        self._on_refused = on_refused
        self._served_app = self.app
        self._idle_since = 0.0
        self._deadline: asyncio.TimerHandle
        self._first_bytes = b""

    @property
    def is_idle(self) -> bool:
        """Whether no request is in progress. An incomplete head does not count as a request."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._close_longest_idle()
        self._start_deadline()

    def data_received(self, data: bytes) -> None:
        self._first_bytes = self._first_bytes or data[:3]
        self.app = cast("Any", self._refuse if self._is_over_limit else self._served_app)
        super().data_received(data)
        if not self.is_idle:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        self._start_deadline()
        super().on_response_complete()  # may start the next, pipelined request
        if not self.is_idle:
            self._deadline.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.cancel()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        if self.is_idle:
            # The first bytes of a TLS handshake (RFC 8446, section 5.1).
            is_tls = self._first_bytes.startswith(b"\x16\x03")
            reason = (
                "The sender used https, but the URL is http." if is_tls else "The head of the request is not HTTP/1.1."
            )
            scope = {"type": "http", "method": "", "path": "", "query_string": b"", "headers": []}
            self._on_refused(scope, Refusal(400, "invalid_http", reason))
        super().send_400_response(msg)

    def shutdown(self) -> None:
        """Closes the connection, at once if its request is incomplete and otherwise after the response."""
        if self.is_idle or not self.cycle.more_body:
            super().shutdown()
        else:
            self.transport.abort()

    def _start_deadline(self) -> None:
        self._idle_since = self.loop.time()
        self._deadline = self.loop.call_later(HEAD_TIMEOUT, self.timeout_keep_alive_handler)

    @property
    def _is_over_limit(self) -> bool:
        """Whether as many other connections as allowed have a request in progress."""
        others = len(self.connections) - 1
        return others >= self._max_connections and others - len(self._idle_others) >= self._max_connections

    def _close_longest_idle(self) -> None:
        most = self._max_connections
        if len(self.connections) <= most or not (idle := self._idle_others):
            return
        oldest = min(idle, key=lambda other: other._idle_since)  # noqa: SLF001 - the same class
        if len(self.connections) > most + SPARE or self.loop.time() - oldest._idle_since > IDLE_TIME:  # noqa: SLF001
            self.connections.discard(oldest)  # uvicorn does so only in the loop's next turn
            oldest.transport.abort()

    @property
    def _idle_others(self) -> "list[Connection]":
        return [other for other in cast("set[Connection]", self.connections) if other is not self and other.is_idle]

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._on_refused(scope, Refusal(503, "busy", f"{self._max_connections} other requests were in progress."))
        response = PlainTextResponse("Too many requests are in progress.\n", 503, {"Connection": "close"})
        await response(scope, receive, send)
