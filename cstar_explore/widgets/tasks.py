"""Coroutines that buttons start. The loop holds its tasks weakly, so somebody has to hold them."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks:
    """The tasks of one widget."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Runs a coroutine that shows its errors itself. Without a running loop it does nothing."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return None
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        # Looked at, so that the loop does not complain of an error that nobody saw.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    def cancel(self) -> None:
        """Ends those that are still running."""
        for task in self._running:
            task.cancel()
