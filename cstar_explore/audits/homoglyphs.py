"""Lookalike hosts: host names that look the same but differ in their characters."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tldextract import TLDExtract

# Letters of other alphabets and the letters they look like. Accents are removed before.
_CONFUSABLES = str.maketrans(
    "абвгԁеһіјкӏмлнорԛѕтухԝьсυαβεικνορτχωɑɡıƖǀøđłħ",
    "abbrdehijklmnhopqstyxwbcuabeikvoptxwagillodlh",
)
_MAX_LABELS = 6  # those of the longest public suffix, and one more
_ASCII_CONFUSABLES = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


@lru_cache(maxsize=50_000)
def latinized(host: str) -> str:
    """The host with accents removed and lookalike letters replaced by a to z."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", host) if not unicodedata.combining(letter))
    return plain.translate(_CONFUSABLES)


@lru_cache(maxsize=50_000)
def registrable_domain(host: str) -> str:
    """The part that identifies the owner: `example.co.uk`, `acme.vercel.app`. The host itself if it is a public suffix.

    By the public suffix list, private suffixes included. Below a suffix that is not in the list, the last two labels.
    """
    parts = _extract()(host)
    if not parts.suffix:
        return ".".join(host.split(".")[-2:])
    return f"{parts.domain}.{parts.suffix}" if parts.domain else host


def skeleton(host: str) -> str:
    """The registrable domain with confusable characters unified: 0 and o; 1, l and i; rn and m; vv and w.

    Two hosts with the same skeleton look alike.
    """
    return _unified(registrable_domain(latinized(host)))


def possible_lookalikes(hosts: Iterable[str]) -> set[str]:
    """The hosts that look like another one in their last labels, however many of them belong to the owner.

    Only these have to be looked up in the public suffix list, which takes a while to load.
    """
    by_skeleton: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for host in hosts:
        labels = host.split(".")
        for count in range(1, min(len(labels), _MAX_LABELS) + 1):
            ending = ".".join(labels[-count:])
            by_skeleton[_unified(latinized(ending))][ending].add(host)
    return {host for endings in by_skeleton.values() if len(endings) > 1 for same in endings.values() for host in same}


def _unified(domain: str) -> str:
    for letters, letter in _ASCII_CONFUSABLES:
        domain = domain.replace(letters, letter)
    return domain


@cache
def _extract() -> "TLDExtract":
    """The public suffix list that comes with tldextract: no network, no cache on disk."""
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
