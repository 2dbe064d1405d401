"""The page of open questions shows the table that the sandbox and the probe read."""

from cstar_explore.behaviours import QUESTIONS
from tools.write_questions import PAGE, page


def test_the_page_is_written_from_the_table() -> None:
    """`python -m tools.write_questions` writes it."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_each_answer_that_the_table_names_is_possible() -> None:
    """The assumed one, and those that agree with the pages."""
    for question in QUESTIONS.values():
        assert question.accepts(question.assumed), question.id
        assert all(question.accepts(answer) for answer in question.right), question.id
        assert all((question.topic, question.text, question.documented, question.how, question.depends))
