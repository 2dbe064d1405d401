"""An error in a cell shows the user's own lines, the message and the advice, and on request the full traceback."""

import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping

import nbformat
import pytest
from nbclient import NotebookClient

import cstar_explore as cx
from cstar_explore.errors import ConfigurationError

PLANTED = "sk_" + "test_0123456789abcdefghijklmnop"
CELLS: Mapping[str, str] = {
    "setup": f"""
import pathlib, sys
import cstar_explore as cx
from cstar_explore.errors import ConfigurationError, NotFoundError
sandbox = cx.Sandbox()
client = sandbox.client()
key = {PLANTED!r}
pathlib.Path("helpers.py").write_text("def read(client):\\n    return client.webhooks.get('whk_nope')\\n")
""",
    "one line": "before = 1\nclient.webhooks.get('whk_nope')\nafter = 2",
    "plain": "%tb",
    "mode Plain": "%tb Plain",
    "mode Context": "%tb Context",
    "mode Verbose": "%tb Verbose",
    "plain again": "%tb",
    "statement of several lines": "client.webhooks.create(\n    name='a',\n    url='no',\n    events='ticket.created',\n)",
    "function": "def inner():\n    client.webhooks.get('whk_nope')\ninner()",
    "file": "sys.path.insert(0, '')\nimport helpers\nhelpers.read(client)",
    "recursion": "def again(n):\n    return again(n - 1) if n else client.webhooks.get('x')\nagain(300)",
    "cause": "try:\n    {}['planted']\nexcept KeyError as error:\n    raise ConfigurationError('No.', advice='Yes.') from error",
    "context": "try:\n    {}['planted']\nexcept KeyError:\n    client.webhooks.get('whk_nope')",
    "own cause": "cx.Client(key, 'team', 'https://127.0.0.1:9').webhooks.list()",
    "note": "error = ConfigurationError('No.')\nerror.add_note('Planted note.')\nraise error",
    "key in the line": f"cx.Client('{PLANTED}', 'team', 'https://127.0.0.1:9').webhooks.list()",
    "key in the line, Verbose": "%tb Verbose",
    "group": "raise ExceptionGroup('several', [ConfigurationError('One.'), NotFoundError('Two.')])",
    "own error": "raise ValueError('of the user')",
    "long line": (
        "if client:\n    client.webhooks.create(name='Desk', url='http://desk.example.com/hooks/incoming',"
        " events=['ticket.created', 'ticket.updated'])"
    ),
    "xmode": "%xmode Verbose\nclient.webhooks.get('whk_nope')",
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the notebook shows for each cell, without colors."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(folder)}}).execute()
    texts = (
        "\n".join("\n".join(output.get("traceback") or [output.get("text", "")]) for output in cell["outputs"])
        for cell in notebook.cells
    )
    return dict(zip(CELLS, (re.sub(r"\x1b\[[\d;]*m", "", text) for text in texts), strict=True))


def test_an_error_shows_the_line_the_message_and_the_advice(shown: dict[str, str]) -> None:
    """And nothing else."""
    text = re.sub(r"req_\w+", "req_1", shown["one line"])
    assert text.splitlines() == [
        "Cell In[2], line 2",
        "    client.webhooks.get('whk_nope')",
        "",
        "NotFoundError: Webhook not found (404, RESOURCE_MISSING,",
        "req_1).",
        "List the webhooks to see which exist. Test keys and live keys see",
        "different ones.",
        "",
        "For the full traceback, run %tb Verbose.",
    ]


@pytest.mark.parametrize(
    "cell", [cell for cell in CELLS if cell not in ("setup", "xmode", "group") and "Verbose" not in cell]
)
def test_no_line_of_the_package_is_shown(shown: dict[str, str], cell: str) -> None:
    """Nor of a library."""
    assert "" != shown[cell]
    assert not re.search(r"cstar_explore/\w|site-packages|_send|httpcore", shown[cell])


@pytest.mark.parametrize("cell", ["plain", "mode Plain", "mode Context", "plain again"])
def test_tb_shows_the_same_in_every_mode_but_verbose(shown: dict[str, str], cell: str) -> None:
    """Also after it was Verbose once."""
    assert shown["one line"] == shown[cell]


@pytest.mark.parametrize("cell", ["mode Verbose", "xmode"])
def test_the_mode_verbose_shows_the_full_traceback(shown: dict[str, str], cell: str) -> None:
    """With the package's lines and its variables."""
    for part in ("Traceback (most recent call last)", "cstar_explore/api/client.py", "webhook_id = 'whk_nope'"):
        assert part in shown[cell]


def test_a_statement_is_shown_whole(shown: dict[str, str]) -> None:
    """With all its lines."""
    whole = textwrap.indent(CELLS["statement of several lines"], "    ")
    assert f"line 1\n{whole}\n\nValidationError: " in shown["statement of several lines"]


def test_long_lines_break_between_words(shown: dict[str, str]) -> None:
    """So that JupyterLab does not break them inside a word, in a window of 1,000 px with its file browser."""
    lines = shown["long line"].splitlines()
    assert max(map(len, lines)) <= 70
    assert CELLS["long line"].split("\n")[1].split() == " ".join(lines[1 : lines.index("")]).split()


def test_the_lines_of_the_users_functions_and_files_are_shown(shown: dict[str, str]) -> None:
    """From the cell to the call."""
    assert "line 3\n    inner()\n\nCell In[9], line 2\n    client.webhooks.get('whk_nope')\n\n" in shown["function"]
    assert re.search(r"helpers\.read\(client\)\n\nFile .*helpers\.py, line 2\n    return client", shown["file"])
    assert 6 == shown["recursion"].count("Cell In[")
    assert len(shown["recursion"].splitlines()) < 30


def test_errors_behind_it_are_in_the_full_traceback_only(shown: dict[str, str]) -> None:
    """Whoever raised them."""
    assert "planted" not in shown["cause"] + shown["context"]
    assert shown["own cause"].startswith("Cell In[14], line 1\n    cx.Client(")
    assert 1 == shown["own cause"].count("Error: ")


def test_notes_are_shown_after_the_advice(shown: dict[str, str]) -> None:
    """As Python does."""
    assert "ConfigurationError: No.\nSee the message.\nPlanted note.\n" in shown["note"]


def test_a_key_in_the_users_line_is_masked(shown: dict[str, str]) -> None:
    """In the short and in the full traceback."""
    assert "cx.Client('sk_test_••••', 'team'" in shown["key in the line"]
    assert "sk_test_••••" in shown["key in the line, Verbose"]
    assert [] == [cell for cell, text in shown.items() if PLANTED in text]


def test_groups_and_other_errors_are_shown_as_by_ipython(shown: dict[str, str]) -> None:
    """With their own traceback."""
    assert "Traceback (most recent call last)" in shown["own error"]
    assert "ExceptionGroup: several (2 sub-exceptions)" in shown["group"]
    assert "ConfigurationError: One." in shown["group"]


def test_ipython_in_a_terminal_shows_the_same() -> None:
    """In every mode, with line breaks."""
    cell = "from cstar_explore.errors import *\n%xmode Plain\nraise NotFoundError('Planted.')\n%tb Verbose\n"
    shell = [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=nocolor", "--quick"]
    completed = subprocess.run(shell, input=cell, capture_output=True, text=True, check=True, timeout=60)
    text = re.sub(r"\x1b\[[\d;]*m", "", completed.stdout)
    assert "line 1\n    raise NotFoundError('Planted.')\n\nNotFoundError: Planted.\nList the webhooks" in text
    assert "Traceback (most recent call last)" in text


def test_without_ipython_the_lines_are_those_of_the_traceback() -> None:
    """With the file in place of the cell; the text of the error is unchanged."""
    with pytest.raises(ConfigurationError) as raised:
        cx.connect()
    [text] = raised.value._render_traceback_()
    assert f"File {__file__}, line" in text
    assert "cx.connect()" in text
    assert raised.value.advice in " ".join(text.splitlines())
    assert str(raised.value) == f"{raised.value.message.rstrip('.')}. {raised.value.advice}"
