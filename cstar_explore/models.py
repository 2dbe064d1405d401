"""cStar's objects as typed values.

Every field but a webhook's `id` may be absent from a response: the API reference's samples lack `updatedAt` in lists and
creates, and `createdAt` in updates. Undocumented fields are kept in `extra`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from .schema import (
    DELIVERY_FIELDS,
    FIRED_FIELDS,
    IDENTITY_FIELDS,
    SECRET_KEYS,
    WEBHOOK_FIELDS,
    Field,
    read_fields,
    without_secrets,
)
from .secret import Secret
from .text import html_table, printable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook: the URL to which cStar delivers certain events.

    Attributes:
        id: `whk_…`. Treat it as opaque.
        name, url: Text.
        events: The subscribed event types, in cStar's order.
        is_active: Whether cStar delivers to it.
        created_at, updated_at: UTC; None where absent or invalid (the text is then in `extra`).
        secret: The signing secret. cStar returns it once, in the response to `create`.
        extra: Fields that cStar does not document, as received.
    """

    id: str
    name: str | None = None
    url: str | None = None
    events: tuple[str, ...] | None = None
    is_active: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    secret: Secret | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads a webhook from cStar's JSON, in camelCase or snake_case."""
        values, extra = read_fields(item, WEBHOOK_FIELDS)
        if item.keys().isdisjoint(SECRET_KEYS):
            return cls(**values, extra=extra)
        secret = next((item[key] for key in SECRET_KEYS if isinstance(item.get(key), str) and item[key]), None)
        return cls(**values, secret=Secret(secret) if secret else None, extra=extra)

    def to_frame(self) -> "pd.DataFrame":
        """One row, with the columns of `WebhookList.to_frame`. The secret is never a column."""
        from .frames import webhooks_frame

        return webhooks_frame([{**_as_item(self, WEBHOOK_FIELDS), **self.extra}])

    def __repr__(self) -> str:
        state = {True: "active", False: "inactive", None: "state unknown"}[self.is_active]
        secret = f", secret={self.secret}" if self.secret else ""
        events = ", ".join(self.events or ())
        name, url = _quoted(self.name), _quoted(self.url)
        return f"Webhook({_quoted(self.id)}, {name}, {url}, [{printable(events)}], {state}{secret})"

    def _repr_html_(self) -> str:
        return html_table(("field", "value"), [(name, value) for name, value in _cells(self).items()])


class WebhookList(Sequence[Webhook]):
    """The webhooks of a team, in cStar's order. Each `Webhook` is created on access.

    `to_frame()` has a row per webhook, `subscriptions()` a row per webhook and event type.

    Attributes:
        read_at: When the list was read, by the server's clock; None if it is unknown.
    """

    def __init__(self, items: Iterable[Mapping[str, Any]], read_at: datetime | None = None) -> None:
        self._items = _without_secrets(list(items))
        self.read_at = read_at

    @overload
    def __getitem__(self, index: int) -> Webhook: ...
    @overload
    def __getitem__(self, index: slice) -> "WebhookList": ...
    def __getitem__(self, index: int | slice) -> "Webhook | WebhookList":
        if isinstance(index, slice):
            return WebhookList(self._items[index], self.read_at)
        return Webhook.from_item(self._items[index])

    def __iter__(self) -> Iterator[Webhook]:
        return map(Webhook.from_item, self._items)

    def __len__(self) -> int:
        return len(self._items)

    def to_frame(self, *, host: bool = False, age_days: bool = False) -> "pd.DataFrame":
        """A row per webhook.

        Columns: `id`, `name`, `url` (str), `events` (tuples), `is_active` (boolean), `created_at`, `updated_at`
        (datetime64[us, UTC]); then, in snake_case, the fields that cStar does not document. An empty list has the same
        columns and dtypes. A value that does not fit its column is kept, as received, in `<column>_raw`.

        Args:
            host: Adds `host` (str), the host of the URL.
            age_days: Adds `age_days` (Int64), the whole days from `created_at` until `read_at`.
        """
        from .frames import webhooks_frame, with_age, with_host

        frame = webhooks_frame(self._items)
        frame = with_host(frame) if host else frame
        return with_age(frame, self.read_at) if age_days else frame

    def subscriptions(self, *, resolve: bool = True) -> "pd.DataFrame":
        """A row per webhook and event type that it receives: `id`, `name`, `url`, `event` (str), `is_active` (boolean).

        Args:
            resolve: Replaces wildcards by the published types that they match. With False, `event` is as subscribed.
        """
        from .events import received_types
        from .frames import subscriptions_frame

        return subscriptions_frame(self._items, received_types if resolve else None)

    def receiving(self, event: str) -> "pd.DataFrame":
        """The webhooks that are subscribed to this event type, also by a wildcard.

        A paused one has `is_active` False: it receives nothing until it is resumed.

        Columns: `id`, `name`, `url`, `subscription` (str: the entry of `events` that matches), `is_active` (boolean).

        Raises:
            ValidationError: `event` is not one event type. For a type that is not published, `UnknownEventWarning` is issued.
        """
        from .errors import ValidationError
        from .events import is_wildcard, parse_events, warn_about_unknown_types
        from .frames import from_rows

        names = parse_events(event)
        if len(names) != 1 or is_wildcard(names[0]):
            raise ValidationError(
                f"Expected one event type, not '{printable(event, 80)}'.",
                param="event",
                advice="Pass a type such as 'ticket.created'; cx.events.catalogue() has them all.",
            )
        warn_about_unknown_types(names)
        rows = [
            (webhook.id, webhook.name, webhook.url, pattern, webhook.is_active)
            for webhook in self
            if (pattern := _matching(names[0], webhook.events or ())) is not None
        ]
        dtypes = dict.fromkeys(("id", "name", "url", "subscription"), "str")
        return from_rows(rows, dtypes | {"is_active": "boolean"})

    def coverage(self) -> "pd.DataFrame":
        """A row per published event type: `event`, `group` (str), `receivers` (int64), `webhooks` (tuples of names).

        Counts active webhooks, with wildcards resolved. An event type without a receiver has 0, one delivered twice has 2.
        """
        from .events import EVENT_TYPES, receivers_by_type
        from .frames import from_rows

        active = [webhook for webhook in self if webhook.is_active is not False]
        names = [webhook.id if webhook.name is None else webhook.name for webhook in active]
        receivers = receivers_by_type(zip(names, (webhook.events or () for webhook in active), strict=True))
        rows = [
            (event.name, event.group, len(receivers[event.name]), tuple(receivers[event.name])) for event in EVENT_TYPES
        ]
        return from_rows(rows, {"event": "str", "group": "str", "receivers": "int64", "webhooks": "object"})

    def to_csv(self, path: "str | Path") -> None:
        """Writes the frame to a CSV file that is safe to open in a spreadsheet. Edit it and pass it to `cx.plan`.

        Raises:
            ConfigurationError: It cannot be written. An existing file is then unchanged.
        """
        from .csv_files import write_csv

        write_csv(self.to_frame(), path)

    def to_excel(self, path: "str | Path") -> None:
        """Writes the frame to an Excel workbook in which no cell is a formula. Edit it and pass it to `cx.plan`.

        Excel has no time zones: the times are in UTC, in the columns `created_at_utc` and `updated_at_utc`. Needs openpyxl.

        Raises:
            ConfigurationError: openpyxl is not installed, Excel cannot hold a value, or the file cannot be written. An existing
                file is then unchanged.
        """
        from .csv_files import write_excel
        from .frames import for_excel

        write_excel(for_excel(self.to_frame()), path)

    def __repr__(self) -> str:
        lines = [f"WebhookList of {len(self)}"]
        lines += [f"  {number}. {webhook!r}" for number, webhook in enumerate(self[:20], 1)]
        if len(self) > 20:
            lines.append(f"  … and {len(self) - 20:,} more; .to_frame() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = [tuple(_cells(webhook).values()) for webhook in self[:50]]
        return html_table(tuple(field.name for field in WEBHOOK_FIELDS), rows, len(self))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery of a test event, as cStar reports it. Its fields are not documented for this call; all may be absent."""

    delivery_id: str | None = None
    event: str | None = None
    url: str | None = None
    success: bool | None = None
    status: int | None = None
    response_time_ms: int | None = None
    error: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads an entry of `deliveries`."""
        values, extra = read_fields(item, DELIVERY_FIELDS)
        return cls(**values, extra=extra)


@dataclass(frozen=True, slots=True)
class FiredEvent:
    """The response to a test event.

    Attributes:
        event: The event type fired.
        event_id: `evt_…`.
        test: True in the API reference's sample.
        delivered_to: A count; documented on the SDK's page only.
        deliveries: The deliveries that cStar reports. An empty tuple does not mean failure.
        extra: Fields that cStar does not document, as received.
    """

    event: str | None = None
    event_id: str | None = None
    test: bool | None = None
    delivered_to: int | None = None
    deliveries: tuple[Delivery, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads the `data` of the response."""
        values, extra = read_fields(item, FIRED_FIELDS)
        entries = extra.get("deliveries")
        if entries is None or (isinstance(entries, list) and all(isinstance(entry, Mapping) for entry in entries)):
            extra.pop("deliveries", None)
            values["deliveries"] = tuple(Delivery.from_item(entry) for entry in entries or ())
        return cls(**values, extra=extra)

    def to_frame(self) -> "pd.DataFrame":
        """A row per reported delivery, or one row for the event if there is none.

        Columns: `event_id`, `event` (str), `test` (boolean), `delivered_to` (Int64), `delivery_id`, `url` (str),
        `success` (boolean), `status`, `response_time_ms` (Int64), `error` (str); then undocumented fields.
        """
        from .frames import fired_frame

        deliveries = [{**_as_item(delivery, DELIVERY_FIELDS), **delivery.extra} for delivery in self.deliveries]
        return fired_frame(_as_item(self, FIRED_FIELDS), deliveries, self.extra)

    def __repr__(self) -> str:
        reported = f"{len(self.deliveries)} deliveries reported"
        return f"FiredEvent({_quoted(self.event)}, {_quoted(self.event_id)}, {reported})"


@dataclass(frozen=True, slots=True)
class Identity:
    """The team and environment of a key: the response of `GET /api/v1/auth/whoami` (the SDK's start page)."""

    team_id: str | None = None
    team_name: str | None = None
    team_slug: str | None = None
    key_type: str | None = None
    environment: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads the `data` of the response."""
        values, extra = read_fields(item, IDENTITY_FIELDS)
        return cls(**values, extra=extra)


def _without_secrets(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The items, without secrets in undeclared fields. If no item has such a field, nothing is copied."""
    undeclared = set[str]().union(*items) - _DECLARED
    if not undeclared:
        return items
    return [
        without_secrets({key: value for key, value in item.items() if key in undeclared})
        | {key: value for key, value in item.items() if key in _DECLARED}
        for item in items
    ]


def _matching(event: str, patterns: tuple[str, ...]) -> str | None:
    """The first subscription that matches the event type, a literal one before wildcards."""
    from .events import is_wildcard

    if event in patterns:
        return event
    return next((name for name in patterns if is_wildcard(name) and event.startswith(name[:-1])), None)


_DECLARED = frozenset(key for field in WEBHOOK_FIELDS for key in field.keys)


def _as_item(value: object, fields: Iterable[Field]) -> dict[str, Any]:
    """The declared fields that are known, as cStar's JSON. A secret is none of them."""
    known = {field.keys[0]: getattr(value, field.name) for field in fields if getattr(value, field.name) is not None}
    return {key: part.isoformat() if isinstance(part, datetime) else part for key, part in known.items()}


def _cells(webhook: Webhook) -> dict[str, object]:
    cells = {field.name: getattr(webhook, field.name) for field in WEBHOOK_FIELDS}
    cells["events"] = ", ".join(webhook.events or ())
    return {name: "" if value is None else value for name, value in cells.items()}


def _quoted(value: str | None) -> str:
    return "None" if value is None else repr(printable(value, 120))
