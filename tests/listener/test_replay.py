"""Replay: any selection of what was received is sent again, and old outcome stands beside new."""

import contextlib
import hashlib
import hmac
import http.client
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import RecordedRequest, ScriptedServer, closed_port, redirect, reply

SECRET = "whsec_kept_by_the_tests"
OTHER = "whsec_of_the_receiver"
COLUMNS = ["id", "event", "event_id", "was_answered", "was_error", "answered", "error", "changed"]
EVENTS = ["ticket.created", "ticket.closed", "boss.spawned"]


class FixedClock:
    """A clock that stands still where it was put."""

    now = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)


def body_of(number: int) -> bytes:
    """Spelled in a way of its own, so that whoever writes it again is found out."""
    return b'{ "type":"%s",\n"id" : "evt_%d", "data":{"n":1.0,"s":"\\u00e9/\xc3\xa9"} }' % (
        EVENTS[number - 1].encode(),
        number,
    )


def deliver(listener: cx.Listener, body: bytes, signature: str | None = None) -> int:
    parts = urlsplit(listener.url)
    headers = {
        "Content-Type": "application/json",
        "X-Signature": signature or cx.sign(body, SECRET, int(FixedClock.now.timestamp())),
        "X-Event-ID": "evt_1",
        "X-Delivery-Attempt": "3",
        "X-Own": "kept",
    }
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        connection.request("POST", parts.path, body, headers)
        return connection.getresponse().status


@pytest.fixture(scope="module")
def filled() -> Iterator[cx.Listener]:
    """A listener with three deliveries, of which its handler failed at the second."""

    def handler(event: dict[str, Any]) -> None:
        if event["type"] == "ticket.closed":
            raise KeyError("data")

    with cx.Listener([SECRET], clock=FixedClock(), handler=handler) as listener:
        for number in (1, 2, 3):
            deliver(listener, body_of(number))
        yield listener


@pytest.fixture(scope="module")
def target() -> Iterator[cx.Listener]:
    """Another listener, that knows the first one's secret and another."""
    with cx.Listener([SECRET, OTHER], clock=FixedClock()) as listener:
        yield listener


def is_signed(request: RecordedRequest, secret: str) -> bool:
    """Worked out here, with nothing but the standard library."""
    stamp, digest = (part.split("=", 1)[1] for part in request.headers["x-signature"].split(","))
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, digest)


# As it was


def test_the_same_bytes_and_headers_are_sent_again(filled: cx.Listener) -> None:
    """With the signature they had."""
    with ScriptedServer(*[reply()] * 3) as server:
        filled.replay([1, 2, 3], server.url + "/again?a=b")
        assert [body_of(1), body_of(2), body_of(3)] == [request.body for request in server.requests]
        for old, new in zip(filled.requests(), server.requests, strict=True):
            names = ("content-type", "x-signature", "x-event-id", "x-delivery-attempt", "x-own")
            assert [old.header(name) for name in names] == [new.headers.get(name) for name in names]
            assert ("POST", "/again?a=b", f"127.0.0.1:{server.port}") == (new.method, new.path, new.headers["host"])
            assert is_signed(new, SECRET)


def test_a_replayed_delivery_is_verified_by_whoever_knows_the_secret(filled: cx.Listener, target: cx.Listener) -> None:
    """As it was when it came."""
    before = len(target.requests())
    frame = filled.replay([1, 3], target.url)
    assert ["ok", "ok"] == [one.cause for one in target.requests()[before:]]
    assert [200, 200] == list(frame["answered"])


@pytest.mark.parametrize(
    ("select", "ids"),
    [
        pytest.param(lambda listener: listener.to_frame(), [1, 2, 3], id="the whole frame"),
        pytest.param(
            lambda listener: listener.to_frame().query("event == 'ticket.closed'"), [2], id="a filtered frame"
        ),
        pytest.param(lambda listener: listener.to_frame().iloc[::-1], [3, 2, 1], id="a frame upside down"),
        pytest.param(lambda listener: listener.to_frame().set_index("event_id").tail(1), [3], id="another index"),
        pytest.param(lambda _: [3, 1], [3, 1], id="ids"),
        pytest.param(lambda _: (2,), [2], id="a tuple"),
        pytest.param(lambda _: iter([1, 2]), [1, 2], id="an iterator"),
        pytest.param(lambda listener: listener.to_frame()["id"], [1, 2, 3], id="the column of ids"),
        pytest.param(lambda listener: listener.requests()[:2], [1, 2], id="requests"),
        pytest.param(lambda _: [1, 1], [1, 1], id="one twice"),
        pytest.param(lambda _: [], [], id="none"),
        pytest.param(lambda listener: listener.to_frame().head(0), [], id="an empty frame"),
    ],
)
def test_any_selection_can_be_replayed(
    filled: cx.Listener, select: Callable[[cx.Listener], Any], ids: list[int]
) -> None:
    """In the order it was given in, and told in that order."""
    seen: list[str] = []
    frame = filled.replay(select(filled), lambda event: seen.append(event["id"]))
    assert (ids, [f"evt_{number}" for number in ids]) == (list(frame["id"]), seen)
    assert (COLUMNS, seen) == (list(frame.columns), list(frame["event_id"]))
    assert [EVENTS[number - 1] for number in ids] == list(frame["event"])


def test_the_frame_has_the_same_columns_and_types_when_it_is_empty(filled: cx.Listener) -> None:
    """So that code written for the full one runs on the empty one."""
    full, empty = filled.replay([1, 2], lambda _: None), filled.replay([], lambda _: None)
    assert (COLUMNS, COLUMNS) == (list(full.columns), list(empty.columns))
    assert list(full.dtypes) == list(empty.dtypes)


@pytest.mark.parametrize("rows", [[99], [0], ["1; drop table"], [None], [1, 99]])
def test_what_is_not_there_cannot_be_replayed(filled: cx.Listener, rows: list[Any]) -> None:
    """Nothing is sent, not even what is there."""
    seen: list[Any] = []
    with pytest.raises((errors.CStarError, LookupError, TypeError, ValueError)):
        filled.replay(rows, seen.append)
    assert [] == seen


# Old outcome against new


def test_a_mended_handler_is_seen_in_the_frame(filled: cx.Listener) -> None:
    """What failed before works now, and only that has changed."""
    frame = filled.replay(filled.to_frame(), lambda _: None)
    assert [200, 500, 200] == list(frame["was_answered"])
    assert [200, 200, 200] == list(frame["answered"])
    assert [False, True, False] == list(frame["changed"])
    assert [True, False, True] == list(frame["was_error"].isna())
    assert "KeyError" in frame["was_error"][1]
    assert frame["error"].isna().all()


def test_a_handler_that_got_worse_is_seen_in_the_frame(filled: cx.Listener) -> None:
    """With the traceback of each, and the others go on."""

    def worse(event: dict[str, Any]) -> None:
        if event["type"] != "boss.spawned":
            raise ZeroDivisionError(event["id"])

    frame = filled.replay([1, 2, 3], worse)
    assert [500, 500, 200] == list(frame["answered"])
    assert [True, False] == list(frame["changed"])[::2]
    assert ["ZeroDivisionError: evt_1", "ZeroDivisionError: evt_2"] == [
        error.strip().splitlines()[-1] for error in frame["error"][:2]
    ]


@pytest.mark.parametrize(("returned", "status"), [(None, 200), (202, 202), (404, 404), (500, 500)])
def test_a_function_answers_as_a_handler_does(filled: cx.Listener, returned: object, status: int) -> None:
    """A number is a status."""
    frame = filled.replay([1], lambda _: returned)
    assert ([status], [status != 200]) == (list(frame["answered"]), list(frame["changed"]))


def test_the_function_gets_the_event(filled: cx.Listener) -> None:
    """Parsed, one dictionary for each."""
    seen: list[Any] = []
    filled.replay([1, 2], seen.append)
    assert [json.loads(body_of(1)), json.loads(body_of(2))] == seen


@pytest.mark.parametrize("status", [200, 204, 302, 400, 500, 503])
def test_the_answer_of_a_url_is_told(filled: cx.Listener, status: int) -> None:
    """Redirects are answers, and are not followed."""
    with ScriptedServer(reply()) as other:
        line = redirect(other.url) if status == 302 else reply(status)
        with ScriptedServer(line) as server:
            frame = filled.replay([1], server.url)
        assert [] == other.requests
    assert ([200], [status], [status != 200]) == (
        list(frame["was_answered"]),
        list(frame["answered"]),
        list(frame["changed"]),
    )


def test_a_url_that_does_not_answer_is_told_and_does_not_stop_the_others(filled: cx.Listener) -> None:
    """No status, but an error."""
    frame = filled.replay([1, 3], f"http://127.0.0.1:{closed_port()}/")
    assert (2, True, True) == (len(frame), frame["answered"].isna().all(), frame["error"].notna().all())
    assert [True, True] == list(frame["changed"])


@pytest.mark.parametrize("to", ["", "nonsense", "ftp://127.0.0.1/", "http:///x"])
def test_what_is_no_url_counts_as_no_answer(filled: cx.Listener, to: str) -> None:
    """It is refused at once, or told in the row."""
    with contextlib.suppress(errors.CStarError):
        frame = filled.replay([1], to)
        assert ([True], [True]) == (list(frame["answered"].isna()), list(frame["error"].notna()))
    assert 3 == len(filled.requests())


def test_a_replay_changes_nothing_of_what_was_kept(filled: cx.Listener) -> None:
    """It is no arrival."""
    before = filled.requests()
    filled.replay([1, 2, 3], lambda _: 500)
    assert before == filled.requests()


def test_a_replay_to_its_own_url_arrives_and_is_a_duplicate() -> None:
    """As a second delivery of the event would be."""
    with cx.Listener([SECRET], clock=FixedClock()) as listener:
        deliver(listener, body_of(1))
        frame = listener.replay([1], listener.url)
        assert [None, 1] == [one.duplicate_of for one in listener.requests()]
        assert ([200], [False]) == (list(frame["answered"]), list(frame["changed"]))


NESTED = """
import cstar_explore as cx

with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
    client.webhooks.create(name="Here", url=listener.url, events="*")
    client.webhooks.trigger_test("ticket.created")

    def function(event):
        {act}

    print(*listener.replay([1], function)["answered"])
"""


@pytest.mark.parametrize(
    "act",
    [
        pytest.param("listener.to_frame()", id="looks at the frame"),
        pytest.param("listener.wait_for('ticket.created')", id="waits for what is there"),
        pytest.param("client.webhooks.list()", id="lists webhooks"),
        pytest.param("client.webhooks.trigger_test('boss.spawned')", id="fires another event"),
        pytest.param(
            "listener.answer.status = 500; client.webhooks.trigger_test('boss.spawned'); sandbox.clock.advance(hours=32)",
            id="fires another event and lives through its retries",
        ),
        pytest.param("listener.replay([1], listener.url)", id="replays to the listener"),
        pytest.param("listener.replay([1], lambda event: None)", id="replays to another function"),
    ],
)
def test_a_function_may_do_what_a_handler_may_do(act: str) -> None:
    """No deadlock. In a process of its own, so that one here does not hold up the other tests."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", NESTED.format(act=act)], capture_output=True, text=True, timeout=5, check=False
        )
        outcome = done.stdout.strip() or done.stderr
    except subprocess.TimeoutExpired:
        outcome = "deadlock"
    assert "200" == outcome


# Signed again, and edited


def test_it_can_be_signed_again(filled: cx.Listener, target: cx.Listener) -> None:
    """With the receiver's secret, over the same bytes."""
    with ScriptedServer(reply()) as server:
        filled.replay([1], server.url, secret=OTHER)
        assert (body_of(1), True, False) == (
            server.requests[0].body,
            is_signed(server.requests[0], OTHER),
            is_signed(server.requests[0], SECRET),
        )
    before = len(target.requests())
    filled.replay([1], target.url, secret=cx.Secret(OTHER))
    assert ["ok"] == [one.cause for one in target.requests()[before:]]


def test_signing_again_makes_the_old_fresh(sandbox: cx.Sandbox) -> None:
    """What was signed long ago is too old by now; signed afresh it is verified."""
    with sandbox.listener(secrets=[SECRET]) as listener:
        body = body_of(1)
        deliver(listener, body, cx.sign(body, SECRET, int(sandbox.clock.now.timestamp())))
        sandbox.clock.advance(hours=1)
        frame = listener.replay([1], listener.url)
        assert ([401], "too_old") == (list(frame["answered"]), listener[2].cause)
        frame = listener.replay([1], listener.url, secret=SECRET)
        assert ([200], "ok") == (list(frame["answered"]), listener[3].cause)


def test_it_can_be_edited_and_signed_again(filled: cx.Listener, target: cx.Listener) -> None:
    """The receiver gets the edited event, verified."""

    def edit(event: dict[str, Any]) -> dict[str, Any]:
        return event | {"id": event["id"] + "_edited", "data": {"n": 2}}

    before = len(target.requests())
    filled.replay([1, 2], target.url, secret=OTHER, edit=edit)
    arrived = target.requests()[before:]
    assert [("ok", "evt_1_edited"), ("ok", "evt_2_edited")] == [(one.cause, one.event_id) for one in arrived]
    assert [{"n": 2}, {"n": 2}] == [json.loads(one.body)["data"] for one in arrived]
    assert body_of(1) == filled[1].body


def test_an_edit_reaches_a_function_too(filled: cx.Listener) -> None:
    """It needs no secret there: nothing is signed between the two."""
    seen: list[Any] = []
    filled.replay([1], seen.append, edit=lambda event: event | {"type": "boss.defeated"})
    assert ["boss.defeated"] == [event["type"] for event in seen]


def test_an_edit_in_place_does_not_change_what_was_kept(filled: cx.Listener) -> None:
    """The event it gets is a copy."""

    def edit(event: dict[str, Any]) -> dict[str, Any]:
        event["data"]["n"] = "spoiled"
        return event

    seen: list[Any] = []
    filled.replay([1], seen.append, edit=edit)
    assert (["spoiled"], body_of(1)) == ([event["data"]["n"] for event in seen], filled[1].body)


def test_what_is_no_json_can_be_replayed_as_it_is() -> None:
    """Bytes are bytes; a function, which wants an event, is not called with anything else."""
    with cx.Listener() as listener, ScriptedServer(reply()) as server:
        deliver(listener, b"\x00 no json \xff")
        listener.replay([1], server.url)
        assert [b"\x00 no json \xff"] == [request.body for request in server.requests]
        seen: list[Any] = []
        with contextlib.suppress(errors.CStarError):
            frame = listener.replay([1], seen.append)
            assert (1, False) == (len(frame), 200 in list(frame["answered"]))
        assert [] == seen


def test_no_secret_is_in_the_frame(filled: cx.Listener, target: cx.Listener) -> None:
    """Neither the one it was signed with nor the one it is signed with."""
    frame = filled.replay([1, 2, 3], target.url, secret=OTHER)
    shown = frame.to_json() + repr(frame)
    assert (False, False) == (SECRET in shown, OTHER in shown)
    assert pd.api.types.is_integer_dtype(frame["answered"])
