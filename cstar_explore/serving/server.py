"""Serves an ASGI app over HTTP on loopback, from a daemon thread of the kernel.

A thread and not a process: nothing keeps running when the kernel is killed.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import uvicorn

from ..errors import ConfigurationError
from .host_check import HostCheckMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp


T = TypeVar("T")


class Server:
    """Serves an app on 127.0.0.1, from the moment it is created until `close()` or the end of the process.

    Args:
        name: For error messages and the thread.
        port: 0 chooses a free port.
        max_connections: Requests get a 503 while this many connections are open; None for no limit.

    Attributes:
        url: `http://127.0.0.1:<port>`.

    Raises:
        ConfigurationError: The port cannot be used, or the server did not start.
    """

    def __init__(self, app: "ASGIApp", *, name: str, port: int = 0, max_connections: int | None = None) -> None:
        _check_port(port)
        config = uvicorn.Config(
            HostCheckMiddleware(app),
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
        self._server.startup_done.wait()
        if not self._server.started:
            raise ConfigurationError(f"The {name} did not start.", advice="See the log for the reason.")
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the server is running."""
        return self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the server's event loop and waits for it. Call it from other threads only."""
        return asyncio.run_coroutine_threadsafe(work, self._server.loop).result()

    def close(self) -> None:
        """Stops the server; open requests get one second to finish. A second call does nothing."""
        self._server.stop()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)


class _Uvicorn(uvicorn.Server):
    """A uvicorn server that leaves signals to the kernel, and sets `startup_done` when it has started or failed to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.startup_done = threading.Event()
        self.loop: asyncio.AbstractEventLoop
        self._stopped: asyncio.Event

    def capture_signals(self) -> "contextlib.AbstractContextManager[None]":  # type: ignore[override]
        return contextlib.nullcontext()

    def run(self, sockets: Any = None) -> None:
        try:
            # uvicorn exits with SystemExit if it cannot start.
            with contextlib.suppress(SystemExit):
                super().run(sockets)
        finally:
            self.startup_done.set()

    async def startup(self, sockets: Any = None) -> None:
        self.loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        await super().startup(sockets)
        self.startup_done.set()

    async def main_loop(self) -> None:
        # uvicorn's own loop polls ten times a second.
        await self._stopped.wait()

    def stop(self) -> None:
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self.loop.call_soon_threadsafe(self._stopped.set)


def _check_port(port: int) -> None:
    """Binds the port for a moment. In the thread, uvicorn could only log that it cannot be used."""
    try:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ConfigurationError(
            f"Cannot listen on 127.0.0.1:{port}: {reason}.", advice="Choose another port, or omit it for a free one."
        ) from None
