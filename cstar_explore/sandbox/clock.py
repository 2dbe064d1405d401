"""The sandbox's clock and ids. Both are deterministic: the same calls get the same responses on every machine and day."""

import random
import string
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from ..errors import ConfigurationError

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)  # the time in the API reference's samples
STEP = timedelta(seconds=1)


class Clock:
    """A simulated clock. It advances by one second with each write, and otherwise only when asked to.

    Args:
        start: The first `now`.
        advance_to: Called by `advance` with the time to reach; it must `set` the clock.
    """

    def __init__(self, start: datetime = START, advance_to: Callable[[datetime], None] | None = None) -> None:
        self._now = start
        self._target = start
        self._lock = threading.Lock()
        self._advance_to = advance_to or self.set

    @property
    def now(self) -> datetime:
        """The sandbox's current time, in UTC."""
        return self._now

    def step(self) -> datetime:
        """Advances by one second and returns the time before."""
        with self._lock:
            now = self._now
            self._now = now + STEP
        return now

    def set(self, now: datetime) -> None:
        """Advances to this time, if it is later than `now`. Makes no deliveries."""
        with self._lock:
            self._now = max(self._now, now)

    def advance(self, **amount: float) -> datetime:
        """Advances and makes the deliveries that become due, each at its own time: `advance(hours=31, minutes=13)`.

        During a delivery (called by a receiver or another thread), the time is reached once the current deliveries are done.

        Args:
            amount: Keyword arguments of `timedelta`.

        Returns:
            The new `now`.

        Raises:
            ConfigurationError: The amount is negative.
        """
        by = timedelta(**amount)
        if by < timedelta(0):
            raise ConfigurationError(
                f"The clock cannot go back {-by.total_seconds():g} s.", advice="Use a new sandbox."
            )
        with self._lock:
            # Concurrent calls add up, also when a receiver makes one during another's deliveries.
            target = self._target = max(self._now, self._target) + by
        self._advance_to(target)
        return self._now

    def catch_up(self) -> datetime:
        """Advances to the machine's current time, for a receiver that uses its own clock to check signatures.

        Returns:
            The new `now`; later than the machine's time if it already was.
        """
        behind = (datetime.now(UTC) - self._now).total_seconds()
        return self.advance(seconds=max(0.0, behind))

    def __repr__(self) -> str:
        return f"Clock({iso(self._now)})"


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


def iso(time: datetime) -> str:
    """The API reference's format: `2025-12-10T14:30:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(time: datetime) -> str:
    """The format of the `Date` header."""
    return format_datetime(time.astimezone(UTC), usegmt=True)
