"""Serves an ASGI app over HTTP on loopback, from a daemon thread of the kernel.

A thread and not a process: nothing keeps running when the kernel is killed.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import math
import os
import socket
import threading
from collections.abc import Callable, Collection, Coroutine
from functools import cache, partial
from typing import Any, TypeVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from ..errors import ConfigurationError
from ..text import printable
from . import loops
from .connections import Connection
from .host_check import OnRefused, checking_hosts

T = TypeVar("T")

BACKLOG = 2_048  # connections that wait to be accepted
GRACE = 1.0  # seconds that open requests get when the server is closed
WORKERS = 64  # threads for blocking work; a handler may fire events that are handled meanwhile


class Server:
    """Serves an app on 127.0.0.1, from the moment it is created until `close()` or the end of the process.

    Args:
        name: For error messages and the thread.
        port: 0 chooses a free port.
        max_connections: Maximum number of connections; see `Connection`.
        allowed_hosts: Values of `Host` besides loopback that are accepted, in lower case.
        on_refused: Called in the server's event loop with each request that does not reach the app.

    Attributes:
        url: `http://127.0.0.1:<port>`.

    Raises:
        ConfigurationError: The port cannot be used, or the server did not start.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        name: str,
        port: int = 0,
        max_connections: float = math.inf,
        allowed_hosts: Collection[str] = (),
        on_refused: OnRefused = lambda *_: None,
    ) -> None:
        _leave_out_expected_errors()
        self._name = name
        self._process = os.getpid()
        listening = _bind(port)
        config = uvicorn.Config(
            checking_hosts(app, allowed_hosts, on_refused),
            # The h11 protocol and asyncio's loop, whichever others are installed.
            http="h11",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
        )
        config.load()
        self._state = ServerState()
        connection = partial(
            Connection,
            config=config,
            server_state=self._state,
            app_state={},
            max_connections=max_connections,
            on_refused=on_refused,
        )
        self._started: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
        self._stopped = asyncio.Event()
        arguments = (connection, listening)
        self._thread = threading.Thread(target=self._run, args=arguments, name=f"cstar_explore {name}", daemon=True)
        self._thread.start()
        failure = self._started.exception()
        if failure is not None:
            listening.close()
            raise ConfigurationError(
                f"The {name} did not start: {printable(repr(failure), 200)}.",
                advice="Restart the kernel. If it happens again, look for a package that changes asyncio.",
            )
        self._loop = self._started.result()
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    @property
    def running(self) -> bool:
        """Whether the server is running in this process."""
        return os.getpid() == self._process and self._thread.is_alive()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the server's event loop and waits for it.

        Raises:
            ConfigurationError: The server is closed or runs in another process, or this is its own thread.
        """
        if not self.running or threading.current_thread() is self._thread:
            work.close()
            self.check_process()
            state = "cannot wait for itself in its own thread" if self.running else "is closed"
            message = f"The {self._name} {state}."
            raise ConfigurationError(message, advice=f"Call it elsewhere, or use a new {self._name}.")
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except concurrent.futures.CancelledError:
            message = f"The {self._name} was closed during the call."
            raise ConfigurationError(message, advice=f"Use a new {self._name}.") from None

    def check_process(self) -> None:
        """Checks that this is the process of the server. A forked process has no copy of its thread.

        Raises:
            ConfigurationError: This is another process.
        """
        if os.getpid() != self._process:
            raise ConfigurationError(
                f"The {self._name} runs in process {self._process}, and this is process {os.getpid()}, forked from it.",
                advice=f"Use it in its own process, or open a new {self._name} here.",
            )

    def close(self) -> None:
        """Stops the server; open requests get one second to finish. In a forked process and at a second call, does nothing."""
        if not self.running:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._stopped.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=5)

    def _run(self, connection: Callable[[], Connection], listening: socket.socket) -> None:
        try:
            loops.run(self._serve(connection, listening))
        except BaseException as error:  # noqa: BLE001 - raised again where the start is waited for
            if not self._started.done():
                self._started.set_exception(error)

    async def _serve(self, connection: Callable[[], Connection], listening: socket.socket) -> None:
        """In place of `uvicorn.Server`, which polls ten times a second and sleeps for a tenth of a second at its end."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(WORKERS, "cstar_explore worker"))
        server = await loop.create_server(connection, sock=listening, backlog=BACKLOG)
        self._started.set_result(loop)
        await self._stopped.wait()
        server.close()
        for opened in list(self._state.connections):
            opened.shutdown()
        if self._state.tasks:
            _, unfinished = await asyncio.wait(self._state.tasks, timeout=GRACE)
            for task in unfinished:
                task.cancel()
        for opened in list(self._state.connections):
            opened.transport.abort()
        await asyncio.sleep(0)  # lets asyncio close the sockets


@cache
def _leave_out_expected_errors() -> None:
    """uvicorn logs a request that was still waiting when its server was closed, and a response that a fault has cut off."""

    def is_unexpected(record: logging.LogRecord) -> bool:
        cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not cancelled and "returned without completing response" not in record.getMessage()

    logging.getLogger("uvicorn.error").addFilter(is_unexpected)


def _bind(port: int) -> socket.socket:
    """A socket bound to the port. In the thread, uvicorn could only log that it cannot be used."""
    # asyncio sends without delay only where the protocol is named: without it, each response takes 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere, the option lets two programs use one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
    except (OSError, OverflowError, TypeError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"Cannot listen on 127.0.0.1:{printable(port, 40)}: {reason}."
        raise ConfigurationError(message, advice="Choose another port, or omit it for a free one.") from None
    return listening
