# The public names: what type checkers see, `__all__` lists, and `__init__.py` loads on first use.

from . import errors as errors
from . import events as events
from .api.client import Client as Client
from .api.environment import connect as connect
from .audits import Accounts as Accounts
from .audits import Audit as Audit
from .audits import audit as audit
from .audits import audit_rules as audit_rules
from .audits import compare as compare
from .deliveries import delivery as delivery
from .errors import CStarError as CStarError
from .listener import Listener as Listener
from .models import FiredEvent as FiredEvent
from .models import Webhook as Webhook
from .models import WebhookList as WebhookList
from .plans import Plan as Plan
from .plans import plan as plan
from .probing import ProbePlan as ProbePlan
from .probing import ProbeResult as ProbeResult
from .probing import probe as probe
from .receivers import ReceiverCheck as ReceiverCheck
from .receivers import check_handler as check_handler
from .receivers import check_receiver as check_receiver
from .recordings import Recording as Recording
from .sandbox import Sandbox as Sandbox
from .secret import Secret as Secret
from .signatures import explain as explain
from .signatures import sign as sign
from .signatures import verify as verify
from .widgets import CreateForm as CreateForm
from .widgets import DeleteForm as DeleteForm
from .widgets import EditForm as EditForm
from .widgets import ExplainForm as ExplainForm
from .widgets import Explorer as Explorer
from .widgets import FireForm as FireForm
from .widgets import PlanForm as PlanForm
from .widgets import ProbeForm as ProbeForm

__version__: str
