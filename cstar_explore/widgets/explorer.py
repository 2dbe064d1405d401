"""The Explorer: a team's webhooks in one widget with tabs. A tab's contents are built when it is first opened."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError
from ..models import WebhookList
from ..plans import Action, Step
from ..text import plural, printable
from .audit_tab import AuditTab
from .bulk import BulkActions
from .create import CreateForm
from .deliveries_tab import DeliveriesTab
from .edit import EditForm
from .fire import FireForm
from .form import Form, close, named, panel, row
from .inputs import StatusLine, TextBlock
from .table import Coverage, WebhookTable
from .tasks import Tasks

if TYPE_CHECKING:
    from ..listener import Listener

TABS = ("Webhooks", "Create", "Edit", "Fire", "Deliveries", "Audit")


class Explorer:
    """Browse, create, edit, fire, pause, resume, delete and audit a team's webhooks.

    Args:
        client: Makes the calls.
        listener: Its deliveries are shown in the tab **Deliveries**.

    Attributes:
        webhooks: The webhooks as last loaded.
        table: The table of webhooks; `table.select([id])` selects rows, `table.selected` holds the selected IDs.
        form: The form of the open tab; None if it has none.
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
        self._forms: dict[str, Form[Any]] = {}
        self._team_name: str | None = None
        self._loading: asyncio.Task[WebhookList] | None = None
        self._tasks = Tasks()
        self._build()
        self._on_select()
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
        try:
            if self._team_name is None:
                self._team_name = await asyncio.to_thread(self._fetch_team_name)
            self.webhooks = await asyncio.to_thread(self._client.webhooks.list)
        except CStarError as error:
            self.status.show(f"Could not load the webhooks: {error}", "failed")
            raise
        gone = self.table.fill(self.webhooks, now=self._client.server_time)
        self._coverage.fill(self.webhooks)
        self._bulk.enable()
        self._show_header()
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
        return await self._bulk.act(action, confirm)

    def stop(self) -> None:
        """Stops a running `act` after its current step."""
        self._bulk.stop()

    def open(self, tab: str) -> None:
        """Opens a tab by its name.

        Raises:
            ValueError: There is no tab of this name.
        """
        if tab not in TABS:
            raise ValueError(f"tab must be one of {', '.join(TABS)}, not {tab!r}.")
        self._tabs.selected_index = TABS.index(tab)

    def close(self) -> None:
        """Removes the Explorer from the page and frees its widgets and tasks."""
        self._tasks.cancel()
        for tab in TABS[1:]:
            self._boxes[tab].children = ()
        for part in (*self._forms.values(), self._deliveries, self.audit):
            if part is not None:
                part.close()
        close(self.widget)
        close(self._hint)

    # --- layout ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self._title = TextBlock(kind="title")
        self._rate_limit = TextBlock(kind="note")
        self._hint = TextBlock(kind="note")
        self._coverage = Coverage()
        self._bulk = BulkActions(self._client, self.table, self.status, self._tasks, self._reload)
        self._buttons = {
            "edit": widgets.Button(description="Edit"),
            "fire": widgets.Button(description="Fire"),
            "refresh": widgets.Button(description="Refresh"),
            **self._bulk.buttons,
        }
        self._buttons["edit"].on_click(lambda _: self.open("Edit"))
        self._buttons["fire"].on_click(lambda _: self.open("Fire"))
        self._buttons["refresh"].on_click(lambda _: self._tasks.spawn(self.refresh()))
        actions = row(*(self._buttons[name] for name in ("edit", "fire", "pause", "resume", "delete", "stop", "undo")))
        self._boxes = {name: panel() for name in TABS}
        self._boxes["Webhooks"].children = [self.table, actions, *self._bulk.parts, self._coverage]
        self._tabs = widgets.Tab(list(self._boxes.values()), titles=TABS)
        self._tabs.observe(lambda change: self._show_tab(TABS[change["new"] or 0]), "selected_index")
        self.widget = widgets.VBox(
            [self._title, row(self._rate_limit, self._buttons["refresh"]), self._tabs, self.status]
        )
        self.widget.add_class("cx")
        self.widget.add_class("cx-explorer")

    def _show_tab(self, tab: str) -> None:
        contents: Mapping[str, Callable[[], widgets.Widget]] = {
            "Create": lambda: self._open_form("Create", lambda: CreateForm(self._client)),
            "Edit": self._open_edit,
            "Fire": self._open_fire,
            "Deliveries": self._open_deliveries,
            "Audit": self._open_audit,
        }
        self.form = None
        if not self._bulk.working:
            self.status.show("")  # clears the message of the previous tab
        if tab in contents:
            self._boxes[tab].children = [contents[tab]()]

    def _open_form(self, tab: str, make: Callable[[], Form[Any]]) -> widgets.Widget:
        if tab not in self._forms:
            self._forms[tab] = make()
            self._forms[tab].on_done(lambda: self._tasks.spawn(self._reload()))
        self.form = self._forms[tab]
        return self.form.widget

    def _open_edit(self) -> widgets.Widget:
        selected = self.table.selected_webhooks()
        if len(selected) != 1:
            count = f"{len(selected):,} are" if selected else "None is"
            self._hint.show(f"{count} selected. Select exactly one webhook in the tab Webhooks to edit it.")
            return self._hint
        form = self._forms.get("Edit")
        if isinstance(form, EditForm) and form.before.id != selected[0].id:
            self._boxes["Edit"].children = ()
            self._forms.pop("Edit").close()
        return self._open_form("Edit", lambda: EditForm(self._client, selected[0]))

    def _open_fire(self) -> widgets.Widget:
        events = [
            name for webhook in self.table.selected_webhooks() for name in webhook.events or () if "*" not in name
        ]
        return self._open_form("Fire", lambda: FireForm(self._client, events[0] if events else ""))

    def _open_deliveries(self) -> widgets.Widget:
        if self._listener is None:
            self._hint.show(
                "There is no listener. To see deliveries here, pass one: cx.Explorer(client, listener=sandbox.listener())."
            )
            return self._hint
        self._deliveries = self._deliveries or DeliveriesTab(self._listener)
        return self._deliveries.widget

    def _open_audit(self) -> widgets.Widget:
        self.audit = self.audit or AuditTab(self._client, self._reload)
        return self.audit.widget

    def _show_header(self) -> None:
        client = self._client
        team = printable(self._team_name or client.team_id, 80)
        mode = "" if client.write else ", read-only"
        self._title.show(f"Webhooks of {team}", client.environment, f"team {client.team_id}, key {client.key}{mode}")
        rate_limit = client.rate_limit
        if rate_limit is None or rate_limit.remaining is None:
            self._rate_limit.show("The rate limit is not known yet.")
            return
        of = f" of {rate_limit.limit:,}" if rate_limit.limit is not None else ""
        clock = " on the sandbox's clock" if client.environment == "sandbox" else ""
        until = f" until {rate_limit.reset_at:%H:%M} UTC{clock}" if rate_limit.reset_at else ""
        self._rate_limit.show(f"{rate_limit.remaining:,}{of} requests left{until}.")

    def _on_select(self) -> None:
        self._bulk.on_select()
        self._buttons["edit"].disabled = len(self.table.selected) != 1

    # --- calls -----------------------------------------------------------------------------------------------------

    def _fetch_team_name(self) -> str:
        """The team's name; its ID if whoami fails."""
        try:
            return self._client.whoami().team_name or str(self._client.team_id)
        except CStarError:
            return str(self._client.team_id)

    async def _reload(self) -> None:
        """Refreshes after a change. A failure is only shown: the change itself succeeded."""
        try:
            await self.refresh()
        except CStarError:
            return

    def __repr__(self) -> str:
        return f"Explorer({self._client.environment}, team {printable(self._client.team_id, 80)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**options), "text/plain": repr(self)}
