"""The form that deletes a webhook. It shows what would be lost, and asks for confirmation."""

from ..api.client import Client
from ..errors import CStarError
from ..models import Webhook, WebhookList
from ..text import printable
from .boxes import Button, row, set_visible
from .form import Form, named
from .inputs import TextBlock
from .table import received_types


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


def _losses(webhook: Webhook, webhooks: WebhookList | None) -> list[str]:
    """What deleting the webhook loses, a line each; given all webhooks, also the events without another receiver."""
    lines = [
        f"{named(webhook)} at {printable(webhook.url or 'an unknown URL', 200)}",
        f"Its subscription to {printable(', '.join(webhook.events or ()) or 'no events', 400)}",
        "Its ID and its signing secret. A new webhook gets new ones.",
    ]
    if webhooks is None or not webhook.is_active:
        return lines
    others = {
        name for other in webhooks if other.id != webhook.id and other.is_active for name in received_types(other)
    }
    orphaned = [name for name in received_types(webhook) if name not in others]
    if orphaned:
        lines.append(f"No other active webhook receives {printable(', '.join(orphaned), 400)}")
    return lines
