"""The client over real sockets: what it sends, what it repeats, how long it waits, and what it never tells."""

import gzip
import http.client
import itertools
import json
import queue
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import connection, retries
from cstar_explore.api.connection import RateLimit
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


def test_a_webhook_lives_from_create_to_delete(client: cx.Client) -> None:
    """The six calls, one after the other, on the sandbox."""
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


def test_whoami_tells_the_team_with_or_without_one_given(sandbox: cx.Sandbox) -> None:
    """It is the one call that needs no team."""
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
def test_what_arrives_is_what_the_api_reference_prints(
    *, call: Call, good: Script, method: str, path: str, body: Any, with_key: bool
) -> None:
    """Method, path, key, body and its type; an Idempotency-Key on create and update only."""
    with ScriptedServer(good) as server, client_of(server) as client:
        call(client)
    (request,) = server.requests
    assert (method, path, f"Bearer {KEY}") == (request.method, request.path, request.headers["authorization"])
    assert body == (request.json if request.body else None)
    assert ("application/json" if body else None) == request.headers.get("content-type")
    assert with_key == ("idempotency-key" in request.headers)


@pytest.mark.parametrize(
    ("make", "good"),
    [
        pytest.param(lambda calls: calls.get("whk_1"), data(HOOK), id="get"),
        pytest.param(lambda calls: calls.create(**NEW), data(HOOK, 201), id="create"),
        pytest.param(lambda calls: calls.update("whk_1", name="Zoë $5"), data(HOOK), id="update"),
        pytest.param(lambda calls: calls.delete("a/../b?c"), data({"deleted": True}), id="delete"),
        pytest.param(lambda calls: calls.trigger_test("ticket.created"), data(FIRED), id="trigger_test"),
    ],
)
def test_what_is_shown_is_what_is_sent(make, good: Script) -> None:
    """A preview is inert; sent, it arrives byte for byte as it was shown."""
    with ScriptedServer(good) as server, client_of(server) as client:
        request = make(client.webhooks.preview)
        assert [] == server.requests
        client.send(request)
    (arrived,) = server.requests
    assert (request.method, request.url, request.content) == (arrived.method, server.url + arrived.path, arrived.body)


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    """What looks like a way out arrives as one segment."""
    with ScriptedServer(data(HOOK)) as server, client_of(server) as client:
        client.webhooks.get("../../admin?x=1#y")
    assert [f"{BASE}/..%2F..%2Fadmin%3Fx%3D1%23y"] == [request.path for request in server.requests]


# --- what is repeated -------------------------------------------------------------------------------------------------

PASSING = {
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
    ("trouble", "call", "good"),
    [
        *[pytest.param(line, *GOOD["create"], id=f"create {name}") for name, line in PASSING.items()],
        *[pytest.param(PASSING["503"], *GOOD[name], id=f"{name} 503") for name in ("list", "get", "update", "whoami")],
        *[pytest.param(PASSING["reset"], *GOOD[name], id=f"{name} reset") for name in ("list", "update", "delete")],
    ],
)
def test_a_passing_failure_is_not_noticed(trouble: Script, call: Call, good: Script) -> None:
    """The call is repeated as it was, and succeeds."""
    with ScriptedServer(trouble, trouble, trouble, good) as server, client_of(server) as client:
        call(client)
    assert 4 == len(server.requests)
    assert 1 == len({(request.method, request.path, request.body) for request in server.requests})
    assert 1 == len(set(server.idempotency_keys))


@pytest.mark.parametrize(
    ("trouble", "kind"),
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
def test_after_four_attempts_the_failure_is_told(trouble: Script, kind: type[errors.CStarError], call: Call) -> None:
    """The error is the one that kept coming, without a traceback of somebody else's."""
    with (
        ScriptedServer(*[trouble] * 4) as server,
        client_of(server, timeout=0.05) as client,
        pytest.raises(kind) as caught,
    ):
        call(client)
    assert (4, kind) == (len(server.requests), type(caught.value))


@pytest.mark.parametrize(
    ("code", "call", "good"),
    [
        *[pytest.param(code, *GOOD["create"], id=f"create {code}") for code in (400, 401, 403, 404, 409, 418, 422)],
        *[pytest.param(404, *pair, id=f"{name} 404") for name, pair in GOOD.items() if name != "create"],
    ],
)
def test_a_refusal_is_not_repeated(call: Call, good: Script, code: int) -> None:
    """Asking again would not change the answer."""
    with ScriptedServer(status(code), good) as server, client_of(server) as client, pytest.raises(errors.StatusError):
        call(client)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("call", [CREATE, UPDATE], ids=["create", "update"])
def test_one_operation_has_one_idempotency_key_and_the_next_another(call: Call) -> None:
    """The key is random, the same through all attempts, and never used again."""
    good = data(HOOK)
    with ScriptedServer(reset(), status(503), good, status(500), good, good) as server, client_of(server) as client:
        call(client)
        call(client)
        request = client.webhooks.preview.create(**NEW)
        client.send(request)
    groups = [(key, len(list(run))) for key, run in itertools.groupby(server.idempotency_keys)]
    assert [3, 2, 1] == [count for _, count in groups]
    assert 3 == len({key for key, _ in groups})
    assert min(len(key) for key, _ in groups) >= 16


def test_the_same_request_sent_twice_is_two_operations() -> None:
    """A preview that is sent again is meant again, and must not be answered from the first one's record."""
    with ScriptedServer(data(HOOK), data(HOOK)) as server, client_of(server) as client:
        request = client.webhooks.preview.update("whk_1", is_active=True)
        client.send(request)
        client.send(request)
    assert 2 == len(set(server.idempotency_keys))


@pytest.mark.parametrize(
    "trouble",
    [
        *[pytest.param(line, id=name) for name, line in PASSING.items() if name != "429"],
        pytest.param(silence(), id="silence"),
        pytest.param(garbled(), id="garbled"),
        pytest.param(reply(200, "<h1>Log in</h1>"), id="HTML"),
    ],
)
def test_a_test_event_that_may_have_arrived_is_never_fired_again(trouble: Script) -> None:
    """It would reach every receiver twice; the error says that it may have happened."""
    with (
        ScriptedServer(trouble, data(FIRED)) as server,
        client_of(server, timeout=0.1) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        FIRE(client)
    assert (1, True) == (len(server.requests), caught.value.may_have_acted)


def test_a_test_event_refused_for_its_rate_is_fired_later() -> None:
    """A 429 had no effect."""
    with ScriptedServer(status(429, {"Retry-After": "0"}), data(FIRED)) as server, client_of(server) as client:
        assert "evt_1" == FIRE(client).event_id
    assert 2 == len(server.requests)


@every_call
def test_a_refused_connection_is_tried_again(call: Call, good: Script) -> None:
    """Nothing arrived, so anything may be repeated; here the server comes up during the wait."""
    port = closed_port()
    came_up: list[ScriptedServer] = []

    def come_up(_: retries.Wait) -> None:
        came_up or came_up.append(ScriptedServer(good, port=port))

    with cx.Client(KEY, "team_1", f"http://127.0.0.1:{port}", on_wait=come_up) as client:
        call(client)
    came_up[0].close()
    assert 1 == len(came_up[0].requests)


@every_call
def test_an_address_where_nobody_answers_is_told_as_such(call: Call, good: Script) -> None:
    """Nothing was sent, also for a create: there is nothing unknown about it."""
    with (
        cx.Client(KEY, "team_1", f"http://127.0.0.1:{closed_port()}") as client,
        pytest.raises(errors.UnreachableError) as caught,
    ):
        call(client)
    assert False is caught.value.may_have_acted


@pytest.mark.parametrize(
    ("before", "found_gone_is"),
    [
        pytest.param([reset()], None, id="after a reset"),
        pytest.param([status(500)], None, id="after a 500"),
        pytest.param([status(504), status(429, {"Retry-After": "0"})], None, id="after a 504 and a 429"),
        pytest.param([], errors.NotFoundError, id="at once"),
        pytest.param([status(429, {"Retry-After": "0"})], errors.NotFoundError, id="after a 429, which had no effect"),
    ],
)
def test_a_delete_that_finds_nothing_on_its_repeat_is_done(before: list[Script], found_gone_is: type | None) -> None:
    """Where an earlier attempt may have deleted it, 404 means that it did; otherwise it never existed."""
    with ScriptedServer(*before, status(404, code="RESOURCE_MISSING")) as server, client_of(server) as client:
        try:
            outcome = DELETE(client)
        except errors.CStarError as error:
            outcome = type(error)
    assert (found_gone_is, len(before) + 1) == (outcome, len(server.requests))


def test_a_get_that_finds_nothing_on_its_repeat_is_not_found() -> None:
    """Only a delete is done when nothing is there."""
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
def test_a_create_whose_answer_stays_lost_says_so_and_offers_what_matches(lost: list[Script]) -> None:
    """The list is read once, and the webhook on it that looks like the one asked for is handed over."""
    with (
        ScriptedServer(*lost, data([*OTHERS, HOOK])) as server,
        client_of(server, timeout=0.08) as client,
        pytest.raises(errors.OutcomeUnknownError, match="whk_1") as caught,
    ):
        CREATE(client)
    assert (("whk_1",), True) == (
        tuple(webhook.id for webhook in caught.value.candidates),
        caught.value.may_have_acted,
    )
    assert ["POST"] * 4 + ["GET"] == server.methods


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param([data([])], id="an empty list"),
        pytest.param([data(OTHERS)], id="only others"),
        pytest.param([status(403)], id="a list refused"),
        pytest.param([reset()] * 4, id="a list lost as well"),
        pytest.param([reply(200, "<h1>Log in</h1>")], id="a list that is none"),
    ],
)
def test_without_a_match_the_outcome_stays_unknown_and_there_are_no_candidates(listed: list[Script]) -> None:
    """What was lost is the create, whatever happens to the list."""
    with (
        ScriptedServer(*[reset()] * 4, *listed) as server,
        client_of(server) as client,
        pytest.raises(errors.OutcomeUnknownError) as caught,
    ):
        CREATE(client)
    assert () == caught.value.candidates


@pytest.mark.parametrize("code", [500, 503])
def test_a_create_that_the_server_failed_at_is_a_server_error(code: int) -> None:
    """cStar itself answered, so its answer is told."""
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
def test_a_create_answered_with_something_unreadable_may_have_happened(body: str) -> None:
    """A good status over a broken body tells nothing sure, and it says so."""
    with (
        ScriptedServer(*[reply(201, body)] * 4, data([HOOK])) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        CREATE(client)
    assert True is caught.value.may_have_acted
    assert 1 == len(set(server.idempotency_keys) - {None})


@pytest.mark.parametrize("code", [401, 403, 409, 422])
def test_a_create_refused_after_an_attempt_was_lost_may_have_happened(code: int) -> None:
    """The second answer says nothing of the first attempt."""
    with (
        ScriptedServer(reset(), status(code), data([HOOK])) as server,
        client_of(server) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        CREATE(client)
    assert True is caught.value.may_have_acted


def passed_on(sandbox: cx.Sandbox, then: Script | None = None) -> Script:
    """Hands the request to the sandbox; then hands back its answer, or does something else to the connection."""

    def answer(connection: socket.socket, received: RecordedRequest) -> bool:
        onward = http.client.HTTPConnection(*sandbox.base_url.removeprefix("http://").split(":"))
        headers = {name: value for name, value in received.headers.items() if name != "host"}
        onward.request(received.method, received.path, received.body or None, headers)
        told = onward.getresponse()
        body = told.read()
        onward.close()
        return (then or reply(told.status, body))(connection, received)

    return answer


@pytest.mark.parametrize("then", [reset(), hang_up(), silence(), status(502)], ids=["reset", "hang_up", "silence", "502"])  # fmt: skip
@pytest.mark.parametrize(
    ("call", "change"),
    [
        pytest.param(CREATE, 1, id="create"),
        pytest.param(lambda client: client.webhooks.update(client.webhooks.list()[0].id, name="X"), 0, id="update"),
        pytest.param(lambda client: client.webhooks.delete(client.webhooks.list()[0].id), -1, id="delete"),
    ],
)
def test_a_change_whose_answer_is_lost_happens_once(sandbox: cx.Sandbox, call: Call, change: int, then: Script) -> None:
    """The request reaches the sandbox, its answer is cut off, and the repeat neither fails nor does it twice."""
    reading = 0 if call is CREATE else 1
    script = [passed_on(sandbox)] * reading + [passed_on(sandbox, then), passed_on(sandbox)]
    with ScriptedServer(*script) as server, sandbox.client() as direct:
        before = len(direct.webhooks.list())
        with client_of(server, key=sandbox.key, team_id=sandbox.team_id, timeout=0.15) as client:
            call(client)
        assert before + change == len(direct.webhooks.list())


# --- how long it waits ------------------------------------------------------------------------------------------------


def test_a_wait_longer_than_allowed_raises_at_once_and_names_the_time() -> None:
    """Nobody is kept for an hour without being asked."""
    waits: list[retries.Wait] = []
    with (
        ScriptedServer(status(429, {"Retry-After": "3600"})) as server,
        client_of(server, on_wait=waits.append) as client,
        pytest.raises(errors.RateLimitError, match=r"3,?600 s") as caught,
    ):
        LIST(client)
    assert (3600.0, [], 1) == (caught.value.retry_after, waits, len(server.requests))


@pytest.mark.parametrize(
    ("max_wait", "requests"), [pytest.param(0.05, 2, id="the second is too much"), pytest.param(0.03, 1, id="the first")]
)  # fmt: skip
def test_all_waits_of_one_call_together_stay_within_what_is_allowed(max_wait: float, requests: int) -> None:
    """Two short waits can be one too many."""
    with (
        ScriptedServer(*[status(429, retryAfter=0.04)] * 4) as server,
        client_of(server, max_wait=max_wait) as client,
        pytest.raises(errors.RateLimitError),
    ):
        LIST(client)
    assert requests == len(server.requests)


def test_where_cstar_names_no_time_the_guess_counts_against_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty seconds are guessed; a client that waits less raises at once."""
    waits: list[float] = []
    with ScriptedServer(*[status(429)] * 2, data([])) as server:
        with client_of(server, max_wait=59) as client, pytest.raises(errors.RateLimitError):
            LIST(client)
        monkeypatch.setattr(retries, "GUESS", 0.01)
        with client_of(server, on_wait=lambda wait: waits.append(wait.seconds)) as client:
            LIST(client)
    assert (3, 1) == (len(server.requests), len(waits))
    assert 0.01 <= waits[0] < 0.1


def test_every_wait_is_announced_with_its_length_its_reason_and_its_number() -> None:
    """A page can count down, and say why."""
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


def test_the_pauses_after_passing_failures_double(monkeypatch: pytest.MonkeyPatch) -> None:
    """First, twice, four times the first pause."""
    monkeypatch.setattr(retries, "JITTER", 0.0)
    waits: list[float] = []
    with (
        ScriptedServer(*[status(500)] * 3, data([])) as server,
        client_of(server, on_wait=lambda wait: waits.append(wait.seconds)) as client,
    ):
        LIST(client)
    assert [0.005, 0.01, 0.02] == waits


@pytest.mark.parametrize("code", [429, 503])
def test_a_wait_can_be_cancelled_from_another_thread(code: int) -> None:
    """The call ends at once, without another request, and says so."""
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


def test_a_wait_can_be_cancelled_as_it_is_announced() -> None:
    """The callback itself may say no."""
    with (
        ScriptedServer(status(429, {"Retry-After": "30"})) as server,
        client_of(server, on_wait=retries.Wait.cancel) as client,
        pytest.raises(errors.WaitCancelledError),
    ):
        LIST(client)
    assert 1 == len(server.requests)


@pytest.mark.parametrize("call", [CREATE, UPDATE, DELETE], ids=["create", "update", "delete"])
def test_a_wait_cancelled_after_a_lost_answer_says_that_it_may_have_happened(call: Call) -> None:
    """Who cancels has to know that the first attempt may have arrived."""
    with (
        ScriptedServer(reset(), data([HOOK])) as server,
        client_of(server, on_wait=retries.Wait.cancel) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        call(client)
    assert True is caught.value.may_have_acted


def test_the_sandboxs_rate_limit_is_obeyed_and_explained() -> None:
    """Its hour is longer than a call may wait, so it raises at once and names the time."""
    with cx.Sandbox(rate_limit=2) as sandbox, sandbox.client() as client:
        LIST(client)
        LIST(client)
        with pytest.raises(errors.RateLimitError) as caught:
            LIST(client)
    assert caught.value.retry_after > 60


# --- budget -----------------------------------------------------------------------------------------------------------


def test_the_budget_is_what_the_last_answer_said(client: cx.Client) -> None:
    """None before the first answer, then counting down, the same for a twin."""
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
        pytest.param({}, None, id="nothing said"),
        pytest.param(
            {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1765380600", "X-RateLimit-Window": "3600"},
            RateLimit(100, 0, datetime(2025, 12, 10, 15, 30, tzinfo=UTC), 3600),
            id="all",
        ),
        pytest.param({"x-ratelimit-remaining": "7"}, RateLimit(None, 7, None, None), id="one, in lower case"),
        pytest.param(
            {"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "9" * 30, "X-RateLimit-Window": ""},
            RateLimit(None, 7, None, None),
            id="unreadable ones",
        ),
        pytest.param(
            {"X-RateLimit-Remaining": "9" * 5000, "X-RateLimit-Reset": "-1e308", "X-RateLimit-Limit": "7"},
            RateLimit(7, None, None, None),
            id="absurd ones",
        ),
    ],
)  # fmt: skip
def test_the_budget_takes_what_it_can_read(headers: dict[str, str], expected: RateLimit | None) -> None:
    """A header that makes no sense is left out, and does not disturb the call."""
    with ScriptedServer(data([], headers=headers)) as server, client_of(server) as client:
        LIST(client)
        assert expected == client.rate_limit


def test_a_refusal_tells_the_budget_too() -> None:
    """Especially then it is of interest."""
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
    """Nobody hears from us at the other address, and the first is not asked again."""
    with (
        ScriptedServer(good) as elsewhere,
        ScriptedServer(redirect(f"{elsewhere.url}/x", code)) as server,
        client_of(server) as client,
        pytest.raises(errors.RedirectError, match=elsewhere.url),
    ):
        call(client)
    assert ([], 1) == (elsewhere.requests, len(server.requests))


@pytest.mark.parametrize("call", [FIRE, CREATE], ids=["trigger_test", "create"])
@pytest.mark.parametrize("location", ["/elsewhere", "//example.com/", "", "javascript:alert(1)", "https://[", "\x7f"])
def test_a_redirect_to_any_place_is_refused(location: str, call: Call) -> None:
    """Also within the same host, and where the address cannot be read: the request arrived, and is not repeated."""
    with (
        ScriptedServer(*[redirect(location)] * 4) as server,
        client_of(server) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        call(client)
    assert (errors.RedirectError, 1) == (type(caught.value), len(server.requests))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_never_asked_through_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A proxy in the environment is for other hosts."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer() as proxy, ScriptedServer(data([HOOK])) as server:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        with client_of(server, base_url=f"http://{host}:{server.port}") as client:
            assert 1 == len(LIST(client))
    assert ([], 1) == (proxy.requests, len(server.requests))


def test_cstar_is_asked_through_the_proxy_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets a CONNECT, not the key; one that refuses is an error of ours."""
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
        pytest.param({"base_url": "https://www.cstar.help\n"}, id="a line break in the address"),
        pytest.param({"base_url": "https://user:word@www.cstar.help"}, id="a user in the address"),
        pytest.param({"key": ""}, id="no key"),
        pytest.param({"key": "sk_test_a\nb"}, id="a line break in the key"),
        pytest.param({"key": "sk_test_ä"}, id="a letter no key has"),
        pytest.param({"team_id": ""}, id="an empty team"),
        pytest.param({"team_id": ".."}, id="a team of dots"),
        pytest.param({"team_id": "\ud800"}, id="a team of half a character"),
    ],
)
def test_a_client_that_cannot_work_is_refused_as_it_is_made(options: dict[str, str]) -> None:
    """A configuration error, before any request and without the key in it."""
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.Client(**{"key": KEY, "team_id": "team_1"} | options)
    assert HIDDEN not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    ("key", "base_url", "environment"),
    [
        pytest.param("sk_test_x", "http://127.0.0.1:9", "sandbox", id="test key on this machine"),
        pytest.param("pk_test_x", "http://localhost:9", "sandbox", id="publishable test key on this machine"),
        pytest.param("sk_test_x", "https://www.cstar.help", "test", id="test key"),
        pytest.param("pk_test_x", "https://www.cstar.help", "test", id="publishable test key"),
        pytest.param("sk_live_x", "https://www.cstar.help", "live", id="live key"),
        pytest.param("sk_live_x", "http://127.0.0.1:9", "live", id="live key on this machine"),
        pytest.param("anything", "http://127.0.0.1:9", "live", id="a key of unknown kind"),
    ],
)
def test_the_environment_is_told_by_the_key(key: str, base_url: str, environment: str) -> None:
    """What cannot be known to be harmless counts as live."""
    with cx.Client(key, "team_1", base_url) as client:
        assert environment == client.environment


# --- what is refused before sending -----------------------------------------------------------------------------------


@writing_calls
def test_a_reading_client_sends_no_change(call: Call) -> None:
    """It says so before anything is sent; reading, previews and a writing twin work."""
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
def test_a_publishable_key_on_a_writing_call_is_explained_before_sending(call: Call, prefix: str) -> None:
    """The sentence says which key is needed; there is no status, for nothing was asked."""
    with (
        ScriptedServer() as server,
        client_of(server, key=prefix + HIDDEN) as client,
        pytest.raises(errors.PermissionDeniedError, match="sk_") as caught,
    ):
        call(client)
    assert ([], None, False) == (server.requests, caught.value.status, caught.value.may_have_acted)


def test_a_publishable_key_may_try_to_read() -> None:
    """cStar decides about list and get."""
    with ScriptedServer(data([HOOK]), data(HOOK)) as server, client_of(server, key="pk_test_" + HIDDEN) as client:
        LIST(client)
        GET(client)
    assert 2 == len(server.requests)


def test_a_twin_shares_the_connection_and_changes_nothing_of_the_first(client: cx.Client) -> None:
    """Options differ, the rest is the same."""
    twin = client.with_options(write=False, max_wait=1, team_id="team_2")
    assert ("team_2", client.key, client.base_url) == (twin.team_id, twin.key, twin.base_url)
    assert client.webhooks.create(**NEW).id
    with pytest.raises(errors.ReadOnlyError):
        CREATE(twin)


# --- pages ------------------------------------------------------------------------------------------------------------


def hooks(*numbers: int) -> list[dict[str, Any]]:
    return [{"id": f"whk_{number}"} for number in numbers]


def pagination(total: int, page: int, size: int) -> dict[str, Any]:
    return {"pagination": {"total": total, "page": page, "pageSize": size}}


FIRST, SECOND, THIRD = "", "?page=1&pageSize=100", "?page=2&pageSize=100"


@pytest.mark.parametrize(
    ("script", "ids", "queries"),
    [
        pytest.param([data(hooks(1, 2))], [1, 2], [FIRST], id="no word of pages"),
        pytest.param([data([])], [], [FIRST], id="nothing there"),
        pytest.param([data(hooks(1, 2), **pagination(2, 1, 20))], [1, 2], [FIRST], id="all on the first"),
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
            [data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), data([], hasMore=True)],
            [1],
            [FIRST, SECOND, THIRD],
            id="an empty page ends it",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1), hasMore=True), data(hooks(1), hasMore=True)],
            [1],
            [FIRST, SECOND, THIRD],
            id="a repeated page ends it",
        ),
        pytest.param(
            [data(hooks(1), hasMore=True), data(hooks(1, 2), hasMore=True), data(hooks(2, 3), hasMore=False)],
            [1, 2, 3],
            [FIRST, SECOND, THIRD],
            id="a webhook that moved to the next page is listed once",
        ),
    ],
)
def test_every_page_is_fetched_where_cstar_says_there_are_more(
    script: list[Script], ids: list[int], queries: list[str]
) -> None:
    """The first request is the reference's; each webhook is listed once, in cStar's order."""
    with ScriptedServer(*script) as server, client_of(server) as client:
        assert [f"whk_{number}" for number in ids] == [webhook.id for webhook in LIST(client)]
    assert [BASE + query for query in queries] == [request.path for request in server.requests]


def test_a_failing_later_page_is_repeated_by_itself() -> None:
    """What was read is not asked for again, and half a list is never returned as a whole one."""
    pages = [data(hooks(1), hasMore=True), data(hooks(1, 2), hasMore=True)]
    with ScriptedServer(*pages, reset(), data(hooks(3)), *pages, status(403)) as server, client_of(server) as client:
        assert ["whk_1", "whk_2", "whk_3"] == [webhook.id for webhook in LIST(client)]
        with pytest.raises(errors.PermissionDeniedError):
            LIST(client)
    assert 7 == len(server.requests)


# --- answers that never end, or never were ----------------------------------------------------------------------------


def test_a_server_that_never_answers_is_given_up() -> None:
    """The error says what may have happened."""
    with (
        ScriptedServer(silence()) as server,
        client_of(server, timeout=0.1) as client,
        pytest.raises(errors.ResponseTimeoutError) as caught,
    ):
        FIRE(client)
    assert (1, True) == (len(server.requests), caught.value.may_have_acted)


def test_a_server_that_answers_drop_by_drop_is_given_up() -> None:
    """The timeout is for the whole attempt, not for each byte."""
    whole = json.dumps({"success": True, "data": FIRED}).encode()
    with (
        ScriptedServer(drip(whole, 0.02)) as server,
        client_of(server, timeout=0.15) as client,
        pytest.raises(errors.ResponseTimeoutError),
    ):
        FIRE(client)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(reply(200, b" " * 5000), id="long"),
        pytest.param(reply(200, gzip.compress(b" " * 5000), {"Content-Encoding": "gzip"}), id="long when unpacked"),
        pytest.param(reply(500, b" " * 5000), id="a long refusal"),
        pytest.param(reply(200, b" " * 3000, declared=10**15), id="declared to be longer than any disk"),
    ],
)
def test_an_answer_too_long_is_not_taken_in(monkeypatch: pytest.MonkeyPatch, line: Script) -> None:
    """Memory is not filled by whoever answers."""
    monkeypatch.setattr(connection, "MAX_RESPONSE", 2000)
    with ScriptedServer(line) as server, client_of(server, timeout=1) as client, pytest.raises(errors.TransportError):
        FIRE(client)


def test_an_answer_of_exactly_the_limit_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is allowed."""
    body = json.dumps({"success": True, "data": [HOOK]})
    monkeypatch.setattr(connection, "MAX_RESPONSE", len(body))
    with ScriptedServer(reply(200, body)) as server, client_of(server) as client:
        assert 1 == len(LIST(client))


UNREADABLE = {
    "HTML": reply(200, "<h1>Log in</h1>", content_type="text/html"),
    "empty": reply(200, ""),
    "a bare string": reply(200, '"ok"'),
    "no data": reply(200, '{"success": true}'),
    "gzip garbage": reply(200, b"\x1f\x8b garbage", {"Content-Encoding": "gzip"}),
    "an encoding nobody knows": reply(200, b"\x00\x01", {"Content-Encoding": "zippy"}),
    "a charset nobody knows": reply(200, b"\xff\xfe", content_type="application/json; charset=nope"),
    "no HTTP": garbled(),
    "half a chunk": reply(200, b"", {"Transfer-Encoding": "chunked"}),
    "a length that is none": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n{}")
    ),
    "two lengths": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")
    ),
    "longer than declared": reply(200, '{"success": true, "data": {"id": "whk_1"}}', declared=4),
    "headers without end": lambda connection, _: bool(
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000)
    ),
    "a status of four digits": reply(2000, "{}"),
}


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line in UNREADABLE.items()])
def test_an_answer_that_is_not_cstars_is_an_error_of_ours(line: Script) -> None:
    """Whatever is wrong with it, nobody has to know which library noticed."""
    with (
        ScriptedServer(line) as server,
        client_of(server, timeout=1) as client,
        pytest.raises(errors.TransportError) as caught,
    ):
        FIRE(client)
    assert True is caught.value.may_have_acted


def test_a_connection_that_was_closed_meanwhile_is_replaced() -> None:
    """A server may close what it had left open; the next call does not suffer."""

    def answer_and_leave(connection: socket.socket, received: RecordedRequest) -> bool:
        data([HOOK])(connection, received)
        return False

    with ScriptedServer(answer_and_leave, answer_and_leave, answer_and_leave) as server, client_of(server) as client:
        assert [1, 1] == [len(LIST(client)), len(LIST(client))]


def test_one_connection_serves_many_calls() -> None:
    """Calls do not pay for a new connection each."""
    lines = [reply(200, json.dumps({"success": True, "data": [HOOK]}), close=False)] * 3
    doors: list[int] = []

    def noting(line: Script) -> Script:
        def answer(connection: socket.socket, received: RecordedRequest) -> bool:
            doors.append(connection.getpeername()[1])
            return line(connection, received)

        return answer

    with ScriptedServer(*map(noting, lines)) as server, client_of(server) as client:
        for _ in lines:
            LIST(client)
    assert (3, 1) == (len(doors), len(set(doors)))


def test_threads_can_share_a_client(client: cx.Client) -> None:
    """Forms call from threads: each call gets its own answer."""
    with ThreadPoolExecutor(8) as executor:
        made = list(executor.map(lambda n: client.webhooks.create(**NEW | {"name": f"N{n}"}), range(16)))
    assert [f"N{number}" for number in range(16)] == [webhook.name for webhook in made]
    assert 16 == len({webhook.id for webhook in made} & {webhook.id for webhook in LIST(client)})


def test_closing_a_client_leaves_no_thread(sandbox: cx.Sandbox) -> None:
    """And closing it twice does no harm."""
    before = threading.active_count()
    client = sandbox.client()
    LIST(client)
    client.close()
    client.close()
    assert before == threading.active_count()


# --- what is never told -----------------------------------------------------------------------------------------------


def everything_told(error: BaseException) -> Iterator[str]:
    """All that a report on an error could show: texts, fields, and the traceback with every local variable of every
    frame, also of the errors behind it that a traceback does not print."""
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [each for each in (one.__cause__, one.__context__) if each and each not in chain]
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        yield from traceback.format_exception(one)
        yield from traceback.TracebackException.from_exception(one, capture_locals=True).format()


def tellers(error: BaseException) -> list[str]:
    """The places where the key can be read, each from where it begins."""
    return sorted({text[max(0, text.index(HIDDEN) - 300) :][:340] for text in everything_told(error) if HIDDEN in text})


TELLTALES = {
    "silence": silence(),
    "redirect": redirect("https://example.com/"),
    "a refusal that repeats the key": status(401, message=f"Unknown key {KEY}"),
    "HTML that repeats the key": reply(403, f"<h1>No {KEY}</h1>"),
    "JSON that repeats the key": reply(200, f'{{"key": "{KEY}"}}'),
    "a redirect that repeats the key": redirect(f"https://example.com/?key={KEY}"),
    **{str(code): status(code) for code in (400, 403, 404, 409, 422)},
}


@pytest.mark.parametrize(
    ("call", "line"),
    [
        *[pytest.param(FIRE, line, id=f"trigger_test {name}") for name, line in (PASSING | UNREADABLE | TELLTALES).items()],
        *[pytest.param(GET, PASSING[name], id=f"get {name}") for name in ("500", "429", "reset", "hang_up", "cut")],
        *[pytest.param(CREATE, PASSING[name], id=f"create {name}") for name in ("504", "reset", "hang_up", "cut")],
        pytest.param(CREATE, silence(), id="create silence"),
    ],
)  # fmt: skip
def test_no_error_tells_the_key(call: Call, line: Script) -> None:
    """Neither in its text, nor in its traceback, nor in any variable that a report with locals would show."""
    with (
        ScriptedServer(*[line] * 9) as server,
        client_of(server, timeout=0.05) as client,
        pytest.raises(errors.CStarError) as caught,
    ):
        call(client)
    assert [] == tellers(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: cx.Client(KEY, "team_1", "http://example.com"), id="plain http"),
        pytest.param(lambda: cx.Client(KEY + "\n" + KEY, "team_1"), id="two keys pasted"),
        pytest.param(lambda: cx.Client(KEY + "ä", "team_1"), id="a letter too many"),
        pytest.param(lambda: CREATE(cx.Client(KEY, "team_1", write=False)), id="reading only"),
        pytest.param(lambda: CREATE(cx.Client("pk_test_" + HIDDEN, "team_1")), id="publishable"),
        pytest.param(lambda: GET(cx.Client(KEY)), id="no team"),
        pytest.param(lambda: LIST(cx.Client(KEY, "t", f"http://127.0.0.1:{closed_port()}")), id="nobody there"),
    ],
)
def test_no_error_before_sending_tells_the_key(make: Callable[[], Any]) -> None:
    """What is refused early is as discreet."""
    with pytest.raises(errors.CStarError) as caught:
        make()
    assert [] == tellers(caught.value)


def test_a_client_shows_what_it_is_and_not_its_key() -> None:
    """In every form that a notebook could show."""
    with cx.Client(KEY, "team_1") as client:
        shown = f"{client!r}{client}{vars(client)}{client.key}{client.webhooks!r}{client.webhooks.preview.list()!r}"
    assert "sk_test_••••" in repr(client)
    assert HIDDEN not in shown


def test_the_signing_secret_is_not_shown_by_what_create_returns(client: cx.Client) -> None:
    """It is there to be revealed, and in no display."""
    created = CREATE(client)
    value = created.secret.reveal().removeprefix("whsec_")
    shown = f"{created!r}{created}{created._repr_html_()}{created.to_frame().to_string()}{created.to_frame().to_html()}"
    assert value not in shown
