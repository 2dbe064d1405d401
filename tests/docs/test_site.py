"""The built documentation: complete, offline, and without broken links."""

import ast
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from sphinx.util.inventory import InventoryFile

import cstar_explore as cx

PROJECT = Path(__file__).parents[2]


class Page(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.links: list[str] = []
        self.resources: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a":
            self.links.append(attributes.get("href", ""))
        else:
            self.resources += [
                attributes[name] for name in ("href", "src", "srcset", "data", "poster") if name in attributes
            ]


@pytest.fixture(scope="module")
def site() -> Path:
    """The site, built as `make docs` builds it: from scratch, because Sphinx does not repeat the warnings of unchanged pages."""
    folder = PROJECT / "build" / "docs"
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-b", "html", PROJECT / "docs", folder]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    assert 0 == built.returncode, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}


@pytest.fixture(scope="module")
def documented(site: Path) -> dict[str, str]:
    """The page of each documented Python object."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="")
    return {
        name: item.uri.partition("#")[0]
        for kind, items in inventory.data.items()
        if kind.startswith("py:")
        for name, item in items.items()
    }


def test_the_pages_load_nothing_from_other_hosts(site: Path, pages: dict[Path, Page]) -> None:
    """No script, stylesheet, font or image, so the documentation works offline."""
    loaded = {resource for page in pages.values() for resource in page.resources}
    for path in site.rglob("*.css"):
        loaded |= set(re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", path.read_text(encoding="utf-8")))

    assert len(loaded) > 10
    assert set() == {resource for resource in loaded if urlsplit(resource).netloc}


def test_every_internal_link_resolves(pages: dict[Path, Page]) -> None:
    """To a page or file of the site, and to an anchor in it."""
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.resources]:
            parts = urlsplit(link)
            if parts.scheme in ("http", "https", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchors = pages[target].anchors if target in pages else {unquote(parts.fragment)}
            if not target.exists() or unquote(parts.fragment) not in anchors:
                broken.append((path.name, link))

    assert len(pages) > 20
    assert [] == broken


def public_names() -> Iterator[str]:
    stub = ast.parse((PROJECT / "cstar_explore" / "__init__.pyi").read_text(encoding="utf-8"))
    for node in stub.body:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.AnnAssign):
            yield ast.unparse(node.target)


@pytest.mark.parametrize("name", [*public_names()])
def test_every_public_name_is_in_the_reference(name: str, documented: dict[str, str]) -> None:
    """A new name needs a place in `docs/reference`."""
    assert documented[f"cstar_explore.{name}"].startswith("reference/")


def test_every_error_is_in_the_reference(documented: dict[str, str]) -> None:
    """Also those that no docstring mentions."""
    errors = {
        name for name, value in vars(cx.errors).items() if inspect.isclass(value) and issubclass(value, cx.CStarError)
    }

    assert len(errors) > 20
    assert set() == {name for name in errors if f"cstar_explore.errors.{name}" not in documented}


def test_every_documented_parameter_exists(documented: dict[str, str]) -> None:
    """A docstring with a section `Args` describes all parameters, under their names."""
    wrong = {}
    for name in documented:
        value = find(name)
        described = parameters_in(inspect.getdoc(value) or "") if callable(value) else []
        if described:
            expected = [
                parameter for parameter in inspect.signature(value).parameters if parameter not in ("self", "cls")
            ]
            if sorted(expected) != sorted(described):
                wrong[name] = set(expected) ^ set(described)

    assert {} == wrong


def find(name: str) -> object:
    """An object by its full name; None for an attribute that only instances have."""
    parts = name.split(".")
    modules = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    module = next(module for module in modules if module in sys.modules)
    value: object = sys.modules[module]
    for part in parts[module.count(".") + 1 :]:
        value = getattr(value, part, None)
    return value


def parameters_in(docstring: str) -> list[str]:
    _, _, section = docstring.partition("Args:\n")
    section = re.split(r"^\S", section, maxsplit=1, flags=re.MULTILINE)[0]
    names = re.findall(r"^    ((?:\w+, )*\w+): ", section, re.MULTILINE)
    return [name for group in names for name in group.split(", ")]


@pytest.mark.parametrize("path", sorted(PROJECT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_the_course_shows_the_stored_outputs(path: Path, site: Path) -> None:
    """The notebooks are not executed for the site. An output that shows a file beside the notebook is left out."""
    cells = nbformat.read(path, as_version=4).cells
    shown = [cell for cell in cells if "remove-output" not in cell.metadata.get("tags", ())]
    outputs = [cell for cell in shown if cell.cell_type == "code" and cell.outputs]
    page = (site / "course" / f"{path.stem}.html").read_text(encoding="utf-8")

    assert outputs
    assert len(outputs) == page.count('class="cell_output')


def test_the_site_can_be_searched(site: Path) -> None:
    """The index has words from the pages, the notebooks and the docstrings."""
    index = (site / "searchindex.js").read_text(encoding="utf-8")

    assert (site / "search.html").exists()
    assert {"webhook", "trigger_test", "idempot"} <= set(re.findall(r"\w+", index))
