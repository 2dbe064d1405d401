"""Signing secrets as HMAC keys.

Secrets are kept as `Secret`s, so that no variable holds them in clear. Only the HMAC expressions unwrap them. Functions that take
secrets from a user convert them in their first line (`secret = as_secrets(secret)`), before anything can fail.
"""

import hmac
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence

from ..errors import ConfigurationError
from ..secret import Secret

SecretLike = str | bytes | Secret
Secrets = SecretLike | Iterable[SecretLike]

MAX_SECRETS = 1_000  # each is tried on each delivery

_NOT_A_SECRET = Secret("")

# Named, because building a union takes longer than asking for it.
_BYTES = (bytes, bytearray, memoryview)
_SINGLE = (str, *_BYTES, Secret, Mapping)

# A NUL counts as invisible: HMAC pads keys with NULs, so a key of NULs equals the empty key.
_INVISIBLE = r"[\s\x00-\x1f\x7f\u00ad\u200b-\u200f\u2060\ufeff]*"
_NO_SECRET = re.compile(rf"{_INVISIBLE}(whsec_?)?{_INVISIBLE}", re.IGNORECASE)
# Runs are long enough that a random secret almost never contains one. Each alternative begins with a literal: `re` then searches
# for these characters, which takes a sixth of the time.
_MASK_CHARACTERS = re.compile(r"•|●|\u2217|…|█|■|·|∙|\uff0a|\*\*\*|\.\.\.|####|xxxxxx|XXXXXX")
_PLACEHOLDER = re.compile(
    r"[\s'\"`]*(?:whsec_)?"
    r"(?:x{3,}|<[^<>]*>|\[[^\"']*\]|\([^\"']*\)|\{[^\"']*\}|\$\{?\w+\}?|%\w+%|\**redacted\**|filtered|hidden|masked|removed"
    r"|none|null|nil|undefined|nan|placeholder|change[-_ ]?me|your[-_ ][\w -]*)"
    r"[\s'\"`]*",
    re.IGNORECASE,
)


def as_secret(value: object) -> Secret:
    """The value as a `Secret`. Never fails: what is neither text nor bytes is refused by `require_secrets`."""
    if isinstance(value, _BYTES):
        return Secret(bytes(value).decode("utf-8", "surrogateescape"))
    if isinstance(value, Secret):
        return value
    return Secret(value) if isinstance(value, str) else _NOT_A_SECRET


def as_secrets(values: object) -> list[Secret]:
    """One or several secrets as `Secret`s, not yet checked."""
    if isinstance(values, _SINGLE) or not isinstance(values, Iterable):
        return [as_secret(values)]
    return list(map(as_secret, itertools.islice(values, MAX_SECRETS + 1)))


def require_secrets(secrets: Sequence[Secret], *, allow_masks: bool = False) -> None:
    """Checks that there are secrets and that each can be one.

    Args:
        secrets: From `as_secrets`.
        allow_masks: Whether to accept masks, to report them later.

    Raises:
        ConfigurationError: There is no secret or more than `MAX_SECRETS`, or one is empty, whitespace, only the prefix
            `whsec_`, a mask, or neither text nor bytes. Such a key is public, so that anyone could sign with it.
    """
    if not secrets:
        raise ConfigurationError("At least one signing secret is required, but the list is empty.", advice=_ADVICE)
    if len(secrets) > MAX_SECRETS:
        message = f"At most {MAX_SECRETS:,} signing secrets can be tried on a delivery."
        raise ConfigurationError(message, advice="Pass the secrets of the webhooks that point to this URL.")
    for number, secret in enumerate(secrets, 1):
        defect = _defect(secret)
        if defect is None and not allow_masks and is_masked(secret):
            defect = "is a mask or a placeholder, such as •••• or <secret>"
        if defect is not None:
            which = "The signing secret" if len(secrets) == 1 else f"Signing secret {number} of {len(secrets)}"
            raise ConfigurationError(f"{which} {defect}.", advice=_ADVICE)


_ADVICE = "Pass the webhook's whole signing secret, including whsec_. Check that the variable or setting it comes from is set."


def _defect(secret: Secret) -> str | None:
    if secret is _NOT_A_SECRET:
        return "must be str, bytes or cx.Secret, and is None or of another type"
    empty = _NO_SECRET.fullmatch(secret.reveal())
    if empty is None:
        return None
    if empty[1]:
        return "is only the prefix whsec_"
    return "contains only whitespace or invisible characters" if secret.reveal() else "is empty"


def is_masked(secret: Secret) -> bool:
    """Whether the secret is a placeholder, or contains characters that are displayed in place of a secret."""
    return bool(_MASK_CHARACTERS.search(secret.reveal()) or _PLACEHOLDER.fullmatch(secret.reveal()))


def digest(secret: Secret, t: str, body: bytes) -> str:
    """The value of `v1`: lower-case hex."""
    return hmac.digest(key_bytes(secret), b"%s.%s" % (t.encode(), body), "sha256").hex()


def legacy_digest(secret: SecretLike, body: bytes) -> str:
    """The value of the older `sha256=` form: lower-case hex."""
    secret = as_secret(secret)
    return hmac.digest(key_bytes(secret), body, "sha256").hex()


def matches(secret: Secret, t: str, body: bytes, signatures: Iterable[str]) -> bool:
    """Whether one of the signatures is correct. Compares all, each in constant time, so that timing reveals nothing about it."""
    correct = digest(secret, t, body)
    return any([hmac.compare_digest(correct, signature) for signature in signatures])  # noqa: C419 - any() must not stop early


def key_bytes(secret: Secret) -> bytes:
    """The HMAC key. Bytes that are not UTF-8 were escaped by `as_secret`, or by `os.environ`."""
    try:
        return secret.reveal().encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        pass  # other lone surrogates
    return secret.reveal().encode("utf-8", "surrogatepass")
