"""Reads untrusted text files, with a size limit."""

from pathlib import Path

from .errors import ConfigurationError
from .text import printable

MAX_FILE = 64 * 2**20  # bytes: 10,000 webhooks are about 3 MB


def read_text(path: str | Path, max_bytes: int = MAX_FILE) -> str:
    """The text of a file from an untrusted source.

    Raises:
        ConfigurationError: The file cannot be read, is not UTF-8, or is larger than `max_bytes`.
    """
    content = bytearray()
    try:
        with Path(path).open("rb") as file:
            while len(content) <= max_bytes and (part := file.read(2**16)):
                content += part
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from None
    if len(content) > max_bytes:
        raise unreadable(path, f"it is larger than {max_bytes:,} bytes")
    try:
        return content.decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError:
        raise unreadable(path, "it is not UTF-8 text") from None


def unreadable(path: str | Path, reason: str) -> ConfigurationError:
    """The error for a file that cannot be used."""
    return ConfigurationError(
        f"{printable(path, 200)} cannot be read: {reason}.", advice="Fix the file or choose another."
    )
