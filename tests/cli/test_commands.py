"""The command line, mostly in processes of its own."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import nbformat
import pytest

import cstar_explore as cx
from cstar_explore import cli
from tests.support.sampling import NIGHTLY


def command(*arguments: str) -> list[str]:
    """The command and its arguments."""
    return [sys.executable, "-m", "cstar_explore.cli", *arguments]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_runs_until_it_is_stopped(stop: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    """It prints a line to export; `connect` then reaches it."""
    with subprocess.Popen(command("sandbox"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        printed = running.stdout.readline()
        for name, value in re.findall(r"(CSTAR_\w+)=(\S+)", printed):
            monkeypatch.setenv(name, value)
        with cx.connect() as client:
            count = len(client.webhooks.list())
        running.send_signal(stop)
        _, messages = running.communicate(timeout=30)

    assert (4, 0) == (count, running.returncode)
    assert f"Stopped by {stop.name}." in messages


def test_the_sandbox_keeps_its_state_in_a_file(tmp_path: Path) -> None:
    """With `--file`."""
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
def test_a_failed_command_prints_one_line_and_exits_with_1(arguments: list[str]) -> None:
    """No traceback, and nothing on stdout."""
    ran = subprocess.run(command(*arguments), check=False, capture_output=True, text=True, timeout=30)

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "Traceback" not in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_an_unknown_command_exits_with_2() -> None:
    """As argparse does."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["sandbix"])


def test_the_lab_prints_its_address_last_and_stops_with_ctrl_c(tmp_path: Path) -> None:
    """It keeps existing notebooks, empties the results of new ones, and prints nothing of Jupyter's log."""
    folder = tmp_path / "copy"
    folder.mkdir()
    existing = folder / "01_first_webhook.ipynb"
    existing.write_text("existing")
    environment = os.environ | {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    options = ("lab", "--folder", str(folder), "--no-browser", "--port", "0")
    with subprocess.Popen(command(*options), stderr=subprocess.PIPE, text=True, env=environment) as lab:
        lines = [lab.stderr.readline() for _ in range(4)]
        address = lines[2].removeprefix("JupyterLab is ready: ").strip()
        page = httpx.get(address, follow_redirects=True, trust_env=False).text
        lab.send_signal(signal.SIGINT)
        rest = lab.stderr.read()

    assert [
        f"Notebooks: {folder} (existing files were kept)\n",
        "Starting JupyterLab …\n",
        f"JupyterLab is ready: {address}\n",
        "Press Ctrl+C here to stop it.\n",
    ] == lines
    assert "@jupyterlab/apputils-extension:announcements" in page, "switched off, so no pop-up about news"
    assert (0, []) == (lab.returncode, [line for line in rest.splitlines() if "Shutting down" not in line])
    assert existing.read_text() == "existing"
    lesson = nbformat.read(folder / "02_receive_and_verify.ipynb", as_version=4)
    assert [] == [cell for cell in lesson.cells if cell.get("outputs")], "predictions come before results"


def test_the_sandbox_command_signs_with_the_machines_time() -> None:
    """A receiver in another process accepts its signatures as fresh."""
    with subprocess.Popen(command("sandbox"), stdout=subprocess.PIPE, text=True) as running, cx.Listener() as listener:
        settings = dict(re.findall(r"(CSTAR_\w+)=(\S+)", running.stdout.readline()))
        with cx.Client(settings["CSTAR_KEY"], settings["CSTAR_TEAM_ID"], settings["CSTAR_BASE_URL"]) as client:
            listener.trust(client.webhooks.create(name="Listener", url=listener.url, events=["ticket.created"]).secret)
            delivery = listener.wait_for(client.webhooks.trigger_test("ticket.created").event_id)
        running.send_signal(signal.SIGTERM)

    assert "ok" == delivery.cause


# --- version and standard output --------------------------------------------------------------------------------------

AUDIT = ("audit", "--sandbox", "--format")


def run_with_stdout(stdout: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command with its standard output connected to a file or pipe."""
    return subprocess.run(
        command(*arguments), check=False, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=120
    )


def test_version_prints_the_version() -> None:
    """To stdout, without a command."""
    ran = subprocess.run(command("--version"), check=False, capture_output=True, text=True, timeout=60)
    assert (0, f"cstar-explore {cx.__version__}\n", "") == (ran.returncode, ran.stdout, ran.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((*AUDIT, "table"), id="table"),
        pytest.param((*AUDIT, "html" if NIGHTLY else "json"), id="html or json"),
        pytest.param(("doctor",), id="doctor"),
    ],
)
def test_a_closed_pipe_ends_the_command_quietly(arguments: tuple[str, ...]) -> None:
    """With exit code 141, as a shell reports for SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ran = run_with_stdout(writer, *arguments)
    finally:
        os.close(writer)
    assert (141, "") == (ran.returncode, messages_about_output(ran.stderr))


@pytest.mark.parametrize(
    "arguments", [(*AUDIT, "table"), (*AUDIT, "json"), ("doctor",)], ids=["table", "json", "doctor"]
)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_reported_in_one_line(arguments: tuple[str, ...]) -> None:
    """The exit code is 1, also with findings that would make it 3."""
    with Path("/dev/full").open("w") as full:
        ran = run_with_stdout(full, *arguments)
    assert 1 == ran.returncode
    assert "could not be written: No space left on device.\n" in ran.stderr
    assert 1 == messages_about_output(ran.stderr).count("\n")


@pytest.mark.parametrize("arguments", [(*AUDIT, "table"), ("doctor",)], ids=["table", "doctor"])
def test_a_closed_standard_output_is_reported_in_one_line(arguments: tuple[str, ...]) -> None:
    """As after `>&-` in a shell. The exit code is 1."""
    line = f"{shlex.join(command(*arguments))} >&-"
    ran = subprocess.run(["sh", "-c", line], check=False, stderr=subprocess.PIPE, text=True, timeout=120)
    assert 1 == ran.returncode
    assert 1 == messages_about_output(ran.stderr).count("could not be written")
    assert "Traceback" not in ran.stderr


def messages_about_output(stderr: str) -> str:
    """The messages on stderr except those about the audit or the checks themselves."""
    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr
    return "".join(line for line in stderr.splitlines(keepends=True) if "written" in line or "pipe" in line.lower())
