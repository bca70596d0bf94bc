"""The services for the people before and behind approvals."""

from pdp.config import Config
from pdp.recording.payloads import Payloads
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.service.approval import ApprovalService
from pdp.service.review import ReviewService
from pdp.service.whole_approval import WholeApproval
from pdp.store.history import History
from pdp.workflow.history import Histories
from pdp.workflow.integrity import Integrity
from pdp.workflow.mistaken_denial import MistakenDenial
from pdp.workflow.timeline import Timelines


def approval_service(flows: Flows, parts: Parts) -> ApprovalService:
    """What requesters see of their approvals."""
    whole = whole_approval(flows, parts)
    return ApprovalService(parts.approvals, whole, flows.requesting, flows.watching, flows.turns)


def whole_approval(flows: Flows, parts: Parts) -> WholeApproval:
    """What one caller is told of one approval."""
    timelines = Timelines(parts.records, Payloads(parts.batches))
    people = flows.reviewing, flows.reviewers, flows.briefing
    return WholeApproval(*people, parts.notifications, _histories(flows, parts), timelines, parts.people.site)


def review_service(config: Config, flows: Flows, parts: Parts) -> ReviewService:
    """What reviewers see and do."""
    integrity = Integrity(parts.sealer, parts.writer)
    denials = MistakenDenial(parts.approvals, flows.reviewing, parts.delivery, integrity)
    reads = flows.queue, flows.reviewing, flows.watching, _histories(flows, parts)
    return ReviewService(*reads, denials, config.realm, flows.turns)


def _histories(flows: Flows, parts: Parts) -> Histories:
    return Histories(History(parts.database), flows.queue, flows.reviewing)
