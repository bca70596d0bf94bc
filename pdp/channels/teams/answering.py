"""Answers people's clicks in Teams with dialogs, and passes their verdicts on to `Verdicts`.

What takes longer than Teams waits goes on, and the person gets a private message with the page: no dialog opens later.
"""

import asyncio
import logging
from functools import partial
from typing import NamedTuple

from pdp import deadline
from pdp.caller import Caller
from pdp.channels.beside import OF_ONE, Beside
from pdp.channels.notice import Note, Refused
from pdp.channels.teams.activity import By, Click, Sent
from pdp.channels.teams.cards import Card
from pdp.channels.teams.channel import TeamsChannel
from pdp.channels.teams.rendering import dialog, sentence, view
from pdp.channels.verdicts import Given, Verdicts, recorded
from pdp.errors import Overloaded, PdpError
from pdp.room import LATER_SECONDS, Room
from pdp.visible import visible
from pdp.workflow.chat_views import fresh

log = logging.getLogger(__name__)

SPARE_SECONDS = 0.8
"""Seconds before the call's end at which a person is told that it takes longer."""
TAKES_AT_MOST = deadline.MAX_SECONDS
"""Seconds that the work on a click may take in all."""
BUSY = "Placet works on too many clicks of yours at once and did not look at this one; click again in a moment"
"""What a person is told whose click was not looked at."""
LATE = "Placet could not answer here in time; open the page, which shows how it stands"
"""What a person is told who waited in vain."""


class Answer(NamedTuple):
    """What a dialog shows, and the sentence that says it in a message."""

    card: Card
    said: str


class Answering:
    """Answers clicks of the people of one tenant. `channel` takes private messages to them."""

    def __init__(self, verdicts: Verdicts, channel: TeamsChannel) -> None:
        self._verdicts, self._channel = verdicts, channel
        self._beside, self._room = Beside("teams"), Room(OF_ONE, BUSY, LATER_SECONDS)

    async def answer(self, done: Click | Sent) -> Card:
        """What Teams shows, only to the person who clicked. Few clicks of one account are worked on at one time."""
        try:
            with self._room.taken(done.by.account):
                return await self._answer(done)
        except Overloaded as error:
            return dialog(sentence(error.sentence, self._verdicts.page(done.approval_id)))

    async def _answer(self, done: Click | Sent) -> Card:
        work = asyncio.get_running_loop().create_task(self._worked(done))
        try:
            finished, _ = await asyncio.wait({work}, timeout=max(deadline.left() - SPARE_SECONDS, 0.0))
        except asyncio.CancelledError:
            work.cancel()
            raise
        if finished:
            return dialog(self._card(done, work))
        if not self._beside.begin(done.by.account, partial(self._follow, done, work)):
            work.cancel()
        return dialog(sentence(LATE, self._verdicts.page(done.approval_id)))

    def _card(self, done: Click | Sent, work: asyncio.Task[Answer]) -> Card:
        """What became of the work; where it failed and even that could not be recorded, only a sentence."""
        try:
            return work.result().card
        except PdpError as error:
            return self._said(error.sentence, done.approval_id).card

    async def settled(self) -> None:
        """Let what has begun end."""
        await self._beside.settled()

    async def _worked(self, done: Click | Sent) -> Answer:
        deadline.begin(None, None, TAKES_AT_MOST)  # of the work, which the answer does not wait for
        return await (self._clicked(done) if isinstance(done, Click) else self._sent(done))

    async def _follow(self, done: Click | Sent, work: asyncio.Task[Answer]) -> None:
        """Tell a person in private what the dialog could not say; of a click, which opens nothing any more, at once."""
        if isinstance(done, Click):
            await self._tell(done, LATE)
        try:
            async with asyncio.timeout(TAKES_AT_MOST):
                said = (await work).said
        except TimeoutError:
            said = LATE
        except PdpError as error:
            said = error.sentence
        if isinstance(done, Sent):
            await self._tell(done, said)

    async def _tell(self, done: Click | Sent, said: str) -> None:
        if not done.by.is_ours:
            return
        try:
            note = Note(visible(said), self._verdicts.page(done.approval_id))
            await self._channel.post(done.by.account.rpartition("/")[2], note)
        except Refused as refused:
            log.warning("teams: a person could not be told how a click went: %s", refused.problem)

    async def _clicked(self, click: Click) -> Answer:
        identity = ""
        try:
            caller = await self._caller(click.by)
            identity = caller.identity
            return Answer(await self._view(caller, click.by, click.approval_id, only_no=click.only_no), LATE)
        except PdpError as error:
            await self._verdicts.refused(click.by.account, error, identity, click.approval_id)
            return self._said(error.sentence, click.approval_id)

    async def _sent(self, sent: Sent) -> Answer:
        identity = ""
        try:
            caller = await self._caller(sent.by)
            identity = caller.identity
            given = Given(sent.token, None, sent.verdict, sent.reason)
            taken = await self._verdicts.review(caller, sent.by.account, given)
        except PdpError as error:
            await self._verdicts.refused(sent.by.account, error, identity, sent.approval_id)
            return await self._again(sent, error, known=bool(identity))
        return self._said(recorded(sent.verdict, identity, taken), sent.approval_id)

    async def _again(self, sent: Sent, error: PdpError, *, known: bool) -> Answer:
        """A fresh view that says why the verdict was not taken; a sentence where there is nothing to show."""
        why = error
        if known and sent.approval_id:
            try:
                caller = await self._caller(sent.by)
                shown = await self._view(caller, sent.by, sent.approval_id, note=error.sentence)
                return Answer(shown, error.sentence)
            except PdpError as other:
                why = other
        return self._said(why.sentence, sent.approval_id)

    def _said(self, said: str, approval_id: str) -> Answer:
        return Answer(sentence(said, self._verdicts.page(approval_id)), said)

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
