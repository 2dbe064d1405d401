import pytest


@pytest.fixture(autouse=True)
def _secret(cstar_secret, monkeypatch):
    monkeypatch.setenv("CSTAR_WEBHOOK_SECRET", cstar_secret.reveal())
