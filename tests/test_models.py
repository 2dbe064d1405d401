"""The models: what they take from an answer, what they keep, and how they show themselves."""

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
    """What a browser makes of a piece of HTML: the tags it opens and the characters it shows."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def every_repr(name: str) -> list[str]:
    """All the ways in which models with this text in all their fields show themselves."""
    item = {"id": name, "name": name, "url": name, "events": [name], name: name, "createdAt": name}
    hook, hooks = models.Webhook.from_item(item), models.WebhookList([item])
    entry = {"deliveryId": name, "url": name, "error": name, name: name}
    fired = models.FiredEvent.from_item({"event": name, "eventId": name, name: name, "deliveries": [entry]})
    identity = models.Identity(team_id=name, team_name=name, team_slug=name, key_type=name, environment=name)
    shown = [hook, hooks, fired, fired.deliveries, identity]
    return [f"{one!r}\n{one}" for one in shown] + [hook._repr_html_(), hooks._repr_html_()]


# Taking


def test_every_field_of_a_webhook_but_its_id_may_be_absent() -> None:
    """What was not told is None, not a guess."""
    hook = models.Webhook.from_item({"id": "whk_1"})
    told = [hook.name, hook.url, hook.events, hook.is_active, hook.created_at, hook.updated_at, hook.secret]
    assert ("whk_1", [None] * 7, {}) == (hook.id, told, dict(hook.extra))


@pytest.mark.parametrize("item", [pytest.param(CAMEL, id="camel-case"), pytest.param(SNAKE, id="snake-case")])
def test_a_webhook_is_read_in_either_casing(item: dict[str, Any]) -> None:
    """Every field has its type, nothing is left over."""
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
    """One becomes the field, the other stays readable."""
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
    """None subscribed and not told are two things."""
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
    """Every published form, and offsets."""
    read = models.Webhook.from_item({"id": "whk_1", "createdAt": text}).created_at
    assert (expected, UTC) == (read, read and read.tzinfo)


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        pytest.param("isActive", "is_active", "maybe", id="flag"),
        pytest.param("createdAt", "created_at", "yesterday", id="time"),
        pytest.param("createdAt", "created_at", "0001-01-01T00:00:00+14:00", id="time-before-all-time"),
        pytest.param("updated_at", "updated_at", ["2025"], id="time-in-a-list"),
        pytest.param("events", "events", {"ticket": True}, id="events"),
        pytest.param("events", "events", ["ticket.created", {"x": 1}], id="one-of-the-events"),
        pytest.param("url", "url", {"href": "https://example.com"}, id="text"),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_kept_apart(key: str, field: str, value: Any) -> None:
    """The field is None, the value stays under the name it came with."""
    hook = models.Webhook.from_item({"id": "whk_1", key: value})
    assert (None, {key: value}) == (getattr(hook, field), dict(hook.extra))


def test_fields_that_nobody_knows_are_kept() -> None:
    """Under their own names, nested ones whole."""
    unknown = {"failureCount": 3, "retry": {"max": 6, "steps": [30, 120]}, "flat_payload": None}
    assert unknown == dict(models.Webhook.from_item(CAMEL | unknown).extra)
    assert unknown == dict(models.FiredEvent.from_item(FIRED | unknown).extra)


def test_a_fired_event_is_read_in_each_published_form() -> None:
    """With deliveries, with a count, with neither, in either casing."""
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


def test_deliveries_in_a_form_nobody_knows_are_not_lost() -> None:
    """A count, a null or bare strings where entries are expected."""
    for odd in (3, ["sent"], [{"url": "https://example.com"}, "sent"], {"whk_1": "sent"}):
        fired = models.FiredEvent.from_item(FIRED | {"deliveries": odd})
        assert json.dumps(odd) in json.dumps(dict(fired.extra))


# The list


def test_a_webhook_list_is_a_sequence_in_the_order_of_the_answer() -> None:
    """Length, places, slices, iteration and membership."""
    hooks = models.WebhookList({"id": f"whk_{place}"} for place in range(3))
    assert isinstance(hooks, Sequence)
    assert (3, "whk_0", "whk_2") == (len(hooks), hooks[0].id, hooks[-1].id)
    assert ["whk_1", "whk_2"] == [hook.id for hook in hooks[1:]]
    assert (["whk_0", "whk_1", "whk_2"], True) == ([hook.id for hook in hooks], hooks[1] in hooks)
    with pytest.raises(IndexError):
        hooks[3]


# Showing


def test_a_hostile_name_is_shown_as_its_characters() -> None:
    """No element comes of it, and the text that a browser shows is the name."""
    for html in every_repr(HOSTILE)[-2:]:
        page = Page(html)
        assert {tag for tag, _ in page.tags} <= {"table", "thead", "tbody", "tr", "th", "td", "div", "p", "code"}
        assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
        assert HOSTILE in page.shown


def test_dollars_do_not_become_mathematics() -> None:
    """Everything stands in one element that MathJax leaves alone, under its old and its new name for that."""
    for html in every_repr(HOSTILE)[-2:]:
        _, attributes = Page(html).tags[0]
        assert {"mathjax_ignore", "tex2jax_ignore"} <= set((attributes["class"] or "").split())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"><script>alert(1)</script>', id="script-behind-a-quote"),
        pytest.param("</td></table><b>", id="closing-tags"),
        pytest.param("&lt;b&gt; &amp;", id="entities"),
        pytest.param("$$x^2$$ \\(y\\)", id="mathematics"),
    ],
)
def test_markup_in_any_field_is_text(text: str) -> None:
    """What was written is what is read, entities included."""
    for html in every_repr(text)[-2:]:
        page = Page(html)
        assert not {"script", "b"} & {tag for tag, _ in page.tags}
        assert text in page.shown


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_no_repr_steers_a_terminal_or_turns_the_reading_direction(text: str) -> None:
    """Control characters, direction marks and lone surrogates are spelled out, in plain and in HTML."""
    steering = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    for shown in every_repr(f"\x1b[31m\u202e\u2066\u200f\x00\x9b\r{text}"):
        assert [] == [mark for mark in shown if mark != "\n" and unicodedata.category(mark) in steering]


def test_a_name_stays_on_its_line() -> None:
    """A line break in a name cannot counterfeit a second webhook in the list."""
    hooks = models.WebhookList([{"id": "whk_1", "name": "x\n  2. Webhook('whk_2', 'fake')\u2028\x85"}])
    assert [1] == [number for number, line in enumerate(repr(hooks).splitlines()) if "whk_" in line]


def test_a_long_name_does_not_flood_the_page() -> None:
    """A megabyte of it is cut, in plain and in HTML."""
    hooks = models.WebhookList([{"id": "whk_1", "name": "x" * 1_000_000}])
    shown = [repr(hooks), hooks._repr_html_(), repr(hooks[0]), hooks[0]._repr_html_()]
    assert max(len(text) for text in shown) < 5_000


# The secret


@pytest.mark.parametrize("key", ["secret", "signingSecret", "signing_secret"])
def test_the_secret_is_read_under_each_of_its_names_and_shown_under_none(key: str) -> None:
    """It is a Secret, and in no repr, text, page or remaining field."""
    item = CAMEL | {key: SECRET}
    hook, hooks = models.Webhook.from_item(item), models.WebhookList([item])
    assert isinstance(hook.secret, cx.Secret)
    assert hook.secret.reveal() == SECRET
    shown = [repr(hook), str(hook), f"{hook:}", hook._repr_html_(), repr(hooks), hooks._repr_html_(), repr(vars(hooks))]
    assert [] == [text for text in shown if SECRET in text]
    assert {} == dict(hook.extra)


@pytest.mark.parametrize("value", [pytest.param(None, id="null"), pytest.param("", id="empty")])
def test_a_secret_that_was_not_told_is_none(value: Any) -> None:
    """Nothing that looks like a secret is made of nothing."""
    assert models.Webhook.from_item(CAMEL | {"secret": value}).secret is None
