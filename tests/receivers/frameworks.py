"""Receivers on Flask, FastAPI and aiohttp. A framework that is not installed has none."""

import asyncio
import importlib.util
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.receivers.receiving import PATH, Running, Work, event_in, in_thread


def _available(*modules: str) -> bool:
    return all(importlib.util.find_spec(module) for module in modules)


# --- Flask


@contextmanager
def _flask(read: Any, work: Work) -> Iterator[str]:
    from flask import Flask, request
    from werkzeug.serving import make_server

    app = Flask(__name__)

    @app.post(PATH)
    def hook() -> tuple[str, int]:
        status = work.take(read(request), request.headers.get("X-Signature"))
        return ("", 204) if status == 200 else ("rejected", 400)

    server = make_server("127.0.0.1", 0, app, threaded=True)
    server.daemon_threads = True
    try:
        with in_thread(server.serve_forever, server.shutdown):
            yield f"http://127.0.0.1:{server.server_port}{PATH}"
    finally:
        server.server_close()


def flask_correct(work: Work) -> Any:
    return _flask(lambda request: request.get_data(), work)


def flask_writes_json_with_escapes(work: Work) -> Any:
    return _flask(lambda request: json.dumps(request.get_json(), separators=(",", ":")).encode(), work)


def flask_trims_line_ends(work: Work) -> Any:
    return _flask(lambda request: request.get_data(as_text=True).rstrip("\r\n").encode(), work)


# --- FastAPI


@contextmanager
def _fastapi(work: Work, *, parsed: bool) -> Iterator[str]:
    import uvicorn
    from fastapi import BackgroundTasks, Body, FastAPI, Request, Response

    app = FastAPI()

    async def raw(request: Request, background: BackgroundTasks) -> Response:
        body = await request.body()
        event = event_in(body) if work.verifies(body, request.headers.get("x-signature")) else None
        if event is None:
            return Response(status_code=403)
        background.add_task(work.act, event)
        return Response(status_code=202, background=background)

    async def written(request: Request, event: Any = Body()) -> Response:  # noqa: B008 - FastAPI's way
        return Response(status_code=work.take(json.dumps(event).encode(), request.headers.get("x-signature")))

    app.post(PATH)(written if parsed else raw)
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    listening = config.bind_socket()

    def stop() -> None:
        server.should_exit = True

    with in_thread(lambda: asyncio.run(server.serve([listening])), stop):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"


def fastapi_correct(work: Work) -> Any:
    return _fastapi(work, parsed=False)


def fastapi_writes_default_json(work: Work) -> Any:
    return _fastapi(work, parsed=True)


# --- aiohttp


@contextmanager
def _aiohttp(read: Any, work: Work) -> Iterator[str]:
    from aiohttp import web

    async def hook(request: web.Request) -> web.Response:
        return web.Response(status=work.take(await read(request), request.headers.get("X-Signature")))

    loop = asyncio.new_event_loop()
    ready = threading.Event()
    ports: list[int] = []

    async def start() -> web.AppRunner:
        app = web.Application()
        app.router.add_post(PATH, hook)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        return runner

    def run() -> None:
        runner = loop.run_until_complete(start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    with in_thread(run, lambda: loop.call_soon_threadsafe(loop.stop)):
        assert ready.wait(5)
        yield f"http://127.0.0.1:{ports[0]}{PATH}"


async def _raw(request: Any) -> bytes:
    return await request.read()


async def _written(request: Any) -> bytes:
    return json.dumps(await request.json(), separators=(",", ":"), ensure_ascii=False).encode()


async def _trimmed(request: Any) -> bytes:
    return (await request.text()).strip().encode()


def aiohttp_correct(work: Work) -> Any:
    return _aiohttp(_raw, work)


def aiohttp_writes_compact_json(work: Work) -> Any:
    return _aiohttp(_written, work)


def aiohttp_trims(work: Work) -> Any:
    return _aiohttp(_trimmed, work)


# --- those that can be started here

_FLASK = (flask_correct, flask_writes_json_with_escapes, flask_trims_line_ends) if _available("flask") else ()
_FASTAPI = (fastapi_correct, fastapi_writes_default_json) if _available("fastapi") else ()
_AIOHTTP = (aiohttp_correct, aiohttp_writes_compact_json, aiohttp_trims) if _available("aiohttp") else ()

RECEIVERS: dict[str, Running] = {start.__name__: start for start in (*_FLASK, *_FASTAPI, *_AIOHTTP)}
