"""Fixtures for all tests: no key in the environment, short retry pauses, and a sandbox for each test."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore.api import retries
from tests.support.sampling import NIGHTLY, SEED

# Files that take long, although they have few tests. What begins last must not take longest.
_LONG = ("test_package", "test_leaks", "test_site", "test_course", "test_fuzz", "test_rules")

# A shell's background job ignores Ctrl+C, and so do the commands that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts the long files first; `--no-loadscope-reorder` keeps the order."""
    items.sort(key=lambda item: item.path.stem not in _LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names what reproduces a run."""
    terminalreporter.write_line("samples: all" if NIGHTLY else f"samples: seed {SEED} (SAMPLE_SEED)")


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CSTAR_KEY", "CSTAR_TEAM_ID", "CSTAR_BASE_URL", "CSTAR_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(retries, "JITTER", 0.005)


@pytest.fixture
def sandbox() -> Iterator[cx.Sandbox]:
    with cx.Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(sandbox: cx.Sandbox) -> Iterator[cx.Client]:
    with sandbox.client() as client:
        yield client


@pytest.fixture(scope="module")
def closing() -> Iterator[Executor]:
    """Closes sandboxes in the background, as each takes a moment and some tests open many."""
    with ThreadPoolExecutor() as executor:
        yield executor


@pytest.fixture
def opened(closing: Executor) -> Iterator[Callable[..., cx.Sandbox]]:
    """Opens sandboxes, and closes them in the background after the test."""
    sandboxes: list[cx.Sandbox] = []

    def open_sandbox(**options: Any) -> cx.Sandbox:
        sandboxes.append(cx.Sandbox(**options))
        return sandboxes[-1]

    yield open_sandbox
    for sandbox in sandboxes:
        closing.submit(sandbox.close)


@pytest.fixture
def other(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    """A second sandbox, to compare with the first."""
    return opened()


@pytest.fixture
def no_widget_is_left() -> Iterator[None]:
    """Closes the widgets that a test leaves open."""
    from ipywidgets.widgets import widget as registry

    from tests.support.forms import alive

    before = alive()
    yield
    for widget_id in alive() - before:
        if widget_id in registry._instances:  # closing one may close others
            registry._instances[widget_id].close()
