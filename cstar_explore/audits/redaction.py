"""Which parts of a delivery URL are secrets, and the URL without them."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_plus

from ..text import MASK, redacted
from .urls import address_in

_TELLING_NAMES = re.compile(
    r"(^|[_.-])(token|secret|password|passwd|pwd|pass|sig|signature|auth|authorization|credentials?|jwt|bearer)($|[_.-])"
    r"|(^|[_.-])(api|access|private|app|client|shared|auth|secret|webhook)?[_.-]?(key|token|secret|code)$",
    re.IGNORECASE,
)
_TELLING_VALUES = re.compile(
    r"[sp]k_(?:live|test)_\w+|whsec_\w+|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}"
    r"|AIza[\w-]{20,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|shp(?:at|ss)_\w{16,}|(?<![\w-])SG\.[\w-]{16,}\.[\w-]+"
)
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")


def credentials_in(url: str | None) -> str | None:
    """What in a URL is a credential, in words that do not show it."""
    address = address_in(url)
    if address is None:
        return None
    if "@" in address.parts.netloc:
        return "a user name or password before the host"
    for name, value in parse_qsl(address.parts.query):
        if _is_telling(name):
            return f"the query parameter '{name}'"
        if _TELLING_VALUES.search(value):
            return f"a value that looks like a key, in the query parameter '{name}'"
    if _TELLING_VALUES.search(url or ""):
        return "something that looks like a key"
    return None


def _is_telling(name: str) -> bool:
    """Whether a query parameter's name says that its value is secret; `apiKey` is read as `api_key`."""
    return bool(_TELLING_NAMES.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)))


@lru_cache(maxsize=50_000)
def shown_url(url: str | None) -> str:
    """The URL without what is secret in it: passwords, telling parameters, and path segments that look random."""
    if url is None:
        return ""
    address = address_in(url)
    if address is None:
        # Whatever it is, what stands before an @ or behind a question mark is not shown.
        shown = re.sub(r"[^/]*@", f"{MASK}@", re.sub(r"[?#].*", f"?{MASK}", url, flags=re.DOTALL))
        return without_keys(_without_random(shown))
    parts = address.parts
    netloc = f"{MASK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = "&".join(map(_shown_pair, parts.query.split("&"))) if parts.query else ""
    fragment = MASK if parts.fragment else ""
    path = _without_random(parts.path)
    return without_keys(parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl())


def _shown_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return _without_random(pair)
    secret = _is_telling(unquote_plus(name)) or _TELLING_VALUES.search(unquote_plus(value))
    return f"{name}={MASK if secret and value else _without_random(value)}"


def without_keys(text: str) -> str:
    """A host, a name or any other text, with a mask in place of all that looks like a key."""
    return redacted(_TELLING_VALUES.sub(MASK, text))


def _without_random(text: str) -> str:
    """The text without what nobody chose by hand: the capability that Slack, Discord and their like put into a path."""

    def shown(found: re.Match[str]) -> str:
        letters, digits = (any(map(kind, found[0])) for kind in (str.isalpha, str.isdigit))
        return MASK if letters and digits else found[0]

    return _LONG.sub(shown, text)


def fingerprint(url: str) -> str:
    """Four hexadecimal digits of a digest: enough to see that a secret part changed, too few to guess it from."""
    return hashlib.sha256(url.encode("utf-8", "backslashreplace")).hexdigest()[:4]
