"""Slack as a channel for notices."""

from functools import partial

from pdp.channels.fitting import fitting
from pdp.channels.notice import Message, Notice, Refused
from pdp.channels.notice_lines import fallback
from pdp.channels.slack.notices import blocks
from pdp.channels.slack.web import SlackWeb, handle, place


class SlackChannel:
    """Sends notices to people and channels of one team, edits them and replies to them."""

    name = "slack"
    edits = True

    def __init__(self, web: SlackWeb, team: str) -> None:
        self._web, self._team = web, team

    async def post(self, to: str, message: Message) -> str:
        """Send it to a channel or, by the id of a user, to a person. Raises `Refused`."""
        return await fitting(partial(self._post, to, ""), message)

    async def edit(self, handle: str, notice: Notice) -> None:
        """Change it. Raises `Refused`."""
        await fitting(partial(self._edit, *place(handle)), notice)

    async def reply(self, handle: str, notice: Notice) -> None:
        """Send it in a thread. Raises `Refused`."""
        await fitting(partial(self._post, *place(handle)), notice)

    async def check(self) -> None:
        """Raise `Refused` unless Slack takes our token, and it is that of the configured team."""
        if await self._web.team() != self._team:
            mend = f"check slack.team, {self._team}, and the file that slack.bot_token names"
            raise Refused("the bot token is that of another team than slack.team", dead=True, mend=mend)

    async def _post(self, channel: str, thread: str, message: Message) -> str:
        return handle(*await self._web.post(channel, fallback(message), blocks(message), thread=thread))

    async def _edit(self, channel: str, ts: str, message: Message) -> None:
        await self._web.edit(channel, ts, fallback(message), blocks(message))
