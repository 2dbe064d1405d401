"""A SQLite database in memory, or in a file that only its owner can read.

One connection in WAL mode, one writer at a time. Committed data survives a killed process (`synchronous=NORMAL`).
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
    """Opens or creates the file, with the tables of `schema`.

    Args:
        path: The file; None keeps the data in memory.
        schema: `CREATE TABLE IF NOT EXISTS …` statements.
        kind: Four bytes for the file's header (SQLite's `application_id`) that identify this kind of file.

    Raises:
        ConfigurationError: The file is of another kind or cannot be opened. It is not changed.
    """

    def __init__(self, path: str | Path | None, schema: str, kind: bytes) -> None:
        if path is not None:
            _prepare_file(Path(path), kind)
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._lock = threading.RLock()
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute(f"PRAGMA application_id = {int.from_bytes(kind, 'big')}")
        self._db.executescript(schema)
        # Moves the application_id from the log into the file itself.
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction: commits at the end, or rolls back if an exception is raised."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Runs a statement with its parameters. Outside of `writing` it commits by itself."""
        with self._lock:
            return self._db.execute(statement, values).fetchall()

    def close(self) -> None:
        """Closes the file. A second call does nothing."""
        with self._lock:
            self._db.close()


def _prepare_file(path: Path, kind: bytes) -> None:
    """Creates the file or checks its kind, and makes it private. SQLite gives its side files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_size and _kind_of(path) != kind:
            raise ConfigurationError(
                f"{path} is another program's file. It was not changed.", advice="Choose another path."
            )
        path.chmod(0o600)
    except OSError as error:
        raise ConfigurationError(
            f"Cannot open {path}: {error.strerror}.", advice="Choose a path in a folder you can write to."
        ) from None


def _kind_of(path: Path) -> bytes:
    """SQLite's `application_id`: the four bytes at offset 68 (SQLite file format, section 1.3)."""
    with path.open("rb") as file:
        header = file.read(72)
    return header[68:72] if header.startswith(b"SQLite format 3\0") else b""
