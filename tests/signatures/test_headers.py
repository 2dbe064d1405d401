"""`verify` and `explain` read headers in the forms in which frameworks, gateways, logs and people have them."""

import email.header
import email.message
import email.parser
import http.client
import io
import json
import types
import wsgiref.headers
import wsgiref.util
from collections import OrderedDict, UserDict
from collections.abc import Iterator
from typing import Any

import httpx
import pandas as pd
import pytest
import starlette.datastructures
import starlette.requests
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.signatures.headers import MAX_HEADERS, read_headers
from tests.support import delivery_corpus as corpus
from tests.support.sampling import examples

NOW = 1_765_377_000
SECRET = "whsec_AbCdEf1234567890"
BODY = b'{"id":"evt_1","type":"ticket.created","data":{}}'
GOOD = corpus.signed(BODY, SECRET, NOW)
FORGED = corpus.signed(BODY, "whsec_another", NOW)
OTHERS = {"Host": "hooks.example.com:443", "Content-Type": "application/json", "X-Event-Type": "ticket.created"}


class Werkzeug:
    """Like Werkzeug's headers: no mapping, iterated as pairs."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.fields.items())

    def items(self, lower: bool = False) -> Iterator[tuple[str, str]]:
        return ((name.lower() if lower else name, value) for name, value in self.fields.items())


class DjangoRequest:
    """Like Django's request: iterated as lines of its body."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.headers = UserDict(fields)
        self.META = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in fields.items()}

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"a line of the body"])


def message(fields: dict[str, str]) -> email.message.Message:
    text = "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
    return http.client.parse_headers(io.BytesIO(text.encode("latin-1")))


def environ(fields: dict[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {"CONTENT_LENGTH": "48"}
    wsgiref.util.setup_testing_defaults(result)
    return result | DjangoRequest(fields).META


def scope(fields: dict[str, str]) -> dict[str, Any]:
    raw = [(name.lower().encode(), value.encode()) for name, value in fields.items()]
    return {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": raw}


def block(fields: dict[str, str], end: str = "\n") -> str:
    return "".join(f"{name}: {value}{end}" for name, value in fields.items())


FORMS = {
    "mapping": dict,
    "lower case": lambda fields: {name.lower(): value for name, value in fields.items()},
    "upper case": lambda fields: {name.upper(): value for name, value in fields.items()},
    "read-only mapping": types.MappingProxyType,
    "ordered mapping": OrderedDict,
    "pairs": lambda fields: list(fields.items()),
    "tuple of lists": lambda fields: tuple([name, value] for name, value in fields.items()),
    "items()": lambda fields: fields.items(),
    "generator of pairs": lambda fields: (pair for pair in fields.items()),
    "http.server": message,
    "email": lambda fields: email.parser.HeaderParser().parsestr(block(fields)),
    "wsgiref": lambda fields: wsgiref.headers.Headers(list(fields.items())),
    "httpx": httpx.Headers,
    "Starlette": starlette.datastructures.Headers,
    "Starlette's request": lambda fields: starlette.requests.Request(scope(fields)),
    "ASGI pairs": lambda fields: scope(fields)["headers"],
    "ASGI scope": scope,
    "ASGI mapping": lambda fields: dict(scope(fields)["headers"]),
    "Werkzeug": Werkzeug,
    "Django's headers": lambda fields: DjangoRequest(fields).headers,
    "Django's request": DjangoRequest,
    "Django's META": lambda fields: DjangoRequest(fields).META,
    "WSGI environ": environ,
    "request with headers": lambda fields: types.SimpleNamespace(headers=fields),
    "webhook.site": lambda fields: {name.lower(): [value] for name, value in fields.items()},
    "lists of bytes": lambda fields: {name: [value.encode()] for name, value in fields.items()},
    "tuples": lambda fields: {name: (value,) for name, value in fields.items()},
    "pairs with lists": lambda fields: [(name, [value]) for name, value in fields.items()],
    "gateway's event": lambda fields: {
        "httpMethod": "POST",
        "headers": fields,
        "multiValueHeaders": None,
        "body": "{}",
    },
    "gateway's lists": lambda fields: {"headers": None, "multiValueHeaders": {n: [v] for n, v in fields.items()}},
    "CloudFront": lambda fields: {n.lower(): [{"key": n, "value": v}] for n, v in fields.items()},
    "HAR": lambda fields: [{"name": name, "value": value} for name, value in fields.items()],
    "Postman": lambda fields: [{"key": name, "value": value} for name, value in fields.items()],
    "mapping with another attribute": type("Fields", (dict,), {"headers": ["X-Signature"]}),
    "Node's rawHeaders": lambda fields: [text for pair in fields.items() for text in pair],
    "lines": lambda fields: block(fields).splitlines(),
    "lines of bytes": lambda fields: block(fields).encode().splitlines(),
    "block": block,
    "block with CRLF": lambda fields: block(fields, "\r\n"),
    "block as bytes": lambda fields: block(fields).encode(),
    "HTTP request": lambda fields: f"POST /hooks HTTP/1.1\r\n{block(fields, chr(13) + chr(10))}\r\n" + BODY.decode(),
    "curl -v": lambda fields: "".join(f"> {name}: {value}\n" for name, value in fields.items()),
    "JSON": json.dumps,
    "JSON with lists": lambda fields: json.dumps({name: [value] for name, value in fields.items()}, indent=2),
    "pandas": pd.Series,
}


def outcomes(header: Any) -> tuple[bool, Any]:
    """Whether `verify` returns, and the explanation or its error. A generator can be read only once."""
    try:
        verified = isinstance(cx.verify(BODY, header() if callable(header) else header, SECRET, now=NOW), dict)
    except errors.CStarError:
        verified = False
    try:
        return verified, cx.explain(BODY, header() if callable(header) else header, SECRET, NOW)
    except errors.CStarError as error:
        return verified, error


@pytest.mark.parametrize("form", FORMS)
def test_signature_is_found_in_any_form(form: str) -> None:
    """Among the other headers, wherever it is."""
    for fields in (OTHERS | {"X-Signature": GOOD}, {"X-Signature": GOOD} | OTHERS, {"X-Signature": GOOD}):
        verified, explanation = outcomes(lambda fields=fields: FORMS[form](fields))
        assert (True, "ok") == (verified, explanation.cause)


@pytest.mark.parametrize("form", FORMS)
def test_forged_or_missing_signature_is_refused_in_any_form(form: str) -> None:
    """With the true cause."""
    for fields, expected in ((OTHERS | {"X-Signature": FORGED}, "wrong_secret"), (OTHERS, "header_missing")):
        verified, explanation = outcomes(lambda fields=fields: FORMS[form](fields))
        assert (False, expected) == (verified, explanation.cause)


@pytest.mark.parametrize("form", FORMS)
def test_other_headers_are_read_in_any_form(form: str) -> None:
    """Another provider's signature, and a length that differs."""
    assert "other_provider" == cx.explain(BODY, FORMS[form](OTHERS | {"Stripe-Signature": GOOD}), SECRET, NOW).cause
    longer = OTHERS | {"X-Signature": FORGED, "X-Event-Type": "ticket.closed"}
    assert "body_changed" == cx.explain(BODY, FORMS[form](longer), SECRET, NOW).cause


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("requests.structures", "CaseInsensitiveDict"),
        ("werkzeug.datastructures", "Headers"),
        ("multidict", "CIMultiDict"),
        ("urllib3", "HTTPHeaderDict"),
        ("tornado.httputil", "HTTPHeaders"),
    ],
)
def test_headers_of_other_libraries_are_read(module: str, name: str) -> None:
    """If they are installed."""
    headers = getattr(pytest.importorskip(module), name)(OTHERS | {"X-Signature": GOOD})
    assert (True, "ok") == (outcomes(headers)[0], outcomes(headers)[1].cause)


def test_headers_in_a_werkzeug_environ_are_read() -> None:
    """Flask's `request.headers`, and the request itself."""
    wrappers = pytest.importorskip("werkzeug.wrappers")
    request = wrappers.Request(environ(OTHERS | {"X-Signature": GOOD}))
    for headers in (request.headers, request, request.environ):
        assert (True, "ok") == (outcomes(headers)[0], outcomes(headers)[1].cause)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(GOOD, id="value"),
        pytest.param(GOOD.encode(), id="bytes"),
        pytest.param(bytearray(GOOD.encode()), id="bytearray"),
        pytest.param(memoryview(GOOD.encode()), id="memoryview"),
        pytest.param([GOOD], id="list of one value"),
        pytest.param([GOOD, FORGED], id="list of values"),
        pytest.param(f"  {GOOD}\r\n", id="whitespace around it"),
        pytest.param(f"X-Signature: {GOOD}", id="line"),
        pytest.param(f"x-signature:{GOOD}\r\n", id="line in lower case"),
        pytest.param(f"\n  X-Signature : {GOOD}  \n", id="indented line"),
        pytest.param({"X-Signature": [GOOD, FORGED]}, id="first of two values"),
        pytest.param([("X-Signature", GOOD), ("X-Signature", FORGED)], id="first of two headers"),
        pytest.param([("X-Signature", ""), ("X-Signature", GOOD)], id="after an empty one"),
        pytest.param({"X-Signature": f"\t{GOOD} "}, id="whitespace around the value"),
        pytest.param({"X-Signature": email.header.Header(GOOD)}, id="header of an email"),
        pytest.param(json.dumps({"age": 1, "X-Signature": GOOD}), id="JSON with a short name"),
        pytest.param({"X-Signature": GOOD, "Content-Length": 48, "X": 1.5, 3: 4}, id="other values of other types"),
    ],
)
def test_value_alone_is_read(value) -> None:
    """As text or bytes, with its name, or in a list."""
    assert (True, "ok") == (outcomes(value)[0], outcomes(value)[1].cause)


def test_a_length_may_be_a_number() -> None:
    """Servers give Content-Length as text, and test clients as a number: a cut body is found with both."""
    lengths: tuple[object, ...] = (str(len(BODY)), len(BODY))
    cut = [
        cx.explain(BODY[:-5], {"X-Signature": GOOD, "Content-Length": length}, SECRET, NOW).evidence
        for length in lengths
    ]
    assert cut[0] == cut[1]
    assert f"{len(BODY)}" in cut[0]


class Broken:
    """An object whose methods raise."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class BrokenItems(dict):
    def items(self) -> Any:
        raise RuntimeError("items")


UNREADABLE = {
    "number": 1,
    "object": object(),
    "broken object": Broken(),
    "broken mapping": BrokenItems(a=1),
    "list of numbers": [1, 2],
    "list of dicts": [{"X-Signature": GOOD}],
    "triples": [("X-Signature", GOOD, True)],
    "names that are not text": {1: GOOD},
    "function": len,
    "endless": lambda: iter(int, 1),
    "endless pairs": lambda: (("a", "b") for _ in iter(int, 1)),
    "value that is a number": {"X-Signature": 1.5},
    "value that is a dict": {"x-signature": {"value": GOOD}},
    "value that is an object": [(b"x-signature", object())],
    "value that is a list of lists": {"X-Signature": [[GOOD]]},
    "CGI value": {"HTTP_X_SIGNATURE": object()},
}


@pytest.mark.parametrize("form", UNREADABLE)
@pytest.mark.parametrize("call", ["verify", "explain"])
def test_unreadable_headers_are_an_error_and_not_missing(call: str, form: str) -> None:
    """The error names them and what to pass."""
    headers = UNREADABLE[form]
    headers = headers() if form.startswith("endless") else headers
    with pytest.raises(errors.ValidationError, match=r"(?i)header|X-Signature") as caught:
        cx.verify(BODY, headers, SECRET, now=NOW) if call == "verify" else cx.explain(BODY, headers, SECRET, NOW)
    assert "headers" == caught.value.param
    assert caught.value.__context__ is None
    assert GOOD[20:] not in str(caught.value)


@pytest.mark.parametrize(
    "empty", [None, "", b"", " ", {}, [], (), "X-Signature:", {"X-Signature": None}, {"X-Signature": []}]
)
def test_no_header_is_missing(empty) -> None:
    """In any form."""
    verified, explanation = outcomes(empty)
    assert (False, "header_missing") == (verified, explanation.cause)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"t:{NOW},v1:00", id="colons instead of equals signs"),
        pytest.param(f'{{"t": {NOW}, "v1": "00"}}', id="JSON of the parts"),
        pytest.param("garbage", id="garbage"),
        pytest.param("https://hooks.example.com/", id="URL"),
    ],
)
def test_malformed_value_is_not_taken_for_a_line(text: str) -> None:
    """A name has at least three characters, and a URL is none."""
    explanation = cx.explain(BODY, {"X-Signature": text}, SECRET, NOW)
    assert "header_malformed" == explanation.cause
    assert cx.explain(BODY, text, SECRET, NOW).cause in {"header_malformed", "header_missing"}


@settings(max_examples=examples(300), deadline=None)
@given(
    st.text(max_size=40)
    | st.binary(max_size=40)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("X-Signature", "headers", "value")), inner)
        ),
    ).map(json.dumps)
)
def test_text_never_is_an_error_of_its_form(text) -> None:
    """A sender chooses it, and a receiver that catches SignatureError must answer 401."""
    with pytest.raises(errors.SignatureError):
        cx.verify(BODY, text, SECRET, now=NOW)


def test_body_after_a_pasted_head_is_not_read() -> None:
    """A sender could write headers into it."""
    pasted = f"Host: a\n\nX-Signature: {GOOD}\n"
    assert "header_missing" == cx.explain(BODY, pasted, SECRET, NOW).cause


def test_number_of_headers_is_limited() -> None:
    """Servers accept a few hundred."""
    with pytest.raises(errors.ValidationError, match="10,000"):
        read_headers({f"x-{number}": "1" for number in range(MAX_HEADERS + 1)})


def test_headers_do_not_show_their_values() -> None:
    """They may contain credentials, and tracebacks show variables."""
    assert "abc" not in repr(read_headers({"Authorization": "Bearer abc"}))


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=8) | st.just("X-Signature"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.just("headers") | st.just("X-Signature"), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


@settings(max_examples=examples(400), deadline=None)
@given(JSONISH)
def test_any_object_is_read_or_refused(headers) -> None:
    """With a CStarError."""
    verified, explanation = outcomes(headers)
    assert not verified
    assert isinstance(explanation, errors.CStarError) or not explanation.ok


def test_ten_thousand_headers_are_read() -> None:
    pairs = [*((f"x-{number}", "1") for number in range(MAX_HEADERS - 1)), ("X-Signature", "value")]
    assert read_headers(pairs).signature == "value"
