"""What a listener hears, live: a row for each request, and one of them opened into verdict, headers, JSON and raw bytes."""

import json
import threading
from typing import TYPE_CHECKING, Any

import traitlets

from ..errors import CStarError
from ..text import printable
from .inputs import STATIC, BaseWidget

if TYPE_CHECKING:
    from ..listener import Listener, Received

NEWEST = 100  # rows in view; `to_frame()` has them all
_BREATH = 0.05  # seconds in which arrivals are gathered into one update


_views: dict["Listener", "DeliveriesTab"] = {}  # until the listener is closed


class _Arrivals(BaseWidget):
    """The table and the opened request. All text, set as text."""

    _esm = STATIC / "arrivals.js"
    title = traitlets.Unicode().tag(sync=True)
    rows: traitlets.List[list[object]] = traitlets.List().tag(sync=True)
    opened: traitlets.List[list[str]] = traitlets.List().tag(sync=True)


class DeliveriesTab:
    """A listener, displayed. It is updated as requests arrive, until the listener is closed."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._pending = threading.Lock()
        self.widget = _Arrivals(title=f"Listening at {listener.url}")
        self.widget.on_msg(self._asked)
        self._end = listener.on_arrival(self._soon)
        self.refresh()

    @classmethod
    def of(cls, listener: "Listener") -> "DeliveriesTab":
        """The view of a listener, made when it is first displayed, and closed with it."""
        if listener not in _views:
            _views[listener] = cls(listener)
            listener.on_close(lambda: _views.pop(listener).close())
        return _views[listener]

    def refresh(self) -> None:
        """Shows what has arrived."""
        self.widget.rows = [_row(request) for request in reversed(self._listener.requests(newest=NEWEST))]

    def open(self, number: int) -> None:
        """Opens a request into its parts."""
        request = self._listener[number]
        self.widget.opened = [[heading, printable_lines(text)] for heading, text in self._parts(request)]

    def close(self) -> None:
        """Ends the updates and frees the widget."""
        self._end()
        self.widget.layout.close()
        self.widget.close()

    def _soon(self) -> None:
        """One update for all that arrives within a breath, so that a flood does not become a flood of messages."""
        if self._pending.acquire(blocking=False):
            timer = threading.Timer(_BREATH, self._now)
            timer.daemon = True
            timer.start()

    def _now(self) -> None:
        self._pending.release()
        self.refresh()

    def _asked(self, _: object, content: dict[str, Any], __: object) -> None:
        if content.get("event") == "open" and isinstance(content.get("id"), int):
            self.open(content["id"])

    def _parts(self, request: "Received") -> list[tuple[str, str]]:
        try:
            # `verify` refuses what is signed and is no event; the signature, which `explain` speaks of, is right.
            no_event = "refused: not_json. The signature is right, and the body is not a JSON object."
            verdict = no_event if request.cause == "not_json" else repr(self._listener.explain(request.id))
        except CStarError as error:
            verdict = str(error)
        parts = [
            (
                f"Request {request.id}",
                f"{request.method} at {request.received_at:%Y-%m-%d %H:%M:%S} UTC, answered {request.answered}",
            ),
            ("Verdict", verdict),
            ("Headers", "\n".join(f"{name}: {value}" for name, value in request.headers)),
            ("JSON", _pretty(request.body)),
            (f"Raw, {len(request.body):,} bytes", repr(request.body[:20_000])),
        ]
        return [*parts, ("The handler raised", request.error)] if request.error else parts

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        data, _ = self.widget._repr_mimebundle_(**options) or ({}, {})
        return {**data, "text/plain": repr(self._listener)}


def printable_lines(text: str) -> str:
    """`printable`, line by line."""
    return "\n".join(printable(line, 20_000) for line in text.splitlines())


def _row(request: "Received") -> list[object]:
    judged = {None: "not judged", "ok": "verified"}.get(request.cause, f"refused: {request.cause}")
    twice = f", duplicate of {request.duplicate_of}" if request.duplicate_of else ""
    return [
        request.id,
        f"{request.received_at:%H:%M:%S}",
        printable(request.event or "no event", 80),
        printable(request.header("x-delivery-attempt") or "", 20),
        f"{judged}{twice}",
        "…" if request.answered is None else str(request.answered),
    ]


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "The body is not JSON."
