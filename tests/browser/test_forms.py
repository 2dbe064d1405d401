"""The forms in a browser, used with mouse and keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from cstar_explore.sandbox.keys import KEYS
from tests.support.lab import LOW_CONTRAST, Lab
from tests.support.sampling import NIGHTLY, nightly

pytestmark = pytest.mark.browser

NOTEBOOK = "forms.ipynb"
CELLS = (
    "import cstar_explore as cx\n\nsandbox = cx.Sandbox()\nclient = sandbox.client()",
    "cx.CreateForm(client)",
    "cx.EditForm(client, client.webhooks.list()[-1])",
    "cx.FireForm(client)",
    "cx.DeleteForm(client, client.webhooks.list()[-1])",
    "paused = client.webhooks.list().to_frame()[['id']].assign(is_active=False)\ncx.PlanForm(cx.plan(client, paused))",
)


@pytest.mark.parametrize(
    "save_state",
    [pytest.param(True, id="state saved"), *([pytest.param(False, id="state not saved")] if NIGHTLY else [])],
)
def test_a_user_creates_reveals_edits_fires_and_deletes(
    browser: Browser, start_lab: Callable[..., Lab], save_state: bool
) -> None:
    """With mouse and keyboard. Afterwards no file contains a key or signing secret."""
    lab = start_lab(save_state=save_state)
    lab.write(NOTEBOOK, CELLS)
    notebook = lab.open(browser, NOTEBOOK)
    page = notebook.page
    expect(page.get_by_text("get notified about official Jupyter news")).to_have_count(0)
    notebook.run_all()

    create = notebook.form("Create a webhook")
    create.get_by_label("Name").fill("Browser desk")
    create.get_by_label("URL").fill("https://desk.example.com/browser")
    create.get_by_label("Events").press_sequentially("level_up")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    create.get_by_label("Surveys").check()
    expect(create.get_by_role("button", name="Remove player.level_up")).to_be_visible()
    expect(create.get_by_role("button", name="Remove survey.submitted")).to_be_visible()
    create.get_by_role("button", name="Create webhook").click()
    expect(create.get_by_role("status")).to_contain_text("Created 'Browser desk'")

    create.get_by_role("button", name="Reveal").click()
    field = create.get_by_label("Signing secret")
    expect(field).to_have_value(re.compile(r"whsec_SANDBOX\w{25}"))
    secret = field.input_value()
    create.get_by_role("button", name="Copy", exact=True).click()
    expect(create.locator(".cx-secret")).to_contain_text("Copied.")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    create.get_by_role("button", name="Copy", exact=True).click()
    expect(create.locator(".cx-secret")).to_contain_text("The secret is selected: press Ctrl+C")
    notebook.screenshot("form-created", create)
    create.get_by_role("button", name="Hide").click()
    expect(field).to_have_value("whsec_••••")

    notebook.run_cell("cx.EditForm(client, client.webhooks.list()[-1])")
    edit = notebook.form("Edit a webhook")
    expect(edit.get_by_label("Name")).to_have_value("Browser desk")
    edit.get_by_label("URL").fill("https://desk.example.com/moved")
    edit.get_by_label("Active").uncheck()
    expect(edit).to_contain_text("URL: https://desk.example.com/browser → https://desk.example.com/moved")
    edit.get_by_role("button", name="Save changes").click()
    expect(edit.get_by_role("status")).to_contain_text("Saved 'Browser desk'")

    fire = notebook.form("Fire a test event")
    fire.get_by_label("Event").fill("ticket.created")
    fire.get_by_role("button", name="Refresh").click()
    expect(fire).to_contain_text("It will reach 3 active webhooks")
    fire.get_by_role("button", name="Fire test event").click()
    expect(fire.get_by_role("status")).to_contain_text("Fired ticket.created")

    notebook.run_cell("cx.DeleteForm(client, client.webhooks.list()[-1])")
    delete = notebook.form("Delete a webhook")
    delete.get_by_role("button", name="Delete webhook").click()
    expect(delete).to_contain_text("This cannot be undone.")
    expect(delete.get_by_role("button", name="Keep it")).to_be_focused()
    notebook.screenshot("form-delete", delete)
    delete.get_by_role("button", name="Delete 'Browser desk'").click()
    expect(delete.get_by_role("status")).to_contain_text("Deleted 'Browser desk'")

    notebook.save()
    saved = (lab.folder / NOTEBOOK).read_text()
    assert ("Browser desk" in saved) == save_state, "the file contains widget state only if it is saved"
    assert [] == lab.files_holding(secret, *(key.secret.reveal() for key in KEYS.values()))
    assert ([], []) == (notebook.dialogs, notebook.errors)


@nightly
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_forms_are_legible_in_both_themes(browser: Browser, start_lab: Callable[..., Lab], theme: str) -> None:
    """All text has a contrast of at least 4.5:1, and no event is outside the view. Saves screenshots."""
    lab = start_lab()
    lab.write(NOTEBOOK, CELLS)
    notebook = lab.open(browser, NOTEBOOK, theme=theme)
    notebook.run_all()
    create = notebook.form("Create a webhook")
    frame = create.locator(".cx-groups > div")
    assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth"), "the groups do not overflow sideways"
    create.get_by_label("Name").fill("x")
    create.get_by_label("URL").fill("http://not.example.com")
    create.get_by_label("Events").fill("tiket.created")
    create.get_by_role("button", name="Create webhook").click()
    expect(create.get_by_role("status")).to_have_text("1 field to correct.")
    expect(create).to_contain_text("Use https")
    expect(create.get_by_label("URL")).to_be_focused()
    plan = notebook.form("Planned change")
    plan.get_by_role("button", name="Apply changes").click()
    expect(plan.get_by_role("status")).to_contain_text("Each was verified")
    expect(plan.get_by_role("row").filter(has_text="Active: yes → no").filter(has_text="✓ done")).not_to_have_count(0)
    expect(plan.get_by_role("button", name="Applied")).to_be_disabled()
    for number, heading in enumerate(
        ("Create a webhook", "Edit a webhook", "Fire a test event", "Delete a webhook", "Planned change"), 1
    ):
        form = notebook.form(heading)
        notebook.screenshot(f"form-{number}-{theme}", form)
        assert [] == form.evaluate(LOW_CONTRAST)


def test_the_keyboard_alone_creates_a_webhook(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """Tab, arrow keys and Enter are enough, and plain keys on a button do not reach JupyterLab."""
    lab = start_lab()
    lab.write(NOTEBOOK, CELLS)
    notebook = lab.open(browser, NOTEBOOK)
    notebook.run_all()
    keys = notebook.page.keyboard
    create = notebook.form("Create a webhook")
    cells = notebook.page.locator(".jp-Cell").count()
    create.get_by_label("Name").focus()
    keys.type("Keyboard desk")
    keys.press("Tab")
    keys.type("https://desk.example.com/keys")
    keys.press("Tab")
    keys.type("ticket.*,boss.sp")
    keys.press("ArrowDown")
    keys.press("Enter")
    create.get_by_role("button", name="Create webhook").focus()
    keys.type("dd")
    expect(notebook.page.locator(".jp-Cell")).to_have_count(cells)
    keys.press("Enter")

    expect(create.get_by_role("status")).to_contain_text("Created 'Keyboard desk'")
    expect(create.locator(".cx-code")).to_contain_text("events=['ticket.*', 'boss.spawned']")
