"""cStar's signatures: `X-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>`.

Source: cStar's article webhook-security. The key is the whole secret string as given, its `whsec_` included; what is signed
are the bytes as they were received; |now - t| is at most 300 s, in both directions. The older form, `sha256=<hex of
HMAC-SHA256(secret, body)>`, is no longer sent and has no time in it, so that a delivery can be replayed for ever.
"""

import hmac
import json
import math
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..errors import ConfigurationError, SignatureError, ValidationError
from ..secret import Secret

TOLERANCE = 300.0  # seconds

SecretLike = str | bytes | Secret
Secrets = SecretLike | Iterable[SecretLike]
Moment = float | datetime


class Header(NamedTuple):
    """A signature header, read: the time as text, and every `v1`."""

    t: str
    v1: tuple[str, ...]


def sign(body: bytes, secret: SecretLike, timestamp: Moment | None = None) -> str:
    """The `X-Signature` for a body, as cStar sends it.

    Args:
        body: The bytes that will be sent.
        secret: The signing secret, whole.
        timestamp: Unix seconds or a datetime; by default now.
    """
    keys = keys_of(secret)
    if len(keys) > 1 or not isinstance(secret, str | bytes | Secret):
        raise ConfigurationError("A body is signed with one secret.", advice="Give one, as text.")
    t = str(int(seconds(timestamp)))
    return f"t={t},v1={digest(keys[0], t, checked_body(body))}"


def verify(
    body: bytes,
    header: str | None,
    secret: Secrets,
    tolerance: float = TOLERANCE,
    now: Moment | None = None,
) -> dict[str, Any]:
    """The event in a delivery, if its signature is right; there is no other way out than an error.

    Args:
        body: The bytes as received, never JSON that was parsed and written again.
        header: The value of `X-Signature`.
        secret: The signing secret, or several while one replaces another.
        tolerance: Seconds that the signed time may differ from now, in both directions.
        now: Unix seconds or a datetime; by default the present.

    Raises:
        SignatureError: The delivery is not proven; `cause` says which check failed, and `cx.explain` finds out why.
        ValidationError, ConfigurationError: The body is not bytes, or there is no secret.
    """
    content = checked_body(body)
    keys = keys_of(secret)
    allowed = checked_tolerance(tolerance)
    if not isinstance(header, str) or not header.strip():
        raise SignatureError("There is no X-Signature to verify.", cause="header_missing")
    read = read_header(header)
    if read is None and header.startswith("sha256="):
        raise SignatureError(
            "X-Signature has the old form sha256=…, which cStar no longer sends. It contains no time, so it can be replayed.",
            cause="legacy_form",
        )
    if read is None:
        raise SignatureError("X-Signature is not of the form t=<seconds>,v1=<hex>.", cause="header_malformed")
    # Every pair is compared, and each in constant time, so that the time taken tells nothing of where they differ.
    matches = [hmac.compare_digest(digest(key, read.t, content), given) for key in keys for given in read.v1]
    if not any(matches):
        raise SignatureError("X-Signature does not match the body.", cause="no_match")
    age = seconds(now) - int(read.t)
    if abs(age) > allowed:
        cause, words = ("too_old", "old") if age > 0 else ("in_the_future", "in the future")
        raise SignatureError(f"The signature is {abs(age):,.0f} s {words}; {allowed:,.0f} s are allowed.", cause=cause)
    return _event(content)


# One way to write a number: what is signed is its text, and a zero before it would make it another text.
_SECONDS = re.compile(r"0|[1-9][0-9]{0,14}")
# What cStar's pages show, and nearly all that is ever read.
_PUBLISHED = re.compile(rf"t=({_SECONDS.pattern}),v1=([0-9a-f]{{64}})")


def read_header(header: str) -> Header | None:
    """The parts of a `t=…,v1=…` header, or None if it is not one. Parts of other names are passed over."""
    published = _PUBLISHED.fullmatch(header)
    if published is not None:
        return Header(published[1], (published[2],))
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
    return Header(t, tuple(v1))


def digest(key: bytes, t: str, body: bytes) -> str:
    """The lower-case hex that belongs after `v1=`."""
    return hmac.digest(key, b"%s.%s" % (t.encode(), body), "sha256").hex()


def legacy_digest(key: bytes, body: bytes) -> str:
    """The lower-case hex that belonged after `sha256=`."""
    return hmac.digest(key, body, "sha256").hex()


def keys_of(secret: Secrets) -> list[bytes]:
    """The secrets as the bytes they key with.

    Raises:
        ConfigurationError: There is none, or one is empty or no text.
    """
    alone = isinstance(secret, (str, bytes, Secret)) or not isinstance(secret, Iterable)
    keys = [_key(secret)] if alone else [_key(one) for one in secret]  # type: ignore[union-attr] # it is several
    if not keys or not all(keys):
        raise ConfigurationError(
            "There is no signing secret to verify with.", advice="Give the whsec_… of the webhook, whole."
        )
    return keys


def checked_body(body: bytes) -> bytes:
    """The body, if it is bytes.

    Raises:
        ValidationError: It is text or parsed JSON, whose bytes are no longer known.
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise ValidationError(
        f"The body is {type(body).__name__}, and the signature is over bytes.",
        param="body",
        advice="Give the raw body as it was received; JSON that was parsed and written again has other bytes.",
    )


def checked_tolerance(tolerance: float) -> float:
    """Seconds, if they are.

    Raises:
        ValidationError: It is no finite number, or negative. There is no way to switch the check off.
    """
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not is_number or not 0 <= tolerance < 1e15 or not math.isfinite(tolerance):
        raise ValidationError("A tolerance is a number of seconds, 0 or more, and not endless.", param="tolerance")
    return float(tolerance)


def seconds(moment: Moment | None) -> float:
    """A moment as Unix seconds; None is the present.

    Raises:
        ValidationError: It is neither a finite number nor a datetime.
    """
    if moment is None:
        return time.time()
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if isinstance(moment, int | float) and abs(moment) < 1e15:
        return float(moment)
    raise ValidationError("A time is Unix seconds or a datetime.", param="timestamp")


def json_in(body: bytes) -> Any:
    """What the JSON says; None where it is none, whatever is wrong with it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _event(body: bytes) -> dict[str, Any]:
    event = json_in(body)
    if not isinstance(event, dict):
        raise SignatureError(
            "The signature is right, and the body is not a JSON object.", cause="not_json", advice="Look at its bytes."
        )
    return event


def _key(secret: object) -> bytes:
    if isinstance(secret, Secret):
        secret = secret.reveal()
    if isinstance(secret, str):
        return secret.encode("utf-8", "surrogatepass")
    return secret if isinstance(secret, bytes) else b""
