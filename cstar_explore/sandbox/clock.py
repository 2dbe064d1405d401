"""The sandbox's clocks and ids. With the simulated clock, the same calls get the same responses on every machine and day."""

import random
import string
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..errors import ConfigurationError
from ..serving.times import iso
from ..text import printable

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)  # the time in the API reference's samples
STEP = timedelta(seconds=1)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)  # retries after it still fit before Python's last date


class Clock:
    """A simulated clock. It advances by one second with each write, and otherwise only when asked to.

    Args:
        advance_to: Called by `advance` with the time of the schedule to reach; it must `set` the clock.

    Attributes:
        ahead: How far the schedule of deliveries is ahead of `now`; only in real time it can be.
    """

    is_real = False
    ahead = timedelta(0)

    def __init__(self, advance_to: Callable[[datetime], None]) -> None:
        self._now = START
        self._target = START
        self._lock = threading.Lock()
        self._advance_to = advance_to

    @property
    def now(self) -> datetime:
        """The sandbox's current time, in UTC."""
        return self._now

    @property
    def scheduled(self) -> datetime:
        """The time up to which deliveries are due."""
        return self.now + self.ahead

    def step(self) -> datetime:
        """Advances by one second and returns the time before."""
        with self._lock:
            now = self._now
            self._now = now + STEP
        return now

    def set(self, time: datetime) -> None:
        """Advances the schedule to this time, if it is later. Makes no deliveries."""
        with self._lock:
            self._now = max(self._now, time)

    def save(self) -> dict[str, Any]:
        """What `restore` needs to continue, as JSON. `now` is the schedule's."""
        return {"now": self.scheduled.isoformat(), "ahead": self.ahead.total_seconds()}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continues from a saved state, also one of the other clock."""
        self.set(datetime.fromisoformat(saved["now"]))

    def advance(self, **amount: float) -> datetime:
        """Advances and makes the deliveries that become due, each at its own time: `advance(hours=31, minutes=13)`.

        During a delivery (called by a receiver or another thread), the time is reached once the current deliveries are done.

        Args:
            amount: Keyword arguments of `timedelta`.

        Returns:
            The new `now`.

        Raises:
            ConfigurationError: The amount is negative, or longer than a calendar has dates for.
        """
        with self._lock:
            # Concurrent calls add up, also when a receiver makes one during another's deliveries.
            target = self._target = _later(max(self.scheduled, self._target), amount)
        self._advance_to(target)
        return self.now

    def __repr__(self) -> str:
        return f"{type(self).__name__}({iso(self.now)})"


class RealTimeClock(Clock):
    """This machine's clock. `advance` brings due retries forward: they are made at once and signed with the current time.

    Rate limits and replays of responses follow the real time, which `advance` does not change.
    """

    is_real = True

    @property
    def now(self) -> datetime:
        """This machine's current time, in UTC."""
        return datetime.now(UTC)

    def step(self) -> datetime:
        """The current time. A write does not advance it."""
        return self.now

    def set(self, time: datetime) -> None:
        """Brings forward what is due until this time. Makes no deliveries."""
        with self._lock:
            self.ahead = max(self.ahead, time - self.now)

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Continues from a saved state. What became due since then is due now."""
        self.ahead = timedelta(seconds=saved.get("ahead", 0))


def _later(time: datetime, amount: Mapping[str, float]) -> datetime:
    """The time after this amount, which may be none.

    Raises:
        ConfigurationError: The amount is negative, too large or not one.
    """
    try:
        later = time + timedelta(**amount)
        reason = "it does not go back" if later < time else "no date is that late" if later >= _LATEST else ""
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error)
    if not reason:
        return later
    message = f"The clock cannot advance by {printable(repr(dict(amount)), 80)}: {reason}."
    raise ConfigurationError(message, advice="Pass numbers, for example advance(hours=31, minutes=13).")


class Ids:
    """Generates ids from one seeded stream per kind, so that an extra request id does not change the next webhook's id.

    `used` counts the ids of each kind. A sandbox that reopens its file continues from there.
    """

    def __init__(self, used: dict[str, int] | None = None) -> None:
        self.used: dict[str, int] = dict(used or {})

    def next(self, kind: str, length: int = 12, alphabet: str = string.ascii_lowercase + string.digits) -> str:
        """The next id of a kind, without its prefix."""
        number = self.used[kind] = self.used.get(kind, 0) + 1
        return "".join(random.Random(f"{kind} {number}").choices(alphabet, k=length))  # noqa: S311 - not secret
