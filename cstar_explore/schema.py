"""The documented fields of cStar's objects, and how to parse their values. Reading an object keeps all other fields too."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from .text import MASK, redacted

Kind = Literal["text", "flag", "integer", "time", "events"]


class Field(NamedTuple):
    """A documented field: our name, the names in cStar's documentation (the API reference's first), and its kind."""

    name: str
    keys: tuple[str, ...]
    kind: Kind


def _fields(**kinds: Kind) -> tuple[Field, ...]:
    """Fields by our names. The API reference writes them in camelCase, other pages of cStar in snake_case."""
    return tuple(Field(name, tuple(dict.fromkeys((_camel_case(name), name))), kind) for name, kind in kinds.items())


def _camel_case(name: str) -> str:
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


WEBHOOK_FIELDS = _fields(
    id="text", name="text", url="text", events="events", is_active="flag", created_at="time", updated_at="time"
)

# The API reference documents no entry of `deliveries`: its only sample is empty. These fields are from the closest documented
# shape, the SDK page's response to testing a single webhook.
DELIVERY_FIELDS = _fields(
    delivery_id="text",
    event="text",
    url="text",
    success="flag",
    status="integer",
    response_time_ms="integer",
    error="text",
)

FIRED_FIELDS = _fields(event="text", event_id="text", test="flag", delivered_to="integer")

IDENTITY_FIELDS = _fields(team_id="text", team_name="text", team_slug="text", key_type="text", environment="text")

# `secret` in the API reference, `signingSecret` on the SDK's page. Removed from every item before anything can show it.
SECRET_KEYS = ("secret", "signingSecret", "signing_secret")


def read_fields(item: Mapping[str, Any], fields: Iterable[Field]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits an object into the values of these fields and everything else.

    A value that does not fit its field's kind becomes None, and stays in the rest under its original name. Secrets are
    removed from the rest.
    """
    rest = dict(item)
    values: dict[str, Any] = {}
    for field in fields:
        values[field.name] = None
        for key in field.keys:
            if key in rest:
                value = values[field.name] = _PARSERS[field.kind](rest[key])
                if value is not None or rest[key] is None:
                    del rest[key]
                break
    return values, without_secrets(rest) if rest else rest


def without_secrets(value: Any) -> Any:
    """Undeclared JSON, at any depth, without fields that hold text and have `secret` in their name, and with keys in text masked."""
    try:
        return _without_secrets(value)
    except RecursionError:
        return MASK


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_secrets(part) for name, part in value.items() if not _is_secret(str(name), part)}
    if isinstance(value, list | tuple):
        return [_without_secrets(part) for part in value]
    return redacted(value) if isinstance(value, str) else value


def _is_secret(name: str, value: Any) -> bool:
    """Whether a field holds a secret, rather than a flag or the time it was changed."""
    return name in SECRET_KEYS or (
        "secret" in name.lower() and isinstance(value, str | list | tuple) and _time(value) is None
    )


def parse_value(raw: Any, kind: Kind) -> Any:
    """The value as its kind, or None if it is absent or does not fit."""
    return _PARSERS[kind](raw)


def _text(raw: Any) -> str | None:
    if isinstance(raw, str):
        return raw
    return str(raw) if isinstance(raw, int | float) else None


def _flag(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _integer(raw: Any) -> int | None:
    fits = isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) < 2**63
    return raw if fits else None


def _time(raw: Any) -> datetime | None:
    if not isinstance(raw, str):
        return None
    try:
        moment = datetime.fromisoformat(raw)
        if moment.tzinfo is UTC:  # the documented form, and so almost every time
            return moment
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _events(raw: Any) -> tuple[str, ...] | None:
    """A list as it is; a string split at its commas."""
    if isinstance(raw, str):
        return tuple(part for part in map(str.strip, raw.split(",")) if part)
    if isinstance(raw, list | tuple) and all(isinstance(part, str) for part in raw):
        return tuple(raw)
    return None


_PARSERS: Mapping[Kind, Any] = {"text": _text, "flag": _flag, "integer": _integer, "time": _time, "events": _events}
