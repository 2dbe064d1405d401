"""A plan whose process is killed at any request can be resumed or undone, and reaches exactly the expected state."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from tests.support.forms import listed, passed
from tests.support.sampling import sample
from tests.support.scripted_server import RecordedRequest, ScriptedServer, closed_port

FORK_SERVER = """
import contextlib, gc, os, sys
import cstar_explore as cx
from cstar_explore.api import retries
retries.FIRST_PAUSE = retries.JITTER = 0.001
with contextlib.suppress(cx.errors.UnreachableError), cx.Client("sk_test_warm_up", "team", sys.argv[1]) as client:
    cx.Plan, client.webhooks.list()
gc.freeze()
for line in sys.stdin:
    base_url, team_id, key, path = line.rstrip("\\n").split("\\t")
    if not (child := os.fork()):
        with cx.Client(key, team_id, base_url) as client:
            cx.Plan.load(client, path).apply()
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Imports everything once, and forks a process for each plan to apply."""

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
QUIET = {"name": "Quiet", "url": "https://example.com/quiet", "events": "ticket.closed,ticket.created"}
DUPLICATE = {"name": "Duplicate", "url": "https://example.com/duplicate", "events": "ticket.deleted"}


class KillingProxy:
    """A proxy in front of the sandbox that kills the client process at one request, counted from 1."""

    def __init__(self, sandbox: cx.Sandbox) -> None:
        self._forward = passed(sandbox)
        self._lock = threading.Lock()
        self._has_pid = threading.Event()
        self._pid = 0
        self._kill_at: int | None = None
        self._forwards_last = False
        self.methods: list[str] = []
        self.killed = threading.Event()
        self.server = ScriptedServer(*[self._handle] * 5_000)

    def kill_at(self, number: int | None, *, forwards: bool) -> None:
        """Kills the client at the request with this number, optionally after forwarding it."""
        with self._lock:
            self._kill_at, self._forwards_last, self.methods = number, forwards, []
            self._has_pid.clear()
            self.killed.clear()

    def set_pid(self, pid: int) -> None:
        self._pid = pid
        self._has_pid.set()

    def forward_all(self) -> None:
        """Forwards every request from now on."""
        with self._lock:
            self._kill_at = None
            self._has_pid.set()

    def _handle(self, connection: Any, received: RecordedRequest) -> bool:
        assert self._has_pid.wait(10)
        with self._lock:
            self.methods.append(received.method)
            last = len(self.methods) == self._kill_at
        if not last:
            return self._forward(connection, received)
        if self._forwards_last:
            with contextlib.suppress(OSError):
                self._forward(_NullConnection(), received)
        self.killed.set()
        os.kill(self._pid, signal.SIGKILL)
        return False


class _NullConnection:
    """Discards the response."""

    def sendall(self, _: bytes) -> None:
        return


class ForkServer:
    """A process that forks the processes to be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", FORK_SERVER, f"http://127.0.0.1:{closed_port()}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._closing = ThreadPoolExecutor()
        self._closed: list[Future[None]] = []

    def close_later(self, sandbox: cx.Sandbox) -> None:
        """Closes the sandbox in the background."""
        self._closed.append(self._closing.submit(sandbox.close))

    def apply(self, scene: "Scene", path: Path, kill_at: int | None, *, forwards: bool = False) -> int:
        """Applies the plan of this file in another process, and returns its exit code."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        proxy, client = scene.proxy, scene.client
        proxy.kill_at(kill_at, forwards=forwards)
        arguments = (client.base_url, client.team_id, client.key.reveal(), str(path))
        self._process.stdin.write("\t".join(str(argument) for argument in arguments) + "\n")
        self._process.stdin.flush()
        proxy.set_pid(int(self._process.stdout.readline()))
        code = int(self._process.stdout.readline())
        proxy.forward_all()
        return code

    def close(self) -> None:
        self._process.communicate(timeout=10)
        self._closing.shutdown()
        assert [None] * len(self._closed) == [future.result() for future in self._closed]


@pytest.fixture(scope="module")
def forks() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@dataclass
class Scene:
    """A sandbox behind the proxy, a plan for it in a file, and the states before and after the plan."""

    sandbox: cx.Sandbox
    proxy: KillingProxy
    client: cx.Client
    plan: cx.Plan
    path: Path
    before: list[tuple[Any, ...]]
    after: list[tuple[Any, ...]]
    kept_ids: frozenset[str]
    """The ids that neither applying nor undoing may change."""

    def current(self) -> list[tuple[Any, ...]]:
        return state(self.sandbox, self.kept_ids)

    def names(self) -> Counter[str]:
        return Counter(hook.name for hook in listed(self.sandbox))


def state(sandbox: cx.Sandbox, kept_ids: frozenset[str]) -> list[tuple[Any, ...]]:
    """All webhooks; with their ids, unless they may be recreated."""
    return sorted(
        (hook.id if hook.id in kept_ids else "", hook.name, hook.url, tuple(sorted(hook.events or ())), hook.is_active)
        for hook in listed(sandbox)
    )


def mixed(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """Each kind of change; the deleted webhook is active."""
    one, two, three, four = ids
    desired = [
        {"id": one, "name": "Renamed", "events": "ticket.updated"},
        {"id": two, "is_active": False},
        NEW,
        QUIET | {"is_active": False},
        {"id": three, "delete": True},
    ]
    return pd.DataFrame(desired, dtype=object), frozenset({one, two, four})


def deletes_first(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """Deletes a paused and an active webhook first, and creates last."""
    one, two, three, four = ids
    desired = [
        {"id": four, "delete": True},
        {"id": three, "delete": "yes"},
        {"id": two, "url": "https://example.com/moved", "is_active": "no"},
        {"id": one, "is_active": "no"},
        QUIET | {"is_active": "no"},
        NEW,
    ]
    return pd.DataFrame(desired, dtype=object), frozenset({one, two})


def duplicates(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """Deletes one of two equal webhooks, makes another equal to a created one, and creates an active and a paused one."""
    one, two, three, four, duplicate, other = ids
    desired = [
        {"id": duplicate, "delete": True},
        {"id": one, **NEW},
        NEW,
        QUIET | {"is_active": False},
        {"id": four, "delete": True},
    ]
    return pd.DataFrame(desired, dtype=object), frozenset({one, two, three, other})


MakePlan = Callable[[list[str]], tuple[pd.DataFrame, frozenset[str]]]
PLANS: list[MakePlan] = [mixed, deletes_first, duplicates]
every_plan = pytest.mark.parametrize("make", PLANS, ids=[make.__name__ for make in PLANS])
resumed_or_undone = pytest.mark.parametrize("undo", [False, True], ids=["resumed", "undone"])


@contextlib.contextmanager
def scene_of(forks: ForkServer, make: MakePlan, tmp_path: Path) -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        sandbox = cx.Sandbox()
        stack.callback(forks.close_later, sandbox)
        if make is duplicates:
            with sandbox.client() as client:
                client.webhooks.create(**DUPLICATE)
                client.webhooks.create(**DUPLICATE)
        desired, kept_ids = make([hook.id for hook in listed(sandbox)])
        before = state(sandbox, kept_ids)
        proxy = KillingProxy(sandbox)
        proxy.forward_all()
        stack.enter_context(proxy.server)
        client = stack.enter_context(cx.Client(sandbox.key, sandbox.team_id, proxy.server.url))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        plan = cx.plan(client, desired).save(path)
        after = _expected(make, before, desired, kept_ids)
        yield Scene(sandbox, proxy, client, plan, path, before, after, kept_ids)


def _expected(
    make: MakePlan, before: list[tuple[Any, ...]], desired: pd.DataFrame, kept_ids: frozenset[str]
) -> list[tuple[Any, ...]]:
    """The state that the frame describes, computed without the package."""
    deleted = {
        mixed: ["Search index"],
        deletes_first: ["Search index", "Boss fight overlay"],
        duplicates: ["Boss fight overlay"],
    }
    after = [row for row in before if row[1] not in deleted[make]]
    if make is duplicates:
        after.remove(("", "Duplicate", DUPLICATE["url"], ("ticket.deleted",), True))
    for row in desired.to_dict("records"):
        cells = {key: cell for key, cell in row.items() if not pd.isna(cell)}
        active = cells.get("is_active", True) not in (False, "no")
        if "id" not in cells:
            after.append(("", cells["name"], cells["url"], tuple(sorted(cells["events"].split(","))), active))
        elif cells["id"] in kept_ids:
            (old,) = (content for content in after if content[0] == cells["id"])
            types = tuple(sorted(cells["events"].split(","))) if "events" in cells else old[3]
            new = (old[0], cells.get("name", old[1]), cells.get("url", old[2]), types, active)
            after[after.index(old)] = new
    return sorted(after)


def finish(scene: Scene, path: Path, *, undo: bool) -> None:
    """Loads the plan in this process, and resumes or undoes it."""
    plan = cx.Plan.load(scene.client, path)
    applied = (plan.invert() if undo else plan).apply()
    assert {"done", "unchanged"} >= {step.outcome for step in applied}


# --- not killed -------------------------------------------------------------------------------------------------------


@every_plan
def test_a_process_that_is_not_killed_applies_the_whole_plan(forks: ForkServer, tmp_path: Path, make: MakePlan) -> None:
    """The baseline for the tests below: afterwards nothing is left to resume, and everything can be undone."""
    with scene_of(forks, make, tmp_path) as scene:
        assert 0 == forks.apply(scene, scene.path, None)
        assert scene.after == scene.current()
        assert len(scene.proxy.methods) >= 3 * len(scene.plan)
        finish(scene, scene.path, undo=False)
        assert scene.after == scene.current()
        finish(scene, scene.path, undo=True)
        assert scene.before == scene.current()


# --- killed once ------------------------------------------------------------------------------------------------------

Methods = dict[MakePlan, list[str]]


@pytest.fixture(scope="module")
def methods(forks: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Methods:
    """The methods of the requests of each plan."""
    found = {}
    for make in (mixed, duplicates):
        with scene_of(forks, make, tmp_path_factory.mktemp(make.__name__)) as scene:
            assert 0 == forks.apply(scene, scene.path, None)
            found[make] = scene.proxy.methods
        assert len(found[make]) >= 3 * len(scene.plan)
    return found


@pytest.fixture(scope="module")
def inverse_methods(forks: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Methods:
    """The methods of the requests of each inverse."""
    found = {}
    for make in (mixed, duplicates):
        with inverse_of(forks, make, tmp_path_factory.mktemp(make.__name__)) as (scene, path):
            assert 0 == forks.apply(scene, path, None)
            found[make] = scene.proxy.methods
        assert len(found[make]) >= 3 * len(scene.plan)
    return found


@pytest.mark.parametrize(
    ("make", "forwards"),
    [
        pytest.param(mixed, False, id="mixed, before"),
        pytest.param(mixed, True, id="mixed, after"),
        pytest.param(duplicates, True, id="duplicates, after"),
    ],
)
@resumed_or_undone
def test_a_plan_killed_at_any_request_is_resumed_or_undone(
    forks: ForkServer, tmp_path: Path, methods: Methods, make: MakePlan, forwards: bool, undo: bool
) -> None:
    """SIGKILL before or after each of its requests, in `make test` a quarter of the reads. No webhook is created twice."""
    failures = {}
    for number in requests_to_kill_at(methods[make], name=f"{make.__name__} {forwards} {undo}"):
        with scene_of(forks, make, tmp_path) as scene:
            assert -signal.SIGKILL == forks.apply(scene, scene.path, number, forwards=forwards)
            assert scene.proxy.killed.is_set()
            failures |= _failures(number, scene, scene.path, undo=undo)
    assert {} == failures


@pytest.mark.parametrize(
    ("make", "undo"),
    [
        pytest.param(mixed, False, id="mixed, resumed"),
        pytest.param(mixed, True, id="mixed, undone"),
        pytest.param(duplicates, True, id="duplicates, undone"),
    ],
)
def test_an_inverse_killed_after_any_request_is_resumed_or_undone(
    forks: ForkServer, tmp_path: Path, inverse_methods: Methods, make: MakePlan, undo: bool
) -> None:
    """An inverse is a plan like any other: undoing it leads to the state that the plan describes."""
    failures = {}
    for number in requests_to_kill_at(inverse_methods[make], name=f"inverse of {make.__name__} {undo}"):
        with inverse_of(forks, make, tmp_path) as (scene, path):
            assert -signal.SIGKILL == forks.apply(scene, path, number, forwards=True)
            assert scene.proxy.killed.is_set()
            failures |= _failures(number, scene, path, undo=undo)
    assert {} == failures


@contextlib.contextmanager
def inverse_of(forks: ForkServer, make: MakePlan, tmp_path: Path) -> Iterator[tuple[Scene, Path]]:
    """A scene whose plan is applied, with before and after exchanged, and the file of the inverse."""
    with scene_of(forks, make, tmp_path) as scene:
        path = scene.path.with_name(f"inverse of {scene.path.name}")
        plan = cx.Plan.load(scene.client, scene.path)
        plan.apply()
        plan.invert().save(path)
        scene.before, scene.after = scene.after, scene.before
        yield scene, path


def requests_to_kill_at(methods: list[str], *, name: str) -> list[int]:
    """The numbers of all writes and of a quarter of the reads, counted from 1. At night those of all requests."""
    numbers = range(1, len(methods) + 1)
    writes = {number for number in numbers if methods[number - 1] != "GET"}
    reads = [number for number in numbers if number not in writes]
    return sorted({*writes, *sample(reads, len(reads) // 4, name=name)})


def _failures(number: int, scene: Scene, path: Path, *, undo: bool) -> dict[int, Any]:
    """Resumes or undoes the plan, and returns how the state differs from the expected one, if it does."""
    try:
        finish(scene, path, undo=undo)
    except cx.CStarError as error:
        return {
            number: f"{error} {[(step.change.what, step.outcome, step.detail) for step in getattr(error, 'steps', ())]}"
        }
    expected, current = Counter(scene.before if undo else scene.after), Counter(scene.current())
    return {} if expected == current else {number: {"missing": expected - current, "extra": current - expected}}


# --- killed repeatedly ------------------------------------------------------------------------------------------------


@every_plan
@pytest.mark.parametrize("seed", sample(range(2), 1, name="killed repeatedly"))
def test_a_plan_killed_repeatedly_is_resumed_or_undone(
    forks: ForkServer, tmp_path: Path, make: MakePlan, seed: int
) -> None:
    """Killed and resumed several times, and finally resumed or undone."""
    rng = random.Random(seed)
    with scene_of(forks, make, tmp_path) as scene:
        for _ in range(4):
            forks.apply(scene, scene.path, rng.randint(1, 14), forwards=rng.random() < 0.6)
        undo = rng.random() < 0.5
        assert {} == _failures(0, scene, scene.path, undo=undo)
        assert [] == [name for name, count in scene.names().items() if count > (name in {"Duplicate", "New"}) + 1]


@every_plan
@pytest.mark.parametrize("seed", sample(range(2), 1, name="killed repeatedly"))
def test_an_inverse_killed_repeatedly_restores_the_original_state(
    forks: ForkServer, tmp_path: Path, make: MakePlan, seed: int
) -> None:
    """The plan is killed halfway, then its inverse several times."""
    rng = random.Random(seed)
    with scene_of(forks, make, tmp_path) as scene:
        forks.apply(scene, scene.path, rng.randint(4, 14), forwards=True)
        path = tmp_path / "inverse.json"
        cx.Plan.load(scene.client, scene.path).invert().save(path)
        for _ in range(4):
            forks.apply(scene, path, rng.randint(1, 14), forwards=rng.random() < 0.6)
        scene.before, scene.after = scene.after, scene.before
        assert {} == _failures(0, scene, path, undo=False)
