"""Bounds what connections cost whose caller nobody knows yet, from the beginning of their TLS handshake.

1. A newcomer is known when a call of its connection has proven who calls; after `HANDSHAKE_SECONDS` it either is past
   its handshake or has been closed.
2. While there are too many, the kernel drops the first packets of further connections, and their clients send these
   again after a second: a connection that waits costs this process nothing. gRPC itself could only count connections
   of every age together, and it accepts as many handshakes at one time as it has connections.
3. One source has at most as many newcomers as there is room left for others, and waits for more. A source whose
   newcomers came in too fast for that, with twice as many, loses some of them. So a flood costs its own source.
4. A part of the room is kept for sources from which a caller has proven itself lately.
"""

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import TypeVar

from pdp.server.connections import CONNECTIONS, HANDSHAKE_SECONDS
from pdp.server.doors import NAMED, Doors, Source
from pdp.server.peers import Peer, cut, named, peer, peers

log = logging.getLogger(__name__)

MOST = 448
"""Newcomers at one time. A handshake takes 26 KiB, and 68 KiB with the longest first message: 35 MB, with a backlog."""
MOST_WITH_CERTIFICATES = 160
"""Newcomers at one time where certificates are demanded: the longest first message then makes it 154 KiB."""
RESERVED = 7
"""One of so many places is kept for sources from which a caller has proven itself."""
LOOK_SECONDS = 0.05
"""Seconds between two looks at whose newcomers there are, while there are many."""
_SAY_SECONDS = 60.0
"""Seconds between two lines in the log that say it."""

_One = TypeVar("_One")


class Newcomers:
    """Counts newcomers and holds further ones back, on Linux; elsewhere it holds nobody back."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._for_all, self._clock = most, most - most // RESERVED, clock
        self._gate = self._next_gate(0)
        self._begun: deque[float] = deque()
        self._known: OrderedDict[Peer | str, None] = OrderedDict()
        self._proven: OrderedDict[Source, None] = OrderedDict()
        self._seen: dict[Peer, float] | None = None
        self._ports: Collection[int] = ()
        self._doors, self._said = Doors(()), float("-inf")
        self._lock, self._wanted, self._over = Lock(), Event(), Event()

    @contextmanager
    def held_back(self, ports: Collection[int]) -> Iterator[None]:
        """In the block, newcomers to these ports, which are open by now, wait while there are too many."""
        self._ports, self._doors = ports, Doors(ports)
        watch = Thread(target=self._watch, name="newcomers", daemon=True)
        watch.start()
        try:
            yield
        finally:
            self._over.set()
            self._wanted.set()
            watch.join()
            with self._lock:
                self._doors.close()

    def closing(self) -> None:
        """The ports close: no socket of them is kept."""
        with self._lock:
            self._doors.close()

    def opened(self) -> None:
        """The ports are open again, with other sockets."""
        with self._lock:
            self._doors.close()
            self._doors = Doors(self._ports)

    def began(self) -> None:
        """A handshake begins. This comes from a thread of gRPC."""
        with self._lock:
            self._begun.append(self._clock())
            count = self._count()
            if not self._doors:
                return
            if count >= self._gate:
                self._doors.shut()
            if count >= self._gate or (self._seen is None and count >= self._many()):
                self._wanted.set()

    def proven(self, named: str) -> None:
        """A call of the connection with this peer has proven who calls."""
        at = peer(named)
        with self._lock:
            if at is not None:
                _remember(self._proven, at.source, NAMED)
            if _remember(self._known, at or named, CONNECTIONS) and self._begun:
                self._begun.popleft()

    def _watch(self) -> None:
        """Look when somebody asks for it, and then again and again while there are many newcomers."""
        while not self._over.is_set():
            self._wanted.wait(None if self._seen is None else LOOK_SECONDS)
            self._wanted.clear()
            begun = time.monotonic()
            try:
                if not self._over.is_set():
                    self._look()
            except OSError:  # no descriptor is left to look with
                self._wanted.set()
                self._over.wait(LOOK_SECONDS)
            self._over.wait(time.monotonic() - begun)  # so this takes at most half of a processor's time

    def _look(self) -> None:
        """See whose newcomers there are, end those that are too many, and decide who waits."""
        with self._lock:
            known, at_first = set(self._known), self._clock()
        there = peers(self._ports)
        with self._lock:
            for gone in known - there.keys():
                self._known.pop(gone, None)
            self._forget_closed(len(there.keys() - known), at_first)
            held = self._held(at for at in there if at not in self._known)
            for at in self._too_many(held):
                cut(there[at], at)
            self._decide({source: len(some) for source, some in held.items()})

    def _forget_closed(self, still: int, since: float) -> None:
        """Of the newcomers that began before a moment, so many were still there."""
        later = sum(1 for begun in self._begun if begun >= since)
        while self._count() > still + later:
            self._begun.popleft()

    def _held(self, unknown: Iterable[Peer]) -> dict[Source, list[Peer]]:
        """The newcomers of each source.

        What the first look finds may be older than a newcomer, as that of a prober that never proves who it is.
        """
        now, seen = self._clock(), self._seen
        first = now if seen is not None else float("-inf")
        self._seen = {at: (seen or {}).get(at, first) for at in unknown}
        held: dict[Source, list[Peer]] = {}
        for at in (at for at, begun in self._seen.items() if begun > now - HANDSHAKE_SECONDS):
            held.setdefault(at.source, []).append(at)
        return held

    def _too_many(self, held: dict[Source, list[Peer]]) -> Iterator[Peer]:
        """Take newcomers out of the sources that have more than twice what is left for others."""
        while held:
            source = max(held, key=lambda one: len(held[one]))
            if len(held[source]) <= max(2 * self._left(source), 1):
                return
            yield held[source].pop()
            if self._begun:
                self._begun.popleft()

    def _decide(self, held: dict[Source, int]) -> None:
        """Let in whom there is room for."""
        count = self._count()
        self._gate = self._next_gate(count)
        over = {source for source, some in held.items() if some > self._left(source)}
        if count >= self._most:
            self._doors.shut()
        elif count >= self._for_all:
            self._doors.open_to(source for source in reversed(self._proven) if source not in over)
        elif over:
            self._doors.shut_to(sorted(over, key=lambda source: -held[source]))
        else:
            self._doors.open()
        if count >= self._for_all:
            self._say("further connections wait: the callers of %d are not known yet", count)
        elif over:
            self._say("further connections of %s wait: too many of its callers are not known yet", named(min(over)))
        if count < self._many():
            self._seen = None

    def _left(self, source: Source) -> int:
        return (self._most if source in self._proven else self._for_all) - self._count()

    def _many(self) -> int:
        """From so many on it is seen whose they are."""
        return self._for_all // 4

    def _next_gate(self, count: int) -> int:
        """At so many newcomers everybody waits for the next look: half of what is left may be one source's by then."""
        room = self._for_all if count < self._for_all else self._most
        return count + max(1, (room - count) // 2)

    def _count(self) -> int:
        """How many newcomers there are, without those whose time is over."""
        while self._begun and self._begun[0] < self._clock() - HANDSHAKE_SECONDS:
            self._begun.popleft()
        return len(self._begun)

    def _say(self, line: str, value: object) -> None:
        if self._clock() - self._said > _SAY_SECONDS:
            self._said = self._clock()
            log.warning(line, value)


def _remember(lately: OrderedDict[_One, None], one: _One, most: int) -> bool:
    """Put one at the end of what was lately, of which so many are kept. Return whether it is new there."""
    is_new = one not in lately
    lately[one] = None
    lately.move_to_end(one)
    if len(lately) > most:
        lately.popitem(last=False)
    return is_new
