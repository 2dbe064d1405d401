"""The README says what is so."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_ten_lines_print_what_stands_below_them() -> None:
    """To the letter, on every machine."""
    ran = subprocess.run([sys.executable, "-c", blocks("python")[0]], check=True, capture_output=True, text=True)

    assert blocks("text")[0] == ran.stdout


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
