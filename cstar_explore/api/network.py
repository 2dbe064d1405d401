"""Sockets for httpcore (its public `NetworkBackend`): each operation ends with its attempt, and what was read is counted.

httpx's timeouts are for each single read, so a server that sends one byte now and then would keep a call for ever. And bytes
that a server sends behind a complete response would be taken for the response to the next request on that connection.
"""

import ipaddress
import re
import select
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import httpcore

from ..serving.threads import in_thread
from .deadline import Attempt

_READ = 2**16  # bytes at once
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEAD = 2**17  # bytes; h11 refuses longer ones

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Backend(httpcore.NetworkBackend):
    """Opens connections, and knows which are open.

    Attributes:
        open: The sockets that are open, so that they can be closed when a client is garbage-collected or a process forks.
    """

    def __init__(self) -> None:
        self.open: set[socket.socket] = set()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore's signature; never given
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002 - as above
    ) -> httpcore.NetworkStream:
        attempt = _attempt(timeout)
        with _errors(httpcore.ConnectTimeout, httpcore.ConnectError):
            return TcpStream(self._connected(_resolve(host, port, attempt), attempt), attempt, self.open)

    def _connected(self, addresses: Sequence[Address], attempt: Attempt) -> socket.socket:
        """A connection to the first address that answers; each gets its share of the time that is left."""
        failure: OSError = OSError("The name has no address.")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(_seconds(attempt.left() / (len(addresses) - number)))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except BaseException as error:
                connection.close()
                if not isinstance(error, OSError):
                    raise
                failure = error
            else:
                self.open.add(connection)
                return connection
        raise failure


class Stream(httpcore.NetworkStream):
    """A connection that counts what it reads, from the first byte of a request on.

    Attributes:
        received: How many bytes arrived since the request began to be written.
    """

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.received = 0
        self._writing = False
        self._beginning = bytearray()
        self._end = b""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._writing = False
        with _errors(httpcore.ReadTimeout, httpcore.ReadError):
            data = self._read(max_bytes, self._now(timeout))
        self.received += len(data)
        self._beginning += data[: _LONGEST_HEAD - len(self._beginning)]
        self._end = (self._end + data)[-5:]
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self._writing:
            self._writing, self.received, self._end = True, 0, b""
            self._beginning.clear()
        with _errors(httpcore.WriteTimeout, httpcore.WriteError):
            self._write(buffer, self._now(timeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            with _errors(httpcore.ConnectTimeout, httpcore.ConnectError):
                return TlsStream(self, ssl_context, server_hostname, self._now(timeout))
        except BaseException as error:
            self.close()
            if isinstance(error, httpcore.TimeoutException):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, httpcore.NetworkError):
                raise httpcore.ConnectError(str(error)) from error
            raise

    def ended_with(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether everything that arrived belongs to the response with these headers."""
        if self._has_more():
            return False
        if "chunked" in headers.get("transfer-encoding", ""):
            return self._end == b"0\r\n\r\n"
        length = "0" if status in (204, 304) else headers.get("content-length")
        if length is None:
            return True  # it ended with the connection
        return self.received == self._head() + int(length)

    def _head(self) -> int:
        """The length of the response's head, with those of interim responses before it; -1 if it has no end."""
        begin = 0
        while (end := _END_OF_HEAD.search(self._beginning, begin)) is not None:
            interim = re.match(rb"HTTP/1\.\d 1\d\d", self._beginning[begin : begin + 12])
            begin = end.end()
            if not interim:
                return begin
        return -1

    def _now(self, timeout: float | None) -> Attempt:
        """The attempt that this operation belongs to. httpcore's SOCKS handshake names none: it is the last one's."""
        if isinstance(timeout, Attempt):
            self._attempt = timeout
        return self._attempt

    def _read(self, most: int, attempt: Attempt) -> bytes:
        raise NotImplementedError

    def _write(self, data: bytes, attempt: Attempt) -> None:
        raise NotImplementedError

    def _has_more(self) -> bool:
        return False


class TcpStream(Stream):
    """A plain TCP connection."""

    def __init__(self, connection: socket.socket, attempt: Attempt, open_sockets: set[socket.socket]) -> None:
        super().__init__(attempt)
        self._socket = connection
        self._open = open_sockets

    def close(self) -> None:
        self._socket.close()
        self._open.discard(self._socket)

    def get_extra_info(self, info: str) -> Any:
        # httpcore asks before it uses a connection again: an idle one that is readable was closed by the server.
        return _is_readable(self._socket) if info == "is_readable" else None

    def _read(self, most: int, attempt: Attempt) -> bytes:
        self._socket.settimeout(_seconds(attempt.left()))
        return self._socket.recv(most)

    def _write(self, data: bytes, attempt: Attempt) -> None:
        self._socket.settimeout(_seconds(attempt.left()))
        self._socket.sendall(attempt.with_key(data))


class TlsStream(Stream):
    """TLS over another stream: over TCP, or over the TLS of an https proxy."""

    def __init__(self, below: Stream, context: ssl.SSLContext, name: str | None, attempt: Attempt) -> None:
        super().__init__(attempt)
        self._below = below
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._perform(self._tls.do_handshake, attempt)

    def close(self) -> None:
        self._below.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._below.get_extra_info(info)

    def _read(self, most: int, attempt: Attempt) -> bytes:
        try:
            data: bytes = self._perform(lambda: self._tls.read(most), attempt)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        return data

    def _write(self, data: bytes, attempt: Attempt) -> None:
        size, written = len(attempt.with_key(data)), 0
        while written < size:  # one record at a time
            start = written
            written += self._perform(lambda: self._tls.write(attempt.with_key(data)[start:]), attempt)  # noqa: B023 - called at once

    def _has_more(self) -> bool:
        return bool(self._tls.pending() or self._incoming.pending)

    def _perform(self, step: Callable[[], Any], attempt: Attempt) -> Any:
        """Takes a step of TLS, and moves encrypted bytes between it and the stream below until the step is done."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send(attempt)
                data = self._below.read(_READ, attempt)
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with suppress(httpcore.WriteError, httpcore.WriteTimeout):
                    self._send(attempt)  # tells the server why
                raise
            else:
                self._send(attempt)
                return result

    def _send(self, attempt: Attempt) -> None:
        if data := self._outgoing.read():
            self._below.write(data, attempt)


def _resolve(host: str, port: int, attempt: Attempt) -> Sequence[Address]:
    """The addresses of a name. The lookup cannot be interrupted, so it runs in a thread that is abandoned when time is up."""
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    with suppress(ValueError):
        ipaddress.ip_address(host)
        return look_up()  # an address is not looked up
    return in_thread(look_up).result(attempt.left())


def _attempt(timeout: float | None) -> Attempt:
    if not isinstance(timeout, Attempt):
        raise TypeError("A connection is opened for an attempt.")
    return timeout


def _seconds(left: float) -> float:
    """A timeout for a socket, for which 0 means not to wait at all."""
    if left <= 0:
        raise TimeoutError("The time limit has passed.")
    return left


def _is_readable(connection: socket.socket) -> bool:
    """Whether reading would return at once. Asks without touching the socket, as another thread may be about to use it."""
    if connection.fileno() < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([connection], [], [], 0)[0])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _errors(timeout: type[Exception], failure: type[Exception]) -> Iterator[None]:
    """Turns the errors of sockets into those that httpcore expects of a backend."""
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except (OSError, UnicodeError) as error:
        raise failure(str(error)) from error
