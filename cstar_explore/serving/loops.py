"""Event loops for threads. They do not use `asyncio.run`, which nest_asyncio and debuggers replace by functions with other arguments."""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


def run(work: Awaitable[T]) -> T:
    """Runs an awaitable in a new event loop of this thread. Cancels what it leaves behind."""
    # asyncio's own loop, whatever loop policy another package has set.
    loop: asyncio.AbstractEventLoop
    if sys.platform == "win32":
        loop = asyncio.ProactorEventLoop()
    else:
        loop = asyncio.SelectorEventLoop()
    try:
        return loop.run_until_complete(work)
    finally:
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=1))  # a task can ignore its cancellation
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
