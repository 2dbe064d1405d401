"""A server for lists, in a process of its own. Responses are in memory, so it is equally fast for each alternative.

python -m benchmarks.server WEBHOOKS DELAY    prints its port; the delay is in seconds
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import uvicorn

from .items import response

KEY = "sk_test_not-a-real-key"


@contextmanager
def running(*command: object) -> Iterator[str]:
    """Runs a module until the end of the block; gives the first line that it prints."""
    arguments = [sys.executable, "-m", *map(str, command)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def lists(count: int, delay: float = 0) -> Iterator[str]:
    """The address of a server with this many webhooks, which delays each response by so many seconds."""
    with running("benchmarks.server", count, delay) as port:
        yield f"http://127.0.0.1:{port}"


def main() -> None:
    """Serves until it is terminated."""
    count, delay = int(sys.argv[1]), float(sys.argv[2])
    body = cache(lambda path: response(path, count))

    async def app(scope, receive, send) -> None:  # noqa: ANN001, ARG001 - the signature of ASGI
        await asyncio.sleep(delay)
        content = body(scope["path"].partition("/teams/")[0] or scope["path"])
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def serve() -> None:
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for this
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
