"""Requests that are sent as they are, and clients that share one connection."""

import logging
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api.raw import send_raw
from cstar_explore.secret import Secret
from tests.support.scripted_server import ScriptedServer, data, status

KEY, OTHER = "sk_test_abcdefghijklmnop", "sk_test_zyxwvutsrqponmlk"
WEBHOOKS = "/api/v1/teams/team_1/webhooks"
LIMIT = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "7"}


@pytest.mark.parametrize(
    ("method", "path", "body", "sent", "content_type"),
    [
        pytest.param("GET", "", None, "", None, id="list"),
        pytest.param("GET", "?page=2&x=a/b", None, "?page=2&x=a/b", None, id="query"),
        pytest.param("DELETE", "whk_1", None, "/whk_1", None, id="segment"),
        pytest.param("PUT", "whk_1/a b?", {}, "/whk_1/a%20b%3F", "application/json", id="segments"),
        pytest.param("POST", "trigger-test", {"x": 1}, "/trigger-test", "application/json", id="body"),
    ],
)
def test_a_raw_request_is_sent_as_it_is(method: str, path: str, body: Any, sent: str, content_type: str | None) -> None:
    with ScriptedServer(status(404)) as server, cx.Client(KEY, "team_1", server.url) as client:
        response = send_raw(client, method, path, body)
        [received] = server.requests
    assert (404, method, f"{WEBHOOKS}{sent}") == (response.status, received.method, received.path)
    assert (content_type, body) == (received.headers.get("content-type"), received.json if received.body else None)
    assert (f"Bearer {KEY}", None) == (received.headers["authorization"], received.headers.get("idempotency-key"))


def test_a_raw_request_has_the_given_key_and_idempotency_key() -> None:
    """The rate limit of the other key is not the client's."""
    with ScriptedServer(data({}, headers=LIMIT)) as server, cx.Client(KEY, "team_1", server.url) as client:
        send_raw(client, "POST", key=Secret(f" {OTHER} "), idempotency_key="once")
        [received] = server.requests
        assert client.rate_limit is None
    assert (f"Bearer {OTHER}", "once") == (received.headers["authorization"], received.headers["idempotency-key"])


def test_a_raw_request_is_sent_once() -> None:
    with ScriptedServer(status(503), data({})) as server, cx.Client(KEY, "team_1", server.url) as client:
        assert send_raw(client, "GET").status == 503
        assert server.methods == ["GET"]


def test_a_read_only_client_sends_only_raw_reads() -> None:
    with ScriptedServer(data([])) as server, cx.Client(KEY, "team_1", server.url, write=False) as client:
        assert send_raw(client, "GET").status == 200
        with pytest.raises(errors.ReadOnlyError, match="PATCH"):
            send_raw(client, "PATCH", "whk_1", {})
        assert server.methods == ["GET"]


def test_an_error_of_a_raw_request_has_no_frames_below() -> None:
    """They would hold the response."""
    with ScriptedServer() as server:
        url = server.url
    with cx.Client(KEY, "team_1", url, timeout=1) as client, pytest.raises(errors.UnreachableError) as caught:
        send_raw(client, "GET")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert caught.traceback[-1].path.name == "raw.py"


def test_a_client_over_the_connection_of_another_is_read_only_and_has_its_own_limit() -> None:
    waits: list[Any] = []
    with ScriptedServer(data([], headers=LIMIT), data([])) as server, cx.Client(KEY, "team_1", server.url) as client:
        other = cx.Client.over(client._connection, client.base_url, OTHER, "team_2", on_wait=waits.append)
        client.webhooks.list()
        assert (None, 7) == (other.rate_limit, client.rate_limit and client.rate_limit.remaining)
        other.webhooks.list()
        with pytest.raises(errors.ReadOnlyError):
            other.webhooks.delete("whk_1")
        paths = [(request.path, request.headers["authorization"]) for request in server.requests]
    assert (60, False, "team_2", server.url) == (other.max_wait, other.write, other.team_id, other.base_url)
    assert [(WEBHOOKS, f"Bearer {KEY}"), (WEBHOOKS.replace("1/w", "2/w"), f"Bearer {OTHER}")] == paths
    assert other.on_wait == waits.append


def test_the_log_of_the_transport_masks_a_key_that_a_response_repeats(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="httpcore")
    with ScriptedServer(data([], headers={"X-Echo": OTHER})) as server, cx.Client(KEY, "t", server.url) as client:
        client.webhooks.list()
    assert "x-echo" in caplog.text.lower()
    assert OTHER not in caplog.text
