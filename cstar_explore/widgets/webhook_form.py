"""What the create and edit forms share: the fields of a webhook."""

from collections.abc import Iterable
from typing import Any

from ..api.validation import checked_name, checked_url
from ..errors import CStarError, ValidationError
from ..events import parse_events, split_events, unknown_type_warning
from ..models import Webhook
from ..serving.loopback import is_loopback_url
from .form import Form
from .inputs import EventsField, InputField, TextField


def webhook_fields(name: str, url: str, events: str | Iterable[str]) -> dict[str, InputField]:
    """The fields Name, URL and Events with these values."""
    return {
        "name": TextField("Name", value=name),
        "url": TextField("URL", value=url, placeholder="https://…"),
        "events": EventsField("Events", value=list(split_events(events))),
    }


class WebhookForm(Form[Webhook]):
    """A form with the fields of a webhook."""

    def _arguments(self) -> dict[str, Any]:
        """The arguments for the call."""
        name, url, events = (self.fields[name].value for name in ("name", "url", "events"))
        return {"name": name.strip(), "url": url.strip(), "events": list(split_events(events))}

    def _validate_field(self, name: str) -> CStarError | None:
        field = self.fields[name]
        try:
            warning = _warning(name, field.value)
        except ValidationError as error:
            field.show(f"{error.message} {error.advice}", "failed")
            return error
        field.show(warning, "warned" if warning else "")
        return None


def _warning(name: str, value: Any) -> str:
    """What to know about a valid value; often empty."""
    if name == "name":
        checked_name(value)
        return ""
    if name == "url":
        local = is_loopback_url(checked_url(value))
        return "This URL is on this machine: a sandbox can reach it, cStar cannot." if local else ""
    types = parse_events(value)
    if not types:
        raise ValidationError(
            "A webhook needs at least one event type.", param="events", advice="Type or select at least one."
        )
    return " ".join(filter(None, map(unknown_type_warning, types)))
