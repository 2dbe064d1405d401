"""A server for lists, in a process of its own. Responses are in memory, so it is equally fast for each alternative.

python -m benchmarks.server WEBHOOKS DELAY    prints its port; the delay is in seconds
"""

import asyncio
import sys
from collections.abc import Callable
from functools import cache
from urllib.parse import parse_qs

import uvicorn

from . import items

PAGE = 100  # Stripe's maximum; Svix's is 250


class Lists:
    """The ASGI app."""

    def __init__(self, count: int, delay: float) -> None:
        self.count = count
        self.delay = delay
        self.cstar = items.cstar(count)

    async def __call__(self, scope, receive, send) -> None:  # noqa: ANN001, ARG002 - the signature of ASGI
        if scope["type"] != "http":
            return
        if self.delay:
            await asyncio.sleep(self.delay)
        body = self.body(scope["path"], parse_qs(scope["query_string"].decode()))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def body(self, path: str, query: dict[str, list[str]]) -> bytes:
        """The same webhooks in the format that the path implies."""
        if path.startswith("/v1/webhook_endpoints"):
            cursor = query.get("starting_after")
            return self.page(items.stripe, int(cursor[0].removeprefix("whk_")) + 1 if cursor else 0, PAGE)
        if path.endswith("/endpoint"):
            return self.page(items.svix, int(query.get("iterator", ["0"])[0]), 250)
        return self.cstar

    @cache  # noqa: B019 - the app lives as long as its process
    def page(self, make: Callable[[int, int, int], bytes], start: int, count: int) -> bytes:
        """A page, generated once."""
        return make(start, count, self.count)


def main() -> None:
    """Serves until it is terminated."""
    app = Lists(int(sys.argv[1]), float(sys.argv[2]))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))

    async def serve() -> None:
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for this
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await serving

    asyncio.run(serve())


if __name__ == "__main__":
    main()
