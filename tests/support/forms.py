"""Helpers for tests of forms: a front end without a browser, and a scripted server in front of a sandbox."""

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
"""A bell, an escape, and characters that change the text direction."""


# --- the event loop ---------------------------------------------------------------------------------------------------


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Runs an async test in an event loop, as the kernel runs a cell."""

    @functools.wraps(test)
    def run(*args: Any, **fixtures: Any) -> None:
        asyncio.run(asyncio.wait_for(test(*args, **fixtures), 10))

    return run


async def until(condition: Callable[[], Any]) -> None:
    """Waits until the condition holds, at most 5 seconds."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - widgets have no asyncio.Event
            await asyncio.sleep(0.002)


async def turns(count: int = 20) -> None:
    """Lets the event loop run its ready callbacks, without waiting."""
    for _ in range(count):
        await asyncio.sleep(0)


# --- the front end ----------------------------------------------------------------------------------------------------


async def settled(form: Any) -> None:
    """Waits until the form is idle: its status is not busy and its button is enabled, or there is nothing to submit."""
    await turns()
    await until(lambda: form.status.tone != "busy" and form.button.disabled != form._can_submit)


async def press(form: Any) -> None:
    """Clicks the form's button, and confirms if the form asks."""
    form.button.click()
    if isinstance(form, cx.DeleteForm):
        await until(lambda: not hidden(form.choices) or form.status.tone == "failed")
        if not hidden(form.choices):
            form.confirm.click()


async def pressed(form: Any) -> None:
    """Clicks the form's button and waits until the form is idle."""
    await press(form)
    await settled(form)


def leave(field: Any) -> None:
    """Moves the focus out of the field."""
    field._handle_custom_msg({"event": "blur"}, [])


def hidden(widget: ipywidgets.DOMWidget) -> bool:
    return "cx-hidden" in widget._dom_classes


def widgets_of(form: Any) -> list[ipywidgets.Widget]:
    """All widgets of the form, including boxes."""
    widgets = [form.widget]
    for widget in widgets:
        widgets += getattr(widget, "children", ())
    return widgets


def alive() -> set[str]:
    """The IDs of all open widgets in this kernel."""
    return set(registry._instances)


def states() -> str:
    """The state of all open widgets as a page or a saved notebook gets it, without JavaScript and CSS."""
    return json.dumps(
        [
            {name: trait for name, trait in widget.get_state().items() if name not in {"_esm", "_css"}}
            for widget in registry._instances.values()
        ],
        default=repr,
        ensure_ascii=False,
    )


def visible(form: Any, widget: Any) -> bool:
    """Whether a widget of the form and everything around it is visible."""
    above = {child.model_id: box for box in widgets_of(form) for child in getattr(box, "children", ())}
    while widget is not None and not hidden(widget):
        widget = above.get(widget.model_id)
    return widget is None


def shown(form: Any) -> str:
    """All text that the form shows, except the values of its fields."""
    traits = [
        trait
        for widget in widgets_of(form)
        for name, trait in widget.get_state().items()
        if not name.startswith("_") and name != "value"
    ]
    return json.dumps(traits, default=repr, ensure_ascii=False)


# --- the connection to the sandbox ------------------------------------------------------------------------------------


def item(number: int, **changed: Any) -> dict[str, Any]:
    """A webhook as in cStar's list."""
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
    """Forwards the request to the sandbox. With `answered=False` the response is lost."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        with contextlib.closing(http.client.HTTPConnection(urlsplit(sandbox.base_url).netloc)) as upstream:
            headers = {name: value for name, value in received.headers.items() if name != "host"}
            upstream.request(received.method, received.path, received.body or None, headers)
            response = upstream.getresponse()
            body = response.read()
        return answered and reply(response.status, body)(connection, received)

    return answer


def holding(item: dict[str, Any]) -> Script:
    """A team whose only webhook is this one."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return data([item] if received.path.endswith("/webhooks") else item)(connection, received)

    return answer


def held(gate: threading.Event, script: Script) -> Script:
    """Runs the script once the gate is set."""

    def answer(connection: Any, received: RecordedRequest) -> bool:
        gate.wait(5)
        return script(connection, received)

    return answer


def once(*scripts: Script, then: Script) -> Script:
    """Runs each script for one request, and `then` for all later requests."""
    remaining = iter(scripts)

    def answer(connection: Any, received: RecordedRequest) -> bool:
        script = next(remaining, then)
        return script(connection, received)

    return answer


@contextlib.contextmanager
def behind(
    sandbox: cx.Sandbox, *writes: Script, key: str = "secret", reads: Script | None = None, **options: Any
) -> Iterator[tuple[ScriptedServer, cx.Client]]:
    """A scripted server in front of the sandbox, and a client of it.

    Each writing request runs the next script of `writes`, each GET runs `reads`; all others are forwarded.
    """
    reading, writing = reads or passed(sandbox), once(*writes, then=passed(sandbox))

    def answer(connection: Any, received: RecordedRequest) -> bool:
        return (reading if received.method == "GET" else writing)(connection, received)

    with (
        ScriptedServer(*[answer] * 50) as server,
        cx.Client(sandbox.keys[key], sandbox.team_id, server.url, **{"timeout": 2} | options) as client,
    ):
        yield server, client


def written(server: ScriptedServer) -> list[RecordedRequest]:
    """The requests other than GET."""
    return [request for request in server.requests if request.method != "GET"]


# --- the forms --------------------------------------------------------------------------------------------------------


def first(sandbox: cx.Sandbox, key: str = "secret") -> cx.Webhook:
    """The sandbox's first webhook."""
    with sandbox.client(key) as client:
        return client.webhooks.list()[0]


def listed(sandbox: cx.Sandbox, key: str = "secret") -> list[cx.Webhook]:
    with sandbox.client(key) as client:
        return list(client.webhooks.list())


def _rename(client: cx.Client, webhook: cx.Webhook) -> cx.EditForm:
    form = cx.EditForm(client, webhook)
    form.fields["name"].value = "Renamed"
    return form


@dataclass(frozen=True)
class Kind:
    """A kind of form.

    Attributes:
        name: The name of its class.
        make: Makes it, with its fields filled in.
        button: The label of its button.
        method: The HTTP method of its call.
        confirm: The text that confirms it with a live key.
        tone: That of its status after a success. The sandbox withholds the fired deliveries, and the status warns of that.
    """

    name: str
    make: Callable[[cx.Client, cx.Webhook], Any]
    button: str
    method: str
    confirm: str
    tone: str = "done"


KINDS = [
    Kind(
        "CreateForm",
        lambda client, _: cx.CreateForm(client, "New one", "https://example.com/new", ["ticket.created"]),
        "Create webhook",
        "POST",
        "New one",
    ),
    Kind("EditForm", _rename, "Save changes", "PATCH", "Slack notifications"),
    Kind("DeleteForm", cx.DeleteForm, "Delete webhook", "DELETE", "Slack notifications"),
    Kind(
        "FireForm",
        lambda client, _: cx.FireForm(client, "ticket.created"),
        "Fire test event",
        "POST",
        "ticket.created",
        "warned",
    ),
]
CREATE, EDIT, DELETE, FIRE = KINDS
