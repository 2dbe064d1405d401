"""The form that changes a webhook."""

from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import behind, first, holding, in_loop, leave, listed, pressed, written
from tests.support.scripted_server import status

CHANGES = [
    pytest.param("name", "Renamed", {"name": "Renamed"}, id="name"),
    pytest.param("url", "https://example.com/new", {"url": "https://example.com/new"}, id="url"),
    pytest.param("events", ["ticket.created", "ticket.*"], {"events": "ticket.created,ticket.*"}, id="events"),
    pytest.param("active", False, {"isActive": False}, id="active"),
]


def values(form: cx.EditForm) -> dict[str, Any]:
    return {name: field.value for name, field in form.fields.items()}


def opened(client: cx.Client, sandbox: cx.Sandbox, **changed: Any) -> cx.EditForm:
    """The form on the first webhook, with these fields changed."""
    form = cx.EditForm(client, first(sandbox))
    for name, value in changed.items():
        form.fields[name].value = value
    return form


# --- what is shown before it is saved ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "chosen", [pytest.param(lambda webhook: webhook, id="webhook"), pytest.param(lambda webhook: webhook.id, id="id")]
)
def test_the_form_starts_from_the_current_values(chosen: Any, sandbox: cx.Sandbox, client: cx.Client):
    """A webhook may be given itself or by its id."""
    webhook = first(sandbox)
    form = cx.EditForm(client, chosen(webhook))
    assert ["Name", "URL", "Events", "Active"] == [field.label for field in form.fields.values()]
    assert values(form) == {
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "active": webhook.is_active,
    }


def test_an_id_that_does_not_exist_is_told_at_once(client: cx.Client):
    """There is no form on nothing."""
    with pytest.raises(errors.NotFoundError):
        cx.EditForm(client, "whk_nope")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        pytest.param("name", "Renamed", ["name", "Slack notifications", "Renamed"], id="name"),
        pytest.param("url", "https://example.com/new", ["url", "hooks.slack.example", "example.com/new"], id="url"),
        pytest.param("events", ["ticket.created", "ticket.*"], ["events", "ticket.closed", "ticket.*"], id="events"),
        pytest.param("active", False, ["active"], id="active"),
    ],
)
def test_what_will_change_is_shown_before_it_is_saved(
    name: str, value: Any, words: list[str], sandbox: cx.Sandbox, client: cx.Client
):
    """One line for the one field, with what goes and what comes."""
    [line] = opened(client, sandbox, **{name: value}).changes_shown.lines
    assert [] == [word for word in words if word not in line]


def test_a_value_put_back_is_no_change(sandbox: cx.Sandbox, client: cx.Client):
    """The line of Python comes with the first change and goes with the last."""
    form = opened(client, sandbox)
    at_first = list(form.changes_shown.lines)
    form.fields["name"].value = "Renamed"
    changed = len(form.code.lines)
    form.fields["name"].value = first(sandbox).name
    assert (1, []) == (changed, form.code.lines)
    assert at_first == form.changes_shown.lines


@pytest.mark.parametrize(
    ("name", "value", "tone"),
    [
        pytest.param("name", "", "failed", id="no name"),
        pytest.param("url", "http://example.com/", "failed", id="plain http"),
        pytest.param("url", "https://localhost:8000/", "warned", id="loopback url"),
        pytest.param("events", [], "failed", id="no events"),
        pytest.param("events", ["ticket.nope"], "warned", id="unknown event"),
    ],
)
def test_a_field_is_checked_as_it_is_left(name: str, value: Any, tone: str, sandbox: cx.Sandbox, client: cx.Client):
    """As in the form that creates, beside the field and nowhere else."""
    form = opened(client, sandbox, **{name: value})
    leave(form.fields[name])
    assert {name: tone} == {each: field.tone for each, field in form.fields.items() if field.tone}


# --- saving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value", "body"), CHANGES)
@in_loop
async def test_only_what_changed_is_sent(name: str, value: Any, body: dict[str, Any], sandbox: cx.Sandbox):
    """The PATCH holds the one field, and the saved webhook has it."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, **{name: value})
        saved = await form.submit()
        assert [body] == [request.json for request in written(server)]
        assert saved.id == first(sandbox).id
        assert value == values(cx.EditForm(client, saved.id))[name]


@in_loop
async def test_after_saving_the_form_starts_from_what_was_saved(sandbox: cx.Sandbox):
    """Nothing is left to be done, and the next change is sent alone."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox)
        nothing = list(form.changes_shown.lines)
        form.fields["name"].value = "Renamed"
        await form.submit()
        assert (nothing, []) == (form.changes_shown.lines, form.code.lines)
        form.fields["active"].value = False
        await form.submit()
        assert [{"name": "Renamed"}, {"isActive": False}] == [request.json for request in written(server)]


@in_loop
async def test_a_form_without_changes_sends_nothing(sandbox: cx.Sandbox):
    """Submitting it is a mistake, and clicking it says so."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox)
        with pytest.raises(errors.ValidationError):
            await form.submit()
        await pressed(form)
        assert "failed" == form.status.tone
        assert [] == written(server)


@in_loop
async def test_a_bad_value_is_not_sent(sandbox: cx.Sandbox):
    """What is known to be wrong is refused here, beside its field."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, url="http://example.com/")
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert "failed" == form.fields["url"].tone
        assert [] == written(server)


@pytest.mark.parametrize(
    ("param", "name"),
    [
        pytest.param("name", "name", id="name"),
        pytest.param("url", "url", id="url"),
        pytest.param("events", "events", id="events"),
        pytest.param("isActive", "active", id="isActive"),
    ],
)
@in_loop
async def test_what_the_server_finds_wrong_stands_beside_the_field(param: str, name: str, sandbox: cx.Sandbox):
    """The server's `param` names the field, and the edits stay."""
    with behind(sandbox, status(400, message="Not to our liking", param=param)) as (_, client):
        form = opened(client, sandbox, name="Renamed")
        with pytest.raises(errors.ValidationError):
            await form.submit()
        assert {name: "Not to our liking"} == {
            each: field.message for each, field in form.fields.items() if field.message
        }
        assert "Renamed" == form.fields["name"].value


@in_loop
async def test_on_a_live_key_the_current_name_confirms_and_not_the_new_one(sandbox: cx.Sandbox):
    """What is confirmed is the webhook that exists; once it is renamed, it is the new name."""
    with behind(sandbox, key="live") as (server, live):
        webhook = first(sandbox, "live")
        form = cx.EditForm(live, webhook)
        form.fields["name"].value = "Renamed"
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm="Renamed")
        await form.submit(confirm=webhook.name)
        form.fields["active"].value = False
        with pytest.raises(errors.ConfirmationError):
            await form.submit(confirm=webhook.name)
        await form.submit(confirm="Renamed")
        assert [{"name": "Renamed"}, {"isActive": False}] == [request.json for request in written(server)]


# --- somebody else ----------------------------------------------------------------------------------------------------


@in_loop
async def test_a_change_by_somebody_else_is_noticed_and_nothing_is_saved(sandbox: cx.Sandbox):
    """The error names what moved; the user's edits stay, and the other fields take the new values."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, name="Renamed")
        with sandbox.client() as somebody:
            somebody.webhooks.update(first(sandbox).id, url="https://example.com/elsewhere", is_active=False)
        with pytest.raises(errors.ConflictError, match="url"):
            await form.submit()
        assert "url" in form.status.text
        assert [] == written(server)
        expected = {"name": "Renamed", "url": "https://example.com/elsewhere", "active": False}
        assert expected == {name: values(form)[name] for name in expected}


@in_loop
async def test_after_a_conflict_the_next_submit_saves(sandbox: cx.Sandbox):
    """Having been told, the user saves the edit, and the other's change is not undone by it."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, name="Renamed")
        with sandbox.client() as somebody:
            somebody.webhooks.update(first(sandbox).id, url="https://example.com/elsewhere")
        with pytest.raises(errors.ConflictError):
            await form.submit()
        saved = await form.submit()
        assert ("Renamed", "https://example.com/elsewhere") == (saved.name, saved.url)
        assert [{"name": "Renamed"}] == [request.json for request in written(server)]


@in_loop
async def test_where_both_changed_the_same_field_the_user_decides(sandbox: cx.Sandbox):
    """The user's own value stays in the field, and the next submit saves it over the other's."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, name="Mine")
        with sandbox.client() as somebody:
            somebody.webhooks.update(first(sandbox).id, name="Theirs")
        with pytest.raises(errors.ConflictError, match="name"):
            await form.submit()
        assert "Mine" == form.fields["name"].value
        assert "Theirs" in " ".join(form.changes_shown.lines)
        assert "Mine" == (await form.submit()).name
        assert 1 == len(written(server))


@in_loop
async def test_a_webhook_deleted_meanwhile_is_not_found(sandbox: cx.Sandbox):
    """Nothing is sent for it, and nothing is made anew."""
    with behind(sandbox) as (server, client):
        form = opened(client, sandbox, name="Renamed")
        with sandbox.client() as somebody:
            somebody.webhooks.delete(form.before.id)
        with pytest.raises(errors.NotFoundError):
            await form.submit()
        assert [] == written(server)
        assert 3 == len(listed(sandbox))


# --- what a server may hold -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "not.published"], id="unknown"),
        pytest.param(["ticket created"], id="with a space"),
        pytest.param([], id="none"),
    ],
)
@in_loop
async def test_a_webhook_with_strange_events_can_be_renamed(events: list[str], sandbox: cx.Sandbox):
    """The server decides what a webhook may hold; only what is changed here is sent."""
    item = {"id": "whk_1", "name": "Odd", "url": "https://example.com/", "events": events, "isActive": True}
    with behind(sandbox, status(418), reads=holding(item)) as (server, client):
        form = cx.EditForm(client, "whk_1")
        form.fields["name"].value = "Renamed"
        with pytest.raises(errors.StatusError):
            await form.submit()
        assert [{"name": "Renamed"}] == [request.json for request in written(server)]


@in_loop
async def test_a_webhook_of_which_little_is_known_can_be_renamed(sandbox: cx.Sandbox):
    """Every field but the id may be absent, and what is absent is not asked of the user."""
    with behind(sandbox, status(418), reads=holding({"id": "whk_1"})) as (server, client):
        form = cx.EditForm(client, "whk_1")
        form.fields["name"].value = "Renamed"
        with pytest.raises(errors.StatusError):
            await form.submit()
        assert [{"name": "Renamed"}] == [request.json for request in written(server)]
