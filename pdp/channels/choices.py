"""How people want to be told: what they chose, and else what the policy's data says."""

from collections.abc import Sequence
from datetime import datetime

from pdp.channels.ways import Way
from pdp.workflow.contacts import Contacts


class Choices:
    """Knows when and where each person is told."""

    def __init__(self, contacts: Contacts) -> None:
        self._contacts = contacts

    async def quiet_until(self, identity: str, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` lies in; None outside of them."""
        quiet = (await self._contacts.of(identity)).quiet
        return quiet.until(now) if quiet else None

    async def ways_of(self, identity: str, ways: Sequence[Way]) -> list[Way]:
        """The channels in which a person is told: those that know where."""
        return [way for way in ways if await way.to(identity)]
