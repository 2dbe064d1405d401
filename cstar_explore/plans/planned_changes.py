"""A plan: changes to a team's webhooks that can be reviewed, applied, resumed and undone."""

import secrets as random_values
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ..api.client import Client
from ..errors import ConfigurationError, IncompleteError, ValidationError
from ..secret import Secret
from ..text import plural, printable
from .applied import Applied
from .change import Step
from .desired import Desired
from .display import COLUMNS, change_rows, plan_html, plan_text, question_row
from .file import PlanFile, read_plan
from .rate_limit import RateLimitWarning, rate_limit_note
from .runner import Runner
from .secrets_file import write_secrets
from .turn import Turn

if TYPE_CHECKING:
    import pandas as pd


class Plan:
    """Planned changes to a team's webhooks, in order. Made by `cx.plan`; displaying a plan shows its changes.

    A plan is done once: it knows the webhooks that it created, and so does each file that it was saved to or loaded from.

    Attributes:
        client: The client that applies it.
        changes: One for each webhook.
        questions: The open questions about the table. The plan cannot be applied until each is closed by `accept` or `skip`, or by
            planning again from a corrected table.
    """

    def __init__(self, client: Client, desired: Desired, existing_ids: Iterable[str]) -> None:
        self.client = client
        self.changes = tuple(desired.changes.values())
        self.questions = tuple(desired.questions)
        self._desired = desired
        self._turn = Turn()
        self._runner = Runner(
            PlanFile(random_values.token_hex(16), _target(client), self.changes, frozenset(existing_ids), {})
        )

    @classmethod
    def load(cls, client: Client, path: str | Path) -> "Plan":
        """Loads a saved plan, to resume or undo it. What it creates is recorded in the file.

        Raises:
            ConfigurationError: The file is not a plan, or its team, environment or base URL is not the client's.
        """
        file = read_plan(path)
        for name, value in _target(client).items():
            if file.target[name] != value:
                raise ConfigurationError(
                    f"The plan's {name} is '{printable(file.target[name], 80)}', but the client's is '{printable(value, 80)}'.",
                    advice="Load it with a client that matches the plan.",
                )
        loaded = cls(client, Desired.of(file.changes), file.existing_ids)
        loaded._runner = Runner(file, Path(path).absolute())
        return loaded

    def save(self, path: str | Path) -> Self:
        """Saves the plan to a file that only its owner can read (0600). After a crash it can be resumed or undone from there.

        The file contains names, URLs and events, and the IDs of what the plan creates, but neither the key nor signing secrets.

        Raises:
            ValidationError: The plan has open questions.
            ConfigurationError: The path exists, or cannot be written.
        """
        self._check_questions("saved")
        self._runner.plan.write_new(path)
        self._runner.files.append(Path(path).absolute())
        return self

    def accept(self, *rows: int) -> "Plan":
        """A plan that takes the cells of these rows as they are, and so closes their questions.

        Raises:
            ValidationError: A row has no question, or cannot be read.
        """
        return Plan(self.client, self._desired.accept(rows), self._runner.plan.existing_ids)

    def skip(self, *rows: int) -> "Plan":
        """A plan without these rows, and without their questions.

        Raises:
            ValidationError: A row has no question.
        """
        return Plan(self.client, self._desired.skip(rows), self._runner.plan.existing_ids)

    def to_frame(self) -> "pd.DataFrame":
        """A row per field that changes, and at least one per change; the rows of a webhook share a `step`. Then a row per question.

        Columns: `step` (Int64, missing for a question), `what` (create, update, delete, question), `id`, `name`, `field`,
        `before`, `after`, `note` (str).
        """
        from ..frames import from_rows

        rows = [row for number, change in enumerate(self.changes, 1) for row in change_rows(number, change)]
        rows += [question_row(question) for question in self.questions]
        return from_rows(rows, dict.fromkeys(COLUMNS, "str") | {"step": "Int64"})

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before applying the plan, a sentence each: values that are only written differently, and the rate limit."""
        limit = rate_limit_note(self.client.rate_limit, self._runner.remaining)
        return (*self._desired.notes, *([limit] if limit else []))

    @property
    def steps(self) -> Applied:
        """The last step of each change that was tried so far, however `apply` ended."""
        return Applied(step for _, step in sorted(self._runner.steps.copy().items()))

    def secrets(self) -> dict[str, Secret]:
        """The signing secrets of the webhooks that this object created, by webhook ID, however `apply` ended."""
        return dict(self._runner.secrets)

    def save_secrets(self, path: str | Path) -> None:
        """Saves `secrets()` to a new file that only its owner can read (0600).

        Args:
            path: A name that ends in `.json` for a JSON object, or in `.env` for lines such as `CSTAR_SECRET_WHK_1='whsec_…'`.

        Raises:
            ConfigurationError: There are no secrets, or the path exists, ends otherwise or cannot be written.
        """
        write_secrets(path, self.secrets())

    def apply(
        self, on_step: Callable[[Step], object] | None = None, stopped: Callable[[], bool] | None = None
    ) -> "Applied":
        """Applies the changes, one webhook at a time, each verified by reading back. Call it again to resume.

        If another thread applies this plan, it is waited for. Whatever ends this call, `steps` and `secrets()` keep the result.

        Args:
            on_step: Called after each step.
            stopped: Called before each step; once it returns True, the remaining changes are not tried.

        Raises:
            ValidationError: The plan has open questions. Nothing was sent.
            ReadOnlyError, PermissionDeniedError: The client may not write. Nothing was sent.
            ConflictError: The plan is being applied by another thread for more than 10 minutes, or by `on_step`.
            IncompleteError: Some changes were not made, or another process made them too; its `steps` show which.
        """
        self.client.check_may_write("the plan")
        self._check_questions("applied")
        with self._turn.taken(stopped):
            if limit := rate_limit_note(self.client.rate_limit, self._runner.remaining):
                warnings.warn(limit, RateLimitWarning, stacklevel=2)
            steps = []
            for step in self._run(stopped):
                steps.append(step)
                if on_step is not None:
                    on_step(step)
            applied = Applied(
                step if step.outcome == "not tried" else self._runner.steps[index] for index, step in enumerate(steps)
            )
        if not applied.finished:
            raise IncompleteError(f"The plan was not fully applied: {applied.summary()}", steps=tuple(applied))
        return applied

    def _run(self, stopped: Callable[[], bool] | None = None) -> Iterator[Step]:
        """Applies the changes step by step, without waiting for other threads."""
        return self._runner.apply(self.client, stopped)

    def _check_questions(self, action: str) -> None:
        if self.questions:
            more = f" And {len(self.questions) - 1:,} more." if len(self.questions) > 1 else ""
            raise ValidationError(
                f"The plan has {plural(len(self.questions), 'open question')} and was not {action}. {self.questions[0]}{more}",
                advice="Correct the table and plan again, or close them with plan.accept(row) or plan.skip(row).",
            )

    def invert(self) -> "Plan":
        """The plan that undoes this one, last step first. Changes that were not made need no undoing and are `unchanged`.

        A deleted webhook is recreated, with a new ID and a new signing secret.
        """
        inverted = [self._runner.change(index).inverted() for index in reversed(range(len(self.changes)))]
        return Plan(self.client, Desired.of(inverted), self._runner.plan.existing_ids)

    def __len__(self) -> int:
        return len(self.changes)

    def __bool__(self) -> bool:
        return bool(self.changes or self.questions)

    def __repr__(self) -> str:
        where = f"{self.client.environment}, team {printable(self.client.team_id, 80)}"
        questions = f", {plural(len(self.questions), 'open question')}" if self.questions else ""
        head = f"Plan of {plural(len(self), 'change')} ({where}){questions}"
        return plan_text(head, self.changes, self.questions, self.notes)

    def _repr_html_(self) -> str:
        return plan_html(self.to_frame(), self.changes, self.notes)


def _target(client: Client) -> dict[str, Any]:
    """The team and environment that a plan is for, and where the API is."""
    return {"team_id": client.team_id, "environment": client.environment, "base_url": client.base_url}
