"""The receivers of docs/raw_body.md, in their languages: each is right, and the mistake that people make shows."""

import http.client
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

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


Responses = list[tuple[str, bool, int]]


def responses(receiver: Receiver, folder: Path, code: Path | None = None) -> Responses:
    """What was sent, whether it has to be accepted, and the status of the response. Skips if the receiver cannot run here."""
    if receiver.nightly and not NIGHTLY:
        pytest.skip(f"{receiver.file} is compiled or downloaded, and runs in `make nightly`")
    if receiver.missing:
        pytest.skip(f"{receiver.missing} is not installed")
    results = []
    with running(receiver, SECRET.reveal(), folder / "acted.txt", code) as url:
        for name, body, signature, accepted in _deliveries():
            results.append((name, accepted, _post(url, body, signature)))
    return results


def _deliveries() -> Iterator[tuple[str, bytes, str | None, bool]]:
    """Each with its body, its signature, and whether a receiver has to accept it."""
    body = cx.events.sample("customer.created", name="Zo\u00eb / <caf\u00e9>")
    spaced = json.dumps(json.loads(body), indent=1).encode() + b"\n"
    yield "ordinary", body, cx.sign(body, SECRET), True
    yield "spaces, escapes and a newline", spaced, cx.sign(spaced, SECRET), True
    yield "changed", body + b" ", cx.sign(body, SECRET), False
    yield "another secret", body, cx.sign(body, "whsec_not-this-receivers"), False
    yield "old", body, cx.sign(body, SECRET, int(time.time()) - 600), False
    yield "malformed", body, "t=abc,v1=123", False
    yield "unsigned", body, None, False


def _post(url: str, body: bytes, signature: str | None) -> int:
    """Sends the body in two packets that part a character where there is one of several bytes. 0 if there is no response."""
    middle = next((index for index, byte in enumerate(body) if byte >= 0xC0), len(body) // 2) + 1
    address = urlsplit(url)
    lines = [f"POST {address.path} HTTP/1.1", f"Host: {address.netloc}", "Content-Type: application/json"]
    lines += [
        f"Content-Length: {len(body)}",
        "Connection: close",
        *([f"X-Signature: {signature}"] if signature else []),
    ]
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body[:middle])
        time.sleep(0.05)
        with suppress(OSError):
            connection.sendall(body[middle:])
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
        except (http.client.HTTPException, OSError):
            return 0
        return response.status


def _right(accepted: bool, status: int) -> bool:
    return 200 <= status < 300 if accepted else 400 <= status < 500


@of_each_receiver
def test_a_documented_receiver_accepts_what_is_genuine_and_rejects_the_rest(receiver: Receiver, tmp_path: Path) -> None:
    """Also bytes that cStar does not write, in two packets."""
    assert [] == [result for result in responses(receiver, tmp_path) if not _right(*result[1:])]


@of_each_receiver
def test_the_mistake_makes_a_receiver_reject_genuine_deliveries_or_accept_changed_ones(
    receiver: Receiver, tmp_path: Path
) -> None:
    """So the page warns of something real."""
    assert [
        result
        for result in responses(receiver, tmp_path, break_copy(receiver, tmp_path / "code"))
        if not _right(*result[1:])
    ]


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
