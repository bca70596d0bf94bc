"""Bounds what connections cost whose caller nobody knows yet, from the beginning of their TLS handshake.

1. A newcomer is known when a call of its connection has proven who calls; after `HANDSHAKE_SECONDS` it either is past
   its handshake or has been closed.
2. While there are too many, the kernel drops the first packets of further connections, and their clients send these
   again after a second: a connection that waits costs this process nothing. gRPC itself could only count connections
   of every age together, and it accepts as many handshakes at one time as it has connections.
"""

import asyncio
import ctypes
import logging
import os
import socket
import stat
import struct
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from pdp.server.connections import CONNECTIONS, HANDSHAKE_SECONDS

log = logging.getLogger(__name__)

MOST = 448
"""Newcomers at one time. A handshake takes 26 KiB, and 68 KiB with the longest first message: 35 MB, with `BACKLOG`."""
MOST_WITH_CERTIFICATES = 160
"""Newcomers at one time where certificates are demanded: the longest first message then makes it 154 KiB."""
BACKLOG = 64
"""Connections that the kernel has ready before this process takes them. So many come in after it was told to wait."""
LOOK_SECONDS = 0.05
"""Seconds between two looks at whether connections may come in again."""
_SAY_SECONDS = 60.0
"""Seconds between two lines in the log that say it."""
_DROP = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""The program of the kernel's filter (BPF): return 0, keep nothing of the packet."""
_ATTACH, _DETACH = 26, 27
"""SO_ATTACH_FILTER and SO_DETACH_FILTER of Linux, which the module socket does not name."""


class Newcomers:
    """Counts newcomers and holds further ones back, on Linux; elsewhere it holds nobody back."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._begun: deque[float] = deque()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._doors: list[socket.socket] = []
        self._is_shut, self._said, self._lock = False, float("-inf"), Lock()

    @contextmanager
    def held_back(self, ports: Collection[int]) -> Iterator[None]:
        """In the block, newcomers to these ports, which are open by now, wait while there are too many."""
        self._loop, self._doors = asyncio.get_running_loop(), _listening(ports)
        for door in self._doors:
            door.listen(BACKLOG)
        try:
            yield
        finally:
            with self._lock:
                doors, self._doors = self._doors, []
            for door in doors:
                door.close()

    def began(self) -> None:
        """A handshake begins. This comes from a thread of gRPC."""
        with self._lock:
            self._begun.append(self._clock())
            if self._count() >= self._most and self._doors and not self._is_shut:
                self._is_shut = True
                self._loop.call_soon_threadsafe(self._loop.call_later, LOOK_SECONDS, self._look)
                self._turn(_ATTACH, struct.pack("HP", 1, ctypes.addressof(_DROP)))

    def proven(self, peer: str) -> None:
        """A call of this connection has proven who calls."""
        with self._lock:
            if peer in self._known:
                self._known.move_to_end(peer)
                return
            self._known[peer] = None
            if len(self._known) > CONNECTIONS:
                self._known.popitem(last=False)
            if self._begun:
                self._begun.popleft()

    def _look(self) -> None:
        with self._lock:
            if self._clock() - self._said > _SAY_SECONDS:
                self._said = self._clock()
                log.warning("further connections wait: the callers of %d are not known yet", self._most)
            if self._count() < self._most:
                self._is_shut = False
                self._turn(_DETACH, struct.pack("i", 0))
            else:
                self._loop.call_later(LOOK_SECONDS, self._look)

    def _count(self) -> int:
        """How many newcomers there are, without those whose time is over."""
        while self._begun and self._begun[0] < self._clock() - HANDSHAKE_SECONDS:
            self._begun.popleft()
        return len(self._begun)

    def _turn(self, option: int, value: bytes) -> None:
        for door in self._doors:
            try:
                door.setsockopt(socket.SOL_SOCKET, option, value)
            except OSError as error:
                if option == _ATTACH:
                    log.warning("newcomers cannot be held back: %s", error.strerror)


def _listening(ports: Collection[int]) -> list[socket.socket]:
    """The sockets of this process that listen at these ports; none where the system does not list them."""
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
