"""`connect()`: from arguments and environment to a client, and one line on what it reached."""

import contextlib
import json
from collections.abc import Iterator

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import ScriptedServer, data, reply, silence

KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[cx.Sandbox]:
    """One sandbox for this file: no test here depends on what is in it."""
    with cx.Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> pytest.MonkeyPatch:
    """An environment that names the sandbox, its team and its test key."""
    monkeypatch.setenv("CSTAR_KEY", sandbox.key.reveal())
    monkeypatch.setenv("CSTAR_TEAM_ID", sandbox.team_id)
    monkeypatch.setenv("CSTAR_BASE_URL", sandbox.base_url)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_the_environment_is_enough(sandbox: cx.Sandbox) -> None:
    """Key, team and address are found there."""
    with cx.connect() as client:
        assert (sandbox.key, sandbox.team_id, sandbox.base_url) == (client.key, client.team_id, client.base_url)
        assert sandbox.team_id == client.whoami().team_id


def test_each_argument_comes_before_its_variable(environment: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> None:
    """What is written in the call counts, whatever the environment says."""
    environment.setenv("CSTAR_KEY", "sk_live_nonsense")
    environment.setenv("CSTAR_TEAM_ID", "team_nonsense")
    environment.setenv("CSTAR_BASE_URL", "https://nonsense.example")
    with cx.connect(sandbox.keys["live"], sandbox.team_id, sandbox.base_url) as client:
        assert (sandbox.keys["live"], sandbox.team_id, sandbox.base_url) == (
            client.key,
            client.team_id,
            client.base_url,
        )


def test_a_client_of_the_sandbox_does_not_look_at_the_environment(
    environment: pytest.MonkeyPatch, sandbox: cx.Sandbox
) -> None:
    """A notebook's default must not reach production by accident."""
    environment.setenv("CSTAR_KEY", KEY)
    environment.setenv("CSTAR_TEAM_ID", "team_nonsense")
    environment.setenv("CSTAR_BASE_URL", "https://nonsense.example")
    with sandbox.client() as client:
        assert (sandbox.key, sandbox.team_id, sandbox.base_url) == (client.key, client.team_id, client.base_url)


def test_the_team_is_found_by_asking_whose_key_it_is() -> None:
    """Without a team, one `whoami` finds it, and that is the only request."""
    identity = {"teamId": "tm_1", "teamName": "One", "teamSlug": "one", "keyType": "secret", "environment": "live"}
    with ScriptedServer(data(identity)) as server, cx.connect(KEY, base_url=server.url) as client:
        assert "tm_1" == client.team_id
        assert [("GET", "/api/v1/auth/whoami", f"Bearer {KEY}")] == [
            (request.method, request.path, request.headers["authorization"]) for request in server.requests
        ]


@pytest.mark.parametrize("variables", [{"CSTAR_KEY": ""}, {"CSTAR_TEAM_ID": ""}, {"CSTAR_BASE_URL": ""}])
def test_an_empty_variable_counts_as_none(
    monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, variables: dict[str, str]
) -> None:
    """Shells and CI systems set variables to nothing."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with cx.connect(sandbox.key, base_url=sandbox.base_url) as client:
        assert sandbox.team_id == client.team_id


@pytest.mark.parametrize(
    ("kind", "write", "may_write"),
    [
        pytest.param("secret", None, True, id="test key"),
        pytest.param("secret", False, False, id="test key, told to read"),
        pytest.param("live", None, False, id="live key"),
        pytest.param("live", True, True, id="live key, told to write"),
        pytest.param("live", False, False, id="live key, told to read"),
    ],
)
def test_a_live_key_reads_only_unless_told_otherwise(
    sandbox: cx.Sandbox, kind: str, write: bool | None, may_write: bool
) -> None:
    """Reading works in any case; changing needs a test key or `write=True`."""
    with cx.connect(sandbox.keys[kind], base_url=sandbox.base_url, write=write) as client:
        before = len(client.webhooks.list())
        expected = contextlib.nullcontext() if may_write else pytest.raises(errors.ReadOnlyError, match="write=True")
        with expected:
            client.webhooks.create(name="A", url="https://example.com/", events="ticket.created")
        assert before + may_write == len(client.webhooks.list())


@pytest.mark.parametrize("kind", ["secret", "live", "publishable", "other_team"])
def test_one_line_says_what_was_reached_and_holds_no_key(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Team and address, and the key only as its kind."""
    with cx.connect(sandbox.keys[kind], base_url=sandbox.base_url) as client:
        said = capsys.readouterr()
        prefix = str(sandbox.keys[kind]).rstrip("•")
        assert ("", 1) == (said.err, len(said.out.splitlines()))
        assert [True] * 3 == [part in said.out for part in (client.team_id, sandbox.base_url, prefix)]
        assert sandbox.keys[kind].reveal() not in said.out
        assert sandbox.keys[kind].reveal().removeprefix(prefix) not in said.out


def test_the_line_says_whether_changes_are_live(sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A live key is announced as one, and a reading client as one."""
    cx.connect(sandbox.keys["live"], base_url=sandbox.base_url).close()
    cx.connect(sandbox.key, base_url=sandbox.base_url).close()
    live, test = capsys.readouterr().out.splitlines()
    assert (True, True, False) == ("LIVE" in live, "reads only" in live, "LIVE" in test)


def test_the_line_does_not_promise_writing_to_a_publishable_key(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a key cannot write, whatever it was told."""
    cx.connect(sandbox.keys["publishable"], base_url=sandbox.base_url).close()
    assert "reads and writes" not in capsys.readouterr().out


def test_a_team_name_in_the_line_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """It is foreign text, on one line."""
    identity = {"teamId": "tm_1", "teamName": "One\n\x1b[31mTwo\u202e", "keyType": "secret"}
    with ScriptedServer(data(identity)) as server:
        cx.connect(KEY, base_url=server.url).close()
    assert capsys.readouterr().out.removesuffix("\n").isprintable()


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_team_the_key_does_not_belong_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, by: str
) -> None:
    """Both are named, so that the wrong one can be seen."""
    monkeypatch.setenv("CSTAR_TEAM_ID", "team_wrong" if by == "variable" else "")
    with pytest.raises(errors.ConfigurationError, match=r"(?s)(?=.*team_wrong)(?=.*team_sandbox)"):
        cx.connect(sandbox.key, "team_wrong" if by == "argument" else None, sandbox.base_url)


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_a_missing_key_is_explained(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, value: str | None) -> None:
    """The variable to set is named, and nothing falls back to the sandbox."""
    if value is not None:
        monkeypatch.setenv("CSTAR_KEY", value)
    with pytest.raises(errors.ConfigurationError, match="CSTAR_KEY"):
        cx.connect(base_url=sandbox.base_url)


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} "])
@pytest.mark.parametrize("by", ["argument", "variable"])
def test_white_space_around_a_key_is_trimmed(
    monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, around: str, by: str
) -> None:
    """Keys are pasted, and read from files."""
    value = around.format(sandbox.key.reveal())
    monkeypatch.setenv("CSTAR_KEY", value)
    with cx.connect(value if by == "argument" else None, base_url=sandbox.base_url) as client:
        assert sandbox.key == client.key


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_an_address_without_encryption_is_refused(monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """The key would travel in clear."""
    if by == "variable":
        monkeypatch.setenv("CSTAR_BASE_URL", "http://www.cstar.help")
    with pytest.raises(errors.ConfigurationError, match="https"):
        cx.connect(KEY, base_url="http://www.cstar.help" if by == "argument" else None)


@pytest.mark.parametrize("kind", ["expired", "revoked"])
def test_a_refused_key_is_an_authentication_error(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Nothing is printed as reached."""
    with pytest.raises(errors.AuthenticationError):
        cx.connect(sandbox.keys[kind], base_url=sandbox.base_url)
    assert capsys.readouterr().out == ""


def test_an_identity_without_a_team_is_explained() -> None:
    """Where cStar does not say, the team has to be given."""
    with ScriptedServer(data({"keyType": "secret"})) as server, pytest.raises(errors.CStarError, match=r"(?i)team"):
        cx.connect(KEY, base_url=server.url)


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        pytest.param(401, {"error": "Invalid API key"}, errors.AuthenticationError, id="refused"),
        pytest.param(200, {"data": {"teamId": "team_other"}}, errors.ConfigurationError, id="another team"),
        pytest.param(200, {"data": {}}, errors.CStarError, id="no team"),
        pytest.param(200, {}, errors.InvalidResponseError, id="not cStar"),
    ],
)
def test_a_failed_connect_leaves_no_connection_open(code: int, body: dict, kind: type[errors.CStarError]) -> None:
    """Nobody gets the client, so nobody else could close it."""
    team = "team_1" if body.get("data") else None
    with ScriptedServer(reply(code, json.dumps(body), close=False)) as server:
        with pytest.raises(kind) as caught:
            cx.connect(KEY, team, server.url)
        assert server.is_alone(), caught.value


def test_the_timeout_is_handed_on() -> None:
    """A server that never answers keeps nobody longer than that."""
    with ScriptedServer(*[silence()] * 4) as server, pytest.raises(errors.ResponseTimeoutError):
        cx.connect(KEY, base_url=server.url, timeout=0.05)


def test_no_wait_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody answers, each pause before another try is told on stderr, and stdout stays empty."""
    with pytest.raises(errors.UnreachableError):
        cx.connect("sk_test_nobody", base_url="http://127.0.0.1:9")
    printed = capsys.readouterr()

    assert [True] * 3 == [line.startswith("Waiting ") for line in printed.err.splitlines()]
    assert "" == printed.out
