"""From which hosts may outputs be fetched? An allow-list, checked before every request and hop."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from generator.adapters.endpoint import is_loopback
from servicekit.hosts import HostList

DEFAULT = "replicate.delivery,*.replicate.delivery"
_PORTS = {"https": 443, "http": 80}


class DeliveryHosts:
    """The hosts of a HostList; https, or plain http on loopback."""

    def __init__(self, configured: str | Iterable[str] = DEFAULT) -> None:
        """Raises ValueError, naming the entry that can not be read."""
        self._hosts = HostList(configured)

    @property
    def only_loopback(self) -> bool:
        return all(is_loopback(host) for host in self._hosts.hosts)

    def allows(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        default_port = _PORTS.get(parts.scheme)
        if default_port is None or not host or "@" in parts.netloc:
            return False
        if parts.scheme == "http" and not is_loopback(host):
            return False
        ports = self._hosts.ports(host)
        # A port that nobody named could be anything; on this machine it is a test's.
        usual = port in (None, default_port) or is_loopback(host)
        return (port or default_port) in ports or (None in ports and usual)
