"""A frame of desired webhooks → the changes that are needed. All invalid rows are reported in one error."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ..api.validation import checked_name, checked_url
from ..csv_files import parse_flag, parse_list
from ..errors import ValidationError
from ..events import parse_events
from ..models import WebhookList
from ..schema import SECRET_KEYS, WEBHOOK_FIELDS
from ..text import MASK, printable
from .change import EDITABLE, Change, State, fields_to_write

if TYPE_CHECKING:
    import pandas as pd

# Columns that a frame of webhooks or findings may have, and that cannot be changed.
_IGNORED = ("account", "team_id", "environment", "because", *(field.name for field in WEBHOOK_FIELDS))

_MAX_PROBLEMS = 5  # in one message


def changes_from_frame(desired: "pd.DataFrame", listed: WebhookList, team_id: str) -> list[Change]:
    """The changes from the listed webhooks to the desired ones, in the order of the frame.

    Raises:
        ValidationError: The frame is invalid; the message lists the first five rows with a problem.
    """
    if desired.index.name == "id" and "id" not in desired.columns:
        desired = desired.reset_index()
    _check_columns(desired, listed)
    problems: dict[int, str] = {}
    changes: dict[int, Change | None] = {}
    states = {webhook.id: State.of(webhook) for webhook in listed}
    rows = dict(enumerate(_rows(desired), 1))
    first_rows: dict[object, int] = {}
    # Rows with an ID first: a row without one is not matched to a webhook that another row changes or deletes.
    for number, row in sorted(rows.items(), key=lambda item: "id" not in item[1]):
        try:
            _check_team(row, team_id)
            change, key = _change(row, states) if "id" in row else _creation(row, states, changes.values())
            if first_rows.setdefault(key, number) != number:
                duplicate = printable(row.get("id", row.get("name")), 80)
                raise ValidationError(f"'{duplicate}' is in row {first_rows[key]} already.")  # noqa: TRY301 - reported with the other problems
            changes[number] = change
        except ValidationError as error:
            problems[number] = f"row {number}: {error.message}"
    if problems:
        more = f" And {len(problems) - _MAX_PROBLEMS} more." if len(problems) > _MAX_PROBLEMS else ""
        raise ValidationError(
            f"Nothing was planned. {' '.join(problems[number] for number in sorted(problems)[:_MAX_PROBLEMS])}{more}",
            advice="Correct the frame and plan again.",
        )
    return [change for number in rows if (change := changes[number]) is not None]


def _check_columns(desired: "pd.DataFrame", listed: WebhookList) -> None:
    names = [str(name) for name in desired.columns]
    allowed = {*_IGNORED, "delete", *SECRET_KEYS, *map(str, listed.to_frame().columns)}
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name.lower(), ("id", *EDITABLE, "delete"), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ValidationError(
                f"Unknown column '{printable(name, 80)}'.{hint}",
                param=printable(name, 80),
                advice="A plan reads id, name, url, events, is_active and delete; drop other columns.",
            )
    if len(set(names)) < len(names):
        raise ValidationError("Two columns have the same name.", advice="Drop one of them.")
    for name in set(SECRET_KEYS).intersection(names):
        if not all(_missing(value) for value in desired[name]):
            raise ValidationError(
                f"The column '{name}' has a value, but a signing secret cannot be set: cStar generates it.",
                param=name,
                advice="Drop the column.",
            )


def _rows(desired: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    """The non-empty cells of each row."""
    columns = [str(name) for name in desired.columns]
    for values in zip(*(desired.iloc[:, index] for index in range(len(columns))), strict=True):
        yield {name: value for name, value in zip(columns, values, strict=True) if not _missing(value)}


def _missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    from ..frames import is_missing

    return is_missing(value)


def _check_team(row: Mapping[str, Any], team_id: str) -> None:
    if str(row.get("team_id", team_id)) != team_id:
        raise ValidationError(
            f"team_id is '{printable(row['team_id'], 80)}', but the client's team is '{printable(team_id, 80)}'.",
            param="team_id",
        )


def _change(row: Mapping[str, Any], states: Mapping[str, State]) -> tuple[Change | None, object]:
    """The change that a row with an ID asks for, and the key that no other row may have."""
    cell = str(row["id"])
    webhook_id = cell if cell in states else cell.strip()
    if webhook_id not in states:
        raise ValidationError(f"There is no webhook '{printable(webhook_id, 80)}'.", param="id")
    before = states[webhook_id]
    if _deletes(row):
        return Change(webhook_id, before, None), webhook_id
    after = replace(before, **{name: _read(name, row[name], before) for name in EDITABLE if name in row})
    if before.events and after.events == ():
        raise ValidationError("A webhook needs at least one event type.", param="events")
    return (Change(webhook_id, before, after) if fields_to_write(before, after) else None), webhook_id


def _creation(
    row: Mapping[str, Any], states: Mapping[str, State], changes: Iterable[Change | None]
) -> tuple[Change | None, object]:
    """The change that creates a webhook, unless an equal one exists and no other row changes it; and the row's key."""
    if _deletes(row):
        raise ValidationError("A row to delete needs an id.", param="id")
    values = {name: _read(name, row[name], State()) for name in EDITABLE if name in row}
    after = State(**values)
    missing = [name for name in ("name", "url", "events") if not getattr(after, name)]
    if missing:
        raise ValidationError(
            f"A row without an id creates a webhook, and needs {' and '.join(missing)}.", param=missing[0]
        )
    after = replace(after, is_active=after.is_active is not False)
    key = (after.name, after.url, frozenset(after.events or ()))
    changing = {change.id for change in changes if change is not None}
    for webhook_id, state in states.items():
        if webhook_id not in changing and key == (state.name, state.url, frozenset(state.events or ())):
            desired = after if "is_active" in values else replace(after, is_active=state.is_active)
            return (Change(webhook_id, state, desired) if fields_to_write(state, desired) else None), key
    return Change(None, None, after), key


def _deletes(row: Mapping[str, Any]) -> bool:
    return _flag("delete", row["delete"]) if "delete" in row else False


def _read(name: str, cell: Any, before: State) -> Any:
    """A cell as the value of its field. Only a value that differs from the webhook's is validated."""
    if name == "is_active":
        return _flag(name, cell)
    value = _events(cell) if name == "events" else str(cell) if isinstance(cell, Integral) else cell
    if not isinstance(value, str | tuple):
        raise ValidationError(f"{name} must be text, not {printable(repr(cell), 80)}.", param=name)
    current = getattr(before, name)
    if _same(value, current):
        return current
    if MASK in str(cell):
        raise ValidationError(
            f"{name} contains the mask {MASK}; writing it would overwrite what the mask hides.", param=name
        )
    return _VALIDATORS[name](value)


def _same(value: Any, current: Any) -> bool:
    return value == current or (isinstance(value, tuple) and current is not None and set(value) == set(current))


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


_VALIDATORS: Mapping[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "url": checked_url,
    "events": tuple,
}
