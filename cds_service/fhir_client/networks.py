"""Which addresses may be connected to. A name on the allow-list could lead anywhere, today or at the next look-up: what
is checked is therefore the address of the very socket that is about to be connected."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[str | int, ...]]
LOOPBACK = ("127.0.0.0/8", "::1/128")
_TRANSLATED = ip_network("64:ff9b::/96")


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
    number = ip_address(address.partition("%")[0])
    if isinstance(number, IPv6Address):
        if number.ipv4_mapped is not None:
            number = number.ipv4_mapped
        elif number.sixtofour is not None or number.teredo is not None or number in _TRANSLATED:
            return False
    return any(number in network for network in networks) or (number.is_global and not number.is_multicast)
