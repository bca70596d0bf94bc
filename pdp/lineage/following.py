"""Reads the log of lineage into this process's graph, and knows whether it has read all of it.

1. A start takes the newest snapshot that verifies and reads on from there. A change stream says when there is more.
2. Each document is verified before it is applied: its number, its head, its signature. What does not verify is not
   applied and nothing behind it is: the lineage is stale, an alarm goes into both logs, and it is looked at again, so
   that a log which is mended is read on.
3. Where a document that was read is changed or taken away, the lineage is stale as long as this process lives.
4. A tag whose time to come back is over, and of which no entry says so, makes the lineage stale (`expiring`).
5. That nothing newer is there is confirmed by a primary that a majority follows just then, and counts for
   `FRESH_SECONDS`. What comes is applied while that answer is waited for, which takes as long as a durable write.
6. A change of the graph is prepared in a thread, and comes into force at once: no decision sees half of it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, Protocol

from pdp.background import raise_if_cancelled
from pdp.errors import PdpError, StoreUnavailable
from pdp.lineage.chain import Broken, Place, Signer
from pdp.lineage.fact import Dataset, Fact, Rules
from pdp.lineage.origins import Origins
from pdp.lineage.snapshot import Snapshots
from pdp.lineage.verified import Verified
from pdp.lineage.view import Revision, View
from pdp.lineage_errors import LineageStale
from pdp.store.lineage import LineageLog, Logged

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
"""Seconds for which it counts that nothing newer was there."""
LOOK_SECONDS = 1.0
"""Seconds between two looks for more, where nothing says that there is."""
PAUSE_SECONDS = 0.5
"""Seconds before a broken stream is opened again, so that a MongoDB that starts is not hammered."""
AT_ONCE = 16
"""Documents that are read at a time. Each may have 8 MiB."""
SNAPSHOT_EVERY = 10_000
"""Documents from one snapshot to the next."""


class Graph(Protocol):
    """What the facts of the log are read into."""

    @property
    def expires(self) -> int:
        """When the next tag comes back that was declassified for a while, in ms since 1970; 0 where none does."""

    def prepare(self, facts: Sequence[tuple[int, Sequence[Fact]]]) -> Any:
        """What changes with these facts, each of a number of the log; it reads the graph only."""

    def commit(self, change: Any) -> None:
        """Put it into force."""

    def dump(self) -> bytes:
        """All of it; two processes at one revision have the same bytes."""


class Views(Protocol):
    """What is asked about the graph."""

    def view(self, resource_type: str, resource_id: str, revision: Revision) -> View:
        """What is known of a resource."""

    def columns_of(self, resource_type: str, resource_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """The tags of columns."""

    def origins(self, resource_type: str, resource_id: str, stand_in: Dataset) -> Origins:
        """Where the columns of a resource come from; `stand_in` is for one of which nothing is known."""

    def names_of(self, resource_type: str, resource_id: str) -> Sequence[str]:
        """The names of all columns, sorted."""


class Following:
    """This process's reading of the log: `start`, and then `run` as a task."""

    def __init__(
        self,
        documents: LineageLog,
        snapshots: Snapshots,
        signer: Signer,
        alarm: Callable[[str], Awaitable[None]],
        *,
        load: Callable[[bytes | None], Any],
        views: Callable[[Any], Views],
        every: int = SNAPSHOT_EVERY,
    ) -> None:
        """`alarm` hears of what does not verify.

        `load` makes a graph of what one dumped, or an empty one, and `views` what is asked about it.
        """
        self._log, self._snapshots, self._signer = documents, snapshots, signer
        self._load, self._views, self._alarm, self._every = load, views, alarm, every
        self._show(load(None))
        self.rules: Rules | None = None
        self.place = Place()
        self.revision = Revision()
        self._faults: dict[str, str] = {}
        self._is_tampered = False
        self._told: set[str] = set()
        self._confirmed = float("-inf")
        self._more, self._advanced = asyncio.Event(), asyncio.Event()

    async def start(self) -> None:
        """Read everything that is there, as far as it verifies. Raises `StoreUnavailable`."""
        with suppress(Broken):  # `run` raises the alarm
            await self._begin()
            await self._apply_all()
            await self._confirm(lambda _: self._apply_all())

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for task in (self._watch(), self._read(), self._look()):
                group.create_task(task)

    def require_fresh(self) -> None:
        """Raise `LineageStale` where this process cannot say that it has read everything that is there."""
        self.verified()
        if 0 < self.expires < time.time_ns() // 1_000_000:
            raise LineageStale("a tag is to come back by now, and this server has not read that it has; try again")
        if _now() - self._confirmed > FRESH_SECONDS:
            raise LineageStale("this server has not seen the newest lineage for a while; try again")

    @property
    def expires(self) -> int:
        """When the next tag comes back that was declassified for a while, in ms since 1970; 0 where none does."""
        return self.graph.expires

    @property
    def fault(self) -> str:
        """What does not verify of the log; empty where all does."""
        return next(iter(self._faults.values()), "")

    def verified(self) -> Place:
        """How far the log was read. Raises `LineageStale` where it is not as servers wrote it."""
        if self.fault:
            raise _not_ours()
        return self.place

    async def at_least(self, n: int, deadline: float) -> None:
        """Return when number `n` is read. Raises `LineageStale` at `deadline`, a time by the loop's clock."""
        try:
            async with asyncio.timeout_at(deadline):
                while self.revision.n < n:
                    self._more.set()
                    await self._advanced.wait()
        except TimeoutError:
            raise LineageStale("this server has not read that revision of lineage yet; try again") from None

    async def _begin(self) -> None:
        """Take the newest snapshot that verifies; of each that does not there is an alarm."""
        async for snapshot in self._snapshots.newest_first():
            try:
                kept = await self._snapshots.load(snapshot)
                graph = await asyncio.to_thread(self._load, kept.graph)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001  # an older one counts, or the log
                await self._tell(f"snapshot {snapshot.n} cannot be used ({type(error).__name__})")
            else:
                self._show(graph)
                self.rules = kept.rules
                self._go_to(Place(snapshot.n, snapshot.head))
                return

    def _show(self, graph: Graph) -> None:
        self.graph, self.views = graph, self._views(graph)

    async def _watch(self) -> None:
        while True:
            raise_if_cancelled()
            try:
                async with aclosing(self._log.follow()) as changes:
                    async for changed in changes:
                        self._is_tampered |= changed is not None and changed <= self.place.n
                        self._more.set()
            except StoreUnavailable as error:
                log.info("the log of lineage is watched again: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self) -> None:
        while True:
            raise_if_cancelled()
            self._more.clear()
            await self._tried("read", self._apply_all())
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._more.wait()

    async def _look(self) -> None:
        while True:
            raise_if_cancelled()
            await self._tried("confirmed", self._confirm(self._read_to))
            await asyncio.sleep(LOOK_SECONDS)

    async def _tried(self, what: str, step: Awaitable[None]) -> None:
        """Take a step that is taken again later. What it finds wrong stays until it finds nothing."""
        try:
            await step
        except Broken as error:
            self._faults[what] = str(error)
            await self._tell(str(error))
        except StoreUnavailable as error:
            log.info("lineage is read again: %s", error)
        else:
            self._faults.pop(what, None)

    async def _confirm(self, reach: Callable[[int], Awaitable[None]]) -> None:
        """Ask what is the newest, and read up to it by `reach`. Raises `Broken`, `StoreUnavailable`."""
        read, asked = self.place, _now()
        newest, head = await self._log.newest()
        if newest > self.place.n:
            await reach(newest)
        is_other = newest == self.place.n > 0 and head != self.place.head
        if self._is_tampered or newest < read.n or is_other:
            raise Broken(f"what was read, up to number {read.n}, is not there any more or was changed")
        if newest <= self.place.n:
            self._confirmed = asked

    async def _read_to(self, n: int) -> None:
        """Return when number `n` is read, or a moment later without it."""
        with suppress(LineageStale):
            await self.at_least(n, _now() + LOOK_SECONDS)

    async def _apply_all(self) -> None:
        most = self._until_snapshot()
        while documents := await self._log.after(self.place.n, most):
            await self._apply(documents)
            if len(documents) < most:
                return
            most = self._until_snapshot()

    def _until_snapshot(self) -> int:
        return min(AT_ONCE, self._every - self.place.n % self._every)

    async def _apply(self, documents: Sequence[Logged]) -> None:
        """Apply those that verify, and raise `Broken` at the first that does not."""
        read = Verified(self.place)
        broken, change = await asyncio.to_thread(self._prepared, read, documents)
        if read.facts:
            self.graph.commit(change)
            self.rules = read.rules or self.rules
            self._go_to(read.place)
            if not self.place.n % self._every:
                await self._keep()
        if broken:
            raise broken

    def _prepared(self, read: Verified, documents: Sequence[Logged]) -> tuple[Broken | None, Any]:
        """What is wrong with the first that does not verify, and what those before it change, if there are any."""
        broken = read.add(documents, self._signer)
        try:
            return broken, self.graph.prepare(read.facts) if read.facts else None
        except Exception:
            log.exception("the graph of lineage does not take what the log has")
            raise Broken(f"what follows number {self.place.n} could not be applied") from None

    def _go_to(self, place: Place) -> None:
        self.place, self.revision = place, Revision(place.n, place.head.hex())
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def _keep(self) -> None:
        """Store a snapshot of here, unless another process has."""
        try:
            await self._snapshots.keep(self.place, self.graph.dump, self.rules)
        except PdpError as error:
            log.info("the snapshot of lineage %d is left to others: %s", self.place.n, error)

    async def _tell(self, fault: str) -> None:
        """Raise an alarm in both logs, once for each fault. A record that fails is written at the next look."""
        if fault in self._told:
            return
        log.error("the log of lineage was changed behind the servers' back: %s", fault)
        try:
            await self._alarm(fault)
        except PdpError as error:
            log.info("the alarm is recorded later: %s", error)
        else:
            self._told.add(fault)


def _not_ours() -> LineageStale:
    return LineageStale("the log of lineage is not as the servers wrote it; nothing is decided by it, or added to it")


def _now() -> float:
    return asyncio.get_running_loop().time()
