"""The form that fires a test event. It shows beforehand which webhooks will receive it, and the body."""

import json
from collections import Counter
from collections.abc import Iterable

from ..api.client import Client
from ..errors import CStarError, ValidationError
from ..events import is_wildcard, sample, unknown_type_warning
from ..models import Delivery, FiredEvent, WebhookList
from ..text import few, plural, printable
from .boxes import Button
from .form import Form
from .inputs import EventField, TextBlock, View


class FireForm(Form[FiredEvent]):
    """Fires a test event. `event` fills in the field.

    A test event is a real delivery: it goes to all active webhooks of the team and to CLI listeners (API reference, Trigger
    Test Event). cStar does not document whether their subscriptions matter. The form lists the active webhooks; **Refresh**
    reads them again. **Body** shows the published sample of the event, which the sandbox sends.
    """

    heading = "Fire a test event"
    action = "Fire test event"

    def __init__(self, client: Client, event: str = "") -> None:
        self.reach = TextBlock(kind="note")
        self.preview = View("folded_text", summary="Body", note="", text="")
        self.deliveries = TextBlock(kind="list")
        self._names: dict[str, list[str]] = {}  # of the webhooks at each URL
        self.refresh = Button(
            "Refresh", lambda: self._tasks.spawn(self._count()), tooltip="Count the active webhooks again"
        )
        field = EventField("Event", value=event)
        super().__init__(
            client, {"event": field}, self.reach, self.preview, buttons=(self.refresh,), results=(self.deliveries,)
        )
        self.reach.show("It will reach all active webhooks of this team, and CLI listeners.")
        self._update()
        # Starts as the form is displayed; `submit` waits for it.
        self._counting = self._tasks.spawn(self._count())

    @property
    def event(self) -> str:
        """The event type to fire."""
        return str(self.fields["event"].value).strip()

    def _call(self, client: Client) -> FiredEvent:
        return client.webhooks.trigger_test(self.event)

    def _python(self) -> str:
        return f"client.webhooks.trigger_test({self.event!r})"

    def _check_field(self, name: str) -> str:  # noqa: ARG002 - it is `event`
        if not self.event:
            raise ValidationError("The event type is missing.", param="event", advice="Choose one of the catalogue.")
        if is_wildcard(self.event):
            return "cStar does not document whether a wildcard can be fired. It is sent as given."
        return unknown_type_warning(self.event) or ""

    def _confirmation_text(self) -> str:
        return self.event

    async def _count(self) -> None:
        try:
            webhooks = await self._run_in_thread(lambda client: client.webhooks.list())
        except CStarError as error:
            self.reach.show(f"The active webhooks could not be counted: {error}")
            return
        self.reach.show(_reach(webhooks))
        self._names = {}
        for webhook in webhooks:
            self._names.setdefault(webhook.url or "", []).append(webhook.name or webhook.id)

    async def _prepare(self) -> None:
        counting = self._counting
        await (self._count() if counting is None or counting.done() else counting)

    def _update(self) -> None:
        super()._update()
        try:
            body = json.loads(sample(self.event, team_id=self.client.team_id))
        except ValidationError:  # it has no published sample
            self.preview.show(text="")
            return
        source = "cStar decides the body. This is the published sample"
        if self.client.environment == "sandbox":
            source = "The sandbox sends this"
        note = f"{source}, without the line breaks, with another id and time."
        lines = json.dumps(body, ensure_ascii=False, indent=2).split("\n")
        self.preview.show(note=note, text="\n".join(printable(line, 2_000) for line in lines))

    def _describe_result(self, result: FiredEvent) -> str:
        self.deliveries.show(*self._delivery_lines(result.deliveries))
        event_id = f" as {printable(result.event_id, 80)}" if result.event_id else ""
        return f"Fired {printable(result.event or self.event, 80)}{event_id}. {_outcomes(result)}."

    def _tone_of(self, result: FiredEvent) -> str:
        """`done` if all were delivered, `failed` if some failed and none was delivered."""
        states = {_state(delivery) for delivery in result.deliveries}
        if states <= {"delivered"}:
            return "done"
        return "failed" if "failed" in states and "delivered" not in states else "warned"

    def _delivery_lines(self, deliveries: Iterable[Delivery]) -> list[str]:
        """A line for each outcome, with the names of its webhooks."""
        names = {url: iter(named) for url, named in self._names.items()}
        lines: dict[str, list[str]] = {}
        for delivery in deliveries:
            name = next(names.get(delivery.url or "", iter(())), delivery.url or delivery.delivery_id or "a delivery")
            lines.setdefault(_outcome(delivery), []).append(printable(name, 200))
        return [f"{printable(few(named, 8), 1_000)}: {outcome}" for outcome, named in lines.items()]


def _reach(webhooks: WebhookList) -> str:
    names = [str(webhook.name or webhook.id) for webhook in webhooks if webhook.is_active is not False]
    if not names:
        return "No webhook of this team is active. It will reach only CLI listeners."
    return f"It will reach {plural(len(names), 'active webhook')}: {printable(few(names, 8), 1_000)}."


def _state(delivery: Delivery) -> str:
    # The sandbox's state for a delivery to an outside URL, which it does not post.
    if (delivery.error or "").startswith("withheld"):
        return "withheld by the sandbox"
    return {True: "delivered", False: "failed", None: "outcome not reported"}[delivery.success]


def _outcome(delivery: Delivery) -> str:
    state = _state(delivery)
    error = printable(delivery.error or "", 200)
    if state == "withheld by the sandbox":
        return error
    status = "" if delivery.status is None else f"status {delivery.status}"
    took = "" if delivery.response_time_ms is None else f"{delivery.response_time_ms:,} ms"
    return ", ".join(filter(None, (state, status, took, error)))


def _outcomes(result: FiredEvent) -> str:
    """`2 deliveries: 1 delivered, 1 failed`."""
    if not result.deliveries:
        # An empty list is not a failure: the sample response in the API reference has one.
        return f"cStar reported {plural(result.delivered_to, 'delivery') if result.delivered_to else 'no deliveries'}"
    states = Counter({"delivered": 0} | Counter(map(_state, result.deliveries)))
    counts = ", ".join(f"{count:,} {state}" for state, count in states.items())
    return f"{plural(len(result.deliveries), 'delivery')}: {counts}"
