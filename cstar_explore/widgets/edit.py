"""The form that edits a webhook: it sends only what changed, and notices what somebody else changed meanwhile."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from typing import Any

from ..api.client import Client
from ..errors import ConflictError, CStarError, ValidationError
from ..events import split_events
from ..models import Webhook
from ..plans import State, differences, worded
from .form import Form, named
from .inputs import TextBlock, TickField
from .webhook_fields import check_field, webhook_fields


class EditForm(Form[Webhook]):
    """Edits a webhook: **Name**, **URL**, **Events**, **Active**, **Save changes**.

    Args:
        client: What it calls.
        webhook: A webhook as it was last seen, or an id; for an id it is read first.

    What will change is listed before it is saved. Before saving, the webhook is read again: if it is no longer what the
    form started from, nothing is saved, the form starts anew from what it is now, your edits are kept, and
    `ConflictError` says what moved.
    """

    heading = "Edit a webhook"
    action = "Save changes"

    def __init__(self, client: Client, webhook: Webhook | str) -> None:
        self.before = client.webhooks.get(webhook) if isinstance(webhook, str) else webhook
        self.changes_shown = TextBlock(kind="list")
        fields = webhook_fields(self.before.name or "", self.before.url or "", self.before.events or ())
        active = TickField("Active", value=bool(self.before.is_active))
        super().__init__(client, {**fields, "active": active}, self.changes_shown)
        self._edited()

    def arguments(self) -> dict[str, Any]:
        """What the call is made with: the fields that differ from the webhook."""
        now = {
            "name": self.fields["name"].value.strip(),
            "url": self.fields["url"].value.strip(),
            "events": split_events(self.fields["events"].value),
            "is_active": self.fields["active"].value,
        }
        return {name: value for name, value in now.items() if value != _current(self.before)[name]}

    def call(self, client: Client) -> Webhook:
        return client.webhooks.update(self.before.id, **self.arguments())

    def python(self) -> str:
        listed = {name: list(value) if isinstance(value, tuple) else value for name, value in self.arguments().items()}
        given = "".join(f", {name}={value!r}" for name, value in listed.items())
        return f"client.webhooks.update({self.before.id!r}{given})" if given else ""

    def check(self, name: str) -> CStarError | None:
        if name == "active" or name not in self.arguments():
            # What is not changed is not sent, and may be whatever it is.
            self.fields[name].show()
            return None
        return check_field(name, self.fields[name], events_needed=True)

    def confirmation_text(self) -> str:
        return self.before.name or self.before.id

    async def prepare(self) -> None:
        if not self.arguments():
            raise ValidationError("Nothing was changed, so nothing was sent.", advice="Change a field first.")
        now = await self.run_in_thread(lambda client: client.webhooks.get(self.before.id))
        moved = differences(State.of(self.before), State.of(now))
        if moved:
            self._rebase(now)
            raise ConflictError(
                f"Somebody else changed it meanwhile: {'; '.join(worded(*difference) for difference in moved)}.",
                advice="Your edits are kept, and now compared with what it is; save again if they still hold.",
            )

    def done(self, result: Webhook) -> str:
        told = {name: value for name in _told(result) if (value := getattr(result, name)) is not None}
        changed = ", ".join(self.arguments()).replace("is_active", "active")
        self.before = replace(self.before, **told)
        self.confirmation.value = ""
        self._edited()
        return f"Saved {named(self.before)}: {changed} changed."

    def _rebase(self, now: Webhook) -> None:
        """Starts anew from what the webhook is, keeping the user's own edits."""
        mine = self.arguments()
        self.before = now
        for name, value in _current(now).items():
            if name not in mine:
                field = self.fields["active" if name == "is_active" else name]
                field.value = list(value) if isinstance(value, tuple) else value
        self._edited()

    def _edited(self) -> None:
        super()._edited()
        before = _current(self.before)
        changes = [worded(name, before[name], value) for name, value in self.arguments().items()]
        self.changes_shown.show(*changes or ["Nothing is changed yet."])


def _current(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name or "",
        "url": webhook.url or "",
        "events": webhook.events or (),
        "is_active": bool(webhook.is_active),
    }


def _told(webhook: Webhook) -> list[str]:
    return [field.name for field in dataclass_fields(webhook) if field.name not in ("id", "extra", "secret")]
