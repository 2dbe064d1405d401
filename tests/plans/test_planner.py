"""Plans: reading desired frames, showing, applying, undoing, saving and loading."""

import contextlib
import csv
import itertools
import json
import os
import pickle
import random
import re
import stat
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors, events, models
from cstar_explore.plans import from_frame
from tests.support.forms import CONTROLS, HOSTILE, behind, holding, listed, passed, written
from tests.support.sampling import NIGHTLY, SEED, examples, sample
from tests.support.scripted_server import Script, ScriptedServer, closed_port, data, reset, status

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
OTHER = {"name": "Other", "url": "https://example.com/other", "events": "ticket.closed"}
URL = "https://example.com/moved"
COLUMNS = ["step", "what", "id", "name", "field", "before", "after", "note"]
MASK = "••••"

State = dict[str, tuple[Any, ...]]


# --- states, frames and steps -----------------------------------------------------------------------------------------


def state(sandbox: cx.Sandbox) -> State:
    """Everything that a plan can change, by webhook id."""
    return {hook.id: _content(hook) for hook in listed(sandbox)}


def contents(sandbox: cx.Sandbox) -> list[tuple[Any, ...]]:
    """The same without ids, for comparison with recreated webhooks."""
    return sorted(state(sandbox).values())


def _content(hook: cx.Webhook) -> tuple[Any, ...]:
    return (hook.name, hook.url, tuple(sorted(hook.events or ())), hook.is_active)


def edited(frame: pd.DataFrame, row: int = 0, **cells: Any) -> pd.DataFrame:
    """The frame with these cells of one row replaced, by values of any type."""
    frame = frame.copy()
    for column, value in cells.items():
        values = list(frame[column]) if column in frame else [None] * len(frame)
        values[row] = value
        frame[column] = pd.Series(values, index=frame.index, dtype=object)
    return frame


def rows(*cells: dict[str, Any]) -> pd.DataFrame:
    """A frame with these rows."""
    return pd.DataFrame(list(cells), dtype=object)


def ids(sandbox: cx.Sandbox) -> list[str]:
    return [hook.id for hook in listed(sandbox)]


def whats(plan: cx.Plan) -> list[str]:
    return [change.what for change in plan.changes]


def afters(plan: cx.Plan) -> dict[str, Any]:
    """The new value of each field, for a plan with one change."""
    frame = plan.to_frame()
    return dict(zip(frame["field"], frame["after"], strict=True))


def steps_of(plan: cx.Plan, **options: Any) -> list[Any]:
    """The steps, whether or not the plan was fully applied."""
    try:
        return list(plan.apply(**options))
    except errors.IncompleteError as error:
        return list(error.steps)


def outcomes(plan: cx.Plan, **options: Any) -> list[str]:
    return [step.outcome for step in steps_of(plan, **options)]


def rejection(client: cx.Client, desired: Any) -> str:
    """The message of the ValidationError."""
    with pytest.raises(errors.ValidationError) as caught:
        cx.plan(client, desired)
    assert caught.value.status is None
    return str(caught.value)


def five(sandbox: cx.Sandbox) -> pd.DataFrame:
    """An update of name and events, a pause, a create, a create that is paused, and a delete."""
    one, two, three, _ = ids(sandbox)
    return rows(
        {"id": one, "name": "Renamed", "events": ("ticket.created", "ticket.updated")},
        {"id": two, "is_active": False},
        NEW,
        OTHER | {"is_active": False},
        {"id": three, "delete": True},
    )


FIVE = ["update", "update", "create", "create", "delete"]


def as_desired(before: State, after: State) -> bool:
    """Whether this is the state that `five` describes."""
    (one, first), (two, second), (three, _), (four, fourth) = before.items()
    kept = {
        one: ("Renamed", first[1], ("ticket.created", "ticket.updated"), True),
        two: (*second[:3], False),
        four: fourth,
    }
    new = [content for key, content in after.items() if key not in before]
    return (
        kept == {key: content for key, content in after.items() if key in before}
        and three not in after
        and [
            ("New", "https://example.com/new", ("ticket.created",), True),
            ("Other", "https://example.com/other", ("ticket.closed",), False),
        ]
        == sorted(new)
    )


class ListServer:
    """A server that lists the given webhooks, with any content, and a client for it."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.server = ScriptedServer(*[self._respond] * 50_000)
        self.client = cx.Client("sk_test_abcdefghijklmnop", "team_1", self.server.url, timeout=5)

    def lists(self, *items: dict[str, Any]) -> cx.Client:
        base = {"name": "One", "url": "https://example.com/1", "events": ["ticket.created"], "isActive": True}
        self.items = [{"id": f"whk_{number}"} | base | item for number, item in enumerate(items, 1)]
        return self.client

    def _respond(self, connection: Any, received: Any) -> bool:
        return data(self.items)(connection, received)

    def close(self) -> None:
        self.client.close()
        self.server.close()


class SandboxPool:
    """Reuses sandboxes that no test has written to (their clock has not moved), and closes the others in the background."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor()
        self._closed: list[Future[None]] = []
        self._fresh: list[cx.Sandbox] = []

    def take(self) -> cx.Sandbox:
        return self._fresh.pop() if self._fresh else cx.Sandbox()

    def give_back(self, sandbox: cx.Sandbox, taken_at: Any) -> None:
        if sandbox.clock.now == taken_at:
            self._fresh.append(sandbox)
        else:
            self._closed.append(self._executor.submit(sandbox.close))

    def close(self) -> None:
        self._closed += [self._executor.submit(sandbox.close) for sandbox in self._fresh]
        self._executor.shutdown()
        assert [None] * len(self._closed) == [future.result() for future in self._closed]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[SandboxPool]:
    pool = SandboxPool()
    yield pool
    pool.close()


@pytest.fixture
def sandbox(sandboxes: SandboxPool) -> Iterator[cx.Sandbox]:
    """A sandbox in its initial state."""
    sandbox = sandboxes.take()
    taken_at = sandbox.clock.now
    yield sandbox
    sandboxes.give_back(sandbox, taken_at)


@pytest.fixture(scope="module")
def list_server() -> Iterator[ListServer]:
    server = ListServer()
    yield server
    server.close()


# --- what is not changed ----------------------------------------------------------------------------------------------


def test_an_unedited_list_is_an_empty_plan(sandbox: cx.Sandbox) -> None:
    """The list is read once."""
    with behind(sandbox) as (server, client):
        frame = client.webhooks.list().to_frame()
        before = len(server.requests)
        plan = cx.plan(client, frame)
        assert ["GET"] == server.methods[before:]
    assert (0, (), False) == (len(plan), plan.changes, bool(plan))


def test_planning_changes_nothing(sandbox: cx.Sandbox) -> None:
    """It sends one GET, whatever is desired."""
    before = state(sandbox)
    desired = five(sandbox)
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, desired)
        assert ["GET"] == server.methods
        repr(plan), plan._repr_html_(), plan.to_frame(), plan.invert()
        assert ["GET"] == server.methods
    assert before == state(sandbox)
    assert (5, True, FIVE) == (len(plan), bool(plan), whats(plan))


def test_the_given_frame_is_not_modified(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Neither its cells nor its dtypes."""
    desired = edited(client.webhooks.list().to_frame(), name="Renamed", is_active="no")
    copy = desired.copy(deep=True)
    cx.plan(client, desired)
    pd.testing.assert_frame_equal(copy, desired)


def test_a_webhook_without_a_row_is_left_alone(client: cx.Client) -> None:
    """A missing row never deletes."""
    frame = client.webhooks.list().to_frame()
    assert 0 == len(cx.plan(client, frame.iloc[:1]))
    assert 0 == len(cx.plan(client, frame.iloc[:0]))


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(pd.DataFrame(), id="no columns"),
        pytest.param(pd.DataFrame({"id": []}), id="no rows"),
        pytest.param(pd.DataFrame(columns=["id", "name", "url", "events", "is_active", "delete"]), id="columns only"),
    ],
)
def test_a_frame_without_rows_is_an_empty_plan(client: cx.Client, empty: pd.DataFrame) -> None:
    """With or without columns."""
    assert 0 == len(cx.plan(client, empty))


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param(np.nan, id="NaN"),
        pytest.param(None, id="None"),
        pytest.param(pd.NaT, id="NaT"),
        pytest.param(pd.NA, id="NA"),
        pytest.param("", id="empty"),
        pytest.param("  \t ", id="blank"),
    ],
)
def test_a_missing_cell_leaves_the_field_as_it_is(client: cx.Client, missing: Any) -> None:
    """For every kind of missing value, in any column but the id's."""
    frame = client.webhooks.list().to_frame()
    cells = dict.fromkeys(["name", "url", "events", "is_active", "delete"], missing)
    assert 0 == len(cx.plan(client, edited(frame, **cells)))


@pytest.mark.parametrize("missing", [np.nan, None, pd.NaT, pd.NA, "", "  "])
def test_a_row_with_a_missing_id_is_a_create(client: cx.Client, missing: Any) -> None:
    """For every kind of missing value."""
    assert ["create"] == whats(cx.plan(client, rows(NEW | {"id": missing})))


def test_an_absent_column_leaves_the_field_as_it_is(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Only the columns of the frame are compared."""
    plan = cx.plan(client, rows({"id": ids(sandbox)[0], "name": "Renamed"}))
    assert {"name": "Renamed"} == afters(plan)


# --- columns ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["created_at", "updated_at", "account", "team_id", "environment", "because"])
def test_a_read_only_column_is_ignored(client: cx.Client, column: str) -> None:
    """Frames of lists and of audit findings have such columns."""
    frame = client.webhooks.list().to_frame()
    value = client.team_id if column == "team_id" else "2030-01-01"
    assert 0 == len(cx.plan(client, edited(frame, **{column: value})))


def test_a_column_for_an_undocumented_field_is_ignored(list_server: ListServer) -> None:
    """The list's frame has it, so the desired frame may have it too."""
    client = list_server.lists({"retryPolicy": "slow", "createdAt": "not a time"})
    frame = client.webhooks.list().to_frame()
    assert {"retry_policy", "created_at_raw"} < set(frame)
    assert 0 == len(cx.plan(client, frame))


@pytest.mark.parametrize(
    ("column", "nearest"),
    [
        pytest.param("nmae", "name", id="misspelt"),
        pytest.param("isActive", "is_active", id="camel case"),
        pytest.param("event", "events", id="singular"),
        pytest.param("Deleted", "delete", id="participle"),
    ],
)
def test_an_unknown_column_is_rejected_with_a_suggestion(client: cx.Client, column: str, nearest: str) -> None:
    """Otherwise the edits in it would be lost silently."""
    message = rejection(client, edited(client.webhooks.list().to_frame(), **{column: "x"}))
    assert {column, nearest} <= set(re.findall(r"\w+", message))


@pytest.mark.parametrize("column", ["colour", "Unnamed: 0", "", 7, None, ("id", "x"), HOSTILE, CONTROLS])
def test_an_odd_column_name_is_rejected(client: cx.Client, column: Any) -> None:
    """The message contains no control characters."""
    frame = client.webhooks.list().to_frame()
    frame[column] = "x"
    message = rejection(client, frame)
    assert [] == [character for character in message if character in CONTROLS]


@pytest.mark.parametrize("column", ["secret", "signing_secret", "signingSecret"])
@pytest.mark.parametrize("value", ["whsec_neverShown1234567890", cx.Secret("whsec_neverShown1234567890"), MASK])
def test_a_signing_secret_cannot_be_set(client: cx.Client, column: str, value: Any) -> None:
    """The message does not contain it."""
    message = rejection(client, edited(client.webhooks.list().to_frame(), **{column: value}))
    assert (True, False) == (column in message, "neverShown" in message)


@pytest.mark.parametrize("column", ["secret", "signing_secret", "signingSecret"])
def test_an_empty_column_for_secrets_is_ignored(client: cx.Client, column: str) -> None:
    """It sets nothing."""
    assert 0 == len(cx.plan(client, edited(client.webhooks.list().to_frame(), **{column: ""})))


def test_a_frame_of_another_team_is_rejected(client: cx.Client) -> None:
    """Its ids might exist in this team too."""
    message = rejection(client, edited(client.webhooks.list().to_frame(), 1, team_id="team_other"))
    assert "team_other" in message


@pytest.mark.parametrize("column", ["id", "name", "url", "events", "is_active", "delete", "created_at"])
def test_a_duplicate_column_is_an_error(client: cx.Client, column: str) -> None:
    """It is a CStarError, not one of pandas' own."""
    frame = edited(client.webhooks.list().to_frame(), delete=False)
    twice = pd.concat([frame, frame[[column]]], axis="columns")
    with pytest.raises(errors.CStarError):
        cx.plan(client, twice)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_an_unknown_id_is_rejected_with_its_row(client: cx.Client) -> None:
    """Rows are counted from 1."""
    message = rejection(client, edited(client.webhooks.list().to_frame(), 1, id="whk_unknown"))
    assert (True, True) == ("whk_unknown" in message, "row 2" in message.lower())


def test_a_duplicate_id_is_rejected_with_its_row(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It is unknown which of the two rows is meant."""
    frame = client.webhooks.list().to_frame()
    message = rejection(client, edited(frame, 2, id=ids(sandbox)[0]))
    assert (True, True) == (ids(sandbox)[0] in message, "row 3" in message.lower())


@pytest.mark.parametrize("label", [7, "x", (1, 2)])
def test_row_numbers_do_not_depend_on_the_index(client: cx.Client, label: Any) -> None:
    """Sorted and filtered frames have arbitrary indexes."""
    frame = edited(client.webhooks.list().to_frame(), 1, id="whk_unknown")
    frame.index = pd.Index([label] * 4)
    assert "row 2" in rejection(client, frame).lower()


@pytest.mark.parametrize("column", ["name", "url", "events"])
@pytest.mark.parametrize("how", ["absent", "blank"])
def test_a_create_needs_name_url_and_events(client: cx.Client, column: str, how: str) -> None:
    """The message contains the missing column and the row."""
    row = {**NEW, column: " "} if how == "blank" else {key: cell for key, cell in NEW.items() if key != column}
    message = rejection(client, rows(OTHER, row))
    assert (True, True) == (column in message, "row 2" in message.lower())


def test_a_create_of_an_existing_webhook_is_no_change(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """If name, URL and events are equal, in any order of events."""
    hook = listed(sandbox)[0]
    row = {"name": hook.name, "url": hook.url, "events": tuple(reversed(hook.events or ()))}
    assert 0 == len(cx.plan(client, rows(row)))


def test_a_create_of_an_existing_webhook_only_sets_is_active(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The existing webhook is paused; no second one is created."""
    hook = listed(sandbox)[0]
    row = {"name": hook.name, "url": hook.url, "events": hook.events, "is_active": False}
    plan = cx.plan(client, rows(row))
    assert (["update"], [hook.id], {"is_active": "paused"}) == (whats(plan), [plan.changes[0].id], afters(plan))
    assert ["done"] == outcomes(plan)
    assert (4, False) == (len(listed(sandbox)), listed(sandbox)[0].is_active)


@pytest.mark.parametrize("column", ["name", "url", "events"])
def test_a_create_that_differs_in_one_field_is_another_webhook(
    sandbox: cx.Sandbox, client: cx.Client, column: str
) -> None:
    """Name, URL and events must all be equal."""
    hook = listed(sandbox)[0]
    row = {"name": hook.name, "url": hook.url, "events": hook.events} | {column: NEW[column]}
    assert ["create"] == whats(cx.plan(client, rows(row)))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("ticket.created,ticket.closed", "ticket.created,ticket.closed", id="same order"),
        pytest.param("ticket.created,ticket.closed", ("ticket.closed", "ticket.created"), id="different order"),
    ],
)
def test_two_equal_creates_are_rejected(client: cx.Client, first: Any, second: Any) -> None:
    """They would deliver each event twice to the same URL."""
    assert "row 2" in rejection(client, rows(NEW | {"events": first}, NEW | {"events": second})).lower()


@pytest.mark.parametrize("yes", [True, np.True_, "true", "True", "TRUE", "yes", "Yes", 1, np.int64(1), 1.0, "1"])
def test_a_true_delete_cell_is_a_delete(sandbox: cx.Sandbox, client: cx.Client, yes: Any) -> None:
    """In every spelling of spreadsheets and pandas."""
    plan = cx.plan(client, edited(client.webhooks.list().to_frame(), 1, delete=yes))
    assert (["delete"], ids(sandbox)[1]) == (whats(plan), plan.changes[0].id)


@pytest.mark.parametrize("no", [False, np.False_, "false", "False", "no", 0, 0.0, "0", np.nan, None, pd.NA, ""])
def test_a_false_or_missing_delete_cell_is_no_change(client: cx.Client, no: Any) -> None:
    """In every spelling of spreadsheets and pandas."""
    assert 0 == len(cx.plan(client, edited(client.webhooks.list().to_frame(), 1, delete=no)))


@pytest.mark.parametrize("cell", ["maybe", "yes?", "truefalse", 2, -1, 0.5, "no thanks", [True], (), {"a": 1}])
def test_an_ambiguous_delete_cell_never_deletes(client: cx.Client, cell: Any) -> None:
    """It is rejected or ignored."""
    planned = []
    with contextlib.suppress(errors.ValidationError):
        planned = whats(cx.plan(client, edited(client.webhooks.list().to_frame(), 1, delete=cell)))
    assert [] == planned


def test_a_row_to_delete_without_an_id_creates_nothing(client: cx.Client) -> None:
    """It is rejected or ignored."""
    planned = []
    with contextlib.suppress(errors.ValidationError):
        planned = whats(cx.plan(client, rows(NEW | {"delete": True})))
    assert [] == planned


def test_changes_are_in_the_order_of_the_rows(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """They are not sorted by kind or by the list."""
    desired = five(sandbox).iloc[::-1]
    plan = cx.plan(client, desired)
    assert FIVE[::-1] == whats(plan)
    assert ["Search index", "Other", "New", "CRM sync"] == [change.name for change in plan.changes][:4]


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(("ticket.created", "ticket.closed"), id="tuple"),
        pytest.param(["ticket.closed", "ticket.created"], id="list"),
        pytest.param("ticket.created,ticket.closed", id="comma"),
        pytest.param(" ticket.closed ,\tticket.created ", id="comma and spaces"),
        pytest.param("('ticket.created', 'ticket.closed')", id="repr of a tuple"),
        pytest.param("['ticket.closed', 'ticket.created']", id="repr of a list"),
        pytest.param('("ticket.closed", "ticket.created")', id="repr of a tuple with double quotes"),
        pytest.param(("ticket.created", "ticket.closed", "ticket.created"), id="duplicate"),
    ],
)
def test_events_are_parsed_from_any_form_and_compared_as_sets(client: cx.Client, cell: Any) -> None:
    """The first webhook has exactly these two events."""
    frame = client.webhooks.list().to_frame()
    assert 0 == len(cx.plan(client, edited(frame, 0, events=cell)))
    plan = cx.plan(client, edited(frame, 1, events=cell))
    assert {"ticket.created", "ticket.closed"} == set(afters(plan)["events"].split(", "))


@pytest.mark.parametrize("cell", ["ticket.created", "('ticket.created',)", "['ticket.created']", ("ticket.created",)])
def test_a_single_event_is_parsed(client: cx.Client, cell: Any) -> None:
    """With or without the trailing comma of Python's repr."""
    assert {"events": "ticket.created"} == afters(
        cx.plan(client, edited(client.webhooks.list().to_frame(), events=cell))
    )


@pytest.mark.parametrize("empty", [(), [], "()", "[]", ",", " , "])
def test_events_are_never_emptied(client: cx.Client, empty: Any) -> None:
    """A webhook without events receives nothing, so this is more likely a mistake than an edit."""
    assert "row 1" in rejection(client, edited(client.webhooks.list().to_frame(), events=empty)).lower()


@pytest.mark.parametrize("empty", [(), [], "()", "[]"])
def test_a_webhook_without_events_may_stay_without(list_server: ListServer, empty: Any) -> None:
    """This is no change."""
    client = list_server.lists({"events": []})
    assert 0 == len(cx.plan(client, rows({"id": "whk_1", "events": empty})))


@pytest.mark.parametrize("current", [[], None])
def test_a_webhook_without_events_can_be_given_some(list_server: ListServer, current: Any) -> None:
    """Whether the list has an empty list or null."""
    client = list_server.lists({"events": current})
    plan = cx.plan(client, rows({"id": "whk_1", "events": "ticket.created"}))
    assert {"events": "ticket.created"} == afters(plan)


def test_a_cell_of_events_is_never_executed(client: cx.Client, tmp_path: Path) -> None:
    """It is parsed as a literal."""
    marker = tmp_path / "executed"
    code = f"(__import__('pathlib').Path({str(marker)!r}).touch(), 'ticket.created')"
    with contextlib.suppress(errors.CStarError):
        cx.plan(client, edited(client.webhooks.list().to_frame(), events=code))
    assert False is marker.exists()


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("(" * 5_000, id="brackets"),
        pytest.param("[" * 50_000 + "]" * 50_000, id="deep list"),
        pytest.param("('ticket.created'", id="truncated"),
        pytest.param("('ticket.created', 7)", id="number in a tuple"),
        pytest.param("(('ticket.created',),)", id="nested"),
        pytest.param("{'ticket.created': 1}", id="repr of a dict"),
        pytest.param(("ticket.created", None), id="None in a tuple"),
        pytest.param((("ticket.created",),), id="tuple of tuples"),
        pytest.param(7, id="number"),
        pytest.param(b"ticket.created", id="bytes"),
        pytest.param({"ticket.created": 1}, id="dict"),
        pytest.param("\ud800", id="unpaired surrogate"),
        pytest.param("(b'ticket.created',)", id="repr of bytes"),
    ],
)
@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
def test_odd_events_are_planned_or_rejected(client: cx.Client, cell: Any) -> None:
    """They never raise another error or change another field."""
    result: Any = None
    try:
        result = set(afters(cx.plan(client, edited(client.webhooks.list().to_frame(), events=cell))))
    except errors.ValidationError as error:
        result = error.status
    assert result in ({"events"}, None)


@pytest.mark.parametrize(
    ("cell", "active"),
    [
        *[(yes, True) for yes in (True, np.True_, "True", "true", "TRUE", "yes", "Yes", 1, np.int64(1), 1.0, "1")],
        *[(no, False) for no in (False, np.False_, "False", "false", "FALSE", "no", "No", 0, np.int64(0), 0.0, "0")],
    ],
)
def test_is_active_is_parsed_from_any_spelling(sandbox: cx.Sandbox, client: cx.Client, cell: Any, active: bool) -> None:
    """The first webhook is active, the last one paused."""
    first, *_, last = ids(sandbox)
    plan = cx.plan(client, rows({"id": first, "is_active": cell}, {"id": last, "is_active": cell}))
    assert [(last if active else first, "active" if active else "paused")] == list(
        plan.to_frame()[["id", "after"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("cell", ["maybe", "ja", 2, -1, 0.5, "2", [True], float("inf")])
def test_an_ambiguous_is_active_cell_is_rejected_with_its_value(client: cx.Client, cell: Any) -> None:
    """A guess could pause a production webhook."""
    message = rejection(client, edited(client.webhooks.list().to_frame(), 2, is_active=cell))
    assert (True, True) == (str(cell).strip("[]") in message, "row 3" in message.lower())


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param({"name": f"Token {MASK}"}, id="name"),
        pytest.param({"url": f"https://example.com/{MASK}/x"}, id="url"),
        pytest.param({"events": f"ticket.{MASK}"}, id="events"),
    ],
)
def test_a_masked_value_is_never_written_back(sandbox: cx.Sandbox, client: cx.Client, cells: dict[str, Any]) -> None:
    """Neither in an update nor in a create."""
    assert "row 1" in rejection(client, rows({"id": ids(sandbox)[0]} | cells)).lower()
    assert "row 1" in rejection(client, rows(NEW | cells)).lower()


def test_an_unchanged_value_may_contain_the_mask(list_server: ListServer) -> None:
    """Only changed values are validated."""
    client = list_server.lists({"name": MASK, "url": f"https://example.com/{MASK}"})
    frame = client.webhooks.list().to_frame()
    assert 0 == len(cx.plan(client, frame))
    assert ["update"] == whats(cx.plan(client, edited(frame, is_active=False)))


@pytest.mark.parametrize(
    "url",
    [
        "nope",
        "ftp://example.com/",
        "https://",
        "javascript:alert(1)",
        "https://exa mple.com/",
    ],
)
def test_a_url_that_an_update_would_reject_is_rejected_with_its_row(
    sandbox: cx.Sandbox, client: cx.Client, url: str
) -> None:
    """In an update as in a create."""
    with pytest.raises(errors.ValidationError):
        client.webhooks.preview.update(ids(sandbox)[0], url=url)
    assert "row 1" in rejection(client, rows({"id": ids(sandbox)[0], "url": url})).lower()
    assert "row 1" in rejection(client, rows(NEW | {"url": url})).lower()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/hook", "http://localhost:9/hook", URL])
def test_a_url_that_an_update_would_accept_is_accepted(sandbox: cx.Sandbox, client: cx.Client, url: str) -> None:
    """Plain http is for loopback only."""
    assert {"url": url} == afters(cx.plan(client, rows({"id": ids(sandbox)[0], "url": url})))


@pytest.mark.parametrize("url", ["http://example.com/hook", "http://127.0.0.1.example.com/"])
@pytest.mark.parametrize("row", [NEW, {"id": "whk_1"}], ids=["create", "update"])
def test_plain_http_is_left_to_a_sandbox_and_refused_for_cstar(
    sandbox: cx.Sandbox, client: cx.Client, url: str, row: dict[str, Any]
) -> None:
    """As by the client: a sandbox takes it to its allowed hosts, cStar delivers to https only."""
    listed_webhooks = models.WebhookList(
        [{"id": "whk_1", "name": "One", "url": "https://example.com", "events": ["*"]}]
    )
    table = rows(row | {"url": url})
    with pytest.raises(errors.ValidationError, match="row 1"):
        from_frame.changes_from_frame(table, listed_webhooks, "team_1")
    assert url == from_frame.changes_from_frame(table, listed_webhooks, "team_1", for_sandbox=True).changes[1].after.url
    assert ["failed"] == outcomes(cx.plan(client, rows(NEW | {"url": url})))
    assert 4 == len(listed(sandbox))


def test_unchanged_values_are_not_validated(list_server: ListServer) -> None:
    """An old webhook with plain http can still be paused and renamed."""
    client = list_server.lists({"url": "http://example.com/old", "name": " "})
    frame = client.webhooks.list().to_frame()
    assert 0 == len(cx.plan(client, frame))
    assert {"name": "Found", "is_active": "paused"} == afters(
        cx.plan(client, edited(frame, name="Found", is_active=False))
    )


def test_all_problems_are_reported_at_once(client: cx.Client) -> None:
    """So that a sheet need not be fixed one error at a time."""
    frame = client.webhooks.list().to_frame()
    message = rejection(client, edited(edited(edited(frame, 0, is_active="ja"), 1, id="whk_unknown"), 3, url="nope"))
    assert ["row 1", "row 2", "row 4"] == re.findall(r"row \d", message.lower())


@pytest.mark.parametrize(("count", "more"), [(5, []), (6, ["1"]), (7, ["2"]), (900, ["895"])])
def test_five_of_many_problems_are_reported(client: cx.Client, count: int, more: list[str]) -> None:
    """With the number of the others."""
    message = rejection(client, rows(*[{"id": f"whk_unknown{number}."} for number in range(count)]))
    assert [f"whk_unknown{number}." for number in range(5)] == [
        f"whk_unknown{number}." for number in range(count) if f"whk_unknown{number}." in message
    ]
    assert more == re.findall(r"(?i)and (\d+) more", message)


# --- odd frames -------------------------------------------------------------------------------------------------------


ODD_CELLS: dict[str, Any] = {
    "number": 7,
    "fraction": -0.5,
    "huge number": 10**400,
    "number that Python does not write": 10**5_000,
    "infinity": float("inf"),
    "bytes": b"\xff\x00",
    "list": ["a", ["b"]],
    "dict": {"a": 1},
    "time": pd.Timestamp("2025-12-10", tz="UTC"),
    "series": pd.Series([1, 2]),
    "array": np.array([True, False]),
    "secret": cx.Secret("whsec_neverShown1234567890"),
    "unpaired surrogate": "\ud800",
    "NUL": "a\x00b",
    "hostile": f"{CONTROLS}{HOSTILE}",
    "long": "x" * (3_000_000 if NIGHTLY else 300_000),
    "class": object,
}
COLUMNS_OF_CELLS = ["id", "name", "url", "events", "is_active", "delete", "team_id", "because"]
SHUFFLED_COLUMNS = itertools.cycle(random.Random(SEED).sample(COLUMNS_OF_CELLS, len(COLUMNS_OF_CELLS)))
IN_COLUMNS = [
    pytest.param(column, cell, id=f"{column}-{name}")
    for name, cell in ODD_CELLS.items()
    for column in (COLUMNS_OF_CELLS if NIGHTLY else itertools.islice(SHUFFLED_COLUMNS, 3))
]
"""Each odd cell in three columns, and each column with as many cells; at night all of them with each other."""


@pytest.mark.parametrize(("column", "cell"), IN_COLUMNS)
@pytest.mark.filterwarnings("ignore::cstar_explore.events.UnknownEventWarning")
def test_an_odd_cell_is_planned_or_rejected(sandbox: cx.Sandbox, client: cx.Client, column: str, cell: Any) -> None:
    """No other error, no secret and no control character in the text, and a message of readable length."""
    desired = edited(client.webhooks.list().to_frame(), 1, **{column: cell})
    try:
        plan = cx.plan(client, desired)
        text = f"{plan!r} {plan._repr_html_()}"
        assert len(plan) <= 1
    except errors.ValidationError as error:
        text = str(error)
        assert len(text) < 10_000
    assert (False, []) == ("neverShown" in text, [character for character in text if character in CONTROLS])


@pytest.mark.parametrize(
    "converted",
    [
        pytest.param(lambda frame: frame.astype(object), id="objects"),
        pytest.param(lambda frame: frame.astype({"name": "category", "url": "category"}), id="categories"),
        pytest.param(lambda frame: frame.astype({"name": "string", "id": "string"}), id="nullable text"),
        pytest.param(lambda frame: frame.astype({"is_active": bool}), id="plain bool"),
        pytest.param(lambda frame: frame.astype({"is_active": float}), id="floats"),
        pytest.param(lambda frame: frame.astype({"is_active": "Int64"}), id="nullable numbers"),
        pytest.param(lambda frame: frame.convert_dtypes(), id="convert_dtypes"),
        pytest.param(lambda frame: frame[sorted(frame)], id="columns sorted"),
        pytest.param(lambda frame: frame.sample(frac=1, random_state=7), id="rows shuffled"),
        pytest.param(lambda frame: frame.set_index(pd.Index([None, "x", 2.5, ("a",)])), id="mixed index"),
        pytest.param(
            lambda frame: frame.set_index(pd.MultiIndex.from_product([["a"], [1, 2, 3, 4]])), id="index of two levels"
        ),
        pytest.param(lambda frame: frame.rename_axis(columns="field", index="id"), id="named axes"),
    ],
)
def test_dtypes_order_and_index_do_not_matter(client: cx.Client, converted: Any) -> None:
    """The same webhooks are an empty plan."""
    assert 0 == len(cx.plan(client, converted(client.webhooks.list().to_frame())))


def test_columns_of_two_levels_are_a_cstar_error(client: cx.Client) -> None:
    """Not a KeyError from pandas."""
    frame = client.webhooks.list().to_frame()
    frame.columns = pd.MultiIndex.from_product([["webhook"], frame.columns])
    with pytest.raises(errors.CStarError):
        cx.plan(client, frame)


@pytest.mark.parametrize(
    "desired",
    [
        pytest.param(None, id="None"),
        pytest.param(7, id="number"),
        pytest.param([{"id": "whk_1"}], id="list"),
        pytest.param({"id": ["whk_1"]}, id="dict"),
        pytest.param(pd.Series(["whk_1"], name="id"), id="series"),
        pytest.param("missing.csv", id="missing file"),
        pytest.param("", id="empty path"),
        pytest.param("a\x00b", id="invalid path"),
        pytest.param(Path("missing.csv"), id="missing path"),
        pytest.param(Path(), id="folder"),
        pytest.param(b"missing.csv", id="bytes"),
    ],
)
def test_anything_but_a_frame_or_a_csv_file_is_a_cstar_error(client: cx.Client, desired: Any) -> None:
    """With a message."""
    with pytest.raises(errors.CStarError) as caught:
        cx.plan(client, desired)
    assert str(caught.value)


# --- round trips ------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'", "''", "'=1", "＝1", "＋1", "－1", "＠x"]
PARSED_BY_PANDAS = [
    "NA",
    "nan",
    "None",
    "null",
    "<NA>",
    "NaT",
    "True",
    "false",
    "007",
    "1e5",
    "1.0",
    "inf",
    "2025-01-01",
    "1,5",
]
HARD_TO_QUOTE = [
    "a\rb",
    "a\nb",
    "a\r\nb",
    'a"b',
    '"',
    "a,b",
    ";",
    "a\x00b",
    " padded ",
    "\ufeffx",
    "\u2028",
    "#",
    "\\",
    "\\N",
]
names = st.one_of(
    st.text(max_size=20),
    st.sampled_from([*FORMULAS, *PARSED_BY_PANDAS, *HARD_TO_QUOTE, "", " ", HOSTILE, CONTROLS, MASK]),
)
some_events = st.lists(
    st.one_of(st.sampled_from(events.NAMES), st.sampled_from(["*", "a'b", 'a"b', "ü.ñ"])), max_size=4
)
items = st.lists(
    st.fixed_dictionaries(
        {"name": names, "url": st.one_of(names, st.just("https://example.com/x"))},
        optional={"events": st.one_of(some_events, st.none()), "isActive": st.sampled_from([True, False, None])},
    ),
    max_size=4,
)
plain = st.lists(
    st.fixed_dictionaries(
        {"name": st.text(alphabet='abc äß<>&,"=;', min_size=1, max_size=9).map(lambda text: f"n{text}")},
        optional={"events": some_events, "isActive": st.booleans(), "url": st.just("https://example.com/'=x")},
    ),
    max_size=4,
)


@settings(max_examples=150 if NIGHTLY else 30, deadline=None)
@given(items, st.randoms(use_true_random=False))
def test_any_list_as_a_frame_or_a_csv_file_is_an_empty_plan(
    list_server: ListServer, tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]], rng: random.Random
) -> None:
    """Including text that is a formula to spreadsheets, or a number or missing value to pandas."""
    path = tmp_path_factory.mktemp("csv") / "list.csv"
    client = list_server.lists(*items)
    hooks = client.webhooks.list()
    assert [] == list(cx.plan(client, hooks.to_frame()).changes)
    hooks.to_csv(path)
    assert [] == list(cx.plan(client, rng.choice([path, str(path)])).changes)


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param(FORMULAS, id="formulas"),
        pytest.param(PARSED_BY_PANDAS, id="parsed by pandas"),
        pytest.param([*HARD_TO_QUOTE, "\ud800"], id="hard to quote"),
    ],
)
def test_hostile_text_survives_the_csv_file(list_server: ListServer, tmp_path: Path, texts: list[str]) -> None:
    """In the name, URL or id of a webhook."""
    items = [{field: text} for text in texts for field in ("name", "url", "id")]
    client = list_server.lists(*items, {"name": "Two"})
    client.webhooks.list().to_csv(tmp_path / "list.csv")
    assert [] == list(cx.plan(client, tmp_path / "list.csv").changes)


def test_no_cell_of_the_csv_file_is_a_formula(list_server: ListServer, tmp_path: Path) -> None:
    """It is prefixed with one apostrophe."""
    client = list_server.lists(*[{"name": name} for name in FORMULAS])
    client.webhooks.list().to_csv(tmp_path / "list.csv")
    with (tmp_path / "list.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [f"'{name}" for name in FORMULAS] == [row["name"] for row in csv.DictReader(file)]


@settings(max_examples=examples(60), deadline=None)
@given(plain)
def test_a_frame_through_pandas_csv_is_an_empty_plan(
    list_server: ListServer, tmp_path_factory: pytest.TempPathFactory, items: list[dict[str, Any]]
) -> None:
    """Written by pandas, and read by pandas or from the path."""
    path = tmp_path_factory.mktemp("csv") / "frame.csv"
    client = list_server.lists(*items)
    client.webhooks.list().to_frame().to_csv(path, index=False)
    assert [] == list(cx.plan(client, pd.read_csv(path)).changes)
    assert [] == list(cx.plan(client, path).changes)


def test_an_edited_csv_file_is_planned(sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path) -> None:
    """A changed cell, a new row and a row to delete, as saved by a spreadsheet."""
    path = tmp_path / "list.csv"
    client.webhooks.list().to_csv(path)
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame["delete"] = ["", "yes", "", ""]
    frame.loc[0, "name"] = "'=Renamed"
    frame.loc[2, "is_active"] = "FALSE"
    frame.loc[4] = ["", "New", NEW["url"], "ticket.created, ticket.closed", "no", "", "", ""]
    frame.to_csv(path, index=False)
    plan = cx.plan(client, path)
    assert ["update", "delete", "update", "create"] == whats(plan)
    plan.apply()
    one, three, four, _ = ids(sandbox)
    after = state(sandbox)
    assert ("=Renamed", False, 4) == (after[one][0], after[three][3], len(after))
    assert ("New", NEW["url"], ("ticket.closed", "ticket.created"), False) == list(after.values())[-1]
    assert four in after


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_csv_file_may_begin_with_a_byte_order_mark(client: cx.Client, tmp_path: Path, encoding: str) -> None:
    """Spreadsheets write one."""
    path = tmp_path / "list.csv"
    edited(client.webhooks.list().to_frame(), name="Zoë").to_csv(path, index=False, encoding=encoding)
    assert {"name": "Zoë"} == afters(cx.plan(client, path))


def test_an_apostrophe_in_a_frame_is_kept(client: cx.Client) -> None:
    """It is an escape only in CSV files."""
    assert {"name": "'=1"} == afters(cx.plan(client, edited(client.webhooks.list().to_frame(), name="'=1")))


@settings(max_examples=examples(60), deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet="id,name\n\r\"'é\x00;\t ", max_size=80).map(str.encode)))
def test_any_file_is_planned_or_rejected(
    list_server: ListServer, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    """It never raises an error of pandas or Python."""
    path = tmp_path_factory.mktemp("csv") / "any.csv"
    path.write_bytes(content)
    result: Any = None
    try:
        result = len(cx.plan(list_server.lists({}), path))
    except errors.CStarError as error:
        result = str(error)
    assert result == 0 or isinstance(result, str)


# --- showing a plan ---------------------------------------------------------------------------------------------------


def test_a_plan_has_a_row_for_each_changed_field(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """And a step for each webhook."""
    one, two, three, _ = ids(sandbox)
    frame = cx.plan(client, five(sandbox)).to_frame()
    assert COLUMNS == list(frame)
    assert [1, 2, 3, 4, 5] == sorted(set(frame["step"]))
    fields = [
        {row["field"]: (row["before"], row["after"]) for _, row in frame[frame["step"] == step].iterrows()}
        for step in range(1, 6)
    ]
    assert {
        "name": ("Slack notifications", "Renamed"),
        "events": ("ticket.created, ticket.closed", "ticket.created, ticket.updated"),
    } == fields[0]
    assert {"is_active": ("active", "paused")} == fields[1]
    assert {"url": NEW["url"], "events": "ticket.created"}.items() <= {
        field: after for field, (_, after) in fields[2].items()
    }.items()
    assert "paused" == fields[3]["is_active"][1]
    assert {"events": "article.*", "is_active": "active"}.items() <= {
        field: before for field, (before, _) in fields[4].items()
    }.items()
    assert [one, two, three] == list(frame[frame["what"] != "create"].drop_duplicates("step")["id"])
    assert True is bool(frame[frame["what"] == "create"][["id", "before"]].isna().all(axis=None))
    assert True is bool(frame[frame["what"] == "delete"]["after"].isna().all())
    assert {"update", "create", "delete"} == set(frame["what"])


def test_an_empty_plan_has_the_same_columns_and_dtypes(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Like every frame of the package."""
    full, empty = cx.plan(client, five(sandbox)).to_frame(), cx.plan(client, pd.DataFrame()).to_frame()
    expected = {column: "Int64" if column == "step" else "str" for column in COLUMNS}
    assert expected == {column: str(dtype) for column, dtype in full.dtypes.items()}
    assert (expected, 0) == ({column: str(dtype) for column, dtype in empty.dtypes.items()}, len(empty))


def test_a_plan_is_shown_as_text_and_as_a_table(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Both contain the names of the affected webhooks."""
    plan = cx.plan(client, five(sandbox))
    assert [] == [name for name in ("Renamed", "CRM sync", "New", "Other", "Search index") if name not in repr(plan)]
    assert "<table" in plan._repr_html_()
    assert [] == [name for name in ("Renamed", "CRM sync", "New", "Other") if name not in plan._repr_html_()]


def test_an_empty_plan_is_shown(client: cx.Client) -> None:
    """It has a repr and an HTML table."""
    plan = cx.plan(client, pd.DataFrame())
    assert (True, True) == (bool(repr(plan)), bool(plan._repr_html_()))


def test_hostile_names_are_only_text(list_server: ListServer) -> None:
    """No tags, and no control or direction characters."""
    client = list_server.lists({"name": HOSTILE + CONTROLS})
    plan = cx.plan(client, rows({"id": "whk_1", "name": "<script>x</script>" + CONTROLS, "delete": None}))
    page = plan._repr_html_()
    assert (False, False) == ("<script>" in page, "<img" in page)
    controls = {character for character in repr(plan) + page if unicodedata.category(character) in {"Cc", "Cf"}}
    assert set() == controls - {"\n"}


# --- applying ---------------------------------------------------------------------------------------------------------


def test_a_plan_is_applied_exactly(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Every step is done, in order, and the webhooks are as desired."""
    before = state(sandbox)
    plan = cx.plan(client, five(sandbox))
    applied = plan.apply()
    assert (FIVE, ["done"] * 5) == ([step.change.what for step in applied], [step.outcome for step in applied])
    assert (5, "done") == (len(applied), applied[-1].outcome)
    assert True is as_desired(before, state(sandbox))


def test_the_summary_and_the_frame_of_an_applied_plan(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """With a step that needed no change."""
    client.webhooks.update(ids(sandbox)[1], is_active=True)
    plan = cx.plan(client, five(sandbox))
    client.webhooks.update(ids(sandbox)[1], is_active=False)
    applied = plan.apply()
    assert ("4 done, 1 unchanged.", "4 done, 1 unchanged.") == (str(applied), applied.summary())
    frame = applied.to_frame()
    assert ["step", "what", "id", "name", "outcome", "detail"] == list(frame)
    assert [1, 2, 3, 4, 5] == list(frame["step"])
    assert FIVE == list(frame["what"])
    assert ["done", "unchanged", "done", "done", "done"] == list(frame["outcome"])
    assert [step.detail for step in applied] == list(frame["detail"])


def test_each_step_has_a_detail(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Successful ones too."""
    assert [] == [step for step in cx.plan(client, five(sandbox)).apply() if not step.detail.strip()]


@pytest.mark.parametrize(
    ("cells", "sent"),
    [
        pytest.param({"name": "Renamed"}, {"name": "Renamed"}, id="name"),
        pytest.param({"url": URL}, {"url": URL}, id="url"),
        pytest.param({"events": "ticket.created"}, {"events": "ticket.created"}, id="events"),
        pytest.param({"is_active": False}, {"isActive": False}, id="is_active"),
        pytest.param({"name": "Renamed", "is_active": 0}, {"name": "Renamed", "isActive": False}, id="two"),
    ],
)
def test_only_the_changed_fields_are_written(sandbox: cx.Sandbox, cells: dict[str, Any], sent: dict[str, Any]) -> None:
    """One write, between a read that compares and a read that verifies."""
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, edited(client.webhooks.list().to_frame(), **cells))
        before = len(server.requests)
        assert ["done"] == outcomes(plan)
        assert ["GET", "PATCH", "GET"] == server.methods[before:]
        assert [sent] == [request.json for request in written(server)]


def test_the_webhook_of_a_step_is_as_read_back(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A created one has its secret."""
    update, _, create, paused, _ = cx.plan(client, five(sandbox)).apply()
    hooks = {hook.id: hook for hook in listed(sandbox)}
    assert ("Renamed", hooks[update.change.id].events) == (update.webhook.name, update.webhook.events)
    assert ["New", "Other"] == [hooks[step.webhook.id].name for step in (create, paused)]
    assert [True, False] == [step.webhook.is_active for step in (create, paused)]
    assert [True, True] == [step.webhook.secret.reveal().startswith("whsec_") for step in (create, paused)]


def test_the_secret_of_a_created_webhook_is_never_printed(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Not in a step, a frame, the summary or the plan."""
    plan = cx.plan(client, five(sandbox))
    applied = plan.apply()
    secrets = [step.webhook.secret.reveal().removeprefix("whsec_") for step in applied if step.change.what == "create"]
    printed = f"{applied!r} {applied} {list(applied)!r} {applied.to_frame().to_csv()} {plan!r} {plan._repr_html_()}"
    printed += f"{[step.detail for step in applied]} {plan.to_frame().to_csv()} {plan.invert().to_frame().to_csv()}"
    assert (2, []) == (len(secrets), [secret for secret in secrets if secret in printed])


def test_on_step_is_called_after_each_step(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """When the first step is reported, the second webhook is still unchanged."""
    seen: list[tuple[str, bool | None]] = []
    steps: list[Any] = []

    def on_step(step: Any) -> None:
        steps.append(step)
        seen.append((listed(sandbox)[0].name, listed(sandbox)[1].is_active))

    desired = five(sandbox).iloc[:2]
    assert list(cx.plan(client, desired).apply(on_step=on_step)) == steps
    assert [("Renamed", True), ("Renamed", False)] == seen


@pytest.mark.parametrize("after", range(5))
def test_a_plan_can_be_stopped_and_resumed(sandbox: cx.Sandbox, client: cx.Client, after: int) -> None:
    """The rest is not tried. When the plan is applied again, finished changes are `unchanged`."""
    before, steps = state(sandbox), []
    plan = cx.plan(client, five(sandbox))
    with pytest.raises(errors.IncompleteError) as caught:
        plan.apply(on_step=steps.append, stopped=lambda: len(steps) >= after)
    assert ["done"] * after + ["not tried"] * (5 - after) == [step.outcome for step in caught.value.steps]
    assert True is isinstance(caught.value.steps, tuple)
    assert ["unchanged"] * after + ["done"] * (5 - after) == outcomes(plan)
    assert True is as_desired(before, state(sandbox))


def test_a_plan_stopped_before_the_first_step_writes_nothing(sandbox: cx.Sandbox) -> None:
    """No step is tried."""
    with behind(sandbox) as (server, client):
        assert ["not tried"] * 5 == outcomes(cx.plan(client, five(sandbox)), stopped=lambda: True)
        assert [] == written(server)


def test_a_plan_interrupted_between_steps_can_be_resumed(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """As with the stop button of a notebook."""
    before, plan = state(sandbox), cx.plan(client, five(sandbox))

    def interrupt(step: Any) -> None:
        if step.change.name == "New":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        plan.apply(on_step=interrupt)
    assert ["unchanged", "unchanged", "unchanged", "done", "done"] == outcomes(plan)
    assert True is as_desired(before, state(sandbox))


def test_a_plan_applied_again_writes_nothing(sandbox: cx.Sandbox) -> None:
    """Every step is `unchanged`."""
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, five(sandbox))
        plan.apply()
        count = len(written(server))
        assert ["unchanged"] * 5 == outcomes(plan)
        assert count == len(written(server))


def test_an_empty_plan_can_be_applied(sandbox: cx.Sandbox) -> None:
    """It sends nothing."""
    with behind(sandbox) as (server, client):
        plan = cx.plan(client, pd.DataFrame())
        assert 0 == len(plan.apply())
        assert ["GET"] == server.methods
        assert 0 == len(plan.apply().to_frame())


# --- webhooks changed since planning ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        pytest.param({"name": "Changed"}, "Changed", id="the same field"),
        pytest.param({"url": URL}, URL, id="another field"),
        pytest.param({"events": "ticket.deleted"}, "ticket.deleted", id="events"),
        pytest.param({"is_active": False}, "active", id="is_active"),
    ],
)
@pytest.mark.parametrize("cells", [{"name": "Renamed"}, {"delete": True}], ids=["update", "delete"])
def test_a_webhook_changed_since_planning_is_not_written(
    sandbox: cx.Sandbox, changed: dict[str, Any], reported: str, cells: dict[str, Any]
) -> None:
    """The step fails and names the difference; the next step is done."""
    one, two, *_ = ids(sandbox)
    with behind(sandbox) as (server, client), sandbox.client() as other:
        plan = cx.plan(client, rows({"id": one} | cells, {"id": two, "name": "Also renamed"}))
        other.webhooks.update(one, **changed)
        before = state(sandbox)[one]
        with pytest.raises(errors.IncompleteError) as caught:
            plan.apply()
        failed, done = caught.value.steps
        assert 1 == len(written(server))
    assert ("failed", "done") == (failed.outcome, done.outcome)
    assert reported in failed.detail
    assert before == state(sandbox)[one]
    assert ("1 done", "1 failed") == tuple(part for part in ("1 done", "1 failed") if part in str(caught.value))


def test_changes_already_made_by_another_client_are_unchanged(sandbox: cx.Sandbox) -> None:
    """An update, a pause, a create and a delete are not sent again."""
    with behind(sandbox) as (server, client), sandbox.client() as other:
        plan = cx.plan(client, five(sandbox))
        one, two, three, _ = ids(sandbox)
        other.webhooks.update(one, name="Renamed", events=["ticket.updated", "ticket.created"])
        other.webhooks.update(two, is_active=False)
        other.webhooks.delete(three)
        other.webhooks.create(**NEW)
        assert ["unchanged", "unchanged", "unchanged", "done", "unchanged"] == outcomes(plan)
        assert {"POST": 1, "PATCH": 1} == {
            method: [request.method for request in written(server)].count(method) for method in ("POST", "PATCH")
        }
    assert 1 == [name for name, *_ in contents(sandbox)].count("New")


def test_a_missing_webhook_does_not_stop_the_rest(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its own update fails."""
    plan = cx.plan(client, five(sandbox))
    client.webhooks.delete(ids(sandbox)[0])
    assert ["failed", "done", "done", "done", "done"] == outcomes(plan)


@pytest.mark.parametrize("code", [400, 404, 422])
def test_a_rejected_step_does_not_stop_the_rest(sandbox: cx.Sandbox, code: int) -> None:
    """An error about one webhook does not affect the next."""
    with behind(sandbox, status(code, message="This one is frozen")) as (_, client):
        steps = steps_of(cx.plan(client, five(sandbox)))
    assert ["failed", "done", "done", "done", "done"] == [step.outcome for step in steps]
    if code != 404:
        assert "This one is frozen" in steps[0].detail


STOPPING: dict[str, Script] = {
    "invalid key": status(401, type="authentication_error"),
    "not permitted": status(403, type="permission_error"),
    "rate limit": status(429, {"Retry-After": "3600"}),
    "server error": status(500),
    "unavailable": status(503),
}


@pytest.mark.parametrize(
    ("failure", "reading"),
    [
        pytest.param(failure, reading, id=f"{'on reading' if reading else 'on writing'}-{name}")
        for number, (name, failure) in enumerate(STOPPING.items())
        for reading in ([True, False] if NIGHTLY else [number % 2 == 0])
    ],
)
def test_an_error_that_would_affect_every_step_stops_the_plan(
    sandbox: cx.Sandbox, failure: Script, reading: bool
) -> None:
    """The rest is not tried, and can be resumed."""
    before, broken = state(sandbox), threading.Event()

    def respond(connection: Any, received: Any) -> bool:
        affected = (received.method == "GET") is reading
        return (failure if broken.is_set() and affected else passed(sandbox))(connection, received)

    with behind(sandbox, *[respond] * 50, reads=respond) as (_, client):
        plan = cx.plan(client, five(sandbox))
        steps = steps_of(plan, on_step=lambda _: broken.set())
        broken.clear()
        again = outcomes(plan)
    assert ["done", "failed", "not tried", "not tried", "not tried"] == [step.outcome for step in steps]
    assert [] == [step for step in steps[1:2] if not step.detail]
    assert (["unchanged", *["done"] * 4], True) == (again, as_desired(before, state(sandbox)))


def test_an_unreachable_server_fails_the_first_step_only(sandbox: cx.Sandbox) -> None:
    """The rest is not tried."""
    with ScriptedServer(*[passed(sandbox)]) as server:
        client = cx.Client(sandbox.key, sandbox.team_id, server.url, timeout=1)
        plan = cx.plan(client, five(sandbox))
    assert ["failed", *["not tried"] * 4] == outcomes(plan)
    client.close()


# --- lost responses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [1, 4, 8])
def test_writes_with_lost_responses_are_done_if_they_took_effect(sandbox: cx.Sandbox, lost: int) -> None:
    """Reading back confirms them, and nothing is done twice."""
    before = state(sandbox)
    with behind(sandbox, *[passed(sandbox, answered=False)] * lost) as (_, client):
        plan = cx.plan(client, five(sandbox))
        first = steps_of(plan)
        again = outcomes(plan)
    assert "done" == first[0].outcome
    assert {"done", "not tried"} >= {step.outcome for step in first}
    assert {"unchanged", "done"} >= set(again)
    assert True is as_desired(before, state(sandbox))


@pytest.mark.parametrize("row", range(5), ids=["update", "pause", "create", "create paused", "delete"])
def test_a_write_whose_responses_are_all_lost_is_found_by_reading(sandbox: cx.Sandbox, row: int) -> None:
    """It took effect, so the step is done; applied again, it is unchanged."""
    before = state(sandbox)
    with behind(sandbox, *[passed(sandbox, answered=False)] * 4) as (_, client):
        plan = cx.plan(client, five(sandbox).iloc[[row]])
        (step,) = steps_of(plan)
        (again,) = steps_of(plan)
    assert ("done", "unchanged") == (step.outcome, again.outcome)
    assert step.detail.startswith("The response was lost.") or step.webhook is None
    assert again.detail.startswith(("No change was needed.", "It does not exist."))
    assert len(before) + {2: 1, 3: 1, 4: -1}.get(row, 0) == len(state(sandbox))


@pytest.mark.parametrize("row", [2, 3], ids=["create", "create paused"])
def test_a_created_webhook_whose_response_was_lost_has_no_secret(sandbox: cx.Sandbox, row: int) -> None:
    """The step's detail mentions the secret."""
    with behind(sandbox, *[passed(sandbox, answered=False)] * 4) as (_, client):
        (step,) = steps_of(cx.plan(client, five(sandbox).iloc[[row]]))
    assert (None, True) == (step.webhook.secret, step.webhook.id in state(sandbox))
    assert "secret" in step.detail


@pytest.mark.parametrize("row", range(5), ids=["update", "pause", "create", "create paused", "delete"])
def test_a_write_without_an_effect_is_failed(sandbox: cx.Sandbox, row: int) -> None:
    """The connection broke, and reading back shows no change."""
    before = state(sandbox)
    with behind(sandbox, *[reset()] * 4) as (_, client):
        plan = cx.plan(client, five(sandbox).iloc[[row]])
        assert ["failed"] == outcomes(plan)
        assert before == state(sandbox)
        assert ["done"] == outcomes(plan)


@pytest.mark.parametrize("row", range(5), ids=["update", "pause", "create", "create paused", "delete"])
@pytest.mark.parametrize("acts", [True, False], ids=["with effect", "without effect"])
def test_a_write_that_cannot_be_read_back_is_unknown(sandbox: cx.Sandbox, row: int, acts: bool) -> None:
    """Whether it took effect or not. When the server is back, the plan can be resumed."""
    unreachable = threading.Event()

    def write(connection: Any, received: Any) -> bool:
        unreachable.set()
        return (passed(sandbox, answered=False) if acts else reset())(connection, received)

    def read(connection: Any, received: Any) -> bool:
        return (reset() if unreachable.is_set() else passed(sandbox))(connection, received)

    with behind(sandbox, *[write] * 4, reads=read) as (_, client):
        plan = cx.plan(client, pd.concat([five(sandbox).iloc[[row]], rows({"id": ids(sandbox)[3], "name": "Next"})]))
        assert ["unknown", "not tried"] == outcomes(plan)
        unreachable.clear()
        first, second = outcomes(plan)
    assert ("unchanged" if acts and row != 3 else first, "done") == (first, second)
    assert first in ({"unchanged", "done"} if acts else {"done"})
    assert len({name for name, *_ in contents(sandbox)}) == len(contents(sandbox))


def test_an_update_without_an_effect_is_failed(sandbox: cx.Sandbox) -> None:
    """A success response is not enough: reading back shows the old name."""
    hook = listed(sandbox)[0]
    item = {"id": hook.id, "name": "Renamed", "url": hook.url, "events": list(hook.events or ()), "isActive": True}
    with behind(sandbox, data(item)) as (_, client):
        assert ["failed"] == outcomes(cx.plan(client, rows({"id": hook.id, "name": "Renamed"})))


def test_a_delete_without_an_effect_is_failed(sandbox: cx.Sandbox) -> None:
    """Reading back shows that the webhook still exists."""
    with behind(sandbox, data({"deleted": True})) as (_, client):
        assert ["failed"] == outcomes(cx.plan(client, rows({"id": ids(sandbox)[0], "delete": True})))


def test_a_create_without_an_effect_is_failed(sandbox: cx.Sandbox) -> None:
    """The webhook in the response does not exist."""
    item = {"id": "whk_made_up", "name": "New", "url": NEW["url"], "events": ["ticket.created"], "secret": "whsec_x"}
    with behind(sandbox, data(item, 201)) as (_, client):
        assert ["failed"] == outcomes(cx.plan(client, rows(NEW)))
    assert 4 == len(state(sandbox))


def test_a_value_changed_by_the_server_is_failed() -> None:
    """The name that is read back is not the desired one."""
    item = {
        "id": "whk_1",
        "name": "One",
        "url": "https://example.com/1",
        "events": ["ticket.created"],
        "isActive": True,
    }
    with (
        ScriptedServer(
            data([item]), data(item), data(item), data(item | {"name": "RENAMED"}), *[data(item)] * 9
        ) as server,
        cx.Client("sk_test_abcdefghijklmnop", "team_1", server.url) as client,
    ):
        assert ["failed"] == outcomes(cx.plan(client, rows({"id": "whk_1", "name": "Renamed"})))


def test_a_row_that_repeats_another_is_named(client: cx.Client) -> None:
    """By its name, as it has no ID."""
    new = {"name": "New", "url": "https://new.example.com/", "events": "ticket.created"}
    with pytest.raises(errors.ValidationError, match="'New' is in row 1 already"):
        cx.plan(client, rows(new, new))


# --- clients that may not write ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "options", "text"),
    [
        pytest.param("secret", {"write": False}, "the plan was not sent", id="read-only"),
        pytest.param("publishable", {}, "requires a secret key", id="publishable"),
    ],
)
@pytest.mark.parametrize("inverted", [False, True], ids=["the plan", "its inverse"])
def test_a_client_that_may_not_write_sends_nothing(
    sandbox: cx.Sandbox, key: str, options: dict[str, Any], text: str, inverted: bool
) -> None:
    """It may plan, but applying is rejected before any request."""
    before, steps = state(sandbox), []
    with behind(sandbox, key=key, **options) as (server, client):
        plan = cx.plan(client, five(sandbox))
        with pytest.raises(errors.ReadOnlyError if key == "secret" else errors.PermissionDeniedError, match=text):
            (plan.invert() if inverted else plan).apply(on_step=steps.append)
        assert (["GET"], []) == (server.methods, steps)
    assert before == state(sandbox)


# --- the error --------------------------------------------------------------------------------------------------------


def test_an_incomplete_error_has_the_summary_and_the_steps(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It can be pickled."""
    plan = cx.plan(client, five(sandbox).iloc[:2])
    client.webhooks.update(ids(sandbox)[1], name="Moved")
    with pytest.raises(errors.IncompleteError) as caught:
        plan.apply()
    assert "1 done, 1 failed." in str(caught.value)
    assert ["done", "failed"] == [step.outcome for step in caught.value.steps]
    assert (None, None, True) == (caught.value.status, caught.value.code, isinstance(caught.value, errors.CStarError))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(caught.value), ["done", "failed"]) == (str(copy), [step.outcome for step in copy.steps])


# --- undoing ----------------------------------------------------------------------------------------------------------


def test_an_inverse_undoes_the_whole_plan(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """In reverse order. Only the deleted webhook gets another id."""
    before = state(sandbox)
    plan = cx.plan(client, five(sandbox))
    plan.apply()
    inverse = plan.invert()
    assert (5, ["create", "delete", "delete", "update", "update"]) == (len(inverse), whats(inverse))
    assert ["done"] * 5 == outcomes(inverse)
    assert sorted(before.values()) == contents(sandbox)
    assert {key for key in before if key != list(before)[2]} == before.keys() & state(sandbox).keys()


def test_an_inverse_notes_that_id_and_secret_are_new(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Only where a deleted webhook is recreated."""
    frame = cx.plan(client, five(sandbox)).invert().to_frame()
    noted = frame[frame["note"].notna() & (frame["what"] == "create")]
    assert len(noted) >= 1
    assert [] == [note for note in noted["note"] if "ID" not in note or "secret" not in note or "new" not in note]
    assert True is bool(frame[frame["what"] == "update"]["note"].isna().all())


@pytest.mark.parametrize("row", range(4))
def test_a_deleted_webhook_is_recreated_as_it_was(sandbox: cx.Sandbox, client: cx.Client, row: int) -> None:
    """Including a paused one."""
    before = contents(sandbox)
    plan = cx.plan(client, rows({"id": ids(sandbox)[row], "delete": True}))
    plan.apply()
    assert 3 == len(state(sandbox))
    (step,) = plan.invert().apply()
    assert (before, True) == (contents(sandbox), step.webhook.secret.reveal().startswith("whsec_"))


@pytest.mark.parametrize(
    ("after", "loaded"),
    [
        pytest.param(after, loaded, id=f"{'from the file' if loaded else 'in the same process'}-{after}")
        for after in range(6)
        for loaded in ([False, True] if NIGHTLY else [after in {1, 2, 5}])
    ],
)
def test_a_partly_applied_plan_can_be_undone(
    sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path, after: int, loaded: bool
) -> None:
    """Changes that were not made are `unchanged`."""
    before, steps = state(sandbox), []
    plan = cx.plan(client, five(sandbox)).save(tmp_path / "plan.json")
    with contextlib.suppress(errors.IncompleteError):
        plan.apply(on_step=steps.append, stopped=lambda: len(steps) >= after)
    plan = cx.Plan.load(client, tmp_path / "plan.json") if loaded else plan
    assert ["unchanged"] * (5 - after) + ["done"] * after == outcomes(plan.invert())
    assert sorted(before.values()) == contents(sandbox)
    assert after == 5 or before == state(sandbox)


def test_an_inverse_of_an_inverse_is_the_plan(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It can be applied, and the plan undone afterwards."""
    before = state(sandbox)
    plan = cx.plan(client, five(sandbox))
    double_inverse = plan.invert().invert()
    columns = ["step", "what", "name", "field", "before", "after"]
    pd.testing.assert_frame_equal(plan.to_frame()[columns], double_inverse.to_frame()[columns])
    assert ["done"] * 5 == outcomes(double_inverse)
    assert True is as_desired(before, state(sandbox))
    plan.invert().apply()
    assert sorted(before.values()) == contents(sandbox)


def test_an_applied_inverse_can_be_inverted_and_applied(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It deletes the recreated webhook, by its new id."""
    before, plan = state(sandbox), cx.plan(client, five(sandbox))
    plan.apply()
    applied = contents(sandbox)
    inverse = plan.invert()
    inverse.apply()
    assert sorted(before.values()) == contents(sandbox)
    assert {"done"} == set(outcomes(inverse.invert()))
    assert applied == contents(sandbox)


def test_an_inverse_does_not_undo_changes_of_another_client(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A webhook changed since is not written."""
    plan = cx.plan(client, five(sandbox))
    plan.apply()
    client.webhooks.update(ids(sandbox)[0], url=URL)
    before = state(sandbox)[ids(sandbox)[0]]
    assert ["done", "done", "done", "done", "failed"] == outcomes(plan.invert())
    assert before == state(sandbox)[ids(sandbox)[0]]


@pytest.mark.parametrize(("others", "expected"), [(0, "unchanged"), (1, "done"), (2, "failed")])
def test_a_created_webhook_of_unknown_id_is_deleted_only_if_unambiguous(
    sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path, others: int, expected: str
) -> None:
    """If several equal ones were created after the plan, none is deleted."""
    cx.plan(client, rows(NEW)).save(tmp_path / "plan.json")
    for _ in range(others):
        client.webhooks.create(**NEW)
    (outcome,) = outcomes(cx.Plan.load(client, tmp_path / "plan.json").invert())
    assert (4 + (others if others > 1 else 0)) == len(state(sandbox))
    assert outcome in ({"failed", "unchanged"} if others > 1 else {expected})


def test_a_created_webhook_that_was_changed_since_is_not_deleted(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Another client uses it."""
    plan = cx.plan(client, rows(NEW))
    (step,) = plan.apply()
    client.webhooks.update(step.webhook.id, url=URL)
    (outcome,) = outcomes(plan.invert())
    assert (True, True) == (outcome != "done", step.webhook.id in state(sandbox))


# --- duplicates -------------------------------------------------------------------------------------------------------


@pytest.fixture
def duplicates(sandbox: cx.Sandbox, client: cx.Client) -> list[str]:
    """The ids of two webhooks that are equal but for their id."""
    return [client.webhooks.create(**NEW).id for _ in range(2)]


def test_a_deleted_webhook_is_recreated_although_a_duplicate_exists(
    sandbox: cx.Sandbox, client: cx.Client, duplicates: list[str]
) -> None:
    """The duplicate is not mistaken for it."""
    before = contents(sandbox)
    plan = cx.plan(client, rows({"id": duplicates[0], "delete": True}))
    plan.apply()
    inverse = plan.invert()
    assert ["done"] == outcomes(inverse)
    assert (before, True) == (contents(sandbox), duplicates[1] in state(sandbox))
    assert ["unchanged"] == outcomes(inverse)
    assert before == contents(sandbox)


def test_an_inverse_of_a_delete_that_was_not_applied_creates_nothing(
    sandbox: cx.Sandbox, client: cx.Client, duplicates: list[str]
) -> None:
    """Both duplicates still exist."""
    before = state(sandbox)
    assert ["unchanged"] == outcomes(cx.plan(client, rows({"id": duplicates[0], "delete": True})).invert())
    assert before == state(sandbox)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_both_duplicates_are_recreated(
    sandbox: cx.Sandbox, client: cx.Client, duplicates: list[str], after: int
) -> None:
    """Also when the inverse is stopped between them and resumed."""
    before, steps = contents(sandbox), []
    plan = cx.plan(client, rows(*[{"id": duplicate, "delete": True} for duplicate in duplicates]))
    plan.apply()
    inverse = plan.invert()
    with contextlib.suppress(errors.IncompleteError):
        inverse.apply(on_step=steps.append, stopped=lambda: len(steps) >= after)
    steps_of(inverse)
    assert before == contents(sandbox)


@pytest.mark.parametrize("which", [0, 1])
def test_only_the_updated_duplicate_is_restored(
    sandbox: cx.Sandbox, client: cx.Client, duplicates: list[str], which: int
) -> None:
    """It is identified by its id."""
    before = state(sandbox)
    plan = cx.plan(client, rows({"id": duplicates[which], "name": "Renamed"}))
    plan.apply()
    assert "New" == state(sandbox)[duplicates[1 - which]][0]
    plan.invert().apply()
    assert before == state(sandbox)


def test_an_update_to_the_content_of_a_create_is_kept_apart(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Both changes are made, and both are undone."""
    before = state(sandbox)
    one = ids(sandbox)[0]
    plan = cx.plan(client, rows({"id": one} | NEW, NEW))
    assert ["update", "create"] == whats(plan)
    assert ["done", "done"] == outcomes(plan)
    assert ["New", "New"] == [name for name, *_ in contents(sandbox) if name == "New"]
    assert ["unchanged", "unchanged"] == outcomes(plan)
    assert ["done", "done"] == outcomes(plan.invert())
    assert before == state(sandbox)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path) -> Path:
    """The path of a saved plan."""
    cx.plan(client, five(sandbox)).save(tmp_path / "plan.json")
    return tmp_path / "plan.json"


@pytest.mark.parametrize("kind", [str, Path])
def test_a_saved_plan_is_the_same_plan(sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path, kind: Any) -> None:
    """It shows the same, and can be applied."""
    before, plan = state(sandbox), cx.plan(client, five(sandbox))
    assert plan is plan.save(kind(tmp_path / "plan.json"))
    loaded = cx.Plan.load(client, kind(tmp_path / "plan.json"))
    pd.testing.assert_frame_equal(plan.to_frame(), loaded.to_frame())
    pd.testing.assert_frame_equal(plan.invert().to_frame(), loaded.invert().to_frame())
    assert (repr(plan), whats(plan)) == (repr(loaded), whats(loaded))
    assert ["done"] * 5 == outcomes(loaded)
    assert ["unchanged"] * 5 == outcomes(plan)
    assert True is as_desired(before, state(sandbox))


def test_saving_loading_and_inverting_write_nothing(sandbox: cx.Sandbox, tmp_path: Path) -> None:
    """No request but GET is sent."""
    with behind(sandbox) as (server, client):
        cx.plan(client, five(sandbox)).save(tmp_path / "plan.json")
        cx.Plan.load(client, tmp_path / "plan.json").invert().save(tmp_path / "inverse.json")
        assert [] == written(server)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_a_plan_file_is_readable_by_its_owner_only(client: cx.Client, tmp_path: Path, mask: int) -> None:
    """Whatever the umask is."""
    path, plan = tmp_path / "plan.json", cx.plan(client, rows(NEW))
    old = os.umask(mask)
    try:
        plan.save(path)
    finally:
        os.umask(old)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_plan_file_contains_neither_key_nor_secret(sandbox: cx.Sandbox, client: cx.Client, tmp_path: Path) -> None:
    """Also when the plan was applied before it was saved."""
    plan = cx.plan(client, five(sandbox))
    plan.save(tmp_path / "before.json")
    secrets = [step.webhook.secret for step in plan.apply() if step.change.what == "create"]
    plan.save(tmp_path / "after.json")
    plan.invert().save(tmp_path / "inverse.json")
    text = "".join(path.read_text("utf-8") for path in sorted(tmp_path.iterdir()))
    assert 3 == len(list(tmp_path.iterdir()))
    hidden = [secret.reveal().partition("_")[2] for secret in (*secrets, *sandbox.keys.values())]
    assert [] == [secret for secret in [*hidden, "sk_test_", "whsec_"] if secret in text]
    assert True is all(webhook_id in text for webhook_id in ids(sandbox)[:2])


@pytest.mark.parametrize("existing", ["file", "folder", "symlink", "dangling symlink"])
def test_an_existing_path_is_rejected(client: cx.Client, tmp_path: Path, existing: str) -> None:
    """Nothing is overwritten, and no symlink is followed."""
    path, other = tmp_path / "plan.json", tmp_path / "other"
    match existing:
        case "file":
            path.write_text("mine")
        case "folder":
            path.mkdir()
        case "symlink":
            other.write_text("mine")
            path.symlink_to(other)
        case _:
            path.symlink_to(other)
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.plan(client, rows(NEW)).save(path)
    assert "plan.json" in str(caught.value)
    assert existing != "dangling symlink" or not other.exists()
    assert existing not in {"file", "symlink"} or path.read_text() == "mine"


@pytest.mark.parametrize("path", ["missing/plan.json", "plan.json/x", "a\x00b", "", "x" * 5_000])
def test_a_path_that_cannot_be_written_is_a_cstar_error(client: cx.Client, tmp_path: Path, path: str) -> None:
    """Not an OSError or a ValueError."""
    (tmp_path / "plan.json").write_text("mine")
    with pytest.raises(errors.CStarError):
        cx.plan(client, rows(NEW)).save(str(tmp_path / path) if path else "")


def test_a_plan_of_another_team_is_rejected(sandbox: cx.Sandbox, saved: Path) -> None:
    """Its ids mean nothing there."""
    with cx.Client(sandbox.key, "team_other", sandbox.base_url) as client, pytest.raises(errors.ConfigurationError):
        cx.Plan.load(client, saved)


def test_a_plan_of_another_environment_is_rejected(sandbox: cx.Sandbox, saved: Path) -> None:
    """A plan for test data is never applied to live data."""
    with sandbox.client("live") as client, pytest.raises(errors.ConfigurationError):
        cx.Plan.load(client, saved)


def test_a_plan_of_another_base_url_is_rejected(sandbox: cx.Sandbox, saved: Path) -> None:
    """Another server has other webhooks."""
    with (
        cx.Client(sandbox.key, sandbox.team_id, f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(errors.ConfigurationError),
    ):
        cx.Plan.load(client, saved)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
        pytest.param(b"id,name\n1,2\n", id="CSV"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"7", id="number"),
        pytest.param(b'"plan"', id="text"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b'{"changes": []}', id="only changes"),
        pytest.param(b'{"cells": [], "metadata": {}, "nbformat": 4}', id="notebook"),
        pytest.param(b"[" * 200_000, id="deep list"),
        pytest.param(b'{"a":' * 200_000 + b"1" + b"}" * 200_000, id="deep object"),
        pytest.param(b"1" * 10_000, id="huge number"),
        pytest.param(b"NaN", id="NaN"),
        pytest.param(b'"\\ud800"', id="unpaired surrogate"),
    ],
)
def test_a_file_that_is_not_a_plan_is_rejected(client: cx.Client, tmp_path: Path, content: bytes) -> None:
    """With a ConfigurationError, for any content."""
    (tmp_path / "plan.json").write_bytes(content)
    with pytest.raises(errors.ConfigurationError):
        cx.Plan.load(client, tmp_path / "plan.json")


@pytest.mark.parametrize("path", ["missing.json", ".", "a\x00b", "plan.json/x"])
def test_an_unreadable_file_is_rejected(client: cx.Client, saved: Path, path: str) -> None:
    """Not with an OSError."""
    with pytest.raises(errors.ConfigurationError):
        cx.Plan.load(client, str(saved.parent) + "/" + path)


def test_a_truncated_file_is_rejected(client: cx.Client, saved: Path) -> None:
    """Wherever it is cut."""
    whole = saved.read_bytes().rstrip()
    for end in sorted({*range(0, len(whole), 97), len(whole) - 1}):
        saved.write_bytes(whole[:end])
        with pytest.raises(errors.ConfigurationError):
            cx.Plan.load(client, saved)
    saved.write_bytes(whole)
    assert 5 == len(cx.Plan.load(client, saved))


def test_a_huge_file_is_rejected(client: cx.Client, saved: Path) -> None:
    """Even if it is a valid plan followed by 100 MB of spaces."""
    with saved.open("ab") as file:
        for _ in range(100):
            file.write(b" " * 1_000_000)
    with pytest.raises(errors.ConfigurationError):
        cx.Plan.load(client, saved)


def containers(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a JSON value, with each of its keys."""
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from containers(value[key])


@pytest.mark.parametrize(
    "other",
    [None, 7, -1, 0.5, True, "x", "", [], {}, ["x"], [None], {"x": 1}, "\ud800", 10**30],
    ids=json.dumps,
)
def test_a_file_with_any_value_replaced_is_rejected_or_a_plan(client: cx.Client, saved: Path, other: Any) -> None:
    """A plan that loads can be shown and inverted. In `make test`, a quarter of the places are tried."""
    whole = saved.read_text("utf-8")
    count = len(list(containers(json.loads(whole))))
    rejected = 0
    for number in sample(range(count), count // 4, name=f"replaced by {other!r}"):
        content = json.loads(whole)
        container, key = next(itertools.islice(containers(content), number, None))
        container[key] = other
        saved.write_text(json.dumps(content))
        try:
            plan = cx.Plan.load(client, saved)
        except errors.ConfigurationError:
            rejected += 1
            continue
        assert set(plan.to_frame()["step"]) <= set(range(1, len(plan) + 1))
        assert (True, True, True) == (bool(repr(plan)), bool(plan._repr_html_()), len(plan.invert()) == len(plan))
    assert rejected in range(1, count + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("is_active", "yes"), ("is_active", 2), ("events", "ticket.created"), ("events", [1]), ("name", 7), ("url", [])],
)
def test_a_file_with_a_value_of_another_type_is_rejected(
    client: cx.Client, saved: Path, field: str, value: Any
) -> None:
    """It would be sent to cStar."""
    content = json.loads(saved.read_text("utf-8"))
    state_after = next(change["after"] for change in content["changes"] if change["after"] is not None)
    state_after[field] = value
    saved.write_text(json.dumps(content))
    with pytest.raises(errors.ConfigurationError, match="not a plan"):
        cx.Plan.load(client, saved)


@pytest.mark.parametrize("emptied", [("before", "after"), ("id",)])
def test_a_file_with_a_change_of_nothing_is_rejected(client: cx.Client, saved: Path, emptied: tuple[str, ...]) -> None:
    """A change has a state, and an update has an ID."""
    content = json.loads(saved.read_text("utf-8"))
    update = next(change for change in content["changes"] if change["before"] and change["after"])
    update |= dict.fromkeys(emptied)
    saved.write_text(json.dumps(content))
    with pytest.raises(errors.ConfigurationError, match="not a plan"):
        cx.Plan.load(client, saved)


def test_a_file_with_any_value_removed_is_rejected_or_a_plan(client: cx.Client, saved: Path) -> None:
    """A plan that loads can be shown and inverted."""
    whole = saved.read_text("utf-8")
    rejected = 0
    for number in range(count := len(list(containers(json.loads(whole))))):
        content = json.loads(whole)
        container, key = next(itertools.islice(containers(content), number, None))
        del container[key]
        saved.write_text(json.dumps(content))
        try:
            plan = cx.Plan.load(client, saved)
        except errors.ConfigurationError:
            rejected += 1
            continue
        assert set(plan.to_frame()["step"]) <= set(range(1, len(plan) + 1))
        assert len(plan) == len(plan.invert())
    assert rejected in range(1, count + 1)


def test_a_tampered_plan_is_validated_when_applied(sandbox: cx.Sandbox, saved: Path) -> None:
    """An invalid URL or id in the file is not sent."""
    text = (
        saved.read_text("utf-8").replace(NEW["url"], "http://example.com/plain").replace(ids(sandbox)[0], "../../admin")
    )
    saved.write_text(text)
    with sandbox.client() as client, contextlib.suppress(errors.CStarError):
        cx.Plan.load(client, saved).apply()
    assert [] == [url for _, url, *_ in contents(sandbox) if not url.startswith("https://")]
    assert 0 == [name for name, *_ in contents(sandbox)].count("Renamed")


def test_a_plan_with_hostile_names_is_saved_and_loaded(list_server: ListServer, tmp_path: Path) -> None:
    """Including an unpaired surrogate, which JSON can hold and UTF-8 cannot."""
    client = list_server.lists({"name": HOSTILE + CONTROLS}, {"name": "\ud800"}, {"name": "\x00", "events": None})
    plan = cx.plan(client, rows(*[{"id": f"whk_{number}", "is_active": False} for number in (1, 2, 3)]))
    plan.save(tmp_path / "plan.json")
    loaded = cx.Plan.load(client, tmp_path / "plan.json")
    assert [change.name for change in plan.changes] == [change.name for change in loaded.changes]
    pd.testing.assert_frame_equal(plan.to_frame(), loaded.to_frame())


def test_an_empty_plan_is_saved_and_loaded(client: cx.Client, tmp_path: Path) -> None:
    """It stays empty."""
    cx.plan(client, pd.DataFrame()).save(tmp_path / "plan.json")
    assert (0, 0) == (
        len(cx.Plan.load(client, tmp_path / "plan.json")),
        len(cx.Plan.load(client, tmp_path / "plan.json").invert()),
    )


def test_another_webhook_with_the_same_id_is_not_written(sandbox: cx.Sandbox) -> None:
    """If reading returns another webhook than planned, the step fails."""
    hook = listed(sandbox)[0]
    item = {"id": hook.id, "name": "Else", "url": "https://example.com/else", "events": ["*"], "isActive": True}
    reads = iter([passed(sandbox)])

    def read(connection: Any, received: Any) -> bool:
        return next(reads, holding(item))(connection, received)

    with behind(sandbox, reads=read) as (server, client):
        plan = cx.plan(client, rows({"id": hook.id, "name": "Renamed"}))
        assert ["failed"] == outcomes(plan)
        assert [] == written(server)
