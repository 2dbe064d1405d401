"""Reads deliveries from pasted text, tools' exports, gateways' events and request objects.

reading         `delivery`: recognizes the form
model           `Delivery`: body and headers, with `verify` and `explain`
losses          what a form does not preserve, and what the body may have been
http_text       raw HTTP requests
curl            curl commands
command_prompt  the quoting of the Windows command prompt
powershell      PowerShell commands
tokens          splits commands into tokens
json_forms      HAR, tools' exports and gateways' events
csv_exports     webhook.site's CSV
request_objects requests of Python frameworks and clients
"""

from .model import Delivery
from .reading import delivery

__all__ = ["Delivery", "delivery"]
