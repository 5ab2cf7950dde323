"""Which URLs may be posted to on a caller's behalf? What can be said of one without asking the DNS.

    https://hooks.example.com/a      yes
    http://…, 10.0.0.1, port 25      only where the operator's list of hosts says so
Read here once and for all: whoever posts uses the parts as they were judged, so that no second
reader of the same URL can see another host in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from servicekit.addresses import is_public, unmapped
from servicekit.hosts import Address, HostList, address_of

#: Of hosts that are open to posts on purpose.
NONE: Final = HostList("")

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>[/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?",  # neither a fragment nor a backslash
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_USUAL_PORTS = {"https": 443, "http": 80}
#: A line of a POST is a command to some of what listens there; none of them is a receiver of
#: webhooks. FTP, SSH, Telnet, SMTP, DNS, POP, portmap, NetBIOS, IMAP, LDAP, SMB, NFS, databases,
#: RDP, message brokers, caches.
_NOT_HTTP = frozenset(
    {
        20, 21, 22, 23, 25, 53, 110, 111, 135, 137, 138, 139, 143, 389, 445, 465, 587, 636, 993,
        995, 1433, 1521, 2049, 3306, 3389, 5432, 5671, 5672, 6379, 6380, 9042, 11211, 27017,
    }
)  # fmt: skip


class ForbiddenUrl(ValueError):
    """A URL that is not posted to; its message is for whoever gave it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. *host* has no brackets, *path* has the query."""

    scheme: str
    host: str
    port: int
    path: str
    #: The operator has named this host and port: whatever it resolves to may be called.
    named: bool

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _USUAL_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def address(self) -> Address | None:
        """The address in place of a name, if it is one."""
        return address_of(self.host)


def problem(url: str, allowed: HostList = NONE) -> str | None:
    """Why *url* is not posted to; None if nothing speaks against it so far."""
    try:
        target(url, allowed)
    except ForbiddenUrl as error:
        return str(error)
    return None


def target(url: str, allowed: HostList = NONE) -> Target:
    """The parts of *url*. Raises ForbiddenUrl."""
    match = _URL.fullmatch(url)
    if match is None:
        raise ForbiddenUrl(
            "must be an https URL with a host, in ASCII (a name in other letters as xn--…), "
            "without user name, password, fragment or backslash"
        )
    scheme = match["scheme"].lower()
    host = _host(match["host"].lower())
    port = int(match["port"]) if match["port"] else _USUAL_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise ForbiddenUrl("must have a port from 1 to 65535, or none")
    path = match["path"] or "/"
    named = allowed.has(host, port)
    if scheme != "https" and not named:
        raise ForbiddenUrl("must be an https URL")
    if port in _NOT_HTTP and port not in allowed.ports(host):
        raise ForbiddenUrl(f"must not have port {port}, where something else than HTTP is expected")
    found = Target(scheme, host, port, path if path[0] == "/" else f"/{path}", named)
    if found.address is None and not named and "." not in host:
        raise ForbiddenUrl("must have a full name or a public address for a host")
    if found.address is not None and not may_call(found.address, found, allowed):
        raise ForbiddenUrl("must not have a private or reserved address for a host")
    return found


def may_call(address: Address, wanted: Target, allowed: HostList) -> bool:
    """Whether *address*, one of those that the host of *wanted* leads to, may be connected to."""
    opened = wanted.named or allowed.has(str(unmapped(address)), wanted.port)
    return opened or is_public(address)


def _host(text: str) -> str:
    """Without brackets and the last dot. Raises ForbiddenUrl for what is read in several ways."""
    if text.startswith("["):
        address = address_of(text[1:-1])
        if address is None or address.version != 6:
            raise ForbiddenUrl("must have an IPv6 address within the brackets")
        return str(address)
    host = text.removesuffix(".")
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ForbiddenUrl("must have a host that can be a name")
    # Resolvers take 127.1, 0x7f000001 and 2130706433 for addresses; people and filters do not.
    if _NUMBER.fullmatch(labels[-1]) and address_of(host) is None:
        raise ForbiddenUrl("must have an IPv4 address in its usual form, of four decimal numbers")
    return host
