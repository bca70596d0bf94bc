"""The graph as it was at an earlier revision: the newest snapshot before it, and the documents behind that.

1. Everything is verified as on the way to the newest revision.
2. One such graph is made at a time, in a thread, and one is kept: the one that was asked for last, for `KEPT_SECONDS`.
3. It goes on being made where the call that asked for it is over: who asks again finds it further, or ready.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import NamedTuple

from pdp.lineage.chain import Broken, Place, Signer
from pdp.lineage.entry import decode
from pdp.lineage.following import AT_ONCE
from pdp.lineage.graph import Graph
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage_errors import LineageStale, RevisionUnknown
from pdp.store.lineage import LineageLog, Logged

KEPT_SECONDS = 300.0
"""Seconds for which a graph of the past is kept that nobody asks for: it may need as much memory as that of now."""


class At(NamedTuple):
    """A graph, its answers about resources, and its revision."""

    graph: Graph
    views: Views
    revision: Revision


class Past:
    """Rebuilds what was."""

    def __init__(
        self,
        now: Callable[[], At],
        documents: LineageLog,
        snapshots: Snapshots,
        signer: Signer,
        load: Callable[[bytes | None], Graph],
        views: Callable[[Graph], Views],
    ) -> None:
        """`load` makes a graph of what one dumped, or an empty one; `views` the answers of a graph."""
        self._now, self._log, self._snapshots, self._signer = now, documents, snapshots, signer
        self._load, self._views = load, views
        self._n = 0
        self._made: asyncio.Task[At] | None = None
        self._end: asyncio.TimerHandle | None = None

    async def at(self, n: int) -> At:
        """The graph of revision `n`; 0 is the newest that this process has read.

        Raises `RevisionUnknown` for one that is not there yet, `LineageStale` where the log does not verify.
        """
        now = self._now()
        if n in {0, now.revision.n}:
            return now
        if n > now.revision.n:
            raise RevisionUnknown(f"the newest revision of lineage is {now.revision.n}", newest=str(now.revision.n))
        try:
            return await asyncio.shield(await self._making(n))
        except Broken:
            raise LineageStale("the log of lineage is not as the servers wrote it; nothing is read") from None

    async def _making(self, n: int) -> asyncio.Task[At]:
        """The task that makes the graph of revision `n`, once no other one is made."""
        while self._made is None or self._n != n or _has_failed(self._made):
            if self._made and not self._made.done():
                await asyncio.wait([self._made])
            else:  # what was kept is let go first: two old graphs do not have to fit into memory
                self._n, self._made = n, asyncio.create_task(self._rebuilt(n), context=Context())
        if self._end:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._let_go)
        return self._made

    def _let_go(self) -> None:
        if self._made and self._made.done():
            self._made = None

    async def _rebuilt(self, n: int) -> At:
        graph, place = await self._begun(n)
        while place.n < n:
            documents = await self._log.after(place.n, min(AT_ONCE, n - place.n))
            if not documents:
                raise Broken(f"number {place.n + 1} is missing")
            place = await asyncio.to_thread(self._added, graph, place, documents)
        return At(graph, self._views(graph), Revision(place.n, place.head.hex()))

    def _added(self, graph: Graph, place: Place, documents: Sequence[Logged]) -> Place:
        """The place behind documents that verify, and whose facts the graph has then."""
        facts = []
        for one in documents:
            place = self._signer.follow(place, Place(one.n, one.head), one.entries, one.signature)
            facts.append((one.n, [decode(entry) for entry in one.entries]))
        graph.apply(facts)
        return place

    async def _begun(self, n: int) -> tuple[Graph, Place]:
        async for snapshot in self._snapshots.newest_first():
            if snapshot.n <= n:
                kept = await self._snapshots.load(snapshot)
                return await asyncio.to_thread(self._load, kept.graph), Place(snapshot.n, snapshot.head)
        return self._load(None), Place()


def _has_failed(made: asyncio.Task[At]) -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)
