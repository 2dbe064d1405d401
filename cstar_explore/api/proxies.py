"""Which proxy leads to an address, by the environment variables that httpx and curl read.

httpx reads them itself, unless it is given a transport. Ours is for a single address, so the decision is made once.
"""

import ipaddress
import os
from importlib.util import find_spec
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import getproxies

import httpcore

from ..errors import ConfigurationError
from ..hosts import is_loopback_url
from ..text import MASK, printable

_SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(url: str) -> httpcore.Proxy | None:
    """The proxy for this URL, or None. A proxy cannot reach loopback, so there is none for it.

    Raises:
        ConfigurationError: The variable that names the proxy cannot be used.
    """
    if is_loopback_url(url):
        return None
    parts, proxies = urlsplit(url), getproxies()
    if any(_is_exempt(parts, entry.strip()) for entry in proxies.get("no", "").split(",")):
        return None
    scheme = next((scheme for scheme in (parts.scheme, "all") if proxies.get(scheme)), None)
    return None if scheme is None else _proxy(_variable(scheme), proxies[scheme])


def _proxy(variable: str, value: str) -> httpcore.Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = parts.port
    except ValueError:
        raise _unusable(variable, value, "it is not a URL") from None
    if parts.scheme not in _SCHEMES:
        raise _unusable(variable, value, f"its scheme is not one of {', '.join(_SCHEMES)}")
    if not parts.hostname:
        raise _unusable(variable, value, "it names no host")
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:  # optional; httpcore uses it
        raise _unusable(variable, value, "a SOCKS proxy needs the package socksio (pip install socksio)")
    default = {"http": 80, "https": 443}.get(parts.scheme, 1080)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    try:
        host = parts.hostname.encode("idna")
    except UnicodeError:
        raise _unusable(variable, value, "its host name is not valid") from None
    address = httpcore.URL(scheme=parts.scheme.encode(), host=host, port=port or default, target=b"/")
    return httpcore.Proxy(address, auth=(user, password) if user or password else None)


def _is_exempt(parts: SplitResult, entry: str) -> bool:
    """Whether an entry of NO_PROXY covers this address: `*`, a name, `.name`, an IP address or range, each with or without a port."""
    host = (parts.hostname or "").rstrip(".").lower()
    if entry == "*":
        return True
    if "://" in entry:
        scheme, _, entry = entry.partition("://")
        if scheme not in ("all", parts.scheme):
            return False
    name, _, port = entry.lower().rpartition(":") if entry.count(":") == 1 else (entry.lower(), "", "")
    if not name or (port and port != str(parts.port or {"http": 80, "https": 443}.get(parts.scheme))):
        return False
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        bare = name.removeprefix("*").removeprefix(".")
        return host.endswith(f".{bare}") or (host == bare and not name.startswith((".", "*.")))


def _variable(scheme: str) -> str:
    """The name as it is set; lower case wins, as for `getproxies`."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), f"the system's {scheme} proxy")


def _unusable(variable: str, value: str, reason: str) -> ConfigurationError:
    head, at, tail = value.rpartition("@")
    scheme, separator, _ = head.rpartition("://")
    shown = f"{scheme}{separator}{MASK}@{tail}" if at else value
    return ConfigurationError(
        f"{variable} is '{printable(shown, 200)}', which cannot be used as a proxy: {reason}.",
        advice=f"Correct or unset {variable}, or add the host to NO_PROXY.",
    )
