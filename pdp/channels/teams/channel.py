"""Teams as a channel for notices."""

import json

from pdp.channels.notice import Message, Notice
from pdp.channels.teams.connector import Connector
from pdp.channels.teams.notices import activity


class TeamsChannel:
    """Sends notices to people and channels of one tenant, edits them and replies to them."""

    name = "teams"
    edits = True

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    async def post(self, to: str, message: Message) -> str:
        """Send it to a channel or, by the object id, to a person. Raises `Refused`."""
        said = activity(message)
        if to.startswith("19:"):
            return _handle(*await self._connector.in_channel(to, said))
        conversation = await self._connector.with_person(to)
        return _handle(conversation, await self._connector.send(conversation, said))

    async def edit(self, handle: str, notice: Notice) -> None:
        """Change it. Raises `Refused`."""
        await self._connector.change(*_place(handle), activity(notice))

    async def reply(self, handle: str, notice: Notice) -> None:
        """Send it in a thread. Raises `Refused`."""
        conversation, first = _place(handle)
        await self._connector.send(conversation, activity(notice), first)

    async def check(self) -> None:
        """Raise `Refused` unless Microsoft takes our secret."""
        await self._connector.check()


def _handle(conversation: str, activity_id: str) -> str:
    """What finds a message again."""
    return json.dumps({"conversation": conversation, "activity": activity_id})


def _place(handle: str) -> tuple[str, str]:
    held = json.loads(handle)
    return str(held["conversation"]), str(held["activity"])
