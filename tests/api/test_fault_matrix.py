"""The fault matrix: each of the six calls with each kind of fault, in a server in front of a real sandbox.

A fault is a function that defines what the server does; its decorator defines the expected outcome. The cells are generated.
Each fault is tried with a call that may be repeated without harm and with one that may not, one of many similar faults with one
of all calls, and in `make nightly` each with all of them.
In each of them, whatever goes wrong:

- the call returns the correct result, or raises an error of the package with advice;
- the call takes effect once or not at all, and not at all if the error reports that;
- time and memory are bounded;
- the key is sent to its own address only, and is in no text;
- the next call on the same client gets its own response.
"""

import contextlib
import gzip
import http.client
import itertools
import json
import logging
import random
import re
import socket
import ssl
import struct
import threading
import time
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
from tests.support.certificates import server_context
from tests.support.reports import texts_of
from tests.support.sampling import NIGHTLY, sample
from tests.support.scripted_server import RecordedRequest, ScriptedServer, closed_port

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
TARGET = {"name": "Target", "url": "https://example.com/target", "events": "ticket.created"}
SHORT_TIMEOUT = 0.25
"""Seconds for an attempt at a slow server."""

MEMORY_LIMIT = 4 * 64 * 2**20
"""Bytes: the largest response that is read, and copies of it."""

TIME_LIMIT = 30.0
"""Seconds. No call comes near it unless it waits for the server without a limit."""


# --- the six calls ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """How many webhooks were created, changed and deleted, events fired and writes made in the sandbox."""

    created: int = 0
    changed: int = 0
    deleted: int = 0
    fired: int = 0
    writes: int = 0


@dataclass(frozen=True)
class Call:
    """One of the six calls, on an existing webhook.

    `effect` is that of one call; `is_correct` compares its result with the sandbox's state after it.
    """

    name: str
    method: str
    effect: Effect
    run: Callable[[cx.Client, str], Any]
    is_correct: Callable[[Any, "State", str], bool]


CALLS = [
    Call(
        "list",
        "GET",
        Effect(),
        lambda client, _: client.webhooks.list(),
        lambda result, state, _: state.webhooks == _by_id(result),
    ),
    Call(
        "get",
        "GET",
        Effect(),
        lambda client, target: client.webhooks.get(target),
        lambda result, state, target: {target: state.webhooks[target]} == _by_id([result]),
    ),
    Call(
        "create",
        "POST",
        Effect(created=1, writes=1),
        lambda client, _: client.webhooks.create(**NEW),
        lambda result, state, _: (
            state.webhooks[result.id][:2] == (NEW["name"], NEW["url"]) and result.secret is not None
        ),
    ),
    Call(
        "update",
        "PATCH",
        Effect(changed=1, writes=1),
        lambda client, target: client.webhooks.update(target, name="Changed"),
        lambda result, state, target: {target: state.webhooks[target]} == _by_id([result]) and result.name == "Changed",
    ),
    Call(
        "delete",
        "DELETE",
        Effect(deleted=1, writes=1),
        lambda client, target: client.webhooks.delete(target),
        lambda result, state, target: result is None and target not in state.webhooks,
    ),
    Call(
        "trigger_test",
        "POST",
        Effect(fired=1, writes=1),
        lambda client, _: client.webhooks.trigger_test("ticket.created"),
        lambda result, state, _: result.event_id in state.fired,
    ),
]


def _by_id(webhooks: Any) -> dict[str, tuple[Any, ...]]:
    return {
        webhook.id: (webhook.name, webhook.url, frozenset(webhook.events or ()), webhook.is_active)
        for webhook in webhooks
    }


@dataclass(frozen=True)
class State:
    """Everything in the sandbox that the six calls can change. Its clock advances by one second with each write."""

    webhooks: Mapping[str, tuple[Any, ...]]
    fired: frozenset[str]
    time: Any

    @classmethod
    def of(cls, setup: "Setup", call: Call) -> "State":
        fired = setup.sandbox.deliveries()["event_id"] if call.effect.fired else ()  # other calls fire nothing
        return cls(_by_id(setup.direct.webhooks.list()), frozenset(fired), setup.sandbox.clock.now)

    def since(self, before: "State") -> Effect:
        in_both = self.webhooks.keys() & before.webhooks.keys()
        return Effect(
            len(self.webhooks.keys() - before.webhooks.keys()),
            sum(self.webhooks[webhook_id] != before.webhooks[webhook_id] for webhook_id in in_both),
            len(before.webhooks.keys() - self.webhooks.keys()),
            len(self.fired - before.fired),
            round((self.time - before.time).total_seconds()),
        )


# --- the server in front of the sandbox -------------------------------------------------------------------------------


class Exchange:
    """A request, or a connection before its first request, and what a fault can do with it."""

    def __init__(
        self, server: "FaultyServer", connection: socket.socket, request: RecordedRequest | None = None
    ) -> None:
        self.server = server
        self.connection = connection
        self.request = request
        self.other_url = server.other_host.url

    def forward(self) -> tuple[int, bytes]:
        """Sends the request to the sandbox, which acts on it. Returns its status and body."""
        assert self.request is not None
        netloc = urlsplit(self.server.sandbox.base_url).netloc
        with contextlib.closing(http.client.HTTPConnection(netloc)) as upstream:
            headers = {name: value for name, value in self.request.headers.items() if name != "host"}
            upstream.request(self.request.method, self.request.path, self.request.body or None, headers)
            response = upstream.getresponse()
            return response.status, response.read()

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.connection.sendall(piece)

    def flood(self, piece: bytes, pause: float = 0.0) -> None:
        """Sends the same bytes again and again until the client disconnects."""
        while True:
            self.connection.sendall(piece)
            if pause:
                time.sleep(pause)

    def response(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes of a response. A header with an empty value is omitted."""
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body))} | dict(headers or {})
        lines = [f"HTTP/1.1 {status} As-Scripted", *(f"{name}: {value}" for name, value in fields.items() if value)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def refuse(self, status: int, headers: Mapping[str, str] | None = None, **error: Any) -> None:
        """Sends an error in cStar's envelope."""
        fields = {"type": "api_error", "code": "scripted", "message": f"Refused with {status}"} | error
        self.send(self.response(status, json.dumps({"success": False, "error": fields}).encode(), headers))

    def reset(self) -> None:
        """Resets the connection."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class FaultyServer(ScriptedServer):
    """Forwards requests to the sandbox, except those that the fault applies to: the first `times` with this method."""

    def __init__(
        self,
        sandbox: cx.Sandbox,
        other_host: ScriptedServer,
        fault: "Fault",
        method: str,
        times: float,
        port: int = 0,
    ) -> None:
        self.sandbox = sandbox
        self.other_host = other_host
        self.fault = fault
        self.method = method
        self.times = times
        self.counting = threading.Lock()
        self.sent = threading.Event()
        super().__init__(*[self._respond] * 500, port=port)
        self.url = self.url.replace("http:", "https:") if fault.tls else self.url

    def _applies(self, method: str | None) -> bool:
        with self.counting:
            applies = self.times > 0 and (method is None) == self.fault.on_connect and method in (None, self.method)
            self.times -= applies
            return applies

    def _handle(self, connection: socket.socket) -> None:
        if self._applies(None):
            with contextlib.suppress(OSError), contextlib.closing(connection):
                self.fault.run(Exchange(self, connection))
            return
        if self.fault.tls:
            try:
                connection = TLS["good"].wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        super()._handle(connection)

    def _respond(self, connection: socket.socket, request: RecordedRequest) -> bool:
        exchange = Exchange(self, connection, request)
        if self._applies(request.method):
            self.fault.run(exchange)
            self.sent.set()
            return self.fault.keeps_open
        exchange.send(exchange.response(*exchange.forward()))
        return True


@dataclass(frozen=True)
class Fault:
    """What a server does, and what is expected.

    Attributes:
        raises: The errors if the fault lasts, or at once if it is not `transient`; empty if it does no harm.
        readable: A correct result may be read from the response as well.
        transient: A single fault is retried unnoticed, except by trigger_test, which is retried only if it `never_arrived`.
        lost: A create raises OutcomeUnknownError.
        also_lasting: A second cell in which the fault lasts is generated.
        on_connect: The fault happens before a request is read.
        large: Memory is measured.
        keeps_open: The connection stays open.
        similar: One of many faults that differ in a detail.
    """

    name: str
    run: Callable[[Exchange], Any]
    raises: tuple[type[errors.CStarError], ...]
    transient: bool = False
    never_arrived: bool = False
    lost: bool = False
    readable: bool = False
    also_lasting: bool = False
    on_connect: bool = False
    tls: bool = False
    large: bool = False
    keeps_open: bool = False
    similar: bool = False
    timeout: float = 5.0


FAULTS: list[Fault] = []


def fault(*raises: type[errors.CStarError], name: str | None = None, **expected: Any) -> Callable[[Any], Any]:
    """Adds a fault to the matrix."""

    def add(run: Callable[[Exchange], Any]) -> Callable[[Exchange], Any]:
        FAULTS.append(Fault((name or run.__name__).replace("_", " "), run, raises, **expected))
        return run

    return add


# --- connections that fail --------------------------------------------------------------------------------


# Whether the request is sent before the client notices is left to the network. If it is not, every call is retried.
@fault(
    errors.ConnectionLostError,
    errors.UnreachableError,
    transient=True,
    readable=True,
    on_connect=True,
    also_lasting=True,
)
def reset_before_the_request(exchange: Exchange) -> None:
    exchange.reset()


@fault(errors.ConnectionLostError, errors.UnreachableError, transient=True, readable=True, on_connect=True)
def closed_before_the_request(exchange: Exchange) -> None:
    exchange.connection.close()


@fault(errors.ConnectionLostError, transient=True, lost=True)
def reset_after_the_request_without_acting(exchange: Exchange) -> None:
    exchange.reset()


@fault(errors.ConnectionLostError, transient=True, lost=True, also_lasting=True)
def reset_after_acting(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


@fault(errors.ConnectionLostError, transient=True, lost=True)
def closed_after_acting(exchange: Exchange) -> None:
    exchange.forward()


@fault(keeps_open=False)
def response_and_then_closed(exchange: Exchange) -> None:
    exchange.send(exchange.response(*exchange.forward()))


# --- TLS --------------------------------------------------------------------------------------------------------------

TLS: dict[str, ssl.SSLContext] = {}
"""Contexts of servers; filled by the fixture that makes their certificates."""

tls_fault: Any = lambda **expected: fault(  # noqa: E731
    errors.UnreachableError, on_connect=True, tls=True, never_arrived=True, **expected
)


@tls_fault()
def plain_http_at_an_https_address(exchange: Exchange) -> None:
    exchange.send(exchange.response(200, b'{"success": true, "data": []}'))
    exchange.connection.recv(65536)


def _add_certificate(name: str) -> None:
    @tls_fault(name=f"TLS certificate {name}")
    def handshake(exchange: Exchange) -> None:
        with TLS[name].wrap_socket(exchange.connection, server_side=True) as wrapped:
            wrapped.recv(65536)


for certificate in ("self-signed", "of another host"):
    _add_certificate(certificate)


@tls_fault()
def tls_handshake_reset(exchange: Exchange) -> None:
    exchange.connection.recv(16)
    exchange.reset()


@tls_fault(timeout=SHORT_TIMEOUT / 2)
def tls_handshake_byte_by_byte(exchange: Exchange) -> None:
    exchange.send(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03")
    exchange.flood(b"\x00", 0.02)


# --- slow -------------------------------------------------------------------------------------------------------------

slow: Any = lambda **expected: fault(  # noqa: E731
    errors.ResponseTimeoutError, transient=True, lost=True, timeout=SHORT_TIMEOUT, **expected
)


@slow(also_lasting=True)
def headers_byte_by_byte(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    exchange.flood(b"a", 0.02)


@slow()
def body_byte_by_byte(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    exchange.flood(b" ", 0.02)


@slow()
def no_response(exchange: Exchange) -> None:
    exchange.forward()
    exchange.connection.recv(1)


@slow()
def small_chunks_without_end(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    exchange.flood(b"1\r\n \r\n", 0.02)


@slow()
def early_hints_without_a_response(exchange: Exchange) -> None:
    exchange.forward()
    exchange.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02)


@slow()
def flood_of_early_hints(exchange: Exchange) -> None:
    exchange.forward()
    exchange.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 500)


@slow()
def gzip_body_byte_by_byte(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000000\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\xff"
    )
    exchange.flood(b"a", 0.02)


# --- truncated or too large ----------------------------------------------------------------------------------------------


@fault(errors.ConnectionLostError, transient=True, lost=True, also_lasting=True)
def truncated_in_the_body(exchange: Exchange) -> None:
    exchange.send(exchange.response(*exchange.forward())[:-10])


@fault(errors.ConnectionLostError, transient=True, lost=True)
def truncated_in_the_headers(exchange: Exchange) -> None:
    exchange.send(exchange.response(*exchange.forward())[:30])


@fault(errors.ConnectionLostError, transient=True, lost=True)
def truncated_in_a_chunk(exchange: Exchange) -> None:
    _, body = exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % (len(body) + 5) + body)


@fault(errors.TransportError)
def half_the_json_with_its_length(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body[: len(body) // 2]))


@fault(errors.TransportError)
def empty_body(exchange: Exchange) -> None:
    exchange.send(exchange.response(exchange.forward()[0], b""))


@fault(errors.InvalidResponseError, lost=False, large=True)
def oversized(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    exchange.flood(b" " * 2**20)


@fault(errors.TransportError, large=True)
def content_length_of_a_petabyte(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n{")


@fault(errors.TransportError, large=True)
def header_without_end(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    exchange.flood(b"a" * 65536)


@fault(errors.TransportError, large=True)
def trailers_without_end(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
    exchange.flood(b"X-More: y\r\n" * 5000)


def _add_bomb(encoding: str, body: bytes) -> None:
    @fault(errors.InvalidResponseError, name=f"bomb in {encoding}", large=True)
    def bomb(exchange: Exchange) -> None:
        exchange.forward()
        exchange.send(exchange.response(200, body, {"Content-Encoding": encoding}))


def _endless(window: int, head: bytes, megabytes: int) -> bytes:
    """Megabytes of spaces, compressed as one block again and again. It has no end; no reader should get there."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window)
    block = compressor.compress(b" " * 2**20) + compressor.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes


HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
INNER = _endless(-15, HEAD, 256)
for encoding, bomb in {
    "gzip": _endless(-15, HEAD, 512),
    "deflate": _endless(-15, b"\x78\x9c", 512),
    "gzip, gzip": gzip.compress(INNER),
    "br": b"\x5b\xff\xff\x3f" * 2**10,
    "zstd": b"\x28\xb5\x2f\xfd" * 2**10,
}.items():
    _add_bomb(encoding, bomb)


# --- wrong content types and encodings -------------------------------------------------------------------------------------------


def _add_content_type(content_type: str) -> None:
    @fault(
        errors.InvalidResponseError, name=f"JSON as {content_type or 'no content type'}", readable=True, similar=True
    )
    def labelled(exchange: Exchange) -> None:
        status, body = exchange.forward()
        exchange.send(exchange.response(status, body, {"Content-Type": content_type}))


for content_type in (
    "",
    "text/html",
    "image/png",
    "application/json; charset=utf-16",
    "application/json; charset=nope",
):
    _add_content_type(content_type)


@fault(errors.TransportError)
def html_instead_of_json(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.response(200, b"<html><h1>Log in</h1></html>", {"Content-Type": "text/html"}))


@fault(errors.TransportError)
def html_as_json(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.response(200, b"<html><h1>Log in</h1></html>"))


@fault(errors.TransportError)
def json_that_is_not_cstars(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.response(200, b'"ok"'))


@fault(errors.TransportError)
def invalid_utf_8(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.response(200, b'{"success": true, "data": \xff\xfe\xc3\x28}'))


@fault(errors.TransportError)
def invalid_utf_8_within_text(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body.replace(b'"success":', b'"\xff\xfe": "\xc3", "success":', 1)))


@fault(errors.TransportError)
def not_gzip(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body, {"Content-Encoding": "gzip"}))


@fault(errors.TransportError, readable=True)
def gzip_cut_short(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, gzip.compress(body)[:-12], {"Content-Encoding": "gzip"}))


@fault(errors.TransportError, readable=True)
def gzip_with_a_wrong_checksum(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, gzip.compress(body)[:-8] + bytes(8), {"Content-Encoding": "gzip"}))


@fault(errors.TransportError)
def gzip_without_content_encoding(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, gzip.compress(body)))


@fault(errors.TransportError, readable=True)
def unknown_encoding(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body, {"Content-Encoding": "zippy"}))


@fault(errors.TransportError, transient=False, readable=True)
def not_http(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"\x16\x03\x01 this is not HTTP\r\n\r\n")


@fault(errors.TransportError, readable=True)
def two_content_lengths(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body, {"content-length": "3"}))


@fault(errors.TransportError)
def switch_to_another_protocol(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")


# --- other hosts --------------------------------------------------------------------------------------------------------


def _add_redirect(status: int, *, acting: bool) -> None:
    @fault(errors.RedirectError, name=f"redirect {status} to another host{' after acting' * acting}")
    def redirect(exchange: Exchange) -> None:
        if acting:
            exchange.forward()
        exchange.send(exchange.response(status, b"", {"Location": f"{exchange.other_url}/api/v1/teams/t/webhooks"}))


for status, acting in [*itertools.product((301, 302, 303, 307, 308), (False,)), (302, True), (303, True)]:
    _add_redirect(status, acting=acting)


@fault(errors.TransportError)
def use_proxy_305(exchange: Exchange) -> None:
    exchange.send(exchange.response(305, b"", {"Location": exchange.other_url}))


@fault()
def another_host_in_every_header(exchange: Exchange) -> None:
    status, body = exchange.forward()
    other_url = exchange.other_url
    exchange.send(
        exchange.response(
            status,
            body,
            {
                "Location": other_url,
                "Content-Location": other_url,
                "Refresh": f"0; url={other_url}",
                "Link": f"<{other_url}>; rel=canonical",
                "Alt-Svc": f'http/1.1="{urlsplit(other_url).netloc}"',
                "Set-Cookie": "key=1; Domain=.0.1",
            },
        )
    )


# --- error responses ---------------------------------------------------------------------------------------------------------

REFUSALS = {
    400: errors.ValidationError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.ValidationError,
}


def _add_refusal(status: int) -> None:
    @fault(REFUSALS.get(status, errors.StatusError), name=f"{status}", keeps_open=True, similar=True)
    def refusal(exchange: Exchange) -> None:
        exchange.refuse(status, {"WWW-Authenticate": "Basic", "Proxy-Authenticate": "Basic"})


for status in (400, 401, 402, 403, 404, 405, 407, 408, 409, 418, 422, 425):
    _add_refusal(status)


@fault(errors.AuthenticationError)
def error_with_all_request_headers(exchange: Exchange) -> None:
    assert exchange.request is not None
    sent = json.dumps(dict(exchange.request.headers))
    exchange.refuse(401, message=sent, code=sent, param=sent, doc_url=sent, request_id=sent)


@fault(errors.AuthenticationError)
def error_with_the_key_in_a_header(exchange: Exchange) -> None:
    assert exchange.request is not None
    exchange.refuse(401, {"X-Sent": exchange.request.headers["authorization"]})


def _add_failure(status: int, *, acting: bool) -> None:
    @fault(
        errors.ServerError,
        name=f"{status}{' after acting' * acting}",
        transient=True,
        lost=status in {502, 504},
        also_lasting=acting and status in {500, 502},
        keeps_open=True,
    )
    def failure(exchange: Exchange) -> None:
        if acting:
            exchange.forward()
        exchange.refuse(status)


for status, acting in itertools.product((500, 502, 503, 504), (False, True)):
    _add_failure(status, acting=acting)


@fault(errors.ServerError, errors.TransportError, transient=True)
def html_511_of_a_captive_portal(exchange: Exchange) -> None:
    exchange.send(exchange.response(511, b"<html>Sign in to the network</html>", {"Content-Type": "text/html"}))


@fault(errors.ServerError, errors.TransportError, transient=True)
def html_502_of_a_proxy_after_acting(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.response(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}))


# --- responses of another server ---------------------------------------------------------------------------------------

FOREIGN = {
    "HTML": ("text/html", b"<html><h1>Sign in to the network</h1></html>"),
    "JSON": ("application/json", b'{"message": "no Route matched with those values"}'),
}


def _add_foreign(status: int, label: str, *, acting: bool) -> None:
    content_type, body = FOREIGN[label]

    @fault(errors.InvalidResponseError, name=f"foreign {status} {label}{' after acting' * acting}", similar=True)
    def foreign(exchange: Exchange) -> None:
        if acting:
            exchange.forward()
        exchange.send(exchange.response(status, body, {"Content-Type": content_type}))


for status, label in itertools.product((200, 401, 403, 404, 409), FOREIGN):
    _add_foreign(status, label, acting=False)
_add_foreign(404, "HTML", acting=True)


# --- fields spelled otherwise ------------------------------------------------------------------------------------------


def _in_snake_case(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_snake_case(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("(?<=[a-z])(?=[A-Z])", "_", key).lower(): _in_snake_case(part) for key, part in value.items()}


@fault(keeps_open=True)
def fields_in_snake_case(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, json.dumps(_in_snake_case(json.loads(body))).encode()))


# --- 429, with each way to name the wait ----------------------------------------------------------------------------

DATE = "Wed, 10 Dec 2025 14:30:00 GMT"
DATE_SECONDS = 1765377000
WAYS: dict[str, Callable[[int], tuple[dict[str, str], dict[str, Any]]]] = {
    "Retry-After in seconds": lambda wait: ({"Retry-After": str(wait)}, {}),
    "Retry-After as a date": lambda wait: (
        {"Date": DATE, "Retry-After": f"Wed, 10 Dec 2025 14:30:{wait:02} GMT"},
        {},
    ),
    "retryAfter in the body": lambda wait: ({}, {"retryAfter": wait}),
    "X-RateLimit-Reset minus Date": lambda wait: ({"Date": DATE, "X-RateLimit-Reset": str(DATE_SECONDS + wait)}, {}),
    "in the message": lambda wait: ({}, {"message": f"Rate limit exceeded. Try again in {wait} seconds"}),
    "not at all": lambda _: ({}, {"message": "Slow down"}),
}
LONG_WAIT = 42


def _add_limit(way: str, wait: int, **expected: Any) -> None:
    @fault(
        errors.RateLimitError,
        name=f"429, {wait} s, {way}",
        never_arrived=True,
        keeps_open=True,
        similar=True,
        **expected,
    )
    def limit(exchange: Exchange) -> None:
        headers, error = WAYS[way](wait)
        exchange.refuse(429, headers, type="rate_limit_error", **error)


for way in WAYS:
    _add_limit(way, LONG_WAIT)
for way in [way for way in WAYS if way != "not at all"]:
    _add_limit(way, 0, transient=True)


# --- more than one response ------------------------------------------------------------------------------------------


def _add_repeated(name: str, more: Callable[[bytes], bytes], *, apart: bool) -> None:
    @fault(errors.TransportError, name=name, readable=True, keeps_open=True, similar=True, timeout=1.0)
    def repeated(exchange: Exchange) -> None:
        response = exchange.response(*exchange.forward())
        exchange.send(response, more(response)) if apart else exchange.send(response + more(response))


FORGED = b'HTTP/1.1 200 OK\r\nContent-Length: 48\r\n\r\n{"success": true, "data": [{"id": "whk_forged"}]}'
for name, more in {
    "response twice": lambda response: response,
    "response five times": lambda response: response * 4,
    "another response after it": lambda _: FORGED,
    "half a response after it": lambda response: response[: len(response) // 2],
    "a line of text after it": lambda _: b"and more\r\n",
    "blank lines and a response after it": lambda response: b"\r\n\r\n" + response,
    "early hints and a response after it": lambda response: b"HTTP/1.1 103 Early Hints\r\n\r\n" + response,
}.items():
    _add_repeated(f"{name}, in one piece", more, apart=False)
_add_repeated("response twice, sent separately", lambda response: response, apart=True)
_add_repeated("another response, sent separately", lambda _: FORGED, apart=True)


@fault(errors.TransportError, readable=True, keeps_open=True, timeout=1.0)
def chunked_response_and_another(exchange: Exchange) -> None:
    status, body = exchange.forward()
    chunked = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    headers = {"Content-Length": "", "Transfer-Encoding": "chunked"}
    exchange.send(exchange.response(status, chunked, headers) + exchange.response(status, body))


@fault(errors.TransportError, readable=True, keeps_open=True, timeout=1.0)
def longer_than_its_content_length(exchange: Exchange) -> None:
    status, body = exchange.forward()
    exchange.send(exchange.response(status, body + b" {}"[:2], {"Content-Length": str(len(body))}))


# --- the cells --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Setup:
    """What the cells share: a sandbox, a client that reaches it directly, and a host that no request may reach."""

    sandbox: cx.Sandbox
    direct: cx.Client
    other_host: ScriptedServer
    other_webhook: str
    log: list[str]


class _LogTo(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Creates the certificates. Returns the file with those that may be trusted."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, ip in (("self-signed", "127.0.0.1"), ("good", "127.0.0.1"), ("of another host", "127.0.0.2")):
        TLS[name] = server_context(folder / f"{name}.pem", f"IP:{ip}")
    file = folder / "trusted.pem"
    file.write_text("".join((folder / f"{name}.pem").read_text() for name in ("good", "of another host")))
    return file


@pytest.fixture(scope="module")
def setup() -> Iterator[Setup]:
    lines: list[str] = []
    handler = _LogTo(lines)
    loggers = [logging.getLogger(name) for name in ("httpx", "httpcore", "cstar_explore")]
    levels = [logger.level for logger in loggers]
    propagate = [logger.propagate for logger in loggers]
    with cx.Sandbox() as sandbox, sandbox.client() as direct, ScriptedServer() as other_host:
        for logger in loggers:
            logger.addHandler(handler)
            logger.setLevel(logging.DEBUG)
            logger.propagate = False
        yield Setup(sandbox, direct, other_host, direct.webhooks.list()[0].id, lines)
        for logger, level, propagated in zip(loggers, levels, propagate, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagated


@pytest.fixture
def target(setup: Setup) -> str:
    """The ID of a webhook to call. Deletes what earlier cells created."""
    setup.log.clear()
    webhook_id = None
    for webhook in setup.direct.webhooks.list():
        if webhook.name == "Target":
            webhook_id = webhook.id
        elif webhook.url in (NEW["url"], TARGET["url"]):
            setup.direct.webhooks.delete(webhook.id)
    return webhook_id or setup.direct.webhooks.create(**TARGET).id


def outcome_of(call: Call, client: cx.Client, target: str) -> Any:
    """What the call returns, or the error of the package that it raises. Other errors are raised."""
    try:
        return call.run(client, target)
    except errors.CStarError as error:
        return error


def assert_outcome_is_true(outcome: Any, call: Call, before: State, after: State, target: str) -> None:
    """A result is correct, and the call took effect once. An error has advice and reports whether it may have."""
    effect = after.since(before)
    if not isinstance(outcome, errors.CStarError):
        assert call.effect == effect
        assert call.is_correct(outcome, after, target)
        return
    assert outcome.advice
    assert str(outcome).endswith(outcome.advice)
    assert effect in ([Effect(), call.effect] if outcome.may_have_acted else [Effect()])
    if isinstance(outcome, errors.OutcomeUnknownError):
        created = after.webhooks.keys() - before.webhooks.keys()
        assert created >= {webhook.id for webhook in outcome.candidates}


def assert_no_leak(setup: Setup, key: str, outcome: Any) -> None:
    """The key is in no text, and the other host received nothing."""
    texts = [repr(outcome), str(outcome), "\n".join(setup.log)]
    if isinstance(outcome, errors.CStarError):
        texts += texts_of(outcome)
    assert [] == [text for text in texts if key in text]
    assert ([], []) == (setup.other_host.requests, setup.other_host._handlers)


def assert_next_calls_work(setup: Setup, client: cx.Client) -> None:
    """They get their own responses, with a name that is new."""
    name = f"Now {random.random()}"
    setup.direct.webhooks.update(setup.other_webhook, name=name)
    assert name == client.webhooks.get(setup.other_webhook).name
    assert name in {webhook.name for webhook in client.webhooks.list()}


@contextlib.contextmanager
def bounded(*, memory: bool = False) -> Iterator[None]:
    """Limits time, and memory if it is measured."""
    if memory:
        tracemalloc.start()
    started = time.monotonic()
    try:
        yield
        assert time.monotonic() - started < TIME_LIMIT
        assert not memory or tracemalloc.get_traced_memory()[1] < MEMORY_LIMIT
    finally:
        tracemalloc.stop()


def calls_for(fault_: Fault, *, lasting: bool) -> list[Call]:
    """The calls to try the fault with."""
    unrepeatable = [call for call in CALLS if call.method == "POST"]
    repeatable = [call for call in CALLS if call not in unrepeatable]
    kinds = [CALLS] if fault_.similar else [repeatable, unrepeatable]
    return [call for kind in kinds for call in sample(kind, 1, name=f"{fault_.name} {lasting}")]


CELLS = [
    pytest.param(fault_, call, lasting, id=f"{call.name} - {fault_.name}{' - lasting' * lasting}")
    for fault_ in FAULTS
    for lasting in ([False, True] if fault_.also_lasting else [False])
    for call in calls_for(fault_, lasting=lasting)
]


@pytest.mark.parametrize(("fault_", "call", "lasting"), CELLS)
def test_each_call_with_each_fault(
    setup: Setup, target: str, trusted: Path, fault_: Fault, call: Call, lasting: bool
) -> None:
    """The outcome is true, happens once, is bounded, leaks nothing, and does not affect the next call."""
    key = setup.sandbox.key.reveal()
    before = State.of(setup, call)
    times = float("inf") if lasting or fault_.tls else 1
    with (
        FaultyServer(setup.sandbox, setup.other_host, fault_, call.method, times) as server,
        cx.Client(key, setup.sandbox.team_id, server.url, timeout=fault_.timeout, max_wait=5) as client,
    ):
        with bounded(memory=fault_.large):
            outcome = outcome_of(call, client, target)
        after = State.of(setup, call)
        attempts = [request for request in server.requests if request.method == call.method]
        assert len(attempts) <= retries.ATTEMPTS
        if fault_.keeps_open:
            assert server.sent.wait(5)

        assert_outcome_is_true(outcome, call, before, after, target)
        assert_no_leak(setup, key, outcome)
        assert_outcome_is_expected(fault_, call, outcome, lasting=lasting)
        if call.name == "trigger_test" and not fault_.never_arrived:
            assert len(attempts) <= 1
        if isinstance(outcome, errors.OutcomeUnknownError) and not fault_.on_connect:
            created = after.webhooks.keys() - before.webhooks.keys()
            assert created == {webhook.id for webhook in outcome.candidates}

        if fault_.tls:
            assert call.name != "list" or isinstance(outcome_of(call, client, target), errors.UnreachableError)
            assert [] == server.requests
            return
        server.times = 0
        assert_next_calls_work(setup, client)
        for request in server.requests:
            assert ["authorization"] == [name for name, value in request.headers.items() if key in value]
            assert key not in request.path + request.body.decode()
        assert {urlsplit(server.url).netloc} == {request.headers["host"] for request in server.requests}


def assert_outcome_is_expected(fault_: Fault, call: Call, outcome: Any, *, lasting: bool) -> None:
    """A result if a retry can get one, or else the error of this fault."""
    failed = isinstance(outcome, errors.CStarError)
    retried = call.name != "trigger_test" or fault_.never_arrived
    may_succeed = call.name != "trigger_test" and not lasting and errors.RedirectError not in fault_.raises
    if not fault_.raises or (fault_.transient and retried and not lasting):
        assert not failed, outcome
    elif failed or not (fault_.readable or may_succeed):
        unknown = (errors.OutcomeUnknownError,) if call.name == "create" else ()
        assert isinstance(outcome, unknown if fault_.lost and unknown else fault_.raises + unknown)


# --- advice -----------------------------------------------------------------------------------------------------------


def test_the_advice_of_a_tls_error_helps(setup: Setup, trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names SSL_CERT_FILE; with that set, the call works."""
    healthy = Fault("healthy, over TLS", print, (), tls=True)
    with FaultyServer(setup.sandbox, setup.other_host, healthy, "", 0) as server:
        with cx.Client(setup.sandbox.key, setup.sandbox.team_id, server.url, timeout=5) as client:
            with pytest.raises(errors.TlsError) as caught:
                client.webhooks.list()
            assert "SSL_CERT_FILE" in caught.value.advice

        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        with cx.Client(setup.sandbox.key, setup.sandbox.team_id, server.url, timeout=5) as client:
            assert _by_id(setup.direct.webhooks.list()) == _by_id(client.webhooks.list())


@pytest.mark.parametrize(
    ("name", "raises"),
    [
        ("TLS certificate self-signed", errors.TlsError),
        ("TLS certificate of another host", errors.TlsError),
        ("plain http at an https address", errors.TlsError),
    ],
)
def test_a_tls_failure_is_not_retried(
    setup: Setup, trusted: Path, monkeypatch: pytest.MonkeyPatch, name: str, raises: type[errors.CStarError]
) -> None:
    """It would fail again: one connection, and no wait."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    waits: list[retries.Wait] = []
    (fault_,) = (each for each in FAULTS if each.name == name)
    with (
        FaultyServer(setup.sandbox, setup.other_host, fault_, "GET", float("inf")) as server,
        cx.Client(setup.sandbox.key, setup.sandbox.team_id, server.url, timeout=5, on_wait=waits.append) as client,
    ):
        outcome = outcome_of(CALLS[0], client, "")
        assert (raises, False, []) == (type(outcome), outcome.may_have_acted, waits)
        assert 1 == len(server._handlers)


# --- no server --------------------------------------------------------------------------------------------------------

every_call = pytest.mark.parametrize("call", [pytest.param(call, id=call.name) for call in CALLS])
HEALTHY = Fault("none", lambda _: None, ())


@every_call
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_each_call_with_a_refused_connection(setup: Setup, target: str, call: Call, lasting: bool) -> None:
    """Nothing arrives. Every call is retried, and succeeds once a server listens."""
    key, port = setup.sandbox.key.reveal(), closed_port()
    before = State.of(setup, call)
    servers: list[FaultyServer] = []

    def start_server(_: object = None) -> None:
        servers or servers.append(FaultyServer(setup.sandbox, setup.other_host, HEALTHY, "", 0, port))

    on_wait = None if lasting else start_server
    with (
        contextlib.ExitStack() as later,
        cx.Client(key, setup.sandbox.team_id, f"http://127.0.0.1:{port}", timeout=5, on_wait=on_wait) as client,
    ):
        with bounded():
            outcome = outcome_of(call, client, target)
        after = State.of(setup, call)
        assert_outcome_is_true(outcome, call, before, after, target)
        assert_no_leak(setup, key, outcome)
        assert (lasting, False) == (
            isinstance(outcome, errors.UnreachableError),
            getattr(outcome, "may_have_acted", False),
        )

        start_server()
        later.enter_context(servers[0])
        assert_next_calls_work(setup, client)
        client.close()


@every_call
def test_each_call_without_a_route(setup: Setup, target: str, call: Call) -> None:
    """Nothing arrives, the second time as well."""
    key = setup.sandbox.key.reveal()
    before = State.of(setup, call)
    with cx.Client(key, setup.sandbox.team_id, "https://255.255.255.255", timeout=0.3, max_wait=5) as client, bounded():
        for _ in range(2):
            outcome = outcome_of(call, client, target)
            assert (errors.UnreachableError, False) == (type(outcome), outcome.may_have_acted)
            assert_outcome_is_true(outcome, call, before, State.of(setup, call), target)
            assert_no_leak(setup, key, outcome)


# --- the wait of a 429 ------------------------------------------------------------------------------------------------

each_way = pytest.mark.parametrize(
    ("call", "way"),
    [
        pytest.param(call, way, id=f"{call.name} - {way}")
        for number, way in enumerate(WAYS)
        for call in (CALLS if NIGHTLY else [CALLS[number], CALLS[number - 3]])
    ],
)
"""Each way with two of the calls and each call with two of the ways; at night all of them with each other."""


@each_way
def test_each_call_waits_as_long_as_the_429_asks(setup: Setup, target: str, call: Call, way: str) -> None:
    """The wait is announced before it begins. Cancelled there, the call has had no effect."""
    (fault_,) = (each for each in FAULTS if each.name == f"429, {LONG_WAIT} s, {way}")
    waits: list[float] = []

    def cancel(wait: retries.Wait) -> None:
        waits.append(wait.seconds)
        wait.cancel()

    before = State.of(setup, call)
    with (
        FaultyServer(setup.sandbox, setup.other_host, fault_, call.method, 1) as server,
        cx.Client(
            setup.sandbox.key, setup.sandbox.team_id, server.url, timeout=5, max_wait=100, on_wait=cancel
        ) as client,
    ):
        outcome = outcome_of(call, client, target)
        assert errors.WaitCancelledError is type(outcome)
        assert_outcome_is_true(outcome, call, before, State.of(setup, call), target)
        assert [retries.DEFAULT_WAIT if way == "not at all" else LONG_WAIT] == [round(wait) for wait in waits]
        assert_next_calls_work(setup, client)


@each_way
def test_an_error_reports_a_wait_that_is_too_long(setup: Setup, target: str, call: Call, way: str) -> None:
    """The wait is not begun."""
    (fault_,) = (each for each in FAULTS if each.name == f"429, {LONG_WAIT} s, {way}")
    with (
        FaultyServer(setup.sandbox, setup.other_host, fault_, call.method, 1) as server,
        cx.Client(setup.sandbox.key, setup.sandbox.team_id, server.url, timeout=5, max_wait=5) as client,
    ):
        outcome = outcome_of(call, client, target)
        seconds = None if way == "not at all" else LONG_WAIT
        assert (errors.RateLimitError, seconds) == (type(outcome), outcome.retry_after)
        assert (1, False) == (len(server.requests), outcome.may_have_acted)


# --- completeness -----------------------------------------------------------------------------------------------------


def test_the_matrix_has_all_calls_and_no_duplicate_fault() -> None:
    """The six calls of the client; each fault has its own name."""
    with cx.Client("sk_test_" + "a" * 32, "team_1") as client:
        public = {name for name in dir(client.webhooks) if not name.startswith("_")} - {"preview"}
    assert public == {call.name for call in CALLS}
    assert len(FAULTS) == len({each.name for each in FAULTS})
    assert {(fault_.name, lasting) for fault_ in FAULTS for lasting in {False, fault_.also_lasting}} == {
        (cell.values[0].name, cell.values[2]) for cell in CELLS
    }
    assert public == {cell.values[1].name for cell in CELLS}
