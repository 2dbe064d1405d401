"""What a form does not preserve of a body, and what the body may have been."""

import contextlib
from collections.abc import Iterator, Sequence
from enum import Enum

from ..signatures.body_corruptions import BODY_CORRUPTIONS


class Loss(Enum):
    """A property of bodies that a form does not preserve. The value is a sentence for `Delivery.not_kept`."""

    FINAL_NEWLINE = "Whether the body ends with a newline or spaces is not kept."
    LINE_ENDINGS = "Whether the body's lines end with LF or CRLF is not kept."
    ENCODING = "Bytes that are not UTF-8 are not kept."
    JSON_FORMAT = "The body was parsed: its spaces, escapes, number formats and key order are not kept."


DAMAGED = (
    "The body has the character U+FFFD, which stands for bytes that are not UTF-8 and were lost, so it is probably not the body"
    " that was sent."
)
QUOTED = (Loss.LINE_ENDINGS, Loss.ENCODING)
TEXT = (Loss.FINAL_NEWLINE, *QUOTED)


def candidates(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    """Bodies that may have been sent, each with a description that completes "The signature matches the body …".

    The first is the body itself, without a description.
    """
    for format_name, written in _json_formats(body, losses):
        for encoding_name, encoded in _encodings(written, losses):
            for line_name, lines in _line_endings(encoded, losses):
                for end_name, candidate in _ends(lines, losses):
                    names = filter(None, (format_name, encoding_name, line_name, end_name))
                    yield " and ".join(names), candidate


def _json_formats(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    yield "", body
    if Loss.JSON_FORMAT in losses:
        reencoded = BODY_CORRUPTIONS["body_reencoded"](body)
        yield from (("in another JSON format", variant) for variant in reencoded)


def _encodings(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    yield "", body
    for encoding in ("latin-1", "cp1252") if Loss.ENCODING in losses and not body.isascii() else ():
        with contextlib.suppress(UnicodeError):
            yield f"in {encoding}", body.decode().encode(encoding)


def _line_endings(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    yield "", body
    if Loss.LINE_ENDINGS in losses and b"\n" in body:
        unix = body.replace(b"\r\n", b"\n")
        yield "with CRLF line endings", unix.replace(b"\n", b"\r\n")
        yield "with LF line endings", unix


def _ends(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    yield "", body
    if Loss.FINAL_NEWLINE not in losses:
        return
    stripped = body.rstrip()
    if stripped != body:
        yield "without whitespace at its end", stripped
        yield "without a final newline", body.removesuffix(b"\n").removesuffix(b"\r")
    for base in dict.fromkeys((body, stripped)):
        yield "with a final newline", base + b"\n"
        yield "with a final CRLF newline", base + b"\r\n"
    yield "with a space at its end", stripped + b" "
