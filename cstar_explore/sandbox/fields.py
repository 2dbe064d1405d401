"""The fields of a response."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any


def named(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """These fields, with the values of their names in snake_case: `isActive` and `is_active` have the same one."""
    return {name: values[_snake_case(name)] for name in names}


@cache
def _snake_case(name: str) -> str:
    return re.sub("(?=[A-Z])", "_", name).lower()
