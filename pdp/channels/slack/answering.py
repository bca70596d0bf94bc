"""Answers people's clicks in Slack: opens views, and passes their verdicts on to `Verdicts`."""

import asyncio
import logging

from pdp.caller import Caller
from pdp.channels.line import Line
from pdp.channels.notice import Refused
from pdp.channels.slack import parsed, rendering
from pdp.channels.slack.blocks import Block, actions, button, drawn, rich
from pdp.channels.slack.interaction import By, Click, Sent
from pdp.channels.slack.notices import OPEN
from pdp.channels.slack.web import SlackWeb
from pdp.channels.verdicts import Given, Verdicts, recorded
from pdp.errors import PdpError
from pdp.view_errors import ViewAltered
from pdp.workflow.chat_views import fresh

log = logging.getLogger(__name__)

OPENS_WITHIN = 2.5
"""Seconds in which a view is rendered and opened: Slack takes it for 3 s after the click."""
CHECKING = "Placet checks it. If nothing else is shown here in a moment, open the page"
"""What stands in a modal from the click until the verdict is taken or refused."""
BUSY = "Placet has too many clicks at once and did not look at this one. Send it again in a moment."
"""What stands in a modal whose verdict was not looked at. It stays open, with the words in it."""
LATE = "Slack could not show it to you here in time; open the page"
"""What a person is told whose view could not be opened."""
_TEXT = "A message from Placet"


class Answering:
    """Answers clicks of one team."""

    def __init__(self, web: SlackWeb, team: str, verdicts: Verdicts) -> None:
        self._web, self._team, self._verdicts = web, team, verdicts

    async def answer(self, done: Click | Sent) -> None:
        """Do what a person asked for. Nothing is raised: the person is told, or at least the log."""
        try:
            await (self._clicked(done) if isinstance(done, Click) else self._sent(done))
        except Refused as refused:
            log.warning("slack: a person could not be answered: %s", refused.problem)
        except Exception:
            log.exception("slack: a click was not answered")

    def checking(self) -> Block:
        """What a submitted modal shows at once."""
        return rendering.sentence(CHECKING, self._verdicts.home)

    async def _clicked(self, click: Click) -> None:
        identity = ""
        try:
            async with asyncio.timeout(OPENS_WITHIN):
                caller = await self._caller(click.by)
                identity = caller.identity
                view = await self._view(caller, click.by, click.approval_id, only_no=click.only_no)
                await self._web.open(click.trigger, view)
        except PdpError as error:
            try:
                await self._verdicts.refused(click.by.account, error, identity, click.approval_id)
            finally:
                await self._tell(click, error.sentence)
        except (TimeoutError, Refused):
            await self._tell(click, LATE)

    async def _sent(self, sent: Sent) -> None:
        identity = ""
        try:
            caller = await self._caller(sent.by)
            identity = caller.identity
            given = Given(sent.token, parsed.came_back(sent.view), sent.verdict, sent.reason)
            taken = await self._verdicts.review(caller, sent.by.account, given)
        except PdpError as error:
            try:
                await self._verdicts.refused(sent.by.account, error, identity, sent.approval_id)
            finally:
                await self._web.replace(sent.view_id, await self._again(sent, error, known=bool(identity)))
            return
        page = self._verdicts.page(sent.approval_id)
        await self._web.replace(sent.view_id, rendering.sentence(recorded(sent.verdict, identity, taken), page))

    async def _again(self, sent: Sent, error: PdpError, *, known: bool) -> Block:
        """A fresh view that says why the verdict was not taken; a sentence where there is nothing to show."""
        page = self._verdicts.page(sent.approval_id)
        if known and sent.approval_id and not isinstance(error, ViewAltered):
            try:
                caller = await self._caller(sent.by)
                return await self._view(caller, sent.by, sent.approval_id, note=error.sentence)
            except PdpError as other:
                return rendering.sentence(other.sentence, page)
        return rendering.sentence(error.sentence, page)

    async def _view(self, caller: Caller, by: By, approval_id: str, *, note: str = "", only_no: bool = False) -> Block:
        """A new view for one person, with a token where it takes a verdict. Raises `PdpError`."""
        seen, token = await self._verdicts.seen(caller, approval_id), fresh()
        view = rendering.view(seen.shown, seen.offered, caller.identity, token, note=note, only_no=only_no)
        if "submit" in view:
            verdicts = seen.offered.verdicts(only_no=only_no)
            await self._verdicts.offer(token, caller, by.account, seen, verdicts, parsed.rendered(view))
        return view

    async def _caller(self, by: By) -> Caller:
        """Who clicked. Raises `PdpError`."""
        if (by.team, by.home) != (self._team, self._team):
            sentence = "this Slack is not the one that Placet is connected to; review it on the page"
            raise self._verdicts.stranger(sentence)
        return await self._verdicts.caller(by.account)

    async def _tell(self, click: Click, sentence: str) -> None:
        """Say something to one person alone, with the page."""
        page = self._verdicts.page(click.approval_id)
        links = actions("links", [button(OPEN, "Open the page", url=page)] if page else [])
        shown = [*rich("note", [drawn(Line("", sentence))]), *links]
        if click.channel and not click.channel.startswith("D"):
            await self._web.whisper(click.channel, click.by.user, _TEXT, shown)
        else:
            await self._web.post(click.by.user, _TEXT, shown)
