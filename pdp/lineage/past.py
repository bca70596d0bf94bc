"""The graph as it was at an earlier revision: the newest snapshot before it, and the documents behind that.

Everything is verified as on the way to the newest revision. One such graph is kept, the one that was asked for last.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from pdp.lineage.chain import Broken, Place, Signer
from pdp.lineage.entry import decode
from pdp.lineage.following import AT_ONCE
from pdp.lineage.graph import Graph
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage_errors import LineageStale, RevisionUnknown
from pdp.store.lineage import LineageLog


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
        self._kept: At | None = None
        self._turn = asyncio.Lock()

    async def at(self, n: int) -> At:
        """The graph of revision `n`; 0 is the newest that this process has read.

        Raises `RevisionUnknown` for one that is not there yet, `LineageStale` where the log does not verify.
        """
        now = self._now()
        if n in {0, now.revision.n}:
            return now
        if n > now.revision.n:
            raise RevisionUnknown(f"the newest revision of lineage is {now.revision.n}", newest=str(now.revision.n))
        async with self._turn:
            if self._kept is None or self._kept.revision.n != n:
                self._kept = None  # two old graphs do not have to fit into memory
                try:
                    self._kept = await self._rebuilt(n)
                except Broken:
                    raise LineageStale("the log of lineage is not as the servers wrote it; nothing is read") from None
            return self._kept

    async def _rebuilt(self, n: int) -> At:
        graph, place = await self._begun(n)
        while place.n < n:
            documents = await self._log.after(place.n, min(AT_ONCE, n - place.n))
            if not documents:
                raise Broken(f"number {place.n + 1} is missing")
            for one in documents:
                place = self._signer.follow(place, Place(one.n, one.head), one.entries, one.signature)
                facts = [decode(entry) for entry in one.entries]
                await asyncio.to_thread(graph.apply, [(one.n, facts)])
        return At(graph, self._views(graph), Revision(place.n, place.head.hex()))

    async def _begun(self, n: int) -> tuple[Graph, Place]:
        async for snapshot in self._snapshots.newest_first():
            if snapshot.n <= n:
                kept = await self._snapshots.load(snapshot)
                return await asyncio.to_thread(self._load, kept.graph), Place(snapshot.n, snapshot.head)
        return self._load(None), Place()
