"""Plans: changes to a team's webhooks that can be reviewed, applied, resumed and undone."""

import contextlib
import secrets as random_values
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from ..api.client import Client
from ..errors import (
    ConfigurationError,
    ConflictError,
    CStarError,
    IncompleteError,
    NotFoundError,
    ReadOnlyError,
    ValidationError,
)
from ..events import without_unknown_type_warnings
from ..models import Webhook
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from ..text import plural, printable
from .applied import Applied
from .change import Change, State, Step
from .display import COLUMNS, plan_html, plan_text, question_row, rows_of
from .execution import Context, Listing, apply_change, find_duplicates
from .file import PlanFile, read_plan
from .from_frame import changes_from_frame
from .question import Question
from .secrets_file import write_secrets

if TYPE_CHECKING:
    import pandas as pd

_MAX_TURN = 600  # seconds to wait while another caller applies the plan: no plan within its rate limit takes longer
_TURN_CHECK = 0.1  # seconds between two checks of `stopped`

_STOPPED = "The plan was stopped."
_REQUESTS = {"update": 3, "create": 2, "delete": 3}


class RateLimitWarning(UserWarning):
    """A plan needs more requests than the rate limit has left."""


def plan(client: Client, desired: "pd.DataFrame | str | Path | Any") -> "Plan":
    """Plans the changes that turn a team's webhooks into the desired ones. Reads one list, and changes nothing.

    Args:
        client: A client of the team.
        desired: A table, or the path of a CSV file or Excel workbook, with any of the columns `id`, `name`, `url`, `events`,
            `is_active` and `delete`. A row with an `id` changes that webhook, a row without one creates a webhook, and a true
            `delete` deletes it. Empty cells leave a field as it is, and webhooks without a row are left alone. Tables of polars,
            pyarrow and DuckDB are accepted too.

    A row of a file that cannot be read, and a name that a spreadsheet may have changed, are `questions` of the plan.

    Raises:
        ValidationError: The table is invalid; the message lists the first five rows with a problem.
        CStarError: The file or the list of webhooks could not be read.
    """
    from ..frames import as_frame

    sheet = None
    if isinstance(desired, str | Path):
        from ..csv_files import read_sheet

        sheet = read_sheet(desired)
    frame = as_frame(desired if sheet is None else sheet.frame)
    listed = client.webhooks.list()
    wanted = changes_from_frame(frame, listed, str(client.team_id), sheet, for_sandbox=is_loopback_url(client.base_url))
    return Plan(
        client, wanted.changes, {webhook.id for webhook in listed}, questions=wanted.questions, notes=wanted.notes
    )


Action = Literal["pause", "resume", "delete"]


def plan_action(client: Client, webhooks: Iterable[Webhook], action: Action) -> "Plan":
    """Plans to pause, resume or delete webhooks, starting from their state as last read."""
    after: dict[str, Callable[[State], State | None]] = {
        "pause": lambda state: replace(state, is_active=False),
        "resume": lambda state: replace(state, is_active=True),
        "delete": lambda _: None,
    }
    if action not in after:
        raise ValidationError(
            f"Unknown action '{printable(action, 80)}'.", param="action", advice="Choose pause, resume or delete."
        )
    states = [(webhook.id, State.of(webhook)) for webhook in webhooks]
    changes = [Change(webhook_id, state, after[action](state)) for webhook_id, state in states]
    return Plan(client, changes, {webhook_id for webhook_id, _ in states})


class Plan:
    """Planned changes to a team's webhooks, in order. Made by `cx.plan`; displaying a plan shows its changes.

    A plan is done once: it knows the webhooks that it created, and so does each file that it was saved to or loaded from.

    Attributes:
        client: The client that applies it.
        changes: One for each webhook.
        questions: The open questions about the table. The plan cannot be applied until each is closed by `accept` or `skip`, or by
            planning again from a corrected table.
    """

    def __init__(
        self,
        client: Client,
        changes: Iterable[Change],
        existing_ids: Collection[str],
        *,
        questions: Iterable[Question] = (),
        notes: Iterable[str] = (),
        created_ids: Mapping[int, str] | None = None,
        plan_id: str | None = None,
    ) -> None:
        self.client = client
        self.changes = tuple(changes)
        self.questions = tuple(questions)
        self._table_notes = tuple(notes)
        self._existing_ids = frozenset(existing_ids)
        self._created_ids: dict[int, str] = dict(created_ids or {})
        self._plan_id = plan_id or random_values.token_hex(16)
        self._files: list[Path] = []
        self._steps: dict[int, Step] = {}
        self._secrets: dict[str, Secret] = {}
        self._unchecked: set[int] = set()  # creates that were not yet looked for twice
        self._amended: dict[int, Step] = {}
        self._record_error: ConfigurationError | None = None
        self._turn = _Turn()

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
        loaded = cls(client, file.changes, file.existing_ids, created_ids=file.created_ids, plan_id=file.plan_id)
        loaded._files.append(Path(path).absolute())
        return loaded

    def save(self, path: str | Path) -> Self:
        """Saves the plan to a file that only its owner can read (0600). After a crash it can be resumed or undone from there.

        The file contains names, URLs and events, and the IDs of what the plan creates, but neither the key nor signing secrets.

        Raises:
            ValidationError: The plan has open questions.
            ConfigurationError: The path exists, or cannot be written.
        """
        self._check_questions("saved")
        self._as_file().write_new(path)
        self._files.append(Path(path).absolute())
        return self

    def accept(self, *rows: int) -> "Plan":
        """A plan that takes the cells of these rows as they are, and so closes their questions.

        Raises:
            ValidationError: A row has no question, or cannot be read.
        """
        accepted = self._questions_of(rows)
        unreadable = [question for question in accepted if not question.readable]
        if unreadable:
            raise ValidationError(
                f"This cannot be taken as it is: {unreadable[0]}", advice="Correct it, or skip the row."
            )
        added = {
            question.row: (question.index, question.change) for question in accepted if question.change is not None
        }
        return self._with_questions_closed(rows, added)

    def skip(self, *rows: int) -> "Plan":
        """A plan without these rows, and without their questions.

        Raises:
            ValidationError: A row has no question.
        """
        self._questions_of(rows)
        return self._with_questions_closed(rows, {})

    def to_frame(self) -> "pd.DataFrame":
        """A row per field that changes, and at least one per change; the rows of a webhook share a `step`. Then a row per question.

        Columns: `step` (Int64, missing for a question), `what` (create, update, delete, question), `id`, `name`, `field`,
        `before`, `after`, `note` (str).
        """
        from ..frames import from_rows

        rows = [row for number, change in enumerate(self.changes, 1) for row in rows_of(number, change)]
        rows += [question_row(question) for question in self.questions]
        return from_rows(rows, dict.fromkeys(COLUMNS, "str") | {"step": "Int64"})

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know before applying the plan, a sentence each: values that are only written differently, and the rate limit."""
        limit = self._rate_limit_note()
        return (*self._table_notes, *([limit] if limit else []))

    @property
    def steps(self) -> Applied:
        """The last step of each change that was tried so far, however `apply` ended."""
        return Applied(step for _, step in sorted(self._steps.copy().items()))

    def secrets(self) -> dict[str, Secret]:
        """The signing secrets of the webhooks that this object created, by webhook ID, however `apply` ended."""
        return dict(self._secrets)

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
            if limit := self._rate_limit_note():
                warnings.warn(limit, RateLimitWarning, stacklevel=2)
            steps = []
            for step in self._run(stopped):
                steps.append(step)
                if on_step is not None:
                    on_step(step)
            applied = Applied(self._amended.get(index, step) for index, step in enumerate(steps))
        if not applied.finished:
            raise IncompleteError(f"The plan was not fully applied: {applied.summary()}", steps=tuple(applied))
        return applied

    def _run(self, stopped: Callable[[], bool] | None = None) -> Iterator[Step]:
        """Applies the changes and yields a step for each, also for those that are not tried.

        A webhook that was deleted or changed since does not stop the others. An error that would affect the next change too
        (the key, the network, the rate limit, a file that cannot be written) does.
        """
        reason = ""
        listing = Listing(self.client)
        self._amended.clear()
        self._record_error = None
        for index, change in enumerate(self.changes):
            if not reason and stopped is not None and stopped():
                reason = _STOPPED
            if reason:
                yield Step(change, "not tried", reason)
                continue
            step = self._with_secret(index, replace(self._applied(index, listing), change=change))
            self._steps[index] = step
            if not isinstance(step.error, NotFoundError | ValidationError | ConflictError | ReadOnlyError | None):
                reason = "An earlier step failed."
            if self._record_error is not None:
                reason = f"What was created could not be recorded with the plan: {self._record_error}"
            yield step
        if self._unchecked and reason in ("", _STOPPED):
            self._check_duplicates(listing)

    def _applied(self, index: int, listing: Listing) -> Step:
        """Applies a change. Nothing is created that could not be recorded."""
        if self.changes[index].what == "create" and index not in self._created_ids:
            try:
                self._record()
            except ConfigurationError as error:
                return Step(self.changes[index], "failed", str(error), error=error)
        with without_unknown_type_warnings():
            return apply_change(self.client, self._resolved(index), self._context(index, listing))

    def _with_secret(self, index: int, step: Step) -> Step:
        """The step of a create with the secret that is known. Records which webhook it is."""
        if step.change.what != "create" or step.webhook is None:
            return step
        if isinstance(step.error, NotFoundError):
            # The response named a webhook that does not exist: there is nothing to record.
            self._created_ids.pop(index, None)
            self._unchecked.discard(index)
            return step
        if self._created_ids.get(index) != step.webhook.id:
            self._keep(index, step.webhook)
        secret = step.webhook.secret or self._secrets.get(step.webhook.id)
        return replace(step, webhook=replace(step.webhook, secret=secret))

    def _created(self, index: int, webhook: Webhook) -> None:
        """Keeps the secret and the ID of a created webhook as soon as cStar returns it."""
        if webhook.secret is not None:
            self._secrets[webhook.id] = webhook.secret
        self._steps[index] = Step(self.changes[index], "unknown", "It was created, but not read back.", webhook)
        self._unchecked.add(index)
        self._keep(index, webhook)

    def _keep(self, index: int, webhook: Webhook) -> None:
        self._created_ids[index] = webhook.id
        try:
            self._record()
        except ConfigurationError as error:
            self._record_error = error

    def _context(self, index: int, listing: Listing) -> Context:
        created_by_others = (webhook_id for other, webhook_id in self._created_ids.items() if other != index)
        key = self.changes[index].content_key
        matches = sum(change.content_key == key for change in self.changes[index:])
        return Context(
            self._existing_ids.union(created_by_others),
            matches,
            listing,
            created_id=self._created_ids.get(index),
            created=lambda webhook: self._created(index, webhook),
        )

    def _record(self) -> None:
        """Writes the IDs of created webhooks to the plan's files, and reads those that another process wrote there.

        Raises:
            ConfigurationError: A file is not of this plan any more, or cannot be written.
        """
        for path in self._files:
            for index, webhook_id in self._as_file().record(path).items():
                self._created_ids.setdefault(index, webhook_id)

    def _as_file(self) -> PlanFile:
        return PlanFile(
            self._plan_id, _target(self.client), self.changes, sorted(self._existing_ids), dict(self._created_ids)
        )

    def _check_duplicates(self, listing: Listing) -> None:
        """Looks for webhooks that another process created in the meantime, with the content of those that this plan created."""
        try:
            webhooks = listing.read_again()
        except CStarError as error:
            index = max(self._unchecked)
            step = self._steps[index]
            detail = f"{step.detail} Whether another process created it too is unknown, as the list could not be read: {error}"
            self._amended[index] = self._steps[index] = replace(step, detail=detail)
            return
        other_ids = self._existing_ids.union(self._created_ids.values())
        for index in sorted(self._unchecked):
            duplicates = find_duplicates(webhooks, self.changes[index].after or State(), other_ids)
            if not duplicates:
                self._unchecked.discard(index)
                continue
            ids = ", ".join(printable(webhook.id, 80) for webhook in duplicates)
            own = printable(self._created_ids[index], 80)
            doubled = ConflictError(
                f"It was created as {own}, and another process created the same: {ids}.",
                advice="Delete the ones you do not need, and apply again.",
            )
            step = replace(self._steps[index], outcome="failed", detail=str(doubled), error=doubled)
            self._amended[index] = self._steps[index] = step

    def _rate_limit_note(self) -> str | None:
        limit = self.client.rate_limit
        left = None if limit is None else limit.remaining
        waiting = [change for index, change in enumerate(self.changes) if not self._is_finished(index)]
        creates = [change for change in waiting if change.what == "create"]
        paused = sum(change.after is not None and change.after.is_active is False for change in creates)
        needed = sum(_REQUESTS[change.what] for change in waiting) + paused + (2 if creates else 0)
        if left is None or needed <= left:
            return None
        until = f" until {limit.reset_at:%H:%M:%S} UTC" if limit is not None and limit.reset_at else ""
        return (
            f"The plan needs about {needed:,} requests, and the rate limit has {left:,} left{until}. "
            "If it stops there, apply it again later to continue."
        )

    def _is_finished(self, index: int) -> bool:
        return index in self._steps and self._steps[index].outcome in ("done", "unchanged")

    def _check_questions(self, action: str) -> None:
        if self.questions:
            more = f" And {len(self.questions) - 1:,} more." if len(self.questions) > 1 else ""
            raise ValidationError(
                f"The plan has {plural(len(self.questions), 'open question')} and was not {action}. {self.questions[0]}{more}",
                advice="Correct the table and plan again, or close them with plan.accept(row) or plan.skip(row).",
            )

    def _questions_of(self, rows: Collection[int]) -> list[Question]:
        without = [row for row in rows if row not in {question.row for question in self.questions}]
        if without:
            raise ValidationError(
                f"Row {printable(repr(without[0]), 80)} has no open question.", advice="plan.questions has them."
            )
        return [question for question in self.questions if question.row in rows]

    def _with_questions_closed(self, rows: Collection[int], added: Mapping[int, tuple[int, Change]]) -> "Plan":
        """The plan without the questions of these rows, with these changes at their places."""
        changes = list(self.changes)
        for offset, (_, (index, change)) in enumerate(sorted(added.items())):
            changes.insert(index + offset, change)
        questions = [
            replace(question, index=question.index + sum(row < question.row for row in added))
            for question in self.questions
            if question.row not in rows
        ]
        return Plan(self.client, changes, self._existing_ids, questions=questions, notes=self._table_notes)

    def invert(self) -> "Plan":
        """The plan that undoes this one, last step first. Changes that were not made need no undoing and are `unchanged`.

        A deleted webhook is recreated, with a new ID and a new signing secret.
        """
        inverted = [self._resolved(index).inverted() for index in reversed(range(len(self.changes)))]
        return Plan(self.client, inverted, self._existing_ids)

    def _resolved(self, index: int) -> Change:
        """The change, with the ID of the webhook that it created, once that is known."""
        change = self.changes[index]
        created = change.what == "create" and index in self._created_ids
        return replace(change, id=self._created_ids[index]) if created else change

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


class _Turn:
    """Lets one thread at a time apply a plan."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    @contextlib.contextmanager
    def taken(self, stopped: Callable[[], bool] | None) -> Iterator[None]:
        """Waits for the turn.

        Raises:
            ConflictError: This thread has it already, another one has it for too long, or `stopped` returned True.
        """
        if self._owner == threading.get_ident():
            raise ConflictError("This thread is applying the plan already.", advice="Do not apply it within on_step.")
        until = time.monotonic() + _MAX_TURN
        while not self._lock.acquire(timeout=_TURN_CHECK):
            if time.monotonic() > until or (stopped is not None and stopped()):
                raise ConflictError(
                    "Another thread is still applying this plan.", advice="plan.steps shows how far it is."
                )
        self._owner = threading.get_ident()
        try:
            yield
        finally:
            self._owner = None
            self._lock.release()


def _target(client: Client) -> dict[str, Any]:
    """The team and environment that a plan is for, and where the API is."""
    return {"team_id": client.team_id, "environment": client.environment, "base_url": client.base_url}
