"""Checks for lesson 5, `05_going_live.ipynb`: rotating a secret, fixing a configuration.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..api.client import Client
from ..api.requests import Request
from ..hosts import is_loopback_url
from ..listener import Listener
from ..sandbox import Sandbox
from ..secret import Secret
from .checks import NotYet, call, check

T = TypeVar("T")
Trust = Callable[[Secret], None]
Rotate = Callable[[Client, str, Trust], object]

_EVENT = "ticket.created"


@check
def rotation(rotate: Rotate) -> str:
    """A function that replaces a webhook and its secret. The check fires an event after each of its steps."""
    with Sandbox() as sandbox, sandbox.client() as client, sandbox.client() as observer, sandbox.listener() as listener:
        old = client.webhooks.create(name="Desk", url=listener.url, events=["ticket.created", "ticket.closed"])
        listener.trust(old.secret or "")
        others = {webhook.id for webhook in observer.webhooks.list()} - {old.id}
        source = _EventSource(observer)
        trusted: list[Secret] = []

        def trust(secret: Secret) -> None:
            if not isinstance(secret, Secret):
                raise NotYet("trust takes a Secret, not its text: pass the new webhook's .secret without reveal().")
            listener.trust(secret)
            trusted.append(secret)
            source.fire("trust")

        with _FiringClient(sandbox.key, sandbox.team_id, sandbox.base_url) as firing:
            vars(firing).update(source=source)
            call(rotate, firing, old.id, trust, when="during the rotation")
        source.fire("last step")
        remaining = {webhook.id: webhook for webhook in observer.webhooks.list()}
        assert others <= set(remaining), "Other webhooks were deleted, too. Delete only the one with the given ID."
        at_url = {key: webhook for key, webhook in remaining.items() if webhook.url == listener.url}
        new = [webhook for webhook in at_url.values() if webhook.id != old.id]
        assert new, (
            "There is no new webhook at the old one's URL. cStar documents no call that rotates a secret:"
            " client.webhooks.create(…) makes a webhook with a new one."
        )
        assert len(new) == 1, (
            f"There are {len(new)} new webhooks at this URL, and each receives every event. Create one."
        )
        assert set(new[0].events or ()) == set(old.events or ()), (
            f"The new webhook subscribes to {', '.join(new[0].events or ())}, the old one to {', '.join(old.events or ())}."
            " Take the events from client.webhooks.get(webhook_id)."
        )
        _assert_all_accepted(source, listener)
        assert trusted, (
            "The receiver does not have the new secret: call trust(new.secret). cStar returns it only in the response to create."
        )
        assert old.id not in at_url, (
            "The old webhook still exists: each event arrives twice, and the old secret is still valid."
        )
        return (
            f"Correct. {len(source.fired)} events were fired during the rotation, and each was accepted. An idempotent handler skips"
            " those that both webhooks sent. What the new webhook sent before its secret was trusted, the old one delivered too."
        )


@check
def fixed(environment: Any) -> str:
    """An environment in which doctor reports no failure."""
    assert environment is not ..., (
        "`fixed` is still `...`. Copy `broken` and change the value that doctor complains about."
    )
    assert isinstance(environment, Mapping), f"`fixed` must be a dict, not {type(environment).__name__}."
    assert all(isinstance(text, str) for pair in environment.items() for text in pair), (
        "All names and values in `fixed` must be strings. Call reveal() on a Secret."
    )
    assert is_loopback_url(environment.get("CSTAR_BASE_URL", "")), (
        "Keep CSTAR_BASE_URL as it is in `broken`: without it, doctor would ask cStar itself instead of the sandbox."
    )
    assert environment.get("CSTAR_KEY"), (
        "CSTAR_KEY is missing, and doctor can do nothing without a key. Keep the one in `broken`; it is valid."
    )
    report = doctor(environment)
    failures = [line for line in report.splitlines() if line.startswith("fail")]
    assert not failures, f"Doctor still reports: {failures[0]}"
    assert "(team_sandbox)" in report, (
        "It now connects to another team. The key in `broken` was the right one: keep it."
    )
    return "Correct. Doctor reports no failure. It sent two GET requests and changed nothing."


def doctor(environment: Mapping[str, str]) -> str:
    """The output of `cstar-explore doctor` with only these CSTAR_ variables, without Python and the packages."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CSTAR_")}
    command = [sys.executable, "-m", "cstar_explore.cli", "doctor"]
    ran = subprocess.run(  # noqa: S603 - a fixed command
        command, env=others | dict(environment), capture_output=True, text=True, check=False, timeout=60
    )
    lines = ran.stdout.splitlines()
    return "\n".join(itertools.dropwhile(lambda line: line.startswith("ok ") and "configuration" not in line, lines))


class _EventSource:
    """Fires an event after each step and records which step came before it.

    Attributes:
        fired: The step by event ID.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self.fired: dict[str, str] = {}

    def fire(self, step: str) -> None:
        self.fired[self._client.webhooks.trigger_test(_EVENT).event_id or ""] = step


class _FiringClient(Client):
    """Fires an event after each call that changes a webhook."""

    source: _EventSource

    def send(self, request: Request[T]) -> T:
        """Sends the request, and then the event."""
        result = super().send(request)
        if request.writes:
            self.source.fire({"POST": "create", "PATCH": "update"}.get(request.method, "delete"))
        return result


def _assert_all_accepted(source: _EventSource, listener: Listener) -> None:
    accepted = {request.event_id for request in listener.requests() if request.cause == "ok"}
    received = {request.event_id for request in listener.requests()}
    for event_id, step in source.fired.items():
        assert event_id in received, (
            f"An event fired right after your {step} has no receiver and is lost: no webhook pointed to this URL at that time."
            " Create the new webhook before you delete the old one."
        )
        assert event_id in accepted, (
            f"An event fired right after your {step} was refused: it was signed only with the new secret, which the receiver did"
            " not trust yet. cStar retries after 30 s, but trust the new secret before you delete the old webhook."
        )
