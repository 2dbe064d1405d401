"""The accounts table: validation, error messages, and where keys are read. No key is ever shown."""

import copy
import json
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from tests.support.sampling import examples
from tests.support.scripted_server import ScriptedServer, data

RANDOM = "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
LIVE = "sk_live_" + RANDOM
TEST = "sk_test_" + RANDOM
PUBLISHABLE = "pk_live_" + RANDOM
REFUSALS = (errors.ConfigurationError, errors.ValidationError)
GOOD = {"account": "Support", "team_id": "team_1", "key_env": "CSTAR_KEY_SUPPORT"}
OTHER = {"account": "North", "team_id": "team_2", "key_env": "CSTAR_KEY_NORTH"}


def table(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def csv(folder: Path, content: str | bytes) -> Path:
    path = folder / "accounts.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def shown_error(error: BaseException) -> str:
    """Everything an error shows: its text, repr and advice, and those of its causes."""
    parts = []
    current: BaseException | None = error
    while current is not None:
        parts += [str(current), repr(current), repr(getattr(current, "advice", None))]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(parts)


def refusal(source: Any) -> str:
    with pytest.raises(REFUSALS) as caught:
        cx.Accounts(source)
    return shown_error(caught.value)


# --- the sequence -----------------------------------------------------------------------------------------------------


def test_accounts_are_a_sequence_in_table_order() -> None:
    """They have a length, indexing and slicing, and each account has its fields."""
    accounts = cx.Accounts(table(GOOD, OTHER))

    assert 2 == len(accounts)
    assert ["Support", "North"] == [one.account for one in accounts]
    assert ("Support", "team_1", "CSTAR_KEY_SUPPORT") == (accounts[0].account, accounts[0].team_id, accounts[0].key_env)
    assert "North" == accounts[-1].account
    assert ["North"] == [one.account for one in accounts[1:]]
    assert accounts[1] in accounts
    with pytest.raises(IndexError):
        _ = accounts[2]


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        pytest.param({}, "https://www.cstar.help", id="missing"),
        pytest.param({"base_url": "https://eu.cstar.example"}, "https://eu.cstar.example", id="other host"),
        pytest.param({"base_url": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000", id="loopback"),
    ],
)
def test_base_url_defaults_to_cstar(extra: dict[str, str], expected: str) -> None:
    """The column is optional."""
    assert expected == cx.Accounts(table(GOOD | extra))[0].base_url


def test_a_csv_file_gives_the_same_accounts_as_a_frame(tmp_path: Path) -> None:
    """The file can be given as a Path or a string."""
    path = csv(tmp_path, "account,team_id,key_env\nSupport,team_1,CSTAR_KEY_SUPPORT\nNorth,team_2,CSTAR_KEY_NORTH\n")

    assert list(cx.Accounts(table(GOOD, OTHER))) == list(cx.Accounts(path)) == list(cx.Accounts(str(path)))


@pytest.mark.parametrize("name", ["NA", "null", "None", "007", "1e5", "true", "N/A", "-", "Müller & Söhne", "会社"])
def test_names_in_a_csv_file_are_not_converted(tmp_path: Path, name: str) -> None:
    """No name is parsed as a number, a boolean or a missing value."""
    path = csv(tmp_path, f"account,team_id,key_env\n{name},{name},CSTAR_KEY\n")

    assert (name, name) == (cx.Accounts(path)[0].account, cx.Accounts(path)[0].team_id)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            b"\xef\xbb\xbfaccount,team_id,key_env\r\nSupport,team_1,CSTAR_KEY_SUPPORT\r\n", id="byte order mark"
        ),
        pytest.param(b'"account","team_id","key_env"\n"Support","team_1","CSTAR_KEY_SUPPORT"\n', id="quoted"),
        pytest.param(b"key_env,account,team_id\nCSTAR_KEY_SUPPORT,Support,team_1\n", id="column order"),
        pytest.param(b"account,team_id,key_env\nSupport,team_1,CSTAR_KEY_SUPPORT", id="no trailing newline"),
        pytest.param(b"account,team_id,key_env\n\nSupport,team_1,CSTAR_KEY_SUPPORT\n\n", id="blank lines"),
    ],
)
def test_common_csv_variants_are_accepted(tmp_path: Path, content: bytes) -> None:
    """Byte order mark, quotes, column order and blank lines do not matter."""
    assert list(cx.Accounts(table(GOOD))) == list(cx.Accounts(csv(tmp_path, content)))


def test_later_changes_to_the_table_have_no_effect() -> None:
    """The accounts are copied when they are created."""
    source = table(GOOD)
    accounts = cx.Accounts(source)
    source.loc[0, "team_id"] = "team_9"

    assert "team_1" == accounts[0].team_id


def test_the_table_is_not_modified() -> None:
    """The caller keeps an unchanged frame."""
    source = table(GOOD, OTHER | {"base_url": None})
    before = source.copy()
    cx.Accounts(source)

    pd.testing.assert_frame_equal(before, source)


def test_the_index_of_the_frame_is_ignored() -> None:
    """A filtered or joined frame may have any index."""
    source = table(GOOD, OTHER)
    source.index = pd.Index(["same", "same"])

    assert list(cx.Accounts(table(GOOD, OTHER))) == list(cx.Accounts(source))


# --- invalid tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["account", "team_id", "key_env"])
@pytest.mark.parametrize("as_file", [False, True], ids=["frame", "file"])
def test_a_missing_column_is_named(tmp_path: Path, column: str, as_file: bool) -> None:
    """All three columns are required."""
    source = table(GOOD).drop(columns=column)
    if as_file:
        path = tmp_path / "accounts.csv"
        source.to_csv(path, index=False)
        assert column in refusal(path)
    else:
        assert column in refusal(source)


@pytest.mark.parametrize("column", ["team", "Account", "url", "keys_env", "Unnamed: 0"])
def test_an_unknown_column_is_named(column: str) -> None:
    """It may be a misspelled column."""
    assert column in refusal(table(GOOD | {column: "x"}))


@pytest.mark.parametrize("column", ["account", "team_id", "key_env"])
@pytest.mark.parametrize(
    "blank",
    [
        pytest.param("", id="empty"),
        pytest.param("  \t", id="spaces"),
        pytest.param(None, id="None"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param(pd.NA, id="NA"),
    ],
)
def test_a_blank_cell_is_named_by_row_and_column(column: str, blank: Any) -> None:
    """Rows count from 1."""
    message = refusal(table(GOOD, OTHER, {"account": "Lab", "team_id": "t", "key_env": "K"} | {column: blank}))

    assert "row 3" in message
    assert column in message


def test_a_blank_cell_in_a_file_is_named_by_row_and_column(tmp_path: Path) -> None:
    """The header line is not counted."""
    message = refusal(csv(tmp_path, "account,team_id,key_env\nA,team_1,K1\nB,,K2\n"))

    assert "row 2" in message
    assert "team_id" in message


@pytest.mark.parametrize("name", ["Support", " Support", "Support "])
def test_two_accounts_with_the_same_name_are_refused(name: str) -> None:
    """A finding could not be assigned to either."""
    message = refusal(table(GOOD, OTHER, {"account": name, "team_id": "team_3", "key_env": "K"}))

    assert "row 3" in message
    assert "Support" in message


@pytest.mark.parametrize("name", ["1KEY", "MY-KEY", "MY KEY", "$KEY", "KÉY", "${KEY}", "A=B", "KEY;", "KEY\nB", "٣"])
def test_an_invalid_variable_name_is_named(name: str) -> None:
    """The error gives the row and the name."""
    message = refusal(table(GOOD, OTHER | {"key_env": name}))

    assert "row 2" in message
    assert name.split("\n", maxsplit=1)[0] in message


@pytest.mark.parametrize("name", ["K", "_", "_key", "cstar_key_2", "CSTAR_KEY", "sk", "SKI_LIVE_KEY", "disk_test_key"])
def test_any_valid_variable_name_is_accepted(name: str) -> None:
    """Letters, digits and underscores, not starting with a digit."""
    assert name == cx.Accounts(table(GOOD | {"key_env": name}))[0].key_env


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(LIVE, id="secret live"),
        pytest.param(TEST, id="secret test"),
        pytest.param(PUBLISHABLE, id="publishable"),
        pytest.param(f"Bearer {LIVE}", id="with Bearer"),
        pytest.param(f" {LIVE} ", id="with spaces"),
        pytest.param(f"'{LIVE}'", id="in quotes"),
        pytest.param("sk_live_short", id="short"),
    ],
)
@pytest.mark.parametrize("as_file", [False, True], ids=["frame", "file"])
def test_a_key_instead_of_a_variable_name_is_refused_and_not_shown(tmp_path: Path, key: str, as_file: bool) -> None:
    """The error gives the row, but not the value."""
    source: Any = table(GOOD, OTHER | {"key_env": key})
    if as_file:
        source.to_csv(tmp_path / "accounts.csv", index=False)
        source = tmp_path / "accounts.csv"
    message = refusal(source)

    assert "row 2" in message
    assert key.strip(" '").removeprefix("Bearer ")[8:] not in message


@pytest.mark.parametrize("column", ["account", "team_id", "base_url"])
def test_a_key_in_another_column_is_not_shown(column: str) -> None:
    """Columns are easily swapped. Accepted or refused, the key is masked."""
    try:
        accounts = cx.Accounts(table(GOOD | {column: LIVE}))
    except REFUSALS as error:
        shown = shown_error(error)
    else:
        shown = repr(accounts) + repr(list(accounts)) + str(accounts[0])

    assert RANDOM not in shown


def test_a_key_as_a_column_name_is_not_shown(tmp_path: Path) -> None:
    """For example in a file without a header line."""
    message = refusal(table(GOOD | {LIVE: "x"}))
    message += refusal(csv(tmp_path, f"account,team_id,{LIVE}\nA,team_1,K1\n"))
    message += refusal(csv(tmp_path, f"Support,team_1,{LIVE}\nNorth,team_2,K1\n"))

    assert RANDOM not in message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"account,team_id,key_env\nA,team_1,{LIVE},more\n", id="extra cell"),
        pytest.param(f"account,team_id,key_env\n{LIVE}\n", id="missing cells"),
        pytest.param(f'account,team_id,key_env\nA,team_1,"{LIVE}\n', id="unclosed quote"),
        pytest.param(f"account,team_id,key_env\nA,team_1,{LIVE}\0\n", id="null byte"),
        pytest.param(b"account,team_id,key_env\nA\xff,team_1," + LIVE.encode() + b"\n", id="not UTF-8"),
        pytest.param(f"account;team_id;key_env\nA;team_1;{LIVE}\n", id="semicolons"),
        pytest.param(f"account\tteam_id\tkey_env\nA\tteam_1\t{LIVE}\n", id="tabs"),
        pytest.param(f"[{{'account': 'A', 'key': '{LIVE}'}}]", id="not CSV"),
    ],
)
def test_errors_about_an_invalid_file_do_not_show_its_key(tmp_path: Path, content: str | bytes) -> None:
    """Whatever is wrong with the file."""
    assert RANDOM not in refusal(csv(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n\n", id="blank lines"),
        pytest.param(b"\0" * 100, id="null bytes"),
        pytest.param(b"account,team_id,key_env\n\xff\xfe,team_1,K\n", id="not UTF-8"),
        pytest.param(b"account,team_id,key_env\nA,team_1\n", id="short row"),
        pytest.param(b"account,team_id,key_env\nA,team_1,K,more\n", id="long row"),
        pytest.param(b'account,team_id,key_env\nA,"team_1,K\n', id="unclosed quote"),
        pytest.param(b"account,account,team_id,key_env\nA,B,team_1,K\n", id="duplicate column"),
        pytest.param(b'account,team_id,key_env\n"' + b"x" * 300_000 + b'",team_1,\n', id="huge cell"),
    ],
)
def test_a_file_that_is_not_a_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """The error is the package's own, not a parser's."""
    assert refusal(csv(tmp_path, content)).strip()


@pytest.mark.parametrize("name", [".", "missing.csv"])
def test_an_unreadable_file_is_named(tmp_path: Path, name: str) -> None:
    """A folder or a missing file."""
    path = tmp_path / name

    assert str(path) in refusal(path)


def test_a_duplicate_column_is_refused() -> None:
    """It would be ambiguous."""
    source = pd.DataFrame([["A", "team_1", "K", "B"]], columns=["account", "team_id", "key_env", "account"])

    assert "Two columns have the same name" in refusal(source)


@pytest.mark.parametrize(
    "source", [pytest.param(None, id="None"), pytest.param([GOOD], id="a list"), pytest.param(7, id="a number")]
)
def test_a_source_of_the_wrong_type_is_refused(source: Any) -> None:
    """The error is readable, not an AttributeError from inside."""
    with pytest.raises((*REFUSALS, TypeError)) as caught:
        cx.Accounts(source)

    assert "attribute" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://cstar.example", id="plain http"),
        pytest.param("nonsense", id="not a URL"),
        pytest.param("ftp://cstar.example", id="other scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://ada:hunter2-Rosebud@cstar.example", id="a password"),
        pytest.param("https://cstar.example/?token=hunter2-Rosebud", id="a token"),
    ],
)
def test_an_invalid_base_url_is_refused_with_its_row(url: str) -> None:
    """Nothing is sent, and the error does not show secrets of the URL."""
    message = refusal(table(GOOD, OTHER | {"base_url": url}))

    assert "row 2" in message
    assert "Rosebud" not in message


def test_control_characters_are_escaped_in_errors_and_reprs() -> None:
    """None of them reaches the terminal."""
    hostile = "A\x1b[2J\x07\u202eB"
    shown = refusal(table(GOOD | {"account": hostile}, OTHER | {"account": hostile}))
    shown += refusal(table(GOOD | {hostile: "x"})) + refusal(table(GOOD | {"key_env": hostile}))
    accounts = cx.Accounts(table(GOOD | {"account": hostile}))
    shown += repr(accounts) + str(accounts) + repr(accounts[0])

    assert [] == [character for character in "\x1b\x07\u202e" if character in shown]


CELLS = st.one_of(st.text(max_size=12), st.none(), st.integers(), st.floats(), st.booleans(), st.just(LIVE))


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"account": CELLS, "team_id": st.text(max_size=9), "key_env": CELLS}, optional={"base_url": CELLS}
        ),
        max_size=4,
    )
)
def test_any_table_is_accepted_or_refused_with_a_readable_error(rows: list[dict[str, Any]]) -> None:
    """Each accepted account has all its fields, a unique name and a valid variable name."""
    source = pd.DataFrame(rows, columns=None if rows else ["account", "team_id", "key_env"])
    try:
        accounts = cx.Accounts(source)
    except REFUSALS as error:
        assert str(error)  # noqa: PT017
    else:
        assert len(rows) == len(accounts)
        assert len(rows) == len({one.account for one in accounts})
        assert all(one.account.strip() and one.team_id.strip() and one.key_env.isidentifier() for one in accounts)
        assert LIVE not in [one.key_env for one in accounts]


# --- keys -------------------------------------------------------------------------------------------------------------


ITEM = {
    "id": "whk_1",
    "name": "Desk",
    "url": "https://desk.shop.example/x",
    "events": ["ticket.created"],
    "isActive": True,
    "createdAt": "2025-12-01T10:00:00Z",
}


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer(*[data([ITEM])] * 20) as server:
        yield server


def keys(server: ScriptedServer) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]


def shown(audited: Any) -> str:
    parts = [repr(audited), str(audited), audited._repr_html_(), audited.to_json(), audited.to_html(), *audited.notes]
    parts += [audited.accounts.to_csv(), audited.webhooks.to_csv(), audited.to_frame().to_csv(), audited.summary()]
    return "\n".join(parts)


@pytest.mark.usefixtures("without_charts")
def test_the_key_is_read_from_the_environment_when_the_audit_runs(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that changed after the table was read is used."""
    accounts = cx.Accounts(table(GOOD | {"base_url": server.url}))
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", TEST)
    first = cx.audit(accounts)
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    second = cx.audit(accounts)

    assert [TEST, LIVE] == keys(server)
    assert ["sandbox", "live"] == [first.accounts["environment"][0], second.accounts["environment"][0]]
    assert RANDOM not in shown(first) + shown(second)


def test_each_account_is_fetched_with_its_own_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when accounts share connections."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", TEST)
    monkeypatch.setenv("CSTAR_KEY_NORTH", LIVE)
    cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)), at_once=1)

    sent = {request.path: request.headers["authorization"] for request in server.requests}
    assert {
        "/api/v1/teams/team_1/webhooks": f"Bearer {TEST}",
        "/api/v1/teams/team_2/webhooks": f"Bearer {LIVE}",
    } == sent


@pytest.mark.usefixtures("without_charts")
@pytest.mark.parametrize(
    ("value", "variable"),
    [
        pytest.param(None, "CSTAR_KEY_SUPPORT", id="not set"),
        pytest.param("", "CSTAR_KEY_SUPPORT", id="empty"),
        pytest.param("  ", "CSTAR_KEY_SUPPORT", id="blank"),
        pytest.param("sk_live_" + RANDOM + "\nX-Evil: 1", "", id="newline"),
        pytest.param("sk_live_" + RANDOM + "é", "", id="not ASCII"),
    ],
)
def test_an_account_with_an_invalid_key_fails_alone(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, value: str | None, variable: str
) -> None:
    """The error names the variable, and nothing is sent for the account."""
    if value is not None:
        monkeypatch.setenv("CSTAR_KEY_SUPPORT", value)
    monkeypatch.setenv("CSTAR_KEY_NORTH", LIVE)
    audited = cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)))

    assert ["failed", "read"] == audited.accounts["state"].tolist()
    assert variable in audited.accounts["error"][0]
    assert not audited.complete
    assert [LIVE] == keys(server)
    assert RANDOM not in shown(audited)


def test_a_rejected_key_is_reported_by_its_variable_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """With many accounts, the user must know which key to replace."""
    with cx.Sandbox() as sandbox:
        monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
        audited = cx.audit(cx.Accounts(table(GOOD | {"team_id": sandbox.team_id, "base_url": sandbox.base_url})))

    assert ["failed"] == audited.accounts["state"].tolist()
    assert "CSTAR_KEY_SUPPORT" in audited.accounts["error"][0]
    assert RANDOM not in shown(audited)


@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(lambda accounts: pickle.loads(pickle.dumps(accounts)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_pickled_and_copied_accounts_contain_no_keys(monkeypatch: pytest.MonkeyPatch, copied: Any) -> None:
    """A worker reads the key from its own environment."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    accounts = cx.Accounts(table(GOOD, OTHER))

    assert list(accounts) == list(copied(accounts))
    assert RANDOM.encode() not in pickle.dumps(accounts) + pickle.dumps(accounts[0])
    assert RANDOM not in repr(accounts) + repr(accounts[0]) + json.dumps(str(vars(accounts)))


def test_the_key_is_read_in_the_process_that_sends_the_request(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker process keeps its own environment, whatever changes in this one."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert os.getpid() != pool.submit(os.getpid).result()
        monkeypatch.delenv("CSTAR_KEY_SUPPORT")
        monkeypatch.setenv("CSTAR_KEY_NORTH", TEST)
        audited = cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)), executor=pool)

    assert ["read", "failed"] == audited.accounts["state"].tolist()
    assert "CSTAR_KEY_NORTH" in audited.accounts["error"][1]
    assert [LIVE] == keys(server)


def reject_quoting_key(connection: Any, received: Any) -> bool:
    """A 401 response that repeats the key it was sent."""
    key = received.headers["authorization"]
    content = json.dumps({"success": False, "error": {"code": key, "message": f"No: {key}", "param": key}}).encode()
    head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)
    return True


@pytest.mark.usefixtures("without_charts")
def test_a_key_repeated_in_an_error_response_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of the account is shown without its key."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    with ScriptedServer(reject_quoting_key) as server:
        audited = cx.audit(cx.Accounts(table(GOOD | {"base_url": server.url})))

    assert ["failed"] == audited.accounts["state"].tolist()
    assert RANDOM not in shown(audited)


@pytest.mark.usefixtures("without_charts")
def test_a_key_in_a_webhook_name_is_masked_in_baseline_and_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are shared with other people."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    response = data([ITEM | {"name": f"Desk {LIVE}", "url": f"https://desk.shop.example/{LIVE}", "events": []}])
    with ScriptedServer(response) as server:
        audited = cx.audit(cx.Accounts(table(GOOD | {"base_url": server.url})))

    assert ["read"] == audited.accounts["state"].tolist()
    assert RANDOM not in audited.to_json()
    assert RANDOM not in audited.to_html()


# --- what may be sent where -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_charts")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("FALSE/cloud+secret/of/a/test0123456789ab", id="cloud secret"),
        pytest.param("/home/ada", id="path"),
        pytest.param("ghp_" + RANDOM, id="key of another service"),
        pytest.param("sk_" + RANDOM, id="no environment"),
        pytest.param("sk_prod_" + RANDOM, id="unknown environment"),
        pytest.param("rk_live_" + RANDOM, id="unknown kind"),
        pytest.param("x sk_live_" + RANDOM, id="text before"),
        pytest.param("sk_live_" + RANDOM + "/../x", id="other characters"),
        pytest.param("whsec_" + RANDOM, id="signing secret"),
    ],
)
def test_only_values_in_the_form_of_a_key_are_sent(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """The table of someone else may name any variable."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", value)
    audited = cx.audit(cx.Accounts(table(GOOD | {"key_env": "AWS_SECRET_ACCESS_KEY", "base_url": server.url})))

    assert [] == server.requests
    assert ["failed"] == audited.accounts["state"].tolist()
    assert "AWS_SECRET_ACCESS_KEY" in audited.accounts["error"][0]
    assert value not in shown(audited)


@pytest.mark.parametrize("prefix", ["sk_live_", "sk_test_", "pk_live_", "pk_test_"])
def test_every_published_form_of_a_key_is_sent(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    """Surrounded by white space, as a shell may leave it."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", f" {prefix}{RANDOM}\n")
    cx.audit(cx.Accounts(table(GOOD | {"base_url": server.url})))

    assert [prefix + RANDOM] == keys(server)


HOSTS = [
    "https://cstar.example.com",
    "https://www.cstar.help.example.com",
    "https://evil-www.cstar.help",
    "https://cstar.help.",
    "https://192.0.2.7",
    "https://localhost.example.com",
    "https://[2001:db8::1]",
]


@pytest.mark.parametrize("url", HOSTS)
@pytest.mark.parametrize("allowed", [(), ["other.example.com"], "example.com"], ids=["none", "another", "its parent"])
def test_a_table_cannot_choose_the_host(monkeypatch: pytest.MonkeyPatch, url: str, allowed: Any) -> None:
    """The audit is refused before any account is fetched."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    monkeypatch.setattr("cstar_explore.audits.fetching.fetch_account", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.audit(cx.Accounts(table(GOOD, OTHER | {"base_url": url})), allow_hosts=allowed)

    assert "Row 2" in caught.value.message
    assert "allow_hosts" in str(caught.value.advice)
    assert RANDOM not in shown_error(caught.value)


@pytest.mark.parametrize("url", HOSTS)
@pytest.mark.parametrize("where", ["audit", "Accounts"])
def test_the_caller_can_allow_a_host(url: str, where: str) -> None:
    """In either call, in any case and with or without brackets. Ports and paths do not matter."""
    host = url.removeprefix("https://").upper()
    rows = table(GOOD | {"base_url": f"{url}:8443/cstar"})
    if where == "audit":
        cx.Accounts(rows).check_hosts([host])
    else:
        cx.Accounts(rows, allow_hosts=[host]).check_hosts()


@pytest.mark.parametrize("url", ["https://www.cstar.help", "http://127.0.0.1:9", "http://localhost:9", "https://[::1]"])
def test_cstar_and_loopback_need_no_permission(url: str) -> None:
    """The sandbox is on loopback."""
    cx.Accounts(table(GOOD | {"base_url": url})).check_hosts()


@pytest.mark.parametrize("hosts", [["https://a.example"], ["a.example/x"], [""], [7], [None], ["a b"], ["*"]])
def test_an_invalid_allowed_host_is_refused(hosts: Any) -> None:
    """A URL or a pattern is not a host."""
    with pytest.raises(errors.ConfigurationError):
        cx.Accounts(table(GOOD), allow_hosts=hosts)
