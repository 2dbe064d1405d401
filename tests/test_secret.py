"""A Secret is of use to code, and shows nothing to anybody who looks."""

import copy
import io
import json
import pickle
import traceback

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx

VALUE = "sk_live_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = VALUE.removeprefix("sk_live_")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param("sk_live_abc", "sk_live_••••", id="secret live key"),
        pytest.param("sk_test_abc", "sk_test_••••", id="secret test key"),
        pytest.param("pk_live_abc", "pk_live_••••", id="publishable live key"),
        pytest.param("pk_test_abc", "pk_test_••••", id="publishable test key"),
        pytest.param("whsec_abc", "whsec_••••", id="signing secret"),
        pytest.param("abc", "••••", id="unknown kind"),
        pytest.param("sk_stage_abc", "••••", id="unknown environment"),
        pytest.param("", "••••", id="empty"),
    ],
)
def test_a_secret_shows_its_published_prefix_and_a_mask(value: str, shown: str) -> None:
    """The prefix tells which key it is, and nothing behind it is shown."""
    assert shown == str(cx.Secret(value))


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(ascii, id="ascii"),
        pytest.param(format, id="format"),
        pytest.param(lambda secret: f"{secret}{secret!r}{secret:>60}", id="f-string"),
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031
        pytest.param(lambda secret: repr([secret, {"key": secret}, (secret,)]), id="inside containers"),
        pytest.param(lambda secret: repr(copy.deepcopy({"key": secret})), id="repr of a deep copy"),
        pytest.param(lambda secret: repr(getattr(secret, "__dict__", {})), id="instance dict"),
        pytest.param(lambda secret: json.dumps({"key": secret}, default=str), id="JSON with default=str"),
        pytest.param(lambda secret: json.dumps({"key": secret}, default=repr), id="JSON with default=repr"),
        pytest.param(lambda secret: repr(pd.Series([secret])), id="Series"),
        pytest.param(lambda secret: pd.DataFrame({"key": [secret]}).to_string(), id="frame"),
        pytest.param(lambda secret: pd.DataFrame({"key": [secret]}).to_html(), id="frame as HTML"),
        pytest.param(lambda secret: pd.DataFrame({"key": [secret]}).to_csv(), id="frame as CSV"),
        pytest.param(lambda secret: repr(pd.DataFrame({"key": [secret]}).to_dict()), id="frame as dict"),
        pytest.param(lambda secret: repr(pd.DataFrame({"key": [secret]}).astype(str)), id="frame as text"),
    ],
)
def test_nothing_that_shows_a_secret_shows_its_value(show) -> None:
    """Whichever way it is turned into text, the value is not in it."""
    shown = show(cx.Secret(VALUE))
    assert HIDDEN not in shown


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(json.dumps, id="json"),
        pytest.param(lambda secret: json.dumps({"deep": [secret]}), id="json inside"),
        pytest.param(pickle.dumps, id="pickle"),
        pytest.param(lambda secret: pickle.dumps(secret, protocol=0), id="pickle protocol 0"),
        pytest.param(lambda secret: pickle.dumps([secret]), id="pickle inside"),
        pytest.param(lambda secret: pd.DataFrame({"key": [secret]}).to_pickle(io.BytesIO()), id="frame to_pickle"),
    ],
)
def test_writers_of_objects_refuse_a_secret(write) -> None:
    """JSON and pickle would write the value out, and so neither takes it."""
    with pytest.raises(TypeError) as caught:
        write(cx.Secret(VALUE))
    assert HIDDEN not in str(caught.value)


def test_a_frame_written_as_json_does_not_hold_the_value() -> None:
    """pandas looks into objects by itself: it refuses the cell, or finds nothing in it."""
    try:
        written = pd.DataFrame({"key": [cx.Secret(VALUE)]}).to_json()
    except (TypeError, ValueError, OverflowError) as error:
        written = str(error)
    assert HIDDEN not in written


def test_a_traceback_with_locals_does_not_hold_the_value() -> None:
    """A report that shows every local variable shows the mask."""

    def fail(key: cx.Secret) -> None:
        raise LookupError(key)

    with pytest.raises(LookupError) as caught:
        fail(cx.Secret(VALUE))
    report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "sk_live_••••" in report
    assert HIDDEN not in report


@pytest.mark.parametrize("twin", [pytest.param(copy.copy, id="copy"), pytest.param(copy.deepcopy, id="deepcopy")])
def test_a_secret_can_be_copied(twin) -> None:
    """Copies are equal, and reveal the same."""
    copied = twin(cx.Secret(VALUE))
    assert VALUE == copied.reveal()
    assert cx.Secret(VALUE) == copied


@given(st.text(), st.text())
def test_secrets_are_equal_as_their_values_are(one: str, other: str) -> None:
    """Equality and hash follow the value, in any alphabet, and plain text is never equal to a secret."""
    assert (one == other) == (cx.Secret(one) == cx.Secret(other))
    assert hash(cx.Secret(one)) == hash(cx.Secret(one))
    assert cx.Secret(one) != one


def test_a_secret_of_a_secret_is_the_same_secret() -> None:
    """Wrapping twice hides nothing twice."""
    assert VALUE == cx.Secret(cx.Secret(VALUE)).reveal()
