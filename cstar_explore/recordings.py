"""What a probe of cStar observed: as a small file without keys, secrets, names, URLs or values of payloads, one answer per line."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .behaviours import ASSUMED, QUESTIONS, Answer
from .errors import ConfigurationError
from .files import read_text, replace_file, unreadable
from .text import printable

if TYPE_CHECKING:
    import pandas as pd

_KIND = "cstar_explore recording"
_MAX_FILE = 2**20  # bytes: a whole recording has less than 40 kB
_COLUMNS = ("question", "text", "before", "after", "depends")


@dataclass(frozen=True)
class Recording:
    """The answers that a probe observed.

    Attributes:
        answers: By the id of the question (`behaviours.py`). What was not answered is not in it.
        payloads: The shape of each event's `data` that was seen, by event type: names, types, formats and no values.
        recorded_on: The date, as `YYYY-MM-DD`.

    Raises:
        ConfigurationError: One of the answers is none that this version knows.
    """

    answers: Mapping[str, Answer]
    payloads: Mapping[str, Mapping[str, Any]]
    recorded_on: str

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Reads a recording that `save` wrote.

        Raises:
            ConfigurationError: The file is not a recording of this version, or has an answer that no question has.
        """
        try:
            content = json.loads(read_text(path, _MAX_FILE))
            if (content["kind"], content["version"]) != (_KIND, 1):
                raise unreadable(path, "it is not a recording of this version")
            answers = {name: _answer(value) for name, value in content["answers"].items()}
            payloads = {str(event): dict(shape) for event, shape in content["payloads"].items()}
            recorded_on = str(content["recorded_on"])
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            raise unreadable(path, "it is not a recording") from None
        try:
            return cls(answers, payloads, recorded_on)
        except ConfigurationError as error:
            raise unreadable(path, error.message.rstrip(".")) from None

    def __post_init__(self) -> None:
        for name, answer in self.answers.items():
            if name not in QUESTIONS:
                raise ConfigurationError(
                    f"'{printable(name, 80)}' is no question of this version.",
                    advice="docs/open_questions.md lists them.",
                )
            if not QUESTIONS[name].accepts(answer):
                raise ConfigurationError(
                    f"'{printable(shown(answer), 80)}' is no answer to the question '{name}'.",
                    advice="Record the answers with cx.probe.",
                )

    def save(self, path: str | Path) -> None:
        """Writes the recording: JSON, one answer per line, in the order of the questions.

        Raises:
            ConfigurationError: The file cannot be written.
        """
        answers = [_line(name, self.answers[name]) for name in QUESTIONS if name in self.answers]
        payloads = [_line(event, self.payloads[event]) for event in sorted(self.payloads)]
        head = json.dumps({"kind": _KIND, "version": 1, "recorded_on": self.recorded_on})
        parts = (f'{head[:-1]}, "answers": {{', ",\n".join(answers), '}, "payloads": {', ",\n".join(payloads), "}}")
        replace_file(path, "\n".join(part for part in parts if part) + "\n")

    def behaviours(self) -> Mapping[str, Answer]:
        """An answer to each question: the observed one, or else what the sandbox assumes."""
        return {**ASSUMED, **self.answers}

    def drift(self, after: "Recording | str | Path | Any") -> "pd.DataFrame":
        """What is different in a later recording: a row per question whose answer changed, and per event whose shape changed.

        A question that only one of the two answered is not a change.

        Columns, all str: `question`, `text`, `before`, `after`, `depends` (what depends on it).

        Raises:
            ConfigurationError: `after` is neither a recording, nor what a probe returned, nor a file with one.
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
        return from_rows(rows, dict.fromkeys(_COLUMNS, "str"))

    def __repr__(self) -> str:
        return f"Recording({self.recorded_on}, {len(self.answers)} answers, {len(self.payloads)} payloads)"


def as_recording(value: "Recording | str | Path | Any") -> Recording:
    """A recording, the one of a probe's result, or the one in a file.

    Raises:
        ConfigurationError: It is none of them, or the file cannot be read.
    """
    if isinstance(value, str | Path):
        return Recording.load(value)
    recording = getattr(value, "recording", value)
    if isinstance(recording, Recording):
        return recording
    raise ConfigurationError(
        f"A recording is needed, not {printable(type(value).__name__, 80)}.",
        advice="Pass the path of a saved one, or what cx.probe returned.",
    )


def shown(answer: Answer) -> str:
    """An answer as text."""
    return answer if isinstance(answer, str) else ", ".join(map(str, answer)) or "none"


def _answer(value: Any) -> Answer:
    return value if isinstance(value, str) else tuple(value)


def _line(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {_text(value)}"


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
