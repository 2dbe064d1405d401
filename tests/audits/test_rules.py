"""Each rule of the audit finds its own and nothing else: the score on the labelled corpus, settings, and what `fix` prepares."""

import contextlib
import datetime as dt
import html
import json
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
from cstar_explore import errors, events
from tests.support import audit_corpus as corpus
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
    """A frame of webhooks of one team, of which only what matters was said."""
    rows = []
    for number, told in enumerate(webhooks, 1):
        usual = {
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
        rows.append(usual | common | told)
    table = pd.DataFrame(rows, columns=list(rows[0]) if rows else None)
    for column in ("created_at", "updated_at"):
        if column in table:
            table[column] = pd.to_datetime(table[column], utc=True)
    return table


def audit(*webhooks: dict[str, Any], settings: Any = None, **common: Any) -> Any:
    return cx.audit(team(*webhooks, **common), settings=settings, now=NOW)


def found(audited: Any) -> set[tuple[str, str]]:
    """Pairs of webhook and rule; a finding about the team has no webhook."""
    table = audited.to_frame()
    return {
        ("" if pd.isna(webhook) else webhook, rule)
        for webhook, rule in zip(table["webhook_id"], table["rule"], strict=True)
    }


def rules_of(audited: Any) -> list[str]:
    return sorted(rule for _, rule in found(audited))


def toml(folder: Path, text: str) -> Path:
    path = folder / "audit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def shown(audited: Any, *, page: bool = False) -> str:
    """All that a person may see of the findings; the report, which takes its time, only where it is asked for."""
    parts = [repr(audited), str(audited), audited._repr_html_(), audited.to_frame().to_csv(), audited.to_json()]
    parts += [audited.to_html()] if page else []
    return "\n".join([*parts, *map(html.unescape, parts), *audited.notes, audited.ignored.to_csv()])


# --- the corpus and the score -----------------------------------------------------------------------------------------


def test_the_corpus_is_large_covers_every_rule_and_is_always_the_same() -> None:
    """A score means something only on a corpus that stays."""
    assert repr(WEBHOOKS) == repr(corpus.webhooks())
    counted = Counter(label for webhook in WEBHOOKS for label in webhook.labels)
    counted.update(rule for _, rule in corpus.TEAM_LABELS)
    assert set(corpus.RULES) == set(counted)
    assert {rule: count for rule, count in counted.items() if count < 4} == {}
    assert len(WEBHOOKS) >= 300
    assert len({webhook.id for webhook in WEBHOOKS}) == len(WEBHOOKS)
    assert sum(not webhook.labels for webhook in WEBHOOKS) >= 200


def test_the_score_on_the_corpus(findings) -> None:
    """Precision and recall of every rule are 1; they are printed and kept."""
    expected = {(webhook.id, label) for webhook in WEBHOOKS for label in webhook.labels} | set(corpus.TEAM_LABELS)
    where = findings["webhook_id"].fillna(findings["account"])
    told = set(zip(where, findings["rule"], strict=True))
    width = max(map(len, corpus.RULES))
    lines = [f"{'rule':<{width}}  right  false  missed  precision  recall"]
    right, false, missed = expected & told, told - expected, expected - told
    for rule in (*corpus.RULES, "total"):
        counts = [sum(rule in (name, "total") for _, name in pairs) for pairs in (right, false, missed)]
        hits, surplus, lost = counts
        precision = hits / (hits + surplus) if hits + surplus else 1.0
        recall = hits / (hits + lost) if hits + lost else 1.0
        lines.append(f"{rule:<{width}}  {hits:>5}  {surplus:>5}  {lost:>6}  {precision:>9.1%}  {recall:>6.1%}")
    lines.append(f"{len(WEBHOOKS)} webhooks of {len({webhook.account for webhook in WEBHOOKS})} teams")
    wrong = [f"  {name} {rule}: not planted" for name, rule in sorted(false)]
    wrong += [f"  {name} {rule}: not found" for name, rule in sorted(missed)]
    text = "\n".join([*lines, *(["told otherwise:", *wrong] if wrong else [])])
    print(f"\n{text}")  # noqa: T201
    SCORE.parent.mkdir(exist_ok=True)
    SCORE.write_text(text + "\n", encoding="utf-8")
    assert wrong == []


@pytest.mark.parametrize("account", sorted({webhook.account for webhook in WEBHOOKS}))
def test_each_webhook_has_exactly_its_findings(findings, account: str) -> None:
    """Webhook by webhook: what is missing and what is too much."""
    told: dict[str, set[str]] = defaultdict(set)
    for webhook_id, rule in zip(findings["webhook_id"], findings["rule"], strict=True):
        if not pd.isna(webhook_id):
            told[webhook_id].add(rule)
    wrong = [
        f"{webhook.id} {webhook.name!r} {webhook.url!r:.120}: "
        f"missing {sorted(webhook.labels - told[webhook.id])}, surplus {sorted(told[webhook.id] - webhook.labels)}"
        for webhook in WEBHOOKS
        if webhook.account == account and webhook.labels != told[webhook.id]
    ]
    assert wrong == []


def test_each_team_has_exactly_its_findings(findings) -> None:
    """One finding for each account and host, none about other teams, and the evidence names the host."""
    about = findings[findings["webhook_id"].isna()]
    expected = Counter({key: len(hosts) for key, hosts in corpus.TEAM_LABELS.items()})
    assert expected == Counter(zip(about["account"], about["rule"], strict=True))
    for (account, rule), hosts in corpus.TEAM_LABELS.items():
        evidence = about[(about["account"] == account) & (about["rule"] == rule)]["evidence"]
        assert [1] * len(hosts) == [sum(host in text.lower() for text in evidence) for host in hosts]


@pytest.mark.parametrize("account", corpus.CLEAN)
def test_a_clean_account_raises_no_alarm(account: str) -> None:
    """Alone as well as among others."""
    alone = cx.audit(corpus.frame(webhook for webhook in WEBHOOKS if webhook.account == account), now=NOW)
    assert [] == alone.to_frame()[["rule", "webhook_id", "evidence"]].to_numpy().tolist()


def test_no_clean_account_is_blamed_among_the_others(findings) -> None:
    """What is wrong elsewhere says nothing about them."""
    assert set() == set(findings["account"]) & set(corpus.CLEAN)


@pytest.mark.parametrize("rule", corpus.RULES)
def test_every_rule_finds_its_own(findings, rule: str) -> None:
    """With its severity, its evidence and its remedy."""
    own = findings[findings["rule"] == rule]
    assert len(own) > 0
    assert {corpus.RULES[rule]} == set(own["severity"])
    assert all(text.strip() for text in own["evidence"])
    assert all(text.strip() for text in own["remedy"])


def test_no_webhook_is_found_twice_by_one_rule(findings) -> None:
    """One finding tells all of it."""
    about = findings[findings["webhook_id"].notna()]
    assert [] == about[about.duplicated(["webhook_id", "rule"])]["webhook_id"].tolist()


def test_the_order_of_the_webhooks_changes_no_verdict(audited) -> None:
    """Only the order of the rows that are told."""
    shuffled = corpus.frame(WEBHOOKS).sample(frac=1, random_state=20251210)
    assert found(audited) == found(cx.audit(shuffled, now=NOW))


def test_an_odd_index_changes_nothing(findings) -> None:
    """A frame that was filtered or joined has any index."""
    table = corpus.frame(WEBHOOKS)
    table.index = pd.Index(["same"] * len(table))
    pd.testing.assert_frame_equal(findings, cx.audit(table, now=NOW).to_frame())


def test_the_source_is_left_as_it_is() -> None:
    """The audit changes nothing, not even the frame."""
    table = corpus.frame(WEBHOOKS)
    cx.audit(table, now=NOW)
    pd.testing.assert_frame_equal(corpus.frame(WEBHOOKS), table)


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_no_finding_shows_a_planted_secret(audited) -> None:
    """Neither the frame nor any of its forms."""
    text = shown(audited, page=True)
    assert [] == [secret for secret in corpus.SECRETS if secret in text]


def test_credentials_are_masked_in_the_evidence(findings) -> None:
    """The place is shown, and that there was something."""
    own = findings[findings["rule"] == "credentials_in_url"]
    assert [] == [text for text in own["evidence"] if "••••" not in text]


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(f"http://ada:{corpus.PASSWORD}@10.0.0.1:99/?token={corpus.VALUE}", id="many sins"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@abc.ngrok.io/{corpus.STRIPE}", id="tunnel"),
        pytest.param(f"https:///{corpus.STRIPE}?token={corpus.VALUE}", id="unreadable"),
        pytest.param(f"ada:{corpus.PASSWORD}@shop.example/?token={corpus.VALUE}", id="no scheme"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@[::1/{corpus.TOKEN}", id="broken"),
        pytest.param(f"https://ada:{corpus.PASSWORD}@shop.example:port/", id="no port"),
        pytest.param(f"https://{corpus.GITHUB}.shop.example/", id="in the host"),
        pytest.param(f"https://shop.example/?a={corpus.SLACK}&a={corpus.SIGNING}#{corpus.AMAZON}", id="everywhere"),
    ],
)
def test_no_rule_shows_the_secret_of_another(url: str) -> None:
    """A URL with several faults is told by several rules, and by none in clear."""
    text = shown(audit({"url": url}, {"url": url}, {"url": url, "events": ("survey.submitted",)}), page=True)
    assert [] == [secret for secret in corpus.SECRETS if secret in text]


@pytest.mark.parametrize(
    ("rule", "webhook", "named"),
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
def test_the_evidence_names_what_was_found(rule: str, webhook: dict[str, Any], named: str) -> None:
    """So that nobody has to look it up."""
    table = audit(webhook).to_frame()
    assert [True] == [named in text for text in table[table["rule"] == rule]["evidence"]]


def test_the_new_name_of_a_former_event_is_told() -> None:
    """The remedy or the evidence says what to write instead."""
    (row,) = audit({"events": ("achievement.unlocked",)}).to_frame().to_dict("records")
    assert "player.achievement_unlocked" in row["evidence"] + row["remedy"]


def test_the_event_that_nobody_receives_is_named() -> None:
    """And not those that somebody receives."""
    (row,) = (
        audit({"events": ("ticket.created",)}, {"events": ("ticket.created", "boss.spawned"), "is_active": False})
        .to_frame()
        .to_dict("records")
    )
    assert ("unreceived_event", "whk_2") == (row["rule"], row["webhook_id"])
    assert "boss.spawned" in row["evidence"]
    assert "ticket.created" not in row["evidence"]


def test_a_twin_and_a_lookalike_name_the_other_one() -> None:
    """One has to see which two belong together."""
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


def test_an_unknown_pattern_is_an_unknown_event() -> None:
    """A pattern that matches nothing receives nothing."""
    assert ("whk_1", "unknown_event") in found(audit({"events": ("tickets.*",)}))


@pytest.mark.parametrize(("letter", "alike"), list(zip("асеорхуѕіјһԁɡıӏοανρ", "aceopxysijhdgilo" + "avp", strict=True)))
@pytest.mark.parametrize("whole", [pytest.param(True, id="all of it"), pytest.param(False, id="among others")])
def test_each_lookalike_letter_is_known(letter: str, alike: str, whole: bool) -> None:
    """Those that are used to deceive, as the whole name and between other letters, written out and in punycode."""
    real, fake = (
        (f"{alike * 3}.example", f"{letter * 3}.example") if whole else (f"z{alike}z.example", f"z{letter}z.example")
    )
    for host in (fake, corpus.puny(fake)):
        told = audit({"url": f"https://{real}/"}, {"url": f"https://{host}/", "created_at": corpus.ago(300)})
        assert {("whk_2", "lookalike_host")} == found(told)


@pytest.mark.parametrize(
    "created", [pytest.param(corpus.ago(50), id="the same second"), pytest.param(None, id="not told")]
)
def test_of_twins_of_one_age_all_but_one_are_found(created: Any) -> None:
    """There is always one that stays."""
    twin = {"url": "https://one.shop.example/x", "created_at": created}
    assert ["delivers_twice"] * 2 == rules_of(audit(twin, twin, twin))


# --- the list of rules ------------------------------------------------------------------------------------------------


def test_the_rules_are_listed_with_why_they_matter() -> None:
    """A frame with a row for each rule and no blank cell."""
    table = cx.audit_rules()
    assert ["rule", "severity", "title", "why", "remedy"] == list(table.columns)
    assert dict(corpus.RULES) == dict(zip(table["rule"], table["severity"], strict=True))
    assert len(corpus.RULES) == len(table)
    assert table.map(lambda cell: isinstance(cell, str) and bool(cell.strip())).all(axis=None)


# --- the frame --------------------------------------------------------------------------------------------------------


def test_the_frame_is_sorted_by_severity_rule_account_and_webhook(findings) -> None:
    """The worst comes first, and every audit tells in the same order."""
    place = {webhook.id: number for number, webhook in enumerate(WEBHOOKS)}
    keys = [(SEVERITIES.index(row.severity), row.rule, row.account) for row in findings.itertuples()]
    assert sorted(keys) == keys
    for _, rows in findings.dropna(subset=["webhook_id"]).groupby(["severity", "rule", "account"]):
        places = [place[webhook_id] for webhook_id in rows["webhook_id"]]
        assert sorted(places) == places


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(corpus.frame(WEBHOOKS), id="findings"),
        pytest.param(corpus.frame([webhook for webhook in WEBHOOKS if webhook.account == "elm"]), id="none"),
        pytest.param(corpus.frame([]), id="no webhooks"),
        pytest.param(cx.WebhookList([]), id="an empty list"),
    ],
)
def test_columns_and_types_are_always_the_same(source) -> None:
    """With rows and without."""
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
    """Every webhook once, in order."""
    table = audited.webhooks
    assert [webhook.id for webhook in WEBHOOKS] == table["id"].tolist()
    assert [webhook.account for webhook in WEBHOOKS] == table["account"].tolist()
    assert audited.complete is True
    assert {"read"} == set(audited.accounts["state"])
    counted = Counter(webhook.account for webhook in WEBHOOKS)
    assert dict(counted) == dict(zip(audited.accounts["account"], audited.accounts["webhooks"], strict=True))


def test_the_same_audit_twice_tells_the_same(findings) -> None:
    """Nothing depends on chance."""
    pd.testing.assert_frame_equal(findings, cx.audit(corpus.frame(WEBHOOKS), now=NOW).to_frame())


def test_a_list_of_webhooks_is_audited_without_a_request() -> None:
    """What one holds already need not be read again."""
    items = [
        {"id": "whk_1", "name": "One", "url": "http://shop.example/x", "events": ["ticket.created"], "isActive": True},
        {"id": "whk_2", "name": "Two", "url": "https://shop.example/y", "events": ["ticket.*"], "isActive": True},
    ]
    webhooks = cx.WebhookList(items)
    expected = {("whk_1", "plain_http"), ("whk_2", "wildcard")}
    assert expected == found(cx.audit(webhooks, now=NOW))
    assert expected == found(cx.audit(webhooks.to_frame(), now=NOW))


@pytest.mark.parametrize(
    "events_as",
    [
        pytest.param(("achievement.unlocked", "ticket.*"), id="tuple"),
        pytest.param(["achievement.unlocked", "ticket.*"], id="list"),
    ],
)
def test_events_may_be_a_tuple_or_a_list(events_as) -> None:
    """A frame that was made by hand."""
    assert {("whk_1", "former_event"), ("whk_1", "wildcard")} == found(audit({"events": events_as}))


@pytest.mark.parametrize("environment", ["live", "test", "sandbox"])
def test_a_key_of_another_environment_has_other_data(environment: str) -> None:
    """The same address in the test and the live account of one team is no twin."""
    table = pd.concat([team({}, {}), team({"id": "whk_a"}, account="other", environment=environment)])
    assert set() == found(cx.audit(table, now=NOW))


# --- thresholds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "webhook", "without", "having"),
    [
        pytest.param("ports = [443, 9000]", {"url": "https://a.example:9000/"}, ["odd_port"], [], id="ports, one more"),
        pytest.param("ports = [443]", {"url": "https://a.example:8443/"}, [], ["odd_port"], id="ports, one fewer"),
        pytest.param("everything = 0.5", {"events": corpus.ALL[:18]}, [], ["everything"], id="everything, half"),
        pytest.param("everything = 1.0", {"events": corpus.ALL[:34]}, ["everything"], [], id="everything, all"),
        pytest.param(
            "everything = 1", {"events": corpus.ALL[:34]}, ["everything"], [], id="everything, a whole number"
        ),
        pytest.param("everything = 1.0", {"events": ("*",)}, ["everything"], ["everything"], id="everything, the star"),
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
            id="expected_events, received by a pattern",
        ),
    ],
)
def test_a_threshold_moves_its_rule(
    tmp_path: Path, line: str, webhook: dict[str, Any], without: list[str], having: list[str]
) -> None:
    """And no other."""
    assert without == rules_of(audit(webhook))
    assert having == rules_of(audit(webhook, settings=toml(tmp_path, f"[thresholds]\n{line}\n")))


def test_an_expected_event_that_nobody_receives_is_about_the_team(tmp_path: Path) -> None:
    """It has no webhook, names the event, and each team has its own."""
    table = pd.concat([team({}), team({"id": "whk_a", "events": ("survey.submitted",)}, account="other")])
    told = cx.audit(table, settings=toml(tmp_path, '[thresholds]\nexpected_events = ["survey.submitted"]'), now=NOW)
    (row,) = told.to_frame().to_dict("records")
    assert ("unreceived_event", "shop") == (row["rule"], row["account"])
    assert pd.isna(row["webhook_id"])
    assert "survey.submitted" in row["evidence"]


def teams_at(*hosts: str) -> pd.DataFrame:
    """A team for each host."""
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
        pytest.param("teams_per_host = 4", 3, 0, id="three of four"),
        pytest.param('shared_hosts = ["hub.example"]', 3, 0, id="shared"),
        pytest.param('shared_hosts = ["HUB.Example"]', 3, 0, id="shared, in capitals"),
        pytest.param('shared_hosts = ["*.example"]', 3, 0, id="shared by a pattern"),
        pytest.param('shared_hosts = ["*.hub.example"]', 3, 3, id="a pattern of other hosts"),
        pytest.param('shared_hosts = ["ub.example"]', 3, 3, id="a part is no host"),
    ],
)
def test_many_teams_follows_its_thresholds(tmp_path: Path, lines: str, count: int, expected: int) -> None:
    """One finding for each of the teams, or none."""
    told = cx.audit(teams_at(*["hub.example"] * count), settings=toml(tmp_path, f"[thresholds]\n{lines}\n"), now=NOW)
    table = told.to_frame()
    assert ["many_teams"] * expected == table["rule"].tolist()
    assert expected == table["account"].nunique()
    assert table["webhook_id"].isna().all()


def test_own_shared_hosts_replace_the_usual_ones(tmp_path: Path) -> None:
    """What is set is what counts."""
    source = teams_at(*["hooks.slack.com"] * 3)
    assert [] == cx.audit(source, now=NOW).to_frame()["rule"].tolist()
    path = toml(tmp_path, '[thresholds]\nshared_hosts = ["hub.example"]')
    assert ["many_teams"] * 3 == cx.audit(source, settings=path, now=NOW).to_frame()["rule"].tolist()


@pytest.mark.parametrize("given_as", [pytest.param(str, id="text"), pytest.param(Path, id="path")])
def test_settings_are_named_by_their_path(tmp_path: Path, given_as) -> None:
    """As text or as a path; an empty file changes nothing."""
    path = toml(tmp_path, "")
    assert ["odd_port"] == rules_of(audit({"url": "https://a.example:99/"}, settings=given_as(path)))


# --- ignores ----------------------------------------------------------------------------------------------------------

ODD = {"url": "https://odd.shop.example:99/"}


def ignoring(folder: Path, **told: Any) -> Path:
    """A file with one ignore."""
    told = {"rule": "odd_port", "reason": "The firewall wants it"} | told
    lines = [f"{name} = {value if isinstance(value, dt.date) else json.dumps(value)}" for name, value in told.items()]
    return toml(folder, "\n".join(["[[ignore]]", *lines]))


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"webhook": "whk_1"}, id="webhook"),
        pytest.param({"account": "shop"}, id="account"),
        pytest.param({"host": "odd.shop.example"}, id="host"),
        pytest.param({"host": "ODD.shop.example"}, id="host in capitals"),
        pytest.param({"webhook": "whk_1", "account": "shop", "host": "odd.shop.example"}, id="all three"),
        pytest.param({"account": "shop", "until": dt.date(2025, 12, 11)}, id="until tomorrow"),
        pytest.param({"account": "shop", "until": dt.date(2099, 1, 1)}, id="until later"),
    ],
)
def test_an_ignored_finding_is_kept_apart_with_its_reason(tmp_path: Path, told: dict[str, Any]) -> None:
    """It is not told, and not lost."""
    audited = audit(ODD, settings=ignoring(tmp_path, **told))
    assert [] == rules_of(audited)
    (row,) = audited.ignored.to_dict("records")
    assert ("odd_port", "whk_1", "The firewall wants it") == (row["rule"], row["webhook_id"], row["reason"])
    assert str(told["until"]) in str(row["until"]) if "until" in told else pd.isna(row["until"])
    assert () == audited.notes


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"webhook": "whk_2"}, id="another webhook"),
        pytest.param({"account": "shopping"}, id="another account"),
        pytest.param({"host": "shop.example"}, id="another host"),
        pytest.param({"webhook": "whk_1", "account": "other"}, id="only one of two fits"),
        pytest.param({"webhook": "whk_1", "rule": "plain_http"}, id="another rule"),
    ],
)
def test_an_ignore_that_matched_nothing_is_a_note(tmp_path: Path, told: dict[str, Any]) -> None:
    """All that it names has to fit; where nothing does, one is told, for it may be a slip."""
    audited = audit(ODD, settings=ignoring(tmp_path, **told))
    assert ["odd_port"] == rules_of(audited)
    assert 0 == len(audited.ignored)
    (note,) = audited.notes
    assert str(told.get("rule", "odd_port")) in note


@pytest.mark.parametrize(
    "until",
    [
        pytest.param(NOW.date(), id="today"),
        pytest.param(dt.date(2025, 12, 9), id="yesterday"),
        pytest.param(dt.date(1999, 12, 31), id="long ago"),
    ],
)
def test_an_ignore_that_has_expired_brings_the_finding_back(tmp_path: Path, until: dt.date) -> None:
    """From its day on; a note says so."""
    audited = audit(ODD, settings=ignoring(tmp_path, webhook="whk_1", until=until))
    assert ["odd_port"] == rules_of(audited)
    assert 0 == len(audited.ignored)
    (note,) = audited.notes
    assert str(until) in note


def test_an_ignore_takes_only_what_it_names(tmp_path: Path) -> None:
    """Other rules and other webhooks of the team are told as before."""
    path = ignoring(tmp_path, webhook="whk_1")
    audited = audit({"url": "http://odd.shop.example:99/"}, {"url": "https://odd-2.shop.example:99/"}, settings=path)
    assert {("whk_1", "plain_http"), ("whk_2", "odd_port")} == found(audited)


@pytest.mark.parametrize(
    "told", [pytest.param({"account": "shop 1"}, id="account"), pytest.param({"host": "hub.example"}, id="host")]
)
def test_a_finding_about_a_team_can_be_ignored(tmp_path: Path, told: dict[str, Any]) -> None:
    """By its account, or by the host that it is about."""
    path = ignoring(tmp_path, rule="many_teams", **told)
    audited = cx.audit(teams_at(*["hub.example"] * 3), settings=path, now=NOW)
    left = {"shop 0", "shop 2"} if "account" in told else set()
    assert left == set(audited.to_frame()["account"])
    assert () == audited.notes


def test_the_reason_of_an_ignore_is_shown_as_text(tmp_path: Path) -> None:
    """It is somebody's text as well."""
    path = ignoring(tmp_path, webhook="whk_1", reason="<script>alert(1)</script>")
    audited = audit(ODD, settings=path)
    assert "<script>alert(1)</script>" == audited.ignored["reason"].iloc[0]
    assert "<script>alert(1)" not in audited.to_html()


# --- settings that are refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "named"),
    [
        pytest.param("[thresholds]\nport = [443]", ["port", "ports"], id="unknown threshold"),
        pytest.param(
            "[thresholds]\ninactive_day = 5", ["inactive_day", "inactive_days"], id="unknown threshold, singular"
        ),
        pytest.param("[threshold]\nports = [443]", ["threshold", "thresholds"], id="unknown table"),
        pytest.param("ports = [443]", ["ports"], id="key outside of a table"),
        pytest.param("[[ignores]]\nrule = 'odd_port'", ["ignores", "ignore"], id="unknown list"),
        pytest.param("[ignore]\nrule = 'odd_port'\nreason = 'x'\nwebhook = 'w'", ["ignore"], id="a table, not a list"),
        pytest.param("thresholds = 5", ["thresholds"], id="thresholds a number"),
        pytest.param("ignore = 'odd_port'", ["ignore"], id="ignore a text"),
        pytest.param("ignore = ['odd_port']", ["ignore"], id="ignore a list of texts"),
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
        pytest.param("[[ignore]]\nrule = 'odd_port'\nreason = 'x'", ["webhook", "account", "host"], id="for whom?"),
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
def test_a_slip_in_the_settings_is_named(tmp_path: Path, text: str, named: list[str]) -> None:
    """With the file and, where there is one, the nearest real name."""
    path = toml(tmp_path, text)
    with pytest.raises(errors.ConfigurationError) as refused:
        audit({}, settings=path)
    said = str(refused.value)
    assert [] == [word for word in named if word not in said]
    assert path.name in said


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"[thresholds", id="not closed"),
        pytest.param(b"rule: odd_port", id="YAML"),
        pytest.param(b"\xff\xfe\x00", id="binary"),
        pytest.param(b"[thresholds]\nports = [443]\nports = [80]", id="a key twice"),
        pytest.param(b"a." * 5000 + b"a = 1", id="deep"),
        pytest.param(b"a = " + b"[" * 5000 + b"]" * 5000, id="nested"),
    ],
)
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    """With our own error."""
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigurationError, match=r"broken\.toml"):
        audit({}, settings=path)


@pytest.mark.parametrize("name", [pytest.param("missing.toml", id="not there"), pytest.param("", id="a folder")])
def test_settings_that_cannot_be_read_are_refused(tmp_path: Path, name: str) -> None:
    """A missing file is no empty file."""
    with pytest.raises(errors.ConfigurationError):
        audit({}, settings=tmp_path / name)


@pytest.mark.parametrize("settings", [pytest.param({"ports": []}, id="a dict"), pytest.param(5, id="a number")])
def test_settings_of_another_type_are_refused(settings) -> None:
    """Not silently passed over."""
    with pytest.raises((errors.CStarError, TypeError)):
        audit({}, settings=settings)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(None, id="nothing"),
        pytest.param(5, id="a number"),
        pytest.param("webhooks.csv", id="text"),
        pytest.param([{"id": "whk_1"}], id="a list of dicts"),
        pytest.param(object(), id="anything"),
    ],
)
def test_a_source_of_another_type_is_refused(source) -> None:
    """With our own error, which says what is wanted."""
    with pytest.raises(errors.CStarError):
        cx.audit(source, now=NOW)


# --- a client ---------------------------------------------------------------------------------------------------------

BUDGET = {
    "X-RateLimit-Limit": "1000",
    "X-RateLimit-Reset": str(int(NOW.timestamp()) + 3600),
    "X-RateLimit-Window": "3600",
}
DATE = {"Date": "Wed, 10 Dec 2025 14:30:00 GMT"}


def item(number: int, *, active: bool = True, created: float = 120, **told: Any) -> dict[str, Any]:
    return {
        "id": f"whk_{number}",
        "name": f"Orders {number}",
        "url": f"https://hook-{number}.shop.example/cstar",
        "events": ["ticket.created"],
        "isActive": active,
        "createdAt": corpus.ago(created).isoformat().replace("+00:00", "Z"),
    } | told


def detail(number: int, updated: float, **told: Any) -> dict[str, Any]:
    return item(number, active=False, updatedAt=corpus.ago(updated).isoformat().replace("+00:00", "Z"), **told)


@contextlib.contextmanager
def asked(*script: Script, key: str = LIVE, **options: Any) -> Iterator[tuple[ScriptedServer, cx.Client]]:
    with ScriptedServer(*script) as server, cx.Client(key, "team_1", server.url, timeout=2, **options) as client:
        yield server, client


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        pytest.param([item(1), item(2), item(3)], ["webhooks"], id="active ones"),
        pytest.param([], ["webhooks"], id="none"),
        pytest.param([item(1), item(2, active=False, created=89)], ["webhooks"], id="paused, young"),
        pytest.param([item(1), item(2, active=False, created=90)], ["webhooks"], id="paused, at the border"),
        pytest.param([item(1), item(2, active=False, created=91)], ["webhooks", "whk_2"], id="paused, old"),
        pytest.param([item(1), detail(2, 5)], ["webhooks"], id="paused, old, and the list told"),
        pytest.param(
            [item(1), item(2, active=False), item(3, active=False), item(4, active=False, created=3)],
            ["webhooks", "whk_2", "whk_3"],
            id="two",
        ),
    ],
)
def test_no_request_more_than_needed_is_sent(items: list[dict[str, Any]], expected: list[str]) -> None:
    """The list once, and once each webhook that may have been paused for long."""
    details = {told["id"]: told | {"updatedAt": "2025-12-01T00:00:00Z"} for told in items}

    def answer(connection: Any, received: Any) -> bool:
        last = received.path.rpartition("/")[2]
        return data(items if last == "webhooks" else details[last], headers=DATE)(connection, received)

    with asked(*[answer] * 9) as (server, client):
        audited = cx.audit(client, now=NOW)
        assert expected == [
            server.requests[0].path.rpartition("/")[2],
            *sorted(request.path.rpartition("/")[2] for request in server.requests[1:]),
        ]
        assert {"GET"} == set(server.methods)
        assert set() == {request.body for request in server.requests} - {b""}
    assert set() == found(audited)
    assert () == audited.notes


def test_a_detail_tells_how_long_a_webhook_has_been_paused() -> None:
    """The list of the reference does not."""
    with asked(data([item(1), item(2, active=False)]), data(detail(2, 100))) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert {("whk_2", "inactive_long")} == found(audited)
    assert NOW - dt.timedelta(days=100) == audited.webhooks["updated_at"].iloc[1]


def test_fewer_inactive_days_ask_for_more_details(tmp_path: Path) -> None:
    """The threshold decides who may have been paused for long."""
    path = toml(tmp_path, "[thresholds]\ninactive_days = 10")
    with asked(data([item(1), item(2, active=False, created=20)]), data(detail(2, 15))) as (server, client):
        audited = cx.audit(client, settings=path, now=NOW)
        assert 2 == len(server.requests)
    assert {("whk_2", "inactive_long")} == found(audited)


@pytest.mark.parametrize(
    ("remaining", "expected"),
    [
        pytest.param(999, 2, id="plenty"),
        pytest.param(100, 2, id="a tenth"),
        pytest.param(99, 1, id="less than a tenth"),
        pytest.param(0, 1, id="nothing"),
    ],
)
def test_details_are_left_out_where_the_budget_is_short(remaining: int, expected: int) -> None:
    """The audit does not eat what others need, and a note says what was not looked at."""
    headers = BUDGET | {"X-RateLimit-Remaining": str(remaining)}
    with asked(data([item(1), item(2, active=False)], headers=headers), data(detail(2, 100), headers=headers)) as (
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
        pytest.param(status(404, type="not_found_error"), id="gone meanwhile"),
        pytest.param(status(403, type="permission_error"), id="not permitted"),
        pytest.param(data({"id": "whk_2"}), id="tells nothing"),
    ],
)
def test_a_detail_that_is_not_told_is_no_finding(line: Script) -> None:
    """What is not known is not guessed, and the rest is told."""
    with asked(data([item(1, url="https://a.example:99/"), item(2, active=False)]), line) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert {("whk_1", "odd_port")} == found(audited)


def test_the_clock_is_that_of_the_answer() -> None:
    """Not that of a computer whose clock is wrong."""
    with asked(data([item(1, created=366), item(2, created=364)], headers=DATE)) as (_, client):
        assert {("whk_1", "old_secret")} == found(cx.audit(client))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(LIVE, {("whk_1", "test_name"), ("whk_1", "private_address"), ("whk_1", "plain_http")}, id="live"),
        pytest.param(TEST, set(), id="sandbox"),
    ],
)
def test_the_environment_is_that_of_the_client(key: str, expected: set[tuple[str, str]]) -> None:
    """A key of the sandbox may name its webhooks test and send them to this machine."""
    with asked(data([item(1, name="test", url="http://127.0.0.1/x")]), key=key) as (_, client):
        audited = cx.audit(client, now=NOW)
    assert expected == found(audited)
    assert ["sandbox" if key == TEST else "live"] == audited.webhooks["environment"].tolist()


def test_the_client_is_left_as_it_was(sandbox: cx.Sandbox) -> None:
    """It is open, and may write as before."""
    with sandbox.client() as client:
        cx.audit(client)
        made = client.webhooks.create(name="After", url="https://after.example.com/x", events=["ticket.created"])
        assert made.id in {webhook.id for webhook in client.webhooks.list()}


@pytest.mark.parametrize(
    "options", [pytest.param({"write": False}, id="reads only"), pytest.param({"key": "publishable"}, id="publishable")]
)
def test_a_client_that_only_reads_can_audit(sandbox: cx.Sandbox, options: dict[str, Any]) -> None:
    """Nothing more is needed."""
    with sandbox.client(options.get("key", "secret"), write=options.get("write", True)) as client:
        audited = cx.audit(client)
    assert 4 == len(audited.webhooks)
    assert audited.complete is True


def test_the_webhooks_of_a_fresh_sandbox(client: cx.Client) -> None:
    """One pattern, and one that is paused whose events nobody receives."""
    names = dict(zip(*(cx.audit(client).webhooks[column] for column in ("id", "name")), strict=True))
    assert {("Search index", "wildcard"), ("Boss fight overlay", "unreceived_event")} == {
        (names[webhook], rule) for webhook, rule in found(cx.audit(client))
    }


def test_no_key_is_shown(sandbox: cx.Sandbox) -> None:
    """Not in any form of the audit."""
    with sandbox.client() as client:
        audited = cx.audit(client)
    assert sandbox.key.reveal() not in shown(audited, page=True)


# --- what fix prepares ------------------------------------------------------------------------------------------------

WANTED = ["name", "url", "events", "is_active"]


@contextlib.contextmanager
def doubts_allowed() -> Iterator[None]:
    """A former name is written back, with a warning."""
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
        [("A", HOOK, ["ticket.created"]), ("B", HOOK + "/", ["ticket.created", "ticket.closed"])],
        {},
        id="delivers_twice",
    ),
    pytest.param(
        "delivers_twice",
        [("A", HOOK, ["ticket.created"]), ("B", HOOK, ["ticket.*"]), ("C", HOOK + "?c", ["ticket.created"])],
        {},
        id="delivers_twice, three",
    ),
    pytest.param("same_url", [("A", HOOK, ["ticket.created"]), ("B", HOOK, ["ticket.closed"])], {}, id="same_url"),
    pytest.param("tunnel_host", [("A", "https://abc.ngrok.io/hook", ["ticket.created"])], {}, id="tunnel_host"),
    pytest.param("private_address", [("A", "https://10.0.0.1/hook", ["ticket.created"])], {}, id="private_address"),
    pytest.param("plain_http", [("A", "http://127.0.0.1/hook", ["ticket.created"])], {"key": "live"}, id="plain_http"),
]


@pytest.mark.parametrize(("rule", "planted", "options"), FIXES)
def test_a_fix_that_is_applied_mends_what_it_is_for(sandbox: cx.Sandbox, rule, planted, options) -> None:
    """There is nothing left to mend, nothing else is touched, and the plan that takes it back restores all of it."""
    with sandbox.client(options.get("key", "secret")) as client, doubts_allowed():
        made = [client.webhooks.create(name=name, url=url, events=kinds).id for name, url, kinds in planted]
        before, audited = state(client), cx.audit(client)
        assert rule in rules_of(audited)
        others = {row for row in found(audited) if row[0] not in made}
        plan = cx.plan(client, audited.fix(rules=[rule]))
        assert len(plan) >= 1
        plan.apply()
        after, again = state(client), cx.audit(client)
        assert 0 == len(cx.plan(client, again.fix(rules=[rule])))
        assert {key: value for key, value in before.items() if key not in made} == {
            key: value for key, value in after.items() if key not in made
        }
        assert others == {row for row in found(again) if row[0] not in made}
        assert set(made) <= set(after)
        plan.invert().apply()
        assert before == state(client)


@pytest.mark.parametrize(("rule", "planted", "options"), [fix for fix in FIXES if fix[0][0] != "same_url"])
def test_a_finding_is_gone_once_its_fix_was_applied(sandbox: cx.Sandbox, rule, planted, options) -> None:
    """What was mended is not told again. (The same URL stays the same URL: there one of the two is only paused.)"""
    with sandbox.client(options.get("key", "secret")) as client, doubts_allowed():
        for name, url, kinds in planted:
            client.webhooks.create(name=name, url=url, events=kinds)
        cx.plan(client, cx.audit(client).fix(rules=[rule])).apply()
        assert [] == [row for row in found(cx.audit(client)) if row[1] == rule]


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
            id="plain_http, and what is shown masked is written whole",
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
            id="former_event beside the new name",
        ),
        pytest.param(
            "delivers_twice",
            [
                {"url": HOOK, "events": ("ticket.created", "ticket.closed"), "created_at": corpus.ago(10)},
                {"url": HOOK, "events": ("ticket.created", "boss.spawned"), "created_at": corpus.ago(20)},
            ],
            {"whk_1": {"is_active": False}, "whk_2": {"events": {"ticket.created", "ticket.closed", "boss.spawned"}}},
            id="delivers_twice, the oldest is last",
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
def test_a_fix_wants_only_what_it_is_for(rule: str, webhooks: list[dict[str, Any]], expected) -> None:
    """Every other field stays as it is, and there is a reason beside it."""
    audited = audit({"id": "whk_0"}, *({"id": f"whk_{n}"} | told for n, told in enumerate(webhooks, 1)))
    table = audited.fix(rules=[rule])
    assert FIXED == list(table.columns)
    now = audited.webhooks.set_index("id")
    wanted: dict[str, dict[str, Any]] = {}
    for row in table.to_dict("records"):
        assert row["because"].strip()
        assert row["team_id"] == "team_shop"
        moved = {}
        for field in WANTED:
            is_missing = not isinstance(row[field], tuple | list) and pd.isna(row[field])
            then, new = now.loc[row["id"], field], row[field]
            if not is_missing and (set(then) != set(new) if field == "events" else then != new):
                moved[field] = set(new) if field == "events" else bool(new) if field == "is_active" else new
        wanted[row["id"]] = moved
    assert expected == {webhook: moved for webhook, moved in wanted.items() if moved}


def test_fixes_of_several_rules_meet_in_one_row() -> None:
    """A webhook is named once, with all that is to change."""
    audited = audit({"url": "http://shop.example/x", "events": ("achievement.unlocked",)})
    (row,) = audited.fix().to_dict("records")
    assert ("https://shop.example/x", ["player.achievement_unlocked"]) == (row["url"], list(row["events"]))


def test_all_fixes_at_once_are_one_sound_plan(sandbox: cx.Sandbox) -> None:
    """Everything that can be prepared, planned, applied and taken back."""
    with sandbox.client() as client, doubts_allowed():
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
def test_nothing_is_prepared_where_something_could_be_lost(audited, rule: str) -> None:
    """A person has to decide."""
    accounts = {webhook.account for webhook in WEBHOOKS if rule in webhook.labels} or {"dogwood"}
    for account in accounts:
        table = audited.fix(rules=[rule], account=account)
        assert (FIXED, 0) == (list(table.columns), len(table))


def test_the_fixes_of_the_corpus_are_each_of_their_team(audited) -> None:
    """With `account`, only its webhooks; never a deletion, and no mask is written back."""
    for account in {webhook.account for webhook in WEBHOOKS}:
        table = audited.fix(account=account)
        assert {f"team_{account}"} >= set(table["team_id"])
        assert {webhook.id for webhook in WEBHOOKS if webhook.account == account} >= set(table["id"])
        assert not table["id"].duplicated().any()
        assert not table["url"].astype(str).str.contains("••••").any()
        assert not table["url"].dropna().str.startswith("http://").any()


def received(table: pd.DataFrame) -> set[tuple[str, str]]:
    """What active webhooks deliver, and to which host."""
    return {
        (str(row.url).split("://")[-1].split("/")[0].split(":")[0].lower(), kind)
        for row in table.itertuples()
        if bool(row.is_active)
        for pattern in row.events
        for kind in (events.matching_types(pattern) or (pattern,))
    }


def mended(told: Any, **options: Any) -> pd.DataFrame:
    """The webhooks as they are once the fix was applied."""
    held = {row["id"]: row for row in told.webhooks.to_dict("records")}
    for row in told.fix(**options).to_dict("records"):
        wanted = {field: row[field] for field in WANTED}
        held[row["id"]] |= {
            field: value for field, value in wanted.items() if isinstance(value, tuple | list) or not pd.isna(value)
        }
    return pd.DataFrame(held.values())


@pytest.mark.parametrize("rule", ["delivers_twice", "same_url"])
@pytest.mark.parametrize(
    "webhooks",
    [
        pytest.param([{}, {}], id="alike"),
        pytest.param([{}, {"events": ("boss.spawned",)}], id="different events"),
        pytest.param([{"is_active": False}, {}], id="the oldest is paused"),
        pytest.param(
            [{"is_active": False}, {"events": ("boss.spawned",)}], id="the oldest is paused, different events"
        ),
        pytest.param([{"is_active": False}, {}, {}], id="the oldest of three is paused"),
        pytest.param([{}, {"is_active": False}, {"events": ("*",)}], id="the middle one is paused"),
        pytest.param([{"events": ("ticket.*",)}, {}, {"events": ("customer.*", "survey.submitted")}], id="patterns"),
        pytest.param([{"created_at": None}, {}], id="no age"),
    ],
)
def test_what_was_received_is_received_once_twins_are_mended(rule: str, webhooks: list[dict[str, Any]]) -> None:
    """One webhook less at the address, and not one event."""
    told = audit(*({"url": HOOK} | webhook for webhook in webhooks))
    assert received(told.webhooks) <= received(mended(told, rules=[rule]))


def test_several_teams_cannot_be_mended_by_one_plan(audited) -> None:
    """A plan has one client; which account has to be said."""
    with pytest.raises(errors.ValidationError, match="account"):
        audited.fix()


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"account": "nobody"}, id="account"),
        pytest.param({"rules": ["plain_htp"]}, id="rule"),
        pytest.param({"rules": "plain_htp"}, id="rule as text"),
    ],
)
def test_a_fix_of_something_unknown_is_refused(options: dict[str, Any]) -> None:
    """A slip would look like nothing to mend."""
    with pytest.raises(errors.ValidationError) as refused:
        audit({"url": "http://shop.example/"}).fix(**options)
    assert ("nobody" if "account" in options else "plain_htp") in str(refused.value)


def test_an_ignored_finding_is_not_mended(tmp_path: Path) -> None:
    """Somebody decided to leave it."""
    path = ignoring(tmp_path, rule="plain_http", webhook="whk_1")
    assert 0 == len(audit({"url": "http://shop.example/"}, settings=path).fix())


def test_https_is_not_prepared_for_port_eighty() -> None:
    """Where the port of plain http was written out, it does not stay behind https."""
    table = audit({"url": "http://shop.example:80/x"}).fix()
    assert [] == [url for url in table["url"] if ":80/" in url]


# --- hostile values ---------------------------------------------------------------------------------------------------

BIDI = "\u202e\u2066\u200f"
HOSTILE = [
    pytest.param("<img src=x onerror=alert(1)>", id="markup"),
    pytest.param("</script><script>alert(1)</script>", id="script"),
    pytest.param("$\\frac{1}{2}$ and `code`", id="mathematics"),
    pytest.param(f"{BIDI}gnp.exe", id="bidi"),
    pytest.param("\x1b[31mred\x07\x00\r\n\t", id="controls"),
    pytest.param("\ud800", id="a lone surrogate"),
    pytest.param("=HYPERLINK(1)", id="formula"),
    pytest.param("x" * 100_000, id="huge"),
    pytest.param("é" * 5_000, id="long, not ASCII"),
    pytest.param("{name} %s %(x)s {0}", id="format"),
]


def test_hostile_text_is_told_as_text_in_the_report() -> None:
    """All of it at once, in every field."""
    texts = [fix[0][0] for fix in HOSTILE]
    odd = [
        {"url": f"http://127.0.0.1:99/{text}", "name": f"test {text}", "id": text, "events": (text,)} for text in texts
    ]
    page = cx.audit(pd.concat([team(told, account=told["id"]) for told in odd]), now=NOW).to_html()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "</script><script>" not in page
    assert "\x1b" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("field", ["name", "url", "id", "account", "events"])
def test_hostile_text_is_told_as_text(field: str, text: str) -> None:
    """In every form, and without an error."""
    odd = {"url": f"http://127.0.0.1:99/{text}", "name": f"test {text}", "id": text, "account": text}
    value = (text,) if field == "events" else odd.get(field, text)
    told = audit({field: value, **({} if field == "url" else {"url": "http://127.0.0.1:99/"})}, {})
    table = told.to_frame()
    assert len(table) >= 1
    page = told._repr_html_()
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "\u202e" not in "".join([*table["evidence"], *table["remedy"], repr(told)])
    assert "\x1b" not in "".join([*table["evidence"], *table["remedy"], repr(told), page])
    assert max(map(len, table["evidence"])) < 5_000


def test_hostile_text_is_no_formula_in_the_csv(tmp_path: Path) -> None:
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
        pytest.param("https://xn--0.example/", id="punycode that is none"),
        pytest.param("https://xn--.example/", id="punycode of nothing"),
        pytest.param("https://xn--\u00fc.example/", id="punycode with an umlaut"),
        pytest.param("https://" + "a" * 300 + ".example/", id="a long label"),
        pytest.param("https://" + "a." * 5000 + "example/", id="many labels"),
        pytest.param("https://..../", id="only dots"),
        pytest.param("https://a..example/", id="an empty label"),
        pytest.param("https://-/", id="a dash"),
        pytest.param("https://%6c%6f%63alhost/", id="a coded host"),
        pytest.param("https://999.999.999.999/", id="no address"),
        pytest.param("https://" + "9" * 5000 + "/", id="a number of 5,000 digits"),
        pytest.param("https://0x" + "f" * 5000 + "/", id="a hexadecimal number of 5,000 digits"),
        pytest.param("https://0x/", id="a number without digits"),
        pytest.param("https://1.2.3.4.5/", id="five numbers"),
        pytest.param("https://[fe80::1%25eth0]/", id="a zone"),
        pytest.param("https://[v1.x]/", id="an address of the future"),
        pytest.param("https://[::ffff:999.1.1.1]/", id="a mapped address that is none"),
        pytest.param("https://a.example:" + "9" * 5000 + "/", id="a port of 5,000 digits"),
        pytest.param("https://a.example:-1/", id="a negative port"),
        pytest.param("https://a.example:\u0664\u0664\u0663/", id="a port in Arabic digits"),
        pytest.param("https://a.example:0/", id="port zero"),
        pytest.param("https://\u2100.example/", id="a letter that becomes a/c"),
        pytest.param("https://a.example/?" + "&" * 100_000, id="100,000 ampersands"),
        pytest.param("https://a.example/?%ZZ=%&=&==", id="a broken query"),
        pytest.param("https://a\x00b.example/", id="a zero in the host"),
        pytest.param("https://a\nb.example/", id="a newline in the host"),
        pytest.param("https://\ud800.example/", id="a lone surrogate in the host"),
        pytest.param("https://user:pa@ss:word@a.example/", id="two at signs"),
        pytest.param("\\\\server\\share", id="backslashes"),
    ],
)
def test_odd_urls_break_nothing(url: str) -> None:
    """Whatever is found, the next webhook is looked at as well."""
    told = audit({"url": url}, {"url": "http://shop.example/"}, {"url": url})
    assert ("whk_2", "plain_http") in found(told)
    assert isinstance(shown(told), str)
    told.fix()


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
def test_odd_types_are_told_or_refused_by_our_own_error(field: str, value: Any) -> None:
    """Never a traceback from within."""
    with contextlib.suppress(errors.CStarError):
        told = cx.audit(team({field: value}, {"url": "http://shop.example/"}), now=NOW)
        assert ("whk_2", "plain_http") in found(told)
        assert isinstance(shown(told), str)


@pytest.mark.parametrize("created", ["yesterday", 5, "2025-12-10T14:30:00Z", None, dt.datetime(2020, 1, 1)])  # noqa: DTZ001
def test_odd_times_are_told_or_refused_by_our_own_error(created: Any) -> None:
    """Text, a number, or a time without a zone."""
    table = team({}, {"url": "http://shop.example/"})
    table["created_at"] = pd.Series([created] * 2, dtype="object")
    table["updated_at"] = pd.Series([created] * 2, dtype="object")
    with contextlib.suppress(errors.CStarError):
        assert ("whk_2", "plain_http") in found(cx.audit(table, now=NOW))


@pytest.mark.parametrize(
    "column", ["account", "team_id", "environment", "name", "events", "is_active", "created_at", "updated_at"]
)
def test_a_missing_column_silences_only_the_rules_that_need_it(column: str) -> None:
    """The address is judged all the same, or the column is asked for by name."""
    table = team({"url": "http://shop.example/"}).drop(columns=column)
    try:
        told = cx.audit(table, now=NOW)
        names_it = ("whk_1", "plain_http") in found(told) and isinstance(shown(told), str)
    except errors.CStarError as refused:
        names_it = column in str(refused)
    assert names_it


@pytest.mark.parametrize("column", ["account", "team_id", "environment"])
def test_who_it_is_may_be_left_out(column: str) -> None:
    """These columns are optional."""
    assert ("whk_1", "plain_http") in found(
        cx.audit(team({"url": "http://shop.example/"}).drop(columns=column), now=NOW)
    )


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(pd.DataFrame(), id="empty"),
        pytest.param(pd.DataFrame({"a": [1]}), id="another"),
        pytest.param(pd.concat([team({}), team({})], axis=1), id="columns twice"),
        pytest.param(team({}).set_axis(range(10), axis=1), id="numbered columns"),
    ],
)
def test_a_frame_that_is_no_list_of_webhooks_is_refused_or_empty(table: pd.DataFrame) -> None:
    """With our own error, which says so."""
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
def test_a_clock_that_is_none_is_refused(now: Any) -> None:
    """With our own error, or as Python refuses a wrong type."""
    with pytest.raises((errors.CStarError, TypeError)):
        cx.audit(team({}), now=now)


# --- anything ---------------------------------------------------------------------------------------------------------

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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
def test_an_audit_copes_with_anything(webhooks: list[dict[str, Any]], environment: str) -> None:
    """Every URL, name and event is judged; every form of it can be made."""
    told = cx.audit(team(*webhooks, environment=environment), now=NOW)
    table = told.to_frame()
    assert set(corpus.RULES) >= set(table["rule"])
    assert all(text.strip() for text in table["evidence"])
    assert isinstance(repr(told) + told.to_json() + told._repr_html_(), str)
    assert FIXED == list(told.fix().columns)


@settings(max_examples=8, deadline=None)
@given(st.lists(URLS, min_size=12, max_size=12), st.lists(TEXT, min_size=12, max_size=12))
def test_a_report_copes_with_anything(urls: list[Any], texts: list[str]) -> None:
    """It is made of whatever was found."""
    told = audit(*({"url": url, "name": text, "id": text} for url, text in zip(urls, texts, strict=True)))
    assert told.to_html().rstrip().endswith("</html>")


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(("account", "id", "name", "url", "events", "is_active", "environment", "created_at")),
        st.none() | st.integers() | st.floats() | st.binary(max_size=5) | TEXT | st.lists(st.none() | TEXT, max_size=2),
        max_size=4,
    )
)
def test_an_audit_of_any_types_tells_or_refuses_by_our_own_error(values: dict[str, Any]) -> None:
    """Never another exception."""
    table = pd.DataFrame(
        {column: pd.Series([value], dtype="object") for column, value in ({"id": "a"} | values).items()}
    )
    outcome: Any
    try:
        outcome = cx.audit(table, now=NOW).to_frame()
    except errors.CStarError as refused:
        outcome = refused
    assert isinstance(outcome, errors.CStarError | pd.DataFrame)
