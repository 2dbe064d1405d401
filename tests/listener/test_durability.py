"""No accepted request is lost, in a flood or when the process is killed."""

import contextlib
import functools
import hashlib
import http.client
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from tests.support.sampling import NIGHTLY, sample

CONNECTIONS = 50
REQUESTS = 200 if NIGHTLY else 40  # per connection
UNTIL_KILLED = 2000 if NIGHTLY else 600  # requests per connection: more than are sent before the listener is killed
SCRIPT = """
import sys
import cstar_explore as cx
listener = cx.Listener(path=sys.argv[1])
print(listener.url, flush=True)
sys.stdin.read()
"""


def body_of(sender: int, number: int) -> bytes:
    """A different body for each request, of random length and content."""
    chance = random.Random(f"{sender} {number}")
    return b"%d %d " % (sender, number) + chance.randbytes(chance.randrange(600))


@functools.cache
def digests_of(senders: int, count: int) -> frozenset[str]:
    """Those of all bodies that these senders would send."""
    return frozenset(digest(body_of(sender, number)) for sender in range(senders) for number in range(count))


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Sender(threading.Thread):
    """Posts over one keep-alive connection, and records the bodies that were answered 2xx."""

    def __init__(self, url: str, sender: int, count: int, some_accepted: threading.Event | None = None) -> None:
        super().__init__(name=f"sender {sender}", daemon=True)
        self.parts = urlsplit(url)
        self.sender = sender
        self.count = count
        self.accepted: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.connections = 0
        self._some_accepted = some_accepted

    def run(self) -> None:
        connection = http.client.HTTPConnection(str(self.parts.hostname), self.parts.port, timeout=15)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            for number in range(self.count):
                body = body_of(self.sender, number)
                if connection.sock is None:
                    self.connections += 1
                connection.request("POST", self.parts.path, body)
                with connection.getresponse() as response:
                    response.read()
                self.statuses[response.status] += 1
                if 200 <= response.status < 300:
                    self.accepted.append(digest(body))
                if self._some_accepted is not None and len(self.accepted) > 3:
                    self._some_accepted.set()


def run_all(senders: list[Sender], timeout: float) -> None:
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(timeout)
    assert [] == [sender.name for sender in senders if sender.is_alive()]


def test_thousands_of_requests_over_fifty_connections_are_stored(tmp_path: Path) -> None:
    """Each is answered 200 over its first connection and stored byte for byte: 2,000, and 10,000 at night."""
    with cx.Listener(path=tmp_path / "listener.sqlite") as listener:
        senders = [Sender(listener.url, number, REQUESTS) for number in range(CONNECTIONS)]
        run_all(senders, timeout=30)
        stored = [digest(request.body) for request in listener.requests()]

    assert {200: CONNECTIONS * REQUESTS} == sum((sender.statuses for sender in senders), Counter())
    assert [1] * CONNECTIONS == [sender.connections for sender in senders]
    assert CONNECTIONS * REQUESTS == len(stored)
    assert Counter(body for sender in senders for body in sender.accepted) == Counter(stored)


def test_requests_of_a_connection_are_stored_in_order() -> None:
    """Ids follow the order of the responses."""
    with cx.Listener() as listener:
        senders = [Sender(listener.url, number, 20) for number in range(10)]
        run_all(senders, timeout=10)
        stored = [digest(request.body) for request in listener.requests()]
    assert [sender.accepted for sender in senders] == [
        [body for body in stored if body in set(sender.accepted)] for sender in senders
    ]


def test_flood_beyond_the_limit_loses_no_accepted_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some are answered 503. Exactly those answered 200 are stored."""
    monkeypatch.setattr("cstar_explore.listener.listener.MAX_CONNECTIONS", 5)
    with cx.Listener() as listener:
        senders = [Sender(listener.url, number, 20) for number in range(40)]
        run_all(senders, timeout=15)
        stored = Counter(digest(request.body) for request in listener.requests())
    assert {200, 503} >= set(sum((sender.statuses for sender in senders), Counter()))
    assert Counter(body for sender in senders for body in sender.accepted) == stored


@pytest.mark.parametrize("seed", sample(range(4), 2, name="killed listener"))
def test_killed_listener_has_stored_every_accepted_request(tmp_path: Path, seed: int) -> None:
    """After SIGKILL at a random moment, each body answered 2xx is in the file once, byte for byte."""
    path = tmp_path / "listener.sqlite"
    some_accepted = threading.Event()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        senders = [Sender(url, number, UNTIL_KILLED, some_accepted) for number in range(10)]
        for sender in senders:
            sender.start()
        assert some_accepted.wait(10)
        threading.Event().wait(random.Random(seed).uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        for sender in senders:
            sender.join(15)
    finally:
        process.kill()
        process.communicate()

    assert [] == [sender.name for sender in senders if sender.is_alive()]
    assert any(sender.statuses.total() < UNTIL_KILLED for sender in senders)
    accepted = Counter(body for sender in senders for body in sender.accepted)
    with cx.Listener(path=path) as listener:
        stored = Counter(digest(request.body) for request in listener.requests())
        frame = listener.to_frame()
    assert Counter() == accepted - stored
    assert ({1}, True) == (set(stored.values()), set(stored) <= digests_of(len(senders), UNTIL_KILLED))
    assert (stored.total(), True) == (len(frame), frame["id"].is_monotonic_increasing)


def test_killed_listener_can_be_reopened(tmp_path: Path) -> None:
    """Repeatedly, and ids continue."""
    path = tmp_path / "listener.sqlite"
    bodies = []
    for run in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            sender = Sender(process.stdout.readline().strip(), run, 3)
            sender.run()
            process.kill()
        assert 3 == len(sender.accepted)
        bodies += [body_of(run, number) for number in range(3)]

    with cx.Listener(path=path) as listener:
        assert bodies == [request.body for request in listener.requests()]
        assert list(range(1, 7)) == [request.id for request in listener.requests()]
