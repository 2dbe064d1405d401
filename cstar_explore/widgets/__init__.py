"""Forms and views for JupyterLab. Each form makes one call of the client and shows the equivalent line of Python."""

from .deliveries_tab import DeliveriesTab as DeliveriesTab
from .explain_form import ExplainForm as ExplainForm
from .explorer import Explorer as Explorer
from .fire import FireForm as FireForm
from .plan_form import PlanForm as PlanForm
from .probe_form import ProbeForm as ProbeForm
from .webhook_forms import CreateForm as CreateForm
from .webhook_forms import DeleteForm as DeleteForm
from .webhook_forms import EditForm as EditForm
