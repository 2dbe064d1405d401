"""The form that carries out a plan: it shows every change beforehand, every step as it ends, and the way back."""

import asyncio
from collections.abc import Sequence

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError, IncompleteError, ValidationError
from ..plans import Applied, Plan, Step
from ..text import printable
from .form import Form, plural, set_visible, step_line
from .inputs import SecretReveal, TextBlock, TextTable

_LAST = 50  # steps on the page


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
        self.changes = TextTable(columns=["what", "webhook", "field", "before", "after", "note"])
        self.steps = TextBlock(kind="list")
        self.secrets = widgets.VBox([])
        self.stop = widgets.Button(description="Stop", tooltip="Stop between two steps")
        self.undo = widgets.Button(description="Undo", tooltip="Show the plan that takes it back")
        super().__init__(plan.client, {}, self.changes, self.steps, self.secrets, buttons=(self.stop, self.undo))
        self._stopped = self._closed = self._in_force = False
        self._revealed: set[str] = set()
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

    def confirmation_text(self) -> str:
        return f"apply {plural(len(self.plan), 'change')}"

    @property
    def can_submit(self) -> bool:
        return self.client.write and len(self.plan) > 0

    async def prepare(self) -> None:
        if not len(self.plan):
            raise ValidationError("There is nothing to change, so nothing was sent.")
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._finished: list[Step] = []
        self.steps.show()
        set_visible(self.stop, on=True)
        set_visible(self.undo, on=False)

    def done(self, result: Applied) -> str:
        self._ended(result)
        return f"{result.account()} Each was verified by reading back."

    def close(self) -> None:
        """Takes the form off the page and frees its widgets. A plan under way stops after the step that is being taken."""
        self._stopped = self._closed = True
        super().close()

    def _show_error(self, error: CStarError) -> None:
        if not isinstance(error, IncompleteError):
            super()._show_error(error)
            return
        self._ended(Applied(step for step in error.steps if isinstance(step, Step)))
        back = " Undo shows the way back." if self._in_force else ""
        self.status.show(f"{error.message} Apply it again to go on.{back}", "failed")
        if self._afterwards is not None:
            self._afterwards()

    def _ended(self, applied: Applied) -> None:
        if self._closed:
            return
        set_visible(self.stop, on=False)
        self.confirmation.value = ""
        self._show_steps(applied)
        for step in applied:
            self._reveal(step)
        self._in_force = self._in_force or any(step.outcome in ("done", "unknown") for step in applied)
        set_visible(self.undo, on=self._in_force)

    def _show_step(self, step: Step) -> None:
        self._finished.append(step)
        if self.submitting and not self._closed:
            self._reveal(step)
            self._show_steps(self._finished)
            self.status.show(
                f"{len(self._finished):,} of {len(self.plan):,}: {Applied(self._finished).account()}", "busy"
            )

    def _show_steps(self, steps: Sequence[Step]) -> None:
        """The steps, of very many the last."""
        left_out = [f"… {len(steps) - _LAST:,} steps before"] if len(steps) > _LAST else []
        self.steps.show(*left_out, *map(_line, steps[-_LAST:]))

    def _reveal(self, step: Step) -> None:
        """Offers the secret of a webhook that was just made, at once and for as long as the form is there."""
        made = step.webhook
        if made is not None and made.secret is not None and made.id not in self._revealed:
            self._revealed.add(made.id)
            note = f"The signing secret of '{printable(made.name, 80)}' ({printable(made.id, 80)}). cStar tells it this once."
            self.secrets.children = (*self.secrets.children, SecretReveal(made.secret, note))

    def _stop(self) -> None:
        self._stopped = True

    def _show_way_back(self) -> None:
        if self._in_force and not self.submitting:
            self._in_force = False
            self.plan = self.plan.invert()
            self._show_plan()
            self.status.show("This takes it back. Nothing is done until you apply it.")

    def _show_plan(self) -> None:
        from ..frames import plain

        told = self.plan.to_frame()[["what", "name", "field", "before", "after", "note"]]
        self.changes.fill(plain(told).to_numpy().tolist())
        self.steps.show()
        set_visible(self.stop, on=False)
        set_visible(self.undo, on=False)
        self._edited()
        self.button.disabled = not self.can_submit
        if not len(self.plan):
            self.status.show("There is nothing to change.", "done")


def _line(step: Step) -> str:
    return step_line(step, f"{step.change.what} '{printable(step.change.name, 80)}'")
