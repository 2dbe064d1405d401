"""Planned change: what is to be different, reviewed as a frame, carried out step by step, and taken back.

    desired     a frame of what is wanted → the changes that lead there
    change      one webhook's change: what it was, what it shall be
    working     carries one out: looks, writes, and reads back
    planning    all of them, in order: `to_frame`, `apply`, `invert`
    planfile    a plan as a file, so that it outlives the process that applies it

Nothing is changed until a plan is applied.
"""

from .change import Change, Outcome, State, Step, differences, shown, worded
from .planner import Action, Applied, Plan, plan, toward

__all__ = [
    "Action",
    "Applied",
    "Change",
    "Outcome",
    "Plan",
    "State",
    "Step",
    "differences",
    "plan",
    "shown",
    "toward",
    "worded",
]
