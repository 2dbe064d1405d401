"""Fetches the webhooks of one or many teams concurrently. Sends only GET requests.

Each team needs one list request. Each webhook that may have been paused for longer than `inactive_days` is also fetched on its
own: the list does not contain the time of the last change (API reference).
"""

import atexit
import math
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any

from ..api.client import Client
from ..api.connection import Connection
from ..api.retries import Wait
from ..errors import AuthenticationError, ConfigurationError, CStarError, NotFoundError
from ..models import Webhook
from ..progress import ProgressLog
from ..secret import ApiKey, Secret
from ..serving.threads import in_thread
from ..text import printable, redacted
from .accounts import Account, Accounts

MAX_AT_ONCE = 100  # httpx keeps at most this many connections
TIMEOUT = 30.0  # seconds per attempt
_RATE_LIMIT_RESERVE = 0.1  # share of a key's rate limit that an audit leaves to other clients
_LOG_INTERVAL = 2.0  # seconds between progress lines
_GRACE = 0.3  # seconds that running fetches have after a stop

Item = Mapping[str, Any]
Progress = Callable[[int, int, int], object]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class FetchResult:
    """The webhooks of one account, or the error.

    Attributes:
        items: The webhooks as cStar sent them, without secrets; None if they could not be read.
        error: Why they could not be read.
        now: When they were read, by cStar's clock; by this machine's if cStar's is unknown.
        note: A sentence about what was not fetched.
    """

    account: str
    team_id: str
    environment: str
    items: tuple[Item, ...] | None = None
    error: CStarError | None = None
    now: datetime = field(default_factory=partial(datetime.now, UTC))
    note: str = ""


def fetch_team(client: Client, account: str, inactive_days: int) -> FetchResult:
    """Fetches one team's webhooks, through a read-only copy of the client."""
    client = client.with_options(write=False)
    result = FetchResult(account, str(client.team_id), client.environment)
    try:
        items = client.webhooks.list()._items  # noqa: SLF001 - as received, with undocumented fields
        now = client.server_time or datetime.now(UTC)
        items, note = _with_last_changes(client, items, now - timedelta(days=inactive_days))
    except CStarError as error:
        return replace(result, error=error)
    return replace(result, items=tuple(items), now=now, note=note)


def fetch_account(
    account: Account, inactive_days: int, on_wait: Callable[[Wait], None] | None = None, *, run_id: str = ""
) -> FetchResult:
    """Fetches one account with the key from this process's environment. Can be pickled and run in another process.

    `run_id` differs between audits, so that a cluster that caches results by arguments does not return those of an earlier one.
    """
    del run_id
    try:
        key = _key(account.key_env)
        connection = _connection(account.base_url)
        client = Client.over(connection, account.base_url, key, account.team_id, on_wait=on_wait)
    except CStarError as error:
        return FetchResult(account.account, account.team_id, "", error=error)
    result = fetch_team(client, account.account, inactive_days)
    if isinstance(result.error, AuthenticationError):
        result.error.advice = f"Check the key in {account.key_env}: it may have expired or been revoked."
    return result


def _key(variable: str) -> Secret:
    key = Secret(os.environ.get(variable, ""))
    if not key.reveal().strip():
        raise ConfigurationError(
            f"The environment variable {variable} is not set.", advice="Set it to the account's API key."
        )
    if not ApiKey(key.reveal().strip()).has_published_form:
        # An accounts file can name any variable: nothing else may leave this machine.
        raise ConfigurationError(
            f"The environment variable {variable} does not hold a cStar API key; nothing was sent.",
            advice="A key begins with sk_live_, sk_test_, pk_live_ or pk_test_, followed by letters, digits, - and _.",
        )
    return key


def fetch_accounts(
    accounts: Accounts,
    *,
    inactive_days: int,
    executor: Executor | None,
    at_once: int,
    on_progress: Progress | None,
    stopped: Stopped | None,
) -> tuple[list[FetchResult], bool]:
    """Fetches all accounts, at most `at_once` at the same time.

    Returns:
        One result per account, in the given order, and whether Ctrl+C was pressed.

    Raises:
        ConfigurationError: `at_once` is out of range.
    """
    if isinstance(at_once, bool) or not isinstance(at_once, int) or not 1 <= at_once <= MAX_AT_ONCE:
        raise ConfigurationError(
            f"at_once must be an integer from 1 to {MAX_AT_ONCE}, not {printable(repr(at_once), 80)}.",
            advice="Give a number in that range.",
        )
    scheduler = _Scheduler(accounts, on_progress, stopped or (lambda: False))
    fetch = partial(fetch_account, inactive_days=inactive_days)
    if executor is not None:
        fetch = partial(fetch, run_id=uuid.uuid4().hex)
        return scheduler.run(lambda account: executor.submit(fetch, account), at_once)
    # Each fetch has a thread of its own; the scheduler bounds their number.
    return scheduler.run(lambda account: in_thread(fetch, account, on_wait=scheduler.on_wait), at_once)


Submit = Callable[[Account], "Future[FetchResult]"]


class _Scheduler:
    """Submits accounts, with a bounded number in flight and none after a stop."""

    def __init__(self, accounts: Accounts, on_progress: Progress | None, stopped: Stopped) -> None:
        self._accounts = accounts
        self._log = (
            ProgressLog(_LOG_INTERVAL, "{:,} of {:,} accounts done, {:,} failed.") if on_progress is None else None
        )
        self._on_progress = on_progress or (lambda *_: None)
        self._stop_requested = stopped
        self._stopping = False
        self._running: dict[Future[FetchResult], int] = {}
        self._waits: list[Wait] = []

    def run(self, submit: Submit, at_once: int) -> tuple[list[FetchResult], bool]:
        """Fetches all accounts, until a stop is requested. Returns the results, and whether by Ctrl+C."""
        results = [FetchResult(account.account, account.team_id, "") for account in self._accounts]
        was_interrupted = False
        try:
            self._fetch(results, submit, at_once)
        except KeyboardInterrupt:
            was_interrupted = True
        finally:
            self._cancel()
        for future, index in self._running.items():
            results[index] = _outcome(future, results[index])
        return results, was_interrupted

    def _fetch(self, results: list[FetchResult], submit: Submit, at_once: int) -> None:
        """Puts the outcomes in `results`, until all accounts are done or the grace after a stop is over."""
        remaining = iter(enumerate(self._accounts))
        done = failed = 0
        deadline = math.inf
        while time.monotonic() <= deadline:
            self._stopping = self._stopping or self._stop_requested()
            if self._stopping:
                self._cancel()
                deadline = min(deadline, time.monotonic() + _GRACE)
            while not self._stopping and len(self._running) < at_once and (following := next(remaining, None)):
                index, account = following
                try:
                    self._running[submit(account)] = index
                except RuntimeError as error:  # the executor was shut down, or its processes died
                    results[index] = _executor_failed(error, results[index])
            if not self._running:
                return
            for future in wait(self._running, timeout=0.1, return_when=FIRST_COMPLETED).done:
                index = self._running.pop(future)
                results[index] = _outcome(future, results[index])
                if not future.cancelled():
                    done, failed = done + 1, failed + (results[index].error is not None)
                    self._on_progress(done, len(results), failed)
            if self._log is not None:
                self._log(done, len(results), failed)  # also while none is done: the server may be slow

    def on_wait(self, wait: Wait) -> None:
        """Logs a client's retry wait, or cancels it after a stop."""
        self._waits.append(wait)
        if self._stopping:
            wait.cancel()
        elif self._log is not None and wait.seconds > _LOG_INTERVAL:
            self._log.log(f"Retrying an account in {wait.seconds:,.0f} s: {wait.reason.message}")

    def _cancel(self) -> None:
        self._stopping = True
        for future in self._running:
            future.cancel()
        for pending in self._waits:
            pending.cancel()


def _outcome(future: "Future[FetchResult]", blank: FetchResult) -> FetchResult:
    """The account's result; `blank`, which says that it was not tried, if its future was cancelled."""
    if future.cancelled():
        return blank
    if not future.done():
        unfinished = CStarError("The audit was stopped before this account responded.", advice="Run the audit again.")
        return replace(blank, error=unfinished)
    error = future.exception()
    return future.result() if error is None else _executor_failed(error, blank)


def _executor_failed(error: BaseException, blank: FetchResult) -> FetchResult:
    """The result for an account whose worker died or whose executor was shut down."""
    message = printable(redacted(f"{type(error).__name__}: {error}"), 300)
    return replace(blank, error=CStarError(f"The worker failed: {message}", advice="Run the audit again."))


_connection_lock = threading.Lock()


def _connection(base_url: str) -> Connection:
    # Without the lock, threads that start together would each open their own connections.
    with _connection_lock:
        return _cached_connection(base_url, os.getpid())


@cache
def _cached_connection(base_url: str, _: int) -> Connection:
    """This process's connections to one cStar, shared by its accounts. A forked process gets its own, by its process id."""
    connection = Connection(base_url, TIMEOUT)
    atexit.register(connection.close)
    return connection


def _with_last_changes(client: Client, items: list[Item], before: datetime) -> tuple[list[Item], str]:
    """The items, with `updatedAt` on those paused since `before`; and a note if some could not be fetched."""
    completed, skipped, why = list(items), 0, ""
    for index, item in enumerate(items):
        if not _needs_last_change(item, before):
            continue
        if not why and _rate_limit_is_low(client):
            why = "little of the key's rate limit is left"
        try:
            completed[index] = item if why else _with_last_change(client, item)
        except CStarError as error:
            why = error.message.rstrip(".")
        skipped += bool(why)
    return completed, f"{skipped:,} paused webhooks were not checked for their last change: {why}." if skipped else ""


def _needs_last_change(item: Item, before: datetime) -> bool:
    """Whether the webhook may have been paused before this time, and its last change is unknown."""
    if True in (item.get("isActive"), item.get("is_active")):
        return False  # saves parsing the item: most webhooks are active
    webhook = Webhook.from_item(item)
    is_old = webhook.created_at is None or webhook.created_at < before
    return webhook.is_active is False and webhook.updated_at is None and is_old


def _with_last_change(client: Client, item: Item) -> Item:
    try:
        updated_at = client.webhooks.get(Webhook.from_item(item).id).updated_at
    except NotFoundError:
        return item  # deleted since the list was fetched
    return item if updated_at is None else {**item, "updatedAt": updated_at.isoformat()}


def _rate_limit_is_low(client: Client) -> bool:
    rate_limit = client.rate_limit
    if rate_limit is None or rate_limit.remaining is None:
        return False
    return rate_limit.remaining < (rate_limit.limit or 0) * _RATE_LIMIT_RESERVE
