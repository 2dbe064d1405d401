"""The listener's file: what cannot be used is refused and left unchanged, and a 2xx means that the delivery is in it."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.listeners import body_of, send


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "captures.db"
    with cx.Listener(path=path) as listener:
        for number in range(200):
            assert 200 == send(listener.url, body_of(f"evt_{number}", text="x" * 200))[0]
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    """A file with 200 deliveries."""
    return shutil.copy(original, tmp_path / "captures.db")


def refusal(path: Any) -> str:
    """The message with which a listener refuses the path."""
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.Listener(path=path)
    assert caught.value.advice
    return str(caught.value)


# --- what is not a listener's file


def make_text(path: Path) -> None:
    path.write_text("my notes\n" * 100)


def make_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE notes (text)")


def make_sandbox(path: Path) -> None:
    cx.Sandbox(path).close()


def make_short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


@pytest.mark.parametrize("make", [make_text, make_database, make_sandbox, make_short, os.mkfifo, Path.mkdir])
@pytest.mark.parametrize("through_link", [False, True])
def test_another_programs_path_is_refused_and_not_changed(
    tmp_path: Path, make: Callable[[Path], None], through_link: bool
) -> None:
    """Neither its content nor its mode."""
    path = tmp_path / "mine"
    make(path)
    path.chmod(0o755)
    before = (path.stat().st_mode, path.read_bytes() if path.is_file() else None)
    given = path
    if through_link:
        given = tmp_path / "link"
        given.symlink_to(path)
    refusal(given)
    assert before == (path.stat().st_mode, path.read_bytes() if path.is_file() else None)


def test_device_is_refused_and_not_changed() -> None:
    """Its mode would be changed for all programs."""
    before = Path("/dev/null").stat().st_mode
    assert "regular file" in refusal("/dev/null")
    assert before == Path("/dev/null").stat().st_mode


@pytest.mark.parametrize("path", [5, b"x", "nul\0", object(), "x" * 5_000])
def test_what_is_no_path_is_refused(path: Any) -> None:
    """With a CStarError."""
    refusal(path)


def test_empty_file_is_used(tmp_path: Path) -> None:
    """And made private."""
    path = tmp_path / "captures.db"
    path.touch(0o644)
    with cx.Listener(path=path) as listener:
        assert 200 == send(listener.url)[0]
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    with cx.Listener(path=path) as listener:
        assert 1 == len(listener.requests())


def test_name_that_sqlite_treats_specially_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`:memory:` keeps its data, also when the working directory changes meanwhile."""
    monkeypatch.chdir(tmp_path)
    with cx.Listener(path=":memory:") as listener:
        monkeypatch.chdir("/")
        assert 200 == send(listener.url)[0]
    with cx.Listener(path=tmp_path / ":memory:") as listener:
        assert 1 == len(listener.requests())


# --- damaged


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda content: content[: len(content) // 2], id="cut in half"),
        pytest.param(lambda content: content[:-1], id="cut by a byte"),
        pytest.param(lambda content: content[:100], id="only the header"),
        pytest.param(lambda content: content[:4096] + b"\xa5" * (len(content) - 4096), id="noise after the first page"),
        pytest.param(lambda content: content[:100] + b"\0" * (len(content) - 100), id="zeros"),
    ],
)
def test_damaged_file_is_refused_and_not_changed(path: Path, damage: Callable[[bytes], bytes]) -> None:
    """It may still be rescued."""
    content = damage(path.read_bytes())
    path.write_bytes(content)
    message = refusal(path)
    assert (True, True) == (str(path) in message, "damaged" in message)
    assert content == path.read_bytes()


def test_noise_anywhere_gives_no_other_error(path: Path) -> None:
    """Noise in a row's content is not found on opening."""
    content = path.read_bytes()
    for start in range(0, len(content), 1_500):
        path.write_bytes(content[:start] + b"\xa5" * 300 + content[start + 300 :])
        try:
            with cx.Listener(path=path) as listener:
                listener.to_frame()
                listener.requests()
        except errors.CStarError:
            pass


# --- other versions


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE requests DROP COLUMN query",
        "ALTER TABLE requests ADD COLUMN more TEXT",
        "ALTER TABLE requests RENAME COLUMN error TO failure",
    ],
)
def test_file_of_another_version_is_refused(path: Path, change: str) -> None:
    """It is not changed, so that the other version can still read it."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(change)
    content = path.read_bytes()
    assert "another version" in refusal(path)
    assert content == path.read_bytes()


# --- in use


def test_file_that_another_program_holds_is_refused_soon(path: Path) -> None:
    """With what to do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as browser:
        browser.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        assert "in use" in refusal(path)
        assert time.monotonic() - began < 3
    cx.Listener(path=path).close()


OPEN = """
import sys
import cstar_explore as cx
with cx.Listener(path=sys.argv[1]) as listener:
    print(listener.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def elsewhere(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a listener on the same file."""
    with subprocess.Popen(
        [sys.executable, "-c", OPEN, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_second_process_is_refused_and_loses_nothing(path: Path, elsewhere: subprocess.Popen[str]) -> None:
    """It can open the file once the first has closed it."""
    assert elsewhere.stdout is not None
    url = elsewhere.stdout.readline().strip()
    assert "in use" in refusal(path)
    assert 200 == send(url, body_of("evt_elsewhere"))[0]
    elsewhere.communicate()
    with cx.Listener(path=path) as listener:
        assert (201, "evt_elsewhere") == (len(listener.requests()), listener[201].event_id)


def test_second_listener_in_the_same_process_is_refused(path: Path) -> None:
    """The first keeps working, and the file is still locked for other processes."""
    with cx.Listener(path=path) as listener:
        assert "in use" in refusal(path)
        assert (200, 201) == (send(listener.url)[0], len(listener.requests()))
        other = subprocess.run(
            [sys.executable, "-c", OPEN, path], capture_output=True, text=True, input="", check=False
        )
        assert "in use" in other.stderr
    with cx.Listener(path=path) as listener:
        assert 201 == len(listener.requests())


def test_listener_that_could_not_start_leaves_the_file_free(path: Path) -> None:
    """The port was in use."""
    with cx.Listener() as other:
        port = int(other.url.split(":")[2].split("/")[0])
        with pytest.raises(errors.ConfigurationError, match=str(port)):
            cx.Listener(path=path, port=port)
    with cx.Listener(path=path) as listener:
        assert 200 == len(listener.requests())


# --- while it is open


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()


def delete_log(path: Path) -> None:
    Path(f"{path}-wal").unlink()


def replace(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


def move_folder(path: Path) -> None:
    path.parent.rename(f"{path.parent}-moved")


@pytest.mark.parametrize("remove", [delete, delete_all, delete_log, replace, move_folder])
def test_delivery_is_not_answered_2xx_once_the_file_is_gone(path: Path, remove: Callable[[Path], None]) -> None:
    """What was stored before can still be read. `wait_for` reports the reason."""
    with cx.Listener(path=path) as listener:
        assert 200 == send(listener.url)[0]
        remove(path)
        assert [503, 503] == [send(listener.url, body_of("evt_lost"))[0] for _ in range(2)]
        assert 201 == len(listener.to_frame())
        with pytest.raises(errors.NotReceivedError, match=r"2 not stored: .*deleted or replaced"):
            listener.wait_for("evt_lost", timeout=0)


def test_delivery_is_not_answered_2xx_if_the_file_is_deleted_while_its_handler_runs(path: Path) -> None:
    """The handler has run, but the delivery is in no file."""
    with cx.Listener(path=path, handler=lambda _: path.unlink()) as listener:
        assert 503 == send(listener.url, body_of())[0]


FULL = """
import resource, signal, sys
import cstar_explore as cx
from tests.support.listeners import body_of, send
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with cx.Listener(path=sys.argv[1]) as listener:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    full = [send(listener.url, b"%d" % number * 10_000)[0] for number in range(9)] + [
        send(listener.url, b"%d" % number * 100_000)[0] for number in range(9)
    ]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
    print(*full, send(listener.url, b"after")[0])
"""


def test_full_disk_gives_503_and_loses_nothing(tmp_path: Path) -> None:
    """With space again, deliveries are stored again."""
    path = tmp_path / "captures.db"
    ran = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, timeout=20, check=False)
    statuses = [int(status) for status in ran.stdout.split()]
    assert ({200, 503}, 200) == (set(statuses), statuses[-1]), ran.stderr
    with cx.Listener(path=path) as listener:
        assert statuses.count(200) == [request.answered for request in listener.requests()].count(200)
        assert b"after" == listener.requests()[-1].body


def test_closed_listener_says_so() -> None:
    """With a CStarError, in every method."""
    listener = cx.Listener()
    listener.close()
    calls: list[Callable[[], object]] = [
        listener.to_frame,
        listener.requests,
        lambda: listener[1],
        lambda: listener.wait_for("ticket.created", timeout=0),
        lambda: listener.replay([], "http://127.0.0.1/"),
    ]
    for call in calls:
        with pytest.raises(errors.ConfigurationError, match="closed"):
            call()


def test_deliveries_during_a_wait_are_stored_by_many_threads(path: Path) -> None:
    """The database has one connection, used by all."""
    with cx.Listener(path=path) as listener, ThreadPoolExecutor(8) as executor:
        frames = [executor.submit(listener.to_frame) for _ in range(5)]
        statuses = list(executor.map(lambda number: send(listener.url, body_of(f"evt_new_{number}"))[0], range(40)))
        assert ({200}, 240) == (set(statuses), len(listener.requests()))
        assert all(len(frame.result()) >= 200 for frame in frames)
