"""What a step of a probe yields: answers, with the evidence for each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..behaviours import QUESTIONS, Answer
from ..schema import SECRET_KEYS
from .replies import NotAnsweredError, Reply


class Observation(NamedTuple):
    """An answer to a question, and the evidence for it, without IDs, names, URLs or secrets."""

    question: str
    answer: Answer
    evidence: str


Observations = Iterator[Observation]


def names_in(question: str, names: Iterable[str], evidence: str) -> Observation:
    """An answer that is a set of names."""
    return Observation(question, QUESTIONS[question].names(set(names)), evidence)


def one_of(question: str, answer: str, evidence: str) -> Observation:
    """An answer that must be one of the question's `answers`; else it raises NotAnsweredError."""
    if answer not in QUESTIONS[question].answers:
        raise NotAnsweredError(f"{evidence}: not one of the answers that this version knows")
    return Observation(question, answer, evidence)


def error_form(status: int, reply: Reply) -> Observations:
    """The answers about the fields, code and type of the error in a reply. With another status, it raises NotAnsweredError."""
    if reply.status != status:
        raise NotAnsweredError(reply.evidence)
    names = reply.error or ("only a text",)
    yield names_in(f"error_{status}", names, reply.evidence)
    for field in ("code", "type"):
        known = QUESTIONS[f"{field}_{status}"].answers
        value: Any = reply.error.get(field)
        other = f"no {field}" if value is None else f"another {field}"
        yield Observation(f"{field}_{status}", value if value in known else other, reply.evidence)


def first_of(webhook: Mapping[str, Any], *names: str) -> Any:
    """The first of these fields that a webhook has; None if it has none of them."""
    return next((webhook[name] for name in names if name in webhook), None)


def signing_secret(webhook: Mapping[str, Any]) -> Any:
    """The signing secret in a webhook, under any of the names that cStar's pages use; None if it has none."""
    return first_of(webhook, *SECRET_KEYS)
