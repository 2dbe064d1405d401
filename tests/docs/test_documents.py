"""README and docs: commands work, links lead somewhere, and cStar's pages are known. `conftest.py` runs the Python examples."""

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
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), PROJECT / "benchmarks" / "README.md"])
WITH_EXAMPLES = [README, *PROJECT.glob("docs/*.md")]
BLOCK = re.compile(r"^```([^\n]*)\n(?::caption: (\S+)\n\n)?(.*?)^```$", re.DOTALL | re.MULTILINE)

of_each_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(PROJECT)))


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """The language, the caption and the content of each code block."""
    return BLOCK.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path",
    [path for path in WITH_EXAMPLES if path != README and "```sh" in path.read_text()],
    ids=lambda path: path.stem,
)
def test_the_commands_of_a_page_succeed(path: Path, tmp_path: Path) -> None:
    """In one shell, in order. The page's accounts and keys are those of a sandbox."""
    with cx.Sandbox(neglected=True) as sandbox, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        for _, caption, content in blocks(path):
            if caption:
                head, *rows = content.replace("team_1", "team_sandbox").replace("team_2", "team_north").splitlines()
                lines = [f"{head},base_url", *(f"{row},{sandbox.base_url}" for row in rows)]
                (tmp_path / caption).write_text("\n".join(lines), encoding="utf-8")
        environment = {
            "CSTAR_KEY_SUPPORT": sandbox.keys["live"].reveal(),
            "CSTAR_KEY_NORTH": sandbox.keys["north"].reveal(),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        commands = "".join(content for language, _, content in blocks(path) if language == "sh")
        script = f"set -e; trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{commands.replace('8787', str(port))}"
        shell = subprocess.run(
            ["bash", "-c", script],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | environment,
        )

    assert 0 == shell.returncode, shell.stdout + shell.stderr


def test_the_readme_names_targets_of_the_makefile() -> None:
    """`make lab` runs the command that the browser tests start; `make test` runs the examples and ends with the browser tests."""
    [commands] = [content for language, _, content in blocks(README) if language == "sh"]
    targets = re.findall(r"^make (\w+)", commands, re.MULTILINE)
    dry_run = subprocess.run(["make", "-n", "-B", *targets], check=True, capture_output=True, text=True, cwd=PROJECT)

    assert ["lab", "test"] == targets
    assert re.search(r"cstar-explore lab$", dry_run.stdout, re.MULTILINE)
    assert re.search(r"pytest .* tests README.md docs", dry_run.stdout)
    assert re.search(r"pytest .*tests/browser$", dry_run.stdout, re.MULTILINE)


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: path.stem)
def test_every_code_block_is_run_or_compared(path: Path) -> None:
    """Python with its output below it, commands, and the accounts that the commands read."""
    languages = [
        language
        for language, _, _ in blocks(path)
        if not language.startswith(("{toctree}", "{include}", "{literalinclude}"))
    ]

    assert re.fullmatch(r"(python text |sh |\{code-block\} text )*", "".join(f"{language} " for language in languages))
    assert {"", "accounts.csv"} >= {caption for _, caption, _ in blocks(path)}


def test_every_example_prints_something() -> None:
    """An example without output would be compared with nothing."""
    outputs = [content for path in WITH_EXAMPLES for language, _, content in blocks(path) if language == "text"]

    assert len(outputs) > 10
    assert all(outputs)


def test_the_page_on_the_sandbox_lists_its_faults() -> None:
    """Each by a call that works."""
    page = (PROJECT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    calls = re.findall(r"^\| `((\w+)\(.*\))` \|", page, re.MULTILINE)
    with cx.Sandbox() as sandbox:
        for call, _ in calls:
            eval(f"faults.{call}", {"faults": sandbox.faults})
        methods = {name for name in dir(sandbox.faults) if not name.startswith("_")}

    assert methods - {"clear", "take"} == {name for _, name in calls}


def test_the_readme_is_one_screen() -> None:
    """What it is, the commands, an example and links."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 70


@of_each_page
def test_every_link_leads_somewhere(path: Path) -> None:
    """To an existing file, and to a heading in it."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", path.read_text(encoding="utf-8"))):
        if "://" not in link:
            file, _, anchor = link.partition("#")
            target = path if not file else (path.parent / file).resolve()
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(link)

    assert [] == broken


def anchors(path: Path) -> set[str]:
    """The anchors that a code host makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_linked_page_of_cstar_was_read() -> None:
    """`tests/support/api_reference/pages.txt` lists the pages that were read; the docs cite no other."""
    read = set((PROJECT / "tests" / "support" / "api_reference" / "pages.txt").read_text(encoding="utf-8").split())
    files = [*PAGES, *PROJECT.glob("notebooks/*.ipynb"), *PROJECT.glob("cstar_explore/**/*.py")]
    cited = {
        (path.name, url)
        for path in files
        for url in re.findall(r"https://(?:www\.)?cstar\.help/[\w./-]+\w", path.read_text(encoding="utf-8"))
    }

    assert len({url for _, url in cited}) > 10
    assert set() == {(name, url) for name, url in cited if url not in read}
