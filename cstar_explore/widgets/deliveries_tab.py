"""A listener's requests, live: a row for each, and one opened to show its verdict, headers, JSON and raw bytes."""

import asyncio
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import traitlets

from ..errors import CStarError
from ..models import Webhook
from ..text import plural, printable
from .arrivals import Arrivals, verdict_of
from .displayed import Displayed
from .explain_form import verdict_lines
from .inputs import BaseWidget
from .table import short_name

if TYPE_CHECKING:
    import pandas as pd

    from ..listener import Listener, Received

_MAX_ROWS = 100  # `listener.to_frame()` has all requests
_SEARCHED = 1_000  # newest requests, which the filters choose from

_VERDICTS: dict[str, "Callable[[Received], bool]"] = {
    "": lambda _: True,
    "verified": lambda request: request.cause == "ok",
    "refused": lambda request: request.cause not in (None, "ok"),
    "failed answer": lambda request: request.answered is not None and not request.accepted,
}

_views: dict["Listener", "DeliveriesTab"] = {}  # of open listeners


class _Requests(BaseWidget):
    _script_name = "arrivals"
    title = traitlets.Unicode().tag(sync=True)
    # For each request: number, time, event type, attempt, verdict, answer, name or shortened ID of the webhook, duration
    rows: traitlets.List[list[object]] = traitlets.List().tag(sync=True)
    opened: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    number = traitlets.Int(0).tag(sync=True)  # of the opened request
    verdict = traitlets.Unicode().tag(sync=True)
    event = traitlets.Unicode().tag(sync=True)
    events: traitlets.List[str] = traitlets.List().tag(sync=True)  # the event types to choose from
    summary = traitlets.Unicode().tag(sync=True)
    replayed = traitlets.Unicode().tag(sync=True)  # the result of the last replay
    tone = traitlets.Enum(("", "busy", "done", "failed"), default_value="").tag(sync=True)  # of `replayed`


class DeliveriesTab(Displayed):
    """Shows the requests of a listener, and updates as they arrive, until it is closed."""

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._names: dict[str, str] = {}  # of webhooks, by ID
        self.widget = _Requests(title=f"Listening at {listener.url}")
        self.widget.on_msg(self._handle_message)
        self.widget.answer(self._copied)
        self._arrivals = Arrivals(listener, self.refresh)
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
            requests = self._listener.requests(newest=_SEARCHED)[::-1]
        except CStarError as error:
            self.widget.title = str(error)
            return
        matches = [request for request in requests if self._matches(request)]
        events = {_event(request): None for request in requests}
        with self.widget.hold_sync():
            self.widget.events = sorted({*list(events)[:_MAX_ROWS], self.widget.event} - {""})
            self.widget.rows = [self._row(request) for request in matches[:_MAX_ROWS]]
            self.widget.summary = self._summary(requests, len(matches))

    def filter_by(self, verdict: str = "", event: str = "") -> None:
        """Shows only the requests with a verdict ("verified", "refused" or "failed answer") and an event type; "" shows all.

        They are chosen from the newest 1,000. A "failed answer" is any but 2xx.
        """
        with self.widget.hold_sync():
            self.widget.verdict, self.widget.event = verdict, event
            self.refresh()

    def name_webhooks(self, webhooks: Iterable[Webhook]) -> None:
        """Shows these webhooks' names in place of their IDs."""
        self._names = {webhook.id: short_name(webhook) for webhook in webhooks}
        self.refresh()

    async def replay(self, number: int) -> "pd.DataFrame":
        """Sends a stored request to its listener once more, and shows the result.

        Returns:
            The row of `listener.replay`.

        Raises:
            IndexError, CStarError: As for `listener.replay`. Nothing was sent.
        """
        self._show_replayed(f"Sending request {number} …", "busy")
        try:
            sent = await asyncio.to_thread(
                self._listener.replay, [number], to=self._listener.url, include_delivered=True
            )
        except BaseException as error:  # also if it is cancelled, so that it does not stay busy
            self._show_replayed(str(error), "failed")
            raise
        succeeded = bool(sent["error"].isna().all())
        outcome = f"answered {sent['answered'][0]}" if succeeded else f"{sent['error'][0]}. Its new row shows why"
        self._show_replayed(f"Request {number} was sent again: {outcome}.", "done" if succeeded else "failed")
        return sent

    def open(self, number: int) -> None:
        """Shows the details of a request."""
        request = self._listener[number]
        with self.widget.hold_sync():
            if self.widget.tone != "busy":
                self._show_replayed("", "")
            self.widget.number = number
            self.widget.opened = [[heading, _printable_lines(text)] for heading, text in self._details(request)]

    def close(self) -> None:
        """Stops the updates and frees the widget."""
        self._arrivals.close()
        super().close()

    def _handle_message(self, _: object, content: dict[str, Any], __: object) -> None:
        match content:
            case {"event": "filter", "verdict": str(verdict), "type": str(event)} if verdict in _VERDICTS:
                self.filter_by(verdict, event if event in self.widget.events else "")
            case {"event": "open", "id": int(number)}:
                try:
                    self.open(number)
                except CStarError as error:  # the listener was closed
                    self.widget.title = str(error)
            case {"event": "replay"} if self.widget.number and self.widget.tone != "busy":
                self._tasks.spawn(self.replay(self.widget.number))

    def _show_replayed(self, text: str, tone: str) -> None:
        with self.widget.hold_sync():
            self.widget.replayed, self.widget.tone = printable(text, 2_000), tone

    def _matches(self, request: "Received") -> bool:
        return _VERDICTS[self.widget.verdict](request) and self.widget.event in ("", _event(request))

    def _summary(self, requests: list["Received"], matches: int) -> str:
        if not requests:
            return "No requests yet."
        if not (self.widget.verdict or self.widget.event):
            return f"{requests[0].id:,} received, newest first. Select one to see its details."
        searched = f"{'the newest ' if len(requests) == _SEARCHED else ''}{plural(len(requests), 'request')}"
        if not matches:
            return f"None of {searched} matches the filters."
        shown = f" The newest {_MAX_ROWS} are shown." if matches > _MAX_ROWS else ""
        return f"{matches:,} of {searched}, newest first.{shown}"

    def _row(self, request: "Received") -> list[object]:
        duplicate = f", duplicate of {request.duplicate_of}" if request.duplicate_of else ""
        webhook_id = request.header("x-webhook-id") or ""
        short = webhook_id if len(webhook_id) <= 12 else f"{webhook_id[:11]}…"
        return [
            request.id,
            f"{request.received_at:%H:%M:%S}",
            _event(request),
            printable(request.header("x-delivery-attempt") or "", 20),
            f"{verdict_of(request)}{duplicate}",
            "…" if request.answered is None else str(request.answered),
            self._names.get(webhook_id) or printable(short),
            _duration(request),
        ]

    def _details(self, request: "Received") -> list[tuple[str, str]]:
        took = f" in {_duration(request)}" if request.seconds is not None else ""
        answered = "not answered yet" if request.answered is None else f"answered with {request.answered}{took}"
        details = [
            ("Verdict", self._verdict(request)),
            (f"Request {request.id}", f"{request.method} at {request.received_at:%Y-%m-%d %H:%M:%S} UTC, {answered}"),
            ("Headers", _headers(request, own=True)),
            ("Transport headers", _headers(request, own=False)),
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

    def _copied(self, what: object) -> str:
        """The body as text, or a curl command that sends the opened request again to the listener."""
        from ..deliveries import delivery

        try:
            request = self._listener[self.widget.number]
        except CStarError as error:
            return str(error)
        if what == "body":
            return request.body.decode("utf-8", "backslashreplace")
        return delivery(request).to_curl(self._listener.url)

    def __repr__(self) -> str:
        return repr(self._listener)


def _printable_lines(text: str) -> str:
    return "\n".join(printable(line, 20_000) for line in text.split("\n"))


def _headers(request: "Received", *, own: bool) -> str:
    """Those that cStar sets, or those of the connection."""
    by_cstar = re.compile("x-(?!forwarded-|real-)").match
    return "\n".join(f"{name}: {value}" for name, value in request.headers if own is bool(by_cstar(name)))


def _event(request: "Received") -> str:
    return printable(request.event or "no event", 80)


def _duration(request: "Received") -> str:
    """How long the answer took; empty if that is not known."""
    if request.seconds is None:
        return ""
    if request.seconds >= 1:
        return f"{request.seconds:,.1f} s"
    return f"{request.seconds * 1000:,.0f} ms" if request.seconds >= 0.001 else "<1 ms"


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return "The body is not JSON."
