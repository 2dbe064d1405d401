"""The form that shows a plan, applies it, and can undo it."""

from copy import copy
from pathlib import Path

from ..api.client import Client
from ..errors import CStarError, IncompleteError, ValidationError
from ..plans import Applied, Plan, Step, plan_summary
from ..text import plural
from .boxes import Button, set_visible
from .form import Form
from .inputs import TextBlock
from .kept_secrets import KeptSecrets
from .plan_table import PlanTable


class PlanForm(Form[Applied]):
    """Applies a plan: **Apply changes**, **Stop** after the current step, and **Undo**, which shows the plan that reverts it.

    Each webhook has a row, with the result once it was tried. A row with an open question has **Accept** and **Skip**. The signing
    secrets of created webhooks are saved to a file in one step, and none is on the page until a row is asked for it.

    Args:
        plan: A plan from `cx.plan`.

    Attributes:
        plan: The plan shown; after **Accept** and **Skip**, the one without these questions; after **Undo**, the one that reverts
            the changes.
    """

    heading = "Planned change"
    action = "Apply changes"
    stop_hint = "Stop after the current step"

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.summary = TextBlock(kind="note")
        self.notes = TextBlock(kind="list")
        self.secrets = KeptSecrets(self._update)
        self.changes = PlanTable(self._on_press, self.secrets)
        self.undo = Button("Undo", self._show_inverse, tooltip="Show the plan that reverts the changes")
        self._can_undo = self._finished = False
        self._history: list[str] = []  # the lines of Python that made the plan shown
        self._tried = 0
        results = (self.secrets.widget, self.notes, self.changes)
        super().__init__(plan.client, {}, self.summary, buttons=(self.undo,), results=results)
        self.widget.add_class("cx-wide")
        self.bar.add_class("cx-bar-box")
        self._show_plan()

    def accept(self, row: int) -> None:
        """Takes a row of the desired table as it is, and so closes its questions. Nothing is sent.

        Raises:
            ValidationError: The row has no question, or cannot be read.
        """
        self._close_questions(self.plan.accept(row), f"accept({row})")

    def skip(self, row: int) -> None:
        """Leaves a row of the desired table out, with its questions. Nothing is sent.

        Raises:
            ValidationError: The row has no question.
        """
        self._close_questions(self.plan.skip(row), f"skip({row})")

    def save_secrets(self, path: str | Path | None = None) -> Path:
        """Saves the signing secrets of all webhooks that the form created to a new file that only its owner can read (0600).

        Args:
            path: A name that ends in `.env` or `.json`; None takes the one in the form.

        Returns:
            The absolute path.

        Raises:
            ConfigurationError: There are no secrets, or the path exists, ends otherwise or cannot be written.
        """
        return self.secrets.save(path)

    def _call(self, client: Client) -> Applied:
        plan = copy(self.plan)  # shallow: both know which webhooks were created
        plan.client = client
        return plan.apply(on_step=self._in_loop(self._show_step), stopped=lambda: self._stopped)

    def _python(self) -> str:
        applied = ["plan.apply()"] if len(self.plan) and not self.plan.questions else []
        saved = [f"plan.save_secrets({self.secrets.path.value!r})"] if self.secrets.saved else []
        return "\n".join([*self._history, *applied, *saved])

    def _confirmation_text(self) -> str:
        return f"apply {plural(len(self.plan), 'change')}"

    @property
    def _can_submit(self) -> bool:
        return self.client.write and len(self.plan) > 0 and not self.plan.questions and not self._finished

    async def _prepare(self) -> None:
        if not len(self.plan):
            raise ValidationError("The plan has no changes. Nothing was sent.")
        if not self.plan.questions:  # else `apply` refuses it
            self.changes.start()
        self._tried = 0
        set_visible(self.undo, on=False)

    def _describe_result(self, result: Applied) -> str:
        self._show_result(result)
        return f"{result.summary()} Each was verified by reading it back."

    def _show_error(self, error: CStarError) -> None:
        if not isinstance(error, IncompleteError):
            super()._show_error(error)
            return
        self._show_result(Applied(error.steps))
        undo = ", or press Undo to see how to revert it" if self._can_undo else ""
        self.status.show(f"{error.message} Apply it again to continue{undo}.", "failed")
        self.on_done()

    def _show_result(self, applied: Applied) -> None:
        if self.widget.comm is None:  # the form was closed
            return
        self.confirmation.value = ""
        for step in applied:
            self.secrets.follow(step)
        self.changes.finish(applied)
        self._can_undo = self._can_undo or any(step.outcome in ("done", "unknown") for step in applied)
        self._finished = applied.finished
        set_visible(self.undo, on=self._can_undo)
        self._update()

    def _show_step(self, step: Step) -> None:
        if self.submitting and self.widget.comm is not None:
            self.secrets.follow(step)
            self.changes.show_step(self._tried, step)
            self._tried += 1
            self.status.show(f"{self._tried:,} of {len(self.plan):,} …", "busy")

    def _on_press(self, event: str, key: str) -> None:
        if event == "secret":
            self.secrets.reveal(key)
        elif key in {str(question.row) for question in self.plan.questions}:
            try:
                (self.accept if event == "accept" else self.skip)(int(key))
            except CStarError as error:
                self._show_error(error)

    def _close_questions(self, plan: Plan, call: str) -> None:
        self.plan = plan
        self._history.append(f"plan = plan.{call}")
        self._show_plan()

    def _show_inverse(self) -> None:
        if self._can_undo and not self.submitting:
            self._can_undo = self._finished = False
            self.plan = self.plan.invert()
            self._history.append("plan = plan.invert()")
            self._show_plan()
            self.status.show("This plan reverts the changes. Nothing is sent until you apply it.")

    def _show_plan(self) -> None:
        questions = self.plan.questions
        rows = len({question.row for question in questions})
        asked = f"; {plural(rows, 'row')} with a question" if rows else ""
        self.summary.show(f"{plan_summary(self.plan.changes)}{asked}.")
        self.changes.fill(self.plan.changes, questions)
        lost = sum(change.what == "delete" for change in self.plan.changes)
        loss = [f"The ID and signing secret of {plural(lost, 'deleted webhook')} are lost."] if lost else []
        self.notes.show(*loss, *self.plan.notes)
        set_visible(self.undo, on=False)
        self._update()
        if questions:
            advice = "accept or skip each row with a question, or correct the table and plan again"
            self.status.show(f"{plural(len(questions), 'open question')}: {advice}.", "failed")
        elif not len(self.plan):
            self.status.show("The plan has no changes.", "done")
        elif self._history:
            self.status.show("")

    def _update(self) -> None:
        super()._update()
        self.button.description = "Applied" if self._finished else self.action
        # Hides the confirmation too. The page applies a changed class of a box at once.
        (self.widget.add_class if self._finished else self.widget.remove_class)("cx-finished")
