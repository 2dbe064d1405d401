"""The calls as values, before they are sent."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

from ..errors import ValidationError
from ..hosts import is_loopback_url
from ..models import FiredEvent, Identity, Webhook
from ..secret import ApiKey
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

# How often a request may be sent if its response is lost: as often as needed, under one Idempotency-Key, or once.
Repeat = Literal["freely", "with_key", "once"]


@dataclass(frozen=True)
class Request(Generic[T]):
    """A call before it is sent. Displaying it shows everything that will be sent, with the key masked.

    Attributes:
        method, url, body: As they are sent; `body` is None for calls without one.
        key: The API key.
        repeat: Whether the call may be retried if it may have arrived.
        read: Reads the response.
    """

    method: str
    url: str
    key: ApiKey
    body: Mapping[str, Any] | None
    repeat: Repeat
    read: Callable[[Response], T]

    @property
    def writes(self) -> bool:
        """Whether the call changes or delivers something."""
        return self.method != "GET"

    @property
    def content(self) -> bytes:
        """The bytes of the body; empty for a call without one."""
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers, with the key masked and the random part described."""
        shown = {"Authorization": f"Bearer {self.key}", "Accept": "application/json"}
        if self.body is not None:
            shown["Content-Type"] = "application/json"
        if self.repeat == "with_key":
            shown["Idempotency-Key"] = "(random, generated when sent)"
        return shown

    def curl(self) -> str:
        """The same call as a shell command, with the key from `$CSTAR_KEY`."""
        parts = ["curl", "-X", self.method, shlex.quote(self.url), "-H", '"Authorization: Bearer $CSTAR_KEY"']
        if self.content:
            parts += ["-H", "'Content-Type: application/json'", "-d", shlex.quote(self.content.decode())]
        return " ".join(parts)

    def __repr__(self) -> str:
        head = [f"{self.method} {self.url}", *(f"{name}: {value}" for name, value in self.headers.items())]
        if self.body is None:
            return "\n".join(head)
        # Escaped as JSON, so no character of a name controls the terminal.
        return "\n".join([*head, "", json.dumps(self.body, indent=2)])


class WebhookRequests:
    """The six calls of the API reference, as requests that are shown and not sent."""

    def __init__(self, base_url: str, team_id: str, key: ApiKey) -> None:
        self._url = f"{base_url}/api/v1/teams/{segment(team_id, 'team_id')}/webhooks"
        self._key = key
        self._for_sandbox = is_loopback_url(base_url)

    def list(self, page: int | None = None) -> Request[Page]:
        """`GET /webhooks`. The reference documents no pages; `page` is for a server that reports them, 100 at a time."""
        query = "" if page is None else f"?page={page}&pageSize=100"
        return Request("GET", f"{self._url}{query}", self._key, None, "freely", read_page)

    def get(self, webhook_id: str) -> Request[Webhook]:
        """`GET /webhooks/{webhookId}`."""
        return Request(
            "GET", self._one(webhook_id), self._key, None, "freely", partial(read_webhook, requested_id=webhook_id)
        )

    def create(self, *, name: str, url: str, events: str | Iterable[str]) -> Request[Webhook]:
        """`POST /webhooks`. All three are required; events are sent as one comma-separated string."""
        types = checked_events(events)
        if not types:
            raise ValidationError("A webhook needs at least one event type.", param="events")
        body = {
            "name": checked_name(name),
            "url": checked_url(url, for_sandbox=self._for_sandbox),
            "events": ",".join(types),
        }
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
        """`PATCH /webhooks/{webhookId}` with the given fields. `events` replaces all events (see its example)."""
        body: dict[str, Any] = {}
        if name is not None:
            body["name"] = checked_name(name)
        if url is not None:
            body["url"] = checked_url(url, for_sandbox=self._for_sandbox)
        if events is not None:
            body["events"] = ",".join(checked_events(events))
        if is_active is not None:
            if not isinstance(is_active, bool):
                raise ValidationError(
                    f"is_active must be True or False, not {printable(repr(is_active), 80)}.", param="isActive"
                )
            body["isActive"] = is_active
        if not body:
            raise ValidationError("There is nothing to change.", advice="Pass name, url, events or is_active.")
        read = partial(read_webhook, requested_id=webhook_id)
        return Request("PATCH", self._one(webhook_id), self._key, body, "with_key", read)

    def delete(self, webhook_id: str) -> Request[None]:
        """`DELETE /webhooks/{webhookId}`."""
        return Request("DELETE", self._one(webhook_id), self._key, None, "freely", read_deleted)

    def trigger_test(self, event: str) -> Request[FiredEvent]:
        """`POST /webhooks/trigger-test`. Never retried if it may have arrived: it would deliver twice."""
        types = checked_events([event] if isinstance(event, str) else event)
        if len(types) != 1:
            raise ValidationError(f"Fire one event type at a time, not {len(types)}.", param="event")
        return Request("POST", f"{self._url}/trigger-test", self._key, {"event": types[0]}, "once", read_fired)

    def _one(self, webhook_id: str) -> str:
        return f"{self._url}/{segment(webhook_id, 'webhook_id')}"


def whoami(base_url: str, key: ApiKey) -> Request[Identity]:
    """`GET /api/v1/auth/whoami`: the team of the key. On the SDK's start page, not in the webhook reference."""
    return Request("GET", f"{base_url}/api/v1/auth/whoami", key, None, "freely", read_identity)


def read(request: Request[T], response: Response) -> T:
    """The value in the response to this request.

    Raises:
        StatusError: cStar refused the request.
        RedirectError: The response is a redirect.
        InvalidResponseError: The response is not one of cStar's.
    """
    refuse_redirect(response.status, redacted(response.headers.get("location", "nowhere")))
    if not 200 <= response.status < 300:
        raise error_in(response)
    return request.read(response)
