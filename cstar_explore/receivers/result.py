"""The result of a check, and how it is displayed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import replace_file
from ..text import escaped, html_table, printable
from .causes import Cause
from .judging import Outcome, Verdict
from .report import junit, page

if TYPE_CHECKING:
    import pandas as pd

_NOT_TESTED: Verdict = "not tested"
_WORST_FIRST: tuple[Verdict, ...] = ("wrong", "information", "right", _NOT_TESTED)


@dataclass(eq=False, repr=False)
class ReceiverCheck:
    """The result of a receiver's check.

    Attributes:
        url: The receiver's URL without its query, or the handler's name.
        outcomes: What was sent, and its outcome.
        causes: The faults, each once, then the notes. Each has `.sentence` (what is wrong), `.remedy` (what to do), `.checks` (what
            was sent in the checks that it explains) and `.is_note`.
        framework: The likely framework, or None.
        interrupted: Whether the check ended before everything was sent.
        seconds: The duration of the check.
    """

    url: str
    outcomes: Sequence[Outcome]
    causes: Sequence[Cause]
    framework: str | None
    interrupted: bool
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether no fault was found. Something may not have been tested: see `verdict`."""
        return not any(not cause.is_note for cause in self.causes)

    @property
    def verdict(self) -> str:
        """`right`, `right, with a note`, `wrong`, or `incomplete` if no fault was found but not everything was tested."""
        if not self.ok:
            return "wrong"
        if self.interrupted or any(each.verdict == _NOT_TESTED for each in self.outcomes):
            return "incomplete"
        return "right, with a note" if self.causes else "right"

    def groups(self) -> dict[str, Verdict]:
        """The verdict of each check: `right`, `wrong`, `information` (a note) or `not tested`. It is that of its worst delivery."""
        verdicts: dict[str, Verdict] = {}
        for group in dict.fromkeys(each.check.group for each in self.outcomes):
            found = {each.verdict for each in self.outcomes if each.check.group == group}
            # Without `acted`, only whether duplicates are accepted is known.
            is_unknown = group == "duplicates" and _NOT_TESTED in found and found.isdisjoint({"wrong", "information"})
            verdicts[group] = _NOT_TESTED if is_unknown else next(each for each in _WORST_FIRST if each in found)
        return verdicts

    def to_frame(self) -> "pd.DataFrame":
        """A row per check. A check sends several deliveries: see `details`.

        Columns, all str: `check`, `verdict` (right, wrong, information or not tested), `expected`, `observed`, `remedy` (empty if
        nothing is wrong).
        """
        from ..frames import from_rows

        return from_rows(self._groups(), dict.fromkeys(("check", "verdict", "expected", "observed", "remedy"), "str"))

    def details(self) -> "pd.DataFrame":
        """A row per delivery or sequence of deliveries.

        Columns, all str: `check`, `sent`, `verdict` (right, wrong, information or not tested), `expected`, `observed`.
        """
        from ..frames import from_rows

        return from_rows(self._rows(), dict.fromkeys(("check", "sent", "verdict", "expected", "observed"), "str"))

    def to_html(self, path: str | Path | None = None) -> str | None:
        """An HTML page that works offline and contains no scripts. It is returned, or with `path` written to a file.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        return _written(page(self.verdict, self._repr_html_(), self.framework, self._rows()), path)

    def to_junit(self, path: str | Path | None = None) -> str | None:
        """JUnit XML with a test case per check; one that was not tested is skipped. It is returned, or with `path` written to a file.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        return _written(junit(self.url, self.seconds, self.to_frame().to_dict("records")), path)

    def summary(self) -> str:
        """One sentence: the verdict and the number of checks."""
        counts = list(self.groups().values())
        numbers = ", ".join(f"{counts.count(name)} {name}" for name in dict.fromkeys(counts))
        ended = " It was interrupted." if self.interrupted else ""
        return f"{self.url}: {self.verdict}. Of {len(counts)} checks: {numbers}; {self.seconds:.1f} s.{ended}"

    def __repr__(self) -> str:
        lines = [self.summary()]
        for cause in self.causes:
            lines += [f"{'Note' if cause.is_note else 'Wrong'}: {cause.sentence}", f"  {cause.remedy}"]
        return "\n".join(lines + self.untested())

    def untested(self) -> list[str]:
        """Why some checks have no verdict, each reason once, in sentences."""
        if not self.ok or self.interrupted:
            return []
        reasons = dict.fromkeys(each.reason for each in self.outcomes if each.verdict == _NOT_TESTED)
        return [f"Not tested: {reason}." for reason in reasons]

    def _repr_html_(self) -> str:
        items = "".join(
            f"<li><b>{'Note' if cause.is_note else 'Wrong'}:</b> {escaped(cause.sentence, 1_000)} <i>{escaped(cause.remedy, 1_000)}</i></li>"
            for cause in self.causes
        )
        items += "".join(f"<li>{escaped(line)}</li>" for line in self.untested())
        rows = [(group, verdict, observed) for group, verdict, _, observed, _ in self._groups()]
        table = html_table(("check", "verdict", "observed"), rows)
        return f"<p><b>{escaped(self.verdict)}</b>: {escaped(self.url)}</p><ul>{items}</ul>{table}"

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (each.check.group, each.check.sent, each.verdict, each.expected, each.observed) for each in self.outcomes
        ]

    def _groups(self) -> list[tuple[str, str, str, str, str]]:
        """A row per check, as in `to_frame`."""
        rows: list[tuple[str, str, str, str, str]] = []
        for group, verdict in self.groups().items():
            outcomes = [each for each in self.outcomes if each.check.group == group]
            shown = [each for each in outcomes if each.verdict == verdict]
            expected = ", or ".join(dict.fromkeys(each.expected for each in outcomes))
            observed = printable("; ".join(f"{each.check.sent}: {each.observed}" for each in shown), 600)
            if verdict == "right":
                observed = f"{len(shown)} of {len(outcomes)} as expected"
            elif verdict == _NOT_TESTED:
                observed = "; ".join(dict.fromkeys(each.reason for each in shown))
            names = {each.check.sent for each in outcomes}
            remedy = " ".join(cause.remedy for cause in self.causes if names & set(cause.checks))
            rows.append((group, verdict, expected, observed, remedy))
        return rows


def _written(text: str, path: str | Path | None) -> str | None:
    if path is None:
        return text
    replace_file(path, text)
    return None
