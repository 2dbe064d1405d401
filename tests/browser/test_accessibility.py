"""axe-core over every view, in both themes."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Locator, Page, expect

import cstar_explore as cx
from tests.support.lab import PATIENCE, Lab, Notebook

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "node" / "node_modules" / "axe-core" / "axe.min.js"

START = """import cstar_explore as cx
sandbox = cx.Sandbox(neglected=True)
client, lab, live = sandbox.client(), sandbox.client("lab"), sandbox.client("live")
listener = sandbox.listener()
here = client.webhooks.create(name="Here", url=listener.url, events=["ticket.created", "survey.submitted"])
listener.trust(here.secret)
sandbox.faults.wrong_signature()
fired = client.webhooks.trigger_test("ticket.created")
client.webhooks.trigger_test("ticket.created")

async def explorer(place="Webhooks", ids=(), client=client, listener=listener):
    shown = cx.Explorer(client, listener)
    await shown.refresh()
    shown.table.select(ids)
    shown.open(place)
    return shown

async def submitted(form, **options):
    try:
        await form.submit(**options)
    except cx.CStarError:
        pass
    return form"""

# A cell for each view, and what is clicked in it once all have run.
VIEWS: dict[str, tuple[str, ...]] = {
    "Create": ("cx.CreateForm(client)", "All 35 event types by group"),
    "Create, with errors": ('await submitted(cx.CreateForm(client, "", "http://x.example", ["tiket.created"]))',),
    "Create, done": ('await submitted(cx.CreateForm(client, "Done", "https://x.example", ["ticket.*"]))', "Reveal"),
    "Edit": ("cx.EditForm(client, here)",),
    "Fire": ('await submitted(cx.FireForm(client, "ticket.created"))',),
    "Fire, live": ('await submitted(cx.FireForm(live, "ticket.created"))',),
    "Delete": ("cx.DeleteForm(client, here)", "Delete webhook"),
    "Explain": ("await submitted(cx.ExplainForm(), text=listener.requests()[-1], secret=here.secret)",),
    "Plan": ("cx.PlanForm(cx.plan(lab, cx.audit(lab).fix()))",),
    "Plan, done": (
        (
            'made = client.webhooks.list().to_frame().assign(id="", name="Copy", url="https://copy.example/")\n'
            "await submitted(cx.PlanForm(cx.plan(client, made.head(2))))"
        ),
    ),
    "Explorer": ("await explorer()", "Coverage"),
    "Explorer, one selected": ("await explorer(ids=[here.id])",),
    "Explorer, several selected": ("await explorer(ids=[each.id for each in client.webhooks.list()])", "Delete"),
    "Explorer, nothing found": ('shown = await explorer()\nshown.table.search("nothing")\nshown',),
    "Explorer, Edit": ('await explorer("Edit", [here.id])',),
    "Explorer, Fire": ('await explorer("Fire", [here.id])',),
    "Explorer, Create": ('await explorer("Create")',),
    "Explorer, Deliveries": ('await explorer("Deliveries")', "Open request 1"),
    "Explorer, no deliveries": ('await explorer("Deliveries", listener=None)',),
    "Explorer, Audit": (
        'shown = await explorer("Audit", client=lab)\nawait shown.audit.audit()\nawait shown.audit.plan_fixes()\nshown',
    ),
    "Explorer, error": (
        'lost = cx.Client(sandbox.keys["secret"], "team_sandbox", "http://127.0.0.1:9", max_wait=1)\ncx.Explorer(lost)',
    ),
    "Listener": ("listener", "Open request 2"),
    "Probe": ("await submitted(cx.ProbeForm(sandbox.client('publishable')))",),
    "Probe in a cell": ("cx.probe(sandbox.client('publishable'), confirm=True)",),
    "Check of a handler": ("cx.check_handler(lambda event: None)",),
    "Timeline": ("sandbox.timeline()",),
    "Audit": ("cx.audit(lab)",),
    "Charts": ("from IPython.display import display\ndisplay(*cx.audit(lab).charts().values())",),
    "Explanation": ("cx.explain(listener.requests()[0].body, listener.requests()[0].headers, here.secret)",),
    "Webhook": ("here",),
    "Plan in a cell": ("cx.plan(lab, cx.audit(lab).fix())",),
    "Traceback": ("client.webhooks.get('whk_nope')",),
}

# What JupyterLab is answerable for: the page and the outputs' place in it. And a page with each view once has several Explorers.
NOT_OURS = ["region", "heading-order", "page-has-heading-one", "landmark-one-main", "landmark-unique"]
# Text in a node of no height is not looked at, and JupyterLab's body has none.
HEIGHT = "document.body.style.minHeight = '100vh'"
RUN = """async ([include, off]) => {
  const rules = Object.fromEntries(off.map(rule => [rule, { enabled: false }]));
  const { violations } = await axe.run(include ? { include } : document, { rules, resultTypes: ["violations"] });
  const cells = [...document.querySelectorAll(".jp-CodeCell")];
  const place = node => cells.indexOf(node?.closest(".jp-CodeCell"));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, html, failureSummary }) =>
    [place(document.querySelector(target[0])), `${id}: ${html.slice(0, 160)} ${failureSummary.split("\\n")[1] ?? ""}`]));
}"""


def violations(page: Page, include: list[str] | None = None) -> list[tuple[str, str]]:
    """Of axe, each with its view."""
    page.evaluate(HEIGHT)
    found = page.evaluate(RUN, [include, NOT_OURS if include else []])
    return sorted({(["page", "start", *VIEWS][cell + 1], text) for cell, text in found})


def click(view: Locator, label: str) -> None:
    exact = view.get_by_role("button", name=label, exact=True)
    (exact if exact.count() else view.locator("summary", has_text=label)).first.click()


@pytest.fixture
def all_views(browser: Browser, start_lab: Callable[..., Lab]) -> tuple[Lab, Notebook]:
    """A notebook with every view."""
    lab = start_lab()
    lab.write("views.ipynb", [START, *(cell for cell, *_ in VIEWS.values())])
    document = nbformat.read(lab.folder / "views.ipynb", as_version=4)
    document.cells[-1].metadata["tags"] = ["raises-exception"]
    nbformat.write(document, lab.folder / "views.ipynb")
    notebook = lab.open(browser, "views.ipynb")
    notebook.run_all(patience=4 * PATIENCE)
    return lab, notebook


def test_no_view_has_a_violation(browser: Browser, all_views: tuple[Lab, Notebook]) -> None:
    """In JupyterLab's two themes, and in the notebook exported to HTML."""
    lab, notebook = all_views
    page = notebook.page
    for number, (name, (_, *clicks)) in enumerate(VIEWS.items(), 1):
        cell = page.locator(".jp-CodeCell").nth(number)
        expect(cell.locator(".jp-OutputArea-output").first, name).to_be_visible(timeout=PATIENCE)
        for label in clicks:
            click(cell.locator(".jp-OutputArea"), label)
    page.add_script_tag(path=AXE)
    outputs = [".jp-OutputArea-output"]
    assert [] == violations(page, outputs)

    # A page without JupyterLab's themes that stays white, in a dark color scheme.
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.body.removeAttribute('data-jp-theme-light')")
    assert [] == violations(page, [".cx"])
    page.evaluate("document.body.setAttribute('data-jp-theme-light', 'true')")

    page.locator(".lm-MenuBar-item", has_text="Settings").click()
    for item in ("Theme", "JupyterLab Dark"):
        page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).click()
    expect(page.locator("body[data-jp-theme-light=false]")).to_be_attached(timeout=PATIENCE)
    assert [] == violations(page, outputs)

    notebook.save()
    for theme in ("light", "dark"):
        html, _ = HTMLExporter(theme=theme).from_filename(lab.folder / "views.ipynb")
        assert [] == violations(offline(browser, html), outputs)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_report_has_a_violation(browser: Browser, theme: str, tmp_path: Path) -> None:
    """Whole pages of ours: of an audit, of the check of a receiver, and of a probe."""
    with cx.Sandbox(neglected=True) as sandbox, sandbox.client("lab") as client:
        report = cx.audit(client).to_html()
        cx.probe(sandbox.client("publishable"), confirm=True).to_html(tmp_path / "probe.html")
    cx.check_handler(lambda event: None).to_html(tmp_path / "receiver.html")
    for page in (report, *(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())):
        assert [] == violations(offline(browser, page, theme))


def offline(browser: Browser, html: str, theme: str = "light") -> Page:
    """A page with this content, which loads nothing."""
    page = browser.new_page(color_scheme=theme, bypass_csp=True)
    page.route("**", lambda route: route.abort())
    page.set_content(html, wait_until="domcontentloaded")
    page.add_script_tag(path=AXE)
    return page
