"""Runs an ASGI app on loopback, in a daemon thread of the kernel.

A thread and not a process: when a kernel is killed, nothing of it stays behind. The app is real HTTP over a real socket.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn

from ..errors import ConfigurationError
from .host_check import OwnHostOnly

if TYPE_CHECKING:
    from starlette.types import ASGIApp


T = TypeVar("T")


class Server:
    """An ASGI app, served on 127.0.0.1 from the moment this is made until `close()` or the end of the process.

    Attributes:
        url: `http://127.0.0.1:<port>`.
    """

    def __init__(self, app: "ASGIApp", *, name: str, port: int = 0, max_connections: int | None = None) -> None:
        _check_port(port)
        config = uvicorn.Config(
            OwnHostOnly(app),
            host="127.0.0.1",
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=max_connections,
            timeout_graceful_shutdown=1,
        )
        self._server = _Uvicorn(config)
        self._thread = threading.Thread(target=self._server.run, name=f"cstar_explore {name}", daemon=True)
        self._thread.start()
        self._server.settled.wait()
        if not self._server.started:
            raise ConfigurationError(f"The {name} did not start.", advice="Look at the log for the reason.")
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it still serves."""
        return self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the event loop that serves the app, and waits for it. For other threads than that loop's."""
        return asyncio.run_coroutine_threadsafe(work, self._server.loop).result()

    def close(self) -> None:
        """Stops serving; open requests have a second to end. A second call does nothing."""
        self._server.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which tells when it has started or failed to, and leaves signals to the kernel."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()
        self.loop: asyncio.AbstractEventLoop
        self._stopped: asyncio.Event

    def capture_signals(self) -> "contextlib.AbstractContextManager[None]":  # type: ignore[override]
        return contextlib.nullcontext()

    def run(self, sockets: Any = None) -> None:
        try:
            # uvicorn ends a failed start by SystemExit, which in a thread would only be swallowed.
            with contextlib.suppress(SystemExit):
                super().run(sockets)
        finally:
            self.settled.set()

    async def startup(self, sockets: Any = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        await super().startup(sockets)
        self.settled.set()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it should end; this one is told.
        await self._stopped.wait()

    def stop(self) -> None:
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            self.loop.call_soon_threadsafe(self._stopped.set)


def _check_port(port: int) -> None:
    """Tries the port, so that a bad one is a sentence and not a dead thread."""
    try:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"Port {port} on 127.0.0.1 cannot be used: {reason}.", advice="Give another, or none for a free one."
        ) from None
