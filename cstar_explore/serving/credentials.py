"""Masks the credentials in a request before it is stored or shown.

A gateway or tunnel adds its own, and captured requests end up in notebooks and files.
"""

import re
from functools import lru_cache
from urllib.parse import unquote_plus

from ..text import MASK, redacted

# Authorization, Proxy-Authorization, Cookie, X-Api-Key, X-Auth-Token, X-Amz-Security-Token, Cf-Access-Jwt-Assertion, …
_CREDENTIAL_NAME = re.compile(
    r"auth|cookie|token|secret|passw|credential|session|jwt|assertion|api-?key|(?:^|[-_])(?:access|private|subscription)-?key"
    r"|(?:^|[-_])(?:key|pwd|sid)$|client-cert",
    re.IGNORECASE,
)
_NO_CREDENTIALS = frozenset({"idempotency-key", "x-signature"})


def mask_header(name: str, value: str) -> str:
    """The value of a header as it may be stored or shown. X-Signature stays as it is: it proves the delivery and reveals no secret."""
    if name in _NO_CREDENTIALS:
        return value
    return MASK if _has_credential(name) else redacted(value)


def mask_query(query: str) -> str:
    """The query string as it may be stored."""
    return "&".join(map(_mask_parameter, query.split("&")))


def _mask_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    return f"{name}={MASK}" if value and _has_credential(unquote_plus(name)) else redacted(name + equals + value)


@lru_cache(maxsize=512)  # senders repeat their headers
def _has_credential(name: str) -> bool:
    return _CREDENTIAL_NAME.search(name) is not None
