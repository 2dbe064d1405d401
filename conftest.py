"""Runs the examples in README.md and docs: each `python` block prints exactly the `text` block below it."""

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from textwrap import dedent

import pytest
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

collect_ignore = ["docs/examples"]  # suites of other projects, which `tests/pytest_plugin` runs as such

_run = PythonEvaluator()


def _capture(example: Example) -> None:
    with redirect_stdout(StringIO()) as output:
        _run(example)
    example.namespace["printed"] = output.getvalue()


def _compare(example: Example) -> None:
    """Sybil removes common indentation from a block."""
    assert dedent(example.namespace.pop("printed")) == example.parsed  # noqa: S101 - this is a test


@pytest.fixture
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs an example in a folder of its own, without a key in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("CSTAR_KEY", "CSTAR_TEAM_ID", "CSTAR_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


pytest_collect_file = Sybil(
    parsers=[CodeBlockParser("python", _capture), CodeBlockParser("text", _compare)],
    patterns=["README.md", "docs/*.md"],
    fixtures=["empty_folder"],
).pytest()
