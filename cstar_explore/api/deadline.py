"""Watches what a call reads from its connection: that it ends in time, and that nothing is left over for the next call.

httpx's timeouts are for each read, and a server that sends a byte now and then keeps a call for ever, in its headers too.
And what a server sends behind a whole answer would be taken for the answer to the next request on that connection.
"""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import httpx

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEAD = 2**17  # h11 reads no longer one


class Traffic:
    """What one call has read.

    Attributes:
        arrived: Bytes since its request began to go out.
    """

    def __init__(self, seconds: float) -> None:
        self.arrived = 0
        self._deadline = time.monotonic() + seconds
        self._stream: Any = None
        self._beginning = bytearray()
        self._end = b""

    def read(self, stream: Any, most: int, timeout: float | None) -> bytes:
        """Reads from the connection, until the deadline at most."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpx.ReadTimeout("The deadline has passed.")
        data: bytes = stream.read(most, left if timeout is None else min(left, timeout))
        self.arrived += len(data)
        self._beginning += data[: _LONGEST_HEAD - len(self._beginning)]
        self._end = (self._end + data)[-5:]
        return data

    def write(self, stream: Any, data: bytes, timeout: float | None) -> None:
        """Writes to the connection, and remembers which one it is."""
        self._stream = stream
        stream.write(data, timeout)

    def ended_with(self, status: int, headers: Mapping[str, str]) -> bool:
        """Whether all that arrived belonged to the answer with these headers."""
        if "chunked" in headers.get("transfer-encoding", ""):
            return self._end == b"0\r\n\r\n"
        bodiless = status in (204, 304)
        length = "0" if bodiless else headers.get("content-length")
        if length is None:
            return True  # it ended with the connection
        return self.arrived == self._head() + int(length)

    def drop(self) -> None:
        """Closes the connection; httpx finds it closed, and makes another."""
        if self._stream is not None:
            self._stream.close()

    def _head(self) -> int:
        """How many bytes the headers took, with those of interim answers before them."""
        begin = 0
        while (end := _END_OF_HEAD.search(self._beginning, begin)) is not None:
            interim = re.match(rb"HTTP/1\.\d 1\d\d", self._beginning[begin : begin + 12])
            begin = end.end()
            if not interim:
                return begin
        return -1


_current: ContextVar[Traffic | None] = ContextVar("_current", default=None)


@contextmanager
def reading(seconds: float) -> Iterator[Traffic]:
    """Inside of it, all that is read and written belongs to one call, which has so many seconds."""
    traffic = Traffic(seconds)
    token = _current.set(traffic)
    try:
        yield traffic
    finally:
        _current.reset(token)


def watch_new_connections(event: str, info: Mapping[str, Any]) -> None:
    """Told by httpx of all that it does (its `trace` extension): watches each connection that it makes."""
    if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
        _watch(info["return_value"])


def _watch(stream: Any) -> None:
    """Tells the reads and writes of a connection to the call that they are for."""
    plainly = SimpleNamespace(read=stream.read, write=stream.write, close=stream.close)

    def read(most: int, timeout: float | None = None) -> bytes:
        traffic = _current.get()
        data: bytes = plainly.read(most, timeout) if traffic is None else traffic.read(plainly, most, timeout)
        return data

    def write(data: bytes, timeout: float | None = None) -> None:
        traffic = _current.get()
        if traffic is None:
            plainly.write(data, timeout)
        else:
            traffic.write(plainly, data, timeout)

    stream.read, stream.write = read, write
