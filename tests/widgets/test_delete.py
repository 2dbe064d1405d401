"""The form that deletes a webhook, after asking for confirmation."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
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


async def ask(form: cx.DeleteForm) -> None:
    """Clicks the button and waits for the question."""
    form.button.click()
    await until(lambda: not hidden(form.choices))


# --- what is lost -----------------------------------------------------------------------------------------------------


def test_the_form_lists_what_is_lost(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Name, URL, events, ID and signing secret."""
    webhook = first(sandbox)
    _, form = open_form(cx.DeleteForm)
    losses = " ".join(form.losses.lines)
    assert [] == [part for part in (webhook.name, webhook.url, *webhook.events, "ID", "secret") if part not in losses]


def test_the_webhook_may_be_given_by_its_id(open_form: Callable[..., Any]):
    """The form shows the same."""
    _, form = open_form(cx.DeleteForm)
    _, by_id = open_form(lambda client, webhook: cx.DeleteForm(client, webhook.id))
    assert form.losses.lines == by_id.losses.lines


def test_an_unknown_id_raises_at_once(client: cx.Client):
    """No form is made."""
    with pytest.raises(errors.NotFoundError):
        cx.DeleteForm(client, "whk_nope")


def test_a_missing_field_is_not_shown_as_none(open_form: Callable[..., Any]):
    """Without a name, the form shows the ID."""
    _, form = open_form(lambda client, _: cx.DeleteForm(client, cx.models.Webhook.from_item({"id": "whk_1"})))
    losses = " ".join(form.losses.lines)
    assert "whk_1" in losses
    assert "None" not in losses


# --- asking -----------------------------------------------------------------------------------------------------------


@in_loop
async def test_the_button_asks_and_deletes_nothing(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The question and its two buttons replace the button."""
    server, form = open_form(cx.DeleteForm)
    before = (hidden(form.choices), hidden(form.button))
    await ask(form)
    assert ((True, False), True) == (before, hidden(form.button))
    assert [] == written(server)
    assert 4 == len(listed(sandbox))


@in_loop
async def test_keep_returns_to_the_button(open_form: Callable[..., Any]):
    """Nothing is sent, and the form can ask again."""
    server, form = open_form(cx.DeleteForm)
    for _ in range(2):
        await ask(form)
        form.keep.click()
        await until(lambda: not hidden(form.button))
        await settled(form)
        assert hidden(form.choices)
    assert [] == written(server)


@in_loop
async def test_confirming_deletes_only_this_webhook(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The status contains its name."""
    webhook = first(sandbox)
    _, form = open_form(cx.DeleteForm)
    await pressed(form)
    assert 3 == len(listed(sandbox))
    assert webhook.id not in [other.id for other in listed(sandbox)]
    assert "done" == form.status.tone
    assert webhook.name in form.status.text


@in_loop
async def test_a_deleted_webhook_cannot_be_deleted_again(open_form: Callable[..., Any]):
    """Neither the button nor the question is shown."""
    _, form = open_form(cx.DeleteForm)
    await pressed(form)
    assert hidden(form.choices)
    assert hidden(form.button) or form.button.disabled


@in_loop
async def test_submit_deletes_without_asking(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """It returns None."""
    webhook = first(sandbox)
    _, form = open_form(cx.DeleteForm)
    assert None is await form.submit()
    assert webhook.id not in [other.id for other in listed(sandbox)]


@in_loop
async def test_confirming_twice_deletes_once(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Clicks during the call do nothing."""
    gate = threading.Event()
    server, form = open_form(cx.DeleteForm, held(gate, passed(sandbox)))
    await ask(form)
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
async def test_clicking_twice_asks_once(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """A click while the webhooks are read does nothing."""
    gate = threading.Event()
    server, form = open_form(cx.DeleteForm, reads=held(gate, passed(sandbox)))
    form.button.click()
    await until(lambda: server.requests)
    form.button.click()
    await turns()
    gate.set()
    await until(lambda: not hidden(form.choices))
    assert ["GET"] == server.methods


@in_loop
async def test_a_retried_read_leaves_no_status_below_the_question(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Its wait is over when the form asks."""
    _, form = open_form(cx.DeleteForm, reads=once(reset(), then=passed(sandbox)))
    await ask(form)
    await turns()
    assert ("", "", 0, True) == (form.status.text, form.status.tone, form.status.wait_until, hidden(form.cancel))


@pytest.mark.parametrize(
    ("others", "orphans"),
    [
        pytest.param([], ["boss.spawned", "player.level_up"], id="no other receiver"),
        pytest.param([["boss.spawned"]], ["player.level_up"], id="one of them"),
        pytest.param([["boss.*"]], ["player.level_up"], id="by a group"),
        pytest.param([["boss.*"], ["player.level_up"]], [], id="all of them, by two"),
        pytest.param([["*"]], [], id="by a wildcard"),
    ],
)
@in_loop
async def test_the_question_lists_events_without_another_active_receiver(
    others: list[list[str]], orphans: list[str], client: cx.Client, open_form: Callable[..., Any]
):
    """Wildcards count as receivers. The sandbox's own webhook for boss events is inactive and does not."""
    mine = client.webhooks.create(name="Mine", url="https://example.com/", events=EVENTS)
    for number, events in enumerate(others):
        client.webhooks.create(name=f"Other {number}", url="https://example.com/", events=events)
    _, form = open_form(lambda client, _: cx.DeleteForm(client, mine))
    before = list(form.losses.lines)
    await ask(form)
    added = " ".join(line for line in form.losses.lines if line not in before)
    assert orphans == [event for event in EVENTS if event in added]


# --- failures ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_a_webhook_deleted_elsewhere_is_not_found(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The form does not report a success."""
    _, form = open_form(cx.DeleteForm)
    with sandbox.client() as client:
        client.webhooks.delete(first(sandbox).id)
    with pytest.raises(errors.NotFoundError):
        await form.submit()
    assert "failed" == form.status.tone


@in_loop
async def test_after_a_failure_the_delete_can_be_confirmed_again(open_form: Callable[..., Any]):
    """The second attempt succeeds."""
    server, form = open_form(cx.DeleteForm, status(403, message="Not allowed"))
    await pressed(form)
    after_first = form.status.tone
    await pressed(form)
    assert ("failed", "done") == (after_first, form.status.tone)
    assert 2 == len(written(server))


@in_loop
async def test_a_live_key_deletes_nothing_without_the_typed_name(open_form: Callable[..., Any]):
    """The click and its confirmation are not enough."""
    server, form = open_form(cx.DeleteForm, key="live")
    await pressed(form)
    assert "failed" == form.status.tone
    assert [] == written(server)
