"""The fixtures, as pytest finds them by the entry point of the installed package."""

import os
from collections.abc import Callable

import pytest

import cstar_explore as cx
from cstar_explore.pytest_plugin import SignedDelivery

Deliver = Callable[..., SignedDelivery]
CreateWebhook = Callable[..., cx.Webhook]
Fire = Callable[[str], cx.FiredEvent]

_seen: list[str | None] = []  # event IDs


def test_a_webhook_gets_what_is_fired(
    cstar_webhook: CreateWebhook, cstar_fire: Fire, cstar_listener: cx.Listener
) -> None:
    """Signed with its secret and this machine's time, and reported without the webhooks that the sandbox starts with."""
    webhook = cstar_webhook(cstar_listener.url)
    fired = cstar_fire("survey.submitted")
    [request] = cstar_listener.requests()

    assert ("*",) == webhook.events
    assert [(200, True)] == [(delivery.status, delivery.success) for delivery in fired.deliveries]
    assert 1 == fired.delivered_to
    assert fired.event_id == cx.verify(request.body, request.headers, webhook.secret)["id"]


def test_a_refusal_is_reported_and_raises_nothing(
    cstar_sandbox: cx.Sandbox, cstar_webhook: CreateWebhook, cstar_fire: Fire, cstar_listener: cx.Listener
) -> None:
    """A test asserts the status that it expects of a forgery."""
    cstar_listener.trust(cstar_webhook(cstar_listener.url, events=["ticket.created", "boss.*"]).secret)
    cstar_sandbox.faults.wrong_signature()

    assert [(401, False)] == [
        (delivery.status, delivery.success) for delivery in cstar_fire("ticket.created").deliveries
    ]


def test_a_delivery_has_cstars_headers(
    cstar_delivery: Deliver, cstar_webhook: CreateWebhook, cstar_fire: Fire, cstar_listener: cx.Listener
) -> None:
    """With the same names and forms as the sandbox's own, and the values that the body has."""
    cstar_webhook(cstar_listener.url)
    cstar_fire("ticket.created")
    [request] = cstar_listener.requests()
    delivery = cstar_delivery("ticket.created")
    names = {name.lower() for name, _ in request.headers} - {"host", "content-length", "connection", "accept"}
    event = cx.verify(*delivery, "whsec_only_for_tests_and_not_a_real_secret")

    assert names - {"accept-encoding", "x-cstar-request-id"} == {name.lower() for name in delivery.headers}
    assert [event["id"], event["type"], event["created_at"]] == [
        delivery.headers[name] for name in ("X-Event-ID", "X-Event-Type", "X-Timestamp")
    ]


def test_each_delivery_is_another_event(cstar_delivery: Deliver) -> None:
    """A receiver that remembers events takes it for no duplicate, unless the test gives the ID."""
    first, second = cstar_delivery("ticket.created"), cstar_delivery("ticket.created")
    repeated = cstar_delivery("ticket.created", id=first.headers["X-Event-ID"])

    assert first.headers["X-Event-ID"] != second.headers["X-Event-ID"]
    assert first.headers["X-Event-ID"] == repeated.headers["X-Event-ID"]


def test_a_delivery_is_signed_with_the_secret_given(cstar_delivery: Deliver, cstar_secret: cx.Secret) -> None:
    """As text or `Secret`, with the fields of the sample changed."""
    delivery = cstar_delivery("ticket.updated", secret="whsec_another_obviously_false_one", priority="urgent")

    assert "urgent" == cx.verify(*delivery, "whsec_another_obviously_false_one")["data"]["ticket"]["priority"]
    assert not cx.explain(*delivery, cstar_secret).ok


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ({"secret": None}, "Check that the variable or setting it comes from is set"),
        ({"secret": "whsec_"}, "Pass the webhook's whole signing secret"),
        ({"titel": "x"}, "Did you mean 'title'"),
    ],
)
def test_what_cannot_be_signed_is_refused_with_advice(
    cstar_delivery: Deliver, arguments: dict[str, object], advice: str
) -> None:
    """A variable that is not set does not become the default secret."""
    with pytest.raises(cx.CStarError, match=advice):
        cstar_delivery("ticket.created", **arguments)


@pytest.mark.parametrize("run", [1, 2])
def test_each_test_has_a_sandbox_of_its_own_with_new_event_ids(
    run: int, cstar_client: cx.Client, cstar_fire: Fire
) -> None:
    """A receiver may remember the events of the test before."""
    fired = cstar_fire("ticket.created")

    assert fired.event_id not in _seen
    assert "Of the first test" not in {webhook.name for webhook in cstar_client.webhooks.list()}
    _seen.append(fired.event_id)
    cstar_client.webhooks.create(name="Of the first test", url="http://127.0.0.1:9/", events="*")


@pytest.mark.parametrize("end", ["delete", "close", "fault"])
def test_a_webhook_that_is_gone_is_no_error_after_the_test(
    end: str, cstar_sandbox: cx.Sandbox, cstar_client: cx.Client, cstar_webhook: CreateWebhook
) -> None:
    """Nor is a closed sandbox, or a fault that was not used up."""
    webhook = cstar_webhook("http://127.0.0.1:9/")
    if end == "delete":
        cstar_client.webhooks.delete(webhook.id)
    elif end == "close":
        cstar_sandbox.close()
    else:
        cstar_sandbox.faults.fail(503, times=50)


@pytest.mark.asyncio
async def test_the_fixtures_work_in_a_running_event_loop(
    cstar_client: cx.Client, cstar_webhook: CreateWebhook, cstar_fire: Fire, cstar_listener: cx.Listener
) -> None:
    """The sandbox and the listener have loops of their own."""
    cstar_webhook(cstar_listener.url)

    assert cstar_fire("ticket.created").deliveries[0].success
    assert cstar_client.webhooks.list()[-1].url == cstar_listener.url


def test_the_environment_gets_no_variable(
    cstar_client: cx.Client, cstar_webhook: CreateWebhook, cstar_delivery: Deliver
) -> None:
    """A service under test cannot pick up the sandbox's key by accident."""
    assert [] == [name for name in os.environ if name.startswith("CSTAR")]
