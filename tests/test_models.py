"""The models: reading responses, keeping undocumented fields, and display."""

import json
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import models

HOSTILE = "<img src=x onerror=alert(1)> $5 and $6"
SECRET = "whsec_AbCdEf1234567890"
CAMEL = {
    "id": "whk_1",
    "name": "Mine",
    "url": "https://example.com",
    "events": ["ticket.created", "ticket.closed"],
    "isActive": True,
    "createdAt": "2025-11-01T10:00:00Z",
    "updatedAt": "2025-11-15T12:00:00Z",
}
SNAKE = {
    {"isActive": "is_active", "createdAt": "created_at", "updatedAt": "updated_at"}.get(name, name): value
    for name, value in CAMEL.items()
}
FIRED = {"event": "ticket.created", "eventId": "evt_1", "test": True}
DELIVERY = {
    "deliveryId": "dlv_1",
    "event": "ticket.created",
    "url": "https://example.com",
    "success": False,
    "status": 500,
    "responseTimeMs": 12,
    "error": "down",
}


class Page(HTMLParser):
    """Parses HTML into its start tags and its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def every_repr(name: str) -> list[str]:
    """Every repr and HTML of models that have this text in all fields; the last two are HTML."""
    item = {"id": name, "name": name, "url": name, "events": [name], name: name, "createdAt": name}
    hook, hooks = models.Webhook.from_item(item), models.WebhookList([item])
    entry = {"deliveryId": name, "url": name, "error": name, name: name}
    fired = models.FiredEvent.from_item({"event": name, "eventId": name, name: name, "deliveries": [entry]})
    identity = models.Identity(team_id=name, team_name=name, team_slug=name, key_type=name, environment=name)
    objects = [hook, hooks, fired, fired.deliveries, identity]
    return [f"{each!r}\n{each}" for each in objects] + [hook._repr_html_(), hooks._repr_html_()]


# Reading


def test_every_field_of_a_webhook_but_its_id_may_be_absent() -> None:
    """Absent fields are None."""
    hook = models.Webhook.from_item({"id": "whk_1"})
    values = [hook.name, hook.url, hook.events, hook.is_active, hook.created_at, hook.updated_at, hook.secret]
    assert ("whk_1", [None] * 7, {}) == (hook.id, values, dict(hook.extra))


@pytest.mark.parametrize("item", [pytest.param(CAMEL, id="camel-case"), pytest.param(SNAKE, id="snake-case")])
def test_a_webhook_is_read_in_either_casing(item: dict[str, Any]) -> None:
    """Every field has its type, and nothing is left in `extra`."""
    assert models.Webhook(
        id="whk_1",
        name="Mine",
        url="https://example.com",
        events=("ticket.created", "ticket.closed"),
        is_active=True,
        created_at=datetime(2025, 11, 1, 10, tzinfo=UTC),
        updated_at=datetime(2025, 11, 15, 12, tzinfo=UTC),
    ) == models.Webhook.from_item(item)


def test_two_casings_that_disagree_are_both_kept() -> None:
    """One is the field, the other is in `extra`."""
    hook = models.Webhook.from_item({"id": "whk_1", "isActive": True, "is_active": False})
    assert [False, True] == sorted([hook.is_active, *hook.extra.values()])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(["ticket.created", "ticket.closed"], ("ticket.created", "ticket.closed"), id="list"),
        pytest.param("ticket.created,ticket.closed", ("ticket.created", "ticket.closed"), id="string"),
        pytest.param(" ticket.created , ticket.closed,", ("ticket.created", "ticket.closed"), id="untidy-string"),
        pytest.param("ticket.*", ("ticket.*",), id="wildcard"),
        pytest.param([], (), id="empty-list"),
        pytest.param("", (), id="empty-string"),
        pytest.param(None, None, id="null"),
    ],
)
def test_events_are_read_from_a_list_or_a_string(events: Any, expected: Any) -> None:
    """An empty list differs from null."""
    assert expected == models.Webhook.from_item({"id": "whk_1", "events": events}).events


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2025-11-01T10:00:00Z", datetime(2025, 11, 1, 10, tzinfo=UTC), id="seconds"),
        pytest.param("2025-11-01T10:00:00.123Z", datetime(2025, 11, 1, 10, 0, 0, 123_000, UTC), id="milliseconds"),
        pytest.param("2025-11-01T10:00:00.123456Z", datetime(2025, 11, 1, 10, 0, 0, 123_456, UTC), id="microseconds"),
        pytest.param("2025-11-01T12:30:00+02:30", datetime(2025, 11, 1, 10, tzinfo=UTC), id="offset"),
    ],
)
def test_times_are_read_in_utc(text: str, expected: datetime) -> None:
    """In every documented form, and with offsets."""
    read = models.Webhook.from_item({"id": "whk_1", "createdAt": text}).created_at
    assert (expected, UTC) == (read, read and read.tzinfo)


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        pytest.param("isActive", "is_active", "maybe", id="flag"),
        pytest.param("createdAt", "created_at", "yesterday", id="time"),
        pytest.param("createdAt", "created_at", "0001-01-01T00:00:00+14:00", id="time-out-of-range"),
        pytest.param("updated_at", "updated_at", ["2025"], id="time-in-a-list"),
        pytest.param("events", "events", {"ticket": True}, id="events"),
        pytest.param("events", "events", ["ticket.created", {"x": 1}], id="one-of-the-events"),
        pytest.param("url", "url", {"href": "https://example.com"}, id="text"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_in_extra(key: str, field: str, value: Any) -> None:
    """The field is None; `extra` has the value under its original name."""
    hook = models.Webhook.from_item({"id": "whk_1", key: value})
    assert (None, {key: value}) == (getattr(hook, field), dict(hook.extra))


def test_undocumented_fields_are_kept() -> None:
    """Under their own names, with nested values."""
    unknown = {"failureCount": 3, "retry": {"max": 6, "steps": [30, 120]}, "flat_payload": None}
    assert unknown == dict(models.Webhook.from_item(CAMEL | unknown).extra)
    assert unknown == dict(models.FiredEvent.from_item(FIRED | unknown).extra)


def test_a_fired_event_is_read_in_each_documented_form() -> None:
    """With deliveries, with a count, with neither, and in either casing."""
    both = models.FiredEvent.from_item(FIRED | {"deliveredTo": 1, "deliveries": [DELIVERY | {"attempt": 1}]})
    assert ("ticket.created", "evt_1", True, 1) == (both.event, both.event_id, both.test, both.delivered_to)
    assert [
        models.Delivery(
            delivery_id="dlv_1",
            event="ticket.created",
            url="https://example.com",
            success=False,
            status=500,
            response_time_ms=12,
            error="down",
            extra={"attempt": 1},
        )
    ] == list(both.deliveries)
    snake = models.FiredEvent.from_item({"event_id": "evt_1", "delivered_to": 2})
    assert (None, "evt_1", None, 2, []) == (
        snake.event,
        snake.event_id,
        snake.test,
        snake.delivered_to,
        list(snake.deliveries),
    )


def test_deliveries_in_an_unknown_form_are_kept() -> None:
    """A number, strings or an object where entries are expected."""
    for deliveries in (3, ["sent"], [{"url": "https://example.com"}, "sent"], {"whk_1": "sent"}):
        fired = models.FiredEvent.from_item(FIRED | {"deliveries": deliveries})
        assert json.dumps(deliveries) in json.dumps(dict(fired.extra))


# Lists


def test_a_webhook_list_is_a_sequence_in_the_order_of_the_response() -> None:
    """Length, indexes, slices, iteration and membership."""
    hooks = models.WebhookList({"id": f"whk_{index}"} for index in range(3))
    assert isinstance(hooks, Sequence)
    assert (3, "whk_0", "whk_2") == (len(hooks), hooks[0].id, hooks[-1].id)
    assert ["whk_1", "whk_2"] == [hook.id for hook in hooks[1:]]
    assert (["whk_0", "whk_1", "whk_2"], True) == ([hook.id for hook in hooks], hooks[1] in hooks)
    with pytest.raises(IndexError):
        hooks[3]


# Display


def test_a_hostile_name_is_shown_as_text() -> None:
    """It creates no element, and the browser shows the name itself."""
    for html in every_repr(HOSTILE)[-2:]:
        page = Page(html)
        assert {tag for tag, _ in page.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "div", "p", "code"}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert HOSTILE in page.text


def test_dollar_signs_are_not_typeset() -> None:
    """The outermost element has both class names, old and new, that MathJax ignores."""
    for html in every_repr(HOSTILE)[-2:]:
        _, attributes = Page(html).tags[0]
        assert {"mathjax_ignore", "tex2jax_ignore"} <= set((attributes["class"] or "").split())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"><script>alert(1)</script>', id="script-after-a-quote"),
        pytest.param("</td></table><b>", id="closing-tags"),
        pytest.param("&lt;b&gt; &amp;", id="entities"),
        pytest.param("$$x^2$$ \\(y\\)", id="mathematics"),
    ],
)
def test_markup_in_any_field_is_text(text: str) -> None:
    """The browser shows it as written, entities included."""
    for html in every_repr(text)[-2:]:
        page = Page(html)
        assert not {"script", "b"} & {tag for tag, _ in page.tags}
        assert text in page.text


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_no_repr_contains_control_or_direction_characters(name: str) -> None:
    """They and unpaired surrogates are escaped, in text and HTML."""
    controls = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for text in every_repr(f"\x1b[31m\u202e\u2066\u200f\x00\x9b\r{name}"):
        assert [] == [char for char in text if char != "\n" and unicodedata.category(char) in controls]


def test_a_name_stays_on_its_line() -> None:
    """A line break in a name cannot fake a second webhook."""
    hooks = models.WebhookList([{"id": "whk_1", "name": "x\n  2. Webhook('whk_2', 'fake')\u2028\x85"}])
    assert [1] == [number for number, line in enumerate(repr(hooks).splitlines()) if "whk_" in line]


def test_a_long_name_is_truncated() -> None:
    """In text and HTML."""
    hooks = models.WebhookList([{"id": "whk_1", "name": "x" * 1_000_000}])
    texts = [repr(hooks), hooks._repr_html_(), repr(hooks[0]), hooks[0]._repr_html_()]
    assert max(len(text) for text in texts) < 5_000


# Secrets


@pytest.mark.parametrize("key", ["secret", "signingSecret", "signing_secret"])
def test_the_secret_is_read_from_each_name_and_never_shown(key: str) -> None:
    """It is a Secret, and in no repr, text, HTML or remaining field."""
    item = CAMEL | {key: SECRET}
    hook, hooks = models.Webhook.from_item(item), models.WebhookList([item])
    assert isinstance(hook.secret, cx.Secret)
    assert hook.secret.reveal() == SECRET
    texts = [repr(hook), str(hook), f"{hook:}", hook._repr_html_(), repr(hooks), hooks._repr_html_(), repr(vars(hooks))]
    assert [] == [text for text in texts if SECRET in text]
    assert {} == dict(hook.extra)


@pytest.mark.parametrize("value", [pytest.param(None, id="null"), pytest.param("", id="empty")])
def test_a_missing_secret_is_none(value: Any) -> None:
    """Neither null nor an empty string becomes a Secret."""
    assert models.Webhook.from_item(CAMEL | {"secret": value}).secret is None


# Who receives an event type


def test_receiving_finds_every_subscription_of_a_type() -> None:
    """Literal or by a wildcard, with the one that matches; a paused webhook is marked."""
    patterns = {
        "whk_1": ["ticket.created"],
        "whk_2": ["ticket.*"],
        "whk_3": ["*"],
        "whk_4": ["ticket.closed"],
        "whk_5": [],
    }
    items = [CAMEL | {"id": each, "events": events} for each, events in patterns.items()]
    items[1]["isActive"] = False
    items += [CAMEL | {"id": "whk_6", "events": ["ticket.*", "ticket.created"]}, {"id": "whk_7"}]
    frame = models.WebhookList(items).receiving("ticket.created")
    assert ["id", "name", "url", "subscription", "is_active"] == list(frame)
    assert ["whk_1", "whk_2", "whk_3", "whk_6"] == list(frame["id"])
    assert ["ticket.created", "ticket.*", "*", "ticket.created"] == list(frame["subscription"])
    assert [True, False, True, True] == list(frame["is_active"])


def test_receiving_agrees_with_coverage_and_subscriptions() -> None:
    """For each published type."""
    items = [
        CAMEL | {"id": f"whk_{number}", "name": f"whk_{number}", "events": events}
        for number, events in enumerate([["*"], ["ticket.*"], ["ticket.closed", "sla.*"]])
    ]
    hooks = models.WebhookList(items)
    coverage = dict(zip(hooks.coverage()["event"], hooks.coverage()["webhooks"], strict=True))
    subscriptions = hooks.subscriptions().groupby("event")["id"].agg(tuple)
    for name in cx.events.NAMES:
        assert coverage[name] == subscriptions[name] == tuple(hooks.receiving(name)["id"])


def test_receiving_warns_about_an_unpublished_type() -> None:
    """A wildcard of its resource still matches."""
    hooks = models.WebhookList([CAMEL | {"events": ["ticket.*"]}])
    with pytest.warns(cx.events.UnknownEventWarning, match=r"ticket\.created"):
        assert ["whk_1"] == list(hooks.receiving("ticket.craeted")["id"])


@pytest.mark.parametrize(
    "event", ["ticket.*", "*", "", "ticket.created,ticket.closed", "a b", 7, None, ["ticket.created", "x"]]
)
def test_receiving_needs_one_event_type(event: Any) -> None:
    """A wildcard is no event type."""
    with pytest.raises(cx.errors.ValidationError):
        models.WebhookList([]).receiving(event)
