"""The form that deletes a webhook: it says what would be lost, and asks in place."""

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError
from ..events import matching_types
from ..models import Webhook, WebhookList
from ..text import printable
from .form import Form, close, named, row, set_visible
from .inputs import TextBlock


class DeleteForm(Form[None]):
    """Deletes a webhook: **Delete webhook**, then, in its place, the question.

    Args:
        client: What it calls.
        webhook: A webhook, or an id; for an id it is read first.

    `await submit()` does not ask again: whoever writes that line has decided. A live key still needs `confirm`.
    """

    heading = "Delete a webhook"
    action = "Delete webhook"
    danger = True

    def __init__(self, client: Client, webhook: Webhook | str) -> None:
        self.webhook = client.webhooks.get(webhook) if isinstance(webhook, str) else webhook
        self.loss = TextBlock(kind="list")
        self.question = TextBlock(kind="note")
        self.keep = widgets.Button(description="Keep it")
        self.confirm = widgets.Button(
            description=f"Delete '{printable(self.webhook.name or self.webhook.id, 40)}'", button_style="danger"
        )
        self.answers = row(self.keep, self.confirm)
        super().__init__(client, {}, self.loss, self.question, self.answers)
        self.keep.on_click(lambda _: self._ask(on=False))
        self.confirm.on_click(lambda _: super(DeleteForm, self)._clicked())
        self._ask(on=False)
        self._edited()
        self.loss.show(*_loss(self.webhook, None))

    def call(self, client: Client) -> None:
        return client.webhooks.delete(self.webhook.id)

    def python(self) -> str:
        return f"client.webhooks.delete({self.webhook.id!r})"

    def check(self, name: str) -> CStarError | None:
        raise KeyError(name)

    def confirmation_text(self) -> str:
        return self.webhook.name or self.webhook.id

    def done(self, result: None) -> str:  # noqa: ARG002 - the call has no result
        self._ask(on=False)
        set_visible(self.button, on=False)
        return f"Deleted {named(self.webhook)}."

    def _clicked(self) -> None:
        if not self.button.disabled:
            self.button.disabled = True
            self.tasks.spawn(self._look_and_ask())

    async def _look_and_ask(self) -> None:
        """Reads the list, to say which events would reach nobody any more, and asks."""
        try:
            listed = await self.run_in_thread(lambda client: client.webhooks.list())
        except CStarError as error:
            self._show_error(error)
            return
        finally:
            self.button.disabled = False
        self.loss.show(*_loss(self.webhook, listed))
        self._ask(on=True)

    def _ask(self, *, on: bool) -> None:
        self.question.show(*([f"Delete {named(self.webhook)} for good? There is no undo."] if on else []))
        set_visible(self.answers, on=on)
        set_visible(self.button, on=not on)
        (self.keep if on else self.button).focus()

    def close(self) -> None:
        close(self.answers)
        super().close()


def _loss(webhook: Webhook, listed: WebhookList | None) -> list[str]:
    """What goes with the webhook, line by line; with the list at hand, also the events that nobody else receives."""
    events = webhook.events or ()
    lines = [
        f"{named(webhook)} at {printable(webhook.url or 'an address not told', 200)}",
        f"its subscription to {printable(', '.join(events) or 'no events', 400)}",
        "its id and its signing secret: a webhook made anew gets others",
    ]
    if listed is None:
        return lines
    others = {name for other in listed if other.id != webhook.id and other.is_active for name in _covered(other)}
    alone = [name for name in _covered(webhook) if name not in others] if webhook.is_active else []
    if alone:
        lines.append(f"nobody else receives {printable(', '.join(alone), 400)}")
    return lines


def _covered(webhook: Webhook) -> list[str]:
    return [name for pattern in webhook.events or () for name in matching_types(pattern) or (pattern,)]
