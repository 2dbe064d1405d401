"""Whether two spellings of a field mean the same: servers store URLs, names and events in their own form."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote, urlsplit

from ..events import received_types

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ASCII = "".join(map(chr, range(0x21, 0x7F)))
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def same_value(first: Any, second: Any) -> bool:
    """Whether two values of a field are equal. The order of events does not matter."""
    both_events = isinstance(first, tuple) and isinstance(second, tuple)
    return first == second or (both_events and set(first) == set(second))


def same_meaning(field: str, first: Any, second: Any) -> bool:
    """Whether two known values of a field mean the same."""
    return bool(first == second or meaning(field, first) == meaning(field, second))


def meaning(field: str, value: Any) -> Any:
    """A form of the value that is equal for values that mean the same."""
    form = _FORMS.get(field)
    return value if value is None or form is None else form(value)


@lru_cache(maxsize=50_000)
def normal_url(url: str) -> str:
    """The normal form of an http or https URL (RFC 3986, section 6.2). Any other text is unchanged."""
    try:
        parts = urlsplit(url)
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not host or not url.isprintable() or " " in url:
        return url
    user = parts.netloc.rpartition("@")[0]
    authority = f"{user}@{host}" if user else host
    if port is not None and port != _DEFAULT_PORTS[scheme]:
        authority = f"{authority}:{port}"
    before_fragment, hash_sign, _ = url.partition("#")
    query = f"?{_percent(parts.query)}" if "?" in before_fragment else ""
    fragment = f"#{_percent(parts.fragment)}" if hash_sign else ""
    return f"{scheme}://{authority}{_without_dots(_percent(parts.path))}{query}{fragment}"


def _host(host: str) -> str:
    host = host.lower()
    if ":" in host:
        return f"[{host}]"
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _percent(text: str) -> str:
    """Percent-encodes what is not ASCII, and decodes what need not be encoded."""
    encoded = quote(text, safe=_ASCII, errors="surrogatepass")
    return _PERCENT.sub(_normal_percent, encoded)


def _normal_percent(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _without_dots(path: str) -> str:
    """The path without `.` and `..` (RFC 3986, section 5.2.4); `/` if it is empty."""
    *folders, last = path.split("/")[1:] or [""]
    kept: list[str] = []
    for part in [*folders, last]:
        if part == "..":
            kept = kept[:-1]
        elif part != ".":
            kept.append(part)
    slash = "/" if last in (".", "..") and kept else ""
    return f"/{'/'.join(kept)}{slash}"


_FORMS: Mapping[str, Callable[[Any], Any]] = {
    "name": partial(unicodedata.normalize, "NFC"),
    "url": normal_url,
    "events": lambda events: frozenset(received_types(events)),
}
