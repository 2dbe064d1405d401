"""The Explorer without a browser: its actions are awaited, and its messages are sent by hand."""

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
    visible,
    widgets_of,
    written,
)
from tests.support.scripted_server import RecordedRequest, Script, data, reset, status

pytestmark = pytest.mark.usefixtures("no_widget_is_left")

COLUMNS = ["Name", "Status", "Events", "Host", "Created"]
LIVE = "live"


# --- helpers ----------------------------------------------------------------------------------------------------------


def listing(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> Script:
    """Answers the list request with these items; other reads go to the sandbox."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return (data(items) if received.path.endswith("/webhooks") else passed(sandbox))(connection, received)

    return answer


async def opened(client: cx.Client, listener: Any = None) -> cx.Explorer:
    """An Explorer that has loaded its webhooks."""
    explorer = cx.Explorer(client, listener)
    await until(lambda: explorer.table.rows and explorer.status.text.startswith("Loaded "))
    await turns()
    return explorer


async def filled(sandbox: cx.Sandbox, items: list[dict[str, Any]]) -> cx.Explorer:
    """An Explorer of a team with these webhooks."""
    with behind(sandbox, reads=listing(sandbox, items)) as (_, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
    return explorer


def names(explorer: cx.Explorer) -> list[str]:
    """The names in the table."""
    return [row[1] for row in explorer.table.rows]


def ids(explorer: cx.Explorer) -> list[str]:
    return [row[0] for row in explorer.table.rows]


def send_message(explorer: cx.Explorer, message: Any) -> None:
    """Sends a message from the page to the table."""
    explorer.table._handle_custom_msg(message, [])


def requested(server: Any) -> list[str]:
    """The requests so far, as method and path."""
    return [f"{request.method} {request.path.partition('/api/v1/')[2]}" for request in server.requests]


def outcomes(steps: list[Any]) -> list[str]:
    return [step.outcome for step in steps]


def offered(explorer: cx.Explorer, name: str) -> bool:
    """Whether a button is visible and enabled."""
    return visible(explorer, explorer._buttons[name]) and not explorer._buttons[name].disabled


async def until_idle(explorer: cx.Explorer) -> None:
    """Waits until nothing is running."""
    await turns()
    await until(lambda: explorer.status.tone != "busy" and not offered(explorer, "stop"))
    await turns()


def other_tasks() -> list[asyncio.Task[Any]]:
    """The running tasks other than the test and its timeout."""
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    return [task for task in rest if getattr(task.get_coro(), "__name__", "") != "wait_for"]


# --- opening ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_opening_sends_two_requests(sandbox: cx.Sandbox) -> None:
    """whoami and the list; searching, sorting and selecting send nothing."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.search("crm")
        explorer.table.sort_by("Name")
        explorer.table.select(ids(explorer))
        await turns()
        assert ["GET auth/whoami", f"GET teams/{sandbox.team_id}/webhooks"] == requested(server)
        explorer.close()


def test_without_a_running_loop_nothing_is_loaded_until_refresh(sandbox: cx.Sandbox) -> None:
    """In a plain script the constructor sends nothing."""
    with behind(sandbox) as (server, client):
        explorer = cx.Explorer(client)
        assert [] == server.requests
        assert 4 == len(asyncio.run(explorer.refresh()))
        assert 4 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_refresh_during_the_first_load_shares_its_request(sandbox: cx.Sandbox) -> None:
    """The list is requested once."""
    with behind(sandbox) as (server, client):
        explorer = cx.Explorer(client)
        await explorer.refresh()
        await until_idle(explorer)
        assert [f"GET teams/{sandbox.team_id}/webhooks"] == [line for line in requested(server) if "webhooks" in line]
        explorer.close()


@in_loop
async def test_a_row_shows_all_columns(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """ID, name, status, first event, host, and day of creation with age; all events for the hover."""
    explorer = await opened(client)
    webhook = listed(sandbox)[3]
    *cells, created, events = explorer.table.rows[3]
    assert [webhook.id, "Boss fight overlay", "paused", "boss.spawned +2", "tv.example.com"] == cells
    assert created.startswith("2025-10-31, ")
    assert created.endswith(("day", "days"))
    assert "boss.spawned, boss.damaged, boss.defeated" == events
    assert "active" == explorer.table.rows[0][2]
    explorer.close()


@in_loop
async def test_a_missing_state_is_shown_as_unknown(sandbox: cx.Sandbox) -> None:
    """Neither active nor paused is assumed."""
    incomplete = {name: value for name, value in item(1).items() if name != "isActive"}
    explorer = await filled(sandbox, [incomplete])
    assert "unknown" == explorer.table.rows[0][2]
    explorer.close()


@pytest.mark.parametrize(
    ("key", "expected"),
    [pytest.param("secret", ["sandbox", "sk_test_••••"], id="sandbox"), pytest.param(LIVE, ["live"], id="live")],
)
@in_loop
async def test_the_title_shows_environment_team_and_key(sandbox: cx.Sandbox, key: str, expected: list[str]) -> None:
    """The key is masked."""
    with sandbox.client(key) as client:
        explorer = await opened(client)
        title = " ".join(explorer._title.lines)
        assert expected == [text for text in expected if text in title.lower()]
        assert f"team {sandbox.team_id}" in title
        explorer.close()


@pytest.mark.parametrize(
    ("remaining", "lines"),
    [
        pytest.param(200, [], id="a fifth"),
        pytest.param(199, ["199 of 1,000 requests left."], id="less than a fifth"),
        pytest.param(0, ["0 of 1,000 requests left."], id="none"),
    ],
)
@in_loop
async def test_the_header_shows_the_remaining_requests_when_they_are_few(
    sandbox: cx.Sandbox, remaining: int, lines: list[str]
) -> None:
    """Below a fifth of the limit."""
    headers = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": str(remaining)}

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return data([item(1)] if received.path.endswith("/webhooks") else {}, headers=headers)(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        assert lines == list(explorer._rate_limit.lines)
        explorer.close()


@in_loop
async def test_its_repr_names_the_environment_and_the_team(client: cx.Client) -> None:
    """For logs and plain terminals."""
    explorer = await opened(client)
    assert "Explorer(sandbox, team team_sandbox)" == repr(explorer)
    explorer.close()


# --- refreshing -------------------------------------------------------------------------------------------------------


@in_loop
async def test_refresh_returns_the_webhooks(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The same ones that the table shows."""
    explorer = await opened(client)
    webhooks = await explorer.refresh()
    assert isinstance(webhooks, models.WebhookList)
    assert ids(explorer) == [webhook.id for webhook in webhooks]
    explorer.close()


@in_loop
async def test_concurrent_refreshes_share_one_request(sandbox: cx.Sandbox) -> None:
    """Five refreshes at once send one request and return its result."""
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
async def test_cancelling_one_refresh_does_not_cancel_another(sandbox: cx.Sandbox) -> None:
    """The shared request continues for the other caller."""
    gate = threading.Event()
    with behind(
        sandbox, reads=once(passed(sandbox), passed(sandbox), held(gate, passed(sandbox)), then=passed(sandbox))
    ) as (_, client):
        explorer = await opened(client)
        cancelled, other = asyncio.create_task(explorer.refresh()), asyncio.create_task(explorer.refresh())
        await turns()
        cancelled.cancel()
        await turns()
        gate.set()
        assert 4 == len(await other)
        explorer.close()


@in_loop
async def test_refresh_keeps_selection_search_sort_and_page(sandbox: cx.Sandbox) -> None:
    """Also if the list has a new first item."""
    items = [item(number) for number in range(1, 81)]

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return (passed(sandbox) if received.path.endswith("whoami") else lists)(connection, received)

    lists = once(data(items), then=data([item(0), *items]))
    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table.search("number")
        explorer.table.sort_by("Name")
        explorer.table._draw(page=2)
        selected = ids(explorer)[:2]
        explorer.table.select(selected)
        before = (
            explorer.table.filters.content["query"],
            explorer.table.sort,
            explorer.table.page,
            set(explorer.table.selected),
        )
        assert 81 == len(await explorer.refresh())
        assert before == (
            explorer.table.filters.content["query"],
            explorer.table.sort,
            explorer.table.page,
            set(explorer.table.selected),
        )
        assert selected == [webhook.id for webhook in explorer.table.selected_webhooks()]
        explorer.close()


@in_loop
async def test_a_selected_webhook_that_was_deleted_is_named(client: cx.Client) -> None:
    """It is deselected and named in the status; the other stays selected."""
    explorer = await opened(client)
    deleted, other = ids(explorer)[:2]
    explorer.table.select([deleted, other])
    client.webhooks.delete(deleted)
    await explorer.refresh()
    assert [other] == list(explorer.table.selected)
    assert "Slack notifications" in explorer.status.text
    assert "CRM sync" not in explorer.status.text
    explorer.close()


@in_loop
async def test_a_deleted_webhook_that_was_not_selected_is_not_named(client: cx.Client) -> None:
    """Only selected ones are reported."""
    explorer = await opened(client)
    client.webhooks.delete(ids(explorer)[0])
    await explorer.refresh()
    assert 3 == len(explorer.table.rows)
    assert "Slack notifications" not in explorer.status.text
    explorer.close()


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        pytest.param(status(401, type="authentication_error"), errors.AuthenticationError, id="key refused"),
        pytest.param(status(503), errors.ServerError, id="server error"),
        pytest.param(reset(), errors.TransportError, id="connection reset"),
        pytest.param(data("not a list"), errors.InvalidResponseError, id="invalid response"),
    ],
)
@in_loop
async def test_a_failed_refresh_keeps_the_table(sandbox: cx.Sandbox, response: Script, kind: type[Exception]) -> None:
    """It raises and shows the error; rows, selection and coverage stay."""
    with behind(sandbox, reads=once(passed(sandbox), passed(sandbox), then=response)) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        before = (
            explorer.table.rows,
            explorer.table.selected,
            explorer._coverage.content["rows"],
            explorer.table.summary,
        )
        with pytest.raises(kind):
            await explorer.refresh()
        assert explorer.status.text.startswith("Could not load the webhooks: ")
        assert "failed" == explorer.status.tone
        assert before == (
            explorer.table.rows,
            explorer.table.selected,
            explorer._coverage.content["rows"],
            explorer.table.summary,
        )
        explorer.close()


@in_loop
async def test_a_failed_first_load_is_shown_and_can_be_retried(sandbox: cx.Sandbox) -> None:
    """The status shows the error, and the next refresh loads the list."""
    with behind(sandbox, reads=once(*[status(401, type="authentication_error")] * 2, then=passed(sandbox))) as (
        _,
        client,
    ):
        explorer = cx.Explorer(client)
        await until(lambda: explorer.status.text.startswith("Could not load the webhooks: "))
        assert 4 == len(await explorer.refresh())
        assert 4 == len(explorer.table.rows)
        assert not explorer.status.text.startswith("Could not load")
        explorer.close()


@in_loop
async def test_the_event_loop_is_free_during_a_refresh(sandbox: cx.Sandbox) -> None:
    """The kernel can run other cells."""
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
        pytest.param("", ["Slack notifications", "CRM sync", "Search index", "Boss fight overlay"], id="empty"),
        pytest.param("no such thing", [], id="no match"),
        pytest.param("(", [], id="parenthesis"),
        pytest.param(".*", ["Search index"], id="regular expression"),
        pytest.param("\\", [], id="backslash"),
    ],
)
@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_search_matches_name_event_and_host(
    client: cx.Client, query: str, expected: list[str], by_page: bool
) -> None:
    """Case-insensitive and literal."""
    explorer = await opened(client)
    if by_page:
        send_message(explorer, {"event": "search", "text": query, "status": "", "type": ""})
    else:
        explorer.table.search(query)
    assert expected == names(explorer)
    assert query == explorer.table.filters.content["query"]
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
    ],
)
@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_sorting_by_a_column_twice_reverses_it(
    client: cx.Client, column: str, expected: list[str], by_page: bool
) -> None:
    """First ascending, then descending."""
    explorer = await opened(client)
    for order in (expected, expected[::-1]):
        if by_page:
            send_message(explorer, {"event": "sort", "column": column})
        else:
            explorer.table.sort_by(column)
        assert order == names(explorer)
        assert column == explorer.table.sort[0]
    explorer.close()


@in_loop
async def test_sorting_by_state_keeps_equal_states_together(client: cx.Client) -> None:
    """In both directions."""
    explorer = await opened(client)
    explorer.table.sort_by("Status")
    states = [row[2] for row in explorer.table.rows]
    explorer.table.sort_by("Status")
    assert states[::-1] == [row[2] for row in explorer.table.rows]
    assert {("active", "active", "active", "paused"), ("paused", "active", "active", "active")} == {
        tuple(states),
        tuple(states[::-1]),
    }
    explorer.close()


@pytest.mark.parametrize("column", COLUMNS)
@in_loop
async def test_every_column_sorts_webhooks_with_missing_fields(sandbox: cx.Sandbox, column: str) -> None:
    """No row is lost."""
    items = [item(1), {"id": "whk_bare"}, item(3, events=None, isActive=None, createdAt="yesterday", url="no address")]
    explorer = await filled(sandbox, items)
    explorer.table.sort_by(column)
    first = set(ids(explorer))
    explorer.table.sort_by(column)
    assert {each["id"] for each in items} == first == set(ids(explorer))
    explorer.close()


@pytest.mark.parametrize("by_page", [False, True], ids=["code", "page"])
@in_loop
async def test_a_page_has_25_rows(sandbox: cx.Sandbox, by_page: bool) -> None:
    """The pages together show each webhook once, in order."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    shown = []
    for page in range(1, explorer.table.pages + 1):
        if by_page:
            send_message(explorer, {"event": "page", "page": page})
        else:
            explorer.table._draw(page=page)
        assert page == explorer.table.page
        shown.append(names(explorer))
    assert [25, 25, 10] == [len(page) for page in shown]
    assert [f"Number {number:05}" for number in range(60)] == [name for page in shown for name in page]
    explorer.close()


@pytest.mark.parametrize("page", [0, -1, 4, 10**30])
@in_loop
async def test_a_page_number_out_of_range_is_clamped(sandbox: cx.Sandbox, page: int) -> None:
    """The table is never empty."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    send_message(explorer, {"event": "page", "page": page})
    assert 1 <= explorer.table.page <= explorer.table.pages == 3
    assert explorer.table.rows
    explorer.close()


@in_loop
async def test_a_search_on_a_later_page_shows_its_matches(sandbox: cx.Sandbox) -> None:
    """The page number is reset."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    explorer.table._draw(page=3)
    explorer.table.search("Number 00007")
    assert ["Number 00007"] == names(explorer)
    assert (1, 1) == (explorer.table.page, explorer.table.pages)
    explorer.close()


@in_loop
async def test_a_shorter_list_leaves_no_empty_page(sandbox: cx.Sandbox) -> None:
    """After the third of three pages the last remaining one is shown."""
    lists = once(data([item(number) for number in range(60)]), then=data([item(number) for number in range(30)]))

    def reads(connection: Any, received: RecordedRequest) -> bool:
        return (passed(sandbox) if received.path.endswith("whoami") else lists)(connection, received)

    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table._draw(page=3)
        await explorer.refresh()
        assert (2, 2) == (explorer.table.page, explorer.table.pages)
        assert 5 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_rows_are_selected_and_unselected_by_id(client: cx.Client) -> None:
    """From code and from the page."""
    explorer = await opened(client)
    one, two, three, _ = ids(explorer)
    explorer.table.select([one, two])
    send_message(explorer, {"event": "select", "id": three, "on": True})
    assert {one, two, three} == set(explorer.table.selected)
    send_message(explorer, {"event": "select", "id": one, "on": False})
    explorer.table.select([two], on=False)
    assert [three] == list(explorer.table.selected)
    assert ["Search index"] == [webhook.name for webhook in explorer.table.selected_webhooks()]
    explorer.close()


@in_loop
async def test_selecting_a_row_twice_selects_it_once(client: cx.Client) -> None:
    """An ID is never in the selection twice."""
    explorer = await opened(client)
    one = ids(explorer)[0]
    explorer.table.select([one, one])
    send_message(explorer, {"event": "select", "id": one, "on": True})
    assert [one] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_whole_page_is_selected_and_unselected(sandbox: cx.Sandbox) -> None:
    """Only the visible rows change."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    far = "whk_000000000059"
    explorer.table.select([far])
    send_message(explorer, {"event": "select_page", "on": True})
    assert {*ids(explorer), far} == set(explorer.table.selected)
    send_message(explorer, {"event": "select_page", "on": False})
    assert [far] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_selection_survives_search_and_paging(sandbox: cx.Sandbox) -> None:
    """The summary also counts selected rows that are not visible."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    explorer.table.select(ids(explorer)[:2])
    explorer.table._draw(page=3)
    explorer.table.search("Number 00059")
    assert 2 == len(explorer.table.selected_webhooks())
    assert "2 selected" in explorer.table.summary
    explorer.close()


@in_loop
async def test_an_unknown_id_is_not_selected(client: cx.Client) -> None:
    """Neither from code nor from the page."""
    explorer = await opened(client)
    send_message(explorer, {"event": "select", "id": "whk_nowhere", "on": True})
    explorer.table.select(["whk_elsewhere"])
    assert [] == list(explorer.table.selected)
    assert [] == list(explorer.table.selected_webhooks())
    explorer.close()


def displayed(table: Any) -> tuple[Any, ...]:
    """What the table shows, and by what it was found."""
    query = table.filters.content["query"]
    return table.rows, table.selected, query, table.sort, table.page, table.pages, table.summary


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(None, id="None"),
        pytest.param("search", id="string"),
        pytest.param([], id="list"),
        pytest.param({}, id="empty"),
        pytest.param({"event": None}, id="event is None"),
        pytest.param({"event": ["search"]}, id="event is a list"),
        pytest.param({"event": "explode"}, id="unknown event"),
        pytest.param({"event": "search"}, id="search without text"),
        pytest.param({"event": "search", "text": 7, "status": "", "type": ""}, id="search for a number"),
        pytest.param({"event": "search", "text": {"$": 1}, "status": "", "type": ""}, id="search for an object"),
        pytest.param({"event": "sort"}, id="sort without column"),
        pytest.param({"event": "sort", "column": "Secret"}, id="sort by an unknown column"),
        pytest.param({"event": "sort", "column": ["Name"]}, id="sort by a list"),
        pytest.param({"event": "sort", "column": 0}, id="sort by a number"),
        pytest.param({"event": "page"}, id="page without number"),
        pytest.param({"event": "page", "page": "2"}, id="page is a string"),
        pytest.param({"event": "page", "page": 1.5}, id="page is a float"),
        pytest.param({"event": "page", "page": True}, id="page is a bool"),
        pytest.param({"event": "page", "page": float("nan")}, id="page is NaN"),
        pytest.param({"event": "page", "page": None}, id="page is None"),
        pytest.param({"event": "select"}, id="select without id"),
        pytest.param({"event": "select", "id": 1, "on": True}, id="select a number"),
        pytest.param({"event": "select", "id": ["whk_000000000030"], "on": True}, id="select a list"),
        pytest.param({"event": "select", "id": {}, "on": True}, id="select an object"),
        pytest.param({"event": "select", "id": "whk_000000000030"}, id="select without on"),
        pytest.param({"event": "select", "id": "whk_000000000030", "on": "no"}, id="select with a string for on"),
        pytest.param({"event": "select_page"}, id="select_page without on"),
        pytest.param({"event": "select_page", "on": "yes"}, id="select_page with a string for on"),
    ],
)
@in_loop
async def test_a_malformed_message_is_ignored(sandbox: cx.Sandbox, message: Any) -> None:
    """The table stays as it was."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    table = explorer.table
    table.sort_by("Name")
    table._draw(page=2)
    table.select(["whk_000000000001"])
    before = displayed(table)
    send_message(explorer, message)
    assert before == displayed(table)
    explorer.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("crm customer.created", ["CRM sync"], id="name and event"),
        pytest.param("customer.created CRM", ["CRM sync"], id="in any order"),
        pytest.param("crm ticket.created", [], id="no webhook has both"),
        pytest.param("paused", ["Boss fight overlay"], id="status"),
        pytest.param("example.com active sync", ["CRM sync"], id="host, status and name"),
    ],
)
@in_loop
async def test_each_word_of_a_search_must_match(client: cx.Client, query: str, expected: list[str]) -> None:
    """Each anywhere in the name, URL, ID, events or status."""
    explorer = await opened(client)
    explorer.table.search(query)
    assert expected == names(explorer)
    explorer.close()


@in_loop
async def test_filters_for_status_and_event_apply_together_with_the_search(sandbox: cx.Sandbox) -> None:
    """The page offers the event types that occur; a wildcard receives the types it matches."""
    items = [item(1), item(2, isActive=False), item(3, events=["ticket.*"]), item(4, events=["boss.spawned"])]
    explorer = await filled(sandbox, items)
    filters = explorer.table.filters
    assert "boss.spawned" in filters.content["events"]
    assert "article.created" not in filters.content["events"]
    for chosen, expected in (
        (("", "", "ticket.created"), ["Number 00001", "Number 00002", "Number 00003"]),
        (("", "active", "ticket.created"), ["Number 00001", "Number 00003"]),
        (("00003", "active", "ticket.created"), ["Number 00003"]),
        (("", "lost", ""), ["Number 00003"]),
        (("", "", "article.created"), ["Number 00003"]),
        (("", "", ""), [each["name"] for each in items]),
    ):
        filters._handle_custom_msg(dict(zip(("text", "status", "type"), chosen, strict=True)) | {"event": "search"}, [])
        assert expected == names(explorer)
    explorer.close()


@in_loop
async def test_all_matching_webhooks_are_selected_and_the_selection_is_cleared(sandbox: cx.Sandbox) -> None:
    """Also those on other pages."""
    explorer = await filled(sandbox, [item(number) for number in range(60)])
    explorer.table.search("n0004")
    send_message(explorer, {"event": "select_matching"})
    assert {f"whk_{number:012}" for number in range(40, 50)} == set(explorer.table.selected)
    assert 0 == explorer.table.matching
    explorer.table.search("")
    assert 60 == explorer.table.matching
    send_message(explorer, {"event": "clear"})
    assert [] == explorer.table.selected
    explorer.close()


@in_loop
async def test_an_empty_table_says_why(sandbox: cx.Sandbox) -> None:
    """There is no webhook, or none matches."""
    explorer = await filled(sandbox, [])
    assert "This team has no webhooks. Create one in the tab Create." == explorer.table.empty
    explorer.close()
    explorer = await filled(sandbox, [item(1)])
    assert "" == explorer.table.empty
    explorer.table.search("nothing like it")
    assert "No webhook matches the search and the filters." == explorer.table.empty
    explorer.close()


# --- the panel --------------------------------------------------------------------------------------------------------


@in_loop
async def test_opening_a_row_shows_the_webhook_in_the_panel(client: cx.Client) -> None:
    """It becomes the only selected one. With none or several selected there is no panel."""
    explorer = await opened(client)
    one, two = ids(explorer)[:2]
    assert hidden(explorer._side.widget)
    explorer.table.select([two])
    send_message(explorer, {"event": "open", "id": one})
    assert [one] == explorer.table.selected
    assert not hidden(explorer._side.widget)
    head, details = explorer._side.head, explorer._side.details
    assert ("Slack notifications", "active", one) == tuple(head.content[name] for name in ("name", "status", "id"))
    assert ["ticket.created", "ticket.closed"] == details.content["events"]
    assert details.content["times"][0].startswith("Created 2025-11-01 ")
    explorer.table.select([two])
    assert hidden(explorer._side.widget)
    explorer.table.select([two], on=False)
    head._handle_custom_msg({"event": "close"}, [])
    assert [] == explorer.table.selected
    assert hidden(explorer._side.widget)
    explorer.close()


@in_loop
async def test_the_panel_names_who_else_receives_the_events(sandbox: cx.Sandbox) -> None:
    """Active webhooks only, wildcards resolved; and the events that no other receives."""
    items = [
        item(1, events=["ticket.created", "boss.spawned"]),
        item(2, events=["ticket.*"]),
        item(3, isActive=False, events=["boss.spawned"]),
    ]
    explorer = await filled(sandbox, items)
    explorer.table.select(ids(explorer)[:1])
    assert [
        "Number 00002: ticket.created",
        "No other active webhook receives boss.spawned",
    ] == explorer._side.details.content["receivers"]
    explorer.close()


@in_loop
async def test_the_panel_sends_the_full_url_only_when_asked(sandbox: cx.Sandbox) -> None:
    """The widgets' state has it masked."""
    secret = "T0123456/B0123456/abcdefghijklmnopqrstuvwx"
    explorer = await filled(sandbox, [item(1, url=f"https://hooks.slack.com/services/{secret}")])
    explorer.table.select(ids(explorer))
    assert secret not in states()
    assert explorer._side.head.content["masked"]
    sent: list[Any] = []
    explorer._side.head.send = sent.append
    explorer._side.head._handle_custom_msg({"event": "ask", "nonce": 7}, [])
    assert [{"nonce": 7, "value": f"https://hooks.slack.com/services/{secret}"}] == sent
    explorer.close()


@in_loop
async def test_the_panel_shows_the_webhooks_deliveries_as_they_arrive(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Not those of another webhook at the same listener."""
    with sandbox.listener() as listener:
        hooks = [
            await asyncio.to_thread(client.webhooks.create, name=name, url=listener.url, events=["ticket.created"])
            for name in ("one", "two")
        ]
        explorer = await opened(client, listener)
        explorer.table.select([hooks[0].id])
        assert [] == explorer._side.details.content["deliveries"]
        await asyncio.to_thread(client.webhooks.trigger_test, "ticket.created")
        await until(
            lambda: (
                explorer._side.details.content["deliveries"]
                and explorer._side.details.content["deliveries"][0][3] == "200"
            )
        )
        assert [["ticket.created", "not verified: no secret", "200"]] == [
            row[1:] for row in explorer._side.details.content["deliveries"]
        ]
        explorer.close()


@in_loop
async def test_edit_and_fire_open_in_the_panel(client: cx.Client) -> None:
    """In the tab Webhooks; closing the form shows the details again, and selecting another webhook ends the edit."""
    explorer = await opened(client)
    one, two = ids(explorer)[:2]
    explorer.table.select([one])
    for name in ("Edit", "Fire", "Edit"):
        explorer.open(name)
        assert explorer.form.widget in explorer._side.widget.children
        assert explorer._side.details not in explorer._side.widget.children
    explorer._buttons["details"].click()
    assert explorer.form is None
    assert explorer._side.details in explorer._side.widget.children
    explorer.open("Edit")
    explorer.table.select([two])
    assert explorer.form is None
    explorer.close()


@in_loop
async def test_edit_is_not_offered_after_the_selected_webhook_was_deleted(client: cx.Client) -> None:
    """The panel is hidden too."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    await explorer.act("delete")
    assert not offered(explorer, "edit")
    assert hidden(explorer._side.widget)
    explorer.close()


# --- bulk actions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "expected", "states", "summary"),
    [
        pytest.param("pause", ["done"] * 3 + ["unchanged"], [False] * 4, "3 paused", id="pause"),
        pytest.param("resume", ["unchanged"] * 3 + ["done"], [True] * 4, "1 resumed", id="resume"),
        pytest.param("delete", ["done"] * 4, [], "4 deleted", id="delete"),
    ],
)
@in_loop
async def test_an_action_changes_the_selected_webhooks_and_the_table(
    sandbox: cx.Sandbox, client: cx.Client, action: str, expected: list[str], states: list[bool], summary: str
) -> None:
    """One step and one line for each in order, and a summary."""
    explorer = await opened(client)
    before = ids(explorer)
    explorer.table.select(before)
    steps = await explorer.act(action)
    assert before == [step.change.id for step in steps]
    assert expected == outcomes(steps)
    assert states == [webhook.is_active for webhook in listed(sandbox)]
    assert ["active" if state else "paused" for state in states] == [row[2] for row in explorer.table.rows]
    assert summary in explorer.status.text
    assert 4 == len(explorer._bulk.steps.lines)
    assert expected == [
        outcome for outcome, line in zip(expected, explorer._bulk.steps.lines, strict=True) if outcome in line
    ]
    explorer.close()


@in_loop
async def test_an_action_changes_only_the_selected_webhooks(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whatever rows are visible."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[1:2])
    explorer.table.search("slack")
    await explorer.act("pause")
    assert [True, False, True, False] == [webhook.is_active for webhook in listed(sandbox)]
    explorer.close()


@pytest.mark.parametrize("action", ["pause", "resume", "delete"])
@in_loop
async def test_an_action_without_a_selection_is_refused(sandbox: cx.Sandbox, action: str) -> None:
    """Nothing is sent."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        before = len(server.requests)
        with pytest.raises(errors.ValidationError):
            await explorer.act(action)
        assert before == len(server.requests)
        explorer.close()


@in_loop
async def test_an_unknown_action_is_refused(sandbox: cx.Sandbox) -> None:
    """Nothing is sent."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        error = (await asyncio.gather(explorer.act("explode"), return_exceptions=True))[0]
        assert [] == written(server)
        assert isinstance(error, errors.ValidationError)
        explorer.close()


@in_loop
async def test_a_second_action_during_the_first_is_refused(sandbox: cx.Sandbox) -> None:
    """The first completes, once."""
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
async def test_of_two_actions_started_together_one_is_refused(sandbox: cx.Sandbox) -> None:
    """Only one request is sent."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        results = await asyncio.gather(explorer.act("pause"), explorer.act("pause"), return_exceptions=True)
        assert [list, errors.ValidationError] == [type(result) for result in results]
        assert 1 == len(written(server))
        explorer.close()


@in_loop
async def test_stop_ends_an_action_after_the_current_step(sandbox: cx.Sandbox) -> None:
    """The current step is done; the remaining ones are not tried."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        action = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        explorer.stop()
        gate.set()
        assert ["done", "not tried", "not tried"] == outcomes(await action)
        assert [False, True, True, False] == [webhook.is_active for webhook in listed(sandbox)]
        assert "1 paused" in explorer.status.text
        assert "2 not tried" in explorer.status.text
        explorer.close()


@in_loop
async def test_stop_without_an_action_does_not_affect_the_next(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A later action runs to its end."""
    explorer = await opened(client)
    explorer.stop()
    explorer.table.select(ids(explorer)[:2])
    assert ["done", "done"] == outcomes(await explorer.act("pause"))
    explorer.close()


@in_loop
async def test_a_deleted_webhook_does_not_stop_the_others(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its step fails, and the summary counts both."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:3])
    client.webhooks.delete(ids(explorer)[0])
    assert ["failed", "done", "done"] == outcomes(await explorer.act("pause"))
    assert "2 paused, 1 failed." in explorer.status.text
    assert "failed" in explorer._bulk.steps.lines[0]
    explorer.close()


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(status(401, type="authentication_error"), id="key refused"),
        pytest.param(reset(), id="connection reset"),
    ],
)
@in_loop
async def test_a_key_or_network_error_ends_an_action(sandbox: cx.Sandbox, failure: Script) -> None:
    """The remaining steps are not tried."""
    with behind(sandbox, passed(sandbox), *[failure] * 4) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert ["done", "failed", "not tried"] == outcomes(await explorer.act("pause"))
        assert "1 paused, 1 failed, 1 not tried." in explorer.status.text
        assert "failed" == explorer.status.tone
        explorer.close()


@in_loop
async def test_the_summary_survives_a_failed_refresh(sandbox: cx.Sandbox) -> None:
    """The result is shown although the list cannot be loaded afterwards."""
    reads = once(*[passed(sandbox)] * 4, then=status(401, type="authentication_error"))
    with behind(sandbox, reads=reads) as (_, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        assert ["done"] == outcomes(await explorer.act("pause"))
        assert "1 paused" in explorer.status.text
        assert 4 == len(explorer.table.rows)
        explorer.close()


@in_loop
async def test_the_event_loop_is_free_during_an_action(sandbox: cx.Sandbox) -> None:
    """The kernel can run other cells."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        action = asyncio.create_task(explorer.act("pause"))
        await until(lambda: written(server))
        await turns(200)
        assert not action.done()
        gate.set()
        assert ["done"] == outcomes(await action)
        explorer.close()


@in_loop
async def test_a_step_is_shown_as_soon_as_it_ends(sandbox: cx.Sandbox) -> None:
    """While the next one is still running."""
    gate = threading.Event()
    with behind(sandbox, passed(sandbox), held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        action = asyncio.create_task(explorer.act("pause"))
        await until(lambda: len(written(server)) == 2)
        await until(
            lambda: any("Slack notifications" in line and "done" in line for line in explorer._bulk.steps.lines)
        )
        gate.set()
        assert ["done", "done"] == outcomes(await action)
        explorer.close()


@pytest.mark.parametrize("action", ["pause", "delete"])
@in_loop
async def test_every_step_fails_on_a_read_only_client(sandbox: cx.Sandbox, action: str) -> None:
    """Each step gives the reason, and nothing is sent."""
    with behind(sandbox, write=False) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:2])
        steps = await explorer.act(action)
        assert ["failed", "failed"] == outcomes(steps)
        assert ["read-only", "read-only"] == [
            "read-only" if "read-only" in step.detail else step.detail for step in steps
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
async def test_on_a_live_key_an_action_needs_its_confirmation(
    sandbox: cx.Sandbox, action: str, count: int, wrong: list[str | None], right: str
) -> None:
    """With a missing or different phrase nothing is sent."""
    with behind(sandbox, key=LIVE) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:count])
        before = len(server.requests)
        for phrase in wrong:
            with pytest.raises(errors.ConfirmationError):
                await explorer.act(action, confirm=phrase)
        assert before == len(server.requests)
        steps = await explorer.act(action, confirm=right)
        assert count == len(steps)
        assert {"done", "unchanged"} >= set(outcomes(steps))
        explorer.close()


@pytest.mark.parametrize("action", ["pause", "resume"])
@in_loop
async def test_on_a_live_key_a_click_without_confirmation_does_nothing(sandbox: cx.Sandbox, action: str) -> None:
    """Nothing is sent."""
    with behind(sandbox, key=LIVE) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer))
        explorer._buttons[action].click()
        await turns(50)
        await until(lambda: explorer.status.tone != "busy")
        assert [] == written(server)
        explorer.close()


# --- the shown code ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["pause", "resume", "delete"])
@in_loop
async def test_the_shown_code_has_the_same_effect(action: str) -> None:
    """Run against an identical team."""
    with cx.Sandbox() as sandbox, cx.Sandbox() as other:
        with sandbox.client() as client:
            explorer = await opened(client)
            explorer.table.select(ids(explorer)[2:])
            await explorer.act(action)
            lines = "\n".join(explorer._bulk.code.lines)
            explorer.close()
        before = states_by_id(other)
        with other.client() as client:
            exec(compile(lines, "copied", "exec"), {"client": client, "cx": cx})
        assert states_by_id(sandbox) == states_by_id(other) != before


def states_by_id(sandbox: cx.Sandbox) -> list[tuple[str, bool | None]]:
    return [(webhook.id, webhook.is_active) for webhook in listed(sandbox)]


@in_loop
async def test_an_id_cannot_inject_code(sandbox: cx.Sandbox) -> None:
    """In the shown code it is always a string literal."""
    hostile = 'whk_\']); raise SystemExit  # \n\u202e"""'
    explorer = await filled(sandbox, [item(1, id=hostile)])
    explorer.table.select(ids(explorer))
    calls: list[Any] = []
    explorer._buttons["delete"].click()
    lines = "\n".join(explorer._bulk.code.lines)

    class Webhooks:
        def update(self, name: str, **_: Any) -> None:
            calls.append(name)

        delete = update

    fake = type("Client", (), {"webhooks": Webhooks()})()
    exec(compile(lines, "copied", "exec"), {"client": fake})
    assert [hostile] == calls
    assert all(line.isprintable() for line in explorer._bulk.code.lines)
    explorer.close()


@in_loop
async def test_the_code_is_that_of_the_action_that_is_asked_about(sandbox: cx.Sandbox) -> None:
    """A question before a delete, or for the confirmation with a live key. Opening a form withdraws the question."""
    with sandbox.client("live") as client:
        explorer = await opened(client)
        [one, *_] = ids(explorer)
        explorer.table.select([one])
        assert [] == explorer._bulk.code.lines
        explorer._buttons["pause"].click()
        assert ("Confirm below to pause 1 webhook.", "") == (explorer.status.text, explorer.status.tone)
        assert [f"client.webhooks.update({one!r}, is_active=False)"] == explorer._bulk.code.lines
        assert "Type 'pause 1 webhook' to confirm" in explorer._bulk._confirmation.label
        assert 1 == confirmations(explorer)
        explorer._buttons["delete"].click()
        assert [f"client.webhooks.delete({one!r})"] == explorer._bulk.code.lines
        explorer.open("Fire")
        assert [] == explorer._bulk.code.lines
        explorer.close()


@in_loop
async def test_on_a_live_key_at_most_one_confirmation_is_seen(sandbox: cx.Sandbox) -> None:
    """None before an action asks for it. A form in the panel has its own, and a question closes it; it keeps what was entered."""
    with behind(sandbox, key=LIVE) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        assert 0 == confirmations(explorer)
        explorer.open("Edit")
        assert isinstance(explorer.form, cx.EditForm)
        explorer.form.fields["name"].value = "Edited"
        assert 1 == confirmations(explorer)
        for action in ("pause", "delete"):
            explorer.open("Edit")
            explorer._buttons[action].click()
            await until(lambda: explorer.form is None)
            assert 1 == confirmations(explorer)
        explorer.open("Edit")
        assert (1, "Edited") == (confirmations(explorer), explorer.form.fields["name"].value)
        explorer.open("Webhooks")
        explorer._buttons["pause"].click()
        await until(lambda: 1 == confirmations(explorer))
        explorer._bulk._confirmation.value = "pause 1 webhook"
        explorer._bulk._confirmation._handle_custom_msg({"event": "enter"}, [])
        await until(lambda: explorer.status.tone == "done")
        assert (0, 1) == (confirmations(explorer), len(written(server)))
        explorer.close()


def confirmations(explorer: cx.Explorer) -> int:
    """How many fields for a confirmation are seen."""
    fields = [widget for widget in widgets_of(explorer) if "live key" in getattr(widget, "label", "")]
    return sum(visible(explorer, field) for field in fields)


@in_loop
async def test_closing_ends_a_load(client: cx.Client) -> None:
    """Also one that `refresh` started."""
    before = asyncio.all_tasks()
    explorer = cx.Explorer(client)
    await turns(2)
    explorer.close()
    await turns()
    assert before == asyncio.all_tasks()


# --- the buttons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "states"),
    [pytest.param("pause", [False] * 4, id="pause"), pytest.param("resume", [True] * 4, id="resume")],
)
@in_loop
async def test_pause_and_resume_need_no_confirmation(
    sandbox: cx.Sandbox, client: cx.Client, action: str, states: list[bool]
) -> None:
    """Each can be reverted by the other."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer))
    explorer._buttons[action].click()
    await until(lambda: states == [row[2] == "active" for row in explorer.table.rows])
    await until_idle(explorer)
    assert states == [webhook.is_active for webhook in listed(sandbox)]
    explorer.close()


@in_loop
async def test_delete_asks_before_it_deletes(sandbox: cx.Sandbox) -> None:
    """Nothing is deleted until the question is answered."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        assert (False, False) == (offered(explorer, "keep"), offered(explorer, "confirm"))
        explorer.table.select(ids(explorer)[:2])
        explorer._buttons["delete"].click()
        await until(lambda: offered(explorer, "confirm"))
        assert offered(explorer, "keep")
        explorer._buttons["keep"].click()
        await until(lambda: not offered(explorer, "confirm"))
        await turns()
        assert [] == written(server)
        assert 4 == len(listed(sandbox))
        explorer.close()


@in_loop
async def test_confirming_deletes_the_selected_webhooks(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The table follows, and the question disappears."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:2])
    explorer._buttons["delete"].click()
    await until(lambda: offered(explorer, "confirm"))
    assert "2 webhooks" in explorer._buttons["confirm"].description
    explorer._buttons["confirm"].click()
    await until(lambda: len(explorer.table.rows) == 2)
    await until_idle(explorer)
    assert ["Search index", "Boss fight overlay"] == [webhook.name for webhook in listed(sandbox)]
    assert not offered(explorer, "confirm")
    explorer.close()


@in_loop
async def test_confirming_deletes_only_what_the_question_named(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A selection that changed in between withdraws the question."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer._buttons["delete"].click()
    await until(lambda: offered(explorer, "confirm"))
    explorer.table.select(ids(explorer)[1:3])
    await turns()
    label = explorer._buttons["confirm"].description if offered(explorer, "confirm") else "Delete 0 webhooks"
    explorer._buttons["confirm"].click()
    await turns(50)
    await until_idle(explorer)
    assert label.split()[1] == str(4 - len(listed(sandbox)))
    explorer.close()


@in_loop
async def test_a_click_during_an_action_does_nothing(sandbox: cx.Sandbox) -> None:
    """One request is sent."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:1])
        explorer._buttons["pause"].click()
        explorer._buttons["pause"].click()
        await until(lambda: written(server))
        explorer._buttons["pause"].click()
        gate.set()
        await until(lambda: explorer.table.rows[0][2] == "paused")
        await until_idle(explorer)
        assert 1 == len(written(server))
        assert "1 paused" in explorer.status.text
        explorer.close()


@in_loop
async def test_stop_is_visible_only_during_an_action(sandbox: cx.Sandbox) -> None:
    """A click ends the action after the current step."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        assert not offered(explorer, "stop")
        explorer._buttons["pause"].click()
        await until(lambda: written(server) and offered(explorer, "stop"))
        explorer._buttons["stop"].click()
        gate.set()
        await until_idle(explorer)
        assert 1 == len(written(server))
        assert not offered(explorer, "stop")
        assert "2 not tried" in explorer.status.text
        explorer.close()


@in_loop
async def test_buttons_are_enabled_by_the_selection(client: cx.Client) -> None:
    """Edit needs exactly one webhook, the others at least one. Paused webhooks cannot be paused, nor active ones resumed."""
    explorer = await opened(client)
    active, other, _, paused = ids(explorer)
    for selected, buttons in (
        ([], []),
        ([active], ["edit", "pause", "delete"]),
        ([paused], ["edit", "resume", "delete"]),
        ([active, other], ["pause", "delete"]),
        ([active, paused], ["pause", "resume", "delete"]),
    ):
        explorer.table.clear()
        explorer.table.select(selected)
        assert buttons == [name for name in ("edit", "pause", "resume", "delete") if offered(explorer, name)]
    explorer.close()


@in_loop
async def test_the_refresh_button_loads_the_list(client: cx.Client) -> None:
    """A webhook created elsewhere appears."""
    explorer = await opened(client)
    client.webhooks.create(name="Newer", url="https://example.com/newer", events=["ticket.created"])
    explorer._buttons["refresh"].click()
    await until(lambda: "Newer" in names(explorer))
    await until_idle(explorer)
    assert 5 == len(explorer.table.rows)
    explorer.close()


@in_loop
async def test_a_failed_refresh_by_button_is_shown(sandbox: cx.Sandbox) -> None:
    """The status shows the error, and the rows stay."""
    with behind(sandbox, reads=once(passed(sandbox), passed(sandbox), then=reset())) as (_, client):
        explorer = await opened(client)
        explorer._buttons["refresh"].click()
        await until(lambda: explorer.status.text.startswith("Could not load the webhooks: "))
        assert 4 == len(explorer.table.rows)
        explorer.close()


@pytest.mark.parametrize(
    ("button", "kind"), [pytest.param("edit", cx.EditForm, id="edit"), pytest.param("fire", cx.FireForm, id="fire")]
)
@in_loop
async def test_edit_and_fire_buttons_open_their_forms(client: cx.Client, button: str, kind: type) -> None:
    """For the selected webhook."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer._buttons[button].click()
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
    """None where the tab has no form."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:1])
    explorer.open(tab)
    assert kind is type(explorer.form)
    explorer.close()


@in_loop
async def test_a_tab_is_built_when_it_is_first_opened(client: cx.Client) -> None:
    """Opening it again creates no widgets."""
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
async def test_editing_needs_exactly_one_selected_webhook(client: cx.Client, count: int) -> None:
    """Otherwise there is no form."""
    explorer = await opened(client)
    explorer.table.select(ids(explorer)[:count])
    explorer.open("Edit")
    assert explorer.form is None
    explorer.close()


@in_loop
async def test_the_edit_form_follows_the_selection(client: cx.Client) -> None:
    """Opened with another webhook selected, it edits that one."""
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
async def test_a_created_webhook_appears_in_the_table(client: cx.Client) -> None:
    """A successful form refreshes the table."""
    explorer = await opened(client)
    explorer.open("Create")
    for name, value in {"name": "Made here", "url": "https://example.com/here", "events": ["ticket.created"]}.items():
        explorer.form.fields[name].value = value
    made = await explorer.form.submit()
    await until(lambda: made.id in ids(explorer))
    assert "Made here" in names(explorer)
    await until_idle(explorer)
    assert made.secret.reveal() not in states()
    explorer.close()


@in_loop
async def test_an_edited_webhook_is_updated_in_the_table(client: cx.Client) -> None:
    """It stays selected."""
    explorer = await opened(client)
    one = ids(explorer)[0]
    explorer.table.select([one])
    explorer.open("Edit")
    explorer.form.fields["name"].value = "Renamed here"
    await explorer.form.submit()
    await until(lambda: "Renamed here" in names(explorer))
    await until_idle(explorer)
    assert [one] == list(explorer.table.selected)
    explorer.close()


@in_loop
async def test_a_failed_form_does_not_refresh(sandbox: cx.Sandbox) -> None:
    """No request is sent."""
    with behind(sandbox) as (server, client):
        explorer = await opened(client)
        explorer.open("Create")
        with pytest.raises(errors.ValidationError):
            await explorer.form.submit()
        await turns(50)
        assert 2 == len(server.requests)
        explorer.close()


@in_loop
async def test_an_unknown_tab_is_refused(client: cx.Client) -> None:
    """The open form stays."""
    explorer = await opened(client)
    explorer.open("Create")
    before = explorer.form
    with pytest.raises((ValueError, LookupError, errors.CStarError)):
        explorer.open("Nowhere")
    assert before is explorer.form
    explorer.close()


# --- closing ----------------------------------------------------------------------------------------------------------


@in_loop
async def test_closing_frees_everything(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """No widget, task or thread remains after all tabs were used."""
    with sandbox.listener() as listener:
        first = await opened(client)
        first.close()
        await until(lambda: not other_tasks())
        widgets, threads = alive(), set(threading.enumerate())
        explorer = await opened(client, listener)
        explorer.table.select(ids(explorer)[:1])
        for tab in ("Create", "Edit", "Fire", "Deliveries", "Webhooks"):
            explorer.open(tab)
            await turns()
        await explorer.act("pause")
        explorer.close()
        await until(lambda: not other_tasks())
        assert widgets == alive()
        assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_a_hundred_explorers_are_freed(client: cx.Client) -> None:
    """Whether or not the first load had finished."""
    widgets, threads = alive(), set(threading.enumerate())
    for number in range(100):
        explorer = cx.Explorer(client)
        if number % 20 == 0:
            await explorer.refresh()
        await turns(number % 3)
        explorer.close()
    await until(lambda: not other_tasks())
    assert widgets == alive()
    assert [] == [thread.name for thread in set(threading.enumerate()) - threads if "asyncio" not in thread.name]


@in_loop
async def test_closing_twice_is_harmless(client: cx.Client) -> None:
    """The second call does nothing."""
    widgets = alive()
    explorer = await opened(client)
    explorer.close()
    explorer.close()
    assert widgets == alive()


@in_loop
async def test_closing_leaves_the_client_open(client: cx.Client) -> None:
    """The client belongs to the caller."""
    explorer = await opened(client)
    explorer.close()
    assert 4 == len(client.webhooks.list())


@in_loop
async def test_closing_during_an_action_starts_no_further_step(sandbox: cx.Sandbox) -> None:
    """The current step completes."""
    gate = threading.Event()
    with behind(sandbox, held(gate, passed(sandbox))) as (server, client):
        explorer = await opened(client)
        explorer.table.select(ids(explorer)[:3])
        explorer._buttons["pause"].click()
        await until(lambda: written(server))
        explorer.close()
        gate.set()
        await until(lambda: not other_tasks())
        assert 1 == len(written(server))


@in_loop
async def test_closing_stops_watching_the_listener(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The listener continues without the Explorer."""
    with sandbox.listener() as listener:
        widgets = alive()
        explorer = await opened(client, listener)
        explorer.open("Deliveries")
        explorer.close()
        await until(lambda: not other_tasks())
        await asyncio.to_thread(client.webhooks.create, name="Listener", url=listener.url, events=["ticket.created"])
        await asyncio.to_thread(client.webhooks.trigger_test, "ticket.created")
        await turns()
        assert widgets == alive()


# --- ten thousand -----------------------------------------------------------------------------------------------------


def state_size(before: set[str]) -> int:
    """The size in bytes of the state of all new widgets, without code and CSS."""
    new = [registry._instances[name].get_state() for name in alive() - before]
    states = [{name: value for name, value in state.items() if name not in {"_esm", "_css"}} for state in new]
    return len(json.dumps(states, default=repr).encode())


@in_loop
async def test_ten_thousand_webhooks_need_little_widget_state(sandbox: cx.Sandbox) -> None:
    """Only the visible page is sent."""
    before = alive()
    explorer = await filled(sandbox, [item(number) for number in range(10_000)])
    assert (25, 400) == (len(explorer.table.rows), explorer.table.pages)
    explorer.table.sort_by("Name")
    explorer.table.sort_by("Name")
    explorer.table._draw(page=400)
    assert "Number 00000" == names(explorer)[-1]
    explorer.table.search("Number n0777")
    assert [f"Number 0777{digit}" for digit in reversed(range(10))] == names(explorer)
    send_message(explorer, {"event": "select_page", "on": True})
    for tab in ("Create", "Edit", "Fire", "Deliveries", "Webhooks"):
        explorer.open(tab)
    assert state_size(before) < 200_000
    assert ["ticket.created", 10_000, list(range(12))] == explorer._coverage.content["rows"][0]
    explorer.close()


@in_loop
async def test_ten_thousand_selected_webhooks_need_little_widget_state(sandbox: cx.Sandbox) -> None:
    """The selection itself is not sent."""
    before = alive()
    items = [item(number) for number in range(10_000)]
    explorer = await filled(sandbox, items)
    explorer.table.select([each["id"] for each in items])
    assert 10_000 == len(explorer.table.selected_webhooks())
    assert state_size(before) < 200_000
    explorer.close()


@in_loop
async def test_long_names_need_little_widget_state(sandbox: cx.Sandbox) -> None:
    """Names of 10,000 characters are shortened."""
    before = alive()
    explorer = await filled(sandbox, [item(number, name="n" * 10_000) for number in range(100)])
    assert 25 == len(explorer.table.rows)
    assert state_size(before) < 200_000
    explorer.close()


# --- hostile text and secrets -----------------------------------------------------------------------------------------


def strings(value: Any) -> Iterator[str]:
    """All strings within a value."""
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
    """Control and direction characters are escaped everywhere, and there are no HTML widgets."""
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
        before = [
            *strings(explorer.table.rows),
            *strings(explorer._coverage.content["names"]),
            *explorer._bulk.code.lines,
        ]
        assert any("<img src=x onerror=alert(1)>" in text for text in before)
        assert ["failed"] == outcomes(await explorer.act("pause"))
        texts = [
            *before,
            *strings(explorer.table.rows),
            *strings(explorer._coverage.content["names"]),
            *explorer._bulk.steps.lines,
            *explorer._title.lines,
            explorer.status.text,
            explorer.table.summary,
            *explorer._bulk.code.lines,
        ]
        assert [] == [text for text in texts if not text.isprintable()]
        assert [] == [
            widget for widget in widgets_of(explorer) if isinstance(widget, (ipywidgets.HTML, ipywidgets.HTMLMath))
        ]
        explorer.close()


@pytest.mark.parametrize("name", ["secret", LIVE, "publishable"])
@in_loop
async def test_no_widget_holds_the_key(sandbox: cx.Sandbox, name: str) -> None:
    """Not even if the server repeats the key in an error."""
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
async def test_no_widget_holds_a_secret_from_a_list(sandbox: cx.Sandbox) -> None:
    """A signing secret that the server puts into the list does not reach the page."""
    secret = "whsec_" + "planted0" * 4
    explorer = await filled(sandbox, [item(1, secret=secret)])
    explorer.table.select(ids(explorer))
    for tab in ("Edit", "Fire", "Webhooks"):
        explorer.open(tab)
        await turns()
    assert secret not in states()
    explorer.close()
