"""Servers start whatever other packages have done to asyncio, and say so in a forked process."""

import asyncio
import os
import socket
import subprocess
import sys
import textwrap
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import send


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError("replaced by another package")


@pytest.mark.parametrize("names", [("run",), ("Runner",), ("run", "Runner", "new_event_loop", "get_event_loop_policy")])
def test_servers_do_not_use_what_other_packages_replace(
    monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """Neither do async handlers."""
    for name in names:
        monkeypatch.setattr(asyncio, name, broken)
    monkeypatch.setattr("uvicorn.server.asyncio_run", broken, raising=False)  # not in uvicorn 0.34

    async def handler(_: object) -> int:
        await asyncio.sleep(0)
        return 202

    with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener(handler=handler) as listener:
        assert client.webhooks.list()
        assert 202 == send(listener.url)[0]


def test_server_that_does_not_start_reports_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """And frees the port."""
    monkeypatch.setattr("cstar_explore.serving.server.Server._serve", broken)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(errors.ConfigurationError, match=r"did not start: RuntimeError.*replaced by another package"):
        cx.Listener(port=port)
    monkeypatch.undo()
    cx.Listener(port=port).close()


@pytest.mark.parametrize("port", [-1, 65_536, 10**30, "80", None, 1.5])
def test_invalid_port_is_rejected(port: Any) -> None:
    """With a CStarError."""
    with pytest.raises(errors.ConfigurationError):
        cx.Listener(port=port)


def test_call_in_the_listeners_own_thread_does_not_hang() -> None:
    """A callback of `on_arrival` cannot wait for a replay, which runs in the same thread."""
    raised: list[Exception] = []
    with cx.Listener() as listener:

        def watch() -> None:
            try:
                listener.replay([1], lambda _: None)
            except errors.CStarError as error:
                raised.append(error)

        listener.on_arrival(watch)
        assert 200 == send(listener.url)[0]
    assert {errors.ConfigurationError} == {type(error) for error in raised}


FORKED = """
import os, warnings
import cstar_explore as cx
from cstar_explore.errors import ConfigurationError
from tests.support.listeners import send
warnings.simplefilter("ignore")
sandbox = cx.Sandbox()
client = sandbox.client()
listener = sandbox.listener()
hook = client.webhooks.create(name="Here", url=listener.url, events="*")
client.webhooks.trigger_test("ticket.created")
CALLS = [
    lambda: sandbox.clock.advance(hours=1),
    lambda: sandbox.deliveries(),
    lambda: listener.wait_for("ticket.created"),
    lambda: listener.replay([1], lambda event: None),
    lambda: listener.to_frame(),
    lambda: listener.requests(),
    lambda: listener[1],
]
child = os.fork()
if child == 0:
    for call in CALLS:
        try:
            call()
        except ConfigurationError as error:
            assert "process" in str(error), error
        else:
            os._exit(2)
    listener.close(), sandbox.close()  # of the parent: nothing happens
    with cx.Listener() as own:
        os._exit(0 if send(own.url)[0] == 200 else 3)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), send(listener.url)[0], len(listener.requests()), len(client.webhooks.list()) > 0)
listener.close(), sandbox.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_process_gets_an_error_and_can_open_its_own() -> None:
    """It neither hangs nor disturbs the first process."""
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FORKED)], capture_output=True, text=True, timeout=20, check=False
    )
    assert "0 200 2 True" == ran.stdout.strip(), ran.stderr
