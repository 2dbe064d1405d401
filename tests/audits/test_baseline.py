"""Baselines and `compare`: sorted files without secrets, the rows of a comparison, and errors for invalid files."""

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
from tests.support.sampling import examples
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
    """Webhooks of one account, without findings unless the arguments cause some."""
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
    """The rows of a comparison, with None for missing cells."""
    table = cx.compare(before, after, **options)
    assert COLUMNS == list(table.columns)
    assert ["str"] * 7 == [str(kind) for kind in table.dtypes]
    assert set(table["what"]) <= KINDS
    return [[None if pd.isna(cell) else cell for cell in row] for row in table.to_numpy().tolist()]


def changes(before: Any, after: Any, **options: Any) -> list[tuple[Any, ...]]:
    """Kind, webhook id and field of each row."""
    return [(row[1], row[2], row[4]) for row in rows(before, after, **options)]


def saved(audited: cx.Audit, folder: Path, name: str = "baseline.json") -> Path:
    path = folder / name
    audited.save(path)
    return path


# --- kinds of rows ----------------------------------------------------------------------------------------------------


def test_an_audit_does_not_differ_from_itself() -> None:
    """There are no rows, but all columns."""
    audited = audit({}, {"url": "http://shop.example/"}, {"is_active": False, "events": ("boss.spawned",)})

    assert [] == rows(audited, audited)
    assert [] == rows(audited, audited, by="name")


def test_added_and_removed_webhooks() -> None:
    """Each is reported with its id and name."""
    before = audit({}, {"id": "whk_old", "name": "Old"})
    after = audit({}, {"id": "whk_new", "name": "New"})
    by_kind = {row[1]: row for row in rows(before, after)}

    assert {"added", "removed"} == set(by_kind)
    assert ["shop", "added", "whk_new", "New"] == by_kind["added"][:4]
    assert ["shop", "removed", "whk_old", "Old"] == by_kind["removed"][:4]
    assert by_kind["added"][5] is None
    assert by_kind["removed"][6] is None


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
            id="added event",
        ),
    ],
)
def test_a_changed_field_is_reported_with_both_values(field: str, new: Any, before: str, after: str) -> None:
    """One row per field."""
    (row,) = rows(audit({}, {}), audit({field: new}, {}))

    assert ["shop", "changed", "whk_1"] == row[:3]
    assert field == row[4]
    assert before in row[5]
    assert after in row[6]
    assert row[5] != row[6]


def test_pausing_and_resuming_are_opposite_changes() -> None:
    """The rows are equal, with the values swapped."""
    (paused,) = rows(audit({}, {}), audit({}, {"is_active": False}))
    (resumed,) = rows(audit({}, {"is_active": False}), audit({}, {}))

    assert ("changed", "whk_2", "is_active") == (paused[1], paused[2], paused[4])
    assert paused[5:] == resumed[5:][::-1]
    assert paused[5] != paused[6]


def test_the_order_of_events_does_not_matter() -> None:
    """A subscription is a set."""
    assert [] == rows(
        audit({"events": ("ticket.created", "boss.spawned")}), audit({"events": ("boss.spawned", "ticket.created")})
    )


def test_the_order_of_webhooks_does_not_matter() -> None:
    """The frame may have any order."""
    one, other = frame({}, {}, {}), frame({}, {}, {}).iloc[::-1]

    assert [] == rows(cx.audit(one, now=NOW), cx.audit(other, now=NOW))


def test_new_and_resolved_findings() -> None:
    """`field` is the rule, and the evidence is in `after` or `before`."""
    clean, faulty = audit({}, {}), audit({}, {"events": ("ticket.*",)})
    new = [row for row in rows(clean, faulty) if row[1] != "changed"]
    resolved = [row for row in rows(faulty, clean) if row[1] != "changed"]

    assert [["shop", "new finding", "whk_2", "Orders 2", "wildcard", None]] == [row[:6] for row in new]
    assert "ticket.*" in new[0][6]
    assert [("resolved finding", "whk_2", "wildcard", None)] == [(row[1], row[2], row[4], row[6]) for row in resolved]


def test_an_older_finding_is_not_new() -> None:
    """The evidence counts days, but the finding is the same."""
    old = {"created_at": pd.Timestamp("2023-01-01T00:00:00Z")}
    later = NOW + dt.timedelta(days=3)

    assert [] == rows(audit(old), audit(old, now=later))


def test_a_finding_that_appears_with_age_is_new() -> None:
    """Nothing else changed."""
    hook = {"created_at": pd.Timestamp("2025-12-01T00:00:00Z")}

    assert [("new finding", "whk_1", "old_secret")] == changes(
        audit(hook), audit(hook, now=NOW + dt.timedelta(days=400))
    )


def test_findings_of_one_rule_are_compared_per_webhook() -> None:
    """One is resolved, the other is not."""
    before = audit({"events": ("ticket.*",)}, {"events": ("ticket.*",)})
    after = audit({"events": ("ticket.*",)}, {})

    assert [("resolved finding", "whk_2", "wildcard")] == [one for one in changes(before, after) if one[0] != "changed"]


def test_findings_about_a_team_are_compared() -> None:
    """They have no webhook."""
    two = pd.concat([frame({"url": "https://relay.example/a"}, account=name) for name in ("a", "b")])
    three = pd.concat([two, frame({"url": "https://relay.example/a"}, account="c")])
    compared = rows(cx.audit(two, now=NOW), cx.audit(three, now=NOW))

    assert {("a", "new finding", None, "many_teams"), ("c", "added", "whk_1", "url")} <= {
        (row[0], row[1], row[2], row[4]) for row in compared
    }


def test_equal_ids_in_two_accounts_are_different_webhooks() -> None:
    """An id is unique only within its team."""
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


def two_accounts(monkeypatch: pytest.MonkeyPatch, *responses: Any, **options: Any) -> cx.Audit:
    """Audits two accounts, one after the other."""
    monkeypatch.setenv("CSTAR_KEY_A", LIVE)
    with ScriptedServer(*responses) as server:
        table = [["A", "team_1", "CSTAR_KEY_A", server.url], ["B", "team_2", "CSTAR_KEY_A", server.url]]
        accounts = cx.Accounts(pd.DataFrame(table, columns=["account", "team_id", "key_env", "base_url"]))
        return cx.audit(accounts, at_once=1, now=NOW, **options)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("by", ["id", "name"])
@pytest.mark.parametrize("as_file", [False, True], ids=["audit", "file"])
def test_an_account_that_was_not_read_is_not_compared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, side: str, by: Any, as_file: bool
) -> None:
    """It has one row with the reason. Its webhooks and findings are not reported as changed."""
    good = two_accounts(monkeypatch, data([ITEM]), data([ITEM]))
    bad = two_accounts(monkeypatch, data([ITEM]), status(403))
    sides: list[Any] = [bad, good] if side == "before" else [good, bad]
    if as_file:
        sides = [saved(audited, tmp_path, f"{index}.json") for index, audited in enumerate(sides)]
    (row,) = rows(*sides, by=by)

    assert ["B", "not compared", None, None] == row[:4]
    assert "403" in f"{row[5]} {row[6]}"


def test_an_account_that_was_not_tried_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is treated like one that failed."""
    good = two_accounts(monkeypatch, data([ITEM]), data([ITEM]))
    calls: list[int] = []
    stopped_early = two_accounts(
        monkeypatch, data([ITEM]), on_progress=lambda *_: calls.append(1), stopped=lambda: bool(calls)
    )

    assert ["read", "not tried"] == stopped_early.accounts["state"].tolist()
    assert [("B", "not compared")] == [tuple(row[:2]) for row in rows(good, stopped_early)]


def test_an_account_on_one_side_only_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was removed from the accounts table, or added to it."""
    both = cx.audit(pd.concat([frame({}, account="a"), frame({}, account="b")]), now=NOW)
    one = cx.audit(frame({}, account="a"), now=NOW)

    assert {"b"} == {row[0] for row in rows(both, one)}
    assert {"b"} == {row[0] for row in rows(one, both)}


# --- by name ----------------------------------------------------------------------------------------------------------


def test_two_accounts_are_compared_by_name() -> None:
    """Ids always differ between accounts; only other differences are reported."""
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


def test_an_account_does_not_differ_from_its_copy_by_name() -> None:
    """Ids, account names and shared findings are no differences."""
    production = audit({"id": "p1"}, {"id": "p2", "events": ("ticket.*",)}, account="production")
    staging = audit({"id": "s1"}, {"id": "s2", "events": ("ticket.*",)}, account="staging")

    assert [] == rows(production, staging, by="name")


def test_webhooks_with_the_same_name_are_all_compared() -> None:
    """Three against two: one was removed."""
    three = audit({"name": "Same"}, {"name": "Same"}, {"name": "Same"})
    two = audit({"id": "a", "name": "Same"}, {"id": "b", "name": "Same"}, account="staging")
    forward = [row[1] for row in rows(three, two, by="name")]

    assert 1 == forward.count("removed") - forward.count("added")
    backward = [row[1] for row in rows(two, three, by="name")]
    assert 1 == backward.count("added") - backward.count("removed")


@pytest.mark.parametrize("by", ["url", "", None, "ID", 1])
def test_an_invalid_by_is_refused(by: Any) -> None:
    """Only "id" and "name" are valid."""
    with pytest.raises((errors.ValidationError, errors.ConfigurationError)):
        cx.compare(audit({}), audit({}), by=by)


@pytest.mark.parametrize("side", [None, 7, [], {}, pd.DataFrame()])
def test_a_side_of_the_wrong_type_is_refused(side: Any) -> None:
    """The error is readable, not an AttributeError from inside."""
    with pytest.raises((errors.ValidationError, errors.ConfigurationError, TypeError)) as caught:
        cx.compare(side, audit({}))

    assert "attribute" not in str(caught.value)


# --- the file ---------------------------------------------------------------------------------------------------------


def test_equal_audits_give_equal_files(tmp_path: Path) -> None:
    """Saved twice, made twice, or with rows in another order."""
    hooks = [{}, {"url": "http://shop.example/ä?token=" + VALUE}, {"name": None}, {"is_active": False}]
    one = saved(audit(*hooks), tmp_path, "one.json").read_bytes()
    again = saved(audit(*hooks), tmp_path, "two.json").read_bytes()
    turned = saved(cx.audit(frame(*hooks).iloc[::-1], now=NOW), tmp_path, "three.json").read_bytes()

    assert one == again
    assert audit(*hooks).to_json().encode() == one
    assert json.loads(one)["webhooks"] == json.loads(turned)["webhooks"]


def test_the_order_of_accounts_does_not_matter() -> None:
    """Everything in the file is sorted."""
    tables = [frame({}, {"events": ("ticket.*",)}, account=name) for name in ("b", "a", "c")]
    tables = [table.assign(url=table["account"].map("https://{}.example/x".format)) for table in tables]

    assert cx.audit(pd.concat(tables), now=NOW).to_json() == cx.audit(pd.concat(tables[::-1]), now=NOW).to_json()


def test_each_webhook_is_on_one_line(tmp_path: Path) -> None:
    """Even if its name contains line breaks. A diff then shows one line per changed webhook."""
    text = saved(audit({}, {"name": "two\nlines\r\u2028and more"}, {}), tmp_path).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if '"whk_' in line and '"url"' in line]

    assert ["whk_1", "whk_2", "whk_3"] == [json.loads(line.rstrip(","))["id"] for line in lines]
    assert text.endswith("\n")


def test_one_changed_webhook_changes_one_line() -> None:
    """All other lines are identical."""
    one, other = (audit({}, {"name": name}, {}).to_json().splitlines() for name in ("A", "B"))

    assert 1 == sum(left != right for left, right in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        pytest.param(f"https://ada:{PASSWORD}@shop.example/x", [PASSWORD], id="password"),
        pytest.param(f"https://{PASSWORD}@shop.example/x", [PASSWORD], id="user name"),
        pytest.param(f"https://shop.example/x?token={VALUE}", [VALUE], id="token"),
        pytest.param(f"https://shop.example/x?a=1&Api_Key={VALUE}&b=2", [VALUE], id="api key"),
        pytest.param(f"https://shop.example/x?to%6ben={VALUE}", [VALUE], id="percent-encoded name"),
        pytest.param(f"https://shop.example/x#access_token={VALUE}", [VALUE], id="fragment"),
        pytest.param(f"https://hooks.slack.com/services/T0001/B0001/{RANDOM}", [RANDOM], id="random path segment"),
        pytest.param(
            f"https://discord.com/api/webhooks/123456/{RANDOM}{RANDOM}-x_y", [RANDOM], id="long random path segment"
        ),
        pytest.param(f"https://shop.example/hook/{LIVE}", [LIVE], id="cStar key"),
        pytest.param(f"https://shop.example/hook/{SIGNING}/x", [SIGNING], id="signing secret"),
        pytest.param(
            f"https://{LIVE.lower().replace('_', '-')}.shop.example/?k={LIVE}", [LIVE], id="in host and query"
        ),
        pytest.param(f"ada:{PASSWORD}@shop.example/?token={VALUE}", [PASSWORD, VALUE], id="no scheme"),
        pytest.param(f"https://ada:{PASSWORD}@[::1/{RANDOM}", [PASSWORD, RANDOM], id="invalid host"),
        pytest.param(f"https://ada:{PASSWORD}@shop.example:port/?sig={VALUE}", [PASSWORD, VALUE], id="invalid port"),
    ],
)
def test_secrets_in_urls_are_masked_but_their_changes_show(tmp_path: Path, url: str, secrets: list[str]) -> None:
    """Neither the file nor the comparison contains the secret. Six digits of a digest show the change."""
    changed = url
    for secret in secrets:
        changed = changed.replace(secret, secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    before, after = audit({"url": url}), audit({"url": changed})
    path = saved(before, tmp_path)
    text = path.read_text(encoding="utf-8")
    text += json.dumps(json.loads(text), ensure_ascii=False)

    assert [] == [secret for secret in secrets if secret in text or secret[:-1] in text]
    assert re.search(r"••••[0-9a-f]{6}", text)
    table = [*rows(before, after), *rows(path, after), *rows(path, saved(after, tmp_path, "after.json"))]
    assert {("changed", "url")} <= {(row[1], row[4]) for row in table}
    assert 3 == sum(row[1] == "changed" for row in table)
    assert [] == [secret for secret in secrets if secret[:-1] in str(table)]
    assert [] == rows(path, before)


def test_a_url_without_secrets_is_saved_unchanged() -> None:
    """Baselines are read by people."""
    urls = [
        "https://shop.example/cstar?version=2",
        "https://SHOP.example:443/a/b-c_d/2025/orders.json",
        "https://ü.example/ä",
    ]
    saved_urls = [json.loads(audit({"url": url}).to_json())["webhooks"][0]["url"] for url in urls]

    assert urls == saved_urls


def test_two_files_with_different_mask_keys_are_compared_without_digits(tmp_path: Path) -> None:
    """The digits of different keys always differ, which is no change of the URL."""
    one = saved(audit({"url": f"https://shop.example/{VALUE}"}), tmp_path, "one.json")
    text = one.read_text(encoding="utf-8")
    digits = json.loads(text)["webhooks"][0]["url"][-6:]
    other = tmp_path / "other.json"
    other.write_text(text.replace(digits, "abcdef").replace('"mask_key": "', '"mask_key": "x'))

    assert [] == changes(one, other)


def test_an_audit_is_compared_with_the_mask_key_of_the_file(tmp_path: Path) -> None:
    """An account was added since, so the audit has another key."""
    hook = {"url": f"https://shop.example/{VALUE}"}
    path = saved(audit(hook), tmp_path)
    both = cx.audit(pd.concat([frame(hook), frame({}, account="other")]), now=NOW)

    assert {("other", "added")} == {(row[0], row[1]) for row in rows(path, both)}


@pytest.mark.usefixtures("without_charts")
def test_a_full_disk_leaves_the_old_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is it truncated, nor is half a file left beside it."""
    path = saved(audit({}), tmp_path)
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    for write in (audit({}, {}).save, audit({}, {}).to_csv, audit({}, {}).to_html):
        with pytest.raises(errors.ConfigurationError):
            write(path)

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_no_key_or_signing_secret_is_in_a_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of a team that was read nor of one that failed."""
    audited = two_accounts(monkeypatch, data([ITEM | {"secret": SIGNING}]), status(401, message=f"{LIVE} is unknown"))
    text = audited.to_json()

    assert ["read", "failed"] == audited.accounts["state"].tolist()
    assert [] == [secret for secret in (LIVE, LIVE[8:], SIGNING, SIGNING[6:]) if secret in text]


def test_files_and_audits_compare_equally(tmp_path: Path) -> None:
    """Each side can be an audit, a Path or a string."""
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


def test_to_json_written_to_a_file_is_a_baseline(tmp_path: Path) -> None:
    """Windows line ends are accepted, as after a checkout."""
    before, after = audit({}), audit({"name": "Neu"})
    for content in (before.to_json().encode(), before.to_json().replace("\n", "\r\n").encode()):
        path = tmp_path / "written.json"
        path.write_bytes(content)
        assert [("changed", "whk_1", "name")] == changes(path, after)


def test_save_overwrites_the_file(tmp_path: Path) -> None:
    """Into a folder that does not exist, it raises an error."""
    path = saved(audit({}, {}, {}), tmp_path)
    audit({}).save(path)

    assert audit({}).to_json().encode() == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    with pytest.raises((errors.ConfigurationError, OSError)):
        audit({}).save(tmp_path / "missing" / "baseline.json")


# --- invalid files ----------------------------------------------------------------------------------------------------


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
        pytest.param(b"\0" * 50, id="null bytes"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b"severity,rule\nhigh,plain_http\n", id="CSV"),
        pytest.param(b"<!doctype html><html></html>", id="HTML"),
        pytest.param(b"null", id="null"),
        pytest.param(b"7", id="a number"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"{}", id="empty object"),
        pytest.param(b'{"a": NaN}', id="NaN"),
        pytest.param(b"[" * 200_000, id="deep lists"),
        pytest.param(b'{"webhooks": ' * 100_000, id="deep objects"),
        pytest.param(b'{"version": ' + b"9" * 50_000 + b"}", id="huge number"),
        pytest.param(good()[:-40].encode(), id="truncated"),
        pytest.param((good() + good()).encode(), id="two documents"),
        pytest.param(good(kind="something else").encode(), id="other kind"),
        pytest.param(good(kind=None).encode(), id="no kind"),
        pytest.param(good(version=99).encode(), id="unknown version"),
        pytest.param(good(version="1").encode(), id="version as text"),
        pytest.param(good(webhooks=None).encode(), id="no webhooks"),
        pytest.param(good(webhooks={}).encode(), id="webhooks not a list"),
        pytest.param(good(webhooks=[7]).encode(), id="webhook not an object"),
        pytest.param(good(webhooks=[HOOK | {"id": 7}]).encode(), id="id not text"),
        pytest.param(good(webhooks=[HOOK | {"events": "ticket.created"}]).encode(), id="events as text"),
        pytest.param(good(webhooks=[HOOK | {"events": [[]]}]).encode(), id="nested events"),
        pytest.param(good(webhooks=[HOOK | {"url": {"a": 1}}]).encode(), id="URL not text"),
        pytest.param(good(webhooks=[{"id": "whk_1"}]).encode(), id="webhook without account"),
        pytest.param(good(accounts=None).encode(), id="no accounts"),
        pytest.param(good(accounts=[{"account": []}]).encode(), id="account not text"),
        pytest.param(good(findings=7).encode(), id="findings not a list"),
        pytest.param(good(findings=[FINDING | {"rule": []}]).encode(), id="rule not text"),
        pytest.param(good(findings=[FINDING | {"webhook_id": {}}]).encode(), id="webhook id not text"),
    ],
)
def test_a_file_that_is_not_a_baseline_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """The error is the package's own, on either side, even for deeply nested JSON."""
    path = tmp_path / "foreign.json"
    path.write_bytes(content)
    for sides in ((path, audit({})), (audit({}), path)):
        with pytest.raises(errors.ConfigurationError) as caught:
            cx.compare(*sides)
        assert "foreign.json" in str(caught.value)
        assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("name", [".", "missing.json", "missing/baseline.json", "zero\0byte"])
def test_an_unreadable_baseline_is_refused(tmp_path: Path, name: str) -> None:
    """A folder, a missing file or an invalid name."""
    with pytest.raises(errors.ConfigurationError):
        cx.compare(f"{tmp_path}/{name}", audit({}))


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path) -> None:
    """It is not loaded into memory."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(8 * 1024**3)  # takes no space
    with pytest.raises(errors.ConfigurationError, match=r"huge\.json"):
        cx.compare(path, audit({}))


def test_control_characters_in_a_baseline_are_escaped_in_the_error(tmp_path: Path) -> None:
    """A file from an untrusted source must not control the terminal."""
    hostile = "A\x1b[2J\x07B"
    path = tmp_path / "foreign.json"
    path.write_text(good(kind=hostile))
    with pytest.raises(errors.ConfigurationError) as caught:
        cx.compare(path, audit({}))

    assert "\x1b" not in str(caught.value)


# --- random input -----------------------------------------------------------------------------------------------------

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


@settings(max_examples=examples(40), deadline=None, suppress_health_check=list(HealthCheck))
@given(before=TEAMS, after=TEAMS, by=st.sampled_from(["id", "name"]))
def test_any_two_audits_can_be_compared(tmp_path: Path, before: Any, after: Any, by: Any) -> None:
    """Files give the same rows as audits, and swapping the sides swaps added and removed, new and resolved."""
    one, other = audit(*before), audit(*after)
    forward = rows(one, other, by=by)
    backward = rows(other, one, by=by)

    assert forward == rows(saved(one, tmp_path, "1.json"), saved(other, tmp_path, "2.json"), by=by)
    assert [] == rows(one, one, by=by)
    opposite = {"added": "removed", "removed": "added", "new finding": "resolved finding"}
    opposite |= {"resolved finding": "new finding", "changed": "changed"}
    assert sorted((opposite[row[1]], str(row[4]), str(row[6]), str(row[5])) for row in backward) == sorted(
        (row[1], str(row[4]), str(row[5]), str(row[6])) for row in forward
    )
    assert len(after) - len(before) == sum((row[1] == "added") - (row[1] == "removed") for row in forward)
    assert VALUE not in str(forward)
    if by == "id":
        ids = {hook["id"] for hook in before}, {hook["id"] for hook in after}
        assert ids[1] - ids[0] == {row[2] for row in forward if row[1] == "added"}
        assert ids[0] - ids[1] == {row[2] for row in forward if row[1] == "removed"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=examples(80), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    part=st.sampled_from(["accounts", "webhooks", "findings", "kind", "version", "taken", ""]),
    key=st.sampled_from(["account", "id", "name", "url", "events", "is_active", "state", "rule", "webhook_id", "x"]),
    value=VALUES,
)
def test_a_file_with_any_content_is_compared_or_refused(tmp_path: Path, part: str, key: str, value: Any) -> None:
    """The error is always the package's own."""
    content = json.loads(audit({"events": ("ticket.*",)}).to_json())
    if isinstance(content.get(part), list):
        content[part][0][key] = value
    elif part:
        content[part] = value
    else:
        content = value
    path = tmp_path / "any.json"
    path.write_text(json.dumps(content))
    try:
        compared = cx.compare(path, audit({}))
    except errors.ConfigurationError as error:
        assert "any.json" in str(error)  # noqa: PT017
    else:
        assert COLUMNS == list(compared.columns)
