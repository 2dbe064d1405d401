"""Fixtures for pytest. Each imports what it needs when a test uses it, so other suites load nothing."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from .api.client import Client
    from .listener import Listener
    from .models import FiredEvent, Webhook
    from .sandbox import Sandbox
    from .secret import Secret
    from .signatures.keys import SecretLike


class SignedDelivery(NamedTuple):
    """What a test client posts: `client.post(url, data=delivery.body, headers=delivery.headers)`."""

    body: bytes
    headers: dict[str, str]


@pytest.fixture
def cstar_sandbox() -> Iterator["Sandbox"]:
    """A local cStar that follows this machine's clock."""
    from .sandbox import Sandbox

    with Sandbox(real_time=True) as sandbox:
        yield sandbox


@pytest.fixture
def cstar_client(cstar_sandbox: "Sandbox") -> Iterator["Client"]:
    """A client for `cstar_sandbox`."""
    with cstar_sandbox.client() as client:
        yield client


@pytest.fixture
def cstar_listener(cstar_sandbox: "Sandbox") -> Iterator["Listener"]:
    """An endpoint that stores what `cstar_sandbox` delivers to its `url`."""
    with cstar_sandbox.listener() as listener:
        yield listener


@pytest.fixture
def cstar_webhook(cstar_sandbox: "Sandbox", cstar_client: "Client") -> Iterator[Callable[..., "Webhook"]]:
    """Creates a webhook whose `secret` is known, and deletes it after the test: `cstar_webhook(url, events="*")`."""
    from .errors import CStarError

    created: list[Webhook] = []

    def create(url: str, events: str | Iterable[str] = "*") -> "Webhook":
        __tracebackhide__ = True
        created.append(cstar_client.webhooks.create(name="Under test", url=url, events=events))
        return created[-1]

    yield create
    cstar_sandbox.faults.clear()
    client = cstar_client.with_options(max_wait=0)
    for webhook in created:
        try:
            client.webhooks.delete(webhook.id)
        except CStarError:  # the test deleted it, or closed the sandbox
            continue


@pytest.fixture
def cstar_fire(cstar_client: "Client") -> Callable[[str], "FiredEvent"]:
    """Fires an event, and returns it with the deliveries that were made: `cstar_fire(event)`."""
    from dataclasses import replace

    def fire(event: str) -> "FiredEvent":
        __tracebackhide__ = True
        fired = cstar_client.webhooks.trigger_test(event)
        # Each sandbox starts with webhooks to hosts that it does not post to.
        made = [delivery for delivery in fired.deliveries if not (delivery.error or "").startswith("withheld")]
        return replace(fired, delivered_to=len(made), deliveries=tuple(made))

    return fire


@pytest.fixture
def cstar_secret() -> "Secret":
    """The signing secret that `cstar_delivery` uses by default. It belongs to no webhook."""
    from .secret import Secret

    return Secret("whsec_only_for_tests_and_not_a_real_secret")


@pytest.fixture
def cstar_delivery(cstar_secret: "Secret") -> Callable[..., SignedDelivery]:
    """Signs a delivery for a test client: `cstar_delivery(event, secret=…, **overrides)` has `.body` and `.headers`."""
    import json
    from datetime import UTC, datetime
    from uuid import uuid4

    from .events import sample
    from .serving.delivery_headers import delivery_headers
    from .serving.times import iso
    from .signatures import sign
    from .signatures.keys import as_secret

    def deliver(event: str, *, secret: "SecretLike" = cstar_secret, **overrides: Any) -> SignedDelivery:
        __tracebackhide__ = True
        secret = as_secret(secret)
        now = datetime.now(UTC)
        body = sample(event, **{"id": f"evt_{uuid4().hex[:12]}", "created_at": iso(now), **overrides})
        envelope = json.loads(body)
        headers = delivery_headers(
            signature=sign(body, secret, now),
            event=envelope["type"],
            event_id=envelope["id"],
            webhook_id="whk_only_for_tests",
            sent_at=now,
        )
        return SignedDelivery(body, headers)

    return deliver
