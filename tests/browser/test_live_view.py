"""The listener's live view in a browser, and a notebook with a chart."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.lab import LOW_CONTRAST, Lab
from tests.support.sampling import nightly, sample

pytestmark = pytest.mark.browser


CELLS = (
    "import cstar_explore as cx\n\nsandbox = cx.Sandbox()\nclient = sandbox.client()\nlistener = sandbox.listener()\nlistener",
    "hook = client.webhooks.create(name='Mine', url=listener.url, events=['ticket.created'])\nlistener.trust(hook.secret)",
    "sandbox.faults.wrong_signature()\nclient.webhooks.trigger_test('ticket.created')\nsandbox.clock.advance(seconds=30)",
    "fired = client.webhooks.trigger_test('ticket.created')",
)


@pytest.mark.parametrize("theme", sample(["light", "dark"], 1, name="a delivery in a browser"))
def test_a_delivery_appears_without_a_reload_and_can_be_opened(
    browser: Browser, start_lab: Callable[..., Lab], theme: str
) -> None:
    """Its row opens verdict, headers, JSON and raw bytes, until it is closed."""
    lab = start_lab()
    lab.write("live.ipynb", CELLS)
    notebook = lab.open(browser, "live.ipynb", theme=theme)
    notebook.run_all()
    view = notebook.page.locator(".cx-arrivals")
    expect(view.get_by_role("row")).to_have_count(4)  # the header and three requests

    notebook.run_cell("fired = client.webhooks.trigger_test")

    expect(view.get_by_role("row")).to_have_count(5)
    expect(view.get_by_role("row").nth(1)).to_contain_text("verified")
    view.get_by_role("button", name="Open request 1").focus()
    notebook.page.keyboard.press("Enter")
    opened = view.locator(".cx-opened")
    expect(opened).to_contain_text("Refused: wrong secret or body changed")
    expect(opened).to_contain_text("x-delivery-attempt: 1")
    expect(opened).to_contain_text('"type": "ticket.created"')
    expect(opened.locator(".cx-banner")).to_be_visible()
    opened.get_by_role("button", name="Replay").press("Enter")
    expect(opened.get_by_role("status")).to_contain_text("Request 1 was sent again: answered 401")
    expect(view.get_by_role("row")).to_have_count(6)
    view.get_by_label("Verdict").focus()
    notebook.page.keyboard.press("ArrowDown")
    expect(view.get_by_role("row")).to_have_count(4)  # the header and three verified ones
    notebook.screenshot(f"live-view-{theme}", view)
    assert [] == view.evaluate(LOW_CONTRAST)
    opened.get_by_role("button", name="Close").click()
    expect(opened).to_be_empty()
    assert ([], []) == (notebook.dialogs, notebook.errors)


@nightly
def test_the_notebook_on_failures_shows_its_chart(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """The other outputs are checked in the course's own tests."""
    notebook = start_lab().open(browser, "03_failures_and_retries.ipynb")
    notebook.run_all()
    chart = notebook.page.locator(".jp-OutputArea-output img")
    expect(chart).to_have_count(1)
    notebook.screenshot("timeline", chart)
    assert ([], []) == (notebook.dialogs, notebook.errors)
