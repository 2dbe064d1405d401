"""The events field in a browser: what Enter takes, what the user decides, and the warning of an unknown type."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.lab import LOW_CONTRAST, Lab

pytestmark = pytest.mark.browser

CELLS = (
    "import cstar_explore as cx\n\nclient = cx.Sandbox().client()",
    "form = cx.CreateForm(client, 'Desk', 'https://desk.example.com/')\nform",
    "cx.FireForm(client)",
    "cx.EditForm(client, client.webhooks.list()[-1])",
)


def test_enter_takes_the_only_match_and_the_user_decides_between_several(
    browser: Browser, start_lab: Callable[..., Lab]
) -> None:
    """An unknown type is added only as such: with a warning, a correction, and no trace once it is removed."""
    lab = start_lab()
    lab.write("events.ipynb", CELLS)
    notebook = lab.open(browser, "events.ipynb", theme="dark")
    notebook.run_all()
    page, form = notebook.page, notebook.form("Create a webhook")
    field, chips, status = form.get_by_label("Events"), form.locator(".cx-chip"), form.get_by_role("status").first
    keys = page.keyboard
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    field.press_sequentially("message")
    keys.press("Enter")
    expect(chips).to_have_text(["ticket.message_added×"])
    field.press_sequentially("MESSAGE")
    keys.press("Enter")
    expect(chips).to_have_count(1)

    field.press_sequentially("boss")
    keys.press("Enter")
    expect(form).to_contain_text('4 event types contain "boss"')
    form.get_by_role("button", name="Create webhook").click()
    expect(status).to_contain_text("1 field to correct.")
    expect(field).to_be_focused()
    expect(chips).to_have_count(1)
    notebook.screenshot("events-undecided", form)
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(chips).to_have_text(["ticket.message_added×", "boss.damaged×"])

    field.press_sequentially("article")
    keys.press("Escape")
    keys.press("Enter")
    expect(form).to_contain_text("'article' is not among the 35 published event types.")
    form.get_by_role("button", name="Remove article", exact=True).click()
    expect(form).not_to_contain_text("published event types.")

    field.press_sequentially("tiket.closed")
    keys.press("Enter")
    correction = form.get_by_role("button", name="Did you mean 'ticket.closed'?")
    expect(correction).to_be_visible()
    notebook.screenshot("events-unknown", form)
    assert [] == form.evaluate(LOW_CONTRAST)
    correction.focus()
    keys.press("Enter")
    expect(chips).to_have_text(["ticket.message_added×", "boss.damaged×", "ticket.closed×"])
    expect(correction).to_have_count(0)

    form.get_by_role("button", name="Copy the code").click()
    line = page.evaluate("navigator.clipboard.readText()")
    assert line.endswith("events=['ticket.message_added', 'boss.damaged', 'ticket.closed'])")

    fire = notebook.form("Fire a test event")
    fire.get_by_label("Event").press_sequentially("xp")
    keys.press("Enter")
    fire.get_by_label("Event").press_sequentially("survey")
    keys.press("Enter")
    expect(fire.locator(".cx-chip")).to_have_text(["survey.submitted×"])
    fire.locator("summary", has_text="All 35").click()
    fire.get_by_label("boss.spawned").check()
    expect(fire.locator(".cx-chip")).to_have_text(["boss.spawned×"])
    expect(fire.locator(".cx-code")).to_have_text("client.webhooks.trigger_test('boss.spawned')")

    edit = notebook.form("Edit a webhook")
    expect(edit.get_by_role("button", name="Save changes")).to_be_disabled()
    assert ([], []) == (notebook.dialogs, notebook.errors)
