"""What a probe of cStar observed, as a small file with one answer per line: no keys, secrets, names, URLs or values of payloads."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .behaviours import ASSUMED, QUESTIONS, Answer
from .errors import ConfigurationError
from .files import read_saved, replace_file, unreadable
from .text import printable

if TYPE_CHECKING:
    import pandas as pd

_HEAD = {"kind": "cstar_explore recording", "version": 1}
_MAX_FILE = 2**20  # bytes: a whole recording has less than 40 kB


@dataclass(frozen=True)
class Recording:
    """The answers that a probe observed.

    Attributes:
        answers: The observed answers, by the id of the question. Questions without an answer are missing.
        payloads: The observed shapes of `data`, by event type: names, types and formats, but no values.
        recorded_on: The date, as `YYYY-MM-DD`.

    Raises:
        ConfigurationError: This version does not know one of the questions or answers.
    """

    answers: Mapping[str, Answer]
    payloads: Mapping[str, Mapping[str, Any]]
    recorded_on: str

    @classmethod
    def load(cls, path: str | Path) -> "Recording":
        """Reads a recording that `save` wrote.

        Raises:
            ConfigurationError: The file cannot be read, or is not a recording that this version knows.
        """

        def read(content: Any) -> Recording:
            found = content["answers"].items()
            answers = {name: each if isinstance(each, str) else tuple(each) for name, each in found}
            payloads = {str(event): dict(shape) for event, shape in content["payloads"].items()}
            try:
                return cls(answers, payloads, str(content["recorded_on"]))
            except ConfigurationError as error:
                raise unreadable(path, error.message.rstrip(".")) from None

        return read_saved(path, "recording", _HEAD, read, _MAX_FILE)

    def __post_init__(self) -> None:
        for name, answer in self.answers.items():
            if name not in QUESTIONS:
                raise ConfigurationError(
                    f"This version has no question '{printable(name, 80)}'.",
                    advice="docs/open_questions.md lists the questions. Record the answers with cx.probe.",
                )
            if not QUESTIONS[name].accepts(answer):
                raise ConfigurationError(
                    f"'{printable(shown(answer), 80)}' is not a possible answer to the question '{name}'.",
                    advice="Record the answers with cx.probe.",
                )

    def save(self, path: str | Path) -> None:
        """Writes the recording: JSON, one answer per line, in the order of the questions.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        answers = [_line(name, self.answers[name]) for name in QUESTIONS if name in self.answers]
        payloads = [_line(event, self.payloads[event]) for event in sorted(self.payloads)]
        head = json.dumps({**_HEAD, "recorded_on": self.recorded_on})
        parts = (f'{head[:-1]}, "answers": {{', ",\n".join(answers), '}, "payloads": {', ",\n".join(payloads), "}}")
        replace_file(path, "\n".join(part for part in parts if part) + "\n")

    def behaviours(self) -> Mapping[str, Answer]:
        """An answer to each question: the observed answer, or what the sandbox assumes."""
        return {**ASSUMED, **self.answers}

    def drift(self, after: "Recording | str | Path | Any") -> "pd.DataFrame":
        """What differs in a later recording: a row per question whose answer changed, and per event type whose shape changed.

        Questions and event types that only one of the two recordings contains are left out.

        Columns, all str: `question` (its id), `text`, `before`, `after`, `depends` (what depends on the answer).

        Raises:
            ConfigurationError: `after` is not a recording, a probe's result or a file with a recording.
        """
        from .frames import from_rows

        later = as_recording(after)
        rows = [
            (name, question.text, shown(self.answers[name]), shown(later.answers[name]), question.depends)
            for name, question in QUESTIONS.items()
            if name in self.answers and name in later.answers and self.answers[name] != later.answers[name]
        ]
        rows += [
            (f"payload {event}", f"The data of {event}", _text(self.payloads[event]), _text(later.payloads[event]), "")
            for event in sorted(self.payloads)
            if event in later.payloads and self.payloads[event] != later.payloads[event]
        ]
        return from_rows(rows, dict.fromkeys(("question", "text", "before", "after", "depends"), "str"))

    def __repr__(self) -> str:
        return f"Recording({self.recorded_on}, {len(self.answers)} answers, {len(self.payloads)} payloads)"


def as_recording(value: "Recording | str | Path | Any") -> Recording:
    """The recording itself, that of a probe's result, or that in a file.

    Raises:
        ConfigurationError: The value is none of these, or the file cannot be read.
    """
    if isinstance(value, str | Path):
        return Recording.load(value)
    recording = getattr(value, "recording", value)
    if isinstance(recording, Recording):
        return recording
    raise ConfigurationError(
        f"A recording must be a cx.Recording, a cx.ProbeResult or the path of a file, not {printable(type(value).__name__, 80)}.",
        advice="Pass what cx.probe returned with confirm=True, or a file that its save() wrote.",
    )


def shown(answer: Answer) -> str:
    """An answer as text."""
    return answer if isinstance(answer, str) else ", ".join(map(str, answer)) or "none"


def _line(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {_text(value)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
