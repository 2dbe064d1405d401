"""Many teams side by side: no request more than needed, no more at once than allowed, and nobody is left out in silence."""

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

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)
KEY = "sk_live_" + "A1b2C3d4E5f6G7h8"
EVENTS = ("ticket.created", "ticket.closed", "customer.created", "article.published", "survey.submitted")


def key_of(number: int) -> str:
    return f"{KEY}{number:08d}"


def team_of(number: int) -> str:
    return f"team_{number:04d}"


def webhooks_of(number: int, count: int = 20) -> list[dict[str, Any]]:
    """Webhooks as a list tells them: without updatedAt. The first has a fault, so that there are findings."""
    return [
        {
            "id": f"whk_{number:04d}_{place:02d}",
            "name": f"Webhook {place} of {number}",
            "url": f"http{'' if place == 0 else 's'}://hook-{place}.team-{number}.example/cstar",
            "events": [EVENTS[place % len(EVENTS)]],
            "isActive": True,
            "createdAt": f"2025-1{place % 2}-0{1 + place % 9}T10:00:00Z",
        }
        for place in range(count)
    ]


def reply(
    code: int, content: bytes, *, kind: str = "application/json", declared: int | None = None, **told: str
) -> bytes:
    lines = [f"HTTP/1.1 {code} As-Told", "Date: Wed, 10 Dec 2025 14:30:00 GMT", f"Content-Type: {kind}"]
    lines += [f"Content-Length: {len(content) if declared is None else declared}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in told.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def data(value: Any, **told: str) -> bytes:
    meta = {"requestId": "req_1", "timestamp": "2025-12-10T14:30:00Z"}
    return reply(200, json.dumps({"success": True, "data": value, "meta": meta}).encode(), **told)


def refusal(code: int, **told: str) -> bytes:
    error = {"type": "api_error", "code": "told", "message": f"Refused with {code}", "request_id": "req_1"}
    return reply(code, json.dumps({"success": False, "error": error}).encode(), **told)


SILENCE = b""
"""No answer at all; the connection stays open."""

ODD: dict[str, bytes] = {
    "401": refusal(401),
    "403": refusal(403),
    "404": refusal(404),
    "500": refusal(500),
    "502 in HTML": reply(502, b"<html><h1>Bad gateway</h1>", kind="text/html"),
    "HTML": reply(200, b"<!doctype html><title>Sign in</title>", kind="text/html"),
    "truncated": reply(200, b'{"success": true, "data": [{"id": "whk_1"', declared=4000),
    "cut JSON": reply(200, b'{"success": true, "data": [{"id": "whk_1"'),
    "a redirect": reply(302, b"", Location="https://elsewhere.example/"),
    "no list": data({"id": "whk_1"}),
    "a list of anything": data([7, None, "x"]),
    "null": reply(200, b"null"),
    "nothing": reply(200, b""),
    "zero bytes": reply(200, b"\0" * 64),
    "deep": reply(200, b"[" * 100_000),
    "no HTTP": b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    "silence": SILENCE,
}


@dataclass
class Asked:
    """What a server was asked."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class Estate:
    """A server of many teams, on a loop of its own, that counts. `answers` overrules, each of a list in turn."""

    lists: Mapping[str, bytes]
    keys: Mapping[str, str]
    answers: dict[str, list[bytes]] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    connections: int = 0
    most_connections: int = 0
    all_connections: int = 0
    before_answer: Callable[[Asked], object] | None = None
    hold_from: int | None = None
    released: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._thread = threading.Thread(target=self._run, name="estate", daemon=True)
        started = threading.Event()
        self._started = started
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    @property
    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0, backlog=1000)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        await self._ending.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.all_connections += 1
        self.most_connections = max(self.connections, self.most_connections)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                method, path, _ = first.split(" ")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                if not await self._answer(Asked(method, path, headers), reader, writer):
                    break
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # the other side left, or the test is over
        finally:
            self.connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        self.asked.append(asked)
        self.in_flight += 1
        self.most_in_flight = max(self.in_flight, self.most_in_flight)
        try:
            if self.before_answer:
                self.before_answer(asked)
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.hold_from is not None and len(self.asked) >= self.hold_from:
                await self._release()
            content = self._content(asked)
            if content == SILENCE:
                await reader.read()
                return False
        finally:
            self.in_flight -= 1
        writer.write(content)
        await writer.drain()
        whole = content.startswith(b"HTTP/1.1 ") and b"Content-Length: 4000" not in content
        if not whole:
            writer.close()
        return whole

    async def _release(self) -> None:
        while not self.released.is_set():  # noqa: ASYNC110 - the event is set by another thread
            await asyncio.sleep(0.005)

    def _content(self, asked: Asked) -> bytes:
        if asked.headers.get("authorization") != f"Bearer {self.keys.get(asked.path.split('/')[4])}":
            return refusal(401)
        if chosen := self.answers.get(asked.path):
            return chosen[0] if len(chosen) == 1 else chosen.pop(0)
        return self.lists.get(asked.path) or refusal(404)


def path_of(number: int) -> str:
    return f"/api/v1/teams/{team_of(number)}/webhooks"


def lists(count: int, each: int = 20) -> dict[str, bytes]:
    """Answers, made once."""
    found = {}
    for number in range(count):
        path = path_of(number)
        if (path, each) not in _MADE:
            _MADE[path, each] = data(webhooks_of(number, each))
        found[path] = _MADE[path, each]
    return found


_MADE: dict[tuple[str, int], bytes] = {}


@pytest.fixture
def estate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Estate]]:
    """Starts servers of some teams, each team with a key of its own in the environment."""
    with contextlib.ExitStack() as stack:

        def start(count: int, each: int = 20, **options: Any) -> Estate:
            for number in range(count):
                monkeypatch.setenv(f"CSTAR_KEY_{number}", key_of(number))
            keys = {team_of(number): key_of(number) for number in range(count)}
            return stack.enter_context(Estate(lists(count, each), keys, **options))

        yield start


def accounts(server: Estate, count: int) -> cx.Accounts:
    rows = [[f"Team {number}", team_of(number), f"CSTAR_KEY_{number}", server.url] for number in range(count)]
    return cx.Accounts(pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"]))


def names(numbers: Iterable[int]) -> list[str]:
    return [f"Team {number}" for number in numbers]


def states(audited: cx.Audit) -> dict[str, list[str]]:
    """Names of the accounts in each state, in order."""
    table = audited.accounts
    return {state: group["account"].tolist() for state, group in table.groupby("state", sort=True)}


def impatient(monkeypatch: pytest.MonkeyPatch, seconds: float = 0.1) -> None:
    """Clients give up waiting for an answer sooner than usual."""
    monkeypatch.setattr(fetching, "TIMEOUT", seconds)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_a_thousand_teams_are_a_thousand_requests(estate) -> None:
    """Every team is in the result, in order, with all of its webhooks; the slots are kept to."""
    server = estate(1000, delay=0.002)
    told: list[tuple[int, int, int]] = []
    audited = cx.audit(accounts(server, 1000), now=NOW, on_progress=lambda *counts: told.append(counts))

    assert [path_of(number) for number in range(1000)] == sorted(server.paths)
    assert {"GET"} == {one.method for one in server.asked}
    assert 1 < server.most_in_flight <= 10
    assert names(range(1000)) == audited.accounts["account"].tolist()
    assert {"read": names(range(1000))} == states(audited)
    assert [20] * 1000 == audited.accounts["webhooks"].tolist()
    assert audited.complete
    assert [hook["id"] for number in range(1000) for hook in webhooks_of(number)] == audited.webhooks["id"].tolist()
    assert Counter(names(range(1000))) == Counter(audited.to_frame().query("rule == 'plain_http'")["account"])
    assert (1000, 1000, 0) == told[-1]
    assert sorted(told) == told
    assert {1000} == {total for _, total, _ in told}


@pytest.mark.parametrize("at_once", [1, 3, 40])
@pytest.mark.parametrize("pool", [None, 20], ids=["own threads", "given executor"])
def test_no_more_are_asked_at_once_than_allowed(estate, at_once: int, pool: int | None) -> None:
    """Whatever the executor could do."""
    server = estate(80, 1, delay=0.003)
    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(pool)) if pool else None
        audited = cx.audit(accounts(server, 80), at_once=at_once, executor=executor, now=NOW)

    assert audited.complete
    assert 80 == len(server.asked)
    assert min(at_once, 2) <= server.most_in_flight <= at_once


def test_a_slot_keeps_its_connection(estate) -> None:
    """Also across accounts, and from one audit to the next."""
    server = estate(100, 1, delay=0.002)
    for _ in range(3):
        cx.audit(accounts(server, 100), at_once=10, now=NOW)

    assert server.all_connections <= 10


COLD = """
import pandas as pd, sys
import cstar_explore as cx
rows = [[f"Team {n}", f"team_{n:04d}", f"CSTAR_KEY_{n}", sys.argv[1]] for n in range(100)]
table = pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"])
print(cx.audit(cx.Accounts(table), at_once=10).complete)
"""


def test_a_slot_keeps_its_connection_in_a_program_that_just_began(estate) -> None:
    """All slots start at once, before anything has been set up for the first of them."""
    server = estate(100, 1, delay=0.002)
    told = subprocess.run([sys.executable, "-c", COLD, server.url], check=True, capture_output=True, text=True)

    assert "True" == told.stdout.strip()
    assert server.all_connections <= 10


@pytest.mark.parametrize("at_once", [0, -1, 101, 2.5, "10", True, None])
def test_an_impossible_number_at_once_is_refused(estate, at_once: Any) -> None:
    """Before anything is sent."""
    server = estate(2, 1)
    with pytest.raises(errors.ConfigurationError):
        cx.audit(accounts(server, 2), at_once=at_once)

    assert [] == server.asked


def test_no_accounts_are_an_audit_of_nothing(estate) -> None:
    """With its frames and pages, none of which fail, and no division by zero."""
    server = estate(1, 1)
    audited = cx.audit(accounts(server, 0), now=NOW)

    assert [] == server.asked
    assert (0, 0, 0) == (len(audited.accounts), len(audited.webhooks), len(audited.to_frame()))
    assert audited.to_html()
    assert audited.to_json()


def test_nothing_that_a_team_sets_reaches_another(estate) -> None:
    """No cookie, and each key only with its own team."""
    server = estate(12, 1)
    for number in range(0, 12, 2):
        server.answers[path_of(number)] = [data(webhooks_of(number, 1), Set_Cookie=f"who={number}; Path=/")]
    audited = cx.audit(accounts(server, 12), at_once=1, now=NOW)

    assert audited.complete
    assert [] == [one.headers["cookie"] for one in server.asked if "cookie" in one.headers]
    assert [f"Bearer {key_of(number)}" for number in range(12)] == [
        one.headers["authorization"] for one in sorted(server.asked, key=lambda one: one.path)
    ]


def paused(number: int) -> list[dict[str, Any]]:
    """Of six webhooks two are to be asked about: paused, old, and their last change not told."""
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
    return [hook | told for hook, told in pairs]


def details(server: Estate, number: int, **told: str) -> list[str]:
    """Makes the team have paused webhooks; which paths are expected to be asked for."""
    hooks = paused(number)
    server.answers[path_of(number)] = [data(hooks, **told)]
    for hook in hooks:
        answer = data(hook | {"updatedAt": "2024-06-01T00:00:00Z"}, **told)
        server.answers[f"{path_of(number)}/{hook['id']}"] = [answer]
    return [f"{path_of(number)}/{hooks[place]['id']}" for place in (0, 4)]


def test_a_detail_is_asked_for_once_and_only_where_it_is_needed(estate) -> None:
    """For what is paused, old enough, and of which the list did not tell the last change."""
    server = estate(60, 6, delay=0.001)
    expected = [path for number in range(0, 60, 3) for path in details(server, number)]
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


def test_details_are_left_out_and_named_where_a_budget_is_short(estate) -> None:
    """Each key has its own budget; the note names the account."""
    server = estate(3, 6)
    rich = {"X_RateLimit_Limit": "1000", "X_RateLimit_Remaining": "900", "X_RateLimit_Reset": "1765380600"}
    poor = rich | {"X_RateLimit_Remaining": "99"}
    expected = details(server, 0, **rich)
    details(server, 1, **poor)
    expected += details(server, 2, **rich)
    audited = cx.audit(accounts(server, 3), now=NOW)

    assert Counter([*expected, *map(path_of, range(3))]) == Counter(server.paths)
    assert audited.complete
    assert ["Team 1"] == [name for name in names(range(3)) if any(name in note for note in audited.notes)]


def test_a_detail_that_fails_costs_no_team(estate) -> None:
    """The list was read; what is not known of one webhook is not a failure of the account."""
    server = estate(4, 6)
    for number, answer in enumerate([refusal(404), refusal(403), ODD["HTML"], refusal(400)]):
        for path in details(server, number):
            server.answers[path] = [answer]
    audited = cx.audit(accounts(server, 4), now=NOW)

    assert {"read": names(range(4))} == states(audited)
    assert [6] * 4 == audited.accounts["webhooks"].tolist()


def test_a_list_in_pages_is_read_to_its_end(estate) -> None:
    """A team with more webhooks than one answer holds is never silently shortened."""
    server = estate(3, 4)
    hooks = webhooks_of(1, 4)
    more = {"pagination": {"total": 4, "page": 1, "pageSize": 2}}

    def page(items: list[Any]) -> bytes:
        return reply(200, json.dumps({"success": True, "data": items, "meta": more}).encode())

    server.answers[path_of(1)] = [page(hooks[:2])]
    server.answers[f"{path_of(1)}?page=1&pageSize=100"] = [page(hooks[:2])]
    server.answers[f"{path_of(1)}?page=2&pageSize=100"] = [page(hooks[2:])]
    server.answers[f"{path_of(1)}?page=3&pageSize=100"] = [page([])]
    audited = cx.audit(accounts(server, 3), now=NOW)

    assert audited.complete
    assert [hook["id"] for number in range(3) for hook in webhooks_of(number, 4)] == audited.webhooks["id"].tolist()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_one_team_in_ten_that_fails_leaves_the_other_nine(estate) -> None:
    """It is said who failed and why, and nothing of them is in the frames."""
    server = estate(200, 2, answers={path_of(number): [refusal(500)] for number in range(3, 200, 10)})
    audited = cx.audit(accounts(server, 200), now=NOW)

    bad = list(range(3, 200, 10))
    good = [number for number in range(200) if number not in bad]
    assert {"failed": names(bad), "read": names(good)} == states(audited)
    assert names(range(200)) == audited.accounts["account"].tolist()
    assert not audited.complete
    failed = audited.accounts[audited.accounts["state"] == "failed"]
    assert [True] * 20 == [isinstance(error, str) and "500" in error for error in failed["error"]]
    assert failed["webhooks"].isna().all()
    assert audited.accounts.loc[audited.accounts["state"] == "read", "error"].isna().all()
    assert set(names(good)) == set(audited.webhooks["account"])
    assert "180 of 200" in audited.summary()
    assert KEY not in audited.to_json() + audited.accounts.to_csv() + repr(audited)


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_answer_of_one_team_harms_no_other(estate, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """That team failed, and why is told in words without a key."""
    if kind == "silence":
        impatient(monkeypatch)
    server = estate(12, 2, answers={path_of(5): [ODD[kind]]})
    audited = cx.audit(accounts(server, 12), at_once=2, now=NOW)

    others = [number for number in range(12) if number != 5]
    assert {"failed": ["Team 5"], "read": names(others)} == states(audited)
    assert audited.accounts["error"][5].strip()
    assert KEY not in audited.accounts["error"][5]
    assert [hook["id"] for number in others for hook in webhooks_of(number, 2)] == audited.webhooks["id"].tolist()
    assert 11 + server.paths.count(path_of(5)) == len(server.asked)


def test_all_may_fail(estate) -> None:
    """The audit is there all the same, with its frames and its page."""
    server = estate(5, 1, answers={path_of(number): [refusal(403)] for number in range(5)})
    audited = cx.audit(accounts(server, 5), now=NOW)

    assert {"failed": names(range(5))} == states(audited)
    assert (0, 0) == (len(audited.webhooks), len(audited.to_frame()))
    assert "Team 4" in audited.to_html()


def test_a_passing_failure_of_one_team_is_passed(estate) -> None:
    """As any other call, it is repeated."""
    server = estate(4, 2)
    server.answers[path_of(1)] = [refusal(503), server.lists[path_of(1)]]
    server.answers[path_of(2)] = [ODD["truncated"], server.lists[path_of(2)]]
    audited = cx.audit(accounts(server, 4), now=NOW)

    assert audited.complete
    assert Counter({path_of(0): 1, path_of(1): 2, path_of(2): 2, path_of(3): 1}) == Counter(server.paths)


def test_a_team_that_has_to_wait_too_long_fails_alone(estate) -> None:
    """Longer than the patience of a client; it is asked once and says how long it would have to wait."""
    server = estate(6, 2, answers={path_of(2): [refusal(429, Retry_After="3600")]})
    audited = cx.audit(accounts(server, 6), now=NOW)

    assert {"failed": ["Team 2"], "read": names([0, 1, 3, 4, 5])} == states(audited)
    assert 6 == len(server.asked)
    assert "429" in audited.accounts["error"][2]


def test_a_team_that_has_to_wait_a_little_is_waited_for(estate) -> None:
    """The others go on meanwhile, also where there is only one slot beside it."""
    server = estate(30, 2)
    server.answers[path_of(0)] = [refusal(429, Retry_After="1"), server.lists[path_of(0)]]
    audited = cx.audit(accounts(server, 30), at_once=2, now=NOW)

    assert audited.complete
    assert 31 == len(server.asked)
    assert path_of(0) == server.paths[-1]


# --- stopped in the middle --------------------------------------------------------------------------------------------


def threads() -> set[threading.Thread]:
    return set(threading.enumerate())


def settled(server: Estate) -> int:
    """How many requests there were, once nothing more can be on its way."""
    before = len(server.asked)
    threading.Event().wait(0.15)
    assert before == len(server.asked)
    return before


@pytest.mark.parametrize("pool", [None, 6], ids=["own threads", "given executor"])
def test_a_stop_in_the_middle_sends_nothing_more(estate, pool: int | None) -> None:
    """What was read stays, the rest was not tried, and no thread is left."""
    server = estate(300, 2, hold_from=100)

    def stopped() -> bool:
        if len(server.asked) < 100:
            return False
        threading.Timer(0.05, server.released.set).start()
        return True

    with contextlib.ExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(pool)) if pool else None
        before = threads()
        audited = cx.audit(accounts(server, 300), executor=executor, at_once=6, stopped=stopped, now=NOW)
        sent = settled(server)
        left = threads() - before

    told = states(audited)
    assert set() == {thread for thread in left if not thread.name.startswith("ThreadPoolExecutor") or not pool}
    assert 100 <= sent <= 106
    assert {"read", "not tried"} == set(told)
    assert 94 <= len(told["read"]) <= sent
    assert 300 == len(told["read"]) + len(told["not tried"])
    assert names(range(300)) == audited.accounts["account"].tolist()
    assert not audited.complete
    assert set(told["read"]) == set(audited.webhooks["account"])
    assert audited.accounts.loc[audited.accounts["state"] == "not tried", "webhooks"].isna().all()
    assert "not tried" in audited.to_html()


def test_stopped_from_the_start_nothing_is_sent(estate) -> None:
    """All accounts were not tried."""
    server = estate(5, 1)
    audited = cx.audit(accounts(server, 5), stopped=lambda: True, now=NOW)

    assert [] == server.asked
    assert {"not tried": names(range(5))} == states(audited)


@pytest.mark.parametrize("at_once", [1, 4])
def test_a_stop_ends_a_long_wait(estate, at_once: int) -> None:
    """A team that was told to come back later is not waited for, nor asked again."""
    server = estate(4, 1, answers={path_of(number): [refusal(429, Retry_After="20")] for number in range(4)})
    before = threads()
    audited = cx.audit(accounts(server, 4), at_once=at_once, stopped=lambda: len(server.asked) >= at_once, now=NOW)

    assert at_once == settled(server)
    assert set() == threads() - before
    assert [] == [state for state in audited.accounts["state"] if state == "read"]
    assert 4 == len(audited.accounts)


def test_a_stop_ends_the_wait_for_a_silent_server(estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the latest when its answer is given up; it is not asked again."""
    impatient(monkeypatch, 0.5)
    server = estate(4, 1, answers={path_of(number): [SILENCE] for number in range(4)})
    before = threads()
    audited = cx.audit(accounts(server, 4), at_once=2, stopped=lambda: len(server.asked) >= 2, now=NOW)

    assert 2 == settled(server)
    assert set() == threads() - before
    assert "read" not in states(audited)


def test_an_interruption_in_the_middle_sends_nothing_more(estate) -> None:
    """Ctrl+C is a stop as well: no request afterwards, no thread left."""
    server = estate(300, 2, hold_from=100)

    def interrupt(_: Asked) -> None:
        if len(server.asked) == 100:
            os.kill(os.getpid(), signal.SIGINT)
            threading.Timer(0.1, server.released.set).start()

    server.before_answer = interrupt
    before = threads()
    audited = None
    # A shell that starts the tests in the background has them ignore Ctrl+C.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        audited = cx.audit(accounts(server, 300), at_once=6, now=NOW)
    signal.signal(signal.SIGINT, handler)
    threading.Event().wait(0.1)
    sent = settled(server)

    assert set() == {thread for thread in threads() - before if not isinstance(thread, threading.Timer)}
    assert 100 <= sent <= 106
    if audited is not None:
        assert {"read", "not tried"} == set(states(audited))


@pytest.mark.parametrize("which", ["on_progress", "stopped"])
def test_a_mistake_of_the_caller_ends_cleanly(estate, which: str) -> None:
    """It is raised, nothing more is sent, and no thread is left."""
    server = estate(200, 1, delay=0.002)

    def mistaken(*_: int) -> bool:
        if len(server.asked) >= 20:
            raise ZeroDivisionError("mine")
        return False

    before = threads()
    with pytest.raises(ZeroDivisionError, match="mine"):
        cx.audit(accounts(server, 200), at_once=4, now=NOW, **{which: mistaken})

    assert settled(server) < 200
    assert set() == threads() - before


def test_after_a_stop_the_same_accounts_can_be_audited_again(estate) -> None:
    """Nothing of the first attempt is in the way."""
    server = estate(20, 1)
    cx.audit(accounts(server, 20), stopped=lambda: len(server.asked) >= 3, at_once=1, now=NOW)

    assert cx.audit(accounts(server, 20), now=NOW).complete


def test_no_thread_is_left_after_an_audit(estate) -> None:
    """All is put away, also where some failed."""
    server = estate(30, 1, answers={path_of(3): [refusal(500)], path_of(4): [ODD["no HTTP"]]})
    before = threads()
    audited = cx.audit(accounts(server, 30), now=NOW)

    assert set() == threads() - before
    assert ["Team 3", "Team 4"] == states(audited)["failed"]


# --- memory -----------------------------------------------------------------------------------------------------------


def traced(server: Estate, count: int, at_once: int) -> tuple[int, int]:
    """Bytes that the audit itself holds, and at the peak while it was made."""
    table = accounts(server, count)
    gc.collect()
    tracemalloc.start()
    try:
        audited = cx.audit(table, at_once=at_once, now=NOW)
        _, peak = tracemalloc.get_traced_memory()
        server.asked.clear()
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
        assert audited.complete
    finally:
        tracemalloc.stop()
    return held, peak


def test_memory_is_that_of_the_result_and_not_of_what_is_in_flight(estate) -> None:
    """Answers are not hoarded: the peak is near the result, and a slot more needs no more than a connection does."""
    server = estate(150, delay=0.001)
    cx.audit(accounts(server, 5), now=NOW)  # what is loaded once
    held, narrow = traced(server, 150, 2)
    _, wide = traced(server, 150, 60)

    assert narrow < 4 * held
    assert wide < narrow + (60 - 2) * 64 * 1024


def test_memory_for_each_team_does_not_grow(estate) -> None:
    """Twice the teams need at most twice the memory, and a little."""
    server = estate(160, 10)
    cx.audit(accounts(server, 5), now=NOW)
    _, half = traced(server, 80, 10)
    _, whole = traced(server, 160, 10)

    assert whole < 2.3 * half


# --- executors --------------------------------------------------------------------------------------------------------


def same(one: cx.Audit, other: cx.Audit) -> None:
    pd.testing.assert_frame_equal(one.accounts, other.accounts)
    pd.testing.assert_frame_equal(one.webhooks, other.webhooks)
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    assert one.notes == other.notes
    assert one.to_json() == other.to_json()


def mixed(estate: Callable[..., Estate]) -> Estate:
    """Forty teams: most are well, some are not, some have details."""
    server = estate(40, 6)
    server.answers |= {path_of(7): [refusal(401)], path_of(8): [ODD["HTML"]], path_of(9): [refusal(403)]}
    details(server, 11)
    details(server, 12, X_RateLimit_Limit="1000", X_RateLimit_Remaining="5", X_RateLimit_Reset="1765380600")
    return server


def test_threads_that_are_given_tell_the_same(estate) -> None:
    """Row by row, whatever the order of the answers; the executor stays usable."""
    server = mixed(estate)
    with ThreadPoolExecutor(3) as pool:
        same(cx.audit(accounts(server, 40), now=NOW), cx.audit(accounts(server, 40), executor=pool, now=NOW))
        assert 3 == pool.submit(lambda: 3).result()


def test_processes_tell_the_same(estate) -> None:
    """Started afresh, so that all that travels is pickled."""
    server = mixed(estate)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        told: list[tuple[int, int, int]] = []
        there = cx.audit(accounts(server, 40), executor=pool, now=NOW, on_progress=lambda *counts: told.append(counts))
        assert 2 <= len({pool.submit(os.getpid).result(), os.getpid()})
    expected = cx.audit(accounts(server, 40), now=NOW)

    same(expected, there)
    assert (40, 40, 3) == told[-1]
    assert Counter({"GET": len(server.asked)}) == Counter(one.method for one in server.asked)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_processes_do_not_share_the_connections_of_their_parent(estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one team is told may never be taken for another's, also where an audit was made here before."""
    impatient(monkeypatch, 2)
    server = estate(60, 5, delay=0.001)
    here = cx.audit(accounts(server, 60), now=NOW)
    with ProcessPoolExecutor(4, mp_context=get_context("fork")) as pool:
        there = cx.audit(accounts(server, 60), executor=pool, now=NOW)

    assert here.webhooks["id"].tolist() == there.webhooks["id"].tolist()
    same(here, there)


def test_what_travels_to_a_worker_and_back_holds_no_key(estate) -> None:
    """An executor sees the names of variables."""
    server = estate(6, 2, answers={path_of(2): [refusal(401)]})
    seen: list[bytes] = []

    class Watching(Executor):
        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            seen.append(pickle.dumps((call, args, kwargs)))
            future: Future[Any] = Future()
            done, given, named = pickle.loads(seen[-1])
            future.set_result(done(*given, **named))
            seen.append(pickle.dumps(future.result()))
            return future

    audited = cx.audit(accounts(server, 6), executor=Watching(), now=NOW)

    assert {"failed": ["Team 2"], "read": names([0, 1, 3, 4, 5])} == states(audited)
    assert len(seen) >= 2
    assert b"CSTAR_KEY_1" in b"".join(seen)
    assert KEY.encode() not in b"".join(seen)


def test_a_worker_that_fails_by_itself_is_a_failed_account(estate) -> None:
    """Whatever an executor raises, it is told and not thrown."""
    server = estate(6, 1)

    class Unwell(Executor):
        def __init__(self) -> None:
            self.count = 0

        def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.count += 1
            future: Future[Any] = Future()
            if self.count == 1:
                future.set_exception(MemoryError(f"worker went away with {KEY}{0:08d}"))
            elif self.count == 2:
                future.cancel()
                future.set_running_or_notify_cancel()
            else:
                future.set_result(call(*args, **kwargs))
            return future

    audited = cx.audit(accounts(server, 6), executor=Unwell(), at_once=6, now=NOW)

    table = audited.accounts
    assert 6 == len(table)
    assert set(table["state"]) <= {"read", "failed", "not tried"}
    assert "failed" in set(table["state"])
    assert table.loc[table["state"] == "failed", "error"].str.strip().astype(bool).all()
    assert KEY not in table.to_csv()


def test_an_executor_that_takes_nothing_makes_failed_accounts(estate) -> None:
    """One that was shut down, say."""
    server = estate(3, 1)
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    audited = cx.audit(accounts(server, 3), executor=pool, now=NOW)

    assert [] == server.asked
    assert not audited.complete
    assert "read" not in states(audited)
    assert 3 == len(audited.accounts)


def test_a_worker_that_dies_makes_failed_accounts(estate) -> None:
    """Killed in the middle: what was read stays, and the others say that they were not."""
    server = estate(30, 2, delay=0.002)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        worker = pool.submit(os.getpid).result()

        def kill(asked: Asked) -> None:
            if asked.path == path_of(15):
                os.kill(worker, signal.SIGKILL)

        server.before_answer = kill
        audited = cx.audit(accounts(server, 30), executor=pool, at_once=1, now=NOW)

    told = states(audited)
    assert names(range(30)) == audited.accounts["account"].tolist()
    assert not audited.complete
    assert "failed" in told
    assert "Team 15" in told["failed"]
    assert audited.accounts.loc[audited.accounts["state"] == "failed", "error"].str.strip().astype(bool).all()
    assert set(told.get("read", [])) == set(audited.webhooks["account"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    """Two workers, each a process of its own. The keys are in their environment."""
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


def test_a_cluster_tells_the_same(estate, cluster: distributed.LocalCluster) -> None:
    """Two workers of Dask, row by row, and no more at once than allowed; no request is sent twice."""
    server = mixed(estate)
    expected = cx.audit(accounts(server, 40), now=NOW)
    asked = Counter(server.paths)
    server.asked.clear()
    server.most_in_flight = 0
    with distributed.Client(cluster) as client:
        told: list[tuple[int, int, int]] = []
        there = cx.audit(
            accounts(server, 40),
            executor=client.get_executor(),
            at_once=4,
            now=NOW,
            on_progress=lambda *counts: told.append(counts),
        )
        workers = set(client.run(os.getpid).values())

    same(expected, there)
    assert asked == Counter(server.paths)
    assert server.most_in_flight <= 4
    assert (40, 40, 3) == told[-1]
    assert 2 == len(workers - {os.getpid()})


class Keeping(Executor):
    """Hands on to another executor, and keeps its futures: as a notebook does that shows them, say."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.kept: list[Future[Any]] = []

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.kept.append(self.executor.submit(call, *args, **kwargs))
        return self.kept[-1]


def test_a_cluster_asks_again_what_it_was_asked_before(estate, cluster: distributed.LocalCluster) -> None:
    """An audit is no pure function: the second one reads the present, not a remembered result."""
    server = estate(4, 1)
    with distributed.Client(cluster) as client:
        executor = Keeping(client.get_executor())
        first = cx.audit(accounts(server, 4), executor=executor, now=NOW)
        server.answers[path_of(1)] = [data(webhooks_of(1, 3))]
        second = cx.audit(accounts(server, 4), executor=executor, now=NOW)

    assert [1, 1, 1, 1] == first.accounts["webhooks"].tolist()
    assert [1, 3, 1, 1] == second.accounts["webhooks"].tolist()
    assert 8 == len(server.asked)


def test_a_stop_on_a_cluster_sends_nothing_more(estate, cluster: distributed.LocalCluster) -> None:
    """As with threads."""
    server = estate(40, 1, hold_from=10)

    def stopped() -> bool:
        if len(server.asked) < 10:
            return False
        threading.Timer(0.1, server.released.set).start()
        return True

    with distributed.Client(cluster) as client:
        audited = cx.audit(accounts(server, 40), executor=client.get_executor(), at_once=2, stopped=stopped, now=NOW)
        sent = settled(server)

    assert 10 <= sent <= 12
    assert {"read", "not tried"} == set(states(audited))


def test_no_wait_of_an_account_is_silent(
    estate, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A team that is told to come back later is told of, and so is how far the others are."""
    monkeypatch.setattr("cstar_explore.audits.fetching._QUIET", 0.05)
    server = estate(3, 1, delay=0.2)
    server.answers[path_of(1)] = [refusal(429, Retry_After="1"), server.lists[path_of(1)]]
    audited = cx.audit(accounts(server, 3), at_once=2, now=NOW)
    said = capsys.readouterr().err

    assert audited.complete
    assert "An account waits 1 s, then it is tried again: " in said
    assert "of 3 accounts done, 0 of them failed." in said
