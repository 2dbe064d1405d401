"""The checks: what each sends, and the rule that judges its outcome."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..secret import Secret
from ..signatures import keys
from . import signed_requests as made
from .sending import Exchange
from .signed_requests import Build, Maker, Signature, compact

GROUPS = (
    *("accepted", "duplicates", "forged", "timestamp", "legacy signature", "missing header"),
    *("malformed header", "changed in transit", "raw body", "white space", "new types", "header parts"),
    *("two v1", "content types", "sizes, shapes"),
)
ORDINARY = "an ordinary delivery"
UNKNOWN_FIELDS = "unknown fields"
ORDER = "ticket.closed before ticket.created"
TWO_PACKETS = "the body in two packets"
AFTER_FORGED = "the genuine delivery after a forged one of the same event"
AFTER_FAILURE = "the retry of an event without data, which may fail, with data"
MINUTE = 60

# The expected outcome, by the name of the rule; `judging` applies the rules.
EXPECTED = {
    "accept": "2xx within 10 s, and acted on once",
    "order": "2xx for each, and each acted on once, in whatever order they arrive",
    "once": "2xx for each, and acted on once in total",
    "reject": "4xx, and not acted on",
    "legacy": "4xx, and not acted on",
    "new type": "2xx; acted on or not",
    "preferably": "2xx within 10 s, and acted on once",
    "or 415": "2xx and acted on once, or 415",
    "or 413": "2xx or 413",
    "or 411": "2xx or 411",
    "no 5xx": "any response but 5xx",
    "no 2xx": "any response but 2xx",
}
NEEDS_ACCEPTANCE = frozenset({"accept", "order", "once", "new type", "preferably", "or 415", "or 413", "or 411"})


@dataclass(frozen=True)
class Check:
    """A check.

    Attributes:
        sent: What it sends.
        group: One of `GROUPS`; empty if it only serves to find a cause.
        rule: One of `EXPECTED`.
        alone: Whether nothing else is sent at the same time.
        extra_fields: Whether its event has fields that do not exist yet.
    """

    sent: str
    group: str
    rule: str
    build: Build
    alone: bool = False
    extra_fields: bool = False


@dataclass(frozen=True)
class Probe:
    """A delivery that only a receiver with this mistake accepts. Sent where the ordinary one is refused."""

    check: Check
    mistake: str
    remedy: str = ""


# --- other ways to write the same event


def _json(**form: Any) -> Callable[[Any], bytes]:
    """JSON in another form, with these arguments of `json.dumps`."""
    return lambda event: json.dumps(event, **form).encode()


_COMPACT = (",", ":")
_spaced = _json(ensure_ascii=False)
_indented = _json(indent=2)


def _with_data(data: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], bytes]:
    return lambda event: compact(event | {"data": data(event["data"])})


def _numbers(event: Any) -> bytes:
    data = event["data"] | {"numbers": 0}
    return compact(event | {"data": data}).replace(b'"numbers":0', b'"numbers":[1.0,1e2,12345678901234567890,-0]')


def _unknown_fields(event: Any) -> bytes:
    data = event["data"] | {"added_later": {"a": [1]}}
    return compact(event | {"data": data, "api_version": "2030-01-01"})


# --- other ways to send it


def _split_character(maker: Maker) -> Exchange:
    event = maker.event(title="Zoë 🎉")
    body = compact(event)
    return Exchange([maker.request(event, split=body.index("🎉".encode()) + 2)], (event["id"],))


# --- the catalogue


def _rejected(group: str, sent: str, build: Build) -> Check:
    return Check(sent, group, "reject", build)


def _malformed(what: str, form: Callable[[Signature], str | bytes]) -> Check:
    return _rejected("malformed header", f"X-Signature: {what}", made.with_header(form))


def _raw(sent: str, write: Callable[[Any], bytes] = compact, rule: str = "accept", **event: str) -> Check:
    return Check(sent, "raw body", rule, made.written(write, **event))


_NEW_TYPE = "ticket.type_that_does_not_exist_yet"
_OTHER_V1 = "0" * 63 + "1"
_TEXT = "Zoë Łukasz はい 🎉 é\u2028\u2029"

ORDINARY_CHECK = Check(ORDINARY, "accepted", "accept", made.written(), alone=True)

CHECKS: tuple[Check, ...] = (
    ORDINARY_CHECK,
    Check("signed 4 minutes ago", "accepted", "accept", made.signed(age=4 * MINUTE)),
    Check("signed 4 minutes ahead", "accepted", "accept", made.signed(age=-4 * MINUTE)),
    Check(UNKNOWN_FIELDS, "accepted", "accept", made.written(_unknown_fields)),
    Check(
        ORDER,
        "accepted",
        "order",
        made.several(("ticket.closed", "a"), ("ticket.created", "a"), ("ticket.created", "b"), ("ticket.closed", "b")),
    ),
    Check("header names in lower case", "accepted", "accept", made.sent_as(lambda request: replace(request, headers=tuple((name.lower(), value) for name, value in request.headers)))),
    Check("three over one connection", "accepted", "accept", made.several(*[("ticket.created", "")] * 3)),
    Check(TWO_PACKETS, "accepted", "accept", made.sent_as(lambda request: replace(request, split=len(request.body) // 2))),
    Check("16 at once", "accepted", "accept", made.several(*[("ticket.created", "")] * 16, at_once=True), alone=True),
    Check("the same bytes again", "duplicates", "once", made.repeated(2)),
    Check("again, signed afresh, with X-Delivery-Attempt: 2", "duplicates", "once", made.retried),
    Check("four copies at once", "duplicates", "once", made.repeated(4, at_once=True), alone=True),
    Check(AFTER_FORGED, "duplicates", "once", made.after_forged),
    Check(AFTER_FAILURE, "duplicates", "once", made.after_failure),
    _rejected("forged", "signed with another secret", made.signed(secret=lambda maker: maker.other_secret)),
    _rejected("forged", "changed after signing", made.changed(lambda body: body.replace(b'"new"', b'"old"'))),
    _rejected("timestamp", "signed 10 minutes ago", made.signed(age=10 * MINUTE)),
    _rejected("timestamp", "signed 10 minutes ahead", made.signed(age=-10 * MINUTE)),
    _rejected("timestamp", "t in milliseconds", made.signed(unit=1000)),
    Check("a valid sha256= over the body alone", "legacy signature", "legacy", made.signing(lambda _, body: body, "sha256={v1}")),
    _rejected("missing header", "no X-Signature", made.sent_as(header=None)),
    _rejected("missing header", "an empty X-Signature", made.with_header(lambda _: b"")),
    _malformed("prose", lambda _: "this is not a signature"),
    _malformed("a v1 of three digits", lambda each: f"t={each.t},v1={each.v1[:3]}"),
    _malformed("an empty v1", lambda each: f"t={each.t},v1="),
    _malformed("a v1 that is not hexadecimal", lambda each: f"t={each.t},v1={'z' * 64}"),
    _malformed("a v1 that is not ASCII", lambda each: f"t={each.t},v1={'é' * 32}"),
    _malformed("a t that is not a number", lambda each: f"t=yesterday,v1={each.v1}"),
    _malformed("no t", lambda each: f"v1={each.v1}"),
    _malformed("a v1 without =", lambda each: f"t={each.t},v1"),
    _malformed("only a v0", lambda each: f"t={each.t},v0={each.v1}"),
    _rejected("changed in transit", "re-serialized with spaces", made.changed(lambda body: _spaced(json.loads(body)))),
    _rejected("changed in transit", "a newline added", made.changed(lambda body: body + b"\n")),
    _rejected("changed in transit", "a byte added that is not UTF-8", made.changed(lambda body: body + b"\xff")),
    _raw("spaces after , and :", _spaced),
    _raw("indented with CRLF", lambda event: _indented(event).replace(b"\n", b"\r\n")),
    _raw("non-ASCII letters", title=_TEXT),
    Check("two packets that split a character", "raw body", "accept", _split_character),
    _raw("\\u escapes", _json(separators=_COMPACT), title=_TEXT),
    _raw("\\/", lambda event: compact(event).replace(b"/", b"\\/"), title="https://example.com/a/b"),
    _raw("/", title="https://example.com/a/b"),
    replace(_raw("1.0, 1e2, 20 digits", _numbers), extra_fields=True),
    _raw("keys in an unusual order", lambda event: compact(dict(reversed(event.items())))),
    replace(_raw("{} and []", _with_data(lambda data: data | {"empty": {}, "list": []})), extra_fields=True),
    _raw("{} as data", _with_data(lambda _: {}), "preferably"),
    _raw("<, > and &", title="<b>R&D</b> 'quoted'"),
    Check("signed with a trailing newline", "white space", "accept", made.written(lambda event: compact(event) + b"\n")),
    Check("signed with a space at both ends", "white space", "accept", made.written(lambda event: b" " + compact(event) + b" ")),
    Check("a type that does not exist yet", "new types", "new type", made.written(kind=_NEW_TYPE)),
    Check("v1 before t", "header parts", "accept", made.with_header(lambda each: f"v1={each.v1},t={each.t}")),
    Check("a v0 and an unknown part at the end", "header parts", "accept", made.with_header(lambda each: f"t={each.t},v1={each.v1},v0={'0' * 64},n=1")),
    Check("two v1, the first of this secret", "two v1", "preferably", made.with_header(lambda each: f"t={each.t},v1={each.v1},v1={_OTHER_V1}")),
    Check("two v1, the second of this secret", "two v1", "preferably", made.with_header(lambda each: f"t={each.t},v1={_OTHER_V1},v1={each.v1}")),
    Check("Content-Type with a charset", "content types", "preferably", made.sent_as(content_type="application/json; charset=utf-8")),
    Check("Content-Type: text/plain", "content types", "or 415", made.sent_as(content_type="text/plain")),
    Check("no Content-Type", "content types", "or 415", made.sent_as(content_type=None)),
    Check("a body of 120 kB", "sizes, shapes", "preferably", made.written(title="x" * 120_000)),
    Check("a body of 1.5 MB", "sizes, shapes", "or 413", made.written(title="x" * 1_500_000)),
    Check("chunked", "sizes, shapes", "or 411", made.sent_as(chunked=True)),
    Check("a signed empty body", "sizes, shapes", "no 5xx", made.raw(b"")),
    Check("a signed body that is not JSON", "sizes, shapes", "no 5xx", made.raw(b"not JSON")),
    Check("a signed body that is a list", "sizes, shapes", "no 5xx", made.raw(b"[1,2]")),
    Check("GET", "sizes, shapes", "no 2xx", made.empty("GET")),
    Check("HEAD", "sizes, shapes", "no 2xx", made.empty("HEAD")),
)  # fmt: skip


def _other_key(change: Callable[[str], str | bytes]) -> Build:
    """An ordinary delivery that is signed with a key made from the secret, or if that is impossible, with another secret."""

    def key(maker: Maker) -> Secret:
        try:
            return keys.as_secret(change(maker.secret.reveal()))
        except ValueError:
            return maker.other_secret

    return made.signed(secret=key)


def _signed(t: str, body: bytes) -> bytes:
    """What cStar signs."""
    return t.encode() + b"." + body


def _bare(secret: str) -> str:
    return secret.removeprefix("whsec_")


def _probe(name: str, build: Build, mistake: str, remedy: str = "") -> Probe:
    return Probe(Check(f"probe: {name}", "", "accept", build), mistake, remedy)


RESERIALIZED = "verifies re-serialized JSON, not the raw body: it rejects an ordinary delivery, but accepts one"
_KEY = "The key is the whole secret as text, including whsec_."
_CONTENT = 'Sign t + "." + raw body.'

# The first that is accepted names the cause.
PROBES: tuple[Probe, ...] = (
    _probe("sorted", made.written(_json(separators=_COMPACT, sort_keys=True)), f"{RESERIALIZED} with its keys in alphabetical order"),
    _probe("sorted with spaces", made.written(_json(sort_keys=True)), f"{RESERIALIZED} with its keys in alphabetical order and spaces"),
    _probe("indented", made.written(_indented), f"{RESERIALIZED} that is indented"),
    _probe("indented by 4", made.written(_json(indent=4)), f"{RESERIALIZED} that is indented"),
    _probe("bare", _other_key(_bare), "uses the secret without whsec_ as the key", _KEY),
    _probe("base64", _other_key(lambda secret: b64decode(_bare(secret))), "uses the base64-decoded secret as the key", _KEY),
    _probe("hex key", _other_key(lambda secret: bytes.fromhex(_bare(secret))), "uses the hex-decoded secret as the key", _KEY),
    _probe("newline", _other_key(lambda secret: f"{secret}\n"), "has a newline at the end of its secret", _KEY),
    _probe("quotes", _other_key(lambda secret: f'"{secret}"'), "has quotation marks around its secret", _KEY),
    _probe("body only", made.signing(lambda _, body: body), "signs the body without the timestamp", _CONTENT),
    _probe("no dot", made.signing(lambda t, body: t.encode() + body), "signs the timestamp and the body without the dot between them", _CONTENT),
    _probe("reversed", made.signing(lambda t, body: body + b"." + t.encode()), "signs the body before the timestamp", _CONTENT),
    _probe("upper case", made.signing(_signed, "t={t},v1={V1}"), "expects upper-case hexadecimal digits", "cStar sends lower case."),
    _probe("base64 digest", made.signing(_signed, "t={t},v1={base64}"), "expects the signature in base64", "v1 is hexadecimal."),
    _probe(
        "bare digest",
        made.signing(_signed, "{v1}", **{"X-Timestamp": "{t}"}),
        "expects only the digest in X-Signature, and the timestamp in X-Timestamp",
        "Read t and v1 from X-Signature: t=…,v1=….",
    ),
    _probe("bare digest of the body", made.signing(lambda _, body: body, "{v1}"), "expects only the digest of the body in X-Signature", "Read t and v1 from X-Signature: t=…,v1=…."),
    _probe(
        "X-Timestamp",
        made.signing(_signed, "t=0,v1={v1}", **{"X-Timestamp": "{t}"}),
        "takes the timestamp from the header X-Timestamp",
        "Take t from X-Signature: only t is signed.",
    ),
    _probe(
        "other header names",
        made.signing(
            _signed,
            **dict.fromkeys(("X-CStar-Signature", "CStar-Signature", "X-Webhook-Signature", "Webhook-Signature", "Stripe-Signature", "X-Hub-Signature-256", "Signature"), "t={t},v1={v1}"),
        ),
        "reads the signature from a header of another name",
        "Read X-Signature.",
    ),
)  # fmt: skip
