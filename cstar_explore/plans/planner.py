"""Plans: changes to a team's webhooks that can be reviewed, applied, resumed and undone."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from ..api.client import Client
from ..errors import ConfigurationError, ConflictError, IncompleteError, NotFoundError, ReadOnlyError, ValidationError
from ..events import without_unknown_type_warnings
from ..models import Webhook
from ..text import html_table, printable
from .change import Change, State, Step, format_difference, format_value
from .execution import Context, apply_change
from .file import read_plan, write_plan
from .from_frame import changes_from_frame

if TYPE_CHECKING:
    import pandas as pd

_MAX_LINES = 20  # changes in a repr
_MAX_ROWS = 100  # rows of an HTML table


def plan(client: Client, desired: "pd.DataFrame | str | Path") -> "Plan":
    """Plans the changes that turn a team's webhooks into the desired ones. Reads one list, and changes nothing.

    Args:
        client: A client of the team.
        desired: A frame, or the path of a CSV file, with any of the columns `id`, `name`, `url`, `events`, `is_active` and
            `delete`. A row with an `id` changes that webhook, a row without one creates a webhook, and a true `delete` deletes
            it. Empty cells leave a field as it is, and webhooks without a row are left alone.

    Raises:
        ValidationError: The frame is invalid; the message lists the first five rows with a problem.
        CStarError: The file or the list of webhooks could not be read.
    """
    if isinstance(desired, str | Path):
        from ..csv_files import read_csv

        desired = read_csv(desired)
    if not hasattr(desired, "columns"):
        raise ValidationError(
            f"desired must be a DataFrame or the path of a CSV file, not {printable(repr(desired), 80)}."
        )
    listed = client.webhooks.list()
    changes = changes_from_frame(desired, listed, str(client.team_id))
    return Plan(client, changes, {webhook.id for webhook in listed})


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

    Attributes:
        client: The client that applies it.
        changes: One for each webhook.
    """

    def __init__(self, client: Client, changes: Iterable[Change], existing_ids: Collection[str]) -> None:
        self.client = client
        self.changes = tuple(changes)
        self._existing_ids = frozenset(existing_ids)
        self._created_ids: dict[int, str] = {}

    @classmethod
    def load(cls, client: Client, path: str | Path) -> "Plan":
        """Loads a saved plan, to resume or undo it.

        Raises:
            ConfigurationError: The file is not a plan, or its team, environment or base URL is not the client's.
        """
        content, changes, existing_ids = read_plan(path)
        for name, value in _target(client).items():
            if content.get(name) != value:
                raise ConfigurationError(
                    f"The plan's {name} is '{printable(content.get(name), 80)}', but the client's is '{printable(value, 80)}'.",
                    advice="Load it with a client that matches the plan.",
                )
        return cls(client, changes, existing_ids)

    def save(self, path: str | Path) -> Self:
        """Saves the plan to a file that only its owner can read (0600). After a crash it can be resumed or undone from there.

        The file contains names, URLs and events, but neither the key nor signing secrets.

        Raises:
            ConfigurationError: The path exists, or cannot be written.
        """
        write_plan(path, _target(self.client), self.changes, sorted(self._existing_ids))
        return self

    def to_frame(self) -> "pd.DataFrame":
        """A row per field that changes; the rows of a webhook share a `step`.

        Columns: `step` (Int64), `what` (create, update, delete), `id`, `name`, `field`, `before`, `after`, `note` (str).
        """
        from ..frames import from_rows

        rows = [
            (
                number,
                change.what,
                change.id,
                change.name,
                field,
                format_value(old),
                format_value(new),
                change.note or None,
            )
            for number, change in enumerate(self.changes, 1)
            for field, old, new in change.differences
        ]
        names = ["step", "what", "id", "name", "field", "before", "after", "note"]
        return from_rows(rows, dict.fromkeys(names, "str") | {"step": "Int64"})

    def apply(
        self, on_step: Callable[[Step], object] | None = None, stopped: Callable[[], bool] | None = None
    ) -> "Applied":
        """Applies the changes, one webhook at a time, each verified by reading back. Call it again to resume.

        Args:
            on_step: Called after each step.
            stopped: Called before each step; once it returns True, the remaining changes are not tried.

        Raises:
            ReadOnlyError, PermissionDeniedError: The client may not write. Nothing was sent.
            IncompleteError: Some changes were not made; its `steps` show which.
        """
        self.client.check_may_write("the plan")
        steps = []
        for step in self._run(stopped):
            steps.append(step)
            if on_step is not None:
                on_step(step)
        applied = Applied(steps)
        if not applied.finished:
            raise IncompleteError(f"The plan was not fully applied: {applied.summary()}", steps=tuple(steps))
        return applied

    def _run(self, stopped: Callable[[], bool] | None = None) -> Iterator[Step]:
        """Applies the changes and yields a step for each, also for those that are not tried.

        A webhook that was deleted or changed since does not stop the others. An error that would affect the next change too
        (the key, the network, the rate limit) does.
        """
        reason = ""
        for index, change in enumerate(self.changes):
            if not reason and stopped is not None and stopped():
                reason = "The plan was stopped."
            if reason:
                yield Step(change, "not tried", reason)
                continue
            with without_unknown_type_warnings():
                step = apply_change(self.client, self._resolved(index), self._context(index))
            if step.webhook is not None:
                self._created_ids[index] = step.webhook.id
            if not isinstance(step.error, NotFoundError | ValidationError | ConflictError | ReadOnlyError | None):
                reason = "An earlier step failed."
            yield replace(step, change=change)

    def invert(self) -> "Plan":
        """The plan that undoes this one, last step first. Changes that were not made need no undoing and are `unchanged`.

        A deleted webhook is recreated, with a new ID and a new signing secret.
        """
        inverted = [self._resolved(index).inverted() for index in reversed(range(len(self.changes)))]
        return Plan(self.client, inverted, self._existing_ids)

    def _context(self, index: int) -> Context:
        created_by_others = (webhook_id for other, webhook_id in self._created_ids.items() if other != index)
        key = self.changes[index].content_key
        matches = sum(change.content_key == key for change in self.changes[index:])
        return Context(self._existing_ids.union(created_by_others), matches)

    def _resolved(self, index: int) -> Change:
        """The change, with the ID of the webhook that it created, once that is known."""
        change = self.changes[index]
        created = change.what == "create" and index in self._created_ids
        return replace(change, id=self._created_ids[index]) if created else change

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        where = f"{self.client.environment}, team {printable(self.client.team_id, 80)}"
        lines = [f"Plan of {len(self)} {'change' if len(self) == 1 else 'changes'} ({where})"]
        lines += [f"  {number}. {_line(change)}" for number, change in enumerate(self.changes[:_MAX_LINES], 1)]
        if len(self) > _MAX_LINES:
            lines.append(f"  … and {len(self) - _MAX_LINES:,} more; .to_frame() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html(self.to_frame())


class Applied(Sequence[Step]):
    """The result of applying a plan: a step for each change."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = tuple(steps)

    @property
    def finished(self) -> bool:
        """Whether every step is `done` or `unchanged`."""
        return {step.outcome for step in self._steps} <= {"done", "unchanged"}

    def summary(self, *, done: str = "done", unchanged: str = "unchanged") -> str:
        """The outcomes in one sentence: `2 done, 1 failed, 3 not tried.` `done` and `unchanged` replace these two labels."""
        labels = {"done": done, "unchanged": unchanged} | {name: name for name in ("failed", "unknown", "not tried")}
        counts: Counter[str] = Counter(step.outcome for step in self._steps)
        parts = [f"{counts[outcome]:,} {label}" for outcome, label in labels.items() if counts[outcome]]
        return f"{', '.join(parts) or 'Nothing to do'}."

    def to_frame(self) -> "pd.DataFrame":
        """A row per change: `step` (Int64), `what`, `id`, `name`, `outcome`, `detail` (str)."""
        from ..frames import from_rows

        rows = [
            (number, step.change.what, _webhook_id(step), step.change.name, step.outcome, step.detail)
            for number, step in enumerate(self._steps, 1)
        ]
        names = ["step", "what", "id", "name", "outcome", "detail"]
        return from_rows(rows, dict.fromkeys(names, "str") | {"step": "Int64"})

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> "Applied": ...
    def __getitem__(self, index: int | slice) -> "Step | Applied":
        return Applied(self._steps[index]) if isinstance(index, slice) else self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        lines = [
            f"  {number}. {step.outcome}: {_line(step.change)}"
            for number, step in enumerate(self._steps[:_MAX_LINES], 1)
        ]
        return "\n".join([self.summary(), *lines])

    def _repr_html_(self) -> str:
        return _html(self.to_frame())


def _target(client: Client) -> dict[str, Any]:
    """The team and environment that a plan is for, and where the API is."""
    return {"team_id": client.team_id, "environment": client.environment, "base_url": client.base_url}


def _webhook_id(step: Step) -> str | None:
    return step.webhook.id if step.webhook is not None else step.change.id


def _line(change: Change) -> str:
    name = f"'{printable(change.name, 80)}'" + (f" ({printable(change.id, 80)})" if change.id else "")
    if change.what == "update":
        return f"update {name}: {'; '.join(format_difference(*difference) for difference in change.differences)}"
    return f"{change.what} {name}. {change.note}"


def _html(frame: "pd.DataFrame") -> str:
    from ..frames import plain

    return html_table(list(frame.columns), plain(frame.head(_MAX_ROWS)).to_numpy().tolist(), len(frame))
