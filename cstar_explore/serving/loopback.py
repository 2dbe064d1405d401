"""What counts as this machine. https is not asked for on the way there, and no proxy is."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or its number: `localhost`, 127.0.0.0/8, ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """Whether the URL's host is this machine."""
    try:
        return is_loopback((urlsplit(url).hostname or "").lower())
    except ValueError:
        return False
