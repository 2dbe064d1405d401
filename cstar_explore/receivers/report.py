"""The result of a check as an HTML page that works offline and as JUnit XML. Untrusted text is escaped."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ..text import escaped, html_page, html_table, printable

_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")


def page(verdict: str, display: str, framework: str | None, details: Sequence[Sequence[str]]) -> str:
    """The HTML page: `display` is the result's own HTML, `details` a row per delivery."""
    likely = f"<p>Likely framework: {escaped(framework)}</p>" if framework else ""
    sent = html_table(("check", "sent", "verdict", "expected", "observed"), details)
    body = f"<h1>Check of a webhook receiver</h1>\n{display}\n{likely}<h2>What was sent</h2>\n{sent}"
    return html_page(f"Webhook receiver: {escaped(verdict)}", _STYLE, body)


def junit(name: str, seconds: float, rows: Sequence[Mapping[Any, str]]) -> str:
    """JUnit XML with a test case per row of `ReceiverCheck.to_frame`. A note is a passed test with output."""
    verdicts = [row["verdict"] for row in rows]
    suite = ET.Element(
        "testsuite",
        name=printable(f"webhook receiver {name}"),
        tests=str(len(rows)),
        failures=str(verdicts.count("wrong")),
        errors="0",
        skipped=str(verdicts.count("not tested")),
        time=f"{seconds:.3f}",
    )
    for row in rows:
        case = ET.SubElement(suite, "testcase", classname="cstar_explore.check_receiver", name=row["check"])
        text = f"expected: {row['expected']}\nobserved: {row['observed']}\nremedy: {row['remedy']}"
        match row["verdict"]:
            case "wrong":
                ET.SubElement(case, "failure", message=row["observed"]).text = text
            case "not tested":
                ET.SubElement(case, "skipped", message=row["observed"])
            case "information":
                ET.SubElement(case, "system-out").text = text
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"
