"""Which addresses are this machine's own, and which belong to the public internet."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
_SIX_TO_FOUR = ipaddress.ip_network("2002::/16")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host: ``localhost``, 127.0.0.0/8, ``::1`` (bare or in brackets)."""
    name = host.lower().removeprefix("[").removesuffix("]").removesuffix(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet: not this machine, not a private or reserved network.

    Forms of IPv6 that hide an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) and site-local ones are not
    public: no honest server is found under them.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in _GLOBAL_UNICAST or ip in _SIX_TO_FOUR):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def may_connect(address: str) -> bool:
    """Whether an address that a name resolved to may be connected to.

    As `is_public`; besides, a network without IPv4 shows public IPv4 servers below the NAT64 prefix (RFC 6147).
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)))
    return is_public(address)


def is_literal(host: str) -> bool:
    """Whether a host is written as an address, not as a name."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


async def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a host, in the order to try them. ``OSError`` when there are none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
