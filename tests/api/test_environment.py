"""`connect`: a client from arguments and environment variables, and the line that it prints."""

import contextlib
import json
from collections.abc import Iterator

import pytest

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import ScriptedServer, closed_port, data, reply, silence

KEY = "sk_live_abcdefghijklmnopqrstuvwxyz012345"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[cx.Sandbox]:
    """One sandbox for this file: no test depends on its content."""
    with cx.Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> pytest.MonkeyPatch:
    """Variables with the sandbox's address, team and test key."""
    monkeypatch.setenv("CSTAR_KEY", sandbox.key.reveal())
    monkeypatch.setenv("CSTAR_TEAM_ID", sandbox.team_id)
    monkeypatch.setenv("CSTAR_BASE_URL", sandbox.base_url)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_all_arguments_can_come_from_the_environment(sandbox: cx.Sandbox) -> None:
    """Key, team and address."""
    with cx.connect() as client:
        assert (sandbox.key, sandbox.team_id, sandbox.base_url) == (client.key, client.team_id, client.base_url)
        assert sandbox.team_id == client.whoami().team_id


def test_each_argument_overrides_its_variable(environment: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> None:
    """Whatever the environment contains."""
    environment.setenv("CSTAR_KEY", "sk_live_nonsense")
    environment.setenv("CSTAR_TEAM_ID", "team_nonsense")
    environment.setenv("CSTAR_BASE_URL", "https://nonsense.example")
    with cx.connect(sandbox.keys["live"], sandbox.team_id, sandbox.base_url) as client:
        assert (sandbox.keys["live"], sandbox.team_id, sandbox.base_url) == (
            client.key,
            client.team_id,
            client.base_url,
        )


def test_a_client_of_the_sandbox_ignores_the_environment(environment: pytest.MonkeyPatch, sandbox: cx.Sandbox) -> None:
    """So that a notebook does not reach production by accident."""
    environment.setenv("CSTAR_KEY", KEY)
    environment.setenv("CSTAR_TEAM_ID", "team_nonsense")
    environment.setenv("CSTAR_BASE_URL", "https://nonsense.example")
    with sandbox.client() as client:
        assert (sandbox.key, sandbox.team_id, sandbox.base_url) == (client.key, client.team_id, client.base_url)


def test_whoami_finds_the_team_of_the_key() -> None:
    """If no team is given. It is the only request."""
    identity = {"teamId": "tm_1", "teamName": "One", "teamSlug": "one", "keyType": "secret", "environment": "live"}
    with ScriptedServer(data(identity)) as server, cx.connect(KEY, base_url=server.url) as client:
        assert "tm_1" == client.team_id
        assert [("GET", "/api/v1/auth/whoami", f"Bearer {KEY}")] == [
            (request.method, request.path, request.headers["authorization"]) for request in server.requests
        ]


@pytest.mark.parametrize("variables", [{"CSTAR_KEY": ""}, {"CSTAR_TEAM_ID": ""}, {"CSTAR_BASE_URL": ""}])
def test_an_empty_variable_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, variables: dict[str, str]
) -> None:
    """Shells and CI systems set empty variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with cx.connect(sandbox.key, base_url=sandbox.base_url) as client:
        assert sandbox.team_id == client.team_id


@pytest.mark.parametrize(
    ("key_name", "write", "may_write"),
    [
        pytest.param("secret", None, True, id="test key"),
        pytest.param("secret", False, False, id="test key, write=False"),
        pytest.param("live", None, False, id="live key"),
        pytest.param("live", True, True, id="live key, write=True"),
        pytest.param("live", False, False, id="live key, write=False"),
    ],
)
def test_a_live_key_is_read_only_unless_write_is_true(
    sandbox: cx.Sandbox, key_name: str, write: bool | None, may_write: bool
) -> None:
    """Reads always work; changes need a test key or `write=True`."""
    with cx.connect(sandbox.keys[key_name], base_url=sandbox.base_url, write=write) as client:
        before = len(client.webhooks.list())
        expected = contextlib.nullcontext() if may_write else pytest.raises(errors.ReadOnlyError, match="write=True")
        with expected:
            client.webhooks.create(name="A", url="https://example.com/", events="ticket.created")
        assert before + may_write == len(client.webhooks.list())


@pytest.mark.parametrize("key_name", ["secret", "live", "publishable", "other_team"])
def test_the_line_names_team_and_address_and_not_the_key(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str], key_name: str
) -> None:
    """Of the key it shows the prefix."""
    key = sandbox.keys[key_name]
    with cx.connect(key, base_url=sandbox.base_url) as client:
        printed = capsys.readouterr()
        prefix = str(key).rstrip("•")
        assert ("", 1) == (printed.err, len(printed.out.splitlines()))
        assert [True] * 3 == [part in printed.out for part in (client.team_id, sandbox.base_url, prefix)]
        assert key.reveal() not in printed.out
        assert key.reveal().removeprefix(prefix) not in printed.out


def test_the_line_reports_live_keys_and_read_only_clients(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both on the line of a live key."""
    cx.connect(sandbox.keys["live"], base_url=sandbox.base_url).close()
    cx.connect(sandbox.key, base_url=sandbox.base_url).close()
    live, test = capsys.readouterr().out.splitlines()
    assert (True, True, False) == ("LIVE" in live, "read-only" in live, "LIVE" in test)


def test_the_line_does_not_report_write_access_for_a_publishable_key(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such a key cannot write, whatever `write` is."""
    for write in (None, True):
        cx.connect(sandbox.keys["publishable"], base_url=sandbox.base_url, write=write).close()
    cx.connect(sandbox.key, base_url=sandbox.base_url).close()
    assert [False, False, True] == ["read and write" in line for line in capsys.readouterr().out.splitlines()]


def test_a_team_name_in_the_line_is_printable(capsys: pytest.CaptureFixture[str]) -> None:
    """It is foreign text: no line breaks and no control characters."""
    identity = {"teamId": "tm_1", "teamName": "One\n\x1b[31mTwo\u202e", "keyType": "secret"}
    with ScriptedServer(data(identity)) as server:
        cx.connect(KEY, base_url=server.url).close()
    assert capsys.readouterr().out.removesuffix("\n").isprintable()


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_another_team_than_the_keys_is_refused(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, by: str) -> None:
    """The message names both."""
    monkeypatch.setenv("CSTAR_TEAM_ID", "team_wrong" if by == "variable" else "")
    with pytest.raises(errors.ConfigurationError, match=r"(?s)(?=.*team_wrong)(?=.*team_sandbox)"):
        cx.connect(sandbox.key, "team_wrong" if by == "argument" else None, sandbox.base_url)


@pytest.mark.parametrize("value", [None, "", "  ", "\n"])
def test_a_missing_key_is_explained(monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, value: str | None) -> None:
    """The message names the variable; nothing falls back to the sandbox."""
    if value is not None:
        monkeypatch.setenv("CSTAR_KEY", value)
    with pytest.raises(errors.ConfigurationError, match="CSTAR_KEY"):
        cx.connect(base_url=sandbox.base_url)


@pytest.mark.parametrize("around", ["{}\n", "{}\r\n", " {} "])
@pytest.mark.parametrize("by", ["argument", "variable"])
def test_white_space_around_a_key_is_trimmed(
    monkeypatch: pytest.MonkeyPatch, sandbox: cx.Sandbox, around: str, by: str
) -> None:
    """Keys are pasted or read from files."""
    value = around.format(sandbox.key.reveal())
    monkeypatch.setenv("CSTAR_KEY", value)
    with cx.connect(value if by == "argument" else None, base_url=sandbox.base_url) as client:
        assert sandbox.key == client.key


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_an_address_without_encryption_is_refused(monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """The key would be sent unencrypted."""
    if by == "variable":
        monkeypatch.setenv("CSTAR_BASE_URL", "http://www.cstar.help")
    with pytest.raises(errors.ConfigurationError, match="https"):
        cx.connect(KEY, base_url="http://www.cstar.help" if by == "argument" else None)


@pytest.mark.parametrize("key_name", ["expired", "revoked"])
def test_a_refused_key_is_an_authentication_error(
    sandbox: cx.Sandbox, capsys: pytest.CaptureFixture[str], key_name: str
) -> None:
    """Nothing is printed."""
    with pytest.raises(errors.AuthenticationError):
        cx.connect(sandbox.keys[key_name], base_url=sandbox.base_url)
    assert capsys.readouterr().out == ""


def test_an_identity_without_a_team_is_explained() -> None:
    """The message asks for the team."""
    with ScriptedServer(data({"keyType": "secret"})) as server, pytest.raises(errors.CStarError, match=r"(?i)team"):
        cx.connect(KEY, base_url=server.url)


@pytest.mark.parametrize(
    ("code", "body", "error_class"),
    [
        pytest.param(401, {"success": False, "error": "Invalid API key"}, errors.AuthenticationError, id="refused"),
        pytest.param(
            200, {"success": True, "data": {"teamId": "team_other"}}, errors.ConfigurationError, id="another team"
        ),
        pytest.param(200, {"success": True, "data": {}}, errors.ConfigurationError, id="no team"),
        pytest.param(200, {}, errors.InvalidResponseError, id="not cStar"),
    ],
)
def test_a_failed_connect_leaves_no_connection_open(
    code: int, body: dict, error_class: type[errors.CStarError]
) -> None:
    """The caller gets no client to close."""
    team = "team_1" if body.get("data") else None
    with ScriptedServer(reply(code, json.dumps(body), close=False)) as server:
        with pytest.raises(error_class) as caught:
            cx.connect(KEY, team, server.url)
        assert server.all_disconnected(5), caught.value


def test_the_timeout_is_that_of_each_attempt() -> None:
    """A server that never answers is a timeout."""
    with ScriptedServer(*[silence()] * 4) as server, pytest.raises(errors.ResponseTimeoutError):
        cx.connect(KEY, base_url=server.url, timeout=0.05)


def test_each_retry_wait_is_logged_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is printed to stdout."""
    with pytest.raises(errors.UnreachableError):
        cx.connect(KEY, base_url=f"http://127.0.0.1:{closed_port()}")
    printed = capsys.readouterr()

    assert [True] * 3 == [line.startswith("Retrying in ") for line in printed.err.splitlines()]
    assert "" == printed.out
