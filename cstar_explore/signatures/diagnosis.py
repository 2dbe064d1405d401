"""Finds out why a delivery does not verify.

`verify` and `explain` get the same verdict from `decide`. `explain` then undoes each known corruption of the secret and the body
until the HMAC matches. A cause is reported only if the HMAC proves it or the delivery itself shows it. Otherwise a wrong secret
and a changed body look the same, and `alternatives` names both.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..secret import Secret
from ..text import escaped, printable, redacted
from .bodies import parse_json, require_bytes
from .body_corruptions import THOROUGH, has_sorted_keys
from .body_encodings import compression, is_parsed, is_truncated_json
from .headers import HeadersLike, read_headers
from .keys import Secrets, as_secrets, digest, is_masked, legacy_digest, require_secrets
from .search import Search
from .timestamps import TOLERANCE, Timestamp, unix_seconds, validate_tolerance
from .verdict import Verdict, decide, parse_header

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
    "secret_in_text": "Store the secret alone: whsec_… without the variable's name, quotes, JSON or Bearer around it.",
    "secret_masked": "Replace the mask with the secret. cStar shows it once, on create; if it is lost, create a new webhook.",
    "not_json": "Find out what signed it: it is authentic, but cStar sends JSON objects only. There is no event to process.",
    "body_empty": "Read the body before anything else does: a body parser or middleware has already consumed it.",
    "body_parsed": "Verify the raw body, before a parser makes an object of it (Express: express.raw(); Flask: request.get_data()).",
    "body_base64": "Decode the body before verifying: on API Gateway, base64.b64decode(event['body']) if isBase64Encoded.",
    "body_compressed": "Decompress the body before verifying, or turn off the compression of requests in the proxy.",
    "body_form": "Make the gateway forward the raw body, or decode the form and verify the value of its field.",
    "body_json_string": "Decode the JSON string once and verify its text: a log, queue or gateway stored the body as a string.",
    "body_repr": "Verify the bytes themselves: this is how print() or a log shows them (in Python, undo it with ast.literal_eval).",
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
            return _explain_mismatch(content, headers.fields, verdict, secrets)
        case _:
            return _explain_match(verdict, len(secrets), max_age)


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


def _explain_legacy_form(body: bytes, header: str, secrets: Sequence[Secret]) -> Explanation:
    signature = header.partition("=")[2].strip().lower()
    is_correct = signature.isascii() and any(
        hmac.compare_digest(legacy_digest(secret, body), signature) for secret in secrets
    )
    verb = "matches" if is_correct else "does not match"
    return Explanation(
        "legacy_form", f"X-Signature has the old form sha256=…, without a timestamp. It {verb} the body."
    )


def _explain_malformed_header(body: bytes, header: str, secrets: Sequence[Secret]) -> Explanation:
    shown = printable(redacted(header), 120)
    if _matches_cleaned(body, header, secrets):
        evidence = f"X-Signature is '{shown}', which is valid except for its case, spaces or quotes."
        return Explanation("header_malformed", evidence)
    missing = [f"{name}=" for name in ("t", "v1") if not re.search(rf"(^|,)\s*{name}=", header)]
    detail = f"without {' and '.join(missing)}" if missing else "where t is not a number or v1 is not hex"
    return Explanation("header_malformed", f"X-Signature is '{shown}', {detail}.")


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
    match verdict.cause:
        case "ok":
            evidence = f"The signature matches {which} and is {span}."
        case "not_json":
            evidence = (
                f"The signature matches {which} and is {span}, but the body is not a JSON object, so it has no event."
            )
        case _:
            evidence = f"The signature matches {which}, but is {span}; {max_age:,.0f} s are allowed."
    return Explanation(verdict.cause, evidence)


def _is_in_milliseconds(t: str) -> bool:
    return len(t) >= 12  # Unix seconds have ten digits until the year 2286


def _explain_mismatch(
    body: bytes, fields: Mapping[str, str], verdict: Verdict, secrets: Sequence[Secret]
) -> Explanation:
    t, v1 = verdict.signature or ("", ())
    hexadecimal = [signature for signature in v1 if re.fullmatch(r"[0-9a-f]{1,64}", signature)]
    complete = [signature for signature in hexadecimal if len(signature) == 64]
    header = fields["x-signature"]
    if not hexadecimal or (len(hexadecimal) < len(v1) and _matches_cleaned(body, header, secrets)):
        return _explain_malformed_header(body, header, secrets)
    if not complete:
        return _explain_truncated_signature(body, t, hexadecimal, secrets)
    # A sender may sign seconds and write milliseconds.
    if _is_in_milliseconds(t) and Search(t[:-3], complete, secrets).matches(body):
        return _explain_milliseconds(t, " The signature is otherwise valid.")
    search = Search(t, complete, secrets)
    return (
        _explain_by_search(body, search)
        or _explain_mask(secrets)
        or (_explain_milliseconds(t) if _is_in_milliseconds(t) else None)
        or _explain_form(body, fields)
        or _explain_by_content(body, fields)
        or _explain_unknown(body, search)
    )


def _explain_milliseconds(t: str, addition: str = "") -> Explanation:
    return Explanation("milliseconds", f"t={t} has {len(t)} digits, so it is in milliseconds.{addition}")


def _explain_by_search(body: bytes, search: Search) -> Explanation | None:
    found = search.find(body)
    return found and Explanation(found[0], f"The signature matches {found[1]}.")


def _explain_mask(secrets: Sequence[Secret]) -> Explanation | None:
    masked = next((number for number, secret in enumerate(secrets, 1) if is_masked(secret)), None)
    if masked is None:
        return None
    which = "The secret" if len(secrets) == 1 else f"Secret {masked} of {len(secrets)}"
    return Explanation("secret_masked", f"{which} is a mask or placeholder. No delivery verifies with it.")


def _explain_truncated_signature(
    body: bytes, t: str, signatures: Sequence[str], secrets: Sequence[Secret]
) -> Explanation:
    is_start = any(digest(secret, t, body).startswith(tuple(signatures)) for secret in secrets)
    verb = "are" if is_start else "are not"
    length = max(map(len, signatures))
    return Explanation(
        "signature_cut", f"v1 has {length} of 64 digits; they {verb} the start of the correct signature."
    )


def _explain_form(body: bytes, fields: Mapping[str, str]) -> Explanation | None:
    """Explains a body that is visibly not what was sent: none, a parsed or a compressed one."""
    if not body.strip():
        return Explanation(
            "body_empty",
            "The body is empty." if not body else f"The body is empty but for {len(body):,} bytes of whitespace.",
        )
    if is_parsed(body):
        evidence = (
            f"The body is '{printable(body.decode('utf-8', 'replace'), 40)}': an object that a parser made of it."
        )
        return Explanation("body_parsed", evidence)
    if algorithm := compression(body, fields.get("content-encoding", "")):
        evidence = f"The body is compressed with {algorithm}, and cStar signs what is inside."
        return Explanation("body_compressed", evidence, alternatives=("wrong_secret", "body_changed"))
    return None


def _explain_by_content(body: bytes, fields: Mapping[str, str]) -> Explanation | None:
    """Explains what is visible without the signature: a wrong length, truncated JSON, sorted keys, headers of another event."""
    declared = fields.get("content-length", "").strip()
    length = int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 16 else len(body)
    lengths = f"Content-Length is {length:,}, but the body has {len(body):,} bytes."
    event = parse_json(body)
    if is_truncated_json(body) or (len(body) < length and event is None):
        return Explanation(
            "body_cut", lengths if len(body) < length else f"The JSON is truncated after {len(body):,} bytes."
        )
    if has_sorted_keys(event):
        evidence = "The body's keys are in alphabetical order, unlike in the payloads that cStar publishes."
        return Explanation("body_reencoded", evidence, alternatives=("wrong_secret", "body_changed"))
    if len(body) != length:
        return Explanation("body_changed", lengths, alternatives=("body_reencoded", "body_cut"))
    for header, name in (("x-event-id", "id"), ("x-event-type", "type")):
        expected, actual = fields.get(header), event.get(name) if isinstance(event, dict) else None
        if expected and isinstance(actual, str) and expected.strip() != actual:
            evidence = f"{header} is '{printable(expected, 80)}', but the body's {name} is '{printable(actual, 80)}'."
            return Explanation("body_changed", evidence, alternatives=("wrong_secret",))
    return None


def _explain_unknown(body: bytes, search: Search) -> Explanation:
    if len(body) > THOROUGH or search.exhausted:
        evidence = f"With a body of {len(body):,} bytes, not every cause could be tried."
        return Explanation("wrong_secret", evidence, alternatives=("body_changed", "body_reencoded"))
    evidence = (
        "No known corruption explains it: the secret is another webhook's, or the body was changed without a trace."
    )
    return Explanation("wrong_secret", evidence, alternatives=("body_changed",))
