"""Makes events and signed requests. The events are clearly marked as tests, and their ids are new in each run."""

import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any, NamedTuple

from ..events import sample
from ..secret import Secret
from ..serving.delivery_headers import delivery_headers
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
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
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


def written(write: Callable[[Any], bytes] = compact, **event: str) -> Build:
    """One delivery whose body is formatted by `write`, with a valid signature."""

    def build(maker: Maker) -> Exchange:
        made = maker.event(**event)
        return Exchange([maker.request(made, write(made))], (made["id"],))

    return build


def sent_as(change: Callable[[Request], Request] = lambda request: request, **how: Any) -> Build:
    """An ordinary delivery whose request is changed after signing, or made with other arguments of `Maker.request`."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        return Exchange([change(maker.request(event, **how))], (event["id"],))

    return build


def signed(**how: Any) -> Build:
    """An ordinary delivery with another signature: see `Maker.signature`. `secret` may be a function of the maker."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        secret = how["secret"](maker) if "secret" in how else None
        header = maker.header(compact(event), **(how | {"secret": secret}))
        return Exchange([maker.request(event, header=header)], (event["id"],))

    return build


def with_header(form: Callable[[Signature], str | bytes]) -> Build:
    """An ordinary delivery whose X-Signature is made by `form` from the correct signature."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        header = form(maker.signature(compact(event))) or b""
        return Exchange([maker.request(event, header=header)], (event["id"],))

    return build


def signing(content: Callable[[str, bytes], bytes], form: str = "t={t},v1={v1}", **extra: str) -> Build:
    """An ordinary delivery with a signature over other content, which is made from the timestamp and the body."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        body, t = compact(event), str(int(time.time()))
        # `legacy_digest` signs exactly what it is given.
        v1 = keys.legacy_digest(maker.secret, content(t, body))
        base64 = b64encode(bytes.fromhex(v1)).decode()
        fields = {name: value.format(t=t, v1=v1, base64=base64) for name, value in extra.items()}
        header = form.format(t=t, v1=v1, V1=v1.upper(), base64=base64)
        return Exchange([maker.request(event, header=header, extra=fields)], (event["id"],))

    return build


def changed(change: Callable[[bytes], bytes]) -> Build:
    """A delivery whose body is changed after signing."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        body = compact(event)
        return Exchange([maker.request(event, change(body), maker.header(body))], (event["id"],))

    return build


def several(*events: tuple[str, str], at_once: bool = False) -> Build:
    """Several events, each given by its type and its ticket."""

    def build(maker: Maker) -> Exchange:
        run = token_hex(4)
        made = [maker.event(kind, ticket=ticket and f"tkt_check_{run}_{ticket}") for kind, ticket in events]
        return Exchange([maker.request(each) for each in made], tuple(each["id"] for each in made), at_once)

    return build


def repeated(copies: int, *, at_once: bool = False) -> Build:
    """The same bytes several times."""

    def build(maker: Maker) -> Exchange:
        event = maker.event()
        return Exchange([maker.request(event)] * copies, (event["id"],), at_once)

    return build


def retried(maker: Maker) -> Exchange:
    """A delivery, and its retry signed afresh: a second later, so that the signature is another one."""
    event = maker.event()
    later = maker.header(compact(event), age=-1)
    return Exchange([maker.request(event), maker.request(event, header=later, attempt=2)], (event["id"],))


def after_forged(maker: Maker) -> Exchange:
    """A forged delivery of an event, and then the genuine one."""
    event = maker.event()
    forged = maker.header(compact(event), secret=maker.other_secret)
    return Exchange([maker.request(event, header=forged), maker.request(event)], (event["id"],))


def after_failure(maker: Maker) -> Exchange:
    """An event without the data that most receivers need, and then the same event with it."""
    event = maker.event()
    return Exchange(
        [maker.request(event, compact(event | {"data": {}})), maker.request(event, attempt=2)], (event["id"],)
    )


def raw(body: bytes) -> Build:
    """A signed body that is not an event."""
    return lambda maker: Exchange([maker.request({"id": "", "type": "ticket.created"}, body)])


def empty(method: str) -> Build:
    """A request without a body."""
    return lambda _: Exchange([Request(b"", (("Accept", b"*/*"),), method)])
