"""What happens to bodies on the way, and how to undo it.

Each corruption is undone in both directions: what may have been added is removed, and what may have been removed is added.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..events.payloads import DATA
from .bodies import parse_json


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


_CHARSETS = ("latin-1", "cp1252", "utf-16-le", "utf-16-be", "utf-16", "mac-roman", "cp850")


def _charset_variants(body: bytes) -> Iterator[bytes]:
    # ASCII is the same in all of them but UTF-16.
    others = [name for name in _CHARSETS if name.startswith("utf-16") or not body.isascii()]
    for current, original in [*((other, "utf-8") for other in others), *(("utf-8", other) for other in others)]:
        try:
            text = body.decode(current)
        except UnicodeError:
            continue
        try:
            yield text.encode(original)
        except UnicodeError:
            # Some converters write "?" for a character that they cannot encode, or drop it.
            for errors in ("replace", "ignore"):
                yield text.encode(original, errors)
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        yield body.decode("utf-16", "ignore").encode("utf-8", "ignore")


# Above this size, only the most common formats are tried: writing a megabyte takes 0.03 s, and 0.2 s with indentation.
THOROUGH = 2**18  # bytes
# Above this size, JSON is not written at all.
LARGEST = 2**20  # bytes
# The length of indented text grows with the square of the depth.
_DEEPEST = 50

_COMPACT: Mapping[str, Any] = {"separators": (",", ":")}
_SPACED: Mapping[str, Any] = {}
_LINES: Mapping[str, Any] = {"separators": (",", ": "), "indent": "\t"}
_INDENTS = ("  ", "    ", "\t", "")


def _json_variants(body: bytes) -> Iterator[bytes]:
    """The body's JSON in every common format: separators, indentation, key order, escapes, trailing newline."""
    parsed = parse_json(body) if len(body) <= LARGEST else None
    if not isinstance(parsed, dict | list):
        return
    is_large = len(body) > THOROUGH
    escapes = _ESCAPES[:3] if is_large else _ESCAPES
    tried: set[int] = set()  # hashes, because most formats give the same text and a body may be long
    for ordered, layout, ascii_only in _common_formats(parsed) if is_large else _formats(parsed):
        text = _written(ordered, ensure_ascii=ascii_only, **layout)
        if text is None or hash(text) in tried:
            continue
        tried.add(hash(text))
        # A tab is never inside a string, because JSON escapes it.
        for written in [text.replace("\t", indent) for indent in _INDENTS] if layout is _LINES else [text]:
            for variant in {escape(written): None for escape in escapes}:
                content = variant.encode("utf-8", "surrogatepass")
                yield content
                yield content + b"\n"


# The JSON in some key order, its layout, and whether to escape what is not ASCII.
_Format = tuple[Any, Mapping[str, Any], bool]


def _formats(parsed: Any) -> Iterator[_Format]:
    layouts = (_COMPACT, _SPACED) if _is_deeper(parsed, _DEEPEST) else (_COMPACT, _SPACED, _LINES)
    return itertools.product(_key_orders(parsed), layouts, (False, True))


def _common_formats(parsed: Any) -> Iterator[_Format]:
    yield from ((parsed, _COMPACT, False), (parsed, _COMPACT, True), (parsed, _SPACED, True))
    published_orders = itertools.islice(_key_orders(parsed), 1, 3)
    yield from ((ordered, _COMPACT, False) for ordered in published_orders)


def _written(value: Any, **options: Any) -> str | None:
    """The JSON text; None if it is nested too deeply."""
    try:
        return json.dumps(value, **options)
    except (ValueError, RecursionError):
        return None


def _is_deeper(value: Any, limit: int) -> bool:
    """Whether objects and lists are nested beyond a depth."""
    level = [value]
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


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
    """The value with the model's keys first, in the model's order. The model is not deep."""
    if not isinstance(value, dict) or not isinstance(model, dict):
        return value
    names = [*(name for name in model if name in value), *(name for name in value if name not in model)]
    return {name: _ordered_like(value[name], model.get(name)) for name in names}


def _sorted(value: Any) -> Any:
    """The JSON with all keys in alphabetical order, or as it is if it is nested too deeply."""
    return parse_json(_written(value, sort_keys=True) or "") or value


def has_sorted_keys(event: Any) -> bool:
    """Whether an event has all keys in alphabetical order, at every level."""
    if not isinstance(event, dict) or not event.keys() >= {"data", "id", "type"} or list(event) != sorted(event):
        return False
    text = _written(event)
    return text is not None and text == _written(event, sort_keys=True)


_MARKUP = {character: f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}


def _uppercase_escapes(text: str) -> str:
    before, *escapes = text.split("\\u")
    return "\\u".join([before, *(f"{escape[:4].upper()}{escape[4:]}" for escape in escapes)])


def _escape_markup(text: str) -> str:
    for character, escape in _MARKUP.items():  # faster than translate() by far
        text = text.replace(character, escape)
    return text


_ESCAPES: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: text.replace("/", "\\/"),
    _escape_markup,
    lambda text: _uppercase_escapes(text.replace("/", "\\/")),
    lambda text: _uppercase_escapes(_escape_markup(text)),
)

# What the body may have been before, by cause.
BODY_CORRUPTIONS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "body_trailing_newline": _newline_variants,
    "body_bom": _bom_variants,
    "body_crlf": _line_ending_variants,
    "body_charset": _charset_variants,
    "body_reencoded": _json_variants,
}
