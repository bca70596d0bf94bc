"""The services for the people before and behind approvals."""

from pdp.config import Config
from pdp.http.route import Page
from pdp.inbox.approval import ApprovalPages
from pdp.inbox.record import RecordPages
from pdp.inbox.review_many import ReviewMany
from pdp.recording.payloads import Payloads
from pdp.server.flows import Flows
from pdp.server.parts import Parts
from pdp.service.approval import ApprovalService
from pdp.service.review import ReviewService
from pdp.service.whole_approval import WholeApproval
from pdp.service.whole_record import WholeRecords
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


def whole_records(config: Config, parts: Parts) -> WholeRecords:
    """What auditors are told of a record."""
    return WholeRecords(parts.batches, parts.signing.audit, config.realm)


def review_service(config: Config, flows: Flows, parts: Parts) -> ReviewService:
    """What reviewers see and do."""
    reads = flows.queue, flows.reviewing, flows.watching, _histories(flows, parts)
    return ReviewService(*reads, _denials(flows, parts), config.realm, flows.turns)


def approval_pages(config: Config, flows: Flows, parts: Parts) -> list[Page]:
    """The pages on which people review, and look at the records of what happened."""
    whole = whole_approval(flows, parts)
    one = ApprovalPages(whole, flows.reviewing, _denials(flows, parts), config.realm)
    many, records = ReviewMany(whole, flows.reviewing, config.realm), RecordPages(whole_records(config, parts))
    return [*one.routes(), *many.routes(), *records.routes()]


def _denials(flows: Flows, parts: Parts) -> MistakenDenial:
    integrity = Integrity(parts.sealer, parts.writer)
    return MistakenDenial(parts.approvals, flows.reviewing, parts.delivery, integrity)


def _histories(flows: Flows, parts: Parts) -> Histories:
    return Histories(History(parts.database), flows.queue, flows.reviewing)
