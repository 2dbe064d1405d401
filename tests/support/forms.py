"""What the tests of the forms share: a front end without a browser, and a sandbox behind an unreliable line."""

import asyncio
import contextlib
import functools
import http.client
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import ipywidgets
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from tests.support.scripted_server import RecordedRequest, Script, ScriptedServer, data, reply

HOSTILE = "<img src=x onerror=alert(1)> $5 and $6"
CONTROLS = "\x07\x1b\u200f\u202e\u2066"
"""A bell, an escape, and marks that turn the direction of the text around."""


# --- the loop ---------------------------------------------------------------------------------------------------------


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async test as the kernel runs a cell: inside of a loop."""

    @functools.wraps(test)
    def run(*args: Any, **fixtures: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **fixtures), 10))

    return run


async def until(condition: Callable[[], Any]) -> None:
    """Lets the loop run until this holds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 (widgets have no asyncio.Event)
            await asyncio.sleep(0.002)


async def turns(count: int = 20) -> None:
    """Lets the loop turn a few times, without any time to speak of."""
    for _ in range(count):
        await asyncio.sleep(0)


# --- the front end ----------------------------------------------------------------------------------------------------


async def settled(form: Any) -> None:
    """Waits until the form rests, as a person would wait for its status and its button."""
    await turns()
    await until(lambda: form.status.tone != "busy" and not form.button.disabled)


async def press(form: Any) -> None:
    """Presses the form's button, and answers the question where the form asks one."""
    form.button.click()
    if isinstance(form, cx.DeleteForm):
        await until(lambda: not hidden(form.answers) or form.status.tone == "failed")
        if not hidden(form.answers):
            form.confirm.click()


async def pressed(form: Any) -> None:
    """Presses the form's button, and waits for what comes of it."""
    await press(form)
    await settled(form)


def leave(field: Any) -> None:
    """The keyboard or the mouse goes elsewhere."""
    field._handle_custom_msg({"event": "left"}, [])


def hidden(widget: ipywidgets.DOMWidget) -> bool:
    return "cx-hidden" in widget._dom_classes


def widgets_of(form: Any) -> list[ipywidgets.Widget]:
    """Every widget that the form shows, boxes included."""
    found = [form.widget]
    for widget in found:
        found += getattr(widget, "children", ())
    return found


def alive() -> set[str]:
    """The ids of all widgets that the kernel holds."""
    return set(registry._instances)


def states() -> str:
    """All that any widget would tell a page, or a notebook that is saved, but for the code and the style of the page."""
    held = [widget.get_state() for widget in registry._instances.values()]
    told = [{name: trait for name, trait in state.items() if name not in {"_esm", "_css"}} for state in held]
    return json.dumps(told, default=repr, ensure_ascii=False)


def shown(form: Any) -> str:
    """All that the form says in words; the value of a field is not said, it is edited."""
    said = [
        trait
        for widget in widgets_of(form)
        for name, trait in widget.get_state().items()
        if not name.startswith("_") and name != "value"
    ]
    return json.dumps(said, default=repr, ensure_ascii=False)


# --- the line to the sandbox ------------------------------------------------------------------------------------------


def item(number: int, **changed: Any) -> dict[str, Any]:
    """A webhook as cStar lists it."""
    return {
        "id": f"whk_{number:012}",
        "name": f"Number {number:05}",
        "url": f"https://n{number:05}.example.com/hook",
        "events": ["ticket.created"],
        "isActive": True,
        "createdAt": "2025-11-01T09:00:00Z",
        "updatedAt": "2025-11-01T09:00:00Z",
    } | changed


def passed(sandbox: cx.Sandbox, *, answered: bool = True) -> Script:
    """The sandbox acts, and its answer comes back or is lost on the way."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc)) as onward:
            headers = {name: value for name, value in received.headers.items() if name != "host"}
            onward.request(received.method, received.path, received.body or None, headers)
            told = onward.getresponse()
            body = told.read()
        return answered and reply(told.status, body)(connection, received)

    return answer


def holding(item: dict[str, Any]) -> Script:
    """A team with this one webhook."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return data([item] if received.path.endswith("/webhooks") else item)(connection, received)

    return answer


def held(gate: threading.Event, line: Script) -> Script:
    """Nothing comes back before the gate is opened."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        gate.wait(5)
        return line(connection, received)

    return answer


def once(*lines: Script, then: Script) -> Script:
    """Each of these lines is used once, and after the last one it is always the other."""
    remaining = iter(lines)

    def answer(connection: Any, received: RecordedRequest) -> bool:
        line = next(remaining, then)
        return line(connection, received)

    return answer


@contextlib.contextmanager
def behind(
    sandbox: cx.Sandbox, *writes: Script, key: str = "secret", reads: Script | None = None, **options: Any
) -> Iterator[tuple[ScriptedServer, cx.Client]]:
    """A server before the sandbox, and its client: each writing call takes the next line, all others pass."""
    reading, writing = reads or passed(sandbox), once(*writes, then=passed(sandbox))

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return (reading if received.method == "GET" else writing)(connection, received)

    with (
        ScriptedServer(*[answer] * 50) as server,
        cx.Client(sandbox.keys[key], sandbox.team_id, server.url, **{"timeout": 2} | options) as client,
    ):
        yield server, client


def written(server: ScriptedServer) -> list[RecordedRequest]:
    """The requests that would change something."""
    return [request for request in server.requests if request.method != "GET"]


# --- the four ---------------------------------------------------------------------------------------------------------


def first(sandbox: cx.Sandbox, key: str = "secret") -> cx.Webhook:
    """The webhook that the forms are opened on."""
    with sandbox.client(key) as client:
        return client.webhooks.list()[0]


def listed(sandbox: cx.Sandbox, key: str = "secret") -> list[cx.Webhook]:
    with sandbox.client(key) as client:
        return list(client.webhooks.list())


def _renaming(client: cx.Client, webhook: cx.Webhook) -> cx.EditForm:
    form = cx.EditForm(client, webhook)
    form.fields["name"].value = "Renamed"
    return form


@dataclass(frozen=True)
class Kind:
    """One of the four forms, filled in and ready for its button."""

    name: str
    ready: Callable[[cx.Client, cx.Webhook], Any]
    button: str
    method: str
    confirm: str


KINDS = [
    Kind(
        "CreateForm",
        lambda client, _: cx.CreateForm(client, "New one", "https://example.com/new", ["ticket.created"]),
        "Create webhook",
        "POST",
        "New one",
    ),
    Kind("EditForm", _renaming, "Save changes", "PATCH", "Slack notifications"),
    Kind(
        "DeleteForm",
        cx.DeleteForm,
        "Delete webhook",
        "DELETE",
        "Slack notifications",
    ),
    Kind(
        "FireForm", lambda client, _: cx.FireForm(client, "ticket.created"), "Fire test event", "POST", "ticket.created"
    ),
]
CREATE, EDIT, DELETE, FIRE = KINDS
