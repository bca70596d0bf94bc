"""All that one caller is told of one approval."""

from dataclasses import dataclass

from pdp.approval import State
from pdp.caller import Caller
from pdp.service import message, timeline
from pdp.service.brief_message import forecast, origin
from pdp.service.lineage_seen import lineage
from pdp.service.notification import notification
from pdp.site import Site
from pdp.store.notifications import Notifications
from pdp.v1.approval_pb2 import GetApprovalResponse
from pdp.workflow.briefing import Brief, Briefing
from pdp.workflow.history import Histories
from pdp.workflow.reviewable import ApprovalView
from pdp.workflow.reviewers import Reviewers
from pdp.workflow.reviewing import Reviewing
from pdp.workflow.timeline import Timelines


@dataclass(frozen=True, slots=True)
class WholeApproval:
    """Tells callers of approvals."""

    reviewing: Reviewing
    reviewers: Reviewers
    briefing: Briefing
    notifications: Notifications
    histories: Histories
    timelines: Timelines
    site: Site

    async def of(self, caller: Caller, approval_id: str) -> GetApprovalResponse:
        """One approval, for those whom it concerns. Raises `NotFound`."""
        return await self.of_view(await self.reviewing.view(caller, approval_id))

    async def of_view(self, view: ApprovalView) -> GetApprovalResponse:
        """What its caller is told of an approval that was read."""
        obstacle, held, caller = view.obstacle, view.held, view.caller
        last = None if obstacle else await self.reviewing.last_approved(view)
        before = await self.reviewing.sent_back(view)
        shown = lineage(view.lineage, held.approval.lineage) if view.eligibility.fits else None
        brief = await self.briefing.brief(view) if shown else Brief()
        remaining = await self.reviewers.remaining(held.approval) if held.state is State.PENDING else []
        sent = await self.notifications.of_approval(held.approval.id)
        earlier = await self.histories.earlier(caller, held)
        return GetApprovalResponse(
            approval=message.approval(held, lineage=shown, earlier=earlier),
            last_approved=message.approval(last) if last else None,
            sent_back=message.approval(before) if before else None,
            may_review=obstacle is None,
            may_not_review_because=obstacle.sentence if obstacle else "",
            may_not_review_reason=obstacle.code if obstacle else "",
            eligible=[message.eligible(one) for one in remaining],
            notifications=map(notification, sent),
            origins=[origin(*one) for one in brief.origins],
            mask_forecast=forecast(brief.masks) if brief.masks else None,
            timeline=map(timeline.entry, await self.timelines.of(held, sent, caller)),
            page=self.site.approval(held.approval.id),
        )
