"""Values that never print themselves: API keys and signing secrets."""

import hmac
import re
from typing import Any, Literal, NoReturn, Self

from .text import MASK

_PREFIX = re.compile(r"(?:[sp]k_(?:live|test)_|whsec_)")


class Secret:
    """An API key or a signing secret, held so that it can be used and not shown.

    `repr`, `str`, f-strings, DataFrame cells and tracebacks show the published prefix and a mask. Pickling is refused,
    and JSON encoders refuse it by themselves. `reveal()` is the one way to the value, and easy to search for.
    """

    __slots__ = ("__value",)

    def __init__(self, value: "str | Secret") -> None:
        self.__value = value.reveal() if isinstance(value, Secret) else str(value)

    def reveal(self) -> str:
        """The value itself. Use it immediately; do not assign it to a variable."""
        return self.__value

    def __repr__(self) -> str:
        return f"Secret('{self}')"

    def __str__(self) -> str:
        prefix = _PREFIX.match(self.__value)
        return f"{prefix[0] if prefix else ''}{MASK}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret is not pickled: the file would hold it. Read it again where it is needed.")


class ApiKey(Secret):
    """An API key, and what its published prefix says (cStar's article `api-authentication`): `sk_` or `pk_`, `live_` or `test_`."""

    __slots__ = ()

    @property
    def is_publishable(self) -> bool:
        """Whether it is a `pk_` key, which can only read."""
        return self.reveal().startswith("pk_")

    @property
    def environment(self) -> Literal["test", "live"]:
        """Which data it reaches. A key of an unknown form counts as live."""
        return "test" if self.reveal().startswith(("sk_test_", "pk_test_")) else "live"

    @staticmethod
    def looks_like_one(text: str) -> bool:
        """Whether the text begins as published keys do."""
        return text.startswith(("sk_", "pk_"))
