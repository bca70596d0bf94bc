"""Who is at the other end of this process's connections, by their descriptors, which gRPC opened and does not show.

The calls of the system do not wait, so they keep Python's lock (`PyDLL`): to get it back 20,000 times would take long.
"""

import ctypes
import os
import socket
import sys
from collections.abc import Callable, Collection
from contextlib import suppress
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple
from urllib.parse import unquote

from pdp.server.doors import FOURTH, SIXTH, Source

_MAPPED = bytes(10) + b"\xff\xff"
"""What is before an IPv4 address in the form of an IPv6 one."""
_ADDRESS_BYTES = 128
"""Bytes of the system's largest address of a socket."""


class Peer(NamedTuple):
    """The other end of a connection: bytes of its IP address, 4 or 16, and its port."""

    address: bytes
    port: int

    @property
    def source(self) -> Source:
        """What all connections of one customer have in common."""
        return self.address[:SIXTH]


def peer(named: str) -> Peer | None:
    """The peer that gRPC names so, as in "ipv4:127.0.0.1:4711"; None where it is not an IP address."""
    host, _, port = unquote(named).partition(":")[2].rpartition(":")
    try:
        return Peer(_packed(ip_address(host.strip("[]")).packed), int(port))
    except ValueError:
        return None


def named(source: Source) -> str:
    """A source as people write it: an IPv4 address, or a network of IPv6."""
    return str(ip_address(source)) if len(source) == FOURTH else f"{IPv6Address(source + bytes(SIXTH))}/64"


def peers(ports: Collection[int]) -> dict[Peer, int]:
    """The descriptors of the connections to these ports of ours."""
    own, other, found = _End("getsockname"), _End("getpeername"), {}
    for number in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208  # a Path for each takes longer than the rest
        here = own.of(number)
        at = other.of(number) if here is not None and here.port in ports else None
        if at is not None:
            found[at] = number
    return found


def cut(number: int, at: Peer) -> None:
    """End the connection of a descriptor, unless that has another peer by now."""
    with suppress(OSError), socket.socket(fileno=os.dup(number)) as copy:
        if _End("getpeername").of(copy.fileno()) == at:
            copy.shutdown(socket.SHUT_RDWR)


class _End:
    """Asks the system for one end of connections over IP."""

    def __init__(self, call: str) -> None:
        self._call: Callable[..., int] = getattr(ctypes.PyDLL(None), call)
        self._room, self._size = ctypes.create_string_buffer(_ADDRESS_BYTES), ctypes.c_int()
        self._to = ctypes.byref(self._size)

    def of(self, number: int) -> Peer | None:
        """The end of this descriptor's connection; None where there is none over IP."""
        self._size.value = _ADDRESS_BYTES
        if self._call(number, self._room, self._to):
            return None
        said = self._room.raw
        match int.from_bytes(said[:2], sys.byteorder):
            case socket.AF_INET:
                return Peer(said[4:8], int.from_bytes(said[2:4]))
            case socket.AF_INET6:
                return Peer(_packed(said[8:24]), int.from_bytes(said[2:4]))
        return None


def _packed(address: bytes) -> bytes:
    """An address in the form in which its packets have it."""
    return address.removeprefix(_MAPPED)
