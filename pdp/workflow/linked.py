"""Whom links put behind a request: a chat account that it names brings its person, and all that the data says of it.

A link bars from reviewing also where the data gives the account to somebody else: then both are barred. So does a link
that ended, or else a person would end it, ask by the account, and approve.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from pdp.account import is_account
from pdp.caller import Caller
from pdp.decision import policy_review, review_input
from pdp.opa.batching import Batcher
from pdp.opa.quarantine import Suspect
from pdp.opa.queries import About
from pdp.opa.waiting import Question
from pdp.workflow.links import Links


@dataclass(frozen=True, slots=True)
class Behind:
    """A request in canonical form, and its requester principals as far as the policy's data knows them."""

    request: bytes
    principals: frozenset[str]

    @property
    def accounts(self) -> frozenset[str]:
        """The chat accounts among them."""
        return frozenset(name for name in self.principals if is_account(name))


class LinkedPrincipals:
    """Adds the people of links to requester principals."""

    def __init__(self, links: Links, batcher: Batcher) -> None:
        self._links, self._batcher = links, batcher

    async def of(self, request: bytes, principals: Sequence[str]) -> tuple[str, ...]:
        """The principals of one request, with those that links add."""
        [found] = await self.each([Behind(request, frozenset(principals))])
        return tuple(sorted(found))

    async def each(self, some: Sequence[Behind]) -> list[frozenset[str]]:
        """`of` each. Where no account has a link, nothing is asked of the policy."""
        people = await self._links.ever({name for one in some for name in one.accounts})
        wanted = [
            (index, person)
            for index, one in enumerate(some)
            for person in sorted({person for name in one.accounts for person in people.get(name, ())})
        ]
        found = [set(one.principals) for one in some]
        answers = await self._batcher.each([_question(some[index].request, person) for index, person in wanted])
        for (index, person), answer in zip(wanted, answers, strict=True):
            found[index] |= {person, *policy_review(answer, [], 0).principals}
        return [frozenset(names) for names in found]


def _question(request: bytes, person: str) -> Question:
    """Who would be behind the request if this person had sent it."""
    asked = review_input(request, Caller.requester(person), [], [], time.time_ns())
    return Question(asked, Suspect(person), about=About.REVIEWS)
