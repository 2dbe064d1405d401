"""Derives the necessary changes, and open questions, from a table of desired webhooks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from numbers import Number
from typing import TYPE_CHECKING, Any

from ..api.validation import checked_name, checked_url
from ..csv_files import Sheet, parse_flag, parse_list
from ..errors import ValidationError
from ..events import parse_events
from ..models import WebhookList
from ..schema import SECRET_KEYS
from ..text import MASK, did_you_mean, printable
from .change import EDITABLE, Change, State, fields_to_write, format_value
from .desired import Desired
from .meaning import same_meaning, same_value
from .question import Question, spreadsheet_doubt

if TYPE_CHECKING:
    import pandas as pd

# Columns that a frame of webhooks or findings may have, and that cannot be changed.
_IGNORED = ("account", "team_id", "environment", "because", "host", "age_days")

_MAX_BITS = 10_000  # Python does not write numbers of more than 4,300 digits
_MAX_PROBLEMS = 5  # in one message
_MAX_QUESTIONS = 1_000  # a file with more problems than this is refused as a whole, not asked about row by row


@dataclass
class _Row:
    """A row of the table, and what was found in it."""

    number: int
    cells: Mapping[str, Any]
    from_file: bool
    for_sandbox: bool
    change: Change | None = None
    doubts: list[tuple[str | None, str]] = field(default_factory=list)  # the columns concerned, and what is not clear
    notes: list[str] = field(default_factory=list)
    readable: bool = True


def changes_from_frame(
    desired: "pd.DataFrame",
    listed: WebhookList,
    team_id: str,
    sheet: Sheet | None = None,
    *,
    for_sandbox: bool = False,
) -> Desired:
    """The changes from the listed webhooks to the desired ones.

    Args:
        desired: The table.
        listed: The webhooks of the team.
        team_id: The team.
        sheet: The file that the table was read from. Its invalid rows become questions.
        for_sandbox: Whether http URLs are left to a sandbox.

    Raises:
        ValidationError: The columns are invalid; or, unless it was read from a file, a row is. The message lists the first five
            rows with a problem.
    """
    _check_columns(desired, listed)
    rows = list(_rows(desired, sheet, for_sandbox=for_sandbox))
    states = {webhook.id: State.of(webhook) for webhook in listed}
    by_content: dict[object, list[str]] = {}
    for webhook_id, state in states.items():
        by_content.setdefault(state.content_key, []).append(webhook_id)
    first_rows: dict[object, int] = {}
    changing: set[str | None] = set()
    problems = 0
    # Rows with an ID first: a row without one is not matched to a webhook that another row changes or deletes.
    for row in sorted(rows, key=lambda row: "id" not in row.cells):
        try:
            _check_team(row.cells, team_id)
            key = _change(row, states) if "id" in row.cells else _creation(row, states, by_content, changing)
            changing.add(row.change.id if row.change is not None else None)
            if first_rows.setdefault(key, row.number) != row.number:
                duplicate = printable(row.cells.get("id", row.cells.get("name")), 80)
                raise ValidationError(f"'{duplicate}' is in row {first_rows[key]} already.")  # noqa: TRY301 - reported with the other problems
        except ValidationError as error:
            row.readable, row.doubts = False, [(error.param if error.param in row.cells else None, error.message)]
            problems += 1
            if problems > _MAX_QUESTIONS:
                break
    if problems and (sheet is None or problems > _MAX_QUESTIONS):
        lines = [f"row {row.number}: {row.doubts[0][1]}" for row in rows if not row.readable]
        more = f" And {len(lines) - _MAX_PROBLEMS} more." if len(lines) > _MAX_PROBLEMS else ""
        raise ValidationError(
            f"Nothing was planned. {' '.join(lines[:_MAX_PROBLEMS])}{more}", advice="Correct the frame and plan again."
        )
    notes = [note for row in rows if row.readable for note in row.notes]
    questions = [question for row in rows for question in _questions(row, desired, sheet)]
    if sheet is not None:
        questions += [Question(error.row, None, error.cell, error.value, error.message) for error in sheet.errors]
    open_rows = {question.row for question in questions}
    changes = {row.number: row.change for row in rows if row.change is not None and row.number not in open_rows}
    return Desired(changes, sorted(questions, key=lambda question: question.row), notes)


def _questions(row: _Row, desired: "pd.DataFrame", sheet: Sheet | None) -> Iterator[Question]:
    names = list(desired.columns)
    for column, message in row.doubts:
        letters = "A" if sheet is None or column not in names else sheet.cells[names.index(column)]
        cell = None if sheet is None else f"{letters}{row.number}"
        value = "" if column is None else printable(row.cells[column], 80)
        yield Question(row.number, column, cell, value, message, row.change, readable=row.readable)


def _check_columns(desired: "pd.DataFrame", listed: WebhookList) -> None:
    names = [str(name) for name in desired.columns]
    allowed = {*_IGNORED, "delete", *SECRET_KEYS, *map(str, listed.to_frame().columns)}
    for name in names:
        if name not in allowed:
            hint = did_you_mean(name.lower(), ("id", *EDITABLE, "delete"))
            raise ValidationError(
                f"Unknown column '{printable(name, 80)}'.{hint}",
                param=printable(name, 80),
                advice="A plan reads id, name, url, events, is_active and delete; drop other columns.",
            )
    for name in set(SECRET_KEYS).intersection(names):
        if not all(_missing(value) for value in desired[name]):
            raise ValidationError(
                f"The column '{name}' has a value, but a signing secret cannot be set: cStar generates it.",
                param=name,
                advice="Drop the column.",
            )


def _rows(desired: "pd.DataFrame", sheet: Sheet | None, *, for_sandbox: bool) -> Iterator[_Row]:
    """The rows with their cells that are not empty."""
    columns = [str(name) for name in desired.columns]
    numbers = range(1, len(desired) + 1) if sheet is None else sheet.rows
    for number, values in zip(numbers, desired.itertuples(index=False, name=None), strict=False):
        row = {name: value for name, value in zip(columns, values, strict=True) if not _missing(value)}
        for name, value in row.items():
            if isinstance(value, int) and value.bit_length() > _MAX_BITS:
                raise ValidationError(f"row {number}: {name} is a number of too many digits.", param=name)
        yield _Row(number, row, sheet is not None, for_sandbox)


def _missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    from ..frames import is_missing

    return is_missing(value)


def _check_team(cells: Mapping[str, Any], team_id: str) -> None:
    if str(cells.get("team_id", team_id)) != team_id:
        raise ValidationError(
            f"team_id is '{printable(cells['team_id'], 80)}', but the client's team is '{printable(team_id, 80)}'.",
            param="team_id",
        )


def _change(row: _Row, states: Mapping[str, State]) -> object:
    """Finds the change that a row with an ID asks for. Returns the key that no other row may have."""
    cell = str(row.cells["id"])
    webhook_id = cell if cell in states else cell.strip()
    if webhook_id not in states:
        message = f"There is no webhook '{printable(webhook_id, 80)}'."
        doubts = (spreadsheet_doubt(cell, other, from_file=False) for other in states)
        raise ValidationError(" ".join([message, *list(filter(None, doubts))[:1]]), param="id")
    before = states[webhook_id]
    if _deletes(row.cells):
        row.change = Change(webhook_id, before, None)
        return webhook_id
    after = replace(before, **{name: _read(row, name, before) for name in EDITABLE if name in row.cells})
    if before.events and after.events == ():
        raise ValidationError("A webhook needs at least one event type.", param="events")
    if fields_to_write(before, after):
        row.change = Change(webhook_id, before, after)
    return webhook_id


def _creation(
    row: _Row, states: Mapping[str, State], by_content: Mapping[object, Sequence[str]], changing: set[str | None]
) -> object:
    """Finds the change that creates a webhook, unless an equal one exists and no other row changes it. Returns the row's key."""
    if _deletes(row.cells):
        raise ValidationError("A row to delete needs an id.", param="id")
    values = {name: _read(row, name, State()) for name in EDITABLE if name in row.cells}
    after = State(**values)
    missing = [name for name in ("name", "url", "events") if not getattr(after, name)]
    if missing:
        raise ValidationError(
            f"A row without an id creates a webhook, and needs {' and '.join(missing)}.", param=missing[0]
        )
    after = replace(after, is_active=after.is_active is not False)
    key = after.content_key
    existing = next((webhook_id for webhook_id in by_content.get(key, ()) if webhook_id not in changing), None)
    if existing is None:
        row.change = Change(None, None, after)
        return key
    row.doubts.clear()  # the name is there as written
    state = states[existing]
    desired = replace(state, is_active=after.is_active) if "is_active" in values else state
    row.change = Change(existing, state, desired) if fields_to_write(state, desired) else None
    return key


def _deletes(cells: Mapping[str, Any]) -> bool:
    return _flag("delete", cells["delete"]) if "delete" in cells else False


def _read(row: _Row, name: str, before: State) -> Any:
    """A cell as the value of its field. Only a value that differs from the webhook's is validated."""
    cell, current = row.cells[name], getattr(before, name)
    if name == "is_active":
        return _flag(name, cell)
    value = _events(cell) if name == "events" else _text(cell)
    if same_value(value, current):
        return current
    if name == "name" and value is not None and (doubt := spreadsheet_doubt(cell, current, from_file=row.from_file)):
        row.doubts.append((name, doubt))
    elif value is None or isinstance(cell, bool | float | date | time):
        raise ValidationError(f"{name} must be text, not {printable(repr(cell), 80)}.", param=name)
    if MASK in str(cell):
        raise ValidationError(
            f"{name} contains the mask {MASK}; writing it would overwrite what the mask hides.", param=name
        )
    if _spelled_otherwise(name, value, current):
        row.notes.append(_note(row, name, value, current))
        return current
    if name == "url":
        return checked_url(str(value), for_sandbox=row.for_sandbox)
    return checked_name(str(value)) if name == "name" else value


def _text(cell: Any) -> str | None:
    """A cell as text: also a number, date or flag, into which pandas and spreadsheets turn text. None for anything else."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)  # pandas turns whole numbers beside a missing one into floats
    return str(cell) if isinstance(cell, str | Number | date | time) else None


def _spelled_otherwise(name: str, value: Any, current: Any) -> bool:
    """Whether the value only spells the current one otherwise. Adding or removing an event that another covers is an edit."""
    if current is None or not same_meaning(name, value, current):
        return False
    return name != "events" or not (set(value) <= set(current) or set(current) <= set(value))


def _note(row: _Row, name: str, value: Any, current: Any) -> str:
    what = "cover the same event types" if name == "events" else "mean the same"
    given, stored = printable(format_value(value), 200), printable(format_value(current), 200)
    return f"row {row.number}, {name}: '{given}' and '{stored}', which cStar has stored, {what}. Nothing is changed."


def _flag(name: str, cell: Any) -> bool:
    flag = parse_flag(cell)
    if flag is None:
        raise ValidationError(f"{name} must be True or False, not '{printable(cell, 80)}'.", param=name)
    return flag


def _events(cell: Any) -> tuple[str, ...]:
    try:
        return parse_events(parse_list(cell))
    except ValueError:
        raise ValidationError(
            f"events must be a list or comma-separated, not '{printable(cell, 80)}'.", param="events"
        ) from None
