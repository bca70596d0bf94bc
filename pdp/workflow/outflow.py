"""What leaves by a decision becomes lineage: an event of Placet's own, in the log before the call that it is of ends.

masks, or an approved use -> where the columns come from -> event -> kept for who else is told -> log

1. Where the event cannot enter the log, the call fails: a stream of masks does not end, `Mask` answers nothing, and a
   report is to be sent again.
2. The event is kept for `lineage.forward` first, so that a crash behind the log loses nothing. So that one may be told
   of a call that then failed, or twice.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

import orjson

from pdp.approval import Approval
from pdp.errors import NotAllowed
from pdp.lineage.fact import Event
from pdp.lineage.following import Following
from pdp.lineage.leaving import Leaving, Masks, job_namespace, stand_in
from pdp.lineage.view import State
from pdp.lineage.writing import Writing
from pdp.lineage_settings import LineageWriter
from pdp.workflow.answer import Decided

FEW_COLUMNS = 16
"""Columns of an event that is made on the event loop: in about a millisecond. Others are made in a thread."""

ReadOwn: TypeAlias = Callable[[bytes, LineageWriter, str, int], Event]
"""Reads an event of Placet's own: its text, what it is believed, its writer, and when it was made (ms since 1970)."""
Keep: TypeAlias = Callable[[str, bytes], Any]
"""Keeps an event, under an id of its own, until `lineage.forward` has it."""


class Outflow(Protocol):
    """What is told of that leaves."""

    async def masked(self, decided: Decided, masks: Callable[[], Masks], *, is_whole: bool = True) -> None:
        """Data leaves masked; `masks` says how. With `is_whole` false it is what had left when its stream broke."""

    async def left(
        self, request: bytes, decision_id: str, masks: Callable[[], Masks], *, at_ms: int, is_whole: bool = True
    ) -> None:
        """The same by the canonical request and its decision, at this time: told twice, it is one event."""

    async def exported(self, approval: Approval) -> None:
        """An approval was used, and what it is for was done, or may have been."""


class NoOutflow:
    """What a server does that keeps no lineage: nothing."""

    async def masked(self, decided: Decided, masks: Callable[[], Masks], *, is_whole: bool = True) -> None:
        """Nothing."""

    async def left(
        self, request: bytes, decision_id: str, masks: Callable[[], Masks], *, at_ms: int, is_whole: bool = True
    ) -> None:
        """Nothing."""

    async def exported(self, approval: Approval) -> None:
        """Nothing."""


NO_OUTFLOW = NoOutflow()


class LoggedOutflow:
    """Writes events into the log of lineage."""

    def __init__(
        self,
        realm: str,
        exports: Sequence[str],
        following: Following,
        writing: Writing,
        read: ReadOwn,
        admit: Callable[[Event], None],
        keep: Keep | None = None,
    ) -> None:
        """`admit` raises `NotAllowed` for more columns than there is room for: then the event names none.

        `exports` are the actions by which data leaves. `keep` is of a server that forwards events.
        """
        self._realm, self._exports, self._following = realm, frozenset(exports), following
        self._writing, self._read, self._admit, self._keep = writing, read, admit, keep

    async def masked(self, decided: Decided, masks: Callable[[], Masks], *, is_whole: bool = True) -> None:
        """Return once the event is in the log. Raises what the log and MongoDB raise."""
        asked, decision_id = decided.ask.canonical.json, decided.answer.decision_id
        await self.left(asked, decision_id, masks, at_ms=_now_ms(), is_whole=is_whole)

    async def left(
        self, request: bytes, decision_id: str, masks: Callable[[], Masks], *, at_ms: int, is_whole: bool = True
    ) -> None:
        """The same, at this time. Raises what `masked` raises."""
        await self._write(self._leaving(orjson.loads(request), decision_id, masks(), at_ms, is_whole=is_whole))

    async def exported(self, approval: Approval) -> None:
        """The same of an approved use by an action that exports, where the resource may be data. It is one event.

        Another report gives the same event, which is in the log once.
        """
        request, used, at = orjson.loads(approval.request), approval.used_by, approval.closed_at
        if used is None or at is None or request["action"]["name"] not in self._exports:
            return
        resource = request["resource"]
        if self._following.views.view(resource["type"], resource["id"], self._following.revision).state is State.NONE:
            return
        leaving = self._leaving(request, used.decision_id, None, round(at.timestamp() * 1000))
        await self._write(leaving)

    def _leaving(
        self, request: Mapping[str, Any], decision_id: str, masks: Masks | None, at_ms: int, *, is_whole: bool = True
    ) -> Leaving:
        kind, table = request["resource"]["type"], request["resource"]["id"]
        origins = self._following.views.origins(kind, table, stand_in(self._realm, kind, table))
        destination = request["context"].get("destination")
        return Leaving(self._realm, decision_id, table, origins, destination, masks, at_ms, is_whole)

    async def _write(self, leaving: Leaving) -> None:
        few = len(leaving.masks or leaving.origins.columns) <= FEW_COLUMNS
        text, event = self._made(leaving) if few else await asyncio.to_thread(self._made, leaving)
        if self._keep:
            await self._keep(sha256(text).hexdigest(), text)
        await self._writing.put([event])

    def _made(self, leaving: Leaving) -> tuple[bytes, Event]:
        """The event as text and as the fact that it is for us. It ends no `unclassified` where others write, too."""
        writer = LineageWriter(namespaces=("*",), may_classify=leaving.is_made_here)
        text = leaving.event
        event = self._read(text, writer, job_namespace(self._realm), _now_ms())
        try:
            self._admit(event)
        except NotAllowed:
            return self._made(replace(leaving, names_columns=False)) if leaving.names_columns else (text, event)
        return text, event


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
