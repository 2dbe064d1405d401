"""What all four forms have in common: when they send, what they say, and what they never show."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets
import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
    CONTROLS,
    CREATE,
    DELETE,
    EDIT,
    FIRE,
    HOSTILE,
    KINDS,
    Kind,
    alive,
    behind,
    first,
    held,
    hidden,
    holding,
    in_loop,
    listed,
    passed,
    press,
    pressed,
    settled,
    shown,
    states,
    turns,
    until,
    widgets_of,
    written,
)
from tests.support.scripted_server import Script, cut, garbled, hang_up, reset, status


@pytest.fixture
def sandbox(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened()


all_four = pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in KINDS])
repeatable = pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in (CREATE, EDIT, DELETE)])


# --- what a form is ---------------------------------------------------------------------------------------------------


@all_four
def test_a_form_shows_itself_and_says_in_words_what_and_where_it_is(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """A notebook shows the widget, and everything else a line that names the form, the environment and the team."""
    form = kind.ready(client, first(sandbox))
    bundle = form._repr_mimebundle_()
    assert f"{kind.name}(sandbox, team team_sandbox)" == repr(form) == bundle["text/plain"]
    assert form.widget.model_id == bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert isinstance(form.widget, ipywidgets.VBox)
    assert kind.button == form.button.description


@all_four
def test_a_form_on_a_live_key_says_so(kind: Kind, sandbox: cx.Sandbox):
    """Nobody has to look at the key to know what is at stake."""
    with sandbox.client("live") as live:
        assert f"{kind.name}(live, team team_sandbox)" == repr(kind.ready(live, first(sandbox, "live")))


@all_four
@in_loop
async def test_a_form_at_rest_says_nothing_and_offers_no_cancel(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """Before anything was pressed there is no status, no result and nothing to cancel."""
    form = kind.ready(client, first(sandbox))
    await settled(form)
    assert ("", "", 0, None) == (form.status.text, form.status.tone, form.status.wait_until, form.result)
    assert hidden(form.cancel)
    assert not form.button.disabled


@all_four
@in_loop
async def test_the_result_is_returned_and_kept(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """What was awaited is found on the form too, and the status says that it is done."""
    form = kind.ready(client, first(sandbox))
    result = await form.submit()
    assert form.result is result
    assert ("done", False, True) == (form.status.tone, form.button.disabled, hidden(form.cancel))


@all_four
@in_loop
async def test_the_button_does_the_same_as_submit(
    kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client
):
    """Pressing leads to the same webhooks and the same result as awaiting does on another sandbox."""
    with other.client() as its_client:
        awaited = kind.ready(its_client, first(other))
        await awaited.submit()
        form = kind.ready(client, first(sandbox))
        await pressed(form)
        assert (awaited.status.text, awaited.result) == (form.status.text, form.result)
        assert listed(other) == listed(sandbox)


@all_four
@in_loop
async def test_the_line_of_python_does_the_same(kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client):
    """The line that a form shows has, on another sandbox, the same result and leaves the same webhooks."""
    with other.client() as its_client:
        form = kind.ready(client, first(sandbox))
        [line] = form.code.lines
        result = await form.submit()
        assert result == eval(line, {"client": its_client})
        assert listed(sandbox) == listed(other)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('It\'s a "name" with \\n and {braces}', id="quotes, backslash and braces"),
        pytest.param(HOSTILE, id="markup and mathematics"),
        pytest.param("naïve 日本語 🎫", id="beyond ASCII"),
        pytest.param("n" * 700, id="long"),
    ],
)
@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in (CREATE, EDIT)])
@in_loop
async def test_the_line_of_python_is_exact_for_every_name(
    kind: Kind, name: str, sandbox: cx.Sandbox, other: cx.Sandbox, client: cx.Client
):
    """Whatever is typed into the field, the line carries it whole."""
    with other.client() as its_client:
        form = kind.ready(client, first(sandbox))
        form.fields["name"].value = name
        [line] = form.code.lines
        await form.submit()
        assert name == eval(line, {"client": its_client}).name
        assert listed(sandbox) == listed(other)


@all_four
@in_loop
async def test_a_closed_form_leaves_no_widget(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """After close() the kernel holds what it held before, layouts and styles included."""
    webhook = first(sandbox)
    before = alive()
    form = kind.ready(client, webhook)
    await form.submit()
    form.close()
    assert set() == alive() - before


# --- one call at a time -----------------------------------------------------------------------------------------------


@all_four
@in_loop
async def test_two_gathered_submits_are_one_call(kind: Kind, sandbox: cx.Sandbox):
    """Whoever asks while a call is under way gets that call's result."""
    with behind(sandbox) as (server, client):
        form = kind.ready(client, first(sandbox))
        one, two = await asyncio.gather(form.submit(), form.submit())
        assert one is two
        assert [kind.method] == [request.method for request in written(server)]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in (CREATE, FIRE)])
@in_loop
async def test_a_later_submit_is_another_call(kind: Kind, sandbox: cx.Sandbox):
    """A cell that is run again does again what it says."""
    with behind(sandbox) as (server, client):
        form = kind.ready(client, first(sandbox))
        one, two = await form.submit(), await form.submit()
        assert one != two
        assert 2 == len(written(server))


@all_four
@in_loop
async def test_while_a_call_is_under_way_the_loop_is_free_and_the_button_dead(kind: Kind, sandbox: cx.Sandbox):
    """The server is silent, and yet everything else goes on; clicks in the meantime do nothing."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = kind.ready(client, first(sandbox))
        await press(form)
        await until(lambda: written(server))
        sent = len(server.requests)
        form.button.click()
        await turns()
        during = (form.button.disabled, form.status.tone, gate.is_set())
        gate.set()
        await settled(form)
        assert (True, "busy", False) == during
        assert sent == len(server.requests)
        assert "done" == form.status.tone


@all_four
@in_loop
async def test_a_submit_during_a_clicked_call_joins_it(kind: Kind, sandbox: cx.Sandbox):
    """A cell that awaits what the button has begun does not begin it again."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        form = kind.ready(client, first(sandbox))
        await press(form)
        await until(lambda: written(server))
        joined = asyncio.create_task(form.submit())
        await turns()
        gate.set()
        result = await joined
        assert form.result is result
        assert 1 == len(written(server))


# --- live keys and readers --------------------------------------------------------------------------------------------


@all_four
def test_the_place_to_confirm_is_there_on_a_live_key_only(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """In the sandbox nothing is to be typed; on a live key it is, and the field says what."""
    assert hidden(kind.ready(client, first(sandbox)).confirmation)
    with sandbox.client("live") as live:
        field = kind.ready(live, first(sandbox, "live")).confirmation
        assert not hidden(field)
        assert kind.confirm in field.label


@all_four
@pytest.mark.parametrize(
    "given",
    [
        pytest.param(lambda confirm: None, id="nothing"),
        pytest.param(lambda confirm: "", id="empty"),
        pytest.param(lambda confirm: "yes", id="yes"),
        pytest.param(str.upper, id="other case"),
        pytest.param(lambda confirm: confirm[:-1], id="cut short"),
        pytest.param(lambda confirm: True, id="True"),
    ],
)
@in_loop
async def test_on_a_live_key_nothing_is_sent_unconfirmed(kind: Kind, given: Any, sandbox: cx.Sandbox):
    """Only the very name confirms; anything else is refused before the network."""
    with behind(sandbox, key="live") as (server, live):
        form = kind.ready(live, first(sandbox, "live"))
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm=given(kind.confirm))
        assert [] == written(server)
        assert "failed" == form.status.tone
        assert form.status.text.startswith("Not done:")


@all_four
@in_loop
async def test_on_a_live_key_the_name_confirms(kind: Kind, sandbox: cx.Sandbox):
    """With the name or the event given, a live form does what it says."""
    with behind(sandbox, key="live") as (server, live):
        form = kind.ready(live, first(sandbox, "live"))
        await form.submit(confirm=kind.confirm)
        assert [kind.method] == [request.method for request in written(server)]
        assert "done" == form.status.tone


@all_four
@in_loop
async def test_on_a_live_key_a_click_takes_what_was_typed(kind: Kind, sandbox: cx.Sandbox):
    """A wrong word is refused in the status line; the right one lets the same button act."""
    with behind(sandbox, key="live") as (server, live):
        form = kind.ready(live, first(sandbox, "live"))
        form.confirmation.value = "wrong"
        await pressed(form)
        refused = (form.status.tone, len(written(server)))
        form.confirmation.value = kind.confirm
        await pressed(form)
        assert (("failed", 0), ("done", 1)) == (refused, (form.status.tone, len(written(server))))


@all_four
@in_loop
async def test_a_reading_client_sends_nothing(kind: Kind, sandbox: cx.Sandbox):
    """A form on a client that only reads raises, says so, and the server hears of no change."""
    with behind(sandbox, write=False) as (server, reader):
        form = kind.ready(reader, first(sandbox))
        with pytest.raises(errors.ReadOnlyError):
            await form.submit()
        assert [] == written(server)
        assert ("failed", True) == (form.status.tone, form.button.disabled)


# --- the connection ---------------------------------------------------------------------------------------------------

BREAKS = [
    pytest.param(reset(), id="reset"),
    pytest.param(hang_up(), id="hung up"),
    pytest.param(cut('{"success": true, "data": {"id": "whk_1"}}', 20), id="cut in the body"),
    pytest.param(garbled(), id="garbled"),
]


def assert_told_as_a_sentence(form: Any) -> None:
    assert form.status.text.startswith("Not done:")
    assert "Traceback" not in form.status.text
    assert ("failed", 0, False, True) == (
        form.status.tone,
        form.status.wait_until,
        form.button.disabled,
        hidden(form.cancel),
    )


@pytest.mark.parametrize("broken", BREAKS)
@all_four
@in_loop
async def test_a_cut_connection_is_told_in_a_sentence(kind: Kind, broken: Script, sandbox: cx.Sandbox):
    """However the line breaks, and as often as it is tried, one of our errors comes out and the form can be used again."""
    with behind(sandbox, *[broken] * 8) as (server, client):
        form = kind.ready(client, first(sandbox))
        with pytest.raises(errors.CStarError):
            await form.submit()
        assert_told_as_a_sentence(form)
        assert 1 == len({request.headers.get("idempotency-key") for request in written(server)})


@pytest.mark.parametrize("broken", BREAKS)
@all_four
@in_loop
async def test_a_connection_cut_in_every_call_is_told_in_a_sentence(kind: Kind, broken: Script, sandbox: cx.Sandbox):
    """Also where a form has to read before it writes, and the reading fails, a click leaves a sentence."""
    with behind(sandbox, *[broken] * 8, reads=broken) as (_, client):
        form = kind.ready(client, first(sandbox))
        await pressed(form)
        assert_told_as_a_sentence(form)


@repeatable
@in_loop
async def test_a_server_that_acts_and_cuts_the_connection_has_acted_once(
    kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox
):
    """The repeat is recognised by its Idempotency-Key, or by what it finds deleted, and the form is done."""
    with (
        behind(sandbox, passed(sandbox, answered=False)) as (server, client),
        behind(other) as (_, undisturbed),
    ):
        form = kind.ready(client, first(sandbox))
        expected = kind.ready(undisturbed, first(other))
        await form.submit()
        await expected.submit()
        assert listed(other) == listed(sandbox)
        assert (expected.status.text, "done") == (form.status.text, form.status.tone)
        assert 2 == len(written(server))
        assert 1 == len({request.headers.get("idempotency-key") for request in written(server)})


# --- waits ------------------------------------------------------------------------------------------------------------


@all_four
@in_loop
async def test_a_wait_is_shown_and_can_be_cancelled(kind: Kind, sandbox: cx.Sandbox):
    """During a wait the status counts towards its end, Cancel is there, and pressing it ends the wait at once."""
    with behind(sandbox, status(429, {"Retry-After": "30"})) as (server, client):
        form = kind.ready(client, first(sandbox))
        task = asyncio.create_task(form.submit())
        await until(lambda: form.status.wait_until)
        assert ("busy", True, False) == (form.status.tone, form.button.disabled, hidden(form.cancel))
        assert "30 s" in form.status.text
        assert 0 < form.status.wait_until - time.time() * 1000 <= 30_000
        form.cancel.click()
        with pytest.raises(errors.WaitCancelledError):
            await task
        assert_told_as_a_sentence(form)
        assert 1 == len(written(server))


@all_four
@in_loop
async def test_after_a_wait_the_call_goes_on(kind: Kind, sandbox: cx.Sandbox):
    """A short wait is waited out, and what is shown of it goes with it."""
    with behind(sandbox, status(429, retryAfter=0.05)) as (server, client):
        form = kind.ready(client, first(sandbox))
        seen = []
        form.status.observe(lambda change: seen.append(change["new"]), "wait_until")
        await form.submit()
        assert ("done", 0, True) == (form.status.tone, form.status.wait_until, hidden(form.cancel))
        assert any(seen)
        assert 2 == len(written(server))


@all_four
@in_loop
async def test_a_wait_of_an_hour_is_not_waited(kind: Kind):
    """Where the budget is used up for the hour, the form says so at once."""
    with cx.Sandbox(rate_limit=5) as sandbox, sandbox.client() as client:
        form = kind.ready(client, first(sandbox))
        await settled(form)
        while client.rate_limit is None or client.rate_limit.remaining:
            client.webhooks.list()
        with pytest.raises(errors.RateLimitError):
            await form.submit()
        assert_told_as_a_sentence(form)


# --- what is never shown ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param("live", id="live key")])
@all_four
@in_loop
async def test_no_widget_holds_the_key_or_the_signing_secret(kind: Kind, key: str, sandbox: cx.Sandbox):
    """What a page is told, and what a notebook may save, holds neither."""
    with sandbox.client(key) as client:
        form = kind.ready(client, first(sandbox, key))
        result = await form.submit(confirm=kind.confirm)
        secrets = [sandbox.keys[key], getattr(result, "secret", None)]
        everything = states() + repr(form) + json.dumps(form._repr_mimebundle_())
        assert [] == [secret for secret in secrets if secret is not None and secret.reveal() in everything]


@all_four
@in_loop
async def test_a_key_that_the_server_repeats_is_not_shown(kind: Kind, sandbox: cx.Sandbox):
    """An error that quotes the key reaches neither the status nor any other widget with it."""
    key = sandbox.key.reveal()
    with behind(sandbox, status(400, message=f"No team for {key}", param="name")) as (_, client):
        form = kind.ready(client, first(sandbox))
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert "No team for sk_test_" in form.status.text
        assert key not in states()


@all_four
@in_loop
async def test_what_a_server_says_is_shown_as_those_characters(kind: Kind, sandbox: cx.Sandbox):
    """Markup stays text, control and direction characters are spelled out, and no HTML widget is involved."""
    with behind(sandbox, status(400, message=f"{HOSTILE} {CONTROLS}", param="name")) as (_, client):
        form = kind.ready(client, first(sandbox))
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert HOSTILE in form.status.text
        assert [] == [each for each in CONTROLS if each in form.status.text]


@pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in (EDIT, DELETE, FIRE)])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(HOSTILE, id="markup and mathematics"),
        pytest.param(f"left{CONTROLS}right", id="controls and directions"),
        pytest.param("n" * 10_000, id="ten thousand characters"),
    ],
)
@in_loop
async def test_a_hostile_webhook_is_shown_as_those_characters(kind: Kind, name: str, sandbox: cx.Sandbox):
    """A webhook's name and URL are words wherever they appear, and never in a widget that would read them as HTML."""
    item = {
        "id": "whk_1",
        "name": name,
        "url": f"https://example.com/{name}",
        "events": ["ticket.created"],
        "isActive": True,
    }
    with behind(sandbox, reads=holding(item)) as (_, client):
        form = kind.ready(client, cx.models.Webhook.from_item(item))
        await settled(form)
        form.button.click()
        await settled(form)
        names = [type(each).__name__ for each in widgets_of(form)]
        assert set() == {"HTML", "HTMLMath", "Label"} & set(names)
        assert [] == [each for each in CONTROLS if each in shown(form)]
        assert name[:4] in shown(form)
