"""Declares the options of commands, and reads secrets from the environment variables that options name."""

import os
import re
from pathlib import Path
from typing import Any

from ..errors import ConfigurationError
from ..secret import ApiKey

_TYPES = {"FILE": Path, "FOLDER": Path, "PORT": int, "SECONDS": float}


def option(parser: Any, spec: str, text: str, **how: Any) -> None:
    """Adds an option with this help: `--name` is a flag, and `--name VALUE` has a value, of a type by `_TYPES`."""
    name, _, value = spec.partition(" ")
    if value:
        how = {"metavar": value, "type": _TYPES.get(value), **how}
    elif "choices" not in how:
        how["action"] = "store_true"
    parser.add_argument(name, help=text, **how)


def secret_in(name: str) -> ApiKey:
    """The secret in an environment variable.

    Raises:
        ConfigurationError: The variable is not set. Its name is shown only if it has the form of one: it may be the secret itself.
    """
    if name in os.environ:
        return ApiKey(os.environ[name])
    shown = f"variable {name}" if re.fullmatch(r"[A-Z_][A-Z0-9_]{0,60}", name) else "variable"
    raise ConfigurationError(
        f"The environment {shown} is not set.",
        advice="Pass the name of a variable that contains the secret, not the secret itself.",
    )
