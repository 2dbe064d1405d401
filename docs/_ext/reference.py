# ruff: noqa: INP001, ARG001, PLR0917, S603 - event handlers have Sphinx's signature
"""Sphinx extension for the reference: prepares docstrings for autodoc and renders tables and help texts.

.. frame:: module.name          the DataFrame that a function returns, or the items of a mapping
.. command:: cstar-explore X    a section with the help text of a command
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from columns import list_table, with_column_table
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from cstar_explore.audits.settings import Thresholds
from cstar_explore.widgets.form import Form

COURSE = Path(__file__).parents[1] / "course"


class Frame(SphinxDirective):
    required_arguments = 1
    option_spec = {"columns": directives.unchanged_required}  # noqa: RUF012 - as docutils declares it

    def run(self) -> list[nodes.Node]:
        module, _, name = self.arguments[0].rpartition(".")
        columns = [name.strip() for name in self.options["columns"].split(",")]
        value = getattr(importlib.import_module(module), name)
        rows = value()[columns].to_numpy().tolist() if callable(value) else value.items()
        rows = [
            [re.sub(r"(`[^`]*`)|([_*|])", lambda part: part[1] or f"\\{part[2]}", cell) for cell in row] for row in rows
        ]
        return self.parse_text_to_nodes("\n".join(list_table(columns, rows)))


class Command(SphinxDirective):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        title = self.arguments[0]
        command = [sys.executable, "-m", "cstar_explore.cli", *title.split()[1:], "--help"]
        environment = os.environ | {"COLUMNS": "80", "NO_COLOR": "1"}
        text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        section = nodes.section("", nodes.title(text=title), ids=[nodes.make_id(title)], names=[title])
        section += nodes.literal_block(text, text, language="text")
        return [section]


def before_napoleon(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    text = "" if what == "module" else with_column_table(name, "\n".join(lines))  # the pages introduce the modules
    text = re.sub(r"`cx\.([\w.]+)(\([^`]*\))?`", r":py:obj:`cx.\1\2 <cstar_explore.\1>`", text)
    # A reference loses a dot at its start.
    text = re.sub(r"(?<=[\s(])`(\.[^`\s]+)`", r"``\1``", text)
    # `Webhook`s needs an escape before the s.
    text = re.sub(r"(`[^`]+`)(\w?)", lambda role: role[1] + (rf"\ {role[2]}" if role[2] else ""), text)
    # Napoleon takes text before a colon for a type here.
    text = re.sub(r"(?<=Returns:\n    )", ": ", f": {text}" if what == "property" else text)
    if what in ("class", "exception"):
        text = separate_attributes(text)
    lines[:] = text.split("\n")


def separate_attributes(docstring: str) -> str:
    """Repeats a description that several attributes share: napoleon reads one name per entry."""
    before, heading, attributes = docstring.partition("Attributes:\n")
    attributes = re.sub(
        r"^    (\w+(?:, \w+)+): (.*(?:\n {5,}.*)*)",
        lambda entry: "\n".join(f"    {name}: {entry[2]}" for name in entry[1].split(", ")),
        attributes,
        flags=re.MULTILINE,
    )
    return before + heading + attributes


def after_napoleon(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Moves the type of an attribute from below its description to its name."""
    text = re.sub(
        r"^(\.\. attribute:: \w+\n)((?:(?!\.\. ).*\n)*?)(   :type: .*)\n",
        lambda entry: f"{entry[1]}{re.sub(r'(?:datetime|collections.abc)[.]', '', entry[3])}\n{entry[2]}",
        "\n".join(lines),
        flags=re.MULTILINE,
    )
    lines[:] = text.split("\n")


def hide_constructor(app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, returns: str) -> Any:
    """Hides the constructor of a class whose instances are returned or raised, not created by the user."""
    if what not in ("class", "exception") or not signature or obj.__module__ == Thresholds.__module__:
        return None
    is_shown = "Args:" in (obj.__doc__ or "") or Form in obj.__mro__[1:]
    return None if is_shown else ("", None)


def skip_fields(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:  # noqa: FBT001
    """Skips the fields of a NamedTuple. The docstring of the class describes them."""
    return True if (getattr(obj, "__doc__", "") or "").startswith("Alias for field number") else None


def find_notebooks(app: Sphinx, doctree: nodes.document) -> None:
    """Corrects links to notebooks: Sphinx resolves the symbolic link `course`, and finds no document behind it."""
    for reference in doctree.findall(pending_xref):
        target = Path(str(reference.get("reftarget", "")))
        if target.parent == COURSE.resolve():
            reference["reftarget"] = f"course/{target.name}"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("frame", Frame)
    app.add_directive("command", Command)
    app.connect("autodoc-process-docstring", before_napoleon, priority=400)
    app.connect("autodoc-process-docstring", after_napoleon, priority=600)
    app.connect("autodoc-process-signature", hide_constructor)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("doctree-read", find_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
