"""Commands for bash that contain any bytes."""


def quoted(value: str | bytes) -> str:
    """The value as a word of bash: in quotes if it is printable text, else in `$'…'` with escapes."""
    content = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    text = content.decode("utf-8", "replace")
    if text.isprintable() and text and "\ufffd" not in text:
        return "'" + text.replace("'", "'\\''") + "'"
    return f"$'{escaped(content)}'"


def printf_command(content: bytes) -> str:
    """A command that prints the bytes."""
    return f"printf -- '{escaped(content).replace('%', '%%')}'"


def escaped(content: bytes) -> str:
    """The bytes in ASCII, with the escapes that both `$'…'` and `printf` read."""
    return content.decode("latin-1").encode("unicode_escape").decode().replace("'", r"\x27")
