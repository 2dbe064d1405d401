"""Whether the rate limit allows the requests that a plan needs."""

from collections.abc import Sequence

from ..api.connection import RateLimit
from .change import Change

_REQUESTS = {"update": 3, "create": 2, "delete": 3}


class RateLimitWarning(UserWarning):
    """A plan needs more requests than the rate limit has left."""


def rate_limit_note(limit: RateLimit | None, changes: Sequence[Change]) -> str | None:
    """What to know if the rate limit has fewer requests left than these changes need; None otherwise."""
    creates = [change for change in changes if change.what == "create"]
    paused = sum(change.after is not None and change.after.is_active is False for change in creates)
    needed = sum(_REQUESTS[change.what] for change in changes) + paused + (2 if creates else 0)
    if limit is None or limit.remaining is None or needed <= limit.remaining:
        return None
    until = f" until {limit.reset_at:%H:%M:%S} UTC" if limit.reset_at else ""
    return (
        f"The plan needs about {needed:,} requests, and the rate limit has {limit.remaining:,} left{until}. "
        "If it stops there, apply it again later to continue."
    )
