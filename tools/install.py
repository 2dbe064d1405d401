"""Installs packages, and shows in one line what pip is doing: python -m tools.install, then the arguments of `pip install`."""

import subprocess
import sys
import time
from threading import Thread
from typing import IO

WIDTH = 100


def main(arguments: list[str]) -> int:
    """Returns pip's exit code. pip's errors are shown as they are."""
    started = time.monotonic()
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off", *arguments]
    print("Installing packages into .venv, about a minute and a half the first time …", flush=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pip:
        step = [""]
        Thread(target=read, args=(pip.stdout, step), daemon=True).start()
        while pip.poll() is None:
            show(f"{time.monotonic() - started:3.0f} s  {step[0]}")
            time.sleep(0.3)
    show("")
    if not pip.returncode:
        print(f"Installed in {time.monotonic() - started:.0f} s.", flush=True)
    return pip.returncode


def read(output: IO[str], step: list[str]) -> None:
    """Keeps the current step in the list."""
    for line in output:
        if line.startswith(("Collecting", "  Downloading", "Installing", "Building", "Obtaining")):
            step[0] = line.strip()


def show(text: str) -> None:
    """In place of the previous text, on a terminal only."""
    if sys.stdout.isatty():
        print(f"\r{text[:WIDTH]:{WIDTH}}\r", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
