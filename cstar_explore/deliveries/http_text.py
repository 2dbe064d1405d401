"""Raw HTTP requests: with or without a request line, with CRLF or LF, or with the pseudo-headers of HTTP/2."""

import re

from .losses import TEXT, Loss
from .model import Delivery, HeaderFields, too_long

_LONGEST_HEAD = 2**20  # bytes; the time is proportional
_REQUEST_LINE = re.compile(r"([A-Z]{3,10}) (\S+)(?: HTTP/[\d.]+)?[ \t]*")
_HEADER_LINE = re.compile(r"(:?[!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:(.*)")
_LINE_END = re.compile(r"\r?\n")
# An empty line, or a line that begins as JSON where the empty line was lost.
_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n|\r?\n(?=[{\[])")


def is_request(text: str) -> bool:
    """Whether the text begins with a request line or a header."""
    first = _LINE_END.split(text[:20_000].lstrip(), maxsplit=1)[0]
    return bool(_REQUEST_LINE.fullmatch(first) or _HEADER_LINE.fullmatch(first))


def read(content: bytes, *, is_text: bool) -> Delivery:
    """The request.

    Args:
        content: Bytes that begin with a request line or a header.
        is_text: Whether the source was text, which may have lost line endings and the final newline.
    """
    content = content.lstrip()
    end = _HEAD_END.search(content)
    head, body = (content[: end.start()], content[end.end() :]) if end else (content, b"")
    if len(head) > _LONGEST_HEAD:
        raise too_long(len(head), _LONGEST_HEAD)
    lines = _LINE_END.split(head.decode("latin-1"))
    start = _REQUEST_LINE.fullmatch(lines[0])
    pairs = [(field[1].lower(), field[2].strip()) for field in map(_HEADER_LINE.fullmatch, lines) if field]
    given, headers = dict(pairs), HeaderFields(pairs)
    method = given.get(":method") or (start[1] if start else "POST")
    url = given.get(":path") or (start[2] if start else None)
    host = headers.get("host") or given.get(":authority")
    if url and url.startswith("/") and host:
        url = f"{given.get(':scheme', 'https')}://{host}{url}"
    declared = headers.get("content-length", "")
    length = int(declared) if re.fullmatch("[0-9]{1,11}", declared) else -1
    if length >= 0 and not body[length:].strip():
        body = body[:length]
    losses: tuple[Loss, ...] = TEXT if is_text else () if len(body) == length else TEXT[:2]
    return Delivery(body, headers, "pasted text" if is_text else "a raw HTTP request", losses, None, method, url)
