"""`cx.delivery` reads what people have, and `verify` and `explain` agree on it."""

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cstar_explore.deliveries import delivery
from cstar_explore.errors import SignatureError, ValidationError
from cstar_explore.signatures import sign
from tests.deliveries.forms import FORMS, aiohttp_request, django_request, starlette_request
from tests.support.sampling import SEED, sample
from tests.support.scripted_server import ScriptedServer, reply

SECRET = "whsec_AbCdEf1234567890"
NOW = 1_765_377_000
TEXT = '{"id":"evt_1","type":"ticket.created","data":{"title":"it\'s Grüße \\\\ $5"}}'
BODY = TEXT.encode()
SIGNATURE = sign(BODY, SECRET, NOW)
RAW = FORMS["raw"](TEXT, SIGNATURE)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_verifies_and_survives_a_round_trip_through_curl(form: str) -> None:
    """The body and headers are those that were signed, and the command from `to_curl` has the same."""
    text = TEXT.replace("\\\\", "") if form == "prompt" else TEXT
    read = delivery(FORMS[form](text, sign(text.encode(), SECRET, NOW)))
    again = delivery(read.to_curl())

    assert read.body == text.encode()
    assert read.explain(SECRET, now=NOW).ok
    assert read.verify(SECRET, now=NOW)["id"] == "evt_1"
    assert (again.body, dict(again.headers)) == (read.body, dict(read.headers))


@pytest.mark.parametrize(
    ("framed", "read"),
    [
        pytest.param(b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), BODY, id="one chunk"),
        pytest.param(b"5\r\n%b\r\n%X;a=b\r\n%b\r\n0\r\n" % (BODY[:5], len(BODY) - 5, BODY[5:]), BODY, id="two chunks"),
        pytest.param(b"3\n%b\n%x\n%b\n0\n\n" % (BODY[:3], len(BODY) - 3, BODY[3:]), BODY, id="line feeds"),
        pytest.param(BODY, BODY, id="decoded by a proxy"),
        pytest.param(b"ff\r\n%b" % BODY, b"ff\r\n%b" % BODY, id="cut"),
    ],
)
def test_a_raw_request_in_chunks_is_read(framed: bytes, read: bytes) -> None:
    """As `nc` or `tcpdump` shows what some proxies send."""
    head = b"POST / HTTP/1.1\r\nHost: a.example\r\nX-Signature: %b\r\nTransfer-Encoding: chunked\r\n\r\n"
    pasted = delivery(head % SIGNATURE.encode() + framed)
    assert (read, read == BODY) == (pasted.body, pasted.explain(SECRET, now=NOW).ok)


def _generated(seed: str, form: str) -> tuple[Any, str]:
    """A delivery in a form, with one or two things wrong, or none; and the receiver's secret."""
    choose = random.Random(seed)
    text = json.dumps({"id": "evt_1", "type": "a", "data": {"x": choose.choice(["é", "\u2028", "a b", "%41"])}})
    text = choose.choice([text, text.replace(",", ",\n"), text.replace('"', ""), "[1]"])
    signed = choose.choice([text, f"{text}\n", text.replace("\n", "\r\n"), f"{text} ", text + "x"])
    signature = sign(signed.encode(), SECRET, NOW + choose.choice([0, 0, 0, -301, 301]))
    signature = choose.choice([signature] * 4 + [signature[:-1], f'"{signature}"', "sha256=1", ""])
    secret = choose.choice([SECRET] * 4 + [f"{SECRET}\n", SECRET.removeprefix("whsec_"), "whsec_another"])
    return FORMS[form](text, signature), secret


@pytest.mark.parametrize(
    "case", sample([f"{form} {n}" for form in FORMS for n in range(40)], 150, name="generated deliveries")
)
def test_verify_and_explain_agree_on_every_delivery(case: str) -> None:
    """`verify` returns the event if and only if `explain` says that it is verified."""
    source, secret = _generated(f"{SEED} {case}", case.split(maxsplit=1)[0])
    read = delivery(source)
    try:
        read.verify(secret, now=NOW)
    except SignatureError:
        is_verified = False
    else:
        is_verified = True

    assert is_verified is read.explain(secret, now=NOW).ok


def test_a_path_reads_the_file(tmp_path: Path) -> None:
    """Text that names a file does not."""
    path = tmp_path / "delivery.http"
    path.write_text(RAW, encoding="utf-8", newline="")

    assert delivery(path).body == BODY
    with pytest.raises(ValidationError):
        delivery(str(path))


def test_pseudo_headers_are_the_url_and_no_headers() -> None:
    """Of HTTP/2, as developer tools copy them."""
    read = delivery(FORMS["http2"](TEXT, SIGNATURE))

    assert ("POST", "https://a.example/hook", ["x-signature"]) == (read.method, read.url, list(read.headers))


def test_a_lost_final_newline_is_taken_into_account_and_named() -> None:
    """The HMAC proves that the newline was there, so the delivery is authentic."""
    read = delivery(RAW.replace(SIGNATURE, sign(BODY + b"\n", SECRET, NOW)))

    assert read.explain(SECRET, now=NOW).ok
    assert "final newline" in read.explain(SECRET, now=NOW).evidence
    assert read.verify(SECRET, now=NOW)["id"] == "evt_1"


def test_lost_bytes_are_named() -> None:
    """A byte that is not UTF-8 becomes U+FFFD in text, and nothing can bring it back."""
    body = TEXT.encode("latin-1")
    fetch = FORMS["fetch"](TEXT, sign(body + b"\xff", SECRET, NOW)).encode()
    read = delivery(fetch.replace(b"evt_1", b"evt_\xff"))

    assert "U+FFFD" in read.not_kept[-1]
    assert "U+FFFD" in read.explain(SECRET, now=NOW).evidence
    assert "U+FFFD" not in " ".join(delivery(fetch).not_kept)


@pytest.mark.parametrize(
    ("argument", "word"),
    [
        ('"""a"""', '"a"'),
        ('"{""a"":""b""}"', '{"a":"b"}'),
        ('"{\\"a\\":\\"b\\"}"', '{"a":"b"}'),
        (r'"a\\"', "a\\"),
        (r'"a\\""b"', 'a\\"b'),
        ('""', ""),
    ],
)
def test_quotes_of_the_command_prompt(argument: str, word: str) -> None:
    """As the C runtime of Windows reads them."""
    assert delivery(f'curl "https://a.example/" -H "X-Empty: """"" --data-raw {argument}').body == word.encode()


@pytest.mark.parametrize("option", ["-d @body.json", "--data-binary @-", "-H @headers", "-K file", '-d "$(cat x)"'])
def test_pasted_text_reads_no_file_and_runs_nothing(option: str) -> None:
    """What would read a file or run a command is refused."""
    with pytest.raises(ValidationError, match="Pasted text"):
        delivery(f"curl https://a.example/ {option}")
    with pytest.raises(ValidationError):
        delivery(f"printf '%s' | curl https://a.example/ {option}")


def test_several_deliveries_need_a_number() -> None:
    """The error lists them, and the number counts from 1."""
    har = json.loads(FORMS["har"](TEXT, SIGNATURE))
    har["log"]["entries"] *= 2

    with pytest.raises(ValidationError, match=r"ticket\.created"):
        delivery(har)
    assert delivery(har, number=2).body == BODY


PLANTED = "planted-0123456789"
UNREADABLE = [
    "{" * 100_000 + PLANTED,
    "[" * 100_000 + PLANTED,
    "curl '" + PLANTED + "\\" * 1_000_000,
    f"curl -d '{PLANTED}' " + '"' * 999_999,
    f"curl -d '{PLANTED}' -d @file",
    f'fetch("{PLANTED}", {{x}}',
    f'Invoke-WebRequest -Body "{PLANTED} $x"',
    f'uuid,content,headers.a\n1,"{PLANTED}"x,b',
    f'id,headers,body\n1,"{PLANTED}",{PLANTED}',
    {"headers": {}, "body": PLANTED, "isBase64Encoded": True},
    PLANTED,
    "",
]


@pytest.mark.parametrize("hostile", UNREADABLE, ids=range(len(UNREADABLE)))
def test_unreadable_text_raises_the_packages_error_without_the_text(hostile: Any) -> None:
    """No input raises anything else, and no frame of the package has the text in a variable."""
    with pytest.raises(ValidationError) as raised:
        delivery(hostile)

    frames = [frame.frame.f_locals for frame in raised.traceback if "test_deliveries" not in str(frame.path)]
    assert len(frames) > 0
    assert PLANTED not in repr(frames) + str(raised.value)
    assert raised.value.__context__ is raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("request_object", "advice"),
    [
        (starlette_request(BODY, SIGNATURE), r"await request\.body\(\)"),
        (aiohttp_request(BODY, SIGNATURE, read=False), r"await request\.read\(\)"),
    ],
    ids=["starlette", "aiohttp"],
)
def test_a_body_that_is_not_read_yet_is_an_error_that_says_how(request_object: Any, advice: str) -> None:
    """The body is never taken for an empty one."""
    with pytest.raises(ValidationError, match=advice):
        delivery(request_object)


def test_a_django_body_that_was_read_in_parts_is_an_error() -> None:
    """Django itself refuses to read it again."""
    request = django_request(BODY, SIGNATURE)
    request.read(1)

    with pytest.raises(ValidationError, match="read in parts"):
        delivery(request)


BODIES = [
    BODY,
    b"",
    bytes(range(256)),
    b"--%s\\n'\"$x`!\r\n",
    b"-\0%",
    BODY + b"\n",
    b"\xff\xfe",
    b"[%s]" % (b"1," * 100_000),
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_the_command_sends_the_same_bytes(body: bytes) -> None:
    """Run by bash and curl, it sends the body and the headers; read again, it has them too."""
    if not (shutil.which("bash") and shutil.which("curl")):
        pytest.skip("bash or curl is not installed")
    headers = {"X-Signature": SIGNATURE, "X-Quotes": 'it\'s "$x"', "X-Empty": "", "Content-Type": "text/plain"}
    read = delivery((body, headers | {"Host": "a.example", "Content-Length": str(len(body) + 1)}))
    with ScriptedServer(reply(200)) as server:
        command = read.to_curl(server.url)
        subprocess.run(["bash", "-s"], check=True, capture_output=True, input=command.encode(), timeout=30)
    again = delivery(command)

    (sent,) = server.requests
    assert (body, "POST") == (sent.body, sent.method)
    assert headers.items() >= {name: sent.headers[name.lower()] for name in headers}.items()
    assert (again.body, dict(again.headers)) == (body, {name.lower(): value for name, value in headers.items()})


def test_credentials_are_masked() -> None:
    """In every representation."""
    read = delivery((b"{}", {"Authorization": "Basic hunter2", "X-Functions-Key": "hunter2"}))

    assert "hunter2" not in repr(read) + repr(read.headers) + read._repr_html_()
