"""The checks of the course in `notebooks/`: a file per lesson, a function per exercise.

    from cstar_explore.course import first_webhook as check

    check.finance(client)

A check is a plain function with asserts, whose words say what is still wrong and what to look at. It raises `NotYet` with them,
or returns what has been learned.
"""

from .answer import NotYet

__all__ = ["NotYet"]
