"""An embedded cStar: the webhook API on loopback, inside this process, with false keys and its own data.

Written from the API reference. It shares no encoding or decoding with the client, so a bug in one cannot hide a bug in the
other.

sandbox          `Sandbox`: the public face
app              the API: routes, authentication, idempotency, faults
validation       reads request bodies; error_responses has the bodies of refusals
store            webhooks and idempotent responses; outbox has deliveries and attempts
deliverer        signs, posts and retries deliveries
faults, clock, keys, rate_limit, seeds, timeline
"""

from .sandbox import Sandbox

__all__ = ["Sandbox"]
