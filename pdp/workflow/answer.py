"""One question, and its answer that may leave once its records are durable."""

from collections.abc import Sequence
from dataclasses import dataclass

from pdp import identifier
from pdp.approval import Approval
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.caller import Caller
from pdp.canonical import Canonical
from pdp.decision import Verdict
from pdp.store.approvals import Found
from pdp.v1.decision_pb2 import AuthorizeRequest


@dataclass(frozen=True, slots=True)
class Ask:
    """One authenticated, checked question."""

    request: AuthorizeRequest
    caller: Caller
    canonical: Canonical
    now_ns: int


@dataclass(frozen=True, slots=True)
class Settled:
    """An answer that may leave once `entries` are durable; `step` is the approval whose outbox they are."""

    verdict: Verdict
    decision_id: str
    entries: Sequence[Entry]
    approval: Found | None = None
    step: Approval | None = None
    granted: bool = False


def plain(ask: Ask, verdict: Verdict, found: Found | None = None) -> Settled:
    """An answer that changes no approval."""
    decision_id = identifier.new("dec")
    approval_id = found.approval.id if found else ""
    return Settled(verdict, decision_id, [decided(ask, verdict, decision_id, approval_id)], found)


def decided(ask: Ask, verdict: Verdict, decision_id: str, approval_id: str) -> Entry:
    """The record of a decision on this question."""
    return event.decision(
        decision_id,
        ask.caller,
        ask.canonical,
        verdict,
        approval_id=approval_id,
        request_id=ask.request.request_id,
        justification=ask.request.justification,
        dry_run=ask.request.dry_run,
    )
