"""The sockets that listen, and the kernel's filter on them, which drops the first packets of connections.

1. A packet is judged by its source: an IPv4 address, or the first 64 bits of an IPv6 address, which one customer has.
2. Who is dropped tries again after a second, so it waits and costs this process nothing.
"""

import ctypes
import logging
import os
import socket
import stat
import struct
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

Source = bytes
"""The bytes of an IPv4 address, or the first bytes of an IPv6 address."""
FOURTH, SIXTH = 4, 8
"""Bytes of the source of packets of IPv4 and IPv6: the latter is a /64, because one customer has at least that."""
BACKLOG = 64
"""Connections that the kernel has ready before this process takes them. So many come in after it was told to wait."""
NAMED = 256
"""Sources that one list of a filter names at most. The kernel grants a socket 20 KiB for its filter, or more."""

_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux, which the module socket does not name."""
_NETWORK = 0xFFF00000
"""SKF_NET_OFF: offsets from here on count from the header of IP."""
_LOAD_BYTE, _LOAD, _LOAD_KEPT, _KEEP = 0x30, 0x20, 0x60, 0x02
_SHIFT_RIGHT, _SKIP, _SKIP_UNLESS, _RETURN = 0x74, 0x05, 0x15, 0x06
"""Instructions of the kernel's filters (BPF)."""

_Instruction = tuple[int, int, int, int]
_DROP, _KEEP_ALL = (_RETURN, 0, 0, 0), (_RETURN, 0, 0, 0xFFFFFFFF)


class Doors:
    """The listening sockets of this process at some ports; none where the system does not list them."""

    def __init__(self, ports: Collection[int]) -> None:
        self._sockets = _listening(ports)
        for one in self._sockets:
            one.listen(BACKLOG)

    def __bool__(self) -> bool:
        return bool(self._sockets)

    def open(self) -> None:
        """Let everybody in."""
        self._turn(_DETACH, struct.pack("i", 0))

    def shut(self) -> None:
        """Let nobody in."""
        self._filter([_DROP])

    def shut_to(self, sources: Iterable[Source]) -> None:
        """Let everybody in but these, of whom the first `NAMED` count."""
        self._filter(_program(sources, _DROP, _KEEP_ALL))

    def open_to(self, sources: Iterable[Source]) -> None:
        """Let nobody in but these, of whom the first `NAMED` count."""
        self._filter(_program(sources, _KEEP_ALL, _DROP))

    def close(self) -> None:
        """Give the sockets up, which stay as they are."""
        for one in self._sockets:
            one.close()
        self._sockets = []

    def _filter(self, program: list[_Instruction]) -> None:
        code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in program))
        if not self._turn(_ATTACH, struct.pack("HP", len(program), ctypes.addressof(code))):
            log.warning("newcomers cannot be held back: the system takes no filter of %d steps", len(program))
            if len(program) > 1:
                self.shut()

    def _turn(self, option: int, value: bytes) -> bool:
        try:
            for one in self._sockets:
                one.setsockopt(socket.SOL_SOCKET, option, value)
        except OSError:
            return option == _DETACH
        return True


def end(ports: Collection[int]) -> None:
    """Accept no connection from now on. Those that are there stay; those that wait to be accepted are reset."""
    for one in _listening(ports):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RD)
        one.close()


def _program(sources: Iterable[Source], listed: _Instruction, others: _Instruction) -> list[_Instruction]:
    """A filter that gives listed sources one answer and all others another."""
    some = [source for source, _ in zip(sources, range(NAMED), strict=False)]
    fourth = [step for source in some if len(source) == FOURTH for step in _if_fourth(source, listed)]
    sixth = [step for source in some if len(source) == SIXTH for step in _if_sixth(source, listed)]
    fourth = [(_LOAD, 0, 0, _NETWORK + 12), *fourth, others]
    sixth = [(_LOAD, 0, 0, _NETWORK + 8), (_KEEP, 0, 0, 0), (_LOAD, 0, 0, _NETWORK + 12), (_KEEP, 0, 0, 1), *sixth]
    version = [(_LOAD_BYTE, 0, 0, _NETWORK), (_SHIFT_RIGHT, 0, 0, 4), (_SKIP_UNLESS, 1, 0, 4)]
    return [*version, (_SKIP, 0, 0, len(fourth)), *fourth, *sixth, others]


def _if_fourth(source: Source, answer: _Instruction) -> Iterator[_Instruction]:
    yield (_SKIP_UNLESS, 0, 1, int.from_bytes(source))
    yield answer


def _if_sixth(source: Source, answer: _Instruction) -> Iterator[_Instruction]:
    yield (_LOAD_KEPT, 0, 0, 0)
    yield (_SKIP_UNLESS, 0, 3, int.from_bytes(source[:4]))
    yield (_LOAD_KEPT, 0, 0, 1)
    yield (_SKIP_UNLESS, 0, 1, int.from_bytes(source[4:]))
    yield answer


def _listening(ports: Collection[int]) -> list[socket.socket]:
    copies = []
    with suppress(FileNotFoundError):
        copies = [_socket(int(entry.name)) for entry in list(Path("/proc/self/fd").iterdir())]
    doors = [copy for copy in copies if copy is not None and _listens(copy, ports)]
    for copy in copies:
        if copy is not None and copy not in doors:
            copy.close()
    return doors


def _socket(number: int) -> socket.socket | None:
    """A socket of our own for a descriptor of gRPC's; None where that is something else, or closed by now."""
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        copy = os.dup(number)
    except OSError:
        return None
    try:
        return socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        return None


def _listens(one: socket.socket, ports: Collection[int]) -> bool:
    if one.family not in {socket.AF_INET, socket.AF_INET6}:
        return False
    try:
        return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)) and one.getsockname()[1] in ports
    except OSError:
        return False
