"""`cx.delivery` reads what people have, and `verify` and `explain` agree on it."""

import json
from typing import Any

import httpx
import pytest

from cstar_explore.deliveries import delivery
from cstar_explore.errors import ValidationError
from cstar_explore.signatures import sign

SECRET = "whsec_AbCdEf1234567890"
NOW = 1_765_377_000
TEXT = '{"id":"evt_1","type":"ticket.created","data":{"title":"it\'s Grüße \\\\ $5"}}'
BODY = TEXT.encode()
SIGNATURE = sign(BODY, SECRET, NOW)
RAW = f"POST /hook HTTP/1.1\r\nHost: a.example\r\nX-Signature: {SIGNATURE}\r\n\r\n"
HEADERS = {"X-Signature": SIGNATURE}
HAR = {
    "request": {"method": "POST", "headers": [{"name": "X-Signature", "value": SIGNATURE}], "postData": {"text": TEXT}}
}
POWERSHELL = TEXT.replace('"', '`"').replace("$", "`$")

FORMS: dict[str, Any] = {
    "raw": RAW + TEXT,
    "raw_bytes": RAW.encode() + BODY,
    "har": json.dumps({"log": {"entries": [HAR]}}),
    "aws": {"headers": HEADERS, "body": TEXT, "isBase64Encoded": False},
    "webhook_site": {
        "data": [{"uuid": "1", "method": "POST", "content": TEXT, "headers": {"x-signature": [SIGNATURE]}}]
    },
    "postman": {"item": [{"request": {"header": [{"key": "X-Signature", "value": SIGNATURE}], "body": {"raw": TEXT}}}]},
    "powershell": f'Invoke-WebRequest -Uri "https://a.example/" `\n-Method POST `\n-Headers @{{\n"X-Signature"="{SIGNATURE}"\n}} `\n-Body "{POWERSHELL}"',
    "fetch": f'fetch("https://a.example/", {json.dumps({"headers": HEADERS, "body": TEXT, "method": "POST"})});',
    "pair": (BODY, HEADERS),
    "httpx": httpx.Request("POST", "https://a.example/", content=BODY, headers=HEADERS),
}


@pytest.mark.parametrize("source", FORMS.values(), ids=FORMS)
def test_every_form_verifies_and_survives_a_round_trip_through_curl(source: Any) -> None:
    """The body and headers are those that were signed, and the command from `to_curl` has the same."""
    read = delivery(source)
    again = delivery(read.to_curl())

    assert read.body == BODY
    assert read.explain(SECRET, now=NOW).ok
    assert read.verify(SECRET, now=NOW)["id"] == "evt_1"
    assert (again.body, dict(again.headers)) == (read.body, dict(read.headers))


def test_a_lost_final_newline_is_taken_into_account_and_named() -> None:
    """The HMAC proves that the newline was there, so the delivery is authentic."""
    read = delivery(RAW.replace(SIGNATURE, sign(BODY + b"\n", SECRET, NOW)) + TEXT)

    assert read.explain(SECRET, now=NOW).ok
    assert "final newline" in read.explain(SECRET, now=NOW).evidence
    assert read.verify(SECRET, now=NOW)["id"] == "evt_1"


@pytest.mark.parametrize("option", ["-d @body.json", "--data-binary @-", "-H @headers", "-K file", '-d "$(cat x)"'])
def test_pasted_text_reads_no_file_and_runs_nothing(option: str) -> None:
    """What would read a file or run a command is refused."""
    with pytest.raises(ValidationError, match="Pasted text"):
        delivery(f"curl https://a.example/ {option}")


def test_several_deliveries_need_a_number() -> None:
    """The error lists them, and the number counts from 1."""
    several = {"log": {"entries": [HAR, HAR]}}

    with pytest.raises(ValidationError, match=r"ticket\.created"):
        delivery(several)
    assert delivery(several, number=2).body == BODY


@pytest.mark.parametrize(
    "hostile", ["{" * 100_000, "[" * 100_000, "curl '" + "\\" * 1_000_000, "curl " + '"' * 999_999, "x", ""]
)
def test_unreadable_text_raises_the_packages_error(hostile: str) -> None:
    """No hostile input raises anything else."""
    with pytest.raises(ValidationError):
        delivery(hostile)


def test_binary_bodies_and_credentials() -> None:
    """`to_curl` keeps every byte, and `repr` masks credentials."""
    read = delivery((bytes(range(256)), {"Authorization": "Basic hunter2", "X-Empty": ""}))

    assert delivery(read.to_curl()).body == bytes(range(256))
    assert "hunter2" not in repr(read) + repr(read.headers) + read._repr_html_()
