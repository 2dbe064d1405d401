"""PowerShell commands that send a request."""

import itertools
import re
from collections.abc import Iterator, Sequence

from .losses import QUOTED
from .model import Delivery, HeaderFields, unreadable
from .tokens import Token, tokens

_CMDLET = re.compile(r"\b(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)\b", re.IGNORECASE)
_GRAMMAR = re.compile(
    r"`\r?\n|\s+"
    r"|@'\r?\n(?P<here>.*?)\r?\n'@"
    r"|\"(?P<double>(?:[^\"`]|`.|\"\")*+)\""
    r"|'(?P<single>(?:[^']|'')*+)'"
    r"|(?P<mark>@\{|[{}();=,])"
    r"|(?P<word>[^\s\"'`{}();=,@]+|@)",
    re.DOTALL,
)
_IN_DOUBLE = re.compile(r"`(.)|\"(\")|\$\(\[char\](\d{1,7})\)|(\$[({A-Za-z_])", re.DOTALL)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def read(text: str) -> list[Delivery]:
    """The request that `Invoke-WebRequest` or `Invoke-RestMethod` would send, if the text is such a command.

    Raises:
        ValidationError: The quoting is incomplete, or a value is a variable.
    """
    start = _CMDLET.search(text[:10_000]) if text.lstrip()[:1] in {*"$iIP"} else None
    if start is None:
        return []
    parameters: dict[str, list[Token]] = {}
    values: list[Token] = []
    for token in _tokens(text, start.end()):
        if token[0] == "word" and token[1].startswith("-"):
            values = parameters[token[1].lower()] = []
        else:
            values.append(token)
    headers = _table(parameters.get("-headers", ()))
    if "-contenttype" in parameters:
        headers.append(("content-type", _value(parameters["-contenttype"])))
    body = parameters.get("-body", ())
    if body and _is_variable(body[0]):
        raise unreadable(
            "The command's -Body is a variable. Pasted text has no variables.", "Paste its value in its place."
        )
    content = _value(body).encode("utf-8", "surrogatepass")
    method = _value(parameters.get("-method", [("word", "POST")])).upper()
    url = _value(parameters["-uri"]) if "-uri" in parameters else None
    return [Delivery(content, HeaderFields(headers), "a PowerShell command", QUOTED, None, method, url)]


def _is_variable(token: Token) -> bool:
    return token[0] == "word" and token[1].startswith(("$", "@"))


def _value(values: Sequence[Token]) -> str:
    """The word or text. A body that is not ASCII is a text inside ([System.Text.Encoding]::UTF8.GetBytes("…"))."""
    kind, content = values[0] if values else ("", "")
    if kind == "word" and "]" not in content:
        return "" if _is_variable(values[0]) else content
    return next((text for kind, text in values if kind == "text"), "")


def _table(values: Sequence[Token]) -> list[tuple[str, str]]:
    """The names and values of a table `@{"name"="value"; …}`."""
    inside = list(itertools.takewhile(lambda token: token != ("mark", "}"), values))
    threes = zip(inside, inside[1:], inside[2:], strict=False)
    return [(name, value) for (_, name), mark, (_, value) in threes if mark == ("mark", "=")]


def _tokens(text: str, position: int) -> Iterator[Token]:
    """The tokens of a command; texts without their quotes."""
    for kind, content in tokens(_GRAMMAR, text, position):
        if kind == "double":
            yield "text", _IN_DOUBLE.sub(_expanded, content)
        elif kind == "single":
            yield "text", content.replace("''", "'")
        else:
            yield "text" if kind == "here" else kind, content


def _expanded(escape: re.Match[str]) -> str:
    if escape[4]:
        raise unreadable(
            "The command has a variable in double quotes. Pasted text has no variables.",
            "Replace it with its value, or use single quotes if it is meant literally.",
        )
    if escape[3]:
        return chr(min(int(escape[3]), 0x10FFFF))
    return escape[2] or _CONTROL.get(escape[1], escape[1])
