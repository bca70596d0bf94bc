"""The ways to people: a channel, where it finds each person, and which group has a conversation of its own there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pdp.channels.notice import Addresses, Channel

GROUP = "#"
"""What stands before the name of a group, so that it cannot be taken for an identity."""


@dataclass(frozen=True, slots=True)
class Way:
    """One channel. `groups` are the conversations of groups by their name."""

    channel: Channel
    addresses: Addresses
    groups: Mapping[str, str] = field(default_factory=dict)

    async def to(self, who: str) -> str:
        """Where `who` is told, an identity or a group behind `GROUP`; empty where nothing is known."""
        if who.startswith(GROUP):
            return self.groups.get(who.removeprefix(GROUP), "")
        return await self.addresses.of(who)
