"""Each promise in SECURITY.md names tests that there are."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROMISES = (TESTS.parent / "SECURITY.md").read_text(encoding="utf-8")


def named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("named", re.findall(r"`((?:browser/)?test_\w+\.py::test_\w+)`", PROMISES))
def test_a_named_test_exists(named: str) -> None:
    """A promise is worth what its tests are."""
    file, _, name = named.partition("::")
    assert name in named_in(TESTS / file)


def test_every_promise_names_a_test() -> None:
    """But for those that are said not to be promised."""
    promised, _, _ = PROMISES.partition("## What is not promised")
    promises = re.split(r"^- ", promised, flags=re.MULTILINE)[1:]

    assert len(promises) > 10
    assert [] == [promise for promise in promises if "::test_" not in promise]


def test_every_dependency_says_why() -> None:
    """In the line that declares it."""
    declared = re.findall(
        r'^  "[\w-]+(?:\[\w+\])?>=.*$', (TESTS.parent / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert len(declared) > 15
    assert [] == [line for line in declared if not re.search(r"# \w+ .*\w", line)]
