"""An unmasking in many chunks under one claim: which work a stream goes on with, and the quota of all of its values."""

from collections.abc import Mapping
from typing import Any

import masker
from pdp.errors import DecisionUsed, RequestIdReused
from pdp.masking.count import chunks_context
from pdp.masking.job import Progress
from pdp.store.unmaskings import Unmasking, Unmaskings
from pdp.v1.mask_pb2 import UnmaskStreamStart
from pdp.workflow.answer import Answer, Ask, Decided


class Chunked:
    """The work of one start: bound to its entries, with all values reserved before the use, then kept as a claim's."""

    def __init__(self, start: UnmaskStreamStart, unmaskings: Unmaskings) -> None:
        self._start, self._unmaskings = start, unmaskings
        self.values = sum(chunk.values for chunk in start.chunks)
        self._found = False
        self.claim = ""

    def bound(self, plan: masker.MaskPlan, _: masker.Keyring) -> Mapping[str, Any]:
        """What an approval is bound to. Raises `MaskPlanRefused` where the policy reverses other columns or domains."""
        return chunks_context(plan, self._start)

    async def held(self, ask: Ask, answer: Answer) -> str:
        """The claim that this stream goes on with; empty for a new one. Raises `RequestIdReused` and `DecisionUsed`."""
        found = await self._unmaskings.of_request(ask.caller.identity, ask.request.request_id)
        if found is not None and found.digest != ask.canonical.digest:
            raise RequestIdReused(
                f"under {_began(found)} this request_id began to unmask other tokens, or for others; take a new one",
                decision_id=found.decision_id,
            )
        if found is not None and found.is_over:
            raise DecisionUsed(
                f"this unmasking began more than a day ago, under {_began(found)}; take a new request_id",
                decision_id=found.decision_id,
            )
        held = answer.claim or (found.claim if found else "")
        self._found = found is not None and found.claim == held
        return held

    async def begin(self, progress: Progress) -> None:
        """Reserve all values, unless they were for the work that goes on. Raises `QuotaExceeded`.

        A claim without its work is of a call that failed, and gave back what it had reserved.
        """
        if self._found:
            progress.continues(self.values)
        else:
            await progress.reserve(self.values)

    async def take(self, decided: Decided, claim: str) -> None:
        """Keep that there is this work, unless it goes on. Raises `Conflict` where another began it just now."""
        await self._unmaskings.begin(
            Unmasking(
                claim=claim,
                decision_id=decided.answer.decision_id,
                caller=decided.ask.caller.identity,
                request_id=decided.ask.request.request_id,
                digest=decided.ask.canonical.digest,
            )
        )
        self.claim = claim


def _began(work: Unmasking) -> str:
    """The decision of some work, and since when it is used."""
    return f"{work.decision_id} at {work.at:%Y-%m-%dT%H:%M:%SZ}" if work.at else work.decision_id
