"""The form that edits a webhook. It sends only changed fields, and detects changes made elsewhere."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from ..api.client import Client
from ..errors import ConflictError, CStarError, ValidationError
from ..models import Webhook
from ..plans import State, difference_words, differences, format_difference
from .form import named
from .inputs import CheckboxField, TextBlock
from .webhook_form import WebhookForm, webhook_fields

_UPDATABLE = [field.name for field in dataclass_fields(Webhook) if field.name not in ("id", "extra", "secret")]


class EditForm(WebhookForm):
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
        fields = webhook_fields(self.before.name or "", self.before.url or "", self.before.events or ())
        active = CheckboxField("Active", value=bool(self.before.is_active))
        super().__init__(client, {**fields, "active": active}, self.changes)
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

    def _validate_field(self, name: str) -> CStarError | None:
        if name == "active" or name not in self._arguments():
            # Unchanged fields are not sent, so cStar may hold any value in them.
            self.fields[name].show()
            return None
        return super()._validate_field(name)

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


def _values(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name or "",
        "url": webhook.url or "",
        "events": list(webhook.events or ()),
        "is_active": bool(webhook.is_active),
    }
