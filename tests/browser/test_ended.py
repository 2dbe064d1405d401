"""Widgets whose kernel was restarted, or whose notebook was reopened: a note says what to do, and no field takes input."""

from collections.abc import Callable

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.lab import LOW_CONTRAST, PATIENCE, Lab, Notebook

pytestmark = pytest.mark.browser

NOTEBOOK = "ended.ipynb"
CELLS = (
    "import cstar_explore as cx\n\nsandbox = cx.Sandbox()\nclient = sandbox.client()\nlistener = sandbox.listener()",
    "cx.CreateForm(client)",
    "cx.Explorer(client, listener=listener)",
    "listener",
    "cx.ExplainForm()",
)
NAMES = ("CreateForm", "Explorer", "Listener", "ExplainForm")
FIELDS = ".jp-Notebook .cx :is(button, input, select, textarea)"


def restart_kernel(page: Page) -> None:
    page.get_by_role("menuitem", name="Kernel", exact=True).click()
    page.get_by_role("menuitem", name="Restart Kernel…").click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()


def expect_notes(page: Page) -> None:
    """One for each widget, and no advice to run a cell that uses variables of the kernel that has ended."""
    notes = page.get_by_text("run the notebook from the top")
    expect(notes).to_have_count(len(NAMES))
    for note, name in zip(notes.all(), NAMES, strict=True):
        expect(note).to_be_visible(timeout=PATIENCE)
        expect(note).to_contain_text(f"This was {name}(")
    expect(page.get_by_text("Run the cell again")).to_have_count(0)


def test_after_a_restart_or_in_a_reopened_notebook_a_note_says_what_to_run(
    browser: Browser, start_lab: Callable[..., Lab]
) -> None:
    """While the kernel runs, it is hidden. Afterwards every field is disabled, and legible."""
    lab = start_lab()
    lab.write(NOTEBOOK, CELLS)
    notebook = lab.open(browser, NOTEBOOK, theme="dark")
    page = notebook.page
    notebook.run_all()
    expect(page.get_by_text("run the notebook from the top").locator("visible=true")).to_have_count(0)
    assert page.locator(f"{FIELDS}:enabled").count() > 50
    expect(page.locator(".cx-explorer")).to_contain_text("CRM sync")

    restart_kernel(page)
    expect_notes(page)
    expect(page.locator(f"{FIELDS}:enabled")).to_have_count(0)
    notebook.screenshot("restarted")
    for view in page.locator(".cx-form, .cx-explorer, .cx-arrivals").all():
        assert [] == view.evaluate(LOW_CONTRAST)
    notebook.save()
    page.close()

    reopened = lab.open(browser, NOTEBOOK, theme="dark")
    expect(reopened.page.get_by_text("Error displaying widget")).to_have_count(len(NAMES), timeout=PATIENCE)
    expect_notes(reopened.page)
    reopened.screenshot("reopened")
    reopened.run_all()
    expect(reopened.page.get_by_text("run the notebook from the top").locator("visible=true")).to_have_count(0)
    assert ([], []) == (reopened.dialogs, reopened.errors)


def test_a_form_from_saved_state_takes_no_input(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """JupyterLab shows it as it was. Without any kernel, it shows the text."""
    lab = start_lab(save_state=True)
    lab.write(NOTEBOOK, CELLS)
    notebook = lab.open(browser, NOTEBOOK)
    notebook.run_all()
    expect(notebook.page.locator(".cx-explorer")).to_contain_text("CRM sync")
    notebook.save()
    lab.end_kernels()
    notebook.page.close()

    reopened = lab.open(browser, NOTEBOOK)
    expect(reopened.form("Create a webhook")).to_be_visible(timeout=PATIENCE)
    expect_notes(reopened.page)
    expect(reopened.page.locator(f"{FIELDS}:enabled")).to_have_count(0)
    lab.end_kernels()
    reopened.page.close()

    path = lab.folder / NOTEBOOK
    document = nbformat.read(path, as_version=4)
    document.metadata["kernelspec"] = {"name": "absent", "display_name": "Absent"}
    nbformat.write(document, path)
    page = browser.new_page()
    Notebook(page, f"{lab.url}/lab/tree/{NOTEBOOK}?reset&token={lab.token}")
    page.get_by_role("button", name="No Kernel", exact=True).click()
    expect_notes(page)
    expect(page.locator(f"{FIELDS}:enabled")).to_have_count(0)
