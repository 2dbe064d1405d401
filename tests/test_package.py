"""Wheel and sdist: what is in them, and that they install with pip in an empty environment and work."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import cstar_explore as cx

PROJECT = Path(__file__).parents[1]
NOTEBOOKS = {path.name for path in PROJECT.glob("notebooks/*.ipynb")}


def run(*command: str | Path, **options: object) -> str:
    ran = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True, **options)
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=PROJECT)
    [path] = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """From the sdist, so that nothing can be missing in that."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, sdist)
    [path] = folder.glob("*.whl")
    return path


def test_the_sdist_is_the_project(sdist: Path) -> None:
    """Everything that a checkout has and a test needs."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "constraints.txt", "tests/test_package.py"} <= names
    assert {"docs/reference.md", "benchmarks/README.md", *(f"notebooks/{name}" for name in NOTEBOOKS)} <= names


def test_the_wheel_has_the_notebooks_and_the_types_and_no_tests(wheel: Path) -> None:
    """What somebody needs who only uses it."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {"cstar_explore/py.typed", *(f"cstar_explore/notebooks/{name}" for name in NOTEBOOKS)} <= names
    assert set() == {name for name in names if name.split("/")[0] in ("tests", "notebooks", "benchmarks", "docs")}
    assert f"cstar_explore-{cx.__version__}-py3-none-any.whl" == wheel.name


def test_it_installs_in_an_empty_environment_and_works(wheel: Path, tmp_path: Path) -> None:
    """With pip alone: nothing is in conflict, the commands are there, and a lesson's first cells do what they say."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    bin_ = tmp_path / "venv" / "bin"
    run(bin_ / "pip", "install", "-q", "-c", PROJECT / "constraints.txt", wheel)
    run(bin_ / "pip", "check")
    folder = tmp_path / "course"
    copy = (
        f"from cstar_explore.cli import lab; from pathlib import Path; print(lab.copy_notebooks(Path({str(folder)!r})))"
    )
    copied = run(bin_ / "python", "-c", copy, cwd=tmp_path)  # not from here, where the checkout would be found
    cells = json.loads((folder / "01_first_webhook.ipynb").read_text(encoding="utf-8"))["cells"]
    [first, second, *_] = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    listed = run(bin_ / "python", "-c", f"{first}\nprint({second})", cwd=tmp_path)

    assert "False" == copied.strip(), "none was there before"
    assert NOTEBOOKS == {path.name for path in folder.iterdir()}
    assert "[4 rows x 7 columns]" in listed
    assert "audit" in run(bin_ / "cstar-explore", "--help")
