"""An embedded cStar: the webhook API on loopback, inside this process, with fake keys and its own data.

Written from the API reference. It shares no encoding or decoding with the client, so a bug in one cannot hide a bug in the
other.

sandbox          `Sandbox`, the public class
app              the endpoints; middleware and idempotency have what comes before them
validation       parses request bodies; fields, pages and error_responses write responses
store            webhooks and responses to replay; outbox has deliveries and attempts
deliverer        posts and retries deliveries; content has their bodies, headers and signatures
clock            the simulated and the real one
faults, keys, rate_limit, seeds, timeline
"""

from .sandbox import Sandbox

__all__ = ["Sandbox"]
