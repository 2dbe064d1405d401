"""Why a delivery does not verify. `verify` says that it does not; `explain` finds out what happened to it.

The signature is a witness: whatever was signed, with whatever key, only the right pair gives these 64 digits. So each
mishap that is known to befall secrets and bodies is undone in turn, and if the signature then matches, that was it. Nothing
is called a cause that could not be shown so or seen in the delivery itself; where no trace is left, a wrong secret and a
changed body cannot be told apart, and `alternatives` says so.
"""

import hmac
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..text import escaped, printable, redacted
from .corruptions import BODY_CORRUPTIONS, SECRET_CORRUPTIONS, has_sorted_keys, is_mask
from .signing import (
    TOLERANCE,
    Moment,
    Secrets,
    checked_body,
    checked_tolerance,
    digest,
    json_in,
    keys_of,
    legacy_digest,
    read_header,
    seconds,
)

# cause → what to do. The closed list of causes, in the order in which they are looked for.
REMEDIES: Mapping[str, str] = {
    "ok": "Nothing: act on it.",
    "header_missing": "Let the request through with its headers: a proxy or framework drops X-Signature before your code.",
    "header_old_name": "Read X-Signature; cStar's newer pages no longer mention x-cstar-signature.",
    "header_malformed": "Hand on the value of X-Signature as it came, whole and once.",
    "legacy_form": "Sign with the current form. cStar no longer sends this one: it contains no time, so it can be replayed.",
    "other_provider": "Verify it with that provider's library; it is not from cStar.",
    "signature_cut": "Keep all 64 digits: look for a column, a log or a header limit that shortens values.",
    "milliseconds": "Sign and compare whole seconds of Unix time, not milliseconds.",
    "too_old": "Verify on arrival and check the clock; for stored deliveries, give `now` or a wider tolerance.",
    "in_the_future": "Check this machine's clock (and its time zone handling) against the network's time.",
    "secret_whitespace": "Strip the secret where it is read: a newline or space came along from a file or a paste.",
    "secret_quoted": "Take the quotes off the secret: the environment file or shell kept them as part of the value.",
    "secret_decoded": "Use the secret as the text it is; cStar's is not base64 to be decoded, unlike Standard Webhooks.",
    "secret_prefix_cut": "Keep the whsec_: with cStar the whole string is the key.",
    "secret_masked": "This is a mask and not the secret. It was told once, on create; if it is lost, make a new webhook.",
    "body_trailing_newline": "Verify the bytes as received: something added or removed a newline at the end.",
    "body_bom": "Verify the bytes as received: something added or removed a byte order mark.",
    "body_crlf": "Verify the bytes as received: something converted line ends.",
    "body_charset": "Verify the bytes as received: something decoded or encoded them as another character set.",
    "body_reencoded": "Verify before parsing: take the raw body (request.get_data(), await request.body()), not JSON written again.",
    "body_cut": "Read the whole body before verifying: a size limit or a short read cut it.",
    "body_changed": "Find what edits the body on its way: a proxy, a middleware, or someone.",
    "wrong_secret": "Use the secret of this very webhook (X-Webhook-ID names it): each has its own, and test and live differ.",
}

CAUSES = tuple(REMEDIES)

# Longer bodies are verified, and compared with fewer ways in which they may have been changed.
_SMALL = 2**20

_OTHERS = {
    "stripe-signature": "Stripe",
    "x-hub-signature-256": "GitHub",
    "x-hub-signature": "GitHub",
    "webhook-signature": "Standard Webhooks",
    "svix-signature": "Standard Webhooks (Svix)",
}


@dataclass(frozen=True)
class Explanation:
    """What `explain` found.

    Attributes:
        ok: Whether the delivery verifies.
        cause: One of `CAUSES`.
        alternatives: Causes that leave the same traces.
        evidence: What shows it.
        remedy: What to do.
    """

    cause: str
    evidence: str
    alternatives: tuple[str, ...] = ()
    ok: bool = field(init=False)
    remedy: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ok", self.cause == "ok")
        object.__setattr__(self, "remedy", REMEDIES[self.cause])

    def __repr__(self) -> str:
        return "\n".join(f"{name:<9}{value}" for name, value in self._lines())

    def _repr_html_(self) -> str:
        cell = '<{0} style="text-align: left">{1}</{0}>'
        rows = "".join(
            f"<tr>{cell.format('th', name)}{cell.format('td', escaped(value, 2_000))}</tr>"
            for name, value in self._lines()
        )
        return f'<table class="mathjax_ignore tex2jax_ignore">{rows}</table>'

    def _lines(self) -> list[tuple[str, str]]:
        perhaps = f" (or {', '.join(self.alternatives)})" if self.alternatives else ""
        verdict = "verified" if self.ok else f"refused: {self.cause}{perhaps}"
        return [("verdict", verdict), ("evidence", self.evidence), ("remedy", self.remedy)]


def explain(
    body: bytes,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | str | None,
    secrets: Secrets,
    now: Moment | None = None,
    tolerance: float = TOLERANCE,
) -> Explanation:
    """Says why a delivery verifies or not.

    Args:
        body: The bytes as received.
        headers: All headers of the request (names in any case), or the value of X-Signature alone.
        secrets: What the receiver holds: one or several.
        now: Unix seconds or a datetime; by default the present.
        tolerance: Seconds that the signed time may differ from now.

    Raises:
        ValidationError, ConfigurationError: The body is not bytes, or there is no secret.
    """
    content = checked_body(body)
    keys = keys_of(secrets)
    allowed = checked_tolerance(tolerance)
    known = _lower_case(headers)
    header = known.get("x-signature", "").strip()
    if not header:
        return _without_header(known)
    read = read_header(header)
    if read is None and header.lower().startswith("sha256="):
        return _legacy(content, header, keys)
    if read is None or not all(re.fullmatch(r"[0-9a-f]{1,64}", given) for given in read.v1):
        return _malformed(header, content, keys)
    return _matched(content, read.t, read.v1, keys, seconds(now), allowed) or _mismatch(
        content, known, read.t, read.v1, keys
    )


def _without_header(known: Mapping[str, str]) -> Explanation:
    other = next((name for name in _OTHERS if name in known), None)
    if other:
        return Explanation("other_provider", f"There is no X-Signature, but a {other}, which is {_OTHERS[other]}'s.")
    if "x-cstar-signature" in known:
        return Explanation(
            "header_old_name", "There is no X-Signature, but an x-cstar-signature, the name on cStar's oldest page."
        )
    names = ", ".join(sorted(known)) or "none at all"
    return Explanation("header_missing", f"There is no X-Signature among the headers: {printable(names, 300)}.")


def _legacy(body: bytes, header: str, keys: Sequence[bytes]) -> Explanation:
    given = header.partition("=")[2].strip().lower()
    right = any(_same(legacy_digest(key, body), given) for key in keys)
    judged = "matches the body" if right else "does not match the body either"
    return Explanation("legacy_form", f"X-Signature has the old form sha256=…, without a time; it {judged}.")


def _malformed(header: str, body: bytes, keys: Sequence[bytes]) -> Explanation:
    """A header that is none of cStar's; says which part is wrong, and whether the signature could be saved."""
    shown = printable(redacted(header), 120)
    read = read_header(",".join(part.strip() for part in header.lower().strip("'\" ").split(",")))
    saved = read is not None and any(_same(digest(key, read.t, body), given) for key in keys for given in read.v1)
    if saved:
        return Explanation("header_malformed", f"X-Signature is '{shown}': right but for its case, spaces or quotes.")
    missing = [f"{name}=" for name in ("t", "v1") if not re.search(rf"(^|,)\s*{name}=", header)]
    detail = f"it has no {' and no '.join(missing)}" if missing else "its t or v1 is not of digits"
    return Explanation("header_malformed", f"X-Signature is '{shown}': {detail}.")


def _matched(  # noqa: PLR0917 - what was received, what is held, and when
    body: bytes, t: str, given: Sequence[str], keys: Sequence[bytes], now: float, tolerance: float
) -> Explanation | None:
    """The verdict on a signature that matches body and secret, by its time."""
    number = next((place for place, key in enumerate(keys, 1) if _signs(key, t, body, given)), None)
    if len(t) >= 12:
        # Unix seconds have ten digits until the year 2286. Whether it was signed so, or written so afterwards:
        short = t[:-3]
        if number or any(_signs(key, short, body, given) for key in keys):
            return Explanation(
                "milliseconds", f"t={t} has {len(t)} digits: milliseconds. The signature is right otherwise."
            )
        return None
    if number is None:
        return None
    which = f"secret {number} of {len(keys)}" if len(keys) > 1 else "the secret"
    age = now - int(t)
    if abs(age) <= tolerance:
        no_event = (
            "" if isinstance(json_in(body), dict) else " But the body is not a JSON object, so there is no event in it."
        )
        return Explanation("ok", f"It matches {which}, and is {_span(age)}.{no_event}")
    cause = "too_old" if age > 0 else "in_the_future"
    return Explanation(cause, f"It matches {which}, but is {_span(age)}; {tolerance:,.0f} s are allowed.")


def _span(age: float) -> str:
    return f"{abs(age):,.0f} s {'old' if age >= 0 else 'in the future'}"


def _mismatch(
    body: bytes, known: Mapping[str, str], t: str, given: Sequence[str], keys: Sequence[bytes]
) -> Explanation:
    whole = [digits for digits in given if len(digits) == 64]
    if not whole:
        return _cut_signature(body, t, given, keys)
    for found in itertools.chain(_secret_mishaps(body, t, whole, keys), _body_mishaps(body, t, whole, keys)):
        return found
    if any(is_mask(key) for key in keys):
        return Explanation("secret_masked", "The secret in use has mask characters in it.")
    if len(t) >= 12:
        return Explanation("milliseconds", f"t={t} has {len(t)} digits: milliseconds.")
    return _traces(body, known) or _no_trace(body)


def _no_trace(body: bytes) -> Explanation:
    if len(body) > _SMALL:
        evidence = (
            f"With {len(body):,} bytes the body is too long to try in all the ways it may have been written again."
        )
        return Explanation("wrong_secret", evidence, alternatives=("body_changed", "body_reencoded"))
    evidence = (
        "No known mishap explains it: the secret is another one's, or the body was changed without leaving a trace."
    )
    return Explanation("wrong_secret", evidence, alternatives=("body_changed",))


def _cut_signature(body: bytes, t: str, given: Sequence[str], keys: Sequence[bytes]) -> Explanation:
    begins = any(digest(key, t, body).startswith(digits) for key in keys for digits in given)
    judged = "they begin the right signature" if begins else "they do not begin the right signature either"
    return Explanation("signature_cut", f"v1 has {max(map(len, given))} digits of 64; {judged}.")


def _secret_mishaps(body: bytes, t: str, given: Sequence[str], keys: Sequence[bytes]) -> Iterator[Explanation]:
    for key, (cause, evidence, undone) in itertools.product(keys, SECRET_CORRUPTIONS):
        if any(other != key and _signs(other, t, body, given) for other in undone(key)):
            yield Explanation(cause, f"It matches {evidence}.")


def _body_mishaps(body: bytes, t: str, given: Sequence[str], keys: Sequence[bytes]) -> Iterator[Explanation]:
    for cause, evidence, undone in BODY_CORRUPTIONS if len(body) <= _SMALL else BODY_CORRUPTIONS[:2]:
        for other in undone(body):
            if other != body and any(_signs(key, t, other, given) for key in keys):
                yield Explanation(cause, f"It matches the body {evidence}.")


def _traces(body: bytes, known: Mapping[str, str]) -> Explanation | None:
    """What can be seen without the signature: a length that is not the declared one, JSON that ends early, headers that
    name another event."""
    declared = known.get("content-length", "").strip()
    length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 16 else len(body)
    lengths = f"Content-Length says {length:,} bytes, and {len(body):,} are here."
    if _ends_early(body) or (len(body) < length and json_in(body) is None):
        return Explanation(
            "body_cut", lengths if len(body) < length else f"The JSON ends in the middle, after {len(body):,} bytes."
        )
    if has_sorted_keys(body):
        evidence = "The keys in it are in alphabetical order, which those of cStar's are on no page."
        return Explanation("body_reencoded", evidence, alternatives=("wrong_secret", "body_changed"))
    if len(body) != length:
        return Explanation("body_changed", lengths, alternatives=("body_reencoded", "body_cut"))
    event = json_in(body)
    for header, name in (("x-event-id", "id"), ("x-event-type", "type")):
        told, held = known.get(header), event.get(name) if isinstance(event, dict) else None
        if told and isinstance(held, str) and told.strip() != held:
            shown = f"{header} is '{printable(told, 80)}', and the body's {name} is '{printable(held, 80)}'"
            return Explanation(
                "body_changed", f"The headers speak of another event: {shown}.", alternatives=("wrong_secret",)
            )
    return None


def _signs(key: bytes, t: str, body: bytes, given: Sequence[str]) -> bool:
    right = digest(key, t, body)
    return any(_same(right, digits) for digits in given)


def _same(right: str, given: str) -> bool:
    return given.isascii() and hmac.compare_digest(right, given)


def _ends_early(body: bytes) -> bool:
    """Whether it begins as a JSON object and stops before that is closed."""
    text = body.decode("utf-8", "ignore").strip()
    if not text.startswith("{") or json_in(body) is not None:
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # A whole but broken JSON fails inside; one that was cut fails at its end, or in the string that the cut left open.
        return error.pos >= len(text) - 1 or "Unterminated string" in error.msg or not text.endswith("}")
    except (ValueError, RecursionError):
        return False
    return False


def _lower_case(headers: object) -> dict[str, str]:
    """Any kind of headers by lower-case name; what is not text is passed over, and of a name given twice the first counts."""
    if isinstance(headers, str):
        return {"x-signature": headers}
    pairs = headers.items() if isinstance(headers, Mapping) else headers if isinstance(headers, Iterable) else ()
    known: dict[str, str] = {}
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2:
            name, value = (_as_text(part) for part in pair)
            if name is not None and value is not None:
                known.setdefault(name.strip().lower(), value)
    return known


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None
