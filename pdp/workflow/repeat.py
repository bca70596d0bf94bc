"""The answer of a use once more: as it was recorded, under its decision id and without a new record."""

from datetime import timedelta

from pdp.approval import ApprovalAt
from pdp.canonical import checked_id
from pdp.decision import Verdict
from pdp.errors import InvalidRequest
from pdp.recording.delivery import Delivery
from pdp.recording.uses import Uses, recorded_verdict
from pdp.store.mask_uses import decision_used
from pdp.workflow.answer import Answer, Ask, answer_without_step
from pdp.workflow.integrity import Integrity

CONTINUED_FOR = timedelta(hours=24)
"""The time after its use for which an unmasking goes on in other streams: a promise of the contract."""
MAX_ATTEMPT_BYTES = 64
"""Bytes of an attempt's id, as the contract says: it is stored in each use, and a random one needs no more."""


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
        if ask.withholds(recorded_verdict(recorded)):
            return answer_without_step(ask, recorded_verdict(recorded), existing)
        judged_by = verdict.revision if use.claim else ""
        answer = Answer(
            recorded_verdict(recorded), use.decision_id, [], existing, used=True, claim=use.claim, judged_by=judged_by
        )
        await ask.claim(answer)
        return answer


def is_repeat(ask: Ask, existing: ApprovalAt) -> bool:
    """Whether this is the very attempt that used the approval: it asks again, because an answer may be lost.

    Another attempt, or one without an id, may run beside the one that has the use, also under the same request id. An
    unmasking goes on for `CONTINUED_FOR`.
    """
    use, closed_at = existing.approval.used_by, existing.approval.closed_at
    if use is None or closed_at is None or not use.attempt_id or use.attempt_id != ask.request.attempt_id:
        return False
    return not (ask.continues and use.claim) or existing.now < closed_at + CONTINUED_FOR


def checked_attempt(attempt_id: str) -> None:
    """Raise `InvalidRequest` where a caller's attempt has an id that is too long, or has control characters."""
    if attempt_id:
        checked_id(attempt_id, "attempt_id")
    if len(attempt_id.encode()) > MAX_ATTEMPT_BYTES:
        raise InvalidRequest.field("attempt_id", f"has more than {MAX_ATTEMPT_BYTES} bytes; a random one needs fewer")
