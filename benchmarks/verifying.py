"""One delivery verified, and its event returned."""

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

from .measuring import Row, in_turns

ROUNDS, TIMES = 15, 300

SECRET = "whsec_not-a-real-secret"  # noqa: S105 - obviously false
STANDARD = "whsec_" + b64encode(b"not a real secret, 24 by").decode()


def verified() -> Iterator[Row]:
    """Bodies of three sizes; each rival in its own scheme, all of which are one HMAC-SHA256 over the body."""
    for size in (200, 1_200, 20_000):
        event = {"id": "evt_1", "object": "event", "type": "ticket.created", "data": {"object": {"note": ""}}}
        event["data"]["object"]["note"] = "x" * (size - len(json.dumps(event)))
        body = json.dumps(event).encode()
        now = int(time.time())
        header = cx.sign(body, SECRET, now)
        told = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
        signature = standardwebhooks.Webhook(STANDARD).sign("msg_1", datetime.fromtimestamp(now, UTC), body.decode())
        told["webhook-signature"] = signature
        svix_told = {name.replace("webhook-", "svix-"): value for name, value in told.items()}
        standard, svix_hook = standardwebhooks.Webhook(STANDARD), svix.Webhook(STANDARD)
        rivals = {
            "ours": lambda body=body, header=header: cx.verify(body, header, SECRET),
            "bare HMAC and json": lambda body=body, header=header, now=now: _bare(body, header, now),
            "stripe": lambda body=body, header=header: stripe.Webhook.construct_event(body, header, SECRET),
            "standardwebhooks": lambda body=body, told=told, standard=standard: standard.verify(body, told),
            "svix": lambda body=body, svix_told=svix_told, svix_hook=svix_hook: svix_hook.verify(body, svix_told),
        }
        taken = in_turns(rivals, ROUNDS, TIMES)
        for name in list(rivals)[1:]:
            aim = "" if size != 1_200 else "at most 3 times" if name == "bare HMAC and json" else "faster"
            yield Row("verify one delivery", f"{size:,} B", name, taken["ours"], taken[name], aim)


def _bare(body: bytes, header: str, now: int) -> object:
    expected = hmac.new(SECRET.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
    assert hmac.compare_digest(header.rpartition("v1=")[2], expected)
    return json.loads(body)
