"""The Explorer's Audit tab, from findings to mending, and Undo after several webhooks were paused or resumed."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
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
    widgets_of,
    written,
)
from tests.support.scripted_server import RecordedRequest, Script, data, reset, status

pytestmark = pytest.mark.usefixtures("no_widget_is_left")

LIVE = "live"
TABS = ("Create", "Edit", "Fire", "Deliveries", "Webhooks", "Audit")


@pytest.fixture
def sandbox(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened()


@pytest.fixture
def neglected(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    """A sandbox whose live team has planted sins."""
    return opened(neglected=True)


# --- a person at the Explorer -----------------------------------------------------------------------------------------


def holding_all(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> Script:
    """The team has these webhooks, all together and one by one."""
    each = {told["id"]: told for told in items}

    def answer(connection: Any, received: RecordedRequest) -> bool:
        last = received.path.rpartition("/")[2]
        line = data(items) if last == "webhooks" else data(each[last]) if last in each else passed(sandbox)
        return line(connection, received)

    return answer


async def opened(client: cx.Client) -> cx.Explorer:
    """An Explorer that has read its webhooks by itself."""
    explorer = cx.Explorer(client)
    await until(lambda: explorer.table.rows and explorer.rate_limit.lines and explorer.title.lines)
    await turns()
    return explorer


async def auditing(client: cx.Client) -> cx.Explorer:
    """An Explorer whose Audit tab is open and shows what it found."""
    explorer = await opened(client)
    explorer.open("Audit")
    await turns()
    await until(lambda: explorer.audit.status.tone != "busy")
    await explorer.audit.audit()
    return explorer


def findings(explorer: cx.Explorer) -> list[list[str]]:
    """The rows of the Audit tab."""
    return [list(row) for row in explorer.audit.table.rows]


def whats(explorer: cx.Explorer) -> set[str]:
    return {row[1] for row in explorer.audit.table.rows}


def title_of(rule: str) -> str:
    """The words for a rule."""
    rules = cx.audit_rules()
    return rules.loc[rules["rule"] == rule, "title"].item()


def asked(server: Any) -> list[str]:
    """What was requested, without the addresses' common beginning."""
    return [f"{request.method} {request.path.partition('/api/v1/')[2]}" for request in server.requests]


def ids(explorer: cx.Explorer) -> list[str]:
    return [row[0] for row in explorer.table.rows]


def active(sandbox: cx.Sandbox, key: str = "secret") -> list[bool | None]:
    return [webhook.is_active for webhook in listed(sandbox, key)]


def outcomes(steps: Any) -> list[str]:
    return [step.outcome for step in steps]


def parents(explorer: cx.Explorer) -> dict[str, ipywidgets.Widget]:
    """Each widget's sandbox."""
    return {child.model_id: above for above in widgets_of(explorer) for child in getattr(above, "children", ())}


def seen(explorer: cx.Explorer, widget: Any) -> bool:
    """Whether a person sees this widget."""
    above = parents(explorer)
    while widget is not None and not hidden(widget):
        widget = above.get(widget.model_id)
    return widget is None


def offered(explorer: cx.Explorer, name: str) -> bool:
    """Whether a person sees this button, and may press it."""
    return seen(explorer, explorer.buttons[name]) and not explorer.buttons[name].disabled


async def rested(explorer: cx.Explorer) -> None:
    """Waits until no work is under way."""
    await turns()
    await until(lambda: explorer.status.tone != "busy" and not offered(explorer, "stop"))
    await turns()


def others() -> list[asyncio.Task[Any]]:
    """The tasks under way that are neither the test nor the one that bounds its time."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


def left_of(threads: set[threading.Thread]) -> list[str]:
    """The names of the threads that are new since then, but for the loop's own."""
    return [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


def weight(before: set[str]) -> int:
    """The bytes of the state of all widgets that are new since then, but for the code and style of the page."""
    new = [registry._instances[name].get_state() for name in alive() - before]
    told = [{name: value for name, value in state.items() if name not in {"_esm", "_css"}} for state in new]
    return len(json.dumps(told, default=repr).encode())


# --- what was found ---------------------------------------------------------------------------------------------------


@in_loop
async def test_nothing_is_audited_before_the_tab_is_opened(neglected: cx.Sandbox) -> None:
    """Opening an Explorer costs what it cost without the tab."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await opened(client)
        await turns(50)
        assert ["GET auth/whoami", f"GET teams/{neglected.team_id}/webhooks"] == asked(server)
        explorer.close()


@in_loop
async def test_a_row_for_each_finding(neglected: cx.Sandbox) -> None:
    """Severity, what it is, which webhook, the evidence and the remedy: those that `audit` has, in its order."""
    with neglected.client(LIVE) as client:
        explorer = await auditing(client)
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
async def test_audit_returns_what_it_found(neglected: cx.Sandbox) -> None:
    """The status counts what the result has, and the webhooks are the team's."""
    with neglected.client(LIVE) as client:
        explorer = await auditing(client)
        found = await explorer.audit.audit()
        assert isinstance(found, cx.Audit)
        assert len(found.to_frame()) == len(findings(explorer))
        assert found.summary() in explorer.audit.status.text
        assert [webhook.id for webhook in listed(neglected, LIVE)] == list(found.webhooks["id"])
        explorer.close()


@in_loop
async def test_opening_the_tab_shows_the_findings_by_itself(neglected: cx.Sandbox) -> None:
    """Nobody has to press anything first."""
    with neglected.client(LIVE) as client:
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: explorer.audit.table.rows)
        assert title_of("plain_http") in whats(explorer)
        explorer.close()


@in_loop
async def test_an_audit_sends_nothing_but_get(neglected: cx.Sandbox) -> None:
    """Neither by itself, nor by its button, nor awaited; and only the list and single webhooks are asked for."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await auditing(client)
        explorer.audit.again.click()
        await turns()
        await until(lambda: explorer.audit.status.tone != "busy")
        await explorer.audit.plan_fixes()
        assert {"GET"} == set(server.methods)
        base = f"GET teams/{neglected.team_id}/webhooks"
        assert [] == [line for line in asked(server) if not line.startswith(base) and line != "GET auth/whoami"]
        explorer.close()


@in_loop
async def test_again_audits_again(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What changed since is found, and what is no longer so is gone."""
    explorer = await auditing(client)
    wildcard, everything = title_of("wildcard"), title_of("everything")
    assert (True, False) == (wildcard in whats(explorer), everything in whats(explorer))
    with sandbox.client() as somebody:
        somebody.webhooks.update(listed(sandbox)[2].id, events=["*"])
    explorer.audit.again.click()
    await turns()
    await until(lambda: everything in whats(explorer))
    assert wildcard not in whats(explorer)
    explorer.close()


@in_loop
async def test_the_tab_is_built_once(neglected: cx.Sandbox) -> None:
    """Who comes back to it finds what was there, without a request."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await auditing(client)
        view, rows, sent = explorer.audit, findings(explorer), len(server.requests)
        explorer.open("Webhooks")
        explorer.open("Audit")
        await turns(50)
        assert explorer.audit is view
        assert (rows, sent) == (findings(explorer), len(server.requests))
        explorer.close()


@in_loop
async def test_the_loop_turns_while_it_is_audited(neglected: cx.Sandbox) -> None:
    """The kernel answers other cells until the server does."""
    gate, line = threading.Event(), passed(neglected)
    with behind(neglected, key=LIVE, reads=once(line, line, line, held(gate, line), then=line)) as (_, client):
        explorer = await auditing_once(client)
        work = asyncio.create_task(explorer.audit.audit())
        await turns(500)
        assert not work.done()
        assert "busy" == explorer.audit.status.tone
        gate.set()
        assert isinstance(await work, cx.Audit)
        explorer.close()


async def auditing_once(client: cx.Client) -> cx.Explorer:
    """An Explorer whose Audit tab has done what it does by itself, and no more."""
    explorer = await opened(client)
    explorer.open("Audit")
    await until(lambda: explorer.audit.table.rows and explorer.audit.status.tone != "busy")
    await turns()
    return explorer


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        pytest.param(status(401, type="authentication_error"), errors.AuthenticationError, id="key refused"),
        pytest.param(status(503), errors.ServerError, id="server ill"),
        pytest.param(reset(), errors.TransportError, id="connection broken"),
        pytest.param(data("nothing like a list"), errors.InvalidResponseError, id="nonsense"),
    ],
)
@in_loop
async def test_an_audit_that_fails_keeps_what_was_shown(
    neglected: cx.Sandbox, line: Script, kind: type[Exception]
) -> None:
    """It raises and says so, and the findings of before are still there."""
    good = passed(neglected)
    with behind(neglected, key=LIVE, reads=once(good, good, good, then=line)) as (_, client):
        explorer = await auditing_once(client)
        rows = findings(explorer)
        with pytest.raises(kind):
            await explorer.audit.audit()
        assert rows == findings(explorer) != []
        assert "failed" == explorer.audit.status.tone
        assert explorer.audit.status.text
        explorer.close()


@in_loop
async def test_a_first_audit_that_fails_says_so_and_can_be_repeated(neglected: cx.Sandbox) -> None:
    """Nobody awaits it; its failure is on screen, and Again finds what there is."""
    good = passed(neglected)
    reads = once(good, good, status(401, type="authentication_error"), then=good)
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: explorer.audit.status.tone == "failed")
        assert [] == findings(explorer)
        explorer.audit.again.click()
        await until(lambda: explorer.audit.table.rows)
        await until(lambda: explorer.audit.status.tone != "busy")
        assert "failed" != explorer.audit.status.tone
        explorer.close()


@in_loop
async def test_a_team_without_webhooks_has_nothing_to_mend(sandbox: cx.Sandbox) -> None:
    """No row, and the plan of its fixes is empty."""
    with behind(sandbox, reads=holding_all(sandbox, [])) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        explorer.open("Audit")
        await explorer.audit.audit()
        assert [] == findings(explorer)
        form = await explorer.audit.plan_fixes()
        assert ([], True) == (list(form.changes.rows), form.button.disabled)
        explorer.close()


# --- mending ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_plan_fixes_shows_the_plan_and_changes_nothing(neglected: cx.Sandbox) -> None:
    """It is shown in the tab, with what before and after; nothing but GET is sent for it."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await auditing(client)
        before = listed(neglected, LIVE)
        form = await explorer.audit.plan_fixes()
        await turns(50)
        assert isinstance(form, cx.PlanForm)
        assert explorer.audit.form is form
        assert seen(explorer, form.widget)
        assert form.widget in widgets_of(explorer)
        rows = {tuple(row[:5]) for row in form.changes.rows}
        assert {
            ("update", "CRM sync (new)", "is_active", "active", "paused"),
            (
                "update",
                "Ticket mirror",
                "url",
                "http://tickets.example.com/mirror",
                "https://tickets.example.com/mirror",
            ),
            (
                "update",
                "Trophies",
                "events",
                "achievement.unlocked, boss.defeated",
                "player.achievement_unlocked, boss.defeated",
            ),
        } == rows
        assert {"GET"} == set(server.methods)
        assert before == listed(neglected, LIVE)
        explorer.close()


@in_loop
async def test_the_mend_button_does_the_same(neglected: cx.Sandbox) -> None:
    """Pressing it shows the same plan, and changes nothing."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await auditing(client)
        assert seen(explorer, explorer.audit.mend)
        expected = [list(row) for row in (await explorer.audit.plan_fixes()).changes.rows]
        first = explorer.audit.form
        explorer.audit.mend.click()
        await until(lambda: explorer.audit.form not in {None, first})
        await turns()
        assert expected == [list(row) for row in explorer.audit.form.changes.rows]
        assert [] == written(server)
        explorer.close()


@in_loop
async def test_applying_the_plan_refreshes_both_tabs(neglected: cx.Sandbox) -> None:
    """The findings that were mended are gone, and the table of webhooks shows them as they are now."""
    with neglected.client(LIVE) as client:
        explorer = await auditing(client)
        mended = {title_of(rule) for rule in ("plain_http", "former_event", "delivers_twice")}
        assert mended <= whats(explorer)
        form = await explorer.audit.plan_fixes()
        applied = await form.submit(confirm="apply 3 changes")
        assert ["done"] * 3 == outcomes(applied)
        await until(lambda: not mended & whats(explorer))
        await until(lambda: {row[1]: row[2] for row in explorer.table.rows}["CRM sync (new)"] == "paused")
        assert title_of("credentials_in_url") in whats(explorer)
        urls = {webhook.name: webhook.url for webhook in listed(neglected, LIVE)}
        assert "https://tickets.example.com/mirror" == urls["Ticket mirror"]
        await rested(explorer)
        explorer.close()


@in_loop
async def test_taking_it_back_refreshes_both_tabs_too(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """All is as it was, and found again."""
    twice, told = title_of("delivers_twice"), listed(sandbox)[0]
    client.webhooks.create(name="Double", url=told.url, events=["ticket.created"])
    before = [(hook.id, hook.name, hook.url, set(hook.events), hook.is_active) for hook in listed(sandbox)]
    explorer = await auditing(client)
    assert [["Double"]] == [[row[2]] for row in findings(explorer) if row[1] == twice]
    form = await explorer.audit.plan_fixes()
    await form.submit()
    await until(lambda: twice not in whats(explorer))
    await rested(explorer)
    assert explorer.audit.form is form
    form.undo.click()
    await turns()
    await form.submit()
    assert before == [(hook.id, hook.name, hook.url, set(hook.events), hook.is_active) for hook in listed(sandbox)]
    await until(lambda: twice in whats(explorer))
    await until(lambda: {row[1]: row[2] for row in explorer.table.rows}["Double"] == "active")
    await rested(explorer)
    explorer.close()


@in_loop
async def test_a_plan_done_in_part_is_shown_in_both_tabs(neglected: cx.Sandbox) -> None:
    """Where one fix meets a change by somebody else, the others are seen to be done."""
    with neglected.client(LIVE) as client:
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        with neglected.client(LIVE) as somebody:
            [mirror] = [hook for hook in listed(neglected, LIVE) if hook.name == "Ticket mirror"]
            somebody.webhooks.update(mirror.id, name="Theirs")
        with pytest.raises(errors.IncompleteError):
            await form.submit(confirm="apply 3 changes")
        await until(lambda: title_of("former_event") not in whats(explorer))
        await until(lambda: "Theirs" in [row[1] for row in explorer.table.rows])
        assert [["Theirs"]] == [[row[2]] for row in findings(explorer) if row[1] == title_of("plain_http")]
        assert "2 done, 1 failed." in form.status.text
        await rested(explorer)
        explorer.close()


@in_loop
async def test_on_a_live_key_the_fixes_need_their_words(neglected: cx.Sandbox) -> None:
    """In the tab as in the form alone."""
    with behind(neglected, key=LIVE) as (server, client):
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        with pytest.raises(errors.ConfirmationError):
            await form.submit()
        form.button.click()
        await settled(form)
        assert [] == written(server)
        assert "apply 3 changes" in form.confirmation.label
        explorer.close()


@in_loop
async def test_a_plan_that_cannot_be_made_leaves_what_was_shown(neglected: cx.Sandbox) -> None:
    """The list cannot be read for it: that is said, the findings stay, and no form is shown."""
    good = passed(neglected)
    reads = once(good, good, good, then=status(401, type="authentication_error"))
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await auditing_once(client)
        rows = findings(explorer)
        await asyncio.gather(explorer.audit.plan_fixes(), return_exceptions=True)
        assert rows == findings(explorer)
        assert None is explorer.audit.form
        assert "failed" == explorer.audit.status.tone
        explorer.close()


@in_loop
async def test_a_plan_that_cannot_be_made_is_an_error(neglected: cx.Sandbox) -> None:
    """Who awaits a form and gets none is told why, as everywhere else."""
    good = passed(neglected)
    reads = once(good, good, good, then=status(401, type="authentication_error"))
    with behind(neglected, key=LIVE, reads=reads) as (_, client):
        explorer = await auditing_once(client)
        with pytest.raises(errors.AuthenticationError):
            await explorer.audit.plan_fixes()
        explorer.close()


@in_loop
async def test_a_second_plan_takes_the_place_of_the_first(neglected: cx.Sandbox) -> None:
    """One form is shown, and the first leaves no widget behind."""
    with neglected.client(LIVE) as client:
        explorer = await auditing(client)
        first = await explorer.audit.plan_fixes()
        count = len(alive())
        second = await explorer.audit.plan_fixes()
        assert explorer.audit.form is second
        assert (False, True) == (first.widget in widgets_of(explorer), second.widget in widgets_of(explorer))
        assert count == len(alive())
        explorer.close()


@in_loop
async def test_a_reading_client_audits_and_is_not_offered_to_mend(neglected: cx.Sandbox) -> None:
    """What is wrong is shown to whoever may read; the way to mend it is not."""
    with behind(neglected, key=LIVE, write=False) as (server, reader):
        explorer = await auditing(reader)
        assert title_of("plain_http") in whats(explorer)
        assert hidden(explorer.audit.mend)
        assert seen(explorer, explorer.audit.again)
        explorer.audit.mend.click()
        await turns(50)
        assert {"GET"} == set(server.methods)
        explorer.close()


# --- hostile text, keys and secrets -----------------------------------------------------------------------------------


@in_loop
async def test_hostile_webhooks_are_shown_printable(sandbox: cx.Sandbox) -> None:
    """Control and direction characters are spelled out in every row, and nothing is an HTML widget."""
    text = HOSTILE + CONTROLS
    items = [
        item(1, name=text, url="http://plain.example.com/"),
        item(2, name="two", url=f"https://{text}.example.com/{text}", events=[text]),
        item(3, name=text, events=[]),
    ]
    with behind(sandbox, reads=holding_all(sandbox, items)) as (_, client):
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        said = [
            *(cell for row in [*findings(explorer), *form.changes.rows] for cell in row),
            explorer.audit.status.text,
            form.status.text,
        ]
        assert any(HOSTILE in line for line in said)
        assert [] == [line for line in said if not line.isprintable()]
        types = {type(widget).__name__ for widget in widgets_of(explorer)}
        assert set() == {"HTML", "HTMLMath", "Label"} & types
        explorer.close()


@in_loop
async def test_a_credential_in_a_url_is_found_and_not_shown(sandbox: cx.Sandbox) -> None:
    """The evidence masks it, and no widget of the tab holds it."""
    planted = "planted-5f2e91c07ab4"
    items = [
        item(1, url=f"https://user:{planted}@a.example.com/"),
        item(2, url=f"https://b.example.com/?token={planted}"),
    ]
    with behind(sandbox, reads=holding_all(sandbox, items)) as (_, client):
        explorer = await auditing(client)
        assert 2 == len([row for row in findings(explorer) if row[1] == title_of("credentials_in_url")])
        assert planted not in states()
        explorer.close()


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param(LIVE, id="live key")])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, key: str) -> None:
    """Not with every tab opened, fixes planned, and a server that says the key back in an error."""
    value, good = sandbox.keys[key].reveal(), passed(sandbox)
    gone = threading.Event()

    def reads(connection: Any, received: RecordedRequest) -> bool:
        refusal = status(401, type="authentication_error", message=f"Bad key {value}")
        return (refusal if gone.is_set() else good)(connection, received)

    with behind(sandbox, key=key, reads=reads) as (_, client):
        explorer = await auditing(client)
        await explorer.audit.plan_fixes()
        explorer.table.select(ids(explorer)[:1])
        for tab in TABS:
            explorer.open(tab)
            await turns()
        gone.set()
        with pytest.raises(errors.AuthenticationError):
            await explorer.audit.audit()
        assert "Bad key" in explorer.audit.status.text
        assert value not in states()
        assert value not in repr(explorer.audit)
        explorer.close()


@in_loop
async def test_no_widget_holds_a_secret_that_a_list_tells(sandbox: cx.Sandbox) -> None:
    """A signing secret that a server puts where it does not belong does not reach the page."""
    secret = "whsec_" + "planted0" * 4
    items = [item(1, secret=secret, url="http://plain.example.com/"), item(2, secret=secret, events=[])]
    with behind(sandbox, reads=holding_all(sandbox, items)) as (_, client):
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        assert 2 == len(form.changes.rows)
        assert secret not in states()
        explorer.close()


@in_loop
async def test_thousands_of_findings_are_little_to_tell_a_page(sandbox: cx.Sandbox) -> None:
    """What is found is counted in full, and shown in part."""
    before = alive()
    items = [item(number, url=f"http://n{number:05}.example.com/hook") for number in range(2_000)]
    with behind(sandbox, reads=holding_all(sandbox, items)) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        explorer.open("Audit")
        found = await explorer.audit.audit()
        await explorer.audit.plan_fixes()
        assert 2_000 == found.counts()["high"]
        assert findings(explorer)
        assert weight(before) < 200_000
        assert "2,000 high" in explorer.audit.status.text
        explorer.close()


# --- leaving nothing --------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_leaves_nothing(neglected: cx.Sandbox) -> None:
    """Not after an audit, a plan and its application: no widget, no task, no thread."""
    with neglected.client(LIVE) as client:
        warm = await auditing(client)
        warm.close()
        await until(lambda: not others())
        widgets, threads = alive(), set(threading.enumerate())
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        await form.submit(confirm="apply 3 changes")
        await turns()
        explorer.close()
        await until(lambda: not others())
        assert widgets == alive()
        assert [] == left_of(threads)


@in_loop
async def test_closing_in_the_middle_of_an_audit_leaves_nothing(neglected: cx.Sandbox) -> None:
    """What is found afterwards is shown to nobody."""
    gate, line = threading.Event(), passed(neglected)
    with behind(neglected, key=LIVE, reads=once(line, line, held(gate, line), then=line)) as (server, client):
        widgets = alive()
        explorer = await opened(client)
        explorer.open("Audit")
        await until(lambda: len(server.requests) == 3)
        explorer.close()
        gate.set()
        await until(lambda: not others())
        assert widgets == alive()


@in_loop
async def test_closing_in_the_middle_of_mending_begins_no_further_step(neglected: cx.Sandbox) -> None:
    """The fix under way ends; nobody is left to see the next one, and nothing is read for it."""
    gate, line = threading.Event(), passed(neglected)
    with behind(neglected, held(gate, line), key=LIVE) as (server, client):
        widgets = alive()
        explorer = await auditing(client)
        form = await explorer.audit.plan_fixes()
        work = asyncio.gather(form.submit(confirm="apply 3 changes"), return_exceptions=True)
        await until(lambda: written(server))
        explorer.close()
        gate.set()
        await asyncio.gather(work, return_exceptions=True)
        await until(lambda: not others())
        assert 1 == len(written(server))
        assert widgets == alive()


@in_loop
async def test_fifty_openings_leave_nothing(neglected: cx.Sandbox) -> None:
    """Whether the audit was over or not when it was closed."""
    with neglected.client(LIVE) as client:
        widgets, threads = alive(), set(threading.enumerate())
        for number in range(50):
            explorer = cx.Explorer(client)
            if number % 5 == 0:
                await explorer.refresh()
            explorer.open("Audit")
            if number % 10 == 0:
                await explorer.audit.audit()
                await explorer.audit.plan_fixes()
            await turns(number % 3)
            explorer.close()
        await until(lambda: not others())
        assert widgets == alive()
        assert [] == left_of(threads)


@in_loop
async def test_closing_the_tab_alone_leaves_the_explorer(neglected: cx.Sandbox) -> None:
    """Its table still refreshes, and closing all of it afterwards closes nothing twice."""
    with neglected.client(LIVE) as client:
        widgets = alive()
        explorer = await auditing(client)
        explorer.audit.close()
        assert 9 == len(await explorer.refresh())
        explorer.close()
        explorer.close()
        await until(lambda: not others())
        assert widgets == alive()


# --- Undo after several -----------------------------------------------------------------------------------------------


@in_loop
async def test_before_anything_was_done_there_is_nothing_to_undo(client: cx.Client) -> None:
    """Neither at first, nor for a selection alone, nor after what changed nothing."""
    explorer = await opened(client)
    told = [offered(explorer, "undo")]
    explorer.table.select(ids(explorer)[:3])
    told.append(offered(explorer, "undo"))
    assert ["unchanged"] * 3 == outcomes(await explorer.act("resume"))
    told.append(offered(explorer, "undo"))
    assert [False, False, False] == told
    explorer.close()


@pytest.mark.parametrize(
    ("action", "start", "words"),
    [
        pytest.param("pause", [True, True, True, False], "Undo: resume 3 webhooks", id="pause"),
        pytest.param("resume", [False, True, False, False], "Undo: pause 3 webhooks", id="resume"),
    ],
)
@in_loop
async def test_undo_takes_back_what_was_done_and_nothing_else(
    sandbox: cx.Sandbox, client: cx.Client, action: str, start: list[bool], words: str
) -> None:
    """All four are selected, three are changed, and those three are as before; the fourth was so already."""
    for webhook, wanted in zip(listed(sandbox), start, strict=True):
        if webhook.is_active != wanted:
            client.webhooks.update(webhook.id, is_active=wanted)
    explorer = await opened(client)
    explorer.table.select(ids(explorer))
    await explorer.act(action)
    assert [action == "resume"] * 4 == active(sandbox)
    assert offered(explorer, "undo")
    assert words == explorer.buttons["undo"].description
    explorer.buttons["undo"].click()
    await turns(50)
    await rested(explorer)
    assert start == active(sandbox)
    assert start == [row[2] == "active" for row in explorer.table.rows]
    explorer.close()


@in_loop
async def test_undo_writes_no_more_than_the_states(sandbox: cx.Sandbox) -> None:
    """A PATCH for each that was changed, with `isActive` alone, by a press or by two."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        await explorer.act("pause")
        explorer.buttons["undo"].click()
        explorer.buttons["undo"].click()
        await turns(50)
        await rested(explorer)
        assert [{"isActive": False}] * 2 + [{"isActive": True}] * 2 == [request.json for request in written(server)]
        explorer.close()


@pytest.mark.parametrize(
    "select",
    [
        pytest.param([], id="nothing selected"),
        pytest.param([3], id="another one"),
        pytest.param([1, 2, 3], id="others"),
    ],
)
@in_loop
async def test_undo_is_for_those_that_were_changed_and_not_for_those_selected_now(
    sandbox: cx.Sandbox, client: cx.Client, select: list[int]
) -> None:
    """What is selected afterwards has nothing to do with it."""
    before = active(sandbox)
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer.table.select(ids(explorer), on=False)
    explorer.table.select([ids(explorer)[place] for place in select])
    assert "Undo: resume 2 webhooks" == explorer.buttons["undo"].description
    explorer.buttons["undo"].click()
    await turns(50)
    await rested(explorer)
    assert before == active(sandbox)
    explorer.close()


@in_loop
async def test_undo_is_not_offered_during_work(sandbox: cx.Sandbox) -> None:
    """It comes when the work is over, and says what was done by then, if it was stopped."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        work = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        during = offered(explorer, "undo")
        explorer.stop()
        gate.set()
        assert ["done", "not tried", "not tried"] == outcomes(await work)
        assert (False, True) == (during, offered(explorer, "undo"))
        assert "Undo: resume 1 webhook" == explorer.buttons["undo"].description
        explorer.buttons["undo"].click()
        await turns(50)
        await rested(explorer)
        assert [True, True, True, False] == active(sandbox)
        explorer.close()


@in_loop
async def test_undo_after_a_failure_is_for_what_was_done(sandbox: cx.Sandbox) -> None:
    """The connection broke at the second of three: the first is taken back."""
    with behind(sandbox, passed(sandbox), *[reset()] * 4) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert ["done", "failed", "not tried"] == outcomes(await explorer.act("pause"))
        assert "Undo: resume 1 webhook" == explorer.buttons["undo"].description
        explorer.buttons["undo"].click()
        await turns(50)
        await rested(explorer)
        assert [True, True, True, False] == active(sandbox)
        explorer.close()


@in_loop
async def test_undo_goes_on_past_one_that_is_gone(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The one that somebody deleted is not made anew, and the other is resumed."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    client.webhooks.delete(ids(explorer)[0])
    explorer.buttons["undo"].click()
    await turns(50)
    await rested(explorer)
    assert [("CRM sync", True), ("Search index", True), ("Boss fight overlay", False)] == [
        (hook.name, hook.is_active) for hook in listed(sandbox)
    ]
    explorer.close()


@in_loop
async def test_an_undo_can_be_undone(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It resumed several, so there is an Undo for that."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer.buttons["undo"].click()
    await turns(50)
    await rested(explorer)
    assert "Undo: pause 2 webhooks" == explorer.buttons["undo"].description
    explorer.buttons["undo"].click()
    await turns(50)
    await rested(explorer)
    assert [False, False, True, False] == active(sandbox)
    explorer.close()


@in_loop
async def test_deleting_offers_no_undo(client: cx.Client) -> None:
    """What was deleted cannot be resumed, though it was paused before."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    await explorer.act("delete")
    assert not offered(explorer, "undo")
    explorer.close()


@in_loop
async def test_a_reading_client_has_nothing_to_undo(sandbox: cx.Sandbox) -> None:
    """It did nothing."""
    with behind(sandbox, write=False) as (server, reader):
        explorer = await opened(reader)
        explorer.table.select(ids(explorer)[:2])
        assert ["failed"] * 2 == outcomes(await explorer.act("pause"))
        assert not offered(explorer, "undo")
        assert [] == written(server)
        explorer.close()


@in_loop
async def test_on_a_live_key_undo_needs_its_words(sandbox: cx.Sandbox) -> None:
    """A press alone changes nothing, nor do the words for what is taken back; with its own it is done."""
    with behind(sandbox, key=LIVE) as (server, client):
        before = active(sandbox, LIVE)
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        await explorer.act("pause", confirm="pause 2 webhooks")
        [field] = [
            widget
            for widget in widgets_of(explorer)
            if "confirm" in getattr(widget, "label", "") and seen(explorer, widget)
        ]
        for said in ("", "pause 2 webhooks", "resume 1 webhook"):
            field.value = said
            explorer.buttons["undo"].click()
            await turns(50)
            await rested(explorer)
        assert 2 == len(written(server))
        field.value = "resume 2 webhooks"
        explorer.buttons["undo"].click()
        await turns(50)
        await rested(explorer)
        assert 4 == len(written(server))
        assert before == active(sandbox, LIVE)
        explorer.close()


@in_loop
async def test_closing_after_an_undo_leaves_nothing(client: cx.Client) -> None:
    """No widget, no task, no thread."""
    warm = await opened(client)
    warm.close()
    await until(lambda: not others())
    widgets, threads = alive(), set(threading.enumerate())
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    await explorer.act("pause")
    explorer.buttons["undo"].click()
    await turns()
    explorer.close()
    await until(lambda: not others())
    assert widgets == alive()
    assert [] == left_of(threads)
