"""Prints the table, or only the named rows: `python -m benchmarks audit verify`."""

import sys
from collections.abc import Callable, Iterator, Mapping

from . import auditing, changing, checking, exploring, listing, notebooks, receiving, sandbox, starting, verifying
from .measuring import HEAD, Case

ROWS: Mapping[str, Callable[[], Iterator[Case]]] = {
    "parse": listing.parse,
    "objects": listing.objects,
    "list": listing.frames,
    "verify": verifying.verify,
    "explain": verifying.explain,
    "fire": receiving.fire,
    "store": receiving.store,
    "sandbox": sandbox.run,
    "explorer": exploring.run,
    "audit": auditing.run,
    "changes": changing.run,
    "start": starting.run,
    "check": checking.run,
    "notebooks": notebooks.run,
}


def main() -> None:
    """Prints each row as soon as it is measured. What a case needs is there until the next one."""
    print(HEAD)
    for name in sys.argv[1:] or ROWS:
        for case in ROWS[name]():
            for row in case.rows():
                print(row, flush=True)


if __name__ == "__main__":
    main()
