"""`cstar-explore sandbox`: runs the sandbox in real time, for receivers in other processes."""

import argparse
import signal
import sys

from ..sandbox import Sandbox


def run(options: argparse.Namespace) -> int:
    # Blocked before any thread starts, because threads inherit the mask: only `sigwait` gets these signals.
    signals = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    with Sandbox(options.file, port=options.port, real_time=True) as sandbox:
        # A fake key, valid for this sandbox only.
        print(
            f"export CSTAR_BASE_URL={sandbox.base_url} CSTAR_TEAM_ID={sandbox.team_id} CSTAR_KEY={sandbox.key.reveal()}",
            flush=True,
        )
        print("The sandbox is running. Press Ctrl+C to stop it.", file=sys.stderr, flush=True)
        received = signal.sigwait(signals)
        print(f"Stopped by {signal.Signals(received).name}.", file=sys.stderr)
    return 0
