"""What a handler may be and may return, and that it runs to its end before the sender gets a response."""

import asyncio
import contextlib
import functools
import http
import http.client
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import body_of, deliver, send


@pytest.fixture(scope="module")
def listener() -> Iterator[cx.Listener]:
    with cx.Listener() as listener:
        yield listener


def outcome(listener: cx.Listener, handler: Callable[[dict[str, Any]], Any]) -> tuple[int, int | None, str]:
    """The status that the sender gets, the stored one, and the stored error."""
    listener.answer.handler = handler
    status, _, _ = send(listener.url, body_of())
    stored = listener.requests(1)[0]
    return status, stored.answered, stored.error or ""


# --- async handlers

seen: list[str] = []


async def handle(event: dict[str, Any]) -> int:
    await asyncio.sleep(0.01)
    async with asyncio.timeout(1):
        await asyncio.sleep(0)
    seen.append(event["id"])
    return 202


class AsyncHandler:
    async def __call__(self, event: dict[str, Any]) -> int:
        return await handle(event)

    async def method(self, event: dict[str, Any]) -> int:
        return await handle(event)


@functools.wraps(handle)
def decorated(event: dict[str, Any]) -> Any:
    return handle(event)


@pytest.mark.parametrize(
    "handler",
    [
        pytest.param(handle, id="function"),
        pytest.param(AsyncHandler(), id="object"),
        pytest.param(AsyncHandler().method, id="method"),
        pytest.param(functools.partial(handle), id="partial"),
        pytest.param(decorated, id="decorated"),
    ],
)
def test_async_handler_runs_to_its_end(listener: cx.Listener, handler: Callable[[dict[str, Any]], Any]) -> None:
    """Before the response. What it returns counts."""
    seen.clear()
    assert (202, 202, "") == outcome(listener, handler)
    assert ["evt_1"] == seen


def test_async_handler_that_raises_gives_500_and_a_traceback(listener: cx.Listener) -> None:
    """The traceback begins in the handler."""

    async def broken(_: object) -> None:
        await asyncio.sleep(0)
        raise KeyError("ticket")

    status, stored, error = outcome(listener, broken)
    assert (500, 500) == (status, stored)
    lines = error.splitlines()
    assert (lines[0].startswith("Traceback"), "in broken" in lines[1], lines[-1]) == (True, True, "KeyError: 'ticket'")


@pytest.mark.parametrize(
    "raised", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit(), SystemExit(), BaseException("odd")]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_sender_gets_a_response_whatever_the_handler_raises(
    listener: cx.Listener, raised: BaseException, is_async: bool
) -> None:
    """Also exceptions that end a task or a program."""

    def broken(_: object) -> None:
        raise raised

    async def broken_async(_: object) -> None:
        raise raised

    status, stored, error = outcome(listener, broken_async if is_async else broken)
    assert (500, 500, True) == (status, stored, type(raised).__name__ in error)


def test_async_handler_does_not_need_the_callers_loop(sandbox: cx.Sandbox) -> None:
    """The loop that fires the event is blocked meanwhile."""

    async def slow(_: object) -> None:
        await asyncio.sleep(0.05)

    async def notebook_cell(client: cx.Client) -> str:
        return client.webhooks.trigger_test("ticket.created").event_id

    with sandbox.client() as client, sandbox.listener(handler=slow) as listener:
        client.webhooks.create(name="Here", url=listener.url, events="ticket.created")
        began = time.monotonic()
        event_id = asyncio.run(notebook_cell(client))
        assert (200, True) == (listener.wait_for(event_id).answered, time.monotonic() - began < 5)


def test_async_handler_may_block_and_fire_events(sandbox: cx.Sandbox) -> None:
    """The event that it fires is handled by itself."""
    handled: list[str] = []
    with sandbox.client() as client, sandbox.listener() as listener:

        async def nested(event: dict[str, Any]) -> None:
            handled.append(event["type"])
            if event["type"] == "ticket.created":
                client.webhooks.trigger_test("ticket.closed")

        listener.answer.handler = nested
        client.webhooks.create(name="Here", url=listener.url, events="*")
        began = time.monotonic()
        client.webhooks.trigger_test("ticket.created")
        assert (["ticket.created", "ticket.closed"], True) == (handled, time.monotonic() - began < 5)


def test_async_handlers_run_at_the_same_time(listener: cx.Listener) -> None:
    """One that waits does not hold up others."""
    gate = threading.Barrier(5)

    async def meet(_: object) -> None:
        await asyncio.to_thread(gate.wait, 4)

    listener.answer.handler = meet
    with ThreadPoolExecutor(5) as executor:
        assert {200} == {status for status, *_ in executor.map(lambda _: send(listener.url, body_of()), range(5))}


def test_async_watcher_runs(listener: cx.Listener, caplog: pytest.LogCaptureFixture) -> None:
    """What it raises is logged and does not change the response."""
    called = threading.Semaphore(0)
    listener.answer.handler = None

    async def watch() -> None:
        await asyncio.sleep(0)
        called.release()
        raise ZeroDivisionError("in a watcher")

    end = listener.on_arrival(watch)
    try:
        assert 200 == send(listener.url, body_of())[0]
        assert called.acquire(timeout=5)
        assert any("in a watcher" in caplog.text or threading.Event().wait(0.01) for _ in range(200))
    finally:
        end()


def test_replay_runs_an_async_function(listener: cx.Listener) -> None:
    """Its result is understood as a handler's is."""
    listener.answer.handler = None
    deliver(listener)
    number = listener.requests(1)[0].id
    seen.clear()
    frame = listener.replay([number, number], handle)
    assert ([202, 202], ["evt_1", "evt_1"]) == (list(frame["answered"]), seen)
    frame = listener.replay([number], lambda _: {"status": 200})
    assert ([500], True) == (list(frame["answered"]), "dict" in frame["error"][0])


# --- results


@pytest.mark.parametrize(
    ("returned", "status", "text"),
    [
        pytest.param(None, 200, b"", id="None"),
        pytest.param(http.HTTPStatus.ACCEPTED, 202, b"", id="HTTPStatus"),
        pytest.param((503, "later"), 503, b"later", id="status and text"),
        pytest.param((200, "ü"), 200, "ü".encode(), id="text that is not ASCII"),
        pytest.param((200, ""), 200, b"", id="empty text"),
        pytest.param((204, "no body allowed"), 204, b"", id="text where no body is allowed"),
        pytest.param(Response("later", 503), 503, b"later", id="Response"),
        pytest.param(Response(status_code=204), 204, b"", id="Response without a body"),
        pytest.param(JSONResponse({"a": 1}, 201), 201, b'{"a":1}', id="JSONResponse"),
        pytest.param(RedirectResponse("/x"), 307, b"", id="RedirectResponse"),
        pytest.param(FileResponse(Path(__file__), 200), 200, Path(__file__).read_bytes(), id="FileResponse"),
    ],
)
def test_documented_results_are_understood(listener: cx.Listener, returned: object, status: int, text: bytes) -> None:
    """The sender gets the status and the body, and the status is stored."""
    listener.answer.handler = lambda _: returned
    got, body, headers = send(listener.url, body_of())
    assert (status, status, None) == (got, listener.requests(1)[0].answered, listener.requests(1)[0].error)
    assert text == body or (text == b"" and status >= 300)
    assert headers.get("content-length", "0") == str(len(body))


def test_streamed_response_is_sent_and_its_background_task_runs(listener: cx.Listener) -> None:
    """With its headers."""
    done: list[bool] = []

    async def chunks() -> AsyncIterator[bytes]:
        yield b"one "
        await asyncio.sleep(0)
        yield b"two"

    async def handler(_: object) -> Response:
        task = BackgroundTask(done.append, True)
        return StreamingResponse(chunks(), 201, {"X-Own": "yes", "Connection": "keep-alive"}, background=task)

    listener.answer.handler = handler
    status, body, headers = send(listener.url, body_of())
    assert (201, b"one two", "yes", [True]) == (status, body, headers["x-own"], done)


class Odd:
    def __repr__(self) -> str:
        raise RuntimeError


async def generator(_: object) -> AsyncIterator[int]:
    yield 200


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        pytest.param("ok", "str", id="text"),
        pytest.param(b"ok", "bytes", id="bytes"),
        pytest.param(True, "bool", id="bool"),
        pytest.param(False, "bool", id="False"),
        pytest.param(200.0, "float", id="float"),
        pytest.param(0, "int", id="0"),
        pytest.param(100, "int", id="informational status"),
        pytest.param(600, "int", id="no status"),
        pytest.param({"status": 200}, "dict", id="dict"),
        pytest.param(("no", 500), "tuple", id="text and status"),
        pytest.param((True, "yes"), "tuple", id="bool and text"),
        pytest.param((200, b"bytes"), "tuple", id="status and bytes"),
        pytest.param((200, "text", {}), "tuple", id="tuple of three"),
        pytest.param((), "tuple", id="empty tuple"),
        pytest.param([200, "text"], "list", id="list"),
        pytest.param(generator(None), "async_generator", id="async generator"),
        pytest.param(Odd(), "Odd", id="object without a repr"),
        pytest.param(Response(status_code=99), "Response", id="Response with no status"),
        pytest.param(Response(headers={"x": "a\nb"}), "Response", id="Response with an invalid header"),
        pytest.param(Response(headers={"a b": "c"}), "Response", id="Response with an invalid header name"),
        pytest.param(Response(b"x" * (2**20 + 1)), "Response", id="Response that is too long"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_any_other_result_is_a_500_with_the_reason(
    listener: cx.Listener, returned: object, kind: str, is_async: bool
) -> None:
    """It is never taken for a success. The reason names the type."""

    async def handler(_: object) -> object:
        return returned

    status, stored, error = outcome(listener, handler if is_async else lambda _: returned)
    assert (500, 500) == (status, stored)
    assert (True, False) == (kind in error, "Traceback" in error)


def test_long_traceback_is_shortened(listener: cx.Listener) -> None:
    """Its beginning and end are kept."""

    def broken(_: object) -> None:
        raise ValueError("x" * 1_000_000 + "the end")

    _, _, error = outcome(listener, broken)
    assert (True, True, True) == (error.startswith("Traceback"), error.endswith("the end"), len(error) < 30_000)


@pytest.mark.parametrize("handler", ["print", 5, b"", object()])
def test_handler_that_cannot_be_called_is_rejected(handler: Any) -> None:
    """At once, by the constructor and by the settings."""
    with pytest.raises(errors.ConfigurationError, match="handler"):
        cx.Listener(handler=handler)
    with cx.Listener() as listener, pytest.raises(errors.ConfigurationError, match="handler"):
        listener.answer.handler = handler


def test_listener_closes_while_a_handler_runs() -> None:
    """After the time that open requests get."""
    gate = threading.Event()
    listener = cx.Listener(handler=lambda _: gate.wait(5) and None)
    sender = threading.Thread(target=attempt, args=(listener.url,))
    sender.start()
    assert any(listener.requests() or threading.Event().wait(0.01) for _ in range(200))
    began = time.monotonic()
    listener.close()
    assert time.monotonic() - began < 3
    gate.set()
    sender.join(5)


def attempt(url: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        send(url, body_of())
