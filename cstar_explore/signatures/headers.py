"""Request headers in the forms in which frameworks, gateways, logs and people have them."""

import contextlib
import itertools
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.header import Header
from typing import Any

from ..errors import ValidationError
from .bodies import parse_json

MAX_HEADERS = 10_000  # servers accept a few hundred

# Named, because building a union takes longer than asking for it.
_BYTES = (bytes, bytearray, memoryview)
_TEXT = (str, bytes)
_LISTED = (tuple, list)

# RFC 9110, section 5.5: whitespace around a value is not part of it. Line ends come from pasted text.
_WHITESPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Headers:
    """Header values by lower-case name. The first of several values counts."""

    fields: Mapping[str, str] = field(repr=False)  # not shown in tracebacks: it may contain credentials

    @property
    def signature(self) -> str:
        """The value of X-Signature without whitespace around it, or an empty string."""
        return self.fields.get("x-signature", "")


HeadersLike = Headers | Mapping[Any, Any] | Iterable[Any] | str | bytes | None


def read_headers(headers: HeadersLike) -> Headers:
    """The headers, from any of these forms.

    - the value of X-Signature, a line `X-Signature: …`, or a block of such lines, as text or bytes
    - a mapping of any case, or an object with `items()`: `requests`, httpx, Werkzeug, Django, `http.server`
    - pairs of names and values, as text or bytes (ASGI); lines; a flat list (Node); `{"name": …, "value": …}` (HAR)
    - lists of values, of which the first counts (API Gateway, webhook.site)
    - a WSGI environ or Django's `request.META`, where the name is `HTTP_X_SIGNATURE`
    - a request, an ASGI scope or a gateway's event, which contain `headers`

    Raises:
        ValidationError: They have another form.
    """
    if isinstance(headers, Headers):
        return headers
    if isinstance(headers, _BYTES):
        headers = bytes(headers).decode("latin-1")
    if isinstance(headers, str):
        return Headers(_from_text(headers))
    return Headers({} if headers is None else _from_object(headers))


# --- text

# Names have at least three characters: "t:" and "v1:" begin malformed values.
_LINE = re.compile(r"[>\s]*([A-Za-z][A-Za-z0-9_-]{2,})[ \t]*:(.*)")
_START_LINE = re.compile(r"[>\s]*(?:[A-Z]+ \S+ HTTP/|HTTP/)[\d.]+")
_LINE_END = re.compile(r"\r\n|\r|\n")


def _from_text(text: str) -> dict[str, str]:
    text = text.strip(_WHITESPACE)
    if ":" not in text:
        return {"x-signature": text}
    if text[0] in "{[" and _is_headers(parsed := parse_json(text)):
        # Text comes from senders, so it is never an error: what cannot be read is a malformed value.
        with contextlib.suppress(ValidationError):
            return _from_object(parsed)
    lines = _LINE_END.split(text, MAX_HEADERS)
    if _START_LINE.match(lines[0]):
        del lines[0]
    elif not _LINE.match(lines[0]):
        return {"x-signature": text}
    return _from_lines(itertools.takewhile(str.strip, lines))  # a body may follow after an empty line


def _from_lines(lines: Iterable[str]) -> dict[str, str]:
    return _by_name(match.groups() for match in map(_LINE.match, lines) if match)


def _is_headers(parsed: Any) -> bool:
    """Whether JSON may be headers, and is not a malformed value such as `{"t": …, "v1": …}`."""
    return isinstance(parsed, list) or (isinstance(parsed, dict) and all(len(name) > 2 for name in parsed))


# --- objects

_CONTAINERS = ("headers", "multivalueheaders")  # of requests, ASGI scopes and gateways' events


def _from_object(headers: object) -> dict[str, str]:
    fields: dict[str, str] | None = None
    try:
        fields = _read_object(headers)
    except ValidationError:
        raise
    except Exception:  # noqa: BLE001, S110 - the object's own methods may raise anything
        pass
    if fields is None:
        raise ValidationError(
            f"These headers cannot be read: {type(headers).__name__} in an unknown form.",
            param="headers",
            advice="Pass a mapping, a list of (name, value) pairs, or the text of X-Signature.",
        )
    return fields


def _read_object(headers: Any, depth: int = 0) -> dict[str, str] | None:
    """The fields, or None if the object has no known form."""
    if not callable(getattr(headers, "items", None)):
        headers = getattr(headers, "headers", headers)  # a request
    has_items = callable(getattr(headers, "items", None))
    entries = headers.items() if has_items else headers
    if not isinstance(entries, Iterable):
        return None
    listed = list(itertools.islice(entries, MAX_HEADERS + 1))
    if len(listed) > MAX_HEADERS:
        raise ValidationError(f"Headers can be read up to a number of {MAX_HEADERS:,}.", param="headers")
    if listed and not has_items and all(isinstance(entry, _TEXT) for entry in listed):
        return _from_texts([_text(entry) or "" for entry in listed])
    pairs = [_pair(entry) for entry in listed]
    if None in pairs:
        return None
    named = [(name, value) for name, value in filter(None, pairs) if name]
    if listed and not named:
        return None
    containers = [value for name, value in named if name.lower() in _CONTAINERS]
    inner = [value for value in containers if not isinstance(value, _TEXT) and value is not None]
    if inner and depth == 0:
        found = [fields for value in inner if (fields := _read_object(value, depth + 1)) is not None]
        return dict(ChainMap(*found)) if found else None
    return _by_name(named)


def _from_texts(texts: list[str]) -> dict[str, str]:
    """Lines, several values of X-Signature, or names and values by turns."""
    if _LINE.match(texts[0]):
        return _from_lines(texts)
    if "=" in texts[0] or len(texts) % 2:
        return {"x-signature": texts[0]}
    return _by_name(zip(texts[::2], texts[1::2], strict=True))


def _pair(entry: Any) -> tuple[str, object] | None:
    """A name and a value; the name is empty if it is not text."""
    if isinstance(entry, _LISTED):
        return (_name(entry[0]), entry[1]) if len(entry) == 2 else None
    if isinstance(entry, Mapping) and "value" in entry:
        return _name(entry.get("name", entry.get("key"))), entry["value"]
    return None


def _name(name: object) -> str:
    return (_text(name) or "") if isinstance(name, _TEXT) else ""


def _by_name(pairs: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    """The first value that is not empty, by lower-case name."""
    listed = list(pairs)
    is_cgi = any(name.startswith("HTTP_") for name, _ in listed)  # besides them, an environ holds what is no header
    fields: dict[str, str] = {}
    for original, value in listed:
        name = _cgi_name(original) if is_cgi else original.strip().lower()
        if not name:
            continue
        text = _value(value)
        if text is None and name == "x-signature":
            raise ValidationError(
                f"The value of X-Signature must be text, bytes or a list of them, not {type(value).__name__}.",
                param="headers",
                advice="Pass it as the server received it.",
            )
        if not fields.get(name):
            fields[name] = text or ""
    return fields


def _cgi_name(name: str) -> str | None:
    """The name of a header from its variable in CGI, WSGI and PHP."""
    is_header = name.startswith(("HTTP_", "CONTENT_"))
    return name.removeprefix("HTTP_").replace("_", "-").lower() if is_header else None


def _value(value: object) -> str | None:
    """A header's value as text, or None if it is of another type."""
    if isinstance(value, _LISTED):
        first = value[0] if value else ""
        value = first.get("value") if isinstance(first, Mapping) else first
    return "" if value is None else _text(value)


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value.strip(_WHITESPACE)
    if isinstance(value, _BYTES):
        value = bytes(value).decode("latin-1")
    if isinstance(value, int | Header):  # lengths; `email` makes a Header of values that are not ASCII
        value = str(value)
    return value.strip(_WHITESPACE) if isinstance(value, str) else None
