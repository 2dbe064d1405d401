"""`timeout` limits the attempt: name lookup, all addresses, proxy, TLS, writing, and reading head and body."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.proxy_server import ProxyServer
from tests.support.scripted_server import ScriptedServer, data, reply

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
TIMEOUT = 0.4
LIMIT = 6.0
"""Seconds that no attempt takes, even on a busy machine. Without a limit each fault below lasts for 60."""

LONG = 60.0
LIST = json.dumps({"success": True, "data": []}).encode()


def client_of(base_url: str, **options: Any) -> cx.Client:
    return cx.Client(
        **{"key": KEY, "team_id": "team_1", "base_url": base_url, "timeout": TIMEOUT, "max_wait": 0} | options
    )


@contextlib.contextmanager
def limited() -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LIMIT


def drip(connection: socket.socket, content: bytes) -> None:
    """Sends one byte at a time for a minute, or until the client disconnects."""
    end = time.monotonic() + LONG
    index = 0
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            connection.sendall(content[index % len(content) :][:1])
            index += 1
            time.sleep(0.02)


class SlowServer(ScriptedServer):
    """Runs a function on each connection as soon as it is accepted."""

    def __init__(self, run: Callable[[socket.socket], Any]) -> None:
        self._run = run
        super().__init__()

    def _handle(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            self._run(connection)


def read_head(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)


# --- name lookup and addresses ----------------------------------------------------------------------------------------


@pytest.fixture
def lookup(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[int], list[Any]]], None]]:
    """Replaces the name lookup."""
    ended = threading.Event()
    original = socket.getaddrinfo

    def use(addresses: Callable[[int], list[Any]], *, slow: bool = False) -> None:
        def getaddrinfo(host: str, port: int, *rest: Any, **options: Any) -> list[Any]:
            if host == "127.0.0.1":
                return original(host, port, *rest, **options)
            if slow:
                ended.wait(LONG)
            return addresses(port)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    yield use
    ended.set()


def on_loopback(*ports: int) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]


@pytest.mark.parametrize("call", ["list", "create"])
def test_a_slow_name_lookup_ends_with_the_attempt(lookup: Any, call: str) -> None:
    """Nothing was sent, also for a create."""
    lookup(on_loopback, slow=True)
    with client_of("https://cstar.test:9") as client, limited(), pytest.raises(errors.UnreachableError) as caught:
        client.webhooks.list() if call == "list" else client.webhooks.create(name="N", url="https://e.com", events="*")
    assert False is caught.value.may_have_acted
    assert "0.4 s" in caught.value.message


def test_each_attempt_has_its_own_deadline(lookup: Any) -> None:
    """An abandoned lookup does not use up the time of the next attempt."""
    lookup(on_loopback, slow=True)
    attempts: list[int] = []
    with (
        client_of(
            "https://cstar.test:9", timeout=0.1, max_wait=5, on_wait=lambda w: attempts.append(w.attempt)
        ) as client,
        limited(),
        pytest.raises(errors.UnreachableError),
    ):
        client.webhooks.list()
    assert [1, 2, 3] == attempts


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(socket.gaierror(socket.EAI_NONAME, "Name or service not known"), id="unknown name"),
        pytest.param(OSError("no network"), id="other error"),
        pytest.param(UnicodeError("label too long"), id="name that cannot be encoded"),
    ],
)
def test_a_failed_name_lookup_is_unreachable(monkeypatch: pytest.MonkeyPatch, failure: Exception) -> None:
    """Whatever it raises."""

    def getaddrinfo(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with client_of("https://cstar.test:9") as client, pytest.raises(errors.UnreachableError):
        client.webhooks.list()


def test_a_name_without_addresses_is_unreachable(lookup: Any) -> None:
    """An empty list is no success."""
    lookup(lambda _: [])
    with client_of("https://cstar.test:9") as client, pytest.raises(errors.UnreachableError):
        client.webhooks.list()


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Ports at which a connection attempt gets no response until its timeout."""
    ports: set[int] = set()
    connect = socket.socket.connect

    def connect_or_wait(self: socket.socket, address: Any) -> None:
        if address[1] not in ports:
            return connect(self, address)
        timeout = self.gettimeout()
        assert timeout is not None, "A connection attempt without a limit."
        time.sleep(min(timeout, LONG))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket.socket, "connect", connect_or_wait)
    return ports


def test_several_dead_addresses_end_with_the_attempt(lookup: Any, dead: set[int]) -> None:
    """Their times do not add up."""
    dead |= set(range(2, 9))
    lookup(lambda _: on_loopback(*sorted(dead)))
    started = time.monotonic()
    with client_of("https://cstar.test:9") as client, limited(), pytest.raises(errors.UnreachableError):
        client.webhooks.list()
    assert time.monotonic() - started < TIMEOUT * len(dead) / 2


def test_a_live_address_after_dead_ones_is_reached(lookup: Any, dead: set[int]) -> None:
    """Each address gets a share of the time."""
    with ScriptedServer(data([])) as server:
        dead |= {2, 3}
        lookup(lambda port: on_loopback(2, 3, port))
        with client_of(f"http://localhost:{server.port}", timeout=4) as client:
            assert 0 == len(client.webhooks.list())


# --- TLS, proxy, request and response ---------------------------------------------------------------------------------


def wait_for_disconnect(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


SLOW_TLS: dict[str, Callable[[socket.socket], Any]] = {
    "silent": wait_for_disconnect,
    "drip": lambda connection: drip(connection, b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + bytes(2**12)),
}


@pytest.mark.parametrize("fault", SLOW_TLS)
def test_a_slow_handshake_ends_with_the_attempt(fault: str) -> None:
    """Also if bytes arrive all the time. The request was not sent."""
    with (
        SlowServer(SLOW_TLS[fault]) as server,
        client_of(f"https://127.0.0.1:{server.port}") as client,
        limited(),
        pytest.raises(errors.UnreachableError) as caught,
    ):
        client.webhooks.trigger_test("ticket.created")
    assert False is caught.value.may_have_acted


@pytest.mark.parametrize("content", [b"", b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 2**12], ids=["silent", "drip"])
def test_a_slow_proxy_ends_with_the_attempt(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Its response to CONNECT counts. The request was not sent."""

    def respond(connection: socket.socket) -> bool:
        if content:
            drip(connection, content)
        else:
            wait_for_disconnect(connection)
        return False

    with ProxyServer(9, respond=respond) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with client_of("https://cstar.test") as client, limited(), pytest.raises(errors.UnreachableError) as caught:
            client.webhooks.trigger_test("ticket.created")
    assert False is caught.value.may_have_acted


def respond_with(content: bytes) -> Callable[[socket.socket], None]:
    """Reads a request, sends the content at once, and then spaces one at a time."""

    def run(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(content)
        drip(connection, b" ")

    return run


SLOW_RESPONSES: dict[str, Callable[[socket.socket], Any]] = {
    "status line": lambda connection: (read_head(connection), drip(connection, b"HTTP/1.1 200 " + b"O" * 4000)),
    "headers": lambda connection: (read_head(connection), drip(connection, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 4000)),
    "many headers": lambda connection: (
        read_head(connection),
        drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 700),
    ),
    "body": respond_with(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
    "body without a length": respond_with(b"HTTP/1.1 200 OK\r\n\r\n" + LIST),
    "error": respond_with(b"HTTP/1.1 500 No\r\nContent-Length: 1000000\r\n\r\n"),
    "last byte": respond_with(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(LIST), LIST)
    ),
}


@pytest.mark.parametrize("fault", SLOW_RESPONSES)
def test_a_slow_response_ends_with_the_attempt(fault: str) -> None:
    """The request may have taken effect."""
    with (
        SlowServer(SLOW_RESPONSES[fault]) as server,
        client_of(server.url) as client,
        limited(),
        pytest.raises(errors.TransportError) as caught,
    ):
        client.webhooks.trigger_test("ticket.created")
    # The last byte that is missing may also be taken for a broken chunk.
    expected = (
        (errors.ResponseTimeoutError, errors.ConnectionLostError)
        if fault == "last byte"
        else errors.ResponseTimeoutError
    )
    assert isinstance(caught.value, expected)
    assert True is caught.value.may_have_acted


def test_a_server_that_does_not_read_ends_with_the_attempt() -> None:
    """A large request stops when the buffers are full."""
    ended = threading.Event()
    with SlowServer(lambda _: ended.wait(LONG)) as server, client_of(server.url, timeout=2) as client:
        server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(errors.TransportError) as caught:
            client.webhooks.create(name="x" * 12_000_000, url="https://example.com/", events="*")
        ended.set()
    assert isinstance(caught.value, errors.ResponseTimeoutError | errors.OutcomeUnknownError)
    assert True is caught.value.may_have_acted


def test_an_idle_connection_does_not_use_up_the_time_of_the_next_call() -> None:
    """The limit is that of the attempt, not of the connection."""
    keeping = reply(200, LIST, close=False)
    with ScriptedServer(keeping, keeping) as server, client_of(server.url) as client:
        client.webhooks.list()
        time.sleep(TIMEOUT * 1.5)
        client.webhooks.list()
    assert 2 == len(server.requests)
