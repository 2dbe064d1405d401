"""Takes the README's pictures, in a real JupyterLab: `make pictures`."""

import tempfile
from pathlib import Path

from playwright.sync_api import expect

import cstar_explore as cx

from .lab import PATIENCE, Lab, chromium

DOCS = Path(__file__).parents[1] / "docs"

CELL = """import cstar_explore as cx
sandbox = cx.Sandbox()
client = sandbox.client()
listener = sandbox.listener()
client.webhooks.create(name="This notebook", url=listener.url, events=["ticket.*", "survey.submitted"])
explorer = cx.Explorer(client, listener=listener)
explorer"""


def main() -> None:
    """The Explorer with something selected and its coverage open, and the top of a report."""
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        lab = Lab(Path(home) / "lab")
        try:
            lab.write("picture.ipynb", [CELL])
            notebook = lab.open(browser, "picture.ipynb")
            notebook.page.set_viewport_size({"width": 1280, "height": 1700})
            notebook.run_all()
            explorer = notebook.page.locator(".cx-explorer")
            expect(explorer.get_by_role("status").last).to_contain_text("Read ", timeout=PATIENCE)
            explorer.get_by_label("Select CRM sync").check()
            explorer.screenshot(path=DOCS / "explorer.png")
        finally:
            lab.close()
        page = browser.new_page(viewport={"width": 1200, "height": 960})
        page.set_content(audited())
        page.screenshot(path=DOCS / "report.png")


def audited() -> str:
    """The report on three neglected teams."""
    with cx.Sandbox(neglected=True) as sandbox:
        sandbox.export_keys()
        return cx.audit(cx.Accounts(sandbox.accounts())).to_html()


if __name__ == "__main__":
    main()
