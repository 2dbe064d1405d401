"""The house: which room may import which, and what is public."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cstar_explore as cx

PACKAGE = Path(cx.__file__).parent

# From the ground up. A room imports only from rooms above it in this list.
ROOMS = (
    "text",
    "errors",
    "secret",
    "loopback",
    "database",
    "posting",
    "pictures",
    "tabular",
    "spreadsheet",
    "fields",
    "models",
    "events",
    "samples",
    "signing",
    "mishaps",
    "explaining",
    "frames",
    "wire",
    "retrying",
    "traffic",
    "link",
    "client",
    "serving",
    "sandbox",
    "listener",
    "connecting",
    "changes",
    "auditing",
    "widgets",
    "cli",
    "course",
)

# What the sandbox may know of the house: nothing that writes or reads cStar's answers.
SANDBOX_KNOWS = {
    "errors",
    "secret",
    "events",
    "signing",
    "database",
    "loopback",
    "pictures",
    "posting",
    "serving",
    "tabular",
    "text",
}

# Loaded inside a function, on purpose: the reason stands beside each.
LATE = {
    ("models", "frames"),
    ("events", "samples"),
    ("sandbox", "client"),
    ("sandbox", "listener"),
    ("listener", "widgets"),
    ("cli", "sandbox"),
    ("errors", "models"),
    ("errors", "changes"),
}

HEAVY = {"pandas", "ipywidgets", "anywidget", "httpx", "starlette", "uvicorn", "matplotlib", "tenacity"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports() -> set[tuple[str, str]]:
    """Pairs of rooms of which the first imports the second."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        here = room_of(path)
        depth = len(path.relative_to(PACKAGE).parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level == depth:
                targets = [node.module.split(".")[0]] if node.module else [name.name for name in node.names]
                found |= {(here, target) for target in targets}
    return {(here, there) for here, there in found if here not in (there, "__init__") and there != "__version__"}


def when_run(path: Path) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a file that are not for its types alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = [
        node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    passed_over = {id(inner) for node in for_types for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in passed_over:
            yield node


def test_every_room_has_its_place_in_the_order() -> None:
    """No file lies about outside of the rooms."""
    assert {*ROOMS, "__init__"} == {room_of(path) for path in PACKAGE.rglob("*.py")}


def test_a_room_imports_only_from_rooms_above_it() -> None:
    """No circles; the few late imports are named."""
    order = {room: place for place, room in enumerate(ROOMS)}

    assert set() == {(here, there) for here, there in imports() - LATE if order[there] >= order[here]}


def test_the_sandbox_shares_no_encoding_or_decoding_with_the_client() -> None:
    """A mistake in `wire` must not be able to agree with itself."""
    assert set() == {there for here, there in imports() - LATE if here == "sandbox"} - SANDBOX_KNOWS


def test_importing_the_package_loads_nothing_heavy() -> None:
    """What is not used costs nothing."""
    code = "import sys, cstar_explore; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert set() == HEAVY & set(loaded)


@pytest.mark.parametrize("name", cx.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    """`__all__` promises nothing that is not there."""
    assert name in dir(cx)
    assert getattr(cx, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """So that `hasattr` and typing errors behave."""
    with pytest.raises(AttributeError, match="has no attribute 'Webhok'"):
        _ = cx.Webhok


def test_no_public_name_is_hidden_by_a_room() -> None:
    """Importing a room sets its name on the package: a function of that name would become a module."""
    public = {name for name in cx.__all__ if name not in ("errors", "events")}

    assert set() == public & set(ROOMS)


def test_httpx_is_imported_in_three_rooms_only() -> None:
    """So that another package of the same names is a small change."""
    found = {room_of(path) for path in PACKAGE.rglob("*.py") if "import httpx" in path.read_text(encoding="utf-8")}

    assert {"link", "posting", "traffic"} == found


def test_pandas_comes_from_one_room() -> None:
    """There it is told not to typeset `$…$`; a room that got it elsewhere might show a frame before that."""
    found = {
        room_of(path) for path in PACKAGE.rglob("*.py") for node in when_run(path) if "pandas" in ast.unparse(node)
    }

    assert {"tabular"} == found


def test_the_forms_load_no_pandas() -> None:
    """It takes longer than all the rest, and a form that creates a webhook has no use for it."""
    code = "import sys, cstar_explore.widgets; print('pandas' in sys.modules, 'matplotlib' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "False False" == ran.stdout.strip()
