"""What each call sends and how each answer is read. No I/O happens here.

    checks     what a user gives, before it goes out
    requests   the calls, inert: they can be shown, turned into a `curl` line, and sent by a client
    answers    bytes and headers, turned into a value or into the error that belongs to them

Source of paths, bodies and envelopes: cStar's webhook API reference. `whoami` is from the SDK's start page, pagination
from the pages on tickets and on the SDK's lists; where pages disagree, each of their forms is read.
"""

from .answers import Answer, Page, date_of, error_in, refuse_redirect, seconds_to_wait
from .checks import checked_base_url, checked_name, checked_url, segment
from .requests import Request, WebhookRequests, read, whoami

__all__ = [
    "Answer",
    "Page",
    "Request",
    "WebhookRequests",
    "checked_base_url",
    "checked_name",
    "checked_url",
    "date_of",
    "error_in",
    "read",
    "refuse_redirect",
    "seconds_to_wait",
    "segment",
    "whoami",
]
