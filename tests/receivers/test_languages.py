"""The receivers of docs/raw_body.md, in their languages: each is right, and the check finds the mistake that people make."""

import re
from pathlib import Path

import pytest

import cstar_explore as cx
from tests.receivers.languages import FOLDER, RECEIVERS, Receiver, break_copy, running
from tests.support.sampling import NIGHTLY

PAGE = Path(__file__).parents[2] / "docs" / "raw_body.md"
SECRET = cx.Secret("whsec_not-a-real-secret")
SECTION = re.compile(
    r"^##+ (?P<title>.*)\n(?P<mistake>[^#]*?)```\{literalinclude\} \S*languages/(?P<file>\S+)\n[^`]*```(?P<found_by>[^#]*)",
    re.MULTILINE,
)
SECTIONS = {match["file"]: match for match in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}

of_each_receiver = pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda receiver: Path(receiver.file).stem)


def check(receiver: Receiver, folder: Path, code: Path | None = None):
    """The result of checking it. Skips if it cannot run here."""
    if receiver.nightly and not NIGHTLY:
        pytest.skip(f"{receiver.file} is compiled or downloaded, and runs in `make nightly`")
    if receiver.missing:
        pytest.skip(f"{receiver.missing} is not installed")
    checker = pytest.importorskip(
        "cstar_explore.receivers.checker", reason="check_receiver is not part of the package yet"
    )
    acted = folder / "acted.txt"
    with running(receiver, SECRET.reveal(), acted, code) as url:
        return checker.check_receiver(
            url, secret=SECRET, acted=lambda: acted.read_text().split() if acted.exists() else []
        )


@of_each_receiver
def test_no_check_blames_a_documented_receiver(receiver: Receiver, tmp_path: Path) -> None:
    """It accepts what is genuine, rejects the rest, and acts once."""
    result = check(receiver, tmp_path)

    assert [] == result.causes
    assert result.ok


@of_each_receiver
def test_the_check_finds_the_mistake(receiver: Receiver, tmp_path: Path) -> None:
    """By the checks that the page names."""
    result = check(receiver, tmp_path, break_copy(receiver, tmp_path / "code"))
    rows = result.to_frame().query("verdict == 'wrong'")

    assert not result.ok
    assert set(re.findall("`([a-z ]+)`", SECTIONS[receiver.file]["found_by"])) <= set(rows["group"])


@of_each_receiver
def test_the_page_names_the_mistake_that_is_tested(receiver: Receiver) -> None:
    """In the words of the code."""
    mistake = "".join(receiver.mistake.values())

    assert any(code in mistake for code in re.findall("`([^`]+)`", SECTIONS[receiver.file]["mistake"]))


def test_the_page_has_every_receiver_and_says_which_do_not_run() -> None:
    """Those without a command to start them."""
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.*")}
    shared = {file for file in files if re.search(r"/(verification|package|go)\b", file)}

    assert files - shared == SECTIONS.keys() - shared
    assert {receiver.file for receiver in RECEIVERS} == {
        file for file, section in SECTIONS.items() if file not in shared and "*Not run.*" not in section["mistake"]
    }
