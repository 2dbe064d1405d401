"""The course, played through in a browser: with nothing filled in, with wrong answers, and with its own solutions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.lessons import LESSONS, exercises, read
from tests.support.wrong_answers import WRONG

from .lab import Lab, Notebook

pytestmark = pytest.mark.browser

ERRORS = "[data-mime-type='application/vnd.jupyter.stderr']"  # what is raised, too


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = Lab(tmp_path_factory.mktemp("course"))
    yield started
    started.close()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_a_learner_goes_through_the_lesson(browser: Browser, lab: Lab, lesson: Path) -> None:
    """Run All reaches the end; each check says what is wrong, to a blank and to a mistake, and takes the solution."""
    cells = read(lesson).cells
    place = {cell["id"]: number for number, cell in enumerate(cells)}
    tasks = exercises(read(lesson))
    notebook = lab.open(browser, lesson.name)
    shown = notebook.page.locator(".jp-Notebook .jp-Cell")
    expect(shown).to_have_count(len(cells))
    expect(notebook.page.locator(".jp-OutputArea-output")).to_have_count(0)
    notebook.run_all()
    expect(notebook.page.locator(ERRORS)).to_have_count(len(tasks))
    assert [] == unexpected_errors(notebook)
    assert "[ ]" not in notebook.page.locator(".jp-CodeCell .jp-InputArea-prompt").all_inner_texts()

    for task in tasks:
        cell, check = shown.nth(place[task.name]), shown.nth(place[task.check["id"]])
        wrong, words = WRONG[lesson.stem, task.name]
        fill_in(notebook, cell, wrong)
        run(notebook, check)
        expect(check.locator(".jp-OutputArea-output")).to_contain_text(words)
        fill_in(notebook, cell, task.solution)
        run(notebook, check)
        expect(check.locator(".jp-OutputArea-output")).to_contain_text("Right. ")

    assert ([], [], []) == (notebook.dialogs, notebook.errors, unexpected_errors(notebook))
    notebook.page.close()


def fill_in(notebook: Notebook, cell: Locator, code: str) -> None:
    """Types an answer in place of what stands in the cell, and runs it."""
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.insert_text(code)
    run(notebook, cell)


def run(notebook: Notebook, cell: Locator) -> None:
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    notebook.page.wait_for_timeout(150)  # until the prompt says that the cell is running
    notebook.wait_until_idle()


def unexpected_errors(notebook: Notebook) -> list[str]:
    """What went wrong, but for the checks' own words."""
    return [words for words in notebook.page.locator(ERRORS).all_inner_texts() if not words.startswith("Not yet. ")]
