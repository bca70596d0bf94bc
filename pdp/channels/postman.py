"""Takes the due letters of one channel: claims each, tries it, and stores how that went."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from pdp.channels.notice import ATTEMPT_SECONDS, Refused
from pdp.errors import PdpError
from pdp.notify.attempts import ATTEMPTS, wait
from pdp.store.letters import DueLetter, Letters
from pdp.store.message_pace import MessagePace
from pdp.store.notifications import Notifications, Progress

log = logging.getLogger(__name__)

_AT_ONCE = 16
"""Letters that are tried at one time in one channel."""
AWAY_SECONDS = 15.0
"""Seconds between two looks whether a channel is back that did not answer, or did not take our credentials."""
DEAD_SECONDS = 60.0
"""Seconds in which nothing is tried in a channel that does not take our credentials."""
LONGEST_SECONDS = 3600.0
"""Seconds that a vendor may have us wait at one time."""


@dataclass(frozen=True, slots=True)
class Later:
    """This letter must wait longer. Its attempt does not count."""

    seconds: float


Outcome: TypeAlias = Progress | Later
Delivering: TypeAlias = Callable[[DueLetter], Awaitable[Outcome]]
"""Makes one attempt. Raises `Refused`."""


class Postman:
    """Takes the letters of one channel; `name` is empty for those that become letters of all channels."""

    def __init__(
        self,
        name: str,
        letters: Letters,
        notifications: Notifications,
        pace: MessagePace,
        deliver: Delivering,
        check: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`check` raises `Refused` unless messages would be taken."""
        self._name, self._letters, self._notifications = name, letters, notifications
        self._pace, self._deliver, self._check = pace, deliver, check
        self._looks_at = math.inf
        """When to look whether the channel is back."""
        self.problem = ""
        """Why the channel takes nothing at all; empty as long as nothing speaks against it."""

    async def is_healthy(self) -> bool:
        """Whether the channel took the last message, or refused it for the message's own sake."""
        return not self.problem

    async def send(self) -> None:
        """Try the letters that are due; where the channel was away, all that wait for it as soon as it is back."""
        if self._check and self._looks_at <= time.monotonic():
            await self._look(self._check)
        while not await self._pace.is_held(self._name) and (due := await self._letters.due(self._name, _AT_ONCE)):
            await asyncio.gather(*(self._send(one) for one in due))

    async def _look(self, check: Callable[[], Awaitable[None]]) -> None:
        """Find out whether the channel is back. Each letter waits for its next attempt, and that may be in hours."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await check()
        except (Refused, TimeoutError):
            self._looks_at = time.monotonic() + AWAY_SECONDS
            return
        await self._letters.hurry(self._name)
        self._looks_at = math.inf
        log.info("%s is back; what waits for it is sent", self._name)

    async def _send(self, due: DueLetter) -> None:
        if due.attempts >= ATTEMPTS:
            await self._notifications.failed(due, due.attempts, "the last attempt did not end", dead=True)
            return
        if not await self._notifications.claim(due, wait(due.attempts)):
            return
        try:
            outcome = await self._deliver(due)
        except Refused as refused:
            await self._refused(due, refused)
        except PdpError as error:
            await self._failed(due, error.sentence)
        except Exception:
            log.exception("a message for people could not be made; the others go on")
            await self._failed(due, "the server could not make this message; its log says why")
        else:
            await self._went(due, outcome)

    async def _went(self, due: DueLetter, outcome: Outcome) -> None:
        if isinstance(outcome, Later):
            await self._letters.put_back(due, outcome.seconds)
            return
        if outcome is Progress.DELIVERED and self.problem:
            log.info("%s takes messages again", self._name)
            self.problem = ""
        await self._letters.done(due, outcome)

    async def _refused(self, due: DueLetter, refused: Refused) -> None:
        if refused.retry_after is not None:
            seconds = min(max(refused.retry_after, 1.0), LONGEST_SECONDS)
            await self._pace.hold(self._name, seconds)
            await self._letters.put_back(due, seconds)
            return
        if refused.dead:
            if not self.problem:
                log.error(
                    "%s takes no message: %s; nobody is told there until it is mended", self._name, refused.problem
                )
            self.problem = refused.problem
            await self._pace.hold(self._name, DEAD_SECONDS)
        if (refused.dead or refused.away) and self._looks_at == math.inf:
            self._looks_at = time.monotonic() + AWAY_SECONDS
        await self._failed(due, refused.problem)

    async def _failed(self, due: DueLetter, problem: str) -> None:
        dead = due.attempts + 1 >= ATTEMPTS
        await self._notifications.failed(
            # the claim counted this attempt
            due,
            due.attempts + 1,
            problem,
            dead=dead,
        )
        if dead:
            log.warning("%s was not told of %s: %s", due.letter.who or self._name, due.letter.record_id, problem)
