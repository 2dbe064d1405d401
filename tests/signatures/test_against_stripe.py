"""The same verdict as stripe's own verifier, which reads the same scheme; the wanted differences are named here."""

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

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import stripe

CASES = 6000
SECRETS = ("whsec_one", "whsec_two", "no prefix", "whsec_gehëim", " whsec_spaced ", "whsec_" + "x" * 100)
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
    """One delivery, made of parts that are each right or wrong; never nearer than ten seconds to an edge of the window."""

    def __init__(self, source: random.Random) -> None:
        self.source = source
        self.body = source.choice(BODIES)
        self.secret = source.choice(SECRETS)
        self.tolerance = source.choice((300, 300, 300, 60, 3600))
        now = int(time.time())
        # The future is where we differ on purpose, so all of these are now or past, as is what is not a time at all.
        age = source.choice((0, 1, 30, 30, 30, self.tolerance - 10, self.tolerance + 10, 10**6, now, now - 1))
        self.stamp = now - age
        self.header = source.choice(("plain",) * 3 + ("parts",) * 7 + ("mangled", "none"))
        self.header = getattr(self, self.header)()
        if source.random() < 0.1:
            self.body = self.changed()
        if source.random() < 0.1:
            self.secret = source.choice(SECRETS)

    def written(self) -> str:
        """The time in ASCII digits, without zeros before it: those are a wanted difference."""
        return str(self.stamp)

    def signature(self, written: str) -> str:
        right = mac(self.secret, f"{int(written)}.".encode() + self.body)
        return self.source.choice(
            (
                *(right,) * 8,
                mac(self.secret, f"{written}.".encode() + self.body),
                mac("whsec_other", f"{int(written)}.".encode() + self.body),
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
        written = self.written()
        return f"t={written},v1={self.signature(written)}"

    def parts(self) -> str:
        written = self.written()
        good = (f"t={written}", f"v1={self.signature(written)}")
        more = (
            "",
            "v1",
            "t",
            "v1=",
            "t=",
            "=",
            f"v0={self.signature(written)}",
            f"v2={self.signature(written)}",
            f"V1={self.signature(written)}",
            f"v1={self.signature(written)}",
            f"v1={self.signature(written)}",
            f" v1={self.signature(written)}",
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
        """One character put in, taken out or changed, but none of those in which we differ on purpose."""
        header = self.plain()
        place = self.source.randrange(len(header))
        put = self.source.choice(("", ",", ";", "t", "v", "f", '"', "%", "."))
        return header[:place] + put + header[place + self.source.randrange(2) :]

    def none(self) -> str | None:
        return self.source.choice((None, "", ",", "=", "t=,v1=", "sha256=" + mac(self.secret, self.body), "garbage"))

    def changed(self) -> bytes:
        return self.source.choice((self.body + b"\n", self.body[:-1] + b" }", self.body.replace(b"evt", b"ev7")))


def verdicts(case: Case) -> tuple[bool, bool]:
    rest = (case.body, case.header, case.secret, case.tolerance)
    return stripe_accepts(*rest), we_accept(*rest)


def is_ahead(case: Case) -> bool:
    """Mangling a digit may move the time ahead of us, where the two differ on purpose."""
    times = [part[2:] for part in (case.header or "").split(",") if part.startswith("t=")]
    return bool(times) and times[0].isdecimal() and int(times[0]) > time.time() + case.tolerance - 10


def test_thousands_of_seeded_deliveries_get_stripes_verdict() -> None:
    """Valid, several v1, unknown schemes, wrong secrets, changed bodies, missing, empty and doubled parts, old."""
    source = random.Random(16)
    cases = [Case(source) for _ in range(CASES)]
    judged = [(case, verdicts(case)) for case in cases]
    assert [] == [
        (case.header, case.secret, case.tolerance, found)
        for case, found in judged
        if found[0] != found[1] and not is_ahead(case)
    ]
    accepted = sum(found[0] for _, found in judged)
    assert CASES * 0.15 < accepted < CASES * 0.8


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False))
def test_generated_deliveries_get_stripes_verdict(source: random.Random) -> None:
    """The same again, with a search that shrinks what it finds."""
    case = Case(source)
    found = verdicts(case)
    assert found[0] == found[1] or is_ahead(case)


def test_what_stripe_signs_we_accept_and_what_we_sign_stripe_accepts() -> None:
    """Each writes the other's header to the letter."""
    now = int(time.time())
    for body in BODIES:
        theirs = stripe.WebhookSignature.generate_signature_header(body.decode(), SECRETS[0], now)
        assert theirs == cx.sign(body, SECRETS[0], now)
        assert json.loads(body) == cx.verify(body, theirs, SECRETS[0])
        event = stripe.Webhook.construct_event(body, cx.sign(body, SECRETS[0]), SECRETS[0], api_key="sk_test_none")
        assert json.loads(body)["id"] == event.id


@pytest.mark.parametrize(
    ("written", "offset", "tolerance"),
    [
        pytest.param("{}", 400, 300, id="in the future"),
        pytest.param("{}", 86_400, 300, id="a day in the future"),
        pytest.param("+{}", 0, 300, id="plus"),
        pytest.param(" {}", 0, 300, id="space before"),
        pytest.param("{} ", 0, 300, id="space behind"),
        pytest.param("{:_}", 0, 300, id="underscores"),
        pytest.param("fullwidth", 0, 300, id="fullwidth digits"),
        pytest.param("devanagari", 0, 300, id="Devanagari digits"),
        pytest.param("000{}", 0, 300, id="zeros before"),
        pytest.param("{}=", 0, 300, id="an equals sign behind"),
        pytest.param("{}", -400, 0, id="tolerance 0, old"),
    ],
)
def test_the_wanted_differences_are_these(written: str, offset: int, tolerance: int) -> None:
    """Stripe accepts all of these, and we refuse them."""
    stamp = int(time.time()) + offset
    scripts = {"fullwidth": 0xFF10, "devanagari": 0x0966}
    text = (
        str(stamp).translate({ord("0") + digit: scripts[written] + digit for digit in range(10)})
        if written in scripts
        else written.format(stamp)
    )
    header = f"t={text},v1={mac(SECRETS[0], f'{stamp}.'.encode() + BODIES[0])}"
    assert (True, False) == (
        stripe_accepts(BODIES[0], header, SECRETS[0], tolerance),
        we_accept(BODIES[0], header, SECRETS[0], tolerance),
    )


@pytest.mark.parametrize("behind", ["=", "=x"])
def test_what_stands_behind_a_signature_is_not_passed_over(behind: str) -> None:
    """Stripe takes what is before a second equals sign; we take the whole."""
    stamp = int(time.time())
    header = f"t={stamp},v1={mac(SECRETS[0], f'{stamp}.'.encode() + BODIES[0])}{behind}"
    verdicts = stripe_accepts(BODIES[0], header, SECRETS[0]), we_accept(BODIES[0], header, SECRETS[0])
    assert (True, False) == verdicts


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("t={t},v1={right}", id="plain"),
        pytest.param("t=000{t},v1={written}", id="zeros before the time, signed as written"),
        pytest.param("t={t},v1={right},t", id="t without a value behind"),
        pytest.param("t,t={t},v1={right}", id="t without a value before"),
        pytest.param("t={t},v1={right},v1", id="v1 without a value behind"),
        pytest.param("t={t},v1={right},x", id="another part without a value"),
        pytest.param("sha256={legacy},t={t},v1={right}", id="a legacy part first"),
        pytest.param("t={t},v1={right},sha256={legacy}", id="a legacy part last"),
        pytest.param("t={t},t=1,v1={right}", id="a second time"),
        pytest.param("t=1,t={t},v1={right}", id="the right time second"),
        pytest.param("t={t},v1={right}\n", id="a newline behind"),
        pytest.param("t={t}, v1={right}", id="a space behind the comma"),
    ],
)
def test_odd_parts_get_stripes_verdict(header: str) -> None:
    """One oddity each, with the rest of the delivery in order."""
    stamp, body, secret = int(time.time()), BODIES[0], SECRETS[0]
    given = header.format(
        t=stamp,
        right=mac(secret, f"{stamp}.".encode() + body),
        written=mac(secret, f"000{stamp}.".encode() + body),
        legacy=mac(secret, body),
    )
    assert stripe_accepts(body, given, secret) == we_accept(body, given, secret)
