"""The listener's live view, and the notebooks that use it, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from .lab import LOW_CONTRAST, Lab

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_event_appears_without_a_reload_and_opens_into_its_parts(
    browser: Browser, start_lab: Callable[..., Lab], theme: str
) -> None:
    """Fired in one cell, seen in the view of another; pressing its row shows verdict, headers, JSON and bytes."""
    lab = start_lab()
    notebook = lab.open(browser, "02_receive_and_verify.ipynb", theme=theme)
    notebook.run_all()
    view = notebook.page.locator(".cx-arrivals")
    expect(view.get_by_role("row")).to_have_count(4)  # the heads, and three requests

    notebook.run_cell("fired = client.webhooks.trigger_test")

    expect(view.get_by_role("row")).to_have_count(6)  # the cell makes another webhook that points here, so two more
    expect(view.get_by_role("row").nth(1)).to_contain_text("verified")
    view.get_by_role("button", name="Open request 2").focus()
    notebook.page.keyboard.press("Enter")
    opened = view.locator(".cx-opened")
    expect(opened).to_contain_text("refused: wrong_secret (or body_changed)")
    expect(opened).to_contain_text("x-delivery-attempt: 1")
    expect(opened).to_contain_text('"type": "ticket.created"')
    expect(opened).to_contain_text("b'{")
    notebook.picture(f"live-view-{theme}", view)
    assert [] == view.evaluate(LOW_CONTRAST)
    assert ([], []) == (notebook.dialogs, notebook.errors)


def test_the_notebook_on_failures_runs_and_shows_its_picture(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """All cells, the timeline as an image, and no error anywhere."""
    notebook = start_lab().open(browser, "03_failures_and_retries.ipynb")
    notebook.run_all()
    picture = notebook.page.locator(".jp-OutputArea-output img")
    expect(picture).to_have_count(1)
    expect(notebook.page.locator("[data-mime-type='application/vnd.jupyter.error']")).to_have_count(0)
    notebook.picture("timeline", picture)
