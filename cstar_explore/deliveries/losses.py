"""What a form does not preserve of a body, and what the body may have been."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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


Change = Callable[[bytes], Iterable[bytes]]

# The bodies that a body may have been if a property is lost, by what completes "The signature matches the body …".
_CHANGES: Mapping[Loss, Mapping[str, Change]] = {
    Loss.JSON_FORMAT: {"in another JSON format": BODY_CORRUPTIONS["body_reencoded"]},
    Loss.LINE_ENDINGS: {
        "with CRLF line endings": lambda body: [_unix(body).replace(b"\n", b"\r\n")],
        "with LF line endings": lambda body: [_unix(body)],
    },
    Loss.FINAL_NEWLINE: {
        "without whitespace at its end": lambda body: [body.rstrip()],
        "without a final newline": lambda body: [body.removesuffix(b"\n").removesuffix(b"\r")],
        "with a final newline": lambda body: dict.fromkeys((body + b"\n", body.rstrip() + b"\n")),
        "with a final CRLF newline": lambda body: dict.fromkeys((body + b"\r\n", body.rstrip() + b"\r\n")),
        "with a space at its end": lambda body: [body.rstrip() + b" "],
    },
}


def candidates(body: bytes, losses: Sequence[Loss]) -> Iterator[tuple[str, bytes]]:
    """Bodies that may have been sent, each with a description that completes "The signature matches the body …".

    The first is the body itself, without a description.
    """
    found: Iterator[tuple[str, bytes]] = iter([("", body)])
    for loss, changes in _CHANGES.items():
        if loss in losses:
            found = _changed(found, changes)
    return found


def _changed(found: Iterator[tuple[str, bytes]], changes: Mapping[str, Change]) -> Iterator[tuple[str, bytes]]:
    for name, body in found:
        yield name, body
        for change, variants in changes.items():
            for variant in variants(body):
                if variant != body:
                    yield f"{name} and {change}" if name else change, variant


def _unix(body: bytes) -> bytes:
    return body.replace(b"\r\n", b"\n")
