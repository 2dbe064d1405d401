"""Everything about a team's webhooks in one place.

The bar says where one is. The tabs are built when they are first opened. What changes several webhooks at once is done step
by step in `bulk`; here it is asked for, shown, and stopped.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import traitlets

from ..bulk import Action, Step, account, work_through
from ..client import Client
from ..errors import ConfirmationError, CStarError, ValidationError
from ..models import WebhookList
from ..text import printable
from .create import CreateForm
from .edit import EditForm
from .fire import FireForm
from .form import Form, close, named, plural, row, show
from .listener_view import ListenerView
from .parts import STATIC, Part, Status, TextField, Words
from .table import Coverage, WebhookTable

if TYPE_CHECKING:
    from ..listener import Listener

TABS = ("Webhooks", "Create", "Edit", "Fire", "Deliveries")

_MANY = 50  # ids in a line of code; of more than that, the name of their list is clearer

_MARKS = {"done": "✓", "unchanged": "=", "failed": "✗", "not tried": "·"}


class _Tabs(Part):
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
        status: The line that says how things stand.

    Made inside a running loop it reads the webhooks by itself; `await explorer.refresh()` reads them (again).
    """

    def __init__(self, client: Client, listener: "Listener | None" = None) -> None:
        self.client = client
        self.form: Form[Any] | None = None
        self.webhooks = WebhookList([])
        self.status = Status()
        self.table = WebhookTable(self._selected)
        self._listener = listener
        self._view: ListenerView | None = None
        self._forms: dict[str, Form[Any]] = {}
        self._stopped = False
        self._working = False
        self._asked: list[str] = []
        self._team_name: str | None = None
        self._reading: asyncio.Task[WebhookList] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._build()
        self._selected()
        self._say_where()
        self._spawn(self.refresh())

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
        self.status.say("Reading the webhooks …", "busy")
        try:
            if self._team_name is None:
                self._team_name = await asyncio.to_thread(self._whose)
            self.webhooks = await asyncio.to_thread(self.client.webhooks.list)
        except CStarError as error:
            self.status.say(f"Not read: {error}", "failed")
            raise
        gone = self.table.fill(self.webhooks, now=self.client.server_time)
        self.coverage.fill(self.webhooks)
        self._enable()
        self._say_where()
        told = (
            f" No longer there, and not selected any more: {printable('; '.join(map(named, gone)), 300)}."
            if gone
            else ""
        )
        self.status.say(f"Read {plural(len(self.webhooks), 'webhook')}.{told}", "failed" if gone else "done")
        return self.webhooks

    async def act(self, action: Action, confirm: str | None = None) -> list[Step]:
        """Pauses, resumes or deletes the selected webhooks, step by step, each verified by reading back.

        Args:
            action: "pause", "resume" or "delete".
            confirm: On a live key, the words that the Explorer asks for, such as "pause 2 webhooks".

        Returns:
            A step per webhook, also for those that were not tried.

        Raises:
            ValidationError, ConfirmationError, ReadOnlyError: Nothing was done.
        """
        chosen = self.table.chosen()
        if not chosen:
            raise self._refused(ValidationError("No webhook is selected.", advice="Select one or more first."))
        if self._working:
            raise self._refused(ValidationError("Another change is under way.", advice="Wait for it, or stop it."))
        if self.client.environment == "live" and self.client.write and confirm != self._to_type(action):
            self.confirmation.focus()
            raise self._refused(
                ConfirmationError(
                    f"This is a live key, and it was not confirmed by '{self._to_type(action)}'.",
                    advice="Type it into the field, or give act(confirm=…).",
                )
            )
        steps: list[Step] = []
        try:
            work = work_through(self.client, chosen, action, lambda: self._stopped)
        except ValidationError as error:
            raise self._refused(error) from None
        self._begin(action)
        try:
            # A generator stepped on another thread: the kernel stays free, and each step is shown as it ends.
            while (step := await asyncio.to_thread(next, work, None)) is not None:
                steps.append(step)
                self._show_steps(steps, len(chosen), action)
        finally:
            self._end()
        done = {step.outcome for step in steps} <= {"done", "unchanged"}
        await self._read_again()
        verified = " Each was verified by reading back." if done else ""
        self.status.say(f"{account(steps, action)}{verified}", "done" if done else "failed")
        return steps

    def stop(self) -> None:
        """Stops between two steps."""
        self._stopped = True

    def open(self, tab: str) -> None:
        """Opens a tab by its name."""
        self.tabs.chosen = TABS.index(tab)

    def close(self) -> None:
        """Takes it off the page, and frees all its widgets, tasks and watchers."""
        for task in self._tasks:
            task.cancel()
        for form in self._forms.values():
            form.close()
        if self._view is not None:
            self._view.close()
        self._place.children = [self._panels["Webhooks"]]
        close(self.widget)
        close(self.hint)

    # --- how it is built -------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.title = Words(kind="title")
        self.budget = Words(kind="note")
        self.hint = Words(kind="note")
        self.tabs = _Tabs()
        self.coverage = Coverage()
        self.code = Words(kind="cell")
        self.steps = Words(kind="list")
        self.question = Words(kind="note")
        self.confirmation = TextField("Confirm")
        button = widgets.Button
        self.buttons = {
            "edit": button(description="Edit"),
            "fire": button(description="Fire"),
            "pause": button(description="Pause"),
            "resume": button(description="Resume"),
            "delete": button(description="Delete", button_style="danger"),
            "stop": button(description="Stop", tooltip="Stop between two steps"),
            "keep": button(description="Keep them"),
            "really": button(description="Delete", button_style="danger"),
            "refresh": button(description="Refresh"),
        }
        on: dict[str, Callable[[], object]] = {
            "edit": lambda: self.open("Edit"),
            "fire": lambda: self.open("Fire"),
            "pause": lambda: self._clicked("pause"),
            "resume": lambda: self._clicked("resume"),
            "delete": lambda: self._ask(on=True),
            "stop": self.stop,
            "keep": lambda: self._ask(on=False),
            "really": self._confirmed,
            "refresh": lambda: self._spawn(self.refresh()),
        }
        for name, handler in on.items():
            self.buttons[name].on_click(lambda _, handler=handler: handler())
        self._answers = row(self.buttons["keep"], self.buttons["really"])
        actions = row(*(self.buttons[name] for name in ("edit", "fire", "pause", "resume", "delete", "stop")))
        # In a box of its own: what hides and shows are boxes and buttons, whose classes the page follows at once.
        self._confirming = _panel(self.confirmation)
        parts = [
            self.table,
            actions,
            self._confirming,
            self.question,
            self._answers,
            self.code,
            self.steps,
            self.coverage,
        ]
        self._panels: dict[str, widgets.VBox] = {"Webhooks": _panel(*parts)}
        self._place = _panel(self._panels["Webhooks"])
        self.widget = widgets.VBox(
            [self.title, row(self.budget, self.buttons["refresh"]), self.tabs, self._place, self.status]
        )
        self.widget.add_class("cx")
        self.widget.add_class("cx-explorer")
        self._ask(on=False, focus=False)
        show(self.buttons["stop"], on=False)
        self.tabs.observe(lambda change: self._opened(TABS[change["new"]]), "chosen")

    def _opened(self, tab: str) -> None:
        """Shows a tab. What it holds is made when it is first opened, and the form that edits anew for another webhook."""
        makers = {"Create": self._create, "Edit": self._edit, "Fire": self._fire, "Deliveries": self._deliveries}
        self.form = None
        if not self._working:
            self.status.say("")  # it was about another tab
        self._place.children = [self._panels["Webhooks"] if tab == "Webhooks" else makers[tab]()]

    def _create(self) -> widgets.Widget:
        return self._shown("Create", lambda: CreateForm(self.client))

    def _edit(self) -> widgets.Widget:
        chosen = self.table.chosen()
        if len(chosen) != 1:
            self.hint.say(
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
            self.hint.say(
                "No listener was given. cx.Explorer(client, listener=box.listener()) shows here what arrives, as it arrives."
            )
            return self.hint
        self._view = self._view or ListenerView(self._listener)
        return self._view.widget

    def _shown(self, tab: str, make: Callable[[], Form[Any]]) -> widgets.Widget:
        if tab not in self._forms:
            self._forms[tab] = make()
            self._forms[tab].on_done(lambda: self._spawn(self._read_again()))
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
        self.title.say(
            f"Webhooks of {team}", self.client.environment, f"team {self.client.team_id}, key {self.client.key}{reads}"
        )
        budget = self.client.budget
        if budget is None or budget.remaining is None:
            self.budget.say("The request budget is not known yet.")
            return
        of = f" of {budget.limit:,}" if budget.limit is not None else ""
        clock = " on the sandbox's clock" if self.client.environment == "sandbox" else ""
        until = f", until {budget.reset_at:%H:%M} UTC{clock}" if budget.reset_at else ""
        self.budget.say(f"{budget.remaining:,}{of} requests left{until}.")

    def _selected(self) -> None:
        """Follows the selection. A question that was asked about another one is taken back."""
        self._enable()
        self._ask(on=False, focus=False)
        self.steps.say()
        self.code.say(*self._python("pause"))

    def _enable(self) -> None:
        chosen = self.table.chosen()
        for name in ("edit", "pause", "resume", "delete"):
            reads_only = name != "edit" and not self.client.write
            self.buttons[name].disabled = (
                self._working or reads_only or (len(chosen) != 1 if name == "edit" else not chosen)
            )
        show(self._confirming, on=self.client.environment == "live" and self.client.write and bool(chosen))

    def _python(self, action: Action) -> list[str]:
        """The lines that do the same to the selected webhooks; of very many, by the name of their list."""
        ids = list(self.table.selected)
        if not ids:
            return []
        named_ids = repr(ids) if len(ids) <= _MANY else "explorer.table.selected"
        call = "delete(webhook_id)" if action == "delete" else f"update(webhook_id, is_active={action == 'resume'})"
        return [f"for webhook_id in {named_ids}:", f"    client.webhooks.{call}"]

    def _label(self, action: Action) -> None:
        others = "" if action == "delete" else " (or resume, delete)"
        self.confirmation.label = f"This is a live key. Type '{self._to_type(action)}'{others} to confirm"

    def _to_type(self, action: Action) -> str:
        return f"{action} {plural(len(self.table.selected), 'webhook')}"

    def _confirmed(self) -> None:
        """Deletes what was asked about, and nothing else."""
        if self._asked and self._asked == self.table.selected:
            self._clicked("delete")

    def _ask(self, *, on: bool, focus: bool = True) -> None:
        chosen = self.table.chosen()
        self._asked = list(self.table.selected) if on else []
        self._label("delete" if on else "pause")
        names = "; ".join(named(webhook) for webhook in chosen[:10]) + ("; …" if len(chosen) > 10 else "")
        self.question.say(*([f"Delete {names} for good? Ids and signing secrets do not come back."] if on else []))
        self.buttons["really"].description = f"Delete {plural(len(chosen), 'webhook')}"
        show(self._answers, on=on)
        if focus:
            self.buttons["keep" if on else "delete"].focus()

    def _show_steps(self, steps: list[Step], total: int, action: Action) -> None:
        self.steps.say(*(_line(step) for step in steps))
        self.status.say(f"{len(steps):,} of {total:,}: {account(steps, action)}", "busy")

    def _refused(self, error: CStarError) -> CStarError:
        self.status.say(f"Not done: {error}", "failed")
        return error

    # --- how it runs -----------------------------------------------------------------------------------------------

    def _begin(self, action: Action) -> None:
        self._stopped, self._working = False, True
        self._ask(on=False, focus=False)
        self._enable()
        show(self.buttons["stop"], on=True)
        self.steps.say()
        self.status.say(f"Beginning to {action} …", "busy")
        self.code.say(*self._python(action))

    def _end(self) -> None:
        self._working = False
        self.confirmation.value = ""
        show(self.buttons["stop"], on=False)
        self._enable()

    async def _read_again(self) -> None:
        """Refreshes after a change; if that fails, the change was made all the same, and the status says what failed."""
        try:
            await self.refresh()
        except CStarError:
            return

    def _clicked(self, action: Action) -> None:
        self._spawn(self.act(action, self.confirmation.value or None))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
        """Runs a coroutine that shows its errors itself. Without a running loop it does nothing."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:
            work.close()
            return None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    def __repr__(self) -> str:
        return f"Explorer({self.client.environment}, team {printable(self.client.team_id, 80)})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return {**self.widget._repr_mimebundle_(**options), "text/plain": repr(self)}


def _line(step: Step) -> str:
    detail = f": {step.detail}" if step.detail else ""
    return f"{_MARKS[step.outcome]} {step.outcome}, {named(step.webhook)}{detail}"


def _panel(*parts: widgets.Widget) -> widgets.VBox:
    box = widgets.VBox(list(parts))
    box.add_class("cx-panel")
    return box
