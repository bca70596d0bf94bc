"""The proxies before the HTTP face: plaintext beyond loopback comes from them alone, and they say who is behind."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from pdp.http.places import source


class Proxies:
    """The addresses of the proxies, single ones or networks."""

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(network) for network in networks]

    def covers(self, peername: Any) -> bool:
        """Whether a connection, its peer as asyncio has it, is of a proxy."""
        address = _address(str(peername[0])) if peername else None
        return address is not None and self._has(address)

    def source(self, peername: Any, forwarded: Sequence[str]) -> str:
        """Where a request comes from: its peer, or behind proxies the last address of `X-Forwarded-For` that is none.

        What stands further left is anybody's word.
        """
        if not self.covers(peername):
            return source(peername)
        for text in reversed(",".join(forwarded).split(",")):
            address = _address(text.strip())
            if address is None:
                break
            if not self._has(address):
                return source((str(address), 0))
        return source(peername)

    def _has(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
