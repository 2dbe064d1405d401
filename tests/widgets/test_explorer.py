"""The Explorer without a browser: every action of it awaited, and every message that its page may send."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from cstar_explore import errors, models
from tests.support.forms import (
    CONTROLS,
    HOSTILE,
    alive,
    behind,
    held,
    hidden,
    in_loop,
    item,
    listed,
    once,
    passed,
    states,
    turns,
    until,
    widgets_of,
    written,
)
from tests.support.scripted_server import RecordedRequest, Script, data, reset, status

pytestmark = pytest.mark.usefixtures("no_widget_is_left")

COLUMNS = ["Name", "Active", "Events", "Host", "Created", "Age"]
LIVE = "live"


# --- a person at the Explorer -----------------------------------------------------------------------------------------


def listing(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> Script:
    """The team's list is this, and every other read passes to the sandbox."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return (data(items) if received.path.endswith("/webhooks") else passed(sandbox))(connection, received)

    return answer


async def opened(client: cx.Client, listener: Any = None) -> cx.Explorer:
    """An Explorer that has read its webhooks by itself."""
    explorer = cx.Explorer(client, listener)
    await until(lambda: explorer.table.rows and explorer.rate_limit.lines and explorer.title.lines)
    await turns()
    return explorer


async def filled(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> cx.Explorer:
    """An Explorer of a team with these webhooks."""
    with behind(sandbox, reads=listing(sandbox, items)) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
    return explorer


def names(explorer: cx.Explorer) -> list[str]:
    """The names that the table shows now."""
    return [row[1] for row in explorer.table.rows]


def ids(explorer: cx.Explorer) -> list[str]:
    return [row[0] for row in explorer.table.rows]


def tell(explorer: cx.Explorer, message: Any) -> None:
    """The page says something."""
    explorer.table._handle_custom_msg(message, [])


def asked(server: Any) -> list[str]:
    """What was requested, without the addresses' common beginning."""
    return [f"{request.method} {request.path.partition('/api/v1/')[2]}" for request in server.requests]


def outcomes(steps: list[Any]) -> list[str]:
    return [step.outcome for step in steps]


def parents(explorer: cx.Explorer) -> dict[str, ipywidgets.Widget]:
    """Each widget's sandbox."""
    return {child.model_id: sandbox for sandbox in widgets_of(explorer) for child in getattr(sandbox, "children", ())}


def offered(explorer: cx.Explorer, name: str) -> bool:
    """Whether a person sees this button, and may press it."""
    above, widget = parents(explorer), explorer.buttons[name]
    if widget.disabled:
        return False
    while widget is not None and not hidden(widget):
        widget = above.get(widget.model_id)
    return widget is None


async def rested(explorer: cx.Explorer) -> None:
    """Waits until no work is under way."""
    await turns()
    await until(lambda: explorer.status.tone != "busy" and not offered(explorer, "stop"))
    await turns()


def others() -> list[asyncio.Task[Any]]:
    """The tasks under way that are neither the test nor the one that bounds its time."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


# --- opening ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_opening_costs_two_requests(sandbox: cx.Sandbox) -> None:
    """One for who it is and one for the list; nothing else is asked for unless somebody asks."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.search("crm")
        explorer.table.sort_by("Name")
        explorer.table.select(ids(explorer))
        await turns()
        assert ["GET auth/whoami", f"GET teams/{sandbox.team_id}/webhooks"] == asked(server)
        explorer.close()


def test_it_can_be_made_without_a_running_loop(sandbox: cx.Sandbox) -> None:
    """In a plain script nothing is read before it is asked for, and then it is."""
    with behind(sandbox) as (server, client):
        explorer = cx.Explorer(client)
        assert [] == server.requests
        assert 4 == len(asyncio.run(explorer.refresh()))
        assert 4 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_refresh_right_after_opening_shares_the_first_read(sandbox: cx.Sandbox) -> None:
    """The read that opening began is not begun again."""
    with behind(sandbox) as (server, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        await rested(explorer)
        assert [f"GET teams/{sandbox.team_id}/webhooks"] == [line for line in asked(server) if "webhooks" in line]
        explorer.close()


@in_loop
async def test_a_row_says_what_there_is_to_know(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Id, name, state in a word, events, host and day of creation, and an age."""
    explorer = await opened(client)
    webhook = listed(sandbox)[3]
    *told, age = explorer.table.rows[3]
    assert [
        webhook.id,
        "Boss fight overlay",
        "paused",
        "boss.spawned, boss.damaged, boss.defeated",
        "tv.example.com",
        "2025-10-31",
    ] == told
    assert age
    assert "active" == explorer.table.rows[0][2]
    explorer.close()


@in_loop
async def test_a_state_that_cstar_does_not_tell_is_not_guessed(sandbox: cx.Sandbox) -> None:
    """Neither active nor paused is claimed of it."""
    told = {name: value for name, value in item(1).items() if name != "isActive"}
    explorer = await filled(sandbox, [told])
    assert "not told" == explorer.table.rows[0][2]
    explorer.close()


@pytest.mark.parametrize(
    ("key", "words"),
    [pytest.param("secret", ["sandbox", "sk_test_••••"], id="sandbox"), pytest.param(LIVE, ["live"], id="live")],
)
@in_loop
async def test_the_bar_says_where_one_is(sandbox: cx.Sandbox, key: str, words: list[str]) -> None:
    """Environment, team and masked key stand in words."""
    with sandbox.client(key) as client:
        explorer = await opened(client)
        told = " ".join(explorer.title.lines)
        assert words == [word for word in words if word in told.lower()]
        assert f"team {sandbox.team_id}" in told
        explorer.close()


@in_loop
async def test_the_bar_says_what_is_left_of_the_budget(client: cx.Client) -> None:
    """The number of the remaining requests is there after the first read, and follows the next."""
    explorer = await opened(client)
    before = " ".join(explorer.rate_limit.lines)
    await explorer.refresh()
    after = " ".join(explorer.rate_limit.lines)
    assert "998" in before
    assert "997" in after
    explorer.close()


@in_loop
async def test_its_repr_names_the_environment_and_the_team(client: cx.Client) -> None:
    """It is what a log or a plain terminal shows."""
    explorer = await opened(client)
    assert "Explorer(sandbox, team team_sandbox)" == repr(explorer)
    explorer.close()


# --- refreshing -------------------------------------------------------------------------------------------------------


@in_loop
async def test_refresh_returns_the_webhooks(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """They are the ones that the table shows."""
    explorer = await opened(client)
    webhooks = await explorer.refresh()
    assert isinstance(webhooks, models.WebhookList)
    assert ids(explorer) == [webhook.id for webhook in webhooks]
    explorer.close()


@in_loop
async def test_concurrent_refreshes_share_one_read(sandbox: cx.Sandbox) -> None:
    """Five at once are one request, and all get its answer."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        before = len(server.requests)
        results = await asyncio.gather(*(explorer.refresh() for _ in range(5)))
        assert 1 == len(server.requests) - before
        assert [results[0]] * 5 == results
        await explorer.refresh()
        assert 2 == len(server.requests) - before
        explorer.close()


@in_loop
async def test_one_impatient_caller_does_not_end_the_read_of_another(sandbox: cx.Sandbox) -> None:
    """A refresh that is cancelled leaves the shared read to whoever still waits for it."""
    gate = threading.Event()
    with behind(
        sandbox, reads=once(passed(sandbox), passed(sandbox), held(gate, passed(sandbox)), then=passed(sandbox))
    ) as (_, client):
        explorer = await opened(client)
        impatient, patient = asyncio.create_task(explorer.refresh()), asyncio.create_task(explorer.refresh())
        await turns()
        impatient.cancel()
        await turns()
        gate.set()
        assert 4 == len(await patient)
        explorer.close()


@in_loop
async def test_refresh_keeps_selection_search_sort_and_page(sandbox: cx.Sandbox) -> None:
    """Who looked at something still looks at it, though the list has grown at its beginning."""
    items = [item(number) for number in range(1, 81)]

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return (passed(sandbox) if received.path.endswith("whoami") else lists)(connection, received)

    lists = once(data(items), then=data([item(0), *items]))
    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table.search("number")
        explorer.table.sort_by("Name")
        explorer.table.turn_to(2)
        chosen = ids(explorer)[:2]
        explorer.table.select(chosen)
        kept = (explorer.table.query, explorer.table.sort, explorer.table.page, set(explorer.table.selected))
        assert 81 == len(await explorer.refresh())
        assert kept == (
            explorer.table.query,
            explorer.table.sort,
            explorer.table.page,
            set(explorer.table.selected),
        )
        assert chosen == [webhook.id for webhook in explorer.table.chosen()]
        explorer.close()


@in_loop
async def test_a_selected_webhook_that_is_gone_is_named(client: cx.Client) -> None:
    """It is no longer selected, the status says which it was, and the other stays selected."""
    explorer = await opened(client)
    gone, stays = ids(explorer)[:2]
    explorer.table.select([gone, stays])
    client.webhooks.delete(gone)
    await explorer.refresh()
    assert [stays] == list(explorer.table.selected)
    assert "Slack notifications" in explorer.status.text
    assert "CRM sync" not in explorer.status.text
    explorer.close()


@in_loop
async def test_a_webhook_that_is_gone_unselected_is_not_named(client: cx.Client) -> None:
    """Only what somebody had chosen is worth a word."""
    explorer = await opened(client)
    client.webhooks.delete(ids(explorer)[0])
    await explorer.refresh()
    assert 3 == len(explorer.table.rows)
    assert "Slack notifications" not in explorer.status.text
    explorer.close()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        pytest.param(status(401, type="authentication_error"), errors.AuthenticationError, id="key refused"),
        pytest.param(status(503), errors.ServerError, id="server ill"),
        pytest.param(reset(), errors.TransportError, id="connection broken"),
        pytest.param(data("nothing like a list"), errors.InvalidResponseError, id="nonsense"),
    ],
)
@in_loop
async def test_a_refresh_that_fails_leaves_what_was_shown(
    sandbox: cx.Sandbox, line: Script, kind: type[Exception]
) -> None:
    """It raises and says so, and rows, selection and picture stay as they were."""
    with behind(sandbox, reads=once(passed(sandbox), passed(sandbox), then=line)) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        before = (explorer.table.rows, explorer.table.selected, explorer.coverage.rows, explorer.table.said)
        with pytest.raises(kind):
            await explorer.refresh()
        assert explorer.status.text.startswith("Not read: ")
        assert "failed" == explorer.status.tone
        assert before == (explorer.table.rows, explorer.table.selected, explorer.coverage.rows, explorer.table.said)
        explorer.close()


@in_loop
async def test_an_opening_that_fails_says_so_and_can_be_repeated(sandbox: cx.Sandbox) -> None:
    """Nobody awaits the first read; its failure is on screen, and the next refresh reads."""
    with behind(sandbox, reads=once(*[status(401, type="authentication_error")] * 2, then=passed(sandbox))) as (
        _,
        client,
    ):
        explorer = cx.Explorer(client)
        await until(lambda: explorer.status.text.startswith("Not read: "))
        assert 4 == len(await explorer.refresh())
        assert 4 == len(explorer.table.rows)
        assert not explorer.status.text.startswith("Not read")
        explorer.close()


@in_loop
async def test_the_loop_turns_while_a_refresh_waits(sandbox: cx.Sandbox) -> None:
    """The kernel answers other cells until the server does."""
    gate = threading.Event()
    with behind(
        sandbox, reads=once(passed(sandbox), passed(sandbox), held(gate, passed(sandbox)), then=passed(sandbox))
    ) as (_, client):
        explorer = await opened(client)
        reading = asyncio.create_task(explorer.refresh())
        await turns(200)
        assert not reading.done()
        gate.set()
        assert 4 == len(await reading)
        explorer.close()


# --- the table --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("CRM", ["CRM sync"], id="name"),
        pytest.param("crm SYNC", ["CRM sync"], id="any case"),
        pytest.param("tv.example", ["Boss fight overlay"], id="host"),
        pytest.param("boss.spawned", ["Boss fight overlay"], id="event"),
        pytest.param("", ["Slack notifications", "CRM sync", "Search index", "Boss fight overlay"], id="nothing"),
        pytest.param("no such thing", [], id="no match"),
        pytest.param("(", [], id="an opened parenthesis"),
        pytest.param(".*", ["Search index"], id="a pattern is taken as it is written"),
        pytest.param("\\", [], id="a backslash"),
    ],
)
@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_search_shows_what_holds_the_text(
    client: cx.Client, query: str, expected: list[str], by_page: bool
) -> None:
    """Names, events and hosts are searched, in any case, and literally."""
    explorer = await opened(client)
    if by_page:
        tell(explorer, {"event": "search", "text": query})
    else:
        explorer.table.search(query)
    assert expected == names(explorer)
    assert query == explorer.table.query
    explorer.close()


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param("Name", ["Boss fight overlay", "CRM sync", "Search index", "Slack notifications"], id="Name"),
        pytest.param("Host", ["CRM sync", "Slack notifications", "Search index", "Boss fight overlay"], id="Host"),
        pytest.param("Events", ["Search index", "Boss fight overlay", "CRM sync", "Slack notifications"], id="Events"),
        pytest.param(
            "Created", ["CRM sync", "Search index", "Boss fight overlay", "Slack notifications"], id="Created"
        ),
        pytest.param("Age", ["Slack notifications", "Boss fight overlay", "Search index", "CRM sync"], id="Age"),
    ],
)
@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_a_column_sorts_and_once_more_reverses(
    client: cx.Client, column: str, expected: list[str], by_page: bool
) -> None:
    """The first time it is ascending, the second time descending."""
    explorer = await opened(client)
    for wanted in (expected, expected[::-1]):
        if by_page:
            tell(explorer, {"event": "sort", "column": column})
        else:
            explorer.table.sort_by(column)
        assert wanted == names(explorer)
        assert column == explorer.table.sort[0]
    explorer.close()


@in_loop
async def test_sorting_by_state_keeps_equal_states_together(client: cx.Client) -> None:
    """Active and paused ones are apart, either way."""
    explorer = await opened(client)
    explorer.table.sort_by("Active")
    one_way = [row[2] for row in explorer.table.rows]
    explorer.table.sort_by("Active")
    assert one_way[::-1] == [row[2] for row in explorer.table.rows]
    assert {("active", "active", "active", "paused"), ("paused", "active", "active", "active")} == {
        tuple(one_way),
        tuple(one_way[::-1]),
    }
    explorer.close()


@pytest.mark.parametrize("column", COLUMNS)
@in_loop
async def test_every_column_sorts_webhooks_of_which_little_is_told(sandbox: cx.Sandbox, column: str) -> None:
    """What is missing, or odd, is put somewhere, and no row is lost."""
    items = [item(1), {"id": "whk_bare"}, item(3, events=None, isActive=None, createdAt="yesterday", url="no address")]
    explorer = await filled(sandbox, items)
    explorer.table.sort_by(column)
    first = set(ids(explorer))
    explorer.table.sort_by(column)
    assert {told["id"] for told in items} == first == set(ids(explorer))
    explorer.close()


@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_the_table_shows_25_at_a_time(sandbox: cx.Sandbox, by_page: bool) -> None:
    """Its pages together show every webhook once, in order."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    shown = []
    for page in range(1, explorer.table.pages + 1):
        if by_page:
            tell(explorer, {"event": "page", "page": page})
        else:
            explorer.table.turn_to(page)
        assert page == explorer.table.page
        shown.append(names(explorer))
    assert [25, 25, 10] == [len(page) for page in shown]
    assert [f"Number {number:05}" for number in range(60)] == [name for page in shown for name in page]
    explorer.close()


@pytest.mark.parametrize("page", [0, -1, 4, 10**30])
@in_loop
async def test_there_is_no_page_outside_of_the_pages(sandbox: cx.Sandbox, page: int) -> None:
    """Whoever turns too far still sees webhooks."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    tell(explorer, {"event": "page", "page": page})
    assert 1 <= explorer.table.page <= explorer.table.pages == 3
    assert explorer.table.rows
    explorer.close()


@in_loop
async def test_a_search_from_a_late_page_shows_its_matches(sandbox: cx.Sandbox) -> None:
    """What is found is on screen, though the page that was open is no more."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    explorer.table.turn_to(3)
    explorer.table.search("Number 00007")
    assert ["Number 00007"] == names(explorer)
    assert (1, 1) == (explorer.table.page, explorer.table.pages)
    explorer.close()


@in_loop
async def test_a_refresh_that_shortens_the_list_leaves_no_empty_page(sandbox: cx.Sandbox) -> None:
    """Who was on the third page of three sees the last one of those that are left."""
    lists = once(data([item(number) for number in range(60)]), then=data([item(number) for number in range(30)]))

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return (passed(sandbox) if received.path.endswith("whoami") else lists)(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table.turn_to(3)
        await explorer.refresh()
        assert (2, 2) == (explorer.table.page, explorer.table.pages)
        assert 5 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_rows_are_selected_and_unselected_by_id(client: cx.Client) -> None:
    """By code and by the page, and `chosen` has the webhooks of these ids."""
    explorer = await opened(client)
    one, two, three, _ = ids(explorer)
    explorer.table.select([one, two])
    tell(explorer, {"event": "select", "id": three, "on": True})
    assert {one, two, three} == set(explorer.table.selected)
    tell(explorer, {"event": "select", "id": one, "on": False})
    explorer.table.select([two], on=False)
    assert [three] == list(explorer.table.selected)
    assert ["Search index"] == [webhook.name for webhook in explorer.table.chosen()]
    explorer.close()


@in_loop
async def test_selecting_twice_is_selecting_once(client: cx.Client) -> None:
    """A row is selected or it is not."""
    explorer = await opened(client)
    one = ids(explorer)[0]
    explorer.table.select([one, one])
    tell(explorer, {"event": "select", "id": one, "on": True})
    assert [one] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_page_is_selected_and_unselected_at_once(sandbox: cx.Sandbox) -> None:
    """Only the rows on screen are; what was selected elsewhere stays."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    far = "whk_000000000059"
    explorer.table.select([far])
    tell(explorer, {"event": "select_page", "on": True})
    assert {*ids(explorer), far} == set(explorer.table.selected)
    tell(explorer, {"event": "select_page", "on": False})
    assert [far] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_selection_survives_search_and_paging(sandbox: cx.Sandbox) -> None:
    """What is out of sight is still selected, and the table says how many are."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    explorer.table.select(ids(explorer)[:2])
    explorer.table.turn_to(3)
    explorer.table.search("Number 00059")
    assert 2 == len(explorer.table.chosen())
    assert "2 selected" in explorer.table.said
    explorer.close()


@in_loop
async def test_nobody_selects_what_is_not_there(client: cx.Client) -> None:
    """An id that the team does not have is not selected."""
    explorer = await opened(client)
    tell(explorer, {"event": "select", "id": "whk_nowhere", "on": True})
    explorer.table.select(["whk_elsewhere"])
    assert [] == list(explorer.table.selected)
    assert [] == list(explorer.table.chosen())
    explorer.close()


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(None, id="nothing"),
        pytest.param("search", id="a word"),
        pytest.param([], id="a list"),
        pytest.param({}, id="empty"),
        pytest.param({"event": None}, id="event of none"),
        pytest.param({"event": ["search"]}, id="event of a list"),
        pytest.param({"event": "explode"}, id="unknown event"),
        pytest.param({"event": "search"}, id="search without text"),
        pytest.param({"event": "search", "text": 7}, id="search for a number"),
        pytest.param({"event": "search", "text": {"$": 1}}, id="search for an object"),
        pytest.param({"event": "sort"}, id="sort without column"),
        pytest.param({"event": "sort", "column": "Secret"}, id="sort by an unknown column"),
        pytest.param({"event": "sort", "column": ["Name"]}, id="sort by a list"),
        pytest.param({"event": "sort", "column": 0}, id="sort by a number"),
        pytest.param({"event": "page"}, id="page without number"),
        pytest.param({"event": "page", "page": "2"}, id="page as a word"),
        pytest.param({"event": "page", "page": 1.5}, id="half a page"),
        pytest.param({"event": "page", "page": True}, id="page as a truth"),
        pytest.param({"event": "page", "page": float("nan")}, id="page that is no number"),
        pytest.param({"event": "page", "page": None}, id="page of none"),
        pytest.param({"event": "select"}, id="select without id"),
        pytest.param({"event": "select", "id": 1, "on": True}, id="select a number"),
        pytest.param({"event": "select", "id": ["whk_000000000030"], "on": True}, id="select a list"),
        pytest.param({"event": "select", "id": {}, "on": True}, id="select an object"),
        pytest.param({"event": "select", "id": "whk_000000000030"}, id="select without on"),
        pytest.param({"event": "select", "id": "whk_000000000030", "on": "no"}, id="select with a word for on"),
        pytest.param({"event": "select_page"}, id="select_page without on"),
        pytest.param({"event": "select_page", "on": "yes"}, id="select_page with a word for on"),
    ],
)
@in_loop
async def test_a_malformed_message_does_nothing(sandbox: cx.Sandbox, message: Any) -> None:
    """The page may say anything; the table stays as it is."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    table = explorer.table
    table.sort_by("Name")
    table.turn_to(2)
    table.select(["whk_000000000001"])
    before = (table.rows, table.selected, table.query, table.sort, table.page, table.pages, table.said)
    tell(explorer, message)
    assert before == (table.rows, table.selected, table.query, table.sort, table.page, table.pages, table.said)
    explorer.close()


# --- acting on several ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected", "left", "account"),
    [
        pytest.param("pause", ["done"] * 3 + ["unchanged"], [False] * 4, "3 paused", id="pause"),
        pytest.param("resume", ["unchanged"] * 3 + ["done"], [True] * 4, "1 resumed", id="resume"),
        pytest.param("delete", ["done"] * 4, [], "4 deleted", id="delete"),
    ],
)
@in_loop
async def test_the_selected_are_worked_on_and_the_table_follows(
    sandbox: cx.Sandbox, client: cx.Client, action: str, expected: list[str], left: list[bool], account: str
) -> None:
    """A step for each in order, one line for each, an account, and the table shows how things are now."""
    explorer = await opened(client)
    before = ids(explorer)
    explorer.table.select(before)
    steps = await explorer.act(action)
    assert before == [step.change.id for step in steps]
    assert expected == outcomes(steps)
    assert left == [webhook.is_active for webhook in listed(sandbox)]
    assert ["active" if state else "paused" for state in left] == [row[2] for row in explorer.table.rows]
    assert account in explorer.status.text
    assert 4 == len(explorer.steps.lines)
    assert expected == [
        outcome for outcome, line in zip(expected, explorer.steps.lines, strict=True) if outcome in line
    ]
    explorer.close()


@in_loop
async def test_only_the_selected_are_touched(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The others stay as they are, whatever is on screen."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[1:2])
    explorer.table.search("slack")
    await explorer.act("pause")
    assert [True, False, True, False] == [webhook.is_active for webhook in listed(sandbox)]
    explorer.close()


@pytest.mark.parametrize("action", ["pause", "resume", "delete"])
@in_loop
async def test_acting_on_nothing_is_refused(sandbox: cx.Sandbox, action: str) -> None:
    """There is nothing selected, and nothing is sent."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        before = len(server.requests)
        with pytest.raises(errors.ValidationError):
            await explorer.act(action)
        assert before == len(server.requests)
        explorer.close()


@in_loop
async def test_an_unknown_action_changes_nothing(sandbox: cx.Sandbox) -> None:
    """A word that is none of the three is refused before anything is written, with an error of ours."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        refused = (await asyncio.gather(explorer.act("explode"), return_exceptions=True))[0]
        assert [] == written(server)
        assert isinstance(refused, errors.ValidationError)
        explorer.close()


@in_loop
async def test_a_second_action_waits_for_nobody(sandbox: cx.Sandbox) -> None:
    """While one is under way another is refused, and the first is done once."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        first = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        with pytest.raises(errors.ValidationError):
            await explorer.act("delete")
        gate.set()
        assert ["done", "done"] == outcomes(await first)
        assert ["PATCH", "PATCH"] == [request.method for request in written(server)]
        assert ["done", "done"] == outcomes(await explorer.act("delete"))
        explorer.close()


@in_loop
async def test_two_at_the_same_moment_are_one(sandbox: cx.Sandbox) -> None:
    """Of two that begin together the second is refused."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        results = await asyncio.gather(explorer.act("pause"), explorer.act("pause"), return_exceptions=True)
        assert [list, errors.ValidationError] == [type(result) for result in results]
        assert 1 == len(written(server))
        explorer.close()


@in_loop
async def test_stop_ends_the_work_between_two_steps(sandbox: cx.Sandbox) -> None:
    """The step under way is finished and told as done; those after it were not tried."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        work = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        explorer.stop()
        gate.set()
        assert ["done", "not tried", "not tried"] == outcomes(await work)
        assert [False, True, True, False] == [webhook.is_active for webhook in listed(sandbox)]
        assert "1 paused" in explorer.status.text
        assert "2 not tried" in explorer.status.text
        explorer.close()


@in_loop
async def test_stop_without_work_stops_nothing_later(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whoever pressed it too early still gets the next work done."""
    explorer = await opened(client)
    explorer.stop()
    explorer.table.select(ids(explorer)[:2])
    assert ["done", "done"] == outcomes(await explorer.act("pause"))
    explorer.close()


@in_loop
async def test_one_that_is_gone_does_not_stop_the_others(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It failed, the others are paused, and the account says both."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:3])
    client.webhooks.delete(ids(explorer)[0])
    assert ["failed", "done", "done"] == outcomes(await explorer.act("pause"))
    assert "2 paused, 1 failed." in explorer.status.text
    assert "failed" in explorer.steps.lines[0]
    explorer.close()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(status(401, type="authentication_error"), id="key refused"),
        pytest.param(reset(), id="connection broken"),
    ],
)
@in_loop
async def test_trouble_with_key_or_network_ends_the_work(sandbox: cx.Sandbox, line: Script) -> None:
    """The rest is not tried; the loop is free and another action may begin."""
    with behind(sandbox, passed(sandbox), *[line] * 4) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert ["done", "failed", "not tried"] == outcomes(await explorer.act("pause"))
        assert "1 paused, 1 failed, 1 not tried." in explorer.status.text
        assert "failed" == explorer.status.tone
        explorer.close()


@in_loop
async def test_the_account_survives_a_refresh_that_fails(sandbox: cx.Sandbox) -> None:
    """What was done is told, also where the list cannot be read again afterwards."""
    gone = once(*[passed(sandbox)] * 4, then=status(401, type="authentication_error"))
    with behind(sandbox, reads=gone) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        assert ["done"] == outcomes(await explorer.act("pause"))
        assert "1 paused" in explorer.status.text
        assert 4 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_the_loop_turns_while_the_work_waits(sandbox: cx.Sandbox) -> None:
    """The kernel answers other cells until the server does."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        work = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        await turns(200)
        assert not work.done()
        gate.set()
        assert ["done"] == outcomes(await work)
        explorer.close()


@in_loop
async def test_steps_are_shown_as_they_are_taken(sandbox: cx.Sandbox) -> None:
    """While the second step waits the first one's line is on screen."""
    gate = threading.Event()
    with behind(sandbox, passed(sandbox), held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        work = asyncio.create_task(explorer.act("pause"))
        await until(lambda: len(written(server)) == 2)
        await until(lambda: any("Slack notifications" in line and "done" in line for line in explorer.steps.lines))
        gate.set()
        assert ["done", "done"] == outcomes(await work)
        explorer.close()


@pytest.mark.parametrize("action", ["pause", "delete"])
@in_loop
async def test_a_reading_client_fails_every_step(sandbox: cx.Sandbox, action: str) -> None:
    """The client was opened to read; each step says so and nothing is written."""
    with behind(sandbox, write=False) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        steps = await explorer.act(action)
        assert ["failed", "failed"] == outcomes(steps)
        assert ["reads only", "reads only"] == [
            "reads only" if "reads only" in step.detail else step.detail for step in steps
        ]
        assert [] == written(server)
        explorer.close()


@pytest.mark.parametrize(
    ("action", "count", "wrong", "right"),
    [
        pytest.param(
            "pause", 2, [None, "", "pause", "pause 1 webhook", "pause 2", "yes"], "pause 2 webhooks", id="pause"
        ),
        pytest.param("resume", 1, [None, "resume 1 webhooks", "pause 1 webhook"], "resume 1 webhook", id="resume"),
        pytest.param("delete", 1, [None, "delete", "delete 2 webhooks"], "delete 1 webhook", id="delete one"),
        pytest.param(
            "delete", 3, [None, "delete 1 webhook", "pause 3 webhooks"], "delete 3 webhooks", id="delete three"
        ),
    ],
)
@in_loop
async def test_a_live_key_needs_its_words(
    sandbox: cx.Sandbox, action: str, count: int, wrong: list[str | None], right: str
) -> None:
    """Without them, or with others, nothing is sent; with them it is done."""
    with behind(sandbox, key=LIVE) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:count])
        before = len(server.requests)
        for said in wrong:
            with pytest.raises(errors.ConfirmationError):
                await explorer.act(action, confirm=said)
        assert before == len(server.requests)
        steps = await explorer.act(action, confirm=right)
        assert count == len(steps)
        assert {"done", "unchanged"} >= set(outcomes(steps))
        explorer.close()


@pytest.mark.parametrize("action", ["pause", "resume"])
@in_loop
async def test_a_button_on_live_does_nothing_without_its_words(sandbox: cx.Sandbox, action: str) -> None:
    """A press alone changes nothing at a live team."""
    with behind(sandbox, key=LIVE) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer))
        explorer.buttons[action].click()
        await turns(50)
        await until(lambda: explorer.status.tone != "busy")
        assert [] == written(server)
        explorer.close()


# --- as code ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["pause", "resume", "delete"])
@in_loop
async def test_the_code_does_the_same(action: str) -> None:
    """Run against a team that is alike, the lines bring about what the action did."""
    with cx.Sandbox() as here, cx.Sandbox() as there:
        with here.client() as client:
            explorer = await opened(client)
            explorer.table.select(ids(explorer)[2:])
            await explorer.act(action)
            lines = "\n".join(explorer.code.lines)
            explorer.close()
        with there.client() as client:
            exec(compile(lines, "copied", "exec"), {"client": client, "cx": cx})
        assert [(told.id, told.is_active) for told in listed(here)] == [
            (told.id, told.is_active) for told in listed(there)
        ]
        assert [(told.id, told.is_active) for told in listed(there)] != [
            (told.id, told.is_active) for told in listed_afresh()
        ]


def listed_afresh() -> list[cx.Webhook]:
    with cx.Sandbox() as sandbox:
        return listed(sandbox)


@in_loop
async def test_an_id_cannot_smuggle_code_into_the_code(sandbox: cx.Sandbox) -> None:
    """However it is written, it stays a string in the lines that are copied."""
    hostile = 'whk_\']); raise SystemExit  # \n\u202e"""'
    explorer = await filled(sandbox, [item(1, id=hostile)])
    explorer.table.select(ids(explorer))
    called: list[Any] = []
    lines = "\n".join(explorer.code.lines)

    class Webhooks:
        def update(self, name: str, **_: Any) -> None:
            called.append(name)

        delete = update

    fake = type("Client", (), {"webhooks": Webhooks()})()
    exec(compile(lines, "copied", "exec"), {"client": fake})
    assert [hostile] == called
    assert all(line.isprintable() for line in explorer.code.lines)
    explorer.close()


# --- the buttons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "left"),
    [pytest.param("pause", [False] * 4, id="pause"), pytest.param("resume", [True] * 4, id="resume")],
)
@in_loop
async def test_pause_and_resume_act_at_a_press(
    sandbox: cx.Sandbox, client: cx.Client, action: str, left: list[bool]
) -> None:
    """They take back what the other does, so they do not ask."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer))
    explorer.buttons[action].click()
    await until(lambda: left == [row[2] == "active" for row in explorer.table.rows])
    await rested(explorer)
    assert left == [webhook.is_active for webhook in listed(sandbox)]
    explorer.close()


@in_loop
async def test_delete_asks_in_place_first(sandbox: cx.Sandbox) -> None:
    """The question comes with two answers, and until one is given nothing is deleted."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        assert (False, False) == (offered(explorer, "keep"), offered(explorer, "really"))
        explorer.table.select(ids(explorer)[:2])
        explorer.buttons["delete"].click()
        await until(lambda: offered(explorer, "really"))
        assert offered(explorer, "keep")
        explorer.buttons["keep"].click()
        await until(lambda: not offered(explorer, "really"))
        await turns()
        assert [] == written(server)
        assert 4 == len(listed(sandbox))
        explorer.close()


@in_loop
async def test_really_deletes_the_selected(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The two are gone, the table shows it, and the question is no longer asked."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    explorer.buttons["delete"].click()
    await until(lambda: offered(explorer, "really"))
    assert "2 webhooks" in explorer.buttons["really"].description
    explorer.buttons["really"].click()
    await until(lambda: len(explorer.table.rows) == 2)
    await rested(explorer)
    assert ["Search index", "Boss fight overlay"] == [webhook.name for webhook in listed(sandbox)]
    assert not offered(explorer, "really")
    explorer.close()


@in_loop
async def test_the_answer_deletes_no_more_than_it_says(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Who selects another one while being asked is not taken at an answer to an earlier question."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer.buttons["delete"].click()
    await until(lambda: offered(explorer, "really"))
    explorer.table.select(ids(explorer)[1:3])
    await turns()
    said = explorer.buttons["really"].description if offered(explorer, "really") else "Delete 0 webhooks"
    explorer.buttons["really"].click()
    await turns(50)
    await rested(explorer)
    assert said.split()[1] == str(4 - len(listed(sandbox)))
    explorer.close()


@in_loop
async def test_two_presses_are_one(sandbox: cx.Sandbox) -> None:
    """A second press while the first is at work does nothing."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        explorer.buttons["pause"].click()
        explorer.buttons["pause"].click()
        await until(lambda: written(server))
        explorer.buttons["pause"].click()
        gate.set()
        await until(lambda: explorer.table.rows[0][2] == "paused")
        await rested(explorer)
        assert 1 == len(written(server))
        assert "1 paused" in explorer.status.text
        explorer.close()


@in_loop
async def test_stop_is_offered_during_work_only(sandbox: cx.Sandbox) -> None:
    """It comes with the work, a press ends it after the step under way, and it goes with the work."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert not offered(explorer, "stop")
        explorer.buttons["pause"].click()
        await until(lambda: written(server) and offered(explorer, "stop"))
        explorer.buttons["stop"].click()
        gate.set()
        await rested(explorer)
        assert 1 == len(written(server))
        assert not offered(explorer, "stop")
        assert "2 not tried" in explorer.status.text
        explorer.close()


@in_loop
async def test_buttons_are_offered_where_they_can_do_something(client: cx.Client) -> None:
    """Nothing is paused, resumed or deleted without a selection, and one at a time is edited."""
    explorer = await opened(client)
    expected = {0: [], 1: ["edit", "pause", "resume", "delete"], 2: ["pause", "resume", "delete"]}
    for count, buttons in expected.items():
        explorer.table.select(ids(explorer)[:count])
        offers = [name for name in ("edit", "pause", "resume", "delete") if offered(explorer, name)]
        assert (count, buttons) == (count, offers)
    explorer.close()


@in_loop
async def test_the_refresh_button_reads(client: cx.Client) -> None:
    """What somebody else made meanwhile is then in the table."""
    explorer = await opened(client)
    client.webhooks.create(name="Newer", url="https://example.com/newer", events=["ticket.created"])
    explorer.buttons["refresh"].click()
    await until(lambda: "Newer" in names(explorer))
    await rested(explorer)
    assert 5 == len(explorer.table.rows)
    explorer.close()


@in_loop
async def test_a_refresh_by_button_that_fails_says_so(sandbox: cx.Sandbox) -> None:
    """Nobody awaits it, so the status tells what happened and the rows stay."""
    with behind(sandbox, reads=once(passed(sandbox), passed(sandbox), then=reset())) as (_, client):
        explorer = await opened(client)
        explorer.buttons["refresh"].click()
        await until(lambda: explorer.status.text.startswith("Not read: "))
        assert 4 == len(explorer.table.rows)
        explorer.close()


@pytest.mark.parametrize(
    ("button", "kind"), [pytest.param("edit", cx.EditForm, id="edit"), pytest.param("fire", cx.FireForm, id="fire")]
)
@in_loop
async def test_edit_and_fire_open_their_forms(client: cx.Client, button: str, kind: type) -> None:
    """The form is the one of the selected webhook's tab."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer.buttons[button].click()
    await until(lambda: explorer.form is not None)
    assert kind is type(explorer.form)
    explorer.close()


# --- the tabs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tab", "kind"),
    [
        pytest.param("Webhooks", type(None), id="Webhooks"),
        pytest.param("Create", cx.CreateForm, id="Create"),
        pytest.param("Edit", cx.EditForm, id="Edit"),
        pytest.param("Fire", cx.FireForm, id="Fire"),
        pytest.param("Deliveries", type(None), id="Deliveries"),
    ],
)
@in_loop
async def test_a_tab_opens_its_form(client: cx.Client, tab: str, kind: type) -> None:
    """There is one where the tab is for a form."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer.open(tab)
    assert kind is type(explorer.form)
    explorer.close()


@in_loop
async def test_a_tab_is_built_when_it_is_first_opened(client: cx.Client) -> None:
    """Before that it has no widgets, and the second time it has no further ones."""
    explorer = await opened(client)
    unopened = len(alive())
    explorer.open("Create")
    first, built = explorer.form, len(alive())
    explorer.open("Webhooks")
    explorer.open("Create")
    assert unopened < built == len(alive())
    assert first is explorer.form
    explorer.close()


@pytest.mark.parametrize("count", [0, 2])
@in_loop
async def test_editing_is_for_one(client: cx.Client, count: int) -> None:
    """With none or several selected there is no form to edit."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:count])
    explorer.open("Edit")
    assert explorer.form is None
    explorer.close()


@in_loop
async def test_the_edit_form_follows_the_selection(client: cx.Client) -> None:
    """Opened for another webhook it is that one's form."""
    explorer = await opened(client)
    one, two = ids(explorer)[:2]
    explorer.table.select([one])
    explorer.open("Edit")
    before = explorer.form.fields["name"].value
    explorer.open("Webhooks")
    explorer.table.select([one], on=False)
    explorer.table.select([two])
    explorer.open("Edit")
    assert ("Slack notifications", "CRM sync") == (before, explorer.form.fields["name"].value)
    explorer.close()


@in_loop
async def test_what_was_created_is_in_the_table(client: cx.Client) -> None:
    """A form that succeeds lets the table read again."""
    explorer = await opened(client)
    explorer.open("Create")
    for name, value in {"name": "Made here", "url": "https://example.com/here", "events": ["ticket.created"]}.items():
        explorer.form.fields[name].value = value
    made = await explorer.form.submit()
    await until(lambda: made.id in ids(explorer))
    assert "Made here" in names(explorer)
    await rested(explorer)
    assert made.secret.reveal() not in states()
    explorer.close()


@in_loop
async def test_what_was_edited_is_in_the_table(client: cx.Client) -> None:
    """The new name stands there, and the webhook is still selected."""
    explorer = await opened(client)
    one = ids(explorer)[0]
    explorer.table.select([one])
    explorer.open("Edit")
    explorer.form.fields["name"].value = "Renamed here"
    await explorer.form.submit()
    await until(lambda: "Renamed here" in names(explorer))
    await rested(explorer)
    assert [one] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_form_that_fails_reads_nothing(sandbox: cx.Sandbox) -> None:
    """There is nothing new to see."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.open("Create")
        with pytest.raises(errors.ValidationError):
            await explorer.form.submit()
        await turns(50)
        assert 2 == len(server.requests)
        explorer.close()


@in_loop
async def test_an_unknown_tab_is_no_tab(client: cx.Client) -> None:
    """It is refused, and the form that was open stays."""
    explorer = await opened(client)
    explorer.open("Create")
    before = explorer.form
    with pytest.raises((ValueError, LookupError, errors.CStarError)):
        explorer.open("Nowhere")
    assert before is explorer.form
    explorer.close()


# --- leaving nothing --------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_leaves_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Not after all tabs were open and work was done: no widget, no task, no thread."""
    with sandbox.listener() as listener:
        warm = await opened(client)
        warm.close()
        await until(lambda: not others())
        widgets, threads = alive(), set(threading.enumerate())
        explorer = await opened(client, listener)
        explorer.table.select(ids(explorer)[:1])
        for tab in ("Create", "Edit", "Fire", "Deliveries", "Webhooks"):
            explorer.open(tab)
            await turns()
        await explorer.act("pause")
        explorer.close()
        await until(lambda: not others())
        assert widgets == alive()
        assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_a_hundred_openings_leave_nothing(client: cx.Client) -> None:
    """Whether the first read was over or not when it was closed."""
    widgets, threads = alive(), set(threading.enumerate())
    for number in range(100):
        explorer = cx.Explorer(client)
        if number % 20 == 0:
            await explorer.refresh()
        await turns(number % 3)
        explorer.close()
    await until(lambda: not others())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_closing_twice_is_closing_once(client: cx.Client) -> None:
    """The second time there is nothing to close."""
    widgets = alive()
    explorer = await opened(client)
    explorer.close()
    explorer.close()
    assert widgets == alive()


@in_loop
async def test_closing_leaves_the_client_open(client: cx.Client) -> None:
    """It belongs to somebody else."""
    explorer = await opened(client)
    explorer.close()
    assert 4 == len(client.webhooks.list())


@in_loop
async def test_closing_in_the_middle_of_work_begins_no_further_step(sandbox: cx.Sandbox) -> None:
    """The step under way ends; nobody is left to see the next one."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        explorer.buttons["pause"].click()
        await until(lambda: written(server))
        explorer.close()
        gate.set()
        await until(lambda: not others())
        assert 1 == len(written(server))


@in_loop
async def test_closing_lets_go_of_the_listener(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The listener goes on, and no longer tells a closed Explorer."""
    with sandbox.listener() as listener:
        widgets = alive()
        explorer = await opened(client, listener)
        explorer.open("Deliveries")
        explorer.close()
        await until(lambda: not others())
        made = await asyncio.to_thread(client.webhooks.create, name="Ear", url=listener.url, events=["ticket.created"])
        await asyncio.to_thread(client.webhooks.trigger_test, "ticket.created")
        await turns()
        assert made.id
        assert widgets == alive()


# --- ten thousand -----------------------------------------------------------------------------------------------------


def weight(before: set[str]) -> int:
    """The bytes of the state of all widgets that are new since then, but for the code and style of the page."""
    new = [registry._instances[name].get_state() for name in alive() - before]
    told = [{name: value for name, value in state.items() if name not in {"_esm", "_css"}} for state in new]
    return len(json.dumps(told, default=repr).encode())


@in_loop
async def test_ten_thousand_webhooks_are_little_to_tell_a_page(sandbox: cx.Sandbox) -> None:
    """Only what is on screen is in the widgets, whatever is searched, sorted and turned to."""
    before = alive()
    explorer = await filled(sandbox, [item(number) for number in range(10_000)])
    assert (25, 400) == (len(explorer.table.rows), explorer.table.pages)
    explorer.table.sort_by("Name")
    explorer.table.sort_by("Name")
    explorer.table.turn_to(400)
    assert "Number 00000" == names(explorer)[-1]
    explorer.table.search("Number 0777")
    assert [f"Number 0777{digit}" for digit in reversed(range(10))] == names(explorer)
    tell(explorer, {"event": "select_page", "on": True})
    for tab in ("Create", "Edit", "Fire", "Deliveries", "Webhooks"):
        explorer.open(tab)
    assert weight(before) < 200_000
    assert ["ticket.created", 10_000, list(range(24))] == explorer.coverage.rows[0]
    explorer.close()


@in_loop
async def test_ten_thousand_selected_are_little_to_tell_a_page(sandbox: cx.Sandbox) -> None:
    """Selecting all of them does not put all of them into the widgets."""
    before = alive()
    items = [item(number) for number in range(10_000)]
    explorer = await filled(sandbox, items)
    explorer.table.select([told["id"] for told in items])
    assert 10_000 == len(explorer.table.chosen())
    assert weight(before) < 200_000
    explorer.close()


@in_loop
async def test_long_names_are_little_to_tell_a_page(sandbox: cx.Sandbox) -> None:
    """A name of ten thousand letters is shown shortened."""
    before = alive()
    explorer = await filled(sandbox, [item(number, name="n" * 10_000) for number in range(100)])
    assert 25 == len(explorer.table.rows)
    assert weight(before) < 200_000
    explorer.close()


# --- hostile text and secrets -----------------------------------------------------------------------------------------


def strings(value: Any) -> Iterator[str]:
    """Every string within."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from strings(part)


@in_loop
async def test_hostile_text_is_shown_printable(sandbox: cx.Sandbox) -> None:
    """Control and direction characters are spelled out wherever the text goes, and nothing is an HTML widget."""
    text = HOSTILE + CONTROLS
    items = [item(1, name=text, url=f"https://{text}.example.com/", events=[text, "ticket.created"]), item(2)]
    lists = once(data(items), then=data(items[1:]))

    def reads(connection: Any, received: RecordedRequest) -> bool:
        if received.path.endswith("/webhooks"):
            return lists(connection, received)
        return (passed(sandbox) if received.path.endswith("whoami") else data(items[0]))(connection, received)

    with behind(sandbox, *[status(422, type="validation_error", message=text)] * 3, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        first = [*strings(explorer.table.rows), *strings(explorer.coverage.names), *explorer.code.lines]
        assert any("<img src=x onerror=alert(1)>" in line for line in first)
        assert ["failed"] == outcomes(await explorer.act("pause"))
        said = [
            *first,
            *strings(explorer.table.rows),
            *strings(explorer.coverage.names),
            *explorer.steps.lines,
            *explorer.title.lines,
            explorer.status.text,
            explorer.table.said,
            *explorer.code.lines,
        ]
        assert [] == [line for line in said if not line.isprintable()]
        assert [] == [
            widget for widget in widgets_of(explorer) if isinstance(widget, (ipywidgets.HTML, ipywidgets.HTMLMath))
        ]
        explorer.close()


@pytest.mark.parametrize("name", ["secret", LIVE, "publishable"])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, name: str) -> None:
    """Not after everything was opened, and not where the server says the key back in an error."""
    key = sandbox.keys[name].reveal() if hasattr(sandbox.keys[name], "reveal") else sandbox.keys[name]
    refusal = status(401, type="authentication_error", message=f"Bad key {key}")
    with behind(sandbox, key=name, reads=once(passed(sandbox), passed(sandbox), passed(sandbox), then=refusal)) as (
        _,
        client,
    ):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        for tab in ("Create", "Edit", "Fire", "Deliveries", "Webhooks"):
            explorer.open(tab)
            await turns()
        results = await asyncio.gather(explorer.refresh(), explorer.refresh(), return_exceptions=True)
        assert 2 == len(results)
        results = await asyncio.gather(explorer.refresh(), return_exceptions=True)
        assert isinstance(results[0], errors.AuthenticationError)
        assert key not in states()
        assert key not in repr(explorer)
        explorer.close()


@in_loop
async def test_no_widget_holds_a_secret_that_a_list_tells(sandbox: cx.Sandbox) -> None:
    """A signing secret that a server puts where it does not belong does not reach the page."""
    secret = "whsec_" + "planted0" * 4
    explorer = await filled(sandbox, [item(1, secret=secret)])
    explorer.table.select(ids(explorer))
    for tab in ("Edit", "Fire", "Webhooks"):
        explorer.open(tab)
        await turns()
    assert secret not in states()
    explorer.close()
