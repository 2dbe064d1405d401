"""Finds the causes of what went wrong: each fault of a receiver once, then notes."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..packaged import read_table
from ..text import printable, redacted
from .catalogue import AFTER_FAILURE, AFTER_FORGED, ORDER, ORDINARY, PROBES, RESERIALIZED, TWO_PACKETS, UNKNOWN_FIELDS
from .judging import Outcome
from .sending import NO_CONNECTION, NO_RESPONSE, NO_TLS, Response


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


_VERIFY = (
    'Compare each v1 with HMAC-SHA256(secret, t + "." + raw body) before anything else, and answer 401 if none matches.'
)
_CRASH = "Read X-Signature so that a missing or unexpected value cannot raise an error, and answer 401."
_PARTS = "Find t and v1 by their names, and ignore other parts."
# What may arrive in several packets.
_IN_PACKETS = (
    *(TWO_PACKETS, "16 at once", "four copies at once", "two packets that split a character"),
    *("a body of 120 kB", "a body of 1.5 MB", "chunked"),
)
_FOUR_MINUTES = {"signed 4 minutes ago", "signed 4 minutes ahead"}
_TWO_V1 = {"two v1, the first of this secret", "two v1, the second of this secret"}
_V0 = "X-Signature: only a v0"
_BODY_GROUPS = ("changed in transit", "raw body", "white space")

_TEXTS = read_table(__file__)
# What is wrong and what to do, by what was sent in the only check that shows it. `{raw}` stands for how to get the raw body.
SINGLE: Mapping[str, Sequence[str]] = _TEXTS["single"]
NOTES: Mapping[str, Sequence[str]] = _TEXTS["notes"]
# The same, where an ordinary delivery fails: by the status, and by what frameworks write into the response.
_BY_STATUS: Mapping[str, Sequence[str]] = _TEXTS["statuses"]
_ERROR_PAGES: Sequence[Sequence[str]] = _TEXTS["error_pages"]

_WITHOUT_RESPONSE = {
    NO_RESPONSE: ("It sends no response within 10 s, so that cStar retries every delivery.", "Respond first, and act afterwards."),
    NO_TLS: (
        "No TLS connection can be made: the certificate is not trusted, or the server does not speak TLS.",
        "Use http on this machine, or set SSL_CERT_FILE to the authority's certificate.",
    ),
    NO_CONNECTION: ("Nothing answers at this address: no connection could be made.", "Start the receiver, and check host and port."),
}  # fmt: skip

# Where the ordinary delivery is refused: what is accepted instead, what is wrong, and what to do. The first that applies counts.
_ACCEPTED_INSTEAD = (
    (("a valid sha256= over the body alone",), "It verifies the legacy signature, sha256= over the body alone, and rejects genuine deliveries.", f"{_VERIFY} cStar no longer sends the legacy form."),
    (("t in milliseconds",), "It expects the timestamp in milliseconds: it rejects every genuine delivery as old.", "t is in seconds: compare it with the time in seconds."),
    (("spaces after , and :",), f"It {RESERIALIZED} with spaces after , and :.", "{raw}"),
    (("\\u escapes", "indented with CRLF", "keys in an unusual order"), f"It {RESERIALIZED} that is written in another way.", "{raw}"),
    *(((probe.check.sent,), f"It {probe.mistake}.", probe.remedy or "{raw}") for probe in PROBES),
    (("v1 before t",), "It depends on the order of the parts of X-Signature.", _PARTS),
    (("signed 4 minutes ahead", "signed 4 minutes ago"), "It compares the timestamp with a clock that differs by minutes.", "Set the clock of the receiver's machine."),
)  # fmt: skip


def causes(outcomes: Mapping[str, Outcome], raw_body: str, dead_after: str | None) -> list[Cause]:
    """The faults, those first that lose genuine deliveries, and then the notes.

    Args:
        outcomes: With verdicts, by what was sent.
        raw_body: How the receiver's framework gives the raw body; empty for a handler.
        dead_after: The check after which the receiver no longer answered.
    """
    search = _Search(outcomes, raw_body and f"Verify the raw body: {raw_body}.")
    found = list(search.found(dead_after))
    return sorted(
        (each for each in found if each.checks), key=lambda cause: (cause.is_note, not _loses(cause, outcomes))
    )


def _loses(cause: Cause, outcomes: Mapping[str, Outcome]) -> bool:
    """Whether genuine deliveries are lost by it. Such a fault comes before one that lets others in."""
    return any(outcomes[name].check.rule == "accept" and outcomes[name].verdict == "wrong" for name in cause.checks)


def _hangs(outcome: Outcome) -> bool:
    return any(response.error == NO_RESPONSE for response in outcome.responses)


class _Search:
    """Finds one cause after another. Each problem is explained by the first cause that fits."""

    def __init__(self, outcomes: Mapping[str, Outcome], raw: str) -> None:
        self._outcomes, self._raw = outcomes, raw
        self._open = {name: each for name, each in outcomes.items() if each.is_problem and each.check.group}

    def found(self, dead_after: str | None) -> Iterator[Cause]:
        if dead_after is not None:
            remedy = "Look at its log: this delivery, or one sent at the same time, crashed or blocked it."
            yield self._cause(f"It stopped answering after: {dead_after}.", remedy, dead_after)
        ordinary = self._outcomes[ORDINARY]
        if ordinary.verdict == "wrong":
            yield from self._refusal(ordinary)
        yield from self._forged()
        if TWO_PACKETS in self._open:
            yield self._cause(*SINGLE[TWO_PACKETS], only=lambda each: each.check.sent in _IN_PACKETS or _hangs(each))
        is_replayable = self._let_in("signed 10 minutes ago")
        yield self._cause(
            "It does not check the timestamp: deliveries can be replayed at any time."
            if is_replayable
            else "It limits the age of deliveries in one direction only: it accepts a t that lies in the future.",
            "Reject deliveries whose t is more than 300 s in the past or in the future.",
            "timestamp",
            only=lambda each: each.let_in,
        )
        if self._open.keys() >= _FOUR_MINUTES:
            sentence = "It allows less than 4 minutes between signing and arrival."
            yield self._cause(sentence, "Allow 300 s in both directions.", *_FOUR_MINUTES)
        yield from self._header()
        yield from self._body()
        yield from self._duplicates()
        sentence = "It sends no response within 10 s to some deliveries, so that cStar retries them."
        yield self._cause(sentence, "Respond first, and act afterwards.", only=_hangs)
        if self._open.keys() >= _TWO_V1:
            yield self._cause(*NOTES[min(_TWO_V1)], *_TWO_V1, is_note=True)
        for table, is_note in ((SINGLE, False), (NOTES, True)):
            for sent, (sentence, remedy) in table.items():
                yield self._cause(sentence, remedy.replace("{raw}", self._raw), sent, is_note=is_note)
        yield from self._rest()

    # --- helpers

    def _cause(
        self,
        sentence: str,
        remedy: str,
        *what: str,
        only: Callable[[Outcome], bool] = lambda _: True,
        is_note: bool = False,
    ) -> Cause:
        """The cause of the problems of these groups or checks, by default of all, that `only` selects."""
        named = [name for name, each in self._open.items() if not what or {name, each.check.group} & {*what}]
        checks = tuple(name for name in named if only(self._open[name]))
        is_note = is_note or all(self._open[name].verdict == "information" for name in checks)
        for name in checks:
            del self._open[name]
        return Cause(sentence, remedy, checks, is_note)

    def _of(self, *groups: str) -> list[Outcome]:
        return [each for each in self._open.values() if each.check.group in groups]

    def _let_in(self, *sent: str) -> bool:
        return any(name in self._outcomes and self._outcomes[name].let_in for name in sent)

    def _taken(self, *sent: str) -> bool:
        return any(name in self._outcomes and self._outcomes[name].taken for name in sent)

    # --- the ordinary delivery

    def _refusal(self, ordinary: Outcome) -> Iterator[Cause]:
        """Why the ordinary delivery is not accepted. It explains the same outcome of other checks, too."""
        response = ordinary.responses[0]
        sentence, remedy = self._reason(ordinary)
        is_systematic = not response.rejected
        alike = str(response)

        def explains(each: Outcome) -> bool:
            if each.check.sent == ORDINARY:
                return True
            if "legacy" in sentence and each.check.group == "legacy signature":
                return True
            if "milliseconds" in sentence and each.check.sent == "t in milliseconds":
                return True
            if ordinary.accepted:
                return bool(each.acted) and max(each.acted or ()) > 1
            return is_systematic and all(str(other) == alike for other in each.responses)

        yield self._cause(sentence, remedy, only=explains)

    def _reason(self, ordinary: Outcome) -> Sequence[str]:
        response = ordinary.responses[0]
        if str(response) in _WITHOUT_RESPONSE:
            return _WITHOUT_RESPONSE[str(response)]
        if ordinary.accepted and sum(ordinary.acted or ()) > 1:
            return "It acts more than once on a single delivery.", "Act once; or check what `acted` counts."
        for names, sentence, remedy in _ACCEPTED_INSTEAD:
            if not self._taken("signed with another secret") and self._taken(*names):
                return sentence, remedy.replace("{raw}", self._raw)
        if ordinary.accepted:
            sentence = f"It answers {response} to an ordinary delivery, but `acted` does not show that it acted on it."
            return (
                f"{sentence} A failure that is answered with 2xx is never retried.",
                "Answer 2xx only to what will be acted on. Otherwise check that `acted` reads the effects of this receiver.",
            )
        return self._reason_in(response)

    def _reason_in(self, response: Response) -> Sequence[str]:
        """Why the ordinary delivery is refused, from the response itself."""
        lines = [*(f"{name}: {value}" for name, value in response.headers), response.body.decode("latin-1")]
        for pattern, sentence, remedy in _ERROR_PAGES:
            if re.search(pattern, "\n".join(lines), re.IGNORECASE):
                return f"{sentence} ({response}).", remedy.replace("{raw}", self._raw)
        if str(response.status) in _BY_STATUS:
            return _BY_STATUS[str(response.status)]
        if response.failed:
            remedy = f"Look at its log for the error. {self._raw}".rstrip()
            return f"It fails at an ordinary, validly signed delivery: {response}.", remedy
        if not response.rejected:
            target = next((value for name, value in response.headers if name.lower() == "location"), "another URL")
            return (
                f"It redirects ({response}) to {printable(redacted(target), 200)}; redirects are not followed.",
                "Register the final URL: check https and the slash at the end.",
            )
        remedy = (
            "Check that the receiver has the same secret, complete, with whsec_ and without spaces or quotation marks."
        )
        return (
            f"It rejects an ordinary, validly signed delivery with {response}, and every other form that was tried.",
            f"{remedy} {self._raw}",
        )

    # --- the others

    def _forged(self) -> Iterator[Cause]:
        forged = [each for each in self._of("forged") if each.let_in]
        if forged:
            remedy = _VERIFY
            if any(each.acted is None for each in forged):
                sentence = (
                    "It answers 2xx to forged deliveries: it verifies nothing, or only after it has answered."
                    " Whether it acts on them cannot be determined without `acted`."
                )
            elif any(sum(each.acted or ()) for each in forged):
                sentence = "It verifies nothing: it acts on forged deliveries."
                if len(forged) == 1:
                    sentence = (
                        f"It acts on a delivery that is {forged[0].check.sent}: its verification does not protect."
                    )
            else:
                sentence = (
                    "It answers 2xx to deliveries that it does not act on, before or without regard to the verification,"
                    " so cStar never retries them, whatever goes wrong."
                )
                remedy = "Verify first. Answer 401 to what is not genuine, and 2xx only to what will be acted on."
            groups = ("forged", "timestamp", "legacy signature", "missing header", "malformed header")
            yield self._cause(sentence, remedy, *groups, "changed in transit")
        yield self._cause(
            "It acts on deliveries that it rejects.",
            "Verify before anything else, and act only afterwards.",
            only=lambda each: each.check.rule == "reject" and any(each.acted or ()) and not each.let_in,
        )
        yield self._cause(
            "It accepts deliveries whose signature is missing or malformed, without verification.",
            _VERIFY,
            *("missing header", "malformed header"),
            only=lambda each: each.let_in and each.check.sent != _V0,
        )

    def _header(self) -> Iterator[Cause]:
        of_parts = ("header parts", "two v1", _V0) if self._of("header parts") else ()
        if any(each.failed for each in self._of("malformed header", "legacy signature")):
            sentence = "It fails with 5xx, or closes the connection, on unexpected values of X-Signature"
            groups = ("missing header", "malformed header", "legacy signature", _V0, *of_parts)
            yield self._cause(
                sentence + (", and depends on the order or number of its parts." if of_parts else "."),
                f"{_CRASH} {_PARTS}" if of_parts else _CRASH,
                *groups,
                only=lambda each: each.failed or not {each.check.sent, each.check.group}.isdisjoint((*of_parts, _V0)),
            )
        yield self._cause(
            "It fails with 5xx if X-Signature is missing: a rejection looks like an outage, and anyone can cause it.",
            _CRASH,
            "missing header",
            only=lambda each: each.failed,
        )
        if of_parts:
            yield self._cause("It depends on the order or number of the parts of X-Signature.", _PARTS, *of_parts)
        yield self._cause("It accepts parts with other names as v1.", _PARTS, _V0)

    def _body(self) -> Iterator[Cause]:
        raw = {each.check.sent for each in self._of("raw body") if each.verdict == "wrong"}
        is_written_again = self._let_in("re-serialized with spaces") or (
            "spaces after , and :" in raw and not self._let_in("spaces after , and :")
        )
        concerned = self._of(*_BODY_GROUPS)
        if not concerned:
            return
        if is_written_again:
            unknown = ("a signed empty body", "a signed body that is not JSON", "a signed body that is a list")
            others = ("content types", UNKNOWN_FIELDS, "chunked", *(unknown if raw else ()))
            yield self._cause("It verifies re-serialized JSON, not the raw body.", self._raw, *_BODY_GROUPS, *others)
        elif "indented with CRLF" in raw and self._let_in("spaces after , and :"):
            yield self._cause("It changes line ends before it verifies the body.", self._raw, *_BODY_GROUPS)
        elif self._of("white space") or self._let_in("a newline added"):
            sentence = "It verifies the trimmed text of the body, not the raw body."
            yield self._cause(sentence, self._raw, "changed in transit", "white space")

    def _duplicates(self) -> Iterator[Cause]:
        order = self._open.get(ORDER)
        if order is not None and order.accepted and tuple(order.acted or ()) == (1, 0, 1, 0):
            sentence = "It takes different events of one ticket for duplicates, and acts on the first only."
            remedy = "Recognize duplicates by the id of the event."
            yield self._cause(sentence, remedy, ORDER, AFTER_FAILURE, "{} as data")
        # The retry after a failure is a plain duplicate where the first delivery did not fail.
        of_group = [
            each
            for each in self._of("duplicates")
            if each.check.sent != AFTER_FORGED and not (each.check.sent == AFTER_FAILURE and each.responses[0].failed)
        ]
        if not of_group:
            return
        names = [each.check.sent for each in of_group if each.check.sent != AFTER_FAILURE]
        if any(not each.accepted for each in of_group):
            sentence = "It does not answer 2xx to duplicates, so that cStar retries them."
            remedy = "Answer 200 to an event that is already processed."
        elif names == ["four copies at once"]:
            sentence = "It acts on duplicates that arrive at the same time: it recognizes only those that arrive one after the other."
            remedy = "Use a unique key in the database, or a lock: checking first and storing later lets both through."
        elif names == ["again, signed afresh, with X-Delivery-Attempt: 2"]:
            sentence = "It acts on duplicates that are signed afresh, as retries are."
            remedy = "Recognize duplicates by the event's id, not by the signature or the timestamp."
        elif not names:
            sentence = "It recognizes duplicates by something other than the event's id."
            remedy = "Recognize duplicates by the id of the event, whatever else is in it."
        elif any(sum(each.acted or ()) == 0 for each in of_group):
            sentence, remedy = "It does not act on events that arrive more than once.", "Act on the first of them."
        else:
            sentence = "It acts on duplicates: retries and repeated deliveries are processed again."
            remedy = (
                "Store the event's id with the effect, in one transaction, and answer 200 if the id is already stored."
            )
        yield self._cause(sentence, remedy, *(each.check.sent for each in of_group))

    def _rest(self) -> Iterator[Cause]:
        """Faults and notes without a known cause, one for each group: the checks that show it."""
        for verdict in ("wrong", "information"):
            for group in dict.fromkeys(each.check.group for each in self._open.values() if each.verdict == verdict):
                seen = [each for each in self._of(group) if each.verdict == verdict]
                details = "; ".join(f"{each.check.sent} ({each.observed})" for each in seen[:4])
                expected = ", or ".join(dict.fromkeys(each.expected for each in seen))
                sentence = f"{group.capitalize()}: unexpected outcome of {details}."
                yield self._cause(sentence, f"Expected: {expected}.", *(each.check.sent for each in seen))
