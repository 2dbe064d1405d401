"""Finds the causes of what went wrong: each fault of a receiver once, then notes."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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
_IN_PACKETS = {
    TWO_PACKETS,
    "16 at once",
    "four copies at once",
    "two packets that split a character",
    "a body of 120 kB",
    "a body of 1.5 MB",
    "chunked",
}
_FOUR_MINUTES = {"signed 4 minutes ago", "signed 4 minutes ahead"}
_TWO_V1 = {"two v1, the first of this secret", "two v1, the second of this secret"}
_V0 = "X-Signature: only a v0"
_BODY_GROUPS = ("changed in transit", "raw body", "white space")

# Checks that have a cause of their own: what is wrong, and what to do.
_SINGLE = {
    "signed 4 minutes ago": ("It rejects deliveries that were signed 4 minutes ago.", "Allow 300 s in both directions: retries and queues take time."),
    "signed 4 minutes ahead": ("It rejects deliveries that were signed a few minutes ahead.", "Allow 300 s in both directions: clocks differ."),
    UNKNOWN_FIELDS: ("It rejects events with fields that it does not know: it stops working when cStar adds a field.", "Ignore unknown fields."),
    ORDER: (
        "It does not act on both events of a ticket if they arrive in an unexpected order.",
        "cStar does not promise an order: accept each event on its own.",
    ),
    "header names in lower case": ("It does not find headers whose names are in lower case.", "Compare header names without regard to case."),
    "three over one connection": ("It fails at the second or third delivery over one connection.", "Read each request's body to its end, and answer with a correct Content-Length."),
    TWO_PACKETS: ("It reads only the part of the body that arrives first.", "Read as many bytes as Content-Length says."),
    "16 at once": ("It does not accept 16 deliveries that arrive at the same time.", "Serve requests concurrently, or answer first and act afterwards."),
    AFTER_FAILURE: (
        "It stores the id of an event before it has acted: if acting fails, it ignores cStar's retry, and the event is lost.",
        "Store the id after the effect, or in one transaction with it.",
    ),
    AFTER_FORGED: (
        "It stores the id of an event before it verifies the delivery: a forged delivery keeps the genuine one from being processed.",
        "Verify first. Store the id together with the effect.",
    ),
    "a type that does not exist yet": ("It rejects unknown event types: deliveries of every type that cStar adds will fail.", "Answer 200 to types that you do not handle."),
    "two packets that split a character": ("It decodes each piece of the body on its own, and loses a character that is split between two packets.", "{raw}"),
    "a byte added that is not UTF-8": ("It decodes the body as text before it verifies it, and drops or replaces what is not UTF-8.", "{raw}"),
}  # fmt: skip

# Notes: what was sent, the sentence, what to do.
_NOTES = {
    "a valid sha256= over the body alone": ("It accepts the legacy signature too, sha256= over the body alone: it has no timestamp, so it can be replayed at any time.", "Accept only t= and v1=."),
    "two v1, the first of this secret": ("It does not accept two v1 signatures, as during the rotation of a secret.", "Accept a delivery if any of its v1 values matches. cStar has not been observed to send two."),
    "two v1, the second of this secret": ("It checks only one v1: it rejects deliveries with two, as during the rotation of a secret.", "Accept a delivery if any of its v1 values matches. cStar has not been observed to send two."),
    "Content-Type with a charset": ("It does not accept application/json with a charset.", "Compare the media type without its parameters."),
    "a body of 120 kB": ("It does not accept a body of 120 kB; some frameworks limit bodies to 100 kB.", "Raise the limit for this route, to 1 MB or more. cStar does not document how long its bodies can be."),
    "{} as data": ("It does not accept an event whose data is empty.", "cStar has not been observed to send one; answer 200 to events that lack what you need."),
    "chunked": ("It does not read bodies without a Content-Length.", "Nothing to do: cStar sends one."),
    "GET": ("It answers GET with 2xx.", "Nothing to do, unless a monitor takes this for a working receiver. cStar sends POST only."),
}  # fmt: skip

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

_NO_ROUTE = ("It has no route for POST at this path (404 or 405).", "Check the path, and that the route takes POST.")
_BY_STATUS = {
    404: _NO_ROUTE,
    405: _NO_ROUTE,
    413: ("It rejects an ordinary delivery as too large (413).", "Raise the limit for bodies on this route, to 1 MB or more."),
    415: ("It does not accept Content-Type: application/json (415).", "Accept application/json, with or without a charset."),
    429: ("It limits the rate of requests, and refuses an ordinary delivery (429).", "Exempt this route."),
}  # fmt: skip

# What frameworks write into the response of an ordinary delivery that fails: a pattern, what is wrong, and what to do.
_ERROR_PAGES = (
    (r"must be of type string or an instance of buffer|received an instance of object|not '?dict'?|unexpected type.*object",
     "It passes the parsed body to the HMAC instead of the raw bytes, and fails", "{raw}"),
    (r"csrf|page expired", "Its framework expects a CSRF token and refuses every delivery", "Exempt this route: csrf_exempt in Django, routes/api.php in Laravel, skip_forgery_protection in Rails."),
    (r"timingsafeequal|input buffers must have the same|byte length", "It compares signatures of different lengths in a way that raises an error", "Compare the lengths first. Encode both in the same way."),
    (r"www-authenticate: ", "It asks for a login and refuses every delivery", "Exempt this route: cStar authenticates itself by the signature."),
    (r"allowed_hosts|disallowedhost|invalid host header", "It does not serve this host name", "Add the host of the webhook's URL to the allowed hosts."),
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


class _Search:
    """Finds one cause after another. Each problem is explained by the first cause that fits."""

    def __init__(self, outcomes: Mapping[str, Outcome], raw: str) -> None:
        self._outcomes, self._raw = outcomes, raw
        self._open = {name: each for name, each in outcomes.items() if each.is_problem and each.check.group}

    def found(self, dead_after: str | None) -> Iterator[Cause]:
        if dead_after is not None:
            remedy = "Look at its log: this delivery, or one sent at the same time, crashed or blocked it."
            yield self._cause(
                f"It stopped answering after: {dead_after}.", remedy, lambda each: each.check.sent == dead_after
            )
        ordinary = self._outcomes[ORDINARY]
        if ordinary.verdict == "wrong":
            yield from self._refusal(ordinary)
        yield from self._forged()
        if TWO_PACKETS in self._open:
            yield self._cause(
                *_SINGLE[TWO_PACKETS],
                lambda each: (
                    each.check.sent in _IN_PACKETS or any(other.error == NO_RESPONSE for other in each.responses)
                ),
            )
        is_replayable = self._let_in("signed 10 minutes ago")
        yield self._cause(
            "It does not check the timestamp: deliveries can be replayed at any time."
            if is_replayable
            else "It limits the age of deliveries in one direction only: it accepts a t that lies in the future.",
            "Reject deliveries whose t is more than 300 s in the past or in the future.",
            lambda each: each.check.group == "timestamp" and each.let_in,
        )
        if self._open.keys() >= _FOUR_MINUTES:
            sentence = "It allows less than 4 minutes between signing and arrival."
            yield self._cause_of(_FOUR_MINUTES, sentence, "Allow 300 s in both directions.")
        yield from self._header()
        yield from self._body()
        yield from self._duplicates()
        yield from self._timeouts()
        if self._open.keys() >= _TWO_V1:
            yield self._cause_of(_TWO_V1, *_NOTES[min(_TWO_V1)], is_note=True)
        for table, is_note in ((_SINGLE, False), (_NOTES, True)):
            for sent, (sentence, remedy) in table.items():
                if sent not in self._open:
                    continue
                yield self._cause_of({sent}, sentence, remedy.replace("{raw}", self._raw), is_note=is_note)
        yield from self._rest()

    # --- helpers

    def _cause(
        self, sentence: str, remedy: str, explains: Callable[[Outcome], bool], *, is_note: bool = False
    ) -> Cause:
        checks = tuple(name for name, each in self._open.items() if explains(each))
        is_note = is_note or all(self._open[name].verdict == "information" for name in checks)
        for name in checks:
            del self._open[name]
        return Cause(sentence, remedy, checks, is_note)

    def _cause_of(self, sent: set[str], sentence: str, remedy: str, *, is_note: bool = False) -> Cause:
        return self._cause(sentence, remedy, lambda each: each.check.sent in sent, is_note=is_note)

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

        yield self._cause(sentence, remedy, explains)

    def _reason(self, ordinary: Outcome) -> tuple[str, str]:
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

    def _reason_in(self, response: Response) -> tuple[str, str]:
        """Why the ordinary delivery is refused, from the response itself."""
        lines = [*(f"{name}: {value}" for name, value in response.headers), response.body.decode("latin-1")]
        for pattern, sentence, remedy in _ERROR_PAGES:
            if re.search(pattern, "\n".join(lines), re.IGNORECASE):
                return f"{sentence} ({response}).", remedy.replace("{raw}", self._raw)
        if response.status in _BY_STATUS:
            return _BY_STATUS[response.status]
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
            groups = (
                "forged",
                "timestamp",
                "legacy signature",
                "missing header",
                "malformed header",
                "changed in transit",
            )
            yield self._cause(sentence, remedy, lambda each: each.check.group in groups)
        yield self._cause(
            "It acts on deliveries that it rejects.",
            "Verify before anything else, and act only afterwards.",
            lambda each: each.check.rule == "reject" and any(each.acted or ()) and not each.let_in,
        )
        yield self._cause(
            "It accepts deliveries whose signature is missing or malformed, without verification.",
            _VERIFY,
            lambda each: (
                each.check.group in {"missing header", "malformed header"} and each.let_in and each.check.sent != _V0
            ),
        )

    def _header(self) -> Iterator[Cause]:
        groups = ("missing header", "malformed header", "legacy signature")
        odd = [each for each in self._of(*groups[1:]) if each.failed]
        parts = self._of("header parts")
        if odd:
            sentence = "It fails with 5xx, or closes the connection, on unexpected values of X-Signature"
            yield self._cause(
                sentence + (", and depends on the order or number of its parts." if parts else "."),
                f"{_CRASH} {_PARTS}" if parts else _CRASH,
                lambda each: (
                    (each.check.group in groups and each.failed)
                    or (bool(parts) and each.check.group in {"header parts", "two v1"})
                    or each.check.sent == _V0
                ),
            )
        yield self._cause(
            "It fails with 5xx if X-Signature is missing: a rejection looks like an outage, and anyone can cause it.",
            _CRASH,
            lambda each: each.check.group == "missing header" and each.failed,
        )
        if parts:
            yield self._cause(
                "It depends on the order or number of the parts of X-Signature.",
                _PARTS,
                lambda each: each.check.group in {"header parts", "two v1"} or each.check.sent == _V0,
            )
        yield self._cause("It accepts parts with other names as v1.", _PARTS, lambda each: each.check.sent == _V0)

    def _body(self) -> Iterator[Cause]:
        raw = {each.check.sent for each in self._of("raw body") if each.verdict == "wrong"}
        is_written_again = self._let_in("re-serialized with spaces") or (
            "spaces after , and :" in raw and not self._let_in("spaces after , and :")
        )
        concerned = self._of(*_BODY_GROUPS)
        if not concerned:
            return
        if is_written_again:
            unknown = {"a signed empty body", "a signed body that is not JSON", "a signed body that is a list"}
            yield self._cause(
                "It verifies re-serialized JSON, not the raw body.",
                self._raw,
                lambda each: (
                    each.check.group in _BODY_GROUPS
                    or (each.check.sent in unknown and bool(raw))
                    or each.check.group == "content types"
                    or each.check.sent in {UNKNOWN_FIELDS, "chunked"}
                ),
            )
        elif "indented with CRLF" in raw and self._let_in("spaces after , and :"):
            yield self._cause(
                "It changes line ends before it verifies the body.",
                self._raw,
                lambda each: each.check.group in _BODY_GROUPS,
            )
        elif self._of("white space") or self._let_in("a newline added"):
            yield self._cause(
                "It verifies the trimmed text of the body, not the raw body.",
                self._raw,
                lambda each: each.check.group in {"changed in transit", "white space"},
            )

    def _duplicates(self) -> Iterator[Cause]:
        order = self._open.get(ORDER)
        if order is not None and order.accepted and tuple(order.acted or ()) == (1, 0, 1, 0):
            yield self._cause_of(
                {ORDER, AFTER_FAILURE, "{} as data"},
                "It takes different events of one ticket for duplicates, and acts on the first only.",
                "Recognize duplicates by the id of the event.",
            )
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
        yield self._cause_of({each.check.sent for each in of_group}, sentence, remedy)

    def _timeouts(self) -> Iterator[Cause]:
        yield self._cause(
            "It sends no response within 10 s to some deliveries, so that cStar retries them.",
            "Respond first, and act afterwards.",
            lambda each: any(str(response) == NO_RESPONSE for response in each.responses),
        )

    def _rest(self) -> Iterator[Cause]:
        """Faults and notes without a known cause, one for each group: the checks that show it."""
        for verdict in ("wrong", "information"):
            for group in dict.fromkeys(each.check.group for each in self._open.values() if each.verdict == verdict):
                seen = [each for each in self._of(group) if each.verdict == verdict]
                details = "; ".join(f"{each.check.sent} ({each.observed})" for each in seen[:4])
                expected = ", or ".join(dict.fromkeys(each.expected for each in seen))
                sentence = f"{group.capitalize()}: unexpected outcome of {details}."
                yield self._cause_of({each.check.sent for each in seen}, sentence, f"Expected: {expected}.")
