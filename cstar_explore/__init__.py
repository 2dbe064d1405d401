"""Explore, create, edit, test-fire, receive and audit cStar webhooks in JupyterLab.

    import cstar_explore as cx

    box = cx.Sandbox()                    # a cStar inside this process, running at once
    client = box.client()                 # or cx.connect() for cStar itself
    client.webhooks.list().to_frame()

Each name is loaded when it is first used, so that the import itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, events
    from .auditing import Accounts, Audit, audit, audit_rules, compare
    from .changes import Plan, plan
    from .client import Client
    from .connecting import connect
    from .errors import CStarError
    from .explaining import explain
    from .listener import Listener
    from .models import FiredEvent, Webhook, WebhookList
    from .sandbox import Sandbox
    from .secret import Secret
    from .signing import sign, verify
    from .widgets import CreateForm, DeleteForm, EditForm, Explorer, FireForm, PlanForm

__version__ = "0.1.0"  # the one place: the build reads it here

__all__ = [
    "Accounts",
    "Audit",
    "CStarError",
    "Client",
    "CreateForm",
    "DeleteForm",
    "EditForm",
    "Explorer",
    "FireForm",
    "FiredEvent",
    "Listener",
    "Plan",
    "PlanForm",
    "Sandbox",
    "Secret",
    "Webhook",
    "WebhookList",
    "audit",
    "audit_rules",
    "compare",
    "connect",
    "errors",
    "events",
    "explain",
    "plan",
    "sign",
    "verify",
]

_ROOMS = {
    "Accounts": "auditing",
    "Audit": "auditing",
    "CStarError": "errors",
    "Client": "client",
    "CreateForm": "widgets",
    "DeleteForm": "widgets",
    "EditForm": "widgets",
    "Explorer": "widgets",
    "FireForm": "widgets",
    "FiredEvent": "models",
    "Listener": "listener",
    "Plan": "changes",
    "PlanForm": "widgets",
    "Sandbox": "sandbox",
    "Secret": "secret",
    "Webhook": "models",
    "WebhookList": "models",
    "audit": "auditing",
    "audit_rules": "auditing",
    "compare": "auditing",
    "connect": "connecting",
    "explain": "explaining",
    "plan": "changes",
    "sign": "signing",
    "verify": "signing",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        value = getattr(import_module(f".{_ROOMS[name]}", __name__), name)
    elif name in __all__:
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
