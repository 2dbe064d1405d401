"""A small SQLite database, in memory or in a file that only its owner can read.

WAL, one connection, one writer at a time. What was committed survives the death of the process (`synchronous=NORMAL`).
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError


class Database:
    """Opens the file, or makes it, with the tables of `schema`.

    Args:
        path: The file; None keeps all in memory.
        schema: `CREATE TABLE IF NOT EXISTS …` statements.
        kind: Four letters written into the file's header, by which one kind of file is told from another.

    Raises:
        ConfigurationError: The file is another program's, or cannot be opened. It is left as it is.
    """

    def __init__(self, path: str | Path | None, schema: str, kind: bytes) -> None:
        if path is not None:
            _make_private(Path(path), kind)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA application_id = {int.from_bytes(kind, 'big')}")
        self._db.executescript(schema)
        # So that the file's own header says whose it is, and not only the log beside it.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All or nothing of what happens inside, committed at its end."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs a statement with its parameters; outside of `writing` it commits by itself."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def close(self) -> None:
        """Closes the file. A second call does nothing."""
        with self._lock:
            self._db.close()


def _make_private(path: Path, kind: bytes) -> None:
    """The file exists, is of this kind or empty, and is its owner's alone. SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_size and _kind_of(path) != kind:
            raise ConfigurationError(
                f"{path} is another program's file, and was left as it is.", advice="Give another path."
            )
        path.chmod(0o600)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be opened: {error.strerror}.", advice="Give a path in a folder you may write to."
        ) from None


def _kind_of(path: Path) -> bytes:
    """SQLite's `application_id`: four bytes at place 68 of the file (its file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(72)
    return header[68:72] if header.startswith(b"SQLite format 3\0") else b""
