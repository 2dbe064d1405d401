"""Lesson 2, `02_receive_and_verify.ipynb`: which delivery is genuine."""

import hashlib
import hmac
import json
from collections.abc import Callable
from numbers import Integral
from typing import Any

from ..events import sample
from ..listener import Listener
from ..signatures.diagnosis import explain
from ..signatures.signing import json_in, sign
from .answer import called, check, shown

Genuine = Callable[[bytes, str, str, int], bool]

_SECRET = "whsec_NOT-A-REAL-SECRET-of-the-course"  # noqa: S105 - as it says
_NOW = 1_765_377_000
# Spaced as no library spaces by itself, so that JSON which is parsed and written again is another.
_BODY = sample("ticket.created", title="Le café est fermé").replace(b'","', b'" ,"')
_FORMULA = "What is signed is the text of t, a dot, and the body: f'{t}.'.encode() + body. The key is secret.encode(), all of it."


@check
def genuine(theirs: Genuine) -> str:
    """A function that says whether a delivery is from cStar, without a library. It is given good ones and forged ones."""

    def says(body: bytes, header: str, now: int = _NOW, *, when: str) -> bool:
        answer: Any = called(theirs, body, header, _SECRET, now, when=when)
        assert isinstance(answer, bool), f"It returned {shown(answer)} {when}; return True or False."
        return answer

    if not says(_BODY, sign(_BODY, _SECRET, _NOW), when="for a genuine delivery"):
        for signed, words in _OTHERWISE.items():
            header = f"t={_NOW},v1={signed}"
            assert not says(_BODY, header, when="for another signature"), (
                f"It refuses a genuine delivery. {words} {_FORMULA}"
            )
        raise AssertionError(
            f"It refuses a genuine delivery. {_FORMULA} v1 is the HMAC-SHA256 in lower-case hex digits. Go by the `now` that"
            " is given, not by this machine's clock."
        )
    good = sign(_BODY, _SECRET, _NOW)
    assert not says(_BODY.replace("café".encode(), b"bank"), good, when="for a body that was changed"), (
        "It takes a body that was changed on its way. Compare the digest that you make from the body with v1."
    )
    assert not says(_BODY, sign(_BODY, "whsec_another", _NOW), when="for another's signature"), (
        "It takes a delivery that was signed with another secret."
    )
    assert not says(_BODY, good[:-54], when="for a signature cut off"), (
        "It takes a signature of ten digits, which a forger soon finds by trying. Compare all 64."
    )
    for seconds, words in ((3_600, "from an hour ago"), (-3_600, "from an hour ahead")):
        assert not says(_BODY, good, _NOW + seconds, when=f"for a delivery {words}"), (
            f"It takes a delivery {words}: whoever has once seen one could send it again, for ever. `t` may differ from `now` by"
            " 300 s, in both directions (cStar's page on webhook security)."
        )
    assert says(_BODY, good, _NOW + 300, when="for a delivery of 300 s"), (
        "It refuses a delivery of 300 s, and 300 s are allowed."
    )
    return (
        "Right. It takes the genuine one, and none of the forged. One thing this check cannot see: compare with"
        " hmac.compare_digest, as the time that == takes tells a forger how many digits are right."
    )


@check
def proxied(answer: Any, listener: Listener) -> str:
    """The request whose body a proxy has written anew."""
    refused = {request.id: listener.explain(request.id) for request in listener.requests(newest=3)}
    assert answer is not ..., (
        "`proxied` is still `...`. The frame says that two do not match, and cannot say why: ask listener.explain(id) for each,"
        " and put one id in it."
    )
    assert isinstance(answer, Integral) and answer in refused, (
        f"`proxied` is {shown(answer)}; give one number. The three requests are {', '.join(map(str, refused))}."
    )
    found = refused[int(answer)]
    assert found.cause != "too_old", (
        f"The signature of {answer} matches; it is only old. A proxy that changes bodies breaks the match."
    )
    assert found.cause == "body_reencoded", (
        f"{answer} does not match either, but no known mishap leads back to a body that does: it was signed with another secret."
        " JSON that was written anew leaves a trace, which listener.explain finds."
    )
    return f"Right. The signature of {answer} is over other bytes of the same JSON: verify before anything parses."


@check
def signed(answer: Any, secret: str) -> str:
    """A delivery for one's own tests: a sample with a title of its own, signed for the present moment."""
    assert isinstance(answer, tuple) and len(answer) == 2, (
        f"Give the two of them: check.signed((body, header), …), not {shown(answer)}."
    )
    body, header = answer
    assert body is not ... and header is not ..., (
        "`body` or `header` is still `...`. cx.events.sample(…) makes the one, cx.sign(…) the other."
    )
    assert isinstance(body, bytes), f"`body` is {shown(body)}; it is to be bytes, as cx.events.sample gives them."
    assert isinstance(header, str), f"`header` is {shown(header)}; it is to be the text that cx.sign gives."
    assert b'"Fire!"' in body, (
        "No title in the body says Fire! The sample takes it by its field's name: cx.events.sample('ticket.created', title=…)."
    )
    found = explain(body, {"X-Signature": header}, secret)
    assert found.ok, f"It does not verify. {found.evidence} {found.remedy}"
    event = json_in(body)
    assert isinstance(event, dict) and event.get("type") == "ticket.created", (
        "It verifies, and is no ticket.created. Let cx.events.sample('ticket.created', title=…) make all of the body."
    )
    return "Right. So your tests need neither cStar nor a network."


def _hex(key: str, message: bytes) -> str:
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


# What is often signed instead, and what to say of it.
_REWRITTEN = [
    json.dumps(json.loads(_BODY), ensure_ascii=plain, separators=separators).encode()
    for plain in (True, False)
    for separators in ((",", ":"), (", ", ": "))
]
_OTHERWISE = {
    **{
        _hex(_SECRET, f"{_NOW}.".encode() + body): "You parse the JSON and write it again, and that has other bytes."
        for body in _REWRITTEN
    },
    _hex(_SECRET, _BODY): "You make the digest of the body alone, as cStar's old form was.",
    _hex(_SECRET, str(_NOW).encode() + _BODY): "There is no dot between t and the body in what you make the digest of.",
    _hex(
        _SECRET.removeprefix("whsec_"), f"{_NOW}.".encode() + _BODY
    ): "You leave out whsec_, which belongs to the key.",
    _hex(_SECRET, f"t={_NOW}.".encode() + _BODY): "It is the number that is signed, without t=.",
}
