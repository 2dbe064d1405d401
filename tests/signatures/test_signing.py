"""`sign` and `verify` as cStar documents signatures: `t=<unix>,v1=<hex>` over `t.body`, with the whole secret as key."""

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
from tests.support.sampling import examples

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
        pytest.param("whsec_gehëim", "whsec_gehëim".encode(), id="non-ASCII text"),
        pytest.param(b"\x00\xff", b"\x00\xff", id="bytes that are not text"),
        pytest.param(" whsec_spaced\n", b" whsec_spaced\n", id="whitespace kept"),
    ],
)
def test_signature_has_the_documented_form(secret, key: bytes) -> None:
    """The key is the whole secret: no prefix stripped, nothing decoded."""
    assert f"t={NOW},v1={mac(f'{NOW}.'.encode() + BODY, key)}" == cx.sign(BODY, secret, NOW)


def test_timestamp_defaults_to_now() -> None:
    """In seconds, not milliseconds."""
    before = int(time.time())
    stamp = int(cx.sign(BODY, SECRET).partition(",")[0].removeprefix("t="))
    assert before <= stamp <= time.time()


@given(
    st.binary(max_size=300),
    st.text(max_size=40, alphabet=st.characters(codec="utf-8", exclude_characters="•●…█■·∙∗＊*.#xX")).map(
        "whsec_a{}".format
    ),
    st.integers(0, 2**40),
)
def test_any_bytes_can_be_signed(body: bytes, secret: str, stamp: int) -> None:
    """The body is not parsed."""
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
def test_body_must_be_bytes(call: str, body) -> None:
    """Reserialized JSON is not what was signed."""
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
def test_missing_or_empty_secret_is_rejected(call: str, secret) -> None:
    """An empty key would let anyone sign."""
    signature = header(key=b"")
    with pytest.raises(errors.ConfigurationError):
        cx.sign(BODY, secret, NOW) if call == "sign" else cx.verify(BODY, signature, secret, now=NOW)


@pytest.mark.parametrize(
    "secrets",
    [pytest.param([], id="list"), pytest.param((), id="tuple"), pytest.param([""], id="list with an empty secret")],
)
def test_empty_collection_of_secrets_is_rejected(secrets) -> None:
    """For example because a variable is not set."""
    with pytest.raises(errors.ConfigurationError):
        cx.verify(BODY, header(key=b""), secrets, now=NOW)


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([SECRET, ""], id="text last"),
        pytest.param(["", SECRET], id="text first"),
        pytest.param([SECRET, b""], id="bytes"),
        pytest.param([SECRET, None], id="None"),
        pytest.param([SECRET, cx.Secret("")], id="Secret"),
    ],
)
def test_empty_secret_among_others_is_rejected(secrets) -> None:
    """A signature made with the empty key is never accepted."""
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
def test_sign_takes_a_single_secret(secrets) -> None:
    """Collections are ambiguous, and a dict's keys are not secrets."""
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
        pytest.param(header(), [OTHER.encode(), cx.Secret(SECRET)], id="mixed types"),
        pytest.param(f"t={NOW},v1={WRONG},v1={RIGHT}", SECRET, id="second v1"),
        pytest.param(f"t={NOW},v1={RIGHT},v1={WRONG}", SECRET, id="first v1"),
        pytest.param(f"t={NOW},v1={WRONG},v1={RIGHT}", [SECRET, OTHER], id="both v1"),
        pytest.param(f"t={NOW},v0=abc,v1={RIGHT}", SECRET, id="with an unknown scheme"),
        pytest.param(f"v1={RIGHT},t={NOW}", SECRET, id="other order"),
        pytest.param(f"t={NOW},v1={RIGHT},", SECRET, id="empty part"),
        pytest.param(f"t={NOW},v1=,v1={RIGHT}", SECRET, id="with an empty v1"),
        pytest.param(header(stamp=NOW - 300), SECRET, id="oldest allowed"),
        pytest.param(header(stamp=NOW + 300), SECRET, id="furthest in the future allowed"),
    ],
)
def test_valid_delivery_returns_its_event(signature: str, secrets) -> None:
    """Several signatures and several secrets allow a rotation without a gap."""
    assert EVENT == cx.verify(BODY, signature, secrets, now=NOW)


@pytest.mark.parametrize(
    "now",
    [
        pytest.param(NOW, id="int"),
        pytest.param(NOW + 0.5, id="float"),
        pytest.param(dt.datetime.fromtimestamp(NOW, dt.UTC), id="datetime in UTC"),
        pytest.param(
            dt.datetime.fromtimestamp(NOW, dt.timezone(dt.timedelta(hours=5, minutes=30))),
            id="datetime in another time zone",
        ),
    ],
)
def test_now_is_unix_seconds_or_a_datetime(now) -> None:
    """In any time zone."""
    assert EVENT == cx.verify(BODY, header(), SECRET, tolerance=1, now=now)
    assert "too_old" == cause_of(BODY, header(stamp=NOW - 2), SECRET, tolerance=1, now=now)


def test_now_defaults_to_the_current_time() -> None:
    """A new delivery is accepted, and an old one is not."""
    assert EVENT == cx.verify(BODY, header(stamp=int(time.time())), SECRET)
    assert "too_old" == cause_of(BODY, header(stamp=int(time.time()) - 400), SECRET)


def test_secrets_can_be_a_generator() -> None:
    """It is read once, and every secret is tried on every signature."""
    signature = f"t={NOW},v1={WRONG[::-1]},v1={RIGHT}"
    assert EVENT == cx.verify(BODY, signature, (secret for secret in (OTHER, SECRET)), now=NOW)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), max_size=8),
        st.integers() | st.text(st.characters(codec="utf-8")) | st.none(),
        max_size=4,
    )
)
def test_signed_event_verifies_and_is_returned_unchanged(event: dict) -> None:
    """Any JSON object."""
    body = json.dumps(event).encode()
    assert event == cx.verify(body, cx.sign(body, SECRET, NOW), SECRET, now=NOW)


# --- verify: rejected


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
        pytest.param(f"t={NOW}.0,v1={RIGHT}", "header_malformed", id="t with a decimal point"),
        pytest.param(f"t={NOW}abc,v1={RIGHT}", "header_malformed", id="t with trailing letters"),
        pytest.param(f"t=-{NOW},v1={RIGHT}", "header_malformed", id="t negative"),
        pytest.param(f"t=+{NOW},v1={RIGHT}", "header_malformed", id="t with a plus"),
        pytest.param(f"t= {NOW},v1={RIGHT}", "header_malformed", id="t after a space"),
        pytest.param(f"t=1_765_377_000,v1={RIGHT}", "header_malformed", id="t with underscores"),
        pytest.param(f"t=१७६५३७७०००,v1={RIGHT}", "header_malformed", id="Devanagari digits"),
        pytest.param(f"t={FULLWIDTH},v1={RIGHT}", "header_malformed", id="fullwidth digits"),
        pytest.param(f"t={NOW},v1={WRONG}", "no_match", id="other secret"),
        pytest.param(f"t={NOW + 1},v1={RIGHT}", "no_match", id="other time"),
        pytest.param(f"t={NOW},v1={RIGHT[:-1]}", "no_match", id="one digit missing"),
        pytest.param(f"t={NOW},v1={RIGHT}0", "no_match", id="one extra digit"),
        pytest.param(f"t={NOW},v1={RIGHT.upper()}", "no_match", id="uppercase hex"),
        pytest.param("sha256=" + mac(BODY), "legacy_form", id="legacy"),
        pytest.param("sha256=00", "legacy_form", id="legacy, wrong"),
        pytest.param(header(stamp=NOW - 301), "too_old", id="too old"),
        pytest.param(header(stamp=NOW + 301), "in_the_future", id="in the future"),
        pytest.param(header(stamp=NOW * 1000), "in_the_future", id="milliseconds"),
        pytest.param(header(key=OTHER, stamp=NOW - 301), "no_match", id="old and with another secret"),
    ],
)
def test_rejection_has_a_cause(signature: str | None, expected: str) -> None:
    """Code can branch on it."""
    assert expected == cause_of(BODY, signature, SECRET, now=NOW)


def test_non_ascii_signature_is_rejected() -> None:
    """`hmac.compare_digest` raises TypeError for such text, which must not reach the caller."""
    signature = f"t={NOW},v1={RIGHT[:-1]}é"
    assert cause_of(BODY, signature, SECRET, now=NOW) in {"no_match", "header_malformed"}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(BODY + b"\n", id="extra newline"),
        pytest.param(BODY[:-1], id="truncated"),
        pytest.param(json.dumps(EVENT).encode(), id="reserialized"),
        pytest.param(b"", id="empty"),
        pytest.param(BODY.replace(b"evt_1", b"evt_2"), id="value changed"),
    ],
)
def test_changed_body_does_not_match(body: bytes) -> None:
    """The signature covers the bytes, not the meaning."""
    assert "no_match" == cause_of(body, header(), SECRET, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"{", id="truncated"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
        pytest.param(b'{"a": "\xff"}', id="invalid UTF-8 in a string"),
        pytest.param(b"[" * 200_000, id="deeply nested, unclosed"),
        pytest.param(b"[" * 200_000 + b"]" * 200_000, id="deeply nested"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="deeply nested objects"),
        pytest.param(b'{"a": ' + b"1" * 5000 + b"}", id="a number of 5,000 digits"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"ticket.created"', id="a string"),
        pytest.param(b"1", id="a number"),
    ],
)
def test_signed_body_that_is_not_an_object_is_rejected(body: bytes) -> None:
    """`verify` always returns a dict."""
    assert "not_json" == cause_of(body, header(body), SECRET, now=NOW)


def test_signature_is_checked_before_the_body_is_parsed() -> None:
    """An unsigned body that is not JSON has cause "no_match"."""
    assert "no_match" == cause_of(b"not json", header(), SECRET, now=NOW)


@pytest.mark.parametrize(
    ("tolerance", "offset", "expected"),
    [
        pytest.param(0, 0, None, id="zero, exact"),
        pytest.param(0, -1, "too_old", id="zero, one second old"),
        pytest.param(0, 1, "in_the_future", id="zero, one second ahead"),
        pytest.param(10, -10, None, id="oldest allowed"),
        pytest.param(10, -11, "too_old", id="too old"),
        pytest.param(10, 10, None, id="furthest in the future allowed"),
        pytest.param(10, 11, "in_the_future", id="in the future"),
        pytest.param(10**9, -(10**8), None, id="wide"),
    ],
)
def test_tolerance_applies_in_both_directions(tolerance: int, offset: int, expected: str | None) -> None:
    """0 accepts only the same second. It does not turn the check off."""
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
def test_invalid_now_or_tolerance_is_rejected(options) -> None:
    """A comparison with NaN is always false, and would accept old deliveries."""
    signature = header(stamp=NOW - 10**6)
    with pytest.raises(errors.CStarError):
        cx.verify(BODY, signature, SECRET, **({"now": NOW} | options))


@pytest.mark.parametrize(
    "digits", [pytest.param(40, id="40"), pytest.param(400, id="400"), pytest.param(5000, id="5,000")]
)
def test_timestamp_with_many_digits_is_rejected(digits: int) -> None:
    """`int` raises ValueError for the longest ones, which must not reach the caller."""
    assert cause_of(BODY, header(stamp="9" * digits), SECRET, now=NOW) in {"in_the_future", "header_malformed"}


# --- the old form


@pytest.mark.parametrize("signature", [pytest.param(mac(BODY), id="correct"), pytest.param("00" * 32, id="wrong")])
def test_legacy_form_is_rejected_even_if_it_matches(signature: str) -> None:
    """It has no timestamp, so a delivery could be replayed forever."""
    with pytest.raises(errors.SignatureError, match="no longer sends") as caught:
        cx.verify(BODY, f"sha256={signature}", SECRET, now=NOW)

    assert caught.value.cause == "legacy_form"


# --- arbitrary arguments


class Unexpected:
    """An object of an unexpected type."""

    def __repr__(self) -> str:
        return "<unexpected>"


ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=60)
    | st.binary(max_size=60)
    | st.builds(bytearray, st.binary(max_size=20))
    | st.builds(Unexpected)
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


@settings(max_examples=examples(400), deadline=None)
@given(
    body=st.just(BODY) | ANYTHING,
    signature=HEADERS,
    secret=st.just(SECRET) | ANYTHING,
    now=st.just(NOW) | ANYTHING,
    tolerance=st.just(300) | ANYTHING,
)
def test_verify_returns_an_event_or_raises_cstar_error(body, signature, secret, now, tolerance) -> None:
    """For any arguments, so a handler that catches CStarError never answers 500."""
    try:
        outcome = cx.verify(body, signature, secret, tolerance, now)
    except errors.CStarError as error:
        outcome = error
    assert isinstance(outcome, dict | errors.CStarError)


@settings(max_examples=examples(200), deadline=None)
@given(body=st.just(BODY) | ANYTHING, secret=st.just(SECRET) | ANYTHING, stamp=st.just(NOW) | ANYTHING)
def test_sign_returns_a_signature_or_raises_cstar_error(body, secret, stamp) -> None:
    """For any arguments."""
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
        pytest.param(lambda: cx.verify(BODY, SECRET, SECRET, now=NOW), id="secret passed as the header"),
        pytest.param(lambda: cx.verify(BODY.decode(), header(), SECRET, now=NOW), id="text"),
        pytest.param(lambda: cx.verify(BODY, header(stamp=1), [OTHER, SECRET], now=NOW), id="too old"),
        pytest.param(lambda: cx.sign(BODY.decode(), SECRET, NOW), id="sign"),
    ],
)
def test_errors_contain_neither_secret_nor_correct_signature(call) -> None:
    """Errors are logged, and for its body a correct signature is as good as the secret."""
    with pytest.raises(errors.CStarError) as caught:
        call()
    shown = f"{caught.value} {caught.value!r} {caught.value.advice} {vars(caught.value)}"
    assert [] == [hidden for hidden in (SECRET[6:], OTHER[6:], RIGHT) if hidden in shown]


def test_signature_error_is_a_cstar_error_with_advice() -> None:
    """So it can be caught with all the others."""
    with pytest.raises(errors.CStarError) as caught:
        cx.verify(BODY, None, SECRET, now=NOW)
    assert isinstance(caught.value, errors.SignatureError)
    assert caught.value.advice
