"""Plans and steps as text and HTML. Each change has a line or a row, whatever is known of its webhook."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..text import escaped, html_table, plural, printable
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
        values = (before if after is None else after for _, before, after in change.differences)
        details = [printable(format_value(value), 2_000) for value in values if value != ()]
    text = f"{change.what} {about}: {'; '.join(details)}" if details else f"{change.what} {about}"
    return f"{text}. {change.note}".strip() if change.note else text


def change_rows(number: int, change: Change) -> list[dict[str, Any]]:
    """The rows of a change in the frame of its plan: one for each field, or one without a field."""
    row = {"step": number, "what": change.what, "id": change.id, "name": change.name, "note": change.note or None}
    return [
        row | {"field": field, "before": format_value(before), "after": format_value(after)}
        for field, before, after in change.differences
    ] or [row]


def question_row(question: Question) -> dict[str, Any]:
    """The row of an open question in the frame of its plan."""
    row = {"what": "question", "field": question.column, "after": question.value, "note": str(question)}
    if question.change is None:
        return row
    before = getattr(question.change.before, question.column or "", None)
    return row | {"id": question.change.id, "name": question.change.name, "before": format_value(before)}


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
    from ..frames import records

    return html_table(list(frame.columns), [list(row.values()) for row in records(frame.head(_MAX_ROWS))], len(frame))


def _left_out(changes: Sequence[Change]) -> list[str]:
    rest = changes[MAX_CHANGES:]
    kinds = Counter(change.what for change in rest)
    counts = ", ".join(plural(count, kind) for kind, count in kinds.items())
    return [f"… and {len(rest):,} more ({counts}); .to_frame() has them all"] if rest else []
