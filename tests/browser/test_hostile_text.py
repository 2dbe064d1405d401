"""Foreign text is shown as its characters, wherever it appears."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from .lab import Lab

pytestmark = pytest.mark.browser

NAME = "<img src=x onerror=alert(1)> $5 and $6"

CELLS = (
    "import cstar_explore as cx\nclient = cx.Sandbox().client()",
    f"hook = client.webhooks.create(name={NAME!r}, url='https://example.com/<script>alert(2)</script>', events=['ticket.created'])\nhook",
    "client.webhooks.list()",
    "client.webhooks.list().to_frame()",
    "client.webhooks.list().subscriptions()",
    "client.webhooks.preview.update(hook.id, name=hook.name)",
    f"form = cx.CreateForm(client, {NAME!r}, 'https://example.com/', ['<b>ticket</b>'])\nform",
    "try:\n    await form.submit()\nexcept cx.CStarError as error:\n    print(error)",
    "cx.EditForm(client, hook)",
    "fire = cx.FireForm(client, 'ticket.created')\nfire",
    "_ = await fire.submit()",
    "box = cx.Sandbox()\near = box.listener()\near",
    """import httpx
body = b'{"type": "<img src=x onerror=alert(3)>", "id": "$5 and $6"}'
_ = httpx.post(ear.url, content=body, headers={'X-Note': '<script>alert(4)</script>'})""",
    "delete = cx.DeleteForm(client, hook)\ndelete",
)


def test_a_name_of_markup_and_dollars_is_shown_as_those_characters(
    browser: Browser, start_lab: Callable[..., Lab]
) -> None:
    """Nothing of it runs, nothing becomes an element, and no dollars become mathematics."""
    lab = start_lab()
    lab.write("hostile.ipynb", CELLS)
    notebook = lab.open(browser, "hostile.ipynb")
    notebook.run_all()
    page = notebook.page
    delete = notebook.form("Delete a webhook")
    delete.get_by_role("button", name="Delete webhook").click()
    expect(delete.get_by_role("button", name="Keep it")).to_be_visible()
    page.get_by_role("button", name="Open request 1").click()
    expect(page.locator(".cx-opened")).to_contain_text("x-note: <script>alert(4)</script>")
    outputs = page.locator(".jp-OutputArea-output")

    shown = [text for text in outputs.all_inner_texts() if NAME in text]

    # The webhook, the list, two frames, the previewed request, and the three forms that name it.
    assert len(shown) >= 7, outputs.all_inner_texts()
    expect(notebook.form("Create a webhook").get_by_label("Name")).to_have_value(NAME)
    expect(notebook.form("Edit a webhook").get_by_label("Name")).to_have_value(NAME)
    assert outputs.locator("img[src='x'], script, mjx-container, .MathJax, .cx b").count() == 0
    notebook.picture("hostile", delete)
    assert ([], []) == (notebook.dialogs, notebook.errors)
