"""The questions that need deliveries: what arrives at a listener, and what its response leads to."""

import base64
import re
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from ..behaviours import OTHER, QUESTIONS, Answer
from ..events import NAMES
from ..events.shapes import shape_of
from ..listener.store import Received
from ..secret import Secret
from ..serving.schedule import RETRY_AFTER
from ..signatures.bodies import parse_json
from ..signatures.keys import as_secret, digest, legacy_digest
from .answers import Observation, Observations, first_of, names_in, signing_secret
from .receiver import Receiver
from .replies import AddressRefusedError, NotAnsweredError, Reply
from .session import Session
from .writing import fired_data

_SLOW = 0.5  # seconds until the listener responds
_FOLLOWED = 1.5  # seconds to wait for a redirect to be followed
_TRANSPORT = re.compile(
    r"host|accept(-.*)?|connection|content-length|transfer-encoding|te|keep-alive|traceparent|tracestate|baggage|via|forwarded"
    r"|x-forwarded-.*|x-real-ip|x-request-start|cf-.*|cdn-.*|ngrok-.*|x-amz.*|x-vercel-.*|true-client-ip"
)
_PUBLISHED_STEPS = [step.total_seconds() for step in RETRY_AFTER]
_PUBLISHED_TIMEOUTS = (10.0, 30.0)
_LONGEST_HOLD = 40.0  # seconds; the client's own timeout may be shorter
_SHORTEST_TIMEOUT = 0.7  # seconds; less is noise
_GIVE_UP = 5  # events in a row that do not arrive
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"')


def delivery(session: Session) -> Observations:
    """Which webhooks a test event reaches, and what a delivery consists of."""
    receiver = Receiver(session)
    try:
        yield from _delivery(session, receiver)
    except AddressRefusedError:
        yield from _forwarded(session, receiver)
        raise


def _delivery(session: Session, receiver: Receiver) -> Observations:
    mark = secrets.token_hex(4)
    with (
        receiver.webhook(f"{mark}a") as created,
        receiver.webhook(f"{mark}b", "customer.created"),
        receiver.answering(seconds=_SLOW),
    ):
        reply = session.fire("ticket.created")
        at_response = receiver.arrived(f"{mark}a")
        arrived = receiver.wait_for(f"{mark}a")
        if arrived.accepted:
            before = any(request.answered is not None for request in at_response)
            answer = "before the response" if before else "after the response"
            yield Observation("arrival", answer, _received(arrived, reply))
        yield from _content(arrived, created, reply)
        yield from _reach(session, receiver, mark)


def _forwarded(session: Session, receiver: Receiver) -> Observations:
    """What a test event shows that `cstar listen` forwards: only its body, as the headers may be the command's own."""
    start = receiver.count()
    reply = session.fire("ticket.created")
    request = receiver.wait_for_event(_event_id(reply), start)
    evidence = f"{_received(request, reply)}, forwarded"
    yield names_in("envelope", _body(request), evidence)
    yield Observation("fired_event_id", "equal", evidence)


def _event_id(reply: Reply) -> object:
    """The event ID in a response to trigger-test; None if it has none."""
    return first_of(fired_data(reply), "eventId", "event_id")


def _reach(session: Session, receiver: Receiver, mark: str) -> Observations:
    """Whether each of two webhooks gets the other's event, too. That it gets its own shows that it can receive."""
    session.wait(_SLOW + 1.0)
    other_got_first = bool(receiver.arrived(f"{mark}b"))
    second = receiver.count()
    reply = session.fire("customer.created")
    receiver.wait_for(f"{mark}b", second)
    session.wait(_SLOW + 1.0)
    other_got_second = bool(receiver.arrived(f"{mark}a", second))
    if other_got_first != other_got_second:
        raise NotAnsweredError(f"{reply.evidence}: one webhook got the other's event, and the other did not")
    answer = "all" if other_got_first else "subscribers"
    yield Observation("fire_subscriptions", answer, f"{reply.evidence}; two webhooks, two events")


def _content(request: Received, created: Reply, reply: Reply) -> Observations:
    evidence = _received(request, reply)
    headers = {name.lower() for name, _ in request.headers}
    known = {name.lower(): name for name in QUESTIONS["delivery_headers"].answers if name != OTHER}
    others = {name for name in headers - known.keys() if not _TRANSPORT.fullmatch(name)}
    yield names_in("delivery_headers", {known[name] for name in headers & known.keys()} | others, evidence)
    yield from _signature(request, created, evidence)
    body = _body(request)
    yield names_in("envelope", body, evidence)
    marks = {name for name in ("test", "livemode") if name in body} | ({"X-Test"} if "x-test" in headers else set())
    yield names_in("test_mark", marks, evidence)
    in_header, in_body = request.header("x-event-id"), body.get("id")
    yield Observation("event_id", _compared(in_header, in_body), evidence)
    yield Observation("fired_event_id", _compared(_event_id(reply), in_body), evidence)
    yield names_in("body_bytes", _form(request.body), evidence)


def _form(body: bytes) -> set[str]:
    """The peculiarities of JSON's formatting that these bytes show."""
    outside = _STRINGS.sub(b"", body.rstrip())
    forms = {
        "indented": b"\n" in outside,
        "spaces": b"\n" not in outside and b" " in outside,
        "escaped letters": re.search(rb"\\u00[89a-fA-F]|\\u0[1-9a-fA-F]|\\u[1-9a-fA-F]", body) is not None,
        "escaped slashes": b"\\/" in body,
        "final newline": body.endswith(b"\n"),
    }
    return {form for form, there in forms.items() if there}


def _signature(request: Received, created: Reply, evidence: str) -> Observations:
    header = request.header("x-signature") or ""
    current = re.search(r"t=(\d+),v1=([0-9a-f]{64})", header)
    legacy = re.fullmatch(r"sha256=([0-9a-f]{64})", header)
    form = "t,v1" if current else "sha256" if legacy else "none"
    yield Observation("signature_form", form, evidence)
    secret = signing_secret(created.webhook)
    if not isinstance(secret, str) or form == "none":
        return
    after_prefix = secret.removeprefix("whsec_")
    keys = {"whole secret": secret, "without prefix": after_prefix, "decoded": _decoded(after_prefix)}

    def is_correct(key: Secret) -> bool:
        return (digest(key, current[1], request.body) if current else legacy_digest(key, request.body)) in header

    found = (name for name, value in keys.items() if is_correct(as_secret(value)))
    yield Observation("signature_key", next(found, "none of these"), evidence)


def _decoded(text: str) -> bytes:
    """The bytes of base64 in either alphabet, with or without padding."""
    try:
        return base64.urlsafe_b64decode(f"{text}==")
    except ValueError:
        return b""


def redirects(session: Session) -> Observations:
    """Whether a redirect, here back to the listener, is followed."""
    from starlette.responses import Response

    receiver, mark = Receiver(session), secrets.token_hex(4)
    target = receiver.url(f"{mark}b")

    def redirect(_: Mapping[str, Any]) -> Response:
        here = receiver.arrived(f"{mark}b")
        return Response(status_code=200) if here else Response(status_code=307, headers={"Location": target})

    with receiver.webhook(f"{mark}a"):
        with receiver.answering(redirect):
            reply = session.fire("ticket.created")
            request = receiver.wait_for(f"{mark}a")
            if request.answered != 307:
                raise NotAnsweredError(f"the listener responded with {request.answered}, not with 307")
            session.wait(_FOLLOWED)
        followed = receiver.arrived(f"{mark}b")
        yield Observation("redirects", "followed" if followed else "not followed", _received(request, reply))


def retries(session: Session) -> Observations:
    """The steps between attempts, and the retry's signature: each attempt gets a 500."""
    receiver, mark = Receiver(session), secrets.token_hex(4)
    with receiver.webhook(mark), receiver.answering(lambda _: 500):
        reply = session.fire("ticket.created")
        first = receiver.wait_for(mark)
        session.wait(session.options.wait)
        attempts = receiver.arrived(mark)
    if len(attempts) < 2:
        raise NotAnsweredError(f"no retry within {session.options.wait:g} s")
    times = [request.received_at.timestamp() for request in attempts]
    steps: Answer = tuple(_rounded(later - earlier, _PUBLISHED_STEPS) for earlier, later in pairwise(times))
    evidence = f"{_received(first, reply)}, {len(attempts)} attempts"
    yield Observation("retry_steps", steps, evidence)
    signatures = [attempt.header("x-signature") for attempt in attempts[:2]]
    if None in signatures:
        raise NotAnsweredError("the attempts have no X-Signature")
    same = signatures[0] == signatures[1]
    yield Observation("retry_signature", "same" if same else "anew", evidence)


def receiver_timeout(session: Session) -> Observations:
    """How long the response to trigger-test waits for a receiver that does not answer in time."""
    hold = min(session.options.wait, _LONGEST_HOLD)
    seconds, _ = _held(session, hold)
    if seconds < _SHORTEST_TIMEOUT:
        raise NotAnsweredError("the response does not wait for the delivery")
    if seconds >= hold * 0.9:
        raise NotAnsweredError(f"the response waits for at least {seconds:.0f} s")
    again, reply = _held(session, hold)  # the first response may have been slow for another reason
    if abs(again - seconds) > max(_SHORTEST_TIMEOUT, seconds / 10):
        raise NotAnsweredError(f"the response waits {seconds:.1f} s once and {again:.1f} s another time")
    evidence = f"{reply.evidence}, {again:.1f} s later than with a receiver that answers at once"
    yield Observation("receiver_timeout", (_rounded(again, _PUBLISHED_TIMEOUTS),), evidence)


def _held(session: Session, hold: float) -> tuple[float, Reply]:
    """How many seconds later the response comes if the receiver does not answer, and that response."""
    receiver, mark = Receiver(session), secrets.token_hex(4)
    with receiver.webhook(mark):
        at_once, _ = _duration(session)
        start, released = receiver.count(), threading.Event()

        def hold_first(_: Mapping[str, Any]) -> int:
            if len(receiver.arrived(mark, start)) == 1:
                released.wait(hold)
            return 200

        with receiver.answering(hold_first):
            try:
                held, reply = _duration(session)
            finally:
                released.set()  # else the listener's thread would go on waiting
        if not receiver.arrived(mark, start):
            raise NotAnsweredError("the response does not wait for the delivery")
    return held - at_once, reply


def _duration(session: Session) -> tuple[float, Reply]:
    """How long firing an event takes, in seconds."""
    started, sent = time.monotonic(), session.sent
    reply = session.fire("ticket.created")
    fired_data(reply)
    if session.sent > sent + 1:
        raise NotAnsweredError(f"{reply.evidence}: only after a wait for the rate limit")
    return time.monotonic() - started, reply


def payloads(session: Session) -> Observations:
    """Fires each event type once, and stores the shape of its data in `session.payloads`. It answers no question."""
    receiver, mark = Receiver(session), secrets.token_hex(4)
    # cStar may not know one of the types; by its reference, active webhooks get the others too.
    for events in (",".join(NAMES), "ticket.created"):
        try:
            with receiver.webhook(mark, events):
                return _learn(session, receiver, mark)
        except AddressRefusedError:
            continue
    return _learn(session, receiver)


def _learn(session: Session, receiver: Receiver, mark: str = "") -> Observations:
    """Learns from the deliveries with this mark or, without one, from those that `cstar listen` forwards."""
    missing = 0  # in a row
    for event in NAMES:
        start = receiver.count()
        try:
            session.check(1)
            reply = session.fire(event)
            event_id = _event_id(reply)
            body = _body(receiver.wait_for(mark, start) if mark else receiver.wait_for_event(event_id, start))
        except NotAnsweredError:
            missing += 1
            if missing == _GIVE_UP:
                break
            continue
        missing = 0
        data = body.get("data")
        if isinstance(data, dict) and body.get("type") in (event, None):  # an earlier event may arrive late
            session.payloads[event] = shape_of(data)
    return iter(())


def _body(request: Received) -> dict[str, Any]:
    body = parse_json(request.body)
    if not isinstance(body, dict):
        raise NotAnsweredError("the body of the delivery is not a JSON object")
    return body


def _compared(first: object, second: object) -> str:
    if first is None or second is None:
        return "absent"
    return "equal" if first == second else "different"


def _rounded(seconds: float, published: Iterable[float]) -> str:
    """Whole seconds; a published figure if it is within a tenth of one."""
    near = next((figure for figure in published if abs(seconds - figure) <= figure / 10), seconds)
    return f"{max(1, round(near))}"


def _received(request: Received, reply: Reply) -> str:
    return f"{reply.evidence}; a delivery of {len(request.body):,} bytes, answered {request.answered}"
