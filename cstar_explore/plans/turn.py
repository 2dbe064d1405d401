"""Lets one thread at a time apply a plan."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import ConflictError

_LONGEST = 600  # seconds to wait while another thread applies the plan: no plan within its rate limit takes longer
_CHECK = 0.1  # seconds between two checks of `stopped`


class Turn:
    """The turn to apply a plan."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextlib.contextmanager
    def taken(self, stopped: Callable[[], bool] | None) -> Iterator[None]:
        """Waits for the turn.

        Raises:
            ConflictError: This thread has it already, another one has it for too long, or `stopped` returned True.
        """
        if self._owner == threading.get_ident():
            raise ConflictError("This thread is applying the plan already.", advice="Do not apply it within on_step.")
        until = time.monotonic() + _LONGEST
        while not self._lock.acquire(timeout=_CHECK):
            if time.monotonic() > until or (stopped is not None and stopped()):
                raise ConflictError(
                    "Another thread is still applying this plan.", advice="plan.steps shows how far it is."
                )
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()
