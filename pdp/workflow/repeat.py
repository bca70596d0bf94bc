"""The answer of a use once more: as it was recorded, under its decision id and without a new record."""

from datetime import timedelta

from pdp import grant
from pdp.approval import ApprovalAt
from pdp.decision import Verdict
from pdp.recording.delivery import Delivery
from pdp.recording.uses import Uses, recorded_verdict
from pdp.store.mask_uses import decision_used
from pdp.workflow.answer import Answer, Ask, answer_without_step
from pdp.workflow.integrity import Integrity

CONTINUED_FOR = timedelta(hours=24)
"""The time after its use for which an unmasking goes on in other streams: a promise of the contract."""


class Repeats:
    """Answers the very use again."""

    def __init__(self, delivery: Delivery, uses: Uses, integrity: Integrity) -> None:
        self._delivery, self._uses, self._integrity = delivery, uses, integrity

    async def answer(self, ask: Ask, verdict: Verdict, existing: ApprovalAt) -> Answer:
        """The recorded answer of an approval's use.

        Raises `DecisionUsed` where a job has the use, unless it is work that this call continues.
        """
        approval, use = existing.approval, existing.approval.used_by
        await self._integrity.require(approval, ask.caller)
        if ask.request.dry_run:
            return answer_without_step(ask, verdict.allowed(), existing)
        if ask.ready is not None and use is not None and use.claim and not ask.continues:
            raise decision_used(ask.request.action.name, use.decision_id, use.at)
        recorded = await self._uses.recorded(approval, use) if use else None
        if use is None or recorded is None:
            await self._integrity.refuse(approval, ask.caller, "the record of its use is gone, or not what was signed")
        await self._delivery.deliver(approval)
        judged_by = verdict.revision if use.claim else ""
        answer = Answer(
            recorded_verdict(recorded), use.decision_id, [], existing, used=True, claim=use.claim, judged_by=judged_by
        )
        await ask.claim(answer)
        return answer


def is_repeat(ask: Ask, existing: ApprovalAt) -> bool:
    """Whether this is the very use again, while its grant lives, or while its work may go on."""
    approval, request_id = existing.approval, ask.request.request_id
    if approval.used_by is None or approval.sealed_at is None or approval.closed_at is None or not request_id:
        return False
    goes_on = ask.continues and bool(approval.used_by.claim)
    lasts = CONTINUED_FOR if goes_on else timedelta(seconds=grant.LIFETIME_SECONDS)
    lives = existing.now < approval.closed_at + lasts
    return lives and approval.used_by.request_id == request_id
