"""The shape of an event's `data`: names, types and formats, but no values.

A shape is JSON: an object of shapes by name, a list with the shape of its entries, or the name of a format. Names that neither cStar's
pages nor the samples have are not recorded, because they may be a customer's own fields: `*` has their number.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import ConfigurationError
from ..packaged import read_table
from ..text import printable
from .payloads import DATA

_TABLE = read_table(__file__)

# The values that cStar publishes for a field (articles `api-tickets` and `community`), by the name of the enumeration.
_ENUMERATIONS: Mapping[str, Sequence[str]] = _TABLE["enumerations"]


def _names(value: Any) -> set[str]:
    return set(value).union(*map(_names, value.values())) if isinstance(value, Mapping) else set()


# The names of fields in the samples, and others that cStar's pages print in payloads.
KNOWN_NAMES = frozenset(_names(DATA) - set(DATA)).union(_TABLE["published_names"])

# The pattern of a format, and an example.
_FORMATS: Mapping[str, tuple[str, str]] = {
    "time with milliseconds": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)", "2025-12-10T14:30:00.000Z"),
    "time": (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", "2025-12-10T14:30:00Z"),
    "date": (r"\d{4}-\d\d-\d\d", "2025-12-10"),
    "uuid": (r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "00000000-0000-4000-8000-000000000000"),
    **{f"id {prefix}_": (rf"{prefix}_[A-Za-z0-9_-]+", f"{prefix}_sample0001") for prefix in _TABLE["id_prefixes"]},
    "ticket number": (r"[A-Z]{2,5}-\d+", "CST-1024"),
    "url": (r"https?://\S+", "https://example.com/"),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "zoe@example.com"),
    **{f"one of {name}": ("|".join(values), values[0]) for name, values in _ENUMERATIONS.items()},
}
_EXAMPLES: Mapping[str, Any] = {name: example for name, (_, example) in _FORMATS.items()} | _TABLE["examples"]
_MAX_DEPTH = 8
_MAX_UNKNOWN = 1000
_UNKNOWN = "*"


def shape_of(value: Any, depth: int = 0) -> Any:
    """The shape of a JSON value. A list has the shape of its first entry."""
    if isinstance(value, dict):
        if depth >= _MAX_DEPTH:
            return "object"
        shape = {name: shape_of(part, depth + 1) for name, part in value.items() if name in KNOWN_NAMES}
        unknown = len(value) - len(shape)
        return shape | ({_UNKNOWN: min(unknown, _MAX_UNKNOWN)} if unknown else {})
    if isinstance(value, list):
        return [shape_of(value[0], depth + 1)] if value else []
    if isinstance(value, str):
        return next((name for name, (pattern, _) in _FORMATS.items() if re.fullmatch(pattern, value)), "text")
    if isinstance(value, bool):
        return "true or false"
    return "null" if value is None else "integer" if isinstance(value, int) else "number"


def false_data(event: str, shape: Mapping[str, Any]) -> dict[str, Any]:
    """`data` in this shape, with the sample's values where they fit, and other made-up values elsewhere.

    Raises:
        ConfigurationError: It is not a shape.
    """
    data = _false(shape, DATA.get(event))
    if not isinstance(data, dict):
        raise _no_shape(shape)
    return data


def _false(shape: Any, sample: Any) -> Any:
    if isinstance(shape, Mapping):
        known = sample if isinstance(sample, dict) else {}
        unknown = shape.get(_UNKNOWN, 0)
        if not isinstance(unknown, int) or not 0 <= unknown <= _MAX_UNKNOWN:
            raise _no_shape(shape)
        data = {name: _false(part, known.get(name)) for name, part in shape.items() if name != _UNKNOWN}
        return data | {f"not_documented_{number}": None for number in range(1, unknown + 1)}
    if isinstance(shape, list):
        first = sample[0] if isinstance(sample, list) and sample else None
        return [_false(part, first) for part in shape[:1]]
    if not isinstance(shape, str) or shape not in _EXAMPLES:
        raise _no_shape(shape)
    if sample is not None and shape_of(sample) == shape:
        return sample
    return _EXAMPLES[shape]


def _no_shape(shape: Any) -> ConfigurationError:
    return ConfigurationError(
        f"'{printable(shape, 80)}' in a recording is not the shape of a payload.",
        advice="Record it again with cx.probe.",
    )
