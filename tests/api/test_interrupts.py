"""An interrupt (Ctrl+C) at any point of a call: no report on it shows the key or the response's signing secret."""

import inspect
import json
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import api
from tests.support.certificates import server_context
from tests.support.proxy_server import TlsServer
from tests.support.scripted_server import RecordedRequest, ScriptedServer

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = KEY.removeprefix("sk_test_")
NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
SECRET_VALUE = "AbCdEf1234567890"
CREATED = json.dumps({"success": True, "data": {"id": "whk_1", "secret": f"whsec_{SECRET_VALUE}"}}).encode()

CALLS: dict[str, Callable[[cx.Client], Any]] = {
    "get": lambda client: client.webhooks.get("whk_1"),
    "create": lambda client: client.webhooks.create(**NEW),
}


def respond_in_parts(connection: socket.socket, _: RecordedRequest) -> bool:
    """Sends head, half of the body with the signing secret, and the rest, each after the one before was read."""
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(CREATED)
    for part in (head, CREATED[:-5], CREATED[-5:]):
        connection.sendall(part)
        time.sleep(0.05)
    return True


@pytest.fixture(params=["http", "https"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ScriptedServer]:
    scripts = [respond_in_parts] * 20
    if request.param == "http":
        with ScriptedServer(*scripts) as server:
            server.url = server.url.replace("127.0.0.1", "localhost")  # so that the name is looked up
            yield server
        return
    certificate: Path = tmp_path_factory.mktemp("certificates") / "server.pem"
    context = server_context(certificate, "DNS:localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with TlsServer(context, *scripts) as server:
        server.url = server.url.replace("127.0.0.1", "localhost")
        yield server


def report_on(error: BaseException) -> str:
    """Everything that a traceback with local variables shows, also of the errors behind it."""
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [each for each in (one.__cause__, one.__context__) if each and each not in chain]
    reports = (traceback.TracebackException.from_exception(one, capture_locals=True) for one in chain)
    return "".join(line for report in reports for line in report.format())


def interrupted(call: str, server: ScriptedServer) -> BaseException | None:
    """Runs a call and closes the client. Returns the interrupt, or None if both ended before."""
    try:
        with cx.Client(KEY, "team_1", server.url, timeout=20, max_wait=5) as client:
            CALLS[call](client)
    except KeyboardInterrupt as error:
        return error
    return None


def assert_hidden(error: BaseException) -> None:
    report = report_on(error)
    assert "Traceback" in report
    assert [] == [line for line in report.splitlines() if HIDDEN in line or SECRET_VALUE in line]


# --- at each operation on a socket ------------------------------------------------------------------------------------

# The operation, and how many calls of it succeed before the one that is interrupted.
POINTS = [
    pytest.param(threading.Thread, "join", 0, id="name lookup"),
    pytest.param(socket.socket, "connect", 0, id="connect"),
    pytest.param(socket.socket, "setsockopt", 0, id="setsockopt"),
    *[pytest.param(socket.socket, "sendall", count, id=f"sendall {count + 1}") for count in range(3)],
    *[pytest.param(socket.socket, "recv", count, id=f"recv {count + 1}") for count in range(5)],
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("owner", "operation", "before"), POINTS)
def test_an_interrupted_operation_shows_no_secret(
    monkeypatch: pytest.MonkeyPatch, server: ScriptedServer, owner: type, operation: str, before: int, call: str
) -> None:
    """In this thread only: the server's threads go on."""
    thread, original, count = threading.current_thread(), getattr(owner, operation), 0

    def interrupt(*arguments: Any, **options: Any) -> Any:
        nonlocal count
        if threading.current_thread() is thread:
            count += 1
            if count == before + 1:
                arguments = ()  # they contain the key: this frame is not the client's
                raise KeyboardInterrupt
        return original(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(owner, operation, interrupt, raising=False)
        error = interrupted(call, server)
    if error is None:
        # Over plain http there are fewer reads and writes than over TLS.
        assert count <= before
        return
    assert_hidden(error)


def test_a_client_works_after_an_interrupt(monkeypatch: pytest.MonkeyPatch, server: ScriptedServer) -> None:
    """The connection that was interrupted is not used again."""
    recv, calls = socket.socket.recv, []
    thread = threading.current_thread()

    def interrupt_once(self: socket.socket, *arguments: Any) -> bytes:
        if threading.current_thread() is thread and not arguments[1:]:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return recv(self, *arguments)

    monkeypatch.setattr(socket.socket, "recv", interrupt_once)
    with cx.Client(KEY, "team_1", server.url, timeout=20) as client:
        with pytest.raises(KeyboardInterrupt):
            client.webhooks.get("whk_1")
        assert ["whk_1"] * 2 == [client.webhooks.get("whk_1").id for _ in range(2)]


# --- at each function call --------------------------------------------------------------------------------------------

_TRACED = (str(Path(api.__file__).parent), "httpcore", "httpx", "h11")


class Interrupter:
    """Raises KeyboardInterrupt at the given function call of the API, httpx, httpcore or h11, counted from 0."""

    def __init__(self, at: int | None = None) -> None:
        self.count = 0
        self._at = at

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        file = frame.f_code.co_filename
        # An interrupt at the release of one of httpcore's own locks leaves it held, and the next call waits for ever.
        if event != "call" or not any(part in file for part in _TRACED) or file.endswith("_synchronization.py"):
            return
        if frame.f_code.co_flags & inspect.CO_GENERATOR:
            return  # it may be the end of an abandoned one, where nothing can be raised
        if self.count == self._at:
            raise KeyboardInterrupt
        self.count += 1


def traced(call: str, client: cx.Client, interrupter: Interrupter) -> BaseException | None:
    before = sys.gettrace()
    sys.settrace(interrupter)
    try:
        CALLS[call](client)
    except KeyboardInterrupt as error:
        return error
    finally:
        sys.settrace(before)
    return None


@pytest.mark.parametrize("part", range(8))
@pytest.mark.parametrize("call", CALLS)
def test_an_interrupt_at_a_function_call_shows_no_secret(call: str, part: int) -> None:
    """A sample of all function calls, from the request to the value that is returned."""

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(CREATED), CREATED))
        return True

    leaks = []
    with ScriptedServer(*[respond] * 100) as server:
        with cx.Client(KEY, "team_1", server.url, timeout=20) as client:
            total = Interrupter()
            traced(call, client, total)
        for at in range(part * total.count // 8, (part + 1) * total.count // 8, max(1, total.count // 160)):
            with cx.Client(KEY, "team_1", server.url, timeout=20) as client:
                error = traced(call, client, Interrupter(at))
            if error is not None and (HIDDEN in (report := report_on(error)) or SECRET_VALUE in report):
                leaks.append(next(line for line in report.splitlines() if HIDDEN in line or SECRET_VALUE in line))
    assert [] == sorted(set(leaks))
