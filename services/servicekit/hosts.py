"""Which hosts does a setting name? `host`, `host:port`, `*.suffix`, `10.0.0.0/8`, by commas.

A host that is named by its address, and a network, stand for every name that leads there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    host: str
    port: int | None = None
    suffix: bool = False
    network: Network | None = None

    def names(self, host: str, address: Address | None) -> bool:
        if self.network is not None:
            return address is not None and address in self.network
        return host.endswith(f".{self.host}") if self.suffix else host == self.host


class HostList:
    """The entries of one setting."""

    def __init__(self, configured: str | Iterable[str]) -> None:
        """Raises ValueError, naming the entry that can not be read."""
        given = configured.split(",") if isinstance(configured, str) else configured
        self._entries = tuple(_entry(each.strip().lower()) for each in given if each.strip())

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host of each entry, without its port."""
        return tuple(each.host for each in self._entries)

    def ports(self, host: str) -> frozenset[int | None]:
        """With which ports *host*, a name or an address, is on the list; None: with none said."""
        plain, address = host.lower().rstrip("."), address_of(host)
        return frozenset(each.port for each in self._entries if each.names(plain, address))

    def has(self, host: str, port: int) -> bool:
        """An entry that says no port stands for all of them."""
        return not self.ports(host).isdisjoint((port, None))


def address_of(host: str) -> Address | None:
    """The address that *host* is, in its usual notation; None if it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _entry(text: str) -> _Entry:
    suffix = text.startswith("*.")
    try:
        if network := _network(text):
            return _Entry(text, text.partition("/")[0], network=network)
        parts = urlsplit(f"//{text.removeprefix('*.')}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _unreadable(text) from None
    if not host or "*" in host or parts.path or parts.query or parts.fragment or "@" in text:
        raise _unreadable(text)
    address = None if suffix else address_of(host)
    network = ipaddress.ip_network(address) if address is not None else None
    return _Entry(text, host, port, suffix, network)


def _network(text: str) -> Network | None:
    """Of `10.0.0.0/8`, and of an address that stands alone. Raises ValueError for half a one."""
    if "/" in text:
        return ipaddress.ip_network(text)
    address = address_of(text)
    return None if address is None else ipaddress.ip_network(address)


def _unreadable(text: str) -> ValueError:
    return ValueError(f"expected host, host:port, *.suffix or a network, got {text!r}")
