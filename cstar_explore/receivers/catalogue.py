"""The checks, from the table in `catalogue.json`: what each sends, and the rule that judges its outcome.

In the file, each group has a rule and its checks, by what they send. A check has the fields of `Check`; `probes` are sent where the
ordinary delivery is refused, to find the cause: a receiver that accepts one of them expects such a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..packaged import read_table
from .sending import Exchange
from .signed_requests import Maker

ORDINARY = "an ordinary delivery"
UNKNOWN_FIELDS = "unknown fields"
ORDER = "ticket.closed before ticket.created"
TWO_PACKETS = "the body in two packets"
AFTER_FORGED = "the genuine delivery after a forged one of the same event"
AFTER_FAILURE = "the retry of an event without data, which may fail, with data"


@dataclass(frozen=True)
class Check:
    """A check.

    Attributes:
        sent: What it sends.
        group: Empty if it only serves to find a cause.
        rule: One of `EXPECTED`.
        events: Arguments of `Maker.event` for each event.
        requests: Arguments of `Maker.request` for each request about an event.
        copies: How often the same bytes are sent.
        at_once: Whether the requests are sent at the same moment. Nothing else is sent meanwhile.
        extra_fields: Whether its event has fields that do not exist yet.
    """

    sent: str
    group: str
    rule: str
    events: Sequence[Mapping[str, Any]] = ({},)
    requests: Sequence[Mapping[str, Any]] = ({},)
    copies: int = 1
    at_once: bool = False
    extra_fields: bool = False

    def exchange(self, maker: Maker) -> Exchange:
        """The requests, about new events, signed now."""
        events = [maker.event(**how) for how in self.events]
        requests = [maker.request(event, **how) for event in events for how in self.requests] * self.copies
        sent = b"".join(request.body for request in requests).decode("latin-1")
        return Exchange(requests, tuple(dict.fromkeys(maker.ids.findall(sent))), self.at_once)


_TABLE = read_table(__file__)
# The expected outcome, by the name of the rule; `judging` applies the rules.
EXPECTED: Mapping[str, str] = _TABLE["expected"]
CHECKS = tuple(
    Check(**{"sent": sent, "group": group, "rule": rule, **fields})
    for group, (rule, checks) in _TABLE["checks"].items()
    for sent, fields in checks.items()
)
PROBES = tuple(Check(f"probe: {name}", "", "accept", requests=[how]) for name, how in _TABLE["probes"].items())
ORDINARY_CHECK = CHECKS[0]
