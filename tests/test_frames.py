"""DataFrames: columns and dtypes for any response, and the pandas operations that work on them."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors, frames, models

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
    """Column names, in order, and the names of their dtypes."""
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


def values(frame: pd.DataFrame, column: str) -> list[Any]:
    """The values of a column, with None for missing ones."""
    return [None if missing else value for value, missing in zip(frame[column], frame[column].isna(), strict=True)]


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
def test_columns_and_dtypes_do_not_depend_on_the_rows(items: list[dict[str, Any]]) -> None:
    """In the declared order, with a RangeIndex."""
    assert list(DTYPES.items()) == list(dtypes(frame(*items)).items())
    assert pd.RangeIndex(len(items)).equals(frame(*items).index)


def test_values_are_in_their_columns() -> None:
    """Events are tuples, times UTC with microseconds, and missing values pandas' own."""
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


def test_a_list_from_the_sandbox_has_only_the_declared_columns(client: cx.Client) -> None:
    """Over a real connection."""
    assert dtypes(client.webhooks.list().to_frame()) == DTYPES


def test_times_in_mixed_forms_share_one_column() -> None:
    """With and without fractions and offsets."""
    forms = [
        "2025-11-01T10:00:00Z",
        "2025-11-01T10:00:00.5Z",
        "2025-11-01T10:00:00.123Z",
        "2025-11-01T10:00:00.123456Z",
        "2025-11-01T12:00:00+02:00",
        "2025-11-01T04:00:00.250-06:00",
    ]
    result = frame(*({"id": form, "createdAt": form} for form in forms))
    assert [pd.Timestamp(form).tz_convert("UTC") for form in forms] == list(result["created_at"])
    assert dtypes(result) == DTYPES


def test_undocumented_fields_are_further_columns() -> None:
    """In snake_case, after the declared ones; nested values are kept whole, absent ones are missing."""
    result = frame(ONE | {"failureCount": 3, "retryPolicy": {"max": 6}, "tags": ["a"]}, TWO | {"failureCount": 4}, BARE)
    assert [*DTYPES, "failure_count", "retry_policy", "tags"] == list(result.columns)
    assert DTYPES == {name: dtype for name, dtype in dtypes(result).items() if name in DTYPES}
    assert [3, 4, None] == values(result, "failure_count")
    assert ([{"max": 6}, None, None], [["a"], None, None]) == (values(result, "retry_policy"), values(result, "tags"))


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [
        pytest.param("isActive", "maybe", "is_active", id="flag"),
        pytest.param("createdAt", "yesterday", "created_at", id="time"),
        pytest.param("updatedAt", 1_761_991_200.5, "updated_at", id="time-as-number"),
        pytest.param("name", ["One"], "name", id="name-as-list"),
        pytest.param("url", {"href": "x"}, "url", id="url-as-object"),
        pytest.param("events", 7, "events", id="events"),
        pytest.param("events", ["ticket.created", 5], "events", id="one-of-the-events"),
    ],
)
def test_a_value_that_does_not_fit_is_kept_in_a_raw_column(key: str, value: Any, column: str) -> None:
    """It is missing in the declared column, and the other rows are not affected."""
    result = frame(ONE, TWO | {key: value})
    assert [*DTYPES, f"{column}_raw"] == list(result.columns)
    assert DTYPES == {name: dtype for name, dtype in dtypes(result).items() if name in DTYPES}
    assert pd.isna(result[column][1])
    assert [None, value] == [cell if cell == value else None for cell in result[f"{column}_raw"]]
    pd.testing.assert_frame_equal(frame(ONE), result.iloc[:1][[*DTYPES]])


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"failureCount": 1, "failure_count": 2}, id="two-casings-of-an-undocumented-field"),
        pytest.param({"isActive": True, "is_active": False}, id="two-casings-of-a-documented-field"),
        pytest.param({"isActive": "maybe", "is_active_raw": "mine"}, id="a-field-named-like-a-raw-column"),
    ],
)
def test_two_fields_with_one_column_name_are_both_kept(fields: dict[str, Any]) -> None:
    """In columns with unique names."""
    result = frame(BARE | fields)
    assert result.columns.is_unique
    cells = [result[column].iloc[0] for column in result.columns]
    assert [] == [value for value in fields.values() if not any(same(value, cell) for cell in cells)]


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
def test_frames_and_models_agree_on_what_is_a_time(text: str) -> None:
    """What is invalid in one is invalid in the other."""
    hooks = models.WebhookList([BARE | {"createdAt": text}])
    expected = hooks[0].created_at
    assert [None if expected is None else pd.Timestamp(expected)] == values(hooks.to_frame(), "created_at")


# pandas operations


def test_events_can_be_exploded_merged_and_deduplicated() -> None:
    """Tuples are hashable, also next to missing values."""
    result = frame(ONE, TWO, BARE, ONE)
    exploded = result.explode("events")
    assert ["ticket.created", "ticket.closed", "article.*", "ticket.created", "ticket.closed"] == list(
        exploded["events"].dropna()
    )
    assert ["whk_1", "whk_2", "whk_3"] == list(result.drop_duplicates()["id"])
    assert ["whk_1", "whk_2", "whk_3"] == list(result.drop_duplicates("events")["id"])
    both = frame(ONE, TWO).merge(result, on=["id", "events"], how="left")
    assert ["whk_1", "whk_1", "whk_2"] == list(both["id"])
    pd.testing.assert_frame_equal(frame(ONE), frame(ONE).merge(frame(ONE)))


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)], ids=["empty-first", "empty-last"])
def test_empty_and_full_frames_can_be_concatenated(order: slice) -> None:
    """No dtype changes, and pandas gives no warning, for each kind of frame."""
    hooks, empty = models.WebhookList([ONE, TWO]), models.WebhookList([])
    kinds = [
        ([empty.to_frame(), hooks.to_frame()], DTYPES),
        ([empty.subscriptions(), hooks.subscriptions()], SUBSCRIPTIONS),
        ([fired(), fired(deliveries=[DELIVERY])], FIRED),
    ]
    for parts, expected in kinds:
        assert expected == dtypes(pd.concat(parts[order]))


def test_a_frame_can_be_written_as_json() -> None:
    """`to_json` accepts every value of the frame."""
    rows = json.loads(frame(ONE, TWO, BARE).to_json(orient="records", date_format="iso"))
    assert ["whk_1", "whk_2", "whk_3"] == [row["id"] for row in rows]
    assert rows[0]["events"] == ["ticket.created", "ticket.closed"]


def test_a_frame_is_a_copy() -> None:
    """Writing to it changes neither the list nor the next frame."""
    hooks = models.WebhookList([ONE])
    result = hooks.to_frame()
    result.loc[0, "name"] = "changed"
    assert ("One", "One") == (hooks[0].name, hooks.to_frame()["name"][0])


def test_a_hostile_name_in_a_frame_is_shown_as_text() -> None:
    """pandas escapes the markup, and MathJax ignores the dollar signs."""
    html = frame(ONE | {"name": HOSTILE}).to_html() + frame(ONE | {"name": HOSTILE})._repr_html_()
    assert ("<img" in html, html.count("mathjax_ignore")) == (False, 2)
    assert "&lt;img src=x onerror=alert(1)&gt; $5 and $6" in html


# Subscriptions


def test_subscriptions_have_a_row_per_webhook_and_event() -> None:
    """In the order of the response; a webhook without events has no row."""
    result = models.WebhookList([ONE, TWO, BARE, {"id": "whk_4", "events": []}]).subscriptions(resolve=False)
    expected = [("whk_1", "ticket.created"), ("whk_1", "ticket.closed"), ("whk_2", "article.*")]
    assert expected == list(zip(result["id"], result["event"], strict=True))
    assert [True, True, False] == list(result["is_active"])
    assert pd.RangeIndex(3).equals(result.index)


def test_wildcards_are_resolved_to_the_types_that_they_match() -> None:
    """Each type once for each webhook. An unpublished type, and a pattern that matches none, stay as they are."""
    patterns = [["ticket.*", "ticket.created"], ["*"], ["other.*", "other.made"], ["ticket.closed", "ticket.*"]]
    hooks = models.WebhookList([ONE | {"id": f"whk_{number}", "events": each} for number, each in enumerate(patterns)])
    received = hooks.subscriptions().groupby("id")["event"].agg(list)
    tickets = [name for name in cx.events.NAMES if name.startswith("ticket.")]
    assert [len(tickets), len(cx.events.NAMES), 2, len(tickets)] == list(received.map(len))
    assert ["other.*", "other.made"] == received["whk_2"]
    assert set(tickets) == set(received["whk_3"]) == set(received["whk_0"])
    assert pd.RangeIndex(sum(received.map(len))).equals(hooks.subscriptions().index)


@pytest.mark.parametrize("items", [[], [BARE], [ONE], [ONE, TWO, BARE]], ids=["empty", "bare", "one", "many"])
def test_columns_of_subscriptions_do_not_depend_on_the_rows(items: list[dict[str, Any]]) -> None:
    """Also if there are no subscriptions."""
    assert list(SUBSCRIPTIONS.items()) == list(dtypes(models.WebhookList(items).subscriptions()).items())


# Fired events


@pytest.mark.parametrize(
    ("fields", "rows"),
    [
        pytest.param({}, 1, id="no-deliveries"),
        pytest.param({"deliveries": []}, 1, id="empty-list"),
        pytest.param({"deliveries": None}, 1, id="null"),
        pytest.param({"deliveredTo": 2}, 1, id="a-count-only"),
        pytest.param({"deliveries": [DELIVERY]}, 1, id="one"),
        pytest.param({"deliveries": [DELIVERY, {"error": "down"}, {}]}, 3, id="many"),
    ],
)
def test_a_fired_event_has_a_row_per_delivery_and_at_least_one(fields: dict[str, Any], rows: int) -> None:
    """Always with the same columns, and with the event in each row."""
    result = fired(**fields)
    assert list(FIRED.items()) == list(dtypes(result).items())
    assert [("evt_1", "ticket.created", True)] * rows == list(
        zip(result["event_id"], result["event"], result["test"], strict=True)
    )


def test_each_delivery_is_in_its_row() -> None:
    """With every documented field; the count is in each row."""
    result = fired(deliveredTo=2, deliveries=[DELIVERY, {"success": False, "error": "timeout"}])
    assert ([2, 2], ["dlv_1", None]) == (values(result, "delivered_to"), values(result, "delivery_id"))
    assert ([True, False], [200, None]) == (values(result, "success"), values(result, "status"))
    assert ([12, None], [None, "timeout"]) == (values(result, "response_time_ms"), values(result, "error"))


def test_undocumented_fields_of_a_fired_event_are_further_columns() -> None:
    """Those of the event in every row, those of a delivery in its own."""
    result = fired(listeners=1, deliveries=[DELIVERY | {"webhookId": "whk_1", "response": {"ok": True}}, DELIVERY])
    assert {"listeners", "webhook_id", "response"} == set(result.columns) - set(FIRED)
    assert ([1, 1], ["whk_1", None]) == (values(result, "listeners"), values(result, "webhook_id"))
    assert [{"ok": True}, None] == values(result, "response")


@pytest.mark.parametrize("deliveries", [3, "sent", ["sent"], [DELIVERY, "sent"], {"whk_1": "sent"}, [[1]]], ids=str)
def test_deliveries_in_an_unknown_form_are_in_the_frame(deliveries: Any) -> None:
    """As received, in the column `deliveries`."""
    assert [deliveries] == list(fired(deliveries=deliveries)["deliveries"])


def test_a_differing_event_of_a_delivery_is_kept() -> None:
    """The row contains both event types."""
    row = fired(deliveries=[DELIVERY | {"event": "ticket.closed"}]).loc[0]
    assert {"ticket.created", "ticket.closed"} <= {cell for cell in row if isinstance(cell, str)}


# Secrets


@pytest.mark.parametrize("key", ["secret", "signingSecret", "signing_secret"])
def test_the_secret_is_in_no_frame(key: str) -> None:
    """Neither as a column nor in any export."""
    hooks = models.WebhookList([ONE | {key: SECRET}, TWO])
    for result in (hooks.to_frame(), hooks[0].to_frame(), hooks.subscriptions()):
        assert [] == [column for column in result.columns if "secret" in column]
        assert SECRET not in "".join(
            [result.to_json(date_format="iso"), result.to_csv(), result.to_html(), repr(result), str(result.to_dict())]
        )


# Columns on request


def test_the_host_is_a_column_on_request() -> None:
    """In lower case; missing where the URL has none."""
    urls = ["https://A.Example.com:8443/x", "https://user@b.example.com", "nope", None, "https://[::1]/x", "https://["]
    result = models.WebhookList([ONE | {"url": url} for url in urls]).to_frame(host=True)
    assert [*DTYPES.items(), ("host", "str")] == list(dtypes(result).items())
    assert ["a.example.com", "b.example.com", None, None, "::1", None] == values(result, "host")


def test_the_age_is_counted_by_the_clock_of_the_server(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A sandbox has a clock of its own. A slice of the list was read at the same time."""
    result = client.webhooks.list()[:2].to_frame(age_days=True)
    now = client.server_time
    assert "Int64" == str(result["age_days"].dtype)
    assert [(now - created).days for created in result["created_at"]] == list(result["age_days"])
    sandbox.clock.advance(days=3)
    later = client.webhooks.list()[:2].to_frame(age_days=True)
    assert [3, 3] == list(later["age_days"] - result["age_days"])


def test_an_age_is_missing_if_a_time_is_unknown() -> None:
    """Of the list or of the webhook. The columns are the same with no rows."""
    now = datetime(2025, 11, 3, 9, tzinfo=UTC)
    assert [None, None] == values(models.WebhookList([ONE, TWO]).to_frame(age_days=True), "age_days")
    assert [1, None] == values(models.WebhookList([ONE, TWO], now).to_frame(age_days=True), "age_days")
    for read_at in (now, None):
        empty = models.WebhookList([], read_at).to_frame(host=True, age_days=True)
        assert [*DTYPES.items(), ("host", "str"), ("age_days", "Int64")] == list(dtypes(empty).items())


def test_fields_of_cstar_with_these_names_are_kept() -> None:
    """They get a number."""
    result = models.WebhookList([ONE | {"host": "sent", "ageDays": "old"}]).to_frame(host=True, age_days=True)
    assert ("sent", "example.com") == (result["host_2"][0], result["host"][0])
    assert "old" == result["age_days_2"][0]


# Tables of other libraries


@pytest.mark.parametrize("library", ["polars", "pyarrow", "duckdb"])
def test_a_table_of_another_library_becomes_a_frame(library: str) -> None:
    """With the same cells, lists included."""
    module = pytest.importorskip(library)
    columns = {
        "id": ["whk_1", "whk_2"],
        "events": [["ticket.created"], None],
        "is_active": [True, None],
        "n": [1, None],
    }
    if library == "polars":
        table = module.DataFrame(columns)
    elif library == "pyarrow":
        table = module.table(columns)
    else:
        table = module.sql(
            "select * from (values ('whk_1', ['ticket.created'], true, 1), ('whk_2', null, null, null)) as t(id, events, is_active, n)"
        )
    result = frames.as_frame(table)
    assert list(columns) == list(result)
    assert ["whk_1", "whk_2"] == list(result["id"])
    assert (["ticket.created"], True, 1) == (list(result["events"][0]), bool(result["is_active"][0]), result["n"][0])
    assert True is bool(result.loc[1, ["is_active", "n"]].isna().all())


class Odd:
    """A table that cannot be converted."""

    columns = ("id",)

    def to_pandas(self) -> pd.DataFrame:
        raise ModuleNotFoundError("pyarrow is not installed")

    def __repr__(self) -> str:
        return "a table that cannot be converted"


@pytest.mark.parametrize("table", [Odd(), None, 7, "id", [{"id": "whk_1"}], {"id": ["whk_1"]}, object], ids=repr)
def test_anything_else_is_refused_by_a_validation_error(table: Any) -> None:
    """Also if its library fails."""
    with pytest.raises(errors.ValidationError):
        frames.as_frame(table)


def test_unpaired_surrogates_fit_whether_or_not_pyarrow_is_installed() -> None:
    """JSON may contain them, and pyarrow's text cannot."""
    result = frame(ONE | {"name": "\ud800", "other": "\ud800"})
    assert ("\ud800", "\ud800", "python") == (result["name"][0], result["other"][0], result["name"].dtype.storage)


# Arbitrary JSON

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


def representations(value: Any) -> list[Any]:
    """How a frame may represent a value: unchanged, a scalar as text, events as a tuple, a time as a Timestamp."""
    match value:
        case str():
            parts = tuple(part.strip() for part in value.split(",") if part.strip())
            return [value, parts, pd.to_datetime(value, format="ISO8601", utc=True, errors="coerce")]
        case list():
            return [value, tuple(value)]
        case bool() | int() | float():
            return [value, str(value)]
    return [value]


def same(value: Any, cell: Any) -> bool:
    """Whether a cell represents a value. True and 1 differ; 1 and 1.0 are equal."""
    cell = cell.item() if isinstance(cell, np.generic) else cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return isinstance(value, int | float) and not isinstance(value, bool) and value == cell
    return any(type(form) is type(cell) and form == cell for form in representations(value))


@settings(deadline=None)
@given(ITEMS)
@example([{"id": "a", "failureCount": 1, "failure_count": 2}])
@example([{"id": "a", "isActive": "maybe", "is_active_raw": "mine"}])
@example([{"id": "a", "n": 1}, {"id": "b", "n": 2**53 + 1}, {"id": "c", "n": 0.5}])
@example([{"id": "a", "n": True}, {"id": "b", "n": 1}, {"id": "c", "n": "1"}])
@example([{"id": "a", "n": 2**64}])
@example([{"id": "\ud800", "name": "\ud800"}])
@example([{"id": "a", "name": 5}])
def test_no_row_and_no_value_is_lost(items: list[dict[str, Any]]) -> None:
    """For any JSON: a row per item, the declared dtypes, and every value somewhere in its row."""
    result = frame(*items)
    assert len(items) == len(result)
    assert result.columns.is_unique
    assert DTYPES == {name: dtype for name, dtype in dtypes(result).items() if name in DTYPES}
    for index, item in enumerate(items):
        cells = [result[column].iloc[index] for column in result.columns]
        lost = {
            name: value
            for name, value in item.items()
            if value is not None and not any(same(value, cell) for cell in cells)
        }
        assert {} == lost


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*KNOWN, "deliveries", "eventId", "test", "deliveredTo", "secret"]), JSON))
def test_any_fired_event_has_a_frame(item: dict[str, Any]) -> None:
    """With the declared columns and at least one row."""
    result = models.FiredEvent.from_item(item).to_frame()
    assert FIRED == {name: dtype for name, dtype in dtypes(result).items() if name in FIRED}
    assert len(result) >= 1


@settings(deadline=None)
@given(ITEMS)
def test_any_webhook_can_be_shown(items: list[dict[str, Any]]) -> None:
    """Its repr and HTML can be encoded as UTF-8."""
    hooks = models.WebhookList(items)
    shown = [repr(hooks), hooks._repr_html_(), *(repr(hook) + hook._repr_html_() for hook in hooks)]
    assert "".join(shown).encode()
    assert len(items) == len(hooks)
    assert sum(len(hook.events or ()) for hook in hooks) == len(hooks.subscriptions(resolve=False))
    assert isinstance(hooks.to_frame(host=True, age_days=True), pd.DataFrame)


def test_the_first_frame_of_a_process_is_not_typeset() -> None:
    """Whichever module creates it, MathJax ignores `$5 and $6`."""
    code = "import cstar_explore as cx; print(cx.events.catalogue()._repr_html_().count('mathjax_ignore'))"
    process = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "1" == process.stdout.strip()
