"""Commands in the quoting of Windows: the command prompt's curl, and PowerShell's Invoke-WebRequest."""

import re
from collections.abc import Iterator

from ..errors import ValidationError
from .losses import QUOTED
from .model import Delivery, HeaderFields, too_long, unreadable

_LONGEST = 2 * 2**20  # characters; the time is proportional. Windows itself runs at most 32,767


def _require_length(command: str) -> None:
    if len(command) > _LONGEST:
        raise too_long(len(command), _LONGEST)


# --- the command prompt

_CARET = re.compile(r"\^(?:\r?\n(\r?\n)?|(.))", re.DOTALL)
_PROGRAM = re.compile(r"(\\+)(?=\")|\"|\s+|\\+|[^\s\"\\]+")


def is_command_prompt(command: str) -> bool:
    """Whether the command is quoted for the command prompt: with carets, or with doubled quotes and no words in single ones."""
    has_carets = any(mark in command for mark in ('^"', "^\n", "^\r\n"))
    return has_carets or ('""' in command and not re.search(r"(?<!\S)\$?'", command))


def command_prompt_words(command: str) -> list[bytes]:
    """The words of the command: the prompt removes carets outside quotes, the program then reads quotes and backslashes."""
    _require_length(command)
    return list(_program_words(_without_carets(command.rstrip())))


def _without_carets(command: str) -> str:
    """The command as the prompt passes it on. A caret makes the next character literal, so `^"` does not begin quotes."""
    parts, is_quoted, position = [], False, 0
    for token in re.finditer(r'\^|"|\n', command):
        if token.start() < position:
            continue
        parts.append(command[position : token.start()])
        position = token.end()
        escape = (
            None
            if is_quoted and command[position : position + 1] not in "\r\n"
            else _CARET.match(command, token.start())
        )
        if token[0] == "^" and escape:
            parts.append("\n" if escape[1] else escape[2] or "")
            position = escape.end()
            continue
        is_quoted = is_quoted ^ (token[0] == '"')
        parts.append(token[0])
    return "".join([*parts, command[position:]])


def _program_words(line: str) -> Iterator[bytes]:
    """Splits as the C runtime of Windows does: `\\"` and, inside quotes, `""` are a quote."""
    parts: list[str] = []
    is_word, is_quoted, position = False, False, 0
    while token := _PROGRAM.match(line, position):
        text, position = token[0], token.end()
        if text.isspace() and not is_quoted:
            if is_word:
                yield "".join(parts).encode("utf-8", "surrogatepass")
            parts, is_word = [], False
            continue
        is_word = True
        if token[1]:  # backslashes before a quote
            is_literal = len(text) % 2 == 1
            parts.append("\\" * (len(text) // 2) + '"' * is_literal)
            position += is_literal
        elif text == '"' and is_quoted and line.startswith('"', position):
            parts.append('"')
            position += 1
        elif text == '"':
            is_quoted = not is_quoted
        else:
            parts.append(text)
    if is_quoted:
        raise _incomplete()
    if is_word:
        yield "".join(parts).encode("utf-8", "surrogatepass")


# --- PowerShell

_CMDLET = re.compile(r"\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b", re.IGNORECASE)
_POWERSHELL = re.compile(
    r"`\r?\n|(?P<space>\s+)"
    r"|@'\r?\n(?P<here>.*?)\r?\n'@"
    r"|\"(?P<double>(?:[^\"`]|`.|\"\")*+)\""
    r"|'(?P<single>(?:[^']|'')*+)'"
    r"|(?P<mark>@\{|[{}();=,])"
    r"|(?P<word>[^\s\"'`{}();=,@]+|@)",
    re.DOTALL,
)
_IN_DOUBLE = re.compile(r"`(.)|\"(\")|\$\(\[char\](\d{1,7})\)|(\$[({A-Za-z_])", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def is_powershell(text: str) -> bool:
    """Whether the text is a command of PowerShell that sends a request."""
    return text.lstrip()[:1] in {*"$iIP"} and _CMDLET.search(text[:10_000]) is not None


def read_powershell(text: str) -> Delivery:
    """The request that `Invoke-WebRequest` or `Invoke-RestMethod` would send.

    Raises:
        ValidationError: The quoting is incomplete, or a value is a variable.
    """
    _require_length(text)
    start = _CMDLET.search(text)
    tokens = list(_powershell_tokens(text, start.end() if start else 0))
    values: dict[str, str] = {}
    headers: list[tuple[str, str]] = []
    for index, (kind, word) in enumerate(tokens):
        if kind != "word" or not word.startswith("-"):
            continue
        name = word.lower()
        if name == "-headers":
            headers = _table(tokens[index + 1 :])
        else:
            # A body that is not ASCII is written as ([System.Text.Encoding]::UTF8.GetBytes("…")).
            texts = (value for what, value in tokens[index + 1 : index + 6] if what == "text")
            following = tokens[index + 1 : index + 2]
            is_word = following and following[0][0] == "word"
            if is_word and following[0][1].startswith(("$", "@")):
                values[name] = ""
                if name == "-body":
                    raise unreadable(
                        "The command's -Body is a variable. Pasted text has no variables.",
                        "Paste its value in its place.",
                    )
            elif name in {"-body", "-uri", "-method", "-contenttype"}:
                values[name] = following[0][1] if is_word and "]" not in following[0][1] else next(texts, "")
    if "-contenttype" in values:
        headers.append(("content-type", values["-contenttype"]))
    return Delivery(
        values.get("-body", "").encode("utf-8", "surrogatepass"),
        HeaderFields(headers),
        "a PowerShell command",
        QUOTED,
        None,
        values.get("-method", "POST").upper(),
        values.get("-uri"),
    )


def _table(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The names and values of a table `@{"name"="value"; …}`."""
    pairs: list[tuple[str, str]] = []
    for index, (kind, word) in enumerate(tokens):
        if (kind, word) == ("mark", "}"):
            break
        if (kind, word) == ("mark", "=") and 0 < index < len(tokens) - 1:
            pairs.append((tokens[index - 1][1], tokens[index + 1][1]))
    return pairs


def _powershell_tokens(text: str, position: int) -> Iterator[tuple[str, str]]:
    while position < len(text):
        token = _POWERSHELL.match(text, position)
        if token is None:
            raise _incomplete()
        position = token.end()
        kind = token.lastgroup
        if kind == "double":
            yield "text", _IN_DOUBLE.sub(_expanded, token["double"])
        elif kind == "single":
            yield "text", token["single"].replace("''", "'")
        elif kind == "here":
            yield "text", token["here"]
        elif kind in {"mark", "word"}:
            yield kind, token[kind]


def _expanded(escape: re.Match[str]) -> str:
    if escape[4]:
        raise unreadable(
            "The command has a variable in double quotes. Pasted text has no variables.",
            "Replace it with its value, or use single quotes if it is meant literally.",
        )
    if escape[3]:
        return chr(min(int(escape[3]), 0x10FFFF))
    return escape[2] or _CONTROL.get(escape[1], escape[1])


def _incomplete() -> ValidationError:
    return unreadable("The command cannot be read: a quote is not completed.", "Copy the whole command.")
