"""Checks webhook receivers: a running one over HTTP, or a Python handler in process.

receiver    `check_receiver`
handlers    `check_handler`
catalogue   the checks, and what is right
signed_requests  the events, and requests with and without correct signatures
sending     requests over connections of its own
checker     runs the checks within limits
effects     what the receiver acted on
judging     the verdict of each check
causes      the faults, each once, by their cause
framework   the likely framework, and how to get the raw body there
result      `ReceiverCheck`
report      HTML and JUnit XML
"""

from .handlers import check_handler
from .receiver import check_receiver
from .result import ReceiverCheck

__all__ = ["ReceiverCheck", "check_handler", "check_receiver"]
