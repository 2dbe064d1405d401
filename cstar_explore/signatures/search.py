"""Searches for what happened to a delivery: undoes known changes of secret and body until the signature matches."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ..secret import Secret
from .body_corruptions import BODY_CORRUPTIONS
from .body_encodings import BODY_ENCODINGS
from .causes import MATCHES
from .keys import matches
from .secret_corruptions import SECRET_CORRUPTIONS

# Bytes to hash, at 0.4 to 1.5 GB/s. Decoding is slower, so its bytes count more often. The limit does not depend on the machine's
# speed, so that the same delivery gets the same explanation everywhere.
WORK = 300_000_000
_WORK_PER_HASH = 1_000
_WORK_PER_DECODING = 20


class Search:
    """The signatures to match, the secrets to match them with, and the work that is left.

    Attributes:
        exhausted: Whether the search ended before everything was tried.
    """

    def __init__(self, t: str, signatures: Sequence[str], secrets: Sequence[Secret]) -> None:
        self._t = t
        self._signatures = signatures
        self._secrets = secrets
        self._work = WORK
        self.exhausted = False

    def find(self, body: bytes) -> tuple[str, str] | None:
        """The cause, and a description that completes "The signature matches …"; None if no known change explains it."""
        return next(chain(self._secret_corruption(body), self._body_encoding(body), self._body_corruption(body)), None)

    def matches(self, body: bytes, secrets: Iterable[Secret] | None = None) -> bool:
        """Whether a signature matches the body with one of the secrets; by default, those of the search."""
        for secret in self._secrets if secrets is None else secrets:
            if not self._spend(len(body) + _WORK_PER_HASH):
                return False
            if matches(secret, self._t, body, self._signatures):
                return True
        return False

    def _spend(self, work: int) -> bool:
        self._work -= work
        self.exhausted = self._work < 0
        return not self.exhausted

    def _secret_corruption(self, body: bytes) -> Iterator[tuple[str, str]]:
        for cause, candidates in SECRET_CORRUPTIONS.items():
            for secret in self._secrets:
                if self.exhausted:
                    return
                if self.matches(body, (candidate for candidate in candidates(secret) if candidate != secret)):
                    yield cause, MATCHES[cause]

    def _body_encoding(self, body: bytes) -> Iterator[tuple[str, str]]:
        """Up to two encodings, such as base64 of gzip; the outer one is the cause."""
        outer = list(self._decoded(body))
        for cause, decoded in outer:
            if self._matches_stripped(decoded):
                yield cause, MATCHES[cause]
        for cause, decoded in outer:
            for inner_cause, inner in self._decoded(decoded):
                if self._matches_stripped(inner):
                    yield cause, f"{MATCHES[cause]}, and then {MATCHES[inner_cause].removeprefix('after ')}"

    def _decoded(self, body: bytes) -> Iterator[tuple[str, bytes]]:
        for cause, candidates in BODY_ENCODINGS.items():
            if not self._spend(_WORK_PER_DECODING * len(body) + _WORK_PER_HASH):
                return
            for candidate in candidates(body):
                if self.exhausted:
                    return
                # Else, whitespace alone was removed, which is a corruption and no encoding.
                if candidate.strip() not in {b"", body.strip()}:
                    yield cause, candidate

    def _matches_stripped(self, body: bytes) -> bool:
        return self.matches(body) or (body != body.strip() and self.matches(body.strip()))

    def _body_corruption(self, body: bytes) -> Iterator[tuple[str, str]]:
        for cause, candidates in BODY_CORRUPTIONS.items():
            for candidate in candidates(body):
                if self.exhausted:
                    return
                if candidate != body and self.matches(candidate):
                    yield cause, MATCHES[cause]
