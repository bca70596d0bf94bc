"""What happens to an OpenLineage event that arrives: who may send it, how many, its reading, and the log.

Every face takes events by it. What a text becomes depends on the deployment's settings alone, not on the face.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, cast

from pdp.caller import Caller
from pdp.errors import InvalidRequest, NotAllowed, Overloaded, PdpError
from pdp.lineage.chain import Place
from pdp.lineage.fact import Event
from pdp.lineage.following import Following
from pdp.lineage.view import View
from pdp.lineage.writing import Writing
from pdp.lineage_settings import LineageSettings, LineageWriter
from pdp.turns import Turns

if TYPE_CHECKING:
    from pdp.lineage.explain import Reason
    from pdp.lineage.graph import Graph

MAX_EVENT_BYTES = 4 * 1024 * 1024
"""Bytes of one event, and of one call with many."""
AT_ONCE_BYTES = 16 * 1024
"""Bytes of events that are read on the event loop at a time, in one to two milliseconds. A larger one has a thread."""
MAX_EVENTS = 10_000
"""Events of one call."""
PIECE = 256
"""Events of one call that are on their way at a time, as many as one document of the log holds."""
BURST_SECONDS = 10.0
"""Seconds' worth of events that a writer may send at once when it has sent none for a while."""
LATEST_SECONDS = 60.0
"""Seconds after which a writer that sent too many may try again, at the latest."""

Read: TypeAlias = Callable[[bytes, LineageWriter, str, int], Event]
"""Reads the text of one event of a writer, by its identity, that came at a time (ms since 1970). Raises `PdpError`."""


Admit: TypeAlias = Callable[[Event, LineageWriter], None]
"""Raises `NotAllowed` for an event that brings more than the graph takes of its writer."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that is in the log, since now or before (`is_known`), and what a person should look at in it."""

    place: Place
    is_known: bool
    problems: Sequence[tuple[str, str]]


class KnownLineage:
    """What this process has read of the log, for those who decide: a `LineageViews`."""

    def __init__(self, following: Following) -> None:
        self._following = following

    def view(self, resource_type: str, resource_id: str) -> View:
        """What is known of a resource."""
        return self._following.views.view(resource_type, resource_id, self._following.revision)

    def columns_of(self, resource_type: str, resource_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The tags of each of these columns, by the caller's spelling."""
        return self._following.views.columns_of(resource_type, resource_id, names)

    def names_of(self, resource_type: str, resource_id: str) -> Sequence[str]:
        """The names of all its columns, sorted."""
        return self._following.views.names_of(resource_type, resource_id)

    async def origin(self, resource_type: str, resource_id: str, column: str, tag: str) -> "Reason | None":
        """Who says that a column has a tag, and the shortest way from there. It is looked for in a thread."""
        from pdp.lineage.explain import why  # noqa: PLC0415  # an extra

        graph = cast("Graph", self._following.graph)
        datasets = self.view(resource_type, resource_id).datasets
        reasons = [await asyncio.to_thread(why, graph, dataset, column, tag) for dataset in datasets]
        found = [reason for reason in reasons if reason]
        return min(found, key=lambda reason: len(reason.steps), default=None)

    def require_fresh(self) -> None:
        """Raise `LineageStale` where this process cannot say that it has the newest revision."""
        self._following.require_fresh()

    async def at_least(self, n: int, deadline: float) -> None:
        """Wait until this process has revision `n`. Raises `LineageStale` at `deadline`."""
        await self._following.at_least(n, deadline)


class Ingesting:
    """Takes events of this process's callers."""

    def __init__(self, settings: LineageSettings, writing: Writing, read: Read, turns: Turns, admit: Admit) -> None:
        self._writers, self._writing, self._read, self._turns = settings.writers, writing, read, turns
        self._admit_event = admit
        self._rates: dict[str, _Rate] = {}
        self._read_since_turn = 0
        self.taken = self.refused = 0

    async def take(self, text: bytes, caller: Caller) -> Taken:
        """Return once the event is in the log. Raises `PdpError`."""
        writer = self._admit(caller, 1)
        found = await self._kept(await self._read_event(text, writer, caller.identity), writer)
        if isinstance(found, PdpError):
            raise found
        return found

    async def take_all(self, texts: Sequence[bytes], caller: Caller) -> list[Taken | PdpError]:
        """What became of each event. Raises `PdpError` where none may be sent now."""
        if len(texts) > MAX_EVENTS:
            raise InvalidRequest.field("events", f"are more than {MAX_EVENTS}; send them in several calls")
        writer = self._admit(caller, len(texts))
        found: list[Taken | PdpError] = []
        for start in range(0, len(texts), PIECE):
            some = texts[start : start + PIECE]
            events = [await self._read_event(text, writer, caller.identity) for text in some]
            found += await asyncio.gather(*(self._kept(event, writer) for event in events))
        return found

    def _admit(self, caller: Caller, events: int) -> LineageWriter:
        writer = self._writers.get(caller.identity)
        if writer is None:
            raise no_writer(caller)
        rate = self._rates.setdefault(caller.identity, _Rate(writer.events_a_second))
        rate.take(events, time.monotonic())
        return writer

    async def _kept(self, event: Event | PdpError, writer: LineageWriter) -> Taken | PdpError:
        """What became of an event, if it was readable."""
        if isinstance(event, PdpError):
            self.refused += 1
            return event
        try:
            self._admit_event(event, writer)
            written = await self._writing.put([event])
        except PdpError as error:
            self.refused += 1
            return error
        self.taken += 1
        return Taken(written.place, written.is_known, event.problems)

    async def _read_event(self, text: bytes, writer: LineageWriter, identity: str) -> Event | PdpError:
        at = time.time_ns() // 1_000_000
        try:
            if len(text) > MAX_EVENT_BYTES:
                raise InvalidRequest.field("event", f"is larger than {MAX_EVENT_BYTES} bytes")
            if len(text) > AT_ONCE_BYTES:
                return await asyncio.to_thread(self._read, text, writer, identity, at)
            await self._turn(len(text), identity)
            return self._read(text, writer, identity, at)
        except PdpError as error:
            return error

    async def _turn(self, size: int, identity: str) -> None:
        """Wait for a turn where more has been read since the last one than is read at a time."""
        self._read_since_turn += size
        if self._read_since_turn > AT_ONCE_BYTES:
            self._read_since_turn = 0
            await self._turns.turn(identity)


def no_writer(caller: Caller) -> NotAllowed:
    """The error of a lineage writer of whom the configuration says nothing."""
    sentence = f"{caller.identity} has no entry in lineage.writers, which says what it may write"
    return NotAllowed("NO_LINEAGE_WRITER", sentence)


class _Rate:
    """What one writer may still send: it grows by the second up to a burst, and a batch may take more than is left."""

    def __init__(self, a_second: float) -> None:
        self._a_second, self._most = a_second, max(a_second * BURST_SECONDS, 1.0)
        self._left, self._at = self._most, 0.0

    def take(self, events: int, now: float) -> None:
        """Count events. Raises `Overloaded` where the writer has used up what it may send."""
        self._left = min(self._left + (now - self._at) * self._a_second, self._most)
        self._at = now
        if self._left < 1:
            seconds = min((1 - self._left) / self._a_second, LATEST_SECONDS)
            raise Overloaded(f"this writer may send {self._a_second:g} events a second; send the rest later", seconds)
        self._left -= events
