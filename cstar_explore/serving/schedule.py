"""When cStar retries a failed delivery.

Published (cStar: webhook-troubleshooting): up to six times, after 30 s, 2 m, 10 m, 1 h, 6 h and 24 h. cStar does not document what
each is counted from; here it is the start of the previous attempt.
"""

from datetime import datetime, timedelta

RETRY_AFTER = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)


def retry_at(attempt: int, at: datetime) -> datetime | None:
    """When an attempt that failed at this time is retried; None after the last retry. Attempts are counted from 1."""
    return at + RETRY_AFTER[attempt - 1] if attempt <= len(RETRY_AFTER) else None
