"""What a delivery URL gives away: where it leads, what it looks like, and which parts of it are secrets.

Nothing is looked up: a name that resolves to a private address is not found here.
"""

import hashlib
import ipaddress
import re
import socket
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote_plus, urlsplit

from ..text import MASK, redacted

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


# --- where it leads -----------------------------------------------------------------------------------------------------

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

# --- what it looks like -------------------------------------------------------------------------------------------------

# Letters of other alphabets that look like ours. Accents are taken off beforehand.
_ALIKE = str.maketrans(
    "абвгԁеһіјкӏмлнорԛѕтухԝьсυαβεικνορτχωɑɡıƖǀøđłħ",
    "abbrdehijklmnhopqstyxwbcuabeikvoptxwagillodlh",
)
_ASCII_ALIKE = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"))


@lru_cache(maxsize=50_000)
def in_our_letters(host: str) -> str:
    """The host as somebody reads it who knows only a to z."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", host) if not unicodedata.combining(letter))
    return plain.translate(_ALIKE)


def registrable(host: str) -> str:
    """The part of a name that somebody registered: the last two labels, or three as in `example.co.uk`."""
    labels = host.split(".")
    three = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return ".".join(labels[-3 if three else -2 :])


@lru_cache(maxsize=50_000)
def silhouette(host: str) -> str:
    """The registrable part, with one letter for all that are told apart with difficulty: 0 and o, 1, l and i, rn and m."""
    seen = registrable(in_our_letters(host))
    for letters, letter in _ASCII_ALIKE:
        seen = seen.replace(letters, letter)
    return seen


# --- what is secret in it -----------------------------------------------------------------------------------------------

_TELLING_NAMES = re.compile(
    r"(^|[_.-])(token|secret|password|passwd|pwd|pass|sig|signature|auth|authorization|credentials?|jwt|bearer)($|[_.-])"
    r"|(^|[_.-])(api|access|private|app|client|shared|auth|secret|webhook)?[_.-]?(key|token|secret|code)$",
    re.IGNORECASE,
)
_TELLING_VALUES = re.compile(
    r"[sp]k_(?:live|test)_\w+|whsec_\w+|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{8,}|AKIA[0-9A-Z]{12,}"
    r"|AIza[\w-]{20,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|shp(?:at|ss)_\w{16,}|(?<![\w-])SG\.[\w-]{16,}\.[\w-]+"
)
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")


def credentials_in(url: str | None) -> str | None:
    """What in a URL is a credential, in words that do not show it."""
    address = address_in(url)
    if address is None:
        return None
    if "@" in address.parts.netloc:
        return "a user name or password before the host"
    for name, value in parse_qsl(address.parts.query):
        if _is_telling(name):
            return f"the query parameter '{name}'"
        if _TELLING_VALUES.search(value):
            return f"a value that looks like a key, in the query parameter '{name}'"
    if _TELLING_VALUES.search(url or ""):
        return "something that looks like a key"
    return None


def _is_telling(name: str) -> bool:
    """Whether a query parameter's name says that its value is secret; `apiKey` is read as `api_key`."""
    return bool(_TELLING_NAMES.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)))


@lru_cache(maxsize=50_000)
def shown_url(url: str | None) -> str:
    """The URL without what is secret in it: passwords, telling parameters, and path segments that look random."""
    if url is None:
        return ""
    address = address_in(url)
    if address is None:
        # Whatever it is, what stands before an @ or behind a question mark is not shown.
        shown = re.sub(r"[^/]*@", f"{MASK}@", re.sub(r"[?#].*", f"?{MASK}", url, flags=re.DOTALL))
        return without_keys(_without_random(shown))
    parts = address.parts
    netloc = f"{MASK}@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    query = "&".join(map(_shown_pair, parts.query.split("&"))) if parts.query else ""
    fragment = MASK if parts.fragment else ""
    path = _without_random(parts.path)
    return without_keys(parts._replace(netloc=netloc, path=path, query=query, fragment=fragment).geturl())


def _shown_pair(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not equals:
        return _without_random(pair)
    secret = _is_telling(unquote_plus(name)) or _TELLING_VALUES.search(unquote_plus(value))
    return f"{name}={MASK if secret and value else _without_random(value)}"


def without_keys(text: str) -> str:
    """A host, a name or any other text, with a mask in place of all that looks like a key."""
    return redacted(_TELLING_VALUES.sub(MASK, text))


def _without_random(text: str) -> str:
    """The text without what nobody chose by hand: the capability that Slack, Discord and their like put into a path."""

    def shown(found: re.Match[str]) -> str:
        letters, digits = (any(map(kind, found[0])) for kind in (str.isalpha, str.isdigit))
        return MASK if letters and digits else found[0]

    return _LONG.sub(shown, text)


def fingerprint(url: str) -> str:
    """Four hexadecimal digits of a digest: enough to see that a secret part changed, too few to guess it from."""
    return hashlib.sha256(url.encode("utf-8", "backslashreplace")).hexdigest()[:4]
