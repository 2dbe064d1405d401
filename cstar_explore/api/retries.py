"""When a call is retried, and how long to wait before."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import (
    ConnectionLostError,
    CStarError,
    InvalidResponseError,
    RateLimitError,
    ResponseTimeoutError,
    ServerError,
    TlsError,
    UnreachableError,
    WaitCancelledError,
)
from .requests import Request

T = TypeVar("T")

ATTEMPTS = 4  # the first, and as many retries as cStar's SDK makes by default (its page on retries)
DEFAULT_WAIT = 60.0  # seconds after a 429 that names no wait: the SDK's default
FIRST_PAUSE = 0.5  # seconds after the first failure; doubles with each attempt
JITTER = 0.2  # seconds at most, added at random

_TRANSIENT = (RateLimitError, ServerError, UnreachableError, ResponseTimeoutError, ConnectionLostError)


@dataclass(frozen=True)
class Wait:
    """A wait before a retry, announced when it begins.

    Attributes:
        seconds: How long it lasts.
        reason: The error that caused it.
        attempt: How many attempts have been made.
    """

    seconds: float
    reason: CStarError
    attempt: int
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    def cancel(self) -> None:
        """Ends the wait at once; the call raises `WaitCancelledError`. Safe to call from any thread."""
        self._cancelled.set()

    def sleep(self) -> None:
        """Waits.

        Raises:
            WaitCancelledError: `cancel` was called.
        """
        if self._cancelled.wait(self.seconds):
            raise WaitCancelledError(
                f"The wait of {self.seconds:,.0f} s was cancelled. Before it: {self.reason.message}",
                may_have_acted=self.reason.may_have_acted,
            )


def may_retry(request: Request[Any], error: CStarError) -> bool:
    """Whether this request may be sent again after this error.

    It may if it certainly had no effect (429, no connection). If it may have had one, reads and deletes are retried, and so are
    creates and updates under their Idempotency-Key. A test event is not: it would be delivered twice. Nothing is retried that
    cannot get better.
    """
    if isinstance(error, InvalidResponseError):
        # The only way to the signing secret in an incomplete response. Another server's refusal stays one.
        return request.repeat == "with_key" and 200 <= (error.status or 200) < 300
    if not isinstance(error, _TRANSIENT) or isinstance(error, TlsError):
        return False
    return request.repeat != "once" or not error.may_have_acted


def pause_after(error: CStarError, attempt: int) -> float:
    """Seconds to wait after this error: as long as a 429 or 503 names, and never less than the backoff, which doubles each time."""
    backoff = FIRST_PAUSE * 2.0 ** (attempt - 1) + random.uniform(0, JITTER)  # noqa: S311 - spreads callers, hides nothing
    if error.retry_after is not None:
        return max(error.retry_after, backoff)
    return DEFAULT_WAIT if isinstance(error, RateLimitError) else backoff


def with_retries(
    attempt: Callable[[], T], request: Request[T], max_wait: float, on_wait: Callable[[Wait], object] | None
) -> T:
    """The result of the first attempt that succeeds. All waits together take at most `max_wait` seconds; each is announced.

    Raises:
        CStarError: The error of the last attempt.
        WaitCancelledError: A wait was cancelled.
    """
    number, waited = 0, 0.0
    while True:
        number += 1
        try:
            return attempt()
        except CStarError as error:
            wait = Wait(pause_after(error, number), error, number)
            waited += wait.seconds
            if number == ATTEMPTS or waited > max_wait or not may_retry(request, error):
                raise
        if on_wait is not None:
            on_wait(wait)
        wait.sleep()
