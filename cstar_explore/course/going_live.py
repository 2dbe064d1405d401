"""Lesson 5, `05_going_live.ipynb`: a secret replaced without a gap, a configuration mended."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from ..api.client import Client
from ..listener import Listener
from ..sandbox import Sandbox
from ..secret import Secret
from ..serving.loopback import is_loopback_url
from .answer import NotYet, called, check, shown

Trust = Callable[[Secret], None]
Rotate = Callable[[Client, str, Trust], object]

_EVENT = "ticket.created"


@check
def rotation(rotate: Rotate) -> str:
    """A function that replaces a webhook and its secret. Something happens at cStar after each of its steps."""
    with Sandbox() as sandbox, sandbox.client() as client, sandbox.client() as cstar, sandbox.listener() as listener:
        old = client.webhooks.create(name="Desk", url=listener.url, events=["ticket.created", "ticket.closed"])
        listener.trust(old.secret or "")
        others = {webhook.id for webhook in cstar.webhooks.list()} - {old.id}
        busy = _Busy(cstar)
        trusted: list[Secret] = []

        def trust(secret: Secret) -> None:
            if not isinstance(secret, Secret):
                raise NotYet("trust takes a Secret, unrevealed: give it the new webhook's .secret.")
            listener.trust(secret)
            trusted.append(secret)
            busy.something_happens("trust")

        called(rotate, busy.client(client), old.id, trust, when="while it was rotating")
        busy.something_happens("the end")
        listed = {webhook.id: webhook for webhook in cstar.webhooks.list()}
        assert others <= set(listed), (
            "Webhooks of others are gone, too. Delete the one whose id was given, and no other."
        )
        now = {key: webhook for key, webhook in listed.items() if webhook.url == listener.url}
        new = [webhook for webhook in now.values() if webhook.id != old.id]
        assert new, (
            "There is no new webhook at the old one's URL. No page of cStar's has a call that rotates: client.webhooks.create(…) makes a new secret."
        )
        assert len(new) == 1, (
            f"There are {len(new)} new webhooks at this URL, and each event arrives as often. Create one."
        )
        assert set(new[0].events or ()) == set(old.events or ()), (
            f"The new webhook is told of {', '.join(new[0].events or ())}, the old one was of {', '.join(old.events or ())}."
            " Take them from client.webhooks.get(webhook_id)."
        )
        assert new[0].name == old.name, (
            f"The new webhook is called {shown(new[0].name)}, and the old one {shown(old.name)}: people look for the name."
        )
        _every_event_arrived(busy, listener)
        assert trusted, (
            "The receiver never heard of the new secret: trust(new.secret). cStar tells it in the answer to create, and never again."
        )
        assert old.id not in now, (
            "The old webhook is still there: each event arrives twice, and the old secret is still good."
        )
        refused = sum(request.cause != "ok" for request in listener.requests())
        twice = sum(request.duplicate_of is not None for request in listener.requests())
        return (
            f"Right. {len(busy.fired)} events came meanwhile, and each was accepted. Repeats: {twice}, as both webhooks sent them;"
            f" a handler that knows event ids passes over those. Refused: {refused}, sent by the new webhook before its secret was"
            " trusted; the same event had come by the old one."
        )


@check
def mended(environment: Any) -> str:
    """An environment with which doctor finds nothing in the way."""
    assert environment is not ..., "`mended` is still `...`. Copy `broken` and change what doctor says is in the way."
    assert isinstance(environment, Mapping), f"`mended` is not a dict: {type(environment).__name__}."
    texts = all(isinstance(text, str) for pair in environment.items() for text in pair)
    assert texts, (
        "In an environment all names and all values are text; a value of `mended` is not. A Secret is revealed first."
    )
    assert is_loopback_url(environment.get("CSTAR_BASE_URL", "")), (
        "Keep CSTAR_BASE_URL as it is in `broken`: without it, doctor would ask cStar itself and not the sandbox."
    )
    assert environment.get("CSTAR_KEY"), (
        "There is no CSTAR_KEY in it any more, so there is nothing to ask cStar with. Keep the key; it is good."
    )
    said = doctor(environment)
    wrong = [line for line in said.splitlines() if line.startswith("fail")]
    assert not wrong, f"Doctor still finds: {wrong[0]}"
    assert "(team_sandbox)" in said, (
        "It reaches another team now. The key was good, and belongs to the team that you want: keep it."
    )
    return "Right. Nothing is in the way. Doctor sent two GETs, and changed nothing."


def doctor(environment: Mapping[str, str]) -> str:
    """What `cstar-explore doctor` says in a shell with these CSTAR_ variables and no others, from the configuration on."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("CSTAR_")}
    command = [sys.executable, "-m", "cstar_explore.cli", "doctor"]
    ran = subprocess.run(  # noqa: S603 - our own words
        command, env=others | dict(environment), capture_output=True, text=True, check=False, timeout=60
    )
    return "\n".join(itertools.dropwhile(lambda line: line.split()[1] != "configured", ran.stdout.splitlines()))


class _Busy:
    """Makes an event happen after each step that changes something, and remembers which."""

    def __init__(self, cstar: Client) -> None:
        self._cstar = cstar
        self.fired: dict[str, str] = {}

    def something_happens(self, after: str) -> None:
        self.fired[self._cstar.webhooks.trigger_test(_EVENT).event_id or ""] = after

    def client(self, client: Client) -> Any:
        """The client, of whose calls to `webhooks` each that changes something is followed by an event."""
        webhooks = client.webhooks
        followed = {name: self._followed(name, webhooks) for name in ("create", "update", "delete")}
        return _Followed(client, webhooks=_Followed(webhooks, **followed))

    def _followed(self, name: str, webhooks: Any) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            answer = getattr(webhooks, name)(*given, **named)
            self.something_happens(name)
            return answer

        return call


class _Followed:
    """An object with some of its attributes replaced."""

    def __init__(self, inner: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _every_event_arrived(busy: _Busy, listener: Listener) -> None:
    accepted = {request.event_id for request in listener.requests() if request.cause == "ok"}
    heard = {request.event_id for request in listener.requests()}
    for event_id, after in busy.fired.items():
        assert event_id in heard, (
            f"An event that happened right after your {after} reached nobody, and is lost: no webhook pointed"
            " here when it happened. Create the new one before the old one goes."
        )
        assert event_id in accepted, (
            f"An event that happened right after your {after} was refused: it was signed with the new secret alone, which the"
            " receiver did not trust yet. cStar comes again after 30 s, but let the receiver trust it before the old webhook goes."
        )
