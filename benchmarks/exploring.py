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

FRAME = "client.webhooks.list().to_frame()"
LABEL = ".widget-label"

# The code; the CSS of its rows, or of a canvas, and of what shows the selected name.
WIDGETS = {
    "Explorer": ("cx.Explorer(client)", ".cx-webhooks tbody tr", ".cx-side"),
    "`ITable`": (
        f"chosen(ITable({FRAME}, maxBytes=0, select=True), 'selected_rows', int)",
        ".dt-container tbody tr",
        LABEL,
    ),
    "ipydatagrid": (
        f"chosen(DataGrid({FRAME}, selection_mode='row'), 'selections', lambda one: one['r1'])",
        ".lm-DataGrid canvas",
        LABEL,
    ),
}

# Whether a node has the text; or a canvas any, in its first cells.
IS_SHOWN = """([css, text]) => [...document.querySelectorAll(css)].some((node) => {
  if (!node.getContext) return node.textContent.includes(text);
  const pixels = node.getContext("2d").getImageData(70, 22, 300, 60).data;
  return pixels.some((value, index) => index % 4 === 0 && value < 100 && pixels[index + 3] > 200);
})"""


def run() -> Iterator[Case]:
    """Each is shown once before, so imports are not measured."""
    with chromium() as browser:
        for size in (10, 1_000, 10_000):
            with lists(size) as url, tempfile.TemporaryDirectory() as home:
                lab = Lab(Path(home) / "lab")
                cells = [PREPARE.format(key=KEY, url=url), *(code for code, _, _ in WIDGETS.values())]
                lab.write("bench.ipynb", cells)
                notebook = lab.open(browser, "bench.ipynb")
                notebook.run_all()
                for what, seconds in (("first view", _seconds_to_view), ("selecting a row", _seconds_to_select)):
                    ours, *others = (partial(seconds, notebook, name, count()) for name in WIDGETS)
                    rivals = {name: (work, 1) for name, work in zip(list(WIDGETS)[1:], others, strict=True)}
                    yield Case(f"Explorer, {what}", f"{size:,}", "for the webhooks", ours, rivals)
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
    page.wait_for_function(IS_SHOWN, arg=[rows, "Webhook 0"], timeout=PATIENCE)
    seconds = time.perf_counter() - began
    notebook.wait_until_idle()
    return seconds


def _seconds_to_select(notebook: Notebook, name: str, turns: "count[int]") -> float:
    """Shows the widget, and clicks one of its first rows."""
    _seconds_to_view(notebook, name, turns)
    (_, rows, label), number, page = WIDGETS[name], 1 + next(turns) % 3, notebook.page
    is_canvas = rows.endswith("canvas")
    box = page.locator(rows).nth(0 if is_canvas else number).bounding_box()
    assert box is not None
    position = box["x"] + 120, box["y"] + (20 * (number + 1.5) if is_canvas else box["height"] / 2)
    page.mouse.move(*position)
    began = time.perf_counter()
    page.mouse.click(*position)
    page.wait_for_function(IS_SHOWN, arg=[label, f"Webhook {number}"], timeout=PATIENCE)
    return time.perf_counter() - began
