"""The likely framework of a receiver, from its responses, and how to get the raw body there."""

import re
from collections.abc import Iterable

from ..packaged import read_table
from .sending import Response

# In the order of how much each says: a pattern for the response's headers and body, the framework, and the raw body there.
_FRAMEWORKS = read_table(__file__, "frameworks.json")

_ANY = (
    "the bytes of the request before anything parses them: request.get_data() in Flask, await request.body() in FastAPI,"
    " request.body in Django, express.raw() in Express, io.ReadAll(r.Body) in Go, php://input in PHP, request.body.read in Rack"
)


def framework(responses: Iterable[Response]) -> tuple[str | None, str]:
    """The likely framework, or None, and what gives the raw body."""
    texts = {each.text for each in responses if each.status is not None}
    for pattern, name, raw_body in _FRAMEWORKS:
        if any(re.search(pattern, text) for text in texts):
            return name, raw_body
    return None, _ANY
