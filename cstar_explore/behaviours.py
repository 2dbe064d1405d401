"""Questions that cStar's pages do not answer, from the table in `behaviours.json`.

Each question has an id, what the pages say, what the sandbox assumes, the possible answers and how `probe` asks. An answer is one of
`answers`; for the kind "names", those of `answers` that were observed, in this order; for the kind "seconds", numbers of seconds.

In the file, `answers` may also be a list of names without a meaning, or the name of answers that several questions have. In
`documented`, a word in braces is a link to a page, and "not documented" means that none of the pages that could be read documents it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .packaged import read_table

Answer = str | tuple[str, ...]
Needs = Literal["read", "many", "publishable", "write", "fire", "listener", "wait", "nothing"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question that cStar's pages do not answer, or answer in different ways.

    Attributes:
        id, topic, text: The question.
        documented: What the pages say, in Markdown.
        right: The answers that agree with the pages; empty if the pages are silent or contradict each other.
        assumed: What the sandbox does, unless `like=` passes a recording.
        answers: The possible answers and what each means; for names, the known names.
        kind: Whether an answer is one of `answers`, a set of them, or a list of seconds.
        needs: What asking requires: only GET ("read"), also a team with more than 20 webhooks ("many"), a publishable key, a secret
            test key ("write"), also `fire=True` ("fire"), a listener, or `wait=`. "nothing": `probe` does not ask.
        how: How `probe` asks, or why it does not.
        depends: What depends on the answer.
    """

    id: str
    topic: str
    text: str
    documented: str
    assumed: Answer
    answers: Mapping[str, str]
    right: tuple[Answer, ...] = ()
    kind: Literal["one", "names", "seconds"] = "one"
    needs: Needs
    how: str
    depends: str

    def accepts(self, answer: object) -> bool:
        """Whether this is a possible answer in canonical form: names are in the order of `answers`, without duplicates."""
        if self.kind == "one":
            return isinstance(answer, str) and answer in self.answers
        if not isinstance(answer, tuple) or not all(isinstance(part, str) for part in answer):
            return False
        if self.kind == "names":
            return answer == self.names(answer)
        return all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in answer)

    def names(self, seen: "tuple[str, ...] | set[str]") -> tuple[str, ...]:
        """The observed names as an answer: known names in order, and `*` for any others, which are not recorded."""
        known = tuple(name for name in self.answers if name in seen and name != OTHER)
        return (*known, OTHER) if set(seen) - set(known) else known


OTHER = "*"  # stands for names that no page mentions; they are not recorded


def _questions() -> Iterator[Question]:
    table = read_table(__file__)
    for name, fields in table["questions"].items():
        answers = fields.pop("answers")
        if isinstance(answers, str):
            answers = table["answers"][answers]
        documented = fields.pop("documented").format(**table["pages"])
        known = answers if isinstance(answers, dict) else dict.fromkeys(answers, "")
        yield Question(id=name, answers=known, documented=documented, **{key: _plain(fields[key]) for key in fields})


def _plain(value: Any) -> Any:
    return tuple(map(_plain, value)) if isinstance(value, list) else value


QUESTIONS: Mapping[str, Question] = {question.id: question for question in _questions()}
ASSUMED: Mapping[str, Answer] = {name: question.assumed for name, question in QUESTIONS.items()}
