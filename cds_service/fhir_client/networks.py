"""Which addresses may be connected to. A name on the allow-list could lead anywhere, today or at the next look-up: what
is checked is therefore the address of the very socket that is about to be connected."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str | int, ...]]
LOOPBACK = ("127.0.0.0/8", "::1/128")
_PUBLIC_IPV6 = ip_network("2000::/3")
"""What is outside holds private and reserved networks, and every way of writing an address of IPv4 but one."""
_NOT_PUBLIC = tuple(
    ip_network(one)
    for one in (
        "192.0.0.0/24",  # protocol assignments, and the metadata service of a cloud
        "192.88.99.0/24",  # relays to IPv6
        "168.63.129.16",  # the platform service of a cloud, behind an address that looks public
        "2001::/32",  # Teredo and 6to4: an address of IPv4 inside
        "2002::/16",
        "3fff::/20",  # documentation
    )
)
"""Beside those that ``ipaddress`` knows."""


class AddressRefusedError(OSError):
    """The name leads to an address of a network that is not allowed."""


def checked_sockets(allowed: Iterable[str]) -> Callable[..., socket.socket]:
    """Makes sockets for public addresses, and for those of the networks named."""
    networks = tuple(ip_network(one) for one in allowed)

    def make(info: AddressInfo) -> socket.socket:
        family, kind, protocol, _, address = info
        if not may_connect(str(address[0]), networks):
            raise AddressRefusedError
        return socket.socket(family, kind, protocol)

    return make


def may_connect(address: str, networks: tuple[Network, ...]) -> bool:
    """An address of IPv4 that is written as one of IPv6 counts as what it is."""
    number: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address):
        number = number.ipv4_mapped or number
    if any(number in network for network in networks):
        return True
    if any(number in network for network in _NOT_PUBLIC) or number.is_multicast or not number.is_global:
        return False
    return isinstance(number, IPv4Address) or number in _PUBLIC_IPV6
