"""Runs the server for lists during a benchmark."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lists(count: int, delay: float = 0) -> Iterator[str]:
    """The address of a server with this many webhooks, which delays each response by so many seconds."""
    command = [sys.executable, "-m", "benchmarks.server", str(count), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()
