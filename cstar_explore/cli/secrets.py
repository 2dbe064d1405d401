"""Reads secrets from the environment variables that options name."""

import os
import re

from ..errors import ConfigurationError
from ..secret import ApiKey


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
