# ruff: noqa: INP001, TID253 - a module of the documentation, not of the package
"""Tables of the columns that a function's DataFrame has: names and dtypes from the frame, meanings from the docstring."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import cache

import pandas as pd
import sphinx.util.logging

import cstar_explore as cx

_logger = sphinx.util.logging.getLogger(__name__)

_DTYPE = r"(?:str|Int64|int64|Float64|boolean|datetime64\[us, UTC\])"


@cache
def frames() -> dict[str, pd.DataFrame]:
    """An example of each frame, by the name of the function that returns it."""
    for package in ("httpx", "uvicorn"):
        logging.getLogger(package).setLevel(logging.WARNING)
    with ExitStack() as stack:
        sandbox = stack.enter_context(cx.Sandbox(neglected=True))
        client = stack.enter_context(sandbox.client())
        listener = stack.enter_context(sandbox.listener())
        webhooks = client.webhooks.list()
        plan = cx.plan(client, webhooks.to_frame()[["id"]])
        audit = cx.audit(client)
        recording = cx.Recording({}, payloads={}, recorded_on="2026-11-26")
        check = cx.check_handler(lambda _: None)
        return {
            "WebhookList.to_frame": webhooks.to_frame(),
            "WebhookList.subscriptions": webhooks.subscriptions(),
            "WebhookList.receiving": webhooks.receiving("ticket.created"),
            "WebhookList.coverage": webhooks.coverage(),
            "FiredEvent.to_frame": client.webhooks.trigger_test("ticket.created").to_frame(),
            "Sandbox.accounts": sandbox.accounts(),
            "Sandbox.deliveries": sandbox.deliveries(),
            "Listener.to_frame": listener.to_frame(),
            "Listener.replay": listener.replay([], to=listener.url),
            "Plan.to_frame": plan.to_frame(),
            "Applied.to_frame": plan.apply().to_frame(),
            "Audit.to_frame": audit.to_frame(),
            "Accounts.to_frame": cx.Accounts(sandbox.accounts()).to_frame(),
            "audit_rules": cx.audit_rules(),
            "compare": cx.compare(audit, audit),
            "events.catalogue": cx.events.catalogue(),
            "ProbeResult.to_frame": cx.ProbeResult(recording, (), {}, left=(), requests=0, stopped=False).to_frame(),
            "Recording.drift": recording.drift(recording),
            "ReceiverCheck.to_frame": check.to_frame(),
            "ReceiverCheck.details": check.details(),
        }


def list_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in reStructuredText."""
    yield from (".. list-table::", "   :header-rows: 1", "")
    for row in (head, *rows):
        yield from (f"   {'  -' if number else '* -'} {cell}" for number, cell in enumerate(row))
    yield ""


def with_column_table(name: str, docstring: str) -> str:
    """The docstring of a function, with the sentence that lists the columns of its frame replaced by a table."""
    frame = next((frame for function, frame in frames().items() if name.endswith(f".{function}")), None)
    if frame is None:
        if re.search(r"\bColumns(?:, all \w+)?: `", docstring):
            _logger.warning("docs/_ext/columns.py has no example of the frame of %s.", name)
        return docstring
    columns = [str(column) for column in frame.columns]
    paragraphs = docstring.split("\n\n")
    index = max(
        range(len(paragraphs)), key=lambda number: sum(f"`{column}`" in paragraphs[number] for column in columns)
    )
    before, meanings, after = _parse(paragraphs[index], columns)
    if missing := set(columns) - set(meanings):
        _logger.warning("The docstring of %s does not name the columns %s.", name, sorted(missing))
    rows = [(f"``{column}``", f"``{frame[column].dtype}``", meanings.get(column, "")) for column in columns]
    width = 3 if any(meanings.values()) else 2
    table = list_table(("column", "dtype", "meaning")[:width], (row[:width] for row in rows))
    indent = " " * (4 if "\n    " in paragraphs[index] else 0)
    paragraphs[index] = "\n".join([before, "", *(f"{indent}{line}" for line in (*table, after))])
    return "\n\n".join(paragraphs)


def _parse(paragraph: str, columns: Sequence[str]) -> tuple[str, dict[str, str], str]:
    """Splits "A row per X. Columns: `a`, `b` (str: why). Note." into the text before, the meanings, and the text after."""
    before, *rest = re.split(r"`(\w+)`", paragraph)
    meanings: dict[str, str] = {}
    column, depth = "", 0
    for word, text in zip(rest[::2], rest[1::2], strict=True):
        if depth == 0 and word in columns and word not in meanings:
            column = word
            meanings[column] = text
        elif column:
            meanings[column] += f"``{word}``{text}"
        else:
            before += f"`{word}`{text}"
        depth += text.count("(") - text.count(")")
    last, after = re.fullmatch(r"((?:\([^()]*\)|[^().;])*)[.;]?(.*)", meanings[column], re.DOTALL).groups()
    meanings[column] = last
    before = re.sub(r"[\s;]*columns[^:.]*: *$", "", before, flags=re.IGNORECASE).rstrip(": ")
    before += "." if before.strip() and not before.endswith(".") else ""
    after = " ".join(after.split())
    return before, {name: _meaning(text) for name, text in meanings.items()}, after[:1].upper() + after[1:]


def _meaning(text: str) -> str:
    """The text after the name of a column, without the dtype."""
    text = " ".join(text.split()).strip(" ,;")
    text = re.sub(r"(^| )and$", "", text)
    text = re.sub(rf"\({_DTYPE}(?:[:;,] )?", "(", text).replace("()", "").strip()
    return re.sub(r"^\((.*)\)$", r"\1", text)
