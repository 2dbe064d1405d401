"""SECURITY.md names existing tests, and its statements about dependencies are true."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROJECT = TESTS.parent
PAGE = (PROJECT / "SECURITY.md").read_text(encoding="utf-8")


def functions_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("test", re.findall(r"`([\w/]+\.py::test_\w+)`", PAGE))
def test_a_named_test_exists(test: str) -> None:
    """At the path that the page gives, relative to `tests/`."""
    file, _, name = test.partition("::")
    assert name in functions_in(TESTS / file)


def test_every_guarantee_names_a_test() -> None:
    """Except those under "Not guaranteed"."""
    page, separator, _ = PAGE.partition("## Not guaranteed")
    guarantees = re.split(r"^- ", page, flags=re.MULTILINE)[1:]

    assert separator
    assert len(guarantees) > 10
    assert [] == [guarantee for guarantee in guarantees if "::test_" not in guarantee]


def test_every_dependency_has_a_reason() -> None:
    """As a comment on the line that declares it."""
    declared = re.findall(
        r'^  "[\w-]+(?:\[\w+\])?>=.*$', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert len(declared) > 15
    assert [] == [line for line in declared if not re.search(r"# \w+ .*\w", line)]


def test_only_api_and_serving_import_httpx() -> None:
    """A maintained fork would change those imports and no others."""
    package = PROJECT / "cstar_explore"
    importers = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if re.search(r"^\s*(?:import|from) httpx\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert {"api", "serving"} == importers
