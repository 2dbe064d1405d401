"""Times as cStar writes them, and numbers of seconds as users pass them."""

import math
from datetime import UTC, datetime

from ..errors import ConfigurationError
from ..text import printable


def iso(time: datetime) -> str:
    """The API reference's format: `2025-12-10T14:30:00Z`."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def checked_seconds(name: str, value: float, *, zero: bool = False, most: float = math.inf) -> float:
    """A finite number of seconds, more than 0, or at least 0 if `zero`; and at most `most`.

    Raises:
        ConfigurationError: It is not one.
    """
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value <= most
    if not fits or value < 0 or (value == 0 and not zero):
        limit = ("at least 0" if zero else "more than 0") + ("" if most == math.inf else f" and at most {most:,.0f}")
        message = f"{name} must be a number of seconds, {limit}, not {printable(repr(value), 80)}."
        raise ConfigurationError(message, advice="Pass a number in this range.")
    return value
