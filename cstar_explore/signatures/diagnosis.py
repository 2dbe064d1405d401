"""Finds out why a delivery does not verify.

`verify` and `explain` get the same verdict from `decide`. `explain` then undoes each known corruption of the secret and the body
until the HMAC matches. A cause is reported only if the HMAC proves it or the delivery itself shows it. Otherwise a wrong secret
and a changed body look the same, and `alternatives` names both.
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..secret import Secret
from ..text import html_table, printable, redacted
from .bodies import parse_json, require_bytes
from .body_corruptions import THOROUGH, has_sorted_keys
from .body_encodings import compression, is_parsed, is_truncated_json
from .causes import REMEDIES
from .headers import HeadersLike, read_headers
from .keys import Secrets, as_secrets, digest, is_masked, legacy_digest, require_secrets
from .search import Search
from .timestamps import TOLERANCE, Timestamp, unix_seconds, validate_tolerance
from .verdict import Verdict, decide, parse_header

CAUSES = tuple(REMEDIES)

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
        return html_table(("field", "value"), self._lines(), limit=2_000)

    def _lines(self) -> list[tuple[str, str]]:
        alternatives = f" (or {', '.join(self.alternatives)})" if self.alternatives else ""
        verdict = "verified" if self.ok else f"refused: {self.cause}{alternatives}"
        return [("verdict", verdict), ("evidence", self.evidence), ("remedy", self.remedy)]


def explain(
    body: bytes,
    headers: HeadersLike,
    secrets: Secrets,
    now: Timestamp | None = None,
    tolerance: float = TOLERANCE,
) -> Explanation:
    """Explains why a delivery does or does not verify. `ok` is true if and only if `verify` returns its event.

    Args:
        body: The bytes as received.
        headers: All headers of the request, or only the value of X-Signature. Mappings of any case, objects with `items()`,
            pairs, lists of values, WSGI environs, ASGI scopes, requests, and pasted lines are read, as text or bytes.
        secrets: The receiver's signing secret, or several.
        now: Unix seconds or a datetime with a time zone; by default the current time.
        tolerance: Maximum difference in seconds between the signed time and now, in both directions.

    Raises:
        ValidationError: The body is not bytes, or headers, now or tolerance cannot be read.
        ConfigurationError: There is no secret, or one is empty, whitespace, or only `whsec_`.
    """
    secrets = as_secrets(secrets)
    headers = read_headers(headers)
    require_secrets(secrets, allow_masks=True)
    content = require_bytes(body)
    max_age = validate_tolerance(tolerance)
    verdict = decide(content, headers.signature, secrets, max_age, unix_seconds(now))
    # A delivery that can be signed with a mask is not authentic.
    is_any_masked = verdict.signature is not None and any(map(is_masked, secrets))
    match "secret_masked" if is_any_masked else verdict.cause:
        case "header_missing":
            return _explain_missing_header(headers.fields)
        case "legacy_form":
            return _explain_legacy_form(content, headers.signature, secrets)
        case "header_malformed":
            return _explain_malformed_header(content, headers.signature, secrets)
        case "no_match" | "secret_masked":
            return next(_explanations_of_mismatch(content, headers.fields, verdict, secrets))
        case _:
            return _explain_match(verdict, len(secrets), max_age)


def _explain_missing_header(fields: Mapping[str, str]) -> Explanation:
    for other, provider in _OTHER_PROVIDERS.items():
        if other in fields:
            return Explanation("other_provider", f"X-Signature is missing; {other} is a header of {provider}.")
    if "x-cstar-signature" in fields:
        evidence = "X-Signature is missing; x-cstar-signature is its name in cStar's oldest documentation."
        return Explanation("header_old_name", evidence)
    names = ", ".join(sorted(fields)) or "none"
    return Explanation("header_missing", f"X-Signature is missing or empty. Headers received: {printable(names, 300)}.")


def _explain_legacy_form(body: bytes, header: str, secrets: Sequence[Secret]) -> Explanation:
    signature = header.partition("=")[2].strip().lower()
    is_correct = signature.isascii() and any(
        hmac.compare_digest(legacy_digest(secret, body), signature) for secret in secrets
    )
    verb = "matches" if is_correct else "does not match"
    evidence = f"X-Signature has the old form sha256=…, without a timestamp. It {verb} the body."
    return Explanation("legacy_form", evidence)


def _explain_malformed_header(body: bytes, header: str, secrets: Sequence[Secret]) -> Explanation:
    missing = [f"{name}=" for name in ("t", "v1") if not re.search(rf"(^|,)\s*{name}=", header)]
    if _matches_cleaned(body, header, secrets):
        detail = "which is valid except for its case, spaces or quotes"
    else:
        detail = f"without {' and '.join(missing)}" if missing else "where t is not a number or v1 is not hex"
    return Explanation("header_malformed", f"X-Signature is '{printable(redacted(header), 120)}', {detail}.")


def _matches_cleaned(body: bytes, header: str, secrets: Sequence[Secret]) -> bool:
    """Whether the header is valid in lower case and without spaces and quotes."""
    cleaned = parse_header(",".join(part.strip() for part in header.lower().strip("'\" ").split(",")))
    return cleaned is not None and Search(cleaned.t, cleaned.v1, secrets).matches(body)


def _explain_match(verdict: Verdict, secrets: int, max_age: float) -> Explanation:
    """Explains a signature that matches body and secret, by its age and the event."""
    t = "" if verdict.signature is None else verdict.signature.t
    if verdict.cause == "in_the_future" and _is_in_milliseconds(t):
        return _explain_milliseconds(t, " The signature is otherwise valid.")
    which = f"secret {verdict.secret} of {secrets}" if secrets > 1 else "the secret"
    span = f"{abs(verdict.age):,.0f} s {'old' if verdict.age >= 0 else 'in the future'}"
    end = {
        "ok": f" and is {span}.",
        "not_json": f" and is {span}, but the body is not a JSON object, so it has no event.",
    }.get(verdict.cause, f", but is {span}; {max_age:,.0f} s are allowed.")
    return Explanation(verdict.cause, f"The signature matches {which}{end}")


def _is_in_milliseconds(t: str) -> bool:
    return len(t) >= 12  # Unix seconds have ten digits until the year 2286


def _explanations_of_mismatch(
    body: bytes, fields: Mapping[str, str], verdict: Verdict, secrets: Sequence[Secret]
) -> Iterator[Explanation]:
    """What may explain a signature that does not match. The first one counts: it says most."""
    t, v1 = verdict.signature or ("", ())
    hexadecimal = [signature for signature in v1 if re.fullmatch(r"[0-9a-f]{1,64}", signature)]
    complete = [signature for signature in hexadecimal if len(signature) == 64]
    header = fields["x-signature"]
    if not hexadecimal or (len(hexadecimal) < len(v1) and _matches_cleaned(body, header, secrets)):
        yield _explain_malformed_header(body, header, secrets)
    if not complete:
        is_start = any(digest(secret, t, body).startswith(tuple(hexadecimal)) for secret in secrets)
        digits = f"{max(map(len, hexadecimal))} of 64 digits; they {'are' if is_start else 'are not'}"
        yield Explanation("signature_cut", f"v1 has {digits} the start of the correct signature.")
    # A sender may sign seconds and write milliseconds.
    if _is_in_milliseconds(t) and Search(t[:-3], complete, secrets).matches(body):
        yield _explain_milliseconds(t, " The signature is otherwise valid.")
    search = Search(t, complete, secrets)
    if found := search.find(body):
        cause, description = found
        yield Explanation(cause, f"The signature matches {description}.")
    for number, secret in enumerate(secrets, 1):
        if is_masked(secret):
            which = "The secret" if len(secrets) == 1 else f"Secret {number} of {len(secrets)}"
            yield Explanation("secret_masked", f"{which} is a mask or placeholder. No delivery verifies with it.")
    if _is_in_milliseconds(t):
        yield _explain_milliseconds(t)
    yield from _explanations_by_form(body, fields)
    yield from _explanations_by_content(body, fields)
    if len(body) > THOROUGH or search.exhausted:
        evidence = f"With a body of {len(body):,} bytes, not every cause could be tried."
        yield Explanation("wrong_secret", evidence, alternatives=("body_changed", "body_reencoded"))
    evidence = (
        "No known corruption explains it: the secret is another webhook's, or the body was changed without a trace."
    )
    yield Explanation("wrong_secret", evidence, alternatives=("body_changed",))


def _explain_milliseconds(t: str, addition: str = "") -> Explanation:
    return Explanation("milliseconds", f"t={t} has {len(t)} digits, so it is in milliseconds.{addition}")


def _explanations_by_form(body: bytes, fields: Mapping[str, str]) -> Iterator[Explanation]:
    """Explains a body that is visibly not what was sent: none, a parsed or a compressed one."""
    if not body.strip():
        whitespace = f" but for {len(body):,} bytes of whitespace" if body else ""
        yield Explanation("body_empty", f"The body is empty{whitespace}.")
    if is_parsed(body):
        shown = printable(body.decode("utf-8", "replace"), 40)
        yield Explanation("body_parsed", f"The body is '{shown}': an object that a parser made of it.")
    if algorithm := compression(body, fields.get("content-encoding", "")):
        evidence = f"The body is compressed with {algorithm}, and cStar signs what is inside."
        yield Explanation("body_compressed", evidence, alternatives=("wrong_secret", "body_changed"))


def _explanations_by_content(body: bytes, fields: Mapping[str, str]) -> Iterator[Explanation]:
    """Explains what is visible without the signature: a wrong length, truncated JSON, sorted keys, headers of another event."""
    declared = fields.get("content-length", "").strip()
    length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 16 else len(body)
    lengths = f"Content-Length is {length:,}, but the body has {len(body):,} bytes."
    event = parse_json(body)
    if len(body) < length and event is None:
        yield Explanation("body_cut", lengths)
    if is_truncated_json(body):
        yield Explanation("body_cut", f"The JSON is truncated after {len(body):,} bytes.")
    if has_sorted_keys(event):
        evidence = "The body's keys are in alphabetical order, unlike in the payloads that cStar publishes."
        yield Explanation("body_reencoded", evidence, alternatives=("wrong_secret", "body_changed"))
    if len(body) != length:
        yield Explanation("body_changed", lengths, alternatives=("body_reencoded", "body_cut"))
    for header, name in (("x-event-id", "id"), ("x-event-type", "type")):
        expected, actual = fields.get(header), event.get(name) if isinstance(event, dict) else None
        if expected and isinstance(actual, str) and expected.strip() != actual:
            evidence = f"{header} is '{printable(expected, 80)}', but the body's {name} is '{printable(actual, 80)}'."
            yield Explanation("body_changed", evidence, alternatives=("wrong_secret",))
