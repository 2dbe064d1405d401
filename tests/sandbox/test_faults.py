"""Faults: what each does, and that it is applied as often as it was queued."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import retries
from cstar_explore.sandbox.faults import Faults
from tests.support.sampling import NIGHTLY
from tests.support.scripted_server import ScriptedServer, closed_port, reply

API = ["rate_limit", "fail", "slow", "html", "cut_off", "lose_answer"]
DELIVERIES = [
    "duplicate",
    "reorder",
    "delay",
    "wrong_signature",
    "no_signature",
    "malformed_signature",
    "stale",
    "legacy_signature",
    "reencode",
    "unusual_bytes",
    "unknown_type",
    "oversize",
]
EXPECTED = {
    "duplicate": "accepted",
    "reorder": "accepted",
    "delay": "accepted",
    "wrong_signature": "rejected",
    "no_signature": "rejected",
    "malformed_signature": "rejected",
    "stale": "rejected",
    "legacy_signature": "rejected",
    "reencode": "rejected",
    "unusual_bytes": "accepted",
    "unknown_type": "accepted",
    "oversize": "accepted or rejected",
}
OPTIONS: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 0.01},
    "oversize": {"size": 5000},
    "rate_limit": {"retry_after": 0},
}
HOOK = {"name": "Mine", "url": "https://example.com/hook", "events": "ticket.created"}
HTTP = httpx.Client(trust_env=False)


def call(sandbox: cx.Sandbox, method: str = "GET", path: str = "", **options: Any) -> httpx.Response:
    """Sends a request with plain httpx, on a new connection."""
    url = f"{sandbox.base_url}/api/v1/teams/{sandbox.team_id}/webhooks{path}"
    headers = {"Authorization": f"Bearer {sandbox.key.reveal()}", "Connection": "close"}
    return HTTP.request(method, url, headers=headers, **options)


def queue(sandbox: cx.Sandbox, name: str, **options: Any) -> None:
    getattr(sandbox.faults, name)(**OPTIONS.get(name, {}) | options)


def names(client: cx.Client) -> list[str | None]:
    return [webhook.name for webhook in client.webhooks.list()]


class Receiver:
    """A listener with a webhook, and the requests that arrived since the test began."""

    def __init__(self, sandbox: cx.Sandbox, client: cx.Client, listener: cx.Listener) -> None:
        self.sandbox = sandbox
        self.client = client
        self.listener = listener
        self.earlier = len(listener.requests())
        self.webhook = client.webhooks.create(name="Mine", url=listener.url, events="*")
        assert self.webhook.secret is not None
        self.secret = self.webhook.secret.reveal()
        listener.trust(self.secret)

    def fire(self, event: str = "ticket.created") -> cx.FiredEvent:
        return self.client.webhooks.trigger_test(event)

    @property
    def requests(self) -> list[Any]:
        return list(self.listener.requests())[self.earlier :]

    @property
    def responses(self) -> list[tuple[str | None, str | None, int | None]]:
        """Event, cause and status of each request."""
        return [(request.event, request.cause, request.answered) for request in self.requests]

    @property
    def rows(self) -> Any:
        rows = self.sandbox.deliveries()
        return rows[rows["webhook_id"] == self.webhook.id].reset_index(drop=True)

    def signature(self, body: bytes, stamp: int) -> str:
        """Computed here with the standard library only."""
        return hmac.new(self.secret.encode(), str(stamp).encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def _shared() -> Iterator[tuple[cx.Sandbox, cx.Client, cx.Listener]]:
    with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
        yield sandbox, client, listener


@pytest.fixture
def shared(_shared: tuple[cx.Sandbox, cx.Client, cx.Listener]) -> tuple[cx.Sandbox, cx.Client]:
    """A sandbox for the tests that do not depend on earlier data."""
    sandbox, client, _ = _shared
    sandbox.faults.clear()
    return sandbox, client


@pytest.fixture
def receiver(
    shared: tuple[cx.Sandbox, cx.Client], _shared: tuple[cx.Sandbox, cx.Client, cx.Listener]
) -> Iterator[Receiver]:
    receiver = Receiver(*_shared)
    yield receiver
    receiver.sandbox.faults.clear()
    for webhook in receiver.client.webhooks.list():
        receiver.client.webhooks.delete(webhook.id)


# The queue


def test_no_fault_is_queued_at_first(sandbox: cx.Sandbox) -> None:
    """The repr shows it."""
    assert "Faults(none)" == repr(sandbox.faults)
    assert isinstance(sandbox.faults, Faults)


@pytest.mark.parametrize("name", [*API, *DELIVERIES])
def test_a_queued_fault_is_shown_and_can_be_cleared(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """In one line, with name and number."""
    sandbox, _ = shared
    queue(sandbox, name, times=3)
    assert (True, True, 1) == (
        name in repr(sandbox.faults),
        "3" in repr(sandbox.faults),
        len(repr(sandbox.faults).splitlines()),
    )
    sandbox.faults.clear()
    assert "Faults(none)" == repr(sandbox.faults)


def test_a_cleared_fault_does_not_happen(receiver: Receiver) -> None:
    """Neither to API calls nor to deliveries."""
    for name in [*API, *DELIVERIES]:
        queue(receiver.sandbox, name)
    receiver.sandbox.faults.clear()

    assert 200 == call(receiver.sandbox).status_code
    receiver.fire()
    assert [("ticket.created", "ok", 200)] == receiver.responses


# API faults


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize("times", [1, 2])
def test_an_api_fault_is_applied_as_often_as_queued(
    shared: tuple[cx.Sandbox, cx.Client], name: str, times: int
) -> None:
    """The call after that succeeds."""
    sandbox, _ = shared
    queue(sandbox, name, times=times)
    outcomes = []
    for _ in range(times + 1):
        try:
            outcomes.append(call(sandbox).status_code)
        except httpx.HTTPError:
            outcomes.append(0)

    assert 200 == outcomes[-1]
    assert [200] * times == outcomes[:-1] if name == "slow" else 200 not in outcomes[:-1]
    assert "Faults(none)" == repr(sandbox.faults)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_fail_returns_a_complete_error(shared: tuple[cx.Sandbox, cx.Client], code: int) -> None:
    """In cStar's envelope."""
    sandbox, _ = shared
    sandbox.faults.fail(code)
    response = call(sandbox)
    body = response.json()
    assert (code, False, "api_error") == (response.status_code, body["success"], body["error"]["type"])
    assert body["error"]["message"]


@pytest.mark.parametrize("wait", [0, 1, 30])
def test_rate_limit_sends_retry_after(shared: tuple[cx.Sandbox, cx.Client], wait: int) -> None:
    """With the given number of seconds."""
    sandbox, _ = shared
    sandbox.faults.rate_limit(retry_after=wait)
    response = call(sandbox)
    assert (429, str(wait)) == (response.status_code, response.headers["retry-after"])
    assert "rate_limit_error" == response.json()["error"]["type"]


def test_rate_limit_can_omit_retry_after(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """With `retry_after=None`."""
    sandbox, _ = shared
    sandbox.faults.rate_limit(retry_after=None)
    response = call(sandbox)
    assert (429, False) == (response.status_code, "retry-after" in response.headers)


def test_html_returns_a_page_instead_of_json(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """As a proxy does."""
    sandbox, _ = shared
    sandbox.faults.html()
    response = call(sandbox)
    assert (False, True) == (response.is_success, response.headers["content-type"].startswith("text/html"))
    assert "<html" in response.text or "<!doctype html" in response.text


def test_slow_delays_a_successful_response(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """A client with a shorter timeout does not get it."""
    sandbox, _ = shared
    sandbox.faults.slow(0.15, times=2)
    with pytest.raises(httpx.ReadTimeout):
        call(sandbox, timeout=0.05)
    assert 200 == call(sandbox).status_code


@pytest.mark.parametrize("name", ["cut_off", "lose_answer"])
def test_cut_off_and_lose_answer_close_the_connection(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """Without an error response."""
    sandbox, _ = shared
    queue(sandbox, name)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        call(sandbox)


@pytest.mark.parametrize("name", ["cut_off", "lose_answer"])
def test_a_call_with_a_lost_response_takes_effect(sandbox: cx.Sandbox, name: str) -> None:
    """The webhook is created."""
    queue(sandbox, name)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        call(sandbox, "POST", json=HOOK)
    listed = call(sandbox).json()["data"]
    assert [HOOK["name"]] == [webhook["name"] for webhook in listed][4:]


@pytest.mark.parametrize("name", ["fail", "rate_limit", "html"])
def test_a_refused_call_has_no_effect(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """Nothing is created."""
    sandbox, _ = shared
    before = call(sandbox).json()["data"]
    queue(sandbox, name)
    assert not call(sandbox, "POST", json=HOOK).is_success
    assert before == call(sandbox).json()["data"]


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize(
    "action",
    [
        pytest.param(lambda webhooks: webhooks.list(), id="list"),
        pytest.param(lambda webhooks: webhooks.get(webhooks.list()[0].id), id="get"),
        pytest.param(lambda webhooks: webhooks.create(**HOOK), id="create"),
        pytest.param(lambda webhooks: webhooks.update(webhooks.list()[0].id, name="New"), id="update"),
        pytest.param(lambda webhooks: webhooks.delete(webhooks.list()[0].id), id="delete"),
    ],
)
def test_the_client_recovers_from_one_fault_of_any_kind(
    shared: tuple[cx.Sandbox, cx.Client], name: str, action: Callable[[Any], object]
) -> None:
    """And the call takes effect once."""
    sandbox, client = shared
    client.webhooks.create(name="A first", url="https://example.com/first", events="*")
    before = len(client.webhooks.list())
    changes = {"create": 1, "delete": -1}
    change = next((change for method, change in changes.items() if method in action.__code__.co_names), 0)
    queue(sandbox, name)
    action(client.webhooks)

    assert before + change == len(client.webhooks.list())
    assert "Faults(none)" == repr(sandbox.faults)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_the_client_retries_a_read_after_a_server_error(shared: tuple[cx.Sandbox, cx.Client], code: int) -> None:
    """Rate limit headers in the response do not prevent it."""
    sandbox, client = shared
    sandbox.faults.fail(code)
    assert len(client.webhooks.list()) > 0


@pytest.mark.parametrize("name", ["cut_off", "lose_answer"])
def test_a_create_whose_every_response_is_lost_reports_the_candidate(
    sandbox: cx.Sandbox, client: cx.Client, name: str
) -> None:
    """The webhook is created once and is among the candidates."""
    queue(sandbox, name, times=retries.ATTEMPTS)
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        client.webhooks.create(**HOOK)
    assert ["Mine"] == [webhook.name for webhook in caught.value.candidates]
    assert ["Mine"] == names(client)[4:]


def test_a_create_that_keeps_failing_raises_and_creates_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The server reported the failure of every attempt."""
    sandbox.faults.fail(500, times=retries.ATTEMPTS)
    with pytest.raises(errors.ServerError):
        client.webhooks.create(**HOOK)
    assert 4 == len(names(client))


def test_a_trigger_test_whose_response_is_lost_is_not_retried(receiver: Receiver) -> None:
    """It may have reached the server, and has here."""
    receiver.sandbox.faults.lose_answer()
    with pytest.raises(errors.CStarError) as caught:
        receiver.fire()
    assert caught.value.may_have_acted
    assert [("ticket.created", "ok", 200)] == receiver.responses


def test_on_wait_gets_the_wait_of_retry_after(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """And can cancel it."""
    sandbox, _ = shared
    waits: list[retries.Wait] = []

    def on_wait(wait: retries.Wait) -> None:
        waits.append(wait)
        wait.cancel()

    sandbox.faults.rate_limit(retry_after=7)
    with sandbox.client(on_wait=on_wait) as client, pytest.raises(errors.WaitCancelledError):
        client.webhooks.list()
    assert [7] == [int(wait.seconds) for wait in waits]


def test_api_faults_do_not_affect_deliveries(receiver: Receiver) -> None:
    """And vice versa."""
    receiver.sandbox.faults.duplicate()
    assert 200 == call(receiver.sandbox).status_code
    assert "duplicate" in repr(receiver.sandbox.faults)
    receiver.fire()
    assert 2 == len(receiver.responses)

    receiver.sandbox.faults.fail()
    assert 500 == call(receiver.sandbox).status_code
    receiver.fire()
    assert 3 == len(receiver.responses)


def test_faults_are_applied_in_the_order_queued(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """One per call."""
    sandbox, _ = shared
    sandbox.faults.fail(503)
    sandbox.faults.rate_limit(retry_after=1)
    sandbox.faults.fail(500)
    assert [503, 429, 500, 200] == [call(sandbox).status_code for _ in range(4)]


# Delivery faults


@dataclass(frozen=True)
class Outcome:
    """What became of two events, ticket.created with a fault and then ticket.closed, and what was queued between them."""

    queued: str
    responses: list[tuple[str | None, str | None, int | None]]
    rows: Any


@pytest.fixture(scope="module")
def outcomes(_shared: tuple[cx.Sandbox, cx.Client, cx.Listener]) -> dict[str, Outcome]:
    """The outcome of each delivery fault. The receiver is the listener, which is a correct one."""
    sandbox, client, _ = _shared
    found = {}
    for name in DELIVERIES:
        receiver = Receiver(*_shared)
        sandbox.faults.clear()
        queue(sandbox, name)
        receiver.fire()
        queued = repr(sandbox.faults)
        receiver.fire("ticket.closed")
        sandbox.clock.advance(hours=1)
        found[name] = Outcome(queued, receiver.responses, receiver.rows)
        client.webhooks.delete(receiver.webhook.id)
    return found


@pytest.mark.parametrize("name", DELIVERIES)
def test_after_a_delivery_fault_the_event_arrives(outcomes: dict[str, Outcome], name: str) -> None:
    """The next attempt delivers it, and the next event has no fault."""
    outcome = outcomes[name]
    assert "Faults(none)" == outcome.queued
    created = "ticket.added_tomorrow" if name == "unknown_type" else "ticket.created"
    assert {(created, "ok", 200), ("ticket.closed", "ok", 200)} <= set(outcome.responses)
    assert {"delivered"} == set(outcome.rows["state"])
    closed = outcome.rows[outcome.rows["event"] == "ticket.closed"]
    assert (1, True) == (len(closed), closed["fault"].isna().all())


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_correct_receiver_does_what_a_fault_expects(outcomes: dict[str, Outcome], name: str) -> None:
    """Every delivery fault has an expectation."""
    rows = outcomes[name].rows
    faulty = rows[rows["fault"] == name]
    assert EXPECTED[name] == faulty["expected"].iloc[0]
    assert rows["as_expected"].all()
    assert {"accepted"} == set(rows[rows["fault"].isna()]["expected"])


STATUSES = (204, 302, 400, 422, 500)
OTHER_RESPONSES = [
    pytest.param(name, status, id=f"{status}-{name}")
    for number, name in enumerate(DELIVERIES)
    for status in (
        STATUSES if NIGHTLY or name == "oversize" else [STATUSES[2 * number % 5], STATUSES[(2 * number + 1) % 5]]
    )
]
"""Each fault with two statuses and each expectation with all; at night all of them with each other."""


@pytest.mark.parametrize(("name", "status"), OTHER_RESPONSES)
def test_another_response_is_not_as_expected(receiver: Receiver, name: str, status: int) -> None:
    """A forgery that is accepted is a failure, and a 5xx or a redirect is neither accepted nor rejected."""
    with ScriptedServer(*[reply(status)] * 9) as server:
        receiver.client.webhooks.update(receiver.webhook.id, url=server.url)
        queue(receiver.sandbox, name)
        receiver.fire()
        receiver.sandbox.clock.advance(seconds=61)
    right = (status == 204 and EXPECTED[name] != "rejected") or (status in {400, 422} and EXPECTED[name] != "accepted")
    rows = receiver.rows
    assert right == rows[rows["fault"] == name]["as_expected"].iloc[0]


@pytest.mark.parametrize("name", DELIVERIES)
def test_no_response_is_never_as_expected(receiver: Receiver, name: str) -> None:
    """An unreachable receiver rejects nothing."""
    receiver.client.webhooks.update(receiver.webhook.id, url=f"http://127.0.0.1:{closed_port()}/")
    queue(receiver.sandbox, name)
    receiver.fire()
    receiver.sandbox.clock.advance(seconds=61)
    assert not receiver.rows["as_expected"].any()


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_frame_names_the_fault(outcomes: dict[str, Outcome], name: str) -> None:
    """In the rows of the event that it affected."""
    rows = outcomes[name].rows
    created = rows[rows["event"] == "ticket.created"]
    assert {name} == set(created["fault"].dropna())


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_withheld_delivery_takes_no_fault(receiver: Receiver, name: str) -> None:
    """Nothing is posted, so there is no attempt to apply it to."""
    elsewhere = receiver.client.webhooks.create(name="Elsewhere", url="https://a.example/", events="*")
    receiver.client.webhooks.delete(receiver.webhook.id)  # recreated, it is last in the list
    receiver = Receiver(receiver.sandbox, receiver.client, receiver.listener)
    queue(receiver.sandbox, name, **({"size": 2**21} if name == "oversize" else {}))
    receiver.fire()
    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(hours=1)

    rows = receiver.sandbox.deliveries()
    withheld = rows[rows["webhook_id"] == elsewhere.id]
    assert ["withheld"] * 2 == list(withheld["state"])
    assert withheld["fault"].isna().all()
    assert {name} == set(receiver.rows["fault"].dropna())


def test_duplicate_delivers_the_same_event_twice(receiver: Receiver) -> None:
    """Same bytes, same id, both with valid signatures. The listener marks the second."""
    receiver.sandbox.faults.duplicate()
    fired = receiver.fire()

    first, second = receiver.requests
    assert first.body == second.body
    assert (fired.event_id, fired.event_id) == (first.event_id, second.event_id)
    assert (None, first.id) == (first.duplicate_of, second.duplicate_of)
    assert [("ticket.created", "ok", 200)] * 2 == receiver.responses


def test_reorder_delivers_the_next_event_first(receiver: Receiver) -> None:
    """The postponed one arrives when the clock advances."""
    receiver.sandbox.faults.reorder()
    fired = receiver.fire("ticket.created")
    assert [] == receiver.responses
    assert [False] == [delivery.success for delivery in fired.deliveries if delivery.url == receiver.listener.url]

    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(seconds=1)
    assert [("ticket.closed", "ok", 200), ("ticket.created", "ok", 200)] == receiver.responses


@pytest.mark.parametrize("seconds", [5, 60, 3600])
def test_delay_holds_an_event_back(receiver: Receiver, seconds: int) -> None:
    """Until it is due, with a signature of that time. The second of the call itself may count or not."""
    receiver.sandbox.faults.delay(seconds)
    receiver.fire()
    receiver.sandbox.clock.advance(seconds=seconds - 2)
    assert [] == receiver.responses
    assert {"pending"} == set(receiver.rows["state"])

    receiver.sandbox.clock.advance(seconds=2)
    assert [("ticket.created", "ok", 200)] == receiver.responses
    request = receiver.requests[0]
    created_at = datetime.fromisoformat(json.loads(request.body)["created_at"])
    assert seconds <= (request.received_at - created_at).total_seconds() <= seconds + 1


def test_wrong_signature_signs_with_another_secret(receiver: Receiver) -> None:
    """The listener rejects and explains it."""
    receiver.sandbox.faults.wrong_signature()
    receiver.fire()
    assert [("ticket.created", "no_match", 401)] == receiver.responses
    explanation = receiver.listener.explain(receiver.requests[0].id)
    assert (False, "wrong_secret") == (explanation.ok, explanation.cause)


@pytest.mark.parametrize(
    ("seconds", "cause"), [(600, "too_old"), (301, "too_old"), (200, "ok"), (-200, "ok"), (-600, "in_the_future")]
)
def test_stale_signs_with_another_time(receiver: Receiver, seconds: int, cause: str) -> None:
    """With the right secret. The receiver's tolerance decides."""
    receiver.sandbox.faults.stale(seconds)
    receiver.fire()
    request = receiver.requests[0]
    stamp, digest = (part.split("=", 1)[1] for part in (request.header("x-signature") or "").split(","))
    assert receiver.signature(request.body, int(stamp)) == digest
    assert seconds == int(receiver.sandbox.clock.now.timestamp()) - int(stamp)
    assert (cause, cause) == (request.cause, receiver.listener.explain(receiver.requests[0].id).cause)


def test_legacy_signature_has_the_old_form(receiver: Receiver) -> None:
    """Over the body alone."""
    receiver.sandbox.faults.legacy_signature()
    receiver.fire()
    request = receiver.requests[0]
    expected = hmac.new(receiver.secret.encode(), request.body, hashlib.sha256).hexdigest()
    assert f"sha256={expected}" == request.header("x-signature")
    assert ("legacy_form", 401) == (request.cause, request.answered)
    assert "legacy_form" == receiver.listener.explain(receiver.requests[0].id).cause


def test_reencode_is_the_same_json_in_other_bytes(receiver: Receiver) -> None:
    """The signature is for the original bytes."""
    receiver.sandbox.faults.reencode()
    receiver.fire()
    receiver.sandbox.clock.advance(seconds=30)
    reencoded, retried = receiver.requests
    assert (True, False) == (json.loads(reencoded.body) == json.loads(retried.body), reencoded.body == retried.body)
    assert ("no_match", "ok") == (reencoded.cause, retried.cause)
    assert "body_reencoded" == receiver.listener.explain(reencoded.id).cause


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (600, "rejected"),
        (320, "rejected"),
        (300, "accepted or rejected"),
        (280, "accepted"),
        (0, "accepted"),
        (-280, "accepted"),
        (-600, "rejected"),
    ],
)
def test_the_age_decides_what_is_expected_of_a_stale_delivery(receiver: Receiver, seconds: int, expected: str) -> None:
    """At the limit, the duration of the delivery decides."""
    receiver.sandbox.faults.stale(seconds)
    receiver.fire()
    assert [(expected, True)] == list(receiver.rows[["expected", "as_expected"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), 1e12])
def test_an_age_without_a_date_is_rejected(sandbox: cx.Sandbox, seconds: float) -> None:
    """It could not be signed."""
    with pytest.raises(errors.ConfigurationError, match="seconds"):
        sandbox.faults.stale(seconds)


def test_no_signature_omits_the_header(receiver: Receiver) -> None:
    """All others are sent."""
    receiver.sandbox.faults.no_signature()
    receiver.fire()
    request = receiver.requests[0]
    assert (None, "ticket.created") == (request.header("x-signature"), request.header("x-event-type"))
    assert ("header_missing", 401) == (request.cause, request.answered)


def test_malformed_signature_is_text(receiver: Receiver) -> None:
    """Without `t=` and `v1=`."""
    receiver.sandbox.faults.malformed_signature()
    receiver.fire()
    request = receiver.requests[0]
    assert "=" not in (request.header("x-signature") or "=")
    assert ("header_malformed", 401) == (request.cause, request.answered)


def test_unknown_type_is_signed_and_not_published(receiver: Receiver) -> None:
    """Header and body agree."""
    receiver.sandbox.faults.unknown_type()
    receiver.fire()
    request = receiver.requests[0]
    assert request.event not in cx.events.NAMES
    assert (request.event, "ok") == (request.header("x-event-type"), request.cause)


@pytest.fixture(scope="module")
def unusual(_shared: tuple[cx.Sandbox, cx.Client, cx.Listener]) -> dict[str, tuple[str, Any]]:
    """The id and the request of an event of each type in unusual bytes."""
    return _fired_each(Receiver(*_shared), lambda sandbox: sandbox.faults.unusual_bytes())


@pytest.fixture(scope="module")
def ordinary(_shared: tuple[cx.Sandbox, cx.Client, cx.Listener]) -> dict[str, tuple[str, Any]]:
    """The id and the request of an event of each type without a fault."""
    return _fired_each(Receiver(*_shared), lambda sandbox: sandbox.faults.clear())


def _fired_each(receiver: Receiver, prepare: Callable[[cx.Sandbox], object]) -> dict[str, tuple[str, Any]]:
    receiver.sandbox.faults.clear()
    found = {}
    for event in cx.events.NAMES:
        prepare(receiver.sandbox)
        found[event] = (receiver.fire(event).event_id, receiver.listener.requests(newest=1)[0])
    receiver.client.webhooks.delete(receiver.webhook.id)
    assert len(receiver.requests) == len(found) == 35
    return found


@pytest.mark.parametrize("event", cx.events.NAMES)
def test_unusual_bytes_are_the_same_event_and_signed(unusual: dict[str, tuple[str, Any]], event: str) -> None:
    """Spaces, an escape, CRLF and a final newline, for each type."""
    event_id, request = unusual[event]
    body = request.body
    usual = cx.events.sample(event, id=event_id, created_at=json.loads(body)["created_at"])
    assert (json.loads(usual), "ok") == (json.loads(body), request.cause)
    assert [True] * 4 == [each in body for each in (b": ", b"\\u", b"\r\n  ", b"\\u005f")]
    assert (True, body.strip() + b"\r\n", body.isascii()) == (usual.strip() == usual, body, True)


REWRITING: dict[str, Callable[[bytes], bytes]] = {
    "json.dumps": lambda body: json.dumps(json.loads(body)).encode(),
    "compact": lambda body: json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode(),
    "compact with escapes": lambda body: json.dumps(json.loads(body), separators=(",", ":")).encode(),
    "sorted": lambda body: json.dumps(json.loads(body), separators=(",", ":"), sort_keys=True).encode(),
    "indented": lambda body: json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode(),
    "escaped slashes, as PHP": lambda body: body.replace(b"/", b"\\/"),
    "escaped <>&, as Go": lambda body: body.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c"),
    "1 for 1.0, as JavaScript": lambda body: body.replace(b".0,", b",").replace(b".0}", b"}"),
    "strip": bytes.strip,
    "rstrip of newlines": lambda body: body.rstrip(b"\r\n"),
    "lines joined": lambda body: b"\n".join(body.splitlines()),
    "latin-1": lambda body: body.decode("utf-8").encode("latin-1", "replace"),
    "ASCII": lambda body: body.decode("ascii", "ignore").encode(),
}


@pytest.mark.parametrize("name", REWRITING)
def test_an_event_or_unusual_bytes_expose_each_way_of_rewriting_a_body(
    ordinary: dict[str, tuple[str, Any]], unusual: dict[str, tuple[str, Any]], name: str
) -> None:
    """Some delivery with a valid signature does not survive it."""
    bodies = [request.body for _, request in (*ordinary.values(), unusual["ticket.created"])]
    assert 36 == len(bodies)
    assert [body for body in bodies if REWRITING[name](body) != body]


def test_oversize_pads_to_the_given_size_and_signs_correctly(receiver: Receiver) -> None:
    """A receiver that accepts the size can verify it."""
    receiver.sandbox.faults.oversize(50_000)
    receiver.fire()
    request = receiver.requests[0]
    assert ("ok", 200) == (request.cause, request.answered)
    assert 50_000 <= len(request.body) < 60_000
    assert "ticket.created" == json.loads(request.body)["type"]


def test_oversize_by_default_exceeds_the_listeners_limit(receiver: Receiver) -> None:
    """The listener answers with 413. The next attempt has the usual size."""
    receiver.sandbox.faults.oversize()
    receiver.fire()
    assert [413] == list(receiver.rows["status"])
    assert ("ticket.created", "ok", 200) not in receiver.responses
    receiver.sandbox.clock.advance(seconds=30)
    assert ("ticket.created", "ok", 200) == receiver.responses[-1]


@pytest.mark.parametrize("name", [name for name, expected in EXPECTED.items() if expected == "rejected"])
def test_a_fault_queued_seven_times_fails_the_delivery(receiver: Receiver, name: str) -> None:
    """Each attempt takes one fault."""
    queue(receiver.sandbox, name, times=7)
    receiver.fire()
    receiver.sandbox.clock.advance(hours=31, minutes=13)
    assert ({"failed"}, 7) == (set(receiver.rows["state"]), len(receiver.responses))
    assert [name] * 7 == list(receiver.rows["fault"])
    assert "Faults(none)" == repr(receiver.sandbox.faults)


def test_one_fault_affects_one_of_two_deliveries(receiver: Receiver) -> None:
    """The other one is correct."""
    other = receiver.client.webhooks.create(name="Other", url=receiver.listener.url, events="*")
    assert other.secret is not None
    receiver.listener.trust(other.secret)
    receiver.sandbox.faults.wrong_signature()
    receiver.fire()
    assert ["no_match", "ok"] == sorted(cause or "" for _, cause, _ in receiver.responses)
