"""Plans: changes to a team's webhooks that are reviewed first, then applied step by step, and can be undone.

from_frame  a frame of desired webhooks → the changes that are needed
change      the change of one webhook, and its result
execution   applies one change: reads, writes, reads back
planner     `plan`, `Plan` and `Applied`
file        plans as files

Nothing is changed until a plan is applied.
"""

from .change import Change, Outcome, State, Step, differences, format_difference, format_value
from .planner import Action, Applied, Plan, plan, plan_action

__all__ = [
    "Action",
    "Applied",
    "Change",
    "Outcome",
    "Plan",
    "State",
    "Step",
    "differences",
    "format_difference",
    "format_value",
    "plan",
    "plan_action",
]
