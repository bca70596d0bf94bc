"""Tells the webhooks about the steps of approvals: at least once, in any order, tried for about a day.

What left goes to `lineage.forward` in the same way, once its event is kept (`pdp/workflow/outflow.py`).

1. A step lists itself as untold, in its own compare-and-set.
2. When its records are durable, any process may turn it into one message for each webhook.
3. The message has the record's id, so it stays the same message if several processes make it.
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
"""Attempts to deliver one message. With the waits between them, they take about a day."""
_FIRST_WAIT_SECONDS = 10.0
"""Seconds from the first attempt to the second: longer than an attempt, so that no other process takes a claimed
message before its attempt is over."""
_GROWTH = 3
"""The factor by which each wait is longer than the one before."""
_AT_ONCE = 16
"""Messages that are sent at one time to one webhook, and steps that are announced at one time."""


class Notifier:
    """Tells the webhooks, and `forward` of lineage. Without either it has no work."""

    def __init__(
        self,
        realm: str,
        notifications: Notifications,
        endpoints: Sequence[Endpoint],
        forward: Endpoint | None = None,
    ) -> None:
        self._realm, self._notifications, self._endpoints = realm, notifications, endpoints
        self.work: list[Callable[[], Awaitable[None]]] = []
        """The work to do again and again. Each webhook has its own, so that none waits for another."""
        if endpoints:
            self.work = [self.announce, *(Courier(endpoint, notifications).send for endpoint in endpoints)]
        if forward:
            self.work.append(Courier(forward, notifications).send)

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
        """Send the messages that are due."""
        while due := await self._notifications.due(self._endpoint.name, _AT_ONCE):
            await asyncio.gather(*(self._send(one) for one in due))

    async def _send(self, due: Due) -> None:
        """Make one attempt. Setting the time of the next one claims it; so it is repeated if this process dies."""
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
    """Seconds from the attempt that follows `attempts` earlier ones to the next, plus or minus a fifth."""
    return float(_FIRST_WAIT_SECONDS * _GROWTH**attempts * random.uniform(0.8, 1.2))  # noqa: S311  # jitter
