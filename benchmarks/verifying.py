"""Verifying one delivery and returning its event."""

import hashlib
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime

import standardwebhooks
import stripe
import svix

import cstar_explore as cx

from .measuring import Row, measure

ROUNDS, TIMES = 15, 300

SECRET = "whsec_not-a-real-secret"  # noqa: S105 - obviously fake
STANDARD = "whsec_" + b64encode(b"not a real secret, 24 by").decode()


def run() -> Iterator[Row]:
    """Measures bodies of three sizes. Each alternative uses its own scheme; all compute one HMAC-SHA256 over the body."""
    for size in (200, 1_200, 20_000):
        event = {"id": "evt_1", "object": "event", "type": "ticket.created", "data": {"object": {"note": ""}}}
        event["data"]["object"]["note"] = "x" * (size - len(json.dumps(event)))
        body = json.dumps(event).encode()
        now = int(time.time())
        header = cx.sign(body, SECRET, now)
        headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
        signature = standardwebhooks.Webhook(STANDARD).sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
        headers["webhook-signature"] = signature
        svix_headers = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
        standard, svix_hook = standardwebhooks.Webhook(STANDARD), svix.Webhook(STANDARD)
        alternatives = {
            "ours": lambda body=body, header=header: cx.verify(body, header, SECRET),
            "`hmac` and `json`": lambda body=body, header=header, now=now: _with_stdlib(body, header, now),
            "stripe": lambda body=body, header=header: stripe.Webhook.construct_event(body, header, SECRET),
            "standardwebhooks": lambda body=body, headers=headers, standard=standard: standard.verify(body, headers),
            "svix": lambda body=body, svix_headers=svix_headers, svix_hook=svix_hook: svix_hook.verify(
                body, svix_headers
            ),
        }
        taken = measure(alternatives, ROUNDS, TIMES)
        for name in list(alternatives)[1:]:
            target = "" if size != 1_200 else "at most 3x" if name == "`hmac` and `json`" else "faster"
            yield Row("verify one delivery", f"{size:,} B", name, taken["ours"], taken[name], target)


def _with_stdlib(body: bytes, header: str, now: int) -> object:
    expected = hmac.new(SECRET.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(header.rpartition("v1=")[2], expected)
    return json.loads(body)
