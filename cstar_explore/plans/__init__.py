"""Plans: changes to a team's webhooks that are reviewed first, then applied step by step, and can be undone.

from_frame    a table of desired webhooks → the changes that are needed
question      what the table leaves open
change        the change of one webhook, and its result
meaning       whether two spellings of a field mean the same
execution     applies one change: reads, writes, reads back
planner       `plan` and `Plan`
applied       the result of applying a plan
display       plans as text and HTML
file          plans as files
secrets_file  signing secrets as files

Nothing is changed until a plan is applied.
"""

from .applied import Applied
from .change import Change, Outcome, State, Step, differences, format_difference, format_value
from .display import counts
from .planner import Action, Plan, RateLimitWarning, plan, plan_action
from .question import Question

__all__ = [
    "Action",
    "Applied",
    "Change",
    "Outcome",
    "Plan",
    "Question",
    "RateLimitWarning",
    "State",
    "Step",
    "counts",
    "differences",
    "format_difference",
    "format_value",
    "plan",
    "plan_action",
]
