"""What was told of a removal is told again from both logs, and nothing where one of them does not have it."""

from typing import Any

from pdp.audit.record import Kind, entry
from pdp.decision import Effect
from pdp.identifier import new, record_id
from pdp.lineage.fact import Untagged
from pdp.recording.uses import Uses
from pdp.store.batches import Batches
from pdp.store.database import Database
from pdp.workflow.taken_before import Told
from tests.pdp.chain import writing
from tests.pdp.lineage_known import CRM, known, tagged

UNASKED: Any = None


def removal(decision: str = "", request_id: str = "r") -> Untagged:
    return Untagged(
        by="user:bob",
        at=len(decision),
        dataset=CRM,
        column="email",
        tag="pii",
        decision_id=decision,
        request_id=request_id,
    )


async def test_only_what_both_logs_have_is_told(database: Database) -> None:
    decision = new("dec")
    record = entry(Kind.DECISION, b'{"details":{}}', record_id=record_id(decision), effect="ALLOW", policy_revision="p")
    async with known(database) as log, writing(database) as writer:
        told = Told(log.writing, Uses(Batches(database)))
        assert await told.answer(UNASKED, removal()) is None
        await log.write([tagged()])
        at = await log.write([removal(decision)])
        assert await told.answer(UNASKED, removal()) is None
        await writer.append([record])
        found = await told.answer(UNASKED, removal())
        assert found is not None
        assert (found[0].effect, found[0].answer.decision_id, found[1]) == (Effect.ALLOW, decision, at)
        assert await told.answer(UNASKED, removal(request_id="other")) is None
        assert await told.answer(UNASKED, removal(request_id="")) is None
