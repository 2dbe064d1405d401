"""Receives deliveries inside the kernel.

listener  `Listener`: the public class
app       the ASGI app: reads, verifies, stores, handles, responds
store     stores each request with its exact bytes
lost      finds the events that never got through
replay    sends stored deliveries again
"""

from .listener import Listener
from .store import Received

__all__ = ["Listener", "Received"]
