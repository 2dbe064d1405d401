"""Commands for bash that contain any bytes."""

import re
from collections.abc import Sequence


def curl_command(words: Sequence[str]) -> str:
    """A curl command of quoted words, one to a line."""
    return "curl " + " \\\n  ".join(words)


def quoted(value: str | bytes) -> str:
    """The value as a word of bash: in quotes if it is printable text, else in `$'…'` with escapes."""
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and text:
        return "'" + text.replace("'", "'\\''") + "'"
    return "$'" + "".join(map(_ESCAPES.__getitem__, content)) + "'"


_ESCAPES = [
    f"\\{chr(byte)}" if chr(byte) in "\\'" else chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}"
    for byte in range(256)
]


def printf_format(content: bytes) -> str:
    """The bytes as a format of `printf`, for single quotes. `from_printf_format` reads it."""
    return "".join(map(_PRINTF_ESCAPES.__getitem__, content))


def from_printf_format(text: str) -> bytes | None:
    """The bytes that `printf` prints for the format, or None if it has escapes that `printf_format` does not write."""
    if not re.fullmatch(r"(?:[ -$&-\[\]-~]|\\[0-7]{3}|%%)*+", text):
        return None
    return re.sub(
        rb"\\([0-7]{3})|%%", lambda escape: bytes([int(escape[1], 8) & 255]) if escape[1] else b"%", text.encode()
    )


_PRINTF_ESCAPES = [
    "%%" if byte == 37 else chr(byte) if 32 <= byte < 127 and chr(byte) not in "\\'-" else f"\\{byte:03o}"
    for byte in range(256)
]
