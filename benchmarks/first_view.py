"""The time until the Explorer shows its first row, against an `ITable` of the same rows.

In JupyterLab and Chromium, from running the cell to the first row on the page. Both fetch the list from the sandbox in that
cell. Each is run once before, so imports are not measured.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.lab import PATIENCE, Lab, Notebook, chromium

from .measuring import Row

ROUNDS = 7

PREPARE = """import cstar_explore as cx
from itables.widget import ITable
sandbox = cx.Sandbox()
client = sandbox.client()
for number in range({count} - 4):
    client.webhooks.create(name=f"Webhook {{number}}", url=f"https://example.com/{{number}}", events=["ticket.created"])"""

ALTERNATIVES = {
    "ITable": ("ITable(client.webhooks.list().to_frame(), maxBytes=0)", ".dt-container tbody tr td"),
    "Explorer": ("cx.Explorer(client)", ".cx-webhooks tbody tr td"),
}


def seconds_to_first_row(notebook: Notebook, code: str, row: str) -> float:
    """Runs a cell and waits for a row in its output."""
    cell = (
        notebook.page.locator(".jp-CodeCell")
        .filter(has=notebook.page.locator(".jp-InputArea-editor", has_text=code))
        .last
    )
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Escape")
    notebook.page.evaluate("document.querySelectorAll('.jp-OutputArea-child').forEach(node => node.remove())")
    began = time.perf_counter()
    notebook.page.keyboard.press("Control+Enter")
    expect(cell.locator(row).first).to_be_visible(timeout=PATIENCE)
    return time.perf_counter() - began


def measured(browser: Browser, count: int) -> dict[str, list[float]]:
    """The seconds of each alternative in each round."""
    with tempfile.TemporaryDirectory() as home:
        lab = Lab(Path(home) / "lab")
        try:
            lab.write("bench.ipynb", [PREPARE.format(count=count), *(code for code, _ in ALTERNATIVES.values())])
            notebook = lab.open(browser, "bench.ipynb")
            notebook.run_all()
            times: dict[str, list[float]] = {name: [] for name in ALTERNATIVES}
            for _ in range(ROUNDS):
                for name, (code, row) in ALTERNATIVES.items():
                    times[name].append(seconds_to_first_row(notebook, code, row))
                    notebook.wait_until_idle()
            return times
        finally:
            lab.close()


def run() -> Iterator[Row]:
    """Measures with 10, 100 and 1,000 webhooks."""
    with chromium() as browser:
        for count in (10, 100, 1_000):
            times = measured(browser, count)
            target = "at most 1.5x" if count != 100 else ""
            yield Row(
                "Explorer, time to first row",
                f"{count:,} webhooks",
                "`ITable`",
                times["Explorer"],
                times["ITable"],
                target,
            )
