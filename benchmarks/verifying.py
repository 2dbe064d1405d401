"""Verifying a delivery and parsing its event; and explaining one that does not verify."""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from unittest.mock import patch

import standardwebhooks
import stripe
import svix

import cstar_explore as cx
from cstar_explore.signatures import search

from .measuring import Case

SECRET = "whsec_not-a-real-secret"  # noqa: S105 - obviously fake
STANDARD = "whsec_" + b64encode(b"not a real secret, 24 by").decode()


def verify() -> Iterator[Case]:
    """Each alternative uses its own scheme; all compute one HMAC-SHA256 over the body, and return the parsed event."""
    case = partial(Case, rounds=25, times=100, clock=time.process_time)
    for size in (200, 1_200, 20_000):
        body, now = _body(size), int(time.time())
        header = cx.sign(body, SECRET, now)
        standard, svix_hook = standardwebhooks.Webhook(STANDARD), svix.Webhook(STANDARD)
        signature = standard.sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now), "webhook-signature": signature}
        rivals = {
            "stripe": (partial(stripe.Webhook.construct_event, body, header, SECRET), 1),
            "standardwebhooks": (partial(standard.verify, body, headers), 1),
            "svix and `json.loads`": (partial(_with_svix, svix_hook, body, headers), 1),
            "floor: `hmac` and `json.loads`": (partial(_with_stdlib, body, header, now), None),
        }
        yield case(
            "verify, event parsed", f"{size:,} B", "for an event", partial(cx.verify, body, header, SECRET), rivals
        )


def explain() -> Iterator[Case]:
    """The longest search: the delivery was signed with a secret that no known change makes of ours."""
    for size, under, times in ((1_000, 0.005, 5), (100_000, 0.05, 2), (1_000_000, 1, 1)):
        body = _body(size)
        ours = partial(cx.explain, body, cx.sign(body, "whsec_another-secret"), SECRET)
        with patch.object(search, "matches", wraps=search.matches) as counted:
            assert ours().cause == "wrong_secret"
        rivals = {f"floor: {counted.call_count} HMACs": (partial(_hashed, body, counted.call_count), None)}
        case = partial(Case, under=under, times=times, clock=time.process_time)
        yield case("explain a refused delivery", f"{size:,} B", "for the reason", ours, rivals)


def _body(size: int) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": "ticket.created", "data": {"object": {"note": ""}}}
    return json.dumps(event).replace('""', json.dumps("x" * (size - len(json.dumps(event))))).encode()


def _with_svix(hook: svix.Webhook, body: bytes, headers: dict[str, str]) -> object:
    hook.verify(body, headers)
    return json.loads(body)


def _with_stdlib(body: bytes, header: str, now: int) -> object:
    expected = hmac.new(SECRET.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(header.rpartition("v1=")[2], expected)
    return json.loads(body)


def _hashed(body: bytes, times: int) -> None:
    for _ in range(times):
        hmac.digest(SECRET.encode(), b"%d.%b" % (1_760_000_000, body), "sha256")
