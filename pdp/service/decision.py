"""DecisionService: may this happen? The deciding is `pdp.workflow.deciding`'s; here are the contract's messages."""

from functools import partial

from pdp import identifier
from pdp.audit.record import Kind
from pdp.caller import Caller
from pdp.errors import NotFound
from pdp.service import message
from pdp.service.batch import Batch, item_error
from pdp.service.record import stored_record
from pdp.store.batches import Batches
from pdp.turns import Turns
from pdp.v1.decision_pb2 import (
    AuthorizeRequest,
    AuthorizeResponse,
    BatchAuthorizeRequest,
    BatchAuthorizeResponse,
    BatchAuthorizeResult,
    GetDecisionRequest,
    GetDecisionResponse,
)
from pdp.workflow.answer import Decided, Failed
from pdp.workflow.deciding import Deciding


class DecisionService:
    """Decisions, one or many, and the ones of before."""

    def __init__(self, deciding: Deciding, batches: Batches, turns: Turns) -> None:
        self._deciding, self._batches, self._turns = deciding, batches, turns

    async def Authorize(self, request: AuthorizeRequest, caller: Caller) -> AuthorizeResponse:
        """One decision."""
        ask = self._deciding.checked(request, caller)
        return message.decision(await self._deciding.decide_one(ask))

    async def BatchAuthorize(self, request: BatchAuthorizeRequest, caller: Caller) -> BatchAuthorizeResponse:
        """Many decisions, settled in order; a bad item fails alone."""
        batch = Batch(request)
        checks = (partial(self._deciding.checked, item, caller) for item in batch.items())
        asks = await self._deciding.checked_each(checks, caller)
        results = []
        for index, outcome in enumerate(await self._deciding.decide(asks, batch.stops_at)):
            results.append(_result(outcome))
            await self._turns.behind(index, caller.identity)
        undecided = BatchAuthorizeResult(decision=AuthorizeResponse())
        return BatchAuthorizeResponse(results=results + [undecided] * (len(asks) - len(results)))

    async def GetDecision(self, request: GetDecisionRequest, caller: Caller) -> GetDecisionResponse:
        """A decision of the caller's own, from the log."""
        uuid = identifier.uuid_bytes(request.decision_id)
        batch = await self._batches.holding(uuid) if uuid else None
        stored = stored_record(batch, identifier.record_id(request.decision_id)) if batch else None
        if stored is None or stored.members["kind"] != Kind.DECISION or stored.caller != caller.identity:
            raise NotFound("DECISION_NOT_FOUND", "this caller has no such decision")
        return stored.decision()


def _result(outcome: Decided | Failed) -> BatchAuthorizeResult:
    """An item's answer, or the error that it would have got alone."""
    if isinstance(outcome, Failed):
        return BatchAuthorizeResult(error=item_error(outcome.error))
    answer = message.decision(outcome)
    if answer.HasField("approval"):  # the caller has its request; with it, answers may be too large or too deep
        answer.approval.ClearField("request")
        for review in answer.approval.reviews:
            review.ClearField("suggestion")
    return BatchAuthorizeResult(decision=answer)
