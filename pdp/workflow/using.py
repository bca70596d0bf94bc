"""The one use of an approval: what the current policy asks must be met by reviews that saw what is known of the data.

reviews -> policy: whom do they fit today -> who saw all of today's lineage -> ready -> compare-and-set (use and outbox)
"""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from pdp import identifier
from pdp.approval import (
    Approval,
    ApprovalAt,
    Review,
    ReviewVerdict,
    State,
    Use,
)
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.decision import Verdict, policy_review, review_input
from pdp.lineage.seen import seen
from pdp.lineage.view import View
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.quorum import (
    Eligibility,
    PolicyReview,
    counting,
    satisfied,
)
from pdp.recording.delivery import Delivery
from pdp.requirement import Requirement
from pdp.store.approvals import Approvals, RequestIdTaken
from pdp.workflow.answer import Answer, Ask, answer_without_step, decision_record
from pdp.workflow.ends import ended, grew, too_little
from pdp.workflow.integrity import Integrity

GREW_RULE = "pdp.lineage_grew"
"""The rule of a deny because the data carries more than those were shown who approved."""


class Using:
    """Uses approved approvals."""

    def __init__(self, approvals: Approvals, batcher: Batcher, delivery: Delivery, integrity: Integrity) -> None:
        self._approvals, self._batcher, self._delivery, self._integrity = approvals, batcher, delivery, integrity

    async def use(self, ask: Ask, verdict: Verdict, existing: ApprovalAt) -> Answer | None:
        """Use an approved approval, or void it where the current policy asks for more than its reviews give."""
        approval = existing.approval
        await self._integrity.require(approval, ask.caller)
        await self._delivery.deliver(approval)
        lacking = await self.lacking(ask, verdict, approval)
        if lacking is not None:
            return await self._void(ask, existing, lacking)
        allowed = verdict.allowed()
        if ask.request.dry_run or ask.withholds(allowed):
            return answer_without_step(ask, allowed, existing)
        decision_id = identifier.new("dec")
        entries = [
            decision_record(ask, allowed, decision_id, approval.id),
            event.approval_consumed(
                approval, decision_id, ask.request.request_id, verdict.revision, ask.request.attempt_id
            ),
        ]
        claim = await ask.claim(Answer(allowed, decision_id, entries, existing, used=True))
        try:
            use = self._signed_use(ask, existing, entries[0], claim)
            consumed = await self._approvals.consume(approval, use, entries)
        except RequestIdTaken:  # by another approval, this very moment: that one is looked at next
            return None
        if consumed is None:
            return None
        return Answer(allowed, decision_id, entries, ApprovalAt(consumed, existing.now), consumed, used=True)

    async def lacking(self, ask: Ask, verdict: Verdict, approval: Approval) -> Verdict | None:
        """Why the reviews of an approval do not meet what the policy requires now; None where they meet it."""
        reviews = [review for review in approval.reviews if review.verdict is ReviewVerdict.APPROVE]
        today = await self._review_again(ask, verdict, reviews)
        principals = {*approval.principals, *verdict.principals, *today.principals}
        informed = _informed(today.reviewers, reviews, ask.view)
        if satisfied(verdict.requirements, informed, principals):
            return None
        are_enough = satisfied(verdict.requirements, today.reviewers, principals)
        return (_grew if are_enough else _too_little)(verdict, approval, ask)

    def _signed_use(self, ask: Ask, existing: ApprovalAt, decision: Entry, claim: str) -> Use:
        approval, decision_id = existing.approval, identifier.decision_id(decision.id)
        hashed = sha256(decision.record).hexdigest()
        request = ask.request
        unsigned = Use(
            decision_id, request.request_id, hashed, existing.now, claim=claim, attempt_id=request.attempt_id
        )
        return replace(unsigned, signature=self._integrity.sealer.use(approval.id, approval.digest, unsigned))

    async def _review_again(self, ask: Ask, verdict: Verdict, reviews: Sequence[Review]) -> PolicyReview:
        """Ask the current policy about all recorded reviewers under its current requirements."""
        question = review_input(ask.canonical.json, ask.caller, verdict.requirements, reviews, ask.now_ns)
        asked = Question(question, Suspect(ask.caller.identity), about=About.REVIEWS, lineage=ask.view.json)
        [answer] = await self._batcher.each([asked])
        judged = policy_review(answer, [review.reviewer for review in reviews], len(verdict.requirements))
        return replace(judged, reviewers=_counted(judged.reviewers, reviews, verdict.requirements))

    async def _void(self, ask: Ask, existing: ApprovalAt, denied: Verdict) -> Answer | None:
        if ask.request.dry_run:
            return answer_without_step(ask, denied, existing)
        decision_id = identifier.new("dec")
        entries = [
            decision_record(ask, denied, decision_id, existing.approval.id),
            event.approval_closed(existing.approval, State.VOIDED, denied.revision),
        ]
        voided = await self._approvals.void(existing.approval, entries)
        if voided is None:
            return None
        return Answer(denied, decision_id, entries, ApprovalAt(voided, existing.now), voided)


def _counted(
    reviewers: Sequence[Eligibility], reviews: Sequence[Review], requirements: Sequence[Requirement]
) -> tuple[Eligibility, ...]:
    """The reviewers with the requirements of today that take a yes from where theirs came.

    The policy's core says the same, but a bundle that an older version built does not know of channels.
    """
    return tuple(
        replace(one, fits=tuple(counting(requirements, one.fits, said.channel, passkey=said.passkey is not None)))
        for one, said in zip(reviewers, reviews, strict=True)
    )


def _informed(reviewers: Sequence[Eligibility], reviews: Sequence[Review], now: View) -> list[Eligibility]:
    """Those whose review saw every tag that the data carries now."""
    pairs = zip(reviewers, reviews, strict=True)
    return [reviewer for reviewer, review in pairs if seen(review.lineage).covers(now)]


def _grew(verdict: Verdict, approval: Approval, ask: Ask) -> Verdict:
    return verdict.denied(GREW_RULE, grew(approval, ask.request))


def _too_little(verdict: Verdict, approval: Approval, ask: Ask) -> Verdict:
    return ended(verdict, State.VOIDED, too_little(approval, ask.request))
