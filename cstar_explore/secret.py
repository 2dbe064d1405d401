"""Values that never print themselves: API keys and signing secrets."""

import hmac
import html
import re
from typing import Any, Literal, NoReturn, Self
from urllib.parse import quote

from .text import MASK, redacted

_PREFIX = re.compile(r"(?:[sp]k_(?:live|test)_|whsec_)")
_PUBLISHED_KEY = re.compile(r"[sp]k_(?:live|test)_[A-Za-z0-9_-]{4,512}")
_SHORTEST = 4  # characters; masking a shorter key would mask ordinary words


class Secret:
    """An API key or a signing secret that can be used but is never shown.

    `repr`, `str`, f-strings, DataFrame cells and tracebacks show the published prefix and a mask. Pickling is refused, and JSON
    encoders refuse it themselves. `reveal()` is the only way to the value, and easy to search for.
    """

    __slots__ = ("__value",)

    def __init__(self, value: "str | Secret") -> None:
        self.__value = value.reveal() if isinstance(value, Secret) else str(value)

    def reveal(self) -> str:
        """The value itself. Use it immediately; do not assign it to a variable."""
        return self.__value

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    def __str__(self) -> str:
        prefix = _PREFIX.match(self.__value)
        return f"{prefix[0] if prefix else ''}{MASK}"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Values that are not UTF-8 contain lone surrogates, and an encoding error would show the value.
        return hmac.compare_digest(
            self.__value.encode("utf-8", "surrogatepass"), other.reveal().encode("utf-8", "surrogatepass")
        )

    def __hash__(self) -> int:
        return hash(self.__value)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A Secret cannot be pickled: the file would contain it. Read it again where it is needed.")


class ApiKey(Secret):
    """An API key, and what its published prefix means (cStar: api-authentication): `sk_` or `pk_`, then `live_` or `test_`."""

    __slots__ = ()

    @property
    def is_publishable(self) -> bool:
        """Whether it is a `pk_` key, which can only read."""
        return self.reveal().startswith("pk_")

    @property
    def environment(self) -> Literal["test", "live"]:
        """Which data it reaches. A key of an unknown form counts as live."""
        return "test" if self.reveal().startswith(("sk_test_", "pk_test_")) else "live"

    @property
    def has_published_form(self) -> bool:
        """Whether it has a published prefix and characters. The documented length is not checked: test doubles use others."""
        return _PUBLISHED_KEY.fullmatch(self.reveal()) is not None

    def redacted_in(self, text: str) -> str:
        """The text without this key, however a server spells it, and without anything else that looks like a credential."""
        if len(self.reveal()) < _SHORTEST:
            return redacted(text)
        return redacted(re.sub("".join(map(_spellings, self.reveal())), MASK, text, flags=re.IGNORECASE))


def _spellings(character: str) -> str:
    """A pattern for one character: as it is, percent-encoded, escaped as in JSON (once or more), or as an HTML entity."""
    code = ord(character)
    literal = map(re.escape, dict.fromkeys((f"%{code:02x}", html.escape(character), quote(character))))
    patterns = (rf"\\*{re.escape(character)}", rf"\\+u{code:04x}", f"&#0*{code};", f"&#x0*{code:x};", *literal)
    return f"(?:{'|'.join(patterns)})"
