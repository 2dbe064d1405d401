"""All changes of a plan, in order: shown, carried out, and taken back."""

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
from .change import Change, State, Step, shown, worded
from .execution import Ground, carry_out
from .file import read_plan, write_plan
from .from_frame import changes_in

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20  # changes in a repr
_ROWS = 100  # rows of a table on a page


def plan(client: Client, desired: "pd.DataFrame | str | Path") -> "Plan":
    """What would have to change for a team's webhooks to be as desired. Nothing is changed yet; one list is read.

    Args:
        client: Whose webhooks they are.
        desired: A frame, or the path of a CSV file, with any of the columns `id`, `name`, `url`, `events`, `is_active` and
            `delete`. A row with an id changes that webhook, a row without one creates it, `delete` deletes it. A missing cell
            and a webhook that is not mentioned are left as they are.

    Raises:
        ValidationError: The frame asks for what cannot be; every row of it is told.
        CStarError: The list could not be read.
    """
    if isinstance(desired, str | Path):
        from ..csv_files import read_csv

        desired = read_csv(desired)
    if not hasattr(desired, "columns"):
        raise ValidationError(
            f"What is desired is a DataFrame or the path of a CSV file, not {printable(repr(desired), 80)}."
        )
    listed = client.webhooks.list()
    return Plan(client, changes_in(desired, listed, str(client.team_id)), {webhook.id for webhook in listed})


Action = Literal["pause", "resume", "delete"]


def toward(client: Client, webhooks: Iterable[Webhook], action: Action) -> "Plan":
    """The plan that pauses, resumes or deletes webhooks, as they were last read."""
    known = list(webhooks)
    after: dict[str, Callable[[State], State | None]] = {
        "pause": lambda state: replace(state, is_active=False),
        "resume": lambda state: replace(state, is_active=True),
        "delete": lambda _: None,
    }
    if action not in after:
        raise ValidationError(
            f"'{printable(action, 80)}' cannot be done to webhooks.",
            param="action",
            advice="Choose pause, resume or delete.",
        )
    states = [(webhook.id, State.of(webhook)) for webhook in known]
    return Plan(client, [Change(key, state, after[action](state)) for key, state in states], {key for key, _ in states})


class Plan:
    """Changes to a team's webhooks, in order. Made by `cx.plan`; displaying it shows them.

    Attributes:
        client: What carries it out.
        changes: One for each webhook.
        known: The ids that were there when it was made.
    """

    def __init__(self, client: Client, changes: Iterable[Change], known: Collection[str]) -> None:
        self.client = client
        self.changes = tuple(changes)
        self.known = frozenset(known)
        self._made: dict[int, str] = {}

    @classmethod
    def load(cls, client: Client, path: str | Path) -> "Plan":
        """A plan that was saved, to be continued or taken back.

        Raises:
            ConfigurationError: The file is no plan, or one for another team, environment or base URL than the client's.
        """
        where, changes, known = read_plan(path)
        here = _place(client)
        for name, value in here.items():
            if where.get(name) != value:
                raise ConfigurationError(
                    f"This plan is for {name} '{printable(where.get(name), 80)}', and the client's is '{printable(value, 80)}'.",
                    advice="Load it with the client it was made with.",
                )
        return cls(client, changes, known)

    def save(self, path: str | Path) -> Self:
        """Writes it to a file of its owner's (0600), so that it can be continued or taken back whatever happens.

        It holds names, URLs and events, and neither key nor signing secret.

        Raises:
            ConfigurationError: The path exists, or cannot be written to.
        """
        write_plan(path, _place(self.client), self.changes, sorted(self.known))
        return self

    def to_frame(self) -> "pd.DataFrame":
        """A row per field that changes; a webhook's rows share their `step`.

        Columns: `step` (Int64), `what` (create, update, delete), `id`, `name`, `field`, `before`, `after`, `note` (str).
        """
        from ..frames import from_rows

        rows = [
            (number, change.what, change.id, change.name, field, shown(was), shown(now), change.note or None)
            for number, change in enumerate(self.changes, 1)
            for field, was, now in change.differences
        ]
        names = ["step", "what", "id", "name", "field", "before", "after", "note"]
        return from_rows(rows, dict.fromkeys(names, "str") | {"step": "Int64"})

    def apply(
        self, on_step: Callable[[Step], object] | None = None, stopped: Callable[[], bool] | None = None
    ) -> "Applied":
        """Carries it out, one webhook after the other, each verified by reading back. Called again, it goes on.

        Args:
            on_step: Called after each step.
            stopped: Asked between two steps; when it says True, the rest is not tried.

        Raises:
            ReadOnlyError, PermissionDeniedError: The client may not write. Nothing was sent.
            IncompleteError: Not all of it was done; its `steps` say what was and what was not.
        """
        self.client.check_may_write("the plan")
        steps = []
        for step in self.work(stopped):
            steps.append(step)
            if on_step is not None:
                on_step(step)
        applied = Applied(steps)
        if not applied.finished:
            raise IncompleteError(f"Not all of the plan was done: {applied.account()}", steps=tuple(steps))
        return applied

    def work(self, stopped: Callable[[], bool] | None = None) -> Iterator[Step]:
        """Yields a step for each change as it ends, also for those that were not tried.

        A webhook that is gone or has changed meanwhile does not stop the others; an error that would meet the next one too
        (the key, the network, the rate limit) does.
        """
        why_not = ""
        for place, change in enumerate(self.changes):
            if not why_not and stopped is not None and stopped():
                why_not = "Stopped before it."
            if why_not:
                yield Step(change, "not tried", why_not)
                continue
            with without_unknown_type_warnings():
                step = carry_out(self.client, self._resolved(place), self._ground(place))
            if step.webhook is not None:
                self._made[place] = step.webhook.id
            if not isinstance(step.error, NotFoundError | ValidationError | ConflictError | ReadOnlyError | None):
                why_not = "Not reached: a step before it failed."
            yield replace(step, change=change)

    def carried_out_by(self, client: Client) -> Self:
        """The same plan, with a twin of its client."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__ | {"client": client})
        return twin

    def invert(self) -> "Plan":
        """The plan that takes all of it back, last step first; of what was not done, nothing is taken back.

        A deleted webhook is created anew, with an id and a signing secret of its own.
        """
        places = reversed(range(len(self.changes)))
        return Plan(self.client, [self._resolved(place).inverted() for place in places], self.known)

    def _ground(self, place: int) -> Ground:
        made_by_others = (identity for other, identity in self._made.items() if other != place)
        makes = self.changes[place].makes
        return Ground(self.known.union(made_by_others), sum(change.makes == makes for change in self.changes[place:]))

    def _resolved(self, place: int) -> Change:
        """The change, with the id of the webhook that it made, once that is known."""
        change = self.changes[place]
        return replace(change, id=self._made[place]) if change.what == "create" and place in self._made else change

    def __len__(self) -> int:
        return len(self.changes)

    def __repr__(self) -> str:
        where = f"{self.client.environment}, team {printable(self.client.team_id, 80)}"
        lines = [f"Plan of {len(self)} {'change' if len(self) == 1 else 'changes'} ({where})"]
        lines += [f"  {number}. {_line(change)}" for number, change in enumerate(self.changes[:_SHOWN], 1)]
        if len(self) > _SHOWN:
            lines.append(f"  … and {len(self) - _SHOWN:,} more; .to_frame() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html(self.to_frame())


class Applied(Sequence[Step]):
    """What became of a plan: a step for each change."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = tuple(steps)

    @property
    def finished(self) -> bool:
        """Whether all of it is as it was wanted."""
        return {step.outcome for step in self._steps} <= {"done", "unchanged"}

    def account(self, *, done: str = "done", unchanged: str = "unchanged") -> str:
        """All of it in one sentence: `2 done, 1 failed, 3 not tried.` The first two can be called by another word."""
        words = {"done": done, "unchanged": unchanged} | {word: word for word in ("failed", "unknown", "not tried")}
        counts: Counter[str] = Counter(step.outcome for step in self._steps)
        told = [f"{counts[outcome]:,} {word}" for outcome, word in words.items() if counts[outcome]]
        return f"{', '.join(told) or 'Nothing to do'}."

    def to_frame(self) -> "pd.DataFrame":
        """A row per change: `step` (Int64), `what`, `id`, `name`, `outcome`, `detail` (str)."""
        from ..frames import from_rows

        rows = [
            (number, step.change.what, _id(step), step.change.name, step.outcome, step.detail)
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
        return self.account()

    def __repr__(self) -> str:
        lines = [
            f"  {number}. {step.outcome}: {_line(step.change)}" for number, step in enumerate(self._steps[:_SHOWN], 1)
        ]
        return "\n".join([self.account(), *lines])

    def _repr_html_(self) -> str:
        return _html(self.to_frame())


def _place(client: Client) -> dict[str, Any]:
    """What a plan is for."""
    return {"team_id": client.team_id, "environment": client.environment, "base_url": client.base_url}


def _id(step: Step) -> str | None:
    return step.webhook.id if step.webhook is not None else step.change.id


def _line(change: Change) -> str:
    name = f"'{printable(change.name, 80)}'" + (f" ({printable(change.id, 80)})" if change.id else "")
    if change.what == "update":
        return f"update {name}: {'; '.join(worded(*difference) for difference in change.differences)}"
    return f"{change.what} {name}. {change.note}"


def _html(frame: "pd.DataFrame") -> str:
    from ..frames import plain

    return html_table(list(frame.columns), plain(frame.head(_ROWS)).to_numpy().tolist(), len(frame))
