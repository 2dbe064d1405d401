"""Lookalike hosts: host names that look the same but differ in their characters."""

import unicodedata
from functools import lru_cache

# Letters of other alphabets and the letters they look like. Accents are removed before.
_CONFUSABLES = str.maketrans(
    "абвгԁеһіјкӏмлнорԛѕтухԝьсυαβεικνορτχωɑɡıƖǀøđłħ",
    "abbrdehijklmnhopqstyxwbcuabeikvoptxwagillodlh",
)
_ASCII_CONFUSABLES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


@lru_cache(maxsize=50_000)
def latinized(host: str) -> str:
    """The host with accents removed and lookalike letters replaced by a to z."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", host) if not unicodedata.combining(letter))
    return plain.translate(_CONFUSABLES)


def registrable_domain(host: str) -> str:
    """The part that can be registered: the last two labels, or three as in `example.co.uk`."""
    labels = host.split(".")
    has_three = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if has_three else -2 :])


@lru_cache(maxsize=50_000)
def skeleton(host: str) -> str:
    """The registrable domain with confusable characters unified: 0 and o; 1, l and i; rn and m; vv and w.

    Two hosts with the same skeleton look alike.
    """
    domain = registrable_domain(latinized(host))
    for letters, letter in _ASCII_CONFUSABLES:
        domain = domain.replace(letters, letter)
    return domain
