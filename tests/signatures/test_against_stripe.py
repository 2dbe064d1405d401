"""`verify` agrees with Stripe's own verifier, which uses the same scheme. The intended differences are tested here."""

import hashlib
import hmac
import json
import random
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from tests.support.sampling import examples

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import stripe

CASES = 6000
SECRETS = ("whsec_one", "whsec_two", "no prefix", "whsec_gehëim", " whsec_spaced ", "whsec_" + "xyz" * 33)
BODIES = tuple(
    json.dumps({"id": f"evt_{number}", "object": "event", "type": "ticket.created", "data": {"object": data}}).encode()
    for number, data in enumerate(({}, {"title": "Grüße"}, {"a": [1, 2.5, None]}, {"text": "x" * 5000}))
)


def mac(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


def stripe_accepts(body: bytes, header: str | None, secret: str, tolerance: int = 300) -> bool:
    try:
        return stripe.WebhookSignature.verify_header(body, header, secret, tolerance)
    except stripe.SignatureVerificationError:
        return False


def we_accept(body: bytes, header: str | None, secret: str, tolerance: int = 300) -> bool:
    try:
        return cx.verify(body, header, secret, tolerance) == json.loads(body)
    except errors.SignatureError:
        return False


class Case:
    """One delivery, made of parts that are each valid or invalid. Its age is never within ten seconds of the limit."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.body = source.choice(BODIES)
        self.secret = source.choice(SECRETS)
        self.tolerance = source.choice((300, 300, 300, 60, 3600))
        now = int(time.time())
        # Never in the future, because that is an intended difference.
        age = source.choice((0, 1, 30, 30, 30, self.tolerance - 10, self.tolerance + 10, 10**6, now, now - 1))
        self.stamp = now - age
        form = source.choice(("plain",) * 3 + ("parts",) * 7 + ("mangled", "invalid"))
        self.header = getattr(self, form)()
        if source.random() < 0.1:
            self.body = self.changed()
        if source.random() < 0.1:
            self.secret = source.choice(SECRETS)

    def timestamp_text(self) -> str:
        """The time in ASCII digits, without leading zeros, which are an intended difference."""
        return str(self.stamp)

    def signature(self, timestamp_text: str) -> str:
        right = mac(self.secret, f"{int(timestamp_text)}.".encode() + self.body)
        return self.source.choice(
            (
                *(right,) * 8,
                mac(self.secret, f"{timestamp_text}.".encode() + self.body),
                mac("whsec_other", f"{int(timestamp_text)}.".encode() + self.body),
                mac(self.secret, self.body),
                right[:-1],
                right[:20],
                right + "0",
                right.upper(),
                "",
                "0" * 64,
                right + " ",
                " " + right,
            )
        )

    def plain(self) -> str:
        timestamp_text = self.timestamp_text()
        return f"t={timestamp_text},v1={self.signature(timestamp_text)}"

    def parts(self) -> str:
        timestamp_text = self.timestamp_text()
        good = (f"t={timestamp_text}", f"v1={self.signature(timestamp_text)}")
        more = (
            "",
            "v1",
            "t",
            "v1=",
            "t=",
            "=",
            f"v0={self.signature(timestamp_text)}",
            f"v2={self.signature(timestamp_text)}",
            f"V1={self.signature(timestamp_text)}",
            f"v1={self.signature(timestamp_text)}",
            f"v1={self.signature(timestamp_text)}",
            f" v1={self.signature(timestamp_text)}",
            f"t={self.stamp}",
            f"t={self.stamp - 1}",
            "t=1",
            "t=abc",
            "T=1",
            "sha256=" + mac(self.secret, self.body),
            "x=y=z",
        )
        chosen = [part for part in good if self.source.random() < 0.95]
        chosen += self.source.choices(more, k=self.source.choice((0, 1, 1, 2, 3)))
        if self.source.random() < 0.5:
            self.source.shuffle(chosen)
        return ",".join(chosen)

    def mangled(self) -> str:
        """A plain header with one character inserted, removed or replaced, except those that lead to an intended difference."""
        header = self.plain()
        index = self.source.randrange(len(header))
        inserted = self.source.choice(("", ",", ";", "t", "v", "f", '"', "%", "."))
        return header[:index] + inserted + header[index + self.source.randrange(2) :]

    def invalid(self) -> str | None:
        return self.source.choice((None, "", ",", "=", "t=,v1=", "sha256=" + mac(self.secret, self.body), "garbage"))

    def changed(self) -> bytes:
        return self.source.choice((self.body + b"\n", self.body[:-1] + b" }", self.body.replace(b"evt", b"ev7")))


def verdicts(case: Case) -> tuple[bool, bool]:
    # Whitespace around the header is an intended difference.
    stripped = case.header and case.header.strip(" \t\r\n")
    return (
        stripe_accepts(case.body, stripped, case.secret, case.tolerance),
        we_accept(case.body, case.header, case.secret, case.tolerance),
    )


def is_in_the_future(case: Case) -> bool:
    """Mangling a digit may move the time into the future, an intended difference."""
    times = [part[2:] for part in (case.header or "").split(",") if part.startswith("t=")]
    return bool(times) and times[0].isdecimal() and int(times[0]) > time.time() + case.tolerance - 10


def test_agrees_with_stripe_on_thousands_of_deliveries() -> None:
    """Valid and old ones, several v1, unknown schemes, wrong secrets, changed bodies, missing, empty and repeated parts."""
    source = random.Random(16)
    cases = [Case(source) for _ in range(CASES)]
    results = [(case, verdicts(case)) for case in cases]
    assert [] == [
        (case.header, case.secret, case.tolerance, accepted)
        for case, accepted in results
        if accepted[0] != accepted[1] and not is_in_the_future(case)
    ]
    valid = sum(accepted[0] for _, accepted in results)
    assert CASES * 0.15 < valid < CASES * 0.8


@settings(max_examples=examples(300), deadline=None)
@given(st.randoms(use_true_random=False))
def test_agrees_with_stripe_on_generated_deliveries(source: random.Random) -> None:
    """The same, with Hypothesis, which shrinks what it finds."""
    case = Case(source)
    stripe_result, our_result = verdicts(case)
    assert stripe_result == our_result or is_in_the_future(case)


def test_each_accepts_what_the_other_signs() -> None:
    """Both sign with the same header."""
    now = int(time.time())
    for body in BODIES:
        theirs = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRETS[0], now)
        assert theirs == cx.sign(body, SECRETS[0], now)
        assert json.loads(body) == cx.verify(body, theirs, SECRETS[0])
        event = stripe.Webhook.construct_event(body, cx.sign(body, SECRETS[0]), SECRETS[0], api_key="sk_test_none")
        assert json.loads(body)["id"] == event.id


@pytest.mark.parametrize(
    ("spelling", "offset", "tolerance"),
    [
        pytest.param("{}", 400, 300, id="in the future"),
        pytest.param("{}", 86_400, 300, id="a day in the future"),
        pytest.param("+{}", 0, 300, id="plus sign"),
        pytest.param(" {}", 0, 300, id="leading space"),
        pytest.param("{} ", 0, 300, id="trailing space"),
        pytest.param("{:_}", 0, 300, id="underscores"),
        pytest.param("fullwidth", 0, 300, id="fullwidth digits"),
        pytest.param("devanagari", 0, 300, id="Devanagari digits"),
        pytest.param("000{}", 0, 300, id="leading zeros"),
        pytest.param("{}=", 0, 300, id="trailing equals sign"),
        pytest.param("{}", -400, 0, id="old, with tolerance 0"),
    ],
)
def test_intended_differences(spelling: str, offset: int, tolerance: int) -> None:
    """Stripe accepts these, and `verify` rejects them."""
    stamp = int(time.time()) + offset
    scripts = {"fullwidth": 0xFF10, "devanagari": 0x0966}
    text = (
        str(stamp).translate({ord("0") + digit: scripts[spelling] + digit for digit in range(10)})
        if spelling in scripts
        else spelling.format(stamp)
    )
    header = f"t={text},v1={mac(SECRETS[0], f'{stamp}.'.encode() + BODIES[0])}"
    assert (True, False) == (
        stripe_accepts(BODIES[0], header, SECRETS[0], tolerance),
        we_accept(BODIES[0], header, SECRETS[0], tolerance),
    )


@pytest.mark.parametrize("form", ["{}\n", "{}\r\n", " {}", "\t{} "])
def test_whitespace_around_the_header_is_not_part_of_it(form: str) -> None:
    """HTTP defines it so, and servers remove it. Stripe's verifier, which gets the value from them, does not."""
    header = form.format(cx.sign(BODIES[0], SECRETS[0]))
    assert (False, True) == (stripe_accepts(BODIES[0], header, SECRETS[0]), we_accept(BODIES[0], header, SECRETS[0]))


@pytest.mark.parametrize("suffix", ["=", "=x"])
def test_trailing_characters_of_a_signature_are_not_ignored(suffix: str) -> None:
    """Stripe ignores the rest after a second equals sign."""
    stamp = int(time.time())
    header = f"t={stamp},v1={mac(SECRETS[0], f'{stamp}.'.encode() + BODIES[0])}{suffix}"
    verdicts = stripe_accepts(BODIES[0], header, SECRETS[0]), we_accept(BODIES[0], header, SECRETS[0])
    assert (True, False) == verdicts


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("t={t},v1={right}", id="plain"),
        pytest.param("t=000{t},v1={zero_padded}", id="leading zeros in the time, signed as sent"),
        pytest.param("t={t},v1={right},t", id="t without a value last"),
        pytest.param("t,t={t},v1={right}", id="t without a value first"),
        pytest.param("t={t},v1={right},v1", id="v1 without a value last"),
        pytest.param("t={t},v1={right},x", id="another part without a value"),
        pytest.param("sha256={legacy},t={t},v1={right}", id="legacy part first"),
        pytest.param("t={t},v1={right},sha256={legacy}", id="legacy part last"),
        pytest.param("t={t},t=1,v1={right}", id="second time"),
        pytest.param("t=1,t={t},v1={right}", id="correct time second"),
        pytest.param("t={t},v1={right}\x0b", id="trailing vertical tab"),
        pytest.param("t={t}, v1={right}", id="space after the comma"),
    ],
)
def test_agrees_with_stripe_on_unusual_headers(header: str) -> None:
    """One deviation each, in an otherwise valid delivery."""
    stamp, body, secret = int(time.time()), BODIES[0], SECRETS[0]
    value = header.format(
        t=stamp,
        right=mac(secret, f"{stamp}.".encode() + body),
        zero_padded=mac(secret, f"000{stamp}.".encode() + body),
        legacy=mac(secret, body),
    )
    assert stripe_accepts(body, value, secret) == we_accept(body, value, secret)
