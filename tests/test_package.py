"""The wheel and the sdist: their contents, and that the wheel works in an empty environment."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import cstar_explore as cx
from tests.support.sampling import NIGHTLY

PROJECT = Path(__file__).parents[1]
NOTEBOOKS = {path.name for path in PROJECT.glob("notebooks/*.ipynb")}


def run(*command: str | Path, **options: object) -> str:
    process = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, **options)
    assert 0 == process.returncode, process.stdout + process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=PROJECT)
    [path] = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the sdist, which therefore contains everything that the wheel needs."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, sdist)
    [path] = folder.glob("*.whl")
    return path


def test_the_sdist_contains_the_project(sdist: Path) -> None:
    """All files that the targets of the Makefile need."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "constraints.txt", "tests/test_package.py"} <= names
    assert {"conftest.py", "docs/conf.py", "docs/reference/client.rst", "tools/execute_notebooks.py"} <= names
    assert {f"{folder}/{name}" for folder in ("notebooks", "docs/course") for name in NOTEBOOKS} <= names
    assert "benchmarks/README.md" in names


def test_the_wheel_contains_notebooks_and_types_but_no_tests(wheel: Path) -> None:
    """Only what a user needs."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {"cstar_explore/py.typed", *(f"cstar_explore/notebooks/{name}" for name in NOTEBOOKS)} <= names
    assert set() == {
        name for name in names if name.split("/")[0] in ("tests", "notebooks", "benchmarks", "docs", "tools")
    }
    assert f"cstar_explore-{cx.__version__}-py3-none-any.whl" == wheel.name


def test_the_wheel_names_its_author_and_the_pages_it_is_about(wheel: Path) -> None:
    """Metadata that package indexes show."""
    with zipfile.ZipFile(wheel) as archive:
        [metadata] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        lines = archive.read(metadata).decode().splitlines()

    assert "Author: cstar_explore contributors" in lines
    assert "Project-URL: API reference, https://www.cstar.help/developers/api-reference/webhooks" in lines


def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """pip installs it, the commands exist, and the first cells of lesson 1 run. At night, pip also installs the dependencies."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_ = tmp_path / "venv" / "bin"
    install = (bin_ / "pip", "install", "-q", "--no-compile", "-c", PROJECT / "constraints.txt")
    if NIGHTLY:
        run(*install, wheel)
        run(bin_ / "pip", "check")
    else:
        run(*install, "--no-deps", wheel)
        [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
        # The folder's own .pth files, such as that of the checkout, are not read.
        (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    folder = tmp_path / "course"
    code = (
        f"from cstar_explore.cli import lab; from pathlib import Path; print(lab.copy_notebooks(Path({str(folder)!r})))"
    )
    had_notebooks = run(bin_ / "python", "-c", code, cwd=tmp_path)  # outside the checkout, which would be imported
    cells = json.loads((folder / "01_first_webhook.ipynb").read_text(encoding="utf-8"))["cells"]
    [first, second, *_] = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    printed = run(bin_ / "python", "-c", f"{first}\nprint({second})", cwd=tmp_path)

    assert "False" == had_notebooks.strip()
    assert NOTEBOOKS == {path.name for path in folder.iterdir()}
    assert "[4 rows x 7 columns]" in printed
    assert "audit" in run(bin_ / "cstar-explore", "--help")
