"""What is no secret is refused, and no frame of a traceback holds a secret in clear."""

import hashlib
import hmac
import itertools
import json
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.signatures import keys
from tests.support import delivery_corpus as corpus

NOW = 1_765_377_000
SECRET = "whsec_AbCdEf1234567890"
OTHER = "whsec_another1234567890"
BODY = b'{"id":"evt_1","type":"ticket.created","data":{}}'
GOOD = corpus.signed(BODY, SECRET, NOW)
FORGED = corpus.signed(BODY, OTHER, NOW)

# --- what is no secret

EMPTY = [
    pytest.param("", id="empty"),
    pytest.param(b"", id="no bytes"),
    pytest.param(cx.Secret(""), id="empty Secret"),
    pytest.param(" ", id="space"),
    pytest.param("\r\n\t", id="line end"),
    pytest.param(b"\n", id="line end as bytes"),
    pytest.param("\u00a0\u2003", id="other spaces"),
    pytest.param("\ufeff", id="byte order mark"),
    pytest.param("\u200b", id="zero-width space"),
    pytest.param("\0", id="NUL"),
    pytest.param(bytes(64), id="64 NULs"),
    pytest.param("whsec_", id="prefix"),
    pytest.param("whsec", id="prefix without underscore"),
    pytest.param("WHSEC_", id="prefix in capitals"),
    pytest.param("whsec_\n", id="prefix and line end"),
    pytest.param(b"whsec_\0\0", id="prefix and NULs"),
    pytest.param(None, id="None"),
    pytest.param(0, id="number"),
    pytest.param(True, id="True"),
    pytest.param([], id="empty list"),
    pytest.param({"secret": SECRET}, id="dict"),
    pytest.param([None], id="list of None"),
    pytest.param(object(), id="object"),
]
MASKS = [
    pytest.param(text, id=text)
    for text in (
        "••••", "whsec_••••", "whsec_…", "whsec_...", "****", "whsec_********", "whsec_AbCd****", "whsec_••••wxyz", "●●●●",
        "whsec_xxxxxxxx", "xxx", "XXXX", "whsec_AbCdxxxxxxxx", "<secret>", "whsec_<your secret>", "[redacted]", "[FILTERED]",
        "(hidden)", "redacted", "***REDACTED***", "{{ secret }}", "${CSTAR_SECRET}", "$CSTAR_SECRET", "%CSTAR_SECRET%", "None",
        "null", "undefined", '"None"', "whsec_undefined", "changeme", "your-secret-here", "your_webhook_secret", "########",
    )
]  # fmt: skip


def signed(key: Any) -> str:
    """The header that anyone who guesses the key can write."""
    raw = key.reveal() if isinstance(key, cx.Secret) else key
    return corpus.signed(BODY, raw if isinstance(raw, str | bytes) else "", NOW)


CALLS: dict[str, Callable[[Any], Any]] = {
    "sign": lambda secret: cx.sign(BODY, secret, NOW),
    "verify": lambda secret: cx.verify(BODY, signed(secret), secret, now=NOW),
    "verify, last of two": lambda secret: cx.verify(BODY, signed(secret), [SECRET, secret], now=NOW),
    "verify, with another": lambda secret: cx.verify(BODY, GOOD, [secret, SECRET], now=NOW),
    "explain": lambda secret: cx.explain(BODY, signed(secret), secret, NOW),
    "explain, last of two": lambda secret: cx.explain(BODY, signed(secret), [SECRET, secret], NOW),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("secret", EMPTY)
def test_empty_secret_is_refused(call: str, secret) -> None:
    """Anyone can sign with it: HMAC pads keys with NULs, so that they equal the empty one."""
    with pytest.raises(errors.ConfigurationError, match=r"(?i)secret") as caught:
        CALLS[call](secret)
    assert "variable" in caught.value.advice or "collection" in caught.value.advice


@pytest.mark.parametrize(
    ("secrets", "which"),
    [
        pytest.param("", "The signing secret is empty.", id="one"),
        pytest.param(["whsec_right", " "], "Signing secret 2 of 2 contains only whitespace", id="second of two"),
        pytest.param(["whsec_", "whsec_right"], "Signing secret 1 of 2 is only the prefix", id="first of two"),
    ],
)
def test_the_error_says_which_secret_cannot_be_one(secrets, which: str) -> None:
    """By its position, as secrets are not shown."""
    with pytest.raises(errors.ConfigurationError, match=which):
        cx.verify(b"{}", "t=1,v1=00", secrets)


@pytest.mark.parametrize("call", [call for call in CALLS if not call.startswith("explain")])
@pytest.mark.parametrize("mask", MASKS)
def test_mask_is_refused(call: str, mask: str) -> None:
    """Masks and placeholders are public."""
    with pytest.raises(errors.ConfigurationError, match="mask or a placeholder"):
        CALLS[call](mask)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("header", ["signed with the mask", "signed with the secret"])
@pytest.mark.parametrize("others", [pytest.param([], id="alone"), pytest.param([SECRET], id="beside a secret")])
def test_explain_names_a_mask(mask: str, header: str, others: list[str]) -> None:
    """And never accepts it, nor a delivery that another secret matches."""
    explanation = cx.explain(BODY, GOOD if "secret" in header else signed(mask), [mask, *others], NOW)
    assert "secret_masked" == explanation.cause


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(text, id=repr(text))
        for text in (
            SECRET, "whsec_x", "x", "whsec_xx", "correct horse battery staple", b"whsec_bytes", b"\x00\xff", " whsec_spaced\n",
            '"whsec_quoted"', "whsec_gehëim", "\ud800", "\udcff", "whsec_a.b..c", "whsec_a*b**c", "whsec_a-b_c+d/e==", "none but me",
            "whsec_NoneOfIt", "your", "a<b>c", "0",
        )
    ],
)  # fmt: skip
def test_unusual_secret_is_used_as_it_is(secret) -> None:
    """Nothing is stripped or decoded, and text and bytes are the same key."""
    for given_as in (secret, [OTHER, secret], cx.Secret(secret) if isinstance(secret, str) else secret):
        assert "ok" == cx.explain(BODY, cx.sign(BODY, secret, NOW), given_as, NOW).cause


@given(st.binary(min_size=1, max_size=80))
def test_bytes_and_their_text_in_the_environment_are_the_same_key(key: bytes) -> None:
    """`os.environ` escapes bytes that are not UTF-8."""
    expected = hmac.new(key, b"1." + BODY, hashlib.sha256).hexdigest()
    for secret in (key, key.decode("utf-8", "surrogateescape")):
        assert expected == keys.digest(keys.as_secret(secret), "1", BODY)


@given(st.text(max_size=20) | st.binary(max_size=20) | st.none() | st.integers())
def test_secret_is_refused_by_all_or_none(secret) -> None:
    """What one function refuses, the others do too; `explain` diagnoses masks instead."""
    refused = []
    for call in ("sign", "verify", "explain"):
        try:
            outcome = CALLS[call](secret)
            refused.append(getattr(outcome, "cause", "") == "secret_masked")
        except errors.ConfigurationError:
            refused.append(True)
    assert 1 == len(set(refused))


def test_number_of_secrets_is_limited() -> None:
    """Also of an endless generator."""
    with pytest.raises(errors.ConfigurationError, match="At most 1,000"):
        cx.verify(BODY, GOOD, itertools.repeat(SECRET), now=NOW)


# --- no secret in any frame

FORMS: dict[str, Callable[[str], Any]] = {
    "text": str,
    "bytes": str.encode,
    "Secret": cx.Secret,
    "list": lambda secret: [OTHER, secret],
    "tuple": lambda secret: (secret.encode(), OTHER),
    "set": lambda secret: {secret},
    "dict": lambda secret: {secret: secret},
    "generator": lambda secret: (each for each in [secret]),
    "beside an empty one": lambda secret: [secret, ""],
    "beside a mask": lambda secret: [secret, "••••"],
    "too many": lambda secret: [secret] * 1001,
    "whitespace": "{}\n".format,
    "in text": 'export SECRET="{}"'.format,
}
RAISING: dict[str, Callable[[Any], Any]] = {
    "sign, text as body": lambda secret: cx.sign("text", secret),
    "sign, naive time": lambda secret: cx.sign(BODY, secret, "yesterday"),
    "sign, dict as body": lambda secret: cx.sign({}, secret, NOW),
    "verify, forged": lambda secret: cx.verify(BODY, FORGED[::-1], secret, now=NOW),
    "verify, no match": lambda secret: cx.verify(BODY + b" ", GOOD, secret, now=NOW),
    "verify, no header": lambda secret: cx.verify(BODY, None, secret, now=NOW),
    "verify, legacy": lambda secret: cx.verify(BODY, "sha256=00", secret, now=NOW),
    "verify, unreadable header": lambda secret: cx.verify(BODY, 1, secret, now=NOW),
    "verify, unreadable value": lambda secret: cx.verify(BODY, {"X-Signature": 1.5}, secret, now=NOW),
    "verify, text as body": lambda secret: cx.verify("text", GOOD, secret, now=NOW),
    "verify, too old": lambda secret: cx.verify(BODY, GOOD, secret),
    "verify, tolerance": lambda secret: cx.verify(BODY, GOOD, secret, -1),
    "verify, time": lambda secret: cx.verify(BODY, GOOD, secret, now="now"),
    "verify, not an event": lambda secret: cx.verify(b"[]", corpus.signed(b"[]", SECRET, NOW), secret, now=NOW),
    "verify, swapped": lambda secret: cx.verify(BODY, SECRET, secret, now=NOW),
    "explain, text as body": lambda secret: cx.explain("text", GOOD, secret),
    "explain, unreadable header": lambda secret: cx.explain(BODY, 1, secret),
    "explain, unreadable value": lambda secret: cx.explain(BODY, {"X-Signature": {}}, secret),
    "explain, time": lambda secret: cx.explain(BODY, GOOD, secret, now="now"),
    "explain, tolerance": lambda secret: cx.explain(BODY, GOOD, secret, NOW, None),
}


def leaks(error: BaseException, hidden: str) -> Iterator[str]:
    """The variables that show a text, in all frames but the test's own, and in chained errors."""
    report: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    while report is not None:
        for frame in report.stack:
            if frame.filename != __file__:
                yield from (f"{frame.name}: {name}" for name, value in (frame.locals or {}).items() if hidden in value)
        report = report.__cause__ or report.__context__


@pytest.mark.parametrize("call", RAISING)
@pytest.mark.parametrize("form", FORMS)
def test_no_frame_holds_the_secret(call: str, form: str) -> None:
    """Error trackers, `pytest -l` and IPython show the variables of every frame."""
    error = raised_by(lambda: RAISING[call](FORMS[form](SECRET)))
    if error is None:  # a generator of one secret, for example, is not always wrong
        assert not form.startswith(("beside", "too many"))
        return
    assert isinstance(error, errors.CStarError)
    assert [] == list(leaks(error, SECRET[6:]))
    assert SECRET[6:] not in f"{error}{error!r}{error.advice}{vars(error)}"


def raised_by(call: Callable[[], Any]) -> Exception | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 - its type is checked by the caller
        return error
    return None


class StopError(Exception):
    """Raised in the middle of the work."""


@pytest.mark.parametrize("form", ["text", "bytes", "whitespace", "in text", "list"])
def test_no_frame_holds_the_secret_wherever_the_work_stops(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """For example by an interrupt, while `explain` tries variants of it."""
    compute, stop_at = hmac.digest, 0

    def digest(*arguments: Any) -> bytes:
        nonlocal stop_at
        stop_at -= 1
        if stop_at < 0:
            raise StopError
        return compute(*arguments)

    monkeypatch.setattr(keys.hmac, "digest", digest)
    body = json.dumps({"id": "evt_1", "type": "ticket.created", "data": {"a": "/é"}}).encode()
    for number in range(0, 1_000, 3):
        stop_at = number
        error = raised_by(lambda: cx.explain(body, FORGED, FORMS[form](SECRET), NOW))
        if error is None:
            assert number > 50
            return
        assert isinstance(error, StopError)
        assert [] == list(leaks(error, SECRET[6:]))
    pytest.fail("The work never ended.")
