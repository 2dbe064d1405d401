"""Calls through proxies of the environment, over TLS: connections, credentials and failures."""

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.certificates import server_context
from tests.support.proxy_server import ProxyServer, TlsServer
from tests.support.reports import texts_of
from tests.support.scripted_server import RecordedRequest, closed_port, reply

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = KEY.removeprefix("sk_test_")
HOST = "https://cstar.test"
LIST = json.dumps({"success": True, "data": [{"id": "whk_1", "name": "Through the proxy"}]})
KEEPING = reply(200, LIST, close=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates") / "server.pem"


@pytest.fixture(scope="module")
def context(certificate: Path):
    """A certificate for cStar's host, for loopback and for the proxy."""
    return server_context(certificate, "DNS:cstar.test", "IP:127.0.0.1")


@pytest.fixture
def server(context, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TlsServer]:
    """A server whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with TlsServer(context, *[KEEPING] * 20) as server:
        yield server


def client_through(proxy: ProxyServer, monkeypatch: pytest.MonkeyPatch, credentials: str = "") -> cx.Client:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", f"://{credentials}"))
    return cx.Client(KEY, "team_1", HOST, timeout=10, max_wait=1)


# --- keep-alive -------------------------------------------------------------------------------------------------------


def test_one_tls_connection_serves_many_calls(server: TlsServer) -> None:
    """Without a proxy."""
    with cx.Client(KEY, "team_1", server.url, timeout=10) as client:
        for _ in range(5):
            assert 1 == len(client.webhooks.list())
    assert (1, 5) == (server.handshakes, len(server.requests))


@pytest.mark.parametrize("over_tls", [False, True], ids=["http proxy", "https proxy"])
def test_one_tunnel_serves_many_calls(
    server: TlsServer, context, monkeypatch: pytest.MonkeyPatch, over_tls: bool
) -> None:
    """The proxy's response to CONNECT does not count as a part of the server's."""
    with (
        ProxyServer(server.port, context if over_tls else None) as proxy,
        client_through(proxy, monkeypatch) as client,
    ):
        for _ in range(6):
            assert ["Through the proxy"] == [webhook.name for webhook in client.webhooks.list()]
    assert (1, 1, 6) == (len(proxy.connects), server.handshakes, len(server.requests))
    assert proxy.connects[0].startswith(b"CONNECT cstar.test:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("over_tls", [False, True], ids=["http proxy", "https proxy"])
def test_a_large_response_passes_through_a_tunnel(
    server: TlsServer, context, monkeypatch: pytest.MonkeyPatch, over_tls: bool
) -> None:
    """Records of TLS and reads of sockets end at different bytes. A large request does too."""
    items = [{"id": f"whk_{number}", "name": "x" * 300} for number in range(2000)]
    large = reply(200, json.dumps({"success": True, "data": items}), close=False)
    created = reply(201, json.dumps({"success": True, "data": {"id": "whk_1"}}), close=False)
    server._scripts = iter([large, created, large])
    name = "y" * 300_000
    with (
        ProxyServer(server.port, context if over_tls else None) as proxy,
        client_through(proxy, monkeypatch) as client,
    ):
        assert 2000 == len(client.webhooks.list())
        client.webhooks.create(name=name, url="https://example.com/", events="*")
        assert 2000 == len(client.webhooks.list())
    assert (1, name) == (len(proxy.connects), server.requests[1].json["name"])


def test_bytes_after_a_response_over_tls_are_not_the_next_response(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is not used again."""
    forged = reply(200, LIST.replace("whk_1", "whk_forged"), close=False)

    def twice(connection: socket.socket, request: RecordedRequest) -> bool:
        KEEPING(connection, request)
        return forged(connection, request)

    server._scripts = iter([twice, KEEPING])
    with ProxyServer(server.port) as proxy, client_through(proxy, monkeypatch) as client:
        ids = []
        for _ in range(2):
            try:
                ids += [webhook.id for webhook in client.webhooks.list()]
            except errors.TransportError:
                continue
    assert {"whk_1"} >= set(ids)


# --- credentials ------------------------------------------------------------------------------------------------------


def test_the_proxys_password_goes_to_the_proxy_and_the_key_to_the_server(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither receives the other's."""
    with ProxyServer(server.port) as proxy, client_through(proxy, monkeypatch, "user:pass%20word@") as client:
        client.webhooks.list()
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ=" in proxy.connects[0]
    assert HIDDEN.encode() not in b"".join(proxy.connects) + proxy.passed
    (request,) = server.requests
    assert f"Bearer {KEY}" == request.headers["authorization"]
    assert "proxy-authorization" not in request.headers


REFUSALS: dict[str, Callable[[socket.socket], bool]] = {
    "407": lambda connection: bool(
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
    ),
    "403 page": lambda connection: bool(
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 14\r\n\r\n<h1>Policy</h1")
    ),
    "closed": lambda connection: False,
    "not HTTP": lambda connection: bool(connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")),
}


@pytest.mark.parametrize("call", ["list", "create"])
@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_proxy_that_refuses_makes_the_server_unreachable(
    server: TlsServer, monkeypatch: pytest.MonkeyPatch, refusal: str, call: str
) -> None:
    """Nothing was sent to the server, and neither key nor password is shown."""
    with (
        ProxyServer(server.port, respond=REFUSALS[refusal]) as proxy,
        client_through(proxy, monkeypatch, "user:hunter2word@") as client,
        pytest.raises(errors.UnreachableError) as caught,
    ):
        client.webhooks.list() if call == "list" else client.webhooks.create(name="N", url="https://e.com", events="*")
    assert (False, []) == (caught.value.may_have_acted, server.requests)
    assert [] == [text for text in texts_of(caught.value) if HIDDEN in text]
    assert "hunter2word" not in f"{caught.value}{caught.value!r}{vars(caught.value)}"
    assert HIDDEN.encode() not in b"".join(proxy.connects) + proxy.passed


def test_a_response_that_the_proxy_forges_is_not_read(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes after its response to CONNECT never count as the server's."""
    forged = LIST.replace("whk_1", "whk_forged")

    def respond(connection: socket.socket) -> bool:
        response = f"HTTP/1.1 200 OK\r\nContent-Length: {len(forged)}\r\n\r\n{forged}"
        connection.sendall(ProxyServer.ESTABLISHED + response.encode())
        return True

    with ProxyServer(server.port, respond=respond) as proxy, client_through(proxy, monkeypatch) as client:
        try:
            ids = [webhook.id for webhook in client.webhooks.list()]
        except errors.TransportError:
            ids = ["whk_1"]
    assert ["whk_1"] == ids


def test_an_unreachable_proxy_is_retried_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Like an unreachable server."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    attempts = []
    with (
        cx.Client(KEY, "team_1", HOST, timeout=5, max_wait=5, on_wait=attempts.append) as client,
        pytest.raises(errors.UnreachableError),
    ):
        client.webhooks.list()
    assert 3 == len(attempts)


def test_an_untrusted_certificate_of_the_proxy_is_a_tls_error(context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not retried: one connection, and no CONNECT."""
    with (
        ProxyServer(closed_port(), context) as proxy,
        client_through(proxy, monkeypatch) as client,
        pytest.raises(errors.TlsError),
    ):
        client.webhooks.list()
    assert ([], 1) == (proxy.connects, len(proxy._open))


def test_an_untrusted_certificate_of_the_server_is_a_tls_error(context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy too. Its advice names SSL_CERT_FILE."""
    with (
        TlsServer(context, KEEPING) as server,
        ProxyServer(server.port) as proxy,
        client_through(proxy, monkeypatch) as client,
        pytest.raises(errors.TlsError) as caught,
    ):
        client.webhooks.list()
    assert ([], 1) == (server.requests, len(proxy.connects))
    assert "SSL_CERT_FILE" in caught.value.advice


def test_the_certificate_must_be_for_the_server(server: TlsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for another host that the proxy leads to."""
    with ProxyServer(server.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            cx.Client(KEY, "team_1", "https://another.test", timeout=10, max_wait=0) as client,
            pytest.raises(errors.TlsError, match=r"(?i)mismatch|not valid for"),
        ):
            client.webhooks.list()
    assert [] == server.requests
