"""The body, headers and signature of a delivery, according to the answers to the questions of `behaviours.py`."""

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..behaviours import Answer
from ..events import NAMES, sample
from ..recordings import Recording
from ..serving.delivery_headers import delivery_headers
from ..signatures import sign
from .faults import Fault
from .fields import named
from .outbox import DueDelivery, Sent
from .store import StoredWebhook

_OTHER_KEY = b"whsec_SANDBOXanotherwebhookssecret"


@dataclass(eq=False)
class DeliveryWriter:
    """Writes deliveries.

    Args:
        behaviours: An answer to each question in `behaviours.py`.
        like: A recording with the shapes of payloads, if there is one.
    """

    behaviours: Mapping[str, Answer]
    like: Recording | None

    def body(self, event: str, event_id: str, created_at: str, team_id: str) -> bytes:
        """The body of a delivery. The data of an unknown type is empty."""
        values = {
            "id": event_id,
            "type": event,
            "created_at": created_at,
            "team_id": team_id,
            "data": json.loads(sample(event, like=self.like))["data"] if event in NAMES else {},
            "api_version": "2026-03-01",
            "test": True,
            "livemode": False,
            "*": None,
        }
        marks = (name for name in self.behaviours["test_mark"] if name in values)
        names = dict.fromkeys((*self.behaviours["envelope"], *marks))
        return _written(named(values, names), self.behaviours["body_bytes"])

    def sent(self, due: DueDelivery, webhook: StoredWebhook, now: datetime, fault: Fault, first: str | None) -> Sent:
        """What an attempt sends. `first` is the signature of the first attempt, if the others repeat it."""
        event, body = due.event, due.body
        match fault.name:
            case "oversize":
                body = _written(json.loads(body) | {"padding": "x" * fault.settings["size"]}, ())
            case "unusual_bytes":
                body = unusual(body)
            case "unknown_type":
                event = f"{due.event.partition('.')[0]}.added_tomorrow"
                body = _written(json.loads(body) | {"type": event}, ())
        headers = self._headers(due, event, webhook.id, now, first or self._signature(body, webhook.secret, now, fault))
        if fault.name == "reencode":
            body = json.dumps(json.loads(body)).encode()
        return Sent(headers, body, fault.expected)

    def _headers(
        self, due: DueDelivery, event: str, webhook_id: str, now: datetime, signature: str | None
    ) -> dict[str, str]:
        event_ids = {"equal": due.event_id, "different": f"{due.event_id}0"}
        usual = delivery_headers(
            signature="", event=event, event_id=due.event_id, webhook_id=webhook_id, attempt=due.attempt, sent_at=now
        )
        values = {
            **usual,
            "X-Signature": signature,
            "X-Event-ID": event_ids.get(str(self.behaviours["event_id"])),
            "x-cstar-request-id": due.request_id,
            "x-cstar-signature": signature,
            "X-Test": "true",
            "*": None,
        }
        marks = (name for name in self.behaviours["test_mark"] if name == "X-Test")
        names = dict.fromkeys((*self.behaviours["delivery_headers"], *marks))
        headers = {name: value for name in names if (value := values[name]) is not None}
        return headers | ({"X-Not-Documented": "1"} if "*" in names else {})

    def _signature(self, body: bytes, secret: str, now: datetime, fault: Fault) -> str | None:
        """The value of `X-Signature`; None for a delivery without one."""
        key = _signing_key(secret, str(self.behaviours["signature_key"]))
        forms = {"no_signature": "none", "legacy_signature": "sha256", "malformed_signature": "prose"}
        form = forms.get(fault.name, self.behaviours["signature_form"])
        if fault.name == "wrong_signature":
            key = _OTHER_KEY
        if fault.name == "stale":
            now -= timedelta(seconds=fault.settings["seconds"])
        match form:
            case "none" if fault.name == "no_signature":
                return None
            case "none":
                return f"v0={hmac.digest(key, body, 'sha256').hex()}"  # none of the two forms, if there is a header
            case "prose":
                return "signed by cStar"
            case "sha256":
                return f"sha256={hmac.digest(key, body, 'sha256').hex()}"
            case _:
                return sign(body, key, now)


def _written(event: dict[str, Any], form: Answer) -> bytes:
    """Compact JSON without needless escapes, unless `form`, an answer to the question `body_bytes`, says otherwise."""
    indent = 2 if "indented" in form else None
    separators = None if indent or "spaces" in form else (",", ":")  # json's own have spaces
    text = json.dumps(event, ensure_ascii="escaped letters" in form, separators=separators, indent=indent)
    if "escaped slashes" in form:
        text = text.replace("/", "\\/")
    return (text + ("\n" if "final newline" in form else "")).encode()


def _signing_key(secret: str, answer: str) -> bytes:
    match answer:
        case "without prefix":
            return secret.removeprefix("whsec_").encode()
        case "decoded":
            return base64.b64decode(secret.removeprefix("whsec_"))
        case "none of these":
            return _OTHER_KEY
        case _:
            return secret.encode()


def unusual(body: bytes) -> bytes:
    """The same JSON, indented with CRLF and spaces, with every escape that JSON allows in these texts, and with a final newline."""
    text = json.dumps(json.loads(body), indent=2)
    # `/` and `_` are in texts only, and never part of another escape.
    return text.replace("/", "\\/").replace("_", "\\u005f").replace("\n", "\r\n").encode() + b"\r\n"
