"""Keeps references to background tasks, because the event loop holds only weak ones."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Tasks(set["asyncio.Task[Any]"]):
    """The running background tasks of one widget."""

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Runs a coroutine that shows its own errors. Does nothing without a running loop."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return None
        self.add(task)
        task.add_done_callback(self.discard)
        # Retrieve the exception, so that asyncio does not log it as never retrieved.
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    def cancel(self) -> None:
        """Cancels the tasks that are still running."""
        for task in self:
            task.cancel()
