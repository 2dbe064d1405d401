"""The table of webhooks: searched, sorted, paged and selected in the kernel, so that ten thousand are as quick as ten.

The page holds one page of rows. The selection is held by id: what a refresh moves, it does not change.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import traitlets

from ..events import matching_types, receivers_by_type
from ..models import Webhook, WebhookList
from ..text import printable
from .inputs import STATIC, BaseWidget

PAGE = 25  # rows
_COVERED = 24  # columns of the coverage picture; beyond that, the count has to do


class WebhookTable(BaseWidget):
    """Webhooks to choose from; `chosen()` are those that are selected."""

    _esm = STATIC / "webhook_table.js"
    columns = traitlets.List(
        traitlets.Unicode(), default_value=["Name", "Active", "Events", "Host", "Created", "Age"]
    ).tag(sync=True)
    rows: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    ticked: traitlets.List[str] = traitlets.List().tag(sync=True)  # the selected ones on this page
    sort: traitlets.List[object] = traitlets.List(default_value=["", False]).tag(sync=True)
    query = traitlets.Unicode().tag(sync=True)
    page = traitlets.Int(1).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)

    def __init__(self, on_select: Callable[[], object]) -> None:
        super().__init__()
        self._webhooks: dict[str, Webhook] = {}
        self._now = datetime.now(UTC)
        self.selected: list[str] = []
        self._on_select = on_select
        self.on_msg(self._asked)

    def fill(self, webhooks: WebhookList, now: datetime | None = None) -> list[Webhook]:
        """Takes new webhooks, with the time by which they are old; search, sorting and page stay.

        Returns:
            Those that were selected and are gone.
        """
        self._now = now or datetime.now(UTC)
        before, self._webhooks = self._webhooks, {webhook.id: webhook for webhook in webhooks}
        gone = [before[identity] for identity in self.selected if identity not in self._webhooks]
        self.selected = [identity for identity in self.selected if identity in self._webhooks]
        self._draw()
        return gone

    def chosen(self) -> list[Webhook]:
        """The selected webhooks, as they were last read."""
        return [self._webhooks[identity] for identity in self.selected]

    def search(self, text: str) -> None:
        """Shows those that have this text in name, URL, id or events."""
        self._draw(query=text, page=1)

    def sort_by(self, column: str) -> None:
        """Sorts by a column; a second time, the other way round."""
        self._draw(sort=[column, self.sort[0] == column and not self.sort[1]])

    def turn_to(self, page: int) -> None:
        """Shows another page."""
        self._draw(page=page)

    def select(self, ids: Iterable[str], *, on: bool = True) -> None:
        """Selects by id, or takes back."""
        wanted = {identity: None for identity in ids if identity in self._webhooks}
        kept = [identity for identity in self.selected if identity not in wanted]
        self.selected = [*kept, *wanted] if on else kept
        self._draw()
        self._on_select()

    def _draw(self, **changed: Any) -> None:
        with self.hold_sync():
            for name, value in changed.items():
                setattr(self, name, value)
            found = self._found()
            self.pages = max(1, -(-len(found) // PAGE))
            self.page = min(max(1, self.page), self.pages)
            shown = found[(self.page - 1) * PAGE : self.page * PAGE]
            chosen = set(self.selected)
            self.ticked = [webhook.id for webhook in shown if webhook.id in chosen]
            self.rows = [[webhook.id, *_cells(webhook, self._now).values()] for webhook in shown]
            of = f" of {len(self._webhooks):,}" if self.query else ""
            hidden = len(chosen) - len(self.ticked)
            elsewhere = f", {hidden:,} of them not on this page" if hidden else ""
            noun = "webhook" if len(found) == 1 and not self.query else "webhooks"
            self.said = f"{len(found):,}{of} {noun}, {len(self.selected):,} selected{elsewhere}."

    def _found(self) -> list[Webhook]:
        wanted = self.query.strip().lower()
        found = [webhook for webhook in self._webhooks.values() if wanted in _searched(webhook)]
        column, down = self.sort
        if column:
            found.sort(key=lambda webhook: _sorted_by(webhook, str(column)), reverse=bool(down))
        return found

    def _asked(self, _: object, content: dict[str, Any], __: object) -> None:
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
    """Which event reaches which webhook: nobody, one, or several, seen at a glance."""

    _esm = STATIC / "coverage.js"
    names: traitlets.List[str] = traitlets.List().tag(sync=True)
    rows: traitlets.List[list[object]] = traitlets.List().tag(sync=True)

    def fill(self, webhooks: WebhookList) -> None:
        """Takes new webhooks; counted are the active ones, all of them, drawn the first two dozen."""
        active = [webhook for webhook in webhooks if webhook.is_active is not False]
        receivers = receivers_by_type((place, webhook.events or ()) for place, webhook in enumerate(active))
        with self.hold_sync():
            self.names = [printable(webhook.name or webhook.id, 40) for webhook in active[:_COVERED]]
            self.rows = [
                [name, len(places), [place for place in places if place < _COVERED]]
                for name, places in receivers.items()
            ]


def _cells(webhook: Webhook, now: datetime) -> dict[str, str]:
    created = webhook.created_at
    return {
        "Name": printable(webhook.name or webhook.id, 80),
        "Active": {True: "active", False: "paused", None: "not told"}[webhook.is_active],
        "Events": printable(", ".join(webhook.events or ()) or "none", 160),
        "Host": printable(_host(webhook), 80),
        "Created": f"{created:%Y-%m-%d}" if created else "",
        "Age": _age((now - created).days) if created else "",
    }


def _age(days: int) -> str:
    return "today" if days < 1 else f"{days:,} {'day' if days == 1 else 'days'}"


def _sorted_by(webhook: Webhook, column: str) -> tuple[bool, Any]:
    """A key to sort by: what is missing comes first."""
    if column in ("Created", "Age"):
        created = webhook.created_at.timestamp() if webhook.created_at else 0.0
        return webhook.created_at is not None, created if column == "Created" else -created
    return True, _cells(webhook, datetime.now(UTC))[column].lower()


def _searched(webhook: Webhook) -> str:
    covered = (name for pattern in webhook.events or () for name in (pattern, *matching_types(pattern)))
    return " ".join((webhook.id, webhook.name or "", webhook.url or "", *covered)).lower()


def _host(webhook: Webhook) -> str:
    try:
        return urlsplit(webhook.url or "").hostname or ""
    except ValueError:
        return webhook.url or ""
