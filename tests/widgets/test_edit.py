"""The form that edits a webhook."""

from collections.abc import Callable
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.forms import first, holding, in_loop, leave, listed, pressed, written
from tests.support.scripted_server import status

CHANGES = [
    pytest.param("name", "Renamed", {"name": "Renamed"}, id="name"),
    pytest.param("url", "https://example.com/new", {"url": "https://example.com/new"}, id="url"),
    pytest.param("events", ["ticket.created", "ticket.*"], {"events": "ticket.created,ticket.*"}, id="events"),
    pytest.param("active", False, {"isActive": False}, id="active"),
]


def values(form: cx.EditForm) -> dict[str, Any]:
    return {name: field.value for name, field in form.fields.items()}


def edited(**changes: Any) -> Callable[[cx.Client, cx.Webhook], cx.EditForm]:
    """Makes a form in which these fields have been changed."""

    def make(client: cx.Client, webhook: cx.Webhook) -> cx.EditForm:
        form = cx.EditForm(client, webhook)
        for name, value in changes.items():
            form.fields[name].value = value
        return form

    return make


def by_id(client: cx.Client, _: cx.Webhook) -> cx.EditForm:
    return cx.EditForm(client, "whk_1")


def update_elsewhere(sandbox: cx.Sandbox, **changes: Any) -> None:
    """Another client updates the first webhook."""
    with sandbox.client() as client:
        client.webhooks.update(first(sandbox).id, **changes)


# --- before saving ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [pytest.param(lambda webhook: webhook, id="webhook"), pytest.param(lambda webhook: webhook.id, id="id")]
)
def test_the_fields_show_the_current_values(given: Any, sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The webhook may be given by its ID."""
    webhook = first(sandbox)
    _, form = open_form(lambda client, webhook: cx.EditForm(client, given(webhook)))
    assert ["Name", "URL", "Events", "Active"] == [field.label for field in form.fields.values()]
    assert values(form) == {
        "name": webhook.name,
        "url": webhook.url,
        "events": list(webhook.events),
        "active": webhook.is_active,
    }


def test_an_unknown_id_raises_at_once(client: cx.Client):
    """No form is made."""
    with pytest.raises(errors.NotFoundError):
        cx.EditForm(client, "whk_nope")


@pytest.mark.parametrize(
    ("name", "value", "parts"),
    [
        pytest.param("name", "Renamed", ["Name", "Slack notifications", "Renamed"], id="name"),
        pytest.param("url", "https://example.com/new", ["URL", "hooks.slack.example", "example.com/new"], id="url"),
        pytest.param("events", ["ticket.created", "ticket.*"], ["−ticket.closed", "+ticket.*"], id="events"),
        pytest.param("active", False, ["Active: yes → no"], id="active"),
    ],
)
def test_each_change_is_listed_before_saving(name: str, value: Any, parts: list[str], open_form: Callable[..., Any]):
    """With the old and the new value."""
    _, form = open_form(edited(**{name: value}))
    [line] = form.changes.lines
    assert [] == [part for part in parts if part not in line]


def test_restoring_a_value_removes_the_change(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Without changes there is no line of Python."""
    _, form = open_form(edited())
    unchanged = list(form.changes.lines)
    form.fields["name"].value = "Renamed"
    changed = len(form.code.lines)
    form.fields["name"].value = first(sandbox).name
    assert (1, []) == (changed, form.code.lines)
    assert unchanged == form.changes.lines


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
def test_a_field_is_validated_on_blur(name: str, value: Any, tone: str, open_form: Callable[..., Any]):
    """Only this field shows a message."""
    _, form = open_form(edited(**{name: value}))
    leave(form.fields[name])
    assert {name: tone} == {each: field.tone for each, field in form.fields.items() if field.tone}


def test_save_is_disabled_while_nothing_has_changed(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """At first, and again when the value is restored."""
    _, form = open_form(edited())
    states = [form.button.disabled]
    for name in ("Renamed", first(sandbox).name):
        form.fields["name"].value = name
        states.append(form.button.disabled)
    assert [True, False, True] == states


# --- saving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "value", "body"), CHANGES)
@in_loop
async def test_only_the_changed_field_is_sent(
    name: str, value: Any, body: dict[str, Any], sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """The saved webhook has the new value."""
    server, form = open_form(edited(**{name: value}))
    saved = await form.submit()
    assert [body] == [request.json for request in written(server)]
    assert saved.id == first(sandbox).id
    _, reopened = open_form(edited())
    assert value == values(reopened)[name]


@in_loop
async def test_after_saving_there_are_no_changes(open_form: Callable[..., Any]):
    """The next save sends only the next change."""
    server, form = open_form(edited())
    unchanged = list(form.changes.lines)
    form.fields["name"].value = "Renamed"
    await form.submit()
    assert (unchanged, []) == (form.changes.lines, form.code.lines)
    form.fields["active"].value = False
    await form.submit()
    assert [{"name": "Renamed"}, {"isActive": False}] == [request.json for request in written(server)]


@in_loop
async def test_a_form_without_changes_sends_nothing(open_form: Callable[..., Any]):
    """`submit` raises, and a click shows the error."""
    server, form = open_form(edited())
    with pytest.raises(errors.ValidationError):
        await form.submit()
    await pressed(form)
    assert "failed" == form.status.tone
    assert [] == written(server)


@in_loop
async def test_an_invalid_value_is_not_sent(open_form: Callable[..., Any]):
    """`submit` raises, and the field shows the error."""
    server, form = open_form(edited(url="http://example.com/"))
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
async def test_a_server_error_about_a_field_is_shown_below_it(param: str, name: str, open_form: Callable[..., Any]):
    """`param` in the error names the field. The edits stay."""
    _, form = open_form(edited(name="Renamed"), status(400, message="Not to our liking", param=param))
    with pytest.raises(errors.ValidationError):
        await form.submit()
    assert {name: "Not to our liking"} == {each: field.message for each, field in form.fields.items() if field.message}
    assert "Renamed" == form.fields["name"].value


@in_loop
async def test_a_live_key_is_confirmed_with_the_current_name_not_the_edited_one(
    sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """Once saved, the new name is the current one."""
    server, form = open_form(edited(name="Renamed"), key="live")
    name = first(sandbox, "live").name
    with pytest.raises(errors.ConfirmationError):
        await form.submit(confirm="Renamed")
    await form.submit(confirm=name)
    form.fields["active"].value = False
    with pytest.raises(errors.ConfirmationError):
        await form.submit(confirm=name)
    await form.submit(confirm="Renamed")
    assert [{"name": "Renamed"}, {"isActive": False}] == [request.json for request in written(server)]


# --- changes made elsewhere -------------------------------------------------------------------------------------------


@in_loop
async def test_a_change_made_elsewhere_is_detected_and_nothing_is_saved(
    sandbox: cx.Sandbox, open_form: Callable[..., Any]
):
    """The error names the changed fields. The user's edits stay, and the other fields get the current values."""
    server, form = open_form(edited(name="Renamed"))
    update_elsewhere(sandbox, url="https://example.com/elsewhere", is_active=False)
    with pytest.raises(errors.ConflictError, match="url"):
        await form.submit()
    assert "url" in form.status.text
    assert [] == written(server)
    expected = {"name": "Renamed", "url": "https://example.com/elsewhere", "active": False}
    assert expected == {name: values(form)[name] for name in expected}


@in_loop
async def test_the_submit_after_a_conflict_saves(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """It keeps the change made elsewhere."""
    server, form = open_form(edited(name="Renamed"))
    update_elsewhere(sandbox, url="https://example.com/elsewhere")
    with pytest.raises(errors.ConflictError):
        await form.submit()
    saved = await form.submit()
    assert ("Renamed", "https://example.com/elsewhere") == (saved.name, saved.url)
    assert [{"name": "Renamed"}] == [request.json for request in written(server)]


@in_loop
async def test_a_conflict_in_an_edited_field_keeps_the_edit(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """The list shows both values, and the next submit saves the edit."""
    server, form = open_form(edited(name="Mine"))
    update_elsewhere(sandbox, name="Theirs")
    with pytest.raises(errors.ConflictError, match="name"):
        await form.submit()
    assert "Mine" == form.fields["name"].value
    assert "Theirs" in " ".join(form.changes.lines)
    assert "Mine" == (await form.submit()).name
    assert 1 == len(written(server))


@in_loop
async def test_a_webhook_deleted_elsewhere_is_not_found(sandbox: cx.Sandbox, open_form: Callable[..., Any]):
    """Nothing is sent, and it is not created again."""
    server, form = open_form(edited(name="Renamed"))
    with sandbox.client() as client:
        client.webhooks.delete(form.before.id)
    with pytest.raises(errors.NotFoundError):
        await form.submit()
    assert [] == written(server)
    assert 3 == len(listed(sandbox))


# --- unusual webhooks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(["ticket.created", "not.published"], id="unknown"),
        pytest.param(["ticket created"], id="with a space"),
        pytest.param([], id="none"),
    ],
)
@in_loop
async def test_a_webhook_with_invalid_events_can_be_renamed(events: list[str], open_form: Callable[..., Any]):
    """Only changed fields are validated and sent."""
    item = {"id": "whk_1", "name": "Odd", "url": "https://example.com/", "events": events, "isActive": True}
    server, form = open_form(by_id, status(418), reads=holding(item))
    form.fields["name"].value = "Renamed"
    with pytest.raises(errors.StatusError):
        await form.submit()
    assert [{"name": "Renamed"}] == [request.json for request in written(server)]


@in_loop
async def test_a_webhook_without_optional_fields_can_be_renamed(open_form: Callable[..., Any]):
    """Only the ID is required. The user need not fill in the others."""
    server, form = open_form(by_id, status(418), reads=holding({"id": "whk_1"}))
    form.fields["name"].value = "Renamed"
    with pytest.raises(errors.StatusError):
        await form.submit()
    assert [{"name": "Renamed"}] == [request.json for request in written(server)]
