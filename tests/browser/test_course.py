"""The course in a browser: each lesson with blank exercises, with wrong answers, and with its own solutions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.lab import Lab, Notebook
from tests.support.lessons import LESSONS, exercises, read
from tests.support.sampling import sample
from tests.support.wrong_answers import WRONG_ANSWERS

pytestmark = pytest.mark.browser

ERRORS = "[data-mime-type='application/vnd.jupyter.stderr']"  # includes tracebacks


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("course"))
    yield started
    started.close()


@pytest.mark.parametrize("lesson", sample(LESSONS, 1, name="lessons in a browser"), ids=lambda path: path.stem)
def test_learner_completes_the_lesson(browser: Browser, lab: Lab, lesson: Path) -> None:
    """Run All reaches the last cell. Each check rejects the blank and a wrong answer, and accepts the solution."""
    cells = read(lesson).cells
    index = {cell["id"]: number for number, cell in enumerate(cells)}
    tasks = exercises(read(lesson))
    notebook = lab.open(browser, lesson.name)
    displayed = notebook.page.locator(".jp-Notebook .jp-Cell")
    expect(displayed).to_have_count(len(cells))
    expect(notebook.page.locator(".jp-OutputArea-output")).to_have_count(0)
    notebook.run_all()
    expect(notebook.page.locator(ERRORS)).to_have_count(len(tasks))
    assert [] == unexpected_errors(notebook)
    assert "[ ]" not in notebook.page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()

    for task in tasks:
        cell, check = displayed.nth(index[task.name]), displayed.nth(index[task.check["id"]])
        wrong_answer, message = WRONG_ANSWERS[lesson.stem, task.name]
        fill_in(notebook, cell, wrong_answer)
        run(notebook, check)
        expect(check.locator(".jp-OutputArea-output")).to_contain_text(message)
        fill_in(notebook, cell, task.solution)
        run(notebook, check)
        expect(check.locator(".jp-OutputArea-output")).to_contain_text("Correct. ")

    assert ([], [], []) == (notebook.dialogs, notebook.errors, unexpected_errors(notebook))
    notebook.page.close()


def fill_in(notebook: Notebook, cell: Locator, code: str) -> None:
    """Replaces the cell's code and runs it."""
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.insert_text(code)
    run(notebook, cell)


def run(notebook: Notebook, cell: Locator) -> None:
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.page.wait_for_timeout(150)  # until the prompt shows that the cell is running
    notebook.wait_until_idle()


def unexpected_errors(notebook: Notebook) -> list[str]:
    """Error outputs other than the messages of checks."""
    return [text for text in notebook.page.locator(ERRORS).all_inner_texts() if not text.startswith("Not yet. ")]
