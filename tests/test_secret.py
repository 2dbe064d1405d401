"""A Secret can be used by code and is never shown."""

import copy
import html
import io
import json
import pickle
import traceback

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore.secret import ApiKey

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
        pytest.param("abc", "••••", id="unknown form"),
        pytest.param("sk_stage_abc", "••••", id="unknown environment"),
        pytest.param("", "••••", id="empty"),
    ],
)
def test_a_secret_shows_its_published_prefix_and_a_mask(value: str, shown: str) -> None:
    """The prefix tells which kind of key it is."""
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
    """Whichever way it is turned into text."""
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
def test_a_secret_cannot_be_serialized(write) -> None:
    """Neither as JSON nor by pickle."""
    with pytest.raises(TypeError) as caught:
        write(cx.Secret(VALUE))
    assert HIDDEN not in str(caught.value)


def test_a_frame_written_as_json_does_not_contain_the_value() -> None:
    """pandas serializes attributes of objects: it refuses the cell or finds nothing in it."""
    try:
        written = pd.DataFrame({"key": [cx.Secret(VALUE)]}).to_json()
    except (TypeError, ValueError, OverflowError) as error:
        written = str(error)
    assert HIDDEN not in written


def test_a_traceback_with_locals_does_not_contain_the_value() -> None:
    """It shows the mask."""

    def fail(key: cx.Secret) -> None:
        raise LookupError(key)

    with pytest.raises(LookupError) as caught:
        fail(cx.Secret(VALUE))
    report = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "sk_live_••••" in report
    assert HIDDEN not in report


@pytest.mark.parametrize("duplicate", [pytest.param(copy.copy, id="copy"), pytest.param(copy.deepcopy, id="deepcopy")])
def test_a_secret_can_be_copied(duplicate) -> None:
    """Copies are equal and reveal the same value."""
    copied = duplicate(cx.Secret(VALUE))
    assert VALUE == copied.reveal()
    assert cx.Secret(VALUE) == copied


@given(st.text(), st.text())
def test_secrets_are_equal_if_their_values_are(one: str, other: str) -> None:
    """For any text. A string is never equal to a secret."""
    assert (one == other) == (cx.Secret(one) == cx.Secret(other))
    assert hash(cx.Secret(one)) == hash(cx.Secret(one))
    assert cx.Secret(one) != one


def test_a_secret_of_a_secret_has_the_same_value() -> None:
    """It is not wrapped twice."""
    assert VALUE == cx.Secret(cx.Secret(VALUE)).reveal()


def percent_encoded(text: str) -> str:
    return "".join(f"%{ord(character):02X}" for character in text)


SPELLINGS = [
    pytest.param(lambda key: key, id="as it is"),
    pytest.param(str.upper, id="upper case"),
    pytest.param(str.swapcase, id="swapped case"),
    pytest.param(percent_encoded, id="percent-encoded"),
    pytest.param(lambda key: percent_encoded(key).lower(), id="percent-encoded, lower case"),
    pytest.param(lambda key: key.replace("_", "%5F").replace("+", "%2B").replace("/", "%2F"), id="URL"),
    pytest.param(lambda key: key.replace("_", "\\u005f").replace("+", "\\u002b"), id="escaped as in JSON"),
    pytest.param(lambda key: "".join(f"\\u{ord(character):04X}" for character in key), id="fully escaped as in JSON"),
    pytest.param(lambda key: "".join(f"&#{ord(character)};" for character in key), id="HTML entities"),
    pytest.param(lambda key: "".join(f"&#x{ord(character):X};" for character in key), id="hexadecimal HTML entities"),
    pytest.param(html.escape, id="escaped as HTML"),
]


@pytest.mark.parametrize("key", ["legacy-FALSE-key/0123+456&78", VALUE, "k'<\\\"ey>"])
@pytest.mark.parametrize("spell", SPELLINGS)
def test_a_key_is_masked_however_it_is_spelled(spell, key: str) -> None:
    """Whether or not it has a published prefix; the text around it stays."""
    spelled = spell(key)
    shown = ApiKey(key).redacted_in(f"The key {spelled} is unknown")
    assert spelled not in shown
    assert "••••" in shown
    assert (True, True) == (shown.startswith("The key "), shown.endswith(" is unknown"))


def test_a_very_short_key_does_not_mask_ordinary_words() -> None:
    """A text in which every letter is masked would be useless."""
    assert "a test" == ApiKey("a").redacted_in("a test")


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4), st.text(), st.text())
def test_redaction_masks_any_key_in_any_text(key: str, before: str, after: str) -> None:
    """No key makes the masking itself fail."""
    shown = ApiKey(key).redacted_in(f"{before} {key} {after}")
    assert shown == ApiKey(key).redacted_in(shown) or "•" in key
    assert key not in shown.replace("••••", " ") or key in before or key in after
