"""A plan whose process is killed at any request is continued, or taken back, to the exact state that is wanted."""

import contextlib
import itertools
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
from tests.support.scripted_server import RecordedRequest, ScriptedServer, closed_port

NURSERY = """
import contextlib, gc, os, sys
import cstar_explore as cx
from cstar_explore import retrying
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
"""Has everything loaded, and applies each plan that it is told of in a process of its own."""

NEW = {"name": "New", "url": "https://example.com/new", "events": "ticket.created"}
QUIET = {"name": "Quiet", "url": "https://example.com/quiet", "events": "ticket.closed,ticket.created"}
TWIN = {"name": "Twin", "url": "https://example.com/twin", "events": "ticket.deleted"}


class Gate:
    """The line to the sandbox, on which the process at the other end is killed at one request, counted from 1."""

    def __init__(self, sandbox: cx.Sandbox) -> None:
        self._onward = passed(sandbox)
        self._lock = threading.Lock()
        self._child = threading.Event()
        self._pid = 0
        self._at: int | None = None
        self._forwards = False
        self.count = 0
        self.killed = threading.Event()
        self.server = ScriptedServer(*[self._pass] * 5_000)

    def kill(self, at: int | None, *, forwards: bool) -> None:
        """From now on requests are counted, and the one of this number is the last."""
        with self._lock:
            self._at, self._forwards, self.count = at, forwards, 0
            self._child.clear()
            self.killed.clear()

    def born(self, pid: int) -> None:
        self._pid = pid
        self._child.set()

    def open(self) -> None:
        """From now on everything passes."""
        with self._lock:
            self._at = None
            self._child.set()

    def _pass(self, connection: Any, received: RecordedRequest) -> bool:
        assert self._child.wait(10)
        with self._lock:
            self.count += 1
            last = self.count == self._at
        if not last:
            return self._onward(connection, received)
        if self._forwards:
            with contextlib.suppress(OSError):
                self._onward(_Nowhere(), received)
        os.kill(self._pid, signal.SIGKILL)
        self.killed.set()
        return False


class _Nowhere:
    """Takes an answer that nobody is to receive."""

    def sendall(self, _: bytes) -> None:
        return


class Nursery:
    """A process that bears processes."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY, f"http://127.0.0.1:{closed_port()}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._closing = ThreadPoolExecutor()
        self._closed: list[Future[None]] = []

    def closes(self, sandbox: cx.Sandbox) -> None:
        """Closes it while the next one is made."""
        self._closed.append(self._closing.submit(sandbox.close))

    def applies(self, scene: "Scene", path: Path, at: int | None, *, forwards: bool = False) -> int:
        """Applies the plan in this file in another process; answers what that one exited with."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        gate, client = scene.gate, scene.client
        gate.kill(at, forwards=forwards)
        told = (client.base_url, client.team_id, client.key.reveal(), str(path))
        self._process.stdin.write("\t".join(str(part) for part in told) + "\n")
        self._process.stdin.flush()
        gate.born(int(self._process.stdout.readline()))
        code = int(self._process.stdout.readline())
        gate.open()
        return code

    def close(self) -> None:
        self._process.communicate(timeout=10)
        self._closing.shutdown()
        assert [None] * len(self._closed) == [future.result() for future in self._closed]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@dataclass
class Scene:
    """A sandbox behind the gate, a plan for it in a file, and the two states that may come of it."""

    sandbox: cx.Sandbox
    gate: Gate
    client: cx.Client
    plan: cx.Plan
    path: Path
    before: list[tuple[Any, ...]]
    wanted: list[tuple[Any, ...]]
    kept: frozenset[str]
    """The ids that neither applying nor taking back may change."""

    def now(self) -> list[tuple[Any, ...]]:
        return state(self.sandbox, self.kept)

    def names(self) -> Counter[str]:
        return Counter(hook.name for hook in listed(self.sandbox))


def state(sandbox: cx.Sandbox, kept: frozenset[str]) -> list[tuple[Any, ...]]:
    """All webhooks, those that are never recreated with their ids."""
    return sorted(
        (hook.id if hook.id in kept else "", hook.name, hook.url, tuple(sorted(hook.events or ())), hook.is_active)
        for hook in listed(sandbox)
    )


def plain(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """Each kind of change, the deleted one an active one."""
    one, two, three, four = ids
    desired = [
        {"id": one, "name": "Renamed", "events": "ticket.updated"},
        {"id": two, "is_active": False},
        NEW,
        QUIET | {"is_active": False},
        {"id": three, "delete": True},
    ]
    return pd.DataFrame(desired, dtype=object), frozenset({one, two, four})


def backwards(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """The deletes first, of a paused one and of an active one; what is created comes last."""
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


def twins(ids: list[str]) -> tuple[pd.DataFrame, frozenset[str]]:
    """One of two that are alike is deleted, one becomes like what is created, two that differ in activity are created."""
    one, two, three, four, twin, other = ids
    desired = [
        {"id": twin, "delete": True},
        {"id": one, **NEW},
        NEW,
        QUIET | {"is_active": False},
        {"id": four, "delete": True},
    ]
    return pd.DataFrame(desired, dtype=object), frozenset({one, two, three, other})


Desired = Callable[[list[str]], tuple[pd.DataFrame, frozenset[str]]]
KINDS: list[Desired] = [plain, backwards, twins]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.__name__ for kind in KINDS])
continued_or_inverted = pytest.mark.parametrize("back", [False, True], ids=["continued", "inverted"])


@contextlib.contextmanager
def scene_of(nursery: Nursery, kind: Desired, tmp_path: Path) -> Iterator[Scene]:
    with contextlib.ExitStack() as stack:
        sandbox = cx.Sandbox()
        stack.callback(nursery.closes, sandbox)
        if kind is twins:
            with sandbox.client() as client:
                client.webhooks.create(**TWIN)
                client.webhooks.create(**TWIN)
        desired, kept = kind([hook.id for hook in listed(sandbox)])
        before = state(sandbox, kept)
        gate = Gate(sandbox)
        gate.open()
        stack.enter_context(gate.server)
        client = stack.enter_context(cx.Client(sandbox.key, sandbox.team_id, gate.server.url))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        plan = cx.plan(client, desired).save(path)
        yield Scene(sandbox, gate, client, plan, path, before, _wanted(kind, before, desired, kept), kept)


def _wanted(
    kind: Desired, before: list[tuple[Any, ...]], desired: pd.DataFrame, kept: frozenset[str]
) -> list[tuple[Any, ...]]:
    """What a frame asks for, worked out without the package."""
    gone = {plain: ["Search index"], backwards: ["Search index", "Boss fight overlay"], twins: ["Boss fight overlay"]}
    there = [row for row in before if row[1] not in gone[kind]]
    if kind is twins:
        there.remove(("", "Twin", TWIN["url"], ("ticket.deleted",), True))
    for cells in desired.to_dict("records"):
        told = {key: cell for key, cell in cells.items() if not pd.isna(cell)}
        active = told.get("is_active", True) not in (False, "no")
        if "id" not in told:
            there.append(("", told["name"], told["url"], tuple(sorted(told["events"].split(","))), active))
        elif told["id"] in kept:
            (old,) = (row for row in there if row[0] == told["id"])
            chosen = tuple(sorted(told["events"].split(","))) if "events" in told else old[3]
            row = (old[0], told.get("name", old[1]), told.get("url", old[2]), chosen, active)
            there[there.index(old)] = row
    return sorted(there)


def settled(scene: Scene, path: Path, *, back: bool) -> None:
    """Loads the plan anew in this process, and brings it to its end or takes it back."""
    plan = cx.Plan.load(scene.client, path)
    applied = (plan.invert() if back else plan).apply()
    assert {"done", "unchanged"} >= {step.outcome for step in applied}


# --- not killed -------------------------------------------------------------------------------------------------------


@every_kind
def test_a_process_that_is_not_killed_applies_the_whole_plan(nursery: Nursery, tmp_path: Path, kind: Desired) -> None:
    """So that the tests below mean something; afterwards there is nothing to continue, and all can be taken back."""
    with scene_of(nursery, kind, tmp_path) as scene:
        assert 0 == nursery.applies(scene, scene.path, None)
        assert scene.wanted == scene.now()
        assert scene.gate.count >= 3 * len(scene.plan)
        settled(scene, scene.path, back=False)
        assert scene.wanted == scene.now()
        settled(scene, scene.path, back=True)
        assert scene.before == scene.now()


# --- killed once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "forwards"),
    [
        pytest.param(plain, False, id="plain, before"),
        pytest.param(plain, True, id="plain, after"),
        pytest.param(twins, True, id="twins, after"),
    ],
)
@continued_or_inverted
def test_a_plan_killed_at_any_request_is_brought_to_its_end(
    nursery: Nursery, tmp_path: Path, kind: Desired, forwards: bool, back: bool
) -> None:
    """SIGKILL before or after each request of it; no webhook is there twice."""
    wrong = {}
    for at in itertools.count(1):
        with scene_of(nursery, kind, tmp_path) as scene:
            code = nursery.applies(scene, scene.path, at, forwards=forwards)
            if not scene.gate.killed.is_set():
                assert 0 == code
                break
            assert -signal.SIGKILL == code
            wrong |= _wrong(at, scene, scene.path, back=back)
    assert {} == wrong
    assert at > 3 * len(scene.plan)


@pytest.mark.parametrize(
    ("kind", "back"),
    [
        pytest.param(plain, False, id="plain, continued"),
        pytest.param(plain, True, id="plain, inverted"),
        pytest.param(twins, True, id="twins, inverted"),
    ],
)
def test_an_inverse_killed_after_any_request_is_brought_to_its_end(
    nursery: Nursery, tmp_path: Path, kind: Desired, back: bool
) -> None:
    """Taking back is a plan like any other, and taking that back leads to what the plan wanted."""
    wrong = {}
    for at in itertools.count(1):
        with scene_of(nursery, kind, tmp_path) as scene:
            path = tmp_path / f"inverse {at}.json"
            cx.Plan.load(scene.client, scene.path).apply()
            cx.Plan.load(scene.client, scene.path).invert().save(path)
            code = nursery.applies(scene, path, at, forwards=True)
            if not scene.gate.killed.is_set():
                assert 0 == code
                break
            assert -signal.SIGKILL == code
            scene.before, scene.wanted = scene.wanted, scene.before
            wrong |= _wrong(at, scene, path, back=back)
    assert {} == wrong
    assert at > 3 * len(scene.plan)


def _wrong(at: int, scene: Scene, path: Path, *, back: bool) -> dict[int, Any]:
    """What is not as it should be after the plan was brought to its end, if anything is."""
    try:
        settled(scene, path, back=back)
    except cx.CStarError as error:
        return {
            at: f"{error} {[(step.change.what, step.outcome, step.detail) for step in getattr(error, 'steps', ())]}"
        }
    expected, now = Counter(scene.before if back else scene.wanted), Counter(scene.now())
    return {} if expected == now else {at: {"missing": expected - now, "too much": now - expected}}


# --- killed more than once --------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("seed", range(2))
def test_a_plan_killed_again_and_again_is_brought_to_its_end(
    nursery: Nursery, tmp_path: Path, kind: Desired, seed: int
) -> None:
    """Killed, continued, killed, and in the end continued or taken back."""
    chance = random.Random(seed)
    with scene_of(nursery, kind, tmp_path) as scene:
        for _ in range(4):
            nursery.applies(scene, scene.path, chance.randint(1, 14), forwards=chance.random() < 0.6)
        back = chance.random() < 0.5
        assert {} == _wrong(0, scene, scene.path, back=back)
        assert [] == [name for name, count in scene.names().items() if count > (name in {"Twin", "New"}) + 1]


@every_kind
@pytest.mark.parametrize("seed", range(2))
def test_taking_back_that_is_killed_again_and_again_is_brought_to_its_end(
    nursery: Nursery, tmp_path: Path, kind: Desired, seed: int
) -> None:
    """The plan is killed in the middle, then its inverse, several times; the state is the first one in the end."""
    chance = random.Random(seed)
    with scene_of(nursery, kind, tmp_path) as scene:
        nursery.applies(scene, scene.path, chance.randint(4, 14), forwards=True)
        path = tmp_path / "inverse.json"
        cx.Plan.load(scene.client, scene.path).invert().save(path)
        for _ in range(4):
            nursery.applies(scene, path, chance.randint(1, 14), forwards=chance.random() < 0.6)
        scene.before, scene.wanted = scene.wanted, scene.before
        assert {} == _wrong(0, scene, path, back=False)
