"""A menu of things that go wrong, for teaching and for testing one's own code. Each is one line and ends by itself.

sandbox.faults.rate_limit(retry_after=1)      # the next call is answered 429
sandbox.faults.duplicate()                    # the next delivery arrives twice
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from starlette.types import Message, Send


@dataclass
class Fault:
    """One fault that waits for its turn."""

    name: str
    left: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.name}({told}) {self.left} times"


class Faults:
    """What will go wrong next, in the order asked for: one fault for each call, one for each attempt of a delivery.

    Every method takes `times`, how often in a row (1 by default).
    """

    def __init__(self) -> None:
        self._waiting: dict[Literal["api", "delivery"], list[Fault]] = {"api": [], "delivery": []}

    # --- the API's answers

    def rate_limit(self, *, retry_after: int | None = 1, times: int = 1) -> None:
        """429, with `Retry-After` in seconds, or without it."""
        self._add("api", "rate_limit", times, retry_after=retry_after)

    def fail(self, status: int = 500, *, times: int = 1) -> None:
        """A 5xx; nothing is done."""
        if not 500 <= status < 600:
            raise ConfigurationError(f"{status} is no failure of a server.", advice="Give a status from 500 to 599.")
        self._add("api", "fail", times, status=status)

    def slow(self, seconds: float = 1.0, *, times: int = 1) -> None:
        """The answer takes this long, on the wall clock."""
        self._add("api", "slow", times, seconds=seconds)

    def html(self, *, times: int = 1) -> None:
        """A page of HTML instead of JSON, as from a proxy; nothing is done."""
        self._add("api", "html", times)

    def cut_off(self, *, times: int = 1) -> None:
        """It is done, and the answer breaks off in the middle."""
        self._add("api", "cut_off", times)

    def lose_response(self, *, times: int = 1) -> None:
        """It is done, and nothing of the answer's body arrives."""
        self._add("api", "lose_response", times)

    # --- deliveries

    def duplicate(self, *, times: int = 1) -> None:
        """The same delivery is posted twice."""
        self._add("delivery", "duplicate", times)

    def reorder(self, *, times: int = 1) -> None:
        """The delivery is held back until the next event has been delivered."""
        self._add("delivery", "reorder", times)

    def delay(self, seconds: float = 60.0, *, times: int = 1) -> None:
        """The delivery is held back for this long, on the sandbox's clock."""
        self._add("delivery", "delay", times, seconds=seconds)

    def wrong_signature(self, *, times: int = 1) -> None:
        """Signed with another secret."""
        self._add("delivery", "wrong_signature", times)

    def stale(self, seconds: float = 600.0, *, times: int = 1) -> None:
        """Signed with a time so long ago."""
        self._add("delivery", "stale", times, seconds=seconds)

    def legacy_signature(self, *, times: int = 1) -> None:
        """Signed in the old form, `sha256=…`."""
        self._add("delivery", "legacy_signature", times)

    def reencode(self, *, times: int = 1) -> None:
        """A proxy on the way parses the JSON and writes it again, after it was signed."""
        self._add("delivery", "reencode", times)

    def oversize(self, size: int = 2 * 2**20, *, times: int = 1) -> None:
        """The body is at least this many bytes long."""
        self._add("delivery", "oversize", times, size=size)

    def clear(self) -> None:
        """Nothing more goes wrong."""
        for waiting in self._waiting.values():
            waiting.clear()

    def take(self, kind: Literal["api", "delivery"]) -> Fault | None:
        """The next fault of a kind, used up by one."""
        waiting = self._waiting[kind]
        if not waiting:
            return None
        fault = waiting[0]
        fault.left -= 1
        if not fault.left:
            waiting.pop(0)
        return fault

    def __repr__(self) -> str:
        waiting = [repr(fault) for faults in self._waiting.values() for fault in faults]
        return f"Faults({', '.join(waiting) or 'none'})"

    def _add(self, kind: Literal["api", "delivery"], name: str, times: int, **settings: Any) -> None:
        if times < 1:
            raise ConfigurationError(f"times={times} would do nothing.", advice="Give 1 or more.")
        self._waiting[kind].append(Fault(name, times, settings))


def cut(send: "Send", fault: Fault | None) -> "Send":
    """A `send` that keeps back half of the body (`cut_off`) or all of it (`lose_response`), of the length already declared."""
    if fault is None or fault.name not in ("cut_off", "lose_response"):
        return send
    _silence_expected_log()
    kept = 2 if fault.name == "cut_off" else 0

    async def cutting(message: "Message") -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")
            message = {
                "type": "http.response.body",
                "body": body[: len(body) // kept] if kept else b"",
                "more_body": True,
            }
        await send(message)

    return cutting


@cache
def _silence_expected_log() -> None:
    """uvicorn logs an error for a response that `cut` leaves unfinished, and closes the connection, as intended."""
    logging.getLogger("uvicorn.error").addFilter(
        lambda record: not record.getMessage().startswith("ASGI callable returned without completing response")
    )
