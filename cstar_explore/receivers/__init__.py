"""Checks webhook receivers: a running receiver over HTTP, or a Python handler in this process.

receiver    `check_receiver`, and the receiver's likely framework
handlers    `check_handler`
catalogue   the checks, from a table: what each sends, and its expected outcome
signed_requests  events, and requests with right and wrong signatures
sending     sends requests over its own connections
checker     runs the checks within time limits
effects     what the receiver acted on
judging     the verdict of each check
causes      the faults of the receiver, each once
result      `ReceiverCheck`
report      HTML and JUnit XML
"""

from .handlers import check_handler
from .receiver import check_receiver
from .result import ReceiverCheck

__all__ = ["ReceiverCheck", "check_handler", "check_receiver"]
