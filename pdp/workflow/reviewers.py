"""Whether the people that requirements ask for exist at all, and who of them is left to ask."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pdp.approval import Approval
from pdp.caller import Caller, is_person
from pdp.decision import Verdict, review_input
from pdp.errors import PolicyInvalid
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.policy_answer import policy_object, policy_revision, policy_text
from pdp.requirement import Requirement
from pdp.workflow.answer import Ask

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

    def __init__(self, batcher: Batcher, person_types: frozenset[str], *, groups_open: bool) -> None:
        self._batcher, self._person_types, self._groups_open = batcher, person_types, groups_open

    async def or_deny(self, verdict: Verdict, ask: Ask, principals: Sequence[str]) -> Verdict:
        """The verdict, or a deny where a requirement asks for more people than there are beside `principals`."""
        if all(self._is_open(requirement) for requirement in verdict.requirements):
            return verdict
        named = await self._people_of(ask.canonical.json, ask.caller, verdict.requirements, ask.now_ns)
        for requirement, (people, more) in zip(verdict.requirements, named, strict=True):
            persons = len({person for name, person in people.items() if not {name, person} & {*principals}})
            if persons < requirement.count and not more and not self._is_open(requirement):
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
            for requirement, (people, _) in zip(approval.requirements, named, strict=True)
        ]

    def _is_open(self, requirement: Requirement) -> bool:
        return bool(requirement.claims) or (self._groups_open and bool(requirement.groups))

    async def _people_of(
        self, request: bytes, caller: Caller, requirements: Sequence[Requirement], now_ns: int
    ) -> list[tuple[Mapping[str, str], bool]]:
        """For each requirement identity -> person, only identities of people, and whether there are more of them."""
        question = review_input(request, caller, requirements, [], now_ns)
        [answer] = await self._batcher.each([Question(question, Suspect(caller.identity), about=About.ELIGIBLE)])
        return [
            ({name: person for name, person in people.items() if is_person(name, self._person_types)}, more)
            for people, more in eligible(answer, len(requirements))
        ]


def eligible(result: Any, requirements: int) -> list[tuple[dict[str, str], bool]]:
    """Parse what `data.pdp.eligible` answered about this number of requirements: people, and if there are more."""
    answer = policy_object(result, "the eligible", {"requirements", "more", "revisions"})
    policy_revision(answer)
    named, more = answer.get("requirements"), answer.get("more")
    if not isinstance(named, list) or not isinstance(more, list) or not len(named) == len(more) == requirements:
        raise PolicyInvalid("wrong_keys", "the policy answered about other requirements than it was asked about")
    return [(_people(people), _flag(is_cut)) for people, is_cut in zip(named, more, strict=True)]


def _people(people: Any) -> dict[str, str]:
    if not isinstance(people, dict):
        raise PolicyInvalid("wrong_type", "the policy names something else than people for a requirement")
    return {name: policy_text(people, name) for name in people}


def _flag(is_cut: Any) -> bool:
    if not isinstance(is_cut, bool):
        raise PolicyInvalid("wrong_type", "the policy does not say whether it lists all people for a requirement")
    return is_cut
