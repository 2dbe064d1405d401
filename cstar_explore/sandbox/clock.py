"""The sandbox's own time and its own ids: the same calls make the same answers, on every machine and every day."""

import random
import string
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from ..errors import ConfigurationError

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)  # the moment of the API reference's own samples
STEP = timedelta(seconds=1)


class Clock:
    """A clock that stands still, steps by a second with each write, and can be moved on.

    `now` is in UTC. Nothing in the sandbox reads the wall clock, but for `catch_up`.
    """

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._promised = start
        self._lock = threading.Lock()
        self._lived_through: Callable[[datetime], None] = self.set

    @property
    def now(self) -> datetime:
        """The sandbox's present."""
        return self._now

    def step(self) -> datetime:
        """The present, after which a second passes."""
        with self._lock:
            now = self._now
            self._now = now + STEP
        return now

    def set(self, now: datetime) -> None:
        """Takes up where an earlier sandbox left off; the clock never goes back."""
        with self._lock:
            self._now = max(self._now, now)

    def advance(self, **amount: float) -> datetime:
        """Moves on by `hours=31, minutes=13` or the like (the words of `timedelta`), through all deliveries due until then.

        Called while a delivery is under way (from within a receiver, or by another thread), the time is reached as soon as
        the deliveries under way have ended.

        Returns:
            The new present.

        Raises:
            ConfigurationError: The amount is negative: time does not go back.
        """
        by = timedelta(**amount)
        if by < timedelta(0):
            raise ConfigurationError(f"The clock does not go back; {by} is negative.", advice="Start a new sandbox.")
        with self._lock:
            # Two that advance at the same time add up, also where one does it from within a delivery of the other's.
            until = self._promised = max(self._now, self._promised) + by
        self._lived_through(until)
        return self._now

    def catch_up(self) -> datetime:
        """Moves on to this machine's present, for a receiver that has a clock of its own and finds the sandbox's time stale.

        Returns:
            The new present; later than the machine's where it was that before.
        """
        behind = (datetime.now(UTC) - self._now).total_seconds()
        return self.advance(seconds=max(0.0, behind))

    def on_advance(self, live_through: Callable[[datetime], None]) -> None:
        """What `advance` calls with the time to reach; it has to `set` it."""
        self._lived_through = live_through

    def __repr__(self) -> str:
        return f"Clock({iso(self._now)})"


class Ids:
    """Made-up ids, a seeded stream for each kind, so that one more request id does not change the next webhook's id.

    `used` is how many of each kind have been given: a sandbox that reopens its file takes up from there.
    """

    def __init__(self, used: dict[str, int] | None = None) -> None:
        self.used: dict[str, int] = dict(used or {})

    def next(self, kind: str, length: int = 12, alphabet: str = string.ascii_lowercase + string.digits) -> str:
        """The next id of a kind, without its prefix."""
        number = self.used[kind] = self.used.get(kind, 0) + 1
        return "".join(random.Random(f"{kind} {number}").choices(alphabet, k=length))  # noqa: S311 - made up, on purpose


def iso(moment: datetime) -> str:
    """As the API reference writes times: `2025-12-10T14:30:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date(moment: datetime) -> str:
    """As HTTP writes times, for the `Date` header."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
