"""Foreign text is displayed literally."""

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cstar_explore import text

# Control characters, format characters with all direction marks, line separators, surrogates.
UNPRINTABLE = {"Cc", "Cf", "Zl", "Zp", "Cs"}
ANY_TEXT = st.text(st.characters())  # with unpaired surrogates


@pytest.mark.parametrize(
    "character",
    [
        pytest.param("\x00", id="NUL"),
        pytest.param("\x07", id="bell"),
        pytest.param("\x08", id="backspace"),
        pytest.param("\n", id="line feed"),
        pytest.param("\r", id="carriage return"),
        pytest.param("\x1b", id="escape"),
        pytest.param("\x7f", id="delete"),
        pytest.param("\x85", id="next line"),
        pytest.param("\x9b", id="8-bit CSI"),
        pytest.param("\u061c", id="Arabic letter mark"),
        pytest.param("\u200b", id="zero width space"),
        pytest.param("\u200e", id="left-to-right mark"),
        pytest.param("\u200f", id="right-to-left mark"),
        pytest.param("\u2028", id="line separator"),
        pytest.param("\u2029", id="paragraph separator"),
        pytest.param("\u202a", id="left-to-right embedding"),
        pytest.param("\u202e", id="right-to-left override"),
        pytest.param("\u2066", id="left-to-right isolate"),
        pytest.param("\u2069", id="pop isolate"),
        pytest.param("\ufeff", id="byte order mark"),
        pytest.param("\ud800", id="unpaired surrogate"),
    ],
)
def test_a_control_character_is_escaped(character: str) -> None:
    """The text around it is unchanged."""
    shown = text.printable(f"before{character}after")
    assert character not in shown
    assert shown.startswith("before\\")
    assert shown.endswith("after")


@pytest.mark.parametrize(
    "plain",
    [
        pytest.param("Slack Notifications", id="words"),
        pytest.param('Zoë\'s $5 & <b> 100% "x"', id="punctuation"),
        pytest.param("通知 уведомления إشعارات", id="not ASCII"),
        pytest.param("🎉 done", id="emoji"),
        pytest.param("", id="empty"),
    ],
)
def test_plain_text_is_unchanged(plain: str) -> None:
    """Only characters that are not printable are escaped."""
    assert plain == text.printable(plain)


@given(ANY_TEXT)
def test_printable_text_is_one_line_without_control_characters(value: str) -> None:
    """It can be encoded as UTF-8."""
    shown = text.printable(value)
    assert set() == {unicodedata.category(character) for character in shown} & UNPRINTABLE
    assert shown.encode().decode() == shown


@given(st.one_of(ANY_TEXT, st.integers(), st.none(), st.binary(), st.lists(ANY_TEXT)))
def test_any_value_can_be_shown(value: object) -> None:
    """Foreign JSON contains more than text."""
    assert isinstance(text.printable(value), str)


@given(st.text(min_size=50), st.integers(2, 40))
def test_long_text_is_cut_with_an_ellipsis(value: str, limit: int) -> None:
    """After the beginning of the value."""
    shown = text.printable(value, limit)
    rest = shown.removeprefix(text.printable(value[: limit - 1], limit))
    assert rest != shown
    assert "…" in rest
    assert len(rest) < 40


def test_text_within_the_limit_is_not_cut() -> None:
    """Text of exactly the limit fits."""
    assert "x" * 20 == text.printable("x" * 20, 20)


@given(ANY_TEXT)
def test_escaped_text_is_displayed_as_the_printable_text(value: str) -> None:
    """It contains no markup."""
    shown = text.escaped(value)
    assert set() == set("<>\"'") & set(shown)
    assert text.printable(value) == html.unescape(shown)


def test_escaped_text_is_not_cut_inside_an_entity() -> None:
    """The limit counts the characters that are displayed."""
    assert text.escaped("<" * 30, 10).startswith("&lt;" * 9)
    assert text.printable("<" * 30, 10) == html.unescape(text.escaped("<" * 30, 10))


KEY = "abcdefghijklmnopqrstuvwxyz-_1234"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(f"key sk_live_{KEY} here", "key sk_live_•••• here", id="secret live key"),
        pytest.param(f"key sk_test_{KEY} here", "key sk_test_•••• here", id="secret test key"),
        pytest.param(f"key pk_live_{KEY} here", "key pk_live_•••• here", id="publishable key"),
        pytest.param("whsec_AbCdEf1234567890 here", "whsec_•••• here", id="signing secret"),
        pytest.param("Authorization: Bearer abc.def-123", "Authorization: Bearer ••••", id="bearer token"),
        pytest.param(f'{{"key":"sk_live_{KEY}"}}', '{"key":"sk_live_••••"}', id="inside JSON"),
        pytest.param(f"sk_live_{KEY},sk_test_{KEY}", "sk_live_••••,sk_test_••••", id="two of them"),
        pytest.param(f"SK_LIVE_{KEY.upper()} here", "SK_LIVE_•••• here", id="upper case"),
        pytest.param(f"?key=sk%5Flive%5f{KEY}&x=1", "?key=sk%5Flive%5f••••&x=1", id="percent-encoded underscore"),
        pytest.param(f'"sk\\u005flive\\u005F{KEY}"', '"sk\\u005flive\\u005F••••"', id="escaped underscore"),
        pytest.param("authorization: bearer abc.def-123", "authorization: bearer ••••", id="bearer in lower case"),
        pytest.param("Bearer%20abc.def-123 x", "Bearer%20•••• x", id="bearer, percent-encoded"),
        pytest.param("nothing to hide", "nothing to hide", id="none"),
    ],
)
def test_anything_that_looks_like_a_key_is_masked(value: str, shown: str) -> None:
    """Its prefix is kept."""
    assert shown == text.redacted(value)


@given(ANY_TEXT, ANY_TEXT)
def test_a_key_is_masked_in_any_text(before: str, after: str) -> None:
    """Masking twice changes nothing more."""
    shown = text.redacted(f"{before} sk_live_{KEY} {after}")
    assert KEY not in shown
    assert shown == text.redacted(shown)
