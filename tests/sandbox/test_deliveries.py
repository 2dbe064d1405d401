"""Deliveries that are really posted: to whom, with which bytes, how often, and what is told about them."""

import gc
import hashlib
import hmac
import json
import socket
import threading
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
]
PAUSES = (30, 120, 600, 3600, 21600, 86400)
EVERYTHING = {"hours": 31, "minutes": 13}
Shared = tuple[cx.Sandbox, cx.Client]
TOLD = {"deliveryId", "event", "url", "success", "status", "responseTimeMs", "error"}


def hook(client: cx.Client, url: str, name: str = "Mine", events: str = "*") -> cx.Webhook:
    """A webhook that points to this url."""
    return client.webhooks.create(name=name, url=url, events=events)


def attempts(sandbox: cx.Sandbox, webhook: cx.Webhook | None = None) -> pd.DataFrame:
    """The rows of one webhook: this one, or the one called "Mine"."""
    rows = sandbox.deliveries()
    mine = rows["webhook_id"] == webhook.id if webhook else rows["webhook"] == "Mine"
    return rows[mine].reset_index(drop=True)


def told(fired: cx.FiredEvent, url: str) -> Any:
    """What the answer says about the delivery to this url."""
    (one,) = [delivery for delivery in fired.deliveries if delivery.url == url]
    return one


def outcome(one: Any) -> tuple[Any, ...]:
    return one.success, one.status, one.error


def is_signed(request: RecordedRequest, secret: str) -> bool:
    """Whether the signature is the published one, worked out here from nothing but the standard library."""
    stamp, digest = (part.split("=", 1) for part in request.headers["x-signature"].split(","))
    signed = stamp[1].encode() + b"." + request.body
    return ("t", "v1") == (stamp[0], digest[0]) and hmac.compare_digest(
        digest[1], hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    )


def stamped(request: RecordedRequest) -> int:
    """The signed time."""
    return int(request.headers["x-signature"].split(",")[0].removeprefix("t="))


def secret_of(webhook: cx.Webhook) -> str:
    assert webhook.secret is not None
    return webhook.secret.reveal()


def bounded(act: Callable[[], Any]) -> Any:
    """What it returns, or a failure if it takes suspiciously long."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(act).result(timeout=8)


def still_open(connection: socket.socket) -> bool:
    """Whether the other side has not hung up after a while."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return True
    except ConnectionError:
        return False
    return False


def turn_away(door: socket.socket) -> None:
    """Opens to one visitor, and hangs up."""
    door.accept()[0].close()


@pytest.fixture(scope="module")
def _shared() -> Iterator[Shared]:
    with cx.Sandbox() as sandbox, sandbox.client() as client:
        yield sandbox, client


@pytest.fixture
def shared(_shared: Shared) -> Iterator[Shared]:
    """A sandbox for the tests that do not depend on what went before."""
    yield _shared
    sandbox, client = _shared
    for webhook in client.webhooks.list():
        client.webhooks.delete(webhook.id)
    sandbox.clock.advance(seconds=30)


# To whom


@pytest.mark.parametrize(
    "events",
    [
        pytest.param("ticket.created", id="subscribed"),
        pytest.param("ticket.*", id="subscribed by pattern"),
        pytest.param("boss.spawned", id="subscribed to another event"),
    ],
)
def test_an_event_is_posted_to_every_active_webhook(shared: Shared, events: str) -> None:
    """As the reference says, whatever the webhook subscribes to."""
    _, client = shared
    with ScriptedServer(reply()) as server:
        hook(client, server.url, events=events)
        fired = client.webhooks.trigger_test("ticket.created")

        assert ["POST"] == server.methods
        assert (True, 200, None) == outcome(told(fired, server.url))


@pytest.mark.parametrize(
    ("events", "arrives"),
    [
        pytest.param("ticket.created", 1, id="the event itself"),
        pytest.param("boss.spawned,ticket.created", 1, id="one of several"),
        pytest.param("ticket.*", 1, id="its group"),
        pytest.param("*", 1, id="everything"),
        pytest.param("ticket.closed", 0, id="another event"),
        pytest.param("boss.*", 0, id="another group"),
    ],
)
def test_subscriptions_are_followed_when_asked_for(events: str, arrives: int) -> None:
    """The switch makes the sandbox choosy."""
    with (
        cx.Sandbox(follow_subscriptions=True) as sandbox,
        sandbox.client() as client,
        ScriptedServer(reply()) as server,
    ):
        hook(client, server.url, events=events)
        fired = client.webhooks.trigger_test("ticket.created")

        assert arrives == len(server.requests) == len(attempts(sandbox))
        assert arrives == [one.url for one in fired.deliveries].count(server.url)


def test_an_inactive_webhook_receives_nothing(shared: Shared) -> None:
    """It is not even told of."""
    sandbox, client = shared
    with ScriptedServer(reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.update(webhook.id, is_active=False)
        fired = client.webhooks.trigger_test("ticket.created")

        assert ([], True) == (server.requests, attempts(sandbox, webhook).empty)
        assert server.url not in [one.url for one in fired.deliveries]


def test_test_and_live_keys_reach_only_their_own_webhooks(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Their data are separate, and so are their deliveries."""
    with ScriptedServer(reply()) as tests, ScriptedServer(reply()) as lives, sandbox.client("live") as live:
        hook(client, tests.url)
        hook(live, lives.url)
        client.webhooks.trigger_test("ticket.created")
        assert (1, 0) == (len(tests.requests), len(lives.requests))

        live.webhooks.trigger_test("ticket.created")
        assert (1, 1) == (len(tests.requests), len(lives.requests))


# What stays inside


def test_what_it_starts_with_is_withheld(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Three active webhooks elsewhere: one attempt each, told as withheld, and never tried again."""
    fired = client.webhooks.trigger_test("ticket.created")
    sandbox.clock.advance(**EVERYTHING)

    rows = sandbox.deliveries()
    assert (3, 3) == (len(fired.deliveries), len(rows))
    assert {("withheld", 1, False)} == set(zip(rows["state"], rows["attempt"], rows["success"], strict=True))
    assert all(cause.startswith("withheld:") for cause in rows["cause"])
    assert rows["next_attempt_at"].isna().all()
    assert all(not one.success and one.status is None for one in fired.deliveries)
    assert all((one.error or "").startswith("withheld:") for one in fired.deliveries)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("0.0.0.0", id="every address"),
        pytest.param("127.0.0.1.hooks.example", id="a name that begins like loopback"),
        pytest.param("localhost.hooks.example", id="a name that begins with localhost"),
        pytest.param("hooks.example.localhost.example", id="a name that contains localhost"),
        pytest.param("127.0.0.1@hooks.example", id="loopback as the user"),
        pytest.param("10.0.0.1", id="a private network"),
        pytest.param("[::ffff:10.0.0.1]", id="a private network in the newer spelling"),
    ],
)
def test_nothing_is_sent_beyond_loopback(shared: Shared, host: str) -> None:
    """However much the address looks like it."""
    sandbox, client = shared
    url = f"https://{host}:{closed_port()}/hook"
    webhook = hook(client, url)
    one = told(client.webhooks.trigger_test("ticket.created"), url)

    assert (False, None) == (one.success, one.status)
    assert (one.error or "").startswith("withheld:")
    assert [(1, "withheld")] == list(
        attempts(sandbox, webhook)[["attempt", "state"]].itertuples(index=False, name=None)
    )


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_posted_to_by_address_and_by_name(shared: Shared, host: str) -> None:
    """Both are this machine."""
    _, client = shared
    with ScriptedServer(reply()) as server:
        hook(client, f"http://{host}:{server.port}/hook")
        client.webhooks.trigger_test("ticket.created")
        assert [("POST", "/hook")] == [(request.method, request.path) for request in server.requests]


def test_a_host_that_was_allowed_is_posted_to() -> None:
    """By its name only; a connection is really made, and fails because nobody there speaks TLS."""
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor(1) as executor:
        door.settimeout(5)
        url = f"https://0.0.0.0:{door.getsockname()[1]}/hook"
        with cx.Sandbox(allowed_hosts=["0.0.0.0"]) as sandbox, sandbox.client() as client:
            hook(client, url)
            visit = executor.submit(turn_away, door)
            one = told(client.webhooks.trigger_test("ticket.created"), url)
            visit.result(timeout=5)

            assert (False, False) == (one.success, (one.error or "").startswith("withheld:"))
            assert ["pending"] == list(attempts(sandbox)["state"])


def test_an_attempt_that_ran_out_of_time_hangs_up() -> None:
    """Also while TLS is still being agreed on; the receiver sees the connection end."""
    with socket.create_server(("127.0.0.1", 0)) as door, ThreadPoolExecutor(1) as executor:
        door.settimeout(5)
        with cx.Sandbox(delivery_timeout=0.1) as sandbox, sandbox.client() as client:
            hook(client, f"https://127.0.0.1:{door.getsockname()[1]}/hook")
            visit = executor.submit(door.accept)
            client.webhooks.trigger_test("ticket.created")
            with visit.result(timeout=5)[0] as connection:
                connection.settimeout(1)
                heard = still_open(connection)
        with warnings.catch_warnings():  # what was left open is this test's finding, and not the next one's
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        assert not heard


def test_a_redirect_is_a_failure_and_is_not_followed(shared: Shared) -> None:
    """What is signed for one address goes to no other."""
    sandbox, client = shared
    with ScriptedServer(reply()) as other, ScriptedServer(redirect(f"{other.url}/away", 307), reply()) as server:
        hook(client, server.url)
        one = told(client.webhooks.trigger_test("ticket.created"), server.url)

        assert (False, 307, []) == (one.success, one.status, other.requests)
        assert bool(one.error)
        sandbox.clock.advance(seconds=30)
        assert (2, []) == (len(server.requests), other.requests)


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery to loopback goes straight there."""
    with ScriptedServer(reply()) as proxy, ScriptedServer(reply()) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NO_PROXY", "")
        with cx.Sandbox() as sandbox, sandbox.client() as client:
            hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
        assert (1, 0) == (len(server.requests), len(proxy.requests))


# What is sent


def test_the_published_headers_are_sent(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """All of them, with the values that belong together."""
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
    assert stamped(request) == datetime.fromisoformat(request.headers["x-timestamp"]).timestamp()
    assert sandbox.clock.now == datetime.fromtimestamp(stamped(request), UTC)
    assert request.headers["x-cstar-request-id"].startswith("req_")


def test_the_body_is_the_published_envelope(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Five fields, and the data of the sample."""
    with ScriptedServer(reply()) as server:
        hook(client, server.url)
        fired = client.webhooks.trigger_test("ticket.created")
        body = json.loads(server.requests[0].body)

    assert {"id", "type", "created_at", "team_id", "data"} == set(body)
    assert (fired.event_id, "ticket.created", sandbox.team_id) == (body["id"], body["type"], body["team_id"])
    assert {"ticket", "customer"} == set(body["data"])
    assert datetime.fromisoformat(body["created_at"]) <= sandbox.clock.now


def test_every_published_event_can_be_delivered(client: cx.Client) -> None:
    """All 35, each under its own id."""
    with ScriptedServer(*[reply()] * len(cx.events.NAMES)) as server:
        hook(client, server.url)
        fired = [client.webhooks.trigger_test(name).event_id for name in cx.events.NAMES]
        bodies = [json.loads(request.body) for request in server.requests]

    assert list(cx.events.NAMES) == [body["type"] for body in bodies]
    assert fired == [body["id"] for body in bodies]
    assert 35 == len(set(fired))


def test_each_webhook_is_signed_for_with_its_own_secret(shared: Shared) -> None:
    """Over the same bytes, and with no other's."""
    _, client = shared
    with ScriptedServer(reply()) as one, ScriptedServer(reply()) as two:
        first, second = secret_of(hook(client, one.url)), secret_of(hook(client, two.url, "Other"))
        client.webhooks.trigger_test("ticket.created")

        assert one.requests[0].body == two.requests[0].body
        assert [True, False] == [is_signed(one.requests[0], secret) for secret in (first, second)]
        assert [False, True] == [is_signed(two.requests[0], secret) for secret in (first, second)]
        assert one.requests[0].headers["x-webhook-id"] != two.requests[0].headers["x-webhook-id"]


def test_the_request_id_is_that_of_the_call_that_fired(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """So that a delivery can be traced back; and the answer's deliveries have the fields of the closest published shape."""
    with ScriptedServer(reply()) as server:
        hook(client, server.url)
        answer = httpx.post(
            f"{sandbox.base_url}/api/v1/teams/{sandbox.team_id}/webhooks/trigger-test",
            headers={"Authorization": f"Bearer {sandbox.key.reveal()}"},
            json={"event": "ticket.created"},
            trust_env=False,
        ).json()

        assert answer["meta"]["requestId"] == server.requests[0].headers["x-cstar-request-id"]
        assert [TOLD] * 4 == [set(delivery) for delivery in answer["data"]["deliveries"]]


# What counts as a failure


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
def test_any_2xx_is_a_success(shared: Shared, code: int) -> None:
    """It is not sent again."""
    sandbox, client = shared
    with ScriptedServer(reply(code)) as server:
        webhook = hook(client, server.url)
        one = told(client.webhooks.trigger_test("ticket.created"), server.url)
        sandbox.clock.advance(**EVERYTHING)

        assert (True, code, None, 1) == (one.success, one.status, one.error, len(server.requests))
        row = attempts(sandbox, webhook).iloc[0]
        assert (True, code, "delivered") == (row["success"], row["status"], row["state"])
        assert row[["cause", "next_attempt_at"]].isna().all()


@pytest.mark.parametrize("code", [300, 301, 302, 304, 308, 400, 401, 404, 410, 418, 429, 500, 503, 599])
def test_any_other_status_is_a_failure_that_is_tried_again(shared: Shared, code: int) -> None:
    """The first attempt names the status, the second one comes after 30 s."""
    sandbox, client = shared
    with ScriptedServer(reply(code), reply()) as server:
        webhook = hook(client, server.url)
        one = told(client.webhooks.trigger_test("ticket.created"), server.url)
        assert (False, code, True) == (one.success, one.status, str(code) in (one.error or ""))

        sandbox.clock.advance(seconds=30)
        rows = attempts(sandbox, webhook)
        assert [(1, False, code), (2, True, 200)] == list(
            rows[["attempt", "success", "status"]].itertuples(index=False, name=None)
        )
        assert {"delivered"} == set(rows["state"])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(reset(), id="reset"),
        pytest.param(hang_up(), id="hung up"),
        pytest.param(garbled(), id="not HTTP"),
        pytest.param(silence(), id="silent"),
    ],
)
def test_no_answer_is_a_failure_that_is_tried_again(line: Script) -> None:
    """It has no status, but it has a cause."""
    with (
        cx.Sandbox(delivery_timeout=0.1) as sandbox,
        sandbox.client() as client,
        ScriptedServer(line, reply()) as server,
    ):
        hook(client, server.url)
        one = bounded(lambda: told(client.webhooks.trigger_test("ticket.created"), server.url))
        assert (False, None, True) == (one.success, one.status, bool(one.error))

        bounded(lambda: sandbox.clock.advance(seconds=30))
        assert 2 == len(server.requests)
        rows = attempts(sandbox)
        assert ([False, True], True) == (list(rows["success"]), pd.isna(rows["status"][0]))
        assert (True, True) == (bool(rows["cause"][0]), pd.isna(rows["cause"][1]))


def test_a_port_on_which_nobody_listens_is_a_failure(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Until somebody does."""
    port = closed_port()
    hook(client, f"http://127.0.0.1:{port}/")
    one = told(client.webhooks.trigger_test("ticket.created"), f"http://127.0.0.1:{port}/")
    assert (False, None, True) == (one.success, one.status, bool(one.error))

    with ScriptedServer(reply(), port=port) as server:
        sandbox.clock.advance(seconds=30)
        assert ["2"] == [request.headers["x-delivery-attempt"] for request in server.requests]


def test_the_budget_is_for_the_whole_attempt() -> None:
    """A receiver that drips its answer does not stretch it."""
    left = threading.Event()

    def dripping(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(40):
            if left.wait(0.05):
                return False
            connection.sendall(f"X-Drop-{number}: 1\r\n".encode())
        connection.sendall(b"Content-Length: 0\r\n\r\n")
        return False

    with cx.Sandbox(delivery_timeout=0.15) as sandbox, sandbox.client() as client, ScriptedServer(dripping) as server:
        hook(client, server.url)
        one = bounded(lambda: told(client.webhooks.trigger_test("ticket.created"), server.url))
        left.set()

        assert (False, None, True) == (one.success, one.status, bool(one.error))


def test_an_endless_answer_ends() -> None:
    """Of what a receiver answers, no more is read than is needed."""

    def pouring(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with cx.Sandbox(delivery_timeout=0.2) as sandbox, sandbox.client() as client, ScriptedServer(pouring) as server:
        hook(client, server.url)
        bounded(lambda: client.webhooks.trigger_test("ticket.created"))
        assert (1, 1) == (len(server.requests), len(attempts(sandbox)))
        assert server.is_alone()


def test_an_answer_that_is_not_text_is_told_in_printable_text(shared: Shared) -> None:
    """What a receiver answers is foreign, too."""
    sandbox, client = shared

    def rude(connection: socket.socket, _: RecordedRequest) -> bool:
        connection.sendall(b"HTTP/1.1 500 \x1b[31m\xe2\x80\xae\xff\r\nContent-Length: 4\r\n\r\n\x00\x1b<b")
        return False

    with ScriptedServer(rude) as server:
        webhook = hook(client, server.url)
        one = told(client.webhooks.trigger_test("ticket.created"), server.url)
        assert (False, 500, True) == (one.success, one.status, repr(one).isprintable())
        assert 1 == len(attempts(sandbox, webhook))


# How often


def test_a_failure_is_tried_seven_times_over_thirty_one_hours(shared: Shared) -> None:
    """One leap of the clock lives through all of it, at the published distances."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 8) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        first = attempts(sandbox, webhook)
        assert [("pending", timedelta(seconds=30))] == [
            (row.state, row.next_attempt_at - row.at) for row in first.itertuples()
        ]
        sandbox.clock.advance(**EVERYTHING)

        rows = attempts(sandbox, webhook)
        assert list(range(1, 8)) == list(rows["attempt"])
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in rows["at"].diff()[1:]]
        assert ({"failed"}, {500}) == (set(rows["state"]), set(rows["status"]))
        assert rows["next_attempt_at"].isna().all()
        sandbox.clock.advance(days=30)
        assert 7 == len(server.requests)


def test_each_attempt_is_signed_afresh_over_the_same_bytes(shared: Shared) -> None:
    """Its number, its time and its signature are new, and the event is the same."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 7) as server:
        webhook = hook(client, server.url)
        secret = secret_of(webhook)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**EVERYTHING)

        times = [int(at.timestamp()) for at in attempts(sandbox, webhook)["at"]]
        assert times == [stamped(request) for request in server.requests]
        assert times == [datetime.fromisoformat(one.headers["x-timestamp"]).timestamp() for one in server.requests]
        assert [str(number) for number in range(1, 8)] == [
            request.headers["x-delivery-attempt"] for request in server.requests
        ]
        assert [True] * 7 == [is_signed(request, secret) for request in server.requests]
        assert 1 == len({request.body for request in server.requests})
        assert 1 == len({request.headers["x-event-id"] for request in server.requests})


@pytest.mark.parametrize("failures", [1, 3, 6])
def test_a_receiver_that_recovers_gets_the_event(shared: Shared, failures: int) -> None:
    """Then it is delivered, and not sent once more."""
    sandbox, client = shared
    with ScriptedServer(*[reply(503)] * failures, reply(204)) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**EVERYTHING)

        rows = attempts(sandbox, webhook)
        assert [False] * failures + [True] == list(rows["success"])
        assert {"delivered"} == set(rows["state"])
        assert failures + 1 == len(server.requests)


def test_many_small_steps_of_the_clock_are_like_one_leap(shared: Shared) -> None:
    """An attempt takes place when it is due, not when somebody looks."""
    sandbox, client = shared
    with ScriptedServer(*[reply(500)] * 7) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        for _ in range(100):
            sandbox.clock.advance(minutes=19)

        rows = attempts(sandbox, webhook)
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in rows["at"].diff()[1:]]
        assert 7 == len(server.requests)


def test_a_second_early_is_too_early(shared: Shared) -> None:
    """The retry comes at 30 s sharp."""
    sandbox, client = shared
    with ScriptedServer(reply(500), reply()) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=29)
        assert 1 == len(server.requests)
        sandbox.clock.advance(seconds=1)
        assert 2 == len(server.requests)


def test_a_writing_call_moves_the_clock_and_delivers_what_became_due(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """By one second; a reading call does neither."""
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


def test_retries_of_several_webhooks_come_in_the_order_of_their_time(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whoever is due first is posted to first."""
    order: list[str] = []

    def noted(name: str) -> Script:
        def answer(connection: socket.socket, received: RecordedRequest) -> bool:
            order.append(name + received.headers["x-delivery-attempt"])
            return reply(500)(connection, received)

        return answer

    with ScriptedServer(*[noted("a")] * 14) as one, ScriptedServer(*[noted("b")] * 7) as two:
        hook(client, one.url, "A")
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=10)
        hook(client, two.url, "B")
        client.webhooks.update(next(w.id for w in client.webhooks.list() if w.name == "A"), is_active=True)
        order.clear()
        client.webhooks.trigger_test("ticket.closed")
        sandbox.clock.advance(**EVERYTHING)

        rows = sandbox.deliveries()
        rows = rows[rows["webhook"].isin(["A", "B"])].sort_values("at", kind="stable")
        assert sorted(rows["at"]) == list(rows["at"])
        assert {"a7", "b7"} == set(order[-2:])
        assert (14, 7) == (len(one.requests), len(two.requests))


# Edited, deleted, switched off meanwhile


def test_an_edited_webhook_is_delivered_to_its_new_url(shared: Shared) -> None:
    """The frame shows which attempt went where."""
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
        pytest.param(lambda webhooks, id_: webhooks.update(id_, is_active=False), id="switched off"),
    ],
)
def test_what_is_gone_is_dropped(sandbox: cx.Sandbox, client: cx.Client, end: Callable[..., object]) -> None:
    """A deleted or inactive webhook is not posted to again."""
    with ScriptedServer(reply(500), reply()) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        end(client.webhooks, webhook.id)
        sandbox.clock.advance(**EVERYTHING)

        rows = sandbox.deliveries()
        rows = rows[rows["webhook_id"] == webhook.id]
        assert (1, {"dropped"}) == (len(server.requests), set(rows["state"]))
        assert rows["next_attempt_at"].isna().all()


# What is told


def test_the_frame_has_the_same_columns_and_types_when_it_is_empty(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """So that code written for the full one runs on the empty one."""
    empty = sandbox.deliveries()
    with ScriptedServer(reply(500), reply()) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(seconds=30)
    full = sandbox.deliveries()

    assert (0, COLUMNS) == (len(empty), list(empty.columns))
    assert COLUMNS == list(full.columns)
    assert list(empty.dtypes) == list(full.dtypes)


def test_there_is_a_row_for_each_webhook_event_and_attempt(shared: Shared) -> None:
    """None twice, none missing, and each under the id the answer told."""
    sandbox, client = shared
    with ScriptedServer(reply(500), reply(500), reply(), reply()) as server:
        webhook = hook(client, server.url)
        fired = [client.webhooks.trigger_test(name) for name in ("ticket.created", "ticket.closed")]
        sandbox.clock.advance(**EVERYTHING)

        rows = attempts(sandbox, webhook)
        key = ["webhook_id", "event_id", "attempt"]
        assert not rows.duplicated(key).any()
        assert {(webhook.id, one.event_id, number) for one in fired for number in (1, 2)} == set(
            rows[key].itertuples(index=False, name=None)
        )
        assert {told(one, server.url).delivery_id for one in fired} == set(rows["id"])
        assert {"ticket.created", "ticket.closed"} == set(rows["event"])


def test_a_response_time_is_told_of_what_was_posted(shared: Shared) -> None:
    """A number of milliseconds that is not negative."""
    sandbox, client = shared
    with ScriptedServer(reply()) as server:
        webhook = hook(client, server.url)
        one = told(client.webhooks.trigger_test("ticket.created"), server.url)
        assert one.response_time_ms >= 0
        assert attempts(sandbox, webhook)["response_time_ms"][0] >= 0


def test_the_timeline_is_a_picture(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Of deliveries and attempts, which its repr counts."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        hook(client, server.url, "<b> $x^2$ \x1b[31m\u202e _y_")
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**EVERYTHING)
        timeline = sandbox.timeline()

    assert "Timeline(4 deliveries, 10 attempts)" == repr(timeline)
    assert timeline._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")
    assert isinstance(timeline.figure, Figure)


def test_an_empty_timeline_is_a_picture_too(sandbox: cx.Sandbox) -> None:
    """Nothing happened yet, and that is no mishap."""
    timeline = sandbox.timeline()
    assert "Timeline(0 deliveries, 0 attempts)" == repr(timeline)
    assert timeline._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


def test_a_timeline_of_what_still_waits_is_a_picture_too(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A delivery without an attempt has no place in time yet."""
    with ScriptedServer(reply()) as server:
        for webhook in client.webhooks.list():
            client.webhooks.update(webhook.id, is_active=False)
        hook(client, server.url)
        sandbox.faults.delay(seconds=60)
        client.webhooks.trigger_test("ticket.created")
        assert sandbox.timeline()._repr_png_().startswith(b"\x89PNG\r\n\x1a\n")


# Never a deadlock


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda _, client: client.webhooks.list(), id="lists"),
        pytest.param(lambda _, client: hook(client, "https://example.com/", "Late"), id="creates"),
        pytest.param(lambda _, client: client.webhooks.trigger_test("boss.spawned"), id="fires"),
        pytest.param(lambda sandbox, _: sandbox.clock.advance(hours=1), id="advances"),
        pytest.param(lambda sandbox, _: sandbox.deliveries(), id="looks at the deliveries"),
        pytest.param(lambda sandbox, _: repr(sandbox.timeline()), id="looks at the timeline"),
        pytest.param(lambda sandbox, _: sandbox.faults.duplicate(), id="orders a fault"),
        pytest.param(lambda _, client: [client.webhooks.delete(w.id) for w in client.webhooks.list()], id="deletes"),
    ],
)
def test_a_receiver_may_call_back_from_its_handler(
    sandbox: cx.Sandbox, client: cx.Client, act: Callable[[cx.Sandbox, cx.Client], object]
) -> None:
    """The call is answered, and so is the delivery."""
    done: list[object] = []

    def handler(event: dict[str, Any]) -> None:
        if event["type"] == "ticket.created" and not done:
            done.append(None)
            done[0] = (act(sandbox, client),)

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        one = told(bounded(lambda: client.webhooks.trigger_test("ticket.created")), listener.url)
        assert (True, 200) == (one.success, one.status)
        assert (1, True) == (len(done), done[0] is not None)


def test_a_receiver_may_call_back_during_a_retry(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Also when it was the clock that set off the delivery."""
    seen: list[int] = []

    def handler(_: dict[str, Any]) -> int:
        sandbox.clock.advance(seconds=5)
        seen.append(len(client.webhooks.list()))
        return 500 if len(seen) < 3 else 200

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        bounded(lambda: client.webhooks.trigger_test("ticket.created"))
        bounded(lambda: sandbox.clock.advance(**EVERYTHING))
        assert [5, 5, 5] == seen
        assert [1, 2, 3] == list(attempts(sandbox)["attempt"])


def test_events_that_fire_events_end(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Five deep, each delivered once."""
    chain = ["ticket.created", "ticket.updated", "ticket.closed", "boss.spawned", "boss.defeated"]

    def handler(event: dict[str, Any]) -> None:
        place = chain.index(event["type"]) + 1
        if place < len(chain):
            client.webhooks.trigger_test(chain[place])

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        bounded(lambda: client.webhooks.trigger_test(chain[0]))
        for name in chain:
            assert name == listener.wait_for(name).event
        assert chain == sorted((request.event for request in listener.requests()), key=chain.index)


def test_an_advance_without_end_from_a_receiver_is_no_deadlock(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """A handler that always fails and always advances lives through all seven attempts."""

    def handler(_: dict[str, Any]) -> int:
        sandbox.clock.advance(hours=31)
        return 500

    with sandbox.listener(handler=handler) as listener:
        hook(client, listener.url)
        bounded(lambda: client.webhooks.trigger_test("ticket.created"))
        bounded(lambda: sandbox.clock.advance(days=30))
        rows = attempts(sandbox)
        assert (list(range(1, 8)), {"failed"}) == (list(rows["attempt"]), set(rows["state"]))
        assert 7 == len(listener.requests())


def test_many_threads_fire_at_once_and_each_event_arrives_once(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """No event is lost, doubled or mixed up with another."""
    names = list(cx.events.NAMES)[:20]
    with sandbox.listener() as listener:
        listener.trust(secret_of(hook(client, listener.url)))
        with ThreadPoolExecutor(8) as executor:
            fired = list(executor.map(client.webhooks.trigger_test, names, timeout=10))

        assert {(one.event, one.event_id) for one in fired} == {
            (one.event, one.event_id) for one in listener.requests()
        }
        assert (20, {"ok"}) == (len(listener.requests()), {one.cause for one in listener.requests()})
        rows = attempts(sandbox)
        assert (20, {"delivered"}) == (len(rows), set(rows["state"]))


def test_an_attempt_under_way_is_not_made_twice(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Threads that advance the clock at the same time share the work."""
    with sandbox.listener() as listener:
        listener.answer.status = 500
        hook(client, listener.url)
        client.webhooks.trigger_test("ticket.created")
        with ThreadPoolExecutor(4) as executor:
            list(executor.map(lambda _: sandbox.clock.advance(hours=31, minutes=13), range(4), timeout=10))
        bounded(lambda: sandbox.clock.advance(days=30))

        assert [str(number) for number in range(1, 8)] == sorted(
            request.header("x-delivery-attempt") or "" for request in listener.requests()
        )
        assert list(range(1, 8)) == list(attempts(sandbox)["attempt"])


def test_advances_of_two_threads_add_up(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The second begins while the first waits for a receiver; each moves the clock by what it was told."""
    inside, leave = threading.Event(), threading.Event()

    def waiting(connection: socket.socket, received: RecordedRequest) -> bool:
        inside.set()
        leave.wait(0.2)
        return reply(500)(connection, received)

    with ScriptedServer(reply(500), waiting, *[reply(500)] * 5) as server, ThreadPoolExecutor(2) as executor:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        start = sandbox.clock.now
        first = executor.submit(sandbox.clock.advance, **EVERYTHING)
        assert inside.wait(5)
        second = executor.submit(sandbox.clock.advance, hours=1)
        wait([second], timeout=0.1)
        leave.set()
        first.result(timeout=5)
        second.result(timeout=5)

        assert start + timedelta(**EVERYTHING) + timedelta(hours=1) == sandbox.clock.now
        pauses = attempts(sandbox)["at"].diff()[1:]
        assert list(PAUSES) == [int(pause.total_seconds()) for pause in pauses]


def test_a_closed_sandbox_leaves_nothing_running() -> None:
    """Closing while a delivery waits for its next attempt ends at once."""
    before = threading.active_count()
    with ScriptedServer(reply(500)) as server:
        sandbox = cx.Sandbox()
        with sandbox.client() as client:
            hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
        bounded(sandbox.close)
    assert before == threading.active_count()


# The same again


def run(port_of: Callable[[str], Script]) -> list[tuple[str, str, str]]:
    """A few calls, and what they delivered: who, which attempt, and the hash of the bytes."""
    arrived: list[tuple[str, str, str]] = []

    def noted(name: str) -> Script:
        def answer(connection: socket.socket, received: RecordedRequest) -> bool:
            digest = hashlib.sha256(received.body).hexdigest()
            arrived.append((name, received.headers["x-delivery-attempt"], digest))
            return port_of(name)(connection, received)

        return answer

    with (
        ScriptedServer(*[noted("a")] * 60) as one,
        ScriptedServer(*[noted("b")] * 60) as two,
        cx.Sandbox() as sandbox,
        sandbox.client() as client,
    ):
        hook(client, one.url, "A")
        hook(client, two.url, "B")
        sandbox.faults.reencode(times=2)
        sandbox.faults.oversize(5000)
        for name in ("ticket.created", "boss.spawned", "article.published"):
            client.webhooks.trigger_test(name)
        sandbox.faults.reorder()
        client.webhooks.trigger_test("ticket.closed")
        client.webhooks.trigger_test("ticket.updated")
        sandbox.clock.advance(**EVERYTHING)
    return arrived


def test_two_runs_of_the_same_calls_deliver_the_same_bytes_in_the_same_order() -> None:
    """Also with faults and retries."""

    def answers(name: str) -> Script:
        return reply(500 if name == "a" else 200)

    first, second = run(answers), run(answers)
    assert len(first) > 35
    assert first == second


def test_the_outcome_of_a_delivery_does_not_change_the_bytes_of_the_next_event() -> None:
    """A receiver that fails gets the same events as one that works."""
    good, bad = run(lambda _: reply(200)), run(lambda _: reply(500))
    firsts = [one for one in bad if one[1] == "1"]
    assert {one for one in good if one[1] == "1"} == set(firsts)


def test_deliveries_that_wait_survive_on_disk(tmp_path: Path) -> None:
    """A sandbox that was opened by path goes on where it was."""
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
def test_an_unknown_event_is_refused_and_nothing_is_delivered(sandbox: cx.Sandbox, event: str) -> None:
    """The server decides, with the reference's 400."""
    with ScriptedServer(reply()) as server, sandbox.client() as client:
        hook(client, server.url)
        with pytest.raises(errors.ValidationError), pytest.warns():
            client.webhooks.trigger_test(event)
        assert ([], True) == (server.requests, sandbox.deliveries().empty)


def test_the_clock_catches_up_with_this_machines_and_lives_through_what_is_due(
    sandbox: cx.Sandbox, client: cx.Client
) -> None:
    """All retries of a delivery that failed long ago are over; a second time moves it by moments only."""
    with sandbox.listener() as listener:
        listener.answer.status = 503
        client.webhooks.create(name="Down", url=listener.url, events=["ticket.created"])
        client.webhooks.trigger_test("ticket.created")
        reached = sandbox.clock.catch_up()

        assert abs((datetime.now(UTC) - reached).total_seconds()) < 60
        assert 7 == len(listener.requests())
        assert (sandbox.clock.catch_up() - reached).total_seconds() < 60
