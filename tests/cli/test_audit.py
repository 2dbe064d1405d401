"""The commands `audit` and `doctor`, as a shell or a nightly job sees them: exit codes, stdout, stderr, and nothing but GET."""

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
ITEM = {
    "id": "whk_1",
    "name": "Desk",
    "url": "https://desk.shop.example/x",
    "events": ["ticket.created"],
    "isActive": True,
    "createdAt": "2025-12-01T10:00:00Z",
}
CLEAN = data([ITEM])
WILD = data([ITEM | {"events": ["ticket.*"]}])
PLAIN = data([ITEM | {"url": "http://desk.shop.example/x"}])
BOTH = data([ITEM | {"url": "http://desk.shop.example/x", "events": ["ticket.*"]}])


def environment(**more: str) -> dict[str, str]:
    """What the shell has, without anything of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CSTAR_")} | more


def started(*arguments: str | Path, **more: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "cstar_explore.cli", *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(**more),
    )


class Ran:
    """A command that has ended; no traceback and no key in anything it said."""

    def __init__(self, code: int, out: str, words: str) -> None:
        self.code = code
        self.out = out
        self.words = words
        assert "Traceback" not in words, words
        assert RANDOM not in out + words
        assert "\x1b" not in words

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def states(self) -> dict[str, str]:
        return {account["account"]: account["state"] for account in self.json["accounts"]}


def ended(running: subprocess.Popen[bytes]) -> Ran:
    out, words = running.communicate(timeout=60)
    return Ran(running.returncode, out.decode(), words.decode())


def shell(*arguments: str | Path, **more: str) -> Ran:
    """Runs the command in a process of its own."""
    return ended(started(*arguments, **more))


def ran(*arguments: str | Path, **more: str) -> Ran:
    """Runs the command here, which is the same and takes a tenth of the time."""
    out, words = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    code: Any = None
    with mock.patch.dict(os.environ, environment(**more), clear=True):
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(words):
            try:
                code = cli.main(list(map(str, arguments)))
            except SystemExit as error:
                code = error.code
        out.flush()
        words.flush()
    return Ran(code or 0, out.buffer.getvalue().decode(), words.buffer.getvalue().decode())


WHO = data({"teamId": "team_1", "teamName": "Shop", "keyType": "secret", "environment": "live"})


def always(line: Script) -> list[Script]:
    """Whoever asks gets that answer, but who asks for the team of a key is told it."""

    def answer(connection: socket.socket, received: RecordedRequest) -> bool:
        return (WHO if received.path.endswith("/whoami") else line)(connection, received)

    return [answer] * 60


def lists(server: ScriptedServer) -> int:
    """How often the list of webhooks was asked for; all else is one GET at most, of whose key it is."""
    assert set(server.methods) <= {"GET"}
    others = [one.path for one in server.requests if not one.path.endswith("/webhooks")]
    assert others in ([], ["/api/v1/auth/whoami"])
    return len(server.requests) - len(others)


def by_team(**lines: Script) -> list[Script]:
    """Answers by who is asked for: `t3=...` for team_3; the others are clean."""

    def answer(connection: socket.socket, received: RecordedRequest) -> bool:
        team = received.path.split("/")[4].replace("team_", "t")
        return lines.get(team, CLEAN)(connection, received)

    return always(answer)


def one(server: ScriptedServer, key: str = LIVE) -> dict[str, str]:
    """The variables that name one team."""
    return {"CSTAR_KEY": key, "CSTAR_TEAM_ID": "team_1", "CSTAR_BASE_URL": server.url}


def table_of(folder: Path, server: ScriptedServer, count: int) -> Path:
    """A file of accounts, all with the key of CSTAR_KEY_ALL."""
    path = folder / "accounts.csv"
    lines = [f"Team {number},team_{number},CSTAR_KEY_ALL,{server.url}" for number in range(count)]
    path.write_text("\n".join(["account,team_id,key_env,base_url", *lines, ""]))
    return path


def baseline(folder: Path, line: Script) -> Path:
    """What an audit of that answer printed."""
    with ScriptedServer(*always(line)) as server:
        told = ran("audit", "--format", "json", **one(server))
    path = folder / "baseline.json"
    path.write_text(told.out, encoding="utf-8")
    return path


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "fail_on", "code"),
    [
        pytest.param(CLEAN, "info", 0, id="nothing found"),
        pytest.param(PLAIN, None, 0, id="found, but not asked to fail"),
        pytest.param(PLAIN, "high", 3, id="high on high"),
        pytest.param(WILD, "high", 0, id="low on high"),
        pytest.param(WILD, "medium", 0, id="low on medium"),
        pytest.param(WILD, "low", 3, id="low on low"),
        pytest.param(BOTH, "info", 3, id="anything on info"),
    ],
)
def test_findings_fail_only_where_asked_and_from_there_on(line: Script, fail_on: str | None, code: int) -> None:
    """One team, one request, which is a GET."""
    with ScriptedServer(*always(line)) as server:
        told = ran("audit", *(["--fail-on", fail_on] if fail_on else []), **one(server))

    assert code == told.code
    assert 1 == lists(server)
    assert told.words.strip()


@pytest.mark.parametrize(
    ("before", "after", "fail_on", "code"),
    [
        pytest.param(WILD, WILD, "low", 0, id="known"),
        pytest.param(WILD, BOTH, "high", 3, id="a new one"),
        pytest.param(PLAIN, BOTH, "high", 0, id="a new one below"),
        pytest.param(PLAIN, BOTH, "low", 3, id="a new one at it"),
        pytest.param(BOTH, CLEAN, "low", 0, id="resolved"),
    ],
)
def test_with_a_baseline_only_new_findings_fail(
    tmp_path: Path, before: Script, after: Script, fail_on: str, code: int
) -> None:
    """What was known yesterday does not wake anybody tonight; what json prints is a baseline."""
    path = baseline(tmp_path, before)
    with ScriptedServer(*always(after)) as server:
        told = ran("audit", "--baseline", path, "--fail-on", fail_on, "--format", "json", **one(server))

    assert code == told.code
    assert 1 == len(told.json["webhooks"])
    assert 1 == lists(server)


@pytest.mark.parametrize("form", FORMATS)
def test_some_accounts_that_could_not_be_read_are_a_four(tmp_path: Path, form: str) -> None:
    """Before a three: which, and why, on stderr; what was read on stdout."""
    with ScriptedServer(*by_team(t1=status(403), t2=PLAIN)) as server:
        path = table_of(tmp_path, server, 3)
        told = shell("audit", "--accounts", path, "--fail-on", "info", "--format", form, CSTAR_KEY_ALL=LIVE)

    assert 4 == told.code
    assert "Team 1" in told.words
    assert "403" in told.words
    assert "Team 0" not in told.words
    assert "Team 2" in told.out
    assert {"GET"} == set(server.methods)


def test_one_team_in_ten_that_fails_is_said_and_is_a_four(tmp_path: Path) -> None:
    """The other nine tenths are there."""
    with ScriptedServer(*by_team(t3=status(500), t13=status(500))) as server:
        told = ran("audit", "--accounts", table_of(tmp_path, server, 20), "--format", "json", CSTAR_KEY_ALL=LIVE)

    assert 4 == told.code
    assert {"Team 3", "Team 13"} == {name for name, state in told.states.items() if state == "failed"}
    assert 18 == list(told.states.values()).count("read") == len(told.json["webhooks"])
    assert "Team 3" in told.words
    assert "Team 13" in told.words
    assert "500" in told.words


def test_no_account_that_could_be_read_is_a_one(tmp_path: Path) -> None:
    """Each is named."""
    with ScriptedServer(*always(status(403))) as server:
        told = shell("audit", "--accounts", table_of(tmp_path, server, 2), CSTAR_KEY_ALL=LIVE)
        unset = shell("audit", "--accounts", table_of(tmp_path, server, 2))

    assert (1, 1) == (told.code, unset.code)
    assert "Team 0" in told.words
    assert "Team 1" in told.words
    assert "CSTAR_KEY_ALL" in unset.words
    assert ["GET", "GET"] == server.methods


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(status(401), id="401"),
        pytest.param(status(403), id="403"),
        pytest.param(status(404), id="404"),
        pytest.param(reply(200, "<html>Sign in</html>", content_type="text/html"), id="HTML"),
    ],
)
@pytest.mark.parametrize("first", [True, False], ids=["of its key", "of its list"])
def test_one_team_that_cannot_be_read_is_a_one(line: Script, first: bool) -> None:
    """In words, with nothing on stdout that looks like a clean audit."""
    with ScriptedServer(*([line] * 5 if first else always(line))) as server:
        told = ran("audit", "--format", "csv", **one(server))

    assert 1 == told.code
    assert told.words.strip()
    assert len(told.out.splitlines()) <= 1


def test_without_a_key_nothing_is_audited() -> None:
    """Least of all the sandbox, which nobody asked for."""
    told = shell("audit")

    assert (1, "") == (told.code, told.out)
    assert "CSTAR_KEY" in told.words


@pytest.mark.parametrize("option", ["--accounts", "--settings", "--baseline"])
@pytest.mark.parametrize("content", [None, b"\xff\0 nonsense"], ids=["missing", "broken"])
def test_a_file_that_cannot_be_used_is_a_one_and_named(tmp_path: Path, option: str, content: bytes | None) -> None:
    """Before any webhook is asked for."""
    path = tmp_path / "file.any"
    if content:
        path.write_bytes(content)
    with ScriptedServer(*always(CLEAN)) as server:
        told = ran("audit", option, path, **one(server))

    assert (1, "") == (told.code, told.out)
    assert 0 == lists(server)
    if content is None or option != "--accounts":
        assert "file.any" in told.words


def test_a_key_in_the_file_of_accounts_is_refused_and_not_shown(tmp_path: Path) -> None:
    """Whoever runs it nightly has the words in a log."""
    path = tmp_path / "accounts.csv"
    path.write_text(f"account,team_id,key_env\nA,team_1,{LIVE}\n")
    told = ran("audit", "--accounts", path)

    assert (1, "") == (told.code, told.out)
    assert "row 1" in told.words


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--fail-on", "hihg"], id="severity"),
        pytest.param(["--format", "xml"], id="format"),
        pytest.param(["--sandbocks"], id="option"),
        pytest.param(["--sandbox", "--accounts", "accounts.csv"], id="both"),
        pytest.param(["more"], id="argument"),
    ],
)
def test_what_is_misspelled_is_a_two(arguments: list[str]) -> None:
    """As everywhere else, with the usage on stderr."""
    told = ran("audit", *arguments)

    assert (2, "") == (told.code, told.out)
    assert "usage" in told.words


@pytest.mark.parametrize(("fail_on", "code"), [("high", 3), ("hihg", 2)])
def test_a_shell_sees_the_exit_code(fail_on: str, code: int) -> None:
    """The module as a program."""
    with ScriptedServer(*always(PLAIN)) as server:
        told = shell("audit", "--fail-on", fail_on, **one(server))

    assert code == told.code


# --- what is printed where --------------------------------------------------------------------------------------------


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("compared", [False, True], ids=["alone", "with a baseline"])
def test_stdout_is_the_result_and_nothing_else(tmp_path: Path, form: str, compared: bool) -> None:
    """Whole and readable by what reads such a thing; the words are on stderr."""
    options: list[Any] = ["--baseline", baseline(tmp_path, CLEAN)] if compared else []
    with ScriptedServer(*always(BOTH)) as server:
        told = ran("audit", "--format", form, *options, **one(server))

    assert 0 == told.code
    if form == "json":
        assert {"plain_http", "wildcard"} == {finding["rule"] for finding in told.json["findings"]}
    elif form == "csv":
        assert ["plain_http", "wildcard"] == [row["rule"] for row in rows_of(told.out)]
        assert [8, 8] == [len(row) for row in rows_of(told.out)]
    elif form == "html":
        assert told.out.lower().startswith("<!doctype html>")
        assert told.out.rstrip().endswith("</html>")
    else:
        assert 1 == sum("plain_http" in line and "high" in line for line in told.out.splitlines()[:3])
    assert "1 high" in told.words
    assert "<" not in told.words


@pytest.mark.parametrize("form", FORMATS)
def test_the_sandbox_is_audited_when_asked_for(form: str) -> None:
    """Three neglected teams; a key that is set is not used for it, and its team is not asked."""
    with ScriptedServer(*always(CLEAN)) as server:
        told = ran("audit", "--sandbox", "--format", form, "--fail-on", "high", **one(server))

    assert 3 == told.code
    assert "North" in told.out
    assert [] == server.methods
    assert [] == re.findall(r"sk_(?:live|test)_\w{6,}", told.out + told.words)


def test_json_is_a_baseline_and_the_same_bytes_each_time(tmp_path: Path) -> None:
    """Of a sandbox, whose clock is its own; `compare` reads it."""
    first, again = (shell("audit", "--sandbox", "--format", "json") for _ in range(2))
    path = tmp_path / "baseline.json"
    path.write_text(first.out, encoding="utf-8")

    assert first.out == again.out
    assert 0 == len(cx.compare(path, path))
    assert 3 == len(first.json["accounts"])


@pytest.mark.parametrize("form", FORMATS)
def test_a_narrow_terminal_encoding_breaks_nothing(form: str) -> None:
    """The mask is no letter of ASCII."""
    odd = data([ITEM | {"name": "会社 ä", "url": "http://desk.shop.example/?token=hunter2Rosebud"}])
    with ScriptedServer(*always(odd)) as server:
        told = shell("audit", "--format", form, PYTHONIOENCODING="ascii", **one(server))

    assert 0 == told.code
    assert "plain_http" in told.out or form == "html"
    assert "Rosebud" not in told.out


@pytest.mark.parametrize("form", ["table", "csv", "html"])
def test_hostile_text_of_a_team_is_told_as_text(tmp_path: Path, form: str) -> None:
    """No control character, no line of its own, no tag, no formula."""
    hostile = "=1+1\x1b[2J\r\nhigh  <script>alert(1)</script>"
    with ScriptedServer(*always(data([ITEM | {"name": hostile, "url": "http://desk.shop.example/"}]))) as server:
        told = ran("audit", "--format", form, **one(server))

    assert 0 == told.code
    if form == "html":
        assert "<script" not in told.out
    elif form == "csv":
        (row,) = rows_of(told.out)
        assert not row["name"].startswith("=")
    else:
        assert "\x1b" not in told.out
        assert 1 == sum(line.startswith("high") for line in told.out.splitlines())


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    """As `head` does."""
    with ScriptedServer(*always(data([ITEM | {"id": f"whk_{n}", "events": ["*"]} for n in range(3000)]))) as server:
        running = started("audit", "--format", "csv", **one(server))
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        words = running.stderr.read().decode()
        running.stderr.close()
        running.wait(60)

    assert "Traceback" not in words
    assert "Exception ignored" not in words


# --- interrupted ------------------------------------------------------------------------------------------------------


@pytest.fixture
def held() -> Iterator[tuple[ScriptedServer, threading.Event, Callable[[], None]]]:
    """A server that answers five teams, and the others only once it is told to."""
    arrived, released = threading.Event(), threading.Event()

    def answer(connection: socket.socket, received: RecordedRequest) -> bool:
        if int(received.path.split("/")[4].removeprefix("team_")) >= 5:
            arrived.set()
            released.wait(30)
        return PLAIN(connection, received)

    with ScriptedServer(*always(answer)) as server:
        yield server, arrived, released.set
        released.set()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_an_interruption_prints_what_was_read(tmp_path: Path, held: Any, form: str) -> None:
    """130, a whole result, and not a request more than those on their way."""
    server, arrived, release = held
    running = started(
        "audit", "--accounts", table_of(tmp_path, server, 50), "--format", form, "--fail-on", "low", CSTAR_KEY_ALL=LIVE
    )
    assert arrived.wait(30)
    threading.Event().wait(0.15)
    running.send_signal(signal.SIGINT)
    threading.Timer(0.2, release).start()
    told = ended(running)

    assert 130 == told.code
    assert {"GET"} == set(server.methods)
    assert len(server.methods) <= 20
    if form == "json":
        assert {f"Team {number}" for number in range(5)} <= {
            name for name, state in told.states.items() if state == "read"
        }
        assert 50 == len(told.states)
        assert "not tried" in told.states.values()
        path = tmp_path / "baseline.json"
        path.write_text(told.out, encoding="utf-8")
        assert 0 == len(cx.compare(path, path).query("what != 'not compared'"))
    else:
        assert {f"Team {number}" for number in range(5)} <= {row["account"] for row in rows_of(told.out)}
    assert told.words.strip()


def test_an_interruption_of_one_team_is_a_130() -> None:
    """There is nothing to print then."""
    arrived, released = threading.Event(), threading.Event()

    def answer(connection: socket.socket, received: RecordedRequest) -> bool:
        arrived.set()
        released.wait(30)
        return CLEAN(connection, received)

    with ScriptedServer(*always(answer)) as server:
        running = started("audit", "--format", "csv", **one(server))
        assert arrived.wait(30)
        running.send_signal(signal.SIGINT)
        threading.Timer(0.2, released.set).start()
        told = ended(running)
        released.set()

    assert 130 == told.code
    assert 1 == lists(server)


# --- doctor -----------------------------------------------------------------------------------------------------------


def verdicts(told: Ran) -> list[str]:
    """The first word of each line."""
    return [line.split()[0] for line in told.out.splitlines() if line.strip()]


def test_the_doctor_says_what_is_missing() -> None:
    """Nothing is set: a fail, and which variable."""
    told = shell("doctor")

    assert 1 == told.code
    assert "fail" in verdicts(told)
    assert set(verdicts(told)) <= {"ok", "warn", "fail"}
    assert "CSTAR_KEY" in told.out


def test_the_doctor_is_content_with_a_sandbox() -> None:
    """A line for each check; no key, and nothing was changed."""
    with cx.Sandbox() as sandbox, sandbox.client() as client:
        before = client.webhooks.list().to_frame()
        key = sandbox.key.reveal()
        told = shell("doctor", CSTAR_KEY=key, CSTAR_TEAM_ID=sandbox.team_id, CSTAR_BASE_URL=sandbox.base_url)
        after = client.webhooks.list().to_frame()

    assert 0 == told.code
    assert set(verdicts(told)) <= {"ok", "warn"}
    assert len(verdicts(told)) >= 3
    assert key not in told.out + told.words
    assert before.equals(after)


@pytest.mark.parametrize("kind", ["secret", "publishable", "live"])
def test_the_doctor_names_what_the_key_may_do(kind: str) -> None:
    """Which environment, and whether it may change anything; the key itself is not shown."""
    with cx.Sandbox() as sandbox:
        key = sandbox.keys[kind].reveal()
        told = ran("doctor", CSTAR_KEY=key, CSTAR_TEAM_ID=sandbox.team_id, CSTAR_BASE_URL=sandbox.base_url)

    assert set(verdicts(told)) <= {"ok", "warn", "fail"}
    assert key not in told.out + told.words
    assert {"secret": "sandbox", "publishable": "publishable", "live": "live"}[kind] in told.out.lower()


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param({"CSTAR_KEY": LIVE}, "401", id="a wrong key"),
        pytest.param({"CSTAR_TEAM_ID": "team_of_somebody_else"}, "", id="a wrong team"),
        pytest.param({"CSTAR_BASE_URL": f"http://127.0.0.1:{closed_port()}"}, "", id="nobody listens"),
        pytest.param({"CSTAR_BASE_URL": "nonsense"}, "nonsense", id="no address"),
        pytest.param({"CSTAR_BASE_URL": "http://cstar.example"}, "http", id="plain http"),
        pytest.param({"CSTAR_KEY": "nonsense with spaces"}, "", id="no key"),
    ],
)
def test_the_doctor_says_what_is_in_the_way(changed: dict[str, str], named: str) -> None:
    """One, a line that begins with fail, and words in it."""
    with cx.Sandbox() as sandbox:
        right = {
            "CSTAR_KEY": sandbox.key.reveal(),
            "CSTAR_TEAM_ID": sandbox.team_id,
            "CSTAR_BASE_URL": sandbox.base_url,
        }
        told = ran("doctor", **(right | changed))

    fails = [line for line in told.out.splitlines() if line.startswith("fail")]
    assert 1 == told.code
    assert fails
    assert named in " ".join(fails)
    assert right["CSTAR_KEY"] not in told.out + told.words


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(CLEAN, id="well"),
        pytest.param(status(403), id="refused"),
        pytest.param(status(401, message=f"{LIVE} is unknown"), id="a key repeated"),
        pytest.param(reply(200, "<html>Sign in</html>", content_type="text/html"), id="HTML"),
    ],
)
def test_the_doctor_sends_nothing_but_get(line: Script) -> None:
    """Whatever is answered, in no more than a few requests."""
    with ScriptedServer(*([line] * 9)) as server:
        told = ran("doctor", **one(server))

    assert {"GET"} == set(server.methods)
    assert len(server.methods) <= 4
    assert told.code in (0, 1)
    assert set(verdicts(told)) <= {"ok", "warn", "fail"}


def test_the_doctor_takes_no_options() -> None:
    """Misspelled is a two here as well."""
    told = shell("doctor", "--fix")

    assert (2, "") == (told.code, told.out)
