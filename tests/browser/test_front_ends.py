"""The whole walk through the Explorer in front ends other than JupyterLab in Chromium."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.lab import SCREENSHOTS, Lab

pytestmark = pytest.mark.browser

WALK = Path(__file__).parent / "node" / "walk.js"
CELL = """import cstar_explore as cx
sandbox = cx.Sandbox()
listener = sandbox.listener()
client = sandbox.client()
hook = client.webhooks.create(name='Here', url=listener.url, events=['ticket.created'])
listener.trust(hook.secret)
cx.Explorer(client, listener=listener)"""
STEPS = [
    "run",
    "search",
    "select",
    "edit",
    "fire",
    "deliveries",
    "create",
    "reveal",
    "pause",
    "delete",
    "audit",
    "coverage",
]


def walk(lab: Lab, browser: str, executable: str, path: str) -> list[str]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    lab.write("walk.ipynb", [CELL])
    ended = subprocess.run(
        ["node", WALK, browser, executable, f"{lab.url}/{path}/walk.ipynb?token={lab.token}", SCREENSHOTS],
        env={**os.environ, "HOME": str(lab.home)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert not ended.returncode, f"{ended.stdout}\n{ended.stderr}"
    return ended.stdout.split()


def test_every_step_works_in_notebook_7(start_lab: Callable[..., Lab], browser: Browser) -> None:
    """In the Chromium of the other tests."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or browser.browser_type.executable_path
    assert STEPS == walk(start_lab(), "chrome", executable, "notebooks")


def test_every_step_works_in_firefox(start_lab: Callable[..., Lab]) -> None:
    """In JupyterLab."""
    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    assert executable, "install firefox-esr: make browsers"
    assert STEPS == walk(start_lab(), "firefox", executable, "lab/tree")
