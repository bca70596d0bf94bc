"""Decides where a message may go. Pure.

1. A message may go to a public address.
2. It may go to this machine only if the webhook's URL names this machine itself (`LOOPBACK`).
"""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from pdp.address import LOOPBACK

# IANA's special-purpose registries, multicast, and one address in public space at which Azure answers its machines.
_CLOSED = tuple(
    map(
        ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16"),
            *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
        ),
    )
)
_GLOBAL_IPV6 = ip_network("2000::/3")
"""The public IPv6 addresses. Outside are local, mapped, translated and multicast addresses."""


def may_connect(host: str, address: str) -> bool:
    """Whether a message for `host` may go to `address`, which the host's name has at this moment."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.is_loopback if host in LOOPBACK else _is_public(found)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (address.scope_id or address not in _GLOBAL_IPV6):
        return False
    return not any(address in network for network in _CLOSED)
