"""The form that fires a test event."""

import asyncio
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import CONTROLS, HOSTILE, behind, hidden, in_loop, leave, once, passed, turns, until, written
from tests.support.scripted_server import data, reset, status

ACTIVE = ("Slack notifications", "CRM sync", "Search index")


def told(**fields: Any) -> Any:
    """A fired event as a server tells of it."""
    return data({"event": "ticket.created", "eventId": "evt_1", "test": True} | fields)


async def counted(form: cx.FireForm) -> str:
    """What the form says about its reach, once it has counted."""
    at_first = list(form.reach.lines)
    await until(lambda: at_first != form.reach.lines)
    return " ".join(form.reach.lines)


# --- whom it reaches --------------------------------------------------------------------------------------------------


@in_loop
async def test_the_form_counts_by_itself_and_names_whom_it_reaches(client: cx.Client):
    """All active webhooks, whatever they subscribe to; the inactive one is not among them."""
    reach = await counted(cx.FireForm(client, "boss.spawned"))
    assert "3" in reach
    assert [] == [name for name in ACTIVE if name not in reach]
    assert "Boss fight overlay" not in reach


@in_loop
async def test_the_reach_does_not_depend_on_the_event(client: cx.Client):
    """A test event goes to every active webhook, so the count for one event is the count for all."""
    reaches = {await counted(cx.FireForm(client, event)) for event in ("", "ticket.created", "player.level_up")}
    assert 1 == len(reaches)


@pytest.mark.parametrize("active", [0, 1, 2])
@in_loop
async def test_the_reach_is_counted_from_what_is_active(active: int, client: cx.Client):
    """One or none is said as one or none."""
    for webhook in list(client.webhooks.list())[active:]:
        client.webhooks.delete(webhook.id)
    reach = await counted(cx.FireForm(client, "ticket.created"))
    assert list(ACTIVE[:active]) == [name for name in ACTIVE if name in reach]
    assert active == 0 or str(active) in reach or (active == 1 and "one" in reach)


def test_outside_of_a_loop_the_form_still_says_that_all_are_reached(client: cx.Client):
    """Without a loop nothing can be counted; the form does not pretend to know."""
    reach = " ".join(cx.FireForm(client, "ticket.created").reach.lines)
    assert "active" in reach
    assert [] == [name for name in ACTIVE if name in reach]


@in_loop
async def test_submit_waits_for_the_count(sandbox: cx.Sandbox):
    """Whoever fires at once has been told whom it reached, and the count came first."""
    with behind(sandbox) as (server, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        assert ["GET", "POST"] == server.methods
        assert "Slack notifications" in " ".join(form.reach.lines)


@pytest.mark.parametrize("line", [pytest.param(reset(), id="cut"), pytest.param(status(403), id="refused")])
@in_loop
async def test_where_counting_fails_the_form_says_so_and_can_fire(line: Any, sandbox: cx.Sandbox):
    """Not to know the reach is told, and is no obstacle."""
    with behind(sandbox, reads=line) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        assert "could not" in await counted(form)
        await turns()
        assert ("", "", False) == (form.status.text, form.status.tone, form.button.disabled)
        assert "ticket.created" == (await form.submit()).event


@in_loop
async def test_a_count_that_took_two_attempts_leaves_the_form_at_rest(sandbox: cx.Sandbox):
    """Once the count has succeeded, nothing is shown of what it took."""
    with behind(sandbox, reads=once(reset(), then=passed(sandbox))) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        assert "Slack notifications" in await counted(form)
        await turns()
        assert ("", "", 0, True) == (form.status.text, form.status.tone, form.status.wait_until, hidden(form.cancel))


@in_loop
async def test_a_wait_for_the_count_is_shown_to_whoever_fires_meanwhile(sandbox: cx.Sandbox):
    """The event goes out after the count; while that waits, the form says so, and Cancel ends the wait."""
    with behind(sandbox, reads=status(429, {"Retry-After": "30"})) as (server, client):
        form = cx.FireForm(client, "ticket.created")
        await until(lambda: form.status.wait_until)
        task = asyncio.create_task(form.submit())
        await turns()
        meanwhile = ("30 s" in form.status.text, form.status.wait_until > 0, hidden(form.cancel))
        form.cancel.click()
        await task
        assert (True, True, False) == meanwhile
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
def test_the_event_is_checked_as_it_is_left(event: str, tone: str, client: cx.Client):
    """The message stands beside the field."""
    form = cx.FireForm(client)
    field = form.fields["event"]
    field.value = event
    leave(field)
    assert ("Event", tone, bool(tone)) == (field.label, field.tone, bool(field.message))


@in_loop
async def test_an_empty_event_is_not_sent(sandbox: cx.Sandbox):
    """What is known to be wrong is refused here."""
    with behind(sandbox) as (server, client):
        form = cx.FireForm(client)
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert [] == written(server)
        assert "failed" == form.fields["event"].tone


@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
@in_loop
async def test_an_event_that_the_server_does_not_know_is_told_beside_the_field(client: cx.Client):
    """The server's answer has the param, and the form its place for it."""
    form = cx.FireForm(client, "ticket.nope")
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert ("failed", "Unknown event type: ticket.nope") == (form.fields["event"].tone, form.fields["event"].message)


@in_loop
async def test_the_event_in_the_field_is_the_one_that_is_fired(sandbox: cx.Sandbox):
    """Not the one that the form was opened with."""
    with behind(sandbox) as (server, client):
        form = cx.FireForm(client, "ticket.created")
        form.fields["event"].value = "ticket.closed"
        fired = await form.submit()
        assert "ticket.closed" == fired.event == written(server)[0].json["event"]
        assert ["client.webhooks.trigger_test('ticket.closed')"] == form.code.lines


@in_loop
async def test_on_a_live_key_another_event_needs_another_confirmation(sandbox: cx.Sandbox):
    """What confirms is the event that is fired, not the one that was there before."""
    with behind(sandbox, key="live") as (server, live):
        form = cx.FireForm(live, "ticket.created")
        form.fields["event"].value = "ticket.closed"
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm="ticket.created")
        assert [] == written(server)
        assert "ticket.closed" == (await form.submit(confirm="ticket.closed")).event


# --- what came of it --------------------------------------------------------------------------------------------------


@in_loop
async def test_each_delivery_that_is_told_has_a_line(sandbox: cx.Sandbox):
    """Where it went, and how it ended."""
    deliveries = [
        {"deliveryId": "dlv_1", "url": "https://one.example/", "success": True, "status": 200, "responseTimeMs": 12},
        {"deliveryId": "dlv_2", "url": "https://two.example/", "success": False, "status": 503, "error": "too busy"},
    ]
    with behind(sandbox, told(deliveries=deliveries)) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        one, two = form.told.lines
        assert [] == [word for word in ("https://one.example/", "200", "12") if word not in one]
        assert [] == [word for word in ("https://two.example/", "503", "too busy") if word not in two]
        assert "evt_1" in form.status.text
        assert "2" in form.status.text


@in_loop
async def test_no_deliveries_are_no_failure(sandbox: cx.Sandbox):
    """An empty list is an answer like any other, and takes away the lines of the call before."""
    with behind(sandbox, told(deliveries=[{"url": "https://one.example/"}]), told(deliveries=[])) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        before = len(form.told.lines)
        await form.submit()
        assert (1, [], "done") == (before, form.told.lines, form.status.tone)


@in_loop
async def test_a_bare_count_of_deliveries_is_told(sandbox: cx.Sandbox):
    """Some of cStar's pages have `deliveredTo` in place of the list."""
    with behind(sandbox, data({"event": "ticket.created", "deliveredTo": 7})) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        assert "7" in form.status.text


@in_loop
async def test_what_cstar_did_not_tell_is_not_made_up(sandbox: cx.Sandbox):
    """Every field of a fired event may be absent; none is shown as None."""
    with behind(sandbox, data({"event": "ticket.created", "deliveries": [{"success": True}]})) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        assert "None" not in " ".join([form.status.text, *form.told.lines])


@in_loop
async def test_hostile_deliveries_are_told_as_those_characters(sandbox: cx.Sandbox):
    """What a receiver answered is words, with control and direction characters spelled out."""
    deliveries = [{"url": f"https://example.com/{HOSTILE}", "success": False, "error": f"{HOSTILE}{CONTROLS}"}]
    with behind(sandbox, told(deliveries=deliveries)) as (_, client):
        form = cx.FireForm(client, "ticket.created")
        await form.submit()
        [line] = form.told.lines
        assert 2 == line.count(HOSTILE)
        assert [] == [each for each in CONTROLS if each in line]


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
async def test_an_event_that_may_have_been_fired_is_not_fired_again(lost: Any, sandbox: cx.Sandbox):
    """One request, and a sentence that leaves the repeating to whoever knows better."""
    with behind(sandbox, lost(sandbox)) as (server, client):
        form = cx.FireForm(client, "ticket.created")
        with pytest.raises(errors.CStarError):
            await form.submit()
        assert 1 == len(written(server))
        assert form.status.text.startswith("Not done:")
