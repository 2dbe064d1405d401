"""Everything that a report on an error can show."""

import traceback
from collections.abc import Iterator


def texts_of(error: BaseException) -> Iterator[str]:
    """Text, fields and arguments of an error and of those behind it, and each traceback with its local variables."""
    chain: list[BaseException] = [error]
    for one in chain:
        chain += [each for each in (one.__cause__, one.__context__) if each and each not in chain]
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)))
        yield from traceback.format_exception(one)
        yield from traceback.TracebackException.from_exception(one, capture_locals=True).format()


def excerpts_with(value: str, error: BaseException) -> list[str]:
    """The excerpts of such a report that contain the value; none if it is safe to show."""
    return sorted({text[max(0, text.index(value) - 300) :][:340] for text in texts_of(error) if value in text})
