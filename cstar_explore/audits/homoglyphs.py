"""Host names as somebody sees them who does not look twice."""

import unicodedata
from functools import lru_cache

# Letters of other alphabets that look like ours. Accents are taken off beforehand.
_ALIKE = str.maketrans(
    "абвгԁеһіјкӏмлнорԛѕтухԝьсυαβεικνορτχωɑɡıƖǀøđłħ",
    "abbrdehijklmnhopqstyxwbcuabeikvoptxwagillodlh",
)
_ASCII_ALIKE = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


@lru_cache(maxsize=50_000)
def in_our_letters(host: str) -> str:
    """The host as somebody reads it who knows only a to z."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", host) if not unicodedata.combining(letter))
    return plain.translate(_ALIKE)


def registrable(host: str) -> str:
    """The part of a name that somebody registered: the last two labels, or three as in `example.co.uk`."""
    labels = host.split(".")
    three = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if three else -2 :])


@lru_cache(maxsize=50_000)
def silhouette(host: str) -> str:
    """The registrable part, with one letter for all that are told apart with difficulty: 0 and o, 1, l and i, rn and m."""
    seen = registrable(in_our_letters(host))
    for letters, letter in _ASCII_ALIKE:
        seen = seen.replace(letters, letter)
    return seen
