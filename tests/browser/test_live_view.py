"""The listener's live view, and the notebooks that use it, in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from .lab import LOW_CONTRAST, Lab

pytestmark = pytest.mark.browser


CELLS = (
    "import cstar_explore as cx\n\nbox = cx.Sandbox()\nclient = sandbox.client()\near = sandbox.listener()\near",
    "hook = client.webhooks.create(name='Mine', url=listener.url, events=['ticket.created'])\near.trust(hook.secret)",
    "sandbox.faults.wrong_signature()\nclient.webhooks.trigger_test('ticket.created')\nbox.clock.advance(seconds=30)",
    "fired = client.webhooks.trigger_test('ticket.created')",
)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_event_appears_without_a_reload_and_opens_into_its_parts(
    browser: Browser, start_lab: Callable[..., Lab], theme: str
) -> None:
    """Fired in one cell, seen in the view of another; pressing its row shows verdict, headers, JSON and bytes."""
    lab = start_lab()
    lab.write("live.ipynb", CELLS)
    notebook = lab.open(browser, "live.ipynb", theme=theme)
    notebook.run_all()
    view = notebook.page.locator(".cx-arrivals")
    expect(view.get_by_role("row")).to_have_count(4)  # the heads, and three requests

    notebook.run_cell("fired = client.webhooks.trigger_test")

    expect(view.get_by_role("row")).to_have_count(5)
    expect(view.get_by_role("row").nth(1)).to_contain_text("verified")
    view.get_by_role("button", name="Open request 1").focus()
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
    """The timeline is an image; what the cells say is in the course's own test."""
    notebook = start_lab().open(browser, "03_failures_and_retries.ipynb")
    notebook.run_all()
    picture = notebook.page.locator(".jp-OutputArea-output img")
    expect(picture).to_have_count(1)
    notebook.picture("timeline", picture)
    assert ([], []) == (notebook.dialogs, notebook.errors)
