"""When cStar retries a failed delivery.

Published (cStar: webhook-troubleshooting): up to six times, after 30 s, 2 m, 10 m, 1 h, 6 h and 24 h. cStar does not document what
each is counted from; here it is the start of the previous attempt.
"""

from datetime import datetime, timedelta

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
RETRY_AFTER = (_MINUTE / 2, 2 * _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, 24 * _HOUR)


def retry_at(attempt: int, at: datetime) -> datetime | None:
    """When an attempt that failed at this time is retried; None after the last retry. Attempts are counted from 1."""
    return at + RETRY_AFTER[attempt - 1] if attempt <= len(RETRY_AFTER) else None
