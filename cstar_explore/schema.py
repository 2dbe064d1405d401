"""The published fields of cStar's objects, and how a value of each kind is read.

Fields that are not named here are not lost: whoever reads an object gets them as the rest.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "flag", "integer", "time", "events"]


class Field(NamedTuple):
    """A published field: our name for it, the names cStar's pages give it (the reference's first), and its kind."""

    name: str
    keys: tuple[str, ...]
    kind: Kind


WEBHOOK_FIELDS = (
    Field("id", ("id",), "text"),
    Field("name", ("name",), "text"),
    Field("url", ("url",), "text"),
    Field("events", ("events",), "events"),
    Field("is_active", ("isActive", "is_active"), "flag"),
    Field("created_at", ("createdAt", "created_at"), "time"),
    Field("updated_at", ("updatedAt", "updated_at"), "time"),
)

# The reference publishes no entry of `deliveries` (its only sample is empty). These are the fields of the closest
# published shape, the SDK page's answer to the test of a single webhook.
DELIVERY_FIELDS = (
    Field("delivery_id", ("deliveryId", "delivery_id"), "text"),
    Field("event", ("event",), "text"),
    Field("url", ("url",), "text"),
    Field("success", ("success",), "flag"),
    Field("status", ("status",), "integer"),
    Field("response_time_ms", ("responseTimeMs", "response_time_ms"), "integer"),
    Field("error", ("error",), "text"),
)

FIRED_FIELDS = (
    Field("event", ("event",), "text"),
    Field("event_id", ("eventId", "event_id"), "text"),
    Field("test", ("test",), "flag"),
    Field("delivered_to", ("deliveredTo", "delivered_to"), "integer"),
)

IDENTITY_FIELDS = (
    Field("team_id", ("teamId", "team_id"), "text"),
    Field("team_name", ("teamName", "team_name"), "text"),
    Field("team_slug", ("teamSlug", "team_slug"), "text"),
    Field("key_type", ("keyType", "key_type"), "text"),
    Field("environment", ("environment",), "text"),
)

# `secret` in the reference, `signingSecret` on the SDK's page. Taken out of every item before anything can show it.
SECRET_KEYS = ("secret", "signingSecret", "signing_secret")


def read_fields(item: Mapping[str, Any], fields: Iterable[Field]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits an object into the values of the known fields and all the rest.

    A value that cannot be read as its field's kind becomes None and stays in the rest, under the name it came with.
    """
    rest = dict(item)
    values: dict[str, Any] = {}
    for known in fields:
        key = next((key for key in known.keys if key in rest), None)
        raw = None if key is None else rest[key]
        value = readable(raw, known.kind)
        values[known.name] = value
        if key is not None and (raw is None or value is not None):
            del rest[key]
    return values, rest


def readable(raw: Any, kind: Kind) -> Any:
    """The value as its kind, or None where it is absent or cannot be read so."""
    if raw is None:
        return None
    return _READERS[kind](raw)


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
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _events(raw: Any) -> tuple[str, ...] | None:
    """A list as it came; a string split at its commas."""
    if isinstance(raw, str):
        return tuple(part for part in map(str.strip, raw.split(",")) if part)
    if isinstance(raw, list | tuple) and all(isinstance(part, str) for part in raw):
        return tuple(raw)
    return None


_READERS: Mapping[Kind, Any] = MappingProxyType(
    {"text": _text, "flag": _flag, "integer": _integer, "time": _time, "events": _events}
)
