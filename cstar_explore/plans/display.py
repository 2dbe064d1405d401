"""Plans and steps as text and HTML. Each change has a line or a row, whatever is known of its webhook."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..text import escaped, html_table, printable
from .change import Change, format_difference, format_value
from .question import Question

if TYPE_CHECKING:
    import pandas as pd

MAX_CHANGES = 100  # shown; a note counts the others by kind
_MAX_ROWS = 400  # of an HTML table: a change has four fields at most

COLUMNS = ("step", "what", "id", "name", "field", "before", "after", "note")


def change_line(change: Change) -> str:
    """A change on one line, with all that it writes, or that is lost with a deleted webhook."""
    about = change.label + (f" ({printable(change.id, 80)})" if change.id and change.name is not None else "")
    if change.what == "update":
        details = [format_difference(*difference) for difference in change.differences]
    else:
        state = change.before or change.after
        fields = ("url", "events", "is_active")
        details = [
            printable(format_value(value), 2_000)
            for name in fields
            if (value := getattr(state, name)) is not None and value != ()
        ]
    text = f"{change.what} {about}: {'; '.join(details)}" if details else f"{change.what} {about}"
    return f"{text}. {change.note}".strip() if change.note else text


def counts(changes: Iterable[Change]) -> str:
    """`2 creates, 1 update, 3 deletes`."""
    kinds = Counter(change.what for change in changes)
    return ", ".join(f"{count:,} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.items())


def rows_of(number: int, change: Change) -> list[tuple[object, ...]]:
    """The rows of a change in the frame of its plan: one for each field, or one without a field."""
    pairs: list[tuple[Any, ...]] = [*change.differences] or [(None, None, None)]
    return [
        (
            number,
            change.what,
            change.id,
            change.name,
            field,
            None if field is None else format_value(old),
            None if field is None else format_value(new),
            change.note or None,
        )
        for field, old, new in pairs
    ]


def question_row(question: Question) -> tuple[object, ...]:
    """The row of an open question in the frame of its plan."""
    change = question.change
    before = change and change.before and question.column and getattr(change.before, question.column, None)
    return (
        None,
        "question",
        change and change.id,
        change and change.name,
        question.column,
        format_value(before) if before is not None else None,
        question.value,
        str(question),
    )


def plan_text(head: str, changes: Sequence[Change], questions: Sequence[Question], notes: Sequence[str]) -> str:
    """A plan as text."""
    lines = [head]
    lines += [f"  {number}. {change_line(change)}" for number, change in enumerate(changes[:MAX_CHANGES], 1)]
    lines += [f"  {line}" for line in _left_out(changes)]
    lines += [f"  ? {question}" for question in questions[:MAX_CHANGES]]
    if len(questions) > MAX_CHANGES:
        lines.append(f"  … and {len(questions) - MAX_CHANGES:,} more questions; .questions has them all")
    lines += [f"  {note}" for note in notes]
    return "\n".join(lines)


def plan_html(frame: "pd.DataFrame", changes: Sequence[Change], notes: Sequence[str]) -> str:
    """A plan as an HTML table with notes below."""
    shown = frame[frame["step"].fillna(0) <= MAX_CHANGES]
    lines = [*_left_out(changes), *notes]
    return frame_html(shown) + "".join(f"<p>{escaped(line, 1_000)}</p>" for line in lines)


def frame_html(frame: "pd.DataFrame") -> str:
    """The first rows of a frame as an HTML table."""
    from ..frames import plain

    return html_table(list(frame.columns), plain(frame.head(_MAX_ROWS)).to_numpy().tolist(), len(frame))


def _left_out(changes: Sequence[Change]) -> list[str]:
    rest = changes[MAX_CHANGES:]
    return [f"… and {len(rest):,} more ({counts(rest)}); .to_frame() has them all"] if rest else []
