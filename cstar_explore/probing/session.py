"""Sends a probe's requests, and removes the webhooks that it created."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from ..api.client import MAX_PAGES
from ..api.raw import send_raw
from ..api.responses import seconds_to_wait
from ..errors import CStarError
from ..secret import Secret
from .journal import Journal
from .options import Options
from .replies import NotAnsweredError, Reply, read_reply

UNKNOWN_TYPE = "probe.not_a_type"
DOMAINS = ("invalid", "example", "example.com")  # reserved: no delivery can arrive there (RFC 2606)
_READS = 3  # attempts of a GET, and of a DELETE while cleaning up
_PAUSE = 0.3  # seconds between them
_POLL = 0.02  # seconds between looks at what is waited for
_RESERVE = 6  # requests of the rate limit that are reserved for cleaning up


class StoppedError(Exception):
    """The user stopped the probe."""


class Session:
    """Sends requests and keeps track of the probe's own webhooks.

    Args:
        options: The arguments of `probe`.
        journal: None if nothing will be created.
        stopped: Returns whether the user stopped the probe.

    Attributes:
        sent: The number of requests that were sent.
        ordinary: A paused webhook of the probe's own that exists until the end; None if nothing may be created.
        domain: The reserved domain of the probe's URLs.
        payloads: The shapes of data that were learned, by event type.
    """

    def __init__(self, options: Options, journal: Journal | None, stopped: Callable[[], bool]) -> None:
        self.options, self.client = options, options.client
        self.payloads: dict[str, Mapping[str, Any]] = {}
        self.sent = 0
        self.domain = DOMAINS[0]
        self.ordinary: Reply | None = None
        self._journal, self.stopped = journal, stopped
        self._own: dict[str, str] = {}  # the names of webhooks that exist, by id

    def check(self, requests: int) -> None:
        """Raises an error unless the next question may be asked.

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

    def wait(self, seconds: float, is_over: Callable[[], object] = lambda: False) -> None:
        """Waits for some seconds, or until the condition is true.

        Raises:
            StoppedError: The user stopped the probe.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not is_over():
            if self.stopped():
                raise StoppedError
            time.sleep(_POLL)

    def get(self, path: str = "", *, key: Secret | None = None) -> Reply:
        """Sends a GET, up to `_READS` times until the response is usable, or raises NotAnsweredError."""
        return self._repeated("GET", path, key=key)

    def fire(self, event: str) -> Reply:
        """Fires a test event, once. After NotAnsweredError, whether it was fired is unknown."""
        return self._reply("POST", "trigger-test", {"event": event})

    def new_name(self) -> str:
        """A new name for a webhook, which is in the journal from now on."""
        if self._journal is None:
            raise NotAnsweredError("nothing may be created")
        return self._journal.new_name()

    def url(self) -> str:
        """A new URL to which nothing can be delivered."""
        return f"https://probe-{uuid.uuid4().hex[:12]}.{self.domain}"

    def create(
        self, *, paused: bool = True, idempotency_key: str | None = None, name: str | None = None, **fields: Any
    ) -> Reply:
        """Creates an ordinary webhook, except for these fields, and pauses it. `clean_up` removes it also after an error."""
        new = name or self.new_name()
        body = {"name": new, "url": self.url(), "events": "ticket.created", **fields}
        reply = self._reply("POST", "", body, idempotency_key=idempotency_key)
        if reply.ok:
            self._own[reply.webhook["id"]] = new
            if paused:
                self.pause(reply)
        elif name is None and self._journal is not None:
            self._journal.forget(new)  # no other webhook has it
        return reply

    def pause(self, created: Reply) -> Reply:
        """Pauses a webhook, or raises NotAnsweredError."""
        return self.update(created, isActive=False).require_success()

    def update(self, created: Reply, *, idempotency_key: str | None = None, **fields: Any) -> Reply:
        """Changes one of the probe's webhooks."""
        return self._reply("PATCH", created.webhook["id"], fields, idempotency_key=idempotency_key)

    def delete(self, created: Reply) -> Reply:
        """Deletes one of the probe's webhooks."""
        webhook_id = created.webhook["id"]
        reply = self._reply("DELETE", webhook_id)
        if reply.ok or reply.status in (404, 410):
            self._own.pop(webhook_id, None)
        return reply

    @contextmanager
    def webhook(self, **fields: Any) -> Iterator[Reply]:
        """An ordinary webhook for one question, removed afterwards. It raises NotAnsweredError if none was created."""
        created = self.create(**fields).require_success()
        with self.removing(created):
            yield created

    @contextmanager
    def removing(self, created: Reply) -> Iterator[None]:
        """Removes the webhook that was created, if one was, at the end. If that fails, `clean_up` tries again."""
        try:
            yield
        finally:
            if created.ok and created.webhook["id"] in self._own:
                with suppress(NotAnsweredError):
                    self.delete(created)

    def webhooks(self) -> list[Mapping[str, Any]]:
        """All webhooks of the team. Requests pages until one has no new webhook, or raises NotAnsweredError."""
        found: dict[str, Mapping[str, Any]] = {}
        for number in range(1, MAX_PAGES + 1):
            reply = self.get("" if number == 1 else f"?page={number}")
            new = {item["id"]: item for item in reply.webhooks}
            if not new.keys() - found.keys():
                break
            found |= new
        return list(found.values())

    def clean_up(self) -> tuple[str, ...]:
        """Removes all webhooks whose names are in the journal. Returns the names of those that may be left."""
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
        # Some questions append to a name, and none replaces it.
        return [webhook for webhook in self.webhooks() if str(webhook.get("name", "")).startswith(names)]

    def _remove(self, webhook_id: str) -> None:
        self._repeated("DELETE", webhook_id)
        self._own.pop(webhook_id, None)

    def _repeated(self, method: str, path: str, *, key: Secret | None = None) -> Reply:
        for attempt in range(1, _READS):
            try:
                return self._reply(method, path, key=key)
            except NotAnsweredError:
                time.sleep(_PAUSE * attempt)
        return self._reply(method, path, key=key)

    def _reply(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: Secret | None = None,
        idempotency_key: str | None = None,
    ) -> Reply:
        sent = f"{method} /webhooks{_without_id(path)}"
        for attempt in (1, 2):
            self.sent += 1
            try:
                response = send_raw(self.client, method, path, body, key=key, idempotency_key=idempotency_key)
            except CStarError as error:
                raise NotAnsweredError(f"{sent}: {type(error).__name__}") from None
            wait = seconds_to_wait(response, {}) if response.status == 429 else None
            if wait is None or wait > self.client.max_wait or attempt == 2:
                break
            time.sleep(wait)
        return read_reply(response, sent)


def _without_id(path: str) -> str:
    if not path or path.startswith("?"):
        return path
    return "/trigger-test" if path == "trigger-test" else "/{webhookId}"
