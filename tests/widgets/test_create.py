"""The form that creates a webhook."""

from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
    CONTROLS,
    HOSTILE,
    in_loop,
    leave,
    listed,
    passed,
    pressed,
    shown,
    states,
    widgets_of,
    written,
)
from tests.support.scripted_server import data, reset, status

VALUES = {"name": "New one", "url": "https://example.com/new", "events": ["ticket.created"]}


def empty(client: cx.Client, _: cx.Webhook) -> cx.CreateForm:
    return cx.CreateForm(client)


def filled(**changed: Any) -> Callable[[cx.Client, cx.Webhook], cx.CreateForm]:
    return lambda client, _: cx.CreateForm(client, **VALUES | changed)


def replies(reveal: Any, message: dict[str, Any]) -> list[Any]:
    """What the reveal widget sends to the page in reply to a message."""
    sent: list[Any] = []
    reveal.send = lambda content, *_: sent.append(content)
    reveal._handle_custom_msg(message, [])
    return sent


# --- the fields -------------------------------------------------------------------------------------------------------


def test_the_fields_are_labelled_name_url_and_events(open_form: Callable[..., Any]):
    """In this order."""
    _, form = open_form(empty)
    labels = {name: field.label for name, field in form.fields.items()}
    assert {"name": "Name", "url": "URL", "events": "Events"} == labels


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "ticket.closed"], id="list"),
        pytest.param(("ticket.created", "ticket.closed"), id="tuple"),
        pytest.param("ticket.created, ticket.closed", id="string"),
    ],
)
def test_the_arguments_fill_in_the_fields(events: Any, open_form: Callable[..., Any]):
    """Events may be a list, a tuple or a comma-separated string."""
    _, form = open_form(lambda client, _: cx.CreateForm(client, "Mine", "https://example.com/", events))
    values = ["Mine", "https://example.com/", ["ticket.created", "ticket.closed"]]
    assert values == [form.fields[name].value for name in ("name", "url", "events")]


@pytest.mark.parametrize(
    ("name", "value", "tone", "part"),
    [
        pytest.param("name", "Mine", "", "", id="name"),
        pytest.param("name", "", "failed", "name", id="no name"),
        pytest.param("name", "  ", "failed", "name", id="blank name"),
        pytest.param("url", "https://example.com/", "", "", id="url"),
        pytest.param("url", "", "failed", "URL", id="no url"),
        pytest.param("url", "http://example.com/", "failed", "https", id="plain http"),
        pytest.param("url", "example.com/hook", "failed", "https", id="no scheme"),
        pytest.param("url", "http://127.0.0.1:8000/", "warned", "machine", id="loopback url"),
        pytest.param("events", ["ticket.created", "article.*", "*"], "", "", id="events"),
        pytest.param("events", [], "failed", "event", id="no events"),
        pytest.param("events", ["ticket.creatd"], "warned", "ticket.created", id="misspelt event"),
        pytest.param("events", ["achievement.unlocked"], "warned", "player.achievement_unlocked", id="former event"),
        pytest.param("events", ["two words"], "failed", "space", id="event with a space"),
        pytest.param("events", ["bell\x07"], "failed", "control", id="event with a control character"),
    ],
)
def test_a_field_is_validated_on_blur(name: str, value: Any, tone: str, part: str, open_form: Callable[..., Any]):
    """Only this field shows a message."""
    _, form = open_form(empty)
    field = form.fields[name]
    field.value = value
    leave(field)
    assert tone == field.tone
    assert part in field.message
    assert bool(tone) == bool(field.message)
    assert ["", ""] == [other.message for other in form.fields.values() if other is not field]


def test_correcting_a_field_removes_its_message(open_form: Callable[..., Any]):
    """The field is validated again."""
    _, form = open_form(filled(url="http://example.com/"))
    field = form.fields["url"]
    leave(field)
    tone = field.tone
    field.value = "https://example.com/"
    leave(field)
    assert ("failed", "", "") == (tone, field.tone, field.message)


def test_event_types_outside_the_catalogue_are_marked(open_form: Callable[..., Any]):
    """Wildcards are not."""
    events = ["ticket.created", "ticket.nope", "ticket.*", "*", "other.thing"]
    _, form = open_form(filled(events=events))
    assert ["ticket.nope", "other.thing"] == list(form.fields["events"].unknown)


def test_the_warning_of_an_unknown_event_names_what_was_meant_and_ends_with_it(open_form: Callable[..., Any]):
    """Also if only one type contains it."""
    _, form = open_form(lambda client, _: cx.CreateForm(client))
    field = form.fields["events"]
    field.value = ["tiket.closed", "message", "ticket.created"]
    assert {"tiket.closed": "ticket.closed", "message": "ticket.message_added"} == field.unknown
    assert ("warned", 2) == (field.tone, field.message.count("Did you mean"))
    field.value = ["ticket.created"]
    assert ({}, "", "") == (field.unknown, field.tone, field.message)


@in_loop
async def test_an_undecided_event_is_not_sent(open_form: Callable[..., Any]):
    """The field says that several types contain the typed text."""
    server, form = open_form(filled())
    form.fields["events"].pending = "boss"
    with pytest.raises(errors.ValidationError, match="Several event types contain 'boss'"):
        await form.submit()
    assert ([], "failed") == (written(server), form.fields["events"].tone)


def test_the_line_of_python_follows_the_fields(open_form: Callable[..., Any]):
    """It changes with each edit."""
    _, form = open_form(filled())
    form.fields["name"].value = "Other"
    form.fields["events"].value = ["ticket.closed"]
    line = "client.webhooks.create(name='Other', url='https://example.com/new', events=['ticket.closed'])"
    assert [line] == form.code.lines


# --- creating ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_submit_creates_a_webhook_from_the_fields(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The status contains its name and ID."""
    _, form = open_form(filled())
    webhook = await form.submit()
    assert VALUES == {"name": webhook.name, "url": webhook.url, "events": list(webhook.events)}
    assert webhook.id in [other.id for other in listed(sandbox)]
    assert webhook.id in form.status.text
    assert "New one" in form.status.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("name", "", id="name"),
        pytest.param("url", "http://example.com/", id="url"),
        pytest.param("events", [], id="events"),
    ],
)
@in_loop
async def test_an_invalid_value_is_not_sent(name: str, value: Any, open_form: Callable[..., Any]):
    """`submit` raises, and the field shows the error."""
    server, form = open_form(filled(**{name: value}))
    with pytest.raises(errors.ValidationError) as caught:
        await form.submit()
    assert None is caught.value.status
    assert [] == server.requests
    assert {name: "failed"} == {each: field.tone for each, field in form.fields.items() if field.tone}
    assert caught.value.advice in form.fields[name].message, "the advice is also beside the field"


@pytest.mark.parametrize("param", ["name", "url", "events"])
@in_loop
async def test_a_server_error_about_a_field_is_shown_below_it(param: str, open_form: Callable[..., Any]):
    """`param` in the error names the field. The values stay."""
    _, form = open_form(filled(), status(400, message="Not to our liking", param=param))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    messages = {name: field.message for name, field in form.fields.items() if field.tone == "failed"}
    assert {param: "Not to our liking"} == messages
    assert VALUES == {name: field.value for name, field in form.fields.items()}


@in_loop
async def test_a_server_error_about_no_field_is_shown_in_the_status(open_form: Callable[..., Any]):
    """No field shows it."""
    _, form = open_form(filled(), status(422, message="Not this team", param="plan"))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert "Not this team" in form.status.text
    assert ["", "", ""] == [field.tone for field in form.fields.values()]


@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
@in_loop
async def test_an_unknown_event_type_is_sent_and_the_server_decides(open_form: Callable[..., Any]):
    """The form only warns. The server's error is shown below the events."""
    server, form = open_form(filled(events=["ticket.nope"]))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert "ticket.nope" == written(server)[0].json["events"]
    assert "failed" == form.fields["events"].tone
    assert "ticket.nope" in form.fields["events"].message


@in_loop
async def test_a_second_click_creates_nothing_until_a_field_changes(open_form: Callable[..., Any]):
    """The status explains it. With a new name, the click creates another webhook."""
    server, form = open_form(filled())
    await pressed(form)
    after_first = form.status.text
    await pressed(form)
    assert 1 == len(written(server))
    assert form.status.text not in {"", after_first}
    form.fields["name"].value = "Another"
    await pressed(form)
    assert ["New one", "Another"] == [request.json["name"] for request in written(server)]


@in_loop
async def test_a_click_after_a_failure_tries_again(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Only a success disables the second click."""
    _, form = open_form(filled(), status(400, message="Not now"))
    await pressed(form)
    after_first = form.status.tone
    await pressed(form)
    assert ("failed", "done") == (after_first, form.status.tone)
    assert "New one" in [webhook.name for webhook in listed(sandbox)]


@in_loop
async def test_a_create_whose_responses_are_lost_reports_the_created_webhook(
    sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """It was created once, and the error has it as a candidate."""
    server, form = open_form(filled(), *[passed(sandbox, answered=False)] * 8)
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        await form.submit()
    created = [webhook for webhook in listed(sandbox) if webhook.name == "New one"]
    assert [webhook.id for webhook in created] == [candidate.id for candidate in caught.value.candidates]
    assert 1 == len(created)
    assert created[0].id in form.status.text
    assert 1 == len({request.headers["idempotency-key"] for request in written(server)})


@in_loop
async def test_each_submit_has_its_own_idempotency_key(open_form: Callable[..., Any]):
    """Two submits with equal values create two webhooks. A retry reuses the key."""
    server, form = open_form(filled(), reset())
    one, two = await form.submit(), await form.submit()
    assert one.id != two.id
    keys = [request.headers["idempotency-key"] for request in written(server)]
    assert [keys[0], keys[0], keys[2]] == keys
    assert keys[0] != keys[2]


@in_loop
async def test_a_hostile_name_is_sent_and_shown_literally(open_form: Callable[..., Any]):
    """Markup and mathematics stay text."""
    _, form = open_form(filled(name=HOSTILE))
    assert HOSTILE == (await form.submit()).name
    assert HOSTILE in form.status.text


@in_loop
async def test_control_characters_in_a_response_are_escaped(open_form: Callable[..., Any]):
    """The server may return another name than the one sent."""
    item = {"id": "whk_1", "name": f"{HOSTILE}{CONTROLS}", "secret": "whsec_1"}
    _, form = open_form(filled(), data(item, 201))
    await form.submit()
    assert HOSTILE in form.status.text
    assert [] == [character for character in CONTROLS if character in shown(form)]


# --- the signing secret -----------------------------------------------------------------------------------------------


@in_loop
async def test_the_signing_secret_is_sent_only_on_request(open_form: Callable[..., Any]):
    """The reply contains the nonce. No widget state contains the secret, before or after."""
    _, form = open_form(filled())
    webhook = await form.submit()
    [reveal] = form.secret_area.children
    before = states()
    sent = replies(reveal, {"event": "ask", "nonce": "n"})
    assert isinstance(webhook.secret, cx.Secret)
    assert [{"nonce": "n", "value": webhook.secret.reveal()}] == sent
    assert webhook.secret.reveal() not in before + states()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({}, id="empty"),
        pytest.param({"event": "blur"}, id="another event"),
        pytest.param({"nonce": "n"}, id="nonce alone"),
    ],
)
@in_loop
async def test_other_messages_get_no_secret(message: dict[str, Any], open_form: Callable[..., Any]):
    """The reveal widget does not reply."""
    _, form = open_form(filled())
    await form.submit()
    assert [] == replies(form.secret_area.children[0], message)


@in_loop
async def test_a_form_without_a_success_has_no_secret_to_reveal(open_form: Callable[..., Any]):
    """Neither when new nor after a failure."""
    _, form = open_form(filled(), status(400))
    when_new = len(form.secret_area.children)
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert [0, 0] == [when_new, len(form.secret_area.children)]


@in_loop
async def test_a_second_create_replaces_the_first_secret(open_form: Callable[..., Any]):
    """One reveal widget is shown, with the second secret."""
    _, form = open_form(filled())
    one, two = await form.submit(), await form.submit()
    [reveal] = form.secret_area.children
    [reply] = replies(reveal, {"event": "ask", "nonce": "n"})
    assert two.secret.reveal() == reply["value"] != one.secret.reveal()
    assert reveal in widgets_of(form)


@in_loop
async def test_a_missing_signing_secret_is_reported(open_form: Callable[..., Any]):
    """The status also contains the ID of the created webhook."""
    _, form = open_form(filled(), data({"id": "whk_9", "name": "New one"}, 201))
    await form.submit()
    assert "whk_9" in form.status.text
    assert "not return" in form.status.text
    assert () == tuple(form.secret_area.children)
