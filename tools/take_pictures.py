"""Takes the screenshots in `docs/`: `make pictures`."""

import tempfile
from pathlib import Path

from playwright.sync_api import expect

import cstar_explore as cx
from tests.support.lab import PATIENCE, Lab, chromium

DOCS = Path(__file__).parents[1] / "docs"

CELL = """import cstar_explore as cx
sandbox = cx.Sandbox()
client = sandbox.client()
listener = sandbox.listener()
client.webhooks.create(name="This notebook", url=listener.url, events=["ticket.*", "survey.submitted"])
explorer = cx.Explorer(client, listener=listener)
explorer"""


def main() -> None:
    """The Explorer in JupyterLab with one webhook selected, and the top of an audit report."""
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        lab = Lab(Path(home) / "lab")
        try:
            lab.write("screenshot.ipynb", [CELL])
            notebook = lab.open(browser, "screenshot.ipynb")
            notebook.page.set_viewport_size({"width": 1280, "height": 1700})
            notebook.run_all()
            explorer = notebook.page.locator(".cx-explorer")
            expect(explorer.get_by_role("status").last).to_contain_text("Loaded ", timeout=PATIENCE)
            explorer.get_by_label("Select CRM sync").check()
            explorer.screenshot(path=DOCS / "explorer.png")
        finally:
            lab.close()
        page = browser.new_page(viewport={"width": 1200, "height": 960})
        page.set_content(report())
        page.screenshot(path=DOCS / "report.png")


def report() -> str:
    """The HTML report of the teams of a neglected sandbox."""
    with cx.Sandbox(neglected=True) as sandbox:
        sandbox.export_keys()
        return cx.audit(cx.Accounts(sandbox.accounts())).to_html()


if __name__ == "__main__":
    main()
