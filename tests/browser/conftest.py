"""One Chromium for all browser tests, and a JupyterLab for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.lab import Lab, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Starts JupyterLab; the options are those of `Lab`. Closes it after the test."""
    labs: list[Lab] = []

    def start(**options: bool) -> Lab:
        labs.append(Lab(tmp_path / f"home{len(labs)}", **options))
        return labs[-1]

    yield start
    for lab in labs:
        lab.close()
