"""Rejects requests to a loopback server that come from web pages."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ..hosts import host_of, is_allowed
from ..text import printable


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


def checking_hosts(app: ASGIApp, allowed_hosts: Collection[str], on_refused: OnRefused) -> ASGIApp:
    """The app, with a 403 unless `Host` is loopback or allowed, and no browser headers show that another page made the request.

    A web page can point its own host name at 127.0.0.1 (DNS rebinding) or post a form to it. The browser's `Host`, `Origin` and
    `Sec-Fetch-Site` headers reveal both.

    Args:
        app: Gets the other requests.
        allowed_hosts: Host names besides loopback, such as a tunnel's, in lower case.
        on_refused: Called with each refused request.
    """

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(dict(scope["headers"]), allowed_hosts)
        if refusal is None:
            await app(scope, receive, send)
            return
        on_refused(scope, refusal)
        response = PlainTextResponse("Only programs on this machine may send requests.\n", 403)
        await response(scope, receive, send)

    return checked


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
