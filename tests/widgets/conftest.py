"""A fixture that opens forms."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import cstar_explore as cx
from tests.support.forms import behind, first
from tests.support.scripted_server import Script, ScriptedServer


@pytest.fixture
def open_form(sandbox: cx.Sandbox) -> Iterator[Callable[..., tuple[ScriptedServer, Any]]]:
    """Opens forms behind a scripted server, see `behind`. Closes them after the test.

    `open_form(make, *writes, key=…, reads=…)` calls `make(client, webhook)` with the sandbox's first webhook, and returns the
    server and the form.
    """
    with contextlib.ExitStack() as stack:

        def open_behind(
            make: Callable[[cx.Client, cx.Webhook], Any], *writes: Script, key: str = "secret", **options: Any
        ) -> tuple[ScriptedServer, Any]:
            server, client = stack.enter_context(behind(sandbox, *writes, key=key, **options))
            form = make(client, first(sandbox, key))
            stack.callback(form.close)
            return server, form

        yield open_behind
