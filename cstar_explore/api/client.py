"""The client: cStar's webhook API for one team and one key.

client.webhooks.create(…)  →  requests builds a Request  →  call and connection send it  →  responses reads the Response
"""

import copy
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, Self, TypeVar

from ..errors import (
    ConfigurationError,
    CStarError,
    InvalidResponseError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
    ReadOnlyError,
    RedirectError,
    ServerError,
)
from ..hosts import is_loopback_url
from ..models import FiredEvent, Identity, Webhook, WebhookList
from ..secret import ApiKey, Secret
from ..serving.times import checked_seconds
from ..text import printable
from .call import Call
from .connection import Connection, RateLimit
from .requests import Request, WebhookRequests, whoami
from .retries import Wait, with_retries
from .validation import checked_base_url, checked_key, checked_team, checked_write

T = TypeVar("T")
OnWait = Callable[[Wait], object]

BASE_URL = "https://www.cstar.help"

# More than any team has. A server that reports more pages for ever must not use up the key's rate limit.
MAX_PAGES = 200
MAX_WEBHOOKS = 100_000

_UNCHANGED: Any = object()


class Client:
    """cStar's webhook API for one team and one key. Its attributes cannot be assigned; see `with_options`.

    Args:
        key: The API key, `sk_…` or `pk_…`.
        team_id: The team ID. Without it only `whoami()` works.
        base_url: The API's address: https, or http to loopback.
        timeout: Seconds for one attempt, name lookup and TLS included.
        max_wait: Seconds that one call may wait between its attempts, all waits together.
        write: Whether calls that change something are sent.
        on_wait: Called with a `Wait` when a wait begins.

    Raises:
        ConfigurationError: An argument cannot work, or an environment variable (proxy, certificates) cannot be used.
    """

    key: ApiKey
    team_id: str | None
    base_url: str
    max_wait: float
    write: bool
    on_wait: OnWait | None
    _connection: Connection

    def __init__(
        self,
        key: str | Secret,
        team_id: str | None = None,
        base_url: str = BASE_URL,
        *,
        timeout: float = 30,
        max_wait: float = 60,
        write: bool = True,
        on_wait: OnWait | None = None,
    ) -> None:
        # Under the same name at once: a traceback may show the arguments of this frame.
        key = Secret(key)
        base_url, timeout = checked_base_url(base_url), checked_seconds("timeout", timeout)
        options = _options(team_id=team_id, max_wait=max_wait, write=write, on_wait=on_wait)
        vars(self).update(options, key=checked_key(key), base_url=base_url)
        vars(self).update(_connection=Connection(base_url, timeout))

    @classmethod
    def over(
        cls, connection: Connection, base_url: str, key: str | Secret, team_id: str, *, on_wait: OnWait | None
    ) -> Self:
        """A read-only client over the connections of other keys, with a rate limit of its own, for audits of many teams."""
        key = Secret(key)
        client = cls.__new__(cls)
        options = _options(team_id=team_id, max_wait=60, write=False, on_wait=on_wait)
        vars(client).update(options, key=checked_key(key), base_url=base_url, _connection=connection.for_another_key())
        return client

    def with_options(
        self,
        *,
        team_id: str | None = _UNCHANGED,
        max_wait: float = _UNCHANGED,
        write: bool = _UNCHANGED,
        on_wait: OnWait | None = _UNCHANGED,
    ) -> Self:
        """A copy that shares the connections, with other options.

        Raises:
            ConfigurationError: An option cannot work.
        """
        given = {"team_id": team_id, "max_wait": max_wait, "write": write, "on_wait": on_wait}
        options: Any = {name: getattr(self, name) if value is _UNCHANGED else value for name, value in given.items()}
        client = copy.copy(self)
        vars(client).update(_options(**options))
        return client

    @property
    def webhooks(self) -> "Webhooks":
        """The six calls of the API reference."""
        if self.team_id is None:
            raise ConfigurationError(
                "This client has no team.", advice="Pass team_id, or let cx.connect() find the key's team."
            )
        return Webhooks(self, WebhookRequests(self.base_url, self.team_id, self.key))

    @property
    def rate_limit(self) -> RateLimit | None:
        """The rate limit as of the last response; None before the first, or if it did not say."""
        return self._connection.rate_limit

    @property
    def server_time(self) -> datetime | None:
        """The `Date` of the last response; None before the first. A sandbox has its own time."""
        return self._connection.server_time

    @property
    def environment(self) -> Literal["sandbox", "test", "live"]:
        """What a change would affect, by the key's published prefix. A key of an unknown form counts as live."""
        if self.key.environment == "live":
            return "live"
        return "sandbox" if is_loopback_url(self.base_url) else "test"

    def whoami(self) -> Identity:
        """The team that the key belongs to."""
        return self.send(whoami(self.base_url, self.key))

    def check_may_write(self, action: str) -> None:
        """Raises if this client or its key may not change anything; `action` is what would have been sent.

        Raises:
            PermissionDeniedError: The key is publishable.
            ReadOnlyError: The client is read-only.
        """
        if self.key.is_publishable:
            raise PermissionDeniedError(
                "A publishable key (pk_…) cannot create, update, delete or fire: cStar requires a secret key for that.",
                advice="Use a secret key (sk_…). Nothing was sent.",
            )
        if not self.write:
            raise ReadOnlyError(f"This client is read-only; {action} was not sent.")

    def close(self) -> None:
        """Closes the connections, also for copies of this client. A second call does nothing."""
        self._connection.close()

    def send(self, request: Request[T]) -> T:
        """Sends a request of `webhooks.preview`, and reads its response. Retries if that is safe, and waits at most `max_wait`.

        Raises:
            ReadOnlyError, PermissionDeniedError: This client or its key may not write. Nothing was sent.
            StatusError, TransportError: The request failed.
            WaitCancelledError: A wait was cancelled.
        """
        if request.writes:
            self.check_may_write(request.method)
        call = Call(request, self._connection)
        try:
            return with_retries(call.attempt, request, self.max_wait, self.on_wait)
        except RateLimitError as error:
            if error.retry_after is not None and error.retry_after > self.max_wait:
                error.advice = (
                    f"Call again in {error.retry_after:,.0f} s. This client waits at most {self.max_wait:,.0f} s."
                )
            raise

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name} cannot be assigned. Use with_options() or create another client.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if "_connection" not in vars(self):
            return "Client(refused)"
        access = "" if self.write else ", read-only"
        team = printable(self.team_id, 80)
        return f"Client({self.environment.upper()}, team {team}, {self.base_url}, key {self.key}{access})"


class Webhooks:
    """The webhooks of a client's team. `preview` has the same six calls as requests that are shown and not sent."""

    def __init__(self, client: Client, requests: WebhookRequests) -> None:
        self._client = client
        self.preview = requests

    def list(self) -> WebhookList:
        """All webhooks of the team, in cStar's order.

        The reference shows one unpaged list. If a response reports more pages, all are fetched.

        Raises:
            InvalidResponseError: There are more than `MAX_PAGES` pages or `MAX_WEBHOOKS` webhooks, or a page repeats what was
                on the ones before: the list would not be complete.
        """
        first = self._client.send(self.preview.list())
        if not first.more:
            return WebhookList(first.items, self._client.server_time)
        webhooks: dict[str, Mapping[str, Any]] = {}
        for number in range(1, MAX_PAGES + 1):
            page = self._client.send(self.preview.list(number))
            before = len(webhooks)
            webhooks |= {str(item["id"]): item for item in page.items if str(item["id"]) not in webhooks}
            if not page.more:
                return WebhookList(webhooks.values(), self._client.server_time)
            if len(webhooks) == before:
                raise _incomplete(f"page {number} has no new webhook and reports more pages")
            if len(webhooks) > MAX_WEBHOOKS:
                raise _incomplete(f"there are more than {MAX_WEBHOOKS:,} webhooks")
        raise _incomplete(f"after {MAX_PAGES:,} pages the server reports more")

    def get(self, webhook_id: str) -> Webhook:
        """One webhook by its ID."""
        return self._client.send(self.preview.get(webhook_id))

    def create(self, *, name: str, url: str, events: str | Iterable[str]) -> Webhook:
        """Creates a webhook. cStar returns its `secret` in this response only.

        Raises:
            OutcomeUnknownError: The response was lost. `candidates` are the webhooks on the list that match.
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
        """Changes the given fields. `events` replaces all events, as the API reference's example suggests."""
        request = self.preview.update(webhook_id, name=name, url=url, events=events, is_active=is_active)
        return self._client.send(request)

    def delete(self, webhook_id: str) -> None:
        """Deletes a webhook and its secret. A retry that gets cStar's 404 counts as done."""
        self._client.send(self.preview.delete(webhook_id))

    def trigger_test(self, event: str) -> FiredEvent:
        """Sends a test event to all active webhooks of the team and to CLI listeners (API reference, Trigger Test Event).

        cStar does not document whether it respects their subscriptions.
        """
        return self._client.send(self.preview.trigger_test(event))

    def _lost(self, request: Request[Webhook], error: CStarError) -> OutcomeUnknownError:
        wanted = request.body or {}
        try:
            webhooks = self.list()
        except CStarError:
            advice = "The list could not be read either. Look there for the webhook before you create it again."
            candidates: tuple[Webhook, ...] = ()
        else:
            candidates = tuple(webhook for webhook in webhooks if _matches(webhook, wanted))
            advice = (
                f"{printable(candidates[-1].id, 80)} on the list matches it (see .candidates). Its secret was in the lost"
                " response: to verify its deliveries, delete it and create it again."
                if candidates
                else "No webhook on the list matches it now. Look again before you create it again."
            )
        return OutcomeUnknownError(
            f"The response to the create was lost, so the webhook may exist. {error.message}",
            candidates=candidates,
            advice=advice,
            status=error.status,
            request_id=error.request_id,
        )


def _options(*, team_id: str | None, max_wait: float, write: bool, on_wait: OnWait | None) -> dict[str, Any]:
    """The options that copies of a client may change, validated."""
    return {
        "team_id": None if team_id is None else checked_team(team_id),
        "max_wait": checked_seconds("max_wait", max_wait, zero=True),
        "write": checked_write(write),
        "on_wait": on_wait,
    }


def _incomplete(reason: str) -> InvalidResponseError:
    error = InvalidResponseError(
        f"The list of webhooks is not complete: {reason}.",
        advice="Check the base URL: cStar documents an unpaged list.",
    )
    error.may_have_acted = False
    return error


def _is_lost(error: CStarError) -> bool:
    """Whether a create may have taken effect without a response from cStar. A 502 or 504 is not cStar's own response."""
    answered = isinstance(error, ServerError) and error.status not in (502, 504)
    return error.may_have_acted and not answered and not isinstance(error, RedirectError)


def _matches(webhook: Webhook, wanted: Mapping[str, Any]) -> bool:
    same = (webhook.name, webhook.url) == (wanted["name"], wanted["url"])
    return same and set(webhook.events or ()) == set(wanted["events"].split(","))
