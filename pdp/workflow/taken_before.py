"""The answer to a removal once more, where the log of lineage has it: an answer may be lost, and is asked for again."""

from pdp.lineage.fact import Fact
from pdp.lineage.view import Revision
from pdp.lineage.writing import Writing
from pdp.recording.uses import Uses, recorded_verdict
from pdp.workflow.answer import Answer, Ask, Decided


class Told:
    """Answers what was told before."""

    def __init__(self, writing: Writing, uses: Uses) -> None:
        self._writing, self._uses = writing, uses

    async def answer(self, ask: Ask, removal: Fact) -> tuple[Decided, Revision] | None:
        """The recorded decision on this very removal under this `request_id`, and the revision that holds it.

        None where the removal is not in the log, or its decision is not yet.
        """
        found = await self._writing.found(removal)
        if found is None:
            return None
        place, held = found
        recorded = await self._uses.of_decision(held.decision_id)
        if recorded is None:
            return None
        answer = Answer(recorded_verdict(recorded), held.decision_id, [])
        return Decided(ask, answer), Revision(place.n, place.head.hex())
