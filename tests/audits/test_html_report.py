"""The HTML report and the CSV: self-contained, reproducible, safe for untrusted text, and without secrets."""

import base64
import csv
import datetime as dt
import html
import io
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.style
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

import cstar_explore as cx
from cstar_explore import errors
from cstar_explore.charts import INK
from tests.support.sampling import NIGHTLY, examples
from tests.support.scripted_server import ScriptedServer, data, reply, status

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)
LIVE = "sk_live_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
PASSWORD = "hunter2-Rosebud"
VALUE = "q7Zp2Xw9Lk4T"
RANDOM = "aB3dE6gH9jK2mN5pQ8rS1tU4"
VOID = {"meta", "img", "br", "hr", "link", "input", "col"}
UNTRUSTED = {
    "script": "<script>alert(1)</script>",
    "attribute": '"><img src=x onerror=alert(1)>',
    "closing tags": "</td></tr></table></body></html><h1>Injected",
    "comment": "<!-- ",
    "style": "</style><style>*{display:none}",
    "entities": "&lt;b&gt; &amp; &#60;",
    "TeX": "$\\frac{a}{b}$ $x^",
    "control characters": "\x00\x1b[2J\x07\u202e\u2028",
    "unpaired surrogate": "\ud800 half",
    "very long": "x" * 5000,
    "other scripts": "会社 🙈 مرحبا",
}


def hook(**fields: Any) -> dict[str, Any]:
    return {
        "account": "shop",
        "team_id": "team_shop",
        "environment": "live",
        "id": "whk_1",
        "name": "Orders",
        "url": "https://hook.shop.example/cstar",
        "events": ("ticket.created",),
        "is_active": True,
        "created_at": pd.Timestamp("2025-11-01T10:00:00Z"),
        "updated_at": pd.NaT,
    } | fields


def frame(*hooks: dict[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame([hook(**fields) for fields in hooks])
    for column in ("created_at", "updated_at"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table


def audit(*hooks: dict[str, Any]) -> cx.Audit:
    return cx.audit(frame(*hooks), now=NOW)


class Page(HTMLParser):
    """Parses a page as a browser does, and checks that every tag is closed."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.comments: list[str] = []
        self.feed(content)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop(), f"</{tag}> closes another tag"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())

    @property
    def charts(self) -> list[str]:
        """The charts in the page, as SVG text."""
        sources = [attributes["src"] or "" for tag, attributes in self.tags if tag == "img"]
        assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
        return [base64.b64decode(source.partition(",")[2], validate=True).decode() for source in sources]


def all_text(content: str) -> str:
    """Everything readable in a page: its source, its text and its charts, with entities decoded."""
    page = Page(content)
    charts = "\n".join(page.charts)
    return "\n".join([content, html.unescape(content), page.text, charts, html.unescape(charts)])


def audit_accounts(monkeypatch: pytest.MonkeyPatch, *responses: Any, names: list[str]) -> cx.Audit:
    """Audits accounts with these names, one after the other."""
    monkeypatch.setenv("CSTAR_KEY_ALL", LIVE)
    with ScriptedServer(*responses) as server:
        rows = [[name, f"team_{index}", "CSTAR_KEY_ALL", server.url] for index, name in enumerate(names)]
        table = pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"])
        return cx.audit(cx.Accounts(table), at_once=1, now=NOW)


ITEM = {
    "id": "whk_1",
    "name": "Desk",
    "url": "http://desk.shop.example/x",
    "events": ["ticket.created"],
    "isActive": True,
    "createdAt": "2025-12-01T10:00:00Z",
}


# --- untrusted text ---------------------------------------------------------------------------------------------------


def webhooks_with(text: str) -> list[dict[str, Any]]:
    """Two webhooks of an account, with the text in every field."""
    fields = {"name": text, "events": (text, "ticket.*"), "account": text, "team_id": text, "environment": text}
    return [
        fields | {"id": text, "url": "http://ada:pass@hook.shop.example/"},
        fields | {"id": "whk_2", "url": f"http://{text}.example/{text}?token={text}"},
    ]


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param([*UNTRUSTED.values()], id="all"),
        *(pytest.param([text], id=kind) for kind, text in UNTRUSTED.items() if NIGHTLY),
    ],
)
def test_untrusted_text_is_escaped(texts: list[str]) -> None:
    """In every field at once: it adds no tag, attribute or comment, and no control character is in the page.

    The charts have a bar for each of these accounts. At night, each text also has a page of its own.
    """
    content = audit(*[webhook for text in texts for webhook in webhooks_with(text)]).to_html()
    page = Page(content)
    tags = [tag for tag, _ in page.tags]

    assert [] == [tag for tag in tags if tag in {"script", "iframe", "object", "embed", "form", "link", "a"}]
    assert (1, 1, 1) == (tags.count("h1"), tags.count("style"), tags.count("body"))
    assert tags.count("img") == len(page.charts) <= 3
    assert [] == [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert [] == page.comments
    assert [] == re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2028]", all_text(content))
    assert content.encode("utf-8")
    for chart in page.charts:
        assert "script" not in {element.tag.rpartition("}")[2] for element in ET.fromstring(chart).iter()}


def test_untrusted_text_in_account_errors_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's message and the account's name."""
    texts = [UNTRUSTED[kind] for kind in ("script", "closing tags", "control characters")]
    responses = [
        response
        for text in texts
        for response in (
            status(403, message=text, code=text, request_id=text),
            data([ITEM]),
            reply(200, text.encode("utf-8", "replace"), content_type="text/html"),
        )
    ]
    names = [name for index, text in enumerate(texts) for name in (f"A {text}", f"B{index}", f"C {text}")]
    audited = audit_accounts(monkeypatch, *responses, names=names)
    content = audited.to_html()
    page = Page(content)

    assert ["failed", "read", "failed"] * 3 == audited.accounts["state"].tolist()
    assert [] == [tag for tag, _ in page.tags if tag in {"script", "iframe", "object", "form", "a", "h1"}][1:]
    assert [] == [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert [] == re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2028]", all_text(content))
    assert LIVE not in all_text(content)


@pytest.mark.usefixtures("without_charts")
def test_untrusted_text_in_settings_is_escaped(tmp_path: Path) -> None:
    """The reason of an ignore, and the name in one that matched nothing."""
    path = tmp_path / "audit.toml"
    path.write_text(
        '[[ignore]]\nrule = "plain_http"\naccount = "shop"\nreason = "<script>alert(1)</script>"\n'
        '[[ignore]]\nrule = "wildcard"\naccount = "<script>alert(2)</script>"\nreason = "none"\n'
    )
    content = cx.audit(frame({"url": "http://shop.example/"}), settings=path, now=NOW).to_html()

    assert "script" not in {tag for tag, _ in Page(content).tags}


# --- a self-contained page --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox_report() -> str:
    with cx.Sandbox(neglected=True) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name in ("CSTAR_KEY_SUPPORT", "CSTAR_KEY_NORTH", "CSTAR_KEY_LAB"):
            patch.setenv(name, "")
        sandbox.export_keys()
        return cx.audit(cx.Accounts(sandbox.accounts())).to_html()


def test_the_page_is_complete(sandbox_report: str) -> None:
    """It has a doctype, language, encoding, title and one h1, and every table has a head."""
    page = Page(sandbox_report)
    tags = [tag for tag, _ in page.tags]

    assert sandbox_report.lower().startswith("<!doctype html>")
    assert 1 == tags.count("html") == tags.count("title") == tags.count("h1") == tags.count("body")
    assert {"charset": "utf-8"} in [attributes for tag, attributes in page.tags if tag == "meta"]
    assert [True] == ["lang" in attributes for tag, attributes in page.tags if tag == "html"]
    assert tags.count("table") == tags.count("thead")
    assert "@media print" in sandbox_report
    assert (1, 1) == (tags.count("header"), tags.count("main"))


def test_short_cells_do_not_break(sandbox_report: str) -> None:
    """A date and a state stay on one line, also in print."""
    cells = set(re.findall(r'<td class="short">(.*?)</td>', sandbox_report))

    assert {"read", "active", "paused", "2025-05-05", "9"} <= cells
    assert not re.search(r"<td>(active|paused|20\d\d-\d\d-\d\d)</td>", sandbox_report)


def test_the_content_security_policy_blocks_scripts_and_requests(sandbox_report: str) -> None:
    """It comes before everything it applies to."""
    page = Page(sandbox_report)
    policies = [
        attributes["content"] or ""
        for tag, attributes in page.tags
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "content-security-policy"
    ]

    assert 1 == len(policies)
    assert "default-src 'none'" in policies[0]
    assert "script-src" not in policies[0].replace("script-src 'none'", "")
    assert "http" not in policies[0]
    assert sandbox_report.index("Content-Security-Policy") < sandbox_report.index("<style")


def test_the_page_makes_no_network_requests(sandbox_report: str) -> None:
    """It has no external scripts, fonts, frames or images."""
    page = Page(sandbox_report)
    references = [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster", "background", "cite", "formaction", "ping"}
    ]

    assert [] == [one for one in references if not (one[2] or "").startswith("data:image/svg+xml;base64,")]
    assert references
    style = "".join(re.findall(r"<style>(.*?)</style>", sandbox_report, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    for chart in page.charts:
        for element in ET.fromstring(chart).iter():
            assert [] == [
                value
                for name, value in element.attrib.items()
                if name.rpartition("}")[2] in {"href", "src"} and not value.startswith("#")
            ]


def test_each_chart_has_alternative_text(sandbox_report: str) -> None:
    """For screen readers, and where images are not shown."""
    texts = [attributes.get("alt") for tag, attributes in Page(sandbox_report).tags if tag == "img"]

    assert texts
    assert [] == [text for text in texts if not (text or "").strip()]


def test_the_summary_comes_first(sandbox_report: str) -> None:
    """Then the findings, with webhook and evidence."""
    text = Page(sandbox_report).text

    assert text.index("24") < text.index("Ticket mirror")
    for part in ("Support", "North", "Lab", "Ticket mirror", "webhook.site", "169.254.169.254", "ticket.create"):
        assert part in text


def test_equal_audits_give_equal_pages() -> None:
    """Byte for byte: there is no print time and no random id in a chart."""
    hooks = [{"url": "http://a.example/"}, {"id": "whk_2", "events": ("ticket.*",), "account": "other"}]
    one, other = audit(*hooks), audit(*hooks)

    assert one.to_html() == one.to_html() == other.to_html()


def test_every_process_gives_the_same_page(tmp_path: Path) -> None:
    """Nothing depends on the order of a set."""
    code = (
        "import cstar_explore as cx, pandas as pd, sys, hashlib\n"
        "t = pd.DataFrame({'account': list('abcd'), 'team_id': list('abcd'), 'environment': 'live', 'id': list('wxyz'),"
        " 'name': 'test dev', 'url': 'http://relay.example/?token=abcdefgh', 'events': [('*', 'ticket.*')] * 4,"
        " 'is_active': True, 'created_at': pd.Timestamp('2020-01-01', tz='UTC'), 'updated_at': pd.NaT})\n"
        "a = cx.audit(t, now=pd.Timestamp('2025-12-10', tz='UTC').to_pydatetime())\n"
        "print(hashlib.sha256((a.to_html() + a.to_json()).encode()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "MPLCONFIGDIR": mpl.get_cachedir(), "HOME": str(tmp_path)},
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(digests)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_secrets_in_urls_are_masked() -> None:
    """In tables, charts and text."""
    urls = [
        f"http://ada:{PASSWORD}@a.shop.example/x",
        f"https://b.shop.example:9000/?token={VALUE}",
        f"https://hooks.slack.com/services/T0001/B0001/{RANDOM}",
        f"https://abc.ngrok.io/{LIVE}",
        f"ada:{PASSWORD}@c.shop.example/?sig={VALUE}",
    ]
    audited = audit(*[{"id": f"whk_{index}", "url": url, "name": f"N{index}"} for index, url in enumerate(urls * 2)])
    text = all_text(audited.to_html())

    assert [] == [secret for secret in (PASSWORD, VALUE, RANDOM, LIVE, LIVE[8:]) if secret in text]


def test_no_key_is_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even if an error response repeats it."""
    audited = audit_accounts(monkeypatch, data([ITEM]), status(401, message=f"{LIVE} is unknown"), names=["A", "B"])

    assert LIVE[8:] not in all_text(audited.to_html())


# --- large and incomplete audits --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_charts")
def test_long_tables_are_truncated_with_a_note() -> None:
    """A table has at most a thousand rows. A note gives the total."""
    table = frame({}).loc[[0] * 1200].reset_index(drop=True)
    table["id"] = [f"whk_{number}" for number in range(1200)]
    table["url"] = [f"http://hook-{number}.shop.example/" for number in range(1200)]
    content = cx.audit(table, now=NOW).to_html()
    page = Page(content)
    rows = [len(re.findall(r"<tr[ >]", one)) for one in re.findall(r"<table.*?</table>", content, re.DOTALL)]

    assert max(rows) <= 1001
    assert "1,200" in page.text or "1200" in page.text
    assert re.search(r"(200 more|1,?000 of 1,?200|first 1,?000)", page.text)


@pytest.mark.usefixtures("without_charts")
def test_a_long_list_of_failed_accounts_is_truncated() -> None:
    """The page still gives their number."""
    names = [f"Team {number}" for number in range(1100)]
    rows = [[name, f"team_{name}", "CSTAR_KEY_NOT_SET", "https://cstar.example"] for name in names]
    table = pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"])
    content = cx.audit(cx.Accounts(table, allow_hosts=["cstar.example"]), now=NOW).to_html()
    rows_of = [len(re.findall(r"<tr[ >]", one)) for one in re.findall(r"<table.*?</table>", content, re.DOTALL)]

    assert max(rows_of, default=0) <= 1001
    assert re.search(r"1,?100", Page(content).text)


@pytest.mark.usefixtures("without_charts")
def test_failed_accounts_are_listed_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader of the first lines sees that the report is incomplete."""
    audited = audit_accounts(monkeypatch, data([ITEM]), status(403), status(401), names=["Alpha", "Beta", "Gamma"])
    text = Page(audited.to_html()).text

    first = text.index("desk.shop.example")
    assert -1 < text.find("Beta") < first
    assert -1 < text.find("Gamma") < first
    assert -1 < text.find("403") < first


@pytest.mark.usefixtures("without_charts")
def test_an_account_that_was_not_tried_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not look as if it had no findings."""
    monkeypatch.setenv("CSTAR_KEY_ALL", LIVE)
    table = pd.DataFrame([["Alpha", "team_1", "CSTAR_KEY_ALL"]], columns=["account", "team_id", "key_env"])
    audited = cx.audit(cx.Accounts(table), stopped=lambda: True, now=NOW)

    assert "not tried" in Page(audited.to_html()).text


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(cx.Accounts(pd.DataFrame(columns=["account", "team_id", "key_env"])), id="no accounts"),
        pytest.param(frame({}).iloc[:0], id="no webhooks"),
        pytest.param(frame({}), id="no findings"),
        pytest.param(frame({"created_at": None, "url": None, "name": None, "events": None}), id="missing cells"),
        pytest.param(frame({"created_at": pd.Timestamp("2031-01-01T00:00:00Z")}), id="created in the future"),
        pytest.param(frame({"created_at": pd.Timestamp("1971-01-01T00:00:00Z")}), id="very old"),
    ],
)
def test_a_page_with_little_data_is_complete(table: pd.DataFrame | cx.Accounts) -> None:
    """It has a heading, and no cell shows a placeholder such as NaN."""
    content = cx.audit(table, now=NOW).to_html()
    page = Page(content)

    assert 1 == [tag for tag, _ in page.tags].count("h1")
    assert not re.search(r"\b(?:nan|NaT|None|<NA>)\b", page.text)


def test_charts_display_in_a_notebook() -> None:
    """As an image with a title, alternative text and a transparent background; as PNG where no HTML is shown.

    Its colors are legible on any page. Styles, where the page keeps them, replace it by one in the colors of the page.
    """
    charts = audit({"url": "http://shop.example/"}).charts()

    assert {"findings", "ages", "coverage"} == set(charts)
    for chart in charts.values():
        svg, shown = chart.svg(), chart._repr_html_()
        drawing = ET.fromstring(svg)
        image = imread(io.BytesIO(chart._repr_png_()))
        (attributes,) = [attributes for tag, attributes in Page(shown).tags if tag == "img"]

        assert "svg" in drawing.tag
        source = base64.b64decode(str(attributes["src"]).partition(",")[2]).decode()

        assert chart.alt_text == attributes["alt"]
        assert (True, False) == (INK in svg, INK in source)
        assert base64.b64encode(svg.encode()).decode() in shown.partition("<img")[0]
        assert chart.title in "".join(drawing.itertext())
        assert 0 == image[0, 0, 3] == image[-1, -1, 3]


def test_a_dark_style_of_matplotlib_does_not_change_a_chart() -> None:
    """Its white text would be unreadable on a light page."""
    audited = audit({"url": "http://shop.example/"})
    plain = audited.charts()["ages"].svg()

    with mpl.style.context("dark_background"):
        assert plain == audited.charts()["ages"].svg()


def test_a_chart_says_which_characters_may_show_as_boxes() -> None:
    """Where no installed font has them. The text itself stays in the image, for browsers that have a font."""
    advice = "If a name shows boxes, install a font for rare characters."
    chart, plain = (audit({"account": name}).charts()["findings"] for name in ("\U0010fffd", "Ж"))

    assert "\U0010fffd" in chart.svg()
    assert advice in chart._repr_html_()
    assert advice.partition(",")[0] not in plain._repr_html_()
    assert chart._repr_png_() != plain._repr_png_()


def test_an_audit_displays_its_findings_with_remedies_and_webhooks() -> None:
    """By rule: the severity in its color, the remedy once, and each webhook with id, masked URL, events and state."""
    page = Page(audit({"url": f"http://shop.example/?token={VALUE}", "is_active": False}, {"id": "b"})._repr_html_())
    remedies = [rule["remedy"] for rule in cx.audit_rules().to_dict("records") if rule["rule"] == "plain_http"]
    badges = [attributes["style"] or "" for tag, attributes in page.tags if tag == "span"]

    assert [1] == [page.text.count(remedy) for remedy in remedies]
    assert any("background-color:#b3261e" in style for style in badges)
    assert re.search(r"Orders whk_1 http://shop\.example/\?token=••••\S* ticket\.created paused", page.text)
    assert VALUE not in page.text


def test_a_webhook_without_name_id_and_url_is_displayed() -> None:
    """A server may answer with anything."""
    webhooks = cx.WebhookList([{"id": [], "name": None, "url": None, "events": ["*"], "isActive": True}])
    assert "(no ID)" in cx.audit(webhooks)._repr_html_()


def test_a_long_audit_displays_its_first_findings() -> None:
    """100 of them; the counts are of all."""
    page = audit(*[{"id": f"w{n}", "url": f"http://h{n}.example/"} for n in range(130)])._repr_html_()

    assert "Plain http (130)" in Page(page).text
    assert re.search(r"… and \d+ more", page)
    assert page.count("<details>") <= 100


# --- the CSV ----------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", '=HYPERLINK("http://x")', "＝1+1"]


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("field", ["name", "account", "id", "url"])
def test_no_csv_cell_is_a_formula(tmp_path: Path, field: str, text: str) -> None:
    """Whatever a spreadsheet takes for the start of one, at the start of a cell or after characters it trims."""
    audited = audit({"events": ("ticket.*",)} | {field: text})
    path = tmp_path / "findings.csv"
    audited.to_csv(path)
    rows = cells(path)

    assert len(rows) == 1 + len(audited.to_frame())
    assert [] == [cell for row in rows for cell in row if re.match(r"[\s\x00]*[=+\-@＝＋－＠]", cell)]


def test_the_csv_contains_the_frame(tmp_path: Path) -> None:
    """The same columns and rows, with quotes, commas and line breaks."""
    audited = audit(
        {"name": 'He said "no", then;\nleft', "events": ("ticket.*",)}, {"id": "whk_2", "url": "http://ä.example/"}
    )
    path = tmp_path / "findings.csv"
    audited.to_csv(path)
    read = pd.read_csv(path, dtype="str", encoding="utf-8-sig")

    assert list(audited.to_frame().columns) == list(read.columns)
    assert audited.to_frame()["rule"].tolist() == read["rule"].tolist()
    assert audited.to_frame()["evidence"].tolist() == read["evidence"].tolist()


def test_the_csv_has_no_secrets_and_is_reproducible(tmp_path: Path) -> None:
    """Secrets are masked as in the page."""
    hooks = [{"url": f"http://ada:{PASSWORD}@shop.example/{RANDOM}?token={VALUE}"}, {"id": "w", "url": f"x{VALUE}"}]
    for name in ("one.csv", "two.csv"):
        audit(*hooks[:1]).to_csv(tmp_path / name)
    content = (tmp_path / "one.csv").read_bytes()

    assert content == (tmp_path / "two.csv").read_bytes()
    assert [] == [secret for secret in (PASSWORD, RANDOM, VALUE) if secret.encode() in content]


def test_a_csv_without_findings_has_its_header(tmp_path: Path) -> None:
    """A program that reads it every night does not fail."""
    path = tmp_path / "findings.csv"
    audit({}).to_csv(path)

    assert [audit({}).to_frame().columns.tolist()] == cells(path)


def test_an_unwritable_csv_path_raises_an_error(tmp_path: Path) -> None:
    """The package's own, or an OSError."""
    with pytest.raises((errors.ConfigurationError, OSError)):
        audit({}).to_csv(tmp_path / "missing" / "findings.csv")


TEXTS = st.lists(st.fixed_dictionaries({"name": st.text(max_size=9), "url": st.text(max_size=20)}), max_size=3)


def audit_of(texts: list[dict[str, str]]) -> cx.Audit:
    return audit(
        {"id": "whk_0", "url": "http://x.example/"}, *[{"id": f"whk_{n + 1}"} | t for n, t in enumerate(texts)]
    )


@pytest.mark.usefixtures("without_charts")
@settings(max_examples=examples(60), deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_any_page_is_well_formed(texts: list[dict[str, str]]) -> None:
    """Whatever the names and URLs contain."""
    assert "script" not in {tag for tag, _ in Page(audit_of(texts).to_html()).tags}


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_no_csv_has_a_formula(tmp_path: Path, texts: list[dict[str, str]]) -> None:
    """There is a row for each finding, whatever the names and URLs contain."""
    audited = audit_of(texts)
    path = tmp_path / "findings.csv"
    audited.to_csv(path)

    assert len(cells(path)) == 1 + len(audited.to_frame())
    assert [] == [cell for row in cells(path) for cell in row if re.match(r"\s*[=+\-@]", cell)]
