"""Puts together how people are told: the channels that are configured, and who carries their letters."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from pdp.channels.choices import Choices
from pdp.channels.postman import Postman
from pdp.channels.spreading import Spreading
from pdp.channels.telling import Held, Telling
from pdp.channels.ways import Way
from pdp.config import Config
from pdp.opa.queries import Opa
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.server.sweep import NOTIFY_SECONDS, every
from pdp.store.letters import Letters
from pdp.store.message_pace import MessagePace
from pdp.workflow.contacts import Contacts


class Messages:
    """The letters for people and their carriers. Without a channel there is no work."""

    def __init__(self, config: Config, opa: Opa, parts: Parts, flows: Flows, ways: Sequence[Way]) -> None:
        letters, pace, choices = Letters(parts.database), MessagePace(parts.database), Choices(Contacts(opa))
        held = Held(parts.approvals, parts.sealer)
        spreading = Spreading(ways, held, letters, flows.reviewers, choices, config.person_types)
        deliveries = {way.channel.name: Telling(way, held, letters, pace, choices, parts.people.site) for way in ways}
        self._spreading = Postman("", letters, parts.notifications, pace, spreading.deliver)
        self._postmen = {
            name: Postman(name, letters, parts.notifications, pace, telling.deliver)
            for name, telling in deliveries.items()
        }

    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """A probe of each channel, by its name."""
        return {name: postman.is_healthy for name, postman in self._postmen.items()}

    async def run(self) -> None:
        """Carry letters until cancelled. Each channel has its own carrier, so that none waits for another."""
        async with asyncio.TaskGroup() as group:
            for postman in (self._spreading, *self._postmen.values()) if self._postmen else ():
                group.create_task(every(NOTIFY_SECONDS, postman.send))
            await asyncio.Event().wait()
