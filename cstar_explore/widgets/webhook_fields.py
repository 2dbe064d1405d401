"""The fields of a webhook, shared by the create and edit forms."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..api.validation import checked_name, checked_url
from ..errors import ValidationError
from ..events import parse_events, split_events, unknown_type_warning
from ..serving.loopback import is_loopback_url
from .inputs import EventsField, InputField, TextField


def webhook_fields(name: str, url: str, events: str | Iterable[str]) -> dict[str, InputField]:
    """The fields Name, URL and Events with these values."""
    return {
        "name": TextField("Name", value=name),
        "url": TextField("URL", value=url, placeholder="https://…"),
        "events": EventsField("Events", value=list(split_events(events))),
    }


def validate_webhook_field(name: str, field: InputField) -> ValidationError | None:
    """Validates a field and shows the error or warning below it. Returns the error."""
    try:
        warning = _VALIDATORS[name](field)
    except ValidationError as error:
        field.show(f"{error.message} {error.advice}", "failed")
        return error
    field.show(warning, "warned" if warning else "")
    return None


def _validate_name(field: Any) -> str:
    checked_name(field.value)
    return ""


def _validate_url(field: Any) -> str:
    url = checked_url(field.value)
    return "This URL is on this machine: a sandbox can reach it, cStar cannot." if is_loopback_url(url) else ""


def _validate_events(field: Any) -> str:
    types = parse_events(field.value)
    if not types:
        raise ValidationError(
            "A webhook needs at least one event type.", param="events", advice="Type or select at least one."
        )
    return " ".join(filter(None, map(unknown_type_warning, types)))


_VALIDATORS: Mapping[str, Callable[[Any], str]] = {
    "name": _validate_name,
    "url": _validate_url,
    "events": _validate_events,
}
