"""Prints the table, or only the named rows: `python -m benchmarks audit verify`."""

import sys

from . import auditing, changing, checking, exploring, listing, notebooks, receiving, sandbox, starting, verifying
from .measuring import HEAD

ROWS = {
    "parse": listing.parse,
    "list": listing.fetch,
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

if __name__ == "__main__":
    print(HEAD)
    for name in sys.argv[1:] or ROWS:
        for case in ROWS[name]():  # what a case needs is there until the next one
            for row in case.rows():
                print(row, flush=True)
