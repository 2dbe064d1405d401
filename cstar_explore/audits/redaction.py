"""Masks delivery URLs and other text for findings, baselines, reports, logs and the Explorer.

A URL keeps its host, and the segments and parameters that are known to be harmless. Everything else becomes a mask with six
digits of a digest, by which two secrets can be distinguished: too few to find a secret by trying, and keyed, so that a secret has
other digits in another baseline.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import unquote, unquote_plus

from ..text import MASK, redacted
from .harmless import CAMEL_CASE, is_harmless
from .url_credentials import SECRET_VALUES, follows_a_secret_name, names_a_secret
from .urls import HOSTS, matching_domain, parse_url

_DIGITS = 6
_MASKED = re.compile(f"{MASK}[0-9a-f]{{{_DIGITS}}}")
_RANDOM_LABEL = re.compile(
    r"(?=[^.]*\d)(?=[^.]*[a-z])(?:[^.]*[a-z0-9]{16}[^.]*|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_URL_IN_TEXT = re.compile(r"https?://[^\s\"'<>]*[^\s\"'<>.,;:!?)\]}]", re.IGNORECASE)
_MAX_PARTS = 4
_HOST = re.compile(r"(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}", re.IGNORECASE)

Mask = Callable[[str], str]


@lru_cache(maxsize=50_000)
def masked_url(url: str | None, key: str = "") -> str:
    """The URL without anything that may be a secret. `key` changes the digits of the masks."""
    if url is None:
        return ""

    def mask(part: str) -> str:
        return part if _MASKED.fullmatch(part) else f"{MASK}{_digest(part, key)}"

    parsed = parse_url(url)
    if parsed is None:
        return _masked_unreadable(url, mask)
    parts = parsed.parts
    user, at, address = parts.netloc.rpartition("@")
    masked = parts._replace(
        netloc=f"{mask(user) if user else ''}{at}{_masked_labels(address, mask)}",
        path=_masked_path(parts.path, mask),
        query=_masked_parameters(parts.query, mask),
        fragment=parts.fragment and mask(parts.fragment),
    )
    return masked_keys(masked.geturl())


@lru_cache(maxsize=50_000)
def masked_host(host: str, key: str = "") -> str:
    """The host. Labels that are random, or that are the credential at their provider, are masked."""
    return _masked_labels(host, lambda label: f"{MASK}{_digest(label, key)}")


def masked_text(text: str, key: str = "") -> str:
    """The text with its URLs masked, and everything else that looks like a key."""
    return masked_keys(_URL_IN_TEXT.sub(lambda match: masked_url(match[0], key), text))


@lru_cache(maxsize=50_000)
def masked_keys(text: str) -> str:
    """The text with everything that looks like a key masked. Kept, as most findings of a rule have the same evidence."""
    return redacted(SECRET_VALUES.sub(MASK, text))


def without_digests(text: str | None) -> str | None:
    """The text with plain masks, to compare what was masked with another key."""
    return text if text is None else _MASKED.sub(MASK, text)


def _digest(part: str, key: str) -> str:
    return hmac.new(key.encode(), part.encode("utf-8", "backslashreplace"), hashlib.sha256).hexdigest()[:_DIGITS]


def _masked_labels(address: str, mask: Mask) -> str:
    name, colon, port = address.rpartition(":") if re.search(r":\d*$", address) else (address, "", "")
    domain = matching_domain(name.lower().rstrip("."), HOSTS["named by a secret"]) or ""
    labels = name.split(".")
    own = len(labels) - len(domain.split(".")) if domain else 0
    shown = [
        mask(label) if _RANDOM_LABEL.fullmatch(label) or (index < own and not is_harmless(label)) else label
        for index, label in enumerate(labels)
    ]
    return f"{'.'.join(shown)}{colon}{port}"


def _masked_path(path: str, mask: Mask) -> str:
    segments = path.split("/")
    masked = []
    for index, segment in enumerate(segments):
        name, *parameters = segment.split(";")
        is_plain = is_harmless(name) or (names_a_secret(unquote(name)) and _is_word(name))
        if "=" in name:
            name = _masked_pair(name, mask)
        elif name and (follows_a_secret_name(segments, index) or not is_plain):
            name = mask(name)
        masked.append(";".join([name, *(_masked_pair(pair, mask) for pair in parameters)]))
    return "/".join(masked)


def _masked_parameters(query: str, mask: Mask) -> str:
    return "".join(part if part in "&;" else _masked_pair(part, mask) for part in re.split("([&;])", query))


def _masked_pair(pair: str, mask: Mask) -> str:
    name, equals, value = pair.partition("=")
    decoded = unquote_plus(name)
    is_secret = names_a_secret(decoded)
    shown = name if _is_shown_name(decoded, is_secret=is_secret) else mask(name)
    if value and (is_secret or shown != name or not _is_shown_value(value)):
        value = mask(value)
    return f"{shown}{equals}{value}"


def _is_shown_name(name: str, *, is_secret: bool) -> bool:
    parts = [part for part in re.split(r"[\[\]]+", name) if part]
    return all(is_harmless(part) or (is_secret and _is_word(part)) for part in parts)


def _is_shown_value(value: str) -> bool:
    # A few segments or items, as in `sp=%2Ftriggers%2Fmanual%2Frun`.
    parts = re.split("[/,]", unquote_plus(value), maxsplit=_MAX_PARTS)
    return value in ("true", "false") or (len(parts) <= _MAX_PARTS and all(map(is_harmless, parts)))


def _is_word(name: str) -> bool:
    """Whether a name that names a secret consists of words and is not a secret itself."""
    return (
        len(name) <= 32
        and not any(map(str.isdigit, name))
        and all(is_harmless(word) or names_a_secret(word) for word in CAMEL_CASE.findall(name))
    )


def _masked_unreadable(url: str, mask: Mask) -> str:
    """A URL that cannot be parsed: what stands before an @ and after ? or # is masked whole, and the rest piece by piece."""
    head, mark, tail = re.match(r"([^?#]*)([?#]?)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr] # matches every text
    segments = head.split("/")
    for index, segment in enumerate(segments):
        user, at, rest = segment.rpartition("@")
        scheme, colon, address = rest.rpartition(":")
        pieces = [piece if not piece or _is_shown_piece(piece) else mask(piece) for piece in (scheme, address)]
        segments[index] = f"{mask(user) if user else ''}{at}{pieces[0]}{colon}{pieces[1]}"
    return masked_keys(f"{'/'.join(segments)}{mark}{mask(tail) if tail else ''}")


def _is_shown_piece(piece: str) -> bool:
    return is_harmless(piece) or bool(_HOST.fullmatch(piece) and not _RANDOM_LABEL.search(piece))
