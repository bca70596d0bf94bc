"""AuthZEN's Access Evaluation and Access Evaluations."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pdp.authzen import Envelope, Evaluations
from pdp.authzen_question import Asked
from pdp.caller import Caller
from pdp.http.answer_room import AnswerRoom
from pdp.http.decision import answered, failed
from pdp.http.denial import Liftable
from pdp.http.parsing import Parsing
from pdp.http.route import LARGE_BYTES, Answer, Call, Route
from pdp.semantics import stops_at
from pdp.turns import Turns
from pdp.workflow.answer import Ask, Decided, Failed
from pdp.workflow.deciding import Deciding


class Evaluation:
    """Decisions, one or many."""

    def __init__(self, deciding: Deciding, turns: Turns, parsing: Parsing, liftable: Liftable) -> None:
        self._deciding, self._turns, self._parsing, self._liftable = deciding, turns, parsing, liftable

    def routes(self) -> list[Route]:
        """What is offered."""
        return [
            Route("POST", "/access/v1/evaluation", "pdp.v1.DecisionService/Authorize", self.one),
            Route("POST", "/access/v1/evaluations", "pdp.v1.DecisionService/BatchAuthorize", self.many, LARGE_BYTES),
        ]

    async def one(self, call: Call) -> Answer:
        """One decision."""
        async with call.admitted(1):
            return await self._one(Envelope(call.body).asked(), call.caller)

    async def many(self, call: Call) -> Answer:
        """Many decisions, settled in order; a bad one fails alone. Without `evaluations` it is one."""
        body = await self._parsing.parsed(call, Evaluations)
        async with call.admitted(max(len(body), 1)):
            if not len(body):
                return await self._one(body.envelope.asked(), call.caller)
            return Answer(await self._many(body, call.caller))

    async def _one(self, asked: Asked, caller: Caller) -> Answer:
        room = AnswerRoom(self._liftable.endpoint, [asked.ignored], self._turns)
        decided = await self._deciding.decide_one(self._deciding.checked_json(asked, caller), room.require)
        return Answer(room.one(self._answered(decided, asked.ignored)))

    async def _many(self, body: Evaluations, caller: Caller) -> bytes:
        """The answers, up to the one that ends the list."""
        ignored: list[tuple[str, ...]] = []
        checks = (partial(self._checked, read, caller, ignored) for read in body.each())
        asks = await self._deciding.checked_each(checks, caller)
        room, answers = AnswerRoom(self._liftable.endpoint, ignored, self._turns), []
        outcomes = await self._deciding.decide(asks, stops_at(body.envelope.options.semantics), room.require)
        for index, outcome in enumerate(outcomes):
            answers.append(failed(outcome) if isinstance(outcome, Failed) else self._answered(outcome, ignored[index]))
            await self._turns.behind(index, caller.identity)
        return room.all(answers)

    def _answered(self, decided: Decided, ignored: Sequence[str]) -> dict[str, Any]:
        return answered(decided, ignored, self._liftable.told(decided))

    def _checked(self, read: Callable[[], Asked], caller: Caller, ignored: list[tuple[str, ...]]) -> Ask:
        ignored.append(())
        asked = read()
        ignored[-1] = asked.ignored
        return self._deciding.checked_json(asked, caller)
