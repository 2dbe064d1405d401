"""The panel of one webhook, beside the table: what it is, who else receives its events, and its last deliveries."""

import threading
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import ipywidgets as widgets

from ..audits.redaction import masked_text, masked_url
from ..errors import CStarError
from ..events import matching_types
from ..models import Webhook
from ..text import few, printable
from .arrivals import Arrivals, verdict_of
from .boxes import close, panel, set_visible
from .inputs import MASK_KEY, View
from .table import Receivers, age, short_name, status_of

if TYPE_CHECKING:
    from ..listener import Listener, Received

_MAX_LINES = 5  # other receivers, and deliveries
_SEARCHED = 200  # requests in which the webhook's deliveries are looked for


class WebhookPanel:
    """Shows one webhook with its actions, or a form in place of the details.

    Args:
        listener: Its requests are the shown deliveries.
        on_close: Called when the user closes the panel.
        on_deliveries: Called when the user asks for all deliveries.

    Attributes:
        widget: The displayed widget; hidden while there is nothing to show.
        webhook: The shown webhook.
    """

    def __init__(
        self, listener: "Listener | None", on_close: Callable[[], object], on_deliveries: Callable[[], object]
    ) -> None:
        self.webhook: Webhook | None = None
        self.widget = panel(css="cx-side")
        self.head = View("webhook_head")
        self.details = View("webhook_details", listening=listener is not None)
        self._listener = listener
        self._lock = threading.Lock()  # requests arrive while another webhook is shown
        self.head.on("close", on_close)
        self.head.answer(self._full_url)
        self.details.on("deliveries", on_deliveries)
        self._arrivals = None if listener is None else Arrivals(listener, self._update)

    def show(self, actions: widgets.Widget, form: widgets.Widget | None) -> None:
        """Shows the webhook, its actions, and the form in place of the details. Without a webhook and a form, hides the panel."""
        if self.webhook is not None:
            self.widget.children = [self.head, actions, self.details if form is None else form]
        else:
            self.widget.children = [] if form is None else [form]
        set_visible(self.widget, on=bool(self.widget.children))

    def fill(self, webhook: Webhook | None, receivers: Receivers, now: datetime) -> None:
        """Replaces the webhook; None if not exactly one is selected. `receivers` are those of each event type."""
        self.webhook = webhook
        if webhook is None:
            return
        url = printable(masked_url(webhook.url, MASK_KEY), 400)
        self.head.show(
            name=printable(masked_text(webhook.name or webhook.id, MASK_KEY), 120),
            status=status_of(webhook),
            url=url,  # without anything that may be a secret
            masked=url != (webhook.url or ""),
            id=printable(webhook.id, 120),
        )
        with self._lock:
            self.details.show(
                events=[printable(name, 80) for name in webhook.events or ()] or ["none"],
                receivers=_who_else(webhook, receivers),
                times=_times(webhook, now),
                deliveries=self._deliveries(),
            )

    def close(self) -> None:
        """Stops the updates and frees the widgets that are not displayed."""
        if self._arrivals is not None:
            self._arrivals.close()
        for part in (self.head, self.details):
            close(part)

    def _full_url(self, _: object) -> str:
        return printable(self.webhook.url or "", 10_000) if self.webhook is not None else ""

    # --- deliveries ------------------------------------------------------------------------------------------------

    def _update(self) -> None:
        with self._lock:
            self.details.show(deliveries=self._deliveries())

    def _deliveries(self) -> list[list[str]]:
        """Its newest requests; none if the listener was closed."""
        if self._listener is None or self.webhook is None:
            return []
        try:
            requests = self._listener.requests(newest=_SEARCHED)
        except CStarError:
            return []
        own = [request for request in requests if request.header("x-webhook-id") == self.webhook.id]
        return [_delivery(request) for request in reversed(own[-_MAX_LINES:])]


def _delivery(request: "Received") -> list[str]:
    answered = "…" if request.answered is None else str(request.answered)
    return [
        f"{request.received_at:%H:%M:%S}",
        printable(request.event or "no event", 80),
        verdict_of(request),
        answered,
    ]


def _who_else(webhook: Webhook, receivers: Receivers) -> list[str]:
    """A line for each other active webhook that receives some of its events, and one for the events that only it receives."""
    types = {name: None for pattern in webhook.events or () for name in matching_types(pattern)}
    shared: dict[str, tuple[Webhook, list[str]]] = {}
    alone = []
    for name in types:
        others = [other for other in receivers.get(name, []) if other.id != webhook.id]
        for other in others:
            shared.setdefault(other.id, (other, []))[1].append(name)
        if not others:
            alone.append(name)
    lines = [f"{short_name(other)}: {few(names, 3)}" for other, names in list(shared.values())[:_MAX_LINES]]
    if len(shared) > _MAX_LINES:
        lines.append(f"{len(shared) - _MAX_LINES:,} more webhooks")
    if alone:
        lines.append(f"No other active webhook receives {few(alone, 3)}")
    return lines or ["None of its events is published, so this is not known."]


def _times(webhook: Webhook, now: datetime) -> list[str]:
    times = (("Created", webhook.created_at), ("Updated", webhook.updated_at))
    lines = [f"{word} {time:%Y-%m-%d %H:%M} UTC, {_ago(time, now)}" for word, time in times if time is not None]
    return lines or ["Not known"]


def _ago(time: datetime, now: datetime) -> str:
    days = age(time, now)
    return days if days == "today" else f"{days} ago"
