"""The checks of the course in `notebooks/`: one module per lesson, one function per exercise.

    from cstar_explore.course import first_webhook as check

    check.finance(client)

A check returns a short message if the exercise is solved. Otherwise it raises `NotYet`, whose message names what is wrong and
where to look.
"""

from .checks import NotYet

__all__ = ["NotYet"]
