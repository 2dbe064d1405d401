"""The rate limit: reported in the headers of every response, enforced on request.

Published (cStar: api-rate-limits): 1,000 requests an hour for a secret key and 100 for a publishable one, per key.
"""

import math
from datetime import datetime, timedelta

from ..errors import ConfigurationError
from .clock import Clock
from .error_responses import ApiError, rate_limited
from .keys import Key

SECRET_LIMIT, PUBLISHABLE_LIMIT = 1_000, 100
WINDOW = timedelta(hours=1)


class RateLimiter:
    """Counts requests per key, in windows of an hour on the sandbox's clock.

    Args:
        clock: The sandbox's clock. In real time, advancing it does not end a window.
        enforced: False only counts. True enforces the published limits, a number that many requests per window.
    """

    def __init__(self, clock: Clock, *, enforced: bool | int = False) -> None:
        if enforced is not False and enforced < 1:
            message = f"rate_limit must be True, False or at least 1, not {enforced}."
            raise ConfigurationError(message, advice="Use False for no limit.")
        self._clock = clock
        self._enforced = enforced is not False
        published = {False: SECRET_LIMIT, True: PUBLISHABLE_LIMIT}
        # By whether the key is publishable.
        self._limits = published if isinstance(enforced, bool) else dict.fromkeys(published, enforced)
        self._windows: dict[Key, tuple[datetime, int]] = {}

    def count(self, key: Key) -> dict[str, str]:
        """Counts a request and returns the rate limit headers, with and without `X-`."""
        start, used = self._windows.get(key, (self._clock.now, 0))
        if self._clock.now >= start + WINDOW:
            start, used = self._clock.now, 0
        self._windows[key] = (start, used + 1)
        limit, window = self._limits[key.publishable], int(WINDOW.total_seconds())
        remaining, reset = max(0, limit - used - 1), math.ceil((start + WINDOW).timestamp())
        counted = {"Limit": limit, "Remaining": remaining, "Reset": reset, "Window": window}
        headers = {f"{x}RateLimit-{name}": str(value) for x in ("X-", "") for name, value in counted.items()}
        return headers | {"RateLimit-Policy": f"{limit};w={window}"}

    def check(self, key: Key) -> None:
        """Raises a 429 for a counted request beyond the limit, if limits are enforced."""
        start, used = self._windows[key]
        if self._enforced and used > self._limits[key.publishable]:
            # Rounded up, and never 0: after this wait, the next call succeeds.
            seconds = max(1, math.ceil((start + WINDOW - self._clock.now).total_seconds()))
            raise ApiError(rate_limited(seconds, seconds))
