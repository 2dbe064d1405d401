"""Fetching many teams: only necessary requests, bounded concurrency, and every failure reported."""

import asyncio
import contextlib
import datetime as dt
import gc
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, Self

import distributed
import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.audits import fetching
from tests.support.sampling import NIGHTLY

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)
KEY = "sk_live_" + "A1b2C3d4E5f6G7h8"
EVENTS = ("ticket.created", "ticket.closed", "customer.created", "article.published", "survey.submitted")


def key_of(number: int) -> str:
    return f"{KEY}{number:08d}"


def team_of(number: int) -> str:
    return f"team_{number:04d}"


def webhooks_of(number: int, count: int = 20) -> list[dict[str, Any]]:
    """Webhooks as in the list, without updatedAt. The first has an http URL, so each team has a finding."""
    return [
        {
            "id": f"whk_{number:04d}_{index:02d}",
            "name": f"Webhook {index} of {number}",
            "url": f"http{'' if index == 0 else 's'}://hook-{index}.team-{number}.example/cstar",
            "events": [EVENTS[index % len(EVENTS)]],
            "isActive": True,
            "createdAt": f"2025-1{index % 2}-0{1 + index % 9}T10:00:00Z",
        }
        for index in range(count)
    ]


def http_response(
    code: int, content: bytes, *, kind: str = "application/json", declared: int | None = None, **headers: str
) -> bytes:
    lines = [f"HTTP/1.1 {code} Reason", "Date: Wed, 10 Dec 2025 14:30:00 GMT", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(content) if declared is None else declared}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def data_response(value: Any, **headers: str) -> bytes:
    meta = {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}
    return http_response(200, json.dumps({"success": True, "data": value, "meta": meta}).encode(), **headers)


def error_response(code: int, **headers: str) -> bytes:
    error = {"type": "api_error", "code": "test", "message": f"Failed with {code}", "request_id": "req_1"}
    return http_response(code, json.dumps({"success": False, "error": error}).encode(), **headers)


NO_RESPONSE = b""
"""Sends nothing and keeps the connection open."""

BROKEN_RESPONSES: dict[str, bytes] = {
    "401": error_response(401),
    "403": error_response(403),
    "404": error_response(404),
    "500": error_response(500),
    "502 HTML": http_response(502, b"<html><h1>Bad gateway</h1>", kind="text/html"),
    "HTML": http_response(200, b"<!doctype html><title>Sign in</title>", kind="text/html"),
    "truncated": http_response(200, b'{"success": true, "data": [{"id": "whk_1"', declared=4000),
    "incomplete JSON": http_response(200, b'{"success": true, "data": [{"id": "whk_1"'),
    "redirect": http_response(302, b"", Location="https://elsewhere.example/"),
    "not a list": data_response({"id": "whk_1"}),
    "list of non-objects": data_response([7, None, "x"]),
    "null": http_response(200, b"null"),
    "empty": http_response(200, b""),
    "null bytes": http_response(200, b"\0" * 64),
    "deeply nested": http_response(200, b"[" * 100_000),
    "not HTTP": b"\x16\x03\x01 this is not HTTP\r\n\r\n",
    "silence": NO_RESPONSE,
}


@dataclass
class ReceivedRequest:
    """A request that the server received."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class TeamServer:
    """A server of many teams, on its own event loop, that counts requests.

    `responses` overrides `list_responses`: for each path, responses in turn, the last one repeatedly.
    """

    list_responses: Mapping[str, bytes]
    keys: Mapping[str, str]
    responses: dict[str, list[bytes]] = field(default_factory=dict)
    delay: float = 0.0
    requests: list[ReceivedRequest] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    connections: int = 0
    most_connections: int = 0
    all_connections: int = 0
    on_request: Callable[[ReceivedRequest], object] | None = None
    hold_from: int | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name="team-server", daemon=True)
        started = threading.Event()
        self._started = started
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.requests]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._serve_connection, "127.0.0.1", 0, backlog=1000)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._stopping.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.all_connections += 1
        self.most_connections = max(self.connections, self.most_connections)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                start_line, *lines = head.decode("latin-1").strip().split("\r\n")
                method, path, _ = start_line.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                if not await self._respond(ReceivedRequest(method, path, headers), reader, writer):
                    break
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the client left, or the test ended
        finally:
            self.connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _respond(
        self, request: ReceivedRequest, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            if self.on_request:
                self.on_request(request)
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.hold_from is not None and len(self.requests) >= self.hold_from:
                await self._release()
            content = self._response_to(request)
            if content == NO_RESPONSE:
                await reader.read()
                return False
        finally:
            self.in_flight -= 1
        writer.write(content)
        await writer.drain()
        is_complete = content.startswith(b"HTTP/1.1 ") and b"Content-Length: 4000" not in content
        if not is_complete:
            writer.close()
        return is_complete

    async def _release(self) -> None:
        while not self.released.is_set():  # noqa: ASYNC110 - the event is set by another thread
            await asyncio.sleep(0.005)

    def _response_to(self, request: ReceivedRequest) -> bytes:
        if request.headers.get("authorization") != f"Bearer {self.keys.get(request.path.split('/')[4])}":
            return error_response(401)
        if scripted := self.responses.get(request.path):
            return scripted[0] if len(scripted) == 1 else scripted.pop(0)
        return self.list_responses.get(request.path) or error_response(404)


def path_of(number: int) -> str:
    return f"/api/v1/teams/{team_of(number)}/webhooks"


def list_responses(count: int, webhooks: int = 20) -> dict[str, bytes]:
    """The responses to the list requests of this many teams, by path."""
    responses = {}
    for number in range(count):
        path = path_of(number)
        if (path, webhooks) not in _CACHED:
            _CACHED[path, webhooks] = data_response(webhooks_of(number, webhooks))
        responses[path] = _CACHED[path, webhooks]
    return responses


_CACHED: dict[tuple[str, int], bytes] = {}


@pytest.fixture
def serve_teams(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., TeamServer]]:
    """Starts servers for a number of teams, each with its own key in the environment."""
    with contextlib.ExitStack() as stack:

        def start(count: int, each: int = 20, **options: Any) -> TeamServer:
            for number in range(count):
                monkeypatch.setenv(f"CSTAR_KEY_{number}", key_of(number))
            keys = {team_of(number): key_of(number) for number in range(count)}
            return stack.enter_context(TeamServer(list_responses(count, each), keys, **options))

        yield start


def accounts(server: TeamServer, count: int) -> cx.Accounts:
    rows = [[f"Team {number}", team_of(number), f"CSTAR_KEY_{number}", server.url] for number in range(count)]
    return cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))


def names(numbers: Iterable[int]) -> list[str]:
    return [f"Team {number}" for number in numbers]


def states(audited: cx.Audit) -> dict[str, list[str]]:
    """Account names by state, in order."""
    table = audited.accounts
    return {state: group["account"].tolist() for state, group in table.groupby("state", sort=True)}


def shorten_timeout(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.1) -> None:
    """Makes clients give up on a response sooner."""
    monkeypatch.setattr(fetching, "TIMEOUT", seconds)


# --- requests ---------------------------------------------------------------------------------------------------------


def test_many_teams_take_one_request_each(serve_teams) -> None:
    """Every team is in the result, in order, with all its webhooks, and `at_once` is respected. At night, for 1,000 teams."""
    count = 1000 if NIGHTLY else 200
    server = serve_teams(count, delay=0.002)
    progress: list[tuple[int, int, int]] = []
    audited = cx.audit(accounts(server, count), now=NOW, on_progress=lambda *counts: progress.append(counts))

    assert [path_of(number) for number in range(count)] == sorted(server.paths)
    assert {"GET"} == {request.method for request in server.requests}
    assert 1 < server.most_in_flight <= 10
    assert names(range(count)) == audited.accounts["account"].tolist()
    assert {"read": names(range(count))} == states(audited)
    assert [20] * count == audited.accounts["webhooks"].tolist()
    assert audited.complete
    assert [hook["id"] for number in range(count) for hook in webhooks_of(number)] == audited.webhooks["id"].tolist()
    assert Counter(names(range(count))) == Counter(audited.to_frame().query("rule == 'plain_http'")["account"])
    assert (count, count, 0) == progress[-1]
    assert sorted(progress) == progress
    assert {count} == {total for _, total, _ in progress}


@pytest.mark.parametrize("at_once", [1, 3, 40])
@pytest.mark.parametrize("pool", [None, 20], ids=["own threads", "given executor"])
def test_at_once_limits_concurrent_requests(serve_teams, at_once: int, pool: int | None) -> None:
    """Whatever the size of the executor."""
    server = serve_teams(60, 1, delay=0.003)
    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(pool)) if pool else None
        audited = cx.audit(accounts(server, 60), at_once=at_once, executor=executor, now=NOW)

    assert audited.complete
    assert 60 == len(server.requests)
    assert min(at_once, 2) <= server.most_in_flight <= at_once


def test_connections_are_reused(serve_teams) -> None:
    """Across accounts, and from one audit to the next."""
    server = serve_teams(40, 1, delay=0.002)
    for _ in range(3):
        cx.audit(accounts(server, 40), at_once=10, now=NOW)

    assert server.all_connections <= 10


SCRIPT = """
import pandas as pd, sys
import cstar_explore as cx
rows = [[f"Team {n}", f"team_{n:04d}", f"CSTAR_KEY_{n}", sys.argv[1]] for n in range(100)]
table = pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"])
print(cx.audit(cx.Accounts(table), at_once=10).complete)
"""


def test_connections_are_reused_in_a_new_process(serve_teams) -> None:
    """All threads start at once, before the first connection exists."""
    server = serve_teams(100, 1, delay=0.002)
    finished = subprocess.run([sys.executable, "-c", SCRIPT, server.url], check=True, capture_output=True, text=True)

    assert "True" == finished.stdout.strip()
    assert server.all_connections <= 10


@pytest.mark.parametrize("at_once", [0, -1, 101, 2.5, "10", True, None])
def test_an_invalid_at_once_is_refused(serve_teams, at_once: Any) -> None:
    """Nothing is sent."""
    server = serve_teams(2, 1)
    with pytest.raises(errors.ConfigurationError):
        cx.audit(accounts(server, 2), at_once=at_once)

    assert [] == server.requests


@pytest.mark.usefixtures("without_charts")
def test_an_audit_of_no_accounts_is_empty(serve_teams) -> None:
    """Its frames and report work."""
    server = serve_teams(1, 1)
    audited = cx.audit(accounts(server, 0), now=NOW)

    assert [] == server.requests
    assert (0, 0, 0) == (len(audited.accounts), len(audited.webhooks), len(audited.to_frame()))
    assert audited.to_html()
    assert audited.to_json()


def test_nothing_leaks_from_one_team_to_another(serve_teams) -> None:
    """No cookie is sent back, and each key is used only for its own team."""
    server = serve_teams(12, 1)
    for number in range(0, 12, 2):
        server.responses[path_of(number)] = [data_response(webhooks_of(number, 1), Set_Cookie=f"who={number}; Path=/")]
    audited = cx.audit(accounts(server, 12), at_once=1, now=NOW)

    assert audited.complete
    assert [] == [request.headers["cookie"] for request in server.requests if "cookie" in request.headers]
    assert [f"Bearer {key_of(number)}" for number in range(12)] == [
        request.headers["authorization"] for request in sorted(server.requests, key=lambda request: request.path)
    ]


def with_paused_webhooks(number: int) -> list[dict[str, Any]]:
    """Six webhooks. The first and fifth need a request of their own: paused, old, last change unknown."""
    pairs = zip(
        webhooks_of(number, 6),
        (
            {"isActive": False, "createdAt": "2024-01-01T00:00:00Z"},
            {"isActive": False, "createdAt": "2025-12-01T00:00:00Z"},
            {"isActive": False, "createdAt": "2024-01-01T00:00:00Z", "updatedAt": "2024-02-01T00:00:00Z"},
            {"isActive": True, "createdAt": "2024-01-01T00:00:00Z"},
            {"isActive": False, "createdAt": "2023-01-01T00:00:00Z"},
            {},
        ),
        strict=True,
    )
    return [hook | fields for hook, fields in pairs]


def add_paused_webhooks(server: TeamServer, number: int, **headers: str) -> list[str]:
    """Gives the team paused webhooks. Returns the paths that an audit is expected to fetch one by one."""
    hooks = with_paused_webhooks(number)
    server.responses[path_of(number)] = [data_response(hooks, **headers)]
    for hook in hooks:
        response = data_response(hook | {"updatedAt": "2024-06-01T00:00:00Z"}, **headers)
        server.responses[f"{path_of(number)}/{hook['id']}"] = [response]
    return [f"{path_of(number)}/{hooks[index]['id']}" for index in (0, 4)]


def test_a_single_webhook_is_fetched_once_and_only_if_needed(serve_teams) -> None:
    """Needed means paused, old, and without the time of the last change in the list."""
    server = serve_teams(60, 6, delay=0.001)
    expected = [path for number in range(0, 60, 3) for path in add_paused_webhooks(server, number)]
    audited = cx.audit(accounts(server, 60), now=NOW)

    assert Counter([*expected, *map(path_of, range(60))]) == Counter(server.paths)
    assert server.most_in_flight <= 10
    assert audited.complete
    assert dict.fromkeys(names(range(0, 60, 3)), 3) == Counter(
        audited.to_frame().query("rule == 'inactive_long'")["account"]
    )
    assert ["2024-06-01", "2024-06-01"] == [
        when.strftime("%Y-%m-%d") for when in audited.webhooks.iloc[[0, 4]]["updated_at"]
    ]


def test_single_webhooks_are_skipped_when_the_rate_limit_is_low(serve_teams) -> None:
    """Each key has its own rate limit. A note names the account."""
    server = serve_teams(3, 6)
    plenty = {"X_RateLimit_Limit": "1000", "X_RateLimit_Remaining": "900", "X_RateLimit_Reset": "1765380600"}
    low = plenty | {"X_RateLimit_Remaining": "99"}
    expected = add_paused_webhooks(server, 0, **plenty)
    add_paused_webhooks(server, 1, **low)
    expected += add_paused_webhooks(server, 2, **plenty)
    audited = cx.audit(accounts(server, 3), now=NOW)

    assert Counter([*expected, *map(path_of, range(3))]) == Counter(server.paths)
    assert audited.complete
    assert ["Team 1"] == [name for name in names(range(3)) if any(name in note for note in audited.notes)]


def test_an_error_for_a_single_webhook_does_not_fail_the_account(serve_teams) -> None:
    """The list was read."""
    server = serve_teams(4, 6)
    for number, response in enumerate(
        [error_response(404), error_response(403), BROKEN_RESPONSES["HTML"], error_response(400)]
    ):
        for path in add_paused_webhooks(server, number):
            server.responses[path] = [response]
    audited = cx.audit(accounts(server, 4), now=NOW)

    assert {"read": names(range(4))} == states(audited)
    assert [6] * 4 == audited.accounts["webhooks"].tolist()


def test_a_paginated_list_is_read_completely(serve_teams) -> None:
    """No team loses webhooks silently."""
    server = serve_teams(3, 4)
    hooks = webhooks_of(1, 4)
    more = {"pagination": {"total": 4, "page": 1, "pageSize": 2}}

    def page(items: list[Any]) -> bytes:
        return http_response(200, json.dumps({"success": True, "data": items, "meta": more}).encode())

    server.responses[path_of(1)] = [page(hooks[:2])]
    server.responses[f"{path_of(1)}?page=1&pageSize=100"] = [page(hooks[:2])]
    server.responses[f"{path_of(1)}?page=2&pageSize=100"] = [page(hooks[2:])]
    server.responses[f"{path_of(1)}?page=3&pageSize=100"] = [page([])]
    audited = cx.audit(accounts(server, 3), now=NOW)

    assert audited.complete
    assert [hook["id"] for number in range(3) for hook in webhooks_of(number, 4)] == audited.webhooks["id"].tolist()


# --- failures ---------------------------------------------------------------------------------------------------------


def test_failed_teams_do_not_affect_the_others(serve_teams) -> None:
    """Failed accounts are listed with their error, and have no rows in the other frames."""
    server = serve_teams(80, 2, responses={path_of(number): [error_response(500)] for number in range(3, 80, 10)})
    audited = cx.audit(accounts(server, 80), now=NOW)

    bad = list(range(3, 80, 10))
    good = [number for number in range(80) if number not in bad]
    assert {"failed": names(bad), "read": names(good)} == states(audited)
    assert names(range(80)) == audited.accounts["account"].tolist()
    assert not audited.complete
    failed = audited.accounts[audited.accounts["state"] == "failed"]
    assert [True] * 8 == [isinstance(error, str) and "500" in error for error in failed["error"]]
    assert failed["webhooks"].isna().all()
    assert audited.accounts.loc[audited.accounts["state"] == "read", "error"].isna().all()
    assert set(names(good)) == set(audited.webhooks["account"])
    assert "72 of 80" in audited.summary()
    assert KEY not in audited.to_json() + audited.accounts.to_csv() + repr(audited)


@pytest.mark.parametrize("kind", BROKEN_RESPONSES)
def test_a_broken_response_fails_only_its_team(serve_teams, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The error is readable and does not contain the key."""
    if kind == "silence":
        shorten_timeout(monkeypatch)
    server = serve_teams(12, 2, responses={path_of(5): [BROKEN_RESPONSES[kind]]})
    audited = cx.audit(accounts(server, 12), at_once=2, now=NOW)

    others = [number for number in range(12) if number != 5]
    assert {"failed": ["Team 5"], "read": names(others)} == states(audited)
    assert audited.accounts["error"][5].strip()
    assert KEY not in audited.accounts["error"][5]
    assert [hook["id"] for number in others for hook in webhooks_of(number, 2)] == audited.webhooks["id"].tolist()
    assert 11 + server.paths.count(path_of(5)) == len(server.requests)


@pytest.mark.usefixtures("without_charts")
def test_all_teams_may_fail(serve_teams) -> None:
    """The audit, its frames and its report still work."""
    server = serve_teams(5, 1, responses={path_of(number): [error_response(403)] for number in range(5)})
    audited = cx.audit(accounts(server, 5), now=NOW)

    assert {"failed": names(range(5))} == states(audited)
    assert (0, 0) == (len(audited.webhooks), len(audited.to_frame()))
    assert "Team 4" in audited.to_html()


def test_a_temporary_failure_is_retried(serve_teams) -> None:
    """As in any other call."""
    server = serve_teams(4, 2)
    server.responses[path_of(1)] = [error_response(503), server.list_responses[path_of(1)]]
    server.responses[path_of(2)] = [BROKEN_RESPONSES["truncated"], server.list_responses[path_of(2)]]
    audited = cx.audit(accounts(server, 4), now=NOW)

    assert audited.complete
    assert Counter({path_of(0): 1, path_of(1): 2, path_of(2): 2, path_of(3): 1}) == Counter(server.paths)


def test_a_team_with_a_long_retry_after_fails_alone(serve_teams) -> None:
    """The wait is longer than the client's `max_wait`, so the request is sent once."""
    server = serve_teams(6, 2, responses={path_of(2): [error_response(429, Retry_After="3600")]})
    audited = cx.audit(accounts(server, 6), now=NOW)

    assert {"failed": ["Team 2"], "read": names([0, 1, 3, 4, 5])} == states(audited)
    assert 6 == len(server.requests)
    assert "429" in audited.accounts["error"][2]


def test_a_team_with_a_short_retry_after_is_retried(serve_teams) -> None:
    """The others continue meanwhile, even with one other slot."""
    server = serve_teams(30, 2)
    server.responses[path_of(0)] = [error_response(429, Retry_After="1"), server.list_responses[path_of(0)]]
    audited = cx.audit(accounts(server, 30), at_once=2, now=NOW)

    assert audited.complete
    assert 31 == len(server.requests)
    assert path_of(0) == server.paths[-1]


# --- stopping ---------------------------------------------------------------------------------------------------------


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def settled_requests(server: TeamServer) -> int:
    """The number of requests, once no more are in flight."""
    count = -1
    while count != len(server.requests):
        count = len(server.requests)
        threading.Event().wait(0.15)
    return count


@pytest.mark.usefixtures("without_charts")
@pytest.mark.parametrize("pool", [None, 6], ids=["own threads", "given executor"])
def test_no_requests_are_sent_after_a_stop(serve_teams, pool: int | None) -> None:
    """Accounts read before stay, the others were not tried, and no thread is left."""
    server = serve_teams(120, 2, hold_from=40)

    def stopped() -> bool:
        if len(server.requests) < 40:
            return False
        threading.Timer(0.05, server.released.set).start()
        return True

    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(pool)) if pool else None
        before = threads()
        audited = cx.audit(accounts(server, 120), executor=executor, at_once=6, stopped=stopped, now=NOW)
        sent = settled_requests(server)
        left = threads() - before

    by_state = states(audited)
    assert set() == {thread for thread in left if not thread.name.startswith("ThreadPoolExecutor") or not pool}
    assert 40 <= sent <= 46
    assert {"read", "not tried"} == set(by_state)
    assert 34 <= len(by_state["read"]) <= sent
    assert 120 == len(by_state["read"]) + len(by_state["not tried"])
    assert names(range(120)) == audited.accounts["account"].tolist()
    assert not audited.complete
    assert set(by_state["read"]) == set(audited.webhooks["account"])
    assert audited.accounts.loc[audited.accounts["state"] == "not tried", "webhooks"].isna().all()
    assert "not tried" in audited.to_html()


def test_an_audit_stopped_before_it_starts_sends_nothing(serve_teams) -> None:
    """No account was tried."""
    server = serve_teams(5, 1)
    audited = cx.audit(accounts(server, 5), stopped=lambda: True, now=NOW)

    assert [] == server.requests
    assert {"not tried": names(range(5))} == states(audited)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_stop_cancels_a_retry_wait(serve_teams, at_once: int) -> None:
    """The request is not retried."""
    server = serve_teams(
        4, 1, responses={path_of(number): [error_response(429, Retry_After="20")] for number in range(4)}
    )
    before = threads()
    audited = cx.audit(accounts(server, 4), at_once=at_once, stopped=lambda: len(server.requests) >= at_once, now=NOW)

    assert at_once == settled_requests(server)
    assert set() == threads() - before
    assert [] == [state for state in audited.accounts["state"] if state == "read"]
    assert 4 == len(audited.accounts)


def test_a_stop_takes_effect_when_a_silent_server_times_out(serve_teams, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is not retried."""
    shorten_timeout(monkeypatch, 0.5)
    server = serve_teams(4, 1, responses={path_of(number): [NO_RESPONSE] for number in range(4)})
    before = threads()
    audited = cx.audit(accounts(server, 4), at_once=2, stopped=lambda: len(server.requests) >= 2, now=NOW)

    assert 2 == settled_requests(server)
    assert set() == threads() - before
    assert "read" not in states(audited)


def test_no_requests_are_sent_after_ctrl_c(serve_teams) -> None:
    """And no thread is left."""
    server = serve_teams(120, 2, hold_from=40)

    def interrupt(_: ReceivedRequest) -> None:
        if len(server.requests) == 40:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.1, server.released.set).start()

    server.on_request = interrupt
    before = threads()
    audited = None
    # A shell that runs the tests in the background makes them ignore Ctrl+C.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        audited = cx.audit(accounts(server, 120), at_once=6, now=NOW)
    signal.signal(signal.SIGINT, handler)
    threading.Event().wait(0.1)
    sent = settled_requests(server)

    assert set() == {thread for thread in threads() - before if not isinstance(thread, threading.Timer)}
    assert 40 <= sent <= 46
    if audited is not None:
        assert {"read", "not tried"} == set(states(audited))


def test_ctrl_c_does_not_wait_for_an_account_that_hangs(serve_teams) -> None:
    """The error has the accounts that were read, and says that others were not."""
    server = serve_teams(3, 1, responses={path_of(2): [NO_RESPONSE]})
    progress: list[int] = []

    def interrupt(done: int, *_: int) -> None:
        progress.append(done)
        if done == 2:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            cx.audit(accounts(server, 3), on_progress=interrupt, now=NOW)
    finally:
        signal.signal(signal.SIGINT, handler)
    partial: cx.Audit = caught.value.audit

    assert {"read": names(range(2)), "failed": names([2])} == states(partial)
    assert not partial.complete
    assert 2 == len(partial.to_frame())
    assert "stopped" in partial.accounts["error"][2]
    assert "2 of 3 accounts read" in str(caught.value)


def test_a_process_ends_while_an_account_hangs(serve_teams) -> None:
    """Neither the audit nor the interpreter joins its thread."""
    server = serve_teams(2, 1, responses={path_of(1): [NO_RESPONSE]})
    code = f"""
import time, pandas as pd, cstar_explore as cx
rows = [[f"Team {{n}}", f"team_{{n:04d}}", f"CSTAR_KEY_{{n}}", {server.url!r}] for n in range(2)]
accounts = cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))
done = []
audit = cx.audit(accounts, on_progress=lambda *counts: done.append(time.monotonic()), stopped=lambda: bool(done))
print(audit.accounts["state"].tolist(), time.monotonic() - done[0] < 2)
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=25, check=True)

    assert "['read', 'failed'] True" == ran.stdout.strip()


@pytest.mark.parametrize("which", ["on_progress", "stopped"])
def test_an_exception_in_a_callback_stops_the_audit(serve_teams, which: str) -> None:
    """It is raised, no more requests are sent, and no thread is left."""
    server = serve_teams(80, 1, delay=0.002)

    def failing_callback(*_: int) -> bool:
        if len(server.requests) >= 20:
            raise ZeroDivisionError("mine")
        return False

    before = threads()
    with pytest.raises(ZeroDivisionError, match="mine"):
        cx.audit(accounts(server, 80), at_once=4, now=NOW, **{which: failing_callback})

    assert settled_requests(server) < 80
    assert set() == threads() - before


def test_accounts_can_be_audited_again_after_a_stop(serve_teams) -> None:
    """The stopped audit leaves no state behind."""
    server = serve_teams(20, 1)
    cx.audit(accounts(server, 20), stopped=lambda: len(server.requests) >= 3, at_once=1, now=NOW)

    assert cx.audit(accounts(server, 20), now=NOW).complete


def test_no_thread_is_left_after_an_audit(serve_teams) -> None:
    """Even if accounts failed."""
    server = serve_teams(
        30, 1, responses={path_of(3): [error_response(500)], path_of(4): [BROKEN_RESPONSES["not HTTP"]]}
    )
    before = threads()
    audited = cx.audit(accounts(server, 30), now=NOW)

    assert set() == threads() - before
    assert ["Team 3", "Team 4"] == states(audited)["failed"]


# --- memory -----------------------------------------------------------------------------------------------------------


def traced_memory(server: TeamServer, count: int, at_once: int) -> tuple[int, int]:
    """Bytes that the audit holds at the end, and at its peak."""
    table = accounts(server, count)
    gc.collect()
    tracemalloc.start()
    try:
        audited = cx.audit(table, at_once=at_once, now=NOW)
        _, peak = tracemalloc.get_traced_memory()
        server.requests.clear()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        assert audited.complete
    finally:
        tracemalloc.stop()
    return held, peak


def test_memory_depends_on_the_result_not_on_concurrency(serve_teams) -> None:
    """The peak is near the size of the result. One more slot costs about one connection."""
    count = 150 if NIGHTLY else 75
    server = serve_teams(count, delay=0.001)
    cx.audit(accounts(server, 5), now=NOW)  # loads modules and caches
    held, narrow = traced_memory(server, count, 2)
    _, wide = traced_memory(server, count, 60)

    assert narrow < 4 * held
    assert wide < narrow + (60 - 2) * 64 * 1024


def test_memory_per_team_does_not_grow(serve_teams) -> None:
    """Twice the teams need about twice the memory."""
    count = 160 if NIGHTLY else 80
    server = serve_teams(count, 10)
    cx.audit(accounts(server, 5), now=NOW)
    _, half = traced_memory(server, count // 2, 10)
    _, full = traced_memory(server, count, 10)

    assert full < 2.3 * half


# --- executors --------------------------------------------------------------------------------------------------------


def assert_equal_audits(one: cx.Audit, other: cx.Audit) -> None:
    pd.testing.assert_frame_equal(one.accounts, other.accounts)
    pd.testing.assert_frame_equal(one.webhooks, other.webhooks)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert one.notes == other.notes
    assert one.to_json() == other.to_json()


def serve_mixed_teams(serve_teams: Callable[..., TeamServer]) -> TeamServer:
    """Forty teams: three fail, two have paused webhooks."""
    server = serve_teams(40, 6)
    server.responses |= {
        path_of(7): [error_response(401)],
        path_of(8): [BROKEN_RESPONSES["HTML"]],
        path_of(9): [error_response(403)],
    }
    add_paused_webhooks(server, 11)
    add_paused_webhooks(server, 12, X_RateLimit_Limit="1000", X_RateLimit_Remaining="5", X_RateLimit_Reset="1765380600")
    return server


def test_a_given_thread_pool_gives_the_same_result(serve_teams) -> None:
    """Row by row, whatever the order of the responses. The pool stays usable."""
    server = serve_mixed_teams(serve_teams)
    with ThreadPoolExecutor(3) as pool:
        assert_equal_audits(
            cx.audit(accounts(server, 40), now=NOW), cx.audit(accounts(server, 40), executor=pool, now=NOW)
        )
        assert 3 == pool.submit(lambda: 3).result()


def test_a_process_pool_gives_the_same_result(serve_teams) -> None:
    """The processes are spawned, so arguments and results are pickled."""
    server = serve_mixed_teams(serve_teams)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        progress: list[tuple[int, int, int]] = []
        audited = cx.audit(
            accounts(server, 40), executor=pool, now=NOW, on_progress=lambda *counts: progress.append(counts)
        )
        assert 2 <= len({pool.submit(os.getpid).result(), os.getpid()})
    expected = cx.audit(accounts(server, 40), now=NOW)

    assert_equal_audits(expected, audited)
    assert (40, 40, 3) == progress[-1]
    assert Counter({"GET": len(server.requests)}) == Counter(request.method for request in server.requests)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_do_not_share_connections_with_their_parent(
    serve_teams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A response for one team must never be read as that for another, even after an audit in the parent."""
    shorten_timeout(monkeypatch, 2)
    server = serve_teams(60, 5, delay=0.001)
    in_parent = cx.audit(accounts(server, 60), now=NOW)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        in_children = cx.audit(accounts(server, 60), executor=pool, now=NOW)

    assert in_parent.webhooks["id"].tolist() == in_children.webhooks["id"].tolist()
    assert_equal_audits(in_parent, in_children)


def test_what_is_pickled_for_a_worker_contains_no_key(serve_teams) -> None:
    """An executor gets only the names of variables."""
    server = serve_teams(6, 2, responses={path_of(2): [error_response(401)]})
    pickled: list[bytes] = []

    class Pickling(Executor):
        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            pickled.append(pickle.dumps((call, args, kwargs)))
            future: Future[Any] = Future()
            function, positional, keywords = pickle.loads(pickled[-1])
            future.set_result(function(*positional, **keywords))
            pickled.append(pickle.dumps(future.result()))
            return future

    audited = cx.audit(accounts(server, 6), executor=Pickling(), now=NOW)

    assert {"failed": ["Team 2"], "read": names([0, 1, 3, 4, 5])} == states(audited)
    assert len(pickled) >= 2
    assert b"CSTAR_KEY_1" in b"".join(pickled)
    assert KEY.encode() not in b"".join(pickled)


def test_an_exception_in_a_worker_makes_a_failed_account(serve_teams) -> None:
    """It is reported, not raised."""
    server = serve_teams(6, 1)

    class FailingExecutor(Executor):
        def __init__(self) -> None:
            self.count = 0

        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.count += 1
            future: Future[Any] = Future()
            if self.count == 1:
                future.set_exception(MemoryError(f"worker died with {KEY}{0:08d}"))
            elif self.count == 2:
                future.cancel()
                future.set_running_or_notify_cancel()
            else:
                future.set_result(call(*args, **kwargs))
            return future

    audited = cx.audit(accounts(server, 6), executor=FailingExecutor(), at_once=6, now=NOW)

    table = audited.accounts
    assert 6 == len(table)
    assert set(table["state"]) <= {"read", "failed", "not tried"}
    assert "failed" in set(table["state"])
    assert table.loc[table["state"] == "failed", "error"].str.strip().astype(bool).all()
    assert KEY not in table.to_csv()


def test_a_shut_down_executor_makes_failed_accounts(serve_teams) -> None:
    """Nothing is sent."""
    server = serve_teams(3, 1)
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    audited = cx.audit(accounts(server, 3), executor=pool, now=NOW)

    assert [] == server.requests
    assert not audited.complete
    assert "read" not in states(audited)
    assert 3 == len(audited.accounts)


def test_a_killed_worker_makes_failed_accounts(serve_teams) -> None:
    """Accounts read before stay; the others have an error."""
    server = serve_teams(30, 2, delay=0.002)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        worker = pool.submit(os.getpid).result()

        def kill(request: ReceivedRequest) -> None:
            if request.path == path_of(15):
                os.kill(worker, signal.SIGKILL)

        server.on_request = kill
        audited = cx.audit(accounts(server, 30), executor=pool, at_once=1, now=NOW)

    by_state = states(audited)
    assert names(range(30)) == audited.accounts["account"].tolist()
    assert not audited.complete
    assert "failed" in by_state
    assert "Team 15" in by_state["failed"]
    assert audited.accounts.loc[audited.accounts["state"] == "failed", "error"].str.strip().astype(bool).all()
    assert set(by_state.get("read", [])) == set(audited.webhooks["account"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    """Two worker processes, with the keys in their environment."""
    before = dict(os.environ)
    os.environ |= {f"CSTAR_KEY_{number}": key_of(number) for number in range(40)}
    try:
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster:
            yield cluster
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]


def test_a_dask_cluster_gives_the_same_result(serve_teams, cluster: distributed.LocalCluster) -> None:
    """Two workers, row by row. `at_once` is respected and no request is sent twice."""
    server = serve_mixed_teams(serve_teams)
    expected = cx.audit(accounts(server, 40), now=NOW)
    expected_requests = Counter(server.paths)
    server.requests.clear()
    server.most_in_flight = 0
    with distributed.Client(cluster) as client:
        progress: list[tuple[int, int, int]] = []
        audited = cx.audit(
            accounts(server, 40),
            executor=client.get_executor(),
            at_once=4,
            now=NOW,
            on_progress=lambda *counts: progress.append(counts),
        )
        workers = set(client.run(os.getpid).values())

    assert_equal_audits(expected, audited)
    assert expected_requests == Counter(server.paths)
    assert server.most_in_flight <= 4
    assert (40, 40, 3) == progress[-1]
    assert 2 == len(workers - {os.getpid()})


class KeepsFutures(Executor):
    """Wraps an executor and keeps its futures, as a notebook that displays them does."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.kept: list[Future[Any]] = []

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.kept.append(self.executor.submit(call, *args, **kwargs))
        return self.kept[-1]


def test_a_second_audit_on_a_cluster_fetches_again(serve_teams, cluster: distributed.LocalCluster) -> None:
    """Dask must not return remembered results of the first audit."""
    server = serve_teams(4, 1)
    with distributed.Client(cluster) as client:
        executor = KeepsFutures(client.get_executor())
        first = cx.audit(accounts(server, 4), executor=executor, now=NOW)
        server.responses[path_of(1)] = [data_response(webhooks_of(1, 3))]
        second = cx.audit(accounts(server, 4), executor=executor, now=NOW)

    assert [1, 1, 1, 1] == first.accounts["webhooks"].tolist()
    assert [1, 3, 1, 1] == second.accounts["webhooks"].tolist()
    assert 8 == len(server.requests)


def test_no_requests_are_sent_after_a_stop_on_a_cluster(serve_teams, cluster: distributed.LocalCluster) -> None:
    """As with threads."""
    server = serve_teams(40, 1, hold_from=10)

    def stopped() -> bool:
        if len(server.requests) < 10:
            return False
        threading.Timer(0.1, server.released.set).start()
        return True

    with distributed.Client(cluster) as client:
        audited = cx.audit(accounts(server, 40), executor=client.get_executor(), at_once=2, stopped=stopped, now=NOW)
        sent = settled_requests(server)

    assert 10 <= sent <= 12
    assert {"read", "not tried"} == set(states(audited))


def test_progress_and_retry_waits_are_logged_to_stderr(
    serve_teams, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `on_progress`."""
    monkeypatch.setattr("cstar_explore.audits.fetching._LOG_INTERVAL", 0.05)
    server = serve_teams(3, 1, delay=0.2)
    server.responses[path_of(1)] = [error_response(429, Retry_After="1"), server.list_responses[path_of(1)]]
    audited = cx.audit(accounts(server, 3), at_once=2, now=NOW)
    logged = capsys.readouterr().err

    assert audited.complete
    assert "Retrying an account in 1 s: " in logged
    assert "of 3 accounts done, 0 failed." in logged
