"""The frames: their columns and dtypes, whatever cStar sends, and what pandas can do with them."""

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import models

HOSTILE = "<img src=x onerror=alert(1)> $5 and $6"
SECRET = "whsec_AbCdEf1234567890"
DTYPES = {
    "id": "str",
    "name": "str",
    "url": "str",
    "events": "object",
    "is_active": "boolean",
    "created_at": "datetime64[us, UTC]",
    "updated_at": "datetime64[us, UTC]",
}
SUBSCRIPTIONS = {"id": "str", "name": "str", "url": "str", "event": "str", "is_active": "boolean"}
FIRED = {
    "event_id": "str",
    "event": "str",
    "test": "boolean",
    "delivered_to": "Int64",
    "delivery_id": "str",
    "url": "str",
    "success": "boolean",
    "status": "Int64",
    "response_time_ms": "Int64",
    "error": "str",
}
ONE = {
    "id": "whk_1",
    "name": "One",
    "url": "https://example.com/1",
    "events": ["ticket.created", "ticket.closed"],
    "isActive": True,
    "createdAt": "2025-11-01T10:00:00Z",
    "updatedAt": "2025-11-15T12:00:00.250Z",
}
TWO = {"id": "whk_2", "name": "Two", "url": "https://example.com/2", "events": "article.*", "isActive": False}
BARE = {"id": "whk_3"}
DELIVERY = {"deliveryId": "dlv_1", "url": "https://example.com", "success": True, "status": 200, "responseTimeMs": 12}


def frame(*items: dict[str, Any]) -> pd.DataFrame:
    """The frame of a list of webhooks."""
    return models.WebhookList(items).to_frame()


def fired(**fields: Any) -> pd.DataFrame:
    """The frame of a fired event."""
    item = {"event": "ticket.created", "eventId": "evt_1", "test": True} | fields
    return models.FiredEvent.from_item(item).to_frame()


def dtypes(frame: pd.DataFrame) -> dict[str, str]:
    """Column names, in order, and their dtypes in words."""
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def told(frame: pd.DataFrame, column: str) -> list[Any]:
    """A column's values, with None for what is missing."""
    return [None if gone else value for value, gone in zip(frame[column], frame[column].isna(), strict=True)]


# Columns and dtypes


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="empty"),
        pytest.param([ONE, TWO], id="full"),
        pytest.param([ONE, BARE], id="partial"),
        pytest.param([BARE], id="bare"),
        pytest.param([dict.fromkeys(ONE) | BARE], id="nulls"),
    ],
)
def test_columns_and_dtypes_are_the_same_with_any_rows(items: list[dict[str, Any]]) -> None:
    """Declared in this order, with a plain index."""
    assert list(DTYPES.items()) == list(dtypes(frame(*items)).items())
    assert pd.RangeIndex(len(items)).equals(frame(*items).index)


def test_values_stand_in_their_columns() -> None:
    """Tuples for events, UTC times in microseconds, pandas' own missing values."""
    first, second, third = frame(ONE, TWO, BARE).to_dict("records")
    assert first == {
        "id": "whk_1",
        "name": "One",
        "url": "https://example.com/1",
        "events": ("ticket.created", "ticket.closed"),
        "is_active": True,
        "created_at": pd.Timestamp("2025-11-01T10:00:00Z"),
        "updated_at": pd.Timestamp("2025-11-15T12:00:00.250Z"),
    }
    assert (("article.*",), False) == (second["events"], second["is_active"])
    assert ("whk_3", [True] * 6) == (third.pop("id"), [pd.isna(value) for value in third.values()])


def test_one_webhook_is_a_frame_of_one_row() -> None:
    """The same frame as a list of one."""
    pd.testing.assert_frame_equal(frame(ONE), models.Webhook.from_item(ONE).to_frame())


def test_a_list_from_the_sandbox_has_the_declared_columns_only(client: cx.Client) -> None:
    """Over a real connection."""
    assert dtypes(client.webhooks.list().to_frame()) == DTYPES


def test_times_in_mixed_forms_share_one_column() -> None:
    """With and without fractions and offsets, each its own point in time."""
    forms = [
        "2025-11-01T10:00:00Z",
        "2025-11-01T10:00:00.5Z",
        "2025-11-01T10:00:00.123Z",
        "2025-11-01T10:00:00.123456Z",
        "2025-11-01T12:00:00+02:00",
        "2025-11-01T04:00:00.250-06:00",
    ]
    made = frame(*({"id": form, "createdAt": form} for form in forms))
    assert [pd.Timestamp(form).tz_convert("UTC") for form in forms] == list(made["created_at"])
    assert dtypes(made) == DTYPES


def test_unknown_fields_are_further_columns() -> None:
    """In snake_case, behind the declared ones, nested values whole, missing where a row has none."""
    made = frame(ONE | {"failureCount": 3, "retryPolicy": {"max": 6}, "tags": ["a"]}, TWO | {"failureCount": 4}, BARE)
    assert [*DTYPES, "failure_count", "retry_policy", "tags"] == list(made.columns)
    assert DTYPES == {name: dtype for name, dtype in dtypes(made).items() if name in DTYPES}
    assert [3, 4, None] == told(made, "failure_count")
    assert ([{"max": 6}, None, None], [["a"], None, None]) == (told(made, "retry_policy"), told(made, "tags"))


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        pytest.param("isActive", "maybe", "is_active", id="flag"),
        pytest.param("createdAt", "yesterday", "created_at", id="time"),
        pytest.param("updatedAt", 1_761_991_200.5, "updated_at", id="time-as-number"),
        pytest.param("name", ["One"], "name", id="text-in-a-list"),
        pytest.param("url", {"href": "x"}, "url", id="text-in-an-object"),
        pytest.param("events", 7, "events", id="events"),
        pytest.param("events", ["ticket.created", 5], "events", id="one-of-the-events"),
    ],
)
def test_a_value_that_does_not_fit_is_kept_beside_its_column(key: str, value: Any, column: str) -> None:
    """Missing in the declared column, whole in `<column>_raw`, the other rows undisturbed."""
    made = frame(ONE, TWO | {key: value})
    assert [*DTYPES, f"{column}_raw"] == list(made.columns)
    assert DTYPES == {name: dtype for name, dtype in dtypes(made).items() if name in DTYPES}
    assert pd.isna(made[column][1])
    assert [None, value] == [one if one == value else None for one in made[f"{column}_raw"]]
    pd.testing.assert_frame_equal(frame(ONE), made.iloc[:1][[*DTYPES]])


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"failureCount": 1, "failure_count": 2}, id="two-unknown-casings"),
        pytest.param({"isActive": True, "is_active": False}, id="two-known-casings"),
        pytest.param({"isActive": "maybe", "is_active_raw": "mine"}, id="a-field-named-like-a-misfit"),
    ],
)
def test_two_fields_that_want_one_column_are_both_kept(fields: dict[str, Any]) -> None:
    """Whatever the further columns are called."""
    made = frame(BARE | fields)
    assert made.columns.is_unique
    cells = [made[column].iloc[0] for column in made.columns]
    assert [] == [sent for sent in fields.values() if not any(same(sent, cell) for cell in cells)]


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-01T10:00:00.5Z",
        "2025-11-01T10:00:00",
        "2025",
        "yesterday",
        "",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_a_frame_and_a_model_agree_on_what_is_a_time(text: str) -> None:
    """What the one puts aside as unreadable, the other does too."""
    hooks = models.WebhookList([BARE | {"createdAt": text}])
    expected = hooks[0].created_at
    assert [None if expected is None else pd.Timestamp(expected)] == told(hooks.to_frame(), "created_at")


# What pandas does with them


def test_events_can_be_exploded_merged_and_deduplicated() -> None:
    """Tuples are hashable, also beside missing ones."""
    made = frame(ONE, TWO, BARE, ONE)
    exploded = made.explode("events")
    assert ["ticket.created", "ticket.closed", "article.*", "ticket.created", "ticket.closed"] == list(
        exploded["events"].dropna()
    )
    assert ["whk_1", "whk_2", "whk_3"] == list(made.drop_duplicates()["id"])
    assert ["whk_1", "whk_2", "whk_3"] == list(made.drop_duplicates("events")["id"])
    both = frame(ONE, TWO).merge(made, on=["id", "events"], how="left")
    assert ["whk_1", "whk_1", "whk_2"] == list(both["id"])
    pd.testing.assert_frame_equal(frame(ONE), frame(ONE).merge(frame(ONE)))


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["empty-first", "empty-last"])
def test_empty_and_full_frames_can_be_joined(order: slice) -> None:
    """No dtype changes and pandas warns of nothing, for each kind of frame."""
    hooks, none = models.WebhookList([ONE, TWO]), models.WebhookList([])
    kinds = [
        ([none.to_frame(), hooks.to_frame()], DTYPES),
        ([none.subscriptions(), hooks.subscriptions()], SUBSCRIPTIONS),
        ([fired(), fired(deliveries=[DELIVERY])], FIRED),
    ]
    for frames, expected in kinds:
        assert expected == dtypes(pd.concat(frames[order]))


def test_a_frame_can_be_written_as_json() -> None:
    """`to_json` takes all that the frame holds."""
    rows = json.loads(frame(ONE, TWO, BARE).to_json(orient="records", date_format="iso"))
    assert ["whk_1", "whk_2", "whk_3"] == [row["id"] for row in rows]
    assert rows[0]["events"] == ["ticket.created", "ticket.closed"]


def test_a_frame_is_its_own() -> None:
    """Writing into it changes neither the list nor the next frame."""
    hooks = models.WebhookList([ONE])
    made = hooks.to_frame()
    made.loc[0, "name"] = "changed"
    assert ("One", "One") == (hooks[0].name, hooks.to_frame()["name"][0])


def test_a_hostile_name_in_a_frame_is_shown_as_its_characters() -> None:
    """pandas escapes the markup, and MathJax leaves the dollars alone."""
    html = frame(ONE | {"name": HOSTILE}).to_html() + frame(ONE | {"name": HOSTILE})._repr_html_()
    assert ("<img" in html, html.count("mathjax_ignore")) == (False, 2)
    assert "&lt;img src=x onerror=alert(1)&gt; $5 and $6" in html


# Subscriptions


def test_subscriptions_have_a_row_per_webhook_and_event() -> None:
    """In the order of the answer; a webhook without events has none."""
    made = models.WebhookList([ONE, TWO, BARE, {"id": "whk_4", "events": []}]).subscriptions()
    expected = [("whk_1", "ticket.created"), ("whk_1", "ticket.closed"), ("whk_2", "article.*")]
    assert expected == list(zip(made["id"], made["event"], strict=True))
    assert [True, True, False] == list(made["is_active"])
    assert pd.RangeIndex(3).equals(made.index)


@pytest.mark.parametrize("items", [[], [BARE], [ONE], [ONE, TWO, BARE]], ids=["empty", "bare", "one", "many"])
def test_subscriptions_have_the_same_columns_with_any_rows(items: list[dict[str, Any]]) -> None:
    """Also when nobody subscribes to anything."""
    assert list(SUBSCRIPTIONS.items()) == list(dtypes(models.WebhookList(items).subscriptions()).items())


# A fired event


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        pytest.param({}, 1, id="nothing-told"),
        pytest.param({"deliveries": []}, 1, id="no-delivery"),
        pytest.param({"deliveries": None}, 1, id="null"),
        pytest.param({"deliveredTo": 2}, 1, id="a-count-only"),
        pytest.param({"deliveries": [DELIVERY]}, 1, id="one"),
        pytest.param({"deliveries": [DELIVERY, {"error": "down"}, {}]}, 3, id="many"),
    ],
)
def test_a_fired_event_has_a_row_per_delivery_and_at_least_one(fields: dict[str, Any], rows: int) -> None:
    """The same columns each time, and the event in each row."""
    made = fired(**fields)
    assert list(FIRED.items()) == list(dtypes(made).items())
    assert [("evt_1", "ticket.created", True)] * rows == list(
        zip(made["event_id"], made["event"], made["test"], strict=True)
    )


def test_a_delivery_stands_in_its_row() -> None:
    """Every published field; the count beside them."""
    made = fired(deliveredTo=2, deliveries=[DELIVERY, {"success": False, "error": "timeout"}])
    assert ([2, 2], ["dlv_1", None]) == (told(made, "delivered_to"), told(made, "delivery_id"))
    assert ([True, False], [200, None]) == (told(made, "success"), told(made, "status"))
    assert ([12, None], [None, "timeout"]) == (told(made, "response_time_ms"), told(made, "error"))


def test_unknown_fields_of_a_fired_event_and_its_deliveries_are_further_columns() -> None:
    """The event's in every row, an entry's in its own."""
    made = fired(listeners=1, deliveries=[DELIVERY | {"webhookId": "whk_1", "response": {"ok": True}}, DELIVERY])
    assert {"listeners", "webhook_id", "response"} == set(made.columns) - set(FIRED)
    assert ([1, 1], ["whk_1", None]) == (told(made, "listeners"), told(made, "webhook_id"))
    assert [{"ok": True}, None] == told(made, "response")


@pytest.mark.parametrize("odd", [3, "sent", ["sent"], [DELIVERY, "sent"], {"whk_1": "sent"}, [[1]]], ids=str)
def test_deliveries_in_a_form_nobody_knows_are_in_the_frame(odd: Any) -> None:
    """As they came, in a column of their name."""
    assert [odd] == list(fired(deliveries=odd)["deliveries"])


def test_an_event_that_a_delivery_tells_differently_is_not_lost() -> None:
    """Both the fired type and the entry's own can be read."""
    row = fired(deliveries=[DELIVERY | {"event": "ticket.closed"}]).loc[0]
    assert {"ticket.created", "ticket.closed"} <= {cell for cell in row if isinstance(cell, str)}


# The secret


@pytest.mark.parametrize("key", ["secret", "signingSecret", "signing_secret"])
def test_the_secret_is_in_no_frame(key: str) -> None:
    """Neither as a column nor in anything a frame can be turned into."""
    hooks = models.WebhookList([ONE | {key: SECRET}, TWO])
    for made in (hooks.to_frame(), hooks[0].to_frame(), hooks.subscriptions()):
        assert [] == [column for column in made.columns if "secret" in column]
        assert SECRET not in "".join(
            [made.to_json(date_format="iso"), made.to_csv(), made.to_html(), repr(made), str(made.to_dict())]
        )


# Whatever is sent

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
KNOWN = ["name", "url", "events", "isActive", "is_active", "createdAt", "created_at", "updatedAt"]
AWKWARD = [
    "failureCount",
    "failure_count",
    "FailureCount",
    "is_active_raw",
    "events_raw",
    "index",
    "extra",
    "ID",
    "",
    "2x",
]
VALUES = JSON | st.sampled_from(
    ["2025-11-01T10:00:00Z", "2025-11-01T10:00:00.123+02:00", "ticket.created", "a,b", "true"]
)
ITEMS = st.lists(
    st.builds(
        lambda id_, fields: {"id": id_} | fields,
        ANY_TEXT,
        st.dictionaries(st.sampled_from(KNOWN + AWKWARD) | ANY_TEXT, VALUES, max_size=5).map(
            lambda fields: {name: value for name, value in fields.items() if name != "id" and "ecret" not in name}
        ),
    ),
    max_size=4,
)


def readings(sent: Any) -> list[Any]:
    """What a sent value may be in a frame: itself, a scalar as text, events as a tuple, a time as a point in time."""
    match sent:
        case str():
            parts = tuple(part.strip() for part in sent.split(",") if part.strip())
            return [sent, parts, pd.to_datetime(sent, format="ISO8601", utc=True, errors="coerce")]
        case list():
            return [sent, tuple(sent)]
        case bool() | int() | float():
            return [sent, str(sent)]
    return [sent]


def same(sent: Any, cell: Any) -> bool:
    """Whether a cell says what was sent; True and 1 are two things, 1 and 1.0 are one."""
    cell = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return isinstance(sent, int | float) and not isinstance(sent, bool) and sent == cell
    return any(type(reading) is type(cell) and reading == cell for reading in readings(sent))


@settings(deadline=None)
@given(ITEMS)
@example([{"id": "a", "failureCount": 1, "failure_count": 2}])
@example([{"id": "a", "isActive": "maybe", "is_active_raw": "mine"}])
@example([{"id": "a", "n": 1}, {"id": "b", "n": 2**53 + 1}, {"id": "c", "n": 0.5}])
@example([{"id": "a", "n": True}, {"id": "b", "n": 1}, {"id": "c", "n": "1"}])
@example([{"id": "a", "n": 2**64}])
@example([{"id": "\ud800", "name": "\ud800"}])
@example([{"id": "a", "name": 5}])
def test_whatever_is_sent_no_row_and_no_value_is_lost(items: list[dict[str, Any]]) -> None:
    """Any JSON under any names: a row per item, the declared dtypes, and each value somewhere in its row."""
    made = frame(*items)
    assert len(items) == len(made)
    assert made.columns.is_unique
    assert DTYPES == {name: dtype for name, dtype in dtypes(made).items() if name in DTYPES}
    for place, item in enumerate(items):
        cells = [made[column].iloc[place] for column in made.columns]
        lost = {name: sent for name, sent in item.items() if sent is not None and not any(same(sent, c) for c in cells)}
        assert {} == lost


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*KNOWN, "deliveries", "eventId", "test", "deliveredTo", "secret"]), JSON))
def test_whatever_is_sent_about_a_fired_event_has_a_frame(item: dict[str, Any]) -> None:
    """The declared columns, and at least one row."""
    made = models.FiredEvent.from_item(item).to_frame()
    assert FIRED == {name: dtype for name, dtype in dtypes(made).items() if name in FIRED}
    assert len(made) >= 1


@settings(deadline=None)
@given(ITEMS)
def test_whatever_is_sent_can_be_shown(items: list[dict[str, Any]]) -> None:
    """Every webhook can be read, listed and shown, and what is shown can be written as UTF-8."""
    hooks = models.WebhookList(items)
    shown = [repr(hooks), hooks._repr_html_(), *(repr(hook) + hook._repr_html_() for hook in hooks)]
    assert "".join(shown).encode()
    assert len(items) == len(hooks)
    assert sum(len(hook.events or ()) for hook in hooks) == len(hooks.subscriptions())


def test_no_frame_is_typeset_whichever_room_makes_the_first() -> None:
    """A webhook may cost $5 and $6: not even the first frame of a process is given to MathJax."""
    code = "import cstar_explore as cx; print(cx.events.catalogue()._repr_html_().count('mathjax_ignore'))"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "1" == ran.stdout.strip()
