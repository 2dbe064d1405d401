"""Tables of the package: JSON files beside the modules that read them."""

import json
from pathlib import Path
from typing import Any


def read_table(module: str, name: str = "") -> Any:
    """The table of a module, given by its `__file__`: the file of the same name, or another one in its folder."""
    path = Path(module)
    return json.loads((path.with_name(name) if name else path.with_suffix(".json")).read_text(encoding="utf-8"))
