"""Checks for lesson 2, `02_receive_and_verify.ipynb`: verifying signatures.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

import hmac
import json
from collections.abc import Callable
from numbers import Integral
from typing import Any

from ..events import sample
from ..listener import Listener
from ..signatures.bodies import parse_json
from ..signatures.diagnosis import explain
from ..signatures.signing import sign
from .checks import call, check, shown

_SECRET = "whsec_NOT-A-REAL-SECRET-of-the-course"  # noqa: S105 - not a real secret
_NOW = 1_765_377_000
# Spaced as no JSON library does by default, so that parsing and serializing it again changes the bytes.
_BODY = sample("ticket.created", title="Le café est fermé").replace(b'","', b'" ,"')
_SIGNED_MESSAGE = "The signed message is t as text, a dot and the body: f'{t}.'.encode() + body. The key is the whole secret, secret.encode()."


@check
def is_genuine(function: Callable[[bytes, str, str, int], bool]) -> str:
    """A function that verifies a signature without a library, tried with genuine and forged deliveries."""

    def accepts(body: bytes, header: str, now: int = _NOW, *, when: str) -> bool:
        result: Any = call(function, body, header, _SECRET, now, when=when)
        assert isinstance(result, bool), f"Return True or False; it returned {shown(result)} {when}."
        return result

    genuine = sign(_BODY, _SECRET, _NOW)
    if not accepts(_BODY, genuine, when="for a genuine delivery"):
        for key, message, mistake in _COMMON_MISTAKES:
            digest = hmac.digest(key.encode(), message, "sha256").hex()
            assert not accepts(_BODY, f"t={_NOW},v1={digest}", when="for another signature"), (
                f"It rejects a genuine delivery. {mistake} {_SIGNED_MESSAGE}"
            )
        raise AssertionError(
            f"It rejects a genuine delivery. {_SIGNED_MESSAGE} v1 is the HMAC-SHA256 in lower-case hex digits. Compare t with the"
            " argument `now`, not with this machine's clock."
        )
    assert not accepts(_BODY.replace("café".encode(), b"bank"), genuine, when="for a changed body"), (
        "It accepts a changed body. Compute the digest from the body and compare it with v1."
    )
    assert not accepts(_BODY, sign(_BODY, "whsec_another", _NOW), when="for a signature with another secret"), (
        "It accepts a delivery that was signed with another secret."
    )
    assert not accepts(_BODY, genuine[:-54], when="for a shortened signature"), (
        "It accepts a signature of ten digits, which an attacker can find by trying. Compare all 64."
    )
    for seconds, age in ((3_600, "from an hour ago"), (-3_600, "from an hour ahead")):
        assert not accepts(_BODY, genuine, _NOW + seconds, when=f"for a delivery {age}"), (
            f"It accepts a delivery {age}, so anyone who has seen one could send it again at any time. `t` may differ from `now`"
            " by 300 s in either direction (cStar's page on webhook security)."
        )
    assert accepts(_BODY, genuine, _NOW + 300, when="for a delivery that is 300 s old"), (
        "It rejects a delivery that is 300 s old; 300 s are allowed."
    )
    return (
        "Correct. It accepts genuine deliveries and rejects forged ones. One thing this check cannot test: compare with"
        " hmac.compare_digest, because the duration of == reveals how many digits match."
    )


@check
def proxied(answer: Any, listener: Listener) -> str:
    """The delivery whose body a proxy wrote again."""
    diagnoses = {request.id: listener.explain(request.id) for request in listener.requests(newest=3)}
    assert answer is not ..., (
        "`proxied_id` is still `...`. The frame shows that two signatures do not match, but not why. Call listener.explain(id)"
        " for each delivery, and put one ID into `proxied_id`."
    )
    assert isinstance(answer, Integral) and answer in diagnoses, (
        f"`proxied_id` must be one of {', '.join(map(str, diagnoses))}, not {shown(answer)}."
    )
    cause = diagnoses[int(answer)].cause
    assert cause != "too_old", (
        f"The signature of delivery {answer} matches; it is only too old. A proxy that changes the body breaks the signature."
    )
    assert cause == "body_reencoded", (
        f"Delivery {answer} does not match either, but no known change of the body explains it: it was signed with another"
        " secret. JSON that was written again leaves a trace, which listener.explain finds."
    )
    return (
        f"Correct. The signature of delivery {answer} matches the same JSON with other bytes. Verify before anything parses"
        " the body."
    )


@check
def signed(answer: Any, secret: str) -> str:
    """A delivery for the learner's own tests: a sample with a chosen title, signed for the current time."""
    assert isinstance(answer, tuple) and len(answer) == 2, (
        f"Pass both values, check.signed((body, header), …), not {shown(answer)}."
    )
    body, header = answer
    assert body is not ... and header is not ..., (
        "`body` or `header` is still `...`. cx.events.sample(…) returns the body, cx.sign(…) the header."
    )
    assert isinstance(body, bytes), f"`body` must be bytes, as cx.events.sample returns them, not {shown(body)}."
    assert isinstance(header, str), f"`header` must be the string that cx.sign returns, not {shown(header)}."
    assert b'"Fire!"' in body, (
        "No title in the body is 'Fire!'. Set the field by name: cx.events.sample('ticket.created', title=…)."
    )
    diagnosis = explain(body, {"X-Signature": header}, secret)
    assert diagnosis.ok, f"It does not verify. {diagnosis.evidence} {diagnosis.remedy}"
    event = parse_json(body)
    assert isinstance(event, dict) and event.get("type") == "ticket.created", (
        "It verifies, but it is not a ticket.created event. Make the whole body with"
        " cx.events.sample('ticket.created', title=…)."
    )
    return "Correct. Your tests need neither cStar nor a network."


_REENCODED = [
    json.dumps(json.loads(_BODY), ensure_ascii=ascii_only, separators=separators).encode()
    for ascii_only in (True, False)
    for separators in ((",", ":"), (", ", ": "))
]
_PARSED = "You parse the JSON and serialize it again, which changes the bytes."
# The key and the message that common mistakes lead to, and the hint for each.
_COMMON_MISTAKES = (
    *((_SECRET, b"%d.%s" % (_NOW, body), _PARSED) for body in _REENCODED),
    (_SECRET, _BODY, "You sign the body alone, as in cStar's legacy format."),
    (_SECRET, b"%d%s" % (_NOW, _BODY), "The dot between t and the body is missing."),
    (_SECRET.removeprefix("whsec_"), b"%d.%s" % (_NOW, _BODY), "You leave out whsec_, which is part of the key."),
    (_SECRET, b"t=%d.%s" % (_NOW, _BODY), "Sign only the number, without t=."),
)
