"""A fixture for the tests of audits."""

import pytest

import cstar_explore as cx
from cstar_explore.charts import Chart


class _NotDrawn(Chart):
    """Takes the place of a chart in a page."""

    def __init__(self) -> None:
        self.title = self.alt_text = ""

    def image(self) -> str:
        return ""


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the charts out of pages. Drawing them takes almost all of the time, and these tests are about the rest."""
    monkeypatch.setattr(cx.Audit, "charts", lambda _: dict.fromkeys(("findings", "ages", "coverage"), _NotDrawn()))
