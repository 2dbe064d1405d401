"""Loopback hosts: http is allowed to them, and proxies are bypassed."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether the host is `localhost`, in 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str) -> bool:
    """Whether the URL's host is loopback."""
    try:
        return is_loopback((urlsplit(url).hostname or "").lower())
    except ValueError:
        return False
