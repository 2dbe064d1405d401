"""Parses delivery URLs and classifies their hosts.

Host names are not resolved: one that resolves to a private address is not detected.
"""

import ipaddress
import re
import socket
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from ..packaged import read_table

# Domains by kind. A tunnel forwards requests to a developer's machine; a request bin shows them to all who know the URL; and
# where hosts are named by a secret, the name before the domain is the credential.
HOSTS: dict[str, tuple[str, ...]] = {kind: tuple(names) for kind, names in read_table(__file__, "hosts.json").items()}

_STANDARD_PORTS = {"http": 80, "https": 443}


class DeliveryUrl(NamedTuple):
    """A parsed http or https URL.

    Attributes:
        host: In lower case, without a trailing dot, decoded from punycode.
        port: None if the URL does not contain one.
    """

    parts: SplitResult
    host: str
    port: int | None

    @property
    def normalized(self) -> tuple[str, ...]:
        """Equal for two spellings of the same receiver, which is the whole URL: a query or a user may name a tenant.

        The fragment does not count: it is never sent.
        """
        parts, port = self.parts, self.port or _STANDARD_PORTS[self.parts.scheme]
        user = parts.netloc.rpartition("@")[0]
        return (parts.scheme, user, self.host, str(port), parts.path or "/", parts.query)


@lru_cache(maxsize=50_000)
def parse_url(url: str | None) -> DeliveryUrl | None:
    """Parses the URL. Returns None unless it is an http or https URL with a host."""
    try:
        parts = urlsplit((url or "").strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if parts.scheme not in _STANDARD_PORTS or not host or any(character.isspace() for character in host):
        return None
    return DeliveryUrl(parts, host, port)


def _host(name: str) -> str:
    folded = unicodedata.normalize("NFKC", re.sub("[。．｡]", ".", name)).lower().rstrip(".")  # noqa: RUF001 - the dots that IDNA accepts
    return ".".join(_decoded(label) for label in folded.split("."))


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, IndexError):
        return label


LOOPBACK = "a loopback address"


@lru_cache(maxsize=50_000)
def matching_domain(host: str, domains: tuple[str, ...]) -> str | None:
    """The first of the domains that the host equals or is a subdomain of. `*.` before a domain matches subdomains only."""
    for domain in domains:
        if host == domain or host.endswith(f".{domain.removeprefix('*.')}"):
            return domain
    return None


@lru_cache(maxsize=50_000)
def private_kind(host: str) -> str | None:
    """The kind of a host that cStar's servers cannot or must not reach; None for a public host."""
    address = _ip_address(host)
    if address is None:
        if host == "localhost" or host.endswith(".localhost"):
            return LOOPBACK
        if matching_domain(host, HOSTS["private"]):
            return "a name in a private network"
        return None if "." in host else "a name without a domain"
    if address.is_loopback:
        return LOOPBACK
    if address.is_link_local:
        return "a link-local address, such as a cloud metadata service"
    return None if address.is_global and not address.is_multicast else "a private or reserved address"


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The IP address in any spelling that resolvers accept: `::1`, `10.1`, `0x7f.1`, `2130706433`. None for a name."""
    try:
        address = ipaddress.ip_address(host.split("%", maxsplit=1)[0])
    except ValueError:
        if not re.fullmatch(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}", host, re.ASCII):
            return None
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo and address.teredo[1]
        nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
        return address.ipv4_mapped or address.sixtofour or teredo or nat64 or address
    return address


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
