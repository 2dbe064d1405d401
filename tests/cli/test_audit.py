"""The commands `audit` and `doctor`: exit codes, stdout and stderr, and nothing but GET requests."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

import cstar_explore as cx
from cstar_explore import cli
from tests.support.scripted_server import RecordedRequest, Script, ScriptedServer, closed_port, data, reply, status

RANDOM = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
LIVE = "sk_live_" + RANDOM
FORMATS = ["table", "json", "csv", "html"]
SLOWNESS = 2  # of a machine that runs other tests too
ITEM = {
    "id": "whk_1",
    "name": "Desk",
    "url": "https://desk.shop.example/x",
    "events": ["ticket.created"],
    "isActive": True,
    "createdAt": "2025-12-01T10:00:00Z",
}
CLEAN = data([ITEM])
WILDCARD = data([ITEM | {"events": ["ticket.*"]}])
PLAIN_HTTP = data([ITEM | {"url": "http://desk.shop.example/x"}])
BOTH = data([ITEM | {"url": "http://desk.shop.example/x", "events": ["ticket.*"]}])


def environment(**more: str) -> dict[str, str]:
    """The environment of this process, without variables of cStar."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CSTAR_")} | more


def start(*arguments: str | Path, **more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "cstar_explore.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**more),
    )


class Finished:
    """A finished command. Its output contains no traceback, no key and no control characters."""

    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr
        assert "Traceback" not in stderr, stderr
        assert RANDOM not in stdout + stderr
        assert "\x1b" not in stderr

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def states(self) -> dict[str, str]:
        return {account["account"]: account["state"] for account in self.json["accounts"]}


def finish(running: subprocess.Popen[bytes]) -> Finished:
    stdout, stderr = running.communicate(timeout=60)
    return Finished(running.returncode, stdout.decode(), stderr.decode())


def run_process(*arguments: str | Path, **more: str) -> Finished:
    """Runs the command in its own process."""
    return finish(start(*arguments, **more))


def run(*arguments: str | Path, encoding: str = "utf-8", **more: str) -> Finished:
    """Runs the command in this process, which is ten times faster, with a standard output in this encoding."""
    stdout = io.TextIOWrapper(io.BytesIO(), encoding, newline="")
    stderr = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace", newline="")
    code: Any = None
    with mock.patch.dict(os.environ, environment(**more), clear=True):
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
            try:
                code = cli.main(list(map(str, arguments)))
            except SystemExit as error:
                code = error.code
        stdout.flush()
        stderr.flush()
    return Finished(code or 0, stdout.buffer.getvalue().decode(), stderr.buffer.getvalue().decode())


WHOAMI = data({"teamId": "team_1", "teamName": "Shop", "keyType": "secret", "environment": "live"})


def always(response: Script) -> list[Script]:
    """Responds with this response to every request except whoami."""

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        return (WHOAMI if request.path.endswith("/whoami") else response)(connection, request)

    return [respond] * 60


def list_requests(server: ScriptedServer) -> int:
    """The number of list requests. Apart from them, at most one whoami request was sent, and only GETs."""
    assert set(server.methods) <= {"GET"}
    others = [request.path for request in server.requests if not request.path.endswith("/webhooks")]
    assert others in ([], ["/api/v1/auth/whoami"])
    return len(server.requests) - len(others)


def by_team(**responses: Script) -> list[Script]:
    """Responds by team: `t3=…` for team_3, a list without findings for the others."""

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        team = request.path.split("/")[4].replace("team_", "t")
        return responses.get(team, CLEAN)(connection, request)

    return always(respond)


def one_team(server: ScriptedServer, key: str = LIVE) -> dict[str, str]:
    """The variables that select one team."""
    return {"CSTAR_KEY": key, "CSTAR_TEAM_ID": "team_1", "CSTAR_BASE_URL": server.url}


def accounts_file(folder: Path, server: ScriptedServer, count: int) -> Path:
    """A CSV file of accounts that share the key in CSTAR_KEY_ALL."""
    path = folder / "accounts.csv"
    lines = [f"Team {number},team_{number},CSTAR_KEY_ALL,{server.url}" for number in range(count)]
    path.write_text("\n".join(["account,team_id,key_env,base_url", *lines, ""]))
    return path


def baseline(folder: Path, response: Script) -> Path:
    """A file with the JSON output of an audit of that response."""
    with ScriptedServer(*always(response)) as server:
        result = run("audit", "--format", "json", **one_team(server))
    path = folder / "baseline.json"
    path.write_text(result.stdout, encoding="utf-8")
    return path


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "fail_on", "code"),
    [
        pytest.param(CLEAN, "info", 0, id="no findings"),
        pytest.param(PLAIN_HTTP, None, 0, id="without --fail-on"),
        pytest.param(PLAIN_HTTP, "high", 3, id="high, fail on high"),
        pytest.param(WILDCARD, "high", 0, id="low, fail on high"),
        pytest.param(WILDCARD, "medium", 0, id="low, fail on medium"),
        pytest.param(WILDCARD, "low", 3, id="low, fail on low"),
        pytest.param(BOTH, "info", 3, id="any, fail on info"),
    ],
)
def test_fail_on_sets_the_lowest_severity_that_fails(response: Script, fail_on: str | None, code: int) -> None:
    """One team takes one GET request."""
    with ScriptedServer(*always(response)) as server:
        result = run("audit", *(["--fail-on", fail_on] if fail_on else []), **one_team(server))

    assert code == result.code
    assert 1 == list_requests(server)
    assert result.stderr.strip()


@pytest.mark.parametrize(
    ("before", "after", "fail_on", "code"),
    [
        pytest.param(WILDCARD, WILDCARD, "low", 0, id="known finding"),
        pytest.param(WILDCARD, BOTH, "high", 3, id="new finding"),
        pytest.param(PLAIN_HTTP, BOTH, "high", 0, id="new finding below the severity"),
        pytest.param(PLAIN_HTTP, BOTH, "low", 3, id="new finding of the severity"),
        pytest.param(BOTH, CLEAN, "low", 0, id="resolved"),
    ],
)
def test_with_a_baseline_only_new_findings_fail(
    tmp_path: Path, before: Script, after: Script, fail_on: str, code: int
) -> None:
    """The JSON output of an earlier audit is a valid baseline."""
    path = baseline(tmp_path, before)
    with ScriptedServer(*always(after)) as server:
        result = run("audit", "--baseline", path, "--fail-on", fail_on, "--format", "json", **one_team(server))

    assert code == result.code
    assert 1 == len(result.json["webhooks"])
    assert 1 == list_requests(server)


REFUSED = status(403)
LONG_PAUSED = data(
    [ITEM, ITEM | {"id": "whk_2", "isActive": False, "createdAt": "2024-01-01T10:00:00Z"}],
    headers={"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "1"},
)


@pytest.mark.parametrize(
    ("before", "after", "fail_on", "code"),
    [
        # Without a baseline: one response per account.
        pytest.param(None, [CLEAN, CLEAN], None, 0, id="clean"),
        pytest.param(None, [CLEAN, PLAIN_HTTP], None, 0, id="findings without a gate"),
        pytest.param(None, [CLEAN, CLEAN], "info", 0, id="clean, gate"),
        pytest.param(None, [CLEAN, PLAIN_HTTP], "high", 3, id="finding"),
        pytest.param(None, [CLEAN, WILDCARD], "high", 0, id="finding below the gate"),
        pytest.param(None, [CLEAN, REFUSED], None, 4, id="unread without a gate"),
        pytest.param(None, [CLEAN, REFUSED], "high", 4, id="unread"),
        pytest.param(None, [PLAIN_HTTP, REFUSED], "high", 4, id="unread and finding"),
        pytest.param(None, [REFUSED, REFUSED], "high", 1, id="nothing read"),
        # With a baseline of the same accounts.
        pytest.param([CLEAN, CLEAN], [CLEAN, CLEAN], "info", 0, id="unchanged"),
        pytest.param([PLAIN_HTTP, CLEAN], [PLAIN_HTTP, CLEAN], "info", 0, id="known finding"),
        pytest.param([PLAIN_HTTP, CLEAN], [PLAIN_HTTP, PLAIN_HTTP], "high", 3, id="new finding"),
        pytest.param([PLAIN_HTTP, CLEAN], [CLEAN, CLEAN], "info", 0, id="resolved"),
        pytest.param([CLEAN, CLEAN], [CLEAN, REFUSED], "high", 4, id="unread, compared"),
        # With a baseline that has not seen an account.
        pytest.param([CLEAN, REFUSED], [CLEAN, CLEAN], None, 0, id="unseen without a gate"),
        pytest.param([CLEAN, REFUSED], [CLEAN, CLEAN], "high", 4, id="unseen"),
        pytest.param([CLEAN, REFUSED], [CLEAN, PLAIN_HTTP], "high", 3, id="finding in an unseen account"),
        pytest.param([CLEAN, REFUSED], [CLEAN, WILDCARD], "high", 4, id="lesser finding in an unseen account"),
        pytest.param([CLEAN, REFUSED], [CLEAN, REFUSED], "high", 4, id="neither saw it"),
        pytest.param([CLEAN], [CLEAN, CLEAN], "high", 4, id="new account"),
        pytest.param([CLEAN], [CLEAN, PLAIN_HTTP], "high", 3, id="finding in a new account"),
        pytest.param([CLEAN, CLEAN], [CLEAN], "high", 4, id="account that is gone"),
        pytest.param([], [CLEAN, CLEAN], "high", 4, id="empty baseline"),
        pytest.param([], [CLEAN, PLAIN_HTTP], "high", 3, id="finding, empty baseline"),
        pytest.param([], [CLEAN, CLEAN], None, 0, id="empty baseline without a gate"),
    ],
)
def test_exit_codes(
    tmp_path: Path, before: list[Script] | None, after: list[Script], fail_on: str | None, code: int
) -> None:
    """A gate passes only if every account was read now and in the baseline."""

    def audit(responses: list[Script], *options: str | Path) -> Finished:
        scripted = by_team(**{f"t{number}": response for number, response in enumerate(responses)})
        with ScriptedServer(*scripted) as server:
            path = accounts_file(tmp_path, server, len(responses))
            return run("audit", "--accounts", path, "--format", "json", *options, CSTAR_KEY_ALL=LIVE)

    options: list[str | Path] = ["--fail-on", fail_on] if fail_on else []
    if before is not None:
        saved = json.loads(audit(before or [CLEAN]).stdout)
        if not before:
            saved |= {"accounts": [], "webhooks": [], "findings": []}
        baseline_file = tmp_path / "baseline.json"
        baseline_file.write_text(json.dumps(saved), encoding="utf-8")
        options += ["--baseline", baseline_file]
    result = audit(after, *options)

    assert code == result.code
    if code == 4 and fail_on:
        assert re.search("not compared|not read|failed", result.stderr)


@pytest.mark.parametrize(("fail_on", "code"), [("high", 0), ("medium", 0), ("low", 4), ("info", 4), (None, 0)])
def test_a_rule_that_could_not_check_everything_does_not_pass(fail_on: str | None, code: int) -> None:
    """The last change of paused webhooks was not fetched, to spare the rate limit. Only a low rule needs it."""
    with ScriptedServer(*always(LONG_PAUSED)) as server:
        result = run("audit", *(["--fail-on", fail_on] if fail_on else []), **one_team(server))

    assert "not checked" in result.stderr
    assert code == result.code


# --- hosts and files --------------------------------------------------------------------------------------------------


def test_an_accounts_file_cannot_choose_a_host(tmp_path: Path) -> None:
    """Only the command line can. Nothing is sent."""
    path = tmp_path / "accounts.csv"
    path.write_text("account,team_id,key_env,base_url\nA,team_1,CSTAR_KEY_A,https://cstar.invalid\n")
    refused = run("audit", "--accounts", path, CSTAR_KEY_A=LIVE)
    allowed = run("audit", "--accounts", path, "--allow-host", "cstar.invalid", CSTAR_KEY_A=LIVE)

    assert 1 == refused.code
    assert "--allow-host cstar.invalid" in refused.stderr
    assert "--allow-host" not in allowed.stderr


def test_the_output_file_is_replaced_after_it_was_read(tmp_path: Path) -> None:
    """It may be the baseline of the same run, which a redirection of the shell would have emptied."""
    path = baseline(tmp_path, PLAIN_HTTP)
    with ScriptedServer(*always(BOTH)) as server:
        result = run(
            "audit", "--baseline", path, "--format", "json", "--output", path, "--fail-on", "low", **one_team(server)
        )

    assert (3, "") == (result.code, result.stdout)
    assert {"plain_http", "wildcard"} == {finding["rule"] for finding in json.loads(path.read_text())["findings"]}
    assert [path] == list(tmp_path.iterdir())


def test_an_output_file_that_cannot_be_written_exits_with_1(tmp_path: Path) -> None:
    """By name, without a traceback."""
    with ScriptedServer(*always(CLEAN)) as server:
        result = run("audit", "--output", tmp_path / "missing" / "x.json", **one_team(server))

    assert 1 == result.code
    assert "x.json" in result.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_unread_accounts_exit_with_4(tmp_path: Path, form: str) -> None:
    """4 takes precedence over 3. The errors are on stderr, the result of the others on stdout."""
    with ScriptedServer(*by_team(t1=status(403), t2=PLAIN_HTTP)) as server:
        path = accounts_file(tmp_path, server, 3)
        result = run("audit", "--accounts", path, "--fail-on", "info", "--format", form, CSTAR_KEY_ALL=LIVE)

    assert 4 == result.code
    assert "Team 1" in result.stderr
    assert "403" in result.stderr
    assert "Team 0" not in result.stderr
    assert "Team 2" in result.stdout
    assert {"GET"} == set(server.methods)


def test_failed_accounts_are_listed_on_stderr(tmp_path: Path) -> None:
    """The others are in the result."""
    with ScriptedServer(*by_team(t3=status(500), t13=status(500))) as server:
        result = run("audit", "--accounts", accounts_file(tmp_path, server, 20), "--format", "json", CSTAR_KEY_ALL=LIVE)

    assert 4 == result.code
    assert {"Team 3", "Team 13"} == {name for name, state in result.states.items() if state == "failed"}
    assert 18 == list(result.states.values()).count("read") == len(result.json["webhooks"])
    assert "Team 3" in result.stderr
    assert "Team 13" in result.stderr
    assert "500" in result.stderr


def test_no_readable_account_exits_with_1(tmp_path: Path) -> None:
    """Each account is named."""
    with ScriptedServer(*always(status(403))) as server:
        result = run("audit", "--accounts", accounts_file(tmp_path, server, 2), CSTAR_KEY_ALL=LIVE)
        unset = run("audit", "--accounts", accounts_file(tmp_path, server, 2))

    assert (1, 1) == (result.code, unset.code)
    assert "Team 0" in result.stderr
    assert "Team 1" in result.stderr
    assert "CSTAR_KEY_ALL" in unset.stderr
    assert ["GET", "GET"] == server.methods


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(status(401), id="401"),
        pytest.param(status(403), id="403"),
        pytest.param(status(404), id="404"),
        pytest.param(reply(200, "<html>Sign in</html>", content_type="text/html"), id="HTML"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["whoami", "list"])
def test_an_unreadable_team_exits_with_1(response: Script, first: bool) -> None:
    """Nothing on stdout looks like an audit without findings."""
    with ScriptedServer(*([response] * 5 if first else always(response))) as server:
        result = run("audit", "--format", "csv", **one_team(server))

    assert 1 == result.code
    assert result.stderr.strip()
    assert len(result.stdout.splitlines()) <= 1


def test_without_a_key_nothing_is_audited() -> None:
    """Not even the sandbox."""
    result = run("audit")

    assert (1, "") == (result.code, result.stdout)
    assert "CSTAR_KEY" in result.stderr


@pytest.mark.parametrize("option", ["--accounts", "--settings", "--baseline"])
@pytest.mark.parametrize("content", [None, b"\xff\0 nonsense"], ids=["missing", "invalid"])
def test_an_invalid_file_exits_with_1_and_is_named(tmp_path: Path, option: str, content: bytes | None) -> None:
    """No webhooks are fetched."""
    path = tmp_path / "file.any"
    if content:
        path.write_bytes(content)
    with ScriptedServer(*always(CLEAN)) as server:
        result = run("audit", option, path, **one_team(server))

    assert (1, "") == (result.code, result.stdout)
    assert 0 == list_requests(server)
    if content is None or option != "--accounts":
        assert "file.any" in result.stderr


def test_a_key_in_the_accounts_file_is_refused_and_not_shown(tmp_path: Path) -> None:
    """stderr of a scheduled run may end up in a log."""
    path = tmp_path / "accounts.csv"
    path.write_text(f"account,team_id,key_env\nA,team_1,{LIVE}\n")
    result = run("audit", "--accounts", path)

    assert (1, "") == (result.code, result.stdout)
    assert "row 1" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--fail-on", "hihg"], id="severity"),
        pytest.param(["--format", "xml"], id="format"),
        pytest.param(["--sandbocks"], id="option"),
        pytest.param(["--sandbox", "--accounts", "accounts.csv"], id="exclusive options"),
        pytest.param(["more"], id="argument"),
    ],
)
def test_an_invalid_command_line_exits_with_2(arguments: list[str]) -> None:
    """With the usage on stderr."""
    result = run("audit", *arguments)

    assert (2, "") == (result.code, result.stdout)
    assert "usage" in result.stderr


@pytest.mark.parametrize(("fail_on", "code"), [("high", 3), ("hihg", 2)])
def test_a_process_returns_the_exit_code(fail_on: str, code: int) -> None:
    """Not only `cli.main`."""
    with ScriptedServer(*always(PLAIN_HTTP)) as server:
        result = run_process("audit", "--fail-on", fail_on, **one_team(server))

    assert code == result.code


# --- stdout and stderr ------------------------------------------------------------------------------------------------


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("compared", [False, True], ids=["alone", "with a baseline"])
def test_stdout_contains_only_the_result(tmp_path: Path, form: str, compared: bool) -> None:
    """In a format that its readers can parse. Messages are on stderr."""
    options: list[Any] = ["--baseline", baseline(tmp_path, CLEAN)] if compared else []
    with ScriptedServer(*always(BOTH)) as server:
        result = run("audit", "--format", form, *options, **one_team(server))

    assert 0 == result.code
    if form == "json":
        assert {"plain_http", "wildcard"} == {finding["rule"] for finding in result.json["findings"]}
    elif form == "csv":
        assert ["plain_http", "wildcard"] == [row["rule"] for row in rows_of(result.stdout)]
        assert [8, 8] == [len(row) for row in rows_of(result.stdout)]
    elif form == "html":
        assert result.stdout.lower().startswith("<!doctype html>")
        assert result.stdout.rstrip().endswith("</html>")
    else:
        assert 1 == sum("plain_http" in line and "high" in line for line in result.stdout.splitlines()[:3])
    assert "1 high" in result.stderr
    assert "<" not in result.stderr


@pytest.mark.parametrize("form", FORMATS)
def test_the_sandbox_option_audits_a_sandbox(form: str) -> None:
    """A configured key is not used, and its team is not fetched."""
    with ScriptedServer(*always(CLEAN)) as server:
        result = run("audit", "--sandbox", "--format", form, "--fail-on", "high", **one_team(server))

    assert 3 == result.code
    assert "North" in result.stdout
    assert [] == server.methods
    assert [] == re.findall(r"sk_(?:live|test)_\w{6,}", result.stdout + result.stderr)


def test_json_output_is_reproducible_and_a_baseline(tmp_path: Path) -> None:
    """For a sandbox, which has its own clock, in this process and in another one."""
    first, again = (call("audit", "--sandbox", "--format", "json") for call in (run, run_process))
    path = tmp_path / "baseline.json"
    path.write_text(first.stdout, encoding="utf-8")

    assert first.stdout == again.stdout
    assert 0 == len(cx.compare(path, path))
    assert 3 == len(first.json["accounts"])


@pytest.mark.parametrize("form", FORMATS)
def test_output_works_with_an_ascii_terminal(form: str) -> None:
    """The mask contains non-ASCII characters. The table, whose encoding stays, is also printed by a process."""
    odd = data([ITEM | {"name": "会社 ä", "url": "http://desk.shop.example/?token=hunter2Rosebud"}])
    with ScriptedServer(*always(odd)) as server:
        results = [run("audit", "--format", form, encoding="ascii", **one_team(server))]
        if form == "table":
            results.append(run_process("audit", "--format", form, PYTHONIOENCODING="ascii", **one_team(server)))

    for result in results:
        assert 0 == result.code
        assert "plain_http" in result.stdout or form == "html"
        assert "Rosebud" not in result.stdout
    assert results[0].stdout == results[-1].stdout


@pytest.mark.parametrize("form", ["table", "csv", "html"])
def test_untrusted_text_is_escaped_in_the_output(tmp_path: Path, form: str) -> None:
    """It adds no control characters, lines, tags or formulas."""
    hostile = "=1+1\x1b[2J\r\nhigh  <script>alert(1)</script>"
    with ScriptedServer(*always(data([ITEM | {"name": hostile, "url": "http://desk.shop.example/"}]))) as server:
        result = run("audit", "--format", form, **one_team(server))

    assert 0 == result.code
    if form == "html":
        assert "<script" not in result.stdout
    elif form == "csv":
        (row,) = rows_of(result.stdout)
        assert not row["name"].startswith("=")
    else:
        assert "\x1b" not in result.stdout
        assert 1 == sum(line.startswith("high") for line in result.stdout.splitlines())


def test_a_closed_pipe_causes_no_traceback() -> None:
    """As with `head`."""
    with ScriptedServer(*always(data([ITEM | {"id": f"whk_{n}", "events": ["*"]} for n in range(1000)]))) as server:
        running = start("audit", "--format", "csv", **one_team(server))
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        stderr = running.stderr.read().decode()
        running.stderr.close()
        running.wait(60)

    assert "Traceback" not in stderr
    assert "Exception ignored" not in stderr


# --- Ctrl+C -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def held() -> Iterator[tuple[ScriptedServer, threading.Event, Callable[[], None]]]:
    """A server that answers for five teams at once, and for the others when the event is set."""
    arrived, released = threading.Event(), threading.Event()

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        if int(request.path.split("/")[4].removeprefix("team_")) >= 5:
            arrived.set()
            released.wait(30)
        return PLAIN_HTTP(connection, request)

    with ScriptedServer(*always(respond)) as server:
        yield server, arrived, released.set
        released.set()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_ctrl_c_prints_the_accounts_read_so_far(tmp_path: Path, held: Any, form: str) -> None:
    """It exits with 130, prints a complete document and sends no more requests."""
    server, arrived, release = held
    running = start(
        "audit",
        "--accounts",
        accounts_file(tmp_path, server, 50),
        "--format",
        form,
        "--fail-on",
        "low",
        CSTAR_KEY_ALL=LIVE,
    )
    assert arrived.wait(30)
    threading.Event().wait(0.15)
    running.send_signal(signal.SIGINT)
    threading.Timer(0.2, release).start()
    result = finish(running)

    assert 130 == result.code
    assert {"GET"} == set(server.methods)
    assert len(server.methods) <= 20
    if form == "json":
        assert {f"Team {number}" for number in range(5)} <= {
            name for name, state in result.states.items() if state == "read"
        }
        assert 50 == len(result.states)
        assert "not tried" in result.states.values()
        path = tmp_path / "baseline.json"
        path.write_text(result.stdout, encoding="utf-8")
        assert 0 == len(cx.compare(path, path).query("what != 'not compared'"))
    else:
        assert {f"Team {number}" for number in range(5)} <= {row["account"] for row in rows_of(result.stdout)}
    assert result.stderr.strip()


def test_ctrl_c_ends_within_two_seconds_while_an_account_hangs(tmp_path: Path, held: Any) -> None:
    """What was read is printed, and is said to be partial."""
    server, arrived, _ = held
    running = start("audit", "--accounts", accounts_file(tmp_path, server, 6), CSTAR_KEY_ALL=LIVE)
    assert arrived.wait(30)
    threading.Event().wait(0.3)
    begun = time.monotonic()
    running.send_signal(signal.SIGINT)
    result = finish(running)

    assert time.monotonic() - begun < 2 * SLOWNESS
    assert 130 == result.code
    assert "Team 4" in result.stdout
    assert "Team 5: failed" in result.stderr
    assert "partial" in result.stderr


def test_ctrl_c_during_a_single_team_exits_with_130() -> None:
    """There is nothing to print."""
    arrived, released = threading.Event(), threading.Event()

    def respond(connection: socket.socket, request: RecordedRequest) -> bool:
        arrived.set()
        released.wait(30)
        return CLEAN(connection, request)

    with ScriptedServer(*always(respond)) as server:
        running = start("audit", "--format", "csv", **one_team(server))
        assert arrived.wait(30)
        running.send_signal(signal.SIGINT)
        threading.Timer(1.5, released.set).start()
        result = finish(running)
        released.set()

    assert 130 == result.code
    assert 1 == list_requests(server)


# --- doctor -----------------------------------------------------------------------------------------------------------


def check_states(result: Finished) -> list[str]:
    """The first word of each line."""
    return [line.split()[0] for line in result.stdout.splitlines() if line.strip()]


def test_doctor_reports_missing_configuration() -> None:
    """One check fails and names the variable."""
    result = run("doctor")

    assert 1 == result.code
    assert "fail" in check_states(result)
    assert set(check_states(result)) <= {"ok", "warn", "fail"}
    assert "CSTAR_KEY" in result.stdout


def test_doctor_succeeds_with_a_sandbox() -> None:
    """It shows no key and changes nothing."""
    with cx.Sandbox() as sandbox, sandbox.client() as client:
        before = client.webhooks.list().to_frame()
        key = sandbox.key.reveal()
        result = run("doctor", CSTAR_KEY=key, CSTAR_TEAM_ID=sandbox.team_id, CSTAR_BASE_URL=sandbox.base_url)
        after = client.webhooks.list().to_frame()

    assert 0 == result.code
    assert set(check_states(result)) <= {"ok", "warn"}
    assert len(check_states(result)) >= 3
    assert key not in result.stdout + result.stderr
    assert before.equals(after)


@pytest.mark.parametrize("kind", ["secret", "publishable", "live"])
def test_doctor_shows_what_the_key_may_do(kind: str) -> None:
    """The environment and the kind, but not the key."""
    with cx.Sandbox() as sandbox:
        key = sandbox.keys[kind].reveal()
        result = run("doctor", CSTAR_KEY=key, CSTAR_TEAM_ID=sandbox.team_id, CSTAR_BASE_URL=sandbox.base_url)

    assert set(check_states(result)) <= {"ok", "warn", "fail"}
    assert key not in result.stdout + result.stderr
    assert {"secret": "sandbox", "publishable": "publishable", "live": "live"}[kind] in result.stdout.lower()


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        pytest.param({"CSTAR_KEY": LIVE}, "401", id="wrong key"),
        pytest.param({"CSTAR_TEAM_ID": "team_of_another_key"}, "", id="wrong team"),
        pytest.param({"CSTAR_BASE_URL": f"http://127.0.0.1:{closed_port()}"}, "", id="closed port"),
        pytest.param({"CSTAR_BASE_URL": "nonsense"}, "nonsense", id="not a URL"),
        pytest.param({"CSTAR_BASE_URL": "http://cstar.example"}, "http", id="plain http"),
        pytest.param({"CSTAR_KEY": "nonsense with spaces"}, "", id="not a key"),
    ],
)
def test_doctor_reports_the_failed_check(changed: dict[str, str], expected: str) -> None:
    """It exits with 1, and a line starts with fail."""
    with cx.Sandbox() as sandbox:
        valid = {
            "CSTAR_KEY": sandbox.key.reveal(),
            "CSTAR_TEAM_ID": sandbox.team_id,
            "CSTAR_BASE_URL": sandbox.base_url,
        }
        result = run("doctor", **(valid | changed))

    fails = [line for line in result.stdout.splitlines() if line.startswith("fail")]
    assert 1 == result.code
    assert fails
    assert expected in " ".join(fails)
    assert valid["CSTAR_KEY"] not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(CLEAN, id="success"),
        pytest.param(status(403), id="forbidden"),
        pytest.param(status(401, message=f"{LIVE} is unknown"), id="key in the response"),
        pytest.param(reply(200, "<html>Sign in</html>", content_type="text/html"), id="HTML"),
    ],
)
def test_doctor_sends_only_get_requests(response: Script) -> None:
    """A few at most, whatever the response."""
    with ScriptedServer(*([response] * 9)) as server:
        result = run("doctor", **one_team(server))

    assert {"GET"} == set(server.methods)
    assert len(server.methods) <= 4
    assert result.code in (0, 1)
    assert set(check_states(result)) <= {"ok", "warn", "fail"}


def test_doctor_refuses_options() -> None:
    """It exits with 2."""
    result = run("doctor", "--fix")

    assert (2, "") == (result.code, result.stdout)
