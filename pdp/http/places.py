"""The places for connections of the HTTP face, and which connection ends where one is missing.

1. A connection is a stranger's until a call on it has proven who calls.
2. One source, an IPv4 address or a /64 of IPv6, has an eighth of all places for its strangers.
3. Where a place is missing, the oldest idle connection ends: of the source that has too many, else of strangers, else
   the one without a call for the longest time. Only where none is idle the new one ends.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from ipaddress import IPv6Address, ip_address
from itertools import chain
from typing import Any, Protocol

log = logging.getLogger(__name__)

MOST = 4096
"""Connections at one time, if there are descriptors for them."""
SHARE = 8
"""One of so many places is what the strangers of one source have."""
SAY_SECONDS = 60.0
"""Seconds between two lines in the log that say the same."""


class Holder(Protocol):
    """Who holds a place."""

    source: str

    @property
    def is_idle(self) -> bool:
        """Whether no call of it is being answered."""

    def end(self) -> None:
        """Give the place up."""


class Places:
    """Who holds them."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._share = most, max(1, most // SHARE)
        self._strangers: OrderedDict[Holder, None] = OrderedDict()
        self._sources: dict[str, OrderedDict[Holder, None]] = {}
        self._proven: OrderedDict[Holder, None] = OrderedDict()
        self._refused = Said("%d connections over HTTP were of no proxy, and ended; the last was of %s", clock)
        self._ended = Said("%d connections over HTTP ended because others had no place; the last was of %s", clock)

    def take(self, new: Holder) -> None:
        """A stranger comes; one of all ends if there are too many."""
        own = self._sources.setdefault(new.source, OrderedDict())
        self._strangers[new] = own[new] = None
        if len(own) > self._share:
            self._end(own, new)
        elif len(self._strangers) + len(self._proven) > self._most:
            self._end(chain(self._strangers, self._proven), new)

    def proven(self, one: Holder) -> None:
        """A call has proven who calls."""
        if one in self._proven:
            self._proven.move_to_end(one)
        elif one in self._strangers:
            self._forget(one)
            self._proven[one] = None

    def refused(self, source: str) -> None:
        """A connection of a source that is not taken has ended. A log once a minute says how many."""
        self._refused.again(source)

    def leave(self, one: Holder) -> None:
        """A connection has ended."""
        self._forget(one)
        self._proven.pop(one, None)

    def _end(self, some: Iterable[Holder], new: Holder) -> None:
        ending = next((one for one in some if one is not new and one.is_idle), new)
        self.leave(ending)
        self._ended.again(ending.source)
        ending.end()

    def _forget(self, stranger: Holder) -> None:
        if stranger in self._strangers:
            del self._strangers[stranger]
            del self._sources[stranger.source][stranger]
            if not self._sources[stranger.source]:
                del self._sources[stranger.source]


class Said:
    """A warning that is logged once a minute at most, with the count of what happened since the last."""

    def __init__(self, line: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._line, self._clock, self._count, self._at = line, clock, 0, float("-inf")

    def again(self, whose: str) -> None:
        """It happened once more."""
        self._count += 1
        if self._clock() - self._at >= SAY_SECONDS:
            log.warning(self._line, self._count, whose)
            self._count, self._at = 0, self._clock()


def source(peername: Any) -> str:
    """What all connections of one customer have in common, of an address as asyncio has it."""
    try:
        address = ip_address(str(peername[0]).partition("%")[0])
    except (TypeError, IndexError, ValueError):
        return "an unknown address"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(address.packed[:8] + bytes(8))}/64"
