"""What the search tries: each way in which a body or a secret is changed is undone exactly."""

import base64
import gzip
import json
import zlib
from typing import Any

import pytest

from cstar_explore.secret import Secret
from cstar_explore.signatures.body_corruptions import BODY_CORRUPTIONS, THOROUGH
from cstar_explore.signatures.body_encodings import BODY_ENCODINGS, compression, is_truncated_json
from cstar_explore.signatures.secret_corruptions import SECRET_CORRUPTIONS

CANDIDATES = {**BODY_CORRUPTIONS, **BODY_ENCODINGS}

BODY = '{"id":"evt_1","name":"Grüße ??>","path":"a/b"}'.encode()
NOT_UTF8 = b"\xff\xfa{\n"
RAW = zlib.compressobj(wbits=-15)
DEFLATED = RAW.compress(BODY) + RAW.flush()
MULTIPART = b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + BODY + b"\r\n--X--\r\n"


def quoted(text: bytes) -> bytes:
    return json.dumps(text.decode()).encode()


@pytest.mark.parametrize(
    ("cause", "received", "sent"),
    [
        pytest.param("body_base64", base64.b64encode(BODY), BODY, id="base64"),
        pytest.param("body_base64", base64.b64encode(NOT_UTF8 * 3), NOT_UTF8 * 3, id="base64 with + and /"),
        pytest.param("body_base64", base64.urlsafe_b64encode(NOT_UTF8 * 3), NOT_UTF8 * 3, id="base64 with - and _"),
        pytest.param("body_base64", base64.b64encode(b"1234").rstrip(b"="), b"1234", id="without padding"),
        pytest.param("body_base64", base64.encodebytes(BODY * 3), BODY * 3, id="base64 in lines"),
        pytest.param("body_compressed", gzip.compress(BODY, mtime=0), BODY, id="gzip"),
        pytest.param("body_compressed", zlib.compress(BODY), BODY, id="zlib"),
        pytest.param("body_compressed", DEFLATED, BODY, id="deflate"),
        pytest.param("body_json_string", quoted(BODY), BODY, id="JSON string"),
        pytest.param("body_json_string", quoted(BODY)[1:-1] + b"\n", BODY, id="JSON string without quotes"),
        pytest.param("body_json_string", b'{"Records":[{"body":%s}]}' % quoted(BODY), BODY, id="in an object"),
        pytest.param("body_json_string", b'[1,"a",%s]' % quoted(BODY), BODY, id="in a list"),
        pytest.param("body_repr", repr(BODY).encode(), BODY, id="bytes of Python"),
        pytest.param("body_repr", b" " + repr(NOT_UTF8).encode(), NOT_UTF8, id="bytes that are not UTF-8"),
        pytest.param("body_repr", rb"'\xe9\u20ac\U0001f600\n\t\\\''", "é€😀\n\t\\'".encode(), id="text of Python"),
        pytest.param("body_repr", b"'\xff'", b"\xff", id="text that is not UTF-8"),
        pytest.param("body_repr", rb"'\U0010ffff'", "\U0010ffff".encode(), id="last character"),
        pytest.param("body_repr", rb"'\U00110000'", rb"\U00110000", id="no character"),
        pytest.param("body_repr", BODY.hex().upper().encode(), BODY, id="hex"),
        pytest.param("body_repr", rb"\x" + BODY.hex(" ").encode(), BODY, id="hex of a database"),
        pytest.param("body_repr", json.dumps(list(BODY)).encode(), BODY, id="numbers"),
        pytest.param("body_repr", json.dumps({"type": "Buffer", "data": list(BODY)}).encode(), BODY, id="Buffer"),
        pytest.param("body_form", b"%7b%22a%22:+1%7D", b'{"a": 1}', id="percent"),
        pytest.param("body_form", b'{"a":1}=', b'{"a":1}', id="name of a form"),
        pytest.param("body_form", b"x=1&payload=%7B%FC%7D", b"{\xfc}", id="field of a form"),
        pytest.param("body_form", MULTIPART, BODY, id="multipart"),
        pytest.param("body_trailing_newline", BODY + b"\r\n\n", BODY, id="newlines added"),
        pytest.param("body_trailing_newline", BODY + b"\r\n", BODY + b"\r", id="newline added"),
        pytest.param("body_trailing_newline", BODY, BODY + b"\n", id="newline removed"),
        pytest.param("body_trailing_newline", BODY, BODY + b"\r\n", id="CR LF removed"),
        pytest.param("body_bom", b"\xef\xbb\xbf" + BODY, BODY, id="BOM added"),
        pytest.param("body_bom", BODY, b"\xef\xbb\xbf" + BODY, id="BOM removed"),
        pytest.param("body_crlf", b"a\r\nb\nc", b"a\nb\nc", id="CR LF to LF"),
        pytest.param("body_crlf", b"a\r\nb\nc", b"a\r\nb\r\nc", id="LF to CR LF"),
        pytest.param("body_crlf", b"a\rb", b"a\nb", id="CR to LF"),
        pytest.param("body_crlf", b"a\nb", b"a\rb", id="LF to CR"),
        pytest.param("body_charset", BODY.decode().encode("latin-1"), BODY, id="Latin-1"),
        pytest.param("body_charset", BODY.decode().encode("utf-16"), BODY, id="UTF-16"),
        pytest.param("body_charset", b"[1]".decode().encode("utf-16-be"), b"[1]", id="UTF-16 without BOM"),
        pytest.param("body_charset", BODY, BODY.decode().encode("cp850"), id="from another"),
        pytest.param("body_charset", "€ü".encode(), b"?\xfc", id="lost in Latin-1"),
        pytest.param("body_charset", "€ü".encode(), b"\xfc", id="dropped in Latin-1"),
        pytest.param("body_charset", b"\xff\xfea\x00b", b"a", id="half a character of UTF-16"),
        pytest.param("body_charset", b"\xfe\xff\x00a\x00b", b"ab", id="UTF-16, high byte first"),
        pytest.param("body_charset", b"\xff\xfea\x00\x00\xd8", b"a", id="half a pair of UTF-16"),
    ],
)
def test_a_changed_body_is_restored(cause: str, received: bytes, sent: bytes) -> None:
    assert sent in list(CANDIDATES[cause](received))


@pytest.mark.parametrize(
    ("cause", "received"),
    [
        pytest.param("body_base64", BODY, id="JSON is no base64"),
        pytest.param("body_base64", b"a", id="one letter is no base64"),
        pytest.param("body_compressed", gzip.compress(BODY, mtime=0)[:-1], id="truncated gzip"),
        pytest.param("body_compressed", gzip.compress(bytes(2**22 + 1)), id="4 MB and a byte"),
        pytest.param("body_json_string", b'[[[["deep"]]]]', id="four levels"),
        pytest.param("body_json_string", b"[1,null]", id="no string"),
        pytest.param("body_json_string", b"abc", id="no JSON"),
        pytest.param("body_repr", b"{}", id="no notation"),
        pytest.param("body_repr", b"[256]", id="no byte"),
        pytest.param("body_repr", b"[-1]", id="negative"),
        pytest.param("body_repr", b"[true]", id="no number"),
        pytest.param("body_repr", b'{"type":"Other","data":[1],"a":"Buffer"}', id="no Buffer"),
        pytest.param("body_repr", b"abc", id="half a byte"),
        pytest.param("body_form", b"{}", id="no form"),
        pytest.param("body_reencoded", b"1", id="a number"),
        pytest.param("body_reencoded", b"{", id="no JSON to write"),
        pytest.param("body_reencoded", b"[%s]" % (b" " * 2**20), id="too large"),
    ],
)
def test_nothing_is_tried_for_what_was_not_changed_so(cause: str, received: bytes) -> None:
    assert [] == list(CANDIDATES[cause](received))


PAYLOAD: dict[str, Any] = {"id": "e", "data": {"z": "ü/<", "a": 1}, "type": "x"}
PUBLISHED = {"id": "e", "type": "x", "data": {"z": "ü/<", "a": 1}}
SORTED = {"data": {"a": 1, "z": "ü/<"}, "id": "e", "type": "x"}


def written(value: Any, **options: Any) -> str:
    return json.dumps(value, **({"ensure_ascii": False, "separators": (",", ":")} | options))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(written(PAYLOAD), id="compact"),
        pytest.param(written(PAYLOAD) + "\n", id="with a newline"),
        pytest.param(written(PAYLOAD, separators=(", ", ": ")), id="spaces"),
        pytest.param(written(PAYLOAD, ensure_ascii=True), id="escaped"),
        pytest.param(written(PAYLOAD, separators=None, indent=2), id="two spaces"),
        pytest.param(written(PAYLOAD, separators=None, indent=4), id="four spaces"),
        pytest.param(written(PAYLOAD, separators=None, indent="\t"), id="tab"),
        pytest.param(written(PAYLOAD, separators=None, indent=""), id="lines"),
        pytest.param(written(PUBLISHED), id="published order"),
        pytest.param(written(SORTED), id="sorted"),
        pytest.param(written(SORTED, separators=None, indent=2), id="sorted lines"),
        pytest.param(written(PAYLOAD).replace("/", "\\/"), id="slash"),
        pytest.param(written(PAYLOAD).replace("<", "\\u003c"), id="markup"),
        pytest.param(written(PAYLOAD, ensure_ascii=True).replace("00fc", "00FC").replace("/", "\\/"), id="upper case"),
        pytest.param(written(PAYLOAD).replace("<", "\\u003C"), id="markup in upper case"),
    ],
)
def test_json_is_written_in_every_common_format(sent: str) -> None:
    received = json.dumps(PAYLOAD, indent=1).encode()
    assert sent.encode() in list(CANDIDATES["body_reencoded"](received))


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(written, id="compact"),
        pytest.param(lambda value: written(value, ensure_ascii=True), id="escaped"),
        pytest.param(lambda value: written(value, ensure_ascii=True, separators=(", ", ": ")), id="spaces"),
        pytest.param(lambda value: written(value | {"type": value["type"], "data": value["data"]}), id="same"),
        pytest.param(lambda value: written({"id": "e", "type": "x", "data": value["data"]}), id="published order"),
        pytest.param(lambda value: written(value).replace("/", "\\/"), id="slash"),
    ],
)
def test_long_json_is_written_in_the_most_common_formats(sent: Any) -> None:
    value = PAYLOAD | {"data": PAYLOAD["data"] | {"long": "x" * THOROUGH}}
    candidates = list(CANDIDATES["body_reencoded"](json.dumps(value, indent=1).encode()))
    assert sent(value).encode() in candidates
    assert written(value, separators=None, indent=2).encode() not in candidates


def test_deep_json_is_not_indented() -> None:
    """Its length would grow with the square of the depth."""
    for depth, indented in ((50, True), (51, False)):
        text = "[" * depth + "]" * depth
        candidates = list(CANDIDATES["body_reencoded"](text.encode()))
        assert text.encode() in candidates
        assert any(b"\n" in each.strip() for each in candidates) is indented


@pytest.mark.parametrize(
    ("body", "header", "name"),
    [
        (gzip.compress(BODY, mtime=0), "", "gzip"),
        (b"\x28\xb5\x2f\xfd0", "", "zstd"),
        (b"\x00\x01", " BR ", "br"),
        *((b"\x00\x01", name, name) for name in ("br", "gzip", "deflate", "zstd", "compress")),
        (b"\x00\x01", "identity", None),
        (b"\x00\x01", "", None),
        (b" {}", "gzip", None),
    ],
    ids=lambda value: None if isinstance(value, str) else ascii(value)[:12],
)
def test_compression_is_known_by_its_first_bytes_or_its_header(body: bytes, header: str, name: str | None) -> None:
    assert compression(body, header) == name


@pytest.mark.parametrize(
    ("body", "truncated"),
    [
        (b'{"a":', True),
        (b'{"a":"x', True),
        (b'{"a":1,', True),
        (b' {"a":{"b":1}\n', True),
        (b'{"a":1}', False),
        (b'{"a" 1}', False),
        (b'{"a":1}}', False),
        (b'{"a":1}\nend', False),
        (b'["a"', False),
        (b'{"a":' * 100_000, False),  # too deep to tell
        (b"", False),
    ],
)
def test_truncated_json_is_not_closed(body: bytes, truncated: bool) -> None:
    assert is_truncated_json(body) is truncated


SECRET = "whsec_Ab+/Cd=="


@pytest.mark.parametrize(
    ("cause", "received", "sent"),
    [
        pytest.param("secret_whitespace", f" {SECRET}\n", SECRET, id="whitespace around"),
        pytest.param("secret_whitespace", "whsec_Ab\n +/Cd==", SECRET, id="whitespace inside"),
        pytest.param("secret_whitespace", f"\ufeff{SECRET}\u200b", SECRET, id="invisible characters"),
        pytest.param("secret_whitespace", SECRET, f"{SECRET}\n", id="newline removed"),
        pytest.param("secret_whitespace", SECRET, f"{SECRET}\r\n", id="CR LF removed"),
        pytest.param("secret_whitespace", SECRET, f"{SECRET} ", id="space removed"),
        pytest.param("secret_whitespace", SECRET, f" {SECRET}", id="space removed before it"),
        pytest.param("secret_quoted", f' "{SECRET}"\r\n', SECRET, id="quotes"),
        pytest.param("secret_quoted", f" “{SECRET}” ", SECRET, id="typographic quotes"),
        pytest.param("secret_quoted", SECRET, f'"{SECRET}"', id="quotes removed"),
        pytest.param("secret_quoted", SECRET, f"'{SECRET}'", id="single quotes removed"),
        pytest.param("secret_prefix_cut", SECRET, "Ab+/Cd==", id="prefix added"),
        pytest.param("secret_prefix_cut", SECRET, "_Ab+/Cd==", id="part of the prefix added"),
        pytest.param("secret_prefix_cut", "Ab+/Cd==", SECRET, id="prefix removed"),
        pytest.param("secret_prefix_cut", "_Ab+/Cd==", SECRET, id="part of the prefix removed"),
        pytest.param("secret_decoded", base64.b64encode(SECRET.encode()).decode(), SECRET, id="base64"),
        pytest.param("secret_decoded", base64.b64encode(SECRET.encode()).decode().rstrip("="), SECRET, id="unpadded"),
        pytest.param(
            "secret_decoded", "whsec_" + base64.urlsafe_b64encode(b"ab??>>").decode(), "ab??>>", id="URL-safe"
        ),
        pytest.param("secret_decoded", SECRET.encode().hex(), SECRET, id="hex"),
        pytest.param("secret_decoded", "whsec%5FAb%2B%2FCd%3D%3D", SECRET, id="percent"),
        pytest.param("secret_decoded", "ab??>>", "YWI/Pz4+", id="to base64"),
        pytest.param("secret_decoded", "ab??>>", "YWI_Pz4-", id="to URL-safe base64"),
        pytest.param("secret_decoded", "ab??>", "YWI/Pz4", id="to base64 without padding"),
        pytest.param("secret_decoded", "ab??>", "whsec_YWI/Pz4=", id="to base64 with the prefix"),
        pytest.param("secret_decoded", "ab", "whsec_6162", id="to hex"),
        pytest.param("secret_in_text", f'SECRET="{SECRET}" # of today', SECRET, id="line of a file"),
        pytest.param("secret_in_text", '{"secret": "abcd"}', "abcd", id="JSON"),
        pytest.param("secret_in_text", "name='a b = c'\n", "a b = c", id="what follows ="),
    ],
)
def test_a_changed_secret_is_restored(cause: str, received: str, sent: str) -> None:
    assert sent in [each.reveal() for each in SECRET_CORRUPTIONS[cause](Secret(received))]


def test_a_hundred_parts_of_a_text_are_tried_as_secrets() -> None:
    text = " ".join(f"word{number}" for number in range(200))
    tried = [each.reveal() for each in SECRET_CORRUPTIONS["secret_in_text"](Secret(text))]
    assert ("word99" in tried, "word100" in tried) == (True, False)
