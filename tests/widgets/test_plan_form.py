"""The form that shows a plan, applies it step by step, and takes it back."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import ipywidgets
import pandas as pd
import pytest

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
    listed,
    once,
    passed,
    pressed,
    settled,
    shown,
    states,
    turns,
    until,
    widgets_of,
    written,
)
from tests.support.scripted_server import Script, cut, data, garbled, hang_up, reset, status

pytestmark = pytest.mark.usefixtures("no_widget_is_left")

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
OTHER = {"name": "Other", "url": "https://example.com/other", "events": "ticket.closed", "is_active": False}
NAMES = ["Slack notifications", "CRM sync", "Search index", "Boss fight overlay"]
"""What the webhooks of a fresh sandbox are called."""


@pytest.fixture
def sandbox(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened()


# --- plans and what they leave ----------------------------------------------------------------------------------------


def rows(*cells: dict[str, Any]) -> pd.DataFrame:
    """A frame with just these cells."""
    return pd.DataFrame(list(cells), dtype=object)


def ids(sandbox: cx.Sandbox, key: str = "secret") -> list[str]:
    return [hook.id for hook in listed(sandbox, key)]


def three(sandbox: cx.Sandbox, key: str = "secret") -> pd.DataFrame:
    """Three webhooks get other names: One, Two and Three."""
    return rows(
        *({"id": each, "name": name} for each, name in zip(ids(sandbox, key), ("One", "Two", "Three"), strict=False))
    )


def five(sandbox: cx.Sandbox) -> pd.DataFrame:
    """A renaming with other events, a pause, a create, a create that is paused, and a delete."""
    one, two, third, _ = ids(sandbox)
    return rows(
        {"id": one, "name": "Renamed", "events": ("ticket.created", "ticket.updated")},
        {"id": two, "is_active": False},
        NEW,
        OTHER,
        {"id": third, "delete": True},
    )


def opened(client: cx.Client, desired: pd.DataFrame) -> cx.PlanForm:
    return cx.PlanForm(cx.plan(client, desired))


def content(hook: cx.Webhook) -> tuple[Any, ...]:
    return (hook.name, hook.url, tuple(sorted(hook.events or ())), hook.is_active)


def state(sandbox: cx.Sandbox, key: str = "secret") -> dict[str, tuple[Any, ...]]:
    """All that a plan can change, for each webhook."""
    return {hook.id: content(hook) for hook in listed(sandbox, key)}


def contents(sandbox: cx.Sandbox) -> list[tuple[Any, ...]]:
    """The same, for comparing where ids are new."""
    return sorted(state(sandbox).values())


def names(sandbox: cx.Sandbox) -> list[str]:
    return [hook.name for hook in listed(sandbox)]


async def tried(form: cx.PlanForm, **options: Any) -> list[str]:
    """The outcomes of a submit, whether all went well or not."""
    try:
        return [step.outcome for step in await form.submit(**options)]
    except errors.IncompleteError as error:
        return [step.outcome for step in error.steps]


def outcomes_shown(form: cx.PlanForm) -> list[str]:
    """The outcome that each line under the changes tells."""
    known = ("not tried", "unchanged", "unknown", "failed", "done")
    return [next(word for word in known if word in line.partition(",")[0]) for line in form.steps.lines]


def secrets_told(form: cx.PlanForm) -> list[str]:
    """What the page gets when it asks every reveal for its secret."""
    sent: list[Any] = []
    below: list[ipywidgets.Widget] = [form.secrets]
    for widget in below:
        below += getattr(widget, "children", ())
        widget.send = lambda message, *_: sent.append(message)
        widget._handle_custom_msg({"event": "ask", "nonce": "n"}, [])
    assert [] == [message for message in sent if message["nonce"] != "n"]
    return [message["value"] for message in sent]


def others() -> list[asyncio.Task[Any]]:
    """The tasks under way that are neither the test nor the one that bounds its time."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


# --- what is shown before anything is done ----------------------------------------------------------------------------


@in_loop
async def test_opening_sends_nothing(sandbox: cx.Sandbox) -> None:
    """The plan has read what it needs; showing it costs no request, and says nothing yet."""
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, five(sandbox))
        before = len(server.requests)
        form = cx.PlanForm(plan)
        await turns(50)
        assert before == len(server.requests) == 1
        assert form.plan is plan
        assert ("", "", 0) == (form.status.text, form.status.tone, form.status.wait_until)
        assert ([], (), None) == (list(form.steps.lines), tuple(form.secrets.children), form.result)
        form.close()


@in_loop
async def test_every_change_is_a_row(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What, which webhook, which field, before, after: in the order of the plan."""
    form = opened(client, five(sandbox))
    url = "https://search.example.com/hooks/articles"
    assert [
        ["update", "Slack notifications", "name", "Slack notifications", "Renamed"],
        [
            "update",
            "Slack notifications",
            "events",
            "ticket.created, ticket.closed",
            "ticket.created, ticket.updated",
        ],
        ["update", "CRM sync", "is_active", "active", "paused"],
        ["create", "New", "url", "", "https://example.com/new"],
        ["create", "New", "events", "", "ticket.created"],
        ["create", "New", "is_active", "", "active"],
        ["create", "Other", "url", "", "https://example.com/other"],
        ["create", "Other", "events", "", "ticket.closed"],
        ["create", "Other", "is_active", "", "paused"],
        ["delete", "Search index", "url", url, ""],
        ["delete", "Search index", "events", "article.*", ""],
        ["delete", "Search index", "is_active", "active", ""],
    ] == [row[:5] for row in form.changes.rows if row[2] != "name" or row[0] == "update"]
    form.close()


@in_loop
async def test_what_a_delete_takes_with_it_is_said_beforehand(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The note of its rows says that id and secret are lost."""
    form = opened(client, rows({"id": ids(sandbox)[0], "delete": True}))
    notes = {row[5] for row in form.changes.rows}
    assert [] == [note for note in notes if "secret" not in note or "id" not in note]
    assert notes
    form.close()


def test_a_form_shows_itself_and_says_what_and_where_it_is(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A notebook shows the widget, everything else a line; no running loop is needed for that."""
    form = opened(client, five(sandbox))
    bundle = form._repr_mimebundle_()
    assert "PlanForm(sandbox, team team_sandbox)" == repr(form) == bundle["text/plain"]
    assert form.widget.model_id == bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert isinstance(form.widget, ipywidgets.VBox)
    form.close()


@in_loop
async def test_only_what_can_be_done_is_offered(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Before the first submit there is nothing to stop, to cancel or to take back."""
    form = opened(client, five(sandbox))
    assert (False, False) == (form.button.disabled, hidden(form.button))
    assert (True, True, True) == (hidden(form.stop), hidden(form.undo), hidden(form.cancel))
    assert hidden(form.confirmation)
    form.close()


@in_loop
async def test_an_empty_plan_has_nothing_to_press(sandbox: cx.Sandbox) -> None:
    """The button is dead, and a press that comes all the same sends nothing."""
    with behind(sandbox) as (server, client):
        form = opened(client, rows({"id": ids(sandbox)[0], "name": NAMES[0]}))
        assert ([], True) == (list(form.changes.rows), form.button.disabled)
        assert hidden(form.undo)
        form.button.click()
        await turns(50)
        assert (1, True) == (len(server.requests), form.button.disabled)
        form.close()


@in_loop
async def test_the_line_of_python_does_the_same(sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client) -> None:
    """On another sandbox it leaves the same webhooks."""
    with other.client() as its_client:
        form = opened(client, five(sandbox))
        [line] = form.code.lines
        await form.submit()
        eval(line, {"plan": cx.plan(its_client, five(other))})
        assert listed(other) == listed(sandbox)
        form.close()


# --- applying ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_a_submit_does_all_of_it(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A step for each change in order, a line for each, an account, and the webhooks are as wanted."""
    before = state(sandbox)
    form = opened(client, five(sandbox))
    applied = await form.submit()
    assert form.result is applied
    assert ["update", "update", "create", "create", "delete"] == [step.change.what for step in applied]
    assert ["done"] * 5 == [step.outcome for step in applied] == outcomes_shown(form)
    assert applied.account().rstrip(".") in form.status.text
    assert ("done", False) == (form.status.tone, form.button.disabled)
    one, two, _, four = before
    assert {
        one: ("Renamed", before[one][1], ("ticket.created", "ticket.updated"), True),
        two: (*before[two][:3], False),
        four: before[four],
    } == {each: told for each, told in state(sandbox).items() if each in before}
    assert [("New", True), ("Other", False)] == [(hook.name, hook.is_active) for hook in listed(sandbox)[3:]]
    form.close()


@in_loop
async def test_the_button_does_the_same_as_submit(sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client) -> None:
    """Pressing leads to the same webhooks and the same words as awaiting does on another sandbox."""
    with other.client() as its_client:
        awaited = opened(its_client, five(other))
        await awaited.submit()
        form = opened(client, five(sandbox))
        await pressed(form)
        assert (awaited.status.text, awaited.steps.lines) == (form.status.text, form.steps.lines)
        assert str(awaited.result) == str(form.result)
        assert listed(other) == listed(sandbox)


@in_loop
async def test_progress_is_shown_step_by_step(sandbox: cx.Sandbox) -> None:
    """A line comes when its step is over, and not before."""
    gates = [threading.Event() for _ in range(3)]
    with behind(sandbox, *[held(gate, passed(sandbox)) for gate in gates]) as (server, client):
        form = opened(client, three(sandbox))
        work = asyncio.create_task(form.submit())
        for number, gate in enumerate(gates):
            await until(lambda: len(written(server)) == number + 1)  # noqa: B023 (awaited at once)
            await turns(50)
            assert number == len(form.steps.lines)
            assert ["done"] * number == outcomes_shown(form)
            assert ("busy", True) == (form.status.tone, form.button.disabled)
            gate.set()
        await work
        assert ["done"] * 3 == outcomes_shown(form)
        form.close()


@in_loop
async def test_while_it_is_applied_one_can_stop_and_nothing_else(sandbox: cx.Sandbox) -> None:
    """Undo would take back what is not over yet; it comes when the work is done, and Stop goes."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        plan = form.plan
        form.button.click()
        await until(lambda: written(server))
        during = (hidden(form.stop), form.stop.disabled, hidden(form.undo), form.button.disabled)
        form.undo.click()
        await turns(50)
        assert form.plan is plan
        gate.set()
        await settled(form)
        assert (False, False, True, True) == during
        assert (True, False, False) == (hidden(form.stop), hidden(form.undo), form.undo.disabled)
        form.close()


@in_loop
async def test_two_gathered_submits_are_one(sandbox: cx.Sandbox) -> None:
    """Whoever asks while it is applied gets what comes of it."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        one, two = await asyncio.gather(form.submit(), form.submit())
        assert one is two
        assert ["PATCH"] * 3 == [request.method for request in written(server)]
        form.close()


@in_loop
async def test_a_submit_and_a_click_while_one_runs_begin_no_other(sandbox: cx.Sandbox) -> None:
    """The click does nothing, and the cell that awaits joins what the button has begun."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        form.button.click()
        form.button.click()
        await until(lambda: written(server))
        sent = len(server.requests)
        form.button.click()
        joined = asyncio.create_task(form.submit())
        await turns(50)
        assert sent == len(server.requests)
        gate.set()
        result = await joined
        await settled(form)
        assert form.result is result
        assert ["PATCH"] * 3 == [request.method for request in written(server)]
        form.close()


@in_loop
async def test_a_later_submit_finds_it_done(sandbox: cx.Sandbox) -> None:
    """A cell that is run again writes nothing, and no webhook is there twice."""
    with behind(sandbox) as (server, client):
        form = opened(client, five(sandbox))
        await form.submit()
        before, wrote = listed(sandbox), len(written(server))
        assert ["unchanged"] * 5 == [step.outcome for step in await form.submit()] == outcomes_shown(form)
        assert (before, wrote) == (listed(sandbox), len(written(server)))
        form.close()


@in_loop
async def test_the_loop_is_free_while_it_is_applied(sandbox: cx.Sandbox) -> None:
    """The server is silent, and yet everything else goes on."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        work = asyncio.create_task(form.submit())
        await until(lambda: written(server))
        await turns(500)
        assert not work.done()
        gate.set()
        assert ["done"] * 3 == [step.outcome for step in await work]
        form.close()


# --- stopping ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_stop_ends_the_work_between_two_steps(sandbox: cx.Sandbox) -> None:
    """The step under way is finished and told as done; those after it were not tried, and it is said so."""
    gate = threading.Event()
    with behind(sandbox, passed(sandbox), held(gate, passed(sandbox))) as (server, client):
        desired = three(sandbox)
        form = opened(client, desired)
        work = asyncio.create_task(form.submit())
        await until(lambda: len(written(server)) == 2)
        form.stop.click()
        form.stop.click()
        gate.set()
        with pytest.raises(errors.IncompleteError) as caught:
            await work
        assert ["done", "done", "not tried"] == [step.outcome for step in caught.value.steps] == outcomes_shown(form)
        assert ["One", "Two", *NAMES[2:]] == names(sandbox)
        assert "2 done, 1 not tried." in form.status.text
        assert (True, False, False) == (hidden(form.stop), hidden(form.undo), form.button.disabled)
        form.close()


@in_loop
async def test_what_was_stopped_is_carried_on_by_another_submit(sandbox: cx.Sandbox) -> None:
    """What is done is not done again, and the rest is."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, five(sandbox))
        work = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        form.stop.click()
        gate.set()
        assert ["done", *["not tried"] * 4] == await work
        assert ["unchanged", *["done"] * 4] == await tried(form)
        assert ["Renamed", "CRM sync", "Boss fight overlay", "New", "Other"] == names(sandbox)
        assert "done" == form.status.tone
        form.close()


@in_loop
async def test_what_was_stopped_is_taken_back_by_undo(sandbox: cx.Sandbox) -> None:
    """Only what was done is taken back, to the very state before."""
    gate, before = threading.Event(), state(sandbox)
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        work = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        form.stop.click()
        gate.set()
        await work
        form.undo.click()
        await turns()
        assert ["unchanged", "unchanged", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


@in_loop
async def test_a_stop_before_or_after_the_work_stops_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whoever pressed it at the wrong moment still gets all of it done, and taken back."""
    before = state(sandbox)
    form = opened(client, three(sandbox))
    form.stop.click()
    assert ["done"] * 3 == await tried(form)
    form.stop.click()
    form.undo.click()
    form.stop.click()
    assert ["done"] * 3 == await tried(form)
    assert before == state(sandbox)
    form.close()


# --- failing, and going on --------------------------------------------------------------------------------------------


@in_loop
async def test_a_change_by_somebody_else_is_not_written_over(sandbox: cx.Sandbox) -> None:
    """Its step failed and says what moved; the others are done."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        with sandbox.client() as somebody:
            somebody.webhooks.update(ids(sandbox)[1], name="Theirs")
        with pytest.raises(errors.IncompleteError) as caught:
            await form.submit()
        assert ["done", "failed", "done"] == [step.outcome for step in caught.value.steps] == outcomes_shown(form)
        assert ["One", "Theirs", "Three", NAMES[3]] == names(sandbox)
        assert 2 == len(written(server))
        assert "Theirs" in form.steps.lines[1]
        assert "2 done, 1 failed." in form.status.text
        assert ("failed", False) == (form.status.tone, form.button.disabled)
        form.close()


@in_loop
async def test_once_the_conflict_is_out_of_the_way_the_rest_is_done(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Until then another submit finds the same conflict, and writes nothing."""
    form = opened(client, three(sandbox))
    with sandbox.client() as somebody:
        second = ids(sandbox)[1]
        somebody.webhooks.update(second, name="Theirs")
        await tried(form)
        assert ["unchanged", "failed", "unchanged"] == await tried(form)
        somebody.webhooks.update(second, name="CRM sync")
        assert ["unchanged", "done", "unchanged"] == await tried(form) == outcomes_shown(form)
    assert ["One", "Two", "Three", NAMES[3]] == names(sandbox)
    assert "done" == form.status.tone
    form.close()


@in_loop
async def test_one_that_is_gone_does_not_stop_the_others(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It failed, and it is not made anew."""
    form = opened(client, three(sandbox))
    client.webhooks.delete(ids(sandbox)[0])
    assert ["failed", "done", "done"] == await tried(form) == outcomes_shown(form)
    assert ["Two", "Three", NAMES[3]] == names(sandbox)
    form.close()


BREAKS = [
    pytest.param(reset(), id="reset"),
    pytest.param(hang_up(), id="hung up"),
    pytest.param(cut('{"success": true, "data": {"id": "whk_1"}}', 20), id="cut in the body"),
    pytest.param(garbled(), id="garbled"),
]


@pytest.mark.parametrize("broken", BREAKS)
@in_loop
async def test_a_connection_that_breaks_ends_the_work_and_another_submit_goes_on(
    broken: Script, sandbox: cx.Sandbox
) -> None:
    """What was done is told, the rest was not tried, and when the line is good again all of it gets done."""
    with behind(sandbox, passed(sandbox), *[broken] * 4) as (_, client):
        form = opened(client, three(sandbox))
        assert ["done", "failed", "not tried"] == await tried(form) == outcomes_shown(form)
        assert ["One", *NAMES[1:]] == names(sandbox)
        assert "1 done, 1 failed, 1 not tried." in form.status.text
        assert ("failed", False, True) == (form.status.tone, form.button.disabled, hidden(form.stop))
        assert ["unchanged", "done", "done"] == await tried(form)
        assert ["One", "Two", "Three", NAMES[3]] == names(sandbox)
        form.close()


@pytest.mark.parametrize("broken", BREAKS)
@in_loop
async def test_a_connection_cut_in_every_call_is_told_in_words(broken: Script, sandbox: cx.Sandbox) -> None:
    """A click leaves a sentence and a form that can be used again, and no step is told as done."""
    with behind(sandbox, *[broken] * 8, reads=once(passed(sandbox), then=broken)) as (server, client):
        form = opened(client, three(sandbox))
        await pressed(form)
        assert ("failed", 0, False, True) == (
            form.status.tone,
            form.status.wait_until,
            form.button.disabled,
            hidden(form.cancel),
        )
        assert form.status.text
        assert "Traceback" not in form.status.text
        assert ["failed", "not tried", "not tried"] == outcomes_shown(form)
        assert [] == written(server)
        form.close()


@in_loop
async def test_a_server_that_acts_and_cuts_the_connection_has_acted_once(
    sandbox: cx.Sandbox, other: cx.Sandbox
) -> None:
    """Every write's first answer is lost, and yet nothing is there twice and all of it is done."""
    lost = [line for _ in range(6) for line in (passed(sandbox, answered=False), passed(sandbox))]
    with behind(sandbox, *lost) as (_, client), other.client() as undisturbed:
        form, expected = opened(client, five(sandbox)), opened(undisturbed, five(other))
        await form.submit()
        await expected.submit()
        assert contents(other) == contents(sandbox)
        assert (expected.status.text, ["done"] * 5) == (form.status.text, outcomes_shown(form))
        form.close()


@in_loop
async def test_what_nobody_knows_is_told_and_can_be_taken_back(sandbox: cx.Sandbox) -> None:
    """A write that happened and can be read back by nobody is unknown; Undo finds out, and restores."""
    before, mute = state(sandbox), threading.Event()

    def acts(connection: Any, received: Any) -> bool:
        mute.set()
        return passed(sandbox, answered=False)(connection, received)

    def reads(connection: Any, received: Any) -> bool:
        return (reset() if mute.is_set() else passed(sandbox))(connection, received)

    with behind(sandbox, *[acts] * 4, reads=reads) as (_, client):
        form = opened(client, three(sandbox))
        assert ["unknown", "not tried", "not tried"] == await tried(form) == outcomes_shown(form)
        assert "1 unknown" in form.status.text
        assert "One" == names(sandbox)[0]
        mute.clear()
        assert not hidden(form.undo)
        form.undo.click()
        await turns()
        assert ["unchanged", "unchanged", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


@in_loop
async def test_a_refused_key_is_told_in_words(sandbox: cx.Sandbox) -> None:
    """The rest would meet the same, and is not tried."""
    with behind(sandbox, *[status(401, type="authentication_error")] * 2) as (server, client):
        form = opened(client, three(sandbox))
        await pressed(form)
        assert ["failed", "not tried", "not tried"] == outcomes_shown(form)
        assert ("failed", False) == (form.status.tone, form.button.disabled)
        assert 1 == len(written(server))
        form.close()


@in_loop
async def test_where_nothing_was_done_there_is_nothing_to_take_back(sandbox: cx.Sandbox) -> None:
    """Undo is not offered for a plan that changed nothing."""
    with behind(sandbox, *[status(401, type="authentication_error")] * 2) as (_, client):
        form = opened(client, three(sandbox))
        await tried(form)
        assert hidden(form.undo)
        form.close()


@in_loop
async def test_a_second_failure_does_not_take_undo_away(sandbox: cx.Sandbox) -> None:
    """What the first submit did is still there to be taken back, though the second did nothing more."""
    before = state(sandbox)
    with behind(sandbox, passed(sandbox), *[reset()] * 8) as (_, client):
        form = opened(client, three(sandbox))
        assert ["done", "failed", "not tried"] == await tried(form)
        assert ["unchanged", "failed", "not tried"] == await tried(form)
        assert not hidden(form.undo)
        form.undo.click()
        await turns()
        assert ["unchanged", "unchanged", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


@in_loop
async def test_a_wait_is_shown_and_can_be_cancelled(sandbox: cx.Sandbox) -> None:
    """Cancel ends it at once, and the form can be used again: it finishes what is left."""
    with behind(sandbox, passed(sandbox), status(429, {"Retry-After": "30"})) as (server, client):
        form = opened(client, three(sandbox))
        work = asyncio.create_task(tried(form))
        await until(lambda: form.status.wait_until)
        assert ("busy", True, False) == (form.status.tone, form.button.disabled, hidden(form.cancel))
        assert "30 s" in form.status.text
        form.cancel.click()
        assert ["done", "failed", "not tried"] == await work
        assert ("failed", 0, False, True) == (
            form.status.tone,
            form.status.wait_until,
            form.button.disabled,
            hidden(form.cancel),
        )
        assert 2 == len(written(server))
        assert ["unchanged", "done", "done"] == await tried(form)
        form.close()


@in_loop
async def test_stop_during_a_wait_is_heard(sandbox: cx.Sandbox) -> None:
    """After the wait the step under way is finished, and none after it is begun."""
    gate = threading.Event()
    with behind(sandbox, status(429, retryAfter=0.05), held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        work = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        assert not hidden(form.stop)
        form.stop.click()
        gate.set()
        assert ["done", "not tried", "not tried"] == await work
        assert 2 == len(written(server))
        form.close()


# --- taking it back ---------------------------------------------------------------------------------------------------


@in_loop
async def test_undo_shows_the_way_back_and_does_nothing(sandbox: cx.Sandbox) -> None:
    """The inverse is there for review, in reverse order; no request is sent until it is submitted."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        plan = form.plan
        await form.submit()
        before, sent = state(sandbox), len(server.requests)
        form.undo.click()
        await turns(50)
        assert [
            ["update", "Three", "name", "Three", "Search index"],
            ["update", "Two", "name", "Two", "CRM sync"],
            ["update", "One", "name", "One", "Slack notifications"],
        ] == [row[:5] for row in form.changes.rows]
        assert (before, sent) == (state(sandbox), len(server.requests))
        assert form.plan is not plan
        assert len(form.plan) == len(plan)
        assert ([], False) == (list(form.steps.lines), form.button.disabled)
        assert form.status.text
        form.close()


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_a_submitted_undo_restores_the_very_state(sandbox: cx.Sandbox, client: cx.Client, by_click: bool) -> None:
    """Names, URLs, events and states are as before, under the same ids."""
    before = state(sandbox)
    one, two, third, four = before
    desired = rows(
        {"id": one, "name": "Renamed", "events": ("ticket.created", "ticket.updated")},
        {"id": two, "is_active": False},
        {"id": third, "url": "https://example.com/moved"},
        {"id": four, "is_active": True},
    )
    form = opened(client, desired)
    await form.submit()
    form.undo.click()
    await turns()
    await (pressed(form) if by_click else form.submit())
    assert before == state(sandbox)
    assert ["done"] * 4 == outcomes_shown(form)
    assert "done" == form.status.tone
    form.close()


@in_loop
async def test_a_deleted_webhook_comes_back_with_another_id_and_it_is_said_so(
    sandbox: cx.Sandbox, client: cx.Client
) -> None:
    """Everything else is as before; the note says beforehand that id and secret are new."""
    before = contents(sandbox)
    form = opened(client, five(sandbox))
    await form.submit()
    form.undo.click()
    await turns()
    notes = [row[5] for row in form.changes.rows if row[:2] == ["create", "Search index"]]
    assert [] == [note for note in notes if "secret" not in note or "new" not in note]
    assert notes
    await form.submit()
    assert before == contents(sandbox)
    form.close()


@in_loop
async def test_what_was_taken_back_can_be_wanted_again(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Undo of an undo is what was wanted at first."""
    form = opened(client, five(sandbox))
    await form.submit()
    wanted = contents(sandbox)
    for _ in range(2):
        form.undo.click()
        await turns()
        await form.submit()
    assert wanted == contents(sandbox)
    form.close()


@in_loop
async def test_a_double_press_on_undo_is_one_press(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What is shown then is the way back, and submitting it leads back."""
    before = state(sandbox)
    form = opened(client, three(sandbox))
    await form.submit()
    form.undo.click()
    form.undo.click()
    await turns()
    assert [NAMES[2], NAMES[1], NAMES[0]] == [row[4] for row in form.changes.rows]
    await form.submit()
    assert before == state(sandbox)
    form.close()


@in_loop
async def test_undo_does_not_take_back_what_somebody_else_did(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What has moved since stays as it is, and it is said so."""
    form = opened(client, three(sandbox))
    await form.submit()
    form.undo.click()
    await turns()
    with sandbox.client() as somebody:
        somebody.webhooks.update(ids(sandbox)[1], name="Theirs")
    assert ["done", "failed", "done"] == await tried(form)
    assert [NAMES[0], "Theirs", *NAMES[2:]] == names(sandbox)
    assert "Theirs" in form.steps.lines[1]
    form.close()


@in_loop
async def test_an_undo_stopped_halfway_is_carried_on(sandbox: cx.Sandbox) -> None:
    """The way back is gone in steps as well, and another submit goes on with it."""
    before, gate = state(sandbox), threading.Event()
    with behind(sandbox, *[passed(sandbox)] * 3, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        await form.submit()
        form.undo.click()
        await turns()
        work = asyncio.create_task(tried(form))
        await until(lambda: len(written(server)) == 4)
        form.stop.click()
        gate.set()
        assert ["done", "not tried", "not tried"] == await work
        assert ["unchanged", "done", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


# --- live keys and readers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "words"),
    [pytest.param(1, "apply 1 change", id="one"), pytest.param(3, "apply 3 changes", id="three")],
)
@in_loop
async def test_on_a_live_key_it_says_what_to_type(sandbox: cx.Sandbox, count: int, words: str) -> None:
    """And those words, which count the changes, let it be done."""
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live").iloc[:count])
        assert not hidden(form.confirmation)
        assert words in form.confirmation.label
        assert ["done"] * count == await tried(form, confirm=words)
        assert count == len(written(server))
        form.close()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="nothing"),
        pytest.param("", id="empty"),
        pytest.param("yes", id="yes"),
        pytest.param(True, id="True"),
        pytest.param("Apply 3 changes", id="other case"),
        pytest.param("apply 3 change", id="cut short"),
        pytest.param("apply 2 changes", id="another number"),
        pytest.param("apply", id="the verb alone"),
    ],
)
@in_loop
async def test_on_a_live_key_nothing_is_sent_unconfirmed(sandbox: cx.Sandbox, given: Any) -> None:
    """Only the very words confirm; anything else is refused before the network."""
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live"))
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm=given)
        assert 1 == len(server.requests)
        assert "failed" == form.status.tone
        assert form.status.text.startswith("Not done:")
        assert ([], True) == (list(form.steps.lines), hidden(form.undo))
        form.close()


@in_loop
async def test_on_a_live_key_a_click_takes_what_was_typed(sandbox: cx.Sandbox) -> None:
    """A wrong word is refused in the status line; the right one lets the same button act."""
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live"))
        form.confirmation.value = "apply 4 changes"
        await pressed(form)
        refused = (form.status.tone, len(written(server)))
        form.confirmation.value = "apply 3 changes"
        await pressed(form)
        assert (("failed", 0), ("done", 3)) == (refused, (form.status.tone, len(written(server))))
        form.close()


@in_loop
async def test_on_a_live_key_the_way_back_is_confirmed_anew(sandbox: cx.Sandbox) -> None:
    """The words that were typed for the plan do not stand for its inverse."""
    before = state(sandbox, "live")
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live"))
        form.confirmation.value = "apply 3 changes"
        await pressed(form)
        form.undo.click()
        await turns()
        await pressed(form)
        assert (3, "failed") == (len(written(server)), form.status.tone)
        form.confirmation.value = "apply 3 changes"
        await pressed(form)
        assert (6, "done") == (len(written(server)), form.status.tone)
        assert before == state(sandbox, "live")
        form.close()


@pytest.mark.parametrize(
    ("key", "options", "kind"),
    [
        pytest.param("secret", {"write": False}, errors.ReadOnlyError, id="reading client"),
        pytest.param("publishable", {}, errors.PermissionDeniedError, id="publishable key"),
    ],
)
@in_loop
async def test_who_may_only_read_changes_nothing(
    sandbox: cx.Sandbox, key: str, options: dict[str, Any], kind: type[Exception]
) -> None:
    """The plan is shown all the same; a submit is refused before any request, and says so."""
    with behind(sandbox, key=key, **options) as (server, reader):
        form = opened(reader, three(sandbox))
        assert 3 == len(form.changes.rows)
        with pytest.raises(kind):
            await form.submit()
        assert 1 == len(server.requests)
        assert "failed" == form.status.tone
        assert form.status.text.startswith("Not done:")
        assert hidden(form.undo)
        form.close()


@in_loop
async def test_a_reading_client_has_a_dead_button(sandbox: cx.Sandbox) -> None:
    """It says why before anybody tries."""
    with sandbox.client(write=False) as reader:
        form = opened(reader, three(sandbox))
        assert form.button.disabled
        assert form.status.text
        form.close()


# --- signing secrets --------------------------------------------------------------------------------------------------


@in_loop
async def test_the_secrets_of_created_webhooks_are_told_by_pull_only(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The page gets each when it asks for it; until then and after it no widget holds one."""
    form = opened(client, five(sandbox))
    applied = await form.submit()
    secrets = [step.webhook.secret.reveal() for step in applied if step.change.what == "create"]
    before = states()
    assert 2 == len(form.secrets.children)
    assert secrets == secrets_told(form)
    everything = before + states() + repr(form) + json.dumps(form._repr_mimebundle_()) + repr(applied)
    assert [] == [secret for secret in secrets if secret in everything]
    form.close()


@in_loop
async def test_each_reveal_says_whose_secret_it_is(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """With two of them nobody has to guess."""
    form = opened(client, rows(NEW, OTHER))
    await form.submit()
    told = [
        json.dumps([part.get_state() for part in (place, *getattr(place, "children", ()))], default=repr)
        for place in form.secrets.children
    ]
    assert [(True, False), (False, True)] == [("'New'" in each, "'Other'" in each) for each in told]
    form.close()


@in_loop
async def test_before_a_create_there_is_no_secret_to_reveal(sandbox: cx.Sandbox) -> None:
    """Neither in a fresh form, nor after updates alone, nor where the create failed."""
    with behind(sandbox, passed(sandbox), status(422, type="validation_error")) as (_, client):
        form = opened(client, rows({"id": ids(sandbox)[0], "name": "One"}, NEW))
        fresh = len(form.secrets.children)
        assert ["done", "failed"] == await tried(form)
        assert [0, 0] == [fresh, len(form.secrets.children)]
        assert [] == secrets_told(form)
        form.close()


@in_loop
async def test_a_secret_is_told_though_a_later_step_fails(sandbox: cx.Sandbox) -> None:
    """cStar tells it once: what came before the failure is not lost, nor by going on."""
    with behind(sandbox, passed(sandbox), *[reset()] * 4) as (_, client):
        form = opened(client, rows(NEW, {"id": ids(sandbox)[0], "name": "One"}))
        with pytest.raises(errors.IncompleteError) as caught:
            await form.submit()
        secret = caught.value.steps[0].webhook.secret.reveal()
        assert [secret] == secrets_told(form)
        assert ["unchanged", "done"] == await tried(form)
        assert [secret] == secrets_told(form)
        form.close()


@in_loop
async def test_a_webhook_made_anew_by_undo_tells_its_new_secret(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its receiver needs it, for the old one is gone."""
    form = opened(client, rows({"id": ids(sandbox)[0], "delete": True}))
    await form.submit()
    assert [] == secrets_told(form)
    form.undo.click()
    await turns()
    applied = await form.submit()
    secret = applied[0].webhook.secret.reveal()
    assert [secret] == secrets_told(form)
    assert secret not in states()
    form.close()


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param("live", id="live key")])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, key: str) -> None:
    """Not when the plan is shown, not after it was applied, and not after it was taken back."""
    with sandbox.client(key) as client:
        form = opened(client, rows(NEW))
        told = [states()]
        await form.submit(confirm="apply 1 change")
        told.append(states())
        form.undo.click()
        await turns()
        told.append(states())
        await form.submit(confirm="apply 1 change")
        told += [states(), repr(form), json.dumps(form._repr_mimebundle_())]
        assert sandbox.keys[key].reveal() not in "".join(told)
        form.close()


@in_loop
async def test_what_a_server_repeats_of_key_and_secret_is_not_shown(sandbox: cx.Sandbox) -> None:
    """An error that quotes them reaches neither the status nor a line with them."""
    key, secret = sandbox.key.reveal(), "whsec_" + "planted0" * 4
    refusal = status(422, type="validation_error", message=f"No team for {key} with {secret}")
    with behind(sandbox, refusal) as (_, client):
        form = opened(client, three(sandbox))
        assert ["failed", "done", "done"] == await tried(form)
        assert "No team for" in form.steps.lines[0]
        assert [] == [each for each in (key, secret) if each in states()]
        form.close()


# --- hostile text -----------------------------------------------------------------------------------------------------


def assert_shown_as_characters(form: cx.PlanForm) -> None:
    """Control and direction characters are spelled out, and nothing would read the text as markup."""
    said = [cell for row in form.changes.rows for cell in row] + [*form.steps.lines, form.status.text]
    assert [] == [text for text in said if not text.isprintable()]
    assert [] == [each for each in CONTROLS if each in shown(form)]
    types = {type(each).__name__ for each in widgets_of(form)}
    assert set() == {"HTML", "HTMLMath", "Label"} & types


@in_loop
async def test_hostile_webhooks_are_shown_as_those_characters(sandbox: cx.Sandbox) -> None:
    """Names, URLs and events of a server, and its errors, stay text wherever they appear."""
    text = HOSTILE + CONTROLS
    item = {
        "id": "whk_1",
        "name": text,
        "url": f"https://example.com/{text}",
        "events": [text, "ticket.created"],
        "isActive": True,
    }
    refusal = status(422, type="validation_error", message=text)

    def reads(connection: Any, received: Any) -> bool:
        return data([item] if received.path.endswith("/webhooks") else item)(connection, received)

    with behind(sandbox, *[refusal] * 4, reads=reads) as (_, client):
        for desired in ({"id": "whk_1", "is_active": False, "name": "Tame"}, {"id": "whk_1", "delete": True}):
            form = opened(client, rows(desired))
            assert_shown_as_characters(form)
            assert HOSTILE in "".join(cell for row in form.changes.rows for cell in row)
            assert ["failed"] == await tried(form)
            assert_shown_as_characters(form)
            assert HOSTILE in form.steps.lines[0]
            form.close()


@in_loop
async def test_a_hostile_name_can_be_given_and_taken_back(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Markup and mathematics are characters like all others, in the rows, the lines and at the reveal."""
    before = contents(sandbox)
    form = opened(client, rows({"id": ids(sandbox)[0], "name": HOSTILE}, NEW | {"name": HOSTILE + "!"}))
    await form.submit()
    assert [HOSTILE, HOSTILE + "!"] == [names(sandbox)[0], names(sandbox)[-1]]
    assert_shown_as_characters(form)
    form.undo.click()
    await turns()
    assert_shown_as_characters(form)
    await form.submit()
    assert before == contents(sandbox)
    form.close()


@in_loop
async def test_a_name_of_ten_thousand_characters_is_shown_shortened(sandbox: cx.Sandbox) -> None:
    """What is sent is whole; what is shown is not."""
    item = {"id": "whk_1", "name": "n" * 10_000, "url": "https://example.com/", "events": ["*"], "isActive": True}
    ipywidgets.Widget.close_all()  # what other tests have left open may hold as long a name

    def reads(connection: Any, received: Any) -> bool:
        return data([item] if received.path.endswith("/webhooks") else item)(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        form = opened(client, rows({"id": "whk_1", "is_active": False}))
        assert "nnnn" in form.changes.rows[0][1]
        assert "n" * 9_000 not in states()
        form.close()


# --- leaving nothing --------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_leaves_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Not after it was applied, taken back, and had shown secrets: no widget, no task, no thread."""
    warm = opened(client, three(sandbox))
    await warm.submit()
    warm.close()
    await until(lambda: not others())
    desired = five(sandbox)
    widgets, threads = alive(), set(threading.enumerate())
    form = opened(client, desired)
    await form.submit()
    form.undo.click()
    await turns()
    await form.submit()
    form.close()
    await until(lambda: not others())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_fifty_openings_leave_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whether anything was applied or not."""
    plan = cx.plan(client, five(sandbox))
    widgets, threads = alive(), set(threading.enumerate())
    for number in range(50):
        form = cx.PlanForm(plan)
        if number % 10 == 0:
            await form.submit()
            form.undo.click()
        await turns(number % 3)
        form.close()
    await until(lambda: not others())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_closing_twice_is_closing_once(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The second time there is nothing to close."""
    desired = three(sandbox)
    widgets = alive()
    form = opened(client, desired)
    form.close()
    form.close()
    assert widgets == alive()


@in_loop
async def test_closing_leaves_the_client_open(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It belongs to somebody else, and so does the plan."""
    form = opened(client, three(sandbox))
    plan = form.plan
    form.close()
    assert ["done"] * 3 == [step.outcome for step in plan.apply()]


async def closed_midway(server: Any, form: cx.PlanForm, gate: threading.Event, *, by_click: bool) -> None:
    """The form is closed during its first write, and the server's answer comes after that."""
    waiting = [] if by_click else [asyncio.gather(form.submit(), return_exceptions=True)]
    if by_click:
        form.button.click()
    await until(lambda: written(server))
    form.close()
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    await until(lambda: not others())


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_closing_in_the_middle_begins_no_further_step(sandbox: cx.Sandbox, by_click: bool) -> None:
    """The step under way ends; nobody is left to see the next one."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        await closed_midway(server, opened(client, three(sandbox)), gate, by_click=by_click)
        assert 1 == len(written(server))
        assert ["One", *NAMES[1:]] == names(sandbox)


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_closing_in_the_middle_leaves_no_widget(sandbox: cx.Sandbox, by_click: bool) -> None:
    """What comes afterwards, a created webhook's secret included, opens nothing."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        plan = cx.plan(client, rows(NEW, {"id": ids(sandbox)[0], "name": "One"}))
        widgets = alive()
        await closed_midway(server, cx.PlanForm(plan), gate, by_click=by_click)
        assert widgets == alive()
