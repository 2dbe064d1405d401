"""`check_receiver`: checks a running receiver over HTTP."""

import re
import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from ..errors import ConfigurationError, ValidationError
from ..hosts import host_names, is_allowed
from ..packaged import read_table
from ..progress import ProgressLog
from ..signatures import keys
from ..text import printable, redacted
from .catalogue import CHECKS, PROBES
from .causes import causes
from .checker import Checker, Progress
from .effects import Acted
from .judging import judged
from .result import ReceiverCheck
from .sending import Response, Sender
from .signed_requests import Maker

_LOG_INTERVAL = 3.0  # seconds between progress lines

# In the order of how much each says: a pattern for the response's headers and body, the framework, and the raw body there.
_FRAMEWORKS = read_table(__file__, "frameworks.json")

_ANY = (
    "the bytes of the request before anything parses them: request.get_data() in Flask, await request.body() in FastAPI,"
    " request.body in Django, express.raw() in Express, io.ReadAll(r.Body) in Go, php://input in PHP, request.body.read in Rack"
)


def check_receiver(
    url: str,
    *,
    secret: keys.SecretLike,
    acted: Acted | None = None,
    allow_host: str | Iterable[str] = (),
    progress: Progress | None = None,
) -> ReceiverCheck:
    """Sends about 100 generated deliveries, right and wrong ones, to a receiver, and names its faults.

    The check of a correct receiver takes less than 2 s, or less than 5 s if it acts after its response; no check takes much longer
    than 2 minutes. Ctrl+C ends the check, and the result contains what is known by then.

    Args:
        url: The receiver's URL: http or https, on this machine or on an allowed host.
        secret: The receiver's signing secret, complete with ``whsec_``.
        acted: Reports the events that the receiver acted on: a function that returns, or a shell command that prints, their IDs,
            one per entry or line, or their total number. An entry may contain more than the ID. Without `acted`, the check cannot
            tell whether the receiver processes duplicates twice.
        allow_host: Other hosts that may receive the deliveries.
        progress: Called with the number of checks made and the total. By default, a line is logged to stderr every 3 s.

    Raises:
        ConfigurationError: The secret is not usable, the host is not allowed, `allow_host` is not a host, or `acted` failed.
        ValidationError: The URL is invalid, or `acted` returns neither IDs nor a number.
    """
    secret = keys.as_secret(secret)
    keys.require_secrets([secret])
    shown = _validated(url, host_names(allow_host, "allow_host"))
    progress = progress or ProgressLog(_LOG_INTERVAL, "{} of {} checks …")
    return run(shown, Checker(Sender(url).send, Maker(secret), acted, progress, CHECKS))


def run(name: str, checker: Checker, *, is_handler: bool = False) -> ReceiverCheck:
    """Runs the checks, judges the outcomes and finds the causes."""
    started = time.monotonic()
    outcomes = judged(checker.run(() if is_handler else PROBES))
    if checker.dead_after is not None:
        outcomes[checker.dead_after] = replace(outcomes[checker.dead_after], verdict="wrong")
    likely, raw_body = _framework(response for each in outcomes.values() for response in each.responses)
    found = causes(outcomes, "" if is_handler else raw_body, checker.dead_after)
    shown = [each for each in outcomes.values() if each.check.group]
    return ReceiverCheck(name, shown, found, likely, checker.interrupted, time.monotonic() - started)


def _framework(responses: Iterable[Response]) -> tuple[str | None, str]:
    """The likely framework, or None, and what gives the raw body."""
    texts = {each.text for each in responses if each.status is not None}
    for pattern, name, raw_body in _FRAMEWORKS:
        if any(re.search(pattern, text) for text in texts):
            return name, raw_body
    return None, _ANY


def _validated(url: str, allowed: Collection[str]) -> str:
    """The URL for display: without its query, which may contain a secret."""
    advice = "Pass the URL that the webhook has, such as http://localhost:8000/hook."
    is_plain = isinstance(url, str) and url.isascii() and url.isprintable() and " " not in url
    try:
        parts = urlsplit(url if is_plain else "")
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValidationError("url must be an http or https URL in ASCII.", advice=advice)
    if "@" in parts.netloc:
        raise ValidationError("url must not contain a user or a password.", advice=advice)
    if not is_allowed(host, allowed):
        raise ConfigurationError(
            f"{printable(host, 200)} is not on this machine, so nothing was sent.",
            advice="If you may send test deliveries there, pass the host as allow_host.",
        )
    query = "?…" if parts.query else ""
    return printable(redacted(f"{parts.scheme}://{parts.netloc}{parts.path}"), 300) + query
