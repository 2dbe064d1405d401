"""Reads untrusted text files, with a size limit, and writes files as a whole or not at all."""

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from .errors import ConfigurationError
from .secret import Secret
from .text import printable

MAX_FILE = 64 * 2**20  # bytes: 10,000 webhooks are about 3 MB

Content = str | bytes | Secret
T = TypeVar("T")


def read_bytes(path: str | Path, max_bytes: int = MAX_FILE) -> bytes:
    """The content of a file.

    Raises:
        ConfigurationError: The file cannot be read, or is larger than `max_bytes`.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from None
    if len(content) > max_bytes:
        raise unreadable(path, f"it is larger than {max_bytes:,} bytes")
    return content


def read_text(path: str | Path, max_bytes: int = MAX_FILE) -> str:
    """The text of a file from an untrusted source.

    Raises:
        ConfigurationError: The file cannot be read, is neither UTF-8 nor UTF-16 with a byte order mark, or is larger than
            `max_bytes`.
    """
    content = read_bytes(path, max_bytes)
    # Excel's "Unicode text" is UTF-16.
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        raise unreadable(path, "it is not UTF-8 text") from None


def read_saved(
    path: str | Path, what: str, head: Mapping[str, object], read: Callable[[Any], T], max_bytes: int = MAX_FILE
) -> T:
    """What `read` makes of a JSON file that this package saved, such as a plan.

    Args:
        path: The file.
        what: What it is, for messages.
        head: What it must have, its `kind` and `version`.
        read: Takes the content. It may raise whatever a value of another form leads to.
        max_bytes: The maximum size of the file.

    Raises:
        ConfigurationError: The file cannot be read, or has another kind, version or form.
    """
    try:
        content = json.loads(read_text(path, max_bytes))
        if {name: content[name] for name in head} != head:
            raise unreadable(path, f"it is not a {what} of this version")
        return read(content)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise unreadable(path, f"it is not a {what}") from None


def replace_file(path: str | Path, content: Content, *, private: bool = False) -> None:
    """Writes a file. Until everything is on the disk, an existing file keeps its name and content.

    A symbolic link is followed. A device or pipe is written to.

    Args:
        path: Where to write.
        content: Text is written as UTF-8.
        private: Makes the file readable by its owner only (0600). Otherwise it keeps its mode.

    Raises:
        ConfigurationError: It cannot be written. The old file is unchanged, and nothing else is left behind.
    """
    with _errors_for(path):
        target = Path(os.path.realpath(path))
        mode = target.stat().st_mode if target.exists() else None
        if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            target.write_bytes(_encoded(content))
            return
        with _temporary(target, content, 0o600 if private else mode) as temporary:
            temporary.replace(target)
        _sync_folder(target)


def write_new_file(path: str | Path, content: Content, *, existing: str) -> None:
    """Writes a file that does not exist yet, readable by its owner only (0600).

    Args:
        path: Where to write. A symbolic link is not followed.
        content: Text is written as UTF-8.
        existing: Why an existing file is not overwritten, as the end of a sentence.

    Raises:
        ConfigurationError: The path exists, or cannot be written. Nothing is left behind.
    """
    refused = ConfigurationError(
        f"{printable(path, 200)} exists and was not overwritten: {existing}.", advice="Choose another name."
    )
    with _errors_for(path):
        target = Path(path).absolute()
        with _temporary(target, content, 0o600) as temporary:
            try:
                os.link(temporary, target)
            except OSError:  # it exists by now, or this file system has no hard links
                if os.path.lexists(target):
                    raise refused from None
                temporary.rename(target)
        _sync_folder(target)


def unreadable(path: str | Path, reason: str) -> ConfigurationError:
    """The error for a file that cannot be used."""
    return ConfigurationError(
        f"{printable(path, 200)} cannot be read: {reason}.", advice="Fix the file or choose another."
    )


@contextlib.contextmanager
def _errors_for(path: str | Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{printable(path, 200)} cannot be written: {getattr(error, 'strerror', None) or error}.",
            advice="Choose a path in a folder that you can write to, on a disk with free space.",
        ) from None


@contextlib.contextmanager
def _temporary(target: Path, content: Content, mode: int | None) -> Iterator[Path]:
    """A complete file beside the target, on the same file system. It is removed unless it was renamed."""
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        # Without an existing file, the kernel applies the process's umask.
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666 if mode is None else 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(_encoded(content))
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(stat.S_IMODE(mode))
        yield temporary
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _encoded(content: Content) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content.reveal() if isinstance(content, Secret) else content).encode("utf-8", "surrogatepass")


def _sync_folder(path: Path) -> None:
    """Makes the new name survive a power failure, where the system can sync folders."""
    with contextlib.suppress(OSError):
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
