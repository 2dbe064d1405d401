"""The live view of a listener: its rows and the details of an opened request."""

import asyncio
import contextlib
import dataclasses
import functools
import http.client
import json
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from cstar_explore import deliveries
from cstar_explore.widgets import DeliveriesTab

SECRET = "whsec_kept_by_the_tests"
HOSTILE = "<img src=x onerror=alert(1)> $5 and $6 \x1b[31m\x07\u200f\u202e\u2066"


class FixedClock:
    """A clock that does not advance."""

    now = datetime(2025, 12, 10, 14, 30, 5, tzinfo=UTC)


def body_of(event_id: str = "evt_1", event: str = "ticket.created", **more: Any) -> bytes:
    return json.dumps({"id": event_id, "type": event} | more).encode()


def post(listener: cx.Listener, body: bytes, headers: Mapping[str, str] | None = None) -> int:
    parts = urlsplit(listener.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        connection.request("POST", parts.path, body, dict(headers or {}))
        return connection.getresponse().status


def deliver(listener: cx.Listener, body: bytes, secret: str = SECRET) -> int:
    signature = cx.sign(body, secret, int(FixedClock.now.timestamp()))
    return post(listener, body, {"X-Signature": signature, "X-Delivery-Attempt": "2"})


def soon(condition: Callable[[], object]) -> bool:
    """Whether the condition holds within a second. (The view updates within half a second.)"""
    return any(condition() or threading.Event().wait(0.01) for _ in range(100))


@pytest.fixture
def listener() -> Iterator[cx.Listener]:
    with cx.Listener([SECRET], clock=FixedClock()) as listener:
        yield listener


@pytest.fixture
def view(listener: cx.Listener) -> Iterator[DeliveriesTab]:
    view = DeliveriesTab(listener)
    yield view
    view.close()


def parts(view: DeliveriesTab) -> dict[str, str]:
    """The opened details, by heading."""
    return dict(view.widget.opened)


# --- display ----------------------------------------------------------------------------------------------------------


def test_a_listener_is_displayed_as_a_widget_and_as_text(listener: cx.Listener) -> None:
    """Text for front ends without widgets."""
    bundle = DeliveriesTab.of(listener)._repr_mimebundle_()
    assert f"Listener({listener.url})" == bundle["text/plain"]
    model_id = bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model_id in registry._instances


def test_displaying_a_listener_again_shows_the_same_view(listener: cx.Listener) -> None:
    """No further widgets are created."""
    first = DeliveriesTab.of(listener)._repr_mimebundle_()
    count = len(registry._instances)
    for _ in range(5):
        assert first == DeliveriesTab.of(listener)._repr_mimebundle_()
    assert count == len(registry._instances)


def test_closing_a_listener_frees_its_view() -> None:
    """The one that `DeliveriesTab.of` created."""
    before = set(registry._instances)
    with cx.Listener() as listener:
        DeliveriesTab.of(listener)
        assert before < set(registry._instances)
    assert before == set(registry._instances)


def test_ipython_displays_a_listener_as_its_view() -> None:
    """A real shell's formatter finds both the widget and the text."""
    script = """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        import cstar_explore as cx
        with cx.Listener() as listener:
            data, _ = shell.display_formatter.format(listener)
            assert f"Listener({listener.url})" == data["text/plain"], data
            view = data["application/vnd.jupyter.widget-view+json"]["model_id"]
            from cstar_explore.widgets import DeliveriesTab
            assert view == DeliveriesTab.of(listener).widget.model_id
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (0, "") == (ran.returncode, ran.stderr)


def test_a_closed_view_is_freed_and_no_longer_updated(listener: cx.Listener) -> None:
    """Closing twice is harmless, and the listener continues."""
    before = set(registry._instances)
    view = DeliveriesTab(listener)
    deliver(listener, body_of())
    assert soon(lambda: view.widget.rows)
    view.close()
    view.close()
    assert set() == set(registry._instances) - before
    assert 200 == deliver(listener, body_of())


def test_closing_a_view_waits_for_its_last_update(listener: cx.Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    """No update reads the listener afterwards."""
    begun, read = threading.Event(), listener.requests
    view = DeliveriesTab(listener)

    def slow(newest: int | None = None) -> list[Any]:
        begun.set()
        threading.Event().wait(0.1)
        return read(newest)

    monkeypatch.setattr(listener, "requests", slow)
    deliver(listener, body_of())
    assert begun.wait(5)
    view.close()
    listener.close()
    assert 1 == len(view.widget.rows)


def test_a_view_of_a_closed_listener_keeps_its_rows_and_says_that_it_is_closed(sandbox: cx.Sandbox) -> None:
    """Whether the view refreshes, opens a request or is created afterwards."""
    listener = sandbox.listener()
    deliver(listener, body_of())
    view = DeliveriesTab(listener)
    rows = view.widget.rows
    listener.close()
    view.widget._handle_custom_msg({"event": "open", "id": 1}, [])
    assert "The sandbox or listener is closed. Open a new one." == view.widget.title
    view.refresh()
    later = DeliveriesTab(listener)
    assert (rows, []) == (view.widget.rows, later.widget.rows)
    assert view.widget.title == later.widget.title
    view.close()
    later.close()


# --- rows -------------------------------------------------------------------------------------------------------------


def test_there_are_no_rows_at_first(view: DeliveriesTab) -> None:
    """And nothing is opened."""
    assert ([], []) == (list(view.widget.rows), list(view.widget.opened))


def test_a_view_shows_earlier_requests(listener: cx.Listener) -> None:
    """Those received before it was created."""
    deliver(listener, body_of())
    view = DeliveriesTab(listener)
    assert soon(lambda: 1 == len(view.widget.rows))
    view.close()


def test_a_row_appears_without_a_refresh(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With number, time, event, attempt, verdict and status."""
    deliver(listener, body_of())
    assert soon(lambda: view.widget.rows)
    (row,) = view.widget.rows
    number, time, event, attempt, verdict, status, *_ = row
    assert (1, "ticket.created", "2", "200") == (number, event, str(attempt), str(status))
    assert ("14:30:05" in time, "verified" in verdict) == (True, True)


def test_the_newest_request_is_the_first_row(listener: cx.Listener, view: DeliveriesTab) -> None:
    """So it is visible without scrolling."""
    for event_id, event in (("evt_1", "ticket.created"), ("evt_2", "ticket.closed"), ("evt_3", "boss.spawned")):
        deliver(listener, body_of(event_id, event))
    assert soon(lambda: 3 == len(view.widget.rows))
    assert ["boss.spawned", "ticket.closed", "ticket.created"] == [row[2] for row in view.widget.rows]
    assert [3, 2, 1] == [row[0] for row in view.widget.rows]


def test_a_refused_delivery_shows_its_cause(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With the check that failed."""
    deliver(listener, body_of(), "whsec_other")
    post(listener, b"no json")
    assert soon(lambda: 2 == len(view.widget.rows))
    (first, first_status), (second, second_status) = [row[4:6] for row in reversed(view.widget.rows)]
    assert (True, True) == ("no_match" in first, "header_missing" in second)
    assert ("401", "401", False) == (str(first_status), str(second_status), "verified" in f"{first} {second}".split())


def test_a_duplicate_is_marked(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Its verdict differs from that of the first delivery."""
    deliver(listener, body_of())
    deliver(listener, body_of())
    assert soon(lambda: 2 == len(view.widget.rows))
    assert view.widget.rows[0][4] != view.widget.rows[1][4]


def test_a_row_appears_while_the_handler_is_running(listener: cx.Listener, view: DeliveriesTab) -> None:
    """The status follows when it has answered."""
    gate = threading.Event()
    listener.answer.handler = lambda _: gate.wait(4) and None
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(deliver, listener, body_of())
        try:
            assert soon(lambda: view.widget.rows)
        finally:
            gate.set()
        assert 200 == slow.result(timeout=5)
    assert soon(lambda: "200" == str(view.widget.rows[0][5]))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.0002, "<1 ms", id="short"),
        pytest.param(0.0124, "12 ms", id="ms"),
        pytest.param(2.34, "2.3 s", id="s"),
        pytest.param(None, "", id="unknown"),
    ],
)
def test_how_long_an_answer_took_is_shown(
    listener: cx.Listener, view: DeliveriesTab, monkeypatch: pytest.MonkeyPatch, seconds: float | None, text: str
) -> None:
    """In the rows and in the details, where it is known: a file of an earlier version does not have it."""
    deliver(listener, body_of())
    [request] = listener.requests()
    assert request.seconds is not None
    assert 0 <= request.seconds < 5
    changed = dataclasses.replace(request, seconds=seconds)
    monkeypatch.setattr(type(listener), "requests", lambda _, newest=None: [changed])
    monkeypatch.setattr(type(listener), "__getitem__", lambda _, number: changed)
    view.refresh()
    view.open(1)
    assert [text] == [row[7] for row in view.widget.rows]
    took = f" in {text}" if text else ""
    assert f"answered with 200{took}" == dict(view.widget.opened)["Request 1"].partition("UTC, ")[2]


def test_many_requests_at_once_are_all_shown(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Including the last one."""
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda number: deliver(listener, body_of(f"evt_{number}")), range(60), timeout=8))
    assert soon(lambda: 60 == max((row[0] for row in view.widget.rows), default=0))
    numbers = [row[0] for row in view.widget.rows]
    assert sorted(numbers, reverse=True) == numbers


def test_two_views_of_one_listener_are_both_updated(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Closing one keeps the other."""
    other = DeliveriesTab(listener)
    deliver(listener, body_of())
    assert soon(lambda: len(view.widget.rows) == len(other.widget.rows) == 1)
    other.close()
    deliver(listener, body_of("evt_2"))
    assert soon(lambda: 2 == len(view.widget.rows))


# --- opened requests --------------------------------------------------------------------------------------------------


def by_method(view: DeliveriesTab, number: int) -> None:
    view.open(number)


def by_message(view: DeliveriesTab, number: int) -> None:
    view.widget._handle_custom_msg({"event": "open", "id": number}, [])


@pytest.mark.parametrize("open_", [pytest.param(by_method, id="method"), pytest.param(by_message, id="message")])
def test_an_opened_delivery_shows_its_details(
    listener: cx.Listener, view: DeliveriesTab, open_: Callable[[DeliveriesTab, int], None]
) -> None:
    """Verdict, heading, headers of cStar and of the connection, formatted JSON and raw bytes."""
    body = body_of(data={"n": 1})
    deliver(listener, body)
    open_(view, 1)
    opened = parts(view)
    headings = ["Verdict", "Request 1", "Headers", "Transport headers", "JSON", f"Raw, {len(body)} bytes"]
    assert headings == list(opened)
    assert "200" in opened["Request 1"]
    assert opened["Verdict"].startswith("Verified\nThe signature matches")
    assert "x-delivery-attempt: 2" in opened["Headers"].splitlines()
    assert "host: " in opened["Transport headers"]
    assert "host: " not in opened["Headers"]
    assert (json.loads(body), True) == (json.loads(opened["JSON"]), "\n" in opened["JSON"])
    assert body.decode() == opened[f"Raw, {len(body)} bytes"]


@pytest.mark.parametrize("what", ["body", "curl"])
def test_the_opened_delivery_is_copied_on_request(
    what: str, listener: cx.Listener, view: DeliveriesTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page gets the exact body, or a command that sends it to the listener, with the nonce of its request."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(view.widget, "send", sent.append)
    body = body_of(data={"text": "it's ½"})
    deliver(listener, body)
    view.widget._handle_custom_msg({"event": "ask", "what": what, "nonce": "0"}, [])
    assert [] == sent, "nothing is open"
    view.open(1)
    view.widget._handle_custom_msg({"event": "ask", "what": what, "nonce": "7"}, [])
    [reply] = sent
    assert "7" == reply["nonce"]
    if what == "body":
        assert body == reply["value"].encode()
    else:
        assert (listener.url in reply["value"], body) == (True, deliveries.delivery(reply["value"]).body)


def test_an_error_in_the_handler_is_shown(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With its traceback."""
    listener.answer.handler = lambda _: 1 // 0
    deliver(listener, body_of())
    view.open(1)
    assert "ZeroDivisionError" in parts(view)["Error in the handler"]


def test_an_opened_refused_delivery_is_explained(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With the corruption that was found."""
    body = body_of()
    signature = cx.sign(body, SECRET, int(FixedClock.now.timestamp()))
    post(listener, json.dumps(json.loads(body), indent=2).encode(), {"X-Signature": signature})
    view.open(1)
    headline, _, remedy = parts(view)["Verdict"].splitlines()
    assert ("Refused: body reencoded", True) == (headline, "Verify before parsing" in remedy)


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"5"], ids=["text", "list", "number"])
def test_the_opened_verdict_agrees_with_the_row(listener: cx.Listener, view: DeliveriesTab, body: bytes) -> None:
    """A refused delivery is not called verified."""
    assert 401 == deliver(listener, body)
    view.open(1)
    assert "verified" not in parts(view)["Verdict"].lower().split()


def test_a_binary_body_can_be_opened(listener: cx.Listener, view: DeliveriesTab) -> None:
    """As raw bytes, and it is not JSON."""
    post(listener, b"\x00\xff\x1b[31m")
    view.open(1)
    opened = parts(view)
    assert "not JSON" in opened["JSON"]
    assert r"\x00\xff\x1b[31m" == opened["Raw, 7 bytes"]


def test_without_secrets_an_opened_request_has_no_verdict() -> None:
    """It is not called verified."""
    with cx.Listener() as listener:
        view = DeliveriesTab(listener)
        post(listener, body_of())
        view.open(1)
        opened = parts(view)
        view.close()
    assert "Request 1" in opened
    assert "verified" not in opened.get("Verdict", "").lower().split()


def test_new_requests_keep_the_opened_one(listener: cx.Listener, view: DeliveriesTab) -> None:
    """The details stay as they were."""
    deliver(listener, body_of())
    view.open(1)
    opened = list(view.widget.opened)
    deliver(listener, body_of("evt_2"))
    assert soon(lambda: 2 == len(view.widget.rows))
    assert opened == list(view.widget.opened)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"event": "open", "id": 99}, id="unknown id"),
        pytest.param({"event": "open", "id": "1; drop table"}, id="id is a string"),
        pytest.param({"event": "open", "id": None}, id="id is None"),
        pytest.param({"event": "open", "id": [1]}, id="id is a list"),
        pytest.param({"event": "open", "id": 10**30}, id="id is huge"),
        pytest.param({"event": "open", "id": 1.5}, id="id is a float"),
        pytest.param({"event": "open"}, id="no id"),
        pytest.param({"event": "shut"}, id="unknown event"),
        pytest.param({}, id="empty"),
        pytest.param([], id="list"),
        pytest.param(None, id="None"),
    ],
)
def test_a_malformed_message_is_ignored(listener: cx.Listener, view: DeliveriesTab, message: Any) -> None:
    """The opened details stay."""
    deliver(listener, body_of())
    view.open(1)
    opened = list(view.widget.opened)
    view.widget._handle_custom_msg(message, [])
    assert opened == list(view.widget.opened)


# --- filters, replay and webhooks' names ------------------------------------------------------------------------------


@pytest.fixture
def mixed(listener: cx.Listener, view: DeliveriesTab) -> DeliveriesTab:
    """1 and 2 verified, 2 answered 503, 3 and 4 refused."""
    deliver(listener, body_of())
    listener.answer.status = 503
    deliver(listener, body_of("evt_2", "ticket.closed"))
    deliver(listener, body_of("evt_3"), "whsec_other")
    post(listener, b"no json")
    view.refresh()
    return view


@pytest.mark.parametrize(
    ("verdict", "event", "shown"),
    [
        ("", "", [4, 3, 2, 1]),
        ("verified", "", [2, 1]),
        ("refused", "", [4, 3]),
        ("failed answer", "", [4, 3, 2]),
        ("", "ticket.created", [3, 1]),
        ("verified", "ticket.created", [1]),
        ("refused", "no event", [4]),
        ("refused", "ticket.closed", []),
    ],
)
def test_the_filters_are_combined(mixed: DeliveriesTab, verdict: str, event: str, shown: list[int]) -> None:
    """From the page as by the method; the summary counts what is shown, and says so if nothing is."""
    message = {"event": "filter", "verdict": verdict, "type": event}
    for apply in (
        lambda: mixed.filter_by(verdict=verdict, event=event),
        lambda: mixed.widget._handle_custom_msg(message, []),
    ):
        mixed.filter_by(verdict="", event="")
        apply()
        assert shown == [row[0] for row in mixed.widget.rows]
        if not shown:
            assert "None of 4 requests matches the filters." == mixed.widget.summary
        elif verdict or event:
            assert f"{len(shown)} of 4 requests, newest first." == mixed.widget.summary
    assert ["no event", "ticket.closed", "ticket.created"] == list(mixed.widget.events)


def test_arrivals_are_filtered(listener: cx.Listener, mixed: DeliveriesTab) -> None:
    """An unknown verdict changes nothing."""
    mixed.filter_by("refused", "ticket.created")
    mixed.widget._handle_custom_msg({"event": "filter", "verdict": "good", "type": ""}, [])
    for secret in (SECRET, "whsec_other"):
        deliver(listener, body_of("evt_9"), secret)
    assert soon(lambda: [6, 3] == [row[0] for row in mixed.widget.rows])


@pytest.mark.anyio
async def test_a_replay_sends_the_request_to_its_listener_again(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Its result is shown until another request is opened; a failed one says where to look."""
    deliver(listener, body_of())
    assert 200 == (await view.replay(1))["answered"][0]
    assert ("Request 1 was sent again: answered 200.", "done") == (view.widget.replayed, view.widget.tone)
    assert (listener[1].body, 1) == (listener[2].body, listener[2].duplicate_of)
    view.open(2)
    assert ("", "") == (view.widget.replayed, view.widget.tone)
    listener.answer.status = 503
    await view.replay(2)
    assert ("answered 503" in view.widget.replayed, "failed") == (True, view.widget.tone)
    with pytest.raises(IndexError):
        await view.replay(99)
    assert ("There is no request 99.", "failed") == (view.widget.replayed, view.widget.tone)


@pytest.mark.anyio
async def test_the_page_replays_the_opened_request_once_at_a_time(listener: cx.Listener, view: DeliveriesTab) -> None:
    """It is busy while it sends, and then ready again. Without an opened request, nothing is sent."""
    gate = threading.Event()
    click = functools.partial(view.widget._handle_custom_msg, {"event": "replay"}, [])
    deliver(listener, body_of())
    click()
    view.open(1)
    listener.answer.handler = lambda _: gate.wait(4) and None
    for _ in range(3):
        click()
        await asyncio.sleep(0)
    assert "busy" == view.widget.tone
    gate.set()
    await asyncio.gather(*view._tasks)
    assert ("done", 2) == (view.widget.tone, len(listener.requests()))


@pytest.mark.anyio
async def test_a_cancelled_replay_does_not_stay_busy(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Another one can be started."""
    deliver(listener, body_of())
    replay = asyncio.ensure_future(view.replay(1))
    await asyncio.sleep(0)
    replay.cancel()
    await asyncio.wait([replay])
    assert "busy" != view.widget.tone


def test_a_row_names_its_webhook(listener: cx.Listener, view: DeliveriesTab) -> None:
    """By its name where it is known, else by its shortened ID."""
    for identity in ("whk_0123456789abcdef", "whk_1", None):
        post(listener, body_of(), {"X-Webhook-ID": identity} if identity else {})
    view.refresh()
    assert ["", "whk_1", "whk_0123456…"] == [row[6] for row in view.widget.rows]
    view.name_webhooks([cx.Webhook(id="whk_1", name="CRM sync")])
    assert ["", "CRM sync", "whk_0123456…"] == [row[6] for row in view.widget.rows]


@pytest.mark.anyio
async def test_the_explorer_names_webhooks_once_they_are_loaded(sandbox: cx.Sandbox) -> None:
    """Also if its deliveries were opened before."""
    client, listener = sandbox.client(), sandbox.listener()
    client.webhooks.create(name="Here", url=listener.url, events=["ticket.created"])
    client.webhooks.trigger_test("ticket.created")
    explorer = cx.Explorer(client, listener)
    explorer.open("Deliveries")
    assert explorer._deliveries is not None
    assert "Here" not in explorer._deliveries.widget.rows[0]
    await explorer.refresh()
    assert ["Here"] == [row[6] for row in explorer._deliveries.widget.rows]
    explorer.close()


# --- hostile text and secrets -----------------------------------------------------------------------------------------


def test_hostile_text_is_shown_printable(listener: cx.Listener, view: DeliveriesTab) -> None:
    """In the rows and in all details, except for line breaks."""
    body = body_of(HOSTILE, HOSTILE, data={HOSTILE: HOSTILE})
    deliver(listener, body)
    post(listener, b'{"type": "\xe2\x80\xae\\u001b"}', {"X-Signature": "\x1b[31m\xff", "X-Odd": "\x07<b>"})
    assert soon(lambda: 2 == len(view.widget.rows))
    assert all(str(cell).isprintable() for row in view.widget.rows for cell in row)
    for number in (1, 2):
        view.open(number)
        shown = "".join(heading + text for heading, text in view.widget.opened).replace("\n", "")
        assert shown.isprintable()
    assert "HTMLModel" not in {widget._model_name for widget in registry._instances.values()}


def test_unpaired_surrogates_can_be_sent_to_a_front_end(listener: cx.Listener, view: DeliveriesTab) -> None:
    """All traits can be encoded as UTF-8."""
    deliver(listener, b'{"id": "\\ud800", "type": "\\udfff", "\\udc00": ["\\ud83d"]}')
    assert soon(lambda: view.widget.rows)
    view.open(1)
    assert json.dumps([view.widget.rows, view.widget.opened], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 200_000, id="deeply nested"),
        pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, id="deeply nested, valid"),
        pytest.param(b'{"id": ' + b"1" * 10_000 + b"}", id="long number"),
        pytest.param(b'{"id": NaN, "type": 1e999}', id="NaN and infinity"),
        pytest.param(b'"' + b"x" * 1_000_000 + b'"', id="long string"),
    ],
)
def test_an_unusual_body_can_be_opened(listener: cx.Listener, view: DeliveriesTab, body: bytes) -> None:
    """Whatever its JSON is like."""
    deliver(listener, body)
    assert soon(lambda: view.widget.rows)
    view.open(1)
    assert "Request 1" in parts(view)


def test_no_secret_is_in_any_trait(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Of this widget or any other."""
    listener.trust("whsec_trusted_later")
    for secret in (SECRET, "whsec_trusted_later", "whsec_unknown"):
        deliver(listener, body_of(), secret)
    for number in (1, 2, 3):
        view.open(number)
        states = repr([widget.get_state() for widget in registry._instances.values()])
        assert (False, False) == (SECRET in states, "whsec_trusted_later" in states)
