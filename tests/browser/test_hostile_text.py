"""Foreign text is shown literally everywhere: it never runs, and never becomes an element or mathematics."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.lab import Lab

pytestmark = pytest.mark.browser

NAME = "<img src=x onerror=alert(1)> $5 and $6"

CORPUS = {
    "event handler": NAME,
    "script": "</script><script>alert(2)</script>",
    "link": "javascript:alert(3)",
    "markup in an attribute": "\" onmouseover=alert(4) x='",
    "mathematics": r"$$\frac{1}{2}$$ \(x\) $y$",
    "right to left": "abc\u202edef\u2066ghi",
    "long": "n" * 10_000,
    "control characters": "bell\x07 null\x01 tab\t end",
    "Markdown": "**bold** [link](javascript:alert(5)) <b>b</b> # head",
    "terminal": "\x1b[31mred\x1b]8;;https://example.com\x07",
}

START = f"""import cstar_explore as cx
import httpx
from IPython.display import display
sandbox = cx.Sandbox()
listener = sandbox.listener()
client = sandbox.client()
names = {list(CORPUS.values())!r}
hooks = [client.webhooks.create(name=name, url="https://example.com/?q=<script>alert(6)</script>", events=["ticket.created"]) for name in names]"""

CELLS = (
    START,
    "for hook in hooks:\n    display(hook)",
    "display(client.webhooks.list(), client.webhooks.list().to_frame(), client.webhooks.list().subscriptions())",
    "display(client.webhooks.list().coverage())",
    "for hook in hooks:\n    display(client.webhooks.preview.update(hook.id, name=hook.name))",
    "for hook in hooks:\n    display(cx.EditForm(client, hook), cx.DeleteForm(client, hook))",
    "form = cx.CreateForm(client, names[0], 'https://example.com/', ['<b>ticket</b>'])\nform",
    "try:\n    await form.submit()\nexcept cx.CStarError as error:\n    print(error)",
    "fire = cx.FireForm(client, 'ticket.created')\ndisplay(fire)\n_ = await fire.submit()",
    """import json
for name in names:
    headers = {"X-Note": ascii(name)[:2000], "X-Event-Type": "<script>alert(7)</script>"}
    httpx.post(listener.url, content=json.dumps({"type": name, "id": name}).encode(), headers=headers)
display(listener, listener.to_frame())
listener.trust("whsec_SANDBOXanything")
for number in range(1, len(names) + 1):
    display(listener.explain(number))""",
    "explorer = cx.Explorer(client, listener=listener)\ndisplay(explorer)\n_ = await explorer.refresh()\nexplorer.table.select([hook.id for hook in hooks])",
    "delete = cx.DeleteForm(client, hooks[0])\ndelete",
)


def test_hostile_strings_are_shown_literally_everywhere(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """Ten strings in every table, form, repr and view. A script that ran would open a dialog."""
    lab = start_lab()
    lab.write("hostile.ipynb", CELLS)
    notebook = lab.open(browser, "hostile.ipynb")
    notebook.run_all()
    page = notebook.page
    delete = notebook.form("Delete a webhook")
    delete.get_by_role("button", name="Delete webhook").click()
    expect(delete.get_by_role("button", name="Keep it")).to_be_visible()
    for number in range(1, len(CORPUS) + 1):
        page.get_by_role("button", name=f"Open request {number}", exact=True).first.click()
        expect(page.locator(".cx-opened").first).to_contain_text(f"Request {number}")
    explorer = page.locator(".cx-explorer")
    explorer.locator("summary", has_text="Coverage").click()
    explorer.get_by_role("button", name="Fire", exact=True).click()
    for tab in ("Deliveries", "Webhooks"):
        explorer.get_by_role("tab", name=tab).click()
    outputs = page.locator(".jp-OutputArea-output")
    texts = outputs.all_inner_texts()

    assert len([text for text in texts if NAME in text]) >= 12, "the name is shown"
    # pandas shows a DataFrame's values unchanged; all other outputs escape these characters.
    ours = page.locator(".jp-OutputArea-output:not(:has(table.dataframe))").all_inner_texts()
    assert [] == [text[:200] for text in ours if "\u202e" in text or "\x1b" in text]
    for form in ("Create a webhook", "Fire a test event"):
        expect(notebook.form(form)).to_be_visible()
    expect(page.locator("[data-mime-type='application/vnd.jupyter.stderr']")).to_have_count(0)
    assert outputs.locator("img[src='x'], script, mjx-container, .MathJax, .cx b, .cx a, [onmouseover]").count() == 0
    notebook.screenshot("hostile", explorer)
    assert ([], []) == (notebook.dialogs, notebook.errors)
