"""Forms in which platforms, gateways, logs and queues pass a body on, and how to decode them.

Unlike corruptions, which change a body here and there, these wrap it as a whole.
"""

import base64
import binascii
import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from .bodies import parse_json

MAX_DECODED = 2**22  # bytes; a compressed body can expand a thousandfold
_MAX_PARTS = 100  # fields of a form, or strings of a JSON object


_BASE64 = re.compile(rb"[A-Za-z0-9+/_\s-]+={0,2}")


def _from_base64(body: bytes) -> Iterator[bytes]:
    if not _BASE64.fullmatch(body.strip()):
        return
    text = b"".join(body.split()).rstrip(b"=")
    for decode in (base64.b64decode, base64.urlsafe_b64decode):
        with suppress(binascii.Error):
            yield decode(text + b"=" * (-len(text) % 4))


def _decompressed(body: bytes) -> Iterator[bytes]:
    for bits in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # gzip or zlib, and deflate without a header
        decoder = zlib.decompressobj(bits)
        with suppress(zlib.error):
            content = decoder.decompress(body, MAX_DECODED)
            if decoder.eof:
                yield content


def _from_form(body: bytes) -> Iterator[bytes]:
    """The names and values of a form, and the parts of a multipart form."""
    body = body.strip()
    if body.startswith(b"--"):
        boundary = body.partition(b"\r\n")[0]
        for part in body.split(boundary, _MAX_PARTS)[1:]:
            yield part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")
    if b"=" not in body and b"%" not in body:
        return
    yield unquote_to_bytes(body.replace(b"+", b" "))
    yield body.removesuffix(b"=")
    text = body.decode("utf-8", "surrogateescape")
    with suppress(ValueError):
        fields = parse_qsl(text, keep_blank_values=True, errors="surrogateescape", max_num_fields=_MAX_PARTS)
        for value in itertools.chain.from_iterable(fields):
            yield value.encode("utf-8", "surrogateescape")


def _from_json_string(body: bytes) -> Iterator[bytes]:
    """JSON strings: the whole body, with or without its quotes, or in an object around it."""
    parsed = parse_json(body)
    if parsed is None and b"\\" in body:
        parsed = parse_json(b'"' + body.strip() + b'"')
    for text in itertools.islice(_strings(parsed), _MAX_PARTS):
        yield text.encode("utf-8", "surrogatepass")


def _strings(parsed: Any, depth: int = 0) -> Iterator[str]:
    """The text, or that in an object or list, of up to three levels, as in the events of queues."""
    if isinstance(parsed, str):
        yield parsed
    elif isinstance(parsed, dict | list) and depth < 3:
        for value in parsed.values() if isinstance(parsed, dict) else parsed:
            yield from _strings(value, depth + 1)


_REPR = re.compile(r"(b?)(['\"])(.*)\2", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\\'\"nrt]))")
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}
_HEX = re.compile(rb"(?:\\?x)?([0-9a-f\s]+)", re.IGNORECASE)


def _from_notation(body: bytes) -> Iterator[bytes]:
    """The bytes that a programming language writes: Python's `b'…'`, hex digits, a list of numbers, Node's Buffer in JSON."""
    body = body.strip()
    written = _REPR.fullmatch(body.decode("utf-8", "surrogateescape"))
    digits = _HEX.fullmatch(body)
    try:
        if written:
            text = _ESCAPE.sub(_unescaped, written[3])
            yield text.encode("latin-1") if written[1] else text.encode("utf-8", "surrogateescape")
        elif digits:
            yield bytes.fromhex(digits[1].decode())
    except ValueError:
        pass  # text that only resembles the notation
    if body.startswith(b"[") or b'"Buffer"' in body[:30]:
        parsed = parse_json(body)
        numbers = parsed.get("data") if isinstance(parsed, dict) and parsed.get("type") == "Buffer" else parsed
        if isinstance(numbers, list) and all(type(number) is int and 0 <= number < 256 for number in numbers):
            yield bytes(numbers)


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    if digits:
        return chr(int(digits, 16)) if int(digits, 16) < 0x110000 else escape[0]
    return _LETTERS.get(escape[4], escape[4])


# What the body may have been before, by cause.
BODY_ENCODINGS: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "body_base64": _from_base64,
    "body_compressed": _decompressed,
    "body_json_string": _from_json_string,
    "body_repr": _from_notation,
    "body_form": _from_form,
}

# What a parsed or missing body becomes if it is converted to text.
_PARSED = re.compile(
    rb"\[object \w+\]|undefined|null|None|Array|<Buffer .*|System\.Byte\[\]|\[B@[0-9a-f]+|#<[\w:]+.*"
    rb"|(?:Ordered|Immutable|Multi)\w*Dict\(.*|\{\s*'\w+': .*|\{\w+=.*\}|map\[\w+:.*\]",
    re.DOTALL,
)


def is_parsed(body: bytes) -> bool:
    """Whether the body is the text of an object that a parser made, not what was sent."""
    return bool(_PARSED.fullmatch(body.strip())) or body.strip() == b"{}"


def compression(body: bytes, content_encoding: str) -> str | None:
    """The name of a compression that the first bytes or the Content-Encoding header show, if the body is not JSON."""
    for start, name in ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")):
        if body.startswith(start):
            return name
    name = content_encoding.strip().lower()
    return (
        name if name in {"br", "gzip", "deflate", "zstd", "compress"} and not body.lstrip().startswith(b"{") else None
    )


def is_truncated_json(body: bytes) -> bool:
    """Whether the body starts as a JSON object and ends before the object is closed."""
    text = body.decode("utf-8", "ignore").strip()
    if not text.startswith("{") or parse_json(body) is not None:
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # Truncated JSON fails at its end or in an unterminated string; other invalid JSON fails in the middle or after its end.
        is_closed = error.msg == "Extra data"
        at_end = error.pos >= len(text) - 1 or "Unterminated string" in error.msg or not text.endswith("}")
        return at_end and not is_closed
    except (ValueError, RecursionError):
        return False
    return False
