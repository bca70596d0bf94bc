"""Waits for room that is not there now; callers take turns in getting it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from pdp.fair import FairQueue


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """Questions of a caller that wait. `given` is done once they have room."""

    caller: str
    questions: int
    given: asyncio.Future[None]


class InTurn:
    """Those who wait. `take` takes room for so many questions of a caller, and `give_back` gives it back."""

    def __init__(
        self,
        has_room: Callable[[str, int], bool],
        take: Callable[[str, int], None],
        give_back: Callable[[str, int], None],
    ) -> None:
        self._has_room, self._take, self._give_back = has_room, take, give_back
        self._waiting: FairQueue[_Waiting] = FairQueue()

    async def enter(self, caller: str, questions: int) -> None:
        """Return with the room, as soon as there is some and it is this caller's turn."""
        if not self._waiting and self._has_room(caller, questions):
            return self._take(caller, questions)
        waiting = _Waiting(caller, questions, asyncio.get_running_loop().create_future())
        self._waiting.put(caller, waiting, questions)
        self.let_in()
        try:
            await waiting.given
        except BaseException:
            if not self._waiting.withdraw(caller, waiting):  # it had its room, and was cancelled before it saw that
                self._give_back(caller, questions)
            raise

    def let_in(self) -> None:
        """Give room to those who have a turn: there may be more of it now."""
        while self._waiting and (waiting := self._waiting.take(self._may_enter)):
            self._take(waiting.caller, waiting.questions)
            if not waiting.given.done():
                waiting.given.set_result(None)

    def _may_enter(self, waiting: _Waiting) -> bool:
        return self._has_room(waiting.caller, waiting.questions)
