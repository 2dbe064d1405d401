"""When a call is repeated, and how long to wait before. The loop itself is tenacity's."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import (
    ConnectionLostError,
    CStarError,
    InvalidResponseError,
    RateLimitError,
    ResponseTimeoutError,
    ServerError,
    UnreachableError,
    WaitCancelledError,
)
from .requests import Request

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

ATTEMPTS = 4  # the first, and as many repeats as cStar's own SDK makes by default (its page on retries)
GUESS = 60.0  # seconds after a 429 that names no wait: the SDK's default too
FIRST_PAUSE = 0.5  # seconds after the first failure that is not a 429; doubles each time
JITTER = 0.2  # seconds at most, added at random

_PASSING = (RateLimitError, ServerError, UnreachableError, ResponseTimeoutError, ConnectionLostError)


@dataclass(frozen=True)
class Wait:
    """A wait before a call is repeated, announced as it begins.

    Attributes:
        seconds: How long it will be.
        reason: The error that made it necessary.
        attempt: How many attempts have been made.
    """

    seconds: float
    reason: CStarError
    attempt: int
    _cancelled: threading.Event = field(default_factory=threading.Event, repr=False)

    def cancel(self) -> None:
        """Ends the wait at once; the call raises `WaitCancelledError`. Can be called from any thread."""
        self._cancelled.set()

    def sleep(self) -> None:
        """Waits.

        Raises:
            WaitCancelledError: Somebody called `cancel`.
        """
        if self._cancelled.wait(self.seconds):
            raise WaitCancelledError(
                f"The wait of {self.seconds:,.0f} s was cancelled. Before it: {self.reason.message}",
                may_have_acted=self.reason.may_have_acted,
            )


def may_repeat(request: Request[Any], error: BaseException) -> bool:
    """Whether this request may be sent again after this error.

    What surely had no effect (429, no connection) may. What may have had one is repeated when that cannot do harm: reads
    and deletes, and creates and updates under their one Idempotency-Key. A test event is not: it would arrive twice.
    """
    if isinstance(error, InvalidResponseError):
        # A repeat is the only way to the secret in an answer that came in pieces.
        return request.repeat == "with_key"
    if not isinstance(error, _PASSING):
        return False
    return request.repeat != "once" or not error.may_have_acted


def pause_after(error: CStarError, attempt: int) -> float:
    """Seconds to wait after this error: as long as a 429 or 503 names, or doubling from `FIRST_PAUSE`, up to `JITTER` more."""
    if error.retry_after is not None:
        return error.retry_after
    if isinstance(error, RateLimitError):
        return GUESS
    return FIRST_PAUSE * 2.0 ** (attempt - 1) + random.uniform(0, JITTER)  # noqa: S311 - spreads callers, hides nothing


def patiently(request: Request[Any], max_wait: float, on_wait: Callable[[Wait], None] | None) -> "Retrying":
    """tenacity's loop for one request: all its waits together stay within `max_wait` seconds, each announced."""
    from tenacity import Retrying, retry_if_exception

    wait: Wait | None = None

    def announce(state: "RetryCallState") -> None:
        nonlocal wait
        wait = Wait(state.upcoming_sleep, _error_of(state), state.attempt_number)
        if on_wait is not None:
            on_wait(wait)

    def sleep(_: float) -> None:
        if wait is not None:
            wait.sleep()

    return Retrying(
        retry=retry_if_exception(lambda error: may_repeat(request, error)),
        wait=lambda state: pause_after(_error_of(state), state.attempt_number),
        stop=lambda state: state.attempt_number >= ATTEMPTS or state.idle_for + state.upcoming_sleep > max_wait,
        before_sleep=announce,
        sleep=sleep,
        reraise=True,
    )


def _error_of(state: "RetryCallState") -> CStarError:
    error = state.outcome.exception() if state.outcome else None
    if not isinstance(error, CStarError):
        raise TypeError("Only this package's errors are repeated after.") from error
    return error
