"""Responses, in whatever shape: turned into a value, or into an error with everything the response says.

Only what is recognisably cStar's counts as cStar's word (API reference): `success: true` with `data`, or an `error`. A status
alone says nothing: a proxy, a load balancer or a sign-in page answers with 404, 403 or 200 too.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import CStarError, InvalidResponseError, RedirectError, StatusError
from ..models import FiredEvent, Identity, Webhook
from ..text import printable, redacted


@dataclass(frozen=True)
class Response:
    """A status, headers by lower-case name, and the bytes of the body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One page of a list. `more` tells whether the response reports others."""

    items: list[Mapping[str, Any]] = field(repr=False)
    more: bool


def refuse_redirect(status: int, target: str) -> None:
    """Raises a `RedirectError` for any 3xx. The target is redacted already, as this frame may be shown with its locals."""
    if 300 <= status < 400:
        error = RedirectError(f"The response is a redirect to {printable(target, 120)}.", status=status)
        if status in (302, 303):
            # A server may answer with these after it did what a POST asked for.
            error.may_have_acted = True
            error.advice = f"{error.advice} Check whether a writing call took effect."
        raise error


def read_page(response: Response) -> Page:
    """One page of a list, and whether there are more by any of cStar's ways to say so."""
    envelope = _envelope(response)
    items = envelope["data"]
    if not isinstance(items, list):
        raise _invalid("The response has no list in it", response)
    for number, item in enumerate(items, 1):
        identity = item.get("id") if isinstance(item, dict) else None
        if not (identity and isinstance(identity, str)) and not _is_id(identity):
            raise _invalid(f"Entry {number} of the list is not a webhook with an ID", response)
    paging = next(
        (
            pagination
            for holder in (envelope, envelope.get("meta"))
            if isinstance(holder, dict) and isinstance(pagination := holder.get("pagination"), dict)
        ),
        {},
    )
    return Page(items, _reports_more(envelope, paging, len(items)))


def read_webhook(response: Response, requested_id: str | None = None) -> Webhook:
    """A webhook. Its ID must be there, and be the requested one."""
    item = _object_in(response)
    if not _is_id(item.get("id")):
        raise _invalid("The response has a webhook without an ID", response)
    if requested_id is not None and str(item["id"]) != requested_id:
        raise _invalid(
            f"The response is about webhook '{printable(item['id'], 80)}', which was not requested", response
        )
    return Webhook.from_item(item)


def read_deleted(response: Response) -> None:
    """Nothing, if cStar confirms that the webhook was deleted."""
    if _object_in(response).get("deleted") is not True:
        raise _invalid("The response does not confirm that the webhook was deleted", response)


def read_fired(response: Response) -> FiredEvent:
    """A fired event, each field of which may be absent."""
    return FiredEvent.from_item(_object_in(response))


def read_identity(response: Response) -> Identity:
    """The team that the key belongs to."""
    return Identity.from_item(_object_in(response))


def error_in(response: Response) -> CStarError:
    """The error for a response with an error status, whatever its body.

    The body is cStar's if it has an `error`: an object (API reference; on older pages without `type`), or text beside `success:
    false` (older page). `param` may be called `field`; the request ID may be in `error`, in `meta` or in a header. If it is
    not cStar's, only 429 and 5xx keep their meaning, as proxies use them for the same.
    """
    envelope = _json_object(response)
    error = _error_object(envelope)
    if error is None and response.status != 429 and response.status < 500:
        return _invalid(
            f"The response has status {response.status}, and its body is not cStar's ({_kind(response)})", response
        )
    error = error or {}
    raw_meta = envelope.get("meta")
    meta = raw_meta if isinstance(raw_meta, dict) else {}
    message = _text(error.get("message"))
    return StatusError.for_status(
        response.status,
        message or f"The server answered with {response.status} and without a message: {_beginning(response)}",
        type=_text(error.get("type")),
        code=_text(error.get("code")),
        param=_text(error.get("param")) or _text(error.get("field")),
        doc_url=_text(error.get("doc_url")),
        request_id=_text(error.get("request_id"))
        or _text(meta.get("requestId"))
        or _text(response.headers.get("x-cstar-request-id") or response.headers.get("x-request-id")),
        retry_after=seconds_to_wait(response, error),
    )


def _error_object(envelope: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The `error` of an envelope of cStar's; None if it is not one."""
    error, refused = envelope.get("error"), envelope.get("success") is False
    if isinstance(error, str) and error and refused:
        return {"message": error}
    if not isinstance(error, dict) or envelope.get("success") is True:
        return None
    names = ("message", "code", "type") if refused else ("code", "type")
    return error if any(_text(error.get(name)) for name in names) else None


def seconds_to_wait(response: Response, error: Mapping[str, Any]) -> float | None:
    """How long cStar asks to wait, in seconds; None if it does not say, or if the status is neither 429 nor 503.

    The first of `Retry-After` (seconds or a date) and, for a 429, of `retryAfter` in the body, `X-RateLimit-Reset`, and the seconds
    in the message. Dates count from the response's own. A time that has passed means that there is nothing to wait for: 0.
    """
    headers = response.headers
    date = _moment(headers.get("date"))
    in_message = re.search(r"(?<!\d)(\d{1,15})\s*seconds?\b", _text(error.get("message")) or "")
    header = headers.get("retry-after")
    waits = [
        _number(header),
        _seconds_between(date, _moment(header)),
        _number(error.get("retryAfter")),
        _seconds_between(date, _number(headers.get("x-ratelimit-reset"))),
        _number(in_message[1]) if in_message else None,
    ]
    considered = {429: waits, 503: waits[:2]}.get(response.status, [])
    return next((seconds for seconds in considered if seconds is not None), None)


def _seconds_between(date: float | None, moment: float | None) -> float | None:
    return None if date is None or moment is None else max(0.0, moment - date)


def date_of(response: Response) -> datetime | None:
    """The `Date` of the response."""
    moment = _moment(response.headers.get("date"))
    try:
        return None if moment is None else datetime.fromtimestamp(moment, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _object_in(response: Response) -> dict[str, Any]:
    data = _envelope(response)["data"]
    if not isinstance(data, dict):
        raise _invalid("The response has no object in it", response)
    return data


def _envelope(response: Response) -> dict[str, Any]:
    """The JSON of a successful response: `success: true` with `data`."""
    envelope = _json_object(response)
    if _error_object(envelope) is not None:
        raise error_in(response)
    if envelope.get("success") is not True or "data" not in envelope:
        raise _invalid(f"The response is not cStar's JSON ({_kind(response)})", response)
    return envelope


def _json_object(response: Response) -> dict[str, Any]:
    try:
        parsed = json.loads(response.content)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _invalid(sentence: str, response: Response) -> InvalidResponseError:
    return InvalidResponseError(f"{sentence}: {_beginning(response)}", status=response.status)


def _kind(response: Response) -> str:
    return printable(redacted(response.headers.get("content-type") or "no content type"), 80)


def _beginning(response: Response) -> str:
    # More is read than shown, so that a secret at the edge is seen and masked as a whole.
    text = redacted(response.content[:2000].decode("utf-8", "replace")).strip()
    return f"'{printable(' '.join(text.split()), 200)}'" if text else "its body is empty"


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _reports_more(envelope: Mapping[str, Any], paging: Mapping[str, Any], count: int) -> bool:
    flags = [holder.get("hasMore", holder.get("has_more")) for holder in (envelope, paging)]
    if any(isinstance(flag, bool) for flag in flags):
        return True in flags
    total, page, size = (_number(paging.get(name)) for name in ("total", "page", "pageSize"))
    if total is None:
        return False
    return count > 0 and total > ((page or 1) - 1) * (size or count) + count


def _text(value: Any) -> str | None:
    """Text of cStar's, with anything that looks like a credential masked."""
    return redacted(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    """A number that is not negative, from a number or its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*\d{1,15}(\.\d{1,6})?\s*", value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _moment(value: str | None) -> float | None:
    """An HTTP date as Unix seconds."""
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None
