"""The events that a receiver acted on, as `acted` reports them."""

import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ..errors import ConfigurationError, ValidationError
from ..text import printable, redacted

Acted = Callable[[], object] | str

_SECONDS = 10  # for a command
_ADVICE = (
    "Pass a function that returns, or a shell command that prints, the IDs of the events acted on, or their number."
)


class Effects:
    """Reads `acted`.

    Args:
        acted: A function that returns an iterable of entries, text with one entry per line, a mapping of entries to counts, or the
            total number; or a command that prints the same. An entry counts for the event whose id it contains.
        ids: Matches the ids of this run's events.

    Raises:
        ConfigurationError: `acted` cannot be called or fails, unless a file does not exist yet.
        ValidationError: `acted` returns something else.
    """

    def __init__(self, acted: Acted, ids: "re.Pattern[str]") -> None:
        self._acted, self._ids = acted, ids
        self._failure = ""
        first = self._value()
        self._total_before = first if isinstance(first, int) else 0
        self.is_total = isinstance(first, int)

    def counts(self) -> "Counter[str]":
        """The number of times that each event was acted on, by id."""
        value = self._value()
        if isinstance(value, int):
            self.is_total = True
            return Counter()
        return value

    def total(self) -> int:
        """The number of events acted on since the check began, if `acted` reports a total."""
        value = self._value()
        return value - self._total_before if isinstance(value, int) else 0

    def require_reading(self) -> None:
        """Raises an error if the last reading failed."""
        if self._failure:
            raise ConfigurationError(f"`acted` failed: {self._failure}.", advice=_ADVICE)

    def _value(self) -> "Counter[str] | int":
        self._failure = ""
        value = self._output(self._acted) if isinstance(self._acted, str) else self._returned(self._acted)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            number = re.fullmatch(r"\s*([0-9]{1,15})(\s+\S+)?\s*", value)  # also "2 acted.txt", as wc prints
            if number and not self._ids.search(value):
                return int(number[1])
            value = value.splitlines()
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, Mapping):
            return Counter({found: int(count) for entry, count in value.items() for found in self._found(entry)})
        if isinstance(value, Iterable):
            return Counter(found for entry in value for found in self._found(entry))
        raise ValidationError(f"`acted` returned a value of type {type(value).__name__}.", advice=_ADVICE)

    def _found(self, entry: object) -> set[str]:
        return set(self._ids.findall(str(entry)))

    def _returned(self, function: Callable[[], object]) -> object:
        try:
            return function()
        except FileNotFoundError as error:  # a log that does not exist before the first event
            self._failure = f"{printable(redacted(str(error.filename)), 200)} does not exist"
            return ()
        except Exception as error:
            reason = f"{type(error).__name__}: {printable(redacted(str(error)), 200)}"
            raise ConfigurationError(f"`acted` failed: {reason}.", advice=_ADVICE) from error

    def _output(self, command: str) -> str:
        try:
            done = subprocess.run(  # noqa: S602 - the user's own command
                command,
                shell=True,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise ConfigurationError(f"`acted` took more than {_SECONDS} s.", advice=_ADVICE) from None
        if done.returncode in {126, 127} or (done.returncode and not done.stdout):
            reason = printable(redacted(done.stderr.strip()), 200) or "it printed nothing"
            self._failure = f"exit code {done.returncode}, {reason}"
            if done.returncode in {126, 127}:
                self.require_reading()
        return done.stdout
