"""`cstar-explore probe`: what it sends and prints, and its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cstar_explore import cli
from cstar_explore.recordings import Recording
from tests.probing.stand_in import PUBLISHABLE_KEY, SECRET_KEY, TEAM, StandIn


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn({"unknown_type": "dropped"}) as stand_in:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setenv("CSTAR_KEY", SECRET_KEY)
        monkeypatch.setenv("CSTAR_BASE_URL", stand_in.url)
        monkeypatch.setenv("OTHER_KEY", PUBLISHABLE_KEY)
        yield stand_in


def _run(*arguments: str) -> int:
    return cli.main(["probe", *arguments])


def test_without_confirm_it_prints_what_it_would_do(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    """It sends the request that finds the team, and no other."""
    assert _run("--fire") == 0
    assert [(request.method, request.path) for request in stand_in.requests] == [("GET", "/api/v1/auth/whoami")]
    assert "Run it with --confirm" in capsys.readouterr().out


def test_a_nightly_job_fails_when_something_has_changed(
    stand_in: StandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The change is printed; keys, names, addresses and IDs are not."""
    before = tmp_path / "before.json"
    Recording({"unknown_type": "kept", "second_delete": "404"}, {}, "2026-10-26").save(before)
    arguments = ["--confirm", "--publishable-key-env", "OTHER_KEY", "--baseline", str(before), "--save", "after.json"]
    assert _run(*arguments, "--html", "after.html", "--fail-on", "drift") == 1
    printed, logged = capsys.readouterr()
    assert "1 change since 2026-10-26" in printed
    assert "kept → dropped" in printed
    assert not stand_in.left
    made = {part for webhook in stand_in.made for part in (webhook.id, webhook.secret, webhook.url, webhook.name)}
    files = Path("after.json").read_text() + Path("after.html").read_text()
    assert not [value for value in (SECRET_KEY, PUBLISHABLE_KEY, *made) if value in printed + logged + files]
    assert TEAM not in files
    assert json.loads(Path("after.json").read_text())["answers"]["unknown_type"] == "dropped"
    assert _run("--baseline", "missing.json", "--confirm") == 2
    assert _run("--fail-on", "drift") == 2
