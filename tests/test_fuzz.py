"""Any input is read or rejected with a CStarError, within limits of time and memory.

Each entry point is a `Target`: it takes bytes or objects, and its result is displayed in every form.
`FUZZ_EXAMPLES=5000 pytest tests/test_fuzz.py` tries more examples of each.
"""

import atexit
import base64
import contextlib
import csv
import datetime as dt
import decimal
import functools
import io
import itertools
import json
import math
import os
import random
import signal
import socket
import tempfile
import tracemalloc
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import events, models
from cstar_explore.api import requests, responses
from cstar_explore.behaviours import ASSUMED
from cstar_explore.events.shapes import shape_of
from tests.deliveries.forms import FORMS
from tests.support.sampling import NIGHTLY, SEED

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "12")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"
SECRET = "whsec_test_secret"
NOW = 1_765_377_000
HOST = "https://www.cstar.help"
EXPECTED_WARNINGS = (events.UnknownEventWarning,)
FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")
atexit.register(FOLDER.cleanup)

# --- limits per input -------------------------------------------------------------------------------------------------

SECONDS = 1.0
SECONDS_PER_BYTE = 2e-5
"""Of processor time, which does not depend on the machine's load. 20 s for a megabyte is far more than any target needs, and
far less than quadratic growth would take."""
BYTES = 100_000_000
"""More than a buffer for the largest file that is read."""
BYTES_PER_BYTE = 1_000


class TooSlowError(BaseException):
    """Not an Exception, so that tested code cannot catch it by mistake."""


def _out_of_time(*_: object) -> None:
    raise TooSlowError


@contextlib.contextmanager
def time_limit(size: int) -> Iterator[None]:
    """Raises TooSlowError if the block takes more processor time than an input of this size may."""
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, SECONDS + SECONDS_PER_BYTE * size)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def display(outcome: Any) -> None:
    """Displays a result in every form that a person may see."""
    text = repr(outcome)
    if isinstance(outcome, pd.DataFrame):
        return  # contains untrusted text unchanged, which pandas displays
    assert isinstance(text.encode(), bytes)
    for name in ("to_frame", "subscriptions", "to_json", "summary", "counts", "_repr_html_"):
        if method := getattr(outcome, name, None):
            form = method()
            assert form is not None
            assert not isinstance(form, str) or isinstance(form.encode(), bytes)


def check(target: Callable[[Any], Any], content: Any, size: int | None = None) -> Any:
    """Calls a target. Returns its result or the CStarError; any other exception fails the test."""
    with time_limit(len(content) if size is None else size), warnings.catch_warnings():
        for warning in EXPECTED_WARNINGS:
            warnings.simplefilter("ignore", warning)
        try:
            outcome = target(content)
            display(outcome)
        except cx.CStarError as error:
            text = f"{error} {error!r} {error.advice}"
            assert text.encode()
            assert len(text) < 20_000
            return error
        return outcome


# --- targets ----------------------------------------------------------------------------------------------------------

CALLS = requests.WebhookRequests(HOST, "team_1", cx.Secret(KEY))
REQUESTS = {
    "list": CALLS.list(),
    "get": CALLS.get("whk_1"),
    "create": CALLS.create(name="One", url="https://example.com/1", events="ticket.created"),
    "delete": CALLS.delete("whk_1"),
    "trigger_test": CALLS.trigger_test("ticket.created"),
    "whoami": requests.whoami(HOST, cx.Secret(KEY)),
}
WEBHOOK = {
    "id": "whk_1",
    "name": "One",
    "url": "https://example.com/1",
    "events": ["ticket.created", "ticket.closed"],
    "isActive": True,
    "createdAt": "2025-11-01T10:00:00Z",
    "updatedAt": "2025-11-15T12:00:00.250Z",
    "signingSecret": "whsec_AbCdEf1234567890",
}
FIRED = {
    "event": "ticket.created",
    "eventId": "evt_1",
    "test": True,
    "deliveredTo": 1,
    "deliveries": [
        {"deliveryId": "dlv_1", "url": "https://example.com/1", "success": True, "status": 200, "responseTimeMs": 12}
    ],
}
IDENTITY = {"teamId": "team_1", "teamName": "One", "teamSlug": "one", "keyType": "secret", "environment": "live"}
ERROR = {
    "type": "validation_error",
    "code": "PARAMETER_INVALID",
    "message": "Invalid url.",
    "param": "url",
    "doc_url": "https://www.cstar.help/docs",
    "request_id": "req_1",
    "retryAfter": 3,
}
META = {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}
EVENT = {"id": "evt_1", "type": "ticket.created", "created_at": "2025-12-10T14:30:00Z", "data": {"title": "Help <me>"}}
TOML = """[thresholds]
everything = 0.8
inactive_days = 90
secret_days = 365
ports = [443, 8443]
teams_per_host = 3
shared_hosts = ["hooks.slack.com", "*.office.com"]
expected_events = ["survey.submitted"]

[[ignore]]
rule = "plain_http"
webhook = "whk_1"
account = "One"
host = "a.example"
reason = "because"
until = 2026-01-01
"""
ACCOUNTS = (
    "account,team_id,key_env,base_url\nSupport,team_1,KEY_SUPPORT,https://www.cstar.help\n"
    "'=North,team_2,KEY_NORTH,http://127.0.0.1:8000\n"
)


def success_body(data: Any) -> bytes:
    return json.dumps({"success": True, "data": data, "meta": META}).encode()


def error_body(**more: Any) -> bytes:
    return json.dumps({"success": False, "error": ERROR | more, "meta": META}).encode()


def as_text(content: bytes) -> str:
    """As header values and names are decoded: invalid UTF-8 becomes surrogates."""
    return content.decode("utf-8", "surrogateescape")


@functools.cache
def shared_sandbox() -> tuple[cx.Sandbox, cx.Client, models.WebhookList]:
    """One sandbox for the whole file. Tests only read lists from it and make plans."""
    sandbox = cx.Sandbox()
    client = sandbox.client()
    return sandbox, client, client.webhooks.list()


@functools.cache
def folder() -> Path:
    return Path(FOLDER.name)


def write_file(name: str, content: bytes) -> Path:
    path = folder() / name
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module", autouse=True)
def _close_shared_sandbox() -> Iterator[None]:
    yield
    sandbox, client, _ = shared_sandbox()
    client.close()
    sandbox.close()
    shared_sandbox.cache_clear()


def read_response(call: str, statuses: tuple[int, ...] = (200, 201, 404, 429, 503)) -> Callable[[bytes], None]:
    def target(content: bytes) -> None:
        for status in statuses:
            headers = {"content-type": "application/json", "retry-after": as_text(content[:200])}
            check(
                lambda response: requests.read(REQUESTS[call], response),
                responses.Response(status, headers, content),
                len(content),
            )

    return target


def make_plan(path: Any) -> None:
    plan = cx.plan(shared_sandbox()[1], path)
    display(plan)
    display(plan.invert())


def load_plan(content: bytes) -> None:
    plan = cx.Plan.load(shared_sandbox()[1], write_file("plan.json", content))
    assert len(plan) == len(plan.invert())
    display(plan)
    display(plan.invert())


def compare_baseline(content: bytes) -> None:
    before, after = write_file("before.json", content), write_file("after.json", baseline())
    display(cx.compare(before, before))
    display(cx.compare(before, after))
    display(cx.compare(after, before, by="name"))


def audit_with_settings(content: bytes) -> cx.Audit:
    return cx.audit(shared_sandbox()[2], settings=write_file("settings.toml", content))


def audit_items(items: list[dict[str, Any]]) -> None:
    audit = cx.audit(models.WebhookList(items), now=dt.datetime(2025, 12, 10, tzinfo=dt.UTC))
    display(audit)
    display(audit.fix())


def use_recording(content: bytes) -> None:
    recording = cx.Recording.load(write_file("recording.json", content))
    display(recording)
    display(recording.drift(recording))
    display(events.catalogue(like=recording))
    for event in sorted(recording.payloads)[:3]:
        with contextlib.suppress(cx.CStarError):
            assert json.loads(events.sample(event, like=recording))
    saved = folder() / "saved.json"
    recording.save(saved)
    assert recording == cx.Recording.load(saved)


def read_delivery(content: bytes) -> None:
    delivery = cx.delivery(content)
    display(delivery)
    display(delivery.explain(SECRET, now=NOW))
    delivery.to_curl()


def explain(body: bytes, header: str, **more: str) -> None:
    headers = {"X-Signature": header, "X-Event-ID": "evt_1", "Content-Length": "12"} | more
    display(cx.explain(body, headers, [SECRET, f" {SECRET}\n"], NOW))


BODY_ENCODINGS: list[Callable[[bytes], bytes]] = [
    base64.b64encode,
    zlib.compress,
    lambda body: urlencode({"payload": body}).encode(),
    lambda body: json.dumps({"body": body.decode()}).encode(),
    lambda body: repr(body).encode(),
    lambda body: json.dumps(list(body)).encode(),
]


@functools.cache
def signature() -> str:
    return cx.sign(json.dumps(EVENT).encode(), SECRET, NOW)


@functools.cache
def baseline() -> bytes:
    with cx.Sandbox(neglected=True) as sandbox:
        before = set(os.environ)
        sandbox.export_keys()
        content = cx.audit(cx.Accounts(sandbox.accounts())).to_json().encode()
        for name in set(os.environ) - before:
            del os.environ[name]
    return content


@functools.cache
def plan_file() -> bytes:
    _, client, hooks = shared_sandbox()
    path = folder() / "good-plan.json"
    if not path.exists():
        cx.plan(
            client,
            pd.DataFrame(
                [
                    {"id": hooks[0].id, "name": "Renamed"},
                    {"name": "New", "url": "https://example.com/new", "events": "ticket.created"},
                    {"id": hooks[1].id, "delete": True},
                ]
            ),
        ).save(path)
    return path.read_bytes()


@functools.cache
def recording_file() -> bytes:
    shapes = {
        "ticket.created": shape_of(EVENT["data"]),
        "a.b": shape_of({"list": [1, {"at": "2025-12-10"}], "x": None}),
    }
    cx.Recording(ASSUMED, shapes, "2025-12-10").save(folder() / "good-recording.json")
    return (folder() / "good-recording.json").read_bytes()


@functools.cache
def pasted_deliveries() -> list[bytes]:
    """The forms that are text, and those that are JSON after parsing."""
    written = [form(json.dumps(EVENT), signature()) for name, form in FORMS.items() if name in _PASTED]
    return [text.encode() if isinstance(text, str) else json.dumps(text).encode() for text in written]


_PASTED = (
    *("raw", "http2", "har", "ngrok", "requestbin", "webhook_site", "webhook_site_csv"),
    *("aws", "aws_multi_value", "postman", "prompt", "powershell", "fetch"),
)


@functools.cache
def desired_csv() -> bytes:
    hooks = shared_sandbox()[2]
    hooks.to_csv(folder() / "desired.csv")
    added = (
        f"{hooks[0].id},'=Renamed,,\"('ticket.created', 'ticket.closed')\",no,,\n,New,https://example.com/new,*,1,,\n"
    )
    lines = (folder() / "desired.csv").read_text("utf-8").splitlines(keepends=True)
    return "".join([lines[0], *lines[2:], added]).encode()


@dataclass(frozen=True)
class Target:
    """An entry point and valid inputs for it. `form` is their format."""

    call: Callable[[bytes], Any]
    originals: Callable[[], list[bytes]]
    form: str = "json"

    @property
    def splits(self) -> list[tuple[bytes, bytes]]:
        """The originals, each split before a value."""
        marks = (b'": "', b'":"', b'["') if self.form == "json" else (b"= ", b'= "', b",", b"=", b"\n", b"_")
        parts = []
        for original in self.originals():
            indexes = {original.find(mark) + len(mark) for mark in marks if mark in original}
            indexes |= {original.rfind(mark) + len(mark) for mark in marks if mark in original}
            parts += [(original[:index], original[index:]) for index in sorted(indexes)]
        return parts


TARGETS = {
    **{
        f"response to {call}": Target(read_response(call), functools.partial(list, [success_body(data), error_body()]))
        for call, data in {
            "list": [WEBHOOK, WEBHOOK | {"id": "whk_2", "events": "article.*"}],
            "get": WEBHOOK,
            "create": WEBHOOK,
            "delete": {"deleted": True},
            "trigger_test": FIRED,
            "whoami": IDENTITY,
        }.items()
    },
    "signature": Target(
        lambda content: cx.verify(json.dumps(EVENT).encode(), as_text(content), SECRET, now=NOW),
        lambda: [signature().encode(), b"sha256=" + b"0" * 64],
        "text",
    ),
    "signed body": Target(
        lambda content: cx.verify(content, cx.sign(content, SECRET, NOW), SECRET, now=NOW),
        lambda: [json.dumps(EVENT).encode()],
    ),
    "signature, explained": Target(
        lambda content: explain(json.dumps(EVENT).encode(), as_text(content)),
        lambda: [signature().encode(), b"sha256=" + b"0" * 64],
        "text",
    ),
    "other headers, explained": Target(
        lambda content: explain(
            json.dumps(EVENT).encode(),
            "t=1,v1=00",
            **dict.fromkeys(("X-Event-ID", "X-Event-Type", "Content-Length", "Content-Type"), as_text(content)),
        ),
        lambda: [b"evt_1", b"12", b"application/json; charset=utf-8"],
        "text",
    ),
    "pasted headers, explained": Target(
        lambda content: cx.explain(json.dumps(EVENT).encode(), as_text(content), SECRET, NOW),
        lambda: [
            f"Host: a\nX-Signature: {signature()}\n".encode(),
            json.dumps({"headers": {"X-Signature": [signature()]}}).encode(),
        ],
        "text",
    ),
    "secret, explained": Target(
        lambda content: cx.explain(json.dumps(EVENT).encode(), signature(), content, NOW),
        lambda: [f'export SECRET="{SECRET}"\n'.encode(), json.dumps({"secret": SECRET}).encode()],
        "text",
    ),
    "encoded body, explained": Target(
        lambda content: explain(content, signature()),
        lambda: [encode(json.dumps(EVENT).encode()) for encode in BODY_ENCODINGS],
        "text",
    ),
    "body, explained": Target(lambda content: explain(content, signature()), lambda: [json.dumps(EVENT).encode()]),
    "baseline": Target(compare_baseline, lambda: [baseline()]),
    "plan": Target(load_plan, lambda: [plan_file()]),
    "recording": Target(use_recording, lambda: [recording_file()]),
    "delivery": Target(read_delivery, pasted_deliveries, "text"),
    "settings": Target(
        audit_with_settings,
        lambda: [TOML.encode()],
        "text",
    ),
    "accounts": Target(
        lambda content: cx.Accounts(write_file("accounts.csv", content)), lambda: [ACCOUNTS.encode()], "text"
    ),
    "webhook CSV": Target(
        lambda content: make_plan(write_file("desired.csv", content)), lambda: [desired_csv()], "text"
    ),
}

# --- mutations of valid inputs ----------------------------------------------------------------------------------------

TOKENS = [
    b"\0", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\xef\xbb\xbf", b"\xff\xfe", b"\n", b"\r", b"\r\n",
    b"\xe2\x80\xa8", b"\xe2\x80\xae", b"\x85", b"\x1b[2J", b'"', b'""', b"'", b'"""', b"\\", b",", b";", b"\t", b"=", b"==",
    b"[", b"]", b"{", b"}", b"[[", b"[[[]]]", b"{}", b"{{", b":", b".", b"..", b"#", b"%", b"%00", b"/", b"//", b"@", b"*",
    b"-", b"+", b"-1", b"0", b"00", b"1e999", b"-1e999", b"1e-999", b"NaN", b"-Infinity", b"Infinity", b"inf", b"nan",
    b"9" * 19, b"9" * 400, b"9" * 5000, b"-" + b"9" * 400, b"0x", b"1_000", b"0.1", b"null", b"true", b"false", b"None",
    b"[" * 2000, b'{"a":' * 2000, b"[1," * 500, b"(" * 500, b"1979-05-27", b"9999-12-31T23:59:59Z", b"0000-00-00",
    b"0001-01-01T00:00:00+23:59", b"2025-02-30", b"24:00:60", b"http://", b"https://[", b"https://[::1", b"https://a:99999/",
    b"https://xn--/", b"https://xn--a-\xc3\xa9/", b"https://1.2.3.4.5/", b"https://0x7f.1/", b"https://user:pw@h/?key=1",
    b"\xc2\xad", b"\xd9\xa1", b"\xe2\x91\xa0", b"\xef\xbc\x9d", b"\xf0\x9f\x98\x80", b"\xcc\x81" * 50, b"\xe2\x80\xa2" * 4,
    b"whsec_", b"sk_live_abcdefghijkl", b"team_1", b"events", b"secret", b"delete", b"id", b"v1=", b"t=", b"sha256=",
]  # fmt: skip


def _flip(content: bytes, at: int, length: int, _: bytes) -> bytes:
    return content[:at] + bytes(byte ^ (1 + length % 255) for byte in content[at : at + 1]) + content[at + 1 :]


MUTATIONS: list[Callable[[bytes, int, int, bytes], bytes]] = [
    _flip,
    lambda content, at, _length, _token: content[:at],
    lambda content, at, _length, _token: content[at:],
    lambda content, at, length, _token: content[:at] + content[at + length :],
    lambda content, at, length, _token: content[: at + length] + content[at:],
    lambda content, at, length, _token: content[:at] + content[at : at + length] * 50 + content[at + length :],
    lambda content, at, _length, token: content[:at] + token + content[at:],
    lambda content, at, length, token: content[:at] + token + content[at + length :],
    lambda content, at, length, token: content[:at] + token * (length % 9) + content[at:],
    lambda content, at, length, _token: content[at : at + length] + content[:at] + content[at + length :],
    lambda content, _at, _length, _token: content + content,
]


def mutated(originals: Callable[[], list[bytes]]) -> st.SearchStrategy[bytes]:
    """One of the originals after one to five mutations."""

    def after(number: int, mutations: list[tuple[Any, float, int, bytes]]) -> bytes:
        content = originals()[number % len(originals())]
        for mutation, at, length, token in mutations:
            content = mutation(content, int(at * len(content)), length, token)[:200_000]
        return content

    mutations = st.tuples(
        st.sampled_from(MUTATIONS), st.floats(0, 1), st.integers(0, 80), st.sampled_from(TOKENS) | st.binary(max_size=6)
    )
    return st.builds(after, st.integers(0, 12), st.lists(mutations, min_size=1, max_size=5))


TEXTS = st.text(max_size=12) | st.sampled_from([token.decode("utf-8", "surrogateescape") for token in TOKENS])
NUMBERS = (
    st.integers()
    | st.floats()
    | st.sampled_from([10**400, -(10**19), 2**63, 2**64, 0, -1, 1e308, 253402300800, 10**15, 10**18])
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def _positions(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _positions(value[key])


def mutated_json(originals: Callable[[], list[bytes]]) -> st.SearchStrategy[bytes]:
    """One of the originals, still valid JSON, with values or keys replaced, removed or repeated."""

    def after(number: int, changes: list[tuple[str, float, Any]], ascii_only: bool) -> bytes:
        value = json.loads(originals()[number % len(originals())])
        for action, at, new in changes:
            positions = list(_positions(value))
            if not positions:
                break
            container, key = positions[min(int(at * len(positions)), len(positions) - 1)]
            match action:
                case "replace":
                    container[key] = new
                case "drop":
                    del container[key]
                case "rename" if isinstance(container, dict):
                    container[str(new)] = container.pop(key)
                case "double" if isinstance(container, list):
                    container.insert(key, container[key])
                case _:
                    container[key] = [container[key]] * 3
        return json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    changes = st.tuples(
        st.sampled_from(["replace", "replace", "drop", "rename", "double", "wrap"]), st.floats(0, 1), JSON_VALUES
    )
    return st.builds(after, st.integers(0, 7), st.lists(changes, min_size=1, max_size=5), st.booleans())


@functools.cache
def contents(name: str) -> st.SearchStrategy[bytes]:
    target = TARGETS[name]
    noise = st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    return (
        mutated(target.originals) | noise | (mutated_json(target.originals) if target.form == "json" else st.nothing())
    )


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_is_read_or_rejected(name: str) -> None:
    """Flipped, truncated, repeated, nested or replaced: only a CStarError may be raised."""

    @FUZZ
    @given(contents(name))
    def run(content: bytes) -> None:
        check(TARGETS[name].call, content)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_valid_input_is_read(name: str) -> None:
    """So that the mutations start from input that a target accepts."""
    outcomes = [check(TARGETS[name].call, original) for original in TARGETS[name].originals()]
    assert not isinstance(outcomes[0], cx.CStarError)


# --- large inputs -----------------------------------------------------------------------------------------------------

REPEATED = {
    "letters": b"a",
    "digits": b"9",
    "quotes": b'"',
    "backslashes": b"\\",
    "brackets": b"[",
    "objects": b'{"a":',
    "empty objects": b"{},",
    "columns": b",",
    "spaces": b" ",
    "newlines": b"\n",
    "zeros": b"\0",
    "ampersands": b"&",
    "umlauts": "ü".encode(),
    "escapes": b"\\u0000",
    "invalid UTF-8": b"\xff",
    "dots": b"a.",
    "schemes": b"http://",
    "signatures": b"v1=00,",
    "tables": b"[[a]]\n",
    "rows": b"a,b\n",
}


def repeated(token: str, size: int) -> bytes:
    return REPEATED[token] * (size // len(REPEATED[token]))


T = TypeVar("T")


def pairs_of(firsts: Iterable[T], tokens: Iterable[str], count: int, *, name: str) -> list[tuple[T, str]]:
    """Each of the first with this many of the tokens, which are used equally often, or with all of them at night."""
    if NIGHTLY:
        return list(itertools.product(firsts, tokens))
    shuffled = list(tokens)
    random.Random(f"{SEED} {name}").shuffle(shuffled)
    endless = itertools.cycle(shuffled)
    return [(first, token) for first in firsts for token in itertools.islice(endless, count)]


@pytest.mark.parametrize(("name", "token"), pairs_of(TARGETS, REPEATED, 1, name="repetition"))
def test_repetition_takes_linear_time(name: str, token: str) -> None:
    """Alone, after valid input, and in place of a value."""
    large = repeated(token, 100_000)
    splits = TARGETS[name].splits
    before, after = splits[len(token) % len(splits)]
    for content in (large, before + after + large, before + large + after):
        check(TARGETS[name].call, content)


@pytest.mark.parametrize("name", TARGETS)
def test_line_of_a_megabyte_is_read_or_rejected(name: str) -> None:
    """In place of a value of a few characters."""
    before, after = TARGETS[name].splits[0]
    check(TARGETS[name].call, before + repeated("letters", 1_000_000) + after)


@pytest.mark.parametrize(
    ("name", "token"), pairs_of(TARGETS, ["letters", "empty objects", "columns", "rows"], 1, name="memory")
)
def test_memory_is_limited_by_the_input_size(name: str, token: str) -> None:
    """Whatever the input could expand to."""
    before, after = TARGETS[name].splits[0]
    content = before + repeated(token, 20_000) + after
    check(TARGETS[name].call, content)
    tracemalloc.start()
    try:
        TARGETS[name].call(content)
    except cx.CStarError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < BYTES + BYTES_PER_BYTE * len(content)


REGRESSIONS = [
    pytest.param("settings", b"[thresholds]\ninactive_days = " + b"9" * 4301, id="number of 4,301 digits"),
    pytest.param("settings", b"a." * 150_000, id="key of 150,000 parts"),
    pytest.param("body, explained", b'{"id":"' + b"&" * 100_000 + b'"}', id="body of ampersands"),
    pytest.param("accounts", b"account" + b"," * 100_000, id="table of 100,000 columns"),
    pytest.param("webhook CSV", b"id" + b"," * 100_000, id="webhooks of 100,000 columns"),
    pytest.param("body, explained", b'{"id":"' + b"<" * 100_000 + b'"}', id="body of angle brackets"),
]


@pytest.mark.parametrize(("name", "content"), REGRESSIONS)
def test_former_failures_are_read_or_rejected(name: str, content: bytes) -> None:
    """Each of these once raised another exception or exceeded the time limit."""
    check(TARGETS[name].call, content)


# --- objects: items, cells, settings ----------------------------------------------------------------------------------

FIELDS = st.sampled_from([
    "id", "name", "url", "events", "isActive", "is_active", "createdAt", "created_at", "created_at_raw", "updatedAt",
    "secret", "signingSecret", "event", "eventId", "test", "deliveredTo", "deliveries", "deliveryId", "success", "status",
    "responseTimeMs", "error", "extra", "teamId", "index", "",
])  # fmt: skip
TIMES = st.sampled_from([
    "2025-12-10T14:30:00", "2025-12-10 14:30:00.5", "9999-12-31T23:59:59", "0001-01-01T00:00:00",
    "2025-12-10T14:30:00Z", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+14:00", "2025-12-10T14:30:60Z",
    "+010000-01-01T00:00:00Z", "2025-02-30", "1765377000", "2025-W50-3", "now", "NaT", "2025-12-10 14:30 UTC+1",
    "2025-12-10T14:30:00.123456789012Z", "0000-00-00T00:00:00Z", "-0001-01-01", "9" * 400,
])  # fmt: skip
URLS = st.sampled_from([token.decode("utf-8", "surrogateescape") for token in TOKENS if b"://" in token]) | st.builds(
    "https://{}{}{}".format, TEXTS, TEXTS, TEXTS
)
ITEMS = st.dictionaries(FIELDS | TEXTS, JSON_VALUES | TIMES | URLS | st.lists(TEXTS, max_size=3), max_size=9)


@FUZZ
@given(st.lists(ITEMS, max_size=4))
@example([{"id": "whk_1", "created_at": 10**400}])
def test_any_items_give_a_frame(items: list[dict[str, Any]]) -> None:
    """Whatever cStar may send."""
    check(models.WebhookList, items, 2_000)
    for item in items:
        check(models.Webhook.from_item, item, 2_000)
        check(models.FiredEvent.from_item, item | {"deliveries": items}, 2_000)


@FUZZ
@given(
    st.lists(
        ITEMS.map(lambda item: {"id": "whk_1", "name": "One", "events": ["*"], "isActive": True} | item), max_size=4
    )
)
def test_any_webhooks_can_be_audited(items: list[dict[str, Any]]) -> None:
    """With any hosts, names, times and events."""
    check(audit_items, items, 5_000)


@settings(FUZZ, max_examples=max(3, FUZZ.max_examples // 10))
@given(st.lists(ITEMS.map(lambda item: WEBHOOK | item), max_size=3))
def test_any_webhooks_give_an_html_report(items: list[dict[str, Any]]) -> None:
    """Including charts."""
    report = cx.audit(models.WebhookList(items), now=dt.datetime(2025, 12, 10, tzinfo=dt.UTC)).to_html()
    assert report.encode().startswith(b"<!")


@pytest.mark.parametrize(
    ("field", "token"), pairs_of(["id", "name", "url", "events", "createdAt"], REPEATED, 4, name="long fields")
)
def test_webhook_with_a_long_field_is_audited(field: str, token: str) -> None:
    """In time linear in its length."""
    text = "https://" * (field == "url") + as_text(repeated(token, 50_000))
    check(audit_items, [WEBHOOK | {field: [text] if field == "events" else text}], 50_000)


CELLS = (
    JSON_VALUES
    | TIMES
    | URLS
    | st.binary(max_size=6)
    | st.sampled_from([
        np.nan, pd.NA, pd.NaT, None, math.inf, np.int64(1), np.bool_(True), np.float32("nan"), np.datetime64("NaT", "s"),
        decimal.Decimal("sNaN"), decimal.Decimal("1e9999"), dt.date(2025, 1, 1), pd.Timestamp.max, pd.Timedelta(1), object, b"",
        ("ticket.created",), {"ticket.created"}, np.array(["ticket.created", "*"]), pd.Series(["*"]), range(3), 1j, "True", "no",
        "('ticket.created', 'ticket.closed')", "(" * 500, "['a'" * 200, "__import__('os')", "ticket.created,,*", "\u2022" * 4,
    ])
)  # fmt: skip
COLUMNS = st.sampled_from(["id", "name", "url", "events", "is_active", "delete", "team_id", "account", "because"])


def _with_ids(rows: list[dict[str, Any]], existing: bool) -> list[dict[str, Any]]:
    hooks = shared_sandbox()[2]
    return [row | {"id": hooks[number].id} for number, row in enumerate(rows)] if existing else rows


@FUZZ
@given(st.lists(st.dictionaries(COLUMNS, CELLS, max_size=7), max_size=3), st.booleans())
def test_any_desired_frame_gives_a_plan_or_is_rejected(rows: list[dict[str, Any]], existing: bool) -> None:
    """With cells of any type, for existing webhooks or not."""
    table = _with_ids(rows, existing)
    columns = sorted({column for row in table for column in row})
    cells = {column: pd.Series([row.get(column) for row in table], dtype=object) for column in columns}
    frame = pd.DataFrame(cells, index=range(len(table)), columns=columns)
    check(make_plan, frame, 5_000)


@FUZZ
@given(
    st.lists(COLUMNS | st.sampled_from(["secret", "ID", "evnts", ""]) | TEXTS, max_size=8),
    st.lists(st.lists(TEXTS | TIMES | URLS, max_size=9), max_size=4),
    st.sampled_from([",", ";", "\t"]),
)
def test_any_webhook_csv_gives_a_plan_or_is_rejected(header: list[str], rows: list[list[str]], mark: str) -> None:
    """With any cells and columns, including duplicate columns."""
    sheet = io.StringIO()
    csv.writer(sheet, delimiter=mark, escapechar="\\").writerows([header, *rows])
    check(make_plan, write_file("any.csv", sheet.getvalue().encode("utf-8", "surrogatepass")), 5_000)


@FUZZ
@example([{"account": decimal.Decimal("sNaN")}])
@given(
    st.lists(st.dictionaries(st.sampled_from(["account", "team_id", "key_env", "base_url"]) | TEXTS, CELLS), max_size=3)
)
def test_any_frame_of_accounts_is_read_or_rejected(rows: list[dict[str, Any]]) -> None:
    """With cells of any type."""
    base = {"account": "One", "team_id": "team_1", "key_env": "KEY"}
    for number, row in enumerate(rows):
        check(cx.Accounts, pd.DataFrame([base | row, base | {"account": f"Other {number}"}], dtype=object), 5_000)


TOML_VALUES = st.sampled_from([
    "0", "-1", "1", "9223372036854775808", "9" * 400, "9" * 4301, "0x" + "f" * 4000, "1e400", "-inf", "nan", "+nan", "true", "''",
    "[]", "[[]]", "[443, '443']", "[1e3]", "[-1]", "[99999999999999999999]", "['']", "['*']", "['*.*']", "['\\']", "{}", "{a = 1}",
    "2026-01-01", "0001-01-01", "9999-12-31", "2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    "07:32:00", "'2026-01-01'", "'whk_1'", "'plain_http'", '"\\u0000"', '"\\U0001F600"', "'\u202e'", "'" + "a" * 999 + "'", "[" * 200,
])  # fmt: skip
THRESHOLDS = [
    "everything",
    "inactive_days",
    "secret_days",
    "ports",
    "teams_per_host",
    "shared_hosts",
    "expected_events",
]
IGNORES = ["rule", "webhook", "account", "host", "reason", "until"]


@FUZZ
@given(
    st.dictionaries(st.sampled_from(THRESHOLDS), TOML_VALUES, max_size=3),
    st.lists(st.dictionaries(st.sampled_from(IGNORES), TOML_VALUES, max_size=3), max_size=2),
)
def test_settings_with_any_values_are_read_or_rejected(
    thresholds: dict[str, str], ignores: list[dict[str, str]]
) -> None:
    """Extreme dates, huge numbers, other types."""
    lines = ["[thresholds]", *(f"{name} = {value}" for name, value in thresholds.items())]
    for ignore in ignores:
        defaults = {"rule": "'wildcard'", "webhook": "'whk_1'", "reason": "'known'"}
        lines += ["[[ignore]]", *(f"{name} = {value}" for name, value in (defaults | ignore).items())]
    check(audit_with_settings, "\n".join(lines).encode())


# --- header containers, and times without a zone ----------------------------------------------------------------------

HEADER_NAMES = (
    st.sampled_from(["X-Signature", "x-signature", "HTTP_X_SIGNATURE", "headers", "name", "value", ""]) | TEXTS
)
HEADER_VALUES = st.sampled_from(["SIGNED"]) | JSON_VALUES | CELLS
CONTAINERS: list[Callable[[list[tuple[Any, Any]]], Any]] = [
    lambda pairs: {str(name): value for name, value in pairs},
    lambda pairs: {str(name): [value] for name, value in pairs},
    lambda pairs: {
        str(name).encode("utf-8", "replace"): str(value).encode("utf-8", "replace") for name, value in pairs
    },
    lambda pairs: pairs,
    lambda pairs: [part for pair in pairs for part in pair],
    lambda pairs: [{"name": name, "value": value} for name, value in pairs],
    lambda pairs: {"headers": [[name, value] for name, value in pairs]},
    lambda pairs: {"type": "http", "headers": [(str(name).encode("utf-8", "replace"), value) for name, value in pairs]},
    lambda pairs: [f"{name}: {value}" for name, value in pairs],
    iter,
    lambda pairs: pd.Series([value for _, value in pairs], [str(name) for name, _ in pairs], dtype=object),
    lambda pairs: pd.DataFrame(pairs, dtype=object),
]
CLOCKS = (
    st.sampled_from(
        [NOW, dt.datetime.fromtimestamp(NOW, dt.UTC), dt.datetime.fromtimestamp(NOW, dt.UTC).replace(tzinfo=None)]
    )
    | TIMES.map(lambda text: pd.to_datetime(text, errors="coerce"))
    | st.datetimes()
    | NUMBERS
    | CELLS
)


@FUZZ
@given(st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=4), st.sampled_from(CONTAINERS), CLOCKS)
def test_headers_in_any_container_are_read_or_rejected(
    pairs: list[tuple[Any, Any]], container: Callable[..., Any], now: Any
) -> None:
    """At any time, with a zone or without. A delivery that `verify` accepts is one that `explain` calls verified."""
    body = json.dumps(EVENT).encode()
    named = [(name, signature() if isinstance(value, str) and value == "SIGNED" else value) for name, value in pairs]
    event = check(lambda _: cx.verify(body, container(named), SECRET, now=now), b"", 2_000)
    explained = check(lambda _: cx.explain(body, container(named), SECRET, now), b"", 2_000)
    if not isinstance(explained, cx.CStarError):
        assert explained.ok == (event == EVENT)
    if isinstance(now, dt.datetime) and now.tzinfo is None:
        assert isinstance(event, cx.CStarError)


# --- HTTP requests over a socket --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def listener() -> Iterator[cx.Listener]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("cstar_explore.serving.bodies.BODY_TIMEOUT", 0.5)
        monkeypatch.setattr("cstar_explore.serving.bodies.MAX_BODY", 100_000)
        with cx.Listener([SECRET]) as listener:
            yield listener


def request(listener: cx.Listener, body: bytes, *lines: bytes) -> bytes:
    parts = urlsplit(listener.url)
    first = [b"POST " + parts.path.encode() + b" HTTP/1.1", b"Host: " + parts.netloc.encode(), b"Connection: close"]
    return b"\r\n".join([*first, *lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def send_raw(listener: cx.Listener, content: bytes) -> bytes:
    """Sends raw bytes. Returns everything received until the listener closes the connection."""
    parts = urlsplit(listener.url)
    response = b""
    with (
        socket.create_connection((str(parts.hostname), parts.port or 0), timeout=5) as connection,
        contextlib.suppress(ConnectionError),
    ):
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        while chunk := connection.recv(65536):
            response += chunk
    return response


def signed_request(listener: cx.Listener, body: bytes) -> bytes:
    return request(listener, body, b"Content-Type: application/json", b"X-Signature: " + cx.sign(body, SECRET).encode())


MUTATION_LISTS = st.lists(
    st.tuples(
        st.sampled_from(MUTATIONS), st.floats(0, 1), st.integers(0, 80), st.sampled_from(TOKENS) | st.binary(max_size=6)
    ),
    max_size=4,
)


@FUZZ
@given(MUTATION_LISTS)
def test_any_request_is_answered_or_disconnected_and_the_next_one_served(
    listener: cx.Listener, mutations: list[Any]
) -> None:
    """With any head and body. A stored request can be displayed and explained."""
    content = signed_request(listener, json.dumps(EVENT).encode())
    for mutation, at, length, token in mutations:
        content = mutation(content, int(at * len(content)), length, token)[:50_000]
    response = send_raw(listener, content)
    assert response == b"" or response.startswith(b"HTTP/1.1 ")
    assert response[9:12] not in {b"500", b"502"}
    if stored := listener.requests(newest=1):
        check(listener.explain, stored[-1].id, 2_000)
        check(lambda _: listener.to_frame().tail(1), b"", 50_000)
    assert b" 200 " in send_raw(listener, signed_request(listener, json.dumps(EVENT).encode()))[:20]


@FUZZ
@given(mutated(lambda: [json.dumps(EVENT).encode()]) | mutated_json(lambda: [json.dumps(EVENT).encode()]))
def test_any_body_is_stored_exactly(listener: cx.Listener, body: bytes) -> None:
    """With or without a valid signature. It can be displayed and explained."""
    body = body[:90_000]
    for content in (signed_request(listener, body), request(listener, body, b"X-Signature: t=1,v1=00")):
        response = send_raw(listener, content)
        assert response[9:12] in {b"200", b"400", b"401", b"422"}
        stored = listener.requests(newest=1)[-1]
        assert body == stored.body
        assert int(response[9:12]) == stored.answered
        check(listener.explain, stored.id, len(body))
