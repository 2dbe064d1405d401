"""The result of applying a plan."""

from collections import Counter
from typing import TYPE_CHECKING, SupportsIndex, overload

from .change import Step
from .display import MAX_CHANGES, change_line, frame_html

if TYPE_CHECKING:
    import pandas as pd


class Applied(tuple[Step, ...]):
    """The result of applying a plan: a step for each change."""

    __slots__ = ()

    @property
    def finished(self) -> bool:
        """Whether every step is `done` or `unchanged`."""
        return {step.outcome for step in self} <= {"done", "unchanged"}

    def summary(self, *, done: str = "done", unchanged: str = "unchanged") -> str:
        """The outcomes in one sentence: `2 done, 1 failed, 3 not tried.` `done` and `unchanged` replace these two labels."""
        labels = {"done": done, "unchanged": unchanged} | {name: name for name in ("failed", "unknown", "not tried")}
        counts: Counter[str] = Counter(step.outcome for step in self)
        parts = [f"{counts[outcome]:,} {label}" for outcome, label in labels.items() if counts[outcome]]
        return f"{', '.join(parts) or 'Nothing to do'}."

    def to_frame(self) -> "pd.DataFrame":
        """A row per change: `step` (Int64), `what`, `id`, `name`, `outcome`, `detail` (str)."""
        from ..frames import from_rows

        rows = [
            (number, step.change.what, step.webhook_id, step.change.name, step.outcome, step.detail)
            for number, step in enumerate(self, 1)
        ]
        names = ["step", "what", "id", "name", "outcome", "detail"]
        return from_rows(rows, dict.fromkeys(names, "str") | {"step": "Int64"})

    @overload
    def __getitem__(self, index: SupportsIndex) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> "Applied": ...
    def __getitem__(self, index: SupportsIndex | slice) -> "Step | Applied":
        return Applied(super().__getitem__(index)) if isinstance(index, slice) else super().__getitem__(index)

    def __str__(self) -> str:
        return self.summary()

    def __repr__(self) -> str:
        lines = [
            f"  {number}. {step.outcome}: {change_line(step.change)}"
            for number, step in enumerate(self[:MAX_CHANGES], 1)
        ]
        more = len(self) - MAX_CHANGES
        return "\n".join(
            [self.summary(), *lines, *([f"  … and {more:,} more; .to_frame() has them all"] if more > 0 else [])]
        )

    def _repr_html_(self) -> str:
        return frame_html(self.to_frame())
