"""The calls, before they are sent."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from ..errors import ValidationError
from ..models import FiredEvent, Identity, Webhook
from ..secret import Secret
from ..text import printable, redacted
from .responses import (
    Page,
    Response,
    error_in,
    read_deleted,
    read_fired,
    read_identity,
    read_page,
    read_webhook,
    refuse_redirect,
)
from .validation import checked_events, checked_name, checked_url, segment

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
    read: Callable[["Response"], T]

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
        """`PATCH /webhooks/{webhookId}` with what is given. `events` replaces the whole set (see its example)."""
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


def read(request: Request[T], answer: Response) -> T:
    """The value in the answer to this request.

    Raises:
        StatusError: cStar said no.
        RedirectError: The answer points elsewhere.
        InvalidResponseError: The answer is not one of cStar's.
    """
    refuse_redirect(answer.status, redacted(answer.headers.get("location", "nowhere")))
    if not 200 <= answer.status < 300:
        raise error_in(answer)
    return request.read(answer)
