"""The Explorer's Audit tab with its fixes, and Undo of a pause or resume of several webhooks."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
    CONTROLS,
    HOSTILE,
    alive,
    behind,
    held,
    hidden,
    in_loop,
    item,
    listed,
    once,
    passed,
    settled,
    states,
    turns,
    until,
    visible,
    widgets_of,
    written,
)
from tests.support.sampling import NIGHTLY
from tests.support.scripted_server import RecordedRequest, Script, data, reset, status

pytestmark = pytest.mark.usefixtures("no_widget_is_left")

LIVE = "live"
TABS = ("Create", "Edit", "Fire", "Deliveries", "Webhooks", "Audit")


@pytest.fixture
def sandbox(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened()


@pytest.fixture
def neglected(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    """A sandbox whose live team has planted problems."""
    return opened(neglected=True)


# --- helpers ----------------------------------------------------------------------------------------------------------


def serving(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> Script:
    """Answers the list and the single webhooks with these items; other requests go to the sandbox."""
    by_id = {each["id"]: each for each in items}

    def answer(connection: Any, received: RecordedRequest) -> bool:
        last = received.path.rpartition("/")[2]
        response = data(items) if last == "webhooks" else data(by_id[last]) if last in by_id else passed(sandbox)
        return response(connection, received)

    return answer


async def opened(client: cx.Client) -> cx.Explorer:
    """An Explorer that has loaded its webhooks."""
    explorer = cx.Explorer(client)
    await until(lambda: explorer.table.rows and explorer._title.lines)
    await turns()
    return explorer


async def audited(client: cx.Client) -> cx.Explorer:
    """An Explorer whose Audit tab is open and shows its findings."""
    explorer = await opened(client)
    explorer.open("Audit")
    await turns()
    await until(lambda: explorer.audit.status.tone != "busy")
    await explorer.audit.audit()
    return explorer


def findings(explorer: cx.Explorer) -> list[list[str]]:
    """The rows of the Audit tab."""
    return [list(row) for row in explorer.audit._table.content["rows"]]


def titles(explorer: cx.Explorer) -> set[str]:
    return {row[1] for row in explorer.audit._table.content["rows"]}


def title_of(rule: str) -> str:
    """The title of a rule."""
    rules = cx.audit_rules()
    return rules.loc[rules["rule"] == rule, "title"].item()


def requested(server: Any) -> list[str]:
    """The requests so far, as method and path."""
    return [f"{request.method} {request.path.partition('/api/v1/')[2]}" for request in server.requests]


def ids(explorer: cx.Explorer) -> list[str]:
    return [row[0] for row in explorer.table.rows]


def active(sandbox: cx.Sandbox, key: str = "secret") -> list[bool | None]:
    return [webhook.is_active for webhook in listed(sandbox, key)]


def outcomes(steps: Any) -> list[str]:
    return [step.outcome for step in steps]


def offered(explorer: cx.Explorer, name: str) -> bool:
    """Whether a button is visible and enabled."""
    return visible(explorer, explorer._buttons[name]) and not explorer._buttons[name].disabled


async def until_idle(explorer: cx.Explorer) -> None:
    """Waits until nothing is running."""
    await turns()
    await until(lambda: explorer.status.tone != "busy" and not offered(explorer, "stop"))
    await turns()


def other_tasks() -> list[asyncio.Task[Any]]:
    """The running tasks other than the test and its timeout."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


def new_threads(threads: set[threading.Thread]) -> list[str]:
    """The names of the threads started since, except asyncio's own."""
    return [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


def state_size(before: set[str]) -> int:
    """The size in bytes of the state of all new widgets, without code and CSS."""
    new = [registry._instances[name].get_state() for name in alive() - before]
    states = [{name: value for name, value in state.items() if name not in {"_esm", "_css"}} for state in new]
    return len(json.dumps(states, default=repr).encode())


# --- findings ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_there_is_no_audit_before_the_tab_is_opened(neglected: cx.Sandbox) -> None:
    """The Explorer sends only its two requests."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await opened(client)
        await turns(50)
        assert ["GET auth/whoami", f"GET teams/{neglected.team_id}/webhooks"] == requested(server)
        explorer.close()


@in_loop
async def test_each_finding_is_a_row(neglected: cx.Sandbox) -> None:
    """Severity, title, webhook, evidence and remedy, in the order of `audit`."""
    with neglected.client(LIVE) as client:
        explorer = await audited(client)
        rules = cx.audit_rules().set_index("rule")["title"]
        frame = cx.audit(client).to_frame().fillna("")
        expected = [
            [row.severity, rules[row.rule], row.name_, row.evidence, row.remedy]
            for row in frame.rename(columns={"name": "name_"}).itertuples()
        ]
        assert expected == findings(explorer)
        assert {"Mailer", "Ticket mirror", "Trophies"} <= {row[2] for row in findings(explorer)}
        explorer.close()


@in_loop
async def test_audit_returns_the_audit(neglected: cx.Sandbox) -> None:
    """The status shows its summary."""
    with neglected.client(LIVE) as client:
        explorer = await audited(client)
        audit = await explorer.audit.audit()
        assert isinstance(audit, cx.Audit)
        assert len(audit.to_frame()) == len(findings(explorer))
        assert audit.summary() in explorer.audit.status.text
        assert [webhook.id for webhook in listed(neglected, LIVE)] == list(audit.webhooks["id"])
        explorer.close()


@in_loop
async def test_opening_the_tab_runs_an_audit(neglected: cx.Sandbox) -> None:
    """No button needs to be clicked."""
    with neglected.client(LIVE) as client:
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: explorer.audit._table.content["rows"])
        assert title_of("plain_http") in titles(explorer)
        explorer.close()


@in_loop
async def test_an_audit_sends_only_get(neglected: cx.Sandbox) -> None:
    """On opening, by button and by `audit()`: only for the list and single webhooks."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await audited(client)
        explorer.audit._audit_button.click()
        await turns()
        await until(lambda: explorer.audit.status.tone != "busy")
        await explorer.audit.plan_fixes()
        assert {"GET"} == set(server.methods)
        base = f"GET teams/{neglected.team_id}/webhooks"
        assert [] == [line for line in requested(server) if not line.startswith(base) and line != "GET auth/whoami"]
        explorer.close()


@in_loop
async def test_the_audit_button_runs_a_new_audit(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """New problems appear, and fixed ones disappear."""
    explorer = await audited(client)
    wildcard, everything = title_of("wildcard"), title_of("everything")
    assert (True, False) == (wildcard in titles(explorer), everything in titles(explorer))
    with sandbox.client() as other:
        other.webhooks.update(listed(sandbox)[2].id, events=["*"])
    explorer.audit._audit_button.click()
    await turns()
    await until(lambda: everything in titles(explorer))
    assert wildcard not in titles(explorer)
    explorer.close()


@in_loop
async def test_the_tab_is_built_once(neglected: cx.Sandbox) -> None:
    """Coming back to it sends no request."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await audited(client)
        tab, rows, sent = explorer.audit, findings(explorer), len(server.requests)
        explorer.open("Webhooks")
        explorer.open("Audit")
        await turns(50)
        assert explorer.audit is tab
        assert (rows, sent) == (findings(explorer), len(server.requests))
        explorer.close()


@in_loop
async def test_the_event_loop_is_free_during_an_audit(neglected: cx.Sandbox) -> None:
    """The kernel can run other cells."""
    gate, response = threading.Event(), passed(neglected)
    reads = once(response, response, response, held(gate, response), then=response)
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await audited_once(client)
        audit = asyncio.create_task(explorer.audit.audit())
        await turns(500)
        assert not audit.done()
        assert "busy" == explorer.audit.status.tone
        gate.set()
        assert isinstance(await audit, cx.Audit)
        explorer.close()


async def audited_once(client: cx.Client) -> cx.Explorer:
    """An Explorer whose Audit tab has run only the audit of its opening."""
    explorer = await opened(client)
    explorer.open("Audit")
    await until(lambda: explorer.audit._table.content["rows"] and explorer.audit.status.tone != "busy")
    await turns()
    return explorer


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(status(401, type="authentication_error"), errors.AuthenticationError, id="key refused"),
        pytest.param(status(503), errors.ServerError, id="server error"),
        pytest.param(reset(), errors.TransportError, id="connection reset"),
        pytest.param(data("not a list"), errors.InvalidResponseError, id="invalid response"),
    ],
)
@in_loop
async def test_a_failed_audit_keeps_the_findings(
    neglected: cx.Sandbox, response: Script, kind: type[Exception]
) -> None:
    """It raises and shows the error."""
    good = passed(neglected)
    with behind(neglected, key=LIVE, reads=once(good, good, good, then=response)) as (_, client):
        explorer = await audited_once(client)
        rows = findings(explorer)
        with pytest.raises(kind):
            await explorer.audit.audit()
        assert rows == findings(explorer) != []
        assert "failed" == explorer.audit.status.tone
        assert explorer.audit.status.text
        explorer.close()


@in_loop
async def test_a_failed_first_audit_is_shown_and_can_be_retried(neglected: cx.Sandbox) -> None:
    """The status shows the error, and the button runs the audit again."""
    good = passed(neglected)
    reads = once(good, good, status(401, type="authentication_error"), then=good)
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: explorer.audit.status.tone == "failed")
        assert [] == findings(explorer)
        explorer.audit._audit_button.click()
        await until(lambda: explorer.audit._table.content["rows"])
        await until(lambda: explorer.audit.status.tone != "busy")
        assert "failed" != explorer.audit.status.tone
        explorer.close()


@in_loop
async def test_a_team_without_webhooks_has_no_findings_and_no_fixes(sandbox: cx.Sandbox) -> None:
    """The table and the plan are empty."""
    with behind(sandbox, reads=serving(sandbox, [])) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        explorer.open("Audit")
        await explorer.audit.audit()
        assert [] == findings(explorer)
        form = await explorer.audit.plan_fixes()
        assert ([], True) == (list(form.changes.rows), form.button.disabled)
        explorer.close()


# --- fixes ------------------------------------------------------------------------------------------------------------


@in_loop
async def test_plan_fixes_shows_the_plan_and_changes_nothing(neglected: cx.Sandbox) -> None:
    """The tab shows the changes; only GET is sent."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await audited(client)
        before = listed(neglected, LIVE)
        form = await explorer.audit.plan_fixes()
        await turns(50)
        assert isinstance(form, cx.PlanForm)
        assert explorer.audit.form is form
        assert visible(explorer, form.widget)
        assert form.widget in widgets_of(explorer)
        rows = {(row[0], row[1], row[3]) for row in form.changes.rows}
        assert {
            ("pause", "CRM sync (new)", "Active: yes → no"),
            (
                "update",
                "Ticket mirror",
                "URL: http://tickets.example.com/mirror → https://tickets.example.com/mirror",
            ),
            ("update", "Trophies", "+player.achievement_unlocked, −achievement.unlocked"),
        } == rows
        assert {"GET"} == set(server.methods)
        assert before == listed(neglected, LIVE)
        explorer.close()


@in_loop
async def test_the_fix_button_shows_the_same_plan(neglected: cx.Sandbox) -> None:
    """And changes nothing."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await audited(client)
        assert visible(explorer, explorer.audit._fix_button)
        expected = [list(row) for row in (await explorer.audit.plan_fixes()).changes.rows]
        first = explorer.audit.form
        explorer.audit._fix_button.click()
        await until(lambda: explorer.audit.form not in {None, first})
        await turns()
        assert expected == [list(row) for row in explorer.audit.form.changes.rows]
        assert [] == written(server)
        explorer.close()


@in_loop
async def test_applying_the_plan_refreshes_both_tabs(neglected: cx.Sandbox) -> None:
    """Fixed findings disappear, and the table shows the new states."""
    with neglected.client(LIVE) as client:
        explorer = await audited(client)
        fixed = {title_of(rule) for rule in ("plain_http", "former_event", "delivers_twice")}
        assert fixed <= titles(explorer)
        form = await explorer.audit.plan_fixes()
        applied = await form.submit(confirm="apply 3 changes")
        assert ["done"] * 3 == outcomes(applied)
        await until(lambda: not fixed & titles(explorer))
        await until(lambda: {row[1]: row[2] for row in explorer.table.rows}["CRM sync (new)"] == "paused")
        assert title_of("credentials_in_url") in titles(explorer)
        urls = {webhook.name: webhook.url for webhook in listed(neglected, LIVE)}
        assert "https://tickets.example.com/mirror" == urls["Ticket mirror"]
        await until_idle(explorer)
        explorer.close()


@in_loop
async def test_undoing_the_plan_refreshes_both_tabs(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The webhooks are as before, and the findings are back."""
    twice, first = title_of("delivers_twice"), listed(sandbox)[0]
    client.webhooks.create(name="Double", url=first.url, events=["ticket.created"])
    before = [(hook.id, hook.name, hook.url, set(hook.events), hook.is_active) for hook in listed(sandbox)]
    explorer = await audited(client)
    assert [["Double"]] == [[row[2]] for row in findings(explorer) if row[1] == twice]
    form = await explorer.audit.plan_fixes()
    await form.submit()
    await until(lambda: twice not in titles(explorer))
    await until_idle(explorer)
    assert explorer.audit.form is form
    form.undo.click()
    await turns()
    await form.submit()
    assert before == [(hook.id, hook.name, hook.url, set(hook.events), hook.is_active) for hook in listed(sandbox)]
    await until(lambda: twice in titles(explorer))
    await until(lambda: {row[1]: row[2] for row in explorer.table.rows}["Double"] == "active")
    await until_idle(explorer)
    explorer.close()


@in_loop
async def test_a_partly_applied_plan_refreshes_both_tabs(neglected: cx.Sandbox) -> None:
    """One fix meets a change made elsewhere; the others are done."""
    with neglected.client(LIVE) as client:
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        with neglected.client(LIVE) as other:
            [mirror] = [hook for hook in listed(neglected, LIVE) if hook.name == "Ticket mirror"]
            other.webhooks.update(mirror.id, name="Theirs")
        with pytest.raises(errors.IncompleteError):
            await form.submit(confirm="apply 3 changes")
        await until(lambda: title_of("former_event") not in titles(explorer))
        await until(lambda: "Theirs" in [row[1] for row in explorer.table.rows])
        assert [["Theirs"]] == [[row[2]] for row in findings(explorer) if row[1] == title_of("plain_http")]
        assert "2 done, 1 failed." in form.status.text
        await until_idle(explorer)
        explorer.close()


@in_loop
async def test_on_a_live_key_the_fixes_need_confirmation(neglected: cx.Sandbox) -> None:
    """As in the form itself."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        with pytest.raises(errors.ConfirmationError):
            await form.submit()
        form.button.click()
        await settled(form)
        assert [] == written(server)
        assert "apply 3 changes" in form.confirmation.label
        explorer.close()


@in_loop
async def test_a_failed_plan_keeps_the_findings(neglected: cx.Sandbox) -> None:
    """The status shows the error, and there is no form."""
    good = passed(neglected)
    reads = once(good, good, good, then=status(401, type="authentication_error"))
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await audited_once(client)
        rows = findings(explorer)
        await asyncio.gather(explorer.audit.plan_fixes(), return_exceptions=True)
        assert rows == findings(explorer)
        assert None is explorer.audit.form
        assert "failed" == explorer.audit.status.tone
        explorer.close()


@in_loop
async def test_a_failed_plan_raises(neglected: cx.Sandbox) -> None:
    """`plan_fixes` never returns without a form."""
    good = passed(neglected)
    reads = once(good, good, good, then=status(401, type="authentication_error"))
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await audited_once(client)
        with pytest.raises(errors.AuthenticationError):
            await explorer.audit.plan_fixes()
        explorer.close()


@in_loop
async def test_a_second_plan_replaces_the_first(neglected: cx.Sandbox) -> None:
    """The widgets of the first are freed."""
    with neglected.client(LIVE) as client:
        explorer = await audited(client)
        first = await explorer.audit.plan_fixes()
        count = len(alive())
        second = await explorer.audit.plan_fixes()
        assert explorer.audit.form is second
        assert (False, True) == (first.widget in widgets_of(explorer), second.widget in widgets_of(explorer))
        assert count == len(alive())
        explorer.close()


@in_loop
async def test_a_read_only_client_audits_without_fixes(neglected: cx.Sandbox) -> None:
    """The fix button is hidden, and nothing is sent by it."""
    with behind(neglected, key=LIVE, write=False) as (server, reader):
        explorer = await audited(reader)
        assert title_of("plain_http") in titles(explorer)
        assert hidden(explorer.audit._fix_button)
        assert visible(explorer, explorer.audit._audit_button)
        explorer.audit._fix_button.click()
        await turns(50)
        assert {"GET"} == set(server.methods)
        explorer.close()


# --- hostile text, keys and secrets -----------------------------------------------------------------------------------


@in_loop
async def test_hostile_webhooks_are_shown_printable(sandbox: cx.Sandbox) -> None:
    """Control and direction characters are escaped in every row, and there are no HTML widgets."""
    text = HOSTILE + CONTROLS
    items = [
        item(1, name=text, url="http://plain.example.com/"),
        item(2, name="two", url=f"https://{text}.example.com/{text}", events=[text]),
        item(3, name=text, events=[]),
    ]
    with behind(sandbox, reads=serving(sandbox, items)) as (_, client):
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        texts = [
            *(cell for row in [*findings(explorer), *form.changes.rows] for cell in row),
            explorer.audit.status.text,
            form.status.text,
        ]
        assert any(HOSTILE in text for text in texts)
        assert [] == [text for text in texts if not text.isprintable()]
        types = {type(widget).__name__ for widget in widgets_of(explorer)}
        assert set() == {"HTML", "HTMLMath", "Label"} & types
        explorer.close()


@in_loop
async def test_a_credential_in_a_url_is_reported_but_not_shown(sandbox: cx.Sandbox) -> None:
    """The evidence masks it, and no widget holds it."""
    planted = "planted-5f2e91c07ab4"
    items = [
        item(1, url=f"https://user:{planted}@a.example.com/"),
        item(2, url=f"https://b.example.com/?token={planted}"),
    ]
    with behind(sandbox, reads=serving(sandbox, items)) as (_, client):
        explorer = await audited(client)
        assert 2 == len([row for row in findings(explorer) if row[1] == title_of("credentials_in_url")])
        assert planted not in states()
        explorer.close()


@in_loop
async def test_the_table_shows_no_secret_of_a_url(sandbox: cx.Sandbox) -> None:
    """Not even if the host is the secret, the URL is invalid, or the webhook is named after its URL."""
    planted = "qzxvwkjrtbn"
    items = [
        item(1, url=f"https://{planted}.m.pipedream.net/"),
        item(2, url=f"https://[::1/{planted}"),
        item(3, url=f"https://user:{planted}@host.example.com:port/"),
        item(4, name=f"https://hooks.zapier.com/hooks/catch/1/{planted}/"),
    ]
    with behind(sandbox, reads=serving(sandbox, items)) as (_, client):
        explorer = await audited(client)
        shown = [cell for row in explorer.table.rows for cell in row]
        assert any("m.pipedream.net" in cell for cell in shown)
        assert planted not in states()
        explorer.close()


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param(LIVE, id="live key")])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, key: str) -> None:
    """With every tab opened, fixes planned, and an error that repeats the key."""
    value, good = sandbox.keys[key].reveal(), passed(sandbox)
    refused = threading.Event()

    def reads(connection: Any, received: RecordedRequest) -> bool:
        refusal = status(401, type="authentication_error", message=f"Bad key {value}")
        return (refusal if refused.is_set() else good)(connection, received)

    with behind(sandbox, key=key, reads=reads) as (_, client):
        explorer = await audited(client)
        await explorer.audit.plan_fixes()
        explorer.table.select(ids(explorer)[:1])
        for tab in TABS:
            explorer.open(tab)
            await turns()
        refused.set()
        with pytest.raises(errors.AuthenticationError):
            await explorer.audit.audit()
        assert "Bad key" in explorer.audit.status.text
        assert value not in states()
        assert value not in repr(explorer.audit)
        explorer.close()


@in_loop
async def test_no_widget_holds_a_secret_from_a_list(sandbox: cx.Sandbox) -> None:
    """A signing secret that the server puts into the list does not reach the page."""
    secret = "whsec_" + "planted0" * 4
    items = [item(1, secret=secret, url="http://plain.example.com/"), item(2, secret=secret, events=[])]
    with behind(sandbox, reads=serving(sandbox, items)) as (_, client):
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        assert 2 == len(form.changes.rows)
        assert secret not in states()
        explorer.close()


@in_loop
async def test_thousands_of_findings_need_little_widget_state(sandbox: cx.Sandbox) -> None:
    """All are counted, the first ones are shown."""
    before = alive()
    items = [item(number, url=f"http://n{number:05}.example.com/hook") for number in range(2_000)]
    with behind(sandbox, reads=serving(sandbox, items)) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        explorer.open("Audit")
        audit = await explorer.audit.audit()
        await explorer.audit.plan_fixes()
        assert 2_000 == audit.counts()["high"]
        assert findings(explorer)
        assert state_size(before) < 200_000
        assert "2,000 high" in explorer.audit.status.text
        explorer.close()


# --- closing ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_frees_everything(neglected: cx.Sandbox) -> None:
    """No widget, task or thread remains after an audit and an applied plan."""
    with neglected.client(LIVE) as client:
        first = await audited(client)
        first.close()
        await until(lambda: not other_tasks())
        widgets, threads = alive(), set(threading.enumerate())
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        await form.submit(confirm="apply 3 changes")
        await turns()
        explorer.close()
        await until(lambda: not other_tasks())
        assert widgets == alive()
        assert [] == new_threads(threads)


@in_loop
async def test_closing_during_an_audit_frees_everything(neglected: cx.Sandbox) -> None:
    """The result of the audit is dropped."""
    gate, response = threading.Event(), passed(neglected)
    reads = once(response, response, held(gate, response), then=response)
    with behind(neglected, key=LIVE, reads=reads) as (server, client):
        widgets = alive()
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: len(server.requests) == 3)
        explorer.close()
        gate.set()
        await until(lambda: not other_tasks())
        assert widgets == alive()


@in_loop
async def test_closing_while_fixes_are_applied_starts_no_further_step(neglected: cx.Sandbox) -> None:
    """The current step completes, and nothing is refreshed."""
    gate = threading.Event()
    with behind(neglected, held(gate, passed(neglected)), key=LIVE) as (server, client):
        widgets = alive()
        explorer = await audited(client)
        form = await explorer.audit.plan_fixes()
        submit = asyncio.gather(form.submit(confirm="apply 3 changes"), return_exceptions=True)
        await until(lambda: written(server))
        explorer.close()
        gate.set()
        await asyncio.gather(submit, return_exceptions=True)
        await until(lambda: not other_tasks())
        assert 1 == len(written(server))
        assert widgets == alive()


@in_loop
async def test_many_explorers_are_freed(neglected: cx.Sandbox) -> None:
    """Whether or not the audit had finished: fifteen of them, and fifty at night."""
    with neglected.client(LIVE) as client:
        widgets, threads = alive(), set(threading.enumerate())
        for number in range(50 if NIGHTLY else 15):
            explorer = cx.Explorer(client)
            if number % 5 == 0:
                await explorer.refresh()
            explorer.open("Audit")
            if number % 10 == 0:
                await explorer.audit.audit()
                await explorer.audit.plan_fixes()
            await turns(number % 3)
            explorer.close()
        await until(lambda: not other_tasks())
        assert widgets == alive()
        assert [] == new_threads(threads)


@in_loop
async def test_closing_the_tab_keeps_the_explorer(neglected: cx.Sandbox) -> None:
    """The table still refreshes, and closing the Explorer afterwards is harmless."""
    with neglected.client(LIVE) as client:
        widgets = alive()
        explorer = await audited(client)
        explorer.audit.close()
        assert 9 == len(await explorer.refresh())
        explorer.close()
        explorer.close()
        await until(lambda: not other_tasks())
        assert widgets == alive()


# --- Undo of bulk actions ---------------------------------------------------------------------------------------------


@in_loop
async def test_without_a_change_there_is_no_undo(client: cx.Client) -> None:
    """Not at first, not with a selection, not after an action that changed nothing."""
    explorer = await opened(client)
    undo = [offered(explorer, "undo")]
    explorer.table.select(ids(explorer)[:3])
    undo.append(offered(explorer, "undo"))
    assert ["unchanged"] * 3 == outcomes(await explorer.act("resume"))
    undo.append(offered(explorer, "undo"))
    assert [False, False, False] == undo
    explorer.close()


@pytest.mark.parametrize(
    ("action", "start", "label"),
    [
        pytest.param("pause", [True, True, True, False], "Undo pause", id="pause"),
        pytest.param("resume", [False, True, False, False], "Undo resume", id="resume"),
    ],
)
@in_loop
async def test_undo_reverts_only_what_was_changed(
    sandbox: cx.Sandbox, client: cx.Client, action: str, start: list[bool], label: str
) -> None:
    """Three of four are changed and reverted; the fourth was already so."""
    for webhook, is_active in zip(listed(sandbox), start, strict=True):
        if webhook.is_active != is_active:
            client.webhooks.update(webhook.id, is_active=is_active)
    explorer = await opened(client)
    explorer.table.select(ids(explorer))
    await explorer.act(action)
    assert [action == "resume"] * 4 == active(sandbox)
    assert offered(explorer, "undo")
    assert label == explorer._buttons["undo"].description
    explorer._buttons["undo"].click()
    await turns(50)
    await until_idle(explorer)
    assert start == active(sandbox)
    assert start == [row[2] == "active" for row in explorer.table.rows]
    explorer.close()


@in_loop
async def test_undo_sends_only_the_state(sandbox: cx.Sandbox) -> None:
    """One PATCH with `isActive` per webhook, however often Undo is clicked."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        await explorer.act("pause")
        explorer._buttons["undo"].click()
        explorer._buttons["undo"].click()
        await turns(50)
        await until_idle(explorer)
        assert [{"isActive": False}] * 2 + [{"isActive": True}] * 2 == [request.json for request in written(server)]
        explorer.close()


@pytest.mark.parametrize(
    "select",
    [
        pytest.param([], id="nothing selected"),
        pytest.param([3], id="another webhook"),
        pytest.param([1, 2, 3], id="several other_tasks"),
    ],
)
@in_loop
async def test_undo_ignores_the_current_selection(sandbox: cx.Sandbox, client: cx.Client, select: list[int]) -> None:
    """It reverts the webhooks that were changed."""
    before = active(sandbox)
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer.table.select(ids(explorer), on=False)
    explorer.table.select([ids(explorer)[index] for index in select])
    assert "Undo pause" == explorer._buttons["undo"].description
    explorer._buttons["undo"].click()
    await turns(50)
    await until_idle(explorer)
    assert before == active(sandbox)
    explorer.close()


@in_loop
async def test_undo_is_hidden_during_an_action(sandbox: cx.Sandbox) -> None:
    """Afterwards it covers the steps done before the stop."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        action = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        during = offered(explorer, "undo")
        explorer.stop()
        gate.set()
        assert ["done", "not tried", "not tried"] == outcomes(await action)
        assert (False, True) == (during, offered(explorer, "undo"))
        assert "Undo pause" == explorer._buttons["undo"].description
        explorer._buttons["undo"].click()
        await turns(50)
        await until_idle(explorer)
        assert [True, True, True, False] == active(sandbox)
        explorer.close()


@in_loop
async def test_undo_after_a_failure_reverts_the_steps_that_were_done(sandbox: cx.Sandbox) -> None:
    """The connection broke at the second of three."""
    with behind(sandbox, passed(sandbox), *[reset()] * 4) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert ["done", "failed", "not tried"] == outcomes(await explorer.act("pause"))
        assert "Undo pause" == explorer._buttons["undo"].description
        explorer._buttons["undo"].click()
        await turns(50)
        await until_idle(explorer)
        assert [True, True, True, False] == active(sandbox)
        explorer.close()


@in_loop
async def test_undo_continues_past_a_deleted_webhook(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It is not recreated, and the other is resumed."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    client.webhooks.delete(ids(explorer)[0])
    explorer._buttons["undo"].click()
    await turns(50)
    await until_idle(explorer)
    assert [("CRM sync", True), ("Search index", True), ("Boss fight overlay", False)] == [
        (hook.name, hook.is_active) for hook in listed(sandbox)
    ]
    explorer.close()


@in_loop
async def test_an_undo_can_be_undone(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Undo of a pause resumes, and can be undone by pausing."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer._buttons["undo"].click()
    await turns(50)
    await until_idle(explorer)
    assert "Undo resume" == explorer._buttons["undo"].description
    explorer._buttons["undo"].click()
    await turns(50)
    await until_idle(explorer)
    assert [False, False, True, False] == active(sandbox)
    explorer.close()


@in_loop
async def test_a_delete_has_no_undo(client: cx.Client) -> None:
    """Not even if the webhooks were paused before."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    await explorer.act("delete")
    assert not offered(explorer, "undo")
    explorer.close()


@in_loop
async def test_a_read_only_client_has_no_undo(sandbox: cx.Sandbox) -> None:
    """Nothing was changed."""
    with behind(sandbox, write=False) as (server, reader):
        explorer = await opened(reader)
        explorer.table.select(ids(explorer)[:2])
        assert ["failed"] * 2 == outcomes(await explorer.act("pause"))
        assert not offered(explorer, "undo")
        assert [] == written(server)
        explorer.close()


@in_loop
async def test_on_a_live_key_undo_needs_its_own_confirmation(sandbox: cx.Sandbox) -> None:
    """The phrase of the reverted action does not confirm it."""
    with behind(sandbox, key=LIVE) as (server, client):
        before = active(sandbox, LIVE)
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        await explorer.act("pause", confirm="pause 2 webhooks")
        explorer._buttons["undo"].click()
        assert "Confirm below to resume 2 webhooks." == explorer.status.text
        [field] = [
            widget
            for widget in widgets_of(explorer)
            if "confirm" in getattr(widget, "label", "") and visible(explorer, widget)
        ]
        for phrase in ("", "pause 2 webhooks", "resume 1 webhook"):
            field.value = phrase
            explorer._buttons["undo"].click()
            await turns(50)
            await until_idle(explorer)
        assert 2 == len(written(server))
        field.value = "resume 2 webhooks"
        explorer._buttons["undo"].click()
        await turns(50)
        await until_idle(explorer)
        assert 4 == len(written(server))
        assert before == active(sandbox, LIVE)
        explorer.close()


@in_loop
async def test_closing_after_an_undo_frees_everything(client: cx.Client) -> None:
    """No widget, task or thread remains."""
    first = await opened(client)
    first.close()
    await until(lambda: not other_tasks())
    widgets, threads = alive(), set(threading.enumerate())
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer._buttons["undo"].click()
    await turns()
    explorer.close()
    await until(lambda: not other_tasks())
    assert widgets == alive()
    assert [] == new_threads(threads)
