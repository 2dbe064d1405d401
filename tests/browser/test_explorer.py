"""The Explorer in a browser: mouse, keyboard, both themes, a narrow page, and a restarted kernel."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect

from cstar_explore.sandbox.keys import KEYS
from tests.support.lab import LOW_CONTRAST, PATIENCE, Lab, Notebook
from tests.support.sampling import NIGHTLY, nightly, sample

pytestmark = pytest.mark.browser

START = "import cstar_explore as cx\nsandbox = cx.Sandbox()\nlistener = sandbox.listener()\nclient = sandbox.client()"
HERE = "hook = client.webhooks.create(name='Here', url=listener.url, events=['ticket.created'])\nlistener.trust(hook.secret)"
SHOW = "explorer = cx.Explorer(client, listener=listener)\nexplorer"


def opened(
    lab: Lab, browser: Browser, *cells: str, theme: str = "light", width: int = 1280
) -> tuple[Notebook, Locator]:
    lab.write("explorer.ipynb", cells)
    notebook = lab.open(browser, "explorer.ipynb", theme=theme)
    notebook.page.set_viewport_size({"width": width, "height": 1400})
    notebook.run_all()
    explorer = notebook.page.locator(".cx-explorer")
    expect(status_of(explorer)).to_contain_text("Loaded ", timeout=PATIENCE)
    return notebook, explorer


def status_of(explorer: Locator) -> Locator:
    """The Explorer's own status line, the last element with this role."""
    return explorer.get_by_role("status").last


@pytest.mark.parametrize(
    "save_state",
    [pytest.param(True, id="state saved"), *([pytest.param(False, id="state not saved")] if NIGHTLY else [])],
)
def test_a_session_with_every_feature_leaks_no_secret(
    browser: Browser, start_lab: Callable[..., Lab], save_state: bool
) -> None:
    """Search, sort, select, edit, fire, receive, pause, keep, delete; no file contains a secret."""
    lab = start_lab(save_state=save_state)
    notebook, explorer = opened(lab, browser, START, HERE, SHOW)
    tab = explorer.get_by_role("tab")
    rows = explorer.locator(".cx-webhooks tbody tr")
    expect(rows).to_have_count(5)
    expect(explorer.locator(".cx-title")).to_contain_text("SANDBOX")
    expect(explorer).not_to_contain_text("requests left")

    explorer.get_by_label("Search", exact=True).fill("boss")
    expect(rows).to_have_count(1)
    explorer.get_by_label("Search", exact=True).fill("")
    expect(rows).to_have_count(5)
    explorer.get_by_role("button", name="Name", exact=True).click()
    expect(rows.first).to_contain_text("Boss fight overlay")

    explorer.get_by_label("Select Here").check()
    explorer.get_by_role("button", name="Edit", exact=True).click()
    explorer.get_by_label("Name", exact=True).fill("Here, renamed")
    explorer.get_by_role("button", name="Save changes").click()
    expect(explorer.locator(".cx-form").get_by_role("status")).to_contain_text("Saved 'Here, renamed'")

    explorer.get_by_role("button", name="Fire", exact=True).click()
    expect(explorer).to_contain_text("It will reach 4 active webhooks")
    explorer.get_by_role("button", name="Fire test event").click()
    expect(explorer.locator(".cx-form").get_by_role("status")).to_contain_text("Fired ticket.created")
    tab.filter(has_text="Deliveries").click()
    expect(explorer.locator(".cx-arrivals")).to_contain_text("verified")

    tab.filter(has_text="Webhooks").click()
    expect(explorer.get_by_label("Select Here, renamed")).to_be_checked()
    explorer.get_by_label("Select CRM sync").check()
    explorer.get_by_role("button", name="Pause").click()
    expect(status_of(explorer)).to_contain_text("2 paused. Each was verified by reading it back.")
    expect(rows.filter(has_text="paused")).to_have_count(3)
    explorer.get_by_role("button", name="Delete", exact=True).click()
    expect(explorer.get_by_role("button", name="Keep them")).to_be_focused()
    explorer.get_by_role("button", name="Keep them").click()
    expect(rows).to_have_count(5)
    explorer.get_by_role("button", name="Delete", exact=True).click()
    explorer.get_by_role("button", name="Delete 2 webhooks").click()
    expect(status_of(explorer)).to_contain_text("2 deleted.")
    expect(rows).to_have_count(3)
    explorer.locator("summary", has_text="Coverage").click()
    expect(explorer.locator(".cx-coverage")).to_contain_text("none")

    notebook.save()
    assert [] == lab.files_holding("whsec_SANDBOX", *(key.secret.reveal() for key in KEYS.values()))
    if not save_state:
        assert (lab.folder / "explorer.ipynb").stat().st_size < 50_000
    assert ([], []) == (notebook.dialogs, notebook.errors)


@pytest.mark.parametrize("theme", sample(["light", "dark"], 1, name="a narrow Explorer"))
def test_it_is_legible_at_a_thousand_pixels(browser: Browser, start_lab: Callable[..., Lab], theme: str) -> None:
    """Nothing is cut off on the right, and all text has a contrast of at least 4.5:1. Keeps screenshots."""
    notebook, explorer = opened(start_lab(), browser, START, HERE, SHOW, theme=theme, width=1000)
    explorer.get_by_label("Select Here").check()
    explorer.locator("summary", has_text="Coverage").click()
    expect(explorer.locator(".cx-coverage tbody tr")).to_have_count(35)
    overflow = explorer.evaluate("node => node.scrollWidth - node.clientWidth")
    notebook.screenshot(f"explorer-{theme}", explorer)

    assert overflow <= 0
    assert [] == explorer.evaluate(LOW_CONTRAST)


def test_the_keyboard_selects_pauses_and_switches_tabs(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """Redrawing the table keeps the focus."""
    notebook, explorer = opened(start_lab(), browser, START, SHOW)
    keys = notebook.page.keyboard
    explorer.get_by_label("Select CRM sync").focus()
    keys.press("Space")
    expect(explorer).to_contain_text("1 selected")
    expect(explorer.get_by_label("Select CRM sync")).to_be_focused()
    explorer.get_by_role("button", name="Pause").focus()
    keys.press("Enter")
    expect(status_of(explorer)).to_contain_text("1 paused.")
    explorer.get_by_role("tab", name="Webhooks").focus()
    keys.press("ArrowRight")
    expect(explorer.get_by_role("tab", name="Create")).to_be_focused()
    expect(explorer.locator(".cx-form")).to_have_count(0)
    keys.press("Enter")
    expect(explorer.locator(".cx-form")).to_contain_text("Create webhook")
    keys.press("End")
    expect(explorer.get_by_role("tab", name="Audit")).to_be_focused()
    keys.press("Enter")
    expect(explorer).to_contain_text("Wildcard subscription", timeout=PATIENCE)
    keys.press("ArrowLeft")
    keys.press("Space")

    expect(explorer).to_contain_text("No requests yet.")


def test_on_a_live_key_an_action_needs_its_confirmation(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """The page shows LIVE, and a click alone changes nothing. One field for a confirmation is seen, also beside a form."""
    _, explorer = opened(start_lab(), browser, START, "client = sandbox.client('live')", SHOW)
    expect(explorer.locator(".cx-title")).to_contain_text("LIVE")
    explorer.get_by_label("Select CRM sync").check()
    explorer.get_by_role("button", name="Pause").click()
    expect(status_of(explorer)).to_have_text("Confirm below to pause 1 webhook.")
    confirm = explorer.get_by_label("This is a live key").and_(explorer.locator(":visible"))
    expect(confirm).to_be_focused()
    explorer.get_by_role("button", name="Edit").click()
    expect(confirm).to_have_count(1)
    explorer.get_by_role("button", name="Pause").click()
    expect(confirm).to_be_focused()
    confirm.fill("pause 1 webhook")
    confirm.press("Enter")

    expect(status_of(explorer)).to_contain_text("1 paused.")
    expect(confirm).to_have_count(0)


@nightly
def test_hostile_text_is_shown_as_text(browser: Browser, start_lab: Callable[..., Lab]) -> None:
    """In the table, the coverage, the question and the steps."""
    name = "<img src=x onerror=alert(1)> $5 and $6"
    create = f"client.webhooks.create(name={name!r}, url='https://example.com/', events=['boss.damaged'])"
    notebook, explorer = opened(start_lab(), browser, START, create, SHOW)
    explorer.get_by_label(f"Select {name}").check()
    explorer.locator("summary", has_text="Coverage").click()
    expect(explorer.locator(".cx-coverage")).to_contain_text(name)
    explorer.get_by_role("button", name="Delete", exact=True).click()
    expect(explorer).to_contain_text(f"Delete '{name}'")
    explorer.get_by_role("button", name="Delete 1 webhook").click()
    expect(explorer).to_contain_text(f"✓ done, '{name}'")

    assert explorer.locator("img, script, mjx-container").count() == 0
    assert ([], []) == (notebook.dialogs, notebook.errors)


def test_a_slow_call_is_sent_once_blocks_nothing_and_survives_an_interrupt(
    browser: Browser, start_lab: Callable[..., Lab]
) -> None:
    """A second click does nothing, other cells run, and after an interrupt the form still shows the result."""
    slow_down = "sandbox.faults.slow(3.0)\nprint('slow', 'now')"
    notebook, explorer = opened(
        start_lab(), browser, START, SHOW, slow_down, "print('still', 'here')", "len(client.webhooks.list())"
    )
    explorer.get_by_role("tab", name="Create").click()
    form = explorer.locator(".cx-form")
    form.get_by_label("Name").fill("Slow one")
    form.get_by_label("URL").fill("https://example.com/")
    form.get_by_label("Events").fill("ticket.created,")
    notebook.run_cell("sandbox.faults.slow")
    create = form.get_by_role("button", name="Create webhook")
    create.click()
    create.click(force=True)
    notebook.run_cell("print('still'")
    expect(form.get_by_role("status")).to_contain_text("Sending")
    expect(notebook.page.locator(".jp-OutputArea-output", has_text="still here")).to_have_count(1)
    notebook.page.get_by_role("menuitem", name="Kernel", exact=True).click()
    notebook.page.get_by_role("menuitem", name="Interrupt Kernel").click()

    expect(form.get_by_role("status")).to_contain_text("Created 'Slow one'", timeout=PATIENCE)
    expect(create).to_be_enabled()
    notebook.run_cell("len(client.webhooks.list())")
    expect(notebook.page.locator(".jp-OutputArea-executeResult").last).to_contain_text("5")
