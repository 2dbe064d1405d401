"""The command line, as a shell sees it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

import cstar_explore as cx
from cstar_explore import cli


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cstar_explore.cli", *arguments]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_alone_until_it_is_ended(ending: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it prints is what a shell exports, and what `connect` then finds."""
    with subprocess.Popen(command("sandbox"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        printed = running.stdout.readline()
        for name, value in re.findall(r"(CSTAR_\w+)=(\S+)", printed):
            monkeypatch.setenv(name, value)
        with cx.connect() as client:
            found = len(client.webhooks.list())
        running.send_signal(ending)
        _, words = running.communicate(timeout=10)

    assert (4, 0) == (found, running.returncode)
    assert f"Stopped by {ending.name}." in words


def test_a_sandbox_in_a_file_goes_on_where_it_was(tmp_path: Path) -> None:
    """`--file` keeps what was created."""
    path = tmp_path / "sandbox.db"
    with cx.Sandbox(path) as sandbox, sandbox.client() as client:
        client.webhooks.create(name="Kept", url="https://example.com/", events="ticket.created")
    with subprocess.Popen(command("sandbox", "--file", str(path)), stdout=subprocess.PIPE, text=True) as running:
        settings = dict(re.findall(r"(CSTAR_\w+)=(\S+)", running.stdout.readline()))
        with cx.Client(settings["CSTAR_KEY"], settings["CSTAR_TEAM_ID"], settings["CSTAR_BASE_URL"]) as client:
            names = [webhook.name for webhook in client.webhooks.list()]
        running.send_signal(signal.SIGINT)

    assert names[-1] == "Kept"


@pytest.mark.parametrize("arguments", [["sandbox", "--port", "99999"], ["sandbox", "--file", "/nowhere/at/all.db"]])
def test_what_cannot_be_done_is_a_sentence_and_a_one(arguments: list[str]) -> None:
    """No traceback, nothing on stdout."""
    ran = subprocess.run(command(*arguments), check=False, capture_output=True, text=True, timeout=30)

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_misspelled_command_is_a_two() -> None:
    """As argparse has it."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["sandbix"])


def test_the_lab_copies_the_notebooks_and_overwrites_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Yours are kept as they are, the others come beside them; then the command becomes JupyterLab."""
    became: list[list[str]] = []

    def become(_: str, argv: list[str], environment: dict[str, str]) -> None:
        became.append([*argv, environment["JUPYTER_CONFIG_PATH"]])
        raise SystemExit(0)

    monkeypatch.setattr(os, "execve", become)
    mine = tmp_path / "01_first_webhook.ipynb"
    mine.write_text("mine")
    with pytest.raises(SystemExit):
        cli.main(["lab", "--folder", str(tmp_path), "--no-browser"])

    assert mine.read_text() == "mine"
    lesson = nbformat.read(tmp_path / "02_receive_and_verify.ipynb", as_version=4)
    assert [] == [cell for cell in lesson.cells if cell.get("outputs")], "results come after predictions"
    assert "kept as they are" in capsys.readouterr().err
    assert became[0][1:4] == ["-m", "jupyterlab", str(mine)]
    assert (Path(became[0][-1].split(os.pathsep)[0]) / "labconfig" / "page_config.json").exists()


def test_what_the_sandbox_alone_delivers_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps to this machine's time: a receiver with a clock of its own finds no signature stale."""
    with subprocess.Popen(command("sandbox"), stdout=subprocess.PIPE, text=True) as running, cx.Listener() as listener:
        settings = dict(re.findall(r"(CSTAR_\w+)=(\S+)", running.stdout.readline()))
        with cx.Client(settings["CSTAR_KEY"], settings["CSTAR_TEAM_ID"], settings["CSTAR_BASE_URL"]) as client:
            listener.trust(client.webhooks.create(name="Ear", url=listener.url, events=["ticket.created"]).secret)
            got = listener.wait_for(client.webhooks.trigger_test("ticket.created").event_id)
        running.send_signal(signal.SIGTERM)

    assert "ok" == got.cause
