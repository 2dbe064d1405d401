"""curl commands, in the quoting of bash and of the Windows command prompt. Nothing is run, and no file is read."""

import re
from collections.abc import Iterator, Sequence

from .losses import QUOTED
from .model import Delivery, HeaderFields, unreadable
from .quoting import from_printf_format
from .windows_shells import command_prompt_words, is_command_prompt

# After a prompt, if it was copied too.
_COMMAND = re.compile(r"\s*(?:[$#%>][ \t]+|[^\n>]{0,200}>[ \t]*)?(?=curl(?:\.exe)?\s)", re.IGNORECASE)

_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_HEADER = ("-H", "--header")
_METHOD = ("-X", "--request")
_URL = ("--url",)
_FILES = ("-K", "--config", "-F", "--form", "-T", "--upload-file", "--data-urlencode")
# Headers with options of their own, as browsers write them.
_NAMED_HEADERS = {"-A": "user-agent", "--user-agent": "user-agent", "-b": "cookie", "--cookie": "cookie"}
_WITH_VALUE = (
    *("-o", "--output", "-u", "--user", "-x", "--proxy", "-m", "--max-time", "--connect-timeout", "-w", "--write-out"),
    *("-e", "--referer", "--cacert", "--cert", "-E", "--key", "--resolve", "--retry", "-c", "--cookie-jar", "-D"),
)
_KNOWN = (*_DATA, *_HEADER, *_METHOD, *_URL, *_FILES, *_NAMED_HEADERS, *_WITH_VALUE)


_PIPED = re.compile(r"\s*(?:\$[ \t]+)?printf '([^']*+)' \|\s*")  # as `Delivery.to_curl` writes it


def is_command(text: str) -> bool:
    """Whether the text is a curl command."""
    piped = _PIPED.match(text)
    return _COMMAND.match(text, piped.end() if piped else 0) is not None


def read(text: str) -> Delivery:
    """The request that the command would send.

    Raises:
        ValidationError: The quoting is incomplete, or the command reads files or runs other commands.
    """
    piped = _PIPED.match(text)
    start = _COMMAND.match(text, piped.end() if piped else 0)
    command = text[start.end() :] if start else text
    printed = from_printf_format(piped[1]) if piped else None
    words = command_prompt_words(command) if is_command_prompt(command) else list(_bash_words(command))
    method, url = None, None
    headers: list[tuple[str, str]] = []
    data: list[bytes] = []
    for option, word in _options(words[1:]):
        value = word.decode("utf-8", "surrogateescape")
        if printed is not None and (option, value) == ("--data-binary", "@-"):
            option, word = "--data-raw", printed  # noqa: PLW2901
            value = ""
        if option in _FILES or _names_a_file(option, value):
            raise unreadable(
                f"The command takes its content from elsewhere ({option}). Pasted text does not read files.",
                "Paste the content into the command, or pass cx.delivery((body, headers)).",
            )
        if option in _DATA:
            data.append(word)
        elif option in _HEADER:
            name, _, content = value.partition(":")
            headers.append((name.rstrip(";").strip(), content.strip()))
        elif option in _METHOD:
            method = value
        elif option in _NAMED_HEADERS:
            headers.append((_NAMED_HEADERS[option], value))
        elif option in {"", *_URL}:
            url = url or value
    return Delivery(b"&".join(data), HeaderFields(headers), "a curl command", QUOTED, None, method or "POST", url)


def _names_a_file(option: str, value: str) -> bool:
    return value.startswith("@") and option in {*_DATA, *_HEADER} and option != "--data-raw"


def _options(words: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Options with their values; the option is empty for a URL. Options without values are left out."""
    remaining = iter(words)
    for word in remaining:
        text = word.decode("utf-8", "surrogateescape")
        name, equals, value = text.partition("=")
        if text in _KNOWN:
            yield text, next(remaining, b"")
        elif text.startswith("--"):
            if equals and name in _KNOWN:
                yield name, value.encode("utf-8", "surrogateescape")
        elif text.startswith("-") and len(text) > 2 and text[:2] in _KNOWN:
            yield text[:2], word[2:]  # as in -XPOST
        elif text.startswith("-") and len(text) > 2 and f"-{text[-1]}" in _KNOWN:
            yield f"-{text[-1]}", next(remaining, b"")  # as in -sX POST
        elif not text.startswith("-"):
            yield "", word


_MOST_TOKENS = 500_000  # the time is proportional

_BASH = re.compile(
    r"(?P<continuation>\\\r?\n)"
    r"|(?P<end>[;|&<>)]|\n(?=\s*(?:curl\s|[^\s-]))|\s#)"
    r"|(?P<space>\s+)"
    r"|\\(?P<escaped>.)"
    r"|'(?P<single>[^']*+)'"
    r"|\$'(?P<ansi>(?:[^'\\]|\\.)*+)'"
    r"|\$?\"(?P<double>(?:[^\"\\]|\\.)*+)\""
    r"|(?P<command>`|\$[({A-Za-z_])"
    r"|(?P<plain>[^\s'\"\\$`;|&<>()]+|[$(])",
    re.DOTALL,
)
_EXPANSION = re.compile(r"(?<!\\)(?:\\\\)*(?:`|\$[({A-Za-z_])")
_ESCAPED_IN_DOUBLE = re.compile(r"\\(?:([\"\\$`])|\r?\n)")
_ANSI_ESCAPE = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|(.))", re.DOTALL
)
_CONTROL = dict(zip(b"abefnrtvE", b"\a\b\x1b\f\n\r\t\v\x1b", strict=True))


def _bash_words(command: str) -> Iterator[bytes]:
    """The words of the first command, without expanding anything."""
    parts: list[bytes] | None = None
    position = tokens = 0
    while position < len(command):
        tokens += 1
        token = _BASH.match(command, position) if tokens < _MOST_TOKENS else None
        if token is None:
            raise unreadable(
                f"The command cannot be read: a quote or backslash at character {position + 1:,} is not completed, or it has"
                f" more than {_MOST_TOKENS:,} words and quotes.",
                "Copy the whole command.",
            )
        position = token.end()
        kind = token.lastgroup or ""
        if kind == "end":
            break
        if kind == "space":
            if parts is not None:
                yield b"".join(parts)
            parts = None
        elif kind != "continuation":
            parts = [] if parts is None else parts
            parts.append(_unquoted(kind, token[kind]))
    if parts is not None:
        yield b"".join(parts)


def _unquoted(kind: str, text: str) -> bytes:
    if kind == "command" or (kind == "double" and _EXPANSION.search(text)):
        raise unreadable(
            "The command has a variable or another command in it ($NAME, $(…) or `…`). Pasted text runs nothing.",
            "Replace it with its value, or use single quotes if it is meant literally.",
        )
    if kind == "double":
        text = _ESCAPED_IN_DOUBLE.sub(lambda escape: escape[1] or "", text)
    content = text.encode("utf-8", "surrogatepass")
    return _ANSI_ESCAPE.sub(_ansi_escape, content) if kind == "ansi" else content


def _ansi_escape(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return bytes([int(escape[1], 16)])
    if code := escape[2] or escape[3]:
        number = int(code, 16)
        return chr(number).encode("utf-8", "surrogatepass") if number < 0x110000 else b"\xef\xbf\xbd"
    if escape[4]:
        return bytes([int(escape[4], 8) & 255])
    character = escape[5]
    if character in {b"'", b'"', b"\\", b"?"}:
        return character
    return bytes([_CONTROL[character[0]]]) if character[0] in _CONTROL else escape[0]
