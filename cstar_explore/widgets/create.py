"""The form that creates a webhook and reveals its signing secret."""

from collections.abc import Iterable
from typing import Any

from ..api.client import Client
from ..models import Webhook
from .boxes import Column
from .form import close, named
from .inputs import SecretReveal
from .webhook_form import WebhookForm, webhook_fields


class CreateForm(WebhookForm):
    """Creates a webhook. The arguments fill in the fields.

    Afterwards `result.secret` is the signing secret, and the form can reveal and copy it. Clicking **Create webhook** again
    does nothing until a field changes; `submit()` creates another webhook.
    """

    heading = "Create a webhook"
    action = "Create webhook"

    def __init__(self, client: Client, name: str = "", url: str = "", events: str | Iterable[str] = ()) -> None:
        self.secret_area = Column([])
        super().__init__(client, webhook_fields(name, url, events), results=(self.secret_area,))
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
        if result.secret is None:
            self._show_secret()
            return f"Created {named(result)}. cStar did not return its signing secret."
        note = "cStar returns it only once. Store it where the receiver can read it."
        self._show_secret(SecretReveal(result.secret, note))
        return f"Created {named(result)}. Its signing secret is below."

    def _show_secret(self, *reveal: SecretReveal) -> None:
        for old in self.secret_area.children:
            close(old)
        self.secret_area.children = reveal

    def _on_click(self) -> None:
        if self._created == self._arguments():
            self.status.show("This webhook has already been created. Change a field to create another.", "done")
            return
        super()._on_click()
