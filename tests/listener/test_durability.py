"""Nothing that was accepted is lost: not in a flood, and not when the process is killed."""

import contextlib
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

CONNECTIONS = 50
EACH = 200
LISTENING = """
import sys
import cstar_explore as cx
listener = cx.Listener(path=sys.argv[1])
print(listener.url, flush=True)
sys.stdin.read()
"""


def body_of(sender: int, number: int) -> bytes:
    """Bytes of its own for each post, of any length and any value."""
    chance = random.Random(f"{sender} {number}")
    return b"%d %d " % (sender, number) + chance.randbytes(chance.randrange(600))


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Sender(threading.Thread):
    """Posts over one kept-alive connection, and remembers what was answered with 2xx."""

    def __init__(self, url: str, sender: int, count: int, some: threading.Event | None = None) -> None:
        super().__init__(name=f"sender {sender}", daemon=True)
        self.parts = urlsplit(url)
        self.sender = sender
        self.count = count
        self.accepted: list[str] = []
        self.statuses: Counter[int] = Counter()
        self.connections = 0
        self._some = some

    def run(self) -> None:
        connection = http.client.HTTPConnection(str(self.parts.hostname), self.parts.port, timeout=15)
        with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
            for number in range(self.count):
                body = body_of(self.sender, number)
                if connection.sock is None:
                    self.connections += 1
                connection.request("POST", self.parts.path, body)
                with connection.getresponse() as answer:
                    answer.read()
                self.statuses[answer.status] += 1
                if 200 <= answer.status < 300:
                    self.accepted.append(digest(body))
                if self._some is not None and len(self.accepted) > 3:
                    self._some.set()


def all_of(senders: list[Sender], patience: float) -> None:
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(patience)
    assert [] == [sender.name for sender in senders if sender.is_alive()]


def test_ten_thousand_posts_from_fifty_connections_are_all_kept(tmp_path: Path) -> None:
    """Each is answered with 200, over the connection it began with, and is there byte by byte."""
    with cx.Listener(path=tmp_path / "listener.sqlite") as listener:
        senders = [Sender(listener.url, number, EACH) for number in range(CONNECTIONS)]
        all_of(senders, patience=30)
        kept = [digest(request.body) for request in listener.requests()]

    assert {200: CONNECTIONS * EACH} == sum((sender.statuses for sender in senders), Counter())
    assert [1] * CONNECTIONS == [sender.connections for sender in senders]
    assert CONNECTIONS * EACH == len(kept)
    assert Counter(one for sender in senders for one in sender.accepted) == Counter(kept)


def test_the_posts_of_each_connection_are_kept_in_their_order() -> None:
    """What was answered first has the smaller number."""
    with cx.Listener() as listener:
        senders = [Sender(listener.url, number, 20) for number in range(10)]
        all_of(senders, patience=10)
        kept = [digest(request.body) for request in listener.requests()]
    assert [sender.accepted for sender in senders] == [
        [one for one in kept if one in set(sender.accepted)] for sender in senders
    ]


def test_a_flood_beyond_the_limit_loses_nothing_that_was_accepted() -> None:
    """Some are refused with 503; what was answered with 200 is there, and nothing else is."""
    with cx.Listener(max_connections=5) as listener:
        senders = [Sender(listener.url, number, 20) for number in range(40)]
        all_of(senders, patience=15)
        kept = Counter(digest(request.body) for request in listener.requests())
    assert {200, 503} >= set(sum((sender.statuses for sender in senders), Counter()))
    assert Counter(one for sender in senders for one in sender.accepted) == kept


@pytest.mark.parametrize("seed", range(4))
def test_a_killed_listener_has_kept_all_that_it_answered(tmp_path: Path, seed: int) -> None:
    """SIGKILL at a random moment; what had been answered with 2xx is in the file, byte by byte, and once."""
    path = tmp_path / "listener.sqlite"
    some = threading.Event()
    process = subprocess.Popen(
        [sys.executable, "-c", LISTENING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        senders = [Sender(url, number, 2000, some) for number in range(10)]
        for sender in senders:
            sender.start()
        assert some.wait(10)
        threading.Event().wait(random.Random(seed).uniform(0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        for sender in senders:
            sender.join(15)
    finally:
        process.kill()
        process.communicate()

    assert [] == [sender.name for sender in senders if sender.is_alive()]
    assert any(sender.statuses.total() < 2000 for sender in senders)
    accepted = Counter(one for sender in senders for one in sender.accepted)
    sent = {digest(body_of(sender.sender, number)) for sender in senders for number in range(2000)}
    with cx.Listener(path=path) as listener:
        kept = Counter(digest(request.body) for request in listener.requests())
        frame = listener.to_frame()
    assert Counter() == accepted - kept
    assert ({1}, True) == (set(kept.values()), set(kept) <= sent)
    assert (kept.total(), True) == (len(frame), frame["id"].is_monotonic_increasing)


def test_a_killed_listener_is_opened_again_and_goes_on(tmp_path: Path) -> None:
    """With the next number, and as often as it takes."""
    path = tmp_path / "listener.sqlite"
    bodies = []
    for turn in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", LISTENING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            sender = Sender(process.stdout.readline().strip(), turn, 3)
            sender.run()
            process.kill()
        assert 3 == len(sender.accepted)
        bodies += [body_of(turn, number) for number in range(3)]

    with cx.Listener(path=path) as listener:
        assert bodies == [request.body for request in listener.requests()]
        assert list(range(1, 10)) == [request.id for request in listener.requests()]
