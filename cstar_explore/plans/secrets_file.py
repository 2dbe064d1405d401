"""Signing secrets as a new file for its owner only, as dotenv or JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import ConfigurationError
from ..files import write_new_file
from ..secret import Secret
from ..text import printable

_DOTENV_VALUE = re.compile(r"[\x20-\x26\x28-\x5b\x5d-\x7e]+")  # in single quotes, it is the same to every reader


def write_secrets(path: str | Path, secrets: Mapping[str, Secret]) -> None:
    """Writes the secrets of webhooks, by their IDs.

    Raises:
        ConfigurationError: There are none, the name ends in neither `.env` nor `.json`, dotenv cannot hold a secret, or the path
            exists or cannot be written.
    """
    name = Path(path).name.lower()
    if not name.endswith((".json", ".env")):
        raise ConfigurationError(
            f"The file of secrets must end in .env or .json, not '{printable(name, 80)}'.", advice="Choose such a name."
        )
    if not secrets:
        raise ConfigurationError(
            "The plan has no signing secrets: no webhook was created, or the response was lost.",
            advice="plan.steps shows what was done.",
        )
    write_new_file(
        path,
        _json(secrets) if name.endswith(".json") else _dotenv(secrets),
        existing="it may hold secrets that cStar does not return again",
    )


def _json(secrets: Mapping[str, Secret]) -> Secret:
    return Secret(json.dumps({webhook_id: secret.reveal() for webhook_id, secret in secrets.items()}, indent=2) + "\n")


def _dotenv(secrets: Mapping[str, Secret]) -> Secret:
    if not all(_DOTENV_VALUE.fullmatch(secret.reveal()) for secret in secrets.values()):
        raise ConfigurationError(
            "A secret contains a quote, a backslash or a character that dotenv files cannot hold.",
            advice="Choose a name that ends in .json.",
        )
    names = _variables(secrets)
    return Secret("".join(f"{next(names)}='{secret.reveal()}'\n" for secret in secrets.values()))


def _variables(secrets: Mapping[str, Secret]) -> Iterator[str]:
    """A name for each secret: `CSTAR_SECRET_` and the ID, with a number where two would be the same."""
    taken: dict[str, int] = {}
    for webhook_id in secrets:
        name = f"CSTAR_SECRET_{re.sub(r'[^A-Z0-9]', '_', webhook_id.upper())}"
        taken[name] = taken.get(name, 0) + 1
        yield name if taken[name] == 1 else f"{name}__{taken[name]}"
