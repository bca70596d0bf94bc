"""Tells the webhooks about the steps of approvals: at least once, in any order, tried for about a day.

What left goes to `lineage.forward` in the same way, once its event is kept (`pdp/workflow/outflow.py`).

1. A step lists itself as untold, in its own compare-and-set.
2. When its records are durable, any process may turn it into one message for each webhook, and one letter from which
   the letters for people are made (`pdp/channels/spreading.py`).
3. The message has the record's id, so it stays the same message if several processes make it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

from pdp.config import Config
from pdp.notify.attempts import ATTEMPTS, wait
from pdp.notify.endpoint import Endpoint
from pdp.notify.incoming import Format, incoming
from pdp.notify.message import Step, message
from pdp.site import Site
from pdp.store.letters import Letter, Letters
from pdp.store.notifications import FORWARD, Due, Errand, Notifications

log = logging.getLogger(__name__)

_AT_ONCE = 16
"""Messages that are sent at one time to one webhook, and steps that are announced at one time."""


class Notifier:
    """Tells the webhooks, `forward` of lineage, and the carriers of letters to people. Without any it has no work."""

    def __init__(
        self,
        realm: str,
        notifications: Notifications,
        endpoints: Sequence[Endpoint],
        forward: Endpoint | None = None,
        people: Letters | None = None,
        site: Site | None = None,
    ) -> None:
        """`people`: where a step becomes a letter for people, too. `site`: where the pages are."""
        self._site = site or Site()
        self._realm, self._notifications, self._endpoints = realm, notifications, endpoints
        self._people = people
        self.work: list[Callable[[], Awaitable[None]]] = []
        """The work to do again and again. Each webhook has its own, so that none waits for another."""
        if endpoints or people:
            self.work = [self.announce, *(Courier(endpoint, notifications).send for endpoint in endpoints)]
        if forward:
            self.work.append(Courier(forward, notifications).send)

    @classmethod
    def of(cls, config: Config, notifications: Notifications, people: Letters | None, site: Site) -> Self:
        """That of a configured server. Raises `SetupError` if a webhook's secret cannot be used."""
        forward = config.lineage.forward if config.lineage else None
        endpoints = [Endpoint.of(**dict(hook)) for hook in config.webhooks]
        lineage = Endpoint.of_lineage(FORWARD, forward.url, forward.api_key) if forward else None
        return cls(config.realm, notifications, endpoints, lineage, people, site)

    async def announce(self) -> None:
        """Turn untold steps into messages."""
        while steps := await self._notifications.untold(_AT_ONCE):
            await asyncio.gather(*(self._announce(step) for step in steps))

    async def _announce(self, step: Step) -> None:
        for endpoint in self._endpoints:
            if step.event in endpoint.events:
                await self._notifications.add(endpoint.name, step, self._body(step, endpoint.format))
        if self._people:
            await self._people.add(_letter(step))
        await self._notifications.told(step)

    def _body(self, step: Step, of: Format) -> bytes:
        if of is Format.CLOUDEVENTS:
            return message(step, self._realm)
        return incoming(step, of, self._site.approval(step.approval_id))


def _letter(step: Step) -> Letter:
    """The letter that becomes one for everybody whom the step concerns."""
    return Letter(
        id=f"{step.record_id}/{Errand.SPREAD}",
        channel="",
        errand=Errand.SPREAD,
        approval_id=step.approval_id,
        event=step.event,
        record_id=step.record_id,
        state=step.state,
    )


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
