"""A sample delivery body for each event type, in the published envelope."""

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..text import printable
from .event_types import EVENT_TYPES, FORMER_NAMES, NAMES
from .payloads import CREATED_AT, DATA, TEAM
from .shapes import false_data

if TYPE_CHECKING:
    from ..recordings import Recording

Path = tuple[str, ...]


def sample(
    event: str,
    *,
    id: str | None = None,  # noqa: A002 - cStar's own name
    created_at: str | None = None,
    team_id: str | None = None,
    like: "Recording | str | FilePath | None" = None,
    **overrides: Any,
) -> bytes:
    """A sample delivery body for an event type, in the published envelope. Equal arguments give equal bytes.

    Args:
        event: A published event type, or the former name of one.
        id, created_at, team_id: Fields of the envelope.
        like: A `cx.Recording` or the path of a saved one. If it has the shape of this event type's data,
            `data` has that shape, with made-up values.
        overrides: Fields of `data`: by name if only one object has the field (`title="Hello"`), by path
            (`ticket__title="Hello"`), or as part of an object (`ticket={"title": "Hello"}`).

    Raises:
        ValidationError: The event type is unknown, or an override matches no field, several fields, or a field already set,
            or is not valid JSON.
        ConfigurationError: `like` is not a recording.
    """
    if isinstance(event, str):
        event = FORMER_NAMES.get(event, event)
    if not isinstance(event, str) or event not in DATA:
        near = difflib.get_close_matches(str(event), NAMES, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValidationError(
            f"event must be one of the {len(EVENT_TYPES)} published types, not '{printable(event, 80)}'.{hint}",
            param="event",
            advice="cx.events.catalogue() lists them.",
        )
    shape = None if like is None else _observed(like).get(event)
    data = copy.deepcopy(DATA[event]) if shape is None else false_data(event, shape)
    applied: dict[Path, str] = {}
    for name, value in overrides.items():
        _override(data, name, value, applied)
    defaults = {
        "id": f"evt_{event.replace('.', '_')}_sample01",
        "type": event,
        "created_at": CREATED_AT,
        "team_id": TEAM["id"],
    }
    envelope = {"id": id, "created_at": created_at, "team_id": team_id}
    given = {name: value for name, value in envelope.items() if value is not None}
    try:
        return json.dumps(
            {**defaults, **given, "data": data}, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode()
    except (TypeError, ValueError) as error:
        raise ValidationError(f"An override cannot be serialized as JSON: {error}.", param="overrides") from None


def _observed(like: "Recording | str | FilePath") -> Mapping[str, Mapping[str, Any]]:
    from ..recordings import as_recording  # takes as long to import as the rest of this package

    return as_recording(like).payloads


def _override(data: dict[str, Any], name: str, value: Any, applied: dict[Path, str]) -> None:
    """Sets a field. `applied` maps the paths already set to the names they were given by."""
    path = _find_path(data, name)
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    old = parent[path[-1]]
    if not isinstance(old, dict):
        if path in applied:
            raise ValidationError(
                f"'{name}' and '{applied[path]}' set the same field.", param=name, advice="Pass only one of them."
            )
        applied[path] = name
        parent[path[-1]] = value
    elif isinstance(value, Mapping) and value:
        for field, new in value.items():
            _override(data, "__".join((*path, str(field))), new, applied)
    else:
        raise ValidationError(
            f"'{name}' is an object and must be a dict of fields to change, not {printable(repr(value), 80)}.",
            param=name,
            advice="Pass only the fields to change; the others keep their values.",
        )


def _find_path(data: dict[str, Any], name: str) -> Path:
    """The path of the only field that has this name or path."""
    paths = list(_paths(data))
    given = tuple(name.split("__"))
    if given in paths:
        return given
    matches = [path for path in paths if path[-1] == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        choices = " or ".join(f"'{'__'.join(path)}'" for path in matches)
        raise ValidationError(f"Several objects have a field '{name}'.", param=name, advice=f"Use {choices}.")
    names = {spelling: None for path in paths for spelling in (path[-1], "__".join(path))}
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise ValidationError(
        f"The sample has no field '{printable(name, 80)}'.{hint}",
        param=name,
        advice=f"Its fields are {', '.join('__'.join(path) for path in paths)}.",
    )


def _paths(data: Mapping[str, Any], parent: Path = ()) -> Iterator[Path]:
    for name, value in data.items():
        yield (*parent, name)
        if isinstance(value, dict):
            yield from _paths(value, (*parent, name))
