"""`Sandbox(real_time=True)`: signed with this machine's time, retried when due, and brought forward by `advance`."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.serving import schedule
from tests.support.scripted_server import RecordedRequest, ScriptedServer, reply

ALL_RETRIES = {"hours": 31, "minutes": 13}


@pytest.fixture
def real(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    return opened(real_time=True)


@pytest.fixture
def client(real: cx.Sandbox) -> Iterator[cx.Client]:
    with real.client() as client:
        yield client


def hook(client: cx.Client, url: str) -> str:
    """Creates a webhook and returns its secret."""
    webhook = client.webhooks.create(name="Mine", url=url, events="*")
    assert webhook.secret is not None
    return webhook.secret.reveal()


def mine(sandbox: cx.Sandbox) -> pd.DataFrame:
    rows = sandbox.deliveries()
    return rows[rows["webhook"] == "Mine"].reset_index(drop=True)


def verified(request: RecordedRequest, secret: str) -> dict[str, Any]:
    """Verified as of now, as a receiver with a clock of its own does."""
    return cx.verify(request.body, request.headers["x-signature"], secret)


def signed_at(request: RecordedRequest) -> int:
    return int(request.headers["x-signature"].split(",")[0].removeprefix("t="))


def soon(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 8
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


def now() -> datetime:
    return datetime.now(UTC)


def test_the_clock_is_this_machines(real: cx.Sandbox, client: cx.Client) -> None:
    """Writes do not advance it, and responses have its time."""
    for number in range(5):
        client.webhooks.create(name=str(number), url="https://example.com/", events="*")
    before = now()
    assert before <= real.clock.now <= now()
    created_at = client.webhooks.list()[-1].created_at
    assert created_at is not None
    assert abs(now() - created_at) < timedelta(seconds=10)
    assert "RealTimeClock" in repr(real.clock)


def test_every_signature_has_the_current_time_and_never_a_later_one(real: cx.Sandbox, client: cx.Client) -> None:
    """However many events are fired."""
    arrived: list[float] = []

    def recording(connection: Any, received: RecordedRequest) -> bool:
        arrived.append(time.time())
        return reply()(connection, received)

    with ScriptedServer(*[recording] * 40) as server:
        secret = hook(client, server.url)
        for _ in range(40):
            client.webhooks.trigger_test("ticket.created")
        assert {"ticket.created"} == {verified(request, secret)["type"] for request in server.requests}
        ages = [at - signed_at(request) for at, request in zip(arrived, server.requests, strict=True)]
    assert 0 <= min(ages)
    assert max(ages) < 10


def test_advance_brings_every_retry_forward_and_signs_it_now(real: cx.Sandbox, client: cx.Client) -> None:
    """Seven attempts at once, in order, with fresh signatures, and the clock does not move."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        secret = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        reached = real.clock.advance(**ALL_RETRIES)

        assert abs(now() - reached) < timedelta(seconds=10)
        assert [str(number) for number in range(1, 8)] == [
            request.headers["x-delivery-attempt"] for request in server.requests
        ]
        assert 7 == len([verified(request, secret) for request in server.requests])
        assert all(signed_at(request) <= time.time() for request in server.requests)
    rows = mine(real)
    assert {"failed"} == set(rows["state"])
    assert (abs(rows["at"] - pd.Timestamp.now("UTC")) < pd.Timedelta(seconds=30)).all()


def test_advance_makes_only_the_retries_that_are_due_by_then(real: cx.Sandbox, client: cx.Client) -> None:
    """Several advances add up."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        counts = []
        for seconds in (20, 20, 130, 10, 620):
            real.clock.advance(seconds=seconds)
            counts.append(len(server.requests))
    assert [1, 2, 3, 3, 4] == counts


def test_the_next_attempt_is_reported_in_real_time(real: cx.Sandbox, client: cx.Client) -> None:
    """Also after an advance."""
    with ScriptedServer(*[reply(500)] * 3) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        real.clock.advance(seconds=31)
        wait = mine(real)["next_attempt_at"].iloc[-1] - pd.Timestamp.now("UTC")
        assert pd.Timedelta(seconds=100) < wait <= pd.Timedelta(seconds=120)
        real.clock.advance(seconds=100)
        wait = mine(real)["next_attempt_at"].iloc[-1] - pd.Timestamp.now("UTC")
        assert wait <= pd.Timedelta(seconds=20)


def test_a_retry_becomes_due_by_itself(real: cx.Sandbox, client: cx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be called."""
    monkeypatch.setattr(schedule, "RETRY_AFTER", (timedelta(seconds=0.3),))
    with ScriptedServer(reply(500), reply()) as server:
        secret = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        assert soon(lambda: set(mine(real)["state"]) == {"delivered"})
        assert ["1", "2"] == [request.headers["x-delivery-attempt"] for request in server.requests]
        assert verified(server.requests[1], secret)


def test_a_delayed_delivery_arrives_by_itself(real: cx.Sandbox, client: cx.Client) -> None:
    """After the seconds of the fault."""
    for webhook in client.webhooks.list():
        client.webhooks.update(webhook.id, is_active=False)
    with real.listener() as listener:
        listener.trust(hook(client, listener.url))
        real.faults.delay(seconds=0.4)
        client.webhooks.trigger_test("ticket.created")
        assert [] == listener.requests()
        assert "ok" == listener.wait_for("ticket.created").cause


def test_a_listener_uses_the_same_clock(real: cx.Sandbox, client: cx.Client) -> None:
    """A delivery signed by this machine's time verifies, and one from the simulated time does not."""
    with real.listener() as listener, ScriptedServer(reply()) as server:
        listener.trust(secret := hook(client, listener.url))
        client.webhooks.trigger_test("ticket.created")
        assert "ok" == listener.wait_for("ticket.created").cause
        real.faults.stale()
        client.webhooks.trigger_test("ticket.closed")
        assert "too_old" in {request.cause for request in listener.requests()}
    assert (secret.startswith("whsec_"), []) == (True, server.requests)


def test_a_file_goes_on_in_real_time(tmp_path: Path) -> None:
    """With a pending retry of a simulated sandbox, which is due at once, and brought-forward retries of a real one."""
    path = tmp_path / "sandbox.db"
    with ScriptedServer(*[reply(500)] * 7, reply()) as server:
        with cx.Sandbox(path) as sandbox, sandbox.client() as client:
            secret = hook(client, server.url)
            client.webhooks.trigger_test("ticket.created")
        with cx.Sandbox(path, real_time=True) as sandbox:
            assert soon(lambda: len(mine(sandbox)) == 2)  # the second attempt is answered and stored
            assert verified(server.requests[1], secret)
            sandbox.clock.advance(seconds=121)
            before = mine(sandbox)
        with cx.Sandbox(path, real_time=True) as sandbox:
            after = mine(sandbox)
            difference = before["next_attempt_at"].iloc[-1] - after["next_attempt_at"].iloc[-1]
            assert abs(difference) < pd.Timedelta(seconds=2)
            sandbox.clock.advance(seconds=601)
            assert 4 == len(server.requests)


def test_closing_ends_the_retries(real: cx.Sandbox, client: cx.Client) -> None:
    """At once."""
    with ScriptedServer(reply(500)) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        started = time.monotonic()
        real.close()
        assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "amount",
    [
        pytest.param({"seconds": -1}, id="negative"),
        pytest.param({"seconds": float("nan")}, id="NaN"),
        pytest.param({"days": 10**9}, id="longer than a timedelta"),
        pytest.param({"days": 10**7}, id="beyond the calendar"),
        pytest.param({"fortnights": 1}, id="unknown unit"),
        pytest.param({"hours": "1"}, id="text"),
    ],
)
@pytest.mark.parametrize("real_time", [False, True])
def test_an_unusable_amount_is_rejected(
    opened: Callable[..., cx.Sandbox], amount: dict[str, Any], real_time: bool
) -> None:
    """With an error of ours, and the clock stays where it is."""
    sandbox = opened(real_time=real_time)
    with pytest.raises(errors.ConfigurationError, match="clock cannot"):
        sandbox.clock.advance(**amount)
    assert sandbox.clock.advance(seconds=0) - sandbox.clock.now < timedelta(seconds=1)
