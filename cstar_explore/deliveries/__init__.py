"""Deliveries in the forms in which people have them: pasted text, exports of tools, events of gateways, request objects.

reading         `delivery`: recognizes the form
model           `Delivery`: body and headers, verified and explained
losses          what a form cannot have kept, and what the body may have been
http_text, curl, windows_shells
                text: raw HTTP requests and commands
json_forms      JSON: HAR, exports of tools, events of gateways
request_objects requests of Python frameworks and clients
"""

from .model import Delivery
from .reading import delivery

__all__ = ["Delivery", "delivery"]
