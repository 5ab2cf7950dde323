"""Is an address one of the public internet? One that hides another is judged by what it hides.

Whoever is called on behalf of somebody else must not be ourselves, our neighbours, or the machine's
own metadata: this says so of an address, not of a name, and is the only place that does.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

from servicekit.hosts import Address, Network

#: All that is handed out of IPv6 to be reached from everywhere.
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Beyond what `is_global` knows in every version of Python.
_NEVER: tuple[Network, ...] = tuple(
    ip_network(each)
    for each in (
        "168.63.129.16/32",  # Azure's host agent: a public address that is each machine's own
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is there
        "192.88.99.0/24",  # relays of 6to4, given up by RFC 7526
        "2001::/23",  # protocol assignments, with Teredo (an IPv4 address within) and ORCHID
        "2001:db8::/32",
        "3fff::/20",  # both for documentation
        "2002::/16",  # 6to4: any IPv4 address within, and nobody has a server there any more
    )
)


def is_public(address: Address) -> bool:
    """Whether *address*, and the IPv4 address within it, is one that the whole world reaches."""
    inner = unmapped(address)
    if isinstance(inner, IPv6Address) and inner in _NAT64 and inner.scope_id is None:
        inner = IPv4Address(int(inner) & 0xFFFF_FFFF)
    if isinstance(inner, IPv6Address) and (inner.scope_id or inner not in _GLOBAL_UNICAST):
        return False
    return (
        inner.is_global
        and not inner.is_multicast
        and not inner.is_reserved
        and not any(inner in network for network in _NEVER)
    )


def unmapped(address: Address) -> Address:
    """The IPv4 address that ::ffff:a.b.c.d is to the kernel; any other as it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
