"""Which webhook receives which event type: `coverage()` and the Explorer's chart."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import events, models
from tests.support.forms import HOSTILE, behind, in_loop, passed
from tests.support.scripted_server import RecordedRequest, data


def webhook(number: int, subscribed: Any, *, active: Any = True) -> dict[str, Any]:
    """A webhook as in cStar's list."""
    return {
        "id": f"whk_{number}",
        "name": f"Number {number}",
        "url": f"https://n{number}.example.com/hook",
        "events": subscribed,
        "isActive": active,
        "createdAt": "2025-11-01T09:00:00Z",
        "updatedAt": "2025-11-01T09:00:00Z",
    }


def receivers(items: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The frame's webhooks by event type."""
    frame = models.WebhookList(items).coverage()
    return dict(zip(frame["event"], frame["webhooks"], strict=True))


async def chart(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> tuple[list[Any], list[str]]:
    """The rows and names of an Explorer's chart of these webhooks."""

    def respond(connection: Any, received: RecordedRequest) -> bool:
        return (data(items) if received.path.endswith("/webhooks") else passed(sandbox))(connection, received)

    with behind(sandbox, reads=respond) as (_, client):
        explorer = cx.Explorer(client)
        try:
            await explorer.refresh()
            return list(explorer._coverage.content["rows"]), list(explorer._coverage.content["names"])
        finally:
            explorer.close()
            await asyncio.sleep(0)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_has_a_row_for_each_documented_event_type(client: cx.Client) -> None:
    """All 35, in the catalogue's order, with their groups."""
    frame = client.webhooks.list().coverage()
    assert ["event", "group", "receivers", "webhooks"] == list(frame.columns)
    assert [(kind.name, kind.group) for kind in events.EVENT_TYPES] == list(
        zip(frame["event"], frame["group"], strict=True)
    )
    assert 35 == len(frame)


def test_the_frame_of_an_empty_list_has_the_same_rows_and_dtypes(client: cx.Client) -> None:
    """No event type has a receiver."""
    empty, full = models.WebhookList([]).coverage(), client.webhooks.list().coverage()
    assert list(full["event"]) == list(empty["event"])
    assert [0] * 35 == list(empty["receivers"])
    assert [()] * 35 == list(empty["webhooks"])
    assert list(full.dtypes) == list(empty.dtypes)


def test_the_count_is_the_number_of_names(client: cx.Client) -> None:
    """In every row."""
    frame = client.webhooks.list().coverage()
    assert list(frame["receivers"]) == [len(names) for names in frame["webhooks"]]


@pytest.mark.parametrize(
    ("subscribed", "expected"),
    [
        pytest.param(["ticket.created"], {"ticket.created"}, id="exact"),
        pytest.param(["ticket.created", "ticket.created"], {"ticket.created"}, id="duplicate"),
        pytest.param(["*"], set(events.NAMES), id="all events"),
        pytest.param(
            ["ticket.*"], {name for name in events.NAMES if name.startswith("ticket.")}, id="all of one resource"
        ),
        pytest.param(
            ["ticket.*", "ticket.created"],
            {name for name in events.NAMES if name.startswith("ticket.")},
            id="wildcard and one of its events",
        ),
        pytest.param(["ticket.unknown", "nothing"], set(), id="unknown events"),
        pytest.param([], set(), id="no events"),
        pytest.param(None, set(), id="null"),
    ],
)
def test_an_active_webhook_receives_what_it_subscribes_to(subscribed: Any, expected: set[str]) -> None:
    """By name or wildcard, each event type once; unknown types have no row."""
    assert {name: ("Number 1",) if name in expected else () for name in events.NAMES} == receivers(
        [webhook(1, subscribed)]
    )


def test_a_paused_webhook_receives_nothing() -> None:
    """It is neither counted nor named."""
    by_type = receivers([webhook(1, ["*"], active=False), webhook(2, ["ticket.created"])])
    assert ("Number 2",) == by_type["ticket.created"]
    assert () == by_type["ticket.updated"]


def test_two_webhooks_with_the_same_name_are_two_receivers() -> None:
    """Webhooks are distinguished by id."""
    items = [webhook(number, ["ticket.created"]) | {"name": "Same"} for number in (1, 2)]
    frame = models.WebhookList(items).coverage().set_index("event")
    assert 2 == frame.loc["ticket.created", "receivers"]


@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from([*events.NAMES, "*", "ticket.*", "article.*", "odd"]), max_size=5), st.booleans()
        ),
        max_size=8,
    )
)
def test_the_frame_agrees_with_matching_types(subscriptions: list[tuple[list[str], bool]]) -> None:
    """For any subscriptions, a row counts the active webhooks that have a matching pattern."""
    items = [webhook(number, patterns, active=active) for number, (patterns, active) in enumerate(subscriptions)]
    frame = models.WebhookList(items).coverage()
    expected = [
        sum(
            active and any(name in events.matching_types(pattern) for pattern in patterns)
            for patterns, active in subscriptions
        )
        for name in events.NAMES
    ]
    assert expected == list(frame["receivers"])


# --- the chart --------------------------------------------------------------------------------------------------------


@in_loop
async def test_the_chart_agrees_with_the_frame(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Each row counts the webhooks of the frame's row, and refers to them by index."""
    frame = client.webhooks.list().coverage()
    explorer = cx.Explorer(client)
    await explorer.refresh()
    rows, names = explorer._coverage.content["rows"], explorer._coverage.content["names"]
    explorer.close()
    assert list(zip(frame["event"], frame["receivers"], strict=True)) == [(row[0], row[1]) for row in rows]
    assert list(frame["webhooks"]) == [tuple(names[index] for index in row[2]) for row in rows]


@in_loop
async def test_the_chart_counts_all_webhooks_and_names_the_first_12(sandbox: cx.Sandbox) -> None:
    """Of thirty receivers."""
    rows, names = await chart(sandbox, [webhook(number, ["ticket.created"]) for number in range(30)])
    ticket_created = next(row for row in rows if row[0] == "ticket.created")
    assert ["ticket.created", 30, list(range(12))] == ticket_created
    assert [f"Number {number}" for number in range(12)] == names[:12]


@in_loop
async def test_the_chart_names_a_receiver_of_one_event_type(sandbox: cx.Sandbox) -> None:
    """Also if it is the thirtieth webhook."""
    items = [webhook(number, ["ticket.created"]) for number in range(29)] + [webhook(29, ["survey.submitted"])]
    rows, names = await chart(sandbox, items)
    _, count, positions = next(row for row in rows if row[0] == "survey.submitted")
    assert (1, ["Number 29"]) == (count, [names[position] for position in positions])


@in_loop
async def test_the_chart_is_updated_after_a_pause(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Without a manual refresh."""
    explorer = cx.Explorer(client)
    webhooks = await explorer.refresh()
    before = next(row for row in explorer._coverage.content["rows"] if row[0] == "ticket.created")[1]
    explorer.table.select([webhooks[0].id])
    await explorer.act("pause")
    after = next(row for row in explorer._coverage.content["rows"] if row[0] == "ticket.created")[1]
    explorer.close()
    assert (1, 0) == (before, after)


@in_loop
async def test_the_chart_escapes_control_characters(sandbox: cx.Sandbox) -> None:
    """In the name of a webhook, which is also truncated."""
    _, names = await chart(sandbox, [webhook(1, ["*"]) | {"name": HOSTILE + "\x1b\u202e" + "n" * 10_000}])
    assert names[0].isprintable()
    assert len(names[0]) < 1_000
