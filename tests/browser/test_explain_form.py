"""The form for a pasted delivery in a browser."""

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

import cstar_explore as cx
from tests.support.lab import LOW_CONTRAST, Lab
from tests.support.sampling import NIGHTLY

pytestmark = pytest.mark.browser

SECRET = "whsec_typed_in_the_browser"
MARK = "only-in-the-pasted-text"
BODY = f'{{"id": "evt_1", "type": "ticket.created", "note": "{MARK}"}}'
CELLS = ("from cstar_explore.widgets.explain_form import ExplainForm", "ExplainForm()")


@pytest.mark.parametrize(
    ("theme", "save_state"),
    [
        pytest.param("dark", True, id="dark, state saved"),
        *([pytest.param("light", False, id="light")] if NIGHTLY else []),
    ],
)
def test_a_pasted_delivery_is_explained_and_kept_in_no_file(
    browser: Browser, start_lab: Callable[..., Lab], theme: str, save_state: bool
) -> None:
    """Ctrl+Enter verifies, the button refuses another secret, and no file contains the text or a secret."""
    lab = start_lab(save_state=save_state)
    lab.write("explain.ipynb", CELLS)
    notebook = lab.open(browser, "explain.ipynb", theme=theme)
    notebook.run_all()
    form = notebook.form("Explain a delivery")
    signature = cx.sign(BODY.encode(), SECRET, int(time.time()))
    command = f"curl 'https://{MARK}.example.com/hook' \\\n  -H 'X-Signature: {signature}' \\\n  --data-raw '{BODY}'"
    form.get_by_label("Delivery, as copied").fill(command)
    form.get_by_label("Signing secret").fill(SECRET)
    notebook.page.keyboard.press("Control+Enter")
    expect(form.locator(".cx-banner")).to_contain_text("Verified")

    form.get_by_label("Signing secret").fill(f"{SECRET}_other")
    form.get_by_role("button", name="Explain").click()
    expect(form.locator(".cx-banner")).to_contain_text("Refused: ")
    notebook.screenshot(f"explain-form-{theme}", form)
    assert [] == form.evaluate(LOW_CONTRAST)
    notebook.save()
    assert [] == lab.files_holding(SECRET, MARK)
    assert ([], []) == (notebook.dialogs, notebook.errors)
