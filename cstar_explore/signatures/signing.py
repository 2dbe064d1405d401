"""Signs and verifies `X-Signature: t=<unix seconds>,v1=<hex of HMAC-SHA256(secret, t + "." + body)>`.

Source: cStar's article `webhook-security`. The key is the whole secret, including `whsec_`. The body is signed as raw bytes.
|now - t| may be at most 300 s, in both directions. The older form, `sha256=<hex of HMAC-SHA256(secret, body)>`, is no longer
sent. It has no timestamp, so a delivery in this form could be replayed forever.
"""

from typing import Any

from ..errors import ConfigurationError, SignatureError
from ..secret import Secret
from .bodies import require_bytes
from .causes import ERRORS
from .headers import HeadersLike, read_headers
from .keys import SecretLike, Secrets, as_secret, as_secrets, digest, require_secrets
from .timestamps import TOLERANCE, Timestamp, unix_seconds, validate_tolerance
from .verdict import Verdict, decide


def sign(body: bytes, secret: SecretLike, timestamp: Timestamp | None = None) -> str:
    """The `X-Signature` value for a body, in the form that cStar sends.

    Args:
        body: The bytes to send.
        secret: The whole signing secret.
        timestamp: Unix seconds or a datetime with a time zone; by default now.

    Raises:
        ValidationError: The body is not bytes, or the timestamp not a moment.
        ConfigurationError: The secret is empty, whitespace, only `whsec_`, a mask, or a collection.
    """
    is_single = isinstance(secret, str | bytes | Secret)
    secret = as_secret(secret)
    if not is_single:
        raise ConfigurationError(
            "sign() needs exactly one secret.", advice="Pass one secret as str, bytes or cx.Secret, not a collection."
        )
    require_secrets([secret])
    t = str(int(unix_seconds(timestamp)))
    return f"t={t},v1={digest(secret, t, require_bytes(body))}"


def verify(
    body: bytes,
    header: HeadersLike,
    secret: Secrets,
    tolerance: float = TOLERANCE,
    now: Timestamp | None = None,
) -> dict[str, Any]:
    """Verifies a delivery and returns its event.

    Args:
        body: The bytes as received, not reserialized JSON.
        header: The value of `X-Signature` as text or bytes, or all headers in any form that `explain` reads. Whitespace around
            the value is ignored, as HTTP does.
        secret: The signing secret, or several during a rotation.
        tolerance: Maximum difference in seconds between the signed time and now, in both directions.
        now: Unix seconds or a datetime with a time zone; by default the current time.

    Raises:
        SignatureError: A check failed; `cause` names it, and `cx.explain` finds the reason.
        ValidationError: The body is not bytes, or headers, tolerance or now cannot be read.
        ConfigurationError: There is no secret, or one is empty, whitespace, only `whsec_`, or a mask.
    """
    secret = as_secrets(secret)
    header = read_headers(header)
    require_secrets(secret)
    verdict = decide(
        require_bytes(body), header.signature, secret, max_age=validate_tolerance(tolerance), now=unix_seconds(now)
    )
    if verdict.event is None:
        raise SignatureError(_message(verdict, tolerance), cause=verdict.cause)
    return verdict.event


def _message(verdict: Verdict, tolerance: float) -> str:
    direction = "old" if verdict.age > 0 else "in the future"
    too_far = f"The signature is {abs(verdict.age):,.0f} s {direction}; {tolerance:,.0f} s are allowed."
    return ERRORS.get(verdict.cause, too_far)
