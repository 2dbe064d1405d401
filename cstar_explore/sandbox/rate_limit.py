"""The rate limit: counted and told on every answer, enforced when asked for.

Published (cStar: api-rate-limits): 1,000 requests an hour for a secret key and 100 for a publishable one, per key.
"""

from datetime import datetime, timedelta

from ..errors import ConfigurationError
from . import error_responses
from .clock import Clock
from .error_responses import Refused
from .keys import Key

SECRET_LIMIT, PUBLISHABLE_LIMIT = 1_000, 100
WINDOW = timedelta(hours=1)


class Limits:
    """Counts requests by key, in windows of an hour on the sandbox's clock.

    Args:
        clock: The sandbox's.
        enforced: False counts only; True refuses past the published limits; a number refuses past that many.
    """

    def __init__(self, clock: Clock, *, enforced: bool | int = False) -> None:
        if enforced is not False and enforced < 1:
            raise ConfigurationError(
                f"rate_limit={enforced} would refuse every call.", advice="Give True, or a number of requests an hour."
            )
        self._clock = clock
        self._enforced = enforced
        self._windows: dict[Key, tuple[datetime, int]] = {}

    def count(self, key: Key) -> dict[str, str]:
        """Counts a request, and returns the headers that tell of it."""
        began, used = self._windows.get(key, (self._clock.now, 0))
        if self._clock.now >= began + WINDOW:
            began, used = self._clock.now, 0
        self._windows[key] = (began, used + 1)
        limit = self._limit(key)
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(max(0, limit - used - 1)),
            "X-RateLimit-Reset": str(int((began + WINDOW).timestamp())),
            "X-RateLimit-Window": str(int(WINDOW.total_seconds())),
        }

    def check(self, key: Key) -> None:
        """Refuses with 429 what is past the limit, if limits are enforced."""
        if self._enforced is not False and self._windows[key][1] > self._limit(key):
            raise Refused(error_responses.rate_limited(self.seconds_left(key)))

    def seconds_left(self, key: Key) -> int:
        """Until the key's window ends."""
        return int((self._windows[key][0] + WINDOW - self._clock.now).total_seconds())

    def _limit(self, key: Key) -> int:
        if self._enforced is not False and self._enforced is not True:
            return self._enforced
        return PUBLISHABLE_LIMIT if key.publishable else SECRET_LIMIT
