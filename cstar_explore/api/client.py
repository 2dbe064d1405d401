"""The client: the I/O around `wire`.

client.webhooks.create(…)  →  wire builds a Request  →  link sends it  →  wire reads the Answer
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from ..errors import (
    ConfigurationError,
    CStarError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ReadOnlyError,
    RedirectError,
    ServerError,
)
from ..models import FiredEvent, Identity, Webhook, WebhookList
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from ..text import printable
from .connection import Link, Operation, RateLimit
from .requests import Request, WebhookRequests, whoami
from .retries import Wait, patiently
from .validation import checked_base_url, checked_key, checked_team

T = TypeVar("T")

BASE_URL = "https://www.cstar.help"


class Client:
    """cStar's webhook API for one team and one key.

    Args:
        key: The API key, `sk_…` or `pk_…`.
        team_id: The team's id. Without it only `whoami()` works.
        base_url: https; http to loopback only.
        timeout: Seconds for one attempt.
        max_wait: Seconds that one call may spend waiting between attempts, all waits together.
        write: Whether calls that change something are sent.
        on_wait: Called with a `Wait` as each wait begins.
        link: A connection to the same base URL to be shared, as for many teams; by default one of its own.

    Raises:
        ConfigurationError: The key, team or base URL cannot work.
    """

    def __init__(
        self,
        key: str | Secret,
        team_id: str | None = None,
        base_url: str = BASE_URL,
        *,
        timeout: float = 30,
        max_wait: float = 60,
        write: bool = True,
        on_wait: Callable[[Wait], None] | None = None,
        link: Link | None = None,
    ) -> None:
        # Under the same name at once: a traceback may show the arguments of this frame.
        key = Secret(key)
        self.key = checked_key(key)
        self.team_id = None if team_id is None else checked_team(team_id)
        self.base_url = checked_base_url(base_url)
        self.max_wait = max_wait
        self.write = write
        self.on_wait = on_wait
        self._link = link or Link(self.base_url, timeout)

    @property
    def webhooks(self) -> "Webhooks":
        """The six calls of the API reference."""
        if self.team_id is None:
            raise ConfigurationError(
                "This client has no team.", advice="Give team_id, or let cx.connect() ask whose key it is."
            )
        return Webhooks(self, WebhookRequests(self.base_url, self.team_id, self.key))

    @property
    def rate_limit(self) -> RateLimit | None:
        """What is left of the rate limit, as the last answer said; None before the first, or if it said nothing."""
        return self._link.rate_limit

    @property
    def server_time(self) -> datetime | None:
        """The time of the last answer by its own `Date`; None before the first. A sandbox has a time of its own."""
        return self._link.server_time

    @property
    def environment(self) -> Literal["sandbox", "test", "live"]:
        """What a change would touch, by the key's published prefix. A key of unknown kind counts as live."""
        if self.key.environment == "live":
            return "live"
        return "sandbox" if is_loopback_url(self.base_url) else "test"

    def whoami(self) -> Identity:
        """Whose key it is."""
        return self.send(whoami(self.base_url, self.key))

    def send(self, request: Request[T]) -> T:
        """Sends a request and reads its answer; repeats it where that is safe, and never past `max_wait`.

        Raises:
            ReadOnlyError, PermissionDeniedError: Before sending, if this client or this key may not write.
            StatusError, TransportError: What came of it.
            WaitCancelledError: A wait was cancelled.
        """
        if request.writes:
            self.check_may_write(request.method)
        operation = Operation(request, self._link)
        try:
            return patiently(request, self.max_wait, self.on_wait)(operation.attempt)
        except RateLimitError as error:
            if error.retry_after is not None and error.retry_after > self.max_wait:
                error.advice = (
                    f"Call again in {error.retry_after:,.0f} s; this client waits at most {self.max_wait:,.0f} s."
                )
            raise

    def check_may_write(self, what: str) -> None:
        """Raises if this client or its key may not change anything; `what` would have been sent.

        Raises:
            PermissionDeniedError: The key is publishable.
            ReadOnlyError: The client reads only.
        """
        if self.key.is_publishable:
            raise PermissionDeniedError(
                "A publishable key (pk_…) cannot create, update, delete or fire: cStar asks for a secret key there.",
                advice="Use a secret key (sk_…). Nothing was sent.",
            )
        if not self.write:
            raise ReadOnlyError(f"This client reads only; {what} was not sent.")

    def with_options(self, **changed: Any) -> Self:
        """A twin that shares the connection, with other `team_id`, `max_wait`, `write` or `on_wait`."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__ | changed)
        return twin

    def close(self) -> None:
        """Closes the connection, for its twins too."""
        self._link.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_link"):
            return "Client(refused)"
        reads = "" if self.write else ", reads only"
        return f"Client({self.environment.upper()}, team {printable(self.team_id, 80)}, {self.base_url}, key {self.key}{reads})"


class Webhooks:
    """The webhooks of a client's team. `preview` has the same six calls as requests that are shown and not sent."""

    def __init__(self, client: Client, requests: WebhookRequests) -> None:
        self._client = client
        self.preview = requests

    def list(self) -> WebhookList:
        """All webhooks of the team, in cStar's order.

        The reference shows one unpaged list. Should the answer say that there is more, all pages are fetched.
        """
        first = self._client.send(self.preview.list())
        if not first.more:
            return WebhookList(first.items)
        found: dict[Any, Mapping[str, Any]] = {}
        number, more = 1, True
        while more:
            page = self._client.send(self.preview.list(number))
            fresh = {item["id"]: item for item in page.items if item["id"] not in found}
            found |= fresh
            number, more = number + 1, page.more and bool(fresh)
        return WebhookList(found.values())

    def get(self, webhook_id: str) -> Webhook:
        """One webhook by its id."""
        return self._client.send(self.preview.get(webhook_id))

    def create(self, *, name: str, url: str, events: str | Iterable[str]) -> Webhook:
        """Creates a webhook. Its `secret` is told in this answer and never again.

        Raises:
            OutcomeUnknownError: The answer was lost; `candidates` are the webhooks on the list that match.
        """
        request = self.preview.create(name=name, url=url, events=events)
        try:
            return self._client.send(request)
        except CStarError as error:
            if not _is_lost(error):
                raise
            raise self._lost(request, error) from error

    def update(
        self,
        webhook_id: str,
        *,
        name: str | None = None,
        url: str | None = None,
        events: str | Iterable[str] | None = None,
        is_active: bool | None = None,
    ) -> Webhook:
        """Changes what is given. `events` replaces the whole set, as the API reference's example suggests."""
        return self._client.send(
            self.preview.update(webhook_id, name=name, url=url, events=events, is_active=is_active)
        )

    def delete(self, webhook_id: str) -> None:
        """Deletes a webhook, with its secret. A repeat that finds it gone counts as done."""
        self._client.send(self.preview.delete(webhook_id))

    def trigger_test(self, event: str) -> FiredEvent:
        """Delivers a test event to all active webhooks of the team and to CLI listeners (API reference, Trigger Test Event).

        Whether it minds what each subscribes to, no page says.
        """
        return self._client.send(self.preview.trigger_test(event))

    def _lost(self, request: Request[Webhook], error: CStarError) -> OutcomeUnknownError:
        wanted = request.body or {}
        try:
            listed = self.list()
        except CStarError:
            advice = "The list could not be read either: look there for it before you create it again."
            candidates: tuple[Webhook, ...] = ()
        else:
            candidates = tuple(webhook for webhook in listed if _matches(webhook, wanted))
            advice = (
                f"On the list, {printable(candidates[-1].id, 80)} matches it (.candidates); its secret was in the lost answer,"
                " so delete it and create it again if you need to verify what it sends."
                if candidates
                else "No webhook on the list matches it at this moment; look again before you repeat it."
            )
        return OutcomeUnknownError(
            f"The answer to the create was lost, so the webhook may exist. {error.message}",
            candidates=candidates,
            advice=advice,
            status=error.status,
            request_id=error.request_id,
        )


def _is_lost(error: CStarError) -> bool:
    """Whether a create may have happened without our hearing of it. A 500 was heard; behind a 502 or 504, cStar was not."""
    heard = isinstance(error, ServerError) and error.status not in (502, 504)
    return error.may_have_acted and not heard and not isinstance(error, RedirectError)


def _matches(webhook: Webhook, wanted: Mapping[str, Any]) -> bool:
    same = (webhook.name, webhook.url) == (wanted.get("name"), wanted.get("url"))
    return same and set(webhook.events or ()) == set(wanted.get("events", "").split(","))
