"""What one letter becomes when it is sent: worded from the state of that moment, or nothing where that is over."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from pdp.approval import ApprovalAt, State
from pdp.channels.choices import Choices
from pdp.channels.elsewhere import Elsewhere
from pdp.channels.notes import note_of
from pdp.channels.notice import ATTEMPT_SECONDS, Aim, Channel, Message, Note, Refused
from pdp.channels.postman import Later, Outcome
from pdp.channels.ways import GROUP, Way
from pdp.channels.wording import notice_of, summary, wants
from pdp.seal import Sealer
from pdp.site import Site
from pdp.store.approvals import Approvals
from pdp.store.letters import DueLetter, Letter, Letters
from pdp.store.message_pace import MessagePace
from pdp.store.notifications import Errand, Progress

T = TypeVar("T")
_TURN_SECONDS = 1.0
"""Seconds until the next message in a conversation may go."""
_SOON_SECONDS = 2.0
"""Seconds until an update looks again for a notice that is not posted yet."""
_TAMPERED = "the approval was changed behind the servers' back; nothing of it is told"


class Held:
    """Reads approvals that may be told of."""

    def __init__(self, approvals: Approvals, sealer: Sealer) -> None:
        self._approvals, self._sealer = approvals, sealer

    async def get(self, approval_id: str) -> ApprovalAt | None:
        """An approval as the servers wrote it. Raises `Refused` where somebody else changed it."""
        held = await self._approvals.get(approval_id)
        if held is not None and (self._sealer.is_old(held.approval) or self._sealer.fault(held.approval)):
            raise Refused(_TAMPERED)
        return held


class Telling:
    """Delivers the letters of one channel."""

    def __init__(
        self,
        way: Way,
        held: Held,
        letters: Letters,
        pace: MessagePace,
        choices: Choices,
        elsewhere: Elsewhere,
        site: Site,
    ) -> None:
        self._way, self._held, self._letters, self._elsewhere = way, held, letters, elsewhere
        self._pace, self._choices, self._site = pace, choices, site

    @property
    def channel(self) -> Channel:
        """The channel."""
        return self._way.channel

    async def deliver(self, due: DueLetter) -> Outcome:
        """Make one attempt. Raises `Refused`."""
        match due.letter.errand:
            case Errand.ASK | Errand.END:
                return await self._notice(due)
            case Errand.UPDATE:
                return await self._update(due)
            case Errand.REMIND:
                return await self._remind(due)
            case Errand.WAITING:
                return await self._waiting(due)
        note = note_of(due.letter.event, self._site.url and f"{self._site.url}/inbox/me")
        return await self._note(note, await self._way.to(due.letter.who)) if note else Progress.UNNEEDED

    async def _notice(self, due: DueLetter) -> Outcome:
        letter = due.letter
        held = await self._held.get(letter.approval_id)
        is_end = letter.errand is Errand.END
        if held is None or not (_ended(held, letter) if is_end else _asks(held, letter.who)):
            return Progress.UNNEEDED
        to = await self._choices.to(letter.who, self._way)
        if not to:
            await self._elsewhere.tell(letter)
            return Progress.UNNEEDED
        if later := await self._must_wait(due, to, held):
            return later
        aim = Aim.END if is_end else Aim.ASK
        notice = notice_of(held, aim, self._site.approval(letter.approval_id))
        handle = await self._within(self.channel.post(to, notice))
        await self._letters.posted(due, handle, notice.version)
        return Progress.DELIVERED

    async def _update(self, due: DueLetter) -> Outcome:
        letter = due.letter
        posted = await self._letters.notice(letter.notice)
        if posted is not None and posted.progress is Progress.WAITING:
            return Later(_SOON_SECONDS)
        held = await self._held.get(letter.approval_id)
        if posted is None or not posted.handle or held is None or posted.shown >= held.approval.version:
            return Progress.UNNEEDED
        if not await self._pace.turn(self.channel.name, await self._way.to(letter.who)):
            return Later(_TURN_SECONDS)
        if not await self._letters.begin_edit(letter.notice, held.approval.version, due.now):
            return Later(_SOON_SECONDS)
        notice = notice_of(held, Aim(posted.errand), self._site.approval(letter.approval_id))
        await self._within(self.channel.edit(posted.handle, notice.without_words))
        await self._letters.edited(letter.notice, notice.version)
        return Progress.DELIVERED

    async def _remind(self, due: DueLetter) -> Outcome:
        letter = due.letter
        held, posted = await self._held.get(letter.approval_id), await self._letters.notice(letter.notice)
        if held is None or not _asks(held, letter.who) or posted is None or not posted.handle:
            return Progress.UNNEEDED
        to = await self._choices.to(letter.who, self._way)
        if not to:
            await self._elsewhere.tell(letter)
            return Progress.UNNEEDED
        if later := await self._must_wait(due, to, held):
            return later
        notice = notice_of(held, Aim.REMIND, self._site.approval(letter.approval_id))
        await self._within(self.channel.reply(posted.handle, notice))
        return Progress.DELIVERED

    async def _waiting(self, due: DueLetter) -> Outcome:
        who = due.letter.who
        waiting = await self._letters.waiting(who)
        if not waiting:
            return Progress.UNNEEDED
        note = Note(summary(waiting), self._site.url and f"{self._site.url}/inbox")
        return await self._note(note, await self._choices.to(who, self._way))

    async def _note(self, note: Message, to: str) -> Outcome:
        if not to:
            return Progress.UNNEEDED
        if not await self._pace.turn(self.channel.name, to):
            return Later(_TURN_SECONDS)
        await self._within(self.channel.post(to, note))
        return Progress.DELIVERED

    async def _must_wait(self, due: DueLetter, to: str, held: ApprovalAt) -> Later | None:
        """Until when a letter must wait: for the end of quiet hours, for room in the hour, or for its turn."""
        who, letter = due.letter.who, due.letter
        if not who.startswith(GROUP):
            if quiet := await self._choices.quiet_until(who, due.now):
                return _until(quiet, due.now)
            behind = {held.approval.caller, *held.approval.principals} - {who}
            if room := await self._pace.admit(who, letter.id, behind):
                await self._letters.add(_waiting(letter, due.now), over=True)
                return _until(room, due.now)
        return None if await self._pace.turn(self.channel.name, to) else Later(_TURN_SECONDS)

    async def _within(self, sending: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await sending
        except TimeoutError:
            raise Refused(f"no answer within {ATTEMPT_SECONDS:.0f} s", away=True) from None


def _ended(held: ApprovalAt, letter: Letter) -> bool:
    """Whether it ended so, and this person is behind it: others are not told how it ended."""
    return held.state == letter.state and letter.who in held.approval.principals


def _asks(held: ApprovalAt, who: str) -> bool:
    return held.state is State.PENDING and (who.startswith(GROUP) or wants(held.approval, who))


def _until(moment: datetime, now: datetime) -> Later:
    return Later(max((moment - now).total_seconds(), _TURN_SECONDS))


def _waiting(letter: Letter, now: datetime) -> Letter:
    """The letter that says how many more wait: one for each hour and person."""
    name = f"waiting/{now:%Y-%m-%dT%H}/{letter.channel}/{letter.who}"
    return Letter(id=name, channel=letter.channel, errand=Errand.WAITING, who=letter.who)
