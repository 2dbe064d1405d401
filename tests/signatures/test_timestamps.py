"""Times and tolerances of any numeric or datetime type, except datetimes that do not name a moment."""

import datetime as dt
import decimal
import fractions
import subprocess
import sys
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support import delivery_corpus as corpus

NOW = 1_765_377_000
SECRET = "whsec_AbCdEf1234567890"
BODY = b'{"id":"evt_1","type":"ticket.created","data":{}}'
GOOD = corpus.signed(BODY, SECRET, NOW)
MOMENT = dt.datetime.fromtimestamp(NOW, dt.UTC)

TIMES = [
    pytest.param(NOW, id="int"),
    pytest.param(float(NOW), id="float"),
    pytest.param(decimal.Decimal(NOW), id="Decimal"),
    pytest.param(fractions.Fraction(NOW), id="Fraction"),
    pytest.param(np.int64(NOW), id="numpy.int64"),
    pytest.param(np.uint32(NOW), id="numpy.uint32"),
    pytest.param(np.float64(NOW), id="numpy.float64"),
    pytest.param(np.longdouble(NOW), id="numpy.longdouble"),
    pytest.param(np.array(NOW), id="array without dimensions"),
    pytest.param(np.datetime64(NOW, "s"), id="numpy.datetime64 in seconds"),
    pytest.param(np.datetime64(NOW * 10**9, "ns"), id="numpy.datetime64 in nanoseconds"),
    pytest.param(pd.Series([NOW]).iloc[0], id="cell of a Series"),
    pytest.param(pd.Series([NOW], dtype="Int64").iloc[0], id="cell of a nullable Series"),
    pytest.param(pd.Timestamp(NOW, unit="s", tz="UTC"), id="pandas.Timestamp"),
    pytest.param(pd.Timestamp(NOW, unit="s", tz="Asia/Kolkata"), id="pandas.Timestamp in India"),
    pytest.param(pd.Series([MOMENT]).iloc[0], id="cell of times"),
    pytest.param(pd.Series([MOMENT]).to_numpy()[0], id="NumPy of times"),
    pytest.param(MOMENT, id="datetime in UTC"),
    pytest.param(MOMENT.astimezone(zoneinfo.ZoneInfo("America/New_York")), id="datetime in New York"),
]


@pytest.mark.parametrize("now", TIMES)
def test_time_of_any_type_is_taken(now) -> None:
    """By all three functions, to the second."""
    assert GOOD == cx.sign(BODY, SECRET, now)
    assert cx.verify(BODY, GOOD, SECRET, tolerance=0, now=now)
    assert "0 s old" in cx.explain(BODY, GOOD, SECRET, now, tolerance=0).evidence


NAIVE = [
    pytest.param(dt.datetime(2025, 12, 10, 14, 30), id="datetime"),  # noqa: DTZ001
    pytest.param(dt.datetime.now(), id="datetime.now()"),  # noqa: DTZ005
    pytest.param(dt.datetime.now(dt.UTC).replace(tzinfo=None), id="datetime.utcnow()"),
    pytest.param(pd.Timestamp("2025-12-10T14:30:00"), id="pandas.Timestamp"),
    pytest.param(pd.NaT, id="NaT"),
]
CALLS = {
    "sign": lambda now: cx.sign(BODY, SECRET, now),
    "verify": lambda now: cx.verify(BODY, GOOD, SECRET, now=now),
    "verify, forged": lambda now: cx.verify(BODY, GOOD[:-1], SECRET, now=now),
    "explain": lambda now: cx.explain(BODY, GOOD, SECRET, now),
    "explain, no header": lambda now: cx.explain(BODY, None, SECRET, now),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("now", NAIVE)
def test_naive_datetime_is_refused_with_the_remedy(call: str, now: Any) -> None:
    """It is off by hours on machines in other time zones. Whatever the header."""
    with pytest.raises(errors.ValidationError, match="naive") as caught:
        CALLS[call](now)
    assert "datetime.now(UTC)" in caught.value.advice
    assert "time.time()" in caught.value.advice


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "now",
    [
        pytest.param(True, id="True"),
        pytest.param(np.True_, id="numpy.True_"),
        pytest.param("now", id="text"),
        pytest.param(str(NOW), id="number as text"),
        pytest.param(b"1", id="bytes"),
        pytest.param([NOW], id="list"),
        pytest.param(np.array([NOW, NOW]), id="array"),
        pytest.param(pd.Series([NOW, NOW]), id="Series"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(np.float64("inf"), id="infinity"),
        pytest.param(10**400, id="huge"),
        pytest.param(decimal.Decimal("sNaN"), id="signalling NaN"),
        pytest.param(pd.NA, id="NA"),
        pytest.param(np.datetime64("NaT", "s"), id="NaT of NumPy"),
        pytest.param(1j, id="complex"),
        pytest.param(dt.date(2025, 12, 10), id="date"),
        pytest.param(dt.timedelta(1), id="timedelta"),
    ],
)
def test_what_is_no_time_is_refused(call: str, now: Any) -> None:
    """With a CStarError."""
    with pytest.raises(errors.ValidationError, match="timestamp"):
        CALLS[call](now)


@pytest.mark.parametrize(
    "tolerance", [300, 300.0, np.int64(300), np.float32(300), pd.Series([300]).iloc[0], decimal.Decimal(300)]
)
def test_tolerance_may_be_any_number(tolerance) -> None:
    """In seconds, with the same message for each."""
    assert cx.verify(BODY, GOOD, SECRET, tolerance, NOW + 300)
    with pytest.raises(errors.SignatureError, match="301 s old; 300 s are allowed"):
        cx.verify(BODY, GOOD, SECRET, tolerance, NOW + 301)
    assert "too_old" == cx.explain(BODY, GOOD, SECRET, NOW + 301, tolerance).cause


@pytest.mark.parametrize("tolerance", [-1, 1e15, float("inf"), float("nan"), "300", None, True])
def test_a_tolerance_that_would_turn_the_check_off_is_refused(tolerance: Any) -> None:
    """And what is no number."""
    with pytest.raises(errors.ValidationError, match="tolerance must be a finite number"):
        cx.verify(BODY, GOOD, SECRET, tolerance, NOW)


def test_numpy_and_pandas_are_not_imported() -> None:
    """A receiver starts without them."""
    code = (
        "import sys, cstar_explore as cx\n"
        "cx.verify(b'{}', cx.sign(b'{}', 'whsec_a'), 'whsec_a')\n"
        "cx.explain(b'{}', 'x', 'whsec_a')\n"
        "print([name for name in ('numpy', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
