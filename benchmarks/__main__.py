"""Prints the table, or only the named rows: `python -m benchmarks audit verify`."""

import sys
from collections.abc import Callable, Iterator, Mapping

from . import auditing, closing, first_view, importing, listing, notebooks, receiving, verifying
from .measuring import HEAD, Row

ROWS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "parse": listing.parse,
    "list": listing.fetch,
    "import": importing.run,
    "verify": verifying.run,
    "store": receiving.store,
    "fire": receiving.fire,
    "close": closing.run,
    "audit": auditing.run,
    "view": first_view.run,
    "notebooks": notebooks.run,
}


def main() -> None:
    """Prints each row as soon as it is measured."""
    print(HEAD)
    for name in sys.argv[1:] or ROWS:
        for row in ROWS[name]():
            print(row, flush=True)


if __name__ == "__main__":
    main()
