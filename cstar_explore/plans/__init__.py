"""Plans: changes to a team's webhooks that are reviewed first, then applied step by step, and can be undone.

planner       `plan` and `plan_action`
from_frame    a table of desired webhooks → the changes that are needed
desired       what the table asks for: changes and open questions
question      an open question about the table
change        the change of one webhook, and its result
meaning       whether two spellings of a field mean the same
execution     applies one change: reads, writes, reads back
planned_changes
              `Plan`: reviewed, saved, applied, undone
runner        applies all changes, and keeps what is done
turn          lets one thread at a time apply a plan
rate_limit    whether the rate limit allows it
applied       the result of applying a plan
display       plans as text and HTML
words         what a plan does, for a form
file          plans as files
secrets_file  signing secrets as files

Nothing is changed until a plan is applied.
"""

from .applied import Applied as Applied
from .change import Change as Change
from .change import Outcome as Outcome
from .change import State as State
from .change import Step as Step
from .change import differences as differences
from .change import format_difference as format_difference
from .change import format_value as format_value
from .execution import CONFIRMED as CONFIRMED
from .execution import NO_CHANGE as NO_CHANGE
from .planned_changes import Plan as Plan
from .planner import Action as Action
from .planner import plan as plan
from .planner import plan_action as plan_action
from .question import Question as Question
from .rate_limit import RateLimitWarning as RateLimitWarning
from .secrets_file import write_secrets as write_secrets
from .words import action_of as action_of
from .words import change_note as change_note
from .words import change_words as change_words
from .words import difference_words as difference_words
from .words import plan_summary as plan_summary
