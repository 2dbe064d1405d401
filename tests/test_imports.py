"""What importing the package loads and changes, and which names it offers."""

import json
import subprocess
import sys

import pytest

import cstar_explore as cx

HEAVY = {"pandas", "ipywidgets", "anywidget", "httpx", "starlette", "uvicorn", "matplotlib"}


def run(code: str) -> str:
    """The output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    """A notebook pays for a library when it uses it."""
    loaded = run("import sys, cstar_explore; print(*sys.modules)").split()

    assert set() == HEAVY & set(loaded)


def test_the_forms_load_no_pandas() -> None:
    """It takes longer than everything else, and a form that creates a webhook does not need it."""
    code = "import sys, cstar_explore.widgets; print('pandas' in sys.modules, 'matplotlib' in sys.modules)"

    assert "False False" == run(code).strip()


@pytest.fixture(scope="module")
def all_imported() -> list[list[object]]:
    """In an interpreter that imports every module: its settings before and after, and what public names then are."""
    code = """
import importlib, json, logging, pkgutil
import pandas as pd
names = ("httpx", "httpcore.http11", "httpcore.connection", "httpcore.proxy", "uvicorn.error")
state = lambda: [pd.get_option("display.html.use_mathjax"), *(len(logging.getLogger(name).filters) for name in names)]
before = state()
import cstar_explore
for module in pkgutil.walk_packages(cstar_explore.__path__, "cstar_explore."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
after, cx = state(), cstar_explore
modules = [name for name in cx.__all__ if type(getattr(cx, name)).__name__ == "module"]
functions = [type(cx.events.catalogue).__name__, type(cx.events.sample).__name__]
print(json.dumps([before, after, modules, functions]))
"""
    states: list[list[object]] = json.loads(run(code))
    return states


def test_importing_every_module_leaves_pandas_and_loggers_as_they_were(all_imported: list[list[object]]) -> None:
    """The user's own frames and loggers keep their settings until a frame, client or sandbox is made."""
    before, after, *_ = all_imported

    assert before == after


@pytest.mark.parametrize("name", cx.__all__)
def test_every_public_name_can_be_loaded(name: str) -> None:
    """`__all__` lists nothing that does not exist."""
    assert name in dir(cx)
    assert getattr(cx, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    """So `hasattr` works, and the message names the attribute."""
    with pytest.raises(AttributeError, match="Webhok"):
        _ = cx.Webhok


def test_no_module_hides_a_public_function(all_imported: list[list[object]]) -> None:
    """Importing a module sets its name on the package: a function of that name would become a module."""
    *_, modules, functions = all_imported

    assert ["errors", "events"] == modules
    assert ["function", "function"] == functions
