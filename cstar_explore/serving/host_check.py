"""Rejects requests to a loopback server that come from web pages."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from ..text import printable
from .loopback import host_of, is_allowed


@dataclass(frozen=True)
class Refusal:
    """Why a request is refused.

    Attributes:
        status: The status of the response; None if the sender has disconnected.
        cause: A word for the reason.
        reason: A sentence for the user.
    """

    status: int | None
    cause: str
    reason: str


OnRefused = Callable[[Scope, Refusal], None]


@dataclass(eq=False)
class HostCheckMiddleware:
    """Answers with 403 unless `Host` is loopback or allowed, and no browser headers show that another page made the request.

    A web page can point its own host name at 127.0.0.1 (DNS rebinding) or post a form to it. The browser's `Host`, `Origin` and
    `Sec-Fetch-Site` headers reveal both.

    Args:
        allowed_hosts: Host names besides loopback, such as a tunnel's, in lower case.
        on_refused: Called with each refused request.
    """

    app: ASGIApp
    allowed_hosts: Collection[str] = ()
    on_refused: OnRefused | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(dict(scope["headers"]), self.allowed_hosts) if scope["type"] == "http" else None
        if refusal is None:
            await self.app(scope, receive, send)
            return
        if self.on_refused is not None:
            self.on_refused(scope, refusal)
        await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"Only programs on this machine may send requests.\n"})


def _refusal(headers: dict[bytes, bytes], allowed_hosts: Collection[str]) -> Refusal | None:
    host = headers.get(b"host", b"").decode("latin-1")
    name = host_of(f"//{host}") if host.isascii() else ""
    if not is_allowed(name, allowed_hosts):
        shown = printable(host, 80)
        remedy = f" If it is your tunnel's, pass allowed_hosts=['{printable(name, 80)}']." if name else ""
        return Refusal(403, "foreign_host", f"The Host header is '{shown}', which is not this machine.{remedy}")
    if b"origin" in headers or headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return Refusal(403, "web_page", "A web page sent the request: it has an Origin or Sec-Fetch-Site header.")
    return None
