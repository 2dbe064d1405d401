"""The JSON examples that cStar's API reference prints, one `Example` for each printed answer.

They stand in `reference/examples.json` as they are printed on https://www.cstar.help/developers/api-reference/webhooks.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Example:
    """One printed answer, with the call it is printed under; `sent` is the body of that call's printed request."""

    call: str
    method: str
    path: str
    sent: dict[str, Any] | None
    status: int
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.call.lower().replace(' ', '-')}-{self.status}"


EXAMPLES = tuple(
    Example(call["name"], call["method"], call["path"], call["body"], response["status"], response["body"])
    for call in json.loads(Path(__file__).with_name("api_reference").joinpath("examples.json").read_text("utf-8"))[
        "calls"
    ]
    for response in call["responses"]
)
ANSWERS = tuple(example for example in EXAMPLES if example.status < 300)
ERRORS = tuple(example for example in EXAMPLES if example.status >= 300)


def printed(call: str, status: int) -> Example:
    """The example printed under a call of this name."""
    return next(example for example in EXAMPLES if (example.call, example.status) == (call, status))
