"""Teams as a channel for notices."""

import json
from functools import partial

from pdp.channels.fitting import fitting
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
        return await fitting(partial(self._post, to), message)

    async def edit(self, handle: str, notice: Notice) -> None:
        """Change it. Raises `Refused`."""
        await fitting(partial(self._edit, *_place(handle)), notice)

    async def reply(self, handle: str, notice: Notice) -> None:
        """Send it in a thread. Raises `Refused`."""
        await fitting(partial(self._send, *_place(handle)), notice)

    async def check(self) -> None:
        """Raise `Refused` unless Microsoft takes our secret."""
        await self._connector.check()

    async def _post(self, to: str, message: Message) -> str:
        if to.startswith("19:"):
            return _handle(*await self._connector.in_channel(to, activity(message)))
        conversation = await self._connector.with_person(to)
        return _handle(conversation, await self._send(conversation, "", message))

    async def _send(self, conversation: str, first: str, message: Message) -> str:
        return await self._connector.send(conversation, activity(message), first)

    async def _edit(self, conversation: str, activity_id: str, message: Message) -> None:
        await self._connector.change(conversation, activity_id, activity(message))


def _handle(conversation: str, activity_id: str) -> str:
    """What finds a message again."""
    return json.dumps({"conversation": conversation, "activity": activity_id})


def _place(handle: str) -> tuple[str, str]:
    held = json.loads(handle)
    return str(held["conversation"]), str(held["activity"])
