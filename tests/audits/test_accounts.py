"""Tables of accounts: what is refused and how it is named, that no key is shown, and where a key is looked up."""

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


def told(error: BaseException) -> str:
    """All that a person may see of an error, with what it came from."""
    parts = []
    link: BaseException | None = error
    while link is not None:
        parts += [str(link), repr(link), repr(getattr(link, "advice", None))]
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return "\n".join(parts)


def refused(source: Any) -> str:
    with pytest.raises(REFUSALS) as caught:
        cx.Accounts(source)
    return told(caught.value)


# --- what it is -------------------------------------------------------------------------------------------------------


def test_accounts_are_a_sequence_in_the_order_of_the_table() -> None:
    """With a length, an index, a slice of them, and the fields by name."""
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
    ("told_url", "expected"),
    [
        pytest.param({}, "https://www.cstar.help", id="no column"),
        pytest.param({"base_url": "https://eu.cstar.example"}, "https://eu.cstar.example", id="its own"),
        pytest.param({"base_url": "http://127.0.0.1:8000"}, "http://127.0.0.1:8000", id="this machine"),
    ],
)
def test_the_address_is_cstars_unless_told_otherwise(told_url: dict[str, str], expected: str) -> None:
    """The column may be left out."""
    assert expected == cx.Accounts(table(GOOD | told_url))[0].base_url


def test_a_file_tells_the_same_as_a_frame(tmp_path: Path) -> None:
    """Named by a Path or by its name."""
    path = csv(tmp_path, "account,team_id,key_env\nSupport,team_1,CSTAR_KEY_SUPPORT\nNorth,team_2,CSTAR_KEY_NORTH\n")

    assert list(cx.Accounts(table(GOOD, OTHER))) == list(cx.Accounts(path)) == list(cx.Accounts(str(path)))


@pytest.mark.parametrize("name", ["NA", "null", "None", "007", "1e5", "true", "N/A", "-", "Müller & Söhne", "会社"])
def test_a_name_in_a_file_is_kept_to_the_letter(tmp_path: Path, name: str) -> None:
    """No name is taken for a number or for nothing."""
    path = csv(tmp_path, f"account,team_id,key_env\n{name},{name},CSTAR_KEY\n")

    assert (name, name) == (cx.Accounts(path)[0].account, cx.Accounts(path)[0].team_id)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbfaccount,team_id,key_env\r\nSupport,team_1,CSTAR_KEY_SUPPORT\r\n", id="spreadsheet"),
        pytest.param(b'"account","team_id","key_env"\n"Support","team_1","CSTAR_KEY_SUPPORT"\n', id="quoted"),
        pytest.param(b"key_env,account,team_id\nCSTAR_KEY_SUPPORT,Support,team_1\n", id="another order"),
        pytest.param(b"account,team_id,key_env\nSupport,team_1,CSTAR_KEY_SUPPORT", id="no last line end"),
        pytest.param(b"account,team_id,key_env\n\nSupport,team_1,CSTAR_KEY_SUPPORT\n\n", id="blank lines"),
    ],
)
def test_usual_ways_to_write_a_file_are_understood(tmp_path: Path, content: bytes) -> None:
    """Whatever program wrote it."""
    assert list(cx.Accounts(table(GOOD))) == list(cx.Accounts(csv(tmp_path, content)))


def test_the_table_may_change_afterwards() -> None:
    """The accounts are those of the moment."""
    source = table(GOOD)
    accounts = cx.Accounts(source)
    source.loc[0, "team_id"] = "team_9"

    assert "team_1" == accounts[0].team_id


def test_the_table_is_left_as_it_is() -> None:
    """Nothing is added to it."""
    source = table(GOOD, OTHER | {"base_url": None})
    before = source.copy()
    cx.Accounts(source)

    pd.testing.assert_frame_equal(before, source)


def test_an_odd_index_changes_nothing() -> None:
    """A frame that was filtered or joined has any index."""
    source = table(GOOD, OTHER)
    source.index = pd.Index(["same", "same"])

    assert list(cx.Accounts(table(GOOD, OTHER))) == list(cx.Accounts(source))


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["account", "team_id", "key_env"])
@pytest.mark.parametrize("as_file", [False, True], ids=["frame", "file"])
def test_a_missing_column_is_named(tmp_path: Path, column: str, as_file: bool) -> None:
    """None of the three can be guessed."""
    source = table(GOOD).drop(columns=column)
    if as_file:
        path = tmp_path / "accounts.csv"
        source.to_csv(path, index=False)
        assert column in refused(path)
    else:
        assert column in refused(source)


@pytest.mark.parametrize("column", ["team", "Account", "url", "keys_env", "Unnamed: 0"])
def test_an_unknown_column_is_named(column: str) -> None:
    """It is somebody's mistake, perhaps in the name of another."""
    assert column in refused(table(GOOD | {column: "x"}))


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
    """Rows are counted from 1."""
    message = refused(table(GOOD, OTHER, {"account": "Lab", "team_id": "t", "key_env": "K"} | {column: blank}))

    assert "row 3" in message
    assert column in message


def test_a_blank_cell_of_a_file_is_named_by_row_and_column(tmp_path: Path) -> None:
    """The line of names is not counted."""
    message = refused(csv(tmp_path, "account,team_id,key_env\nA,team_1,K1\nB,,K2\n"))

    assert "row 2" in message
    assert "team_id" in message


@pytest.mark.parametrize("name", ["Support", " Support", "Support "])
def test_two_rows_of_one_name_are_refused(name: str) -> None:
    """A finding could not be told to belong to either."""
    message = refused(table(GOOD, OTHER, {"account": name, "team_id": "team_3", "key_env": "K"}))

    assert "row 3" in message
    assert "Support" in message


@pytest.mark.parametrize("name", ["1KEY", "MY-KEY", "MY KEY", "$KEY", "KÉY", "${KEY}", "A=B", "KEY;", "KEY\nB", "٣"])
def test_what_is_no_name_of_a_variable_is_named(name: str) -> None:
    """With its row."""
    message = refused(table(GOOD, OTHER | {"key_env": name}))

    assert "row 2" in message
    assert name.split("\n", maxsplit=1)[0] in message


@pytest.mark.parametrize("name", ["K", "_", "_key", "cstar_key_2", "CSTAR_KEY", "sk", "SKI_LIVE_KEY", "disk_test_key"])
def test_any_name_of_a_variable_is_accepted(name: str) -> None:
    """Letters, digits and underscores, not starting with a digit."""
    assert name == cx.Accounts(table(GOOD | {"key_env": name}))[0].key_env


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(LIVE, id="secret live"),
        pytest.param(TEST, id="secret test"),
        pytest.param(PUBLISHABLE, id="publishable"),
        pytest.param(f"Bearer {LIVE}", id="with a scheme"),
        pytest.param(f" {LIVE} ", id="with spaces"),
        pytest.param(f"'{LIVE}'", id="in quotes"),
        pytest.param("sk_live_short", id="short"),
    ],
)
@pytest.mark.parametrize("as_file", [False, True], ids=["frame", "file"])
def test_a_key_in_place_of_a_name_is_refused_and_not_shown(tmp_path: Path, key: str, as_file: bool) -> None:
    """The row is named, the value is not."""
    source: Any = table(GOOD, OTHER | {"key_env": key})
    if as_file:
        source.to_csv(tmp_path / "accounts.csv", index=False)
        source = tmp_path / "accounts.csv"
    message = refused(source)

    assert "row 2" in message
    assert key.strip(" '").removeprefix("Bearer ")[8:] not in message


@pytest.mark.parametrize("column", ["account", "team_id", "base_url"])
def test_a_key_in_another_cell_is_not_shown(column: str) -> None:
    """Cells are swapped easily; whether it is refused or kept, it is masked."""
    try:
        accounts = cx.Accounts(table(GOOD | {column: LIVE}))
    except REFUSALS as error:
        shown = told(error)
    else:
        shown = repr(accounts) + repr(list(accounts)) + str(accounts[0])

    assert RANDOM not in shown


def test_a_key_as_the_name_of_a_column_is_not_shown(tmp_path: Path) -> None:
    """As in a file whose first line is an account already."""
    message = refused(table(GOOD | {LIVE: "x"}))
    message += refused(csv(tmp_path, f"account,team_id,{LIVE}\nA,team_1,K1\n"))
    message += refused(csv(tmp_path, f"Support,team_1,{LIVE}\nNorth,team_2,K1\n"))

    assert RANDOM not in message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"account,team_id,key_env\nA,team_1,{LIVE},more\n", id="too long"),
        pytest.param(f"account,team_id,key_env\n{LIVE}\n", id="too short"),
        pytest.param(f'account,team_id,key_env\nA,team_1,"{LIVE}\n', id="open quote"),
        pytest.param(f"account,team_id,key_env\nA,team_1,{LIVE}\0\n", id="a zero byte"),
        pytest.param(b"account,team_id,key_env\nA\xff,team_1," + LIVE.encode() + b"\n", id="no UTF-8"),
        pytest.param(f"account;team_id;key_env\nA;team_1;{LIVE}\n", id="semicolons"),
        pytest.param(f"account\tteam_id\tkey_env\nA\tteam_1\t{LIVE}\n", id="tabs"),
        pytest.param(f"[{{'account': 'A', 'key': '{LIVE}'}}]", id="no CSV"),
    ],
)
def test_a_broken_file_with_a_key_in_it_shows_no_key(tmp_path: Path, content: str | bytes) -> None:
    """Whatever is wrong with it."""
    assert RANDOM not in refused(csv(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n\n", id="blank lines"),
        pytest.param(b"\0" * 100, id="zero bytes"),
        pytest.param(b"account,team_id,key_env\n\xff\xfe,team_1,K\n", id="no UTF-8"),
        pytest.param(b"account,team_id,key_env\nA,team_1\n", id="too short a row"),
        pytest.param(b"account,team_id,key_env\nA,team_1,K,more\n", id="too long a row"),
        pytest.param(b'account,team_id,key_env\nA,"team_1,K\n', id="open quote"),
        pytest.param(b"account,account,team_id,key_env\nA,B,team_1,K\n", id="a column twice"),
        pytest.param(b'account,team_id,key_env\n"' + b"x" * 300_000 + b'",team_1,\n', id="a huge cell"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    """By our own error, never by a parser's."""
    assert refused(csv(tmp_path, content)).strip()


@pytest.mark.parametrize("name", [".", "missing.csv"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """A folder, or nothing at all."""
    path = tmp_path / name

    assert str(path) in refused(path)


def test_a_column_that_is_there_twice_is_refused() -> None:
    """It cannot be known which is meant."""
    source = pd.DataFrame([["A", "team_1", "K", "B"]], columns=["account", "team_id", "key_env", "account"])

    assert "account" in refused(source)


@pytest.mark.parametrize(
    "source", [pytest.param(None, id="None"), pytest.param([GOOD], id="a list"), pytest.param(7, id="a number")]
)
def test_a_source_of_another_type_is_refused(source: Any) -> None:
    """By our own error, or a TypeError, in words."""
    with pytest.raises((*REFUSALS, TypeError)) as caught:
        cx.Accounts(source)

    assert "attribute" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://cstar.example", id="plain http"),
        pytest.param("nonsense", id="no URL"),
        pytest.param("ftp://cstar.example", id="another scheme"),
        pytest.param("https://", id="no host"),
        pytest.param("https://ada:hunter2-Rosebud@cstar.example", id="a password"),
        pytest.param("https://cstar.example/?token=hunter2-Rosebud", id="a token"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_with_its_row(url: str) -> None:
    """Before anything is sent anywhere, and without its secrets."""
    message = refused(table(GOOD, OTHER | {"base_url": url}))

    assert "row 2" in message
    assert "Rosebud" not in message


def test_hostile_text_is_told_as_text() -> None:
    """No control character reaches the terminal, in a refusal or in the repr."""
    hostile = "A\x1b[2J\x07\u202eB"
    shown = refused(table(GOOD | {"account": hostile}, OTHER | {"account": hostile}))
    shown += refused(table(GOOD | {hostile: "x"})) + refused(table(GOOD | {"key_env": hostile}))
    accounts = cx.Accounts(table(GOOD | {"account": hostile}))
    shown += repr(accounts) + str(accounts) + repr(accounts[0])

    assert [] == [character for character in "\x1b\x07\u202e" if character in shown]


CELLS = st.one_of(st.text(max_size=12), st.none(), st.integers(), st.floats(), st.booleans(), st.just(LIVE))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {"account": CELLS, "team_id": st.text(max_size=9), "key_env": CELLS}, optional={"base_url": CELLS}
        ),
        max_size=4,
    )
)
def test_any_table_is_accepted_or_refused_in_words(rows: list[dict[str, Any]]) -> None:
    """Every account that is accepted has its three cells, its own name, and a variable that may exist."""
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


# --- where the key is -------------------------------------------------------------------------------------------------


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


def test_a_variable_is_looked_up_when_the_audit_runs(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when the table is read; a key that was changed meanwhile is the new one."""
    accounts = cx.Accounts(table(GOOD | {"base_url": server.url}))
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", TEST)
    first = cx.audit(accounts)
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    second = cx.audit(accounts)

    assert [TEST, LIVE] == keys(server)
    assert ["sandbox", "live"] == [first.accounts["environment"][0], second.accounts["environment"][0]]
    assert RANDOM not in shown(first) + shown(second)


def test_each_account_is_asked_for_with_its_own_key(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where connections are shared."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", TEST)
    monkeypatch.setenv("CSTAR_KEY_NORTH", LIVE)
    cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)), at_once=1)

    asked = {request.path: request.headers["authorization"] for request in server.requests}
    assert {
        "/api/v1/teams/team_1/webhooks": f"Bearer {TEST}",
        "/api/v1/teams/team_2/webhooks": f"Bearer {LIVE}",
    } == asked


@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param(None, "CSTAR_KEY_SUPPORT", id="not set"),
        pytest.param("", "CSTAR_KEY_SUPPORT", id="empty"),
        pytest.param("  ", "CSTAR_KEY_SUPPORT", id="blank"),
        pytest.param("sk_live_" + RANDOM + "\nX-Evil: 1", "", id="two lines"),
        pytest.param("sk_live_" + RANDOM + "é", "", id="no ASCII"),
    ],
)
def test_an_account_whose_key_cannot_be_used_fails_alone(
    server: ScriptedServer, monkeypatch: pytest.MonkeyPatch, value: str | None, named: str
) -> None:
    """It says which variable, and nothing is sent for it."""
    if value is not None:
        monkeypatch.setenv("CSTAR_KEY_SUPPORT", value)
    monkeypatch.setenv("CSTAR_KEY_NORTH", LIVE)
    audited = cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)))

    assert ["failed", "read"] == audited.accounts["state"].tolist()
    assert named in audited.accounts["error"][0]
    assert not audited.complete
    assert [LIVE] == keys(server)
    assert RANDOM not in shown(audited)


def test_a_refused_key_is_said_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """With many accounts it has to be known which one to replace."""
    with cx.Sandbox() as sandbox:
        monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
        audited = cx.audit(cx.Accounts(table(GOOD | {"team_id": sandbox.team_id, "base_url": sandbox.base_url})))

    assert ["failed"] == audited.accounts["state"].tolist()
    assert "CSTAR_KEY_SUPPORT" in audited.accounts["error"][0]
    assert RANDOM not in shown(audited)


@pytest.mark.parametrize(
    "taken_along",
    [
        pytest.param(lambda accounts: pickle.loads(pickle.dumps(accounts)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
    ],
)
def test_accounts_travel_without_keys(monkeypatch: pytest.MonkeyPatch, taken_along: Any) -> None:
    """A worker elsewhere looks the key up in its own environment."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    accounts = cx.Accounts(table(GOOD, OTHER))

    assert list(accounts) == list(taken_along(accounts))
    assert RANDOM.encode() not in pickle.dumps(accounts) + pickle.dumps(accounts[0])
    assert RANDOM not in repr(accounts) + repr(accounts[0]) + json.dumps(str(vars(accounts)))


def test_a_key_is_looked_up_where_the_call_runs(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process has its own environment: what is set here alone is not seen there, and the other way round."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert os.getpid() != pool.submit(os.getpid).result()
        monkeypatch.delenv("CSTAR_KEY_SUPPORT")
        monkeypatch.setenv("CSTAR_KEY_NORTH", TEST)
        audited = cx.audit(cx.Accounts(table(GOOD, OTHER).assign(base_url=server.url)), executor=pool)

    assert ["read", "failed"] == audited.accounts["state"].tolist()
    assert "CSTAR_KEY_NORTH" in audited.accounts["error"][1]
    assert [LIVE] == keys(server)


def quoting(connection: Any, received: Any) -> bool:
    """A refusal that repeats the key it was given."""
    key = received.headers["authorization"]
    content = json.dumps({"success": False, "error": {"code": key, "message": f"No: {key}", "param": key}}).encode()
    head = f"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    connection.sendall(head.encode() + content)
    return True


def test_a_key_that_a_refusal_repeats_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Why an account failed is told, without its key."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    with ScriptedServer(quoting) as server:
        audited = cx.audit(cx.Accounts(table(GOOD | {"base_url": server.url})))

    assert ["failed"] == audited.accounts["state"].tolist()
    assert RANDOM not in shown(audited)


def test_a_key_in_the_name_of_a_webhook_is_masked_in_what_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A baseline and a report are sent to others."""
    monkeypatch.setenv("CSTAR_KEY_SUPPORT", LIVE)
    named = data([ITEM | {"name": f"Desk {LIVE}", "url": f"https://desk.shop.example/{LIVE}", "events": []}])
    with ScriptedServer(named) as server:
        audited = cx.audit(cx.Accounts(table(GOOD | {"base_url": server.url})))

    assert ["read"] == audited.accounts["state"].tolist()
    assert RANDOM not in audited.to_json()
    assert RANDOM not in audited.to_html()
