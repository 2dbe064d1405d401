"""Finds credentials in delivery URLs by the names that announce them, and by the form of well-known keys."""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from urllib.parse import unquote, unquote_plus

from ..packaged import read_table
from .harmless import CAMEL_CASE, is_harmless
from .urls import DeliveryUrl, parse_url

SECRET_VALUES = re.compile(
    r"[sp]k_(?:live|test)_\w+|whsec_\w+|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abeprs]-[\w-]{8,}|xapp-[\w-]{8,}"
    r"|AKIA[0-9A-Z]{12,}|AIza[\w-]{20,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|shp(?:at|ss)_\w{16,}"
    r"|(?<![\w-])SG\.[\w-]{16,}\.[\w-]+"
)


_LISTS = read_table(__file__, "secret_names.json")
# Whole names, in lower case and without separators. `country_code` and `sort_key` are not among them.
_NAMES = {*_LISTS["whole names"], *map("".join, product(_LISTS["first of two words"], _LISTS["last of two words"]))}
_ENDINGS = frozenset(_LISTS["endings"])
_HARMLESS_NAMES = frozenset(_LISTS["harmless"])  # positions in a list, or marks against forged forms
# Names after which the next segment of a path is a secret. `auth` and `code` are ordinary segments: `/auth/callback`.
_PATH_NAMES = frozenset(_LISTS["before a segment"])


def credentials_in(url: str | None) -> str | None:
    """A description of the first credential in the URL, without its value; None if there is none."""
    parsed = parse_url(url)
    return None if parsed is None else next(_credentials(parsed, url or ""), None)


def _credentials(parsed: DeliveryUrl, url: str) -> Iterator[str]:
    if "@" in parsed.parts.netloc:
        yield "a user name or password before the host"
    for name, value in parameters_of(parsed.parts.query):
        if names_a_secret(name) and value:
            yield f"the query parameter '{_shown(name)}'"
        if SECRET_VALUES.search(value):
            yield f"a value that looks like a key, in the query parameter '{_shown(name)}'"
    segments = parsed.parts.path.split("/")
    for index, segment in enumerate(segments):
        for name, value in parameters_of(segment) if "=" in segment else ():
            if names_a_secret(name) and value:
                yield f"the path parameter '{_shown(name)}'"
        is_announced = follows_a_secret_name(segments, index) and not is_harmless(segment)
        if is_announced and not _is_secret_name(unquote(segment)):
            yield f"the path segment after '{_shown(segments[index - 1])}'"
    if SECRET_VALUES.search(url):
        yield "a value that looks like a key"


def parameters_of(text: str) -> Iterator[tuple[str, str]]:
    """The names and values of a query, or of the parameters in a segment of a path, decoded."""
    for pair in re.split("[&;]", text):
        name, equals, value = pair.partition("=")
        if equals:
            yield unquote_plus(name), unquote_plus(value)


@lru_cache(maxsize=10_000)
def names_a_secret(parameter: str) -> bool:
    """Whether the whole name says that the value is a secret: `token`, `apiKey`, `X-Amz-Signature`, `auth[token]`."""
    parts = [part for part in re.split(r"[\[\].:/]+", parameter) if part]
    return any(map(_is_secret_name, parts)) if len(parts) > 1 else _is_secret_name(parameter)


def _is_secret_name(name: str) -> bool:
    words = [word.lower() for word in CAMEL_CASE.findall(name)]
    joined = "".join(words)
    if joined in _HARMLESS_NAMES:
        return False
    return joined in _NAMES or bool(words and words[-1] in _ENDINGS)


def follows_a_secret_name(segments: list[str], index: int) -> bool:
    """Whether the segment stands after one such as `token`."""
    name = re.sub(r"[^a-z]", "", unquote(segments[index - 1]).lower())
    return bool(index and segments[index]) and name in _PATH_NAMES


def _shown(name: str) -> str:
    """The name as it is, if it contains nothing but words; a name can be a secret too."""
    return name if names_a_secret(name) and len(name) <= 40 and not SECRET_VALUES.search(name) else "…"
