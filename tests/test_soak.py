"""A listener for a quarter of a minute among good senders and bad ones, all at the same time.

The listener is a process of its own, so that its memory and its file descriptors are nobody else's.
"""

import contextlib
import hashlib
import http.client
import itertools
import json
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import cstar_explore as cx

SECRET = "whsec_kept_by_the_tests"
WARM_UP = 5.0
SOAK = 10.0
MAX_BODY = 100_000
GOOD_SENDERS = 3
MORE_MEMORY = 12_000_000
"""Bytes that the process may have grown by in the soak; a connection that is not forgotten is 50 kB, of which there are
thousands, and a body that is kept in memory up to 100 kB."""

LISTENING = f"""
import logging, sys
import cstar_explore as cx
from cstar_explore.listener import listener as limits
logging.disable(logging.CRITICAL)
limits.MAX_BODY, limits.BODY_TIMEOUT = {MAX_BODY}, 0.3
with cx.Listener([{SECRET!r}], path=sys.argv[1]) as listener:
    print(listener.url, flush=True)
    sys.stdin.read()
"""


class Process:
    """A listener that keeps what arrives in a file."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LISTENING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.parts = urlsplit(self._process.stdout.readline().strip())
        self._own = Path(f"/proc/{self._process.pid}")

    @property
    def memory(self) -> int:
        (line,) = [line for line in (self._own / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024

    @property
    def open_files(self) -> int:
        return len(list((self._own / "fd").iterdir()))

    @property
    def threads(self) -> int:
        return len(list((self._own / "task").iterdir()))

    def connected(self) -> socket.socket:
        return socket.create_connection((str(self.parts.hostname), self.parts.port or 0), timeout=3)

    def head(self, *lines: bytes, length: int | None = None) -> bytes:
        first = [b"POST " + self.parts.path.encode() + b" HTTP/1.1", b"Host: " + self.parts.netloc.encode()]
        size = [] if length is None else [b"Content-Length: %d" % length]
        return b"\r\n".join([*first, *size, *lines]) + b"\r\n\r\n"

    def signed(self, body: bytes) -> bytes:
        return self.head(b"X-Signature: " + cx.sign(body, SECRET).encode(), length=len(body)) + body

    def ended(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            return self._process.wait(10)
        finally:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()


Numbers = Iterator[int]


def body_of(number: int, source: random.Random) -> bytes:
    """One of its kind, of any size."""
    event = {"id": f"evt_{number}", "type": "ticket.created", "data": {"text": "ü" * source.randrange(4000)}}
    return json.dumps(event, ensure_ascii=bool(number % 2)).encode()


def answers(connection: socket.socket) -> list[int]:
    """The statuses of all that comes until the other side hangs up or falls silent."""
    content = b""
    with contextlib.suppress(OSError):
        while more := connection.recv(65536):
            content += more
    return [int(part[:3]) for part in content.split(b"HTTP/1.1 ")[1:]]


# --- the bad senders: each opens a connection, misbehaves, and returns the bodies that it was promised are kept -------


def slow_head(listener: Process, source: random.Random, _: Numbers) -> list[bytes]:
    with listener.connected() as connection:
        for byte in listener.head(length=5)[: source.randrange(5, 30)]:
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
    return []


def slow_body(listener: Process, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(length=1000))
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.01)
        assert [] == [status for status in answers(connection) if status < 400]
    return []


def oversized(listener: Process, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(length=50_000_000))
        for _ in range(100):
            connection.sendall(b"x" * 100_000)
    return []


def endless(listener: Process, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(b"Transfer-Encoding: chunked"))
        for _ in range(1000):
            connection.sendall(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")
    return []


def half_open(listener: Process, source: random.Random, __: Numbers) -> list[bytes]:
    kept = [listener.connected() for _ in range(10)]
    for connection in kept[::2]:
        connection.sendall(listener.head(length=10)[: source.randrange(200)])
    time.sleep(0.2)
    for connection in kept:
        if source.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return []


def pipelined(listener: Process, source: random.Random, numbers: Numbers) -> list[bytes]:
    bodies = [body_of(next(numbers), source) for _ in range(8)]
    with listener.connected() as connection:
        connection.sendall(b"".join(listener.signed(body) for body in bodies))
        connection.shutdown(socket.SHUT_WR)
        told = answers(connection)
    return [body for body, status in zip(bodies, told, strict=False) if status == 200]


def bad_chunks(listener: Process, source: random.Random, _: Numbers) -> list[bytes]:
    wrong = [
        b"zz\r\nx\r\n",
        b"-1\r\n",
        b"5\r\nxx",
        b"f" * 40 + b"\r\n",
        b"1;" + b"a" * 9000 + b"\r\nx\r\n",
        b"5\nxxxxx\n0\n\n",
    ]
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(b"Transfer-Encoding: chunked") + source.choice(wrong))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in answers(connection) if status < 400]
    return []


def garbage(listener: Process, source: random.Random, _: Numbers) -> list[bytes]:
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(source.randbytes(source.randrange(1, 20_000)))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in answers(connection) if status < 400]
    return []


def huge_headers(listener: Process, source: random.Random, _: Numbers) -> list[bytes]:
    lines = [b"X-Many-%d: %s" % (number, b"x" * 100) for number in range(2000)]
    with listener.connected() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(*source.choice([lines, [b"X-Long: " + b"x" * 1_000_000]]), length=0))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in answers(connection) if status < 400]
    return []


def leaves(listener: Process, source: random.Random, numbers: Numbers) -> list[bytes]:
    content = listener.signed(body_of(next(numbers), source))
    for end in (0, 10, len(content) - 1, len(content)):
        with listener.connected() as connection, contextlib.suppress(OSError):
            connection.sendall(content[:end])
            if source.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return []


def forged(listener: Process, source: random.Random, numbers: Numbers) -> list[bytes]:
    body = body_of(next(numbers), source)
    with listener.connected() as connection:
        connection.sendall(listener.head(b"Connection: close", b"X-Signature: t=1,v1=00", length=len(body)) + body)
        assert [401] == answers(connection)
    return []


BAD = (
    slow_head,
    slow_body,
    oversized,
    endless,
    half_open,
    pipelined,
    bad_chunks,
    garbage,
    huge_headers,
    leaves,
    forged,
)


class Crowd:
    """All senders at once, each on a thread, until the time is over."""

    def __init__(self, listener: Process, seconds: float, first: int) -> None:
        self.listener = listener
        self.statuses: Counter[int] = Counter()
        self.promised: list[str] = []
        self.visits: Counter[str] = Counter()
        self.failures: list[str] = []
        self._end = time.monotonic() + seconds
        self._numbers = itertools.count(first)
        self._lock = threading.Lock()
        senders = [threading.Thread(target=self._good, args=(number,)) for number in range(GOOD_SENDERS)]
        senders += [threading.Thread(target=self._bad, args=(visit,)) for visit in BAD]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    def _promise(self, bodies: list[bytes]) -> None:
        with self._lock:
            self.promised += [hashlib.sha256(body).hexdigest() for body in bodies]

    def _good(self, seed: int) -> None:
        source = random.Random(seed)
        parts = self.listener.parts
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        try:
            while time.monotonic() < self._end:
                body = body_of(next(self._numbers), source)
                connection.request("POST", parts.path, body, {"X-Signature": cx.sign(body, SECRET)})
                answer = connection.getresponse()
                answer.read()
                self.statuses[answer.status] += 1
                self._promise([body])
                time.sleep(0.01)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"a good one was not served: {error!r}")
        finally:
            connection.close()

    def _bad(self, visit: Callable[[Process, random.Random, Numbers], list[bytes]]) -> None:
        source = random.Random(visit.__name__)
        try:
            while time.monotonic() < self._end:
                self._promise(visit(self.listener, source, self._numbers))
                self.visits[visit.__name__] += 1
                time.sleep(0.02)
        except (OSError, AssertionError) as error:
            self.failures.append(f"{visit.__name__}: {error!r}")


def settled(listener: Process, files: int) -> int:
    """The number of open files, once it is no more than this; or as it is after a while."""
    patience = time.monotonic() + 5
    while (now := listener.open_files) > files and time.monotonic() < patience:
        time.sleep(0.05)
    return now


def test_among_hostile_senders_the_good_ones_are_served_and_nothing_leaks(tmp_path: Path) -> None:
    """All good deliveries are answered 200 and are in the file, to the byte; memory, threads and files stay as they were."""
    path = tmp_path / "deliveries.db"
    listener = Process(path)
    try:
        before = Crowd(listener, 0.3, 0)
        files = listener.open_files
        warm = Crowd(listener, WARM_UP, 1_000_000)
        memory, threads = listener.memory, listener.threads
        soak = Crowd(listener, SOAK, 2_000_000)
        grown, files_after = listener.memory - memory, settled(listener, files)
        more_threads = listener.threads - threads
    finally:
        code = listener.ended()
    crowds = (before, warm, soak)
    visits = sum((crowd.visits for crowd in crowds), Counter())
    print(dict(visits), dict(soak.statuses), f"{grown / 1e6:.1f} MB more", f"{files} -> {files_after} files")  # noqa: T201

    assert [] == [failure for crowd in crowds for failure in crowd.failures]
    assert {visit.__name__ for visit in BAD} == set(visits)
    assert [200] == [status for status in soak.statuses if soak.statuses[status]]
    assert soak.statuses[200] > 100
    with cx.Listener(path=path) as again:
        kept = Counter(
            hashlib.sha256(request.body).hexdigest() for request in again.requests() if request.answered == 200
        )
        verified = again.to_frame()["verified"]
    promised = Counter(itertools.chain.from_iterable(crowd.promised for crowd in crowds))
    assert Counter() == promised - kept
    assert len(kept) == kept.total()
    assert sum(promised.values()) <= int(verified.sum())
    assert grown < MORE_MEMORY
    assert files_after <= files
    assert more_threads <= 0
    assert 0 == code
