"""The audit in a browser: the Explorer's tab with its fixes, in both themes, and the HTML report."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Request, expect

import cstar_explore as cx
from tests.support.lab import LOW_CONTRAST, PATIENCE, SCREENSHOTS, Lab, Notebook
from tests.support.sampling import sample

pytestmark = pytest.mark.browser

START = "import cstar_explore as cx\nsandbox = cx.Sandbox(neglected=True)\nclient = sandbox.client('lab')"
PROBLEMS = """for name, host in (("Laptop", "https://not-real.ngrok.io/"), ("Cellar", "https://10.0.0.7/")):
    client.webhooks.create(name=name, url=host, events=["ticket.created"])"""
CHART = 'cx.audit(client).charts()["ages"]'
SHOW = "explorer = cx.Explorer(client)\nexplorer"


def opened(lab: Lab, browser: Browser, theme: str) -> tuple[Notebook, Locator]:
    lab.write("audit.ipynb", [START, PROBLEMS, CHART, SHOW])
    notebook = lab.open(browser, "audit.ipynb", theme=theme)
    notebook.run_all()
    explorer = notebook.page.locator(".cx-explorer")
    expect(explorer.get_by_role("status").last).to_contain_text("Loaded ", timeout=PATIENCE)
    explorer.get_by_role("tab", name="Audit").click()
    expect(explorer.locator(".cx-rows").first).to_contain_text("Host that looks like another", timeout=PATIENCE)
    return notebook, explorer


@pytest.mark.parametrize("theme", sample(["light", "dark"], 1, name="an audit in a browser"))
def test_fixes_are_planned_applied_and_undone(browser: Browser, start_lab: Callable[..., Lab], theme: str) -> None:
    """Each state of the tab has sufficient contrast, and a chart has the theme's colors."""
    notebook, explorer = opened(start_lab(), browser, theme)
    findings, button = explorer.locator(".cx-rows").first, explorer.get_by_role("button")
    expect(findings).to_contain_text("not-real.ngrok.io is a tunnel (ngrok.io).")
    button.filter(has_text="Plan 4 fixes").click()
    form = explorer.locator(".cx-form")
    expect(form.locator(".cx-plan")).to_contain_text("Laptop")
    notebook.screenshot(f"audit-{theme}", explorer)
    assert [] == explorer.evaluate(LOW_CONTRAST)
    chart = notebook.page.get_by_role("img", name="Age of webhooks: ")
    expect(chart).to_have_css("background-color", "rgba(0, 0, 0, 0)")
    expect(chart).to_have_css("filter", "none" if theme == "light" else "invert(1) hue-rotate(180deg)")

    form.get_by_role("button", name="Apply changes").click()
    expect(form).to_contain_text("4 done. Each was verified by reading it back.", timeout=PATIENCE)
    expect(findings).not_to_contain_text("tunnel", timeout=PATIENCE)
    form.get_by_role("button", name="Undo").click()
    expect(form).to_contain_text("This plan reverts the changes.")
    form.get_by_role("button", name="Apply changes").click()
    expect(findings).to_contain_text("not-real.ngrok.io is a tunnel", timeout=PATIENCE)
    notebook.screenshot(f"audit-undone-{theme}", explorer)
    assert [] == notebook.errors


def test_the_report_opens_offline_and_makes_no_request(browser: Browser, tmp_path: Path) -> None:
    """Its charts are embedded, no script runs, and all text has sufficient contrast."""
    with cx.Sandbox(neglected=True) as sandbox, sandbox.client("lab") as client:
        sandbox.export_keys()
        client.webhooks.create(
            name="<img src=x onerror=alert(1)>", url="https://x.example/?token=not-a-real-one", events=["*"]
        )
        audit = cx.audit(cx.Accounts(sandbox.accounts()))
    report = tmp_path / "report.html"
    report.write_text(audit.to_html(), encoding="utf-8")
    context = browser.new_context(viewport={"width": 1200, "height": 1000}, offline=True)
    page = context.new_page()
    urls: list[str] = []
    messages: list[str] = []

    def record(request: Request) -> None:
        urls.append(request.url)

    page.on("request", record)
    page.on("console", lambda message: messages.append(message.text))
    page.goto(report.as_uri())

    expect(page.get_by_role("heading", name="Webhook audit")).to_be_visible()
    assert 3 == page.get_by_role("img").count()
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 200)")
    expect(page.get_by_text("<img src=x onerror=alert(1)>").first).to_be_visible()
    assert "not-a-real-one" not in page.content()
    assert [report.as_uri()] == [url for url in urls if not url.startswith("data:image/svg+xml")]
    assert [] == messages
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        assert [] == page.locator("body").evaluate(LOW_CONTRAST)
        page.screenshot(path=SCREENSHOTS / f"report-{theme}.png")
    assert len(page.pdf(print_background=True)) > 10_000
    context.close()
