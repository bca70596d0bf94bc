"""Decides where a message may go. Pure.

1. A message may go to a public address.
2. It may go to this machine only if the webhook's URL names this machine itself (`LOOPBACK`).
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The hosts in a URL that mean this machine. Other spellings do not count."""

_LAST_PORT = 65535
"""The largest port number of TCP."""
_URL = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?(?:[/?][!-~]*)?")

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


def host(url: str) -> str:
    """The host of a webhook's URL. Raises `ValueError` that says what is wrong if no message may go to the URL."""
    match = _URL.fullmatch(url)
    if match is None or set(url) & set("#\\@") or int(match[3] or 0) > _LAST_PORT:
        raise ValueError("must look like https://host:port/path: host in lower case, all ASCII, no user, no fragment")
    if match[1] != "https" and match[2] not in LOOPBACK:
        raise ValueError("must begin with https://; http:// goes to localhost, 127.0.0.1 or [::1] only")
    return match[2]


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
