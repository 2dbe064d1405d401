"""A SQLite database in memory, or in a file that only its owner can read and only one process can open.

One connection in WAL mode, one writer at a time. Committed data survives a killed process (`synchronous=NORMAL`).
"""

import contextlib
import os
import sqlite3
import stat
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..text import printable

LOCK_TIMEOUT = 1.0  # seconds to wait for a process that is just closing the file

_OTHER_PATH = "Choose another path."
_WRITABLE = "Choose a path in a folder you can write to."
_IN_USE = "Close it there, or choose another path."
_MOVE_AWAY = "Move it away, or choose another path."

# The databases that were opened in this process, by the device and inode of their file. If a process opens and closes a file once
# more, the system drops its locks (POSIX), so such a file must not even be looked into.
_databases: "weakref.WeakValueDictionary[tuple[int, int], Database]" = weakref.WeakValueDictionary()
_opening = threading.Lock()


class Database:
    """Opens or creates the file, with the tables of `schema`.

    Args:
        path: The file; None keeps the data in memory. An empty file is used as if it were new.
        schema: `CREATE TABLE IF NOT EXISTS …` statements.
        kind: Four bytes for the file's header (SQLite's `application_id`) that identify this kind of file.

    Raises:
        ConfigurationError: The file is of another kind or version, damaged, in use or cannot be opened. It is not changed. All
            methods but `close` raise it too: the disk is full, the file was deleted, or this is a forked process.
    """

    def __init__(self, path: str | Path | None, schema: str, kind: bytes) -> None:
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._files: dict[Path, tuple[int, int]] = {}
        self.closed = False
        with _opening:
            self._path = None if path is None else _prepare_file(path, kind)
            self._db = sqlite3.connect(
                self._path or ":memory:", timeout=LOCK_TIMEOUT, check_same_thread=False, isolation_level=None
            )
            try:
                with self._errors():
                    self._open(schema, kind)
            except ConfigurationError:
                self._db.close()
                raise
            self._db.row_factory = sqlite3.Row

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: commits at the end, or rolls back if an exception is raised."""
        with self._locked():
            self._run("BEGIN IMMEDIATE")
            try:
                yield
                self._run("COMMIT")
            except BaseException:
                # SQLite itself rolls back after some errors, such as a full disk.
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                raise

    def run(self, statement: str, *values: Any, **named: Any) -> list[sqlite3.Row]:
        """Runs a statement with its parameters, by position or by name. Outside of `writing` it commits by itself."""
        with self._locked():
            return self._run(statement, named or values)

    def insert(self, table: str, **values: Any) -> None:
        """Adds a row with these values."""
        self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES (:{', :'.join(values)})", **values)  # noqa: S608 - names

    def close(self) -> None:
        """Closes the file. In a forked process and at a second call, does nothing."""
        if os.getpid() == self._process:
            with self._lock:
                self.closed = True
                with contextlib.suppress(sqlite3.Error):  # such as a full disk; what was committed stays in the log
                    self._db.close()

    def _open(self, schema: str, kind: bytes) -> None:
        # Keeps the file locked until it is closed: two processes would count the same ids.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        [[finding]] = self._db.execute("PRAGMA quick_check(1)").fetchall()
        if finding != "ok":
            raise self._error("is damaged", _MOVE_AWAY)
        self._check_version(schema)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA application_id = {int.from_bytes(kind, 'big')}")
        self._db.executescript(schema)
        # Moves the application_id from the log into the file itself.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if self._path is not None:
            self._files = {path: _identity(path) for path in (self._path, Path(f"{self._path}-wal"))}
            _databases[self._files[self._path]] = self

    def _check_version(self, schema: str) -> None:
        """Compares the tables that the file has with those of the schema."""
        tables = self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        if not tables:
            return
        with contextlib.closing(sqlite3.connect(":memory:")) as expected:
            expected.executescript(schema)
            for (table,) in tables:
                columns = expected.execute(f"PRAGMA table_info({table})").fetchall()
                if columns and columns != self._db.execute(f"PRAGMA table_info({table})").fetchall():
                    raise self._error(
                        "was written by another version of cstar_explore", "Choose another path, or use that version."
                    )

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # A forked process has a copy of the lock, which a thread of the first process may have held.
        if os.getpid() != self._process:
            message = f"The sandbox or listener runs in process {self._process}, and this is process {os.getpid()}, forked from it."
            raise ConfigurationError(message, advice="Use it in its own process, or open a new one here.")
        with self._lock:
            if self.closed:
                raise ConfigurationError("The sandbox or listener is closed.", advice="Open a new one.")
            yield

    def _run(self, statement: str, values: tuple[Any, ...] | dict[str, Any] = ()) -> list[sqlite3.Row]:
        if not statement.startswith("SELECT"):
            self._check_files()
        with self._errors():
            return self._db.execute(statement, values).fetchall()

    def _check_files(self) -> None:
        """SQLite would go on writing to a file that has no name any more."""
        for path, identity in self._files.items():
            if _identity(path) != identity:
                advice = "Close the sandbox or listener and open a new one."
                raise self._error("was deleted or replaced while it was open", advice)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raises SQLite's errors as `ConfigurationError`."""
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            for prefixes, problem, advice in _PROBLEMS:
                if name.startswith(prefixes):
                    raise self._error(problem, advice) from None
            raise self._error(f"cannot be used: {printable(error, 200)}", _OTHER_PATH) from None

    def _error(self, problem: str, advice: str) -> ConfigurationError:
        return ConfigurationError(f"{self._path or 'The database in memory'} {problem}.", advice=advice)


_PROBLEMS = (
    (("SQLITE_BUSY", "SQLITE_LOCKED"), "is in use by another sandbox, listener or program", _IN_USE),
    (("SQLITE_FULL", "SQLITE_IOERR_WRITE"), "cannot grow: the disk is full", "Free some space, and try again."),
    (("SQLITE_CORRUPT", "SQLITE_NOTADB"), "is damaged", _MOVE_AWAY),
    (("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_CANTOPEN"), "cannot be written", _WRITABLE),
)


def _prepare_file(path: str | Path, kind: bytes) -> Path:
    """Creates the file or checks its kind, and makes it private. SQLite gives its side files the same mode.

    Returns:
        The absolute path, so that a later change of the working directory does not matter.
    """
    try:
        file = Path(path).absolute()
        if not file.exists():
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        if problem := _problem(file, kind):
            raise ConfigurationError(f"{file} {problem[0]}. It was not changed.", advice=problem[1])
        if stat.S_IMODE(file.stat().st_mode) != 0o600:
            file.chmod(0o600)
    except (OSError, TypeError, ValueError) as error:  # TypeError: not a path; ValueError: NUL in it
        reason = printable(getattr(error, "strerror", error))
        raise ConfigurationError(f"Cannot open {printable(path, 200)}: {reason}.", advice=_WRITABLE) from None
    return file


def _problem(file: Path, kind: bytes) -> tuple[str, str] | None:
    """What is wrong with a file, and what to do. See the SQLite file format, sections 1.3 and 4."""
    if not stat.S_ISREG(file.stat().st_mode):
        return "is not a regular file but a folder, pipe or device", _OTHER_PATH
    other = _databases.get(_identity(file))
    if other is not None and not other.closed:
        return "is in use by another sandbox or listener in this process", _IN_USE
    with file.open("rb") as opened:
        header = opened.read(72)
    if header and (not header.startswith(b"SQLite format 3\0") or header[68:72] != kind):  # `application_id`
        return "is another program's file", _OTHER_PATH
    page_size = int.from_bytes(header[16:18], "big") or 1  # 1 also stands for 65,536
    log = Path(f"{file}-wal")
    # SQLite reads the rest of a page as zeros, unless the log has the page.
    if file.stat().st_size % page_size and not (log.exists() and log.stat().st_size):
        return "is damaged", _MOVE_AWAY
    return None


def _identity(path: Path) -> tuple[int, int]:
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return 0, 0
