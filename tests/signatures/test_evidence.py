"""What `explain` gives as evidence: the numbers, names and secrets that show the cause."""

import gzip
import json

import pytest

import cstar_explore as cx
from cstar_explore.secret import Secret
from cstar_explore.signatures.body_corruptions import THOROUGH
from cstar_explore.signatures.keys import digest, legacy_digest

SECRET, OTHER = "whsec_AbCdEf1234567890", "whsec_ZyXwVu0987654321"
NOW = 1_765_000_000
BODY = b'{"id":"evt_1","type":"ticket.created","created_at":"2025-12-10T14:30:00Z","team_id":"team_1","data":{"a":1}}'


def signed(body: bytes = BODY, t: int | str = NOW, secret: str = SECRET) -> str:
    return f"t={t},v1={digest(Secret(secret), str(t), body)}"


SIGNED = signed()
V1 = SIGNED.partition("v1=")[2]
WRONG = f"t={NOW},v1={'0' * 64}"
LEGACY = legacy_digest(SECRET, BODY)
TEXT = b"hello"
SORTED = json.dumps(json.loads(BODY), sort_keys=True).encode()
ARRAY = b"[1]"


@pytest.mark.parametrize(
    ("body", "headers", "secrets", "cause", "evidence"),
    [
        pytest.param(BODY, SIGNED, SECRET, "ok", "matches the secret and is 0 s old", id="valid"),
        pytest.param(BODY, SIGNED, [OTHER, SECRET], "ok", "matches secret 2 of 2 and is 0 s old", id="second secret"),
        pytest.param(ARRAY, signed(ARRAY), SECRET, "not_json", "matches the secret and is 0 s old, but", id="array"),
        pytest.param(BODY, signed(t=NOW - 5_000), SECRET, "too_old", "is 5,000 s old; 300 s are allowed", id="old"),
        pytest.param(BODY, signed(t=NOW + 5_000), SECRET, "in_the_future", "is 5,000 s in the future; 300 s", id="new"),
        pytest.param(BODY, f"sha256={LEGACY}", SECRET, "legacy_form", "It matches the body", id="legacy"),
        pytest.param(BODY, f"sha256= {LEGACY.upper()}", SECRET, "legacy_form", "It matches", id="legacy, upper case"),
        pytest.param(
            BODY, f"sha256={LEGACY}", [OTHER, SECRET], "legacy_form", "It matches", id="legacy, second secret"
        ),
        pytest.param(BODY, "sha256=00", SECRET, "legacy_form", "It does not match the body", id="legacy, wrong"),
        pytest.param(BODY, {}, SECRET, "header_missing", "Headers received: none.", id="no header"),
        pytest.param(
            BODY, {"X-B": "1", "A-B": "2"}, SECRET, "header_missing", "received: a-b, x-b.", id="other headers"
        ),
        pytest.param(BODY, {"Stripe-Signature": "t=1"}, SECRET, "other_provider", "is a header of Stripe", id="Stripe"),
        pytest.param(BODY, {"X-cStar-Signature": "1"}, SECRET, "header_old_name", "x-cstar-signature", id="old name"),
        pytest.param(
            BODY, f"'{SIGNED.upper()}'", SECRET, "header_malformed", "valid except for its case", id="upper case"
        ),
        pytest.param(BODY, f"t={NOW}, v1={V1} ", SECRET, "header_malformed", "case, spaces or", id="space"),
        pytest.param(BODY, f"v1={V1}", SECRET, "header_malformed", ", without t=.", id="no t"),
        pytest.param(BODY, f"t={NOW}", SECRET, "header_malformed", ", without v1=.", id="no v1"),
        pytest.param(BODY, "abc", SECRET, "header_malformed", "without t= and v1=.", id="neither"),
        pytest.param(BODY, f"t=today,v1={V1}", SECRET, "header_malformed", "where t is not a number", id="a word as t"),
        pytest.param(BODY, f"t={NOW},v1={V1[:20]}", SECRET, "signature_cut", "20 of 64 digits; they are the", id="cut"),
        pytest.param(
            BODY, f"t={NOW},v1=00000", SECRET, "signature_cut", "5 of 64 digits; they are not the", id="cut, wrong"
        ),
        pytest.param(
            BODY, f"t={NOW}000,v1={V1}", SECRET, "milliseconds", "The signature is otherwise", id="written in ms"
        ),
        pytest.param(
            BODY,
            signed(t=f"{NOW}000"),
            SECRET,
            "milliseconds",
            f"t={NOW}000 has 13 digits",
            id="signed in milliseconds",
        ),
        pytest.param(
            BODY, signed(t=f"{NOW}000"), SECRET, "milliseconds", "otherwise valid", id="signed in milliseconds, valid"
        ),
        pytest.param(BODY, WRONG, "whsec_••••", "secret_masked", "The secret is a mask", id="mask"),
        pytest.param(BODY, WRONG, [SECRET, "whsec_••••"], "secret_masked", "Secret 2 of 2 is a mask", id="second mask"),
        pytest.param(b"", WRONG, SECRET, "body_empty", "The body is empty.", id="empty"),
        pytest.param(b" \n", WRONG, SECRET, "body_empty", "empty but for 2 bytes", id="whitespace"),
        pytest.param(b"[object Object]", WRONG, SECRET, "body_parsed", "[object Object]", id="object"),
        pytest.param(gzip.compress(BODY), WRONG, SECRET, "body_compressed", "with gzip", id="compressed"),
        pytest.param(BODY[:-5], WRONG, SECRET, "body_cut", f"truncated after {len(BODY) - 5} bytes", id="truncated"),
        pytest.param(SORTED, WRONG, SECRET, "body_reencoded", "in alphabetical order", id="sorted"),
        pytest.param(BODY, WRONG, SECRET, "wrong_secret", "No known corruption explains it", id="unknown"),
    ],
)
def test_evidence_names_what_shows_the_cause(
    body: bytes, headers: object, secrets: object, cause: str, evidence: str
) -> None:
    explanation = cx.explain(body, headers, secrets, NOW)
    assert (explanation.cause, True) == (cause, evidence in explanation.evidence), explanation


@pytest.mark.parametrize(
    ("body", "headers", "cause", "evidence"),
    [
        pytest.param(
            TEXT, {"Content-Length": "9"}, "body_cut", "Content-Length is 9, but the body has 5", id="shorter"
        ),
        pytest.param(
            TEXT, {"Content-Length": "3"}, "body_changed", "Content-Length is 3, but the body has 5", id="longer"
        ),
        pytest.param(BODY, {"Content-Length": "9999"}, "body_changed", "is 9,999, but the body has", id="shorter JSON"),
        pytest.param(BODY, {"Content-Length": f" {len(BODY)} "}, "wrong_secret", "", id="equal"),
        pytest.param(
            b"\x00\x01", {"Content-Encoding": "BR"}, "body_compressed", "compressed with br,", id="compressed"
        ),
        pytest.param(b"\x00\x01", {}, "wrong_secret", "No known corruption", id="no header"),
        pytest.param(b"x" * (THOROUGH + 1), {}, "wrong_secret", "not every cause could be tried", id="long"),
        pytest.param(b"x" * THOROUGH, {}, "wrong_secret", "No known corruption", id="not too long"),
        pytest.param(BODY, {"Content-Length": "many"}, "wrong_secret", "", id="no number"),
        pytest.param(BODY, {"X-Event-Id": "evt_2"}, "body_changed", "'evt_2', but the body's id is 'evt_1'", id="ID"),
        pytest.param(BODY, {"X-Event-Type": "a.b"}, "body_changed", "'a.b', but the body's type is 'ticket", id="type"),
        pytest.param(BODY, {"X-Event-Id": " evt_1 ", "X-Event-Type": "ticket.created"}, "wrong_secret", "", id="same"),
    ],
)
def test_evidence_compares_the_body_with_the_other_headers(
    body: bytes, headers: dict[str, str], cause: str, evidence: str
) -> None:
    explanation = cx.explain(body, headers | {"X-Signature": WRONG}, SECRET, NOW)
    assert (explanation.cause, True) == (cause, evidence in explanation.evidence), explanation
