"""The receivers of docs/raw_body.md, in their languages: each is right, and the mistake that people make is found by its cause."""

import re
from pathlib import Path

import pytest

import cstar_explore as cx
from tests.receivers.languages import FOLDER, RECEIVERS, Receiver, break_copy, running
from tests.support.sampling import NIGHTLY

PAGE = Path(__file__).parents[2] / "docs" / "raw_body.md"
SECRET = cx.Secret("whsec_not-a-real-secret")
SECTION = re.compile(
    r"^##+ (?P<title>.*)\n(?P<mistake>[^#]*?)```\{literalinclude\} \S*languages/(?P<file>\S+)\n",
    re.MULTILINE,
)
SECTIONS = {match["file"]: match for match in SECTION.finditer(PAGE.read_text(encoding="utf-8"))}

of_each_receiver = pytest.mark.parametrize("receiver", RECEIVERS, ids=lambda receiver: Path(receiver.file).stem)


# What a mistake is called, where it is not that JSON is written again.
CAUSES = {
    "python/django_receiver.py": "trimmed text",
    "python/aiohttp_receiver.py": "trimmed text",
    "node/http_receiver.js": "each piece of the body",
}


def check(receiver: Receiver, folder: Path, code: Path | None = None) -> cx.ReceiverCheck:
    """Starts a receiver, or a copy of it, and checks it. Skips if it cannot run here."""
    if receiver.nightly and not NIGHTLY:
        pytest.skip(f"{receiver.file} is compiled or downloaded, and runs in `make nightly`")
    if receiver.missing:
        pytest.skip(f"{receiver.missing} is not installed")
    acted = folder / "acted.txt"
    with running(receiver, SECRET.reveal(), acted, code) as url:
        return cx.check_receiver(url, secret=SECRET, acted=lambda: acted.read_text().split())


@of_each_receiver
def test_a_documented_receiver_is_right(receiver: Receiver, tmp_path: Path) -> None:
    """Without a note, too."""
    result = check(receiver, tmp_path)

    assert (result.verdict, result.causes) == ("right", [])


@of_each_receiver
def test_the_mistake_is_the_only_fault_that_is_found(receiver: Receiver, tmp_path: Path) -> None:
    """By its cause, and by the check that the page names."""
    result = check(receiver, tmp_path, break_copy(receiver, tmp_path / "code"))
    (fault,) = (cause.sentence for cause in result.causes if not cause.is_note)
    named = re.search(r"found by the check \*(.*?)\*", SECTIONS[receiver.file]["mistake"])

    assert CAUSES.get(receiver.file, "re-serialized JSON") in fault
    assert named is not None
    assert result.groups()[named[1]] == "wrong"


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
