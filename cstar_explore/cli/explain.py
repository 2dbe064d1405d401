"""`cstar-explore explain`: why the deliveries in a text do or do not verify. It prints neither the text nor the secrets."""

import argparse
import json
import re
import sys
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, ValidationError
from ..files import read_bytes
from ..secret import ApiKey
from ..text import printable
from .options import option, secret_in

if TYPE_CHECKING:
    from ..deliveries import Delivery
    from ..signatures.diagnosis import Explanation

VERIFIED, NOT_VERIFIED, INVALID = 0, 1, 2

_HELP = """\
Reads a raw HTTP request, a curl or PowerShell command, HAR, an export of webhook.site, ngrok, Pipedream or Postman, or an AWS
event. It makes no network requests and runs no command.

exit codes:
    0  every delivery is verified
    1  a delivery is not verified, or the result could not be written
    2  invalid command line, no secret, or no delivery can be read
"""


def add_to(commands: Any) -> None:
    about = "explain why a pasted delivery does or does not verify"
    parser = commands.add_parser("explain", help=about, epilog=_HELP)
    text = "the file to read (default: -, standard input)"
    parser.add_argument("file", nargs="?", default="-", metavar="FILE", help=text)
    secrets = "the NAME of an environment variable with a signing secret; may be repeated"
    option(parser, "--secret-env NAME", secrets, action="append", required=True)
    now = "when the delivery arrived, as Unix seconds or 2026-01-31T12:00:00Z"
    option(parser, "--now TIME", f"{now} (default: the time in the text, if any, else now)")
    option(parser, "--format", "output format (default: text)", choices=("text", "json"), default="text")


def run(options: argparse.Namespace) -> int:
    """Prints a verdict for each delivery."""
    from ..deliveries.reading import deliveries_in
    from ..signatures.keys import require_secrets

    secrets = [secret_in(name) for name in options.secret_env]
    require_secrets(secrets, allow_masks=True)
    now = None if options.now is None else _time(options.now)
    found = deliveries_in(_content(options.file))
    explained = [_explained(one, secrets, now) for one in found]
    print(_FORMATS[options.format](found, explained))
    return VERIFIED if all(explanation.ok for _, explanation in explained) else NOT_VERIFIED


def _time(text: str) -> datetime | float:
    try:
        return float(text) if re.fullmatch(r"\d{1,14}(\.\d*)?", text) else datetime.fromisoformat(text)
    except ValueError:
        raise ValidationError(
            f"--now is '{printable(text, 40)}', which is not a time.",
            advice="Pass Unix seconds or 2026-01-31T12:00:00Z.",
        ) from None


def _content(file: str) -> bytes:
    from ..deliveries.model import MAX_BYTES

    if file != "-":
        if "\n" in file or len(file) > 1_000:
            raise ValidationError("FILE is not the name of a file.", advice="Pass the text to standard input.")
        return read_bytes(file, MAX_BYTES)
    if sys.stdin is None:
        raise ConfigurationError(
            "Standard input is closed.", advice="Pass a file, or pipe the delivery to the command."
        )
    if sys.stdin.isatty():
        print("Paste the delivery, then press Ctrl+D on an empty line.", file=sys.stderr)
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"Standard input cannot be read: {error.strerror}.", advice="Pass a file.") from None


def _explained(one: "Delivery", secrets: list[ApiKey], now: datetime | float | None) -> "tuple[str, Explanation]":
    """The delivery's name and its explanation, without the secrets, which may be in the text too."""
    from ..deliveries.reading import summary

    explanation = one.explain(secrets, now)
    name, evidence = summary(one), explanation.evidence
    for secret in secrets:
        name, evidence = secret.redacted_in(name), secret.redacted_in(evidence)
    return name, replace(explanation, evidence=evidence)


def _text(found: "list[Delivery]", explained: "list[tuple[str, Explanation]]") -> str:
    parts = []
    for number, (one, (name, explanation)) in enumerate(zip(found, explained, strict=True), 1):
        lost = "".join(f"\nnot kept {sentence}" for sentence in one.not_kept)
        parts.append(f"delivery {number}: {name}, from {one.source}\n{explanation!r}{lost}")
    return "\n\n".join(parts)


def _json(found: "list[Delivery]", explained: "list[tuple[str, Explanation]]") -> str:
    verdicts = [
        {"delivery": name, "source": one.source, "verified": explanation.ok, **vars(explanation)}
        | {"remedy": explanation.remedy, "not_kept": one.not_kept}
        for one, (name, explanation) in zip(found, explained, strict=True)
    ]
    return json.dumps({"deliveries": verdicts}, indent=2)


_FORMATS = {"text": _text, "json": _json}
