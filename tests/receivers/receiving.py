"""What all receivers share: verification with the standard library only, and the log of the events acted on."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

PATH = "/hook"
TOLERANCE = 300


@dataclass
class Work:
    """What a receiver works with. The secret is set once the webhook exists."""

    secret: bytes = b""
    acted: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def act(self, event: dict[str, Any]) -> None:
        """Acts on an event, once."""
        with self._lock:
            if event["id"] not in self._known:
                self._known.add(event["id"])
                self.acted.append(event["id"])

    def act_each_time(self, event: dict[str, Any]) -> None:
        """Acts on an event as often as it arrives."""
        with self._lock:
            self.acted.append(event["id"])

    def digest(self, time_text: str, body: bytes) -> str:
        return hmac.new(self.secret, time_text.encode() + b"." + body, hashlib.sha256).hexdigest()

    def legacy_header(self, body: bytes) -> str:
        return "sha256=" + hmac.new(self.secret, body, hashlib.sha256).hexdigest()

    def matches(self, body: bytes, header: str | None) -> bool:
        """Whether one of the signatures is right, at whatever time."""
        time_text, signatures = parts(header)
        return any(same(self.digest(time_text, body), each) for each in signatures)

    def verifies(self, body: bytes, header: str | None) -> bool:
        return is_fresh(parts(header)[0]) and self.matches(body, header)

    def take(self, body: bytes, header: str | None) -> int:
        """What a correct receiver does with the bytes it is given here."""
        if not self.verifies(body, header):
            return 401
        event = event_in(body)
        if event is None:
            return 400
        self.act(event)
        return 200


Running = Callable[[Work], AbstractContextManager[str]]
"""Serves a receiver, and yields its URL."""


def parts(header: str | None) -> tuple[str, list[str]]:
    """The time and the signatures in a header."""
    pairs = [part.strip().partition("=") for part in (header or "").split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    return times[0] if times else "", [value for name, _, value in pairs if name == "v1"]


def is_fresh(time_text: str) -> bool:
    return time_text.isascii() and time_text.isdigit() and abs(time.time() - int(time_text[:15])) <= TOLERANCE


def same(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode(), second.encode())


def event_in(body: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("id"), str) else None


@contextmanager
def in_thread(run: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """Runs a server in a thread for the time of the block."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(timeout=5)
