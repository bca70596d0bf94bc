"""An answer of many parts is made slice by slice; between two slices others get their turn on the event loop."""

from pdp.turns import PIECE, Turns

SLICE_BYTES = 16 * 1024
"""Bytes of an answer's parts that are one slice: made of JSON with many small members, they take 3 to 5 ms."""


class Slices:
    """The slices of one caller's answer."""

    def __init__(self, turns: Turns, caller: str) -> None:
        self._turns, self._caller = turns, caller
        self._parts = self._bytes = 0

    async def behind(self, size: int) -> None:
        """Behind a part of this size: a turn where it was the last one of a slice."""
        self._parts, self._bytes = self._parts + 1, self._bytes + size
        if self._parts >= PIECE or self._bytes >= SLICE_BYTES:
            self._parts = self._bytes = 0
            await self._turns.turn(self._caller)
