"""The form that creates a webhook, and shows its signing secret once."""

from collections.abc import Iterable
from typing import Any

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError
from ..events import split_events
from ..models import Webhook
from .form import Form, close, named
from .inputs import SecretReveal
from .webhook_fields import check_field, webhook_fields


class CreateForm(Form[Webhook]):
    """Creates a webhook: **Name**, **URL**, **Events**, **Create webhook**. The arguments fill it in beforehand.

    After it, `result.secret` is the signing secret, and the form offers to reveal or copy it. The same webhook is not
    created again by another press of the button; change a field first, or call `submit()`.
    """

    heading = "Create a webhook"
    action = "Create webhook"

    def __init__(self, client: Client, name: str = "", url: str = "", events: str | Iterable[str] = ()) -> None:
        self.secret_place = widgets.VBox([])
        super().__init__(client, webhook_fields(name, url, events), self.secret_place)
        self.created: dict[str, Any] | None = None
        self._edited()

    def arguments(self) -> dict[str, Any]:
        """What the call is made with."""
        events = list(split_events(self.fields["events"].value))
        return {"name": self.fields["name"].value.strip(), "url": self.fields["url"].value.strip(), "events": events}

    def call(self, client: Client) -> Webhook:
        return client.webhooks.create(**self.arguments())

    def python(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.arguments().items())
        return f"client.webhooks.create({given})"

    def check(self, name: str) -> CStarError | None:
        return check_field(name, self.fields[name], events_needed=True)

    def confirmation_text(self) -> str:
        return str(self.arguments()["name"])

    def done(self, result: Webhook) -> str:
        self.created = self.arguments()
        self.confirmation.value = ""
        if result.secret is None:
            self._place()
            return f"Created {named(result)}. cStar did not return its signing secret."
        self._place(SecretReveal(result.secret, "cStar tells it this once. Keep it where the receiver reads it."))
        return f"Created {named(result)}. Its signing secret is above."

    def _place(self, *parts: widgets.Widget) -> None:
        for old in self.secret_place.children:
            close(old)
        self.secret_place.children = parts

    def _clicked(self) -> None:
        if self.created == self.arguments():
            self.status.show("This webhook has been created. Change a field to create another.", "done")
            return
        super()._clicked()

    def close(self) -> None:
        self._place()
        super().close()
