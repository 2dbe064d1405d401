"""Writes `docs/reference.md` from the docstrings of the public names: `make reference`.

What a signature says is taken from the source, so that the page is the same on every version of Python.
"""

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cstar_explore as cx
from cstar_explore.client import Webhooks
from cstar_explore.explaining import Explanation
from cstar_explore.listener import Received
from cstar_explore.models import Delivery, Identity
from cstar_explore.sandbox.clock import Clock
from cstar_explore.sandbox.faults import Faults
from cstar_explore.widgets.form import Form

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"

# Every public name once, and beside them the types of what they give.
CHAPTERS: dict[str, list[tuple[str, Any]]] = {
    "To begin with": [("cx.connect", cx.connect), ("cx.Client", cx.Client), ("client.webhooks", Webhooks)],
    "What the calls give": [
        ("cx.WebhookList", cx.WebhookList),
        ("cx.Webhook", cx.Webhook),
        ("cx.FiredEvent", cx.FiredEvent),
        ("Delivery", Delivery),
        ("Identity", Identity),
        ("cx.Secret", cx.Secret),
    ],
    "The sandbox": [("cx.Sandbox", cx.Sandbox), ("box.clock", Clock), ("box.faults", Faults)],
    "Receiving": [("cx.Listener", cx.Listener), ("Received", Received)],
    "Signatures": [
        ("cx.sign", cx.sign),
        ("cx.verify", cx.verify),
        ("cx.explain", cx.explain),
        ("Explanation", Explanation),
    ],
    "Events": [("cx.events.catalogue", cx.events.catalogue), ("cx.events.sample", cx.events.sample)],
    "Forms": [
        ("Every form", Form),
        ("cx.CreateForm", cx.CreateForm),
        ("cx.EditForm", cx.EditForm),
        ("cx.DeleteForm", cx.DeleteForm),
        ("cx.FireForm", cx.FireForm),
        ("cx.PlanForm", cx.PlanForm),
        ("cx.Explorer", cx.Explorer),
    ],
    "Planned change": [("cx.plan", cx.plan), ("cx.Plan", cx.Plan)],
    "Audits": [
        ("cx.audit", cx.audit),
        ("cx.Audit", cx.Audit),
        ("cx.Accounts", cx.Accounts),
        ("cx.audit_rules", cx.audit_rules),
        ("cx.compare", cx.compare),
    ],
}

# Between the rooms of the house, and of no use outside.
INTERNAL = {"from_item", "step", "set", "on_advance", "take", "send", "check_may_write", "carried_out_by", "work"}

SECTION = re.compile(r"^(Args|Attributes|Returns|Raises|Yields):\n((?:(?: {4}.*)?(?:\n|\Z))+)", re.MULTILINE)

NAMED = re.compile(r"^([\w*, .]+?)(?=: )")
IN_CODE = r"`\1`"


def page() -> str:
    """The whole of it."""
    parts = [
        (
            "# Reference\n\nThe public names and their docstrings; `make reference` writes this page. Columns of frames are told where"
            " the frame is made.\n"
        )
    ]
    for chapter, names in CHAPTERS.items():
        parts.append(f"## {chapter}\n")
        for name, thing in names:
            parts.extend(_entry(name, thing))
    return "\n".join([*parts, *_errors()])


def _entry(name: str, thing: Any) -> Iterator[str]:
    yield f"### {name}\n"
    if inspect.isclass(thing):
        made = vars(thing).get("__init__")
        if name.startswith("cx.") and inspect.isfunction(made) and not dataclasses.is_dataclass(thing):
            yield _signature(name, made, returned=False)
        yield _prose(inspect.getdoc(thing))
        for called, member in _members(thing):
            yield f"#### .{called}{'' if isinstance(member, property) else '()'}\n"
            if not isinstance(member, property):
                yield _signature(f".{called}", member)
            yield _prose(inspect.getdoc(member))
    else:
        yield _signature(name, thing)
        yield _prose(inspect.getdoc(thing))


def _members(thing: type) -> Iterator[tuple[str, Any]]:
    """What a class itself has for its users, in the order of the source."""
    if issubclass(thing, Form):
        yield from [("submit", Form.submit)] if thing is Form else []
        return
    for name, member in vars(thing).items():
        inner = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        shown = not name.startswith("_") and name not in INTERNAL
        if shown and (inspect.isfunction(inner) or isinstance(inner, property)) and inspect.getdoc(inner):
            yield name, inner


def _errors() -> Iterator[str]:
    """The tree, and what can be read on each."""
    first, _, rest = (inspect.getdoc(cx.errors) or "").partition("\n\n")
    yield f"## Errors\n\n{first}\n\n```text\n{rest}\n```\n"
    yield from _entry("cx.CStarError", cx.CStarError)


def _prose(doc: str | None) -> str:
    """A docstring as Markdown: its sections as lists, its indented code as code."""
    text = SECTION.sub(lambda found: f"**{found[1]}**\n\n{_items(found[2])}\n", doc or "")
    return f"{text.rstrip()}\n"


def _items(block: str) -> str:
    """`name: words`, continued on deeper lines, as a list; other words as they are."""
    lines = textwrap.dedent(block).rstrip().splitlines()
    items: list[str] = []
    for line in lines:
        if line.startswith(" ") and items:
            items[-1] += f" {line.strip()}"
        elif line:
            items.append(line)
    return "".join(f"- {NAMED.sub(IN_CODE, item)}\n" for item in items)


def _signature(name: str, thing: Any, *, returned: bool = True) -> str:
    """As in the source, on one line if it fits, else a line for each parameter."""
    [node] = ast.parse(textwrap.dedent(inspect.getsource(thing))).body
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    parameters = list(_parameters(node.args))
    awaited = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    result = f" -> {_unquoted(node.returns)}" if returned and node.returns is not None else ""
    line = f"{awaited}{name}({', '.join(parameters)}){result}"
    if len(line) > 100:
        line = "\n".join([f"{awaited}{name}(", *(f"    {parameter}," for parameter in parameters), f"){result}"])
    return f"```text\n{line}\n```\n"


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + arguments.defaults
    for argument, default in zip(positional, defaults, strict=True):
        if argument.arg not in ("self", "cls"):
            yield _parameter(argument, default)
    if arguments.vararg is not None or arguments.kwonlyargs:
        yield f"*{_parameter(arguments.vararg, None) if arguments.vararg else ''}"
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        yield _parameter(argument, default)
    if arguments.kwarg is not None:
        yield f"**{_parameter(arguments.kwarg, None)}"


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    annotation = f": {_unquoted(argument.annotation)}" if argument.annotation is not None else ""
    return f"{argument.arg}{annotation}{f' = {ast.unparse(default)}' if default is not None else ''}"


def _unquoted(annotation: ast.expr) -> str:
    """An annotation without the quotes that put off its evaluation."""
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return str(annotation.value) if quoted else ast.unparse(annotation)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
