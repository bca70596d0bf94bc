"""DecisionService: may this happen? The deciding is `pdp.workflow.deciding`'s; here are the contract's messages."""

from collections.abc import AsyncGenerator
from functools import partial

from pdp import identifier
from pdp.admission import Admission
from pdp.audit.record import Kind
from pdp.caller import Caller
from pdp.errors import NotFound
from pdp.service import message
from pdp.service.answer_room import Room
from pdp.service.batch import Batch, Questions
from pdp.service.question_stream import Answers, Arriving, QuestionStream, open_bytes
from pdp.service.record import stored_record
from pdp.service.slices import Slices
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
from pdp.workflow.deciding import Deciding


class DecisionService:
    """Decisions, one or many, and the ones of before."""

    def __init__(self, deciding: Deciding, batches: Batches, turns: Turns, admission: Admission) -> None:
        self._deciding, self._batches, self._turns, self._admission = deciding, batches, turns, admission
        self._open = open_bytes()

    async def Authorize(self, request: AuthorizeRequest, caller: Caller) -> AuthorizeResponse:
        """One decision."""
        ask = self._deciding.checked(request, caller)
        room = Room("let the policy say less", Slices(self._turns, caller.identity))
        decided = await self._deciding.decide_one(ask, room.require)
        return room.fitted(0, message.decision(decided))

    async def BatchAuthorize(self, request: BatchAuthorizeRequest, caller: Caller) -> BatchAuthorizeResponse:
        """Many decisions, settled in order; a bad item fails alone."""
        answer = BatchAuthorizeResponse()
        await self._answer(request, caller, answer)
        return answer

    def StreamAuthorize(self, messages: Arriving, caller: Caller) -> AsyncGenerator[bytes, None]:
        """Batches as long as the stream is open."""
        return QuestionStream(self._answer, self._admission, self._open, caller).answers(messages)

    async def _answer(self, request: Questions, caller: Caller, answer: Answers) -> None:
        """Add a result for each item to `answer`."""
        batch = Batch(request)
        checks = (partial(self._deciding.checked, item, caller) for item in batch.items())
        asks = await self._deciding.checked_each(checks, caller)
        slices = Slices(self._turns, caller.identity)
        room = Room("send fewer items", slices, answer.ByteSize())
        for index, outcome in enumerate(await self._deciding.decide(asks, batch.stops_at, room.require)):
            result = answer.results.add()
            room.write_result(index, outcome, result)
            await slices.behind(result.ByteSize())
        undecided = BatchAuthorizeResult(decision=AuthorizeResponse())
        answer.results.extend([undecided] * (len(asks) - len(answer.results)))

    async def GetDecision(self, request: GetDecisionRequest, caller: Caller) -> GetDecisionResponse:
        """A decision of the caller's own, from the log."""
        uuid = identifier.uuid_bytes(request.decision_id)
        batch = await self._batches.holding(uuid) if uuid else None
        stored = stored_record(batch, identifier.record_id(request.decision_id)) if batch else None
        if stored is None or stored.members["kind"] != Kind.DECISION or stored.caller != caller.identity:
            raise NotFound("DECISION_NOT_FOUND", "this caller has no such decision")
        return stored.decision()
