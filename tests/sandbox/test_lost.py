"""`lost` lists what a receiver never got, once for each event and URL."""

from datetime import timedelta

import pandas as pd

import cstar_explore as cx
from tests.support.scripted_server import ScriptedServer, reply

AFTER_LAST_RETRY = {"hours": 31, "minutes": 13}


def hook(client: cx.Client, url: str) -> str:
    return client.webhooks.create(name="Receiver", url=url, events=["*"]).id


def test_delivery_is_lost_after_its_last_retry(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """With the row of its last attempt, as in `deliveries()`. What is withheld is not lost."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        hook(client, server.url)
        event = client.webhooks.trigger_test("ticket.created").event_id
        sandbox.clock.advance(hours=30)
        assert 0 == len(sandbox.lost())
        sandbox.clock.advance(hours=2)
    deliveries = sandbox.deliveries()
    assert "withheld" in set(deliveries["state"])
    assert [(event, 7, "failed")] == list(sandbox.lost()[["event_id", "attempt", "state"]].itertuples(False, None))
    pd.testing.assert_frame_equal(sandbox.lost(), deliveries.query("state == 'failed'").tail(1).reset_index(drop=True))


def test_each_receiver_counts(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """An event that only one of two receivers got is lost for the other."""
    with ScriptedServer(*[reply(500)] * 7) as down, ScriptedServer(reply()) as up:
        hook(client, down.url)
        hook(client, up.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        assert [down.url] == list(sandbox.lost()["url"])


def test_two_webhooks_with_one_url_are_one_receiver(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """It got the event if either delivery was answered 2xx, and lost it once otherwise."""
    with ScriptedServer(*[reply(500)] * 14, reply(500), reply(), *[reply(500)] * 6) as server:
        hook(client, server.url)
        hook(client, server.url)
        lost = client.webhooks.trigger_test("ticket.created").event_id
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        assert [lost] == list(sandbox.lost()["event_id"])


def test_delivery_of_a_deleted_webhook_is_lost(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """From the time at which its retry would have been made."""
    with ScriptedServer(reply(500)) as server:
        webhook = hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        client.webhooks.delete(webhook)
        assert 0 == len(sandbox.lost())
        sandbox.clock.advance(seconds=30)
        assert ["dropped"] == list(sandbox.lost()["state"])


def test_success_of_a_duplicate_counts(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """The event got through, although its retries go on."""
    with ScriptedServer(reply(500), reply(), *[reply(500)] * 6) as server:
        hook(client, server.url)
        sandbox.faults.duplicate()
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        assert "failed" in set(sandbox.deliveries()["state"])
        assert 0 == len(sandbox.lost())


def test_since_is_the_time_of_the_last_attempt(sandbox: cx.Sandbox, client: cx.Client) -> None:
    """Whether or not the first was earlier."""
    with ScriptedServer(*[reply(500)] * 7) as server:
        hook(client, server.url)
        client.webhooks.trigger_test("ticket.created")
        sandbox.clock.advance(**AFTER_LAST_RETRY)
        at = sandbox.lost()["at"][0]
        assert 1 == len(sandbox.lost(since=at))
        assert 0 == len(sandbox.lost(since=at + timedelta(microseconds=1)))


def test_no_lost_deliveries_give_the_same_columns_and_dtypes(sandbox: cx.Sandbox) -> None:
    """As `deliveries()`."""
    assert list(sandbox.deliveries().dtypes.items()) == list(sandbox.lost().dtypes.items())
