"""`check_receiver` names the fault of each wrong receiver, once, and blames no right one."""

import itertools
import json
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import cstar_explore as cx
from cstar_explore.cli import main
from cstar_explore.receivers import catalogue, causes, checker, sending
from tests.receivers import frameworks, further, plain
from tests.receivers.receiving import Running, Work
from tests.support.sampling import NIGHTLY, sample

SECRET = "whsec_of-the-receiver-under-test"
RECEIVERS: dict[str, Running] = {
    **plain.receivers((*plain.CORRECT, *plain.WRONG, *further.RIGHT, *further.WRONG)),
    **further.SERVERS,
    **frameworks.RECEIVERS,
}
SLOW = {"works_before_it_responds", "reads_once"}  # seconds, because of their timeouts
TABLE = Path("build/receiver_checks.txt")

REJECTIONS = (
    "forged",
    "timestamp",
    "legacy signature",
    "missing header",
    "malformed header",
    "changed in transit",
)
BODIES = ("changed in transit", "raw body", "white space")
WRITTEN_AGAIN = "verifies re-serialized JSON"
TRIMMED = "verifies the trimmed text"

# What is wrong with each wrong receiver, in words that its only fault has to contain, and the checks that show it.
FAULTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "believes_everything": ("verifies nothing", REJECTIONS),
    "responds_before_it_verifies": ("answers 2xx to deliveries that it does not act on", REJECTIONS),
    "needs_two_parts": ("5xx.*order", ("legacy signature", "missing header", "malformed header", "header parts")),
    "needs_a_header": ("5xx if X-Signature is missing", ("missing header",)),
    "forgets_the_age": ("replayed", ("timestamp",)),
    "reads_the_timestamp_header": ("replayed", ("timestamp",)),
    "repeats_itself": ("acts on duplicates: retries", ("duplicates",)),
    "old_form_only": ("legacy signature.*rejects genuine", ("accepted", "legacy signature")),
    "published_types_only": ("rejects unknown event types", ("new types",)),
    "parses_and_writes": (WRITTEN_AGAIN, ("accepted",)),
    "sorts_the_keys": (WRITTEN_AGAIN, ("accepted",)),
    "fastapi_writes_default_json": (WRITTEN_AGAIN, ("accepted",)),
    "writes_compact_json": (WRITTEN_AGAIN, BODIES),
    "flask_writes_json_with_escapes": (WRITTEN_AGAIN, BODIES),
    "aiohttp_writes_compact_json": (WRITTEN_AGAIN, BODIES),
    "drops_and_trims": (TRIMMED, ("changed in transit", "white space")),
    "flask_trims_line_ends": (TRIMMED, ("changed in transit", "white space")),
    "aiohttp_trims": (TRIMMED, ("changed in transit", "white space")),
    "joins_lines": ("changes line ends", BODIES),
    "knows_duplicates_by_signature": ("signed afresh", ("duplicates",)),
    "knows_duplicates_by_ticket": ("different events of one ticket", ("accepted", "duplicates")),
    "looks_before_it_stores": ("at the same time", ("duplicates",)),
    "refuses_duplicates": ("does not answer 2xx to duplicates", ("duplicates",)),
    "remembers_before_it_verifies": ("before it verifies", ("duplicates",)),
    "remembers_before_it_acts": ("before it has acted", ("duplicates",)),
    "knows_all_fields": ("fields that it does not know", ("accepted",)),
    "redirects": ("redirects", ("accepted", *REJECTIONS)),
    "has_another_path": ("no route", ("accepted",)),
    "fails_always": ("fails at an ordinary", ("accepted", *REJECTIONS)),
    "has_another_secret": ("every other form", ("accepted",)),
    "has_half_the_secret": ("without whsec_", ("accepted",)),
    "expects_milliseconds": ("milliseconds", ("accepted", "timestamp")),
    "signs_the_body_alone": ("without the timestamp", ("accepted",)),
    "allows_a_minute": ("less than 4 minutes", ("accepted",)),
    "verifies_only_what_has_a_header": ("missing or malformed, without verification", ("missing header",)),
    "dies": ("stopped answering after: no X-Signature", ("missing header",)),
    "reads_once": ("part of the body that arrives first", ("accepted",)),
}
NOTES = {
    "first_v1_only": "only one v1",
    "both_forms": "legacy signature too",
    "needs_the_data": "data is empty",
    "remembers_before_it_acts": "data is empty",
    "limits_to_100_kb": "120 kB",
    "has_a_landing_page": "GET",
}
# With two faults: it verifies the wrong bytes, and answers 200 to whatever it rejects.
TWO_FAULTS = "writes_again_and_says_ok"
ALWAYS = {"correct", "first_v1_only", "forgets_the_age", TWO_FAULTS}  # one of each verdict


def check(name: str, *, counted: bool = True) -> cx.ReceiverCheck:
    """Checks a receiver, with or without what it acted on."""
    work = Work(SECRET.encode())
    with RECEIVERS[name](work) as url:
        acted = (lambda: list(work.acted)) if counted else None
        return cx.check_receiver(url, secret=SECRET, acted=acted, progress=lambda *_: None)


def check_all(names: list[str], *, counted: bool = True) -> dict[str, cx.ReceiverCheck]:
    with ThreadPoolExecutor(4) as pool:
        return dict(zip(names, pool.map(lambda name: check(name, counted=counted), names), strict=True))


def wrong(result: cx.ReceiverCheck) -> tuple[str, ...]:
    return tuple(name for name, verdict in result.groups().items() if verdict == "wrong")


@pytest.fixture(scope="module")
def checks() -> dict[str, cx.ReceiverCheck]:
    """Every receiver, checked once. Also keeps the table of verdicts in build/."""
    names = [name for name in RECEIVERS if NIGHTLY or name not in SLOW]
    chosen = sample(names, 12, name="receivers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checker, "_LONGEST_DELAY", 1)
        found = check_all([name for name in names if name in {*chosen, *ALWAYS}])
    lines = [f"{name}: {result.verdict}; {result.groups()}" for name, result in found.items()]
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("\n".join(lines) + "\n")
    return found


def test_the_only_fault_of_each_wrong_receiver_is_named(checks: dict[str, cx.ReceiverCheck]) -> None:
    """By its cause, and the verdicts of the checks are those that the fault explains."""
    found = {}
    for name, (cause, groups) in FAULTS.items():
        if name in checks:
            faults = [each.sentence for each in checks[name].causes if not each.is_note]
            named = len(faults) == 1 and re.search(cause, faults[0]) is not None
            # Which checks fail with a receiver that reads too little depends on how the packets arrive.
            shown = groups if name in SLOW else wrong(checks[name])
            found[name] = ("named" if named else faults, tuple(sorted(groups)), tuple(sorted(shown)))

    assert {} == {name: each for name, each in found.items() if each[0] != "named" or each[1] != each[2]}


def test_no_right_receiver_is_blamed(checks: dict[str, cx.ReceiverCheck]) -> None:
    right = checks.keys() - FAULTS.keys() - {TWO_FAULTS, *SLOW}

    assert {} == {name: str(checks[name]) for name in right if not checks[name].ok}
    assert {checks[name].verdict for name in right - NOTES.keys()} == {"right"}
    assert {checks[name].verdict for name in right & NOTES.keys()} == {"right, with a note"}


def test_notes_are_no_faults_and_few(checks: dict[str, cx.ReceiverCheck]) -> None:
    found = {name: [each.sentence for each in result.causes if each.is_note] for name, result in checks.items()}
    expected = {name: found[name] for name in NOTES if name in found}

    assert expected == {name: notes for name, notes in found.items() if notes}
    assert all(len(notes) == 1 and NOTES[name] in notes[0] for name, notes in expected.items())


def test_two_faults_are_both_named(checks: dict[str, cx.ReceiverCheck]) -> None:
    first, second = checks[TWO_FAULTS].causes

    assert WRITTEN_AGAIN in first.sentence
    assert "answers 2xx to deliveries that it does not act on" in second.sentence


def test_without_acted_the_same_is_found_except_for_duplicates() -> None:
    """And no verdict is "right": whether duplicates are processed twice is not known."""
    names = sample(sorted(FAULTS.keys() & RECEIVERS.keys() - SLOW), 3, name="without acted")
    found = check_all([*names, "correct", "repeats_itself", "responds_first"], counted=False)
    for name in names:
        cause, groups = FAULTS[name]
        if "duplicates" not in groups and name != "responds_before_it_verifies":
            assert re.search(
                cause if name != "believes_everything" else "verifies nothing", found[name].causes[0].sentence
            )
            assert wrong(found[name]) == tuple(each for each in found[name].groups() if each in groups)
    for name in ("correct", "repeats_itself", "responds_first"):
        assert (found[name].ok, found[name].verdict) == (True, "incomplete")
        assert found[name].groups()["duplicates"] == "not tested"


def test_a_total_is_enough_to_count_duplicates_and_forged_deliveries() -> None:
    names = ["responds_first", "repeats_itself", "believes_everything", "responds_before_it_verifies"]

    def total(name: str) -> cx.ReceiverCheck:
        work = Work(SECRET.encode())
        work.acted.append("an earlier event")
        with RECEIVERS[name](work) as url:
            return cx.check_receiver(url, secret=SECRET, acted=lambda: len(work.acted))

    with ThreadPoolExecutor(4) as pool:
        found = dict(zip(names, pool.map(total, names), strict=True))

    assert found["responds_first"].verdict == "right"
    assert all(re.search(FAULTS[name][0], found[name].causes[0].sentence) for name in names[1:])


def test_a_rate_limit_is_no_fault() -> None:
    """What it refused is not tested."""
    count = itertools.count()

    def limits_the_rate(work: Work, body: bytes, headers: plain.Headers) -> int:
        return work.take(body, headers["X-Signature"]) if next(count) < 20 else 429

    with plain.receivers((limits_the_rate,))["limits_the_rate"](Work(SECRET.encode())) as url:
        result = cx.check_receiver(url, secret=SECRET)

    assert (result.verdict, result.causes) == ("incomplete", [])
    assert "limits the rate" in repr(result)


def test_a_slow_receiver_gets_one_delivery_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    work = Work(SECRET.encode())
    with RECEIVERS["works_before_it_responds"](work) as url:
        result = cx.check_receiver(url, secret=SECRET, acted=lambda: list(work.acted))
        time.sleep(plain.BUSY)

    (cause,) = result.causes
    assert "no response within 10 s" in cause.sentence
    assert len(work.acted) == 1
    assert result.groups().pop("accepted") == "wrong"
    assert {verdict for name, verdict in result.groups().items() if name != "accepted"} == {"not tested"}


def test_an_address_where_nothing_listens_is_one_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "_START", 0.1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        result = cx.check_receiver(f"http://127.0.0.1:{free.getsockname()[1]}/", secret=SECRET)

    assert [cause.sentence for cause in result.causes] == [
        "Nothing answers at this address: no connection could be made."
    ]


def test_ctrl_c_ends_the_check_with_what_is_known() -> None:
    def interrupt(done: int, _: int) -> None:
        if done:
            raise KeyboardInterrupt

    work = Work(SECRET.encode())
    with RECEIVERS["correct"](work) as url:
        result = cx.check_receiver(url, secret=SECRET, progress=interrupt)

    assert (result.interrupted, result.verdict) == (True, "incomplete")


@pytest.mark.parametrize("moment", sample(range(40), 2, name="moments of Ctrl+C"))
def test_ctrl_c_at_any_moment_ends_the_check_with_what_is_known(moment: int) -> None:
    """Also while it waits for a response. A check takes longer than the last of these moments."""
    work, before = Work(SECRET.encode()), signal.signal(signal.SIGALRM, signal.default_int_handler)
    with RECEIVERS["correct"](work) as url:
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.01 * (moment + 1))
            result = cx.check_receiver(url, secret=SECRET)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    assert (result.interrupted, result.verdict) == (True, "incomplete")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://localhost/",
        "http://",
        "http://localhost:99999/",
        "http://user:word@localhost/",
        "http://localhost/a b",
    ],
)
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(cx.errors.ValidationError):
        cx.check_receiver(url, secret=SECRET)


def test_other_hosts_have_to_be_allowed() -> None:
    with pytest.raises(cx.errors.ConfigurationError, match="is not on this machine"):
        cx.check_receiver("https://example.com/hook", secret=SECRET, allow_host="example.org")


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_••••", None, ["whsec_a1b2c3"]])
def test_what_is_no_secret_is_refused(secret: object) -> None:
    with pytest.raises(cx.errors.ConfigurationError):
        cx.check_receiver("http://localhost:1/", secret=secret)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("acted", "error"),
    [
        (lambda: {}[0], cx.errors.ConfigurationError),
        (lambda: 1.5, cx.errors.ValidationError),
        ("a-command-that-does-not-exist", cx.errors.ConfigurationError),
    ],
)
def test_an_acted_that_cannot_work_is_reported_before_anything_is_sent(acted: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="acted"):
        cx.check_receiver("http://localhost:1/", secret=SECRET, acted=acted)  # type: ignore[arg-type]


def test_a_log_that_does_not_exist_yet_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a function and for a command, and one that stays missing although the receiver accepts is an error."""
    monkeypatch.setattr(checker, "_LONGEST_DELAY", 0.1)
    for acted in (lambda: (tmp_path / "none").read_text().split(), f"cat {tmp_path / 'none'}"):
        with RECEIVERS["has_another_path"](Work(SECRET.encode())) as url:
            assert "no route" in cx.check_receiver(url, secret=SECRET, acted=acted).causes[0].sentence
        with (
            RECEIVERS["correct"](Work(SECRET.encode())) as url,
            pytest.raises(cx.errors.ConfigurationError, match="none"),
        ):
            cx.check_receiver(url, secret=SECRET, acted=acted)


def test_neither_the_secret_nor_a_signature_is_in_any_output(checks: dict[str, cx.ReceiverCheck]) -> None:
    """A receiver may send back what it got."""
    for result in checks.values():
        texts = [repr(result), str(result.to_html()), str(result.to_junit()), result.to_frame().to_csv()]
        text = "".join([*texts, result.details().to_csv(), result._repr_html_(), *map(str, result.causes)])
        assert SECRET.removeprefix("whsec_") not in text
        assert not re.search("[0-9a-f]{64}", text)


def test_the_frame_has_a_row_per_check_and_the_details_one_per_delivery(checks: dict[str, cx.ReceiverCheck]) -> None:
    frame = checks["forgets_the_age"].to_frame().set_index("check")

    assert list(frame.columns) == ["verdict", "expected", "observed", "remedy"]
    assert frame.loc["timestamp", "verdict"] == "wrong"
    assert "signed 10 minutes ago: 200" in frame.loc["timestamp", "observed"]
    assert "300 s" in frame.loc["timestamp", "remedy"]
    assert set(frame["remedy"].drop("timestamp")) == {""}
    assert len(checks["forgets_the_age"].details()) > 3 * len(frame)


def test_the_reports_say_what_is_wrong_and_what_to_do(checks: dict[str, cx.ReceiverCheck], tmp_path: Path) -> None:
    checks["forgets_the_age"].to_junit(tmp_path / "junit.xml")
    suite = ET.parse(tmp_path / "junit.xml").getroot()
    (failure,) = suite.iter("failure")
    page = checks["forgets_the_age"].to_html()

    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("15", "1", "0")
    assert "300 s" in (failure.text or "")
    assert page is not None
    assert "deliveries can be replayed" in page
    assert not re.search(r"<script|https?://(?!127)", page)


def command(url: str, *options: str) -> int:
    return main(["check-receiver", url, "--secret-env", "RECEIVERS_SECRET", *options])


@pytest.fixture
def secret_env(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECEIVERS_SECRET", SECRET)


@pytest.mark.usefixtures("secret_env")
def test_the_command_prints_the_cause_first_and_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with RECEIVERS["writes_compact_json"](Work(SECRET.encode())) as url:
        code = command(url, "--junit", str(tmp_path / "junit.xml"), "--html", str(tmp_path / "page.html"))
    first, _, cause, remedy, *_ = capsys.readouterr().out.splitlines()

    assert code == 1
    assert first.startswith("WRONG")
    assert WRITTEN_AGAIN in cause
    assert "raw body" in remedy
    assert (tmp_path / "junit.xml").exists()
    assert (tmp_path / "page.html").exists()


@pytest.mark.usefixtures("secret_env")
def test_without_acted_the_command_ends_with_0_and_with_1_if_it_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    with RECEIVERS["correct"](Work(SECRET.encode())) as url:
        assert command(url, "--format", "json") == 0
        assert json.loads(capsys.readouterr().out)["verdict"] == "incomplete"
        assert command(url, "--strict") == 1


@pytest.mark.usefixtures("secret_env")
def test_the_command_ends_with_2_if_it_cannot_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command("https://example.com/") == 2
    monkeypatch.delenv("RECEIVERS_SECRET")
    assert command("http://localhost:1/") == 2
    assert "RECEIVERS_SECRET is not set" in capsys.readouterr().err


def test_each_cause_in_the_table_belongs_to_a_check() -> None:
    """It is found by what the check sends, or by what a receiver accepts instead of an ordinary delivery."""
    sent = {check.sent for check in catalogue.CHECKS}

    assert {*causes.SINGLE, *causes.NOTES} <= sent
    assert {name for names, *_ in causes.ACCEPTED_INSTEAD for name in names} <= sent | {
        probe.sent for probe in catalogue.PROBES
    }
