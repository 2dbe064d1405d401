"""What all checks share: the decorator `check`, its results `NotYet` and `Solved`, and helpers for messages.

PYTEST_DONT_REWRITE, because the messages of the asserts are shown to learners.
"""

import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from ..errors import ConfigurationError
from ..text import printable

P = ParamSpec("P")
T = TypeVar("T")

_WIDTH = 88  # JupyterLab breaks longer lines inside a word


class NotYet(AssertionError):  # noqa: N818 - an unsolved exercise is not an error
    """The exercise is not solved yet. A notebook shows the message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return textwrap.wrap(f"Not yet. {self}", _WIDTH, break_on_hyphens=False)


class Solved(str):
    """The message for a solved exercise. A notebook shows it without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return textwrap.fill(self, _WIDTH, break_on_hyphens=False)


def check(function: Callable[P, str]) -> Callable[P, Solved]:
    """Turns a function with asserts, which returns a message, into a check: a failed assert raises `NotYet`."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Solved:
        if not __debug__:
            raise ConfigurationError(
                "The checks use assert statements, which python -O removes.", advice="Start Python without -O."
            )
        try:
            return Solved(function(*args, **kwargs))
        except AssertionError as failed:
            raise NotYet(str(failed)) from None

    return checked


def call(function: Callable[..., T], *args: Any, when: str) -> T:
    """Calls the learner's function; an exception in it becomes a failed assert."""
    assert callable(function), f"Pass a function to the check, not {shown(function)}."
    name = getattr(function, "__name__", "your function")
    assert not inspect.iscoroutinefunction(function), f"`{name}` is async; write a plain function."
    try:
        return function(*args)
    except NotYet:
        raise
    except Exception as error:  # noqa: BLE001 - the learner's function may raise anything
        raise AssertionError(
            f"`{name}` raised {type(error).__name__} {when}: {printable(str(error), 200) or 'no message'}."
        ) from None


def shown(value: object) -> str:
    """The learner's value, shortened for a message."""
    return "`...`" if value is ... else f"`{printable(' '.join(repr(value).split()), 80)}`"
