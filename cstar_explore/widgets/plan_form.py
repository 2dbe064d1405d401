"""The form that shows a plan, applies it, and can undo it."""

import asyncio
from collections.abc import Sequence
from copy import copy

import ipywidgets as widgets

from ..api.client import Client
from ..errors import CStarError, IncompleteError, ValidationError
from ..plans import Applied, Plan, Step, counts
from ..text import plural, printable
from .form import Form, set_visible, step_line
from .inputs import SecretReveal, TextBlock, TextTable

_MAX_STEPS = 50  # steps shown


class PlanForm(Form[Applied]):
    """Applies a plan: **Apply changes**, **Stop** after the current step, and **Undo**, which shows the plan that reverts it.

    Args:
        plan: A plan from `cx.plan`.

    Attributes:
        plan: The plan shown; after **Undo**, the one that reverts the changes.
    """

    heading = "Planned change"
    action = "Apply changes"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.changes = TextTable(columns=["what", "webhook", "field", "before", "after", "note"])
        self.notes = TextBlock(kind="list")
        self.steps = TextBlock(kind="list")
        self.secrets = widgets.VBox([])
        self.stop = widgets.Button(description="Stop", tooltip="Stop after the current step")
        self.undo = widgets.Button(description="Undo", tooltip="Show the plan that reverts the changes")
        super().__init__(
            plan.client, {}, self.changes, self.notes, self.steps, self.secrets, buttons=(self.stop, self.undo)
        )
        self._stopped = self._closed = self._can_undo = False
        self._revealed: set[str] = set()
        self.stop.on_click(lambda _: self._stop())
        self.undo.on_click(lambda _: self._show_inverse())
        self._show_plan()

    def _call(self, client: Client) -> Applied:
        loop = self._loop
        plan = copy(self.plan)  # shallow: both know which webhooks were created
        plan.client = client
        return plan.apply(
            on_step=lambda step: loop.call_soon_threadsafe(self._show_step, step), stopped=lambda: self._stopped
        )

    def _python(self) -> str:
        return "plan.apply()" if len(self.plan) else ""

    def _validate_field(self, name: str) -> CStarError | None:
        raise KeyError(name)

    def _confirmation_text(self) -> str:
        return f"apply {plural(len(self.plan), 'change')}"

    @property
    def _can_submit(self) -> bool:
        return self.client.write and len(self.plan) > 0 and not self.plan.questions

    async def _prepare(self) -> None:
        if not len(self.plan):
            raise ValidationError("The plan has no changes. Nothing was sent.")
        if self.plan.questions:
            raise ValidationError(
                f"The plan has {plural(len(self.plan.questions), 'open question')}. Nothing was sent.",
                advice="Correct the table and plan again, or close them with plan.accept(row) or plan.skip(row).",
            )
        self._loop = asyncio.get_running_loop()
        self._stopped = False
        self._finished: list[Step] = []
        self.steps.show()
        set_visible(self.stop, on=True)
        set_visible(self.undo, on=False)

    def _describe_result(self, result: Applied) -> str:
        self._show_result(result)
        return f"{result.summary()} Each was verified by reading it back."

    def close(self) -> None:
        """Removes the form from the page and frees its widgets. A running plan stops after its current step."""
        self._stopped = self._closed = True
        super().close()

    def _show_error(self, error: CStarError) -> None:
        if not isinstance(error, IncompleteError):
            super()._show_error(error)
            return
        self._show_result(Applied(step for step in error.steps if isinstance(step, Step)))
        undo = ", or press Undo to see how to revert it" if self._can_undo else ""
        self.status.show(f"{error.message} Apply it again to continue{undo}.", "failed")
        if self._afterwards is not None:
            self._afterwards()

    def _show_result(self, applied: Applied) -> None:
        if self._closed:
            return
        set_visible(self.stop, on=False)
        self.confirmation.value = ""
        self._show_steps(applied)
        for step in applied:
            self._reveal_secret(step)
        self._can_undo = self._can_undo or any(step.outcome in ("done", "unknown") for step in applied)
        set_visible(self.undo, on=self._can_undo)

    def _show_step(self, step: Step) -> None:
        self._finished.append(step)
        if self.submitting and not self._closed:
            self._reveal_secret(step)
            self._show_steps(self._finished)
            progress = f"{len(self._finished):,} of {len(self.plan):,}"
            self.status.show(f"{progress}: {Applied(self._finished).summary()}", "busy")

    def _show_steps(self, steps: Sequence[Step]) -> None:
        omitted = [f"… {len(steps) - _MAX_STEPS:,} earlier steps"] if len(steps) > _MAX_STEPS else []
        self.steps.show(*omitted, *map(_line, steps[-_MAX_STEPS:]))

    def _reveal_secret(self, step: Step) -> None:
        """Offers the secret of a webhook as soon as it is created, until the form is closed."""
        created = step.webhook
        if created is not None and created.secret is not None and created.id not in self._revealed:
            self._revealed.add(created.id)
            name = f"'{printable(created.name, 80)}' ({printable(created.id, 80)})"
            note = f"The signing secret of {name}. cStar returns it only once. Store it where the receiver can read it."
            self.secrets.children = (*self.secrets.children, SecretReveal(created.secret, note))

    def _stop(self) -> None:
        self._stopped = True

    def _show_inverse(self) -> None:
        if self._can_undo and not self.submitting:
            self._can_undo = False
            self.plan = self.plan.invert()
            self._show_plan()
            self.status.show("This plan reverts the changes. Nothing is sent until you apply it.")

    def _show_plan(self) -> None:
        from ..frames import plain

        frame = self.plan.to_frame()
        # A webhook without a name is shown by its ID.
        frame["webhook"] = frame["name"].fillna(frame["id"])
        rows = plain(frame[["what", "webhook", "field", "before", "after", "note"]]).to_numpy().tolist()
        self.changes.fill(rows)
        kinds = [f"All changes: {counts(self.plan.changes)}."] if self.changes.note else []
        self.notes.show(*kinds, *self.plan.notes)
        self.steps.show()
        set_visible(self.stop, on=False)
        set_visible(self.undo, on=False)
        self._update()
        self.button.disabled = not self._can_submit
        if self.plan.questions:
            self.status.show(
                f"{plural(len(self.plan.questions), 'open question')}: correct the table and plan again, or close them with "
                "plan.accept(row) or plan.skip(row).",
                "failed",
            )
        elif not len(self.plan):
            self.status.show("The plan has no changes.", "done")


def _line(step: Step) -> str:
    return step_line(step, f"{step.change.what} {step.change.label}")
