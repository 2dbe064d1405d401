"""The listener by itself: what it keeps, what it refuses, how it answers, and what it tells."""

import contextlib
import hashlib
import http.client
import json
import os
import socket
import stat
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors

SECRET = "whsec_kept_by_the_tests"
OTHER = "whsec_of_somebody_else"
COLUMNS = [
    "id",
    "received_at",
    "event",
    "event_id",
    "webhook_id",
    "attempt",
    "verified",
    "cause",
    "duplicate_of",
    "answered",
    "error",
    "method",
    "path",
    "headers",
    "body",
]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\x07\u202e\u2066$5 `_x_`\n\r\t"


class FixedClock:
    """A clock that stands still where it was put."""

    def __init__(self) -> None:
        self.now = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)


CLOCK = FixedClock()


def body_of(event_id: object = "evt_1", event: object = "ticket.created", **more: Any) -> bytes:
    return json.dumps({"id": event_id, "type": event, "data": {}} | more).encode()


def post(
    url: str, body: bytes = b"{}", headers: Mapping[str, str] | None = None, method: str = "POST"
) -> tuple[int, bytes]:
    """Sends one request, and returns status and body of the answer."""
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery at the time of the fixed clock."""
    return {
        "Content-Type": "application/json",
        "X-Signature": cx.sign(body, secret, int(CLOCK.now.timestamp())),
        "X-Webhook-ID": "whk_1",
        "X-Delivery-Attempt": "2",
    }


def deliver(listener: cx.Listener, body: bytes, secret: str = SECRET) -> int:
    return post(listener.url, body, signed(body, secret))[0]


def raw(listener: cx.Listener, content: bytes, *, ends: bool = False) -> bytes:
    """Sends bytes as they are, and returns all that comes back until the listener hangs up."""
    parts = urlsplit(listener.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
        connection.sendall(content)
        if ends:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionError):
            while more := connection.recv(65536):
                answer += more
        return answer


def head(listener: cx.Listener, *lines: bytes, method: bytes = b"POST") -> bytes:
    """The head of a request that ends its connection."""
    parts = urlsplit(listener.url)
    first = [method + b" " + parts.path.encode() + b" HTTP/1.1", b"Host: " + parts.netloc.encode()]
    return b"\r\n".join([*first, b"Connection: close", *lines]) + b"\r\n\r\n"


def kept(listener: cx.Listener) -> list[bytes]:
    return [request.body for request in listener.requests()]


@pytest.fixture(scope="module")
def opened() -> Iterator[cx.Listener]:
    with cx.Listener() as listener:
        yield listener


@pytest.fixture
def listener(opened: cx.Listener) -> cx.Listener:
    """A listener without secrets, that others may have used before."""
    opened.answer.status, opened.answer.seconds, opened.answer.handler = 200, 0.0, None
    return opened


@pytest.fixture
def guarded() -> Iterator[cx.Listener]:
    """A listener that knows the secret, and whose clock stands still."""
    with cx.Listener([SECRET], clock=CLOCK) as listener:
        yield listener


# Where it is


def test_it_is_on_loopback_at_a_path_that_cannot_be_guessed(listener: cx.Listener, guarded: cx.Listener) -> None:
    """Each listener has a path of its own."""
    one, two = urlsplit(listener.url), urlsplit(guarded.url)
    assert ("http", "127.0.0.1") == (one.scheme, one.hostname)
    assert one.path != two.path
    assert all(len(parts.path.rsplit("/", 1)[-1]) >= 16 for parts in (one, two))


def test_a_port_can_be_chosen() -> None:
    """For those who have to tell it elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with cx.Listener(port=port) as listener:
        assert port == urlsplit(listener.url).port


def test_a_closed_listener_answers_no_more() -> None:
    """Closing twice does no harm, and its threads are gone."""
    before = set(threading.enumerate())
    listener = cx.Listener()
    assert 200 == post(listener.url)[0]
    listener.close()
    listener.close()
    with pytest.raises(ConnectionError):
        post(listener.url)
    assert set() == set(threading.enumerate()) - before


def test_the_repr_is_its_url_and_holds_no_secret(guarded: cx.Listener) -> None:
    """Text and mimebundle alike."""
    assert f"Listener({guarded.url})" == repr(guarded)
    assert SECRET not in repr(vars(guarded)) + repr(guarded)


# What is kept


def test_a_request_is_kept_as_it_came(listener: cx.Listener) -> None:
    """Bytes, headers in their order with repeats, method, path and time."""
    before = len(listener.requests())
    content = (
        head(listener, b"Content-Length: 5", b"X-Twice: one", b"x-TWICE: two", b"X-Odd: \xe9\xff") + b"\x00\xff{\r\n"
    )
    assert b"200" in raw(listener, content).split(b"\r\n")[0]

    received = listener.requests()[before]
    assert ("POST", urlsplit(listener.url).path, b"\x00\xff{\r\n") == (received.method, received.path, received.body)
    assert [("x-twice", "one"), ("x-twice", "two"), ("x-odd", "\xe9\xff")] == list(received.headers)[-3:]
    assert ("\xe9\xff", None) == (received.header("x-odd"), received.header("x-absent"))
    assert received.received_at.tzinfo is not None
    assert (None, None, None, 200, None) == (
        received.cause,
        received.event_id,
        received.duplicate_of,
        received.answered,
        received.error,
    )


@pytest.mark.parametrize("name", ["x-mixed-case", "X-Mixed-Case", "X-MIXED-CASE"])
def test_a_header_is_found_whatever_its_case(listener: cx.Listener, name: str) -> None:
    """As HTTP has it."""
    post(listener.url, b"{}", {"X-Mixed-Case": "here"})
    assert "here" == listener.requests(1)[0].header(name)


@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(st.binary(max_size=2000), max_size=5))
def test_any_bytes_are_kept_exactly(opened: cx.Listener, bodies: list[bytes]) -> None:
    """Without secrets nothing is judged, and all is answered with 200."""
    before = len(opened.requests())
    assert [(200, b"")] * len(bodies) == [post(opened.url, body) for body in bodies]
    assert bodies == kept(opened)[before:]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b'{"id": 5, "type": [1]}', id="other types"),
        pytest.param(b'{"id": {"a": 1}, "type": null}', id="object as id"),
        pytest.param(b'{"id": "\\ud800", "type": "\\udfff"}', id="half characters"),
        pytest.param(b'{"id": "a\\u0000b", "type": "\\u0000"}', id="NUL"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"a":' * 100_000, id="deep objects"),
        pytest.param(b'{"id": ' + b"1" * 10_000 + b"}", id="long number"),
        pytest.param(b'{"id": 1e999, "type": NaN}', id="no number"),
        pytest.param(b'\xef\xbb\xbf{"id": "bom"}', id="byte order mark"),
        pytest.param('{"id": "wide"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"id": "\xff"}', id="not UTF-8"),
        pytest.param(b"x" * 2**20, id="as long as is allowed"),
    ],
)
def test_odd_bodies_are_kept_like_any_other(listener: cx.Listener, body: bytes) -> None:
    """They are answered, and everything that shows them works."""
    assert 200 == post(listener.url, body)[0]
    received = listener.requests(1)[0]
    assert hashlib.sha256(body).digest() == hashlib.sha256(received.body).digest()
    assert received == listener[received.id]
    assert received.id == listener.to_frame()["id"].iloc[-1]
    assert repr(received).encode()


def test_chunks_are_put_together(listener: cx.Listener) -> None:
    """A body without a length is kept whole."""
    chunks = b"3\r\nabc\r\n1\r\n\x00\r\n2;note=x\r\nde\r\n0\r\n\r\n"
    assert b"200" in raw(listener, head(listener, b"Transfer-Encoding: chunked") + chunks).split(b"\r\n")[0]
    assert b"abc\x00de" == listener.requests(1)[0].body


def test_a_query_belongs_to_the_path(listener: cx.Listener) -> None:
    """It is the same listener, and the query is not lost."""
    assert 200 == post(listener.url + "?a=b&c=%20")[0]
    assert urlsplit(listener.url).path in listener.requests(1)[0].path


def test_requests_are_numbered_and_the_newest_can_be_asked_for() -> None:
    """In the order in which they came."""
    with cx.Listener() as listener:
        for number in range(5):
            post(listener.url, str(number).encode())
        assert [b"0", b"1", b"2", b"3", b"4"] == kept(listener)
        assert {b"3", b"4"} == {one.body for one in listener.requests(newest=2)}
        ids = [one.id for one in listener.requests()]
        assert (sorted(ids), 5) == (ids, len(set(ids)))
        assert [b"0", b"4"] == [listener[ids[0]].body, listener[ids[-1]].body]


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_a_number_that_is_not_there_is_a_lookup_error(listener: cx.Listener, number: int) -> None:
    """However far away it is."""
    with pytest.raises((LookupError, errors.CStarError)):
        _ = listener[number]


# What is refused, and not kept


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/guess", "/favicon.ico", "/docs"])
def test_another_path_is_not_found(path: str) -> None:
    """And says nothing about the right one."""
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        status, body = post(f"http://{parts.netloc}{path}")
        assert (404, False, []) == (status, parts.path.encode() in body, listener.requests())


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "hooks.example"}, id="foreign Host"),
        pytest.param({"Host": "127.0.0.1.hooks.example"}, id="Host that looks like loopback"),
        pytest.param({"Host": "hooks.example:80"}, id="foreign Host with a port"),
        pytest.param({"Host": ""}, id="empty Host"),
        pytest.param({"Origin": "https://hooks.example"}, id="Origin"),
        pytest.param({"Origin": "null"}, id="Origin null"),
        pytest.param({"Origin": "http://127.0.0.1"}, id="Origin of this machine"),
    ],
)
def test_a_browser_is_not_answered(listener: cx.Listener, headers: dict[str, str]) -> None:
    """Neither by a foreign name nor from a page, and nothing is kept."""
    before = len(listener.requests())
    assert (403, before) == (post(listener.url, b"{}", headers)[0], len(listener.requests()))


@pytest.mark.parametrize(
    ("line", "body", "answers"),
    [
        pytest.param(b"Content-Length: 101", b"x" * 101, {b"413"}, id="whole"),
        pytest.param(b"Content-Length: 99999999999999999999", b"", {b"413", b"408"}, id="only announced"),
        pytest.param(
            b"Transfer-Encoding: chunked", b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", {b"413"}, id="in a chunk"
        ),
        pytest.param(
            b"Transfer-Encoding: chunked",
            (b"33\r\n" + b"x" * 51 + b"\r\n") * 2 + b"0\r\n\r\n",
            {b"413"},
            id="in chunks",
        ),
    ],
)
def test_a_body_too_long_is_refused_and_not_kept(line: bytes, body: bytes, answers: set[bytes]) -> None:
    """Whether it says so beforehand or not."""
    with cx.Listener(max_body=100, body_timeout=0.2) as listener:
        assert raw(listener, head(listener, line) + body).split(b" ")[1] in answers
        assert (200, [b"x" * 100]) == (post(listener.url, b"x" * 100)[0], kept(listener))


def test_a_body_too_slow_is_refused_and_not_kept() -> None:
    """The time is for the whole body, so that dripping does not stretch it."""
    with cx.Listener(body_timeout=0.15) as listener:
        assert b"408" in raw(listener, head(listener, b"Content-Length: 10") + b"abc").split(b"\r\n")[0]

        parts = urlsplit(listener.url)
        stop = threading.Event()
        with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
            connection.sendall(head(listener, b"Content-Length: 40"))
            sent = 0
            with contextlib.suppress(ConnectionError):
                while sent < 40 and not stop.wait(0.05):
                    connection.sendall(b"x")
                    sent += 1
            with contextlib.suppress(ConnectionError):
                answer = connection.recv(65536)
                assert b"408" in answer.split(b"\r\n")[0]
        assert [] == listener.requests()


def test_a_sender_that_leaves_in_the_middle_is_forgotten() -> None:
    """Half a body is no delivery."""
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
            connection.sendall(head(listener, b"Content-Length: 10") + b"abc")
        assert (200, [b"after"]) == (post(listener.url, b"after")[0], kept(listener))


@pytest.mark.parametrize("limit", [1, 2])
def test_as_many_connections_as_are_allowed_are_served(limit: int) -> None:
    """The limit itself is not too many."""
    with cx.Listener(max_connections=limit) as listener, contextlib.ExitStack() as stack:
        parts = urlsplit(listener.url)
        for _ in range(limit):
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
            stack.enter_context(contextlib.closing(connection))
            connection.request("POST", parts.path, b"{}")
            with connection.getresponse() as answer:
                assert (200, b"") == (answer.status, answer.read())
        assert limit == len(listener.requests())


def test_too_many_connections_are_refused_and_nothing_accepted_is_lost() -> None:
    """Those that were there were answered; when there is room again, the next ones are."""
    with cx.Listener(max_connections=3) as listener:
        parts = urlsplit(listener.url)
        connections = [http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5) for _ in range(3)]
        for number, connection in enumerate(connections):
            connection.request("POST", parts.path, f"first {number}")
            with connection.getresponse() as answer:
                assert (200, b"") == (answer.status, answer.read())

        assert 503 == post(listener.url, b"too many")[0]
        assert [b"first 0", b"first 1", b"first 2"] == kept(listener)
        for connection in connections:
            connection.close()
        assert any(200 == post(listener.url, b"room again")[0] or threading.Event().wait(0.01) for _ in range(100))
        assert [b"first 0", b"first 1", b"first 2", b"room again"] == kept(listener)


def test_those_who_were_there_are_served_again_after_a_flood() -> None:
    """On the connection they have, or on a new one."""
    with cx.Listener(max_connections=3) as listener:
        parts = urlsplit(listener.url)
        connections = [http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5) for _ in range(3)]
        with ThreadPoolExecutor(10) as executor:
            statuses = list(
                executor.map(lambda number: post(listener.url, b"flood %d" % number)[0], range(100), timeout=8)
            )
        assert {200, 503} >= set(statuses)
        flood = len(kept(listener))
        assert statuses.count(200) == flood

        for number, connection in enumerate(connections):
            for _ in range(100):
                connection.request("POST", parts.path, f"after {number}")
                with connection.getresponse() as answer:
                    answer.read()
                if answer.status == 200:
                    break
                threading.Event().wait(0.01)
            connection.close()
        assert [b"after 0", b"after 1", b"after 2"] == kept(listener)[flood:]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
        pytest.param(b"POST\r\n\r\n", id="no path"),
        pytest.param(b"\x00" * 1000 + b"\r\n\r\n", id="zeros"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="no such version"),
    ],
)
def test_what_is_not_http_does_no_harm(listener: cx.Listener, garbage: bytes) -> None:
    """It is refused or cut, not kept, and the next one is answered."""
    before = len(listener.requests())
    answer = raw(listener, garbage, ends=True)
    assert b" 200 " not in answer.split(b"\r\n")[0]
    assert (before, 200) == (len(listener.requests()), post(listener.url)[0])


# Verified or not


def test_a_verified_delivery_is_answered_well(guarded: cx.Listener) -> None:
    """And the row says what it is."""
    assert 200 == deliver(guarded, body_of())
    received = guarded[1]
    assert ("ok", "evt_1", "ticket.created", 200) == (
        received.cause,
        received.event_id,
        received.event,
        received.answered,
    )
    assert guarded.explain(1).ok


@pytest.mark.parametrize(
    ("cause", "headers"),
    [
        pytest.param("header_missing", {}, id="header_missing"),
        pytest.param("header_malformed", {"X-Signature": "nonsense"}, id="header_malformed"),
        pytest.param("legacy_form", {"X-Signature": "sha256=" + "0" * 64}, id="legacy_form"),
        pytest.param("no_match", {"X-Signature": cx.sign(body_of(), OTHER, 1765377000)}, id="no_match"),
        pytest.param("too_old", {"X-Signature": cx.sign(body_of(), SECRET, 1765377000 - 301)}, id="too_old"),
        pytest.param("in_the_future", {"X-Signature": cx.sign(body_of(), SECRET, 1765377000 + 301)}, id="future"),
    ],
)
def test_an_unverified_delivery_is_refused_and_kept(guarded: cx.Listener, cause: str, headers: dict[str, str]) -> None:
    """With the check that failed; the handler never sees it."""
    seen: list[Any] = []
    guarded.answer.handler = seen.append
    assert 401 == post(guarded.url, body_of(), headers)[0]
    assert (cause, 401, body_of()) == (guarded[1].cause, guarded[1].answered, guarded[1].body)
    assert ([], False) == (seen, guarded.explain(1).ok)


def test_what_is_signed_but_is_no_json_object_is_refused_and_explained(guarded: cx.Listener) -> None:
    """The signature is right, which is what `explain` speaks of; it adds that there is no event."""
    body = b"not json"
    assert 401 == deliver(guarded, body)
    assert ("not_json", 401) == (guarded[1].cause, guarded[1].answered)
    assert "not a JSON object" in guarded.explain(1).evidence


@pytest.mark.parametrize("status", [200, 204, 500])
def test_an_unverified_delivery_gets_401_whatever_was_told(guarded: cx.Listener, status: int) -> None:
    """The verdict comes first."""
    guarded.answer.status = status
    assert 401 == deliver(guarded, body_of(), OTHER)
    assert status == deliver(guarded, body_of())


def test_a_secret_can_be_trusted_later(guarded: cx.Listener) -> None:
    """As a str, bytes or Secret; the earlier ones stay."""
    assert 401 == deliver(guarded, body_of(), OTHER)
    guarded.trust(cx.Secret(OTHER))
    guarded.trust(b"whsec_bytes")
    assert [200, 200, 200] == [deliver(guarded, body_of(), secret) for secret in (OTHER, SECRET, "whsec_bytes")]


def test_trust_turns_judging_on(listener: cx.Listener) -> None:
    """A listener without secrets judges from the moment it knows one."""
    with cx.Listener(clock=CLOCK) as own:
        assert 200 == deliver(own, body_of())
        own.trust(SECRET)
        assert [401, 200] == [deliver(own, body_of(), secret) for secret in (OTHER, SECRET)]
        assert [None, "no_match", "ok"] == [one.cause for one in own.requests()]
    assert listener is not own


@pytest.mark.parametrize("secret", ["", b"", None, 5])
def test_no_secret_is_no_secret(listener: cx.Listener, secret: Any) -> None:
    """An empty or impossible one is refused, in `trust` and at the start."""
    with pytest.raises((errors.CStarError, TypeError)):
        listener.trust(secret)
    with pytest.raises((errors.CStarError, TypeError)):
        cx.Listener([secret]).close()


def test_a_second_delivery_of_an_event_is_marked_and_kept(guarded: cx.Listener) -> None:
    """With the id of the first, also the third one."""
    for _ in range(3):
        deliver(guarded, body_of())
    deliver(guarded, body_of("evt_2"))
    assert [None, 1, 1, None] == [one.duplicate_of for one in guarded.requests()]
    assert [body_of()] * 3 + [body_of("evt_2")] == kept(guarded)


def test_a_forgery_does_not_shadow_the_real_one(guarded: cx.Listener) -> None:
    """Only a verified delivery claims its event id, and a forgery afterwards is no duplicate that counts."""
    assert [401, 200, 401, 200] == [deliver(guarded, body_of(), secret) for secret in (OTHER, SECRET, OTHER, SECRET)]
    rows = guarded.requests()
    assert (None, None, 2) == (rows[0].duplicate_of, rows[1].duplicate_of, rows[3].duplicate_of)


def test_the_signed_id_counts_and_not_the_header(guarded: cx.Listener) -> None:
    """Headers are not signed."""
    for event_id in ("evt_1", "evt_2"):
        body = body_of(event_id)
        assert 200 == post(guarded.url, body, signed(body) | {"X-Event-ID": "evt_same", "X-Event-Type": "boss.x"})[0]
    assert [None, None] == [one.duplicate_of for one in guarded.requests()]
    assert [("evt_1", "ticket.created"), ("evt_2", "ticket.created")] == [
        (one.event_id, one.event) for one in guarded.requests()
    ]


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(['"\\ud800"', '"\\ud801"'], id="half characters"),
        pytest.param(['"a"', '"a\\u0000"'], id="NUL at the end"),
        pytest.param(['"A"', '"a"'], id="case"),
        pytest.param(['"1"', '"1.0"'], id="numerals"),
        pytest.param(['"\\u00e9"', '"e\\u0301"'], id="composed and decomposed"),
    ],
)
def test_different_ids_are_different_events(guarded: cx.Listener, ids: list[str]) -> None:
    """However alike they are stored."""
    for event_id in ids:
        assert 200 == deliver(guarded, f'{{"id": {event_id}, "type": "ticket.created"}}'.encode())
    assert [None, None] == [one.duplicate_of for one in guarded.requests()]


def test_one_event_from_many_threads_is_claimed_once(guarded: cx.Listener) -> None:
    """All the others point to the one that was first."""
    with ThreadPoolExecutor(8) as executor:
        assert {200} == set(executor.map(lambda _: deliver(guarded, body_of()), range(40), timeout=8))
    firsts = [one.id for one in guarded.requests() if one.duplicate_of is None]
    assert (1, 40) == (len(firsts), len(guarded.requests()))
    assert {firsts[0]} == {one.duplicate_of for one in guarded.requests() if one.id != firsts[0]}


# How it answers


@pytest.mark.parametrize("status", [200, 201, 204, 302, 304, 400, 404, 410, 429, 500, 503, 599])
def test_it_answers_as_told(listener: cx.Listener, status: int) -> None:
    """Twice on one connection, so that an answer is as long as it says; the row says it, too."""
    listener.answer.status = status
    parts = urlsplit(listener.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        for _ in range(2):
            connection.request("POST", parts.path, b"{}")
            first = connection.sock
            answer = connection.getresponse()
            answer.read()
            assert (status, status) == (answer.status, listener.requests(1)[0].answered)
        assert first is connection.sock


def test_it_answers_slowly_when_told(listener: cx.Listener) -> None:
    """The request is kept before the answer is given."""
    listener.answer.seconds = 0.3
    before = len(listener.requests())
    parts = urlsplit(listener.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=0.1)) as connection:
        connection.request("POST", parts.path, b"patience")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        assert [b"patience"] == kept(listener)[before:]


@pytest.fixture
def gate(listener: cx.Listener) -> Iterator[threading.Event]:
    """What the handler waits for when it handles the event `evt_slow`."""
    gate = threading.Event()
    listener.answer.handler = lambda event: gate.wait(4) and None if event["id"] == "evt_slow" else None
    yield gate
    gate.set()


def arrived(listener: cx.Listener, body: bytes) -> bool:
    """Whether this body is kept by now, or in a moment."""
    return any(body in kept(listener) or threading.Event().wait(0.01) for _ in range(200))


def test_a_slow_answer_holds_up_nobody_else(listener: cx.Listener, gate: threading.Event) -> None:
    """Each request waits for itself, and is kept before it is answered."""
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(post, listener.url, body_of("evt_slow", number=1))
        assert arrived(listener, body_of("evt_slow", number=1))
        assert 200 == post(listener.url, body_of("evt_quick"))[0]
        assert not slow.done()
        gate.set()
        assert 200 == slow.result(timeout=5)[0]


def test_what_arrived_is_found_while_its_handler_still_works(listener: cx.Listener, gate: threading.Event) -> None:
    """It has arrived, whether it is answered or not."""
    with ThreadPoolExecutor(2) as executor:
        waiting = executor.submit(listener.wait_for, "evt_slow_too", 3)
        listener.answer.handler = lambda _: gate.wait(4) and None
        slow = executor.submit(post, listener.url, body_of("evt_slow_too"))
        try:
            assert "evt_slow_too" == waiting.result(timeout=1.5).event_id
        finally:
            gate.set()
        assert 200 == slow.result(timeout=5)[0]


@pytest.mark.parametrize(
    ("returned", "status"), [(None, 200), (202, 202), (204, 204), (304, 304), (404, 404), (500, 500), (503, 503)]
)
def test_a_handler_that_returns_a_number_chooses_the_status(
    listener: cx.Listener, returned: object, status: int
) -> None:
    """Anything else leaves it as told."""
    listener.answer.handler = lambda _: returned
    assert (status, status) == (post(listener.url, body_of())[0], listener.requests(1)[0].answered)


def test_the_handler_gets_the_event(guarded: cx.Listener) -> None:
    """Parsed, once for each verified delivery, and on a thread of its own."""
    seen: list[tuple[Any, int]] = []
    guarded.answer.handler = lambda event: seen.append((event, threading.get_ident()))
    deliver(guarded, body_of(number=5))
    assert [json.loads(body_of(number=5))] == [event for event, _ in seen]
    assert threading.get_ident() not in [thread for _, thread in seen]


def test_a_handler_can_be_given_at_the_start() -> None:
    """It is the same handler."""
    seen: list[Any] = []
    with cx.Listener(handler=seen.append) as listener:
        assert 200 == post(listener.url, body_of())[0]
        assert listener.answer.handler is not None
    assert [json.loads(body_of())] == seen


@pytest.mark.parametrize(
    "raised",
    [
        pytest.param(KeyError("ticket"), id="KeyError"),
        pytest.param(errors.ConfigurationError("Not so"), id="our own"),
        pytest.param(RuntimeError("half \ud800 a character, \x00, \x1b[31m"), id="hostile text"),
        pytest.param(SystemExit(3), id="SystemExit"),
        pytest.param(StopIteration(), id="StopIteration"),
        pytest.param(TimeoutError(), id="TimeoutError"),
    ],
)
def test_a_handler_that_raises_is_a_500_with_its_traceback(listener: cx.Listener, raised: BaseException) -> None:
    """Kept in the row; the sender learns nothing of it, and the next one is handled."""

    def broken(_: object) -> None:
        raise raised

    listener.answer.handler = broken
    status, answer = post(listener.url, body_of())
    received = listener.requests(1)[0]
    assert (500, 500) == (status, received.answered)
    assert (True, True) == ("Traceback" in (received.error or ""), "broken" in (received.error or ""))
    assert type(raised).__name__ in (received.error or "")
    assert b"Traceback" not in answer
    listener.answer.handler = None
    assert 200 == post(listener.url)[0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_every_request_on_the_path_is_kept(listener: cx.Listener, method: str) -> None:
    """Whatever its method."""
    before = len(listener.requests())
    assert 200 == post(listener.url, b"", method=method)[0]
    assert [method] == [one.method for one in listener.requests()[before:]]


def test_a_handler_may_use_its_own_listener(listener: cx.Listener) -> None:
    """The request it handles is there already."""
    seen: list[int] = []

    def handler(event: dict[str, Any]) -> None:
        seen.append(listener.wait_for(event["id"], timeout=0).id)
        seen.append(len(listener.to_frame()))

    listener.answer.handler = handler
    assert 200 == post(listener.url, body_of("evt_own"))[0]
    assert [listener.requests(1)[0].id, len(listener.requests())] == seen


# Waiting


@pytest.mark.parametrize("wanted", ["evt_wait", "boss.spawned"])
def test_what_arrived_before_is_found_at_once(guarded: cx.Listener, wanted: str) -> None:
    """By the id of the event, or by its type."""
    deliver(guarded, body_of("evt_wait", "boss.spawned"))
    assert "evt_wait" == guarded.wait_for(wanted, timeout=0).event_id


@pytest.mark.parametrize("wanted", ["evt_wait", "boss.spawned"])
def test_what_arrives_while_waiting_is_found(guarded: cx.Listener, wanted: str) -> None:
    """Also when other events come first."""
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(guarded.wait_for, wanted, 5)
        deliver(guarded, body_of("evt_other"))
        deliver(guarded, body_of("evt_wait", "boss.spawned"))
        assert "evt_wait" == waiting.result(timeout=5).event_id


def test_what_did_not_arrive_is_an_error_that_names_what_did(guarded: cx.Listener) -> None:
    """In printable text, whoever wrote it."""
    deliver(guarded, body_of("evt_here", "ticket.closed"))
    deliver(guarded, body_of(HOSTILE, HOSTILE))
    with pytest.raises(errors.NotReceivedError) as caught:
        guarded.wait_for("boss.spawned", timeout=0.01)
    message = str(caught.value)
    assert isinstance(caught.value, errors.CStarError)
    assert (True, True, True) == ("boss.spawned" in message, "ticket.closed" in message, "evt_here" in message)
    assert (False, False) == ("\x1b" in message, "\u202e" in message)


def test_when_nothing_arrived_the_error_says_so(guarded: cx.Listener) -> None:
    """And what to look at."""
    with pytest.raises(errors.NotReceivedError, match=r"(?i)noth|no request|none") as caught:
        guarded.wait_for("boss.spawned", timeout=0)
    assert caught.value.advice


# Being told


def test_a_callback_is_called_at_each_arrival_until_it_ends(guarded: cx.Listener) -> None:
    """It may raise; the sender does not notice."""
    calls: list[int] = []
    arrived = threading.Semaphore(0)

    def callback() -> None:
        calls.append(len(guarded.requests()))
        arrived.release()
        raise RuntimeError

    end = guarded.on_arrival(callback)
    assert 200 == deliver(guarded, body_of())
    assert arrived.acquire(timeout=5)
    end()
    end()
    before = len(calls)
    assert 200 == deliver(guarded, body_of())
    assert (before, 2) == (len(calls), len(guarded.requests()))


def test_callbacks_do_not_disturb_each_other(guarded: cx.Listener) -> None:
    """One ends, or fails; the other goes on."""
    first, second = threading.Semaphore(0), threading.Semaphore(0)

    def failing() -> None:
        first.release()
        raise ZeroDivisionError

    end = guarded.on_arrival(failing)
    guarded.on_arrival(second.release)
    deliver(guarded, body_of())
    assert (True, True) == (first.acquire(timeout=1), second.acquire(timeout=1))
    end()
    while second.acquire(blocking=False):
        pass
    deliver(guarded, body_of())
    assert second.acquire(timeout=1)


# The frame


def test_the_frame_has_the_same_columns_and_types_when_it_is_empty(guarded: cx.Listener) -> None:
    """So that code written for the full one runs on the empty one."""
    empty = guarded.to_frame()
    deliver(guarded, body_of())
    deliver(guarded, body_of())
    post(guarded.url, b"\xff")
    full = guarded.to_frame()
    assert (COLUMNS, COLUMNS) == (list(empty.columns), list(full.columns))
    assert (0, 3) == (len(empty), len(full))
    assert list(empty.dtypes) == list(full.dtypes)


def test_the_frame_holds_what_was_received(guarded: cx.Listener) -> None:
    """Row by row."""
    deliver(guarded, body_of())
    deliver(guarded, body_of())
    deliver(guarded, body_of(), OTHER)
    frame = guarded.to_frame()
    assert [1, 2, 3] == list(frame["id"])
    assert [True, True, False] == list(frame["verified"])
    assert ["ok", "ok", "no_match"] == list(frame["cause"])
    assert [1] == list(frame["duplicate_of"].dropna())
    assert [200, 200, 401] == list(frame["answered"])
    assert ({"whk_1"}, {2}) == (set(frame["webhook_id"]), set(frame["attempt"]))
    assert [body_of()] * 3 == list(frame["body"])
    assert {CLOCK.now} == set(frame["received_at"])


def test_without_secrets_nothing_is_called_verified(listener: cx.Listener) -> None:
    """Nor refused: it is not known."""
    post(listener.url, body_of())
    row = listener.to_frame().iloc[-1]
    assert row[["verified", "cause"]].isna().all()


@pytest.mark.parametrize("attempt", ["", "x", "-1", "1e5", "９", "99999999999999999999999", "1.0", " 1 "])
def test_an_odd_attempt_spoils_no_frame(listener: cx.Listener, attempt: str) -> None:
    """Headers are foreign text."""
    line = b"X-Delivery-Attempt: " + attempt.encode()
    assert b"200" in raw(listener, head(listener, b"Content-Length: 2", line) + b"{}").split(b"\r\n")[0]
    assert "Int64" == str(listener.to_frame()["attempt"].dtype)


def test_hostile_text_is_in_the_frame_as_it_came_and_printable_elsewhere(guarded: cx.Listener) -> None:
    """The frame is for computing; a repr is for reading."""
    deliver(guarded, body_of(HOSTILE, HOSTILE))
    row = guarded.to_frame().iloc[0]
    assert (HOSTILE, HOSTILE) == (row["event"], row["event_id"])
    shown = repr(guarded[1]) + repr(guarded.explain(1)).replace("\n", "") + repr(guarded)
    assert shown.isprintable()
    assert "<img" not in (guarded.explain(1)._repr_html_() or "")


# By path


def test_what_was_kept_can_be_reopened_by_path(tmp_path: Path) -> None:
    """Also the claims on event ids; the numbers go on."""
    path = tmp_path / "listener.sqlite"
    with cx.Listener([SECRET], path=path, clock=CLOCK) as listener:
        deliver(listener, body_of())
        deliver(listener, b"\x00\xff", OTHER)
        before = listener.requests()
    with cx.Listener([SECRET], path=path, clock=CLOCK) as listener:
        assert before == listener.requests()
        deliver(listener, body_of())
        assert (3, 1) == (listener.requests()[-1].id, listener.requests()[-1].duplicate_of)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    """So are the files beside it, and no secret is in any of them."""
    mask = os.umask(0)
    try:
        with cx.Listener([SECRET], path=tmp_path / "listener.sqlite", clock=CLOCK) as listener:
            deliver(listener, body_of())
            listener.trust(OTHER)
            deliver(listener, body_of(), OTHER)
            files = list(tmp_path.iterdir())
            assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in files}
            assert not [file for file in files if SECRET.encode() in file.read_bytes()]
    finally:
        os.umask(mask)


@pytest.mark.parametrize("content", [pytest.param(b"no database at all" * 100, id="no database")])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """And left as it is."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(errors.CStarError):
        cx.Listener(path=path).close()
    assert content == path.read_bytes()


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """With an error of ours."""
    with pytest.raises(errors.CStarError):
        cx.Listener(path=tmp_path / "absent" / "listener.sqlite").close()


def test_a_port_that_is_taken_is_refused() -> None:
    """With an error of ours."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(errors.CStarError):
        cx.Listener(port=taken.getsockname()[1]).close()


# With the sandbox


def test_fire_receive_verify_in_one_go(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The whole life of an event; the listener shares the sandbox's clock."""
    with sandbox.listener() as listener:
        webhook = client.webhooks.create(name="Here", url=listener.url, events="ticket.created")
        assert webhook.secret is not None
        listener.trust(webhook.secret)
        fired = client.webhooks.trigger_test("ticket.created")
        received = listener.wait_for(fired.event_id)
        assert ("ok", webhook.id, sandbox.clock.now) == (
            received.cause,
            received.header("x-webhook-id"),
            received.received_at,
        )
        assert received == listener.wait_for("ticket.created")


def test_a_retry_a_day_later_is_verified_by_the_shared_clock(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """All seven are fresh when they arrive."""
    with sandbox.listener() as listener:
        webhook = client.webhooks.create(name="Here", url=listener.url, events="ticket.created")
        assert webhook.secret is not None
        listener.trust(webhook.secret)
        listener.answer.status = 500
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(hours=31, minutes=13)
        assert ["ok"] * 7 == [one.cause for one in listener.requests()]
        assert [None] + [1] * 6 == [one.duplicate_of for one in listener.requests()]
        assert list(range(1, 8)) == list(listener.to_frame()["attempt"])


def test_options_of_the_listener_pass_through_the_sandbox(sandbox: cx.Sandbox, tmp_path: Path) -> None:
    """`sandbox.listener` takes what `Listener` takes."""
    with sandbox.listener(secrets=[SECRET], max_body=10, path=tmp_path / "listener.sqlite") as listener:
        assert [401, 413] == [post(listener.url, b"x" * length)[0] for length in (10, 11)]
    assert (tmp_path / "listener.sqlite").exists()
