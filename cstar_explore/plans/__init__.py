"""Plans: changes to a team's webhooks that are reviewed first, then applied step by step, and can be undone.

from_frame    a table of desired webhooks → the changes that are needed
question      open questions about the table
change        the change of one webhook, and its result
meaning       whether two spellings of a field mean the same
execution     applies one change: reads, writes, reads back
planner       `plan` and `Plan`
applied       the result of applying a plan
display       plans as text and HTML
words         what a plan does, for a form
file          plans as files
secrets_file  signing secrets as files

Nothing is changed until a plan is applied.
"""

from .applied import Applied
from .change import Change, Outcome, State, Step, differences, format_difference, format_value
from .execution import CONFIRMED, NO_CHANGE
from .planner import Action, Plan, RateLimitWarning, plan, plan_action
from .question import Question
from .secrets_file import write_secrets
from .words import action_of, change_note, change_words, difference_words, plan_summary

__all__ = [
    "CONFIRMED",
    "NO_CHANGE",
    "Action",
    "Applied",
    "Change",
    "Outcome",
    "Plan",
    "Question",
    "RateLimitWarning",
    "State",
    "Step",
    "action_of",
    "change_note",
    "change_words",
    "difference_words",
    "differences",
    "format_difference",
    "format_value",
    "plan",
    "plan_action",
    "plan_summary",
    "write_secrets",
]
