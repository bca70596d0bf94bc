"""Whether the people that requirements ask for exist at all, and who of them is left to ask."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pdp.approval import Approval
from pdp.caller import Caller, is_person
from pdp.decision import Verdict, policy_object, policy_revision, policy_text, review_input
from pdp.errors import PolicyInvalid
from pdp.opa.queries import Opa
from pdp.requirement import Requirement

MAX_SHOWN = 100
"""Identities that are shown of each requirement; more would not help a person to choose."""


@dataclass(frozen=True, slots=True)
class Eligible:
    """Who may still review by `rule`. `open`: others may fit, too, whom the policy's data does not name."""

    rule: str
    identities: tuple[str, ...]
    open: bool


class Reviewers:
    """Asks the policy whom its data names. `groups_open`: tokens of people say in which groups they are."""

    def __init__(self, opa: Opa, person_types: frozenset[str], *, groups_open: bool) -> None:
        self._opa, self._person_types, self._groups_open = opa, person_types, groups_open

    async def or_deny(
        self, verdict: Verdict, request: bytes, caller: Caller, now_ns: int, principals: Sequence[str]
    ) -> Verdict:
        """The verdict, or a deny where a requirement asks for more people than there are beside `principals`."""
        if all(self._is_open(requirement) for requirement in verdict.requirements):
            return verdict
        named = await self._people_of(request, caller, verdict.requirements, now_ns)
        for requirement, people in zip(verdict.requirements, named, strict=True):
            persons = len({person for name, person in people.items() if not {name, person} & {*principals}})
            if persons < requirement.count and not self._is_open(requirement):
                return verdict.denied(
                    "pdp.unreachable_requirement",
                    f"{requirement.rule} asks for {requirement.count} people to review, and of those whom the policy "
                    f"names {persons} may: the people behind the request do not count",
                )
        return verdict

    async def remaining(self, approval: Approval) -> list[Eligible]:
        """Whom a pending approval still waits for, requirement by requirement."""
        requester = Caller.requester(approval.caller)
        named = await self._people_of(approval.request, requester, approval.requirements, time.time_ns())
        out = {
            *approval.principals,
            *(name for review in approval.reviews for name in (review.reviewer, review.person)),
        }
        return [
            Eligible(
                requirement.rule,
                tuple(sorted(name for name, person in people.items() if not out & {name, person}))[:MAX_SHOWN],
                self._is_open(requirement),
            )
            for requirement, people in zip(approval.requirements, named, strict=True)
        ]

    def _is_open(self, requirement: Requirement) -> bool:
        return bool(requirement.claims) or (self._groups_open and bool(requirement.groups))

    async def _people_of(
        self, request: bytes, caller: Caller, requirements: Sequence[Requirement], now_ns: int
    ) -> list[Mapping[str, str]]:
        """For each requirement identity -> person; only identities of people."""
        answer = await self._opa.eligible(review_input(request, caller, requirements, [], now_ns))
        return [
            {name: person for name, person in people.items() if is_person(name, self._person_types)}
            for people in eligible(answer, len(requirements))
        ]


def eligible(result: Any, requirements: int) -> list[dict[str, str]]:
    """Parse what `data.pdp.eligible` answered about this number of requirements."""
    answer = policy_object(result, "the eligible", {"requirements", "revisions"})
    policy_revision(answer)
    named = answer.get("requirements")
    if not isinstance(named, list) or len(named) != requirements:
        raise PolicyInvalid("wrong_keys", "the policy answered about other requirements than it was asked about")
    return [_people(people) for people in named]


def _people(people: Any) -> dict[str, str]:
    if not isinstance(people, dict):
        raise PolicyInvalid("wrong_type", "the policy names something else than people for a requirement")
    return {name: policy_text(people, name) for name in people}
