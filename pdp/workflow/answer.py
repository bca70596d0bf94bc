"""One question, and its answer that may leave once its records are durable."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pdp import identifier
from pdp.approval import Approval, ApprovalAt
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.caller import Caller
from pdp.canonical import Canonical
from pdp.decision import Verdict
from pdp.v1.decision_pb2 import AuthorizeRequest

Ready: TypeAlias = Callable[["Answer"], Awaitable[str]]
"""Makes ready what an allow is for. It gets the allow that would be answered, before anything is used for it, and gives
the claim that the use is to hold. What it raises ends the call with nothing used."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One authenticated, checked question; `now_ns` is `input.now` of the policy, in nanoseconds since 1970.

    `ready` is of a question whose answer the server itself acts on. `continues` says that its work may go on for a day
    under one use, in call after call.
    """

    request: AuthorizeRequest
    caller: Caller
    canonical: Canonical
    now_ns: int
    ready: Ready | None = None
    continues: bool = False

    async def claim(self, answer: "Answer") -> str:
        """The claim on this allow once what it is for is ready; empty where the server does not act on it."""
        return await self.ready(answer) if self.ready else ""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that may leave once `entries` are durable.

    `approval` is the approval that the answer is about. `step` is the one whose outbox the entries are, where the
    answer changed an approval. `used` says that the allow is the use of `approval`, and `claim` is that of the work
    that holds this use already. `judged_by` is the policy revision that judged this call, where the verdict is that of
    an earlier one.
    """

    verdict: Verdict
    decision_id: str
    entries: Sequence[Entry]
    approval: ApprovalAt | None = None
    step: Approval | None = None
    used: bool = False
    claim: str = ""
    judged_by: str = ""


def answer_without_step(ask: Ask, verdict: Verdict, approval: ApprovalAt | None = None) -> Answer:
    """An answer that changes no approval."""
    decision_id = identifier.new("dec")
    approval_id = approval.approval.id if approval else ""
    return Answer(verdict, decision_id, [decision_record(ask, verdict, decision_id, approval_id)], approval)


def decision_record(ask: Ask, verdict: Verdict, decision_id: str, approval_id: str) -> Entry:
    """The record of a decision on this question."""
    return event.decision(
        decision_id,
        ask.caller,
        ask.canonical,
        verdict,
        approval_id=approval_id,
        request_id=ask.request.request_id,
        attempt_id=ask.request.attempt_id,
        justification=ask.request.justification,
        dry_run=ask.request.dry_run,
    )
