"""The hosts that deliveries are posted to: loopback, and those that the user allows."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..serving.loopback import is_loopback
from ..text import printable


class AllowedHosts:
    """Loopback and these hosts.

    Args:
        hosts: Names or addresses, without scheme and port.

    Raises:
        ConfigurationError: One of them is not a host.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = frozenset(_checked(host) for host in ([hosts] if isinstance(hosts, str) else hosts))

    def __contains__(self, host: str) -> bool:
        return is_loopback(host.lower()) or host.lower() in self._hosts

    def may_post_to(self, url: str) -> bool:
        """Whether a delivery to this URL is posted."""
        try:
            return (urlsplit(url).hostname or "") in self
        except ValueError:
            return False


def _checked(host: object) -> str:
    """The host in lower case, as `urlsplit` returns it."""
    if isinstance(host, str):
        name = host.strip().lower().removeprefix("[").removesuffix("]")
        try:
            parsed = urlsplit(f"//[{name}]" if ":" in name else f"//{name}").hostname
        except ValueError:
            parsed = None
        if parsed and parsed == name:
            return name
    raise ConfigurationError(
        f"allowed_hosts needs host names such as 'receiver', not {printable(repr(host), 80)}.",
        advice="Leave out scheme, port and path.",
    )
