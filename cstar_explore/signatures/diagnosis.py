"""Finds out why a delivery does not verify.

Undoes each known corruption of the secret and the body until the HMAC matches. A cause is reported only if the HMAC proves it
or the delivery itself shows it. Otherwise a wrong secret and a changed body look the same, and `alternatives` names both.
"""

import hmac
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..text import escaped, printable, redacted
from .corruptions import BODY_CORRUPTIONS, SECRET_CORRUPTIONS, has_sorted_keys, is_masked
from .signing import (
    TOLERANCE,
    Secrets,
    Timestamp,
    digest,
    legacy_digest,
    parse_header,
    parse_json,
    require_bytes,
    signing_keys,
    unix_seconds,
    validate_tolerance,
)

# The remedy for each cause.
REMEDIES: Mapping[str, str] = {
    "ok": "None needed: process the event.",
    "header_missing": "Forward all headers: a proxy or framework drops X-Signature before it reaches your code.",
    "header_old_name": "Read X-Signature; cStar's newer pages no longer mention x-cstar-signature.",
    "header_malformed": "Pass on the value of X-Signature unchanged, whole and once.",
    "legacy_form": "Sign with the current form. cStar no longer sends this one: it has no timestamp, so it can be replayed.",
    "other_provider": "Verify it with that provider's library; it is not from cStar.",
    "signature_cut": "Keep all 64 digits: look for a database column, log or header limit that truncates values.",
    "milliseconds": "Sign and compare Unix time in whole seconds, not milliseconds.",
    "too_old": "Verify on arrival and check the clock; for stored deliveries, pass `now` or a larger tolerance.",
    "in_the_future": "Check this machine's clock and time zone handling against network time.",
    "secret_whitespace": "Strip the secret where it is read: a file or paste added a newline or space.",
    "secret_quoted": "Remove the quotes from the secret: the environment file or shell kept them as part of the value.",
    "secret_decoded": "Use the secret as text; unlike Standard Webhooks, cStar does not decode it from base64.",
    "secret_prefix_cut": "Keep the whsec_ prefix: cStar uses the whole string as the key.",
    "secret_masked": "Replace the mask with the secret. cStar shows it once, on create; if it is lost, create a new webhook.",
    "body_trailing_newline": "Verify the bytes as received: something added or removed a trailing newline.",
    "body_bom": "Verify the bytes as received: something added or removed a byte order mark.",
    "body_crlf": "Verify the bytes as received: something converted line endings.",
    "body_charset": "Verify the bytes as received: something converted them to another character set.",
    "body_reencoded": "Verify before parsing: use the raw body (request.get_data(), await request.body()), not reserialized JSON.",
    "body_cut": "Read the whole body before verifying: a size limit or a short read truncated it.",
    "body_changed": "Find what changes the body in transit: a proxy, middleware or an attacker.",
    "wrong_secret": "Use the secret of this webhook (X-Webhook-ID names it): each has its own, and test and live secrets differ.",
}

CAUSES = tuple(REMEDIES)

# Larger bodies are compared with fewer variants.
_SMALL = 2**20  # bytes

_OTHER_PROVIDERS = {
    "stripe-signature": "Stripe",
    "x-hub-signature-256": "GitHub",
    "x-hub-signature": "GitHub",
    "webhook-signature": "Standard Webhooks",
    "svix-signature": "Standard Webhooks (Svix)",
}


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`.

    Attributes:
        cause: One of `CAUSES`.
        evidence: What shows the cause.
        alternatives: Other causes that would look the same.
    """

    cause: str
    evidence: str
    alternatives: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the delivery verifies."""
        return self.cause == "ok"

    @property
    def remedy(self) -> str:
        """What to do."""
        return REMEDIES[self.cause]

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
        alternatives = f" (or {', '.join(self.alternatives)})" if self.alternatives else ""
        verdict = "verified" if self.ok else f"refused: {self.cause}{alternatives}"
        return [("verdict", verdict), ("evidence", self.evidence), ("remedy", self.remedy)]


def explain(
    body: bytes,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | str | None,
    secrets: Secrets,
    now: Timestamp | None = None,
    tolerance: float = TOLERANCE,
) -> Explanation:
    """Explains why a delivery does or does not verify.

    Args:
        body: The bytes as received.
        headers: All headers of the request, with names in any case, or only the value of X-Signature.
        secrets: The receiver's signing secret, or several.
        now: Unix seconds or a datetime; by default the current time.
        tolerance: Maximum difference in seconds between the signed time and now, in both directions.

    Raises:
        ValidationError, ConfigurationError: The body is not bytes, or there is no secret.
    """
    content = require_bytes(body)
    keys = signing_keys(secrets)
    max_age = validate_tolerance(tolerance)
    fields = _headers_by_name(headers)
    header = fields.get("x-signature", "").strip()
    if not header:
        return _explain_missing_header(fields)
    parsed = parse_header(header)
    if parsed is None and header.lower().startswith("sha256="):
        return _explain_legacy_form(content, header, keys)
    if parsed is None or not all(re.fullmatch(r"[0-9a-f]{1,64}", signature) for signature in parsed.v1):
        return _explain_malformed_header(content, header, keys)
    return _explain_match(content, parsed.t, parsed.v1, keys, unix_seconds(now), max_age) or _explain_mismatch(
        content, fields, parsed.t, parsed.v1, keys
    )


def _explain_missing_header(fields: Mapping[str, str]) -> Explanation:
    other = next((name for name in _OTHER_PROVIDERS if name in fields), None)
    if other:
        evidence = f"X-Signature is missing; {other} is a header of {_OTHER_PROVIDERS[other]}."
        return Explanation("other_provider", evidence)
    if "x-cstar-signature" in fields:
        evidence = "X-Signature is missing; x-cstar-signature is its name in cStar's oldest documentation."
        return Explanation("header_old_name", evidence)
    names = ", ".join(sorted(fields)) or "none"
    return Explanation("header_missing", f"X-Signature is missing or empty. Headers received: {printable(names, 300)}.")


def _explain_legacy_form(body: bytes, header: str, keys: Sequence[bytes]) -> Explanation:
    signature = header.partition("=")[2].strip().lower()
    verb = "matches" if any(_is_equal(legacy_digest(key, body), signature) for key in keys) else "does not match"
    return Explanation(
        "legacy_form", f"X-Signature has the old form sha256=…, without a timestamp. It {verb} the body."
    )


def _explain_malformed_header(body: bytes, header: str, keys: Sequence[bytes]) -> Explanation:
    shown = printable(redacted(header), 120)
    cleaned = parse_header(",".join(part.strip() for part in header.lower().strip("'\" ").split(",")))
    if cleaned is not None and any(_matches(key, cleaned.t, body, cleaned.v1) for key in keys):
        evidence = f"X-Signature is '{shown}', which is valid except for its case, spaces or quotes."
        return Explanation("header_malformed", evidence)
    missing = [f"{name}=" for name in ("t", "v1") if not re.search(rf"(^|,)\s*{name}=", header)]
    detail = f"without {' and '.join(missing)}" if missing else "where t is not a number or v1 is not hex"
    return Explanation("header_malformed", f"X-Signature is '{shown}', {detail}.")


def _explain_match(  # noqa: PLR0917 - the delivery, the keys and the time limit
    body: bytes, t: str, signatures: Sequence[str], keys: Sequence[bytes], now: float, max_age: float
) -> Explanation | None:
    """Explains a signature that matches body and secret, by its age; None if it does not match."""
    number = next((index for index, key in enumerate(keys, 1) if _matches(key, t, body, signatures)), None)
    if len(t) >= 12:  # Unix seconds have ten digits until the year 2286
        in_seconds = t[:-3]  # the sender may have signed seconds and written milliseconds
        if number or any(_matches(key, in_seconds, body, signatures) for key in keys):
            evidence = f"t={t} has {len(t)} digits, so it is in milliseconds. The signature is otherwise valid."
            return Explanation("milliseconds", evidence)
        return None
    if number is None:
        return None
    which = f"secret {number} of {len(keys)}" if len(keys) > 1 else "the secret"
    age = now - int(t)
    span = f"{abs(age):,.0f} s {'old' if age >= 0 else 'in the future'}"
    if abs(age) <= max_age:
        no_event = (
            "" if isinstance(parse_json(body), dict) else " But the body is not a JSON object, so it has no event."
        )
        return Explanation("ok", f"The signature matches {which} and is {span}.{no_event}")
    cause = "too_old" if age > 0 else "in_the_future"
    return Explanation(cause, f"The signature matches {which}, but is {span}; {max_age:,.0f} s are allowed.")


def _explain_mismatch(
    body: bytes, fields: Mapping[str, str], t: str, signatures: Sequence[str], keys: Sequence[bytes]
) -> Explanation:
    complete = [signature for signature in signatures if len(signature) == 64]
    if not complete:
        return _explain_truncated_signature(body, t, signatures, keys)
    proven = next(
        itertools.chain(_secret_corruptions(body, t, complete, keys), _body_corruptions(body, t, complete, keys)), None
    )
    if proven is not None:
        return proven
    if any(is_masked(key) for key in keys):
        return Explanation("secret_masked", "The secret contains mask characters.")
    if len(t) >= 12:
        return Explanation("milliseconds", f"t={t} has {len(t)} digits, so it is in milliseconds.")
    return _explain_by_content(body, fields) or _explain_unknown(body)


def _explain_truncated_signature(body: bytes, t: str, signatures: Sequence[str], keys: Sequence[bytes]) -> Explanation:
    is_start = any(digest(key, t, body).startswith(signature) for key in keys for signature in signatures)
    verb = "are" if is_start else "are not"
    length = max(map(len, signatures))
    return Explanation(
        "signature_cut", f"v1 has {length} of 64 digits; they {verb} the start of the correct signature."
    )


def _secret_corruptions(body: bytes, t: str, signatures: Sequence[str], keys: Sequence[bytes]) -> Iterator[Explanation]:
    for key, (cause, description, candidates) in itertools.product(keys, SECRET_CORRUPTIONS):
        if any(candidate != key and _matches(candidate, t, body, signatures) for candidate in candidates(key)):
            yield Explanation(cause, f"The signature matches {description}.")


def _body_corruptions(body: bytes, t: str, signatures: Sequence[str], keys: Sequence[bytes]) -> Iterator[Explanation]:
    for cause, description, candidates in BODY_CORRUPTIONS if len(body) <= _SMALL else BODY_CORRUPTIONS[:2]:
        for candidate in candidates(body):
            if candidate != body and any(_matches(key, t, candidate, signatures) for key in keys):
                yield Explanation(cause, f"The signature matches {description}.")


def _explain_by_content(body: bytes, fields: Mapping[str, str]) -> Explanation | None:
    """Explains what is visible without the signature: a wrong length, truncated JSON, sorted keys, headers of another event."""
    declared = fields.get("content-length", "").strip()
    length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 16 else len(body)
    lengths = f"Content-Length is {length:,}, but the body has {len(body):,} bytes."
    if _is_truncated_json(body) or (len(body) < length and parse_json(body) is None):
        return Explanation(
            "body_cut", lengths if len(body) < length else f"The JSON is truncated after {len(body):,} bytes."
        )
    if has_sorted_keys(body):
        evidence = "The body's keys are in alphabetical order, unlike in the payloads that cStar publishes."
        return Explanation("body_reencoded", evidence, alternatives=("wrong_secret", "body_changed"))
    if len(body) != length:
        return Explanation("body_changed", lengths, alternatives=("body_reencoded", "body_cut"))
    event = parse_json(body)
    for header, name in (("x-event-id", "id"), ("x-event-type", "type")):
        expected, actual = fields.get(header), event.get(name) if isinstance(event, dict) else None
        if expected and isinstance(actual, str) and expected.strip() != actual:
            evidence = f"{header} is '{printable(expected, 80)}', but the body's {name} is '{printable(actual, 80)}'."
            return Explanation("body_changed", evidence, alternatives=("wrong_secret",))
    return None


def _explain_unknown(body: bytes) -> Explanation:
    if len(body) > _SMALL:
        evidence = f"The body has {len(body):,} bytes, too many to try all formats of its JSON."
        return Explanation("wrong_secret", evidence, alternatives=("body_changed", "body_reencoded"))
    evidence = (
        "No known corruption explains it: the secret is another webhook's, or the body was changed without a trace."
    )
    return Explanation("wrong_secret", evidence, alternatives=("body_changed",))


def _matches(key: bytes, t: str, body: bytes, signatures: Sequence[str]) -> bool:
    correct = digest(key, t, body)
    return any(_is_equal(correct, signature) for signature in signatures)


def _is_equal(correct: str, signature: str) -> bool:
    return signature.isascii() and hmac.compare_digest(correct, signature)


def _is_truncated_json(body: bytes) -> bool:
    """Whether the body starts as a JSON object and ends before the object is closed."""
    text = body.decode("utf-8", "ignore").strip()
    if not text.startswith("{") or parse_json(body) is not None:
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        # Truncated JSON fails at its end or in an unterminated string; other invalid JSON fails in the middle.
        return error.pos >= len(text) - 1 or "Unterminated string" in error.msg or not text.endswith("}")
    except (ValueError, RecursionError):
        return False
    return False


def _headers_by_name(headers: object) -> dict[str, str]:
    """Headers by lower-case name. Ignores what is not text; the first of several values counts."""
    if isinstance(headers, str):
        return {"x-signature": headers}
    pairs = headers.items() if isinstance(headers, Mapping) else headers if isinstance(headers, Iterable) else ()
    fields: dict[str, str] = {}
    for pair in pairs:
        if isinstance(pair, tuple | list) and len(pair) == 2:
            name, value = (_as_text(part) for part in pair)
            if name is not None and value is not None:
                fields.setdefault(name.strip().lower(), value)
    return fields


def _as_text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return value if isinstance(value, str) else None
