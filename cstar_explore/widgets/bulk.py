"""Pauses, resumes or deletes several webhooks at once, with confirmation, progress, Stop and Undo."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..api.client import Client
from ..errors import ConfirmationError, ValidationError
from ..models import Webhook
from ..plans import Action, Applied, Outcome, Step, plan_action
from ..text import plural
from .boxes import Button, panel, row, set_visible
from .displayed import Tasks
from .form import named
from .inputs import StatusLine, TextBlock, TextField
from .table import WebhookTable

_MAX_IDS = 50  # more IDs than this are not spelled out in the code

_PAST: dict[Action, str] = {"pause": "paused", "resume": "resumed", "delete": "deleted"}
_MARKS: Mapping[Outcome, str] = {"done": "✓", "unchanged": "=", "failed": "✗", "unknown": "?", "not tried": "·"}
_OPPOSITE: dict[Action, Action] = {"pause": "resume", "resume": "pause"}


class BulkActions:
    """Pause, resume and delete for the selected webhooks of a table.

    Args:
        reload: Awaited after each action.

    Attributes:
        on_ask: Called before a question, or the field for a live key's confirmation, is shown.
        buttons: pause, resume, delete, stop, undo; keep and confirm, which answer the question before a delete.
        parts: The widgets shown below the buttons.
        working: Whether an action is running.
    """

    def __init__(
        self,
        client: Client,
        table: WebhookTable,
        status: StatusLine,
        tasks: Tasks,
        reload: Callable[[], Awaitable[None]],
    ) -> None:
        self.on_ask: Callable[[], object] = lambda: None
        self.working = False
        self.code = TextBlock(kind="code")
        self.steps = TextBlock(kind="list", _dom_classes=("cx-steps",))
        self._client = client
        self._table = table
        self._status = status
        self._tasks = tasks
        self._reload = reload
        self._question = TextBlock(kind="note", _dom_classes=("cx-question",))
        self._stopped = False
        self._asked: tuple[Action, list[Webhook]] | None = None  # what waits for an answer
        self._undo: tuple[Action, list[Webhook]] | None = None
        self.buttons = {
            "pause": Button("Pause", lambda: self._start("pause", table.selected_webhooks())),
            "resume": Button("Resume", lambda: self._start("resume", table.selected_webhooks())),
            "delete": Button("Delete", self._ask_to_delete, button_style="danger"),
            "stop": Button("Stop", self.stop, hidden=True, tooltip="Stop after the current step"),
            "undo": Button("Undo", self.undo, hidden=True),
            "keep": Button("Keep them", self._keep),
            "confirm": Button("Delete", self._confirm, button_style="danger"),
        }
        self._answers = row(self.buttons["keep"], self.buttons["confirm"])
        self._confirmation = TextField("Confirm")
        self._confirmation.on("enter", self._confirm)
        # The field is hidden through its box: a box applies a changed class at once.
        self._confirmation_box = panel(self._confirmation)
        self.parts = (self._question, self._confirmation_box, self._answers, self.code, self.steps)
        self.on_select()

    async def act(self, action: Action, webhooks: list[Webhook], confirm: str | None) -> list[Step]:
        """See `Explorer.act`."""
        steps: list[Step] = []
        with self._status.reporting("Error"):
            self._check(action, webhooks, confirm)
            remaining = plan_action(self._client, webhooks, action)._run(lambda: self._stopped)  # noqa: SLF001 - step by step
        self._begin(action, webhooks)
        try:
            # Each step runs on another thread, so the kernel stays responsive.
            while (step := await asyncio.to_thread(next, remaining, None)) is not None:
                steps.append(step)
                self.steps.show(*map(_step_line, steps, webhooks))
                self._status.show(f"{len(steps):,} of {len(webhooks):,}: {_summary(Applied(steps), action)}", "busy")
        finally:
            self._end(action, [step.webhook for step in steps if step.outcome == "done" and step.webhook is not None])
        applied = Applied(steps)
        await self._reload()
        verified = " Each was verified by reading it back." if applied.finished else ""
        self._status.show(f"{_summary(applied, action)}{verified}", "done" if applied.finished else "failed")
        return steps

    def _check(self, action: Action, webhooks: list[Webhook], confirm: str | None) -> None:
        if not webhooks:
            raise ValidationError("No webhook is selected.", advice="Select at least one.")
        if self.working:
            raise ValidationError("Another action is running.", advice="Wait until it ends, or stop it.")
        phrase = _confirmation_phrase(action, webhooks)
        if self._is_live and confirm != phrase:
            self._ask(action, webhooks)
            self._confirmation.focus()
            raise ConfirmationError(
                f"This is a live key: the action must be confirmed with '{phrase}'.",
                advice="Type it into the field, or pass act(confirm=…).",
            )

    def stop(self) -> None:
        """Stops a running action after its current step."""
        self._stopped = True

    def undo(self) -> None:
        """Reverts the last pause or resume for the webhooks it changed, whatever is selected now."""
        if self._undo is not None and not self.working:
            self._start(*self._undo)

    def on_select(self) -> None:
        """Updates the buttons. Withdraws the question before a delete, which named the former selection, and its code."""
        self.enable()
        self._ask(None, [])
        self.steps.show()

    def enable(self) -> None:
        """Shows the actions that are possible for the selected webhooks, and enables them unless one is running."""
        webhooks = self._table.selected_webhooks()
        possible = {
            "pause": any(webhook.is_active is not False for webhook in webhooks),
            "resume": any(webhook.is_active is not True for webhook in webhooks),
            "delete": bool(webhooks),
        }
        for name, on in possible.items():
            set_visible(self.buttons[name], on=on)
            self.buttons[name].disabled = self.working or not self._client.write

    def _start(self, action: Action, webhooks: list[Webhook]) -> None:
        """Starts the action. With a live key, the first press only asks for the confirmation."""
        is_asked = self._asked is not None and self._asked[0] == action
        if self._is_live and webhooks and not is_asked and not self._confirmation.value:
            self._ask(action, webhooks)
            self._confirmation.focus()
            self._status.show(f"Confirm below to {action} {plural(len(webhooks), 'webhook')}.")
            return
        self._tasks.spawn(self.act(action, webhooks, self._confirmation.value or None))

    def _begin(self, action: Action, webhooks: list[Webhook]) -> None:
        self._stopped, self.working = False, True
        self._ask(None, [])
        self.enable()
        set_visible(self.buttons["stop"], on=True)
        set_visible(self.buttons["undo"], on=False)
        self.steps.show()
        self._status.show(f"Starting to {action} {plural(len(webhooks), 'webhook')} …", "busy")
        self.code.show(*_python(action, [webhook.id for webhook in webhooks]))

    def _end(self, action: Action, changed: list[Webhook]) -> None:
        self.working = False
        self._undo = (_OPPOSITE[action], changed) if action in _OPPOSITE and changed else None
        self.buttons["undo"].description = f"Undo {action}"
        set_visible(self.buttons["undo"], on=self._undo is not None)
        self._confirmation.value = ""
        set_visible(self.buttons["stop"], on=False)
        self.enable()

    def _ask_to_delete(self) -> None:
        self.steps.show()  # those of the last action
        self._ask("delete", self._table.selected_webhooks())
        self.buttons["keep"].focus()

    def _keep(self) -> None:
        self._ask(None, [])
        self.buttons["delete"].focus()

    def _ask(self, action: Action | None, webhooks: list[Webhook]) -> None:
        """Shows the question before a delete, and the field for the confirmation if the key is live. None withdraws both."""
        self._asked = None if action is None else (action, webhooks)
        deletes = action == "delete"
        names = "; ".join(named(webhook) for webhook in webhooks[:10]) + ("; …" if len(webhooks) > 10 else "")
        self._question.show(*([f"Delete {names} permanently? IDs and signing secrets are lost."] if deletes else []))
        self.buttons["keep"].description = "Keep it" if len(webhooks) == 1 else "Keep them"
        self.buttons["confirm"].description = f"Delete {plural(len(webhooks), 'webhook')}"
        set_visible(self._answers, on=deletes)
        set_visible(self._confirmation_box, on=self._is_live and action is not None)
        self.code.show()
        if action is not None:
            self.on_ask()
            self._confirmation.label = f"This is a live key. Type '{_confirmation_phrase(action, webhooks)}' to confirm"
            self.code.show(*_python(action, [webhook.id for webhook in webhooks]))

    def _confirm(self) -> None:
        """Starts what was asked about, unless the selection has changed."""
        if self._asked is not None:
            action, webhooks = self._asked
            if action != "delete" or [webhook.id for webhook in webhooks] == self._table.selected:
                self._start(action, webhooks)

    @property
    def _is_live(self) -> bool:
        return self._client.environment == "live" and self._client.write


def _step_line(step: Step, webhook: Webhook) -> str:
    """The outcome of a step on one line."""
    detail = f": {step.detail}" if step.detail else ""
    return f"{_MARKS[step.outcome]} {step.outcome}, {named(webhook)}{detail}"


def _summary(applied: Applied, action: Action) -> str:
    """The result in one sentence: `2 paused, 1 failed, 3 not tried.`"""
    return applied.summary(done=_PAST[action], unchanged=f"already {_PAST[action]}")


def _confirmation_phrase(action: Action, webhooks: Sequence[object]) -> str:
    return f"{action} {plural(len(webhooks), 'webhook')}"


def _python(action: Action, ids: list[str]) -> list[str]:
    """The equivalent Python code."""
    if not ids:
        return []
    call, more = ("delete", "") if action == "delete" else ("update", f", is_active={action == 'resume'}")
    if len(ids) == 1:
        return [f"client.webhooks.{call}({ids[0]!r}{more})"]
    listed = repr(ids) if len(ids) <= _MAX_IDS else "explorer.table.selected"
    return [f"for webhook_id in {listed}:", f"    client.webhooks.{call}(webhook_id{more})"]
