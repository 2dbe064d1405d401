"""Masks secrets in delivery URLs and other text."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_plus

from ..text import MASK, redacted
from .urls import parse_url

_SECRET_PARAMETERS = re.compile(
    r"(^|[_.-])(token|secret|password|passwd|pwd|pass|sig|signature|auth|authorization|credentials?|jwt|bearer)($|[_.-])"
    r"|(^|[_.-])(api|access|private|app|client|shared|auth|secret|webhook)?[_.-]?(key|token|secret|code)$",
    re.IGNORECASE,
)
_SECRET_VALUES = re.compile(
    r"[sp]k_(?:live|test)_\w+|whsec_\w+|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}"
    r"|AIza[\w-]{20,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|shp(?:at|ss)_\w{16,}|(?<![\w-])SG\.[\w-]{16,}\.[\w-]+"
)
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")


def credentials_in(url: str | None) -> str | None:
    """A description of the first credential in the URL, without its value; None if there is none."""
    parsed = parse_url(url)
    if parsed is None:
        return None
    if "@" in parsed.parts.netloc:
        return "a user name or password before the host"
    for name, value in parse_qsl(parsed.parts.query):
        if _names_a_secret(name):
            return f"the query parameter '{name}'"
        if _SECRET_VALUES.search(value):
            return f"a value that looks like a key, in the query parameter '{name}'"
    if _SECRET_VALUES.search(url or ""):
        return "a value that looks like a key"
    return None


def _names_a_secret(parameter: str) -> bool:
    """Whether the name of the query parameter suggests a secret value; `apiKey` is treated as `api_key`."""
    return bool(_SECRET_PARAMETERS.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", parameter)))


@lru_cache(maxsize=50_000)
def masked_url(url: str | None) -> str:
    """The URL with its secrets masked: user info, secret query parameters, the fragment, and random parts of the path."""
    if url is None:
        return ""
    parsed = parse_url(url)
    if parsed is None:
        # An unparsable URL: masks everything before an @ and after a question mark.
        masked = re.sub(r"(?<![^/])[^/]*@", f"{MASK}@", re.sub(r"[?#].*", f"?{MASK}", url, flags=re.DOTALL))
        return masked_text(_mask_random(masked))
    parts = parsed.parts
    netloc = f"{MASK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = "&".join(map(_mask_pair, parts.query.split("&"))) if parts.query else ""
    fragment = MASK if parts.fragment else ""
    path = _mask_random(parts.path)
    return masked_text(parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl())


def _mask_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return _mask_random(pair)
    is_secret = _names_a_secret(unquote_plus(name)) or _SECRET_VALUES.search(unquote_plus(value))
    return f"{name}={MASK if is_secret and value else _mask_random(value)}"


def masked_text(text: str) -> str:
    """The text with everything that looks like a key masked."""
    return redacted(_SECRET_VALUES.sub(MASK, text))


def _mask_random(text: str) -> str:
    """Masks long mixes of letters and digits, such as the tokens in the paths of Slack and Discord webhooks."""

    def mask(match: re.Match[str]) -> str:
        letters, digits = (any(map(kind, match[0])) for kind in (str.isalpha, str.isdigit))
        return MASK if letters and digits else match[0]

    return _LONG.sub(mask, text)


def fingerprint(url: str) -> str:
    """Four hexadecimal digits of a digest: they show that a secret part changed, but are too few to guess it."""
    return hashlib.sha256(url.encode("utf-8", "backslashreplace")).hexdigest()[:4]
