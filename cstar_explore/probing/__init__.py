"""Finds out by experiment how cStar behaves where its pages do not say; `behaviours.json` has the questions.

probe      `probe`: runs the steps, then removes what it created
options    the arguments of `probe`, and which questions can be asked with them
steps      the steps in order, and what each requires
plan       what a probe would do
reading    the questions that GET answers
writing    the questions that need webhooks of the probe's own, or test events
receiving  the questions that need deliveries
session    sends the requests, and removes the probe's own webhooks
journal    the names of these webhooks, in a private file
receiver   the user's listener as a receiver
replies    which responses are cStar's own
answers    an answer and its evidence
result     `ProbeResult`
"""

from .plan import ProbePlan
from .probe import probe
from .result import ProbeResult

__all__ = ["ProbePlan", "ProbeResult", "probe"]
