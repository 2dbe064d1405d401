"""A run of a probe: sends its requests, and removes the webhooks that it creates."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..api.client import Client
from ..api.raw import RawCalls
from ..api.responses import seconds_to_wait
from ..errors import CStarError
from ..secret import Secret
from .journal import Journal
from .replies import NotAnsweredError, Reply, read_reply

DOMAINS = ("invalid", "example", "example.com")  # reserved: no delivery can arrive there (RFC 2606)
MAX_PAGES = 200
_READS = 3  # attempts of a GET, and of a DELETE while cleaning up
_PAUSE = 0.3  # seconds between them
_RESERVE = 6  # requests of the rate limit that are kept for cleaning up

Stopped = Callable[[], bool]


class StoppedError(Exception):
    """The user stopped the probe."""


class Session:
    """Sends requests and keeps track of the probe's own webhooks.

    Args:
        client: A client that may write, or a read-only one for GET.
        journal: None if nothing will be created.
        stopped: Whether the user stopped the probe.

    Attributes:
        stopped: As given.
        sent: The number of requests.
        ordinary: A paused webhook of the probe's that stays until the end; None if nothing may be created.
        domain: The reserved domain of the probe's URLs.
    """

    def __init__(self, client: Client, journal: Journal | None, stopped: Stopped = lambda: False) -> None:
        self.client = client
        self.sent = 0
        self.domain = DOMAINS[0]
        self.ordinary: Reply | None = None
        self._calls = RawCalls(client)
        self._journal = journal
        self.stopped = stopped
        self._own: dict[str, str] = {}  # names by id, as far as they are known to exist

    def check(self, requests: int) -> None:
        """Raises unless the next question may be asked.

        Raises:
            StoppedError: The user stopped the probe.
            NotAnsweredError: The rate limit has too few requests left.
        """
        if self.stopped():
            raise StoppedError
        limit = self.client.rate_limit
        needed = requests + _RESERVE + len(self._own)
        if limit is not None and limit.remaining is not None and limit.remaining < needed:
            raise NotAnsweredError(f"the rate limit has {limit.remaining:,} requests left, and {needed:,} are needed")

    def get(self, path: str = "", *, key: Secret | None = None) -> Reply:
        """Sends a GET, once more after a response that says nothing.

        Raises:
            NotAnsweredError: No response says anything.
        """
        return self._repeated("GET", path, key=key)

    def fire(self, event: str) -> Reply:
        """Fires a test event, once.

        Raises:
            NotAnsweredError: The response says nothing.
        """
        return self._reply("POST", "trigger-test", {"event": event})

    def new_name(self) -> str:
        """A name for a webhook that is about to be created."""
        if self._journal is None:
            raise NotAnsweredError("nothing may be created")
        return self._journal.new_name()

    def url(self) -> str:
        """A new URL to which nothing can be delivered."""
        return f"https://probe-{uuid.uuid4().hex[:12]}.{self.domain}"

    def create(
        self, *, paused: bool = True, idempotency_key: str | None = None, name: str | None = None, **fields: Any
    ) -> Reply:
        """Creates a webhook, with the fields of an ordinary one unless given, and pauses it at once.

        Raises:
            NotAnsweredError: It is not known whether it was created, or it could not be paused; it is removed in the end.
        """
        name = name or self.new_name()
        body = {"name": name, "url": self.url(), "events": "ticket.created", **fields}
        reply = self._reply("POST", "", body, idempotency_key=idempotency_key)
        if reply.ok:
            self._own[reply.webhook["id"]] = name
            if paused:
                self.pause(reply)
        return reply

    def pause(self, created: Reply) -> Reply:
        """Pauses a webhook.

        Raises:
            NotAnsweredError: It was not confirmed.
        """
        reply = self.update(created, isActive=False)
        if not reply.ok:
            raise NotAnsweredError(reply.evidence)
        return reply

    def update(self, created: Reply, *, idempotency_key: str | None = None, **fields: Any) -> Reply:
        """Changes a webhook of the probe's."""
        return self._reply("PATCH", created.webhook["id"], fields, idempotency_key=idempotency_key)

    def delete(self, created: Reply) -> Reply:
        """Deletes a webhook of the probe's."""
        webhook_id = created.webhook["id"]
        reply = self._reply("DELETE", webhook_id)
        if reply.ok or reply.status in (404, 410):
            self._own.pop(webhook_id, None)
        return reply

    @contextmanager
    def webhook(self, **fields: Any) -> Iterator[Reply]:
        """An ordinary webhook for one question, removed afterwards.

        Raises:
            NotAnsweredError: It was not created.
        """
        created = self.create(**fields)
        if not created.ok:
            raise NotAnsweredError(created.evidence)
        with self.removing(created):
            yield created

    @contextmanager
    def removing(self, *created: Reply) -> Iterator[None]:
        """Removes these webhooks at the end, those of them that were created. What fails is tried again by `clean_up`."""
        try:
            yield
        finally:
            for reply in created:
                if reply.ok and reply.webhook["id"] in self._own:
                    try:
                        self.delete(reply)
                    except NotAnsweredError:
                        continue

    def webhooks(self) -> list[Mapping[str, Any]]:
        """All webhooks of the team, page by page as long as there are new ones: a page may have any length.

        Raises:
            NotAnsweredError: The list cannot be read.
        """
        found: dict[str, Mapping[str, Any]] = {}
        for number in range(1, MAX_PAGES + 1):
            reply = self.get("" if number == 1 else f"?page={number}")
            items = reply.data if reply.ok else None
            if not isinstance(items, list):
                raise NotAnsweredError(reply.evidence)
            new = {str(item["id"]): item for item in items if isinstance(item, dict) and item.get("id")}
            if not new.keys() - found.keys():
                break
            found |= new
        return list(found.values())

    def clean_up(self) -> tuple[str, ...]:
        """Removes all webhooks with a journalled name, and returns the names of those that may remain."""
        if self._journal is None or not (names := self._journal.names()):
            return ()
        try:
            for webhook_id in list(self._own):
                self._remove(webhook_id)
            left = self._left(names)
            if left:
                for webhook in left:
                    self._remove(str(webhook["id"]))
                left = self._left(names)
        except NotAnsweredError:
            return names
        if not left:
            self._journal.clear()
            self._own.clear()
        return tuple(str(webhook["name"]) for webhook in left)

    def _left(self, names: tuple[str, ...]) -> list[Mapping[str, Any]]:
        # A question about long names makes a name longer, and never another one.
        return [webhook for webhook in self.webhooks() if str(webhook.get("name", "")).startswith(names)]

    def _remove(self, webhook_id: str) -> None:
        self._repeated("DELETE", webhook_id)
        self._own.pop(webhook_id, None)

    def _repeated(self, method: str, path: str, *, key: Secret | None = None) -> Reply:
        for attempt in range(1, _READS + 1):
            try:
                return self._reply(method, path, key=key)
            except NotAnsweredError:
                if attempt == _READS:
                    raise
                time.sleep(_PAUSE * attempt)
        raise AssertionError("unreachable")

    def _reply(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: Secret | None = None,
        idempotency_key: str | None = None,
    ) -> Reply:
        shown = "" if not path else path if path.startswith("?") or path == "trigger-test" else "{webhookId}"
        sent = f"{method} /webhooks{shown if shown.startswith('?') or not shown else f'/{shown}'}"
        for attempt in (1, 2):
            self.sent += 1
            try:
                response = self._calls.send(method, path, body, key=key, idempotency_key=idempotency_key)
            except CStarError as error:
                raise NotAnsweredError(f"{sent}: {type(error).__name__}") from None
            wait = seconds_to_wait(response, {}) if response.status == 429 else None
            if wait is None or wait > self.client.max_wait or attempt == 2:
                break
            time.sleep(wait)
        return read_reply(response, sent)
