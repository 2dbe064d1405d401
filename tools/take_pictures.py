"""Takes pictures: `make pictures`. Those of every view go to `build/pictures/`, those of the README and the docs to `docs/`.

A scene is a notebook and what a user does in it, a step a line: a verb and its object. `python -m tools.take_pictures forms plan`
takes the pictures of these scenes only.
"""

import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Error, Locator, expect

import cstar_explore as cx
from tests.support.lab import PATIENCE, Lab, Notebook, chromium

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "build" / "pictures"
THEMES, WIDTHS = ("light", "dark"), (1400, 1000)

START = """import cstar_explore as cx
sandbox = cx.Sandbox()
client, listener = sandbox.client(), sandbox.listener()
hook = client.webhooks.create(name="This notebook", url=listener.url, events=["ticket.*", "survey.submitted"])
listener.trust(hook.secret)
for event in ("ticket.created", "survey.submitted"):
    client.webhooks.trigger_test(event)
sandbox.faults.wrong_signature()
client.webhooks.trigger_test("ticket.updated");"""

MANY = """from itertools import cycle
events = cycle((["ticket.*"], ["boss.spawned"], ["survey.submitted", "ticket.created"]))
for number, team in zip(range(296), cycle(("CRM", "Desk", "Search index", "Billing", "Alerts"))):
    client.webhooks.create(name=f"{team} {number}", url=f"https://{number}.example.com/hook", events=next(events))"""

PROBLEMS = """client = cx.Sandbox(neglected=True).client("lab")
for name, host in (("Laptop", "https://not-real.ngrok.io/"), ("Cellar", "https://10.0.0.7/")):
    client.webhooks.create(name=name, url=host, events=["ticket.created"])"""

PLAN = """import pandas as pd
table = client.webhooks.list().to_frame()[["id", "name", "url", "events", "is_active"]]
table.at[0, "is_active"] = False
table.at[1, "events"] = ("ticket.created",)
new = pd.DataFrame({"name": [f"Desk {n}" for n in range(12)], "url": "https://desk.example.com/", "events": [("boss.spawned",)] * 12})
cx.PlanForm(cx.plan(client, pd.concat([table, new])))"""

CHECK = """import cstar_explore as cx
SECRET, acted = "whsec_not-a-real-secret", []
with cx.Listener(secrets=[SECRET], handler=lambda event: acted.append(event["id"])) as service:
    check = cx.check_receiver(service.url, secret=SECRET, acted=lambda: acted)
check"""

EXPLORER = "cx.Explorer(client, listener=listener)"

WALK = """
in .cx-explorer
wait Loaded
shoot table
check This notebook
publish explorer.png
shoot panel
click Clear
check CRM sync
check Search index
shoot two-selected
click Pause
wait 2 paused
shoot paused
click Delete
shoot delete-question
click Keep them
fill Search=nothing like this
shoot empty
fill Search=
click Clear
open Coverage of
shoot coverage
open Coverage of
check This notebook
click Edit
fill URL=https://desk.example.com/moved
shoot edit
click Fire
wait It will reach
shoot fire
click Fire test event
wait Fired
shoot fired
tab Audit
wait Wildcard
shoot audit"""

SCENES = {
    "explorer": (
        [START, EXPLORER],
        f"{WALK}\ntab Create\nshoot create\ntab Deliveries\nwait verified\nrow refused\nwait Refused\npublish deliveries.png\nshoot deliveries",
    ),
    "explorer-300": ([START, MANY, EXPLORER], WALK.replace("publish", "skip")),
    "audit": (
        [START, PROBLEMS, EXPLORER],
        "in .cx-explorer\nwait Loaded\ntab Audit\nwait tunnel\nshoot findings\nclick Plan 4 fixes\nwait Apply\nshoot plan",
    ),
    "forms": (
        [
            START,
            "cx.CreateForm(client)",
            "cx.EditForm(client, hook)",
            "cx.FireForm(client, 'ticket.created')",
            "cx.DeleteForm(client, hook)",
            "sandbox.faults.slow(2.5)",
        ],
        """
in Create a webhook
shoot create
fill Name=Desk
fill URL=http://desk.example.com
fill Events=tiket.created,
click Create webhook
wait to correct
shoot create-error
fill URL=https://desk.example.com/hook
click Remove tiket.created
fill Events=ticket.created,
run sandbox.faults.slow
click Create webhook
wait Sending
shoot create-busy
wait Created
click Reveal
shoot create-done
in Edit a webhook
shoot edit-unchanged
fill URL=https://desk.example.com/moved
click Active
shoot edit
click Save changes
wait Saved
shoot edit-done
in Fire a test event
wait It will reach
open Body
shoot fire
click Fire test event
wait Fired
shoot fire-done
in Delete a webhook
shoot delete
click Delete webhook
shoot delete-question
click Delete 'This notebook'
wait Deleted
shoot delete-done""",
    ),
    "plan": (
        [START, PLAN],
        """
in Planned change
shoot plan
click Apply changes
wait Each was verified
shoot done
click Undo
wait reverts
shoot undo""",
    ),
    "others": (
        [
            START,
            "cx.ProbeForm(client, listener)",
            "cx.ExplainForm()",
            "listener",
            "sandbox.timeline()",
            "audit = cx.audit(client)\naudit",
            "audit.charts()['coverage']",
            "client.webhooks.create(name='Desk', url='http://desk.example.com', events=['ticket.created'])",
        ],
        """
in Ask cStar
shoot probe
click Ask cStar
wait form.result
shoot probe-done
in Explain a delivery
shoot explain
fill Delivery, as copied from a log or a tool=curl https://a.example.com/ -H 'X-Signature: t=1,v1=abc' -d '{"id":"evt_1"}'
fill Signing secret=whsec_test
click Explain
wait Refused
shoot explain-done
in .cx-arrivals
row refused
wait Refused
shoot listener
in .cx-chart >> nth=0
shoot timeline
in .jp-RenderedHTMLCommon:has(table.mathjax_ignore)
shoot audit
in .cx-chart >> nth=1
shoot coverage
in .jp-RenderedText:has-text("ValidationError")
shoot error""",
    ),
    "check": ([CHECK], "in .jp-RenderedHTMLCommon\nwait wrong\npublish check.png\nshoot receiver"),
    "live": (
        ["import cstar_explore as cx\nclient = cx.Sandbox().client('live')", "cx.Explorer(client)"],
        """
in .cx-explorer
wait Loaded
check CRM sync
click Pause
wait This is a live key
shoot confirm
click Edit
shoot edit
tab Create
shoot create
restart
in .jp-Notebook
wait run the notebook from the top
shoot restarted""",
    ),
}


class Camera:
    """Does the steps of a scene in a notebook, and takes its pictures at each width."""

    def __init__(self, notebook: Notebook, scene: str, theme: str) -> None:
        self._notebook, self._page, self._scene, self._theme = notebook, notebook.page, scene, theme
        self._scope: Locator = self._page.locator("body")
        self._count = 0
        self.resize(WIDTHS[0])

    def resize(self, width: int) -> None:
        self._page.set_viewport_size({"width": width, "height": 1300})
        self._page.wait_for_timeout(300)

    def do(self, step: str) -> None:
        verb, _, what = step.partition(" ")
        label, _, text = what.partition("=")
        steps: dict[str, Callable[[], object]] = {
            "in": lambda: self._look_at(what),
            "wait": lambda: expect(self._scope).to_contain_text(what, timeout=PATIENCE),
            "check": lambda: self._scope.get_by_label(f"Select {what}", exact=True).check(),
            "click": lambda: self._click(what),
            "tab": lambda: self._scope.get_by_role("tab", name=what).click(),
            "open": self._scope.locator("summary", has_text=what).first.click,
            "fill": lambda: self._scope.get_by_label(label, exact=True).last.fill(text),
            "row": self._scope.locator("tbody tr", has_text=what).first.click,
            "run": lambda: self._notebook.run_cell(what),
            "restart": self._restart,
            "publish": lambda: self._theme == "light" and self._take(ROOT / "docs" / what),
            "shoot": lambda: self._shoot(what),
            "skip": lambda: None,
        }
        steps[verb]()

    def _look_at(self, what: str) -> None:
        self._scope = self._page.locator(what).last if what.startswith(".") else self._notebook.form(what)

    def _click(self, what: str) -> None:
        button = self._scope.get_by_role("button", name=what, exact=True)
        button.or_(self._scope.get_by_label(what, exact=True)).last.click()

    def _restart(self) -> None:
        self._page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self._page.get_by_role("menuitem", name="Restart Kernel…").click()
        self._page.get_by_role("button", name="Confirm Kernel Restart").click()

    def _shoot(self, what: str) -> None:
        self._count += 1
        for width in reversed(WIDTHS):
            self.resize(width)
            self._take(PICTURES / f"{self._scene}-{self._theme}-{width}-{self._count:02}-{what}.png")

    def _take(self, path: Path) -> None:
        self._page.mouse.move(0, 0)  # no row is under it
        self._scope.screenshot(path=path)


def take(lab: Lab, browser: Browser, scene: str, theme: str) -> None:
    """The pictures of a scene in a theme, up to a step that fails."""
    cells, steps = SCENES[scene]
    name = f"{scene}-{theme}.ipynb"
    lab.write(name, cells)
    notebook = lab.open(browser, name, theme=theme)
    camera = Camera(notebook, scene, theme)
    notebook.run_all(patience=4 * PATIENCE)
    for step in steps.strip().splitlines():
        try:
            camera.do(step)
        except (AssertionError, Error) as error:
            notebook.page.screenshot(path=PICTURES / f"{scene}-{theme}-stopped.png")
            print(f"{scene}, {theme}, {step}: {error}", file=sys.stderr)
            break
    notebook.page.close()


def take_report(browser: Browser) -> None:
    """The HTML report of the teams of a neglected sandbox."""
    with cx.Sandbox(neglected=True) as sandbox:
        sandbox.export_keys()
        report = cx.audit(cx.Accounts(sandbox.accounts())).to_html()
    page = browser.new_page()
    page.set_content(report)
    for width, theme in product(WIDTHS, THEMES):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        page.screenshot(path=PICTURES / f"report-{theme}-{width}.png")
    page.set_viewport_size({"width": 1200, "height": 960})
    page.emulate_media(color_scheme="light")
    page.screenshot(path=ROOT / "docs" / "report.png")


def main() -> None:
    """The scenes named on the command line, else all and the report."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, chromium() as browser:
        if not sys.argv[1:]:
            take_report(browser)
        lab = Lab(Path(home) / "lab")
        try:
            for scene, theme in product(sys.argv[1:] or SCENES, THEMES):
                take(lab, browser, scene, theme)
        finally:
            lab.close()


if __name__ == "__main__":
    main()
