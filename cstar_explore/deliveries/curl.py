"""curl commands, in the quoting of bash and of the Windows command prompt. Nothing is run, and no file is read."""

import itertools
import re
from collections.abc import Iterator, Sequence

from .command_prompt import command_prompt_words, is_command_prompt
from .losses import QUOTED
from .model import Delivery, HeaderFields, unreadable
from .tokens import tokens

# `Delivery.to_curl` writes some bodies with printf. A prompt may have been copied too.
_COMMAND = re.compile(
    r"(?:\s*(?:\$[ \t]+)?printf (?:-- )?'(?P<printed>(?:[^'%\\]|%%|\\(?:[\\nrt]|[0-7]{3}|x[0-9A-F]{2}))*+)' \|)?"
    r"\s*(?:[$#%>][ \t]+|[^\n>]{0,200}>[ \t]*)?(?=curl(?:\.exe)?\s)",
    re.IGNORECASE,
)

_DATA = ("-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json")
_HEADER = ("-H", "--header")
_WITH_FILE = {*_DATA, *_HEADER} - {"--data-raw"}  # if the value begins with @
_METHOD = ("-X", "--request")
_FILES = ("-K", "--config", "-F", "--form", "-T", "--upload-file", "--data-urlencode")
# Headers with options of their own, as browsers write them.
_NAMED_HEADERS = {"-A": "user-agent", "--user-agent": "user-agent", "-b": "cookie", "--cookie": "cookie"}
_WITH_VALUE = (
    *("-o", "--output", "-u", "--user", "-x", "--proxy", "-m", "--max-time", "--connect-timeout", "-w", "--write-out"),
    *("-e", "--referer", "--cacert", "--cert", "-E", "--key", "--resolve", "--retry", "-c", "--cookie-jar", "-D"),
)
_KNOWN = (*_DATA, *_HEADER, *_METHOD, "--url", *_FILES, *_NAMED_HEADERS, *_WITH_VALUE)


def read(text: str) -> list[Delivery]:
    """The request that the command would send, if the text is a curl command.

    Raises:
        ValidationError: The quoting is incomplete, or the command reads files or runs other commands.
    """
    start = _COMMAND.match(text)
    if start is None:
        return []
    command = text[start.end() :]
    printed = start["printed"]
    words = command_prompt_words(command) if is_command_prompt(command) else _bash_words(command)
    method, url = None, None
    headers: list[tuple[str, str]] = []
    data: list[bytes] = []
    for option, word in _options(words[1:]):
        value = word.decode("utf-8", "surrogateescape")
        if printed is not None and (option, value) == ("--data-binary", "@-"):
            data.append(_unquoted("ansi", printed.replace("%%", "%")))
        elif option in _FILES or (option in _WITH_FILE and value.startswith("@")):
            raise unreadable(
                f"The command takes its content from elsewhere ({option}). Pasted text does not read files.",
                "Paste the content into the command, or pass cx.delivery((body, headers)).",
            )
        elif option in _DATA:
            data.append(word)
        elif option in _HEADER:
            name, _, content = value.partition(":")
            headers.append((name.rstrip(";").strip(), content.strip()))
        elif option in _METHOD:
            method = value
        elif option in _NAMED_HEADERS:
            headers.append((_NAMED_HEADERS[option], value))
        elif option in {"", "--url"}:
            url = url or value
    return [Delivery(b"&".join(data), HeaderFields(headers), "a curl command", QUOTED, None, method or "POST", url)]


def _options(words: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Options with their values; the option is empty for a URL. Options without values are left out."""
    remaining = iter(words)
    for word in remaining:
        text = word.decode("utf-8", "surrogateescape")
        if text in _KNOWN:
            yield text, next(remaining, b"")
        elif not text.startswith("-"):
            yield "", word
        elif text[:2] in _KNOWN:
            yield text[:2], word[2:]  # as in -XPOST
        elif f"-{text[-1]}" in _KNOWN and not text.startswith("--"):
            yield f"-{text[-1]}", next(remaining, b"")  # as in -sX POST


_BASH = re.compile(
    r"\\\r?\n"
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
_CHARACTERS = dict(zip(b"abefnrtvE'\"\\?", b"\a\b\x1b\f\n\r\t\v\x1b'\"\\?", strict=True))


def _bash_words(command: str) -> list[bytes]:
    """The words of the first command, without expanding anything."""
    first = itertools.takewhile(lambda token: token[0] != "end", tokens(_BASH, command))
    words = itertools.groupby(first, lambda token: token[0] == "space")
    return [b"".join(itertools.starmap(_unquoted, word)) for is_space, word in words if not is_space]


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
    character = _CHARACTERS.get(escape[5][0])
    return escape[0] if character is None else bytes([character])
