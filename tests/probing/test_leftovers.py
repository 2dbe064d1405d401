"""The probe leaves nothing behind, however it ends, and touches no webhook that it did not make."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import cstar_explore as cx
from cstar_explore.errors import ConfigurationError
from cstar_explore.probing import session
from tests.probing.stand_in import SECRET_KEY, TEAM, Request, StandIn, Webhook
from tests.support.sampling import SEED, sample

_CHILD = """
import resource, signal, sys
import cstar_explore as cx

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))  # as if the disk were full
url, key, team, fire, full = sys.argv[1:]
if full:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
with cx.Client(key, team, url) as client, cx.Listener() as listener:
    print(cx.probe(client, listener if fire else None, fire=bool(fire), confirm=True))
"""
_SIMILAR = "cstar_explore probe x"
_CUT = {"list_pages": "another number", "pagination": "nowhere"}  # what was left is on a later page


class Kill(NamedTuple):
    """When a probe is ended by which signal: before or after the effect of a request."""

    number: int
    when: str
    fire: bool
    signal: signal.Signals


KILLS = [
    Kill(number, when, fire, ended_by)
    for fire, count in ((False, 84), (True, 96))
    for number in range(1, count)
    for when in ("before", "after")
    for ended_by in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
]


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(session, "_PAUSE", 0.01)


def _start(stand_in: StandIn, *, fire: bool = False, full: bool = False) -> "subprocess.Popen[str]":
    arguments = [stand_in.url, SECRET_KEY, TEAM, "fire" if fire else "", "full" if full else ""]
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _CHILD, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _at(number: int, when: str, action: Callable[[], object]) -> Callable[[Request, str], object]:
    """A hook that acts at this request."""
    return lambda request, now: action() if (request.number, now) == (number, when) else None


def _probe(stand_in: StandIn, **options: Any) -> cx.ProbeResult:
    with cx.Client(SECRET_KEY, TEAM, stand_in.url) as client:
        return cx.probe(client, confirm=True, **options)


def _with_similar_name(stand_in: StandIn) -> list[tuple[Any, ...]]:
    """Adds webhooks of another user; returns all webhooks as they are."""
    for name in (_SIMILAR, "cstar_explore probe 0123456789ab"):
        webhook = Webhook(name, "https://somebody-else.example.com", ["ticket.created"])
        stand_in.webhooks.insert(0, webhook)
        stand_in.before.append(webhook.id)
    return _states(stand_in)


def _states(stand_in: StandIn) -> list[tuple[Any, ...]]:
    return [(each.id, each.name, each.url, tuple(each.events), each.active, each.updated) for each in stand_in.webhooks]


def _killed(kill: Kill) -> list[str]:
    """What is wrong after a signal and the next run. After Ctrl+C, the probe itself removes what it made."""
    with StandIn(_CUT, existing=23) as stand_in:
        before = _with_similar_name(stand_in)
        child = _start(stand_in, fire=kill.fire)
        stand_in.hook = _at(kill.number, kill.when, lambda: os.kill(child.pid, kill.signal))
        child.communicate(timeout=120)
        stand_in.hook = lambda _request, _when: None
        wrong = [] if child.returncode == -kill.signal or len(stand_in.requests) < kill.number else ["not killed"]
        if kill.signal is signal.SIGINT:
            wrong += [f"left {each.name} at once" for each in stand_in.left]
        wrong += [f"named {each.name}" for each in stand_in.left if not each.name.startswith("cstar_explore probe ")]
        result = _probe(stand_in)
        wrong += [f"left {each.name}" for each in stand_in.left] + [f"may be left: {name}" for name in result.left]
        return wrong if _states(stand_in) == before else [*wrong, "another webhook was touched"]


def test_a_probe_that_is_ended_leaves_what_the_next_one_removes() -> None:
    """At every request, before and after its effect, by every signal. Webhooks with similar names stay."""
    by_signal = [
        [kill for kill in KILLS if kill.signal is each] for each in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
    ]
    kills = [kill for kills in by_signal for kill in sample(kills, 1, name="kills")]
    print(f"{len(kills)} of {len(KILLS)} kills, seed {SEED}")  # noqa: T201
    with ThreadPoolExecutor(4) as executor:
        wrong = dict(zip(kills, executor.map(_killed, kills), strict=True))
    assert not {kill: lines for kill, lines in wrong.items() if lines}


def test_ctrl_c_ends_a_probe_that_leaves_nothing() -> None:
    """The KeyboardInterrupt comes through."""
    with StandIn() as stand_in:
        before = _with_similar_name(stand_in)
        child = _start(stand_in)
        stand_in.hook = _at(30, "after", lambda: os.kill(child.pid, signal.SIGINT))
        _, errors = child.communicate(timeout=120)
        assert "KeyboardInterrupt" in errors
        assert _states(stand_in) == before
    assert not list(Path(os.environ["XDG_STATE_HOME"]).rglob("*.db"))


def test_a_full_disk_is_an_error_before_anything_is_created() -> None:
    """A file cannot grow."""
    with StandIn() as stand_in:
        child = _start(stand_in, full=True)
        _, errors = child.communicate(timeout=120)
        assert "ConfigurationError" in errors
        assert not [request for request in stand_in.requests if request.method != "GET"]


def test_a_disk_that_gets_full_ends_a_probe_that_leaves_nothing() -> None:
    """A name that is not on the disk is not used, and what was created is removed."""
    with StandIn() as stand_in:
        before = _states(stand_in)
        child = _start(stand_in)
        stand_in.hook = _at(20, "before", lambda: os.kill(child.pid, signal.SIGUSR1))
        _, errors = child.communicate(timeout=120)
        assert "ConfigurationError" in errors
        assert _states(stand_in) == before


def test_a_folder_that_cannot_be_made_is_an_error_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice names the setting."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with StandIn() as stand_in, pytest.raises(ConfigurationError, match="XDG_STATE_HOME"):
        _probe(stand_in)
    assert not stand_in.requests


def test_the_journal_is_private_has_names_only_and_is_gone_in_the_end(tmp_path: Path) -> None:
    """It is read while the probe waits for a response; a second probe of the team is refused meanwhile."""
    waiting, ready = threading.Event(), threading.Event()

    def wait() -> None:
        ready.set()
        waiting.wait(60)

    with StandIn() as stand_in, ThreadPoolExecutor(1) as executor:
        stand_in.hook = _at(20, "after", wait)
        child = _start(stand_in)
        ended = executor.submit(child.communicate, timeout=120)
        try:
            assert ready.wait(60)
            (journal,) = tmp_path.rglob("*.db")
            assert stat.S_IMODE(journal.stat().st_mode) == 0o600
            assert stat.S_IMODE(journal.parent.stat().st_mode) == 0o700
            content = b"".join(file.read_bytes() for file in journal.parent.iterdir())
            assert not [part for part in (SECRET_KEY, TEAM, "http", "whk_", "whsec_") if part.encode() in content]
            sent = len(stand_in.requests)
            with pytest.raises(ConfigurationError):
                _probe(stand_in)
            assert len(stand_in.requests) == sent
        finally:
            waiting.set()
        ended.result()
        assert child.returncode == 0
        assert not stand_in.left
    assert not list(tmp_path.rglob("*.db*"))


def test_a_journal_of_another_program_is_an_error_and_stays(tmp_path: Path) -> None:
    """The file is not changed, and nothing is sent."""
    with StandIn() as stand_in:
        stand_in.fault = lambda request: "500" if request.number > 20 else ""
        _probe(stand_in)  # leaves a journal
        (journal,) = tmp_path.rglob("*.db")
        journal.unlink()
        with sqlite3.connect(journal) as database:
            database.execute("CREATE TABLE of_another_program (value TEXT)")
        database.close()
        content, sent = journal.read_bytes(), len(stand_in.requests)
        with pytest.raises(ConfigurationError):
            _probe(stand_in)
        assert journal.read_bytes() == content
        assert len(stand_in.requests) == sent
