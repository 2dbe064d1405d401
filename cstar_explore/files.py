"""Reading and writing files: text that someone else may have written, with a size limit."""

from pathlib import Path

from .errors import ConfigurationError
from .text import printable

MAX_FILE = 64 * 2**20  # bytes: 10,000 webhooks are about 3 MB


def read_text(path: str | Path, most: int = MAX_FILE) -> str:
    """The text of a file that somebody else may have written.

    Raises:
        ConfigurationError: It cannot be read, is not UTF-8, or has more than `most` bytes.
    """
    content = bytearray()
    try:
        with Path(path).open("rb") as file:
            while len(content) <= most and (part := file.read(2**16)):
                content += part
    except (OSError, ValueError) as error:
        raise unreadable(path, getattr(error, "strerror", None) or str(error)) from None
    if len(content) > most:
        raise unreadable(path, f"it has more than {most:,} bytes")
    try:
        return content.decode("utf-8-sig", "surrogatepass")
    except UnicodeDecodeError:
        raise unreadable(path, "it is not text in UTF-8") from None


def unreadable(path: str | Path, why: str) -> ConfigurationError:
    """The error for a file that cannot be used."""
    return ConfigurationError(f"{printable(path, 200)} cannot be read: {why}.", advice="Give another file, or mend it.")
