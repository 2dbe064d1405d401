"""Explore, create, edit, test-fire, receive and audit cStar webhooks in JupyterLab.

    import cstar_explore as cx

    sandbox = cx.Sandbox()                # a local cStar, running at once
    client = sandbox.client()             # or cx.connect() for cStar itself
    client.webhooks.list().to_frame()

`__init__.pyi` lists the public names. Each is loaded when it is first used, so importing the package takes almost no time.
"""

import sys
from typing import Any

import lazy_loader

from ._version import VERSION

__version__ = VERSION
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def _display_listeners_as_widgets() -> None:
    """Tells IPython how to display a `Listener`. The package `widgets` depends on listeners, not the other way round."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is not None:
        formatters, listener = shell.display_formatter, ("cstar_explore.listener.listener", "Listener")
        formatters.mimebundle_formatter.for_type_by_name(*listener, lambda one: _view(one)._repr_mimebundle_())
        formatters.ipython_display_formatter.for_type_by_name(*listener, lambda one: _view(one)._ipython_display_())


def _view(listener: Any) -> Any:
    from .widgets import DeliveriesTab

    return DeliveriesTab.of(listener)


_display_listeners_as_widgets()
