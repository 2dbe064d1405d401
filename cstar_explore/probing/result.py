"""The result of a probe."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..behaviours import QUESTIONS, Question
from ..files import replace_file
from ..recordings import Recording, shown
from ..text import escaped, html_page, html_table, plural, printable
from .answers import Observation

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("question", "text", "documented", "assumed", "observed", "verdict", "evidence")
_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


@dataclass(frozen=True)
class ProbeResult:
    """The answers that a probe observed.

    Attributes:
        recording: The answers and the shapes of payloads, a `cx.Recording` for `cx.Sandbox(like=…)` and later comparisons.
        observations: The answers with their evidence, as `question`, `answer` and `evidence`.
        reasons: Why the other questions were not answered, by the id of the question.
        left: The names of webhooks that could not be removed. The next probe of this team removes them.
        requests: The number of requests that were sent.
        stopped: Whether the user stopped it.
    """

    recording: Recording
    observations: tuple[Observation, ...]
    reasons: Mapping[str, str]
    left: tuple[str, ...]
    requests: int
    stopped: bool

    def to_frame(self) -> "pd.DataFrame":
        """A row per question.

        Columns, all str: `question` (its id), `text`, `documented` (what the pages say), `assumed` (what the sandbox does), `observed`
        (missing if not answered), `verdict` ("as documented", "as assumed", "different" or "not answered"), `evidence` (the
        requests and statuses, without IDs and secrets, or why there is no answer).
        """
        from ..frames import from_rows

        return from_rows(self._rows(), dict.fromkeys(_COLUMNS, "str"))

    def counts(self) -> dict[str, int]:
        """The number of questions with each verdict."""
        verdicts = [row[5] for row in self._rows()]
        return {name: verdicts.count(name) for name in ("as documented", "as assumed", "different", "not answered")}

    def save(self, path: str | Path) -> None:
        """Writes the recording; see `Recording.save`.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        self.recording.save(path)

    def drift(self, after: "Recording | str | Path | ProbeResult") -> "pd.DataFrame":
        """What differs in a later recording; see `Recording.drift`.

        Raises:
            ConfigurationError: `after` is not a recording, a probe's result or a file with a recording.
        """
        return self.recording.drift(after)

    def to_html(self, path: str | Path) -> None:
        """Writes the answers as an HTML page that works offline and contains no scripts.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        title = f"cStar as observed on {self.recording.recorded_on}"
        replace_file(path, html_page(title, _STYLE, f"<h1>{title}</h1>{self._repr_html_()}"))

    def _repr_html_(self) -> str:
        head = ("question", "cStar's pages", "the sandbox", "observed", "verdict", "evidence")
        order = ("different", "as assumed", "as documented", "not answered")
        rows = sorted(self._rows(), key=lambda row: order.index(row[5]))
        table = html_table(head, [row[1:] for row in rows])
        # A cell of JupyterLab is too narrow for paths and codes that do not break.
        return f"<p>{escaped(self.summary())}</p>{re.sub('(?<=[/_])(?=[^<>]*</td>)', '<wbr>', table)}"

    def summary(self) -> str:
        """One or more sentences: the number of answers with each verdict, and what could not be removed."""
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.counts().items())
        stopped = " Stopped before the end." if self.stopped else ""
        names = ", ".join(printable(name, 60) for name in self.left)
        left = (
            f" {plural(len(self.left), 'webhook')} could not be removed: {names}. Run the probe again to remove them."
        )
        return f"{counts}; {plural(self.requests, 'request')}.{stopped}{left if self.left else ''}"

    def __repr__(self) -> str:
        return f"ProbeResult({self.summary()})"

    def _rows(self) -> list[tuple[str, ...]]:
        observed = {observation.question: observation for observation in self.observations}
        return [self._row(question, observed.get(name)) for name, question in QUESTIONS.items()]

    def _row(self, question: Question, observation: Observation | None) -> tuple[Any, ...]:
        about = (question.id, question.text, _plain(question.documented), shown(question.assumed))
        if observation is None:
            return (*about, None, "not answered", self.reasons.get(question.id, ""))
        verdict = "as assumed" if observation.answer == question.assumed else "different"
        if observation.answer in question.right:
            verdict = "as documented"
        return (*about, shown(observation.answer), verdict, observation.evidence)


def _plain(markdown: str) -> str:
    return re.sub(r"\[([^]]+)]\([^)]+\)", r"\1", markdown).replace("`", "")
