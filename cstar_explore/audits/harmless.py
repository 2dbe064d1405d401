"""What may be shown of a delivery URL: words of ordinary technical English, and short numbers, versions and dates.

The addresses of many services are credentials themselves, and a secret has no form by which it could be recognised. Everything
that is not known to be harmless is therefore masked.
"""

import re
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import unquote

MAX_LENGTH = 64  # characters of a segment
_MAX_WORDS = 5  # five words out of five thousand are less than a random token of eleven characters
_MAX_DIGITS = 8  # those of a date
_MAX_SHORT = 4  # characters of parts that are too short to be words

_SEPARATORS = re.compile(r"[-_.~ ]+")
_VERSION = re.compile(r"v\d{1,3}")
_NUMBER = re.compile(r"\d{1,4}")
_DATE = re.compile(r"(?:19|20)\d{6}")
# `ordersWebhook`, `OrdersWebhook` and `HTTPHook` are two words each.
CAMEL_CASE = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@cache
def _words() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("harmless_words.txt").read_text(encoding="utf-8").split())


@lru_cache(maxsize=50_000)
def is_harmless(segment: str) -> bool:
    """Whether a segment of a path, the name or the value of a parameter may be shown."""
    text = unquote(segment)
    if len(text) <= 2:
        return text.isprintable()
    if len(text) > MAX_LENGTH or sum(map(str.isdigit, text)) > _MAX_DIGITS:
        return False
    short = count = 0
    for part in _SEPARATORS.split(text):
        words = _words_of(part)
        if words is None:
            return False
        count += len(words)
        short += len(part) if len(part) <= 2 and part.lower() not in _words() else 0
    return count <= _MAX_WORDS and short <= _MAX_SHORT


@lru_cache(maxsize=50_000)
def _compound(word: str) -> list[str] | None:
    """The word, or the two that it is joined from, as in `slackbot`."""
    known = _words()
    if word in known:
        return [word]
    pairs = ([word[:cut], word[cut:]] for cut in range(3, len(word) - 2))
    return next((pair for pair in pairs if pair[0] in known and pair[1] in known), None)


def _words_of(part: str) -> list[str] | None:
    """The words, numbers and versions of a part; None if it contains anything else."""
    if len(part) <= 2 or _VERSION.fullmatch(part.lower()) or _NUMBER.fullmatch(part) or _DATE.fullmatch(part):
        return [part]
    if part.islower() or part.isupper() or part.istitle():
        return _compound(part.lower())
    words = CAMEL_CASE.findall(part)
    if "".join(words) != part:
        return None
    for index, word in enumerate(words):
        is_word = len(word) > 1 and word.lower() in _words()
        ends_with_a_number = index == len(words) - 1 and index and word.isdigit() and len(word) <= 2
        if not is_word and not ends_with_a_number:
            return None
    return words
