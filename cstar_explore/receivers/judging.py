"""Derives the verdict of each check from the responses and from what the receiver acted on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .catalogue import AFTER_FAILURE, AFTER_FORGED, EXPECTED, ORDINARY, UNKNOWN_FIELDS, Check
from .sending import CLOSED, Response, shown

Verdict = Literal["right", "wrong", "information", "not tested"]

_WITHOUT_ACCEPTANCE = {"reject", "legacy", "no 5xx", "no 2xx"}  # rules that have a meaning even if nothing is accepted


@dataclass(frozen=True)
class Outcome:
    """The outcome of a check.

    Attributes:
        responses: In the order of the requests; empty if nothing was sent.
        ids: The ID of each event once.
        acted: The number of times that each event was acted on; None if unknown.
        reason: Why it was not tested.
    """

    check: Check
    responses: Sequence[Response] = ()
    ids: tuple[str, ...] = ()
    acted: Sequence[int] | None = None
    verdict: Verdict = "not tested"
    reason: str = ""

    @property
    def accepted(self) -> bool:
        return bool(self.responses) and all(each.accepted for each in self.responses)

    @property
    def taken(self) -> bool:
        """Whether it was accepted and, as far as is known, acted on."""
        return self.accepted and (self.acted is None or all(self.acted))

    @property
    def let_in(self) -> bool:
        """Whether the last request got a 2xx."""
        return bool(self.responses) and self.responses[-1].accepted

    @property
    def failed(self) -> bool:
        """Whether a response is a 5xx, or is missing."""
        return any(each.failed for each in self.responses)

    @property
    def is_unanswered(self) -> bool:
        """Whether a response is missing."""
        return not self.responses or any(each.status is None for each in self.responses)

    @property
    def expected(self) -> str:
        return EXPECTED[self.check.rule]

    @property
    def observed(self) -> str:
        if not self.responses:
            return self.reason
        text = shown(self.responses)
        if self.acted:
            done = str(sum(self.acted)) if len(self.acted) == 1 else "/".join(map(str, self.acted))
            text += f", acted on {done} time{'' if done == '1' else 's'}"
        return f"{text}, {self.reason}" if self.reason else text


def judged(outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """The outcomes with their verdicts. An outcome that already has a reason remains "not tested"."""
    found = {}
    for name, each in outcomes.items():
        reason = each.reason or _untested(each, outcomes)
        found[name] = replace(each, reason=reason) if reason else replace(each, verdict=_verdict(each, outcomes))
    return found


def _untested(outcome: Outcome, outcomes: Mapping[str, Outcome]) -> str:
    """Why no verdict is possible; empty if one is."""
    check = outcome.check
    if not outcome.responses:
        return "not sent"
    if check.sent != ORDINARY:
        if check.rule not in _WITHOUT_ACCEPTANCE and not outcomes[ORDINARY].taken:
            return "the ordinary delivery is not accepted"
        if any(each.status == 429 for each in outcome.responses):
            return "the receiver limits the rate of requests (429)"
    if check.extra_fields and not outcomes[UNKNOWN_FIELDS].let_in and not outcome.accepted:
        return "it has fields that the receiver does not know"
    if check.rule == "once" and outcomes[ORDINARY].acted is None and _is_answered_as_duplicates(outcome):
        return "how often it acts cannot be determined without `acted`"
    return ""


def _is_answered_as_duplicates(outcome: Outcome) -> bool:
    """Whether all responses are 2xx, except the first if its request is forged or may fail."""
    return outcome.let_in if outcome.check.sent in {AFTER_FORGED, AFTER_FAILURE} else outcome.accepted


def _verdict(outcome: Outcome, outcomes: Mapping[str, Outcome]) -> Verdict:
    """The verdict by the check's rule."""
    acted, responses = outcome.acted, outcome.responses
    once = acted is None or all(count == 1 for count in acted)
    is_rejected = all(each.rejected for each in responses) and not any(acted or ())
    is_processed = outcome.accepted and once
    status = responses[0].status
    # Closing while the body is still arriving is a refusal, too.
    is_too_large = status == 413 or responses[0].error == CLOSED
    rejects_forged = not any(each.let_in for each in outcomes.values() if each.check.group == "forged")
    is_legacy_beside = outcome.accepted and outcomes[ORDINARY].taken and rejects_forged
    rules: dict[str, tuple[bool, Verdict]] = {
        "accept": (is_processed, "wrong"),
        "order": (outcome.accepted and _is_any_order(acted), "wrong"),
        "once": (_is_answered_as_duplicates(outcome) and _is_once(outcome), "wrong"),
        "reject": (is_rejected, "wrong"),
        "legacy": (is_rejected, "information" if is_legacy_beside else "wrong"),
        "new type": (outcome.accepted and max(acted or (0,)) <= 1, "wrong"),
        "preferably": (is_processed, "information"),
        "or 415": (is_processed or status == 415, "information"),
        "or 413": (outcome.accepted or is_too_large, "information"),
        "or 411": (outcome.accepted or status == 411, "information"),
        "no 5xx": (not outcome.failed, "information"),
        "no 2xx": (not outcome.let_in, "information"),
    }
    is_right, otherwise = rules[outcome.check.rule]
    return "right" if is_right else otherwise


def _is_once(outcome: Outcome) -> bool:
    acted = sum(outcome.acted or ())
    if outcome.check.sent == AFTER_FAILURE and not outcome.responses[0].failed:
        return acted <= 1  # the receiver may have ignored the first one, and then the second
    return outcome.acted is None or acted == 1


def _is_any_order(acted: Sequence[int] | None) -> bool:
    """`ticket.closed` arrives before and after `ticket.created`. A receiver may ignore the type, but not because of the order."""
    match acted:
        case None:
            return True
        case [closed_first, 1, 1, closed]:
            return closed_first == closed <= 1
    return False
