"""The live view: rows that come by themselves, and one delivery opened into its parts."""

import contextlib
import http.client
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from cstar_explore.widgets import DeliveriesTab

SECRET = "whsec_kept_by_the_tests"
HOSTILE = "<img src=x onerror=alert(1)> $5 and $6 \x1b[31m\x07\u200f\u202e\u2066"


class FixedClock:
    """A clock that stands still where it was put."""

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
    """Whether this holds by now, or within a second (the view promises half of it)."""
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
    """What is opened, by its headings."""
    return dict(view.widget.opened)


# In the notebook


def test_a_listener_shows_itself_as_text_and_as_a_view(listener: cx.Listener) -> None:
    """The text for those who cannot show more."""
    bundle = listener._repr_mimebundle_()
    assert f"Listener({listener.url})" == bundle["text/plain"]
    shown = bundle["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert shown in registry._instances


def test_showing_it_twice_shows_the_same(listener: cx.Listener) -> None:
    """And leaves no heap of widgets behind; closing the listener frees them."""
    first = listener._repr_mimebundle_()
    count = len(registry._instances)
    for _ in range(5):
        assert first == listener._repr_mimebundle_()
    assert count == len(registry._instances)


def test_a_closed_view_leaves_no_widget_and_hears_no_more(listener: cx.Listener) -> None:
    """Closing twice does no harm, and the listener goes on."""
    before = set(registry._instances)
    view = DeliveriesTab(listener)
    deliver(listener, body_of())
    assert soon(lambda: view.widget.rows)
    view.close()
    view.close()
    assert set() == set(registry._instances) - before
    assert 200 == deliver(listener, body_of())


# Rows


def test_at_first_there_are_no_rows(view: DeliveriesTab) -> None:
    """And nothing is opened."""
    assert ([], []) == (list(view.widget.rows), list(view.widget.opened))


def test_what_came_before_the_view_is_in_it(listener: cx.Listener) -> None:
    """A view that is opened late misses nothing."""
    deliver(listener, body_of())
    view = DeliveriesTab(listener)
    assert soon(lambda: 1 == len(view.widget.rows))
    view.close()


def test_a_row_comes_by_itself(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With number, time, event, attempt, verdict and answer."""
    deliver(listener, body_of())
    assert soon(lambda: view.widget.rows)
    (row,) = view.widget.rows
    number, time, event, attempt, verdict, answered = row
    assert (1, "ticket.created", "2", "200") == (number, event, str(attempt), str(answered))
    assert ("14:30:05" in time, "verified" in verdict) == (True, True)


def test_the_newest_row_is_the_first(listener: cx.Listener, view: DeliveriesTab) -> None:
    """So that it is seen without scrolling."""
    for event_id, event in (("evt_1", "ticket.created"), ("evt_2", "ticket.closed"), ("evt_3", "boss.spawned")):
        deliver(listener, body_of(event_id, event))
    assert soon(lambda: 3 == len(view.widget.rows))
    assert ["boss.spawned", "ticket.closed", "ticket.created"] == [row[2] for row in view.widget.rows]
    assert [3, 2, 1] == [row[0] for row in view.widget.rows]


def test_a_refused_delivery_is_a_row_that_says_why(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With the check that failed."""
    deliver(listener, body_of(), "whsec_other")
    post(listener, b"no json")
    assert soon(lambda: 2 == len(view.widget.rows))
    (_, *_, missing, first), (_, *_, other, second) = view.widget.rows
    assert (True, True) == ("header_missing" in missing, "no_match" in other)
    assert ("401", "401", False) == (str(first), str(second), "verified" in (missing + other).split())


def test_a_duplicate_can_be_told(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Its row differs from that of the first."""
    deliver(listener, body_of())
    deliver(listener, body_of())
    assert soon(lambda: 2 == len(view.widget.rows))
    assert view.widget.rows[0][4] != view.widget.rows[1][4]


def test_a_row_comes_while_the_handler_still_works(listener: cx.Listener, view: DeliveriesTab) -> None:
    """It has arrived; the answer follows."""
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


def test_many_at_once_are_all_shown_in_the_end(listener: cx.Listener, view: DeliveriesTab) -> None:
    """The last one, too, however fast they come."""
    with ThreadPoolExecutor(8) as executor:
        list(executor.map(lambda number: deliver(listener, body_of(f"evt_{number}")), range(60), timeout=8))
    assert soon(lambda: 60 == max((row[0] for row in view.widget.rows), default=0))
    numbers = [row[0] for row in view.widget.rows]
    assert sorted(numbers, reverse=True) == numbers


def test_two_views_of_one_listener_both_follow(listener: cx.Listener, view: DeliveriesTab) -> None:
    """One of them may close."""
    other = DeliveriesTab(listener)
    deliver(listener, body_of())
    assert soon(lambda: len(view.widget.rows) == len(other.widget.rows) == 1)
    other.close()
    deliver(listener, body_of("evt_2"))
    assert soon(lambda: 2 == len(view.widget.rows))


# One opened


def by_method(view: DeliveriesTab, number: int) -> None:
    view.open(number)


def by_message(view: DeliveriesTab, number: int) -> None:
    view.widget._handle_custom_msg({"event": "open", "id": number}, [])


@pytest.mark.parametrize("open_", [pytest.param(by_method, id="method"), pytest.param(by_message, id="message")])
def test_a_delivery_opens_into_its_parts(
    listener: cx.Listener, view: DeliveriesTab, open_: Callable[[DeliveriesTab, int], None]
) -> None:
    """Heading, verdict, headers, pretty JSON and raw bytes."""
    body = body_of(data={"n": 1})
    deliver(listener, body)
    open_(view, 1)
    opened = parts(view)
    assert ["Request 1", "Verdict", "Headers", "JSON", f"Raw, {len(body)} bytes"] == list(opened)
    assert "200" in opened["Request 1"]
    assert "verified" in opened["Verdict"]
    assert "x-delivery-attempt: 2" in opened["Headers"].splitlines()
    assert (json.loads(body), True) == (json.loads(opened["JSON"]), "\n" in opened["JSON"])
    assert repr(body) == opened[f"Raw, {len(body)} bytes"]


def test_a_handler_that_raised_is_shown(listener: cx.Listener, view: DeliveriesTab) -> None:
    """With its traceback."""
    listener.answer.handler = lambda _: 1 // 0
    deliver(listener, body_of())
    view.open(1)
    assert "ZeroDivisionError" in parts(view)["The handler raised"]


def test_a_refused_delivery_opens_into_an_explanation(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Why, and what to do."""
    body = body_of()
    signature = cx.sign(body, SECRET, int(FixedClock.now.timestamp()))
    post(listener, json.dumps(json.loads(body), indent=2).encode(), {"X-Signature": signature})
    view.open(1)
    assert "body_reencoded" in parts(view)["Verdict"]


@pytest.mark.parametrize("body", [b"no json", b"[1]", b"5"], ids=["text", "list", "number"])
def test_the_verdict_is_that_of_the_row(listener: cx.Listener, view: DeliveriesTab, body: bytes) -> None:
    """What was refused is not called verified when it is opened."""
    assert 401 == deliver(listener, body)
    view.open(1)
    assert "verified" not in parts(view)["Verdict"].split()


def test_a_body_that_is_no_text_opens_too(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Raw, and said to be no JSON."""
    post(listener, b"\x00\xff\x1b[31m")
    view.open(1)
    opened = parts(view)
    assert "not JSON" in opened["JSON"]
    assert repr(b"\x00\xff\x1b[31m") == opened["Raw, 7 bytes"]


def test_a_listener_without_secrets_opens_its_requests_too() -> None:
    """There is no verdict to give, and that is said."""
    with cx.Listener() as listener:
        view = DeliveriesTab(listener)
        post(listener, body_of())
        view.open(1)
        opened = parts(view)
        view.close()
    assert "Request 1" in opened
    assert "verified" not in opened.get("Verdict", "").split()


def test_what_is_opened_stays_open_when_others_come(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Nobody loses the place while reading."""
    deliver(listener, body_of())
    view.open(1)
    opened = list(view.widget.opened)
    deliver(listener, body_of("evt_2"))
    assert soon(lambda: 2 == len(view.widget.rows))
    assert opened == list(view.widget.opened)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param({"event": "open", "id": 99}, id="no such number"),
        pytest.param({"event": "open", "id": "1; drop table"}, id="text"),
        pytest.param({"event": "open", "id": None}, id="None"),
        pytest.param({"event": "open", "id": [1]}, id="list"),
        pytest.param({"event": "open", "id": 10**30}, id="huge"),
        pytest.param({"event": "open", "id": 1.5}, id="fraction"),
        pytest.param({"event": "open"}, id="no id"),
        pytest.param({"event": "shut"}, id="another event"),
        pytest.param({}, id="empty"),
        pytest.param([], id="no mapping"),
        pytest.param(None, id="nothing"),
    ],
)
def test_an_odd_message_changes_nothing(listener: cx.Listener, view: DeliveriesTab, message: Any) -> None:
    """A front end may be of another version."""
    deliver(listener, body_of())
    view.open(1)
    opened = list(view.widget.opened)
    view.widget._handle_custom_msg(message, [])
    assert opened == list(view.widget.opened)


# Foreign text, and secrets


def test_hostile_text_is_shown_in_printable_characters(listener: cx.Listener, view: DeliveriesTab) -> None:
    """In rows and in all parts but for the ends of lines; markup stays text."""
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


def test_half_characters_can_be_sent_to_a_front_end(listener: cx.Listener, view: DeliveriesTab) -> None:
    """What cannot be written as UTF-8 is not in any trait."""
    deliver(listener, b'{"id": "\\ud800", "type": "\\udfff", "\\udc00": ["\\ud83d"]}')
    assert soon(lambda: view.widget.rows)
    view.open(1)
    assert json.dumps([view.widget.rows, view.widget.opened], ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, id="deep but whole"),
        pytest.param(b'{"id": ' + b"1" * 10_000 + b"}", id="long number"),
        pytest.param(b'{"id": NaN, "type": 1e999}', id="no number"),
        pytest.param(b'"' + b"x" * 1_000_000 + b'"', id="long"),
    ],
)
def test_an_odd_body_can_be_opened(listener: cx.Listener, view: DeliveriesTab, body: bytes) -> None:
    """Whatever its JSON is like."""
    deliver(listener, body)
    assert soon(lambda: view.widget.rows)
    view.open(1)
    assert "Request 1" in parts(view)


def test_no_secret_is_in_any_trait(listener: cx.Listener, view: DeliveriesTab) -> None:
    """Of this widget, or of any other."""
    listener.trust("whsec_trusted_later")
    for secret in (SECRET, "whsec_trusted_later", "whsec_unknown"):
        deliver(listener, body_of(), secret)
    listener._repr_mimebundle_()
    for number in (1, 2, 3):
        view.open(number)
        states = repr([widget.get_state() for widget in registry._instances.values()])
        assert (False, False) == (SECRET in states, "whsec_trusted_later" in states)
