"""Delivery URLs in their parts, and where they lead.

Nothing is looked up: a name that resolves to a private address is not found here.
"""

import ipaddress
import re
import socket
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

_STANDARD_PORTS = {"http": 80, "https": 443}


class Address(NamedTuple):
    """A URL in its parts; `host` is lower-case, without a dot at the end, with its letters and not as punycode.

    `port` is None where none is written.
    """

    parts: SplitResult
    scheme: str
    host: str
    port: int | None

    @property
    def same(self) -> tuple[str, ...]:
        """What two URLs have in common that are the same URL in two spellings; the fragment is never sent."""
        scheme, parts = self.scheme, self.parts
        return (scheme, self.host, str(self.port or _STANDARD_PORTS[scheme]), parts.path or "/", parts.query)

    @property
    def receiver(self) -> tuple[str, ...]:
        """What two URLs have in common that reach the same receiver: as `same`, but for query and closing slash."""
        return (*self.same[:3], self.parts.path.rstrip("/"))


@lru_cache(maxsize=50_000)
def address_in(url: str | None) -> Address | None:
    """The URL's parts; None for what is no http or https URL with a host."""
    try:
        parts = urlsplit((url or "").strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _STANDARD_PORTS or not host or any(character.isspace() for character in host):
        return None
    return Address(parts, scheme, host, port)


def _host(name: str) -> str:
    folded = unicodedata.normalize("NFKC", re.sub("[。．｡]", ".", name)).lower().rstrip(".")  # noqa: RUF001 - the dots of IDNA
    return ".".join(_letters(label) for label in folded.split("."))


def _letters(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, IndexError):
        return label


# Services that pass requests on to somebody's own machine, and services that show requests to whoever has the address.
TUNNELS = (
    "ngrok.io",
    "ngrok.app",
    "ngrok.dev",
    "ngrok-free.app",
    "ngrok-free.dev",
    "loca.lt",
    "localtunnel.me",
    "trycloudflare.com",
    "serveo.net",
    "lhr.life",
    "localhost.run",
    "pagekite.me",
    "bore.pub",
    "devtunnels.ms",
    "app.github.dev",
    "gitpod.io",
)
BINS = (
    "webhook.site",
    "requestbin.com",
    "requestbin.net",
    "hookbin.com",
    "beeceptor.com",
    "mockbin.org",
    "requestcatcher.com",
    "smee.io",
    "httpbin.org",
    "postb.in",
    "webhook.cool",
    "play.svix.com",
    "x.pipedream.net",
)

_INSIDE = ("localhost", "local", "internal", "lan", "home.arpa", "intranet", "corp", "home")


@lru_cache(maxsize=50_000)
def belongs_to(host: str, domains: tuple[str, ...]) -> str | None:
    """The domain of these that the host is, or is a subdomain of; `*.` before a domain asks for a subdomain."""
    return next(
        (
            domain
            for domain in domains
            if host.endswith(f".{domain.removeprefix('*.')}") or (host == domain and not domain.startswith("*."))
        ),
        None,
    )


@lru_cache(maxsize=50_000)
def inside(host: str) -> str | None:
    """What kind of address it is, if it is one that cStar's servers cannot, or must not, reach; None for a public one."""
    number = _ip(host)
    if number is None:
        if host == "localhost" or host.endswith(".localhost"):
            return "this machine"
        if belongs_to(host, _INSIDE):
            return "a name of some private network"
        return None if "." in host else "a name without a domain"
    if number.is_loopback:
        return "this machine"
    if number.is_link_local:
        return "a link-local address, as of a cloud's metadata service"
    return None if number.is_global and not number.is_multicast else "a private or reserved address"


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The number that a host is, in any of the spellings that systems take: `::1`, `10.1`, `0x7f.1`, `2130706433`."""
    try:
        number = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        if not re.fullmatch(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}", host, re.ASCII):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    if isinstance(number, ipaddress.IPv6Address):
        teredo = number.teredo and number.teredo[1]
        nat64 = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF) if number in _NAT64 else None
        return number.ipv4_mapped or number.sixtofour or teredo or nat64 or number
    return number


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
