"""Turns on the event loop: large calls work piece by piece, one piece at a time, and their callers take turns.

Between two pieces is a round of everything else that is ready. So a small call waits for one piece at each step.
"""

import asyncio

from pdp.fair import FairQueue

PIECE = 16
"""Items of a batch that are one piece: about a millisecond of work."""


class Turns:
    """Gives turns to those who ask for them, one in a round of the loop. Each event loop has its own."""

    def __init__(self) -> None:
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()
        self._is_going = False

    async def turn(self, caller: str, weight: float = 1.0) -> None:
        """Return when it is this caller's turn; the work until its next wait is one piece, of this weight."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put(caller, turn, weight)
        if not self._is_going:
            self._is_going = True
            asyncio.get_running_loop().call_soon(self._next)
        try:
            await turn
        finally:
            self._waiting.withdraw(caller, turn)

    async def behind(self, index: int, caller: str) -> None:
        """In a loop over items, behind each: a turn where this was the last item of a piece."""
        if index % PIECE == PIECE - 1:
            await self.turn(caller)

    def _next(self) -> None:
        turn = self._waiting.take()
        if turn is None:
            self._is_going = False
            return
        if not turn.done():
            turn.set_result(None)
        asyncio.get_running_loop().call_soon(self._next)
