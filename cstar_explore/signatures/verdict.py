"""Decides whether a delivery is authentic. `verify` raises what it decides, and `explain` elaborates it."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..secret import Secret
from .bodies import parse_json
from .keys import matches


class SignatureHeader(NamedTuple):
    """A parsed signature header: the time as text, and every `v1`."""

    t: str
    v1: tuple[str, ...]


class Verdict(NamedTuple):
    """What `decide` found.

    Attributes:
        cause: "ok", or the `cause` of a `SignatureError`.
        signature: The parsed header, if it has the published form.
        secret: The position of the secret that matches, from 1; 0 if there is none.
        age: The age of the signature in seconds, negative if it is in the future.
        event: The event, if `cause` is "ok".
    """

    cause: str
    signature: SignatureHeader | None = None
    secret: int = 0
    age: float = 0.0
    event: dict[str, Any] | None = None


def decide(body: bytes, header: str, secrets: Sequence[Secret], max_age: float, now: float) -> Verdict:
    """Decides whether the header's signature is correct, recent enough, and of an event.

    Args:
        body: The bytes as received.
        header: The value of X-Signature without whitespace around it; empty if there is none.
        secrets: Checked by `require_secrets`.
        max_age: The maximum difference between the signed time and now in seconds, in both directions.
        now: The current time in Unix seconds.
    """
    signature = parse_header(header)
    if signature is None:
        legacy = header[:7].lower() == "sha256="
        return Verdict("legacy_form" if legacy else "header_malformed" if header else "header_missing")
    # Every secret is tried, so that the duration does not depend on which one matches.
    matching = [number for number, secret in enumerate(secrets, 1) if matches(secret, signature.t, body, signature.v1)]
    if not matching:
        return Verdict("no_match", signature)
    age = now - int(signature.t)
    if abs(age) > max_age:
        return Verdict("too_old" if age > 0 else "in_the_future", signature, matching[0], age)
    event = parse_json(body)
    if not isinstance(event, dict):
        return Verdict("not_json", signature, matching[0], age)
    return Verdict("ok", signature, matching[0], age, event)


# No leading zeros: the text of the number is signed, so each number may have only one spelling.
_SECONDS = re.compile(r"0|[1-9][0-9]{0,14}")
# The form in cStar's documentation, and so of almost every header.
_PUBLISHED_FORM = re.compile(rf"t=({_SECONDS.pattern}),v1=([0-9a-f]{{64}})")


def parse_header(header: str) -> SignatureHeader | None:
    """The parts of a `t=…,v1=…` header, or None if it has another form. Ignores parts with other names."""
    published = _PUBLISHED_FORM.fullmatch(header)
    if published is not None:
        return SignatureHeader(published[1], (published[2],))
    t: str | None = None
    v1: list[str] = []
    for part in header.split(","):
        name, equals, value = part.partition("=")
        if name in ("t", "v1") and not equals:
            return None
        if name == "t" and t is None:
            t = value
        elif name == "v1" and value.isascii():
            v1.append(value)
    if t is None or not _SECONDS.fullmatch(t) or not v1:
        return None
    return SignatureHeader(t, tuple(v1))
