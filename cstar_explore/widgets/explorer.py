"""Everything about a team's webhooks in one place: the bar that says where one is, and the tabs, built when first opened."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from ..api.client import Client
from ..errors import CStarError
from ..models import WebhookList
from ..plans import Action, Step
from ..text import printable
from .audit_tab import AuditTab
from .bulk import BulkActions
from .create import CreateForm
from .deliveries_tab import DeliveriesTab
from .edit import EditForm
from .fire import FireForm
from .form import Form, close, named, panel, plural, row
from .inputs import STATIC, BaseWidget, StatusLine, TextBlock
from .table import Coverage, WebhookTable
from .tasks import Tasks

if TYPE_CHECKING:
    from ..listener import Listener

TABS = ("Webhooks", "Create", "Edit", "Fire", "Deliveries", "Audit")


class _Tabs(BaseWidget):
    _esm = STATIC / "tabs.js"
    names = traitlets.List(traitlets.Unicode(), default_value=list(TABS)).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)


class Explorer:
    """A team's webhooks, to look through, create, edit, fire, pause, resume and delete.

    Args:
        client: What it calls.
        listener: Whose deliveries the tab **Deliveries** shows.

    Attributes:
        table: The webhooks; `table.select([id])` selects as a tick does.
        form: The form of the tab that is open, if it has one.
        audit: What the tab **Audit** shows, once it has been opened.
        status: The line that says how things stand.

    Made inside a running loop it reads the webhooks by itself; `await explorer.refresh()` reads them (again).
    """

    def __init__(self, client: Client, listener: "Listener | None" = None) -> None:
        self.client = client
        self.form: Form[Any] | None = None
        self.webhooks = WebhookList([])
        self.status = StatusLine()
        self.table = WebhookTable(self._selected)
        self._listener = listener
        self._view: DeliveriesTab | None = None
        self.audit: AuditTab | None = None
        self._forms: dict[str, Form[Any]] = {}
        self._team_name: str | None = None
        self._reading: asyncio.Task[WebhookList] | None = None
        self._tasks = Tasks()
        self._build()
        self._selected()
        self._say_where()
        self._tasks.spawn(self.refresh())

    # --- what it does ----------------------------------------------------------------------------------------------

    async def refresh(self) -> WebhookList:
        """Reads the webhooks again; search, sorting, page and selection stay. Says so if a selected one is gone.

        Raises:
            CStarError: They could not be read; what was shown stays, and the status says why.
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._reading)

    async def _read(self) -> WebhookList:
        self.status.show("Reading the webhooks …", "busy")
        try:
            if self._team_name is None:
                self._team_name = await asyncio.to_thread(self._whose)
            self.webhooks = await asyncio.to_thread(self.client.webhooks.list)
        except CStarError as error:
            self.status.show(f"Not read: {error}", "failed")
            raise
        gone = self.table.fill(self.webhooks, now=self.client.server_time)
        self.coverage.fill(self.webhooks)
        self.bulk.enable()
        self._say_where()
        told = (
            f" No longer there, and not selected any more: {printable('; '.join(map(named, gone)), 300)}."
            if gone
            else ""
        )
        self.status.show(f"Read {plural(len(self.webhooks), 'webhook')}.{told}", "failed" if gone else "done")
        return self.webhooks

    async def act(self, action: Action, confirm: str | None = None) -> list[Step]:
        """Pauses, resumes or deletes the selected webhooks; see `BulkActions.act`."""
        return await self.bulk.act(action, confirm)

    def stop(self) -> None:
        """Stops a change of several webhooks between two steps."""
        self.bulk.stop()

    def open(self, tab: str) -> None:
        """Opens a tab by its name."""
        self.tabs.chosen = TABS.index(tab)

    def close(self) -> None:
        """Takes it off the page, and frees all its widgets, tasks and watchers."""
        self._tasks.cancel()
        for form in self._forms.values():
            form.close()
        if self._view is not None:
            self._view.close()
        if self.audit is not None:
            self.audit.close()
        self._place.children = [self._panels["Webhooks"]]
        close(self.widget)
        close(self.hint)

    # --- how it is built -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.title = TextBlock(kind="title")
        self.rate_limit = TextBlock(kind="note")
        self.hint = TextBlock(kind="note")
        self.tabs = _Tabs()
        self.coverage = Coverage()
        self.bulk = BulkActions(self.client, self.table, self.status, self._tasks, self._read_again)
        self.code, self.steps = self.bulk.code, self.bulk.steps
        self.buttons = {
            "edit": widgets.Button(description="Edit"),
            "fire": widgets.Button(description="Fire"),
            "refresh": widgets.Button(description="Refresh"),
            **self.bulk.buttons,
        }
        self.buttons["edit"].on_click(lambda _: self.open("Edit"))
        self.buttons["fire"].on_click(lambda _: self.open("Fire"))
        self.buttons["refresh"].on_click(lambda _: self._tasks.spawn(self.refresh()))
        actions = row(*(self.buttons[name] for name in ("edit", "fire", "pause", "resume", "delete", "stop", "undo")))
        parts = [self.table, actions, *self.bulk.parts, self.coverage]
        self._panels: dict[str, widgets.VBox] = {"Webhooks": panel(*parts)}
        self._place = panel(self._panels["Webhooks"])
        self.widget = widgets.VBox(
            [self.title, row(self.rate_limit, self.buttons["refresh"]), self.tabs, self._place, self.status]
        )
        self.widget.add_class("cx")
        self.widget.add_class("cx-explorer")
        self.tabs.observe(lambda change: self._opened(TABS[change["new"]]), "chosen")

    def _opened(self, tab: str) -> None:
        """Shows a tab. What it holds is made when it is first opened, and the form that edits anew for another webhook."""
        makers = {"Create": self._create, "Edit": self._edit, "Fire": self._fire}
        makers |= {"Deliveries": self._deliveries, "Audit": self._audit}
        self.form = None
        if not self.bulk.working:
            self.status.show("")  # it was about another tab
        self._place.children = [self._panels["Webhooks"] if tab == "Webhooks" else makers[tab]()]

    def _create(self) -> widgets.Widget:
        return self._shown("Create", lambda: CreateForm(self.client))

    def _edit(self) -> widgets.Widget:
        chosen = self.table.chosen()
        if len(chosen) != 1:
            self.hint.show(
                f"One webhook can be edited at a time; {len(chosen) or 'none'} selected. Select one in the tab Webhooks."
            )
            return self.hint
        old = self._forms.get("Edit")
        if isinstance(old, EditForm) and old.before.id != chosen[0].id:
            self._forms.pop("Edit").close()
        return self._shown("Edit", lambda: EditForm(self.client, chosen[0]))

    def _fire(self) -> widgets.Widget:
        events = [name for webhook in self.table.chosen() for name in webhook.events or () if "*" not in name]
        return self._shown("Fire", lambda: FireForm(self.client, events[0] if events else ""))

    def _deliveries(self) -> widgets.Widget:
        if self._listener is None:
            self.hint.show(
                "No listener was given. cx.Explorer(client, listener=sandbox.listener()) shows here what arrives, as it arrives."
            )
            return self.hint
        self._view = self._view or DeliveriesTab(self._listener)
        return self._view.widget

    def _audit(self) -> widgets.Widget:
        self.audit = self.audit or AuditTab(self.client, self._read_again)
        return self.audit.widget

    def _shown(self, tab: str, make: Callable[[], Form[Any]]) -> widgets.Widget:
        if tab not in self._forms:
            self._forms[tab] = make()
            self._forms[tab].on_done(lambda: self._tasks.spawn(self._read_again()))
        self.form = self._forms[tab]
        return self.form.widget

    # --- what is said ----------------------------------------------------------------------------------------------

    def _whose(self) -> str:
        """The team's name; where whoami is not answered, its id has to do."""
        try:
            return self.client.whoami().team_name or str(self.client.team_id)
        except CStarError:
            return str(self.client.team_id)

    def _say_where(self) -> None:
        team = printable(self._team_name or self.client.team_id, 80)
        reads = "" if self.client.write else ", reads only"
        self.title.show(
            f"Webhooks of {team}", self.client.environment, f"team {self.client.team_id}, key {self.client.key}{reads}"
        )
        rate_limit = self.client.rate_limit
        if rate_limit is None or rate_limit.remaining is None:
            self.rate_limit.show("The request budget is not known yet.")
            return
        of = f" of {rate_limit.limit:,}" if rate_limit.limit is not None else ""
        clock = " on the sandbox's clock" if self.client.environment == "sandbox" else ""
        until = f", until {rate_limit.reset_at:%H:%M} UTC{clock}" if rate_limit.reset_at else ""
        self.rate_limit.show(f"{rate_limit.remaining:,}{of} requests left{until}.")

    def _selected(self) -> None:
        self.bulk.selected()
        self.buttons["edit"].disabled = len(self.table.selected) != 1

    # --- how it runs -----------------------------------------------------------------------------------------------

    async def _read_again(self) -> None:
        """Refreshes after a change; if that fails, the change was made all the same, and the status says what failed."""
        try:
            await self.refresh()
        except CStarError:
            return

    def __repr__(self) -> str:
        return f"Explorer({self.client.environment}, team {printable(self.client.team_id, 80)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**options), "text/plain": repr(self)}
