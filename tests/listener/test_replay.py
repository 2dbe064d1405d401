"""Replay: sends any selection of stored deliveries again, and compares the new results with the original ones."""

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

SECRET = "whsec_test_secret"
OTHER = "whsec_of_the_receiver"
COLUMNS = ["id", "event", "event_id", "was_answered", "was_error", "answered", "error", "changed"]
EVENTS = ["ticket.created", "ticket.closed", "boss.spawned"]


class FixedClock:
    """A clock whose time does not change."""

    now = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)


def body_of(number: int) -> bytes:
    """JSON in unusual formatting, so that reserializing it would be noticed."""
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
    """A listener with three deliveries. Its handler failed on the second one."""

    def handler(event: dict[str, Any]) -> None:
        if event["type"] == "ticket.closed":
            raise KeyError("data")

    with cx.Listener([SECRET], clock=FixedClock(), handler=handler) as listener:
        for number in (1, 2, 3):
            deliver(listener, body_of(number))
        yield listener


@pytest.fixture(scope="module")
def target() -> Iterator[cx.Listener]:
    """Another listener, with the secret of the first and one more."""
    with cx.Listener([SECRET, OTHER], clock=FixedClock()) as listener:
        yield listener


def is_signed(request: RecordedRequest, secret: str) -> bool:
    """Computed here, with only the standard library."""
    stamp, digest = (part.split("=", 1)[1] for part in request.headers["x-signature"].split(","))
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, digest)


# --- unchanged


def test_sends_the_same_bytes_and_the_headers_of_cstar(filled: cx.Listener) -> None:
    """Including the original signature, and no other headers."""
    with ScriptedServer(*[reply()] * 3) as server:
        filled.replay([1, 2, 3], server.url + "/again?a=b")
        assert [body_of(1), body_of(2), body_of(3)] == [request.body for request in server.requests]
        for old, new in zip(filled.requests(), server.requests, strict=True):
            names = ("content-type", "x-signature", "x-event-id", "x-delivery-attempt")
            assert [old.header(name) for name in names] == [new.headers.get(name) for name in names]
            assert ("POST", "/again?a=b", f"127.0.0.1:{server.port}") == (new.method, new.path, new.headers["host"])
            assert is_signed(new, SECRET)
            assert "x-own" not in new.headers


def test_replayed_delivery_verifies(filled: cx.Listener, target: cx.Listener) -> None:
    """At any receiver with the secret."""
    before = len(target.requests())
    frame = filled.replay([1, 3], target.url)
    assert ["ok", "ok"] == [request.cause for request in target.requests()[before:]]
    assert [200, 200] == list(frame["answered"])


@pytest.mark.parametrize(
    ("select", "ids"),
    [
        pytest.param(lambda listener: listener.to_frame(), [1, 2, 3], id="the whole frame"),
        pytest.param(
            lambda listener: listener.to_frame().query("event == 'ticket.closed'"), [2], id="a filtered frame"
        ),
        pytest.param(lambda listener: listener.to_frame().iloc[::-1], [3, 2, 1], id="a reversed frame"),
        pytest.param(lambda listener: listener.to_frame().set_index("event_id").tail(1), [3], id="another index"),
        pytest.param(lambda _: [3, 1], [3, 1], id="ids"),
        pytest.param(lambda _: (2,), [2], id="a tuple"),
        pytest.param(lambda _: iter([1, 2]), [1, 2], id="an iterator"),
        pytest.param(lambda listener: listener.to_frame()["id"], [1, 2, 3], id="the column of ids"),
        pytest.param(lambda listener: listener.requests()[:2], [1, 2], id="requests"),
        pytest.param(lambda _: [1, 1], [1, 1], id="an id twice"),
        pytest.param(lambda _: [], [], id="none"),
        pytest.param(lambda listener: listener.to_frame().head(0), [], id="an empty frame"),
    ],
)
def test_any_selection_can_be_replayed(
    filled: cx.Listener, select: Callable[[cx.Listener], Any], ids: list[int]
) -> None:
    """In the given order, which the result keeps."""
    seen: list[str] = []
    frame = filled.replay(select(filled), lambda event: seen.append(event["id"]))
    assert (ids, [f"evt_{number}" for number in ids]) == (list(frame["id"]), seen)
    assert (COLUMNS, seen) == (list(frame.columns), list(frame["event_id"]))
    assert [EVENTS[number - 1] for number in ids] == list(frame["event"])


def test_empty_frame_has_the_same_columns_and_dtypes(filled: cx.Listener) -> None:
    """As a frame with rows."""
    full, empty = filled.replay([1, 2], lambda _: None), filled.replay([], lambda _: None)
    assert (COLUMNS, COLUMNS) == (list(full.columns), list(empty.columns))
    assert list(full.dtypes) == list(empty.dtypes)


@pytest.mark.parametrize("rows", [[99], [0], ["1; drop table"], [None], [1, 99]])
def test_unknown_ids_are_rejected(filled: cx.Listener, rows: list[Any]) -> None:
    """Nothing is sent, not even the known ones."""
    seen: list[Any] = []
    with pytest.raises((errors.CStarError, LookupError, TypeError, ValueError)):
        filled.replay(rows, seen.append)
    assert [] == seen


# --- comparing results


def test_frame_shows_a_fixed_handler(filled: cx.Listener) -> None:
    """Only the delivery that failed before has changed."""
    frame = filled.replay(filled.to_frame(), lambda _: None)
    assert [200, 500, 200] == list(frame["was_answered"])
    assert [200, 200, 200] == list(frame["answered"])
    assert [False, True, False] == list(frame["changed"])
    assert [True, False, True] == list(frame["was_error"].isna())
    assert "KeyError" in frame["was_error"][1]
    assert frame["error"].isna().all()


def test_frame_shows_a_regression(filled: cx.Listener) -> None:
    """With each error, and later deliveries are still replayed."""

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
def test_function_can_return_the_status(filled: cx.Listener, returned: object, status: int) -> None:
    """As a handler can."""
    frame = filled.replay([1], lambda _: returned)
    assert ([status], [status != 200]) == (list(frame["answered"]), list(frame["changed"]))


def test_function_receives_the_parsed_event(filled: cx.Listener) -> None:
    """Each call gets its own dict."""
    seen: list[Any] = []
    filled.replay([1, 2], seen.append)
    assert [json.loads(body_of(1)), json.loads(body_of(2))] == seen


@pytest.mark.parametrize("status", [200, 204, 302, 400, 500, 503])
def test_frame_contains_the_status_of_the_url(filled: cx.Listener, status: int) -> None:
    """Redirects are not followed."""
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


def test_unreachable_url_gives_an_error_in_each_row(filled: cx.Listener) -> None:
    """There is no status, and later deliveries are still replayed."""
    frame = filled.replay([1, 3], f"http://127.0.0.1:{closed_port()}/")
    assert (2, True, True) == (len(frame), frame["answered"].isna().all(), frame["error"].notna().all())
    assert [True, True] == list(frame["changed"])


@pytest.mark.parametrize("to", ["", "nonsense", "ftp://127.0.0.1/", "http:///x"])
def test_invalid_url_is_rejected_or_gives_an_error(filled: cx.Listener, to: str) -> None:
    """In the call or in the row."""
    with contextlib.suppress(errors.CStarError):
        frame = filled.replay([1], to)
        assert ([True], [True]) == (list(frame["answered"].isna()), list(frame["error"].notna()))
    assert 3 == len(filled.requests())


def test_replay_leaves_the_stored_requests_unchanged(filled: cx.Listener) -> None:
    """It adds none either."""
    before = filled.requests()
    filled.replay([1, 2, 3], lambda _: 500)
    assert before == filled.requests()


def test_replay_to_its_own_url_is_stored_as_a_duplicate() -> None:
    """Like any second delivery of an event."""
    with cx.Listener([SECRET], clock=FixedClock()) as listener:
        deliver(listener, body_of(1))
        frame = listener.replay([1], listener.url)
        assert [None, 1] == [request.duplicate_of for request in listener.requests()]
        assert ([200], [False]) == (list(frame["answered"]), list(frame["changed"]))


NESTED = """
import os, sys, threading
import cstar_explore as cx

def replay(act, outcomes):
    try:
        with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
            client.webhooks.create(name="Here", url=listener.url, events="*")
            client.webhooks.trigger_test("ticket.created")
            names = {"sandbox": sandbox, "client": client, "listener": listener}
            outcomes.extend(listener.replay([1], lambda event: exec(act, names))["answered"])
    except Exception as error:
        outcomes.append(repr(error))

for act in sys.argv[1:]:
    outcomes = []
    thread = threading.Thread(target=replay, args=(act, outcomes), daemon=True)
    thread.start()
    thread.join(5)
    print(*["deadlock"] if thread.is_alive() else outcomes, flush=True)
os._exit(0)
"""
ACTS = {
    "reads the frame": "listener.to_frame()",
    "waits for an earlier event": "listener.wait_for('ticket.created')",
    "lists webhooks": "client.webhooks.list()",
    "fires another event": "client.webhooks.trigger_test('boss.spawned')",
    "fires another event and advances through its retries": (
        "listener.answer.status = 500; client.webhooks.trigger_test('boss.spawned'); sandbox.clock.advance(hours=32)"
    ),
    "replays to the listener": "listener.replay([1], listener.url)",
    "replays to another function": "listener.replay([1], lambda event: None)",
}


@pytest.fixture(scope="module")
def nested() -> dict[str, str]:
    """The outcome of a replay to a function that does this, for each. One process runs all, each in a thread of its own."""
    completed = subprocess.run(
        [sys.executable, "-c", NESTED, *ACTS.values()], capture_output=True, text=True, timeout=60, check=False
    )
    assert "" == completed.stderr
    return dict(zip(ACTS, completed.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("act", ACTS)
def test_function_can_use_the_listener_and_sandbox(nested: dict[str, str], act: str) -> None:
    """Without deadlock. Runs in another process so that a deadlock cannot block the other tests."""
    assert "200" == nested[act]


# --- signed again and edited


def test_delivery_can_be_signed_again(filled: cx.Listener, target: cx.Listener) -> None:
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
    assert ["ok"] == [request.cause for request in target.requests()[before:]]


def test_signing_again_uses_the_current_time(sandbox: cx.Sandbox) -> None:
    """A delivery that is too old verifies when signed again."""
    with sandbox.listener(secrets=[SECRET]) as listener:
        body = body_of(1)
        deliver(listener, body, cx.sign(body, SECRET, int(sandbox.clock.now.timestamp())))
        sandbox.clock.advance(hours=1)
        frame = listener.replay([1], listener.url)
        assert ([401], "too_old") == (list(frame["answered"]), listener[2].cause)
        frame = listener.replay([1], listener.url, secret=SECRET)
        assert ([200], "ok") == (list(frame["answered"]), listener[3].cause)


def test_delivery_can_be_edited_and_signed_again(filled: cx.Listener, target: cx.Listener) -> None:
    """The receiver gets the edited event, and it verifies."""

    def edit(event: dict[str, Any]) -> dict[str, Any]:
        return event | {"id": event["id"] + "_edited", "data": {"n": 2}}

    before = len(target.requests())
    filled.replay([1, 2], target.url, secret=OTHER, edit=edit)
    arrived = target.requests()[before:]
    assert [("ok", "evt_1_edited"), ("ok", "evt_2_edited")] == [
        (request.cause, request.event_id) for request in arrived
    ]
    assert [{"n": 2}, {"n": 2}] == [json.loads(request.body)["data"] for request in arrived]
    assert body_of(1) == filled[1].body


def test_edit_works_with_a_function(filled: cx.Listener) -> None:
    """Without a secret."""
    seen: list[Any] = []
    filled.replay([1], seen.append, edit=lambda event: event | {"type": "boss.defeated"})
    assert ["boss.defeated"] == [event["type"] for event in seen]


def test_edit_in_place_leaves_the_stored_body_unchanged(filled: cx.Listener) -> None:
    """`edit` gets a copy of the event."""

    def edit(event: dict[str, Any]) -> dict[str, Any]:
        event["data"]["n"] = "edited"
        return event

    seen: list[Any] = []
    filled.replay([1], seen.append, edit=edit)
    assert (["edited"], body_of(1)) == ([event["data"]["n"] for event in seen], filled[1].body)


def test_body_that_is_not_json_can_be_replayed() -> None:
    """To a URL. A function is not called, because there is no event."""
    with cx.Listener() as listener, ScriptedServer(reply()) as server:
        deliver(listener, b"\x00 not JSON \xff")
        listener.replay([1], server.url)
        assert [b"\x00 not JSON \xff"] == [request.body for request in server.requests]
        seen: list[Any] = []
        with contextlib.suppress(errors.CStarError):
            frame = listener.replay([1], seen.append)
            assert (1, False) == (len(frame), 200 in list(frame["answered"]))
        assert [] == seen


def test_no_secret_is_in_the_frame(filled: cx.Listener, target: cx.Listener) -> None:
    """Neither the original one nor the new one."""
    frame = filled.replay([1, 2, 3], target.url, secret=OTHER)
    shown = frame.to_json() + repr(frame)
    assert (False, False) == (SECRET in shown, OTHER in shown)
    assert pd.api.types.is_integer_dtype(frame["answered"])
