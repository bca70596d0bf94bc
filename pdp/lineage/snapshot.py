"""The state of the log at one number, as bytes with a signature: the rules of tags, and the graph."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

from pdp.lineage.chain import Broken, Place, Signer, snapshot_hash
from pdp.lineage.entry import decode, encode
from pdp.lineage.fact import Rules
from pdp.store.lineage_snapshots import LineageSnapshots, Snapshot

_LENGTH_BYTES = 8
"""Bytes that say how long the rules are."""


class Kept(NamedTuple):
    """What a snapshot holds: the last rules, and what the graph dumped."""

    rules: Rules | None
    graph: bytes


class Snapshots:
    """Writes and reads snapshots that verify."""

    def __init__(self, store: LineageSnapshots, signer: Signer) -> None:
        self._store, self._signer = store, signer

    async def keep(self, place: Place, dump: Callable[[], bytes], rules: Rules | None) -> None:
        """Store what `dump` makes, in a thread, unless a snapshot of this number is there."""
        if await self._store.has(place.n):
            return
        data = _packed(rules, await asyncio.to_thread(dump))
        hashed = snapshot_hash(place.head, data)
        signature = self._signer.sign(place.n, hashed)
        await self._store.keep(Snapshot(place.n, place.head, hashed, len(data), signature), data)

    def newest_first(self) -> AsyncIterator[Snapshot]:
        """Every snapshot that is stored, verified or not."""
        return self._store.newest_first()

    async def load(self, snapshot: Snapshot) -> Kept:
        """What is in it. Raises `Broken` where servers of this deployment did not write it so."""
        if not self._signer.has_signed(snapshot.n, snapshot.hash, snapshot.signature):
            raise Broken(f"the signature of snapshot {snapshot.n} is not of the audit key")
        data = await self._store.data(snapshot)
        if await asyncio.to_thread(snapshot_hash, snapshot.head, data) != snapshot.hash:
            raise Broken(f"the bytes of snapshot {snapshot.n} are not those of its hash")
        return _unpacked(data)


def _packed(rules: Rules | None, graph: bytes) -> bytes:
    told = encode(rules) if rules else b""
    return len(told).to_bytes(_LENGTH_BYTES, "big") + told + graph


def _unpacked(data: bytes) -> Kept:
    behind = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
    told = data[_LENGTH_BYTES:behind]
    rules = decode(told) if told else None
    return Kept(rules if isinstance(rules, Rules) else None, data[behind:])
