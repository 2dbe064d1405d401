"""The README says what is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize(("code", "printed"), list(zip(blocks("python"), blocks("text"), strict=False)))
def test_each_example_prints_what_stands_below_it(code: str, printed: str) -> None:
    """To the letter, on every machine. The one block without output needs a real key."""
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert printed == ran.stdout


def test_the_one_example_without_output_is_the_one_that_needs_a_key() -> None:
    """None is left out by accident."""
    assert ["cx.connect()"] == [
        part for code in blocks("python")[len(blocks("text")) :] for part in re.findall(r"cx\.\w+\(\)", code)
    ]


def test_the_commands_are_the_makefiles() -> None:
    """Each `make` line names a target that there is."""
    targets = re.findall(
        r"^([a-z]+):", (Path(__file__).parents[1] / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )

    assert {"lab", "test"} == set(re.findall(r"^make (\w+)", "\n".join(blocks("sh")), re.MULTILINE)) & set(targets)


def test_every_linked_file_exists() -> None:
    """Pictures and pages of the repository itself."""
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]

    assert [] == [link for link in links if not (Path(__file__).parents[1] / link).exists()]
