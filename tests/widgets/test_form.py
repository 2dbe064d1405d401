"""The behaviour that all forms share: submitting, waits, errors, live keys, and what is never shown."""

import asyncio
import contextlib
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


def each(*kinds: Kind) -> Any:
    return pytest.mark.parametrize("kind", [pytest.param(kind, id=kind.name) for kind in kinds])


all_forms = each(*KINDS)


# --- display ----------------------------------------------------------------------------------------------------------


@all_forms
def test_a_notebook_shows_the_widget_and_plain_text_the_repr(kind: Kind, open_form: Callable[..., Any]):
    """The repr names the form, the environment and the team."""
    _, form = open_form(kind.make)
    bundle = form._repr_mimebundle_()
    assert f"{kind.name}(sandbox, team team_sandbox)" == repr(form) == bundle["text/plain"]
    assert form.widget.model_id == bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert isinstance(form.widget, ipywidgets.VBox)
    assert kind.button == form.button.description


@all_forms
def test_the_repr_of_a_form_with_a_live_key_names_live(kind: Kind, open_form: Callable[..., Any]):
    """It is visible without looking at the key."""
    _, form = open_form(kind.make, key="live")
    assert f"{kind.name}(live, team team_sandbox)" == repr(form)


@all_forms
@in_loop
async def test_an_idle_form_shows_no_status_and_no_cancel_button(kind: Kind, open_form: Callable[..., Any]):
    """Before the first click there is no result either."""
    _, form = open_form(kind.make)
    await settled(form)
    assert ("", "", 0, None) == (form.status.text, form.status.tone, form.status.wait_until, form.result)
    assert hidden(form.cancel)
    assert not form.button.disabled


@all_forms
@in_loop
async def test_submit_returns_the_result_and_stores_it(kind: Kind, open_form: Callable[..., Any]):
    """The status says so, and the button is enabled again unless there is nothing to save."""
    _, form = open_form(kind.make)
    result = await form.submit()
    assert form.result is result
    assert (kind.tone, kind is EDIT, True) == (form.status.tone, form.button.disabled, hidden(form.cancel))


@all_forms
@in_loop
async def test_the_button_does_the_same_as_submit(
    kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox, open_form: Callable[..., Any]
):
    """Two sandboxes, one with a click and one with submit, hold the same webhooks afterwards."""
    with other.client() as client, contextlib.closing(kind.make(client, first(other))) as awaited:
        await awaited.submit()
        _, form = open_form(kind.make)
        await pressed(form)
        assert (awaited.status.text, awaited.result) == (form.status.text, form.result)
        assert listed(other) == listed(sandbox)


@all_forms
@in_loop
async def test_the_line_of_python_does_the_same_as_submit(
    kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox, open_form: Callable[..., Any]
):
    """Run on a second sandbox, it returns the same result and leaves the same webhooks."""
    with other.client() as client:
        _, form = open_form(kind.make)
        [line] = form.code.lines
        result = await form.submit()
        assert result == eval(line, {"client": client})
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
@each(CREATE, EDIT)
@in_loop
async def test_the_line_of_python_contains_the_exact_name(
    kind: Kind, name: str, sandbox: cx.Sandbox, other: cx.Sandbox, open_form: Callable[..., Any]
):
    """Nothing is escaped or cut."""
    with other.client() as client:
        _, form = open_form(kind.make)
        form.fields["name"].value = name
        [line] = form.code.lines
        await form.submit()
        assert name == eval(line, {"client": client}).name
        assert listed(sandbox) == listed(other)


@all_forms
@in_loop
async def test_close_frees_all_widgets(kind: Kind, sandbox: cx.Sandbox, client: cx.Client):
    """Including layouts and styles."""
    webhook = first(sandbox)
    before = alive()
    form = kind.make(client, webhook)
    await form.submit()
    form.close()
    assert set() == alive() - before


# --- one call at a time -----------------------------------------------------------------------------------------------


@all_forms
@in_loop
async def test_concurrent_submits_share_one_call(kind: Kind, open_form: Callable[..., Any]):
    """Both return the same result."""
    server, form = open_form(kind.make)
    one, two = await asyncio.gather(form.submit(), form.submit())
    assert one is two
    assert [kind.method] == [request.method for request in written(server)]


@each(CREATE, FIRE)
@in_loop
async def test_a_later_submit_makes_another_call(kind: Kind, open_form: Callable[..., Any]):
    """Running a cell again repeats its call."""
    server, form = open_form(kind.make)
    one, two = await form.submit(), await form.submit()
    assert one != two
    assert 2 == len(written(server))


@all_forms
@in_loop
async def test_during_a_call_the_loop_is_free_and_the_button_disabled(
    kind: Kind, sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """The server does not respond, the event loop still runs, and further clicks do nothing."""
    gate = threading.Event()
    server, form = open_form(kind.make, held(gate, passed(sandbox)))
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
    assert kind.tone == form.status.tone


@all_forms
@in_loop
async def test_submit_joins_the_call_that_a_click_started(
    kind: Kind, sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """It waits for the result, and sends nothing more."""
    gate = threading.Event()
    server, form = open_form(kind.make, held(gate, passed(sandbox)))
    await press(form)
    await until(lambda: written(server))
    joined = asyncio.create_task(form.submit())
    await turns()
    gate.set()
    result = await joined
    assert form.result is result
    assert 1 == len(written(server))


@all_forms
@in_loop
async def test_the_first_submit_after_a_click_returns_its_result(kind: Kind, open_form: Callable[..., Any]):
    """It sends nothing: in a notebook, the reader uses the button or the next cell."""
    server, form = open_form(kind.make)
    await pressed(form)
    result, sent = form.result, len(server.requests)
    assert await form.submit() is result
    assert sent == len(server.requests)


@each(CREATE, FIRE)
@in_loop
async def test_every_other_submit_acts(kind: Kind, open_form: Callable[..., Any]):
    """The second after a click, and the first after the next one's."""
    server, form = open_form(kind.make)
    await pressed(form)
    clicked = await form.submit()
    assert clicked != await form.submit()
    assert 2 == len(written(server))


@all_forms
@in_loop
async def test_a_submit_that_joined_a_click_was_the_first(kind: Kind, open_form: Callable[..., Any]):
    """The next one acts, or says why it cannot: the webhook is deleted, or nothing has changed."""
    server, form = open_form(kind.make)
    await press(form)
    await form.submit()
    if kind in (CREATE, FIRE):
        await form.submit()
        assert 2 == len(written(server))
    else:
        with pytest.raises(cx.CStarError):
            await form.submit()


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        pytest.param(CREATE, "name", "Another", id="create"),
        pytest.param(EDIT, "name", "Renamed again", id="edit"),
        pytest.param(FIRE, "event", "ticket.closed", id="fire"),
    ],
)
@in_loop
async def test_submit_acts_after_a_field_has_changed(kind: Kind, name: str, value: str, open_form: Callable[..., Any]):
    """The click was for other values."""
    server, form = open_form(kind.make)
    await pressed(form)
    form.fields[name].value = value
    await form.submit()
    assert 2 == len(written(server))


@all_forms
@in_loop
async def test_submit_acts_after_a_click_that_failed(kind: Kind, open_form: Callable[..., Any]):
    """There is no result to return."""
    server, form = open_form(kind.make, status(409, message="Busy."))
    await pressed(form)
    assert "failed" == form.status.tone
    await form.submit()
    assert (kind.tone, 2) == (form.status.tone, len(written(server)))


# --- live keys and read-only clients ----------------------------------------------------------------------------------


@all_forms
def test_the_confirmation_field_is_shown_for_a_live_key_only(kind: Kind, open_form: Callable[..., Any]):
    """Its label contains the text to type."""
    _, form = open_form(kind.make)
    assert hidden(form.confirmation)
    _, live = open_form(kind.make, key="live")
    assert not hidden(live.confirmation)
    assert kind.confirm in live.confirmation.label


@all_forms
@pytest.mark.parametrize(
    "confirmation",
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
async def test_a_live_key_sends_nothing_without_the_exact_confirmation(
    kind: Kind, confirmation: Any, open_form: Callable[..., Any]
):
    """Any other text is refused before a request is made."""
    server, form = open_form(kind.make, key="live")
    with pytest.raises(errors.ConfirmationError):
        await form.submit(confirm=confirmation(kind.confirm))
    assert [] == written(server)
    assert "failed" == form.status.tone
    assert form.status.text.startswith("Error:")


@all_forms
@in_loop
async def test_a_live_key_makes_the_call_with_the_confirmation(kind: Kind, open_form: Callable[..., Any]):
    """`submit` takes it as an argument."""
    server, form = open_form(kind.make, key="live")
    await form.submit(confirm=kind.confirm)
    assert [kind.method] == [request.method for request in written(server)]
    assert kind.tone == form.status.tone


@all_forms
@in_loop
async def test_a_click_with_a_live_key_uses_the_typed_confirmation(kind: Kind, open_form: Callable[..., Any]):
    """A wrong text is refused; after a correction the same button works."""
    server, form = open_form(kind.make, key="live")
    form.confirmation.value = "wrong"
    await pressed(form)
    refused = (form.status.tone, len(written(server)))
    form.confirmation.value = kind.confirm
    await pressed(form)
    assert (("failed", 0), (kind.tone, 1)) == (refused, (form.status.tone, len(written(server))))


@all_forms
@in_loop
async def test_a_read_only_client_sends_nothing(kind: Kind, open_form: Callable[..., Any]):
    """`submit` raises, the status shows the error, and the button stays disabled."""
    server, form = open_form(kind.make, write=False)
    with pytest.raises(errors.ReadOnlyError):
        await form.submit()
    assert [] == written(server)
    assert ("failed", True) == (form.status.tone, form.button.disabled)


# --- the connection ---------------------------------------------------------------------------------------------------

BROKEN = [
    pytest.param(reset(), id="reset"),
    pytest.param(hang_up(), id="hung up"),
    pytest.param(cut('{"success": true, "data": {"id": "whk_1"}}', 20), id="cut in the body"),
    pytest.param(garbled(), id="garbled"),
]


def assert_failed_and_usable(form: Any) -> None:
    assert form.status.text.startswith("Error:")
    assert "Traceback" not in form.status.text
    assert ("failed", 0, False, True) == (
        form.status.tone,
        form.status.wait_until,
        form.button.disabled,
        hidden(form.cancel),
    )


@pytest.mark.parametrize("broken", BROKEN)
@all_forms
@in_loop
async def test_a_broken_connection_is_reported_in_a_sentence(kind: Kind, broken: Script, open_form: Callable[..., Any]):
    """`submit` raises a `CStarError`, all attempts have one Idempotency-Key, and the form can be used again."""
    server, form = open_form(kind.make, *[broken] * 8)
    with pytest.raises(errors.CStarError):
        await form.submit()
    assert_failed_and_usable(form)
    assert 1 == len({request.headers.get("idempotency-key") for request in written(server)})


@pytest.mark.parametrize("broken", BROKEN)
@all_forms
@in_loop
async def test_a_connection_that_also_breaks_on_reads_is_reported_in_a_sentence(
    kind: Kind, broken: Script, open_form: Callable[..., Any]
):
    """Some forms read before they write."""
    _, form = open_form(kind.make, *[broken] * 8, reads=broken)
    await pressed(form)
    assert_failed_and_usable(form)


@each(CREATE, EDIT, DELETE)
@in_loop
async def test_a_retry_after_a_lost_response_has_no_second_effect(
    kind: Kind, sandbox: cx.Sandbox, other: cx.Sandbox, open_form: Callable[..., Any]
):
    """The Idempotency-Key, or the already deleted webhook, makes the retry safe, and the form succeeds."""
    server, form = open_form(kind.make, passed(sandbox, answered=False))
    with behind(other) as (_, client), contextlib.closing(kind.make(client, first(other))) as expected:
        await form.submit()
        await expected.submit()
        assert listed(other) == listed(sandbox)
        assert (expected.status.text, "done") == (form.status.text, form.status.tone)
        assert 2 == len(written(server))
        assert 1 == len({request.headers.get("idempotency-key") for request in written(server)})


# --- waits ------------------------------------------------------------------------------------------------------------


@all_forms
@in_loop
async def test_a_wait_counts_down_and_can_be_cancelled(kind: Kind, open_form: Callable[..., Any]):
    """Cancel is shown during the wait, and ends it at once."""
    server, form = open_form(kind.make, status(429, {"Retry-After": "30"}))
    task = asyncio.create_task(form.submit())
    await until(lambda: form.status.wait_until)
    assert ("busy", True, False) == (form.status.tone, form.button.disabled, hidden(form.cancel))
    assert "30 s" in form.status.text
    assert 0 < form.status.wait_until - time.time() * 1000 <= 30_000
    form.cancel.click()
    with pytest.raises(errors.WaitCancelledError):
        await task
    assert_failed_and_usable(form)
    assert 1 == len(written(server))


@all_forms
@in_loop
async def test_the_call_is_retried_after_a_short_wait(kind: Kind, open_form: Callable[..., Any]):
    """Nothing of the wait is shown afterwards."""
    server, form = open_form(kind.make, status(429, retryAfter=0.05))
    waits = []
    form.status.observe(lambda change: waits.append(change["new"]), "wait_until")
    await form.submit()
    assert (kind.tone, 0, True) == (form.status.tone, form.status.wait_until, hidden(form.cancel))
    assert any(waits)
    assert 2 == len(written(server))


@all_forms
@in_loop
async def test_an_exhausted_hourly_rate_limit_fails_at_once(kind: Kind):
    """The form does not wait for an hour."""
    with (
        cx.Sandbox(rate_limit=5) as sandbox,
        sandbox.client() as client,
        contextlib.closing(kind.make(client, first(sandbox))) as form,
    ):
        await settled(form)
        while client.rate_limit is None or client.rate_limit.remaining:
            client.webhooks.list()
        with pytest.raises(errors.RateLimitError):
            await form.submit()
        assert_failed_and_usable(form)


# --- what is never shown ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [pytest.param("secret", id="test key"), pytest.param("live", id="live key")])
@all_forms
@in_loop
async def test_no_widget_state_contains_the_key_or_the_signing_secret(
    kind: Kind, key: str, sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """Nor does the repr or the mimebundle, which a notebook may save."""
    _, form = open_form(kind.make, key=key)
    result = await form.submit(confirm=kind.confirm)
    secrets = [sandbox.keys[key], getattr(result, "secret", None)]
    everything = states() + repr(form) + json.dumps(form._repr_mimebundle_())
    assert [] == [secret for secret in secrets if secret is not None and secret.reveal() in everything]


def messages(form: Any) -> str:
    """Those of the fields, and the status."""
    return " ".join([*(field.message for field in form.fields.values()), form.status.text])


@all_forms
@in_loop
async def test_a_key_in_an_error_message_is_masked(kind: Kind, sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The server quotes the key; no widget contains it."""
    key = sandbox.key.reveal()
    _, form = open_form(kind.make, status(400, message=f"No team for {key}", param="name"))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert "No team for sk_test_" in messages(form)
    assert key not in states()


@all_forms
@in_loop
async def test_an_error_message_is_shown_literally(kind: Kind, open_form: Callable[..., Any]):
    """Markup stays text, and control and direction characters are escaped."""
    _, form = open_form(kind.make, status(400, message=f"{HOSTILE} {CONTROLS}", param="name"))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert HOSTILE in messages(form)
    assert [] == [character for character in CONTROLS if character in messages(form)]


@each(EDIT, DELETE, FIRE)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(HOSTILE, id="markup and mathematics"),
        pytest.param(f"left{CONTROLS}right", id="controls and directions"),
        pytest.param("n" * 10_000, id="ten thousand characters"),
    ],
)
@in_loop
async def test_a_hostile_webhook_is_shown_literally(kind: Kind, name: str, open_form: Callable[..., Any]):
    """No widget that interprets HTML shows its name or URL."""
    item = {
        "id": "whk_1",
        "name": name,
        "url": f"https://example.com/{name}",
        "events": ["ticket.created"],
        "isActive": True,
    }
    _, form = open_form(lambda client, _: kind.make(client, cx.models.Webhook.from_item(item)), reads=holding(item))
    await settled(form)
    form.button.click()
    await settled(form)
    classes = {type(widget).__name__ for widget in widgets_of(form)}
    assert set() == {"HTML", "HTMLMath", "Label"} & classes
    assert [] == [character for character in CONTROLS if character in shown(form)]
    assert name[:4] in shown(form)
