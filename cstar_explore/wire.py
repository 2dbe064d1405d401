"""What each call sends and how each answer is read. No I/O happens here.

A `Request` is inert: it can be shown, turned into a `curl` line, and sent by a client. An `Answer` is bytes and headers;
`read` turns it into a value or raises the error that belongs to it.

Source of paths, bodies and envelopes: cStar's webhook API reference. `whoami` is from the SDK's start page, pagination
from the pages on tickets and on the SDK's lists; where pages disagree, each of their forms is read.
"""

import json
import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote, urlsplit

from . import events as catalogue
from .errors import BrokenAnswerError, ConfigurationError, RedirectError, StatusError, ValidationError
from .loopback import is_loopback
from .models import FiredEvent, Identity, Webhook
from .secret import Secret
from .text import printable, redacted

T = TypeVar("T")

# How often a request may be sent when its answer is lost: as often as needed, under one Idempotency-Key, or once.
Repeat = Literal["freely", "with_key", "once"]


@dataclass(frozen=True)
class Request(Generic[T]):
    """A call before it is sent. Displaying it shows all that will be sent, with the key masked.

    Attributes:
        method, url, body: As they go out; `body` is None for calls without one.
        key: The API key.
        repeat: Whether the call may be repeated once it may have arrived.
    """

    method: str
    url: str
    key: Secret
    body: Mapping[str, Any] | None
    repeat: Repeat
    read: Callable[["Answer"], T]

    @property
    def writes(self) -> bool:
        """Whether the call changes something, or delivers something, at cStar."""
        return self.method != "GET"

    @property
    def content(self) -> bytes:
        """The body's bytes; none for a call without one."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with the key masked and without the random part."""
        shown = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if self.body is not None:
            shown["Content-Type"] = "application/json"
        if self.repeat == "with_key":
            shown["Idempotency-Key"] = "(random, made when it is sent)"
        return shown

    def curl(self) -> str:
        """The same call for a shell, the key taken from `$CSTAR_KEY`."""
        parts = ["curl", "-X", self.method, shlex.quote(self.url), "-H", '"Authorization: Bearer $CSTAR_KEY"']
        if self.content:
            parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(self.content.decode())]
        return " ".join(parts)

    def __repr__(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.body is None:
            return "\n".join(head)
        # Escaped as JSON escapes: no character of a name can steer the terminal.
        return "\n".join([*head, "", json.dumps(self.body, indent=2)])


@dataclass(frozen=True)
class Answer:
    """What came back: a status, headers by lower-case name, and the body's bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Page:
    """One page of a list. `more` tells whether cStar says there are others."""

    items: list[Mapping[str, Any]]
    more: bool


class WebhookRequests:
    """The six calls of the API reference, as requests that are shown and not sent."""

    def __init__(self, base_url: str, team_id: str, key: Secret) -> None:
        self._url = f"{base_url}/api/v1/teams/{segment(team_id, 'team_id')}/webhooks"
        self._key = key

    def list(self, page: int | None = None) -> Request[Page]:
        """`GET /webhooks`. The reference knows no pages; `page` is for a server that says it has them, 100 at a time."""
        query = "" if page is None else f"?page={page}&pageSize=100"
        return Request("GET", f"{self._url}{query}", self._key, None, "freely", read_page)

    def get(self, webhook_id: str) -> Request[Webhook]:
        """`GET /webhooks/{webhookId}`."""
        return Request("GET", self._one(webhook_id), self._key, None, "freely", read_webhook)

    def create(self, *, name: str, url: str, events: str | Iterable[str]) -> Request[Webhook]:
        """`POST /webhooks`. All three are required; events go out as one comma-separated string."""
        wanted = checked_events(events)
        if not wanted:
            raise ValidationError("A webhook needs at least one event type.", param="events")
        body = {"name": checked_name(name), "url": checked_url(url), "events": ",".join(wanted)}
        return Request("POST", self._url, self._key, body, "with_key", read_webhook)

    def update(
        self,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: str | Iterable[str] | None = None,
        is_active: bool | None = None,
    ) -> Request[Webhook]:
        """`PATCH /webhooks/{webhookId}` with what is given. `events` replaces the whole set."""
        body: dict[str, Any] = {}
        if name is not None:
            body["name"] = checked_name(name)
        if url is not None:
            body["url"] = checked_url(url)
        if events is not None:
            body["events"] = ",".join(checked_events(events))
        if is_active is not None:
            if not isinstance(is_active, bool):
                raise ValidationError(
                    f"is_active is True or False, not {printable(repr(is_active), 80)}.", param="isActive"
                )
            body["isActive"] = is_active
        if not body:
            raise ValidationError("Nothing to change was given.", advice="Give name, url, events or is_active.")
        return Request("PATCH", self._one(webhook_id), self._key, body, "with_key", read_webhook)

    def delete(self, webhook_id: str) -> Request[None]:
        """`DELETE /webhooks/{webhookId}`."""
        return Request("DELETE", self._one(webhook_id), self._key, None, "freely", read_deleted)

    def trigger_test(self, event: str) -> Request[FiredEvent]:
        """`POST /webhooks/trigger-test`. Never repeated once it may have arrived: it would deliver twice."""
        wanted = checked_events([event] if isinstance(event, str) else event)
        if len(wanted) != 1:
            raise ValidationError(f"One event type is fired at a time, not {len(wanted)}.", param="event")
        return Request("POST", f"{self._url}/trigger-test", self._key, {"event": wanted[0]}, "once", read_fired)

    def _one(self, webhook_id: str) -> str:
        return f"{self._url}/{segment(webhook_id, 'webhook_id')}"


def whoami(base_url: str, key: Secret) -> Request[Identity]:
    """`GET /api/v1/auth/whoami`: whose key it is. On the SDK's start page, not in the webhook reference."""
    return Request("GET", f"{base_url}/api/v1/auth/whoami", key, None, "freely", read_identity)


# --- what goes out -----------------------------------------------------------------------------------------------


def segment(value: str, param: str) -> str:
    """The id, percent-encoded as one segment of a path.

    Raises:
        ValidationError: It is not text, empty, only dots, or holds a control or direction character.
    """
    if not isinstance(value, str):
        raise ValidationError(f"{param} is text such as 'whk_…', not {printable(repr(value), 80)}.", param=param)
    if not value.strip() or not value.strip(".") or not value.isprintable():
        raise ValidationError(
            f"{param} {printable(repr(value), 80)} cannot be an id.",
            param=param,
            advice="Ids are listed by webhooks.list().",
        )
    return quote(value, safe="")


def checked_name(name: str) -> str:
    """A webhook's name, which must not be blank."""
    if not isinstance(name, str) or not name.strip():
        raise ValidationError(f"A webhook needs a name; {printable(repr(name), 80)} is none.", param="name")
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise ValidationError(f"The name '{printable(name, 80)}' has half a character in it.", param="name")
    return name.strip()


def checked_url(url: str) -> str:
    """A delivery URL: https to a host. Plain http passes to loopback only, which cStar itself cannot reach.

    Raises:
        ValidationError: It is none; the sentence says why.
    """
    if not isinstance(url, str):
        raise ValidationError(f"A URL is text, not {printable(repr(url), 80)}.", param="url")
    url = url.strip()
    if not url:
        raise ValidationError(
            "A webhook needs a URL.", param="url", advice="Give the https address that receives the events."
        )
    shown = printable(url, 120)
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValidationError(f"The URL '{shown}' has a space or control character in it.", param="url")
    scheme, host = _scheme_and_host(url)
    if scheme not in ("http", "https") or not host:
        raise ValidationError(
            f"'{shown}' is not an https URL with a host.", param="url", advice="Write it out: https://host/path."
        )
    if scheme == "http" and not is_loopback(host):
        raise ValidationError(
            f"'{shown}' is plain http.", param="url", advice="cStar delivers to https only; use https."
        )
    return url


def checked_base_url(base_url: str) -> str:
    """Where the API is, without a slash at the end: https, or http to loopback.

    Raises:
        ConfigurationError: The key would travel in clear, or the address has parts that do not belong.
    """
    scheme, host = _scheme_and_host(base_url) if base_url.isprintable() and " " not in base_url else ("", "")
    shown = printable(redacted(base_url), 120)
    if scheme not in ("http", "https") or not host:
        raise ConfigurationError(f"'{shown}' is not a base URL.", advice="It looks like https://www.cstar.help.")
    parts = urlsplit(base_url)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigurationError(
            "A base URL is scheme, host and path; it has no user, query or fragment.", advice="Leave them out."
        )
    if scheme == "http" and not is_loopback(host):
        raise ConfigurationError(
            f"'{shown}' is plain http: the key would travel in clear.", advice="Use https; http is for loopback only."
        )
    return base_url.rstrip("/")


def checked_events(events: str | Iterable[str]) -> tuple[str, ...]:
    """The event types as a tuple; warns of those that are not in the catalogue."""
    names = catalogue.listed(events)
    catalogue.warn_of_doubts(names)
    return names


def _scheme_and_host(url: str) -> tuple[str, str]:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is not a number
    except ValueError:
        return "", ""
    return parts.scheme.lower(), (parts.hostname or "").lower()


# --- what comes back ---------------------------------------------------------------------------------------------


def read(request: Request[T], answer: Answer) -> T:
    """The value in the answer to this request.

    Raises:
        StatusError: cStar said no.
        RedirectError: The answer points elsewhere.
        BrokenAnswerError: The answer is not one of cStar's.
    """
    refuse_redirect(answer.status, redacted(answer.headers.get("location", "nowhere")))
    if not 200 <= answer.status < 300:
        raise error_in(answer)
    return request.read(answer)


def refuse_redirect(status: int, target: str) -> None:
    """Raises a `RedirectError` for any 3xx. The target is redacted already: this frame may be shown with its locals."""
    if 300 <= status < 400:
        raise RedirectError(f"The answer was a redirect to {printable(target, 120)}.", status=status)


def read_page(answer: Answer) -> Page:
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


def read_webhook(answer: Answer) -> Webhook:
    """A webhook; its id is the one field that must be there."""
    item = _object_in(answer)
    if not item.get("id"):
        raise _broken("The answer holds a webhook without an id", answer)
    return Webhook.from_item(item)


def read_deleted(answer: Answer) -> None:
    """Nothing, if cStar confirms that the webhook is gone."""
    if _object_in(answer).get("deleted") is not True:
        raise _broken("cStar did not confirm that the webhook was deleted", answer)


def read_fired(answer: Answer) -> FiredEvent:
    """A fired event, every field of which may be absent."""
    return FiredEvent.from_item(_object_in(answer))


def read_identity(answer: Answer) -> Identity:
    """Whose key it is."""
    return Identity.from_item(_object_in(answer))


def error_in(answer: Answer) -> StatusError:
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
        retry_after=seconds_to_wait(answer, error) if answer.status in (429, 503) else None,
    )


# One day: the longest window that any page publishes is an hour.
_ABSURD = 86_400


def seconds_to_wait(answer: Answer, error: Mapping[str, Any]) -> float | None:
    """How long cStar asks to wait: the first usable of `Retry-After` (seconds or a date), `retryAfter` in the body,
    `X-RateLimit-Reset` minus the answer's own `Date`, and the seconds in the message. None if none is.

    Negative, unreadable and more than a day is not usable.
    """
    headers = answer.headers
    date = _moment(headers.get("date"))
    retry_at = _moment(headers.get("retry-after"))
    reset = _number(headers.get("x-ratelimit-reset"))
    said = re.search(r"(\d{1,6})\s*seconds?\b", _string(error.get("message")) or "")
    ways = (
        _number(headers.get("retry-after")),
        None if retry_at is None or date is None else retry_at - date,
        _number(error.get("retryAfter")),
        None if reset is None or date is None else reset - date,
        _number(said[1]) if said else None,
    )
    return next((seconds for seconds in ways if seconds is not None and 0 <= seconds <= _ABSURD), None)


def _object_in(answer: Answer) -> dict[str, Any]:
    data = _envelope(answer).get("data")
    if not isinstance(data, dict):
        raise _broken("The answer has no data in it", answer)
    return data


def _envelope(answer: Answer) -> dict[str, Any]:
    envelope = _json_object(answer)
    if not envelope:
        kind = answer.headers.get("content-type") or "no content type"
        raise _broken(f"The answer is not cStar's JSON ({printable(kind, 80)})", answer)
    if envelope.get("success") is False:
        raise error_in(answer)
    return envelope


def _json_object(answer: Answer) -> dict[str, Any]:
    try:
        parsed = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _broken(sentence: str, answer: Answer) -> BrokenAnswerError:
    return BrokenAnswerError(f"{sentence}: {_start_of(answer)}", status=answer.status)


def _start_of(answer: Answer) -> str:
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
