"""The matrix of faults: each of the six calls meets each class of fault, in front of a real sandbox that can be counted.

A fault is one small function that says what the server does, and its decorator says what must hold. The cells are
generated. In each of them, whatever went wrong:

- the call returns what it should, or raises an error of ours that says what to do;
- what was asked for happened once or not at all, and not at all where the error says so;
- time and memory stay bounded;
- the key went to the one address it belongs to, and is in no text;
- the next call on the same client is answered, and with its own answer.
"""

import contextlib
import gzip
import http.client
import itertools
import json
import logging
import random
import socket
import ssl
import struct
import subprocess
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import retries
from tests.support.scripted_server import RecordedRequest, ScriptedServer, closed_port

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
TARGET = {"name": "Target", "url": "https://example.com/target", "events": "ticket.created"}
PATIENCE = 0.15
"""What an attempt is given where the server is slow on purpose."""

MEMORY = 6 * 64 * 2**20
"""The largest answer that is read, what one piece of it can unpack to, and a copy of each while it is put together."""

FAR = 20.0
"""Seconds that no cell comes near, unless something waits for the other side."""


# --- the six calls ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """What is different in the sandbox; a list of events has no duplicates only if nothing was fired twice."""

    created: int = 0
    changed: int = 0
    deleted: int = 0
    fired: int = 0
    writes: int = 0


@dataclass(frozen=True)
class Call:
    """One of the six, on a webhook that is there."""

    name: str
    method: str
    once: Effect
    make: Callable[[cx.Client, str], Any]
    is_right: Callable[[Any, "State", str], bool]


CALLS = [
    Call(
        "list", "GET", Effect(), lambda client, _: client.webhooks.list(), lambda got, now, _: now.hooks == _known(got)
    ),
    Call(
        "get",
        "GET",
        Effect(),
        lambda client, target: client.webhooks.get(target),
        lambda got, now, target: {target: now.hooks[target]} == _known([got]),
    ),
    Call(
        "create",
        "POST",
        Effect(created=1, writes=1),
        lambda client, _: client.webhooks.create(**NEW),
        lambda got, now, _: now.hooks[got.id][:2] == (NEW["name"], NEW["url"]) and got.secret is not None,
    ),
    Call(
        "update",
        "PATCH",
        Effect(changed=1, writes=1),
        lambda client, target: client.webhooks.update(target, name="Changed"),
        lambda got, now, target: {target: now.hooks[target]} == _known([got]) and got.name == "Changed",
    ),
    Call(
        "delete",
        "DELETE",
        Effect(deleted=1, writes=1),
        lambda client, target: client.webhooks.delete(target),
        lambda got, now, target: got is None and target not in now.hooks,
    ),
    Call(
        "trigger_test",
        "POST",
        Effect(fired=1, writes=1),
        lambda client, _: client.webhooks.trigger_test("ticket.created"),
        lambda got, now, _: got.event_id in now.fired,
    ),
]


def _known(webhooks: Any) -> dict[str, tuple[Any, ...]]:
    return {hook.id: (hook.name, hook.url, frozenset(hook.events or ()), hook.is_active) for hook in webhooks}


@dataclass(frozen=True)
class State:
    """All that the six calls can change, as the sandbox itself has it."""

    hooks: Mapping[str, tuple[Any, ...]]
    fired: frozenset[str]
    clock: Any

    @classmethod
    def of(cls, place: "Place", call: Call) -> "State":
        fired = place.sandbox.deliveries()["event_id"] if call.once.fired else ()  # elsewhere the clock would tell
        return cls(_known(place.direct.webhooks.list()), frozenset(fired), place.sandbox.clock.now)

    def since(self, before: "State") -> Effect:
        both = self.hooks.keys() & before.hooks.keys()
        return Effect(
            len(self.hooks.keys() - before.hooks.keys()),
            sum(self.hooks[one] != before.hooks[one] for one in both),
            len(before.hooks.keys() - self.hooks.keys()),
            len(self.fired - before.fired),
            round((self.clock - before.clock).total_seconds()),
        )


# --- the server in front of the sandbox -------------------------------------------------------------------------------


class Turn:
    """A request, or a connection on which none was read yet, and what a fault can do with it."""

    def __init__(self, front: "Front", connection: socket.socket, received: RecordedRequest | None = None) -> None:
        self.front = front
        self.connection = connection
        self.received = received
        self.elsewhere = front.elsewhere.url

    def act(self) -> tuple[int, bytes]:
        """The sandbox does what is asked; its status and body."""
        assert self.received is not None
        netloc = urlsplit(self.front.sandbox.base_url).netloc
        with contextlib.closing(http.client.HTTPConnection(netloc)) as onward:
            headers = {name: value for name, value in self.received.headers.items() if name != "host"}
            onward.request(self.received.method, self.received.path, self.received.body or None, headers)
            told = onward.getresponse()
            return told.status, told.read()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def flood(self, piece: bytes, pause: float = 0.0) -> None:
        """The same over and over, until the other side leaves."""
        while True:
            self.connection.sendall(piece)
            if pause:
                time.sleep(pause)

    def whole(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """An answer of the usual form; a header that is given as empty is left out."""
        told = {"Content-Type": "application/json", "Content-Length": str(len(body))} | dict(headers or {})
        lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items() if value)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def refuse(self, status: int, headers: Mapping[str, str] | None = None, **error: Any) -> None:
        told = {"type": "api_error", "code": "told", "message": f"Refused with {status}"} | error
        self.send(self.whole(status, json.dumps({"success": False, "error": told}).encode(), headers))

    def hang_up(self) -> None:
        """The connection is broken, not closed."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Front(ScriptedServer):
    """Passes requests of the sandbox on, except where the fault takes its turn."""

    def __init__(
        self, sandbox: cx.Sandbox, elsewhere: ScriptedServer, fault: "Fault", method: str, times: float, port: int = 0
    ) -> None:
        self.sandbox = sandbox
        self.elsewhere = elsewhere
        self.fault = fault
        self.method = method
        self.left = times
        self.turns = threading.Lock()
        self.sent = threading.Event()
        super().__init__(*[self._answer] * 500, port=port)
        self.url = self.url.replace("http:", "https:") if fault.tls else self.url

    def _is_due(self, method: str | None) -> bool:
        with self.turns:
            due = self.left > 0 and (method is None) == self.fault.at_the_door and method in (None, self.method)
            self.left -= due
            return due

    def _talk(self, connection: socket.socket) -> None:
        if self._is_due(None):
            with contextlib.suppress(OSError), contextlib.closing(connection):
                self.fault.act(Turn(self, connection))
            return
        if self.fault.tls:
            try:
                connection = TLS["good"].wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        super()._talk(connection)

    def _answer(self, connection: socket.socket, received: RecordedRequest) -> bool:
        turn = Turn(self, connection, received)
        if self._is_due(received.method):
            self.fault.act(turn)
            self.sent.set()
            return self.fault.stays_open
        turn.send(turn.whole(*turn.act()))
        return True


@dataclass(frozen=True)
class Fault:
    """What a server does, and what must hold.

    `raises`: what comes of it if it lasts, and at once where it is not `survived`; empty where it does no harm.
    `harmless`: a good answer may be made of it as well. `survived`: once is not noticed, but by trigger_test, which is
    repeated only where it `never_arrived`. `lost`: a create cannot tell, and says so.
    """

    name: str
    act: Callable[[Turn], Any]
    raises: tuple[type[errors.CStarError], ...]
    survived: bool = False
    never_arrived: bool = False
    lost: bool = False
    harmless: bool = False
    lasts: bool = False
    at_the_door: bool = False
    tls: bool = False
    big: bool = False
    stays_open: bool = False
    timeout: float = 5.0


FAULTS: list[Fault] = []


def fault(*raises: type[errors.CStarError], name: str | None = None, **holds: Any) -> Callable[[Any], Any]:
    """Adds a class of fault to the matrix."""

    def add(act: Callable[[Turn], Any]) -> Callable[[Turn], Any]:
        FAULTS.append(Fault((name or act.__name__).replace("_", " "), act, raises, **holds))
        return act

    return add


# --- no connection, or none that holds --------------------------------------------------------------------------------


@fault(errors.ConnectionLostError, errors.UnreachableError, survived=True, at_the_door=True, lasts=True)
def reset_before_the_request(turn: Turn) -> None:
    turn.hang_up()


@fault(errors.ConnectionLostError, errors.UnreachableError, survived=True, at_the_door=True)
def closed_before_the_request(turn: Turn) -> None:
    turn.connection.close()


@fault(errors.ConnectionLostError, survived=True, lost=True)
def reset_with_the_request_read_and_not_acted_on(turn: Turn) -> None:
    turn.hang_up()


@fault(errors.ConnectionLostError, survived=True, lost=True, lasts=True)
def reset_after_the_server_has_acted(turn: Turn) -> None:
    turn.act()
    turn.hang_up()


@fault(errors.ConnectionLostError, survived=True, lost=True)
def closed_after_the_server_has_acted(turn: Turn) -> None:
    turn.act()


@fault(stays_open=False)
def answered_well_and_then_closed_without_a_word(turn: Turn) -> None:
    turn.send(turn.whole(*turn.act()))


# --- TLS --------------------------------------------------------------------------------------------------------------

TLS: dict[str, ssl.SSLContext] = {}
"""Contexts of servers; filled by the fixture that makes their certificates."""

tls_fault: Any = lambda **holds: fault(  # noqa: E731
    errors.UnreachableError, at_the_door=True, tls=True, never_arrived=True, **holds
)


@tls_fault()
def plain_http_behind_an_https_address(turn: Turn) -> None:
    turn.send(turn.whole(200, b'{"success": true, "data": []}'))
    turn.connection.recv(65536)


def _shaking_hands_with(name: str) -> None:
    @tls_fault(name=f"TLS certificate {name}")
    def handshake(turn: Turn) -> None:
        with TLS[name].wrap_socket(turn.connection, server_side=True) as wrapped:
            wrapped.recv(65536)


for certificate in ("self-signed", "of another host"):
    _shaking_hands_with(certificate)


@tls_fault()
def tls_handshake_broken_off(turn: Turn) -> None:
    turn.connection.recv(16)
    turn.hang_up()


@tls_fault(timeout=PATIENCE / 2)
def tls_handshake_byte_by_byte(turn: Turn) -> None:
    turn.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    turn.flood(b"\x00", 0.02)


# --- slow -------------------------------------------------------------------------------------------------------------

slow: Any = lambda **holds: fault(  # noqa: E731
    errors.ResponseTimeoutError, survived=True, lost=True, timeout=PATIENCE, **holds
)


@slow(lasts=True)
def headers_byte_by_byte(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    turn.flood(b"a", 0.02)


@slow()
def body_byte_by_byte(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    turn.flood(b" ", 0.02)


@slow()
def no_word_at_all(turn: Turn) -> None:
    turn.act()
    turn.connection.recv(1)


@slow()
def one_small_chunk_after_the_other(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    turn.flood(b"1\r\n \r\n", 0.02)


@slow()
def early_hints_and_never_an_answer(turn: Turn) -> None:
    turn.act()
    turn.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02)


@slow()
def early_hints_as_fast_as_can_be(turn: Turn) -> None:
    turn.act()
    turn.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)


@slow()
def drops_of_a_packed_body(turn: Turn) -> None:
    turn.act()
    turn.send(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\xff"
    )
    turn.flood(b"a", 0.02)


# --- cut short, too long ----------------------------------------------------------------------------------------------


@fault(errors.ConnectionLostError, survived=True, lost=True, lasts=True)
def truncated_in_the_body(turn: Turn) -> None:
    turn.send(turn.whole(*turn.act())[:-10])


@fault(errors.ConnectionLostError, survived=True, lost=True)
def truncated_in_the_headers(turn: Turn) -> None:
    turn.send(turn.whole(*turn.act())[:30])


@fault(errors.ConnectionLostError, survived=True, lost=True)
def truncated_in_a_chunk(turn: Turn) -> None:
    _, body = turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (len(body) + 5) + body)


@fault(errors.TransportError)
def half_the_json_under_a_true_length(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body[: len(body) // 2]))


@fault(errors.TransportError)
def an_empty_body(turn: Turn) -> None:
    turn.send(turn.whole(turn.act()[0], b""))


@fault(errors.InvalidResponseError, lost=False, big=True)
def oversized(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    turn.flood(b" " * 2**20)


@fault(errors.TransportError, big=True)
def declared_larger_than_any_disk(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n{")


@fault(errors.TransportError, big=True)
def a_header_without_end(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    turn.flood(b"a" * 65536)


@fault(errors.TransportError, big=True)
def trailers_without_end(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    turn.flood(b"X-More: y\r\n" * 5000)


def _unpacking(encoding: str, body: bytes) -> None:
    @fault(errors.InvalidResponseError, name=f"bomb in {encoding}", big=True)
    def bomb(turn: Turn) -> None:
        turn.act()
        turn.send(turn.whole(200, body, {"Content-Encoding": encoding}))


def _endless(window: int, head: bytes, megabytes: int) -> bytes:
    """Many blanks, packed, made of one small piece over and over; it has no end, and nobody should get there."""
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    piece = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + piece * megabytes


HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
INNER = _endless(-15, HEAD, 256)
for encoding, bomb in {
    "gzip": _endless(-15, HEAD, 512),
    "deflate": _endless(-15, b"\x78\x9c", 512),
    "gzip, gzip": gzip.compress(INNER),
    "gzip, deflate, gzip": gzip.compress(zlib.compress(INNER)),
}.items():
    _unpacking(encoding, bomb)


# --- not what it says it is -------------------------------------------------------------------------------------------


def _of_type(content_type: str) -> None:
    @fault(errors.InvalidResponseError, name=f"JSON said to be {content_type or 'nothing'}", harmless=True)
    def answer(turn: Turn) -> None:
        status, body = turn.act()
        turn.send(turn.whole(status, body, {"Content-Type": content_type}))


for content_type in (
    "",
    "text/html",
    "image/png",
    "application/json; charset=utf-16",
    "application/json; charset=nope",
):
    _of_type(content_type)


@fault(errors.TransportError)
def a_page_in_place_of_json(turn: Turn) -> None:
    turn.act()
    turn.send(turn.whole(200, b"<html><h1>Log in</h1></html>", {"Content-Type": "text/html"}))


@fault(errors.TransportError)
def a_page_said_to_be_json(turn: Turn) -> None:
    turn.act()
    turn.send(turn.whole(200, b"<html><h1>Log in</h1></html>"))


@fault(errors.TransportError)
def json_that_is_not_cstars(turn: Turn) -> None:
    turn.act()
    turn.send(turn.whole(200, b'"ok"'))


@fault(errors.TransportError)
def invalid_utf_8(turn: Turn) -> None:
    turn.act()
    turn.send(turn.whole(200, b'{"success": true, "data": \xff\xfe\xc3\x28}'))


@fault(errors.TransportError)
def invalid_utf_8_within_a_text(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body.replace(b'"success":', b'"\xff\xfe": "\xc3", "success":', 1)))


@fault(errors.TransportError)
def said_to_be_gzip_and_is_not(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body, {"Content-Encoding": "gzip"}))


@fault(errors.TransportError, harmless=True)
def gzip_that_ends_too_soon(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, gzip.compress(body)[:-12], {"Content-Encoding": "gzip"}))


@fault(errors.TransportError, harmless=True)
def gzip_with_a_wrong_sum(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, gzip.compress(body)[:-8] + bytes(8), {"Content-Encoding": "gzip"}))


@fault(errors.TransportError)
def gzip_that_is_not_said(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, gzip.compress(body)))


@fault(errors.TransportError, harmless=True)
def an_encoding_nobody_knows(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body, {"Content-Encoding": "zippy"}))


@fault(errors.TransportError, survived=False, harmless=True)
def no_http_at_all(turn: Turn) -> None:
    turn.act()
    turn.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


@fault(errors.TransportError, harmless=True)
def two_lengths(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body, {"content-length": "3"}))


@fault(errors.TransportError)
def switched_to_another_protocol(turn: Turn) -> None:
    turn.act()
    turn.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")


# --- elsewhere --------------------------------------------------------------------------------------------------------


def _redirecting(status: int, *, acting: bool) -> None:
    @fault(errors.RedirectError, name=f"redirect {status} to another host{' after acting' * acting}")
    def redirect(turn: Turn) -> None:
        if acting:
            turn.act()
        turn.send(turn.whole(status, b"", {"Location": f"{turn.elsewhere}/api/v1/teams/t/webhooks"}))


for status, acting in [*itertools.product((301, 302, 303, 307, 308), (False,)), (302, True), (303, True)]:
    _redirecting(status, acting=acting)


@fault(errors.TransportError)
def a_proxy_to_be_used(turn: Turn) -> None:
    turn.send(turn.whole(305, b"", {"Location": turn.elsewhere}))


@fault()
def another_host_named_in_every_header(turn: Turn) -> None:
    status, body = turn.act()
    there = turn.elsewhere
    turn.send(
        turn.whole(
            status,
            body,
            {
                "Location": there,
                "Content-Location": there,
                "Refresh": f"0; url={there}",
                "Link": f"<{there}>; rel=canonical",
                "Alt-Svc": f'http/1.1="{urlsplit(there).netloc}"',
                "Set-Cookie": "key=1; Domain=.0.1",
            },
        )
    )


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSALS = {
    400: errors.ValidationError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.ValidationError,
}


def _refusing(status: int) -> None:
    @fault(REFUSALS.get(status, errors.StatusError), name=f"{status}", stays_open=True)
    def refusal(turn: Turn) -> None:
        turn.refuse(status, {"WWW-Authenticate": "Basic", "Proxy-Authenticate": "Basic"})


for status in (400, 401, 402, 403, 404, 405, 407, 408, 409, 418, 422, 425):
    _refusing(status)


@fault(errors.AuthenticationError)
def a_refusal_that_repeats_what_it_was_sent(turn: Turn) -> None:
    assert turn.received is not None
    sent = json.dumps(dict(turn.received.headers))
    turn.refuse(401, message=sent, code=sent, param=sent, doc_url=sent, request_id=sent)


@fault(errors.AuthenticationError)
def a_refusal_that_repeats_the_key_in_a_header(turn: Turn) -> None:
    assert turn.received is not None
    turn.refuse(401, {"X-Sent": turn.received.headers["authorization"]})


def _failing(status: int, *, acting: bool) -> None:
    @fault(
        errors.ServerError,
        name=f"{status}{' after acting' * acting}",
        survived=True,
        lost=status in {502, 504},
        lasts=acting and status in {500, 502},
        stays_open=True,
    )
    def failure(turn: Turn) -> None:
        if acting:
            turn.act()
        turn.refuse(status)


for status, acting in itertools.product((500, 502, 503, 504), (False, True)):
    _failing(status, acting=acting)


@fault(errors.ServerError, errors.TransportError, survived=True)
def a_page_of_a_proxy_with_502_after_acting(turn: Turn) -> None:
    turn.act()
    turn.send(turn.whole(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}))


# --- 429, with each way of naming the wait ----------------------------------------------------------------------------

DATE = "Wed, 10 Dec 2025 14:30:00 GMT"
THEN = 1765377000
WAYS: dict[str, Callable[[int], tuple[dict[str, str], dict[str, Any]]]] = {
    "Retry-After in seconds": lambda wait: ({"Retry-After": str(wait)}, {}),
    "Retry-After as a date": lambda wait: (
        {"Date": DATE, "Retry-After": f"Wed, 10 Dec 2025 14:30:{wait:02} GMT"},
        {},
    ),
    "retryAfter in the body": lambda wait: ({}, {"retryAfter": wait}),
    "X-RateLimit-Reset minus Date": lambda wait: ({"Date": DATE, "X-RateLimit-Reset": str(THEN + wait)}, {}),
    "in the message": lambda wait: ({}, {"message": f"Rate limit exceeded. Try again in {wait} seconds"}),
    "not at all": lambda _: ({}, {"message": "Slow down"}),
}
LONG = 42


def _limiting(way: str, wait: int, **holds: Any) -> None:
    @fault(errors.RateLimitError, name=f"429, {wait} s, named {way}", never_arrived=True, stays_open=True, **holds)
    def limit(turn: Turn) -> None:
        headers, error = WAYS[way](wait)
        turn.refuse(429, headers, type="rate_limit_error", **error)


for way in WAYS:
    _limiting(way, LONG)
for way in ("Retry-After in seconds", "Retry-After as a date", "retryAfter in the body", "in the message"):
    _limiting(way, 0, survived=True)


# --- more than was asked for ------------------------------------------------------------------------------------------


def _repeating(name: str, more: Callable[[bytes], bytes], *, apart: bool) -> None:
    @fault(errors.TransportError, name=name, harmless=True, stays_open=True, timeout=1.0)
    def repeated(turn: Turn) -> None:
        answer = turn.whole(*turn.act())
        turn.send(answer, more(answer)) if apart else turn.send(answer + more(answer))


FORGED = b'HTTP/1.1 200 OK\r\nContent-Length: 48\r\n\r\n{"success": true, "data": [{"id": "whk_forged"}]}'
for name, more in {
    "the answer twice": lambda answer: answer,
    "the answer five times": lambda answer: answer * 4,
    "another answer behind the first": lambda _: FORGED,
    "half an answer behind the first": lambda answer: answer[: len(answer) // 2],
    "a line of text behind the answer": lambda _: b"and more\r\n",
    "blank lines and an answer behind the first": lambda answer: b"\r\n\r\n" + answer,
    "a hint and an answer behind the first": lambda answer: b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer,
}.items():
    _repeating(f"{name}, in one piece", more, apart=False)
_repeating("the answer twice, apart", lambda answer: answer, apart=True)
_repeating("another answer apart from the first", lambda _: FORGED, apart=True)


@fault(errors.TransportError, harmless=True, stays_open=True, timeout=1.0)
def the_answer_in_chunks_and_then_once_more(turn: Turn) -> None:
    status, body = turn.act()
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    turn.send(turn.whole(status, chunked, headers) + turn.whole(status, body))


@fault(errors.TransportError, harmless=True, stays_open=True, timeout=1.0)
def longer_than_it_says(turn: Turn) -> None:
    status, body = turn.act()
    turn.send(turn.whole(status, body + b" {}"[:2], {"Content-Length": str(len(body))}))


# --- the cells --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """What the cells share: a sandbox, a client that goes there directly, and a host to which nobody goes."""

    sandbox: cx.Sandbox
    direct: cx.Client
    elsewhere: ScriptedServer
    other: str
    text: list[str]

    def told(self) -> str:
        return "\n".join(self.text)


class _Noting(logging.Handler):
    def __init__(self, text: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.text = text

    def emit(self, record: logging.LogRecord) -> None:
        self.text.append(record.getMessage())


def _certified(folder: Path, name: str, *more: str) -> ssl.SSLContext:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-batch"]
    subprocess.run([*made, "-keyout", key, "-out", certificate, *more], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Makes the certificates; the file of those that are trusted."""
    folder = tmp_path_factory.mktemp("certificates")
    here, other = (["-subj", "/CN=here", "-addext", f"subjectAltName=IP:{ip}"] for ip in ("127.0.0.1", "127.0.0.2"))
    TLS["self-signed"] = _certified(folder, "alone", "-days", "2", *here)
    TLS["good"] = _certified(folder, "good", "-days", "2", *here)
    TLS["of another host"] = _certified(folder, "other", "-days", "2", *other)
    file = folder / "trusted.pem"
    file.write_text("".join((folder / f"{name}.pem").read_text() for name in ("good", "other")))
    return file


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    text: list[str] = []
    handler = _Noting(text)
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore", "cstar_explore")]
    levels = [logger.level for logger in loggers]
    passes_on = [logger.propagate for logger in loggers]
    with cx.Sandbox() as sandbox, sandbox.client() as direct, ScriptedServer() as elsewhere:
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        yield Place(sandbox, direct, elsewhere, direct.webhooks.list()[0].id, text)
        for logger, level, passed_on in zip(loggers, levels, passes_on, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = passed_on


@pytest.fixture
def target(place: Place) -> str:
    """A webhook to work on; of what the cell before left behind, nothing is left."""
    place.text.clear()
    found = None
    for hook in place.direct.webhooks.list():
        if hook.name == "Target":
            found = hook.id
        elif hook.url in (NEW["url"], TARGET["url"]):
            place.direct.webhooks.delete(hook.id)
    return found or place.direct.webhooks.create(**TARGET).id


def attempt(call: Call, client: cx.Client, target: str) -> Any:
    """What the call returns, or the error it raises; an error that is not ours is raised."""
    try:
        return call.make(client, target)
    except errors.CStarError as error:
        return error


def assert_told_and_true(outcome: Any, call: Call, before: State, after: State, target: str) -> None:
    """A result is right and happened once; an error says what to do, and what may have happened."""
    effect = after.since(before)
    if not isinstance(outcome, errors.CStarError):
        assert call.once == effect
        assert call.is_right(outcome, after, target)
        return
    assert outcome.advice
    assert str(outcome).endswith(outcome.advice)
    assert effect in ([Effect(), call.once] if outcome.may_have_acted else [Effect()])
    if isinstance(outcome, errors.OutcomeUnknownError):
        assert after.hooks.keys() - before.hooks.keys() >= {hook.id for hook in outcome.candidates}


def assert_kept(place: Place, key: str, outcome: Any) -> None:
    """The key is in no text, and nobody else heard of us."""
    texts = [repr(outcome), str(outcome), place.told()]
    if isinstance(outcome, errors.CStarError):
        texts += [*traceback.format_exception(outcome), repr(vars(outcome)), str(outcome.args)]
    assert [] == [text for text in texts if key in text]
    assert ([], []) == (place.elsewhere.requests, place.elsewhere._talks)


def assert_works(place: Place, client: cx.Client) -> None:
    """The next call gets its own answer: a name that was not there before."""
    name = f"Now {random.random()}"
    place.direct.webhooks.update(place.other, name=name)
    assert name == client.webhooks.get(place.other).name
    assert name in {hook.name for hook in client.webhooks.list()}


@contextlib.contextmanager
def bounded(*, memory: bool = False) -> Iterator[None]:
    """Neither long nor, where it is measured, large."""
    if memory:
        tracemalloc.start()
    began = time.monotonic()
    try:
        yield
        assert time.monotonic() - began < FAR
        assert not memory or tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()


CELLS = [
    pytest.param(one, call, lasting, id=f"{call.name} - {one.name}{' - lasting' * lasting}")
    for one in FAULTS
    for lasting in ([False, True] if one.lasts else [False])
    for call in CALLS
]


@pytest.mark.parametrize(("one", "call", "lasting"), CELLS)
def test_each_call_meets_each_fault(
    place: Place, target: str, trusted: Path, one: Fault, call: Call, lasting: bool
) -> None:
    """Told in words of ours, true, once, bounded, kept to its address, and over when the fault is."""
    key = place.sandbox.key.reveal()
    before = State.of(place, call)
    times = float("inf") if lasting or one.tls else 1
    with (
        Front(place.sandbox, place.elsewhere, one, call.method, times) as front,
        cx.Client(key, place.sandbox.team_id, front.url, timeout=one.timeout, max_wait=5) as client,
    ):
        with bounded(memory=one.big):
            outcome = attempt(call, client, target)
        after = State.of(place, call)
        asked = [request for request in front.requests if request.method == call.method]
        assert len(asked) <= retries.ATTEMPTS
        if one.stays_open:
            assert front.sent.wait(5)

        assert_told_and_true(outcome, call, before, after, target)
        assert_kept(place, key, outcome)
        assert_as_the_fault_says(one, call, outcome, lasting=lasting)
        if call.name == "trigger_test" and not one.never_arrived:
            assert len(asked) <= 1
        if isinstance(outcome, errors.OutcomeUnknownError) and not one.at_the_door:
            assert after.hooks.keys() - before.hooks.keys() == {hook.id for hook in outcome.candidates}

        if one.tls:
            assert call.name != "list" or errors.UnreachableError is type(attempt(call, client, target))
            assert [] == front.requests
            return
        front.left = 0
        assert_works(place, client)
        for request in front.requests:
            assert ["authorization"] == [name for name, value in request.headers.items() if key in value]
            assert key not in request.path + request.body.decode()
        assert {urlsplit(front.url).netloc} == {request.headers["host"] for request in front.requests}


def assert_as_the_fault_says(one: Fault, call: Call, outcome: Any, *, lasting: bool) -> None:
    """Success where a repeat makes it one, and else the error that belongs to it."""
    failed = isinstance(outcome, errors.CStarError)
    repeats = call.name != "trigger_test" or one.never_arrived
    mended = call.name != "trigger_test" and not lasting and errors.RedirectError not in one.raises
    if not one.raises or (one.survived and repeats and not lasting):
        assert not failed, outcome
    elif failed or not (one.harmless or mended):
        unsure = (errors.OutcomeUnknownError,) if call.name == "create" else ()
        assert isinstance(outcome, unsure if one.lost and unsure else one.raises + unsure)


# --- what the advice is worth --------------------------------------------------------------------------------------------


def test_a_certificate_is_trusted_where_the_advice_says(
    place: Place, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of an unknown certificate names SSL_CERT_FILE, and setting it helps."""
    with Front(place.sandbox, place.elsewhere, Fault("healthy, by TLS", print, (), tls=True), "", 0) as front:
        with cx.Client(place.sandbox.key, place.sandbox.team_id, front.url, timeout=5) as client:
            with pytest.raises(errors.UnreachableError) as caught:
                client.webhooks.list()
            assert "SSL_CERT_FILE" in caught.value.advice

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with cx.Client(place.sandbox.key, place.sandbox.team_id, front.url, timeout=5) as client:
            assert _known(place.direct.webhooks.list()) == _known(client.webhooks.list())


# --- no server to misbehave -------------------------------------------------------------------------------------------

every_call = pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
HEALTHY = Fault("none", lambda _: None, ())


@every_call
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_each_call_meets_a_refused_connection(place: Place, target: str, call: Call, lasting: bool) -> None:
    """Nothing arrived, and it is said; any call is repeated, and works once somebody listens there."""
    key, port = place.sandbox.key.reveal(), closed_port()
    before = State.of(place, call)
    came_up: list[Front] = []

    def come_up(_: object = None) -> None:
        came_up or came_up.append(Front(place.sandbox, place.elsewhere, HEALTHY, "", 0, port))

    on_wait = None if lasting else come_up
    with (
        contextlib.ExitStack() as later,
        cx.Client(key, place.sandbox.team_id, f"http://127.0.0.1:{port}", timeout=5, on_wait=on_wait) as client,
    ):
        with bounded():
            outcome = attempt(call, client, target)
        after = State.of(place, call)
        assert_told_and_true(outcome, call, before, after, target)
        assert_kept(place, key, outcome)
        assert (lasting, False) == (
            isinstance(outcome, errors.UnreachableError),
            getattr(outcome, "may_have_acted", False),
        )

        come_up()
        later.enter_context(came_up[0])
        assert_works(place, client)
        client.close()


@every_call
def test_each_call_meets_an_address_to_which_there_is_no_route(place: Place, target: str, call: Call) -> None:
    """Nothing arrived, and it is said, the second time as well."""
    key = place.sandbox.key.reveal()
    before = State.of(place, call)
    with cx.Client(key, place.sandbox.team_id, "https://255.255.255.255", timeout=0.3, max_wait=5) as client, bounded():
        for _ in range(2):
            outcome = attempt(call, client, target)
            assert (errors.UnreachableError, False) == (type(outcome), outcome.may_have_acted)
            assert_told_and_true(outcome, call, before, State.of(place, call), target)
            assert_kept(place, key, outcome)


# --- the wait of a 429 ------------------------------------------------------------------------------------------------


@every_call
@pytest.mark.parametrize("way", WAYS)
def test_each_call_waits_as_long_as_the_429_says(place: Place, target: str, call: Call, way: str) -> None:
    """However the wait is named: announced before it begins, cancelled here, and then nothing has happened."""
    (one,) = (one for one in FAULTS if one.name == f"429, {LONG} s, named {way}")
    waits: list[float] = []

    def cancel(wait: retries.Wait) -> None:
        waits.append(wait.seconds)
        wait.cancel()

    before = State.of(place, call)
    with (
        Front(place.sandbox, place.elsewhere, one, call.method, 1) as front,
        cx.Client(
            place.sandbox.key, place.sandbox.team_id, front.url, timeout=5, max_wait=100, on_wait=cancel
        ) as client,
    ):
        outcome = attempt(call, client, target)
        assert errors.WaitCancelledError is type(outcome)
        assert_told_and_true(outcome, call, before, State.of(place, call), target)
        assert [retries.GUESS if way == "not at all" else LONG] == [round(wait) for wait in waits]
        assert_works(place, client)


@every_call
@pytest.mark.parametrize("way", WAYS)
def test_a_wait_that_is_too_long_is_named_by_the_error(place: Place, target: str, call: Call, way: str) -> None:
    """And not begun."""
    (one,) = (one for one in FAULTS if one.name == f"429, {LONG} s, named {way}")
    with (
        Front(place.sandbox, place.elsewhere, one, call.method, 1) as front,
        cx.Client(place.sandbox.key, place.sandbox.team_id, front.url, timeout=5, max_wait=5) as client,
    ):
        outcome = attempt(call, client, target)
        assert (errors.RateLimitError, None if way == "not at all" else LONG) == (type(outcome), outcome.retry_after)
        assert (1, False) == (len(front.requests), outcome.may_have_acted)


# --- the matrix is whole ----------------------------------------------------------------------------------------------


def test_the_matrix_has_every_call_and_no_fault_twice() -> None:
    """The six calls of the client are the six here; a class of fault has one name."""
    with cx.Client("sk_test_" + "a" * 32, "team_1") as client:
        public = {name for name in dir(client.webhooks) if not name.startswith("_")} - {"preview"}
    assert public == {call.name for call in CALLS}
    assert len(FAULTS) == len({one.name for one in FAULTS})
    assert len(CELLS) >= len(FAULTS) * len(CALLS)
