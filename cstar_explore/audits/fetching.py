"""Reads the webhooks of one team or of many, side by side. Nothing but GET is sent.

One list for each team; and for each webhook that has been paused since before the threshold of `inactive_long`, the webhook
itself, as the list does not tell when it was last changed (API reference).
"""

import atexit
import os
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from ..api.client import Client
from ..api.connection import Link
from ..api.retries import Wait
from ..errors import AuthenticationError, ConfigurationError, CStarError, NotFoundError
from ..models import Webhook
from ..text import printable, redacted
from .accounts import Account, Accounts

MOST_AT_ONCE = 100  # as many connections as httpx keeps
TIMEOUT = 30.0  # seconds for one attempt
_KEPT_BACK = 0.1  # of a key's budget: an audit leaves the rest of the hour to whoever needs it
_QUIET = 2.0  # seconds between two words of progress

Item = Mapping[str, Any]
Progress = Callable[[int, int, int], object]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class Reading:
    """What came of one account.

    Attributes:
        items: Its webhooks as they came, without secrets; None if they could not be read.
        error: Why they could not.
        now: When, by cStar's clock.
        note: What was left out, in a sentence.
    """

    account: str
    team_id: str
    environment: str
    items: tuple[Item, ...] | None = None
    error: CStarError | None = None
    now: datetime | None = None
    note: str = ""

    @property
    def state(self) -> str:
        """`read`, `failed` or `not tried`."""
        if self.items is not None:
            return "read"
        return "not tried" if self.error is None else "failed"


def read_team(client: Client, account: str, inactive_days: int) -> Reading:
    """Reads one team's webhooks, through a twin of the client that refuses to send anything but GET."""
    client = client.with_options(write=False)
    blank = Reading(account, str(client.team_id), client.environment)
    try:
        items = client.webhooks.list().items
        now = client.server_time or datetime.now(UTC)
        items, note = _with_last_changes(client, items, now - timedelta(days=inactive_days))
    except CStarError as error:
        return replace(blank, error=error)
    return replace(blank, items=tuple(items), now=now, note=note)


def read_account(
    account: Account, inactive_days: int, on_wait: Callable[[Wait], None] | None = None, *, audit: str = ""
) -> Reading:
    """Reads one account, with the key that its environment variable holds here. For this it can be sent to another process.

    `audit` tells one audit from the next: a cluster that remembers results must not answer with an earlier one's.
    """
    del audit
    key = os.environ.get(account.key_env, "")
    blank = Reading(account.account, account.team_id, "")
    if not key.strip():
        unset = ConfigurationError(
            f"The environment variable {account.key_env} is not set.", advice="Set it to the account's key."
        )
        return replace(blank, error=unset)
    link = _connection(account.base_url).twin()
    try:
        client = Client(key, account.team_id, account.base_url, write=False, on_wait=on_wait, link=link)
    except CStarError as error:
        return replace(blank, error=error)
    reading = read_team(client, account.account, inactive_days)
    if isinstance(reading.error, AuthenticationError):
        reading.error.advice = f"Check {account.key_env}: the key in it may have expired or been revoked."
    return reading


def read_accounts(
    accounts: Accounts,
    *,
    inactive_days: int,
    executor: Executor | None,
    at_once: int,
    on_progress: Progress | None,
    stopped: Stopped | None,
) -> list[Reading]:
    """Reads many, at most `at_once` of them at the same time; one reading for each, in their order, whatever happens.

    Raises:
        ConfigurationError: `at_once` is out of range.
    """
    if isinstance(at_once, bool) or not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
        raise ConfigurationError(f"at_once={at_once!r} cannot be.", advice=f"Give a number from 1 to {MOST_AT_ONCE}.")
    work = _Work(accounts, on_progress, stopped or (lambda: False))
    if executor is not None:
        return work.run(executor, partial(read_account, inactive_days=inactive_days, audit=uuid.uuid4().hex), at_once)
    with ThreadPoolExecutor(at_once, "cstar-audit") as threads:
        return work.run(threads, partial(read_account, inactive_days=inactive_days, on_wait=work.waits), at_once)


class _Work:
    """A window of futures over the accounts: no more are begun than are looked at, and none after the stop."""

    def __init__(self, accounts: Accounts, on_progress: Progress | None, stopped: Stopped) -> None:
        self._accounts = accounts
        self._on_progress = on_progress
        self._words = _Words() if on_progress is None else None
        self._stopped = stopped
        self._over = False
        self._running: dict[Future[Reading], int] = {}
        self._waiting: list[Wait] = []

    def run(self, executor: Executor, read: Callable[[Account], Reading], at_once: int) -> list[Reading]:
        """Reads all of them."""
        found = [Reading(account.account, account.team_id, "") for account in self._accounts]
        waiting = iter(enumerate(self._accounts))
        done = failed = 0
        try:
            while True:
                self._over = self._over or self._stopped()
                if self._over:
                    self._cancel()
                while not self._over and len(self._running) < at_once and (following := next(waiting, None)):
                    place, account = following
                    try:
                        self._running[executor.submit(read, account)] = place
                    except RuntimeError as error:  # it was shut down, or its processes have died
                        found[place] = _broken(error, found[place])
                if not self._running:
                    return found
                for future in wait(self._running, timeout=0.1, return_when=FIRST_COMPLETED).done:
                    place = self._running.pop(future)
                    if not future.cancelled():
                        found[place] = _result(future, found[place])
                        done, failed = done + 1, failed + (found[place].error is not None)
                        if self._on_progress is not None:
                            self._on_progress(done, len(found), failed)
                if self._words is not None:
                    self._words.progress(done, len(found), failed)
        finally:
            self._cancel()

    def waits(self, wait: Wait) -> None:
        """A client begins to wait; if all is over, it need not."""
        self._waiting.append(wait)
        if self._over:
            wait.cancel()
        elif self._words is not None:
            self._words.waiting(wait)

    def _cancel(self) -> None:
        self._over = True
        for future in self._running:
            future.cancel()
        for wait_under_way in self._waiting:
            wait_under_way.cancel()


class _Words:
    """Words on stderr about what takes longer than a moment, where nobody else tells of it."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def progress(self, done: int, total: int, failed: int) -> None:
        """Looked at all the time, said now and then."""
        if done < total and time.monotonic() - self._last > _QUIET:
            self._last = time.monotonic()
            self._say(f"{done:,} of {total:,} accounts done, {failed:,} of them failed.")

    def waiting(self, wait: Wait) -> None:
        """A wait that somebody would wonder about."""
        if wait.seconds > _QUIET:
            self._say(f"An account waits {wait.seconds:,.0f} s, then it is tried again: {wait.reason.message}")

    def _say(self, words: str) -> None:
        print(words, file=sys.stderr)  # noqa: T201 - no long work is silent


def _result(future: "Future[Reading]", blank: Reading) -> Reading:
    error = future.exception()
    return future.result() if error is None else _broken(error, blank)


def _broken(error: BaseException, blank: Reading) -> Reading:
    """Not cStar's doing: a worker that died, a cluster that was closed."""
    words = printable(redacted(f"{type(error).__name__}: {error}"), 300)
    return replace(blank, error=CStarError(f"It was not read: {words}", advice="Audit it again."))


_one_at_a_time = threading.Lock()


def _connection(base_url: str) -> Link:
    # Threads that begin together would each make one.
    with _one_at_a_time:
        return _kept_connection(base_url, os.getpid())


@cache
def _kept_connection(base_url: str, _: int) -> Link:
    """The connections of this process (not of the one that it was forked from) to one cStar, kept for all its accounts."""
    link = Link(base_url, TIMEOUT)
    atexit.register(link.http.close)
    return link


def _with_last_changes(client: Client, items: list[Item], before: datetime) -> tuple[list[Item], str]:
    """The items, with `updatedAt` for those that were paused long ago, as far as the key's budget and cStar's answers allow."""
    found, left_out, why = [], 0, ""
    for item in items:
        if not _is_long_paused(item, before):
            found.append(item)
            continue
        if not why and _is_short(client):
            why = "little is left of the key's request budget"
        try:
            found.append(item if why else _with_last_change(client, item))
        except CStarError as error:
            found.append(item)
            why = error.message.rstrip(".")
        left_out += bool(why)
    return found, f"{left_out:,} paused webhooks were not looked at one by one: {why}." if left_out else ""


def _is_long_paused(item: Item, before: datetime) -> bool:
    """Whether it may have been paused since then, and does not tell when it was last changed."""
    if True in (item.get("isActive"), item.get("is_active")):
        return False  # nearly all are; no need to read the rest
    webhook = Webhook.from_item(item)
    old = webhook.created_at is None or webhook.created_at < before
    return webhook.is_active is False and webhook.updated_at is None and old


def _with_last_change(client: Client, item: Item) -> Item:
    try:
        changed = client.webhooks.get(Webhook.from_item(item).id).updated_at
    except NotFoundError:
        return item  # deleted since the list was read
    return item if changed is None else {**item, "updatedAt": changed.isoformat()}


def _is_short(client: Client) -> bool:
    rate_limit = client.rate_limit
    if rate_limit is None or rate_limit.remaining is None:
        return False
    return rate_limit.remaining < (rate_limit.limit or 0) * _KEPT_BACK
