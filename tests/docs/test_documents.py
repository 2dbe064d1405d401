"""README and docs say what is so: each piece of code is run, each link leads somewhere, each page of cStar's is known."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import cstar_explore as cx

PROJECT = Path(__file__).parents[2]
README = PROJECT / "README.md"
HOW_TOS = [PROJECT / "docs" / name for name in ("integrating.md", "auditing.md", "sandbox.md")]
PAGES = [
    README,
    *HOW_TOS,
    PROJECT / "docs" / "reference.md",
    *(PROJECT / f"{name}.md" for name in ("CONTRIBUTING", "SECURITY", "CHANGELOG")),
]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """The language, the name and the content of each block of code."""
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def examples() -> list[tuple[Path, str, str]]:
    """Each block of Python with the block after it."""
    return [
        (path, code, after)
        for path in [README, *HOW_TOS]
        for (language, _, code), (_, _, after) in zip(blocks(path), [*blocks(path)[1:], ("", "", "")], strict=True)
        if language == "python"
    ]


@pytest.mark.parametrize(
    ("path", "code", "printed"), examples(), ids=lambda value: value.stem if isinstance(value, Path) else ""
)
def test_each_example_prints_what_stands_below_it(path: Path, code: str, printed: str, tmp_path: Path) -> None:
    """To the letter, in a process and a folder of its own, on every machine."""
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=tmp_path)

    assert (printed, "") == (ran.stdout, ran.stderr)


@pytest.mark.parametrize("path", [path for path in HOW_TOS if "```sh" in path.read_text()], ids=lambda path: path.stem)
def test_each_command_ends_well(path: Path, tmp_path: Path) -> None:
    """As a shell runs them, one block after the other, on a sandbox whose accounts stand where the page's own would."""
    with cx.Sandbox(neglected=True) as sandbox, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        for _, name, content in blocks(path):
            if name == "accounts.csv":
                rows = content.replace("team_1", "team_sandbox").replace("team_2", "team_north").splitlines()
                there = [f"{rows[0]},base_url", *(f"{row},{sandbox.base_url}" for row in rows[1:])]
                (tmp_path / name).write_text("\n".join(there), encoding="utf-8")
        keys = {
            f"CSTAR_KEY_{name.upper()}": sandbox.keys[key].reveal()
            for name, key in (("Support", "live"), ("North", "north"))
        }
        commands = "".join(content for language, _, content in blocks(path) if language == "sh")
        script = f"set -e; trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{commands.replace('8787', str(port))}"
        where = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        ran = subprocess.run(
            ["bash", "-c", script],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | keys | where,
        )

    assert 0 == ran.returncode, ran.stdout + ran.stderr


def test_the_readmes_commands_are_the_makefiles() -> None:
    """`make lab` ends in the command that the browser tests start; `make test` is what runs this."""
    [commands] = [content for language, _, content in blocks(README) if language == "sh"]
    named = re.findall(r"^make (\w+)", commands, re.MULTILINE)
    would = subprocess.run(["make", "-n", "-B", *named], check=True, capture_output=True, text=True, cwd=PROJECT).stdout

    assert ["lab", "test"] == named
    assert re.search(r"cstar-explore lab$", would, re.MULTILINE)
    assert re.search(r"pytest .*tests/browser$", would, re.MULTILINE)


def test_every_block_is_run_or_shown_as_a_result() -> None:
    """None is left out by accident."""
    kinds = {(language, name) for path in [README, *HOW_TOS] for language, name, _ in blocks(path)}

    assert {("python", ""), ("text", ""), ("sh", ""), ("csv", "accounts.csv")} == kinds
    assert [] == [path.name for path, _, printed in examples() if not printed]


def test_the_readme_is_one_screen() -> None:
    """What, picture, two commands, ten lines, and where to go."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 70


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_link_leads_somewhere(path: Path) -> None:
    """To files of the repository, and to headings in them."""
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text(encoding="utf-8"))):
        if "://" not in link:
            file, _, heading = link.partition("#")
            target = path if not file else (path.parent / file).resolve()
            if not target.exists() or (heading and heading not in headings(target)):
                lost.append(link)

    assert [] == lost


def headings(path: Path) -> set[str]:
    """As a code host makes anchors of them."""
    found = re.findall(r"^#+ (.*)$", BLOCK.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_every_page_of_cstars_that_is_named_is_known() -> None:
    """Nothing is called documented by a page that nobody has read; `tests/support/api_reference/pages.txt` lists those that were."""
    known = set((PROJECT / "tests" / "support" / "api_reference" / "pages.txt").read_text(encoding="utf-8").split())
    files = [README, *HOW_TOS, *PROJECT.glob("notebooks/*.ipynb"), *PROJECT.glob("cstar_explore/**/*.py")]
    named = {
        (path.name, url)
        for path in files
        for url in re.findall(r"https://(?:www\.)?cstar\.help/[\w./-]+\w", path.read_text(encoding="utf-8"))
    }

    assert len({url for _, url in named}) > 10
    assert set() == {(name, url) for name, url in named if url not in known}
