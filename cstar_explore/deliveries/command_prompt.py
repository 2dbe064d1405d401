"""The quoting of the Windows command prompt."""

import re

from .model import too_long, unreadable

_LONGEST = 2 * 2**20  # characters; the time is proportional. Windows itself runs at most 32,767

_CONTINUATION = re.compile(r"\^\r?\n(\r?\n)?")
_QUOTES_OR_CARET = re.compile(r'("[^"]*"?)|\^(.)', re.DOTALL)
_QUOTE = re.compile(r'(?<!\\)(\\*+)"')
_WORD = re.compile(r'(?:[^\s"]|"(?:[^"]|"")*+")+')
_QUOTED = re.compile(r'"((?:[^"]|"")*+)"')
_LITERAL_QUOTE = "\0"  # stands for a quote that neither begins nor ends quoting; no command contains this character


def is_command_prompt(command: str) -> bool:
    """Whether the command is quoted for the command prompt: with carets, or with doubled quotes and no words in single ones."""
    has_carets = any(mark in command for mark in ('^"', "^\n", "^\r\n"))
    return has_carets or ('""' in command and not re.search(r"(?<!\S)\$?'", command))


def command_prompt_words(command: str) -> list[bytes]:
    """The words of the command: the prompt removes carets outside quotes, the program then reads quotes and backslashes.

    Raises:
        ValidationError: A quote is not completed, or the command is too long.
    """
    if len(command) > _LONGEST:
        raise too_long(len(command), _LONGEST)
    command = _CONTINUATION.sub(lambda end: "\n" if end[1] else "", command.rstrip())
    command = _QUOTE.sub(_without_backslashes, _QUOTES_OR_CARET.sub(r"\1\2", command))
    if command.count('"') % 2:
        raise unreadable("The command cannot be read: a quote is not completed.", "Copy the whole command.")
    return [_unquoted(word).encode("utf-8", "surrogatepass") for word in _WORD.findall(command)]


def _without_backslashes(quote: re.Match[str]) -> str:
    """As the C runtime of Windows reads backslashes before a quote: two are one, and one more makes the quote literal."""
    pairs, is_literal = divmod(len(quote[1]), 2)
    return "\\" * pairs + (_LITERAL_QUOTE if is_literal else '"')


def _unquoted(word: str) -> str:
    """The word without quotes. Inside quotes, two quotes are a literal one."""
    text = _QUOTED.sub(lambda quoted: quoted[1].replace('""', _LITERAL_QUOTE), word)
    return text.replace(_LITERAL_QUOTE, '"')
