"""What every test starts from: no key in the environment, short pauses, and a sandbox of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

import pytest

import cstar_explore as cx
from cstar_explore.api import retries


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
    """It takes each sandbox a moment to close, and here are many: they do it in the background."""
    with ThreadPoolExecutor() as executor:
        yield executor


@pytest.fixture
def opened(closing: Executor) -> Iterator[Callable[..., cx.Sandbox]]:
    """Opens sandboxes for a test, which are closed in the background after it."""
    sandboxes: list[cx.Sandbox] = []

    def opens(**options: Any) -> cx.Sandbox:
        sandboxes.append(cx.Sandbox(**options))
        return sandboxes[-1]

    yield opens
    for sandbox in sandboxes:
        closing.submit(sandbox.close)


@pytest.fixture
def other(opened: Callable[..., cx.Sandbox]) -> cx.Sandbox:
    """A second sandbox, on which everything happens again in another way."""
    return opened()


@pytest.fixture
def no_widget_is_left() -> Iterator[None]:
    """What a test has not closed is closed after it."""
    from ipywidgets.widgets import widget as registry

    from tests.support.forms import alive

    before = alive()
    yield
    for left in alive() - before:
        registry._instances[left].close()
