"""How people want to be told of requests: what they chose, and else what the policy's data says."""

from collections.abc import Sequence
from datetime import datetime

from pdp.channels.ways import GROUP, Way
from pdp.workflow.choosing import Choosing


class Choices:
    """Knows when and where each person is told."""

    def __init__(self, choosing: Choosing) -> None:
        self._choosing = choosing

    async def quiet_until(self, identity: str, now: datetime) -> datetime | None:
        """The end of the quiet hours that `now` lies in; None outside of them."""
        quiet = await self._choosing.quiet(identity)
        return quiet.until(now) if quiet else None

    async def ways_of(self, identity: str, ways: Sequence[Way]) -> list[Way]:
        """The channels in which a person is told: those that know where, but for those that the person muted."""
        muted = await self._choosing.muted(identity)
        return [way for way in ways if way.channel.name not in muted and await way.to(identity)]

    async def to(self, who: str, way: Way) -> str:
        """Where `who` is told in one channel; empty where nothing is known, or where the person muted it."""
        is_muted = not who.startswith(GROUP) and way.channel.name in await self._choosing.muted(who)
        return "" if is_muted else await way.to(who)
