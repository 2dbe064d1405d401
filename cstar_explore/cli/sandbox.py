"""`cstar-explore sandbox`: the sandbox alone."""

import argparse
import signal
import sys


def run(options: argparse.Namespace) -> int:
    from ..sandbox import Sandbox  # noqa: PLC0415 - only this command serves

    # Blocked before the server's thread starts, which inherits it: the signal waits for `sigwait` alone.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with Sandbox(options.file, port=options.port) as box:
        # The key is one of the sandbox's own false ones; it opens nothing but this.
        print(
            f"export CSTAR_BASE_URL={box.base_url} CSTAR_TEAM_ID={box.team_id} CSTAR_KEY={box.key.reveal()}", flush=True
        )
        print("A cStar sandbox is running; Ctrl+C ends it.", file=sys.stderr, flush=True)
        ended = signal.sigwait(signals)
        print(f"Ended by {signal.Signals(ended).name}.", file=sys.stderr)
    return 0
