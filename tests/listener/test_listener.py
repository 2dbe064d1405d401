"""The listener: what it stores, what it rejects, how it responds, and what it reports."""

import contextlib
import hashlib
import http.client
import json
import os
import socket
import stat
import threading
import time
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
from tests.support.sampling import examples

LIMITS = "cstar_explore.listener.listener"
BODIES = "cstar_explore.serving.bodies"
SECRET = "whsec_test_secret"
OTHER = "whsec_other_secret"
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
    "query",
]
HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\x07\u202e\u2066$5 `_x_`\n\r\t"


class FixedClock:
    """A clock whose time does not change."""

    def __init__(self) -> None:
        self.now = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)


CLOCK = FixedClock()


def body_of(event_id: object = "evt_1", event: object = "ticket.created", **more: Any) -> bytes:
    return json.dumps({"id": event_id, "type": event, "data": {}} | more).encode()


def post(
    url: str, body: bytes = b"{}", headers: Mapping[str, str] | None = None, method: str = "POST"
) -> tuple[int, bytes]:
    """Sends one request. Returns the status and body of the response."""
    parts = urlsplit(url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """The headers of a delivery signed at the time of the fixed clock."""
    return {
        "Content-Type": "application/json",
        "X-Signature": cx.sign(body, secret, int(CLOCK.now.timestamp())),
        "X-Webhook-ID": "whk_1",
        "X-Delivery-Attempt": "2",
    }


def deliver(listener: cx.Listener, body: bytes, secret: str = SECRET) -> int:
    return post(listener.url, body, signed(body, secret))[0]


def send_raw(listener: cx.Listener, content: bytes, *, half_close: bool = False) -> bytes:
    """Sends raw bytes. Returns everything received until the listener closes the connection."""
    parts = urlsplit(listener.url)
    with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
        connection.sendall(content)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        response = b""
        with contextlib.suppress(ConnectionError):
            while chunk := connection.recv(65536):
                response += chunk
        return response


def request_head(listener: cx.Listener, *lines: bytes, method: bytes = b"POST") -> bytes:
    """The head of a request with `Connection: close`."""
    parts = urlsplit(listener.url)
    first = [method + b" " + parts.path.encode() + b" HTTP/1.1", b"Host: " + parts.netloc.encode()]
    return b"\r\n".join([*first, b"Connection: close", *lines]) + b"\r\n\r\n"


def stored_bodies(listener: cx.Listener) -> list[bytes]:
    return [request.body for request in listener.requests()]


@pytest.fixture(scope="module")
def shared_listener() -> Iterator[cx.Listener]:
    with cx.Listener() as listener:
        yield listener


@pytest.fixture
def listener(shared_listener: cx.Listener) -> cx.Listener:
    """A listener without secrets that other tests may have used before."""
    shared_listener.answer.status, shared_listener.answer.seconds, shared_listener.answer.handler = 200, 0.0, None
    return shared_listener


@pytest.fixture
def verifying() -> Iterator[cx.Listener]:
    """A listener with a secret and a fixed clock."""
    with cx.Listener([SECRET], clock=CLOCK) as listener:
        yield listener


# --- address


def test_listens_on_loopback_at_an_unguessable_path(listener: cx.Listener, verifying: cx.Listener) -> None:
    """Each listener has its own path."""
    one, two = urlsplit(listener.url), urlsplit(verifying.url)
    assert ("http", "127.0.0.1") == (one.scheme, one.hostname)
    assert one.path != two.path
    assert all(len(parts.path.rsplit("/", 1)[-1]) >= 16 for parts in (one, two))


def test_port_can_be_chosen() -> None:
    """`port` sets the port of the URL."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with cx.Listener(port=port) as listener:
        assert port == urlsplit(listener.url).port


def test_closed_listener_refuses_connections() -> None:
    """A second `close()` does nothing, and no threads remain."""
    before = set(threading.enumerate())
    listener = cx.Listener()
    assert 200 == post(listener.url)[0]
    listener.close()
    listener.close()
    with pytest.raises(ConnectionError):
        post(listener.url)
    assert set() == set(threading.enumerate()) - before


def test_closing_during_a_response_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """A request that still waits for its response is no error."""
    listener = cx.Listener()
    listener.answer.seconds = 60
    with socket.create_connection(("127.0.0.1", urlsplit(listener.url).port)) as sender:
        sender.sendall(
            f"POST {urlsplit(listener.url).path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        while not listener.requests():
            time.sleep(0.01)
        listener.close()
        assert b"" == sender.recv(100)
    assert [] == caplog.records


def test_repr_shows_the_url_and_no_secret(verifying: cx.Listener) -> None:
    """Neither do the attributes."""
    assert f"Listener({verifying.url})" == repr(verifying)
    assert SECRET not in repr(vars(verifying)) + repr(verifying)


# --- storing


def test_request_is_stored_unchanged(listener: cx.Listener) -> None:
    """Bytes, headers in order with duplicates, method, path and time."""
    before = len(listener.requests())
    content = (
        request_head(listener, b"Content-Length: 5", b"X-Twice: one", b"x-TWICE: two", b"X-Odd: \xe9\xff")
        + b"\x00\xff{\r\n"
    )
    assert b"200" in send_raw(listener, content).split(b"\r\n")[0]

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
def test_header_lookup_ignores_case(listener: cx.Listener, name: str) -> None:
    """As HTTP defines it."""
    post(listener.url, b"{}", {"X-Mixed-Case": "here"})
    assert "here" == listener.requests(1)[0].header(name)


@settings(max_examples=examples(60), deadline=None)
@given(bodies=st.lists(st.binary(max_size=2000), max_size=5))
def test_any_bytes_are_stored_exactly(shared_listener: cx.Listener, bodies: list[bytes]) -> None:
    """Without secrets nothing is verified, and every request is answered 200."""
    before = len(shared_listener.requests())
    assert [(200, b"")] * len(bodies) == [post(shared_listener.url, body) for body in bodies]
    assert bodies == stored_bodies(shared_listener)[before:]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[1]", id="list"),
        pytest.param(b'{"id": 5, "type": [1]}', id="fields of other types"),
        pytest.param(b'{"id": {"a": 1}, "type": null}', id="object as id"),
        pytest.param(b'{"id": "\\ud800", "type": "\\udfff"}', id="unpaired surrogates"),
        pytest.param(b'{"id": "a\\u0000b", "type": "\\u0000"}', id="NUL"),
        pytest.param(b"[" * 200_000, id="deeply nested"),
        pytest.param(b'{"a":' * 100_000, id="deeply nested objects"),
        pytest.param(b'{"id": ' + b"1" * 10_000 + b"}", id="long number"),
        pytest.param(b'{"id": 1e999, "type": NaN}', id="infinity and NaN"),
        pytest.param(b'\xef\xbb\xbf{"id": "bom"}', id="byte order mark"),
        pytest.param('{"id": "wide"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"id": "\xff"}', id="not UTF-8"),
        pytest.param(b"x" * 2**20, id="maximum length"),
    ],
)
def test_unusual_bodies_are_stored(listener: cx.Listener, body: bytes) -> None:
    """They are answered 200 and can be displayed."""
    assert 200 == post(listener.url, body)[0]
    received = listener.requests(1)[0]
    assert hashlib.sha256(body).digest() == hashlib.sha256(received.body).digest()
    assert received == listener[received.id]
    assert received.id == listener.to_frame()["id"].iloc[-1]
    assert repr(received).encode()


def test_chunked_body_is_stored_whole(listener: cx.Listener) -> None:
    """A body without Content-Length."""
    chunks = b"3\r\nabc\r\n1\r\n\x00\r\n2;note=x\r\nde\r\n0\r\n\r\n"
    response = send_raw(listener, request_head(listener, b"Transfer-Encoding: chunked") + chunks)
    assert b"200" in response.split(b"\r\n")[0]
    assert b"abc\x00de" == listener.requests(1)[0].body


@pytest.mark.parametrize("query", ["tenant=a", "a=b&c=%20", "a", "=", "?", "%FF", ""])
def test_query_string_is_stored(listener: cx.Listener, query: str) -> None:
    """As it arrived, beside the path."""
    assert 200 == post(f"{listener.url}?{query}")[0]
    received = listener.requests(1)[0]
    assert (urlsplit(listener.url).path, query) == (received.path, received.query)
    assert query == listener.to_frame()["query"].iloc[-1]


def test_requests_are_in_order_and_can_be_limited_to_the_newest() -> None:
    """Ids are unique and increase."""
    with cx.Listener() as listener:
        for number in range(5):
            post(listener.url, str(number).encode())
        assert [b"0", b"1", b"2", b"3", b"4"] == stored_bodies(listener)
        assert {b"3", b"4"} == {request.body for request in listener.requests(newest=2)}
        ids = [request.id for request in listener.requests()]
        assert (sorted(ids), 5) == (ids, len(set(ids)))
        assert [b"0", b"4"] == [listener[ids[0]].body, listener[ids[-1]].body]


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_unknown_id_raises_lookup_error(listener: cx.Listener, number: int) -> None:
    """Also when it is far out of range."""
    with pytest.raises((LookupError, errors.CStarError)):
        _ = listener[number]


# --- rejecting


@pytest.mark.parametrize("path", ["/", "/hooks", "/hooks/", "/hooks/guess", "/favicon.ico", "/docs"])
def test_other_paths_are_answered_404(path: str) -> None:
    """The response does not reveal the listener's path."""
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        status, body = post(f"http://{parts.netloc}{path}")
        assert (404, False) == (status, parts.path.encode() in body)
        [refused] = listener.requests()
        assert ("wrong_path", path, 404, b"") == (refused.cause, refused.path, refused.answered, refused.body)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Host": "hooks.example"}, id="foreign Host"),
        pytest.param({"Host": "127.0.0.1.hooks.example"}, id="Host that looks like loopback"),
        pytest.param({"Host": "hooks.example:80"}, id="foreign Host with a port"),
        pytest.param({"Host": ""}, id="empty Host"),
        pytest.param({"Origin": "https://hooks.example"}, id="Origin"),
        pytest.param({"Origin": "null"}, id="Origin null"),
        pytest.param({"Origin": "http://127.0.0.1"}, id="Origin on loopback"),
    ],
)
def test_requests_from_web_pages_are_rejected(listener: cx.Listener, headers: dict[str, str]) -> None:
    """A foreign Host or any Origin is answered 403, and the body is not read."""
    assert 403 == post(listener.url, b"{}", headers)[0]
    refused = listener.requests(1)[0]
    cause = "foreign_host" if "Host" in headers else "web_page"
    assert (cause, 403, b"", True) == (refused.cause, refused.answered, refused.body, refused.refused)


@pytest.mark.parametrize(
    ("line", "body", "statuses"),
    [
        pytest.param(b"Content-Length: 101", b"x" * 101, {b"413"}, id="complete"),
        pytest.param(b"Content-Length: 99999999999999999999", b"", {b"413", b"408"}, id="only declared"),
        pytest.param(
            b"Transfer-Encoding: chunked", b"65\r\n" + b"x" * 101 + b"\r\n0\r\n\r\n", {b"413"}, id="one chunk"
        ),
        pytest.param(
            b"Transfer-Encoding: chunked",
            (b"33\r\n" + b"x" * 51 + b"\r\n") * 2 + b"0\r\n\r\n",
            {b"413"},
            id="several chunks",
        ),
    ],
)
def test_too_long_body_is_rejected_and_leaves_a_row(
    monkeypatch: pytest.MonkeyPatch, line: bytes, body: bytes, statuses: set[bytes]
) -> None:
    """With or without Content-Length."""
    monkeypatch.setattr(f"{BODIES}.MAX_BODY", 100)
    monkeypatch.setattr(f"{BODIES}.BODY_TIMEOUT", 0.2)
    with cx.Listener() as listener:
        assert send_raw(listener, request_head(listener, line) + body).split(b" ")[1] in statuses
        assert (200, [b"", b"x" * 100]) == (post(listener.url, b"x" * 100)[0], stored_bodies(listener))
        assert f"{listener[1].answered}".encode() in statuses
        assert listener[1].cause == ("body_too_long" if listener[1].answered == 413 else "body_too_slow")


def test_too_slow_body_is_rejected_and_leaves_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit is for the whole body, so sending byte by byte does not extend it."""
    monkeypatch.setattr(f"{BODIES}.BODY_TIMEOUT", 0.15)
    with cx.Listener() as listener:
        assert b"408" in send_raw(listener, request_head(listener, b"Content-Length: 10") + b"abc").split(b"\r\n")[0]

        parts = urlsplit(listener.url)
        stop = threading.Event()
        with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
            connection.sendall(request_head(listener, b"Content-Length: 40"))
            sent = 0
            with contextlib.suppress(ConnectionError):
                while sent < 40 and not stop.wait(0.05):
                    connection.sendall(b"x")
                    sent += 1
            with contextlib.suppress(ConnectionError):
                response = connection.recv(65536)
                assert b"408" in response.split(b"\r\n")[0]
        assert [("body_too_slow", 408, b"")] * 2 == [
            (request.cause, request.answered, request.body) for request in listener.requests()
        ]


def test_aborted_request_leaves_a_row_without_a_status() -> None:
    """The client disconnects in the middle of the body."""
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        with socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection:
            connection.sendall(request_head(listener, b"Content-Length: 10") + b"abc")
        assert any(listener.requests() or threading.Event().wait(0.01) for _ in range(200))
        assert (200, [b"", b"after"]) == (post(listener.url, b"after")[0], stored_bodies(listener))
        assert ("aborted", None) == (listener[1].cause, listener[1].answered)


@pytest.mark.parametrize("limit", [1, 2])
def test_connections_up_to_the_limit_are_served(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """The limit is inclusive."""
    monkeypatch.setattr(f"{LIMITS}.MAX_CONNECTIONS", limit)
    with cx.Listener() as listener, contextlib.ExitStack() as stack:
        parts = urlsplit(listener.url)
        for _ in range(limit):
            connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)
            stack.enter_context(contextlib.closing(connection))
            connection.request("POST", parts.path, b"{}")
            with connection.getresponse() as response:
                assert (200, b"") == (response.status, response.read())
        assert limit == len(listener.requests())


def test_excess_requests_are_rejected_and_no_accepted_request_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """While three are in progress. `wait_for` reports it."""
    monkeypatch.setattr(f"{LIMITS}.MAX_CONNECTIONS", 3)
    with cx.Listener() as listener, ThreadPoolExecutor(3) as executor:
        gate = threading.Event()
        listener.answer.handler = lambda _: gate.wait(4) and None
        bodies = [body_of(f"evt_{number}") for number in range(3)]
        slow = [executor.submit(post, listener.url, body) for body in bodies]
        assert all(is_stored(listener, body) for body in bodies)

        assert 503 == post(listener.url, b"too many")[0]
        with pytest.raises(errors.NotReceivedError, match=r"1 not stored: answered 503"):
            listener.wait_for("boss.spawned", timeout=0)
        gate.set()
        assert [200] * 3 == [response.result(timeout=5)[0] for response in slow]
        assert 200 == post(listener.url, body_of("evt_next"))[0]
        assert sorted([*bodies, body_of("evt_next")]) == sorted(stored_bodies(listener))


def test_idle_connections_do_not_use_up_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """New senders are served while they stay open."""
    monkeypatch.setattr(f"{LIMITS}.MAX_CONNECTIONS", 3)
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        connections = [http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5) for _ in range(3)]
        for _ in range(2):
            for number, connection in enumerate(connections):
                connection.request("POST", parts.path, f"kept open {number}")
                with connection.getresponse() as response:
                    assert (200, b"") == (response.status, response.read())
            assert 200 == post(listener.url, b"new")[0]
        for connection in connections:
            connection.close()
        assert 8 == len(listener.requests())


def test_existing_clients_are_served_after_a_flood(monkeypatch: pytest.MonkeyPatch) -> None:
    """On their existing connection or a new one."""
    monkeypatch.setattr(f"{LIMITS}.MAX_CONNECTIONS", 3)
    with cx.Listener() as listener:
        parts = urlsplit(listener.url)
        connections = [http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5) for _ in range(3)]
        with ThreadPoolExecutor(10) as executor:
            statuses = list(
                executor.map(lambda number: post(listener.url, b"flood %d" % number)[0], range(100), timeout=8)
            )
        assert {200, 503} >= set(statuses)
        flood = len(stored_bodies(listener))
        assert statuses.count(200) == flood

        for number, connection in enumerate(connections):
            for _ in range(100):
                connection.request("POST", parts.path, f"after {number}")
                with connection.getresponse() as response:
                    response.read()
                if response.status == 200:
                    break
                threading.Event().wait(0.01)
            connection.close()
        assert [b"after 0", b"after 1", b"after 2"] == stored_bodies(listener)[flood:]


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
        pytest.param(b"POST\r\n\r\n", id="no path"),
        pytest.param(b"\x00" * 1000 + b"\r\n\r\n", id="zeros"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", id="unknown version"),
    ],
)
def test_invalid_http_is_rejected(listener: cx.Listener, garbage: bytes) -> None:
    """It leaves a row without a body, and the next request is served."""
    before = len(listener.requests())
    response = send_raw(listener, garbage, half_close=True)
    assert b" 200 " not in response.split(b"\r\n")[0]
    [refused] = listener.requests()[before:]
    cause = "foreign_host" if b"9.9" in garbage else "invalid_http"
    assert (cause, b"", True) == (refused.cause, refused.body, refused.refused)
    assert ("https" in (refused.error or "")) == garbage.startswith(b"\x16\x03")
    assert 200 == post(listener.url)[0]


# --- verifying


def test_verified_delivery_is_answered_200(verifying: cx.Listener) -> None:
    """The stored request has cause "ok"."""
    assert 200 == deliver(verifying, body_of())
    received = verifying[1]
    assert ("ok", "evt_1", "ticket.created", 200) == (
        received.cause,
        received.event_id,
        received.event,
        received.answered,
    )
    assert verifying.explain(1).ok


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
def test_unverified_delivery_is_answered_401_and_stored(
    verifying: cx.Listener, cause: str, headers: dict[str, str]
) -> None:
    """With the check that failed. The handler is not called."""
    seen: list[Any] = []
    verifying.answer.handler = seen.append
    assert 401 == post(verifying.url, body_of(), headers)[0]
    assert (cause, 401, body_of()) == (verifying[1].cause, verifying[1].answered, verifying[1].body)
    assert ([], False) == (seen, verifying.explain(1).ok)


def test_signed_body_that_is_not_a_json_object_is_rejected(verifying: cx.Listener) -> None:
    """`explain` reports that the signature is valid but there is no event."""
    body = b"not json"
    assert 401 == deliver(verifying, body)
    assert ("not_json", 401) == (verifying[1].cause, verifying[1].answered)
    assert "not a JSON object" in verifying.explain(1).evidence


@pytest.mark.parametrize("status", [200, 204, 500])
def test_unverified_delivery_is_answered_401_whatever_the_status_setting(verifying: cx.Listener, status: int) -> None:
    """Verification takes precedence over `answer.status`."""
    verifying.answer.status = status
    assert 401 == deliver(verifying, body_of(), OTHER)
    assert status == deliver(verifying, body_of())


def test_secrets_can_be_added(verifying: cx.Listener) -> None:
    """As str, bytes or Secret; earlier secrets stay trusted."""
    assert 401 == deliver(verifying, body_of(), OTHER)
    verifying.trust(cx.Secret(OTHER))
    verifying.trust(b"whsec_bytes")
    assert [200, 200, 200] == [deliver(verifying, body_of(), secret) for secret in (OTHER, SECRET, "whsec_bytes")]


def test_first_secret_turns_verification_on(listener: cx.Listener) -> None:
    """Requests received before it stay unverified."""
    with cx.Listener(clock=CLOCK) as own:
        assert 200 == deliver(own, body_of())
        own.trust(SECRET)
        assert [401, 200] == [deliver(own, body_of(), secret) for secret in (OTHER, SECRET)]
        assert [None, "no_match", "ok"] == [request.cause for request in own.requests()]
    assert listener is not own


@pytest.mark.parametrize("secret", ["", b"", None, 5])
def test_empty_or_invalid_secret_is_rejected(listener: cx.Listener, secret: Any) -> None:
    """By `trust` and by the constructor."""
    with pytest.raises((errors.CStarError, TypeError)):
        listener.trust(secret)
    with pytest.raises((errors.CStarError, TypeError)):
        cx.Listener([secret]).close()


def test_duplicate_deliveries_are_marked_and_stored(verifying: cx.Listener) -> None:
    """Each refers to the first one."""
    for _ in range(3):
        deliver(verifying, body_of())
    deliver(verifying, body_of("evt_2"))
    assert [None, 1, 1, None] == [request.duplicate_of for request in verifying.requests()]
    assert [body_of()] * 3 + [body_of("evt_2")] == stored_bodies(verifying)


def test_forged_delivery_does_not_make_the_genuine_one_a_duplicate(verifying: cx.Listener) -> None:
    """Only verified deliveries claim event ids or are duplicates."""
    assert [401, 200, 401, 200] == [deliver(verifying, body_of(), secret) for secret in (OTHER, SECRET, OTHER, SECRET)]
    rows = verifying.requests()
    assert (None, None, 2) == (rows[0].duplicate_of, rows[1].duplicate_of, rows[3].duplicate_of)


def test_event_id_is_read_from_the_signed_body(verifying: cx.Listener) -> None:
    """The headers are not signed."""
    for event_id in ("evt_1", "evt_2"):
        body = body_of(event_id)
        assert 200 == post(verifying.url, body, signed(body) | {"X-Event-ID": "evt_same", "X-Event-Type": "boss.x"})[0]
    assert [None, None] == [request.duplicate_of for request in verifying.requests()]
    assert [("evt_1", "ticket.created"), ("evt_2", "ticket.created")] == [
        (request.event_id, request.event) for request in verifying.requests()
    ]


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(['"\\ud800"', '"\\ud801"'], id="unpaired surrogates"),
        pytest.param(['"a"', '"a\\u0000"'], id="NUL at the end"),
        pytest.param(['"A"', '"a"'], id="case"),
        pytest.param(['"1"', '"1.0"'], id="numbers"),
        pytest.param(['"\\u00e9"', '"e\\u0301"'], id="composed and decomposed"),
    ],
)
def test_similar_ids_are_different_events(verifying: cx.Listener, ids: list[str]) -> None:
    """However they are stored."""
    for event_id in ids:
        assert 200 == deliver(verifying, f'{{"id": {event_id}, "type": "ticket.created"}}'.encode())
    assert [None, None] == [request.duplicate_of for request in verifying.requests()]


def test_concurrent_deliveries_of_one_event_have_one_original(verifying: cx.Listener) -> None:
    """All others are its duplicates."""
    with ThreadPoolExecutor(8) as executor:
        assert {200} == set(executor.map(lambda _: deliver(verifying, body_of()), range(40), timeout=8))
    firsts = [request.id for request in verifying.requests() if request.duplicate_of is None]
    assert (1, 40) == (len(firsts), len(verifying.requests()))
    assert {firsts[0]} == {request.duplicate_of for request in verifying.requests() if request.id != firsts[0]}


# --- responding


@pytest.mark.parametrize("status", [200, 201, 204, 302, 304, 400, 404, 410, 429, 500, 503, 599])
def test_answers_with_the_set_status(listener: cx.Listener, status: int) -> None:
    """Twice on one connection, to check that the response length is correct. The status is stored."""
    listener.answer.status = status
    parts = urlsplit(listener.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=5)) as connection:
        for _ in range(2):
            connection.request("POST", parts.path, b"{}")
            first = connection.sock
            response = connection.getresponse()
            response.read()
            assert (status, status) == (response.status, listener.requests(1)[0].answered)
        assert first is connection.sock


def test_answers_after_the_set_delay(listener: cx.Listener) -> None:
    """The request is stored before it is answered."""
    listener.answer.seconds = 0.3
    before = len(listener.requests())
    parts = urlsplit(listener.url)
    with contextlib.closing(http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=0.1)) as connection:
        connection.request("POST", parts.path, b"delayed")
        with pytest.raises(TimeoutError):
            connection.getresponse()
        assert [b"delayed"] == stored_bodies(listener)[before:]


@pytest.fixture
def gate(listener: cx.Listener) -> Iterator[threading.Event]:
    """The handler waits for this on the event `evt_slow`."""
    gate = threading.Event()
    listener.answer.handler = lambda event: gate.wait(4) and None if event["id"] == "evt_slow" else None
    yield gate
    gate.set()


def is_stored(listener: cx.Listener, body: bytes) -> bool:
    """Whether the body is stored now or within two seconds."""
    return any(body in stored_bodies(listener) or threading.Event().wait(0.01) for _ in range(200))


def test_slow_handler_does_not_block_other_requests(listener: cx.Listener, gate: threading.Event) -> None:
    """Each request is stored before its handler runs."""
    with ThreadPoolExecutor(1) as executor:
        slow = executor.submit(post, listener.url, body_of("evt_slow", number=1))
        assert is_stored(listener, body_of("evt_slow", number=1))
        assert 200 == post(listener.url, body_of("evt_quick"))[0]
        assert not slow.done()
        gate.set()
        assert 200 == slow.result(timeout=5)[0]


def test_wait_for_finds_a_request_while_its_handler_runs(listener: cx.Listener, gate: threading.Event) -> None:
    """It need not be answered yet."""
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
def test_handler_can_return_the_status(listener: cx.Listener, returned: object, status: int) -> None:
    """None means `answer.status`."""
    listener.answer.handler = lambda _: returned
    assert (status, status) == (post(listener.url, body_of())[0], listener.requests(1)[0].answered)


def test_handler_receives_the_parsed_event(verifying: cx.Listener) -> None:
    """Once per delivery, on another thread."""
    seen: list[tuple[Any, int]] = []
    verifying.answer.handler = lambda event: seen.append((event, threading.get_ident()))
    deliver(verifying, body_of(number=5))
    assert [json.loads(body_of(number=5))] == [event for event, _ in seen]
    assert threading.get_ident() not in [thread for _, thread in seen]


def test_handler_can_be_passed_to_the_constructor() -> None:
    """It is stored as `answer.handler`."""
    seen: list[Any] = []
    with cx.Listener(handler=seen.append) as listener:
        assert 200 == post(listener.url, body_of())[0]
        assert listener.answer.handler is not None
    assert [json.loads(body_of())] == seen


@pytest.mark.parametrize(
    "raised",
    [
        pytest.param(KeyError("ticket"), id="KeyError"),
        pytest.param(errors.ConfigurationError("Not so"), id="CStarError"),
        pytest.param(RuntimeError("unpaired \ud800 surrogate, \x00, \x1b[31m"), id="hostile text"),
        pytest.param(SystemExit(3), id="SystemExit"),
        pytest.param(StopIteration(), id="StopIteration"),
        pytest.param(TimeoutError(), id="TimeoutError"),
    ],
)
def test_handler_that_raises_gives_500_and_a_stored_traceback(listener: cx.Listener, raised: BaseException) -> None:
    """The response does not contain the traceback, and the next request is served."""

    def broken(_: object) -> None:
        raise raised

    listener.answer.handler = broken
    status, response = post(listener.url, body_of())
    received = listener.requests(1)[0]
    assert (500, 500) == (status, received.answered)
    assert (True, True) == ("Traceback" in (received.error or ""), "broken" in (received.error or ""))
    assert type(raised).__name__ in (received.error or "")
    assert b"Traceback" not in response
    listener.answer.handler = None
    assert 200 == post(listener.url)[0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_any_method_is_stored(listener: cx.Listener, method: str) -> None:
    """Not only POST."""
    before = len(listener.requests())
    assert 200 == post(listener.url, b"", method=method)[0]
    assert [method] == [request.method for request in listener.requests()[before:]]


def test_handler_can_use_its_own_listener(listener: cx.Listener) -> None:
    """The request it handles is already stored."""
    seen: list[int] = []

    def handler(event: dict[str, Any]) -> None:
        seen.append(listener.wait_for(event["id"], timeout=0).id)
        seen.append(len(listener.to_frame()))

    listener.answer.handler = handler
    assert 200 == post(listener.url, body_of("evt_own"))[0]
    assert [listener.requests(1)[0].id, len(listener.requests())] == seen


# --- waiting


@pytest.mark.parametrize("event", ["evt_wait", "boss.spawned"])
def test_wait_for_returns_an_earlier_delivery_at_once(verifying: cx.Listener, event: str) -> None:
    """By event id or event type."""
    deliver(verifying, body_of("evt_wait", "boss.spawned"))
    assert "evt_wait" == verifying.wait_for(event, timeout=0).event_id


@pytest.mark.parametrize("event", ["evt_wait", "boss.spawned"])
def test_wait_for_waits_for_a_delivery(verifying: cx.Listener, event: str) -> None:
    """Also if other events arrive first."""
    with ThreadPoolExecutor(1) as executor:
        waiting = executor.submit(verifying.wait_for, event, 5)
        deliver(verifying, body_of("evt_other"))
        deliver(verifying, body_of("evt_wait", "boss.spawned"))
        assert "evt_wait" == waiting.result(timeout=5).event_id


def test_timeout_error_names_the_received_events(verifying: cx.Listener) -> None:
    """In printable text."""
    deliver(verifying, body_of("evt_here", "ticket.closed"))
    deliver(verifying, body_of(HOSTILE, HOSTILE))
    with pytest.raises(errors.NotReceivedError) as caught:
        verifying.wait_for("boss.spawned", timeout=0.01)
    message = str(caught.value)
    assert isinstance(caught.value, errors.CStarError)
    assert (True, True, True) == ("boss.spawned" in message, "ticket.closed" in message, "evt_here" in message)
    assert (False, False) == ("\x1b" in message, "\u202e" in message)


def test_timeout_error_reports_that_nothing_was_received(verifying: cx.Listener) -> None:
    """With advice."""
    with pytest.raises(errors.NotReceivedError, match=r"(?i)noth|no request|none") as caught:
        verifying.wait_for("boss.spawned", timeout=0)
    assert caught.value.advice


# --- watching


def test_watcher_is_called_on_each_arrival_until_it_is_removed(verifying: cx.Listener) -> None:
    """An exception in it does not affect the response."""
    calls: list[int] = []
    called = threading.Semaphore(0)

    def callback() -> None:
        calls.append(len(verifying.requests()))
        called.release()
        raise RuntimeError

    end = verifying.on_arrival(callback)
    assert 200 == deliver(verifying, body_of())
    assert called.acquire(timeout=5)
    end()
    end()
    before = len(calls)
    assert 200 == deliver(verifying, body_of())
    assert (before, 2) == (len(calls), len(verifying.requests()))


def test_watchers_are_independent(verifying: cx.Listener) -> None:
    """One may raise or be removed."""
    first, second = threading.Semaphore(0), threading.Semaphore(0)

    def failing() -> None:
        first.release()
        raise ZeroDivisionError

    end = verifying.on_arrival(failing)
    verifying.on_arrival(second.release)
    deliver(verifying, body_of())
    assert (True, True) == (first.acquire(timeout=1), second.acquire(timeout=1))
    end()
    while second.acquire(blocking=False):
        pass
    deliver(verifying, body_of())
    assert second.acquire(timeout=1)


# --- the frame


def test_empty_frame_has_the_same_columns_and_dtypes(verifying: cx.Listener) -> None:
    """As a frame with rows."""
    empty = verifying.to_frame()
    deliver(verifying, body_of())
    deliver(verifying, body_of())
    post(verifying.url, b"\xff")
    full = verifying.to_frame()
    assert (COLUMNS, COLUMNS) == (list(empty.columns), list(full.columns))
    assert (0, 3) == (len(empty), len(full))
    assert list(empty.dtypes) == list(full.dtypes)


def test_frame_contains_the_received_requests(verifying: cx.Listener) -> None:
    """Row by row."""
    deliver(verifying, body_of())
    deliver(verifying, body_of())
    deliver(verifying, body_of(), OTHER)
    frame = verifying.to_frame()
    assert [1, 2, 3] == list(frame["id"])
    assert [True, True, False] == list(frame["verified"])
    assert ["ok", "ok", "no_match"] == list(frame["cause"])
    assert [1] == list(frame["duplicate_of"].dropna())
    assert [200, 200, 401] == list(frame["answered"])
    assert ({"whk_1"}, {2}) == (set(frame["webhook_id"]), set(frame["attempt"]))
    assert [body_of()] * 3 == list(frame["body"])
    assert {CLOCK.now} == set(frame["received_at"])


def test_without_secrets_verified_is_missing(listener: cx.Listener) -> None:
    """Nor is there a cause."""
    post(listener.url, body_of())
    row = listener.to_frame().iloc[-1]
    assert row[["verified", "cause"]].isna().all()


@pytest.mark.parametrize("attempt", ["", "x", "-1", "1e5", "９", "99999999999999999999999", "1.0", " 1 "])
def test_invalid_attempt_header_keeps_the_column_type(listener: cx.Listener, attempt: str) -> None:
    """Headers are untrusted text."""
    line = b"X-Delivery-Attempt: " + attempt.encode()
    assert b"200" in send_raw(listener, request_head(listener, b"Content-Length: 2", line) + b"{}").split(b"\r\n")[0]
    assert "Int64" == str(listener.to_frame()["attempt"].dtype)


def test_hostile_text_is_unchanged_in_the_frame_and_printable_elsewhere(verifying: cx.Listener) -> None:
    """Reprs show only printable characters."""
    deliver(verifying, body_of(HOSTILE, HOSTILE))
    row = verifying.to_frame().iloc[0]
    assert (HOSTILE, HOSTILE) == (row["event"], row["event_id"])
    shown = repr(verifying[1]) + repr(verifying.explain(1)).replace("\n", "") + repr(verifying)
    assert shown.isprintable()
    assert "<img" not in (verifying.explain(1)._repr_html_() or "")


# --- the file


def test_file_can_be_reopened(tmp_path: Path) -> None:
    """Ids continue, and earlier event ids are still known."""
    path = tmp_path / "listener.sqlite"
    with cx.Listener([SECRET], path=path, clock=CLOCK) as listener:
        deliver(listener, body_of())
        deliver(listener, b"\x00\xff", OTHER)
        before = listener.requests()
    with cx.Listener([SECRET], path=path, clock=CLOCK) as listener:
        assert before == listener.requests()
        deliver(listener, body_of())
        assert (3, 1) == (listener.requests()[-1].id, listener.requests()[-1].duplicate_of)


def test_files_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    """Including the side files. None contains a secret."""
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


@pytest.mark.parametrize("content", [pytest.param(b"not a database" * 100, id="text")])
def test_file_of_another_kind_is_rejected(tmp_path: Path, content: bytes) -> None:
    """It is left unchanged."""
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(errors.CStarError):
        cx.Listener(path=path).close()
    assert content == path.read_bytes()


def test_path_in_a_missing_folder_is_rejected(tmp_path: Path) -> None:
    """With a CStarError."""
    with pytest.raises(errors.CStarError):
        cx.Listener(path=tmp_path / "absent" / "listener.sqlite").close()


def test_port_in_use_is_rejected() -> None:
    """With a CStarError."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(errors.CStarError):
        cx.Listener(port=taken.getsockname()[1]).close()


# --- with the sandbox


def test_fired_event_is_received_and_verified(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The listener uses the sandbox's clock."""
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


def test_retries_a_day_later_verify_by_the_shared_clock(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """All seven attempts are fresh when they arrive."""
    with sandbox.listener() as listener:
        webhook = client.webhooks.create(name="Here", url=listener.url, events="ticket.created")
        assert webhook.secret is not None
        listener.trust(webhook.secret)
        listener.answer.status = 500
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(hours=31, minutes=13)
        assert ["ok"] * 7 == [request.cause for request in listener.requests()]
        assert [None] + [1] * 6 == [request.duplicate_of for request in listener.requests()]
        assert list(range(1, 8)) == list(listener.to_frame()["attempt"])


def test_sandbox_passes_options_to_the_listener(sandbox: cx.Sandbox, tmp_path: Path) -> None:
    """`sandbox.listener` accepts the options of `Listener`."""
    handler = [].append
    with sandbox.listener(secrets=[SECRET], handler=handler, path=tmp_path / "listener.sqlite") as listener:
        assert (401, handler) == (post(listener.url)[0], listener.answer.handler)
    assert (tmp_path / "listener.sqlite").exists()
