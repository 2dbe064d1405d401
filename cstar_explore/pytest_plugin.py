"""Fixtures for pytest. Each imports what it needs when a test uses it, so other suites load nothing."""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

import cstar_explore as cx  # loads each name when it is first used


class SignedDelivery(NamedTuple):
    """What a test client posts: `client.post(url, data=delivery.body, headers=delivery.headers)`."""

    body: bytes
    headers: dict[str, str]


@pytest.fixture
def cstar_sandbox() -> Iterator["cx.Sandbox"]:
    """A local cStar that follows this machine's clock."""
    with cx.Sandbox(real_time=True) as sandbox:
        yield sandbox


@pytest.fixture
def cstar_client(cstar_sandbox: "cx.Sandbox") -> Iterator["cx.Client"]:
    """A client for `cstar_sandbox`."""
    with cstar_sandbox.client() as client:
        yield client


@pytest.fixture
def cstar_listener(cstar_sandbox: "cx.Sandbox") -> Iterator["cx.Listener"]:
    """An endpoint that stores what `cstar_sandbox` delivers to its `url`."""
    with cstar_sandbox.listener() as listener:
        yield listener


@pytest.fixture
def cstar_webhook(cstar_sandbox: "cx.Sandbox", cstar_client: "cx.Client") -> Iterator[Callable[..., "cx.Webhook"]]:
    """Creates a webhook whose `secret` is known, and deletes it after the test: `cstar_webhook(url, events="*")`."""
    created: list[cx.Webhook] = []

    def create(url: str, events: str | Iterable[str] = "*") -> "cx.Webhook":
        __tracebackhide__ = True
        created.append(cstar_client.webhooks.create(name="Under test", url=url, events=events))
        return created[-1]

    yield create
    cstar_sandbox.faults.clear()
    client = cstar_client.with_options(max_wait=0)
    for webhook in created:
        with contextlib.suppress(cx.CStarError):  # the test deleted it, or closed the sandbox
            client.webhooks.delete(webhook.id)


@pytest.fixture
def cstar_fire(cstar_client: "cx.Client") -> Callable[[str], "cx.FiredEvent"]:
    """Fires an event, and returns it with the deliveries that were made: `cstar_fire(event)`."""

    def fire(event: str) -> "cx.FiredEvent":
        __tracebackhide__ = True
        fired = cstar_client.webhooks.trigger_test(event)
        # Each sandbox starts with webhooks to hosts that it does not post to.
        made = [delivery for delivery in fired.deliveries if not (delivery.error or "").startswith("withheld")]
        return replace(fired, delivered_to=len(made), deliveries=tuple(made))

    return fire


@pytest.fixture
def cstar_secret() -> "cx.Secret":
    """The signing secret that `cstar_delivery` uses by default. It belongs to no webhook."""
    return cx.Secret("whsec_only_for_tests_and_not_a_real_secret")


@pytest.fixture
def cstar_delivery(cstar_secret: "cx.Secret") -> Callable[..., SignedDelivery]:
    """Signs a delivery for a test client: `cstar_delivery(event, secret=…, **overrides)` has `.body` and `.headers`."""
    from .serving.delivery_headers import delivery_headers
    from .serving.times import iso
    from .signatures.keys import as_secret

    def deliver(event: str, *, secret: "cx.Secret | str | bytes" = cstar_secret, **overrides: Any) -> SignedDelivery:
        __tracebackhide__ = True
        secret = as_secret(secret)
        now = datetime.now(UTC)
        body = cx.events.sample(event, **{"id": f"evt_{uuid4().hex[:12]}", "created_at": iso(now), **overrides})
        envelope = json.loads(body)
        headers = delivery_headers(
            signature=cx.sign(body, secret, now),
            event=envelope["type"],
            event_id=envelope["id"],
            webhook_id="whk_only_for_tests",
            sent_at=now,
        )
        return SignedDelivery(body, headers)

    return deliver
