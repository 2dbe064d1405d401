"""A listener's requests, live: a row for each, and one opened to show its verdict, headers, JSON and raw bytes."""

import json
import threading
from typing import TYPE_CHECKING, Any

import traitlets

from ..errors import CStarError
from ..text import printable
from .displayed import Displayed
from .inputs import STATIC, BaseWidget
from .verdict import verdict_lines

if TYPE_CHECKING:
    from ..listener import Listener, Received

_MAX_ROWS = 100  # `listener.to_frame()` has all requests
_DELAY = 0.05  # seconds in which arrivals are collected into one update


_views: dict["Listener", "DeliveriesTab"] = {}  # of open listeners


class _Arrivals(BaseWidget):
    _esm = STATIC / "arrivals.js"
    title = traitlets.Unicode().tag(sync=True)
    rows: traitlets.List[list[object]] = traitlets.List().tag(sync=True)
    opened: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)  # of the opened request


class DeliveriesTab(Displayed):
    """Shows the requests of a listener, and updates as they arrive, until it is closed."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._update_pending = threading.Lock()
        self._timer: threading.Timer | None = None
        self._closed = False
        self.widget = _Arrivals(title=f"Listening at {listener.url}")
        self.widget.on_msg(self._handle_message)
        self._unwatch = listener.on_arrival(self._schedule_update)
        self.refresh()

    @classmethod
    def of(cls, listener: "Listener") -> "DeliveriesTab":
        """The view that displays a listener: created once, and closed with the listener."""
        if listener not in _views:
            _views[listener] = cls(listener)
            listener._on_close(lambda: _views.pop(listener).close())  # noqa: SLF001 - for this widget only
        return _views[listener]

    def refresh(self) -> None:
        """Shows the newest requests. If the listener is closed, the rows stay, and the title says so."""
        try:
            requests = self._listener.requests(newest=_MAX_ROWS)
        except CStarError as error:
            self.widget.title = str(error)
        else:
            self.widget.rows = [_row(request) for request in reversed(requests)]

    def open(self, number: int) -> None:
        """Shows the details of a request."""
        request = self._listener[number]
        with self.widget.hold_sync():
            self.widget.number = number
            self.widget.opened = [[heading, _printable_lines(text)] for heading, text in self._details(request)]

    def close(self) -> None:
        """Stops the updates and frees the widget."""
        self._closed = True
        self._unwatch()
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()  # an update that has begun reads the listener, which may be closed next
        self.widget.close()

    def _schedule_update(self) -> None:
        """Combines requests that arrive at about the same time into one update."""
        if self._update_pending.acquire(blocking=False):
            timer = threading.Timer(_DELAY, self._update)
            timer.daemon = True
            timer.start()
            self._timer = timer

    def _update(self) -> None:
        self._update_pending.release()
        if not self._closed:
            self.refresh()

    def _handle_message(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "open" and isinstance(content.get("id"), int):
            try:
                self.open(content["id"])
            except CStarError as error:  # the listener was closed
                self.widget.title = str(error)
        if content.get("event") == "copy" and self.widget.number:
            try:
                value = self._copy(self.widget.number, str(content.get("what")))
            except CStarError as error:
                value = str(error)
            self.widget.send({"nonce": content.get("nonce"), "value": value})

    def _details(self, request: "Received") -> list[tuple[str, str]]:
        answered = "not answered yet" if request.answered is None else f"answered with {request.answered}"
        own = [line for line in request.headers if _is_own(line[0])]
        others = [line for line in request.headers if not _is_own(line[0])]
        details = [
            ("Verdict", self._verdict(request)),
            (f"Request {request.id}", f"{request.method} at {request.received_at:%Y-%m-%d %H:%M:%S} UTC, {answered}"),
            ("Headers", _header_lines(own)),
            ("Transport headers", _header_lines(others)),
        ]
        if not request.refused:  # else its body was not read
            raw = request.body[:20_000].decode("utf-8", "backslashreplace")
            details += [("JSON", _pretty(request.body)), (f"Raw, {len(request.body):,} bytes", raw)]
        return [*details, ("Error in the handler", request.error)] if request.error else details

    def _verdict(self, request: "Received") -> str:
        """The verdict, the evidence and the remedy, a line each."""
        try:
            explanation = self._listener.explain(request.id)
        except CStarError as error:
            return str(error)
        if request.cause == "not_json":  # `verify` refuses such a body, but `explain` may only look at its signature
            return "Refused: not json\nThe signature is valid, but the body is not a JSON object."
        return "\n".join(verdict_lines(explanation))

    def _copy(self, number: int, what: str) -> str:
        """The body as text, or a curl command that sends the request again to the listener."""
        from ..deliveries import delivery

        request = self._listener[number]
        if what == "body":
            return request.body.decode("utf-8", "backslashreplace")
        return delivery(request).to_curl(self._listener.url)

    def __repr__(self) -> str:
        return repr(self._listener)


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line, 20_000) for line in text.split("\n"))


def _is_own(header: str) -> bool:
    """Whether cStar sets this header, and not the connection."""
    return header.startswith("x-") and not header.startswith(("x-forwarded-", "x-real-"))


def _header_lines(headers: list[tuple[str, str]]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers)


def _row(request: "Received") -> list[object]:
    verdict = {None: "not verified: no secret", "ok": "verified"}.get(request.cause, f"refused: {request.cause}")
    duplicate = f", duplicate of {request.duplicate_of}" if request.duplicate_of else ""
    return [
        request.id,
        f"{request.received_at:%H:%M:%S}",
        printable(request.event or "no event", 80),
        printable(request.header("x-delivery-attempt") or "", 20),
        f"{verdict}{duplicate}",
        "…" if request.answered is None else str(request.answered),
    ]


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "The body is not JSON."
