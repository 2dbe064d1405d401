"""`lost` lists each event that never got through once, and `replay` leaves out those that did."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import SECRET, body_of, send
from tests.support.sampling import examples
from tests.support.scripted_server import ScriptedServer, reply

START = datetime(2025, 12, 10, 14, 30, tzinfo=UTC)
AFTER_LAST_RETRY = {"hours": 31, "minutes": 13}


class MovableClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


def deliver(
    listener: cx.Listener,
    clock: MovableClock,
    event_id: object = "evt_1",
    attempt: object = None,
    webhook: str = "wh_1",
    secret: str = SECRET,
) -> int:
    """Posts an attempt, signed at the clock's time. Returns the status."""
    body = body_of(event_id)
    headers = {"X-Signature": cx.sign(body, secret, clock.now), "X-Webhook-ID": webhook}
    return send(listener.url, body, headers if attempt is None else headers | {"X-Delivery-Attempt": str(attempt)})[0]


def subscribe(client: cx.Client, listener: cx.Listener) -> None:
    listener.trust(client.webhooks.create(name="Here", url=listener.url, events=["*"]).secret)


def lost_ids(listener: cx.Listener, since: Any = None) -> list[str]:
    return list(listener.lost(since=since)["event_id"])


# --- which events are lost


def test_event_is_lost_after_its_last_retry(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Not while a retry is pending. Its row is the newest, exactly as in `to_frame()`."""
    with sandbox.listener() as listener:
        subscribe(client, listener)
        listener.answer.status = 503
        fired = client.webhooks.trigger_test("ticket.created")
        for step in ({}, {"seconds": 29}, {"minutes": 9}, {"hours": 7}, {"hours": 23}):
            sandbox.clock.advance(**step)
            assert [] == lost_ids(listener)
        sandbox.clock.advance(hours=2)
        assert [fired.event_id] == lost_ids(listener)
        pd.testing.assert_frame_equal(listener.lost(), listener.to_frame().tail(1).reset_index(drop=True))
        assert [7] == list(listener.lost()["attempt"])


def test_event_that_got_through_on_a_retry_is_not_lost(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Nor is one whose duplicate fails later."""
    with sandbox.listener() as listener:
        subscribe(client, listener)
        listener.answer.status = 503
        client.webhooks.trigger_test("ticket.created")
        listener.answer.status = 204
        sandbox.clock.advance(seconds=30)
        listener.answer.status = 500
        listener.replay([1], listener.url, include_delivered=True)
        sandbox.clock.advance(days=30)
        assert [503, 204, 500] == list(listener.to_frame()["answered"])
        assert [] == lost_ids(listener)


@settings(max_examples=examples(20), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([200, 204, 302, 401, 500]), st.sampled_from([0, 31, 700, 90_000])),
        min_size=1,
        max_size=4,
    )
)
def test_sandbox_and_listener_agree(steps: list[tuple[int, int]]) -> None:
    """Whenever they are asked, in outages of any kind."""
    with cx.Sandbox() as sandbox, sandbox.client() as client, sandbox.listener() as listener:
        subscribe(client, listener)
        for status, seconds in [*steps, (500, 200_000)]:
            listener.answer.status = status
            client.webhooks.trigger_test("ticket.created")
            sandbox.clock.advance(seconds=seconds)
            sent = sandbox.lost()
            assert sorted(sent["event_id"]) == sorted(lost_ids(listener))
            assert (set(sent["url"]) <= {listener.url}, True) == (True, sent["event_id"].is_unique)


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 30), (2, 120), (3, 600), (4, 3600), (5, 21_600), (6, 86_400), (None, 30), (0, 30)]
)
def test_retry_is_pending_for_the_published_time(clock: MovableClock, attempt: object, seconds: int) -> None:
    """And for 10 s more, because cStar may count from the end of an attempt."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=attempt)
        clock.now = START + timedelta(seconds=seconds + 9)
        assert [] == lost_ids(listener)
        clock.now = START + timedelta(seconds=seconds + 10)
        assert ["evt_1"] == lost_ids(listener)


@pytest.mark.parametrize("attempt", [7, 8, 999_999_999])
def test_nothing_is_pending_after_the_last_attempt(clock: MovableClock, attempt: int) -> None:
    """The event is lost at once."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=attempt)
        assert ["evt_1"] == lost_ids(listener)
        deliver(listener, clock, attempt=1)  # a replay of the first
        assert ["evt_1"] == lost_ids(listener)


def test_attempts_without_a_number_are_counted(clock: MovableClock) -> None:
    """Seven of them are the whole series."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        for _ in range(6):
            deliver(listener, clock)
        assert [] == lost_ids(listener)
        deliver(listener, clock)
        assert ["evt_1"] == lost_ids(listener)


def test_retry_is_counted_from_the_newest_of_two_equal_attempts(clock: MovableClock) -> None:
    """A network may deliver one twice."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=1)
        clock.now += timedelta(seconds=20)
        deliver(listener, clock, attempt=1)
        clock.now += timedelta(seconds=39)
        assert [] == lost_ids(listener)


def test_rows_are_in_the_order_of_arrival(clock: MovableClock) -> None:
    """Of each event's newest request, not of its first."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        for event_id, attempt in (("evt_1", 6), ("evt_2", 7), ("evt_1", 7)):
            deliver(listener, clock, event_id, attempt)
        assert ["evt_2", "evt_1"] == lost_ids(listener)


def test_each_webhook_has_a_schedule_of_its_own(clock: MovableClock) -> None:
    """Two that point here deliver the same event, and one success is enough."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=7, webhook="wh_1")
        deliver(listener, clock, attempt=1, webhook="wh_2")
        assert [] == lost_ids(listener)
        clock.now += timedelta(minutes=1)
        assert ["evt_1"] == lost_ids(listener)
        listener.answer.status = 200
        deliver(listener, clock, attempt=2, webhook="wh_2")
        assert [] == lost_ids(listener)


def test_event_is_not_lost_while_its_last_attempt_is_handled(clock: MovableClock) -> None:
    """Until the sender has given up."""
    gate = threading.Event()
    with cx.Listener([SECRET], clock=clock, handler=lambda _: gate.wait(5) and 500) as listener:
        sender = threading.Thread(target=deliver, args=(listener, clock, "evt_1", 7))
        sender.start()
        try:
            listener.wait_for("evt_1")
            assert [] == lost_ids(listener)
            clock.now += timedelta(seconds=10)
            assert ["evt_1"] == lost_ids(listener)
            assert pd.isna(listener.lost()["answered"][0])
        finally:
            gate.set()
            sender.join()


def test_forged_delivery_is_not_a_lost_event(clock: MovableClock) -> None:
    """It neither hides a genuine one nor takes its place, so that no replay sends it."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=7)
        for event_id in ("evt_1", "evt_2"):
            assert 401 == deliver(listener, clock, event_id, attempt=1, secret="whsec_forger")
        clock.now += timedelta(days=3)
        assert [(1, "evt_1")] == list(listener.lost()[["id", "event_id"]].itertuples(index=False, name=None))


def test_delivery_is_lost_that_failed_for_want_of_its_secret(clock: MovableClock) -> None:
    """It was genuine all along. One that was signed long ago is, too."""
    with cx.Listener(["whsec_of_another_webhook"], clock=clock) as listener:
        assert 401 == deliver(listener, clock, attempt=7)
        late = MovableClock()
        late.now = START - timedelta(hours=1)
        assert 401 == deliver(listener, late, "evt_2", attempt=7)
        assert [] == lost_ids(listener)
        listener.trust(SECRET)
        assert ["evt_1", "evt_2"] == lost_ids(listener)


def test_without_secrets_every_event_counts(clock: MovableClock) -> None:
    """Refused requests and bodies without an event id are no events."""
    with cx.Listener(clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=7)
        deliver(listener, clock, event_id=5, attempt=7)
        send(listener.url, b"no JSON", {"X-Delivery-Attempt": "7"})
        assert 404 == send(listener.url, body_of("evt_2"), {"X-Delivery-Attempt": "7"}, path="/other")[0]
        assert 403 == send(listener.url, body_of("evt_3"), {"X-Delivery-Attempt": "7", "Host": "other.example"})[0]
        assert (5, ["evt_1"]) == (len(listener.requests()), lost_ids(listener))


def test_lost_events_survive_the_process(tmp_path: Path, clock: MovableClock) -> None:
    """They are in the listener's file."""
    with cx.Listener([SECRET], clock=clock, path=tmp_path / "requests.db") as listener:
        listener.answer.status = 500
        deliver(listener, clock, attempt=7)
    with cx.Listener([SECRET], clock=clock, path=tmp_path / "requests.db") as listener:
        assert ["evt_1"] == lost_ids(listener)


# --- since


def test_since_is_the_time_of_the_newest_request(clock: MovableClock) -> None:
    """In any zone, and in NumPy's and pandas' types."""
    with cx.Listener([SECRET], clock=clock) as listener:
        listener.answer.status = 500
        deliver(listener, clock, "evt_1", attempt=7)
        clock.now += timedelta(hours=1, microseconds=1)
        second = clock.now
        deliver(listener, clock, "evt_2", attempt=7)
        assert ["evt_1", "evt_2"] == lost_ids(listener) == lost_ids(listener, START)
        for since in (
            second,
            pd.Timestamp(second).tz_convert("Asia/Tokyo"),
            np.datetime64(second.replace(tzinfo=None)),
        ):
            assert ["evt_2"] == lost_ids(listener, since)
        assert [] == lost_ids(listener, second + timedelta(microseconds=1))


@pytest.mark.parametrize("since", [datetime(2025, 12, 10), pd.NaT, "2025-12-10", True, float("nan")])  # noqa: DTZ001 - naive
def test_what_is_no_moment_is_rejected(sandbox: cx.Sandbox, since: Any) -> None:
    """With the remedy."""
    with sandbox.listener() as listener:
        for lost in (listener.lost, sandbox.lost):
            with pytest.raises(errors.ValidationError, match=r"datetime\.now\(UTC\)"):
                lost(since=since)


def test_no_lost_events_give_the_same_columns_and_dtypes(clock: MovableClock) -> None:
    """As `to_frame()`."""
    with cx.Listener([SECRET], clock=clock) as listener:
        empty = listener.lost()
        listener.answer.status = 500
        deliver(listener, clock, attempt=7)
        for frame in (empty, listener.lost()):
            assert list(listener.to_frame().dtypes.items()) == list(frame.dtypes.items())


# --- replay


def test_lost_events_can_be_replayed(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """To a function or a URL, each once."""
    with sandbox.listener() as listener, ScriptedServer(reply(), reply()) as server:
        subscribe(client, listener)
        listener.answer.status = 500
        fired = [client.webhooks.trigger_test("ticket.created").event_id for _ in range(2)]
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        seen: list[str] = []
        listener.replay(listener.lost(), lambda event: seen.append(event["id"]))
        frame = listener.replay(listener.lost(), to=server.url)
        assert fired == seen == list(frame["event_id"])
        assert [200, 200] == list(frame["answered"])


def test_replayed_to_the_listener_it_is_no_longer_lost(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Because it is now answered 2xx."""
    with sandbox.listener() as listener:
        subscribe(client, listener)
        listener.answer.status = 500
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        listener.answer.status = 200
        secret = cx.Secret(SECRET)
        listener.trust(secret)
        listener.replay(listener.lost(), listener.url, secret=secret)
        assert [] == lost_ids(listener)


def test_replay_leaves_out_what_got_through_on_another_attempt(clock: MovableClock) -> None:
    """A request that was answered 2xx itself is sent if chosen."""
    with cx.Listener([SECRET], clock=clock) as listener:
        for event_id, attempt, status in (("evt_1", 1, 500), ("evt_2", 1, 500), ("evt_1", 2, 202), ("evt_1", 2, 500)):
            listener.answer.status = status
            deliver(listener, clock, event_id, attempt)
        assert [2, 3] == list(listener.replay(listener.to_frame(), lambda _: None)["id"])
        assert [] == list(listener.replay([1, 4], lambda _: None)["id"])
        assert [4, 1] == list(listener.replay([4, 1], lambda _: None, include_delivered=True)["id"])


def test_replay_sends_every_body_without_an_event_id(clock: MovableClock) -> None:
    """Whether they are of one event is not known."""
    with cx.Listener(clock=clock) as listener:
        for status in (500, 200):
            listener.answer.status = status
            deliver(listener, clock, event_id=None)
        assert [1, 2] == list(listener.replay([1, 2], lambda _: None)["id"])


def test_one_row_or_request_can_be_replayed(clock: MovableClock) -> None:
    """As well as a selection of one."""
    with cx.Listener([SECRET], clock=clock) as listener:
        deliver(listener, clock)
        for rows in (listener.to_frame().iloc[0], listener[1], 1, "1", [1.0], listener.to_frame()["id"]):
            assert [1] == list(listener.replay(rows, lambda _: None)["id"])


@pytest.mark.parametrize(
    "rows", [[1.5], ["dlv_1"], [None], [pd.NA], [float("inf")], pd.DataFrame({"event": ["a"]}), None]
)
def test_what_is_no_id_is_rejected(clock: MovableClock, rows: Any) -> None:
    """By an error that names what replay takes."""
    with cx.Listener([SECRET], clock=clock) as listener:
        deliver(listener, clock)
        with pytest.raises(errors.ValidationError, match="rows must be rows of to_frame"):
            listener.replay(rows, lambda _: None)
