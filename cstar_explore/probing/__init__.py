"""Asks cStar, by experiment, what its pages leave open (`behaviours.py` has the questions).

probe      `probe`, and a run from the first step to the removal of what was created
steps      what is asked, in which order, and what it takes
plan       what a probe would do
reading, writing, firing, receiving
           the questions, by what they take
session    sends the requests, and removes the probe's own webhooks
journal    the names of these webhooks, in a private file
receiver   the user's listener as a receiver
replies    what counts as a reply of cStar's
result     the answers
"""

from .plan import ProbePlan
from .probe import probe
from .result import ProbeResult

__all__ = ["ProbePlan", "ProbeResult", "probe"]
