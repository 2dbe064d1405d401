"""What happens to signing secrets on the way, and how to undo it.

Each corruption is undone in both directions: what may have been added is removed, and what may have been removed is added. Every
variant is a `Secret` at once, so that no variable holds one in clear.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from urllib.parse import unquote

from ..secret import Secret
from .keys import as_secret, key_bytes


def _whitespace_variants(secret: Secret) -> Iterator[Secret]:
    yield Secret(secret.reveal().strip())
    yield Secret("".join(secret.reveal().split()))
    yield Secret(secret.reveal().strip("\ufeff\u200b\u2060\x00"))
    for space in ("\n", "\r\n", " "):
        yield Secret(secret.reveal() + space)
    yield Secret(" " + secret.reveal())


def _quote_variants(secret: Secret) -> Iterator[Secret]:
    yield Secret(secret.reveal().strip("'\"` \r\n\t"))
    yield Secret(secret.reveal().strip().strip("\u2018\u2019\u201c\u201d"))
    for quote in ('"', "'"):
        yield Secret(f"{quote}{secret.reveal()}{quote}")


def _encoding_variants(secret: Secret) -> Iterator[Secret]:
    """The secret decoded from and encoded as base64, hex or percent-encoding, with and without the prefix."""
    for start in ("whsec_", ""):
        for decode, padding in (
            (base64.b64decode, b"=="),
            (base64.urlsafe_b64decode, b"=="),
            (binascii.unhexlify, b""),
        ):
            with suppress(ValueError):
                yield as_secret(decode(key_bytes(secret).removeprefix(start.encode()) + padding))
    yield Secret(unquote(secret.reveal()))
    for encode in (base64.b64encode, base64.urlsafe_b64encode, binascii.hexlify):
        for end in (b"", b"="):
            for start in ("", "whsec_"):
                yield Secret(start + encode(key_bytes(secret)).rstrip(end or None).decode())


def _prefix_variants(secret: Secret) -> Iterator[Secret]:
    for prefix in ("whsec_", "whsec"):
        yield Secret(secret.reveal().removeprefix(prefix))
        yield Secret(prefix + secret.reveal())


_MOST_TOKENS = 100  # of the first characters; a secret in a whole settings file is not looked for
_MOST_CHARACTERS = 100_000
_PUBLISHED_FORM = re.compile(r"whsec_[A-Za-z0-9_+/=-]+")
_TOKEN = re.compile(r"[^\s\"'`=:,;?&#<>()\[\]{}\u2018\u2019\u201c\u201d]{4,}")


def _tokens(secret: Secret) -> Iterator[Secret]:
    """The parts of a longer text that may be the secret, such as a line of an environment file, JSON or a header."""
    for pattern in (_PUBLISHED_FORM, _TOKEN):
        yield from map(Secret, islice(dict.fromkeys(pattern.findall(secret.reveal()[:_MOST_CHARACTERS])), _MOST_TOKENS))
    yield Secret(secret.reveal().partition("=")[2].strip("'\"` \r\n\t"))  # a secret that contains "="


# What the secret may have been before, by cause.
SECRET_CORRUPTIONS: Mapping[str, Callable[[Secret], Iterator[Secret]]] = {
    "secret_whitespace": _whitespace_variants,
    "secret_quoted": _quote_variants,
    "secret_prefix_cut": _prefix_variants,
    "secret_decoded": _encoding_variants,
    "secret_in_text": _tokens,
}
