"""The client over real sockets: what it sends and retries, how long it waits, and what it never shows."""

import gc
import gzip
import http.client
import itertools
import json
import queue
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import client as api_client
from cstar_explore.api import connection, retries
from cstar_explore.api.connection import RateLimit
from tests.support.reports import excerpts_with
from tests.support.scripted_server import (
    RecordedRequest,
    Script,
    ScriptedServer,
    closed_port,
    cut,
    data,
    drip,
    garbled,
    hang_up,
    redirect,
    reply,
    reset,
    silence,
    status,
)

KEY = "sk_test_abcdefghijklmnopqrstuvwxyz012345"
HIDDEN = KEY.removeprefix("sk_test_")
BASE = "/api/v1/teams/team_1/webhooks"
NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
HOOK = {"id": "whk_1", "name": "New", "url": "https://example.com/new", "events": ["ticket.created"], "isActive": True}
FIRED = {"event": "ticket.created", "eventId": "evt_1", "test": True, "deliveries": []}

Call = Callable[[cx.Client], Any]
LIST: Call = lambda client: client.webhooks.list()  # noqa: E731
GET: Call = lambda client: client.webhooks.get("whk_1")  # noqa: E731
CREATE: Call = lambda client: client.webhooks.create(**NEW)  # noqa: E731
UPDATE: Call = lambda client: client.webhooks.update("whk_1", is_active=True)  # noqa: E731
DELETE: Call = lambda client: client.webhooks.delete("whk_1")  # noqa: E731
FIRE: Call = lambda client: client.webhooks.trigger_test("ticket.created")  # noqa: E731
WHOAMI: Call = lambda client: client.whoami()  # noqa: E731

GOOD: dict[str, tuple[Call, Script]] = {
    "list": (LIST, data([HOOK])),
    "get": (GET, data(HOOK)),
    "create": (CREATE, data(HOOK | {"secret": "whsec_x"}, 201)),
    "update": (UPDATE, data(HOOK)),
    "delete": (DELETE, data({"deleted": True})),
    "trigger_test": (FIRE, data(FIRED)),
    "whoami": (WHOAMI, data({"teamId": "team_1"})),
}
every_call = pytest.mark.parametrize(("call", "good"), [pytest.param(*pair, id=name) for name, pair in GOOD.items()])
writing_calls = pytest.mark.parametrize(
    "call", [pytest.param(GOOD[name][0], id=name) for name in ("create", "update", "delete", "trigger_test")]
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[cx.Sandbox]:
    """One sandbox for this file: the tests compare what is in it before and after."""
    with cx.Sandbox() as sandbox:
        yield sandbox


def client_of(server: ScriptedServer, **options: Any) -> cx.Client:
    return cx.Client(**{"key": KEY, "team_id": "team_1", "base_url": server.url, "timeout": 5} | options)


# --- each call --------------------------------------------------------------------------------------------------------


def test_a_webhook_from_create_to_delete(client: cx.Client) -> None:
    """All six calls, in order, on the sandbox."""
    before = [webhook.id for webhook in client.webhooks.list()]
    created = client.webhooks.create(
        name="Mine", url="https://example.com/hook", events=["ticket.created", "ticket.closed"]
    )
    assert created.secret.reveal().startswith("whsec_")
    assert ("Mine", ("ticket.created", "ticket.closed"), True) == (created.name, created.events, created.is_active)
    assert [*before, created.id] == sorted(
        (webhook.id for webhook in client.webhooks.list()), key=[*before, created.id].index
    )
    changed = client.webhooks.update(created.id, name="Ours", events="ticket.*", is_active=False)
    assert ("Ours", ("ticket.*",), False, None) == (changed.name, changed.events, changed.is_active, changed.secret)
    got = client.webhooks.get(created.id)
    assert ("Ours", "https://example.com/hook", None) == (got.name, got.url, got.secret)
    fired = client.webhooks.trigger_test("ticket.created")
    assert ("ticket.created", True) == (fired.event, fired.test)
    assert client.webhooks.delete(created.id) is None
    with pytest.raises(errors.NotFoundError):
        client.webhooks.get(created.id)
    assert before == [webhook.id for webhook in client.webhooks.list()]


def test_a_cookie_of_a_response_is_not_sent_back() -> None:
    """Several keys share the connections."""
    with (
        ScriptedServer(data([HOOK], headers={"Set-Cookie": "session=1; Path=/"}), data([HOOK])) as server,
        client_of(server) as client,
    ):
        client.webhooks.list()
        client.webhooks.list()
        assert [False, False] == ["cookie" in request.headers for request in server.requests]


def test_an_entry_without_an_id_is_named_by_its_position() -> None:
    """Counted from 1."""
    with (
        ScriptedServer(data([HOOK, {"name": "No ID"}])) as server,
        client_of(server) as client,
        pytest.raises(errors.InvalidResponseError, match="Entry 2 of the list"),
    ):
        client.webhooks.list()


def test_an_update_leaves_http_urls_to_a_sandbox() -> None:
    """cStar itself takes https only."""
    url = "http://receiver.test/hook"
    with cx.Client(KEY, "team_1", "http://127.0.0.1:9") as client:
        assert {"url": url} == client.webhooks.preview.update("whk_1", url=url).body
    with cx.Client(KEY, "team_1") as client, pytest.raises(errors.ValidationError, match="plain http"):
        client.webhooks.preview.update("whk_1", url=url)


def test_whoami_returns_the_team_with_or_without_a_team_id(sandbox: cx.Sandbox) -> None:
    """It is the only call that needs no team."""
    with cx.Client(sandbox.key, base_url=sandbox.base_url) as client:
        assert (sandbox.team_id, "secret", "test") == (
            client.whoami().team_id,
            client.whoami().key_type,
            client.whoami().environment,
        )
        with pytest.raises(errors.ConfigurationError, match="team"):
            client.webhooks.list()


@pytest.mark.parametrize(
    ("call", "good", "method", "path", "body", "with_key"),
    [
        pytest.param(*GOOD["list"], "GET", BASE, None, False, id="list"),
        pytest.param(*GOOD["get"], "GET", f"{BASE}/whk_1", None, False, id="get"),
        pytest.param(*GOOD["create"], "POST", BASE, NEW, True, id="create"),
        pytest.param(*GOOD["update"], "PATCH", f"{BASE}/whk_1", {"isActive": True}, True, id="update"),
        pytest.param(*GOOD["delete"], "DELETE", f"{BASE}/whk_1", None, False, id="delete"),
        pytest.param(
            *GOOD["trigger_test"], "POST", f"{BASE}/trigger-test", {"event": "ticket.created"}, False, id="trigger_test"
        ),
        pytest.param(*GOOD["whoami"], "GET", "/api/v1/auth/whoami", None, False, id="whoami"),
    ],
)
def test_each_call_sends_the_request_in_the_api_reference(
    *, call: Call, good: Script, method: str, path: str, body: Any, with_key: bool
) -> None:
    """Method, path, key, body and content type; an Idempotency-Key on create and update only."""
    with ScriptedServer(good) as server, client_of(server) as client:
        call(client)
    (request,) = server.requests
    assert (method, path, f"Bearer {KEY}") == (request.method, request.path, request.headers["authorization"])
    assert body == (request.json if request.body else None)
    assert ("application/json" if body else None) == request.headers.get("content-type")
    assert with_key == ("idempotency-key" in request.headers)


@pytest.mark.parametrize(
    ("call", "good"),
    [
        pytest.param(lambda calls: calls.get("whk_1"), data(HOOK), id="get"),
        pytest.param(lambda calls: calls.create(**NEW), data(HOOK, 201), id="create"),
        pytest.param(lambda calls: calls.update("whk_1", name="Zoë $5"), data(HOOK), id="update"),
        pytest.param(lambda calls: calls.delete("a/../b?c"), data({"deleted": True}), id="delete an ID with slashes"),
        pytest.param(lambda calls: calls.trigger_test("ticket.created"), data(FIRED), id="trigger_test"),
    ],
)
def test_a_call_sends_exactly_what_its_preview_shows(call, good: Script) -> None:
    """A preview sends nothing; the call sends the same method, URL and bytes."""
    with ScriptedServer(good) as server, client_of(server) as client:
        preview = call(client.webhooks.preview)
        assert [] == server.requests
        call(client.webhooks)
    (sent,) = server.requests
    assert (preview.method, preview.url, preview.content) == (sent.method, server.url + sent.path, sent.body)


def test_an_id_cannot_change_the_path() -> None:
    """Dots, slashes and a query arrive as one segment."""
    webhook_id = "../../admin?x=1#y"
    with ScriptedServer(data(HOOK | {"id": webhook_id})) as server, client_of(server) as client:
        client.webhooks.get(webhook_id)
    assert [f"{BASE}/..%2F..%2Fadmin%3Fx%3D1%23y"] == [request.path for request in server.requests]


# --- retries ----------------------------------------------------------------------------------------------------------

TRANSIENT = {
    "500": status(500),
    "502": status(502),
    "503": status(503),
    "504": status(504),
    "429": status(429, {"Retry-After": "0"}),
    "reset": reset(),
    "hang_up": hang_up(),
    "cut": cut('{"success": true, "data": []}', 5),
}


@pytest.mark.parametrize(
    ("failure", "call", "good"),
    [
        *[pytest.param(script, *GOOD["create"], id=f"create {name}") for name, script in TRANSIENT.items()],
        *[
            pytest.param(TRANSIENT["503"], *GOOD[name], id=f"{name} 503")
            for name in ("list", "get", "update", "whoami")
        ],
        *[pytest.param(TRANSIENT["reset"], *GOOD[name], id=f"{name} reset") for name in ("list", "update", "delete")],
    ],
)
def test_a_transient_failure_is_retried(failure: Script, call: Call, good: Script) -> None:
    """The same request is sent again until it succeeds."""
    with ScriptedServer(failure, failure, failure, good) as server, client_of(server) as client:
        call(client)
    assert 4 == len(server.requests)
    assert 1 == len({(request.method, request.path, request.body) for request in server.requests})
    assert 1 == len(set(server.idempotency_keys))


@pytest.mark.parametrize(
    ("failure", "error_class"),
    [
        pytest.param(status(500), errors.ServerError, id="500"),
        pytest.param(status(429, {"Retry-After": "0"}), errors.RateLimitError, id="429"),
        pytest.param(reset(), errors.ConnectionLostError, id="reset"),
        pytest.param(hang_up(), errors.ConnectionLostError, id="hang_up"),
        pytest.param(cut('{"success": true}', 5), errors.ConnectionLostError, id="cut"),
        pytest.param(silence(), errors.ResponseTimeoutError, id="silence"),
    ],
)
@pytest.mark.parametrize("call", [GET, DELETE], ids=["get", "delete"])
def test_the_error_is_raised_after_four_attempts(
    failure: Script, error_class: type[errors.CStarError], call: Call
) -> None:
    """A failure that stays is raised as its own class."""
    with (
        ScriptedServer(*[failure] * 4) as server,
        client_of(server, timeout=0.3 if error_class is errors.ResponseTimeoutError else 5) as client,
        pytest.raises(error_class) as caught,
    ):
        call(client)
    assert (4, error_class) == (len(server.requests), type(caught.value))


@pytest.mark.parametrize(
    ("code", "call", "good"),
    [
        *[pytest.param(code, *GOOD["create"], id=f"create {code}") for code in (400, 401, 403, 404, 409, 418, 422)],
        *[pytest.param(404, *pair, id=f"{name} 404") for name, pair in GOOD.items() if name != "create"],
    ],
)
def test_a_refused_request_is_not_retried(call: Call, good: Script, code: int) -> None:
    """cStar would refuse it again."""
    with ScriptedServer(status(code), good) as server, client_of(server) as client, pytest.raises(errors.StatusError):
        call(client)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("call", [CREATE, UPDATE], ids=["create", "update"])
def test_each_call_has_one_idempotency_key_for_all_its_attempts(call: Call) -> None:
    """The key is random, the same in all attempts, and never used again."""
    good = data(HOOK)
    with ScriptedServer(reset(), status(503), good, status(500), good, good) as server, client_of(server) as client:
        call(client)
        call(client)
        call(client)
    groups = [(key, len(list(run))) for key, run in itertools.groupby(server.idempotency_keys)]
    assert [3, 2, 1] == [count for _, count in groups]
    assert 3 == len({key for key, _ in groups})
    assert min(len(key) for key, _ in groups) >= 16


def test_a_request_sent_twice_has_two_idempotency_keys() -> None:
    """Otherwise cStar would answer the second with the stored response to the first."""
    with ScriptedServer(data(HOOK), data(HOOK)) as server, client_of(server) as client:
        request = client.webhooks.preview.update("whk_1", is_active=True)
        client.send(request)
        client.send(request)
    assert 2 == len(set(server.idempotency_keys))


@pytest.mark.parametrize(
    "failure",
    [
        *[pytest.param(script, id=name) for name, script in TRANSIENT.items() if name != "429"],
        pytest.param(silence(), id="silence"),
        pytest.param(garbled(), id="garbled"),
        pytest.param(reply(200, "<h1>Log in</h1>"), id="HTML"),
    ],
)
def test_a_test_event_that_may_have_arrived_is_never_fired_again(failure: Script) -> None:
    """Every receiver would get it twice; the error reports that it may have taken effect."""
    with (
        ScriptedServer(failure, data(FIRED)) as server,
        client_of(server, timeout=0.1) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        FIRE(client)
    assert (1, True) == (len(server.requests), caught.value.may_have_acted)


def test_a_rate_limited_test_event_is_retried() -> None:
    """A 429 has no effect."""
    with ScriptedServer(status(429, {"Retry-After": "0"}), data(FIRED)) as server, client_of(server) as client:
        assert "evt_1" == FIRE(client).event_id
    assert 2 == len(server.requests)


@every_call
def test_a_refused_connection_is_retried(call: Call, good: Script) -> None:
    """Nothing arrived, so every call may be retried; here the server starts during the wait."""
    port = closed_port()
    servers: list[ScriptedServer] = []

    def start_server(_: retries.Wait) -> None:
        servers or servers.append(ScriptedServer(good, port=port))

    with cx.Client(KEY, "team_1", f"http://127.0.0.1:{port}", on_wait=start_server) as client:
        call(client)
    servers[0].close()
    assert 1 == len(servers[0].requests)


@every_call
def test_an_unreachable_server_has_had_no_effect(call: Call, good: Script) -> None:
    """The outcome is known, also for a create."""
    with (
        cx.Client(KEY, "team_1", f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(errors.UnreachableError) as caught,
    ):
        call(client)
    assert False is caught.value.may_have_acted


@pytest.mark.parametrize(
    ("before", "outcome"),
    [
        pytest.param([reset()], None, id="after a reset"),
        pytest.param([status(500)], None, id="after a 500"),
        pytest.param([status(504), status(429, {"Retry-After": "0"})], None, id="after a 504 and a 429"),
        pytest.param([], errors.NotFoundError, id="on the first attempt"),
        pytest.param([status(429, {"Retry-After": "0"})], errors.NotFoundError, id="after a 429, which has no effect"),
    ],
)
def test_a_404_on_the_retry_of_a_delete_counts_as_deleted(before: list[Script], outcome: type | None) -> None:
    """If an earlier attempt may have deleted the webhook, 404 means that it did; otherwise it never existed."""
    with ScriptedServer(*before, status(404, code="RESOURCE_MISSING")) as server, client_of(server) as client:
        try:
            result = DELETE(client)
        except errors.CStarError as error:
            result = type(error)
    assert (outcome, len(before) + 1) == (result, len(server.requests))


def test_a_404_on_the_retry_of_a_get_is_not_found() -> None:
    """Only a delete succeeds without a webhook."""
    with (
        ScriptedServer(reset(), status(404)) as server,
        client_of(server) as client,
        pytest.raises(errors.NotFoundError),
    ):
        GET(client)


# --- the outcome of a create ------------------------------------------------------------------------------------------

OTHERS = [
    HOOK | {"id": "whk_name", "name": "Other"},
    HOOK | {"id": "whk_url", "url": "https://example.com/other"},
    HOOK | {"id": "whk_events", "events": ["ticket.closed"]},
]


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param([reset()] * 4, id="reset"),
        pytest.param([hang_up()] * 4, id="hang_up"),
        pytest.param([cut('{"success": true, "data": {}}', 5)] * 4, id="cut"),
        pytest.param([silence()] * 4, id="silence"),
        pytest.param([status(502)] * 4, id="502"),
        pytest.param([status(504)] * 4, id="504"),
    ],
)
def test_a_create_without_a_response_reports_the_webhooks_that_match(lost: list[Script]) -> None:
    """The list is read once; `candidates` are the webhooks on it with the same name, URL and events."""
    with (
        ScriptedServer(*lost, data([*OTHERS, HOOK])) as server,
        client_of(server, timeout=0.2) as client,
        pytest.raises(errors.OutcomeUnknownError, match="whk_1") as caught,
    ):
        CREATE(client)
    assert (("whk_1",), True) == (
        tuple(webhook.id for webhook in caught.value.candidates),
        caught.value.may_have_acted,
    )
    assert ["POST"] * 4 + ["GET"] == server.methods


@pytest.mark.parametrize(
    ("listed", "advice"),
    [
        pytest.param([data([])], "No webhook on the list matches", id="empty list"),
        pytest.param([data(OTHERS)], "No webhook on the list matches", id="other webhooks only"),
        pytest.param([status(403)], "could not be read", id="list refused"),
        pytest.param([reset()] * 4, "could not be read", id="list lost too"),
        pytest.param([reply(200, "<h1>Log in</h1>")], "could not be read", id="HTML"),
    ],
)
def test_without_a_matching_webhook_there_are_no_candidates(listed: list[Script], advice: str) -> None:
    """The outcome of the create stays unknown, whatever happens to the list."""
    with (
        ScriptedServer(*[reset()] * 4, *listed) as server,
        client_of(server) as client,
        pytest.raises(errors.OutcomeUnknownError) as caught,
    ):
        CREATE(client)
    assert advice in caught.value.advice
    assert () == caught.value.candidates


def test_a_lost_create_keeps_what_the_proxy_said() -> None:
    """The status and the request ID, by which support finds the request."""
    with (
        ScriptedServer(*[status(502)] * 4, data([])) as server,
        client_of(server) as client,
        pytest.raises(errors.OutcomeUnknownError) as caught,
    ):
        CREATE(client)
    assert (502, "req_1") == (caught.value.status, caught.value.request_id)


@pytest.mark.parametrize("code", [500, 503])
def test_a_create_that_fails_at_cstar_is_a_server_error(code: int) -> None:
    """500 and 503 in cStar's envelope are cStar's own response, so nothing is lost."""
    with (
        ScriptedServer(*[status(code)] * 4) as server,
        client_of(server) as client,
        pytest.raises(errors.ServerError) as caught,
    ):
        CREATE(client)
    assert (4, code) == (len(server.requests), caught.value.status)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("<h1>Welcome to the airport</h1>", id="HTML"),
        pytest.param('{"success": true, "data": {"id": "wh', id="truncated"),
        pytest.param("", id="empty"),
    ],
)
def test_a_create_with_an_unreadable_response_may_have_taken_effect(body: str) -> None:
    """It is retried under the same Idempotency-Key, then reported."""
    with (
        ScriptedServer(*[reply(201, body)] * 4, data([HOOK])) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        CREATE(client)
    assert True is caught.value.may_have_acted
    assert 1 == len(set(server.idempotency_keys) - {None})


@pytest.mark.parametrize("code", [401, 403, 409, 422])
def test_a_create_refused_after_a_lost_attempt_may_have_taken_effect(code: int) -> None:
    """The refusal is about the second attempt only."""
    with (
        ScriptedServer(reset(), status(code), data([HOOK])) as server,
        client_of(server) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        CREATE(client)
    assert True is caught.value.may_have_acted


def forwarded(sandbox: cx.Sandbox, then: Script | None = None) -> Script:
    """Forwards the request to the sandbox, then sends its response back, or runs another script instead."""

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        upstream = http.client.HTTPConnection(*sandbox.base_url.removeprefix("http://").split(":"))
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        upstream.request(request.method, request.path, request.body or None, headers)
        response = upstream.getresponse()
        body = response.read()
        upstream.close()
        return (then or reply(response.status, body))(connection, request)

    return respond


@pytest.mark.parametrize("then", [reset(), hang_up(), silence(), status(502)], ids=["reset", "hang_up", "silence", "502"])  # fmt: skip
@pytest.mark.parametrize(
    ("call", "change"),
    [
        pytest.param(CREATE, 1, id="create"),
        pytest.param(lambda client: client.webhooks.update(client.webhooks.list()[0].id, name="X"), 0, id="update"),
        pytest.param(lambda client: client.webhooks.delete(client.webhooks.list()[0].id), -1, id="delete"),
    ],
)
def test_a_change_whose_response_is_lost_takes_effect_once(
    sandbox: cx.Sandbox, call: Call, change: int, then: Script
) -> None:
    """The request reaches the sandbox and its response is lost; the retry neither fails nor acts again."""
    reads = 0 if call is CREATE else 1
    script = [forwarded(sandbox)] * reads + [forwarded(sandbox, then), forwarded(sandbox)]
    with ScriptedServer(*script) as server, sandbox.client() as direct:
        before = len(direct.webhooks.list())
        with client_of(server, key=sandbox.key, team_id=sandbox.team_id, timeout=0.5) as client:
            call(client)
        assert before + change == len(direct.webhooks.list())


# --- waits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [3600, 172_800, 10**9])
def test_a_wait_longer_than_allowed_raises_at_once_and_reports_its_length(seconds: int) -> None:
    """However long it is; a documented wait is never replaced by a guess."""
    waits: list[retries.Wait] = []
    with (
        ScriptedServer(status(429, {"Retry-After": str(seconds)})) as server,
        client_of(server, on_wait=waits.append) as client,
        pytest.raises(errors.RateLimitError, match=f"{seconds:,} s") as caught,
    ):
        LIST(client)
    assert (seconds, [], 1) == (caught.value.retry_after, waits, len(server.requests))


@pytest.mark.parametrize(
    ("max_wait", "requests"), [pytest.param(0.05, 2, id="second too long"), pytest.param(0.03, 1, id="first too long")]
)  # fmt: skip
def test_max_wait_limits_the_sum_of_all_waits_of_one_call(max_wait: float, requests: int) -> None:
    """Two waits that are short enough alone can be too long together."""
    with (
        ScriptedServer(*[status(429, retryAfter=0.04)] * 4) as server,
        client_of(server, max_wait=max_wait) as client,
        pytest.raises(errors.RateLimitError),
    ):
        LIST(client)
    assert requests == len(server.requests)


def test_the_default_wait_counts_against_max_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 that names no wait means 60 s; a client that may wait less raises at once."""
    waits: list[float] = []
    with ScriptedServer(*[status(429)] * 2, data([])) as server:
        with client_of(server, max_wait=59) as client, pytest.raises(errors.RateLimitError):
            LIST(client)
        monkeypatch.setattr(retries, "DEFAULT_WAIT", 0.01)
        with client_of(server, on_wait=lambda wait: waits.append(wait.seconds)) as client:
            LIST(client)
    assert (3, 1) == (len(server.requests), len(waits))
    assert 0.01 <= waits[0] < 0.1


def test_on_wait_is_called_with_the_length_reason_and_number_of_each_wait() -> None:
    """So that a form can show a countdown and its reason."""
    waits: list[retries.Wait] = []
    script = [status(503), status(429, {"Retry-After": "0"}), reset(), data([])]
    with ScriptedServer(*script) as server, client_of(server, on_wait=waits.append) as client:
        LIST(client)
    assert [
        (1, errors.ServerError),
        (2, errors.RateLimitError),
        (3, errors.ConnectionLostError),
    ] == [(wait.attempt, type(wait.reason)) for wait in waits]
    assert [True] * 3 == [0 <= wait.seconds < 1 for wait in waits]


def test_the_backoff_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, twice and four times the first pause."""
    monkeypatch.setattr(retries, "JITTER", 0.0)
    waits: list[float] = []
    with (
        ScriptedServer(*[status(500)] * 3, data([])) as server,
        client_of(server, on_wait=lambda wait: waits.append(wait.seconds)) as client,
    ):
        LIST(client)
    assert [0.005, 0.01, 0.02] == waits


def test_a_pause_is_never_shorter_than_the_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The random part is added, and is at most the jitter."""
    monkeypatch.setattr(retries, "JITTER", 1.0)
    pauses = [retries.pause_after(errors.ServerError("no"), 1) for _ in range(200)]
    assert [True] * 200 == [0.005 <= pause <= 1.005 for pause in pauses]
    assert 100 < len(set(pauses))


@pytest.mark.parametrize("code", [429, 503])
def test_a_wait_can_be_cancelled_from_another_thread(code: int) -> None:
    """The call ends at once, without another request."""
    waits: queue.Queue[retries.Wait] = queue.Queue()
    with (
        ScriptedServer(status(code, {"Retry-After": "30"})) as server,
        client_of(server, on_wait=waits.put) as client,
        ThreadPoolExecutor(1) as executor,
    ):
        call = executor.submit(LIST, client)
        wait = waits.get(timeout=5)
        assert 30 <= wait.seconds < 31
        wait.cancel()
        with pytest.raises(errors.WaitCancelledError):
            call.result(timeout=5)
    assert 1 == len(server.requests)


def test_on_wait_can_cancel_the_wait() -> None:
    """Before it begins."""
    with (
        ScriptedServer(status(429, {"Retry-After": "30"})) as server,
        client_of(server, on_wait=retries.Wait.cancel) as client,
        pytest.raises(errors.WaitCancelledError),
    ):
        LIST(client)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("call", [CREATE, UPDATE, DELETE], ids=["create", "update", "delete"])
def test_a_wait_cancelled_after_a_lost_response_may_have_acted(call: Call) -> None:
    """The first attempt may have arrived."""
    with (
        ScriptedServer(reset(), data([HOOK])) as server,
        client_of(server, on_wait=retries.Wait.cancel) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        call(client)
    assert True is caught.value.may_have_acted


def test_the_sandboxs_rate_limit_is_reported_at_once() -> None:
    """Its window is longer than a call may wait."""
    with cx.Sandbox(rate_limit=2) as sandbox, sandbox.client() as client:
        LIST(client)
        LIST(client)
        with pytest.raises(errors.RateLimitError) as caught:
            LIST(client)
    assert caught.value.retry_after > 60


# --- rate limit -------------------------------------------------------------------------------------------------------


def test_the_rate_limit_is_that_of_the_last_response(client: cx.Client) -> None:
    """None before the first response; a copy of the client shares it."""
    assert client.rate_limit is None
    LIST(client)
    first = client.rate_limit
    LIST(client.with_options(write=False))
    assert (1000, 3600, first.remaining - 1) == (
        client.rate_limit.limit,
        client.rate_limit.window,
        client.rate_limit.remaining,
    )
    assert datetime(2025, 12, 10, 14, 30, tzinfo=UTC) < first.reset_at <= datetime(2025, 12, 10, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, None, id="no header"),
        pytest.param(
            {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1765380600", "X-RateLimit-Window": "3600"},
            RateLimit(100, 0, datetime(2025, 12, 10, 15, 30, tzinfo=UTC), 3600),
            id="all",
        ),
        pytest.param({"x-ratelimit-remaining": "7"}, RateLimit(None, 7, None, None), id="one header, lower case"),
        pytest.param(
            {"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "9" * 30, "X-RateLimit-Window": ""},
            RateLimit(None, 7, None, None),
id="unreadable values",
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "9" * 5000, "X-RateLimit-Reset": "-1e308", "X-RateLimit-Limit": "7"},
            RateLimit(7, None, None, None),
id="values out of range",
        ),
    ],
)  # fmt: skip
def test_unreadable_rate_limit_headers_count_as_absent(headers: dict[str, str], expected: RateLimit | None) -> None:
    """They do not fail the call."""
    with ScriptedServer(data([], headers=headers)) as server, client_of(server) as client:
        LIST(client)
        assert expected == client.rate_limit


def test_an_error_response_updates_the_rate_limit_too() -> None:
    """For example a 404."""
    with ScriptedServer(status(404, {"X-RateLimit-Remaining": "3"})) as server, client_of(server) as client:
        with pytest.raises(errors.NotFoundError):
            GET(client)
        assert 3 == client.rate_limit.remaining


# --- where the key goes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "call", "good"),
    [
        *[pytest.param(code, *GOOD["create"], id=f"create {code}") for code in (301, 302, 303, 307, 308)],
        *[pytest.param(307, *pair, id=f"{name} 307") for name, pair in GOOD.items() if name != "create"],
    ],
)
def test_a_redirect_is_refused_and_the_key_not_sent_on(call: Call, good: Script, code: int) -> None:
    """The other address receives no request, and the first one only one."""
    with (
        ScriptedServer(good) as target,
        ScriptedServer(redirect(f"{target.url}/x", code)) as server,
        client_of(server) as client,
        pytest.raises(errors.RedirectError, match=target.url),
    ):
        call(client)
    assert ([], 1) == (target.requests, len(server.requests))


@pytest.mark.parametrize("call", [FIRE, CREATE], ids=["trigger_test", "create"])
@pytest.mark.parametrize("location", ["/elsewhere", "//example.com/", "", "javascript:alert(1)", "https://[", "\x7f"])
def test_a_redirect_to_any_location_is_refused(location: str, call: Call) -> None:
    """Also within the same host, or to an invalid URL. The request arrived, so it is not sent again."""
    with (
        ScriptedServer(*[redirect(location)] * 4) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        call(client)
    assert (errors.RedirectError, 1) == (type(caught.value), len(server.requests))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_requests_to_loopback_use_no_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Whatever the environment names."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer() as proxy, ScriptedServer(data([HOOK])) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        with client_of(server, base_url=f"http://{host}:{server.port}") as client:
            assert 1 == len(LIST(client))
    assert ([], 1) == (proxy.requests, len(server.requests))


def test_requests_to_cstar_use_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets a CONNECT and not the key; if it refuses, the server is unreachable."""
    with ScriptedServer(*[status(502)] * 4) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with (
            cx.Client(KEY, "team_1", "https://cstar.invalid") as client,
            pytest.raises(errors.UnreachableError) as caught,
        ):
            LIST(client)
    assert {("CONNECT", "cstar.invalid:443")} == {(request.method, request.path) for request in proxy.requests}
    assert HIDDEN not in f"{proxy.requests}{caught.value}"


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"base_url": "http://www.cstar.help"}, id="plain http"),
        pytest.param({"base_url": "https://www.cstar.help\n"}, id="line break in the address"),
        pytest.param({"base_url": "https://user:word@www.cstar.help"}, id="user in the address"),
        pytest.param({"key": ""}, id="no key"),
        pytest.param({"key": "sk_test_a\nb"}, id="line break in the key"),
        pytest.param({"key": "sk_test_ä"}, id="letter that no key has"),
        pytest.param({"team_id": ""}, id="empty team"),
        pytest.param({"team_id": ".."}, id="team of dots"),
        pytest.param({"team_id": "\ud800"}, id="team with an unpaired surrogate"),
        pytest.param({"base_url": "https://a..b"}, id="empty label in the host name"),
        pytest.param({"base_url": f"https://{'a' * 64}.example"}, id="overlong label in the host name"),
        pytest.param({"base_url": None}, id="address of another type"),
        *[
            pytest.param({name: value}, id=f"{name} {value!r}")
            for name in ("timeout", "max_wait")
            for value in ("30", -1, float("nan"), float("inf"), None, True)
        ],
        pytest.param({"timeout": 0}, id="timeout 0"),
        pytest.param({"write": "no"}, id="write as text"),
        pytest.param({"write": None}, id="write None"),
    ],
)
def test_an_invalid_argument_is_refused_by_the_constructor(options: dict[str, Any]) -> None:
    """As a configuration error without the key."""
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.Client(**{"key": KEY, "team_id": "team_1"} | options)
    assert HIDDEN not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("key", "base_url", "environment"),
    [
        pytest.param("sk_test_x", "http://127.0.0.1:9", "sandbox", id="test key on loopback"),
        pytest.param("pk_test_x", "http://localhost:9", "sandbox", id="publishable test key on loopback"),
        pytest.param("sk_test_x", "https://www.cstar.help", "test", id="test key"),
        pytest.param("pk_test_x", "https://www.cstar.help", "test", id="publishable test key"),
        pytest.param("sk_live_x", "https://www.cstar.help", "live", id="live key"),
        pytest.param("sk_live_x", "http://127.0.0.1:9", "live", id="live key on loopback"),
        pytest.param("anything", "http://127.0.0.1:9", "live", id="key of an unknown form"),
    ],
)
def test_the_environment_follows_the_keys_prefix(key: str, base_url: str, environment: str) -> None:
    """A key of an unknown form counts as live."""
    with cx.Client(key, "team_1", base_url) as client:
        assert environment == client.environment


def test_a_host_name_that_cannot_be_decoded_is_unreachable() -> None:
    """Never a UnicodeError."""
    with (
        cx.Client(KEY, "team_1", "https://xn--.example", timeout=1, max_wait=0) as client,
        pytest.raises(errors.UnreachableError),
    ):
        LIST(client)


# --- what is refused before sending -----------------------------------------------------------------------------------


@writing_calls
def test_a_read_only_client_sends_no_change(call: Call) -> None:
    """Reads, previews and a writing copy of the client work."""
    with ScriptedServer(data([HOOK]), data(HOOK)) as server, client_of(server, write=False) as client:
        with pytest.raises(errors.ReadOnlyError, match="write=True"):
            call(client)
        with pytest.raises(errors.ReadOnlyError):
            client.send(client.webhooks.preview.create(**NEW))
        assert [] == server.requests
        assert 1 == len(LIST(client))
        client.with_options(write=True).webhooks.update("whk_1", name="X")
    assert ["GET", "PATCH"] == server.methods


@pytest.mark.parametrize("prefix", ["pk_test_", "pk_live_"])
@writing_calls
def test_a_writing_call_with_a_publishable_key_is_refused_before_sending(call: Call, prefix: str) -> None:
    """The message names the kind of key that is needed."""
    with (
        ScriptedServer() as server,
        client_of(server, key=prefix + HIDDEN) as client,
        pytest.raises(errors.PermissionDeniedError, match="sk_") as caught,
    ):
        call(client)
    assert ([], None, False) == (server.requests, caught.value.status, caught.value.may_have_acted)


def test_a_publishable_key_may_send_reads() -> None:
    """cStar decides whether list and get are allowed."""
    with ScriptedServer(data([HOOK]), data(HOOK)) as server, client_of(server, key="pk_test_" + HIDDEN) as client:
        LIST(client)
        GET(client)
    assert 2 == len(server.requests)


def test_with_options_returns_a_copy_that_shares_the_connections(client: cx.Client) -> None:
    """The original client keeps its options."""
    other = client.with_options(write=False, max_wait=1, team_id="team_2")
    assert ("team_2", client.key, client.base_url) == (other.team_id, other.key, other.base_url)
    assert other._connection is client._connection
    assert client.webhooks.create(**NEW).id
    with pytest.raises(errors.ReadOnlyError):
        CREATE(other)


def test_options_that_are_not_given_stay_as_they_are() -> None:
    """Also those that may be None."""
    announced: list[retries.Wait] = []
    with cx.Client(KEY, "team_1", max_wait=7, write=False, on_wait=announced.append) as client:
        other = client.with_options(max_wait=8).with_options(team_id=None)
        assert (None, 8, False) == (other.team_id, other.max_wait, other.write)
        assert other.on_wait is client.on_wait
        assert other.with_options(on_wait=None).on_wait is None


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"wirte": False}, id="misspelt"),
        pytest.param({"base_url": "http://www.cstar.help"}, id="another address"),
        pytest.param({"key": "sk_live_other"}, id="another key"),
        pytest.param({"timeout": 5}, id="timeout"),
        pytest.param({"_connection": None}, id="private attribute"),
    ],
)
def test_with_options_refuses_unknown_options(options: dict[str, Any]) -> None:
    """Nothing is sent with an option that was ignored."""
    with cx.Client(KEY, "team_1") as client, pytest.raises(TypeError, match=next(iter(options))):
        client.with_options(**options)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"write": "no"}, id="write as text"),
        pytest.param({"write": None}, id="write None"),
        pytest.param({"max_wait": -1}, id="max_wait negative"),
        pytest.param({"max_wait": float("nan")}, id="max_wait not a number"),
        pytest.param({"max_wait": "60"}, id="max_wait as text"),
        pytest.param({"team_id": "../.."[:2]}, id="team_id of dots"),
        pytest.param({"team_id": 7}, id="team_id of another type"),
    ],
)
def test_with_options_validates_like_the_constructor(options: dict[str, Any]) -> None:
    """And the message names the option."""
    with cx.Client(KEY, "team_1") as client, pytest.raises(errors.ConfigurationError, match=next(iter(options))):
        client.with_options(**options)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("base_url", "http://www.cstar.help"),
        ("write", True),
        ("key", "sk_live_other"),
        ("team_id", "team_2"),
        ("max_wait", -1),
        ("on_wait", None),
        ("timeout", 1),
        ("wirte", False),
    ],
)
def test_attributes_cannot_be_assigned(name: str, value: Any) -> None:
    """The message names `with_options`, which validates."""
    with cx.Client(KEY, "team_1", write=False) as client:
        before = dict(vars(client))
        with pytest.raises(AttributeError, match="with_options"):
            setattr(client, name, value)
        assert before == vars(client)


# --- pages ------------------------------------------------------------------------------------------------------------


def hooks(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"whk_{number}"} for number in numbers]


def pagination(total: int, page: int, size: int) -> dict[str, Any]:
    return {"pagination": {"total": total, "page": page, "pageSize": size}}


FIRST, SECOND, THIRD = "", "?page=1&pageSize=100", "?page=2&pageSize=100"


@pytest.mark.parametrize(
    ("script", "ids", "queries"),
    [
        pytest.param([data(hooks(1, 2))], [1, 2], [FIRST], id="no pagination"),
        pytest.param([data([])], [], [FIRST], id="empty list"),
        pytest.param([data(hooks(1, 2), **pagination(2, 1, 20))], [1, 2], [FIRST], id="all on the first page"),
        pytest.param(
            [data(hooks(1), **pagination(2, 1, 1)), data(hooks(1, 2), **pagination(2, 1, 100))],
            [1, 2],
            [FIRST, SECOND],
            id="pagination at the top, then all on one page",
        ),
        pytest.param(
            [
                data(hooks(1), meta=pagination(3, 1, 1)),
                data(hooks(1, 2), meta=pagination(3, 1, 2)),
                data(hooks(3), meta=pagination(3, 2, 2)),
            ],
            [1, 2, 3],
            [FIRST, SECOND, THIRD],
            id="pagination in meta",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1, 2), hasMore=True), data(hooks(3), hasMore=False)],
            [1, 2, 3],
            [FIRST, SECOND, THIRD],
            id="hasMore",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), data([], hasMore=False)],
            [1],
            [FIRST, SECOND, THIRD],
            id="empty last page",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), data(hooks(1), hasMore=False)],
            [1],
            [FIRST, SECOND, THIRD],
            id="repeated last page",
        ),
        pytest.param(
            [data([{"id": 1}], hasMore=True), data([{"id": 1}, {"id": 2}], hasMore=False)],
            [1, 2],
            [FIRST, SECOND],
            id="numeric IDs",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1, 2), hasMore=True), data(hooks(2, 3), hasMore=False)],
            [1, 2, 3],
            [FIRST, SECOND, THIRD],
            id="webhook that moved to the next page",
        ),
    ],
)
def test_all_pages_are_fetched_if_the_response_reports_more(
    script: list[Script], ids: list[int], queries: list[str]
) -> None:
    """The first request is that of the reference; each webhook is listed once, in cStar's order."""
    with ScriptedServer(*script) as server, client_of(server) as client:
        assert ids == [int(str(webhook.id).removeprefix("whk_")) for webhook in LIST(client)]
    assert [BASE + query for query in queries] == [request.path for request in server.requests]


@pytest.mark.parametrize(
    "last",
    [
        pytest.param(data([], hasMore=True), id="empty"),
        pytest.param(data(hooks(1), hasMore=True), id="repeated"),
        pytest.param(data(hooks(1), **pagination(3, 1, 1)), id="repeated, with a total"),
    ],
)
def test_a_page_without_anything_new_that_reports_more_is_an_error(last: Script) -> None:
    """The list would not be complete, and the message says so."""
    with (
        ScriptedServer(data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), last) as server,
        client_of(server) as client,
        pytest.raises(errors.InvalidResponseError, match="not complete") as caught,
    ):
        LIST(client)
    assert (3, False) == (len(server.requests), caught.value.may_have_acted)


def endless(request: RecordedRequest, size: int) -> list[dict[str, Any]]:
    """A page of new webhooks for each request."""
    page = request.path.partition("page=")[2].partition("&")[0] or "0"
    return [{"id": f"whk_{page}_{number}"} for number in range(size)]


@pytest.mark.parametrize(
    ("limit", "value", "size", "requests"),
    [
        pytest.param("MAX_PAGES", 5, 1, 6, id="pages"),
        pytest.param("MAX_WEBHOOKS", 25, 10, 4, id="webhooks"),
    ],
)
def test_a_list_that_does_not_end_is_an_error(
    monkeypatch: pytest.MonkeyPatch, limit: str, value: int, size: int, requests: int
) -> None:
    """Neither the number of pages nor that of webhooks grows without limit."""
    monkeypatch.setattr(api_client, limit, value)

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        return data(endless(request, size), hasMore=True)(connection, request)

    with (
        ScriptedServer(*[respond] * 50) as server,
        client_of(server) as client,
        pytest.raises(errors.InvalidResponseError, match=f"not complete.*{value}"),
    ):
        LIST(client)
    assert requests == len(server.requests)


@pytest.mark.parametrize("odd_id", [[1], {"a": 1}, None, True, "", 1.5])
@pytest.mark.parametrize("pages", [1, 2])
def test_an_id_of_another_type_is_an_invalid_response(odd_id: Any, pages: int) -> None:
    """In the same way on one page and on many."""
    scripts = [data([{"id": odd_id}], hasMore=False)]
    if pages == 2:
        scripts = [data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), *scripts]
    with (
        ScriptedServer(*scripts) as server,
        client_of(server) as client,
        pytest.raises(errors.InvalidResponseError, match="ID"),
    ):
        LIST(client)


def test_a_failing_later_page_is_retried_alone() -> None:
    """Earlier pages are not fetched again, and an incomplete list is never returned."""
    pages = [data(hooks(1), hasMore=True), data(hooks(1, 2), hasMore=True)]
    with ScriptedServer(*pages, reset(), data(hooks(3)), *pages, status(403)) as server, client_of(server) as client:
        assert ["whk_1", "whk_2", "whk_3"] == [webhook.id for webhook in LIST(client)]
        with pytest.raises(errors.PermissionDeniedError):
            LIST(client)
    assert 7 == len(server.requests)


# --- responses that are slow, large or broken ---------------------------------------------------------------------------


def test_a_server_that_never_answers_is_a_timeout() -> None:
    """The request may have taken effect."""
    with (
        ScriptedServer(silence()) as server,
        client_of(server, timeout=0.1) as client,
        pytest.raises(errors.ResponseTimeoutError) as caught,
    ):
        FIRE(client)
    assert (1, True) == (len(server.requests), caught.value.may_have_acted)


def test_a_response_sent_byte_by_byte_is_a_timeout() -> None:
    """The timeout is for the attempt, not for each byte."""
    body = json.dumps({"success": True, "data": FIRED}).encode()
    with (
        ScriptedServer(drip(body, 0.02)) as server,
        client_of(server, timeout=0.15) as client,
        pytest.raises(errors.ResponseTimeoutError),
    ):
        FIRE(client)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(reply(200, b" " * 5000), id="large"),
        pytest.param(reply(200, gzip.compress(b" " * 5000), {"Content-Encoding": "gzip"}), id="large after unpacking"),
        pytest.param(reply(500, b" " * 5000), id="large error"),
        pytest.param(reply(200, b" " * 3000, declared=10**15), id="Content-Length of a petabyte"),
    ],
)
def test_a_response_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, script: Script) -> None:
    """The limit holds after unpacking too."""
    monkeypatch.setattr(connection, "MAX_RESPONSE", 2000)
    with ScriptedServer(script) as server, client_of(server, timeout=1) as client, pytest.raises(errors.TransportError):
        FIRE(client)


def test_a_response_of_exactly_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """`MAX_RESPONSE` bytes are allowed."""
    body = json.dumps({"success": True, "data": [HOOK]})
    monkeypatch.setattr(connection, "MAX_RESPONSE", len(body))
    with ScriptedServer(reply(200, body)) as server, client_of(server) as client:
        assert 1 == len(LIST(client))


UNREADABLE = {
    "HTML": reply(200, "<h1>Log in</h1>", content_type="text/html"),
    "empty": reply(200, ""),
    "JSON string": reply(200, '"ok"'),
    "no data": reply(200, '{"success": true}'),
    "gzip garbage": reply(200, b"\x1f\x8b garbage", {"Content-Encoding": "gzip"}),
    "unknown encoding": reply(200, b"\x00\x01", {"Content-Encoding": "zippy"}),
    "unknown charset": reply(200, b"\xff\xfe", content_type="application/json; charset=nope"),
    "not HTTP": garbled(),
    "incomplete chunk": reply(200, b"", {"Transfer-Encoding": "chunked"}),
    "Content-Length not a number": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n{}")
    ),
    "two Content-Lengths": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
    ),
    "longer than its Content-Length": reply(200, '{"success": true, "data": {"id": "whk_1"}}', declared=4),
    "headers that do not end": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000)
    ),
    "status of four digits": reply(2000, "{}"),
}


@pytest.mark.parametrize("script", [pytest.param(script, id=name) for name, script in UNREADABLE.items()])
def test_a_response_that_is_not_cstars_is_a_transport_error(script: Script) -> None:
    """Whichever library notices."""
    with (
        ScriptedServer(script) as server,
        client_of(server, timeout=1) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        FIRE(client)
    assert True is caught.value.may_have_acted


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    """The next call opens another one."""
    keeping = reply(200, json.dumps({"success": True, "data": [HOOK]}), close=False)

    def respond_and_close(connection: socket.socket, request: RecordedRequest) -> bool:
        keeping(connection, request)
        return False

    with ScriptedServer(*[respond_and_close] * 3) as server, client_of(server) as client:
        assert [1, 1] == [len(LIST(client)), len(LIST(client))]


def test_one_connection_serves_many_calls() -> None:
    """It is kept alive."""
    keeping = reply(200, json.dumps({"success": True, "data": [HOOK]}), close=False)
    ports: list[int] = []

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        ports.append(connection.getpeername()[1])
        return keeping(connection, request)

    with ScriptedServer(*[respond] * 3) as server, client_of(server) as client:
        for _ in range(3):
            LIST(client)
    assert (3, 1) == (len(ports), len(set(ports)))


def test_threads_can_share_a_client(client: cx.Client) -> None:
    """Each call gets its own response."""
    with ThreadPoolExecutor(8) as executor:
        created = list(executor.map(lambda n: client.webhooks.create(**NEW | {"name": f"N{n}"}), range(16)))
    assert [f"N{number}" for number in range(16)] == [webhook.name for webhook in created]
    assert 16 == len({webhook.id for webhook in created} & {webhook.id for webhook in LIST(client)})


def test_closing_a_client_leaves_no_thread(sandbox: cx.Sandbox) -> None:
    """And a second close does nothing."""
    before = threading.active_count()
    client = sandbox.client()
    LIST(client)
    client.close()
    client.close()
    assert before == threading.active_count()


@every_call
@pytest.mark.parametrize("used", [False, True], ids=["unused", "used"])
def test_a_call_on_a_closed_client_is_a_configuration_error(call: Call, good: Script, used: bool) -> None:
    """Also on a copy of it. Nothing is sent."""
    with ScriptedServer(good, data([])) as server:
        with client_of(server) as client:
            other = client.with_options(max_wait=1)
            if used:
                LIST(client.with_options()) if call is LIST else call(client)
        for closed in (client, other):
            with pytest.raises(errors.ConfigurationError, match="closed") as caught:
                call(closed)
            assert (False, True) == (caught.value.may_have_acted, "new one" in caught.value.advice)
    assert int(used) == len(server.requests)


@pytest.mark.parametrize("raised", [False, True], ids=["after a call", "after an error"])
def test_an_unclosed_client_closes_its_connections_when_collected(raised: bool) -> None:
    """Without a ResourceWarning, which this test run turns into an error."""
    keeping = reply(200, json.dumps({"success": True, "data": [HOOK]}), close=False)
    with ScriptedServer(keeping, status(404)) as server:
        client = client_of(server)
        LIST(client)
        if raised:
            with pytest.raises(errors.NotFoundError):
                GET(client)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del client
            gc.collect()
            assert server.all_disconnected(5)
    assert [] == [str(warning.message) for warning in caught if issubclass(warning.category, ResourceWarning)]


# --- the key is never shown -------------------------------------------------------------------------------------------


ECHOES = {
    "silence": silence(),
    "redirect": redirect("https://example.com/"),
    "401 with the key": status(401, message=f"Unknown key {KEY}"),
    "HTML with the key": reply(403, f"<h1>No {KEY}</h1>"),
    "JSON with the key": reply(200, f'{{"key": "{KEY}"}}'),
    "redirect with the key": redirect(f"https://example.com/?key={KEY}"),
    **{str(code): status(code) for code in (400, 403, 404, 409, 422)},
}


@pytest.mark.parametrize(
    ("call", "script"),
    [
        *[
            pytest.param(FIRE, script, id=f"trigger_test {name}")
            for name, script in (TRANSIENT | UNREADABLE | ECHOES).items()
        ],
        *[pytest.param(GET, TRANSIENT[name], id=f"get {name}") for name in ("500", "429", "reset", "hang_up", "cut")],
        *[pytest.param(CREATE, TRANSIENT[name], id=f"create {name}") for name in ("504", "reset", "hang_up", "cut")],
        pytest.param(CREATE, silence(), id="create silence"),
    ],
)  # fmt: skip
def test_no_error_shows_the_key(call: Call, script: Script) -> None:
    """Neither in its text and fields, nor in the local variables of its traceback."""
    with (
        ScriptedServer(*[script] * 9) as server,
        client_of(server, timeout=0.1) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        call(client)
    assert [] == excerpts_with(HIDDEN, caught.value)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda: cx.Client(KEY, "team_1", "http://example.com"), id="plain http"),
        pytest.param(lambda: cx.Client(KEY + "\n" + KEY, "team_1"), id="two keys"),
        pytest.param(lambda: cx.Client(KEY + "ä", "team_1"), id="letter that no key has"),
        pytest.param(lambda: cx.Client(KEY, "team_1", timeout="30"), id="invalid timeout"),
        pytest.param(lambda: CREATE(cx.Client(KEY, "team_1", write=False)), id="read-only"),
        pytest.param(lambda: CREATE(cx.Client("pk_test_" + HIDDEN, "team_1")), id="publishable"),
        pytest.param(lambda: GET(cx.Client(KEY)), id="no team"),
        pytest.param(lambda: LIST(cx.Client(KEY, "t", f"http://127.0.0.1:{closed_port()}")), id="unreachable"),
    ],
)
def test_no_error_before_sending_shows_the_key(call: Callable[[], Any]) -> None:
    """Nor do errors that are raised before anything is sent."""
    with pytest.raises(errors.CStarError) as caught:
        call()
    assert [] == excerpts_with(HIDDEN, caught.value)


def test_no_display_of_a_client_shows_its_key() -> None:
    """In every form that a notebook shows."""
    with cx.Client(KEY, "team_1") as client:
        shown = f"{client!r}{client}{vars(client)}{client.key}{client.webhooks!r}{client.webhooks.preview.list()!r}"
    assert "sk_test_••••" in repr(client)
    assert HIDDEN not in shown


@pytest.mark.parametrize(("write", "end"), [(True, "sk_test_••••)"), (False, "sk_test_••••, read-only)")])
def test_a_client_shows_whether_it_is_read_only(write: bool, end: str) -> None:
    """With its environment, team and address."""
    with cx.Client(KEY, "team_1", write=write) as client:
        assert f"Client(TEST, team team_1, https://www.cstar.help, key {end}" == repr(client)


def test_a_request_is_shown_as_it_is_sent() -> None:
    """With the key masked."""
    with cx.Client(KEY, "team_1") as client:
        request = client.webhooks.preview.create(name="Ü", url="https://e.com", events="ticket.created")
    assert repr(request).splitlines() == [
        "POST https://www.cstar.help/api/v1/teams/team_1/webhooks",
        "Authorization: Bearer sk_test_••••",
        "Accept: application/json",
        "Content-Type: application/json",
        "Idempotency-Key: (random, generated when sent)",
        "",
        "{",
        '  "name": "\\u00dc",',
        '  "url": "https://e.com",',
        '  "events": "ticket.created"',
        "}",
    ]


def test_whoami_is_called_again_if_its_response_is_lost() -> None:
    """It changes nothing."""
    with ScriptedServer(reset(), data({"teamId": "team_1"})) as server, client_of(server) as client:
        assert "team_1" == client.whoami().team_id


def test_no_display_of_a_created_webhook_shows_its_signing_secret(client: cx.Client) -> None:
    """Only `secret.reveal()` returns it."""
    created = CREATE(client)
    value = created.secret.reveal().removeprefix("whsec_")
    shown = f"{created!r}{created}{created._repr_html_()}{created.to_frame().to_string()}{created.to_frame().to_html()}"
    assert value not in shown
