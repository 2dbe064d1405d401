"""What a check answers: `NotYet` with what is still wrong, or what has been learned."""

import functools
import inspect
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from ..errors import ConfigurationError
from ..text import printable

P = ParamSpec("P")
T = TypeVar("T")

_WIDTH = 88  # JupyterLab breaks longer lines inside a word


class NotYet(AssertionError):  # noqa: N818 - not an error: an exercise is not solved yet
    """An exercise is not solved yet. A notebook shows the words alone, without a traceback through the check."""

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(f"Not yet. {self}", _WIDTH, break_on_hyphens=False)


class Solved(str):
    """What has been learned; a notebook shows it without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return textwrap.fill(self, _WIDTH, break_on_hyphens=False)


def check(judge: Callable[P, str]) -> Callable[P, Solved]:
    """Makes a function with asserts, which returns a sentence, the check of an exercise."""

    @functools.wraps(judge)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Solved:
        if not __debug__:
            raise ConfigurationError(
                "This Python leaves out all asserts, and with them the checks.", advice="Start it without -O."
            )
        try:
            return Solved(judge(*args, **kwargs))
        except AssertionError as wrong:
            raise NotYet(str(wrong)) from None

    return checked


def called(theirs: Callable[..., T], *given: Any, when: str) -> T:
    """What a learner's function returns; what it raises instead is told in words."""
    assert callable(theirs), f"What you gave is {shown(theirs)}, and not a function."
    name = getattr(theirs, "__name__", "your function")
    assert not inspect.iscoroutinefunction(theirs), f"`{name}` is async; write a plain function."
    try:
        return theirs(*given)
    except NotYet:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a learner's function raises
        raise AssertionError(
            f"`{name}` raised {type(error).__name__} {when}: {printable(str(error), 200) or 'without words'}."
        ) from None


def texts_in(answer: Any, name: str, meant: str) -> list[str]:
    """Text by text, what a learner put into a list, a set or a column."""
    if hasattr(answer, "columns") and len(answer.columns) == 1:
        answer = answer.iloc[:, 0]
    listed = list(answer) if isinstance(answer, Iterable) and not isinstance(answer, str | bytes) else None
    assert listed is not None and not hasattr(answer, "columns"), f"`{name}` is {shown(answer)}; it is to be {meant}."
    odd = [item for item in listed if not isinstance(item, str)]
    assert not odd, f"`{name}` has {shown(odd[0])} in it; it is to be {meant}."
    return listed


def shown(value: object) -> str:
    """A learner's value, in a sentence."""
    return "still `...`" if value is ... else f"`{printable(' '.join(repr(value).split()), 80)}`"
