"""A sample delivery body for each event type, in the published envelope."""

import copy
import json
from collections.abc import Iterator, Mapping
from functools import reduce
from operator import getitem
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from ..errors import ValidationError
from ..text import did_you_mean, printable
from .event_types import FORMER_NAMES, NAMES
from .payloads import DATA
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
        raise ValidationError(
            f"event must be one of the {len(NAMES)} published types, not '{printable(event, 80)}'."
            f"{did_you_mean(str(event), NAMES)}",
            param="event",
            advice="cx.events.catalogue() lists them.",
        )
    shape = None
    if like is not None:
        from ..recordings import as_recording  # takes as long to import as the rest of this package

        shape = as_recording(like).payloads.get(event)
    data = copy.deepcopy(DATA[event]) if shape is None else false_data(event, shape)
    applied: dict[Path, str] = {}
    for name, value in overrides.items():
        _override(data, name, value, applied)
    envelope = {
        "id": f"evt_{event.replace('.', '_')}_sample01" if id is None else id,
        "type": event,
        "created_at": "2025-12-10T14:30:00Z" if created_at is None else created_at,
        "team_id": "team_sandbox" if team_id is None else team_id,
        "data": data,
    }
    try:
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise ValidationError(f"An override cannot be serialized as JSON: {error}.", param="overrides") from None


def _override(data: dict[str, Any], name: str, value: Any, applied: dict[Path, str]) -> None:
    """Sets a field. `applied` maps the paths already set to the names they were given by."""
    path = _find_path(data, name)
    parent = reduce(getitem, path[:-1], data)
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
    matches = [given] if given in paths else [path for path in paths if path[-1] == name]
    if len(matches) == 1:
        return matches[0]
    if matches:
        choices = " or ".join(f"'{'__'.join(path)}'" for path in matches)
        raise ValidationError(f"Several objects have a field '{name}'.", param=name, advice=f"Use {choices}.")
    names = {spelling: None for path in paths for spelling in (path[-1], "__".join(path))}
    raise ValidationError(
        f"The sample has no field '{printable(name, 80)}'.{did_you_mean(name, names)}",
        param=name,
        advice=f"Its fields are {', '.join('__'.join(path) for path in paths)}.",
    )


def _paths(data: Mapping[str, Any], parent: Path = ()) -> Iterator[Path]:
    for name, value in data.items():
        yield (*parent, name)
        if isinstance(value, dict):
            yield from _paths(value, (*parent, name))
