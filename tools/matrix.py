"""Runs the central tests on each installed Python, with the newest and the oldest dependencies that pyproject.toml allows:

python -m tools.matrix [INTERPRETER …]
"""

import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path("build/matrix")
INTERPRETERS = ("python3.11", "python3.12", "python3.13", "python3.14")
TEST_PACKAGES = (
    *("aiohttp", "django", "flask", "hypothesis", "openpyxl", "polars"),
    *("pytest", "pytest-asyncio", "pytest-xdist", "stripe", "sybil"),
)
TESTS = (
    *("deliveries", "events", "signatures", "cli/test_explain.py", "serving/test_cells.py", "serving/test_starting.py"),
    *("api/test_client.py", "api/test_deadline.py", "api/test_encodings.py", "api/test_foreign_responses.py"),
    *("api/test_forks.py", "api/test_proxies.py", "api/test_redaction.py", "api/test_requests_and_responses.py"),
    *("listener/test_handlers.py", "listener/test_responses.py", "plans/test_execution.py", "plans/test_files.py"),
    *("plans/test_spreadsheets.py", "sandbox/test_api_reference.py", "sandbox/test_real_time.py"),
    *("test_errors.py", "test_frames.py", "test_models.py", "test_secret.py", "test_text.py", "test_tracebacks.py"),
)


@dataclass
class Row:
    """`failed` is a number, or says what could not be done."""

    python: str
    dependencies: str
    passed: str = ""
    failed: str = ""
    duration: str = ""

    def __str__(self) -> str:
        return (
            f"{self.python:10} {self.dependencies:13} {self.passed:>6}  {self.failed:>11}  {self.duration:>8}".rstrip()
        )


def main(interpreters: list[str]) -> int:
    """Prints a table. Returns 1 if a test or an installation failed, or if no Python was found."""
    rows = [row for name in interpreters or INTERPRETERS for row in rows_of(name)]
    print("", Row("Python", "dependencies", "passed", "failed", "duration"), *rows, sep="\n")
    tried = [row for row in rows if row.failed]
    return not tried or any(row.failed != "0" for row in tried)


def rows_of(interpreter: str) -> Iterator[Row]:
    """One for each set of dependencies."""
    if not (python := found(interpreter)):
        yield Row(interpreter.removeprefix("python"), "not tried, as it is not installed")
        return
    for dependencies in ("newest", "oldest"):
        row = Row(version(python), dependencies)
        print(f"Python {row.python}, {dependencies} dependencies …", flush=True)
        run(python, row)
        yield row


def found(interpreter: str) -> str:
    """The path of one that starts: from PATH or from pyenv, whose shims start chosen versions only."""
    managed = sorted(Path.home().glob(f".pyenv/versions/*/bin/{interpreter}"))
    candidates = [path for path in (shutil.which(interpreter), *map(str, managed)) if path]
    return next((path for path in candidates if version(path)), "")


def version(python: str) -> str:
    """Empty if the interpreter does not start."""
    code = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def run(python: str, row: Row) -> None:
    """Installs and runs the tests in a virtual environment, which is kept for the next run, and fills in the row."""
    folder = ROOT / f"{row.python}-{row.dependencies}"
    folder.mkdir(parents=True, exist_ok=True)
    log, results, own = folder / "output.txt", folder / "results.xml", str(folder / "venv/bin/python")
    log.unlink(missing_ok=True)
    results.unlink(missing_ok=True)
    (folder / "constraints.txt").write_text("\n".join(oldest()) if row.dependencies == "oldest" else "")
    upgrade = ["--upgrade", "--upgrade-strategy=eager", f"--constraint={folder}/constraints.txt"]
    install = [own, "-m", "pip", "install", "-q", "--no-compile", *upgrade, "-e", ".[excel]", *test_requirements()]
    if logged([python, "-m", "venv", f"{folder}/venv"], log) or logged(install, log):
        row.failed = "to install"
        return show_end(log)
    started = time.monotonic()
    options = ["-q", "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider", f"--junitxml={results}"]
    code = logged([own, "-m", "pytest", *options, *(f"tests/{name}" for name in TESTS)], log)
    row.duration = f"{time.monotonic() - started:.0f} s"
    if results.exists():
        counts = next(ET.parse(results).iter("testsuite")).attrib  # noqa: S314 - pytest wrote it
        failed = int(counts["failures"]) + int(counts["errors"])
        row.passed = str(int(counts["tests"]) - failed - int(counts["skipped"]))
        row.failed = str(failed or "to finish" if code else 0)
    else:
        row.failed = "to start"
    if code:
        show_end(log)
    return None


def oldest() -> list[str]:
    """Pins each dependency to its lower bound."""
    requirements = [*project()["dependencies"], *project()["optional-dependencies"]["excel"]]
    return [re.sub(r">=([^,]+).*", r"==\1", requirement) for requirement in requirements]


def test_requirements() -> list[str]:
    """Those of the extra `dev` that these tests import."""
    development = project()["optional-dependencies"]["dev"]
    return [requirement for requirement in development if requirement.partition(">=")[0] in TEST_PACKAGES]


def project() -> dict:
    return tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]


def logged(command: list[str], log: Path) -> int:
    """Runs a command. Returns its exit code."""
    with log.open("a") as output:
        return subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False).returncode


def show_end(log: Path) -> None:
    print(*log.read_text(errors="replace").splitlines()[-30:], f"The whole output: {log}", sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
