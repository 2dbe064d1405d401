"""The Explorer: a team's webhooks in one widget with tabs, and a panel for the selected webhook.

The contents of a tab, and a form of the panel, are built when they are first opened.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError
from ..events import receivers_by_type
from ..models import Webhook, WebhookList
from ..plans import Action, Step
from ..text import plural, printable
from .audit_tab import AuditTab
from .boxes import Box, Button, Frame, Tabs, close, panel, row, set_visible
from .bulk import BulkActions
from .deliveries_tab import DeliveriesTab
from .displayed import Displayed
from .explain_form import PasteButton
from .fire import FireForm
from .form import Form, named
from .inputs import StatusLine, TextBlock
from .table import Coverage, Receivers, WebhookTable
from .webhook_forms import CreateForm, EditForm
from .webhook_panel import WebhookPanel

if TYPE_CHECKING:
    from ..listener import Listener

TABS = ("Webhooks", "Create", "Deliveries", "Audit")
IN_PANEL = ("Edit", "Fire")  # forms that open in the webhook's panel, in the tab Webhooks


class Explorer(Displayed):
    """Browse, create, edit, fire, pause, resume, delete and audit a team's webhooks.

    Args:
        client: Makes the calls.
        listener: Its deliveries are shown in the tab **Deliveries**, and those of a webhook in its panel.

    Attributes:
        webhooks: The webhooks as last loaded.
        table: The table of webhooks; `table.select([id])` selects rows, `table.selected` holds the selected IDs. With one
            selected, its panel is shown.
        form: The form of the open tab or panel; None if it has none.
        audit: The tab **Audit**; None until it is first opened.
        status: The status line.

    In a notebook it loads the webhooks at once; elsewhere, or to load them again, `await explorer.refresh()`.
    """

    def __init__(self, client: Client, listener: "Listener | None" = None) -> None:
        self.webhooks = WebhookList([])
        self.table = WebhookTable(self._on_select)
        self.form: Form[Any] | None = None
        self.audit: AuditTab | None = None
        self.status = StatusLine()
        self._client = client
        self._listener = listener
        self._deliveries: DeliveriesTab | None = None
        self._paste = PasteButton()
        self._forms: dict[str, Form[Any]] = {}
        self._receivers: Receivers = {}
        self._team_name: str | None = None
        self._loading: asyncio.Task[WebhookList] | None = None
        self._in_panel = ""  # the form that is open in the panel
        self._build()
        self._show("Webhooks")
        self._show_header()
        self._tasks.spawn(self.refresh())

    # --- actions ---------------------------------------------------------------------------------------------------

    async def refresh(self) -> WebhookList:
        """Loads the webhooks again. Search, sorting, page and selection stay; the status names selected webhooks that are gone.

        Raises:
            CStarError: The request failed. The table stays as it was, and the status shows the error.
        """
        if self._loading is None or self._loading.done():
            self._loading = asyncio.ensure_future(self._load())
        return await asyncio.shield(self._loading)

    async def _load(self) -> WebhookList:
        self.status.show("Loading the webhooks …", "busy")
        with self.status.reporting("Could not load the webhooks"):
            if self._team_name is None:
                self._team_name = await asyncio.to_thread(self._fetch_team_name)
            self.webhooks = await asyncio.to_thread(self._client.webhooks.list)
        gone = self.table.fill(self.webhooks, now=self._client.server_time)
        self._receivers = receivers_by_type(
            (each, each.events or ()) for each in self.webhooks if each.is_active is not False
        )
        self._coverage.fill(self._receivers)
        if self._deliveries is not None:
            self._deliveries.name_webhooks(self.webhooks)
        self._bulk.enable()
        self._show_header()
        self._show_panel()
        names = printable("; ".join(map(named, gone)), 300)
        note = f" Deselected, because deleted in the meantime: {names}." if gone else ""
        self.status.show(f"Loaded {plural(len(self.webhooks), 'webhook')}.{note}", "failed" if gone else "done")
        return self.webhooks

    async def act(self, action: Action, confirm: str | None = None) -> list[Step]:
        """Pauses, resumes or deletes the selected webhooks one by one, and reads each back to verify it.

        Args:
            action: "pause", "resume" or "delete".
            confirm: Needed with a live key: the phrase the Explorer asks for, such as "pause 2 webhooks".

        Returns:
            One step per selected webhook, including those not tried.

        Raises:
            ValidationError, ConfirmationError: Nothing was sent.
        """
        return await self._bulk.act(action, self.table.selected_webhooks(), confirm)

    def stop(self) -> None:
        """Stops a running `act` after its current step."""
        self._bulk.stop()

    def open(self, tab: str) -> None:
        """Opens a tab by its name, or "Edit" or "Fire" in the panel of the selected webhook.

        Raises:
            ValueError: There is no tab of this name.
        """
        if tab not in (*TABS, *IN_PANEL):
            raise ValueError(f"tab must be one of {', '.join((*TABS, *IN_PANEL))}, not {tab!r}.")
        self._tabs.selected_index = TABS.index("Webhooks" if tab in IN_PANEL else tab)
        self._show(tab)

    def close(self) -> None:
        """Removes the Explorer from the page and frees its widgets and tasks."""
        if self._loading is not None:
            self._loading.cancel()
        for part in (*self._forms.values(), self._side, self._paste, self._deliveries, self.audit):
            if part is not None:
                part.close()
        close(self._hint)
        super().close()

    # --- layout ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._title = TextBlock(kind="title")
        self._rate_limit = TextBlock(kind="note")
        self._hint = TextBlock(kind="note")
        self._coverage = Coverage()
        self._bulk = BulkActions(self._client, self.table, self.status, self._tasks, self._reload)
        self._bulk.on_ask = self._close_form
        self._buttons = {
            "edit": Button("Edit", lambda: self.open("Edit")),
            "fire": Button("Fire", lambda: self.open("Fire"), tooltip="Fire a test event"),
            "details": Button("Close form", lambda: self.open("Webhooks")),
            "refresh": Button(
                "↻ Refresh", lambda: self._tasks.spawn(self.refresh()), tooltip="Load the webhooks again"
            ),
            **self._bulk.buttons,
        }
        shown = ("edit", "fire", "pause", "resume", "delete", "stop", "undo", "details")
        self._actions = panel(row(*(self._buttons[name] for name in shown)), *self._bulk.parts)
        self._bar = panel(css="cx-bar-box")
        self._side = WebhookPanel(self._listener, self.table.clear, lambda: self.open("Deliveries"))
        self._boxes = {name: panel() for name in TABS}
        main = panel(self.table.filters, self._bar, self.table, css="cx-main")
        columns = Box([main, self._side.widget], _dom_classes=("cx-columns",))
        self._boxes["Webhooks"].children = [columns, self._coverage]
        self._tabs = Tabs(list(self._boxes.values()), titles=TABS)
        self._tabs.observe(lambda change: self._show(TABS[change["new"] or 0]), "selected_index")
        header = row(self._title, self._rate_limit, self._buttons["refresh"], css="cx-header")
        self.widget = Frame([header, self._tabs, self.status], _dom_classes=("cx", "cx-explorer"))

    def _show(self, place: str) -> None:
        """Shows a tab, or a form in the panel."""
        contents: Mapping[str, Callable[[], list[widgets.Widget]]] = {
            "Create": lambda: [self._open_form("Create", lambda: CreateForm(self._client))],
            "Deliveries": self._open_deliveries,
            "Audit": self._open_audit,
        }
        self.form = None
        self._in_panel = place if place in IN_PANEL else ""
        if self._in_panel and not self._bulk.working:
            self._bulk.on_select()  # withdraws a question
        if not self._bulk.working:
            self.status.show("")  # clears the message of the previous tab
        if place in contents:
            self._boxes[place].children = contents[place]()
        else:
            self._show_panel()

    def _show_panel(self) -> None:
        """Shows the selected webhook with its actions, if it is one, and the form that is open in the panel."""
        selected = self.table.selected_webhooks()
        webhook = selected[0] if len(selected) == 1 else None
        if self._in_panel == "Edit" and (webhook is None or (self.form and not self._edits_selection())):
            self.form, self._in_panel = None, ""
        forms = {"Edit": self._open_edit, "Fire": self._open_fire}
        form = forms[self._in_panel](selected) if self._in_panel else None
        self._bar.children = [self._actions] if webhook is None else []
        self._side.fill(webhook, self._receivers, self._client.server_time or datetime.now(UTC))
        self._side.show(self._actions, form)
        set_visible(self._buttons["edit"], on=webhook is not None and self._in_panel != "Edit")
        set_visible(self._buttons["fire"], on=self._in_panel != "Fire")
        set_visible(self._buttons["details"], on=bool(self._in_panel))

    def _close_form(self) -> None:
        """Closes the form in the panel, which keeps what was entered: only one thing is asked at a time."""
        if self._in_panel:
            self.open("Webhooks")

    def _open_form(self, tab: str, make: Callable[[], Form[Any]]) -> widgets.Widget:
        if tab not in self._forms:
            self._forms[tab] = make()
            self._forms[tab].remove_title()
            self._forms[tab].on_done = lambda: self._tasks.spawn(self._reload())
        self.form = self._forms[tab]
        return self.form.widget

    def _open_edit(self, selected: Sequence[Webhook]) -> widgets.Widget:
        if "Edit" in self._forms and not self._edits_selection():
            self._forms.pop("Edit").close()
        return self._open_form("Edit", lambda: EditForm(self._client, selected[0]))

    def _edits_selection(self) -> bool:
        form = self._forms.get("Edit")
        return isinstance(form, EditForm) and [form.before.id] == self.table.selected

    def _open_fire(self, selected: Sequence[Webhook]) -> widgets.Widget:
        events = (name for webhook in selected for name in webhook.events or () if "*" not in name)
        return self._open_form("Fire", lambda: FireForm(self._client, next(events, "")))

    def _open_deliveries(self) -> list[widgets.Widget]:
        if self._listener is None:
            self._hint.show(
                "There is no listener. To see deliveries here, pass one: cx.Explorer(client, listener=sandbox.listener())."
            )
            return [self._hint, self._paste.widget]
        self._deliveries = self._deliveries or DeliveriesTab(self._listener)
        self._deliveries.name_webhooks(self.webhooks)
        return [self._deliveries.widget, self._paste.widget]

    def _open_audit(self) -> list[widgets.Widget]:
        self.audit = self.audit or AuditTab(self._client, self._reload)
        return [self.audit.widget]

    def _show_header(self) -> None:
        client = self._client
        team = printable(self._team_name or client.team_id, 80)
        mode = "" if client.write else ", read-only"
        self._title.show(f"Webhooks of {team}", client.environment, f"team {client.team_id}, key {client.key}{mode}")
        self._rate_limit.show(*_low(client))

    def _on_select(self) -> None:
        self._bulk.on_select()
        self._show_panel()

    # --- calls -----------------------------------------------------------------------------------------------------

    def _fetch_team_name(self) -> str:
        """The team's name; empty if it has none, or whoami fails."""
        with suppress(CStarError):
            return self._client.whoami().team_name or ""
        return ""

    async def _reload(self) -> None:
        """Refreshes after a change, whose own status says that it succeeded. A failure is only shown."""
        with suppress(CStarError):
            await self.refresh()
            if self.status.tone == "done":
                self.status.show("")

    def __repr__(self) -> str:
        return f"Explorer({self._client.environment}, team {printable(self._client.team_id, 80)})"


def _low(client: Client) -> list[str]:
    """How many requests are left, if fewer than a fifth."""
    limit = client.rate_limit
    if limit is None or limit.remaining is None or limit.limit is None or limit.remaining * 5 >= limit.limit:
        return []
    clock = " on the sandbox's clock" if client.environment == "sandbox" else ""
    until = f" until {limit.reset_at:%H:%M} UTC{clock}" if limit.reset_at else ""
    return [f"{limit.remaining:,} of {limit.limit:,} requests left{until}."]
