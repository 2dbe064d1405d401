"""Which webhook receives which event: the frame for code, and the picture of the Explorer."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import events, models
from tests.support.forms import HOSTILE, behind, in_loop, passed
from tests.support.scripted_server import RecordedRequest, data


def made(number: int, listens: Any, *, active: Any = True) -> dict[str, Any]:
    """A webhook as cStar lists it."""
    return {
        "id": f"whk_{number}",
        "name": f"Number {number}",
        "url": f"https://n{number}.example.com/hook",
        "events": listens,
        "isActive": active,
        "createdAt": "2025-11-01T09:00:00Z",
        "updatedAt": "2025-11-01T09:00:00Z",
    }


def receivers(items: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """The frame's webhooks for each event."""
    frame = models.WebhookList(items).coverage()
    return dict(zip(frame["event"], frame["webhooks"], strict=True))


async def pictured(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> tuple[list[Any], list[str]]:
    """The rows and the names of the picture that an Explorer draws of these webhooks."""

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return (data(items) if received.path.endswith("/webhooks") else passed(sandbox))(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        explorer = cx.Explorer(client)
        try:
            await explorer.refresh()
            return list(explorer.coverage.rows), list(explorer.coverage.names)
        finally:
            explorer.close()
            await asyncio.sleep(0)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_has_a_row_for_each_documented_event(client: cx.Client) -> None:
    """All 35 events stand there in the catalogue's order, with their groups."""
    frame = client.webhooks.list().coverage()
    assert ["event", "group", "receivers", "webhooks"] == list(frame.columns)
    assert [(kind.name, kind.group) for kind in events.EVENT_TYPES] == list(
        zip(frame["event"], frame["group"], strict=True)
    )
    assert 35 == len(frame)


def test_the_frame_of_no_webhooks_has_the_same_rows_and_types(client: cx.Client) -> None:
    """Nobody receives anything, and the columns are of the types that they are otherwise."""
    empty, full = models.WebhookList([]).coverage(), client.webhooks.list().coverage()
    assert list(full["event"]) == list(empty["event"])
    assert [0] * 35 == list(empty["receivers"])
    assert [()] * 35 == list(empty["webhooks"])
    assert list(full.dtypes) == list(empty.dtypes)


def test_the_frame_counts_the_webhooks_that_it_names(client: cx.Client) -> None:
    """The number is the number of the names, in every row."""
    frame = client.webhooks.list().coverage()
    assert list(frame["receivers"]) == [len(names) for names in frame["webhooks"]]


@pytest.mark.parametrize(
    ("listens", "expected"),
    [
        pytest.param(["ticket.created"], {"ticket.created"}, id="exact"),
        pytest.param(["ticket.created", "ticket.created"], {"ticket.created"}, id="twice the same"),
        pytest.param(["*"], set(events.NAMES), id="everything"),
        pytest.param(
            ["ticket.*"], {name for name in events.NAMES if name.startswith("ticket.")}, id="all of one resource"
        ),
        pytest.param(
            ["ticket.*", "ticket.created"],
            {name for name in events.NAMES if name.startswith("ticket.")},
            id="wildcard and one of its events",
        ),
        pytest.param(["ticket.unheard_of", "nothing"], set(), id="unknown events"),
        pytest.param([], set(), id="no events"),
        pytest.param(None, set(), id="events not told"),
    ],
)
def test_an_active_webhook_receives_what_it_subscribes_to(listens: Any, expected: set[str]) -> None:
    """Names and wildcards count, each event once, and what is not in the catalogue has no row."""
    assert {name: ("Number 1",) if name in expected else () for name in events.NAMES} == receivers([made(1, listens)])


def test_a_paused_webhook_receives_nothing() -> None:
    """It is not counted, and neither is it named."""
    covered = receivers([made(1, ["*"], active=False), made(2, ["ticket.created"])])
    assert ("Number 2",) == covered["ticket.created"]
    assert () == covered["ticket.updated"]


def test_two_webhooks_of_one_name_are_two_receivers() -> None:
    """They are told apart by their ids, not by what somebody called them."""
    items = [made(number, ["ticket.created"]) | {"name": "Same"} for number in (1, 2)]
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
def test_the_frame_agrees_with_the_patterns_of_the_catalogue(teams: list[tuple[list[str], bool]]) -> None:
    """Whatever the subscriptions are, a row counts the active webhooks with a pattern that matches its event."""
    items = [made(number, listens, active=active) for number, (listens, active) in enumerate(teams)]
    frame = models.WebhookList(items).coverage()
    expected = [
        sum(active and any(name in events.matching_types(pattern) for pattern in listens) for listens, active in teams)
        for name in events.NAMES
    ]
    assert expected == list(frame["receivers"])


# --- the picture ------------------------------------------------------------------------------------------------------


@in_loop
async def test_the_picture_says_the_same_as_the_frame(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Each row of the picture counts, and names by index, the webhooks of the frame's row."""
    frame = client.webhooks.list().coverage()
    explorer = cx.Explorer(client)
    await explorer.refresh()
    rows, names = explorer.coverage.rows, explorer.coverage.names
    explorer.close()
    assert list(zip(frame["event"], frame["receivers"], strict=True)) == [(row[0], row[1]) for row in rows]
    assert list(frame["webhooks"]) == [tuple(names[index] for index in row[2]) for row in rows]


@in_loop
async def test_the_picture_counts_all_and_draws_the_first_24(sandbox: cx.Sandbox) -> None:
    """Thirty receive it; thirty are counted, and the first 24 have a column."""
    rows, names = await pictured(sandbox, [made(number, ["ticket.created"]) for number in range(30)])
    drawn = next(row for row in rows if row[0] == "ticket.created")
    assert ["ticket.created", 30, list(range(24))] == drawn
    assert [f"Number {number}" for number in range(24)] == names[:24]


@in_loop
async def test_the_picture_counts_receivers_that_it_has_no_column_for(sandbox: cx.Sandbox) -> None:
    """An event that only the thirtieth webhook receives is not said to reach nobody."""
    items = [made(number, ["ticket.created"]) for number in range(29)] + [made(29, ["survey.submitted"])]
    rows, _ = await pictured(sandbox, items)
    assert ["survey.submitted", 1, []] == next(row for row in rows if row[0] == "survey.submitted")


@in_loop
async def test_the_picture_follows_a_pause(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """What was paused receives nothing any more, without another refresh by hand."""
    explorer = cx.Explorer(client)
    webhooks = await explorer.refresh()
    before = next(row for row in explorer.coverage.rows if row[0] == "ticket.created")[1]
    explorer.table.select([webhooks[0].id])
    await explorer.act("pause")
    after = next(row for row in explorer.coverage.rows if row[0] == "ticket.created")[1]
    explorer.close()
    assert (1, 0) == (before, after)


@in_loop
async def test_the_picture_spells_control_characters_out(sandbox: cx.Sandbox) -> None:
    """A hostile name stands there printable, as text."""
    _, names = await pictured(sandbox, [made(1, ["*"]) | {"name": HOSTILE + "\x1b\u202e" + "n" * 10_000}])
    assert names[0].isprintable()
    assert len(names[0]) < 1_000
