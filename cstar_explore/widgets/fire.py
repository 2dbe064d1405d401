"""The form that fires a test event, and says beforehand whom it will reach."""

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError, ValidationError
from ..events import NAMES, is_wildcard, unknown_type_warning
from ..models import Delivery, FiredEvent, WebhookList
from ..text import printable
from .form import Form, plural
from .inputs import TextBlock, TextField


class FireForm(Form[FiredEvent]):
    """Fires a test event: **Event**, **Fire test event**. `event` fills it in beforehand.

    A test event is a real delivery: it goes to all active webhooks of the team and to CLI listeners (API reference, Trigger
    Test Event); whether it minds what each subscribes to, no page says. The form says how many those are; **Refresh** counts again.
    """

    heading = "Fire a test event"
    action = "Fire test event"

    def __init__(self, client: Client, event: str = "") -> None:
        self.reach = TextBlock(kind="note")
        self.told = TextBlock(kind="list")
        self.refresh = widgets.Button(description="Refresh", tooltip="Count the active webhooks again")
        field = TextField("Event", value=event, suggestions=list(NAMES), placeholder="ticket.created")
        super().__init__(client, {"event": field}, self.reach, self.told, buttons=(self.refresh,))
        self.refresh.on_click(lambda _: self.tasks.spawn(self.count()))
        self.reach.show("It will go to all active webhooks of this team, and to CLI listeners.")
        self._edited()
        # Under way while the form is being looked at; who fires waits for it.
        self._counting = self.tasks.spawn(self.count())

    def call(self, client: Client) -> FiredEvent:
        return client.webhooks.trigger_test(self.event)

    @property
    def event(self) -> str:
        """The type to fire."""
        return str(self.fields["event"].value).strip()

    def python(self) -> str:
        return f"client.webhooks.trigger_test({self.event!r})"

    def check(self, name: str) -> CStarError | None:
        field = self.fields[name]
        if not self.event:
            field.show("Choose the type of the event to fire.", "failed")
            return ValidationError(
                "There is no event to fire.", param="event", advice="Choose one of the catalogue's types."
            )
        doubt = unknown_type_warning(self.event) or ""
        if is_wildcard(self.event):
            doubt = "cStar does not say that a wildcard can be fired; it decides."
        field.show(doubt, "warned" if doubt else "")
        return None

    def confirmation_text(self) -> str:
        return self.event

    async def count(self) -> None:
        """Counts the active webhooks, and says which they are."""
        try:
            listed = await self.run_in_thread(lambda client: client.webhooks.list())
        except CStarError as error:
            self.reach.show(f"The webhooks it would reach could not be counted: {error}")
            return
        self.reach.show(_reach(listed))

    async def prepare(self) -> None:
        await (self._counting or self.count())

    def done(self, result: FiredEvent) -> str:
        self.confirmation.value = ""
        self.told.show(*map(_told, result.deliveries))
        count = result.delivered_to if result.delivered_to is not None else len(result.deliveries)
        # An empty list of deliveries is the reference's own sample, and no failure.
        heard = (
            f"cStar tells of {plural(count, 'delivery').replace('deliverys', 'deliveries')}"
            if count
            else "cStar tells of no deliveries"
        )
        told_id = f" as {printable(result.event_id, 80)}" if result.event_id else ""
        return f"Fired {printable(result.event or self.event, 80)}{told_id}; {heard}."


def _reach(listed: WebhookList) -> str:
    names = [str(webhook.name or webhook.id) for webhook in listed if webhook.is_active is not False]
    shown = ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
    if not names:
        return "No webhook of this team is active, so it will reach none; CLI listeners still get it."
    return f"It will reach {plural(len(names), 'active webhook')}, whatever they subscribe to: {printable(shown, 600)}."


def _told(delivery: Delivery) -> str:
    withheld = (delivery.error or "").startswith("withheld")  # the sandbox's word for what it does not really post
    outcome = {True: "delivered", False: "failed", None: "outcome not told"}[delivery.success]
    parts = [
        printable(delivery.url or delivery.delivery_id or "a delivery", 200),
        None if withheld else outcome,
        None if delivery.status is None else f"status {delivery.status}",
        None if withheld or delivery.response_time_ms is None else f"{delivery.response_time_ms:,} ms",
        printable(delivery.error, 200) if delivery.error else None,
    ]
    return ", ".join(part for part in parts if part)
