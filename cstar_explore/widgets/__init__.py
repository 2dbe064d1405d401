"""Forms and views for JupyterLab. Each form makes one call of the client and shows the equivalent line of Python."""

from .create import CreateForm
from .delete import DeleteForm
from .deliveries_tab import DeliveriesTab
from .edit import EditForm
from .explain_form import ExplainForm
from .explorer import Explorer
from .fire import FireForm
from .plan_form import PlanForm
from .probe_form import ProbeForm

__all__ = [
    "CreateForm",
    "DeleteForm",
    "DeliveriesTab",
    "EditForm",
    "ExplainForm",
    "Explorer",
    "FireForm",
    "PlanForm",
    "ProbeForm",
]
