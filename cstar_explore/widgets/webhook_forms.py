"""The forms that create, edit and delete a webhook."""

import itertools
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

from ..api.client import Client
from ..api.validation import checked_name, checked_url
from ..errors import ConflictError, CStarError, ValidationError
from ..events import parse_events, received_types, split_events, unknown_type_warning
from ..hosts import is_loopback_url
from ..models import Webhook, WebhookList
from ..plans import State, difference_words, differences, format_difference
from ..text import printable
from .boxes import Button, Column, close, row, set_visible
from .form import Form, named
from .inputs import CheckboxField, EventsField, InputField, SecretReveal, TextBlock, TextField

_UPDATABLE = [field.name for field in fields(Webhook) if field.name not in ("id", "extra", "secret")]


class _WebhookForm(Form[Webhook]):
    """A form with the fields of a webhook."""

    def _arguments(self) -> dict[str, Any]:
        """The arguments for the call."""
        name, url, events = (self.fields[name].value for name in ("name", "url", "events"))
        return {"name": name.strip(), "url": url.strip(), "events": list(split_events(events))}

    def _check_field(self, name: str) -> str:
        value = self.fields[name].value
        if name == "name":
            checked_name(value)
            return ""
        if name == "url":
            local = is_loopback_url(checked_url(value))
            return "This URL is on this machine: a sandbox can reach it, cStar cannot." if local else ""
        types = parse_events(value)
        if not types:
            raise ValidationError(
                "A webhook needs at least one event type.", param="events", advice="Type or select at least one."
            )
        return " ".join(filter(None, map(unknown_type_warning, types)))


class CreateForm(_WebhookForm):
    """Creates a webhook. The arguments fill in the fields.

    Afterwards `result.secret` is the signing secret, and the form can reveal and copy it. Clicking **Create webhook** again
    does nothing until a field changes; `submit()` creates another webhook.
    """

    heading = "Create a webhook"
    action = "Create webhook"

    def __init__(self, client: Client, name: str = "", url: str = "", events: str | Iterable[str] = ()) -> None:
        self.secret_area = Column([])
        super().__init__(client, _webhook_fields(name, url, events), results=(self.secret_area,))
        self._created: dict[str, Any] | None = None
        self._update()

    def _call(self, client: Client) -> Webhook:
        return client.webhooks.create(**self._arguments())

    def _python(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"client.webhooks.create({arguments})"

    def _confirmation_text(self) -> str:
        return str(self._arguments()["name"])

    def _describe_result(self, result: Webhook) -> str:
        self._created = self._arguments()
        for old in self.secret_area.children:
            close(old)
        self.secret_area.children = ()
        if result.secret is None:
            return f"Created {named(result)}. cStar did not return its signing secret."
        note = "cStar returns it only once. Store it where the receiver can read it."
        self.secret_area.children = [SecretReveal(result.secret, note)]
        return f"Created {named(result)}. Its signing secret is below."

    def _on_click(self) -> None:
        if self._created == self._arguments():
            self.status.show("This webhook has already been created. Change a field to create another.", "done")
            return
        super()._on_click()


class EditForm(_WebhookForm):
    """Edits a webhook. The form lists the changes before they are saved, and sends only the changed fields.

    Args:
        client: The client that makes the calls.
        webhook: A webhook, or an ID; given an ID, the form reads the webhook first.

    Before saving, the form reads the webhook again. If it has changed, nothing is saved: `submit` raises `ConflictError`,
    which lists the changes, and the form shows the current values and keeps the user's edits.
    """

    heading = "Edit a webhook"
    action = "Save changes"

    def __init__(self, client: Client, webhook: Webhook | str) -> None:
        self.before = client.webhooks.get(webhook) if isinstance(webhook, str) else webhook
        self.changes = TextBlock(kind="list")
        inputs = _webhook_fields(self.before.name or "", self.before.url or "", self.before.events or ())
        active = CheckboxField("Active", value=bool(self.before.is_active))
        super().__init__(client, {**inputs, "active": active}, self.changes)
        self._update()

    def _arguments(self) -> dict[str, Any]:
        """The arguments for the call: the changed fields."""
        edited = super()._arguments() | {"is_active": self.fields["active"].value}
        before = _values(self.before)
        return {name: value for name, value in edited.items() if value != before[name]}

    def _call(self, client: Client) -> Webhook:
        return client.webhooks.update(self.before.id, **self._arguments())

    def _python(self) -> str:
        written = "".join(f", {name}={value!r}" for name, value in self._arguments().items())
        return f"client.webhooks.update({self.before.id!r}{written})" if written else ""

    def _check_field(self, name: str) -> str:
        # Unchanged fields are not sent, so cStar may hold any value in them.
        return super()._check_field(name) if name in self._arguments() else ""

    @property
    def _can_submit(self) -> bool:
        return super()._can_submit and bool(self._arguments())

    def _confirmation_text(self) -> str:
        return self.before.name or self.before.id

    async def _prepare(self) -> None:
        if not self._arguments():
            raise ValidationError("No field has changed, so nothing was sent.", advice="Change a field first.")
        current = await self._run_in_thread(lambda client: client.webhooks.get(self.before.id))
        changed = differences(State.of(self.before), State.of(current))
        if changed:
            self._rebase(current)
            raise ConflictError(
                f"The webhook has changed since it was read: {'; '.join(format_difference(*change) for change in changed)}.",
                advice="Your edits are kept. Compare them with the current values and save again.",
            )

    def _describe_result(self, result: Webhook) -> str:
        returned = {name: value for name in _UPDATABLE if (value := getattr(result, name)) is not None}
        changed = ", ".join(self._arguments()).replace("is_active", "active")
        self.before = replace(self.before, **returned)
        self._update()
        return f"Saved {named(self.before)}. Changed: {changed}."

    def _rebase(self, current: Webhook) -> None:
        """Starts again from the current webhook and keeps the user's edits."""
        edits = self._arguments()
        self.before = current
        for name, value in _values(current).items():
            if name not in edits:
                self.fields["active" if name == "is_active" else name].value = value
        self._update()

    def _update(self) -> None:
        super()._update()
        before = _values(self.before)
        changes = [difference_words(name, before[name], value) for name, value in self._arguments().items()]
        self.changes.show(*changes or ["No changes yet."])


class DeleteForm(Form[None]):
    """Deletes a webhook. **Delete webhook** asks for confirmation first.

    Args:
        client: The client that makes the calls.
        webhook: A webhook, or an ID; given an ID, the form reads the webhook first.

    `await submit()` does not ask for confirmation, but a live key still needs `confirm`.
    """

    heading = "Delete a webhook"
    action = "Delete webhook"
    danger = True

    def __init__(self, client: Client, webhook: Webhook | str) -> None:
        self.webhook = client.webhooks.get(webhook) if isinstance(webhook, str) else webhook
        self.losses = TextBlock(kind="list")
        self.question = TextBlock(kind="note", _dom_classes=("cx-question",))
        self.keep = Button("Keep it", lambda: self._ask(on=False))
        name = printable(self.webhook.name or self.webhook.id, 40)
        self.confirm = Button(f"Delete '{name}'", super()._on_click, button_style="danger")
        self.choices = row(self.keep, self.confirm)
        super().__init__(client, {}, self.losses, self.question, self.choices)
        self._ask(on=False)
        self._update()
        self.losses.show(*_losses(self.webhook, None))

    def _call(self, client: Client) -> None:
        return client.webhooks.delete(self.webhook.id)

    def _python(self) -> str:
        return f"client.webhooks.delete({self.webhook.id!r})"

    def _confirmation_text(self) -> str:
        return self.webhook.name or self.webhook.id

    def _describe_result(self, result: None) -> str:  # noqa: ARG002 - a delete returns nothing
        self._ask(on=False)
        set_visible(self.button, on=False)
        return f"Deleted {named(self.webhook)}."

    def _on_click(self) -> None:
        if not self.button.disabled:
            self.button.disabled = True
            self._tasks.spawn(self._read_and_ask())

    async def _read_and_ask(self) -> None:
        """Reads the webhooks, to find events that would lose their only receiver, and asks for confirmation."""
        try:
            webhooks = await self._run_in_thread(lambda client: client.webhooks.list())
        except CStarError as error:
            self._show_error(error)
            return
        finally:
            self.button.disabled = False
        self.losses.show(*_losses(self.webhook, webhooks))
        self._ask(on=True)

    def _ask(self, *, on: bool) -> None:
        self.question.show(*([f"Permanently delete {named(self.webhook)}? This cannot be undone."] if on else []))
        set_visible(self.choices, on=on)
        set_visible(self.button, on=not on)
        (self.keep if on else self.button).focus()


def _webhook_fields(name: str, url: str, events: str | Iterable[str]) -> dict[str, InputField]:
    """The fields Name, URL and Events with these values."""
    return {
        "name": TextField("Name", value=name),
        "url": TextField("URL", value=url, placeholder="https://…"),
        "events": EventsField("Events", value=list(split_events(events))),
    }


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name or "",
        "url": webhook.url or "",
        "events": list(webhook.events or ()),
        "is_active": bool(webhook.is_active),
    }


def _losses(webhook: Webhook, webhooks: WebhookList | None) -> list[str]:
    """What deleting the webhook loses, a line each; given all webhooks, also the events without another receiver."""
    lines = [
        f"{named(webhook)} at {printable(webhook.url or 'an unknown URL', 200)}",
        f"Its subscription to {printable(', '.join(webhook.events or ()) or 'no events', 400)}",
        "Its ID and its signing secret. A new webhook gets new ones.",
    ]
    if webhooks is None or not webhook.is_active:
        return lines
    others = (other.events or () for other in webhooks if other.id != webhook.id and other.is_active)
    received = set(received_types(itertools.chain.from_iterable(others)))
    orphaned = [name for name in received_types(webhook.events or ()) if name not in received]
    if orphaned:
        lines.append(f"No other active webhook receives {printable(', '.join(orphaned), 400)}")
    return lines
