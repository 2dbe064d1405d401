"""Starting a server until its first response, and closing it."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import uvicorn
from starlette.applications import Starlette

import cstar_explore as cx

from .measuring import Case


def run() -> Iterator[Case]:
    """The bare server has no routes, no database and no webhooks."""
    with httpx.Client() as http:
        for phase, name in enumerate(("`Sandbox()` to its first response", "`Sandbox.close()`")):
            ours, bare = partial(_seconds, http, _sandbox, phase), partial(_seconds, http, _bare, phase)
            rivals = {"bare uvicorn in a thread": (bare, 1.2)}
            yield Case(name, "1 server", "for the sandbox", ours, rivals, rounds=15)


def _seconds(http: httpx.Client, start: Callable[[], tuple[str, Callable[[], object]]], phase: int) -> float:
    """The seconds until the first response, or those that closing takes."""
    began = time.perf_counter()
    url, close = start()
    http.get(f"{url}/api/v1/auth/whoami")
    answered = time.perf_counter()
    close()
    return (answered - began, time.perf_counter() - answered)[phase]


def _sandbox() -> tuple[str, Callable[[], object]]:
    sandbox = cx.Sandbox()
    return sandbox.base_url, sandbox.close


def _bare() -> tuple[str, Callable[[], object]]:
    server = uvicorn.Server(uvicorn.Config(Starlette(), port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.001)

    def close() -> None:
        server.should_exit = True
        thread.join()

    return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", close
