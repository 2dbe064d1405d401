"""The fields that describe a webhook, as creating and editing share them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..api.validation import checked_name, checked_url
from ..errors import ValidationError
from ..events import parse_events, split_events, unknown_type_warning
from ..serving.loopback import is_loopback_url
from .inputs import EventsField, InputField, TextField


def webhook_fields(name: str, url: str, events: str | Iterable[str]) -> dict[str, InputField]:
    """Name, URL and Events, filled in."""
    chosen = EventsField("Events", value=list(split_events(events)))
    chosen.observe(lambda _: chosen.mark_unknown(), "value")
    return {
        "name": TextField("Name", value=name),
        "url": TextField("URL", value=url, placeholder="https://…"),
        "events": chosen,
    }


def check_field(name: str, field: InputField, *, events_needed: bool) -> ValidationError | None:
    """Checks one of them, and shows beside it what is wrong or doubtful."""
    try:
        hint = _CHECKS[name](field, events_needed)
    except ValidationError as error:
        field.show(f"{error.message} {error.advice}", "failed")
        return error
    field.show(hint, "warned" if hint else "")
    return None


def _check_name(field: Any, _: bool) -> str:  # noqa: FBT001
    checked_name(field.value)
    return ""


def _check_url(field: Any, _: bool) -> str:  # noqa: FBT001
    url = checked_url(field.value)
    return (
        "This address is on this machine: a sandbox reaches it, cStar itself does not." if is_loopback_url(url) else ""
    )


def _check_events(field: Any, needed: bool) -> str:  # noqa: FBT001
    types = parse_events(field.value)
    if needed and not types:
        raise ValidationError("A webhook needs at least one event type.", param="events", advice="Type or tick some.")
    return " ".join(filter(None, map(unknown_type_warning, types)))


_CHECKS: Mapping[str, Any] = {"name": _check_name, "url": _check_url, "events": _check_events}
