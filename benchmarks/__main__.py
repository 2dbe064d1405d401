"""Prints the whole table, or the rows whose names are given: `python -m benchmarks audit verify`."""

import sys
from collections.abc import Callable, Iterator, Mapping

from . import auditing, first_view, importing, listing, notebooks, receiving, verifying
from .measuring import HEAD, Row

ROWS: Mapping[str, Callable[[], Iterator[Row]]] = {
    "parse": listing.parsed,
    "list": listing.fetched,
    "import": importing.imported,
    "verify": verifying.verified,
    "store": receiving.stored,
    "seen": receiving.seen,
    "retries": receiving.retried,
    "audit": auditing.audited,
    "view": first_view.viewed,
    "notebooks": notebooks.run,
}


def main() -> None:
    """Row by row, as each is done."""
    print(HEAD)
    for name in sys.argv[1:] or ROWS:
        for row in ROWS[name]():
            print(row, flush=True)


if __name__ == "__main__":
    main()
