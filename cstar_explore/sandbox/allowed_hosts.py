"""The hosts that deliveries are posted to: loopback, and those that the user allows."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from ..serving.loopback import host_names, is_loopback


class AllowedHosts:
    """Loopback and these hosts.

    Raises:
        ConfigurationError: One of them is not a host.
    """

    def __init__(self, hosts: Iterable[str]) -> None:
        self._hosts = host_names(hosts)

    def __contains__(self, host: str) -> bool:
        return is_loopback(host.lower()) or host.lower() in self._hosts

    def may_post_to(self, url: str) -> bool:
        """Whether a delivery to this URL is posted."""
        try:
            return (urlsplit(url).hostname or "") in self
        except ValueError:
            return False
