"""Writes facts to the log of lineage, many in a document, in competition with other processes.

1. While a document is on its way, facts gather for the next one. A caller that is alone never waits. Facts that are
   written together stand in one document.
2. While it is unknown whether a document is stored, the same one is sent again, and no other.
3. Who finds the number taken reads what took it, verifies it, and takes the next number.
4. An event of a writer stands in the log once, and so does what a person takes away in one call: its hash is part of
   the document's one insert. A resend is told the number that it has. A claim to have seen something counts only where
   a document that verifies holds it, so that a claim which somebody plants in the database keeps nothing out. An alarm
   tells of it.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from pdp import deadline
from pdp.errors import InvalidRequest, Overloaded, PdpError, StoreUnavailable
from pdp.fair import FairQueue
from pdp.lineage.chain import Broken, Place, Signer, next_place
from pdp.lineage.entry import decode, encode
from pdp.lineage.fact import Event, Fact
from pdp.lineage_errors import LineageStale
from pdp.store.lineage import LineageLog, Logged, Seen

log = logging.getLogger(__name__)

ENOUGH = 256
"""Facts of one document at most, but those of one call stay together."""
MAX_BYTES = 8 * 1024 * 1024
"""Bytes of the entries of one document at most; a document of MongoDB holds 16 MiB."""
MAX_QUEUED, MAX_QUEUED_BYTES = 16_384, 64 * 1024 * 1024
"""Facts that wait, and their bytes. Then calls are refused as `Overloaded`."""
WAIT_SECONDS = 5.0
"""Seconds that facts wait to become durable, if their call has that long."""
RESEND_SECONDS = 0.2
"""Seconds between two tries of the same insert."""


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """One entry, and what it claims to have seen, which is nothing unless it is an event."""

    entry: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """Where facts stand: the last place that holds one of them, and whether all of them were there before."""

    place: Place
    is_known: bool


@dataclass(slots=True, eq=False)
class _Group:
    """The lines of one call. Once they are `durable`, `written` says where."""

    lines: Sequence[_Line]
    durable: asyncio.Future[None]
    written: Written | None = None
    is_dropped: bool = False

    @property
    def size(self) -> int:
        return sum(len(line.entry) for line in self.lines)


class Writing:
    """The writer of one process. Run `run` as a task, and call `write` from anywhere on the same loop."""

    def __init__(
        self,
        documents: LineageLog,
        signer: Signer,
        alarm: Callable[[str], Awaitable[None]],
        place: Callable[[], Place] = Place,
    ) -> None:
        """`alarm` hears of planted claims.

        `place` says how far the log was read, or raises `LineageStale` where it is not as servers wrote it.
        """
        self._log, self._signer, self._alarm, self._read_to = documents, signer, alarm, place
        self._place = Place()
        self._queue: FairQueue[_Group] = FairQueue()
        self._left_over: _Group | None = None
        self._queued = self._queued_bytes = 0
        self._arrived = asyncio.Event()

    async def write(self, facts: Sequence[Fact], seconds: float = WAIT_SECONDS) -> int:
        """The number that `put` returns."""
        return (await self.put(facts, seconds)).place.n

    async def found(self, fact: Fact) -> tuple[Place, Fact] | None:
        """The fact of the log that stands for this one, and its place: that of a call with the same `request_id`.

        Raises `StoreUnavailable`.
        """
        key = _key(fact)
        for one in await self._log.seeing(key) if key else ():
            before = await self._before(one)
            keys = await asyncio.to_thread(self._keys, one, before)
            if key in keys:
                held = next(fact for fact in map(decode, one.entries) if _key(fact) == key)
                return Place(one.n, one.head), held
        return None

    async def put(self, facts: Sequence[Fact], seconds: float = WAIT_SECONDS) -> Written:
        """Return where all of it stands, once it is durable on a majority.

        Raises `StoreUnavailable` or `OutOfTime`; what had been sent by then may be in the log. Raises `LineageStale`
        where the log is not as servers wrote it, and `Overloaded`.
        """
        lines = [_Line(encode(fact), _key(fact)) for fact in facts]
        group = _Group(lines, asyncio.get_running_loop().create_future())
        self._admit(group)
        self._queue.put(facts[0].by, group, group.size)
        self._arrived.set()
        with deadline.spent_on(deadline.Stage.RECORD):
            try:
                await deadline.settled(group.durable, seconds)
            except TimeoutError:
                group.is_dropped = True
                late = StoreUnavailable("MongoDB did not confirm the lineage in time; send it again")
                raise deadline.missed(late) from None
        assert group.written is not None  # noqa: S101  # it is set before `durable` is done
        return group.written

    def _admit(self, group: _Group) -> None:
        if group.size > MAX_BYTES:
            raise InvalidRequest(f"it is more than {MAX_BYTES} bytes as the log has it; send it in parts")
        if self._queued >= MAX_QUEUED or self._queued_bytes >= MAX_QUEUED_BYTES:
            raise Overloaded("too much lineage waits to be written; send it again later")
        self._count(group, 1)

    def _count(self, group: _Group, sign: int) -> None:
        self._queued += sign * len(group.lines)
        self._queued_bytes += sign * group.size

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._arrived.wait()
            if groups := self._take():
                await self._commit(groups)

    def _take(self) -> list[_Group]:
        """The groups of the next document, callers in turns."""
        groups: list[_Group] = []
        lines = size = 0
        while (group := self._next_group()) is not None:
            if groups and (lines + len(group.lines) > ENOUGH or size + group.size > MAX_BYTES):
                self._left_over = group
                return groups
            self._count(group, -1)
            groups.append(group)
            lines += len(group.lines)
            size += group.size
        self._arrived.clear()
        return groups

    def _next_group(self) -> _Group | None:
        """The group whose turn it is, or None; one whose caller gave up is passed over."""
        while (group := self._left_over or self._queue.take()) is not None:
            self._left_over = None
            if not group.is_dropped:
                return group
            self._count(group, -1)
        return None

    async def _commit(self, groups: Sequence[_Group]) -> None:
        first: dict[bytes | _Line, _Line] = {}
        for group in groups:
            for line in group.lines:
                first.setdefault(line.key or line, line)
        try:
            places = await self._durable(list(first.values()))
        except PdpError as error:
            _settle(groups, error)
            return
        for group in groups:
            found = [(line, places[line.key or line.entry]) for line in group.lines]
            last = max((one.place for _, one in found), key=lambda place: place.n)
            known = all(one.is_known or first[line.key or line] is not line for line, one in found)
            group.written = Written(last, known)
        _settle(groups, None)

    async def _durable(self, lines: Sequence[_Line]) -> Mapping[bytes, Written]:
        """Write what is new of it. Returns where each line stands, by its key or else its entry."""
        found: dict[bytes, Written] = {}
        planted: set[bytes] = set()
        while wanted := [line for line in lines if line.key not in found]:
            document = self._next(wanted, planted)
            try:
                is_stored = await self._log.insert(document)
            except StoreUnavailable:
                await asyncio.sleep(RESEND_SECONDS)
            except Seen as others:
                held = await self._held(others.claims)
                found |= held
                planted |= others.claims.keys() - held.keys()
            else:
                if is_stored:
                    self._place = Place(document.n, document.head)
                    return found | {line.key or line.entry: Written(self._place, is_known=False) for line in wanted}
                await self._catch_up()
        return found

    def _next(self, lines: Sequence[_Line], planted: set[bytes]) -> Logged:
        self._place = max(self._place, self._read_to(), key=lambda place: place.n)
        entries = [line.entry for line in lines]
        place = next_place(self._place, entries)
        seen = [line.key for line in lines if line.key and line.key not in planted]
        return Logged(place.n, entries, place.head, self._signer.sign(place.n, place.head), seen)

    async def _catch_up(self) -> None:
        """Go to the end of the log. Raises `LineageStale` where it does not verify."""
        with suppress(StoreUnavailable):
            while documents := await self._log.after(self._place.n, limit=1):
                try:
                    self._place = self._follow(self._place, documents[0])
                except Broken:
                    raise LineageStale("the log of lineage is not as the servers wrote it; nothing is added") from None

    def _follow(self, before: Place, one: Logged) -> Place:
        return self._signer.follow(before, Place(one.n, one.head), one.entries, one.signature)

    async def _held(self, claims: Mapping[bytes, Logged]) -> dict[bytes, Written]:
        """The claims that are true, with their places. Of the others there is an alarm."""
        held: dict[bytes, Written] = {}
        for one in {document.n: document for document in claims.values()}.values():
            keys = await asyncio.to_thread(self._keys, one, await self._before(one))
            written = Written(Place(one.n, one.head), is_known=True)
            held |= {key: written for key in claims if claims[key].n == one.n and key in keys}
        if len(held) < len(claims):
            log.error("the log of lineage was changed behind the servers' back: a planted claim to have seen an event")
            with suppress(PdpError):
                await self._alarm("it claims to have seen an event that it does not hold")
        return held

    async def _before(self, one: Logged) -> Place:
        before = await self._log.at(one.n - 1) if one.n > 1 else None
        return Place(before.n, before.head) if before else Place()

    def _keys(self, one: Logged, before: Place) -> set[bytes]:
        """What the document holds, if it verifies."""
        try:
            self._follow(before, one)
            return {_key(decode(entry)) for entry in one.entries}
        except (Broken, ValueError):
            return set()


def _settle(groups: Sequence[_Group], error: PdpError | None) -> None:
    for group in groups:
        if group.durable.done():
            continue
        if error is None:
            group.durable.set_result(None)
        else:
            group.durable.set_exception(error)


def _key(fact: Fact) -> bytes:
    """What a document with this fact claims to have seen: an event of a writer, or what a person asked for in a call.

    Other facts claim nothing.
    """
    if isinstance(fact, Event):
        return hashlib.sha256(f"{fact.event}\n{fact.by}".encode()).digest()
    return hashlib.sha256(encode(replace(fact, at=0, decision_id=""))).digest() if fact.request_id else b""
