"""`explain(…).ok` is true exactly if `verify` returns: both have the same reader."""

import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.signatures import diagnosis
from tests.support.sampling import examples

NOW = 1_765_377_000
SECRET = "whsec_AbCdEf1234567890"
OTHER = "whsec_another1234567890"
EVENT = {"id": "evt_1", "type": "ticket.created", "data": {"ticket": {"title": "Grüße / <b>"}}}
BODY = json.dumps(EVENT, ensure_ascii=False, separators=(",", ":")).encode()


def mac(key: str, stamp: int | str, body: bytes) -> str:
    return hmac.new(key.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


BODIES = st.sampled_from(
    (BODY, json.dumps(EVENT, indent=2).encode(), b"{}", b"[]", b"null", b"no JSON", b"", BODY[:40])
)
KEYS = st.sampled_from((SECRET, SECRET, SECRET, OTHER, "whsec_••••", " whsec_spaced\n"))
SECRETS = st.sampled_from(
    (
        SECRET,
        SECRET.encode(),
        cx.Secret(SECRET),
        OTHER,
        f"{SECRET}\n",
        f'"{SECRET}"',
        f"SECRET={SECRET}",
        " whsec_spaced\n",
    )
)
REFUSED = st.sampled_from(("", " ", "whsec_", "whsec_••••", "<secret>", b"\0", None))
HELD = SECRETS | REFUSED | st.lists(SECRETS | SECRETS | REFUSED, max_size=3) | st.tuples(SECRETS, SECRETS)
ODD = st.sampled_from(
    (
        "v1=potato",
        "v1=",
        "v1",
        "t",
        "t=1",
        "v0=00",
        "foo",
        "",
        "V1=1",
        "v1=é",
        f"v1={'0' * 64}",
        f"v1={'A' * 64}",
        "v1=00",
    )
)
STAMPS = st.sampled_from((NOW, NOW, NOW - 299, NOW - 301, NOW + 300, NOW + 301, NOW * 1000, 0, f"0{NOW}", f"{NOW}.0"))
SPACES = st.sampled_from(("", "", "", " ", "\t", "\r\n", "\x0b", "\u00a0"))
TIMES = st.sampled_from(
    (
        NOW,
        NOW + 0.5,
        NOW * 1000,
        dt.datetime.fromtimestamp(NOW, dt.UTC),
        dt.datetime.fromtimestamp(NOW, dt.timezone(dt.timedelta(hours=-5))),
        dt.datetime.fromtimestamp(NOW),  # noqa: DTZ006 - refused by both
        "now",
    )
)
TOLERANCES = st.sampled_from((300, 300, 300.0, 0, 10**9, -1, float("nan"), None))


@st.composite
def signatures(draw, body: bytes) -> str:
    """A signature, correct or not, among odd parts, with whitespace around it."""
    key, stamp = draw(KEYS), draw(STAMPS)
    parts = [f"v1={mac(key, stamp, body)}", *draw(st.lists(ODD, max_size=2))]
    parts.insert(draw(st.integers(0, len(parts))), f"t={stamp}")
    before, after = draw(SPACES), draw(SPACES)
    return before + draw(st.sampled_from((",", ",", ",", ", ", ";"))).join(parts) + after


def containers(value: str) -> dict[str, Any]:
    """The same header in the forms in which people have it."""
    return {
        "value": value,
        "bytes": value.encode("utf-8"),
        "mapping": {"Host": "a", "X-Signature": value},
        "pairs": [("x-signature", value)],
        "list": {"X-SIGNATURE": [value, "t=1,v1=00"]},
        "WSGI": {"HTTP_X_SIGNATURE": value, "wsgi.input": object()},
        "line": f"X-Signature: {value}",
        "other header": {"Stripe-Signature": value},
        "legacy": f"sha256={value}",
        "none": None,
        "unreadable": {"X-Signature": object()},
    }


def verified(*arguments: Any, **options: Any) -> Any:
    """The event, or the error."""
    try:
        return cx.verify(*arguments, **options)
    except errors.CStarError as error:
        return error


def explained(*arguments: Any, **options: Any) -> Any:
    """The explanation, or the error."""
    try:
        return cx.explain(*arguments, **options)
    except errors.CStarError as error:
        return error


# The causes with which `explain` may elaborate a cause of `verify`; for "no_match", any other.
ELABORATED = {
    "ok": {"ok"},
    "not_json": {"not_json"},
    "too_old": {"too_old"},
    "in_the_future": {"in_the_future", "milliseconds"},
    "legacy_form": {"legacy_form"},
    "header_malformed": {"header_malformed"},
    "header_missing": {"header_missing", "header_old_name", "other_provider"},
}
FINAL = {
    "ok",
    "not_json",
    "too_old",
    "in_the_future",
    "legacy_form",
    "header_missing",
    "header_old_name",
    "other_provider",
}


@settings(max_examples=examples(1_500), deadline=None)
@given(st.data())
def test_explain_is_ok_exactly_if_verify_returns(data) -> None:
    """For any headers, bodies, secrets, times and tolerances; and its cause is the one of `verify`, or elaborates it."""
    signed, secrets, now, tolerance = data.draw(BODIES), data.draw(HELD), data.draw(TIMES), data.draw(TOLERANCES)
    body = data.draw(st.sampled_from((signed, signed, signed, signed + b"\n", BODY)))
    headers = containers(data.draw(signatures(signed)))
    header = headers[data.draw(st.sampled_from(list(headers)))]
    event = verified(body, header, secrets, tolerance, now)
    explanation = explained(body, header, secrets, now, tolerance)
    assert isinstance(event, dict) == getattr(explanation, "ok", False)
    if isinstance(explanation, errors.CStarError):
        assert type(event) in {type(explanation), errors.ConfigurationError}  # a mask counts before a time
    elif isinstance(event, errors.ConfigurationError):
        assert not explanation.ok  # a mask, which `explain` diagnoses
    else:
        cause = getattr(event, "cause", "ok")
        assert explanation.cause in ELABORATED.get(cause, set(diagnosis.CAUSES) - FINAL)


VALID = f"t={NOW},v1={mac(SECRET, NOW, BODY)}"


@pytest.mark.parametrize("form", list(containers(VALID)))
def test_valid_signature_verifies_in_any_readable_form(form: str) -> None:
    """`verify` takes what `explain` takes."""
    header = containers(VALID)[form]
    event = verified(BODY, header, SECRET, now=NOW)
    assert (event == EVENT) == (form not in {"other header", "legacy", "none", "unreadable"})


@given(st.text(max_size=60) | st.binary(max_size=60))
@example("X-Signature:")
@example(": t=1")
@example("{'x-signature': 1}")
def test_any_text_is_malformed_or_missing_in_both(text) -> None:
    """Whatever it resembles."""
    event, explanation = verified(BODY, text, SECRET, now=NOW), explained(BODY, text, SECRET, NOW)
    assert isinstance(event, errors.CStarError)
    assert isinstance(explanation, errors.CStarError) or explanation.cause in ELABORATED.get(
        event.cause, set(diagnosis.CAUSES) - FINAL
    )
