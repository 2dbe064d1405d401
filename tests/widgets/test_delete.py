"""The form that deletes a webhook, and asks first."""

import threading

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
    behind,
    first,
    held,
    hidden,
    in_loop,
    listed,
    once,
    passed,
    pressed,
    settled,
    turns,
    until,
    written,
)
from tests.support.scripted_server import reset, status

EVENTS = ["boss.spawned", "player.level_up"]


def test_the_form_names_the_webhook_and_what_goes_with_it(sandbox: cx.Sandbox, client: cx.Client):
    """Name, URL and events, and that neither the id nor the secret comes back."""
    webhook = first(sandbox)
    loss = " ".join(cx.DeleteForm(client, webhook).loss.lines)
    assert [] == [word for word in (webhook.name, webhook.url, *webhook.events, "id", "secret") if word not in loss]


def test_a_webhook_may_be_given_by_its_id(sandbox: cx.Sandbox, client: cx.Client):
    """The same webhook has the same losses."""
    webhook = first(sandbox)
    assert cx.DeleteForm(client, webhook).loss.lines == cx.DeleteForm(client, webhook.id).loss.lines


def test_an_id_that_does_not_exist_is_told_at_once(client: cx.Client):
    """There is nothing to ask about."""
    with pytest.raises(errors.NotFoundError):
        cx.DeleteForm(client, "whk_nope")


def test_what_cstar_did_not_tell_is_not_made_up(client: cx.Client):
    """A webhook of which only the id is known is called by it."""
    loss = " ".join(cx.DeleteForm(client, cx.models.Webhook.from_item({"id": "whk_1"})).loss.lines)
    assert "whk_1" in loss
    assert "None" not in loss


@in_loop
async def test_the_button_asks_in_place_and_deletes_nothing(sandbox: cx.Sandbox):
    """Pressed, it gives way to the question with its two answers."""
    with behind(sandbox) as (server, client):
        form = cx.DeleteForm(client, first(sandbox))
        at_first = (hidden(form.answers), hidden(form.button))
        form.button.click()
        await until(lambda: not hidden(form.answers))
        assert ((True, False), True) == (at_first, hidden(form.button))
        assert [] == written(server)
        assert 4 == len(listed(sandbox))


@in_loop
async def test_keeping_leads_back_to_the_button(sandbox: cx.Sandbox):
    """Nothing has happened, and the question can be asked again."""
    with behind(sandbox) as (server, client):
        form = cx.DeleteForm(client, first(sandbox))
        for _ in range(2):
            form.button.click()
            await until(lambda: not hidden(form.answers))
            form.keep.click()
            await until(lambda: not hidden(form.button))
            await settled(form)
            assert hidden(form.answers)
        assert [] == written(server)


@in_loop
async def test_confirming_deletes_the_webhook_and_no_other(sandbox: cx.Sandbox, client: cx.Client):
    """The others stay, and the status names the one that is gone."""
    webhook = first(sandbox)
    form = cx.DeleteForm(client, webhook)
    await pressed(form)
    assert 3 == len(listed(sandbox))
    assert webhook.id not in [each.id for each in listed(sandbox)]
    assert "done" == form.status.tone
    assert webhook.name in form.status.text


@in_loop
async def test_a_deleted_webhook_is_not_offered_for_deletion_again(client: cx.Client, sandbox: cx.Sandbox):
    """After success neither the button nor the question is there."""
    form = cx.DeleteForm(client, first(sandbox))
    await pressed(form)
    assert hidden(form.answers)
    assert hidden(form.button) or form.button.disabled


@in_loop
async def test_submit_deletes_without_a_question(sandbox: cx.Sandbox, client: cx.Client):
    """Whoever awaits has decided."""
    webhook = first(sandbox)
    form = cx.DeleteForm(client, webhook)
    assert None is await form.submit()
    assert webhook.id not in [each.id for each in listed(sandbox)]


@in_loop
async def test_confirming_twice_deletes_once(sandbox: cx.Sandbox):
    """A second press on the answer while the call is under way does nothing."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = cx.DeleteForm(client, first(sandbox))
        form.button.click()
        await until(lambda: not hidden(form.answers))
        form.confirm.click()
        form.confirm.click()
        await until(lambda: written(server))
        form.confirm.click()
        await turns()
        gate.set()
        await settled(form)
        assert ["DELETE"] == [request.method for request in written(server)]
        assert "done" == form.status.tone


@in_loop
async def test_pressing_twice_asks_once(sandbox: cx.Sandbox):
    """While the question is being prepared, a second press does nothing."""
    gate = threading.Event()
    with behind(sandbox, reads=held(gate, passed(sandbox))) as (server, client):
        form = cx.DeleteForm(client, first(sandbox))
        form.button.click()
        await until(lambda: server.requests)
        form.button.click()
        await turns()
        gate.set()
        await until(lambda: not hidden(form.answers))
        assert ["GET"] == server.methods


@in_loop
async def test_a_question_that_took_two_attempts_stands_alone(sandbox: cx.Sandbox):
    """Once the question is there, nothing is shown of what it took."""
    with behind(sandbox, reads=once(reset(), then=passed(sandbox))) as (_, client):
        form = cx.DeleteForm(client, first(sandbox))
        form.button.click()
        await until(lambda: not hidden(form.answers))
        await turns()
        assert ("", "", 0, True) == (form.status.text, form.status.tone, form.status.wait_until, hidden(form.cancel))


@pytest.mark.parametrize(
    ("others", "orphans"),
    [
        pytest.param([], ["boss.spawned", "player.level_up"], id="nobody"),
        pytest.param([["boss.spawned"]], ["player.level_up"], id="one of them"),
        pytest.param([["boss.*"]], ["player.level_up"], id="by a group"),
        pytest.param([["boss.*"], ["player.level_up"]], [], id="all of them, by two"),
        pytest.param([["*"]], [], id="by a wildcard"),
    ],
)
@in_loop
async def test_the_question_says_what_nobody_else_receives(
    others: list[list[str]], orphans: list[str], sandbox: cx.Sandbox, client: cx.Client
):
    """Active webhooks that match count as receivers; the sandbox's own webhook on boss events is inactive."""
    mine = client.webhooks.create(name="Mine", url="https://example.com/", events=EVENTS)
    for number, events in enumerate(others):
        client.webhooks.create(name=f"Other {number}", url="https://example.com/", events=events)
    form = cx.DeleteForm(client, mine)
    before = list(form.loss.lines)
    form.button.click()
    await until(lambda: not hidden(form.answers))
    added = " ".join(line for line in form.loss.lines if line not in before)
    assert orphans == [event for event in EVENTS if event in added]


@in_loop
async def test_a_webhook_already_gone_is_not_found(sandbox: cx.Sandbox, client: cx.Client):
    """Somebody else was faster: the form says so, and does not claim to have done it."""
    form = cx.DeleteForm(client, first(sandbox))
    with sandbox.client() as somebody:
        somebody.webhooks.delete(first(sandbox).id)
    with pytest.raises(errors.NotFoundError):
        await form.submit()
    assert "failed" == form.status.tone


@in_loop
async def test_after_a_failure_the_question_can_be_answered_again(sandbox: cx.Sandbox):
    """The form does not get stuck between its button and its question."""
    with behind(sandbox, status(403, message="Not allowed")) as (server, client):
        form = cx.DeleteForm(client, first(sandbox))
        await pressed(form)
        failed = form.status.tone
        await pressed(form)
        assert ("failed", "done") == (failed, form.status.tone)
        assert 2 == len(written(server))


@in_loop
async def test_on_a_live_key_pressing_the_button_alone_deletes_nothing(sandbox: cx.Sandbox):
    """Neither the press nor the answer is enough without the name."""
    with behind(sandbox, key="live") as (server, live):
        form = cx.DeleteForm(live, first(sandbox, "live"))
        await pressed(form)
        assert "failed" == form.status.tone
        assert [] == written(server)
