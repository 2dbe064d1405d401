"""Files as spreadsheets write them: read without guessing, and opened without executing anything."""

import contextlib
import csv
import io
import itertools
import random
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cstar_explore as cx
from cstar_explore import csv_files, errors
from tests.plans.storing_server import item, storing
from tests.support.sampling import examples

FORMULA_STARTS = tuple("=+-@＝＋－＠")
FLAGS = [
    *("TRUE FALSE", "WAHR FALSCH", "VRAI FAUX", "VERDADERO FALSO", "VERO FALSO", "VERDADEIRO FALSO", "WAAR ONWAAR"),
    *(
        "PRAWDA FAŁSZ",
        "PRAVDA NEPRAVDA",
        "ИСТИНА ЛОЖЬ",
        "ІСТИНА ХИБНІСТЬ",
        "DOĞRU YANLIŞ",
        "doğru yanlış",
        "IGAZ HAMIS",
    ),
    *(
        "SANT FALSKT",
        "SAND FALSK",
        "SANN USANN",
        "TOSI EPÄTOSI",
        "CERT FALS",
        "ADEVĂRAT FALS",
        "ΑΛΗΘΗΣ ΨΕΥΔΗΣ",
        "真 偽",
    ),
    *("1 0", "1.0 0.0", "1,0 0,0", "yes no", "x 0", "☑ ☐"),
]


DATE = pd.Timestamp("2025-02-01").to_pydatetime()


def rows_of(hooks: cx.WebhookList) -> list[list[str]]:
    """The rows of the exported file."""
    return list(csv.reader(io.StringIO(csv_files.csv_text(hooks.to_frame()), newline="")))


def written(path: Path, rows: list[list[str]], mark: str = ",", end: str = "\r\n", encoding: str = "utf-8-sig") -> Path:
    """The rows as a spreadsheet saves them."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark, lineterminator=end).writerows(rows)
    path.write_text(text.getvalue(), encoding, newline="")
    return path


# --- shapes -----------------------------------------------------------------------------------------------------------

LISTED = [item(1), item(2, name="a,b;c\td"), item(3, isActive=False, events=["ticket.*", "sla.breached"])]


def shortened(row: list[str]) -> list[str]:
    return row[: max((index for index, cell in enumerate(row, 1) if cell), default=0)]


@pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"], ids=["CRLF", "LF", "CR"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_separator_line_end_and_encoding_is_read(tmp_path: Path, mark: str, end: str, encoding: str) -> None:
    """An unedited file is an empty plan; with an edit, a plan of one change."""
    with storing(*LISTED) as (_, client):
        rows = rows_of(client.webhooks.list())
        assert (0, ()) == _size(cx.plan(client, written(tmp_path / "a.csv", rows, mark, end, encoding)))
        rows[1][1] = "Zoë; renamed"
        plan = cx.plan(client, written(tmp_path / "b.csv", rows, mark, end, encoding))
    assert (1, "Zoë; renamed") == (len(plan), plan.changes[0].after.name)


def _size(plan: cx.Plan) -> tuple[int, Any]:
    return len(plan), plan.questions


SHAPES = {
    "empty columns": lambda rows: [[*row, "", " "] for row in rows],
    "an empty column between": lambda rows: [[*row[:2], "", *row[2:]] for row in rows],
    "empty rows": lambda rows: [rows[0], [""] * 7, *rows[1:3], [], [" "], *rows[3:], [""] * 7],
    "short rows": lambda rows: [rows[0], *map(shortened, rows[1:])],
    "reordered": lambda rows: [row[::-1] for row in rows],
    "missing columns": lambda rows: [row[:4] for row in rows],
    "only ids": lambda rows: [row[:1] for row in rows],
    "sep=": lambda rows: rows,
    "shuffled": lambda rows: [rows[0], *rows[:0:-1]],
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
def test_every_shape_of_an_unedited_file_is_an_empty_plan(tmp_path: Path, shape: str, mark: str) -> None:
    """Whatever the spreadsheet adds, omits or moves."""
    with storing(*LISTED) as (_, client):
        path = written(tmp_path / "a.csv", SHAPES[shape](rows_of(client.webhooks.list())), mark, encoding="utf-8")
        if shape == "sep=":
            path.write_text(f"sep={mark}\r\n{path.read_text()}")
        assert (0, ()) == _size(cx.plan(client, path))


@pytest.mark.parametrize("pair", FLAGS)
def test_booleans_are_read_in_the_spreadsheets_language(tmp_path: Path, pair: str) -> None:
    """In `is_active` and in `delete`, in upper and lower case."""
    yes, no = pair.split(" ")
    with storing(*LISTED) as (_, client):
        for fold in {fold(pair): fold for fold in (str, str.lower, str.upper)}.values():
            if "İ" in fold(no) + fold(yes):
                continue
            rows = [
                [{"True": fold(yes), "False": fold(no)}.get(cell, cell) for cell in row]
                for row in rows_of(client.webhooks.list())
            ]
            rows = [
                [*row, "delete" if not number else fold(no if number != 2 else yes)] for number, row in enumerate(rows)
            ]
            plan = cx.plan(client, written(tmp_path / "a.csv", rows, ";"))
            assert ([("delete", "whk_old2")], ()) == (
                [(change.what, change.id) for change in plan.changes],
                plan.questions,
            )


# --- accidents and questions ------------------------------------------------------------------------------------------

ACCIDENTS = [
    pytest.param(3, "is_active", "ja", "E3", id="flag"),
    pytest.param(2, "url", "nope", "C2", id="URL"),
    pytest.param(4, "id", "whk_unknown", "A4", id="unknown id"),
    pytest.param(2, "events", "('ticket.created'", "D2", id="events"),
    pytest.param(2, "events", ",", "D2", id="no events"),
]


@pytest.mark.parametrize(("row", "column", "value", "cell"), ACCIDENTS)
def test_one_accident_is_one_question_with_its_row_and_cell(
    tmp_path: Path, row: int, column: str, value: str, cell: str
) -> None:
    """The other rows are planned. The plan is applied or saved only when the question is closed."""
    with storing(*LISTED) as (server, client):
        rows = rows_of(client.webhooks.list())
        rows[row - 1][rows[0].index(column)] = value
        other = next(number for number in (1, 2, 3) if number != row - 1)
        rows[other][1] = "Renamed"
        plan = cx.plan(client, written(tmp_path / "a.csv", rows))
        (question,) = plan.questions
        assert (row, column, cell, value) == (question.row, question.column, question.cell, question.value)
        assert all(f"row {row}" in text and cell in text for text in (str(question), repr(plan), plan._repr_html_()))
        assert ["update", "question"] == list(plan.to_frame()["what"])
        for refused in (plan.apply, lambda: plan.save(tmp_path / "plan.json"), lambda: plan.accept(row)):
            with pytest.raises(errors.ValidationError):
                refused()
        assert ("Renamed" in server.names(), (tmp_path / "plan.json").exists()) == (False, False)
        assert True is plan.skip(row).apply().finished
        assert "Renamed" in server.names()


@pytest.mark.parametrize(("wrong", "more"), [(1, ""), (2, " And 1 more."), (3, " And 2 more.")])
def test_a_refused_plan_says_how_many_questions_are_open(tmp_path: Path, wrong: int, more: str) -> None:
    """The first one in full."""
    with storing(*LISTED) as (_, client):
        rows = rows_of(client.webhooks.list())
        for row in rows[1 : wrong + 1]:
            row[rows[0].index("is_active")] = "ja"
        plan = cx.plan(client, written(tmp_path / "a.csv", rows))
        with pytest.raises(errors.ValidationError) as refused:
            plan.save(tmp_path / "plan.json")
    assert "saved" in refused.value.message
    assert str(plan.questions[0]) in refused.value.message
    assert more == "".join(re.findall(r" And \d+ more\.", refused.value.message))


def test_rows_that_do_not_fit_the_columns_are_questions(tmp_path: Path) -> None:
    """A stray cell, a comma without quotes, and a quote within a cell. None of their other cells is taken."""
    with storing(*LISTED) as (_, client):
        path = tmp_path / "a.csv"
        lines = [
            "id,name,is_active",
            'whk_old1,"a"b,FALSE',
            "whk_old2,x,FALSE,,,stray",
            "whk_old3,Renamed,FALSE",
            '"whk',
        ]
        path.write_text("\r\n".join(lines))
        plan = cx.plan(client, path)
        assert [(2, "A2"), (3, "F3"), (5, "A5")] == [(question.row, question.cell) for question in plan.questions]
        assert ["whk_old3"] == [change.id for change in plan.changes]
        with pytest.raises(errors.ConfigurationError, match="row 2"):
            csv_files.read_csv(path)


@pytest.mark.parametrize("header", ["", "\r\n", '"x', "id;id", "id,nmae\r\nwhk_old1,x", ",,\r\n1,2,3"])
def test_a_file_whose_columns_are_unclear_is_refused_or_empty(tmp_path: Path, header: str) -> None:
    """Every row would depend on a guess."""
    (tmp_path / "a.csv").write_text(header)
    with storing(*LISTED) as (_, client):
        planned = 0
        with contextlib.suppress(errors.CStarError):
            planned = len(cx.plan(client, tmp_path / "a.csv"))
    assert 0 == planned


MANGLED = [
    ("007", "7"),
    ("1/2", "2025-02-01"),
    ("1/2", "01.02.2026"),
    ("1/2", "1-Feb"),
    ("1/2", "02. Jan"),
    ("1/2", "0.5"),
    ("1/2", "45689"),
    ("1-2", "01/02/2026"),
    ("MAR1", "1-Mar"),
    ("SEPT2", "02-Sep"),
    ("1:30", "01:30:00"),
    ("1:30", "0.0625"),
    ("1e5", "100000"),
    ("1E5", "1.00E+05"),
    ("12345678901234567890", "1.23457E+19"),
    ("12345678901234567890", "12345678901234500000"),
    ("+49 123", "49123"),
    ("1.0", "1"),
    ("1.10", "1,1"),
    ("5%", "0.05"),
    ("1,000", "1000"),
    ("true", "TRUE"),
    ("true", "WAHR"),
    ("$5", "5"),
]


@pytest.mark.parametrize(("name", "cell"), MANGLED)
def test_what_a_spreadsheet_makes_of_a_name_is_a_question(tmp_path: Path, name: str, cell: str) -> None:
    """With both texts. Accepted, the name is changed; skipped, it stays."""
    with storing(item(1, name=name), item(2)) as (server, client):
        path = written(tmp_path / "a.csv", [["id", "name"], ["whk_old1", cell], ["whk_old2", "Renamed"]])
        plan = cx.plan(client, path)
        (question,) = plan.questions
        assert (2, "name", "B2", True, True) == (
            question.row,
            question.column,
            question.cell,
            name in str(question),
            cell in str(question),
        )
        with pytest.raises(errors.ValidationError, match="B2"):
            plan.apply()
        assert ["whk_old2"] == [change.id for change in plan.skip(2).changes]
        accepted = plan.accept(2)
        assert (["whk_old1", "whk_old2"], ()) == ([change.id for change in accepted.changes], accepted.questions)
        accepted.apply()
    assert [cell, "Renamed"] == [webhook["name"] for webhook in server.webhooks.values()]


@pytest.mark.parametrize("cell", ["7", "2025-02-01", "1-Feb", "1.23E+10", "TRUE", "NO", "12:00", "0,5"])
def test_a_new_name_that_a_spreadsheet_may_have_made_is_a_question(tmp_path: Path, cell: str) -> None:
    """Its original text is unknown."""
    rows = [
        ["id", "name", "url", "events"],
        ["", cell, "https://example.com/new", "ticket.created"],
        ["whk_old1", cell, "", ""],
    ]
    with storing(item(1)) as (_, client):
        plan = cx.plan(client, written(tmp_path / "a.csv", rows))
        assert ([2, 3], 0) == ([question.row for question in plan.questions], len(plan))
        assert ["create", "update"] == [change.what for change in plan.accept(3, 2).changes]
        assert ["update"] == [change.what for change in plan.accept(3).skip(2).changes]


@pytest.mark.parametrize(
    "cell", ["Order 7", "v1.2.3", "007", "Marketing 2", "May", "Vera", "Desk (1/2)", "x", "2 = two", "+1"]
)
def test_ordinary_names_are_no_question(tmp_path: Path, cell: str) -> None:
    """A spreadsheet would not have written them otherwise."""
    with storing(item(1)) as (_, client):
        plan = cx.plan(client, written(tmp_path / "a.csv", [["id", "name"], ["whk_old1", csv_files.escape(cell)]]))
    assert ([cell], ()) == ([change.after.name for change in plan.changes], plan.questions)


@pytest.mark.parametrize(("name", "cell"), [("007", 7), ("1.0", 1.0), ("1e5", 100_000), ("true", True), ("1/2", DATE)])
def test_a_name_that_pandas_converted_is_a_question(name: str, cell: Any) -> None:
    """In a frame as in a file."""
    with storing(item(1, name=name)) as (_, client):
        plan = cx.plan(client, pd.DataFrame({"id": ["whk_old1"], "name": pd.Series([cell], dtype=object)}))
    assert ([(1, None)], 0) == ([(question.row, question.cell) for question in plan.questions], len(plan))


def test_rows_keep_their_numbers_and_their_order(tmp_path: Path) -> None:
    """Empty rows count, as in the spreadsheet. Accepted rows go back to their places."""
    rows = [["id", "name"], [], ["whk_old1", "1"], ["", ""], ["whk_old2", "Two"], ["whk_old3", "3"]]
    with storing(*LISTED) as (_, client):
        plan = cx.plan(client, written(tmp_path / "a.csv", rows))
        assert [3, 6] == [question.row for question in plan.questions]
        for order in itertools.permutations((3, 6)):
            accepted = plan
            for row in order:
                accepted = accepted.accept(row)
            assert ["whk_old1", "whk_old2", "whk_old3"] == [change.id for change in accepted.changes]
        for row in (1, 4, "3", None):
            with pytest.raises(errors.ValidationError):
                plan.skip(row)


# --- formulas ---------------------------------------------------------------------------------------------------------

DANGEROUS = st.text(alphabet="=+-@'\" ,;|\t\r\nab＝", max_size=12)


@settings(max_examples=examples(300), deadline=None)
@given(DANGEROUS, DANGEROUS)
def test_no_cell_is_a_formula_under_any_separator(name: str, column: str) -> None:
    """Column names included. Read at the separator it was written with, the text is unchanged."""
    frame = pd.DataFrame({"id": ["whk_1"], f"n{column}": [name], "z": [{"a": name}], f"{column}": ["x"]})
    text = csv_files.csv_text(frame)
    for mark in ",;\t|":
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark):
            assert [] == [cell for cell in row if cell.lstrip(" \t\r\n").startswith(FORMULA_STARTS)]
    header, row = csv.reader(io.StringIO(text, newline=""))
    assert [*frame.columns] == [csv_files.unescape(cell) for cell in header]
    assert name == csv_files.unescape(row[1])


HOSTILE_ITEMS = [
    item(1, name="=1+2", url="https://example.com/;=1+2;x"),
    item(2, name="x;=1+2;y", events=["ticket.created", "-1+2"]),
    item(3, name='";=1+2;"', **{"=1+2": "@SUM(1+2)", "a\t=1+2": {"b": ";=1+2"}}),
    item(4, name="a\t+1+2\n=1+2"),
]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
@pytest.mark.parametrize("mark", ["44", "59", "9"], ids=["comma", "semicolon", "tab"])
def test_libreoffice_calculates_nothing(tmp_path: Path, suffix: str, mark: str) -> None:
    """Opened headless and saved as CSV again: no cell is 3, the value of 1+2."""
    path = tmp_path / f"list{suffix}"
    hooks = cx.WebhookList(HOSTILE_ITEMS)
    hooks.to_csv(path) if suffix == ".csv" else hooks.to_excel(path)
    options = [f"--infilter=CSV:{mark},34,76,1"] if suffix == ".csv" else []
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", *options]
    command += ["--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1", "--outdir", f"{tmp_path}/out", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    cells = [
        cell for row in csv.reader((tmp_path / "out" / "list.csv").open(encoding="utf-8", newline="")) for cell in row
    ]
    assert [] == [cell for cell in cells if cell.strip() in {"3", "3.0"}]


# --- Excel ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def openpyxl() -> Any:
    import openpyxl

    return openpyxl


def test_no_cell_of_a_workbook_is_a_formula(openpyxl: Any, tmp_path: Path) -> None:
    """All text is text, and shown as it is."""
    cx.WebhookList(HOSTILE_ITEMS).to_excel(tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").worksheets[0]
    assert [] == [cell.coordinate for row in sheet for cell in row if cell.data_type == "f"]
    assert ["=1+2", "x;=1+2;y", '";=1+2;"', "a\t+1+2\n=1+2"] == [sheet.cell(row, 2).value for row in range(2, 6)]
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert False is any(b"<f>" in archive.read(name) for name in archive.namelist())


def test_times_in_a_workbook_are_in_utc_as_the_columns_name_says(openpyxl: Any, tmp_path: Path) -> None:
    """Excel has no zones. Read by `cx.plan`, or by pandas, it is an empty plan."""
    with storing(*LISTED, item(4, events=None, isActive=None, name=None)) as (_, client):
        hooks = client.webhooks.list()
        hooks.to_excel(tmp_path / "a.xlsx")
        frame = pd.read_excel(tmp_path / "a.xlsx")
        assert {"created_at_utc", "updated_at_utc"} == set(frame) - set(hooks.to_frame())
        assert pd.Timestamp("2025-11-01 10:00:00") == frame["created_at_utc"][0]
        for desired in (tmp_path / "a.xlsx", frame):
            assert (0, ()) == _size(cx.plan(client, desired))
        assert list(hooks.to_frame()["created_at"]) == list(cx.frames.as_frame(frame)["created_at"])


@pytest.mark.parametrize(
    "name", ["a\x07b", "_x0041_", "a\rb", "\x00", "x" * 32_767, " padded ", "'=1", "007", "1/2", "TRUE"]
)
def test_odd_text_survives_a_workbook(openpyxl: Any, tmp_path: Path, name: str) -> None:
    """Control characters are encoded as Excel does."""
    with storing(item(1, name=name)) as (_, client):
        client.webhooks.list().to_excel(tmp_path / "a.xlsx")
        assert (0, ()) == _size(cx.plan(client, tmp_path / "a.xlsx"))


@pytest.mark.parametrize("name", ["x" * 32_768, "\ud800"])
def test_text_that_excel_cannot_hold_is_refused(openpyxl: Any, tmp_path: Path, name: str) -> None:
    """Excel would cut it. The old file is unchanged."""
    (tmp_path / "a.xlsx").write_text("old")
    with pytest.raises(errors.ConfigurationError, match="to_csv"):
        cx.WebhookList([item(1, name=name)]).to_excel(tmp_path / "a.xlsx")
    assert "old" == (tmp_path / "a.xlsx").read_text()


def test_cells_that_excel_converted_are_questions(openpyxl: Any, tmp_path: Path) -> None:
    """Numbers, dates and truth values in the column of names."""
    workbook = openpyxl.Workbook()
    for row in (
        ["id", "name", None],
        ["whk_old1", 7],
        ["whk_old2", DATE],
        ["whk_old3", True],
        [],
        [None, None, "x"],
    ):
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    with storing(item(1, name="007"), item(2, name="1/2"), item(3)) as (_, client):
        plan = cx.plan(client, tmp_path / "a.xlsx")
    assert ["B2", "B3", "B4", "C6"] == [question.cell for question in plan.questions]


@pytest.mark.parametrize("content", [b"", b"id,name\n", b"PK\x03\x04broken", b"\x00" * 100])
def test_a_file_that_is_no_workbook_is_refused(openpyxl: Any, tmp_path: Path, content: bytes) -> None:
    """By one of the package's own errors."""
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(errors.ConfigurationError):
        csv_files.read_sheet(tmp_path / "a.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused(openpyxl: Any, tmp_path: Path) -> None:
    """A small file may contain gigabytes."""
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(6):
            archive.writestr(f"xl/{number}.xml", b" " * 100_000_000)
    with pytest.raises(errors.ConfigurationError, match="unpacked"):
        csv_files.read_sheet(tmp_path / "a.xlsx")


def test_without_openpyxl_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For writing and for reading."""
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    for call in (
        lambda: cx.WebhookList([]).to_excel(tmp_path / "b.xlsx"),
        lambda: csv_files.read_sheet(tmp_path / "a.xlsx"),
    ):
        with pytest.raises(errors.ConfigurationError, match="pip install openpyxl"):
            call()


# --- frames through other formats -------------------------------------------------------------------------------------


def through_json(frame: pd.DataFrame, path: Path, **options: Any) -> pd.DataFrame:
    frame.to_json(path, **options)
    return pd.read_json(path, **{name: value for name, value in options.items() if name in {"orient", "lines"}})


def through_parquet(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    pytest.importorskip("pyarrow")
    frame.to_parquet(path)
    return pd.read_parquet(path)


def through_csv(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    frame.to_csv(path, index=False)
    return pd.read_csv(path)


def as_arrays(frame: pd.DataFrame, _: Path) -> pd.DataFrame:
    """As Parquet reads lists, without pyarrow."""
    return frame.assign(
        events=[np.array(cell, dtype=object) if isinstance(cell, tuple) else cell for cell in frame["events"]]
    )


WAYS = {
    "JSON": through_json,
    "JSON records": lambda frame, path: through_json(frame, path, orient="records", date_format="iso"),
    "JSON lines": lambda frame, path: through_json(frame, path, orient="records", lines=True, date_format="iso"),
    "Parquet": through_parquet,
    "arrays": as_arrays,
    "arrays through CSV": lambda frame, path: through_csv(as_arrays(frame, path), path),
    "CSV": through_csv,
    "polars": lambda frame, _: pytest.importorskip("polars").DataFrame(
        frame.astype(object).where(frame.notna(), None).to_dict("list"), strict=False
    ),
    "index": lambda frame, _: frame.set_index("id"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::pandas.errors.Pandas4Warning"
)
def test_a_frame_through_any_format_is_an_empty_plan(tmp_path: Path, way: str) -> None:
    """With missing flags, events and times; an edit in it is a plan of one change."""
    with storing(*LISTED, item(4, isActive=None, events=None, createdAt=None)) as (_, client):
        frame = client.webhooks.list().to_frame()
        assert (0, ()) == _size(cx.plan(client, WAYS[way](frame, tmp_path / "file")))
        frame.loc[0, "name"] = "Renamed"
        assert 1 == len(cx.plan(client, WAYS[way](frame, tmp_path / "file")))


@settings(max_examples=examples(80), deadline=None)
@given(st.binary(max_size=200), st.randoms(use_true_random=False))
def test_any_damage_to_a_file_is_a_plan_or_a_cstar_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, rng: random.Random
) -> None:
    """And never a raw error."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    content = csv_files.csv_text(cx.WebhookList(LISTED).to_frame()).encode()
    at = rng.randrange(len(content))
    path.write_bytes(content[:at] + noise + content[at + rng.randrange(20) :])
    with contextlib.suppress(errors.ConfigurationError):
        sheet = csv_files.read_sheet(path)
        assert len(sheet.rows) == len(sheet.frame)
