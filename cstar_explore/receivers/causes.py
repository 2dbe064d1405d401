"""Finds the causes of what went wrong: each fault of a receiver once, then notes.

`causes.json` has what is wrong and what to do: `found` by a name, `single` and `notes` by what was sent in the only check that shows it,
`responses` by the response to an ordinary delivery, `error_pages` by what frameworks write into that response, and `accepted_instead` by
what a receiver accepts that refuses an ordinary delivery, of which the first that applies counts. `in_packets` has the checks whose
requests may arrive in several packets. Words in braces stand for `phrases`, for `raw`, how to get the raw body, and for what was observed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..packaged import read_table
from ..text import printable, redacted
from .catalogue import AFTER_FAILURE, AFTER_FORGED, ORDER, ORDINARY, TWO_PACKETS, UNKNOWN_FIELDS
from .judging import Outcome
from .sending import NO_RESPONSE, Response

Text = Sequence[str]  # the sentence and the remedy


@dataclass(frozen=True)
class Cause:
    """A fault or a note, and what to do about it.

    Attributes:
        sentence: What is wrong.
        remedy: What to do.
        checks: The checks that it explains, by what they sent.
        is_note: Whether it is a note and not a fault.
    """

    sentence: str
    remedy: str
    checks: tuple[str, ...] = ()
    is_note: bool = False

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}"


_TABLE = read_table(__file__)
SINGLE: Mapping[str, Text] = _TABLE["single"]
NOTES: Mapping[str, Text] = _TABLE["notes"]
_TEXTS: Mapping[str, Text] = {**_TABLE["found"], **SINGLE, **NOTES}
ACCEPTED_INSTEAD: Sequence[Any] = _TABLE["accepted_instead"]
_RESPONSES: Mapping[str, Text] = _TABLE["responses"]

_FOUR_MINUTES = {"signed 4 minutes ago", "signed 4 minutes ahead"}
_TWO_V1 = {"two v1, the first of this secret", "two v1, the second of this secret"}
_V0 = "X-Signature: only a v0"
_HEADER_GROUPS = ("missing header", "malformed header", "legacy signature")
_BODY_GROUPS = ("changed in transit", "raw body", "white space")


def causes(outcomes: Mapping[str, Outcome], raw_body: str, dead_after: str | None) -> list[Cause]:
    """The faults, those first that lose genuine deliveries, and then the notes.

    Args:
        outcomes: With verdicts, by what was sent.
        raw_body: How the receiver's framework gives the raw body; empty for a handler.
        dead_after: The check after which the receiver no longer answered.
    """
    search = _Search(outcomes, raw_body and f"Verify the raw body: {raw_body}.")
    found = [each for each in search.found(dead_after) if each.checks]
    return sorted(found, key=lambda cause: (cause.is_note, not _loses(cause, outcomes)))


def _loses(cause: Cause, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether genuine deliveries are lost by it. Such a fault comes before one that lets others in."""
    return any(outcomes[name].check.rule == "accept" and outcomes[name].verdict == "wrong" for name in cause.checks)


def _hangs(outcome: Outcome) -> bool:
    return any(response.error == NO_RESPONSE for response in outcome.responses)


class _Search:
    """Finds one cause after another. Each problem is explained by the first cause that fits."""

    def __init__(self, outcomes: Mapping[str, Outcome], raw: str) -> None:
        self._outcomes = outcomes
        self._phrases = {**_TABLE["phrases"], "raw": raw}
        problems = {name: each for name, each in outcomes.items() if each.verdict in {"wrong", "information"}}
        self._open = {name: each for name, each in problems.items() if each.check.group}

    def found(self, dead_after: str | None) -> Iterator[Cause]:
        if dead_after is not None:
            yield self._cause("stops", dead_after, check=dead_after)
        if self._outcomes[ORDINARY].verdict == "wrong":
            yield self._refusal(self._outcomes[ORDINARY])
        yield from self._forged()
        if TWO_PACKETS in self._open:
            yield self._cause(TWO_PACKETS, only=lambda each: each.check.sent in _TABLE["in_packets"] or _hangs(each))
        is_replayable = self._let_in("signed 10 minutes ago")
        yield self._cause("replay" if is_replayable else "future", "timestamp", only=lambda each: each.let_in)
        if self._open.keys() >= _FOUR_MINUTES:
            yield self._cause("4 minutes", *_FOUR_MINUTES)
        yield from self._header()
        yield from self._body()
        yield from self._duplicates()
        yield self._cause("slow", only=_hangs)
        if self._open.keys() >= _TWO_V1:
            yield self._cause(min(_TWO_V1), *_TWO_V1)
        for sent in (*SINGLE, *NOTES):
            yield self._cause(sent, sent)
        yield from self._rest()

    # --- helpers

    def _cause(
        self, text: str | Text, *what: str, only: Callable[[Outcome], bool] = lambda _: True, **observed: object
    ) -> Cause:
        """The cause of the problems of these groups or checks, by default of all, that `only` selects."""
        named = [name for name, each in self._open.items() if not what or {name, each.check.group} & {*what}]
        checks = tuple(name for name in named if only(self._open[name]))
        is_note = text in list(NOTES) or all(self._open[name].verdict == "information" for name in checks)
        for name in checks:
            del self._open[name]
        parts = _TEXTS[text] if isinstance(text, str) else text
        sentence, remedy = (part.format(**self._phrases, **observed).rstrip() for part in parts)
        return Cause(sentence, remedy, checks, is_note)

    def _of(self, *groups: str) -> list[Outcome]:
        return [each for each in self._open.values() if each.check.group in groups]

    def _let_in(self, sent: str) -> bool:
        return sent in self._outcomes and self._outcomes[sent].let_in

    def _taken(self, sent: str) -> bool:
        return sent in self._outcomes and self._outcomes[sent].taken

    # --- the ordinary delivery

    def _refusal(self, ordinary: Outcome) -> Cause:
        """Why the ordinary delivery is not accepted. It explains the same outcome of other checks, too."""
        response = ordinary.responses[0]
        text, instead = self._reason(ordinary, response)

        def explains(each: Outcome) -> bool:
            if each.check.sent in {ORDINARY, *instead}:
                return True
            if ordinary.accepted:
                return max(each.acted or (0,)) > 1
            return not response.rejected and all(str(other) == str(response) for other in each.responses)

        target = next((value for name, value in response.headers if name.lower() == "location"), "another URL")
        return self._cause(text, only=explains, response=response, target=printable(redacted(target), 200))

    def _reason(self, ordinary: Outcome, response: Response) -> tuple[str | Text, Sequence[str]]:
        """What is wrong, and what is accepted instead."""
        if response.error in _RESPONSES:
            return _RESPONSES[response.error], ()
        if ordinary.accepted and sum(ordinary.acted or ()) > 1:
            return "acts twice", ()
        if not self._taken("signed with another secret"):
            for names, *text in ACCEPTED_INSTEAD:
                if any(map(self._taken, names)):
                    return text, names
        if ordinary.accepted:
            return "accepts without acting", ()
        for pattern, *text in _TABLE["error_pages"]:
            if re.search(pattern, response.text):
                return text, ()
        other = "fails" if response.failed else "rejects all" if response.rejected else "redirects"
        return _RESPONSES.get(str(response.status), other), ()

    # --- the others

    def _forged(self) -> Iterator[Cause]:
        forged = [each for each in self._of("forged") if each.let_in]
        if forged:
            if any(each.acted is None for each in forged):
                text = "forged: unknown effects"
            elif not any(sum(each.acted or ()) for each in forged):
                text = "forged: no effects"
            else:
                text = "forged: all" if len(forged) > 1 else "forged: one"
            groups = ("forged", "timestamp", *_HEADER_GROUPS, "changed in transit")
            yield self._cause(text, *groups, check=forged[0].check.sent)
        yield self._cause(
            "acts on what it rejects",
            only=lambda each: each.check.rule == "reject" and any(each.acted or ()) and not each.let_in,
        )
        yield self._cause(
            "accepts unsigned",
            *("missing header", "malformed header"),
            only=lambda each: each.let_in and each.check.sent != _V0,
        )

    def _header(self) -> Iterator[Cause]:
        of_parts = ("header parts", "two v1", _V0) if self._of("header parts") else ()
        if any(each.failed for each in self._of("malformed header", "legacy signature")):
            yield self._cause(
                "fails at headers and parts" if of_parts else "fails at headers",
                *(*_HEADER_GROUPS, *of_parts),
                only=lambda each: each.failed or not {each.check.sent, each.check.group}.isdisjoint((*of_parts, _V0)),
            )
        yield self._cause("fails without a header", "missing header", only=lambda each: each.failed)
        if of_parts:
            yield self._cause("order of parts", *of_parts)
        yield self._cause("other parts", _V0)

    def _body(self) -> Iterator[Cause]:
        raw = {each.check.sent for each in self._of("raw body") if each.verdict == "wrong"}
        accepts_spaces = self._let_in("spaces after , and :")
        if not self._of(*_BODY_GROUPS):
            return
        if self._let_in("re-serialized with spaces") or ("spaces after , and :" in raw and not accepts_spaces):
            unknown = ("a signed empty body", "a signed body that is not JSON", "a signed body that is a list")
            others = ("content types", UNKNOWN_FIELDS, "chunked", *(unknown if raw else ()))
            yield self._cause("rewritten", *_BODY_GROUPS, *others)
        elif "indented with CRLF" in raw and accepts_spaces:
            yield self._cause("line ends", *_BODY_GROUPS)
        elif self._of("white space") or self._let_in("a newline added"):
            yield self._cause("trimmed", "changed in transit", "white space")

    def _duplicates(self) -> Iterator[Cause]:
        order = self._open.get(ORDER)
        if order is not None and order.accepted and tuple(order.acted or ()) == (1, 0, 1, 0):
            yield self._cause("duplicates by ticket", ORDER, AFTER_FAILURE, "{} as data")
        # The retry after a failure is a plain duplicate where the first delivery did not fail.
        of_group = [
            each
            for each in self._of("duplicates")
            if each.check.sent != AFTER_FORGED and not (each.check.sent == AFTER_FAILURE and each.responses[0].failed)
        ]
        if of_group:
            yield self._cause(_reason_of_duplicates(of_group), *(each.check.sent for each in of_group))

    def _rest(self) -> Iterator[Cause]:
        """Faults and notes without a known cause, one for each group: the checks that show it."""
        for verdict in ("wrong", "information"):
            for group in dict.fromkeys(each.check.group for each in self._open.values() if each.verdict == verdict):
                seen = [each for each in self._of(group) if each.verdict == verdict]
                yield self._cause(
                    "unexpected",
                    *(each.check.sent for each in seen),
                    group=group.capitalize(),
                    details="; ".join(f"{each.check.sent} ({each.observed})" for each in seen[:4]),
                    expected=", or ".join(dict.fromkeys(each.expected for each in seen)),
                )


def _reason_of_duplicates(outcomes: Sequence[Outcome]) -> str:
    names = [each.check.sent for each in outcomes if each.check.sent != AFTER_FAILURE]
    if not all(each.accepted for each in outcomes):
        return "duplicates: not 2xx"
    if names == ["four copies at once"]:
        return "duplicates: at once"
    if names == ["again, signed afresh, with X-Delivery-Attempt: 2"]:
        return "duplicates: signed afresh"
    if not names:
        return "duplicates: by content"
    return "duplicates: none" if any(sum(each.acted or ()) == 0 for each in outcomes) else "duplicates: all"
