"""What cStar tells, as plain typed values.

Every field but a webhook's `id` may be absent from some answer: the reference's own samples leave out `updatedAt` on
lists and creates, and `createdAt` on updates. Fields that nobody knows yet are kept in `extra`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

from .schema import DELIVERY_FIELDS, FIRED_FIELDS, IDENTITY_FIELDS, SECRET_KEYS, WEBHOOK_FIELDS, read_fields
from .secret import Secret
from .text import html_table, printable

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook: where cStar sends which events.

    Attributes:
        id: `whk_…`, to be treated as opaque.
        name, url: Text.
        events: The subscribed types, in cStar's order.
        is_active: Whether it is delivered to.
        created_at, updated_at: UTC; None where absent or unreadable (the text is then in `extra`).
        secret: The signing secret. cStar tells it once, in the answer to `create`.
        extra: Fields that no page of cStar's describes, as they came.
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
        """Reads one object of cStar's JSON, in camelCase or snake_case."""
        values, extra = read_fields(item, WEBHOOK_FIELDS)
        secret = next((extra[key] for key in SECRET_KEYS if isinstance(extra.get(key), str) and extra[key]), None)
        for key in SECRET_KEYS:
            extra.pop(key, None)
        return cls(**values, secret=Secret(secret) if secret else None, extra=extra)

    def to_frame(self) -> "pd.DataFrame":
        """One row, with the columns of `WebhookList.to_frame`. The secret is never a column."""
        from .frames import webhooks_frame

        return webhooks_frame([_as_item(self)])

    def __repr__(self) -> str:
        state = {True: "active", False: "inactive", None: "state unknown"}[self.is_active]
        secret = f", secret={self.secret}" if self.secret else ""
        events = ", ".join(self.events or ())
        name, url = _quoted(self.name), _quoted(self.url)
        return f"Webhook({_quoted(self.id)}, {name}, {url}, [{printable(events)}], {state}{secret})"

    def _repr_html_(self) -> str:
        return html_table(("field", "value"), [(name, value) for name, value in _cells(self).items()])


class WebhookList(Sequence[Webhook]):
    """The webhooks of a team, in cStar's order. Values are made when they are asked for.

    `to_frame()` gives a row per webhook, `subscriptions()` a row per webhook and event.
    """

    def __init__(self, items: Iterable[Mapping[str, Any]]) -> None:
        self._items = _without_secrets(list(items))

    @overload
    def __getitem__(self, index: int) -> Webhook: ...
    @overload
    def __getitem__(self, index: slice) -> "WebhookList": ...
    def __getitem__(self, index: int | slice) -> "Webhook | WebhookList":
        if isinstance(index, slice):
            return WebhookList(self._items[index])
        return Webhook.from_item(self._items[index])

    def __iter__(self) -> Iterator[Webhook]:
        return map(Webhook.from_item, self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def items(self) -> list[Mapping[str, Any]]:
        """The webhooks as they came, without secrets."""
        return list(self._items)

    def to_frame(self) -> "pd.DataFrame":
        """A row per webhook.

        Columns: `id`, `name`, `url` (str), `events` (tuples), `is_active` (boolean), `created_at`, `updated_at`
        (datetime64[us, UTC]); then, in snake_case, each field that no page describes. The same columns and dtypes
        with no rows as with many. A value that does not fit its column's type is kept as it came in `<column>_raw`.
        """
        from .frames import webhooks_frame

        return webhooks_frame(self._items)

    def subscriptions(self) -> "pd.DataFrame":
        """A row per webhook and event: `id`, `name`, `url`, `event` (str), `is_active` (boolean)."""
        from .frames import subscriptions_frame

        return subscriptions_frame(self._items)

    def coverage(self) -> "pd.DataFrame":
        """A row per published event type: `event`, `group` (str), `receivers` (int64), `webhooks` (tuples of names).

        Counted are active webhooks, wildcards resolved. An event that nobody receives has 0, one that is delivered twice 2.
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
        """Writes the frame to a CSV file that no spreadsheet executes; edited there, it is what `cx.plan` reads."""
        from .csv_files import write_csv

        write_csv(self.to_frame(), path)

    def __repr__(self) -> str:
        lines = [f"WebhookList of {len(self)}"]
        lines += [f"  {number}. {webhook!r}" for number, webhook in enumerate(self[:20], 1)]
        if len(self) > 20:
            lines.append(f"  … and {len(self) - 20:,} more; .to_frame() has them all")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        shown = [tuple(_cells(webhook).values()) for webhook in self[:50]]
        return html_table(tuple(field.name for field in WEBHOOK_FIELDS), shown, len(self))


@dataclass(frozen=True, slots=True)
class Delivery:
    """What cStar said of one delivery of a test event. Its shape is not published for that call: all may be absent."""

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
        """Reads one entry of `deliveries`."""
        values, extra = read_fields(item, DELIVERY_FIELDS)
        return cls(**values, extra=extra)


@dataclass(frozen=True, slots=True)
class FiredEvent:
    """The answer to a test event.

    Attributes:
        event: The type fired.
        event_id: `evt_…`.
        test: True in the API reference's sample.
        delivered_to: A count, on the SDK's page only.
        deliveries: As far as cStar tells them. None told is not a failure.
        extra: Fields that no page describes.
    """

    event: str | None = None
    event_id: str | None = None
    test: bool | None = None
    delivered_to: int | None = None
    deliveries: tuple[Delivery, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads the `data` of the answer."""
        values, extra = read_fields(item, FIRED_FIELDS)
        entries = extra.get("deliveries")
        if "deliveries" in extra and entries is None:
            del extra["deliveries"]
        elif isinstance(entries, list) and all(isinstance(entry, Mapping) for entry in entries):
            del extra["deliveries"]
            values["deliveries"] = tuple(Delivery.from_item(entry) for entry in entries)
        return cls(**values, extra=extra)

    def to_frame(self) -> "pd.DataFrame":
        """A row per delivery told; without any, the event's own one row.

        Columns: `event_id`, `event` (str), `test` (boolean), `delivered_to` (Int64), `delivery_id`, `url` (str),
        `success` (boolean), `status`, `response_time_ms` (Int64), `error` (str); then fields that no page describes.
        """
        from .frames import fired_frame

        event = {known.keys[0]: getattr(self, known.name) for known in FIRED_FIELDS}
        deliveries = [
            {known.keys[0]: getattr(delivery, known.name) for known in DELIVERY_FIELDS} | dict(delivery.extra)
            for delivery in self.deliveries
        ]
        return fired_frame(event, deliveries, self.extra)

    def __repr__(self) -> str:
        told = f"{len(self.deliveries)} deliveries told"
        return f"FiredEvent({_quoted(self.event)}, {_quoted(self.event_id)}, {told})"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose key it is, as `GET /api/v1/auth/whoami` answers (the SDK's start page)."""

    team_id: str | None = None
    team_name: str | None = None
    team_slug: str | None = None
    key_type: str | None = None
    environment: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """Reads the `data` of the answer."""
        values, extra = read_fields(item, IDENTITY_FIELDS)
        return cls(**values, extra=extra)


def _without_secrets(items: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    if set(SECRET_KEYS).isdisjoint(set().union(*items)):
        return items
    return [{key: value for key, value in item.items() if key not in SECRET_KEYS} for item in items]


def _as_item(webhook: Webhook) -> dict[str, Any]:
    """A webhook as an object of JSON again, without its secret."""
    times = {name: moment.isoformat() for name in ("created_at", "updated_at") if (moment := getattr(webhook, name))}
    plain = {
        name: value
        for name in ("id", "name", "url", "events", "is_active")
        if (value := getattr(webhook, name)) is not None
    }
    return {**plain, **times, **webhook.extra}


def _cells(webhook: Webhook) -> dict[str, object]:
    cells = {known.name: getattr(webhook, known.name) for known in WEBHOOK_FIELDS}
    cells["events"] = ", ".join(webhook.events or ())
    return {name: "" if value is None else value for name, value in cells.items()}


def _quoted(value: str | None) -> str:
    return "None" if value is None else repr(printable(value, 120))
