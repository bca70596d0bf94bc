"""From an approval's steps to its webhooks: at least once, in no promised order, tried for about a day.

A step says in its own compare-and-set that it is untold. Once its records are durable every process may turn it into
one message a webhook; the record's id makes that the same message however often it is done.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence

from pdp.notify.endpoint import Endpoint
from pdp.notify.message import Step, message
from pdp.store.notifications import Due, Notifications

log = logging.getLogger(__name__)

ATTEMPTS = 10
_FIRST_WAIT_SECONDS = 10.0
"""Longer than an attempt, so that a claimed message is nobody else's until the attempt is over."""
_GROWTH = 3
_AT_ONCE = 16


class Notifier:
    """Tells the webhooks. Without any it has no work."""

    def __init__(self, realm: str, notifications: Notifications, endpoints: Sequence[Endpoint]) -> None:
        self._realm, self._notifications, self._endpoints = realm, notifications, endpoints
        self.work: list[Callable[[], Awaitable[None]]] = []
        """What is to be done again and again; each webhook's apart, so that none waits for another."""
        if endpoints:
            self.work = [self.announce, *(Courier(endpoint, notifications).send for endpoint in endpoints)]

    async def announce(self) -> None:
        """Turn untold steps into messages."""
        while steps := await self._notifications.untold(_AT_ONCE):
            await asyncio.gather(*(self._announce(step) for step in steps))

    async def _announce(self, step: Step) -> None:
        body = message(step, self._realm)
        for endpoint in self._endpoints:
            if step.event in endpoint.events:
                await self._notifications.add(endpoint.name, step, body)
        await self._notifications.told(step)


class Courier:
    """Takes messages to one webhook."""

    def __init__(self, endpoint: Endpoint, notifications: Notifications) -> None:
        self._endpoint, self._notifications = endpoint, notifications

    async def send(self) -> None:
        """Send what is due."""
        while due := await self._notifications.due(self._endpoint.name, _AT_ONCE):
            await asyncio.gather(*(self._send(one) for one in due))

    async def _send(self, due: Due) -> None:
        """One attempt, claimed by setting the time of the next; who dies meanwhile leaves it to that."""
        if due.attempts >= ATTEMPTS:
            await self._notifications.failed(due, due.attempts, "the last attempt did not end", dead=True)
            return
        if not await self._notifications.claim(due, wait(due.attempts)):
            return
        problem = await self._endpoint.send(due.record_id, due.message)
        if not problem:
            await self._notifications.delivered(due)
            return
        dead = due.attempts + 1 >= ATTEMPTS
        await self._notifications.failed(due, due.attempts + 1, problem, dead=dead)
        if dead:
            log.warning("webhook %s was not told of %s: %s", self._endpoint.name, due.record_id, problem)


def wait(attempts: int) -> float:
    """Seconds from the attempt after `attempts` others to the one after it, a fifth more or less."""
    return float(_FIRST_WAIT_SECONDS * _GROWTH**attempts * random.uniform(0.8, 1.2))  # noqa: S311  # jitter
