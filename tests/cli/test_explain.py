"""`cstar-explore explain`, in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cstar_explore as cx

SECRET = "whsec_not-a-real-secret-1234"
BODY = b'{"id":"evt_1","type":"ticket.created","data":{"name":"planted-text"}}'
NOW = 1_765_377_000


def run(*arguments: str, text: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs the command with the text on standard input."""
    ran = subprocess.run(
        [sys.executable, "-m", "cstar_explore.cli", "explain", *arguments],
        check=False,
        capture_output=True,
        input=text,
        env={**os.environ, "SECRET": SECRET, "PYTHONIOENCODING": "ascii"} | variables,
        timeout=60,
    )
    output, messages = ran.stdout.decode("ascii"), ran.stderr.decode("ascii", "replace")
    assert SECRET not in output + messages
    assert "planted-text" not in output + messages
    assert "Traceback" not in messages
    return subprocess.CompletedProcess(ran.args, ran.returncode, output, messages)


def pasted(signature: str = "") -> bytes:
    """A request, signed for `NOW` by default."""
    return b"POST /hook HTTP/1.1\nX-Signature: %s\n\n%s\n" % ((signature or cx.sign(BODY, SECRET, NOW)).encode(), BODY)


def test_a_delivery_is_verified_with_one_of_several_secrets() -> None:
    """From a pipe: exit code 0, the verdict, the evidence, and what the text has not kept."""
    ran = run("--secret-env", "OTHER", "--secret-env", "SECRET", "--now", str(NOW), text=pasted(), OTHER="whsec_other")

    assert (0, "") == (ran.returncode, ran.stderr)
    assert "verdict  verified" in ran.stdout
    assert "without whitespace at its end" in ran.stdout
    assert "secret 2 of 2" in ran.stdout
    assert "not kept Whether the body ends with a newline" in ran.stdout


def test_a_file_of_several_deliveries_has_a_verdict_for_each(tmp_path: Path) -> None:
    """One that is not verified gives exit code 1. With `--format json`, for scripts."""
    signatures = [cx.sign(BODY, SECRET, NOW), cx.sign(BODY, "whsec_another", NOW), f"sha256={SECRET}"]
    entries: list[Any] = [
        {
            "startedDateTime": "2025-12-10T14:30:00Z",
            "request": {"headers": [{"name": "X-Signature", "value": value}], "postData": {"text": BODY.decode()}},
        }
        for value in signatures
    ]
    (tmp_path / "all.har").write_text(json.dumps({"log": {"entries": entries}}))
    ran = run(str(tmp_path / "all.har"), "--secret-env", "SECRET", "--format", "json")
    verdicts = json.loads(ran.stdout)["deliveries"]

    assert 1 == ran.returncode
    assert ["ok", "wrong_secret", "legacy_form"] == [verdict["cause"] for verdict in verdicts]
    assert [True, False, False] == [verdict["verified"] for verdict in verdicts]
    assert {"2025-12-10 14:30:00 UTC ticket.created"} == {verdict["delivery"] for verdict in verdicts}


def test_a_pasted_secret_is_masked_in_the_evidence() -> None:
    """Also one without the published prefix."""
    ran = run("--secret-env", "PLAIN", text=pasted("planted-text"), PLAIN="planted-text")

    assert 1 == ran.returncode
    assert r"X-Signature is '\u2022\u2022\u2022\u2022'" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        ([], pasted(), "--secret-env"),
        (["--secret-env", SECRET], pasted(), "name of a variable"),
        (["--secret-env", "UNSET_NAME"], pasted(), "UNSET_NAME is not set"),
        (["--secret-env", "EMPTY"], pasted(), "is empty"),
        (["--secret-env", "SECRET", "--now", "noon"], pasted(), "'noon'"),
        (["--secret-env", "SECRET", "--now", "2026-01-31"], pasted(), "time zone"),
        (["--secret-env", "SECRET"], b"", "It is empty"),
        (["--secret-env", "SECRET"], b"planted-text", "No delivery"),
        (["--secret-env", "SECRET"], bytes(range(256)) * 100, "No delivery"),
        (["--secret-env", "SECRET", "/nowhere/at/all"], b"", "cannot be read"),
        (["--secret-env", "SECRET", pasted().decode()], b"", "not the name of a file"),
    ],
)
def test_what_cannot_be_explained_exits_with_2(arguments: list[str], text: bytes, message: str) -> None:
    """With one message and no output."""
    ran = run(*arguments, text=text, EMPTY="")

    assert (2, "") == (ran.returncode, ran.stdout)
    assert message in ran.stderr


@pytest.mark.parametrize("redirection", ["<&-", ">&- </dev/null"], ids=["stdin", "stdout"])
def test_a_closed_stream_is_one_message(redirection: str) -> None:
    """No traceback."""
    command = f"exec {sys.executable} -m cstar_explore.cli explain --secret-env SECRET {redirection}"
    environment = {**os.environ, "SECRET": SECRET}
    ran = subprocess.run(["bash", "-c", command], check=False, capture_output=True, env=environment, timeout=60)

    assert 0 < ran.returncode <= 2
    assert b"closed" in ran.stderr
    assert b"Traceback" not in ran.stderr
