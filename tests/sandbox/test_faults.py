"""Faults to order: each does what its name says, as often as it was ordered, and then ends by itself."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.api import retries
from cstar_explore.sandbox.sandbox import Faults

API = ["rate_limit", "fail", "slow", "html", "cut_off", "lose_response"]
DELIVERIES = [
    "duplicate",
    "reorder",
    "delay",
    "wrong_signature",
    "stale",
    "legacy_signature",
    "reencode",
    "oversize",
]
OPTIONS: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 0.01},
    "oversize": {"size": 5000},
    "rate_limit": {"retry_after": 0},
}
HOOK = {"name": "Mine", "url": "https://example.com/hook", "events": "ticket.created"}


def ask(sandbox: cx.Sandbox, method: str = "GET", path: str = "", **options: Any) -> httpx.Response:
    """Asks with plain httpx."""
    url = f"{sandbox.base_url}/api/v1/teams/{sandbox.team_id}/webhooks{path}"
    headers = {"Authorization": f"Bearer {sandbox.key.reveal()}"}
    with httpx.Client(trust_env=False) as http:
        return http.request(method, url, headers=headers, **options)


def order(sandbox: cx.Sandbox, name: str, **options: Any) -> None:
    getattr(sandbox.faults, name)(**OPTIONS.get(name, {}) | options)


def names(client: cx.Client) -> list[str | None]:
    return [webhook.name for webhook in client.webhooks.list()]


class Receiver:
    """A webhook that points to a listener, and what arrived of it since the test began."""

    def __init__(self, sandbox: cx.Sandbox, client: cx.Client, listener: cx.Listener) -> None:
        self.sandbox = sandbox
        self.client = client
        self.listener = listener
        self.before = len(listener.requests())
        self.webhook = client.webhooks.create(name="Mine", url=listener.url, events="*")
        assert self.webhook.secret is not None
        self.secret = self.webhook.secret.reveal()
        listener.trust(self.secret)

    def fire(self, event: str = "ticket.created") -> cx.FiredEvent:
        return self.client.webhooks.trigger_test(event)

    @property
    def requests(self) -> list[Any]:
        return list(self.listener.requests())[self.before :]

    @property
    def told(self) -> list[tuple[str | None, str | None, int | None]]:
        return [(one.event, one.cause, one.answered) for one in self.requests]

    @property
    def rows(self) -> Any:
        rows = self.sandbox.deliveries()
        return rows[rows["webhook_id"] == self.webhook.id].reset_index(drop=True)

    def signature(self, body: bytes, stamp: int) -> str:
        """Worked out here, with nothing but the standard library."""
        return hmac.new(self.secret.encode(), str(stamp).encode() + b"." + body, hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def _shared() -> Iterator[tuple[cx.Sandbox, cx.Client, cx.Listener]]:
    with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
        yield sandbox, client, listener


@pytest.fixture
def shared(_shared: tuple[cx.Sandbox, cx.Client, cx.Listener]) -> tuple[cx.Sandbox, cx.Client]:
    """A sandbox for the tests that do not depend on what went before."""
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


# What waits


def test_at_first_no_fault_waits(sandbox: cx.Sandbox) -> None:
    """And the repr says so."""
    assert "Faults(none)" == repr(sandbox.faults)
    assert isinstance(sandbox.faults, Faults)


@pytest.mark.parametrize("name", [*API, *DELIVERIES])
def test_a_fault_that_waits_is_told_and_can_be_cleared(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """One readable line each."""
    sandbox, _ = shared
    order(sandbox, name, times=3)
    assert (True, True, 1) == (
        name in repr(sandbox.faults),
        "3" in repr(sandbox.faults),
        len(repr(sandbox.faults).splitlines()),
    )
    sandbox.faults.clear()
    assert "Faults(none)" == repr(sandbox.faults)


def test_a_cleared_fault_does_not_happen(receiver: Receiver) -> None:
    """Neither to the API nor to deliveries."""
    for name in [*API, *DELIVERIES]:
        order(receiver.sandbox, name)
    receiver.sandbox.faults.clear()

    assert 200 == ask(receiver.sandbox).status_code
    receiver.fire()
    assert [("ticket.created", "ok", 200)] == receiver.told


# Faults of the API


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize("times", [1, 2])
def test_a_fault_of_the_api_ends_by_itself(shared: tuple[cx.Sandbox, cx.Client], name: str, times: int) -> None:
    """After as many calls as were ordered, all is well."""
    sandbox, _ = shared
    order(sandbox, name, times=times)
    outcomes = []
    for _ in range(times + 1):
        try:
            outcomes.append(ask(sandbox).status_code)
        except httpx.HTTPError:
            outcomes.append(0)

    assert 200 == outcomes[-1]
    assert [200] * times == outcomes[:-1] if name == "slow" else 200 not in outcomes[:-1]
    assert "Faults(none)" == repr(sandbox.faults)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_fail_answers_with_a_whole_error(shared: tuple[cx.Sandbox, cx.Client], code: int) -> None:
    """In cStar's own envelope."""
    sandbox, _ = shared
    sandbox.faults.fail(code)
    answer = ask(sandbox)
    body = answer.json()
    assert (code, False, "api_error") == (answer.status_code, body["success"], body["error"]["type"])
    assert body["error"]["message"]


@pytest.mark.parametrize("wait", [0, 1, 30])
def test_rate_limit_says_how_long_to_wait(shared: tuple[cx.Sandbox, cx.Client], wait: int) -> None:
    """In Retry-After."""
    sandbox, _ = shared
    sandbox.faults.rate_limit(retry_after=wait)
    answer = ask(sandbox)
    assert (429, str(wait)) == (answer.status_code, answer.headers["retry-after"])
    assert "rate_limit_error" == answer.json()["error"]["type"]


def test_rate_limit_may_be_silent_about_it(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """Then there is no Retry-After."""
    sandbox, _ = shared
    sandbox.faults.rate_limit(retry_after=None)
    answer = ask(sandbox)
    assert (429, False) == (answer.status_code, "retry-after" in answer.headers)


def test_html_is_a_page_in_place_of_json(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """Such as a proxy shows."""
    sandbox, _ = shared
    sandbox.faults.html()
    answer = ask(sandbox)
    assert (False, True) == (answer.is_success, answer.headers["content-type"].startswith("text/html"))
    assert "<html" in answer.text or "<!doctype html" in answer.text


def test_slow_answers_late_but_well(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """A client with less patience gives up on it."""
    sandbox, _ = shared
    sandbox.faults.slow(0.15, times=2)
    with pytest.raises(httpx.ReadTimeout):
        ask(sandbox, timeout=0.05)
    assert 200 == ask(sandbox).status_code


@pytest.mark.parametrize("name", ["cut_off", "lose_response"])
def test_the_connection_ends_before_the_answer_does(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """It is cut, not answered with an error."""
    sandbox, _ = shared
    order(sandbox, name)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(sandbox)


@pytest.mark.parametrize("name", ["cut_off", "lose_response"])
def test_a_lost_answer_is_to_a_change_that_was_made(sandbox: cx.Sandbox, name: str) -> None:
    """That is what makes it hard."""
    order(sandbox, name)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        ask(sandbox, "POST", json=HOOK)
    listed = ask(sandbox).json()["data"]
    assert [HOOK["name"]] == [webhook["name"] for webhook in listed][4:]


@pytest.mark.parametrize("name", ["fail", "rate_limit", "html"])
def test_a_refusal_is_made_before_any_change(shared: tuple[cx.Sandbox, cx.Client], name: str) -> None:
    """Nothing was created."""
    sandbox, _ = shared
    before = ask(sandbox).json()["data"]
    order(sandbox, name)
    assert not ask(sandbox, "POST", json=HOOK).is_success
    assert before == ask(sandbox).json()["data"]


@pytest.mark.parametrize("name", API)
@pytest.mark.parametrize(
    "act",
    [
        pytest.param(lambda webhooks: webhooks.list(), id="list"),
        pytest.param(lambda webhooks: webhooks.get(webhooks.list()[0].id), id="get"),
        pytest.param(lambda webhooks: webhooks.create(**HOOK), id="create"),
        pytest.param(lambda webhooks: webhooks.update(webhooks.list()[0].id, name="New"), id="update"),
        pytest.param(lambda webhooks: webhooks.delete(webhooks.list()[0].id), id="delete"),
    ],
)
def test_the_client_lives_through_one_fault_of_any_kind(
    shared: tuple[cx.Sandbox, cx.Client], name: str, act: Callable[[Any], object]
) -> None:
    """And what was asked for happens once."""
    sandbox, client = shared
    client.webhooks.create(name="A first", url="https://example.com/first", events="*")
    expected = len(client.webhooks.list())
    probe = {"create": 1, "delete": -1}
    wanted = next((change for key, change in probe.items() if key in act.__code__.co_names), 0)
    order(sandbox, name)
    act(client.webhooks)

    assert expected + wanted == len(client.webhooks.list())
    assert "Faults(none)" == repr(sandbox.faults)


@pytest.mark.parametrize("code", [500, 502, 503, 504])
def test_the_client_repeats_a_read_that_failed_at_the_server(shared: tuple[cx.Sandbox, cx.Client], code: int) -> None:
    """Whatever the budget of calls says: it is not what the call failed for."""
    sandbox, client = shared
    sandbox.faults.fail(code)
    assert len(client.webhooks.list()) > 0


@pytest.mark.parametrize("name", ["cut_off", "lose_response"])
def test_a_create_whose_answer_stays_lost_finds_what_it_made(sandbox: cx.Sandbox, client: cx.Client, name: str) -> None:
    """It was made once, and is offered."""
    order(sandbox, name, times=retries.ATTEMPTS)
    with pytest.raises(errors.OutcomeUnknownError) as caught:
        client.webhooks.create(**HOOK)
    assert ["Mine"] == [webhook.name for webhook in caught.value.candidates]
    assert ["Mine"] == names(client)[4:]


def test_a_create_that_keeps_failing_is_an_error_and_makes_nothing(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The server said so itself."""
    sandbox.faults.fail(500, times=retries.ATTEMPTS)
    with pytest.raises(errors.ServerError):
        client.webhooks.create(**HOOK)
    assert 4 == len(names(client))


def test_a_fired_event_whose_answer_is_lost_is_fired_once(receiver: Receiver) -> None:
    """A trigger-test is never repeated once it may have arrived."""
    receiver.sandbox.faults.lose_response()
    with pytest.raises(errors.CStarError) as caught:
        receiver.fire()
    assert caught.value.may_have_acted
    assert [("ticket.created", "ok", 200)] == receiver.told


def test_the_client_announces_the_wait_it_was_told(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """And it can be cancelled."""
    sandbox, _ = shared
    waits: list[retries.Wait] = []

    def announced(wait: retries.Wait) -> None:
        waits.append(wait)
        wait.cancel()

    sandbox.faults.rate_limit(retry_after=7)
    with sandbox.client(on_wait=announced) as client, pytest.raises(errors.WaitCancelledError):
        client.webhooks.list()
    assert [7] == [int(wait.seconds) for wait in waits]


def test_faults_of_the_api_do_not_touch_deliveries(receiver: Receiver) -> None:
    """And the other way around."""
    receiver.sandbox.faults.duplicate()
    assert 200 == ask(receiver.sandbox).status_code
    assert "duplicate" in repr(receiver.sandbox.faults)
    receiver.fire()
    assert 2 == len(receiver.told)

    receiver.sandbox.faults.fail()
    assert 500 == ask(receiver.sandbox).status_code
    receiver.fire()
    assert 3 == len(receiver.told)


def test_different_faults_wait_for_their_turn(shared: tuple[cx.Sandbox, cx.Client]) -> None:
    """In the order in which they were ordered."""
    sandbox, _ = shared
    sandbox.faults.fail(503)
    sandbox.faults.rate_limit(retry_after=1)
    sandbox.faults.fail(500)
    assert [503, 429, 500, 200] == [ask(sandbox).status_code for _ in range(4)]


# Faults of deliveries


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_fault_of_a_delivery_ends_by_itself_and_the_event_arrives_well(receiver: Receiver, name: str) -> None:
    """What went wrong once is repaired by the next attempt."""
    order(receiver.sandbox, name)
    receiver.fire()
    assert "Faults(none)" == repr(receiver.sandbox.faults)
    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(hours=1)

    assert {("ticket.created", "ok", 200), ("ticket.closed", "ok", 200)} <= set(receiver.told)
    assert {"delivered"} == set(receiver.rows["state"])
    closed = receiver.rows[receiver.rows["event"] == "ticket.closed"]
    assert (1, True) == (len(closed), closed["fault"].isna().all())


@pytest.mark.parametrize("name", DELIVERIES)
def test_the_frame_names_the_fault(receiver: Receiver, name: str) -> None:
    """So that nobody looks for it elsewhere."""
    order(receiver.sandbox, name)
    receiver.fire()
    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(hours=1)
    created = receiver.rows[receiver.rows["event"] == "ticket.created"]
    assert {name} == set(created["fault"].dropna())


@pytest.mark.parametrize("name", DELIVERIES)
def test_a_fault_is_not_spent_on_what_is_withheld(receiver: Receiver, name: str) -> None:
    """A webhook on a host elsewhere is never posted to, so there is nothing to spoil."""
    elsewhere = receiver.client.webhooks.create(name="Elsewhere", url="https://a.example/", events="*")
    receiver.client.webhooks.delete(receiver.webhook.id)  # made again, it comes last on the list
    receiver = Receiver(receiver.sandbox, receiver.client, receiver.listener)
    order(receiver.sandbox, name, **({"size": 2**21} if name == "oversize" else {}))
    receiver.fire()
    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(hours=1)

    rows = receiver.sandbox.deliveries()
    withheld = rows[rows["webhook_id"] == elsewhere.id]
    assert ["withheld"] * 2 == list(withheld["state"])
    assert withheld["fault"].isna().all()
    assert [
        ("ticket.created", 1, True, 200),
        ("ticket.closed", 1, True, 200),
    ] != list(receiver.rows[["event", "attempt", "success", "status"]].itertuples(index=False, name=None)) or [
        ("ticket.created", "ok", 200),
        ("ticket.closed", "ok", 200),
    ] != receiver.told


def test_duplicate_delivers_the_same_event_twice(receiver: Receiver) -> None:
    """The same bytes under the same id, both signed well; the listener marks the second."""
    receiver.sandbox.faults.duplicate()
    fired = receiver.fire()

    first, second = receiver.requests
    assert first.body == second.body
    assert (fired.event_id, fired.event_id) == (first.event_id, second.event_id)
    assert (None, first.id) == (first.duplicate_of, second.duplicate_of)
    assert [("ticket.created", "ok", 200)] * 2 == receiver.told


def test_reorder_delivers_the_next_event_first(receiver: Receiver) -> None:
    """The one that was overtaken arrives as soon as the clock moves on."""
    receiver.sandbox.faults.reorder()
    fired = receiver.fire("ticket.created")
    assert [] == receiver.told
    assert [False] == [one.success for one in fired.deliveries if one.url == receiver.listener.url]

    receiver.fire("ticket.closed")
    receiver.sandbox.clock.advance(seconds=1)
    assert [("ticket.closed", "ok", 200), ("ticket.created", "ok", 200)] == receiver.told


@pytest.mark.parametrize("seconds", [5, 60, 3600])
def test_delay_holds_an_event_back(receiver: Receiver, seconds: int) -> None:
    """Until its time has come, and signed for that time; a call's own second may count or not."""
    receiver.sandbox.faults.delay(seconds)
    receiver.fire()
    receiver.sandbox.clock.advance(seconds=seconds - 2)
    assert [] == receiver.told
    assert {"pending"} == set(receiver.rows["state"])

    receiver.sandbox.clock.advance(seconds=2)
    assert [("ticket.created", "ok", 200)] == receiver.told
    request = receiver.requests[0]
    created_at = datetime.fromisoformat(json.loads(request.body)["created_at"])
    assert seconds <= (request.received_at - created_at).total_seconds() <= seconds + 1


def test_wrong_signature_is_of_another_secret(receiver: Receiver) -> None:
    """The listener refuses it, and explains it."""
    receiver.sandbox.faults.wrong_signature()
    receiver.fire()
    assert [("ticket.created", "no_match", 401)] == receiver.told
    explanation = receiver.listener.explain(receiver.requests[0].id)
    assert (False, "wrong_secret") == (explanation.ok, explanation.cause)


@pytest.mark.parametrize(("seconds", "cause"), [(600, "too_old"), (301, "too_old"), (200, "ok")])
def test_stale_is_signed_for_a_time_that_is_over(receiver: Receiver, seconds: int, cause: str) -> None:
    """With the right secret; whether it is too old is for the receiver to say."""
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
    """As a proxy does that parses and writes again: the signature is of what was there before."""
    receiver.sandbox.faults.reencode()
    receiver.fire()
    receiver.sandbox.clock.advance(seconds=30)
    broken, mended = receiver.requests
    assert (True, False) == (json.loads(broken.body) == json.loads(mended.body), broken.body == mended.body)
    assert ("no_match", "ok") == (broken.cause, mended.cause)
    assert "body_reencoded" == receiver.listener.explain(broken.id).cause


def test_oversize_is_as_large_as_ordered_and_signed_well(receiver: Receiver) -> None:
    """A receiver that takes it can verify it."""
    receiver.sandbox.faults.oversize(50_000)
    receiver.fire()
    request = receiver.requests[0]
    assert ("ok", 200) == (request.cause, request.answered)
    assert 50_000 <= len(request.body) < 60_000
    assert "ticket.created" == json.loads(request.body)["type"]


def test_oversize_is_by_itself_too_large_for_the_listener(receiver: Receiver) -> None:
    """It is refused with 413, and the next attempt is of the usual size."""
    receiver.sandbox.faults.oversize()
    receiver.fire()
    assert ([], [413]) == (receiver.told, list(receiver.rows["status"]))
    receiver.sandbox.clock.advance(seconds=30)
    assert [("ticket.created", "ok", 200)] == receiver.told


@pytest.mark.parametrize("name", ["wrong_signature", "stale", "legacy_signature", "reencode"])
def test_a_fault_ordered_seven_times_fails_a_delivery_for_good(receiver: Receiver, name: str) -> None:
    """Each attempt takes one."""
    order(receiver.sandbox, name, times=7)
    receiver.fire()
    receiver.sandbox.clock.advance(hours=31, minutes=13)
    assert ({"failed"}, 7) == (set(receiver.rows["state"]), len(receiver.told))
    assert [name] * 7 == list(receiver.rows["fault"])
    assert "Faults(none)" == repr(receiver.sandbox.faults)


def test_two_receivers_share_what_was_ordered(receiver: Receiver) -> None:
    """One fault touches one delivery."""
    other = receiver.client.webhooks.create(name="Other", url=receiver.listener.url, events="*")
    assert other.secret is not None
    receiver.listener.trust(other.secret)
    receiver.sandbox.faults.wrong_signature()
    receiver.fire()
    assert ["no_match", "ok"] == sorted(cause or "" for _, cause, _ in receiver.told)
