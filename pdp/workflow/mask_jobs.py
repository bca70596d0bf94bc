"""A mask job: planned, decided as any other action, and confirmed to be of the policy revision that decided.

The plan comes first, so that no approval is used for what cannot be done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import masker
from pdp.audit import event
from pdp.caller import Caller, identity, is_person
from pdp.decision import Effect
from pdp.errors import Conflict, DecisionUsed, EngineUnavailable, KeyRefused, MaskPlanRefused, PdpError, PolicyInvalid
from pdp.masking.job import Job, Threads
from pdp.masking.keys import MaskKeys
from pdp.masking.plan import compiled, used_domains
from pdp.masking.question import masks_input, selection
from pdp.masking.rows import Shape
from pdp.opa.queries import Opa
from pdp.recording.writer import Writer
from pdp.store.domains import Domains
from pdp.store.mask_uses import MaskUses
from pdp.v1.decision_pb2 import AuthorizeRequest
from pdp.workflow.answer import Ask
from pdp.workflow.deciding import Decided, Deciding

ATTEMPTS = 3
"""Plans that are made of one job before it fails: a policy that changes twice within one call is a rare accident."""
_REFUSALS = (MaskPlanRefused, PolicyInvalid, EngineUnavailable, KeyRefused)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done to which data; `only` leaves all but these columns alone.

    1. `bound` gives what the decision is bound to beside the request, once there is a plan: members for its context.
    2. `content` parses what is to be worked on, or raises. It runs before the decision, so that no approval is used for
       what is broken, but never for a caller whom the policy denies. `bound` needs the content before anybody is
       asked, as the policy may look at what it gives.
    """

    action: str
    shape: Shape
    masked_version: int = 0
    only: Sequence[str] = ()
    bound: Callable[[masker.MaskPlan], Mapping[str, Any]] = lambda _: {}
    content: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, the people behind the request, and what the decision on it is bound to beside the request."""

    plan: masker.MaskPlan
    persons: Sequence[str]
    context: Mapping[str, Any]


class MaskJobs:
    """Makes jobs of what callers ask for."""

    def __init__(
        self,
        *,
        person_types: frozenset[str],
        deciding: Deciding,
        opa: Opa,
        keys: MaskKeys,
        domains: Domains,
        uses: MaskUses,
        writer: Writer,
        threads: Threads,
    ) -> None:
        self._person_types, self._deciding, self._opa = person_types, deciding, opa
        self._keys, self._domains, self._uses, self._writer, self._threads = keys, domains, uses, writer, threads

    async def decide(self, work: Work, request: AuthorizeRequest, caller: Caller) -> tuple[Decided, Job | None]:
        """The decision on this work, and the job where it is allowed: plan, decide, confirm the revision, claim.

        A dry run claims nothing, and gives the job that people would have to approve, too. Raises what deciding raises,
        why there is no plan, `Conflict`, and `DecisionUsed` where another job began under this decision.
        """
        ask = self._deciding.checked(request, caller)
        keys = await self._threads.run(self._keys.current)
        try:
            planned = await self._planned(work, ask, keys)
        except _REFUSALS as refused:
            return await self._denied(ask, refused), None
        if work.content is not None and not await self._deciding.denies(ask):
            await self._threads.run(work.content)
        decided = await self._deciding.decide_one(self._with_context(ask, planned.context))
        wanted = {Effect.ALLOW, Effect.NEEDS_APPROVAL} if request.dry_run else {Effect.ALLOW}
        if decided.effect not in wanted:
            return decided, None
        made = await self._confirmed(work, ask, keys, planned, decided.answer.verdict.revision)
        await self._domains.claim(used_domains(made.plan))
        decision_id = decided.answer.decision_id
        use = "" if request.dry_run else await self._begun(decided, work.action)
        return decided, Job(
            work.action, caller, made.persons, decision_id, use, made.plan, keys, work.shape, made.context
        )

    async def _begun(self, decided: Decided, action: str) -> str:
        """The job's claim on its decision: a repeated use gets here only if no work began. A refusal is recorded."""
        try:
            return await self._uses.begin(decided.answer.decision_id, action)
        except DecisionUsed as refused:
            await self._writer.append([event.error(decided.ask.caller, decided.ask.canonical, refused)])
            raise

    async def _planned(self, work: Work, ask: Ask, keys: masker.Keyring) -> _Planned:
        """The masks that today's policy selects, as a plan. Raises `_REFUSALS`."""
        columns = work.shape.columns
        answer = await self._opa.masks(masks_input(ask.canonical.json, ask.caller, ask.now_ns, columns))
        selected = selection(answer, columns, partial=work.action != "mask")
        plan = await self._threads.run(
            lambda: compiled(
                work.shape,
                selected,
                keys,
                direction=work.action,
                table_name=ask.request.resource.id,
                subject=identity(ask.request.subject),
                masked_version=work.masked_version,
                only=work.only,
            )
        )
        await self._domains.require(used_domains(plan))
        persons = {person for name, person in selected.people.items() if is_person(name, self._person_types)}
        return _Planned(plan, sorted(persons), await self._threads.run(lambda: work.bound(plan)))

    def _with_context(self, ask: Ask, context: Mapping[str, Any]) -> Ask:
        """The question about this very data, where the decision is bound to it."""
        if not context:
            return ask
        request = _copy(ask.request)
        request.context.update(context)
        return self._deciding.checked(request, ask.caller)

    async def _confirmed(
        self, work: Work, ask: Ask, keys: masker.Keyring, planned: _Planned, revision: str
    ) -> _Planned:
        """The plan of the very policy revision that decided. Raises `Conflict`.

        OPA may have reloaded between plan and decision. A plan by the old rules must not run under a decision by the
        new ones, so it is made again, as long as the decision is bound to the same data.
        """
        for _ in range(ATTEMPTS):
            if planned.plan.policy_revision == revision:
                return planned
            again = await self._planned(work, ask, keys)
            if again.context != planned.context:
                break
            planned = again
        raise Conflict("the policy changed meanwhile; ask again")

    async def _denied(self, ask: Ask, refused: PdpError) -> Decided:
        """The deny, where the policy denies anyway; else why there is no plan, recorded and raised."""
        request = _copy(ask.request)
        request.dry_run = True
        decided = await self._deciding.decide_one(replace(ask, request=request))
        if decided.effect is Effect.DENY:
            return decided
        await self._writer.append([event.error(ask.caller, ask.canonical, refused)])
        raise refused


def _copy(request: AuthorizeRequest) -> AuthorizeRequest:
    copied = AuthorizeRequest()
    copied.CopyFrom(request)
    return copied
