"""What a table asks for: changes, and open questions that are closed row by row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ..errors import ValidationError
from ..text import printable
from .change import Change
from .question import Question


class Desired(NamedTuple):
    """The changes that are desired.

    Attributes:
        changes: By the number of their row, in the order of the rows.
        questions: In the order of the rows.
        notes: Values that the table only writes differently, a sentence each.
    """

    changes: Mapping[int, Change]
    questions: Sequence[Question] = ()
    notes: Sequence[str] = ()

    @classmethod
    def of(cls, changes: Iterable[Change]) -> "Desired":
        """Changes that are not from a table."""
        return cls(dict(enumerate(changes)))

    def accept(self, rows: Collection[int]) -> "Desired":
        """With the changes of these rows, and without their questions; see `Plan.accept`."""
        accepted = self._questions_of(rows)
        for question in accepted:
            if not question.readable:
                message = f"This cannot be taken as it is: {question}"
                raise ValidationError(message, advice="Correct it, or skip the row.")
        added = {question.row: question.change for question in accepted if question.change is not None}
        changes = dict(sorted({**self.changes, **added}.items()))
        return self.skip(rows)._replace(changes=changes)

    def skip(self, rows: Collection[int]) -> "Desired":
        """Without these rows, and without their questions; see `Plan.skip`."""
        self._questions_of(rows)
        return self._replace(questions=[question for question in self.questions if question.row not in rows])

    def _questions_of(self, rows: Collection[int]) -> list[Question]:
        asked = {question.row for question in self.questions}
        for row in rows:
            if row not in asked:
                message = f"Row {printable(repr(row), 80)} has no open question."
                raise ValidationError(message, advice="plan.questions has them.")
        return [question for question in self.questions if question.row in rows]
