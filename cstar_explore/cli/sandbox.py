"""`cstar-explore sandbox`: the sandbox alone, in this machine's time: what it delivers to has a clock of its own."""

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sandbox.clock import Clock


def run(options: argparse.Namespace) -> int:
    from ..sandbox import Sandbox

    # Blocked before the server's thread starts, which inherits it: the signal waits for `sigwait` alone.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with Sandbox(options.file, port=options.port) as sandbox:
        sandbox.clock.catch_up()
        ended = threading.Event()
        ticking = threading.Thread(target=_tick, args=(sandbox.clock, ended), name="clock")
        ticking.start()
        # The key is one of the sandbox's own false ones; it opens nothing but this.
        print(
            f"export CSTAR_BASE_URL={sandbox.base_url} CSTAR_TEAM_ID={sandbox.team_id} CSTAR_KEY={sandbox.key.reveal()}",
            flush=True,
        )
        print("A cStar sandbox is running; Ctrl+C ends it.", file=sys.stderr, flush=True)
        by = signal.sigwait(signals)
        print(f"Ended by {signal.Signals(by).name}.", file=sys.stderr)
        ended.set()
        ticking.join()
    return 0


def _tick(clock: "Clock", ended: threading.Event) -> None:
    """Keeps a clock at the present, so that signatures are fresh and retries come when they are due."""
    while not ended.wait(1):
        clock.catch_up()
