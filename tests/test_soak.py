"""A listener under concurrent load from valid and hostile senders, for 7 seconds, and at night for 15.

It runs in its own process, so that its memory and file descriptors can be measured.
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
from tests.support.sampling import NIGHTLY

SECRET = "whsec_of_the_soak_test"
WARM_UP = 5.0 if NIGHTLY else 3.0
SOAK = 10.0 if NIGHTLY else 4.0
MAX_BODY = 100_000
VALID_SENDERS = 3
ALLOWED_GROWTH = round(1_200_000 * SOAK)
"""Bytes by which the process may grow during the soak. A leaked connection takes 50 kB, a leaked body up to 100 kB, and each second
brings some 400 connections, of which 15 have an oversized and 15 an endless body."""

LISTENER_SCRIPT = f"""
import logging, sys
import cstar_explore as cx
from cstar_explore.serving import bodies, connections
logging.disable(logging.CRITICAL)
bodies.MAX_BODY, bodies.BODY_TIMEOUT, connections.HEAD_TIMEOUT = {MAX_BODY}, 0.3, 0.5
with cx.Listener([{SECRET!r}], path=sys.argv[1]) as listener:
    print(listener.url, flush=True)
    sys.stdin.read()
"""


class ListenerProcess:
    """A listener that stores its requests in a file."""

    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LISTENER_SCRIPT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.parts = urlsplit(self._process.stdout.readline().strip())
        self._proc = Path(f"/proc/{self._process.pid}")

    @property
    def memory(self) -> int:
        (line,) = [line for line in (self._proc / "status").read_text().splitlines() if line.startswith("VmRSS")]
        return int(line.split()[1]) * 1024

    @property
    def open_files(self) -> int:
        return len(list((self._proc / "fd").iterdir()))

    @property
    def threads(self) -> int:
        return len(list((self._proc / "task").iterdir()))

    def connect(self) -> socket.socket:
        return socket.create_connection((str(self.parts.hostname), self.parts.port or 0), timeout=3)

    def head(self, *lines: bytes, length: int | None = None) -> bytes:
        first = [b"POST " + self.parts.path.encode() + b" HTTP/1.1", b"Host: " + self.parts.netloc.encode()]
        size = [] if length is None else [b"Content-Length: %d" % length]
        return b"\r\n".join([*first, *size, *lines]) + b"\r\n\r\n"

    def signed(self, body: bytes) -> bytes:
        return self.head(b"X-Signature: " + cx.sign(body, SECRET).encode(), length=len(body)) + body

    def stop(self) -> int:
        """The exit code."""
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
    """A unique event of random size."""
    event = {"id": f"evt_{number}", "type": "ticket.created", "data": {"text": "ü" * source.randrange(4000)}}
    return json.dumps(event, ensure_ascii=bool(number % 2)).encode()


def statuses(connection: socket.socket) -> list[int]:
    """The statuses of all responses, until the listener closes the connection or a read times out."""
    content = b""
    with contextlib.suppress(OSError):
        while more := connection.recv(65536):
            content += more
    return [int(part[:3]) for part in content.split(b"HTTP/1.1 ")[1:]]


# --- hostile senders: each misbehaves on a connection and returns the bodies that the listener accepted ---------------


def slow_head(listener: ListenerProcess, source: random.Random, _: Numbers) -> list[bytes]:
    with listener.connect() as connection:
        for byte in listener.head(length=5)[: source.randrange(5, 30)]:
            connection.sendall(bytes([byte]))
            time.sleep(0.01)
    return []


def silent(listener: ListenerProcess, source: random.Random, _: Numbers) -> list[bytes]:
    """Connections that send nothing, or not a whole head. The listener ends each of them."""
    connections = [listener.connect() for _ in range(40)]
    try:
        for connection in connections[::2]:
            with contextlib.suppress(OSError):
                connection.sendall(listener.head(length=10)[: source.randrange(40)])
        for connection in connections[::5]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
        for connection in connections:
            try:
                while connection.recv(65536):
                    pass
            except TimeoutError as error:
                raise AssertionError("a silent connection stays open") from error
            except OSError:
                continue
    finally:
        for connection in connections:
            connection.close()
    return []


def slow_body(listener: ListenerProcess, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(length=1000))
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.01)
        assert [] == [status for status in statuses(connection) if status < 400]
    return []


def oversized(listener: ListenerProcess, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(length=50_000_000))
        for _ in range(100):
            connection.sendall(b"x" * 100_000)
    return []


def endless(listener: ListenerProcess, _: random.Random, __: Numbers) -> list[bytes]:
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(b"Transfer-Encoding: chunked"))
        for _ in range(1000):
            connection.sendall(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")
    return []


def half_open(listener: ListenerProcess, source: random.Random, __: Numbers) -> list[bytes]:
    connections = [listener.connect() for _ in range(10)]
    for connection in connections[::2]:
        connection.sendall(listener.head(length=10)[: source.randrange(200)])
    time.sleep(0.2)
    for connection in connections:
        if source.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return []


def pipelined(listener: ListenerProcess, source: random.Random, numbers: Numbers) -> list[bytes]:
    bodies = [body_of(next(numbers), source) for _ in range(8)]
    with listener.connect() as connection:
        connection.sendall(b"".join(listener.signed(body) for body in bodies))
        connection.shutdown(socket.SHUT_WR)
        received = statuses(connection)
    return [body for body, status in zip(bodies, received, strict=False) if status == 200]


def bad_chunks(listener: ListenerProcess, source: random.Random, _: Numbers) -> list[bytes]:
    chunks = [
        b"zz\r\nx\r\n",
        b"-1\r\n",
        b"5\r\nxx",
        b"f" * 40 + b"\r\n",
        b"1;" + b"a" * 9000 + b"\r\nx\r\n",
        b"5\nxxxxx\n0\n\n",
    ]
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(b"Transfer-Encoding: chunked") + source.choice(chunks))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in statuses(connection) if status < 400]
    return []


def garbage(listener: ListenerProcess, source: random.Random, _: Numbers) -> list[bytes]:
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(source.randbytes(source.randrange(1, 20_000)))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in statuses(connection) if status < 400]
    return []


def huge_headers(listener: ListenerProcess, source: random.Random, _: Numbers) -> list[bytes]:
    lines = [b"X-Many-%d: %s" % (number, b"x" * 100) for number in range(2000)]
    with listener.connect() as connection, contextlib.suppress(OSError):
        connection.sendall(listener.head(*source.choice([lines, [b"X-Long: " + b"x" * 1_000_000]]), length=0))
        connection.shutdown(socket.SHUT_WR)
        assert [] == [status for status in statuses(connection) if status < 400]
    return []


def disconnecting(listener: ListenerProcess, source: random.Random, numbers: Numbers) -> list[bytes]:
    content = listener.signed(body_of(next(numbers), source))
    for end in (0, 10, len(content) - 1, len(content)):
        with listener.connect() as connection, contextlib.suppress(OSError):
            connection.sendall(content[:end])
            if source.random() < 0.5:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return []


def forged(listener: ListenerProcess, source: random.Random, numbers: Numbers) -> list[bytes]:
    body = body_of(next(numbers), source)
    with listener.connect() as connection:
        connection.sendall(listener.head(b"Connection: close", b"X-Signature: t=1,v1=00", length=len(body)) + body)
        assert [401] == statuses(connection)
    return []


HOSTILE = (
    slow_head,
    silent,
    slow_body,
    oversized,
    endless,
    half_open,
    pipelined,
    bad_chunks,
    garbage,
    huge_headers,
    disconnecting,
    forged,
)


class Load:
    """Runs all senders concurrently, each on a thread, for some seconds."""

    def __init__(self, listener: ListenerProcess, seconds: float, first: int) -> None:
        self.listener = listener
        self.statuses: Counter[int] = Counter()
        self.accepted: list[str] = []
        self.runs: Counter[str] = Counter()
        self.failures: list[str] = []
        self._end = time.monotonic() + seconds
        self._numbers = itertools.count(first)
        self._lock = threading.Lock()
        senders = [threading.Thread(target=self._send_valid, args=(seed,)) for seed in range(VALID_SENDERS)]
        senders += [threading.Thread(target=self._send_hostile, args=(sender,)) for sender in HOSTILE]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    def _record_accepted(self, bodies: list[bytes]) -> None:
        with self._lock:
            self.accepted += [hashlib.sha256(body).hexdigest() for body in bodies]

    def _send_valid(self, seed: int) -> None:
        source = random.Random(seed)
        parts = self.listener.parts
        connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        try:
            while time.monotonic() < self._end:
                body = body_of(next(self._numbers), source)
                connection.request("POST", parts.path, body, {"X-Signature": cx.sign(body, SECRET)})
                response = connection.getresponse()
                response.read()
                self.statuses[response.status] += 1
                self._record_accepted([body])
                time.sleep(0.01)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"a valid delivery failed: {error!r}")
        finally:
            connection.close()

    def _send_hostile(self, sender: Callable[[ListenerProcess, random.Random, Numbers], list[bytes]]) -> None:
        source = random.Random(sender.__name__)
        try:
            while time.monotonic() < self._end:
                self._record_accepted(sender(self.listener, source, self._numbers))
                self.runs[sender.__name__] += 1
                time.sleep(0.02)
        except (OSError, AssertionError) as error:
            self.failures.append(f"{sender.__name__}: {error!r}")


def open_files_when_idle(listener: ListenerProcess, expected: int) -> int:
    """The number of open files, after waiting up to 5 seconds for it to fall to the expected one."""
    deadline = time.monotonic() + 5
    while (open_files := listener.open_files) > expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return open_files


def test_hostile_senders_do_not_disturb_valid_ones_and_nothing_leaks(tmp_path: Path) -> None:
    """All valid deliveries are answered with 200 and stored byte for byte. Memory, threads and open files do not grow."""
    path = tmp_path / "deliveries.db"
    listener = ListenerProcess(path)
    try:
        first = Load(listener, 0.3, 0)
        files = listener.open_files
        warm = Load(listener, WARM_UP, 1_000_000)
        memory, threads = listener.memory, listener.threads
        soak = Load(listener, SOAK, 2_000_000)
        growth, files_after = listener.memory - memory, open_files_when_idle(listener, files)
        more_threads = listener.threads - threads
    finally:
        exit_code = listener.stop()
    loads = (first, warm, soak)
    runs = sum((load.runs for load in loads), Counter())
    print(dict(runs), dict(soak.statuses), f"{growth / 1e6:.1f} MB more", f"{files} -> {files_after} files")  # noqa: T201

    assert [] == [failure for load in loads for failure in load.failures]
    assert {sender.__name__ for sender in HOSTILE} == set(runs)
    assert [200] == [status for status in soak.statuses if soak.statuses[status]]
    assert soak.statuses[200] > 100
    with cx.Listener(path=path) as reopened:
        stored = Counter(
            hashlib.sha256(request.body).hexdigest() for request in reopened.requests() if request.answered == 200
        )
        verified = reopened.to_frame()["verified"]
    accepted = Counter(itertools.chain.from_iterable(load.accepted for load in loads))
    assert Counter() == accepted - stored
    assert len(stored) == stored.total()
    assert sum(accepted.values()) <= int(verified.sum())
    assert growth < ALLOWED_GROWTH
    assert files_after <= files
    assert more_threads <= 0
    assert 0 == exit_code
