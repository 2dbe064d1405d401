"""Lines of progress on stderr, for callers that passed no function for it."""

import sys
import time


class ProgressLog:
    """Logs at most one line per interval.

    Args:
        interval: In seconds.
        line: A format string with the numbers that are passed to each call.
    """

    def __init__(self, interval: float, line: str) -> None:
        self._interval = interval
        self._line = line
        self._next = time.monotonic() + interval

    def __call__(self, *numbers: int) -> None:
        """Logs the numbers, unless the last line was less than an interval ago."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self._interval
            self.log(self._line.format(*numbers))

    def log(self, line: str) -> None:
        """Logs a line at once."""
        print(line, file=sys.stderr)  # noqa: T201 - progress goes to stderr by default
