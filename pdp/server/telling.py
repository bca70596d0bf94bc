"""Puts together how people are told: the channels that are configured, and who carries their letters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from pdp.background import background
from pdp.channels.choices import Choices
from pdp.channels.elsewhere import Elsewhere
from pdp.channels.mail import Mail, MailAddresses
from pdp.channels.postman import Postman
from pdp.channels.spreading import Spreading
from pdp.channels.telling import Held, Telling
from pdp.channels.ways import Way
from pdp.config import Config
from pdp.opa.queries import Opa
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.server.people import channels
from pdp.server.sweep import NOTIFY_SECONDS, SWEEP_SECONDS, every
from pdp.store.letters import Letters
from pdp.store.message_pace import MessagePace
from pdp.store.reminders import Reminders
from pdp.workflow.choosing import Choosing
from pdp.workflow.contacts import Contacts
from pdp.workflow.refused_clicks import RefusedClicks
from pdp.workflow.reminding import Reminding
from pdp.workflow.reviewers import Reviewers


class Messages:
    """The letters for people and their carriers. Without a channel there is no work."""

    def __init__(
        self, config: Config, choosing: Choosing, parts: Parts, reviewers: Reviewers, ways: Sequence[Way]
    ) -> None:
        self.choosing = choosing
        letters, pace, choices = Letters(parts.database), MessagePace(parts.database), Choices(choosing)
        held, elsewhere = Held(parts.approvals, parts.sealer), Elsewhere(ways, letters, choices)
        self._reminding = Reminding(Reminders(parts.database), letters, parts.writer, parts.batches)
        self._clicks = RefusedClicks(parts.database, parts.writer)
        spreading = Spreading(ways, held, letters, reviewers, choices, config.person_types, self._reminding)
        shared = letters, parts.notifications, pace
        self._spreading = Postman("", *shared, spreading.deliver)
        self._postmen = {
            way.channel.name: Postman(
                way.channel.name,
                *shared,
                Telling(way, held, letters, pace, choices, elsewhere, parts.people.site).deliver,
                way.channel.check,
            )
            for way in ways
        }

    def health(self) -> Mapping[str, Callable[[], Awaitable[bool]]]:
        """A probe of each channel, by its name."""
        return {name: postman.is_healthy for name, postman in self._postmen.items()}

    async def run(self) -> None:
        """Carry letters until cancelled. Each channel has its own carrier, so that none waits for another."""
        async with asyncio.TaskGroup() as group:
            group.create_task(every(SWEEP_SECONDS, self._reminding.make_due))
            group.create_task(every(SWEEP_SECONDS, self._clicks.sum_up))
            for postman in (self._spreading, *self._postmen.values()):
                group.create_task(every(NOTIFY_SECONDS, postman.send))


@asynccontextmanager
async def telling(
    config: Config,
    opa: Opa,
    parts: Parts,
    flows: Flows,
    ways: Sequence[Way],
    failed: asyncio.Future[None],
) -> AsyncIterator[Messages]:
    """Tell people until the block ends: by mail, and by `ways`. Raises `SetupError`."""
    contacts = Contacts(opa)
    configured = [*_mail(config, contacts, parts), *ways]
    choosing = Choosing(parts.people.preferences, contacts, {way.channel.name: way.to for way in configured})
    messages = Messages(config, choosing, parts, flows.reviewers, configured)
    async with AsyncExitStack() as stack:
        if configured:
            await stack.enter_async_context(background(messages.run(), failed))
        yield messages


def tells(config: Config, ways: Sequence[Way]) -> bool:
    """Whether people are told in any channel."""
    return bool(ways or channels(config))


def _mail(config: Config, contacts: Contacts, parts: Parts) -> list[Way]:
    if config.mail is None:
        return []
    return [Way(Mail(config.mail), MailAddresses(contacts, parts.people.last_logins))]
