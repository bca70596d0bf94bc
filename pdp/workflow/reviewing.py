"""One person's verdict on an approval: who may give it, and what it changes.

read -> policy: whom does this person fit -> compare-and-set (review and outbox) -> records durable -> answer
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson

from pdp.approval import OPEN, Approval, ApprovalAt, Review, ReviewVerdict, State
from pdp.audit import event
from pdp.caller import Caller
from pdp.canonical import digest, kind
from pdp.decision import policy_review, review_input
from pdp.errors import ApprovalNotApproved, NotAllowed, NotFound
from pdp.lineage.seen import NOTHING_TO_SHOW, kept
from pdp.lineage.view import View
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.quorum import Eligibility, after_verdict, barred, suggesters
from pdp.recording.delivery import Delivery
from pdp.store.approvals import Approvals
from pdp.store.pace import TooSoon
from pdp.turns import Turns
from pdp.workflow.integrity import Integrity
from pdp.workflow.lineage_views import LineageViews
from pdp.workflow.linked import Behind, LinkedPrincipals
from pdp.workflow.retrying import retried
from pdp.workflow.review_limits import refuse_together, too_soon, turn_of
from pdp.workflow.reviewable import ApprovalView, Read, Submission, require_reviewable
from pdp.workflow.signing import Asked, Proof, Signing
from pdp.workflow.yes import counted

AT_ONCE = 100
"""Approvals of one question to the policy. At the measured 60 µs each it takes 6 ms of a query's 250."""
AT_ONCE_BYTES = 512 * 1024
"""Bytes of their requests: more takes OPA longer than a query may."""
CLOSED_BY_VERDICT = (State.DENIED, State.REVOKED)
"""The ends that a reviewer's verdict can bring."""


class Reviewing:
    """Reads for reviewers, and their verdicts."""

    def __init__(
        self,
        approvals: Approvals,
        batcher: Batcher,
        delivery: Delivery,
        integrity: Integrity,
        turns: Turns,
        lineage: LineageViews,
        signing: Signing,
        linked: LinkedPrincipals,
    ) -> None:
        self._approvals, self._batcher, self._delivery, self._integrity = approvals, batcher, delivery, integrity
        self._turns, self._lineage, self._signing, self._linked = turns, lineage, signing, linked

    async def view(self, caller: Caller, approval_id: str) -> ApprovalView:
        """The approval, if it concerns this caller: it opened it, fits a requirement, or is a requester principal.

        Raises `NotFound`, also for the approvals of others.
        """
        return await self.seen(caller, await self.read(approval_id))

    async def read(self, approval_id: str) -> Read:
        """The approval for whom it may concern. Raises `NotFound`."""
        held = await self._approvals.get(approval_id)
        if held is None:
            raise _not_found()
        answers = held.approval.supersedes
        before = await self._approvals.get(answers) if answers else None
        return Read(held, await self._approvals.suggesting([held.approval.digest]), before)

    async def seen(self, caller: Caller, read: Read) -> ApprovalView:
        """`view` of what was read."""
        held = read.held
        lineage = self.lineage_of(held)
        [answer] = await self._batcher.each([_question(held.approval, caller, lineage)])
        [view] = await self._with_linked([_seen(held, answer, caller, read.suggested, lineage, read.before)])
        if not _concerns(view):
            raise _not_found()
        return view

    async def queue(self, caller: Caller, candidates: Iterable[ApprovalAt]) -> set[str]:
        """The ids of those of `candidates` that the caller may review now."""
        views = [view for some in _parts(candidates) for view in await self._views(caller, some)]
        return {view.held.approval.id for view in views if view.obstacle is None}

    async def concerning(self, caller: Caller, candidates: Iterable[ApprovalAt]) -> set[str]:
        """The ids of those of `candidates` that `view` shows the caller today."""
        views = [view for some in _parts(candidates) for view in await self._views(caller, some)]
        return {view.held.approval.id for view in views if _concerns(view)}

    async def last_approved(self, view: ApprovalView) -> ApprovalAt | None:
        """What the requester got approved last of the same kind, where this caller fits that, too."""
        last = await self._approvals.last_approved(view.held.approval)
        if last and (self._integrity.sealer.fault(last.approval) or not _same_kind(last, view.held)):
            return None
        return last if last and (await self._view(view.caller, last)).eligibility.fits else None

    async def sent_back(self, view: ApprovalView) -> ApprovalAt | None:
        """The approval that this one answers, where it concerns this caller, too."""
        before = view.before
        if before is None or self._integrity.sealer.fault(before.approval):
            return None
        return before if _concerns(await self._view(view.caller, before)) else None

    async def review(self, caller: Caller, approval_id: str, submission: Submission) -> ApprovalAt:
        """Record a verdict; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `ApprovalChanged`, `DigestMismatch`, `ApprovalNotPending`, `AlreadyReviewed`,
        `LineageChanged`, `LineageStale`, `ApprovalTampered`, `ReviewIndividually`, `ReviewTooSoon`,
        `ChannelNotAllowed`, `PasskeyRequired`, `PasskeyInvalid`, `PasskeyTooNew`, `Conflict`.
        """
        proof = self._signing.proof(caller.identity, approval_id, submission, submission.passkey)
        return await retried(lambda: self._review(caller, approval_id, submission, proof))

    async def ask(self, caller: Caller, approval_id: str, submission: Submission) -> Asked:
        """What the reviewer's passkey is asked to sign for a verdict that `review` would take with it.

        Raises what `review` does.
        """
        view = await self.view(caller, approval_id)
        require_reviewable(view, submission)
        self._counted(view, submission, passkey=True)
        return await self._signing.ask(caller.identity, approval_id, submission)

    async def revoke(self, caller: Caller, approval_id: str, reason: str) -> ApprovalAt:
        """Take an APPROVED approval back; the approval afterwards.

        Raises `NotFound`, `NotAllowed`, `ApprovalNotApproved`, `ApprovalTampered`, `Conflict`.
        """
        return await retried(lambda: self._revoke(caller, approval_id, reason))

    async def _review(
        self, caller: Caller, approval_id: str, submission: Submission, proof: Proof
    ) -> ApprovalAt | None:
        view = await self.view(caller, approval_id)
        approval = view.held.approval
        if view.held.state in OPEN and self._integrity.sealer.is_old(approval):
            await self._delivery.end_old(approval)
            return None
        if view.lineage.state not in NOTHING_TO_SHOW:
            self._lineage.require_fresh()
        require_reviewable(view, submission)
        if submission.together:
            refuse_together(approval, view.eligibility.fits)
        counted = self._counted(view, submission, passkey=submission.passkey is not None)
        await self._integrity.require(approval, caller)
        await proof.require()
        await self._delivery.deliver(approval)
        reviewed = await self._step(view, submission, counted)
        if reviewed is None:
            return None
        await self._delivery.deliver(reviewed)
        return ApprovalAt(reviewed, view.held.now)

    async def _revoke(self, caller: Caller, approval_id: str, reason: str) -> ApprovalAt | None:
        view = await self.view(caller, approval_id)
        if not view.eligibility.fits:
            raise NotAllowed("REVIEWER_NOT_ELIGIBLE", f"{caller.identity}: you fit none of its requirements")
        approval, state = view.held.approval, view.held.state
        if state is not State.APPROVED:
            raise ApprovalNotApproved(f"this approval is {state}; only an APPROVED one is taken back", state=state)
        await self._integrity.require(approval, caller, old=True)
        closed = await self._delivery.close(approval, State.REVOKED, caller.identity, reason, view.answer.revision)
        return ApprovalAt(closed, view.held.now) if closed else None

    async def _step(self, view: ApprovalView, submission: Submission, eligibility: Eligibility) -> Approval | None:
        approval, revision = view.held.approval, view.answer.revision
        sealer = self._integrity.sealer
        unsigned = Review(
            reviewer=view.caller.identity,
            person=eligibility.person,
            groups=view.caller.groups,
            verdict=submission.verdict,
            reason=submission.reason,
            at=view.held.now,
            fits=eligibility.fits,
            policy_revision=revision,
            suggestion=submission.suggestion,
            suggestion_digest=digest(submission.suggestion, sealer.realm) if submission.suggestion else "",
            claims=view.caller.claims,
            lineage=kept(view.lineage),
            channel=submission.channel,
            account=submission.account,
            view_digest=submission.view_digest,
            passkey=submission.passkey,
        )
        signature = sealer.review(approval.id, approval.digest, unsigned)
        review = replace(unsigned, signature=signature)
        after = after_verdict(approval, eligibility, submission.verdict, barred(approval, view.answer))
        records = [event.approval_reviewed(approval, review, after, revision)]
        if after in CLOSED_BY_VERDICT:
            words = {"closed_by": review.reviewer, "reason": review.reason}
            records.append(event.approval_closed(approval, after, revision, **words))
        turn = turn_of(approval, eligibility, review.verdict)
        try:
            return await self._approvals.review(approval, review, after, records, turn)
        except TooSoon as early:
            raise too_soon(early.turn) from None

    def _counted(self, view: ApprovalView, submission: Submission, *, passkey: bool) -> Eligibility:
        """The reviewer with the requirements in which the verdict counts: a no counts from anywhere."""
        if submission.verdict is not ReviewVerdict.APPROVE:
            return view.eligibility
        approval, bars = view.held.approval, barred(view.held.approval, view.answer)
        page = self._signing.page(approval.id)
        fits = counted(approval, view.eligibility, bars, submission.channel, passkey=passkey, page=page)
        return replace(view.eligibility, fits=fits)

    async def _view(self, caller: Caller, held: ApprovalAt) -> ApprovalView:
        [view] = await self._views(caller, [held])
        return view

    async def _views(self, caller: Caller, some: Sequence[ApprovalAt]) -> list[ApprovalView]:
        """`_view` of each, with one query to the policy and one to MongoDB."""
        questions, views = list[Question](), list[ApprovalView]()
        known = [self.lineage_of(held) for held in some]
        for index, (held, lineage) in enumerate(zip(some, known, strict=True)):
            questions.append(_question(held.approval, caller, lineage))
            await self._turns.behind(index, caller.identity)
        answers = await self._batcher.each(questions)
        suggested = await self._approvals.suggesting([held.approval.digest for held in some])
        for index, (held, answer, lineage) in enumerate(zip(some, answers, known, strict=True)):
            views.append(_seen(held, answer, caller, suggested, lineage))
            await self._turns.behind(index, caller.identity)
        return await self._with_linked(views)

    async def _with_linked(self, views: Sequence[ApprovalView]) -> list[ApprovalView]:
        """The same; whom links put behind a request counts as a principal."""
        behind = [Behind(one.held.approval.request, frozenset(barred(one.held.approval, one.answer))) for one in views]
        named = zip(views, await self._linked.each(behind), strict=True)
        return [replace(one, answer=replace(one.answer, principals=names)) for one, names in named]

    def lineage_of(self, held: ApprovalAt) -> View:
        """What is known of its data today."""
        resource = orjson.loads(held.approval.request)["resource"]
        return self._lineage.view(resource["type"], resource["id"])


def _question(approval: Approval, caller: Caller, lineage: View) -> Question:
    requester = Caller.requester(approval.caller)
    asked = review_input(approval.request, requester, approval.requirements, [caller], time.time_ns())
    suspect = Suspect(caller.identity, kind(approval.request))
    return Question(asked, suspect, about=About.REVIEWS, lineage=lineage.json)


def _seen(
    held: ApprovalAt,
    answer: Any,
    caller: Caller,
    suggested: Iterable[ApprovalAt],
    lineage: View,
    before: ApprovalAt | None = None,
) -> ApprovalView:
    """The view that the policy's answer gives; who suggested this very request counts as a principal."""
    approval = held.approval
    parsed = policy_review(answer, [caller.identity], len(approval.requirements))
    wrote = {name for one in suggested for name in suggesters(one.approval, approval.digest)}
    only = (wrote | (suggesters(before.approval) if before else set())) - parsed.principals
    found = replace(parsed, principals=parsed.principals | wrote, suggesters=frozenset(only))
    return ApprovalView(held, found, caller, lineage, before)


def _concerns(view: ApprovalView) -> bool:
    """Whether it is the business of this caller: it opened it, fits a requirement, or is a requester principal."""
    approval, identity = view.held.approval, view.caller.identity
    return approval.caller == identity or bool(view.eligibility.fits) or identity in barred(approval, view.answer)


def _parts(candidates: Iterable[ApprovalAt]) -> Iterator[list[ApprovalAt]]:
    """As many at a time as one query to the policy takes."""
    part: list[ApprovalAt] = []
    for held in candidates:
        size = sum(len(one.approval.request) for one in (*part, held))
        if part and (size > AT_ONCE_BYTES or len(part) == AT_ONCE):
            yield part
            part = []
        part.append(held)
    if part:
        yield part


def _same_kind(one: ApprovalAt, other: ApprovalAt) -> bool:
    return kind(one.approval.request) == kind(other.approval.request)


def _not_found() -> NotFound:
    return NotFound("APPROVAL_NOT_FOUND", "there is no approval with this id that you requested or may review")
