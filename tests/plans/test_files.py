"""Files are replaced as a whole: after any failure, interrupt or kill, the old content or the new one is there."""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cstar_explore as cx
from cstar_explore import errors, files
from tests.plans.storing_server import item, storing

OLD, NEW = "old content", "new content " * 50
CALLS = ["open", "fdopen", "fsync", "chmod", "replace", "link", "unlink"]


def writers(path: Path) -> list[tuple[str, Callable[[], object]]]:
    """Each way in which the package writes a file of a plan."""
    hooks = cx.WebhookList([item(1), item(2)])
    return [
        ("replace", lambda: files.replace_file(path, NEW)),
        ("replace private", lambda: files.replace_file(path, cx.Secret(NEW), private=True)),
        ("new", lambda: files.write_new_file(path, NEW, existing="it exists")),
        ("csv", lambda: hooks.to_csv(path)),
    ]


def broken_call(
    monkeypatch: pytest.MonkeyPatch, name: str, failure: Callable[[], object], number: int = 1
) -> list[int]:
    """Makes the call of `os` with this number fail. Returns a list with an entry for each call."""
    real, calls = getattr(os, name), []

    def call(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == number:
            failure()
        return real(*args, **options)

    monkeypatch.setattr(os, name, call)
    return calls


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("writer", range(4), ids=["replace", "replace private", "new", "csv"])
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), id="full disk"),
        pytest.param(OSError(errno.EIO, "Input/output error"), id="broken disk"),
        pytest.param(KeyboardInterrupt(), id="interrupt"),
    ],
)
def test_a_failure_at_any_call_leaves_the_old_file_or_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, writer: int, error: BaseException
) -> None:
    """No half file, and no other file is left, unless removing it is what fails. A failure of the system is a CStarError."""
    path = tmp_path / "file"
    existed = writer != 2
    if existed:
        path.write_text(OLD)
    broken_call(monkeypatch, name, raising(error))
    try:
        writers(path)[writer][1]()
    except errors.ConfigurationError:
        assert isinstance(error, OSError)
    except KeyboardInterrupt:
        assert isinstance(error, KeyboardInterrupt)
    monkeypatch.undo()
    content = path.read_text("utf-8-sig") if path.exists() else None
    assert content in (
        OLD if existed else None,
        NEW,
        cx.csv_files.csv_text(cx.WebhookList([item(1), item(2)]).to_frame()).replace("\r\n", "\n")
        if writer == 3
        else NEW,
    )
    if name != "unlink":
        assert {path.name} >= {entry.name for entry in tmp_path.iterdir()}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("writer", range(3), ids=["replace", "replace private", "new"])
def test_a_process_killed_at_any_call_leaves_the_old_file_or_the_new_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, writer: int
) -> None:
    """A temporary file may stay; it has another name, and the next write does not need it."""
    path = tmp_path / "file"
    if writer != 2:
        path.write_text(OLD)
    if not (child := os.fork()):
        broken_call(monkeypatch, name, lambda: os._exit(7))
        writers(path)[writer][1]()
        os._exit(0)
    os.waitpid(child, 0)
    content = path.read_text() if path.exists() else None
    assert content in (OLD if writer != 2 else None, NEW)
    files.replace_file(path, "next")
    assert "next" == path.read_text()


def test_a_write_that_fails_halfway_leaves_the_old_file(tmp_path: Path) -> None:
    """As on a full disk, where a part of the content is written."""
    resource = pytest.importorskip("resource")
    signal = pytest.importorskip("signal")
    path = tmp_path / "file"
    path.write_text(OLD)
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, before[1]))
    try:
        with pytest.raises(errors.ConfigurationError, match="free space"):
            files.replace_file(path, "x" * 100_000)
        with pytest.raises(errors.ConfigurationError, match="free space"):
            files.write_new_file(tmp_path / "new", "x" * 100_000, existing="it exists")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert ([path], OLD) == (list(tmp_path.iterdir()), path.read_text())


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077], ids=oct)
def test_the_mode_is_the_users_choice(tmp_path: Path, mask: int) -> None:
    """A new file has the umask's, a replaced one keeps its own, a private one is 0600."""
    old = os.umask(mask)
    try:
        for name in ("new", "old", "private"):
            if name == "old":
                (tmp_path / name).write_text(OLD)
                (tmp_path / name).chmod(0o640)
            files.replace_file(tmp_path / name, NEW, private=name == "private")
    finally:
        os.umask(old)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("new", "old", "private")]
    assert [0o666 & ~mask, 0o640, 0o600] == modes


def test_a_symbolic_link_is_followed_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    """The link stays a link. A device or pipe has no old content to keep."""
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    files.replace_file(link, NEW)
    assert (NEW, True) == (target.read_text(), link.is_symlink())
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_text()))
    reader.start()
    files.replace_file(pipe, NEW)
    reader.join(5)
    assert ([NEW], True) == (received, stat.S_ISFIFO(pipe.stat().st_mode))


@pytest.mark.parametrize("path", ["missing/x", ".", "", "a\x00b", "x" * 5_000, "file/x"])
def test_a_path_that_cannot_be_written_is_a_cstar_error(tmp_path: Path, path: str) -> None:
    """Whichever function writes. Nothing is left behind."""
    (tmp_path / "file").write_text(OLD)
    for write in (
        lambda: files.replace_file(f"{tmp_path}/{path}", NEW),
        lambda: cx.WebhookList([]).to_csv(f"{tmp_path}/{path}"),
    ):
        with pytest.raises(errors.ConfigurationError):
            write()
    assert [tmp_path / "file"] == list(tmp_path.iterdir())


def test_no_frame_of_an_error_shows_a_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Tracebacks may show local variables. The content stays a Secret until it is written."""
    broken_call(monkeypatch, "fsync", raising(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(errors.ConfigurationError) as caught:
        files.write_new_file(tmp_path / "s.env", cx.Secret("neverShown"), existing="it exists")
    error: BaseException | None = caught.value
    seen = []
    while error is not None:
        traceback = error.__traceback__
        while traceback is not None:
            if Path(traceback.tb_frame.f_code.co_filename).name == "files.py":
                seen.append(repr(traceback.tb_frame.f_locals))
            traceback = traceback.tb_next
        error = error.__context__
    assert (True, False) == (len(seen) > 1, "neverShown" in "".join(seen))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("killed", [False, True], ids=["interrupted", "killed"])
def test_a_save_or_record_that_ends_early_leaves_a_plan_or_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, number: int, killed: bool
) -> None:
    """Whether in `save` or while `apply` records what it created. Nothing is created twice afterwards."""
    path = tmp_path / "plan.json"
    desired = pd.DataFrame(
        [{"name": f"N{n}", "url": f"https://example.com/{n}", "events": "ticket.created"} for n in (1, 2)]
    )
    with storing() as (server, client):
        plan = cx.plan(client, desired)
        if killed:
            if not (child := os.fork()):
                with server.client() as own:
                    plan.client = own
                    broken_call(monkeypatch, name, lambda: os._exit(7), number)
                    plan.save(path).apply()
                os._exit(0)
            os.waitpid(child, 0)
        else:
            broken_call(monkeypatch, name, raising(KeyboardInterrupt()), number)
            with contextlib.suppress(KeyboardInterrupt):
                plan.save(path).apply()
            monkeypatch.undo()
        if not path.exists():
            assert [] == server.names()
            plan.save(path)
        assert True is cx.Plan.load(client, path).apply().finished
        assert ["N1", "N2"] == server.names()
