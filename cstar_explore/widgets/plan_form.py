"""The form that carries out a plan: it shows every change beforehand, every step as it ends, and the way back."""

import asyncio

import ipywidgets as widgets

from ..changes import Applied, Plan, Step
from ..client import Client
from ..errors import CStarError, IncompleteError
from ..text import printable
from .form import Form, close, plural, row, show
from .parts import Rows, SecretReveal, Words

_MARKS = {"done": "✓", "unchanged": "=", "failed": "✗", "unknown": "?", "not tried": "·"}


class PlanForm(Form[Applied]):
    """Carries out a plan: **Apply changes**, **Stop** between two steps, and **Undo**, which shows the plan that takes it back.

    Args:
        plan: What `cx.plan` made.

    Attributes:
        plan: What would be applied now; after Undo, the plan that takes back what was done.
    """

    heading = "Planned change"
    action = "Apply changes"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.changes = Rows(columns=["what", "webhook", "field", "before", "after", "note"])
        self.steps = Words(kind="list")
        self.secrets = widgets.VBox([])
        self.stop = widgets.Button(description="Stop", tooltip="Stop between two steps")
        self.undo = widgets.Button(description="Undo", tooltip="Show the plan that takes it back")
        super().__init__(plan.client, {}, self.changes, self.steps, self.secrets, buttons=(self.stop, self.undo))
        self._stopped = False
        self.stop.on_click(lambda _: self._stop())
        self.undo.on_click(lambda _: self._show_way_back())
        self._show_plan()

    def call(self, client: Client) -> Applied:
        loop = self._loop
        return self.plan.carried_out_by(client).apply(
            on_step=lambda step: loop.call_soon_threadsafe(self._show_step, step), stopped=lambda: self._stopped
        )

    def python(self) -> str:
        return "plan.apply()" if len(self.plan) else ""

    def check(self, name: str) -> CStarError | None:
        raise KeyError(name)

    def to_type(self) -> str:
        return f"apply {plural(len(self.plan), 'change')}"

    async def prepare(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._finished: list[Step] = []
        self.steps.say()
        show(self.stop, on=True)
        show(self.undo, on=False)

    def done(self, result: Applied) -> str:
        self._ended(result)
        return f"{result.account()} Each was verified by reading back."

    def close(self) -> None:
        for part in self.secrets.children:
            close(part)
        super().close()

    def _show_error(self, error: CStarError) -> None:
        if not isinstance(error, IncompleteError):
            super()._show_error(error)
            return
        self._ended(Applied(error.steps))
        self.status.say(f"{error.message} Apply it again to go on; Undo shows the way back.", "failed")

    def _ended(self, applied: Applied) -> None:
        show(self.stop, on=False)
        self.confirmation.value = ""
        self.steps.say(*map(_line, applied))
        made = [step for step in applied if step.webhook is not None and step.webhook.secret is not None]
        self.secrets.children = [
            row(
                SecretReveal(
                    step.webhook.secret,
                    f"The signing secret of '{printable(step.change.name, 80)}'. cStar tells it this once.",
                )
            )
            for step in made
            if step.webhook is not None and step.webhook.secret is not None
        ]
        show(self.undo, on=any(step.outcome in ("done", "unknown") for step in applied))

    def _show_step(self, step: Step) -> None:
        self._finished.append(step)
        if self.submitting:
            self.steps.say(*map(_line, self._finished))
            self.status.say(
                f"{len(self._finished):,} of {len(self.plan):,}: {Applied(self._finished).account()}", "busy"
            )

    def _stop(self) -> None:
        self._stopped = True

    def _show_way_back(self) -> None:
        if not self.submitting:
            self.plan = self.plan.invert()
            self._show_plan()
            self.status.say("This takes it back. Nothing is done until you apply it.")

    def _show_plan(self) -> None:
        frame = self.plan.to_frame().astype("object")
        table = frame.where(frame.notna(), None)
        self.changes.fill(table[["what", "name", "field", "before", "after", "note"]].to_numpy().tolist())
        self.steps.say()
        show(self.stop, on=False)
        show(self.undo, on=False)
        self._edited()
        if not len(self.plan):
            self.status.say("There is nothing to change.", "done")
            self.button.disabled = True


def _line(step: Step) -> str:
    detail = f": {step.detail}" if step.detail else ""
    return f"{_MARKS[step.outcome]} {step.outcome}, {step.change.what} '{printable(step.change.name, 80)}'{detail}"
