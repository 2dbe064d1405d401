"""One Chromium and one JupyterLab for all browser tests; another one for a test that changes settings or searches the files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.lab import Lab, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(autouse=True)
def _pages_are_closed(browser: Browser) -> Iterator[None]:
    yield
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture
def start_lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """A JupyterLab without kernels. With options, those of `Lab`, it is one of the test's own."""
    labs: list[Lab] = []

    def start(**options: bool) -> Lab:
        if not options:
            lab: Lab = request.getfixturevalue("shared_lab")
            lab.end_kernels()
            return lab
        labs.append(Lab(tmp_path / f"home{len(labs)}", **options))
        return labs[-1]

    yield start
    for lab in labs:
        lab.close()
