"""What comes back, in whatever shape: a value, or an error with all that the answer tells."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ..errors import InvalidResponseError, RedirectError, StatusError
from ..models import FiredEvent, Identity, Webhook
from ..text import printable, redacted


@dataclass(frozen=True)
class Response:
    """What came back: a status, headers by lower-case name, and the body's bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One page of a list. `more` tells whether cStar says there are others."""

    items: list[Mapping[str, Any]]
    more: bool


def refuse_redirect(status: int, target: str) -> None:
    """Raises a `RedirectError` for any 3xx. The target is redacted already: this frame may be shown with its locals."""
    if 300 <= status < 400:
        error = RedirectError(f"The answer was a redirect to {printable(target, 120)}.", status=status)
        if status in (302, 303):
            # What a server may answer after it has done what a POST asked for.
            error.may_have_acted = True
            error.advice = f"{error.advice} If it changes something, look first whether it did."
        raise error


def read_page(answer: Response) -> Page:
    """One page of a list, with what any of cStar's pages says about there being more."""
    envelope = _envelope(answer)
    data = envelope.get("data")
    if not isinstance(data, list):
        raise _broken("A list was expected and did not come", answer)
    for number, item in enumerate(data, 1):
        if not isinstance(item, dict) or not item.get("id"):
            raise _broken(f"Entry {number} of the list is not a webhook with an id", answer)
    meta = envelope.get("meta")
    paging = next(
        (
            found
            for place in (envelope, meta)
            if isinstance(place, dict) and isinstance(found := place.get("pagination"), dict)
        ),
        {},
    )
    return Page(data, _says_more(envelope, paging, len(data)))


def read_webhook(answer: Response) -> Webhook:
    """A webhook; its id is the one field that must be there."""
    item = _object_in(answer)
    if not item.get("id"):
        raise _broken("The answer holds a webhook without an id", answer)
    return Webhook.from_item(item)


def read_deleted(answer: Response) -> None:
    """Nothing, if cStar confirms that the webhook is gone."""
    if _object_in(answer).get("deleted") is not True:
        raise _broken("cStar did not confirm that the webhook was deleted", answer)


def read_fired(answer: Response) -> FiredEvent:
    """A fired event, every field of which may be absent."""
    return FiredEvent.from_item(_object_in(answer))


def read_identity(answer: Response) -> Identity:
    """Whose key it is."""
    return Identity.from_item(_object_in(answer))


def error_in(answer: Response) -> StatusError:
    """The error that a refusing answer stands for, whatever the shape of its body.

    Read: `error` as an object with or without `type` (API reference; older pages), as a bare string (older page), or no
    JSON at all. `param` may be called `field`; the request id may be in `error`, in `meta` or in a header.
    """
    envelope = _json_object(answer)
    told = envelope.get("error")
    error = told if isinstance(told, dict) else {"message": told} if isinstance(told, str) else {}
    raw_meta = envelope.get("meta")
    meta = raw_meta if isinstance(raw_meta, dict) else {}
    message = _string(error.get("message")) or _string(envelope.get("message"))
    return StatusError.for_status(
        answer.status,
        message or f"cStar answered {answer.status} without a message: {_start_of(answer)}",
        type=_string(error.get("type")),
        code=_string(error.get("code")),
        param=_string(error.get("param")) or _string(error.get("field")),
        doc_url=_string(error.get("doc_url")),
        request_id=_string(error.get("request_id"))
        or _string(meta.get("requestId"))
        or _string(answer.headers.get("x-cstar-request-id") or answer.headers.get("x-request-id")),
        retry_after=_wait_in(answer, error),
    )


# One day: the longest window that any page publishes is an hour.
_ABSURD = 86_400


def _wait_in(answer: Response, error: Mapping[str, Any]) -> float | None:
    """Of a 429, all ways of naming the wait count; of a 503 only the one that is meant for it."""
    if answer.status == 429:
        return seconds_to_wait(answer, error)
    return _usable(*_retry_after(answer)) if answer.status == 503 else None


def seconds_to_wait(answer: Response, error: Mapping[str, Any]) -> float | None:
    """How long cStar asks to wait: the first usable of `Retry-After` (seconds or a date), `retryAfter` in the body,
    `X-RateLimit-Reset` minus the answer's own `Date`, and the seconds in the message. None if none is.

    Negative, unreadable and more than a day is not usable.
    """
    headers = answer.headers
    date = _moment(headers.get("date"))
    reset = _number(headers.get("x-ratelimit-reset"))
    said = re.search(r"(\d{1,6})\s*seconds?\b", _string(error.get("message")) or "")
    return _usable(
        *_retry_after(answer),
        _number(error.get("retryAfter")),
        None if reset is None or date is None else reset - date,
        _number(said[1]) if said else None,
    )


def _retry_after(answer: Response) -> tuple[float | None, float | None]:
    """`Retry-After` as seconds, and as a date less the answer's own."""
    told = answer.headers.get("retry-after")
    retry_at, date = _moment(told), _moment(answer.headers.get("date"))
    return _number(told), None if retry_at is None or date is None else retry_at - date


def _usable(*ways: float | None) -> float | None:
    """The first wait that is none of absent, negative and absurd."""
    return next((seconds for seconds in ways if seconds is not None and 0 <= seconds <= _ABSURD), None)


def date_of(answer: Response) -> datetime | None:
    """The time at which cStar answered, by its own clock."""
    moment = _moment(answer.headers.get("date"))
    return None if moment is None else datetime.fromtimestamp(moment, UTC)


def _object_in(answer: Response) -> dict[str, Any]:
    data = _envelope(answer).get("data")
    if not isinstance(data, dict):
        raise _broken("The answer has no data in it", answer)
    return data


def _envelope(answer: Response) -> dict[str, Any]:
    envelope = _json_object(answer)
    if not envelope:
        kind = answer.headers.get("content-type") or "no content type"
        raise _broken(f"The answer is not cStar's JSON ({printable(kind, 80)})", answer)
    if envelope.get("success") is False:
        raise error_in(answer)
    return envelope


def _json_object(answer: Response) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _broken(sentence: str, answer: Response) -> InvalidResponseError:
    return InvalidResponseError(f"{sentence}: {_start_of(answer)}", status=answer.status)


def _start_of(answer: Response) -> str:
    # More is read than shown, so that a secret at the edge is seen whole and masked whole.
    text = redacted(answer.content[:2000].decode("utf-8", "replace")).strip()
    return f"'{printable(' '.join(text.split()), 200)}'" if text else "its body is empty"


def _says_more(envelope: Mapping[str, Any], paging: Mapping[str, Any], count: int) -> bool:
    flags = [place.get("hasMore", place.get("has_more")) for place in (envelope, paging)]
    if any(isinstance(flag, bool) for flag in flags):
        return True in flags
    total, page, size = (_number(paging.get(name)) for name in ("total", "page", "pageSize"))
    if total is None:
        return False
    return count > 0 and total > ((page or 1) - 1) * (size or count) + count


def _string(value: Any) -> str | None:
    """Text of cStar's, with anything in it that looks like a credential masked."""
    return redacted(value) if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, str) and not re.fullmatch(r"\s*\d{1,15}(\.\d{1,6})?\s*", value):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _moment(value: str | None) -> float | None:
    """An HTTP date as Unix seconds."""
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, TypeError, OverflowError):
        return None
