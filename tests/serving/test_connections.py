"""Connections: silent and slow ones are closed and lock out no other sender, and closing a server takes no time."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from tests.support.listeners import body_of, send

LIMITS = "cstar_explore.listener.listener"


def connect(listener: cx.Listener) -> socket.socket:
    parts = urlsplit(listener.url)
    return socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5)


def is_closed(connection: socket.socket, within: float) -> bool:
    """Whether the server closes the connection in this time without a response."""
    connection.settimeout(within)
    try:
        return connection.recv(100) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


PARTS = [b"", b"P", b"POST / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Part: "]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[cx.Listener]:
    """A listener that waits 0.3 s for a head."""
    monkeypatch.setattr("cstar_explore.serving.connections.HEAD_TIMEOUT", 0.3)
    with cx.Listener() as listener:
        yield listener


@pytest.mark.parametrize("part", PARTS)
def test_connection_without_a_whole_head_is_closed(quick: cx.Listener, part: bytes) -> None:
    """It has until the deadline."""
    with connect(quick) as connection:
        connection.sendall(part)
        assert not is_closed(connection, 0.15)
        assert is_closed(connection, 2)


def test_head_sent_byte_by_byte_does_not_extend_the_deadline(quick: cx.Listener) -> None:
    """The deadline is for the whole head."""
    with connect(quick) as connection:
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            connection.sendall(PARTS[-1])
            while time.monotonic() - began < 3:
                connection.sendall(b"x")
                time.sleep(0.02)
        assert time.monotonic() - began < 2


def test_second_head_on_a_connection_has_a_deadline(quick: cx.Listener) -> None:
    """From the response to the first."""
    parts = urlsplit(quick.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        for _ in range(3):
            connection.request("POST", parts.path, body_of())
            with connection.getresponse() as response:
                assert (200, b"") == (response.status, response.read())
            time.sleep(0.15)
        assert connection.sock is not None
        connection.sock.sendall(PARTS[-1])
        assert is_closed(connection.sock, 2)


def test_body_and_handler_may_take_longer_than_the_head(quick: cx.Listener) -> None:
    """They have limits of their own."""
    quick.answer.seconds = 0.5
    with connect(quick) as connection:
        parts = urlsplit(quick.url)
        connection.sendall(
            f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 2\r\n\r\n{{".encode()
        )
        time.sleep(0.5)
        connection.sendall(b"}")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_endless_body_after_the_response_is_cut_off(quick: cx.Listener) -> None:
    """It is not stored: the request was refused."""
    with connect(quick) as connection:
        connection.sendall(b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n")
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 3:
                connection.sendall(b"x" * 1000)
                time.sleep(0.01)
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("part", PARTS)
def test_silent_connections_do_not_lock_out_a_sender(part: bytes) -> None:
    """More than the listener serves at a time."""
    with cx.Listener() as listener, contextlib.ExitStack() as stack:
        for _ in range(350):
            with contextlib.suppress(ConnectionError):
                stack.enter_context(connect(listener)).sendall(part)
        began = time.monotonic()
        assert (200, True) == (send(listener.url)[0], time.monotonic() - began < 1)


def test_oldest_idle_connection_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the one with a request in progress."""
    monkeypatch.setattr(f"{LIMITS}.MAX_CONNECTIONS", 3)
    monkeypatch.setattr("cstar_explore.serving.connections.IDLE_TIME", 0.05)
    with cx.Listener() as listener, contextlib.ExitStack() as stack:
        busy = stack.enter_context(connect(listener))
        head = f"POST {urlsplit(listener.url).path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n"
        busy.sendall(head.encode())
        old, newer = (stack.enter_context(connect(listener)) for _ in range(2))
        time.sleep(0.2)
        assert 200 == send(listener.url)[0]
        assert (True, False) == (is_closed(old, 1), is_closed(newer, 0.1))
        busy.sendall(b"{}")
        assert busy.recv(100).startswith(b"HTTP/1.1 200")


# --- closing


@pytest.mark.parametrize("path", [False, True])
def test_closing_takes_less_than_50_ms(tmp_path: object, path: bool) -> None:
    """Also with connections that are idle, silent or in the middle of a body."""
    times = []
    for number in range(3):
        listener = cx.Listener(path=f"{tmp_path}/{number}.db" if path else None)
        with contextlib.ExitStack() as stack:
            send(listener.url)
            stack.enter_context(connect(listener))
            stack.enter_context(connect(listener)).sendall(PARTS[-1])
            head = f"POST {urlsplit(listener.url).path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{{"
            stack.enter_context(connect(listener)).sendall(head.encode())
            time.sleep(0.05)
            began = time.monotonic()
            listener.close()
            times.append(time.monotonic() - began)
    assert min(times) < 0.05


def test_request_in_progress_is_answered_before_the_server_stops() -> None:
    """Requests get a second."""
    statuses: list[int] = []
    listener = cx.Listener()
    listener.answer.seconds = 0.3
    sender = threading.Thread(target=lambda: statuses.append(send(listener.url)[0]))
    sender.start()
    assert any(listener.requests() or threading.Event().wait(0.01) for _ in range(200))
    listener.close()
    sender.join(5)
    assert [200] == statuses
