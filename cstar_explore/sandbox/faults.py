"""Faults for the next calls and deliveries, for lessons and for testing your own code.

sandbox.faults.rate_limit(retry_after=1)      # the next call is answered with 429
sandbox.faults.duplicate()                    # the next delivery is posted twice
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.types import Message, Send

from ..errors import ConfigurationError

Expectation = Literal["accepted", "rejected", "accepted or rejected"]
Kind = Literal["api", "delivery"]

_TOLERANCE = 300.0  # seconds between the signed time and the receiver's (cStar: webhook-security)
_MARGIN = 15.0  # seconds; more than a delivery takes
_LONGEST_AGE = 1e9  # seconds; still a positive Unix time


@dataclass
class Fault:
    """A queued fault. `expected` is what a correct receiver does with a delivery that has it."""

    name: str
    remaining: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    expected: Expectation = "accepted"

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.name}({settings}) {self.remaining} times"


class Faults:
    """Queues faults. Each API call takes one, and so does each delivery attempt, in the order they were queued.

    Every method takes `times`: how many calls or attempts in a row get the fault.

    A correct receiver accepts (2xx) a delivery without a fault. What it does with a delivery that has one, its method says;
    `sandbox.deliveries()` compares that with the response in `expected` and `as_expected`. A rejection is a 4xx, as in
    cStar's samples (401); a 5xx would look like an outage.
    """

    def __init__(self) -> None:
        self._queues: dict[Kind, list[Fault]] = {"api": [], "delivery": []}

    # --- API responses

    def rate_limit(self, *, retry_after: int | None = 1, times: int = 1) -> None:
        """Answers with 429. `retry_after` is the `Retry-After` header in seconds; None omits it, and 0 is what some servers send."""
        self._add("api", "rate_limit", times, retry_after=retry_after)

    def fail(self, status: int = 500, *, times: int = 1) -> None:
        """Answers with a 5xx. The call has no effect."""
        if not 500 <= status < 600:
            raise ConfigurationError(f"status must be from 500 to 599, not {status}.", advice="Choose a 5xx status.")
        self._add("api", "fail", times, status=status)

    def slow(self, seconds: float = 1.0, *, times: int = 1) -> None:
        """Delays the response by this many real seconds."""
        self._add("api", "slow", times, seconds=seconds)

    def html(self, *, times: int = 1) -> None:
        """Answers with an HTML page and 502, as a proxy would. The call has no effect."""
        self._add("api", "html", times)

    def cut_off(self, *, times: int = 1) -> None:
        """Closes the connection in the middle of the response. The call takes effect."""
        self._add("api", "cut_off", times)

    def lose_answer(self, *, times: int = 1) -> None:
        """Closes the connection before the response's body. The call takes effect."""
        self._add("api", "lose_answer", times)

    # --- deliveries

    def duplicate(self, *, times: int = 1) -> None:
        """Posts the delivery twice. Both are to be accepted, and acted on once."""
        self._add("delivery", "duplicate", times)

    def reorder(self, *, times: int = 1) -> None:
        """Holds the delivery back until the next event is delivered; in real time for 1.5 seconds. It is to be accepted."""
        self._add("delivery", "reorder", times)

    def delay(self, seconds: float = 60.0, *, times: int = 1) -> None:
        """Holds the delivery back for this many seconds on the sandbox's clock. It is to be accepted."""
        self._add("delivery", "delay", times, seconds=seconds)

    def wrong_signature(self, *, times: int = 1) -> None:
        """Signs with another secret. It is to be rejected."""
        self._add("delivery", "wrong_signature", times, "rejected")

    def no_signature(self, *, times: int = 1) -> None:
        """Omits the signature. It is to be rejected."""
        self._add("delivery", "no_signature", times, "rejected")

    def malformed_signature(self, *, times: int = 1) -> None:
        """Sends text in place of the signature. It is to be rejected."""
        self._add("delivery", "malformed_signature", times, "rejected")

    def stale(self, seconds: float = 600.0, *, times: int = 1) -> None:
        """Signs with a timestamp this many seconds ago; a negative number is in the future.

        More than 300 s are to be rejected, less to be accepted. Around the limit the answer depends on how long the delivery takes.
        """
        if not abs(seconds) < _LONGEST_AGE:
            message = f"seconds must be a number below {_LONGEST_AGE:,}, not {seconds}."
            raise ConfigurationError(message, advice="The default is 600.")
        margin = abs(seconds) - _TOLERANCE
        expected: Expectation = (
            "accepted or rejected" if abs(margin) <= _MARGIN else "rejected" if margin > 0 else "accepted"
        )
        self._add("delivery", "stale", times, expected, seconds=seconds)

    def legacy_signature(self, *, times: int = 1) -> None:
        """Signs in the old form, `sha256=…`. It is to be rejected: it has no timestamp, so it can be replayed."""
        self._add("delivery", "legacy_signature", times, "rejected")

    def reencode(self, *, times: int = 1) -> None:
        """Parses and rewrites the JSON after signing it, as some proxies do. It is to be rejected."""
        self._add("delivery", "reencode", times, "rejected")

    def unusual_bytes(self, *, times: int = 1) -> None:
        """Writes the same event in unusual bytes and signs these: indented with CRLF and spaces, with `\\u` escapes and `\\/`, and with
        a final newline. It is to be accepted.

        This is on purpose: cStar documents none of it, and its published samples are compact. But it does not document the
        opposite either. A receiver that verifies anything but the bytes received fails on this delivery.
        """
        self._add("delivery", "unusual_bytes", times)

    def unknown_type(self, *, times: int = 1) -> None:
        """Sends an event of a type that does not exist yet. It is to be accepted: a rejected one is retried for a day and a half."""
        self._add("delivery", "unknown_type", times)

    def oversize(self, size: int = 2 * 2**20, *, times: int = 1) -> None:
        """Pads the body to at least this many bytes. It may be accepted or rejected; cStar documents no maximum size."""
        self._add("delivery", "oversize", times, "accepted or rejected", size=size)

    def clear(self) -> None:
        """Clears the queued faults."""
        for queue in self._queues.values():
            queue.clear()

    def take(self, kind: Kind) -> Fault | None:
        """The next fault of a kind, if one is queued."""
        queue = self._queues[kind]
        if not queue:
            return None
        fault = queue[0]
        fault.remaining -= 1
        if not fault.remaining:
            queue.pop(0)
        return fault

    def __repr__(self) -> str:
        queued = [repr(fault) for queue in self._queues.values() for fault in queue]
        return f"Faults({', '.join(queued) or 'none'})"

    def _add(self, kind: Kind, name: str, times: int, expected: Expectation = "accepted", **settings: Any) -> None:
        if times < 1:
            raise ConfigurationError(f"times must be at least 1, not {times}.", advice="Use clear() to remove faults.")
        self._queues[kind].append(Fault(name, times, settings, expected))


def meets(expected: Expectation, status: int | None) -> bool:
    """Whether a response is what was expected. No response, a redirect and a 5xx are neither accepted nor rejected."""
    if status is None:
        return False
    return (200 <= status < 300 and expected != "rejected") or (400 <= status < 500 and expected != "accepted")


def truncate(send: Send, fraction: float) -> Send:
    """A `send` that declares the whole body, sends this fraction of it and never completes the response."""

    async def send_truncated(message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message["body"]
            message = {**message, "body": body[: int(len(body) * fraction)], "more_body": True}
        await send(message)

    return send_truncated
