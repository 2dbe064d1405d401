"""Times and tolerances, as Python, NumPy and pandas have them, in Unix seconds."""

import math
import numbers
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ..errors import ValidationError

TOLERANCE = 300.0  # seconds

Timestamp = float | datetime

_LIMIT = 1e15  # larger numbers are not Unix seconds, and lose precision as float


def unix_seconds(timestamp: Timestamp | None) -> float:
    """A timestamp as Unix seconds; None means now.

    Real numbers of any type and aware datetimes are accepted, including NumPy's and pandas'. A `numpy.datetime64` is in UTC, as
    NumPy defines it.

    Raises:
        ValidationError: It is a datetime without a time zone, or neither a finite number nor a datetime.
    """
    if timestamp is None:
        return time.time()
    moment = _python_value(timestamp)
    if isinstance(moment, datetime):
        if not _has_offset(moment):
            raise ValidationError(
                "The datetime is naive: it has no time zone, so it does not name a moment.",
                param="timestamp",
                advice="Pass datetime.now(UTC) or time.time().",
            )
        return moment.timestamp()
    seconds = _as_float(moment)
    if not abs(seconds) < _LIMIT:
        raise ValidationError(
            f"A timestamp must be Unix seconds or a datetime, not {type(timestamp).__name__}.",
            param="timestamp",
            advice="Pass time.time(), datetime.now(UTC) or another finite number of seconds.",
        )
    return seconds


def validate_tolerance(tolerance: float) -> float:
    """The tolerance as a float, in seconds.

    Raises:
        ValidationError: It is not a finite number of at least 0. The check cannot be turned off.
    """
    seconds = _as_float(tolerance)
    if not 0 <= seconds < _LIMIT:
        raise ValidationError("tolerance must be a finite number of seconds, at least 0.", param="tolerance")
    return seconds


def _python_value(value: Any) -> object:
    """The value as an object of the standard library, if it is NumPy's. NumPy itself is not imported."""
    kind = getattr(getattr(value, "dtype", None), "kind", None)
    if kind == "M":
        moment = value.astype("datetime64[us]").item()
        return moment.replace(tzinfo=UTC) if isinstance(moment, datetime) else None
    return value.item() if kind in {"i", "u", "f"} and value.ndim == 0 else value


def _has_offset(moment: datetime) -> bool:
    try:
        return moment.utcoffset() is not None
    except ValueError:  # pandas.NaT
        return False


def _as_float(value: object) -> float:
    """A real number as float; NaN for everything else."""
    if type(value) is float:  # at once, because asking for a `numbers.Real` is slow
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Real | Decimal):
        return math.nan
    try:
        return float(value)
    except (ValueError, ArithmeticError):  # a signalling NaN, or an integer beyond the range of floats
        return math.nan
