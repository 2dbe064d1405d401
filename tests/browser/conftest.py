"""One Chromium for all browser tests; a JupyterLab for each module and way of saving."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .lab import Lab, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    started: list[Lab] = []

    def start(**options: bool) -> Lab:
        started.append(Lab(tmp_path / f"home{len(started)}", **options))
        return started[-1]

    yield start
    for lab in started:
        lab.close()
