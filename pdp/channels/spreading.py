"""Turns a step of an approval into letters for all people and groups that it concerns.

1. A new approval asks the groups that have a conversation, and the people who fit and are not behind the request.
2. Each step changes the notices that are posted, until the end.
3. At the end the people behind the request are told how it ended.
4. A reminder goes to those who still may review, in the thread of the notice that asked.

Who is told is found once for each step. A letter has the same id whichever process makes it, so it is made once.
"""

from collections.abc import Collection, Iterable, Sequence

from pdp.approval import Approval, ApprovalAt, State
from pdp.caller import is_person
from pdp.channels.choices import Choices
from pdp.channels.postman import Outcome
from pdp.channels.telling import Held
from pdp.channels.ways import GROUP, Way
from pdp.channels.wording import TOLD_OF
from pdp.quorum import approvals_per_requirement, approvers
from pdp.store.letters import DueLetter, Letter, Letters
from pdp.store.notifications import Errand, Progress
from pdp.workflow.reminding import REMINDED, Reminding
from pdp.workflow.reviewers import Reviewers

_CREATED, _REVIEWED, _CLOSED = "approval.created", "approval.reviewed", "approval.closed"


class Spreading:
    """Makes letters of steps."""

    def __init__(
        self,
        ways: Sequence[Way],
        held: Held,
        letters: Letters,
        reviewers: Reviewers,
        choices: Choices,
        person_types: Collection[str],
        reminding: Reminding,
    ) -> None:
        self._ways, self._held, self._letters = ways, held, letters
        self._reviewers, self._choices, self._person_types = reviewers, choices, person_types
        self._reminding = reminding

    async def deliver(self, due: DueLetter) -> Outcome:
        """Make the letters of one step. Raises `Refused` and `PdpError`."""
        step = due.letter
        held = await self._held.get(step.approval_id)
        if held is None:
            return Progress.UNNEEDED
        if step.event == REMINDED:
            return await self._remind(step, held)
        if step.event == _CREATED:
            await self._ask(step, held.approval)
            return Progress.DELIVERED
        await self._update(step)
        if _is_ending(step):
            await self._end(step, held.approval)
        if State(step.state) not in (State.PENDING, State.APPROVED):
            await self._letters.over(step.approval_id)
        return Progress.DELIVERED

    async def _ask(self, step: Letter, approval: Approval) -> None:
        for way in self._ways:
            for group in sorted(way.groups.keys() & lacking_groups(approval)):
                await self._add(step, way, Errand.ASK, GROUP + group)
        for identity in await self._may_review(approval, _lacking(approval)):
            await self._tell(step, Errand.ASK, identity)

    async def _update(self, step: Letter) -> None:
        edited = {way.channel.name for way in self._ways if way.channel.edits}
        for notice in await self._letters.notices(step.approval_id):
            if notice.channel in edited:
                await self._letters.add(step.leading_to(notice.channel, Errand.UPDATE, notice.who, notice.id))

    async def _remind(self, step: Letter, held: ApprovalAt) -> Outcome:
        """Remind, in each channel, those who were asked there; who was not asked where told now is asked now."""
        after_ms = await self._reminding.recorded(held, step.record_id, step.after)
        if after_ms is None:
            return Progress.UNNEEDED
        asks = held.approval.requirements
        lacking = {index for index in _lacking(held.approval) if after_ms in asks[index].remind_ms}
        people = await self._may_review(held.approval, lacking)
        waited_for = {*people, *(GROUP + name for name in _groups(held.approval, lacking))}
        asked = [one for one in await self._letters.notices(step.approval_id) if one.errand is Errand.ASK]
        for notice in asked:
            if notice.who in waited_for:
                await self._letters.add(step.leading_to(notice.channel, Errand.REMIND, notice.who, notice.id))
        for identity in people:
            ways = await self._choices.ways_of(identity, self._ways)
            if not {way.channel.name for way in ways} & {one.channel for one in asked if one.who == identity}:
                await self._add_each(step, ways, Errand.ASK, identity)
        return Progress.DELIVERED

    async def _end(self, step: Letter, approval: Approval) -> None:
        behind = {name for name in approval.principals if is_person(name, self._person_types)}
        for identity in sorted(behind - {approval.closed_by}):
            await self._tell(step, Errand.END, identity)

    async def _may_review(self, approval: Approval, lacking: Collection[int]) -> list[str]:
        """Who may still review by these requirements of an approval."""
        if approval.state is not State.PENDING:
            return []
        remaining = await self._reviewers.remaining(approval)
        return sorted({name for index in lacking for name in remaining[index].identities})

    async def _tell(self, step: Letter, errand: Errand, identity: str) -> None:
        await self._add_each(step, await self._choices.ways_of(identity, self._ways), errand, identity)

    async def _add_each(self, step: Letter, ways: Iterable[Way], errand: Errand, who: str) -> None:
        for way in ways:
            await self._add(step, way, errand, who)

    async def _add(self, step: Letter, way: Way, errand: Errand, who: str) -> None:
        await self._letters.add(step.leading_to(way.channel.name, errand, who))


def lacking_groups(approval: Approval) -> set[str]:
    """The groups of the requirements that still lack people."""
    return _groups(approval, _lacking(approval))


def _groups(approval: Approval, requirements: Iterable[int]) -> set[str]:
    return {group for index in requirements for group in approval.requirements[index].groups}


def _lacking(approval: Approval) -> Sequence[int]:
    counts = approvals_per_requirement(approval.requirements, approvers(approval), approval.principals)
    return [index for index, one in enumerate(approval.requirements) if counts[index] < one.count]


def _is_ending(step: Letter) -> bool:
    """A denial is reviewed and closed, and told of once."""
    is_approved = step.event == _REVIEWED and step.state == State.APPROVED
    return is_approved or (step.event == _CLOSED and State(step.state) in TOLD_OF)
