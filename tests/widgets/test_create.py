"""The form that makes a webhook."""

from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import (
    CONTROLS,
    HOSTILE,
    behind,
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

FILLED = {"name": "New one", "url": "https://example.com/new", "events": ["ticket.created"]}


def filled(client: cx.Client, **changed: Any) -> cx.CreateForm:
    return cx.CreateForm(client, **FILLED | changed)


def asked(reveal: Any, message: dict[str, Any]) -> list[Any]:
    """What the reveal widget sends to the page in answer to this message."""
    sent: list[Any] = []
    reveal.send = lambda content, *_: sent.append(content)
    reveal._handle_custom_msg(message, [])
    return sent


# --- the fields -------------------------------------------------------------------------------------------------------


def test_the_fields_have_the_names_that_people_look_for(client: cx.Client):
    """They are found by their visible words."""
    labels = {name: field.label for name, field in cx.CreateForm(client).fields.items()}
    assert {"name": "Name", "url": "URL", "events": "Events"} == labels


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "ticket.closed"], id="list"),
        pytest.param(("ticket.created", "ticket.closed"), id="tuple"),
        pytest.param("ticket.created, ticket.closed", id="string"),
    ],
)
def test_the_form_starts_with_what_it_is_given(events: Any, client: cx.Client):
    """Events may be a list or the string that cStar takes."""
    form = cx.CreateForm(client, "Mine", "https://example.com/", events)
    given = ["Mine", "https://example.com/", ["ticket.created", "ticket.closed"]]
    assert given == [form.fields[name].value for name in ("name", "url", "events")]


@pytest.mark.parametrize(
    ("name", "value", "tone", "words"),
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
def test_a_field_is_checked_as_it_is_left(name: str, value: Any, tone: str, words: str, client: cx.Client):
    """The message stands beside the field it is about, and no other field is bothered."""
    form = cx.CreateForm(client)
    field = form.fields[name]
    field.value = value
    leave(field)
    assert tone == field.tone
    assert words in field.message
    assert bool(tone) == bool(field.message)
    others = [other.message for other in form.fields.values() if other is not field]
    assert ["", ""] == others


def test_a_corrected_field_loses_its_message(client: cx.Client):
    """What was wrong is not held against what is right."""
    form = filled(client, url="http://example.com/")
    field = form.fields["url"]
    leave(field)
    wrong = field.tone
    field.value = "https://example.com/"
    leave(field)
    assert ("failed", "", "") == (wrong, field.tone, field.message)


def test_event_types_outside_of_the_catalogue_are_known_as_such(client: cx.Client):
    """The page can mark the ones that nobody has heard of; wildcards are not among them."""
    events = ["ticket.created", "ticket.nope", "ticket.*", "*", "other.thing"]
    assert ["ticket.nope", "other.thing"] == filled(client, events=events).fields["events"].unknown


def test_the_line_of_python_follows_the_fields(client: cx.Client):
    """It is always the line for what is in the fields now."""
    form = filled(client)
    form.fields["name"].value = "Other"
    form.fields["events"].value = ["ticket.closed"]
    line = "client.webhooks.create(name='Other', url='https://example.com/new', events=['ticket.closed'])"
    assert [line] == form.code.lines


# --- creating ---------------------------------------------------------------------------------------------------------


@in_loop
async def test_a_webhook_is_made_of_what_the_fields_hold(sandbox: cx.Sandbox, client: cx.Client):
    """The new webhook is on the list, and the status names it and its id."""
    form = filled(client)
    webhook = await form.submit()
    assert FILLED == {"name": webhook.name, "url": webhook.url, "events": list(webhook.events)}
    assert webhook.id in [each.id for each in listed(sandbox)]
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
async def test_a_bad_value_is_not_sent(name: str, value: Any, sandbox: cx.Sandbox):
    """What is known to be wrong is refused here, beside the field that it is about."""
    with behind(sandbox) as (server, client):
        form = filled(client, **{name: value})
        with pytest.raises(errors.ValidationError) as caught:
            await form.submit()
        assert None is caught.value.status
        assert [] == server.requests
        assert {name: "failed"} == {each: field.tone for each, field in form.fields.items() if field.tone}


@pytest.mark.parametrize("param", ["name", "url", "events"])
@in_loop
async def test_what_the_server_finds_wrong_stands_beside_the_field(param: str, sandbox: cx.Sandbox):
    """The server's `param` names the field, and what was typed stays as it is."""
    with behind(sandbox, status(400, message="Not to our liking", param=param)) as (_, client):
        form = filled(client)
        with pytest.raises(errors.ValidationError):
            await form.submit()
        told = {name: field.message for name, field in form.fields.items() if field.tone == "failed"}
        assert {param: "Not to our liking"} == told
        assert FILLED == {name: field.value for name, field in form.fields.items()}


@in_loop
async def test_a_param_that_is_no_field_is_told_in_the_status(sandbox: cx.Sandbox):
    """An error about something the form does not have is not lost."""
    with behind(sandbox, status(422, message="Not this team", param="plan")) as (_, client):
        form = filled(client)
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert "Not this team" in form.status.text
        assert ["", "", ""] == [field.tone for field in form.fields.values()]


@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
@in_loop
async def test_an_unknown_event_type_is_for_the_server_to_refuse(sandbox: cx.Sandbox):
    """The form only doubts; it sends the type and shows the answer beside the events."""
    with behind(sandbox) as (server, client):
        form = filled(client, events=["ticket.nope"])
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert "ticket.nope" == written(server)[0].json["events"]
        assert "failed" == form.fields["events"].tone
        assert "ticket.nope" in form.fields["events"].message


@in_loop
async def test_clicking_again_creates_nothing_until_a_field_changes(sandbox: cx.Sandbox):
    """A second click after success says so; with a new name it is a new webhook."""
    with behind(sandbox) as (server, client):
        form = filled(client)
        await pressed(form)
        told = form.status.text
        await pressed(form)
        assert 1 == len(written(server))
        assert form.status.text not in {"", told}
        form.fields["name"].value = "Another"
        await pressed(form)
        assert ["New one", "Another"] == [request.json["name"] for request in written(server)]


@in_loop
async def test_clicking_again_after_a_failure_tries_again(sandbox: cx.Sandbox):
    """Only a success makes the second click idle."""
    with behind(sandbox, status(400, message="Not now")) as (_, client):
        form = filled(client)
        await pressed(form)
        failed = form.status.tone
        await pressed(form)
        assert ("failed", "done") == (failed, form.status.tone)
        assert "New one" in [each.name for each in listed(sandbox)]


@in_loop
async def test_where_the_answer_stays_lost_the_webhook_found_is_offered(sandbox: cx.Sandbox):
    """The server acts and never gets to say so: one webhook, and an error that has it."""
    with behind(sandbox, *[passed(sandbox, answered=False)] * 8) as (server, client):
        form = filled(client)
        with pytest.raises(errors.OutcomeUnknownError) as caught:
            await form.submit()
        made = [each for each in listed(sandbox) if each.name == "New one"]
        assert [each.id for each in made] == [each.id for each in caught.value.candidates]
        assert 1 == len(made)
        assert made[0].id in form.status.text
        assert 1 == len({request.headers["idempotency-key"] for request in written(server)})


@in_loop
async def test_two_webhooks_have_two_idempotency_keys(sandbox: cx.Sandbox):
    """The same values on purpose twice are two webhooks, not a replay of the first."""
    with behind(sandbox, reset()) as (server, client):
        form = filled(client)
        one, two = await form.submit(), await form.submit()
        assert one.id != two.id
        keys = [request.headers["idempotency-key"] for request in written(server)]
        assert [keys[0], keys[0], keys[2]] == keys
        assert keys[0] != keys[2]


@in_loop
async def test_a_hostile_name_is_created_and_told_as_those_characters(sandbox: cx.Sandbox, client: cx.Client):
    """Markup and mathematics are characters like all others."""
    form = filled(client, name=HOSTILE)
    assert HOSTILE == (await form.submit()).name
    assert HOSTILE in form.status.text


@in_loop
async def test_a_hostile_answer_is_told_with_its_controls_spelled_out(sandbox: cx.Sandbox):
    """Also a name that cStar made of ours cannot ring a bell or turn a line around."""
    item = {"id": "whk_1", "name": f"{HOSTILE}{CONTROLS}", "secret": "whsec_1"}
    with behind(sandbox, data(item, 201)) as (_, client):
        form = filled(client)
        await form.submit()
        assert HOSTILE in form.status.text
        assert [] == [each for each in CONTROLS if each in shown(form)]


# --- the signing secret -----------------------------------------------------------------------------------------------


@in_loop
async def test_the_signing_secret_is_told_by_pull_only(client: cx.Client):
    """The page gets it when it asks, together with its nonce; until then and after it no widget holds it."""
    form = filled(client)
    webhook = await form.submit()
    [reveal] = form.secret_place.children
    before = states()
    sent = asked(reveal, {"event": "ask", "nonce": "n"})
    assert isinstance(webhook.secret, cx.Secret)
    assert [{"nonce": "n", "value": webhook.secret.reveal()}] == sent
    assert webhook.secret.reveal() not in before + states()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({}, id="empty"),
        pytest.param({"event": "left"}, id="another event"),
        pytest.param({"nonce": "n"}, id="nonce alone"),
    ],
)
@in_loop
async def test_only_a_question_is_answered_with_the_secret(message: dict[str, Any], client: cx.Client):
    """Any other message leaves the reveal widget silent."""
    form = filled(client)
    await form.submit()
    assert [] == asked(form.secret_place.children[0], message)


@in_loop
async def test_before_a_success_there_is_no_secret_to_reveal(sandbox: cx.Sandbox):
    """Neither a fresh form nor a failed one has a place to press."""
    with behind(sandbox, status(400)) as (_, client):
        form = filled(client)
        fresh = len(form.secret_place.children)
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert [0, 0] == [fresh, len(form.secret_place.children)]


@in_loop
async def test_each_webhook_reveals_its_own_secret(client: cx.Client):
    """After a second create the page is told the second secret, in the one place there is."""
    form = filled(client)
    one, two = await form.submit(), await form.submit()
    [reveal] = form.secret_place.children
    [answer] = asked(reveal, {"event": "ask", "nonce": "n"})
    assert two.secret.reveal() == answer["value"] != one.secret.reveal()
    assert reveal in widgets_of(form)


@in_loop
async def test_a_secret_that_was_not_returned_is_said_to_be_missing(sandbox: cx.Sandbox):
    """The webhook exists all the same, and its id is told."""
    with behind(sandbox, data({"id": "whk_9", "name": "New one"}, 201)) as (_, client):
        form = filled(client)
        await form.submit()
        assert "whk_9" in form.status.text
        assert "not return" in form.status.text
        assert () == tuple(form.secret_place.children)
