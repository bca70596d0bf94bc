"""Answers people's clicks in Teams with dialogs, and passes their verdicts on to `Verdicts`."""

import asyncio

from pdp.caller import Caller
from pdp.channels.teams.activity import By, Click, Sent
from pdp.channels.teams.cards import Card
from pdp.channels.teams.rendering import dialog, sentence, view
from pdp.channels.verdicts import Given, Verdicts, recorded
from pdp.errors import PdpError
from pdp.workflow.chat_views import fresh

ANSWERS_WITHIN = 4.0
"""Seconds in which a click is answered: Teams waits for 5 s."""
LATE = "Placet could not answer here in time; open the page, which shows how it stands"
"""What a person is told who waited in vain."""


class Answering:
    """Answers clicks of the people of one tenant."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts

    async def answer(self, done: Click | Sent) -> Card:
        """What Teams shows to who clicked, and to nobody else."""
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                return dialog(await (self._clicked(done) if isinstance(done, Click) else self._sent(done)))
        except TimeoutError:
            return dialog(sentence(LATE, self._verdicts.page(done.approval_id)))

    async def _clicked(self, click: Click) -> Card:
        identity = ""
        try:
            caller = await self._caller(click.by)
            identity = caller.identity
            return await self._view(caller, click.by, click.approval_id, only_no=click.only_no)
        except PdpError as error:
            await self._verdicts.refused(click.by.account, error, identity, click.approval_id)
            return sentence(error.sentence, self._verdicts.page(click.approval_id))

    async def _sent(self, sent: Sent) -> Card:
        identity = ""
        try:
            caller = await self._caller(sent.by)
            identity = caller.identity
            given = Given(sent.token, None, sent.verdict, sent.reason)
            taken = await self._verdicts.review(caller, sent.by.account, given)
        except PdpError as error:
            await self._verdicts.refused(sent.by.account, error, identity, sent.approval_id)
            return await self._again(sent, error, known=bool(identity))
        return sentence(recorded(sent.verdict, identity, taken), self._verdicts.page(sent.approval_id))

    async def _again(self, sent: Sent, error: PdpError, *, known: bool) -> Card:
        """A fresh view that says why the verdict was not taken; a sentence where there is nothing to show."""
        why = error
        if known and sent.approval_id:
            try:
                return await self._view(await self._caller(sent.by), sent.by, sent.approval_id, note=error.sentence)
            except PdpError as other:
                why = other
        return sentence(why.sentence, self._verdicts.page(sent.approval_id))

    async def _view(self, caller: Caller, by: By, approval_id: str, *, note: str = "", only_no: bool = False) -> Card:
        """A new view for one person, with a token where it takes a verdict. Raises `PdpError`."""
        seen, token = await self._verdicts.seen(caller, approval_id), fresh()
        made = view(seen.shown, seen.offered, caller.identity, token, note=note, only_no=only_no)
        if made.verdicts:
            await self._verdicts.offer(token, caller, by.account, seen, made.verdicts, made.rendered)
        return made.card

    async def _caller(self, by: By) -> Caller:
        """Who clicked. Raises `PdpError`."""
        if not by.is_ours:
            sentence = "only people of the tenant that Placet is connected to review here; review it on the page"
            raise self._verdicts.stranger(sentence)
        return await self._verdicts.caller(by.account)
