"""Rejects requests that a web page elsewhere makes to a server on loopback."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .loopback import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class OwnHostOnly:
    """Answers only requests that name loopback as their host, and none that a web page elsewhere makes.

    A page of a stranger can point its own host name at 127.0.0.1 (DNS rebinding), or post a form to it; its browser says so.
    """

    def __init__(self, app: "ASGIApp") -> None:
        self._app = app

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http" and not _is_own(dict(scope["headers"])):
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"Only programs on this machine are answered.\n"})
            return
        await self._app(scope, receive, send)


def _is_own(headers: dict[bytes, bytes]) -> bool:
    try:
        host = urlsplit(f"//{headers.get(b'host', b'').decode('ascii')}").hostname or ""
    except ValueError:
        return False
    return (
        is_loopback(host)
        and b"origin" not in headers
        and headers.get(b"sec-fetch-site", b"none") in (b"none", b"same-origin")
    )
