"""One question, and its answer that may leave once its records are durable."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from pdp import identifier
from pdp.approval import Approval, ApprovalAt
from pdp.audit import event
from pdp.audit.record import Entry
from pdp.authzen_question import obligation_type
from pdp.caller import Caller
from pdp.canonical import Canonical
from pdp.decision import Effect, Verdict
from pdp.errors import PdpError
from pdp.frozen import frozen
from pdp.lineage.view import View
from pdp.v1.decision_pb2 import AuthorizeRequest

Ready: TypeAlias = Callable[["Answer"], Awaitable[str]]
"""Makes ready what an allow is for. It gets the allow that would be answered, before anything is used for it, and gives
the claim that the use is to hold. What it raises ends the call with nothing used."""


@frozen
class Ask:
    """One authenticated, checked question; `now_ns` is `input.now` of the policy, in nanoseconds since 1970.

    `ready` is of a question whose answer the server itself acts on. `continues` says that its work may go on for a day
    under one use, in call after call. `supports` are the types of obligations that the caller can fulfil, where it
    reads nothing but yes or no (None: it reads them itself). `opens` says that an approval may be opened,
    and `uses` that one may be used. `tells_unknown` says that the caller gets a deny, and no error, where it does not
    have the approval that it names. `lineage` is what is known of the resource's data (None: it was not looked up yet).
    """

    request: AuthorizeRequest
    caller: Caller
    canonical: Canonical
    now_ns: int
    ready: Ready | None = None
    continues: bool = False
    supports: frozenset[str] | None = None
    opens: bool = True
    uses: bool = True
    tells_unknown: bool = False
    lineage: View | None = None

    @property
    def view(self) -> View:
        """What the policy, the record and people get to know of the data. Raises `LookupError` before `informed`."""
        if self.lineage is None:
            raise LookupError("nobody looked up what is known of the data of this question")
        return self.lineage

    def informed(self, view: View) -> "Ask":
        """The same with what is known of its data."""
        return Ask(
            self.request,
            self.caller,
            self.canonical,
            self.now_ns,
            self.ready,
            self.continues,
            self.supports,
            self.opens,
            self.uses,
            self.tells_unknown,
            view,
        )

    def withholds(self, verdict: Verdict) -> bool:
        """Whether this is an allow with an obligation that the caller cannot fulfil. It must use and prove nothing."""
        if self.supports is None or verdict.effect is not Effect.ALLOW:
            return False
        return any(obligation_type(duty.type) not in self.supports for duty in verdict.obligations)

    async def claim(self, answer: "Answer") -> str:
        """The claim on this allow once what it is for is ready; empty where the server does not act on it."""
        return await self.ready(answer) if self.ready else ""


@frozen
class Answer:
    """An answer that may leave once `entries` are durable.

    `approval` is the approval that the answer is about. `step` is the one whose outbox the entries are, where the
    answer changed an approval. `used` says that the allow is the use of `approval`, and `claim` is that of the work
    that holds this use already. `judged_by` is the policy revision that judged this call, where the verdict is that of
    an earlier one. `withheld` says that the caller is told no although the policy allows: see `Ask.withholds`.
    """

    verdict: Verdict
    decision_id: str
    entries: Sequence[Entry]
    approval: ApprovalAt | None = None
    step: Approval | None = None
    used: bool = False
    claim: str = ""
    judged_by: str = ""
    withheld: bool = False


@frozen
class Decided:
    """A question with its answer, which is in the log; `grant` is its proof, where there is one."""

    ask: Ask
    answer: Answer
    grant: str = ""

    @property
    def effect(self) -> Effect:
        """What the answer says."""
        return self.answer.verdict.effect

    @property
    def answered(self) -> Effect:
        """What its caller may make of it: an allow that is withheld is none."""
        return Effect.DENY if self.answer.withheld else self.effect

    @property
    def wants_grant(self) -> bool:
        """Whether this is an allow without an approval that the caller wants a proof of."""
        wanted = self.ask.request.want_grant and not self.ask.request.dry_run
        return wanted and not self.answer.used and self.answered is Effect.ALLOW


@frozen
class Failed:
    """A question that has no answer; `entries` are what the log holds of it."""

    error: PdpError
    entries: Sequence[Entry] = ()

    @property
    def effect(self) -> Effect:
        """No answer is a deny."""
        return Effect.DENY

    answered = effect


def answer_without_step(ask: Ask, verdict: Verdict, approval: ApprovalAt | None = None) -> Answer:
    """An answer that changes no approval."""
    decision_id = identifier.new("dec")
    approval_id = approval.approval.id if approval else ""
    record = decision_record(ask, verdict, decision_id, approval_id)
    return Answer(verdict, decision_id, [record], approval, withheld=ask.withholds(verdict))


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
        withheld=ask.withholds(verdict),
        lineage=ask.view.json,
        now_ns=ask.now_ns,
    )


def error_record(ask: Ask, error: PdpError) -> Entry:
    """The record of a question that has no answer; with what the policy got to know of the data, if it was asked."""
    return event.error(ask.caller, ask.canonical, error, ask.lineage.json if ask.lineage else b"")
