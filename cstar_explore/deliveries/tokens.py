"""Splits commands into the tokens of a grammar."""

import re
from collections.abc import Iterator

from .model import unreadable

Token = tuple[str, str]  # kind and text

_MOST_TOKENS = 500_000  # the time is proportional


def tokens(grammar: re.Pattern[str], command: str, position: int = 0) -> Iterator[Token]:
    """The tokens from this position on. The kind is the name of the group that has the text; tokens without a group are left out.

    Raises:
        ValidationError: The command has another text at some position, or too many tokens.
    """
    for _ in range(_MOST_TOKENS):
        if position == len(command):
            return
        token = grammar.match(command, position)
        if token is None:
            break
        position = token.end()
        if token.lastgroup:
            yield token.lastgroup, token[token.lastgroup]
    raise unreadable(
        f"The command cannot be read: a quote or backslash at character {position + 1:,} is not completed, or it has more than"
        f" {_MOST_TOKENS:,} words and quotes.",
        "Copy the whole command.",
    )
