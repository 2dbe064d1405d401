"""Why deliveries do not verify: the texts for each cause, in `causes.json`."""

from collections.abc import Mapping
from typing import Any

from ..packaged import read_table

_TEXTS: Mapping[str, Any] = read_table(__file__)

# What `verify` says.
ERRORS: Mapping[str, str] = _TEXTS["errors"]

# What was undone; completes "The signature matches …".
MATCHES: Mapping[str, str] = _TEXTS["matches"]

# What to do.
REMEDIES: Mapping[str, str] = _TEXTS["remedies"]
