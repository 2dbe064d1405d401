"""Makes events and signed requests. The events are clearly marked as tests, and their ids are new in each run."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any, NamedTuple

from ..events import sample
from ..secret import Secret
from ..serving.delivery_headers import delivery_headers
from ..serving.times import iso
from ..signatures import keys
from .sending import Exchange, Request

TITLE = "Test of a webhook receiver, not a real ticket"


class Signature(NamedTuple):
    """What an X-Signature header is made of."""

    t: str
    v1: str


class Maker:
    """Makes the requests of one run."""

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self.other_secret = Secret(f"whsec_{token_hex(24)}")
        self._run = token_hex(6)
        self._count = 0
        self.ids = re.compile(rf"evt_check_{self._run}_[0-9]{{4}}")

    def event(self, kind: str = "ticket.created", *, ticket: str = "", title: str = TITLE) -> dict[str, Any]:
        """A new event about a new ticket. Its default text is ASCII without special characters."""
        self._count += 1
        number = f"{self._run}_{self._count:04}"
        event: dict[str, Any] = json.loads(sample("ticket.closed" if kind == "ticket.closed" else "ticket.created"))
        now = iso(datetime.now(UTC))
        # The title contains the event's id, so that effects can also be counted by their text.
        event |= {"id": f"evt_check_{number}", "type": kind, "created_at": now}
        event["data"]["ticket"] |= {"id": ticket or f"tkt_check_{number}", "title": f"{title} {event['id']}"}
        event["data"]["customer"] |= {"name": "Test", "email": "test@example.com"}
        return event

    def signature(self, body: bytes, *, age: float = 0, secret: Secret | None = None, unit: int = 1) -> Signature:
        """The signature of a body that was signed `age` seconds ago. With `unit=1000`, `t` is in milliseconds."""
        t = str(int((time.time() - age) * unit))
        return Signature(t, keys.digest(secret or self.secret, t, body))

    def header(self, body: bytes, **how: Any) -> str:
        return "t={},v1={}".format(*self.signature(body, **how))

    def request(
        self,
        event: Mapping[str, Any],
        body: bytes | None = None,
        header: str | bytes | None = "",
        *,
        attempt: int = 1,
        content_type: str | None = "application/json",
        extra: Mapping[str, str] | None = None,
        **form: Any,
    ) -> Request:
        """A delivery with cStar's headers. By default, its body is compact JSON, and signed now. None leaves a header out."""
        body = compact(event) if body is None else body
        header = self.header(body) if header == "" else header
        usual = delivery_headers(
            signature="",
            event=str(event["type"]),
            event_id=str(event["id"]),
            webhook_id="wh_check",
            attempt=attempt,
        )
        fields = {
            **usual,
            "Content-Type": content_type,
            "X-Signature": header,
            "x-cstar-request-id": f"req_{token_hex(8)}",
            **(extra or {}),
        }
        values = ((name, value) for name, value in fields.items() if value is not None)
        encoded = tuple((name, value if isinstance(value, bytes) else value.encode()) for name, value in values)
        return Request(body, encoded, **form)


Build = Callable[[Maker], Exchange]


def compact(event: Any) -> bytes:
    """JSON as cStar writes it: compact, UTF-8."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def _one(
    request: Callable[[Maker, Any], Request | Sequence[Request]],
    event: Mapping[str, str] | None = None,
    *,
    at_once: bool = False,
) -> Build:
    """The request or requests that deliver one event."""

    def build(maker: Maker) -> Exchange:
        made = maker.event(**(event or {}))
        requests = request(maker, made)
        return Exchange([requests] if isinstance(requests, Request) else requests, (made["id"],), at_once)

    return build


def written(write: Callable[[Any], bytes] = compact, **event: str) -> Build:
    """One delivery whose body is formatted by `write`, with a valid signature."""
    return _one(lambda maker, made: maker.request(made, write(made)), event)


def sent_as(change: Callable[[Request], Request] = lambda request: request, **how: Any) -> Build:
    """An ordinary delivery whose request is changed after signing, or made with other arguments of `Maker.request`."""
    return _one(lambda maker, event: change(maker.request(event, **how)))


def signed(secret: Callable[[Maker], Secret] | None = None, **how: Any) -> Build:
    """An ordinary delivery with another signature: see `Maker.signature`."""

    def request(maker: Maker, event: Any) -> Request:
        header = maker.header(compact(event), secret=secret and secret(maker), **how)
        return maker.request(event, header=header)

    return _one(request)


def with_header(form: Callable[[Signature], str | bytes]) -> Build:
    """An ordinary delivery whose X-Signature is made by `form` from the correct signature."""
    return _one(lambda maker, event: maker.request(event, header=form(maker.signature(compact(event))) or b""))


def signing(content: Callable[[str, bytes], bytes], form: str = "t={t},v1={v1}", **extra: str) -> Build:
    """An ordinary delivery with a signature over other content, which is made from the timestamp and the body."""

    def request(maker: Maker, event: Any) -> Request:
        body, t = compact(event), str(int(time.time()))
        # `legacy_digest` signs exactly what it is given.
        v1 = keys.legacy_digest(maker.secret, content(t, body))
        parts = {"t": t, "v1": v1, "V1": v1.upper(), "base64": b64encode(bytes.fromhex(v1)).decode()}
        fields = {name: value.format(**parts) for name, value in extra.items()}
        return maker.request(event, header=form.format(**parts), extra=fields)

    return _one(request)


def changed(change: Callable[[bytes], bytes]) -> Build:
    """A delivery whose body is changed after signing."""
    return _one(lambda maker, event: maker.request(event, change(compact(event)), maker.header(compact(event))))


def several(*events: tuple[str, str], at_once: bool = False) -> Build:
    """Several events, each given by its type and its ticket."""

    def build(maker: Maker) -> Exchange:
        run = token_hex(4)
        made = [maker.event(kind, ticket=ticket and f"tkt_check_{run}_{ticket}") for kind, ticket in events]
        return Exchange([maker.request(each) for each in made], tuple(each["id"] for each in made), at_once)

    return build


def repeated(copies: int, *, at_once: bool = False) -> Build:
    """The same bytes several times."""
    return _one(lambda maker, event: [maker.request(event)] * copies, at_once=at_once)


def _retried(maker: Maker, event: Any) -> list[Request]:
    later = maker.header(compact(event), age=-1)  # so that the signature is another one
    return [maker.request(event), maker.request(event, header=later, attempt=2)]


def _after_forged(maker: Maker, event: Any) -> list[Request]:
    forged = maker.header(compact(event), secret=maker.other_secret)
    return [maker.request(event, header=forged), maker.request(event)]


def _after_failure(maker: Maker, event: Any) -> list[Request]:
    """The first lacks the data that most receivers need."""
    return [maker.request(event, compact(event | {"data": {}})), maker.request(event, attempt=2)]


retried, after_forged, after_failure = map(_one, (_retried, _after_forged, _after_failure))


def raw(body: bytes) -> Build:
    """A signed body that is not an event."""
    return lambda maker: Exchange([maker.request({"id": "", "type": "ticket.created"}, body)])


def empty(method: str) -> Build:
    """A request without a body."""
    return lambda _: Exchange([Request(b"", (("Accept", b"*/*"),), method)])
