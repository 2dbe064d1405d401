"""Known corruptions of secrets and bodies, and how to undo them.

Each corruption is undone in both directions: what may have been added is removed, and what may have been removed is added.
"""

import base64
import binascii
import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ..events.samples import DATA
from .signing import parse_json


class Corruption(NamedTuple):
    """`description` completes "The signature matches …"; `candidates` yields what the bytes may have been before."""

    cause: str
    description: str
    candidates: Callable[[bytes], Iterator[bytes]]


def _whitespace_variants(key: bytes) -> Iterator[bytes]:
    yield key.strip()
    yield key.decode("utf-8", "ignore").strip().encode()
    yield b"".join(key.split())
    yield from (key + space for space in (b"\n", b"\r\n", b" "))
    yield b" " + key


def _quote_variants(key: bytes) -> Iterator[bytes]:
    yield key.strip(b"'\"` \r\n\t")
    yield key.strip().strip("\u2018\u2019\u201c\u201d".encode())
    yield from (quote + key + quote for quote in (b'"', b"'"))


def _encoding_variants(key: bytes) -> Iterator[bytes]:
    """The key decoded from and encoded as base64 or hex, with and without the prefix."""
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


def _prefix_variants(key: bytes) -> Iterator[bytes]:
    yield key.removeprefix(b"whsec_")
    yield b"whsec_" + key
    yield key.removeprefix(b"whsec")
    yield b"whsec" + key


_MASKS = ("•", "●", "\u2217", "…", "***", "...", "xxxx", "XXXX", "<", "[redacted]", "[REDACTED]")


def is_masked(key: bytes) -> bool:
    """Whether the key contains characters that are displayed in place of a secret."""
    text = key.decode("utf-8", "replace")
    return any(mask in text for mask in _MASKS)


SECRET_CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("secret_whitespace", "after adding or removing whitespace in the secret", _whitespace_variants),
    Corruption("secret_quoted", "after adding or removing quotes around the secret", _quote_variants),
    Corruption("secret_prefix_cut", "after adding or removing the secret's whsec_ prefix", _prefix_variants),
    Corruption("secret_decoded", "after decoding or encoding the secret as base64 or hex", _encoding_variants),
)


def _newline_variants(body: bytes) -> Iterator[bytes]:
    yield body.rstrip(b"\r\n")
    yield from (body + end for end in (b"\n", b"\r\n"))
    yield body.removesuffix(b"\n")


def _bom_variants(body: bytes) -> Iterator[bytes]:
    yield body.removeprefix(b"\xef\xbb\xbf")
    yield b"\xef\xbb\xbf" + body


def _line_ending_variants(body: bytes) -> Iterator[bytes]:
    unix = body.replace(b"\r\n", b"\n")
    yield unix
    yield unix.replace(b"\n", b"\r\n")
    yield body.replace(b"\r", b"\n")
    yield body.replace(b"\n", b"\r")


def _charset_variants(body: bytes) -> Iterator[bytes]:
    others = ("latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16", "mac-roman", "cp850")
    for current, original in [*((other, "utf-8") for other in others), *(("utf-8", other) for other in others)]:
        # "replace" and "ignore" imitate converters that write "?" for a character they cannot encode, or drop it.
        for errors in ("strict", "replace", "ignore"):
            try:
                yield body.decode(current).encode(original, errors)
            except (UnicodeError, ValueError):
                continue
    with_bom = body.decode("utf-16", "ignore") if body[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
    yield with_bom.encode("utf-8", "ignore")


def _json_variants(body: bytes) -> Iterator[bytes]:
    """The body's JSON in every common format: separators, indentation, key order, escapes, trailing newline."""
    parsed = parse_json(body)
    if not isinstance(parsed, dict | list):
        return
    formats: tuple[dict[str, Any], ...] = (
        {"separators": (",", ":")},
        {"separators": (", ", ": ")},
        {"separators": (",", ": "), "indent": 2},
        {"separators": (",", ": "), "indent": 4},
        {"separators": (",", ": "), "indent": "\t"},
        {"separators": (",", ":"), "indent": 0},
    )
    tried: set[int] = set()  # hashes, because most formats give the same text and a body may be long
    for ordered, ascii_only, options in itertools.product(_key_orders(parsed), (False, True), formats):
        try:
            text = json.dumps(ordered, ensure_ascii=ascii_only, **options)
        except (ValueError, RecursionError):
            return
        if hash(text) in tried:
            continue
        tried.add(hash(text))
        for variant in {escape(text): None for escape in _ESCAPES}:
            content = variant.encode("utf-8", "surrogatepass")
            yield content
            yield content + b"\n"


def _key_orders(parsed: Any) -> Iterator[Any]:
    """The JSON in its current key order, in the order of cStar's published payloads, and in alphabetical order."""
    yield parsed
    if isinstance(parsed, dict):
        event = parsed.get("type")
        envelope: dict[str, Any] = dict.fromkeys(("id", "type", "created_at", "team_id", "data"))
        yield _ordered_like(parsed, envelope | {"data": DATA.get(event) if isinstance(event, str) else None})
        yield _ordered_like(parsed, envelope)
        yield _sorted(parsed)


def _ordered_like(value: Any, model: Any) -> Any:
    """The value with the model's keys first, in the model's order."""
    if not isinstance(value, dict) or not isinstance(model, dict):
        return value
    names = [*(name for name in model if name in value), *(name for name in value if name not in model)]
    return {name: _ordered_like(value[name], model.get(name)) for name in names}


def has_sorted_keys(body: bytes) -> bool:
    """Whether the body is an event with all keys in alphabetical order, at every level."""
    parsed = parse_json(body)
    return isinstance(parsed, dict) and parsed.keys() >= {"data", "id", "type"} and _is_sorted(parsed)


def _is_sorted(value: Any) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_is_sorted, value.values()))
    return all(map(_is_sorted, value)) if isinstance(value, list) else True


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


_MARKUP = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def _uppercase_escapes(text: str) -> str:
    before, *escapes = text.split("\\u")
    return "\\u".join([before, *(f"{escape[:4].upper()}{escape[4:]}" for escape in escapes)])


def _escape_markup(text: str) -> str:
    return text.translate(_MARKUP)


_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace("/", "\\/"),
    _escape_markup,
    lambda text: _uppercase_escapes(text.replace("/", "\\/")),
    lambda text: _uppercase_escapes(_escape_markup(text)),
)

BODY_CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("body_trailing_newline", "after adding or removing a trailing newline", _newline_variants),
    Corruption("body_bom", "after adding or removing a byte order mark", _bom_variants),
    Corruption("body_crlf", "after converting the body's line endings", _line_ending_variants),
    Corruption("body_charset", "after converting the body to another character set", _charset_variants),
    Corruption("body_reencoded", "after serializing the body's JSON in another format", _json_variants),
)
