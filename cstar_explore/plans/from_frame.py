"""A frame of what is wanted → the changes that lead there. Everything that is wrong with the frame is told at once."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ..api.validation import checked_name, checked_url
from ..csv_files import flag_in, list_in
from ..errors import ValidationError
from ..events import parse_events
from ..models import WebhookList
from ..schema import SECRET_KEYS, WEBHOOK_FIELDS
from ..text import MASK, printable
from .change import EDITABLE, Change, State, to_write

if TYPE_CHECKING:
    import pandas as pd

# What a frame may say of a webhook besides what can be changed; it is passed over.
_PASSED_OVER = ("account", "team_id", "environment", "because", *(known.name for known in WEBHOOK_FIELDS))

_TOLD = 5  # problems in one message


def changes_in(desired: "pd.DataFrame", listed: WebhookList, team_id: str) -> list[Change]:
    """The changes from what is listed to what is desired, in the order of the frame.

    Raises:
        ValidationError: Something in the frame cannot be; all of it is told, row by row.
    """
    if desired.index.name == "id" and "id" not in desired.columns:
        desired = desired.reset_index()
    _check_columns(desired, listed)
    problems: dict[int, str] = {}
    found: dict[int, Change | None] = {}
    there = {webhook.id: State.of(webhook) for webhook in listed}
    rows = dict(enumerate(_rows(desired), 1))
    seen: dict[object, int] = {}
    # Those with an id first: what they change or delete is not there for the others to be the same as.
    for number, row in sorted(rows.items(), key=lambda item: "id" not in item[1]):
        try:
            _check_row(row, team_id)
            change, key = _change(row, there) if "id" in row else _creation(row, there, found.values())
            if seen.setdefault(key, number) != number:
                told = row.get("id", row.get("name"))
                raise ValidationError(f"'{printable(told, 80)}' stands in row {seen[key]} already.")  # noqa: TRY301 - told with the row's others
            found[number] = change
        except ValidationError as error:
            problems[number] = f"row {number}: {error.message}"
    if problems:
        more = f" And {len(problems) - _TOLD} more." if len(problems) > _TOLD else ""
        raise ValidationError(
            f"Nothing was planned. {' '.join(problems[number] for number in sorted(problems)[:_TOLD])}{more}",
            advice="Correct the frame and plan again.",
        )
    return [change for number in rows if (change := found[number]) is not None]


def _check_columns(desired: "pd.DataFrame", listed: WebhookList) -> None:
    names = [str(name) for name in desired.columns]
    allowed = {*_PASSED_OVER, "delete", *SECRET_KEYS, *map(str, listed.to_frame().columns)}
    for name in names:
        if name not in allowed:
            near = difflib.get_close_matches(name.lower(), ("id", *EDITABLE, "delete"), n=1)
            hint = f" Did you mean '{near[0]}'?" if near else ""
            raise ValidationError(
                f"A plan does not know the column '{printable(name, 80)}'.{hint}",
                param=printable(name, 80),
                advice="It reads id, name, url, events, is_active and delete; drop what is more.",
            )
    if len(set(names)) < len(names):
        raise ValidationError("Two columns have one name.", advice="Drop one of them.")
    for name in set(SECRET_KEYS).intersection(names):
        if not all(_missing(value) for value in desired[name]):
            raise ValidationError(
                f"There is a value in the column '{name}': a signing secret is cStar's to make, and cannot be set.",
                param=name,
                advice="Drop the column.",
            )


def _rows(desired: "pd.DataFrame") -> Iterator[dict[str, Any]]:
    """The cells of each row that say something."""
    columns = [str(name) for name in desired.columns]
    for values in zip(*(desired.iloc[:, place] for place in range(len(columns))), strict=True):
        yield {name: value for name, value in zip(columns, values, strict=True) if not _missing(value)}


def _missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    from ..frames import is_missing

    return is_missing(value)


def _check_row(row: Mapping[str, Any], team_id: str) -> None:
    if str(row.get("team_id", team_id)) != team_id:
        raise ValidationError(
            f"It is of team '{printable(row['team_id'], 80)}', and this client's team is '{printable(team_id, 80)}'.",
            param="team_id",
        )


def _change(row: Mapping[str, Any], there: Mapping[str, State]) -> tuple[Change | None, object]:
    """The change that a row asks for, and by what another row would be the same."""
    told = str(row["id"])
    identity = told if told in there else told.strip()
    if identity not in there:
        raise ValidationError(f"There is no webhook '{printable(identity, 80)}'.", param="id")
    before = there[identity]
    if _deleted(row):
        return Change(identity, before, None), identity
    after = replace(before, **{name: _read(name, row[name], before) for name in EDITABLE if name in row})
    if before.events and after.events == ():
        raise ValidationError("A webhook needs at least one event type.", param="events")
    return (Change(identity, before, after) if to_write(before, after) else None), identity


def _creation(
    row: Mapping[str, Any], there: Mapping[str, State], changes: Iterable[Change | None]
) -> tuple[Change | None, object]:
    """The change that makes a webhook, unless there is one like it that stays as it is."""
    if _deleted(row):
        raise ValidationError("It is to be deleted, and has no id.", param="id")
    values = {name: _read(name, row[name], State()) for name in EDITABLE if name in row}
    after = State(**values)
    lacking = [name for name in ("name", "url", "events") if not getattr(after, name)]
    if lacking:
        raise ValidationError(
            f"It has no id, so it would be created, and has no {' and no '.join(lacking)}.", param=lacking[0]
        )
    after = replace(after, is_active=after.is_active is not False)
    key = (after.name, after.url, frozenset(after.events or ()))
    moving = {change.id for change in changes if change is not None}
    for identity, state in there.items():
        if identity not in moving and key == (state.name, state.url, frozenset(state.events or ())):
            wanted = after if "is_active" in values else replace(after, is_active=state.is_active)
            return (Change(identity, state, wanted) if to_write(state, wanted) else None), key
    return Change(None, None, after), key


def _deleted(row: Mapping[str, Any]) -> bool:
    return _flag("delete", row["delete"]) if "delete" in row else False


def _read(name: str, value: Any, before: State) -> Any:
    """A cell as the value of its field: checked, if it is not what the webhook has already."""
    now = getattr(before, name)
    if name == "is_active":
        return _flag(name, value)
    read = _events(value) if name == "events" else str(value) if isinstance(value, Integral) else value
    if not isinstance(read, str | tuple):
        raise ValidationError(f"{name} is text, not {printable(repr(value), 80)}.", param=name)
    if _same(read, now):
        return now
    if MASK in str(value):
        raise ValidationError(
            f"{name} holds the mask {MASK}, which stands for what is not shown; written back, it would be lost.",
            param=name,
        )
    return _CHECKED[name](read)


def _same(read: Any, now: Any) -> bool:
    return read == now or (isinstance(read, tuple) and now is not None and set(read) == set(now))


def _flag(name: str, value: Any) -> bool:
    read = flag_in(value)
    if read is None:
        raise ValidationError(f"{name} is True or False, not '{printable(value, 80)}'.", param=name)
    return read


def _events(value: Any) -> tuple[str, ...]:
    try:
        return parse_events(list_in(value))
    except ValueError:
        raise ValidationError(f"events cannot be read: '{printable(value, 80)}'.", param="events") from None


_CHECKED: Mapping[str, Callable[[Any], Any]] = {
    "name": checked_name,
    "url": checked_url,
    "events": tuple,
}
