"""What counts as this machine. https is not asked for on the way there, and no proxy is."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether the host is this machine, by its name or its number: `localhost`, 127.0.0.0/8, ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
