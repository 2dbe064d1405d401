"""What every test starts from: no key in the environment, short pauses, and a sandbox of its own."""

from collections.abc import Iterator

import pytest

import cstar_explore as cx
from cstar_explore import retrying


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CSTAR_KEY", "CSTAR_TEAM_ID", "CSTAR_BASE_URL", "CSTAR_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(retrying, "JITTER", 0.005)


@pytest.fixture
def box() -> Iterator[cx.Sandbox]:
    with cx.Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(box: cx.Sandbox) -> Iterator[cx.Client]:
    with box.client() as client:
        yield client
