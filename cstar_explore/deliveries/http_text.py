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
_CHUNK_SIZE = re.compile(rb"(?:\A|\r?\n)([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,200})?\r?\n")


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
    if "chunked" in headers.get("transfer-encoding", "").lower():
        body, length = _unchunked(body)
    if length >= 0 and not body[length:].strip():
        body = body[:length]
    losses: tuple[Loss, ...] = TEXT if is_text else () if len(body) == length else TEXT[:2]
    return Delivery(body, headers, "pasted text" if is_text else "a raw HTTP request", losses, None, method, url)


def _unchunked(body: bytes) -> tuple[bytes, int]:
    """The content of a chunked body and its length; -1 and the body as it is if it is not chunked: a proxy may have decoded it."""
    parts: list[bytes] = []
    position = 0
    while size := _CHUNK_SIZE.match(body, position):
        length = int(size[1], 16)
        if not length:
            return b"".join(parts), sum(map(len, parts))
        position = size.end() + length
        parts.append(body[size.end() : position])
    return body, -1
