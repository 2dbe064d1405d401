"""The rules: precision and recall on a labelled corpus, settings, fixes, and robustness."""

import contextlib
import datetime as dt
import html
import json
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import csv_files, errors, events
from cstar_explore.audits import homoglyphs
from cstar_explore.audits.urls import parse_url
from tests.support import audit_corpus as corpus
from tests.support.sampling import NIGHTLY, examples
from tests.support.scripted_server import Script, ScriptedServer, data, status

SCORE = Path(__file__).parents[2] / "build" / "audit-score.txt"
WEBHOOKS = corpus.webhooks()
NOW = corpus.NOW
COLUMNS = ["severity", "rule", "account", "environment", "webhook_id", "name", "evidence", "remedy"]
SEVERITIES = ["high", "medium", "low", "info"]
FIXED = ["id", "name", "url", "events", "is_active", "team_id", "because"]
LIVE = "sk_live_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
TEST = "sk_test_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"


@pytest.fixture(scope="module")
def audited() -> Any:
    return cx.audit(corpus.frame(WEBHOOKS), now=NOW)


@pytest.fixture(scope="module")
def findings(audited) -> pd.DataFrame:
    return audited.to_frame()


def team(*webhooks: dict[str, Any], **common: Any) -> pd.DataFrame:
    """A frame of webhooks of one team. Fields that are not given have values without findings."""
    rows = []
    for number, fields in enumerate(webhooks, 1):
        defaults = {
            "account": "shop",
            "team_id": "team_shop",
            "environment": "live",
            "id": f"whk_{number}",
            "name": f"Orders {number}",
            "url": f"https://hook-{number}.shop.example/cstar",
            "events": ("ticket.created",),
            "is_active": True,
            "created_at": corpus.ago(100 - number),
            "updated_at": None,
        }
        rows.append(defaults | common | fields)
    table = pd.DataFrame(rows, columns=list(rows[0]) if rows else None)
    for column in ("created_at", "updated_at"):
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True)
    return table


def audit(*webhooks: dict[str, Any], settings: Any = None, **common: Any) -> Any:
    return cx.audit(team(*webhooks, **common), settings=settings, now=NOW)


def reported(audited: Any) -> set[tuple[str, str]]:
    """Pairs of webhook id and rule; a finding about the team has no webhook."""
    table = audited.to_frame()
    return {
        ("" if pd.isna(webhook) else webhook, rule)
        for webhook, rule in zip(table["webhook_id"], table["rule"], strict=True)
    }


def rules_of(audited: Any) -> list[str]:
    return sorted(rule for _, rule in reported(audited))


def toml(folder: Path, text: str) -> Path:
    path = folder / "audit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shown(audited: Any, *, page: bool = False) -> str:
    """All forms in which an audit is shown. The report is slow, so it is included on request only."""
    parts = [repr(audited), str(audited), audited._repr_html_(), audited.to_frame().to_csv(), audited.to_json()]
    parts += [audited.to_html()] if page else []
    return "\n".join([*parts, *map(html.unescape, parts), *audited.notes, audited.ignored.to_csv()])


# --- the corpus and the score -----------------------------------------------------------------------------------------


def test_the_corpus_is_large_covers_every_rule_and_never_changes() -> None:
    """A score means something only on a fixed corpus."""
    assert repr(WEBHOOKS) == repr(corpus.webhooks())
    counted = Counter(label for webhook in WEBHOOKS for label in webhook.labels)
    counted.update(rule for _, rule in corpus.TEAM_LABELS)
    assert set(corpus.RULES) == set(counted)
    assert {rule: count for rule, count in counted.items() if count < 4} == {}
    assert len(WEBHOOKS) >= 300
    assert len({webhook.id for webhook in WEBHOOKS}) == len(WEBHOOKS)
    assert sum(not webhook.labels for webhook in WEBHOOKS) >= 200


def test_precision_and_recall_on_the_corpus(findings) -> None:
    """Both are 1 for every rule. The score is printed and written to a file."""
    expected = {(webhook.id, label) for webhook in WEBHOOKS for label in webhook.labels} | set(corpus.TEAM_LABELS)
    where = findings["webhook_id"].fillna(findings["account"])
    actual = set(zip(where, findings["rule"], strict=True))
    width = max(map(len, corpus.RULES))
    lines = [f"{'rule':<{width}}  right  false  missed  precision  recall"]
    right, false, missed = expected & actual, actual - expected, expected - actual
    for rule in (*corpus.RULES, "total"):
        counts = [sum(rule in (name, "total") for _, name in pairs) for pairs in (right, false, missed)]
        correct, surplus, not_reported = counts
        precision = correct / (correct + surplus) if correct + surplus else 1.0
        recall = correct / (correct + not_reported) if correct + not_reported else 1.0
        lines.append(
            f"{rule:<{width}}  {correct:>5}  {surplus:>5}  {not_reported:>6}  {precision:>9.1%}  {recall:>6.1%}"
        )
    lines.append(f"{len(WEBHOOKS)} webhooks of {len({webhook.account for webhook in WEBHOOKS})} teams")
    wrong = [f"  {name} {rule}: unexpected" for name, rule in sorted(false)]
    wrong += [f"  {name} {rule}: missing" for name, rule in sorted(missed)]
    text = "\n".join([*lines, *(["differences:", *wrong] if wrong else [])])
    print(f"\n{text}")  # noqa: T201
    SCORE.parent.mkdir(exist_ok=True)
    SCORE.write_text(text + "\n", encoding="utf-8")
    assert wrong == []


@pytest.mark.parametrize("account", sorted({webhook.account for webhook in WEBHOOKS}))
def test_each_webhook_has_exactly_its_findings(findings, account: str) -> None:
    """Lists the missing and the surplus findings of each webhook."""
    actual: dict[str, set[str]] = defaultdict(set)
    for webhook_id, rule in zip(findings["webhook_id"], findings["rule"], strict=True):
        if not pd.isna(webhook_id):
            actual[webhook_id].add(rule)
    wrong = [
        f"{webhook.id} {webhook.name!r} {webhook.url!r:.120}: "
        f"missing {sorted(webhook.labels - actual[webhook.id])}, surplus {sorted(actual[webhook.id] - webhook.labels)}"
        for webhook in WEBHOOKS
        if webhook.account == account and webhook.labels != actual[webhook.id]
    ]
    assert wrong == []


def test_each_team_has_exactly_its_findings(findings) -> None:
    """One finding per account and host, with the host in the evidence."""
    about = findings[findings["webhook_id"].isna()]
    expected = Counter({key: len(hosts) for key, hosts in corpus.TEAM_LABELS.items()})
    assert expected == Counter(zip(about["account"], about["rule"], strict=True))
    for (account, rule), hosts in corpus.TEAM_LABELS.items():
        evidence = about[(about["account"] == account) & (about["rule"] == rule)]["evidence"]
        assert [1] * len(hosts) == [sum(host in text.lower() for text in evidence) for host in hosts]


@pytest.mark.parametrize("account", corpus.CLEAN)
def test_a_clean_account_has_no_findings(account: str) -> None:
    """When it is audited alone."""
    alone = cx.audit(corpus.frame(webhook for webhook in WEBHOOKS if webhook.account == account), now=NOW)
    assert [] == alone.to_frame()[["rule", "webhook_id", "evidence"]].to_numpy().tolist()


def test_a_clean_account_has_no_findings_among_others(findings) -> None:
    """Findings of other accounts do not affect it."""
    assert set() == set(findings["account"]) & set(corpus.CLEAN)


@pytest.mark.parametrize("rule", corpus.RULES)
def test_every_rule_reports_its_severity_evidence_and_remedy(findings, rule: str) -> None:
    """On its webhooks in the corpus."""
    own = findings[findings["rule"] == rule]
    assert len(own) > 0
    assert {corpus.RULES[rule]} == set(own["severity"])
    assert all(text.strip() for text in own["evidence"])
    assert all(text.strip() for text in own["remedy"])


def test_a_rule_reports_a_webhook_once(findings) -> None:
    """One finding covers all of it."""
    about = findings[findings["webhook_id"].notna()]
    assert [] == about[about.duplicated(["webhook_id", "rule"])]["webhook_id"].tolist()


def test_the_order_of_the_webhooks_does_not_change_the_findings(audited) -> None:
    """Only the order of the rows."""
    shuffled = corpus.frame(WEBHOOKS).sample(frac=1, random_state=20251210)
    assert reported(audited) == reported(cx.audit(shuffled, now=NOW))


def test_the_index_of_the_frame_is_ignored(findings) -> None:
    """A filtered or joined frame may have any index."""
    table = corpus.frame(WEBHOOKS)
    table.index = pd.Index(["same"] * len(table))
    pd.testing.assert_frame_equal(findings, cx.audit(table, now=NOW).to_frame())


def test_the_source_frame_is_not_modified() -> None:
    """The caller keeps an unchanged frame."""
    table = corpus.frame(WEBHOOKS)
    cx.audit(table, now=NOW)
    pd.testing.assert_frame_equal(corpus.frame(WEBHOOKS), table)


# --- evidence and masking ---------------------------------------------------------------------------------------------


def test_no_finding_shows_a_planted_secret(audited) -> None:
    """In no form of the audit."""
    text = shown(audited, page=True)
    assert [] == [secret for secret in corpus.SECRETS if secret in text]


def test_credentials_are_masked_in_the_evidence(findings) -> None:
    """The mask shows where they are."""
    own = findings[findings["rule"] == "credentials_in_url"]
    assert [] == [text for text in own["evidence"] if "••••" not in text]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"http://ada:{corpus.PASSWORD}@10.0.0.1:99/?token={corpus.VALUE}", id="several faults"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@abc.ngrok.io/{corpus.STRIPE}", id="tunnel"),
        pytest.param(f"https:///{corpus.STRIPE}?token={corpus.VALUE}", id="unreadable"),
        pytest.param(f"ada:{corpus.PASSWORD}@shop.example/?token={corpus.VALUE}", id="no scheme"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@[::1/{corpus.TOKEN}", id="invalid host"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@shop.example:port/", id="invalid port"),
        pytest.param(f"https://{corpus.GITHUB}.shop.example/", id="in the host"),
        pytest.param(f"https://shop.example/?a={corpus.SLACK}&a={corpus.SIGNING}#{corpus.AMAZON}", id="everywhere"),
    ],
)
@pytest.mark.usefixtures("without_charts")
def test_no_rule_shows_a_secret_that_another_rule_masks(url: str) -> None:
    """Several rules report a URL with several faults; all of them mask it."""
    text = shown(audit({"url": url}, {"url": url}, {"url": url, "events": ("survey.submitted",)}), page=True)
    assert [] == [secret for secret in corpus.SECRETS if secret in text]


@pytest.mark.parametrize(
    ("rule", "webhook", "expected"),
    [
        pytest.param("plain_http", {"url": "http://shop.example/x"}, "http://shop.example/x", id="plain_http"),
        pytest.param("tunnel_host", {"url": "https://abc.ngrok.io/x"}, "ngrok.io", id="tunnel_host"),
        pytest.param("private_address", {"url": "https://0x7f.1/x"}, "0x7f.1", id="private_address"),
        pytest.param("odd_port", {"url": "https://shop.example:8080/x"}, "8080", id="odd_port"),
        pytest.param("wildcard", {"events": ("ticket.*",)}, "ticket.*", id="wildcard"),
        pytest.param("unknown_event", {"events": ("ticket.create",)}, "ticket.create", id="unknown_event"),
        pytest.param("former_event", {"events": ("achievement.unlocked",)}, "achievement.unlocked", id="former_event"),
        pytest.param("test_name", {"name": "My demo"}, "demo", id="test_name"),
    ],
)
def test_the_evidence_contains_the_value_found(rule: str, webhook: dict[str, Any], expected: str) -> None:
    """The reader does not have to look it up."""
    table = audit(webhook).to_frame()
    assert [True] == [expected in text for text in table[table["rule"] == rule]["evidence"]]


def test_the_new_name_of_a_renamed_event_is_given() -> None:
    """In the remedy or the evidence."""
    (row,) = audit({"events": ("achievement.unlocked",)}).to_frame().to_dict("records")
    assert "player.achievement_unlocked" in row["evidence"] + row["remedy"]


def test_the_unreceived_events_are_listed() -> None:
    """And only those."""
    (row,) = (
        audit({"events": ("ticket.created",)}, {"events": ("ticket.created", "boss.spawned"), "is_active": False})
        .to_frame()
        .to_dict("records")
    )
    assert ("unreceived_event", "whk_2") == (row["rule"], row["webhook_id"])
    assert "boss.spawned" in row["evidence"]
    assert "ticket.created" not in row["evidence"]


def test_duplicates_and_lookalikes_name_the_other_webhook_or_host() -> None:
    """The reader sees which two belong together."""
    table = audit(
        {"url": "https://one.shop.example/x"},
        {"url": "https://one.shop.example/x"},
        {"url": "https://sample-shop.com/x"},
        {"url": "https://samp1e-shop.com/x"},
    ).to_frame()
    evidence = dict(zip(table["rule"], table["evidence"], strict=True))
    assert {"delivers_twice", "lookalike_host"} == set(evidence)
    assert "whk_1" in evidence["delivers_twice"] or "Orders 1" in evidence["delivers_twice"]
    assert "sample-shop.com" in evidence["lookalike_host"]


def test_a_wildcard_without_matches_is_an_unknown_event() -> None:
    """It receives nothing."""
    assert ("whk_1", "unknown_event") in reported(audit({"events": ("tickets.*",)}))


@pytest.mark.parametrize(("letter", "alike"), list(zip("асеорхуѕіјһԁɡıӏοανρ", "aceopxysijhdgilo" + "avp", strict=True)))
@pytest.mark.parametrize("is_whole", [pytest.param(True, id="whole label"), pytest.param(False, id="between letters")])
def test_each_lookalike_letter_is_detected(letter: str, alike: str, is_whole: bool) -> None:
    """As the whole name and between other letters, in Unicode and in punycode."""
    real, fake = (
        (f"{alike * 3}.example", f"{letter * 3}.example") if is_whole else (f"z{alike}z.example", f"z{letter}z.example")
    )
    for host in (fake, corpus.punycode(fake)):
        audited = audit({"url": f"https://{real}/"}, {"url": f"https://{host}/", "created_at": corpus.ago(300)})
        assert {("whk_2", "lookalike_host")} == reported(audited)


@pytest.mark.parametrize("created", [pytest.param(corpus.ago(50), id="same second"), pytest.param(None, id="unknown")])
def test_of_duplicates_of_equal_age_all_but_one_are_reported(created: Any) -> None:
    """One always remains."""
    webhook = {"url": "https://one.shop.example/x", "created_at": created}
    assert ["delivers_twice"] * 2 == rules_of(audit(webhook, webhook, webhook))


# --- audit_rules ------------------------------------------------------------------------------------------------------


def test_audit_rules_lists_every_rule() -> None:
    """With one row per rule and no blank cell."""
    table = cx.audit_rules()
    assert ["rule", "severity", "title", "why", "remedy"] == list(table.columns)
    assert dict(corpus.RULES) == dict(zip(table["rule"], table["severity"], strict=True))
    assert len(corpus.RULES) == len(table)
    assert table.map(lambda cell: isinstance(cell, str) and bool(cell.strip())).all(axis=None)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_is_sorted_by_severity_rule_account_and_webhook(findings) -> None:
    """The most severe findings come first, and the order is always the same."""
    row_of = {webhook.id: number for number, webhook in enumerate(WEBHOOKS)}
    keys = [(SEVERITIES.index(row.severity), row.rule, row.account) for row in findings.itertuples()]
    assert sorted(keys) == keys
    for _, rows in findings.dropna(subset=["webhook_id"]).groupby(["severity", "rule", "account"]):
        indexes = [row_of[webhook_id] for webhook_id in rows["webhook_id"]]
        assert sorted(indexes) == indexes


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(corpus.frame(WEBHOOKS), id="findings"),
        pytest.param(corpus.frame([webhook for webhook in WEBHOOKS if webhook.account == "elm"]), id="no findings"),
        pytest.param(corpus.frame([]), id="no webhooks"),
        pytest.param(cx.WebhookList([]), id="an empty list"),
    ],
)
def test_columns_and_dtypes_are_always_the_same(source) -> None:
    """With and without rows."""
    audited = cx.audit(source, now=NOW)
    table = audited.to_frame()
    assert COLUMNS == list(table.columns)
    assert {"str"} == set(table.dtypes.astype(str))
    ignored = audited.ignored
    assert [*COLUMNS, "reason", "until"] == list(ignored.columns)
    assert ["account", "team_id", "environment", "state", "webhooks", "error"] == list(audited.accounts.columns)
    assert "Int64" == str(audited.accounts["webhooks"].dtype)
    usual = list(cx.WebhookList([]).to_frame().columns)
    assert ["account", "team_id", "environment", *usual] == list(audited.webhooks.columns)
    assert FIXED == list(cx.audit(corpus.frame([]), now=NOW).fix().columns)


def test_the_webhooks_of_all_teams_are_in_one_frame(audited) -> None:
    """Each webhook once, in order."""
    table = audited.webhooks
    assert [webhook.id for webhook in WEBHOOKS] == table["id"].tolist()
    assert [webhook.account for webhook in WEBHOOKS] == table["account"].tolist()
    assert audited.complete is True
    assert {"read"} == set(audited.accounts["state"])
    counted = Counter(webhook.account for webhook in WEBHOOKS)
    assert dict(counted) == dict(zip(audited.accounts["account"], audited.accounts["webhooks"], strict=True))


def test_a_second_audit_gives_the_same_findings(findings) -> None:
    """Nothing is random."""
    pd.testing.assert_frame_equal(findings, cx.audit(corpus.frame(WEBHOOKS), now=NOW).to_frame())


def test_a_webhook_list_is_audited_without_requests() -> None:
    """Neither it nor its frame is fetched again."""
    items = [
        {"id": "whk_1", "name": "One", "url": "http://shop.example/x", "events": ["ticket.created"], "isActive": True},
        {"id": "whk_2", "name": "Two", "url": "https://shop.example/y", "events": ["ticket.*"], "isActive": True},
    ]
    webhooks = cx.WebhookList(items)
    expected = {("whk_1", "plain_http"), ("whk_2", "wildcard")}
    assert expected == reported(cx.audit(webhooks, now=NOW))
    assert expected == reported(cx.audit(webhooks.to_frame(), now=NOW))


@pytest.mark.parametrize(
    "events_as",
    [
        pytest.param(("achievement.unlocked", "ticket.*"), id="tuple"),
        pytest.param(["achievement.unlocked", "ticket.*"], id="list"),
    ],
)
def test_events_may_be_a_tuple_or_a_list(events_as) -> None:
    """As in a frame written by hand."""
    assert {("whk_1", "former_event"), ("whk_1", "wildcard")} == reported(audit({"events": events_as}))


@pytest.mark.parametrize("environment", ["live", "test", "sandbox"])
def test_webhooks_of_different_accounts_are_not_duplicates(environment: str) -> None:
    """The same URL in the test and the live account of a team is fine."""
    table = pd.concat([team({}, {}), team({"id": "whk_a"}, account="other", environment=environment)])
    assert set() == reported(cx.audit(table, now=NOW))


# --- thresholds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "webhook", "without", "having"),
    [
        pytest.param("ports = [443, 9000]", {"url": "https://a.example:9000/"}, ["odd_port"], [], id="ports, more"),
        pytest.param("ports = [443]", {"url": "https://a.example:8443/"}, [], ["odd_port"], id="ports, fewer"),
        pytest.param("everything = 0.5", {"events": corpus.ALL[:18]}, [], ["everything"], id="everything, half"),
        pytest.param("everything = 1.0", {"events": corpus.ALL[:34]}, ["everything"], [], id="everything, all"),
        pytest.param("everything = 1", {"events": corpus.ALL[:34]}, ["everything"], [], id="everything, integer"),
        pytest.param("everything = 1.0", {"events": ("*",)}, ["everything"], ["everything"], id="everything, *"),
        pytest.param(
            "inactive_days = 5",
            {"is_active": False, "updated_at": corpus.ago(6)},
            ["unreceived_event"],
            ["inactive_long", "unreceived_event"],
            id="inactive_days, fewer",
        ),
        pytest.param(
            "inactive_days = 1000",
            {"is_active": False, "updated_at": corpus.ago(900)},
            ["inactive_long", "unreceived_event"],
            ["unreceived_event"],
            id="inactive_days, more",
        ),
        pytest.param("secret_days = 50", {"created_at": corpus.ago(51)}, [], ["old_secret"], id="secret_days, fewer"),
        pytest.param("secret_days = 700", {"created_at": corpus.ago(600)}, ["old_secret"], [], id="secret_days, more"),
        pytest.param(
            'expected_events = ["ticket.created", "survey.submitted"]',
            {},
            [],
            ["unreceived_event"],
            id="expected_events",
        ),
        pytest.param('expected_events = ["ticket.created"]', {}, [], [], id="expected_events, received"),
        pytest.param(
            'expected_events = ["ticket.created"]',
            {"events": ("ticket.*",)},
            ["wildcard"],
            ["wildcard"],
            id="expected_events, received by wildcard",
        ),
    ],
)
def test_a_threshold_changes_its_rule(
    tmp_path: Path, line: str, webhook: dict[str, Any], without: list[str], having: list[str]
) -> None:
    """And no other rule."""
    assert without == rules_of(audit(webhook))
    assert having == rules_of(audit(webhook, settings=toml(tmp_path, f"[thresholds]\n{line}\n")))


def test_a_missing_expected_event_is_reported_for_the_team(tmp_path: Path) -> None:
    """Per team, without a webhook, with the event in the evidence."""
    table = pd.concat([team({}), team({"id": "whk_a", "events": ("survey.submitted",)}, account="other")])
    audited = cx.audit(table, settings=toml(tmp_path, '[thresholds]\nexpected_events = ["survey.submitted"]'), now=NOW)
    (row,) = audited.to_frame().to_dict("records")
    assert ("unreceived_event", "shop") == (row["rule"], row["account"])
    assert pd.isna(row["webhook_id"])
    assert "survey.submitted" in row["evidence"]


def test_a_missing_event_of_a_team_without_webhooks_names_its_environment(tmp_path: Path) -> None:
    """Nothing else in the audit tells where the events are missing."""
    with serving(data([])) as (_, client):
        audited = cx.audit(client, settings=toml(tmp_path, '[thresholds]\nexpected_events = ["survey.submitted"]'))
    (row,) = audited.to_frame().to_dict("records")
    assert ("unreceived_event", "live") == (row["rule"], row["environment"])


def teams_at(*hosts: str) -> pd.DataFrame:
    """One team per host."""
    return pd.concat(
        [
            team({"id": f"whk_{number}", "url": f"https://{host}/{number}"}, account=f"shop {number}")
            for number, host in enumerate(hosts)
        ]
    )


@pytest.mark.parametrize(
    ("lines", "count", "expected"),
    [
        pytest.param("", 3, 3, id="three by default"),
        pytest.param("teams_per_host = 2", 2, 2, id="two"),
        pytest.param("teams_per_host = 4", 3, 0, id="below threshold"),
        pytest.param('shared_hosts = ["hub.example"]', 3, 0, id="shared"),
        pytest.param('shared_hosts = ["HUB.Example"]', 3, 0, id="shared, upper case"),
        pytest.param('shared_hosts = ["*.example"]', 3, 0, id="shared by wildcard"),
        pytest.param('shared_hosts = ["*.hub.example"]', 3, 3, id="wildcard of other hosts"),
        pytest.param('shared_hosts = ["ub.example"]', 3, 3, id="partial host"),
    ],
)
def test_many_teams_follows_its_thresholds(tmp_path: Path, lines: str, count: int, expected: int) -> None:
    """There is one finding per team, or none."""
    audited = cx.audit(teams_at(*["hub.example"] * count), settings=toml(tmp_path, f"[thresholds]\n{lines}\n"), now=NOW)
    table = audited.to_frame()
    assert ["many_teams"] * expected == table["rule"].tolist()
    assert expected == table["account"].nunique()
    assert table["webhook_id"].isna().all()


def test_shared_hosts_replaces_the_default(tmp_path: Path) -> None:
    """The default hosts are no longer allowed."""
    source = teams_at(*["hooks.slack.com"] * 3)
    assert [] == cx.audit(source, now=NOW).to_frame()["rule"].tolist()
    path = toml(tmp_path, '[thresholds]\nshared_hosts = ["hub.example"]')
    assert ["many_teams"] * 3 == cx.audit(source, settings=path, now=NOW).to_frame()["rule"].tolist()


@pytest.mark.parametrize("given_as", [pytest.param(str, id="text"), pytest.param(Path, id="path")])
def test_settings_are_given_by_path(tmp_path: Path, given_as) -> None:
    """As a string or a Path. An empty file changes nothing."""
    path = toml(tmp_path, "")
    assert ["odd_port"] == rules_of(audit({"url": "https://a.example:99/"}, settings=given_as(path)))


# --- ignores ----------------------------------------------------------------------------------------------------------

ODD = {"url": "https://odd.shop.example:99/"}


def ignoring(folder: Path, **fields: Any) -> Path:
    """Writes a settings file with one ignore."""
    fields = {"rule": "odd_port", "reason": "The firewall wants it"} | fields
    lines = [f"{name} = {value if isinstance(value, dt.date) else json.dumps(value)}" for name, value in fields.items()]
    return toml(folder, "\n".join(["[[ignore]]", *lines]))


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"webhook": "whk_1"}, id="webhook"),
        pytest.param({"account": "shop"}, id="account"),
        pytest.param({"host": "odd.shop.example"}, id="host"),
        pytest.param({"host": "ODD.shop.example"}, id="host, upper case"),
        pytest.param({"webhook": "whk_1", "account": "shop", "host": "odd.shop.example"}, id="all three"),
        pytest.param({"account": "shop", "until": dt.date(2025, 12, 11)}, id="until tomorrow"),
        pytest.param({"account": "shop", "until": dt.date(2099, 1, 1)}, id="until later"),
    ],
)
def test_an_ignored_finding_is_listed_with_its_reason(tmp_path: Path, fields: dict[str, Any]) -> None:
    """It is in `ignored`, not among the findings."""
    audited = audit(ODD, settings=ignoring(tmp_path, **fields))
    assert [] == rules_of(audited)
    (row,) = audited.ignored.to_dict("records")
    assert ("odd_port", "whk_1", "The firewall wants it") == (row["rule"], row["webhook_id"], row["reason"])
    assert str(fields["until"]) in str(row["until"]) if "until" in fields else pd.isna(row["until"])
    assert () == audited.notes


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"webhook": "whk_2"}, id="another webhook"),
        pytest.param({"account": "shopping"}, id="another account"),
        pytest.param({"host": "shop.example"}, id="another host"),
        pytest.param({"webhook": "whk_1", "account": "other"}, id="one of two conditions matches"),
        pytest.param({"webhook": "whk_1", "rule": "plain_http"}, id="another rule"),
    ],
)
def test_an_ignore_without_matches_is_noted(tmp_path: Path, fields: dict[str, Any]) -> None:
    """All its conditions must match. A note points out the possible mistake."""
    audited = audit(ODD, settings=ignoring(tmp_path, **fields))
    assert ["odd_port"] == rules_of(audited)
    assert 0 == len(audited.ignored)
    (note,) = audited.notes
    assert str(fields.get("rule", "odd_port")) in note


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(NOW.date(), id="today"),
        pytest.param(dt.date(2025, 12, 9), id="yesterday"),
        pytest.param(dt.date(1999, 12, 31), id="long ago"),
    ],
)
def test_an_expired_ignore_no_longer_applies(tmp_path: Path, until: dt.date) -> None:
    """From its date on, the finding is reported again, and a note gives the date."""
    audited = audit(ODD, settings=ignoring(tmp_path, webhook="whk_1", until=until))
    assert ["odd_port"] == rules_of(audited)
    assert 0 == len(audited.ignored)
    (note,) = audited.notes
    assert str(until) in note


def test_an_ignore_applies_to_its_rule_and_webhook_only(tmp_path: Path) -> None:
    """Other findings are still reported."""
    path = ignoring(tmp_path, webhook="whk_1")
    audited = audit({"url": "http://odd.shop.example:99/"}, {"url": "https://odd-2.shop.example:99/"}, settings=path)
    assert {("whk_1", "plain_http"), ("whk_2", "odd_port")} == reported(audited)


@pytest.mark.parametrize(
    "fields", [pytest.param({"account": "shop 1"}, id="account"), pytest.param({"host": "hub.example"}, id="host")]
)
def test_a_finding_about_a_team_can_be_ignored(tmp_path: Path, fields: dict[str, Any]) -> None:
    """By account or by host."""
    path = ignoring(tmp_path, rule="many_teams", **fields)
    audited = cx.audit(teams_at(*["hub.example"] * 3), settings=path, now=NOW)
    left = {"shop 0", "shop 2"} if "account" in fields else set()
    assert left == set(audited.to_frame()["account"])
    assert () == audited.notes


@pytest.mark.usefixtures("without_charts")
def test_the_reason_of_an_ignore_is_escaped(tmp_path: Path) -> None:
    """It is untrusted text, too."""
    path = ignoring(tmp_path, webhook="whk_1", reason="<script>alert(1)</script>")
    audited = audit(ODD, settings=path)
    assert "<script>alert(1)</script>" == audited.ignored["reason"].iloc[0]
    assert "<script>alert(1)" not in audited.to_html()


# --- invalid settings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("[thresholds]\nport = [443]", ["port", "ports"], id="unknown threshold"),
        pytest.param(
            "[thresholds]\ninactive_day = 5", ["inactive_day", "inactive_days"], id="unknown threshold, singular"
        ),
        pytest.param("[threshold]\nports = [443]", ["threshold", "thresholds"], id="unknown table"),
        pytest.param("ports = [443]", ["ports"], id="key outside a table"),
        pytest.param("[[ignores]]\nrule = 'odd_port'", ["ignores", "ignore"], id="unknown list"),
        pytest.param(
            "[ignore]\nrule = 'odd_port'\nreason = 'x'\nwebhook = 'w'", ["ignore"], id="table instead of list"
        ),
        pytest.param("thresholds = 5", ["thresholds"], id="thresholds number"),
        pytest.param("ignore = 'odd_port'", ["ignore"], id="ignore text"),
        pytest.param("ignore = ['odd_port']", ["ignore"], id="ignore list of texts"),
        pytest.param("[thresholds]\nports = 443", ["ports"], id="ports a number"),
        pytest.param("[thresholds]\nports = ['443']", ["ports"], id="ports texts"),
        pytest.param("[thresholds]\nports = [true]", ["ports"], id="ports booleans"),
        pytest.param("[thresholds]\neverything = 'most'", ["everything"], id="everything a text"),
        pytest.param("[thresholds]\neverything = true", ["everything"], id="everything a boolean"),
        pytest.param("[thresholds]\ninactive_days = '90'", ["inactive_days"], id="days a text"),
        pytest.param("[thresholds]\ninactive_days = true", ["inactive_days"], id="days a boolean"),
        pytest.param("[thresholds]\nsecret_days = [365]", ["secret_days"], id="days a list"),
        pytest.param("[thresholds]\nsecret_days = 2025-01-01", ["secret_days"], id="days a date"),
        pytest.param("[thresholds]\nteams_per_host = 'three'", ["teams_per_host"], id="teams a text"),
        pytest.param("[thresholds]\nshared_hosts = 'hub.example'", ["shared_hosts"], id="hosts a text"),
        pytest.param("[thresholds]\nshared_hosts = [1]", ["shared_hosts"], id="hosts numbers"),
        pytest.param("[thresholds]\nexpected_events = 'ticket.created'", ["expected_events"], id="events a text"),
        pytest.param("[thresholds]\nexpected_events = [1]", ["expected_events"], id="events numbers"),
        pytest.param(
            "[[ignore]]\nrule = 'odd_prt'\nreason = 'x'\nwebhook = 'w'", ["odd_prt", "odd_port"], id="unknown rule"
        ),
        pytest.param("[[ignore]]\nreason = 'x'\nwebhook = 'w'", ["rule"], id="no rule"),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nwebhook = 'w'", ["reason"], id="no reason"),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nwebhook = 'w'\nreason = ' '", ["reason"], id="blank reason"),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nwebhook = 'w'\nreason = 5", ["reason"], id="reason a number"),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nreason = 'x'", ["webhook", "account", "host"], id="no condition"),
        pytest.param(
            "[[ignore]]\nrule = 'odd_port'\nreason = 'x'\nwebhok = 'w'", ["webhok", "webhook"], id="unknown key"
        ),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nreason = 'x'\nwebhook = 5", ["webhook"], id="webhook a number"),
        pytest.param("[[ignore]]\nrule = 'odd_port'\nreason = 'x'\nhost = ['a']", ["host"], id="host a list"),
        pytest.param("[[ignore]]\nrule = 5\nreason = 'x'\nhost = 'a'", ["rule"], id="rule a number"),
        pytest.param(
            "[[ignore]]\nrule = 'odd_port'\nreason = 'x'\nhost = 'a'\nuntil = 'soon'", ["until"], id="until a word"
        ),
        pytest.param(
            "[[ignore]]\nrule = 'odd_port'\nreason = 'x'\nhost = 'a'\nuntil = 5", ["until"], id="until a number"
        ),
    ],
)
def test_a_mistake_in_the_settings_is_named(tmp_path: Path, text: str, expected: list[str]) -> None:
    """The error gives the file and, if there is one, the closest valid name."""
    path = toml(tmp_path, text)
    with pytest.raises(errors.ConfigurationError) as refused:
        audit({}, settings=path)
    message = str(refused.value)
    assert [] == [word for word in expected if word not in message]
    assert path.name in message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[thresholds", id="unclosed table"),
        pytest.param(b"rule: odd_port", id="YAML"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
        pytest.param(b"[thresholds]\nports = [443]\nports = [80]", id="duplicate key"),
        pytest.param(b"a." * 5000 + b"a = 1", id="dotted key"),
        pytest.param(b"a = " + b"[" * 5000 + b"]" * 5000, id="nested lists"),
    ],
)
def test_a_file_that_is_not_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """With the package's own error."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigurationError, match=r"broken\.toml"):
        audit({}, settings=path)


@pytest.mark.parametrize("name", [pytest.param("missing.toml", id="missing"), pytest.param("", id="folder")])
def test_unreadable_settings_are_refused(tmp_path: Path, name: str) -> None:
    """A missing file does not count as an empty one."""
    with pytest.raises(errors.ConfigurationError):
        audit({}, settings=tmp_path / name)


@pytest.mark.parametrize("settings", [pytest.param({"ports": []}, id="a dict"), pytest.param(5, id="a number")])
def test_settings_of_the_wrong_type_are_refused(settings) -> None:
    """They are not silently ignored."""
    with pytest.raises((errors.CStarError, TypeError)):
        audit({}, settings=settings)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(None, id="None"),
        pytest.param(5, id="a number"),
        pytest.param("webhooks.csv", id="text"),
        pytest.param([{"id": "whk_1"}], id="a list of dicts"),
        pytest.param(object(), id="object"),
    ],
)
def test_a_source_of_the_wrong_type_is_refused(source) -> None:
    """With the package's own error."""
    with pytest.raises(errors.CStarError):
        cx.audit(source, now=NOW)


# --- a client ---------------------------------------------------------------------------------------------------------

RATE_LIMIT = {
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Reset": str(int(NOW.timestamp()) + 3600),
    "X-RateLimit-Window": "3600",
}
DATE = {"Date": "Wed, 10 Dec 2025 14:30:00 GMT"}


def item(number: int, *, active: bool = True, created: float = 120, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"whk_{number}",
        "name": f"Orders {number}",
        "url": f"https://hook-{number}.shop.example/cstar",
        "events": ["ticket.created"],
        "isActive": active,
        "createdAt": corpus.ago(created).isoformat().replace("+00:00", "Z"),
    } | fields


def detail(number: int, updated: float, **fields: Any) -> dict[str, Any]:
    return item(number, active=False, updatedAt=corpus.ago(updated).isoformat().replace("+00:00", "Z"), **fields)


@contextlib.contextmanager
def serving(*script: Script, key: str = LIVE, **options: Any) -> Iterator[tuple[ScriptedServer, cx.Client]]:
    """A server with these responses, and a client for it."""
    with ScriptedServer(*script) as server, cx.Client(key, "team_1", server.url, timeout=2, **options) as client:
        yield server, client


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([item(1), item(2), item(3)], ["webhooks"], id="active"),
        pytest.param([], ["webhooks"], id="no webhooks"),
        pytest.param([item(1), item(2, active=False, created=89)], ["webhooks"], id="paused, new"),
        pytest.param([item(1), item(2, active=False, created=90)], ["webhooks"], id="paused, at the threshold"),
        pytest.param([item(1), item(2, active=False, created=91)], ["webhooks", "whk_2"], id="paused, old"),
        pytest.param([item(1), detail(2, 5)], ["webhooks"], id="paused, old, last change in the list"),
        pytest.param(
            [item(1), item(2, active=False), item(3, active=False), item(4, active=False, created=3)],
            ["webhooks", "whk_2", "whk_3"],
            id="two",
        ),
    ],
)
def test_an_audit_sends_only_the_necessary_get_requests(items: list[dict[str, Any]], expected: list[str]) -> None:
    """The list once, and each webhook that may have been paused for a long time once."""
    details = {fields["id"]: fields | {"updatedAt": "2025-12-01T00:00:00Z"} for fields in items}

    def respond(connection: Any, request: Any) -> bool:
        last = request.path.rpartition("/")[2]
        return data(items if last == "webhooks" else details[last], headers=DATE)(connection, request)

    with serving(*[respond] * 9) as (server, client):
        audited = cx.audit(client, now=NOW)
        assert expected == [
            server.requests[0].path.rpartition("/")[2],
            *sorted(request.path.rpartition("/")[2] for request in server.requests[1:]),
        ]
        assert {"GET"} == set(server.methods)
        assert set() == {request.body for request in server.requests} - {b""}
    assert set() == reported(audited)
    assert () == audited.notes


def test_a_single_webhook_contains_its_last_change() -> None:
    """The list of the API reference does not."""
    with serving(data([item(1), item(2, active=False)]), data(detail(2, 100))) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert {("whk_2", "inactive_long")} == reported(audited)
    assert NOW - dt.timedelta(days=100) == audited.webhooks["updated_at"].iloc[1]


def test_fewer_inactive_days_need_more_requests(tmp_path: Path) -> None:
    """The threshold decides which webhooks may have been paused for a long time."""
    path = toml(tmp_path, "[thresholds]\ninactive_days = 10")
    with serving(data([item(1), item(2, active=False, created=20)]), data(detail(2, 15))) as (server, client):
        audited = cx.audit(client, settings=path, now=NOW)
        assert 2 == len(server.requests)
    assert {("whk_2", "inactive_long")} == reported(audited)


@pytest.mark.parametrize(
    ("remaining", "expected"),
    [
        pytest.param(999, 2, id="plenty"),
        pytest.param(100, 2, id="a tenth"),
        pytest.param(99, 1, id="less than a tenth"),
        pytest.param(0, 1, id="nothing"),
    ],
)
def test_single_webhooks_are_skipped_when_the_rate_limit_is_low(remaining: int, expected: int) -> None:
    """The audit leaves requests to other clients, and a note gives what it skipped."""
    headers = RATE_LIMIT | {"X-RateLimit-Remaining": str(remaining)}
    with serving(data([item(1), item(2, active=False)], headers=headers), data(detail(2, 100), headers=headers)) as (
        server,
        client,
    ):
        audited = cx.audit(client, now=NOW)
        assert expected == len(server.requests)
    assert expected - 1 == len(audited.to_frame())
    assert 2 - expected == len(audited.notes)
    assert audited.complete is True


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(status(404, type="not_found_error"), id="deleted meanwhile"),
        pytest.param(status(403, type="permission_error"), id="forbidden"),
        pytest.param(data({"id": "whk_2"}), id="without the time"),
    ],
)
def test_an_unknown_last_change_is_not_a_finding(line: Script) -> None:
    """The other findings are still reported."""
    with serving(data([item(1, url="https://a.example:99/"), item(2, active=False)]), line) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert {("whk_1", "odd_port")} == reported(audited)


def test_ages_are_computed_from_the_clock_of_cstar() -> None:
    """The clock of this machine may be wrong."""
    with serving(data([item(1, created=366), item(2, created=364)], headers=DATE)) as (_, client):
        assert {("whk_1", "old_secret")} == reported(cx.audit(client))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(LIVE, {("whk_1", "test_name"), ("whk_1", "private_address"), ("whk_1", "plain_http")}, id="live"),
        pytest.param(TEST, set(), id="sandbox"),
    ],
)
def test_the_environment_is_that_of_the_key(key: str, expected: set[tuple[str, str]]) -> None:
    """In a sandbox, test names and deliveries to this machine are fine."""
    with serving(data([item(1, name="test", url="http://127.0.0.1/x")]), key=key) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert expected == reported(audited)
    assert ["sandbox" if key == TEST else "live"] == audited.webhooks["environment"].tolist()


def test_the_client_is_not_modified(sandbox: cx.Sandbox) -> None:
    """It stays open and writable."""
    with sandbox.client() as client:
        cx.audit(client)
        made = client.webhooks.create(name="After", url="https://after.example.com/x", events=["ticket.created"])
        assert made.id in {webhook.id for webhook in client.webhooks.list()}


@pytest.mark.parametrize(
    "options",
    [pytest.param({"write": False}, id="write=False"), pytest.param({"key": "publishable"}, id="publishable")],
)
def test_a_read_only_client_can_audit(sandbox: cx.Sandbox, options: dict[str, Any]) -> None:
    """An audit needs nothing more."""
    with sandbox.client(options.get("key", "secret"), write=options.get("write", True)) as client:
        audited = cx.audit(client)
    assert 4 == len(audited.webhooks)
    assert audited.complete is True


def test_the_findings_of_a_new_sandbox(client: cx.Client) -> None:
    """A wildcard, and a paused webhook whose events no other receives."""
    names = dict(zip(*(cx.audit(client).webhooks[column] for column in ("id", "name")), strict=True))
    assert {("Search index", "wildcard"), ("Boss fight overlay", "unreceived_event")} == {
        (names[webhook], rule) for webhook, rule in reported(cx.audit(client))
    }


@pytest.mark.usefixtures("without_charts")
def test_no_key_is_shown(sandbox: cx.Sandbox) -> None:
    """In no form of the audit."""
    with sandbox.client() as client:
        audited = cx.audit(client)
    assert sandbox.key.reveal() not in shown(audited, page=True)


# --- fixes ------------------------------------------------------------------------------------------------------------

FIELDS = ["name", "url", "events", "is_active"]


@contextlib.contextmanager
def without_event_warnings() -> Iterator[None]:
    """Silences the warning about the former name that an undo writes back."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", events.UnknownEventWarning)
        yield


def state(client: cx.Client) -> dict[str, tuple[Any, ...]]:
    return {
        webhook.id: (webhook.name, webhook.url, frozenset(webhook.events or ()), webhook.is_active)
        for webhook in client.webhooks.list()
    }


HOOK = "https://billing.example.com/hook"
FIXES = [
    pytest.param("former_event", [("A", HOOK, ["achievement.unlocked", "ticket.created"])], {}, id="former_event"),
    pytest.param(
        "delivers_twice",
        [("A", HOOK, ["ticket.created"]), ("B", HOOK, ["ticket.created", "ticket.closed"])],
        {},
        id="delivers_twice",
    ),
    pytest.param(
        "delivers_twice",
        [("A", HOOK, ["ticket.created"]), ("B", HOOK, ["ticket.*"]), ("C", HOOK, ["ticket.created"])],
        {},
        id="delivers_twice, three",
    ),
    pytest.param("same_url", [("A", HOOK, ["ticket.created"]), ("B", HOOK, ["ticket.closed"])], {}, id="same_url"),
    pytest.param("tunnel_host", [("A", "https://abc.ngrok.io/hook", ["ticket.created"])], {}, id="tunnel_host"),
    pytest.param("private_address", [("A", "https://10.0.0.1/hook", ["ticket.created"])], {}, id="private_address"),
    pytest.param("plain_http", [("A", "http://127.0.0.1/hook", ["ticket.created"])], {"key": "live"}, id="plain_http"),
]


@pytest.mark.parametrize(("rule", "planted", "options"), FIXES)
def test_an_applied_fix_resolves_its_finding_and_can_be_undone(sandbox: cx.Sandbox, rule, planted, options) -> None:
    """No fix is left, no other webhook changes, and the inverted plan restores everything."""
    with sandbox.client(options.get("key", "secret")) as client, without_event_warnings():
        made = [client.webhooks.create(name=name, url=url, events=kinds).id for name, url, kinds in planted]
        before, audited = state(client), cx.audit(client)
        assert rule in rules_of(audited)
        others = {row for row in reported(audited) if row[0] not in made}
        plan = cx.plan(client, audited.fix(rules=[rule]))
        assert len(plan) >= 1
        plan.apply()
        after, again = state(client), cx.audit(client)
        assert 0 == len(cx.plan(client, again.fix(rules=[rule])))
        assert {key: value for key, value in before.items() if key not in made} == {
            key: value for key, value in after.items() if key not in made
        }
        assert others == {row for row in reported(again) if row[0] not in made}
        assert set(made) <= set(after)
        plan.invert().apply()
        assert before == state(client)


@pytest.mark.parametrize(("rule", "planted", "options"), [fix for fix in FIXES if fix[0][0] != "same_url"])
def test_a_fixed_finding_is_not_reported_again(sandbox: cx.Sandbox, rule, planted, options) -> None:
    """Except same_url: the URL stays the same, but one of the two is paused."""
    with sandbox.client(options.get("key", "secret")) as client, without_event_warnings():
        for name, url, kinds in planted:
            client.webhooks.create(name=name, url=url, events=kinds)
        cx.plan(client, cx.audit(client).fix(rules=[rule])).apply()
        assert [] == [row for row in reported(cx.audit(client)) if row[1] == rule]


@pytest.mark.parametrize(
    ("rule", "webhooks", "expected"),
    [
        pytest.param(
            "plain_http",
            [{"url": "http://shop.example/x?a=1#b"}],
            {"whk_1": {"url": "https://shop.example/x?a=1#b"}},
            id="plain_http",
        ),
        pytest.param(
            "plain_http",
            [{"url": f"http://ada:{corpus.PASSWORD}@shop.example/x"}],
            {"whk_1": {"url": f"https://ada:{corpus.PASSWORD}@shop.example/x"}},
            id="plain_http with credentials",
        ),
        pytest.param(
            "former_event",
            [{"events": ("ticket.created", "achievement.unlocked")}],
            {"whk_1": {"events": {"ticket.created", "player.achievement_unlocked"}}},
            id="former_event",
        ),
        pytest.param(
            "former_event",
            [{"events": ("player.achievement_unlocked", "achievement.unlocked")}],
            {"whk_1": {"events": {"player.achievement_unlocked"}}},
            id="former_event with the new name",
        ),
        pytest.param(
            "delivers_twice",
            [
                {"url": HOOK, "events": ("ticket.created", "ticket.closed"), "created_at": corpus.ago(10)},
                {"url": HOOK, "events": ("ticket.created", "boss.spawned"), "created_at": corpus.ago(20)},
            ],
            {"whk_1": {"is_active": False}, "whk_2": {"events": {"ticket.created", "ticket.closed", "boss.spawned"}}},
            id="delivers_twice, oldest last",
        ),
        pytest.param(
            "same_url",
            [{"url": HOOK}, {"url": HOOK, "events": ("boss.spawned",)}],
            {"whk_1": {"events": {"ticket.created", "boss.spawned"}}, "whk_2": {"is_active": False}},
            id="same_url",
        ),
        pytest.param("no_events", [{"events": ()}], {"whk_1": {"is_active": False}}, id="no_events"),
        pytest.param(
            "private_address", [{"url": "https://10.0.0.1/"}], {"whk_1": {"is_active": False}}, id="private_address"
        ),
        pytest.param(
            "tunnel_host", [{"url": "https://a.ngrok.io/"}], {"whk_1": {"is_active": False}}, id="tunnel_host"
        ),
    ],
)
def test_a_fix_changes_only_the_fields_it_is_about(rule: str, webhooks: list[dict[str, Any]], expected) -> None:
    """Every other field stays, and `because` gives the rule."""
    audited = audit({"id": "whk_0"}, *({"id": f"whk_{n}"} | fields for n, fields in enumerate(webhooks, 1)))
    table = audited.fix(rules=[rule])
    assert FIXED == list(table.columns)
    current = audited.webhooks.set_index("id")
    changes: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        assert row["because"].strip()
        assert row["team_id"] == "team_shop"
        changed = {}
        for field in FIELDS:
            is_missing = not isinstance(row[field], tuple | list) and pd.isna(row[field])
            old, new = current.loc[row["id"], field], row[field]
            if not is_missing and (set(old) != set(new) if field == "events" else old != new):
                changed[field] = set(new) if field == "events" else bool(new) if field == "is_active" else new
        changes[row["id"]] = changed
    assert expected == {webhook: changed for webhook, changed in changes.items() if changed}


def test_fixes_of_several_rules_are_combined_in_one_row() -> None:
    """One row per webhook, with all its changes."""
    audited = audit({"url": "http://shop.example/x", "events": ("achievement.unlocked",)})
    (row,) = audited.fix().to_dict("records")
    assert ("https://shop.example/x", ["player.achievement_unlocked"]) == (row["url"], list(row["events"]))


def test_all_fixes_together_can_be_applied_and_undone(sandbox: cx.Sandbox) -> None:
    """As one plan."""
    with sandbox.client() as client, without_event_warnings():
        for fix in FIXES:
            _, planted, options = tuple(fix[0])
            for name, url, kinds in () if options else planted:
                client.webhooks.create(name=name, url=url, events=kinds)
        before = state(client)
        plan = cx.plan(client, cx.audit(client).fix())
        assert {"update"} == set(plan.to_frame()["what"])
        plan.apply()
        assert set(before) == set(state(client))
        assert 0 == len(cx.plan(client, cx.audit(client).fix()))
        plan.invert().apply()
        assert before == state(client)


@pytest.mark.parametrize(
    "rule",
    [
        "unreadable_url",
        "credentials_in_url",
        "lookalike_host",
        "odd_port",
        "everything",
        "wildcard",
        "unknown_event",
        "unreceived_event",
        "inactive_long",
        "old_secret",
        "test_name",
        "many_teams",
    ],
)
def test_rules_without_a_lossless_fix_have_none(audited, rule: str) -> None:
    """A person has to decide."""
    accounts = {webhook.account for webhook in WEBHOOKS if rule in webhook.labels} or {"dogwood"}
    for account in accounts:
        table = audited.fix(rules=[rule], account=account)
        assert (FIXED, 0) == (list(table.columns), len(table))


def test_fixes_are_limited_to_the_given_account(audited) -> None:
    """They delete nothing and never write a mask back."""
    for account in {webhook.account for webhook in WEBHOOKS}:
        table = audited.fix(account=account)
        assert {f"team_{account}"} >= set(table["team_id"])
        assert {webhook.id for webhook in WEBHOOKS if webhook.account == account} >= set(table["id"])
        assert not table["id"].duplicated().any()
        assert not table["url"].astype(str).str.contains("••••").any()
        assert not table["url"].dropna().str.startswith("http://").any()


def delivered(table: pd.DataFrame) -> set[tuple[str, str]]:
    """Pairs of host and event type that active webhooks deliver."""
    return {
        (str(row.url).split("://")[-1].split("/")[0].split(":")[0].lower(), kind)
        for row in table.itertuples()
        if bool(row.is_active)
        for pattern in row.events
        for kind in (events.matching_types(pattern) or (pattern,))
    }


def with_fixes(audited: Any, **options: Any) -> pd.DataFrame:
    """The webhooks after their fixes."""
    webhooks = {row["id"]: row for row in audited.webhooks.to_dict("records")}
    for row in audited.fix(**options).to_dict("records"):
        fields = {field: row[field] for field in FIELDS}
        webhooks[row["id"]] |= {
            field: value for field, value in fields.items() if isinstance(value, tuple | list) or not pd.isna(value)
        }
    return pd.DataFrame(webhooks.values())


@pytest.mark.parametrize("rule", ["delivers_twice", "same_url"])
@pytest.mark.parametrize(
    "webhooks",
    [
        pytest.param([{}, {}], id="equal"),
        pytest.param([{}, {"events": ("boss.spawned",)}], id="different events"),
        pytest.param([{"is_active": False}, {}], id="oldest paused"),
        pytest.param([{"is_active": False}, {"events": ("boss.spawned",)}], id="oldest paused, different events"),
        pytest.param([{"is_active": False}, {}, {}], id="oldest of three paused"),
        pytest.param([{}, {"is_active": False}, {"events": ("*",)}], id="middle one paused"),
        pytest.param([{"events": ("ticket.*",)}, {}, {"events": ("customer.*", "survey.submitted")}], id="wildcards"),
        pytest.param([{"created_at": None}, {}], id="age unknown"),
    ],
)
def test_merging_duplicates_loses_no_event(rule: str, webhooks: list[dict[str, Any]]) -> None:
    """The URL has one webhook less, but all its events."""
    audited = audit(*({"url": HOOK} | webhook for webhook in webhooks))
    assert delivered(audited.webhooks) <= delivered(with_fixes(audited, rules=[rule]))


def test_fix_requires_an_account_if_there_are_several(audited) -> None:
    """A plan has one client."""
    with pytest.raises(errors.ValidationError, match="account"):
        audited.fix()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"account": "unknown"}, id="account"),
        pytest.param({"rules": ["plain_htp"]}, id="rule"),
        pytest.param({"rules": "plain_htp"}, id="rule as text"),
    ],
)
def test_a_fix_for_an_unknown_rule_or_account_is_refused(options: dict[str, Any]) -> None:
    """A typo must not look as if there were nothing to fix."""
    with pytest.raises(errors.ValidationError) as refused:
        audit({"url": "http://shop.example/"}).fix(**options)
    assert ("unknown" if "account" in options else "plain_htp") in str(refused.value)


def test_an_ignored_finding_is_not_fixed(tmp_path: Path) -> None:
    """The user decided to leave it."""
    path = ignoring(tmp_path, rule="plain_http", webhook="whk_1")
    assert 0 == len(audit({"url": "http://shop.example/"}, settings=path).fix())


def test_the_https_fix_drops_port_80() -> None:
    """The port of plain http must not stay in an https URL."""
    table = audit({"url": "http://shop.example:80/x"}).fix()
    assert [] == [url for url in table["url"] if ":80/" in url]


# --- untrusted input --------------------------------------------------------------------------------------------------

BIDI = "\u202e\u2066\u200f"
UNTRUSTED = [
    pytest.param("<img src=x onerror=alert(1)>", id="markup"),
    pytest.param("</script><script>alert(1)</script>", id="script"),
    pytest.param("$\\frac{1}{2}$ and `code`", id="TeX"),
    pytest.param(f"{BIDI}gnp.exe", id="bidi"),
    pytest.param("\x1b[31mred\x07\x00\r\n\t", id="control characters"),
    pytest.param("\ud800", id="unpaired surrogate"),
    pytest.param("=HYPERLINK(1)", id="formula"),
    pytest.param("x" * 100_000, id="huge"),
    pytest.param("é" * 5_000, id="long, not ASCII"),
    pytest.param("{name} %s %(x)s {0}", id="format placeholders"),
]


def test_untrusted_text_is_escaped_in_the_report() -> None:
    """All of it at once, in every field."""
    texts = [fix[0][0] for fix in UNTRUSTED]
    webhooks = [
        {"url": f"http://127.0.0.1:99/{text}", "name": f"test {text}", "id": text, "events": (text,)} for text in texts
    ]
    page = cx.audit(pd.concat([team(fields, account=fields["id"]) for fields in webhooks]), now=NOW).to_html()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "</script><script>" not in page
    assert "\x1b" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("text", UNTRUSTED)
@pytest.mark.parametrize("field", ["name", "url", "id", "account", "events"])
def test_untrusted_text_is_escaped_in_the_findings(field: str, text: str) -> None:
    """In every form, and without an error."""
    fields = {"url": f"http://127.0.0.1:99/{text}", "name": f"test {text}", "id": text, "account": text}
    value = (text,) if field == "events" else fields.get(field, text)
    audited = audit({field: value, **({} if field == "url" else {"url": "http://127.0.0.1:99/"})}, {})
    table = audited.to_frame()
    assert len(table) >= 1
    page = audited._repr_html_()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in "".join([*table["evidence"], *table["remedy"], repr(audited)])
    assert "\x1b" not in "".join([*table["evidence"], *table["remedy"], repr(audited), page])
    assert max(map(len, table["evidence"])) < 5_000


def test_untrusted_text_is_not_a_formula_in_the_csv(tmp_path: Path) -> None:
    """No spreadsheet executes it."""
    path = tmp_path / "findings.csv"
    audit({"url": "http://shop.example/", "name": "=HYPERLINK(1)"}, {"name": "@test"}).to_csv(path)
    rows = pd.read_csv(path, dtype="str", keep_default_na=False)
    cells = [cell for row in rows.to_numpy().tolist() for cell in row]
    assert [] == [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}]
    assert any("HYPERLINK(1)" in cell for cell in cells)


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://xn--0.example/", id="invalid punycode"),
        pytest.param("https://xn--.example/", id="empty punycode"),
        pytest.param("https://xn--\u00fc.example/", id="punycode with an umlaut"),
        pytest.param("https://" + "a" * 300 + ".example/", id="a long label"),
        pytest.param("https://" + "a." * 5000 + "example/", id="many labels"),
        pytest.param("https://..../", id="only dots"),
        pytest.param("https://a..example/", id="empty label"),
        pytest.param("https://-/", id="dash"),
        pytest.param("https://%6c%6f%63alhost/", id="percent-encoded host"),
        pytest.param("https://999.999.999.999/", id="invalid IPv4 address"),
        pytest.param("https://" + "9" * 5000 + "/", id="a number of 5,000 digits"),
        pytest.param("https://0x" + "f" * 5000 + "/", id="a hexadecimal number of 5,000 digits"),
        pytest.param("https://0x/", id="hexadecimal number without digits"),
        pytest.param("https://1.2.3.4.5/", id="five numbers"),
        pytest.param("https://[fe80::1%25eth0]/", id="IPv6 zone"),
        pytest.param("https://[v1.x]/", id="IPvFuture address"),
        pytest.param("https://[::ffff:999.1.1.1]/", id="invalid mapped address"),
        pytest.param("https://a.example:" + "9" * 5000 + "/", id="a port of 5,000 digits"),
        pytest.param("https://a.example:-1/", id="a negative port"),
        pytest.param("https://a.example:\u0664\u0664\u0663/", id="a port in Arabic digits"),
        pytest.param("https://a.example:0/", id="port zero"),
        pytest.param("https://\u2100.example/", id="character that normalizes to a/c"),
        pytest.param("https://a.example/?" + "&" * 100_000, id="100,000 ampersands"),
        pytest.param("https://a.example/?%ZZ=%&=&==", id="malformed query"),
        pytest.param("https://a\x00b.example/", id="null byte in the host"),
        pytest.param("https://a\nb.example/", id="a newline in the host"),
        pytest.param("https://\ud800.example/", id="unpaired surrogate in the host"),
        pytest.param("https://user:pa@ss:word@a.example/", id="two at signs"),
        pytest.param("\\\\server\\share", id="backslashes"),
    ],
)
def test_malformed_urls_do_not_stop_the_audit(url: str) -> None:
    """The next webhook is still checked."""
    audited = audit({"url": url}, {"url": "http://shop.example/"}, {"url": url})
    assert ("whk_2", "plain_http") in reported(audited)
    assert isinstance(shown(audited), str)
    audited.fix()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("name", 5, id="name a number"),
        pytest.param("name", None, id="name missing"),
        pytest.param("name", ["a"], id="name a list"),
        pytest.param("url", 5, id="url a number"),
        pytest.param("url", b"http://x", id="url bytes"),
        pytest.param("url", {"a": 1}, id="url a dict"),
        pytest.param("events", None, id="events missing"),
        pytest.param("events", float("nan"), id="events NaN"),
        pytest.param("events", 5, id="events a number"),
        pytest.param("events", (5, None, ["x"], {}), id="events of other types"),
        pytest.param("events", {"ticket.created": 1}, id="events a dict"),
        pytest.param("events", np.array(["ticket.created"], dtype=object), id="events an array"),
        pytest.param("is_active", None, id="is_active missing"),
        pytest.param("is_active", "yes", id="is_active a text"),
        pytest.param("is_active", float("nan"), id="is_active NaN"),
        pytest.param("id", None, id="id missing"),
        pytest.param("id", 5, id="id a number"),
        pytest.param("account", None, id="account missing"),
        pytest.param("account", 5, id="account a number"),
        pytest.param("environment", None, id="environment missing"),
        pytest.param("environment", "production", id="environment unknown"),
        pytest.param("team_id", 5, id="team a number"),
    ],
)
def test_wrong_types_are_audited_or_refused(field: str, value: Any) -> None:
    """With the package's own error, never with one from inside."""
    with contextlib.suppress(errors.CStarError):
        audited = cx.audit(team({field: value}, {"url": "http://shop.example/"}), now=NOW)
        assert ("whk_2", "plain_http") in reported(audited)
        assert isinstance(shown(audited), str)


@pytest.mark.parametrize("created", ["yesterday", 5, "2025-12-10T14:30:00Z", None, dt.datetime(2020, 1, 1)])  # noqa: DTZ001
def test_wrong_times_are_audited_or_refused(created: Any) -> None:
    """Text, numbers, or times without a zone."""
    table = team({}, {"url": "http://shop.example/"})
    table["created_at"] = pd.Series([created] * 2, dtype="object")
    table["updated_at"] = pd.Series([created] * 2, dtype="object")
    with contextlib.suppress(errors.CStarError):
        assert ("whk_2", "plain_http") in reported(cx.audit(table, now=NOW))


@pytest.mark.parametrize(
    "column", ["account", "team_id", "environment", "name", "events", "is_active", "created_at", "updated_at"]
)
def test_a_missing_column_disables_only_the_rules_that_need_it(column: str) -> None:
    """The URL is still checked, or the error names the column."""
    table = team({"url": "http://shop.example/"}).drop(columns=column)
    try:
        audited = cx.audit(table, now=NOW)
        is_handled = ("whk_1", "plain_http") in reported(audited) and isinstance(shown(audited), str)
    except errors.CStarError as refused:
        is_handled = column in str(refused)
    assert is_handled


@pytest.mark.parametrize("column", ["account", "team_id", "environment"])
def test_account_columns_are_optional(column: str) -> None:
    """The other columns are enough for an audit."""
    assert ("whk_1", "plain_http") in reported(
        cx.audit(team({"url": "http://shop.example/"}).drop(columns=column), now=NOW)
    )


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(pd.DataFrame(), id="empty"),
        pytest.param(pd.DataFrame({"a": [1]}), id="other columns"),
        pytest.param(pd.concat([team({}), team({})], axis=1), id="duplicate columns"),
        pytest.param(team({}).set_axis(range(10), axis=1), id="numbered columns"),
    ],
)
def test_a_frame_without_webhooks_is_refused_or_empty(table: pd.DataFrame) -> None:
    """With the package's own error."""
    outcome: Any
    try:
        outcome = cx.audit(table, now=NOW)
    except errors.CStarError as refused:
        outcome = refused
    assert isinstance(outcome, errors.CStarError) or len(outcome.webhooks) == 0


@pytest.mark.parametrize(
    "now",
    [
        pytest.param("today", id="text"),
        pytest.param(float("nan"), id="NaN"),
        pytest.param([], id="a list"),
    ],
)
def test_an_invalid_now_is_refused(now: Any) -> None:
    """With the package's own error or a TypeError."""
    with pytest.raises((errors.CStarError, TypeError)):
        cx.audit(team({}), now=now)


# --- random input -----------------------------------------------------------------------------------------------------

TEXT = st.text(max_size=20)
HOST = st.sampled_from(
    (
        "shop.example",
        "xn--pple-43d.com",
        "аpple.com",
        "127.1",
        "[::1]",
        "localhost",
        "0x7f.1",
        "a.ngrok.io",
        "",
        "[",
        "..",
    )
) | st.text(st.characters(), max_size=12)
URLS = (
    TEXT
    | st.none()
    | st.builds(
        lambda scheme, user, host, port, rest: f"{scheme}://{user}{host}{port}{rest}",
        st.sampled_from(("http", "https", "HTTPS", "ftp", "")),
        st.sampled_from(("", "a@", "a:b@", ":@")) | TEXT.map(lambda text: text + "@"),
        HOST,
        st.sampled_from(("", ":", ":443", ":99999", ":x", ":٣")),
        st.sampled_from(("", "/", "/?token=1", "?", "#", "//")) | TEXT.map(lambda text: "/?" + text),
    )
)
EVENTS = st.lists(st.sampled_from(("*", "ticket.*", ".*", "ticket.created", "achievement.unlocked")) | TEXT, max_size=4)


def rows(
    urls: Iterable[Any], names: Iterable[Any], kinds: Iterable[Any], active: Iterable[Any]
) -> list[dict[str, Any]]:
    return [
        {"url": url, "name": name, "events": tuple(kind), "is_active": is_active}
        for url, name, kind, is_active in zip(urls, names, kinds, active, strict=False)
    ]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.builds(
        rows,
        st.lists(URLS, min_size=3, max_size=3),
        st.lists(TEXT | st.none(), min_size=3, max_size=3),
        st.lists(EVENTS, min_size=3, max_size=3),
        st.lists(st.booleans(), min_size=3, max_size=3),
    ),
    st.sampled_from(("live", "test", "sandbox")),
)
def test_any_webhooks_can_be_audited(webhooks: list[dict[str, Any]], environment: str) -> None:
    """Every URL, name and event is checked, and every form of the audit works."""
    audited = cx.audit(team(*webhooks, environment=environment), now=NOW)
    table = audited.to_frame()
    assert set(corpus.RULES) >= set(table["rule"])
    assert all(text.strip() for text in table["evidence"])
    assert isinstance(repr(audited) + audited.to_json() + audited._repr_html_(), str)
    assert FIXED == list(audited.fix().columns)


@pytest.mark.usefixtures("without_charts")
@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(URLS, min_size=12, max_size=12), st.lists(TEXT, min_size=12, max_size=12))
def test_any_webhooks_can_be_reported(urls: list[Any], texts: list[str]) -> None:
    """The page is always complete."""
    audited = audit(*({"url": url, "name": text, "id": text} for url, text in zip(urls, texts, strict=True)))
    assert audited.to_html().rstrip().endswith("</html>")


@settings(max_examples=examples(100), deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(("account", "id", "name", "url", "events", "is_active", "environment", "created_at")),
        st.none() | st.integers() | st.floats() | st.binary(max_size=5) | TEXT | st.lists(st.none() | TEXT, max_size=2),
        max_size=4,
    )
)
def test_a_frame_of_any_types_is_audited_or_refused(values: dict[str, Any]) -> None:
    """Never with another exception."""
    table = pd.DataFrame(
        {column: pd.Series([value], dtype="object") for column, value in ({"id": "a"} | values).items()}
    )
    outcome: Any
    try:
        outcome = cx.audit(table, now=NOW).to_frame()
    except errors.CStarError as refused:
        outcome = refused
    assert isinstance(outcome, errors.CStarError | pd.DataFrame)


# --- lookalikes by the public suffix list -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        ("acme.vercel.app", "acrne.vercel.app"),
        ("hooks.acme.co.uk", "hooks.acrne.co.uk"),
        ("acme.github.io", "acrne.github.io"),
        ("acme.azurewebsites.net", "acrne.azurewebsites.net"),
        ("acme-shop.com.au", "acrne-shop.com.au"),
        ("nl.acme.de", "nl.acrne.de"),
        ("acme.unknownsuffix", "acrne.unknownsuffix"),
    ],
)
def test_below_a_public_suffix_the_label_before_it_is_the_owner(real: str, fake: str) -> None:
    """Of shared hosts and of second-level suffixes alike."""
    audited = audit({"url": f"https://{real}/"}, {"url": f"https://{fake}/", "created_at": corpus.ago(1)})
    assert ("whk_2", "lookalike_host") in reported(audited)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("nl.sap.de", "n1.sap.de"),
        ("m.bp.com", "rn.bp.com"),
        ("o.x.co.uk", "0.x.co.uk"),
        ("vercel.app", "verce1.app.x.de"),
    ],
)
def test_hosts_of_one_owner_are_no_lookalikes(one: str, other: str) -> None:
    """However short the owner's domain is."""
    assert "lookalike_host" not in rules_of(audit({"url": f"https://{one}/"}, {"url": f"https://{other}/"}))


def test_the_public_suffix_list_is_read_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is fetched, and nothing is cached on disk."""
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: pytest.fail("looked up a host"))
    monkeypatch.setenv("HOME", str(tmp_path))
    homoglyphs._extract.cache_clear()
    homoglyphs.registrable_domain.cache_clear()

    assert homoglyphs.registrable_domain("a.b.acme.vercel.app") == "acme.vercel.app"
    assert [] == list(tmp_path.iterdir())


# --- fixes do no harm -------------------------------------------------------------------------------------------------


def receivers(table: pd.DataFrame) -> set[tuple[Any, str]]:
    """Pairs of receiver and event type that active webhooks deliver; the receiver is the whole URL."""
    return {
        ((url.parts.netloc.lower(), url.parts.path, url.parts.query), events.FORMER_NAMES.get(kind, kind))
        for row in table.itertuples()
        if bool(row.is_active) and (url := parse_url(row.url))
        for pattern in row.events
        for kind in (events.matching_types(pattern) or (pattern,))
    }


@pytest.mark.parametrize(
    "urls",
    [
        ("https://h.example/in?tenant=a", "https://h.example/in?tenant=b"),
        ("https://h.example/in", "https://h.example/in/"),
        ("https://h.example/in", "https://h.example/in?copy"),
        ("https://a:1@h.example/in", "https://b:2@h.example/in"),
        ("https://h.example/in?a=1&b=2", "https://h.example/in?b=2&a=1"),
        ("https://h.example/in", "https://h.example/IN"),
        ("https://h.example/in", "https://h.example:8443/in"),
    ],
)
def test_different_urls_are_different_receivers(urls: tuple[str, str]) -> None:
    """Each may be a tenant. None is merged with the other or paused."""
    audited = audit(*({"url": url} for url in urls))
    assert not {"delivers_twice", "same_url"} & {*rules_of(audited)}
    assert [] == [row for row in audited.fix().to_dict("records") if row["is_active"] is False]


def test_a_chain_of_overlaps_is_merged_into_one_webhook() -> None:
    """The third overlaps only with the second, which is itself merged into the first."""
    kinds = [("ticket.created",), ("ticket.created", "ticket.closed"), ("ticket.closed", "boss.spawned")]
    audited = audit(*({"url": HOOK, "events": kind, "created_at": corpus.ago(9 - n)} for n, kind in enumerate(kinds)))

    assert receivers(audited.webhooks) <= receivers(with_fixes(audited))
    assert [True, False, False] == with_fixes(audited)["is_active"].tolist()


@pytest.mark.parametrize("missing", [0, 1])
def test_a_webhook_with_unknown_events_is_not_merged(missing: int) -> None:
    """A fix would replace events that the audit has not seen."""
    webhooks: list[dict[str, Any]] = [{"url": HOOK}, {"url": HOOK}]
    webhooks[missing]["events"] = None
    audited = audit(*webhooks)

    assert "same_url" in rules_of(audited)
    assert 0 == len(audited.fix())


LOSSLESS = ["plain_http", "former_event", "no_events", "delivers_twice", "same_url"]
PAUSING = ["tunnel_host", "private_address"]


def test_every_rule_with_a_fix_is_tested(audited) -> None:
    """Either what was delivered before is delivered after, or the rule's text says that the fix pauses."""
    fixed = {finding.rule.name for finding in audited.findings if finding.fixes}
    remedies = cx.audit_rules().set_index("rule")["remedy"]

    assert {*LOSSLESS, *PAUSING} == fixed
    assert all("Pause this webhook" in remedies[rule] for rule in PAUSING)


WEBHOOK_FIELDS = st.fixed_dictionaries(
    {
        "url": st.sampled_from(
            [HOOK, HOOK + "/", HOOK + "?a", HOOK + "?b", HOOK + "#x", "http://billing.example.com/hook"]
        ),
        "events": st.lists(
            st.sampled_from(["ticket.created", "ticket.*", "*", "boss.spawned", "achievement.unlocked", "no.such"]),
            max_size=3,
        ).map(tuple),
        "is_active": st.booleans(),
        "created_at": st.sampled_from([corpus.ago(days) for days in (1, 2, 3)]) | st.none(),
    }
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(WEBHOOK_FIELDS, min_size=1, max_size=5), st.sets(st.sampled_from(LOSSLESS)))
def test_no_fix_loses_a_delivery(webhooks: list[dict[str, Any]], rules: set[str]) -> None:
    """Every receiver gets at least the event types that it got before, whichever fixes are chosen."""
    audited = audit(*webhooks)

    assert receivers(audited.webhooks) <= receivers(with_fixes(audited, rules=rules or None))


def test_a_webhook_that_gets_events_by_another_fix_is_not_paused_for_having_none() -> None:
    """The fixes of two rules, taken together, lose no delivery either."""
    audited = audit({"url": HOOK, "events": ()}, {"url": HOOK, "events": ("ticket.created",)})

    assert receivers(audited.webhooks) <= receivers(with_fixes(audited, rules=None))


# --- much and odd input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 100, 2_000] if NIGHTLY else [1, 2_000])
def test_a_hundred_thousand_event_types_take_seconds(count: int) -> None:
    """Only the first unknown types are compared with the published ones."""
    kinds = [f"ticket.kind{number}" for number in range(100_000)]
    table = team(*({"events": tuple(kinds[n::count])} for n in range(count)))
    begun = time.process_time()
    audited = cx.audit(table, now=NOW)
    seconds = time.process_time() - begun

    assert "unknown_event" in rules_of(audited)
    assert all(len(finding.evidence) < 1000 for finding in audited.findings)
    assert seconds < 3


def test_the_evidence_counts_the_unknown_types_that_it_does_not_name() -> None:
    """The first four are named, with the nearest published type."""
    (evidence,) = audit({"events": tuple(f"ticket.create{n}" for n in range(9))}).to_frame()["evidence"]

    assert "ticket.create3" in evidence
    assert "ticket.create4" not in evidence
    assert "5 more" in evidence
    assert "Did you mean 'ticket.created'?" in evidence


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("signing.secret", corpus.SIGNING),
        ("webhookSecret", "qzxvwkjr-tbnm"),
        ("secret", "qzxvwkjr-tbnm"),
        ("signing_secret", ["qzxvwkjr-tbnm"]),
        ("signing", {"secret": "qzxvwkjr-tbnm", "algorithm": "v1"}),
        ("config", [{"deep": {"clientSecret": "qzxvwkjr-tbnm"}}]),
        ("note", corpus.SIGNING),
    ],
)
@pytest.mark.usefixtures("without_charts")
def test_a_secret_in_a_given_frame_is_in_no_frame_of_the_audit(column: str, value: Any, tmp_path: Path) -> None:
    """Under any name and at any depth."""
    table = team({})
    table[column] = pd.Series([value], dtype="object")
    audited = cx.audit(table, now=NOW)
    audited.to_csv(tmp_path / "findings.csv")
    text = shown(audited, page=True) + audited.webhooks.to_csv() + (tmp_path / "findings.csv").read_text()

    assert "qzxvwkjr" not in text
    assert corpus.SIGNING not in text


# --- frames from files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "arrays", "csv", "our csv", "excel", "json", "jsonl", "pickle", "arrow"])
def test_a_frame_that_came_through_a_file_has_the_same_findings(form: str, tmp_path: Path) -> None:
    """Lists come back as arrays or text, flags as text, and times without their zone."""
    table = corpus.frame([webhook for webhook in WEBHOOKS if webhook.account in ("umbra", "willow", "vine")])
    path = tmp_path / "copy"
    if form in ("parquet", "arrow"):
        pytest.importorskip("pyarrow")
    if form == "excel":
        table = table[table["events"].map(len) > 0]  # an empty cell does not say whether the events are unknown
    if form == "parquet":
        table.assign(events=table["events"].map(list)).to_parquet(path)
        back = pd.read_parquet(path)
    elif form == "arrays":  # as Parquet returns lists
        back = table.assign(events=[np.array(kinds, dtype=object) for kinds in table["events"]])
    elif form == "csv":
        table.to_csv(path, index=False)
        back = pd.read_csv(path)
    elif form == "our csv":
        csv_files.write_csv(table, path)
        back = csv_files.read_csv(path)
    elif form == "excel":
        naive = {f"{name}_utc": table[name].dt.tz_localize(None) for name in ("created_at", "updated_at")}
        flat = table.drop(columns=["created_at", "updated_at"]).assign(**naive, events=table["events"].map(", ".join))
        flat.to_excel(tmp_path / "copy.xlsx", index=False)
        back = pd.read_excel(tmp_path / "copy.xlsx")
    elif form in ("json", "jsonl"):
        table.to_json(path, orient="records", lines=form == "jsonl", date_format="iso")
        back = pd.read_json(path, lines=form == "jsonl")
    elif form == "pickle":
        table.to_pickle(path)
        back = pd.read_pickle(path)
    else:
        back = table.assign(events=table["events"].map(list)).convert_dtypes(dtype_backend="pyarrow")

    assert reported(cx.audit(table, now=NOW)) == reported(cx.audit(back, now=NOW))
