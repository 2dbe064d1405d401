"""What is known to happen to secrets and bodies on their way, and how it is undone.

Each mishap is a cause, words for it, and a function that yields what there may have been before. Mishaps work in both
directions: what was added is taken away, and what was taken away is added.
"""

import base64
import binascii
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..events.samples import DATA
from .signing import json_in


class Corruption(NamedTuple):
    """One of them: `undone` yields candidates for what there was before."""

    cause: str
    words: str
    undone: Callable[[bytes], Iterator[bytes]]


def _unspaced(key: bytes) -> Iterator[bytes]:
    yield key.strip()
    yield key.decode("utf-8", "ignore").strip().encode()
    yield b"".join(key.split())
    yield from (key + space for space in (b"\n", b"\r\n", b" "))
    yield b" " + key


def _unquoted(key: bytes) -> Iterator[bytes]:
    yield key.strip(b"'\"` \r\n\t")
    yield key.strip().strip("\u2018\u2019\u201c\u201d".encode())
    yield from (quote + key + quote for quote in (b'"', b"'"))


def _decoded(key: bytes) -> Iterator[bytes]:
    """The key as base64 or hex would have it, in both directions, with and without the prefix."""
    bare = key.removeprefix(b"whsec_")
    for text in (bare, key):
        padded = text + b"=" * (-len(text) % 4)
        for decode in (base64.b64decode, base64.urlsafe_b64decode, binascii.unhexlify):
            try:
                yield decode(text if decode is binascii.unhexlify else padded)
            except (ValueError, binascii.Error):
                continue
    for encode in (base64.b64encode, base64.urlsafe_b64encode, binascii.hexlify):
        for text in (encode(key), encode(key).rstrip(b"=")):
            yield text
            yield b"whsec_" + text


def _prefixed(key: bytes) -> Iterator[bytes]:
    yield key.removeprefix(b"whsec_")
    yield b"whsec_" + key
    yield key.removeprefix(b"whsec")
    yield b"whsec" + key


def is_mask(key: bytes) -> bool:
    """Whether it is what somebody shows in place of a secret."""
    text = key.decode("utf-8", "replace")
    return any(
        mark in text
        for mark in ("•", "●", "\u2217", "…", "***", "...", "xxxx", "XXXX", "<", "[redacted]", "[REDACTED]")
    )


SECRET_CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("secret_whitespace", "the secret without the white space around it, or with some", _unspaced),
    Corruption("secret_quoted", "the secret without quotes around it, or with some", _unquoted),
    Corruption("secret_prefix_cut", "the secret when its whsec_ is put back, or left off", _prefixed),
    Corruption("secret_decoded", "the secret decoded as base64 or hex, or encoded so", _decoded),
)


def _newline(body: bytes) -> Iterator[bytes]:
    yield body.rstrip(b"\r\n")
    yield from (body + end for end in (b"\n", b"\r\n"))
    yield body.removesuffix(b"\n")


def _bom(body: bytes) -> Iterator[bytes]:
    yield body.removeprefix(b"\xef\xbb\xbf")
    yield b"\xef\xbb\xbf" + body


def _line_ends(body: bytes) -> Iterator[bytes]:
    unix = body.replace(b"\r\n", b"\n")
    yield unix
    yield unix.replace(b"\n", b"\r\n")
    yield body.replace(b"\r", b"\n")
    yield body.replace(b"\n", b"\r")


def _charsets(body: bytes) -> Iterator[bytes]:
    others = ("latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16", "mac-roman", "cp850")
    for was, now in [*((other, "utf-8") for other in others), *(("utf-8", other) for other in others)]:
        # Bytes that were read as `now` and written as `was`; and what cannot be read stands as "?" or U+FFFD.
        for errors in ("strict", "replace", "ignore"):
            try:
                yield body.decode(was).encode(now, errors)
            except (UnicodeError, ValueError):
                continue
    with_bom = body.decode("utf-16", "ignore") if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    yield with_bom.encode("utf-8", "ignore")


def _reencoded(body: bytes) -> Iterator[bytes]:
    """The JSON in it, written in every common way: separators, indentation, order of keys, escapes, a newline at the end."""
    parsed = json_in(body)
    if not isinstance(parsed, dict | list):
        return
    spacings: tuple[dict[str, Any], ...] = (
        {"separators": (",", ":")},
        {"separators": (", ", ": ")},
        {"separators": (",", ": "), "indent": 2},
        {"separators": (",", ": "), "indent": 4},
        {"separators": (",", ": "), "indent": "\t"},
        {"separators": (",", ":"), "indent": 0},
    )
    tried: set[int] = set()  # hashes: most ways of writing come to the same, and a body may be long
    for ordered, ascii_only, spacing in itertools.product(_orders(parsed), (False, True), spacings):
        try:
            text = json.dumps(ordered, ensure_ascii=ascii_only, **spacing)
        except (ValueError, RecursionError):
            return
        if hash(text) in tried:
            continue
        tried.add(hash(text))
        for written in {escape(text): None for escape in _ESCAPES}:
            content = written.encode("utf-8", "surrogatepass")
            yield content
            yield content + b"\n"


def _orders(parsed: Any) -> Iterator[Any]:
    """The orders in which the keys may have stood: as they are, as cStar's pages show them, and by the alphabet."""
    yield parsed
    if isinstance(parsed, dict):
        event = parsed.get("type")
        envelope: dict[str, Any] = dict.fromkeys(("id", "type", "created_at", "team_id", "data"))
        yield _ordered_like(parsed, envelope | {"data": DATA.get(event) if isinstance(event, str) else None})
        yield _ordered_like(parsed, envelope)
        yield _sorted(parsed)


def _ordered_like(value: Any, model: Any) -> Any:
    """The keys that the model has in its order, the others after them."""
    if not isinstance(value, dict) or not isinstance(model, dict):
        return value
    names = [*(name for name in model if name in value), *(name for name in value if name not in model)]
    return {name: _ordered_like(value[name], model.get(name)) for name in names}


def has_sorted_keys(body: bytes) -> bool:
    """Whether it is an event whose keys stand in alphabetical order, in the envelope and in all that it holds."""
    parsed = json_in(body)
    return isinstance(parsed, dict) and parsed.keys() >= {"data", "id", "type"} and _is_sorted(parsed)


def _is_sorted(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_is_sorted, value.values()))
    return all(map(_is_sorted, value)) if isinstance(value, list) else True


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


_MARKUP = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def _upper_hex(text: str) -> str:
    before, *escapes = text.split("\\u")
    return "\\u".join([before, *(f"{escape[:4].upper()}{escape[4:]}" for escape in escapes)])


def _without_markup(text: str) -> str:
    return text.translate(_MARKUP)


_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace("/", "\\/"),
    _without_markup,
    lambda text: _upper_hex(text.replace("/", "\\/")),
    lambda text: _upper_hex(_without_markup(text)),
)

BODY_CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("body_trailing_newline", "with another end: one newline more or less", _newline),
    Corruption("body_bom", "with a byte order mark added, or taken away", _bom),
    Corruption("body_crlf", "with its line ends converted back", _line_ends),
    Corruption("body_charset", "when its characters are read in another encoding", _charsets),
    Corruption("body_reencoded", "when its JSON is written another way", _reencoded),
)
