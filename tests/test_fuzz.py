"""Whatever comes from outside is read, or refused with an error of ours: soon, and in little memory.

Every way in is a door: bytes (or objects) go in, what comes out is shown in every way that a person would look at it.
`FUZZ_EXAMPLES=5000 pytest tests/test_fuzz.py` tries more of each.
"""

import contextlib
import csv
import datetime as dt
import decimal
import functools
import io
import json
import math
import os
import signal
import socket
import tempfile
import threading
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import events, models, signing, wire

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"
SECRET = "whsec_kept_by_the_tests"
NOW = 1_765_377_000
HOST = "https://www.cstar.help"
OURS = (events.UnknownEventWarning, signing.LegacySignatureWarning)
FOLDER = tempfile.TemporaryDirectory(prefix="fuzz-")
AT_ONCE_MOST = 8

# --- what one input may cost ------------------------------------------------------------------------------------------

SECONDS = 1.0
SECONDS_PER_BYTE = 2e-5
"""Of processor time, so that it is the same on a busy machine: twenty seconds for a megabyte, far above what is needed,
and far below anything that grows with the square."""
BYTES = 32_000_000
BYTES_PER_BYTE = 1_000


class TookTooLongError(BaseException):
    """Not an Exception: nothing that is tested can take it for one of its own."""


def _out_of_time(*_: object) -> None:
    raise TookTooLongError


@contextlib.contextmanager
def bounded(size: int) -> Iterator[None]:
    """Ends whatever takes more processor time than an input of this size may."""
    before = signal.signal(signal.SIGPROF, _out_of_time)
    signal.setitimer(signal.ITIMER_PROF, SECONDS + SECONDS_PER_BYTE * size)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def shown(outcome: Any) -> None:
    """In every way in which a person may look at it."""
    assert repr(outcome).encode()
    for name in ("to_frame", "subscriptions", "to_json", "to_html", "summary", "counts", "_repr_html_"):
        if method := getattr(outcome, name, None):
            told = method()
            assert told is not None
            assert not isinstance(told, str) or isinstance(told.encode(), bytes)


def passes(door: Callable[[Any], Any], content: Any, size: int | None = None) -> Any:
    """What comes of it; our own error is fine, anything else is not."""
    with bounded(len(content) if size is None else size), warnings.catch_warnings():
        for warning in OURS:
            warnings.simplefilter("ignore", warning)
        try:
            outcome = door(content)
            shown(outcome)
        except cx.CStarError as error:
            told = f"{error} {error!r} {error.advice}"
            assert told.encode()
            assert len(told) < 20_000
            return error
        return outcome


# --- the doors --------------------------------------------------------------------------------------------------------

CALLS = wire.WebhookRequests(HOST, "team_1", cx.Secret(KEY))
REQUESTS = {
    "list": CALLS.list(),
    "get": CALLS.get("whk_1"),
    "create": CALLS.create(name="One", url="https://example.com/1", events="ticket.created"),
    "update": CALLS.update("whk_1", name="Two"),
    "delete": CALLS.delete("whk_1"),
    "trigger_test": CALLS.trigger_test("ticket.created"),
    "whoami": wire.whoami(HOST, cx.Secret(KEY)),
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
REFUSAL = {
    "type": "validation_error",
    "code": "PARAMETER_INVALID",
    "message": "That cannot be.",
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


def good(data: Any) -> bytes:
    return json.dumps({"success": True, "data": data, "meta": META}).encode()


def bad(**more: Any) -> bytes:
    return json.dumps({"success": False, "error": REFUSAL | more, "meta": META}).encode()


def text_of(content: bytes) -> str:
    """As headers and names come: with surrogates where it was no UTF-8."""
    return content.decode("utf-8", "surrogateescape")


@functools.cache
def world() -> tuple[cx.Sandbox, cx.Client, models.WebhookList]:
    """One sandbox for the whole file; only plans and lists are read from it."""
    box = cx.Sandbox()
    client = box.client()
    return box, client, client.webhooks.list()


@functools.cache
def folder() -> Path:
    return Path(FOLDER.name)


def written(name: str, content: bytes) -> Path:
    path = folder() / name
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module", autouse=True)
def _world_ends() -> Iterator[None]:
    yield
    box, client, _ = world()
    client.close()
    box.close()
    world.cache_clear()
    FOLDER.cleanup()


def read(call: str, statuses: tuple[int, ...] = (200, 201, 404, 429, 503)) -> Callable[[bytes], None]:
    def door(content: bytes) -> None:
        for status in statuses:
            headers = {"content-type": "application/json", "retry-after": text_of(content[:200])}
            passes(lambda answer: wire.read(REQUESTS[call], answer), wire.Answer(status, headers, content), len(content))

    return door


def planned(path: Any) -> None:
    plan = cx.plan(world()[1], path)
    shown(plan)
    shown(plan.invert())


def loaded(content: bytes) -> None:
    plan = cx.Plan.load(world()[1], written("plan.json", content))
    assert len(plan) == len(plan.invert())
    shown(plan)
    shown(plan.invert())


def compared(content: bytes) -> None:
    one, other = written("before.json", content), written("after.json", baseline())
    shown(cx.compare(one, one))
    shown(cx.compare(one, other))
    shown(cx.compare(other, one, by="name"))


def audited(content: bytes) -> cx.Audit:
    return cx.audit(world()[2], settings=written("settings.toml", content))


def audit_of(items: list[dict[str, Any]]) -> None:
    audit = cx.audit(models.WebhookList(items), now=dt.datetime(2025, 12, 10, tzinfo=dt.UTC))
    shown(audit)
    passes(lambda _: audit.fix(), b"")


def explained(body: bytes, header: str, **more: str) -> None:
    headers = {"X-Signature": header, "X-Event-ID": "evt_1", "Content-Length": "12"} | more
    for held in (SECRET, [SECRET, f" {SECRET}\n", b"\xff"]):
        passes(lambda _, held=held: cx.explain(body, headers, held, NOW), b"", len(body) + len(header) + 1000)


@functools.cache
def signature() -> str:
    return cx.sign(json.dumps(EVENT).encode(), SECRET, NOW)


@functools.cache
def baseline() -> bytes:
    with cx.Sandbox(neglected=True) as box, pytest.MonkeyPatch.context() as patch:
        table = box.accounts()
        before = dict(os.environ)
        box.export_keys()
        for name in set(os.environ) - set(before):
            patch.delenv(name)
            patch.setenv(name, "")
        box.export_keys()
        content = cx.audit(cx.Accounts(table)).to_json().encode()
        for name in set(os.environ) - set(before):
            del os.environ[name]
    return content


@functools.cache
def plan_file() -> bytes:
    _, client, hooks = world()
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
def desired() -> bytes:
    hooks = world()[2]
    hooks.to_csv(folder() / "desired.csv")
    more = f"{hooks[0].id},'=Renamed,,\"('ticket.created', 'ticket.closed')\",no,,\n,New,https://example.com/new,*,1,,\n"
    return (folder() / "desired.csv").read_bytes() + more.encode()


@dataclass(frozen=True)
class Door:
    """A way in, with what may come through it. `form` says in which form it is written."""

    enter: Callable[[bytes], Any]
    originals: Callable[[], list[bytes]]
    form: str = "json"
    known: list[bytes] = field(default_factory=list)

    @property
    def places(self) -> list[tuple[bytes, bytes]]:
        """The originals, split where a value begins."""
        marks = (b'": "', b'":"', b": [", b'["', b"= ", b'= "', b",", b"=", b"\n")
        found = []
        for original in self.originals():
            spots = {original.find(mark) + len(mark) for mark in marks if mark in original}
            spots |= {original.rfind(mark) + len(mark) for mark in marks if mark in original}
            found += [(original[:spot], original[spot:]) for spot in sorted(spots)]
        return found


DOORS = {
    **{
        f"the answer to {call}": Door(read(call), functools.partial(list, [good(data), bad()]))
        for call, data in {
            "list": [WEBHOOK, WEBHOOK | {"id": "whk_2", "events": "article.*"}],
            "get": WEBHOOK,
            "create": WEBHOOK,
            "update": WEBHOOK,
            "delete": {"deleted": True},
            "trigger_test": FIRED,
            "whoami": IDENTITY,
        }.items()
    },
    "a signature": Door(
        lambda content: cx.verify(json.dumps(EVENT).encode(), text_of(content), SECRET, now=NOW, legacy=True),
        lambda: [signature().encode(), b"sha256=" + b"0" * 64],
        "text",
    ),
    "a signed body": Door(
        lambda content: cx.verify(content, cx.sign(content, SECRET, NOW), SECRET, now=NOW),
        lambda: [json.dumps(EVENT).encode()],
    ),
    "a signature, explained": Door(
        lambda content: explained(json.dumps(EVENT).encode(), text_of(content)),
        lambda: [signature().encode(), b"sha256=" + b"0" * 64],
        "text",
    ),
    "other headers, explained": Door(
        lambda content: explained(
            json.dumps(EVENT).encode(),
            "t=1,v1=00",
            **dict.fromkeys(("X-Event-ID", "X-Event-Type", "Content-Length", "Content-Type"), text_of(content)),
        ),
        lambda: [b"evt_1", b"12", b"application/json; charset=utf-8"],
        "text",
    ),
    "a body, explained": Door(lambda content: explained(content, signature()), lambda: [json.dumps(EVENT).encode()]),
    "a baseline": Door(compared, lambda: [baseline()]),
    "a plan": Door(loaded, lambda: [plan_file()]),
    "settings": Door(
        audited,
        lambda: [TOML.encode()],
        "text",
        known=[b"[thresholds]\ninactive_days = " + b"9" * 4301, b"x = 0x" + b"f" * 5000],
    ),
    "accounts": Door(
        lambda content: cx.Accounts(written("accounts.csv", content)), lambda: [ACCOUNTS.encode()], "text"
    ),
    "a CSV of webhooks": Door(
        lambda content: planned(written("desired.csv", content)), lambda: [desired()], "text"
    ),
}

# --- mutations of what is right ---------------------------------------------------------------------------------------

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
    """One of the originals, after a few accidents."""

    def after(number: int, accidents: list[tuple[Any, float, int, bytes]]) -> bytes:
        content = originals()[number % len(originals())]
        for mutation, at, length, token in accidents:
            content = mutation(content, int(at * len(content)), length, token)[:200_000]
        return content

    accidents = st.tuples(
        st.sampled_from(MUTATIONS), st.floats(0, 1), st.integers(0, 80), st.sampled_from(TOKENS) | st.binary(max_size=6)
    )
    return st.builds(after, st.integers(0, 7), st.lists(accidents, min_size=1, max_size=5))


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


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def bent(originals: Callable[[], list[bytes]]) -> st.SearchStrategy[bytes]:
    """One of the originals, still JSON, with other values, other keys, or less or more of them, in some places."""

    def after(number: int, changes: list[tuple[str, float, Any]], ascii_only: bool) -> bytes:
        value = json.loads(originals()[number % len(originals())])
        for what, at, new in changes:
            places = list(_places(value))
            if not places:
                break
            container, key = places[min(int(at * len(places)), len(places) - 1)]
            match what:
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
    door = DOORS[name]
    noise = st.binary(max_size=200) | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    return mutated(door.originals) | noise | (bent(door.originals) if door.form == "json" else st.nothing())


@pytest.mark.parametrize("name", DOORS)
def test_what_was_mutated_is_read_or_refused(name: str) -> None:
    """Flipped, cut, doubled, nested, replaced: nothing but our own errors comes out."""

    @FUZZ
    @given(contents(name))
    def fuzzed(content: bytes) -> None:
        passes(DOORS[name].enter, content)

    fuzzed()


@pytest.mark.parametrize("name", DOORS)
def test_what_was_right_passes(name: str) -> None:
    """So that the mutations begin inside, and not before the door."""
    outcomes = [passes(DOORS[name].enter, original) for original in DOORS[name].originals()]
    assert not isinstance(outcomes[0], cx.CStarError)


# --- inputs that are large --------------------------------------------------------------------------------------------

LARGE = 1_000_000
REPEATED = {
    "letters": b"a",
    "digits": b"9",
    "quotes": b'"',
    "backslashes": b"\\",
    "brackets": b"[",
    "objects": b'{"a":',
    "empty objects": b"{},",
    "commas": b",",
    "spaces": b" ",
    "newlines": b"\n",
    "zeros": b"\0",
    "ampersands": b"&",
    "umlauts": "ü".encode(),
    "escapes": b"\\u0000",
    "no UTF-8": b"\xff",
    "points": b"a.",
    "schemes": b"http://",
    "signatures": b"v1=00,",
    "tables": b"[[a]]\n",
    "rows": b"a,b\n",
}


@pytest.mark.parametrize("token", REPEATED)
@pytest.mark.parametrize("name", DOORS)
def test_a_megabyte_of_one_thing_costs_no_more_than_its_size(name: str, token: str) -> None:
    """By itself, behind what is right, and in place of a value: nothing grows with the square of its length."""
    large = REPEATED[token] * (LARGE // len(REPEATED[token]))
    door = DOORS[name]
    passes(door.enter, large)
    places = door.places
    before, after = places[sum(token.encode()) % len(places)]
    passes(door.enter, before + large + after)


@pytest.mark.parametrize("token", ["letters", "empty objects", "commas", "brackets", "umlauts", "rows"])
@pytest.mark.parametrize("name", DOORS)
def test_memory_is_bounded_by_the_size(name: str, token: str) -> None:
    """However much could be made of it."""
    large = REPEATED[token] * (50_000 // len(REPEATED[token]))
    before, after = DOORS[name].places[0]
    for content in (large, before + large + after):
        tracemalloc.start()
        try:
            DOORS[name].enter(content)
        except cx.CStarError:
            pass
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < BYTES + BYTES_PER_BYTE * len(content)


@pytest.mark.parametrize(
    ("name", "content"), [pytest.param(name, known, id=f"{name} {number}") for name, door in DOORS.items() for number, known in enumerate(door.known)]
)
def test_what_once_broke_it_is_read_or_refused(name: str, content: bytes) -> None:
    """Each of these came out as another error, or not at all."""
    passes(DOORS[name].enter, content)
