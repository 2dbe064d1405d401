"""The report: one page that opens anywhere, tells foreign text as text, loads nothing, and shows no secret. And the CSV."""

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

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import errors
from tests.support.scripted_server import ScriptedServer, data, reply, status

NOW = dt.datetime(2025, 12, 10, 14, 30, tzinfo=dt.UTC)
LIVE = "sk_live_" + "A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6"
PASSWORD = "hunter2-Rosebud"
VALUE = "q7Zp2Xw9Lk4T"
RANDOM = "aB3dE6gH9jK2mN5pQ8rS1tU4"
VOID = {"meta", "img", "br", "hr", "link", "input", "col"}
HOSTILE = [
    pytest.param("<script>alert(1)</script>", id="script"),
    pytest.param('"><img src=x onerror=alert(1)>', id="attribute"),
    pytest.param("</td></tr></table></body></html><h1>Mine", id="closing tags"),
    pytest.param("<!-- ", id="comment"),
    pytest.param("</style><style>*{display:none}", id="style"),
    pytest.param("&lt;b&gt; &amp; &#60;", id="entities"),
    pytest.param("$\\frac{a}{b}$ $x^", id="mathematics"),
    pytest.param("\x00\x1b[2J\x07\u202e\u2028", id="control characters"),
    pytest.param("\ud800 half", id="half a character"),
    pytest.param("x" * 5000, id="very long"),
    pytest.param("会社 🙈 مرحبا", id="other scripts"),
]


def hook(**told: Any) -> dict[str, Any]:
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
    } | told


def frame(*hooks: dict[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame([hook(**told) for told in hooks])
    for column in ("created_at", "updated_at"):
        table[column] = pd.to_datetime(table[column], utc=True)
    return table


def audit(*hooks: dict[str, Any]) -> cx.Audit:
    return cx.audit(frame(*hooks), now=NOW)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, attributes and text; every tag is closed where it has to be."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.feed(content)
        self.close()
        assert [] == self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self.open.pop(), f"</{tag}> where something else is open"

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def charts(self) -> list[str]:
        """The drawings that are in it, as text."""
        found = [attributes["src"] or "" for tag, attributes in self.tags if tag == "img"]
        assert all(source.startswith("data:image/svg+xml;base64,") for source in found)
        return [base64.b64decode(source.partition(",")[2], validate=True).decode() for source in found]


def everything(content: str) -> str:
    """All that can be read in a page, whichever way it is written down."""
    page = Page(content)
    drawn = "\n".join(page.charts)
    return "\n".join([content, html.unescape(content), page.text, drawn, html.unescape(drawn)])


def failing(monkeypatch: pytest.MonkeyPatch, *lines: Any, names: list[str]) -> cx.Audit:
    """Accounts of those names, asked one after the other."""
    monkeypatch.setenv("CSTAR_KEY_ALL", LIVE)
    with ScriptedServer(*lines) as server:
        rows = [[name, f"team_{place}", "CSTAR_KEY_ALL", server.url] for place, name in enumerate(names)]
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


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_text(text: str) -> None:
    """Of every field at once: no tag, attribute or comment comes of it, and no control character is in the page."""
    url = f"http://{text}.example/{text}?token={text}"
    usual = {"name": text, "events": (text, "ticket.*"), "account": text, "team_id": text, "environment": text}
    content = audit(
        usual | {"id": text, "url": "http://ada:pass@hook.shop.example/"}, usual | {"id": "whk_2", "url": url}
    ).to_html()
    page = Page(content)
    tags = [tag for tag, _ in page.tags]

    assert [] == [tag for tag in tags if tag in {"script", "iframe", "object", "embed", "form", "link", "a"}]
    assert (1, 1, 1) == (tags.count("h1"), tags.count("style"), tags.count("body"))
    assert tags.count("img") == len(page.charts) <= 3
    assert [] == [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert [] == page.comments
    assert [] == re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2028]", everything(content))
    assert content.encode("utf-8")
    for drawing in page.charts:
        assert "script" not in {element.tag.rpartition("}")[2] for element in ET.fromstring(drawing).iter()}


@pytest.mark.parametrize("text", [HOSTILE[place] for place in (0, 2, 7)])
def test_foreign_text_in_why_an_account_failed_stays_text(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The words of a server, and the name of the account."""
    told = failing(
        monkeypatch,
        status(403, message=text, code=text, request_id=text),
        data([ITEM]),
        reply(200, text.encode("utf-8", "replace"), content_type="text/html"),
        names=[f"A {text}", "B", f"C {text}"],
    )
    content = told.to_html()
    page = Page(content)

    assert ["failed", "read", "failed"] == told.accounts["state"].tolist()
    assert [] == [tag for tag, _ in page.tags if tag in {"script", "iframe", "object", "form", "a", "h1"}][1:]
    assert [] == [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert [] == re.findall(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2028]", everything(content))
    assert LIVE not in everything(content)


def test_foreign_text_in_settings_stays_text(tmp_path: Path) -> None:
    """The reason of an ignore, and a name that matched nothing."""
    path = tmp_path / "audit.toml"
    path.write_text(
        '[[ignore]]\nrule = "plain_http"\naccount = "shop"\nreason = "<script>alert(1)</script>"\n'
        '[[ignore]]\nrule = "wildcard"\naccount = "<script>alert(2)</script>"\nreason = "none"\n'
    )
    content = cx.audit(frame({"url": "http://shop.example/"}), settings=path, now=NOW).to_html()

    assert "script" not in {tag for tag, _ in Page(content).tags}


# --- one file, that loads nothing -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neglected() -> str:
    with cx.Sandbox(neglected=True) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name in ("CSTAR_KEY_SUPPORT", "CSTAR_KEY_NORTH", "CSTAR_KEY_LAB"):
            patch.setenv(name, "replaced")
        sandbox.export_keys()
        return cx.audit(cx.Accounts(sandbox.accounts())).to_html()


def test_the_page_is_whole(neglected: str) -> None:
    """It has a type, a language, an encoding, a title and one heading, and its tables have heads."""
    page = Page(neglected)
    tags = [tag for tag, _ in page.tags]

    assert neglected.lower().startswith("<!doctype html>")
    assert 1 == tags.count("html") == tags.count("title") == tags.count("h1") == tags.count("body")
    assert {"charset": "utf-8"} in [attributes for tag, attributes in page.tags if tag == "meta"]
    assert [True] == ["lang" in attributes for tag, attributes in page.tags if tag == "html"]
    assert tags.count("table") == tags.count("thead")
    assert "@media print" in neglected


def test_the_page_forbids_itself_everything(neglected: str) -> None:
    """A policy without scripts, before anything that it is about."""
    page = Page(neglected)
    policies = [
        attributes["content"] or ""
        for tag, attributes in page.tags
        if tag == "meta" and (attributes.get("http-equiv") or "").lower() == "content-security-policy"
    ]

    assert 1 == len(policies)
    assert "default-src 'none'" in policies[0]
    assert "script-src" not in policies[0].replace("script-src 'none'", "")
    assert "http" not in policies[0]
    assert neglected.index("Content-Security-Policy") < neglected.index("<style")


def test_the_page_refers_to_nothing_outside(neglected: str) -> None:
    """No link, script, font, frame or picture but those within."""
    page = Page(neglected)
    references = [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "data", "poster", "background", "cite", "formaction", "ping"}
    ]

    assert [] == [one for one in references if not (one[2] or "").startswith("data:image/svg+xml;base64,")]
    assert references
    style = "".join(re.findall(r"<style>(.*?)</style>", neglected, re.DOTALL))
    assert "url(" not in style
    assert "@import" not in style
    for drawing in page.charts:
        for element in ET.fromstring(drawing).iter():
            assert [] == [
                value
                for name, value in element.attrib.items()
                if name.rpartition("}")[2] in {"href", "src"} and not value.startswith("#")
            ]


def test_each_picture_is_told_in_words(neglected: str) -> None:
    """For who cannot see it, and where it is not shown."""
    words = [attributes.get("alt") for tag, attributes in Page(neglected).tags if tag == "img"]

    assert words
    assert [] == [one for one in words if not (one or "").strip()]


def test_the_summary_is_first_and_all_is_there(neglected: str) -> None:
    """Numbers, then findings, with severity, what, webhook, evidence and remedy."""
    text = Page(neglected).text

    assert text.index("24") < text.index("Ticket mirror")
    for told in ("Support", "North", "Lab", "Ticket mirror", "webhook.site", "169.254.169.254", "ticket.create"):
        assert told in text


def test_the_same_audit_is_the_same_page() -> None:
    """Byte for byte: no time of printing, no random id in a drawing."""
    hooks = [{"url": "http://a.example/"}, {"id": "whk_2", "events": ("ticket.*",), "account": "other"}]
    one, other = audit(*hooks), audit(*hooks)

    assert one.to_html() == one.to_html() == other.to_html()


def test_the_same_page_comes_from_every_process(tmp_path: Path) -> None:
    """Nothing in it hangs on the order of a set."""
    code = (
        "import cstar_explore as cx, pandas as pd, sys, hashlib\n"
        "t = pd.DataFrame({'account': list('abcd'), 'team_id': list('abcd'), 'environment': 'live', 'id': list('wxyz'),"
        " 'name': 'test dev', 'url': 'http://relay.example/?token=abcdefgh', 'events': [('*', 'ticket.*')] * 4,"
        " 'is_active': True, 'created_at': pd.Timestamp('2020-01-01', tz='UTC'), 'updated_at': pd.NaT})\n"
        "a = cx.audit(t, now=pd.Timestamp('2025-12-10', tz='UTC').to_pydatetime())\n"
        "print(hashlib.sha256((a.to_html() + a.to_json()).encode()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "MPLCONFIGDIR": str(tmp_path), "HOME": str(tmp_path)},
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(told)


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_in_a_page() -> None:
    """Of no URL, in no table, no drawing and no word about one."""
    urls = [
        f"http://ada:{PASSWORD}@a.shop.example/x",
        f"https://b.shop.example:9000/?token={VALUE}",
        f"https://hooks.slack.com/services/T0001/B0001/{RANDOM}",
        f"https://abc.ngrok.io/{LIVE}",
        f"ada:{PASSWORD}@c.shop.example/?sig={VALUE}",
    ]
    told = audit(*[{"id": f"whk_{place}", "url": url, "name": f"N{place}"} for place, url in enumerate(urls * 2)])
    text = everything(told.to_html())

    assert [] == [secret for secret in (PASSWORD, VALUE, RANDOM, LIVE, LIVE[8:]) if secret in text]


def test_no_key_is_in_a_page_or_a_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of accounts that were read nor of such that repeat it."""
    told = failing(monkeypatch, data([ITEM]), status(401, message=f"{LIVE} is unknown"), names=["A", "B"])

    assert LIVE[8:] not in everything(told.to_html())


# --- large, and not all read ------------------------------------------------------------------------------------------


def test_five_thousand_webhooks_are_cut_and_it_is_said() -> None:
    """At most a thousand rows in a table; how many there are is not kept quiet."""
    table = frame({}).loc[[0] * 5000].reset_index(drop=True)
    table["id"] = [f"whk_{number}" for number in range(5000)]
    table["url"] = [f"http://hook-{number}.shop.example/" for number in range(5000)]
    content = cx.audit(table, now=NOW).to_html()
    page = Page(content)
    rows = [len(re.findall(r"<tr[ >]", one)) for one in re.findall(r"<table.*?</table>", content, re.DOTALL)]

    assert max(rows) <= 1001
    assert "5,000" in page.text or "5000" in page.text
    assert re.search(r"(4,?000 more|1,?000 of 5,?000|first 1,?000)", page.text)


def test_many_accounts_are_cut_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As well as those that failed: the number is told, and nothing runs away."""
    names = [f"Team {number}" for number in range(1500)]
    rows = [[name, f"team_{name}", "CSTAR_KEY_OF_NOBODY", "https://cstar.example"] for name in names]
    table = pd.DataFrame(rows, columns=["account", "team_id", "key_env", "base_url"])
    content = cx.audit(cx.Accounts(table), now=NOW).to_html()
    rows_of = [len(re.findall(r"<tr[ >]", one)) for one in re.findall(r"<table.*?</table>", content, re.DOTALL)]

    assert max(rows_of, default=0) <= 1001
    assert re.search(r"1,?500", Page(content).text)


def test_accounts_that_failed_are_told_at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any finding: whoever reads only the first lines knows that it is not all."""
    told = failing(monkeypatch, data([ITEM]), status(403), status(401), names=["Alpha", "Beta", "Gamma"])
    text = Page(told.to_html()).text

    first = text.index("desk.shop.example")
    assert -1 < text.find("Beta") < first
    assert -1 < text.find("Gamma") < first
    assert -1 < text.find("403") < first


def test_an_account_that_was_not_tried_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not among the good ones."""
    monkeypatch.setenv("CSTAR_KEY_ALL", LIVE)
    table = pd.DataFrame([["Alpha", "team_1", "CSTAR_KEY_ALL"]], columns=["account", "team_id", "key_env"])
    told = cx.audit(cx.Accounts(table), stopped=lambda: True, now=NOW)

    assert "not tried" in Page(told.to_html()).text


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(frame({}).iloc[:0], id="no webhook"),
        pytest.param(frame({}), id="nothing found"),
        pytest.param(frame({"created_at": None, "url": None, "name": None, "events": None}), id="nothing told"),
        pytest.param(frame({"created_at": pd.Timestamp("2031-01-01T00:00:00Z")}), id="of the future"),
        pytest.param(frame({"created_at": pd.Timestamp("1971-01-01T00:00:00Z")}), id="very old"),
    ],
)
def test_a_page_of_little_is_a_page(table: pd.DataFrame) -> None:
    """With its heading and no gap where numbers would be."""
    content = cx.audit(table, now=NOW).to_html()
    page = Page(content)

    assert 1 == [tag for tag, _ in page.tags].count("h1")
    assert not re.search(r"\b(?:nan|NaT|None|<NA>)\b", page.text)


def test_pictures_are_there_for_the_notebook_too() -> None:
    """Drawn, and told in words."""
    pictures = audit({"url": "http://shop.example/"}).charts()

    assert {"findings", "ages", "coverage"} == set(pictures)
    for picture in pictures.values():
        assert picture._repr_png_().startswith(b"\x89PNG")
        assert "svg" in ET.fromstring(picture.svg()).tag
        assert picture.words.strip()


# --- the CSV ----------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", '=HYPERLINK("http://x")', "＝1+1"]


def cells(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("text", FORMULAS)
@pytest.mark.parametrize("field", ["name", "account", "id", "url"])
def test_no_cell_is_a_formula(tmp_path: Path, field: str, text: str) -> None:
    """Whatever a spreadsheet takes for the start of one, at the start of a cell or after what it trims."""
    told = audit({"events": ("ticket.*",)} | {field: text})
    path = tmp_path / "findings.csv"
    told.to_csv(path)
    rows = cells(path)

    assert len(rows) == 1 + len(told.to_frame())
    assert [] == [cell for row in rows for cell in row if re.match(r"[\s\x00]*[=+\-@＝＋－＠]", cell)]


def test_the_csv_tells_what_the_frame_tells(tmp_path: Path) -> None:
    """The same columns and rows, quotes, commas and line ends included."""
    told = audit(
        {"name": 'He said "no", then;\nleft', "events": ("ticket.*",)}, {"id": "whk_2", "url": "http://ä.example/"}
    )
    path = tmp_path / "findings.csv"
    told.to_csv(path)
    read = pd.read_csv(path, dtype="str", encoding="utf-8-sig")

    assert list(told.to_frame().columns) == list(read.columns)
    assert told.to_frame()["rule"].tolist() == read["rule"].tolist()
    assert told.to_frame()["evidence"].tolist() == read["evidence"].tolist()


def test_the_csv_has_no_secret_and_is_the_same_twice(tmp_path: Path) -> None:
    """Masked as everywhere."""
    hooks = [{"url": f"http://ada:{PASSWORD}@shop.example/{RANDOM}?token={VALUE}"}, {"id": "w", "url": f"x{VALUE}"}]
    for name in ("one.csv", "two.csv"):
        audit(*hooks[:1]).to_csv(tmp_path / name)
    content = (tmp_path / "one.csv").read_bytes()

    assert content == (tmp_path / "two.csv").read_bytes()
    assert [] == [secret for secret in (PASSWORD, RANDOM, VALUE) if secret.encode() in content]


def test_a_csv_of_nothing_has_its_columns(tmp_path: Path) -> None:
    """So that what reads it every night does not stumble."""
    path = tmp_path / "findings.csv"
    audit({}).to_csv(path)

    assert [audit({}).to_frame().columns.tolist()] == cells(path)


def test_a_csv_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """By our own error, or that of the system."""
    with pytest.raises((errors.ConfigurationError, OSError)):
        audit({}).to_csv(tmp_path / "missing" / "findings.csv")


TEXTS = st.lists(st.fixed_dictionaries({"name": st.text(max_size=9), "url": st.text(max_size=20)}), max_size=3)


def of_any(texts: list[dict[str, str]]) -> cx.Audit:
    return audit(
        {"id": "whk_0", "url": "http://x.example/"}, *[{"id": f"whk_{n + 1}"} | t for n, t in enumerate(texts)]
    )


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_any_page_is_well_formed(texts: list[dict[str, str]]) -> None:
    """Whatever names and URLs are made of."""
    assert "script" not in {tag for tag, _ in Page(of_any(texts).to_html()).tags}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_any_csv_is_harmless(tmp_path: Path, texts: list[dict[str, str]]) -> None:
    """A row for each finding, and none of its cells is executed."""
    told = of_any(texts)
    path = tmp_path / "findings.csv"
    told.to_csv(path)

    assert len(cells(path)) == 1 + len(told.to_frame())
    assert [] == [cell for row in cells(path) for cell in row if re.match(r"\s*[=+\-@]", cell)]
