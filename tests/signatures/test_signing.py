"""Signing and verifying as cStar publishes it: `t=<unix>,v1=<hex>` over `t.body`, keyed with the whole secret."""

import datetime as dt
import hashlib
import hmac
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors

NOW = 1_765_377_000
SECRET = "whsec_AbCdEf1234567890"
OTHER = "whsec_another1234567890"
EVENT = {"id": "evt_1", "type": "ticket.created", "data": {"ticket": {"title": "Grüße / <b>"}}}
BODY = json.dumps(EVENT, ensure_ascii=False, separators=(",", ":")).encode()
CAUSES = {"header_missing", "header_malformed", "legacy_form", "no_match", "too_old", "in_the_future", "not_json"}


def mac(message: bytes, key: str | bytes = SECRET) -> str:
    return hmac.new(key.encode() if isinstance(key, str) else key, message, hashlib.sha256).hexdigest()


def header(body: bytes = BODY, key: str | bytes = SECRET, stamp: int | str = NOW) -> str:
    return f"t={stamp},v1={mac(f'{stamp}.'.encode() + body, key)}"


RIGHT = mac(f"{NOW}.".encode() + BODY)
WRONG = mac(f"{NOW}.".encode() + BODY, OTHER)
FULLWIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in str(NOW))


def cause_of(*args, **options) -> str:
    with pytest.raises(errors.SignatureError) as caught:
        cx.verify(*args, **options)
    assert caught.value.cause in CAUSES
    return caught.value.cause


# --- sign


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        pytest.param(SECRET, SECRET.encode(), id="text"),
        pytest.param(SECRET.encode(), SECRET.encode(), id="bytes"),
        pytest.param(cx.Secret(SECRET), SECRET.encode(), id="Secret"),
        pytest.param("whsec_gehëim", "whsec_gehëim".encode(), id="letters outside of ASCII"),
        pytest.param(b"\x00\xff", b"\x00\xff", id="bytes that are no text"),
        pytest.param(" whsec_spaced\n", b" whsec_spaced\n", id="nothing trimmed"),
    ],
)
def test_a_signature_is_the_published_one(secret, key: bytes) -> None:
    """The key is the whole secret as shown: no prefix stripped, nothing decoded."""
    assert f"t={NOW},v1={mac(f'{NOW}.'.encode() + BODY, key)}" == cx.sign(BODY, secret, NOW)


def test_a_signature_without_a_time_is_of_now() -> None:
    """Seconds since 1970, not milliseconds."""
    before = int(time.time())
    stamp = int(cx.sign(BODY, SECRET).partition(",")[0].removeprefix("t="))
    assert before <= stamp <= time.time()


@given(
    st.binary(max_size=300),
    st.text(min_size=1, max_size=40, alphabet=st.characters(codec="utf-8")),
    st.integers(0, 2**40),
)
def test_any_bytes_can_be_signed(body: bytes, secret: str, stamp: int) -> None:
    """The body is bytes and is not looked into."""
    assert header(body, secret, stamp) == cx.sign(body, secret, stamp)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{}", id="text"),
        pytest.param({}, id="dict"),
        pytest.param(None, id="None"),
        pytest.param(1, id="number"),
        pytest.param([], id="list"),
    ],
)
@pytest.mark.parametrize("call", [pytest.param("sign", id="sign"), pytest.param("verify", id="verify")])
def test_a_body_that_is_not_bytes_is_refused(call: str, body) -> None:
    """Parsed JSON written again is not what was signed."""
    with pytest.raises(errors.ValidationError) as caught:
        cx.sign(body, SECRET, NOW) if call == "sign" else cx.verify(body, header(), SECRET, now=NOW)
    assert caught.value.status is None
    assert "bytes" in f"{caught.value} {caught.value.advice}"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(None, id="None"),
        pytest.param("", id="empty text"),
        pytest.param(b"", id="empty bytes"),
        pytest.param(cx.Secret(""), id="empty Secret"),
    ],
)
@pytest.mark.parametrize("call", [pytest.param("sign", id="sign"), pytest.param("verify", id="verify")])
def test_no_secret_is_refused(call: str, secret) -> None:
    """An empty key would let anybody sign."""
    signature = header(key=b"")
    with pytest.raises(errors.ConfigurationError):
        cx.sign(BODY, secret, NOW) if call == "sign" else cx.verify(BODY, signature, secret, now=NOW)


@pytest.mark.parametrize(
    "secrets", [pytest.param([], id="list"), pytest.param((), id="tuple"), pytest.param([""], id="an empty one")]
)
def test_no_secrets_among_several_is_refused(secrets) -> None:
    """A variable that was not set ends here."""
    with pytest.raises(errors.ConfigurationError):
        cx.verify(BODY, header(key=b""), secrets, now=NOW)


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([SECRET, ""], id="text"),
        pytest.param(["", SECRET], id="first"),
        pytest.param([SECRET, b""], id="bytes"),
        pytest.param([SECRET, None], id="None"),
        pytest.param([SECRET, cx.Secret("")], id="Secret"),
    ],
)
def test_an_empty_secret_among_good_ones_opens_no_door(secrets) -> None:
    """What anybody can sign with the empty key is never accepted."""
    forged = header(key=b"")
    with pytest.raises(errors.CStarError):
        cx.verify(BODY, forged, secrets, now=NOW)


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([SECRET, OTHER], id="list"),
        pytest.param((OTHER, SECRET), id="tuple"),
        pytest.param({SECRET, OTHER}, id="set"),
        pytest.param({"secret": SECRET}, id="dict"),
    ],
)
def test_a_signature_is_made_with_one_secret(secrets) -> None:
    """Which of several would sign, nobody could tell; the keys of a dict are not secrets at all."""
    with pytest.raises(errors.CStarError):
        cx.sign(BODY, secrets, NOW)


# --- verify: accepted


@pytest.mark.parametrize(
    ("signature", "secrets"),
    [
        pytest.param(header(), SECRET, id="one secret"),
        pytest.param(header(), SECRET.encode(), id="bytes"),
        pytest.param(header(), cx.Secret(SECRET), id="Secret"),
        pytest.param(header(), [SECRET], id="list of one"),
        pytest.param(header(), [OTHER, SECRET], id="second of two"),
        pytest.param(header(), (SECRET, OTHER), id="first of two"),
        pytest.param(header(), [OTHER.encode(), cx.Secret(SECRET)], id="kinds mixed"),
        pytest.param(f"t={NOW},v1={WRONG},v1={RIGHT}", SECRET, id="second v1"),
        pytest.param(f"t={NOW},v1={RIGHT},v1={WRONG}", SECRET, id="first v1"),
        pytest.param(f"t={NOW},v1={WRONG},v1={RIGHT}", [SECRET, OTHER], id="both v1"),
        pytest.param(f"t={NOW},v0=abc,v1={RIGHT}", SECRET, id="unknown scheme beside"),
        pytest.param(f"v1={RIGHT},t={NOW}", SECRET, id="other order"),
        pytest.param(f"t={NOW},v1={RIGHT},", SECRET, id="empty part"),
        pytest.param(f"t={NOW},v1=,v1={RIGHT}", SECRET, id="empty v1 beside"),
        pytest.param(header(stamp=NOW - 300), SECRET, id="oldest"),
        pytest.param(header(stamp=NOW + 300), SECRET, id="youngest"),
    ],
)
def test_a_good_delivery_gives_its_event(signature: str, secrets) -> None:
    """Several signatures and several secrets let a secret be changed without a gap."""
    assert EVENT == cx.verify(BODY, signature, secrets, now=NOW)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(NOW, id="int"),
        pytest.param(NOW + 0.5, id="float"),
        pytest.param(dt.datetime.fromtimestamp(NOW, dt.UTC), id="datetime in UTC"),
        pytest.param(dt.datetime.fromtimestamp(NOW, dt.timezone(dt.timedelta(hours=5, minutes=30))), id="elsewhere"),
    ],
)
def test_now_is_seconds_or_a_datetime(now) -> None:
    """The same moment, however it is written."""
    assert EVENT == cx.verify(BODY, header(), SECRET, tolerance=1, now=now)
    assert "too_old" == cause_of(BODY, header(stamp=NOW - 2), SECRET, tolerance=1, now=now)


def test_now_is_the_clock_if_not_given() -> None:
    """A fresh delivery passes and an old one does not."""
    assert EVENT == cx.verify(BODY, header(stamp=int(time.time())), SECRET)
    assert "too_old" == cause_of(BODY, header(stamp=int(time.time()) - 400), SECRET)


def test_the_secret_may_come_from_a_generator() -> None:
    """One or several means any iterable; one that can be read only once gives every signature its chance."""
    signature = f"t={NOW},v1={WRONG[::-1]},v1={RIGHT}"
    assert EVENT == cx.verify(BODY, signature, (secret for secret in (OTHER, SECRET)), now=NOW)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.integers() | st.text(st.characters(codec="utf-8")) | st.none(),
        max_size=4,
    )
)
def test_what_is_signed_verifies_and_comes_back_as_it_was(event: dict) -> None:
    """The event is the parsed body, whole."""
    body = json.dumps(event).encode()
    assert event == cx.verify(body, cx.sign(body, SECRET, NOW), SECRET, now=NOW)


# --- verify: refused


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        pytest.param(None, "header_missing", id="None"),
        pytest.param("", "header_missing", id="empty"),
        pytest.param("garbage", "header_malformed", id="garbage"),
        pytest.param(f"t={NOW}", "header_malformed", id="no v1"),
        pytest.param(f"v1={RIGHT}", "header_malformed", id="no t"),
        pytest.param(f"t={NOW},v0={RIGHT}", "header_malformed", id="only an unknown scheme"),
        pytest.param(f"t=,v1={RIGHT}", "header_malformed", id="t empty"),
        pytest.param(f"t,v1={RIGHT}", "header_malformed", id="t without ="),
        pytest.param(f"t=now,v1={RIGHT}", "header_malformed", id="t not a number"),
        pytest.param(f"t={NOW}.0,v1={RIGHT}", "header_malformed", id="t with a point"),
        pytest.param(f"t={NOW}abc,v1={RIGHT}", "header_malformed", id="letters behind t"),
        pytest.param(f"t=-{NOW},v1={RIGHT}", "header_malformed", id="t negative"),
        pytest.param(f"t=+{NOW},v1={RIGHT}", "header_malformed", id="t with a plus"),
        pytest.param(f"t= {NOW},v1={RIGHT}", "header_malformed", id="t after a space"),
        pytest.param(f"t=1_765_377_000,v1={RIGHT}", "header_malformed", id="t with underscores"),
        pytest.param(f"t=१७६५३७७०००,v1={RIGHT}", "header_malformed", id="Devanagari digits"),
        pytest.param(f"t={FULLWIDTH},v1={RIGHT}", "header_malformed", id="fullwidth digits"),
        pytest.param(f"t={NOW},v1={WRONG}", "no_match", id="other secret"),
        pytest.param(f"t={NOW + 1},v1={RIGHT}", "no_match", id="other time"),
        pytest.param(f"t={NOW},v1={RIGHT[:-1]}", "no_match", id="one digit less"),
        pytest.param(f"t={NOW},v1={RIGHT}0", "no_match", id="one digit more"),
        pytest.param(f"t={NOW},v1={RIGHT.upper()}", "no_match", id="capitals"),
        pytest.param("sha256=" + mac(BODY), "legacy_form", id="legacy"),
        pytest.param("sha256=00", "legacy_form", id="legacy and wrong"),
        pytest.param(header(stamp=NOW - 301), "too_old", id="too old"),
        pytest.param(header(stamp=NOW + 301), "in_the_future", id="in the future"),
        pytest.param(header(stamp=NOW * 1000), "in_the_future", id="milliseconds"),
        pytest.param(header(key=OTHER, stamp=NOW - 301), "no_match", id="old and of another secret"),
    ],
)
def test_a_refusal_names_its_cause(signature: str | None, expected: str) -> None:
    """Code can branch on the cause without reading prose."""
    assert expected == cause_of(BODY, signature, SECRET, now=NOW)


def test_a_signature_with_letters_outside_of_ascii_is_refused() -> None:
    """Comparing such text in constant time is an error in Python, and that must not come through."""
    signature = f"t={NOW},v1={RIGHT[:-1]}é"
    assert cause_of(BODY, signature, SECRET, now=NOW) in {"no_match", "header_malformed"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY + b"\n", id="newline more"),
        pytest.param(BODY[:-1], id="cut"),
        pytest.param(json.dumps(EVENT).encode(), id="written again"),
        pytest.param(b"", id="empty"),
        pytest.param(BODY.replace(b"evt_1", b"evt_2"), id="value changed"),
    ],
)
def test_another_body_does_not_match(body: bytes) -> None:
    """The signature covers the bytes, not their meaning."""
    assert "no_match" == cause_of(body, header(), SECRET, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe\x00", id="bytes that are no text"),
        pytest.param(b'{"a": "\xff"}', id="not UTF-8 inside"),
        pytest.param(b"[" * 200_000, id="deeply nested, open"),
        pytest.param(b"[" * 200_000 + b"]" * 200_000, id="deeply nested"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="deeply nested objects"),
        pytest.param(b'{"a": ' + b"1" * 5000 + b"}", id="a number of 5,000 digits"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"ticket.created"', id="a word"),
        pytest.param(b"1", id="a number"),
    ],
)
def test_a_well_signed_body_that_holds_no_event_is_our_own_error(body: bytes) -> None:
    """What comes back is always an event, a dict."""
    assert "not_json" == cause_of(body, header(body), SECRET, now=NOW)


def test_an_event_is_not_read_before_its_signature_matches() -> None:
    """A body that is not JSON and not signed is refused for its signature."""
    assert "no_match" == cause_of(b"not json", header(), SECRET, now=NOW)


@pytest.mark.parametrize(
    ("tolerance", "offset", "expected"),
    [
        pytest.param(0, 0, None, id="none, exact"),
        pytest.param(0, -1, "too_old", id="none, a second old"),
        pytest.param(0, 1, "in_the_future", id="none, a second ahead"),
        pytest.param(10, -10, None, id="oldest"),
        pytest.param(10, -11, "too_old", id="too old"),
        pytest.param(10, 10, None, id="youngest"),
        pytest.param(10, 11, "in_the_future", id="in the future"),
        pytest.param(10**9, -(10**8), None, id="wide"),
    ],
)
def test_the_window_is_as_wide_as_told_on_both_sides(tolerance: int, offset: int, expected: str | None) -> None:
    """0 means this very second and does not switch the check off."""
    signature = header(stamp=NOW + offset)
    if expected is None:
        assert EVENT == cx.verify(BODY, signature, SECRET, tolerance=tolerance, now=NOW)
    else:
        assert expected == cause_of(BODY, signature, SECRET, tolerance=tolerance, now=NOW)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"tolerance": float("nan")}, id="tolerance NaN"),
        pytest.param({"tolerance": -1}, id="tolerance negative"),
        pytest.param({"tolerance": "300"}, id="tolerance as text"),
        pytest.param({"now": float("nan")}, id="now NaN"),
        pytest.param({"now": "today"}, id="now as text"),
        pytest.param({"now": float("inf")}, id="now infinite"),
        pytest.param({"now": dt.date(2025, 12, 10)}, id="now a date"),
    ],
)
def test_a_clock_or_window_that_is_none_opens_no_door(options) -> None:
    """A comparison that is never true would let everything old in."""
    signature = header(stamp=NOW - 10**6)
    with pytest.raises(errors.CStarError):
        cx.verify(BODY, signature, SECRET, **({"now": NOW} | options))


@pytest.mark.parametrize(
    "digits", [pytest.param(40, id="40"), pytest.param(400, id="400"), pytest.param(5000, id="5,000")]
)
def test_a_time_of_many_digits_is_refused(digits: int) -> None:
    """Python itself refuses to read the longest ones, and that must not come through."""
    assert cause_of(BODY, header(stamp="9" * digits), SECRET, now=NOW) in {"in_the_future", "header_malformed"}


# --- the old form -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signature", [pytest.param(mac(BODY), id="right"), pytest.param("00" * 32, id="wrong")])
def test_the_old_form_is_refused_whether_or_not_it_matches(signature: str) -> None:
    """It contains no time, so a delivery that was seen once could be replayed for ever."""
    with pytest.raises(errors.SignatureError, match="no longer sends") as caught:
        cx.verify(BODY, f"sha256={signature}", SECRET, now=NOW)

    assert caught.value.cause == "legacy_form"


# --- whatever comes


class Odd:
    """Something that is none of the expected types."""

    def __repr__(self) -> str:
        return "<odd>"


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.builds(bytearray, st.binary(max_size=20))
    | st.builds(Odd)
    | st.lists(st.text(max_size=5) | st.none() | st.integers() | st.binary(max_size=5), max_size=3)
    | st.dictionaries(st.text(max_size=5), st.integers(), max_size=2)
)
HEADERS = (
    ANYTHING
    | st.sampled_from((header(), f"t={NOW},v1={WRONG}", "sha256=" + mac(BODY)))
    | st.lists(
        st.builds(
            "{}={}".format, st.sampled_from(("t", "v1", "v0", "", "T")), st.text(max_size=12) | st.just(str(NOW))
        ),
        max_size=4,
    ).map(",".join)
)


@settings(max_examples=400, deadline=None)
@given(
    body=st.just(BODY) | ANYTHING,
    signature=HEADERS,
    secret=st.just(SECRET) | ANYTHING,
    now=st.just(NOW) | ANYTHING,
    tolerance=st.just(300) | ANYTHING,
)
def test_verify_gives_an_event_or_our_own_error(body, signature, secret, now, tolerance) -> None:
    """Whatever is handed in, a handler that catches our error never answers 500 for another."""
    try:
        outcome = cx.verify(body, signature, secret, tolerance, now)
    except errors.CStarError as error:
        outcome = error
    assert isinstance(outcome, dict | errors.CStarError)


@settings(max_examples=200, deadline=None)
@given(body=st.just(BODY) | ANYTHING, secret=st.just(SECRET) | ANYTHING, stamp=st.just(NOW) | ANYTHING)
def test_sign_gives_a_signature_or_our_own_error(body, secret, stamp) -> None:
    """Nothing else comes out of it."""
    try:
        outcome = cx.sign(body, secret, stamp)
    except errors.CStarError as error:
        outcome = error
    assert isinstance(outcome, str | errors.CStarError)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: cx.verify(BODY, header(key=OTHER), SECRET, now=NOW), id="no match"),
        pytest.param(lambda: cx.verify(BODY, None, SECRET, now=NOW), id="no header"),
        pytest.param(lambda: cx.verify(BODY, SECRET, SECRET, now=NOW), id="secret handed in as the header"),
        pytest.param(lambda: cx.verify(BODY.decode(), header(), SECRET, now=NOW), id="text"),
        pytest.param(lambda: cx.verify(BODY, header(stamp=1), [OTHER, SECRET], now=NOW), id="too old"),
        pytest.param(lambda: cx.sign(BODY.decode(), SECRET, NOW), id="sign"),
    ],
)
def test_no_error_shows_a_secret_or_the_signature_it_wanted(call) -> None:
    """An error ends in logs; a signature that fits is as good as the secret for this one body."""
    with pytest.raises(errors.CStarError) as caught:
        call()
    shown = f"{caught.value} {caught.value!r} {caught.value.advice} {vars(caught.value)}"
    assert [] == [hidden for hidden in (SECRET[6:], OTHER[6:], RIGHT) if hidden in shown]


def test_a_signature_error_is_one_of_ours_and_says_what_to_do() -> None:
    """It can be caught with all the others."""
    with pytest.raises(errors.CStarError) as caught:
        cx.verify(BODY, None, SECRET, now=NOW)
    assert isinstance(caught.value, errors.SignatureError)
    assert caught.value.advice
