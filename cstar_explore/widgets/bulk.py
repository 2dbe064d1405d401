"""What is done to several webhooks at once: asked for, confirmed, shown step by step, and stopped between two."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import ipywidgets as widgets

from ..api.client import Client
from ..errors import ConfirmationError, CStarError, ValidationError
from ..models import Webhook
from ..plans import Action, Applied, Step, toward
from .form import named, panel, plural, row, set_visible, step_line
from .inputs import StatusLine, TextBlock, TextField
from .table import WebhookTable
from .tasks import Tasks

_MANY = 50  # ids in a line of code; of more than that, the name of their list is clearer

_PAST: dict[Action, str] = {"pause": "paused", "resume": "resumed", "delete": "deleted"}
_OPPOSITE: dict[Action, Action] = {"pause": "resume", "resume": "pause"}


class BulkActions:
    """Pause, resume and delete for the selected webhooks of a table.

    Args:
        read_again: Awaited after each change.

    Attributes:
        buttons: pause, resume, delete, stop, undo; keep and really, which answer the question before a delete.
        parts: What is shown below the buttons.
        working: Whether a change is under way.
    """

    def __init__(
        self,
        client: Client,
        table: WebhookTable,
        status: StatusLine,
        tasks: Tasks,
        read_again: Callable[[], Awaitable[None]],
    ) -> None:
        self.client = client
        self.table = table
        self.status = status
        self.working = False
        self.code = TextBlock(kind="cell")
        self.steps = TextBlock(kind="list")
        self.question = TextBlock(kind="note")
        self.confirmation = TextField("Confirm")
        self._tasks = tasks
        self._read_again = read_again
        self._stopped = False
        self._asked: list[str] = []
        self._undo: tuple[Action, list[Webhook]] | None = None
        self.buttons = {
            "pause": widgets.Button(description="Pause"),
            "resume": widgets.Button(description="Resume"),
            "delete": widgets.Button(description="Delete", button_style="danger"),
            "stop": widgets.Button(description="Stop", tooltip="Stop between two steps"),
            "undo": widgets.Button(description="Undo"),
            "keep": widgets.Button(description="Keep them"),
            "really": widgets.Button(description="Delete", button_style="danger"),
        }
        on: dict[str, Callable[[], object]] = {
            "pause": lambda: self._clicked("pause"),
            "resume": lambda: self._clicked("resume"),
            "delete": lambda: self._ask(on=True),
            "stop": self.stop,
            "undo": self.undo,
            "keep": lambda: self._ask(on=False),
            "really": self._confirmed,
        }
        for name, handler in on.items():
            self.buttons[name].on_click(lambda _, handler=handler: handler())
        # In a sandbox of its own: what hides and shows are boxes and buttons, whose classes the page follows at once.
        self._confirming = panel(self.confirmation)
        self._answers = row(self.buttons["keep"], self.buttons["really"])
        self.parts = (self._confirming, self.question, self._answers, self.code, self.steps)
        set_visible(self.buttons["stop"], on=False)
        set_visible(self.buttons["undo"], on=False)
        self.selected()

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
        return await self._act(action, self.table.chosen(), confirm)

    async def _act(self, action: Action, chosen: list[Webhook], confirm: str | None) -> list[Step]:
        if not chosen:
            raise self._refused(ValidationError("No webhook is selected.", advice="Select one or more first."))
        if self.working:
            raise self._refused(ValidationError("Another change is under way.", advice="Wait for it, or stop it."))
        if self.client.environment == "live" and self.client.write and confirm != _to_type(action, chosen):
            self.confirmation.focus()
            raise self._refused(
                ConfirmationError(
                    f"This is a live key, and it was not confirmed by '{_to_type(action, chosen)}'.",
                    advice="Type it into the field, or give act(confirm=…).",
                )
            )
        steps: list[Step] = []
        try:
            work = toward(self.client, chosen, action).work(lambda: self._stopped)
        except ValidationError as error:
            raise self._refused(error) from None
        self._begin(action, chosen)
        try:
            # A generator step_line on another thread: the kernel stays free, and each step is shown as it ends.
            while (step := await asyncio.to_thread(next, work, None)) is not None:
                steps.append(step)
                self._show_steps(steps, chosen, action)
        finally:
            self._end(action, [step.webhook for step in steps if step.outcome == "done" and step.webhook is not None])
        applied = Applied(steps)
        await self._read_again()
        verified = " Each was verified by reading back." if applied.finished else ""
        self.status.show(f"{_summary(applied, action)}{verified}", "done" if applied.finished else "failed")
        return steps

    def stop(self) -> None:
        """Stops between two steps."""
        self._stopped = True

    def undo(self) -> None:
        """Resumes what was paused last, or the other way round, whatever is selected now."""
        if self._undo is not None and not self.working:
            self._tasks.spawn(self._act(*self._undo, self.confirmation.value or None))

    def selected(self) -> None:
        """Follows the selection. A question that was asked about another one is taken back."""
        self.enable()
        self._ask(on=False, focus=False)
        self.steps.show()
        self.code.show(*_python("pause", list(self.table.selected)))

    def enable(self) -> None:
        """Enables what can be done to what is selected."""
        chosen = bool(self.table.selected)
        for name in ("pause", "resume", "delete"):
            self.buttons[name].disabled = self.working or not self.client.write or not chosen
        set_visible(self._confirming, on=self.client.environment == "live" and self.client.write and chosen)

    def _clicked(self, action: Action) -> None:
        self._tasks.spawn(self.act(action, self.confirmation.value or None))

    def _begin(self, action: Action, chosen: list[Webhook]) -> None:
        self._stopped, self.working = False, True
        self._ask(on=False, focus=False)
        self.enable()
        set_visible(self.buttons["stop"], on=True)
        set_visible(self.buttons["undo"], on=False)
        self.steps.show()
        self.status.show(f"Beginning to {action} …", "busy")
        self.code.show(*_python(action, [webhook.id for webhook in chosen]))

    def _end(self, action: Action, done: list[Webhook]) -> None:
        self.working = False
        self._undo = (_OPPOSITE[action], done) if action in _OPPOSITE and done else None
        if self._undo is not None:
            self.buttons["undo"].description = f"Undo: {self._undo[0]} {plural(len(done), 'webhook')}"
        set_visible(self.buttons["undo"], on=self._undo is not None)
        self.confirmation.value = ""
        set_visible(self.buttons["stop"], on=False)
        self.enable()

    def _confirmed(self) -> None:
        """Deletes what was asked about, and nothing else."""
        if self._asked and self._asked == self.table.selected:
            self._clicked("delete")

    def _ask(self, *, on: bool, focus: bool = True) -> None:
        chosen = self.table.chosen()
        self._asked = list(self.table.selected) if on else []
        self._label("delete" if on else "pause")
        names = "; ".join(named(webhook) for webhook in chosen[:10]) + ("; …" if len(chosen) > 10 else "")
        self.question.show(*([f"Delete {names} for good? Ids and signing secrets do not come back."] if on else []))
        self.buttons["really"].description = f"Delete {plural(len(chosen), 'webhook')}"
        set_visible(self._answers, on=on)
        if focus:
            self.buttons["keep" if on else "delete"].focus()

    def _label(self, action: Action) -> None:
        others = "" if action == "delete" else " (or resume, delete)"
        self.confirmation.label = (
            f"This is a live key. Type '{_to_type(action, self.table.selected)}'{others} to confirm"
        )

    def _show_steps(self, steps: list[Step], chosen: list[Webhook], action: Action) -> None:
        self.steps.show(*(step_line(step, named(webhook)) for step, webhook in zip(steps, chosen, strict=False)))
        self.status.show(f"{len(steps):,} of {len(chosen):,}: {_summary(Applied(steps), action)}", "busy")

    def _refused(self, error: CStarError) -> CStarError:
        self.status.show(f"Not done: {error}", "failed")
        return error


def _summary(applied: Applied, action: Action) -> str:
    """All of it in one sentence: `2 paused, 1 failed, 3 not tried.`"""
    return applied.account(done=_PAST[action], unchanged=f"{_PAST[action]} already")


def _to_type(action: Action, chosen: Sequence[object]) -> str:
    """The words that confirm it on a live key."""
    return f"{action} {plural(len(chosen), 'webhook')}"


def _python(action: Action, ids: list[str]) -> list[str]:
    """The lines that do the same; of very many, by the name of their list."""
    if not ids:
        return []
    named_ids = repr(ids) if len(ids) <= _MANY else "explorer.table.selected"
    call = "delete(webhook_id)" if action == "delete" else f"update(webhook_id, is_active={action == 'resume'})"
    return [f"for webhook_id in {named_ids}:", f"    client.webhooks.{call}"]
