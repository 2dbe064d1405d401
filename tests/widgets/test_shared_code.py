"""The stylesheet and the scripts are stored once for all widgets, not in each of them."""

import base64
import gzip
import json
import re
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from ipywidgets.embed import dependency_state
from ipywidgets.widgets import widget as registry

import cstar_explore as cx
from cstar_explore.widgets import shared_code
from cstar_explore.widgets.inputs import StatusLine
from tests.support.forms import alive, in_loop


def sent_bytes(widget: Any) -> int:
    """The size of all that the kernel sends for a widget and those below it."""
    return len(json.dumps(dependency_state(widget, drop_defaults=False)).encode())


@in_loop
async def test_an_explorer_of_300_webhooks_sends_less_than_45_kb(sandbox: cx.Sandbox) -> None:
    """With its stylesheet and scripts, which every widget shares. With each tab and form opened, less than 69 kB."""
    client = sandbox.client()
    for number in range(300):
        client.webhooks.create(name=f"Hook {number}", url=f"https://{number}.example.com/", events="ticket.created")
    explorer = cx.Explorer(client, sandbox.listener())
    await explorer.refresh()
    assert 20_000 < sent_bytes(explorer.widget) < 45_000
    explorer.table.select([explorer.webhooks[0].id])
    for place in ("Create", "Deliveries", "Audit", "Edit", "Fire"):
        explorer.open(place)
    assert explorer.audit is not None
    await explorer.audit.audit()
    await explorer.audit.plan_fixes()
    assert sent_bytes(explorer.widget) < 69_000
    explorer.close()


def test_a_second_form_adds_neither_stylesheet_nor_scripts(client: cx.Client) -> None:
    """All widgets refer to the same model."""
    first, second = cx.CreateForm(client), cx.CreateForm(client)
    together = ipywidgets.VBox([first.widget, second.widget])
    alone, both = sent_bytes(first.widget), sent_bytes(together)
    assert both < alone + 12_000
    assert alone < 60_000
    assert 1 == sum(isinstance(registry._instances[name], shared_code.SharedCode) for name in alive())
    together.children = ()
    for part in (first, second, together.layout, together):
        part.close()


def test_the_model_closes_with_its_last_widget() -> None:
    """And is created again when it is needed, also after `Widget.close_all()`."""
    ipywidgets.Widget.close_all()  # what other tests left open
    before = alive()
    one, two = StatusLine(), StatusLine()
    one.close()
    assert two._shared.comm is not None
    two.close()
    two.close()
    assert alive() == before
    three = StatusLine()
    three._shared.close()
    four = StatusLine()
    assert four._shared.comm is not None
    three.close()
    four.close()
    assert alive() == before


@pytest.mark.parametrize("name", sorted(file.name for file in shared_code._STATIC.glob("*.js")))
def test_every_script_is_packed(name: str) -> None:
    """Unchanged but for its export, comments and indentation. It imports nothing but shared functions, which are packed once."""
    packed = gzip.decompress(base64.b64decode(shared_code._packed())).decode()
    source = shared_code._read(name)
    if name == "shared.js":
        assert 1 == packed.count(source)
    elif name != "loader.js":
        body = shared_code._body(name)
        assert f"{name.removesuffix('.js')}: (() => {{\n{body}}})()" in packed
        assert not re.search(r"^import|^export", body, re.MULTILINE)
        assert "function element(" not in body


def test_each_of_jupyterlabs_variables_has_a_fallback() -> None:
    """A page elsewhere, such as a dark one in VS Code, does not have them."""
    package = Path(cx.__file__).parent
    code = {
        path: path.read_text(encoding="utf-8") for path in package.rglob("*.*") if path.suffix in {".css", ".js", ".py"}
    }

    assert len(code) > 100
    assert [] == [path.name for path, text in code.items() if re.search(r"var\(--jp-[\w-]+\)", text)]
