"""What widgets share that show the requests of a listener: how they follow it, and the verdict of a request."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..listener import Listener, Received

_DELAY = 0.05  # seconds in which arrivals are collected into one update


def verdict_of(request: "Received") -> str:
    """Whether the request verified, in a word or two."""
    return {None: "not verified: no secret", "ok": "verified"}.get(request.cause, f"refused: {request.cause}")


class Arrivals:
    """Calls `update` on a thread of its own, after requests have arrived or were answered, until it is closed."""

    def __init__(self, listener: "Listener", update: Callable[[], object]) -> None:
        self._update = update
        self._pending = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False
        self._unwatch = listener.on_arrival(self._schedule)

    def close(self) -> None:
        """Ends the calls, and waits for one that has begun: it reads the listener, which may be closed next."""
        self._closed = True
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _schedule(self) -> None:
        if self._pending.acquire(blocking=False):
            timer = threading.Timer(_DELAY, self._run)
            timer.daemon = True
            timer.start()
            self._timer = timer

    def _run(self) -> None:
        self._pending.release()
        if not self._closed:
            self._update()
