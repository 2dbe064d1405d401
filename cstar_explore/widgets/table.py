"""The table of webhooks and the coverage chart.

Searching, sorting and paging run in the kernel and only one page of rows is sent to the browser, so ten thousand webhooks are
as fast as ten. The selection is kept by ID, so a refresh does not change it.
"""

import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import traitlets

from ..audits.redaction import masked_host, masked_text, masked_url
from ..audits.urls import parse_url
from ..events import matching_types, receivers_by_type
from ..models import Webhook, WebhookList
from ..text import printable
from .inputs import STATIC, BaseWidget

PAGE_SIZE = 25
_MASK_KEY = secrets.token_hex(8)  # the digits of masks differ in each process
_MAX_COLUMNS = 24  # webhooks in the coverage chart


class WebhookTable(BaseWidget):
    """A table of webhooks with selection."""

    _esm = STATIC / "webhook_table.js"
    columns = traitlets.List(
        traitlets.Unicode(), default_value=["Name", "Active", "Events", "Host", "Created", "Age"]
    ).tag(sync=True)
    rows: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    ticked: traitlets.List[str] = traitlets.List().tag(sync=True)  # the selected IDs on this page
    sort: traitlets.List[object] = traitlets.List(default_value=["", False]).tag(sync=True)  # column, descending
    query = traitlets.Unicode().tag(sync=True)
    page = traitlets.Int(1).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)

    def __init__(self, on_select: Callable[[], object]) -> None:
        super().__init__()
        self._webhooks: dict[str, Webhook] = {}
        self._now = datetime.now(UTC)
        self.selected: list[str] = []
        self._on_select = on_select
        self.on_msg(self._handle_message)

    def fill(self, webhooks: WebhookList, now: datetime | None = None) -> list[Webhook]:
        """Replaces the webhooks; search, sorting and page stay. Ages are relative to `now`.

        Returns:
            The webhooks that were selected and are no longer in the list.
        """
        self._now = now or datetime.now(UTC)
        before, self._webhooks = self._webhooks, {webhook.id: webhook for webhook in webhooks}
        gone = [before[identity] for identity in self.selected if identity not in self._webhooks]
        self.selected = [identity for identity in self.selected if identity in self._webhooks]
        self._draw()
        return gone

    def selected_webhooks(self) -> list[Webhook]:
        """The selected webhooks, as last loaded."""
        return [self._webhooks[identity] for identity in self.selected]

    def search(self, text: str) -> None:
        """Shows only the webhooks whose name, URL, ID or events contain this text."""
        self._draw(query=text, page=1)

    def sort_by(self, column: str) -> None:
        """Sorts by a column. Called again, reverses the order."""
        self._draw(sort=[column, self.sort[0] == column and not self.sort[1]])

    def turn_to(self, page: int) -> None:
        """Shows a page, counted from 1."""
        self._draw(page=page)

    def select(self, ids: Iterable[str], *, on: bool = True) -> None:
        """Adds webhooks to the selection by ID, or removes them with `on=False`. Unknown IDs are ignored."""
        changed = {identity: None for identity in ids if identity in self._webhooks}
        others = [identity for identity in self.selected if identity not in changed]
        self.selected = [*others, *changed] if on else others
        self._draw()
        self._on_select()

    def _draw(self, **changes: Any) -> None:
        with self.hold_sync():
            for name, value in changes.items():
                setattr(self, name, value)
            matches = self._matches()
            self.pages = max(1, -(-len(matches) // PAGE_SIZE))
            self.page = min(max(1, self.page), self.pages)
            visible = matches[(self.page - 1) * PAGE_SIZE : self.page * PAGE_SIZE]
            selected = set(self.selected)
            self.ticked = [webhook.id for webhook in visible if webhook.id in selected]
            self.rows = [[webhook.id, *_cells(webhook, self._now).values()] for webhook in visible]
            of = f" of {len(self._webhooks):,}" if self.query else ""
            hidden = len(selected) - len(self.ticked)
            elsewhere = f", {hidden:,} of them not on this page" if hidden else ""
            noun = "webhook" if len(matches) == 1 and not self.query else "webhooks"
            self.summary = f"{len(matches):,}{of} {noun}, {len(self.selected):,} selected{elsewhere}."

    def _matches(self) -> list[Webhook]:
        query = self.query.strip().lower()
        matches = [webhook for webhook in self._webhooks.values() if query in _searchable(webhook)]
        column, descending = self.sort
        if column:
            matches.sort(key=lambda webhook: _sort_key(webhook, str(column)), reverse=bool(descending))
        return matches

    def _handle_message(self, _: object, content: dict[str, Any], __: object) -> None:
        match content:
            case {"event": "search", "text": str(text)}:
                self.search(text)
            case {"event": "sort", "column": str(column)} if column in self.columns:
                self.sort_by(column)
            case {"event": "page", "page": int(page)} if not isinstance(page, bool):
                self.turn_to(page)
            case {"event": "select", "id": str(identity), "on": bool(on)}:
                self.select([identity], on=on)
            case {"event": "select_page", "on": bool(on)}:
                self.select([row[0] for row in self.rows], on=on)
            case _:
                pass


class Coverage(BaseWidget):
    """A chart of which webhooks receive each event type."""

    _esm = STATIC / "coverage.js"
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    rows: traitlets.List[list[object]] = traitlets.List().tag(sync=True)

    def fill(self, webhooks: WebhookList) -> None:
        """Replaces the webhooks. Counts all active ones; only the first 24 get a column."""
        active = [webhook for webhook in webhooks if webhook.is_active is not False]
        receivers = receivers_by_type((index, webhook.events or ()) for index, webhook in enumerate(active))
        with self.hold_sync():
            self.names = [
                printable(masked_text(webhook.name or webhook.id, _MASK_KEY), 40) for webhook in active[:_MAX_COLUMNS]
            ]
            self.rows = [
                [name, len(indices), [index for index in indices if index < _MAX_COLUMNS]]
                for name, indices in receivers.items()
            ]


def _cells(webhook: Webhook, now: datetime) -> dict[str, str]:
    created = webhook.created_at
    return {
        "Name": printable(masked_text(webhook.name or webhook.id, _MASK_KEY), 80),
        "Active": {True: "active", False: "paused", None: "unknown"}[webhook.is_active],
        "Events": printable(", ".join(webhook.events or ()) or "none", 160),
        "Host": printable(_host(webhook), 80),
        "Created": f"{created:%Y-%m-%d}" if created else "",
        "Age": _age((now - created).days) if created else "",
    }


def _age(days: int) -> str:
    return "today" if days < 1 else f"{days:,} {'day' if days == 1 else 'days'}"


def _sort_key(webhook: Webhook, column: str) -> tuple[bool, Any]:
    """Missing values sort first."""
    if column in ("Created", "Age"):
        created = webhook.created_at.timestamp() if webhook.created_at else 0.0
        return webhook.created_at is not None, created if column == "Created" else -created
    return True, _cells(webhook, datetime.now(UTC))[column].lower()


def _searchable(webhook: Webhook) -> str:
    types = (name for pattern in webhook.events or () for name in (pattern, *matching_types(pattern)))
    return " ".join((webhook.id, webhook.name or "", webhook.url or "", *types)).lower()


def _host(webhook: Webhook) -> str:
    """The host; a URL that cannot be parsed, masked."""
    parsed = parse_url(webhook.url)
    if parsed is None:
        return masked_url(webhook.url, _MASK_KEY)
    return masked_host(parsed.parts.hostname or "", _MASK_KEY)
