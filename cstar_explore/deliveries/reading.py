"""`delivery`: recognizes the form of a delivery and reads it."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import CStarError, ValidationError
from ..files import read_bytes
from ..signatures.bodies import parse_json
from ..text import printable, redacted
from . import csv_exports, curl, http_text, json_forms, powershell, request_objects
from .losses import QUOTED
from .model import MAX_BYTES, Delivery, too_long, unreadable

_FETCH = re.compile(r"\s*(?:await\s+)?fetch\(\s*(?=\")")
_MOST_LISTED = 20
_FORMS = (
    "Pass a raw HTTP request, a curl or PowerShell command, HAR, an export of webhook.site, ngrok, Pipedream or Postman, an AWS"
    " event, a request object, a pathlib.Path, or the pair (body, headers)."
)


def delivery(source: Any, *, number: int | None = None) -> Delivery:
    """Reads a delivery from pasted text, a file, JSON or a request object. It runs no command and makes no network request.

    Args:
        source: One of:

            - text or bytes: a raw HTTP request, a curl command (bash or the Windows command prompt), a PowerShell command, a browser's
              `fetch`, or JSON: HAR, an export of webhook.site (also CSV), ngrok's inspector, RequestBin, Pipedream or Postman, or an
              event of AWS API Gateway, Lambda or a load balancer
            - such JSON after parsing
            - a `pathlib.Path` to a file with any of these
            - a listener's request, row or frame
            - a request of requests, httpx, Werkzeug, Flask, Django, Starlette or aiohttp whose body has been read
            - a pair `(body, headers)`
        number: The number of the delivery, from 1, if the source has several.

    Raises:
        ValidationError: The source has an unknown form, cannot be read, has more than 10 MiB, or has several deliveries and `number`
            names none of them.
        ConfigurationError: The file cannot be read.
    """
    try:
        found = deliveries_in(source)
    finally:
        del source  # an error would keep it
    return _chosen(found, number)


def deliveries_in(source: Any) -> list[Delivery]:
    """All deliveries in the source. If some of its requests are signed, only those.

    Raises:
        ValidationError, ConfigurationError: As `delivery`.
    """
    try:
        found = _read(source)
    except RecursionError:
        refused: CStarError = _unknown("It is nested too deeply.")
    except CStarError as error:
        # The frames below, and the error of a parser, have the pasted text in their variables.
        refused = error.with_traceback(None)
    else:
        posts = [one for one in found if one.method == "POST" and one.body]
        signed = [one for one in posts if "x-signature" in one.headers or "x-cstar-signature" in one.headers]
        return signed or posts or found
    del source
    refused.__context__ = None
    raise refused


def _read(source: Any) -> list[Delivery]:
    if isinstance(source, Delivery):
        return [source]
    if isinstance(source, os.PathLike):
        return _from_bytes(read_bytes(os.fspath(source), MAX_BYTES))
    if isinstance(source, str | bytes | bytearray | memoryview):
        if len(source) > MAX_BYTES:
            raise too_long(len(source))
        return _from_text(source) if isinstance(source, str) else _from_bytes(bytes(source))
    if callable(getattr(source, "itertuples", None)):  # a frame
        source = source.to_dict("records")
    if isinstance(source, Mapping | list) and not hasattr(source, "headers"):  # requests may be mappings
        return json_forms.find(source) or _nothing_in_json(source)
    read = request_objects.read(source)
    if read is None:
        raise _unknown(f"An object of type {type(source).__name__} has no readable headers and body.")
    return [read]


def _from_bytes(content: bytes) -> list[Delivery]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # as PowerShell writes files
        return _from_text(content.decode("utf-16", "replace"))
    content = content.removeprefix(b"\xef\xbb\xbf")
    if http_text.is_request(content[:20_000].decode("latin-1")):
        return [http_text.read(content, is_text=False)]
    return _from_text(content.decode("utf-8", "replace"))


def _from_text(text: str) -> list[Delivery]:
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise _unknown("It is empty.")
    if text.lstrip()[0] in "{[":
        parsed = parse_json(text)
        if parsed is None:
            raise _unknown("It begins like JSON, but is not valid JSON: it is incomplete, or other text surrounds it.")
        return json_forms.find(parsed) or _nothing_in_json(parsed)
    if http_text.is_request(text):
        return [http_text.read(text.encode("utf-8", "surrogatepass"), is_text=True)]
    for read in (curl.read, powershell.read, _from_fetch, csv_exports.read):
        if found := read(text):
            return found
    raise _unknown("Its beginning matches no known form.")


def _from_fetch(text: str) -> list[Delivery]:
    """A call of `fetch` as browsers copy it, whose arguments are JSON."""
    call = _FETCH.match(text)
    if call is None:
        return []
    decoder = json.JSONDecoder()
    try:
        url, end = decoder.raw_decode(text, call.end())
        options, _ = decoder.raw_decode(text, text.index("{", end))
    except ValueError:
        raise _unknown("It is a call of fetch whose arguments are not JSON.") from None
    found = json_forms.find({"headers": {}, "body": "", **options, "url": url})
    return [replace(one, source="a call of fetch", losses=QUOTED) for one in found]


def _nothing_in_json(parsed: Any) -> list[Delivery]:
    if isinstance(parsed, Mapping) and {"type", "data"} <= set(parsed):
        raise _unknown("It is the body of a delivery without its headers, which contain the signature.")
    raise _unknown("It is JSON, but no object in it has headers and a body.")


def _unknown(recognized: str) -> ValidationError:
    return unreadable(f"No delivery can be read from the source. {recognized}", _FORMS)


def _chosen(found: list[Delivery], number: int | None) -> Delivery:
    position = 1 if number is None and len(found) == 1 else number
    if isinstance(position, int) and 1 <= position <= len(found):
        return found[position - 1]
    lines = [f"{position}: {summary(one)}" for position, one in enumerate(found[:_MOST_LISTED], 1)]
    more = f"; … and {len(found) - _MOST_LISTED:,} more" if len(found) > _MOST_LISTED else ""
    problem = "number is missing" if number is None else f"number={printable(number, 20)} is not one of them"
    raise ValidationError(
        f"The source has {len(found):,} deliveries, and {problem}.",
        param="number",
        advice=f"Pass number=… with one of these: {'; '.join(lines)}{more}.",
    )


def summary(one: Delivery) -> str:
    """A delivery's time of arrival, if the source has it, and its event type or else its URL."""
    event = parse_json(one.body) if len(one.body) < 100_000 else None
    name = (event.get("type") if isinstance(event, dict) else None) or one.headers.get("x-event-type")
    time = "" if one.received_at is None else f"{one.received_at:%Y-%m-%d %H:%M:%S} UTC "
    return time + (printable(redacted(str(name)), 80) if name else one.shown_url() or "?")
