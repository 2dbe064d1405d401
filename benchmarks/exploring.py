"""The Explorer in JupyterLab and Chromium, against widgets that show a frame.

First view: from running the cell, which fetches the list, to the first row on the page. Selecting: from a click on a row to its
webhook's name, which the kernel sends; the other widgets get a label for it.
"""

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

from tests.support.lab import PATIENCE, Lab, Notebook, chromium

from .measuring import Case
from .server import KEY, lists

PREPARE = """import cstar_explore as cx, ipywidgets
from ipydatagrid import DataGrid
from itables.widget import ITable
client = cx.Client({key!r}, "team_1", {url!r})
def chosen(widget, trait, row):
    label = ipywidgets.Label()
    widget.observe(lambda change: setattr(label, "value", f"Webhook {{row(change['new'][0])}}"), trait)
    return ipywidgets.VBox([widget, label])"""

# The code; the CSS of its rows, of what shows the selected name, and where on the page the first row begins and the next.
WIDGETS = {
    "Explorer": ("cx.Explorer(client)", ".cx-webhooks tbody tr", ".cx-side"),
    "`ITable`": (
        "chosen(ITable(client.webhooks.list().to_frame(), maxBytes=0, select=True), 'selected_rows', int)",
        ".dt-container tbody tr",
        ".widget-label",
    ),
    "ipydatagrid": (
        "chosen(DataGrid(client.webhooks.list().to_frame(), selection_mode='row'), 'selections', lambda one: one['r1'])",
        "",
        ".widget-label",
    ),
}

HAS_TEXT = "([css, text]) => [...document.querySelectorAll(css)].some((node) => node.textContent.includes(text))"

# Whether the first cells of the canvas have text.
IS_PAINTED = """() => [...document.querySelectorAll(".lm-DataGrid-viewport canvas, .lm-DataGrid canvas")].some((canvas) => {
  const pixels = canvas.getContext("2d").getImageData(70, 22, 300, 60).data;
  return pixels.some((value, index) => index % 4 === 0 && value < 100 && pixels[index + 3] > 200);
})"""


def run() -> Iterator[Case]:
    """Each is run once before, so imports are not measured."""
    with chromium() as browser:
        for size in (10, 1_000, 10_000):
            with lists(size) as url, tempfile.TemporaryDirectory() as home:
                lab = Lab(Path(home) / "lab")
                cells = [PREPARE.format(key=KEY, url=url), *(code for code, _, _ in WIDGETS.values())]
                lab.write("bench.ipynb", cells)
                notebook = lab.open(browser, "bench.ipynb")
                notebook.run_all()
                turns = count()
                for what, seconds in (("first view", _seconds_to_view), ("selecting a row", _seconds_to_select)):
                    ours, *others = (partial(seconds, notebook, name, turns) for name in WIDGETS)
                    rivals = dict(zip(list(WIDGETS)[1:], others, strict=True))
                    aims = dict.fromkeys(rivals, 1)
                    yield Case(f"Explorer, {what}", f"{size:,}", "for the table", ours, rivals, aims=aims)
                lab.close()


def _seconds_to_view(notebook: Notebook, name: str, _: object) -> float:
    code, rows, _ = WIDGETS[name]
    page = notebook.page
    cell = page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea-editor", has_text=code)).last
    cell.locator(".cm-content").click()
    page.keyboard.press("Escape")
    page.evaluate("document.querySelectorAll('.jp-OutputArea-child').forEach(node => node.remove())")
    began = time.perf_counter()
    page.keyboard.press("Control+Enter")
    if rows:
        page.wait_for_function(HAS_TEXT, arg=[rows, "Webhook 0"], timeout=PATIENCE)
    else:
        page.wait_for_function(IS_PAINTED, timeout=PATIENCE)
    seconds = time.perf_counter() - began
    notebook.wait_until_idle()
    return seconds


def _seconds_to_select(notebook: Notebook, name: str, turns: "count[int]") -> float:
    """Shows the widget, and clicks one of its first rows."""
    _seconds_to_view(notebook, name, turns)
    _, rows, label = WIDGETS[name]
    number = 1 + next(turns) % 3
    page = notebook.page
    grid = page.locator(rows).nth(number) if rows else page.locator(".lm-DataGrid canvas").first
    box = grid.bounding_box()
    assert box is not None
    top = box["y"] + (box["height"] / 2 if rows else 20 * (number + 1.5))
    page.mouse.move(box["x"] + 120, top)
    began = time.perf_counter()
    page.mouse.click(box["x"] + 120, top)
    page.wait_for_function(HAS_TEXT, arg=[label, f"Webhook {number}"], timeout=PATIENCE)
    return time.perf_counter() - began
