"""Signs and verifies `X-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>`.

Source: cStar's article `webhook-security`. The key is the whole secret, including `whsec_`. The body is signed as raw bytes.
|now - t| may be at most 300 s, in both directions. The older form, `sha256=<hex of HMAC-SHA256(secret, body)>`, is no longer
sent. It has no timestamp, so a delivery in this form could be replayed forever.
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
Timestamp = float | datetime


class SignatureHeader(NamedTuple):
    """A parsed signature header: the time as text, and every `v1`."""

    t: str
    v1: tuple[str, ...]


def sign(body: bytes, secret: SecretLike, timestamp: Timestamp | None = None) -> str:
    """The `X-Signature` value for a body, in the form that cStar sends.

    Args:
        body: The bytes to send.
        secret: The whole signing secret.
        timestamp: Unix seconds or a datetime; by default now.

    Raises:
        ValidationError, ConfigurationError: The body is not bytes, or the secret is missing, empty or more than one.
    """
    keys = signing_keys(secret)
    if len(keys) > 1 or not isinstance(secret, str | bytes | Secret):
        raise ConfigurationError(
            "sign() needs exactly one secret.", advice="Pass one secret as str, bytes or cx.Secret, not a collection."
        )
    t = str(int(unix_seconds(timestamp)))
    return f"t={t},v1={digest(keys[0], t, require_bytes(body))}"


def verify(
    body: bytes,
    header: str | None,
    secret: Secrets,
    tolerance: float = TOLERANCE,
    now: Timestamp | None = None,
) -> dict[str, Any]:
    """Verifies a delivery and returns its event.

    Args:
        body: The bytes as received, not reserialized JSON.
        header: The value of `X-Signature`.
        secret: The signing secret, or several during a rotation.
        tolerance: Maximum difference in seconds between the signed time and now, in both directions.
        now: Unix seconds or a datetime; by default the current time.

    Raises:
        SignatureError: A check failed; `cause` names it, and `cx.explain` finds the reason.
        ValidationError, ConfigurationError: The body is not bytes, or there is no secret.
    """
    content = require_bytes(body)
    keys = signing_keys(secret)
    max_age = validate_tolerance(tolerance)
    if not isinstance(header, str) or not header.strip():
        raise SignatureError("The X-Signature header is missing.", cause="header_missing")
    parsed = parse_header(header)
    if parsed is None and header.startswith("sha256="):
        raise SignatureError(
            "X-Signature has the old form sha256=…, which cStar no longer sends. It has no timestamp, so it can be replayed.",
            cause="legacy_form",
        )
    if parsed is None:
        raise SignatureError("X-Signature is not of the form t=<seconds>,v1=<hex>.", cause="header_malformed")
    # Compares every pair, each in constant time, so that timing reveals nothing about the correct signature.
    matches = [hmac.compare_digest(digest(key, parsed.t, content), v1) for key in keys for v1 in parsed.v1]
    if not any(matches):
        raise SignatureError("X-Signature does not match the body.", cause="no_match")
    age = unix_seconds(now) - int(parsed.t)
    if abs(age) > max_age:
        cause, direction = ("too_old", "old") if age > 0 else ("in_the_future", "in the future")
        message = f"The signature is {abs(age):,.0f} s {direction}; {max_age:,.0f} s are allowed."
        raise SignatureError(message, cause=cause)
    return _parse_event(content)


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


def digest(key: bytes, t: str, body: bytes) -> str:
    """The value of `v1`: lower-case hex."""
    return hmac.digest(key, b"%s.%s" % (t.encode(), body), "sha256").hex()


def legacy_digest(key: bytes, body: bytes) -> str:
    """The value of the older `sha256=` form: lower-case hex."""
    return hmac.digest(key, body, "sha256").hex()


def signing_keys(secret: Secrets) -> list[bytes]:
    """One or several secrets as HMAC keys.

    Raises:
        ConfigurationError: There is no secret, or one is empty or of another type.
    """
    is_single = isinstance(secret, (str, bytes, Secret)) or not isinstance(secret, Iterable)
    keys = [_key_bytes(secret)] if is_single else [_key_bytes(one) for one in secret]  # type: ignore[union-attr] # not single
    if not keys or not all(keys):
        raise ConfigurationError(
            "At least one signing secret is required, and none may be empty.",
            advice="Pass the webhook's whole signing secret, including whsec_.",
        )
    return keys


def require_bytes(body: bytes) -> bytes:
    """The body as bytes.

    Raises:
        ValidationError: The body is text or parsed JSON, so its original bytes are unknown.
    """
    if isinstance(body, bytes):
        return body
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise ValidationError(
        f"body must be bytes, not {type(body).__name__}.",
        param="body",
        advice="Pass the raw body as received; parsing and reserializing JSON changes its bytes.",
    )


def validate_tolerance(tolerance: float) -> float:
    """The tolerance as a float, in seconds.

    Raises:
        ValidationError: It is not a finite number of at least 0. The check cannot be turned off.
    """
    is_number = isinstance(tolerance, int | float) and not isinstance(tolerance, bool)
    if not is_number or not 0 <= tolerance < 1e15 or not math.isfinite(tolerance):
        raise ValidationError("tolerance must be a finite number of seconds, at least 0.", param="tolerance")
    return float(tolerance)


def unix_seconds(timestamp: Timestamp | None) -> float:
    """A timestamp as Unix seconds; None means now, and a naive datetime is in UTC.

    Raises:
        ValidationError: It is neither a finite number nor a datetime.
    """
    if timestamp is None:
        return time.time()
    if isinstance(timestamp, datetime):
        return (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()
    if isinstance(timestamp, int | float) and abs(timestamp) < 1e15:
        return float(timestamp)
    raise ValidationError("A timestamp must be Unix seconds or a datetime.", param="timestamp")


def parse_json(body: bytes) -> Any:
    """The parsed JSON, or None if the body is not valid JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _parse_event(body: bytes) -> dict[str, Any]:
    event = parse_json(body)
    if not isinstance(event, dict):
        raise SignatureError(
            "The signature is valid, but the body is not a JSON object.", cause="not_json", advice="Inspect the body."
        )
    return event


def _key_bytes(secret: object) -> bytes:
    if isinstance(secret, Secret):
        secret = secret.reveal()
    if isinstance(secret, str):
        return secret.encode("utf-8", "surrogatepass")
    return secret if isinstance(secret, bytes) else b""
