"""Receives deliveries inside the kernel.

listener  `Listener`: the public face
app       the ASGI app: read, verify, store, handle, respond
store     every request with its exact bytes
replay    sends stored deliveries again
"""

from .listener import Listener
from .store import Received

__all__ = ["Listener", "Received"]
