"""The table of a plan: a row for each webhook, and one for each row of the desired table with open questions."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from typing import Any

import traitlets

from ..plans import CONFIRMED, NO_CHANGE, Change, Question, Step, action_of, change_note, change_words
from ..text import printable
from .inputs import Paged

PAGE_SIZE = 50
_WHAT, _KEY, _RESULT = 0, 2, 4


class PlanTable(Paged):
    """Shows one page of the rows, and the result of each change as it is applied. Questions come first.

    Args:
        on_press: Called when a button of a row is pressed: with "accept" or "skip" and the row of a question, or with "secret" and
            the ID of a webhook.
        secrets: The IDs of the webhooks whose secret is known.
    """

    _script_name = "plan_table"
    # What happens, webhook, key, changes, result, note. The key is what the row's buttons send: the row of a question, or the ID of a
    # webhook whose secret is known. The result of a question is what can be done with it: "accept" or "skip".
    rows: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    kind = traitlets.Unicode().tag(sync=True)  # shows only the rows of a kind or with an outcome; "" shows all
    kinds: traitlets.List[list[Any]] = traitlets.List().tag(sync=True)  # each kind or outcome with its number of rows

    def __init__(self, on_press: Callable[[str, str], object], secrets: Container[str]) -> None:
        super().__init__()
        self._secrets = secrets
        self._all: list[list[str]] = []
        self._questions = 0
        self._following = False
        self._on_press = on_press
        self.on_msg(self._handle)

    def fill(self, changes: Sequence[Change], questions: Sequence[Question]) -> None:
        """Replaces the rows."""
        names = Counter(change.name for change in changes)
        asked = _question_rows(questions)
        self._questions = len(asked)
        self._all = [*asked, *(_row(change, doubled=names[change.name] > 1) for change in changes)]
        self._following = False
        self._draw(page=1, kind="")

    def start(self) -> None:
        """Removes the results. Until a page or a kind is chosen, the page follows the change that is being made."""
        self._following = True
        for row in self._all:
            row[_RESULT] = ""
        self._show_running(0)
        self._draw(page=1, kind="")

    def show_step(self, index: int, step: Step) -> None:
        """Shows the result of a change, and that the next one is being made."""
        self._set_result(index, step)
        self._show_running(index + 1)
        self._draw(**({"page": (self._questions + index + 1) // PAGE_SIZE + 1} if self._following else {}))

    def finish(self, steps: Sequence[Step]) -> None:
        """Shows all results, and the page with the first problem, or else the first page."""
        for index, step in enumerate(steps):
            self._set_result(index, step)
        bad = [number for number, row in enumerate(self._all) if _outcome(row) in ("failed", "unknown")]
        self._draw(**({"page": bad[0] // PAGE_SIZE + 1 if bad else 1} if self._following else {}))
        self._following = False

    def _set_result(self, index: int, step: Step) -> None:
        detail = "" if step.detail in (CONFIRMED, NO_CHANGE) else printable(step.detail, 2_000)
        row = self._all[self._questions + index]
        row[_KEY] = str(step.webhook_id) if step.webhook_id in self._secrets else ""
        row[_RESULT] = f"{step.outcome}: {detail}" if detail else step.outcome

    def _show_running(self, index: int) -> None:
        if self._questions + index < len(self._all):
            self._all[self._questions + index][_RESULT] = "running"

    def _draw(self, **changes: Any) -> None:
        with self.hold_sync():
            for name, value in changes.items():
                setattr(self, name, value)
            kinds = Counter(row[_WHAT] for row in self._all)
            kinds.update(outcome for row in self._all[self._questions :] if (outcome := _outcome(row)))
            del kinds["running"]
            matches = [row for row in self._all if self.kind in ("", row[_WHAT], _outcome(row))]
            self.kinds = [["", len(self._all)], *map(list, kinds.items())]
            self.rows = [[*row] for row in self._page_of(matches, PAGE_SIZE)]

    def _handle(self, _: object, content: dict[str, Any], __: object) -> None:
        match content:
            case {"event": "page", "page": int(page)} if not isinstance(page, bool):
                self._following = False
                self._draw(page=page)
            case {"event": "kind", "kind": str(kind)} if kind in [name for name, _ in self.kinds]:
                self._following = False
                self._draw(kind=kind, page=1)
            case {"event": "accept" | "skip" | "secret" as event, "key": str(key)}:
                self._on_press(event, key)


def _outcome(row: Sequence[str]) -> str:
    return row[_RESULT].partition(":")[0]


def _row(change: Change, *, doubled: bool) -> list[str]:
    """A name that several webhooks have is followed by the ID."""
    name = printable(change.name or change.id or "", 200)
    webhook = f"{name} ({printable(change.id, 80)})" if doubled and change.id and change.name else name
    words = [printable(text, 5_000) for text in (change_words(change), change_note(change))]
    return [action_of(change), webhook, "", words[0], "", words[1]]


def _question_rows(questions: Sequence[Question]) -> list[list[str]]:
    """One for each row of the desired table: its questions are accepted or skipped together."""
    by_row: dict[int, list[Question]] = {}
    for question in questions:
        by_row.setdefault(question.row, []).append(question)
    rows = []
    for number, same in by_row.items():
        change = same[0].change
        webhook = printable((change and (change.name or change.id)) or f"Row {number}", 200)
        answer = "accept" if all(question.readable for question in same) else "skip"
        rows.append(["question", webhook, str(number), "", answer, printable(" ".join(map(str, same)), 2_000)])
    return rows
