"""The time that closing a server takes."""

import threading
import time
from collections.abc import Callable, Iterator

import uvicorn
from starlette.applications import Starlette

import cstar_explore as cx

from .measuring import Row

ROUNDS = 11


def run() -> Iterator[Row]:
    """Measures closing a sandbox and a listener, each after its first response, and a bare uvicorn in a thread."""
    ours: dict[str, list[float]] = {"Sandbox.close()": [], "Listener.close()": []}
    bare: list[float] = []
    for _ in range(ROUNDS):
        sandbox = cx.Sandbox()
        with sandbox.client() as client:
            client.webhooks.list()
        ours["Sandbox.close()"].append(_seconds(sandbox.close))
        ours["Listener.close()"].append(_seconds(cx.Listener().close))
        bare.append(_seconds(_bare_server()))
    for name, seconds in ours.items():
        yield Row(name, "1 server", "bare uvicorn in a thread", seconds, bare, "under 50 ms")


def _bare_server() -> Callable[[], None]:
    """Starts a server; returns what stops it."""
    server = uvicorn.Server(uvicorn.Config(Starlette(), port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.001)

    def stop() -> None:
        server.should_exit = True
        thread.join()

    return stop


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
