"""Plans of mask jobs: what today's policy selects for the columns, and what else the decision is bound to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import masker
from pdp.caller import identity, is_person
from pdp.decision import Effect, Verdict
from pdp.errors import PdpError
from pdp.masking.plan import compiled, used_domains
from pdp.masking.question import Column, Selection, masks_input, names, parts, selection, tagged, whole
from pdp.masking.threads import Threads
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.store.domains import Domains
from pdp.workflow.answer import Ask
from pdp.workflow.deciding import Deciding
from pdp.workflow.mask_work import Work


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, the people behind the request, and what the decision on it is bound to beside the request.

    `judged` is what the policy, asked at the same time, says of what the plan is for.
    """

    plan: masker.MaskPlan
    used: Mapping[str, Mapping[str, Any]]
    persons: Mapping[str, Sequence[str]]
    context: Mapping[str, Any]
    judged: Verdict | PdpError

    @property
    def is_denied(self) -> bool:
        """Whether the policy allows nothing of what the plan is for, not even with approvals."""
        return isinstance(self.judged, PdpError) or self.judged.effect is Effect.DENY


@dataclass(frozen=True, slots=True)
class MaskPlans:
    """Makes plans."""

    person_types: frozenset[str]
    deciding: Deciding
    batcher: Batcher
    domains: Domains
    threads: Threads

    async def planned(self, work: Work, ask: Ask, keys: masker.Keyring) -> Planned:
        """The plan. Raises what OPA may raise, `MaskPlanRefused` and `KeyRefused`."""
        caller = ask.caller.identity
        columns = await self.threads.plan(caller, lambda: work.shape.columns, work.shape.width)
        resource = ask.request.resource
        known = self.deciding.lineage.columns_of(resource.type, resource.id, names(columns))
        asked = [_question(ask, part) for part in parts(tagged(columns, known))]
        *answers, judged = await self.batcher.each([*asked, self.deciding.question(ask)])

        def made() -> tuple[Selection, masker.MaskPlan, Mapping[str, Mapping[str, Any]]]:
            selected = selection(whole(answers), columns, partial=work.action != "mask")
            plan = compiled(
                work.shape,
                selected,
                keys,
                key_version=work.key_version,
                seconds=work.seconds,
                direction=work.action,
                table_name=ask.request.resource.id,
                subject=identity(ask.request.subject),
                masked_version=work.masked_version,
                only=work.only,
            )
            return selected, plan, used_domains(plan)

        selected, plan, used = await self.threads.plan(caller, made, len(columns))
        await self.domains.require(used)
        people = {person for name, person in selected.people.items() if is_person(name, self.person_types)}
        persons = {one: [name for name, person in selected.people.items() if person == one] for one in sorted(people)}
        bound = work.bound
        context = await self.threads.run(caller, lambda: bound(plan, keys), work.size) if bound else {}
        return Planned(plan, used, persons, context, self.deciding.verdict(judged))


def _question(ask: Ask, columns: Sequence[Column]) -> Question:
    asked = masks_input(ask.canonical.json, ask.caller, ask.now_ns, columns)
    suspect = Suspect(ask.caller.identity, ask.request.action.name, ask.request.resource.type)
    return Question(asked, suspect, about=About.MASKS, lineage=ask.view.json)
