"""Writes `docs/open_questions.md` from the table in `behaviours.json`: `python -m tools.write_questions`."""

from itertools import groupby
from pathlib import Path

from cstar_explore.behaviours import ASSUMED, OTHER, QUESTIONS, Answer, Question

PAGE = Path("docs/open_questions.md")

_HEAD = """<!-- Written by `python -m tools.write_questions`. -->

# Open questions about cStar

cStar's pages do not answer the questions below, or contradict each other. "Not documented" means that no page we could read
documents it; of most pages, we could read only the beginning. The column "the sandbox" says what a sandbox does by default.

[`cx.probe`](probing.md) finds the answers in cStar's responses, where that is possible, and records them. A sandbox made from the
recording behaves in the same way: `cx.Sandbox(like="cstar-2026-11.json")`.
"""


def page() -> str:
    """The text of the page."""
    parts = [_HEAD]
    for topic, questions in groupby(QUESTIONS.values(), key=lambda question: question.topic):
        parts += [
            f"\n## {topic}\n",
            "| question | cStar's pages | the sandbox | how `probe` asks |",
            "|---|---|---|---|",
        ]
        parts += [_row(question) for question in questions]
    return "\n".join(parts) + "\n"


def _row(question: Question) -> str:
    asked = f"not asked: {question.how}" if question.needs == "nothing" else question.how
    return f"| {question.text} | {question.documented} | {_answer(question, ASSUMED[question.id])} | {asked} |"


def _answer(question: Question, answer: Answer) -> str:
    if question.kind == "one":
        meaning = question.answers[str(answer)]
        return f"{answer}: {meaning}" if meaning else str(answer)
    if question.kind == "seconds":
        return ", ".join(answer)
    return ", ".join("others" if name == OTHER else f"`{name}`" for name in answer) or "none"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
