"""The form that shows a plan, applies it, and can undo it."""

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets
import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.widgets.inputs import SecretReveal
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
"""The names of the webhooks of a new sandbox."""


@pytest.fixture
def sandbox(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened()


# --- helpers ----------------------------------------------------------------------------------------------------------


def rows(*cells: dict[str, Any]) -> pd.DataFrame:
    """A frame with these rows."""
    return pd.DataFrame(list(cells), dtype=object)


def ids(sandbox: cx.Sandbox, key: str = "secret") -> list[str]:
    return [hook.id for hook in listed(sandbox, key)]


def three(sandbox: cx.Sandbox, key: str = "secret") -> pd.DataFrame:
    """Renames three webhooks to One, Two and Three."""
    return rows(
        *({"id": each, "name": name} for each, name in zip(ids(sandbox, key), ("One", "Two", "Three"), strict=False))
    )


def five(sandbox: cx.Sandbox) -> pd.DataFrame:
    """A rename with new events, a pause, a create, a paused create and a delete."""
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
    """What a plan can change, by webhook ID."""
    return {hook.id: content(hook) for hook in listed(sandbox, key)}


def contents(sandbox: cx.Sandbox) -> list[tuple[Any, ...]]:
    """The same without IDs, for recreated webhooks."""
    return sorted(state(sandbox).values())


def names(sandbox: cx.Sandbox) -> list[str]:
    return [hook.name for hook in listed(sandbox)]


async def tried(form: cx.PlanForm, **options: Any) -> list[str]:
    """The outcomes of a submit, whether or not it raises."""
    try:
        return [step.outcome for step in await form.submit(**options)]
    except errors.IncompleteError as error:
        return [step.outcome for step in error.steps]


def outcomes_shown(form: cx.PlanForm) -> list[str]:
    """The outcomes in the lines below the changes."""
    outcomes = ("not tried", "unchanged", "unknown", "failed", "done")
    return [next(name for name in outcomes if name in line.partition(",")[0]) for line in results(form)]


def results(form: cx.PlanForm) -> list[str]:
    """The result of each change of the page that was tried, with what it does, and its webhook."""
    tried = [row for row in form.changes.rows if row[0] != "question" and row[4] not in {"", "running"}]
    return [f"{row[4].partition(':')[0]}, {row[0]} '{row[1]}': {row[4]}" for row in tried]


def press(form: cx.PlanForm, event: str, key: str) -> None:
    """Presses a button of a row."""
    form.changes._handle_custom_msg({"event": event, "key": key}, [])


def reveals(form: cx.PlanForm) -> list[SecretReveal]:
    return [widget for widget in widgets_of(form) if isinstance(widget, SecretReveal)]


def revealed_secrets(form: cx.PlanForm) -> list[str]:
    """The secrets that the page receives when the button of each row that has one is pressed, and the secret is asked for."""
    sent: list[Any] = []
    for row in form.changes.rows:
        if row[2]:
            press(form, "secret", row[2])
            [reveal] = reveals(form)
            reveal.send = lambda message, *_: sent.append(message)
            reveal._handle_custom_msg({"event": "ask", "nonce": "n"}, [])
    assert [] == [message for message in sent if message["nonce"] != "n"]
    return [message["value"] for message in sent]


def other_tasks() -> list[asyncio.Task[Any]]:
    """The running tasks other than the test and its timeout."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


# --- before the plan is applied ---------------------------------------------------------------------------------------


@in_loop
async def test_opening_sends_nothing(sandbox: cx.Sandbox) -> None:
    """The plan already holds all it needs; the status is empty."""
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, five(sandbox))
        before = len(server.requests)
        form = cx.PlanForm(plan)
        await turns(50)
        assert before == len(server.requests) == 1
        assert form.plan is plan
        assert ("", "", 0) == (form.status.text, form.status.tone, form.status.wait_until)
        assert ([], 0, None) == (list(results(form)), len(form.secrets), form.result)
        form.close()


@in_loop
async def test_every_webhook_is_a_row(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What happens, the webhook and the changes in words, in the order of the plan, and how many of each above."""
    form = opened(client, five(sandbox))
    assert [
        ["update", "Slack notifications", "Name: Slack notifications → Renamed; +ticket.updated, −ticket.closed"],
        ["pause", "CRM sync", "Active: yes → no"],
        ["create", "New", "https://example.com/new; ticket.created"],
        ["create", "Other", "https://example.com/other; ticket.closed; paused"],
        ["delete", "Search index", "https://search.example.com/hooks/articles; article.*"],
    ] == [[row[0], row[1], row[3]] for row in form.changes.rows]
    assert ["5 webhooks: 2 created, 1 changed, 1 paused, 1 deleted."] == list(form.summary.lines)
    form.close()


@in_loop
async def test_webhooks_of_the_same_name_are_told_apart(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """By their IDs."""
    hooks = [client.webhooks.create(name="Twin", url="https://example.com/", events="ticket.created") for _ in range(2)]
    form = opened(client, rows(*({"id": hook.id, "delete": True} for hook in hooks)))
    assert [f"Twin ({hook.id})" for hook in hooks] == [row[1] for row in form.changes.rows]
    form.close()


@in_loop
async def test_what_deletes_lose_is_said_once(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Above the table, with their number."""
    form = opened(client, rows(*({"id": each, "delete": True} for each in ids(sandbox)[:2])))
    assert ["The ID and signing secret of 2 deleted webhooks are lost."] == list(form.notes.lines)
    assert {""} == {row[5] for row in form.changes.rows}
    form.close()


def test_a_form_has_a_widget_and_a_text(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Also without a running loop."""
    form = opened(client, five(sandbox))
    bundle = form._repr_mimebundle_()
    assert "PlanForm(sandbox, team team_sandbox)" == repr(form) == bundle["text/plain"]
    assert form.widget.model_id == bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert isinstance(form.widget, ipywidgets.VBox)
    form.close()


@in_loop
async def test_only_apply_is_visible_at_first(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """There is nothing to stop, cancel, undo or confirm."""
    form = opened(client, five(sandbox))
    assert (False, False) == (form.button.disabled, hidden(form.button))
    assert (True, True, True) == (hidden(form.stop), hidden(form.undo), hidden(form.cancel))
    assert hidden(form.confirmation)
    form.close()


@in_loop
async def test_an_empty_plan_cannot_be_applied(sandbox: cx.Sandbox) -> None:
    """The button is disabled, and a click sends nothing."""
    with behind(sandbox) as (server, client):
        form = opened(client, rows({"id": ids(sandbox)[0], "name": NAMES[0]}))
        assert ([], True) == (list(form.changes.rows), form.button.disabled)
        assert hidden(form.undo)
        form.button.click()
        await turns(50)
        assert (1, True) == (len(server.requests), form.button.disabled)
        form.close()


@in_loop
async def test_the_shown_code_has_the_same_effect(sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client) -> None:
    """Run against an identical sandbox."""
    with other.client() as other_client:
        form = opened(client, five(sandbox))
        [line] = form.code.lines
        await form.submit()
        eval(line, {"plan": cx.plan(other_client, five(other))})
        assert listed(other) == listed(sandbox)
        form.close()


# --- applying ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_submit_applies_the_whole_plan(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """One step and one line for each change in order, and a summary."""
    before = state(sandbox)
    form = opened(client, five(sandbox))
    applied = await form.submit()
    assert form.result is applied
    assert ["update", "update", "create", "create", "delete"] == [step.change.what for step in applied]
    assert ["done"] * 5 == [step.outcome for step in applied] == outcomes_shown(form)
    assert applied.summary().rstrip(".") in form.status.text
    assert ("done", True) == (form.status.tone, form.button.disabled), "it is done once"
    one, two, _, four = before
    assert {
        one: ("Renamed", before[one][1], ("ticket.created", "ticket.updated"), True),
        two: (*before[two][:3], False),
        four: before[four],
    } == {each: fields for each, fields in state(sandbox).items() if each in before}
    assert [("New", True), ("Other", False)] == [(hook.name, hook.is_active) for hook in listed(sandbox)[3:]]
    form.close()


@in_loop
async def test_the_button_does_the_same_as_submit(sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client) -> None:
    """The webhooks and the texts are equal."""
    with other.client() as other_client:
        awaited = opened(other_client, five(other))
        await awaited.submit()
        form = opened(client, five(sandbox))
        await pressed(form)
        assert (awaited.status.text, results(awaited)) == (form.status.text, results(form))
        assert str(awaited.result) == str(form.result)
        assert listed(other) == listed(sandbox)


@in_loop
async def test_progress_is_shown_step_by_step(sandbox: cx.Sandbox) -> None:
    """Each line appears when its step has ended."""
    gates = [threading.Event() for _ in range(3)]
    with behind(sandbox, *[held(gate, passed(sandbox)) for gate in gates]) as (server, client):
        form = opened(client, three(sandbox))
        submit = asyncio.create_task(form.submit())
        for number, gate in enumerate(gates):
            await until(lambda: len(written(server)) == number + 1)  # noqa: B023 - called in this iteration
            await turns(50)
            assert number == len(results(form))
            assert ["done"] * number == outcomes_shown(form)
            assert ("busy", True) == (form.status.tone, form.button.disabled)
            gate.set()
        await submit
        assert ["done"] * 3 == outcomes_shown(form)
        form.close()


@in_loop
async def test_while_a_plan_is_applied_only_stop_is_visible(sandbox: cx.Sandbox) -> None:
    """Undo replaces Stop at the end, and does nothing before."""
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
async def test_two_concurrent_submits_share_one_run(sandbox: cx.Sandbox) -> None:
    """Both return the same result."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        one, two = await asyncio.gather(form.submit(), form.submit())
        assert one is two
        assert ["PATCH"] * 3 == [request.method for request in written(server)]
        form.close()


@in_loop
async def test_a_submit_or_click_during_a_run_starts_no_other(sandbox: cx.Sandbox) -> None:
    """The click does nothing, and the submit waits for the run."""
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
async def test_a_second_submit_changes_nothing(sandbox: cx.Sandbox) -> None:
    """All steps are unchanged, and nothing is written."""
    with behind(sandbox) as (server, client):
        form = opened(client, five(sandbox))
        await form.submit()
        before, wrote = listed(sandbox), len(written(server))
        assert ["unchanged"] * 5 == [step.outcome for step in await form.submit()] == outcomes_shown(form)
        assert (before, wrote) == (listed(sandbox), len(written(server)))
        form.close()


@in_loop
async def test_the_event_loop_is_free_while_a_plan_is_applied(sandbox: cx.Sandbox) -> None:
    """While the server does not respond."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        submit = asyncio.create_task(form.submit())
        await until(lambda: written(server))
        await turns(500)
        assert not submit.done()
        gate.set()
        assert ["done"] * 3 == [step.outcome for step in await submit]
        form.close()


# --- stopping ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_stop_ends_the_run_after_the_current_step(sandbox: cx.Sandbox) -> None:
    """The current step is done, the remaining ones are not tried."""
    gate = threading.Event()
    with behind(sandbox, passed(sandbox), held(gate, passed(sandbox))) as (server, client):
        desired = three(sandbox)
        form = opened(client, desired)
        submit = asyncio.create_task(form.submit())
        await until(lambda: len(written(server)) == 2)
        form.stop.click()
        form.stop.click()
        gate.set()
        with pytest.raises(errors.IncompleteError) as caught:
            await submit
        assert ["done", "done", "not tried"] == [step.outcome for step in caught.value.steps] == outcomes_shown(form)
        assert ["One", "Two", *NAMES[2:]] == names(sandbox)
        assert "2 done, 1 not tried." in form.status.text
        assert (True, False, False) == (hidden(form.stop), hidden(form.undo), form.button.disabled)
        form.close()


@in_loop
async def test_a_stopped_plan_is_resumed_by_another_submit(sandbox: cx.Sandbox) -> None:
    """Steps that are done are not repeated."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, five(sandbox))
        submit = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        form.stop.click()
        gate.set()
        assert ["done", *["not tried"] * 4] == await submit
        assert ["unchanged", *["done"] * 4] == await tried(form)
        assert ["Renamed", "CRM sync", "Boss fight overlay", "New", "Other"] == names(sandbox)
        assert "done" == form.status.tone
        form.close()


@in_loop
async def test_a_stopped_plan_is_reverted_by_undo(sandbox: cx.Sandbox) -> None:
    """Only the steps that were done are reverted."""
    gate, before = threading.Event(), state(sandbox)
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        submit = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        form.stop.click()
        gate.set()
        await submit
        form.undo.click()
        await turns()
        assert ["unchanged", "unchanged", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


@in_loop
async def test_stop_outside_a_run_has_no_effect(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The plan is applied and reverted completely."""
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


# --- failing and resuming ---------------------------------------------------------------------------------------------


@in_loop
async def test_a_change_made_elsewhere_is_not_overwritten(sandbox: cx.Sandbox) -> None:
    """Its step fails and names the difference; the others are done."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        with sandbox.client() as elsewhere:
            elsewhere.webhooks.update(ids(sandbox)[1], name="Theirs")
        with pytest.raises(errors.IncompleteError) as caught:
            await form.submit()
        assert ["done", "failed", "done"] == [step.outcome for step in caught.value.steps] == outcomes_shown(form)
        assert ["One", "Theirs", "Three", NAMES[3]] == names(sandbox)
        assert 2 == len(written(server))
        assert "Theirs" in results(form)[1]
        assert "2 done, 1 failed." in form.status.text
        assert ("failed", False) == (form.status.tone, form.button.disabled)
        form.close()


@in_loop
async def test_a_plan_is_completed_once_its_conflict_is_resolved(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Until then each submit finds the same conflict."""
    form = opened(client, three(sandbox))
    with sandbox.client() as elsewhere:
        second = ids(sandbox)[1]
        elsewhere.webhooks.update(second, name="Theirs")
        await tried(form)
        assert ["unchanged", "failed", "unchanged"] == await tried(form)
        elsewhere.webhooks.update(second, name="CRM sync")
        assert ["unchanged", "done", "unchanged"] == await tried(form) == outcomes_shown(form)
    assert ["One", "Two", "Three", NAMES[3]] == names(sandbox)
    assert "done" == form.status.tone
    form.close()


@in_loop
async def test_a_deleted_webhook_does_not_stop_the_others(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its step fails, and it is not recreated."""
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
async def test_a_broken_connection_ends_the_run_and_another_submit_resumes_it(
    broken: Script, sandbox: cx.Sandbox
) -> None:
    """The remaining steps are not tried until then."""
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
async def test_a_connection_that_breaks_in_every_call_is_reported(broken: Script, sandbox: cx.Sandbox) -> None:
    """The form can be used again, and no step counts as done."""
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
async def test_a_lost_response_does_not_repeat_a_write(sandbox: cx.Sandbox, other: cx.Sandbox) -> None:
    """Each first response is lost, and the result is the same as without losses."""
    lost = [response for _ in range(6) for response in (passed(sandbox, answered=False), passed(sandbox))]
    with behind(sandbox, *lost) as (_, client), other.client() as undisturbed:
        form, expected = opened(client, five(sandbox)), opened(undisturbed, five(other))
        await form.submit()
        await expected.submit()
        assert contents(other) == contents(sandbox)
        assert (expected.status.text, ["done"] * 5) == (form.status.text, outcomes_shown(form))
        form.close()


@in_loop
async def test_an_unknown_outcome_is_reported_and_can_be_undone(sandbox: cx.Sandbox) -> None:
    """The write took effect but could not be read back."""
    before, unreachable = state(sandbox), threading.Event()

    def write(connection: Any, received: Any) -> bool:
        unreachable.set()
        return passed(sandbox, answered=False)(connection, received)

    def reads(connection: Any, received: Any) -> bool:
        return (reset() if unreachable.is_set() else passed(sandbox))(connection, received)

    with behind(sandbox, *[write] * 4, reads=reads) as (_, client):
        form = opened(client, three(sandbox))
        assert ["unknown", "not tried", "not tried"] == await tried(form) == outcomes_shown(form)
        assert "1 unknown" in form.status.text
        assert "One" == names(sandbox)[0]
        unreachable.clear()
        assert not hidden(form.undo)
        form.undo.click()
        await turns()
        assert ["unchanged", "unchanged", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


@in_loop
async def test_a_refused_key_is_reported(sandbox: cx.Sandbox) -> None:
    """The remaining steps are not tried."""
    with behind(sandbox, *[status(401, type="authentication_error")] * 2) as (server, client):
        form = opened(client, three(sandbox))
        await pressed(form)
        assert ["failed", "not tried", "not tried"] == outcomes_shown(form)
        assert ("failed", False) == (form.status.tone, form.button.disabled)
        assert 1 == len(written(server))
        form.close()


@in_loop
async def test_without_a_change_there_is_no_undo(sandbox: cx.Sandbox) -> None:
    """The first step failed."""
    with behind(sandbox, *[status(401, type="authentication_error")] * 2) as (_, client):
        form = opened(client, three(sandbox))
        await tried(form)
        assert hidden(form.undo)
        form.close()


@in_loop
async def test_a_second_failure_keeps_undo(sandbox: cx.Sandbox) -> None:
    """It reverts what the first submit did."""
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
    """The form can then be submitted again."""
    with behind(sandbox, passed(sandbox), status(429, {"Retry-After": "30"})) as (server, client):
        form = opened(client, three(sandbox))
        submit = asyncio.create_task(tried(form))
        await until(lambda: form.status.wait_until)
        assert ("busy", True, False) == (form.status.tone, form.button.disabled, hidden(form.cancel))
        assert "30 s" in form.status.text
        form.cancel.click()
        assert ["done", "failed", "not tried"] == await submit
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
async def test_stop_during_a_wait_takes_effect(sandbox: cx.Sandbox) -> None:
    """The current step completes, and no other starts."""
    gate = threading.Event()
    with behind(sandbox, status(429, retryAfter=0.05), held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        submit = asyncio.create_task(tried(form))
        await until(lambda: written(server))
        assert not hidden(form.stop)
        form.stop.click()
        gate.set()
        assert ["done", "not tried", "not tried"] == await submit
        assert 2 == len(written(server))
        form.close()


# --- Undo -------------------------------------------------------------------------------------------------------------


@in_loop
async def test_undo_shows_the_inverse_plan_and_sends_nothing(sandbox: cx.Sandbox) -> None:
    """Its changes are in reverse order."""
    with behind(sandbox) as (server, client):
        form = opened(client, three(sandbox))
        plan = form.plan
        await form.submit()
        before, sent = state(sandbox), len(server.requests)
        form.undo.click()
        await turns(50)
        assert [
            ["update", "Three", "Name: Three → Search index"],
            ["update", "Two", "Name: Two → CRM sync"],
            ["update", "One", "Name: One → Slack notifications"],
        ] == [[row[0], row[1], row[3]] for row in form.changes.rows]
        assert ["plan = plan.invert()", "plan.apply()"] == list(form.code.lines)
        assert (before, sent) == (state(sandbox), len(server.requests))
        assert form.plan is not plan
        assert len(form.plan) == len(plan)
        assert ([], False) == (list(results(form)), form.button.disabled)
        assert form.status.text
        form.close()


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_applying_the_inverse_restores_the_state(sandbox: cx.Sandbox, client: cx.Client, by_click: bool) -> None:
    """Names, URLs, events and states, under the same IDs."""
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
async def test_undo_recreates_a_deleted_webhook_with_a_new_id(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its note says that ID and secret are new."""
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
async def test_an_undo_can_be_undone(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The result is that of the first run."""
    form = opened(client, five(sandbox))
    await form.submit()
    expected = contents(sandbox)
    for _ in range(2):
        form.undo.click()
        await turns()
        await form.submit()
    assert expected == contents(sandbox)
    form.close()


@in_loop
async def test_two_clicks_on_undo_count_as_one(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The inverse plan is not inverted again."""
    before = state(sandbox)
    form = opened(client, three(sandbox))
    await form.submit()
    form.undo.click()
    form.undo.click()
    await turns()
    assert [NAMES[2], NAMES[1], NAMES[0]] == [row[3].rpartition(" → ")[2] for row in form.changes.rows]
    await form.submit()
    assert before == state(sandbox)
    form.close()


@in_loop
async def test_undo_does_not_revert_a_change_made_elsewhere(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its step fails and names the difference."""
    form = opened(client, three(sandbox))
    await form.submit()
    form.undo.click()
    await turns()
    with sandbox.client() as elsewhere:
        elsewhere.webhooks.update(ids(sandbox)[1], name="Theirs")
    assert ["done", "failed", "done"] == await tried(form)
    assert [NAMES[0], "Theirs", *NAMES[2:]] == names(sandbox)
    assert "Theirs" in results(form)[1]
    form.close()


@in_loop
async def test_a_stopped_undo_is_resumed_by_another_submit(sandbox: cx.Sandbox) -> None:
    """Until the former state is restored."""
    before, gate = state(sandbox), threading.Event()
    with behind(sandbox, *[passed(sandbox)] * 3, held(gate, passed(sandbox))) as (server, client):
        form = opened(client, three(sandbox))
        await form.submit()
        form.undo.click()
        await turns()
        submit = asyncio.create_task(tried(form))
        await until(lambda: len(written(server)) == 4)
        form.stop.click()
        gate.set()
        assert ["done", "not tried", "not tried"] == await submit
        assert ["unchanged", "done", "done"] == await tried(form)
        assert before == state(sandbox)
        form.close()


# --- live keys and read-only clients ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "phrase"),
    [pytest.param(1, "apply 1 change", id="one"), pytest.param(3, "apply 3 changes", id="three")],
)
@in_loop
async def test_on_a_live_key_the_confirmation_counts_the_changes(sandbox: cx.Sandbox, count: int, phrase: str) -> None:
    """The label shows it, and it lets the plan be applied."""
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live").iloc[:count])
        assert not hidden(form.confirmation)
        assert phrase in form.confirmation.label
        assert ["done"] * count == await tried(form, confirm=phrase)
        assert count == len(written(server))
        form.close()


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="None"),
        pytest.param("", id="empty"),
        pytest.param("yes", id="yes"),
        pytest.param(True, id="True"),
        pytest.param("Apply 3 changes", id="different case"),
        pytest.param("apply 3 change", id="truncated"),
        pytest.param("apply 2 changes", id="wrong number"),
        pytest.param("apply", id="only the verb"),
    ],
)
@in_loop
async def test_on_a_live_key_nothing_is_sent_unconfirmed(sandbox: cx.Sandbox, given: Any) -> None:
    """Only the exact phrase confirms."""
    with behind(sandbox, key="live") as (server, live):
        form = opened(live, three(sandbox, "live"))
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm=given)
        assert 1 == len(server.requests)
        assert "failed" == form.status.tone
        assert form.status.text.startswith("Error:")
        assert ([], True) == (list(results(form)), hidden(form.undo))
        form.close()


@in_loop
async def test_on_a_live_key_a_click_uses_the_typed_phrase(sandbox: cx.Sandbox) -> None:
    """A wrong one is refused in the status."""
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
async def test_on_a_live_key_undo_is_confirmed_separately(sandbox: cx.Sandbox) -> None:
    """The phrase typed for the plan is cleared."""
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
        pytest.param("secret", {"write": False}, errors.ReadOnlyError, id="read-only client"),
        pytest.param("publishable", {}, errors.PermissionDeniedError, id="publishable key"),
    ],
)
@in_loop
async def test_a_client_that_may_not_write_sends_nothing(
    sandbox: cx.Sandbox, key: str, options: dict[str, Any], kind: type[Exception]
) -> None:
    """The plan is shown; a submit is refused."""
    with behind(sandbox, key=key, **options) as (server, reader):
        form = opened(reader, three(sandbox))
        assert 3 == len(form.changes.rows)
        with pytest.raises(kind):
            await form.submit()
        assert 1 == len(server.requests)
        assert "failed" == form.status.tone
        assert form.status.text.startswith("Error:")
        assert hidden(form.undo)
        form.close()


@in_loop
async def test_a_read_only_client_has_a_disabled_button(sandbox: cx.Sandbox) -> None:
    """The status gives the reason."""
    with sandbox.client(write=False) as reader:
        form = opened(reader, three(sandbox))
        assert form.button.disabled
        assert form.status.text
        form.close()


# --- signing secrets --------------------------------------------------------------------------------------------------


@in_loop
async def test_secrets_of_created_webhooks_are_sent_only_on_request(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """No widget's state holds one before or after."""
    form = opened(client, five(sandbox))
    applied = await form.submit()
    secrets = [step.webhook.secret.reveal() for step in applied if step.change.what == "create"]
    before = states()
    assert [] == reveals(form), "none is on the page until it is asked for"
    assert secrets == revealed_secrets(form)
    everything = before + states() + repr(form) + json.dumps(form._repr_mimebundle_()) + repr(applied)
    assert [] == [secret for secret in secrets if secret in everything]
    form.close()


@in_loop
async def test_a_reveal_names_its_webhook(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """With two created webhooks."""
    form = opened(client, rows(NEW, OTHER))
    await form.submit()
    press(form, "secret", form.changes.rows[1][2])
    assert ["'Other'"] == [reveal.content["note"].split()[1] for reveal in reveals(form)]
    form.close()


@in_loop
async def test_all_secrets_are_saved_in_one_step(
    sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a new file of the owner, whose path is shown. Those of webhooks that Undo deleted are not kept."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cstar-secrets.env").touch()
    form = opened(client, rows(NEW, OTHER))
    await form.submit()
    assert not hidden(form.secrets.widget)
    press(form, "secret", form.changes.rows[0][2])
    form.secrets.save_button.click()
    path = tmp_path / "cstar-secrets-2.env"
    assert (0o600, 2) == (path.stat().st_mode & 0o777, len(path.read_text().splitlines()))
    assert ("done", True) == (form.secrets.path.tone, str(path) in form.secrets.path.message)
    assert "plan.save_secrets('cstar-secrets-2.env')" == form.code.lines[-1]
    assert [] == reveals(form)
    form.secrets.save_button.click()
    assert ("failed", True) == (form.secrets.path.tone, "was not overwritten" in form.secrets.path.message)
    form.undo.click()
    await form.submit()
    assert hidden(form.secrets.widget)
    with pytest.raises(errors.ConfigurationError):
        form.save_secrets(tmp_path / "none.json")
    form.close()


@in_loop
async def test_without_a_create_there_is_no_secret_to_reveal(sandbox: cx.Sandbox) -> None:
    """Not at first, not after updates, not after a failed create."""
    with behind(sandbox, passed(sandbox), status(422, type="validation_error")) as (_, client):
        form = opened(client, rows({"id": ids(sandbox)[0], "name": "One"}, NEW))
        fresh = len(form.secrets)
        assert ["done", "failed"] == await tried(form)
        assert [0, 0] == [fresh, len(form.secrets)]
        assert [] == revealed_secrets(form)
        form.close()


@in_loop
async def test_a_secret_is_kept_when_a_later_step_fails(sandbox: cx.Sandbox) -> None:
    """And when the plan is resumed: cStar returns it only once."""
    with behind(sandbox, passed(sandbox), *[reset()] * 4) as (_, client):
        form = opened(client, rows(NEW, {"id": ids(sandbox)[0], "name": "One"}))
        with pytest.raises(errors.IncompleteError) as caught:
            await form.submit()
        secret = caught.value.steps[0].webhook.secret.reveal()
        assert [secret] == revealed_secrets(form)
        assert ["unchanged", "done"] == await tried(form)
        assert [secret] == revealed_secrets(form)
        form.close()


@in_loop
async def test_a_webhook_recreated_by_undo_reveals_its_new_secret(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its receiver needs the new one."""
    form = opened(client, rows({"id": ids(sandbox)[0], "delete": True}))
    await form.submit()
    assert [] == revealed_secrets(form)
    form.undo.click()
    await turns()
    applied = await form.submit()
    secret = applied[0].webhook.secret.reveal()
    assert [secret] == revealed_secrets(form)
    assert secret not in states()
    form.close()


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param("live", id="live key")])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, key: str) -> None:
    """Before, between and after applying and undoing."""
    with sandbox.client(key) as client:
        form = opened(client, rows(NEW))
        texts = [states()]
        await form.submit(confirm="apply 1 change")
        texts.append(states())
        form.undo.click()
        await turns()
        texts.append(states())
        await form.submit(confirm="apply 1 change")
        texts += [states(), repr(form), json.dumps(form._repr_mimebundle_())]
        assert sandbox.keys[key].reveal() not in "".join(texts)
        form.close()


@in_loop
async def test_a_key_or_secret_repeated_by_the_server_is_not_shown(sandbox: cx.Sandbox) -> None:
    """Neither in the status nor in the steps."""
    key, secret = sandbox.key.reveal(), "whsec_" + "planted0" * 4
    refusal = status(422, type="validation_error", message=f"No team for {key} with {secret}")
    with behind(sandbox, refusal) as (_, client):
        form = opened(client, three(sandbox))
        assert ["failed", "done", "done"] == await tried(form)
        assert "No team for" in results(form)[0]
        assert [] == [each for each in (key, secret) if each in states()]
        form.close()


# --- hostile text -----------------------------------------------------------------------------------------------------


def assert_printable(form: cx.PlanForm) -> None:
    """Control and direction characters are escaped, and no widget interprets markup."""
    texts = [cell for row in form.changes.rows for cell in row] + [*results(form), form.status.text]
    assert [] == [text for text in texts if not text.isprintable()]
    assert [] == [each for each in CONTROLS if each in shown(form)]
    types = {type(each).__name__ for each in widgets_of(form)}
    assert set() == {"HTML", "HTMLMath", "Label"} & types


@in_loop
async def test_hostile_webhooks_are_shown_printable(sandbox: cx.Sandbox) -> None:
    """Names, URLs, events and error messages of a server."""
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
        for desired in ({"id": "whk_1", "is_active": False, "name": "Plain"}, {"id": "whk_1", "delete": True}):
            form = opened(client, rows(desired))
            assert_printable(form)
            assert HOSTILE in "".join(cell for row in form.changes.rows for cell in row)
            assert ["failed"] == await tried(form)
            assert_printable(form)
            assert HOSTILE in results(form)[0]
            form.close()


@in_loop
async def test_a_hostile_name_can_be_applied_and_undone(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Markup and formulas stay text in the rows, the steps and the reveal."""
    before = contents(sandbox)
    form = opened(client, rows({"id": ids(sandbox)[0], "name": HOSTILE}, NEW | {"name": HOSTILE + "!"}))
    await form.submit()
    assert [HOSTILE, HOSTILE + "!"] == [names(sandbox)[0], names(sandbox)[-1]]
    assert_printable(form)
    form.undo.click()
    await turns()
    assert_printable(form)
    await form.submit()
    assert before == contents(sandbox)
    form.close()


@in_loop
async def test_a_name_of_ten_thousand_characters_is_shown_shortened(sandbox: cx.Sandbox) -> None:
    """It is sent in full."""
    item = {"id": "whk_1", "name": "n" * 10_000, "url": "https://example.com/", "events": ["*"], "isActive": True}
    ipywidgets.Widget.close_all()  # a widget left open by another test may hold such a name

    def reads(connection: Any, received: Any) -> bool:
        return data([item] if received.path.endswith("/webhooks") else item)(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        form = opened(client, rows({"id": "whk_1", "is_active": False}))
        assert "nnnn" in form.changes.rows[0][1]
        assert "n" * 9_000 not in states()
        form.close()


# --- closing ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_frees_everything(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """No widget, task or thread remains after applying and undoing."""
    first = opened(client, three(sandbox))
    await first.submit()
    first.close()
    await until(lambda: not other_tasks())
    desired = five(sandbox)
    widgets, threads = alive(), set(threading.enumerate())
    form = opened(client, desired)
    await form.submit()
    form.undo.click()
    await turns()
    await form.submit()
    form.close()
    await until(lambda: not other_tasks())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_fifty_forms_are_freed(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whether or not anything was applied."""
    plan = cx.plan(client, five(sandbox))
    widgets, threads = alive(), set(threading.enumerate())
    for number in range(50):
        form = cx.PlanForm(plan)
        if number % 10 == 0:
            await form.submit()
            form.undo.click()
        await turns(number % 3)
        form.close()
    await until(lambda: not other_tasks())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_closing_twice_is_harmless(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The second call does nothing."""
    desired = three(sandbox)
    widgets = alive()
    form = opened(client, desired)
    form.close()
    form.close()
    assert widgets == alive()


@in_loop
async def test_closing_leaves_the_client_open(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Client and plan belong to the caller."""
    form = opened(client, three(sandbox))
    plan = form.plan
    form.close()
    assert ["done"] * 3 == [step.outcome for step in plan.apply()]


async def closed_midway(server: Any, form: cx.PlanForm, gate: threading.Event, *, by_click: bool) -> None:
    """Closes the form during its first write; the response arrives afterwards."""
    waiting = [] if by_click else [asyncio.gather(form.submit(), return_exceptions=True)]
    if by_click:
        form.button.click()
    await until(lambda: written(server))
    form.close()
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    await until(lambda: not other_tasks())


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_closing_during_a_run_starts_no_further_step(sandbox: cx.Sandbox, by_click: bool) -> None:
    """The current step completes."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        await closed_midway(server, opened(client, three(sandbox)), gate, by_click=by_click)
        assert 1 == len(written(server))
        assert ["One", *NAMES[1:]] == names(sandbox)


@pytest.mark.parametrize("by_click", [False, True], ids=["submit", "click"])
@in_loop
async def test_closing_during_a_run_frees_every_widget(sandbox: cx.Sandbox, by_click: bool) -> None:
    """A secret that arrives later creates none."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        plan = cx.plan(client, rows(NEW, {"id": ids(sandbox)[0], "name": "One"}))
        widgets = alive()
        await closed_midway(server, cx.PlanForm(plan), gate, by_click=by_click)
        assert widgets == alive()


# --- questions and notes ----------------------------------------------------------------------------------------------


@in_loop
async def test_a_plan_with_open_questions_cannot_be_applied(sandbox: cx.Sandbox, tmp_path: Any) -> None:
    """The form shows each question with its cell, and sends nothing. A plan without them can be applied."""
    path = tmp_path / "list.csv"
    with behind(sandbox) as (server, client):
        path.write_text(f"id,name,is_active\n{ids(sandbox)[0]},Renamed,\n{ids(sandbox)[1]},,maybe\n")
        plan = cx.plan(client, path)
        form = cx.PlanForm(plan)
        assert (True, "failed") == (form.button.disabled, form.status.tone)
        assert [["question", "3", "skip"], ["update", "", ""]] == [
            [row[0], row[2], row[4]] for row in form.changes.rows
        ]
        assert "C3" in form.changes.rows[0][5]
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert [] == written(server)
        press(form, "accept", "3")
        assert ("failed", 2) == (form.status.tone, len(form.changes.rows)), "it cannot be read"
        press(form, "skip", "3")
        assert ["plan = plan.skip(3)", "plan.apply()"] == list(form.code.lines)
        assert ("", 1) == (form.status.text, len(form.changes.rows))
        assert ["done"] == await tried(form)
        form.close()


@in_loop
async def test_a_question_is_accepted_beside_its_row(sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path) -> None:
    """A name that a spreadsheet may have changed is taken as it is."""
    path = tmp_path / "list.csv"
    path.write_text(f"id,name\n{ids(sandbox)[0]},1/2/2025\n")
    form = cx.PlanForm(cx.plan(client, path))
    [row] = form.changes.rows
    assert ["question", "2", "accept"] == [row[0], row[2], row[4]]
    press(form, "accept", "2")
    assert ["done"] == await tried(form)
    assert "1/2/2025" == names(sandbox)[0]
    form.close()


@in_loop
async def test_notes_of_a_plan_are_shown(sandbox: cx.Sandbox) -> None:
    """Such as a URL that is only spelled otherwise."""
    hook = listed(sandbox)[0]
    with behind(sandbox) as (_, client):
        form = opened(client, rows({"id": hook.id, "name": "Renamed", "url": hook.url.replace("https", "HTTPS")}))
        assert ([True], 1) == (["Nothing is changed" in line for line in form.notes.lines], len(form.changes.rows))
        form.close()


@in_loop
async def test_a_long_plan_is_paged_and_filtered(sandbox: cx.Sandbox) -> None:
    """Its state holds one page. Kinds and outcomes are counted, and each can be shown alone."""
    many = [NEW | {"name": f"New {number}", "url": f"https://example.com/{number}"} for number in range(299)]
    with behind(sandbox) as (_, client):
        form = opened(client, rows(*many, {"id": ids(sandbox)[0], "delete": True}))
        table = form.changes
        assert (50, 6, ["300 webhooks: 299 created, 1 deleted."]) == (len(table.rows), table.pages, form.summary.lines)
        assert len(json.dumps(table.get_state(), default=repr)) < 15_000
        table._handle_custom_msg({"event": "kind", "kind": "delete"}, [])
        assert ([["", 300], ["create", 299], ["delete", 1]], 1) == (table.kinds, len(table.rows))
        table._handle_custom_msg({"event": "kind", "kind": ""}, [])
        table._handle_custom_msg({"event": "page", "page": 6}, [])
        assert ("New 250", NAMES[0]) == (table.rows[0][1], table.rows[-1][1])
        form.close()
