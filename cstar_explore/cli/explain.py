"""`cstar-explore explain`: why the deliveries in a text do or do not verify. It prints neither the text nor the secrets."""

import argparse
import contextlib
import json
import sys
from dataclasses import replace
from datetime import datetime

from ..deliveries import Delivery
from ..deliveries.model import MAX_BYTES
from ..deliveries.reading import deliveries_in, summary
from ..errors import ConfigurationError, ValidationError
from ..files import read_bytes
from ..secret import ApiKey
from ..signatures import Explanation
from ..signatures.keys import require_secrets
from ..text import printable
from .secrets import secret_in

VERIFIED, NOT_VERIFIED, INVALID = 0, 1, 2

Explained = tuple[Delivery, str, Explanation]


def run(options: argparse.Namespace) -> int:
    """Prints a verdict for each delivery."""
    secrets = [secret_in(name) for name in options.secret_env]
    require_secrets(secrets, allow_masks=True)
    now = None if options.now is None else _time(options.now)
    explained = [_explained(one, secrets, now) for one in deliveries_in(_content(options.file))]
    print(_text(explained) if options.format == "text" else _json(explained))
    return VERIFIED if all(explanation.ok for _, _, explanation in explained) else NOT_VERIFIED


def _time(text: str) -> datetime | float:
    for read in (float, datetime.fromisoformat):
        with contextlib.suppress(ValueError):
            return read(text)
    raise ValidationError(
        f"--now is '{printable(text, 40)}', which is not a time.", advice="Pass Unix seconds or 2026-01-31T12:00:00Z."
    )


def _content(file: str) -> bytes:
    if file != "-":
        if "\n" in file or len(file) > 1_000:
            raise ValidationError("FILE is not the name of a file.", advice="Pass the text to standard input.")
        return read_bytes(file, MAX_BYTES)
    if sys.stdin is None:
        raise ConfigurationError("Standard input is closed.", advice="Pass a file, or pipe the text to the command.")
    if sys.stdin.isatty():
        print("Paste the delivery, then press Ctrl+D on an empty line.", file=sys.stderr)
    try:
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"Standard input cannot be read: {error.strerror}.", advice="Pass a file.") from None


def _explained(one: Delivery, secrets: list[ApiKey], now: datetime | float | None) -> Explained:
    """The delivery with its name and its explanation, without the secrets, which may be in the text too."""
    explanation = one.explain(secrets, now)
    name, evidence = summary(one), explanation.evidence
    for secret in secrets:
        name, evidence = secret.redacted_in(name), secret.redacted_in(evidence)
    return one, name, replace(explanation, evidence=evidence)


def _text(explained: list[Explained]) -> str:
    parts = []
    for number, (one, name, explanation) in enumerate(explained, 1):
        lost = "".join(f"\nnot kept {sentence}" for sentence in one.not_kept)
        parts.append(f"delivery {number}: {name}, from {one.source}\n{explanation!r}{lost}")
    return "\n\n".join(parts)


def _json(explained: list[Explained]) -> str:
    verdicts = [
        {"delivery": name, "source": one.source, "verified": explanation.ok, **vars(explanation)}
        | {"remedy": explanation.remedy, "not_kept": one.not_kept}
        for one, name, explanation in explained
    ]
    return json.dumps({"deliveries": verdicts}, indent=2)
