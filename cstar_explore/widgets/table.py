"""The table of webhooks, and the coverage of event types below it: a bar with the count, and the names on opening.

Searching, filtering, sorting and paging run in the kernel and only one page of rows is sent to the browser, so ten thousand
webhooks are as fast as ten. The selection is kept by ID, so a refresh does not change it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import traitlets

from ..audits.redaction import masked_host, masked_text, masked_url
from ..audits.urls import parse_url
from ..events import NAMES, received_types
from ..models import Webhook, WebhookList
from ..text import plural, printable
from .inputs import MASK_KEY, Paged, View

PAGE_SIZE = 25
COLUMNS = ["Name", "Status", "Events", "Host", "Created"]
STATUSES = ("", "active", "paused", "unknown")
_MAX_NAMES = 12  # for an event type

Receivers = dict[str, list[Webhook]]
"""The active webhooks that receive each published event type."""


class WebhookTable(Paged):
    """A table of webhooks with selection.

    Attributes:
        filters: The widget with the search field and the filters; displayed apart from the table.
        selected: The selected IDs, also those that the search or a filter hides.
    """

    _script_name = "webhook_table"
    columns = traitlets.List(default_value=COLUMNS).tag(sync=True)
    # ID, the text of each column, and all events, which the row shows on hover
    rows: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    ticked: traitlets.List[str] = traitlets.List().tag(sync=True)  # the selected IDs on this page
    sort: traitlets.List[object] = traitlets.List(default_value=["", False]).tag(sync=True)  # column, descending
    summary = traitlets.Unicode().tag(sync=True)
    matching = traitlets.Int(0).tag(sync=True)  # how many webhooks match; 0 if all of them are selected
    selection = traitlets.Int(0).tag(sync=True)  # how many webhooks are selected
    empty = traitlets.Unicode().tag(sync=True)  # why there is no row

    def __init__(self, on_select: Callable[[], object]) -> None:
        super().__init__()
        # What the table is filtered by, and the event types to choose from. The page's changes are messages to the table.
        self.filters = View("table_filters", query="", status="", event="", events=[])
        self.selected: list[str] = []
        self._webhooks: dict[str, Webhook] = {}
        self._texts: dict[str, str] = {}  # what the search looks at, by ID
        self._types: dict[str, tuple[str, ...]] = {}  # the event types that a webhook receives, by ID
        self._now = datetime.now(UTC)
        self._on_select = on_select
        for widget in (self, self.filters):
            widget.on_msg(self._handle_message)

    def fill(self, webhooks: WebhookList, now: datetime | None = None) -> list[Webhook]:
        """Replaces the webhooks; search, filters, sorting and page stay. Ages are relative to `now`.

        Returns:
            The webhooks that were selected and are no longer in the list.
        """
        self._now = now or datetime.now(UTC)
        before, self._webhooks = self._webhooks, {webhook.id: webhook for webhook in webhooks}
        self._types = {identity: received_types(webhook.events or ()) for identity, webhook in self._webhooks.items()}
        self._texts = {
            identity: _searchable(webhook, self._types[identity]) for identity, webhook in self._webhooks.items()
        }
        gone = [before[identity] for identity in self.selected if identity not in self._webhooks]
        self.selected = [identity for identity in self.selected if identity in self._webhooks]
        received = set().union({self.filters.content["event"]}, *self._types.values())
        self.filters.show(events=[name for name in NAMES if name in received])
        self._draw()
        return gone

    def selected_webhooks(self) -> list[Webhook]:
        """The selected webhooks, as last loaded."""
        return [self._webhooks[identity] for identity in self.selected]

    def search(self, text: str) -> None:
        """Shows only the webhooks that contain each word in their name, URL, ID, events or status."""
        self._filter(query=text)

    def sort_by(self, column: str) -> None:
        """Sorts by a column. Called again, reverses the order."""
        self._draw(sort=[column, self.sort[0] == column and not self.sort[1]])

    def select(self, ids: Iterable[str], *, on: bool = True) -> None:
        """Adds webhooks to the selection by ID, or removes them with `on=False`. Unknown IDs are ignored."""
        changed = {identity: None for identity in ids if identity in self._webhooks}
        others = [identity for identity in self.selected if identity not in changed]
        self._set_selection([*others, *changed] if on else others)

    def clear(self) -> None:
        """Empties the selection."""
        self._set_selection([])

    def _set_selection(self, ids: list[str]) -> None:
        self.selected = ids
        self._draw()
        self._on_select()

    def _filter(self, **changes: str) -> None:
        self.filters.show(**changes)
        self._draw(page=1)

    def _draw(self, **changes: Any) -> None:
        with self.hold_sync():
            for name, value in changes.items():
                setattr(self, name, value)
            matches = self._matches()
            visible = self._page_of(matches, PAGE_SIZE)
            selected = set(self.selected)
            self.ticked = [webhook.id for webhook in visible if webhook.id in selected]
            self.rows = [[webhook.id, *_cells(webhook, self._now).values()] for webhook in visible]
            self.matching = 0 if all(webhook.id in selected for webhook in matches) else len(matches)
            self.selection = len(selected)
            self.summary = self._summary(len(matches), len(selected) - len(self.ticked))
            self.empty = "" if matches else self._why_empty()

    def _summary(self, matches: int, hidden: int) -> str:
        count = f"{matches:,} of {plural(len(self._webhooks), 'webhook')}"
        if matches == len(self._webhooks):
            count = plural(matches, "webhook")
        elsewhere = f", {hidden:,} of them not on this page" if hidden else ""
        return f"{count}, {len(self.selected):,} selected{elsewhere}."

    def _why_empty(self) -> str:
        if self._webhooks:
            return "No webhook matches the search and the filters."
        return "This team has no webhooks. Create one in the tab Create."

    def _matches(self) -> list[Webhook]:
        query, status, event = (self.filters.content[name] for name in ("query", "status", "event"))
        words = query.lower().split()
        matches = [
            webhook
            for identity, webhook in self._webhooks.items()
            if all(word in self._texts[identity] for word in words)
            and (not status or status_of(webhook) == status)
            and (not event or event in self._types[identity])
        ]
        column, descending = self.sort
        if column:
            matches.sort(key=lambda webhook: _sort_key(webhook, str(column)), reverse=bool(descending))
        return matches

    def _handle_message(self, _: object, content: dict[str, Any], __: object) -> None:
        match content:
            case {"event": "search", "text": str(text), "status": str(status), "type": str(event)} if (
                status in STATUSES and event in ("", *self.filters.content["events"])
            ):
                self._filter(query=text, status=status, event=event)
            case {"event": "sort", "column": str(column)} if column in self.columns:
                self.sort_by(column)
            case {"event": "page", "page": int(page)} if not isinstance(page, bool):
                self._draw(page=page)
            case {"event": "open", "id": str(identity)} if identity in self._webhooks:
                self._set_selection([identity])
            case {"event": "select", "id": str(identity), "on": bool(on)}:
                self.select([identity], on=on)
            case {"event": "select_page", "on": bool(on)}:
                self.select([row[0] for row in self.rows], on=on)
            case {"event": "select_matching"}:
                self.select([webhook.id for webhook in self._matches()])
            case {"event": "clear"}:
                self.clear()


class Coverage(View):
    """The published event types, each with the number of its receivers.

    Its content is `names`, and `rows` of an event type, its count and positions in `names`.
    """

    def __init__(self) -> None:
        super().__init__("coverage", names=[], rows=[])

    def fill(self, receivers: Receivers) -> None:
        """Replaces the rows. Counts all receivers; names the first 12 of each event type."""
        named = {webhook.id: webhook for webhooks in receivers.values() for webhook in webhooks[:_MAX_NAMES]}
        position = {identity: index for index, identity in enumerate(named)}
        rows = [
            [name, len(webhooks), [position[webhook.id] for webhook in webhooks[:_MAX_NAMES]]]
            for name, webhooks in receivers.items()
        ]
        self.show(names=[short_name(webhook) for webhook in named.values()], rows=rows)


def age(created: datetime, now: datetime) -> str:
    """How long ago this was, in whole days."""
    days = (now - created).days
    return "today" if days < 1 else plural(days, "day")


def status_of(webhook: Webhook) -> str:
    """The webhook's status in a word."""
    return {True: "active", False: "paused", None: "unknown"}[webhook.is_active]


def _cells(webhook: Webhook, now: datetime) -> dict[str, str]:
    created = webhook.created_at
    events = webhook.events or ()
    more = f" +{len(events) - 1:,}" if len(events) > 1 else ""
    return {
        "Name": printable(masked_text(webhook.name or webhook.id, MASK_KEY), 80),
        "Status": status_of(webhook),
        "Events": f"{printable(events[0], 60)}{more}" if events else "none",
        "Host": printable(_host(webhook), 80),
        "Created": f"{created:%Y-%m-%d}, {age(created, now)}" if created else "",
        "all events": printable(", ".join(events), 300),
    }


def _sort_key(webhook: Webhook, column: str) -> tuple[bool, Any]:
    """Missing values sort first."""
    if column == "Created":
        return webhook.created_at is not None, webhook.created_at
    if column == "Events":
        return True, ", ".join(webhook.events or ()).lower()
    return True, _cells(webhook, datetime.now(UTC))[column].lower()


def _searchable(webhook: Webhook, types: Iterable[str]) -> str:
    parts = (webhook.id, webhook.name or "", webhook.url or "", *(webhook.events or ()), *types, status_of(webhook))
    return "\n".join(parts).lower()


def _host(webhook: Webhook) -> str:
    """The host; a URL that cannot be parsed, masked."""
    parsed = parse_url(webhook.url)
    if parsed is None:
        return masked_url(webhook.url, MASK_KEY)
    return masked_host(parsed.parts.hostname or "", MASK_KEY)


def short_name(webhook: Webhook) -> str:
    """The name, or the ID, without anything that may be a secret."""
    return printable(masked_text(webhook.name or webhook.id, MASK_KEY), 40)
