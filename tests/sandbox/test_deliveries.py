"""Deliveries: the receivers, requests, retries and reports."""

import gc
import gzip
import hashlib
import hmac
import json
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from matplotlib.figure import Figure

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import (
    RecordedRequest,
    Script,
    ScriptedServer,
    closed_port,
    garbled,
    hang_up,
    redirect,
    reply,
    reset,
    silence,
)

COLUMNS = [
    "id",
    "webhook_id",
    "webhook",
    "event_id",
    "event",
    "attempt",
    "at",
    "success",
    "status",
    "response_time_ms",
    "cause",
    "fault",
    "state",
    "next_attempt_at",
    "url",
    "expected",
    "as_expected",
    "sent_headers",
    "sent_body",
    "response_headers",
    "response_body",
    "elapsed_ms",
]
PAUSES = (30, 120, 600, 3600, 21600, 86400)
ALL_RETRIES = {"hours": 31, "minutes": 13}
Shared = tuple[cx.Sandbox, cx.Client]
FIELDS = {"deliveryId", "event", "url", "success", "status", "responseTimeMs", "error"}


def hook(client: cx.Client, url: str, name: str = "Mine", events: str = "*") -> cx.Webhook:
    """Creates a webhook."""
    return client.webhooks.create(name=name, url=url, events=events)


def attempts(sandbox: cx.Sandbox, webhook: cx.Webhook | None = None) -> pd.DataFrame:
    """The rows of this webhook, or of the one named "Mine"."""
    rows = sandbox.deliveries()
    mine = rows["webhook_id"] == webhook.id if webhook else rows["webhook"] == "Mine"
    return rows[mine].reset_index(drop=True)


def delivery_to(url: str, fired: cx.FiredEvent) -> Any:
    """The delivery to this URL in the response to trigger-test."""
    (delivery,) = [delivery for delivery in fired.deliveries if delivery.url == url]
    return delivery


def result(delivery: Any) -> tuple[Any, ...]:
    return delivery.success, delivery.status, delivery.error


def is_signed(request: RecordedRequest, secret: str) -> bool:
    """Whether the signature is correct, computed here with the standard library only."""
    stamp, digest = (part.split("=", 1) for part in request.headers["x-signature"].split(","))
    signed = stamp[1].encode() + b"." + request.body
    return ("t", "v1") == (stamp[0], digest[0]) and hmac.compare_digest(
        digest[1], hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    )


def signed_time(request: RecordedRequest) -> int:
    """The timestamp in the signature."""
    return int(request.headers["x-signature"].split(",")[0].removeprefix("t="))


def secret_of(webhook: cx.Webhook) -> str:
    assert webhook.secret is not None
    return webhook.secret.reveal()


def within_time(function: Callable[[], Any]) -> Any:
    """The function's result. Fails after 8 seconds."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(function).result(timeout=8)


def still_open(connection: socket.socket) -> bool:
    """Whether the other side keeps the connection open until the timeout."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    return False


def accept_and_close(listening: socket.socket) -> None:
    listening.accept()[0].close()


@pytest.fixture(scope="module")
def _shared() -> Iterator[Shared]:
    with cx.Sandbox() as sandbox, sandbox.client() as client:
        yield sandbox, client


@pytest.fixture
def shared(_shared: Shared) -> Iterator[Shared]:
    """A sandbox for the tests that do not depend on earlier data."""
    yield _shared
    sandbox, client = _shared
    for webhook in client.webhooks.list():
        client.webhooks.delete(webhook.id)
    sandbox.clock.advance(seconds=30)


# Receivers


@pytest.mark.parametrize(
    "events",
    [
        pytest.param("ticket.created", id="subscribed"),
        pytest.param("ticket.*", id="subscribed by wildcard"),
        pytest.param("boss.spawned", id="subscribed to another event"),
    ],
)
def test_an_event_is_posted_to_every_active_webhook(shared: Shared, events: str) -> None:
    """As the API reference says, also to those with other subscriptions."""
    _, client = shared
    with ScriptedServer(reply()) as server:
        hook(client, server.url, events=events)
        fired = client.webhooks.trigger_test("ticket.created")

        assert ["POST"] == server.methods
        assert (True, 200, None) == result(delivery_to(server.url, fired))


@pytest.mark.parametrize(
    ("events", "arrives"),
    [
        pytest.param("ticket.created", 1, id="the event itself"),
        pytest.param("boss.spawned,ticket.created", 1, id="one of several"),
        pytest.param("ticket.*", 1, id="its resource"),
        pytest.param("*", 1, id="all events"),
        pytest.param("ticket.closed", 0, id="another event"),
        pytest.param("boss.*", 0, id="another resource"),
    ],
)
def test_follow_subscriptions_skips_other_webhooks(events: str, arrives: int) -> None:
    """With the option, only subscribers receive the event."""
    with (
        cx.Sandbox(follow_subscriptions=True) as sandbox,
        sandbox.client() as client,
        ScriptedServer(reply()) as server,
    ):
        hook(client, server.url, events=events)
        fired = client.webhooks.trigger_test("ticket.created")

        assert arrives == len(server.requests) == len(attempts(sandbox))
        assert arrives == [delivery.url for delivery in fired.deliveries].count(server.url)


def test_an_inactive_webhook_receives_nothing(shared: Shared) -> None:
    """Neither the response nor the frame lists it."""
    sandbox, client = shared
    with ScriptedServer(reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.update(webhook.id, is_active=False)
        fired = client.webhooks.trigger_test("ticket.created")

        assert ([], True) == (server.requests, attempts(sandbox, webhook).empty)
        assert server.url not in [delivery.url for delivery in fired.deliveries]


def test_test_and_live_keys_deliver_to_their_own_webhooks_only(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Test and live deliveries are separate."""
    with ScriptedServer(reply()) as test_server, ScriptedServer(reply()) as live_server, sandbox.client("live") as live:
        hook(client, test_server.url)
        hook(live, live_server.url)
        client.webhooks.trigger_test("ticket.created")
        assert (1, 0) == (len(test_server.requests), len(live_server.requests))

        live.webhooks.trigger_test("ticket.created")
        assert (1, 1) == (len(test_server.requests), len(live_server.requests))


# Hosts


def test_deliveries_to_the_initial_webhooks_are_withheld(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Three active webhooks on other hosts: one attempt each, reported as withheld, without a retry."""
    fired = client.webhooks.trigger_test("ticket.created")
    sandbox.clock.advance(**ALL_RETRIES)

    rows = sandbox.deliveries()
    assert (3, 3) == (len(fired.deliveries), len(rows))
    assert {("withheld", 1, False)} == set(zip(rows["state"], rows["attempt"], rows["success"], strict=True))
    assert all(cause.startswith("withheld:") for cause in rows["cause"])
    assert rows["next_attempt_at"].isna().all()
    assert all(not delivery.success and delivery.status is None for delivery in fired.deliveries)
    assert all((delivery.error or "").startswith("withheld:") for delivery in fired.deliveries)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("0.0.0.0", id="all interfaces"),
        pytest.param("127.0.0.1.hooks.example", id="host starting with a loopback address"),
        pytest.param("localhost.hooks.example", id="host starting with localhost"),
        pytest.param("hooks.example.localhost.example", id="host containing localhost"),
        pytest.param("127.0.0.1@hooks.example", id="loopback as the user"),
        pytest.param("10.0.0.1", id="private network"),
        pytest.param("[::ffff:10.0.0.1]", id="private network as IPv6"),
    ],
)
def test_nothing_is_sent_beyond_loopback(shared: Shared, host: str) -> None:
    """Also if the host looks like loopback."""
    sandbox, client = shared
    url = f"https://{host}:{closed_port()}/hook"
    webhook = hook(client, url)
    delivery = delivery_to(url, client.webhooks.trigger_test("ticket.created"))

    assert (False, None) == (delivery.success, delivery.status)
    assert (delivery.error or "").startswith("withheld:")
    assert [(1, "withheld")] == list(
        attempts(sandbox, webhook)[["attempt", "state"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_deliveries_to_loopback_are_posted(shared: Shared, host: str) -> None:
    """By address and by name."""
    _, client = shared
    with ScriptedServer(reply()) as server:
        hook(client, f"http://{host}:{server.port}/hook")
        client.webhooks.trigger_test("ticket.created")
        assert [("POST", "/hook")] == [(request.method, request.path) for request in server.requests]


def test_deliveries_to_an_allowed_host_are_posted() -> None:
    """The sandbox connects; the attempt fails because the receiver does not use TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as executor:
        listening.settimeout(5)
        url = f"https://0.0.0.0:{listening.getsockname()[1]}/hook"
        with cx.Sandbox(allowed_hosts=["0.0.0.0"]) as sandbox, sandbox.client() as client:
            hook(client, url)
            accepted = executor.submit(accept_and_close, listening)
            delivery = delivery_to(url, client.webhooks.trigger_test("ticket.created"))
            accepted.result(timeout=5)

            assert (False, False) == (delivery.success, (delivery.error or "").startswith("withheld:"))
            assert ["pending"] == list(attempts(sandbox)["state"])


def test_an_attempt_that_times_out_closes_its_connection() -> None:
    """Also during the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as executor:
        listening.settimeout(5)
        with cx.Sandbox(delivery_timeout=0.1) as sandbox, sandbox.client() as client:
            hook(client, f"https://127.0.0.1:{listening.getsockname()[1]}/hook")
            accepted = executor.submit(listening.accept)
            client.webhooks.trigger_test("ticket.created")
            with accepted.result(timeout=5)[0] as connection:
                connection.settimeout(1)
                open_after_timeout = still_open(connection)
        with warnings.catch_warnings():  # a leaked connection fails this test, not the next one
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        assert not open_after_timeout


@pytest.mark.parametrize("spelling", ["receiver", "RECEIVER", " receiver "])
def test_an_allowed_host_may_be_plain_http(monkeypatch: pytest.MonkeyPatch, spelling: str) -> None:
    """As a container's name is. A webhook on another host is still refused."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **options: resolve("127.0.0.1", *rest, **options))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with (
        cx.Sandbox(allowed_hosts=[spelling]) as sandbox,
        sandbox.client() as client,
        ScriptedServer(reply(), reply()) as server,
    ):
        webhook = hook(client, f"http://receiver:{server.port}/hook")
        client.webhooks.update(webhook.id, url=f"http://Receiver:{server.port}/hook")
        client.webhooks.trigger_test("ticket.created")
        assert ["delivered"] == list(attempts(sandbox)["state"])
        with pytest.raises(errors.ValidationError, match="allowed_hosts"):
            hook(client, "http://receiver.example/")


@pytest.mark.parametrize("host", ["http://receiver", "receiver:80", "receiver/hook", "", 5, None, "a b@c"])
def test_an_allowed_host_that_is_no_host_is_rejected(host: Any) -> None:
    """It would never match a URL."""
    with pytest.raises(errors.ConfigurationError, match="allowed_hosts"):
        cx.Sandbox(allowed_hosts=[host])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("ALL_PROXY", "nonsense://127.0.0.1:9", id="proxy of an unknown kind"),
        pytest.param("HTTPS_PROXY", "http://[", id="proxy that is no URL"),
        pytest.param("SSL_CERT_FILE", "/nowhere/at/all.pem", id="missing certificates"),
    ],
)
def test_unusable_settings_of_the_machine_are_the_outcome_of_the_delivery(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """The event is fired, its delivery fails with a cause, and later calls succeed."""
    with cx.Sandbox(allowed_hosts=["far.example"]) as sandbox, sandbox.client() as client:
        far = hook(client, "https://far.example:9/")
        monkeypatch.setenv(name, value)
        delivery = delivery_to("https://far.example:9/", client.webhooks.trigger_test("ticket.created"))
        assert (False, None, True) == (delivery.success, delivery.status, bool(delivery.error))
        sandbox.clock.advance(seconds=30)
        assert [1, 2] == list(attempts(sandbox, far)["attempt"])
        assert "Next" == hook(client, "https://next.example/", "Next").name


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "10", True])
def test_an_unusable_delivery_timeout_is_rejected(timeout: Any) -> None:
    """It must be a positive number of seconds."""
    with pytest.raises(errors.ConfigurationError, match="delivery_timeout"):
        cx.Sandbox(delivery_timeout=timeout)


def test_webhooks_receive_an_event_at_the_same_time(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Each of three receivers responds only once all of them have the request."""
    all_have_it = threading.Barrier(3, timeout=8)

    def together(connection: socket.socket, request: RecordedRequest) -> bool:
        all_have_it.wait()
        return reply(200)(connection, request)

    with ScriptedServer(together) as one, ScriptedServer(together) as two, ScriptedServer(together) as three:
        for server in (one, two, three):
            hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
    assert attempts(sandbox)["status"].tolist() == [200, 200, 200]


def test_a_redirect_is_a_failure_and_is_not_followed(shared: Shared) -> None:
    """A delivery signed for one URL is not sent to another."""
    sandbox, client = shared
    with ScriptedServer(reply()) as other, ScriptedServer(redirect(f"{other.url}/away", 307), reply()) as server:
        hook(client, server.url)
        delivery = delivery_to(server.url, client.webhooks.trigger_test("ticket.created"))

        assert (False, 307, []) == (delivery.success, delivery.status, other.requests)
        assert bool(delivery.error)
        sandbox.clock.advance(seconds=30)
        assert (2, []) == (len(server.requests), other.requests)


def test_proxies_of_the_environment_are_bypassed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For deliveries to loopback."""
    with ScriptedServer(reply()) as proxy, ScriptedServer(reply()) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NO_PROXY", "")
        with cx.Sandbox() as sandbox, sandbox.client() as client:
            hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
        assert (1, 0) == (len(server.requests), len(proxy.requests))


# Requests


def test_the_published_headers_are_sent(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """With consistent values."""
    with ScriptedServer(reply()) as server:
        webhook = hook(client, f"{server.url}/here?a=b")
        fired = client.webhooks.trigger_test("ticket.created")
        (request,) = server.requests

    body = json.loads(request.body)
    assert ("POST", "/here?a=b") == (request.method, request.path)
    expected = {
        "content-type": "application/json",
        "user-agent": "cStar-Webhooks/1.0",
        "x-event-type": "ticket.created",
        "x-event-id": fired.event_id,
        "x-webhook-id": webhook.id,
        "x-delivery-attempt": "1",
    }
    assert expected == {name: request.headers.get(name) for name in expected}
    assert fired.event_id == body["id"]
    assert signed_time(request) == datetime.fromisoformat(request.headers["x-timestamp"]).timestamp()
    assert sandbox.clock.now == datetime.fromtimestamp(signed_time(request), UTC)
    assert request.headers["x-cstar-request-id"].startswith("req_")


def test_the_body_is_the_published_envelope(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Five fields, with the data of the sample."""
    with ScriptedServer(reply()) as server:
        hook(client, server.url)
        fired = client.webhooks.trigger_test("ticket.created")
        body = json.loads(server.requests[0].body)

    assert {"id", "type", "created_at", "team_id", "data"} == set(body)
    assert (fired.event_id, "ticket.created", sandbox.team_id) == (body["id"], body["type"], body["team_id"])
    assert {"ticket", "customer"} == set(body["data"])
    assert datetime.fromisoformat(body["created_at"]) <= sandbox.clock.now


def test_every_published_event_can_be_delivered(client: cx.Client) -> None:
    """All 35, each with its own event id."""
    with ScriptedServer(*[reply()] * len(cx.events.NAMES)) as server:
        hook(client, server.url)
        fired = [client.webhooks.trigger_test(name).event_id for name in cx.events.NAMES]
        bodies = [json.loads(request.body) for request in server.requests]

    assert list(cx.events.NAMES) == [body["type"] for body in bodies]
    assert fired == [body["id"] for body in bodies]
    assert 35 == len(set(fired))


def test_each_delivery_is_signed_with_its_webhooks_secret(shared: Shared) -> None:
    """Over the same bytes, and not with another webhook's secret."""
    _, client = shared
    with ScriptedServer(reply()) as server_a, ScriptedServer(reply()) as server_b:
        first, second = secret_of(hook(client, server_a.url)), secret_of(hook(client, server_b.url, "Other"))
        client.webhooks.trigger_test("ticket.created")

        assert server_a.requests[0].body == server_b.requests[0].body
        assert [True, False] == [is_signed(server_a.requests[0], secret) for secret in (first, second)]
        assert [False, True] == [is_signed(server_b.requests[0], secret) for secret in (first, second)]
        assert server_a.requests[0].headers["x-webhook-id"] != server_b.requests[0].headers["x-webhook-id"]


def test_a_delivery_has_the_request_id_of_its_trigger_test(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """And the deliveries in the response have the fields of the closest published shape."""
    with ScriptedServer(reply()) as server:
        hook(client, server.url)
        response = httpx.post(
            f"{sandbox.base_url}/api/v1/teams/{sandbox.team_id}/webhooks/trigger-test",
            headers={"Authorization": f"Bearer {sandbox.key.reveal()}"},
            json={"event": "ticket.created"},
            trust_env=False,
        ).json()

        assert response["meta"]["requestId"] == server.requests[0].headers["x-cstar-request-id"]
        assert [FIELDS] * 4 == [set(delivery) for delivery in response["data"]["deliveries"]]


# Success and failure


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(shared: Shared, code: int) -> None:
    """It is not retried."""
    sandbox, client = shared
    with ScriptedServer(reply(code)) as server:
        webhook = hook(client, server.url)
        delivery = delivery_to(server.url, client.webhooks.trigger_test("ticket.created"))
        sandbox.clock.advance(**ALL_RETRIES)

        assert (True, code, None, 1) == (delivery.success, delivery.status, delivery.error, len(server.requests))
        row = attempts(sandbox, webhook).iloc[0]
        assert (True, code, "delivered") == (row["success"], row["status"], row["state"])
        assert row[["cause", "next_attempt_at"]].isna().all()


@pytest.mark.parametrize("code", [300, 301, 302, 304, 308, 400, 401, 404, 410, 418, 429, 500, 503, 599])
def test_any_other_status_is_a_failure_and_is_retried(shared: Shared, code: int) -> None:
    """The first attempt reports the status, the second follows after 30 s."""
    sandbox, client = shared
    with ScriptedServer(reply(code), reply()) as server:
        webhook = hook(client, server.url)
        delivery = delivery_to(server.url, client.webhooks.trigger_test("ticket.created"))
        assert (False, code, True) == (delivery.success, delivery.status, str(code) in (delivery.error or ""))

        sandbox.clock.advance(seconds=30)
        rows = attempts(sandbox, webhook)
        assert [(1, False, code), (2, True, 200)] == list(
            rows[["attempt", "success", "status"]].itertuples(index=False, name=None)
        )
        assert {"delivered"} == set(rows["state"])


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(reset(), id="reset"),
        pytest.param(hang_up(), id="closed"),
        pytest.param(garbled(), id="not HTTP"),
        pytest.param(silence(), id="silent"),
    ],
)
def test_no_response_is_a_failure_and_is_retried(script: Script) -> None:
    """It has no status but a cause."""
    with (
        cx.Sandbox(delivery_timeout=0.1) as sandbox,
        sandbox.client() as client,
        ScriptedServer(script, reply()) as server,
    ):
        hook(client, server.url)
        delivery = within_time(lambda: delivery_to(server.url, client.webhooks.trigger_test("ticket.created")))
        assert (False, None, True) == (delivery.success, delivery.status, bool(delivery.error))

        within_time(lambda: sandbox.clock.advance(seconds=30))
        assert 2 == len(server.requests)
        rows = attempts(sandbox)
        assert ([False, True], True) == (list(rows["success"]), pd.isna(rows["status"][0]))
        assert (True, True) == (bool(rows["cause"][0]), pd.isna(rows["cause"][1]))


def test_a_refused_connection_is_a_failure_and_is_retried(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The retry succeeds once a receiver listens."""
    port = closed_port()
    hook(client, f"http://127.0.0.1:{port}/")
    delivery = delivery_to(f"http://127.0.0.1:{port}/", client.webhooks.trigger_test("ticket.created"))
    assert (False, None, True) == (delivery.success, delivery.status, bool(delivery.error))

    with ScriptedServer(reply(), port=port) as server:
        sandbox.clock.advance(seconds=30)
        assert ["2"] == [request.headers["x-delivery-attempt"] for request in server.requests]


def test_the_timeout_is_for_the_whole_attempt() -> None:
    """A receiver that sends its response slowly does not extend it."""
    timed_out = threading.Event()

    def slow_response(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(40):
            if timed_out.wait(0.05):
                return False
            connection.sendall(f"X-Slow-{number}: 1\r\n".encode())
        connection.sendall(b"Content-Length: 0\r\n\r\n")
        return False

    with (
        cx.Sandbox(delivery_timeout=0.15) as sandbox,
        sandbox.client() as client,
        ScriptedServer(slow_response) as server,
    ):
        hook(client, server.url)
        delivery = within_time(lambda: delivery_to(server.url, client.webhooks.trigger_test("ticket.created")))
        timed_out.set()

        assert (False, None, True) == (delivery.success, delivery.status, bool(delivery.error))


def test_an_endless_response_is_not_read_to_the_end() -> None:
    """The attempt times out and the connection is closed."""

    def endless_response(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with (
        cx.Sandbox(delivery_timeout=0.2) as sandbox,
        sandbox.client() as client,
        ScriptedServer(endless_response) as server,
    ):
        hook(client, server.url)
        within_time(lambda: client.webhooks.trigger_test("ticket.created"))
        assert (1, 1) == (len(server.requests), len(attempts(sandbox)))
        assert server.all_disconnected()


def test_control_characters_in_a_response_are_escaped(shared: Shared) -> None:
    """A receiver's response is untrusted input."""
    sandbox, client = shared

    def hostile_response(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 500 \x1b[31m\xe2\x80\xae\xff\r\nContent-Length: 4\r\n\r\n\x00\x1b<b")
        return False

    with ScriptedServer(hostile_response) as server:
        webhook = hook(client, server.url)
        delivery = delivery_to(server.url, client.webhooks.trigger_test("ticket.created"))
        assert (False, 500, True) == (delivery.success, delivery.status, repr(delivery).isprintable())
        assert 1 == len(attempts(sandbox, webhook))


# Retries


def test_a_failure_is_attempted_seven_times_in_31_hours(shared: Shared) -> None:
    """One advance of the clock makes all retries, at the published intervals."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 8) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        first = attempts(sandbox, webhook)
        assert [("pending", timedelta(seconds=30))] == [
            (row.state, row.next_attempt_at - row.at) for row in first.itertuples()
        ]
        sandbox.clock.advance(**ALL_RETRIES)

        rows = attempts(sandbox, webhook)
        assert list(range(1, 8)) == list(rows["attempt"])
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in rows["at"].diff()[1:]]
        assert ({"failed"}, {500}) == (set(rows["state"]), set(rows["status"]))
        assert rows["next_attempt_at"].isna().all()
        sandbox.clock.advance(days=30)
        assert 7 == len(server.requests)


def test_each_attempt_has_a_new_signature_over_the_same_bytes(shared: Shared) -> None:
    """Attempt number, timestamp and signature change; the event does not."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 7) as server:
        webhook = hook(client, server.url)
        secret = secret_of(webhook)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**ALL_RETRIES)

        times = [int(at.timestamp()) for at in attempts(sandbox, webhook)["at"]]
        assert times == [signed_time(request) for request in server.requests]
        assert times == [
            datetime.fromisoformat(request.headers["x-timestamp"]).timestamp() for request in server.requests
        ]
        assert [str(number) for number in range(1, 8)] == [
            request.headers["x-delivery-attempt"] for request in server.requests
        ]
        assert [True] * 7 == [is_signed(request, secret) for request in server.requests]
        assert 1 == len({request.body for request in server.requests})
        assert 1 == len({request.headers["x-event-id"] for request in server.requests})


@pytest.mark.parametrize("failures", [1, 3, 6])
def test_a_receiver_that_recovers_receives_the_event(shared: Shared, failures: int) -> None:
    """There are no attempts after a success."""
    sandbox, client = shared
    with ScriptedServer(*[reply(503)] * failures, reply(204)) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**ALL_RETRIES)

        rows = attempts(sandbox, webhook)
        assert [False] * failures + [True] == list(rows["success"])
        assert {"delivered"} == set(rows["state"])
        assert failures + 1 == len(server.requests)


def test_many_small_advances_equal_one_large_advance(shared: Shared) -> None:
    """Each attempt is made at the time it is due."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 7) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        for _ in range(100):
            sandbox.clock.advance(minutes=19)

        rows = attempts(sandbox, webhook)
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in rows["at"].diff()[1:]]
        assert 7 == len(server.requests)


def test_a_retry_is_not_made_a_second_early(shared: Shared) -> None:
    """It is made at exactly 30 s."""
    sandbox, client = shared
    with ScriptedServer(reply(500), reply()) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=29)
        assert 1 == len(server.requests)
        sandbox.clock.advance(seconds=1)
        assert 2 == len(server.requests)


def test_a_write_advances_the_clock_and_makes_due_deliveries(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """By one second. A read does neither."""
    with ScriptedServer(reply(500), reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=29)
        before = sandbox.clock.now
        client.webhooks.list()
        client.webhooks.get(webhook.id)
        assert (before, 1) == (sandbox.clock.now, len(server.requests))

        client.webhooks.create(name="Later", url="https://example.com/", events="*")
        assert (before + timedelta(seconds=1), 2) == (sandbox.clock.now, len(server.requests))


def test_retries_of_several_webhooks_are_made_in_order_of_time(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The delivery that is due first is posted first."""
    order: list[str] = []

    def recording(name: str) -> Script:
        def respond(connection: socket.socket, received: RecordedRequest) -> bool:
            order.append(name + received.headers["x-delivery-attempt"])
            return reply(500)(connection, received)

        return respond

    with ScriptedServer(*[recording("a")] * 14) as server_a, ScriptedServer(*[recording("b")] * 7) as server_b:
        hook(client, server_a.url, "A")
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=10)
        hook(client, server_b.url, "B")
        client.webhooks.update(next(w.id for w in client.webhooks.list() if w.name == "A"), is_active=True)
        order.clear()
        client.webhooks.trigger_test("ticket.closed")
        sandbox.clock.advance(**ALL_RETRIES)

        rows = sandbox.deliveries()
        rows = rows[rows["webhook"].isin(["A", "B"])].sort_values("at", kind="stable")
        assert sorted(rows["at"]) == list(rows["at"])
        assert {"a7", "b7"} == set(order[-2:])
        assert (14, 7) == (len(server_a.requests), len(server_b.requests))


# Webhooks that change before a retry


def test_an_edited_webhook_is_delivered_to_its_new_url(shared: Shared) -> None:
    """The frame shows the URL of each attempt."""
    sandbox, client = shared
    with ScriptedServer(reply(500)) as old, ScriptedServer(reply()) as new:
        webhook = hook(client, old.url)
        client.webhooks.trigger_test("ticket.created")
        client.webhooks.update(webhook.id, url=new.url)
        sandbox.clock.advance(seconds=30)

        assert (1, 1) == (len(old.requests), len(new.requests))
        assert old.requests[0].body == new.requests[0].body
        assert [(1, old.url), (2, new.url)] == list(
            attempts(sandbox, webhook)[["attempt", "url"]].itertuples(index=False, name=None)
        )


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda webhooks, id_: webhooks.delete(id_), id="deleted"),
        pytest.param(lambda webhooks, id_: webhooks.update(id_, is_active=False), id="deactivated"),
    ],
)
def test_retries_of_a_deleted_or_inactive_webhook_are_dropped(
    sandbox: cx.Sandbox, client: cx.Client, end: Callable[..., object]
) -> None:
    """It receives no further attempt."""
    with ScriptedServer(reply(500), reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        end(client.webhooks, webhook.id)
        sandbox.clock.advance(**ALL_RETRIES)

        rows = sandbox.deliveries()
        rows = rows[rows["webhook_id"] == webhook.id]
        assert (1, {"dropped"}) == (len(server.requests), set(rows["state"]))
        assert rows["next_attempt_at"].isna().all()


# Reports


def test_the_frame_has_the_same_columns_and_types_when_it_is_empty(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Code written for a full frame also runs on an empty one."""
    empty = sandbox.deliveries()
    with ScriptedServer(reply(500), reply()) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=30)
    full = sandbox.deliveries()

    assert (0, COLUMNS) == (len(empty), list(empty.columns))
    assert COLUMNS == list(full.columns)
    assert list(empty.dtypes) == list(full.dtypes)


def test_the_frame_has_a_row_per_webhook_event_and_attempt(shared: Shared) -> None:
    """Without duplicates or gaps, with the delivery ids of the trigger-test responses."""
    sandbox, client = shared
    with ScriptedServer(reply(500), reply(500), reply(), reply()) as server:
        webhook = hook(client, server.url)
        fired = [client.webhooks.trigger_test(name) for name in ("ticket.created", "ticket.closed")]
        sandbox.clock.advance(**ALL_RETRIES)

        rows = attempts(sandbox, webhook)
        key = ["webhook_id", "event_id", "attempt"]
        assert not rows.duplicated(key).any()
        assert {(webhook.id, event.event_id, number) for event in fired for number in (1, 2)} == set(
            rows[key].itertuples(index=False, name=None)
        )
        assert {delivery_to(server.url, each).delivery_id for each in fired} == set(rows["id"])
        assert {"ticket.created", "ticket.closed"} == set(rows["event"])


def test_an_attempt_has_a_response_time(shared: Shared) -> None:
    """In milliseconds, 0 or more."""
    sandbox, client = shared
    with ScriptedServer(reply()) as server:
        webhook = hook(client, server.url)
        delivery = delivery_to(server.url, client.webhooks.trigger_test("ticket.created"))
        assert delivery.response_time_ms >= 0
        assert attempts(sandbox, webhook)["response_time_ms"][0] >= 0


def test_a_row_has_what_was_sent(shared: Shared) -> None:
    """The exact bytes, and the headers that cStar's side sets."""
    sandbox, client = shared
    with ScriptedServer(reply(500), reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("customer.created")
        sandbox.clock.advance(seconds=30)

        rows = attempts(sandbox, webhook)
        assert [request.body for request in server.requests] == list(rows["sent_body"])
        for sent, request in zip(rows["sent_headers"], server.requests, strict=True):
            assert {name.lower(): value for name, value in sent.items()}.items() <= request.headers.items()
            assert "X-Signature" in sent


def test_a_row_has_the_receivers_response(shared: Shared) -> None:
    """Its headers, with lower-case names, and the first kilobyte of its body."""
    sandbox, client = shared
    reason = b"the clock of this service is wrong\n" * 100

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nX-Reason: clock\r\nLocation: not a URL: \x01\r\nContent-Length: %d\r\n\r\n%s"
            % (len(reason), reason)
        )
        return False

    with ScriptedServer(respond) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        row = attempts(sandbox, webhook).iloc[0]
    assert (302, reason[:1024]) == (row["status"], row["response_body"])
    assert {"x-reason": "clock", "location": "not a URL: \x01"}.items() <= row["response_headers"].items()


def test_a_secret_in_a_response_is_masked(shared: Shared) -> None:
    """A receiver in debug mode shows its settings."""
    sandbox, client = shared
    settings: list[bytes] = []

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(
            b"HTTP/1.1 500 No\r\nX-Debug: %s\r\nContent-Length: %d\r\n\r\n%s" % (settings[0], 60, settings[0].ljust(60))
        )
        return False

    with ScriptedServer(respond) as server:
        webhook = hook(client, server.url)
        settings.append(secret_of(webhook).encode())
        client.webhooks.trigger_test("ticket.created")
        row = attempts(sandbox, webhook).iloc[0]
    assert "whsec_" in row["response_headers"]["x-debug"]
    assert settings[0] not in row["response_body"]
    assert settings[0].decode() not in row["response_headers"]["x-debug"]


def test_a_compressed_response_is_not_decompressed(shared: Shared) -> None:
    """A small one may contain gigabytes."""
    sandbox, client = shared
    bomb = gzip.compress(bytes(10_000_000))

    def respond(connection: socket.socket, _: RecordedRequest) -> bool:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        connection.sendall(head + bomb)
        return False

    with ScriptedServer(respond) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        assert ["identity"] == [request.headers["accept-encoding"] for request in server.requests]
        assert [bomb[:1024]] == list(attempts(sandbox, webhook)["response_body"])


def test_an_attempt_without_a_response_has_none_of_its_parts(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A withheld one was not sent either, so nothing is expected of it."""
    hook(client, f"http://127.0.0.1:{closed_port()}/")
    client.webhooks.trigger_test("ticket.created")
    rows = sandbox.deliveries()
    refused, withheld = rows[rows["webhook"] == "Mine"].iloc[0], rows[rows["state"] == "withheld"].iloc[0]

    assert (True, "accepted", False) == (bool(refused["sent_body"]), refused["expected"], refused["as_expected"])
    assert refused[["response_headers", "response_body"]].isna().all()
    assert withheld[COLUMNS[COLUMNS.index("expected") :]].isna().all()


def test_the_real_time_of_an_attempt_is_measured() -> None:
    """The simulated clock stands still meanwhile."""

    def waiting(connection: socket.socket, received: RecordedRequest) -> bool:
        time.sleep(0.1)
        return reply()(connection, received)

    with cx.Sandbox() as sandbox, sandbox.client() as client, ScriptedServer(waiting) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        row = attempts(sandbox).iloc[0]
    assert 100 <= row["elapsed_ms"] < 5000
    assert 0 == row["response_time_ms"]


def test_the_timeline_is_a_chart(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Its repr counts the deliveries and attempts."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        hook(client, server.url, "<b> $x^2$ \x1b[31m\u202e _y_")
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**ALL_RETRIES)
        timeline = sandbox.timeline()

    assert "Timeline(4 deliveries, 10 attempts)" == repr(timeline)
    assert timeline._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")
    assert isinstance(timeline.figure, Figure)
    assert "ticket.created: 7 attempts, failed. 3 deliveries withheld." in timeline.alt_text
    assert "not to scale" in timeline.svg()
    assert 1 == timeline.svg().count(" withheld<")


def test_an_empty_timeline_is_a_chart(sandbox: cx.Sandbox) -> None:
    """Without deliveries nothing is raised."""
    timeline = sandbox.timeline()
    assert "Timeline(0 deliveries, 0 attempts)" == repr(timeline)
    assert timeline._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_timeline_of_postponed_deliveries_is_a_chart(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A delivery without an attempt is left out."""
    with ScriptedServer(reply()) as server:
        for webhook in client.webhooks.list():
            client.webhooks.update(webhook.id, is_active=False)
        hook(client, server.url)
        sandbox.faults.delay(seconds=60)
        client.webhooks.trigger_test("ticket.created")
        assert sandbox.timeline()._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


# Concurrency


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(lambda _, client: client.webhooks.list(), id="lists"),
        pytest.param(lambda _, client: hook(client, "https://example.com/", "Late"), id="creates"),
        pytest.param(lambda _, client: client.webhooks.trigger_test("boss.spawned"), id="fires"),
        pytest.param(lambda sandbox, _: sandbox.clock.advance(hours=1), id="advances"),
        pytest.param(lambda sandbox, _: sandbox.deliveries(), id="reads the deliveries"),
        pytest.param(lambda sandbox, _: repr(sandbox.timeline()), id="draws the timeline"),
        pytest.param(lambda sandbox, _: sandbox.faults.duplicate(), id="queues a fault"),
        pytest.param(lambda _, client: [client.webhooks.delete(w.id) for w in client.webhooks.list()], id="deletes"),
    ],
)
def test_a_receiver_may_use_the_sandbox_in_its_handler(
    sandbox: cx.Sandbox, client: cx.Client, action: Callable[[cx.Sandbox, cx.Client], object]
) -> None:
    """Neither the call nor the delivery blocks the other."""
    done: list[object] = []

    def handler(event: dict[str, Any]) -> None:
        if event["type"] == "ticket.created" and not done:
            done.append(None)
            done[0] = (action(sandbox, client),)

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        delivery = delivery_to(listener.url, within_time(lambda: client.webhooks.trigger_test("ticket.created")))
        assert (True, 200) == (delivery.success, delivery.status)
        assert (1, True) == (len(done), done[0] is not None)


def test_a_receiver_may_use_the_sandbox_during_a_retry(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Also if advancing the clock caused the delivery."""
    seen: list[int] = []

    def handler(_: dict[str, Any]) -> int:
        sandbox.clock.advance(seconds=5)
        seen.append(len(client.webhooks.list()))
        return 500 if len(seen) < 3 else 200

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        within_time(lambda: client.webhooks.trigger_test("ticket.created"))
        within_time(lambda: sandbox.clock.advance(**ALL_RETRIES))
        assert [5, 5, 5] == seen
        assert [1, 2, 3] == list(attempts(sandbox)["attempt"])


def test_a_handler_may_fire_further_events(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Five levels deep, each event delivered once."""
    chain = ["ticket.created", "ticket.updated", "ticket.closed", "boss.spawned", "boss.defeated"]

    def handler(event: dict[str, Any]) -> None:
        following = chain.index(event["type"]) + 1
        if following < len(chain):
            client.webhooks.trigger_test(chain[following])

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        within_time(lambda: client.webhooks.trigger_test(chain[0]))
        for name in chain:
            assert name == listener.wait_for(name).event
        assert chain == sorted((request.event for request in listener.requests()), key=chain.index)


def test_a_handler_that_always_advances_the_clock_does_not_deadlock(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """If it also always fails, it gets all seven attempts."""

    def handler(_: dict[str, Any]) -> int:
        sandbox.clock.advance(hours=31)
        return 500

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        within_time(lambda: client.webhooks.trigger_test("ticket.created"))
        within_time(lambda: sandbox.clock.advance(days=30))
        rows = attempts(sandbox)
        assert (list(range(1, 8)), {"failed"}) == (list(rows["attempt"]), set(rows["state"]))
        assert 7 == len(listener.requests())


def test_events_fired_concurrently_arrive_once_each(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """No event is lost, duplicated or mixed up with another."""
    names = list(cx.events.NAMES)[:20]
    with sandbox.listener() as listener:
        listener.trust(secret_of(hook(client, listener.url)))
        with ThreadPoolExecutor(8) as executor:
            fired = list(executor.map(client.webhooks.trigger_test, names, timeout=10))

        assert {(event.event, event.event_id) for event in fired} == {
            (request.event, request.event_id) for request in listener.requests()
        }
        assert (20, {"ok"}) == (len(listener.requests()), {request.cause for request in listener.requests()})
        rows = attempts(sandbox)
        assert (20, {"delivered"}) == (len(rows), set(rows["state"]))


def test_concurrent_advances_make_each_attempt_once(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Four threads advance the clock at the same time."""
    with sandbox.listener() as listener:
        listener.answer.status = 500
        hook(client, listener.url)
        client.webhooks.trigger_test("ticket.created")
        with ThreadPoolExecutor(4) as executor:
            list(executor.map(lambda _: sandbox.clock.advance(hours=31, minutes=13), range(4), timeout=10))
        within_time(lambda: sandbox.clock.advance(days=30))

        assert [str(number) for number in range(1, 8)] == sorted(
            request.header("x-delivery-attempt") or "" for request in listener.requests()
        )
        assert list(range(1, 8)) == list(attempts(sandbox)["attempt"])


def test_advances_of_two_threads_add_up(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The second starts while the first waits for a receiver."""
    entered, release = threading.Event(), threading.Event()

    def waiting(connection: socket.socket, received: RecordedRequest) -> bool:
        entered.set()
        release.wait(0.2)
        return reply(500)(connection, received)

    with ScriptedServer(reply(500), waiting, *[reply(500)] * 5) as server, ThreadPoolExecutor(2) as executor:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        start = sandbox.clock.now
        first = executor.submit(sandbox.clock.advance, **ALL_RETRIES)
        assert entered.wait(5)
        second = executor.submit(sandbox.clock.advance, hours=1)
        wait([second], timeout=0.1)
        release.set()
        first.result(timeout=5)
        second.result(timeout=5)

        assert start + timedelta(**ALL_RETRIES) + timedelta(hours=1) == sandbox.clock.now
        pauses = attempts(sandbox)["at"].diff()[1:]
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in pauses]


def test_a_closed_sandbox_leaves_nothing_running() -> None:
    """Closing does not wait for pending deliveries."""
    before = threading.active_count()
    with ScriptedServer(reply(500)) as server:
        sandbox = cx.Sandbox()
        with sandbox.client() as client:
            hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
        within_time(sandbox.close)
    assert threading.active_count() <= before  # those of other tests may end meanwhile


# Determinism


def run(script_for: Callable[[str], Script]) -> list[tuple[str, str, str]]:
    """Makes some calls. Returns the receiver, the attempt and the digest of the body of each delivery."""
    arrived: list[tuple[str, str, str]] = []

    def recording(name: str) -> Script:
        def respond(connection: socket.socket, received: RecordedRequest) -> bool:
            digest = hashlib.sha256(received.body).hexdigest()
            arrived.append((name, received.headers["x-delivery-attempt"], digest))
            return script_for(name)(connection, received)

        return respond

    with (
        ScriptedServer(*[recording("a")] * 60) as server_a,
        ScriptedServer(*[recording("b")] * 60) as server_b,
        cx.Sandbox() as sandbox,
        sandbox.client() as client,
    ):
        hook(client, server_a.url, "A")
        hook(client, server_b.url, "B")
        sandbox.faults.reencode(times=2)
        sandbox.faults.oversize(5000)
        for name in ("ticket.created", "boss.spawned", "article.published"):
            client.webhooks.trigger_test(name)
        sandbox.faults.reorder()
        client.webhooks.trigger_test("ticket.closed")
        client.webhooks.trigger_test("ticket.updated")
        sandbox.clock.advance(**ALL_RETRIES)
    return arrived


def test_the_same_calls_make_the_same_deliveries_in_the_same_order() -> None:
    """With faults and retries."""

    def script_for(name: str) -> Script:
        return reply(500 if name == "a" else 200)

    first, second = run(script_for), run(script_for)
    assert len(first) > 35
    assert first == second


def test_a_failed_delivery_does_not_change_later_events() -> None:
    """A failing receiver gets the same bytes as a working one."""
    working, failing = run(lambda _: reply(200)), run(lambda _: reply(500))
    assert {each for each in working if each[1] == "1"} == {each for each in failing if each[1] == "1"}


def test_pending_deliveries_survive_in_the_file(tmp_path: Path) -> None:
    """A reopened sandbox makes the retry."""
    path = tmp_path / "sandbox.sqlite"
    with ScriptedServer(reply(500), reply()) as server:
        with cx.Sandbox(path) as sandbox, sandbox.client() as client:
            hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
            before = sandbox.deliveries()
        with cx.Sandbox(path) as sandbox:
            pd.testing.assert_frame_equal(before, sandbox.deliveries())
            sandbox.clock.advance(seconds=30)
            assert ["1", "2"] == [request.headers["x-delivery-attempt"] for request in server.requests]
            assert {"delivered"} == set(attempts(sandbox)["state"])


@pytest.mark.parametrize("event", ["nonsense", "ticket.creatd"])
def test_an_unknown_event_is_rejected_and_not_delivered(sandbox: cx.Sandbox, event: str) -> None:
    """By the server, with the reference's 400."""
    with ScriptedServer(reply()) as server, sandbox.client() as client:
        hook(client, server.url)
        with pytest.raises(errors.ValidationError), pytest.warns():
            client.webhooks.trigger_test(event)
        assert ([], True) == (server.requests, sandbox.deliveries().empty)
