"""Baselines: small, in order, without secrets, and compared row by row; a file that is none is refused in words."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import ScriptedServer, data, status

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)
COLUMNS = ["account", "what", "id", "name", "field", "before", "after"]
KINDS = {"added", "removed", "changed", "new finding", "resolved finding", "not compared"}
PASSWORD = "hunter2-Rosebud"
VALUE = "q7Zp2Xw9Lk4T"
RANDOM = "aB3dE6gH9jK2mN5pQ8rS1tU4"
LIVE = "sk_live_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
SIGNING = "whsec" + "_" + "AbCdEf1234567890GhIjKlMnOpQrStUv"


def frame(*hooks: dict[str, Any], account: str = "shop", environment: str = "live") -> pd.DataFrame:
    """Webhooks of one account, in no way odd unless told otherwise."""
    rows = [
        {
            "account": account,
            "team_id": f"team_{account}",
            "environment": environment,
            "id": f"whk_{number}",
            "name": f"Orders {number}",
            "url": f"https://hook-{number}.shop.example/cstar",
            "events": ("ticket.created",),
            "is_active": True,
            "created_at": pd.Timestamp("2025-12-01T10:00:00Z"),
            "updated_at": pd.NaT,
        }
        | hook
        for number, hook in enumerate(hooks, 1)
    ]
    table = pd.DataFrame(rows)
    for column in ("created_at", "updated_at"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table


def audit(*hooks: dict[str, Any], now: dt.datetime = NOW, **common: str) -> cx.Audit:
    return cx.audit(frame(*hooks, **common), now=now)


def rows(before: Any, after: Any, **options: Any) -> list[list[Any]]:
    """Rows of a comparison, with None where nothing is said."""
    table = cx.compare(before, after, **options)
    assert COLUMNS == list(table.columns)
    assert ["str"] * 7 == [str(kind) for kind in table.dtypes]
    assert set(table["what"]) <= KINDS
    return [[None if pd.isna(cell) else cell for cell in row] for row in table.to_numpy().tolist()]


def pairs(before: Any, after: Any, **options: Any) -> list[tuple[Any, ...]]:
    """What, which webhook, and which field."""
    return [(row[1], row[2], row[4]) for row in rows(before, after, **options)]


def saved(audited: cx.Audit, folder: Path, name: str = "baseline.json") -> Path:
    path = folder / name
    audited.save(path)
    return path


# --- every kind of row ------------------------------------------------------------------------------------------------


def test_an_audit_differs_in_nothing_from_itself() -> None:
    """No row, and the same columns as ever."""
    audited = audit({}, {"url": "http://shop.example/"}, {"is_active": False, "events": ("boss.spawned",)})

    assert [] == rows(audited, audited)
    assert [] == rows(audited, audited, by="name")


def test_an_added_and_a_removed_webhook() -> None:
    """Told by id and name."""
    before = audit({}, {"id": "whk_old", "name": "Old"})
    after = audit({}, {"id": "whk_new", "name": "New"})
    told = {row[1]: row for row in rows(before, after)}

    assert {"added", "removed"} == set(told)
    assert ["shop", "added", "whk_new", "New"] == told["added"][:4]
    assert ["shop", "removed", "whk_old", "Old"] == told["removed"][:4]
    assert told["added"][5] is None
    assert told["removed"][6] is None


@pytest.mark.parametrize(
    ("field", "new", "before", "after"),
    [
        pytest.param("name", "Tickets", "Orders 1", "Tickets", id="name"),
        pytest.param(
            "url",
            "https://other.example/",
            "https://hook-1.shop.example/cstar",
            "https://other.example/",
            id="url",
        ),
        pytest.param("events", ("boss.spawned",), "ticket.created", "boss.spawned", id="events"),
        pytest.param(
            "events",
            ("ticket.created", "boss.spawned"),
            "ticket.created",
            "boss.spawned",
            id="one event more",
        ),
    ],
)
def test_a_changed_field_is_told_old_and_new(field: str, new: Any, before: str, after: str) -> None:
    """One row for each field."""
    (row,) = rows(audit({}, {}), audit({field: new}, {}))

    assert ["shop", "changed", "whk_1"] == row[:3]
    assert field == row[4]
    assert before in row[5]
    assert after in row[6]
    assert row[5] != row[6]


def test_a_pause_is_a_change_and_is_taken_back_by_another() -> None:
    """Both ways the same row, turned round."""
    (there,) = rows(audit({}, {}), audit({}, {"is_active": False}))
    (back,) = rows(audit({}, {"is_active": False}), audit({}, {}))

    assert ("changed", "whk_2", "is_active") == (there[1], there[2], there[4])
    assert there[5:] == back[5:][::-1]
    assert there[5] != there[6]


def test_the_order_of_events_is_no_change() -> None:
    """A subscription is a set."""
    assert [] == rows(
        audit({"events": ("ticket.created", "boss.spawned")}), audit({"events": ("boss.spawned", "ticket.created")})
    )


def test_the_order_of_webhooks_is_no_change() -> None:
    """Nor is it one in the file."""
    one, other = frame({}, {}, {}), frame({}, {}, {}).iloc[::-1]

    assert [] == rows(cx.audit(one, now=NOW), cx.audit(other, now=NOW))


def test_a_new_and_a_resolved_finding() -> None:
    """The field is the rule, and the evidence stands on its side."""
    clean, stained = audit({}, {}), audit({}, {"events": ("ticket.*",)})
    new = [row for row in rows(clean, stained) if row[1] != "changed"]
    resolved = [row for row in rows(stained, clean) if row[1] != "changed"]

    assert [["shop", "new finding", "whk_2", "Orders 2", "wildcard", None]] == [row[:6] for row in new]
    assert "ticket.*" in new[0][6]
    assert [("resolved finding", "whk_2", "wildcard", None)] == [(row[1], row[2], row[4], row[6]) for row in resolved]


def test_time_alone_makes_no_new_finding_of_an_old_one() -> None:
    """The evidence counts days; the finding is the same tomorrow."""
    old = {"created_at": pd.Timestamp("2023-01-01T00:00:00Z")}
    later = NOW + dt.timedelta(days=3)

    assert [] == rows(audit(old), audit(old, now=later))


def test_a_finding_that_comes_with_time_is_new() -> None:
    """Nothing else changed."""
    hook = {"created_at": pd.Timestamp("2025-12-01T00:00:00Z")}

    assert [("new finding", "whk_1", "old_secret")] == pairs(audit(hook), audit(hook, now=NOW + dt.timedelta(days=400)))


def test_findings_of_one_rule_on_two_webhooks_are_two() -> None:
    """One resolved, the other not."""
    before = audit({"events": ("ticket.*",)}, {"events": ("ticket.*",)})
    after = audit({"events": ("ticket.*",)}, {})

    assert [("resolved finding", "whk_2", "wildcard")] == [one for one in pairs(before, after) if one[0] != "changed"]


def test_findings_about_a_team_are_compared_as_well() -> None:
    """They have no webhook."""
    two = pd.concat([frame({"url": "https://relay.example/a"}, account=name) for name in ("a", "b")])
    three = pd.concat([two, frame({"url": "https://relay.example/a"}, account="c")])
    told = rows(cx.audit(two, now=NOW), cx.audit(three, now=NOW))

    assert {("a", "new finding", None, "many_teams"), ("c", "added", "whk_1", "url")} <= {
        (row[0], row[1], row[2], row[4]) for row in told
    }


def test_webhooks_of_one_id_in_two_accounts_are_two() -> None:
    """An id says something only within its team."""
    before = pd.concat([frame({}, account="a"), frame({}, account="b")])
    after = pd.concat([frame({}, account="a"), frame({"name": "Other"}, account="b")])

    assert [("b", "changed")] == [tuple(row[:2]) for row in rows(cx.audit(before, now=NOW), cx.audit(after, now=NOW))]


# --- accounts that were not read --------------------------------------------------------------------------------------


ITEM = {
    "id": "whk_1",
    "name": "Desk",
    "url": "http://desk.shop.example/x",
    "events": ["ticket.created"],
    "isActive": True,
    "createdAt": "2025-12-01T10:00:00Z",
}


def two_accounts(monkeypatch: pytest.MonkeyPatch, *lines: Any, **options: Any) -> cx.Audit:
    """Two accounts, asked one after the other."""
    monkeypatch.setenv("CSTAR_KEY_A", LIVE)
    with ScriptedServer(*lines) as server:
        table = [["A", "team_1", "CSTAR_KEY_A", server.url], ["B", "team_2", "CSTAR_KEY_A", server.url]]
        accounts = cx.Accounts(pd.DataFrame(table, columns=["account", "team_id", "key_env", "base_url"]))
        return cx.audit(accounts, at_once=1, now=NOW, **options)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("by", ["id", "name"])
@pytest.mark.parametrize("as_file", [False, True], ids=["audit", "file"])
def test_an_account_that_was_not_read_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, side: str, by: Any, as_file: bool
) -> None:
    """One row that says why; none of its webhooks was removed or added, none of its findings resolved or new."""
    good = two_accounts(monkeypatch, data([ITEM]), data([ITEM]))
    bad = two_accounts(monkeypatch, data([ITEM]), status(403))
    sides: list[Any] = [bad, good] if side == "before" else [good, bad]
    if as_file:
        sides = [saved(audited, tmp_path, f"{place}.json") for place, audited in enumerate(sides)]
    (row,) = rows(*sides, by=by)

    assert ["B", "not compared", None, None] == row[:4]
    assert "403" in f"{row[5]} {row[6]}"


def test_an_account_that_was_not_tried_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one that failed."""
    good = two_accounts(monkeypatch, data([ITEM]), data([ITEM]))
    asked: list[int] = []
    cut = two_accounts(monkeypatch, data([ITEM]), on_progress=lambda *_: asked.append(1), stopped=lambda: bool(asked))

    assert ["read", "not tried"] == cut.accounts["state"].tolist()
    assert [("B", "not compared")] == [tuple(row[:2]) for row in rows(good, cut)]


def test_an_account_that_is_not_there_on_one_side_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was removed from the table, or is new in it: never silence."""
    both = cx.audit(pd.concat([frame({}, account="a"), frame({}, account="b")]), now=NOW)
    one = cx.audit(frame({}, account="a"), now=NOW)

    assert {"b"} == {row[0] for row in rows(both, one)}
    assert {"b"} == {row[0] for row in rows(one, both)}


# --- by name ----------------------------------------------------------------------------------------------------------


def test_one_account_against_another_by_name() -> None:
    """Ids differ, as they must; what differs besides is told."""
    production = audit({"id": "p1"}, {"id": "p2"}, {"id": "p3", "name": "Only here"}, account="production")
    staging = audit(
        {"id": "s1"},
        {"id": "s2", "events": ("boss.spawned",)},
        {"id": "s3", "name": "Only there"},
        account="staging",
        environment="test",
    )

    assert {("changed", "Orders 2", "events"), ("removed", "Only here", "url"), ("added", "Only there", "url")} == {
        (row[1], row[3], row[4]) for row in rows(production, staging, by="name")
    }


def test_an_account_by_name_differs_in_nothing_from_its_copy() -> None:
    """Neither id nor account nor findings of both."""
    production = audit({"id": "p1"}, {"id": "p2", "events": ("ticket.*",)}, account="production")
    staging = audit({"id": "s1"}, {"id": "s2", "events": ("ticket.*",)}, account="staging")

    assert [] == rows(production, staging, by="name")


def test_webhooks_of_one_name_are_all_told() -> None:
    """Three against two: one was removed, and none is lost."""
    three = audit({"name": "Same"}, {"name": "Same"}, {"name": "Same"})
    two = audit({"id": "a", "name": "Same"}, {"id": "b", "name": "Same"}, account="staging")
    told = [row[1] for row in rows(three, two, by="name")]

    assert 1 == told.count("removed") - told.count("added")
    back = [row[1] for row in rows(two, three, by="name")]
    assert 1 == back.count("added") - back.count("removed")


@pytest.mark.parametrize("by", ["url", "", None, "ID", 1])
def test_another_way_to_pair_is_refused(by: Any) -> None:
    """Only by id and by name."""
    with pytest.raises((errors.ValidationError, errors.ConfigurationError)):
        cx.compare(audit({}), audit({}), by=by)


@pytest.mark.parametrize("side", [None, 7, [], {}, pd.DataFrame()])
def test_a_side_of_another_type_is_refused(side: Any) -> None:
    """By our own error, or a TypeError, in words."""
    with pytest.raises((errors.ValidationError, errors.ConfigurationError, TypeError)) as caught:
        cx.compare(side, audit({}))

    assert "attribute" not in str(caught.value)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_the_same_audit_is_the_same_bytes(tmp_path: Path) -> None:
    """Saved twice, made twice, and in any order of its rows."""
    hooks = [{}, {"url": "http://shop.example/ä?token=" + VALUE}, {"name": None}, {"is_active": False}]
    one = saved(audit(*hooks), tmp_path, "one.json").read_bytes()
    again = saved(audit(*hooks), tmp_path, "two.json").read_bytes()
    turned = saved(cx.audit(frame(*hooks).iloc[::-1], now=NOW), tmp_path, "three.json").read_bytes()

    assert one == again
    assert audit(*hooks).to_json().encode() == one
    assert json.loads(one)["webhooks"] == json.loads(turned)["webhooks"]


def test_accounts_in_another_order_are_the_same_bytes() -> None:
    """All is sorted."""
    tables = [frame({}, {"events": ("ticket.*",)}, account=name) for name in ("b", "a", "c")]
    tables = [table.assign(url=table["account"].map("https://{}.example/x".format)) for table in tables]

    assert cx.audit(pd.concat(tables), now=NOW).to_json() == cx.audit(pd.concat(tables[::-1]), now=NOW).to_json()


def test_there_is_one_webhook_on_each_line(tmp_path: Path) -> None:
    """So that a line is a change in a diff; also where a name has lines of its own."""
    text = saved(audit({}, {"name": "two\nlines\r\u2028and more"}, {}), tmp_path).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if '"whk_' in line and '"url"' in line]

    assert ["whk_1", "whk_2", "whk_3"] == [json.loads(line.rstrip(","))["id"] for line in lines]
    assert text.endswith("\n")


def test_one_changed_webhook_is_one_changed_line() -> None:
    """The rest of the file stays, to the byte."""
    one, other = (audit({}, {"name": name}, {}).to_json().splitlines() for name in ("A", "B"))

    assert 1 == sum(left != right for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        pytest.param(f"https://ada:{PASSWORD}@shop.example/x", [PASSWORD], id="password"),
        pytest.param(f"https://{PASSWORD}@shop.example/x", [PASSWORD], id="user"),
        pytest.param(f"https://shop.example/x?token={VALUE}", [VALUE], id="token"),
        pytest.param(f"https://shop.example/x?a=1&Api_Key={VALUE}&b=2", [VALUE], id="api key"),
        pytest.param(f"https://shop.example/x?to%6ben={VALUE}", [VALUE], id="escaped name"),
        pytest.param(f"https://shop.example/x#access_token={VALUE}", [VALUE], id="fragment"),
        pytest.param(f"https://hooks.slack.com/services/T0001/B0001/{RANDOM}", [RANDOM], id="random segment"),
        pytest.param(f"https://discord.com/api/webhooks/123456/{RANDOM}{RANDOM}-x_y", [RANDOM], id="longer segment"),
        pytest.param(f"https://shop.example/hook/{LIVE}", [LIVE], id="cstar key"),
        pytest.param(f"https://shop.example/hook/{SIGNING}/x", [SIGNING], id="signing secret"),
        pytest.param(f"https://{LIVE.lower().replace('_', '-')}.shop.example/?k={LIVE}", [LIVE], id="in the query"),
        pytest.param(f"ada:{PASSWORD}@shop.example/?token={VALUE}", [PASSWORD, VALUE], id="no scheme"),
        pytest.param(f"https://ada:{PASSWORD}@[::1/{RANDOM}", [PASSWORD, RANDOM], id="broken"),
        pytest.param(f"https://ada:{PASSWORD}@shop.example:port/?sig={VALUE}", [PASSWORD, VALUE], id="no port"),
    ],
)
def test_no_secret_of_a_url_is_in_a_baseline_but_its_change_shows(tmp_path: Path, url: str, secrets: list[str]) -> None:
    """Masked, with four digits of a digest: neither the file nor the comparison shows it."""
    changed = url
    for secret in secrets:
        changed = changed.replace(secret, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    before, after = audit({"url": url}), audit({"url": changed})
    path = saved(before, tmp_path)
    text = path.read_text(encoding="utf-8")
    text += json.dumps(json.loads(text), ensure_ascii=False)

    assert [] == [secret for secret in secrets if secret in text or secret[:-1] in text]
    assert re.search(r"••••[^\n\"]* #[0-9a-f]{4}\"", text)
    table = [*rows(before, after), *rows(path, after), *rows(path, saved(after, tmp_path, "after.json"))]
    assert {("changed", "url")} <= {(row[1], row[4]) for row in table}
    assert 3 == sum(row[1] == "changed" for row in table)
    assert [] == [secret for secret in secrets if secret[:-1] in str(table)]
    assert [] == rows(path, before)


def test_a_url_without_a_secret_is_there_to_the_letter() -> None:
    """A baseline is read by people."""
    urls = [
        "https://shop.example/cstar?version=2",
        "https://SHOP.example:443/a/b-c_d/2025/orders.json",
        "https://ü.example/ä",
    ]
    told = [json.loads(audit({"url": url}).to_json())["webhooks"][0]["url"] for url in urls]

    assert urls == told


def test_a_name_of_a_variable_or_a_key_is_in_no_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of a team that was read nor of one that refused."""
    audited = two_accounts(monkeypatch, data([ITEM | {"secret": SIGNING}]), status(401, message=f"{LIVE} is unknown"))
    text = audited.to_json()

    assert ["read", "failed"] == audited.accounts["state"].tolist()
    assert [] == [secret for secret in (LIVE, LIVE[8:], SIGNING, SIGNING[6:]) if secret in text]


def test_a_file_is_as_good_as_the_audit(tmp_path: Path) -> None:
    """Each side may be either, a path or its name."""
    before = audit({}, {"url": "http://shop.example/"}, {"is_active": False, "events": ("boss.spawned",)})
    after = audit({"name": "Neu"}, {"url": "https://shop.example/"})
    one, other = saved(before, tmp_path, "one.json"), saved(after, tmp_path, "other.json")
    expected = rows(before, after)

    assert expected
    assert [expected] * 4 == [
        rows(one, after),
        rows(before, other),
        rows(one, other),
        rows(str(one), str(other)),
    ]


def test_to_json_that_was_written_by_hand_is_a_baseline(tmp_path: Path) -> None:
    """With a byte order mark and other line ends as well, as a checkout may have it."""
    before, after = audit({}), audit({"name": "Neu"})
    for content in (before.to_json().encode(), before.to_json().replace("\n", "\r\n").encode()):
        path = tmp_path / "by hand.json"
        path.write_bytes(content)
        assert [("changed", "whk_1", "name")] == pairs(path, after)


def test_a_baseline_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """An old file is overwritten, a folder that is not there is our own error."""
    path = saved(audit({}, {}, {}), tmp_path)
    audit({}).save(path)

    assert audit({}).to_json().encode() == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    with pytest.raises((errors.ConfigurationError, OSError)):
        audit({}).save(tmp_path / "missing" / "baseline.json")


# --- files that are none ----------------------------------------------------------------------------------------------


def good(**changed: Any) -> str:
    return json.dumps(json.loads(audit({}).to_json()) | changed)


HOOK = {
    "account": "shop",
    "id": "whk_1",
    "name": "n",
    "url": "https://shop.example/",
    "events": [],
    "is_active": True,
    "created_at": "2025-12-01T00:00:00Z",
}
FINDING = {
    "account": "shop",
    "severity": "low",
    "rule": "wildcard",
    "webhook_id": "whk_1",
    "name": "n",
    "evidence": "e",
}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 50, id="zero bytes"),
        pytest.param(b"\xff\xfe{}", id="no UTF-8"),
        pytest.param(b"severity,rule\nhigh,plain_http\n", id="CSV"),
        pytest.param(b"<!doctype html><html></html>", id="HTML"),
        pytest.param(b"null", id="null"),
        pytest.param(b"7", id="a number"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="no keys"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"webhooks": ' * 100_000, id="deep objects"),
        pytest.param(b'{"version": ' + b"9" * 50_000 + b"}", id="a huge number"),
        pytest.param(good()[:-40].encode(), id="cut off"),
        pytest.param((good() + good()).encode(), id="twice"),
        pytest.param(good(kind="something else").encode(), id="foreign"),
        pytest.param(good(kind=None).encode(), id="no kind"),
        pytest.param(good(version=99).encode(), id="of the future"),
        pytest.param(good(version="1").encode(), id="version as text"),
        pytest.param(good(webhooks=None).encode(), id="no webhooks"),
        pytest.param(good(webhooks={}).encode(), id="webhooks of another type"),
        pytest.param(good(webhooks=[7]).encode(), id="webhooks that are none"),
        pytest.param(good(webhooks=[HOOK | {"id": 7}]).encode(), id="an id of another type"),
        pytest.param(good(webhooks=[HOOK | {"events": "ticket.created"}]).encode(), id="events as text"),
        pytest.param(good(webhooks=[HOOK | {"events": [[]]}]).encode(), id="events of events"),
        pytest.param(good(webhooks=[HOOK | {"url": {"a": 1}}]).encode(), id="a URL of another type"),
        pytest.param(good(webhooks=[{"id": "whk_1"}]).encode(), id="a webhook of nobody"),
        pytest.param(good(accounts=None).encode(), id="no accounts"),
        pytest.param(good(accounts=[{"account": []}]).encode(), id="accounts of another type"),
        pytest.param(good(findings=7).encode(), id="findings of another type"),
        pytest.param(good(findings=[FINDING | {"rule": []}]).encode(), id="a rule of another type"),
        pytest.param(good(findings=[FINDING | {"webhook_id": {}}]).encode(), id="a finding of another type"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """By our own error, on either side; no parser's error and no recursion."""
    path = tmp_path / "foreign.json"
    path.write_bytes(content)
    for sides in ((path, audit({})), (audit({}), path)):
        with pytest.raises(errors.ConfigurationError) as caught:
            cx.compare(*sides)
        assert "foreign.json" in str(caught.value)
        assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("name", [".", "missing.json", "missing/baseline.json", "zero\0byte"])
def test_a_baseline_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    """A folder, nothing at all, or no name."""
    with pytest.raises(errors.ConfigurationError):
        cx.compare(f"{tmp_path}/{name}", audit({}))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """It is no baseline, and is not taken into memory."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(8 * 1024**3)  # takes no space
    with pytest.raises(errors.ConfigurationError, match=r"huge\.json"):
        cx.compare(path, audit({}))


def test_a_hostile_baseline_is_told_as_text(tmp_path: Path) -> None:
    """A file of somebody else cannot write to the terminal."""
    hostile = "A\x1b[2J\x07B"
    path = tmp_path / "foreign.json"
    path.write_text(good(kind=hostile))
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.compare(path, audit({}))

    assert "\x1b" not in str(caught.value)


# --- anything ---------------------------------------------------------------------------------------------------------

TEXTS = st.text(max_size=8) | st.sampled_from(["Orders", "Same", "\ud800", "=1+1", "a\nb"])
HOOKS = st.fixed_dictionaries(
    {
        "id": st.sampled_from([f"whk_{number}" for number in range(6)]),
        "name": TEXTS | st.none(),
        "url": st.sampled_from(
            ["https://a.example/", "http://b.example/", f"https://c.example/?token={VALUE}", "nonsense", ""]
        )
        | st.text(max_size=12)
        | st.none(),
        "events": st.lists(st.sampled_from(["ticket.created", "ticket.*", "*", "x"]), max_size=3).map(tuple),
        "is_active": st.booleans(),
    }
)
TEAMS = st.lists(HOOKS, min_size=1, max_size=5, unique_by=lambda hook: hook["id"])


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=TEAMS, after=TEAMS, by=st.sampled_from(["id", "name"]))
def test_any_two_audits_are_compared(tmp_path: Path, before: Any, after: Any, by: Any) -> None:
    """Files tell the same as audits; turned round, added is removed and new is resolved; nothing is lost."""
    one, other = audit(*before), audit(*after)
    there = rows(one, other, by=by)
    back = rows(other, one, by=by)

    assert there == rows(saved(one, tmp_path, "1.json"), saved(other, tmp_path, "2.json"), by=by)
    assert [] == rows(one, one, by=by)
    turned = {"added": "removed", "removed": "added", "new finding": "resolved finding"}
    turned |= {"resolved finding": "new finding", "changed": "changed"}
    assert sorted((turned[row[1]], str(row[4]), str(row[6]), str(row[5])) for row in back) == sorted(
        (row[1], str(row[4]), str(row[5]), str(row[6])) for row in there
    )
    assert len(after) - len(before) == sum((row[1] == "added") - (row[1] == "removed") for row in there)
    assert VALUE not in str(there)
    if by == "id":
        ids = {hook["id"] for hook in before}, {hook["id"] for hook in after}
        assert ids[1] - ids[0] == {row[2] for row in there if row[1] == "added"}
        assert ids[0] - ids[1] == {row[2] for row in there if row[1] == "removed"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    place=st.sampled_from(["accounts", "webhooks", "findings", "kind", "version", "taken", ""]),
    key=st.sampled_from(["account", "id", "name", "url", "events", "is_active", "state", "rule", "webhook_id", "x"]),
    value=VALUES,
)
def test_a_file_with_anything_in_it_is_compared_or_refused(tmp_path: Path, place: str, key: str, value: Any) -> None:
    """By our own error, never by another."""
    whole = json.loads(audit({"events": ("ticket.*",)}).to_json())
    if isinstance(whole.get(place), list):
        whole[place][0][key] = value
    elif place:
        whole[place] = value
    else:
        whole = value
    path = tmp_path / "any.json"
    path.write_text(json.dumps(whole))
    try:
        told = cx.compare(path, audit({}))
    except errors.ConfigurationError as error:
        assert "any.json" in str(error)  # noqa: PT017
    else:
        assert COLUMNS == list(told.columns)
