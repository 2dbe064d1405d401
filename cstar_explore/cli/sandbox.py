"""`cstar-explore sandbox`: runs the sandbox on the machine's time, for receivers in other processes."""

import argparse
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..sandbox.clock import Clock


def run(options: argparse.Namespace) -> int:
    from ..sandbox import Sandbox

    # Blocked before any thread starts, because threads inherit the mask: only `sigwait` gets these signals.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with Sandbox(options.file, port=options.port) as sandbox:
        sandbox.clock.catch_up()
        ended = threading.Event()
        ticking = threading.Thread(target=_tick, args=(sandbox.clock, ended), name="clock")
        ticking.start()
        # A fake key, valid for this sandbox only.
        print(
            f"export CSTAR_BASE_URL={sandbox.base_url} CSTAR_TEAM_ID={sandbox.team_id} CSTAR_KEY={sandbox.key.reveal()}",
            flush=True,
        )
        print("The sandbox is running. Press Ctrl+C to stop it.", file=sys.stderr, flush=True)
        received = signal.sigwait(signals)
        print(f"Stopped by {signal.Signals(received).name}.", file=sys.stderr)
        ended.set()
        ticking.join()
    return 0


def _tick(clock: "Clock", ended: threading.Event) -> None:
    """Keeps the clock at the machine's time, so that signatures are fresh and retries are on time."""
    while not ended.wait(1):
        clock.catch_up()
