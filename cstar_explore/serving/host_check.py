"""Rejects requests to a loopback server that come from web pages."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class HostCheckMiddleware:
    """Answers with 403 unless `Host` is loopback and no browser headers show that another page made the request.

    A web page can point its own host name at 127.0.0.1 (DNS rebinding) or post a form to it. The browser's `Host`, `Origin` and
    `Sec-Fetch-Site` headers reveal both.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http" and not _is_local(dict(scope["headers"])):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Only programs on this machine may send requests.\n"})
            return
        await self._app(scope, receive, send)


def _is_local(headers: dict[bytes, bytes]) -> bool:
    try:
        host = urlsplit(f"//{headers.get(b'host', b'').decode('ascii')}").hostname or ""
    except ValueError:
        return False
    return (
        is_loopback(host)
        and b"origin" not in headers
        and headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    )
