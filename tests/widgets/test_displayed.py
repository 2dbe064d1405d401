"""A form in a notebook is its widget, and a note that remains once its kernel has ended."""

import re

import nbformat
import pytest
from nbclient import NotebookClient

SETUP = """import cstar_explore as cx
import pandas as pd
sandbox = cx.Sandbox()
client = sandbox.client()
listener = sandbox.listener()
table = pd.DataFrame([{"name": "Desk", "url": "https://desk.example.com", "events": "ticket.created"}])"""

CELLS = {
    "cx.CreateForm(client)": "CreateForm(sandbox, team team_sandbox)",
    "cx.Explorer(client)": "Explorer(sandbox, team team_sandbox)",
    "cx.PlanForm(cx.plan(client, table))": "PlanForm(sandbox, team team_sandbox)",
    "cx.ExplainForm()": "ExplainForm()",
    "listener": "Listener(http://127.0.0.1:PORT/hooks/TOKEN)",
    "cx.FireForm(cx.Client('sk_' + 'test_x', '<b>$1$</b>', sandbox.base_url))": "FireForm(sandbox, team <b>$1$</b>)",
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[dict[str, str]]]:
    """The data of each cell's outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in (SETUP, *CELLS)])
    NotebookClient(notebook).execute()
    return {cell["source"]: [dict(output["data"]) for output in cell["outputs"]] for cell in notebook.cells[1:]}


@pytest.mark.parametrize("source", CELLS)
def test_a_note_says_what_the_output_was_and_what_to_run(outputs: dict[str, list[dict[str, str]]], source: str) -> None:
    """As text and as HTML, in an output of its own: JupyterLab shows no other form of a widget's output."""
    widget, note = outputs[source]
    assert {"application/vnd.jupyter.widget-view+json", "text/plain"} == set(widget)
    name = CELLS[source].replace("PORT", r"\d+").replace("TOKEN", r"[\w-]+")
    pattern = re.compile(re.sub(r"([()$])", r"\\\1", name))
    assert pattern.fullmatch(widget["text/plain"])
    assert {"text/html", "text/plain"} == set(note)
    assert re.fullmatch(
        rf"This was {pattern.pattern}\. It works only while its kernel runs\. To use it, run the notebook from the top\.",
        note["text/plain"],
    )
    assert "run the notebook from the top" in note["text/html"]
    assert "<b>" not in note["text/html"]


def test_the_notes_of_one_kernel_share_the_class_that_hides_them(outputs: dict[str, list[dict[str, str]]]) -> None:
    """And those of another kernel have another."""
    found = {re.search(r"cx-ended-([\w-]+)", note["text/html"]) for _, note in outputs.values()}
    assert 1 == len({match[1] for match in found if match})
    assert None not in found
