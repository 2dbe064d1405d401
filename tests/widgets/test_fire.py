"""The form that fires a test event."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import CONTROLS, HOSTILE, hidden, in_loop, leave, once, passed, turns, until, written
from tests.support.scripted_server import data, reset, status

ACTIVE = ("Slack notifications", "CRM sync", "Search index")


def firing(event: str) -> Callable[[cx.Client, cx.Webhook], cx.FireForm]:
    return lambda client, _: cx.FireForm(client, event)


CREATED = firing("ticket.created")


def fired(**fields: Any) -> Any:
    """A response to trigger-test."""
    return data({"event": "ticket.created", "eventId": "evt_1", "test": True} | fields)


async def counted(form: cx.FireForm) -> str:
    """The text about the webhooks it will reach, once they are counted."""
    initial = list(form.reach.lines)
    await until(lambda: initial != form.reach.lines)
    return " ".join(form.reach.lines)


# --- the webhooks it will reach ---------------------------------------------------------------------------------------


@in_loop
async def test_the_form_counts_and_names_the_active_webhooks(open_form: Callable[..., Any]):
    """It starts by itself. Subscriptions do not matter, and the inactive webhook is not counted."""
    _, form = open_form(firing("boss.spawned"))
    reach = await counted(form)
    assert "3" in reach
    assert [] == [name for name in ACTIVE if name not in reach]
    assert "Boss fight overlay" not in reach


@in_loop
async def test_the_count_does_not_depend_on_the_event(open_form: Callable[..., Any]):
    """A test event goes to all active webhooks."""
    counts = {await counted(open_form(firing(event))[1]) for event in ("", "ticket.created", "player.level_up")}
    assert 1 == len(counts)


@pytest.mark.parametrize("active", [0, 1, 2])
@in_loop
async def test_the_count_is_right_for_few_active_webhooks(active: int, client: cx.Client):
    """None, one and two."""
    for webhook in list(client.webhooks.list())[active:]:
        client.webhooks.delete(webhook.id)
    with contextlib.closing(cx.FireForm(client, "ticket.created")) as form:
        reach = await counted(form)
    assert list(ACTIVE[:active]) == [name for name in ACTIVE if name in reach]
    assert active == 0 or str(active) in reach or (active == 1 and "one" in reach)


def test_without_an_event_loop_the_form_names_no_webhooks(open_form: Callable[..., Any]):
    """It cannot count them, and shows that all active webhooks are reached."""
    _, form = open_form(CREATED)
    reach = " ".join(form.reach.lines)
    assert "active" in reach
    assert [] == [name for name in ACTIVE if name in reach]


@in_loop
async def test_submit_waits_for_the_count(open_form: Callable[..., Any]):
    """The list is read before the event is fired."""
    server, form = open_form(CREATED)
    await form.submit()
    assert ["GET", "POST"] == server.methods
    assert "Slack notifications" in " ".join(form.reach.lines)


@pytest.mark.parametrize("reads", [pytest.param(reset(), id="cut"), pytest.param(status(403), id="refused")])
@in_loop
async def test_a_failed_count_is_reported_and_the_event_can_be_fired(reads: Any, open_form: Callable[..., Any]):
    """The status line stays empty."""
    _, form = open_form(CREATED, reads=reads)
    assert "could not" in await counted(form)
    await turns()
    assert ("", "", False) == (form.status.text, form.status.tone, form.button.disabled)
    assert "ticket.created" == (await form.submit()).event


@in_loop
async def test_a_retried_count_leaves_no_status(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Its wait is over when the count is shown."""
    _, form = open_form(CREATED, reads=once(reset(), then=passed(sandbox)))
    assert "Slack notifications" in await counted(form)
    await turns()
    assert ("", "", 0, True) == (form.status.text, form.status.tone, form.status.wait_until, hidden(form.cancel))


@in_loop
async def test_submit_shows_the_wait_of_the_count(open_form: Callable[..., Any]):
    """Cancel ends the wait, and the event is fired."""
    server, form = open_form(CREATED, reads=status(429, {"Retry-After": "30"}))
    await until(lambda: form.status.wait_until)
    task = asyncio.create_task(form.submit())
    await turns()
    during = ("30 s" in form.status.text, form.status.wait_until > 0, hidden(form.cancel))
    form.cancel.click()
    await task
    assert (True, True, False) == during
    assert ["GET", "POST"] == server.methods


# --- the event --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "tone"),
    [
        pytest.param("ticket.created", "", id="published"),
        pytest.param("ticket.nope", "warned", id="unknown"),
        pytest.param("achievement.unlocked", "warned", id="former"),
        pytest.param("", "failed", id="empty"),
    ],
)
def test_the_event_is_validated_on_blur(event: str, tone: str, open_form: Callable[..., Any]):
    """The field shows the message."""
    _, form = open_form(lambda client, _: cx.FireForm(client))
    field = form.fields["event"]
    field.value = event
    leave(field)
    assert ("Event", tone, bool(tone)) == (field.label, field.tone, bool(field.message))


@in_loop
async def test_an_empty_event_is_not_sent(open_form: Callable[..., Any]):
    """`submit` raises, and the field shows the error."""
    server, form = open_form(lambda client, _: cx.FireForm(client))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert [] == written(server)
    assert "failed" == form.fields["event"].tone


@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
@in_loop
async def test_an_event_that_the_server_refuses_is_reported_below_the_field(open_form: Callable[..., Any]):
    """With the server's message."""
    _, form = open_form(firing("ticket.nope"))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert ("failed", "Unknown event type: ticket.nope") == (form.fields["event"].tone, form.fields["event"].message)


@in_loop
async def test_the_edited_event_is_fired(open_form: Callable[..., Any]):
    """Not the one that the form was opened with."""
    server, form = open_form(CREATED)
    form.fields["event"].value = "ticket.closed"
    result = await form.submit()
    assert "ticket.closed" == result.event == written(server)[0].json["event"]
    assert ["client.webhooks.trigger_test('ticket.closed')"] == form.code.lines


@in_loop
async def test_a_live_key_is_confirmed_with_the_edited_event(open_form: Callable[..., Any]):
    """The event that the form was opened with is refused."""
    server, form = open_form(CREATED, key="live")
    form.fields["event"].value = "ticket.closed"
    with pytest.raises(errors.ConfirmationError):
        await form.submit(confirm="ticket.created")
    assert [] == written(server)
    assert "ticket.closed" == (await form.submit(confirm="ticket.closed")).event


def test_the_body_is_shown_before_it_is_sent(open_form: Callable[..., Any]):
    """The published sample of the event that is typed; none for an unknown event."""
    _, form = open_form(CREATED)
    assert json.loads(form.preview.content["text"]) == json.loads(
        cx.events.sample("ticket.created", team_id="team_sandbox")
    )
    assert "The sandbox sends this" in form.preview.content["note"]
    form.fields["event"].value = "boss.spawned"
    assert '"type": "boss.spawned"' in form.preview.content["text"]
    form.fields["event"].value = "ticket.nope"
    assert "" == form.preview.content["text"]


def test_with_a_live_key_the_form_says_that_cstar_decides_the_body(open_form: Callable[..., Any]):
    """The sample is only what is published."""
    _, form = open_form(CREATED, key="live")
    assert "cStar decides the body" in form.preview.content["note"]


# --- the result -------------------------------------------------------------------------------------------------------


@in_loop
async def test_each_reported_delivery_has_a_line(open_form: Callable[..., Any]):
    """With its URL and outcome."""
    deliveries = [
        {"deliveryId": "dlv_1", "url": "https://one.example/", "success": True, "status": 200, "responseTimeMs": 12},
        {"deliveryId": "dlv_2", "url": "https://two.example/", "success": False, "status": 503, "error": "too busy"},
    ]
    _, form = open_form(CREATED, fired(deliveries=deliveries))
    await form.submit()
    one, two = form.deliveries.lines
    assert [] == [part for part in ("https://one.example/", "200", "12") if part not in one]
    assert [] == [part for part in ("https://two.example/", "503", "too busy") if part not in two]
    assert "evt_1" in form.status.text
    assert "2" in form.status.text


@pytest.mark.parametrize(
    ("deliveries", "tone"),
    [
        pytest.param([{"success": True}, {"success": True}], "done", id="all"),
        pytest.param([{"success": True}, {"success": False}], "warned", id="some"),
        pytest.param([{"success": False}, {"success": False}], "failed", id="none"),
        pytest.param([{"success": False, "error": "withheld: outside"}], "warned", id="withheld"),
        pytest.param([{"success": True}, {}], "warned", id="not reported"),
    ],
)
@in_loop
async def test_the_status_is_done_only_if_all_were_delivered(deliveries: Any, tone: str, open_form: Callable[..., Any]):
    """It warns if some were, and of the ones that the sandbox withheld."""
    _, form = open_form(CREATED, fired(deliveries=deliveries))
    await form.submit()
    assert tone == form.status.tone


@in_loop
async def test_deliveries_with_the_same_outcome_share_a_line_with_names(open_form: Callable[..., Any]):
    """The sandbox withholds those to outside URLs. The status counts them."""
    _, form = open_form(CREATED)
    await form.submit()
    [line] = form.deliveries.lines
    assert line.startswith("Slack notifications, CRM sync, Search index: withheld: the sandbox posts to loopback only")
    assert form.status.text.endswith(". 3 deliveries: 0 delivered, 3 withheld by the sandbox.")


@in_loop
async def test_webhooks_with_the_same_url_are_each_named(client: cx.Client):
    """In the order of the list; also one that was created after the form was opened."""
    with contextlib.closing(cx.FireForm(client, "ticket.created")) as form:
        await counted(form)
        for name in ("One", "Two"):
            client.webhooks.create(name=name, url="https://twin.example.com/", events="ticket.created")
        await form.submit()
        assert "One, Two: withheld" in form.deliveries.lines[0]


@in_loop
async def test_an_empty_list_of_deliveries_is_a_success(open_form: Callable[..., Any]):
    """It removes the lines of the previous call."""
    _, form = open_form(CREATED, fired(deliveries=[{"url": "https://one.example/"}]), fired(deliveries=[]))
    await form.submit()
    before = len(form.deliveries.lines)
    await form.submit()
    assert (1, [], "done") == (before, form.deliveries.lines, form.status.tone)


@in_loop
async def test_a_count_without_a_list_of_deliveries_is_shown(open_form: Callable[..., Any]):
    """Some of cStar's pages document `deliveredTo` instead of the list."""
    _, form = open_form(CREATED, data({"event": "ticket.created", "deliveredTo": 7}))
    await form.submit()
    assert "7" in form.status.text


@in_loop
async def test_a_missing_field_is_not_shown_as_none(open_form: Callable[..., Any]):
    """Every field of a fired event may be missing."""
    _, form = open_form(CREATED, data({"event": "ticket.created", "deliveries": [{"success": True}]}))
    await form.submit()
    assert "None" not in " ".join([form.status.text, *form.deliveries.lines])


@in_loop
async def test_a_hostile_delivery_is_shown_literally(open_form: Callable[..., Any]):
    """Control and direction characters are escaped."""
    deliveries = [{"url": f"https://example.com/{HOSTILE}", "success": False, "error": f"{HOSTILE}{CONTROLS}"}]
    _, form = open_form(CREATED, fired(deliveries=deliveries))
    await form.submit()
    [line] = form.deliveries.lines
    assert 2 == line.count(HOSTILE)
    assert [] == [character for character in CONTROLS if character in line]


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda sandbox: reset(), id="may have arrived"),
        pytest.param(lambda sandbox: passed(sandbox, answered=False), id="did arrive"),
        pytest.param(lambda sandbox: status(500), id="server error"),
        pytest.param(lambda sandbox: status(503), id="unavailable"),
    ],
)
@in_loop
async def test_an_event_that_may_have_been_fired_is_not_retried(
    lost: Any, sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """One request is made, and the error is shown."""
    server, form = open_form(CREATED, lost(sandbox))
    with pytest.raises(errors.CStarError):
        await form.submit()
    assert 1 == len(written(server))
    assert form.status.text.startswith("Error:")
