"""Content encodings: gzip is requested and unpacked up to a limit; every other encoding is refused unread."""

import gzip
import json
import socket
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import httpx
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import connection
from tests.support.scripted_server import RecordedRequest, Script, ScriptedServer, data, reply

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
CONTENT = json.dumps({"success": True, "data": [{"id": "whk_1", "name": "Zoë"}]}).encode()
MEGABYTE = 2**20


def client_of(server: ScriptedServer) -> cx.Client:
    return cx.Client(KEY, "team_1", server.url, timeout=10, max_wait=1)


def encoded(content: bytes, encoding: str, code: int = 200) -> Script:
    return reply(code, content, {"Content-Encoding": encoding})


def chunked(content: bytes, encoding: str, size: int) -> Script:
    """Sends the content in chunks of this size."""

    def respond(stream: socket.socket, _: RecordedRequest) -> bool:
        stream.sendall(
            f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        for start in range(0, len(content), size):
            part = content[start : start + size]
            stream.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        stream.sendall(b"0\r\n\r\n")
        return True

    return respond


def zeros(megabytes: int) -> bytes:
    """A gzip of zeros, without an end: one compressed block again and again."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(MEGABYTE)) + compressor.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * megabytes


# --- what is requested ------------------------------------------------------------------------------------------------


class _Exploding:
    """A decoder that must not be used."""

    def decode(self, _: bytes) -> bytes:
        raise AssertionError("A response was unpacked without a limit.")

    flush = decode


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the packages for brotli and zstandard were installed, which httpx then uses."""
    decoders = httpx._decoders.SUPPORTED_DECODERS
    for encoding in ("br", "zstd", "gzip", "deflate"):
        monkeypatch.setitem(decoders, encoding, _Exploding)


@pytest.mark.usefixtures("installed")
def test_only_gzip_is_requested() -> None:
    """Whichever packages are installed."""
    with ScriptedServer(data([])) as server, client_of(server) as client:
        client.webhooks.list()
    assert "gzip" == server.requests[0].headers["accept-encoding"]


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(reply(200, CONTENT), id="none"),
        pytest.param(encoded(CONTENT, "identity"), id="identity"),
        pytest.param(encoded(CONTENT, ""), id="empty header"),
        pytest.param(encoded(gzip.compress(CONTENT), "gzip"), id="gzip"),
        pytest.param(encoded(gzip.compress(CONTENT), "x-gzip"), id="x-gzip"),
        pytest.param(encoded(gzip.compress(CONTENT), " GZip "), id="upper case and spaces"),
        pytest.param(chunked(gzip.compress(CONTENT), "gzip", 1), id="gzip in chunks of a byte"),
        pytest.param(chunked(gzip.compress(CONTENT), "gzip", 10**6), id="gzip in one chunk"),
        pytest.param(encoded(zlib.compress(CONTENT, wbits=31), "gzip"), id="gzip by zlib"),
    ],
)
def test_plain_and_gzip_responses_are_read(script: Script) -> None:
    """In any spelling of the header, and in chunks."""
    with ScriptedServer(script) as server, client_of(server) as client:
        assert ["Zoë"] == [webhook.name for webhook in client.webhooks.list()]


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("code", [200, 404, 500])
@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        pytest.param("br", b"\x0b\x02\x80{}\x03", id="br"),
        pytest.param("zstd", b"\x28\xb5\x2f\xfd\x04\x00", id="zstd"),
        pytest.param("deflate", zlib.compress(CONTENT), id="deflate"),
        pytest.param("compress", CONTENT, id="compress"),
        pytest.param("gzip, gzip", gzip.compress(gzip.compress(CONTENT)), id="gzip twice"),
        pytest.param("gzip, br", gzip.compress(CONTENT), id="gzip and br"),
        pytest.param("identity, gzip", gzip.compress(CONTENT), id="identity and gzip"),
        pytest.param("gzip;q=1", gzip.compress(CONTENT), id="gzip with a parameter"),
        pytest.param("nonsense\x1b[31m", CONTENT, id="unknown, with a control character"),
    ],
)
def test_other_encodings_are_refused(encoding: str, content: bytes, code: int) -> None:
    """The message names the encoding, printable, and what was requested."""
    with (
        ScriptedServer(*[encoded(content, encoding, code)] * 4) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        client.webhooks.list()
    if "\x1b" not in encoding:
        assert (errors.InvalidResponseError, code) == (type(caught.value), caught.value.status)
        assert encoding in caught.value.message
    assert str(caught.value).isprintable()
    assert 1 == len(server.requests) or "\x1b" in encoding


def test_two_encoding_headers_are_refused_together() -> None:
    """They count as one list."""
    script = reply(200, gzip.compress(CONTENT), {"Content-Encoding": "gzip", "content-encoding": "br"})
    with ScriptedServer(script) as server, client_of(server) as client, pytest.raises(errors.InvalidResponseError):
        client.webhooks.list()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(CONTENT)[:-1], id="last byte missing"),
        pytest.param(gzip.compress(CONTENT)[:-8], id="checksum missing"),
        pytest.param(gzip.compress(CONTENT)[:12], id="header only"),
        pytest.param(gzip.compress(CONTENT)[:5], id="half the header"),
        pytest.param(gzip.compress(CONTENT)[:-8] + bytes(8), id="wrong checksum"),
        pytest.param(CONTENT, id="not gzip"),
        pytest.param(zlib.compress(CONTENT), id="zlib"),
    ],
)
@pytest.mark.parametrize(
    ("call", "method", "raises"),
    [
        pytest.param(lambda client: client.webhooks.list(), "GET", errors.InvalidResponseError, id="list"),
        pytest.param(
            lambda client: client.webhooks.create(name="New", url="https://example.com/", events="*"),
            "POST",
            errors.OutcomeUnknownError,
            id="create",
        ),
    ],
)
def test_a_broken_gzip_is_an_invalid_response(
    content: bytes, call: Callable[[cx.Client], Any], method: str, raises: type[errors.CStarError]
) -> None:
    """Never half of a list. A create may have taken effect, and is retried under its Idempotency-Key."""
    with (
        ScriptedServer(*[encoded(content, "gzip")] * 4, data([])) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        call(client)
    assert (raises, method == "POST") == (type(caught.value), caught.value.may_have_acted)
    assert "gzip" in caught.value.message
    assert (1 if method == "GET" else 4) == server.methods.count(method)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(CONTENT[:20]) + gzip.compress(CONTENT[20:]), id="in two members"),
        pytest.param(gzip.compress(CONTENT) + gzip.compress(b" "), id="with a member after it"),
        pytest.param(gzip.compress(CONTENT) + b"more", id="with bytes after it"),
    ],
)
def test_a_gzip_of_several_members_is_read_whole_or_refused(content: bytes) -> None:
    """A part of a response never counts as another one."""
    with ScriptedServer(encoded(content, "gzip")) as server, client_of(server) as client:
        try:
            names = [webhook.name for webhook in client.webhooks.list()]
        except errors.InvalidResponseError:
            names = ["Zoë"]
    assert ["Zoë"] == names


# --- the limit --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(encoded(zeros(400), "gzip"), id="gzip"),
        pytest.param(chunked(zeros(400), "gzip", 2**16), id="gzip in chunks"),
        pytest.param(encoded(zeros(400), "gzip", 500), id="gzip with status 500"),
        pytest.param(encoded(gzip.compress(zeros(400)), "gzip, gzip"), id="gzip twice"),
        pytest.param(encoded(zeros(400), "br"), id="br"),
        pytest.param(encoded(zeros(400), "deflate"), id="deflate"),
    ],
)
def test_memory_stays_within_the_limit_while_unpacking(monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    """400 MB in about 400 kB are not unpacked beyond the limit."""
    monkeypatch.setattr(connection, "MAX_RESPONSE", 2 * MEGABYTE)
    with ScriptedServer(*[script] * 4) as server, client_of(server) as client:
        tracemalloc.start()
        try:
            with pytest.raises(errors.InvalidResponseError):
                client.webhooks.list()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 12 * MEGABYTE


def test_a_gzip_of_exactly_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte more is refused."""
    content = CONTENT + b" " * 5000
    script = encoded(gzip.compress(content), "gzip")
    with ScriptedServer(script, script) as server, client_of(server) as client:
        monkeypatch.setattr(connection, "MAX_RESPONSE", len(content))
        assert 1 == len(client.webhooks.list())
        monkeypatch.setattr(connection, "MAX_RESPONSE", len(content) - 1)
        with pytest.raises(errors.InvalidResponseError, match="larger"):
            client.webhooks.list()
