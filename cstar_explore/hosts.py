"""Loopback hosts, to which http is allowed and proxies are bypassed, and other hosts that a caller allows."""

import ipaddress
import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from .errors import ConfigurationError
from .text import printable, redacted

_NAME = re.compile(r"\w[\w.-]*|[0-9a-f]*:[0-9a-f.]*:[0-9a-f:.]*")  # or an IPv6 address


def is_loopback(host: str) -> bool:
    """Whether the host is `localhost`, in 127.0.0.0/8 or ::1."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_allowed(host: str, hosts: Collection[str]) -> bool:
    """Whether the host is loopback or one of these, which are in lower case."""
    return is_loopback(host.lower()) or host.lower() in hosts


def host_of(url: str) -> str:
    """The host of a URL in lower case; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_allowed_url(url: str, hosts: Collection[str]) -> bool:
    """Whether the URL's host is loopback or one of these, which are in lower case."""
    return is_allowed(host_of(url), hosts)


def is_loopback_url(url: str) -> bool:
    """Whether the URL's host is loopback."""
    return is_allowed_url(url, ())


def host_names(hosts: Iterable[str], argument: str = "allowed_hosts") -> frozenset[str]:
    """The value of an argument for hosts, or for one: in lower case, as `urlsplit` returns them.

    Raises:
        ConfigurationError: One of them is not a host.
    """
    names = [hosts] if isinstance(hosts, str) else list(hosts)
    found = [name.strip().strip("[]").lower() if isinstance(name, str) else "" for name in names]
    for name, given in zip(found, names, strict=True):
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"{argument} has {printable(redacted(repr(given)), 80)}, which is not a host.",
                advice="Pass only the name, such as 'hooks.example.com', without https:// and without a port.",
            )
    return frozenset(found)
